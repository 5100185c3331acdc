/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>

#include "cli/files.h"
#include "cli/output.h"
#include "cli/ptable_file.h"
#include "cli/unicode.h"
#include "core/ptable/ptable_csv.h"
#include "core/util/bytes.h"

#define CSV_BYTES_MAX (256u << 10) /* Longest CSV that is read. */
#define ANY_FLASH     ((uint64_t)1 << 32)

static const char *environment(void *arg, const char *name)
{
    (void)arg;
    return getenv(name);
}

/** True if the bytes begin with a partition entry, or with the MD5 entry of a table without partitions. */
static bool looks_binary(const uint8_t *bytes, size_t len)
{
    if (len < 2) {
        return false;
    }
    uint16_t magic = bytes_get_u16(bytes);
    return magic == ESP_PARTITION_MAGIC || magic == ESP_PARTITION_MAGIC_MD5;
}

static int parse_binary(const char *path, const uint8_t *bytes, size_t len, const cli_table_options_t *options,
                        ptable_t *table)
{
    uint32_t bad = 0;
    uint64_t flash_bytes = options->flash_bytes != 0 ? options->flash_bytes : ANY_FLASH;
    ptable_fault_t fault = ptable_parse(table, bytes, len, flash_bytes, &bad);
    if (fault != PTABLE_OK) {
        return cli_fail("%s: partition table entry %u: %s", path, (unsigned)bad, ptable_fault_text(fault));
    }
    return CLI_OK;
}

static int parse_csv(const char *path, const uint8_t *bytes, size_t len, const cli_table_options_t *options,
                     ptable_t *table)
{
    ptable_csv_error_t error = {0};
    const ptable_csv_options_t csv = {
        .table_offset = options->table_offset,
        .flash_bytes = options->flash_bytes,
        .sector_bytes = options->sector_bytes,
        .has_bootloader_offset = options->has_bootloader_offset,
        .bootloader_offset = options->bootloader_offset,
        .has_recovery_offset = options->has_recovery_offset,
        .recovery_offset = options->recovery_offset,
        .variable = environment,
    };
    if (ptable_csv_parse(table, (const char *)bytes, len, &csv, &error) == ESP_OK) {
        return CLI_OK;
    }
    if (error.line == 0) {
        return cli_fail("%s: %s", path, error.text);
    }
    return cli_fail("%s:%u: %s", path, (unsigned)error.line, error.text);
}

int cli_read_table(const char *path, const cli_table_options_t *options, ptable_t *table, bool *is_binary)
{
    uint8_t *bytes = NULL;
    size_t len = 0;
    int status = cli_read_file(path, CSV_BYTES_MAX, &bytes, &len);
    if (status != CLI_OK) {
        return status;
    }
    bool binary = looks_binary(bytes, len);
    if (binary) {
        status = parse_binary(path, bytes, len, options, table);
    } else if (!cli_text_to_utf8(&bytes, &len)) {
        status = cli_fail("%s: neither a partition table nor readable text", path);
    } else {
        status = parse_csv(path, bytes, len, options, table);
    }
    if (is_binary != NULL) {
        *is_binary = binary;
    }
    free(bytes);
    return status;
}

int cli_check_table(const char *where, const ptable_t *table, uint32_t table_offset, uint32_t sector_bytes)
{
    uint32_t bad = UINT32_MAX;
    ptable_fault_t fault = ptable_check(table, table_offset, sector_bytes, &bad);
    if (fault == PTABLE_OK) {
        return CLI_OK;
    }
    if (bad >= table->count) {
        return cli_fail("%s: %s", where, ptable_fault_text(fault));
    }
    return cli_fail("%s: partition %s: %s", where, table->partition[bad].label, ptable_fault_text(fault));
}

/** A size option that the command may not have at all. @p given may be NULL. */
static int take_size(const cli_args_t *args, const char *name, uint32_t *value, bool *given)
{
    if (given != NULL) {
        *given = cli_has(args, name);
    }
    return cli_size_option(args, name, value);
}

int cli_table_options(const cli_args_t *args, cli_table_options_t *options)
{
    *options = (cli_table_options_t){.table_offset = ESP_PARTITION_TABLE_OFFSET, .sector_bytes = 4096};
    int status = take_size(args, "table-offset", &options->table_offset, NULL);
    if (status == CLI_OK) {
        status = take_size(args, "sector-size", &options->sector_bytes, NULL);
    }
    if (status == CLI_OK) {
        status = take_size(args, "flash-size", &options->flash_bytes, NULL);
    }
    if (status == CLI_OK) {
        status = take_size(args, "bootloader-offset", &options->bootloader_offset, &options->has_bootloader_offset);
    }
    if (status == CLI_OK) {
        status = take_size(args, "recovery-offset", &options->recovery_offset, &options->has_recovery_offset);
    }
    return status == CLI_OK ? cli_check_sector(args, options->sector_bytes) : status;
}

static json_t *name_or_number(const char *name, uint8_t number)
{
    if (name != NULL) {
        return json_string(name);
    }
    return json_sprintf("0x%02x", number);
}

static json_t *flags_json(uint32_t flags)
{
    json_t *list = json_array();
    if ((flags & PART_FLAG_ENCRYPTED) != 0) {
        json_array_append_new(list, json_string("encrypted"));
    }
    if ((flags & PART_FLAG_READONLY) != 0) {
        json_array_append_new(list, json_string("readonly"));
    }
    return list;
}

static json_t *partition_json(const ptable_partition_t *partition)
{
    return json_pack("{s:o, s:o, s:o, s:I, s:I, s:o, s:i, s:i}",                                                   //
                     "label", cli_json_text(partition->label, sizeof(partition->label)),                           //
                     "type", name_or_number(ptable_type_name(partition->type), partition->type),                   //
                     "subtype",                                                                                    //
                     name_or_number(ptable_subtype_name(partition->type, partition->subtype), partition->subtype), //
                     "offset", (json_int_t)partition->offset,                                                      //
                     "size", (json_int_t)partition->size,                                                          //
                     "flags", flags_json(partition->flags),                                                        //
                     "type_id", (int)partition->type,                                                              //
                     "subtype_id", (int)partition->subtype);
}

json_t *cli_table_json(const ptable_t *table)
{
    json_t *list = json_array();
    for (uint32_t i = 0; i < table->count; i++) {
        if (json_array_append_new(list, partition_json(&table->partition[i])) != 0) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

void cli_print_partitions(const json_t *partitions)
{
    static const cli_column_t columns[] = {
        {"label", "LABEL", CLI_STYLE_TEXT},  {"type", "TYPE", CLI_STYLE_TEXT}, {"subtype", "SUBTYPE", CLI_STYLE_TEXT},
        {"offset", "OFFSET", CLI_STYLE_HEX}, {"size", "SIZE", CLI_STYLE_SIZE}, {"flags", "FLAGS", CLI_STYLE_TEXT},
        {NULL, NULL, CLI_STYLE_TEXT},
    };
    cli_print_table(partitions, columns);
}
