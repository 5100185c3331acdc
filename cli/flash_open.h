/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file flash_open.h
 * @brief A flash file opened by a command: lock, NOR rules, partition table, places by name.
 */
#pragma once

#include "cli/cli.h"
#include "cli/key_store.h"
#include "core/ptable/ptable.h"
#include "otter/otter_flash_file.h"
#include "otter/otter_flash_nor.h"

/** Options of every command on a flash file, for their tables. */
#define CLI_OPTIONS_FLASH CLI_OPTION_SECTOR, CLI_OPTION_TABLE_AT

/** What a flash file is opened for. */
typedef enum cli_flash_mode {
    CLI_FLASH_READ,  /**< No lock; nothing can be written. */
    CLI_FLASH_WRITE, /**< With the lock; refused if another process has it. */
    CLI_FLASH_WAIT,  /**< With the lock; waits for it. */
} cli_flash_mode_t;

/** An open flash file. Storage belongs to the caller. */
typedef struct cli_flash {
    const char *path;          /**< For messages. */
    uint32_t table_offset;     /**< --table-offset. */
    otter_flash_t *flash;      /**< Use this: the file, under NOR rules if it is open for writing. */
    ptable_t table;            /**< Filled by cli_flash_table(). */
    cli_key_store_t key_store; /**< Opened by cli_flash_keys(). */
    bool write;                /**< Open for writing. */
    otter_flash_file_t file;
    otter_flash_nor_t nor;
} cli_flash_t;

/** A stretch of flash that an argument names. */
typedef struct cli_place {
    uint32_t off;         /**< From the start of flash, in bytes. */
    uint32_t room;        /**< Bytes from there to the end of the partition, or of the flash if it lies in none. */
    const char *label;    /**< Partition that it lies in, or NULL. */
    bool readonly;        /**< That partition is marked so. */
    bool whole_partition; /**< It was named by its label. */
} cli_place_t;

/**
 * Opens the flash file that the first argument names. A reader says on stderr if another process is using it.
 *
 * @param flash  to be closed with cli_flash_close() whatever happens
 * @param mode   see there
 * @return CLI_OK; CLI_USAGE or CLI_FAILED, reported, e.g. "flash.bin is in use by pid 42"
 */
int cli_flash_open(cli_flash_t *flash, const cli_args_t *args, cli_flash_mode_t mode);

/**
 * Opens the device's key store, as the flash file is opened: to be written, or only to be read. For commands with the option
 * CLI_OPTION_KEY_STORE.
 *
 * @return CLI_OK, also if there is none; CLI_FAILED, reported
 */
int cli_flash_keys(cli_flash_t *flash, const cli_args_t *args);

/** Reads the partition table. @return CLI_OK; CLI_FAILED, reported */
int cli_flash_table(cli_flash_t *flash);

/**
 * Finds the place that an argument names: a partition's label, or an offset. Without a readable partition table offsets work all the same.
 *
 * @return CLI_OK; CLI_FAILED, reported with the labels there are
 */
int cli_flash_place(cli_flash_t *flash, const char *argument, cli_place_t *place);

/** Makes what was written durable. @return CLI_OK; CLI_FAILED, reported */
int cli_flash_sync(cli_flash_t *flash);

/** Closes, and gives the lock back. */
void cli_flash_close(cli_flash_t *flash);

/** Reports a failed operation on flash: what was tried, where, and if NOR rules refused it. @return CLI_FAILED */
int cli_flash_fail(const cli_flash_t *flash, const char *what, uint32_t off);
