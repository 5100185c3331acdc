/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file http1.h
 * @brief What the files of this port share: the client.
 *
 * One allocation, of sizeof(struct otter_http), for a client's life: its buffer of HTTP1_BUFFER_BYTES and less than 2 KiB
 * besides. Nothing grows; what the stream and its TLS library need comes on top. A board with less memory compiles with a
 * smaller HTTP1_BUFFER_BYTES: it bounds the lines of a response head, not bodies, which go straight into the reader's memory.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "otter/otter_http.h"
#include "otter/otter_stream.h"
#include "port/http1/chunks.h"
#include "port/http1/head.h"
#include "port/http1/target.h"

#define HTTP1_ALPN_MAX 8 /**< Most protocols of the caller's that are offered. */

/** A client. */
struct otter_http {
    otter_stream_t *stream;
    const char *alpn[HTTP1_ALPN_MAX + 1]; /**< What the stream's configuration points to. */

    http1_target_t peer; /**< Whom the stream is connected to, if is_connected. */
    bool is_connected;   /**< The stream is open, and between two exchanges nobody knows of a reason not to use it. */

    bool has_proxy;   /**< One is configured, and there is none here. */
    bool is_refused;  /**< The stream said at this open that trying again changes nothing. */
    bool is_open;     /**< An exchange is. */
    bool has_body;    /**< Its answer may have a body (not HEAD). */
    bool keeps_alive; /**< The connection can carry another. */
    bool is_complete; /**< The body is at its end. */
    http1_head_t head;
    http1_framing_t framing;
    http1_chunks_t chunks;
    int64_t left; /**< HTTP1_BY_LENGTH: bytes of body to come. */

    char error[HTTP1_ORIGIN_BYTES + 260];
    char origin[HTTP1_ORIGIN_BYTES]; /**< "host:port", for error texts. */

    size_t buffer_off;               /**< First byte in the buffer that nobody has taken. */
    size_t buffer_end;               /**< One past the last byte in it. */
    char buffer[HTTP1_BUFFER_BYTES]; /**< The request on its way out; then what came, until it is taken. */
};

/** Writes the text that otter_http_error() gives: "host:port: " and what the format says. */
void http1_set_error(otter_http_t *http, const char *format, ...) __attribute__((format(printf, 2, 3)));

/**
 * Says whether a request can be written so that the server reads what the caller meant.
 *
 * @return ESP_OK; ESP_ERR_HTTP_WRITE_DATA if the method or a header's name is no token, or a value has control
 *         characters in it. The error text is set.
 */
esp_err_t http1_check_request(otter_http_t *http, const otter_http_request_t *request);

/**
 * Writes a request that was checked to the stream, through the client's buffer, which is empty before and after.
 *
 * @return ESP_OK; ESP_ERR_TIMEOUT, ESP_ERR_HTTP_WRITE_DATA. The error text is set.
 */
esp_err_t http1_send_request(otter_http_t *http, const otter_http_request_t *request, const http1_target_t *target,
                             int64_t deadline_us);

/**
 * Reads up to the end of the final response head.
 *
 * @return ESP_OK, with what came after the head in the buffer; ESP_ERR_TIMEOUT; ESP_ERR_HTTP_FETCH_HEADER. The error text
 *         is set.
 */
esp_err_t http1_await_head(otter_http_t *http, int64_t deadline_us);

/** Starts the body that follows the head which was just read. */
void http1_start_body(otter_http_t *http);

/** otter_http_read() of an open exchange. */
esp_err_t http1_read_body(otter_http_t *http, void *dst, size_t len, size_t *got, int64_t deadline_us);

/** Says whether the body is at its end, as far as that can be known from what has come. */
bool http1_is_body_over(otter_http_t *http);
