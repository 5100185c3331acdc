/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Partition table as CSV. What is accepted passes ptable_check(), and reads the same when it was written and read again;
 * what is refused is refused with a reason and a line that exists. A text in UTF-16 or UTF-32 becomes UTF-8 first.
 *
 * Input: flags (see options_of()), text.
 */
#define _POSIX_C_SOURCE 200809L
#include "fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "cli/unicode.h"
#include "core/ptable/ptable_csv.h"

typedef struct text {
    char *chars;
    size_t len;
    size_t size;
} text_t;

static void append(void *arg, const char *chars, size_t len)
{
    text_t *text = arg;
    FUZZ_CHECK(len <= text->size - text->len);
    memcpy(text->chars + text->len, chars, len);
    text->len += len;
}

static const char *variable(void *arg, const char *name)
{
    (void)arg;
    FUZZ_CHECK(strchr(name, '$') == NULL);
    return strcmp(name, "SIZE") == 0 ? "0x10000" : strcmp(name, "V") == 0 ? "nvs" : NULL;
}

static ptable_csv_options_t options_of(uint8_t flags)
{
    return (ptable_csv_options_t){
        .table_offset = 0x8000,
        .flash_bytes = (flags & 1) != 0 ? 0x400000 : 0,
        .sector_bytes = (flags & 2) != 0 ? 0x10000 : 0,
        .has_bootloader_offset = (flags & 4) != 0,
        .bootloader_offset = (flags & 8) != 0 ? 0x1000 : 0,
        .has_recovery_offset = (flags & 16) != 0,
        .recovery_offset = 0x200000,
        .variable = (flags & 32) != 0 ? variable : NULL,
    };
}

static uint32_t lines_of(const char *text, size_t len)
{
    uint32_t lines = 1;
    for (size_t i = 0; i < len; i++) {
        lines += text[i] == '\n' || text[i] == '\r';
    }
    return lines;
}

static void check_error(const ptable_csv_error_t *error, const char *text, size_t len)
{
    size_t error_len = strnlen(error->text, sizeof(error->text));
    FUZZ_CHECK(error_len > 0 && error_len < sizeof(error->text));
    FUZZ_CHECK(error->line <= lines_of(text, len));
    for (size_t i = 0; i < error_len; i++) {
        FUZZ_CHECK((unsigned char)error->text[i] >= 0x20 && error->text[i] != 0x7F);
    }
}

/* A label that ptable_csv_write() writes as it is, and that reads the same: blanks around a field do not count. */
static bool is_plain(const char *label)
{
    for (size_t i = 0; label[i] != '\0'; i++) {
        unsigned char c = (unsigned char)label[i];
        if (c < 0x20 || c == 0x7F || c == ',' || c == '$' || (c == '#' && i == 0)) {
            return false;
        }
    }
    size_t len = strlen(label);
    return len == 0 || (label[0] != ' ' && label[len - 1] != ' ');
}

static void check_same(const ptable_t *a, const ptable_t *b)
{
    FUZZ_CHECK(a->count == b->count);
    for (uint32_t i = 0; i < a->count; i++) {
        const ptable_partition_t *p = &a->partition[i];
        const ptable_partition_t *q = &b->partition[i];
        FUZZ_CHECK(p->type == q->type && p->subtype == q->subtype);
        FUZZ_CHECK(p->offset == q->offset && p->size == q->size);
        FUZZ_CHECK(p->flags == q->flags && strcmp(p->label, q->label) == 0);
    }
}

static void check_accepted(const ptable_t *table, const ptable_csv_options_t *options)
{
    bool plain = true;
    for (uint32_t i = 0; i < table->count; i++) {
        const ptable_partition_t *p = &table->partition[i];
        uint64_t end = (uint64_t)p->offset + p->size;
        plain = plain && is_plain(p->label);
        FUZZ_CHECK(end <= (options->flash_bytes != 0 ? options->flash_bytes : 1ull << 32));
    }
    uint32_t sector = options->sector_bytes != 0 ? options->sector_bytes : 4096;
    FUZZ_CHECK(ptable_check(table, options->table_offset, sector, NULL) == PTABLE_OK);
    text_t text = {.size = 256 + (size_t)table->count * 128};
    text.chars = malloc(text.size);
    FUZZ_CHECK(text.chars != NULL);
    ptable_csv_write(table, append, &text);
    if (plain) {
        ptable_t again;
        ptable_csv_error_t error;
        char *exact = fuzz_copy(text.chars, text.len);
        FUZZ_CHECK(ptable_csv_parse(&again, exact, text.len, options, &error) == ESP_OK);
        check_same(table, &again);
        free(exact);
    }
    free(text.chars);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_input_t input = {data, size};
    ptable_csv_options_t options = options_of(fuzz_take_u8(&input));
    size_t len = 0;
    uint8_t *bytes = fuzz_take_rest(&input, &len);
    if (cli_text_to_utf8(&bytes, &len)) {
        ptable_t table;
        ptable_csv_error_t error = {.line = 0};
        char *text = fuzz_copy(bytes, len);
        if (ptable_csv_parse(&table, text, len, &options, &error) == ESP_OK) {
            check_accepted(&table, &options);
        } else {
            check_error(&error, text, len);
        }
        free(text);
    }
    free(bytes);
    return 0;
}
