/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file sign.h
 * @brief Signs for the harnesses, with P-256 keys that are made when they are first asked for.
 *
 * Keys and signatures differ from run to run, what is thought of them does not: an input means the same every time.
 */
#pragma once

#include "core/trust/signature.h"

#define FUZZ_KEYS       4            /**< Keys there are. */
#define FUZZ_SIGNED_MAX (2u * 4096u) /**< Bytes of fuzz_make_signed_app(). */

/** What a device says of key @p number if it trusts it in place @p index; other places stay. */
void fuzz_trust(trust_state_t *trust, uint32_t index, uint32_t number);

/** Burns key @p number into place @p index of a key store's bits. */
void fuzz_burn_key(uint8_t bits[OTTER_KEY_STORE_BYTES], uint32_t index, uint32_t number);

/** Carries a plan out on a key store's bits. */
void fuzz_burn(uint8_t bits[OTTER_KEY_STORE_BYTES], const trust_plan_t *plan);

/** Writes a block that signs these digests with key @p number. */
void fuzz_sign(uint32_t number, const signature_digests_t *digests, uint8_t block[SIGNATURE_BLOCK_BYTES]);

/** A small good app, padded, and a sector with one signature of key @p number. The versions 0 to 7 are kept once signed. */
const uint8_t *fuzz_signed_app(uint16_t chip_id, uint32_t secure_version, uint32_t number);
