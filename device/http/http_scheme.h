/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file http_scheme.h
 * @brief The schemes of URLs that a client takes, and what each of them means for trust. The port serves all or some.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "device/http/http_url.h"
#include "esp_err.h"

/** A scheme. */
typedef struct http_scheme {
    const char *name;      /**< In small letters. */
    uint16_t default_port; /**< 0: it has no ports, nor hosts. */
    bool is_protected;     /**< The server is verified, and nobody reads along. */
    bool is_http;          /**< Speaks HTTP: has a Host header, challenges, redirects. */
} http_scheme_t;

/** The scheme of that name, letter case aside; NULL: none that is known, or the piece is absent. */
const http_scheme_t *http_find_scheme(http_span_t name);

/** It is the one that reads files of this machine. */
bool http_is_file_scheme(const http_scheme_t *scheme);

/**
 * Says whether a server reached by one scheme may send its clients to a URL of another.
 *
 * @return ESP_OK; ESP_ERR_HTTP_REDIRECT_DOWNGRADE from a protected one to an unprotected one;
 *         ESP_ERR_HTTP_INVALID_TRANSPORT to one that is not HTTP (or NULL): a server does not choose what is read of
 *         this machine, or of others in its network
 */
esp_err_t http_judge_redirect(const http_scheme_t *from, const http_scheme_t *to);
