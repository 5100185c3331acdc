/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file records.h
 * @brief What otadata must say, seen from outside: during a change, what it said before or what it is going to say.
 */
#pragma once

#include "core/bootsel/bootsel.h"
#include "tests/torture/apps.h"

/** State of a slot's record as a bit. */
enum {
    RECORD_NONE = 1,
    RECORD_UNDEFINED = 2,
    RECORD_NEW = 4,
    RECORD_PENDING = 8,
    RECORD_VALID = 16,
    RECORD_INVALID = 32,
    RECORD_ABORTED = 64,
    RECORD_UNKNOWN = 128, /**< A value that is no state. */
};

/** What otadata says about a slot. */
uint8_t record_bit(const bootsel_input_t *input, int slot);

/** Text for a set of bits, "NEW or PENDING". Static storage. */
const char *record_text(uint8_t bits);

/** From now on the record of a slot may become one of these, too. */
void records_may_become(world_t *world, int slot, uint8_t bits);

/** From now on the record of any slot but this may become one of these, too. */
void records_may_all_become(world_t *world, const layout_t *layout, int except, uint8_t bits);

/** Checks what otadata says against what it may; then it may only be what it is. Says what is wrong in the facts. */
bool records_pin(world_t *world, const layout_t *layout, const bootsel_input_t *input);

/** Notes what is wrong, if nothing was before. */
void facts_fail(facts_t *facts, verdict_t verdict, const char *format, ...) __attribute__((format(printf, 3, 4)));

/** Puts a record onto the flash, as a programmer in the factory would. */
void records_put(world_t *world, const layout_t *layout, uint32_t sector, uint32_t seq, uint32_t state);

/** Reads what the flash says now; unstable cells read anew each time. */
bool records_read(world_t *world, const layout_t *layout, bool rollback, bootsel_input_t *input);

/** Looks at a world without power: every promise that can be checked without booting. Says what is wrong in the facts. */
void records_inspect(world_t *world, const layout_t *layout, const catalogue_t *catalogue, bool rollback);

/**
 * Who would boot by ESP-IDF's own rules: the contract's algorithm, written anew from the bytes.
 *
 * @return slot, -1: factory app, -2: nothing
 */
int idf_choose(const world_t *world, const layout_t *layout, const catalogue_t *catalogue, bool rollback);
