/* SPDX-License-Identifier: Apache-2.0 */
/* otter flash info */
#include <stdio.h>

#include "cli/flash_facts.h"
#include "cli/output.h"
#include "cli/ptable_file.h"

static json_t *gather(const cli_look_t *look)
{
    char chip[24];
    const otter_flash_t *flash = look->flash->flash;
    return json_pack("{s:o, s:I, s:I, s:s, s:o, s:o, s:o, s:o, s:o}",                             //
                     "file", cli_json_text(look->flash->path, SIZE_MAX),                          //
                     "size", (json_int_t)flash->size_bytes,                                       //
                     "sector_size", (json_int_t)flash->sector_bytes,                              //
                     "chip", cli_format_chip(chip, sizeof(chip), look->config.chip_id),           //
                     "key_store", cli_key_store_json(&look->flash->key_store, &look->boot.trust), //
                     "partitions", cli_table_json(&look->flash->table),                           //
                     "otadata", cli_otadata_json(look),                                           //
                     "apps", cli_apps_json(look, NULL),                                           //
                     "boot", cli_boot_json(look));
}

static void print(const json_t *facts)
{
    static const cli_column_t records[] = {
        {"index", "RECORD", CLI_STYLE_TEXT},   {"seq", "SEQ", CLI_STYLE_TEXT},
        {"state", "STATE", CLI_STYLE_TEXT},    {"partition", "PARTITION", CLI_STYLE_TEXT},
        {"crc_ok", "CRC OK", CLI_STYLE_CHECK}, {NULL, NULL, CLI_STYLE_TEXT},
    };
    static const cli_column_t apps[] = {
        {"partition", "APP", CLI_STYLE_TEXT},         {"project", "PROJECT", CLI_STYLE_TEXT},
        {"version", "VERSION", CLI_STYLE_TEXT},       {"secure_version", "SECURE", CLI_STYLE_TEXT},
        {"valid", "VALID", CLI_STYLE_CHECK},          {"problem", "PROBLEM", CLI_STYLE_TEXT},
        {"signed_by", "SIGNED BY", CLI_STYLE_DIGEST}, {NULL, NULL, CLI_STYLE_TEXT},
    };
    char size[24];
    printf("%s: %s, for %s\n", json_string_value(json_object_get(facts, "file")),
           cli_format_size(size, sizeof(size), (uint64_t)json_integer_value(json_object_get(facts, "size"))),
           json_string_value(json_object_get(facts, "chip")));
    cli_print_key_store(json_object_get(facts, "key_store"));
    putchar('\n');
    cli_print_partitions(json_object_get(facts, "partitions"));
    putchar('\n');
    cli_print_table(json_object_get(facts, "otadata"), records);
    putchar('\n');
    cli_print_table(json_object_get(facts, "apps"), apps);
    putchar('\n');
    cli_print_boot(json_object_get(facts, "boot"));
}

static int run(const cli_args_t *args)
{
    return cli_show_facts(args, gather, print);
}

static const cli_option_t options[] = {
    CLI_OPTION_JSON,
    CLI_OPTIONS_DEVICE,
    CLI_OPTIONS_END,
};

const cli_command_t cmd_flash_info = {
    .group = "flash",
    .name = "info",
    .summary = "show the partitions, otadata and apps of a flash file, and what boots",
    .arguments = "FLASH",
    .min_args = 1,
    .max_args = 1,
    .options = options,
    .details = "Every app is verified, and the bootloader's decision worked out; nothing is\n"
               "written. A flash file in use may be looked at.\n",
    .run = run,
};
