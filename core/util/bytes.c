/* SPDX-License-Identifier: Apache-2.0 */
#include "core/util/bytes.h"

#include <string.h>

bool bytes_all(const uint8_t *bytes, size_t len, uint8_t value)
{
    for (size_t i = 0; i < len; i++) {
        if (bytes[i] != value) {
            return false;
        }
    }
    return true;
}

uint32_t bytes_crc32(uint32_t crc, const void *bytes, size_t len)
{
    const uint8_t *p = bytes;
    crc = ~crc;
    for (size_t i = 0; i < len; i++) {
        crc ^= p[i];
        for (int bit = 0; bit < 8; bit++) {
            crc = (crc >> 1) ^ (0xEDB88320u & (0u - (crc & 1u)));
        }
    }
    return ~crc;
}

void bytes_get_text(char *dst, const void *field, size_t field_len)
{
    const char *end = memchr(field, '\0', field_len);
    size_t len = end != NULL ? (size_t)(end - (const char *)field) : field_len;
    memcpy(dst, field, len);
    dst[len] = '\0';
}

/* U+0080 to U+009F: C2 80 to C2 9F. */
static bool is_wide_control(unsigned char before, unsigned char c)
{
    return before == 0xC2 && c >= 0x80 && c < 0xA0;
}

void bytes_make_printable(char *text)
{
    unsigned char before = 0;
    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;
        if (is_wide_control(before, c)) {
            text[-1] = '?';
            *text = '?';
        } else if (c < 0x20 || c == 0x7F) {
            *text = '?';
        }
        before = c;
    }
}
