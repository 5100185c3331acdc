/* SPDX-License-Identifier: Apache-2.0 */
/* The image walk: what it accepts, what it refuses, and that the sizes of the pieces never matter. */
#include <stdlib.h>

#include "core/image/image.h"
#include "esp_image_format.h"
#include "tests/support/image_fixture.h"
#include "tests/support/test.h"

#define CHIP         ESP_CHIP_ID_ESP32C3
#define OFF_SEG0_LEN 28
#define OFF_DESC     32
#define OFF_PAYLOAD  (OFF_DESC + IMAGE_APP_DESC_BYTES)

/* ---- Walking ---- */

typedef size_t (*piece_t)(uint32_t *state);

static size_t all_at_once(uint32_t *state)
{
    (void)state;
    return SIZE_MAX;
}

static size_t one_byte(uint32_t *state)
{
    (void)state;
    return 1;
}

static size_t random_piece(uint32_t *state)
{
    return fixture_random(state) % 97;
}

static image_status_t feed(image_walk_t *walk, const uint8_t *bytes, size_t len, piece_t piece, uint32_t seed)
{
    image_status_t status = IMAGE_STATUS_MORE;
    for (size_t off = 0; off < len && status == IMAGE_STATUS_MORE;) {
        size_t n = piece(&seed);
        n = n < len - off ? n : len - off;
        size_t used = SIZE_MAX;
        status = image_feed(walk, bytes + off, n, &used);
        assert_true(used == n || (used < n && status != IMAGE_STATUS_MORE));
        off += used;
        assert_int_equal(off, walk->fed);
    }
    return status;
}

/* Walks in one piece; the walk's findings stay readable. */
static image_status_t walk_image(image_walk_t *walk, const image_expect_t *expect, const uint8_t *bytes, size_t len)
{
    assert_err(image_begin(walk, expect, NULL), ESP_OK);
    image_status_t status = feed(walk, bytes, len, all_at_once, 0);
    image_fault_t fault = image_finish(walk);
    assert_int_equal(fault, walk->fault);
    image_free(walk);
    return status;
}

static image_expect_t expect_app(void)
{
    return fixture_expect(CHIP);
}

static fixture_image_t small_app(void)
{
    fixture_image_t spec = FIXTURE_IMAGE_FOR(CHIP, "blink", "1.2.0");
    return spec;
}

static void assert_refused_with(const image_expect_t *expect, const uint8_t *bytes, size_t len, image_fault_t fault)
{
    image_walk_t walk;
    assert_int_equal(walk_image(&walk, expect, bytes, len), IMAGE_STATUS_ERROR);
    assert_string_equal(image_fault_text(walk.fault), image_fault_text(fault));
    assert_int_equal(walk.faults, 1u << fault);
    assert_int_equal(walk.image_len, 0);
}

static void assert_accepted(const image_expect_t *expect, const uint8_t *bytes, size_t len)
{
    image_walk_t walk;
    image_status_t status = walk_image(&walk, expect, bytes, len);
    assert_string_equal(image_fault_text(walk.fault), "no fault");
    assert_int_equal(status, IMAGE_STATUS_DONE);
}

static void assert_spec_refused_with(const fixture_image_t *spec, const image_expect_t *expect, image_fault_t fault)
{
    size_t len;
    uint8_t *image = fixture_image(spec, &len);
    assert_refused_with(expect, image, len, fault);
    free(image);
}

static void assert_spec_accepted(const fixture_image_t *spec, const image_expect_t *expect)
{
    size_t len;
    uint8_t *image = fixture_image(spec, &len);
    assert_accepted(expect, image, len);
    free(image);
}

/* ---- Whole images ---- */

static void a_good_image_is_accepted_and_described(void **state)
{
    (void)state;
    fixture_image_t spec = small_app();
    spec.secure_version = 7;
    size_t len;
    uint8_t *image = fixture_image(&spec, &len);
    image_expect_t expect = expect_app();
    image_walk_t walk;
    assert_int_equal(walk_image(&walk, &expect, image, len), IMAGE_STATUS_DONE);

    assert_int_equal(walk.fault, IMAGE_OK);
    assert_int_equal(walk.image_len, len);
    assert_true(walk.header_known);
    assert_int_equal(walk.header.chip_id, CHIP);
    assert_int_equal(walk.segment_count, 2);
    assert_int_equal(walk.segment[0].load_addr, 0x10000000);
    assert_int_equal(walk.segment[0].data_len, 1280);
    assert_int_equal(walk.segment[0].data_off, 32);
    assert_int_equal(walk.segment[1].load_addr, 0x10000000 + 1280);
    assert_int_equal(walk.segment[1].data_off, 32 + 1280 + 8);
    assert_true(walk.desc_known);
    assert_string_equal(walk.desc.project_name, "blink");
    assert_string_equal(walk.desc.version, "1.2.0");
    assert_int_equal(walk.desc.secure_version, 7);
    assert_int_equal(walk.checksum, walk.checksum_stored);
    assert_memory_equal(walk.hash, image + len - OTTER_SHA256_BYTES, OTTER_SHA256_BYTES);
    assert_memory_equal(walk.hash_stored, walk.hash, OTTER_SHA256_BYTES);
    free(image);
}

static void bytes_after_the_image_are_left_alone(void **state)
{
    (void)state;
    fixture_image_t spec = small_app();
    size_t len;
    uint8_t *image = fixture_image(&spec, &len);
    uint8_t *longer = malloc(len + 1000);
    assert_non_null(longer);
    memcpy(longer, image, len);
    memset(longer + len, 0x5A, 1000);
    image_expect_t expect = expect_app();
    image_walk_t walk;
    assert_err(image_begin(&walk, &expect, NULL), ESP_OK);
    size_t used = 0;
    assert_int_equal(image_feed(&walk, longer, len + 1000, &used), IMAGE_STATUS_DONE);
    assert_int_equal(used, len);
    assert_int_equal(image_feed(&walk, longer + len, 1000, &used), IMAGE_STATUS_DONE);
    assert_int_equal(used, 0);
    assert_int_equal(walk.image_len, len);
    assert_int_equal(image_finish(&walk), IMAGE_OK);
    image_free(&walk);
    free(longer);
    free(image);
}

static void every_changed_byte_is_refused(void **state)
{
    (void)state;
    static const uint8_t changes[] = {0x01, 0x80, 0xFF};
    fixture_image_t spec = small_app();
    spec.segment_bytes[0] = 260;
    spec.segment_bytes[1] = 8;
    size_t len;
    uint8_t *image = fixture_image(&spec, &len);
    image_expect_t expect = expect_app();
    size_t refused = 0;
    for (size_t i = 0; i < len; i++) {
        for (size_t c = 0; c < sizeof(changes); c++) {
            image[i] ^= changes[c];
            image_walk_t walk;
            assert_int_not_equal(walk_image(&walk, &expect, image, len), IMAGE_STATUS_DONE);
            assert_int_not_equal(walk.fault, IMAGE_OK);
            image[i] ^= changes[c];
            refused++;
        }
    }
    assert_int_equal(refused, len * sizeof(changes));
    assert_true(refused >= 300);
    assert_accepted(&expect, image, len);
    free(image);
}

static void an_image_cut_short_anywhere_is_truncated(void **state)
{
    (void)state;
    fixture_image_t spec = small_app();
    spec.segment_bytes[0] = 260;
    spec.segment_bytes[1] = 4;
    size_t len;
    uint8_t *image = fixture_image(&spec, &len);
    image_expect_t expect = expect_app();
    size_t cuts = 0;
    for (size_t cut = 0; cut < len; cut++, cuts++) {
        image_walk_t walk;
        assert_int_equal(walk_image(&walk, &expect, image, cut), IMAGE_STATUS_MORE);
        assert_int_equal(walk.fault, IMAGE_FAULT_TRUNCATED);
        assert_int_equal(walk.fault_off, cut);
    }
    assert_int_equal(cuts, len);
    free(image);
}

static void a_refused_walk_stays_refused(void **state)
{
    (void)state;
    fixture_image_t spec = small_app();
    size_t len;
    uint8_t *image = fixture_image(&spec, &len);
    image_expect_t expect = expect_app();
    image_walk_t walk;
    assert_err(image_begin(&walk, &expect, NULL), ESP_OK);
    const uint8_t wrong[IMAGE_HEADER_BYTES] = {0x7F, 'E', 'L', 'F'};
    assert_int_equal(image_feed(&walk, wrong, sizeof(wrong), NULL), IMAGE_STATUS_ERROR);
    size_t used = 1;
    assert_int_equal(image_feed(&walk, image, len, &used), IMAGE_STATUS_ERROR);
    assert_int_equal(used, 0);
    assert_int_equal(image_finish(&walk), IMAGE_FAULT_MAGIC);
    image_free(&walk);
    free(image);
}

static void a_freed_walk_fails_closed(void **state)
{
    (void)state;
    fixture_image_t spec = small_app();
    size_t len;
    uint8_t *image = fixture_image(&spec, &len);
    image_expect_t expect = expect_app();
    image_walk_t walk;
    assert_err(image_begin(&walk, &expect, NULL), ESP_OK);
    image_free(&walk);
    assert_int_equal(image_feed(&walk, image, len, NULL), IMAGE_STATUS_ERROR);
    assert_int_equal(walk.fault, IMAGE_FAULT_CRYPTO);
    free(image);
}

/* ---- Pieces ---- */

static void assert_same_findings(const image_walk_t *a, const image_walk_t *b)
{
    assert_int_equal(a->fault, b->fault);
    assert_int_equal(a->fault_off, b->fault_off);
    assert_int_equal(a->faults, b->faults);
    assert_int_equal(a->fed, b->fed);
    assert_int_equal(a->step, b->step);
    assert_int_equal(a->segment_count, b->segment_count);
    assert_memory_equal(a->segment, b->segment, sizeof(a->segment));
    assert_memory_equal(&a->header, &b->header, sizeof(a->header));
    assert_int_equal(a->desc_known, b->desc_known);
    assert_memory_equal(&a->desc, &b->desc, sizeof(a->desc));
    assert_int_equal(a->checksum, b->checksum);
    assert_int_equal(a->checksum_stored, b->checksum_stored);
    assert_memory_equal(a->hash, b->hash, sizeof(a->hash));
    assert_memory_equal(a->hash_stored, b->hash_stored, sizeof(a->hash_stored));
    assert_int_equal(a->image_len, b->image_len);
}

static void walk_in_pieces(image_walk_t *walk, const image_expect_t *expect, const uint8_t *image, size_t len,
                           piece_t piece, uint32_t seed)
{
    assert_err(image_begin(walk, expect, NULL), ESP_OK);
    feed(walk, image, len, piece, seed);
    image_finish(walk);
    image_free(walk);
}

static void assert_pieces_do_not_matter(const image_expect_t *expect, const uint8_t *image, size_t len, uint32_t seed)
{
    image_walk_t whole;
    image_walk_t pieces;
    walk_in_pieces(&whole, expect, image, len, all_at_once, 0);
    walk_in_pieces(&pieces, expect, image, len, one_byte, 0);
    assert_same_findings(&whole, &pieces);
    for (uint32_t i = 0; i < 4; i++) {
        walk_in_pieces(&pieces, expect, image, len, random_piece, seed + i);
        assert_same_findings(&whole, &pieces);
    }
}

static void the_sizes_of_the_pieces_do_not_matter(void **state)
{
    (void)state;
    fixture_image_t spec = small_app();
    spec.segment_bytes[2] = 20;
    size_t len;
    uint8_t *image = fixture_image(&spec, &len);
    image_expect_t expect = expect_app();
    assert_pieces_do_not_matter(&expect, image, len, 1);
    assert_pieces_do_not_matter(&expect, image, len - 5, 2);
    free(image);
}

static void the_sizes_of_the_pieces_do_not_matter_for_faulty_images(void **state)
{
    (void)state;
    fixture_image_t spec = small_app();
    size_t len;
    uint8_t *image = fixture_image(&spec, &len);
    image_expect_t expect = expect_app();
    image_expect_t inspect = expect_app();
    inspect.inspect = true;
    uint32_t random = 1;
    size_t faulty = 0;
    for (size_t off = 0; off < len; off += off < 64 || off > len - 64 ? 1 : 37, faulty++) {
        uint8_t change = (uint8_t)(1 + fixture_random(&random) % 255);
        image[off] ^= change;
        assert_pieces_do_not_matter(&expect, image, len, random);
        assert_pieces_do_not_matter(&inspect, image, len, random);
        image[off] ^= change;
    }
    assert_true(faulty > 128);
    free(image);
}

/* ---- Contract 4.5: measured results, and where Otter is stricter ---- */

static void a_flipped_bit_in_a_segment_fails_the_checksum(void **state)
{
    (void)state;
    fixture_image_t spec = small_app();
    size_t len;
    uint8_t *image = fixture_image(&spec, &len);
    image[OFF_PAYLOAD + 100] ^= 0x10;
    image_expect_t expect = expect_app();
    assert_refused_with(&expect, image, len, IMAGE_FAULT_CHECKSUM);
    assert_err(image_fault_err(IMAGE_FAULT_CHECKSUM), ESP_ERR_IMAGE_INVALID);
    free(image);
}

static void flips_that_cancel_in_the_checksum_fail_the_digest(void **state)
{
    (void)state;
    fixture_image_t spec = small_app();
    size_t len;
    uint8_t *image = fixture_image(&spec, &len);
    image[OFF_PAYLOAD + 100] ^= 0x10;
    image[OFF_PAYLOAD + 213] ^= 0x10;
    image_expect_t expect = expect_app();
    assert_refused_with(&expect, image, len, IMAGE_FAULT_HASH);
    assert_err(image_fault_err(IMAGE_FAULT_HASH), ESP_ERR_IMAGE_INVALID);
    free(image);
}

static void clearing_the_hash_flag_does_not_help_a_corrupt_image(void **state)
{
    (void)state;
    fixture_image_t spec = small_app();
    size_t len;
    uint8_t *image = fixture_image(&spec, &len);
    image[OFF_PAYLOAD + 100] ^= 0x10;
    image[OFF_PAYLOAD + 213] ^= 0x10;
    image[23] = 0;
    image_expect_t expect = expect_app();
    assert_refused_with(&expect, image, len, IMAGE_FAULT_NO_HASH);
    assert_err(image_fault_err(IMAGE_FAULT_NO_HASH), ESP_ERR_IMAGE_INVALID);
    free(image);
}

static void an_app_without_appended_hash_is_refused(void **state)
{
    (void)state;
    fixture_image_t spec = small_app();
    spec.no_hash = true;
    image_expect_t expect = expect_app();
    assert_spec_refused_with(&spec, &expect, IMAGE_FAULT_NO_HASH);
}

static void a_changed_stored_hash_is_refused(void **state)
{
    (void)state;
    fixture_image_t spec = small_app();
    size_t len;
    uint8_t *image = fixture_image(&spec, &len);
    image[len - 1] ^= 1;
    image_expect_t expect = expect_app();
    assert_refused_with(&expect, image, len, IMAGE_FAULT_HASH);
    free(image);
}

static void a_wrong_magic_is_refused(void **state)
{
    (void)state;
    fixture_image_t spec = small_app();
    size_t len;
    uint8_t *image = fixture_image(&spec, &len);
    image[0] = 0xEA;
    image_expect_t expect = expect_app();
    assert_refused_with(&expect, image, len, IMAGE_FAULT_MAGIC);
    assert_err(image_fault_err(IMAGE_FAULT_MAGIC), ESP_ERR_IMAGE_INVALID);
    free(image);
}

static void erased_flash_is_refused(void **state)
{
    (void)state;
    uint8_t erased[4096];
    memset(erased, 0xFF, sizeof(erased));
    image_expect_t expect = expect_app();
    image_walk_t walk;
    assert_int_equal(walk_image(&walk, &expect, erased, sizeof(erased)), IMAGE_STATUS_ERROR);
    assert_int_equal(walk.fault, IMAGE_FAULT_MAGIC);
    assert_int_equal(walk.fed, IMAGE_HEADER_BYTES);
}

static void a_wrong_segment_count_is_refused(void **state)
{
    (void)state;
    static const uint8_t counts[] = {0, 17, 255};
    fixture_image_t spec = small_app();
    size_t len;
    uint8_t *image = fixture_image(&spec, &len);
    image_expect_t expect = expect_app();
    for (size_t i = 0; i < sizeof(counts); i++) {
        image[1] = counts[i];
        assert_refused_with(&expect, image, len, IMAGE_FAULT_SEGMENT_COUNT);
    }
    assert_err(image_fault_err(IMAGE_FAULT_SEGMENT_COUNT), ESP_ERR_IMAGE_INVALID);
    free(image);
}

static void sixteen_segments_are_accepted(void **state)
{
    (void)state;
    fixture_image_t spec = small_app();
    for (size_t i = 1; i < IMAGE_MAX_SEGMENTS; i++) {
        spec.segment_bytes[i] = 4 * (uint32_t)i;
    }
    image_expect_t expect = expect_app();
    assert_spec_accepted(&spec, &expect);
}

static void a_bare_header_does_not_verify(void **state)
{
    (void)state;
    /* Header, padding, the checksum of nothing, digest: all of it right, and a boot image for ESP-IDF. */
    uint8_t bare[64] = {ESP_IMAGE_HEADER_MAGIC, 0};
    bare[12] = CHIP;
    bare[23] = 1;
    bare[31] = 0xEF;
    otter_hash_t sha;
    assert_err(otter_hash_begin(&sha, OTTER_HASH_SHA256), ESP_OK);
    assert_err(otter_hash_update(&sha, bare, 32), ESP_OK);
    assert_err(otter_hash_finish(&sha, bare + 32), ESP_OK);
    otter_hash_free(&sha);
    image_expect_t expect = expect_app();
    assert_refused_with(&expect, bare, sizeof(bare), IMAGE_FAULT_SEGMENT_COUNT);
}

static void a_first_segment_too_short_for_a_descriptor_is_refused(void **state)
{
    (void)state;
    fixture_image_t spec = small_app();
    spec.no_desc = true;
    spec.segment_bytes[0] = 252;
    image_expect_t expect = expect_app();
    assert_spec_refused_with(&spec, &expect, IMAGE_FAULT_SEGMENT_LEN);
    assert_err(image_fault_err(IMAGE_FAULT_SEGMENT_LEN), ESP_ERR_IMAGE_INVALID);
}

static void a_first_segment_that_is_only_a_descriptor_is_accepted(void **state)
{
    (void)state;
    fixture_image_t spec = small_app();
    spec.segment_bytes[0] = 256;
    image_expect_t expect = expect_app();
    assert_spec_accepted(&spec, &expect);
}

static void a_segment_length_that_is_no_multiple_of_4_is_refused(void **state)
{
    (void)state;
    fixture_image_t spec = small_app();
    size_t len;
    uint8_t *image = fixture_image(&spec, &len);
    image[OFF_SEG0_LEN] |= 2;
    image_expect_t expect = expect_app();
    assert_refused_with(&expect, image, len, IMAGE_FAULT_SEGMENT_LEN);
    free(image);
}

static void a_segment_of_16_mib_is_refused(void **state)
{
    (void)state;
    fixture_image_t spec = small_app();
    spec.chip_id = OTTER_CHIP_ID_LINUX_X86_64;
    size_t len;
    uint8_t *image = fixture_image(&spec, &len);
    const uint8_t length_16_mib[4] = {0, 0, 0, 1};
    memcpy(image + OFF_SEG0_LEN, length_16_mib, sizeof(length_16_mib));
    image_expect_t expect = fixture_expect(OTTER_CHIP_ID_LINUX_X86_64);
    assert_refused_with(&expect, image, len, IMAGE_FAULT_SEGMENT_LEN);
    free(image);
}

static void a_load_address_that_wraps_is_refused(void **state)
{
    (void)state;
    fixture_image_t spec = small_app();
    image_expect_t expect = expect_app();
    spec.load_addr = UINT32_MAX - 1280 - 512;
    assert_spec_accepted(&spec, &expect);
    spec.load_addr += 4;
    assert_spec_refused_with(&spec, &expect, IMAGE_FAULT_ADDRESS);
}

static void a_wrong_chip_is_refused(void **state)
{
    (void)state;
    fixture_image_t spec = small_app();
    image_expect_t expect = fixture_expect(ESP_CHIP_ID_ESP32S3);
    assert_spec_refused_with(&spec, &expect, IMAGE_FAULT_CHIP);
    assert_err(image_fault_err(IMAGE_FAULT_CHIP), ESP_FAIL);
    expect.any_chip = true;
    assert_spec_accepted(&spec, &expect);
}

static void require_revisions_101_to_199(esp_image_header_t *header, esp_app_desc_t *desc)
{
    (void)desc;
    header->min_chip_rev_full = 101;
    header->max_chip_rev_full = 199;
}

static void a_chip_revision_out_of_range_is_refused(void **state)
{
    (void)state;
    static const struct {
        uint16_t revision;
        bool fits;
    } cases[] = {{0, false}, {100, false}, {101, true}, {199, true}, {200, false}};
    fixture_image_t spec = small_app();
    spec.edit = require_revisions_101_to_199;
    image_expect_t expect = expect_app();
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        expect.chip_revision = cases[i].revision;
        if (cases[i].fits) {
            assert_spec_accepted(&spec, &expect);
        } else {
            assert_spec_refused_with(&spec, &expect, IMAGE_FAULT_REVISION);
        }
    }
    assert_err(image_fault_err(IMAGE_FAULT_REVISION), ESP_FAIL);
}

static void set_no_limit_ffff(esp_image_header_t *header, esp_app_desc_t *desc)
{
    header->max_chip_rev_full = 0xFFFF;
    desc->max_efuse_blk_rev_full = 0xFFFF;
}

static void set_no_limit_0(esp_image_header_t *header, esp_app_desc_t *desc)
{
    header->max_chip_rev_full = 0;
    desc->max_efuse_blk_rev_full = 0;
}

static void an_unset_highest_revision_is_no_limit(void **state)
{
    (void)state;
    fixture_image_t spec = small_app();
    image_expect_t expect = expect_app();
    expect.chip_revision = 9999;
    expect.efuse_blk_revision = 9999;
    spec.edit = set_no_limit_ffff;
    assert_spec_accepted(&spec, &expect);
    spec.edit = set_no_limit_0;
    assert_spec_accepted(&spec, &expect);
}

static void require_efuse_block_2_to_3(esp_image_header_t *header, esp_app_desc_t *desc)
{
    (void)header;
    desc->min_efuse_blk_rev_full = 2;
    desc->max_efuse_blk_rev_full = 3;
}

static void an_efuse_block_revision_out_of_range_is_refused(void **state)
{
    (void)state;
    fixture_image_t spec = small_app();
    spec.edit = require_efuse_block_2_to_3;
    image_expect_t expect = expect_app();
    expect.efuse_blk_revision = 1;
    assert_spec_refused_with(&spec, &expect, IMAGE_FAULT_REVISION);
    expect.efuse_blk_revision = 4;
    assert_spec_refused_with(&spec, &expect, IMAGE_FAULT_REVISION);
    expect.efuse_blk_revision = 3;
    assert_spec_accepted(&spec, &expect);
}

static void the_first_esp32_has_no_efuse_block_revision(void **state)
{
    (void)state;
    fixture_image_t spec = small_app();
    spec.chip_id = ESP_CHIP_ID_ESP32;
    spec.edit = require_efuse_block_2_to_3;
    image_expect_t expect = fixture_expect(ESP_CHIP_ID_ESP32);
    assert_spec_accepted(&spec, &expect);
}

static void spoil_desc_magic(esp_image_header_t *header, esp_app_desc_t *desc)
{
    (void)header;
    desc->magic_word ^= 1;
}

static void an_app_without_descriptor_is_refused(void **state)
{
    (void)state;
    fixture_image_t spec = small_app();
    spec.edit = spoil_desc_magic;
    image_expect_t expect = expect_app();
    assert_spec_refused_with(&spec, &expect, IMAGE_FAULT_DESC);
    assert_err(image_fault_err(IMAGE_FAULT_DESC), ESP_ERR_IMAGE_INVALID);
}

static void a_secure_version_below_the_floor_is_refused(void **state)
{
    (void)state;
    fixture_image_t spec = small_app();
    spec.secure_version = 4;
    image_expect_t expect = expect_app();
    expect.min_secure_version = 4;
    assert_spec_accepted(&spec, &expect);
    expect.min_secure_version = 5;
    assert_spec_refused_with(&spec, &expect, IMAGE_FAULT_SECURE_VERSION);
    assert_err(image_fault_err(IMAGE_FAULT_SECURE_VERSION), ESP_ERR_IMAGE_INVALID);
}

/* Mapped addresses of the ESP32-C3 begin at 0x3C000000; segment data begins at image offset 32. */
static void a_misaligned_mapped_segment_is_refused(void **state)
{
    (void)state;
    fixture_image_t spec = small_app();
    spec.segment_bytes[1] = 0;
    image_expect_t expect = expect_app();
    spec.load_addr = 0x3C010020;
    assert_spec_accepted(&spec, &expect);
    spec.load_addr = 0x3C010024;
    assert_spec_refused_with(&spec, &expect, IMAGE_FAULT_ADDRESS);
    assert_err(image_fault_err(IMAGE_FAULT_ADDRESS), ESP_ERR_IMAGE_INVALID);
}

static void a_misaligned_later_mapped_segment_is_refused(void **state)
{
    (void)state;
    /* The second segment's data lies 8 bytes of header further on, its address does not. */
    fixture_image_t spec = small_app();
    spec.load_addr = 0x3C010020;
    image_expect_t expect = expect_app();
    assert_spec_refused_with(&spec, &expect, IMAGE_FAULT_ADDRESS);
}

static void choose_32_kib_pages(esp_image_header_t *header, esp_app_desc_t *desc)
{
    (void)header;
    desc->mmu_page_size = 15;
}

static void the_descriptor_states_the_page_size_where_chips_have_a_choice(void **state)
{
    (void)state;
    fixture_image_t spec = small_app();
    spec.segment_bytes[1] = 0;
    spec.load_addr = 0x42008020;
    image_expect_t expect = expect_app();
    spec.edit = choose_32_kib_pages;
    assert_spec_refused_with(&spec, &expect, IMAGE_FAULT_ADDRESS);
    spec.chip_id = ESP_CHIP_ID_ESP32C6;
    expect = fixture_expect(ESP_CHIP_ID_ESP32C6);
    assert_spec_accepted(&spec, &expect);
    spec.edit = NULL;
    assert_spec_refused_with(&spec, &expect, IMAGE_FAULT_ADDRESS);
}

static void an_image_may_fill_its_place_exactly(void **state)
{
    (void)state;
    fixture_image_t spec = small_app();
    size_t len;
    uint8_t *image = fixture_image(&spec, &len);
    image_expect_t expect = expect_app();
    expect.max_len = (uint32_t)len;
    assert_accepted(&expect, image, len);
    expect.max_len = (uint32_t)len - 1;
    assert_refused_with(&expect, image, len, IMAGE_FAULT_TOO_LARGE);
    assert_err(image_fault_err(IMAGE_FAULT_TOO_LARGE), ESP_ERR_IMAGE_INVALID);
    free(image);
}

static void nothing_beyond_the_place_of_an_image_is_read(void **state)
{
    (void)state;
    fixture_image_t spec = small_app();
    size_t len;
    uint8_t *image = fixture_image(&spec, &len);
    image_expect_t expect = expect_app();
    for (uint32_t max_len = 0; max_len < len; max_len++) {
        expect.max_len = max_len;
        image_walk_t walk;
        assert_int_equal(walk_image(&walk, &expect, image, len), IMAGE_STATUS_ERROR);
        assert_int_equal(walk.fault, IMAGE_FAULT_TOO_LARGE);
        assert_true(walk.fed <= max_len || walk.fed == IMAGE_HEADER_BYTES);
    }
    expect.max_len = 256;
    image_walk_t walk;
    walk_image(&walk, &expect, image, len);
    assert_int_equal(walk.fed, IMAGE_HEADER_BYTES + IMAGE_SEGMENT_HEADER_BYTES);
    free(image);
}

static void a_place_larger_than_the_chip_allows_is_an_invalid_argument(void **state)
{
    (void)state;
    image_expect_t expect = expect_app();
    image_walk_t walk;
    expect.max_len = 16u << 20;
    assert_err(image_begin(&walk, &expect, NULL), ESP_OK);
    image_free(&walk);
    expect.max_len++;
    assert_err(image_begin(&walk, &expect, NULL), ESP_ERR_INVALID_ARG);
    const uint8_t byte = ESP_IMAGE_HEADER_MAGIC;
    assert_int_equal(image_feed(&walk, &byte, 1, NULL), IMAGE_STATUS_ERROR);
    image_free(&walk);
    expect.chip_id = OTTER_CHIP_ID_LINUX_ARM64;
    expect.max_len = 256u << 20;
    assert_err(image_begin(&walk, &expect, NULL), ESP_OK);
    image_free(&walk);
}

/* ---- Bootloaders ---- */

static fixture_image_t small_bootloader(void)
{
    fixture_image_t spec = small_app();
    spec.no_desc = true;
    spec.segment_bytes[0] = 80;
    spec.segment_bytes[1] = 44;
    return spec;
}

static image_expect_t expect_bootloader(void)
{
    image_expect_t expect = expect_app();
    expect.kind = IMAGE_KIND_BOOTLOADER;
    return expect;
}

static void a_bootloader_needs_no_app_descriptor(void **state)
{
    (void)state;
    fixture_image_t spec = small_bootloader();
    image_expect_t expect = expect_bootloader();
    assert_spec_accepted(&spec, &expect);
    expect = expect_app();
    assert_spec_refused_with(&spec, &expect, IMAGE_FAULT_SEGMENT_LEN);
}

static void a_bootloader_needs_no_appended_hash(void **state)
{
    (void)state;
    fixture_image_t spec = small_bootloader();
    spec.no_hash = true;
    image_expect_t expect = expect_bootloader();
    assert_spec_accepted(&spec, &expect);
}

static void a_bootloader_with_a_wrong_hash_is_refused(void **state)
{
    (void)state;
    fixture_image_t spec = small_bootloader();
    size_t len;
    uint8_t *image = fixture_image(&spec, &len);
    image[len - 7] ^= 4;
    image_expect_t expect = expect_bootloader();
    assert_refused_with(&expect, image, len, IMAGE_FAULT_HASH);
    free(image);
}

static void a_bootloader_has_no_highest_chip_revision(void **state)
{
    (void)state;
    fixture_image_t spec = small_bootloader();
    spec.edit = require_revisions_101_to_199;
    image_expect_t expect = expect_bootloader();
    expect.chip_revision = 300;
    assert_spec_accepted(&spec, &expect);
    expect.chip_revision = 100;
    assert_spec_refused_with(&spec, &expect, IMAGE_FAULT_REVISION);
}

/* ---- Inspection ---- */

static void inspection_records_every_fault_and_goes_on(void **state)
{
    (void)state;
    fixture_image_t spec = small_app();
    spec.edit = spoil_desc_magic;
    size_t len;
    uint8_t *image = fixture_image(&spec, &len);
    image[OFF_PAYLOAD + 1] ^= 2;
    image_expect_t expect = fixture_expect(ESP_CHIP_ID_ESP32S3);
    expect.inspect = true;
    image_walk_t walk;
    assert_int_equal(walk_image(&walk, &expect, image, len), IMAGE_STATUS_ERROR);
    assert_int_equal(walk.faults, 1u << IMAGE_FAULT_CHIP | 1u << IMAGE_FAULT_DESC | 1u << IMAGE_FAULT_CHECKSUM |
                                      1u << IMAGE_FAULT_HASH);
    assert_int_equal(walk.fault, IMAGE_FAULT_CHIP);
    assert_int_equal(walk.fault_off, 12);
    assert_int_equal(walk.image_len, len);
    assert_int_equal(walk.segment_count, 2);
    free(image);
}

static void inspection_stops_where_the_structure_breaks(void **state)
{
    (void)state;
    fixture_image_t spec = small_app();
    size_t len;
    uint8_t *image = fixture_image(&spec, &len);
    image[OFF_SEG0_LEN] |= 1;
    image_expect_t expect = expect_app();
    expect.inspect = true;
    image_walk_t walk;
    assert_int_equal(walk_image(&walk, &expect, image, len), IMAGE_STATUS_ERROR);
    assert_int_equal(walk.fault, IMAGE_FAULT_SEGMENT_LEN);
    assert_int_equal(walk.image_len, 0);
    free(image);
}

static void inspection_accepts_a_good_image_of_any_chip(void **state)
{
    (void)state;
    fixture_image_t spec = small_app();
    image_expect_t expect = {.max_len = UINT32_MAX, .any_chip = true, .inspect = true};
    assert_spec_accepted(&spec, &expect);
    spec.chip_id = OTTER_CHIP_ID_QEMU_RISCV32;
    assert_spec_accepted(&spec, &expect);
}

/* ---- Sinks ---- */

typedef struct collector {
    uint8_t bytes[4096];
    size_t len;
    uint32_t segments;
    uint32_t refuse_segment; /* Answers an error for this one; UINT32_MAX: none. */
    size_t refuse_at;        /* Answers an error for the piece that reaches this length. */
} collector_t;

static esp_err_t collect_segment(void *arg, uint32_t index, const esp_image_segment_header_t *header, uint32_t data_off)
{
    collector_t *collector = arg;
    assert_int_equal(index, collector->segments);
    assert_int_equal(data_off, 32 + collector->len + 8 * index);
    assert_int_equal(header->load_addr, 0x10000000 + collector->len);
    collector->segments++;
    return index == collector->refuse_segment ? ESP_FAIL : ESP_OK;
}

static esp_err_t collect_data(void *arg, uint32_t index, uint32_t off, const uint8_t *bytes, size_t len)
{
    collector_t *collector = arg;
    assert_int_equal(off, index == 0 ? collector->len : collector->len - 1280);
    assert_true(len <= sizeof(collector->bytes) - collector->len);
    memcpy(collector->bytes + collector->len, bytes, len);
    collector->len += len;
    return collector->len >= collector->refuse_at ? ESP_FAIL : ESP_OK;
}

static image_fault_t walk_into(collector_t *collector, const uint8_t *image, size_t len, piece_t piece)
{
    image_sink_t sink = {.segment = collect_segment, .data = collect_data, .arg = collector};
    image_expect_t expect = expect_app();
    image_walk_t walk;
    assert_err(image_begin(&walk, &expect, &sink), ESP_OK);
    feed(&walk, image, len, piece, 5);
    image_fault_t fault = image_finish(&walk);
    image_free(&walk);
    return fault;
}

static void a_sink_receives_every_segment_byte_once(void **state)
{
    (void)state;
    static const piece_t pieces[] = {all_at_once, one_byte, random_piece};
    fixture_image_t spec = small_app();
    size_t len;
    uint8_t *image = fixture_image(&spec, &len);
    for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
        collector_t collector = {.refuse_segment = UINT32_MAX, .refuse_at = SIZE_MAX};
        assert_int_equal(walk_into(&collector, image, len, pieces[i]), IMAGE_OK);
        assert_int_equal(collector.segments, 2);
        assert_int_equal(collector.len, 1280 + 512);
        assert_memory_equal(collector.bytes, image + 32, 1280);
        assert_memory_equal(collector.bytes + 1280, image + 32 + 1280 + 8, 512);
    }
    free(image);
}

static void a_sink_that_refuses_ends_the_walk(void **state)
{
    (void)state;
    fixture_image_t spec = small_app();
    size_t len;
    uint8_t *image = fixture_image(&spec, &len);
    collector_t data = {.refuse_segment = UINT32_MAX, .refuse_at = 1000};
    assert_int_equal(walk_into(&data, image, len, one_byte), IMAGE_FAULT_SINK);
    assert_int_equal(data.len, 1000);
    collector_t segment = {.refuse_segment = 1, .refuse_at = SIZE_MAX};
    assert_int_equal(walk_into(&segment, image, len, one_byte), IMAGE_FAULT_SINK);
    assert_int_equal(segment.segments, 2);
    assert_int_equal(segment.len, 1280);
    free(image);
}

/* ---- Names ---- */

static void every_chip_name_leads_back_to_its_id(void **state)
{
    (void)state;
    uint32_t named = 0;
    for (uint32_t id = 0; id <= 0xFFFF; id++) {
        const char *name = image_chip_name((uint16_t)id);
        if (name != NULL) {
            assert_int_equal(image_chip_by_name(name), id);
            named++;
        }
    }
    assert_int_equal(named, 18);
    assert_string_equal(image_chip_name(0), "esp32");
    assert_string_equal(image_chip_name(OTTER_CHIP_ID_LINUX_X86_64), "linux-x86_64");
    assert_int_equal(image_chip_by_name("esp8266"), ESP_CHIP_ID_INVALID);
    assert_null(image_chip_name(ESP_CHIP_ID_INVALID));
}

static void otters_own_chips_are_unlike_every_espressif_id(void **state)
{
    (void)state;
    static const uint16_t own[] = {OTTER_CHIP_ID_LINUX_X86_64, OTTER_CHIP_ID_LINUX_ARM64, OTTER_CHIP_ID_LINUX_RISCV64,
                                   OTTER_CHIP_ID_LINUX_ARM, OTTER_CHIP_ID_QEMU_RISCV32};
    for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++) {
        assert_int_equal(image_max_len(own[i]), 256u << 20);
        assert_null(image_chip_name(own[i] & 0xFF));
    }
    assert_int_equal(image_max_len(ESP_CHIP_ID_ESP32C3), 16u << 20);
    assert_int_equal(image_max_len(0x1234), 16u << 20);
}

static void every_fault_has_its_own_text(void **state)
{
    (void)state;
    for (int a = IMAGE_OK; a <= IMAGE_FAULT_CRYPTO; a++) {
        assert_non_null(image_fault_text((image_fault_t)a));
        assert_true((image_fault_err((image_fault_t)a) == ESP_OK) == (a == IMAGE_OK));
        for (int b = IMAGE_OK; b < a; b++) {
            assert_string_not_equal(image_fault_text((image_fault_t)a), image_fault_text((image_fault_t)b));
        }
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_good_image_is_accepted_and_described),
    cmocka_unit_test(bytes_after_the_image_are_left_alone),
    cmocka_unit_test(every_changed_byte_is_refused),
    cmocka_unit_test(an_image_cut_short_anywhere_is_truncated),
    cmocka_unit_test(a_refused_walk_stays_refused),
    cmocka_unit_test(a_freed_walk_fails_closed),
    cmocka_unit_test(the_sizes_of_the_pieces_do_not_matter),
    cmocka_unit_test(the_sizes_of_the_pieces_do_not_matter_for_faulty_images),
    cmocka_unit_test(a_flipped_bit_in_a_segment_fails_the_checksum),
    cmocka_unit_test(flips_that_cancel_in_the_checksum_fail_the_digest),
    cmocka_unit_test(clearing_the_hash_flag_does_not_help_a_corrupt_image),
    cmocka_unit_test(an_app_without_appended_hash_is_refused),
    cmocka_unit_test(a_changed_stored_hash_is_refused),
    cmocka_unit_test(a_wrong_magic_is_refused),
    cmocka_unit_test(erased_flash_is_refused),
    cmocka_unit_test(a_wrong_segment_count_is_refused),
    cmocka_unit_test(sixteen_segments_are_accepted),
    cmocka_unit_test(a_bare_header_does_not_verify),
    cmocka_unit_test(a_first_segment_too_short_for_a_descriptor_is_refused),
    cmocka_unit_test(a_first_segment_that_is_only_a_descriptor_is_accepted),
    cmocka_unit_test(a_segment_length_that_is_no_multiple_of_4_is_refused),
    cmocka_unit_test(a_segment_of_16_mib_is_refused),
    cmocka_unit_test(a_load_address_that_wraps_is_refused),
    cmocka_unit_test(a_wrong_chip_is_refused),
    cmocka_unit_test(a_chip_revision_out_of_range_is_refused),
    cmocka_unit_test(an_unset_highest_revision_is_no_limit),
    cmocka_unit_test(an_efuse_block_revision_out_of_range_is_refused),
    cmocka_unit_test(the_first_esp32_has_no_efuse_block_revision),
    cmocka_unit_test(an_app_without_descriptor_is_refused),
    cmocka_unit_test(a_secure_version_below_the_floor_is_refused),
    cmocka_unit_test(a_misaligned_mapped_segment_is_refused),
    cmocka_unit_test(a_misaligned_later_mapped_segment_is_refused),
    cmocka_unit_test(the_descriptor_states_the_page_size_where_chips_have_a_choice),
    cmocka_unit_test(an_image_may_fill_its_place_exactly),
    cmocka_unit_test(nothing_beyond_the_place_of_an_image_is_read),
    cmocka_unit_test(a_place_larger_than_the_chip_allows_is_an_invalid_argument),
    cmocka_unit_test(a_bootloader_needs_no_app_descriptor),
    cmocka_unit_test(a_bootloader_needs_no_appended_hash),
    cmocka_unit_test(a_bootloader_with_a_wrong_hash_is_refused),
    cmocka_unit_test(a_bootloader_has_no_highest_chip_revision),
    cmocka_unit_test(inspection_records_every_fault_and_goes_on),
    cmocka_unit_test(inspection_stops_where_the_structure_breaks),
    cmocka_unit_test(inspection_accepts_a_good_image_of_any_chip),
    cmocka_unit_test(a_sink_receives_every_segment_byte_once),
    cmocka_unit_test(a_sink_that_refuses_ends_the_walk),
    cmocka_unit_test(every_chip_name_leads_back_to_its_id),
    cmocka_unit_test(otters_own_chips_are_unlike_every_espressif_id),
    cmocka_unit_test(every_fault_has_its_own_text),
};

TEST_MAIN(tests)
