/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file accesslog.h
 * @brief One line a request, in the Common Log Format and a little more.
 *
 * A line is `CLIENT - - [TIME] "METHOD TARGET VERSION" STATUS SENT LENGTH SECONDS`: the body bytes that went out, the
 * body bytes that the answer has, and how long it took. SENT less than LENGTH is a transfer that broke off.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** A line is never longer, with its newline; a target that would make it so is cut. */
#define ACCESSLOG_LINE_SIZE 4096

/** What one line says. Text is untrusted and escaped when written; NULL is written as "-". */
struct accesslog_entry {
    const char *client;    /**< Address. */
    const char *method;    /**< NULL if the request broke off before it was understood. */
    const char *target;    /**< As in the request line. */
    const char *version;   /**< "HTTP/1.1". */
    unsigned status;       /**< 0, written as "-", if nothing was answered. */
    int64_t time_s;        /**< When the request came, since 1970; written in UTC. */
    uint64_t sent_bytes;   /**< Of the body, known to have left for the client. */
    uint64_t length_bytes; /**< Of the body. */
    uint64_t duration_us;  /**< From request line to last byte. */
};

/** An open log. Lines may be written from any thread, and reopening may happen at any time. */
struct accesslog {
    const char *path; /**< NULL for standard output and for no log. */
    int fd;           /**< -1 for no log. */
};

/**
 * Writes one line into a buffer: always terminated, always ending with its only newline.
 *
 * Control characters, quotes, backslashes and bytes above ASCII are written as \xHH, so that no request can forge a
 * line.
 *
 * @return its length in bytes
 */
size_t accesslog_format(const struct accesslog_entry *entry, char line[static ACCESSLOG_LINE_SIZE]);

/**
 * Opens a log for appending, and creates it where missing.
 *
 * @param path  a file, "-" for standard output, "off" for none; kept, must outlive the log
 * @return false with errno set if it cannot be opened
 */
bool accesslog_open(struct accesslog *log, const char *path);

/** Opens the file again under its name, after it was moved away. @return false with errno set; the old one stays */
bool accesslog_reopen(struct accesslog *log);

/** Writes one line in one piece. @return false with errno set if it was lost; true without a log */
bool accesslog_write(const struct accesslog *log, const struct accesslog_entry *entry);

/** Closes the log; one that never opened is accepted. */
void accesslog_close(struct accesslog *log);
