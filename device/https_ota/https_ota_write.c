/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "device/https_ota/https_ota.h"
#include "esp_efuse.h"
#include "esp_log.h"

static const char *const TAG = HTTPS_OTA_TAG;

static esp_err_t check_magic(const https_ota_t *ota)
{
    if (ota->head[0] == ESP_IMAGE_HEADER_MAGIC) {
        return ESP_OK;
    }
    ESP_LOGE(TAG, "not an app image (first byte 0x%02x): the server sent %s", ota->head[0],
             https_ota_sniff(ota->head, sizeof(ota->head)));
    return ESP_ERR_OTA_VALIDATE_FAILED;
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

/* Everything that the head alone tells. */
static esp_err_t check_head(const https_ota_t *ota)
{
    esp_err_t err = check_magic(ota);
    if (err != ESP_OK) {
        return err;
    }
    esp_image_header_t header;
    memcpy(&header, ota->head, sizeof(header));
    https_ota_post(ESP_HTTPS_OTA_VERIFY_CHIP_ID, &header.chip_id, sizeof(header.chip_id));
    uint16_t revision = header.min_chip_rev_full;
    https_ota_post(ESP_HTTPS_OTA_VERIFY_CHIP_REVISION, &revision, sizeof(revision));
    esp_app_desc_t desc;
    memcpy(&desc, ota->head + HTTPS_OTA_DESC_OFF, sizeof(desc));
    err = esp_ota_check_image_validity(ota->staging->type, &header, &desc);
    if (err != ESP_OK) {
        return err;
    }
    if (desc.magic_word != ESP_APP_DESC_MAGIC_WORD) {
        ESP_LOGE(TAG, "the image has no app descriptor: is it a bootloader?");
        return ESP_ERR_OTA_VALIDATE_FAILED;
    }
    return check_floor(&desc);
}

static size_t erase_size(const https_ota_t *ota)
{
    if (!ota->bulk_erase) {
        return OTA_WITH_SEQUENTIAL_WRITES;
    }
    return ota->image_len > 0 ? (size_t)ota->image_len : OTA_SIZE_UNKNOWN;
}

static esp_err_t open_slot(https_ota_t *ota)
{
    esp_err_t err = esp_ota_begin(ota->staging, erase_size(ota), &ota->slot);
    if (err != ESP_OK) {
        ESP_LOGE(TAG, "esp_ota_begin failed (%s)", esp_err_to_name(err));
        return err;
    }
    ota->slot_open = true;
    return ESP_OK;
}

/* Writes the first @p len bytes of the buffer. ESP_ERR_HTTPS_OTA_IN_PROGRESS on success. */
static esp_err_t write_buffer(https_ota_t *ota, size_t len)
{
    esp_err_t err = esp_ota_write(ota->slot, ota->buffer, len);
    if (err == ESP_OK) {
        ota->written += (uint32_t)len;
    }
    int written = (int)ota->written;
    https_ota_post(ESP_HTTPS_OTA_WRITE_FLASH, &written, sizeof(written));
    if (err != ESP_OK) {
        ESP_LOGE(TAG, "writing %u bytes at %d of %s, which holds %lu, failed: %s", (unsigned)len, written,
                 ota->staging->label, (unsigned long)ota->staging->size, esp_err_to_name(err));
        return err;
    }
    return ESP_ERR_HTTPS_OTA_IN_PROGRESS;
}

esp_err_t https_ota_write_first(https_ota_t *ota)
{
    esp_err_t err = https_ota_prefetch(ota);
    if (err != ESP_OK) {
        return err;
    }
    err = check_head(ota);
    if (err != ESP_OK) {
        return err;
    }
    err = open_slot(ota);
    if (err != ESP_OK) {
        return err;
    }
    ota->state = HTTPS_OTA_IN_PROGRESS;
    return write_buffer(ota, ota->prefetched);
}

esp_err_t https_ota_write_next(https_ota_t *ota)
{
    size_t got;
    esp_err_t err = https_ota_read(ota, ota->buffer, ota->buffer_len, &got);
    if (err != ESP_OK) {
        return err;
    }
    if (got == 0) {
        ota->state = HTTPS_OTA_SUCCESS;
        return ESP_OK;
    }
    return write_buffer(ota, got);
}
