/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file otter_decrypt.h
 * @brief Porting contract: what decrypting an image takes. A private key, key derivation, AES-256-GCM.
 *
 * One implementation a binary, chosen by the build. Contexts and keys belong to the caller; all zero is one that was never
 * begun. Each one begun must be freed, also after an error: that wipes it. Operations with private keys and secrets take the
 * same time whatever their values are. Not safe for several tasks on one context.
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

#define OTTER_AES256_KEY_BYTES     32  /**< Length of an AES-256 key. */
#define OTTER_GCM_BLOCK_BYTES      16  /**< Every piece but the last is a multiple of this. */
#define OTTER_GCM_TAG_BYTES        16  /**< Length of an authentication tag. */
#define OTTER_P256_POINT_BYTES     64  /**< Length of a point of P-256: x then y. */
#define OTTER_P256_SECRET_BYTES    32  /**< Length of a private key of P-256, and of a secret agreed with it. */
#define OTTER_DECRYPT_REASON_BYTES 128 /**< Enough for any reason why a key is refused. */
#define OTTER_DECRYPT_PUBLIC_MAX   512 /**< Longest public half as DER. */

/* ---- Keys ---- */

/** What a key is. */
typedef enum otter_decrypt_kind {
    OTTER_DECRYPT_RSA3072, /**< RSA with a modulus of 3072 bits. */
    OTTER_DECRYPT_P256,    /**< A key on the curve P-256. */
} otter_decrypt_kind_t;

/** A key: both halves, or the public one alone. Opaque. */
typedef struct otter_decrypt_key {
    uint64_t opaque[32];
} otter_decrypt_key_t;

/**
 * Takes a key from PEM text: a private key (PKCS #8, or the older forms for RSA and EC) or a public one. Keys with a password
 * are refused: there is nobody here to ask for it.
 *
 * @param key     filled; nothing to free on error
 * @param pem     text; need not be terminated, and may be followed by NUL bytes
 * @param len     its bytes
 * @param reason  gets, on error, why it is refused, naming what it is instead: lower case, no full stop
 * @return ESP_OK; ESP_ERR_INVALID_ARG: no key, or a damaged one; ESP_ERR_NOT_SUPPORTED: a key of another type, size or curve,
 *         one with a password, a certificate; ESP_ERR_NO_MEM
 */
esp_err_t otter_decrypt_load_key(otter_decrypt_key_t *key, const void *pem, size_t len,
                                 char reason[OTTER_DECRYPT_REASON_BYTES]);

/**
 * Makes a P-256 key of a private number.
 *
 * @param key     filled; nothing to free on error
 * @param number  big-endian
 * @return ESP_OK; ESP_ERR_INVALID_ARG: 0, or not below the order of the curve; ESP_FAIL: the library fails
 */
esp_err_t otter_decrypt_make_key(otter_decrypt_key_t *key, const uint8_t number[OTTER_P256_SECRET_BYTES]);

/** Wipes and frees a key; one that is all zero is left alone. */
void otter_decrypt_free_key(otter_decrypt_key_t *key);

/** What a key is. */
otter_decrypt_kind_t otter_decrypt_kind(const otter_decrypt_key_t *key);

/** True if the private half is there. */
bool otter_decrypt_is_private(const otter_decrypt_key_t *key);

/**
 * The public half as DER: of RSA the modulus and exponent alone (RSAPublicKey), of P-256 a SubjectPublicKeyInfo.
 *
 * @param der  gets it
 * @param len  gets its bytes
 * @return ESP_OK or ESP_FAIL
 */
esp_err_t otter_decrypt_public_der(const otter_decrypt_key_t *key, uint8_t der[OTTER_DECRYPT_PUBLIC_MAX], size_t *len);

/**
 * The private operation of RSA-3072, without padding: in raised to the private exponent. The caller judges the padding, so
 * that nobody is told whether it was right.
 *
 * @param key  RSA, with its private half
 * @param in   big-endian
 * @param out  big-endian
 * @return ESP_OK; ESP_ERR_INVALID_STATE: not such a key; ESP_FAIL: not below the modulus, or the library fails
 */
esp_err_t otter_decrypt_rsa3072(const otter_decrypt_key_t *key, const uint8_t in[OTTER_RSA3072_BYTES],
                                uint8_t out[OTTER_RSA3072_BYTES]);

/**
 * Agrees on a secret by ECDH: the x coordinate of the product.
 *
 * @param key     P-256, with its private half
 * @param point   the other side's public key, big-endian; a stranger's bytes
 * @param secret  gets it
 * @return ESP_OK; ESP_ERR_INVALID_STATE: not such a key; ESP_FAIL: no point of the curve, or the library fails
 */
esp_err_t otter_decrypt_ecdh(const otter_decrypt_key_t *key, const uint8_t point[OTTER_P256_POINT_BYTES],
                             uint8_t secret[OTTER_P256_SECRET_BYTES]);

/* ---- Key derivation ---- */

/** Some bytes that go into a derivation. */
typedef struct otter_bytes {
    const void *bytes;
    size_t len;
} otter_bytes_t;

/** HKDF with SHA-256 (RFC 5869), both steps. @p out_len is at most 8160. ESP_OK or ESP_FAIL. */
esp_err_t otter_hkdf_sha256(otter_bytes_t salt, otter_bytes_t secret, otter_bytes_t info, uint8_t *out, size_t out_len);

/** PBKDF2 with HMAC-SHA-256 (RFC 8018). ESP_OK or ESP_FAIL. */
esp_err_t otter_pbkdf2_sha256(otter_bytes_t secret, otter_bytes_t salt, uint32_t rounds, uint8_t *out, size_t out_len);

/* ---- AES-256-GCM ---- */

/** Which way. */
typedef enum otter_gcm_way {
    OTTER_GCM_ENCRYPT,
    OTTER_GCM_DECRYPT,
} otter_gcm_way_t;

/** A message being encrypted or decrypted. Opaque. */
typedef struct otter_gcm {
    uint64_t opaque[80];
} otter_gcm_t;

/**
 * Begins a message without additional data.
 *
 * @param iv  of any length but 0
 * @return ESP_OK; ESP_ERR_NO_MEM; ESP_FAIL: the library fails
 */
esp_err_t otter_gcm_begin(otter_gcm_t *gcm, otter_gcm_way_t way, const uint8_t key[OTTER_AES256_KEY_BYTES],
                          otter_bytes_t iv);

/**
 * Takes the next piece of the message.
 *
 * @param in   what to encrypt or decrypt
 * @param len  its bytes, below 2 GiB; a multiple of OTTER_GCM_BLOCK_BYTES except in the last piece
 * @param out  gets as many bytes; may be @p in when encrypting, otherwise they do not overlap
 * @return ESP_OK; ESP_FAIL: not begun, or the library fails
 */
esp_err_t otter_gcm_update(otter_gcm_t *gcm, const uint8_t *in, size_t len, uint8_t *out);

/** Ends an encrypted message. @param tag  gets its tag. @return ESP_OK or ESP_FAIL */
esp_err_t otter_gcm_seal(otter_gcm_t *gcm, uint8_t tag[OTTER_GCM_TAG_BYTES]);

/** Ends a decrypted message. ESP_OK only if @p tag is its tag; ESP_FAIL if not, or if the library fails. */
esp_err_t otter_gcm_check(otter_gcm_t *gcm, const uint8_t tag[OTTER_GCM_TAG_BYTES]);

/** Wipes and frees a context; one that was never begun is left alone. */
void otter_gcm_free(otter_gcm_t *gcm);

#ifdef __cplusplus
}
#endif
