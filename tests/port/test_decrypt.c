/* SPDX-License-Identifier: Apache-2.0 */
/* What decrypting an image takes: published vectors, and keys that are refused. */
#include "otter/otter_decrypt.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdlib.h>

#include "otter/otter_encrypt.h"
#include "tests/support/signed_fixture.h"
#include "tests/support/test.h"

static char reason[OTTER_DECRYPT_REASON_BYTES];

static uint8_t digit(char c)
{
    return (uint8_t)(c <= '9' ? c - '0' : c - 'a' + 10);
}

/** Bytes of a hexadecimal text. @return how many */
static size_t from_hex(const char *hex, uint8_t *bytes)
{
    size_t len = strlen(hex) / 2;
    for (size_t i = 0; i < len; i++) {
        bytes[i] = (uint8_t)(digit(hex[2 * i]) << 4 | digit(hex[2 * i + 1]));
    }
    return len;
}

static otter_bytes_t hex_bytes(const char *hex, uint8_t *room)
{
    return (otter_bytes_t){room, from_hex(hex, room)};
}

static void assert_hex(const uint8_t *bytes, const char *hex)
{
    uint8_t wanted[512];
    size_t len = from_hex(hex, wanted);
    assert_memory_equal(bytes, wanted, len);
}

static char *public_pem(const fixture_key_t *key)
{
    return fixture_public_key_pem(key);
}

static void load(otter_decrypt_key_t *key, char *pem)
{
    if (otter_decrypt_load_key(key, pem, strlen(pem), reason) != ESP_OK) {
        fail_msg("refused: %s", reason);
    }
    free(pem);
}

static void load_private(otter_decrypt_key_t *key, trust_scheme_t scheme)
{
    load(key, fixture_key_pem(fixture_key(scheme, 0)));
}

static void load_public(otter_decrypt_key_t *key, trust_scheme_t scheme)
{
    load(key, public_pem(fixture_key(scheme, 0)));
}

static void assert_refused(const char *pem, size_t len, esp_err_t err, const char *piece)
{
    otter_decrypt_key_t key;
    const otter_decrypt_key_t none = {{0}};
    memset(&key, 0xA5, sizeof(key));
    reason[0] = '\0';
    assert_err(otter_decrypt_load_key(&key, pem, len, reason), err);
    assert_memory_equal(&key, &none, sizeof(key));
    if (strstr(reason, piece) == NULL) {
        fail_msg("\"%s\" is not in: %s", piece, reason);
    }
}

/* ---- Derivation ---- */

static void hkdf_matches_the_published_vectors(void **state)
{
    (void)state;
    uint8_t a[32];
    uint8_t b[32];
    uint8_t c[32];
    uint8_t out[42];
    otter_bytes_t secret = hex_bytes("0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", a);
    otter_bytes_t salt = hex_bytes("000102030405060708090a0b0c", b);
    otter_bytes_t info = hex_bytes("f0f1f2f3f4f5f6f7f8f9", c);
    assert_err(otter_hkdf_sha256(salt, secret, info, out, sizeof(out)), ESP_OK);
    assert_hex(out, "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865");
    otter_bytes_t none = {NULL, 0};
    assert_err(otter_hkdf_sha256(none, secret, none, out, sizeof(out)), ESP_OK);
    assert_hex(out, "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8");
}

static void pbkdf2_matches_published_vectors(void **state)
{
    (void)state;
    uint8_t out[32];
    otter_bytes_t password = {"password", 8};
    otter_bytes_t salt = {"salt", 4};
    assert_err(otter_pbkdf2_sha256(password, salt, 1, out, sizeof(out)), ESP_OK);
    assert_hex(out, "120fb6cffcf8b32c43e7225256c4f837a86548c92ccc35480805987cb70be17b");
    assert_err(otter_pbkdf2_sha256(password, salt, 4096, out, sizeof(out)), ESP_OK);
    assert_hex(out, "c5e478d59288c841aa530db6845c4c8d962893a001ce4e11a4963873aa98134a");
    assert_err(otter_pbkdf2_sha256(password, salt, 0, out, sizeof(out)), ESP_FAIL);
}

/* ---- AES-256-GCM ---- */

static const char gcm_key[] = "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308";
static const char gcm_plain[] = "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
                                "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39";

/** Encrypts in pieces of @p step, checks, decrypts again. */
static void assert_gcm(otter_bytes_t iv, const uint8_t *plain, size_t len, size_t step, uint8_t *cipher, uint8_t *tag)
{
    uint8_t key[32];
    uint8_t again[4096];
    otter_gcm_t gcm = {{0}};
    from_hex(gcm_key, key);
    assert_err(otter_gcm_begin(&gcm, OTTER_GCM_ENCRYPT, key, iv), ESP_OK);
    for (size_t at = 0; at < len; at += step) {
        assert_err(otter_gcm_update(&gcm, plain + at, len - at < step ? len - at : step, cipher + at), ESP_OK);
    }
    assert_err(otter_gcm_seal(&gcm, tag), ESP_OK);
    otter_gcm_free(&gcm);
    assert_err(otter_gcm_begin(&gcm, OTTER_GCM_DECRYPT, key, iv), ESP_OK);
    for (size_t at = 0; at < len; at += step) {
        assert_err(otter_gcm_update(&gcm, cipher + at, len - at < step ? len - at : step, again + at), ESP_OK);
    }
    assert_err(otter_gcm_check(&gcm, tag), ESP_OK);
    otter_gcm_free(&gcm);
    assert_memory_equal(again, plain, len);
}

static void gcm_matches_a_published_ciphertext(void **state)
{
    (void)state;
    uint8_t iv_room[60];
    uint8_t plain[60];
    uint8_t cipher[60];
    uint8_t tag[16];
    otter_bytes_t iv = hex_bytes("cafebabefacedbaddecaf888", iv_room);
    size_t len = from_hex(gcm_plain, plain);
    assert_gcm(iv, plain, len, 16, cipher, tag);
    assert_hex(cipher, "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
                       "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662");
}

/** No vector of the standard has 16 bytes of IV: OpenSSL's one-shot result by another way through it. */
static void gcm_takes_an_iv_of_sixteen_bytes(void **state)
{
    (void)state;
    static const uint8_t iv_bytes[16] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
    uint8_t zero[4096] = {0};
    uint8_t cipher[4096];
    uint8_t other[4096];
    uint8_t tag[16];
    uint8_t other_tag[16];
    otter_bytes_t iv = {iv_bytes, sizeof(iv_bytes)};
    assert_gcm(iv, zero, sizeof(zero), 16, cipher, tag);
    assert_gcm(iv, zero, sizeof(zero), sizeof(zero), other, other_tag);
    assert_memory_equal(cipher, other, sizeof(cipher));
    assert_memory_equal(tag, other_tag, sizeof(tag));
    otter_bytes_t short_iv = {iv_bytes, 12};
    assert_gcm(short_iv, zero, sizeof(zero), 32, other, other_tag);
    assert_memory_not_equal(cipher, other, 16);
}

static void gcm_notices_any_changed_bit_of_tag_and_text(void **state)
{
    (void)state;
    uint8_t key[32];
    uint8_t plain[60];
    uint8_t cipher[60];
    uint8_t out[60];
    uint8_t tag[16];
    uint8_t iv_room[16];
    otter_bytes_t iv = hex_bytes("cafebabefacedbaddecaf88800112233", iv_room);
    size_t len = from_hex(gcm_plain, plain);
    from_hex(gcm_key, key);
    assert_gcm(iv, plain, len, 16, cipher, tag);
    for (size_t bit = 0; bit < 8 * (len + sizeof(tag)); bit++) {
        uint8_t *byte = bit / 8 < len ? &cipher[bit / 8] : &tag[bit / 8 - len];
        otter_gcm_t gcm = {{0}};
        *byte ^= (uint8_t)(1u << bit % 8);
        assert_err(otter_gcm_begin(&gcm, OTTER_GCM_DECRYPT, key, iv), ESP_OK);
        assert_err(otter_gcm_update(&gcm, cipher, len, out), ESP_OK);
        assert_err(otter_gcm_check(&gcm, tag), ESP_FAIL);
        otter_gcm_free(&gcm);
        *byte ^= (uint8_t)(1u << bit % 8);
    }
}

static void a_gcm_context_that_was_not_begun_does_nothing(void **state)
{
    (void)state;
    otter_gcm_t gcm = {{0}};
    uint8_t bytes[32] = {0};
    assert_err(otter_gcm_update(&gcm, bytes, 16, bytes), ESP_FAIL);
    assert_err(otter_gcm_seal(&gcm, bytes), ESP_FAIL);
    assert_err(otter_gcm_check(&gcm, bytes), ESP_FAIL);
    otter_gcm_free(&gcm);
    assert_err(otter_gcm_begin(&gcm, OTTER_GCM_DECRYPT, bytes, (otter_bytes_t){bytes, 0}), ESP_FAIL);
    assert_err(otter_gcm_update(&gcm, bytes, 16, bytes), ESP_FAIL);
}

/* ---- Keys ---- */

static void keys_are_told_apart(void **state)
{
    (void)state;
    otter_decrypt_key_t key;
    load_private(&key, TRUST_SCHEME_RSA3072);
    assert_int_equal(otter_decrypt_kind(&key), OTTER_DECRYPT_RSA3072);
    assert_true(otter_decrypt_is_private(&key));
    otter_decrypt_free_key(&key);
    load_public(&key, TRUST_SCHEME_P256);
    assert_int_equal(otter_decrypt_kind(&key), OTTER_DECRYPT_P256);
    assert_false(otter_decrypt_is_private(&key));
    otter_decrypt_free_key(&key);
    otter_decrypt_free_key(&key);
}

static void the_nul_behind_an_embedded_key_does_not_matter(void **state)
{
    (void)state;
    otter_decrypt_key_t key;
    char *pem = fixture_key_pem(fixture_key(TRUST_SCHEME_P256, 0));
    assert_err(otter_decrypt_load_key(&key, pem, strlen(pem) + 1, reason), ESP_OK);
    otter_decrypt_free_key(&key);
    free(pem);
}

static void keys_of_other_kinds_are_refused_by_name(void **state)
{
    (void)state;
    char *p384 = fixture_key_pem(fixture_key(TRUST_SCHEME_P384, 0));
    assert_refused(p384, strlen(p384), ESP_ERR_NOT_SUPPORTED, "a key of type EC with 384 bits");
    free(p384);
    assert_refused("hello", 5, ESP_ERR_INVALID_ARG, "no PEM file with a key");
    assert_refused("", 0, ESP_ERR_INVALID_ARG, "no PEM file with a key");
    static const char broken[] = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
    assert_refused(broken, sizeof(broken), ESP_ERR_INVALID_ARG, "no key that can be read (PRIVATE KEY)");
    BIO *bio = BIO_new(BIO_s_mem());
    EVP_PKEY *small = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048);
    char *text;
    assert_int_equal(PEM_write_bio_PrivateKey(bio, small, NULL, NULL, 0, NULL, NULL), 1);
    size_t len = (size_t)BIO_get_mem_data(bio, &text);
    assert_refused(text, len, ESP_ERR_NOT_SUPPORTED, "a key of type RSA with 2048 bits");
    EVP_PKEY_free(small);
    BIO_free(bio);
}

static void a_truncated_key_is_refused_at_every_length(void **state)
{
    (void)state;
    char *pem = fixture_key_pem(fixture_key(TRUST_SCHEME_P256, 0));
    size_t len = strlen(pem) - 2; /* The last newline, and one dash, may be missing. */
    for (size_t i = 0; i < len; i++) {
        otter_decrypt_key_t key;
        assert_err(otter_decrypt_load_key(&key, pem, i, reason), ESP_ERR_INVALID_ARG);
    }
    free(pem);
}

static void rsa_gives_back_what_was_encrypted_with_its_padding(void **state)
{
    (void)state;
    otter_decrypt_key_t both;
    otter_decrypt_key_t half;
    uint8_t wrapped[OTTER_RSA3072_BYTES];
    uint8_t padded[OTTER_RSA3072_BYTES];
    load_private(&both, TRUST_SCHEME_RSA3072);
    load_public(&half, TRUST_SCHEME_RSA3072);
    assert_err(otter_encrypt_rsa3072(&half, (otter_bytes_t){"a secret", 8}, wrapped), ESP_OK);
    assert_err(otter_decrypt_rsa3072(&both, wrapped, padded), ESP_OK);
    assert_int_equal(padded[0], 0);
    assert_int_equal(padded[1], 2);
    assert_memory_equal(padded + sizeof(padded) - 9, "\0a secret", 9);
    assert_err(otter_decrypt_rsa3072(&half, wrapped, padded), ESP_ERR_INVALID_STATE);
    memset(wrapped, 0xFF, sizeof(wrapped));
    assert_err(otter_decrypt_rsa3072(&both, wrapped, padded), ESP_FAIL);
    otter_decrypt_free_key(&half);
    otter_decrypt_free_key(&both);
}

static void operations_of_another_kind_of_key_are_refused(void **state)
{
    (void)state;
    otter_decrypt_key_t rsa;
    otter_decrypt_key_t p256;
    otter_decrypt_key_t none = {{0}};
    uint8_t bytes[OTTER_RSA3072_BYTES] = {1};
    load_private(&rsa, TRUST_SCHEME_RSA3072);
    load_private(&p256, TRUST_SCHEME_P256);
    assert_err(otter_decrypt_rsa3072(&p256, bytes, bytes), ESP_ERR_INVALID_STATE);
    assert_err(otter_decrypt_rsa3072(&none, bytes, bytes), ESP_ERR_INVALID_STATE);
    assert_err(otter_decrypt_ecdh(&rsa, bytes, bytes), ESP_ERR_INVALID_STATE);
    assert_err(otter_encrypt_rsa3072(&p256, (otter_bytes_t){bytes, 32}, bytes), ESP_ERR_INVALID_STATE);
    assert_err(otter_encrypt_public_point(&rsa, bytes), ESP_ERR_INVALID_STATE);
    otter_decrypt_free_key(&rsa);
    otter_decrypt_free_key(&p256);
}

/* RFC 5903, section 8.1. */
static const char number_i[] = "c88f01f510d9ac3f70a292daa2316de544e9aab8afe84049c62a9c57862d1433";
static const char point_i[] = "dad0b65394221cf9b051e1feca5787d098dfe637fc90b9ef945d0c3772581180"
                              "5271a0461cdb8252d61f1c456fa3e59ab1f45b33accf5f58389e0577b8990bb3";
static const char number_r[] = "c6ef9c5d78ae012a011164acb397ce2088685d8f06bf9be0b283ab46476bee53";
static const char point_r[] = "d12dfb5289c8d4f81208b70270398c342296970a0bccb74c736fc7554494bf63"
                              "56fbf3ca366cc23e8157854c13c58d6aac23f046ada30f8353e74f33039872ab";
static const char agreed[] = "d6840f6b42f6edafd13116e0e12565202fef8e9ece7dce03812464d04b9442de";

static void ecdh_matches_a_published_vector_both_ways(void **state)
{
    (void)state;
    otter_decrypt_key_t key;
    uint8_t number[32];
    uint8_t point[64];
    uint8_t secret[32];
    from_hex(number_i, number);
    from_hex(point_r, point);
    assert_err(otter_decrypt_make_key(&key, number), ESP_OK);
    assert_err(otter_decrypt_ecdh(&key, point, secret), ESP_OK);
    assert_hex(secret, agreed);
    assert_err(otter_encrypt_public_point(&key, point), ESP_OK);
    assert_hex(point, point_i);
    otter_decrypt_free_key(&key);
    from_hex(number_r, number);
    assert_err(otter_decrypt_make_key(&key, number), ESP_OK);
    assert_err(otter_decrypt_ecdh(&key, point, secret), ESP_OK);
    assert_hex(secret, agreed);
    otter_decrypt_free_key(&key);
}

static void a_point_off_the_curve_agrees_on_nothing(void **state)
{
    (void)state;
    otter_decrypt_key_t key;
    uint8_t point[64];
    uint8_t secret[32];
    load_private(&key, TRUST_SCHEME_P256);
    for (unsigned bit = 0; bit < 8 * sizeof(point); bit++) {
        from_hex(point_r, point);
        point[bit / 8] ^= (uint8_t)(1u << bit % 8);
        if (otter_decrypt_ecdh(&key, point, secret) != ESP_FAIL) {
            fail_msg("bit %u", bit);
        }
    }
    memset(point, 0, sizeof(point));
    assert_err(otter_decrypt_ecdh(&key, point, secret), ESP_FAIL);
    memset(point, 0xFF, sizeof(point));
    assert_err(otter_decrypt_ecdh(&key, point, secret), ESP_FAIL);
    otter_decrypt_free_key(&key);
}

static void numbers_outside_the_group_make_no_key(void **state)
{
    (void)state;
    static const char order[] = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";
    otter_decrypt_key_t key;
    uint8_t number[32] = {0};
    assert_err(otter_decrypt_make_key(&key, number), ESP_ERR_INVALID_ARG);
    number[31] = 1;
    assert_err(otter_decrypt_make_key(&key, number), ESP_OK);
    otter_decrypt_free_key(&key);
    from_hex(order, number);
    assert_err(otter_decrypt_make_key(&key, number), ESP_ERR_INVALID_ARG);
    number[31]--;
    assert_err(otter_decrypt_make_key(&key, number), ESP_OK);
    otter_decrypt_free_key(&key);
    memset(number, 0xFF, sizeof(number));
    assert_err(otter_decrypt_make_key(&key, number), ESP_ERR_INVALID_ARG);
}

static void new_keys_differ(void **state)
{
    (void)state;
    otter_decrypt_key_t key[2];
    uint8_t point[2][64];
    for (unsigned i = 0; i < 2; i++) {
        assert_err(otter_encrypt_new_key(&key[i]), ESP_OK);
        assert_true(otter_decrypt_is_private(&key[i]));
        assert_err(otter_encrypt_public_point(&key[i], point[i]), ESP_OK);
        otter_decrypt_free_key(&key[i]);
    }
    assert_memory_not_equal(point[0], point[1], sizeof(point[0]));
}

/** Loads DER as the kind that it should be, and compares with the key it came from. */
static void assert_public_der(trust_scheme_t scheme, const char *type)
{
    otter_decrypt_key_t key;
    uint8_t der[OTTER_DECRYPT_PUBLIC_MAX];
    const unsigned char *at = der;
    size_t len;
    load_private(&key, scheme);
    assert_err(otter_decrypt_public_der(&key, der, &len), ESP_OK);
    EVP_PKEY *loaded = scheme == TRUST_SCHEME_RSA3072 ? d2i_PublicKey(EVP_PKEY_RSA, NULL, &at, (long)len)
                                                      : d2i_PUBKEY(NULL, &at, (long)len);
    assert_non_null(loaded);
    assert_true(EVP_PKEY_is_a(loaded, type));
    assert_ptr_equal(at, der + len);
    char *pem = public_pem(fixture_key(scheme, 0));
    BIO *bio = BIO_new_mem_buf(pem, -1);
    EVP_PKEY *wanted = PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL);
    assert_int_equal(EVP_PKEY_eq(loaded, wanted), 1);
    EVP_PKEY_free(wanted);
    EVP_PKEY_free(loaded);
    BIO_free(bio);
    free(pem);
    otter_decrypt_free_key(&key);
}

static void the_public_half_is_told_as_der(void **state)
{
    (void)state;
    assert_public_der(TRUST_SCHEME_RSA3072, "RSA");
    assert_public_der(TRUST_SCHEME_P256, "EC");
    otter_decrypt_key_t none = {{0}};
    uint8_t der[OTTER_DECRYPT_PUBLIC_MAX];
    size_t len = 1;
    assert_err(otter_decrypt_public_der(&none, der, &len), ESP_FAIL);
    assert_int_equal(len, 0);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(hkdf_matches_the_published_vectors),
    cmocka_unit_test(pbkdf2_matches_published_vectors),
    cmocka_unit_test(gcm_matches_a_published_ciphertext),
    cmocka_unit_test(gcm_takes_an_iv_of_sixteen_bytes),
    cmocka_unit_test(gcm_notices_any_changed_bit_of_tag_and_text),
    cmocka_unit_test(a_gcm_context_that_was_not_begun_does_nothing),
    cmocka_unit_test(keys_are_told_apart),
    cmocka_unit_test(the_nul_behind_an_embedded_key_does_not_matter),
    cmocka_unit_test(keys_of_other_kinds_are_refused_by_name),
    cmocka_unit_test(a_truncated_key_is_refused_at_every_length),
    cmocka_unit_test(rsa_gives_back_what_was_encrypted_with_its_padding),
    cmocka_unit_test(operations_of_another_kind_of_key_are_refused),
    cmocka_unit_test(ecdh_matches_a_published_vector_both_ways),
    cmocka_unit_test(a_point_off_the_curve_agrees_on_nothing),
    cmocka_unit_test(numbers_outside_the_group_make_no_key),
    cmocka_unit_test(new_keys_differ),
    cmocka_unit_test(the_public_half_is_told_as_der),
};

TEST_MAIN(tests)
