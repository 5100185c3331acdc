/* SPDX-License-Identifier: Apache-2.0 */
/* The image builder: its bytes, and that it takes nothing out of turn. */
#include <stdlib.h>

#include "core/image/image_build.h"
#include "tests/support/image_fixture.h"
#include "tests/support/test.h"

typedef struct output {
    uint8_t bytes[2048];
    size_t len;
    size_t fail_at; /* Refuses once this many bytes are there. */
} output_t;

static esp_err_t put(void *arg, const uint8_t *bytes, size_t len)
{
    output_t *output = arg;
    if (output->len >= output->fail_at) {
        return ESP_ERR_NO_MEM;
    }
    assert_true(len <= sizeof(output->bytes) - output->len);
    memcpy(output->bytes + output->len, bytes, len);
    output->len += len;
    return ESP_OK;
}

static esp_image_header_t header_of(uint8_t segments, uint8_t hash_appended)
{
    esp_image_header_t header = {
        .magic = ESP_IMAGE_HEADER_MAGIC,
        .segment_count = segments,
        .spi_mode = ESP_IMAGE_SPI_MODE_DIO,
        .spi_speed = 0xF,
        .spi_size = 2,
        .entry_addr = 0x40380000,
        .wp_pin = 0xEE,
        .chip_id = ESP_CHIP_ID_ESP32C3,
        .max_chip_rev_full = 0xFFFF,
        .hash_appended = hash_appended,
    };
    return header;
}

/* Made by hand: 24 bytes of header, 8 of segment header, 4 of data, padding to 47, checksum EF^01^02^04^08. */
static void a_tiny_image_has_the_documented_bytes(void **state)
{
    (void)state;
    static const uint8_t expected[48] = {
        0xE9, 0x01, 0x02, 0x2F, 0x00, 0x00, 0x38, 0x40, 0xEE, 0,    0,    0,    5,    0,    0,    0,
        0,    0xFF, 0xFF, 0,    0,    0,    0,    0,    0x78, 0x56, 0x34, 0x12, 0x04, 0x00, 0x00, 0x00,
        0x01, 0x02, 0x04, 0x08, 0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0xE0,
    };
    static const uint8_t data[4] = {1, 2, 4, 8};
    output_t output = {.fail_at = SIZE_MAX};
    esp_image_header_t header = header_of(1, 0);
    image_build_t build;
    assert_err(image_build_begin(&build, &header, put, &output), ESP_OK);
    assert_err(image_build_segment(&build, 0x12345678, 4), ESP_OK);
    assert_err(image_build_data(&build, data, sizeof(data)), ESP_OK);
    assert_err(image_build_finish(&build), ESP_OK);
    image_build_free(&build);
    assert_int_equal(output.len, sizeof(expected));
    assert_memory_equal(output.bytes, expected, sizeof(expected));
}

static void the_appended_hash_is_that_of_all_before_it(void **state)
{
    (void)state;
    fixture_image_t spec = FIXTURE_IMAGE("blink", "1.0");
    size_t len;
    uint8_t *image = fixture_image(&spec, &len);
    assert_int_equal(len % 16, 0);
    uint8_t hash[OTTER_SHA256_BYTES];
    otter_hash_t sha;
    assert_err(otter_hash_begin(&sha, OTTER_HASH_SHA256), ESP_OK);
    assert_err(otter_hash_update(&sha, image, len - sizeof(hash)), ESP_OK);
    assert_err(otter_hash_finish(&sha, hash), ESP_OK);
    otter_hash_free(&sha);
    assert_memory_equal(hash, image + len - sizeof(hash), sizeof(hash));
    free(image);
}

/* Data may end anywhere between two 16-byte boundaries. */
static void padding_is_one_to_sixteen_bytes(void **state)
{
    (void)state;
    for (uint32_t extra = 0; extra < 16; extra += 4) {
        fixture_image_t spec = FIXTURE_IMAGE("blink", "1.0");
        spec.no_hash = true;
        spec.segment_bytes[1] = 16 + extra;
        size_t len;
        uint8_t *image = fixture_image(&spec, &len);
        size_t data_end = 24 + 8 + 1280 + 8 + 16 + extra;
        assert_int_equal(len, (data_end / 16 + 1) * 16);
        for (size_t i = data_end; i < len - 1; i++) {
            assert_int_equal(image[i], 0);
        }
        free(image);
    }
}

static void data_may_come_in_pieces_of_any_size(void **state)
{
    (void)state;
    uint8_t data[400];
    uint32_t random = 3;
    for (size_t i = 0; i < sizeof(data); i++) {
        data[i] = (uint8_t)fixture_random(&random);
    }
    output_t outputs[2] = {{.fail_at = SIZE_MAX}, {.fail_at = SIZE_MAX}};
    for (size_t o = 0; o < 2; o++) {
        esp_image_header_t header = header_of(1, 1);
        image_build_t build;
        assert_err(image_build_begin(&build, &header, put, &outputs[o]), ESP_OK);
        assert_err(image_build_segment(&build, 0, sizeof(data)), ESP_OK);
        size_t piece = o == 0 ? sizeof(data) : 1;
        for (size_t off = 0; off < sizeof(data); off += piece) {
            assert_err(image_build_data(&build, data + off, piece), ESP_OK);
        }
        assert_err(image_build_finish(&build), ESP_OK);
        image_build_free(&build);
    }
    assert_int_equal(outputs[0].len, outputs[1].len);
    assert_memory_equal(outputs[0].bytes, outputs[1].bytes, outputs[0].len);
}

static void a_header_without_magic_or_segments_is_refused(void **state)
{
    (void)state;
    static const uint8_t counts[] = {0, 17};
    output_t output = {.fail_at = SIZE_MAX};
    image_build_t build;
    for (size_t i = 0; i < sizeof(counts); i++) {
        esp_image_header_t header = header_of(counts[i], 1);
        assert_err(image_build_begin(&build, &header, put, &output), ESP_ERR_INVALID_ARG);
        image_build_free(&build);
    }
    esp_image_header_t header = header_of(1, 1);
    header.magic = 0;
    assert_err(image_build_begin(&build, &header, put, &output), ESP_ERR_INVALID_ARG);
    assert_err(image_build_segment(&build, 0, 4), ESP_ERR_INVALID_ARG);
    image_build_free(&build);
    assert_int_equal(output.len, 0);
}

static void nothing_is_taken_out_of_turn(void **state)
{
    (void)state;
    static const uint8_t data[8] = {0};
    output_t output = {.fail_at = SIZE_MAX};
    esp_image_header_t header = header_of(2, 1);
    image_build_t build;
    assert_err(image_build_begin(&build, &header, put, &output), ESP_OK);
    assert_err(image_build_data(&build, data, 4), ESP_ERR_INVALID_SIZE);
    assert_err(image_build_finish(&build), ESP_ERR_INVALID_STATE);
    assert_err(image_build_segment(&build, 0, 6), ESP_ERR_INVALID_SIZE);
    assert_err(image_build_segment(&build, 0, IMAGE_SEGMENT_LIMIT), ESP_ERR_INVALID_SIZE);
    assert_err(image_build_segment(&build, 0, 8), ESP_OK);
    assert_err(image_build_segment(&build, 0, 8), ESP_ERR_INVALID_STATE);
    assert_err(image_build_data(&build, data, 4), ESP_OK);
    assert_err(image_build_data(&build, data, 5), ESP_ERR_INVALID_SIZE);
    assert_err(image_build_finish(&build), ESP_ERR_INVALID_STATE);
    assert_err(image_build_data(&build, data, 4), ESP_OK);
    assert_err(image_build_finish(&build), ESP_ERR_INVALID_STATE);
    assert_err(image_build_segment(&build, 0, 0), ESP_OK);
    assert_err(image_build_segment(&build, 0, 0), ESP_ERR_INVALID_STATE);
    assert_err(image_build_finish(&build), ESP_OK);
    image_build_free(&build);
}

static void an_error_of_the_sink_sticks(void **state)
{
    (void)state;
    static const uint8_t data[4] = {0};
    output_t output = {.fail_at = 30};
    esp_image_header_t header = header_of(1, 1);
    image_build_t build;
    assert_err(image_build_begin(&build, &header, put, &output), ESP_OK);
    assert_err(image_build_segment(&build, 0, 4), ESP_OK);
    assert_err(image_build_data(&build, data, 4), ESP_ERR_NO_MEM);
    output.fail_at = SIZE_MAX;
    assert_err(image_build_data(&build, data, 4), ESP_ERR_NO_MEM);
    assert_err(image_build_finish(&build), ESP_ERR_NO_MEM);
    image_build_free(&build);
    assert_int_equal(output.len, 32);
}

static void an_unfinished_last_segment_is_no_image(void **state)
{
    (void)state;
    static const uint8_t data[4] = {0};
    output_t output = {.fail_at = SIZE_MAX};
    esp_image_header_t header = header_of(1, 0);
    image_build_t build;
    assert_err(image_build_begin(&build, &header, put, &output), ESP_OK);
    assert_err(image_build_segment(&build, 0, 4), ESP_OK);
    assert_err(image_build_finish(&build), ESP_ERR_INVALID_STATE);
    assert_err(image_build_data(&build, data, 4), ESP_OK);
    assert_err(image_build_finish(&build), ESP_OK);
    image_build_free(&build);
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

/* Every step of a small image in turn; an error sticks, so that the last step tells it. */
static esp_err_t build_small(output_t *output)
{
    static const uint8_t data[4] = {0};
    esp_image_header_t header = header_of(1, 1);
    image_build_t build;
    image_build_begin(&build, &header, put, output);
    image_build_segment(&build, 0, 4);
    image_build_data(&build, data, 4);
    esp_err_t err = image_build_finish(&build);
    image_build_free(&build);
    return err;
}

static void a_failing_crypto_library_makes_no_image(void **state)
{
    (void)state;
    static const esp_err_t expected[] = {ESP_ERR_NO_MEM, ESP_FAIL, ESP_FAIL, ESP_FAIL, ESP_FAIL, ESP_FAIL};
    for (int call = 0; call < 6; call++) {
        output_t output = {.fail_at = SIZE_MAX};
        calls_until_failure = call;
        assert_err(build_small(&output), expected[call]);
        assert_int_equal(calls_until_failure, -1);
    }
    output_t output = {.fail_at = SIZE_MAX};
    assert_err(build_small(&output), ESP_OK);
    assert_int_equal(output.len, 48 + OTTER_SHA256_BYTES);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_tiny_image_has_the_documented_bytes),
    cmocka_unit_test(the_appended_hash_is_that_of_all_before_it),
    cmocka_unit_test(padding_is_one_to_sixteen_bytes),
    cmocka_unit_test(data_may_come_in_pieces_of_any_size),
    cmocka_unit_test(a_header_without_magic_or_segments_is_refused),
    cmocka_unit_test(nothing_is_taken_out_of_turn),
    cmocka_unit_test(an_error_of_the_sink_sticks),
    cmocka_unit_test(an_unfinished_last_segment_is_no_image),
    cmocka_unit_test(a_failing_crypto_library_makes_no_image),
};

TEST_MAIN(tests)
