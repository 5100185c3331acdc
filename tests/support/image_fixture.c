/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/image_fixture.h"

#include <stdlib.h>

#include "core/image/image_build.h"
#include "tests/support/test.h"

#define TAIL_BYTES (16 + OTTER_SHA256_BYTES)

typedef struct fixture_buffer {
    uint8_t *bytes;
    size_t len;
    size_t size;
} fixture_buffer_t;

static esp_err_t append(void *arg, const uint8_t *bytes, size_t len)
{
    fixture_buffer_t *buffer = arg;
    assert_true(len <= buffer->size - buffer->len);
    memcpy(buffer->bytes + buffer->len, bytes, len);
    buffer->len += len;
    return ESP_OK;
}

uint32_t fixture_random(uint32_t *state)
{
    uint32_t x = *state += 0x9E3779B9u;
    x = (x ^ (x >> 16)) * 0x85EBCA6Bu;
    x = (x ^ (x >> 13)) * 0xC2B2AE35u;
    return x ^ (x >> 16);
}

static uint8_t count_segments(const fixture_image_t *spec)
{
    uint8_t count = 0;
    while (count < IMAGE_MAX_SEGMENTS && spec->segment_bytes[count] != 0) {
        count++;
    }
    return count;
}

static size_t image_bytes(const fixture_image_t *spec)
{
    size_t len = IMAGE_HEADER_BYTES + TAIL_BYTES;
    for (uint8_t i = 0; i < count_segments(spec); i++) {
        len += IMAGE_SEGMENT_HEADER_BYTES + spec->segment_bytes[i];
    }
    return len;
}

static void put_text(char *field, size_t size, const char *text)
{
    size_t len = strlen(text);
    assert_true(len <= size);
    memcpy(field, text, len);
}

static esp_image_header_t make_header(const fixture_image_t *spec)
{
    esp_image_header_t header = {
        .magic = ESP_IMAGE_HEADER_MAGIC,
        .segment_count = count_segments(spec),
        .entry_addr = spec->load_addr,
        .wp_pin = 0xEE,
        .chip_id = (esp_chip_id_t)spec->chip_id,
        .hash_appended = !spec->no_hash,
    };
    return header;
}

static esp_app_desc_t make_desc(const fixture_image_t *spec)
{
    esp_app_desc_t desc = {.magic_word = ESP_APP_DESC_MAGIC_WORD, .secure_version = spec->secure_version};
    put_text(desc.version, sizeof(desc.version), spec->version);
    put_text(desc.project_name, sizeof(desc.project_name), spec->project);
    put_text(desc.date, sizeof(desc.date), "Jan  1 2026");
    put_text(desc.time, sizeof(desc.time), "12:00:00");
    put_text(desc.idf_ver, sizeof(desc.idf_ver), "otter-test");
    uint32_t state = spec->seed + 1;
    for (size_t i = 0; i < sizeof(desc.app_elf_sha256); i++) {
        desc.app_elf_sha256[i] = (uint8_t)fixture_random(&state);
    }
    return desc;
}

static void add_payload(image_build_t *build, uint32_t len, uint32_t *state)
{
    for (uint32_t i = 0; i < len; i += 4) {
        uint32_t word = fixture_random(state);
        uint8_t bytes[4];
        memcpy(bytes, &word, sizeof(bytes));
        assert_err(image_build_data(build, bytes, sizeof(bytes)), ESP_OK);
    }
}

static void add_segments(image_build_t *build, const fixture_image_t *spec, const esp_app_desc_t *desc)
{
    uint32_t state = spec->seed;
    uint32_t addr = spec->load_addr;
    for (uint32_t i = 0; i < count_segments(spec); i++) {
        uint32_t len = spec->segment_bytes[i];
        assert_err(image_build_segment(build, addr, len), ESP_OK);
        addr += len;
        if (i == 0 && !spec->no_desc) {
            assert_true(len >= IMAGE_APP_DESC_BYTES);
            assert_err(image_build_data(build, (const uint8_t *)desc, IMAGE_APP_DESC_BYTES), ESP_OK);
            len -= IMAGE_APP_DESC_BYTES;
        }
        add_payload(build, len, &state);
    }
}

uint8_t *fixture_image(const fixture_image_t *spec, size_t *len)
{
    fixture_buffer_t buffer = {.size = image_bytes(spec)};
    buffer.bytes = malloc(buffer.size);
    assert_non_null(buffer.bytes);
    esp_image_header_t header = make_header(spec);
    esp_app_desc_t desc = make_desc(spec);
    if (spec->edit != NULL) {
        spec->edit(&header, &desc);
    }
    image_build_t build;
    assert_err(image_build_begin(&build, &header, append, &buffer), ESP_OK);
    add_segments(&build, spec, &desc);
    assert_err(image_build_finish(&build), ESP_OK);
    image_build_free(&build);
    *len = buffer.len;
    return buffer.bytes;
}

image_expect_t fixture_expect(uint16_t chip_id)
{
    image_expect_t expect = {.kind = IMAGE_KIND_APP, .max_len = image_max_len(chip_id), .chip_id = chip_id};
    return expect;
}
