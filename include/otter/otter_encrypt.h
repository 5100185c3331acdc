/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file otter_encrypt.h
 * @brief Contract for host tools: what encrypting for a device takes besides otter_decrypt.h. Devices need none of this.
 */
#pragma once

#include "otter/otter_decrypt.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Encrypts a secret for an RSA key, with the padding of PKCS #1 v1.5.
 *
 * @param key     RSA; its public half is used
 * @param secret  at most OTTER_RSA3072_BYTES - 11 bytes
 * @param out     big-endian
 * @return ESP_OK; ESP_ERR_INVALID_STATE: another kind of key; ESP_FAIL: too long, or the library fails
 */
esp_err_t otter_encrypt_rsa3072(const otter_decrypt_key_t *key, otter_bytes_t secret, uint8_t out[OTTER_RSA3072_BYTES]);

/** Makes a new P-256 key. @param key  filled; nothing to free on error. @return ESP_OK or ESP_FAIL */
esp_err_t otter_encrypt_new_key(otter_decrypt_key_t *key);

/** Public half of a P-256 key, big-endian. ESP_OK; ESP_ERR_INVALID_STATE: another kind of key; ESP_FAIL */
esp_err_t otter_encrypt_public_point(const otter_decrypt_key_t *key, uint8_t point[OTTER_P256_POINT_BYTES]);

#ifdef __cplusplus
}
#endif
