/* SPDX-License-Identifier: Apache-2.0 */
/* What the image's first bytes must say before anything is written. */
#include <string.h>

#include "device/https_ota/https_ota.h"
#include "esp_efuse.h"
#include "esp_log.h"

static const char *const TAG = HTTPS_OTA_TAG;

bool https_ota_is_image(const https_ota_t *ota)
{
    return ota->final->type == ESP_PARTITION_TYPE_APP || ota->final->type == ESP_PARTITION_TYPE_BOOTLOADER;
}

const char *https_ota_name_head(const https_ota_t *ota)
{
    if (ota->stage.ops != NULL) {
        return "no image, or one that is encrypted for another key";
    }
    return https_ota_sniff(ota->head, sizeof(ota->head));
}

static esp_err_t check_magic(const https_ota_t *ota)
{
    if (ota->head[0] == ESP_IMAGE_HEADER_MAGIC) {
        return ESP_OK;
    }
    ESP_LOGE(TAG, "not an app image (first byte 0x%02x): the server sent %s", ota->head[0], https_ota_name_head(ota));
    return ESP_ERR_OTA_VALIDATE_FAILED;
}

static esp_err_t check_chip(const https_ota_t *ota, const esp_app_desc_t *desc)
{
    esp_image_header_t header;
    memcpy(&header, ota->head, sizeof(header));
    https_ota_post(ESP_HTTPS_OTA_VERIFY_CHIP_ID, &header.chip_id, sizeof(header.chip_id));
    uint16_t revision = header.min_chip_rev_full;
    https_ota_post(ESP_HTTPS_OTA_VERIFY_CHIP_REVISION, &revision, sizeof(revision));
    return esp_ota_check_image_validity(ota->final->type, &header, desc);
}

/* Nothing is erased for an image that the bootloader would refuse. */
static esp_err_t check_floor(const esp_app_desc_t *desc)
{
    if (esp_efuse_check_secure_version(desc->secure_version)) {
        return ESP_OK;
    }
    ESP_LOGE(TAG, "the image's secure version, %lu, is below this device's, %lu", (unsigned long)desc->secure_version,
             (unsigned long)esp_efuse_read_secure_version());
    return ESP_ERR_OTA_SMALL_SEC_VER;
}

static esp_err_t check_app(const esp_app_desc_t *desc)
{
    if (desc->magic_word != ESP_APP_DESC_MAGIC_WORD) {
        ESP_LOGE(TAG, "the image has no app descriptor: is it a bootloader?");
        return ESP_ERR_OTA_VALIDATE_FAILED;
    }
    esp_err_t err = check_floor(desc);
    return err == ESP_OK ? https_ota_ask_policy(desc) : err;
}

esp_err_t https_ota_check_head(const https_ota_t *ota)
{
    bool app = ota->final->type == ESP_PARTITION_TYPE_APP;
    esp_app_desc_t desc;
    memcpy(&desc, ota->head + HTTPS_OTA_DESC_OFF, sizeof(desc));
    esp_err_t err = check_magic(ota);
    if (err == ESP_OK) {
        err = check_chip(ota, app ? &desc : NULL);
    }
    return err == ESP_OK && app ? check_app(&desc) : err;
}
