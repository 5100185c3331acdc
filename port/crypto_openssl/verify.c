/* SPDX-License-Identifier: Apache-2.0 */
/* Signature checks. Public keys and signatures are a stranger's bytes: whatever OpenSSL refuses is ESP_FAIL. */
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>
#include <string.h>

#include "otter/otter_crypto.h"

#define PSS_SALT_BYTES  32
#define POINT_MAX_BYTES (1 + 2 * 48)

static EVP_PKEY *key_from_params(const char *type, OSSL_PARAM *params)
{
    EVP_PKEY *key = NULL;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
    if (ctx == NULL || params == NULL || EVP_PKEY_fromdata_init(ctx) != 1 ||
        EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params) != 1) {
        key = NULL;
    }
    EVP_PKEY_CTX_free(ctx);
    return key;
}

static EVP_PKEY *rsa_key(const uint8_t modulus[OTTER_RSA3072_BYTES], uint32_t exponent)
{
    EVP_PKEY *key = NULL;
    OSSL_PARAM *params = NULL;
    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    BIGNUM *n = BN_bin2bn(modulus, OTTER_RSA3072_BYTES, NULL);
    if (build != NULL && n != NULL && OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, n) == 1 &&
        OSSL_PARAM_BLD_push_uint32(build, OSSL_PKEY_PARAM_RSA_E, exponent) == 1) {
        params = OSSL_PARAM_BLD_to_param(build);
        key = key_from_params("RSA", params);
    }
    OSSL_PARAM_free(params);
    OSSL_PARAM_BLD_free(build);
    BN_free(n);
    return key;
}

static bool use_pss(EVP_PKEY_CTX *ctx)
{
    return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) == 1 &&
           EVP_PKEY_CTX_set_signature_md(ctx, EVP_sha256()) == 1 &&
           EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, EVP_sha256()) == 1 &&
           EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, PSS_SALT_BYTES) == 1;
}

esp_err_t otter_verify_rsa3072(const uint8_t modulus[OTTER_RSA3072_BYTES], uint32_t exponent,
                               const uint8_t digest[OTTER_SHA256_BYTES], const uint8_t signature[OTTER_RSA3072_BYTES])
{
    EVP_PKEY *key = rsa_key(modulus, exponent);
    EVP_PKEY_CTX *ctx = key != NULL ? EVP_PKEY_CTX_new(key, NULL) : NULL;
    bool good = ctx != NULL && EVP_PKEY_verify_init(ctx) == 1 && use_pss(ctx) &&
                EVP_PKEY_verify(ctx, signature, OTTER_RSA3072_BYTES, digest, OTTER_SHA256_BYTES) == 1;
    EVP_PKEY_CTX_free(ctx);
    EVP_PKEY_free(key);
    return good ? ESP_OK : ESP_FAIL;
}

static size_t coordinate_bytes(otter_curve_t curve)
{
    return curve == OTTER_CURVE_P384 ? 48 : 32;
}

static EVP_PKEY *ec_key(otter_curve_t curve, const uint8_t *point)
{
    uint8_t encoded[POINT_MAX_BYTES] = {POINT_CONVERSION_UNCOMPRESSED};
    size_t len = 2 * coordinate_bytes(curve);
    char p256[] = "P-256";
    char p384[] = "P-384";
    memcpy(encoded + 1, point, len);
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, curve == OTTER_CURVE_P384 ? p384 : p256, 0),
        OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, encoded, len + 1),
        OSSL_PARAM_construct_end(),
    };
    return key_from_params("EC", params);
}

/* OpenSSL takes an ECDSA signature as DER. @return its length, or 0 */
static int encode_signature(otter_curve_t curve, const uint8_t *signature, unsigned char **der)
{
    int len = (int)coordinate_bytes(curve);
    ECDSA_SIG *both = ECDSA_SIG_new();
    BIGNUM *r = BN_bin2bn(signature, len, NULL);
    BIGNUM *s = BN_bin2bn(signature + len, len, NULL);
    int encoded = 0;
    if (both != NULL && r != NULL && s != NULL && ECDSA_SIG_set0(both, r, s) == 1) {
        r = NULL; /* Now owned by the signature. */
        s = NULL;
        encoded = i2d_ECDSA_SIG(both, der);
    }
    BN_free(r);
    BN_free(s);
    ECDSA_SIG_free(both);
    return encoded > 0 ? encoded : 0;
}

esp_err_t otter_verify_ecdsa(otter_curve_t curve, const uint8_t *point, const uint8_t *digest, size_t digest_len,
                             const uint8_t *signature)
{
    unsigned char *der = NULL;
    int der_len = encode_signature(curve, signature, &der);
    EVP_PKEY *key = ec_key(curve, point);
    EVP_PKEY_CTX *ctx = key != NULL ? EVP_PKEY_CTX_new(key, NULL) : NULL;
    bool good = der_len > 0 && ctx != NULL && EVP_PKEY_verify_init(ctx) == 1 &&
                EVP_PKEY_verify(ctx, der, (size_t)der_len, digest, digest_len) == 1;
    EVP_PKEY_CTX_free(ctx);
    EVP_PKEY_free(key);
    OPENSSL_free(der);
    return good ? ESP_OK : ESP_FAIL;
}
