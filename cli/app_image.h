/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file app_image.h
 * @brief App images in memory and in partitions, checked by the image walk.
 */
#pragma once

#include "cli/cli.h"
#include "core/image/image.h"
#include "core/ptable/ptable.h"
#include "core/trust/trust.h"
#include "otter/otter_config.h"
#include "otter/otter_flash.h"

/** Which images a command takes. */
typedef struct cli_chip {
    bool any;    /**< Those of every chip. */
    uint16_t id; /**< Otherwise: those of this one, whatever its revision. */
} cli_chip_t;

/** What is in an app partition. */
typedef struct cli_app {
    bool blank;          /**< Erased: nothing was ever written, or it was erased since. */
    bool valid;          /**< The image is whole and for this device. */
    image_fault_t fault; /**< Why it is not valid. */
    image_walk_t walk;   /**< What was found; its digest is freed already. */
} cli_app_t;

/**
 * Checks an app image in memory.
 *
 * @param name     for the message: its file
 * @param max_len  bytes of the partition it is for
 * @param where    for the message: that partition's label
 * @param chip     which chips are fine
 * @param trust    what the device's key store demands; all zero: nothing
 * @return CLI_OK; CLI_FAILED, reported with the fault, its offset, and what to do
 */
int cli_check_app(const char *name, const uint8_t *bytes, size_t len, uint32_t max_len, const char *where,
                  const cli_chip_t *chip, const trust_state_t *trust);

/**
 * Looks at the app in a partition. With secure boot it is valid only with a signature that counts; without, all signatures are
 * looked at, whoever made them.
 *
 * @param app  filled on ESP_OK, whatever is in the partition
 * @return ESP_OK; ESP_ERR_FLASH_OP_FAIL; ESP_ERR_NO_MEM
 */
esp_err_t cli_inspect_app(otter_flash_t *flash, const ptable_partition_t *partition, const otter_config_t *config,
                          const trust_state_t *trust, cli_app_t *app);

/** Name of a chip, "esp32c3" or "0x0005". @p dst holds at least 24 bytes. @return @p dst */
const char *cli_format_chip(char *dst, size_t len, uint16_t chip_id);

/**
 * Configures a device after the flash it has: the chip that --chip names; without it (or with "any") this machine if any
 * app is for it or there is none, else the chip of the first app, with the lowest revision that suits its apps.
 *
 * @param config  gets defaults for everything else
 * @return CLI_OK; CLI_USAGE, reported
 */
int cli_device_config(const cli_args_t *args, otter_flash_t *flash, const ptable_t *table, otter_config_t *config);
