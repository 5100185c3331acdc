/* SPDX-License-Identifier: Apache-2.0 */
#include "esp_crt_bundle.h"

esp_err_t esp_crt_bundle_attach(void *conf)
{
    (void)conf;
    return ESP_OK;
}
