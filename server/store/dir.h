/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file dir.h
 * @brief A directory of firmware files, to be read by names that strangers choose.
 *
 * Files are published by rename: write the new one under another name, then rename it over the old one. Whoever reads
 * the old one keeps reading it. A file that is changed in place is noticed, and reading it fails from then on.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

/** Room for a tag with its terminator. */
#define DIR_TAG_SIZE 88

/** How opening a file ends. */
enum dir_result {
    DIR_OK,
    DIR_NOT_FOUND, /**< No such file, no regular one, outside the directory, or not readable for this process. */
    DIR_BUSY,      /**< Out of descriptors or memory, or the directory changes too fast: try again later. */
};

/** A directory whose files are served. */
struct dir {
    int fd; /**< -1 when closed. */
};

/** An open file. It stays the file it was, whatever happens to its name. */
struct dir_file {
    int fd;                   /**< -1 when closed. */
    uint64_t size_bytes;      /**< When it was opened. */
    struct timespec modified; /**< When it was opened. */

    /**
     * Names its content: two opens give the same tag only for the same file, unchanged. Made of inode, size and the
     * times of the last change of content and of inode to the nanosecond, so it costs no reading; it is not
     * a checksum, and the same bytes elsewhere have another tag. Printable, without quotes.
     */
    char tag[DIR_TAG_SIZE];
};

/** Opens a directory to serve from. @return false with errno set */
bool dir_open(struct dir *dir, const char *path);

/** Closes it; open files stay open. A closed one is accepted. */
void dir_close(struct dir *dir);

/**
 * Opens a regular file below the directory for reading.
 *
 * No name leads out of the directory: the kernel resolves it beneath the directory (openat2), so symbolic links may
 * point within but not out. Kernels before 5.6 do not offer that; there no symbolic link is followed at all.
 *
 * @param name  relative, parts separated by single slashes
 */
enum dir_result dir_open_file(const struct dir *dir, const char *name, struct dir_file *file);

/** As dir_open_file(), by the way that old kernels need. */
enum dir_result dir_open_file_stepwise(const struct dir *dir, const char *name, struct dir_file *file);

/**
 * Reads at an offset, up to @p size bytes, fewer only at the end of the file.
 *
 * @return bytes read, 0 at the end; -1 if reading failed or the file is no longer what was opened (errno ESTALE)
 */
ssize_t dir_read(const struct dir_file *file, uint64_t off, void *buffer, size_t size);

/** Closes it; a closed one is accepted. */
void dir_close_file(struct dir_file *file);
