/* SPDX-License-Identifier: Apache-2.0 */
/* otter ptable check */
#include <stdio.h>

#include "cli/ptable_file.h"

static int run(const cli_args_t *args)
{
    cli_table_options_t options;
    ptable_t table;
    bool is_binary = false;
    int status = cli_table_options(args, &options);
    if (status == CLI_OK) {
        status = cli_read_table(args->positional[0], &options, &table, &is_binary);
    }
    if (status == CLI_OK) {
        status = cli_check_table(args->positional[0], &table, options.table_offset, options.sector_bytes);
    }
    if (status != CLI_OK) {
        return status;
    }
    printf("%s: ok, %u partitions, %u OTA slots\n", args->positional[0], (unsigned)table.count,
           (unsigned)ptable_slot_count(&table));
    if (is_binary && !table.has_md5) {
        cli_note(
            "%s has no MD5 entry: ESP-IDF apps refuse such a table unless built without CONFIG_PARTITION_TABLE_MD5",
            args->positional[0]);
    }
    return CLI_OK;
}

static const cli_option_t options[] = {
    CLI_OPTIONS_TABLE_FILE,
    CLI_OPTIONS_END,
};

const cli_command_t cmd_ptable_check = {
    .group = "ptable",
    .name = "check",
    .summary = "say whether a partition table is sound",
    .arguments = "FILE",
    .min_args = 1,
    .max_args = 1,
    .options = options,
    .details = "FILE is a binary table or CSV. Beyond what a bootloader checks, partitions must not\n"
               "overlap, offsets be aligned, labels differ, OTA slots be numbered without gaps, and\n"
               "otadata be two sectors.\n",
    .run = run,
};
