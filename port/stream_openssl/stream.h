/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file stream.h
 * @brief What the files of this port share: the stream, its socket, its TLS.
 */
#pragma once

#include <netdb.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <openssl/ssl.h>

#include "otter/otter_stream.h"

/** A stream. What is not there is NULL, or -1. */
struct otter_stream {
    otter_stream_config_t config;
    SSL_CTX *context; /**< Made for the first TLS connection. */

    int fd;    /**< Non-blocking. */
    SSL *ssl;  /**< NULL: plain. */
    bool dead; /**< The connection broke: it can neither be used nor be taken leave of. */

    SSL_SESSION *session; /**< To resume at the next connection to the same server. */
    char session_host[OTTER_STREAM_HOST_BYTES];
    uint16_t session_port;

    char error[320];
};

/** Writes the text that otter_stream_error() gives. */
void stream_set_error(otter_stream_t *stream, const char *format, ...) __attribute__((format(printf, 2, 3)));

/** Writes it: what was tried, and what the operating system says of @p code. */
void stream_set_os_error(otter_stream_t *stream, const char *what, int code);

/** Waits until the socket can be read (POLLIN) or written (POLLOUT), or has an error; false: the deadline passed. */
bool stream_wait(const otter_stream_t *stream, short events, int64_t deadline_us);

/**
 * Looks up a name without waiting beyond the deadline, whatever the resolver does.
 *
 * @param found  gets the addresses, to be given to freeaddrinfo()
 * @return ESP_OK; ESP_ERR_TIMEOUT; ESP_ERR_NO_MEM; ESP_FAIL, and the error text is set
 */
esp_err_t stream_look_up(otter_stream_t *stream, const char *host, uint16_t port, int64_t deadline_us,
                         struct addrinfo **found);

/** Looks a name up and connects fd to one of its addresses. As otter_stream_open(), without TLS. */
esp_err_t stream_connect(otter_stream_t *stream, const char *host, uint16_t port, int64_t deadline_us);

/** Says whether the CA certificate, if there is one, is PEM or DER at first sight. */
bool stream_is_ca_readable(const otter_http_tls_t *tls);

/** Makes the context of the stream's TLS connections if it is not there. ESP_OK; ESP_ERR_NO_MEM; ESP_ERR_NOT_ALLOWED, and the
 * error text is set. */
esp_err_t stream_prepare_tls(otter_stream_t *stream);

/** Shakes hands over fd and verifies the server. As otter_stream_open(). */
esp_err_t stream_start_tls(otter_stream_t *stream, const char *host, uint16_t port, int64_t deadline_us);

/** As otter_stream_write(), over TLS. */
esp_err_t stream_write_tls(otter_stream_t *stream, const void *src, size_t len, int64_t deadline_us);

/** As otter_stream_read(), over TLS. */
esp_err_t stream_read_tls(otter_stream_t *stream, void *dst, size_t len, size_t *got, int64_t deadline_us);

/** As otter_stream_is_idle(), over TLS. */
bool stream_is_tls_idle(otter_stream_t *stream);
