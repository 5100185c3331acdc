/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Content-Range, Retry-After, Last-Modified, ETag: what is accepted makes sense, and is what was written.
 *
 * Input: the time now in seconds, then the value.
 */
#include "fuzz/fuzz.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "device/http/http_fields.h"

/* A number as it is written, or an asterisk. */
static const char *spell(int64_t number, char text[24])
{
    snprintf(text, 24, "%" PRId64, number);
    return number < 0 ? "*" : text;
}

/* Leading zeros aside, what was read is what stands there. */
static void check_spelling(const char *value, const http_content_range_t *range)
{
    char total[24];
    char written[96];
    int len = range->start < 0 ? snprintf(written, sizeof(written), "bytes */%s", spell(range->total, total))
                               : snprintf(written, sizeof(written), "bytes %" PRId64 "-%" PRId64 "/%s", range->start,
                                          range->end, spell(range->total, total));
    FUZZ_CHECK(len > 0 && (size_t)len < sizeof(written) && strlen(value) >= (size_t)len);
    http_content_range_t again;
    FUZZ_CHECK(http_parse_content_range(written, &again));
    FUZZ_CHECK(again.start == range->start && again.end == range->end && again.total == range->total);
}

static void check_range(const char *value)
{
    http_content_range_t range = {-9, -9, -9};
    if (!http_parse_content_range(value, &range)) {
        FUZZ_CHECK(range.start == -9 && range.end == -9 && range.total == -9);
        return;
    }
    FUZZ_CHECK(range.start >= -1 && range.start <= range.end && range.total >= -1);
    FUZZ_CHECK((range.start < 0) == (range.end < 0));
    FUZZ_CHECK(range.start >= 0 || range.total >= 0);
    FUZZ_CHECK(range.total < 0 || range.end < range.total);
    check_spelling(value, &range);
}

static void check_times(const char *value, int64_t wall_us)
{
    int64_t seconds = 0;
    uint32_t delay_ms = 0;
    bool is_date = http_parse_date(value, wall_us, &seconds);
    bool is_delay = http_parse_retry_after(value, wall_us, &delay_ms);
    FUZZ_CHECK(is_delay || !is_date);
    if (is_date && seconds <= wall_us / 1000000) {
        FUZZ_CHECK(delay_ms == 0);
    }
    if (is_delay && !is_date) {
        FUZZ_CHECK(value[0] != '\0' && value[strspn(value, "0123456789")] == '\0');
    }
}

static void check_etag(const char *value)
{
    http_etag_kind_t kind = http_judge_etag(value);
    size_t len = strlen(value);
    if (kind == HTTP_ETAG_NONE) {
        return;
    }
    FUZZ_CHECK(len >= 2 && value[len - 1] == '"' && value[kind == HTTP_ETAG_WEAK ? 2 : 0] == '"');
    FUZZ_CHECK(strpbrk(value, "\r\n \t") == NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_input_t input = {data, size};
    int64_t wall_us = (int64_t)fuzz_take_u32(&input) * 1000000;
    char *value = fuzz_take_text(&input, '\n');
    check_range(value);
    check_times(value, wall_us);
    check_etag(value);
    free(value);
    return 0;
}
