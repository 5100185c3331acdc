/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file site.h
 * @brief A folder, certificates, and servers that nobody here wrote, running as processes of the test's own.
 *
 * Servers listen on the loopback on ports that were free a moment before, and die with the test. A program that is not
 * there, or cannot run here, skips the test, and says so.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "tests/support/certs.h"

#define SITE_PATH_BYTES 160 /**< Room for a path in the site's folder. */
#define SITE_SERVERS    4   /**< Most servers at once. */

/** A server that runs. */
typedef struct site_server {
    pid_t pid; /**< 0: it does not. */
    uint16_t port;
    const char *name; /**< Of the program; its output is in name.out. */
} site_server_t;

/** What a test has. The folder holds www/ (served), tmp/, ca.pem, and cert.pem with key.pem for localhost. */
typedef struct site {
    char home[48];
    certs_ca_t *ca;
    const char *ca_pem;
    site_server_t servers[SITE_SERVERS];
    size_t server_count;
} site_t;

/** Makes the folder and the certificates. */
void site_begin(site_t *site);

/** Ends the servers and removes the folder. */
void site_end(site_t *site);

/** Skips the test (exit status 77) for a reason. */
_Noreturn void site_skip(const char *format, ...) __attribute__((format(printf, 1, 2)));

/** Looks for a program in PATH, /usr/sbin and /sbin; skips the test if it is not there. @return its path, static */
const char *site_need(const char *program);

/** A port of 127.0.0.1 that nobody uses. */
uint16_t site_free_port(void);

/** The path of something in the folder. @return @p path */
char *site_path(const site_t *site, const char *name, char path[static SITE_PATH_BYTES]);

/** Writes a file in the folder. */
void site_put(const site_t *site, const char *name, const void *bytes, size_t len);

/**
 * Writes a text file in the folder. In @p text, @HOME@ becomes the folder, @PORT@ a port, @USER@ who runs the test.
 */
void site_configure(const site_t *site, const char *name, const char *text, uint16_t port);

/**
 * Starts a program and waits until it accepts connections.
 *
 * @param folder  to start it in: "" or one in the site's folder
 * @param argv  its words, argv[0] its path; NULL ends them
 * @param port  where it is going to listen
 * @return the server; NULL if the program ended instead: its output is printed
 */
site_server_t *site_start(site_t *site, const char *folder, const char *const argv[], const char *name, uint16_t port);

/** Sends a signal and waits until the program has ended. */
void site_stop(site_server_t *server, int signal_number);

/** Waits until a server's port accepts connections. False: not within ten seconds. */
bool site_await_port(uint16_t port);

/** Kills all processes that a server has started, and theirs; not itself. Fails the test if there are none. */
void site_kill_children(const site_server_t *server);

/** Reads a text file of the folder; "" if there is none. To be given to free(). */
char *site_read(const site_t *site, const char *name);

/** Fails the test unless a line of a file has all these texts (up to a NULL) within ten seconds. Logs come late. */
void site_expect_line(const site_t *site, const char *name, const char *const *texts);

/** site_expect_line() with the texts as arguments. */
#define SITE_EXPECT_LINE(site, name, ...) site_expect_line((site), (name), (const char *const[]){__VA_ARGS__, NULL})

/** How many lines of a file have all these texts, now. */
size_t site_count_lines(const site_t *site, const char *name, const char *const *texts);

/** site_count_lines() with the texts as arguments. */
#define SITE_COUNT_LINES(site, name, ...) site_count_lines((site), (name), (const char *const[]){__VA_ARGS__, NULL})
