/* SPDX-License-Identifier: Apache-2.0 */
/* The stage around an application's decrypt_cb. What it decrypts, and whether that was whole, only the application knows. */
#include <stdlib.h>

#include "device/https_ota/https_ota.h"
#include "esp_log.h"

static const char *const TAG = HTTPS_OTA_TAG;

typedef struct decrypt {
    decrypt_cb_t callback;
    void *user_ctx;
    bool fed;
} decrypt_t;

static esp_err_t feed(void *self, const uint8_t *bytes, size_t len, https_ota_sink_t sink, void *arg)
{
    decrypt_t *decrypt = self;
    decrypt_cb_arg_t args = {.data_in = (const char *)bytes, .data_in_len = len};
    decrypt->fed = true;
    https_ota_post(ESP_HTTPS_OTA_DECRYPT_CB, NULL, 0);
    esp_err_t err = decrypt->callback(&args, decrypt->user_ctx);
    if (err != ESP_OK) { /* What it allocated is still its own, and ESP-IDF's example has freed it. */
        ESP_LOGE(TAG, "decrypt_cb answered %s", esp_err_to_name(err));
        return err;
    }
    if (args.data_out != NULL && args.data_out_len > 0) { /* It may keep bytes until more come. */
        err = sink(arg, (const uint8_t *)args.data_out, args.data_out_len);
    }
    free(args.data_out);
    return err;
}

/* The callback is not told of the end. */
static esp_err_t finish(void *self)
{
    (void)self;
    return ESP_OK;
}

/* Nor of a start over. */
static esp_err_t restart(void *self)
{
    const decrypt_t *decrypt = self;
    return decrypt->fed ? ESP_ERR_NOT_SUPPORTED : ESP_OK;
}

static esp_err_t resume(void *self, const uint8_t *head, const esp_partition_t *partition, uint32_t image_off,
                        uint32_t *file_off)
{
    (void)self;
    (void)head;
    (void)partition;
    (void)image_off;
    (void)file_off;
    return ESP_ERR_NOT_SUPPORTED;
}

static void close(void *self)
{
    free(self);
}

static const https_ota_stage_ops_t ops = {
    .feed = feed,
    .finish = finish,
    .restart = restart,
    .resume = resume,
    .close = close,
};

esp_err_t https_ota_open_decrypt_cb(decrypt_cb_t decrypt, void *user_ctx, https_ota_stage_t *stage)
{
    *stage = (https_ota_stage_t){0};
    decrypt_t *self = calloc(1, sizeof(*self));
    if (self == NULL) {
        return ESP_ERR_NO_MEM;
    }
    *self = (decrypt_t){.callback = decrypt, .user_ctx = user_ctx};
    *stage = (https_ota_stage_t){.ops = &ops, .self = self};
    return ESP_OK;
}
