/* SPDX-License-Identifier: Apache-2.0 */
/* Connections that end too early, in each way and at each kind of place: the download goes on where it stopped. */
#include "tests/download/download_rig.h"

/* The server breaks off after so many bytes; the rest is fetched, and nothing else. */
static void assert_resumes(rig_t *rig, bad_fault_t fault, size_t at)
{
    bad_reply_t bad = rig_bad(rig, fault, at);
    rig_serve_then_good(rig, &bad);
    rig_assert_updates(rig);
    rig_assert_faults(rig, 1);
    assert_int_equal(rig_bytes_twice(rig), 0);
    if (at > 0) {
        char range[48];
        snprintf(range, sizeof(range), "Range: bytes=%zu-", at);
        rig_assert_asked(rig, 1, range);
        rig_assert_asked(rig, 1, "If-Range: " RIG_ETAG);
    }
}

/* --- where --- */

static void close_before_the_head_is_tried_again(void **state)
{
    assert_resumes(*state, BAD_CLOSE_BEFORE_HEAD, 0);
}

static void cut_in_the_status_line_is_tried_again(void **state)
{
    rig_t *rig = *state;
    bad_reply_t bad = rig_bad(rig, BAD_CUT_IN_HEAD, 10);
    rig_serve_then_good(rig, &bad);
    rig_assert_updates(rig);
    rig_assert_faults(rig, 1);
}

static void cut_before_the_heads_last_byte_is_tried_again(void **state)
{
    rig_t *rig = *state;
    const char head[] = "HTTP/1.1 200 Reply\r\nContent-Length: 28000\r\nETag: \"v2\"\r\n\r";
    bad_reply_t bad = rig_bad(rig, BAD_CUT_IN_HEAD, sizeof(head) - 1);
    rig_serve_then_good(rig, &bad);
    rig_assert_updates(rig);
    rig_assert_faults(rig, 1);
}

static void cut_before_the_first_byte_is_resumed(void **state)
{
    assert_resumes(*state, BAD_CUT, 0);
}

static void cut_after_one_byte_is_resumed(void **state)
{
    assert_resumes(*state, BAD_CUT, 1);
}

static void cut_before_an_images_head_is_whole_is_resumed(void **state)
{
    assert_resumes(*state, BAD_CUT, 1023);
}

static void cut_behind_an_images_head_is_resumed(void **state)
{
    assert_resumes(*state, BAD_CUT, 1024);
}

static void cut_before_a_sector_is_full_is_resumed(void **state)
{
    assert_resumes(*state, BAD_CUT, 4095);
}

static void cut_at_a_sectors_end_is_resumed(void **state)
{
    assert_resumes(*state, BAD_CUT, 8192);
}

static void cut_behind_a_sectors_end_is_resumed(void **state)
{
    assert_resumes(*state, BAD_CUT, 8193);
}

static void cut_before_the_last_byte_is_resumed(void **state)
{
    rig_t *rig = *state;
    assert_resumes(rig, BAD_CUT, rig->bench->image_len - 1);
}

/* --- how --- */

static void orderly_close_in_the_body_is_resumed(void **state)
{
    assert_resumes(*state, BAD_TRUNCATE, 9000);
}

static void close_without_tls_farewell_is_resumed(void **state)
{
    assert_resumes(*state, BAD_CUT, 9000);
}

static void reset_in_the_body_is_resumed(void **state)
{
    assert_resumes(*state, BAD_RESET, 9000);
}

static void half_closed_socket_is_resumed(void **state)
{
    assert_resumes(*state, BAD_HALF_CLOSE, 9000);
}

static void tls_alert_in_the_body_is_resumed(void **state)
{
    assert_resumes(*state, BAD_ALERT, 9000);
}

static void bytes_that_are_no_tls_in_the_body_are_resumed_from(void **state)
{
    assert_resumes(*state, BAD_TLS_GARBAGE, 9000);
}

static void server_that_restarts_is_waited_for(void **state)
{
    rig_t *rig = *state;
    bad_reply_t bad = rig_bad(rig, BAD_DOWN, 9000);
    bad.pause_ms = 300;
    rig->config.download.backoff_first_ms = 100;
    rig->config.download.backoff_most_ms = 200;
    rig->config.download.retries = 20;
    rig_configure(rig);
    rig_serve_then_good(rig, &bad);
    rig_assert_updates(rig);
    rig_assert_faults(rig, 1);
    rig_assert_asked(rig, 1, "Range: bytes=9000-");
}

/* --- how often --- */

static void cut_connection_with_progress_is_resumed_without_end(void **state)
{
    rig_t *rig = *state;
    bad_reply_t bad = rig_bad(rig, BAD_CUT, 1000);
    rig_serve_only(rig, &bad);
    rig_assert_updates(rig);
    rig_assert_faults(rig, (unsigned)(rig->bench->image_len / 1000));
    assert_true(rig->bench->image_len / 1000 > 4 * RIG_RETRIES);
    assert_int_equal(rig_bytes_twice(rig), 0);
}

static void cut_connection_without_progress_ends_the_download(void **state)
{
    rig_t *rig = *state;
    const bad_reply_t replies[] = {rig_bad_once(rig, BAD_CUT, 9000), rig_bad(rig, BAD_CUT, 0)};
    rig_serve(rig, replies, 2);
    rig_assert_refuses(rig, ESP_FAIL);
    rig_assert_faults(rig, 1 + RIG_RETRIES);
    assert_in_range(bad_server_count(rig->server, BAD_COUNT_REQUESTS), 1 + RIG_RETRIES, 2 + RIG_RETRIES);
}

static void server_that_never_answers_leaves_the_slot_alone(void **state)
{
    rig_t *rig = *state;
    bad_reply_t bad = rig_bad(rig, BAD_CLOSE_BEFORE_HEAD, 0);
    rig_serve_only(rig, &bad);
    rig_assert_refuses_untouched(rig, ESP_FAIL);
    rig_assert_faults(rig, 1 + RIG_RETRIES);
}

static void without_retries_the_first_cut_ends_the_download(void **state)
{
    rig_t *rig = *state;
    rig->config.download.retries = 0;
    rig_configure(rig);
    bad_reply_t bad = rig_bad(rig, BAD_CUT, 9000);
    rig_serve_then_good(rig, &bad);
    rig_assert_refuses(rig, ESP_FAIL);
    rig_assert_faults(rig, 1);
    assert_int_equal(bad_server_count(rig->server, BAD_COUNT_REQUESTS), 1);
}

/* --- where only the end of something tells --- */

/* All is here: the last byte is asked for only to hear that it is still this file. */
static void missing_last_chunk_costs_no_more_than_a_byte(void **state)
{
    rig_t *rig = *state;
    bad_reply_t bad = rig_bad(rig, BAD_NO_LAST_CHUNK, 0);
    bad.framing = BAD_CHUNKED;
    rig_serve_then_good(rig, &bad);
    rig_assert_updates(rig);
    rig_assert_faults(rig, 1);
    assert_in_range(rig_bytes_twice(rig), 0, 1);
}

static void chunked_body_is_resumed(void **state)
{
    rig_t *rig = *state;
    bad_reply_t bad = rig_bad(rig, BAD_CUT, 9000);
    bad.framing = BAD_CHUNKED;
    rig_serve_then_good(rig, &bad);
    rig_assert_updates(rig);
    rig_assert_faults(rig, 1);
    assert_int_equal(rig_bytes_twice(rig), 0);
}

/* Nobody can tell such a body from a shorter image, but the image itself does. */
static void orderly_close_where_only_the_close_ends_a_body_is_refused(void **state)
{
    rig_t *rig = *state;
    bad_reply_t bad = rig_bad(rig, BAD_TRUNCATE, 9000);
    bad.framing = BAD_UNTIL_CLOSE;
    rig_serve_only(rig, &bad);
    rig_assert_refuses(rig, ESP_ERR_OTA_VALIDATE_FAILED);
    rig_assert_faults(rig, 1);
}

/* Without TLS's farewell a port can tell, and libcurl does not: then it is the image that does. */
static void close_without_farewell_where_only_the_close_ends_a_body_is_no_end(void **state)
{
    rig_t *rig = *state;
    bad_reply_t bad = rig_bad(rig, BAD_CUT, 9000);
    bad.framing = BAD_UNTIL_CLOSE;
    rig_serve_then_good(rig, &bad);
    if (strcmp(OTTER_TEST_PORT, "http1") == 0) {
        rig_assert_updates(rig);
        assert_int_equal(rig_bytes_twice(rig), 0);
    } else {
        rig_assert_refuses(rig, ESP_ERR_OTA_VALIDATE_FAILED);
    }
    rig_assert_faults(rig, 1);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_rig(close_before_the_head_is_tried_again),
    cmocka_unit_test_rig(cut_in_the_status_line_is_tried_again),
    cmocka_unit_test_rig(cut_before_the_heads_last_byte_is_tried_again),
    cmocka_unit_test_rig(cut_before_the_first_byte_is_resumed),
    cmocka_unit_test_rig(cut_after_one_byte_is_resumed),
    cmocka_unit_test_rig(cut_before_an_images_head_is_whole_is_resumed),
    cmocka_unit_test_rig(cut_behind_an_images_head_is_resumed),
    cmocka_unit_test_rig(cut_before_a_sector_is_full_is_resumed),
    cmocka_unit_test_rig(cut_at_a_sectors_end_is_resumed),
    cmocka_unit_test_rig(cut_behind_a_sectors_end_is_resumed),
    cmocka_unit_test_rig(cut_before_the_last_byte_is_resumed),
    cmocka_unit_test_rig(orderly_close_in_the_body_is_resumed),
    cmocka_unit_test_rig(close_without_tls_farewell_is_resumed),
    cmocka_unit_test_rig(reset_in_the_body_is_resumed),
    cmocka_unit_test_rig(half_closed_socket_is_resumed),
    cmocka_unit_test_rig(tls_alert_in_the_body_is_resumed),
    cmocka_unit_test_rig(bytes_that_are_no_tls_in_the_body_are_resumed_from),
    cmocka_unit_test_rig(server_that_restarts_is_waited_for),
    cmocka_unit_test_rig(cut_connection_with_progress_is_resumed_without_end),
    cmocka_unit_test_rig(cut_connection_without_progress_ends_the_download),
    cmocka_unit_test_rig(server_that_never_answers_leaves_the_slot_alone),
    cmocka_unit_test_rig(without_retries_the_first_cut_ends_the_download),
    cmocka_unit_test_rig(missing_last_chunk_costs_no_more_than_a_byte),
    cmocka_unit_test_rig(chunked_body_is_resumed),
    cmocka_unit_test_rig(orderly_close_where_only_the_close_ends_a_body_is_refused),
    cmocka_unit_test_rig(close_without_farewell_where_only_the_close_ends_a_body_is_no_end),
};

TEST_MAIN(tests)
