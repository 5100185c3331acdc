/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file signed_fixture.h
 * @brief Signs images in memory for tests, with keys made when the test runs.
 *
 * Add tests/support/signed_fixture.c (and image_fixture.c for the images) to the test's SOURCES.
 *
 *     const fixture_key_t *key = fixture_key(TRUST_SCHEME_P256, 0);
 *     size_t signed_len;
 *     uint8_t *image = fixture_sign_image(app, app_len, &key, 1, &signed_len);
 *     trust_state_t trust = {.secure_boot = true};
 *     fixture_trust(&trust, 0, key);
 *     ...
 *     free(image);
 *
 * Nothing here fails: what cannot be made fails the test.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "core/trust/signature.h"
#include "core/trust/trust.h"

#define FIXTURE_KEYS 4 /**< Keys of each scheme. */

typedef struct fixture_key fixture_key_t; /**< A private key. */

/**
 * A key: the same for the same arguments as long as the program runs, made when it is first asked for. RSA keys take some
 * tenths of a second to make.
 *
 * @param number  0 to FIXTURE_KEYS - 1
 */
const fixture_key_t *fixture_key(trust_scheme_t scheme, uint32_t number);

/** Its public key. */
const signature_key_t *fixture_public_key(const fixture_key_t *key);

/** Its private key as PEM (PKCS #8, not encrypted), NUL-terminated; to be given to free(). */
char *fixture_key_pem(const fixture_key_t *key);

/** Its public key as PEM, NUL-terminated; to be given to free(). */
char *fixture_public_key_pem(const fixture_key_t *key);

/** Enters the key in place @p index of what a device trusts; the place's revocation stays. */
void fixture_trust(trust_state_t *trust, uint32_t index, const fixture_key_t *key);

/** Both digests of some bytes. */
signature_digests_t fixture_digests(const uint8_t *bytes, size_t len);

/** Writes a block that signs these digests. */
void fixture_sign(const fixture_key_t *key, const signature_digests_t *digests, uint8_t block[SIGNATURE_BLOCK_BYTES]);

/**
 * Pads an image with FF to a sector and adds a signature sector.
 *
 * @param signers     one for each block, in order
 * @param count       0 to SIGNATURE_BLOCKS; 0: a sector of FF
 * @param signed_len  gets the length: padded image and sector
 * @return to be freed with free()
 */
uint8_t *fixture_sign_image(const uint8_t *image, size_t len, const fixture_key_t *const *signers, size_t count,
                            size_t *signed_len);
