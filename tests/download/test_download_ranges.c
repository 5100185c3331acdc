/* SPDX-License-Identifier: Apache-2.0 */
/* Servers whose ranges are wrong, and files that change between two of them: two versions are never mixed. */
#include <stdlib.h>

#include "tests/download/download_rig.h"

#define CUT_AT 9000

/* App 1.5.0: as long as app 2.0.0, with other bytes. To be freed, or kept by the rig. */
static uint8_t *make_older(const rig_t *rig)
{
    fixture_image_t spec = FIXTURE_IMAGE("bench", "1.5.0");
    spec.segment_bytes[0] = 20000;
    spec.segment_bytes[1] = 8000;
    spec.seed = 15;
    size_t len;
    uint8_t *image = fixture_image(&spec, &len);
    assert_int_equal(len, rig->bench->image_len);
    return image;
}

/* The connection is cut, the next answers are these, and then all is well. */
static void serve_after_cut(rig_t *rig, const bad_reply_t *then, size_t count)
{
    bad_reply_t replies[4] = {rig_bad_once(rig, BAD_CUT, CUT_AT)};
    assert_true(count <= 2);
    memcpy(replies + 1, then, count * sizeof(*then));
    replies[1 + count] = rig_good(rig);
    rig_serve(rig, replies, 2 + count);
}

/* The range is asked for and answered like this, and the update ends well all the same. */
static void assert_gets_past(rig_t *rig, bad_reply_t bad)
{
    bad.until = 1;
    serve_after_cut(rig, &bad, 1);
    rig_assert_updates(rig);
    rig_assert_faults(rig, 2);
    rig_assert_asked(rig, 1, "Range: bytes=9000-");
}

/* A wrong answer to the range is not used: the whole file is asked for. */
static void assert_sees_through(rig_t *rig, bad_reply_t bad)
{
    assert_gets_past(rig, bad);
    rig_assert_not_asked(rig, 2, "Range: ");
}

static void assert_sees_through_range(rig_t *rig, const char *content_range)
{
    bad_reply_t bad = rig_bad(rig, BAD_RANGE_TEXT, 0);
    bad.text = content_range;
    assert_sees_through(rig, bad);
}

/* --- wrong ranges --- */

static void whole_file_instead_of_a_range_is_taken_from_its_start(void **state)
{
    rig_t *rig = *state;
    bad_reply_t bad = rig_bad(rig, BAD_IGNORE_RANGE, 0);
    const bad_reply_t replies[] = {rig_bad_once(rig, BAD_CUT, CUT_AT), bad};
    rig_serve(rig, replies, 2);
    rig_assert_updates(rig);
    rig_assert_faults(rig, 2);
    rig_assert_asked(rig, 1, "Range: bytes=9000-");
}

static void range_that_starts_later_is_seen_through(void **state)
{
    assert_sees_through(*state, rig_bad(*state, BAD_WRONG_RANGE, 16));
}

static void range_without_content_range_is_seen_through(void **state)
{
    assert_sees_through_range(*state, NULL);
}

static void range_in_another_unit_is_seen_through(void **state)
{
    assert_sees_through_range(*state, "lines 9000-28000/28001");
}

static void malformed_content_range_is_seen_through(void **state)
{
    assert_sees_through_range(*state, "bytes 9000");
}

static void content_range_of_huge_numbers_is_seen_through(void **state)
{
    assert_sees_through_range(*state, "bytes 9000-99999999999999999999999/99999999999999999999999");
}

static void negative_content_range_is_seen_through(void **state)
{
    assert_sees_through_range(*state, "bytes -9000-28000/28001");
}

static void content_range_that_ends_before_it_starts_is_seen_through(void **state)
{
    assert_sees_through_range(*state, "bytes 9000-8999/28001");
}

static void range_of_a_file_of_another_length_is_seen_through(void **state)
{
    rig_t *rig = *state;
    char text[64];
    size_t len = rig->bench->image_len;
    snprintf(text, sizeof(text), "bytes 9000-%zu/%zu", len - 1, len + 1);
    assert_sees_through_range(rig, text);
}

static void range_of_a_file_of_unknown_length_is_seen_through(void **state)
{
    rig_t *rig = *state;
    char text[64];
    snprintf(text, sizeof(text), "bytes 9000-%zu/*", rig->bench->image_len - 1);
    assert_sees_through_range(rig, text);
}

static void range_that_is_as_long_as_neither_header_says_is_seen_through(void **state)
{
    rig_t *rig = *state;
    char text[64];
    size_t len = rig->bench->image_len;
    snprintf(text, sizeof(text), "bytes 9000-%zu/%zu", len - 2, len);
    assert_sees_through_range(rig, text);
}

static void multipart_answer_is_seen_through(void **state)
{
    assert_sees_through(*state, rig_bad(*state, BAD_MULTIPART, 0));
}

static void range_that_nobody_asked_for_is_seen_through(void **state)
{
    rig_t *rig = *state;
    bad_reply_t bad = rig_bad(rig, BAD_UNASKED_RANGE, 0);
    rig_serve_then_good(rig, &bad);
    rig_assert_updates(rig);
    rig_assert_faults(rig, 1);
}

static void server_that_only_sends_wrong_ranges_is_asked_for_the_whole_file(void **state)
{
    rig_t *rig = *state;
    bad_reply_t bad = rig_bad(rig, BAD_WRONG_RANGE, 16);
    const bad_reply_t replies[] = {rig_bad_once(rig, BAD_CUT, CUT_AT), rig_bad_once(rig, BAD_CUT, CUT_AT), bad};
    rig_serve(rig, replies, 3);
    rig_assert_updates(rig);
    rig_assert_faults(rig, 3);
}

/* It says what was asked for and sends something else: only the image itself can tell. */
static void other_bytes_than_announced_are_refused(void **state)
{
    rig_t *rig = *state;
    const bad_reply_t replies[] = {rig_bad_once(rig, BAD_CUT, CUT_AT), rig_bad(rig, BAD_OTHER_BYTES, 0)};
    rig_serve(rig, replies, 2);
    rig_assert_refuses(rig, ESP_ERR_OTA_VALIDATE_FAILED);
    rig_assert_faults(rig, 2);
}

static void refused_range_starts_over(void **state)
{
    rig_t *rig = *state;
    bad_reply_t bad = rig_bad(rig, BAD_CONTENT, 0);
    bad.status = 416;
    bad.ranges = false;
    bad.body = NULL;
    bad.body_len = 0;
    assert_sees_through(rig, bad);
}

static void shorter_range_than_asked_is_followed_by_another(void **state)
{
    rig_t *rig = *state;
    bad_reply_t bad = rig_bad(rig, BAD_CUT, 2000);
    assert_gets_past(rig, bad);
    assert_int_equal(rig_bytes_twice(rig), 0);
    rig_assert_asked(rig, 2, "Range: bytes=11000-");
}

/* --- another version --- */

/* The file changes between two connections: the new one is fetched whole. */
static void assert_starts_over(rig_t *rig, const char *old_etag, const char *old_date, const char *new_etag,
                               const char *new_date)
{
    uint8_t *older = make_older(rig);
    bad_reply_t before = rig_bad_once(rig, BAD_CUT, CUT_AT);
    before.body = older;
    before.etag = old_etag;
    before.last_modified = old_date;
    bad_reply_t after = rig_good(rig);
    after.etag = new_etag;
    after.last_modified = new_date;
    before.headers = after.headers = "Date: Tue, 03 Nov 2026 12:00:00 GMT\r\n";
    const bad_reply_t replies[] = {before, after};
    rig_serve(rig, replies, 2);
    rig_assert_updates(rig);
    rig_assert_faults(rig, 1);
    rig_keep(rig, older);
}

static void file_with_a_new_etag_is_started_over(void **state)
{
    rig_t *rig = *state;
    assert_starts_over(rig, "\"v1\"", NULL, "\"v2\"", NULL);
    rig_assert_asked(rig, 1, "If-Range: \"v1\"");
    assert_int_equal(bad_server_count(rig->server, BAD_COUNT_REQUESTS), 2);
}

static void file_with_a_new_date_is_started_over(void **state)
{
    rig_t *rig = *state;
    const char *date = "Mon, 02 Nov 2026 10:00:00 GMT";
    assert_starts_over(rig, NULL, date, NULL, "Tue, 03 Nov 2026 10:00:00 GMT");
    rig_assert_asked(rig, 1, "If-Range: Mon, 02 Nov 2026 10:00:00 GMT");
}

static void file_with_a_weak_etag_is_started_over(void **state)
{
    rig_t *rig = *state;
    assert_starts_over(rig, "W/\"v\"", NULL, "W/\"v\"", NULL);
    rig_assert_not_asked(rig, 1, "If-Range: W/");
}

static void file_without_validator_is_started_over(void **state)
{
    rig_t *rig = *state;
    assert_starts_over(rig, NULL, NULL, NULL, NULL);
    rig_assert_not_asked(rig, 1, "If-Range");
}

static void file_whose_date_stays_is_resumed(void **state)
{
    rig_t *rig = *state;
    bad_reply_t cut = rig_bad_once(rig, BAD_CUT, CUT_AT);
    bad_reply_t good = rig_good(rig);
    cut.etag = good.etag = NULL;
    cut.last_modified = good.last_modified = "Mon, 02 Nov 2026 10:00:00 GMT";
    cut.headers = good.headers = "Date: Mon, 02 Nov 2026 12:00:00 GMT\r\n";
    const bad_reply_t replies[] = {cut, good};
    rig_serve(rig, replies, 2);
    rig_assert_updates(rig);
    rig_assert_faults(rig, 1);
    assert_int_equal(rig_bytes_twice(rig), 0);
}

/* A date of this very second may stay while the file changes. */
static void file_of_this_second_is_started_over(void **state)
{
    rig_t *rig = *state;
    const char *date = "Tue, 03 Nov 2026 12:00:00 GMT";
    assert_starts_over(rig, NULL, date, NULL, date);
    rig_assert_not_asked(rig, 1, "If-Range");
}

/* A server that does not know If-Range sends a part of the new file: its ETag gives it away. */
static void part_of_another_version_is_seen_through(void **state)
{
    rig_t *rig = *state;
    uint8_t *older = make_older(rig);
    bad_reply_t before = rig_bad_once(rig, BAD_CUT, CUT_AT);
    before.body = older;
    before.etag = "\"v1\"";
    const bad_reply_t replies[] = {before, rig_bad(rig, BAD_IGNORE_IF_RANGE, 0)};
    rig_serve(rig, replies, 2);
    rig_assert_updates(rig);
    rig_assert_faults(rig, 2);
    rig_keep(rig, older);
}

/* The same, told by the date. */
static void part_of_a_file_of_another_date_is_seen_through(void **state)
{
    rig_t *rig = *state;
    uint8_t *older = make_older(rig);
    bad_reply_t before = rig_bad_once(rig, BAD_CUT, CUT_AT);
    bad_reply_t after = rig_bad(rig, BAD_IGNORE_IF_RANGE, 0);
    before.body = older;
    before.etag = after.etag = NULL;
    before.headers = after.headers = "Date: Tue, 03 Nov 2026 12:00:00 GMT\r\n";
    before.last_modified = "Mon, 02 Nov 2026 10:00:00 GMT";
    after.last_modified = "Tue, 03 Nov 2026 10:00:00 GMT";
    const bad_reply_t replies[] = {before, after};
    rig_serve(rig, replies, 2);
    rig_assert_updates(rig);
    rig_assert_faults(rig, 2);
    rig_keep(rig, older);
}

/* The same ETag for other bytes: only the image can tell. The next update does not begin with the wrong ones again. */
static void other_bytes_under_the_same_etag_are_refused(void **state)
{
    rig_t *rig = *state;
    uint8_t *older = make_older(rig);
    bad_reply_t before = rig_bad_once(rig, BAD_CUT, CUT_AT);
    before.body = older;
    const bad_reply_t replies[] = {before, rig_good(rig)};
    rig_serve(rig, replies, 2);
    rig_assert_refuses(rig, ESP_ERR_OTA_VALIDATE_FAILED);
    rig_assert_faults(rig, 1);
    rig_assert_asked(rig, 1, "Range: bytes=9000-");
    rig_keep(rig, older);
}

static void file_that_grew_is_started_over(void **state)
{
    rig_t *rig = *state;
    uint8_t *short_file = make_older(rig);
    bad_reply_t before = rig_bad_once(rig, BAD_CUT, CUT_AT);
    before.body = short_file;
    before.body_len = 20000;
    before.etag = "\"v1\"";
    const bad_reply_t replies[] = {before, rig_good(rig)};
    rig_serve(rig, replies, 2);
    rig_assert_updates(rig);
    rig_assert_faults(rig, 1);
    rig_keep(rig, short_file);
}

static void file_that_shrank_below_what_is_here_is_started_over(void **state)
{
    rig_t *rig = *state;
    uint8_t *large = calloc(1, 60000);
    uint8_t *older = make_older(rig);
    memcpy(large, older, rig->bench->image_len);
    bad_reply_t before = rig_bad_once(rig, BAD_CUT, 50000);
    before.body = large;
    before.body_len = 60000;
    before.etag = "\"v1\"";
    const bad_reply_t replies[] = {before, rig_good(rig)};
    rig_serve(rig, replies, 2);
    rig_assert_updates(rig);
    rig_assert_faults(rig, 1);
    rig_keep(rig, older);
    rig_keep(rig, large);
}

#define CHANGES 20

/* Each connection brings another file, and each time @p more bytes of it: at some time the update ends, and not with a mixture. */
static void assert_gives_up_changes(rig_t *rig, size_t more)
{
    uint8_t *older = make_older(rig);
    static char etags[CHANGES][8];
    bad_reply_t replies[CHANGES];
    for (size_t i = 0; i < CHANGES; i++) {
        snprintf(etags[i], sizeof(etags[i]), "\"%zu\"", i);
        replies[i] = rig_bad_once(rig, BAD_CUT, CUT_AT + i * more);
        replies[i].etag = etags[i];
        replies[i].body = i % 2 == 0 ? older : rig->bench->image;
    }
    rig_serve(rig, replies, CHANGES);
    rig_assert_refuses(rig, ESP_FAIL);
    rig_assert_faults(rig, RIG_RETRIES);
    assert_in_range(bad_server_count(rig->server, BAD_COUNT_REQUESTS), RIG_RETRIES, RIG_RETRIES + 3);
    rig_keep(rig, older);
}

static void file_that_changes_with_each_connection_is_given_up(void **state)
{
    assert_gives_up_changes(*state, 0);
}

static void file_that_changes_is_given_up_although_more_comes_each_time(void **state)
{
    assert_gives_up_changes(*state, 100);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_rig(whole_file_instead_of_a_range_is_taken_from_its_start),
    cmocka_unit_test_rig(range_that_starts_later_is_seen_through),
    cmocka_unit_test_rig(range_without_content_range_is_seen_through),
    cmocka_unit_test_rig(range_in_another_unit_is_seen_through),
    cmocka_unit_test_rig(malformed_content_range_is_seen_through),
    cmocka_unit_test_rig(content_range_of_huge_numbers_is_seen_through),
    cmocka_unit_test_rig(negative_content_range_is_seen_through),
    cmocka_unit_test_rig(content_range_that_ends_before_it_starts_is_seen_through),
    cmocka_unit_test_rig(range_of_a_file_of_another_length_is_seen_through),
    cmocka_unit_test_rig(range_of_a_file_of_unknown_length_is_seen_through),
    cmocka_unit_test_rig(range_that_is_as_long_as_neither_header_says_is_seen_through),
    cmocka_unit_test_rig(multipart_answer_is_seen_through),
    cmocka_unit_test_rig(range_that_nobody_asked_for_is_seen_through),
    cmocka_unit_test_rig(server_that_only_sends_wrong_ranges_is_asked_for_the_whole_file),
    cmocka_unit_test_rig(other_bytes_than_announced_are_refused),
    cmocka_unit_test_rig(refused_range_starts_over),
    cmocka_unit_test_rig(shorter_range_than_asked_is_followed_by_another),
    cmocka_unit_test_rig(file_with_a_new_etag_is_started_over),
    cmocka_unit_test_rig(file_with_a_new_date_is_started_over),
    cmocka_unit_test_rig(file_with_a_weak_etag_is_started_over),
    cmocka_unit_test_rig(file_without_validator_is_started_over),
    cmocka_unit_test_rig(file_whose_date_stays_is_resumed),
    cmocka_unit_test_rig(file_of_this_second_is_started_over),
    cmocka_unit_test_rig(part_of_another_version_is_seen_through),
    cmocka_unit_test_rig(part_of_a_file_of_another_date_is_seen_through),
    cmocka_unit_test_rig(other_bytes_under_the_same_etag_are_refused),
    cmocka_unit_test_rig(file_that_grew_is_started_over),
    cmocka_unit_test_rig(file_that_shrank_below_what_is_here_is_started_over),
    cmocka_unit_test_rig(file_that_changes_with_each_connection_is_given_up),
    cmocka_unit_test_rig(file_that_changes_is_given_up_although_more_comes_each_time),
};

TEST_MAIN(tests)
