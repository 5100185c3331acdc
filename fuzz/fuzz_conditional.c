/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Conditional and ranged requests: Range, If-Range, If-Match, If-None-Match, dates. What is sent lies inside the file;
 * headers decide in their order of precedence; dates survive being written and read.
 *
 * Input: flags (a bit for each header that is there), size of the file, then the headers' values, a line each.
 */
#include "fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "core/util/date.h"
#include "server/http/conditional.h"
#include "server/http/etag.h"
#include "server/http/multipart.h"

#define ETAG   "\"5d8c72a5edda8-1f4\""
#define NOW_S  1767225600   /* 2026-01-01 */
#define LAST_S 253402300799 /* The last second that can be written; the leap second behind it can only be read. */

enum { HEADERS = 6, IS_GET = 64, HUGE_FILE = 128 };

static void check_date(const char *text, size_t len)
{
    int64_t seconds;
    int64_t again;
    char written[DATE_SIZE];
    if (!date_parse(text, len, NOW_S, &seconds) || seconds < 0) {
        return;
    }
    date_format(seconds, written);
    FUZZ_CHECK(strlen(written) == DATE_SIZE - 1);
    FUZZ_CHECK(date_parse(written, strlen(written), NOW_S, &again));
    FUZZ_CHECK(again == (seconds < LAST_S ? seconds : LAST_S));
}

static void check_etag(const char *text, size_t len)
{
    bool strong = etag_in_list(text, len, ETAG, ETAG_STRONG);
    bool weak = etag_in_list(text, len, ETAG, ETAG_WEAK);
    FUZZ_CHECK(weak || !strong);
    if (etag_is(text, len, ETAG)) {
        FUZZ_CHECK(strong && len == strlen(ETAG) && memcmp(text, ETAG, len) == 0);
    }
    if (strong) {
        FUZZ_CHECK((len == 1 && text[0] == '*') || strstr(text, ETAG) != NULL);
    }
}

static void check_parts(const struct range_set *parts, uint64_t size_bytes)
{
    uint64_t sum = 0;
    FUZZ_CHECK(parts->count > 0 && parts->count <= RANGE_PARTS_MAX);
    for (size_t i = 0; i < parts->count; i++) {
        const struct range *part = &parts->part[i];
        FUZZ_CHECK(part->len > 0 && part->first_off < size_bytes && part->len <= size_bytes - part->first_off);
        FUZZ_CHECK(part->len <= size_bytes - sum);
        sum += part->len;
    }
}

/* The body of several parts: as long as it says, without gaps, each byte of the file from within its part. */
static void check_multipart(const struct range_set *parts, uint64_t size_bytes)
{
    const struct multipart multipart = {*parts, size_bytes, "text/plain", "0123456789abcdef0123456789abcdef"};
    struct multipart_piece piece;
    uint64_t pos = 0;
    uint64_t from_file = 0;
    uint64_t asked_for = 0;
    for (size_t i = 0; i < parts->count; i++) {
        asked_for += parts->part[i].len;
    }
    for (multipart_find(&multipart, pos, &piece); piece.len > 0; multipart_find(&multipart, pos, &piece)) {
        FUZZ_CHECK(piece.is_text ? piece.off + piece.len == strlen(piece.text) : piece.off + piece.len <= size_bytes);
        pos += piece.len;
        from_file += piece.is_text ? 0 : piece.len;
    }
    FUZZ_CHECK(pos == multipart_length(&multipart) && from_file == asked_for);
}

static void check_range(const char *text, size_t len, uint64_t size_bytes)
{
    struct range_set parts;
    enum range_kind kind = range_parse(text, len, size_bytes, &parts);
    FUZZ_CHECK(kind == RANGE_WHOLE || kind == RANGE_PARTS || kind == RANGE_UNSATISFIABLE);
    if (kind == RANGE_PARTS) {
        check_parts(&parts, size_bytes);
        check_multipart(&parts, size_bytes);
    }
}

/* A part must not be cut out of a content that the client has not asked for. */
static bool names_content(const char *if_range, const struct conditional_file *file)
{
    int64_t seconds;
    return strcmp(if_range, file->etag) == 0 ||
           (date_parse(if_range, strlen(if_range), NOW_S, &seconds) && seconds == file->modified_s);
}

static void check_answer(const struct conditional_headers *headers, const struct conditional_file *file, bool is_get)
{
    struct conditional_answer answer = conditional_decide(headers, file, is_get, NOW_S);
    bool partial = answer.status == 206 || answer.status == 416;
    FUZZ_CHECK(partial || answer.status == 200 || answer.status == 304 || answer.status == 412);
    FUZZ_CHECK(!partial || (is_get && headers->range != NULL));
    FUZZ_CHECK(answer.status != 412 || headers->if_match != NULL || headers->if_unmodified_since != NULL);
    FUZZ_CHECK(answer.status != 304 || headers->if_none_match != NULL || headers->if_modified_since != NULL);
    if (answer.status == 200) {
        FUZZ_CHECK(answer.parts.count == 1 && answer.parts.part[0].first_off == 0);
        FUZZ_CHECK(answer.parts.part[0].len == file->size_bytes);
    }
    if (answer.status == 206) {
        check_parts(&answer.parts, file->size_bytes);
        FUZZ_CHECK(headers->if_range == NULL || names_content(headers->if_range, file));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_input_t input = {data, size};
    uint8_t flags = fuzz_take_u8(&input);
    struct conditional_file file = {.size_bytes = fuzz_take_u32(&input), .modified_s = 1700000000, .etag = ETAG};
    file.size_bytes <<= (flags & HUGE_FILE) != 0 ? 32 : 0;
    char *value[HEADERS];
    const char *given[HEADERS];
    for (int i = 0; i < HEADERS; i++) {
        value[i] = fuzz_take_text(&input, '\n');
        given[i] = (flags & 1 << i) != 0 ? value[i] : NULL;
        check_date(value[i], strlen(value[i]));
        check_etag(value[i], strlen(value[i]));
        check_range(value[i], strlen(value[i]), file.size_bytes);
    }
    struct conditional_headers headers = {
        .if_match = given[0],
        .if_none_match = given[1],
        .if_modified_since = given[2],
        .if_unmodified_since = given[3],
        .if_range = given[4],
        .range = given[5],
    };
    check_answer(&headers, &file, (flags & IS_GET) != 0);
    for (int i = 0; i < HEADERS; i++) {
        free(value[i]);
    }
    return 0;
}
