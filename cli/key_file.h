/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file key_file.h
 * @brief Signing keys in PEM files.
 */
#pragma once

#include "core/trust/signature.h"
#include "otter/otter_signing.h"

/**
 * Loads a key, private or public.
 *
 * @param path  PEM file; "-": standard input
 * @param key   gets it, for otter_signing_free(); NULL on error
 * @return CLI_OK; CLI_FAILED, reported with the reason
 */
int cli_load_key(const char *path, otter_signing_key_t **key);

/**
 * Loads the public half of a key, from a file with either half.
 *
 * @param path  PEM file; "-": standard input
 * @param key   gets it, as a signature block holds it
 * @return CLI_OK; CLI_FAILED, reported with the reason
 */
int cli_load_public_key(const char *path, signature_key_t *key);

/** Public half of a loaded key. @p path is for the message. @return CLI_OK; CLI_FAILED, reported */
int cli_public_key(const char *path, const otter_signing_key_t *key, signature_key_t *out);

/** Digest of a public key. @p path is for the message. @return CLI_OK; CLI_FAILED, reported */
int cli_key_digest(const char *path, const signature_key_t *key, uint8_t digest[OTTER_SHA256_BYTES]);
