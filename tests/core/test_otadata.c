/* SPDX-License-Identifier: Apache-2.0 */
#include "core/bootsel/otadata.h"
#include "tests/support/test.h"

static void the_crc_matches_the_vectors_of_the_format(void **state)
{
    (void)state;
    static const struct {
        uint32_t seq;
        uint32_t crc;
    } vectors[] = {
        {0, 0xFFFFFFFF}, {1, 0x4743989A},          {2, 0x55F63774},          {3, 0xED4A5011},
        {4, 0x709D68A8}, {5, 0xC8210FCD},          {6, 0xDA94A023},          {7, 0x6228C746},
        {8, 0x3A4BD710}, {0xFFFFFFFE, 0x99F8B879}, {0xFFFFFFFF, 0x2144DF1C},
    };
    for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
        assert_int_equal(otadata_crc(vectors[i].seq), vectors[i].crc);
    }
}

static void a_record_reads_back_as_it_was_written(void **state)
{
    (void)state;
    uint8_t bytes[OTADATA_RECORD_BYTES];
    otadata_encode(bytes, 7, ESP_OTA_IMG_PENDING_VERIFY);
    otadata_record_t record = otadata_decode(bytes);
    assert_true(record.good);
    assert_false(record.blank);
    assert_int_equal(record.seq, 7);
    assert_int_equal(record.state, ESP_OTA_IMG_PENDING_VERIFY);
}

static void the_bytes_are_those_of_the_format(void **state)
{
    (void)state;
    uint8_t bytes[OTADATA_RECORD_BYTES];
    uint8_t expected[OTADATA_RECORD_BYTES];
    memset(expected, 0xFF, sizeof(expected));
    memcpy(expected, (uint8_t[]){2, 0, 0, 0}, 4);
    memcpy(expected + 24, (uint8_t[]){2, 0, 0, 0, 0x74, 0x37, 0xF6, 0x55}, 8);
    otadata_encode(bytes, 2, ESP_OTA_IMG_VALID);
    assert_memory_equal(bytes, expected, sizeof(expected));
}

static void an_erased_record_is_blank_and_not_good(void **state)
{
    (void)state;
    uint8_t bytes[OTADATA_RECORD_BYTES];
    memset(bytes, 0xFF, sizeof(bytes));
    otadata_record_t record = otadata_decode(bytes);
    assert_true(record.blank);
    assert_false(record.good);
}

static void sequence_numbers_0_and_ffffffff_are_not_good_whatever_their_crc(void **state)
{
    (void)state;
    uint8_t bytes[OTADATA_RECORD_BYTES];
    otadata_encode(bytes, 0, ESP_OTA_IMG_VALID);
    assert_false(otadata_decode(bytes).good);
    otadata_encode(bytes, UINT32_MAX, ESP_OTA_IMG_VALID);
    assert_false(otadata_decode(bytes).good);
    assert_false(otadata_decode(bytes).blank);
    otadata_encode(bytes, UINT32_MAX - 1, ESP_OTA_IMG_VALID);
    assert_true(otadata_decode(bytes).good);
}

static void any_flipped_bit_of_seq_or_crc_makes_a_record_bad(void **state)
{
    (void)state;
    for (size_t bit = 0; bit < OTADATA_RECORD_BYTES * 8; bit++) {
        size_t at = bit / 8;
        uint8_t bytes[OTADATA_RECORD_BYTES];
        otadata_encode(bytes, 5, ESP_OTA_IMG_VALID);
        bytes[at] ^= (uint8_t)(1u << (bit % 8));
        bool covered = at < 4 || at >= 28;
        assert_int_equal(otadata_decode(bytes).good, !covered);
    }
}

static void states_have_their_names(void **state)
{
    (void)state;
    assert_string_equal(otadata_state_name(0), "NEW");
    assert_string_equal(otadata_state_name(1), "PENDING_VERIFY");
    assert_string_equal(otadata_state_name(2), "VALID");
    assert_string_equal(otadata_state_name(3), "INVALID");
    assert_string_equal(otadata_state_name(4), "ABORTED");
    assert_string_equal(otadata_state_name(UINT32_MAX), "UNDEFINED");
    assert_null(otadata_state_name(5));
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(the_crc_matches_the_vectors_of_the_format),
    cmocka_unit_test(a_record_reads_back_as_it_was_written),
    cmocka_unit_test(the_bytes_are_those_of_the_format),
    cmocka_unit_test(an_erased_record_is_blank_and_not_good),
    cmocka_unit_test(sequence_numbers_0_and_ffffffff_are_not_good_whatever_their_crc),
    cmocka_unit_test(any_flipped_bit_of_seq_or_crc_makes_a_record_bad),
    cmocka_unit_test(states_have_their_names),
};

TEST_MAIN(tests)
