/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file http_curl.h
 * @brief What the files of this port share: the client, and the options of a request.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <curl/curl.h>

#include "otter/otter_http.h"
#include "port/http_curl/response_head.h"

/** A client. The easy handle is configured anew for each exchange; its connection lives in the multi handle. */
struct otter_http {
    otter_http_config_t config;
    char *ca_pem; /**< config.tls.ca_pem converted from DER, owned; NULL: it was PEM. */
    CURLM *multi;
    CURL *easy;

    struct curl_slist *headers;    /**< Of the open exchange. */
    struct curl_slist *connect_to; /**< Likewise. */
    char origin[300];              /**< "host:port", for error texts. */
    bool has_body;                 /**< The answer may have a body (not HEAD). */
    response_head_t head;

    bool open;      /**< The easy handle is in the multi handle. */
    bool connected; /**< A connection carries the exchange. */
    bool done;      /**< curl is through with it; result says how. */
    bool paused;    /**< curl holds a piece of body that found no room. */
    CURLcode result;

    uint8_t *dst;   /**< Where body bytes go; NULL between reads. */
    size_t room;    /**< Bytes left there. */
    size_t filled;  /**< Bytes written there. */
    uint8_t *spill; /**< The end of a piece that did not fit the last read, one piece at most. */
    size_t spill_size;
    size_t spill_off;
    size_t spill_len;

    char curl_error[CURL_ERROR_SIZE];
    char error[CURL_ERROR_SIZE + 400];
};

/** Writes the text that otter_http_error() gives: "host:port: " and what the format says. */
void http_curl_set_error(otter_http_t *http, const char *format, ...) __attribute__((format(printf, 2, 3)));

/**
 * Says whether the client's TLS material can be used, and converts it where curl wants it otherwise.
 *
 * @return false if a certificate is neither PEM nor DER, or memory is short
 */
bool http_curl_prepare_tls(otter_http_t *http);

/**
 * Sets every option of the easy handle for a request.
 *
 * @return ESP_OK; ESP_ERR_HTTP_INVALID_TRANSPORT for a scheme other than http and https; ESP_ERR_HTTP_CONNECT for a
 *         malformed URL, or for https when nothing is trusted; ESP_ERR_NO_MEM. The error text is set.
 */
esp_err_t http_curl_set_options(otter_http_t *http, const otter_http_request_t *request);

/** Releases what set_options made for the exchange. */
void http_curl_drop_options(otter_http_t *http);
