/* SPDX-License-Identifier: Apache-2.0 */
/*
 * URLs: the pieces are those of the text, a resolved URL is absolute, clean and stable, and needs no more room than
 * promised.
 *
 * Input: base, newline, reference.
 */
#include "fuzz/fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "device/http/http_url.h"

static void check_inside(http_span_t span, const char *text)
{
    if (span.at != NULL) {
        FUZZ_CHECK(span.at >= text && span.at + span.len <= text + strlen(text));
    }
}

static void add(char *text, size_t *len, const char *before, http_span_t span, const char *behind)
{
    if (span.at != NULL) {
        *len += (size_t)sprintf(text + *len, "%s%.*s%s", before, (int)span.len, span.at, behind);
    }
}

/* The pieces, put together again, are the text up to its fragment (but for a colon without port, which says nothing). */
static void check_pieces(const char *text, const http_url_t *url)
{
    char *again = malloc(strlen(text) + 16);
    size_t len = 0;
    FUZZ_CHECK(again != NULL);
    check_inside(url->scheme, text);
    check_inside(url->userinfo, text);
    check_inside(url->host, text);
    check_inside(url->port, text);
    check_inside(url->path, text);
    check_inside(url->query, text);
    add(again, &len, "", url->scheme, ":");
    len += url->host.at != NULL ? (size_t)sprintf(again + len, "//") : 0;
    add(again, &len, "", url->userinfo, "@");
    add(again, &len, "", url->host, "");
    add(again, &len, ":", url->port, "");
    bool bare_colon = url->host.at != NULL && url->port.at == NULL && url->host.at[url->host.len] == ':';
    len += bare_colon ? (size_t)sprintf(again + len, ":") : 0;
    add(again, &len, "", url->path, "");
    add(again, &len, "?", url->query, "");
    FUZZ_CHECK(len == strcspn(text, "#") && strncmp(again, text, len) == 0);
    FUZZ_CHECK(url->port.at == NULL || http_url_port(url, 0) != 0);
    free(again);
}

static bool same_span(http_span_t a, http_span_t b)
{
    return (a.at == NULL) == (b.at == NULL) && a.len == b.len && (a.at == NULL || memcmp(a.at, b.at, a.len) == 0);
}

static void check_no_dots(http_span_t path)
{
    for (size_t i = 0; i < path.len; i++) {
        if (path.at[i] != '/') {
            continue;
        }
        size_t len = 0;
        while (i + 1 + len < path.len && path.at[i + 1 + len] != '/') {
            len++;
        }
        const char *segment = path.at + i + 1;
        FUZZ_CHECK(!(len == 1 && segment[0] == '.') && !(len == 2 && segment[0] == '.' && segment[1] == '.'));
    }
}

/* Who is asked follows from the two texts alone: credentials depend on it. */
static void check_server(const char *base_text, const char *reference_text, const http_url_t *result)
{
    http_url_t base;
    http_url_t reference;
    FUZZ_CHECK(http_url_split(base_text, &base) && http_url_split(reference_text, &reference));
    bool named = reference.host.at != NULL;
    FUZZ_CHECK(same_span(result->host, named ? reference.host : base.host));
    FUZZ_CHECK(same_span(result->port, named ? reference.port : base.port));
    FUZZ_CHECK(same_span(result->userinfo, named ? reference.userinfo : base.userinfo));
    FUZZ_CHECK(same_span(result->scheme, reference.scheme.at != NULL ? reference.scheme : base.scheme));
    if (named || reference.path.len > 0) {
        check_no_dots(result->path);
    }
}

static void check_resolved(const char *result, const char *base, const char *reference)
{
    http_url_t url;
    FUZZ_CHECK(http_url_split(result, &url));
    FUZZ_CHECK(url.scheme.at != NULL && url.host.at != NULL);
    check_server(base, reference, &url);
    size_t size = 2 * strlen(result) + 4;
    char *again = malloc(size);
    FUZZ_CHECK(again != NULL);
    FUZZ_CHECK(http_url_resolve(result, "", again, size) && strcmp(result, again) == 0);
    /* Resolved against itself it is itself, but for dots that a reference without a path left in the base's. */
    FUZZ_CHECK(http_url_resolve(base, result, again, strlen(base) + size));
    free(again);
}

static void check_room(const char *base, const char *reference)
{
    size_t enough = strlen(base) + strlen(reference) + 4;
    char *roomy = malloc(2 * enough);
    char *exact = malloc(enough);
    FUZZ_CHECK(roomy != NULL && exact != NULL);
    bool with_room = http_url_resolve(base, reference, roomy, 2 * enough);
    FUZZ_CHECK(with_room == http_url_resolve(base, reference, exact, enough));
    if (with_room) {
        FUZZ_CHECK(strcmp(roomy, exact) == 0);
        check_resolved(roomy, base, reference);
        size_t fits = strlen(roomy) + 1;
        char *small = malloc(fits);
        FUZZ_CHECK(small != NULL);
        /* While dots are still in it, it may need more. */
        FUZZ_CHECK(!http_url_resolve(base, reference, small, fits) || strcmp(roomy, small) == 0);
        FUZZ_CHECK(!http_url_resolve(base, reference, small, fits - 1));
        FUZZ_CHECK(!http_url_resolve(base, reference, small, 0));
        free(small);
    }
    free(exact);
    free(roomy);
}

static void check_split(const char *text)
{
    http_url_t url;
    if (http_url_split(text, &url)) {
        check_pieces(text, &url);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_input_t input = {data, size};
    char *base = fuzz_take_text(&input, '\n');
    char *reference = fuzz_take_text(&input, '\n');
    check_split(base);
    check_split(reference);
    check_room(base, reference);
    free(base);
    free(reference);
    return 0;
}
