/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file response_head.h
 * @brief Reads a response head line by line: skips interim responses, ends at the final one's empty line.
 *
 * Pure: no curl in here.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "otter/otter_http.h"

#define RESPONSE_HEAD_MAX_BYTES 65536 /**< Most bytes of head lines of one exchange, interim ones included. */

/** A head, as far as it has been read. */
typedef struct response_head {
    otter_http_header_cb_t on_header; /**< Told each header of the final response; NULL: nobody. */
    void *arg;                        /**< Handed to it. */
    size_t bytes;                     /**< Bytes of lines seen. */
    bool complete;                    /**< The final response's empty line was seen. */
    const char *problem;              /**< Why the head is unusable, static text; NULL: it is not. */
    int http_major;                   /**< Version in the status line. */
    int http_minor;
    int status;             /**< Status in it; 0: no status line yet. */
    int64_t content_length; /**< -1: not announced. */
    bool chunked;           /**< Transfer-Encoding ends in chunked. */
    bool says_close;        /**< Connection: close. */
    bool says_keep_alive;   /**< Connection: keep-alive. */
} response_head_t;

/** Starts a head. */
void response_head_init(response_head_t *head, otter_http_header_cb_t on_header, void *arg);

/**
 * Takes the next line. Lines after the final head's end (trailers) are only counted.
 *
 * @param line  its bytes, with or without the line end, not NUL-terminated
 * @param len   their number
 * @return false if the head is unusable: problem says why
 */
bool response_head_feed(response_head_t *head, const char *line, size_t len);

/** What a complete head says. @p has_body: false for an answer to HEAD. */
otter_http_response_t response_head_summary(const response_head_t *head, bool has_body);
