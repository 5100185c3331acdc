/* SPDX-License-Identifier: Apache-2.0 */
/* Corners of the image walk that only a deliberate defect in it brings to light: see tools/mutants. */
#include <stdlib.h>

#include "core/util/bytes.h"
#include "tests/support/image_fixture.h"
#include "tests/support/test.h"

#define OFF_SEG0_LEN 28

/* Walks a small app whose first segment claims this length; the bytes that follow are those of the small app. */
static image_walk_t walk_with_segment_len(const image_expect_t *expect, uint32_t segment_bytes)
{
    fixture_image_t spec = FIXTURE_IMAGE_FOR(ESP_CHIP_ID_ESP32C3, "blink", "1.2.0");
    size_t len;
    uint8_t *image = fixture_image(&spec, &len);
    bytes_put_u32(image + OFF_SEG0_LEN, segment_bytes);
    image_walk_t walk;
    assert_err(image_begin(&walk, expect, NULL), ESP_OK);
    image_feed(&walk, image, len, NULL);
    image_finish(&walk);
    image_free(&walk);
    free(image);
    return walk;
}

static void a_segment_length_that_is_no_multiple_of_four_is_refused_where_it_stands(void **state)
{
    (void)state;
    image_expect_t expect = fixture_expect(ESP_CHIP_ID_ESP32C3);
    for (uint32_t odd = 1; odd < 4; odd++) {
        image_walk_t walk = walk_with_segment_len(&expect, 1280 + odd);
        assert_int_equal(walk.fault, IMAGE_FAULT_SEGMENT_LEN);
        assert_int_equal(walk.fault_off, OFF_SEG0_LEN);
        assert_int_equal(walk.segment_count, 0);
    }
    assert_int_equal(walk_with_segment_len(&expect, 1280).fault, IMAGE_OK);
}

static void an_inspected_image_too_large_for_its_own_chip_is_refused(void **state)
{
    (void)state;
    image_expect_t expect = fixture_expect(ESP_CHIP_ID_ESP32C3);
    expect.any_chip = true;
    expect.max_len = 256u << 20;
    assert_int_equal(walk_with_segment_len(&expect, IMAGE_SEGMENT_LIMIT - 4).fault, IMAGE_FAULT_TOO_LARGE);
    assert_int_equal(walk_with_segment_len(&expect, IMAGE_SEGMENT_LIMIT / 2).fault, IMAGE_FAULT_TRUNCATED);
}

/* Walks an app for the ESP32-C6 whose one segment is mapped 32 KiB into a page of 64 KiB. */
static uint32_t faults_of_mapped(fixture_image_t *spec)
{
    spec->segment_bytes[1] = 0;
    spec->load_addr = 0x42008020;
    size_t len;
    uint8_t *image = fixture_image(spec, &len);
    image_expect_t expect = fixture_expect(ESP_CHIP_ID_ESP32C6);
    expect.inspect = true;
    image_walk_t walk;
    assert_err(image_begin(&walk, &expect, NULL), ESP_OK);
    image_feed(&walk, image, len, NULL);
    image_finish(&walk);
    image_free(&walk);
    free(image);
    return walk.faults;
}

static uint8_t page_log2;

static void choose_pages(esp_image_header_t *header, esp_app_desc_t *desc)
{
    (void)header;
    desc->mmu_page_size = page_log2;
}

static void a_page_size_that_no_chip_has_counts_as_64_kib(void **state)
{
    (void)state;
    static const uint8_t logs[] = {0, 1, 12, 13, 14, 15, 16, 17, 31, 32, 255};
    fixture_image_t spec = FIXTURE_IMAGE_FOR(ESP_CHIP_ID_ESP32C6, "blink", "1.2.0");
    spec.edit = choose_pages;
    for (size_t i = 0; i < sizeof(logs); i++) {
        page_log2 = logs[i];
        bool small_pages = page_log2 >= 13 && page_log2 <= 15;
        assert_int_equal(faults_of_mapped(&spec), small_pages ? 0 : 1u << IMAGE_FAULT_ADDRESS);
    }
}

static void the_page_size_of_what_is_no_descriptor_does_not_count(void **state)
{
    (void)state;
    fixture_image_t spec = FIXTURE_IMAGE_FOR(ESP_CHIP_ID_ESP32C6, "blink", "1.2.0");
    spec.no_desc = true;
    assert_int_equal(faults_of_mapped(&spec), 1u << IMAGE_FAULT_DESC | 1u << IMAGE_FAULT_ADDRESS);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_segment_length_that_is_no_multiple_of_four_is_refused_where_it_stands),
    cmocka_unit_test(an_inspected_image_too_large_for_its_own_chip_is_refused),
    cmocka_unit_test(a_page_size_that_no_chip_has_counts_as_64_kib),
    cmocka_unit_test(the_page_size_of_what_is_no_descriptor_does_not_count),
};

TEST_MAIN(tests)
