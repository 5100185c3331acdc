/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file otter_signing.h
 * @brief Contract for host tools: signing keys. Devices only verify (otter_crypto.h) and need none of this.
 *
 * Keys travel as PEM text; reading and writing files is the caller's. Every operation with a private key takes the time
 * that the library's constant-time code takes, and private material is wiped where it is freed.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "esp_err.h"
#include "otter/otter_crypto.h"

#ifdef __cplusplus
extern "C" {
#endif

#define OTTER_PEM_BYTES             4096                /**< Enough for the PEM text of any key made here. */
#define OTTER_SIGNING_REASON_BYTES  128                 /**< Enough for any reason why a key is refused. */
#define OTTER_EC_POINT_MAX_BYTES    96                  /**< Longest x and y together: P-384's. */
#define OTTER_SIGNATURE_MAX_BYTES   OTTER_RSA3072_BYTES /**< Longest signature. */
#define OTTER_SIGNATURE_INPUT_BYTES 512                 /**< No signature is longer, in whatever form. */

/** What a key is for. */
typedef enum otter_signing_kind {
    OTTER_SIGNING_RSA3072, /**< RSA-3072-PSS over SHA-256. */
    OTTER_SIGNING_P256,    /**< ECDSA P-256 over SHA-256. */
    OTTER_SIGNING_P384,    /**< ECDSA P-384 over SHA-384. */
} otter_signing_kind_t;

/** The public half of a key, in the fields that a Secure Boot v2 signature block has. */
typedef struct otter_public_key {
    otter_signing_kind_t kind;
    uint8_t modulus[OTTER_RSA3072_BYTES];    /**< RSA: big-endian. */
    uint32_t exponent;                       /**< RSA. */
    uint8_t r[OTTER_RSA3072_BYTES];          /**< RSA: 2^6144 mod modulus, big-endian. */
    uint32_t m_prime;                        /**< RSA: -modulus^-1 mod 2^32. */
    uint8_t point[OTTER_EC_POINT_MAX_BYTES]; /**< ECDSA: x then y, big-endian, each as long as a coordinate. */
} otter_public_key_t;

/** A key: private and public half, or the public half alone. Made here, freed with otter_signing_free(). */
typedef struct otter_signing_key otter_signing_key_t;

/** Bytes of the digest that a kind of key signs: 32 or 48. */
size_t otter_signing_digest_bytes(otter_signing_kind_t kind);

/** Bytes of its signatures: 384, 64 or 96. */
size_t otter_signing_signature_bytes(otter_signing_kind_t kind);

/**
 * Makes a new key. Takes up to a few seconds for RSA.
 *
 * @param key  gets it; NULL on error
 * @return ESP_OK; ESP_ERR_INVALID_ARG for an unknown kind; ESP_FAIL if the library fails, e.g. for want of entropy or memory
 */
esp_err_t otter_signing_generate(otter_signing_kind_t kind, otter_signing_key_t **key);

/**
 * Takes a key from PEM text: a private key (PKCS #8, or the older forms for RSA and EC) or a public one. The first PEM block
 * that is a key counts. Keys with a password are refused: there is nobody here to ask for it.
 *
 * @param pem     text, need not be terminated
 * @param len     its bytes
 * @param key     gets the key; NULL on error
 * @param reason  gets, on error, why it is refused, naming what it is instead: lower case, no full stop
 * @return ESP_OK; ESP_ERR_INVALID_ARG: no key, or a damaged one; ESP_ERR_NOT_SUPPORTED: a key of another type, size, curve or
 *         exponent, one with a password, a certificate; ESP_ERR_NO_MEM
 */
esp_err_t otter_signing_load(const void *pem, size_t len, otter_signing_key_t **key,
                             char reason[OTTER_SIGNING_REASON_BYTES]);

/** Wipes and frees a key; NULL is left alone. */
void otter_signing_free(otter_signing_key_t *key);

/** What a key is for. */
otter_signing_kind_t otter_signing_kind(const otter_signing_key_t *key);

/** True if the private half is there. */
bool otter_signing_is_private(const otter_signing_key_t *key);

/** Gives the public half; fields of the other kinds are zero. ESP_OK, or ESP_FAIL if the library fails. */
esp_err_t otter_signing_public(const otter_signing_key_t *key, otter_public_key_t *pub);

/**
 * Gives the private half as PEM text (PKCS #8, no password).
 *
 * @param pem  gets it, terminated; a secret: the caller wipes it with otter_wipe()
 * @return ESP_OK; ESP_ERR_INVALID_STATE if only the public half is there; ESP_FAIL. On error nothing is left in @p pem.
 */
esp_err_t otter_signing_private_pem(const otter_signing_key_t *key, char pem[OTTER_PEM_BYTES]);

/** Gives the public half as PEM text ("BEGIN PUBLIC KEY"), terminated. ESP_OK or ESP_FAIL. */
esp_err_t otter_signing_public_pem(const otter_signing_key_t *key, char pem[OTTER_PEM_BYTES]);

/**
 * Signs a digest: RSA-PSS with MGF1 and a salt as long as the digest, or ECDSA.
 *
 * @param digest     otter_signing_digest_bytes() of it
 * @param signature  gets otter_signing_signature_bytes(): RSA big-endian; ECDSA r then s, big-endian
 * @return ESP_OK; ESP_ERR_INVALID_STATE if only the public half is there; ESP_FAIL. On error @p signature holds nothing of use.
 */
esp_err_t otter_signing_sign(const otter_signing_key_t *key, const uint8_t *digest,
                             uint8_t signature[OTTER_SIGNATURE_MAX_BYTES]);

/**
 * Brings a signature that was made elsewhere into the form of otter_signing_sign(). It says nothing about whether the
 * signature is good.
 *
 * @param bytes      RSA: 384 bytes, big-endian; ECDSA: r then s, big-endian, or DER
 * @param len        how many
 * @param signature  gets it
 * @return ESP_OK; ESP_ERR_INVALID_ARG if it has none of these forms
 */
esp_err_t otter_signing_decode(otter_signing_kind_t kind, const uint8_t *bytes, size_t len,
                               uint8_t signature[OTTER_SIGNATURE_MAX_BYTES]);

#ifdef __cplusplus
}
#endif
