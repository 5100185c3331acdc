/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file encrypted_fixture.h
 * @brief Encrypts images for tests, with OpenSSL alone: none of what is tested takes part.
 *
 * Add tests/support/encrypted_fixture.c to the test's SOURCES. Nothing here fails: what cannot be made fails the test.
 *
 *     char *pem = fixture_key_pem(fixture_key(TRUST_SCHEME_RSA3072, 0));
 *     size_t file_len;
 *     uint8_t *file = fixture_encrypt(pem, image, image_len, &file_len);
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define FIXTURE_ENCRYPTED_HEADER 512 /**< Bytes before the encrypted image. */

/** Where things lie in the header. */
enum {
    FIXTURE_ENCRYPTED_KEY = 4,
    FIXTURE_ENCRYPTED_SALT = 68,
    FIXTURE_ENCRYPTED_KEY_SPARE = 100,
    FIXTURE_ENCRYPTED_IV = 388,
    FIXTURE_ENCRYPTED_LEN = 404,
    FIXTURE_ENCRYPTED_TAG = 408,
    FIXTURE_ENCRYPTED_SPARE = 424,
};

/**
 * Encrypts in the esp_encrypted_img format.
 *
 * @param key_pem   the device's key, public or private: RSA-3072 or P-256
 * @param file_len  gets @p len and FIXTURE_ENCRYPTED_HEADER
 * @return to be freed with free()
 */
uint8_t *fixture_encrypt(const char *key_pem, const uint8_t *image, size_t len, size_t *file_len);

/**
 * Encrypts under a given key: what an attacker may send, who chooses what RSA decrypts to.
 *
 * @param padded  what the device's RSA key gives, big-endian; below the modulus
 * @param key     what the image is encrypted with
 */
uint8_t *fixture_encrypt_padded(const char *key_pem, const uint8_t padded[384], const uint8_t key[32],
                                const uint8_t *image, size_t len, size_t *file_len);

/** PEM of a public key in DER (SubjectPublicKeyInfo), NUL-terminated; to be freed with free(). */
char *fixture_pem_of_der(const uint8_t *der, size_t len);
