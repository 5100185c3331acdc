/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes of the file, through the stage, to bytes of the image. */
#include <stdlib.h>
#include <string.h>

#include "device/https_ota/https_ota.h"
#include "esp_log.h"

static const char *const TAG = HTTPS_OTA_TAG;

/* ---- the image's side ---- */

static esp_err_t make_room(https_ota_t *ota, size_t len)
{
    if (len > HTTPS_OTA_HELD_BYTES_MAX - ota->held_len) {
        ESP_LOGE(TAG, "more than %d bytes of image came out of the first bytes of the file", HTTPS_OTA_HELD_BYTES_MAX);
        return ESP_ERR_INVALID_SIZE;
    }
    if (ota->held_len + len <= ota->held_size) {
        return ESP_OK;
    }
    uint8_t *larger = realloc(ota->held, ota->held_len + len);
    if (larger == NULL) {
        return ESP_ERR_NO_MEM;
    }
    ota->held = larger;
    ota->held_size = ota->held_len + len;
    return ESP_OK;
}

static void note_head(https_ota_t *ota)
{
    if (ota->held_len >= sizeof(ota->head)) {
        memcpy(ota->head, ota->held, sizeof(ota->head));
        ota->head_known = true;
    }
}

static esp_err_t hold(https_ota_t *ota, const uint8_t *bytes, size_t len)
{
    esp_err_t err = make_room(ota, len);
    if (err != ESP_OK) {
        return err;
    }
    memcpy(ota->held + ota->held_len, bytes, len);
    ota->held_len += len;
    note_head(ota);
    return ESP_OK;
}

esp_err_t https_ota_take(void *arg, const uint8_t *bytes, size_t len)
{
    https_ota_t *ota = arg;
    if (len == 0) {
        return ESP_OK;
    }
    return ota->slot_open ? https_ota_write(ota, bytes, len) : hold(ota, bytes, len);
}

void https_ota_drop_held(https_ota_t *ota)
{
    free(ota->held);
    ota->held = NULL;
    ota->held_len = 0;
    ota->held_size = 0;
}

/* ---- the file's side ---- */

static esp_err_t feed(https_ota_t *ota, size_t len)
{
    const https_ota_stage_t *stage = &ota->stage;
    ota->fed += (int64_t)len;
    esp_err_t err = stage->ops == NULL ? https_ota_take(ota, ota->buffer, len)
                                       : stage->ops->feed(stage->self, ota->buffer, len, https_ota_take, ota);
    return err == ESP_OK ? ESP_ERR_HTTPS_OTA_IN_PROGRESS : err;
}

static esp_err_t finish(https_ota_t *ota)
{
    const https_ota_stage_t *stage = &ota->stage;
    esp_err_t err = stage->ops == NULL ? ESP_OK : stage->ops->finish(stage->self);
    if (err != ESP_OK) { /* What is not genuine is not to be gone on with. */
        https_ota_progress_drop(&ota->progress);
    }
    return err;
}

static esp_err_t start_over(https_ota_t *ota)
{
    esp_err_t err = https_ota_start_over(ota);
    return err == ESP_OK ? ESP_ERR_HTTPS_OTA_IN_PROGRESS : err;
}

esp_err_t https_ota_pull(https_ota_t *ota, size_t most)
{
    size_t got;
    switch (download_read(&ota->download, ota->buffer, most, &got)) {
    case DOWNLOAD_BYTES:
        return feed(ota, got);
    case DOWNLOAD_WAITING:
        return ESP_ERR_HTTPS_OTA_IN_PROGRESS;
    case DOWNLOAD_RESTARTED:
        return start_over(ota);
    case DOWNLOAD_END:
        return finish(ota);
    case DOWNLOAD_FAILED:
    default:
        return ota->download.failure;
    }
}

/* The first bytes come in one piece of a known size, so that the first write is one, too. */
static esp_err_t pull_first(https_ota_t *ota)
{
    size_t partly = (size_t)(ota->fed % HTTPS_OTA_PREFETCH_BYTES);
    return https_ota_pull(ota, HTTPS_OTA_PREFETCH_BYTES - partly);
}

static bool has_head(const https_ota_t *ota)
{
    return ota->head_known && (ota->state != HTTPS_OTA_BEGIN || ota->fed >= HTTPS_OTA_PREFETCH_BYTES);
}

esp_err_t https_ota_prefetch_some(https_ota_t *ota)
{
    if (has_head(ota)) {
        return ESP_OK;
    }
    esp_err_t err = pull_first(ota);
    if (err == ESP_OK) {
        ESP_LOGE(TAG, "a file with an image has at least %d bytes, and %lld came", HTTPS_OTA_PREFETCH_BYTES,
                 (long long)ota->fed);
        return ESP_FAIL;
    }
    return err == ESP_ERR_HTTPS_OTA_IN_PROGRESS && has_head(ota) ? ESP_OK : err;
}

esp_err_t https_ota_prefetch(https_ota_t *ota)
{
    if (ota->failure != ESP_OK && !has_head(ota)) {
        return ota->failure;
    }
    esp_err_t err;
    do {
        err = https_ota_prefetch_some(ota);
    } while (err == ESP_ERR_HTTPS_OTA_IN_PROGRESS);
    return err == ESP_OK ? err : https_ota_fail(ota, err);
}
