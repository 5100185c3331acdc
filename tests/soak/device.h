/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file device.h
 * @brief A device under power and under trace: `otter boot` and the firmware that it runs.
 *
 * It stands still at each moment that a kill can choose, and tells what happened to it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "tests/soak/site.h"
#include "tests/soak/tracer.h"

#define DEVICE_LOG_BYTES 65536

/** What the device is about to do, or has just done, at a moment. */
typedef enum moment_kind {
    MOMENT_DATA,       /**< The firmware writes to a slot: erase, program or sync. */
    MOMENT_OTADATA,    /**< The firmware writes otadata. */
    MOMENT_OTHER,      /**< The firmware writes elsewhere in flash. */
    MOMENT_BOOT_WRITE, /**< The bootloader writes otadata. */
    MOMENT_BOOT_READ,  /**< The bootloader reads: table, otadata, the app that it verifies and loads. */
    MOMENT_HANDOVER,   /**< The bootloader has made a process, or that process has become the firmware. */
    MOMENT_KINDS,
    MOMENT_NONE = MOMENT_KINDS, /**< Nothing of the above. */
} moment_kind_t;

/** A moment: a thread of the device stands still. */
typedef struct moment {
    moment_kind_t kind;
    bool after; /**< It has done it; else it is about to. A hand-over is never "after". */
    pid_t tid;  /**< The thread. */
} moment_t;

/** What device_wait() saw. */
typedef enum device_event {
    DEVICE_MOMENT,  /**< It stands still; device_go_on() or device_finish() or a kill must follow. */
    DEVICE_SAID,    /**< There is more in its log. */
    DEVICE_ENDED,   /**< A process of it ended: see the fields. */
    DEVICE_TIMEOUT, /**< None of these in the time given. */
} device_event_t;

/** A device. */
typedef struct device {
    const site_t *site;
    int wake_fd;                /**< Of the tracer. */
    pid_t boot;                 /**< otter boot; 0: it is off. */
    pid_t app;                  /**< The firmware, or the process that will become it; 0: none. */
    bool app_runs;              /**< The process app has become the firmware. */
    int boot_status;            /**< How otter boot ended, as waitpid() gives it. */
    int app_status;             /**< How the last firmware ended. */
    moment_kind_t writing;      /**< What the firmware wrote last: what it syncs. */
    moment_kind_t calling;      /**< What device_finish() lets it do. */
    int log_fd;                 /**< What it says; -1: it has ended. */
    char log[DEVICE_LOG_BYTES]; /**< All of it since device_reset_log(), terminated. */
    size_t log_len;             /**< Its bytes. */
} device_t;

/** Makes a device without power. Once: the tracer is opened. */
void device_setup(device_t *device, const site_t *site);

/** Switches the power on: otter boot. The log goes on. */
void device_power_on(device_t *device);

/** Empties the log. */
void device_reset_log(device_t *device);

/** Waits until something happens, or until @p deadline_us. @p moment is set if it is DEVICE_MOMENT. */
device_event_t device_wait(device_t *device, int64_t deadline_us, moment_t *moment);

/** After DEVICE_MOMENT: lets the thread go on. */
void device_go_on(device_t *device, const moment_t *moment);

/** After a DEVICE_MOMENT before a read or a write: lets the thread do that; the moment after it comes next. */
void device_finish(device_t *device, const moment_t *moment);

/** Reads what it has said until now. False if it will never say more: all that could speak has ended. */
bool device_listen(device_t *device);

/** True while a process of it is left. */
bool device_lives(const device_t *device);

/** Ends what is left of it, whatever that is. */
void device_destroy(device_t *device);
