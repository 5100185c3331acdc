/* SPDX-License-Identifier: Apache-2.0 */
#include "device/http/http_url.h"

#include <string.h>

static bool is_alpha(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

bool http_span_is(http_span_t span, const char *text)
{
    if (span.at == NULL || strlen(text) != span.len) {
        return false;
    }
    for (size_t i = 0; i < span.len; i++) {
        if (lower(span.at[i]) != lower(text[i])) {
            return false;
        }
    }
    return true;
}

/* ---- taking apart ---- */

static bool has_illegal_byte(const char *text)
{
    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;
        if (c <= 0x20 || c == 0x7f || c == '\\' || c == '<' || c == '>' || c == '"') {
            return true;
        }
    }
    return false;
}

/* Length of a scheme that a colon ends; 0: there is none. */
static size_t scheme_len(const char *text)
{
    if (!is_alpha(text[0])) {
        return 0;
    }
    size_t len = 1;
    while (is_alpha(text[len]) || is_digit(text[len]) || (text[len] != '\0' && strchr("+-.", text[len]) != NULL)) {
        len++;
    }
    return text[len] == ':' ? len : 0;
}

static bool is_port(http_span_t port)
{
    uint32_t number = 0;
    for (size_t i = 0; i < port.len; i++) {
        if (!is_digit(port.at[i]) || i >= 5) {
            return false;
        }
        number = number * 10 + (uint32_t)(port.at[i] - '0');
    }
    return number >= 1 && number <= 65535;
}

static bool is_host(http_span_t host)
{
    bool bracketed = host.len > 2 && host.at[0] == '[' && host.at[host.len - 1] == ']';
    const char *extra = bracketed ? ":.%[]" : "-._~%!$&'()*+,;=";
    for (size_t i = 0; i < host.len; i++) {
        char c = host.at[i];
        if (!is_alpha(c) && !is_digit(c) && (unsigned char)c < 0x80 && strchr(extra, c) == NULL) {
            return false;
        }
    }
    return host.len > 0;
}

static bool split_authority(http_span_t authority, http_url_t *url)
{
    const char *end = authority.at + authority.len;
    const char *host = authority.at;
    for (const char *at = authority.at; at < end; at++) {
        if (*at == '@') {
            url->userinfo = (http_span_t){authority.at, (size_t)(at - authority.at)};
            host = at + 1;
        }
    }
    const char *host_end = host;
    bool in_brackets = false;
    while (host_end < end && (in_brackets || *host_end != ':')) {
        in_brackets = *host_end == '[' || (in_brackets && *host_end != ']');
        host_end++;
    }
    url->host = (http_span_t){host, (size_t)(host_end - host)};
    if (authority.len == 0) {
        return http_span_is(url->scheme, "file");
    }
    /* A colon without digits is legal and says nothing. */
    if (host_end + 1 < end) {
        url->port = (http_span_t){host_end + 1, (size_t)(end - host_end - 1)};
        return is_host(url->host) && is_port(url->port);
    }
    return is_host(url->host);
}

bool http_url_split(const char *text, http_url_t *url)
{
    *url = (http_url_t){0};
    if (has_illegal_byte(text)) {
        return false;
    }
    size_t len = scheme_len(text);
    if (len > 0) {
        url->scheme = (http_span_t){text, len};
        text += len + 1;
    }
    if (text[0] == '/' && text[1] == '/') {
        http_span_t authority = {text + 2, strcspn(text + 2, "/?#")};
        if (!split_authority(authority, url)) {
            return false;
        }
        text = authority.at + authority.len;
    }
    url->path = (http_span_t){text, strcspn(text, "?#")};
    text += url->path.len;
    if (*text == '?') {
        url->query = (http_span_t){text + 1, strcspn(text + 1, "#")};
    }
    return true;
}

uint16_t http_url_port(const http_url_t *url, uint16_t otherwise)
{
    if (url->port.at == NULL) {
        return otherwise;
    }
    uint32_t number = 0;
    for (size_t i = 0; i < url->port.len; i++) {
        number = number * 10 + (uint32_t)(url->port.at[i] - '0');
    }
    return (uint16_t)number;
}

/* ---- resolving ---- */

/* Text that grows up to its size; one that did not fit stays marked. */
typedef struct writer {
    char *dst;
    size_t size;
    size_t len;
    bool overflow;
} writer_t;

static void put(writer_t *out, const char *text, size_t len)
{
    if (out->overflow || len >= out->size - out->len) {
        out->overflow = true;
        return;
    }
    memcpy(out->dst + out->len, text, len);
    out->len += len;
    out->dst[out->len] = '\0';
}

static void put_span(writer_t *out, const char *before, http_span_t span)
{
    if (span.at != NULL) {
        put(out, before, strlen(before));
        put(out, span.at, span.len);
    }
}

static bool segment_is(const char *segment, size_t len, const char *dots)
{
    return strlen(dots) == len && memcmp(segment, dots, len) == 0;
}

/* Removes dot segments in place from a path that starts with a slash; gives the new length. */
static size_t remove_dots(char *path, size_t len)
{
    size_t out = 0;
    size_t in = 0;
    while (in < len) {
        size_t end = in + 1;
        while (end < len && path[end] != '/') {
            end++;
        }
        const char *segment = path + in + 1;
        size_t segment_len = end - in - 1;
        bool up = segment_is(segment, segment_len, "..");
        if (up || segment_is(segment, segment_len, ".")) {
            while (up && out > 0 && path[--out] != '/') {
            }
            if (end == len) {
                path[out++] = '/';
            }
        } else {
            memmove(path + out, path + in, end - in);
            out += end - in;
        }
        in = end;
    }
    return out;
}

/* Length of the base's path up to its last slash. */
static size_t directory_len(http_span_t path)
{
    size_t len = path.len;
    while (len > 0 && path.at[len - 1] != '/') {
        len--;
    }
    return len;
}

static void put_merged_path(writer_t *out, const http_url_t *base, const http_url_t *reference)
{
    size_t start = out->len;
    bool absolute = reference->path.len > 0 && reference->path.at[0] == '/';
    if (!absolute && reference->host.at == NULL && directory_len(base->path) > 0) {
        put(out, base->path.at, directory_len(base->path));
    } else if (!absolute) {
        put(out, "/", 1);
    }
    put(out, reference->path.at, reference->path.len);
    if (!out->overflow) {
        out->len = start + remove_dots(out->dst + start, out->len - start);
        out->dst[out->len] = '\0';
    }
}

static void put_authority(writer_t *out, const http_url_t *url)
{
    put(out, "//", 2);
    if (url->userinfo.at != NULL) {
        put(out, url->userinfo.at, url->userinfo.len);
        put(out, "@", 1);
    }
    put(out, url->host.at, url->host.len);
    put_span(out, ":", url->port);
}

bool http_url_resolve(const char *base_text, const char *reference_text, char *dst, size_t size)
{
    http_url_t base;
    http_url_t reference;
    if (size == 0 || !http_url_split(base_text, &base) || base.scheme.at == NULL || base.host.at == NULL ||
        !http_url_split(reference_text, &reference)) {
        return false;
    }
    /* "https:x" names no host: RFC 3986 calls it absolute, no server means it. */
    if (reference.scheme.at != NULL && reference.host.at == NULL) {
        return false;
    }
    bool same_document = reference.host.at == NULL && reference.path.len == 0;
    writer_t out = {.dst = dst, .size = size};
    dst[0] = '\0';
    put_span(&out, "", reference.scheme.at != NULL ? reference.scheme : base.scheme);
    put(&out, ":", 1);
    put_authority(&out, reference.host.at != NULL ? &reference : &base);
    if (same_document) {
        put(&out, base.path.at, base.path.len);
        put_span(&out, "?", reference.query.at != NULL ? reference.query : base.query);
    } else {
        put_merged_path(&out, &base, &reference);
        put_span(&out, "?", reference.query);
    }
    return !out.overflow;
}
