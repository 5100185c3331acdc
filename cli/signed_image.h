/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file signed_image.h
 * @brief An image in memory with the signature sector behind it, to be filled and written.
 */
#pragma once

#include "cli/cli.h"
#include "core/trust/signature.h"

/** An image to be signed. Storage belongs to the caller; all zero is an empty one. */
typedef struct cli_signed {
    const char *path; /**< Its file, for messages: the caller's. */
    uint8_t *bytes;   /**< The padded image, then the sector. Owned. */
    uint16_t chip_id; /**< What it is for. */
    bool bootloader;  /**< It was walked as a bootloader. */
    size_t image_len; /**< Bytes of the padded image, a multiple of SIGNATURE_SECTOR_BYTES. */
    signature_digests_t digests;
    uint32_t count;                          /**< Signatures that it has. */
    signature_t signature[SIGNATURE_BLOCKS]; /**< They; all of them good. */
} cli_signed_t;

/**
 * Loads an image and proves it: it must be whole, with nothing behind it but padding or a sound signature sector.
 *
 * @param path        the file; "-": standard input; must outlive @p image
 * @param bootloader  it is a bootloader, whatever it looks like
 * @param image       filled; to be freed with cli_signed_free() whatever happens
 * @return CLI_OK; CLI_FAILED, reported
 */
int cli_signed_load(const char *path, bool bootloader, cli_signed_t *image);

/**
 * Adds a signature behind those that are there. One that does not verify, or of a key that has signed already, is refused.
 *
 * @param who        for messages: where the key comes from
 * @param signature  as signature_build() takes it
 * @return CLI_OK; CLI_FAILED, reported
 */
int cli_signed_add(cli_signed_t *image, const char *who, const signature_key_t *key, const uint8_t *signature);

/** Refuses a key that has signed already. @return CLI_OK; CLI_FAILED, reported */
int cli_signed_check_new(const cli_signed_t *image, const char *who, const signature_key_t *key);

/**
 * Writes image and sector, after the walk that devices do has found every signature good.
 *
 * @return CLI_OK; CLI_FAILED, reported: the file is as it was
 */
int cli_signed_write(const cli_signed_t *image, const char *path);

/** Frees. */
void cli_signed_free(cli_signed_t *image);
