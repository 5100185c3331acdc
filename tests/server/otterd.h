/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file otterd.h
 * @brief An otterd of a test's own: started in a directory that is removed afterwards; and a client without manners.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/** Arguments that may be passed to it. */
#define OTTERD_ARGS_MAX 24

/** A running otterd and its directory. */
struct otterd {
    pid_t pid;
    int err_fd; /**< What it writes to standard error. */
    uint16_t port;
    bool is_secure;
    char home[40];  /**< Holds root/, log, port, and for TLS ca.pem, cert.pem, key.pem. */
    char err[4096]; /**< What it has written so far. */
};

/** Makes the directory, with an empty root/, and certificates if @p is_secure. Fails the test otherwise. */
void otterd_prepare(struct otterd *otterd, bool is_secure);

/** Writes a file at a path below the directory. */
void otterd_put(const struct otterd *otterd, const char *path, const void *bytes, size_t len);

/** Makes a file of that many bytes, whose byte i is otterd_byte(i). */
void otterd_put_pattern(const struct otterd *otterd, const char *path, size_t len);

/** See otterd_put_pattern(). */
uint8_t otterd_byte(uint64_t off);

/** Gives the path of something in the directory. @return @p path */
char *otterd_path(const struct otterd *otterd, const char *name, char path[static 128]);

/** Starts it with further arguments, up to a NULL; returns when it serves, and fails the test if it does not. */
void otterd_start(struct otterd *otterd, const char *const *args);

/** Runs otterd with exactly these arguments until it ends by itself. @return its exit status; output is in err */
int otterd_run(struct otterd *otterd, const char *const *args);

/** Waits until it has ended. @return its exit status, 128 and the signal if one killed it */
int otterd_wait(struct otterd *otterd);

/** Sends SIGTERM and waits. */
int otterd_stop(struct otterd *otterd);

/** Kills it if it still runs, and removes the directory. */
void otterd_remove(struct otterd *otterd);

/** Reads the text file of that name in the directory; the caller's to free. */
char *otterd_read(const struct otterd *otterd, const char *name);

/** Connects to it by plain TCP. @param receive_bytes  room for what it sends ahead; 0 for the usual */
int otterd_connect(const struct otterd *otterd, int receive_bytes);

/** Sends bytes to it by plain TCP and reads until it closes. @return what came, terminated; the caller's to free */
char *otterd_exchange(const struct otterd *otterd, const void *bytes, size_t len);

/** otterd_exchange(); @p answer_len gets the bytes that came. */
char *otterd_exchange_len(const struct otterd *otterd, const void *bytes, size_t len, size_t *answer_len);

/** otterd_exchange() of a GET of this target, with these further header lines. */
char *otterd_get(const struct otterd *otterd, const char *target, const char *headers);

/** The status of an answer; fails the test if it is none. */
int otterd_status(const char *answer);

/** Reads from a connection until it is closed. @return bytes read; whether it ended with an error is not told */
size_t otterd_drain(int fd, uint8_t *bytes, size_t size);
