/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file otter_encrypted.h
 * @brief Updates from images in the esp_encrypted_img format, with nothing to write for it but the configuration.
 *
 *     const otter_decrypt_config_t decrypt = {.key_pem = pem, .key_pem_len = pem_len};
 *     const esp_https_ota_config_t config = {
 *         .http_config = &http,
 *         .decrypt_cb = otter_decrypt_image,
 *         .decrypt_user_ctx = (void *)&decrypt,
 *     };
 *     esp_err_t err = esp_https_ota(&config);
 *
 * The slot cannot be chosen unless the image's authentication tag is right, and a download that was interrupted goes on
 * where it stopped. With a callback of one's own around esp_encrypted_img.h neither is certain.
 *
 * Encryption keeps the firmware secret. It does not say whose firmware it is: whoever has the public key can encrypt.
 * That is for the signature, which is checked on the decrypted image.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "esp_encrypted_img.h"
#include "esp_err.h"
#include "esp_https_ota.h"

#ifdef __cplusplus
extern "C" {
#endif

#define OTTER_HMAC_KEY_BYTES 32 /**< Length of a key that a device key is derived from. */

/** The device's key: one of the two. Read during esp_https_ota_begin() only. */
typedef struct otter_decrypt_config {
    /** Private key as PEM text, without password: RSA-3072 or P-256, which also says how the image must be encrypted. */
    const char *key_pem;
    size_t key_pem_len; /**< Its bytes; a terminating NUL may be counted or not. */
    /** OTTER_HMAC_KEY_BYTES that a P-256 key is derived from, as chips with an HMAC key in eFuse do; NULL: key_pem counts. */
    const uint8_t *hmac_key;
} otter_decrypt_config_t;

/**
 * Gives esp_decrypt_cfg_t.hmac_key_id something to name, as burning a key into eFuse does. Call it before tasks decrypt.
 *
 * @param id   which place
 * @param key  OTTER_HMAC_KEY_BYTES, copied; NULL: wipes the place
 * @return ESP_OK; ESP_ERR_INVALID_ARG: no such place
 */
esp_err_t otter_encrypted_set_hmac_key(hmac_key_id_t id, const uint8_t *key);

/**
 * Value of esp_https_ota_config_t.decrypt_cb that asks for decryption by the library; decrypt_user_ctx is then an
 * otter_decrypt_config_t, and enc_img_header_size may stay 0. Not to be called.
 *
 * @return ESP_ERR_NOT_SUPPORTED
 */
esp_err_t otter_decrypt_image(decrypt_cb_arg_t *args, void *user_ctx);

#ifdef __cplusplus
}
#endif
