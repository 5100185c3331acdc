/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file otter_ota_policy.h
 * @brief Which firmware a device wants: asked about every app that an update offers, before anything is written.
 *
 * Without a policy every app is taken that is for this chip and not below the anti-rollback floor, as in ESP-IDF, where
 * applications compare versions themselves. A policy is no protection against an attacker: that is what signatures and the
 * floor are for.
 */
#pragma once

#include "esp_app_desc.h"
#include "esp_err.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Decides about an app. Runs in the task of the update.
 *
 * @param running  the app that runs; all zero if none does
 * @param offered  the app that the server offers
 * @param ctx      as given to otter_ota_set_policy()
 * @return ESP_OK: take it; any other code ends the update, which returns it
 */
typedef esp_err_t (*otter_ota_policy_t)(const esp_app_desc_t *running, const esp_app_desc_t *offered, void *ctx);

/** Sets the policy of updates from now on, until the next otter_device_init(). @param policy NULL: every app is taken */
void otter_ota_set_policy(otter_ota_policy_t policy, void *ctx);

/**
 * A policy: only newer versions, or the same one, of the same project.
 *
 * Versions are compared as people write them: "v" in front is ignored, numbers count as numbers, and what has a suffix behind a
 * hyphen is older than what has none ("1.10.0" > "1.9", "2.0.0" > "2.0.0-rc2" > "2.0.0-rc1").
 *
 * @return ESP_OK; ESP_ERR_INVALID_VERSION: older; ESP_ERR_NOT_ALLOWED: another project. The log says which.
 */
esp_err_t otter_ota_policy_forward(const esp_app_desc_t *running, const esp_app_desc_t *offered, void *ctx);

#ifdef __cplusplus
}
#endif
