/* SPDX-License-Identifier: Apache-2.0 */
#include "device/https_ota/https_ota.h"

#include <stdlib.h>
#include <string.h>

#include "esp_log.h"

static const char *const TAG = HTTPS_OTA_TAG;

/* What a handle may do in each state. */
static const struct rule {
    esp_err_t (*perform)(https_ota_t *ota); /* NULL: refused. */
    bool begun;                             /* Belongs to a caller, who may look at it, finish and abort it. */
    bool counts;                            /* Has a count of bytes written. */
    bool switches;                          /* Finishing it changes what boots next. */
} rules[HTTPS_OTA_STATES] = {
    [HTTPS_OTA_INIT] = {0},
    [HTTPS_OTA_BEGIN] = {.perform = https_ota_write_first, .begun = true},
    [HTTPS_OTA_IN_PROGRESS] = {.perform = https_ota_write_next, .begun = true, .counts = true},
    [HTTPS_OTA_SUCCESS] = {.begun = true, .counts = true, .switches = true},
    [HTTPS_OTA_RESUME] = {.perform = https_ota_write_on, .begun = true, .counts = true},
};

esp_err_t https_ota_fail(https_ota_t *ota, esp_err_t error)
{
    ota->failure = error;
    return error;
}

/* Frees all that an update owns but its slot, which was ended or aborted before. */
static void release(https_ota_t *ota)
{
    download_end(&ota->download);
    if (ota->stage.ops != NULL) {
        ota->stage.ops->close(ota->stage.self);
    }
    if (ota->client != NULL) {
        esp_http_client_cleanup(ota->client);
    }
    https_ota_drop_held(ota);
    free(ota->buffer);
    free(ota);
}

esp_err_t esp_https_ota_begin(const esp_https_ota_config_t *ota_config, esp_https_ota_handle_t *handle)
{
    https_ota_post(ESP_HTTPS_OTA_START, NULL, 0);
    if (handle != NULL) {
        *handle = NULL;
    }
    if (handle == NULL || ota_config == NULL || ota_config->http_config == NULL) {
        ESP_LOGE(TAG, "no configuration, or no place for the handle");
        return ESP_ERR_INVALID_ARG;
    }
    esp_err_t err = https_ota_check_config(ota_config);
    if (err != ESP_OK) {
        return err;
    }
    https_ota_t *ota = calloc(1, sizeof(*ota));
    if (ota == NULL) {
        return ESP_ERR_NO_MEM;
    }
    err = https_ota_set_up(ota, ota_config);
    if (err != ESP_OK) {
        release(ota);
        return err;
    }
    *handle = ota;
    return ESP_OK;
}

esp_err_t esp_https_ota_perform(esp_https_ota_handle_t https_ota_handle)
{
    https_ota_t *ota = https_ota_handle;
    if (ota == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    if (ota->failure != ESP_OK) {
        return ota->failure;
    }
    if (rules[ota->state].perform == NULL) {
        ESP_LOGE(TAG, "nothing left to download");
        return ESP_FAIL;
    }
    esp_err_t err = rules[ota->state].perform(ota);
    bool goes_on = err == ESP_OK || err == ESP_ERR_HTTPS_OTA_IN_PROGRESS;
    return goes_on ? err : https_ota_fail(ota, err);
}

bool esp_https_ota_is_complete_data_received(esp_https_ota_handle_t https_ota_handle)
{
    const https_ota_t *ota = https_ota_handle;
    return ota != NULL && ota->download.ended;
}

/* Makes the verified image the next one to boot, wherever it is now. Only slots are chosen: factory boots by itself. */
static esp_err_t switch_over(const https_ota_t *ota)
{
    if (ota->final->type != ESP_PARTITION_TYPE_APP) {
        return ESP_OK;
    }
    const esp_partition_t *slot = ota->copy ? ota->final : ota->staging;
    esp_partition_subtype_t subtype = ota->final->subtype;
    bool is_slot = subtype >= ESP_PARTITION_SUBTYPE_APP_OTA_MIN && subtype < ESP_PARTITION_SUBTYPE_APP_OTA_MAX;
    esp_err_t err = is_slot ? esp_ota_set_boot_partition(slot) : ESP_OK;
    if (err != ESP_OK) {
        ESP_LOGE(TAG, "the next boot could not be set to %s: %s", slot->label, esp_err_to_name(err));
        return err;
    }
    https_ota_post(ESP_HTTPS_OTA_UPDATE_BOOT_PARTITION, &subtype, sizeof(subtype));
    return ESP_OK;
}

/* Images are verified, so an incomplete one is found out. Nothing else may end up anywhere before it is complete. */
static esp_err_t end_slot(https_ota_t *ota)
{
    if (!ota->slot_open) {
        return ESP_OK;
    }
    if (ota->state == HTTPS_OTA_SUCCESS) {
        esp_err_t err = esp_ota_end(ota->slot);
        if (err != ESP_OK) { /* What does not verify is not to be gone on with. */
            https_ota_progress_drop(&ota->progress);
        }
        return err;
    }
    if (https_ota_is_image(ota) && !ota->copy) {
        return esp_ota_end(ota->slot);
    }
    (void)esp_ota_abort(ota->slot);
    ESP_LOGE(TAG, "%s was not received to its end", ota->final->label);
    return ota->failure != ESP_OK ? ota->failure : ESP_FAIL;
}

esp_err_t esp_https_ota_finish(esp_https_ota_handle_t https_ota_handle)
{
    https_ota_t *ota = https_ota_handle;
    if (ota == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    if (!rules[ota->state].begun) {
        return ESP_FAIL;
    }
    esp_err_t err = end_slot(ota);
    if (err == ESP_OK) {
        err = ota->failure;
    }
    if (err == ESP_OK && rules[ota->state].switches) {
        err = switch_over(ota);
    }
    release(ota);
    https_ota_post(ESP_HTTPS_OTA_FINISH, NULL, 0);
    return err;
}

esp_err_t esp_https_ota_abort(esp_https_ota_handle_t https_ota_handle)
{
    https_ota_post(ESP_HTTPS_OTA_ABORT, NULL, 0);
    https_ota_t *ota = https_ota_handle;
    if (ota == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    if (!rules[ota->state].begun) {
        return ESP_FAIL;
    }
    esp_err_t err = ota->slot_open ? esp_ota_abort(ota->slot) : ESP_OK;
    release(ota);
    return err;
}

esp_err_t esp_https_ota(const esp_https_ota_config_t *ota_config)
{
    if (ota_config == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    if (ota_config->ota_resumption) {
        ESP_LOGE(TAG, "ota_resumption is for step by step updates: this one goes on by itself");
        return ESP_ERR_NOT_SUPPORTED;
    }
    esp_https_ota_handle_t handle = NULL;
    esp_err_t err = esp_https_ota_begin(ota_config, &handle);
    if (err != ESP_OK) {
        return err;
    }
    do {
        err = esp_https_ota_perform(handle);
    } while (err == ESP_ERR_HTTPS_OTA_IN_PROGRESS);
    if (err != ESP_OK) {
        esp_https_ota_abort(handle);
        return err;
    }
    return esp_https_ota_finish(handle);
}

/* A descriptor that an image may have behind its headers. */
struct desc_kind {
    uint8_t magic[4]; /* As it lies in the image. */
    size_t magic_len;
    size_t len;
    const char *name;
};

static const struct desc_kind app_desc = {{0x32, 0x54, 0xCD, 0xAB}, 4, sizeof(esp_app_desc_t), "app"};
static const struct desc_kind bootloader_desc = {
    {ESP_BOOTLOADER_DESC_MAGIC_BYTE}, 1, sizeof(esp_bootloader_desc_t), "bootloader"};

static esp_err_t get_desc(https_ota_t *ota, const struct desc_kind *kind, void *desc)
{
    https_ota_post(ESP_HTTPS_OTA_GET_IMG_DESC, NULL, 0);
    if (ota == NULL || desc == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    if (!rules[ota->state].begun) {
        return ESP_ERR_INVALID_STATE;
    }
    esp_err_t err = https_ota_prefetch(ota);
    if (err != ESP_OK) {
        return err;
    }
    const uint8_t *found = ota->head + HTTPS_OTA_DESC_OFF;
    if (memcmp(found, kind->magic, kind->magic_len) != 0) {
        ESP_LOGE(TAG, "Incorrect %s descriptor magic: the server sent %s", kind->name, https_ota_name_head(ota));
        return ESP_FAIL;
    }
    memcpy(desc, found, kind->len);
    return ESP_OK;
}

esp_err_t esp_https_ota_get_img_desc(esp_https_ota_handle_t https_ota_handle, esp_app_desc_t *new_app_info)
{
    return get_desc(https_ota_handle, &app_desc, new_app_info);
}

esp_err_t esp_https_ota_get_bootloader_img_desc(esp_https_ota_handle_t https_ota_handle,
                                                esp_bootloader_desc_t *new_img_info)
{
    return get_desc(https_ota_handle, &bootloader_desc, new_img_info);
}

int esp_https_ota_get_image_len_read(esp_https_ota_handle_t https_ota_handle)
{
    const https_ota_t *ota = https_ota_handle;
    bool counts = ota != NULL && (rules[ota->state].counts || ota->download.restarts > 0);
    return counts ? (int)ota->written : -1;
}

int esp_https_ota_get_status_code(esp_https_ota_handle_t https_ota_handle)
{
    const https_ota_t *ota = https_ota_handle;
    return ota != NULL ? esp_http_client_get_status_code(ota->client) : -1;
}

int esp_https_ota_get_image_size(esp_https_ota_handle_t https_ota_handle)
{
    const https_ota_t *ota = https_ota_handle;
    return ota != NULL && rules[ota->state].begun ? (int)ota->image_len : -1;
}

esp_err_t otter_download_get_progress(void *https_ota_handle, otter_download_progress_t *progress)
{
    const https_ota_t *ota = https_ota_handle;
    if (ota == NULL || progress == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    download_describe(&ota->download, progress);
    return ESP_OK;
}
