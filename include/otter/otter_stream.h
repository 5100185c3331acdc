/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file otter_stream.h
 * @brief Porting contract: one byte stream to a server, over TCP, with or without TLS.
 *
 * open - write and read - close. It is what port/http1 stands on: a board brings this (its TCP/IP stack and TLS
 * library) and has otter_http.h; port/stream_openssl is the one for Linux.
 *
 * Nothing here blocks for longer than a deadline says. A function that has one may wait: it polls the network until
 * something comes, and on bare metal lets other tasks run meanwhile. A deadline that has passed already means: what can
 * be done without waiting. Deadlines are on the clock of otter_now_us(); OTTER_FOREVER is one.
 *
 * A stream holds no more than one connection at a time and nothing it has to grow: a port may give each
 * otter_stream_new() a piece of static memory, and otter_stream_new() NULL when that is taken. What its TLS library
 * allocates is between the two.
 *
 * One implementation a binary, chosen by the build. A stream belongs to one task.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "esp_err.h"
#include "otter/otter_http.h"

#ifdef __cplusplus
extern "C" {
#endif

#define OTTER_STREAM_HOST_BYTES 256 /**< Room for a host name of any legal length, terminator included. */

typedef struct otter_stream otter_stream_t; /**< A stream: closed, or connected to one server. */

/** What a stream is made with. Buffers and strings stay the caller's and outlive the stream. */
typedef struct otter_stream_config {
    otter_http_tls_t tls;          /**< How a server is verified; what ALPN offers if NULL: nothing. */
    bool tcp_keep_alive;           /**< Send TCP keep-alive probes. */
    int tcp_keep_alive_idle_s;     /**< Seconds before the first probe, at least 1. */
    int tcp_keep_alive_interval_s; /**< Seconds between probes, at least 1. */
    int tcp_keep_alive_count;      /**< Unanswered probes before the connection is given up, at least 1. */
    const char *if_name;           /**< Network interface to use; NULL: any. */
    int ip_version;                /**< 4 or 6: only addresses of that IP version; 0: any. */
} otter_stream_config_t;

/**
 * Makes a stream; nothing is sent.
 *
 * @param config  copied; what it points to is not
 * @return the stream, closed; NULL if memory is short or the CA certificate is neither PEM nor DER. What else is
 *         wrong with TLS material, otter_stream_open() reports.
 */
otter_stream_t *otter_stream_new(const otter_stream_config_t *config);

/**
 * Connects: looks the name up, tries its addresses (IPv4 and IPv6) until one answers, and with TLS shakes hands and
 * verifies the server as the configuration says, before it returns.
 *
 * With TLS, the name that is asked for (SNI) and looked for in the certificate is tls.common_name, else @p host; an IP
 * address is looked for among the certificate's IP addresses and not sent as a name. Where nothing is trusted
 * (no ca_pem, not use_system_ca, not insecure), nothing is sent and the open fails. A port may resume an earlier TLS
 * session with the same host and port.
 *
 * @param stream       a closed stream; an open one is closed first
 * @param host         host name or IP address, an IPv6 address without brackets; shorter than OTTER_STREAM_HOST_BYTES
 * @param port         TCP port
 * @param tls          true: TLS; false: the bytes as they are
 * @param deadline_us  for all of it
 * @return ESP_OK; ESP_ERR_TIMEOUT; ESP_ERR_NO_MEM; ESP_ERR_NOT_ALLOWED if trying again changes nothing: the server is
 *         not who it has to be, or refused us for our certificate, or nothing is trusted, or TLS material is unusable;
 *         ESP_FAIL if the name is unknown, nobody listens, or the handshake failed otherwise. After an error the stream
 *         is closed.
 */
esp_err_t otter_stream_open(otter_stream_t *stream, const char *host, uint16_t port, bool tls, int64_t deadline_us);

/**
 * Sends bytes, all of them. They need not have arrived when it returns.
 *
 * @param src          the bytes
 * @param len          their number; 0 sends nothing
 * @param deadline_us  for all of them
 * @return ESP_OK; ESP_ERR_TIMEOUT; ESP_ERR_NOT_ALLOWED if the server refused us for our certificate (with TLS 1.3 it
 *         does so after the handshake); ESP_FAIL if the connection is broken or closed. After an error some of the bytes
 *         may have been sent: the stream may still be read, but nothing sensible can be written to it any more.
 */
esp_err_t otter_stream_write(otter_stream_t *stream, const void *src, size_t len, int64_t deadline_us);

/**
 * Reads bytes: as soon as there is at least one, those that are there.
 *
 * @param dst          destination
 * @param len          its size in bytes, at least 1
 * @param got          gets the number of bytes written, 0 unless ESP_OK. 0 with ESP_OK: the other side has ended its
 *                     bytes in good order, which with TLS takes a close_notify alert, without it TCP's FIN.
 *                     Neither such an end nor a broken connection is anything else at the next call.
 * @param deadline_us  for the first byte
 * @return ESP_OK; ESP_ERR_TIMEOUT, nothing lost, may be called again; ESP_ERR_NOT_ALLOWED as for otter_stream_write();
 *         ESP_FAIL if the connection is broken (reset, a TLS alert, TLS that ends without close_notify: somebody may have
 *         cut it) or the stream is closed
 */
esp_err_t otter_stream_read(otter_stream_t *stream, void *dst, size_t len, size_t *got, int64_t deadline_us);

/**
 * Says whether an open stream that owes the caller nothing can be used for something new: the other side has neither
 * closed it nor sent anything unasked. Does not wait. What TLS has to say to itself (session tickets) is not counted.
 *
 * @return false too for a closed stream. True is a guess: the other side may be closing it right now.
 */
bool otter_stream_is_idle(otter_stream_t *stream);

/** Closes the connection, with TLS's farewell if that can be sent without waiting. A closed stream is left alone. */
void otter_stream_close(otter_stream_t *stream);

/**
 * What went wrong last, for people: one line, without host and port. Owned by the stream, valid until its next call.
 * Never NULL; empty if nothing did.
 */
const char *otter_stream_error(const otter_stream_t *stream);

/** Closes and releases a stream; NULL is left alone. */
void otter_stream_free(otter_stream_t *stream);

#ifdef __cplusplus
}
#endif
