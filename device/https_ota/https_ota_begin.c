/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "device/https_ota/https_ota.h"
#include "esp_log.h"
#include "otter/otter_device.h"

static const char *const TAG = HTTPS_OTA_TAG;

static bool verifies_server(const esp_http_client_config_t *http)
{
    return http->cert_pem != NULL || http->use_global_ca_store || http->crt_bundle_attach != NULL;
}

static bool allows_http(void)
{
    return otter_device_get()->config.allow_http;
}

/* Text for the first thing asked for that this version cannot do, or NULL. */
static const char *find_unsupported(const esp_https_ota_config_t *config)
{
    if (config->ota_resumption) {
        return "ota_resumption";
    }
    if (config->partial_http_download) {
        return "partial_http_download";
    }
    if (config->decrypt_cb != NULL) {
        return "decrypt_cb";
    }
    return NULL;
}

esp_err_t https_ota_check_config(const esp_https_ota_config_t *config)
{
    if (!verifies_server(config->http_config) && !allows_http()) {
        ESP_LOGE(TAG, "no way to verify the server: set cert_pem, use_global_ca_store or crt_bundle_attach");
        return ESP_ERR_INVALID_ARG;
    }
    const char *unsupported = find_unsupported(config);
    if (unsupported != NULL) {
        ESP_LOGE(TAG, "%s is not supported", unsupported);
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
    /* Only now: the callback may have set another URL. */
    if (esp_http_client_get_transport_type(ota->client) != HTTP_TRANSPORT_OVER_SSL && !allows_http()) {
        ESP_LOGE(TAG, "refusing firmware over plain HTTP: use an https URL");
        return ESP_ERR_INVALID_ARG;
    }
    return ESP_OK;
}

static esp_err_t choose_slot(https_ota_t *ota, const esp_https_ota_config_t *config)
{
    const esp_partition_t *asked = config->partition.staging;
    ota->staging = asked != NULL ? esp_partition_verify(asked) : esp_ota_get_next_update_partition(NULL);
    if (ota->staging == NULL) {
        ESP_LOGE(TAG, "%s", asked != NULL ? "no such staging partition" : "Passive OTA partition not found");
        return ESP_FAIL;
    }
    if (ota->staging->type != ESP_PARTITION_TYPE_APP) {
        ESP_LOGE(TAG, "staging in %s is not supported: it is no app slot", ota->staging->label);
        return ESP_ERR_NOT_SUPPORTED;
    }
    const esp_partition_t *final = config->partition.final;
    if (final != NULL && final != asked && esp_partition_verify(final) != ota->staging) {
        ESP_LOGE(TAG, "a final partition other than the staging one is not supported");
        return ESP_ERR_NOT_SUPPORTED;
    }
    return ESP_OK;
}

static esp_err_t check_size(const https_ota_t *ota)
{
    if (ota->image_len <= (int64_t)ota->staging->size) {
        return ESP_OK;
    }
    ESP_LOGE(TAG, "the server announces %lld bytes, and %s holds %lu", (long long)ota->image_len, ota->staging->label,
             (unsigned long)ota->staging->size);
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

esp_err_t https_ota_set_up(https_ota_t *ota, const esp_https_ota_config_t *config)
{
    esp_err_t err = make_client(ota, config);
    if (err != ESP_OK) {
        return err;
    }
    err = https_ota_connect(ota);
    if (err != ESP_OK) {
        return err;
    }
    ota->image_len = esp_http_client_get_content_length(ota->client);
    https_ota_post(ESP_HTTPS_OTA_CONNECTED, NULL, 0);
    err = choose_slot(ota, config);
    if (err != ESP_OK) {
        return err;
    }
    err = check_size(ota);
    if (err != ESP_OK) {
        return err;
    }
    ota->bulk_erase = config->bulk_flash_erase;
    err = make_buffer(ota, config->http_config->buffer_size);
    if (err != ESP_OK) {
        return err;
    }
    ota->state = HTTPS_OTA_BEGIN;
    return ESP_OK;
}
