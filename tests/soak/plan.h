/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file plan.h
 * @brief Which moment of an update a kill hits, and whom. The same seed and number give the same plan.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/soak/device.h"

/** Who is killed. */
typedef enum victim {
    VICTIM_APP,  /**< The firmware; otter boot takes it for a crash. */
    VICTIM_BOOT, /**< otter boot; the firmware has to die with it. */
    VICTIM_BOTH,
    VICTIMS,
} victim_t;

/** An update without a kill: from power on until version 2 has confirmed itself. */
typedef struct course {
    uint32_t moments[MOMENT_KINDS]; /**< How often each kind came; before and after count once. */
    int64_t duration_us;
} course_t;

/** A kill. */
typedef struct plan {
    victim_t victim;
    moment_kind_t kind; /**< MOMENT_NONE: it comes by time. */
    bool after;         /**< After the operation; else before it. */
    uint32_t ordinal;   /**< Which one of its kind, from 1. */
    int64_t delay_us;   /**< By time: from power on. */
} plan_t;

/**
 * Chooses a kill. Kinds, sides and victims take turns; the operation or the time is drawn.
 *
 * @param course   has every kind that plan_missing_kind() asks for
 * @param number   number of the kill, from 0
 * @param attempt  0, or how often the moment of this kill has not come: another operation or time is drawn
 */
plan_t plan_choose(const course_t *course, uint64_t seed, uint32_t number, uint32_t attempt);

/**
 * Chooses a second kill for the same device, while it recovers from the first: never by time, and its moment need not
 * come.
 *
 * @param course  as for plan_choose()
 * @return true if a kill of this number has a second one
 */
bool plan_choose_again(const course_t *course, uint64_t seed, uint32_t number, plan_t *plan);

/** A kind that kills have to hit and this course does not have; MOMENT_NONE if there is none. */
moment_kind_t plan_missing_kind(const course_t *course);

/** What a kind is called. */
const char *plan_kind_name(moment_kind_t kind);

/** What a victim is called. */
const char *plan_victim_name(victim_t victim);

/** A plan in words: "otter boot before data write 17". */
void plan_describe(const plan_t *plan, char *text, size_t size);
