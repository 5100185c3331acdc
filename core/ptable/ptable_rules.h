/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file ptable_rules.h
 * @brief Where partitions may lie: shared by the checker and the CSV reader. Source: gen_esp32part.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define PTABLE_SECTOR_BYTES 0x1000u  /**< Least alignment, and bytes reserved for the table. */
#define PTABLE_APP_ALIGN    0x10000u /**< Least alignment of an app's offset. */

/** The sector size that a table is laid out for: that of the flash, at least 4 KiB. */
uint32_t ptable_sector_bytes(uint32_t sector_bytes);

/** What the offset of a partition of that type must be a multiple of, in bytes. */
uint32_t ptable_offset_align(uint8_t type, uint32_t sector_bytes);

/** True for the primary bootloader and the primary table: they lie where the chip wants them, outside the order. */
bool ptable_is_primary(uint8_t type, uint8_t subtype);
