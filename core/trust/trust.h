/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file trust.h
 * @brief What the key store says: whose signatures count, and how old an app may be. Pure functions.
 *
 * In: the bits of the key store. Out: what they mean, and plans: ordered lists of burns. Like bootsel's plans, callers
 * only carry them out. Every change tightens: there is no plan that loosens anything. Layout: docs/FORMATS.md.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "esp_err.h"
#include "otter/otter_crypto.h"
#include "otter/otter_key_store.h"

#define TRUST_KEYS               3  /**< Keys that a device can trust. */
#define TRUST_SECURE_VERSION_MAX 32 /**< Highest secure version: one bit each. */

/** A signature scheme of Secure Boot v2. Bits: a set of schemes is their OR. */
typedef enum trust_scheme {
    TRUST_SCHEME_NONE = 0,
    TRUST_SCHEME_RSA3072 = 1, /**< RSA-3072-PSS over SHA-256. */
    TRUST_SCHEME_P256 = 2,    /**< ECDSA P-256 over SHA-256. */
    TRUST_SCHEME_P384 = 4,    /**< ECDSA P-384 over SHA-384. */
} trust_scheme_t;

/** Name of a scheme ("rsa3072", "p256", "p384"), or NULL. */
const char *trust_scheme_name(trust_scheme_t scheme);

/** A trusted key. */
typedef struct trust_key {
    bool provisioned;                   /**< Its digest was burned, completely. */
    bool revoked;                       /**< Its signatures no longer count. */
    trust_scheme_t scheme;              /**< What it signs with. */
    uint8_t digest[OTTER_SHA256_BYTES]; /**< SHA-256 of the public key as it stands in a signature block. */
} trust_key_t;

/** What a key store says. All zero: a device that trusts everything. */
typedef struct trust_state {
    bool secure_boot; /**< Only signed apps boot or are installed. */
    trust_key_t key[TRUST_KEYS];
    uint32_t secure_version; /**< Anti-rollback floor: apps below it neither boot nor are installed. */
    bool chip_fixed;         /**< The next three were burned; they override the configuration. */
    uint16_t chip_id;
    uint16_t chip_revision;      /**< major * 100 + minor. */
    uint16_t efuse_blk_revision; /**< major * 100 + minor. */
} trust_state_t;

/**
 * Says what the bits mean; any bits are allowed.
 *
 * A key of an unknown scheme does not count, and one that stands in several places is revoked in all once it is in one.
 */
void trust_decode(const uint8_t bits[OTTER_KEY_STORE_BYTES], trust_state_t *state);

/**
 * Reads a key store and decodes it.
 *
 * @param store  NULL: a device without key store, which trusts everything
 * @return ESP_OK, or ESP_FAIL if it cannot be read: @p state then trusts nothing (secure boot without a key, highest floor)
 */
esp_err_t trust_read(otter_key_store_t *store, trust_state_t *state);

/** Schemes of the keys that count now (provisioned, not revoked), ORed. */
uint32_t trust_schemes(const trust_state_t *state);

/** Index of the key with this digest, whether revoked or not; -1: none. Constant time in the digests. */
int trust_find_key(const trust_state_t *state, const uint8_t digest[OTTER_SHA256_BYTES]);

/** One burn. */
typedef struct trust_burn {
    uint32_t off; /**< In the key store. */
    uint32_t len; /**< Bytes. */
    uint8_t bits[OTTER_SHA256_BYTES];
} trust_burn_t;

#define TRUST_PLAN_MAX 4

/** Burns in order; each is durable before the next. A power cut between two leaves a state as strict as the one before. */
typedef struct trust_plan {
    uint32_t count;
    trust_burn_t burn[TRUST_PLAN_MAX];
} trust_plan_t;

/**
 * Plans to trust a key: digest and scheme first, the mark that they are complete last.
 *
 * @param index   0 to TRUST_KEYS - 1
 * @return ESP_OK, with an empty plan if exactly this key is there already; ESP_ERR_INVALID_ARG for a wrong index or scheme;
 *         ESP_ERR_INVALID_STATE if the place holds another key, the remains of an interrupted burn that do not fit, or if
 *         it or another place with this key is revoked; ESP_ERR_NOT_ALLOWED if secure boot is on: from then on no key is added
 */
esp_err_t trust_plan_key(const uint8_t bits[OTTER_KEY_STORE_BYTES], uint32_t index, trust_scheme_t scheme,
                         const uint8_t digest[OTTER_SHA256_BYTES], trust_plan_t *plan);

/** Plans to turn secure boot on. ESP_OK (empty if it is on); ESP_ERR_INVALID_STATE if no key counts. */
esp_err_t trust_plan_secure_boot(const uint8_t bits[OTTER_KEY_STORE_BYTES], trust_plan_t *plan);

/**
 * Plans to revoke a key.
 *
 * @return ESP_OK (empty if it is revoked); ESP_ERR_INVALID_ARG for a wrong index; ESP_ERR_NOT_ALLOWED if secure boot is on
 *         and no other key would be left
 */
esp_err_t trust_plan_revoke(const uint8_t bits[OTTER_KEY_STORE_BYTES], uint32_t index, trust_plan_t *plan);

/**
 * Plans to raise the anti-rollback floor. A power cut leaves a floor from the old one up to this one, never above.
 *
 * @return ESP_OK (empty if it is there); ESP_ERR_INVALID_ARG above TRUST_SECURE_VERSION_MAX; ESP_FAIL if it is higher already
 */
esp_err_t trust_plan_secure_version(const uint8_t bits[OTTER_KEY_STORE_BYTES], uint32_t version, trust_plan_t *plan);

/**
 * Plans to fix chip id and revisions, once.
 *
 * @return ESP_OK (empty if they are exactly these); ESP_ERR_NOT_ALLOWED if others are fixed; ESP_ERR_INVALID_STATE if the
 *         remains of an interrupted burn do not fit
 */
esp_err_t trust_plan_chip(const uint8_t bits[OTTER_KEY_STORE_BYTES], uint16_t chip_id, uint16_t chip_revision,
                          uint16_t efuse_blk_revision, trust_plan_t *plan);

/** Carries a plan out. ESP_OK or the first burn's error; later ones are then not begun. */
esp_err_t trust_execute(otter_key_store_t *store, const trust_plan_t *plan);
