/* SPDX-License-Identifier: Apache-2.0 */
#include "server/http/path.h"

#include <stdbool.h>
#include <string.h>

/** The value of a hexadecimal digit, -1 if it is none. */
static int digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static bool starts_with(const char *text, size_t text_len, const char *prefix)
{
    return text_len >= strlen(prefix) && memcmp(text, prefix, strlen(prefix)) == 0;
}

/** Where the path begins in "https://host/path"; unchanged for a target that is a path already. */
static const char *skip_authority(const char *target, const char *end)
{
    size_t len = (size_t)(end - target);
    size_t scheme = starts_with(target, len, "https://") ? 8 : starts_with(target, len, "http://") ? 7 : 0;
    if (scheme == 0) {
        return target;
    }
    const char *slash = memchr(target + scheme, '/', len - scheme);
    return slash != NULL ? slash : end;
}

/** Reads one character, escaped or not. @return where it ends, NULL if the escape is broken or NUL */
static const char *take_char(const char *at, const char *end, char *c)
{
    int value = (unsigned char)*at++;
    if (value == '%') {
        if (end - at < 2 || digit(at[0]) < 0 || digit(at[1]) < 0) {
            return NULL;
        }
        value = digit(at[0]) * 16 + digit(at[1]);
        at += 2;
    }
    *c = (char)value;
    return value != 0 ? at : NULL;
}

/** True if every part between slashes may be served. */
static bool has_fit_parts(const char *name)
{
    for (;;) {
        size_t part_len = strcspn(name, "/");
        if (part_len == 0 || name[0] == '.') {
            return false;
        }
        if (name[part_len] == '\0') {
            return true;
        }
        name += part_len + 1;
    }
}

enum path_result path_decode(const char *target, size_t target_len, char *name, size_t name_size)
{
    const char *end = target + target_len;
    const char *at = skip_authority(target, end);
    if (at == end || *at++ != '/') {
        return PATH_MALFORMED;
    }
    size_t len = 0;
    while (at != end && *at != '?' && *at != '#') {
        if (len + 1 >= name_size) {
            return PATH_TOO_LONG;
        }
        at = take_char(at, end, &name[len++]);
        if (at == NULL) {
            return PATH_MALFORMED;
        }
    }
    name[len] = '\0';
    return has_fit_parts(name) ? PATH_OK : PATH_NO_FILE;
}
