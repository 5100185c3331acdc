/* SPDX-License-Identifier: Apache-2.0 */
/* Signing keys: what is made, taken, refused, and what the public half looks like. */
#include "otter/otter_signing.h"

#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdlib.h>

#include "tests/support/signed_fixture.h"
#include "tests/support/test.h"

static char reason[OTTER_SIGNING_REASON_BYTES];

static const otter_signing_kind_t kinds[] = {OTTER_SIGNING_RSA3072, OTTER_SIGNING_P256, OTTER_SIGNING_P384};
static const trust_scheme_t schemes[] = {TRUST_SCHEME_RSA3072, TRUST_SCHEME_P256, TRUST_SCHEME_P384};

static const uint8_t some_digest[OTTER_SHA384_BYTES] = {0x5a, 1, 2, 3};

/** Loads a text that must be a key. */
static otter_signing_key_t *load(const char *pem)
{
    otter_signing_key_t *key = NULL;
    if (otter_signing_load(pem, strlen(pem), &key, reason) != ESP_OK) {
        fail_msg("refused: %s", reason);
    }
    return key;
}

/** Fails unless the text is refused with this code, for a reason that names @p piece. */
static void assert_refused(const char *pem, esp_err_t err, const char *piece)
{
    otter_signing_key_t *key = (otter_signing_key_t *)&key;
    reason[0] = '\0';
    assert_err(otter_signing_load(pem, strlen(pem), &key, reason), err);
    assert_null(key);
    if (strstr(reason, piece) == NULL) {
        fail_msg("\"%s\" is not in: %s", piece, reason);
    }
}

static char *text_of(BIO *bio)
{
    char *data = NULL;
    long len = BIO_get_mem_data(bio, &data);
    assert_true(len > 0);
    char *text = malloc((size_t)len + 1);
    assert_non_null(text);
    memcpy(text, data, (size_t)len);
    text[len] = '\0';
    BIO_free(bio);
    return text;
}

/** PEM of a private key; frees the key. With a password if there is one. */
static char *private_pem(EVP_PKEY *pkey, const char *password)
{
    assert_non_null(pkey);
    BIO *bio = BIO_new(BIO_s_mem());
    const EVP_CIPHER *cipher = password != NULL ? EVP_aes_128_cbc() : NULL;
    assert_int_equal(PEM_write_bio_PKCS8PrivateKey(bio, pkey, cipher, NULL, 0, NULL, (void *)(uintptr_t)password), 1);
    EVP_PKEY_free(pkey);
    return text_of(bio);
}

static void assert_private_refused(EVP_PKEY *pkey, const char *piece)
{
    char *pem = private_pem(pkey, NULL);
    assert_refused(pem, ESP_ERR_NOT_SUPPORTED, piece);
    free(pem);
}

static bool verifies(const otter_public_key_t *pub, const uint8_t *digest, const uint8_t *signature)
{
    if (pub->kind == OTTER_SIGNING_RSA3072) {
        return otter_verify_rsa3072(pub->modulus, pub->exponent, digest, signature) == ESP_OK;
    }
    otter_curve_t curve = pub->kind == OTTER_SIGNING_P384 ? OTTER_CURVE_P384 : OTTER_CURVE_P256;
    return otter_verify_ecdsa(curve, pub->point, digest, otter_signing_digest_bytes(pub->kind), signature) == ESP_OK;
}

/* ---- Making, signing ---- */

static void a_new_key_signs_what_its_public_half_verifies(void **state)
{
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        otter_signing_key_t *key = NULL;
        otter_public_key_t pub;
        uint8_t signature[OTTER_SIGNATURE_MAX_BYTES];
        assert_err(otter_signing_generate(kinds[i], &key), ESP_OK);
        assert_int_equal(otter_signing_kind(key), kinds[i]);
        assert_true(otter_signing_is_private(key));
        assert_err(otter_signing_public(key, &pub), ESP_OK);
        assert_err(otter_signing_sign(key, some_digest, signature), ESP_OK);
        assert_true(verifies(&pub, some_digest, signature));
        signature[otter_signing_signature_bytes(kinds[i]) - 1] ^= 1;
        assert_false(verifies(&pub, some_digest, signature));
        otter_signing_free(key);
    }
}

static void an_unknown_kind_of_key_is_not_made(void **state)
{
    (void)state;
    otter_signing_key_t *key = (otter_signing_key_t *)&key;
    assert_err(otter_signing_generate((otter_signing_kind_t)3, &key), ESP_ERR_INVALID_ARG);
    assert_null(key);
    otter_signing_free(key);
}

static void two_keys_are_never_the_same(void **state)
{
    (void)state;
    otter_public_key_t pub[2];
    for (size_t i = 0; i < 2; i++) {
        otter_signing_key_t *key = NULL;
        assert_err(otter_signing_generate(OTTER_SIGNING_P256, &key), ESP_OK);
        assert_err(otter_signing_public(key, &pub[i]), ESP_OK);
        otter_signing_free(key);
    }
    assert_memory_not_equal(pub[0].point, pub[1].point, sizeof(pub[0].point));
}

static void a_key_written_as_pem_is_the_same_when_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        char pem[OTTER_PEM_BYTES];
        otter_public_key_t before;
        otter_public_key_t after;
        otter_signing_key_t *key = NULL;
        assert_err(otter_signing_generate(kinds[i], &key), ESP_OK);
        assert_err(otter_signing_public(key, &before), ESP_OK);
        assert_err(otter_signing_private_pem(key, pem), ESP_OK);
        otter_signing_key_t *again = load(pem);
        assert_true(otter_signing_is_private(again));
        assert_err(otter_signing_public(again, &after), ESP_OK);
        assert_memory_equal(&after, &before, sizeof(after));
        otter_signing_free(again);
        assert_err(otter_signing_public_pem(key, pem), ESP_OK);
        assert_null(strstr(pem, "PRIVATE"));
        again = load(pem);
        assert_false(otter_signing_is_private(again));
        assert_err(otter_signing_public(again, &after), ESP_OK);
        assert_memory_equal(&after, &before, sizeof(after));
        otter_signing_free(again);
        otter_signing_free(key);
    }
}

static void the_public_half_alone_neither_signs_nor_gives_a_private_key(void **state)
{
    (void)state;
    char pem[OTTER_PEM_BYTES] = "something";
    uint8_t signature[OTTER_SIGNATURE_MAX_BYTES];
    char *public_pem = fixture_public_key_pem(fixture_key(TRUST_SCHEME_P256, 0));
    otter_signing_key_t *key = load(public_pem);
    assert_err(otter_signing_sign(key, some_digest, signature), ESP_ERR_INVALID_STATE);
    assert_err(otter_signing_private_pem(key, pem), ESP_ERR_INVALID_STATE);
    assert_string_equal(pem, "");
    otter_signing_free(key);
    free(public_pem);
}

static void the_public_half_has_the_fields_of_a_signature_block(void **state)
{
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        const signature_key_t *expected = fixture_public_key(fixture_key(schemes[i], 0));
        char *pem = fixture_key_pem(fixture_key(schemes[i], 0));
        otter_signing_key_t *key = load(pem);
        otter_public_key_t pub;
        assert_err(otter_signing_public(key, &pub), ESP_OK);
        assert_int_equal(pub.kind, kinds[i]);
        assert_memory_equal(pub.modulus, expected->modulus, sizeof(pub.modulus));
        assert_memory_equal(pub.r, expected->r, sizeof(pub.r));
        assert_memory_equal(pub.point, expected->point, sizeof(pub.point));
        assert_int_equal(pub.exponent, expected->exponent);
        assert_int_equal(pub.m_prime, expected->m_prime);
        otter_signing_free(key);
        free(pem);
    }
}

static void m_prime_is_the_inverse_that_montgomery_wants(void **state)
{
    (void)state;
    char *pem = fixture_key_pem(fixture_key(TRUST_SCHEME_RSA3072, 0));
    otter_signing_key_t *key = load(pem);
    otter_public_key_t pub;
    assert_err(otter_signing_public(key, &pub), ESP_OK);
    const uint8_t *low = pub.modulus + sizeof(pub.modulus) - 4;
    uint32_t n0 = (uint32_t)low[0] << 24 | (uint32_t)low[1] << 16 | (uint32_t)low[2] << 8 | low[3];
    assert_int_equal((uint32_t)(n0 * pub.m_prime), 0xffffffff);
    otter_signing_free(key);
    free(pem);
}

/* ---- Reading ---- */

static void older_forms_of_private_keys_are_taken(void **state)
{
    (void)state;
    EVP_PKEY *pkeys[] = {EVP_RSA_gen(3072), EVP_EC_gen("P-256"), EVP_EC_gen("P-384")};
    for (size_t i = 0; i < 3; i++) {
        BIO *bio = BIO_new(BIO_s_mem());
        assert_int_equal(PEM_write_bio_PrivateKey_traditional(bio, pkeys[i], NULL, NULL, 0, NULL, NULL), 1);
        char *pem = text_of(bio);
        assert_non_null(strstr(pem, i == 0 ? "BEGIN RSA PRIVATE KEY" : "BEGIN EC PRIVATE KEY"));
        otter_signing_key_t *key = load(pem);
        assert_int_equal(otter_signing_kind(key), kinds[i]);
        assert_true(otter_signing_is_private(key));
        otter_signing_free(key);
        free(pem);
        EVP_PKEY_free(pkeys[i]);
    }
}

static void text_before_a_key_does_not_matter(void **state)
{
    (void)state;
    char text[OTTER_PEM_BYTES];
    char *pem = fixture_key_pem(fixture_key(TRUST_SCHEME_P256, 0));
    snprintf(text, sizeof(text), "the key of 1 April\n%s", pem);
    otter_signing_key_t *key = load(text);
    assert_true(otter_signing_is_private(key));
    otter_signing_free(key);
    free(pem);
}

static void keys_of_other_sizes_and_types_are_refused_by_name(void **state)
{
    (void)state;
    assert_private_refused(EVP_RSA_gen(2048), "RSA-2048");
    assert_private_refused(EVP_EC_gen("P-521"), "secp521r1");
    assert_private_refused(EVP_EC_gen("P-192"), "prime192v1");
    assert_private_refused(EVP_EC_gen("secp256k1"), "secp256k1");
    assert_private_refused(EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"), "ED25519");
    assert_private_refused(EVP_PKEY_Q_keygen(NULL, NULL, "X25519"), "X25519");
}

static void an_exponent_that_does_not_fit_a_block_is_refused(void **state)
{
    (void)state;
    EVP_PKEY *pkey = NULL;
    BIGNUM *e = BN_new();
    assert_int_equal(BN_set_word(e, 0x100000001), 1);
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
    assert_int_equal(EVP_PKEY_keygen_init(ctx), 1);
    assert_int_equal(EVP_PKEY_CTX_set_rsa_keygen_bits(ctx, 3072), 1);
    assert_int_equal(EVP_PKEY_CTX_set1_rsa_keygen_pubexp(ctx, e), 1);
    assert_int_equal(EVP_PKEY_generate(ctx, &pkey), 1);
    assert_private_refused(pkey, "exponent");
    EVP_PKEY_CTX_free(ctx);
    BN_free(e);
}

static void a_damaged_public_key_is_refused(void **state)
{
    (void)state;
    EVP_PKEY *good = EVP_RSA_gen(3072);
    BIGNUM *n = NULL;
    assert_int_equal(EVP_PKEY_get_bn_param(good, OSSL_PKEY_PARAM_RSA_N, &n), 1);
    assert_int_equal(BN_clear_bit(n, 0), 1); /* No product of two large primes is even. */
    uint8_t modulus[OTTER_RSA3072_BYTES];
    assert_int_equal(BN_bn2nativepad(n, modulus, sizeof(modulus)), sizeof(modulus));
    unsigned e = 65537;
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_RSA_N, modulus, sizeof(modulus)),
        OSSL_PARAM_construct_uint(OSSL_PKEY_PARAM_RSA_E, &e),
        OSSL_PARAM_construct_end(),
    };
    EVP_PKEY *bad = NULL;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
    assert_int_equal(EVP_PKEY_fromdata_init(ctx), 1);
    assert_int_equal(EVP_PKEY_fromdata(ctx, &bad, EVP_PKEY_PUBLIC_KEY, params), 1);
    BIO *bio = BIO_new(BIO_s_mem());
    assert_int_equal(PEM_write_bio_PUBKEY(bio, bad), 1);
    char *pem = text_of(bio);
    assert_refused(pem, ESP_ERR_INVALID_ARG, "damaged");
    free(pem);
    EVP_PKEY_CTX_free(ctx);
    EVP_PKEY_free(bad);
    EVP_PKEY_free(good);
    BN_free(n);
}

static void a_key_with_a_password_is_refused_without_asking(void **state)
{
    (void)state;
    char *pem = private_pem(EVP_EC_gen("P-256"), "secret");
    assert_non_null(strstr(pem, "ENCRYPTED"));
    assert_refused(pem, ESP_ERR_NOT_SUPPORTED, "password");
    free(pem);
}

static void a_certificate_is_refused_by_name(void **state)
{
    (void)state;
    EVP_PKEY *pkey = EVP_EC_gen("P-256");
    X509 *cert = X509_new();
    assert_int_equal(X509_set_pubkey(cert, pkey), 1);
    X509_gmtime_adj(X509_getm_notBefore(cert), 0);
    X509_gmtime_adj(X509_getm_notAfter(cert), 60);
    assert_true(X509_sign(cert, pkey, EVP_sha256()) > 0);
    BIO *bio = BIO_new(BIO_s_mem());
    assert_int_equal(PEM_write_bio_X509(bio, cert), 1);
    char *pem = text_of(bio);
    assert_refused(pem, ESP_ERR_NOT_SUPPORTED, "a certificate");
    free(pem);
    X509_free(cert);
    EVP_PKEY_free(pkey);
}

static void what_is_no_key_is_refused(void **state)
{
    (void)state;
    char *pem = fixture_key_pem(fixture_key(TRUST_SCHEME_P256, 0));
    assert_refused("", ESP_ERR_INVALID_ARG, "no PEM");
    assert_refused("hello\n", ESP_ERR_INVALID_ARG, "no PEM");
    assert_refused("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", ESP_ERR_INVALID_ARG, "PUBLIC KEY");
    assert_refused("-----BEGIN DH PARAMETERS-----\nAAAA\n-----END DH PARAMETERS-----\n", ESP_ERR_INVALID_ARG,
                   "DH PARAMETERS");
    pem[strlen(pem) / 2] = '\0';
    assert_refused(pem, ESP_ERR_INVALID_ARG, "no PEM");
    free(pem);
}

/* ---- Signatures made elsewhere ---- */

/** DER of r = first, s = second byte repeated @p len times. */
static int der_of(uint8_t r, uint8_t s, int len, uint8_t *der)
{
    uint8_t number[64];
    ECDSA_SIG *both = ECDSA_SIG_new();
    memset(number, r, sizeof(number));
    BIGNUM *first = BN_bin2bn(number, len, NULL);
    memset(number, s, sizeof(number));
    BIGNUM *second = BN_bin2bn(number, len, NULL);
    assert_int_equal(ECDSA_SIG_set0(both, first, second), 1);
    unsigned char *at = der;
    int der_len = i2d_ECDSA_SIG(both, &at);
    ECDSA_SIG_free(both);
    assert_true(der_len > 0);
    return der_len;
}

static void der_signatures_become_two_numbers_of_full_length(void **state)
{
    (void)state;
    uint8_t der[OTTER_SIGNATURE_INPUT_BYTES];
    uint8_t signature[OTTER_SIGNATURE_MAX_BYTES];
    int len = der_of(0x91, 0x22, 31, der);
    assert_err(otter_signing_decode(OTTER_SIGNING_P256, der, (size_t)len, signature), ESP_OK);
    assert_int_equal(signature[0], 0);
    assert_int_equal(signature[1], 0x91);
    assert_int_equal(signature[31], 0x91);
    assert_int_equal(signature[32], 0);
    assert_int_equal(signature[63], 0x22);
    len = der_of(0x91, 0x22, 48, der);
    assert_err(otter_signing_decode(OTTER_SIGNING_P384, der, (size_t)len, signature), ESP_OK);
    assert_int_equal(signature[0], 0x91);
    assert_int_equal(signature[95], 0x22);
}

static void raw_signatures_stay_as_they_are(void **state)
{
    (void)state;
    uint8_t raw[OTTER_SIGNATURE_MAX_BYTES];
    uint8_t signature[OTTER_SIGNATURE_MAX_BYTES];
    for (size_t i = 0; i < sizeof(raw); i++) {
        raw[i] = (uint8_t)(i * 7);
    }
    for (size_t i = 0; i < 3; i++) {
        size_t len = otter_signing_signature_bytes(kinds[i]);
        memset(signature, 0, sizeof(signature));
        assert_err(otter_signing_decode(kinds[i], raw, len, signature), ESP_OK);
        assert_memory_equal(signature, raw, len);
    }
}

static void what_has_the_form_of_no_signature_is_refused(void **state)
{
    (void)state;
    uint8_t der[OTTER_SIGNATURE_INPUT_BYTES + 1] = {0};
    uint8_t signature[OTTER_SIGNATURE_MAX_BYTES];
    size_t len = (size_t)der_of(0x41, 0x42, 32, der);
    assert_err(otter_signing_decode(OTTER_SIGNING_P256, der, len, signature), ESP_OK);
    assert_err(otter_signing_decode(OTTER_SIGNING_P256, der, len + 1, signature), ESP_ERR_INVALID_ARG);
    assert_err(otter_signing_decode(OTTER_SIGNING_P256, der, len - 1, signature), ESP_ERR_INVALID_ARG);
    assert_err(otter_signing_decode(OTTER_SIGNING_P256, der, 0, signature), ESP_ERR_INVALID_ARG);
    assert_err(otter_signing_decode(OTTER_SIGNING_P256, der, sizeof(der), signature), ESP_ERR_INVALID_ARG);
    assert_err(otter_signing_decode(OTTER_SIGNING_RSA3072, der, len, signature), ESP_ERR_INVALID_ARG);
    assert_err(otter_signing_decode(OTTER_SIGNING_RSA3072, der, 383, signature), ESP_ERR_INVALID_ARG);
    len = (size_t)der_of(0x41, 0x42, 33, der);
    assert_err(otter_signing_decode(OTTER_SIGNING_P256, der, len, signature), ESP_ERR_INVALID_ARG);
}

static void a_negative_number_in_a_signature_is_refused(void **state)
{
    (void)state;
    static const uint8_t der[] = {0x30, 0x06, 0x02, 0x01, 0xff, 0x02, 0x01, 0x01};
    static const uint8_t positive[] = {0x30, 0x06, 0x02, 0x01, 0x7f, 0x02, 0x01, 0x01};
    uint8_t signature[OTTER_SIGNATURE_MAX_BYTES];
    assert_err(otter_signing_decode(OTTER_SIGNING_P256, positive, sizeof(positive), signature), ESP_OK);
    assert_err(otter_signing_decode(OTTER_SIGNING_P256, der, sizeof(der), signature), ESP_ERR_INVALID_ARG);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_new_key_signs_what_its_public_half_verifies),
    cmocka_unit_test(an_unknown_kind_of_key_is_not_made),
    cmocka_unit_test(two_keys_are_never_the_same),
    cmocka_unit_test(a_key_written_as_pem_is_the_same_when_read),
    cmocka_unit_test(the_public_half_alone_neither_signs_nor_gives_a_private_key),
    cmocka_unit_test(the_public_half_has_the_fields_of_a_signature_block),
    cmocka_unit_test(m_prime_is_the_inverse_that_montgomery_wants),
    cmocka_unit_test(older_forms_of_private_keys_are_taken),
    cmocka_unit_test(text_before_a_key_does_not_matter),
    cmocka_unit_test(keys_of_other_sizes_and_types_are_refused_by_name),
    cmocka_unit_test(an_exponent_that_does_not_fit_a_block_is_refused),
    cmocka_unit_test(a_damaged_public_key_is_refused),
    cmocka_unit_test(a_key_with_a_password_is_refused_without_asking),
    cmocka_unit_test(a_certificate_is_refused_by_name),
    cmocka_unit_test(what_is_no_key_is_refused),
    cmocka_unit_test(der_signatures_become_two_numbers_of_full_length),
    cmocka_unit_test(raw_signatures_stay_as_they_are),
    cmocka_unit_test(what_has_the_form_of_no_signature_is_refused),
    cmocka_unit_test(a_negative_number_in_a_signature_is_refused),
};

TEST_MAIN(tests)
