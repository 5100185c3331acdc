/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file policy.h
 * @brief What a key store demands of images. Bootloader, device and command line ask here, so that all demand the same.
 *
 * Configuration may ask for more than the key store, never for less: nothing passed in here loosens what is burned.
 */
#pragma once

#include "core/image/image.h"
#include "core/trust/trust.h"

/**
 * What a device checks its images against: signatures if secure boot is on, the anti-rollback floor, its chip.
 *
 * @param trust          kept by pointer: outlives the walk
 * @param max_len        bytes that the image may take, signature included
 * @param chip_id        configured; counts unless the key store fixes the chip
 * @param chip_revision  likewise
 */
image_expect_t trust_expect(const trust_state_t *trust, image_kind_t kind, uint32_t max_len, uint16_t chip_id,
                            uint16_t chip_revision);

/**
 * Plans what the confirmation of an app burns: the floor rises to its secure version, at most to what a floor can be.
 *
 * Only for an app that is VALID already, with its record durable: see the callers for why the order matters.
 *
 * @param plan  empty if the floor is as high already
 */
void trust_plan_confirmed(const uint8_t bits[OTTER_KEY_STORE_BYTES], uint32_t secure_version, trust_plan_t *plan);
