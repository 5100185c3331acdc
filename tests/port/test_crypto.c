/* SPDX-License-Identifier: Apache-2.0 */
#include "otter/otter_crypto.h"
#include "tests/support/test.h"

static const uint8_t sha256_of_abc[OTTER_SHA256_BYTES] = {
    0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01, 0xcf, 0xea, 0x41, 0x41, 0x40, 0xde, 0x5d, 0xae, 0x22, 0x23,
    0xb0, 0x03, 0x61, 0xa3, 0x96, 0x17, 0x7a, 0x9c, 0xb4, 0x10, 0xff, 0x61, 0xf2, 0x00, 0x15, 0xad,
};

static void sha256_matches_the_published_vector_in_any_pieces(void **state)
{
    (void)state;
    otter_hash_t sha = {{0}};
    uint8_t digest[OTTER_SHA256_BYTES];
    assert_err(otter_hash_begin(&sha, OTTER_HASH_SHA256), ESP_OK);
    assert_err(otter_hash_update(&sha, "a", 1), ESP_OK);
    assert_err(otter_hash_update(&sha, "", 0), ESP_OK);
    assert_err(otter_hash_update(&sha, "bc", 2), ESP_OK);
    assert_err(otter_hash_finish(&sha, digest), ESP_OK);
    otter_hash_free(&sha);
    assert_memory_equal(digest, sha256_of_abc, sizeof(digest));
}

static void a_digest_that_was_not_begun_fails_closed(void **state)
{
    (void)state;
    otter_hash_t sha = {{0}};
    uint8_t digest[OTTER_SHA256_BYTES];
    assert_err(otter_hash_update(&sha, "a", 1), ESP_FAIL);
    assert_err(otter_hash_finish(&sha, digest), ESP_FAIL);
    otter_hash_free(&sha);
    otter_hash_free(&sha);
}

static void md5_matches_the_published_vector(void **state)
{
    (void)state;
    static const uint8_t expected[OTTER_MD5_BYTES] = {0x90, 0x01, 0x50, 0x98, 0x3c, 0xd2, 0x4f, 0xb0,
                                                      0xd6, 0x96, 0x3f, 0x7d, 0x28, 0xe1, 0x7f, 0x72};
    uint8_t digest[OTTER_MD5_BYTES];
    assert_err(otter_md5("abc", 3, digest), ESP_OK);
    assert_memory_equal(digest, expected, sizeof(digest));
}

static void comparison_sees_every_byte(void **state)
{
    (void)state;
    uint8_t a[40] = {0};
    uint8_t b[40] = {0};
    assert_true(otter_equal_ct(a, b, sizeof(a)));
    for (size_t i = 0; i < sizeof(a); i++) {
        b[i] = 0x80;
        assert_false(otter_equal_ct(a, b, sizeof(a)));
        b[i] = 0;
    }
    assert_true(otter_equal_ct(a, b, 0));
}

static void wiping_leaves_zeros(void **state)
{
    (void)state;
    uint8_t secret[16];
    uint8_t zeros[16] = {0};
    memset(secret, 0xA5, sizeof(secret));
    otter_wipe(secret, sizeof(secret));
    assert_memory_equal(secret, zeros, sizeof(secret));
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(sha256_matches_the_published_vector_in_any_pieces),
    cmocka_unit_test(a_digest_that_was_not_begun_fails_closed),
    cmocka_unit_test(md5_matches_the_published_vector),
    cmocka_unit_test(comparison_sees_every_byte),
    cmocka_unit_test(wiping_leaves_zeros),
};

TEST_MAIN(tests)
