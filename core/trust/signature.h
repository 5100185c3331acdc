/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file signature.h
 * @brief Secure Boot v2 signature blocks: parse, check, build. Format: docs/FORMATS.md.
 *
 * A signed image is padded with FF to a sector, and the next 4096 bytes hold up to three blocks of 1216 bytes. Blocks are
 * a stranger's bytes: nothing of one is used before its CRC, its layout and the digest of its key have been checked.
 */
#pragma once

#include "core/trust/trust.h"

#define SIGNATURE_SECTOR_BYTES 4096 /**< The signature sector; the image is padded to a multiple of it. */
#define SIGNATURE_BLOCK_BYTES  1216 /**< A block. */
#define SIGNATURE_BLOCKS       3    /**< Blocks in a sector. */

/** Digests of the padded image. */
typedef struct signature_digests {
    bool has_sha384;
    uint8_t sha256[OTTER_SHA256_BYTES];
    uint8_t sha384[OTTER_SHA384_BYTES]; /**< If has_sha384. */
} signature_digests_t;

/** What is the matter with a block. */
typedef enum signature_verdict {
    SIGNATURE_ABSENT,    /**< No block here: it does not begin with E7. */
    SIGNATURE_MALFORMED, /**< Its CRC, version, digest kind or curve is wrong, or its key could not be hashed. */
    SIGNATURE_UNTRUSTED, /**< A sound block of a key that this device does not know. */
    SIGNATURE_REVOKED,   /**< Of a key that was revoked. */
    SIGNATURE_OTHER,     /**< It signs another image: its digest is not this image's. */
    SIGNATURE_BAD,       /**< The signature does not verify. */
    SIGNATURE_GOOD,      /**< It does. */
} signature_verdict_t;

/** Text for a verdict, lower case, no full stop. */
const char *signature_verdict_text(signature_verdict_t verdict);

/** A block, checked. */
typedef struct signature {
    signature_verdict_t verdict;
    trust_scheme_t scheme;                  /**< Known unless ABSENT or MALFORMED. */
    uint8_t key_digest[OTTER_SHA256_BYTES]; /**< Likewise. */
} signature_t;

/**
 * Checks one block.
 *
 * @param block    its bytes
 * @param digests  of the padded image
 * @param trust    keys that count; NULL: any key does (a verdict of GOOD then says nothing about who signed)
 * @return what was found out; GOOD only if everything holds
 */
signature_t signature_check(const uint8_t block[SIGNATURE_BLOCK_BYTES], const signature_digests_t *digests,
                            const trust_state_t *trust);

/** A public key as a block holds it. */
typedef struct signature_key {
    trust_scheme_t scheme;
    uint8_t modulus[OTTER_RSA3072_BYTES];  /**< RSA: big-endian. */
    uint32_t exponent;                     /**< RSA. */
    uint8_t r[OTTER_RSA3072_BYTES];        /**< RSA: 2^6144 mod modulus, big-endian, for accelerators. */
    uint32_t m_prime;                      /**< RSA: -modulus^-1 mod 2^32, likewise. */
    uint8_t point[2 * OTTER_SHA384_BYTES]; /**< ECDSA: x then y, big-endian, each as long as a coordinate. */
} signature_key_t;

/** Digest of a public key, as the key store holds it. ESP_OK; ESP_ERR_INVALID_ARG for an unknown scheme; ESP_FAIL. */
esp_err_t signature_key_digest(const signature_key_t *key, uint8_t digest[OTTER_SHA256_BYTES]);

/**
 * Writes a block.
 *
 * @param key        who signs
 * @param digests    of the padded image
 * @param signature  RSA: 384 bytes; ECDSA: r then s; big-endian
 * @param block      gets it
 * @return ESP_OK; ESP_ERR_INVALID_ARG for an unknown scheme, or P-384 without SHA-384
 */
esp_err_t signature_build(const signature_key_t *key, const signature_digests_t *digests, const uint8_t *signature,
                          uint8_t block[SIGNATURE_BLOCK_BYTES]);
