/* SPDX-License-Identifier: Apache-2.0 */
/* Where in the image an update begins. */
#include <string.h>

#include "device/https_ota/https_ota.h"
#include "esp_log.h"

static const char *const TAG = HTTPS_OTA_TAG;

/* An application that keeps count of less than this has nothing worth going on with, as in ESP-IDF. */
#define RESUME_BYTES_MIN 1024

/* What is in the slot is judged as if it came from the server just now. */
static esp_err_t judge_slot(https_ota_t *ota)
{
    if (!https_ota_is_image(ota)) {
        return ESP_OK;
    }
    esp_err_t err = esp_partition_read(ota->staging, 0, ota->head, sizeof(ota->head));
    if (err == ESP_OK) {
        err = https_ota_check_head(ota);
    }
    ota->head_known = err == ESP_OK;
    return err;
}

static bool can_begin_at(https_ota_t *ota, size_t image_off)
{
    if (image_off < RESUME_BYTES_MIN) {
        return false;
    }
    if (image_off > ota->staging->size) {
        ESP_LOGW(TAG, "%s has not room for the %zu bytes that are said to be there", ota->staging->label, image_off);
        return false;
    }
    esp_err_t err = judge_slot(ota);
    if (err != ESP_OK) {
        ESP_LOGW(TAG, "what is in %s is not to be gone on with: %s", ota->staging->label, esp_err_to_name(err));
    }
    return err == ESP_OK;
}

/* The application kept count itself. */
static void begin_where_told(https_ota_t *ota, const esp_https_ota_config_t *config, download_config_t *download)
{
    download->probe = !config->partial_http_download;
    if (can_begin_at(ota, config->ota_image_bytes_written)) {
        ota->written = (uint32_t)config->ota_image_bytes_written;
        download->offset = ota->written;
    }
}

esp_err_t https_ota_find_start(https_ota_t *ota, const esp_https_ota_config_t *config, download_config_t *download)
{
    if (config->ota_resumption) {
        begin_where_told(ota, config, download);
    }
    return ESP_OK;
}
