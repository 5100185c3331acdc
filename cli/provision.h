/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file provision.h
 * @brief The owner's keys for a new device: --key options, burned into its key store with secure boot on.
 *
 * A key store that is there already stays: what is burned in it holds for the new contents of the flash, too.
 */
#pragma once

#include "cli/key_store.h"

#define CLI_OPTION_PROVISION                                                                                           \
    {                                                                                                                  \
        .name = "key", .value = "KEY.pem",                                                                             \
        .help = "trust this key, public or private; turns secure boot on; up to three times", .repeated = true         \
    }

/** A key to be trusted. */
typedef struct cli_trusted_key {
    trust_scheme_t scheme;
    uint8_t digest[OTTER_SHA256_BYTES];
} cli_trusted_key_t;

/** Keys and the key store they are for. Storage belongs to the caller. */
typedef struct cli_provision {
    cli_key_store_t store; /**< As it is; nothing in it if there is none. */
    uint32_t count;        /**< Keys given. */
    cli_trusted_key_t key[TRUST_KEYS];
    trust_state_t trust; /**< What the device will demand. */
} cli_provision_t;

/**
 * Takes the keys and finds out whether they can be burned. Nothing is written.
 *
 * @param provision  to be closed with cli_provision_close() whatever happens
 * @param flash      path of the flash file
 * @return CLI_OK; CLI_USAGE or CLI_FAILED, reported
 */
int cli_provision_plan(cli_provision_t *provision, const cli_args_t *args, const char *flash);

/**
 * Makes the key store if there is none, and burns the keys, then secure boot. Without keys nothing is done. A power cut leaves
 * any part of the keys burned; the same command then completes them.
 *
 * @return CLI_OK; CLI_FAILED, reported
 */
int cli_provision_burn(cli_provision_t *provision);

/** Closes and frees. */
void cli_provision_close(cli_provision_t *provision);
