/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file flash_facts.h
 * @brief What a flash file holds and would do, as facts for people and programs. Nothing here writes.
 */
#pragma once

#include <jansson.h>

#include "boot/boot.h"
#include "cli/app_image.h"
#include "cli/flash_open.h"

/** Options of every command that looks at a device or acts as one, for their tables. */
#define CLI_OPTIONS_DEVICE CLI_OPTION_DEVICE, CLI_OPTION_KEY_STORE, CLI_OPTIONS_FLASH

/** A flash looked at. Storage belongs to the caller. */
typedef struct cli_look {
    cli_flash_t *flash;
    otter_config_t config; /**< Device it is looked at as. */
    bootsel_input_t input; /**< otadata as it lies on flash, and the slots. */
    boot_result_t boot;    /**< What would boot; its own input is as it would be afterwards. */
} cli_look_t;

/**
 * Reads the partition table and the key store, works out which device this is, and lets the bootloader decide without writing.
 *
 * @param look   filled; nothing to free: the key store is closed with the flash
 * @param flash  open
 * @return CLI_OK, also if nothing would boot; CLI_USAGE or CLI_FAILED, reported
 */
int cli_look_at(cli_look_t *look, cli_flash_t *flash, const cli_args_t *args);

/** The two otadata records: [{index,seq,state,crc_ok,partition}]; all but the index is null for an erased one. NULL without memory. */
json_t *cli_otadata_json(const cli_look_t *look);

/**
 * All app partitions: [{partition,project,version,secure_version,sha256,valid,signed_by[],problem}]; what is not known is null.
 *
 * @param failed  gets the candidates whose image is not valid; may be NULL
 * @return NULL if flash cannot be read, or without memory
 */
json_t *cli_apps_json(const cli_look_t *look, bootsel_set_t *failed);

/** What would boot: {partition,reason,failed[]}; partition is null if nothing would. NULL without memory. */
json_t *cli_boot_json(const cli_look_t *look);

/** Label of a candidate's partition as JSON; null for none. */
json_t *cli_slot_json(const ptable_t *table, int slot);

/** State of a record as JSON: its name, or the number. */
json_t *cli_state_json(uint32_t state);

/** Prints cli_boot_json() for people: one line, and one for each app that failed. */
void cli_print_boot(const json_t *boot);

/**
 * What every command does that only looks at a flash file: opens it, looks, and prints the facts, for programs or people.
 *
 * @param gather  makes the facts; NULL without memory
 * @param print   lays them out for people
 * @return the exit status; an error was reported
 */
int cli_show_facts(const cli_args_t *args, json_t *(*gather)(const cli_look_t *look),
                   void (*print)(const json_t *facts));
