/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file image_fixture.h
 * @brief Makes images in memory for tests. Add tests/support/image_fixture.c to the test's SOURCES.
 *
 *     fixture_image_t spec = FIXTURE_IMAGE("blink", "1.2.0");
 *     spec.secure_version = 3;
 *     size_t len;
 *     uint8_t *image = fixture_image(&spec, &len);
 *     ...
 *     free(image);
 *
 * The same specification gives the same bytes. Payload is pseudo-random: no two places in it look alike.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/image/image.h"

/** What an image shall be like. Zero fields mean what they say; begin with FIXTURE_IMAGE(). */
typedef struct fixture_image {
    uint16_t chip_id;
    const char *project;
    const char *version;
    uint32_t secure_version;
    /** Data bytes of each segment, up to the first 0; multiples of 4. The first begins with the app descriptor (256 bytes). */
    uint32_t segment_bytes[IMAGE_MAX_SEGMENTS];
    uint32_t load_addr; /**< Of the first segment; the others follow it without gap. */
    bool no_desc;       /**< Plain payload instead of the descriptor, as in a bootloader. */
    bool no_hash;       /**< No appended SHA-256. */
    uint32_t seed;      /**< Payload: another seed, other bytes. */
    /** Last touches before anything is written, or NULL. */
    void (*edit)(esp_image_header_t *header, esp_app_desc_t *desc);
} fixture_image_t;

/** A small good app for this chip: one segment with descriptor and 1024 bytes of payload, one of 512 bytes. */
#define FIXTURE_IMAGE_FOR(chip, name, ver)                                                                             \
    {                                                                                                                  \
        .chip_id = (chip), .project = (name), .version = (ver), .segment_bytes = {1280, 512}, .load_addr = 0x10000000  \
    }

/** The same for Linux on x86-64. */
#define FIXTURE_IMAGE(name, ver) FIXTURE_IMAGE_FOR(OTTER_CHIP_ID_LINUX_X86_64, name, ver)

/**
 * Makes the image. A specification that makes no sense fails the test.
 *
 * @param len  gets its length in bytes
 * @return to be freed with free()
 */
uint8_t *fixture_image(const fixture_image_t *spec, size_t *len);

/** A walk's expectation that a fixture image for this chip meets: kind app, max_len the chip's largest. */
image_expect_t fixture_expect(uint16_t chip_id);

/** Next number of a repeatable pseudo-random sequence. @p state may start with anything. */
uint32_t fixture_random(uint32_t *state);
