/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file otter_flash_nor.h
 * @brief Decorator: the rules of NOR flash over any flash.
 *
 * Program only clears bits; a program that would set a bit changes nothing and fails. Erase takes
 * whole sectors. Code that works here works on a real chip.
 */
#pragma once

#include "otter/otter_flash.h"

#ifdef __cplusplus
extern "C" {
#endif

/** A NOR decorator; storage belongs to the caller and must outlive its use. */
typedef struct otter_flash_nor {
    otter_flash_t base;     /**< Use this as the flash. */
    otter_flash_t *inner;   /**< The flash that holds the bytes; not owned. */
    uint32_t violations;    /**< Programs refused because they would have set a bit. */
    uint32_t violation_off; /**< Offset of the first byte of the last refused one. */
    uint32_t blank_off;     /**< Where a range begins that was erased and not programmed since, */
    uint32_t blank_len;     /**< and its bytes: a program there needs no look at the flash. */
} otter_flash_nor_t;

/**
 * Puts NOR rules over @p inner, with the same geometry.
 *
 * @param nor    storage, initialised here
 * @param inner  the flash below, changed by nobody else
 * @return &nor->base. Its program returns ESP_ERR_FLASH_OP_FAIL, and leaves the flash as it was, if a bit
 *         would change from 0 to 1.
 */
otter_flash_t *otter_flash_nor_init(otter_flash_nor_t *nor, otter_flash_t *inner);

#ifdef __cplusplus
}
#endif
