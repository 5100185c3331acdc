/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file exchange.h
 * @brief One exchange of the HTTP port, for tests of its transports.
 */
#pragma once

#include "esp_http_client.h"
#include "otter/otter_http.h"

#define EXCHANGE_LATER_MS 10000 /**< A deadline that is not meant to pass. */

/** A client, what it asks, and what came of it. */
typedef struct exchange {
    otter_http_t *http;
    const char *method; /**< NULL: GET. */
    const char *range;  /**< Range header; NULL: none. */
    const char *if_range;
    const char *authorization;
    otter_http_response_t response;
    char headers[2048]; /**< "Name: value\n" for each. */
    uint8_t *body;
    size_t body_len;
} exchange_t;

/** Makes the client; no proxy, whatever the environment says. */
void exchange_begin(exchange_t *x);

/** Opens a URL. */
esp_err_t exchange_open(exchange_t *x, const char *url, int ms);

/** Reads to the end of the body, in pieces of an odd size. */
esp_err_t exchange_read(exchange_t *x, int ms);

/** Opens, reads, and closes; both must succeed. */
void exchange_get(exchange_t *x, const char *url);

/** Fails the test unless the answer has this status, and this header line if it is not NULL. */
void exchange_expect(const exchange_t *x, int status, const char *header);

/** Fails the test unless the body is this. */
void exchange_expect_body(const exchange_t *x, const void *bytes, size_t len);

/** Frees all. */
void exchange_end(exchange_t *x);
