/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file ota_internal.h
 * @brief Shared by the files of device/ota. Others need ota_reset() only.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "core/bootsel/bootsel.h"
#include "core/image/image.h"
#include "core/trust/trust.h"
#include "device/partition/partition_internal.h"
#include "esp_ota_ops.h"
#include "otter/otter_os.h"

/** Forgets the open operations and findings of an earlier device. No task may be inside an esp_ota_* call. */
void ota_reset(void);

/** An open operation. */
typedef struct ota_op {
    struct ota_op *next;
    esp_ota_handle_t handle;
    esp_partition_t staging; /**< Copy: where the bytes go. */
    esp_partition_t final;   /**< Copy: where the image is to end up; its type says what the bytes must be. */
    bool copy;               /**< Copy to final at the end. */
    bool sequential;         /**< Begun to erase as writes come. */
    bool resumed;            /**< Begun by esp_ota_resume(). */
    uint32_t written;        /**< Bytes from the start up to the furthest one written. */
    uint32_t erased;         /**< Bytes from the start that are erased, or were; whole sectors. */
} ota_op_t;

/** An image that was verified. */
typedef struct ota_verified {
    uint32_t address;
    uint32_t size;                            /**< Of the partition. */
    partition_watch_t watch;                  /**< Holds as long as nobody wrote there. */
    uint8_t key_store[OTTER_KEY_STORE_BYTES]; /**< What was burned: it was verified under these demands. */
} ota_verified_t;

#define OTA_SHORT_HASH_BYTES 10 /**< Text of esp_app_get_elf_sha256_str(), terminator included. */

/** The module's one struct. */
typedef struct ota_state {
    otter_mutex_t lock; /**< Guards everything here but otadata_lock. */
    ota_op_t *ops;
    esp_ota_handle_t last_handle;
    ota_verified_t verified;
    char short_hash[OTA_SHORT_HASH_BYTES];

    otter_mutex_t otadata_lock; /**< Held from reading otadata until what was decided is carried out. */
} ota_state_t;

extern ota_state_t ota_state;

/** The least multiple of @p unit that is not below @p value. */
static inline uint64_t ota_round_up(uint64_t value, uint32_t unit)
{
    return (value + unit - 1) / unit * unit;
}

/** Open operation of a handle, or NULL. It stays valid without the lock: only the handle's own task frees it. */
ota_op_t *ota_find_op(esp_ota_handle_t handle);

/** Ends an operation: frees it and the partitions it reserved. */
void ota_remove_op(ota_op_t *op);

/**
 * Erases the otadata records that name a partition of the table.
 * Power cut: some of them are left, one may be in any state; records of other slots do not change.
 *
 * @return ESP_OK or ESP_ERR_FLASH_OP_FAIL
 */
esp_err_t ota_forget_records(const esp_partition_t *partition);

/** Candidate that a partition is: slot number, BOOTSEL_SLOT_FACTORY or _TEST; BOOTSEL_SLOT_NONE for others and NULL. */
int ota_slot_of(const esp_partition_t *partition);

/** Partition of a candidate, or NULL. */
const esp_partition_t *ota_partition_of(int slot);

/** Candidate that runs, or BOOTSEL_SLOT_NONE. */
int ota_running_slot(void);

/**
 * Reads what decisions rest on.
 *
 * @return ESP_OK, also without otadata; ESP_ERR_FLASH_OP_FAIL
 */
esp_err_t ota_read_input(bootsel_input_t *input);

/** Decides about a slot: one of bootsel's plan makers. */
typedef esp_err_t (*ota_decide_t)(const bootsel_input_t *input, int slot, bootsel_plan_t *plan);

/**
 * Reads otadata, lets @p make_plan make a plan for @p slot, and carries it out.
 * Power cut: what the plan says.
 *
 * @return ESP_OK; the decision's error; ESP_ERR_FLASH_OP_FAIL
 */
esp_err_t ota_apply(ota_decide_t make_plan, int slot);

/** True while the running app's record says that it has to confirm itself, or cannot be read. */
bool ota_running_is_unconfirmed(void);

/**
 * Verifies what flash holds in a partition, as an app or a bootloader after its type, under the demands of @p trust. Logs
 * what is wrong with it.
 *
 * @param walk  gets the findings
 * @return ESP_OK; ESP_ERR_OTA_SMALL_SEC_VER if the first fault is that it is below the floor; any other error
 */
esp_err_t ota_walk(const esp_partition_t *partition, const trust_state_t *trust, image_walk_t *walk);

/**
 * As ota_walk(), under the demands of the key store; remembers success.
 *
 * @return as ota_walk(); ESP_FAIL if the key store cannot be read
 */
esp_err_t ota_verify(const esp_partition_t *partition);

/**
 * As ota_verify().
 *
 * @param len  gets how many bytes of the partition the image takes, its signature sector included; untouched on error
 */
esp_err_t ota_verify_image(const esp_partition_t *partition, uint32_t *len);

/** As ota_verify(), but believes an earlier success if nobody wrote to the partition or burned anything since. */
esp_err_t ota_verify_once(const esp_partition_t *partition);

/**
 * Checks whether a partition may be overwritten although the device starts from it: the bootloader and the partition table
 * have no slots. Partitions that it does not start from always may.
 *
 * @param partition  what is to be written
 * @param copied     true: what was verified elsewhere is copied there; false: it is written as it comes
 * @return ESP_OK; ESP_ERR_NOT_SUPPORTED: a power cut would leave a device that does not start, the log says what the layout
 *         lacks; ESP_ERR_INVALID_ARG: it covers the table and is none; ESP_ERR_NO_MEM
 */
esp_err_t ota_check_only_copy(const esp_partition_t *partition, bool copied);

/** True if a partition covers the table that the device boots from, or a part of it. */
bool ota_is_table_in_place(const esp_partition_t *partition);

/** True if the table of this device names a place for its successor (core/ptable/ptable_spare.h). */
bool ota_table_has_spare(void);

/**
 * Replaces the table that the device boots from by the one in @p staging, if the device can boot from that: it has an MD5
 * entry, keeps the rules of ptable_check(), names the same spare, and leaves the running app, otadata and every slot that otadata
 * names where they are and what they are called. The list of partitions stays as it is until the restart.
 *
 * Power cut: the old table or the new one, once the next boot has ended what was begun.
 *
 * @return ESP_OK; ESP_ERR_OTA_VALIDATE_FAILED, the log says why; ESP_ERR_NOT_SUPPORTED without a spare; ESP_ERR_NO_MEM;
 *         ESP_ERR_FLASH_OP_FAIL: the next boot ends it
 */
esp_err_t ota_install_table(const esp_partition_t *staging);

/**
 * Verifies what was written to @p op's staging partition as what it is to become, and copies it to the final one if that was
 * asked for; what was copied is read back.
 *
 * Power cut: staging keeps what was written; final is as before, partly written, or done.
 *
 * @return as esp_ota_end()
 */
esp_err_t ota_finish_op(const ota_op_t *op);
