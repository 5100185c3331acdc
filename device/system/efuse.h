/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file efuse.h
 * @brief The device's key store, for the rest of device/.
 */
#pragma once

#include "core/trust/trust.h"

/**
 * Reads the key store; without one all bits are 0.
 *
 * @return ESP_OK; ESP_FAIL if it cannot be read, or nobody has made a device: the caller then trusts nothing
 */
esp_err_t efuse_read(uint8_t bits[OTTER_KEY_STORE_BYTES]);

/** Makes a plan for the present bits, with a number that it is about. */
typedef esp_err_t (*efuse_decide_t)(const uint8_t bits[OTTER_KEY_STORE_BYTES], uint32_t number, trust_plan_t *plan);

/**
 * Reads the key store, lets @p make_plan make a plan, and carries it out. Power cut: what the plan says.
 *
 * @return ESP_OK; the plan's error; ESP_ERR_NOT_SUPPORTED without key store; ESP_FAIL if it cannot be read or burned
 */
esp_err_t efuse_apply(efuse_decide_t make_plan, uint32_t number);

/**
 * Raises the anti-rollback floor to a confirmed app's secure version. Power cut: anywhere between the old floor and the new.
 *
 * @return ESP_OK, also without key store or if the floor is higher; ESP_FAIL if the key store cannot be read or burned
 */
esp_err_t efuse_burn_confirmed(uint32_t secure_version);
