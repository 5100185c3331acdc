/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file esp_image_format.h
 * @brief Result codes of image verification. The formats are in esp_app_format.h.
 */
#pragma once

#include "esp_app_format.h"
#include "esp_err.h"

#define ESP_ERR_IMAGE_BASE       0x2000                   /**< First code of image verification. */
#define ESP_ERR_IMAGE_FLASH_FAIL (ESP_ERR_IMAGE_BASE + 1) /**< Flash could not be read. */
#define ESP_ERR_IMAGE_INVALID    (ESP_ERR_IMAGE_BASE + 2) /**< The image is not whole, or not as it must be. */
