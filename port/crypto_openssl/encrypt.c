/* SPDX-License-Identifier: Apache-2.0 */
/* Encrypting for a device, for host tools. */
#include "otter/otter_encrypt.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/rsa.h>
#include <string.h>

#include "port/crypto_openssl/decrypt.h"

esp_err_t otter_encrypt_rsa3072(const otter_decrypt_key_t *key, otter_bytes_t secret, uint8_t out[OTTER_RSA3072_BYTES])
{
    const crypto_decrypt_key_t *inside = crypto_look_inside(key);
    if (inside->pkey == NULL || inside->kind != OTTER_DECRYPT_RSA3072) {
        return ESP_ERR_INVALID_STATE;
    }
    size_t len = OTTER_RSA3072_BYTES;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(inside->pkey, NULL);
    bool ok = ctx != NULL && EVP_PKEY_encrypt_init(ctx) == 1 &&
              EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) == 1 &&
              EVP_PKEY_encrypt(ctx, out, &len, secret.bytes, secret.len) == 1 && len == OTTER_RSA3072_BYTES;
    EVP_PKEY_CTX_free(ctx);
    ERR_clear_error();
    return ok ? ESP_OK : ESP_FAIL;
}

esp_err_t otter_encrypt_new_key(otter_decrypt_key_t *key)
{
    EVP_PKEY *pkey = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
    *key = (otter_decrypt_key_t){0};
    *crypto_inside(key) = (crypto_decrypt_key_t){.pkey = pkey, .kind = OTTER_DECRYPT_P256, .is_private = pkey != NULL};
    ERR_clear_error();
    return pkey != NULL ? ESP_OK : ESP_FAIL;
}

esp_err_t otter_encrypt_public_point(const otter_decrypt_key_t *key, uint8_t point[OTTER_P256_POINT_BYTES])
{
    const crypto_decrypt_key_t *inside = crypto_look_inside(key);
    if (inside->pkey == NULL || inside->kind != OTTER_DECRYPT_P256) {
        return ESP_ERR_INVALID_STATE;
    }
    uint8_t encoded[CRYPTO_P256_ENCODED_BYTES];
    size_t len = 0;
    bool ok = EVP_PKEY_get_octet_string_param(inside->pkey, OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY, encoded,
                                              sizeof(encoded), &len) == 1 &&
              len == sizeof(encoded) && encoded[0] == POINT_CONVERSION_UNCOMPRESSED;
    if (ok) {
        memcpy(point, encoded + 1, OTTER_P256_POINT_BYTES);
    }
    ERR_clear_error();
    return ok ? ESP_OK : ESP_FAIL;
}
