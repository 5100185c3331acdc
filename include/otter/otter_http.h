/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file otter_http.h
 * @brief Porting contract: one HTTP exchange, in pull mode.
 *
 * open (request, then wait for the headers) - read - close. A port never follows a redirect,
 * answers a 401, retries, resumes or decodes a content coding: all that exists once, in
 * device/http. It does undo the transfer coding (chunked). The connection of a closed exchange may
 * be kept and used by the next open to the same host.
 *
 * A port serves at least http and https. It may serve others behind the same contract, and answers as an HTTP server
 * would: GET and HEAD (405 otherwise), Range and If-Range; 200, 206, 404, 416; Content-Length, Content-Range and
 * Last-Modified.
 * A user name and password travel as Authorization: Basic everywhere; a login that fails is a 401 with a Basic challenge.
 *
 * | Scheme | What | Default port | Verified |
 * |---|---|---|---|
 * | http | plain HTTP | 80 | no |
 * | https | HTTP over TLS | 443 | yes |
 * | ftp | plain FTP, passive mode | 21 | no |
 * | ftps | FTP over TLS from the first byte (implicit), control and data | 990 | yes |
 * | ftpes | FTP that must change to TLS before the login (explicit, AUTH TLS), control and data | 21 | yes |
 * | file | a regular file of this machine; host empty or localhost | none | no |
 *
 * Which of them a device may use is not decided here.
 *
 * One implementation a binary, chosen by the build. A client belongs to one task.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "esp_err.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct otter_http otter_http_t; /**< A client: one connection at most, one exchange at a time. */

/** How the server is verified and who we say we are. Buffers stay the caller's and outlive the client. */
typedef struct otter_http_tls {
    const char *ca_pem;          /**< Trusted CA certificates, PEM text or DER; NULL: see use_system_ca. */
    size_t ca_len;               /**< Bytes of ca_pem; 0: NUL-terminated PEM. */
    bool use_system_ca;          /**< Trust the platform's CA store. If false and ca_pem is NULL, nothing is trusted. */
    bool insecure;               /**< Do not verify the server at all. Only where policy allows it. */
    bool skip_common_name_check; /**< Verify the chain but not the host name. */
    const char *common_name;     /**< Expected name instead of the URL's host; NULL: the URL's host. */
    const char *client_cert_pem; /**< Client certificate; NULL: none. */
    size_t client_cert_len;      /**< Bytes; 0: NUL-terminated PEM. */
    const char *client_key_pem;  /**< Its key; NULL: none. */
    size_t client_key_len;       /**< Bytes; 0: NUL-terminated PEM. */
    const char *client_key_password; /**< Password of the key; NULL: none. */
    const char *const *alpn_protos;  /**< NULL-terminated list of protocols to offer; NULL: the port's choice. */
    int tls_version;                 /**< 0: 1.2 or newer; 12: only 1.2; 13: only 1.3. */
} otter_http_tls_t;

/** What a client is made with. */
typedef struct otter_http_config {
    otter_http_tls_t tls;
    bool tcp_keep_alive;           /**< Send TCP keep-alive probes. */
    int tcp_keep_alive_idle_s;     /**< Seconds before the first probe; 0: 5. */
    int tcp_keep_alive_interval_s; /**< Seconds between probes; 0: 5. */
    int tcp_keep_alive_count;      /**< Unanswered probes before the connection is given up; 0: 3. */
    const char *if_name;           /**< Network interface to use; NULL: any. */
    int ip_version;                /**< 4 or 6: only addresses of that IP version; 0: any. */
    /**
     * Proxy, "http://[name:password@]host:port"; "": none; NULL: what the environment says (http_proxy, https_proxy, ...,
     * all_proxy, no_proxy), if the platform has one. Used for every host. TLS goes through it by CONNECT, end to end. A
     * port without proxies fails each open with ESP_ERR_HTTP_CONNECT if one is given here. Stays the caller's, outlives
     * the client.
     */
    const char *proxy;
} otter_http_config_t;

/** A header of a request. */
typedef struct otter_http_header {
    const char *name;
    const char *value;
} otter_http_header_t;

/** A request. Everything stays the caller's and must last until open returns. */
typedef struct otter_http_request {
    const char *method; /**< "GET", "HEAD", "POST", ... */
    const char *url;    /**< Absolute, of a scheme that the port serves. */
    const otter_http_header_t
        *headers; /**< Sent as they are; Host, Content-Length and Connection are the port's if absent. */
    size_t header_count;
    const void *body; /**< NULL: none. */
    size_t body_len;  /**< In bytes. */
} otter_http_request_t;

/** Called for each header of the final response, in order, as it arrives. Strings last for the call. */
typedef void (*otter_http_header_cb_t)(void *arg, const char *name, const char *value);

/** What the response headers said. */
typedef struct otter_http_response {
    int status; /**< 200, 206, 404, ... */
    int64_t
        content_length; /**< Bytes of body announced; -1: not announced (chunked, or until the connection closes). */
    bool chunked;       /**< Transfer-Encoding: chunked (HTTP/2's framing counts: the end is certain). */
    bool keep_alive;    /**< The connection can carry another exchange. */
    /** Filled when open fails: the server was reached, and is not who it has to be (certificate, name), or refused us for our
     * certificate. Trying again changes nothing. False if the port cannot tell. */
    bool refused;
} otter_http_response_t;

/**
 * Makes a client; nothing is sent.
 *
 * @param config  read during the call; what it points to must outlive the client
 * @return the client, or NULL if memory is short or TLS material cannot be used
 */
otter_http_t *otter_http_new(const otter_http_config_t *config);

/**
 * Connects if need be, sends a request, and waits for the response headers. A kept connection that turns out to be closed
 * before a byte of the response has come is replaced by a new one, once, and the request sent again; a port may leave that
 * to the caller where sending twice is not the same as sending once (POST).
 *
 * @param http         a client with no exchange open
 * @param request      the request
 * @param on_header    called for each response header; may be NULL
 * @param arg          handed to it
 * @param deadline_us  on the clock of otter_now_us()
 * @param response     filled on success
 * @return ESP_OK; ESP_ERR_HTTP_CONNECT if no connection or TLS session could be made (the server's
 *         certificate was refused, say); ESP_ERR_HTTP_WRITE_DATA if the request could not be sent;
 *         ESP_ERR_HTTP_FETCH_HEADER for a missing, malformed or oversized response head;
 *         ESP_ERR_HTTP_INVALID_TRANSPORT for a scheme that the port does not serve; ESP_ERR_TIMEOUT. otter_http_error()
 *         says more. After an error no exchange is open.
 */
esp_err_t otter_http_open(otter_http_t *http, const otter_http_request_t *request, otter_http_header_cb_t on_header,
                          void *arg, int64_t deadline_us, otter_http_response_t *response);

/**
 * Reads body bytes: at least one, unless the body is at its end, the deadline passes or the connection breaks.
 *
 * @param dst          destination
 * @param len          its size in bytes, at least 1
 * @param got          gets the number of bytes written; 0 with ESP_OK: the body is at its end, and complete
 *                     (as long as Content-Length said, the last chunk seen, or a close where only that ends it)
 * @param deadline_us  on the clock of otter_now_us()
 * @return ESP_OK; ESP_ERR_TIMEOUT, nothing lost, may be called again; ESP_ERR_HTTP_INCOMPLETE_DATA if the connection ended
 *         before the body did, or its chunks are malformed; ESP_FAIL for any other fault of the connection
 */
esp_err_t otter_http_read(otter_http_t *http, void *dst, size_t len, size_t *got, int64_t deadline_us);

/** Ends the exchange, whatever state it is in. A connection whose body was not read to its end is closed. */
void otter_http_close(otter_http_t *http);

/** Closes the connection too; the next open makes a new one. */
void otter_http_disconnect(otter_http_t *http);

/** What went wrong last, for people; static or owned by the client, valid until its next call. Never NULL. */
const char *otter_http_error(const otter_http_t *http);

/** Releases a client; NULL is left alone. */
void otter_http_free(otter_http_t *http);

#ifdef __cplusplus
}
#endif
