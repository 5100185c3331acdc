/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file device.h
 * @brief A flash file as "this device" for the esp_* functions, with no firmware run: the app that would boot counts as running.
 */
#pragma once

#include "cli/flash_facts.h"
#include "esp_ota_ops.h"

/** A device on a flash file. Storage belongs to the caller. */
typedef struct cli_device {
    cli_flash_t flash;
    cli_look_t look;
    int stdout_fd; /**< Standard output, kept while the device's log goes to standard error; -1: not kept. */
} cli_device_t;

/** How a device behaves. */
typedef struct cli_device_options {
    bool allow_http; /**< See otter_config_t. */
    bool allow_file; /**< The same. */
    bool verbose;    /**< Log what the device logs by default, not only errors. */
} cli_device_options_t;

/**
 * Opens the flash file for writing and makes it this process's device.
 *
 * @param device   to be stopped with cli_device_stop() whatever happens
 * @param options  NULL: all zero
 * @return CLI_OK; CLI_USAGE or CLI_FAILED, reported
 */
int cli_device_start(cli_device_t *device, const cli_args_t *args, const cli_device_options_t *options);

/** Lets the flash file go. */
void cli_device_stop(cli_device_t *device);

/**
 * App partition of a label.
 *
 * @return CLI_OK; CLI_FAILED, reported
 */
int cli_device_app(const cli_device_t *device, const char *label, const esp_partition_t **partition);

/** Reports why @p what failed: the error in words, its name, and what can be done. @return CLI_FAILED */
int cli_device_fail(const cli_device_t *device, const char *what, esp_err_t err);
