/* SPDX-License-Identifier: Apache-2.0 */
#include "core/ptable/ptable_csv.h"

#include <string.h>

#include "core/ptable/ptable_names.h"
#include "core/ptable/ptable_rules.h"

#define LINE_BYTES        1024u /* Longest line after variables are put in. */
#define VARIABLE_BYTES    64u   /* Longest name of a variable, with its terminator. */
#define HEX_BYTES         11u   /* "0x" and eight digits, with the terminator. */
#define SUBTYPE_UNDEFINED 0x06u /* What an empty subtype means, for any type but app. */
#define NUMBER_LIMIT      (1ll << 40)

enum { FIELD_NAME, FIELD_TYPE, FIELD_SUBTYPE, FIELD_OFFSET, FIELD_SIZE, FIELD_FLAGS, FIELD_COUNT };

/* The reading of one text. */
typedef struct csv {
    ptable_t *table;
    const ptable_csv_options_t *options;
    ptable_csv_error_t *error;
    uint32_t line;                         /* Counted from 1. */
    uint64_t next_off;                     /* First byte behind what is laid out so far. */
    uint32_t lines[PTABLE_MAX_PARTITIONS]; /* Line of each partition. */
    size_t len;                            /* Of buf. */
    char buf[LINE_BYTES];                  /* The line, variables put in. */
    char *field[FIELD_COUNT];              /* In buf, terminated, blanks cut off. */
} csv_t;

/* --- telling what is wrong --- */

static void add_text(ptable_csv_error_t *error, const char *text)
{
    size_t used = strlen(error->text);
    for (; *text != '\0' && used + 1 < sizeof error->text; text++) {
        bool control = (unsigned char)*text < ' ' || *text == 0x7F;
        error->text[used++] = control ? '?' : *text;
    }
    error->text[used] = '\0';
}

/* Always false, so that a check can end with `return refuse(...)`. */
static bool refuse(csv_t *csv, const char *before, const char *what, const char *after)
{
    csv->error->line = csv->line;
    csv->error->text[0] = '\0';
    add_text(csv->error, before);
    add_text(csv->error, what);
    add_text(csv->error, after);
    return false;
}

static const char *put_hex(char text[HEX_BYTES], uint64_t value)
{
    char digits[HEX_BYTES];
    size_t count = 0;
    do {
        digits[count++] = "0123456789abcdef"[value & 15u];
        value >>= 4;
    } while (value != 0 && count < HEX_BYTES - 3);
    text[0] = '0';
    text[1] = 'x';
    for (size_t i = 0; i < count; i++) {
        text[2 + i] = digits[count - 1 - i];
    }
    text[2 + count] = '\0';
    return text;
}

/* --- characters and numbers --- */

static bool is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_name_char(char c)
{
    return is_digit(c) || c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static unsigned digit_value(char c)
{
    if (is_digit(c)) {
        return (unsigned)(c - '0');
    }
    char small = (char)(c | 0x20);
    return small >= 'a' && small <= 'f' ? (unsigned)(small - 'a' + 10) : 255u;
}

/* Base by prefix, as in Python: 0x, 0o, 0b, else decimal. Moves past the prefix. */
static unsigned read_base(const char **text)
{
    static const struct {
        char letter;
        unsigned base;
    } bases[] = {{'x', 16}, {'o', 8}, {'b', 2}};
    const char *p = *text;
    for (size_t i = 0; i < sizeof(bases) / sizeof(bases[0]); i++) {
        if (p[0] == '0' && (char)(p[1] | 0x20) == bases[i].letter) {
            *text += 2;
            return bases[i].base;
        }
    }
    return 10;
}

static int64_t read_multiplier(const char **text)
{
    switch (**text) {
    case 'k':
    case 'K':
        (*text)++;
        return 1024;
    case 'm':
    case 'M':
        (*text)++;
        return 1024 * 1024;
    default:
        return 1;
    }
}

static bool read_number(const char *text, int64_t *number)
{
    bool negative = *text == '-';
    text += negative || *text == '+';
    unsigned base = read_base(&text);
    const char *first = text;
    int64_t value = 0;
    for (; digit_value(*text) < base; text++) {
        value = value * base + digit_value(*text);
        if (value > NUMBER_LIMIT) {
            return false;
        }
    }
    /* 010 is eight to some and ten to others. */
    bool ambiguous = base == 10 && *first == '0' && value != 0;
    if (text == first || ambiguous) {
        return false;
    }
    value *= read_multiplier(&text);
    *number = negative ? -value : value;
    return *text == '\0';
}

static bool is_not_given(const char *field)
{
    return (field[0] | 0x20) == 'n' && field[1] == '/' && (field[2] | 0x20) == 'a' && field[3] == '\0';
}

/* --- from a line to its fields --- */

static bool append(csv_t *csv, char c)
{
    if (csv->len + 1 >= sizeof csv->buf) {
        return refuse(csv, "the line is too long", "", "");
    }
    csv->buf[csv->len++] = c;
    return true;
}

static bool append_variable(csv_t *csv, const char *name, size_t len)
{
    char copy[VARIABLE_BYTES];
    if (len >= sizeof copy) {
        return refuse(csv, "the name of a variable is too long", "", "");
    }
    memcpy(copy, name, len);
    copy[len] = '\0';
    const ptable_csv_options_t *options = csv->options;
    const char *value = options->variable != NULL ? options->variable(options->variable_arg, copy) : NULL;
    if (value == NULL) {
        return refuse(csv, "unknown variable '", copy, "'");
    }
    while (*value != '\0') {
        if (!append(csv, *value++)) {
            return false;
        }
    }
    return true;
}

/* Length of the $NAME or ${NAME} that the text begins with, 0 if it does not. */
static size_t match_variable(const char *text, size_t len, const char **name, size_t *name_len)
{
    if (text[0] != '$') {
        return 0;
    }
    size_t brace = len > 1 && text[1] == '{';
    size_t begin = 1 + brace;
    size_t end = begin;
    while (end < len && is_name_char(text[end])) {
        end++;
    }
    if (end == begin || is_digit(text[begin]) || (brace && (end == len || text[end] != '}'))) {
        return 0;
    }
    *name = text + begin;
    *name_len = end - begin;
    return end + brace;
}

static bool expand(csv_t *csv, const char *line, size_t len)
{
    csv->len = 0;
    for (size_t i = 0; i < len;) {
        const char *name;
        size_t name_len;
        size_t variable_len = match_variable(line + i, len - i, &name, &name_len);
        if (line[i] == '\0') {
            return refuse(csv, "the text contains a NUL byte", "", "");
        }
        if (variable_len > 0 ? !append_variable(csv, name, name_len) : !append(csv, line[i])) {
            return false;
        }
        i += variable_len > 0 ? variable_len : 1;
    }
    csv->buf[csv->len] = '\0';
    return true;
}

/* Cuts blanks off both ends of a terminated text, in place. */
static char *trim(char *text)
{
    while (is_blank(*text)) {
        text++;
    }
    size_t len = strlen(text);
    while (len > 0 && is_blank(text[len - 1])) {
        len--;
    }
    text[len] = '\0';
    return text;
}

/* Columns that are missing are empty; those beyond the last one that means something are left out. */
static void split(csv_t *csv)
{
    char *rest = csv->buf;
    for (size_t i = 0; i < FIELD_COUNT; i++) {
        char *comma = strchr(rest, ',');
        char *end = comma != NULL ? comma : csv->buf + csv->len;
        bool more = end < csv->buf + csv->len;
        *end = '\0';
        csv->field[i] = trim(rest);
        rest = more ? end + 1 : csv->buf + csv->len;
    }
}

/* --- from fields to a partition --- */

static bool read_byte(csv_t *csv, size_t field, const char *what, uint8_t *value)
{
    int64_t number;
    const char *text = csv->field[field];
    if (!read_number(text, &number)) {
        return refuse(csv, what, text, "' is neither a keyword nor a number");
    }
    if (number < 0 || number > UINT8_MAX) {
        return refuse(csv, what, text, "' is not in 0 to 255");
    }
    *value = (uint8_t)number;
    return true;
}

static bool read_type(csv_t *csv, ptable_partition_t *p)
{
    return ptable_find_type(csv->field[FIELD_TYPE], &p->type) || read_byte(csv, FIELD_TYPE, "type '", &p->type);
}

static bool read_subtype(csv_t *csv, ptable_partition_t *p)
{
    const char *text = csv->field[FIELD_SUBTYPE];
    if (*text == '\0' && p->type == PART_TYPE_APP) {
        return refuse(csv, "an app needs a subtype", "", "");
    }
    if (*text == '\0') {
        p->subtype = SUBTYPE_UNDEFINED;
        return true;
    }
    return ptable_find_subtype(p->type, text, &p->subtype) || read_byte(csv, FIELD_SUBTYPE, "subtype '", &p->subtype);
}

static bool read_flags(csv_t *csv, ptable_partition_t *p)
{
    for (char *flag = csv->field[FIELD_FLAGS]; flag != NULL;) {
        char *colon = strchr(flag, ':');
        if (colon != NULL) {
            *colon = '\0';
        }
        uint32_t bit = ptable_find_flag(flag);
        if (bit == 0 && *flag != '\0') {
            return refuse(csv, "unknown flag '", flag, "' (encrypted, readonly; several joined by ':')");
        }
        p->flags |= bit;
        flag = colon != NULL ? colon + 1 : NULL;
    }
    return true;
}

/* Offset of an entry that says N/A: where the chip or the caller's options put it. */
static bool known_offset(csv_t *csv, const ptable_partition_t *p, int64_t *offset)
{
    const ptable_csv_options_t *o = csv->options;
    bool primary = ptable_is_primary(p->type, p->subtype);
    bool bootloader = p->type == PART_TYPE_BOOTLOADER;
    bool recovery = bootloader && p->subtype == PART_SUBTYPE_BOOTLOADER_RECOVERY;
    if (!primary && !recovery) {
        return refuse(csv, "offset N/A is only for primary and recovery bootloader and the primary partition table", "",
                      "");
    }
    if (primary && bootloader && !o->has_bootloader_offset) {
        return refuse(csv, "offset N/A needs the offset of the primary bootloader", "", "");
    }
    if (recovery && !o->has_recovery_offset) {
        return refuse(csv, "offset N/A needs the offset of the recovery bootloader", "", "");
    }
    uint32_t given = bootloader ? o->bootloader_offset : o->table_offset;
    *offset = recovery ? o->recovery_offset : given;
    return true;
}

static bool known_size(csv_t *csv, const ptable_partition_t *p, int64_t *size)
{
    const ptable_csv_options_t *o = csv->options;
    if (p->type == PART_TYPE_PARTITION_TABLE) {
        *size = PTABLE_SECTOR_BYTES;
        return true;
    }
    if (p->type != PART_TYPE_BOOTLOADER) {
        return refuse(csv, "size N/A is only for types bootloader and partition_table", "", "");
    }
    *size = (int64_t)o->table_offset - o->bootloader_offset;
    if (!o->has_bootloader_offset || *size < 0) {
        return refuse(csv, "size N/A needs the offset of the primary bootloader, before the partition table", "", "");
    }
    return true;
}

static uint64_t align_up(uint64_t value, uint32_t align)
{
    return (value + align - 1) / align * align;
}

static bool read_offset(csv_t *csv, ptable_partition_t *p)
{
    int64_t offset = 0;
    const char *text = csv->field[FIELD_OFFSET];
    if (is_not_given(text)) {
        if (!known_offset(csv, p, &offset)) {
            return false;
        }
    } else if (*text == '\0') {
        offset = (int64_t)align_up(csv->next_off, ptable_offset_align(p->type, csv->options->sector_bytes));
    } else if (!read_number(text, &offset)) {
        return refuse(csv, "offset '", text, "' is not a number (decimal or 0x..., with or without K or M)");
    }
    if (offset < 0 || offset > UINT32_MAX) {
        return refuse(csv, "offset '", text, "' is not in 0 to 0xffffffff");
    }
    p->offset = (uint32_t)offset;
    return true;
}

static bool read_size(csv_t *csv, ptable_partition_t *p)
{
    int64_t size;
    const char *text = csv->field[FIELD_SIZE];
    if (is_not_given(text)) {
        if (!known_size(csv, p, &size)) {
            return false;
        }
    } else if (*text == '\0') {
        return refuse(csv, "the size is missing", "", "");
    } else if (!read_number(text, &size)) {
        return refuse(csv, "size '", text, "' is not a whole number (decimal or 0x..., with or without K or M)");
    }
    if (size < 0) {
        size = -size - p->offset;
        if (size < 0) {
            return refuse(csv, "the end '", text, "' lies before the offset");
        }
    }
    if (size > UINT32_MAX) {
        return refuse(csv, "size '", text, "' is above 0xffffffff");
    }
    p->size = (uint32_t)size;
    return true;
}

/* Entries stand in the order of their offsets, except the primary ones. */
static bool place(csv_t *csv, const ptable_partition_t *p)
{
    char hex[HEX_BYTES];
    uint64_t end = (uint64_t)p->offset + p->size;
    uint64_t limit = csv->options->flash_bytes != 0 ? csv->options->flash_bytes : 1ull << 32;
    if (end > limit) {
        return refuse(csv, "the partition ends at ", put_hex(hex, end), ", behind the end of the flash");
    }
    if (ptable_is_primary(p->type, p->subtype)) {
        return true;
    }
    if (p->offset < csv->next_off) {
        return refuse(csv, "the partition overlaps what lies before it: the next free offset is ",
                      put_hex(hex, csv->next_off), "");
    }
    csv->next_off = end;
    return true;
}

static bool read_partition(csv_t *csv)
{
    ptable_t *table = csv->table;
    if (table->count >= PTABLE_MAX_PARTITIONS) {
        return refuse(csv, "more partitions than fit: a table holds 95, or 94 and an MD5 entry", "", "");
    }
    ptable_partition_t p = {0};
    size_t name_len = strlen(csv->field[FIELD_NAME]);
    memcpy(p.label, csv->field[FIELD_NAME], name_len < PTABLE_LABEL_BYTES ? name_len : PTABLE_LABEL_BYTES - 1);
    if (!read_type(csv, &p) || !read_subtype(csv, &p) || !read_flags(csv, &p) || !read_offset(csv, &p) ||
        !read_size(csv, &p) || !place(csv, &p)) {
        return false;
    }
    csv->lines[table->count] = csv->line;
    table->partition[table->count++] = p;
    return true;
}

static bool read_line(csv_t *csv, const char *line, size_t len)
{
    while (len > 0 && is_blank(*line)) {
        line++;
        len--;
    }
    if (len == 0 || *line == '#') {
        return true;
    }
    if (!expand(csv, line, len)) {
        return false;
    }
    split(csv);
    return read_partition(csv);
}

/* --- the text as a whole --- */

static const char *foreign_encoding(const char *text, size_t len)
{
    static const struct {
        size_t len;
        const char *mark;
        const char *name;
    } marks[] = {
        {4, "\xFF\xFE\x00\x00", "UTF-32"}, /* Before UTF-16, whose mark it begins with. */
        {4, "\x00\x00\xFE\xFF", "UTF-32"},
        {2, "\xFF\xFE", "UTF-16"},
        {2, "\xFE\xFF", "UTF-16"},
    };
    for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
        if (len >= marks[i].len && memcmp(text, marks[i].mark, marks[i].len) == 0) {
            return marks[i].name;
        }
    }
    return NULL;
}

static size_t line_length(const char *text, size_t len)
{
    size_t n = 0;
    while (n < len && text[n] != '\n' && text[n] != '\r') {
        n++;
    }
    return n;
}

static bool read_lines(csv_t *csv, const char *text, size_t len)
{
    for (size_t i = 0; i < len;) {
        size_t n = line_length(text + i, len - i);
        csv->line++;
        if (!read_line(csv, text + i, n)) {
            return false;
        }
        i += n;
        if (i + 1 < len && text[i] == '\r' && text[i + 1] == '\n') {
            i++;
        }
        i++;
    }
    return true;
}

static bool check_table(csv_t *csv)
{
    uint32_t index;
    const ptable_t *table = csv->table;
    ptable_fault_t fault = ptable_check(table, csv->options->table_offset, csv->options->sector_bytes, &index);
    if (fault == PTABLE_OK) {
        return true;
    }
    if (index >= table->count) {
        csv->line = 0;
        return refuse(csv, ptable_fault_text(fault), "", "");
    }
    csv->line = csv->lines[index];
    refuse(csv, "partition '", table->partition[index].label, "': ");
    add_text(csv->error, ptable_fault_text(fault));
    return false;
}

esp_err_t ptable_csv_parse(ptable_t *table, const char *text, size_t len, const ptable_csv_options_t *options,
                           ptable_csv_error_t *error)
{
    csv_t csv = {.table = table, .options = options, .error = error};
    csv.next_off = (uint64_t)options->table_offset + ptable_sector_bytes(options->sector_bytes);
    memset(table, 0, sizeof *table);

    bool ok;
    const char *encoding = foreign_encoding(text, len);
    if (encoding != NULL) {
        ok = refuse(&csv, "the text is ", encoding, ": convert it to UTF-8");
    } else {
        size_t mark = len >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0;
        ok = read_lines(&csv, text + mark, len - mark) && check_table(&csv);
    }
    if (!ok) {
        memset(table, 0, sizeof *table);
    }
    return ok ? ESP_OK : ESP_ERR_INVALID_ARG;
}
