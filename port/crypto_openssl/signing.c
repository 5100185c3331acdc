/* SPDX-License-Identifier: Apache-2.0 */
/* Private keys, for host tools. OpenSSL wipes key material where it frees it, and signs in constant time. */
#include "otter/otter_signing.h"

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <stdio.h>
#include <string.h>

#include "port/crypto_openssl/key.h"

#define RSA_BITS       3072
#define PSS_SALT_BYTES 32
#define NAME_BYTES     64

_Static_assert(OTTER_SIGNING_REASON_BYTES == CRYPTO_REASON_BYTES, "one room for reasons");

struct otter_signing_key {
    EVP_PKEY *pkey;
    otter_signing_kind_t kind;
    bool is_private;
};

/* ---- What there is of each kind ---- */

typedef struct kind {
    const char *curve; /* As OpenSSL calls it; NULL: RSA. */
    size_t digest_bytes;
    size_t signature_bytes;
} kind_t;

static const kind_t kinds[] = {
    [OTTER_SIGNING_RSA3072] = {NULL, OTTER_SHA256_BYTES, OTTER_RSA3072_BYTES},
    [OTTER_SIGNING_P256] = {SN_X9_62_prime256v1, OTTER_SHA256_BYTES, 64},
    [OTTER_SIGNING_P384] = {SN_secp384r1, OTTER_SHA384_BYTES, 96},
};
#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

size_t otter_signing_digest_bytes(otter_signing_kind_t kind)
{
    return kinds[kind].digest_bytes;
}

size_t otter_signing_signature_bytes(otter_signing_kind_t kind)
{
    return kinds[kind].signature_bytes;
}

otter_signing_kind_t otter_signing_kind(const otter_signing_key_t *key)
{
    return key->kind;
}

bool otter_signing_is_private(const otter_signing_key_t *key)
{
    return key->is_private;
}

/* Takes pkey over, also on error. */
static esp_err_t wrap(EVP_PKEY *pkey, otter_signing_kind_t kind, bool is_private, otter_signing_key_t **key)
{
    *key = OPENSSL_malloc(sizeof(**key));
    if (*key == NULL) {
        EVP_PKEY_free(pkey);
        return ESP_ERR_NO_MEM;
    }
    **key = (otter_signing_key_t){.pkey = pkey, .kind = kind, .is_private = is_private};
    return ESP_OK;
}

void otter_signing_free(otter_signing_key_t *key)
{
    if (key != NULL) {
        EVP_PKEY_free(key->pkey);
        OPENSSL_free(key);
    }
}

/* ---- Generating ---- */

esp_err_t otter_signing_generate(otter_signing_kind_t kind, otter_signing_key_t **key)
{
    *key = NULL;
    if ((size_t)kind >= KINDS) {
        return ESP_ERR_INVALID_ARG;
    }
    const char *curve = kinds[kind].curve;
    EVP_PKEY *pkey = curve == NULL ? EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)RSA_BITS)
                                   : EVP_PKEY_Q_keygen(NULL, NULL, "EC", curve);
    ERR_clear_error();
    return pkey != NULL ? wrap(pkey, kind, true, key) : ESP_FAIL;
}

/* ---- Loading ---- */

static esp_err_t classify_rsa(EVP_PKEY *pkey, otter_signing_kind_t *kind, char *reason)
{
    BIGNUM *e = NULL;
    bool fits = EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_E, &e) == 1 && BN_num_bits(e) <= 32 && BN_is_odd(e) &&
                !BN_is_one(e);
    BN_free(e);
    if (EVP_PKEY_get_bits(pkey) != RSA_BITS) {
        snprintf(reason, OTTER_SIGNING_REASON_BYTES, "an RSA-%d key; RSA-3072 is needed", EVP_PKEY_get_bits(pkey));
        return ESP_ERR_NOT_SUPPORTED;
    }
    if (!fits) {
        return crypto_refuse_key(
            reason, ESP_ERR_NOT_SUPPORTED,
            "an RSA key whose public exponent does not suit: it is odd, above 1, with 32 bits at most");
    }
    *kind = OTTER_SIGNING_RSA3072;
    return ESP_OK;
}

static esp_err_t classify_ec(EVP_PKEY *pkey, otter_signing_kind_t *kind, char *reason)
{
    char curve[NAME_BYTES];
    size_t len = 0;
    if (EVP_PKEY_get_group_name(pkey, curve, sizeof(curve), &len) != 1) {
        return crypto_refuse_key(reason, ESP_ERR_NOT_SUPPORTED,
                                 "an EC key on a curve without name; P-256 or P-384 is needed");
    }
    for (size_t i = 0; i < KINDS; i++) {
        if (kinds[i].curve != NULL && strcmp(kinds[i].curve, curve) == 0) {
            *kind = (otter_signing_kind_t)i;
            return ESP_OK;
        }
    }
    snprintf(reason, OTTER_SIGNING_REASON_BYTES, "an EC key on the curve %s; P-256 or P-384 is needed", curve);
    return ESP_ERR_NOT_SUPPORTED;
}

static esp_err_t classify(EVP_PKEY *pkey, otter_signing_kind_t *kind, char *reason)
{
    if (EVP_PKEY_is_a(pkey, "RSA")) {
        return classify_rsa(pkey, kind, reason);
    }
    if (EVP_PKEY_is_a(pkey, "EC")) {
        return classify_ec(pkey, kind, reason);
    }
    const char *name = EVP_PKEY_get0_type_name(pkey);
    snprintf(reason, OTTER_SIGNING_REASON_BYTES, "a key of type %.32s; RSA-3072, P-256 or P-384 is needed",
             name != NULL ? name : "unknown");
    return ESP_ERR_NOT_SUPPORTED;
}

static esp_err_t load(const void *pem, size_t len, otter_signing_key_t **key, char *reason)
{
    bool is_private = false;
    EVP_PKEY *pkey = NULL;
    otter_signing_kind_t kind = OTTER_SIGNING_RSA3072;
    esp_err_t err = crypto_read_key(pem, len, &pkey, &is_private, reason);
    if (err != ESP_OK) {
        return err;
    }
    err = classify(pkey, &kind, reason);
    if (err == ESP_OK) {
        err = crypto_check_key(pkey, reason);
    }
    if (err != ESP_OK) {
        EVP_PKEY_free(pkey);
        return err;
    }
    err = wrap(pkey, kind, is_private, key);
    return err == ESP_OK ? ESP_OK : crypto_refuse_key(reason, err, "out of memory");
}

esp_err_t otter_signing_load(const void *pem, size_t len, otter_signing_key_t **key,
                             char reason[OTTER_SIGNING_REASON_BYTES])
{
    *key = NULL;
    esp_err_t err = load(pem, len, key, reason);
    ERR_clear_error();
    return err;
}

/* ---- The public half ---- */

/* Inverse of an odd number modulo 2^32: each round doubles the bits that are right, 3 of them to begin with. */
static uint32_t inverse_mod_2_32(uint32_t odd)
{
    uint32_t inverse = odd;
    for (int bits = 3; bits < 32; bits *= 2) {
        inverse *= 2 - odd * inverse;
    }
    return inverse;
}

static bool montgomery(const BIGNUM *n, otter_public_key_t *pub)
{
    BN_CTX *ctx = BN_CTX_new();
    BIGNUM *r = BN_new();
    bool ok = ctx != NULL && r != NULL && BN_set_bit(r, 2 * RSA_BITS) == 1 && BN_mod(r, r, n, ctx) == 1 &&
              BN_bn2binpad(r, pub->r, sizeof(pub->r)) == (int)sizeof(pub->r);
    BN_free(r);
    BN_CTX_free(ctx);
    const uint8_t *low = pub->modulus + sizeof(pub->modulus) - 4;
    uint32_t n0 = (uint32_t)low[0] << 24 | (uint32_t)low[1] << 16 | (uint32_t)low[2] << 8 | low[3];
    pub->m_prime = 0 - inverse_mod_2_32(n0);
    return ok;
}

static bool public_rsa(EVP_PKEY *pkey, otter_public_key_t *pub)
{
    BIGNUM *n = NULL;
    BIGNUM *e = NULL;
    bool ok = EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_N, &n) == 1 &&
              EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_E, &e) == 1 &&
              BN_bn2binpad(n, pub->modulus, sizeof(pub->modulus)) == (int)sizeof(pub->modulus) && montgomery(n, pub);
    pub->exponent = ok ? (uint32_t)BN_get_word(e) : 0;
    BN_free(n);
    BN_free(e);
    return ok;
}

static bool public_ec(EVP_PKEY *pkey, int coordinate_bytes, otter_public_key_t *pub)
{
    BIGNUM *x = NULL;
    BIGNUM *y = NULL;
    bool ok = EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_EC_PUB_X, &x) == 1 &&
              EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_EC_PUB_Y, &y) == 1 &&
              BN_bn2binpad(x, pub->point, coordinate_bytes) == coordinate_bytes &&
              BN_bn2binpad(y, pub->point + coordinate_bytes, coordinate_bytes) == coordinate_bytes;
    BN_free(x);
    BN_free(y);
    return ok;
}

esp_err_t otter_signing_public(const otter_signing_key_t *key, otter_public_key_t *pub)
{
    *pub = (otter_public_key_t){.kind = key->kind};
    bool ok = key->kind == OTTER_SIGNING_RSA3072 ? public_rsa(key->pkey, pub)
                                                 : public_ec(key->pkey, (int)kinds[key->kind].signature_bytes / 2, pub);
    ERR_clear_error();
    return ok ? ESP_OK : ESP_FAIL;
}

/* ---- PEM ---- */

static esp_err_t take_text(BIO *bio, bool written, char pem[OTTER_PEM_BYTES])
{
    char *text = NULL;
    long len = written ? BIO_get_mem_data(bio, &text) : 0;
    bool ok = len > 0 && len < OTTER_PEM_BYTES;
    if (ok) {
        memcpy(pem, text, (size_t)len);
    }
    pem[ok ? len : 0] = '\0';
    BIO_free(bio);
    ERR_clear_error();
    return ok ? ESP_OK : ESP_FAIL;
}

esp_err_t otter_signing_private_pem(const otter_signing_key_t *key, char pem[OTTER_PEM_BYTES])
{
    pem[0] = '\0';
    if (!key->is_private) {
        return ESP_ERR_INVALID_STATE;
    }
    BIO *bio = BIO_new(BIO_s_secmem()); /* Its buffer is wiped when freed, wherever it lies. */
    bool written = bio != NULL && PEM_write_bio_PKCS8PrivateKey(bio, key->pkey, NULL, NULL, 0, NULL, NULL) == 1;
    return take_text(bio, written, pem);
}

esp_err_t otter_signing_public_pem(const otter_signing_key_t *key, char pem[OTTER_PEM_BYTES])
{
    BIO *bio = BIO_new(BIO_s_mem());
    bool written = bio != NULL && PEM_write_bio_PUBKEY(bio, key->pkey) == 1;
    return take_text(bio, written, pem);
}

/* ---- Signatures ---- */

static bool prepare(EVP_PKEY_CTX *ctx, otter_signing_kind_t kind)
{
    if (EVP_PKEY_sign_init(ctx) != 1) {
        return false;
    }
    return kind != OTTER_SIGNING_RSA3072 || (EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) == 1 &&
                                             EVP_PKEY_CTX_set_signature_md(ctx, EVP_sha256()) == 1 &&
                                             EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, EVP_sha256()) == 1 &&
                                             EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, PSS_SALT_BYTES) == 1);
}

/* An r or s that is negative or longer than a coordinate makes no signature; OpenSSL takes no negative one from DER. */
static bool decode_der(otter_signing_kind_t kind, const uint8_t *der, size_t len, uint8_t *signature)
{
    int each = (int)kinds[kind].signature_bytes / 2;
    const unsigned char *at = der;
    ECDSA_SIG *both = d2i_ECDSA_SIG(NULL, &at, (long)len);
    bool ok = both != NULL && at == der + len && BN_bn2binpad(ECDSA_SIG_get0_r(both), signature, each) == each &&
              BN_bn2binpad(ECDSA_SIG_get0_s(both), signature + each, each) == each;
    ECDSA_SIG_free(both);
    ERR_clear_error();
    return ok;
}

esp_err_t otter_signing_decode(otter_signing_kind_t kind, const uint8_t *bytes, size_t len,
                               uint8_t signature[OTTER_SIGNATURE_MAX_BYTES])
{
    if (len == kinds[kind].signature_bytes) {
        memcpy(signature, bytes, len);
        return ESP_OK;
    }
    bool ok = kinds[kind].curve != NULL && decode_der(kind, bytes, len, signature);
    return ok ? ESP_OK : ESP_ERR_INVALID_ARG;
}

esp_err_t otter_signing_sign(const otter_signing_key_t *key, const uint8_t *digest,
                             uint8_t signature[OTTER_SIGNATURE_MAX_BYTES])
{
    if (!key->is_private) {
        return ESP_ERR_INVALID_STATE;
    }
    uint8_t made[OTTER_SIGNATURE_MAX_BYTES];
    size_t len = sizeof(made);
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key->pkey, NULL);
    bool ok = ctx != NULL && prepare(ctx, key->kind) &&
              EVP_PKEY_sign(ctx, made, &len, digest, kinds[key->kind].digest_bytes) == 1;
    EVP_PKEY_CTX_free(ctx);
    ERR_clear_error();
    if (!ok) {
        return ESP_FAIL;
    }
    if (key->kind == OTTER_SIGNING_RSA3072) {
        memcpy(signature, made, len);
        return ESP_OK;
    }
    return decode_der(key->kind, made, len, signature) ? ESP_OK : ESP_FAIL;
}
