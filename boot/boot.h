/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file boot.h
 * @brief The bootloader: reads flash, lets core decide, verifies and loads in one pass.
 *
 * It ends where a platform begins: the caller supplies a loader that keeps the segments, and runs what it
 * holds once boot_choose() says so. No heap, no files.
 */
#pragma once

#include "core/bootsel/bootsel.h"
#include "core/image/image.h"
#include "core/ptable/ptable.h"
#include "core/trust/trust.h"
#include "otter/otter_config.h"
#include "otter/otter_flash.h"
#include "otter/otter_key_store.h"

/** Keeps an image's segments while they are verified. Every function may be NULL. */
typedef struct boot_loader {
    /** A candidate begins: forget what was kept of an earlier one. */
    esp_err_t (*reset)(void *arg);
    /** See image_sink_t. */
    esp_err_t (*segment)(void *arg, uint32_t index, const esp_image_segment_header_t *header, uint32_t data_off);
    /** See image_sink_t. */
    esp_err_t (*data)(void *arg, uint32_t index, uint32_t off, const uint8_t *bytes, size_t len);
    void *arg; /**< Handed to all three. */
} boot_loader_t;

/** A line of the bootloader's log. */
typedef enum boot_log_level {
    BOOT_LOG_ERROR,
    BOOT_LOG_WARNING,
    BOOT_LOG_INFO,
} boot_log_level_t;

/** What a boot works with. */
typedef struct boot_env {
    otter_flash_t *flash;
    otter_key_store_t *key_store; /**< NULL: the device has none: secure boot is off, the anti-rollback floor 0. */
    const otter_config_t *config;
    const boot_loader_t *loader; /**< NULL: verify only. */
    bool dry_run;                /**< Decide and verify, but write and burn nothing. */
    /** Receives the log, one terminated line without line feed a call; NULL: none. */
    void (*log)(void *arg, boot_log_level_t level, const char *line);
    void *log_arg; /**< Handed to it. */
} boot_env_t;

/** A candidate that did not verify. */
typedef struct boot_failure {
    int slot; /**< BOOTSEL_SLOT_FACTORY, ... or the number of the OTA slot. */
    bootsel_reason_t reason;
    image_fault_t fault; /**< Why not; IMAGE_OK if @ref error says it. */
    esp_err_t error;
} boot_failure_t;

#define BOOT_MAX_FAILURES (PTABLE_MAX_SLOTS + 2)

/** What a boot found out. */
typedef struct boot_result {
    bool key_store_failed;            /**< The key store cannot be read, so nothing is trusted. */
    trust_state_t trust;              /**< What it says; what the decision rested on. */
    ptable_fault_t table_fault;       /**< PTABLE_OK, or why there is no table to boot from. */
    ptable_t table;                   /**< The partition table. */
    uint32_t otadata_offset;          /**< Where, in bytes. */
    bootsel_input_t input;            /**< What the last decision rested on; the records as they are after it. */
    uint32_t otadata_errors;          /**< Writes to otadata that failed. After the second nothing more was written. */
    int slot;                         /**< Who boots; BOOTSEL_SLOT_NONE: nobody. */
    bootsel_reason_t reason;          /**< Why. */
    ptable_partition_t partition;     /**< Where it lies. */
    esp_app_desc_t desc;              /**< Its descriptor, as verified. */
    uint32_t image_len;               /**< Bytes of its image. */
    uint32_t entry;                   /**< Its entry address. */
    uint8_t hash[OTTER_SHA256_BYTES]; /**< Its SHA-256. */
    uint32_t failure_count;           /**< Candidates that were tried before and failed. */
    boot_failure_t failure[BOOT_MAX_FAILURES];
} boot_result_t;

/**
 * Chooses an app, verifies it, hands its segments to the loader, and writes to otadata what the decision asks for.
 *
 * If secure boot is on, every candidate needs a signature that counts, the last resort too; if there is an anti-rollback
 * floor, every candidate must reach it. The floor rises to the secure version of a confirmed (VALID) app that is about to run,
 * never to that of another.
 *
 * If otadata cannot be written, it is tried once more from what flash says then. After that the boot goes on as if it had
 * been written, without an app that needs its record changed before it runs: a new one could not be rolled back.
 *
 * A power cut at any point leaves an otadata and a floor from which the next boot_choose() finds a valid app again.
 *
 * @param env     see there
 * @param result  filled also on error
 * @return ESP_OK: run it; ESP_ERR_INVALID_STATE: no usable partition table, or an otadata too small;
 *         ESP_ERR_NOT_FOUND: nothing verifies; ESP_ERR_FLASH_OP_FAIL: the same, and otadata could not be written; ESP_FAIL: the key store
 *         cannot be read
 */
esp_err_t boot_choose(const boot_env_t *env, boot_result_t *result);

/**
 * Reads the partition table alone. If its replacement was interrupted, that is the new one, which lies in the spare
 * (core/ptable/ptable_spare.h); nothing is written.
 *
 * @return PTABLE_OK or what is wrong with it; PTABLE_FAULT_END if flash cannot be read there
 */
ptable_fault_t boot_read_table(otter_flash_t *flash, uint32_t table_offset, ptable_t *table);

/**
 * Ends a replacement of the partition table that was interrupted: the new table is written to its place.
 *
 * A power cut leaves the replacement to be ended by the next call, or ended.
 *
 * @param settled  gets whether there was one, and it is ended
 * @return ESP_OK, also if there was none; ESP_ERR_FLASH_OP_FAIL: the next call tries again
 */
esp_err_t boot_settle_table(otter_flash_t *flash, uint32_t table_offset, bool *settled);

/**
 * Fills what bootsel needs to know from a table and the otadata sectors.
 *
 * @param otadata_offset  gets where otadata lies, if input->has_otadata
 * @return ESP_OK; ESP_ERR_INVALID_STATE if otadata is smaller than two sectors; ESP_ERR_FLASH_OP_FAIL
 */
esp_err_t boot_read_input(otter_flash_t *flash, const ptable_t *table, bool rollback, bootsel_input_t *input,
                          uint32_t *otadata_offset);

/**
 * Carries a plan out on flash.
 *
 * A power cut leaves the operations before it done, the one under way in any state, those after it not begun.
 *
 * @param otadata_offset  where the two sectors lie
 * @return ESP_OK or the first operation's error; later ones are then not begun
 */
esp_err_t boot_execute(otter_flash_t *flash, uint32_t otadata_offset, const bootsel_plan_t *plan);
