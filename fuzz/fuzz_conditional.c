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

static void check_range(const char *text, size_t len, uint64_t size_bytes)
{
    struct range part = {UINT64_MAX, UINT64_MAX};
    enum range_kind kind = range_parse(text, len, size_bytes, &part);
    FUZZ_CHECK(kind == RANGE_WHOLE || kind == RANGE_PART || kind == RANGE_UNSATISFIABLE);
    if (kind == RANGE_PART) {
        FUZZ_CHECK(part.len > 0 && part.first_off < size_bytes && part.len <= size_bytes - part.first_off);
    } else {
        FUZZ_CHECK(part.first_off == UINT64_MAX && part.len == UINT64_MAX);
    }
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
        FUZZ_CHECK(answer.part.first_off == 0 && answer.part.len == file->size_bytes);
    }
    if (answer.status == 206) {
        FUZZ_CHECK(answer.part.len > 0 && answer.part.first_off < file->size_bytes);
        FUZZ_CHECK(answer.part.len <= file->size_bytes - answer.part.first_off);
    }
    /* A range that is not asked for under this content's own tag must not be cut out of it. */
    if (answer.status == 206 && headers->if_range != NULL) {
        FUZZ_CHECK(strcmp(headers->if_range, file->etag) == 0);
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
