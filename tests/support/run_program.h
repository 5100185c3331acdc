/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file run_program.h
 * @brief Runs a program to its end and catches what it says. Add tests/support/run_program.c to the test's SOURCES.
 *
 * What cannot be run at all, or hangs, fails the test.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/** How a program is run. Zero fields are defaults. */
typedef struct run_options {
    const char *input;       /**< Text for standard input; NULL: empty. */
    const char *stdout_path; /**< Standard output goes to this file, e.g. /dev/full; NULL: it is caught. */
    bool terminal;           /**< Standard output is a terminal, whose output is caught. */
    bool terminal_err;       /**< Standard error is one. */
    int timeout_s;           /**< Seconds until it counts as hanging; 0: 60. */
} run_options_t;

/** What a program said. */
typedef struct run_result {
    int status;     /**< Exit status; minus the signal's number if one ended it. */
    char *out;      /**< Standard output, terminated; may hold other NULs. Owned. */
    size_t out_len; /**< Its bytes. */
    char *err;      /**< Standard error, likewise. Owned. */
    size_t err_len; /**< Its bytes. */
} run_result_t;

/**
 * Runs a program.
 *
 * @param argv     its words, argv[0] with a path or found in PATH; NULL ends them
 * @param options  NULL: all zero
 * @return to be freed with run_free()
 */
run_result_t run_program(const char *const argv[], const run_options_t *options);

/** Frees what was caught; all zero is left alone. */
void run_free(run_result_t *result);
