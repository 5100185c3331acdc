/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file head.h
 * @brief The response head of HTTP/1: a pure parser, fed what has arrived, that answers done, need more, or bad.
 *
 * Strict: what two readers could take for two different heads is refused. Not accepted are folded lines, a bare CR, NUL
 * bytes, names that are no tokens, lengths that are no numbers or differ, transfer codings other than chunked, and
 * anything before the status line. A line may end in LF alone.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "otter/otter_http.h"

#ifndef HTTP1_BUFFER_BYTES
#define HTTP1_BUFFER_BYTES 16384 /**< Bytes of a client's one buffer; a line of a head must fit, its end included. */
#endif

#define HTTP1_HEAD_MAX_BYTES 65536 /**< Most bytes of head lines of one exchange, interim ones included. */
#define HTTP1_MAX_INTERIM    16    /**< Most interim (1xx) responses before the final one. */

/** What a parser answers. */
typedef enum http1_step {
    HTTP1_MORE = 0, /**< All whole pieces are taken; the rest is needed again, with more behind it. */
    HTTP1_DATA,     /**< Chunks only: bytes of the body come next. */
    HTTP1_DONE,     /**< At the end; what follows belongs to something else. */
    HTTP1_BAD,      /**< Unusable: problem says why. For good. */
} http1_step_t;

/** How the end of a body is told. */
typedef enum http1_framing {
    HTTP1_NO_BODY = 0,
    HTTP1_BY_LENGTH,
    HTTP1_BY_CHUNKS,
    HTTP1_BY_CLOSE,
} http1_framing_t;

/** A head, as far as it has been read. */
typedef struct http1_head {
    otter_http_header_cb_t on_header; /**< Told each header of the final response; NULL: nobody. */
    void *arg;                        /**< Handed to it. */
    size_t bytes;                     /**< Bytes of whole lines taken. */
    unsigned interim;                 /**< Interim responses among them. */
    const char *problem;              /**< Why the head is unusable, static text; NULL: it is not. */
    int status;                       /**< Of the response being read; 0: no status line yet. */
    int minor;                        /**< Version in the status line: HTTP/1.minor. */
    int64_t content_length;           /**< -1: not announced. */
    bool chunked;                     /**< Transfer-Encoding: chunked. */
    bool says_close;                  /**< Connection: close. */
    bool says_keep_alive;             /**< Connection: keep-alive. */
} http1_head_t;

/** Starts a head. */
void http1_head_init(http1_head_t *head, otter_http_header_cb_t on_header, void *arg);

/**
 * Takes the whole lines at the front of what has arrived, up to the end of the final head.
 *
 * @param bytes  what has arrived and was not taken before; ends of lines and names are overwritten
 * @param len    their number; with HTTP1_BUFFER_BYTES of them the answer is not HTTP1_MORE with nothing taken
 * @param used   gets how many were taken
 * @return HTTP1_DONE: bytes + used is the first byte after the final head; HTTP1_MORE; HTTP1_BAD
 */
http1_step_t http1_head_feed(http1_head_t *head, char *bytes, size_t len, size_t *used);

/** How the body that follows a complete head ends. @p has_body: false for an answer to HEAD. */
http1_framing_t http1_head_framing(const http1_head_t *head, bool has_body);

/** What a complete head says. @p has_body: false for an answer to HEAD. */
otter_http_response_t http1_head_response(const http1_head_t *head, bool has_body);
