/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "device/https_ota/https_ota.h"
#include "esp_log.h"
#include "otter/otter_device.h"
#include "otter/otter_os.h"

static const char *const TAG = HTTPS_OTA_TAG;

/* Only waiting in reads counts: an application that pauses between two calls is not a silent server. */
static esp_err_t note_silence(https_ota_t *ota, int64_t since_us)
{
    ota->waited_us += otter_now_us() - since_us;
    uint32_t limit_ms = otter_device_get()->config.download.stall_ms;
    if (ota->waited_us < (int64_t)limit_ms * 1000) {
        return ESP_ERR_HTTPS_OTA_IN_PROGRESS;
    }
    ESP_LOGE(TAG, "no byte from the server for %lld ms: giving up", (long long)(ota->waited_us / 1000));
    return ESP_ERR_TIMEOUT;
}

esp_err_t https_ota_read(https_ota_t *ota, uint8_t *dst, size_t len, size_t *got)
{
    *got = 0;
    int64_t since_us = otter_now_us();
    int n = esp_http_client_read(ota->client, (char *)dst, (int)len);
    if (n > 0) {
        *got = (size_t)n;
        ota->waited_us = 0;
        return ESP_OK;
    }
    if (n == -ESP_ERR_HTTP_EAGAIN) {
        return note_silence(ota, since_us);
    }
    if (n < 0 || !esp_http_client_is_complete_data_received(ota->client)) {
        ESP_LOGE(TAG, "Connection closed before complete data was received");
        return ESP_FAIL;
    }
    return ESP_OK;
}

/* One read towards a full head. ESP_ERR_HTTPS_OTA_IN_PROGRESS: not there yet. */
static esp_err_t prefetch_some(https_ota_t *ota)
{
    size_t got;
    esp_err_t err =
        https_ota_read(ota, ota->buffer + ota->prefetched, HTTPS_OTA_PREFETCH_BYTES - ota->prefetched, &got);
    if (err != ESP_OK) {
        return err;
    }
    if (got == 0) {
        ESP_LOGE(TAG, "an image has at least %d bytes, and %u came", HTTPS_OTA_PREFETCH_BYTES,
                 (unsigned)ota->prefetched);
        return ESP_FAIL;
    }
    ota->prefetched += got;
    return ota->prefetched == HTTPS_OTA_PREFETCH_BYTES ? ESP_OK : ESP_ERR_HTTPS_OTA_IN_PROGRESS;
}

esp_err_t https_ota_prefetch(https_ota_t *ota)
{
    if (ota->head_known) {
        return ESP_OK;
    }
    if (ota->failure != ESP_OK) {
        return ota->failure;
    }
    esp_err_t err;
    do {
        err = prefetch_some(ota);
    } while (err == ESP_ERR_HTTPS_OTA_IN_PROGRESS);
    if (err != ESP_OK) {
        return https_ota_fail(ota, err);
    }
    memcpy(ota->head, ota->buffer, sizeof(ota->head));
    ota->head_known = true;
    return ESP_OK;
}
