/* SPDX-License-Identifier: Apache-2.0 */
#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "otter/otter_crypto.h"

/* The opaque context holds one pointer; OpenSSL keeps the rest. */
static EVP_MD_CTX **context_of(otter_hash_t *hash)
{
    return (EVP_MD_CTX **)(void *)hash->opaque;
}

static const EVP_MD *algorithm_of(otter_hash_kind_t kind)
{
    return kind == OTTER_HASH_SHA384 ? EVP_sha384() : EVP_sha256();
}

esp_err_t otter_hash_begin(otter_hash_t *hash, otter_hash_kind_t kind)
{
    EVP_MD_CTX **ctx = context_of(hash);
    *ctx = EVP_MD_CTX_new();
    if (*ctx == NULL) {
        return ESP_ERR_NO_MEM;
    }
    if (EVP_DigestInit_ex(*ctx, algorithm_of(kind), NULL) != 1) {
        otter_hash_free(hash);
        return ESP_ERR_NO_MEM;
    }
    return ESP_OK;
}

esp_err_t otter_hash_update(otter_hash_t *hash, const void *bytes, size_t len)
{
    EVP_MD_CTX *ctx = *context_of(hash);
    return ctx != NULL && EVP_DigestUpdate(ctx, bytes, len) == 1 ? ESP_OK : ESP_FAIL;
}

esp_err_t otter_hash_peek(const otter_hash_t *hash, uint8_t *digest)
{
    const EVP_MD_CTX *const *ctx = (const EVP_MD_CTX *const *)(const void *)hash->opaque;
    EVP_MD_CTX *copy = EVP_MD_CTX_new();
    bool ok = *ctx != NULL && copy != NULL && EVP_MD_CTX_copy_ex(copy, *ctx) == 1 &&
              EVP_DigestFinal_ex(copy, digest, NULL) == 1;
    EVP_MD_CTX_free(copy);
    return ok ? ESP_OK : ESP_FAIL;
}

esp_err_t otter_hash_finish(otter_hash_t *hash, uint8_t *digest)
{
    EVP_MD_CTX *ctx = *context_of(hash);
    return ctx != NULL && EVP_DigestFinal_ex(ctx, digest, NULL) == 1 ? ESP_OK : ESP_FAIL;
}

void otter_hash_free(otter_hash_t *hash)
{
    EVP_MD_CTX **ctx = context_of(hash);
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
