/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file stranger.h
 * @brief A flash from a stranger: 256 KiB in RAM under NOR rules, with what an input says in it.
 *
 * It begins erased, with a usual partition table: nvs, otadata, factory, ota_0, ota_1, the three apps 64 KiB each. The input
 * is a list of changes to that, each a byte for its kind and then what the kind needs (see stranger.c).
 */
#pragma once

#include "fuzz/fuzz.h"
#include "otter/otter_flash_nor.h"
#include "otter/otter_flash_ram.h"

#define STRANGER_BYTES   0x40000u /**< Size of the flash. */
#define STRANGER_TABLE   0x8000u  /**< Where its partition table lies. */
#define STRANGER_OTADATA 0xd000u  /**< Where the usual table has otadata. */
#define STRANGER_APP     0x10000u /**< And the first app; the others follow. */
#define STRANGER_SECTOR  0x1000u  /**< Sector size. */

/** Kinds of changes. */
enum stranger_change {
    STRANGER_RAW,        /**< u32 offset, u8 length, bytes: anything, anywhere. */
    STRANGER_ENTRY,      /**< u8 index, 32 bytes: an entry of the partition table. */
    STRANGER_FIX_TABLE,  /**< Makes the MD5 of the partition table right. */
    STRANGER_RECORD,     /**< u8 sector, u32 sequence, u8 state: an otadata record with a good CRC. */
    STRANGER_TORN,       /**< u8 sector, 32 bytes: an otadata record of any bytes. */
    STRANGER_APP_GOOD,   /**< u8 place, u8 secure version: a good app. */
    STRANGER_APP_BYTES,  /**< u8 place, u16 offset, u8 length, bytes: a change of an app. */
    STRANGER_APP_FIX,    /**< u8 place: makes checksum and SHA-256 right. */
    STRANGER_APP_SIGNED, /**< u8 place, u8 secure version (0 to 7), u8 key (0 to 3): a good app, signed. */
    STRANGER_SWITCH,     /**< u8 running, u8 target (as slots + 3), u8 operations: a switch, cut after so many. */
    STRANGER_CHANGES,
};

/** The flash. */
typedef struct stranger {
    uint8_t *bytes; /**< STRANGER_BYTES of them, owned. */
    otter_flash_ram_t ram;
    otter_flash_nor_t nor;
    otter_flash_t *flash; /**< Use this. */
} stranger_t;

/** Makes the flash that the rest of the input describes, for apps of this chip. To be freed with stranger_free(). */
void stranger_make(stranger_t *stranger, fuzz_input_t *input, uint16_t chip_id);

/** Frees it; no NOR rule may have been broken. */
void stranger_free(stranger_t *stranger);
