/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file otter_flash_ram.h
 * @brief A flash in the caller's memory, for tests. No NOR rules: put otter_flash_nor over it.
 */
#pragma once

#include "otter/otter_flash.h"

#ifdef __cplusplus
extern "C" {
#endif

/** A flash in RAM; storage belongs to the caller. */
typedef struct otter_flash_ram {
    otter_flash_t base; /**< Use this as the flash. */
    uint8_t *bytes;     /**< The contents; not owned. */
} otter_flash_ram_t;

/**
 * Makes a flash of the caller's memory. The contents are taken as they are (fill with FF for an erased chip).
 *
 * @param ram           storage, initialised here
 * @param bytes         contents, @p size_bytes long, outliving the flash
 * @param size_bytes    a multiple of @p sector_bytes
 * @param sector_bytes  a power of two
 * @return &ram->base
 */
otter_flash_t *otter_flash_ram_init(otter_flash_ram_t *ram, uint8_t *bytes, uint32_t size_bytes, uint32_t sector_bytes);

#ifdef __cplusplus
}
#endif
