/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/output.h"
#include "core/util/bytes.h"

#define CELL_BYTES   160 /* Longest text of a cell, terminator included; longer values are cut. */
#define COLUMNS_MAX  16
#define DIGEST_CHARS 12 /* Of a digest; enough to tell keys apart. */

#define RED   "\033[31m"
#define GREEN "\033[32m"
#define BOLD  "\033[1m"
#define PLAIN "\033[0m"

bool cli_coloured(void)
{
    const char *no_color = getenv("NO_COLOR");
    return isatty(STDOUT_FILENO) && (no_color == NULL || no_color[0] == '\0');
}

const char *cli_printable(char *dst, size_t len, const json_t *value, const char *missing)
{
    snprintf(dst, len, "%s", json_is_string(value) ? json_string_value(value) : missing);
    bytes_make_printable(dst);
    return dst;
}

int cli_print_json(json_t *json)
{
    if (json == NULL) {
        return cli_fail("out of memory");
    }
    int failed = json_dumpf(json, stdout, JSON_INDENT(2));
    json_decref(json);
    if (failed) {
        return cli_fail("cannot write JSON to standard output");
    }
    putchar('\n');
    return CLI_OK;
}

const char *cli_format_size(char *dst, size_t len, uint64_t bytes)
{
    if (bytes != 0 && bytes % (1u << 20) == 0) {
        snprintf(dst, len, "%" PRIu64 "M", bytes >> 20);
    } else if (bytes != 0 && bytes % (1u << 10) == 0) {
        snprintf(dst, len, "%" PRIu64 "K", bytes >> 10);
    } else {
        snprintf(dst, len, "0x%" PRIx64, bytes);
    }
    return dst;
}

/** Members of a list of names or digests, joined by commas. */
static void format_list(char cell[CELL_BYTES], const json_t *list, cli_style_t style)
{
    size_t used = 0;
    int most = style == CLI_STYLE_DIGEST ? DIGEST_CHARS : CELL_BYTES;
    cell[0] = '\0';
    for (size_t i = 0; i < json_array_size(list) && used < CELL_BYTES; i++) {
        const char *item = json_string_value(json_array_get(list, i));
        int added =
            snprintf(cell + used, CELL_BYTES - used, "%s%.*s", i > 0 ? "," : "", most, item != NULL ? item : "?");
        used += added > 0 ? (size_t)added : 0;
    }
}

static void format_text(char cell[CELL_BYTES], const char *text)
{
    snprintf(cell, CELL_BYTES, "%s", text[0] != '\0' ? text : "-");
    bytes_make_printable(cell);
}

static void format_number(char cell[CELL_BYTES], uint64_t number, cli_style_t style)
{
    if (style == CLI_STYLE_SIZE) {
        cli_format_size(cell, CELL_BYTES, number);
    } else {
        snprintf(cell, CELL_BYTES, style == CLI_STYLE_HEX ? "0x%" PRIx64 : "%" PRIu64, number);
    }
}

static void format(char cell[CELL_BYTES], const json_t *value, cli_style_t style)
{
    if (json_is_string(value)) {
        format_text(cell, json_string_value(value));
    } else if (json_is_integer(value)) {
        format_number(cell, (uint64_t)json_integer_value(value), style);
    } else if (json_is_boolean(value)) {
        snprintf(cell, CELL_BYTES, "%s", json_is_true(value) ? "yes" : "no");
    } else if (json_array_size(value) > 0) {
        format_list(cell, value, style);
    } else {
        snprintf(cell, CELL_BYTES, "-");
    }
}

static int width_of(const json_t *rows, const cli_column_t *column)
{
    char cell[CELL_BYTES];
    size_t width = strlen(column->title);
    for (size_t i = 0; i < json_array_size(rows); i++) {
        format(cell, json_object_get(json_array_get(rows, i), column->key), column->style);
        width = strlen(cell) > width ? strlen(cell) : width;
    }
    return (int)width;
}

/** Escape sequence that begins a cell, or "". */
static const char *colour_of(const json_t *value, cli_style_t style)
{
    if (style != CLI_STYLE_CHECK || !json_is_boolean(value) || !cli_coloured()) {
        return "";
    }
    return json_is_true(value) ? GREEN : RED;
}

static void print_row(const json_t *row, const cli_column_t *columns, const int *widths)
{
    char cell[CELL_BYTES];
    for (size_t i = 0; columns[i].key != NULL; i++) {
        const json_t *value = json_object_get(row, columns[i].key);
        const char *colour = colour_of(value, columns[i].style);
        bool last = columns[i + 1].key == NULL;
        format(cell, value, columns[i].style);
        printf("%s%s%-*s%s", i > 0 ? "  " : "", colour, last ? 0 : widths[i], cell, colour[0] != '\0' ? PLAIN : "");
    }
    putchar('\n');
}

static void print_titles(const cli_column_t *columns, const int *widths)
{
    bool coloured = cli_coloured();
    for (size_t i = 0; columns[i].key != NULL; i++) {
        bool last = columns[i + 1].key == NULL;
        printf("%s%s%-*s%s", i > 0 ? "  " : "", coloured ? BOLD : "", last ? 0 : widths[i], columns[i].title,
               coloured ? PLAIN : "");
    }
    putchar('\n');
}

void cli_print_table(const json_t *rows, const cli_column_t *columns)
{
    int widths[COLUMNS_MAX] = {0};
    if (json_array_size(rows) == 0) {
        puts("(none)");
        return;
    }
    for (size_t i = 0; columns[i].key != NULL && i < COLUMNS_MAX; i++) {
        widths[i] = width_of(rows, &columns[i]);
    }
    print_titles(columns, widths);
    for (size_t i = 0; i < json_array_size(rows); i++) {
        print_row(json_array_get(rows, i), columns, widths);
    }
}

json_t *cli_json_hex(const uint8_t *bytes, size_t len)
{
    static const char digits[] = "0123456789abcdef";
    char text[129];
    if (len > sizeof(text) / 2) {
        return NULL;
    }
    for (size_t i = 0; i < len; i++) {
        text[2 * i] = digits[bytes[i] >> 4];
        text[2 * i + 1] = digits[bytes[i] & 15];
    }
    return json_stringn(text, 2 * len);
}

json_t *cli_json_text(const char *text, size_t max_len)
{
    size_t len = strnlen(text, max_len);
    json_t *json = json_stringn(text, len);
    if (json != NULL) {
        return json;
    }
    char copy[256];
    len = len < sizeof(copy) ? len : sizeof(copy);
    for (size_t i = 0; i < len; i++) {
        copy[i] = (char)((unsigned char)text[i] < 0x80 ? text[i] : '?');
    }
    return json_stringn(copy, len);
}
