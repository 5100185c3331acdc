/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file esp_crt_bundle.h
 * @brief Trusts the platform's own CA store, where ESP-IDF trusts the certificate bundle in the firmware; or a bundle
 * that the application gives.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "esp_err.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * For esp_http_client_config_t.crt_bundle_attach: servers are verified against the bundle set by esp_crt_bundle_set(), or
 * else against the platform's CA store. Setting the field is all that it takes; calling this does nothing.
 *
 * @param conf  not used
 * @return ESP_OK
 */
esp_err_t esp_crt_bundle_attach(void *conf);

/** Does nothing: a bundle belongs to each client. */
void esp_crt_bundle_detach(void *conf);

/**
 * Sets the bundle for clients made from now on.
 *
 * @param x509_bundle  certificates in PEM (ESP-IDF's own format holds names and keys instead of certificates, and is not
 *                     taken); copied. NULL: the platform's CA store again
 * @param bundle_size  its bytes; a terminating NUL may be counted
 * @return ESP_OK; ESP_ERR_INVALID_ARG for anything but PEM: the bundle stays as it was; ESP_ERR_NO_MEM
 */
esp_err_t esp_crt_bundle_set(const uint8_t *x509_bundle, size_t bundle_size);

#ifdef __cplusplus
}
#endif
