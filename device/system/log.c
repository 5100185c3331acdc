/* SPDX-License-Identifier: Apache-2.0 */
#include "esp_log.h"

#include "device/system/device.h"
#include "otter/otter_os.h"

#define LINE_BYTES 256 /* Longer lines take memory from the heap. */

typedef struct tag_level {
    struct tag_level *next;
    esp_log_level_t level;
    char tag[];
} tag_level_t;

static struct {
    otter_mutex_t mutex; /* Guards the levels, and keeps lines whole. */
    esp_log_level_t level;
    tag_level_t *tags;
} logger = {.level = ESP_LOG_INFO};

static tag_level_t *find_tag(const char *tag)
{
    tag_level_t *entry = logger.tags;
    while (entry != NULL && strcmp(entry->tag, tag) != 0) {
        entry = entry->next;
    }
    return entry;
}

static void forget_tags(void)
{
    while (logger.tags != NULL) {
        tag_level_t *next = logger.tags->next;
        free(logger.tags);
        logger.tags = next;
    }
}

static void set_tag(const char *tag, esp_log_level_t level)
{
    tag_level_t *entry = find_tag(tag);
    if (entry == NULL) {
        size_t bytes = strlen(tag) + 1;
        entry = malloc(sizeof *entry + bytes);
        if (entry == NULL) {
            return;
        }
        memcpy(entry->tag, tag, bytes);
        entry->next = logger.tags;
        logger.tags = entry;
    }
    entry->level = level;
}

void log_reset(uint32_t level)
{
    otter_mutex_lock(&logger.mutex);
    forget_tags();
    logger.level = level < ESP_LOG_MAX ? (esp_log_level_t)level : ESP_LOG_VERBOSE;
    otter_mutex_unlock(&logger.mutex);
}

void esp_log_level_set(const char *tag, esp_log_level_t level)
{
    if (tag == NULL) {
        return;
    }
    otter_mutex_lock(&logger.mutex);
    if (strcmp(tag, "*") == 0) {
        forget_tags();
        logger.level = level;
    } else {
        set_tag(tag, level);
    }
    otter_mutex_unlock(&logger.mutex);
}

esp_log_level_t esp_log_level_get(const char *tag)
{
    otter_mutex_lock(&logger.mutex);
    const tag_level_t *entry = tag != NULL ? find_tag(tag) : NULL;
    esp_log_level_t level = entry != NULL ? entry->level : logger.level;
    otter_mutex_unlock(&logger.mutex);
    return level;
}

uint32_t esp_log_timestamp(void)
{
    return (uint32_t)(device_uptime_us() / 1000);
}

uint32_t esp_log_early_timestamp(void)
{
    return esp_log_timestamp();
}

static void write_whole(const char *text, size_t len)
{
    otter_mutex_lock(&logger.mutex);
    otter_log_write(text, len);
    otter_mutex_unlock(&logger.mutex);
}

/* Writes head, formatted text and tail as one piece. */
__attribute__((format(printf, 3, 0))) static void write_text(const char *head, const char *tail, const char *format,
                                                             va_list args)
{
    char line[LINE_BYTES];
    char *text = line;
    size_t head_len = strlen(head);
    va_list again;
    va_copy(again, args);
    int text_len = vsnprintf(NULL, 0, format, args);
    size_t len = head_len + (text_len > 0 ? (size_t)text_len : 0) + strlen(tail);
    if (len >= sizeof line) {
        text = malloc(len + 1);
    }
    if (text == NULL) {
        write_whole("(no memory for a log line)\n", 27);
    } else {
        memcpy(text, head, head_len);
        (void)vsnprintf(text + head_len, len + 1 - head_len, format, again);
        memcpy(text + len - strlen(tail), tail, strlen(tail));
        write_whole(text, len);
    }
    va_end(again);
    if (text != line) {
        free(text);
    }
}

void esp_log_va(esp_log_config_t config, const char *tag, const char *format, va_list args)
{
    static const char letters[ESP_LOG_MAX] = {' ', 'E', 'W', 'I', 'D', 'V'};
    char head[64];
    esp_log_level_t level = (esp_log_level_t)config.data;
    if (level <= ESP_LOG_NONE || level >= ESP_LOG_MAX || level > esp_log_level_get(tag)) {
        return;
    }
    (void)snprintf(head, sizeof head, "%c (%" PRIu32 ") %.40s: ", letters[level], esp_log_timestamp(),
                   tag != NULL ? tag : "");
    write_text(head, "\n", format, args);
}

void esp_log(esp_log_config_t config, const char *tag, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    esp_log_va(config, tag, format, args);
    va_end(args);
}

void esp_log_writev(esp_log_level_t level, const char *tag, const char *format, va_list args)
{
    if (level > ESP_LOG_NONE && level <= esp_log_level_get(tag)) {
        write_text("", "", format, args);
    }
}

void esp_log_write(esp_log_level_t level, const char *tag, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    esp_log_writev(level, tag, format, args);
    va_end(args);
}
