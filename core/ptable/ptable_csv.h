/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file ptable_csv.h
 * @brief Partition table as CSV text, as gen_esp32part reads and writes it.
 */
#pragma once

#include "core/ptable/ptable.h"

/** What a CSV is read with. */
typedef struct ptable_csv_options {
    uint32_t table_offset;      /**< Where the table will lie; automatic offsets start one sector behind. */
    uint64_t flash_bytes;       /**< Partitions must end inside; 0: not checked. */
    uint32_t sector_bytes;      /**< Sector size of the flash; 0: 4096. */
    bool has_bootloader_offset; /**< The next field is given. */
    uint32_t bootloader_offset; /**< Primary bootloader, for entries whose offset or size is N/A. */
    bool has_recovery_offset;   /**< The next field is given. */
    uint32_t recovery_offset;   /**< Recovery bootloader, likewise. */
    /** Value of an environment variable named in the text as $NAME, or NULL if unknown; may be NULL: none is known. */
    const char *(*variable)(void *arg, const char *name);
    void *variable_arg; /**< Handed to it. */
} ptable_csv_options_t;

/** Where and why a CSV was refused. */
typedef struct ptable_csv_error {
    uint32_t line;  /**< Counted from 1; 0: the table as a whole. */
    char text[120]; /**< What is wrong, for people, terminated. */
} ptable_csv_error_t;

/**
 * Reads a CSV. UTF-8, with or without byte order mark. (UTF-16 and UTF-32 are told apart and refused
 * by name: the caller converts them.) Stricter than gen_esp32part where a table would be ambiguous: ptable_check()
 * applies. Uses about 2 KiB of stack.
 *
 * @param table    filled on success, in the order of the text
 * @param text     the CSV, not necessarily terminated
 * @param len      its length in bytes
 * @param options  see there
 * @param error    filled on failure
 * @return ESP_OK; ESP_ERR_INVALID_ARG if the text or the table it describes is refused
 */
esp_err_t ptable_csv_parse(ptable_t *table, const char *text, size_t len, const ptable_csv_options_t *options,
                           ptable_csv_error_t *error);

/** Receives a piece of text; not terminated. */
typedef void (*ptable_csv_emit_t)(void *arg, const char *text, size_t len);

/**
 * Writes a table as CSV: the form that gen_esp32part prints for a binary table. Characters of a label that would
 * change the meaning of the line (control characters, ',', '$', a leading '#') are written as '_'.
 */
void ptable_csv_write(const ptable_t *table, ptable_csv_emit_t emit, void *arg);

/** Name of a partition type ("app", "data", ...) or NULL if it has none. */
const char *ptable_type_name(uint8_t type);

/** Name of a subtype ("ota_0", "nvs", ...) or NULL if it has none. */
const char *ptable_subtype_name(uint8_t type, uint8_t subtype);
