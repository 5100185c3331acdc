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
