/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file key_store.h
 * @brief The key store that belongs to a flash file: FLASH.efuse beside it, unless --key-store names another.
 */
#pragma once

#include <jansson.h>

#include "cli/cli.h"
#include "core/trust/trust.h"
#include "otter/otter_key_store_file.h"

#define CLI_OPTION_KEY_STORE                                                                                           \
    {                                                                                                                  \
        .name = "key-store", .value = "FILE",                                                                          \
        .help = "key store of the device (default: FLASH.efuse, if there is one)"                                      \
    }

/** A device's key store. Storage belongs to the caller; all zero is a closed one. */
typedef struct cli_key_store {
    char *path;               /**< Its file, whether there is one or not. Owned. */
    otter_key_store_t *store; /**< NULL: there is none: secure boot is off, the anti-rollback floor 0. */
    otter_key_store_file_t file;
} cli_key_store_t;

/**
 * Opens the key store of a flash file. One that is not there is none, unless --key-store names it. One that is there but
 * cannot be used is an error: a device whose key store is damaged does not boot.
 *
 * @param keys   to be closed with cli_key_store_close() whatever happens
 * @param flash  path of the flash file; a link is followed, so that another name does not hide the key store
 * @param write  bits may be burned
 * @return CLI_OK; CLI_FAILED, reported
 */
int cli_key_store_open(cli_key_store_t *keys, const cli_args_t *args, const char *flash, bool write);

/**
 * As cli_key_store_open() to be read, but --key-store may name a file that is yet to be made.
 */
int cli_key_store_look(cli_key_store_t *keys, const cli_args_t *args, const char *flash);

/** Closes and frees. */
void cli_key_store_close(cli_key_store_t *keys);

/**
 * What it says as facts: {file,secure_boot,secure_version,keys[],chip}; a key is {index,scheme,key_digest,revoked}, places
 * without a key are left out; chip is null unless it is fixed. Without key store null. NULL without memory.
 */
json_t *cli_key_store_json(const cli_key_store_t *keys, const trust_state_t *trust);

/** Prints these facts for people: a line, and a table of keys if there are any. */
void cli_print_key_store(const json_t *facts);
