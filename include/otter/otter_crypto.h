/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file otter_crypto.h
 * @brief Porting contract: hashing, constant-time comparison, wiping.
 *
 * One implementation a binary, chosen by the build. Contexts belong to the caller; each one begun
 * must be freed, also after an error.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "esp_err.h"

#ifdef __cplusplus
extern "C" {
#endif

#define OTTER_SHA256_BYTES 32 /**< Length of a SHA-256 digest. */
#define OTTER_MD5_BYTES    16 /**< Length of an MD5 digest. */

/** A running SHA-256. Opaque; all zero means "not begun". */
typedef struct otter_sha256 {
    uint64_t opaque[32];
} otter_sha256_t;

/** Begins a digest. ESP_OK, or ESP_ERR_NO_MEM. */
esp_err_t otter_sha256_begin(otter_sha256_t *sha);

/** Adds bytes to a begun digest. ESP_OK, or ESP_FAIL if the library fails or it was not begun. */
esp_err_t otter_sha256_update(otter_sha256_t *sha, const void *bytes, size_t len);

/** Digest of all bytes added so far; the context may only be freed afterwards. ESP_OK or ESP_FAIL. */
esp_err_t otter_sha256_finish(otter_sha256_t *sha, uint8_t digest[OTTER_SHA256_BYTES]);

/** Frees and wipes a context; one that was never begun (all zero) is left alone. */
void otter_sha256_free(otter_sha256_t *sha);

/** MD5 of a buffer (the partition table's checksum; no security rests on it). ESP_OK or ESP_FAIL. */
esp_err_t otter_md5(const void *bytes, size_t len, uint8_t digest[OTTER_MD5_BYTES]);

/** True if two buffers are equal; takes the same time wherever they differ. */
bool otter_equal_ct(const void *a, const void *b, size_t len);

/** Overwrites a secret in a way that the compiler may not leave out. */
void otter_wipe(void *secret, size_t len);

#ifdef __cplusplus
}
#endif
