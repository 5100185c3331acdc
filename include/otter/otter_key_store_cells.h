/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file otter_key_store_cells.h
 * @brief A key store in the caller's memory under a power supply: a burn that loses power burns some of its bits.
 */
#pragma once

#include "otter/otter_key_store.h"
#include "otter/otter_power.h"

#ifdef __cplusplus
extern "C" {
#endif

/** A key store; storage belongs to the caller. */
typedef struct otter_key_store_cells {
    otter_key_store_t base; /**< Use this as the key store. */
    uint8_t *bits;          /**< The contents; not owned. */
    otter_power_t *power;   /**< Not owned. */
} otter_key_store_cells_t;

/**
 * Makes a key store of the caller's memory, whose contents are taken as they are (all zero: new).
 *
 * @param cells  storage, initialised here
 * @param bits   contents, outliving the key store
 * @param power  outlives the key store
 * @return &cells->base
 */
otter_key_store_t *otter_key_store_cells_init(otter_key_store_cells_t *cells, uint8_t bits[OTTER_KEY_STORE_BYTES],
                                              otter_power_t *power);

#ifdef __cplusplus
}
#endif
