/* SPDX-License-Identifier: Apache-2.0 */
/* AES-256-GCM. OpenSSL wipes keys and keystream where it frees them, and compares tags in constant time. */
#include <limits.h>
#include <openssl/err.h>
#include <openssl/evp.h>

#include "otter/otter_decrypt.h"

/* The opaque context holds one pointer; OpenSSL keeps the rest. */
static EVP_CIPHER_CTX **context_of(otter_gcm_t *gcm)
{
    return (EVP_CIPHER_CTX **)(void *)gcm->opaque;
}

static bool start(EVP_CIPHER_CTX *ctx, otter_gcm_way_t way, const uint8_t *key, otter_bytes_t iv)
{
    int encrypt = way == OTTER_GCM_ENCRYPT;
    return iv.len > 0 && iv.len <= INT_MAX &&
           EVP_CipherInit_ex(ctx, EVP_aes_256_gcm(), NULL, NULL, NULL, encrypt) == 1 &&
           EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_IVLEN, (int)iv.len, NULL) == 1 &&
           EVP_CipherInit_ex(ctx, NULL, NULL, key, iv.bytes, encrypt) == 1;
}

esp_err_t otter_gcm_begin(otter_gcm_t *gcm, otter_gcm_way_t way, const uint8_t key[OTTER_AES256_KEY_BYTES],
                          otter_bytes_t iv)
{
    EVP_CIPHER_CTX **ctx = context_of(gcm);
    *ctx = EVP_CIPHER_CTX_new();
    if (*ctx == NULL) {
        return ESP_ERR_NO_MEM;
    }
    if (!start(*ctx, way, key, iv)) {
        otter_gcm_free(gcm);
        ERR_clear_error();
        return ESP_FAIL;
    }
    return ESP_OK;
}

esp_err_t otter_gcm_update(otter_gcm_t *gcm, const uint8_t *in, size_t len, uint8_t *out)
{
    EVP_CIPHER_CTX *ctx = *context_of(gcm);
    int done = 0;
    bool ok = ctx != NULL && len <= INT_MAX && EVP_CipherUpdate(ctx, out, &done, in, (int)len) == 1;
    return ok && (size_t)done == len ? ESP_OK : ESP_FAIL;
}

static bool finish(EVP_CIPHER_CTX *ctx)
{
    uint8_t none[OTTER_GCM_BLOCK_BYTES];
    int len = 0;
    return EVP_CipherFinal_ex(ctx, none, &len) == 1;
}

esp_err_t otter_gcm_seal(otter_gcm_t *gcm, uint8_t tag[OTTER_GCM_TAG_BYTES])
{
    EVP_CIPHER_CTX *ctx = *context_of(gcm);
    bool ok =
        ctx != NULL && finish(ctx) && EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, OTTER_GCM_TAG_BYTES, tag) == 1;
    ERR_clear_error();
    return ok ? ESP_OK : ESP_FAIL;
}

esp_err_t otter_gcm_check(otter_gcm_t *gcm, const uint8_t tag[OTTER_GCM_TAG_BYTES])
{
    EVP_CIPHER_CTX *ctx = *context_of(gcm);
    bool good = ctx != NULL &&
                EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, OTTER_GCM_TAG_BYTES, (void *)(uintptr_t)tag) == 1 &&
                finish(ctx);
    ERR_clear_error();
    return good ? ESP_OK : ESP_FAIL;
}

void otter_gcm_free(otter_gcm_t *gcm)
{
    EVP_CIPHER_CTX **ctx = context_of(gcm);
    EVP_CIPHER_CTX_free(*ctx);
    *ctx = NULL;
}
