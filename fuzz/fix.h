/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file fix.h
 * @brief Makes digests right, so that a fuzzer gets behind the checks of them; and a small good app to begin with.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Most bytes of fuzz_make_app(). */
#define FUZZ_APP_MAX 512

/**
 * Sets checksum and appended SHA-256 of an image to what they must be. Bytes that are no image, or too few, are left alone.
 *
 * @return length of the image, in bytes; 0 if it has none
 */
size_t fuzz_fix_image(uint8_t *bytes, size_t len);

/** Makes a small good app for this chip. Returns its length in bytes. */
size_t fuzz_make_app(uint8_t app[FUZZ_APP_MAX], uint16_t chip_id, uint32_t secure_version);

/** Sets each MD5 entry of a partition table to what it must be. */
void fuzz_fix_table(uint8_t *bytes, size_t len);
