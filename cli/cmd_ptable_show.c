/* SPDX-License-Identifier: Apache-2.0 */
/* otter ptable show */
#include <stdio.h>

#include "cli/output.h"
#include "cli/ptable_file.h"
#include "core/ptable/ptable_csv.h"

static void emit(void *arg, const char *text, size_t len)
{
    (void)arg;
    fwrite(text, 1, len, stdout);
}

static int print(const cli_args_t *args, const ptable_t *table)
{
    if (cli_has(args, "csv")) {
        ptable_csv_write(table, emit, NULL);
        return CLI_OK;
    }
    json_t *partitions = cli_table_json(table);
    if (partitions == NULL) {
        return cli_fail("out of memory");
    }
    if (cli_has(args, "json")) {
        return cli_print_json(json_pack("{s:o, s:b}", "partitions", partitions, "md5", (int)table->has_md5));
    }
    cli_print_partitions(partitions);
    json_decref(partitions);
    return CLI_OK;
}

static int run(const cli_args_t *args)
{
    cli_table_options_t options;
    ptable_t table;
    if (cli_has(args, "csv") && cli_has(args, "json")) {
        return cli_misuse(args, "--csv and --json exclude each other");
    }
    int status = cli_table_options(args, &options);
    if (status == CLI_OK) {
        status = cli_read_table(args->positional[0], &options, &table, NULL);
    }
    if (status == CLI_OK) {
        status = print(args, &table);
    }
    return status;
}

static const cli_option_t options[] = {
    CLI_OPTION_JSON,
    {.name = "csv", .help = "print CSV, as gen_esp32part.py does for a binary table"},
    CLI_OPTIONS_TABLE_FILE,
    CLI_OPTIONS_END,
};

const cli_command_t cmd_ptable_show = {
    .group = "ptable",
    .name = "show",
    .summary = "print a partition table",
    .arguments = "FILE",
    .min_args = 1,
    .max_args = 1,
    .options = options,
    .details = "FILE is a binary table or CSV, which is told by its first bytes. The table of a\n"
               "flash file is shown by otter flash info.\n",
    .run = run,
};
