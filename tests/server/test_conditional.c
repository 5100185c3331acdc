/* SPDX-License-Identifier: Apache-2.0 */
#include "core/util/date.h"
#include "server/http/conditional.h"

#include <stdlib.h>

#include "server/http/etag.h"
#include "tests/support/test.h"

#define TAG      "\"abc\""
#define MODIFIED "Sun, 06 Nov 1994 08:49:37 GMT"
#define BEFORE   "Sun, 06 Nov 1994 08:49:36 GMT"

enum { MODIFIED_S = 784111777, NOW_S = 1700000000 };

static bool in_list(const char *list, enum etag_comparison comparison)
{
    size_t len = strlen(list);
    char *copy = malloc(len > 0 ? len : 1);
    assert_non_null(copy);
    memcpy(copy, list, len);
    bool found = etag_in_list(copy, len, TAG, comparison);
    free(copy);
    return found;
}

static void a_tag_is_found_anywhere_in_a_list(void **state)
{
    static const char *const lists[] = {
        "*",
        TAG,
        "\"x\", " TAG,
        TAG ",\"x\"",
        "\"\" ,\t" TAG " , W/\"y\"",
        ",," TAG ",",
        "W/\"x\"," TAG,
        "\"a,b\"," TAG,
    };
    (void)state;
    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        print_message("%s\n", lists[i]);
        assert_true(in_list(lists[i], ETAG_WEAK));
        assert_true(in_list(lists[i], ETAG_STRONG));
    }
}

static void another_tag_does_not_match(void **state)
{
    static const char *const lists[] = {"", ",", "\"\"", "\"ab\"", "\"abcd\"", "\"ABC\"", "W/\"x\"", "\"x,\\\"abc\""};
    (void)state;
    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        print_message("%s\n", lists[i]);
        assert_false(in_list(lists[i], ETAG_WEAK));
    }
}

static void a_malformed_list_matches_nothing(void **state)
{
    static const char *const lists[] = {
        "abc",    "\"abc",   "abc\"",  TAG "x",  TAG " " TAG,    TAG ",x",
        "w/" TAG, "W/ " TAG, "*," TAG, TAG ",*", "\"a b\"," TAG, "W/",
    };
    (void)state;
    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        print_message("%s\n", lists[i]);
        assert_false(in_list(lists[i], ETAG_WEAK));
        assert_false(in_list(lists[i], ETAG_STRONG));
    }
}

static void a_weak_tag_matches_only_weakly(void **state)
{
    (void)state;
    assert_true(in_list("W/" TAG, ETAG_WEAK));
    assert_false(in_list("W/" TAG, ETAG_STRONG));
    assert_true(etag_is(TAG, strlen(TAG), TAG));
    assert_false(etag_is("W/" TAG, strlen("W/" TAG), TAG));
    assert_false(etag_is("*", 1, TAG));
    assert_false(etag_is(TAG ",", strlen(TAG ","), TAG));
}

static void every_truncated_list_is_read_within_its_bounds(void **state)
{
    static const char list[] = "W/\"x\" , \"y\", \"abc\" ";
    (void)state;
    for (size_t len = 0; len < sizeof(list) - 1; len++) {
        char *copy = malloc(len + 1);
        assert_non_null(copy);
        memcpy(copy, list, len);
        char *exact = realloc(copy, len > 0 ? len : 1);
        assert_non_null(exact);
        assert_true(etag_in_list(exact, len, TAG, ETAG_WEAK) == (len >= 18));
        assert_false(etag_is(exact, len, TAG));
        free(exact);
    }
}

static void dates_are_written_as_http_wants_them(void **state)
{
    static const struct {
        int64_t seconds;
        const char *text;
    } dates[] = {
        {0, "Thu, 01 Jan 1970 00:00:00 GMT"},          {MODIFIED_S, MODIFIED},
        {951782400, "Tue, 29 Feb 2000 00:00:00 GMT"},  {4107542399, "Sun, 28 Feb 2100 23:59:59 GMT"},
        {4107542400, "Mon, 01 Mar 2100 00:00:00 GMT"}, {253402300799, "Fri, 31 Dec 9999 23:59:59 GMT"},
        {-1, "Thu, 01 Jan 1970 00:00:00 GMT"},         {INT64_MAX, "Fri, 31 Dec 9999 23:59:59 GMT"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(dates) / sizeof(dates[0]); i++) {
        char text[DATE_SIZE];
        date_format(dates[i].seconds, text);
        assert_string_equal(text, dates[i].text);
    }
}

static void written_dates_are_read_back(void **state)
{
    (void)state;
    for (int64_t seconds = 0; seconds < 253402300800; seconds += 86399LL * 97) {
        char text[DATE_SIZE];
        int64_t back = -1;
        date_format(seconds, text);
        assert_true(date_parse(text, strlen(text), NOW_S, &back));
        assert_int_equal(back, seconds);
    }
}

static void all_three_forms_of_dates_are_read(void **state)
{
    static const char *const forms[] = {MODIFIED, "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"};
    (void)state;
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        int64_t seconds = 0;
        assert_true(date_parse(forms[i], strlen(forms[i]), NOW_S, &seconds));
        assert_int_equal(seconds, MODIFIED_S);
    }
}

static void two_digit_years_are_never_far_ahead(void **state)
{
    int64_t seconds = 0;
    (void)state;
    assert_true(date_parse("Thursday, 01-Jan-70 00:00:00 GMT", 32, NOW_S, &seconds));
    assert_int_equal(seconds, 3155760000); /* 2070: within 50 years of 2023. */
    assert_true(date_parse("Friday, 01-Jan-99 00:00:00 GMT", 30, NOW_S, &seconds));
    assert_int_equal(seconds, 915148800); /* 1999. */
}

static void what_is_no_date_is_refused(void **state)
{
    static const char *const wrong[] = {
        "",
        "yesterday",
        "Sun, 06 Nov 1994 08:49:37",
        "Sun, 06 Nov 1994 08:49:37 CET",
        MODIFIED " ",
        "Sun, 31 Nov 1994 08:49:37 GMT",
        "Sun, 29 Feb 2023 08:49:37 GMT",
        "Sun, 00 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 24:49:37 GMT",
        "Sun, 06 Nov 1994 08:60:37 GMT",
        "Sun, 06 Nov 1969 08:49:37 GMT",
        "Sun, 06 nov 1994 08:49:37 GMT",
        ", 06 Nov 1994 08:49:37 GMT",
        "Sun, -6 Nov 1994 08:49:37 GMT",
    };
    int64_t seconds;
    (void)state;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        print_message("%s\n", wrong[i]);
        assert_false(date_parse(wrong[i], strlen(wrong[i]), NOW_S, &seconds));
    }
    for (size_t len = 0; len < strlen(MODIFIED); len++) {
        assert_false(date_parse(MODIFIED, len, NOW_S, &seconds));
    }
}

static const struct conditional_file file = {.size_bytes = 1000, .modified_s = MODIFIED_S, .etag = TAG};

static struct conditional_answer decide(struct conditional_headers headers)
{
    return conditional_decide(&headers, &file, true, NOW_S);
}

static void a_plain_request_gets_the_whole_file(void **state)
{
    (void)state;
    struct conditional_answer answer = decide((struct conditional_headers){0});
    assert_int_equal(answer.status, 200);
    assert_int_equal(answer.parts.part[0].first_off, 0);
    assert_int_equal(answer.parts.part[0].len, 1000);
}

static void conditions_decide_by_tag_before_date(void **state)
{
    static const struct {
        struct conditional_headers headers;
        unsigned status;
    } cases[] = {
        {{.if_none_match = TAG}, 304},
        {{.if_none_match = "W/" TAG}, 304},
        {{.if_none_match = "*"}, 304},
        {{.if_none_match = "\"x\""}, 200},
        {{.if_modified_since = MODIFIED}, 304},
        {{.if_modified_since = BEFORE}, 200},
        {{.if_modified_since = "no date"}, 200},
        {{.if_none_match = "\"x\"", .if_modified_since = MODIFIED}, 200},
        {{.if_none_match = TAG, .if_modified_since = BEFORE}, 304},
        {{.if_match = TAG}, 200},
        {{.if_match = "*"}, 200},
        {{.if_match = "W/" TAG}, 412},
        {{.if_match = "\"x\""}, 412},
        {{.if_match = "garbage"}, 412},
        {{.if_match = "\"x\"", .if_none_match = TAG}, 412},
        {{.if_match = TAG, .if_none_match = TAG}, 304},
        {{.if_match = TAG, .if_unmodified_since = BEFORE}, 200},
        {{.if_unmodified_since = BEFORE}, 412},
        {{.if_unmodified_since = MODIFIED}, 200},
        {{.if_unmodified_since = "no date"}, 200},
        {{.if_none_match = TAG, .range = "bytes=0-1"}, 304},
        {{.if_match = "\"x\"", .range = "bytes=0-1"}, 412},
        {{.if_match = TAG, .range = "bytes=0-1"}, 206},
        {{.range = "bytes=0-1"}, 206},
        {{.range = "bytes=1000-"}, 416},
        {{.range = "bytes=9-1"}, 200},
        {{.range = "bytes=0-1", .if_range = TAG}, 206},
        {{.range = "bytes=1000-", .if_range = TAG}, 416},
        {{.range = "bytes=1000-", .if_range = "\"x\""}, 200},
        {{.range = "bytes=0-1", .if_range = "W/" TAG}, 200},
        {{.range = "bytes=0-1", .if_range = MODIFIED}, 206},
        {{.range = "bytes=0-1", .if_range = BEFORE}, 200},
        {{.range = "bytes=0-1", .if_range = "Sun, 06 Nov 1994 08:49:38 GMT"}, 200},
        {{.range = "bytes=0-1", .if_range = "Fri, 31 Dec 9999 23:59:59 GMT"}, 200},
        {{.if_range = "\"x\""}, 200},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        print_message("case %zu\n", i);
        assert_int_equal(decide(cases[i].headers).status, cases[i].status);
    }
}

static void a_range_is_answered_with_its_part(void **state)
{
    (void)state;
    struct conditional_answer answer = decide((struct conditional_headers){.range = "bytes=-100", .if_range = TAG});
    assert_int_equal(answer.status, 206);
    assert_int_equal(answer.parts.part[0].first_off, 900);
    assert_int_equal(answer.parts.part[0].len, 100);
}

static void a_date_names_a_content_only_when_its_second_is_over(void **state)
{
    const struct conditional_headers headers = {.range = "bytes=0-1", .if_range = MODIFIED};
    (void)state;
    assert_int_equal(conditional_decide(&headers, &file, true, MODIFIED_S).status, 200);
    assert_int_equal(conditional_decide(&headers, &file, true, MODIFIED_S - 1).status, 200);
    assert_int_equal(conditional_decide(&headers, &file, true, MODIFIED_S + 1).status, 206);
}

static void head_knows_no_ranges(void **state)
{
    const struct conditional_headers outside = {.range = "bytes=1000-"};
    const struct conditional_headers known = {.range = "bytes=0-1", .if_none_match = TAG};
    (void)state;
    assert_int_equal(conditional_decide(&outside, &file, false, NOW_S).status, 200);
    assert_int_equal(conditional_decide(&known, &file, false, NOW_S).status, 304);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_tag_is_found_anywhere_in_a_list),
    cmocka_unit_test(another_tag_does_not_match),
    cmocka_unit_test(a_malformed_list_matches_nothing),
    cmocka_unit_test(a_weak_tag_matches_only_weakly),
    cmocka_unit_test(every_truncated_list_is_read_within_its_bounds),
    cmocka_unit_test(dates_are_written_as_http_wants_them),
    cmocka_unit_test(written_dates_are_read_back),
    cmocka_unit_test(all_three_forms_of_dates_are_read),
    cmocka_unit_test(two_digit_years_are_never_far_ahead),
    cmocka_unit_test(what_is_no_date_is_refused),
    cmocka_unit_test(a_plain_request_gets_the_whole_file),
    cmocka_unit_test(conditions_decide_by_tag_before_date),
    cmocka_unit_test(a_range_is_answered_with_its_part),
    cmocka_unit_test(a_date_names_a_content_only_when_its_second_is_over),
    cmocka_unit_test(head_knows_no_ranges),
};

TEST_MAIN(tests)
