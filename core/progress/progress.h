/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file progress.h
 * @brief The record of a download in the unused tail of its slot: its bytes, its rules. Pure functions.
 *
 * The record is the slot's last sector: a header that names the download, then one check value for each block of the image.
 * A check value depends on the header and on all of the image up to the end of its block. Format: docs/FORMATS.md.
 *
 * Who comes back after a power cut hashes what lies in the slot, and believes as much of it as the check values confirm. They
 * need not be durable, complete or in order for that. They protect from nobody who writes to the flash: the image is verified
 * in the end, whatever was resumed.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "otter/otter_crypto.h"

#define PROGRESS_HEADER_BYTES 192 /**< Bytes of the header: a multiple of every unit of program. */
#define PROGRESS_MAGIC_BYTES  4   /**< First bytes of it; all zero: dropped. */
#define PROGRESS_ETAG_BYTES   128 /**< Longest ETag, terminator included. */
#define PROGRESS_PLACE_BYTES  64  /**< Most bytes from one check value to the next. */
#define PROGRESS_LANES        4 /**< Words of 8 bytes that are hashed side by side, which takes a third of the time. */

/** What a slot is made of. */
typedef struct progress_slot {
    uint32_t size_bytes;    /**< A multiple of the sector size. */
    uint32_t sector_bytes;  /**< A power of two. */
    uint32_t program_bytes; /**< Unit of program. */
} progress_slot_t;

/** A download and its record. */
typedef struct progress_record {
    uint8_t url_hash[OTTER_SHA256_BYTES]; /**< SHA-256 of the URL. */
    char etag[PROGRESS_ETAG_BYTES];       /**< Strong, quotes included. */
    uint32_t file_len;                    /**< Bytes of the file. */
    uint32_t head_len;                    /**< Bytes of it that are not image; less than file_len. */
    uint32_t sector_bytes;                /**< As of the slot. */
    uint32_t block_bytes;                 /**< Bytes of image that a check value stands for: a multiple of a sector. */
    uint8_t place_bytes;                  /**< Bytes from one check value to the next. */
} progress_record_t;

/** True if the text is a strong ETag that a record can hold: "..." in quotes, nothing that a header line cannot carry. */
bool progress_is_strong(const char *etag);

/**
 * Lays a record out: as many check values as can be had, as long as can be had.
 *
 * @param record  file_len and head_len are set; gets sector_bytes, block_bytes and place_bytes
 * @return false: there is no room for one behind the image, the lengths make no sense, or the slot is none that can hold one
 */
bool progress_plan(progress_record_t *record, const progress_slot_t *slot);

/** Bytes of a record's header. @p record was planned, and its etag is strong. */
void progress_encode(const progress_record_t *record, uint8_t header[PROGRESS_HEADER_BYTES]);

/**
 * Reads a header, whose bytes may be anything.
 *
 * @param record  filled
 * @return false unless it is one that progress_encode() made for such a slot
 */
bool progress_decode(progress_record_t *record, const uint8_t header[PROGRESS_HEADER_BYTES],
                     const progress_slot_t *slot);

/** Where an image is, on its way through the record. */
typedef struct progress_walk {
    uint32_t image_len;               /**< Bytes of the whole image. */
    uint32_t block_bytes;             /**< As of the record. */
    uint8_t place_bytes;              /**< As of the record. */
    uint32_t at;                      /**< Bytes taken so far. */
    uint64_t lane[PROGRESS_LANES];    /**< Hashes of the header and of these bytes, every fourth word each. */
    uint8_t rest[8 * PROGRESS_LANES]; /**< Bytes at the end that do not fill all lanes: at % 32. */
} progress_walk_t;

/** Begins at the start of the image. @p header are the bytes of @p record. */
void progress_begin(progress_walk_t *walk, const progress_record_t *record,
                    const uint8_t header[PROGRESS_HEADER_BYTES]);

/**
 * Takes the next bytes of the image, at most up to the end of a block.
 *
 * @param len   not 0
 * @param took  gets how many; what comes behind the image's announced end is taken and means nothing
 * @return true: they end a block, and progress_place() is that block's. The image's last block has no check value: someone who
 *         comes back always has something left to ask the server for.
 */
bool progress_take(progress_walk_t *walk, const uint8_t *bytes, size_t len, size_t *took);

/**
 * The check value of the block that ends where the walk is.
 *
 * @param place  gets the place_bytes bytes; never all FF
 * @return its offset in the record's sector
 */
uint32_t progress_place(const progress_walk_t *walk, uint8_t place[PROGRESS_PLACE_BYTES]);

/** True if a NOR flash that holds @p old can be programmed to hold @p wanted: no bit has to become 1. */
bool progress_can_program(const uint8_t *old, const uint8_t *wanted, size_t len);
