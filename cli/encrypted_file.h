/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file encrypted_file.h
 * @brief What the commands for encrypted images share.
 */
#pragma once

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/cli.h"
#include "core/encrypted/encrypted.h"
#include "otter/otter_encrypted.h"

/** Longest image that is encrypted or decrypted here: the largest slot there is. */
#define CLI_ENCRYPTED_IMAGE_MAX (256u << 20)

/**
 * Checks that there is an output, that it is no file that is read, and that it does not meet the facts on standard output.
 *
 * @param keys  names of the options for keys, NULL ends them; one of them must be given
 * @return CLI_OK; CLI_USAGE, reported
 */
int cli_check_encrypted_usage(const cli_args_t *args, const char *const keys[]);

/**
 * Facts of an encrypted image's header: kind, scheme, image_len, file_len, complete, iv, tag.
 *
 * @param file_len  bytes of the file
 * @return NULL without memory
 */
json_t *cli_encrypted_json(const encrypted_header_t *header, uint64_t file_len);

/** Checks that a key can decrypt, before anything is asked of a server. @return CLI_OK; CLI_FAILED, reported with @p path */
int cli_check_decrypt_key(const char *path, const otter_decrypt_config_t *config);
