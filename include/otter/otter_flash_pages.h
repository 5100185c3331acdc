/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file otter_flash_pages.h
 * @brief A flash file behind a page cache, in the caller's memory: a power cut of the host loses pages that were not synced.
 *
 * Program and erase reach the cache at once. At a cut, each page of 4 KiB is as at the last sync or as after any operation
 * since, whatever becomes of the other pages; which, is what otter_power.cut says.
 */
#pragma once

#include "otter/otter_flash.h"
#include "otter/otter_power.h"

#ifdef __cplusplus
extern "C" {
#endif

#define OTTER_FLASH_PAGE_BYTES 4096u /**< A page of the cache. */

/** Memory of a flash; every array belongs to the caller. */
typedef struct otter_flash_pages_memory {
    uint8_t *bytes;    /**< size_bytes: what is read now; after a cut, what was left. */
    uint8_t *synced;   /**< size_bytes: as at the last sync. */
    uint8_t *version;  /**< size_bytes: each changed page as it was after one operation since, drawn by chance. */
    uint32_t *changes; /**< One for each page: operations that changed it since the last sync. */
    uint32_t *erases;  /**< One for each sector: erases. */
} otter_flash_pages_memory_t;

/** Kinds of sync that can be left out, to see that it matters. */
typedef struct otter_flash_pages_drop {
    uint32_t from; /**< A sync is left out if the operation before it changed bytes from here ... */
    uint32_t to;   /**< ... to here, exclusive. 0, 0: none is. */
} otter_flash_pages_drop_t;

/** A flash behind a page cache; storage belongs to the caller. */
typedef struct otter_flash_pages {
    otter_flash_t base;                /**< Use this as the flash. */
    otter_flash_pages_memory_t memory; /**< Not owned. */
    otter_power_t *power;              /**< Not owned. */
    otter_flash_pages_drop_t drop;     /**< Which syncs do nothing. */
    uint32_t dropped;                  /**< Syncs that did nothing for that. */
    uint32_t last_off;                 /**< What the last operation changed: from here, */
    uint32_t last_len;                 /**< so many bytes. */
} otter_flash_pages_t;

/**
 * Makes a flash of the caller's memory. The contents are taken as they are, and as synced.
 *
 * @param pages     storage, initialised here
 * @param memory    copied; the arrays outlive the flash
 * @param geometry  size, a multiple of a page, and sector; its ops do not matter
 * @param power     outlives the flash
 * @return &pages->base
 */
otter_flash_t *otter_flash_pages_init(otter_flash_pages_t *pages, const otter_flash_pages_memory_t *memory,
                                      const otter_flash_t *geometry, otter_power_t *power);

#ifdef __cplusplus
}
#endif
