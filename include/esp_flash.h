/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file esp_flash.h
 * @brief The flash chip that partitions lie on. Otter's device has one.
 */
#pragma once

#include <stdint.h>

#include "esp_err.h"

#ifdef __cplusplus
extern "C" {
#endif

/** A flash chip; opaque. */
typedef struct esp_flash_t esp_flash_t;

/** The device's flash (otter_device.flash). Never NULL. */
extern esp_flash_t *esp_flash_default_chip;

/**
 * Size of a chip.
 *
 * @param chip      NULL: the default chip
 * @param out_size  gets the size in bytes
 * @return ESP_OK; ESP_ERR_INVALID_ARG if @p out_size is NULL or @p chip is not the default chip;
 *         ESP_ERR_INVALID_STATE before otter_device_init()
 */
esp_err_t esp_flash_get_size(esp_flash_t *chip, uint32_t *out_size);

#ifdef __cplusplus
}
#endif
