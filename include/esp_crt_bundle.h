/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file esp_crt_bundle.h
 * @brief Trusts the platform's own CA store, where ESP-IDF trusts the certificate bundle in the firmware.
 */
#pragma once

#include "esp_err.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * For esp_http_client_config_t.crt_bundle_attach: servers are verified against the platform's CA store. Setting the
 * field is all that it takes; calling this does nothing.
 *
 * @param conf  not used
 * @return ESP_OK
 */
esp_err_t esp_crt_bundle_attach(void *conf);

#ifdef __cplusplus
}
#endif
