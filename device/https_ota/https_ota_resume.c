/* SPDX-License-Identifier: Apache-2.0 */
/* Where in the image an update begins. */
#include <string.h>

#include "device/http/http_internal.h"
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

/* ---- what an earlier start left ---- */

/* A record of progress is kept where the rest of the slot is nobody's, and where the file can be asked for from the middle. */
static bool keeps_record(const https_ota_t *ota, const esp_https_ota_config_t *config)
{
    otter_download_limits_t limits;
    otter_download_get_limits(&limits);
    bool slot = ota->staging->type == ESP_PARTITION_TYPE_APP && ota->final->type == ESP_PARTITION_TYPE_APP;
    bool plain_get = ota->client->method == HTTP_METHOD_GET && ota->client->post_len == 0;
    return limits.resume && !config->ota_resumption && slot && plain_get;
}

static bool is_of(const download_file_t *file, const https_ota_found_t *found)
{
    return file->total == found->file_len && strcmp(file->etag, found->etag) == 0;
}

static esp_err_t read_all(download_t *download, uint8_t *dst, size_t len)
{
    while (len > 0) {
        size_t got;
        download_step_t step = download_read(download, dst, len, &got);
        if (step != DOWNLOAD_BYTES && step != DOWNLOAD_WAITING) {
            return step == DOWNLOAD_FAILED ? download->failure : ESP_FAIL;
        }
        dst += got;
        len -= got;
    }
    return ESP_OK;
}

/* What a stage must see of the file's start to go on in its middle. ESP_ERR_NOT_FOUND: it is another file now. */
static esp_err_t fetch_file_head(https_ota_t *ota, const https_ota_found_t *found, uint8_t *head, uint32_t len)
{
    download_t download = {0};
    const download_config_t config = {
        .client = ota->client, .request_len = len, .total = found->file_len, .etag = found->etag};
    esp_err_t err = download_begin(&download, &config);
    if (err == ESP_OK && !is_of(&download.file, found)) {
        err = ESP_ERR_NOT_FOUND;
    }
    if (err == ESP_OK) {
        err = read_all(&download, head, len);
    }
    download_end(&download);
    return err;
}

static esp_err_t resume_stage(https_ota_t *ota, const https_ota_found_t *found, uint32_t *file_off)
{
    const https_ota_stage_t *stage = &ota->stage;
    uint8_t head[HTTPS_OTA_FILE_HEAD_BYTES_MAX];
    *file_off = found->image_len;
    if (stage->ops == NULL) {
        return ESP_OK;
    }
    if (stage->ops->head_bytes > sizeof(head)) {
        return ESP_ERR_NOT_SUPPORTED;
    }
    esp_err_t err = stage->ops->head_bytes > 0 ? fetch_file_head(ota, found, head, stage->ops->head_bytes) : ESP_OK;
    return err == ESP_OK ? stage->ops->resume(stage->self, head, ota->staging, found->image_len, file_off) : err;
}

static void begin_where_left(https_ota_t *ota, download_config_t *download)
{
    https_ota_found_t *found = &ota->found;
    if (!https_ota_progress_find(&ota->progress, ota->staging, ota->client->url, found)) {
        return;
    }
    uint32_t file_off = 0;
    if (found->head_len != ota->head_len || !can_begin_at(ota, found->image_len) ||
        resume_stage(ota, found, &file_off) != ESP_OK) {
        ESP_LOGW(TAG, "what is in %s does not help this update", ota->staging->label);
        return;
    }
    ESP_LOGI(TAG, "%s holds %lu bytes of an earlier download: asking the server for the rest", ota->staging->label,
             (unsigned long)found->image_len);
    ota->written = found->image_len;
    download->offset = file_off;
    download->total = found->file_len;
    download->etag = found->etag;
}

void https_ota_find_start(https_ota_t *ota, const esp_https_ota_config_t *config, download_config_t *download)
{
    ota->keeps_record = keeps_record(ota, config);
    if (config->ota_resumption) {
        begin_where_told(ota, config, download);
    } else if (ota->keeps_record) {
        begin_where_left(ota, download);
    }
}

/* ---- the record ---- */

void https_ota_record_start(https_ota_t *ota)
{
    const download_file_t *file = &ota->download.file;
    const https_ota_identity_t identity = {
        .url = ota->download.origin.url,
        .etag = file->etag[0] != '\0' ? file->etag : NULL,
        .file_len = file->total,
        .head_len = ota->head_len,
    };
    if (ota->keeps_record) {
        https_ota_progress_start(&ota->progress, ota->staging, &identity);
    }
}

void https_ota_record_resume(https_ota_t *ota)
{
    if (ota->keeps_record) {
        https_ota_progress_resume(&ota->progress);
    }
}
