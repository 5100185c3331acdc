/* SPDX-License-Identifier: Apache-2.0 */
#include "device/encrypted_img/encrypted_stage.h"

#include <stdlib.h>

#include "device/encrypted_img/decrypter.h"
#include "esp_log.h"

static const char *const TAG = "esp_encrypted_img";

_Static_assert(ENCRYPTED_STAGE_HEAD_BYTES == ENCRYPTED_HEADER_BYTES, "the stage's head is the header");

/* Says what went wrong, unless it was the sink's, or said before. */
static esp_err_t say(const decrypter_t *d, esp_err_t before, esp_err_t err)
{
    if (err != ESP_OK && before == ESP_OK) {
        ESP_LOGE(TAG, "%s (%s)", decrypter_why(d), esp_err_to_name(err));
    }
    return err;
}

static esp_err_t feed(void *self, const uint8_t *bytes, size_t len, https_ota_sink_t sink, void *arg)
{
    decrypter_t *d = self;
    esp_err_t before = d->failure;
    return say(d, before, decrypter_feed(d, bytes, len, sink, arg));
}

static esp_err_t finish(void *self)
{
    decrypter_t *d = self;
    esp_err_t before = d->failure;
    return say(d, before, decrypter_finish(d));
}

static esp_err_t restart(void *self)
{
    decrypter_restart(self);
    return ESP_OK;
}

static esp_err_t read_partition(void *arg, uint32_t off, uint8_t *dst, size_t len)
{
    return esp_partition_read(arg, off, dst, len);
}

static esp_err_t resume(void *self, const uint8_t *head, const esp_partition_t *partition, uint32_t image_off,
                        uint32_t *file_off)
{
    *file_off = ENCRYPTED_HEADER_BYTES + image_off;
    return say(self, ESP_OK, decrypter_resume(self, head, image_off, read_partition, (void *)(uintptr_t)partition));
}

static void close(void *self)
{
    decrypter_close(self);
    free(self);
}

static const https_ota_stage_ops_t ops = {
    .head_bytes = ENCRYPTED_HEADER_BYTES,
    .feed = feed,
    .finish = finish,
    .restart = restart,
    .resume = resume,
    .close = close,
};

static esp_err_t open_key(decrypter_t *d, const otter_decrypt_config_t *config, char *reason)
{
    return config->key_pem != NULL ? decrypter_open(d, config->key_pem, config->key_pem_len, reason)
                                   : decrypter_open_derived(d, config->hmac_key, reason);
}

esp_err_t encrypted_stage_open(const otter_decrypt_config_t *config, https_ota_stage_t *stage)
{
    char reason[OTTER_DECRYPT_REASON_BYTES];
    *stage = (https_ota_stage_t){0};
    if (config == NULL || (config->key_pem == NULL) == (config->hmac_key == NULL)) {
        ESP_LOGE(TAG, "decrypt_user_ctx names no key, or two");
        return ESP_ERR_INVALID_ARG;
    }
    decrypter_t *d = malloc(sizeof(*d));
    if (d == NULL) {
        return ESP_ERR_NO_MEM;
    }
    esp_err_t err = open_key(d, config, reason);
    if (err != ESP_OK) {
        ESP_LOGE(TAG, "the key to decrypt with is refused: %s", reason);
        free(d);
        return err;
    }
    *stage = (https_ota_stage_t){.ops = &ops, .self = d};
    return ESP_OK;
}

esp_err_t otter_decrypt_image(decrypt_cb_arg_t *args, void *user_ctx)
{
    (void)args;
    (void)user_ctx;
    ESP_LOGE(TAG, "otter_decrypt_image is a value for esp_https_ota_config_t, not to be called");
    return ESP_ERR_NOT_SUPPORTED;
}
