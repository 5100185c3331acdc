/* SPDX-License-Identifier: Apache-2.0 */
/* Servers that answer with something else than a file: what passes is waited for, what does not is the end. */
#include "otter/otter_os.h"
#include "tests/download/download_rig.h"

static bad_reply_t status(int number, const char *headers)
{
    static const char text[] = "something is wrong";
    return (bad_reply_t){.path = RIG_PATH,
                         .status = number,
                         .headers = headers,
                         .body = text,
                         .body_len = sizeof(text) - 1,
                         .fault = BAD_CONTENT};
}

/* It passes: the next request gets the file. */
static void assert_passes(rig_t *rig, int number, const char *headers)
{
    bad_reply_t bad = status(number, headers);
    rig_serve_then_good(rig, &bad);
    rig_assert_updates(rig);
    rig_assert_faults(rig, 1);
    assert_int_equal(bad_server_count(rig->server, BAD_COUNT_REQUESTS), 2);
}

/* It is an answer: nobody asks again. */
static void assert_final(rig_t *rig, int number, esp_err_t expected)
{
    bad_reply_t bad = status(number, NULL);
    rig_serve_only(rig, &bad);
    rig_assert_refuses_untouched(rig, expected);
    rig_assert_faults(rig, 1);
    assert_int_equal(bad_server_count(rig->server, BAD_COUNT_REQUESTS), 1);
}

static void request_timeout_passes(void **state)
{
    assert_passes(*state, 408, NULL);
}

static void too_many_requests_pass(void **state)
{
    assert_passes(*state, 429, NULL);
}

static void internal_error_passes(void **state)
{
    assert_passes(*state, 500, NULL);
}

static void bad_gateway_passes(void **state)
{
    assert_passes(*state, 502, NULL);
}

static void unavailable_service_passes(void **state)
{
    assert_passes(*state, 503, NULL);
}

static void gateway_timeout_passes(void **state)
{
    assert_passes(*state, 504, NULL);
}

static void retry_after_is_waited_for(void **state)
{
    rig_t *rig = *state;
    rig->config.download.backoff_most_ms = 5000;
    rig_configure(rig);
    int64_t since_us = otter_now_us();
    assert_passes(rig, 429, "Retry-After: 1\r\n");
    assert_true(otter_now_us() - since_us >= 900 * 1000);
}

static void retry_after_beyond_the_limit_is_not_waited_for(void **state)
{
    int64_t since_us = otter_now_us();
    assert_passes(*state, 503, "Retry-After: 86400\r\n");
    assert_true(otter_now_us() - since_us < 30 * 1000000LL);
}

static void senseless_retry_after_does_no_harm(void **state)
{
    assert_passes(*state, 503, "Retry-After: -99999999999999999999\r\n");
}

static void service_that_stays_unavailable_is_given_up(void **state)
{
    rig_t *rig = *state;
    bad_reply_t bad = status(503, NULL);
    rig_serve_only(rig, &bad);
    rig_assert_refuses_untouched(rig, ESP_FAIL);
    rig_assert_faults(rig, 1 + RIG_RETRIES);
    assert_int_equal(bad_server_count(rig->server, BAD_COUNT_REQUESTS), 1 + RIG_RETRIES);
}

static void service_that_is_unavailable_in_between_is_waited_for(void **state)
{
    rig_t *rig = *state;
    bad_reply_t bad = status(503, "Retry-After: 0\r\n");
    bad.until = 3;
    const bad_reply_t replies[] = {rig_bad_once(rig, BAD_CUT, 9000), bad, rig_good(rig)};
    rig_serve(rig, replies, 3);
    rig_assert_updates(rig);
    rig_assert_faults(rig, 4);
    assert_int_equal(rig_bytes_twice(rig), 0);
    rig_assert_asked(rig, 4, "Range: bytes=9000-");
}

static void file_that_vanishes_in_between_is_the_end(void **state)
{
    rig_t *rig = *state;
    const bad_reply_t replies[] = {rig_bad_once(rig, BAD_CUT, 9000), status(404, NULL)};
    rig_serve(rig, replies, 2);
    rig_assert_refuses(rig, ESP_FAIL);
    rig_assert_faults(rig, 2);
    assert_int_equal(bad_server_count(rig->server, BAD_COUNT_REQUESTS), 2);
}

static void bad_request_is_final(void **state)
{
    assert_final(*state, 400, ESP_FAIL);
}

static void forbidden_file_is_final(void **state)
{
    assert_final(*state, 403, ESP_FAIL);
}

static void missing_file_is_final(void **state)
{
    assert_final(*state, 404, ESP_FAIL);
}

static void file_that_is_gone_is_final(void **state)
{
    assert_final(*state, 410, ESP_FAIL);
}

static void range_not_satisfiable_is_final(void **state)
{
    assert_final(*state, 416, ESP_ERR_HTTP_RANGE_NOT_SATISFIABLE);
}

static void unmodified_file_is_final(void **state)
{
    assert_final(*state, 304, ESP_ERR_HTTP_NOT_MODIFIED);
}

static void server_without_the_method_is_final(void **state)
{
    assert_final(*state, 501, ESP_FAIL);
}

/* --- who are you? --- */

static void demand_for_a_user_is_final_without_one(void **state)
{
    rig_t *rig = *state;
    bad_reply_t bad = status(401, "WWW-Authenticate: Basic realm=\"test\"\r\n");
    rig_serve_only(rig, &bad);
    rig_assert_refuses_untouched(rig, ESP_FAIL);
    rig_assert_faults(rig, 1);
    assert_int_equal(bad_server_count(rig->server, BAD_COUNT_REQUESTS), 1);
}

static void demand_for_a_user_is_met(void **state)
{
    rig_t *rig = *state;
    rig->http.username = "otter";
    rig->http.password = "secret";
    bad_reply_t bad = status(401, "WWW-Authenticate: Basic realm=\"test\"\r\n");
    bad_reply_t good = rig_good(rig);
    bad.until = 1;
    good.need_authorization = "Basic b3R0ZXI6c2VjcmV0";
    const bad_reply_t replies[] = {bad, good};
    rig_serve(rig, replies, 2);
    rig_assert_updates(rig);
    rig_assert_faults(rig, 1);
}

static void wrong_password_is_not_tried_for_ever(void **state)
{
    rig_t *rig = *state;
    rig->http.username = "otter";
    rig->http.password = "wrong";
    bad_reply_t bad = status(401, "WWW-Authenticate: Basic realm=\"test\"\r\n");
    rig_serve_only(rig, &bad);
    rig_assert_refuses_untouched(rig, ESP_FAIL);
    rig_assert_faults(rig, 1);
    assert_in_range(bad_server_count(rig->server, BAD_COUNT_REQUESTS), 1, 12);
}

static void resumed_request_says_who_asks(void **state)
{
    rig_t *rig = *state;
    rig->http.username = "otter";
    rig->http.password = "secret";
    rig->http.auth_type = HTTP_AUTH_TYPE_BASIC;
    bad_reply_t cut = rig_bad_once(rig, BAD_CUT, 9000);
    bad_reply_t good = rig_good(rig);
    cut.need_authorization = good.need_authorization = "Basic b3R0ZXI6c2VjcmV0";
    const bad_reply_t replies[] = {cut, good};
    rig_serve(rig, replies, 2);
    rig_assert_updates(rig);
    rig_assert_faults(rig, 1);
    rig_assert_asked(rig, 1, "Range: bytes=9000-");
    rig_assert_asked(rig, 1, "Authorization: Basic b3R0ZXI6c2VjcmV0");
}

static void digest_challenge_is_answered(void **state)
{
    rig_t *rig = *state;
    rig->http.username = "otter";
    rig->http.password = "secret";
    bad_reply_t bad =
        status(401, "WWW-Authenticate: Digest realm=\"test\", nonce=\"abc\", qop=\"auth\", algorithm=MD5\r\n");
    rig_serve_then_good(rig, &bad);
    rig_assert_updates(rig);
    rig_assert_faults(rig, 1);
    rig_assert_asked(rig, 1, "Authorization: Digest ");
    rig_assert_asked(rig, 1, "username=\"otter\"");
    rig_assert_asked(rig, 1, "nonce=\"abc\"");
}

/* --- interim answers --- */

static void interim_answers_are_passed_over(void **state)
{
    rig_t *rig = *state;
    bad_reply_t bad = rig_bad(rig, BAD_INTERIM_FLOOD, 3);
    rig_serve_only(rig, &bad);
    rig_assert_updates(rig);
    rig_assert_faults(rig, 1);
}

/* A server that sends interim answers for ever must not keep the device for ever. */
static void flood_of_interim_answers_ends(void **state)
{
    rig_t *rig = *state;
    rig->config.download.retries = 1;
    rig_configure(rig);
    bad_reply_t bad = rig_bad(rig, BAD_INTERIM_FLOOD, 1000000);
    rig_serve_only(rig, &bad);
    rig_assert_refuses_untouched(rig, ESP_FAIL);
    rig_assert_faults(rig, 2);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_rig(request_timeout_passes),
    cmocka_unit_test_rig(too_many_requests_pass),
    cmocka_unit_test_rig(internal_error_passes),
    cmocka_unit_test_rig(bad_gateway_passes),
    cmocka_unit_test_rig(unavailable_service_passes),
    cmocka_unit_test_rig(gateway_timeout_passes),
    cmocka_unit_test_rig(retry_after_is_waited_for),
    cmocka_unit_test_rig(retry_after_beyond_the_limit_is_not_waited_for),
    cmocka_unit_test_rig(senseless_retry_after_does_no_harm),
    cmocka_unit_test_rig(service_that_stays_unavailable_is_given_up),
    cmocka_unit_test_rig(service_that_is_unavailable_in_between_is_waited_for),
    cmocka_unit_test_rig(file_that_vanishes_in_between_is_the_end),
    cmocka_unit_test_rig(bad_request_is_final),
    cmocka_unit_test_rig(forbidden_file_is_final),
    cmocka_unit_test_rig(missing_file_is_final),
    cmocka_unit_test_rig(file_that_is_gone_is_final),
    cmocka_unit_test_rig(range_not_satisfiable_is_final),
    cmocka_unit_test_rig(unmodified_file_is_final),
    cmocka_unit_test_rig(server_without_the_method_is_final),
    cmocka_unit_test_rig(demand_for_a_user_is_final_without_one),
    cmocka_unit_test_rig(demand_for_a_user_is_met),
    cmocka_unit_test_rig(wrong_password_is_not_tried_for_ever),
    cmocka_unit_test_rig(resumed_request_says_who_asks),
    cmocka_unit_test_rig(digest_challenge_is_answered),
    cmocka_unit_test_rig(interim_answers_are_passed_over),
    cmocka_unit_test_rig(flood_of_interim_answers_ends),
};

TEST_MAIN(tests)
