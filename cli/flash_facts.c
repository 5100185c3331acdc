/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "cli/flash_facts.h"
#include "cli/output.h"
#include "core/bootsel/slots.h"

/** otadata must be two sectors: with another sector size, its second record would be looked for in the wrong place. */
static int check_otadata(const cli_look_t *look)
{
    const ptable_partition_t *otadata = ptable_find(&look->flash->table, PART_TYPE_DATA, PART_SUBTYPE_DATA_OTA);
    uint32_t sector = look->flash->flash->sector_bytes;
    if (otadata == NULL || otadata->size == OTADATA_SECTORS * sector) {
        return CLI_OK;
    }
    return cli_fail("%s: otadata has %u bytes, not two sectors of %u; --sector-size %u would fit", look->flash->path,
                    (unsigned)otadata->size, (unsigned)sector, (unsigned)otadata->size / OTADATA_SECTORS);
}

int cli_look_at(cli_look_t *look, cli_flash_t *flash, const cli_args_t *args)
{
    *look = (cli_look_t){.flash = flash};
    int status = cli_flash_table(flash);
    if (status == CLI_OK) {
        status = cli_flash_keys(flash, args);
    }
    if (status == CLI_OK) {
        status = cli_device_config(args, flash->flash, &flash->table, &look->config);
    }
    if (status != CLI_OK) {
        return status;
    }
    status = check_otadata(look);
    if (status != CLI_OK) {
        return status;
    }
    look->config.partition_table_offset = flash->table_offset;
    const boot_env_t env = {
        .flash = flash->flash, .key_store = flash->key_store.store, .config = &look->config, .dry_run = true};
    uint32_t otadata_offset = 0;
    esp_err_t err = boot_read_input(flash->flash, &flash->table, look->config.rollback, &look->input, &otadata_offset);
    if (err == ESP_OK) {
        err = boot_choose(&env, &look->boot);
    }
    if (look->boot.key_store_failed) {
        return cli_fail("%s: cannot be read", flash->key_store.path);
    }
    if (look->boot.trust.chip_fixed) {
        look->config.chip_id = look->boot.trust.chip_id;
        look->config.chip_revision = look->boot.trust.chip_revision;
    }
    if (err == ESP_OK || err == ESP_ERR_NOT_FOUND) {
        return CLI_OK;
    }
    return cli_flash_fail(flash, "read", flash->table_offset);
}

json_t *cli_slot_json(const ptable_t *table, int slot)
{
    const ptable_partition_t *partition = slot != BOOTSEL_SLOT_NONE ? bootsel_slot_partition(table, slot) : NULL;
    return partition != NULL ? cli_json_text(partition->label, sizeof(partition->label)) : json_null();
}

json_t *cli_state_json(uint32_t state)
{
    const char *name = otadata_state_name(state);
    return name != NULL ? json_string(name) : json_sprintf("0x%08x", (unsigned)state);
}

static json_t *record_json(const cli_look_t *look, int index)
{
    otadata_record_t record = bootsel_record(&look->input, index);
    int slot = bootsel_record_slot(&look->input, &record);
    if (record.blank) {
        return json_pack("{s:i, s:n, s:n, s:n, s:n}", "index", index, "seq", "state", "crc_ok", "partition");
    }
    return json_pack("{s:i, s:I, s:o, s:b, s:o}",           //
                     "index", index,                        //
                     "seq", (json_int_t)record.seq,         //
                     "state", cli_state_json(record.state), //
                     "crc_ok", (int)record.good,            //
                     "partition", cli_slot_json(&look->boot.table, slot));
}

json_t *cli_otadata_json(const cli_look_t *look)
{
    json_t *list = json_array();
    for (int i = 0; look->input.has_otadata && i < OTADATA_SECTORS; i++) {
        if (json_array_append_new(list, record_json(look, i)) != 0) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

static json_t *problem_json(const cli_app_t *app)
{
    if (app->valid) {
        return json_null();
    }
    return json_string(app->blank ? "empty" : image_fault_text(app->fault));
}

/** Digests of the keys whose signatures are good. */
static json_t *signed_by_json(const image_walk_t *walk)
{
    json_t *list = json_array();
    for (int i = 0; i < SIGNATURE_BLOCKS; i++) {
        const signature_t *signature = &walk->signature[i];
        if (signature->verdict == SIGNATURE_GOOD) {
            json_array_append_new(list, cli_json_hex(signature->key_digest, sizeof(signature->key_digest)));
        }
    }
    return list;
}

static json_t *app_json(const ptable_partition_t *partition, const cli_app_t *app)
{
    const esp_app_desc_t *desc = &app->walk.desc;
    bool known = app->walk.desc_known;
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:b, s:o, s:o}",                                                     //
                     "partition", cli_json_text(partition->label, sizeof(partition->label)),                         //
                     "project", known ? cli_json_text(desc->project_name, sizeof(desc->project_name)) : json_null(), //
                     "version", known ? cli_json_text(desc->version, sizeof(desc->version)) : json_null(),           //
                     "secure_version", known ? json_integer((json_int_t)desc->secure_version) : json_null(),         //
                     "sha256", app->valid ? cli_json_hex(app->walk.hash, sizeof(app->walk.hash)) : json_null(),      //
                     "valid", (int)app->valid,                                                                       //
                     "signed_by", signed_by_json(&app->walk),                                                        //
                     "problem", problem_json(app));
}

json_t *cli_apps_json(const cli_look_t *look, bootsel_set_t *failed)
{
    const ptable_t *table = &look->flash->table;
    json_t *list = json_array();
    bootsel_set_t bad = 0;
    for (uint32_t i = 0; i < table->count; i++) {
        const ptable_partition_t *partition = &table->partition[i];
        cli_app_t app;
        if (partition->type != PART_TYPE_APP) {
            continue;
        }
        if (cli_inspect_app(look->flash->flash, partition, &look->config, &look->boot.trust, &app) != ESP_OK ||
            json_array_append_new(list, app_json(partition, &app)) != 0) {
            json_decref(list);
            return NULL;
        }
        bad |= app.valid ? 0 : bootsel_set_of(bootsel_slot_of_subtype(partition->subtype));
    }
    if (failed != NULL) {
        *failed = bad;
    }
    return list;
}

static json_t *failures_json(const boot_result_t *boot)
{
    json_t *list = json_array();
    for (uint32_t i = 0; i < boot->failure_count; i++) {
        const boot_failure_t *failure = &boot->failure[i];
        const char *why =
            failure->fault != IMAGE_OK ? image_fault_text(failure->fault) : esp_err_to_name(failure->error);
        json_array_append_new(
            list, json_pack("{s:o, s:s}", "partition", cli_slot_json(&boot->table, failure->slot), "problem", why));
    }
    return list;
}

json_t *cli_boot_json(const cli_look_t *look)
{
    const boot_result_t *boot = &look->boot;
    return json_pack("{s:o, s:s, s:o}",                                    //
                     "partition", cli_slot_json(&boot->table, boot->slot), //
                     "reason", bootsel_reason_text(boot->reason),          //
                     "failed", failures_json(boot));
}

void cli_print_boot(const json_t *boot)
{
    char label[64];
    const char *reason = json_string_value(json_object_get(boot, "reason"));
    size_t i;
    json_t *failure;
    json_array_foreach(json_object_get(boot, "failed"), i, failure)
    {
        const char *why = json_string_value(json_object_get(failure, "problem"));
        printf("Passed over: %s (%s)\n",
               cli_printable(label, sizeof(label), json_object_get(failure, "partition"), "?"),
               why != NULL ? why : "?");
    }
    printf("Boots: %s (%s)\n", cli_printable(label, sizeof(label), json_object_get(boot, "partition"), "nothing"),
           reason != NULL ? reason : "?");
}

static int show(cli_flash_t *flash, const cli_args_t *args, json_t *(*gather)(const cli_look_t *look),
                void (*print)(const json_t *facts))
{
    cli_look_t look;
    int status = cli_look_at(&look, flash, args);
    if (status != CLI_OK) {
        return status;
    }
    json_t *facts = gather(&look);
    if (facts == NULL) {
        return cli_fail("%s: cannot be read", flash->path);
    }
    if (cli_has(args, "json")) {
        return cli_print_json(facts);
    }
    print(facts);
    json_decref(facts);
    return CLI_OK;
}

int cli_show_facts(const cli_args_t *args, json_t *(*gather)(const cli_look_t *look),
                   void (*print)(const json_t *facts))
{
    cli_flash_t flash;
    int status = cli_flash_open(&flash, args, CLI_FLASH_READ);
    if (status == CLI_OK) {
        status = show(&flash, args, gather, print);
    }
    cli_flash_close(&flash);
    return status;
}
