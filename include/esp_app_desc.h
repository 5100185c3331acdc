/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file esp_app_desc.h
 * @brief Application descriptor: the first 256 bytes of an app image's first segment.
 *
 * It lies at image offset 32 (24 bytes of image header, 8 of segment header). Source of the
 * format: ESP-IDF's esp_app_desc_t; docs/FORMATS.md gives it to the byte.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define ESP_APP_DESC_MAGIC_WORD 0xABCD5432 /**< First word of a descriptor. */

/** Application descriptor, 256 bytes, little-endian. Text is NUL-padded and may fill its field. */
typedef struct {
    uint32_t magic_word;             /**< ESP_APP_DESC_MAGIC_WORD. */
    uint32_t secure_version;         /**< Anti-rollback version; a device refuses lower ones than its floor. */
    uint32_t reserv1[2];             /**< 0. */
    char version[32];                /**< Application version. */
    char project_name[32];           /**< Project name. */
    char time[16];                   /**< Compile time. */
    char date[16];                   /**< Compile date. */
    char idf_ver[32];                /**< Version of the framework that the app was built with. */
    uint8_t app_elf_sha256[32];      /**< SHA-256 of the ELF file that the image was made from. */
    uint16_t min_efuse_blk_rev_full; /**< Lowest eFuse block revision, major * 100 + minor. */
    uint16_t max_efuse_blk_rev_full; /**< Highest eFuse block revision; 0 and 65535: no limit. */
    uint8_t mmu_page_size;           /**< log2 of the MMU page size; 0: the chip's default. */
    uint8_t spi_flash_mode;          /**< Flash mode that the app was built for; 0: unknown. */
    uint8_t reserv3[2];              /**< 0. */
    uint32_t reserv2[18];            /**< 0. */
} esp_app_desc_t;

#ifdef __cplusplus
static_assert(sizeof(esp_app_desc_t) == 256, "app descriptor is 256 bytes on flash");
#else
_Static_assert(sizeof(esp_app_desc_t) == 256, "app descriptor is 256 bytes on flash");
#endif

/**
 * Descriptor of the running app.
 *
 * @return static storage, valid for the life of the device; never NULL
 */
const esp_app_desc_t *esp_app_get_description(void);

/**
 * SHA-256 of the running app's ELF file as hexadecimal text.
 *
 * @param dst   destination; gets as many whole digits as fit, always terminated when @p size is at least 1
 * @param size  its size in bytes; 65 holds the whole digest
 * @return number of characters written, terminator included; 0 if @p size is 0
 */
int esp_app_get_elf_sha256(char *dst, size_t size);

/** First characters of the running app's ELF SHA-256, static storage. */
char *esp_app_get_elf_sha256_str(void);

#ifdef __cplusplus
}
#endif
