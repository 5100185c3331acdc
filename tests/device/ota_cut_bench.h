/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file ota_cut_bench.h
 * @brief A device whose power is cut at every flash operation of what its app does, and again while it recovers.
 *
 * Each life, from power on to power off, is a child process over memory that it shares with the test. Layout, with sectors
 * of 4 KiB: bootloader at 0, table at 0x2000, otadata, stage (data, 16 KiB), data (8 KiB), table2 (partition_table/ota),
 * boot2 (bootloader/recovery, 8 KiB), ota_0 (runs version 1.0, confirmed), ota_1 (holds version 0.9, confirmed).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "boot/boot.h"
#include "core/ptable/ptable.h"
#include "esp_ota_ops.h"
#include "esp_partition.h"
#include "otter/otter_flash_cells.h"
#include "otter/otter_flash_pages.h"

#define OTA_CUT_TABLE_OFF 0x2000u
#define OTA_CUT_BYTES     0x30000u

/** What the parent counts. */
typedef struct ota_cut_tally {
    uint32_t cuts;   /**< Times that the power went. */
    uint32_t before; /**< Starts after a cut that found nothing of the change, */
    uint32_t after;  /**< and that found it done. */
} ota_cut_tally_t;

/** A device. */
typedef struct ota_cut_bench {
    bool pages;        /**< A file behind a page cache instead of NOR cells. */
    ptable_t table;    /**< As at the beginning. */
    uint8_t *bytes;    /**< What flash holds; shared. */
    void *shared;      /**< Power, counters and memories. */
    uint8_t *start;    /**< bytes at the beginning. */
    const char *why;   /**< Of a failed expectation; shared. */
    uint32_t last_ops; /**< Operations that the last life took. */

    /* In the child: */
    otter_flash_t *flash;
    boot_result_t boot;
} ota_cut_bench_t;

/** What an app has come to. */
typedef enum ota_cut_next {
    OTA_CUT_RESTART, /**< The device restarts. */
    OTA_CUT_DONE,    /**< The change is done, and nothing is left to do. */
} ota_cut_next_t;

/** What a device's app does at each start, in the child. It decides by what it finds, and says whether that is the change. */
typedef ota_cut_next_t (*ota_cut_app_t)(ota_cut_bench_t *bench, bool *changed);

/** Makes the device. To be closed. */
ota_cut_bench_t *ota_cut_open(bool pages);
void ota_cut_close(ota_cut_bench_t *bench);

/** Where a partition lies in bench->bytes. */
const ptable_partition_t *ota_cut_partition(const ota_cut_bench_t *bench, const char *label);

/** Puts bytes at the start of an erased partition. */
void ota_cut_put(ota_cut_bench_t *bench, const char *label, const void *bytes, size_t len);

/**
 * Lets the device live its life without a cut, then with one at every operation in every way, and each of these again with a
 * second one in what follows. Fails the test if a start does not boot, an expectation fails, or the app does not come to its
 * end.
 */
ota_cut_tally_t ota_cut_everywhere(ota_cut_bench_t *bench, ota_cut_app_t app);

/** In the child: ends the life as failed unless @p ok. */
void ota_cut_expect(ota_cut_bench_t *bench, bool ok, const char *what);

/** In the child: partition of that label. */
const esp_partition_t *ota_cut_find(ota_cut_bench_t *bench, const char *label);
