/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "device/encrypted_img/encrypted_stage.h"
#include "device/http/http_internal.h"
#include "device/https_ota/https_ota.h"
#include "esp_log.h"
#include "otter/otter_device.h"
#include "otter/otter_encrypted.h"

static const char *const TAG = HTTPS_OTA_TAG;

static bool verifies_server(const esp_http_client_config_t *http)
{
    return http->cert_pem != NULL || http->use_global_ca_store || http->crt_bundle_attach != NULL;
}

static bool allows_http(void)
{
    return otter_device_get()->config.allow_http;
}

/* A file of this machine has no server to verify; the device says whether it reads any. */
static bool reads_file(const esp_http_client_config_t *http)
{
    const char *url = http->url != NULL ? http->url : "";
    const http_scheme_t *scheme = http_find_scheme((http_span_t){url, strcspn(url, ":")});
    return scheme != NULL && http_is_file_scheme(scheme) && otter_device_get()->config.allow_file;
}

/* Text for what is asked for and cannot be done together, or NULL. */
static const char *find_unsupported(const esp_https_ota_config_t *config)
{
    if (config->ota_resumption && config->decrypt_cb != NULL) {
        return "ota_resumption with decrypt_cb: where the callback would go on is not known";
    }
    return NULL;
}

esp_err_t https_ota_check_config(const esp_https_ota_config_t *config)
{
    if (!verifies_server(config->http_config) && !allows_http() && !reads_file(config->http_config)) {
        ESP_LOGE(TAG, "no way to verify the server: set cert_pem, use_global_ca_store or crt_bundle_attach");
        return ESP_ERR_INVALID_ARG;
    }
    const char *unsupported = find_unsupported(config);
    if (unsupported != NULL) {
        ESP_LOGE(TAG, "not supported: %s", unsupported);
        return ESP_ERR_NOT_SUPPORTED;
    }
    return ESP_OK;
}

/* Only now: the callback may have set another URL, another method. */
static esp_err_t check_client(const https_ota_t *ota, const esp_https_ota_config_t *config)
{
    const http_scheme_t *scheme = http_get_scheme(ota->client);
    if (!scheme->is_protected && !http_is_file_scheme(scheme) && !allows_http()) {
        ESP_LOGE(TAG, "refusing firmware over plain %s: use an https URL", scheme->name);
        return ESP_ERR_INVALID_ARG;
    }
    char *body = NULL;
    bool posts =
        config->http_config->method == HTTP_METHOD_POST || esp_http_client_get_post_field(ota->client, &body) > 0;
    if (posts && (config->partial_http_download || config->ota_resumption)) {
        ESP_LOGE(TAG, "not supported: parts of the answer to a POST");
        return ESP_ERR_NOT_SUPPORTED;
    }
    return ESP_OK;
}

static esp_err_t make_client(https_ota_t *ota, const esp_https_ota_config_t *config)
{
    ota->client = esp_http_client_init(config->http_config);
    if (ota->client == NULL) {
        ESP_LOGE(TAG, "Failed to initialise HTTP connection");
        return ESP_FAIL;
    }
    esp_err_t err = config->http_client_init_cb != NULL ? config->http_client_init_cb(ota->client) : ESP_OK;
    if (err != ESP_OK) {
        ESP_LOGE(TAG, "http_client_init_cb answered %s", esp_err_to_name(err));
        return err;
    }
    return check_client(ota, config);
}

/* What is written, and where it ends up. Whether that may be overwritten is for esp_ota_begin() to say. */
static esp_err_t choose_partitions(https_ota_t *ota, const esp_https_ota_config_t *config)
{
    const esp_partition_t *staging = config->partition.staging;
    const esp_partition_t *final = config->partition.final;
    ota->staging = staging != NULL ? esp_partition_verify(staging) : esp_ota_get_next_update_partition(NULL);
    if (ota->staging == NULL) {
        ESP_LOGE(TAG, "%s", staging != NULL ? "no such staging partition" : "Passive OTA partition not found");
        return ESP_FAIL;
    }
    ota->final = final != NULL ? esp_partition_verify(final) : ota->staging;
    if (ota->final == NULL) {
        ESP_LOGE(TAG, "no such final partition");
        return ESP_FAIL;
    }
    ota->copy = config->partition.finalize_with_copy && ota->final != ota->staging;
    return ESP_OK;
}

/* What turns the file into the image. */
static esp_err_t open_stage(https_ota_t *ota, const esp_https_ota_config_t *config)
{
    if (config->decrypt_cb == NULL) {
        return ESP_OK;
    }
    if (config->decrypt_cb == otter_decrypt_image) {
        ota->head_len = ENCRYPTED_STAGE_HEAD_BYTES;
        return encrypted_stage_open(config->decrypt_user_ctx, &ota->stage);
    }
    ota->head_len = config->enc_img_header_size;
    return https_ota_open_decrypt_cb(config->decrypt_cb, config->decrypt_user_ctx, &ota->stage);
}

static uint32_t room_for(const https_ota_t *ota)
{
    uint32_t room = ota->staging->size;
    return ota->copy && ota->final->size < room ? ota->final->size : room;
}

esp_err_t https_ota_check_size(https_ota_t *ota)
{
    int64_t total = ota->download.file.total;
    ota->image_len = total < 0 ? -1 : total - ota->head_len;
    if (total >= 0 && ota->image_len < 0) {
        ESP_LOGE(TAG, "a file of %lld bytes has no room for its header of %lu", (long long)total,
                 (unsigned long)ota->head_len);
        return ESP_ERR_INVALID_SIZE;
    }
    if (ota->image_len <= (int64_t)room_for(ota)) {
        return ESP_OK;
    }
    ESP_LOGE(TAG, "the server announces %lld bytes, and %s holds %lu", (long long)ota->image_len,
             ota->copy ? ota->final->label : ota->staging->label, (unsigned long)room_for(ota));
    return ESP_ERR_INVALID_SIZE;
}

static esp_err_t make_buffer(https_ota_t *ota, int asked_bytes)
{
    ota->buffer_len = asked_bytes > 0 ? (size_t)asked_bytes : HTTPS_OTA_BUFFER_BYTES;
    if (ota->buffer_len < HTTPS_OTA_PREFETCH_BYTES) {
        ota->buffer_len = HTTPS_OTA_PREFETCH_BYTES;
    }
    ota->buffer = malloc(ota->buffer_len);
    return ota->buffer != NULL ? ESP_OK : ESP_ERR_NO_MEM;
}

static uint32_t request_len(const esp_https_ota_config_t *config)
{
    if (!config->partial_http_download) {
        return 0;
    }
    return config->max_http_request_size > 0 ? (uint32_t)config->max_http_request_size : HTTPS_OTA_REQUEST_BYTES;
}

static esp_err_t begin_download(https_ota_t *ota, const esp_https_ota_config_t *config)
{
    download_config_t download = {.client = ota->client, .request_len = request_len(config), .total = -1};
    https_ota_find_start(ota, config, &download);
    esp_err_t err = download_begin(&ota->download, &download);
    if (err != ESP_OK) {
        return err;
    }
    https_ota_post(ESP_HTTPS_OTA_CONNECTED, NULL, 0);
    /* Otherwise what is in the slot is no part of what comes. */
    return ota->download.offset == 0 ? https_ota_start_over(ota) : https_ota_check_size(ota);
}

esp_err_t https_ota_set_up(https_ota_t *ota, const esp_https_ota_config_t *config)
{
    ota->bulk_erase = config->bulk_flash_erase;
    esp_err_t err = make_client(ota, config);
    if (err == ESP_OK) {
        err = choose_partitions(ota, config);
    }
    if (err == ESP_OK) {
        err = open_stage(ota, config);
    }
    if (err == ESP_OK) {
        err = make_buffer(ota, config->http_config->buffer_size);
    }
    if (err == ESP_OK) {
        err = begin_download(ota, config);
    }
    if (err == ESP_OK) {
        ota->state = ota->written > 0 ? HTTPS_OTA_RESUME : HTTPS_OTA_BEGIN;
    }
    return err;
}
