/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file esp_secure_boot.h
 * @brief Whether this device boots and installs only what its owner signed (Secure Boot v2).
 *
 * It is burned into the key store when the device is made (otter flash create --key), never by the device itself, and no
 * configuration turns it off. Keys are revoked by esp_ota_revoke_secure_boot_public_key().
 */
#pragma once

#include <stdbool.h>

#include "esp_err.h"

#ifdef __cplusplus
extern "C" {
#endif

#define SECURE_BOOT_NUM_BLOCKS     3  /**< Keys that a device can trust, and signatures that an image can have. */
#define ESP_SECURE_BOOT_DIGEST_LEN 32 /**< Length of a key digest, in bytes. */

/** True if secure boot is on; also if the key store cannot be read: then nothing is trusted. False without key store. */
bool esp_secure_boot_enabled(void);

#ifdef __cplusplus
}
#endif
