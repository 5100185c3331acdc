/* SPDX-License-Identifier: Apache-2.0 */
/* A small image, and the connection cut after every single byte of it. */
#include <stdlib.h>

#include "tests/download/download_rig.h"

/* Instead of the rig's image the smallest good one, so that there are not too many places. */
static void use_small_image(rig_t *rig)
{
    fixture_image_t spec = FIXTURE_IMAGE("bench", "2.0.0");
    spec.segment_bytes[0] = 1280;
    spec.segment_bytes[1] = 0;
    spec.seed = 2;
    free(rig->bench->image);
    rig->bench->image = fixture_image(&spec, &rig->bench->image_len);
    assert_in_range(rig->bench->image_len, 1024 + 1, 4096 - 1);
}

/* Nothing that an earlier round left in the slot may help. */
static void forget_earlier_downloads(void)
{
    otter_download_limits_t limits;
    otter_download_get_limits(&limits);
    limits.resume = false;
    assert_err(otter_download_set_limits(&limits), ESP_OK);
}

static void assert_resumes_at(rig_t *rig, bad_fault_t fault, size_t at)
{
    const bad_reply_t replies[] = {rig_bad_once(rig, fault, at), rig_good(rig)};
    unsigned faults = bad_server_count(rig->server, BAD_COUNT_FAULTS);
    unsigned requests = bad_server_count(rig->server, BAD_COUNT_REQUESTS);
    bad_server_set_replies(rig->server, replies, 2);
    rig_assert_updates(rig);
    rig_assert_faults(rig, faults + 1);
    bad_answer_t rest;
    assert_true(bad_server_answer(rig->server, requests + 1, &rest));
    if (rest.first != at || rest.sent != rig->bench->image_len - at) {
        fail_msg("cut at %zu: %zu bytes were sent from %zu on", at, rest.sent, rest.first);
    }
}

/* Every byte of the image, this quarter of it. */
static void assert_quarter_resumes(rig_t *rig, size_t quarter, bad_fault_t fault, size_t step)
{
    size_t len = rig->bench->image_len;
    for (size_t at = len * quarter / 4; at < len * (quarter + 1) / 4; at += step) {
        assert_resumes_at(rig, fault, at);
    }
}

static void serve_plainly(rig_t *rig)
{
    use_small_image(rig);
    bad_reply_t good = rig_good(rig);
    rig_serve_plain(rig, &good, 1);
    forget_earlier_downloads();
}

static void serve_securely(rig_t *rig)
{
    use_small_image(rig);
    bad_reply_t good = rig_good(rig);
    rig_serve_only(rig, &good);
    forget_earlier_downloads();
}

static void cut_after_each_byte_of_the_first_quarter(void **state)
{
    serve_plainly(*state);
    assert_quarter_resumes(*state, 0, BAD_CUT, 1);
}

static void cut_after_each_byte_of_the_second_quarter(void **state)
{
    serve_plainly(*state);
    assert_quarter_resumes(*state, 1, BAD_CUT, 1);
}

static void cut_after_each_byte_of_the_third_quarter(void **state)
{
    serve_plainly(*state);
    assert_quarter_resumes(*state, 2, BAD_CUT, 1);
}

static void cut_after_each_byte_of_the_last_quarter(void **state)
{
    serve_plainly(*state);
    assert_quarter_resumes(*state, 3, BAD_CUT, 1);
}

static void cut_after_many_bytes_over_tls(void **state)
{
    serve_securely(*state);
    for (size_t quarter = 0; quarter < 4; quarter++) {
        assert_quarter_resumes(*state, quarter, BAD_CUT, 29);
    }
}

static void orderly_close_after_many_bytes_over_tls(void **state)
{
    serve_securely(*state);
    for (size_t quarter = 0; quarter < 4; quarter++) {
        assert_quarter_resumes(*state, quarter, BAD_TRUNCATE, 31);
    }
}

static void alert_after_many_bytes_over_tls(void **state)
{
    serve_securely(*state);
    for (size_t quarter = 0; quarter < 4; quarter++) {
        assert_quarter_resumes(*state, quarter, BAD_ALERT, 37);
    }
}

/* Every byte of the head: whatever of it came, the request is sent again. */
static void cut_after_each_byte_of_the_head(void **state)
{
    rig_t *rig = *state;
    const char head[] = "HTTP/1.1 200 Reply\r\nContent-Length: 1345\r\nETag: \"v2\"\r\n\r\n";
    serve_plainly(rig);
    for (size_t at = 0; at < sizeof(head) - 1; at++) {
        const bad_reply_t replies[] = {rig_bad_once(rig, BAD_CUT_IN_HEAD, at), rig_good(rig)};
        unsigned faults = bad_server_count(rig->server, BAD_COUNT_FAULTS);
        bad_server_set_replies(rig->server, replies, 2);
        rig_assert_updates(rig);
        rig_assert_faults(rig, faults + 1);
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_rig(cut_after_each_byte_of_the_first_quarter),
    cmocka_unit_test_rig(cut_after_each_byte_of_the_second_quarter),
    cmocka_unit_test_rig(cut_after_each_byte_of_the_third_quarter),
    cmocka_unit_test_rig(cut_after_each_byte_of_the_last_quarter),
    cmocka_unit_test_rig(cut_after_many_bytes_over_tls),
    cmocka_unit_test_rig(orderly_close_after_many_bytes_over_tls),
    cmocka_unit_test_rig(alert_after_many_bytes_over_tls),
    cmocka_unit_test_rig(cut_after_each_byte_of_the_head),
};

TEST_MAIN(tests)
