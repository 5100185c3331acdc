/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file esp_flash_partitions.h
 * @brief On-flash records of the partition table and of otadata, and where they lie.
 *
 * All integers are little-endian. Source of the formats: ESP-IDF; docs/FORMATS.md gives them to the byte.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "esp_err.h"

#ifdef __cplusplus
extern "C" {
#endif

#define ESP_PARTITION_MAGIC     0x50AA /**< First two bytes (AA 50) of a partition entry. */
#define ESP_PARTITION_MAGIC_MD5 0xEBEB /**< First two bytes of the MD5 entry. */

#define PART_TYPE_APP         0x00
#define PART_SUBTYPE_FACTORY  0x00
#define PART_SUBTYPE_OTA_FLAG 0x10
#define PART_SUBTYPE_OTA_MASK 0x0f
#define PART_SUBTYPE_TEST     0x20

#define PART_TYPE_DATA             0x01
#define PART_SUBTYPE_DATA_OTA      0x00
#define PART_SUBTYPE_DATA_RF       0x01
#define PART_SUBTYPE_DATA_WIFI     0x02
#define PART_SUBTYPE_DATA_NVS_KEYS 0x04
#define PART_SUBTYPE_DATA_EFUSE_EM 0x05

#define PART_TYPE_BOOTLOADER             0x02
#define PART_SUBTYPE_BOOTLOADER_PRIMARY  0x00
#define PART_SUBTYPE_BOOTLOADER_OTA      0x01
#define PART_SUBTYPE_BOOTLOADER_RECOVERY 0x02

#define PART_TYPE_PARTITION_TABLE            0x03
#define PART_SUBTYPE_PARTITION_TABLE_PRIMARY 0x00
#define PART_SUBTYPE_PARTITION_TABLE_OTA     0x01

#define PART_TYPE_END    0xff
#define PART_SUBTYPE_END 0xff

#define PART_FLAG_ENCRYPTED (1u << 0) /**< Flag bit: contents are encrypted. */
#define PART_FLAG_READONLY  (1u << 1) /**< Flag bit: contents may not be written. */

/** Where the second-stage bootloader lies, in bytes; 0 unless the build says otherwise. */
#ifndef CONFIG_BOOTLOADER_OFFSET_IN_FLASH
#define CONFIG_BOOTLOADER_OFFSET_IN_FLASH 0x0
#endif
/** Where the partition table lies, in bytes. */
#ifndef CONFIG_PARTITION_TABLE_OFFSET
#define CONFIG_PARTITION_TABLE_OFFSET 0x8000
#endif

#define ESP_BOOTLOADER_OFFSET              CONFIG_BOOTLOADER_OFFSET_IN_FLASH
#define ESP_PRIMARY_BOOTLOADER_OFFSET      CONFIG_BOOTLOADER_OFFSET_IN_FLASH
#define ESP_BOOTLOADER_SIZE                (ESP_PARTITION_TABLE_OFFSET - ESP_BOOTLOADER_OFFSET)
#define ESP_PARTITION_TABLE_OFFSET         CONFIG_PARTITION_TABLE_OFFSET
#define ESP_PRIMARY_PARTITION_TABLE_OFFSET CONFIG_PARTITION_TABLE_OFFSET
#define ESP_PARTITION_TABLE_SIZE           0x1000 /**< Sector reserved for the table, in bytes. */
#define ESP_PARTITION_TABLE_MAX_LEN        0xC00  /**< Bytes of it that hold entries. */
/** Entries, the end marker included, that fit. */
#define ESP_PARTITION_TABLE_MAX_ENTRIES    (ESP_PARTITION_TABLE_MAX_LEN / sizeof(esp_partition_info_t))

/** State of an app in its otadata record. (__extension__: the last value exceeds int, which ISO C forbids.) */
__extension__ typedef enum {
    ESP_OTA_IMG_NEW = 0x0U,              /**< Switched to, never booted. */
    ESP_OTA_IMG_PENDING_VERIFY = 0x1U,   /**< Booted once, not confirmed yet. */
    ESP_OTA_IMG_VALID = 0x2U,            /**< Confirmed by the app. */
    ESP_OTA_IMG_INVALID = 0x3U,          /**< Refused by the app, or its image did not verify. */
    ESP_OTA_IMG_ABORTED = 0x4U,          /**< Reset before it confirmed. */
    ESP_OTA_IMG_UNDEFINED = 0xFFFFFFFFU, /**< Rollback is off. */
} esp_ota_img_states_t;

/** otadata record, 32 bytes, at offset 0 of each of the two otadata sectors. */
typedef struct {
    uint32_t ota_seq;      /**< Slot is (ota_seq - 1) modulo the number of slots; the highest valid one is active. */
    uint8_t seq_label[20]; /**< FF. */
    uint32_t ota_state;    /**< esp_ota_img_states_t. Not covered by crc. */
    uint32_t crc;          /**< CRC-32 of ota_seq alone, initial value FFFFFFFF. */
} esp_ota_select_entry_t;

/** Where a partition lies. */
typedef struct {
    uint32_t offset; /**< In bytes from the start of flash. */
    uint32_t size;   /**< In bytes. */
} esp_partition_pos_t;

/** Partition table entry, 32 bytes. */
typedef struct {
    uint16_t magic;          /**< ESP_PARTITION_MAGIC, or ESP_PARTITION_MAGIC_MD5. */
    uint8_t type;            /**< Partition type. */
    uint8_t subtype;         /**< Partition subtype. */
    esp_partition_pos_t pos; /**< Where it lies. */
    uint8_t label[16];       /**< Name, NUL-padded, not necessarily terminated. */
    uint32_t flags;          /**< PART_FLAG_*. */
} esp_partition_info_t;

/**
 * Checks a partition table in memory as a genuine ESP-IDF bootloader does.
 *
 * @param partition_table  at least ESP_PARTITION_TABLE_MAX_LEN bytes
 * @param log_errors       true: say on the log what is wrong
 * @param num_partitions   gets the number of partitions (the MD5 entry not counted)
 * @return ESP_OK; ESP_ERR_INVALID_ARG for NULL; ESP_ERR_INVALID_SIZE if a partition lies outside the flash;
 *         ESP_ERR_INVALID_STATE for a wrong magic, a wrong or second MD5 entry, or a missing end marker
 */
esp_err_t esp_partition_table_verify(const esp_partition_info_t *partition_table, bool log_errors, int *num_partitions);

#ifdef __cplusplus
}
#endif
