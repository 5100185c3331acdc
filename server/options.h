/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file options.h
 * @brief What otterd is told, on its command line and in its configuration file.
 *
 * Both have the same names: `--threads 4` on the line is `threads = 4` in the file. The command line wins.
 */
#pragma once

#include <stdbool.h>
#include <stdio.h>

/** Room for a message about what is wrong, with its terminator. */
#define OPTIONS_ERROR_SIZE 512

/** At least as many as there are options. */
#define OPTIONS_MAX 24

/** Where a value came from; a stronger source is not overwritten by a weaker one. */
enum options_source {
    OPTIONS_DEFAULT,
    OPTIONS_FILE,
    OPTIONS_FLAG,
};

/** All options. Text is owned by the struct, NULL if not given. */
struct options {
    char *config;
    char *listen;
    char *cert;
    char *key;
    char *root;
    char *access_log;
    char *port_file;
    unsigned threads;
    unsigned connections;
    unsigned idle_timeout_s;
    unsigned stop_timeout_s;
    bool plain_http;
    bool help;
    bool version;
    enum options_source source[OPTIONS_MAX]; /**< In the order of the table of options. */
};

/** How reading options ends. */
enum options_result {
    OPTIONS_OK,
    OPTIONS_WRONG,      /**< The user's mistake. */
    OPTIONS_UNREADABLE, /**< The configuration file cannot be read, or memory is short. */
};

/**
 * Reads the command line, then the configuration file it names, then fills in defaults and looks whether it all makes
 * sense together. With --help or --version nothing after the command line is looked at.
 *
 * @param[out] options  to be freed by options_free() whatever is returned
 * @param[out] error    what is wrong and what to do, without newline; set unless OPTIONS_OK
 */
enum options_result options_read(struct options *options, int argc, char *const *argv,
                                 char error[static OPTIONS_ERROR_SIZE]);

/** Prints all options with their meaning. */
void options_print_help(FILE *out);

/** Frees what options_read() allocated. */
void options_free(struct options *options);
