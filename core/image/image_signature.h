/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file image_signature.h
 * @brief Private to core/image: what the walk does with a signature sector. Format: docs/FORMATS.md.
 */
#pragma once

#include "core/image/image.h"

/** Is a signature sector looked at, at all? */
bool image_signature_wanted(const image_expect_t *expect);

/** Is a missing or wrong signature a fault? */
bool image_signature_required(const image_expect_t *expect);

/** Is a SHA-384 needed besides the SHA-256? If signatures are required there must be expect->trust: image_begin() sees to it. */
bool image_signature_needs_sha384(const image_expect_t *expect);

/** Bytes from the end of an image of this length to the signature sector: 0 to SIGNATURE_SECTOR_BYTES - 1. */
uint32_t image_signature_padding(uint32_t image_len);

/** Takes the digests of everything fed so far. ESP_OK or ESP_FAIL. */
esp_err_t image_signature_take_digests(image_walk_t *walk);

/** Checks the gathered block, the next one of the sector. */
void image_signature_check_block(image_walk_t *walk);

/** All blocks were checked: counts them, and says what is the matter if none is good. */
image_fault_t image_signature_judge(image_walk_t *walk);
