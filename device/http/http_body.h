/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file http_body.h
 * @brief A request's body, collected while the application writes it: so many bytes, or chunks until the last one.
 *
 * The port sends a body whole, with its length. Chunks are therefore taken apart here, as the application writes them:
 * with their sizes and line ends (RFC 9112, 7.1; neither extensions nor trailers).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "esp_err.h"

#define HTTP_MAX_CHUNKED_BODY_BYTES (16u << 20) /**< Most bytes that chunks may add up to. */

/** Where in a chunk the next byte stands. */
typedef enum http_chunk_place {
    HTTP_CHUNK_SIZE,
    HTTP_CHUNK_SIZE_LF,
    HTTP_CHUNK_DATA,
    HTTP_CHUNK_DATA_CR,
    HTTP_CHUNK_DATA_LF,
    HTTP_CHUNK_LAST_CR,
    HTTP_CHUNK_LAST_LF,
    HTTP_CHUNK_END,
    HTTP_CHUNK_BAD, /**< Something was no chunk; all that follows is refused. */
} http_chunk_place_t;

/** A body. All zero: none. */
typedef struct http_body {
    uint8_t *bytes; /**< Owned; NULL: none. */
    size_t len;     /**< Bytes there. */
    size_t size;    /**< Bytes announced; of chunks: bytes allocated. */
    bool is_chunked;
    http_chunk_place_t place;
    size_t chunk_left; /**< Bytes of the present chunk to come; while its size is read, as much of it as is known. */
    unsigned chunk_digits; /**< Digits of its size read. */
} http_body_t;

/**
 * Starts a body; the one before is dropped.
 *
 * @param write_len  bytes to come, above 0; negative: chunks
 * @return ESP_OK; ESP_ERR_NO_MEM
 */
esp_err_t http_body_expect(http_body_t *body, int write_len);

/**
 * Takes what the application writes.
 *
 * @return ESP_OK; ESP_ERR_INVALID_SIZE for more than was announced, or than chunks may add up to; ESP_ERR_INVALID_ARG for
 *         what is no chunk; ESP_ERR_NO_MEM. After an error the body cannot be completed any more.
 */
esp_err_t http_body_take(http_body_t *body, const char *bytes, size_t len);

/** Says whether the body is there to its last byte. */
bool http_body_is_complete(const http_body_t *body);

/** Releases a body. */
void http_body_drop(http_body_t *body);
