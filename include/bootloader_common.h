/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file bootloader_common.h
 * @brief Here only because applications reach image headers through esp_https_ota.h and it.
 */
#pragma once

#include "esp_app_format.h"
#include "esp_image_format.h"
