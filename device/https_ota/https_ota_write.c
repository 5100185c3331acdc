/* SPDX-License-Identifier: Apache-2.0 */
/* Opening the slot, writing, starting over. */
#include "device/https_ota/https_ota.h"
#include "esp_log.h"

static const char *const TAG = HTTPS_OTA_TAG;

static size_t erase_size(const https_ota_t *ota)
{
    if (!ota->bulk_erase) {
        return OTA_WITH_SEQUENTIAL_WRITES;
    }
    return ota->image_len > 0 ? (size_t)ota->image_len : OTA_SIZE_UNKNOWN;
}

static void close_slot(https_ota_t *ota)
{
    if (ota->slot_open) {
        (void)esp_ota_abort(ota->slot);
        ota->slot_open = false;
    }
}

/* Where the image belongs, once the operation on staging exists. */
static esp_err_t set_final(https_ota_t *ota, esp_err_t opened, const char *what)
{
    if (opened != ESP_OK) {
        ESP_LOGE(TAG, "%s failed (%s)", what, esp_err_to_name(opened));
        return opened;
    }
    ota->slot_open = true;
    esp_err_t err = ota->final == ota->staging ? ESP_OK : esp_ota_set_final_partition(ota->slot, ota->final, ota->copy);
    if (err != ESP_OK) {
        ESP_LOGE(TAG, "%s cannot be where it ends up: %s", ota->final->label, esp_err_to_name(err));
        close_slot(ota);
    }
    return err;
}

static esp_err_t open_slot(https_ota_t *ota)
{
    return set_final(ota, esp_ota_begin(ota->staging, erase_size(ota), &ota->slot), "esp_ota_begin");
}

/* What lies behind was not erased by this start: it is as it comes. */
static esp_err_t reopen_slot(https_ota_t *ota)
{
    return set_final(ota, esp_ota_resume(ota->staging, OTA_WITH_SEQUENTIAL_WRITES, ota->written, &ota->slot),
                     "esp_ota_resume");
}

esp_err_t https_ota_write(https_ota_t *ota, const uint8_t *bytes, size_t len)
{
    esp_err_t err = esp_ota_write(ota->slot, bytes, len);
    if (err == ESP_OK) {
        ota->written += (uint32_t)len;
        https_ota_progress_note(&ota->progress, bytes, len);
    }
    int written = (int)ota->written;
    https_ota_post(ESP_HTTPS_OTA_WRITE_FLASH, &written, sizeof(written));
    if (err != ESP_OK) {
        ESP_LOGE(TAG, "writing %u bytes at %d of %s, which holds %lu, failed: %s", (unsigned)len, written,
                 ota->staging->label, (unsigned long)ota->staging->size, esp_err_to_name(err));
    }
    return err;
}

static esp_err_t write_held(https_ota_t *ota)
{
    esp_err_t err = ota->held_len > 0 ? https_ota_write(ota, ota->held, ota->held_len) : ESP_OK;
    https_ota_drop_held(ota);
    return err == ESP_OK ? ESP_ERR_HTTPS_OTA_IN_PROGRESS : err;
}

static esp_err_t prove_head(https_ota_t *ota)
{
    if (!https_ota_is_image(ota)) {
        return ESP_OK;
    }
    esp_err_t err = https_ota_prefetch_some(ota);
    return err == ESP_OK ? https_ota_check_head(ota) : err;
}

esp_err_t https_ota_write_first(https_ota_t *ota)
{
    esp_err_t err = prove_head(ota);
    if (err == ESP_OK) {
        err = open_slot(ota);
    }
    if (err != ESP_OK) {
        return err;
    }
    https_ota_record_start(ota);
    ota->state = HTTPS_OTA_IN_PROGRESS;
    return write_held(ota);
}

esp_err_t https_ota_write_on(https_ota_t *ota)
{
    esp_err_t err = reopen_slot(ota);
    if (err != ESP_OK) {
        return err;
    }
    https_ota_record_resume(ota);
    ota->state = HTTPS_OTA_IN_PROGRESS;
    return https_ota_write_next(ota);
}

esp_err_t https_ota_write_next(https_ota_t *ota)
{
    esp_err_t err = https_ota_pull(ota, ota->buffer_len);
    if (err == ESP_OK) {
        ota->state = HTTPS_OTA_SUCCESS;
    }
    return err;
}

static esp_err_t restart_stage(const https_ota_t *ota)
{
    const https_ota_stage_t *stage = &ota->stage;
    esp_err_t err = stage->ops == NULL ? ESP_OK : stage->ops->restart(stage->self);
    if (err != ESP_OK) {
        ESP_LOGE(TAG, "the file has to start over, and its decryption cannot: %s", esp_err_to_name(err));
    }
    return err;
}

esp_err_t https_ota_start_over(https_ota_t *ota)
{
    close_slot(ota);
    https_ota_drop_held(ota);
    ota->written = 0;
    ota->fed = 0;
    ota->head_known = false;
    ota->state = HTTPS_OTA_BEGIN;
    esp_err_t err = restart_stage(ota);
    return err == ESP_OK ? https_ota_check_size(ota) : err;
}
