/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file decrypter.h
 * @brief Decrypts an encrypted image as it arrives: fed the file in pieces of any size, it hands on the image.
 *
 * What comes out is not authentic before decrypter_finish() says so: the tag covers the whole image. Whoever takes the bytes
 * must be able to drop them.
 *
 * Needs no memory of its own but sizeof(decrypter_t), about 6 KB, and what the crypto library allocates.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/encrypted/encrypted.h"
#include "device/https_ota/https_ota_stage.h"
#include "esp_err.h"
#include "otter/otter_decrypt.h"

#define DECRYPTER_PIECE_BYTES 4096 /**< Most that a sink gets at once. */

/** A decryption. All zero: not open. Private. A restart keeps what stands above head_len. */
typedef struct decrypter {
    otter_decrypt_key_t key;                  /**< The device's. Owned. */
    uint8_t instead_seed[OTTER_SHA256_BYTES]; /**< What keys for wrong paddings are derived from. */
    size_t head_len;                          /**< Bytes of the header that came. */
    uint8_t head[ENCRYPTED_HEADER_BYTES];
    encrypted_header_t header; /**< Filled when head is whole and good. */
    otter_gcm_t gcm;           /**< Owned. */
    uint32_t taken;            /**< Bytes of the encrypted image that came. */
    size_t pending_len;        /**< The last of them that are no whole block. */
    uint8_t pending[OTTER_GCM_BLOCK_BYTES];
    size_t skip;       /**< First bytes of the next block that nobody needs. */
    esp_err_t failure; /**< First error; every later step answers it again. */
    const char *why;   /**< Text for it. */
    uint8_t piece[DECRYPTER_PIECE_BYTES];
} decrypter_t;

/**
 * Opens with a private key.
 *
 * @param pem     PEM text: RSA-3072 or P-256, without password
 * @param len     its bytes
 * @param reason  gets, on error, why the key is refused: lower case, no full stop
 * @return ESP_OK; ESP_ERR_INVALID_ARG: no such key; ESP_ERR_NO_MEM. On error there is nothing to close.
 */
esp_err_t decrypter_open(decrypter_t *d, const void *pem, size_t len, char reason[OTTER_DECRYPT_REASON_BYTES]);

/** Opens with the P-256 key that is derived from a chip's HMAC key. ESP_OK; ESP_ERR_INVALID_ARG: it gives no key; ESP_FAIL */
esp_err_t decrypter_open_derived(decrypter_t *d, const uint8_t hmac_key[32], char reason[OTTER_DECRYPT_REASON_BYTES]);

/** Wipes and closes; a closed one is left alone. */
void decrypter_close(decrypter_t *d);

/**
 * Takes the next bytes of the file.
 *
 * @return ESP_OK; ESP_ERR_OTA_VALIDATE_FAILED: not an encrypted image, not for this kind of key, or longer than its header
 *         says; ESP_ERR_NO_MEM; ESP_FAIL: the crypto library fails; the sink's code
 */
esp_err_t decrypter_feed(decrypter_t *d, const uint8_t *bytes, size_t len, https_ota_sink_t sink, void *arg);

/** True when header and image are there to the last byte, right or wrong. */
bool decrypter_is_complete(const decrypter_t *d);

/** Most bytes that feeding @p len more can hand on. */
size_t decrypter_most_out(const decrypter_t *d, size_t len);

/** The file is at its end. ESP_OK only if it was whole and its tag is right; ESP_ERR_OTA_VALIDATE_FAILED; an earlier error. */
esp_err_t decrypter_finish(decrypter_t *d);

/** Forgets all that was fed, an error too. */
void decrypter_restart(decrypter_t *d);

/** Reads @p len bytes of the decrypted image at @p off. */
typedef esp_err_t (*decrypter_read_t)(void *arg, uint32_t off, uint8_t *dst, size_t len);

/**
 * Goes on behind the first @p image_off bytes of the image, which are somewhere already. They are read, and count as if they
 * had been fed: decrypter_finish() fails if they are not what the sender encrypted.
 *
 * @param head  the file's header
 * @return ESP_OK; ESP_ERR_OTA_VALIDATE_FAILED: as decrypter_feed() of the header, or the image is not that long; the reader's
 *         code; ESP_FAIL: the crypto library fails
 */
esp_err_t decrypter_resume(decrypter_t *d, const uint8_t head[ENCRYPTED_HEADER_BYTES], uint32_t image_off,
                           decrypter_read_t read, void *arg);

/** What went wrong: lower case, no full stop. Static text, never NULL. */
const char *decrypter_why(const decrypter_t *d);
