/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file esp_efuse.h
 * @brief The device's key store, as far as OTA uses it: anti-rollback floor and key revocations.
 *
 * Bits that are burned once and never clear. A device without key store has none burned and can burn none. Any task may
 * call these functions; burns are serialised. A power cut during a burn leaves any part of it burned, and every part is
 * at least as strict as what was there before.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "esp_err.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * The anti-rollback floor: apps whose secure version is lower neither boot nor are installed.
 *
 * @return 0 to 32; 0 without key store; UINT32_MAX, above every app, if the key store cannot be read
 */
uint32_t esp_efuse_read_secure_version(void);

/** True if an app of this secure version is not below the floor. */
bool esp_efuse_check_secure_version(uint32_t secure_version);

/**
 * Raises the floor. Apps need not call this: esp_ota_mark_app_valid_cancel_rollback() raises it to the running app's version.
 *
 * Power cut: the floor is anywhere between the old one and the new one.
 *
 * @return ESP_OK, also if it is there already; ESP_ERR_INVALID_ARG above 32; ESP_FAIL if the floor is higher, or the bits
 *         cannot be burned; ESP_ERR_NOT_SUPPORTED without key store
 */
esp_err_t esp_efuse_update_secure_version(uint32_t secure_version);

/**
 * Says whether a trusted key was revoked.
 *
 * @param num_digest  0 to 2
 * @return true also for another number, and if the key store cannot be read
 */
bool esp_efuse_get_digest_revoke(unsigned num_digest);

/**
 * Revokes a trusted key: its signatures no longer count. Nothing is asked about the running app:
 * esp_ota_revoke_secure_boot_public_key() makes sure first that it still boots.
 *
 * Power cut: it is revoked or not.
 *
 * @param num_digest  0 to 2
 * @return ESP_OK, also if it is revoked already; ESP_ERR_INVALID_ARG for another number; ESP_ERR_NOT_ALLOWED if secure boot
 *         is on and no key would be left; ESP_ERR_NOT_SUPPORTED without key store; ESP_FAIL if it cannot be read or burned
 */
esp_err_t esp_efuse_set_digest_revoke(unsigned num_digest);

#ifdef __cplusplus
}
#endif
