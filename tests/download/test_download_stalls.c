/* SPDX-License-Identifier: Apache-2.0 */
/* Servers that say nothing, or too little: the connection is made anew, and no update waits for ever. */
#include "otter/otter_os.h"
#include "tests/download/download_rig.h"

#define FOR_EVER_MS 1500 /* Limit of tests whose server never comes back. */

/* The server falls silent once; the rest is fetched on another connection. */
static void assert_gets_past(rig_t *rig, const bad_reply_t *bad)
{
    rig_be_impatient(rig);
    rig_serve_then_good(rig, bad);
    rig_assert_updates(rig);
    rig_assert_faults(rig, 1);
    assert_in_range(rig_bytes_twice(rig), 0, 1); /* One: to hear that what is all here is still this file. */
}

static void silence_before_the_head_is_got_past(void **state)
{
    bad_reply_t bad = rig_bad(*state, BAD_STALL_BEFORE_HEAD, 0);
    assert_gets_past(*state, &bad);
}

static void silence_in_the_head_is_got_past(void **state)
{
    bad_reply_t bad = rig_bad(*state, BAD_STALL_IN_HEAD, 0);
    assert_gets_past(*state, &bad);
}

static void silence_before_the_first_byte_is_got_past(void **state)
{
    bad_reply_t bad = rig_bad(*state, BAD_STALL_IN_BODY, 0);
    assert_gets_past(*state, &bad);
}

static void silence_before_an_images_head_is_whole_is_got_past(void **state)
{
    bad_reply_t bad = rig_bad(*state, BAD_STALL_IN_BODY, 500);
    assert_gets_past(*state, &bad);
}

static void silence_in_the_body_is_got_past(void **state)
{
    bad_reply_t bad = rig_bad(*state, BAD_STALL_IN_BODY, 9000);
    assert_gets_past(*state, &bad);
}

static void silence_before_the_last_byte_is_got_past(void **state)
{
    rig_t *rig = *state;
    bad_reply_t bad = rig_bad(rig, BAD_STALL_IN_BODY, rig->bench->image_len - 1);
    assert_gets_past(rig, &bad);
}

static void silence_before_the_last_chunk_is_got_past(void **state)
{
    rig_t *rig = *state;
    bad_reply_t bad = rig_bad(rig, BAD_STALL_AFTER_BODY, 0);
    bad.framing = BAD_CHUNKED;
    assert_gets_past(rig, &bad);
}

static void connection_that_is_not_closed_after_the_body_is_got_past(void **state)
{
    rig_t *rig = *state;
    bad_reply_t bad = rig_bad(rig, BAD_STALL_AFTER_BODY, 0);
    bad.framing = BAD_UNTIL_CLOSE;
    assert_gets_past(rig, &bad);
}

/* Nothing is waited for that is not needed. */
static void announced_length_ends_a_body_although_the_connection_stays(void **state)
{
    rig_t *rig = *state;
    bad_reply_t bad = rig_bad(rig, BAD_STALL_AFTER_BODY, 0);
    bad.close = true;
    rig_serve_only(rig, &bad);
    int64_t since_us = otter_now_us();
    rig_assert_updates(rig);
    assert_true(otter_now_us() - since_us < 9 * 1000000); /* Sooner than any limit. */
    rig_assert_faults(rig, 1);
    assert_int_equal(bad_server_count(rig->server, BAD_COUNT_REQUESTS), 1);
}

static void connection_accepted_and_left_alone_is_got_past(void **state)
{
    rig_t *rig = *state;
    rig_be_impatient(rig);
    bad_reply_t good = rig_good(rig);
    rig_serve_only(rig, &good);
    bad_server_set_connections(rig->server, &(bad_connection_t){.greeting = BAD_GREET_SILENCE, .times = 1}, 1);
    rig_assert_updates(rig);
    rig_assert_faults(rig, 1);
    assert_true(bad_server_count(rig->server, BAD_COUNT_CONNECTIONS) >= 2);
}

static void slow_handshake_is_waited_for(void **state)
{
    rig_t *rig = *state;
    bad_reply_t good = rig_good(rig);
    rig_serve_only(rig, &good);
    bad_server_set_connections(rig->server,
                               &(bad_connection_t){.greeting = BAD_GREET_SLOWLY, .delay_ms = 300, .times = 1}, 1);
    rig_assert_updates(rig);
    rig_assert_faults(rig, 1);
    assert_int_equal(bad_server_count(rig->server, BAD_COUNT_CONNECTIONS), 1);
}

/* --- for ever --- */

static void silent_server_ends_with_a_timeout(void **state)
{
    rig_t *rig = *state;
    rig->http.timeout_ms = 100;
    rig->config.download.stall_ms = FOR_EVER_MS;
    rig->config.download.retries = 1000;
    rig_configure(rig);
    bad_reply_t bad = rig_bad(rig, BAD_STALL_BEFORE_HEAD, 0);
    rig_serve_only(rig, &bad);
    rig_assert_refuses_untouched(rig, ESP_ERR_TIMEOUT);
    rig_assert_faults(rig, 1);
}

static void server_that_only_accepts_ends_with_an_error(void **state)
{
    rig_t *rig = *state;
    rig->http.timeout_ms = 100;
    rig->config.download.retries = 2;
    rig_configure(rig);
    bad_reply_t good = rig_good(rig);
    rig_serve_only(rig, &good);
    bad_server_set_connections(rig->server, &(bad_connection_t){.greeting = BAD_GREET_SILENCE}, 1);
    rig_assert_refuses_untouched(rig, ESP_ERR_HTTP_CONNECT);
    rig_assert_faults(rig, 2);
}

/* It answers, announces all, and never sends a byte more. */
static void body_that_never_goes_on_ends_with_a_timeout(void **state)
{
    rig_t *rig = *state;
    rig->http.timeout_ms = 100;
    rig->config.download.stall_ms = FOR_EVER_MS;
    rig->config.download.retries = 1000;
    rig->config.download.idle_ms = 100;
    rig_configure(rig);
    const bad_reply_t replies[] = {rig_bad_once(rig, BAD_STALL_IN_BODY, 9000), rig_bad(rig, BAD_STALL_IN_BODY, 0)};
    rig_serve(rig, replies, 2);
    rig_assert_refuses(rig, ESP_ERR_TIMEOUT);
    rig_assert_faults(rig, 2);
}

/* A byte now and then keeps a connection alive, but not for ever. */
static void trickle_is_ended_by_the_limit_of_the_whole_download(void **state)
{
    rig_t *rig = *state;
    rig->config.download.total_ms = FOR_EVER_MS;
    rig_configure(rig);
    bad_reply_t bad = rig_bad(rig, BAD_TRICKLE, 100);
    bad.trickle_ms = 50;
    rig_serve_only(rig, &bad);
    int64_t since_us = otter_now_us();
    rig_assert_refuses(rig, ESP_ERR_TIMEOUT);
    assert_true(otter_now_us() - since_us >= FOR_EVER_MS * 1000);
    rig_assert_faults(rig, 1);
}

/* The client's time-out is how long one call may take, the limits are the device's: the sooner one counts. */
static void limit_of_silence_does_not_wait_for_the_clients_timeout(void **state)
{
    rig_t *rig = *state;
    rig->http.timeout_ms = 30000;
    rig->config.download.idle_ms = RIG_IDLE_MS;
    rig_configure(rig);
    bad_reply_t bad = rig_bad(rig, BAD_STALL_IN_BODY, 9000);
    rig_serve_then_good(rig, &bad);
    int64_t since_us = otter_now_us();
    rig_assert_updates(rig);
    assert_true(otter_now_us() - since_us < 25 * 1000000LL);
    rig_assert_faults(rig, 1);
}

static void limit_of_the_whole_download_does_not_wait_for_the_clients_timeout(void **state)
{
    rig_t *rig = *state;
    rig->http.timeout_ms = 30000;
    rig->config.download.total_ms = FOR_EVER_MS;
    rig_configure(rig);
    bad_reply_t bad = rig_bad(rig, BAD_STALL_BEFORE_HEAD, 0);
    rig_serve_only(rig, &bad);
    int64_t since_us = otter_now_us();
    rig_assert_refuses_untouched(rig, ESP_ERR_TIMEOUT);
    assert_true(otter_now_us() - since_us < 25 * 1000000LL);
    rig_assert_faults(rig, 1);
}

/* --- slow --- */

static void slow_and_steady_body_updates(void **state)
{
    rig_t *rig = *state;
    bad_reply_t bad = rig_bad(rig, BAD_TRICKLE, 1500);
    bad.trickle_ms = 20;
    rig_serve_only(rig, &bad);
    rig_assert_updates(rig);
    rig_assert_faults(rig, 1);
    assert_int_equal(rig_bytes_twice(rig), 0);
}

static void body_in_single_bytes_updates(void **state)
{
    rig_t *rig = *state;
    bad_reply_t bad = rig_bad(rig, BAD_TRICKLE, 1);
    bad.framing = BAD_CHUNKED;
    rig_serve_only(rig, &bad);
    rig_assert_updates(rig);
    rig_assert_faults(rig, 1);
}

static void connection_below_the_least_speed_is_made_anew(void **state)
{
    rig_t *rig = *state;
    rig->config.download.min_bytes_per_s = 20000;
    rig->config.download.min_speed_ms = 200;
    rig_configure(rig);
    bad_reply_t bad = rig_bad(rig, BAD_TRICKLE, 100);
    bad.trickle_ms = 50;
    rig_serve_then_good(rig, &bad);
    rig_assert_updates(rig);
    rig_assert_faults(rig, 1);
    assert_true(bad_server_count(rig->server, BAD_COUNT_REQUESTS) >= 2);
    rig_assert_asked(rig, 1, "If-Range: " RIG_ETAG);
}

static void limit_of_bandwidth_is_kept(void **state)
{
    rig_t *rig = *state;
    rig->config.download.max_bytes_per_s = 56000;
    rig_configure(rig);
    bad_reply_t good = rig_good(rig);
    rig_serve_only(rig, &good);
    int64_t since_us = otter_now_us();
    rig_assert_updates(rig);
    /* Half a second by the limit; the first sector may come at once. */
    assert_true(otter_now_us() - since_us >= 350 * 1000);
    assert_int_equal(bad_server_count(rig->server, BAD_COUNT_REQUESTS), 1);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_rig(silence_before_the_head_is_got_past),
    cmocka_unit_test_rig(silence_in_the_head_is_got_past),
    cmocka_unit_test_rig(silence_before_the_first_byte_is_got_past),
    cmocka_unit_test_rig(silence_before_an_images_head_is_whole_is_got_past),
    cmocka_unit_test_rig(silence_in_the_body_is_got_past),
    cmocka_unit_test_rig(silence_before_the_last_byte_is_got_past),
    cmocka_unit_test_rig(silence_before_the_last_chunk_is_got_past),
    cmocka_unit_test_rig(connection_that_is_not_closed_after_the_body_is_got_past),
    cmocka_unit_test_rig(announced_length_ends_a_body_although_the_connection_stays),
    cmocka_unit_test_rig(connection_accepted_and_left_alone_is_got_past),
    cmocka_unit_test_rig(slow_handshake_is_waited_for),
    cmocka_unit_test_rig(silent_server_ends_with_a_timeout),
    cmocka_unit_test_rig(server_that_only_accepts_ends_with_an_error),
    cmocka_unit_test_rig(body_that_never_goes_on_ends_with_a_timeout),
    cmocka_unit_test_rig(trickle_is_ended_by_the_limit_of_the_whole_download),
    cmocka_unit_test_rig(limit_of_silence_does_not_wait_for_the_clients_timeout),
    cmocka_unit_test_rig(limit_of_the_whole_download_does_not_wait_for_the_clients_timeout),
    cmocka_unit_test_rig(slow_and_steady_body_updates),
    cmocka_unit_test_rig(body_in_single_bytes_updates),
    cmocka_unit_test_rig(connection_below_the_least_speed_is_made_anew),
    cmocka_unit_test_rig(limit_of_bandwidth_is_kept),
};

TEST_MAIN(tests)
