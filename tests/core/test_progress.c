/* SPDX-License-Identifier: Apache-2.0 */
/* The record of a download: its bytes, its layout, its check values. */
#include <stdlib.h>

#include "core/progress/progress.h"
#include "core/util/bytes.h"
#include "tests/support/test.h"

#define KIB       1024u
#define MIB       (1024u * KIB)
#define IMAGE_LEN (5 * 4096 + 100)

static const progress_slot_t slot_1m = {.size_bytes = MIB, .sector_bytes = 4096, .program_bytes = 1};

static progress_record_t make_record(uint32_t image_len, const progress_slot_t *slot)
{
    progress_record_t record = {.etag = "\"v2\"", .file_len = image_len + 512, .head_len = 512};
    for (size_t i = 0; i < sizeof(record.url_hash); i++) {
        record.url_hash[i] = (uint8_t)(i + 1);
    }
    assert_true(progress_plan(&record, slot));
    return record;
}

static uint8_t image_byte(uint32_t at)
{
    return (uint8_t)(at * 7 + at / 251);
}

/* ---- The header ---- */

static void a_record_reads_back_as_it_was_written(void **state)
{
    (void)state;
    uint8_t header[PROGRESS_HEADER_BYTES];
    progress_record_t record = make_record(IMAGE_LEN, &slot_1m);
    progress_record_t read;
    progress_encode(&record, header);
    assert_true(progress_decode(&read, header, &slot_1m));
    assert_memory_equal(&read, &record, sizeof(record));
}

/* As docs/FORMATS.md has it. */
static void the_header_has_the_documented_bytes(void **state)
{
    (void)state;
    uint8_t header[PROGRESS_HEADER_BYTES];
    progress_record_t record = make_record(0x12345, &slot_1m);
    progress_encode(&record, header);
    static const uint8_t start[24] = {'O',  'T',  'D',  'L', 1, 8,  0, 0, 0x45, 0x25, 0x01, 0,
                                      0x00, 0x02, 0x00, 0,   0, 16, 0, 0, 0,    16,   0,    0};
    assert_memory_equal(header, start, sizeof(start));
    assert_memory_equal(header + 24, record.url_hash, 32);
    assert_string_equal((const char *)header + 56, "\"v2\"");
    assert_true(bytes_all(header + 56 + 4, 128, 0));
    assert_int_equal(bytes_get_u32(header + 188), bytes_crc32(0, header, 188));
}

static void a_header_with_any_bit_changed_is_none(void **state)
{
    (void)state;
    uint8_t header[PROGRESS_HEADER_BYTES];
    progress_record_t record = make_record(IMAGE_LEN, &slot_1m);
    progress_record_t read;
    progress_encode(&record, header);
    for (uint32_t bit = 0; bit < PROGRESS_HEADER_BYTES * 8; bit++) {
        header[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_false(progress_decode(&read, header, &slot_1m));
        header[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    assert_true(progress_decode(&read, header, &slot_1m));
}

/* A header whose checksum is right, whatever it says. */
static void seal(uint8_t header[PROGRESS_HEADER_BYTES])
{
    bytes_put_u32(header + 188, bytes_crc32(0, header, 188));
}

static void assert_forged(uint32_t off, const void *bytes, size_t len)
{
    uint8_t header[PROGRESS_HEADER_BYTES];
    progress_record_t record = make_record(IMAGE_LEN, &slot_1m);
    progress_record_t read;
    progress_encode(&record, header);
    memcpy(header + off, bytes, len);
    seal(header);
    assert_false(progress_decode(&read, header, &slot_1m));
}

static void a_good_checksum_does_not_make_a_bad_header_good(void **state)
{
    (void)state;
    char endless[PROGRESS_ETAG_BYTES];
    memset(endless, '"', sizeof(endless));
    assert_forged(0, "OTDK", 4);
    assert_forged(4, "\2", 1);                   /* Version. */
    assert_forged(5, "\4", 1);                   /* Bytes of a place. */
    assert_forged(6, "\1", 1);                   /* Reserved. */
    assert_forged(8, "\xFF\xFF\xFF\xFF", 4);     /* Length of the file. */
    assert_forged(8, "\x00\x02\x00\x00", 4);     /* No image. */
    assert_forged(12, "\xFF\xFF\xFF\xFF", 4);    /* Length of its head. */
    assert_forged(17, "\x20", 1);                /* Sector. */
    assert_forged(20, "\0\0\0\0", 4);            /* Block. */
    assert_forged(56, "W/\"v2\"", 6);            /* Weak. */
    assert_forged(56, "\"v2\r\n\"", 6);          /* A line of its own. */
    assert_forged(56, endless, sizeof(endless)); /* Not terminated. */
    assert_forged(56 + 100, "x", 1);             /* Behind the text. */
    assert_forged(184, "\1", 1);                 /* Reserved. */
}

/* What no layout could be made for has none, instead of the one that nothing was filled into. */
static void a_header_without_layout_is_none(void **state)
{
    (void)state;
    uint8_t header[PROGRESS_HEADER_BYTES];
    progress_record_t record = make_record(IMAGE_LEN, &slot_1m);
    progress_record_t read;
    record.file_len = MIB + 512;
    record.sector_bytes = 0;
    record.block_bytes = 0;
    record.place_bytes = 0;
    progress_encode(&record, header);
    assert_false(progress_decode(&read, header, &slot_1m));
}

static void a_header_of_another_slot_is_none(void **state)
{
    (void)state;
    uint8_t header[PROGRESS_HEADER_BYTES];
    progress_record_t record = make_record(IMAGE_LEN, &slot_1m);
    progress_record_t read;
    progress_encode(&record, header);
    progress_slot_t larger_sectors = {.size_bytes = MIB, .sector_bytes = 8192, .program_bytes = 1};
    progress_slot_t larger_unit = {.size_bytes = MIB, .sector_bytes = 4096, .program_bytes = 16};
    progress_slot_t smaller = {.size_bytes = 6 * 4096, .sector_bytes = 4096, .program_bytes = 1};
    progress_slot_t just_right = {.size_bytes = 7 * 4096, .sector_bytes = 4096, .program_bytes = 1};
    assert_false(progress_decode(&read, header, &larger_sectors));
    assert_false(progress_decode(&read, header, &larger_unit));
    assert_false(progress_decode(&read, header, &smaller));
    assert_true(progress_decode(&read, header, &just_right));
}

static void only_a_strong_etag_is_kept(void **state)
{
    (void)state;
    char longest[PROGRESS_ETAG_BYTES + 1];
    memset(longest, 'x', sizeof(longest));
    longest[0] = '"';
    longest[PROGRESS_ETAG_BYTES - 2] = '"';
    longest[PROGRESS_ETAG_BYTES - 1] = '\0';
    assert_true(progress_is_strong("\"\""));
    assert_true(progress_is_strong("\"!#~\x80\xFF\""));
    assert_true(progress_is_strong(longest));
    static const char *const bad[] = {
        "", "\"", "v2", "W/\"v2\"", "\"v2", "v2\"", "\"v 2\"", "\"v\"2\"", "\"v\r\n2\"", "\"v\x7F\"", "\"v\t\"",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_false(progress_is_strong(bad[i]));
    }
    longest[PROGRESS_ETAG_BYTES - 2] = 'x';
    longest[PROGRESS_ETAG_BYTES - 1] = '"';
    longest[PROGRESS_ETAG_BYTES] = '\0';
    assert_false(progress_is_strong(longest));
}

/* ---- The layout ---- */

static void assert_plan(uint32_t image_len, const progress_slot_t *slot, uint32_t place_bytes, uint32_t block_bytes)
{
    progress_record_t record = make_record(image_len, slot);
    assert_int_equal(record.sector_bytes, slot->sector_bytes);
    assert_int_equal(record.place_bytes, place_bytes);
    assert_int_equal(record.block_bytes, block_bytes);
}

/* A sector has room for 3904 bytes of check values. */
static void check_values_are_as_long_as_there_is_room(void **state)
{
    (void)state;
    progress_slot_t slot = {.size_bytes = 256 * MIB, .sector_bytes = 4096, .program_bytes = 1};
    assert_plan(1, &slot, 8, 4096);
    assert_plan(489 * 4096, &slot, 8, 4096);
    assert_plan(489 * 4096 + 1, &slot, 4, 4096);
    assert_plan(977 * 4096, &slot, 4, 4096);
    assert_plan(977 * 4096 + 1, &slot, 2, 4096);
    assert_plan(1953 * 4096, &slot, 2, 4096);
    assert_plan(1953 * 4096 + 1, &slot, 1, 4096);
    assert_plan(3905 * 4096, &slot, 1, 4096);
    assert_plan(3905 * 4096 + 1, &slot, 1, 8192);
    assert_plan(64 * MIB, &slot, 1, 32 * KIB);
}

static void check_values_are_programmed_in_whole_units(void **state)
{
    (void)state;
    progress_slot_t slot = {.size_bytes = 256 * MIB, .sector_bytes = 4096, .program_bytes = 4};
    assert_plan(977 * 4096, &slot, 4, 4096);
    assert_plan(977 * 4096 + 1, &slot, 4, 8192);
    slot.program_bytes = 16;
    assert_plan(1, &slot, 16, 4096);
    assert_plan(245 * 4096, &slot, 16, 4096);
    assert_plan(245 * 4096 + 1, &slot, 16, 8192);
    slot.program_bytes = 64;
    assert_plan(62 * 4096 + 1, &slot, 64, 8192);
}

static void every_check_value_lies_in_the_last_sector(void **state)
{
    (void)state;
    for (uint32_t sector = 4096; sector <= 256 * KIB; sector *= 2) {
        for (uint32_t unit = 1; unit <= 64; unit *= 2) {
            progress_slot_t slot = {.size_bytes = 0u - sector, .sector_bytes = sector, .program_bytes = unit};
            for (uint32_t blocks = 1; blocks < 0xFFFFFFFF / sector - 2; blocks = blocks * 3 + 1) {
                progress_record_t record = {.file_len = blocks * sector};
                assert_true(progress_plan(&record, &slot));
                uint32_t places = (record.file_len - 1) / record.block_bytes;
                assert_true(PROGRESS_HEADER_BYTES + places * record.place_bytes <= sector);
                assert_int_equal(record.place_bytes % unit, 0);
                assert_int_equal(record.block_bytes % sector, 0);
            }
        }
    }
}

static void assert_no_plan(uint32_t file_len, uint32_t head_len, const progress_slot_t *slot)
{
    progress_record_t record = {.file_len = file_len, .head_len = head_len};
    assert_false(progress_plan(&record, slot));
}

static void an_image_that_needs_the_last_sector_has_no_record(void **state)
{
    (void)state;
    assert_plan(MIB - 4096, &slot_1m, 8, 4096);
    assert_no_plan(MIB - 4095, 0, &slot_1m);
    assert_no_plan(MIB, 0, &slot_1m);
    assert_no_plan(UINT32_MAX, 0, &slot_1m);
    progress_slot_t one_sector = {.size_bytes = 4096, .sector_bytes = 4096, .program_bytes = 1};
    progress_slot_t empty = {.size_bytes = 0, .sector_bytes = 4096, .program_bytes = 1};
    assert_no_plan(1, 0, &one_sector);
    assert_no_plan(1, 0, &empty);
}

static void a_file_without_image_has_no_record(void **state)
{
    (void)state;
    assert_no_plan(0, 0, &slot_1m);
    assert_no_plan(512, 512, &slot_1m);
    assert_no_plan(511, 512, &slot_1m);
    assert_plan(1, &slot_1m, 8, 4096);
}

static void a_flash_of_strange_units_has_no_record(void **state)
{
    (void)state;
    static const uint32_t units[] = {0, 3, 48, 65, 128};
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        progress_slot_t slot = {.size_bytes = MIB, .sector_bytes = 4096, .program_bytes = units[i]};
        assert_no_plan(4096, 0, &slot);
    }
    progress_slot_t tiny = {.size_bytes = MIB, .sector_bytes = PROGRESS_HEADER_BYTES, .program_bytes = 1};
    assert_no_plan(4096, 0, &tiny);
}

/* ---- The check values ---- */

typedef struct noted {
    uint32_t count;
    uint32_t off[16];
    uint8_t place[16][PROGRESS_PLACE_BYTES];
} noted_t;

static void begin(progress_walk_t *walk, const progress_record_t *record)
{
    uint8_t header[PROGRESS_HEADER_BYTES];
    progress_encode(record, header);
    progress_begin(walk, record, header);
}

/* Walks over an image in pieces of at most so many bytes. */
static noted_t walk_over(const progress_record_t *record, const uint8_t *image, size_t len, size_t piece)
{
    progress_walk_t walk;
    noted_t noted = {0};
    begin(&walk, record);
    while (len > 0) {
        size_t took = 0;
        if (progress_take(&walk, image, len < piece ? len : piece, &took)) {
            assert_true(noted.count < 16);
            noted.off[noted.count] = progress_place(&walk, noted.place[noted.count]);
            noted.count++;
        }
        assert_true(took > 0 && took <= len && took <= piece);
        image += took;
        len -= took;
    }
    return noted;
}

static uint8_t *make_image(void)
{
    uint8_t *image = malloc(IMAGE_LEN);
    assert_non_null(image);
    for (uint32_t i = 0; i < IMAGE_LEN; i++) {
        image[i] = image_byte(i);
    }
    return image;
}

static void each_block_but_the_last_has_a_check_value(void **state)
{
    (void)state;
    uint8_t *image = make_image();
    progress_record_t record = make_record(IMAGE_LEN, &slot_1m);
    noted_t noted = walk_over(&record, image, IMAGE_LEN, IMAGE_LEN);
    assert_int_equal(noted.count, 5);
    for (uint32_t i = 0; i < 5; i++) {
        assert_int_equal(noted.off[i], PROGRESS_HEADER_BYTES + i * 8);
    }
    record = make_record(5 * 4096, &slot_1m);
    noted = walk_over(&record, image, 5 * 4096, IMAGE_LEN);
    assert_int_equal(noted.count, 4);
    free(image);
}

static uint64_t documented_step(uint64_t hash, uint64_t word)
{
    hash = (hash ^ word) * 0x9E3779B97F4A7C15u;
    return hash ^ hash >> 32;
}

static void documented_mix(uint64_t hash[4], const uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i < len; i += 8) {
        uint64_t word = bytes_get_u32(bytes + i) | (uint64_t)bytes_get_u32(bytes + i + 4) << 32;
        hash[i / 8 % 4] = documented_step(hash[i / 8 % 4], word);
    }
}

static uint64_t documented_value(const uint64_t hash[4])
{
    return documented_step(documented_step(documented_step(hash[0], hash[1]), hash[2]), hash[3]);
}

/* As docs/FORMATS.md has it. */
static void a_check_value_is_the_documented_hash(void **state)
{
    (void)state;
    uint8_t *image = make_image();
    uint8_t header[PROGRESS_HEADER_BYTES];
    progress_record_t record = make_record(IMAGE_LEN, &slot_1m);
    progress_encode(&record, header);
    noted_t noted = walk_over(&record, image, IMAGE_LEN, IMAGE_LEN);
    uint64_t hash[4] = {0};
    documented_mix(hash, header, sizeof(header));
    for (uint32_t i = 0; i < 5; i++) {
        documented_mix(hash, image + 4096 * i, 4096);
        uint64_t value = documented_value(hash);
        assert_int_equal(bytes_get_u32(noted.place[i]), (uint32_t)value);
        assert_int_equal(bytes_get_u32(noted.place[i] + 4), (uint32_t)(value >> 32));
    }
    free(image);
}

static void pieces_do_not_change_check_values(void **state)
{
    (void)state;
    uint8_t *image = make_image();
    progress_record_t record = make_record(IMAGE_LEN, &slot_1m);
    noted_t whole = walk_over(&record, image, IMAGE_LEN, IMAGE_LEN);
    static const size_t pieces[] = {1, 2, 3, 7, 8, 9, 15, 31, 32, 33, 63, 100, 1460, 4095, 4096, 4097, 9000};
    for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
        noted_t noted = walk_over(&record, image, IMAGE_LEN, pieces[i]);
        assert_memory_equal(&noted, &whole, sizeof(noted));
    }
    free(image);
}

/* From the block with the changed byte on all values are different ones, and before it none is. */
static void a_check_value_depends_on_everything_before_it(void **state)
{
    (void)state;
    uint8_t *image = make_image();
    progress_record_t record = make_record(IMAGE_LEN, &slot_1m);
    noted_t noted = walk_over(&record, image, IMAGE_LEN, IMAGE_LEN);
    for (uint32_t at = 0; at < IMAGE_LEN; at += 523) {
        image[at] ^= (uint8_t)(1 << at % 8);
        noted_t changed = walk_over(&record, image, IMAGE_LEN, IMAGE_LEN);
        for (uint32_t i = 0; i < noted.count; i++) {
            bool same = memcmp(noted.place[i], changed.place[i], 8) == 0;
            assert_int_equal(same, i < at / 4096);
        }
        image[at] ^= (uint8_t)(1 << at % 8);
    }
    free(image);
}

static void check_values_of_another_download_are_different_ones(void **state)
{
    (void)state;
    uint8_t *image = make_image();
    progress_record_t record = make_record(IMAGE_LEN, &slot_1m);
    noted_t noted = walk_over(&record, image, IMAGE_LEN, IMAGE_LEN);
    progress_record_t other_url = record;
    progress_record_t other_etag = record;
    other_url.url_hash[31] ^= 0x80;
    other_etag.etag[1] = 'w';
    noted_t of_url = walk_over(&other_url, image, IMAGE_LEN, IMAGE_LEN);
    noted_t of_etag = walk_over(&other_etag, image, IMAGE_LEN, IMAGE_LEN);
    for (uint32_t i = 0; i < noted.count; i++) {
        assert_memory_not_equal(noted.place[i], of_url.place[i], 8);
        assert_memory_not_equal(noted.place[i], of_etag.place[i], 8);
    }
    free(image);
}

/* A walk at the end of a block whose hash is this one: the last step, backwards. */
static progress_walk_t walk_with(uint64_t hash, uint32_t place_bytes, uint32_t at)
{
    progress_walk_t walk = {.block_bytes = 4096, .place_bytes = (uint8_t)place_bytes, .at = at};
    walk.lane[3] = (hash ^ hash >> 32) * 0xf1de83e19937733du; /* Undoes the multiplication. */
    return walk;
}

static void a_short_check_value_is_the_hash_s_lowest_bytes(void **state)
{
    (void)state;
    static const uint32_t lengths[] = {1, 2, 4, 8, 16};
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        uint8_t place[PROGRESS_PLACE_BYTES];
        progress_walk_t walk = walk_with(0x8877665544332211u, lengths[i], 3 * 4096);
        memset(place, 0xAA, sizeof(place));
        assert_int_equal(progress_place(&walk, place), PROGRESS_HEADER_BYTES + 2 * lengths[i]);
        static const uint8_t expected[16] = {0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88,
                                             0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF};
        assert_memory_equal(place, expected, lengths[i]);
        assert_true(bytes_all(place + lengths[i], sizeof(place) - lengths[i], 0xAA));
    }
}

static void a_check_value_never_reads_as_erased(void **state)
{
    (void)state;
    for (uint32_t len = 1; len <= 16; len *= 2) {
        uint8_t place[PROGRESS_PLACE_BYTES];
        progress_walk_t walk = walk_with(UINT64_MAX, len, 4096);
        assert_int_equal(progress_place(&walk, place), PROGRESS_HEADER_BYTES);
        assert_int_equal(place[0], 0xFE);
        assert_true(bytes_all(place + 1, len - 1, 0xFF));
        walk = walk_with(0xFEu | ~(uint64_t)0xFF, len, 4096);
        (void)progress_place(&walk, place);
        assert_int_equal(place[0], 0xFE);
    }
}

static void bytes_behind_the_image_are_taken_and_mean_nothing(void **state)
{
    (void)state;
    uint8_t *image = make_image();
    progress_record_t record = make_record(4096 + 10, &slot_1m);
    progress_walk_t walk;
    size_t took = 0;
    begin(&walk, &record);
    assert_true(progress_take(&walk, image, IMAGE_LEN, &took));
    assert_int_equal(took, 4096);
    assert_false(progress_take(&walk, image, IMAGE_LEN, &took));
    assert_int_equal(took, 10);
    for (int i = 0; i < 3; i++) {
        assert_false(progress_take(&walk, image, 8192, &took));
        assert_int_equal(took, 8192);
        assert_int_equal(walk.at, 4096 + 10);
    }
    free(image);
}

static void only_bits_that_are_set_can_be_cleared(void **state)
{
    (void)state;
    static const uint8_t old[4] = {0xFF, 0x0F, 0xA5, 0x00};
    static const uint8_t fits[4] = {0x12, 0x05, 0xA5, 0x00};
    static const uint8_t first[4] = {0x12, 0x15, 0xA5, 0x00};
    static const uint8_t last[4] = {0x12, 0x05, 0xA5, 0x80};
    assert_true(progress_can_program(old, fits, 4));
    assert_true(progress_can_program(old, old, 4));
    assert_false(progress_can_program(old, first, 4));
    assert_false(progress_can_program(old, last, 4));
    assert_true(progress_can_program(old, last, 3));
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_record_reads_back_as_it_was_written),
    cmocka_unit_test(the_header_has_the_documented_bytes),
    cmocka_unit_test(a_header_with_any_bit_changed_is_none),
    cmocka_unit_test(a_good_checksum_does_not_make_a_bad_header_good),
    cmocka_unit_test(a_header_without_layout_is_none),
    cmocka_unit_test(a_header_of_another_slot_is_none),
    cmocka_unit_test(only_a_strong_etag_is_kept),
    cmocka_unit_test(check_values_are_as_long_as_there_is_room),
    cmocka_unit_test(check_values_are_programmed_in_whole_units),
    cmocka_unit_test(every_check_value_lies_in_the_last_sector),
    cmocka_unit_test(an_image_that_needs_the_last_sector_has_no_record),
    cmocka_unit_test(a_file_without_image_has_no_record),
    cmocka_unit_test(a_flash_of_strange_units_has_no_record),
    cmocka_unit_test(each_block_but_the_last_has_a_check_value),
    cmocka_unit_test(a_check_value_is_the_documented_hash),
    cmocka_unit_test(pieces_do_not_change_check_values),
    cmocka_unit_test(a_check_value_depends_on_everything_before_it),
    cmocka_unit_test(check_values_of_another_download_are_different_ones),
    cmocka_unit_test(a_short_check_value_is_the_hash_s_lowest_bytes),
    cmocka_unit_test(a_check_value_never_reads_as_erased),
    cmocka_unit_test(bytes_behind_the_image_are_taken_and_mean_nothing),
    cmocka_unit_test(only_bits_that_are_set_can_be_cleared),
};

TEST_MAIN(tests)
