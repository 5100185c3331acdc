/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file esp_log.h
 * @brief Log lines with level, time and tag.
 *
 * A line reads "I (1234) tag: text": level, milliseconds since start, tag. It reaches the output in one piece, whichever
 * task wrote it. What is more verbose than the tag's level is left out; the level of a tag is that of
 * esp_log_level_set(), else the device's (otter_config.log_level, default info).
 */
#pragma once

#include <inttypes.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "esp_err.h"

#ifdef __cplusplus
extern "C" {
#endif

/** How important a line is. A level includes those before it. */
typedef enum {
    ESP_LOG_NONE = 0,    /**< Nothing. */
    ESP_LOG_ERROR = 1,   /**< Something failed. */
    ESP_LOG_WARN = 2,    /**< Something failed and was made good. */
    ESP_LOG_INFO = 3,    /**< What happens in normal use. */
    ESP_LOG_DEBUG = 4,   /**< What helps to find a fault. */
    ESP_LOG_VERBOSE = 5, /**< Everything. */
    ESP_LOG_MAX = 6,     /**< Number of levels. */
} esp_log_level_t;

/** What a line is logged with; made by ESP_LOG_CONFIG_INIT(). */
typedef struct {
    uint32_t data; /**< An esp_log_level_t. */
} esp_log_config_t;

/** Implementation of ESP_LOG_CONFIG_INIT. */
static inline esp_log_config_t esp_log_config_init_(uint32_t data)
{
    esp_log_config_t config = {data};
    return config;
}

/** An esp_log_config_t for a level. */
#define ESP_LOG_CONFIG_INIT(level) esp_log_config_init_((uint32_t)(level))

/** Checks a printf format against its arguments. */
#define ESP_LOG_PRINTF_ATTR_(format_index, first) __attribute__((format(printf, format_index, first)))

/**
 * Writes a line: level, time and tag in front, a line feed behind.
 *
 * @param config  see ESP_LOG_CONFIG_INIT()
 * @param tag     who speaks
 * @param format  as for printf
 */
void esp_log(esp_log_config_t config, const char *tag, const char *format, ...) ESP_LOG_PRINTF_ATTR_(3, 4);

/** As esp_log(), with the arguments in a list. */
void esp_log_va(esp_log_config_t config, const char *tag, const char *format, va_list args) ESP_LOG_PRINTF_ATTR_(3, 0);

/**
 * Writes text as it is: nothing in front, nothing behind.
 *
 * @param level   left out if more verbose than the tag's level
 * @param tag     only looked at for its level
 * @param format  as for printf
 */
void esp_log_write(esp_log_level_t level, const char *tag, const char *format, ...) ESP_LOG_PRINTF_ATTR_(3, 4);

/** As esp_log_write(), with the arguments in a list. */
void esp_log_writev(esp_log_level_t level, const char *tag, const char *format, va_list args)
    ESP_LOG_PRINTF_ATTR_(3, 0);

/**
 * Sets the most verbose level that a tag's lines are written at.
 *
 * @param tag    copied; "*" means every tag, and forgets what was set for single ones. Not set if there is no memory
 * @param level  ESP_LOG_NONE to ESP_LOG_VERBOSE
 */
void esp_log_level_set(const char *tag, esp_log_level_t level);

/** Level of a tag; that of tags without their own for "*". */
esp_log_level_t esp_log_level_get(const char *tag);

/** Milliseconds since the device started; wraps after 49 days. */
uint32_t esp_log_timestamp(void);

/** The same, callable before the system runs. */
uint32_t esp_log_early_timestamp(void);

/** Implementation of ESP_LOG_BUFFER_HEX: 16 bytes a line, "00 01 02". */
void esp_log_buffer_hex_internal(const char *tag, const void *buffer, size_t len, esp_log_level_t level);

/** Implementation of ESP_LOG_BUFFER_CHAR: 16 characters a line. */
void esp_log_buffer_char_internal(const char *tag, const void *buffer, size_t len, esp_log_level_t level);

/** Implementation of ESP_LOG_BUFFER_HEXDUMP: address, 16 bytes and their characters a line. */
void esp_log_buffer_hexdump_internal(const char *tag, const void *buffer, size_t len, esp_log_level_t level);

/** Most verbose level compiled in; a file may define its own before it includes this header. */
#ifndef LOG_LOCAL_LEVEL
#ifdef CONFIG_LOG_MAXIMUM_LEVEL
#define LOG_LOCAL_LEVEL CONFIG_LOG_MAXIMUM_LEVEL
#else
#define LOG_LOCAL_LEVEL ESP_LOG_VERBOSE
#endif
#endif

/* The format travels inside the variable arguments, so that a line without further arguments is ISO C too. */

/** Writes a line at a level. Arguments: level, tag, format, ... */
#define ESP_LOG_LEVEL(level, tag, ...) esp_log(ESP_LOG_CONFIG_INIT(level), tag, __VA_ARGS__)

/** ESP_LOG_LEVEL() if the level is compiled in. */
#define ESP_LOG_LEVEL_LOCAL(level, tag, ...)                                                                           \
    do {                                                                                                               \
        if ((int)LOG_LOCAL_LEVEL >= (int)(level)) {                                                                    \
            ESP_LOG_LEVEL(level, tag, __VA_ARGS__);                                                                    \
        }                                                                                                              \
    } while (0)

#define ESP_LOGE(tag, ...) ESP_LOG_LEVEL_LOCAL(ESP_LOG_ERROR, tag, __VA_ARGS__)   /**< Error. (tag, format, ...) */
#define ESP_LOGW(tag, ...) ESP_LOG_LEVEL_LOCAL(ESP_LOG_WARN, tag, __VA_ARGS__)    /**< Warning. (tag, format, ...) */
#define ESP_LOGI(tag, ...) ESP_LOG_LEVEL_LOCAL(ESP_LOG_INFO, tag, __VA_ARGS__)    /**< Info. (tag, format, ...) */
#define ESP_LOGD(tag, ...) ESP_LOG_LEVEL_LOCAL(ESP_LOG_DEBUG, tag, __VA_ARGS__)   /**< Debug. (tag, format, ...) */
#define ESP_LOGV(tag, ...) ESP_LOG_LEVEL_LOCAL(ESP_LOG_VERBOSE, tag, __VA_ARGS__) /**< Verbose. (tag, format, ...) */

/* Here every line can be written at any time. */
#define ESP_EARLY_LOGE ESP_LOGE
#define ESP_EARLY_LOGW ESP_LOGW
#define ESP_EARLY_LOGI ESP_LOGI
#define ESP_EARLY_LOGD ESP_LOGD
#define ESP_EARLY_LOGV ESP_LOGV
#define ESP_DRAM_LOGE  ESP_LOGE
#define ESP_DRAM_LOGW  ESP_LOGW
#define ESP_DRAM_LOGI  ESP_LOGI
#define ESP_DRAM_LOGD  ESP_LOGD
#define ESP_DRAM_LOGV  ESP_LOGV

/** Implementation of the buffer macros: calls the printer if the level is compiled in. */
#define ESP_LOG_BUFFER_(printer, tag, buffer, len, level)                                                              \
    do {                                                                                                               \
        if ((int)LOG_LOCAL_LEVEL >= (int)(level)) {                                                                    \
            printer(tag, buffer, (size_t)(len), level);                                                                \
        }                                                                                                              \
    } while (0)

/** Writes bytes as hexadecimal numbers at a level. */
#define ESP_LOG_BUFFER_HEX_LEVEL(tag, buffer, len, level)                                                              \
    ESP_LOG_BUFFER_(esp_log_buffer_hex_internal, tag, buffer, len, level)
/** Writes bytes as characters at a level. */
#define ESP_LOG_BUFFER_CHAR_LEVEL(tag, buffer, len, level)                                                             \
    ESP_LOG_BUFFER_(esp_log_buffer_char_internal, tag, buffer, len, level)
/** Writes bytes as numbers and characters at a level. */
#define ESP_LOG_BUFFER_HEXDUMP(tag, buffer, len, level)                                                                \
    ESP_LOG_BUFFER_(esp_log_buffer_hexdump_internal, tag, buffer, len, level)
/** ESP_LOG_BUFFER_HEX_LEVEL at info. */
#define ESP_LOG_BUFFER_HEX(tag, buffer, len)  ESP_LOG_BUFFER_HEX_LEVEL(tag, buffer, len, ESP_LOG_INFO)
/** ESP_LOG_BUFFER_CHAR_LEVEL at info. */
#define ESP_LOG_BUFFER_CHAR(tag, buffer, len) ESP_LOG_BUFFER_CHAR_LEVEL(tag, buffer, len, ESP_LOG_INFO)

#ifdef __cplusplus
}
#endif
