/* SPDX-License-Identifier: Apache-2.0 */
#include "server/http/etag.h"

#include <string.h>

/** One tag of a list, as it stands in the text. */
struct tag {
    const char *quoted; /**< At the opening quote. */
    size_t quoted_len;  /**< With both quotes. */
    bool weak;
};

static const char *skip_separators(const char *at, const char *end)
{
    while (at != end && (*at == ' ' || *at == '\t' || *at == ',')) {
        at++;
    }
    return at;
}

static const char *skip_blanks(const char *at, const char *end)
{
    while (at != end && (*at == ' ' || *at == '\t')) {
        at++;
    }
    return at;
}

/** The characters allowed between the quotes: visible ones, and bytes above ASCII. */
static bool is_tag_char(char c)
{
    unsigned char byte = (unsigned char)c;
    return byte == 0x21 || (byte >= 0x23 && byte <= 0x7E) || byte >= 0x80;
}

/** Reads one tag. @return where it ends, NULL if there is none */
static const char *take_tag(const char *at, const char *end, struct tag *tag)
{
    tag->weak = end - at >= 2 && at[0] == 'W' && at[1] == '/';
    if (tag->weak) {
        at += 2;
    }
    if (at == end || *at != '"') {
        return NULL;
    }
    tag->quoted = at++;
    while (at != end && is_tag_char(*at)) {
        at++;
    }
    if (at == end || *at != '"') {
        return NULL;
    }
    at++;
    tag->quoted_len = (size_t)(at - tag->quoted);
    return at;
}

static bool matches(const struct tag *tag, const char *etag, enum etag_comparison comparison)
{
    if (tag->weak && comparison == ETAG_STRONG) {
        return false;
    }
    return tag->quoted_len == strlen(etag) && memcmp(tag->quoted, etag, tag->quoted_len) == 0;
}

bool etag_in_list(const char *list, size_t list_len, const char *etag, enum etag_comparison comparison)
{
    if (list_len == 1 && list[0] == '*') {
        return true;
    }
    const char *end = list + list_len;
    const char *at = skip_separators(list, end);
    bool found = false;
    while (at != end) {
        struct tag tag;
        at = take_tag(at, end, &tag);
        if (at == NULL) {
            return false;
        }
        at = skip_blanks(at, end);
        if (at != end && *at != ',') {
            return false;
        }
        at = skip_separators(at, end);
        found = found || matches(&tag, etag, comparison);
    }
    return found;
}

bool etag_is(const char *text, size_t text_len, const char *etag)
{
    struct tag tag;
    const char *end = text + text_len;
    const char *at = take_tag(text, end, &tag);
    return at != NULL && at == end && matches(&tag, etag, ETAG_STRONG);
}
