/* SPDX-License-Identifier: Apache-2.0 */
/* The API of ESP-IDF's component, over the decrypter. */
#include "esp_encrypted_img.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "device/encrypted_img/decrypter.h"
#include "esp_log.h"
#include "otter/otter_encrypted.h"
#include "otter/otter_os.h"

static const char *const TAG = "esp_encrypted_img";

typedef struct handle {
    decrypter_t decrypter;
    struct handle *next;
} handle_t;

/* Every handle that there is, so that one that was ended is noticed: ESP-IDF's example aborts it then. */
static struct {
    otter_mutex_t lock;
    handle_t *first;
    bool has_key[HMAC_KEY_MAX];
    uint8_t key[HMAC_KEY_MAX][OTTER_HMAC_KEY_BYTES];
} module;

/* ---- HMAC keys ---- */

static bool is_place(hmac_key_id_t id)
{
    return (unsigned)id < HMAC_KEY_MAX;
}

esp_err_t otter_encrypted_set_hmac_key(hmac_key_id_t id, const uint8_t *key)
{
    if (!is_place(id)) {
        return ESP_ERR_INVALID_ARG;
    }
    otter_mutex_lock(&module.lock);
    module.has_key[id] = key != NULL;
    if (key != NULL) {
        memcpy(module.key[id], key, OTTER_HMAC_KEY_BYTES);
    } else {
        otter_wipe(module.key[id], OTTER_HMAC_KEY_BYTES);
    }
    otter_mutex_unlock(&module.lock);
    return ESP_OK;
}

static bool get_hmac_key(hmac_key_id_t id, uint8_t key[OTTER_HMAC_KEY_BYTES])
{
    otter_mutex_lock(&module.lock);
    bool found = is_place(id) && module.has_key[id];
    if (found) {
        memcpy(key, module.key[id], OTTER_HMAC_KEY_BYTES);
    }
    otter_mutex_unlock(&module.lock);
    return found;
}

/* ---- Handles ---- */

static void enlist(handle_t *handle)
{
    otter_mutex_lock(&module.lock);
    handle->next = module.first;
    module.first = handle;
    otter_mutex_unlock(&module.lock);
}

/* @return the handle, or NULL if there is none such; with @p remove it is no longer one */
static handle_t *look_up(const void *ctx, bool remove)
{
    otter_mutex_lock(&module.lock);
    handle_t **at = &module.first;
    while (*at != NULL && *at != ctx) {
        at = &(*at)->next;
    }
    handle_t *found = *at;
    if (found != NULL && remove) {
        *at = found->next;
    }
    otter_mutex_unlock(&module.lock);
    return found;
}

static void release(handle_t *handle)
{
    decrypter_close(&handle->decrypter);
    free(handle);
}

/* ---- Start ---- */

static esp_err_t open_derived(decrypter_t *d, hmac_key_id_t id, char *reason)
{
    uint8_t key[OTTER_HMAC_KEY_BYTES];
    if (!get_hmac_key(id, key)) {
        snprintf(reason, OTTER_DECRYPT_REASON_BYTES, "no private key, and no HMAC key in place %d", (int)id);
        return ESP_ERR_INVALID_ARG;
    }
    esp_err_t err = decrypter_open_derived(d, key, reason);
    otter_wipe(key, sizeof(key));
    return err;
}

static esp_err_t open_key(decrypter_t *d, const esp_decrypt_cfg_t *cfg, char *reason)
{
    return cfg->rsa_priv_key != NULL ? decrypter_open(d, cfg->rsa_priv_key, cfg->rsa_priv_key_len, reason)
                                     : open_derived(d, cfg->hmac_key_id, reason);
}

esp_decrypt_handle_t esp_encrypted_img_decrypt_start(const esp_decrypt_cfg_t *cfg)
{
    char reason[OTTER_DECRYPT_REASON_BYTES];
    if (cfg == NULL) {
        ESP_LOGE(TAG, "no configuration");
        return NULL;
    }
    handle_t *handle = calloc(1, sizeof(*handle));
    if (handle == NULL) {
        ESP_LOGE(TAG, "out of memory");
        return NULL;
    }
    if (open_key(&handle->decrypter, cfg, reason) != ESP_OK) {
        ESP_LOGE(TAG, "the key to decrypt with is refused: %s", reason);
        free(handle);
        return NULL;
    }
    enlist(handle);
    return handle;
}

/* ---- Data ---- */

/* Where decrypted bytes go. */
typedef struct output {
    pre_enc_decrypt_arg_t *args;
    size_t most; /* Bytes that may come in all. */
} output_t;

/* Nothing is allocated before there is something to put there: who gets no bytes frees none. */
static esp_err_t make_room(const output_t *output)
{
    char *larger = realloc(output->args->data_out, output->most);
    if (larger == NULL) {
        return ESP_ERR_NO_MEM;
    }
    output->args->data_out = larger;
    return ESP_OK;
}

static esp_err_t append(void *arg, const uint8_t *bytes, size_t len)
{
    const output_t *output = arg;
    pre_enc_decrypt_arg_t *args = output->args;
    if (args->data_out_len == 0 && make_room(output) != ESP_OK) {
        return ESP_ERR_NO_MEM;
    }
    memcpy(args->data_out + args->data_out_len, bytes, len);
    args->data_out_len += len;
    return ESP_OK;
}

static esp_err_t decrypt(decrypter_t *d, pre_enc_decrypt_arg_t *args)
{
    output_t output = {.args = args, .most = decrypter_most_out(d, args->data_in_len)};
    esp_err_t before = d->failure;
    esp_err_t err = decrypter_feed(d, (const uint8_t *)args->data_in, args->data_in_len, append, &output);
    if (err == ESP_OK) {
        return decrypter_is_complete(d) ? ESP_OK : ESP_ERR_NOT_FINISHED;
    }
    if (before == ESP_OK) {
        ESP_LOGE(TAG, "%s", decrypter_why(d));
    }
    args->data_out_len = 0;
    return err == ESP_ERR_NO_MEM ? err : ESP_FAIL;
}

esp_err_t esp_encrypted_img_decrypt_data(esp_decrypt_handle_t ctx, pre_enc_decrypt_arg_t *args)
{
    handle_t *handle = look_up(ctx, false);
    if (handle == NULL || args == NULL || args->data_in == NULL) {
        ESP_LOGE(TAG, "no data, or not a begun decryption");
        return ESP_ERR_INVALID_ARG;
    }
    args->data_out_len = 0;
    return decrypt(&handle->decrypter, args);
}

bool esp_encrypted_img_is_complete_data_received(esp_decrypt_handle_t ctx)
{
    const handle_t *handle = look_up(ctx, false);
    return handle != NULL && decrypter_is_complete(&handle->decrypter);
}

uint16_t esp_encrypted_img_get_header_size(void)
{
    return ENCRYPTED_HEADER_BYTES;
}

/* ---- End ---- */

esp_err_t esp_encrypted_img_decrypt_end(esp_decrypt_handle_t ctx)
{
    handle_t *handle = look_up(ctx, true);
    if (handle == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    esp_err_t err = decrypter_finish(&handle->decrypter);
    if (err != ESP_OK) {
        ESP_LOGE(TAG, "%s", decrypter_why(&handle->decrypter));
    }
    release(handle);
    return err == ESP_OK ? ESP_OK : ESP_FAIL;
}

esp_err_t esp_encrypted_img_decrypt_abort(esp_decrypt_handle_t ctx)
{
    handle_t *handle = look_up(ctx, true);
    if (handle == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    release(handle);
    return ESP_OK;
}

/* ---- The public half ---- */

esp_err_t esp_encrypted_img_export_public_key(esp_decrypt_handle_t ctx, uint8_t **pub_key, size_t *pub_key_len)
{
    uint8_t der[OTTER_DECRYPT_PUBLIC_MAX];
    const handle_t *handle = look_up(ctx, false);
    if (handle == NULL || pub_key == NULL || pub_key_len == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    *pub_key = NULL;
    *pub_key_len = 0;
    size_t len;
    if (otter_decrypt_public_der(&handle->decrypter.key, der, &len) != ESP_OK) {
        return ESP_FAIL;
    }
    *pub_key = malloc(len);
    if (*pub_key == NULL) {
        return ESP_ERR_NO_MEM;
    }
    memcpy(*pub_key, der, len);
    *pub_key_len = len;
    return ESP_OK;
}
