/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file http_challenge.h
 * @brief Taking a WWW-Authenticate header apart (RFC 9110, 11.6.1). Pure functions of untrusted text.
 */
#pragma once

#include <stddef.h>

#include "device/http/http_url.h"
#include "esp_err.h"

#define HTTP_CHALLENGE_MAX_PARAMS 16 /**< Parameters of one challenge; one with more is malformed. */

/** A parameter of a challenge. */
typedef struct http_auth_param {
    http_span_t name;
    http_span_t value; /**< As it stands there: with its quotes, if it has them. */
} http_auth_param_t;

/** A challenge. Its pieces point into the header's value. */
typedef struct http_challenge {
    http_span_t scheme;  /**< "Basic", "Digest", ... */
    http_span_t token68; /**< What stands there instead of parameters; absent: nothing does. */
    http_auth_param_t params[HTTP_CHALLENGE_MAX_PARAMS];
    size_t param_count;
} http_challenge_t;

/**
 * Takes the next challenge from a header's value, which is a list of them.
 *
 * @param at         where to go on; begins at the value's first character; moved behind the challenge
 * @param challenge  filled with ESP_OK
 * @return ESP_OK; ESP_ERR_NOT_FOUND at the end; ESP_ERR_INVALID_ARG if the value is malformed from here on: nothing after
 *         that can be told apart
 */
esp_err_t http_next_challenge(const char **at, http_challenge_t *challenge);

/**
 * Copies a parameter's value, without quotes and escapes.
 *
 * @param name  letter case does not matter
 * @param dst   gets the value, NUL-terminated; empty after an error
 * @param size  its size in bytes, at least 1
 * @return ESP_OK; ESP_ERR_NOT_FOUND if there is no such parameter; ESP_ERR_INVALID_SIZE if it does not fit
 */
esp_err_t http_get_challenge_param(const http_challenge_t *challenge, const char *name, char *dst, size_t size);
