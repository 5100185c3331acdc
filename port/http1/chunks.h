/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file chunks.h
 * @brief The chunked transfer coding: a pure state machine over what stands between the bytes of a body.
 *
 * Strict: CR LF as the standard has them, sizes that fit, bounded lines. Extensions and trailers are read over.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "port/http1/head.h"

#define HTTP1_CHUNK_LINE_MAX_BYTES 1024 /**< Most bytes of a chunk's line: its size and extensions. */
#define HTTP1_TRAILER_MAX_BYTES    8192 /**< Most bytes of trailer lines. */

/** A chunked body, as far as it has been read. All zero: at its start. */
typedef struct http1_chunks {
    int64_t left;        /**< After HTTP1_DATA: bytes of the present chunk that the caller has not taken. */
    const char *problem; /**< Why the body is unusable, static text; NULL: it is not. */
    int place;           /**< Where between the bytes we are. */
    unsigned line_bytes; /**< Bytes of this line, or of the trailer, so far. */
} http1_chunks_t;

/**
 * Takes what stands before the next bytes of body; nothing while the caller has not taken all of a chunk.
 *
 * @param bytes  what has arrived and was not taken before
 * @param len    their number
 * @param used   gets how many were taken; all of them with HTTP1_MORE
 * @return HTTP1_DATA: bytes + used is the first of left bytes of body; HTTP1_DONE: the body and its trailer are at
 *         their end; HTTP1_MORE; HTTP1_BAD
 */
http1_step_t http1_chunks_feed(http1_chunks_t *chunks, const char *bytes, size_t len, size_t *used);

/** Notes that the caller has taken @p count bytes of body, at most left. */
void http1_chunks_take(http1_chunks_t *chunks, size_t count);
