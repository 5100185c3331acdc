/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file image_checksum.h
 * @brief The image checksum: XOR of all segment data, seeded with EF. Format: docs/FORMATS.md.
 *
 * Kept as a word, folded to a byte at the end: which byte of the word a data byte falls on does not matter.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/** Checksum word of no data at all. */
#define IMAGE_CHECKSUM_SEED 0xEFu

/** Adds data to a checksum word; pieces may have any length. Returns the new word. */
uint32_t image_add_checksum(uint32_t word, const uint8_t *bytes, size_t len);

/** Checksum byte of a checksum word. */
uint8_t image_fold_checksum(uint32_t word);
