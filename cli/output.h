/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file output.h
 * @brief Facts on standard output: one json_t for programs and people alike.
 *
 * A command gathers its facts as JSON. --json prints them as they are; otherwise the same facts are
 * laid out as a table, so that both always say the same.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** How a value is shown to people. */
typedef enum cli_style {
    CLI_STYLE_TEXT,   /**< As it is; "-" for null. */
    CLI_STYLE_HEX,    /**< Number as 0x... */
    CLI_STYLE_SIZE,   /**< Number of bytes: "64K", "1M", "0x1234". */
    CLI_STYLE_DIGEST, /**< Digest or list of digests: the first digits of each. */
    CLI_STYLE_CHECK,  /**< Boolean, "yes" in green or "no" in red. */
} cli_style_t;

/** A column of a table. */
typedef struct cli_column {
    const char *key;   /**< Member of each row; NULL ends the columns. */
    const char *title; /**< Heading. */
    cli_style_t style;
} cli_column_t;

/**
 * Prints JSON, indented, members in the order they were set.
 *
 * @param json  taken over (also on error); NULL stands for "out of memory"
 * @return CLI_OK; CLI_FAILED, reported
 */
int cli_print_json(json_t *json);

/** Prints an array of objects as a table with headings; "(none)" if it is empty. Colours only on a terminal. */
void cli_print_table(const json_t *rows, const cli_column_t *columns);

/** True if standard output may be coloured: a terminal, and the environment has no NO_COLOR. */
bool cli_coloured(void);

/** A string of JSON facts for people, printable; @p missing for null. @p dst holds the result. @return @p dst */
const char *cli_printable(char *dst, size_t len, const json_t *value, const char *missing);

/** A size for people: "1M", "64K", or hexadecimal if it is no whole number of KiB. @p dst holds at least 24 bytes. */
const char *cli_format_size(char *dst, size_t len, uint64_t bytes);

/** A digest (or any bytes) as a JSON string of lower-case hexadecimal digits; NULL without memory. */
json_t *cli_json_hex(const uint8_t *bytes, size_t len);

/** A text field of untrusted origin as a JSON string: bytes that are not UTF-8 become '?'. NULL without memory. */
json_t *cli_json_text(const char *text, size_t max_len);
