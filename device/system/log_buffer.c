/* SPDX-License-Identifier: Apache-2.0 */
#include "esp_log.h"

#define ROW_BYTES 16u

/* Appends the bytes as "00 01 02", with a wider gap after the eighth if asked for. Returns the new end. */
static char *put_hex(char *at, const uint8_t *bytes, size_t count, bool gap)
{
    for (size_t i = 0; i < count; i++) {
        *at++ = "0123456789abcdef"[bytes[i] >> 4];
        *at++ = "0123456789abcdef"[bytes[i] & 15];
        *at++ = ' ';
        if (gap && i == ROW_BYTES / 2 - 1) {
            *at++ = ' ';
        }
    }
    *at = '\0';
    return at;
}

static void put_chars(char *at, const uint8_t *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        at[i] = bytes[i] >= ' ' && bytes[i] < 0x7F ? (char)bytes[i] : '.';
    }
    at[count] = '\0';
}

static void write_hex(const char *tag, const uint8_t *row, size_t count, esp_log_level_t level)
{
    char hex[ROW_BYTES * 3 + 1];
    put_hex(hex, row, count, false);
    esp_log(ESP_LOG_CONFIG_INIT(level), tag, "%s", hex);
}

static void write_chars(const char *tag, const uint8_t *row, size_t count, esp_log_level_t level)
{
    char chars[ROW_BYTES + 1];
    put_chars(chars, row, count);
    esp_log(ESP_LOG_CONFIG_INIT(level), tag, "%s", chars);
}

static void write_dump(const char *tag, const uint8_t *row, size_t count, esp_log_level_t level)
{
    char hex[ROW_BYTES * 3 + 2];
    char chars[ROW_BYTES + 1];
    put_hex(hex, row, count, true);
    put_chars(chars, row, count);
    esp_log(ESP_LOG_CONFIG_INIT(level), tag, "%p   %-49s |%s|", (const void *)row, hex, chars);
}

typedef void (*write_row_t)(const char *tag, const uint8_t *row, size_t count, esp_log_level_t level);

static void write_rows(write_row_t write_row, const char *tag, const void *buffer, size_t len, esp_log_level_t level)
{
    const uint8_t *bytes = buffer;
    for (size_t off = 0; off < len; off += ROW_BYTES) {
        write_row(tag, bytes + off, len - off < ROW_BYTES ? len - off : ROW_BYTES, level);
    }
}

void esp_log_buffer_hex_internal(const char *tag, const void *buffer, size_t len, esp_log_level_t level)
{
    write_rows(write_hex, tag, buffer, len, level);
}

void esp_log_buffer_char_internal(const char *tag, const void *buffer, size_t len, esp_log_level_t level)
{
    write_rows(write_chars, tag, buffer, len, level);
}

void esp_log_buffer_hexdump_internal(const char *tag, const void *buffer, size_t len, esp_log_level_t level)
{
    write_rows(write_dump, tag, buffer, len, level);
}
