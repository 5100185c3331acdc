/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file otter_crypto.h
 * @brief Porting contract: hashing, verification of signatures, constant-time comparison, wiping.
 *
 * One implementation a binary, chosen by the build. Contexts belong to the caller; each one begun
 * must be freed, also after an error.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "esp_err.h"

#ifdef __cplusplus
extern "C" {
#endif

#define OTTER_SHA256_BYTES  32  /**< Length of a SHA-256 digest. */
#define OTTER_SHA384_BYTES  48  /**< Length of a SHA-384 digest. */
#define OTTER_MD5_BYTES     16  /**< Length of an MD5 digest. */
#define OTTER_RSA3072_BYTES 384 /**< Length of an RSA-3072 modulus or signature. */

/** A digest algorithm. */
typedef enum otter_hash_kind {
    OTTER_HASH_SHA256, /**< Digests of OTTER_SHA256_BYTES. */
    OTTER_HASH_SHA384, /**< Digests of OTTER_SHA384_BYTES. */
} otter_hash_kind_t;

/** A running digest. Opaque; all zero means "not begun". */
typedef struct otter_hash {
    uint64_t opaque[32];
} otter_hash_t;

/** Begins a digest. ESP_OK, or ESP_ERR_NO_MEM. */
esp_err_t otter_hash_begin(otter_hash_t *hash, otter_hash_kind_t kind);

/** Adds bytes to a begun digest. ESP_OK, or ESP_FAIL if the library fails or it was not begun. */
esp_err_t otter_hash_update(otter_hash_t *hash, const void *bytes, size_t len);

/** Digest of all bytes added so far; more may be added afterwards. ESP_OK or ESP_FAIL. */
esp_err_t otter_hash_peek(const otter_hash_t *hash, uint8_t *digest);

/** Digest of all bytes added; the context may only be freed afterwards. ESP_OK or ESP_FAIL. */
esp_err_t otter_hash_finish(otter_hash_t *hash, uint8_t *digest);

/** Frees and wipes a context; one that was never begun (all zero) is left alone. */
void otter_hash_free(otter_hash_t *hash);

/** An elliptic curve for ECDSA. */
typedef enum otter_curve {
    OTTER_CURVE_P256, /**< NIST P-256: coordinates of 32 bytes. */
    OTTER_CURVE_P384, /**< NIST P-384: coordinates of 48 bytes. */
} otter_curve_t;

/**
 * Verifies an RSA-3072-PSS signature: SHA-256, MGF1 with SHA-256, salt of 32 bytes.
 *
 * @param modulus    big-endian
 * @param exponent   public exponent
 * @param digest     SHA-256 of what was signed
 * @param signature  big-endian
 * @return ESP_OK if it is good; ESP_FAIL if not, or if the key makes no sense or the library fails
 */
esp_err_t otter_verify_rsa3072(const uint8_t modulus[OTTER_RSA3072_BYTES], uint32_t exponent,
                               const uint8_t digest[OTTER_SHA256_BYTES], const uint8_t signature[OTTER_RSA3072_BYTES]);

/**
 * Verifies an ECDSA signature.
 *
 * @param point       public key, x then y, big-endian, each as long as a coordinate of the curve
 * @param digest      what was signed, hashed
 * @param digest_len  its bytes
 * @param signature   r then s, big-endian, each as long as a coordinate
 * @return ESP_OK if it is good; ESP_FAIL if not, or if the key makes no sense or the library fails
 */
esp_err_t otter_verify_ecdsa(otter_curve_t curve, const uint8_t *point, const uint8_t *digest, size_t digest_len,
                             const uint8_t *signature);

/** MD5 of a buffer (the partition table's checksum; no security rests on it). ESP_OK or ESP_FAIL. */
esp_err_t otter_md5(const void *bytes, size_t len, uint8_t digest[OTTER_MD5_BYTES]);

/** True if two buffers are equal; takes the same time wherever they differ. */
bool otter_equal_ct(const void *a, const void *b, size_t len);

/** Overwrites a secret in a way that the compiler may not leave out. */
void otter_wipe(void *secret, size_t len);

#ifdef __cplusplus
}
#endif
