/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file table_default.h
 * @brief The partition table of a flash file that was given none.
 */
#pragma once

#include "cli/ptable_file.h"

/**
 * Lays out nvs, otadata, ota_0 and ota_1 for a flash. Two slots of equal size, no factory app.
 *
 * @param size_bytes  of the flash
 * @param options     where the table lies, and the sector size
 * @return false if the flash is too small for slots of 64 KiB
 */
bool cli_default_table(ptable_t *table, uint32_t size_bytes, const cli_table_options_t *options);
