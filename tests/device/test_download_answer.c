/* SPDX-License-Identifier: Apache-2.0 */
/* Does an answer go on with a file? And how fast is a download? The pure parts. */
#include "device/download/download_answer.h"
#include "device/download/download_pace.h"
#include "tests/support/test.h"

#define TOTAL 1000

static const download_file_t the_file = {.total = TOTAL, .etag = "\"a\""};

static download_verdict_t judge(const download_file_t *file, int64_t from, download_answer_t answer)
{
    download_range_t range = {.asked = true, .from = from, .to = -1};
    return download_judge(file, &range, &answer);
}

static void part_that_fits_goes_on_up_to_its_end(void **state)
{
    (void)state;
    const download_answer_t fitting[] = {
        {.status = 206, .content_length = 600, .content_range = "bytes 400-999/1000", .etag = "\"a\""},
        {.status = 206, .content_length = -1, .content_range = "bytes 400-999/1000"},
        {.status = 206, .content_length = 600, .content_range = "bytes 400-999/1000", .last_modified = "whenever"},
    };
    for (size_t i = 0; i < sizeof(fitting) / sizeof(fitting[0]); i++) {
        download_verdict_t verdict = judge(&the_file, 400, fitting[i]);
        assert_int_equal(verdict.meaning, DOWNLOAD_GOES_ON);
        assert_int_equal(verdict.body_end, 1000);
    }
    download_verdict_t shorter =
        judge(&the_file, 400, (download_answer_t){206, 100, "bytes 400-499/1000", NULL, NULL, NULL, 0});
    assert_int_equal(shorter.meaning, DOWNLOAD_GOES_ON);
    assert_int_equal(shorter.body_end, 500);
}

static void part_that_does_not_fit_is_a_misfit_with_a_reason(void **state)
{
    (void)state;
    const download_answer_t misfits[] = {
        {.status = 206, .content_length = 600},
        {.status = 206, .content_length = 600, .content_range = "bytes */1000"},
        {.status = 206, .content_length = 600, .content_range = "bytes 400-999"},
        {.status = 206, .content_length = 601, .content_range = "bytes 399-999/1000"},
        {.status = 206, .content_length = 599, .content_range = "bytes 401-999/1000"},
        {.status = 206, .content_length = 600, .content_range = "bytes 400-999/1001"},
        {.status = 206, .content_length = 600, .content_range = "bytes 400-999/*"},
        {.status = 206, .content_length = 1000, .content_range = "bytes 400-999/1000"},
        {.status = 206, .content_length = 599, .content_range = "bytes 400-999/1000"},
        {.status = 206, .content_length = 600, .content_range = "bytes 400-999/1000", .etag = "\"b\""},
        {.status = 206, .content_length = 600, .content_range = "bytes 400-999/1000", .etag = "W/\"a\""},
        {.status = 416, .content_length = 0},
        {.status = 416, .content_length = 0, .content_range = "bytes */1000"},
    };
    for (size_t i = 0; i < sizeof(misfits) / sizeof(misfits[0]); i++) {
        download_verdict_t verdict = judge(&the_file, 400, misfits[i]);
        assert_int_equal(verdict.meaning, DOWNLOAD_MISFIT);
        assert_non_null(verdict.why);
    }
}

static void whole_answer_is_one_whatever_was_asked(void **state)
{
    (void)state;
    const int statuses[] = {200, 201, 203, 300};
    for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
        download_verdict_t verdict =
            judge(&the_file, 400, (download_answer_t){.status = statuses[i], .content_length = 77});
        assert_int_equal(verdict.meaning, DOWNLOAD_WHOLE);
        assert_int_equal(verdict.body_end, 77);
    }
}

static void unasked_part_is_the_file_only_if_it_begins_at_0(void **state)
{
    (void)state;
    const download_range_t whole = {.asked = false, .to = -1};
    const download_file_t unknown = {.total = -1};
    download_answer_t answer = {.status = 206, .content_length = 1000};
    assert_int_equal(download_judge(&unknown, &whole, &answer).meaning, DOWNLOAD_WHOLE);
    answer.content_range = "bytes 0-999/1000";
    assert_int_equal(download_judge(&unknown, &whole, &answer).meaning, DOWNLOAD_GOES_ON);
    answer.content_range = "bytes 1-1000/1001";
    assert_int_equal(download_judge(&unknown, &whole, &answer).meaning, DOWNLOAD_MISFIT);
    answer = (download_answer_t){.status = 416, .content_length = 0, .content_range = "bytes */0"};
    assert_int_equal(download_judge(&unknown, &whole, &answer).meaning, DOWNLOAD_MISFIT);
}

static void range_behind_the_end_means_that_all_is_here(void **state)
{
    (void)state;
    download_answer_t answer = {.status = 416, .content_length = 0, .content_range = "bytes */1000"};
    assert_int_equal(judge(&the_file, 1000, answer).meaning, DOWNLOAD_COMPLETE);
    const download_file_t unknown = {.total = -1};
    assert_int_equal(judge(&unknown, 1000, answer).meaning, DOWNLOAD_COMPLETE);
    assert_int_equal(judge(&unknown, 999, answer).meaning, DOWNLOAD_MISFIT);
    answer.etag = "\"b\"";
    assert_int_equal(judge(&the_file, 1000, answer).meaning, DOWNLOAD_MISFIT);
    answer.content_range = NULL;
    assert_int_equal(judge(&the_file, 1000, answer).meaning, DOWNLOAD_MISFIT);
}

static void date_counts_where_there_is_no_etag(void **state)
{
    (void)state;
    const char date[] = "Tue, 24 Nov 2026 10:00:00 GMT";
    download_file_t dated = {.total = TOTAL, .modified = "Tue, 24 Nov 2026 10:00:00 GMT"};
    download_answer_t answer = {
        .status = 206, .content_length = 600, .content_range = "bytes 400-999/1000", .last_modified = date};
    assert_int_equal(judge(&dated, 400, answer).meaning, DOWNLOAD_GOES_ON);
    answer.last_modified = "Tue, 24 Nov 2026 10:00:01 GMT";
    assert_int_equal(judge(&dated, 400, answer).meaning, DOWNLOAD_MISFIT);
}

static void what_is_learned_is_what_identifies_the_file(void **state)
{
    (void)state;
    download_file_t file;
    download_answer_t answer = {.status = 200,
                                .content_length = 5,
                                .etag = "\"x\"",
                                .last_modified = "Tue, 24 Nov 2026 10:00:00 GMT",
                                .date = "Wed, 25 Nov 2026 10:00:00 GMT"};
    download_learn(&file, &answer);
    assert_int_equal(file.total, 5);
    assert_string_equal(download_validator(&file), "\"x\"");
    assert_string_equal(file.modified, "");
    answer.etag = NULL;
    download_learn(&file, &answer);
    assert_string_equal(download_validator(&file), answer.last_modified);
    answer.date = answer.last_modified;
    download_learn(&file, &answer);
    assert_null(download_validator(&file));
    answer = (download_answer_t){.status = 206, .content_length = 1, .content_range = "bytes 0-0/77"};
    download_learn(&file, &answer);
    assert_int_equal(file.total, 77);
}

static void etag_that_is_too_long_is_as_none(void **state)
{
    (void)state;
    char etag[DOWNLOAD_ETAG_BYTES + 1];
    memset(etag, 'e', sizeof(etag));
    etag[0] = '"';
    etag[DOWNLOAD_ETAG_BYTES - 2] = '"';
    etag[DOWNLOAD_ETAG_BYTES - 1] = '\0';
    download_file_t file;
    download_answer_t answer = {.status = 200, .content_length = 5, .etag = etag};
    download_learn(&file, &answer);
    assert_string_equal(file.etag, etag);
    etag[DOWNLOAD_ETAG_BYTES - 2] = 'e';
    etag[DOWNLOAD_ETAG_BYTES - 1] = '"';
    etag[DOWNLOAD_ETAG_BYTES] = '\0';
    download_learn(&file, &answer);
    assert_null(download_validator(&file));
}

/* ---- pace ---- */

static void room_is_what_is_wanted_where_there_is_no_limit(void **state)
{
    (void)state;
    download_pace_t pace = {0};
    assert_int_equal(download_pace_room(&pace, 4096, 0, 0), 4096);
    download_pace_count(&pace, 4096, 0, 0, 1);
    assert_int_equal(download_pace_room(&pace, 4096, 0, 1), 4096);
}

static void limit_holds_to_the_byte_over_time(void **state)
{
    (void)state;
    const uint32_t limits[] = {1, 9, 1000, 123456, UINT32_MAX};
    for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
        download_pace_t pace = {0};
        int64_t now_us = 0;
        int64_t bytes = 0;
        for (int step = 0; step < 1000; step++) {
            size_t room = download_pace_room(&pace, 4096, limits[i], now_us);
            assert_true(room > 0);
            download_pace_count(&pace, room, limits[i], now_us, now_us);
            bytes += (int64_t)room;
            if (pace.free_us > now_us) {
                assert_int_equal(download_pace_room(&pace, 4096, limits[i], pace.free_us - 1), 0);
            }
            now_us = pace.free_us > now_us ? pace.free_us : now_us + 1;
        }
        assert_true(bytes <= (int64_t)((double)limits[i] * ((double)now_us / 1e6)) + 4096);
    }
}

static void slowness_is_judged_over_its_time(void **state)
{
    (void)state;
    download_pace_t pace = {0};
    assert_false(download_pace_is_slow(&pace, 10, 999000, 100, 1000));
    assert_true(download_pace_is_slow(&pace, 10, 1000, 100, 1000));
    assert_false(download_pace_is_slow(&pace, 200, 1000000, 100, 1000));
    assert_false(download_pace_is_slow(&pace, 0, 999999, 100, 1000));
    download_pace_renew(&pace);
    assert_false(download_pace_is_slow(&pace, 0, 999999, 100, 1000));
    assert_false(download_pace_is_slow(&pace, 0, 1000000000, 0, 1000));
}

static void rate_for_people_is_that_of_late(void **state)
{
    (void)state;
    download_pace_t pace = {.shown_since_us = 5000000};
    assert_int_equal(download_pace_rate(&pace, 5000000), 0);
    download_pace_count(&pace, 1000, 0, 5000000, 5500000);
    assert_int_equal(download_pace_rate(&pace, 5500000), 2000);
    download_pace_count(&pace, 3000, 0, 5500000, 7000000);
    assert_int_equal(download_pace_rate(&pace, 7000000), 2000);
    assert_int_equal(download_pace_rate(&pace, 8000000), 2000);
    assert_int_equal(download_pace_rate(&pace, 17000000), 0);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(part_that_fits_goes_on_up_to_its_end),
    cmocka_unit_test(part_that_does_not_fit_is_a_misfit_with_a_reason),
    cmocka_unit_test(whole_answer_is_one_whatever_was_asked),
    cmocka_unit_test(unasked_part_is_the_file_only_if_it_begins_at_0),
    cmocka_unit_test(range_behind_the_end_means_that_all_is_here),
    cmocka_unit_test(date_counts_where_there_is_no_etag),
    cmocka_unit_test(what_is_learned_is_what_identifies_the_file),
    cmocka_unit_test(etag_that_is_too_long_is_as_none),
    cmocka_unit_test(room_is_what_is_wanted_where_there_is_no_limit),
    cmocka_unit_test(limit_holds_to_the_byte_over_time),
    cmocka_unit_test(slowness_is_judged_over_its_time),
    cmocka_unit_test(rate_for_people_is_that_of_late),
};

TEST_MAIN(tests)
