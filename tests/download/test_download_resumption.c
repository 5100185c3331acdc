/* SPDX-License-Identifier: Apache-2.0 */
/* Updates that go on where an earlier one was given up, from a server that misbehaves. */
#include <stdlib.h>

#include "tests/download/download_rig.h"

#define KEPT 12288 /* Bytes of the image that lie in the slot: whole sectors. */

/* The first update is given up after some sectors; the application remembers how many. */
static void give_up_after(rig_t *rig, bad_fault_t fault, size_t at)
{
    bad_reply_t bad = rig_bad(rig, fault, at);
    rig_serve_only(rig, &bad);
    otter_download_limits_t limits;
    otter_download_get_limits(&limits);
    uint32_t retries = limits.retries;
    limits.retries = 0;
    assert_err(otter_download_set_limits(&limits), ESP_OK);
    assert_int_not_equal(rig_update(rig), ESP_OK);
    rig_assert_faults(rig, 1);
    bench_assert_nothing_switched(rig->bench);
    limits.retries = retries;
    assert_err(otter_download_set_limits(&limits), ESP_OK);
}

/* Number of the first request of the second update. */
static unsigned serve_now(rig_t *rig, const bad_reply_t *replies, size_t count)
{
    bad_server_set_replies(rig->server, replies, count);
    return bad_server_count(rig->server, BAD_COUNT_REQUESTS);
}

/* --- without help of the application --- */

static void next_update_goes_on_by_itself(void **state)
{
    rig_t *rig = *state;
    give_up_after(rig, BAD_CUT, KEPT + 1000);
    bad_reply_t good = rig_good(rig);
    unsigned first = serve_now(rig, &good, 1);
    rig_assert_updates(rig);
    char range[48];
    snprintf(range, sizeof(range), "Range: bytes=%d-", KEPT);
    rig_assert_asked(rig, first, range);
    rig_assert_asked(rig, first, "If-Range: " RIG_ETAG);
    assert_in_range(rig_bytes_twice(rig), 1, 4096);
}

/* Starts over: the whole image comes again. */
static void assert_starts_over(rig_t *rig, const bad_reply_t *then)
{
    give_up_after(rig, BAD_CUT, KEPT + 1000);
    unsigned first = serve_now(rig, then, 1);
    rig_assert_updates(rig);
    bad_answer_t answer;
    size_t sent = 0;
    for (unsigned i = first; bad_server_answer(rig->server, i, &answer); i++) {
        sent += answer.sent;
    }
    assert_true(sent >= rig->bench->image_len);
}

static void next_update_of_another_file_starts_over(void **state)
{
    rig_t *rig = *state;
    bad_reply_t good = rig_good(rig);
    good.etag = "\"v3\"";
    assert_starts_over(rig, &good);
}

static void next_update_from_a_server_without_ranges_starts_over(void **state)
{
    rig_t *rig = *state;
    bad_reply_t good = rig_good(rig);
    good.ranges = false;
    assert_starts_over(rig, &good);
}

static void next_update_with_a_wrong_range_starts_over(void **state)
{
    bad_reply_t bad = rig_bad(*state, BAD_WRONG_RANGE, 16);
    assert_starts_over(*state, &bad);
    rig_assert_faults(*state, 2);
}

static void next_update_from_another_url_starts_over(void **state)
{
    rig_t *rig = *state;
    give_up_after(rig, BAD_CUT, KEPT + 1000);
    bad_reply_t good = rig_good(rig);
    good.path = "/other.bin";
    unsigned first = serve_now(rig, &good, 1);
    char url[128];
    rig->http.url = bad_server_url(rig->server, "/other.bin", url, sizeof(url));
    rig_assert_updates(rig);
    rig_assert_not_asked(rig, first, "Range");
}

static void next_update_does_not_go_on_if_that_is_forbidden(void **state)
{
    rig_t *rig = *state;
    give_up_after(rig, BAD_CUT, KEPT + 1000);
    otter_download_limits_t limits;
    otter_download_get_limits(&limits);
    limits.resume = false;
    assert_err(otter_download_set_limits(&limits), ESP_OK);
    bad_reply_t good = rig_good(rig);
    unsigned first = serve_now(rig, &good, 1);
    rig_assert_updates(rig);
    rig_assert_not_asked(rig, first, "Range");
}

/* What was begun with a weak validator may be anything by now. */
static void next_update_after_a_weak_validator_starts_over(void **state)
{
    rig_t *rig = *state;
    bad_reply_t weak = rig_bad(rig, BAD_CUT, KEPT + 1000);
    weak.etag = "W/\"v2\"";
    weak.times = 1;
    bad_reply_t good = rig_good(rig);
    good.etag = "W/\"v2\"";
    rig->config.download.retries = 0;
    rig_configure(rig);
    const bad_reply_t replies[] = {weak, good};
    rig_serve(rig, replies, 2);
    rig_assert_refuses(rig, ESP_FAIL);
    rig_assert_faults(rig, 1);
    rig_assert_updates(rig);
    rig_assert_not_asked(rig, 1, "Range");
}

/* A byte of what is kept has changed in the flash: it is not built upon. */
static void damaged_slot_is_not_resumed_blindly(void **state)
{
    rig_t *rig = *state;
    give_up_after(rig, BAD_CUT, KEPT + 1000);
    rig->bench->bytes[BENCH_OTA_1 + 5000] ^= 0xff;
    bad_reply_t good = rig_good(rig);
    unsigned first = serve_now(rig, &good, 1);
    rig_assert_updates(rig);
    rig_assert_asked(rig, first, "Range: bytes=4096-");
}

/* The server has other bytes under the same strong ETag: refused once, and then not gone on with. */
static void wrong_rest_is_not_gone_on_with_for_ever(void **state)
{
    rig_t *rig = *state;
    give_up_after(rig, BAD_CUT, KEPT + 1000);
    bad_reply_t bad = rig_bad(rig, BAD_OTHER_BYTES, 0);
    serve_now(rig, &bad, 1);
    rig_assert_refuses(rig, ESP_ERR_OTA_VALIDATE_FAILED);
    rig_assert_faults(rig, 2);
    bad_reply_t good = rig_good(rig);
    unsigned first = serve_now(rig, &good, 1);
    rig_assert_updates(rig);
    rig_assert_not_asked(rig, first, "Range");
}

/* --- as ESP-IDF's applications do it --- */

static void resume_by_hand(rig_t *rig, size_t written)
{
    rig->ota.ota_resumption = true;
    rig->ota.ota_image_bytes_written = written;
}

static void application_goes_on_where_it_was(void **state)
{
    rig_t *rig = *state;
    give_up_after(rig, BAD_CUT, KEPT);
    resume_by_hand(rig, KEPT);
    bad_reply_t good = rig_good(rig);
    unsigned first = serve_now(rig, &good, 1);
    rig_assert_updates(rig);
    rig_assert_asked(rig, first, "Range: bytes=12288-");
    assert_int_equal(rig_bytes_twice(rig), 0);
}

static void application_goes_on_over_a_cut(void **state)
{
    rig_t *rig = *state;
    give_up_after(rig, BAD_CUT, KEPT);
    resume_by_hand(rig, KEPT);
    const bad_reply_t replies[] = {rig_bad_once(rig, BAD_CUT, 3000), rig_good(rig)};
    unsigned first = serve_now(rig, replies, 2);
    rig_assert_updates(rig);
    rig_assert_faults(rig, 2);
    rig_assert_asked(rig, first + 1, "Range: bytes=15288-");
    assert_int_equal(rig_bytes_twice(rig), 0);
}

static void application_starts_over_if_the_server_ignores_ranges(void **state)
{
    rig_t *rig = *state;
    give_up_after(rig, BAD_CUT, KEPT);
    resume_by_hand(rig, KEPT);
    bad_reply_t bad = rig_bad(rig, BAD_IGNORE_RANGE, 0);
    serve_now(rig, &bad, 1);
    rig_assert_updates(rig);
    rig_assert_faults(rig, 2);
}

static void application_starts_over_if_the_range_is_wrong(void **state)
{
    rig_t *rig = *state;
    give_up_after(rig, BAD_CUT, KEPT);
    resume_by_hand(rig, KEPT);
    bad_reply_t bad = rig_bad(rig, BAD_WRONG_RANGE, 512);
    serve_now(rig, &bad, 1);
    rig_assert_updates(rig);
    rig_assert_faults(rig, 2);
}

/* All was written, only the end was missing: hardly anything comes again. */
static void application_with_all_of_the_image_fetches_a_byte(void **state)
{
    rig_t *rig = *state;
    bad_reply_t bad = rig_bad(rig, BAD_NO_LAST_CHUNK, 0);
    bad.framing = BAD_CHUNKED;
    rig->config.download.retries = 0;
    rig_configure(rig);
    rig_serve_only(rig, &bad);
    rig_assert_refuses(rig, ESP_FAIL);
    rig_assert_faults(rig, 1);
    resume_by_hand(rig, rig->bench->image_len);
    bad_reply_t good = rig_good(rig);
    unsigned first = serve_now(rig, &good, 1);
    rig_assert_updates(rig);
    rig_assert_asked(rig, first, "Range: bytes=");
    assert_in_range(rig_bytes_twice(rig), 0, 1);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_rig(next_update_goes_on_by_itself),
    cmocka_unit_test_rig(next_update_of_another_file_starts_over),
    cmocka_unit_test_rig(next_update_from_a_server_without_ranges_starts_over),
    cmocka_unit_test_rig(next_update_with_a_wrong_range_starts_over),
    cmocka_unit_test_rig(next_update_from_another_url_starts_over),
    cmocka_unit_test_rig(next_update_does_not_go_on_if_that_is_forbidden),
    cmocka_unit_test_rig(next_update_after_a_weak_validator_starts_over),
    cmocka_unit_test_rig(damaged_slot_is_not_resumed_blindly),
    cmocka_unit_test_rig(wrong_rest_is_not_gone_on_with_for_ever),
    cmocka_unit_test_rig(application_goes_on_where_it_was),
    cmocka_unit_test_rig(application_goes_on_over_a_cut),
    cmocka_unit_test_rig(application_starts_over_if_the_server_ignores_ranges),
    cmocka_unit_test_rig(application_starts_over_if_the_range_is_wrong),
    cmocka_unit_test_rig(application_with_all_of_the_image_fetches_a_byte),
};

TEST_MAIN(tests)
