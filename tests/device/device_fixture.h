/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file device_fixture.h
 * @brief A device in memory for tests: RAM under NOR rules under a recorder, with a partition table.
 *
 * Layout, in this order: nvs, otadata, factory (if wanted), ota_0 ..., storage (data/spiffs), locked (data, read-only),
 * test (app), table2 (partition_table/ota) and boot2 (bootloader/recovery) if wanted. Everything is a multiple of the sector size; apps begin on 64 KiB.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "core/bootsel/otadata.h"
#include "core/ptable/ptable.h"
#include "esp_ota_ops.h"
#include "esp_partition.h"
#include "otter/otter_device.h"
#include "otter/otter_flash_nor.h"
#include "otter/otter_flash_ram.h"

/** Kind of a flash operation. */
typedef enum flash_event_kind {
    FLASH_PROGRAM,
    FLASH_ERASE,
    FLASH_SYNC,
} flash_event_kind_t;

/** A flash operation that reached the flash. */
typedef struct flash_event {
    flash_event_kind_t kind;
    uint32_t off;
    uint32_t len;
} flash_event_t;

#define FLASH_EVENTS_MAX 512

/** Decorator: notes operations, and fails when told to. */
typedef struct flash_recorder {
    otter_flash_t base;
    otter_flash_t *inner;
    uint32_t count; /**< Events so far, syncs included; reads are counted in read_bytes. */
    flash_event_t event[FLASH_EVENTS_MAX];
    uint32_t apps_off;      /**< Where the first app lies. */
    uint64_t read_bytes;    /**< Bytes read so far from there on. */
    uint32_t fail_erase;    /**< Fail this many erases from now on. */
    uint32_t fail_program;  /**< Fail this many programs from now on. */
    uint32_t stuck_off;     /**< This byte is never programmed, which is not reported; 0: none. */
    uint32_t stuck;         /**< Programs that it did not follow. */
    bool cut_armed;         /**< Fail every program, erase and sync once cut_after has run out. */
    uint32_t cut_after;     /**< Operations that still succeed. */
    uint32_t failures_done; /**< Operations that were made to fail. */
} flash_recorder_t;

/** What a device shall be like. */
typedef struct device_spec {
    uint32_t sector_bytes; /**< 0: 4096. */
    uint32_t slots;        /**< 0: 2. */
    bool no_factory;
    bool no_otadata;
    bool no_rollback;
    bool spare_table;         /**< A second place for the partition table. */
    bool recovery_bootloader; /**< A place for a second bootloader. */
    const char *running;      /**< Label of the running app; NULL: none runs. */
} device_spec_t;

/** The device. */
typedef struct device {
    uint32_t sector;
    uint32_t table_offset;
    uint8_t *bytes; /**< Contents of the flash, to look at and to forge. */
    ptable_t table;
    otter_flash_ram_t ram;
    otter_flash_nor_t nor;
    flash_recorder_t recorder;
    otter_device_t config;
} device_t;

/** Makes a device and initialises the library with it. To be closed with device_close(). */
device_t *device_open(const device_spec_t *spec);

/** Checks that no NOR rule was broken, and frees all. */
void device_close(device_t *device);

/** Restarts into the app of that label (NULL: none). */
void device_run(device_t *device, const char *label);

/** Partition of that label, as esp_partition_find_first() gives it. */
const esp_partition_t *device_partition(const char *label);

/** Puts an app of that version into a partition, unseen by the recorder. Returns the image's length. */
size_t device_put_app(device_t *device, const char *label, const char *version);

/** Puts an otadata record, unseen by the recorder. */
void device_put_record(device_t *device, uint32_t sector, uint32_t seq, uint32_t state);

/** Otadata record as it is on flash. */
otadata_record_t device_record(const device_t *device, uint32_t sector);

/** Forgets what was recorded. */
void device_clear_events(device_t *device);

/** Asserts that the next recorded event is this one; @p index moves on. */
void assert_event(const device_t *device, uint32_t *index, flash_event_kind_t kind, uint32_t off, uint32_t len);
