/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file otter_flash_file.h
 * @brief A flash in a file (POSIX).
 *
 * What program and erase report done survives a crash of the process; what sync reports done
 * survives a power cut of the host. One holder of the lock writes; readers are free to look.
 */
#pragma once

#include <sys/types.h>

#include "otter/otter_flash.h"

#ifdef __cplusplus
extern "C" {
#endif

/** How a flash file is opened. */
typedef enum {
    OTTER_FLASH_FILE_READ,       /**< Read only, no lock. Writes fail with ESP_ERR_FLASH_OP_FAIL. */
    OTTER_FLASH_FILE_WRITE,      /**< Read and write; fails at once if another process holds the lock. */
    OTTER_FLASH_FILE_WRITE_WAIT, /**< Read and write; waits for the lock. */
} otter_flash_file_mode_t;

/** A flash file; storage belongs to the caller. */
typedef struct otter_flash_file {
    otter_flash_t base; /**< Use this as the flash. */
    int fd;             /**< -1 when closed. Owned. */
} otter_flash_file_t;

/**
 * Creates a flash file filled with FF. Complete on disk (file and directory entry) when it returns; a crash
 * before leaves no file of that name, or the old one.
 *
 * @param path        where; an existing file is replaced only if @p replace
 * @param size_bytes  a multiple of 4096
 * @param replace     false: an existing file is an error
 * @return ESP_OK; ESP_ERR_INVALID_SIZE; ESP_ERR_INVALID_STATE if the file exists and @p replace is false;
 *         ESP_ERR_NOT_ALLOWED if it is locked; ESP_FAIL with errno set for an I/O error, e.g. a full disk
 */
esp_err_t otter_flash_file_create(const char *path, uint32_t size_bytes, bool replace);

/**
 * Opens a flash file. The sector size is @p sector_bytes; the size is the file's.
 *
 * @param file          storage, initialised here even on error (closing it is then allowed)
 * @param path          the file
 * @param sector_bytes  a power of two that divides the file's size
 * @param mode          see otter_flash_file_mode_t
 * @return ESP_OK; ESP_ERR_NOT_FOUND; ESP_ERR_NOT_ALLOWED if another process holds the lock (see
 *         otter_flash_file_holder()); ESP_ERR_INVALID_SIZE if the size is 0, above 4 GiB - 1 or no multiple of
 *         @p sector_bytes; ESP_FAIL with errno set for anything else
 */
esp_err_t otter_flash_file_open(otter_flash_file_t *file, const char *path, uint32_t sector_bytes,
                                otter_flash_file_mode_t mode);

/**
 * Takes over an open descriptor, e.g. one inherited from the bootloader with its lock.
 *
 * @param file          storage, initialised here
 * @param fd            readable and writable; owned from now on
 * @param sector_bytes  as in otter_flash_file_open()
 * @return ESP_OK; ESP_ERR_INVALID_ARG for a bad descriptor; ESP_ERR_INVALID_SIZE
 */
esp_err_t otter_flash_file_adopt(otter_flash_file_t *file, int fd, uint32_t sector_bytes);

/** Process that holds the lock of @p path, or 0 if none does or it cannot be told. */
pid_t otter_flash_file_holder(const char *path);

/** Closes; a closed one is left alone. Releases the lock unless an inheriting process still has it. */
void otter_flash_file_close(otter_flash_file_t *file);

#ifdef __cplusplus
}
#endif
