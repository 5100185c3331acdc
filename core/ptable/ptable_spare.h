/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file ptable_spare.h
 * @brief How the partition table that a device boots from is replaced without a moment in which there is none.
 *
 * A table can name a place for a second one: its first partition of type partition_table, subtype ota, the *spare*. A new table
 * is written there first, and marked. The mark says: this is the table, whatever lies at the table's own place. Then it is
 * written over the old one, and the mark wiped. Pure functions; the bytes: docs/FORMATS.md.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "core/ptable/ptable.h"

#define PTABLE_MARK_OFF     PTABLE_BYTES /**< Where the mark lies in the spare: behind the table. */
#define PTABLE_MARK_BYTES   64           /**< Bytes of a mark. */
#define PTABLE_INTENT_BYTES 32           /**< Bytes behind the mark that are programmed to 0 before it is touched. */
#define PTABLE_INTENT_OFF   (PTABLE_MARK_OFF + PTABLE_MARK_BYTES)     /**< Where they lie in the spare. */
#define PTABLE_SPARE_BYTES  (PTABLE_INTENT_OFF + PTABLE_INTENT_BYTES) /**< Table, mark and intent. */

/** The place that a table names for its successor; NULL if it names none, or it has no room or lies over anything else. */
const ptable_partition_t *ptable_spare(const ptable_t *table, uint32_t table_off);

/** Makes the mark of a table that lies at @p spare_off, for the place @p table_off. */
esp_err_t ptable_make_mark(const uint8_t table[PTABLE_BYTES], uint32_t spare_off, uint32_t table_off,
                           uint8_t mark[PTABLE_MARK_BYTES]);

/**
 * True if what lies at @p spare_off is a marked table: whole, with MD5 entry, the mark made for just these bytes and places,
 * and naming @p spare_off as its spare itself.
 *
 * @param spare        what lies there
 * @param flash_bytes  size of the flash
 * @param table        filled if true
 */
bool ptable_is_marked(const uint8_t spare[PTABLE_SPARE_BYTES], uint32_t spare_off, uint32_t table_off,
                      uint64_t flash_bytes, ptable_t *table);

/**
 * True if what lies there may be, or become, a mark whose programming or wiping was cut: it is to be wiped, unless it is whole.
 * Its cells could read as whole at a later start, when the table no longer suits the device. The intent is durable before the mark
 * is touched, and the table before the intent: where they are not whole, there is no mark.
 *
 * @param table  scratch
 */
bool ptable_mark_remains(const uint8_t spare[PTABLE_SPARE_BYTES], uint32_t spare_off, uint32_t table_off,
                         uint64_t flash_bytes, ptable_t *table);

/** A step of the replacement. Each is one flash operation. */
typedef enum ptable_step {
    PTABLE_STEP_INTENT,  /**< Program zeros over the intent. */
    PTABLE_STEP_MARK,    /**< Program the mark in the spare. */
    PTABLE_STEP_ERASE,   /**< Erase the sector of the table. */
    PTABLE_STEP_PROGRAM, /**< Program the table. */
    PTABLE_STEP_WIPE,    /**< Program zeros over the mark. */
    PTABLE_STEP_SYNC,    /**< Everything before is durable before anything after. */
} ptable_step_t;

#define PTABLE_STEPS 9

/**
 * The steps, in order, once the new table lies in the spare. The first sync makes it durable.
 *
 * Cut anywhere, there is a whole table: the old one until the mark is whole, the marked one from then on. Who finds a mark
 * does all steps again, the mark included: programmed again, half programmed cells of it are firm before anything is erased.
 * Who finds remains of one carries out WIPE and SYNC.
 */
extern const ptable_step_t ptable_steps[PTABLE_STEPS];
