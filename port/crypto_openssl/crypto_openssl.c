/* SPDX-License-Identifier: Apache-2.0 */
#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "otter/otter_crypto.h"

/* The opaque context holds one pointer; OpenSSL keeps the rest. */
static EVP_MD_CTX **context_of(otter_sha256_t *sha)
{
    return (EVP_MD_CTX **)(void *)sha->opaque;
}

esp_err_t otter_sha256_begin(otter_sha256_t *sha)
{
    EVP_MD_CTX **ctx = context_of(sha);
    *ctx = EVP_MD_CTX_new();
    if (*ctx == NULL) {
        return ESP_ERR_NO_MEM;
    }
    if (EVP_DigestInit_ex(*ctx, EVP_sha256(), NULL) != 1) {
        otter_sha256_free(sha);
        return ESP_ERR_NO_MEM;
    }
    return ESP_OK;
}

esp_err_t otter_sha256_update(otter_sha256_t *sha, const void *bytes, size_t len)
{
    EVP_MD_CTX *ctx = *context_of(sha);
    return ctx != NULL && EVP_DigestUpdate(ctx, bytes, len) == 1 ? ESP_OK : ESP_FAIL;
}

esp_err_t otter_sha256_finish(otter_sha256_t *sha, uint8_t digest[OTTER_SHA256_BYTES])
{
    EVP_MD_CTX *ctx = *context_of(sha);
    return ctx != NULL && EVP_DigestFinal_ex(ctx, digest, NULL) == 1 ? ESP_OK : ESP_FAIL;
}

void otter_sha256_free(otter_sha256_t *sha)
{
    EVP_MD_CTX **ctx = context_of(sha);
    EVP_MD_CTX_free(*ctx);
    *ctx = NULL;
}

esp_err_t otter_md5(const void *bytes, size_t len, uint8_t digest[OTTER_MD5_BYTES])
{
    return EVP_Digest(bytes, len, digest, NULL, EVP_md5(), NULL) == 1 ? ESP_OK : ESP_FAIL;
}

bool otter_equal_ct(const void *a, const void *b, size_t len)
{
    return CRYPTO_memcmp(a, b, len) == 0;
}

void otter_wipe(void *secret, size_t len)
{
    OPENSSL_cleanse(secret, len);
}
