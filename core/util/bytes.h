/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file bytes.h
 * @brief Little-endian access to untrusted bytes, CRC-32, text.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Reads 2 bytes, little-endian, at any alignment. */
static inline uint16_t bytes_get_u16(const uint8_t *p)
{
    return (uint16_t)(p[0] | (unsigned)p[1] << 8);
}

/** Reads 4 bytes, little-endian, at any alignment. */
static inline uint32_t bytes_get_u32(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

/** Writes 2 bytes, little-endian, at any alignment. */
static inline void bytes_put_u16(uint8_t *p, uint16_t value)
{
    p[0] = (uint8_t)value;
    p[1] = (uint8_t)(value >> 8);
}

/** Writes 4 bytes, little-endian, at any alignment. */
static inline void bytes_put_u32(uint8_t *p, uint32_t value)
{
    p[0] = (uint8_t)value;
    p[1] = (uint8_t)(value >> 8);
    p[2] = (uint8_t)(value >> 16);
    p[3] = (uint8_t)(value >> 24);
}

/** True if all @p len bytes are @p value. */
bool bytes_all(const uint8_t *bytes, size_t len, uint8_t value);

/**
 * CRC-32 (polynomial EDB88320 reflected) as zlib's crc32() computes it.
 *
 * @param crc  result for the bytes before, 0 to begin; otadata begins with FFFFFFFF
 */
uint32_t bytes_crc32(uint32_t crc, const void *bytes, size_t len);

/**
 * Copies a NUL-padded fixed-width field, which need not be terminated, into a terminated string.
 *
 * @param dst        at least @p field_len + 1 bytes
 * @param field      the field
 * @param field_len  its width in bytes
 */
void bytes_get_text(char *dst, const void *field, size_t field_len);

/**
 * Replaces control characters by '?', in place: text from a stranger must not give a terminal commands, nor begin a line of
 * its own. Also those that take two bytes in UTF-8 (U+0080 to U+009F).
 */
void bytes_make_printable(char *text);
