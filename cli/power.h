/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file power.h
 * @brief Power supply of a Linux device: boots, runs the firmware, resets it, until the power is switched off.
 */
#pragma once

#include "boot/boot.h"
#include "cli/flash_open.h"
#include "otter/otter_config.h"
#include "otter/otter_process.h"

/** Why the power supply stopped. */
typedef enum power_stop {
    POWER_OFF,       /**< A signal asked for it. */
    POWER_NO_APP,    /**< Nothing boots. */
    POWER_ERROR,     /**< The firmware could not be started; reported. */
    POWER_RESTARTED, /**< --once: the firmware asked for a restart. */
    POWER_CRASHED,   /**< --once: the firmware ended by itself or by a signal. */
    POWER_WATCHDOG,  /**< --once: the firmware did not confirm in time. */
} power_stop_t;

/** A device under power. Storage belongs to the caller; fields up to "private" are set by it. */
typedef struct power {
    cli_flash_t *flash; /**< Open for writing, locked. */
    otter_config_t config;
    bool once; /**< Stop at the first reset. */

    /* Private to power.c. */
    otter_process_t process;
    boot_result_t boot;
    uint32_t segment_off; /**< Where in the program the segment being loaded belongs. */
    uint32_t reset_reason;
    uint32_t short_runs; /**< Resets in a row that came soon after a start. */
    int signal_fd;       /**< Readable when the power shall go off. */
} power_t;

/**
 * Powers the device until it stops. SIGTERM, SIGINT and SIGHUP switch the power off: the firmware is killed, as
 * on a chip. No process is left behind.
 *
 * @return why it stopped
 */
power_stop_t power_run(power_t *power);
