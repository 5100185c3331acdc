/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file esp_bootloader_desc.h
 * @brief Bootloader descriptor: 80 bytes at offset 32 of a bootloader image.
 *
 * Source of the format: ESP-IDF's esp_bootloader_desc_t; docs/FORMATS.md gives it to the byte.
 */
#pragma once

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define ESP_BOOTLOADER_DESC_MAGIC_BYTE (80) /**< First byte of a descriptor. */

/** Bootloader descriptor, 80 bytes, little-endian. Text is NUL-padded and may fill its field. */
typedef struct {
    uint8_t magic_byte;     /**< ESP_BOOTLOADER_DESC_MAGIC_BYTE. */
    uint8_t reserved[2];    /**< 0. */
    uint8_t secure_version; /**< Anti-rollback version of the bootloader. */
    uint32_t version;       /**< Version that the builder gave it. */
    char idf_ver[32];       /**< Version of the framework that it was built with. */
    char date_time[24];     /**< When it was compiled. */
    uint8_t reserved2[16];  /**< 0. */
} esp_bootloader_desc_t;

#ifdef __cplusplus
static_assert(sizeof(esp_bootloader_desc_t) == 80, "bootloader descriptor is 80 bytes on flash");
}
#else
_Static_assert(sizeof(esp_bootloader_desc_t) == 80, "bootloader descriptor is 80 bytes on flash");
#endif
