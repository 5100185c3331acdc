/* SPDX-License-Identifier: Apache-2.0 */
#include <limits.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>

#include "otter/otter_decrypt.h"

/* OpenSSL takes no NULL, and changes nothing. */
static OSSL_PARAM parameter(const char *name, otter_bytes_t bytes)
{
    return OSSL_PARAM_construct_octet_string(name, bytes.len > 0 ? (void *)(uintptr_t)bytes.bytes : (void *)"",
                                             bytes.len);
}

esp_err_t otter_hkdf_sha256(otter_bytes_t salt, otter_bytes_t secret, otter_bytes_t info, uint8_t *out, size_t out_len)
{
    char digest[] = "SHA256";
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
        parameter(OSSL_KDF_PARAM_SALT, salt),
        parameter(OSSL_KDF_PARAM_KEY, secret),
        parameter(OSSL_KDF_PARAM_INFO, info),
        OSSL_PARAM_construct_end(),
    };
    EVP_KDF *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
    EVP_KDF_CTX *ctx = kdf != NULL ? EVP_KDF_CTX_new(kdf) : NULL;
    bool ok = ctx != NULL && EVP_KDF_derive(ctx, out, out_len, params) == 1;
    EVP_KDF_CTX_free(ctx);
    EVP_KDF_free(kdf);
    ERR_clear_error();
    return ok ? ESP_OK : ESP_FAIL;
}

esp_err_t otter_pbkdf2_sha256(otter_bytes_t secret, otter_bytes_t salt, uint32_t rounds, uint8_t *out, size_t out_len)
{
    bool fits = secret.len <= INT_MAX && salt.len <= INT_MAX && rounds <= INT_MAX && out_len <= INT_MAX;
    bool ok = fits && PKCS5_PBKDF2_HMAC(secret.bytes, (int)secret.len, salt.bytes, (int)salt.len, (int)rounds,
                                        EVP_sha256(), (int)out_len, out) == 1;
    ERR_clear_error();
    return ok ? ESP_OK : ESP_FAIL;
}
