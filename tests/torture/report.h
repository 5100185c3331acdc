/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file report.h
 * @brief What the torture found, for people and for programs.
 */
#pragma once

#include "tests/torture/explore.h"

#define REPORT_ID_BYTES 256 /**< Enough for the id of any failure. */

/** A scenario's row. */
typedef struct report_row {
    const scenario_t *scenario;
    bool skipped; /**< The user's partition table does not suit it. */
    tally_t tally;
} report_row_t;

/** Adds what one worker counted to what others did. */
void report_merge(tally_t *sum, const tally_t *part);

/** Writes the id of a path: "update/cells,4096,1,6000/17.bits.3/4.weak.1". */
void report_write_id(char id[REPORT_ID_BYTES], const char *scenario, const geometry_t *geometry, const path_t *path);

/** Reads one: name of the scenario, geometry and path. False if it is none. */
bool report_read_id(const char *id, char scenario[32], geometry_t *geometry, path_t *path);

/** Prints the table and the closing line. @return true if every promise was kept */
bool report_print(const report_row_t *row, size_t count);

/** Prints the same as JSON. */
bool report_print_json(const report_row_t *row, size_t count, const geometry_t *geometry);
