/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file h2_server.h
 * @brief An HTTP/2 server on 127.0.0.1 that answers each request with the next reply of a list, and ends it as told.
 *
 * It runs in a thread of the test program, one connection at a time. Header blocks of requests are not looked into.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/** How an answer ends. */
typedef enum h2_end {
    H2_END_STREAM,    /**< As it should. */
    H2_TRAILER,       /**< Likewise, with a trailer. */
    H2_GOAWAY_FINISH, /**< Says GOAWAY in the middle, and ends the stream as it should. */
    H2_RST_STREAM,    /**< RST_STREAM with the reply's code. */
    H2_GOAWAY_CLOSE,  /**< GOAWAY, then the connection closes. */
    H2_CLOSE,         /**< The connection closes. */
    H2_STALL,         /**< Nothing more comes; the connection stays until the client ends it. */
    H2_REFUSE,        /**< RST_STREAM with the reply's code instead of any answer. */
    H2_GOAWAY_FIRST,  /**< GOAWAY that says that the request was not looked at, then the connection closes. */
    H2_GARBAGE,       /**< A DATA frame larger than allowed. */
    H2_ENDS,
} h2_end_t;

/** An answer: 200, Content-Length, bytes of body. Byte i of a body is h2_byte(i). */
typedef struct h2_reply {
    size_t announced; /**< Content-Length; 0: none. */
    size_t body_len;  /**< Bytes of body before the end. */
    h2_end_t end;
    uint32_t code; /**< Of RST_STREAM and GOAWAY. */
} h2_reply_t;

typedef struct h2_server h2_server_t;

/** Starts it. @p replies outlive it. Fails the test if it cannot. */
h2_server_t *h2_server_start(const char *cert_pem, const char *key_pem, const h2_reply_t *replies, size_t count);

uint16_t h2_server_port(const h2_server_t *server);        /**< Where it listens. */
unsigned h2_server_connections(const h2_server_t *server); /**< Connections that spoke HTTP/2 so far. */
unsigned h2_server_requests(const h2_server_t *server);    /**< Requests so far. */
void h2_server_stop(h2_server_t *server);                  /**< Ends it, and frees it. */
uint8_t h2_byte(size_t off);                               /**< See h2_reply_t. */
