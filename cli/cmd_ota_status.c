/* SPDX-License-Identifier: Apache-2.0 */
/* otter ota status */
#include <stdio.h>

#include "cli/flash_facts.h"
#include "cli/output.h"
#include "core/bootsel/slots.h"

/** Adds what otadata says to an app's facts. */
static void add_state(const cli_look_t *look, json_t *app, int rollback_slot)
{
    const ptable_t *table = &look->flash->table;
    const ptable_partition_t *partition =
        ptable_find_label(table, json_string_value(json_object_get(app, "partition")));
    int slot = partition != NULL ? bootsel_slot_of_subtype(partition->subtype) : BOOTSEL_SLOT_NONE;
    uint32_t state = 0;
    bool known = bootsel_state(&look->input, slot, &state);
    const char *next = "-";
    if (slot != BOOTSEL_SLOT_NONE && slot == look->boot.slot) {
        next = "boots";
    } else if (slot != BOOTSEL_SLOT_NONE && slot == rollback_slot) {
        next = "rollback";
    }
    json_object_set_new(app, "state", known ? cli_state_json(state) : json_null());
    json_object_set_new(app, "next", json_string(next));
}

static json_t *gather(const cli_look_t *look)
{
    bootsel_set_t failed = 0;
    json_t *apps = cli_apps_json(look, &failed);
    if (apps == NULL) {
        return NULL;
    }
    int target = look->boot.slot != BOOTSEL_SLOT_NONE ? bootsel_rollback_target(&look->input, look->boot.slot, failed)
                                                      : BOOTSEL_SLOT_NONE;
    for (size_t i = 0; i < json_array_size(apps); i++) {
        add_state(look, json_array_get(apps, i), target);
    }
    return json_pack("{s:o, s:o, s:o, s:o}",                                        //
                     "file", cli_json_text(look->flash->path, SIZE_MAX),            //
                     "boot", cli_boot_json(look),                                   //
                     "rollback_target", cli_slot_json(&look->flash->table, target), //
                     "apps", apps);
}

static void print(const json_t *facts)
{
    static const cli_column_t columns[] = {
        {"partition", "APP", CLI_STYLE_TEXT},   {"next", "NEXT", CLI_STYLE_TEXT},
        {"state", "STATE", CLI_STYLE_TEXT},     {"project", "PROJECT", CLI_STYLE_TEXT},
        {"version", "VERSION", CLI_STYLE_TEXT}, {"valid", "VALID", CLI_STYLE_CHECK},
        {"problem", "PROBLEM", CLI_STYLE_TEXT}, {NULL, NULL, CLI_STYLE_TEXT},
    };
    char target[64];
    cli_print_table(json_object_get(facts, "apps"), columns);
    putchar('\n');
    cli_print_boot(json_object_get(facts, "boot"));
    printf("Rolls back to: %s\n",
           cli_printable(target, sizeof(target), json_object_get(facts, "rollback_target"), "nothing"));
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

const cli_command_t cmd_ota_status = {
    .group = "ota",
    .name = "status",
    .summary = "show what boots next, the state of each app, and the way back",
    .arguments = "FLASH",
    .min_args = 1,
    .max_args = 1,
    .options = options,
    .details = "Nothing is written. A flash file in use may be looked at.\n",
    .run = run,
};
