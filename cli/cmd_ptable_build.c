/* SPDX-License-Identifier: Apache-2.0 */
/* otter ptable build */
#include "cli/files.h"
#include "cli/ptable_file.h"

static int run(const cli_args_t *args)
{
    cli_table_options_t options;
    ptable_t table;
    uint8_t bytes[PTABLE_BYTES];
    const char *output = cli_value(args, "output");
    if (output == NULL) {
        return cli_misuse(args, "where to? give -o FILE");
    }
    int status = cli_table_options(args, &options);
    if (status == CLI_OK) {
        status = cli_read_table(args->positional[0], &options, &table, NULL);
    }
    if (status == CLI_OK) {
        status = cli_check_table(args->positional[0], &table, options.table_offset, options.sector_bytes);
    }
    if (status != CLI_OK) {
        return status;
    }
    ptable_fault_t fault = ptable_build(&table, !cli_has(args, "no-md5"), bytes);
    if (fault != PTABLE_OK) {
        return cli_fail("%s: %s", args->positional[0], ptable_fault_text(fault));
    }
    return cli_write_file(output, 0666, bytes, sizeof(bytes));
}

static const cli_option_t options[] = {
    CLI_OPTION_OUTPUT("binary table to write, 3072 bytes"),
    {.name = "no-md5", .help = "leave out the MD5 entry (ESP-IDF before 3.1)", .alias = "disable-md5sum"},
    CLI_OPTIONS_TABLE_FILE,
    CLI_OPTIONS_END,
};

const cli_command_t cmd_ptable_build = {
    .group = "ptable",
    .name = "build",
    .summary = "make a binary partition table from CSV",
    .arguments = "IN.csv",
    .min_args = 1,
    .max_args = 1,
    .options = options,
    .details = "IN.csv holds lines of Name, Type, SubType, Offset, Size, Flags, as ESP-IDF's\n"
               "gen_esp32part.py reads them; the result is the same byte for byte. $NAME stands\n"
               "for an environment variable. - reads standard input.\n",
    .run = run,
};
