/* SPDX-License-Identifier: Apache-2.0 */
#include "server/http/accesslog.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
    TARGET_MAX = 3072, /* What is left of a line holds all the rest at its longest. */
    WORD_MAX = 64,
};

static bool is_plain(char c)
{
    return c >= 0x20 && c <= 0x7E && c != '"' && c != '\\';
}

/** Escapes as much of @p text as fits into @p out with its terminator. */
static const char *escape(const char *text, char *out, size_t out_size)
{
    size_t len = 0;
    if (text == NULL) {
        return "-";
    }
    for (; *text != '\0' && len + 5 <= out_size; text++) {
        if (is_plain(*text)) {
            out[len++] = *text;
        } else {
            len += (size_t)snprintf(out + len, 5, "\\x%02X", (unsigned)(unsigned char)*text);
        }
    }
    out[len] = '\0';
    return out;
}

static const char *format_time(int64_t seconds, char *out, size_t out_size)
{
    struct tm tm;
    time_t when = (time_t)seconds;
    if (gmtime_r(&when, &tm) == NULL || strftime(out, out_size, "%d/%b/%Y:%H:%M:%S +0000", &tm) == 0) {
        return "-";
    }
    return out;
}

size_t accesslog_format(const struct accesslog_entry *entry, char line[static ACCESSLOG_LINE_SIZE])
{
    char client[WORD_MAX];
    char method[WORD_MAX];
    char version[WORD_MAX];
    char target[TARGET_MAX];
    char when[WORD_MAX];
    char status[12] = "-";
    if (entry->status != 0) {
        snprintf(status, sizeof(status), "%u", entry->status);
    }
    int len = snprintf(line, ACCESSLOG_LINE_SIZE,
                       "%s - - [%s] \"%s %s %s\" %s %" PRIu64 " %" PRIu64 " %" PRIu64 ".%06" PRIu64 "\n",
                       escape(entry->client, client, sizeof(client)), format_time(entry->time_s, when, sizeof(when)),
                       escape(entry->method, method, sizeof(method)), escape(entry->target, target, sizeof(target)),
                       escape(entry->version, version, sizeof(version)), status, entry->sent_bytes, entry->length_bytes,
                       entry->duration_us / 1000000, entry->duration_us % 1000000);
    return (size_t)len;
}

static int open_file(const char *path)
{
    return open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0640);
}

bool accesslog_open(struct accesslog *log, const char *path)
{
    log->path = NULL;
    log->fd = -1;
    if (strcmp(path, "off") == 0) {
        return true;
    }
    if (strcmp(path, "-") == 0) {
        log->fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0);
    } else {
        log->path = path;
        log->fd = open_file(path);
    }
    return log->fd >= 0;
}

bool accesslog_reopen(struct accesslog *log)
{
    if (log->path == NULL) {
        return true;
    }
    int fd = open_file(log->path);
    if (fd < 0) {
        return false;
    }
    /* Takes the old one's place in one step: a thread that writes meanwhile hits one of the two. */
    bool replaced = dup3(fd, log->fd, O_CLOEXEC) >= 0;
    close(fd);
    return replaced;
}

bool accesslog_write(const struct accesslog *log, const struct accesslog_entry *entry)
{
    if (log->fd < 0) {
        return true;
    }
    char line[ACCESSLOG_LINE_SIZE];
    size_t len = accesslog_format(entry, line);
    ssize_t written;
    do {
        written = write(log->fd, line, len);
    } while (written < 0 && errno == EINTR);
    return written == (ssize_t)len;
}

void accesslog_close(struct accesslog *log)
{
    if (log->fd >= 0) {
        close(log->fd);
    }
    log->fd = -1;
}
