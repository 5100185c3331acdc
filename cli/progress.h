/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file progress.h
 * @brief A progress bar on stderr for long work; nothing at all unless stderr is a terminal.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/** A bar. Storage belongs to the caller. */
typedef struct cli_progress {
    const char *label;    /**< What is going on, outlives the bar. */
    uint64_t total_bytes; /**< All of it; 0: not known. */
    bool enabled;
    int64_t start_us;     /**< When it began, monotonic. */
    int64_t shown_us;     /**< When it was drawn last. */
    bool drawn;           /**< Something is on the line. */
    uint64_t bytes_per_s; /**< Rate to show, by who knows it better; 0: that since the bar began. */
    const char *note;     /**< Shown behind the rate; NULL: nothing. */
} cli_progress_t;

/** Begins a bar; draws nothing yet. */
void cli_progress_begin(cli_progress_t *progress, const char *label, uint64_t total_bytes);

/** Shows how far the work is. Cheap: draws ten times a second at most. */
void cli_progress_update(cli_progress_t *progress, uint64_t done_bytes);

/** Removes the bar, so that what follows starts on a clean line. */
void cli_progress_end(cli_progress_t *progress);
