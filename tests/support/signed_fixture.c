/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/signed_fixture.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <stdlib.h>

#include "tests/support/test.h"

#define SCHEMES 3

struct fixture_key {
    EVP_PKEY *pkey;
    signature_key_t pub;
};

static fixture_key_t keys[SCHEMES][FIXTURE_KEYS];

static size_t coordinate_bytes(trust_scheme_t scheme)
{
    return scheme == TRUST_SCHEME_P384 ? 48 : 32;
}

/* ---- Keys ---- */

static BIGNUM *number_of(const EVP_PKEY *pkey, const char *name)
{
    BIGNUM *number = NULL;
    assert_int_equal(EVP_PKEY_get_bn_param(pkey, name, &number), 1);
    return number;
}

/* R = 2^6144 mod n */
static void describe_r(signature_key_t *pub, const BIGNUM *n, BN_CTX *ctx)
{
    BIGNUM *r = BN_new();
    assert_non_null(r);
    assert_int_equal(BN_set_bit(r, 2 * 8 * OTTER_RSA3072_BYTES), 1);
    assert_int_equal(BN_mod(r, r, n, ctx), 1);
    assert_int_equal(BN_bn2binpad(r, pub->r, sizeof(pub->r)), sizeof(pub->r));
    BN_free(r);
}

/* M' = -n^-1 mod 2^32, by Newton's iteration: each round doubles the number of right bits. */
static void describe_m_prime(signature_key_t *pub)
{
    const uint8_t *end = pub->modulus + sizeof(pub->modulus);
    uint32_t n = (uint32_t)end[-1] | (uint32_t)end[-2] << 8 | (uint32_t)end[-3] << 16 | (uint32_t)end[-4] << 24;
    uint32_t inverse = 1;
    for (int i = 0; i < 5; i++) {
        inverse *= 2 - n * inverse;
    }
    assert_int_equal(n * inverse, 1);
    pub->m_prime = 0 - inverse;
}

static void describe_rsa(fixture_key_t *key)
{
    BN_CTX *ctx = BN_CTX_new();
    BIGNUM *n = number_of(key->pkey, OSSL_PKEY_PARAM_RSA_N);
    BIGNUM *e = number_of(key->pkey, OSSL_PKEY_PARAM_RSA_E);
    assert_int_equal(BN_bn2binpad(n, key->pub.modulus, sizeof(key->pub.modulus)), sizeof(key->pub.modulus));
    key->pub.exponent = (uint32_t)BN_get_word(e);
    describe_r(&key->pub, n, ctx);
    describe_m_prime(&key->pub);
    BN_free(e);
    BN_free(n);
    BN_CTX_free(ctx);
}

static void describe_ec(fixture_key_t *key)
{
    int len = (int)coordinate_bytes(key->pub.scheme);
    BIGNUM *x = number_of(key->pkey, OSSL_PKEY_PARAM_EC_PUB_X);
    BIGNUM *y = number_of(key->pkey, OSSL_PKEY_PARAM_EC_PUB_Y);
    assert_int_equal(BN_bn2binpad(x, key->pub.point, len), len);
    assert_int_equal(BN_bn2binpad(y, key->pub.point + len, len), len);
    BN_free(y);
    BN_free(x);
}

static void make(fixture_key_t *key, trust_scheme_t scheme)
{
    key->pub.scheme = scheme;
    if (scheme == TRUST_SCHEME_RSA3072) {
        key->pkey = EVP_RSA_gen(8 * OTTER_RSA3072_BYTES);
        assert_non_null(key->pkey);
        describe_rsa(key);
        return;
    }
    key->pkey = EVP_EC_gen(scheme == TRUST_SCHEME_P384 ? "P-384" : "P-256");
    assert_non_null(key->pkey);
    describe_ec(key);
}

static uint32_t row_of(trust_scheme_t scheme)
{
    static const trust_scheme_t rows[SCHEMES] = {TRUST_SCHEME_RSA3072, TRUST_SCHEME_P256, TRUST_SCHEME_P384};
    uint32_t row = 0;
    while (row < SCHEMES && rows[row] != scheme) {
        row++;
    }
    assert_true(row < SCHEMES);
    return row;
}

const fixture_key_t *fixture_key(trust_scheme_t scheme, uint32_t number)
{
    assert_true(number < FIXTURE_KEYS);
    fixture_key_t *key = &keys[row_of(scheme)][number];
    if (key->pkey == NULL) {
        make(key, scheme);
    }
    return key;
}

const signature_key_t *fixture_public_key(const fixture_key_t *key)
{
    return &key->pub;
}

/* Takes the memory BIO's contents and frees it. */
static char *text_of(BIO *bio)
{
    char *bytes = NULL;
    long len = BIO_get_mem_data(bio, &bytes);
    assert_true(len > 0);
    char *text = malloc((size_t)len + 1);
    assert_non_null(text);
    memcpy(text, bytes, (size_t)len);
    text[len] = '\0';
    BIO_free(bio);
    return text;
}

char *fixture_key_pem(const fixture_key_t *key)
{
    BIO *bio = BIO_new(BIO_s_mem());
    assert_int_equal(PEM_write_bio_PrivateKey(bio, key->pkey, NULL, NULL, 0, NULL, NULL), 1);
    return text_of(bio);
}

char *fixture_public_key_pem(const fixture_key_t *key)
{
    BIO *bio = BIO_new(BIO_s_mem());
    assert_int_equal(PEM_write_bio_PUBKEY(bio, key->pkey), 1);
    return text_of(bio);
}

void fixture_trust(trust_state_t *trust, uint32_t index, const fixture_key_t *key)
{
    assert_true(index < TRUST_KEYS);
    trust->key[index].provisioned = true;
    trust->key[index].scheme = key->pub.scheme;
    assert_err(signature_key_digest(&key->pub, trust->key[index].digest), ESP_OK);
}

/* ---- Signing ---- */

signature_digests_t fixture_digests(const uint8_t *bytes, size_t len)
{
    signature_digests_t digests = {.has_sha384 = true};
    assert_int_equal(EVP_Digest(bytes, len, digests.sha256, NULL, EVP_sha256(), NULL), 1);
    assert_int_equal(EVP_Digest(bytes, len, digests.sha384, NULL, EVP_sha384(), NULL), 1);
    return digests;
}

static void use_pss(EVP_PKEY_CTX *ctx)
{
    assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING), 1);
    assert_int_equal(EVP_PKEY_CTX_set_signature_md(ctx, EVP_sha256()), 1);
    assert_int_equal(EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, EVP_sha256()), 1);
    assert_int_equal(EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, 32), 1);
}

static void split_ecdsa(const uint8_t *der, size_t der_len, int len, uint8_t *signature)
{
    const unsigned char *p = der;
    ECDSA_SIG *both = d2i_ECDSA_SIG(NULL, &p, (long)der_len);
    assert_non_null(both);
    assert_int_equal(BN_bn2binpad(ECDSA_SIG_get0_r(both), signature, len), len);
    assert_int_equal(BN_bn2binpad(ECDSA_SIG_get0_s(both), signature + len, len), len);
    ECDSA_SIG_free(both);
}

static void sign(const fixture_key_t *key, const uint8_t *digest, size_t digest_len,
                 uint8_t signature[OTTER_RSA3072_BYTES])
{
    uint8_t made[OTTER_RSA3072_BYTES];
    size_t made_len = sizeof(made);
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key->pkey, NULL);
    assert_int_equal(EVP_PKEY_sign_init(ctx), 1);
    if (key->pub.scheme == TRUST_SCHEME_RSA3072) {
        use_pss(ctx);
    }
    assert_int_equal(EVP_PKEY_sign(ctx, made, &made_len, digest, digest_len), 1);
    EVP_PKEY_CTX_free(ctx);
    if (key->pub.scheme == TRUST_SCHEME_RSA3072) {
        assert_int_equal(made_len, sizeof(made));
        memcpy(signature, made, sizeof(made));
    } else {
        split_ecdsa(made, made_len, (int)coordinate_bytes(key->pub.scheme), signature);
    }
}

void fixture_sign(const fixture_key_t *key, const signature_digests_t *digests, uint8_t block[SIGNATURE_BLOCK_BYTES])
{
    uint8_t signature[OTTER_RSA3072_BYTES];
    if (key->pub.scheme == TRUST_SCHEME_P384) {
        sign(key, digests->sha384, sizeof(digests->sha384), signature);
    } else {
        sign(key, digests->sha256, sizeof(digests->sha256), signature);
    }
    assert_err(signature_build(&key->pub, digests, signature, block), ESP_OK);
}

uint8_t *fixture_sign_image(const uint8_t *image, size_t len, const fixture_key_t *const *signers, size_t count,
                            size_t *signed_len)
{
    size_t padded = (len + SIGNATURE_SECTOR_BYTES - 1) / SIGNATURE_SECTOR_BYTES * SIGNATURE_SECTOR_BYTES;
    assert_true(count <= SIGNATURE_BLOCKS);
    *signed_len = padded + SIGNATURE_SECTOR_BYTES;
    uint8_t *bytes = malloc(*signed_len);
    assert_non_null(bytes);
    memset(bytes, 0xFF, *signed_len);
    memcpy(bytes, image, len);
    signature_digests_t digests = fixture_digests(bytes, padded);
    for (size_t i = 0; i < count; i++) {
        fixture_sign(signers[i], &digests, bytes + padded + i * SIGNATURE_BLOCK_BYTES);
    }
    return bytes;
}
