/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file esp_ota_ops.h
 * @brief OTA: write a new image to a slot, verify it, choose what boots next, confirm or roll back.
 *
 * Every function may be called from any task; a handle belongs to one task. Operations on different partitions may be
 * open at once. Whether apps must confirm themselves is otter_config.rollback. Whatever a power cut interrupts, the
 * bootloader finds a verified app again: the running app and its otadata record are never written while it runs, except
 * by the functions that say so.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "esp_app_desc.h"
#include "esp_bootloader_desc.h"
#include "esp_err.h"
#include "esp_flash_partitions.h"
#include "esp_image_format.h"
#include "esp_partition.h"

#ifdef __cplusplus
extern "C" {
#endif

#define OTA_SIZE_UNKNOWN           0xffffffff /**< image_size: not known; the whole partition is erased. */
#define OTA_WITH_SEQUENTIAL_WRITES 0xfffffffe /**< image_size: erase sector by sector, as writes come. */

#define ESP_ERR_OTA_BASE                   0x1500                    /**< First code of esp_ota_*. */
#define ESP_ERR_OTA_PARTITION_CONFLICT     (ESP_ERR_OTA_BASE + 0x01) /**< The running app cannot be overwritten. */
#define ESP_ERR_OTA_SELECT_INFO_INVALID    (ESP_ERR_OTA_BASE + 0x02) /**< Never returned. */
#define ESP_ERR_OTA_VALIDATE_FAILED        (ESP_ERR_OTA_BASE + 0x03) /**< The image is not valid. */
#define ESP_ERR_OTA_SMALL_SEC_VER          (ESP_ERR_OTA_BASE + 0x04) /**< The image is below the version floor. */
#define ESP_ERR_OTA_ROLLBACK_FAILED        (ESP_ERR_OTA_BASE + 0x05) /**< No other valid app to go back to. */
#define ESP_ERR_OTA_ROLLBACK_INVALID_STATE (ESP_ERR_OTA_BASE + 0x06) /**< The running app is not confirmed yet. */
#define ESP_ERR_OTA_ALREADY_IN_PROGRESS    (ESP_ERR_OTA_BASE + 0x07) /**< The partition is being written already. */
#define ESP_ERR_OTA_SPI_MODE_MISMATCH      (ESP_ERR_OTA_BASE + 0x08) /**< Built for another flash mode. */

/** An open operation; 0 is none. Numbers are not reused. */
typedef uint32_t esp_ota_handle_t;

/**
 * Begins to write an image to a partition.
 *
 * The otadata records that name the slot are erased first, then the partition (not with OTA_WITH_SEQUENTIAL_WRITES).
 * A power cut leaves each of those records there or gone, and the slot partly erased only once they are gone; the records of
 * other slots stay as they were.
 * The table that the device boots from is never written as it comes: stage a new one elsewhere
 * (esp_ota_set_final_partition()). The primary bootloader is written only if a partition of subtype recovery holds one that
 * verifies.
 *
 * @param partition   an OTA slot other than the running one, a bootloader or partition table partition, or a data
 *                    partition (otadata, its TEE counterpart, NVS keys and the emulated eFuse excepted)
 * @param image_size  bytes; 0 or OTA_SIZE_UNKNOWN; or OTA_WITH_SEQUENTIAL_WRITES
 * @param out_handle  gets the operation, to be ended by esp_ota_end() or esp_ota_abort(); untouched on error
 * @return ESP_OK; ESP_ERR_INVALID_ARG for NULL or a partition that is no OTA target; ESP_ERR_NOT_FOUND if it is not
 *         listed; ESP_ERR_OTA_PARTITION_CONFLICT for the running app; ESP_ERR_OTA_ROLLBACK_INVALID_STATE while the
 *         running app is unconfirmed; ESP_ERR_OTA_ALREADY_IN_PROGRESS; ESP_ERR_NOT_ALLOWED if it is read-only;
 *         ESP_ERR_NOT_SUPPORTED if the device boots from it and has no second one; ESP_ERR_INVALID_SIZE if the image does not fit (nothing is erased then); ESP_ERR_NO_MEM;
 *         ESP_ERR_FLASH_OP_FAIL. On error nothing stays open.
 */
esp_err_t esp_ota_begin(const esp_partition_t *partition, size_t image_size, esp_ota_handle_t *out_handle);

/**
 * Takes up an operation that a reset interrupted. The otadata records that name the slot are erased; of the slot nothing is
 * erased or read: the caller vouches for the first @p image_offset bytes (esp_ota_end() verifies all).
 *
 * With all bytes in place it completes a copy that was interrupted: resume, set the final partition again, end.
 * A power cut leaves each of those records there or gone.
 *
 * @param erase_size    OTA_WITH_SEQUENTIAL_WRITES: erase from the next sector boundary on as writes come;
 *                      any other value: the rest is erased already
 * @param image_offset  bytes that are in place; at most the partition's size
 * @param out_handle    as esp_ota_begin()
 * @return as esp_ota_begin(); ESP_ERR_INVALID_ARG also if @p image_offset is behind the end
 */
esp_err_t esp_ota_resume(const esp_partition_t *partition, const size_t erase_size, const size_t image_offset,
                         esp_ota_handle_t *out_handle);

/**
 * Says where the image is to end up, if not in the partition it is written to. To be called before the first write.
 *
 * What would leave a device that does not start if the copy were interrupted is refused here, before the download:
 * - The primary bootloader needs a partition of type bootloader, subtype recovery, that holds a bootloader which verifies. It
 *   is the chip that starts from there; that it is told to is not Otter's to know.
 * - The table that the device boots from needs, in the table itself, a partition of type partition_table, subtype ota: there
 *   the new table is put first, and from there the next boot ends what was interrupted.
 *
 * @param final               checked as its type demands; must not be in use by another operation
 * @param finalize_with_copy  esp_ota_end() copies the verified image there
 * @return ESP_OK; ESP_ERR_INVALID_ARG for NULL, a partition that is no target, or one that overlaps the staging partition
 *         and is another; ESP_ERR_NOT_FOUND for an unknown handle or partition; ESP_ERR_INVALID_STATE after a write;
 *         ESP_ERR_OTA_PARTITION_CONFLICT for the running app; ESP_ERR_OTA_ROLLBACK_INVALID_STATE for an app while the running
 *         one is unconfirmed; ESP_ERR_OTA_ALREADY_IN_PROGRESS; ESP_ERR_NOT_ALLOWED if it is read-only;
 *         ESP_ERR_NOT_SUPPORTED for a copy as above: the log says what the layout lacks
 */
esp_err_t esp_ota_set_final_partition(esp_ota_handle_t handle, const esp_partition_t *final, bool finalize_with_copy);

/**
 * Writes the next bytes of the image. In sequential mode the sectors they reach are erased first, each one once.
 *
 * A power cut leaves a part of these bytes written. After an error the same bytes may be written again.
 *
 * @return ESP_OK, also for size 0; ESP_ERR_INVALID_ARG for NULL or an unknown handle; ESP_ERR_INVALID_SIZE if they do not
 *         fit (nothing is written); ESP_ERR_OTA_VALIDATE_FAILED if the first byte is not an image's; ESP_ERR_FLASH_OP_FAIL
 */
esp_err_t esp_ota_write(esp_ota_handle_t handle, const void *data, size_t size);

/**
 * Writes bytes anywhere into a partition that is erased already. Order is free.
 *
 * A power cut leaves a part of these bytes written.
 *
 * @param offset  from the start of the partition
 * @return ESP_OK; ESP_ERR_INVALID_ARG for NULL, an unknown handle or an offset behind the end; ESP_ERR_INVALID_STATE if
 *         the operation erases as it writes; ESP_ERR_INVALID_SIZE if they do not fit; ESP_ERR_FLASH_OP_FAIL
 */
esp_err_t esp_ota_write_with_offset(esp_ota_handle_t handle, const void *data, size_t size, uint32_t offset);

/**
 * Ends an operation: syncs, verifies what flash holds, copies it to the final partition if asked to. The handle is
 * gone afterwards, whatever is returned.
 *
 * The records that name the final partition are erased first, then what is needed of it (of a data partition all). What was
 * copied is read back; an app is verified where it lies then. Only the image is copied, not what lies behind it.
 * A new partition table must have an MD5 entry, keep the rules of `otter ptable check`, and leave the running app, otadata,
 * every app that otadata names and the table's second place where they are; it counts from the next restart on.
 *
 * A power cut during a copy leaves the staging partition whole, and the final partition partly written with no record that
 * names it: an app there does not boot. Data are not atomic: their reader finds old bytes, erased ones or new ones, and
 * esp_ota_resume() completes the copy. A partition table is the old or the new one; if it was staged in its second place,
 * it may have to be staged again. Without a copy a cut changes nothing.
 *
 * @return ESP_OK; ESP_ERR_NOT_FOUND for an unknown handle; ESP_ERR_INVALID_ARG if nothing was written;
 *         ESP_ERR_OTA_VALIDATE_FAILED, also for want of a signature that counts, below the anti-rollback floor, or for a table
 *         that the device could not boot from; ESP_ERR_INVALID_SIZE if it does not fit the final partition (which is left
 *         alone); ESP_ERR_NOT_SUPPORTED as esp_ota_set_final_partition(), if that became true since; ESP_ERR_FLASH_OP_FAIL,
 *         also if the copy reads otherwise than it was written; ESP_ERR_NO_MEM
 */
esp_err_t esp_ota_end(esp_ota_handle_t handle);

/** Gives an operation up; what was written stays. ESP_OK, or ESP_ERR_NOT_FOUND for an unknown handle. */
esp_err_t esp_ota_abort(esp_ota_handle_t handle);

/**
 * Verifies an app and makes it boot next. What esp_ota_end() verified and nobody has written to since is not read again.
 *
 * The way back, the running app's record, is kept. A power cut leaves the old choice or the new one, never neither.
 *
 * @param partition  an OTA slot, or the factory app (which clears otadata)
 * @return ESP_OK; ESP_ERR_INVALID_ARG for NULL or what cannot be booted; ESP_ERR_OTA_VALIDATE_FAILED, under secure boot also
 *         for want of a signature that counts; ESP_ERR_OTA_SMALL_SEC_VER if the app is below the anti-rollback floor (it
 *         stays where it is); ESP_ERR_NOT_FOUND without otadata; ESP_ERR_FLASH_OP_FAIL
 */
esp_err_t esp_ota_set_boot_partition(const esp_partition_t *partition);

/**
 * As esp_ota_set_boot_partition(), for an app that the caller has just verified itself. The anti-rollback floor counts all
 * the same, and under secure boot nothing is skipped.
 */
esp_err_t esp_ota_set_boot_partition_skip_validate(const esp_partition_t *partition);

/** App that otadata chooses; without a choice the factory app, the lowest slot or the test app. NULL without otadata. */
const esp_partition_t *esp_ota_get_boot_partition(void);

/** App that runs. NULL if none does (otter_device.running_address is OTTER_NOT_RUNNING). */
const esp_partition_t *esp_ota_get_running_partition(void);

/**
 * The slot to update next: the one after @p start_from, in a circle.
 *
 * @param start_from  NULL: the running app, or what would boot if none runs
 * @return NULL if there is no slot, or @p start_from is not listed
 */
const esp_partition_t *esp_ota_get_next_update_partition(const esp_partition_t *start_from);

/** Number of OTA slots in the table, as the bootloader counts them. */
uint8_t esp_ota_get_app_partition_count(void);

/**
 * Descriptor of the app in a partition, as it lies there, unverified.
 *
 * @return ESP_OK; ESP_ERR_INVALID_ARG for NULL; ESP_ERR_NOT_SUPPORTED for a partition of another type;
 *         ESP_ERR_NOT_FOUND if there is none; errors of esp_partition_read()
 */
esp_err_t esp_ota_get_partition_description(const esp_partition_t *partition, esp_app_desc_t *app_desc);

/**
 * Descriptor of the bootloader in a partition, unverified.
 *
 * @param bootloader_partition  NULL: the primary bootloader
 * @return ESP_OK; ESP_ERR_INVALID_ARG if @p desc is NULL; ESP_ERR_NOT_FOUND if there is none; errors of reading
 */
esp_err_t esp_ota_get_bootloader_description(const esp_partition_t *bootloader_partition, esp_bootloader_desc_t *desc);

/**
 * Checks from its first bytes whether an image is for this device.
 *
 * @param type      ESP_PARTITION_TYPE_APP or ESP_PARTITION_TYPE_BOOTLOADER
 * @param app_desc  may be NULL
 * @return ESP_OK; ESP_ERR_INVALID_ARG; ESP_ERR_INVALID_VERSION for another chip or revision;
 *         ESP_ERR_OTA_SPI_MODE_MISMATCH if it and the running app were built for different flash modes
 */
esp_err_t esp_ota_check_image_validity(esp_partition_type_t type, const esp_image_header_t *img_hdr,
                                       const esp_app_desc_t *app_desc);

/**
 * Confirms the running app: it will not be rolled back, and the anti-rollback floor rises to its secure version.
 *
 * A power cut leaves it unconfirmed, or confirmed with any floor up to its version; the next boot then burns the rest.
 *
 * @return ESP_OK, also if it was confirmed already; ESP_ERR_NOT_FOUND without otadata; ESP_FAIL if no OTA slot runs, or if
 *         it is confirmed but the key store could not be burned; ESP_ERR_FLASH_OP_FAIL
 */
esp_err_t esp_ota_mark_app_valid_cancel_rollback(void);

/**
 * Refuses the running app: the next boot takes another one, which is verified first.
 *
 * A power cut leaves it as it was or refused.
 *
 * @return ESP_OK; ESP_ERR_NOT_FOUND without otadata; ESP_FAIL if no OTA slot runs; ESP_ERR_OTA_ROLLBACK_FAILED if there
 *         is no other valid app; ESP_ERR_FLASH_OP_FAIL
 */
esp_err_t esp_ota_mark_app_invalid_rollback(void);

/** As esp_ota_mark_app_invalid_rollback(), and restarts: returns only on error. */
esp_err_t esp_ota_mark_app_invalid_rollback_and_reboot(void);

/** True if another valid app would boot if the running one were refused. Verifies it, which takes time. */
bool esp_ota_check_rollback_is_possible(void);

/**
 * State that otadata records for a slot.
 *
 * @return ESP_OK; ESP_ERR_INVALID_ARG for NULL; ESP_ERR_NOT_SUPPORTED if it is no OTA slot; ESP_ERR_NOT_FOUND without
 *         otadata or a record for it; ESP_ERR_FLASH_OP_FAIL
 */
esp_err_t esp_ota_get_state_partition(const esp_partition_t *partition, esp_ota_img_states_t *ota_state);

/** Slot whose app was refused or aborted and whose image is whole, or NULL. */
const esp_partition_t *esp_ota_get_last_invalid_partition(void);

/**
 * Erases the app that the inactive otadata record names, its record first.
 *
 * A power cut leaves record and app as they were, or the slot partly erased, without a record.
 *
 * @return ESP_OK; ESP_FAIL if there is no such app, or it runs or is to boot next; ESP_ERR_FLASH_OP_FAIL
 */
esp_err_t esp_ota_erase_last_boot_app_partition(void);

/** Erases only the record of esp_ota_erase_last_boot_app_partition(), and returns the same. A power cut: there or gone. */
esp_err_t esp_ota_invalidate_inactive_ota_data_slot(void);

/** Place of a trusted key in the key store. */
typedef enum {
    SECURE_BOOT_PUBLIC_KEY_INDEX_0, /**< First key. */
    SECURE_BOOT_PUBLIC_KEY_INDEX_1, /**< Second key. */
    SECURE_BOOT_PUBLIC_KEY_INDEX_2, /**< Third key. */
} esp_ota_secure_boot_public_key_index_t;

/**
 * Revokes a trusted key, once the running app has proved that it does not need it: what only this key signed neither boots
 * nor is installed any more. That includes the app in the other slot.
 *
 * A power cut leaves the key revoked or not.
 *
 * @param index  see there
 * @return ESP_OK, also if it is revoked already; ESP_ERR_INVALID_ARG for another index; ESP_FAIL if secure boot is off, the
 *         running app is not confirmed (only asked with rollback on), it has no good signature of another key that counts, or
 *         the key store cannot be read or burned
 */
esp_err_t esp_ota_revoke_secure_boot_public_key(esp_ota_secure_boot_public_key_index_t index);

/** Older name of esp_app_get_description(). */
const esp_app_desc_t *esp_ota_get_app_description(void);

/** Older name of esp_app_get_elf_sha256(). */
int esp_ota_get_app_elf_sha256(char *dst, size_t size);

#ifdef __cplusplus
}
#endif
