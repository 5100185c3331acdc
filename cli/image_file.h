/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file image_file.h
 * @brief Images in files: walked in pieces, so that a large one needs no memory.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/cli.h"
#include "core/encrypted/encrypted.h"
#include "core/image/image.h"

#define CLI_OPTION_BOOTLOADER                                                                                          \
    {                                                                                                                  \
        .name = "bootloader", .help = "it is a bootloader image, whatever it looks like"                               \
    }

/** Bytes of a bootloader descriptor. */
#define CLI_BOOTLOADER_DESC_BYTES 80

/** A walked file. */
typedef struct cli_image {
    image_walk_t walk;  /**< Finished and freed: findings to be read. */
    image_kind_t kind;  /**< What it was walked as. */
    uint64_t file_len;  /**< Bytes of the file, those after the image included. */
    bool has_boot_desc; /**< boot_desc is a bootloader descriptor. */
    uint8_t boot_desc[CLI_BOOTLOADER_DESC_BYTES];
    bool is_encrypted;                 /**< It begins as an encrypted image does; there is no more to the walk. */
    encrypted_fault_t encrypted_fault; /**< What is wrong with its header. */
    encrypted_header_t encrypted;      /**< Filled if nothing is. */
} cli_image_t;

/**
 * Walks a file as a whole. What kind of image it is shows in its first bytes: an app begins with its descriptor; an Espressif
 * image without one is a bootloader if it has a bootloader descriptor, or if its first segment is loaded into RAM.
 *
 * @param path        the file; "-": standard input
 * @param expect      what it is checked against; its kind does not matter
 * @param bootloader  it is a bootloader, whatever it looks like
 * @param image       filled; image->walk.fault says what is wrong with it
 * @return CLI_OK, also for a faulty image; CLI_FAILED, reported, if it cannot be read
 */
int cli_walk_image(const char *path, const image_expect_t *expect, bool bootloader, cli_image_t *image);

/** As cli_walk_image(), with the file's bytes in memory. @p path is for messages. */
int cli_walk_bytes(const char *path, const uint8_t *bytes, size_t len, const image_expect_t *expect, bool bootloader,
                   cli_image_t *image);

/** Reports an image's fault, where it is and what was found there, or that it is encrypted. @return CLI_FAILED */
int cli_fail_image(const char *path, const cli_image_t *image);
