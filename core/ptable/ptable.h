/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file ptable.h
 * @brief The partition table: parse, check, build. Format: docs/FORMATS.md.
 *
 * Parsing takes untrusted bytes. It accepts what a genuine ESP-IDF bootloader accepts; ptable_check()
 * adds what a table should also keep to (no overlap, alignment, no gaps in slot numbers).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "esp_err.h"
#include "esp_flash_partitions.h"

#define PTABLE_BYTES          ESP_PARTITION_TABLE_MAX_LEN /**< Bytes of a table on flash. */
#define PTABLE_MAX_PARTITIONS 95 /**< Most partitions a table can hold (94 with an MD5 entry). */
#define PTABLE_LABEL_BYTES    17 /**< A label with its terminator. */
#define PTABLE_MAX_SLOTS      16 /**< Most OTA slots, ota_0 to ota_15. */

/** A partition. */
typedef struct ptable_partition {
    uint8_t type;
    uint8_t subtype;
    uint32_t offset; /**< Bytes from the start of flash. */
    uint32_t size;   /**< Bytes. */
    uint32_t flags;  /**< PART_FLAG_*. */
    char label[PTABLE_LABEL_BYTES];
} ptable_partition_t;

/** A parsed table. */
typedef struct ptable {
    uint32_t count; /**< Entries of @ref partition that are filled, in the order of the table. */
    bool has_md5;   /**< An MD5 entry was there, and right. */
    ptable_partition_t partition[PTABLE_MAX_PARTITIONS];
} ptable_t;

/** What can be wrong with a table. */
typedef enum ptable_fault {
    PTABLE_OK,
    PTABLE_FAULT_MAGIC,     /**< An entry begins with neither AA 50, EB EB nor FF FF. */
    PTABLE_FAULT_BOUNDS,    /**< A partition lies outside the flash. */
    PTABLE_FAULT_MD5,       /**< The MD5 entry does not match, or there are two. */
    PTABLE_FAULT_END,       /**< No end marker within PTABLE_BYTES. */
    PTABLE_FAULT_EMPTY,     /**< No partition at all. */
    PTABLE_FAULT_OVERLAP,   /**< Two partitions overlap, or one overlaps the table itself. */
    PTABLE_FAULT_ALIGN,     /**< Offset not aligned (app 64 KiB, other 4 KiB), or an app's size no multiple of 4 KiB. */
    PTABLE_FAULT_DUPLICATE, /**< Two partitions have the same label, or both are the same app or otadata. */
    PTABLE_FAULT_SLOT_GAP,  /**< OTA slot numbers have a gap: bootloader and app would count them differently. */
    PTABLE_FAULT_OTADATA,   /**< otadata is not two sectors, or read-only. */
    PTABLE_FAULT_RULE,      /**< Another rule of gen_esp32part: NVS too small to be written, coredump read-only, ... */
    PTABLE_FAULT_FULL,      /**< More partitions than fit. */
} ptable_fault_t;

/** Text for a fault, lower case, no full stop. */
const char *ptable_fault_text(ptable_fault_t fault);

/**
 * Parses a table as a genuine ESP-IDF bootloader does.
 *
 * @param table        filled on PTABLE_OK, empty otherwise
 * @param bytes        what lies on flash
 * @param len          how many bytes, at most PTABLE_BYTES are looked at
 * @param flash_bytes  size of the flash: partitions must lie inside
 * @param bad_index    gets the index of the entry at fault; may be NULL
 * @return PTABLE_OK, _MAGIC, _BOUNDS, _MD5, _END, or _EMPTY if the first entry is blank (erased flash). A table that
 *         is nothing but a right MD5 entry is accepted, as there
 */
ptable_fault_t ptable_parse(ptable_t *table, const uint8_t *bytes, size_t len, uint64_t flash_bytes,
                            uint32_t *bad_index);

/**
 * Checks the further rules that a table should keep to.
 *
 * @param table         any table
 * @param table_offset  where the table itself lies, in bytes
 * @param sector_bytes  sector size of the flash, below 4 KiB counts as 4 KiB; otadata must be two sectors, and larger
 *                      sectors than the usual alignments raise these
 * @param bad_index     gets the index of the partition at fault; may be NULL
 * @return PTABLE_OK or the first fault found
 */
ptable_fault_t ptable_check(const ptable_t *table, uint32_t table_offset, uint32_t sector_bytes, uint32_t *bad_index);

/**
 * Writes a table as it lies on flash.
 *
 * @param table     at most 94 partitions with an MD5 entry, 95 without
 * @param with_md5  end it with an MD5 entry
 * @param bytes     gets PTABLE_BYTES bytes, byte for byte what gen_esp32part writes
 * @return PTABLE_OK or PTABLE_FAULT_FULL (or _MD5 if the digest cannot be computed)
 */
ptable_fault_t ptable_build(const ptable_t *table, bool with_md5, uint8_t bytes[PTABLE_BYTES]);

/** First partition of that type and subtype, or NULL. */
const ptable_partition_t *ptable_find(const ptable_t *table, uint8_t type, uint8_t subtype);

/** First partition of that label, or NULL. */
const ptable_partition_t *ptable_find_label(const ptable_t *table, const char *label);

/**
 * Number of OTA slots, the n of (seq - 1) % n: the number of different app/ota_N entries.
 * With consecutive numbering (ptable_check() insists) bootloader and app of ESP-IDF count the same.
 */
uint32_t ptable_slot_count(const ptable_t *table);
