/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file files.h
 * @brief Whole files in, whole files out: an output file is complete or untouched.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * Reads a whole file.
 *
 * @param path       the file; "-": standard input
 * @param max_bytes  a longer one is refused
 * @param bytes      gets the contents, for free(); NULL on error
 * @param len        gets its length in bytes
 * @return CLI_OK; CLI_FAILED, reported with the file's name
 */
int cli_read_file(const char *path, size_t max_bytes, uint8_t **bytes, size_t *len);

/** True if both names lead to the same regular file that exists. */
bool cli_is_same_file(const char *path, const char *other);

/** An output file being written. Storage belongs to the caller; all zero is a closed one. */
typedef struct cli_file_out {
    const char *path; /**< Name for messages: the caller's. */
    char *target;     /**< The name it will have; NULL: written in place. Owned. */
    char *temp;       /**< The name it has until then; NULL: written in place. Owned. */
    int fd;           /**< Descriptor, valid while open. Owned. */
    bool open;        /**< Between begin and commit or discard. */
} cli_file_out_t;

/**
 * Begins an output file. Until the commit it lies beside its target under another name, which is removed if the program is
 * interrupted. What is no regular file (a device, a pipe, "-" for standard output) is written in place.
 *
 * @param out   initialised here
 * @param path  where; must outlive @p out
 * @param mode  permissions, before umask, e.g. 0666; 0600 for secrets. Those of a replaced file are not kept.
 * @return CLI_OK; CLI_FAILED, reported
 */
int cli_file_begin(cli_file_out_t *out, const char *path, unsigned mode);

/** Appends. @return CLI_OK; CLI_FAILED, reported (a full disk, say) */
int cli_file_write(cli_file_out_t *out, const void *bytes, size_t len);

/**
 * Completes: makes the bytes durable, then gives the file its name, which replaces an old one in one step. A power cut leaves the
 * old file or the new one.
 *
 * @return CLI_OK; CLI_FAILED, reported: the target is as it was
 */
int cli_file_commit(cli_file_out_t *out);

/** Gives up: removes what was written. A closed one is left alone, so this may always follow. */
void cli_file_discard(cli_file_out_t *out);

/** Begins, writes and commits in one go. @return CLI_OK; CLI_FAILED, reported */
int cli_write_file(const char *path, unsigned mode, const void *bytes, size_t len);
