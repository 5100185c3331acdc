/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What `otter flash info` says of a flash from a stranger: JSON that can be read back, with the members that are promised;
 * and for people no byte that a terminal would take for a command.
 *
 * Input: length and first bytes of the key store, then changes of the flash (stranger.h).
 */
#define _POSIX_C_SOURCE 200809L
#include "fuzz/fuzz.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/flash_facts.h"
#include "cli/output.h"
#include "cli/ptable_file.h"
#include "fuzz/stranger.h"
#include "otter/otter_key_store_ram.h"

static void check_reads_back(const json_t *facts)
{
    json_error_t error;
    char *text = json_dumps(facts, JSON_INDENT(2));
    FUZZ_CHECK(text != NULL);
    json_t *again = json_loads(text, JSON_REJECT_DUPLICATES, &error);
    FUZZ_CHECK(again != NULL && json_equal(facts, again));
    json_decref(again);
    free(text);
}

static void check_app(const json_t *app)
{
    bool valid = json_is_true(json_object_get(app, "valid"));
    FUZZ_CHECK(json_is_string(json_object_get(app, "partition")));
    FUZZ_CHECK(json_is_array(json_object_get(app, "signed_by")));
    FUZZ_CHECK(!valid || json_string_length(json_object_get(app, "sha256")) == 64);
    FUZZ_CHECK(valid == json_is_null(json_object_get(app, "problem")));
}

static void check_facts(const json_t *facts)
{
    size_t i;
    json_t *item;
    json_array_foreach(json_object_get(facts, "partitions"), i, item)
    {
        FUZZ_CHECK(json_is_string(json_object_get(item, "label")));
        FUZZ_CHECK(json_is_integer(json_object_get(item, "offset")) && json_is_integer(json_object_get(item, "size")));
    }
    json_array_foreach(json_object_get(facts, "apps"), i, item)
    {
        check_app(item);
    }
    FUZZ_CHECK(json_array_size(json_object_get(facts, "otadata")) <= OTADATA_SECTORS);
    FUZZ_CHECK(json_is_string(json_object_get(json_object_get(facts, "boot"), "reason")));
}

/* Control characters, also those that have two bytes in UTF-8 (C2 80 to C2 9F). */
static void check_harmless(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];
        FUZZ_CHECK((c >= 0x20 && c != 0x7F) || c == '\n');
        FUZZ_CHECK(c != 0xC2 || i + 1 == len || (unsigned char)text[i + 1] >= 0xA0);
    }
}

static void check_printed(const json_t *facts)
{
    static const cli_column_t apps[] = {
        {"partition", "APP", CLI_STYLE_TEXT},         {"project", "PROJECT", CLI_STYLE_TEXT},
        {"version", "VERSION", CLI_STYLE_TEXT},       {"valid", "VALID", CLI_STYLE_CHECK},
        {"signed_by", "SIGNED BY", CLI_STYLE_DIGEST}, {NULL, NULL, CLI_STYLE_TEXT},
    };
    char *text = NULL;
    size_t len = 0;
    FILE *saved = stdout;
    FILE *memory = open_memstream(&text, &len);
    FUZZ_CHECK(memory != NULL);
    stdout = memory;
    cli_print_partitions(json_object_get(facts, "partitions"));
    cli_print_table(json_object_get(facts, "apps"), apps);
    cli_print_key_store(json_object_get(facts, "key_store"));
    cli_print_boot(json_object_get(facts, "boot"));
    stdout = saved;
    FUZZ_CHECK(fclose(memory) == 0);
    check_harmless(text, len);
    free(text);
}

static json_t *gather(const cli_look_t *look)
{
    return json_pack("{s:o, s:o, s:o, s:o, s:o}",                                                 //
                     "partitions", cli_table_json(&look->flash->table),                           //
                     "key_store", cli_key_store_json(&look->flash->key_store, &look->boot.trust), //
                     "otadata", cli_otadata_json(look),                                           //
                     "apps", cli_apps_json(look, NULL),                                           //
                     "boot", cli_boot_json(look));
}

/* As cli_look_at(), but for files and messages. False if there is nothing to look at. */
static bool look_at(cli_look_t *look, cli_flash_t *flash)
{
    const cli_args_t args = {.count = 0};
    uint32_t otadata_offset = 0;
    *look = (cli_look_t){.flash = flash};
    if (boot_read_table(flash->flash, flash->table_offset, &flash->table) != PTABLE_OK) {
        return false;
    }
    FUZZ_CHECK(cli_device_config(&args, flash->flash, &flash->table, &look->config) == CLI_OK);
    const boot_env_t env = {
        .flash = flash->flash, .key_store = flash->key_store.store, .config = &look->config, .dry_run = true};
    if (boot_read_input(flash->flash, &flash->table, look->config.rollback, &look->input, &otadata_offset) != ESP_OK) {
        return false;
    }
    esp_err_t err = boot_choose(&env, &look->boot);
    FUZZ_CHECK(err == ESP_OK || err == ESP_ERR_NOT_FOUND);
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_input_t input = {data, size};
    uint8_t bits[OTTER_KEY_STORE_BYTES] = {0};
    otter_key_store_ram_t store;
    cli_look_t look;
    stranger_t stranger;
    fuzz_take_bytes(&input, bits, 1u + fuzz_take_u8(&input) % 64u);
    stranger_make(&stranger, &input, OTTER_CHIP_ID_LINUX_X86_64);
    cli_flash_t flash = {.path = "flash.bin", .table_offset = STRANGER_TABLE, .flash = stranger.flash};
    char name[] = "flash.bin.efuse";
    flash.key_store.path = name;
    flash.key_store.store = otter_key_store_ram_init(&store, bits);
    if (look_at(&look, &flash)) {
        json_t *facts = gather(&look);
        FUZZ_CHECK(facts != NULL);
        check_facts(facts);
        check_reads_back(facts);
        check_printed(facts);
        json_decref(facts);
    }
    stranger_free(&stranger);
    return 0;
}
