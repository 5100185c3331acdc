/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file encrypted.h
 * @brief The header of an encrypted image (esp_encrypted_img): pure functions of its bytes.
 *
 * Behind the header lies the image, encrypted with AES-256-GCM under a key of its own. The header says how the device gets at
 * that key: it is encrypted for the device's RSA-3072 key, or derived from what the device's P-256 key and a point agree on.
 * The header as such is authenticated by nothing; a changed one gives another key, or a tag that does not fit.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "esp_err.h"

#define ENCRYPTED_HEADER_BYTES  512         /**< Length of the header. */
#define ENCRYPTED_MAGIC         0x0788B6CFu /**< Its first four bytes, little-endian. */
#define ENCRYPTED_WRAPPED_BYTES 384         /**< The image's key, encrypted with RSA-3072. */
#define ENCRYPTED_POINT_BYTES   64          /**< A point of P-256: x, y. */
#define ENCRYPTED_SALT_BYTES    32          /**< Salt of the derivation. */
#define ENCRYPTED_KEY_BYTES     32          /**< The image's key. */
#define ENCRYPTED_IV_BYTES      16          /**< Initialisation vector. */
#define ENCRYPTED_TAG_BYTES     16          /**< Authentication tag. */

/** Info of the HKDF that gives the image's key, without the terminating NUL. */
#define ENCRYPTED_HKDF_INFO "_esp_enc_img_ecc"

/** Rounds of the PBKDF2 that gives a chip its P-256 key from its HMAC key. */
#define ENCRYPTED_PBKDF2_ROUNDS 2048

/** Salt of that PBKDF2: the same for everybody. */
extern const uint8_t encrypted_pbkdf2_salt[32];

/** How the image's key is protected. */
typedef enum encrypted_scheme {
    ENCRYPTED_RSA3072, /**< Encrypted for an RSA-3072 key. */
    ENCRYPTED_P256,    /**< Agreed on with a P-256 key. */
} encrypted_scheme_t;

/** What is wrong with a header. */
typedef enum encrypted_fault {
    ENCRYPTED_OK,
    ENCRYPTED_FAULT_MAGIC,    /**< Not an encrypted image. */
    ENCRYPTED_FAULT_EMPTY,    /**< It holds no image. */
    ENCRYPTED_FAULT_RESERVED, /**< Bytes that must be zero are not: made by a later version, or damaged. */
} encrypted_fault_t;

/** A header. */
typedef struct encrypted_header {
    encrypted_scheme_t scheme;
    uint8_t wrapped[ENCRYPTED_WRAPPED_BYTES]; /**< RSA-3072: the image's key, encrypted; big-endian. Otherwise zero. */
    uint8_t point[ENCRYPTED_POINT_BYTES];     /**< P-256: the sender's public key. Otherwise zero. */
    uint8_t salt[ENCRYPTED_SALT_BYTES];       /**< P-256: salt of the HKDF. Otherwise zero. */
    uint8_t iv[ENCRYPTED_IV_BYTES];
    uint32_t image_len; /**< Bytes of the image, and of the encrypted one behind the header. */
    uint8_t tag[ENCRYPTED_TAG_BYTES];
} encrypted_header_t;

/** True if a file that begins with these bytes, 4 at least, says it is an encrypted image. */
bool encrypted_is_magic(const uint8_t *bytes, size_t len);

/**
 * Takes a header apart. Which scheme it is stands nowhere: the last three quarters of an encrypted key are not all zero.
 *
 * @param bytes   a stranger's
 * @param header  filled if it is good
 * @return ENCRYPTED_OK, or the first thing that is wrong
 */
encrypted_fault_t encrypted_parse(const uint8_t bytes[ENCRYPTED_HEADER_BYTES], encrypted_header_t *header);

/** Puts a header together, reserved bytes zero. */
void encrypted_build(const encrypted_header_t *header, uint8_t bytes[ENCRYPTED_HEADER_BYTES]);

/** Text for a fault: lower case, no full stop. */
const char *encrypted_fault_text(encrypted_fault_t fault);

/** Name of a scheme: "rsa3072" or "p256". */
const char *encrypted_scheme_name(encrypted_scheme_t scheme);

/**
 * Takes the image's key out of its padding (PKCS #1 v1.5), without telling anybody whether that was right: who could ask often
 * enough would learn the key of somebody else's image. Takes the same time whatever the bytes are.
 *
 * @param padded    what RSA gave, big-endian
 * @param instead   a key for the case that the padding is wrong; must be the same for the same file, and not to be guessed
 * @param key       gets the key or @p instead
 */
void encrypted_unpad_key(const uint8_t padded[ENCRYPTED_WRAPPED_BYTES], const uint8_t instead[ENCRYPTED_KEY_BYTES],
                         uint8_t key[ENCRYPTED_KEY_BYTES]);
