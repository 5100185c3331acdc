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

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_segment_length_that_is_no_multiple_of_four_is_refused_where_it_stands),
    cmocka_unit_test(an_inspected_image_too_large_for_its_own_chip_is_refused),
};

TEST_MAIN(tests)
