/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file partition_internal.h
 * @brief What the rest of device/ needs of partitions beyond esp_partition.h.
 *
 * All access of device/ to flash goes through here: one lock keeps operations whole, and one place notices writes.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/image/image.h"
#include "esp_err.h"
#include "esp_partition.h"
#include "otter/otter_flash.h"

/** Forgets the list, mappings and watch of an earlier device. No task may be inside an esp_partition_* call. */
void partition_reset(void);

/** Partition of the table (never an external one) with that type and subtype, or NULL. Valid as a found one is. */
const esp_partition_t *partition_find_listed(esp_partition_type_t type, esp_partition_subtype_t subtype);

/** The list's own entry for a copy of a partition of the table, or NULL: not listed, or external. */
const esp_partition_t *partition_verify_listed(const esp_partition_t *partition);

/** App partition of the table that contains otter_device.running_address, or NULL. */
const esp_partition_t *partition_find_running(void);

/** Number of OTA slots, ptable_slot_count() of the table; 0 if there is no usable table. */
uint32_t partition_count_slots(void);

/** True if [a, a + a_len) and [b, b + b_len) share a byte. */
static inline bool partition_ranges_overlap(uint64_t a, uint64_t a_len, uint64_t b, uint64_t b_len)
{
    return a < b + b_len && b < a + a_len;
}

/**
 * Reads the device's flash.
 *
 * @return ESP_OK; ESP_ERR_INVALID_SIZE outside of it; ESP_ERR_FLASH_OP_FAIL; ESP_ERR_INVALID_STATE without a device
 */
esp_err_t partition_flash_read(uint32_t off, void *dst, size_t len);

/**
 * Programs the device's flash, at any alignment. Power cut: see otter_flash_ops.program.
 *
 * @return as partition_flash_read()
 */
esp_err_t partition_flash_program(uint32_t off, const void *src, size_t len);

/**
 * Erases sectors of the device's flash in steps of at most 64 KiB (or a sector), between which other tasks may use it.
 * Power cut: a part is erased, one step is in any state.
 *
 * @return as partition_flash_read(); ESP_ERR_INVALID_ARG if not aligned
 */
esp_err_t partition_flash_erase(uint32_t off, size_t len);

/** True if the device's flash erases and programs in one go at less cost (otter_flash_ops.rewrite). */
bool partition_flash_can_rewrite(void);

/**
 * Erases each sector of the device's flash that [off, off + len) touches, and programs the bytes, in steps as
 * partition_flash_erase(). Only if partition_flash_can_rewrite().
 * Power cut: a part is done, one step's sectors are in any state.
 *
 * @param off  a multiple of the sector size
 * @return as partition_flash_erase(); ESP_ERR_NOT_SUPPORTED
 */
esp_err_t partition_flash_rewrite(uint32_t off, const void *src, size_t len);

/** Makes everything written before durable before anything after. Returns as partition_flash_read(). */
esp_err_t partition_flash_sync(void);

/** A watch on a range of flash; 0 is none. */
typedef uint32_t partition_watch_t;

/** Begins to watch a range. There is one watch: an earlier one counts as broken from now on. */
partition_watch_t partition_watch(uint32_t address, uint32_t size);

/** True if nothing was programmed or erased in the watched range since partition_watch(). */
bool partition_watch_holds(partition_watch_t watch);

/**
 * Allocates a buffer for reading flash in large pieces: 64 KiB, or less if that much memory is not to be had.
 *
 * @param len  gets its size, at least 1 KiB
 * @return to be freed by the caller; NULL if there is no memory
 */
uint8_t *partition_alloc_buffer(size_t *len);

/**
 * Walks the image that begins at @p address.
 *
 * @param size    bytes it may take, and that may be read
 * @param expect  what to check it against
 * @param walk    storage; filled with the findings, nothing is left to be freed
 * @return ESP_OK; the error of walk->fault (image_fault_err()), in inspect mode only if the image's structure is broken;
 *         ESP_ERR_INVALID_ARG if expect->max_len is more than an image may be; ESP_ERR_INVALID_SIZE if the range leaves
 *         the flash; ESP_ERR_NO_MEM; ESP_ERR_FLASH_OP_FAIL
 */
esp_err_t partition_walk_image(uint32_t address, uint32_t size, const image_expect_t *expect, image_walk_t *walk);
