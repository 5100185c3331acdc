/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file https_ota_bench.h
 * @brief A device for update tests: NOR flash in RAM with two slots, app 1.0.0 running from ota_0 and confirmed.
 *
 * Every operation on the slot and on otadata is counted, erases can be made to fail, events are recorded. What "boots"
 * is asked of the real bootloader. One bench a process at a time.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "esp_https_ota.h"
#include "esp_ota_ops.h"
#include "otter/otter_config.h"
#include "otter/otter_flash_nor.h"
#include "otter/otter_flash_ram.h"
#include "tests/support/image_fixture.h"

#define BENCH_FLASH_BYTES 0x60000u
#define BENCH_SLOT_BYTES  0x20000u               /**< Size of each slot. */
#define BENCH_OTA_0       0x20000u               /**< Where the running app lies. */
#define BENCH_OTA_1       0x40000u               /**< Where the update goes. */
#define BENCH_MIDDLE      (BENCH_OTA_1 + 14000u) /**< In the middle of the bench's image. */
#define BENCH_OTADATA     0x0d000u
#define BENCH_EVENTS      256

/** An event as it came. */
typedef struct bench_event {
    int32_t id;
    size_t len;      /**< Bytes of data; 0: none. */
    uint32_t number; /**< Data, if it is at most 4 bytes. */
} bench_event_t;

typedef struct bench {
    uint8_t bytes[BENCH_FLASH_BYTES];
    otter_flash_ram_t ram;
    otter_flash_nor_t nor;
    otter_flash_t watch;          /**< Counts; the device's flash. */
    otter_key_store_t *key_store; /**< The device's, once it is made anew; NULL: none. */
    uint32_t slot_erases;         /**< Erase operations in ota_1. */
    uint32_t slot_programs;       /**< Program operations in ota_1. */
    uint32_t otadata_changes;     /**< Erase and program operations in otadata. */
    uint32_t running_changes;     /**< The same in ota_0: must stay 0. */
    uint32_t middle_reads;        /**< Times that the byte BENCH_MIDDLE of ota_1 was read. */
    uint32_t fail_erases;         /**< So many erases in ota_1 to come fail. */
    uint32_t fail_programs;       /**< So many programs in ota_1 to come fail. */
    uint32_t failed;              /**< Operations that failed for that reason. */
    uint8_t *image;               /**< App 2.0.0, good. */
    size_t image_len;             /**< About 28 kB. */
} bench_t;

/** cmocka setup: makes the bench, *state. Default configuration. */
int bench_setup(void **state);

/** cmocka teardown: no HTTP client may be left, nothing may have touched the running app. */
int bench_teardown(void **state);

/** Makes the device anew with another configuration. */
void bench_configure(bench_t *bench, const otter_config_t *config);

/** Makes the device anew with a limit of silence. */
void bench_limit_stalls(bench_t *bench, uint32_t limit_ms);

/** The configuration that bench_setup() starts with: the first failure of a connection is the last. */
otter_config_t bench_config(void);

/** Waits until event @p id has come, or fails the test; value: number of events so far. */
size_t bench_await(esp_https_ota_event_t id);

/** An event by its place. */
bench_event_t bench_event(size_t index);

/** Forgets events that came. */
void bench_forget_events(void);

/** Number of the slot that the bootloader would boot now (0, 1), asked without writing. */
int bench_boots(bench_t *bench);

/** Fails the test unless the device is as before any update: ota_0 boots, the app in it is whole. */
void bench_assert_nothing_switched(bench_t *bench);

/** Fails the test unless ota_1 boots and holds the bench's image. */
void bench_assert_switched(bench_t *bench);
