/* SPDX-License-Identifier: Apache-2.0 */
/* Partial downloads, many requests for one file, from a server that misbehaves between them. */
#include <stdlib.h>

#include "tests/download/download_rig.h"

#define PART 4096

/* A reply to HEAD, which asks for the size, without any fault. */
static bad_reply_t size_of(const rig_t *rig)
{
    bad_reply_t reply = rig_good(rig);
    reply.method = "HEAD";
    return reply;
}

static void download_in_parts(rig_t *rig)
{
    rig->ota.partial_http_download = true;
    rig->ota.max_http_request_size = PART;
}

/* The server answers well for some parts, then once with @p bad, then well. */
static void serve_parts(rig_t *rig, unsigned good_parts, const bad_reply_t *bad)
{
    bad_reply_t replies[] = {size_of(rig), rig_good(rig), *bad, rig_good(rig)};
    replies[1].times = good_parts;
    replies[2].until = 1;
    rig_serve(rig, replies, 4);
    download_in_parts(rig);
}

static void assert_got_past(rig_t *rig, const bad_reply_t *bad, size_t most_twice)
{
    serve_parts(rig, 2, bad);
    rig_assert_updates(rig);
    rig_assert_faults(rig, 1);
    assert_in_range(rig_bytes_twice(rig), 0, most_twice);
}

static void parts_come_over_one_connection(void **state)
{
    rig_t *rig = *state;
    bad_reply_t good = rig_bad(rig, BAD_CONTENT, 0);
    assert_got_past(rig, &good, 0);
    assert_int_equal(bad_server_count(rig->server, BAD_COUNT_CONNECTIONS), 1);
    assert_int_equal(bad_server_count(rig->server, BAD_COUNT_REQUESTS), 1 + (rig->bench->image_len + PART - 1) / PART);
}

static void cut_part_is_resumed(void **state)
{
    bad_reply_t bad = rig_bad(*state, BAD_CUT, 1000);
    assert_got_past(*state, &bad, 0);
    rig_assert_asked(*state, 4, "Range: bytes=9192-");
}

static void silent_part_is_resumed(void **state)
{
    rig_t *rig = *state;
    rig_be_impatient(rig);
    bad_reply_t bad = rig_bad(rig, BAD_STALL_IN_BODY, 1000);
    assert_got_past(rig, &bad, 0);
}

static void keep_alive_that_was_a_lie_costs_a_connection(void **state)
{
    rig_t *rig = *state;
    bad_reply_t bad = rig_bad(rig, BAD_LYING_KEEP_ALIVE, 0);
    assert_got_past(rig, &bad, 0);
    assert_int_equal(bad_server_count(rig->server, BAD_COUNT_CONNECTIONS), 2);
}

static void whole_file_in_place_of_a_part_is_taken_from_its_start(void **state)
{
    rig_t *rig = *state;
    bad_reply_t bad = rig_bad(rig, BAD_IGNORE_RANGE, 0);
    assert_got_past(rig, &bad, rig->bench->image_len);
}

static void part_that_starts_later_is_seen_through(void **state)
{
    rig_t *rig = *state;
    bad_reply_t bad = rig_bad(rig, BAD_WRONG_RANGE, 16);
    assert_got_past(rig, &bad, rig->bench->image_len);
}

static void part_without_content_range_is_seen_through(void **state)
{
    rig_t *rig = *state;
    bad_reply_t bad = rig_bad(rig, BAD_RANGE_TEXT, 0);
    assert_got_past(rig, &bad, rig->bench->image_len);
}

static void unavailable_part_is_waited_for(void **state)
{
    bad_reply_t bad = {.path = RIG_PATH, .status = 503, .fault = BAD_CONTENT};
    assert_got_past(*state, &bad, 0);
}

static void forbidden_part_is_the_end(void **state)
{
    rig_t *rig = *state;
    bad_reply_t bad = {.path = RIG_PATH, .status = 403, .fault = BAD_CONTENT};
    serve_parts(rig, 2, &bad);
    rig_assert_refuses(rig, ESP_FAIL);
    rig_assert_faults(rig, 1);
}

/* App 1.5.0 becomes app 2.0.0 between two parts. */
static void file_that_changes_between_parts_is_started_over(void **state)
{
    rig_t *rig = *state;
    fixture_image_t spec = FIXTURE_IMAGE("bench", "1.5.0");
    spec.segment_bytes[0] = 20000;
    spec.segment_bytes[1] = 8000;
    spec.seed = 15;
    size_t len;
    uint8_t *older = fixture_image(&spec, &len);
    bad_reply_t head = size_of(rig);
    bad_reply_t before = rig_bad(rig, BAD_CONTENT, 0);
    head.times = 1;
    before.times = 3;
    head.body = before.body = older;
    head.etag = before.etag = "\"v1\"";
    const bad_reply_t replies[] = {head, before, rig_good(rig)};
    rig_serve(rig, replies, 3);
    download_in_parts(rig);
    rig_assert_updates(rig);
    rig_assert_faults(rig, 3);
    rig_keep(rig, older);
}

static void server_without_ranges_sends_the_whole_file(void **state)
{
    rig_t *rig = *state;
    bad_reply_t bad = rig_bad(rig, BAD_IGNORE_RANGE, 0);
    const bad_reply_t replies[] = {size_of(rig), bad};
    rig_serve(rig, replies, 2);
    download_in_parts(rig);
    rig_assert_updates(rig);
    rig_assert_faults(rig, 1);
    assert_int_equal(rig_bytes_twice(rig), 0);
}

static void server_without_head_is_asked_for_the_first_byte(void **state)
{
    rig_t *rig = *state;
    bad_reply_t no = {.path = RIG_PATH, .method = "HEAD", .status = 405, .fault = BAD_CONTENT};
    const bad_reply_t replies[] = {no, rig_good(rig)};
    rig_serve(rig, replies, 2);
    download_in_parts(rig);
    rig_assert_updates(rig);
    rig_assert_faults(rig, 1);
    rig_assert_asked(rig, 1, "Range: bytes=0-0");
}

/* The server says two things about the size of the file: never an image that is not whole. */
static void size_that_head_lies_about_is_refused(void **state)
{
    rig_t *rig = *state;
    bad_reply_t head = size_of(rig);
    head.fault = BAD_LENGTH_TEXT;
    head.text = "20000";
    const bad_reply_t replies[] = {head, rig_good(rig)};
    rig_serve(rig, replies, 2);
    download_in_parts(rig);
    rig_assert_refuses_untouched(rig, ESP_ERR_INVALID_RESPONSE);
    rig_assert_faults(rig, 1);
}

static void file_without_any_size_is_refused(void **state)
{
    rig_t *rig = *state;
    bad_reply_t bad = rig_bad(rig, BAD_CONTENT, 0);
    bad.framing = BAD_CHUNKED;
    bad.ranges = false;
    rig_serve_only(rig, &bad);
    download_in_parts(rig);
    rig_assert_refuses_untouched(rig, ESP_FAIL);
    rig_assert_faults(rig, 1);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_rig(parts_come_over_one_connection),
    cmocka_unit_test_rig(cut_part_is_resumed),
    cmocka_unit_test_rig(silent_part_is_resumed),
    cmocka_unit_test_rig(keep_alive_that_was_a_lie_costs_a_connection),
    cmocka_unit_test_rig(whole_file_in_place_of_a_part_is_taken_from_its_start),
    cmocka_unit_test_rig(part_that_starts_later_is_seen_through),
    cmocka_unit_test_rig(part_without_content_range_is_seen_through),
    cmocka_unit_test_rig(unavailable_part_is_waited_for),
    cmocka_unit_test_rig(forbidden_part_is_the_end),
    cmocka_unit_test_rig(file_that_changes_between_parts_is_started_over),
    cmocka_unit_test_rig(server_without_ranges_sends_the_whole_file),
    cmocka_unit_test_rig(server_without_head_is_asked_for_the_first_byte),
    cmocka_unit_test_rig(size_that_head_lies_about_is_refused),
    cmocka_unit_test_rig(file_without_any_size_is_refused),
};

TEST_MAIN(tests)
