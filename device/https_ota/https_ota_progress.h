/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file https_ota_progress.h
 * @brief How far a download got, kept in the unused tail of the slot, so that it goes on after a power cut.
 *
 * The record's format and its rules are core/progress; here it is read and written. It proves nothing about the image, which
 * is verified in the end whatever was resumed: it saves downloading what is there already.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "esp_err.h"
#include "esp_partition.h"

#define HTTPS_OTA_ETAG_BYTES                                                                                           \
    128 /**< Longest strong validator that is kept, terminator included; a longer one is as none. */

/** What is being downloaded. */
typedef struct https_ota_identity {
    const char *url;   /**< As the application gave it, before redirects. */
    const char *etag;  /**< Strong ETag, quotes included; NULL: the server gives none. */
    int64_t file_len;  /**< Bytes of the whole file; -1: not announced. */
    uint32_t head_len; /**< Bytes of the file that are not image: an encryption header. */
} https_ota_identity_t;

/** What an earlier start left. */
typedef struct https_ota_found {
    uint32_t image_len; /**< Bytes at the start of the slot that are proved to be what was downloaded; 0: none. */
    int64_t file_len;   /**< As recorded; -1: not announced. */
    char etag[HTTPS_OTA_ETAG_BYTES]; /**< Strong ETag that the server has to confirm. */
} https_ota_found_t;

/** The record being kept. All zero: none is. */
typedef struct https_ota_progress https_ota_progress_t;
