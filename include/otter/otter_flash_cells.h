/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file otter_flash_cells.h
 * @brief A NOR flash in the caller's memory, down to its cells: an operation that loses power leaves them half done.
 *
 * A cell that was half programmed or half erased is unstable: it reads differently each time until it is erased, or
 * programmed again. Program clears bits only, erase takes whole sectors, as on NOR; a program that would set a bit, or
 * that does not keep to the program unit, is refused and counted.
 */
#pragma once

#include "otter/otter_flash.h"
#include "otter/otter_power.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Memory of a flash; every array belongs to the caller. All FF, 0, 0, 0: a new chip. */
typedef struct otter_flash_cells_memory {
    uint8_t *bytes;    /**< size_bytes: each bit as it reads if it is stable. */
    uint8_t *unstable; /**< size_bytes: 1 for each bit that is not. */
    uint8_t *scars;    /**< One for each sector: whether there may be unstable bits, and how they behave. */
    uint32_t *erases;  /**< One for each sector: erases, also those that lost power. */
} otter_flash_cells_memory_t;

/** A flash made of cells; storage belongs to the caller. */
typedef struct otter_flash_cells {
    otter_flash_t base;                /**< Use this as the flash. */
    otter_flash_cells_memory_t memory; /**< Not owned. */
    otter_power_t *power;              /**< Not owned. */
    uint32_t violations;               /**< Programs refused because they broke a rule of NOR. */
    uint32_t wear_limit;               /**< Erases after which a sector fails to erase; 0: none ever does. */
    uint32_t worn;                     /**< Erases that failed for that. */
    uint32_t stuck_off;                /**< Byte with a bit that is stuck ... */
    uint32_t stuck;                    /**< Programs that it did not follow. */
    uint8_t stuck_bit;                 /**< ... at 1: this one is never programmed; 0: none. */
} otter_flash_cells_t;

/**
 * Makes a flash of the caller's memory, whose contents are taken as they are.
 *
 * @param cells     storage, initialised here
 * @param memory    copied; the arrays outlive the flash
 * @param geometry  size, sector and program unit; its ops do not matter
 * @param power     outlives the flash
 * @return &cells->base
 */
otter_flash_t *otter_flash_cells_init(otter_flash_cells_t *cells, const otter_flash_cells_memory_t *memory,
                                      const otter_flash_t *geometry, otter_power_t *power);

#ifdef __cplusplus
}
#endif
