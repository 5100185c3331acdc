/* SPDX-License-Identifier: Apache-2.0 */
/* Values of response headers: ranges, delays, dates, entity tags. */
#include <stdbool.h>

#include "device/http/http_fields.h"
#include "tests/support/test.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define NOW_US       (INT64_C(1785499200) * 1000000) /* 31 July 2026, 12:00:00. */

static void content_range_says_start_end_and_total(void **state)
{
    (void)state;
    static const struct {
        const char *value;
        http_content_range_t range;
    } cases[] = {
        {"bytes 0-0/1", {0, 0, 1}},
        {"bytes 100-199/1000", {100, 199, 1000}},
        {"Bytes 100-199/200", {100, 199, 200}},
        {"bytes 100-199/*", {100, 199, -1}},
        {"bytes */1000", {-1, -1, 1000}},
        {"bytes */0", {-1, -1, 0}},
        {"bytes 0-9223372036854775806/9223372036854775807", {0, INT64_MAX - 1, INT64_MAX}},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        http_content_range_t range = {0};
        assert_true(http_parse_content_range(cases[i].value, &range));
        assert_true(range.start == cases[i].range.start);
        assert_true(range.end == cases[i].range.end);
        assert_true(range.total == cases[i].range.total);
    }
}

static void malformed_content_range_is_refused_and_changes_nothing(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "",
        "bytes",
        "bytes ",
        "bytes 1",
        "bytes 0-",
        "bytes 0-1",
        "bytes 0-1/",
        "bytes -1/2",
        "bytes 0-1/1",
        "bytes 0-1/0",
        "bytes 2-1/9",
        "bytes */*",
        "bytes 0-1/2 ",
        "bytes 0-1/2x",
        "bytes  0-1/2",
        "bytes\t0-1/2",
        "bytes 0 - 1/2",
        "bytes=0-1/2",
        "items 0-1/2",
        "bytes +0-1/2",
        "bytes 0x0-1/2",
        "bytes 0-1/9223372036854775808",
        "bytes 0-99999999999999999999/*",
        "bytes *-1/2",
        "bytes 0-*/2",
    };
    http_content_range_t range = {7, 7, 7};
    for (size_t i = 0; i < COUNT(wrong); i++) {
        if (http_parse_content_range(wrong[i], &range)) {
            fail_msg("accepted: %s", wrong[i]);
        }
    }
    assert_false(http_parse_content_range(NULL, &range));
    assert_true(range.start == 7 && range.end == 7 && range.total == 7);
}

static void retry_after_is_seconds_or_a_date(void **state)
{
    (void)state;
    static const struct {
        const char *value;
        uint32_t delay_ms;
    } cases[] = {
        {"0", 0},
        {"120", 120000},
        {"4294967", 4294967000},
        {"4294968", UINT32_MAX},
        {"99999999999999999999999999", UINT32_MAX},
        {"Fri, 31 Jul 2026 12:00:30 GMT", 30000},
        {"Friday, 31-Jul-26 12:01:00 GMT", 60000},
        {"Fri Jul 31 12:00:01 2026", 1000},
        {"Fri, 31 Jul 2026 11:59:59 GMT", 0},
        {"Fri, 31 Jul 1998 12:00:00 GMT", 0},
        {"Fri, 31 Dec 9999 23:59:59 GMT", UINT32_MAX},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        uint32_t delay_ms = 1;
        assert_true(http_parse_retry_after(cases[i].value, NOW_US, &delay_ms));
        assert_int_equal(delay_ms, cases[i].delay_ms);
    }
}

static void malformed_retry_after_is_refused_and_changes_nothing(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "",
        " ",
        "-1",
        "+1",
        "1.5",
        "1s",
        "1 ",
        " 1",
        "0x10",
        "soon",
        "Fri, 31 Jul 2026 12:00:30",
        "Fri, 31 Jul 2026 12:00:30 CET",
        "Fri, 32 Jul 2026 12:00:30 GMT",
    };
    uint32_t delay_ms = 7;
    for (size_t i = 0; i < COUNT(wrong); i++) {
        if (http_parse_retry_after(wrong[i], NOW_US, &delay_ms)) {
            fail_msg("accepted: %s", wrong[i]);
        }
    }
    assert_false(http_parse_retry_after(NULL, NOW_US, &delay_ms));
    assert_int_equal(delay_ms, 7);
}

static void last_modified_is_read_as_seconds(void **state)
{
    (void)state;
    int64_t seconds = 0;
    assert_true(http_parse_date("Sun, 06 Nov 1994 08:49:37 GMT", NOW_US, &seconds));
    assert_true(seconds == 784111777);
    assert_false(http_parse_date("yesterday", NOW_US, &seconds));
    assert_false(http_parse_date(NULL, NOW_US, &seconds));
}

static void etags_are_strong_weak_or_worth_nothing(void **state)
{
    (void)state;
    static const struct {
        const char *value;
        http_etag_kind_t kind;
    } cases[] = {
        {"\"abc-1\"", HTTP_ETAG_STRONG},  {"\"\"", HTTP_ETAG_STRONG},
        {"\"W/\"", HTTP_ETAG_STRONG},     {"\"\xc3\xa4\"", HTTP_ETAG_STRONG},
        {"W/\"abc\"", HTTP_ETAG_WEAK},    {"w/\"abc\"", HTTP_ETAG_NONE},
        {"W/abc", HTTP_ETAG_NONE},        {"abc", HTTP_ETAG_NONE},
        {"\"abc", HTTP_ETAG_NONE},        {"\"abc\" ", HTTP_ETAG_NONE},
        {"\"a\", \"b\"", HTTP_ETAG_NONE}, {"\"a b\"", HTTP_ETAG_NONE},
        {"\"a\x7f\"", HTTP_ETAG_NONE},    {"", HTTP_ETAG_NONE},
        {NULL, HTTP_ETAG_NONE},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        assert_int_equal(http_judge_etag(cases[i].value), cases[i].kind);
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(content_range_says_start_end_and_total),
    cmocka_unit_test(malformed_content_range_is_refused_and_changes_nothing),
    cmocka_unit_test(retry_after_is_seconds_or_a_date),
    cmocka_unit_test(malformed_retry_after_is_refused_and_changes_nothing),
    cmocka_unit_test(last_modified_is_read_as_seconds),
    cmocka_unit_test(etags_are_strong_weak_or_worth_nothing),
};

TEST_MAIN(tests)
