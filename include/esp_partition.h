/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file esp_partition.h
 * @brief Partitions: find them by type or label; read, write and erase inside them.
 *
 * The table is read from flash (otter_config.partition_table_offset) at the first call that needs it, and kept. It must
 * carry its MD5 entry. Every function may be called from any task; offsets and sizes are bytes.
 *
 * Where ESP-IDF asserts that an argument is not NULL, Otter returns ESP_ERR_INVALID_ARG (or NULL).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "esp_err.h"
#include "esp_flash.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Kind of access to a mapping; values are flags. */
typedef enum {
    ESP_PARTITION_MMAP_DATA = 0,         /**< To be read as data. */
    ESP_PARTITION_MMAP_INST = 1,         /**< To be executed. */
    ESP_PARTITION_MMAP_BLOCKS_WRITE = 2, /**< The mapping may keep flash from being written meanwhile. */
} esp_partition_mmap_memory_t;

/** A mapping; 0 is none. */
typedef uint32_t esp_partition_mmap_handle_t;

/** Partition type. Values 0x40 to 0xFE are free for applications. */
typedef enum {
    ESP_PARTITION_TYPE_APP = 0x00,             /**< Application. */
    ESP_PARTITION_TYPE_DATA = 0x01,            /**< Data. */
    ESP_PARTITION_TYPE_BOOTLOADER = 0x02,      /**< Second-stage bootloader. */
    ESP_PARTITION_TYPE_PARTITION_TABLE = 0x03, /**< Partition table. */
    ESP_PARTITION_TYPE_ANY = 0xff,             /**< In a search: any type. */
} esp_partition_type_t;

/** Partition subtype. What a value means depends on the type. */
typedef enum {
    ESP_PARTITION_SUBTYPE_BOOTLOADER_PRIMARY = 0x00,
    ESP_PARTITION_SUBTYPE_BOOTLOADER_OTA = 0x01,
    ESP_PARTITION_SUBTYPE_BOOTLOADER_RECOVERY = 0x02,

    ESP_PARTITION_SUBTYPE_PARTITION_TABLE_PRIMARY = 0x00,
    ESP_PARTITION_SUBTYPE_PARTITION_TABLE_OTA = 0x01,

    ESP_PARTITION_SUBTYPE_APP_FACTORY = 0x00,
    ESP_PARTITION_SUBTYPE_APP_OTA_MIN = 0x10,
    ESP_PARTITION_SUBTYPE_APP_OTA_0 = 0x10,
    ESP_PARTITION_SUBTYPE_APP_OTA_1 = 0x11,
    ESP_PARTITION_SUBTYPE_APP_OTA_2 = 0x12,
    ESP_PARTITION_SUBTYPE_APP_OTA_3 = 0x13,
    ESP_PARTITION_SUBTYPE_APP_OTA_4 = 0x14,
    ESP_PARTITION_SUBTYPE_APP_OTA_5 = 0x15,
    ESP_PARTITION_SUBTYPE_APP_OTA_6 = 0x16,
    ESP_PARTITION_SUBTYPE_APP_OTA_7 = 0x17,
    ESP_PARTITION_SUBTYPE_APP_OTA_8 = 0x18,
    ESP_PARTITION_SUBTYPE_APP_OTA_9 = 0x19,
    ESP_PARTITION_SUBTYPE_APP_OTA_10 = 0x1a,
    ESP_PARTITION_SUBTYPE_APP_OTA_11 = 0x1b,
    ESP_PARTITION_SUBTYPE_APP_OTA_12 = 0x1c,
    ESP_PARTITION_SUBTYPE_APP_OTA_13 = 0x1d,
    ESP_PARTITION_SUBTYPE_APP_OTA_14 = 0x1e,
    ESP_PARTITION_SUBTYPE_APP_OTA_15 = 0x1f,
    ESP_PARTITION_SUBTYPE_APP_OTA_MAX = 0x20, /**< One past ota_15. */
    ESP_PARTITION_SUBTYPE_APP_TEST = 0x20,
    ESP_PARTITION_SUBTYPE_APP_TEE_MIN = 0x30,
    ESP_PARTITION_SUBTYPE_APP_TEE_0 = 0x30,
    ESP_PARTITION_SUBTYPE_APP_TEE_1 = 0x31,
    ESP_PARTITION_SUBTYPE_APP_TEE_MAX = 0x32,

    ESP_PARTITION_SUBTYPE_DATA_OTA = 0x00, /**< otadata. */
    ESP_PARTITION_SUBTYPE_DATA_PHY = 0x01,
    ESP_PARTITION_SUBTYPE_DATA_NVS = 0x02,
    ESP_PARTITION_SUBTYPE_DATA_COREDUMP = 0x03,
    ESP_PARTITION_SUBTYPE_DATA_NVS_KEYS = 0x04,
    ESP_PARTITION_SUBTYPE_DATA_EFUSE_EM = 0x05,
    ESP_PARTITION_SUBTYPE_DATA_UNDEFINED = 0x06,
    ESP_PARTITION_SUBTYPE_DATA_ESPHTTPD = 0x80,
    ESP_PARTITION_SUBTYPE_DATA_FAT = 0x81,
    ESP_PARTITION_SUBTYPE_DATA_SPIFFS = 0x82,
    ESP_PARTITION_SUBTYPE_DATA_LITTLEFS = 0x83,
    ESP_PARTITION_SUBTYPE_DATA_TEE_OTA = 0x90,

    ESP_PARTITION_SUBTYPE_ANY = 0xff, /**< In a search: any subtype. */
} esp_partition_subtype_t;

/** Subtype of OTA slot @p i, 0 to 15. */
#define ESP_PARTITION_SUBTYPE_OTA(i) ((esp_partition_subtype_t)(ESP_PARTITION_SUBTYPE_APP_OTA_MIN + ((i)&0xf)))

/** A search under way; opaque. */
typedef struct esp_partition_iterator_opaque_ *esp_partition_iterator_t;

/** A partition. */
typedef struct {
    esp_flash_t *flash_chip;         /**< Chip it lies on: esp_flash_default_chip. */
    esp_partition_type_t type;       /**< Type. */
    esp_partition_subtype_t subtype; /**< Subtype. */
    uint32_t address;                /**< Bytes from the start of flash. */
    uint32_t size;                   /**< Bytes. */
    uint32_t erase_size;             /**< Unit of erase, in bytes: the flash's sector size. */
    char label[17];                  /**< Name, terminated. */
    bool encrypted;                  /**< The table says that it is encrypted. */
    bool readonly;                   /**< It may not be written or erased. */
} esp_partition_t;

/**
 * Begins a search.
 *
 * @param type          type, or ESP_PARTITION_TYPE_ANY (then @p subtype must be ANY, too)
 * @param subtype       subtype, or ESP_PARTITION_SUBTYPE_ANY
 * @param label         name, or NULL for any; kept, not copied, until the iterator is released
 * @param out_iterator  gets an iterator at the first match, to be released by the caller; NULL on error
 * @return ESP_OK; ESP_ERR_INVALID_ARG; ESP_ERR_NOT_FOUND if nothing matches, or the table has no MD5 entry or no end;
 *         ESP_ERR_INVALID_STATE if its MD5 is wrong; ESP_ERR_INVALID_SIZE if it leaves the flash; ESP_ERR_NO_MEM
 */
esp_err_t esp_partition_find_err(esp_partition_type_t type, esp_partition_subtype_t subtype, const char *label,
                                 esp_partition_iterator_t *out_iterator);

/** As esp_partition_find_err(), but NULL on any error. */
esp_partition_iterator_t esp_partition_find(esp_partition_type_t type, esp_partition_subtype_t subtype,
                                            const char *label);

/**
 * Finds the first match.
 *
 * @param partition  gets it, or NULL on error; valid until esp_partition_unload_all()
 * @return as esp_partition_find_err()
 */
esp_err_t esp_partition_find_first_err(esp_partition_type_t type, esp_partition_subtype_t subtype, const char *label,
                                       const esp_partition_t **partition);

/** As esp_partition_find_first_err(), but NULL on any error. */
const esp_partition_t *esp_partition_find_first(esp_partition_type_t type, esp_partition_subtype_t subtype,
                                                const char *label);

/** Partition that an iterator stands at, valid until esp_partition_unload_all(); NULL for NULL. */
const esp_partition_t *esp_partition_get(esp_partition_iterator_t iterator);

/** Moves to the next match and returns the iterator; at the end releases it and returns NULL. NULL for NULL. */
esp_partition_iterator_t esp_partition_next(esp_partition_iterator_t iterator);

/** Releases an iterator; NULL is allowed. */
void esp_partition_iterator_release(esp_partition_iterator_t iterator);

/**
 * Looks up the list's own entry for a copy of a partition: same type, subtype, label (unless empty), chip, address,
 * size and encrypted flag.
 *
 * @param out_partition  gets it, or NULL on error
 * @return ESP_OK; ESP_ERR_INVALID_ARG for NULL; ESP_ERR_NOT_FOUND; errors of reading the table
 */
esp_err_t esp_partition_verify_err(const esp_partition_t *partition, const esp_partition_t **out_partition);

/** As esp_partition_verify_err(), but NULL on any error. */
const esp_partition_t *esp_partition_verify(const esp_partition_t *partition);

/**
 * Reads.
 *
 * @param src_offset  from the start of the partition
 * @param dst         gets @p size bytes
 * @return ESP_OK; ESP_ERR_INVALID_ARG for NULL or an offset behind the end; ESP_ERR_INVALID_SIZE if the range ends
 *         behind the end; ESP_ERR_FLASH_OP_FAIL
 */
esp_err_t esp_partition_read(const esp_partition_t *partition, size_t src_offset, void *dst, size_t size);

/** As esp_partition_read(): Otter's flash holds what was written, without encryption of its own. */
esp_err_t esp_partition_read_raw(const esp_partition_t *partition, size_t src_offset, void *dst, size_t size);

/**
 * Writes into erased bytes: NOR flash only turns ones into zeros. Any length is allowed.
 *
 * A power cut leaves any mixture of old and new bits in the range; nothing outside it changes. What is written is
 * durable only after a sync, which esp_ota_end() and esp_partition_copy() do.
 *
 * @param dst_offset  from the start of the partition
 * @return ESP_OK; ESP_ERR_NOT_ALLOWED on a read-only partition; ESP_ERR_INVALID_ARG, ESP_ERR_INVALID_SIZE as
 *         esp_partition_read(); ESP_ERR_FLASH_OP_FAIL, also for bits that would have to become one
 */
esp_err_t esp_partition_write(const esp_partition_t *partition, size_t dst_offset, const void *src, size_t size);

/** As esp_partition_write(). */
esp_err_t esp_partition_write_raw(const esp_partition_t *partition, size_t dst_offset, const void *src, size_t size);

/**
 * Sets whole sectors to FF.
 *
 * A power cut leaves any bits in the range; nothing outside it changes.
 *
 * @param offset  a multiple of esp_partition_t.erase_size
 * @param size    likewise
 * @return ESP_OK; ESP_ERR_NOT_ALLOWED on a read-only partition; ESP_ERR_INVALID_ARG for NULL, an offset behind the end
 *         or not aligned; ESP_ERR_INVALID_SIZE if the range ends behind the end or is not aligned; ESP_ERR_FLASH_OP_FAIL
 */
esp_err_t esp_partition_erase_range(const esp_partition_t *partition, size_t offset, size_t size);

/**
 * Makes a stretch of a partition readable through a pointer.
 *
 * Otter gives a copy on the heap, made at the time of the call: later writes do not show in it, and it cannot be
 * executed. Unmap it when done.
 *
 * @param memory      ESP_PARTITION_MMAP_DATA; BLOCKS_WRITE is accepted and changes nothing
 * @param out_ptr     gets the pointer
 * @param out_handle  gets what to unmap
 * @return ESP_OK; ESP_ERR_INVALID_ARG for NULL, an offset behind the end or size 0; ESP_ERR_INVALID_SIZE;
 *         ESP_ERR_NOT_SUPPORTED for ESP_PARTITION_MMAP_INST; ESP_ERR_NO_MEM; ESP_ERR_FLASH_OP_FAIL
 */
esp_err_t esp_partition_mmap(const esp_partition_t *partition, size_t offset, size_t size,
                             esp_partition_mmap_memory_t memory, const void **out_ptr,
                             esp_partition_mmap_handle_t *out_handle);

/** Releases a mapping; a handle that is none is ignored. */
void esp_partition_munmap(esp_partition_mmap_handle_t handle);

/**
 * Digest of what a partition holds. App and bootloader: SHA-256 of the image, header through checksum, which must match
 * the appended one if there is one. Others: SHA-256 of all bytes. Looks only at address, size and type of @p partition.
 *
 * @param sha_256  gets 32 bytes, only on ESP_OK
 * @return ESP_OK; ESP_ERR_INVALID_ARG for NULL or size 0; ESP_ERR_IMAGE_INVALID; ESP_ERR_INVALID_SIZE if it leaves the
 *         flash; ESP_ERR_NO_MEM; ESP_ERR_FLASH_OP_FAIL
 */
esp_err_t esp_partition_get_sha256(const esp_partition_t *partition, uint8_t *sha_256);

/** True if both have the same digest (esp_partition_get_sha256()); false on any error. */
bool esp_partition_check_identity(const esp_partition_t *partition_1, const esp_partition_t *partition_2);

/**
 * Adds a partition that is not in the table to the list, until it is deregistered or the list is unloaded. Nothing is
 * written. It is never a boot slot: esp_ota_get_app_partition_count() does not count it.
 *
 * @param flash_chip     NULL or esp_flash_default_chip
 * @param label          cut to 16 characters
 * @param out_partition  gets it, NULL on error; may be NULL
 * @return ESP_OK; ESP_ERR_NOT_SUPPORTED for another chip; ESP_ERR_INVALID_SIZE if it leaves the flash;
 *         ESP_ERR_INVALID_ARG if @p label is NULL or it overlaps a listed partition; ESP_ERR_NO_MEM
 */
esp_err_t esp_partition_register_external(esp_flash_t *flash_chip, size_t offset, size_t size, const char *label,
                                          esp_partition_type_t type, esp_partition_subtype_t subtype,
                                          const esp_partition_t **out_partition);

/**
 * Removes what esp_partition_register_external() added; pointers to it become invalid.
 *
 * @return ESP_OK; ESP_ERR_NOT_FOUND if it is not in the list; ESP_ERR_INVALID_ARG if it comes from the table
 */
esp_err_t esp_partition_deregister_external(const esp_partition_t *partition);

/**
 * Copies from one partition to another, erasing the destination first, and syncs.
 *
 * A power cut leaves a part of the destination erased and a part copied; the source never changes.
 *
 * @param dest_offset  a multiple of the erase size
 * @param size         bytes; SIZE_MAX: all from @p src_offset on, and the rest of the destination is erased
 * @return ESP_OK; ESP_ERR_INVALID_ARG for NULL, the same partition twice, or a misaligned @p dest_offset;
 *         ESP_ERR_INVALID_SIZE if it does not fit; ESP_ERR_NOT_ALLOWED; ESP_ERR_NO_MEM; ESP_ERR_FLASH_OP_FAIL
 */
esp_err_t esp_partition_copy(const esp_partition_t *dest_part, uint32_t dest_offset, const esp_partition_t *src_part,
                             uint32_t src_offset, size_t size);

/** Forgets the list, external registrations included; pointers into it become invalid. The next call reads the table. */
void esp_partition_unload_all(void);

/** Sector size of the flash, in bytes; 0 before otter_device_init(). */
uint32_t esp_partition_get_main_flash_sector_size(void);

/** True if no read-only partition overlaps the range. */
bool esp_partition_is_flash_region_writable(size_t addr, size_t size);

/** True if the range lies behind the partition table and does not overlap the running app. */
bool esp_partition_main_flash_region_safe(size_t addr, size_t size);

#ifdef __cplusplus
}
#endif
