/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file image_chip.h
 * @brief What the image walk knows about a chip.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/** Addresses [start, end). */
typedef struct image_range {
    uint32_t start;
    uint32_t end; /**< 0: no range. */
} image_range_t;

#define IMAGE_MAPPED_RANGES 2

/** A chip. */
typedef struct image_chip {
    uint16_t id; /**< esp_chip_id_t. */
    const char *name;
    uint32_t max_len;       /**< Largest image, in bytes. */
    bool efuse_blk_checked; /**< Apps state which eFuse block revisions they run on. */
    bool page_size_in_desc; /**< The MMU page size is the app's choice, stated in its descriptor. */
    /** Addresses where flash is mapped rather than copied to. */
    image_range_t mapped[IMAGE_MAPPED_RANGES];
} image_chip_t;

/** A chip by its id, or NULL. */
const image_chip_t *image_find_chip(uint16_t chip_id);

/** True if the chip maps flash at this address. @p chip may be NULL: it maps nothing. */
bool image_chip_maps(const image_chip_t *chip, uint32_t addr);
