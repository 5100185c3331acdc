/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file http_curl.h
 * @brief What the files of this port share: the client, its transports, and how curl is driven.
 *
 * http_curl.c       the contract: life of a client, choice of the transport
 * http_exchange.c   http, https
 * ftp_exchange.c    ftp, ftps, ftpes
 * file_exchange.c   file, without curl
 * drive.c           curl in pull mode, for the two that use it
 * request_options.c options of the easy handle
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include <curl/curl.h>

#include "otter/otter_http.h"
#include "port/http_curl/response_head.h"

/** How exchanges of one scheme are done. */
typedef struct http_curl_transport {
    const char *prefix;    /**< What its URLs begin with, "https://". */
    bool tls;              /**< The server is verified. */
    const char *curl_name; /**< The scheme that curl is given instead; NULL: no curl. */
    /** As otter_http_open(). The origin is set, the exchange is cleared, and head has the caller's callback. */
    esp_err_t (*open)(otter_http_t *http, const otter_http_request_t *request, int64_t deadline_us,
                      otter_http_response_t *response);
    /** As otter_http_read(), with an exchange open. */
    esp_err_t (*read)(otter_http_t *http, void *dst, size_t len, size_t *got, int64_t deadline_us);
} http_curl_transport_t;

/** A client. The easy handle is configured anew for each exchange; its connection lives in the multi handle. */
struct otter_http {
    otter_http_config_t config;
    char *ca_pem; /**< config.tls.ca_pem converted from DER, owned; NULL: it was PEM. */
    CURLM *multi;
    CURL *easy;

    struct curl_slist *headers;    /**< Of the open exchange. */
    struct curl_slist *connect_to; /**< Likewise. */
    char origin[300];              /**< "host:port", for error texts; "": not known. */
    bool has_body;                 /**< The answer may have a body (not HEAD). */
    response_head_t head;

    const http_curl_transport_t *transport; /**< Of the open exchange; NULL: none is open. */
    bool attached;                          /**< The easy handle is in the multi handle. */
    bool connected;                         /**< A connection carries the exchange. */
    bool done;                              /**< curl is through with it; result says how. */
    bool paused;                            /**< curl holds a piece of body that found no room. */
    CURLcode result;

    uint8_t *dst;   /**< Where body bytes go; NULL between reads. */
    size_t room;    /**< Bytes left there. */
    size_t filled;  /**< Bytes written there. */
    uint8_t *spill; /**< The end of a piece that did not fit the last read, one piece at most. */
    size_t spill_size;
    size_t spill_off;
    size_t spill_len;

    curl_socket_t ftp_control; /**< Of the FTP connection that may be idle in the pool; CURL_SOCKET_BAD: none. */
    bool ftp_ranges;           /**< The server knows REST. */
    int64_t ftp_left;          /**< Bytes of body to come; -1: not known. */
    int64_t deadline_us;       /**< Of the call that drives curl. */

    int file;              /**< Of a file exchange; -1: none. */
    struct stat file_stat; /**< As it was when it was opened. */
    int64_t file_off;      /**< Where the next read begins. */
    int64_t file_left;     /**< Bytes of body to come. */

    char curl_error[CURL_ERROR_SIZE];
    char error[CURL_ERROR_SIZE + 400];
};

/* ---- http_curl.c ---- */

/** Writes the text that otter_http_error() gives: "host:port: " and what the format says. */
void http_curl_set_error(otter_http_t *http, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* ---- http_exchange.c, ftp_exchange.c, file_exchange.c: see http_curl_transport ---- */

esp_err_t http_curl_http_open(otter_http_t *http, const otter_http_request_t *request, int64_t deadline_us,
                              otter_http_response_t *response);
esp_err_t http_curl_http_read(otter_http_t *http, void *dst, size_t len, size_t *got, int64_t deadline_us);
esp_err_t http_curl_ftp_open(otter_http_t *http, const otter_http_request_t *request, int64_t deadline_us,
                             otter_http_response_t *response);
esp_err_t http_curl_ftp_read(otter_http_t *http, void *dst, size_t len, size_t *got, int64_t deadline_us);
esp_err_t http_curl_file_open(otter_http_t *http, const otter_http_request_t *request, int64_t deadline_us,
                              otter_http_response_t *response);
esp_err_t http_curl_file_read(otter_http_t *http, void *dst, size_t len, size_t *got, int64_t deadline_us);

/** Ends an FTP connection that may be idle in the pool without waiting for the server's goodbye. */
void http_curl_ftp_hang_up(otter_http_t *http);

/** Closes the file of a file exchange, if one is open. */
void http_curl_file_close(otter_http_t *http);

/* ---- drive.c ---- */

/** What curl calls with the line of a response head: feeds it to the head. A CURLOPT_HEADERFUNCTION. */
size_t http_curl_take_head_line(char *line, size_t one, size_t len, void *arg);

/**
 * Starts what the easy handle's options say; body bytes go to reads.
 *
 * @param on_head_line  a CURLOPT_HEADERFUNCTION, gets the client
 * @return ESP_OK; ESP_ERR_NO_MEM, with the error text set
 */
esp_err_t http_curl_attach(otter_http_t *http, curl_write_callback on_head_line);

/** Takes the easy handle back, whatever it was doing. A transfer that is not at its end loses its connection. */
void http_curl_detach(otter_http_t *http);

/** Runs curl until what is awaited is there or curl is done; false if the deadline passed first. */
bool http_curl_run_until(otter_http_t *http, bool (*is_there)(const otter_http_t *http), int64_t deadline_us);

/**
 * Reads body bytes. Does not say how the body ended.
 *
 * @return false: the deadline passed. True and *got 0: curl is done, result says how
 */
bool http_curl_pull(otter_http_t *http, void *dst, size_t len, size_t *got, int64_t deadline_us);

/** Makes curl's last error the client's error text, without anybody's password. */
void http_curl_explain(otter_http_t *http);

/** What a failed connection or handshake is: sets response->refused, and the text if a proxy is to blame. */
void http_curl_judge_connect(otter_http_t *http, otter_http_response_t *response);

/** Says whether a result means that the connection ended before the body did. */
bool http_curl_ended_early(CURLcode code);

/* ---- request_options.c ---- */

/**
 * Says whether the client's TLS material can be used, and converts it where curl wants it otherwise.
 *
 * @return false if a certificate is neither PEM nor DER, or memory is short
 */
bool http_curl_prepare_tls(otter_http_t *http);

/**
 * Sets the options of connection, TLS and URL; and for http and https method and headers. All others are as new.
 *
 * @return ESP_OK; ESP_ERR_HTTP_CONNECT for a malformed URL, or with TLS when nothing is trusted; ESP_ERR_NO_MEM. The
 *         error text is set.
 */
esp_err_t http_curl_set_options(otter_http_t *http, const otter_http_request_t *request);

/** Releases what set_options made for the exchange. */
void http_curl_drop_options(otter_http_t *http);
