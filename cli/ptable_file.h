/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file ptable_file.h
 * @brief Partition tables in files, and as facts.
 */
#pragma once

#include <jansson.h>

#include "cli/cli.h"
#include "core/ptable/ptable.h"

/** Options of every command that reads a table file, for their tables. */
#define CLI_OPTIONS_TABLE_FILE                                                                                         \
    CLI_OPTION_TABLE_AT, CLI_OPTION_SECTOR,                                                                            \
        {.name = "flash-size", .value = "SIZE", .help = "refuse partitions that end behind this, e.g. 4MB"},           \
        {.name = "bootloader-offset",                                                                                  \
         .value = "OFFSET",                                                                                            \
         .help = "primary bootloader, for N/A entries",                                                                \
         .alias = "primary-bootloader-offset"},                                                                        \
    {                                                                                                                  \
        .name = "recovery-offset", .value = "OFFSET", .help = "recovery bootloader, for N/A entries",                  \
        .alias = "recovery-bootloader-offset"                                                                          \
    }

/** What a table file is read with. */
typedef struct cli_table_options {
    uint32_t table_offset; /**< Where the table will lie, in bytes. */
    uint32_t flash_bytes;  /**< Partitions must end inside; 0: not checked. */
    uint32_t sector_bytes; /**< Erase unit, in bytes. */
    bool has_bootloader_offset;
    uint32_t bootloader_offset; /**< Primary bootloader, for N/A. */
    bool has_recovery_offset;
    uint32_t recovery_offset; /**< Recovery bootloader, for N/A. */
} cli_table_options_t;

/**
 * Reads a table from a file: binary if it begins as one, CSV otherwise (UTF-8, UTF-16 or UTF-32).
 *
 * @param path       the file; "-": standard input
 * @param table      filled on success
 * @param is_binary  gets which it was; may be NULL
 * @return CLI_OK; CLI_FAILED, reported with file and line or entry
 */
int cli_read_table(const char *path, const cli_table_options_t *options, ptable_t *table, bool *is_binary);

/** Checks a table with ptable_check(). @return CLI_OK; CLI_FAILED, reported with @p where and the partition at fault */
int cli_check_table(const char *where, const ptable_t *table, uint32_t table_offset, uint32_t sector_bytes);

/** Takes CLI_OPTIONS_TABLE_FILE, or those of them that the command has. @return CLI_OK; CLI_USAGE, reported */
int cli_table_options(const cli_args_t *args, cli_table_options_t *options);

/** A table as JSON: an array of {label,type,subtype,offset,size,flags[],type_id,subtype_id}; NULL without memory. */
json_t *cli_table_json(const ptable_t *table);

/** Prints such an array for people. */
void cli_print_partitions(const json_t *partitions);
