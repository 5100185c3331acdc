/* SPDX-License-Identifier: Apache-2.0 */
/* Private keys of devices. OpenSSL blinds RSA, computes with P-256 in constant time, and wipes keys where it frees them. */
#include "port/crypto_openssl/decrypt.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/encoder.h>
#include <openssl/err.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>
#include <stdio.h>
#include <string.h>

#include "port/crypto_openssl/key.h"

#define RSA_BITS 3072
#define P256     "prime256v1"

_Static_assert(OTTER_DECRYPT_REASON_BYTES == CRYPTO_REASON_BYTES, "one room for reasons");

/* ---- Loading ---- */

static bool is_p256(EVP_PKEY *pkey)
{
    char curve[64];
    size_t len = 0;
    return EVP_PKEY_is_a(pkey, "EC") && EVP_PKEY_get_group_name(pkey, curve, sizeof(curve), &len) == 1 &&
           strcmp(curve, P256) == 0;
}

static esp_err_t classify(EVP_PKEY *pkey, otter_decrypt_kind_t *kind, char *reason)
{
    if (EVP_PKEY_is_a(pkey, "RSA") && EVP_PKEY_get_bits(pkey) == RSA_BITS) {
        *kind = OTTER_DECRYPT_RSA3072;
        return ESP_OK;
    }
    if (is_p256(pkey)) {
        *kind = OTTER_DECRYPT_P256;
        return ESP_OK;
    }
    const char *name = EVP_PKEY_get0_type_name(pkey);
    snprintf(reason, CRYPTO_REASON_BYTES, "a key of type %.32s with %d bits; RSA-3072 or P-256 is needed",
             name != NULL ? name : "unknown", EVP_PKEY_get_bits(pkey));
    return ESP_ERR_NOT_SUPPORTED;
}

static esp_err_t load(crypto_decrypt_key_t *inside, const void *pem, size_t len, char *reason)
{
    esp_err_t err = crypto_read_key(pem, len, &inside->pkey, &inside->is_private, reason);
    if (err == ESP_OK) {
        err = classify(inside->pkey, &inside->kind, reason);
    }
    return err == ESP_OK ? crypto_check_key(inside->pkey, reason) : err;
}

esp_err_t otter_decrypt_load_key(otter_decrypt_key_t *key, const void *pem, size_t len,
                                 char reason[OTTER_DECRYPT_REASON_BYTES])
{
    *key = (otter_decrypt_key_t){0};
    esp_err_t err = load(crypto_inside(key), pem, len, reason);
    if (err != ESP_OK) {
        otter_decrypt_free_key(key);
    }
    ERR_clear_error();
    return err;
}

void otter_decrypt_free_key(otter_decrypt_key_t *key)
{
    EVP_PKEY_free(crypto_inside(key)->pkey);
    *key = (otter_decrypt_key_t){0};
}

otter_decrypt_kind_t otter_decrypt_kind(const otter_decrypt_key_t *key)
{
    return crypto_look_inside(key)->kind;
}

bool otter_decrypt_is_private(const otter_decrypt_key_t *key)
{
    return crypto_look_inside(key)->is_private;
}

/* ---- A key of a number ---- */

/* The public half of a private number, encoded. */
static bool multiply(const BIGNUM *number, uint8_t point[CRYPTO_P256_ENCODED_BYTES])
{
    EC_GROUP *group = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
    EC_POINT *product = group != NULL ? EC_POINT_new(group) : NULL;
    bool ok = product != NULL && BN_cmp(number, EC_GROUP_get0_order(group)) < 0 &&
              EC_POINT_mul(group, product, number, NULL, NULL, NULL) == 1 &&
              EC_POINT_point2oct(group, product, POINT_CONVERSION_UNCOMPRESSED, point, CRYPTO_P256_ENCODED_BYTES,
                                 NULL) == CRYPTO_P256_ENCODED_BYTES;
    EC_POINT_free(product);
    EC_GROUP_free(group);
    return ok;
}

static EVP_PKEY *pair(const BIGNUM *number, uint8_t point[CRYPTO_P256_ENCODED_BYTES])
{
    EVP_PKEY *pkey = NULL;
    OSSL_PARAM *params = NULL;
    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    if (build != NULL && OSSL_PARAM_BLD_push_utf8_string(build, OSSL_PKEY_PARAM_GROUP_NAME, P256, 0) == 1 &&
        OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_PRIV_KEY, number) == 1 &&
        OSSL_PARAM_BLD_push_octet_string(build, OSSL_PKEY_PARAM_PUB_KEY, point, CRYPTO_P256_ENCODED_BYTES) == 1) {
        params = OSSL_PARAM_BLD_to_param(build);
        pkey = crypto_make_key("EC", EVP_PKEY_KEYPAIR, params);
    }
    OSSL_PARAM_free(params);
    OSSL_PARAM_BLD_free(build);
    return pkey;
}

esp_err_t otter_decrypt_make_key(otter_decrypt_key_t *key, const uint8_t number[OTTER_P256_SECRET_BYTES])
{
    uint8_t point[CRYPTO_P256_ENCODED_BYTES];
    esp_err_t err = ESP_ERR_INVALID_ARG;
    EVP_PKEY *pkey = NULL;
    BIGNUM *secret = BN_secure_new();
    *key = (otter_decrypt_key_t){0};
    if (secret == NULL || BN_bin2bn(number, OTTER_P256_SECRET_BYTES, secret) == NULL) {
        err = ESP_FAIL;
        goto finish;
    }
    if (BN_is_zero(secret) || !multiply(secret, point)) {
        goto finish;
    }
    pkey = pair(secret, point);
    err = pkey != NULL ? ESP_OK : ESP_FAIL;
    *crypto_inside(key) = (crypto_decrypt_key_t){.pkey = pkey, .kind = OTTER_DECRYPT_P256, .is_private = pkey != NULL};
finish:
    BN_clear_free(secret);
    ERR_clear_error();
    return err;
}

/* ---- The public half ---- */

esp_err_t otter_decrypt_public_der(const otter_decrypt_key_t *key, uint8_t der[OTTER_DECRYPT_PUBLIC_MAX], size_t *len)
{
    const crypto_decrypt_key_t *inside = crypto_look_inside(key);
    const char *structure = inside->kind == OTTER_DECRYPT_RSA3072 ? "pkcs1" : "SubjectPublicKeyInfo";
    size_t left = OTTER_DECRYPT_PUBLIC_MAX;
    unsigned char *at = der;
    OSSL_ENCODER_CTX *ctx =
        inside->pkey != NULL
            ? OSSL_ENCODER_CTX_new_for_pkey(inside->pkey, OSSL_KEYMGMT_SELECT_PUBLIC_KEY, "DER", structure, NULL)
            : NULL;
    bool ok = ctx != NULL && OSSL_ENCODER_to_data(ctx, &at, &left) == 1;
    *len = ok ? OTTER_DECRYPT_PUBLIC_MAX - left : 0;
    OSSL_ENCODER_CTX_free(ctx);
    ERR_clear_error();
    return ok ? ESP_OK : ESP_FAIL;
}

/* ---- Private operations ---- */

static bool decrypts(const crypto_decrypt_key_t *inside, otter_decrypt_kind_t kind)
{
    return inside->pkey != NULL && inside->kind == kind && inside->is_private;
}

esp_err_t otter_decrypt_rsa3072(const otter_decrypt_key_t *key, const uint8_t in[OTTER_RSA3072_BYTES],
                                uint8_t out[OTTER_RSA3072_BYTES])
{
    const crypto_decrypt_key_t *inside = crypto_look_inside(key);
    if (!decrypts(inside, OTTER_DECRYPT_RSA3072)) {
        return ESP_ERR_INVALID_STATE;
    }
    size_t len = OTTER_RSA3072_BYTES;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(inside->pkey, NULL);
    bool ok = ctx != NULL && EVP_PKEY_decrypt_init(ctx) == 1 &&
              EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_NO_PADDING) == 1 &&
              EVP_PKEY_decrypt(ctx, out, &len, in, OTTER_RSA3072_BYTES) == 1 && len == OTTER_RSA3072_BYTES;
    EVP_PKEY_CTX_free(ctx);
    ERR_clear_error();
    return ok ? ESP_OK : ESP_FAIL;
}

esp_err_t otter_decrypt_ecdh(const otter_decrypt_key_t *key, const uint8_t point[OTTER_P256_POINT_BYTES],
                             uint8_t secret[OTTER_P256_SECRET_BYTES])
{
    const crypto_decrypt_key_t *inside = crypto_look_inside(key);
    if (!decrypts(inside, OTTER_DECRYPT_P256)) {
        return ESP_ERR_INVALID_STATE;
    }
    size_t len = OTTER_P256_SECRET_BYTES;
    EVP_PKEY *peer = crypto_make_point_key(OTTER_CURVE_P256, point);
    EVP_PKEY_CTX *ctx = peer != NULL ? EVP_PKEY_CTX_new(inside->pkey, NULL) : NULL;
    bool ok = ctx != NULL && EVP_PKEY_derive_init(ctx) == 1 && EVP_PKEY_derive_set_peer(ctx, peer) == 1 &&
              EVP_PKEY_derive(ctx, secret, &len) == 1 && len == OTTER_P256_SECRET_BYTES;
    EVP_PKEY_CTX_free(ctx);
    EVP_PKEY_free(peer);
    ERR_clear_error();
    return ok ? ESP_OK : ESP_FAIL;
}
