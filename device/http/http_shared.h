/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file http_shared.h
 * @brief What the clients of a process share: CA store, certificate bundle, proxy. A client takes copies when it is made.
 */
#pragma once

#include <stddef.h>

#include "esp_err.h"

/** Which of the shared texts. */
typedef enum http_shared {
    HTTP_SHARED_CA_STORE, /**< esp_tls_set_global_ca_store(). */
    HTTP_SHARED_BUNDLE,   /**< esp_crt_bundle_set(). */
    HTTP_SHARED_PROXY,    /**< otter_http_set_proxy(). */
    HTTP_SHARED_MAX,
} http_shared_t;

/**
 * Copies one.
 *
 * @param copy  gets it, to be freed; NUL-terminated; NULL if it is not set
 * @param len   gets its bytes, terminator not counted; may be NULL
 * @return ESP_OK; ESP_ERR_NO_MEM
 */
esp_err_t http_copy_shared(http_shared_t which, char **copy, size_t *len);
