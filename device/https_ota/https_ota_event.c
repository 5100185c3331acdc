/* SPDX-License-Identifier: Apache-2.0 */
#include "device/https_ota/https_ota.h"
#include "esp_log.h"
#include "freertos/FreeRTOS.h"
#include "otter/otter_device.h"

ESP_EVENT_DEFINE_BASE(ESP_HTTPS_OTA_EVENT);

static TickType_t post_timeout(void)
{
    int32_t timeout_ms = otter_device_get()->config.event_post_timeout_ms;
    return timeout_ms < 0 ? portMAX_DELAY : pdMS_TO_TICKS((uint32_t)timeout_ms);
}

void https_ota_post(esp_https_ota_event_t id, const void *data, size_t len)
{
    esp_err_t err = esp_event_post(ESP_HTTPS_OTA_EVENT, (int32_t)id, data, len, post_timeout());
    if (err != ESP_OK && err != ESP_ERR_INVALID_STATE) { /* Without an event loop nobody listens. */
        ESP_LOGE(HTTPS_OTA_TAG, "event %d was not posted: %s", (int)id, esp_err_to_name(err));
    }
}
