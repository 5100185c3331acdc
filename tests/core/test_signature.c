/* SPDX-License-Identifier: Apache-2.0 */
/* Signature blocks: every verdict, every byte, every scheme. */
#include "core/trust/signature.h"

#include "core/util/bytes.h"
#include "tests/support/signed_fixture.h"
#include "tests/support/test.h"

#define OFF_CRC 1196
#define FLIP    0x80 /* Makes no version, digest kind or curve into another one that exists. */

/* Where the fields of a scheme's block are: contract, written out once more. */
typedef struct fields {
    trust_scheme_t scheme;
    uint8_t version;
    uint8_t sha;
    uint32_t digest_len;
    uint32_t key_off;
    uint32_t key_len;
    uint32_t curve; /* 0: the key field does not begin with one. */
    uint32_t signature_off;
    uint32_t signature_len;
} fields_t;

static const fields_t all[] = {
    {TRUST_SCHEME_RSA3072, 2, 0, 32, 36, 776, 0, 812, 384},
    {TRUST_SCHEME_P256, 3, 0, 32, 36, 65, 2, 101, 64},
    {TRUST_SCHEME_P384, 3, 1, 48, 52, 97, 3, 149, 96},
};

#define SCHEMES (sizeof(all) / sizeof(all[0]))

static signature_digests_t some_digests(void)
{
    return fixture_digests((const uint8_t *)"an image", 8);
}

static trust_state_t trust_of(const fixture_key_t *key)
{
    trust_state_t trust = {.secure_boot = true};
    fixture_trust(&trust, 1, key);
    return trust;
}

static void make_block(trust_scheme_t scheme, uint32_t number, uint8_t block[SIGNATURE_BLOCK_BYTES])
{
    signature_digests_t digests = some_digests();
    fixture_sign(fixture_key(scheme, number), &digests, block);
}

static void renew_crc(uint8_t *block)
{
    bytes_put_u32(block + OFF_CRC, bytes_crc32(0, block, OFF_CRC));
}

static signature_verdict_t verdict_on(const uint8_t *block, const trust_state_t *trust)
{
    signature_digests_t digests = some_digests();
    return signature_check(block, &digests, trust).verdict;
}

static void assert_verdict(signature_verdict_t actual, signature_verdict_t expected)
{
    assert_string_equal(signature_verdict_text(actual), signature_verdict_text(expected));
}

/* ---- Good ones ---- */

static void a_good_block_of_each_scheme_is_recognised(void **state)
{
    (void)state;
    for (size_t i = 0; i < SCHEMES; i++) {
        uint8_t block[SIGNATURE_BLOCK_BYTES];
        make_block(all[i].scheme, 0, block);
        trust_state_t trust = trust_of(fixture_key(all[i].scheme, 0));
        signature_digests_t digests = some_digests();
        signature_t found = signature_check(block, &digests, &trust);
        assert_verdict(found.verdict, SIGNATURE_GOOD);
        assert_int_equal(found.scheme, all[i].scheme);
        assert_memory_equal(found.key_digest, trust.key[1].digest, OTTER_SHA256_BYTES);
        assert_verdict(verdict_on(block, NULL), SIGNATURE_GOOD);
    }
}

static void assert_reversed(const uint8_t *field, const uint8_t *number, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        assert_int_equal(field[i], number[len - 1 - i]);
    }
}

static void assert_key_field(const fields_t *fields, const uint8_t *key, const signature_key_t *pub)
{
    if (fields->curve == 0) {
        assert_reversed(key, pub->modulus, 384);
        assert_int_equal(bytes_get_u32(key + 384), 65537);
        assert_reversed(key + 388, pub->r, 384);
        assert_int_equal(bytes_get_u32(key + 772), pub->m_prime);
        return;
    }
    size_t coordinate = (fields->key_len - 1) / 2;
    assert_int_equal(key[0], fields->curve);
    assert_reversed(key + 1, pub->point, coordinate);
    assert_reversed(key + 1 + coordinate, pub->point + coordinate, coordinate);
}

static void a_block_has_its_fields_where_the_format_says(void **state)
{
    (void)state;
    signature_digests_t digests = some_digests();
    for (size_t i = 0; i < SCHEMES; i++) {
        const fields_t *fields = &all[i];
        uint8_t block[SIGNATURE_BLOCK_BYTES];
        make_block(fields->scheme, 0, block);
        const uint8_t head[4] = {0xE7, fields->version, fields->sha, 0};
        assert_memory_equal(block, head, sizeof(head));
        assert_memory_equal(block + 4, fields->sha == 1 ? digests.sha384 : digests.sha256, fields->digest_len);
        assert_key_field(fields, block + fields->key_off, fixture_public_key(fixture_key(fields->scheme, 0)));
        uint32_t end = fields->signature_off + fields->signature_len;
        assert_true(bytes_all(block + end, OFF_CRC - end, 0));
        assert_int_equal(bytes_get_u32(block + OFF_CRC), bytes_crc32(0, block, OFF_CRC));
        assert_true(bytes_all(block + OFF_CRC + 4, 16, 0));
    }
}

static void a_key_digest_is_the_digest_of_the_key_field(void **state)
{
    (void)state;
    for (size_t i = 0; i < SCHEMES; i++) {
        uint8_t block[SIGNATURE_BLOCK_BYTES];
        make_block(all[i].scheme, 0, block);
        uint8_t digest[OTTER_SHA256_BYTES];
        assert_err(signature_key_digest(fixture_public_key(fixture_key(all[i].scheme, 0)), digest), ESP_OK);
        signature_digests_t expected = fixture_digests(block + all[i].key_off, all[i].key_len);
        assert_memory_equal(digest, expected.sha256, sizeof(digest));
    }
}

/* ---- Every byte ---- */

static void a_flipped_byte_is_refused_by_the_crc(void **state)
{
    (void)state;
    for (size_t i = 0; i < SCHEMES; i++) {
        uint8_t block[SIGNATURE_BLOCK_BYTES];
        make_block(all[i].scheme, 0, block);
        trust_state_t trust = trust_of(fixture_key(all[i].scheme, 0));
        for (uint32_t off = 0; off < OFF_CRC + 4; off++) {
            block[off] ^= FLIP;
            assert_verdict(verdict_on(block, &trust), off == 0 ? SIGNATURE_ABSENT : SIGNATURE_MALFORMED);
            block[off] ^= FLIP;
        }
        assert_verdict(verdict_on(block, &trust), SIGNATURE_GOOD);
    }
}

/* What must be said of a block with this byte flipped and a CRC that fits again. */
static signature_verdict_t expected_for(const fields_t *fields, uint32_t off)
{
    if (off < 4) {
        static const signature_verdict_t head[4] = {SIGNATURE_ABSENT, SIGNATURE_MALFORMED, SIGNATURE_MALFORMED,
                                                    SIGNATURE_GOOD};
        return head[off];
    }
    if (off < fields->key_off) {
        return SIGNATURE_OTHER;
    }
    if (off == fields->key_off && fields->curve != 0) {
        return SIGNATURE_MALFORMED;
    }
    if (off < fields->signature_off) {
        return SIGNATURE_UNTRUSTED;
    }
    return off < fields->signature_off + fields->signature_len ? SIGNATURE_BAD : SIGNATURE_GOOD;
}

static void a_flipped_byte_is_refused_even_if_the_crc_fits_again(void **state)
{
    (void)state;
    for (size_t i = 0; i < SCHEMES; i++) {
        uint8_t block[SIGNATURE_BLOCK_BYTES];
        make_block(all[i].scheme, 0, block);
        trust_state_t trust = trust_of(fixture_key(all[i].scheme, 0));
        for (uint32_t off = 0; off < OFF_CRC; off++) {
            block[off] ^= FLIP;
            renew_crc(block);
            assert_verdict(verdict_on(block, &trust), expected_for(&all[i], off));
            block[off] ^= FLIP;
        }
    }
}

static void bytes_behind_the_crc_do_not_matter(void **state)
{
    (void)state;
    uint8_t block[SIGNATURE_BLOCK_BYTES];
    make_block(TRUST_SCHEME_P256, 0, block);
    memset(block + OFF_CRC + 4, 0xA5, 16);
    assert_verdict(verdict_on(block, NULL), SIGNATURE_GOOD);
}

static void a_changed_key_does_not_verify_even_where_every_key_counts(void **state)
{
    (void)state;
    for (size_t i = 0; i < SCHEMES; i++) {
        uint8_t block[SIGNATURE_BLOCK_BYTES];
        make_block(all[i].scheme, 0, block);
        block[all[i].key_off + 5] ^= FLIP;
        renew_crc(block);
        assert_verdict(verdict_on(block, NULL), SIGNATURE_BAD);
    }
}

/* ---- Keys ---- */

static void a_signature_of_an_unknown_key_is_untrusted(void **state)
{
    (void)state;
    for (size_t i = 0; i < SCHEMES; i++) {
        uint8_t block[SIGNATURE_BLOCK_BYTES];
        make_block(all[i].scheme, 1, block);
        trust_state_t trust = trust_of(fixture_key(all[i].scheme, 0));
        assert_verdict(verdict_on(block, &trust), SIGNATURE_UNTRUSTED);
        trust_state_t nobody = {.secure_boot = true};
        assert_verdict(verdict_on(block, &nobody), SIGNATURE_UNTRUSTED);
    }
}

static void a_signature_of_a_revoked_key_does_not_count(void **state)
{
    (void)state;
    for (size_t i = 0; i < SCHEMES; i++) {
        uint8_t block[SIGNATURE_BLOCK_BYTES];
        make_block(all[i].scheme, 0, block);
        trust_state_t trust = trust_of(fixture_key(all[i].scheme, 0));
        trust.key[0].revoked = true;
        assert_verdict(verdict_on(block, &trust), SIGNATURE_GOOD);
        trust.key[1].revoked = true;
        assert_verdict(verdict_on(block, &trust), SIGNATURE_REVOKED);
    }
}

static void a_digest_without_the_mark_that_it_is_complete_does_not_count(void **state)
{
    (void)state;
    uint8_t block[SIGNATURE_BLOCK_BYTES];
    make_block(TRUST_SCHEME_P256, 0, block);
    trust_state_t trust = trust_of(fixture_key(TRUST_SCHEME_P256, 0));
    trust.key[1].provisioned = false;
    assert_verdict(verdict_on(block, &trust), SIGNATURE_UNTRUSTED);
}

static void a_key_trusted_for_one_scheme_signs_with_no_other(void **state)
{
    (void)state;
    for (size_t i = 0; i < SCHEMES; i++) {
        uint8_t block[SIGNATURE_BLOCK_BYTES];
        make_block(all[i].scheme, 0, block);
        trust_state_t trust = trust_of(fixture_key(all[i].scheme, 0));
        for (size_t other = 0; other < SCHEMES; other++) {
            trust.key[1].scheme = all[other].scheme;
            assert_verdict(verdict_on(block, &trust), other == i ? SIGNATURE_GOOD : SIGNATURE_UNTRUSTED);
        }
    }
}

/* A block that claims to be RSA's, whose "key field" holds an ECDSA key and its signature. */
static void a_block_dressed_up_as_another_scheme_is_refused(void **state)
{
    (void)state;
    uint8_t block[SIGNATURE_BLOCK_BYTES];
    make_block(TRUST_SCHEME_P256, 0, block);
    block[1] = 2;
    renew_crc(block);
    signature_digests_t key = fixture_digests(block + 36, 776);
    trust_state_t trust = trust_of(fixture_key(TRUST_SCHEME_P256, 0));
    assert_verdict(verdict_on(block, &trust), SIGNATURE_UNTRUSTED);
    memcpy(trust.key[1].digest, key.sha256, sizeof(trust.key[1].digest));
    assert_verdict(verdict_on(block, &trust), SIGNATURE_UNTRUSTED);
    trust.key[1].scheme = TRUST_SCHEME_RSA3072;
    assert_verdict(verdict_on(block, &trust), SIGNATURE_BAD);
}

/* ---- Digests ---- */

static void a_signature_of_another_image_is_told_apart_from_a_bad_one(void **state)
{
    (void)state;
    signature_digests_t other = fixture_digests((const uint8_t *)"another image", 13);
    for (size_t i = 0; i < SCHEMES; i++) {
        uint8_t block[SIGNATURE_BLOCK_BYTES];
        fixture_sign(fixture_key(all[i].scheme, 0), &other, block);
        assert_verdict(verdict_on(block, NULL), SIGNATURE_OTHER);
        signature_digests_t digests = some_digests();
        memcpy(block + 4, all[i].sha == 1 ? digests.sha384 : digests.sha256, all[i].digest_len);
        renew_crc(block);
        assert_verdict(verdict_on(block, NULL), SIGNATURE_BAD);
    }
}

static void without_a_sha384_no_p384_signature_is_good(void **state)
{
    (void)state;
    uint8_t block[SIGNATURE_BLOCK_BYTES];
    make_block(TRUST_SCHEME_P384, 0, block);
    signature_digests_t digests = some_digests();
    digests.has_sha384 = false;
    assert_verdict(signature_check(block, &digests, NULL).verdict, SIGNATURE_OTHER);
}

/* ---- Signatures that mean nothing ---- */

static void signatures_of_extreme_numbers_are_refused(void **state)
{
    (void)state;
    static const uint8_t fills[] = {0x00, 0x01, 0xFF};
    for (size_t i = 0; i < SCHEMES; i++) {
        uint8_t block[SIGNATURE_BLOCK_BYTES];
        make_block(all[i].scheme, 0, block);
        trust_state_t trust = trust_of(fixture_key(all[i].scheme, 0));
        for (size_t f = 0; f < sizeof(fills); f++) {
            memset(block + all[i].signature_off, fills[f], all[i].signature_len);
            renew_crc(block);
            assert_verdict(verdict_on(block, &trust), SIGNATURE_BAD);
        }
    }
}

static void keys_of_extreme_numbers_are_refused(void **state)
{
    (void)state;
    static const uint8_t fills[] = {0x00, 0x01, 0xFF};
    for (size_t i = 0; i < SCHEMES; i++) {
        uint32_t head = all[i].curve != 0;
        for (size_t f = 0; f < sizeof(fills); f++) {
            uint8_t block[SIGNATURE_BLOCK_BYTES];
            make_block(all[i].scheme, 0, block);
            memset(block + all[i].key_off + head, fills[f], all[i].key_len - head);
            renew_crc(block);
            assert_verdict(verdict_on(block, NULL), SIGNATURE_BAD);
        }
    }
}

static void blank_and_zero_blocks_are_absent(void **state)
{
    (void)state;
    uint8_t block[SIGNATURE_BLOCK_BYTES];
    memset(block, 0xFF, sizeof(block));
    assert_verdict(verdict_on(block, NULL), SIGNATURE_ABSENT);
    memset(block, 0x00, sizeof(block));
    assert_verdict(verdict_on(block, NULL), SIGNATURE_ABSENT);
}

static void unknown_layouts_are_malformed(void **state)
{
    (void)state;
    /* Scheme whose block is changed, offset, value: other versions, digests of the other scheme, P-192. */
    static const struct {
        trust_scheme_t scheme;
        uint32_t off;
        uint8_t value;
    } changes[] = {
        {TRUST_SCHEME_RSA3072, 1, 0}, {TRUST_SCHEME_RSA3072, 1, 1}, {TRUST_SCHEME_RSA3072, 1, 4},
        {TRUST_SCHEME_RSA3072, 2, 1}, {TRUST_SCHEME_P256, 2, 2},    {TRUST_SCHEME_P256, 36, 1},
        {TRUST_SCHEME_P256, 36, 3},   {TRUST_SCHEME_P384, 52, 1},   {TRUST_SCHEME_P384, 52, 2},
    };
    for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
        uint8_t block[SIGNATURE_BLOCK_BYTES];
        make_block(changes[i].scheme, 0, block);
        assert_verdict(verdict_on(block, NULL), SIGNATURE_GOOD);
        block[changes[i].off] = changes[i].value;
        renew_crc(block);
        assert_verdict(verdict_on(block, NULL), SIGNATURE_MALFORMED);
    }
}

static void a_malformed_block_tells_nothing_about_a_key(void **state)
{
    (void)state;
    uint8_t block[SIGNATURE_BLOCK_BYTES];
    make_block(TRUST_SCHEME_P256, 0, block);
    block[OFF_CRC] ^= 1;
    signature_digests_t digests = some_digests();
    signature_t found = signature_check(block, &digests, NULL);
    assert_int_equal(found.scheme, TRUST_SCHEME_NONE);
    assert_true(bytes_all(found.key_digest, sizeof(found.key_digest), 0));
}

/* ---- Building, texts ---- */

static void nothing_is_built_or_digested_for_an_unknown_scheme(void **state)
{
    (void)state;
    static const uint8_t signature[OTTER_RSA3072_BYTES];
    static const int unknown[] = {TRUST_SCHEME_NONE, 3, 5, 8};
    signature_digests_t digests = some_digests();
    for (size_t i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++) {
        signature_key_t key = {.scheme = (trust_scheme_t)unknown[i]};
        uint8_t block[SIGNATURE_BLOCK_BYTES];
        uint8_t digest[OTTER_SHA256_BYTES];
        assert_err(signature_build(&key, &digests, signature, block), ESP_ERR_INVALID_ARG);
        assert_err(signature_key_digest(&key, digest), ESP_ERR_INVALID_ARG);
    }
}

static void no_p384_block_is_built_without_a_sha384(void **state)
{
    (void)state;
    static const uint8_t signature[2 * OTTER_SHA384_BYTES];
    signature_digests_t digests = some_digests();
    digests.has_sha384 = false;
    uint8_t block[SIGNATURE_BLOCK_BYTES];
    const signature_key_t *p384 = fixture_public_key(fixture_key(TRUST_SCHEME_P384, 0));
    const signature_key_t *p256 = fixture_public_key(fixture_key(TRUST_SCHEME_P256, 0));
    assert_err(signature_build(p384, &digests, signature, block), ESP_ERR_INVALID_ARG);
    assert_err(signature_build(p256, &digests, signature, block), ESP_OK);
}

static void each_verdict_has_a_text_of_its_own(void **state)
{
    (void)state;
    for (int a = SIGNATURE_ABSENT; a <= SIGNATURE_GOOD; a++) {
        assert_true(strlen(signature_verdict_text((signature_verdict_t)a)) > 5);
        for (int b = SIGNATURE_ABSENT; b < a; b++) {
            assert_string_not_equal(signature_verdict_text((signature_verdict_t)a),
                                    signature_verdict_text((signature_verdict_t)b));
        }
    }
    assert_verdict((signature_verdict_t)(SIGNATURE_GOOD + 1), SIGNATURE_MALFORMED);
}

/* ---- A crypto library that fails: the linker sends core's calls here (--wrap). ---- */

static int calls_until_failure = -1; /* -1: never */

static bool fails(void)
{
    return calls_until_failure >= 0 && calls_until_failure-- == 0;
}

esp_err_t __real_otter_hash_begin(otter_hash_t *hash, otter_hash_kind_t kind);
esp_err_t __real_otter_hash_update(otter_hash_t *hash, const void *bytes, size_t len);
esp_err_t __real_otter_hash_finish(otter_hash_t *hash, uint8_t *digest);
esp_err_t __wrap_otter_hash_begin(otter_hash_t *hash, otter_hash_kind_t kind);
esp_err_t __wrap_otter_hash_update(otter_hash_t *hash, const void *bytes, size_t len);
esp_err_t __wrap_otter_hash_finish(otter_hash_t *hash, uint8_t *digest);

esp_err_t __wrap_otter_hash_begin(otter_hash_t *hash, otter_hash_kind_t kind)
{
    return fails() ? ESP_ERR_NO_MEM : __real_otter_hash_begin(hash, kind);
}

esp_err_t __wrap_otter_hash_update(otter_hash_t *hash, const void *bytes, size_t len)
{
    return fails() ? ESP_FAIL : __real_otter_hash_update(hash, bytes, len);
}

esp_err_t __wrap_otter_hash_finish(otter_hash_t *hash, uint8_t *digest)
{
    return fails() ? ESP_FAIL : __real_otter_hash_finish(hash, digest);
}

static void a_failing_crypto_library_makes_no_signature_good(void **state)
{
    (void)state;
    uint8_t block[SIGNATURE_BLOCK_BYTES];
    make_block(TRUST_SCHEME_P256, 0, block);
    const signature_key_t *pub = fixture_public_key(fixture_key(TRUST_SCHEME_P256, 0));
    uint8_t digest[OTTER_SHA256_BYTES];
    for (int call = 0; call < 3; call++) {
        calls_until_failure = call;
        assert_verdict(verdict_on(block, NULL), SIGNATURE_MALFORMED);
        assert_int_equal(calls_until_failure, -1);
        calls_until_failure = call;
        assert_err(signature_key_digest(pub, digest), ESP_FAIL);
        assert_int_equal(calls_until_failure, -1);
    }
    assert_verdict(verdict_on(block, NULL), SIGNATURE_GOOD);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_good_block_of_each_scheme_is_recognised),
    cmocka_unit_test(a_block_has_its_fields_where_the_format_says),
    cmocka_unit_test(a_key_digest_is_the_digest_of_the_key_field),
    cmocka_unit_test(a_flipped_byte_is_refused_by_the_crc),
    cmocka_unit_test(a_flipped_byte_is_refused_even_if_the_crc_fits_again),
    cmocka_unit_test(bytes_behind_the_crc_do_not_matter),
    cmocka_unit_test(a_changed_key_does_not_verify_even_where_every_key_counts),
    cmocka_unit_test(a_signature_of_an_unknown_key_is_untrusted),
    cmocka_unit_test(a_signature_of_a_revoked_key_does_not_count),
    cmocka_unit_test(a_digest_without_the_mark_that_it_is_complete_does_not_count),
    cmocka_unit_test(a_key_trusted_for_one_scheme_signs_with_no_other),
    cmocka_unit_test(a_block_dressed_up_as_another_scheme_is_refused),
    cmocka_unit_test(a_signature_of_another_image_is_told_apart_from_a_bad_one),
    cmocka_unit_test(without_a_sha384_no_p384_signature_is_good),
    cmocka_unit_test(signatures_of_extreme_numbers_are_refused),
    cmocka_unit_test(keys_of_extreme_numbers_are_refused),
    cmocka_unit_test(blank_and_zero_blocks_are_absent),
    cmocka_unit_test(unknown_layouts_are_malformed),
    cmocka_unit_test(a_malformed_block_tells_nothing_about_a_key),
    cmocka_unit_test(nothing_is_built_or_digested_for_an_unknown_scheme),
    cmocka_unit_test(no_p384_block_is_built_without_a_sha384),
    cmocka_unit_test(each_verdict_has_a_text_of_its_own),
    cmocka_unit_test(a_failing_crypto_library_makes_no_signature_good),
};

TEST_MAIN(tests)
