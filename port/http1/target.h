/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file target.h
 * @brief What a URL says about where to connect and what to ask for. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "esp_err.h"
#include "otter/otter_stream.h"

#define HTTP1_ORIGIN_BYTES (OTTER_STREAM_HOST_BYTES + 8) /**< Room for "[host]:65535". */

/** Where an exchange goes. */
typedef struct http1_target {
    bool tls;
    uint16_t port;
    char host[OTTER_STREAM_HOST_BYTES]; /**< As a stream wants it: an IPv6 address without brackets. */
    const char *path; /**< Path and query in the URL, as they are there; may be without a '/' first. */
    size_t path_len;
} http1_target_t;

/**
 * Takes a URL apart.
 *
 * @param url     NUL-terminated; must last as long as path is used
 * @param target  filled
 * @return ESP_OK; ESP_ERR_HTTP_INVALID_TRANSPORT for a scheme other than http and https; ESP_ERR_HTTP_CONNECT if it is
 *         malformed: blanks or control characters, user name or password (they belong in a header), no host, a strange
 *         or very long one, a port that is no number from 1 to 65535
 */
esp_err_t http1_target_parse(const char *url, http1_target_t *target);

/** Says whether one connection serves both: same scheme, host and port. */
bool http1_target_same_server(const http1_target_t *a, const http1_target_t *b);

/** Writes "host:port", for people. @p text has HTTP1_ORIGIN_BYTES. */
void http1_target_origin(const http1_target_t *target, char *text);

/** Writes the value of Host: brackets where they belong, no port if it is the scheme's. @p text as above. */
void http1_target_host_header(const http1_target_t *target, char *text);
