/* SPDX-License-Identifier: Apache-2.0 */
/* otter flash read */
#include "cli/files.h"
#include "cli/flash_open.h"
#include "cli/progress.h"

#define PIECE_BYTES 65536

static int copy(cli_flash_t *flash, uint32_t off, uint32_t len, cli_file_out_t *out)
{
    static uint8_t piece[PIECE_BYTES];
    cli_progress_t progress;
    int status = CLI_OK;
    cli_progress_begin(&progress, flash->path, len);
    for (uint32_t done = 0; done < len && status == CLI_OK;) {
        uint32_t step = len - done < PIECE_BYTES ? len - done : PIECE_BYTES;
        if (otter_flash_read(flash->flash, off + done, piece, step) != ESP_OK) {
            status = cli_flash_fail(flash, "read", off + done);
        } else {
            status = cli_file_write(out, piece, step);
        }
        done += step;
        cli_progress_update(&progress, done);
    }
    cli_progress_end(&progress);
    return status;
}

/** Length to read: --length, which must lie inside the flash, or the rest of the place. */
static int take_length(const cli_flash_t *flash, const cli_args_t *args, const cli_place_t *place, uint32_t *len)
{
    *len = place->room;
    int status = cli_size_option(args, "length", len);
    if (status != CLI_OK) {
        return status;
    }
    uint32_t limit = place->label != NULL ? place->room : flash->flash->size_bytes - place->off;
    if (*len > limit) {
        return cli_fail("%s: from 0x%x on %s has %u bytes, not %u", flash->path, (unsigned)place->off,
                        place->label != NULL ? place->label : "the flash", (unsigned)limit, (unsigned)*len);
    }
    return CLI_OK;
}

static int read_out(cli_flash_t *flash, const cli_args_t *args, const char *output)
{
    cli_place_t place;
    uint32_t len = 0;
    cli_file_out_t out = {0};
    int status = cli_flash_place(flash, args->positional[1], &place);
    if (status == CLI_OK) {
        status = take_length(flash, args, &place, &len);
    }
    if (status == CLI_OK) {
        status = cli_file_begin(&out, output, 0666);
    }
    if (status == CLI_OK) {
        status = copy(flash, place.off, len, &out);
    }
    if (status == CLI_OK) {
        status = cli_file_commit(&out);
    }
    cli_file_discard(&out);
    return status;
}

static int run(const cli_args_t *args)
{
    cli_flash_t flash;
    const char *output = cli_value(args, "output");
    if (output == NULL) {
        return cli_misuse(args, "where to? give -o FILE, or -o - for standard output");
    }
    int status = cli_flash_open(&flash, args, CLI_FLASH_READ);
    if (status == CLI_OK) {
        status = read_out(&flash, args, output);
    }
    cli_flash_close(&flash);
    return status;
}

static const cli_option_t options[] = {
    CLI_OPTION_OUTPUT("where to write the bytes (required); - for standard output"),
    {.name = "length", .value = "SIZE", .help = "bytes to read (default: to the end of the partition)"},
    CLI_OPTIONS_FLASH,
    CLI_OPTIONS_END,
};

const cli_command_t cmd_flash_read = {
    .group = "flash",
    .name = "read",
    .summary = "copy a partition of a flash file into a file",
    .arguments = "FLASH LABEL|OFFSET",
    .min_args = 2,
    .max_args = 2,
    .options = options,
    .run = run,
};
