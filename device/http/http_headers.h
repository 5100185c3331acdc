/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file http_headers.h
 * @brief A list of HTTP headers that owns its texts. All zero is an empty one. Names ignore letter case.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "esp_err.h"
#include "otter/otter_http.h"

/** Headers, in the order in which they were added. */
typedef struct http_headers {
    otter_http_header_t *items; /**< count of them, owned. */
    size_t count;
    size_t size; /**< Allocated items. */
} http_headers_t;

/**
 * Adds a header behind the others, even if one with that name exists.
 *
 * @return ESP_OK; ESP_ERR_INVALID_ARG if the name is no token or the value has a control character; ESP_ERR_NO_MEM
 */
esp_err_t http_headers_add(http_headers_t *headers, const char *name, const char *value);

/** Replaces every header of that name by this one; the codes of http_headers_add(), upon which nothing changes. */
esp_err_t http_headers_set(http_headers_t *headers, const char *name, const char *value);

/** Value of the first header of that name, NULL if there is none; valid until it is set or removed. */
const char *http_headers_get(const http_headers_t *headers, const char *name);

/** Removes every header of that name. */
void http_headers_remove(http_headers_t *headers, const char *name);

/** Removes all headers and releases the memory. */
void http_headers_clear(http_headers_t *headers);
