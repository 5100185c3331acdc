/* SPDX-License-Identifier: Apache-2.0 */
/* Signature checks. Public keys and signatures are a stranger's bytes: whatever OpenSSL refuses is ESP_FAIL. */
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>

#include "otter/otter_crypto.h"
#include "port/crypto_openssl/key.h"

#define PSS_SALT_BYTES 32

static EVP_PKEY *rsa_key(const uint8_t modulus[OTTER_RSA3072_BYTES], uint32_t exponent)
{
    EVP_PKEY *key = NULL;
    OSSL_PARAM *params = NULL;
    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    BIGNUM *n = BN_bin2bn(modulus, OTTER_RSA3072_BYTES, NULL);
    if (build != NULL && n != NULL && OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, n) == 1 &&
        OSSL_PARAM_BLD_push_uint32(build, OSSL_PKEY_PARAM_RSA_E, exponent) == 1) {
        params = OSSL_PARAM_BLD_to_param(build);
        key = crypto_make_key("RSA", EVP_PKEY_PUBLIC_KEY, params);
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

/* OpenSSL takes an ECDSA signature as DER. @return its length, or 0 */
static int encode_signature(otter_curve_t curve, const uint8_t *signature, unsigned char **der)
{
    int len = (int)crypto_coordinate_bytes(curve);
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
    EVP_PKEY *key = crypto_make_point_key(curve, point);
    EVP_PKEY_CTX *ctx = key != NULL ? EVP_PKEY_CTX_new(key, NULL) : NULL;
    bool good = der_len > 0 && ctx != NULL && EVP_PKEY_verify_init(ctx) == 1 &&
                EVP_PKEY_verify(ctx, der, (size_t)der_len, digest, digest_len) == 1;
    EVP_PKEY_CTX_free(ctx);
    EVP_PKEY_free(key);
    OPENSSL_free(der);
    return good ? ESP_OK : ESP_FAIL;
}
