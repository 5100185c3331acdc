/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file otter_key_store_file.h
 * @brief A key store in a file (POSIX): exactly OTTER_KEY_STORE_BYTES bytes.
 *
 * The file keeps what was burned as long as nobody else can write it: it stands for fuses, but it is none. Burns of
 * several processes and threads are serialised, so none is lost; whatever happens, a burned bit is not cleared.
 */
#pragma once

#include <stdbool.h>

#include "otter/otter_key_store.h"

#ifdef __cplusplus
extern "C" {
#endif

/** A key store file; storage belongs to the caller. */
typedef struct otter_key_store_file {
    otter_key_store_t base; /**< Use this as the key store. */
    int fd;                 /**< -1 when closed. Owned. */
} otter_key_store_file_t;

/**
 * Creates a key store with no bit burned. Complete on disk (file and directory entry) when it returns; a crash before
 * leaves no file of that name, or the old one.
 *
 * @param path     where
 * @param replace  false: an existing file is an error. true: it is replaced, and what was burned is gone: for a new device only
 * @return ESP_OK; ESP_ERR_INVALID_STATE if the file exists and @p replace is false; ESP_FAIL with errno set for an I/O error
 */
esp_err_t otter_key_store_file_create(const char *path, bool replace);

/**
 * Opens a key store file.
 *
 * @param file   storage, initialised here even on error (closing it is then allowed)
 * @param path   the file
 * @param write  bits may be burned; otherwise a burn fails with ESP_FAIL
 * @return ESP_OK; ESP_ERR_NOT_FOUND if there is none; ESP_ERR_INVALID_SIZE if it is no regular file of OTTER_KEY_STORE_BYTES
 *         bytes; ESP_FAIL with errno set for anything else
 */
esp_err_t otter_key_store_file_open(otter_key_store_file_t *file, const char *path, bool write);

/**
 * Takes over an open descriptor, e.g. one inherited from the bootloader.
 *
 * @param file  storage, initialised here
 * @param fd    readable, and writable if bits are to be burned; owned from now on if it is taken
 * @return ESP_OK; ESP_ERR_INVALID_ARG for a bad descriptor; ESP_ERR_INVALID_SIZE as in otter_key_store_file_open()
 */
esp_err_t otter_key_store_file_adopt(otter_key_store_file_t *file, int fd);

/** Closes; a closed one is left alone. */
void otter_key_store_file_close(otter_key_store_file_t *file);

#ifdef __cplusplus
}
#endif
