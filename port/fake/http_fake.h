/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file http_fake.h
 * @brief A scripted stand-in for the HTTP port (otter/otter_http.h), for tests.
 *
 * Link otter_fake into a test program: its objects come before the library, so the real client is
 * not pulled in. A script says what each request in turn is answered, faults included; afterwards
 * http_fake_seen() says what was asked and which faults happened. One thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "otter/otter_http.h"

#ifdef __cplusplus
extern "C" {
#endif

#define HTTP_FAKE_FOREVER  UINT32_MAX /**< http_fake_exchange.stall_reads: never goes on. */
#define HTTP_FAKE_REQUESTS 32         /**< Requests that are remembered. */

/** How one request is answered. All zero: 200 with an empty body. A HEAD gets the head only. */
typedef struct http_fake_exchange {
    esp_err_t open_error; /**< Anything but ESP_OK: open answers this, and the rest does not matter. */
    bool refused;         /**< With open_error: for the server's certificate. */
    bool head_stalls;     /**< The response head never comes: open waits for its deadline. */
    int status;           /**< 0: 200. */
    const char *headers;  /**< Lines "Name: value\n"; NULL: none. Content-Length is added by itself. */
    const char *etag;     /**< Entity tag, sent with the response and asked of If-Range; NULL: none. */
    bool ranges;          /**< A Range is answered with that part (206, or 416) if If-Range is absent or names etag. */
    bool again;           /**< Of the last one of a script: it answers all further requests, too. */
    const void *body;     /**< Not copied. */
    size_t body_len;      /**< Bytes. */
    bool no_length;       /**< No Content-Length: the body ends where the connection does. */
    bool chunked;         /**< Like no_length, but the end is certain. */
    int64_t
        announced_len; /**< Content-Length to announce; 0: body_len. More than that: the connection breaks at the end. */
    bool endless;      /**< The body starts again at its end, for ever; nothing is announced. */
    size_t piece_len;  /**< Most bytes that one read gets; 0: as many as asked for. */
    size_t stall_at;   /**< After this many bytes (of this response) ... */
    uint32_t stall_reads;  /**< ... this many reads wait for their deadline in vain. 0: none. */
    bool stall_again;      /**< The same after every further stall_at bytes. */
    size_t break_at;       /**< After this many bytes the connection breaks ... */
    esp_err_t break_error; /**< ... with this error. ESP_OK: it does not. */
} http_fake_exchange_t;

/** A request as it came. */
typedef struct http_fake_request {
    char method[16];
    char url[512];
    char headers[1024]; /**< Lines "Name: value\n". */
    char body[256];     /**< Terminated; cut. */
    size_t body_len;
    size_t sent_bytes; /**< Bytes of response body that were read. */
    bool closed;       /**< The exchange was closed. */
} http_fake_request_t;

/** What happened since http_fake_script(). */
typedef struct http_fake_seen {
    size_t request_count; /**< Requests made; the first HTTP_FAKE_REQUESTS are kept. */
    http_fake_request_t request[HTTP_FAKE_REQUESTS];
    size_t unscripted;       /**< Requests beyond the end of the script; they were answered ESP_ERR_HTTP_CONNECT. */
    size_t body_bytes;       /**< Bytes of response bodies that were read, of all requests. */
    uint32_t stalls;         /**< Reads and opens that waited in vain. */
    uint32_t breaks;         /**< Reads that found the connection broken. */
    size_t clients;          /**< Clients made and not yet freed. */
    bool use_system_ca;      /**< The last client's TLS settings. */
    bool has_ca;             /**< ca_pem was given. */
    bool insecure;           /**< Server not verified. */
    size_t disconnect_count; /**< otter_http_disconnect() calls. */
} http_fake_seen_t;

/**
 * Sets the answers to the requests to come and forgets what was seen. Clients of before stay usable.
 *
 * @param exchange  not copied
 * @param count     how many; the request after the last one is an error
 */
void http_fake_script(const http_fake_exchange_t *exchange, size_t count);

/** What was seen. Static storage. */
const http_fake_seen_t *http_fake_seen(void);

#ifdef __cplusplus
}
#endif
