/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/progress.h"

#define REDRAW_US 100000 /* Time between two drawings, microseconds. */
#define BAR_CHARS 24

static int64_t now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

void cli_progress_begin(cli_progress_t *progress, const char *label, uint64_t total_bytes)
{
    int64_t now = now_us();
    *progress = (cli_progress_t){
        .label = label,
        .total_bytes = total_bytes,
        .enabled = isatty(STDERR_FILENO) == 1,
        .start_us = now,
        .shown_us = now,
    };
}

static void draw(const cli_progress_t *progress, uint64_t done_bytes, int64_t now)
{
    double seconds = (double)(now - progress->start_us) / 1e6;
    double kib = (double)done_bytes / 1024;
    double rate = seconds > 0 ? kib / seconds : 0;
    const char *note = progress->note != NULL ? progress->note : "";
    if (progress->bytes_per_s != 0) {
        rate = (double)progress->bytes_per_s / 1024;
    }
    if (progress->total_bytes == 0) {
        fprintf(stderr, "\r%s %.0f KiB  %.0f KiB/s  %s\033[K", progress->label, kib, rate, note);
        return;
    }
    char bar[BAR_CHARS + 1];
    double part = (double)done_bytes / (double)progress->total_bytes;
    size_t full = part >= 1 ? BAR_CHARS : (size_t)(part * BAR_CHARS);
    memset(bar, '.', BAR_CHARS);
    memset(bar, '#', full);
    bar[BAR_CHARS] = '\0';
    fprintf(stderr, "\r%s [%s] %3.0f%%  %.0f of %.0f KiB  %.0f KiB/s  %s\033[K", progress->label, bar, part * 100, kib,
            (double)progress->total_bytes / 1024, rate, note);
}

void cli_progress_update(cli_progress_t *progress, uint64_t done_bytes)
{
    if (!progress->enabled) {
        return;
    }
    int64_t now = now_us();
    if (now - progress->shown_us < REDRAW_US) {
        return;
    }
    progress->shown_us = now;
    progress->drawn = true;
    draw(progress, done_bytes, now);
}

void cli_progress_end(cli_progress_t *progress)
{
    if (progress->drawn) {
        fputs("\r\033[K", stderr);
        progress->drawn = false;
    }
}
