/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file trial.h
 * @brief One new device: it updates itself, is killed once or twice on the way, and has to end on version 2.
 */
#pragma once

#include <stdint.h>

#include "tests/soak/device.h"
#include "tests/soak/plan.h"

/** How a trial ended. */
typedef enum trial_result {
    TRIAL_PASSED, /**< Killed, and everything that must hold held. */
    TRIAL_MISSED, /**< The moment did not come, or its victim had ended by itself: nothing is proved. */
    TRIAL_FAILED, /**< See its complaint. */
} trial_result_t;

/** What came of a trial. */
typedef struct trial {
    uint32_t hits;         /**< Kills that hit. */
    bool during_boot;      /**< The first one hit while the bootloader was at work. */
    uint32_t starts;       /**< Starts of a firmware after the last kill. */
    const char *complaint; /**< What did not hold; NULL: nothing. */
} trial_t;

/**
 * Lets a new device update itself, without a kill.
 *
 * @param course  what happened on the way
 * @return NULL if it ended on version 2, or else what is wrong
 */
const char *trial_observe(device_t *device, course_t *course);

/**
 * Kills a new device, and checks all that must hold then: a valid app starts next and no firmware crashes, no process
 * outlives otter boot, the flash is free, and a valid, confirmed version 2 is what boots in the end.
 *
 * @param plans  the kills, one after the other; the moments of all but the first need not come
 * @param count  how many
 */
trial_result_t trial_run(device_t *device, const plan_t plans[], uint32_t count, trial_t *trial);
