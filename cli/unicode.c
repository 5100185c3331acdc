/* SPDX-License-Identifier: Apache-2.0 */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "cli/unicode.h"

/** An encoding and how to tell it. */
typedef struct encoding {
    uint8_t mark[4];
    size_t mark_len;
    size_t unit_len; /**< Bytes of a unit: 2 or 4. */
    bool big_endian;
} encoding_t;

/* UTF-32 first: its little-endian mark begins as that of UTF-16 does. */
static const encoding_t encodings[] = {
    {{0xff, 0xfe, 0, 0}, 4, 4, false},
    {{0, 0, 0xfe, 0xff}, 4, 4, true},
    {{0xff, 0xfe}, 2, 2, false},
    {{0xfe, 0xff}, 2, 2, true},
};

static const encoding_t *find(const uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i < sizeof(encodings) / sizeof(encodings[0]); i++) {
        const encoding_t *encoding = &encodings[i];
        if (len >= encoding->mark_len && memcmp(bytes, encoding->mark, encoding->mark_len) == 0) {
            return encoding;
        }
    }
    return NULL;
}

static uint32_t get_unit(const encoding_t *encoding, const uint8_t *bytes)
{
    uint32_t unit = 0;
    for (size_t i = 0; i < encoding->unit_len; i++) {
        size_t at = encoding->big_endian ? i : encoding->unit_len - 1 - i;
        unit = unit << 8 | bytes[at];
    }
    return unit;
}

/** Writes a character as UTF-8, at most 4 bytes. @return how many; 0 if it is none */
static size_t put_character(uint8_t *dst, uint32_t c)
{
    if (c < 0x80) {
        dst[0] = (uint8_t)c;
        return 1;
    }
    if (c < 0x800) {
        dst[0] = (uint8_t)(0xc0 | c >> 6);
        dst[1] = (uint8_t)(0x80 | (c & 0x3f));
        return 2;
    }
    if (c > 0x10ffff || (c >= 0xd800 && c < 0xe000)) {
        return 0;
    }
    size_t len = c < 0x10000 ? 3 : 4;
    for (size_t i = len - 1; i > 0; i--) {
        dst[i] = (uint8_t)(0x80 | (c & 0x3f));
        c >>= 6;
    }
    dst[0] = (uint8_t)((len == 3 ? 0xe0 : 0xf0) | c);
    return len;
}

/** Takes the character at @p off, one unit or a pair of surrogates. @return bytes taken; 0 if it breaks off */
static size_t get_character(const encoding_t *encoding, const uint8_t *bytes, size_t left, uint32_t *c)
{
    size_t unit_len = encoding->unit_len;
    if (left < unit_len) {
        return 0;
    }
    *c = get_unit(encoding, bytes);
    if (unit_len == 4 || *c < 0xd800 || *c >= 0xdc00) {
        return unit_len;
    }
    if (left < 2 * unit_len) {
        return 0;
    }
    uint32_t low = get_unit(encoding, bytes + unit_len);
    if (low < 0xdc00 || low >= 0xe000) {
        return 0;
    }
    *c = 0x10000 + ((*c - 0xd800) << 10) + (low - 0xdc00);
    return 2 * unit_len;
}

bool cli_text_to_utf8(uint8_t **bytes, size_t *len)
{
    const encoding_t *encoding = find(*bytes, *len);
    if (encoding == NULL) {
        return true;
    }
    /* A unit of 2 bytes becomes 3 at most, one of 4 becomes 4 at most. */
    uint8_t *text = malloc(*len * 2 + 1);
    size_t text_len = 0;
    size_t off = encoding->mark_len;
    while (text != NULL && off < *len) {
        uint32_t c = 0;
        size_t taken = get_character(encoding, *bytes + off, *len - off, &c);
        size_t put = taken > 0 ? put_character(text + text_len, c) : 0;
        if (put == 0) {
            free(text);
            return false;
        }
        off += taken;
        text_len += put;
    }
    if (text == NULL) {
        return false;
    }
    free(*bytes);
    *bytes = text;
    *len = text_len;
    return true;
}
