/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file key_store_fixture.h
 * @brief A key store in memory that a test burns as the factory would, and apps signed for it.
 *
 * Add tests/support/key_store_fixture.c, signed_fixture.c and image_fixture.c to the test's SOURCES. What cannot be done
 * fails the test.
 */
#pragma once

#include "otter/otter_key_store_ram.h"
#include "tests/support/image_fixture.h"
#include "tests/support/signed_fixture.h"

/** A key store with its bits. */
typedef struct fixture_fuses {
    otter_key_store_ram_t ram;
    uint8_t bits[OTTER_KEY_STORE_BYTES];
} fixture_fuses_t;

/** Makes it, with no bit burned. */
otter_key_store_t *fixture_fuses(fixture_fuses_t *fuses);

/** Burns a key in place @p index. */
void fixture_burn_key(fixture_fuses_t *fuses, uint32_t index, const fixture_key_t *key);

/** Turns secure boot on. */
void fixture_burn_secure_boot(fixture_fuses_t *fuses);

/** Raises the anti-rollback floor. */
void fixture_burn_version(fixture_fuses_t *fuses, uint32_t version);

/** Fixes chip and revision. */
void fixture_burn_chip(fixture_fuses_t *fuses, uint16_t chip_id, uint16_t revision);

/** What the bits say. */
trust_state_t fixture_trust_state(const fixture_fuses_t *fuses);

/** An app for a chip, signed by up to three keys (NULL ends them; none: no signature sector); to be freed with free(). */
uint8_t *fixture_app(uint16_t chip_id, const char *version, uint32_t secure_version, const fixture_key_t *first,
                     const fixture_key_t *second, size_t *len);
