/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "core/ptable/ptable_csv.h"
#include "core/ptable/ptable_names.h"

#define NUMBER_BYTES 11u /* Ten decimal digits, or "0x" and eight, and the terminator. */

/* Where the text goes. */
typedef struct sink {
    ptable_csv_emit_t emit;
    void *arg;
} sink_t;

static void put(const sink_t *sink, const char *text)
{
    sink->emit(sink->arg, text, strlen(text));
}

static void put_number(const sink_t *sink, uint32_t value, uint32_t base)
{
    char digits[NUMBER_BYTES];
    size_t first = sizeof digits;
    do {
        digits[--first] = "0123456789abcdef"[value % base];
        value /= base;
    } while (value != 0);
    put(sink, base == 16 ? "0x" : "");
    sink->emit(sink->arg, digits + first, sizeof digits - first);
}

static void put_size(const sink_t *sink, uint32_t size)
{
    static const struct {
        uint32_t unit;
        const char *suffix;
    } units[] = {{1024 * 1024, "M"}, {1024, "K"}};
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (size % units[i].unit == 0) {
            put_number(sink, size / units[i].unit, 10);
            put(sink, units[i].suffix);
            return;
        }
    }
    put_number(sink, size, 16);
}

/* A label comes from flash: what would break the line, start a comment or name a variable is shown as '_'. */
static void put_label(const sink_t *sink, const char *label)
{
    char safe[PTABLE_LABEL_BYTES - 1];
    size_t len = 0;
    for (; len < sizeof safe && label[len] != '\0'; len++) {
        char c = label[len];
        bool control = (unsigned char)c < ' ' || c == 0x7F;
        safe[len] = control || c == ',' || c == '$' || (c == '#' && len == 0) ? '_' : c;
    }
    sink->emit(sink->arg, safe, len);
}

static void put_keyword(const sink_t *sink, const char *name, uint8_t value)
{
    if (name != NULL) {
        put(sink, name);
    } else {
        put_number(sink, value, 10);
    }
}

static void put_flags(const sink_t *sink, uint32_t flags)
{
    uint32_t bit;
    const char *name;
    const char *joint = "";
    for (uint32_t i = 0; (name = ptable_flag_name(i, &bit)) != NULL; i++) {
        if ((flags & bit) != 0) {
            put(sink, joint);
            put(sink, name);
            joint = ":";
        }
    }
}

void ptable_csv_write(const ptable_t *table, ptable_csv_emit_t emit, void *arg)
{
    const sink_t sink = {emit, arg};
    put(&sink, "# ESP-IDF Partition Table\n# Name, Type, SubType, Offset, Size, Flags\n");
    for (uint32_t i = 0; i < table->count; i++) {
        const ptable_partition_t *p = &table->partition[i];
        put_label(&sink, p->label);
        put(&sink, ",");
        put_keyword(&sink, ptable_type_name(p->type), p->type);
        put(&sink, ",");
        put_keyword(&sink, ptable_subtype_name(p->type, p->subtype), p->subtype);
        put(&sink, ",");
        put_number(&sink, p->offset, 16);
        put(&sink, ",");
        put_size(&sink, p->size);
        put(&sink, ",");
        put_flags(&sink, p->flags);
        put(&sink, "\n");
    }
}
