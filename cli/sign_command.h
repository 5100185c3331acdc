/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file sign_command.h
 * @brief Signatures made elsewhere: by a command that reaches the key, in an HSM say.
 */
#pragma once

#include "core/trust/trust.h"
#include "otter/otter_signing.h"

/** Environment variable with the path of a file that holds the digest, raw. */
#define SIGN_COMMAND_DIGEST "OTTER_DIGEST"

/** Environment variable with the scheme: "rsa3072", "p256" or "p384". */
#define SIGN_COMMAND_SCHEME "OTTER_SCHEME"

/**
 * Lets a command sign a digest. It is run by sh, with standard input and error of this program; what it writes to standard
 * output is the signature. The file with the digest is removed afterwards.
 *
 * @param command     for sh -c
 * @param scheme      for the command's information
 * @param digest      what to sign
 * @param digest_len  its bytes
 * @param signature   gets what the command wrote
 * @param len         gets how many bytes that is
 * @return CLI_OK; CLI_FAILED, reported: it could not be run, failed, or wrote nothing or too much
 */
int cli_run_sign_command(const char *command, trust_scheme_t scheme, const uint8_t *digest, size_t digest_len,
                         uint8_t signature[OTTER_SIGNATURE_INPUT_BYTES], size_t *len);
