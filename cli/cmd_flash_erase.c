/* SPDX-License-Identifier: Apache-2.0 */
/* otter flash erase */
#include "cli/flash_open.h"

#define STEP_BYTES (1u << 20) /* A multiple of every sector size. */

static int erase(cli_flash_t *flash, uint32_t off, uint32_t len)
{
    for (uint32_t done = 0; done < len;) {
        uint32_t step = len - done < STEP_BYTES ? len - done : STEP_BYTES;
        if (otter_flash_erase(flash->flash, off + done, step) != ESP_OK) {
            return cli_flash_fail(flash, "erase", off + done);
        }
        done += step;
    }
    return cli_flash_sync(flash);
}

static int erase_partition(cli_flash_t *flash, const cli_args_t *args)
{
    cli_place_t place;
    int status = cli_flash_place(flash, args->positional[1], &place);
    if (status != CLI_OK) {
        return status;
    }
    if (!place.whole_partition) {
        return cli_fail("%s: no partition begins at %s", flash->path, args->positional[1]);
    }
    if (place.readonly && !cli_has(args, "force")) {
        return cli_fail("%s: partition %s is marked readonly; --force erases it all the same", flash->path,
                        place.label);
    }
    uint32_t sector = flash->flash->sector_bytes;
    if (place.off % sector != 0 || place.room % sector != 0) {
        return cli_fail("%s: partition %s is no whole number of sectors of 0x%x: its neighbours would be erased, too",
                        flash->path, place.label, (unsigned)sector);
    }
    return erase(flash, place.off, place.room);
}

static int run(const cli_args_t *args)
{
    cli_flash_t flash;
    bool all = cli_has(args, "all");
    if (all == (args->count == 2)) {
        return cli_misuse(args, "give the label of a partition, or --all");
    }
    int status = cli_flash_open(&flash, args, CLI_FLASH_WRITE);
    if (status == CLI_OK) {
        status = all ? erase(&flash, 0, flash.flash->size_bytes) : erase_partition(&flash, args);
    }
    cli_flash_close(&flash);
    return status;
}

static const cli_option_t options[] = {
    {.name = "all", .help = "erase the whole flash, partition table included"},
    CLI_OPTIONS_FLASH,
    CLI_OPTION_FORCE("erase a partition that is marked readonly, too"),
    CLI_OPTIONS_END,
};

const cli_command_t cmd_flash_erase = {
    .group = "flash",
    .name = "erase",
    .summary = "erase a partition of a flash file, or all of it",
    .arguments = "FLASH [LABEL]",
    .min_args = 1,
    .max_args = 2,
    .options = options,
    .run = run,
};
