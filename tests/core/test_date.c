/* SPDX-License-Identifier: Apache-2.0 */
#include "core/util/date.h"
#include "tests/support/test.h"

#define NOW 1764000000 /* In November 2025. */

static bool reads(const char *text, int64_t *seconds)
{
    *seconds = -1;
    return date_parse(text, strlen(text), NOW, seconds);
}

static void assert_date(const char *text, int64_t expected)
{
    int64_t seconds;
    if (!reads(text, &seconds) || seconds != expected) {
        fail_msg("%s: %lld, not %lld", text, (long long)seconds, (long long)expected);
    }
}

static void assert_no_date(const char *text)
{
    int64_t seconds;
    if (reads(text, &seconds)) {
        fail_msg("taken for a date: %s", text);
    }
    assert_int_equal(seconds, -1);
}

static void assert_written(int64_t seconds, const char *expected)
{
    char text[DATE_SIZE];
    date_format(seconds, text);
    assert_string_equal(text, expected);
}

static void each_of_the_three_forms_is_read(void **state)
{
    (void)state;
    assert_date("Sun, 06 Nov 1994 08:49:37 GMT", 784111777);
    assert_date("Sunday, 06-Nov-94 08:49:37 GMT", 784111777);
    assert_date("Sun Nov  6 08:49:37 1994", 784111777);
    assert_date("Wed Nov 16 08:49:37 1994", 784975777);
    assert_date("anyday, 01 Jan 1970 00:00:00 GMT", 0);
}

static void a_date_that_is_written_is_read_as_the_same(void **state)
{
    (void)state;
    static const int64_t moments[] = {0, 1, 86399, 86400, 951782400, 4107542399, 253402300799};
    for (size_t i = 0; i < sizeof(moments) / sizeof(moments[0]); i++) {
        char text[DATE_SIZE];
        date_format(moments[i], text);
        assert_date(text, moments[i]);
    }
}

static void dates_are_written_as_http_wants_them(void **state)
{
    (void)state;
    assert_written(784111777, "Sun, 06 Nov 1994 08:49:37 GMT");
    assert_written(951782400, "Tue, 29 Feb 2000 00:00:00 GMT");
    assert_written(-5, "Thu, 01 Jan 1970 00:00:00 GMT");
    assert_written(253402300799, "Fri, 31 Dec 9999 23:59:59 GMT");
    assert_written(253402300800, "Fri, 31 Dec 9999 23:59:59 GMT");
}

static void leap_years_are_those_of_the_calendar(void **state)
{
    (void)state;
    assert_date("Tue, 29 Feb 2000 00:00:00 GMT", 951782400);
    assert_date("Thu, 29 Feb 2024 00:00:00 GMT", 1709164800);
    assert_no_date("Mon, 29 Feb 2100 00:00:00 GMT");
    assert_no_date("Sat, 29 Feb 2025 00:00:00 GMT");
}

static void a_moment_that_does_not_exist_is_no_date(void **state)
{
    (void)state;
    assert_no_date("Sun, 06 Nov 1969 08:49:37 GMT");
    assert_no_date("Sun, 00 Nov 1994 08:49:37 GMT");
    assert_no_date("Sun, 31 Nov 1994 08:49:37 GMT");
    assert_no_date("Sun, 06 Nov 1994 24:49:37 GMT");
    assert_no_date("Sun, 06 Nov 1994 08:60:37 GMT");
    assert_no_date("Sun, 06 Nov 1994 08:49:61 GMT");
    assert_date("Sun, 06 Nov 1994 08:49:60 GMT", 784111800); /* A leap second is the next one. */
}

static void what_is_cut_anywhere_is_no_date(void **state)
{
    (void)state;
    static const char *const whole[] = {"Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT",
                                        "Sun Nov  6 08:49:37 1994", "Sun Nov 16 08:49:37 1994"};
    for (size_t i = 0; i < sizeof(whole) / sizeof(whole[0]); i++) {
        for (size_t len = 0; len < strlen(whole[i]); len++) {
            int64_t seconds = -1;
            assert_false(date_parse(whole[i], len, NOW, &seconds));
            assert_int_equal(seconds, -1);
        }
    }
}

static void what_is_no_form_is_no_date(void **state)
{
    (void)state;
    assert_no_date("Sun, 06 Nov 1994 08:49:37 GMT+1");
    assert_no_date("Sun, 06 Nov 1994 08:49:37 UTC");
    assert_no_date("Sun, 6 Nov 1994 08:49:37 GMT");
    assert_no_date("Sun, 06 Foo 1994 08:49:37 GMT");
    assert_no_date("Sun, 06 Nov 19/4 08:49:37 GMT");
    assert_no_date("Sun, 06 Nov 19:4 08:49:37 GMT");
    assert_no_date("S{n, 06 Nov 1994 08:49:37 GMT");
    assert_no_date("s@n, 06 Nov 1994 08:49:37 GMT");
    assert_no_date("sun[, 06 Nov 1994 08:49:37 GMT");
    assert_no_date(", 06 Nov 1994 08:49:37 GMT");
    assert_no_date("Sun Nov  x 08:49:37 1994");
    assert_no_date("Sunday, 06-Nov-x4 08:49:37 GMT");
}

static void a_year_of_two_digits_is_at_most_fifty_years_ahead(void **state)
{
    (void)state;
    assert_date("Friday, 01-Jan-75 00:00:00 GMT", 3313526400);  /* 2075 */
    assert_date("Thursday, 01-Jan-76 00:00:00 GMT", 189302400); /* 1976 */
    int64_t seconds;
    const char *text = "Thursday, 01-Jan-70 00:00:00 GMT";
    assert_true(date_parse(text, strlen(text), -1, &seconds)); /* A clock that was never set. */
    assert_int_equal(seconds, 0);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(each_of_the_three_forms_is_read),
    cmocka_unit_test(a_date_that_is_written_is_read_as_the_same),
    cmocka_unit_test(dates_are_written_as_http_wants_them),
    cmocka_unit_test(leap_years_are_those_of_the_calendar),
    cmocka_unit_test(a_moment_that_does_not_exist_is_no_date),
    cmocka_unit_test(what_is_cut_anywhere_is_no_date),
    cmocka_unit_test(what_is_no_form_is_no_date),
    cmocka_unit_test(a_year_of_two_digits_is_at_most_fifty_years_ahead),
};
TEST_MAIN(tests)
