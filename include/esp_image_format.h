/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file esp_image_format.h
 * @brief Verification of app and bootloader images on the device's flash.
 *
 * The rules of the format are checked in core/image; docs/FORMATS.md gives them to the byte. An app must have at
 * least one segment, a descriptor and an appended SHA-256 (stricter than ESP-IDF, see docs/COMPATIBILITY.md); under secure
 * boot a signature that counts, too, and it must not be below the anti-rollback floor.
 */
#pragma once

#include <stdint.h>

#include "esp_app_format.h"
#include "esp_err.h"
#include "esp_flash_partitions.h"

#ifdef __cplusplus
extern "C" {
#endif

#define ESP_ERR_IMAGE_BASE       0x2000
#define ESP_ERR_IMAGE_FLASH_FAIL (ESP_ERR_IMAGE_BASE + 1) /**< The image could not be read from flash. */
#define ESP_ERR_IMAGE_INVALID    (ESP_ERR_IMAGE_BASE + 2) /**< The image breaks a rule of its format. */

#define ESP_IMAGE_HASH_LEN 32 /**< Length of the appended SHA-256, in bytes. */

/** How to verify. */
typedef enum {
    ESP_IMAGE_VERIFY,        /**< Check everything; log what is wrong. */
    ESP_IMAGE_VERIFY_SILENT, /**< Check everything; log nothing. */
} esp_image_load_mode_t;

/** What verification found. All zero unless it succeeded. */
typedef struct {
    uint32_t start_addr;                                         /**< Flash offset of the image, in bytes. */
    esp_image_header_t image;                                    /**< Its header. */
    esp_image_segment_header_t segments[ESP_IMAGE_MAX_SEGMENTS]; /**< Its segment headers. */
    uint32_t segment_data[ESP_IMAGE_MAX_SEGMENTS];               /**< Flash offset of each segment's data, in bytes. */
    uint32_t image_len;                                          /**< Bytes, SHA-256 included, signature sector not. */
    uint8_t image_digest[32];                                    /**< SHA-256 of header through checksum. */
    uint32_t secure_version;                                     /**< From the app descriptor; 0 for a bootloader. */
    uint32_t mmu_page_size; /**< Bytes, from the app descriptor; 0: chip's default. */
} esp_image_metadata_t;

/**
 * Verifies the image at a place on flash. What starts where a bootloader partition (or the primary bootloader) starts
 * is checked as a bootloader, anything else as an app. Only reads.
 *
 * @param mode  see there
 * @param part  where the image lies, and how many bytes it may take
 * @param data  gets what was found; start_addr on entry does not matter
 * @return ESP_OK; ESP_ERR_INVALID_ARG for NULL or a part larger than an image of this chip may be;
 *         ESP_ERR_IMAGE_INVALID if a rule is broken; ESP_FAIL if it is for another chip or revision;
 *         ESP_ERR_IMAGE_FLASH_FAIL if flash cannot be read; ESP_ERR_NO_MEM
 */
esp_err_t esp_image_verify(esp_image_load_mode_t mode, const esp_partition_pos_t *part, esp_image_metadata_t *data);

/**
 * Walks an image without judging what it is for: chip, checksum and digest are not compared, the structure is.
 * Only reads.
 *
 * @return as esp_image_verify(), never ESP_FAIL
 */
esp_err_t esp_image_get_metadata(const esp_partition_pos_t *part, esp_image_metadata_t *metadata);

#ifdef __cplusplus
}
#endif
