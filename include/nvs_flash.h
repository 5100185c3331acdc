/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file nvs_flash.h
 * @brief Starts and erases non-volatile storage.
 *
 * So far only what programs call at start-up: reading and writing keys, encryption and partitions other than "nvs" are
 * not there yet, and the contents of the partition are not looked at.
 */
#pragma once

#include "esp_err.h"
#include "nvs.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Starts storage in the partition labelled "nvs". Calling it again does nothing. Flash is not written.
 *
 * @return ESP_OK; ESP_ERR_NOT_FOUND if there is no such partition; ESP_ERR_NVS_WRONG_ENCRYPTION if its entry in the
 *         partition table is marked encrypted
 */
esp_err_t nvs_flash_init(void);

/** Stops storage. ESP_OK; ESP_ERR_NVS_NOT_INITIALIZED if it was not started. */
esp_err_t nvs_flash_deinit(void);

/**
 * Stops storage if it was started, and erases all of the partition labelled "nvs".
 * Power cut: some sectors are erased, one is in any state, the others hold what they held; erasing again makes it whole.
 *
 * @return ESP_OK; ESP_ERR_NOT_FOUND if there is no such partition; an error of esp_partition_erase_range()
 */
esp_err_t nvs_flash_erase(void);

#ifdef __cplusplus
}
#endif
