/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file journal.h
 * @brief How a record changes atomically: the journal in the other sector. Private to bootsel.
 *
 *     offset   0          32     64           168    192                          1024 (rest of the sector unused)
 *     sector   | record   | free | 26 marks   | free | place 0 | ... | place 25    |
 *
 * The places of a sector hold entries about the record of the other sector. Each place has a mark, which is programmed to 0
 * before the place is: a place without a mark was never touched since the sector was erased.
 *
 * A record cannot change in place without an erase, and an erase that is cut leaves anything. So what the record is
 * going to be is written into the other sector first. From the moment that entry is whole, it is the record; the
 * record's own sector is then erased and written at leisure, for ESP-IDF's bootloader to read, and the entry wiped.
 * Format of an entry: docs/FORMATS.md.
 */
#pragma once

#include "core/bootsel/bootsel.h"

#define JOURNAL_MARKS_OFF   64 /**< First mark. */
#define JOURNAL_MARK_BYTES  4
#define JOURNAL_OFF         192 /**< First place. */
#define JOURNAL_PLACE_BYTES 32
#define JOURNAL_PLACES      ((BOOTSEL_AREA_BYTES - JOURNAL_OFF) / JOURNAL_PLACE_BYTES)

/**
 * Looks for an entry that is not wiped.
 *
 * @param input   see there
 * @param sector  sector whose record it is about
 * @param record  gets the record that the newest one announces
 * @return true if there is one: a transition was interrupted
 */
bool journal_find(const bootsel_input_t *input, uint32_t sector, uint8_t record[OTADATA_RECORD_BYTES]);

/** A plan being made, and what otadata will look like so far. */
typedef struct bootsel_draft {
    bootsel_input_t now;
    bootsel_plan_t *plan;
} bootsel_draft_t;

/** Begins an empty plan. */
void journal_begin(bootsel_draft_t *draft, const bootsel_input_t *input, bootsel_plan_t *plan);

/** Adds: the record of @p sector becomes this one. */
void journal_write(bootsel_draft_t *draft, uint32_t sector, uint32_t seq, uint32_t state);

/** Adds: the record of @p sector becomes blank. */
void journal_forget(bootsel_draft_t *draft, uint32_t sector);

/** Adds: an interrupted transition of @p sector, if there is one, is done over and ended. @return true if there was one */
bool journal_settle(bootsel_draft_t *draft, uint32_t sector);

/**
 * Adds: places of this journal that hold no entry, but were touched, are wiped. Half-programmed cells read as no entry
 * now and could read as one later, when the device has gone on from there. To be called once nothing is left to settle.
 *
 * @return true if there are any
 */
bool journal_clean(bootsel_draft_t *draft, uint32_t journal);
