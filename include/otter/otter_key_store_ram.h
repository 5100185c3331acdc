/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file otter_key_store_ram.h
 * @brief A key store in the caller's memory, for rehearsals and tests: it can be told to fail, or to lose power within a burn.
 */
#pragma once

#include <stdbool.h>

#include "otter/otter_key_store.h"

#ifdef __cplusplus
extern "C" {
#endif

/** A key store in RAM; storage belongs to the caller. */
typedef struct otter_key_store_ram {
    otter_key_store_t base; /**< Use this as the key store. */
    uint8_t *bits;          /**< The contents; not owned. */
    uint32_t burns;         /**< Calls of burn so far, failed ones included. */
    bool fail_read;         /**< Reads fail. */
    bool cut_armed;     /**< The power goes off once cut_after more bits were burned: every burn fails from then on. */
    uint32_t cut_after; /**< Bits that are still burned. */
} otter_key_store_ram_t;

/**
 * Makes a key store of the caller's memory. The contents are taken as they are (all zero: new).
 *
 * @param ram   storage, initialised here
 * @param bits  contents, outliving the key store
 * @return &ram->base
 */
otter_key_store_t *otter_key_store_ram_init(otter_key_store_ram_t *ram, uint8_t bits[OTTER_KEY_STORE_BYTES]);

#ifdef __cplusplus
}
#endif
