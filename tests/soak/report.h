/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file report.h
 * @brief What the kills hit.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "tests/soak/plan.h"
#include "tests/soak/trial.h"

/** Rows of the report: the kinds of moments, and by time in and outside of boot. */
enum { REPORT_TIME_BOOT = MOMENT_KINDS, REPORT_TIME_ELSEWHERE, REPORT_ROWS };

/** Counts. All zero to begin with. */
typedef struct report {
    uint32_t victims[REPORT_ROWS][VICTIMS];
    uint32_t after[REPORT_ROWS];  /**< Of all hits those after the operation. */
    uint32_t again[MOMENT_KINDS]; /**< Second kills of a device, by what they hit; not in the counts above. */
    uint32_t missed;              /**< Drawn again. */
    uint32_t failed;              /**< Kills after which something did not hold. */
    uint32_t most_starts;         /**< Starts that a device needed after its kill, at most. */
} report_t;

/** Counts the kills of a trial that hit. */
void report_add(report_t *report, const plan_t plans[], const trial_t *trial);

/** Prints the table. */
void report_print(const report_t *report);

/** True if data writes, otadata writes and boot were hit, each; names those that were not. */
bool report_is_complete(const report_t *report);
