/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file esp_encrypted_img.h
 * @brief Decrypts images in the esp_encrypted_img format, piece by piece, in a decrypt callback of one's own.
 *
 *     esp_encrypted_img_decrypt_start()
 *     esp_encrypted_img_decrypt_data()  again and again while it answers ESP_ERR_NOT_FINISHED
 *     esp_encrypted_img_decrypt_end()   says whether the image is authentic; or esp_encrypted_img_decrypt_abort()
 *
 * Decrypted bytes are not authentic before esp_encrypted_img_decrypt_end() answers ESP_OK: call it before
 * esp_https_ota_finish(). Programs that do nothing but update use otter_decrypt_image() (otter/otter_encrypted.h) instead, where
 * that cannot be forgotten and an interrupted download goes on.
 *
 * A handle belongs to one task. Differences from ESP-IDF's component: docs/COMPATIBILITY.md.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "esp_err.h"

#ifdef __cplusplus
extern "C" {
#endif

/** A place for an HMAC key. A chip has them in eFuse; here otter_encrypted_set_hmac_key() puts one there. */
typedef enum {
    HMAC_KEY0,
    HMAC_KEY1,
    HMAC_KEY2,
    HMAC_KEY3,
    HMAC_KEY4,
    HMAC_KEY5,
    HMAC_KEY_MAX, /**< How many there are. */
} hmac_key_id_t;

/** A decryption. */
typedef void *esp_decrypt_handle_t;

/** The device's key. */
typedef struct {
    union {
        const char *rsa_priv_key; /**< Private key as PEM text: RSA-3072, or P-256. NULL: hmac_key_id counts. */
        const char *rsa_pub_key;  /**< Its old name. */
    };
    union {
        size_t rsa_priv_key_len; /**< Bytes of the text; a terminating NUL may be counted or not. */
        size_t rsa_pub_key_len;  /**< Its old name. */
    };
    hmac_key_id_t hmac_key_id; /**< The key that the device's P-256 key is derived from. */
} esp_decrypt_cfg_t;

/** A piece of the file, and of the image. */
typedef struct {
    const char *data_in; /**< Bytes of the file. */
    size_t data_in_len;  /**< How many; 0 is allowed. */
    /** Decrypted bytes. NULL at first, or what an earlier call left here: grown with realloc() when bytes come. The caller
     * frees it. */
    char *data_out;
    size_t data_out_len; /**< How many; often 0 for small pieces, and for those of the header. */
} pre_enc_decrypt_arg_t;

/**
 * Begins.
 *
 * @param cfg  only read here
 * @return the handle, to be ended or aborted; NULL, logged: no configuration, no usable key, no memory
 */
esp_decrypt_handle_t esp_encrypted_img_decrypt_start(const esp_decrypt_cfg_t *cfg);

/**
 * Decrypts the next piece of the file.
 *
 * @param ctx   the handle
 * @param args  data_in and data_in_len are read; data_out and data_out_len are set, also on error
 * @return ESP_ERR_NOT_FINISHED: go on; ESP_OK: this was the last piece;
 *         ESP_ERR_INVALID_ARG: NULL, or not a begun decryption; ESP_ERR_NO_MEM: the decryption is lost;
 *         ESP_FAIL: no encrypted image, not for this key, more bytes than there should be, or an earlier failure; logged
 */
esp_err_t esp_encrypted_img_decrypt_data(esp_decrypt_handle_t ctx, pre_enc_decrypt_arg_t *args);

/**
 * Ends: checks the authentication tag, wipes and frees the handle whatever it returns.
 *
 * @return ESP_OK: the image is complete, and what the sender encrypted; ESP_FAIL: it is not, logged;
 *         ESP_ERR_INVALID_ARG: not a begun decryption
 */
esp_err_t esp_encrypted_img_decrypt_end(esp_decrypt_handle_t ctx);

/** True when every byte of the image has come, right or wrong. */
bool esp_encrypted_img_is_complete_data_received(esp_decrypt_handle_t ctx);

/** Wipes and frees the handle. ESP_OK; ESP_ERR_INVALID_ARG: not a begun decryption, e.g. one that was ended */
esp_err_t esp_encrypted_img_decrypt_abort(esp_decrypt_handle_t ctx);

/** Bytes of the header, by which the file is longer than the image: 512. */
uint16_t esp_encrypted_img_get_header_size(void);

/**
 * The public half of the key, for whoever encrypts for this device.
 *
 * @param pub_key      gets it as DER: of RSA a RSAPublicKey, of P-256 a SubjectPublicKeyInfo; to be given to free()
 * @param pub_key_len  gets its bytes
 * @return ESP_OK; ESP_ERR_INVALID_ARG: NULL, or not a begun decryption; ESP_ERR_NO_MEM; ESP_FAIL
 */
esp_err_t esp_encrypted_img_export_public_key(esp_decrypt_handle_t ctx, uint8_t **pub_key, size_t *pub_key_len);

#ifdef __cplusplus
}
#endif
