/* SPDX-License-Identifier: Apache-2.0 */
/* otter flash write */
#include <stdlib.h>

#include "cli/files.h"
#include "cli/flash_open.h"
#include "cli/progress.h"

#define PIECE_BYTES 65536

/** Bytes of whole sectors that hold @p len bytes from a sector boundary on. */
static uint64_t whole_sectors(const otter_flash_t *flash, size_t len)
{
    uint64_t sector = flash->sector_bytes;
    return (len + sector - 1) / sector * sector;
}

static int check(const cli_flash_t *flash, const cli_args_t *args, const cli_place_t *place, size_t len)
{
    const char *file = args->positional[2];
    const char *where = place->label != NULL ? place->label : "the gap between partitions";
    uint32_t sector = flash->flash->sector_bytes;
    if (place->readonly && !cli_has(args, "force")) {
        return cli_fail("%s: partition %s is marked readonly; --force writes it all the same", flash->path, where);
    }
    if (place->off % sector != 0) {
        return cli_fail("%s: offset 0x%x is no multiple of the sector size, 0x%x: what precedes it would be erased",
                        flash->path, (unsigned)place->off, (unsigned)sector);
    }
    if (len > place->room) {
        return cli_fail("%s: %zu bytes do not fit: from 0x%x on %s has %u", file, len, (unsigned)place->off, where,
                        (unsigned)place->room);
    }
    if (whole_sectors(flash->flash, len) > place->room) {
        return cli_fail("%s: the last sector of %s is shared with what follows, which would be erased", flash->path,
                        where);
    }
    return CLI_OK;
}

static int program(cli_flash_t *flash, uint32_t off, const uint8_t *bytes, size_t len)
{
    cli_progress_t progress;
    int status = CLI_OK;
    cli_progress_begin(&progress, flash->path, len);
    for (size_t done = 0; done < len && status == CLI_OK; done += PIECE_BYTES) {
        size_t piece = len - done < PIECE_BYTES ? len - done : PIECE_BYTES;
        if (otter_flash_program(flash->flash, off + (uint32_t)done, bytes + done, piece) != ESP_OK) {
            status = cli_flash_fail(flash, "program", off + (uint32_t)done);
        }
        cli_progress_update(&progress, done + piece);
    }
    cli_progress_end(&progress);
    return status;
}

static int write_bytes(cli_flash_t *flash, const cli_args_t *args, const uint8_t *bytes, size_t len)
{
    cli_place_t place;
    int status = cli_flash_place(flash, args->positional[1], &place);
    if (status == CLI_OK) {
        status = check(flash, args, &place, len);
    }
    if (status != CLI_OK) {
        return status;
    }
    if (otter_flash_erase(flash->flash, place.off, (size_t)whole_sectors(flash->flash, len)) != ESP_OK) {
        return cli_flash_fail(flash, "erase", place.off);
    }
    status = program(flash, place.off, bytes, len);
    return status == CLI_OK ? cli_flash_sync(flash) : status;
}

static int run(const cli_args_t *args)
{
    cli_flash_t flash;
    uint8_t *bytes = NULL;
    size_t len = 0;
    int status = cli_flash_open(&flash, args, CLI_FLASH_WRITE);
    if (status == CLI_OK) {
        status = cli_read_file(args->positional[2], flash.flash->size_bytes, &bytes, &len);
    }
    if (status == CLI_OK) {
        status = write_bytes(&flash, args, bytes, len);
    }
    free(bytes);
    cli_flash_close(&flash);
    return status;
}

static const cli_option_t options[] = {
    CLI_OPTIONS_FLASH,
    CLI_OPTION_FORCE("write a partition that is marked readonly, too"),
    CLI_OPTIONS_END,
};

const cli_command_t cmd_flash_write = {
    .group = "flash",
    .name = "write",
    .summary = "write a file into a partition of a flash file",
    .arguments = "FLASH LABEL|OFFSET FILE",
    .min_args = 3,
    .max_args = 3,
    .options = options,
    .details = "Erases the sectors that FILE reaches, then writes it; what lies behind it in the\n"
               "last sector is erased, too. Never goes over the end of a partition. The bytes are\n"
               "written as they are: an app image is not checked (otter flash info does that), and\n"
               "what boots next does not change (otter ota switch does that).\n",
    .run = run,
};
