/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file https_ota_progress.h
 * @brief How far a download got, kept in the unused tail of the slot, so that it goes on after a power cut.
 *
 * The record's format and its rules are core/progress; here it is read and written. It proves nothing about the image, which
 * is verified in the end whatever was resumed: it saves downloading what is there already. So none of these functions fails:
 * without a record, a download is one that starts over after a cut. What flash errors prevent is logged.
 *
 *     find      what an earlier start left                 -> ask the server to confirm it, from found.image_len on
 *     resume    it was confirmed: the record goes on
 *     start     it was not, or nothing was found: a new record, once the slot is open for writing
 *     note      after each write to the slot
 *     drop      what lies in the slot is not to be resumed
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/progress/progress.h"
#include "esp_partition.h"

#define HTTPS_OTA_ETAG_BYTES                                                                                           \
    PROGRESS_ETAG_BYTES /**< Longest strong validator that is kept, terminator included; a longer one is as none. */

/** What is being downloaded. */
typedef struct https_ota_identity {
    const char *url;   /**< As the application gave it, before redirects. */
    const char *etag;  /**< Strong ETag, quotes included; NULL: the server gives none. */
    int64_t file_len;  /**< Bytes of the whole file; -1: not announced. */
    uint32_t head_len; /**< Bytes of the file that are not image: an encryption header. */
} https_ota_identity_t;

/** What an earlier start left. */
typedef struct https_ota_found {
    uint32_t
        image_len;     /**< Bytes at the start of the slot that are proved to be what was downloaded: whole sectors, and
                           less than the image. Never 0. */
    int64_t file_len;  /**< Bytes of the whole file; the server has to confirm it. */
    uint32_t head_len; /**< Bytes of the file that are not image. */
    char etag[HTTPS_OTA_ETAG_BYTES]; /**< Strong ETag that the server has to confirm. */
} https_ota_found_t;

/** The record being kept. All zero: none is. Nothing in it has to be released. */
typedef struct https_ota_progress {
    const esp_partition_t *staging; /**< NULL: there is no record. Not owned. */
    bool noting;                    /**< Blocks are noted. */
    progress_walk_t walk;           /**< How far. */
    progress_walk_t before;         /**< The same before the last block that was found. */
    int64_t synced_us;              /**< When what was noted was made durable last. */
} https_ota_progress_t;

/**
 * Looks for the record of an earlier download of the same URL, and reads back as much of the slot as it vouches for. Writes
 * nothing.
 *
 * @param progress  all zero, or of an update that ended; filled
 * @param staging   the slot; outlives @p progress
 * @param url       as the application gave it
 * @param found     filled if there is something to go on from
 * @return true: there is. The caller asks the server, and then calls resume, start or drop
 */
bool https_ota_progress_find(https_ota_progress_t *progress, const esp_partition_t *staging, const char *url,
                             https_ota_found_t *found);

/**
 * The server confirmed what https_ota_progress_find() found: the record goes on behind found.image_len. The slot is open,
 * to be written from there. The last block that was found, and its check value, are programmed once more as they are: they may
 * be what was being programmed when the power went, and read right by chance.
 *
 * Power cut: the slot and the record are as before.
 */
void https_ota_progress_resume(https_ota_progress_t *progress);

/**
 * The download begins, or begins anew, at the start of the slot, which is open. Erases the slot's last sector and writes a new
 * record there; one for every begun download, and none (nor an erase) if the identity lacks a length or a strong ETag, or if
 * the image leaves no sector free. What was found before is forgotten, and dropped if it would survive.
 *
 * Power cut: no record, the old one, or the new one without any progress. An old one vouches for nothing that was overwritten,
 * since what it vouches for is read back.
 */
void https_ota_progress_start(https_ota_progress_t *progress, const esp_partition_t *staging,
                              const https_ota_identity_t *identity);

/**
 * Notes the next bytes of the image, which were just written to the slot, in order. Once a second what was written so far is
 * made durable. If the record's sector does not take a check value, no more are written: someone who comes back then
 * downloads more.
 *
 * Power cut: the blocks noted before are kept; on NOR that is all but the last sector and what was not handed over. On a flash
 * with a cache also the last second is lost.
 */
void https_ota_progress_note(https_ota_progress_t *progress, const uint8_t *bytes, size_t len);

/**
 * What was found, or written since, is not to be resumed: it did not verify, or the server has something else. Durable when
 * this returns. Takes no erase.
 *
 * Power cut: the record is there, or not. If it is, the next update resumes, does not verify, and drops it.
 */
void https_ota_progress_drop(https_ota_progress_t *progress);
