/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file otter_device.h
 * @brief Wires "this device": the flash, configuration and running app behind the esp_* functions.
 *
 * The esp_* API speaks of one device a process. A composition root (a target, the command line, a
 * test) calls otter_device_init() before anything else of it.
 */
#pragma once

#include <stdint.h>

#include "esp_app_desc.h"
#include "esp_err.h"
#include "otter/otter_config.h"
#include "otter/otter_flash.h"
#include "otter/otter_key_store.h"

#ifdef __cplusplus
extern "C" {
#endif

#define OTTER_NOT_RUNNING UINT32_MAX /**< otter_device.running_address when no app of the flash is running. */

/** What a device is made of. */
typedef struct otter_device {
    otter_flash_t *flash; /**< Outlives the device; not owned. The library does not lock it: it is the only user. */
    otter_key_store_t
        *key_store;           /**< Outlives the device; not owned. NULL: none, so secure boot is off and the floor 0. */
    otter_config_t config;    /**< See otter_config_default(). */
    uint32_t running_address; /**< Flash offset of the running app's partition, or OTTER_NOT_RUNNING. */
    uint32_t reset_reason;    /**< An esp_reset_reason_t. */
    esp_app_desc_t app_desc;  /**< The running app's descriptor; all zero if none is. */
} otter_device_t;

/**
 * Makes @p device this process's device; forgets everything about an earlier one (open handles, partition
 * list, registered events). No task may be inside an esp_* call.
 *
 * @param device  copied
 * @return ESP_OK; ESP_ERR_INVALID_ARG if flash is NULL
 */
esp_err_t otter_device_init(const otter_device_t *device);

/** This process's device. Valid after otter_device_init(); constant until the next one. */
const otter_device_t *otter_device_get(void);

#ifdef __cplusplus
}
#endif
