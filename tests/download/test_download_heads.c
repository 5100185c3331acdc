/* SPDX-License-Identifier: Apache-2.0 */
/* Response heads that are none, or too much of one. */
#include "tests/download/download_rig.h"

static void assert_refused(rig_t *rig, const bad_reply_t *bad, esp_err_t expected)
{
    rig_serve_only(rig, bad);
    rig_assert_refuses_untouched(rig, expected);
    rig_assert_faults(rig, 1);
}

static void assert_harmless(rig_t *rig, const bad_reply_t *bad)
{
    rig_serve_only(rig, bad);
    rig_assert_updates(rig);
    rig_assert_faults(rig, 1);
}

static bad_reply_t with_status_line(rig_t *rig, const char *line)
{
    bad_reply_t bad = rig_bad(rig, BAD_STATUS_LINE, 0);
    bad.text = line;
    return bad;
}

static bad_reply_t with_headers(rig_t *rig, const char *headers, size_t len)
{
    bad_reply_t bad = rig_bad(rig, BAD_CONTENT, 0);
    bad.headers = headers;
    bad.headers_len = len;
    return bad;
}

static void body_without_a_head_is_refused(void **state)
{
    bad_reply_t bad = rig_bad(*state, BAD_GARBAGE, 0);
    assert_refused(*state, &bad, ESP_FAIL);
}

static void one_answer_without_a_head_is_got_past(void **state)
{
    rig_t *rig = *state;
    bad_reply_t bad = rig_bad(rig, BAD_GARBAGE, 0);
    rig_serve_then_good(rig, &bad);
    rig_assert_updates(rig);
    rig_assert_faults(rig, 1);
}

static void status_that_is_no_number_is_refused(void **state)
{
    bad_reply_t bad = with_status_line(*state, "HTTP/1.1 OK fine");
    assert_refused(*state, &bad, ESP_FAIL);
}

static void answer_of_another_protocol_is_refused(void **state)
{
    bad_reply_t bad = with_status_line(*state, "SIP/2.0 200 OK");
    assert_refused(*state, &bad, ESP_FAIL);
}

static void http_1_0_answer_updates(void **state)
{
    bad_reply_t bad = with_status_line(*state, "HTTP/1.0 200 OK");
    bad.close = true;
    assert_harmless(*state, &bad);
}

static void status_line_without_a_reason_updates(void **state)
{
    bad_reply_t bad = with_status_line(*state, "HTTP/1.1 200");
    assert_harmless(*state, &bad);
}

static void head_of_a_megabyte_is_refused(void **state)
{
    bad_reply_t bad = rig_bad(*state, BAD_HUGE_HEAD, 1024 * 1024);
    assert_refused(*state, &bad, ESP_FAIL);
}

static void hundred_headers_do_no_harm(void **state)
{
    bad_reply_t bad = rig_bad(*state, BAD_MANY_HEADERS, 100);
    assert_harmless(*state, &bad);
}

static void nul_in_a_header_is_refused(void **state)
{
    static const char headers[] = "X-Nul: a\0b\r\n";
    bad_reply_t bad = with_headers(*state, headers, sizeof(headers) - 1);
    assert_refused(*state, &bad, ESP_FAIL);
}

static void nul_in_the_etag_is_refused(void **state)
{
    rig_t *rig = *state;
    static const char headers[] = "ETag: \"v\0002\"\r\n";
    bad_reply_t bad = with_headers(rig, headers, sizeof(headers) - 1);
    bad.etag = NULL;
    assert_refused(rig, &bad, ESP_FAIL);
}

/* Such an ETag comes back in If-Range: it must not become a header of its own. */
static void etag_with_a_carriage_return_is_never_sent_back(void **state)
{
    rig_t *rig = *state;
    static const char headers[] = "ETag: \"v2\"\rX-Injected: yes\r\n";
    bad_reply_t bad = rig_bad_once(rig, BAD_CUT, 9000);
    bad.etag = NULL;
    bad.headers = headers;
    const bad_reply_t replies[] = {bad, rig_good(rig)};
    rig_serve(rig, replies, 2);
    rig_assert_updates(rig);
    rig_assert_faults(rig, 1);
    char request[2048];
    for (unsigned i = 0; bad_server_request(rig->server, i, request, sizeof(request)); i++) {
        assert_null(strstr(request, "X-Injected"));
    }
}

static void endless_etag_is_not_sent_back_cut_short(void **state)
{
    rig_t *rig = *state;
    static char etag[3002];
    memset(etag, 'e', sizeof(etag) - 1);
    etag[0] = etag[sizeof(etag) - 2] = '"';
    bad_reply_t bad = rig_bad_once(rig, BAD_CUT, 9000);
    bad_reply_t good = rig_good(rig);
    bad.etag = good.etag = etag;
    const bad_reply_t replies[] = {bad, good};
    rig_serve(rig, replies, 2);
    rig_assert_updates(rig);
    rig_assert_faults(rig, 1);
    rig_assert_not_asked(rig, 1, "If-Range: \"eeee");
}

static void header_without_a_colon_is_refused(void **state)
{
    bad_reply_t bad = with_headers(*state, "this is no header\r\n", 0);
    assert_refused(*state, &bad, ESP_FAIL);
}

static void folded_header_is_refused(void **state)
{
    bad_reply_t bad = with_headers(*state, "X-Long: one\r\n two\r\n", 0);
    assert_refused(*state, &bad, ESP_FAIL);
}

static void length_and_chunks_at_once_are_refused(void **state)
{
    bad_reply_t bad = with_headers(*state, "Transfer-Encoding: chunked\r\n", 0);
    assert_refused(*state, &bad, ESP_FAIL);
}

static void unknown_transfer_coding_is_refused(void **state)
{
    rig_t *rig = *state;
    bad_reply_t bad = with_headers(rig, "Transfer-Encoding: made-up\r\n", 0);
    bad.framing = BAD_UNTIL_CLOSE;
    assert_refused(rig, &bad, ESP_FAIL);
}

/* Announced to stay, the connection is gone when the next update wants it. */
static void lying_keep_alive_does_no_harm(void **state)
{
    rig_t *rig = *state;
    bad_reply_t moved = {.path = RIG_PATH,
                         .status = 302,
                         .headers = "Location: /b\r\nConnection: keep-alive\r\n",
                         .fault = BAD_LYING_KEEP_ALIVE};
    bad_reply_t good = rig_good(rig);
    good.path = "/b";
    const bad_reply_t replies[] = {moved, good};
    rig_serve(rig, replies, 2);
    rig_assert_updates(rig);
    rig_assert_faults(rig, 1);
    assert_int_equal(bad_server_count(rig->server, BAD_COUNT_CONNECTIONS), 2);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_rig(body_without_a_head_is_refused),
    cmocka_unit_test_rig(one_answer_without_a_head_is_got_past),
    cmocka_unit_test_rig(status_that_is_no_number_is_refused),
    cmocka_unit_test_rig(answer_of_another_protocol_is_refused),
    cmocka_unit_test_rig(http_1_0_answer_updates),
    cmocka_unit_test_rig(status_line_without_a_reason_updates),
    cmocka_unit_test_rig(head_of_a_megabyte_is_refused),
    cmocka_unit_test_rig(hundred_headers_do_no_harm),
    cmocka_unit_test_rig(nul_in_a_header_is_refused),
    cmocka_unit_test_rig(nul_in_the_etag_is_refused),
    cmocka_unit_test_rig(etag_with_a_carriage_return_is_never_sent_back),
    cmocka_unit_test_rig(endless_etag_is_not_sent_back_cut_short),
    cmocka_unit_test_rig(header_without_a_colon_is_refused),
    cmocka_unit_test_rig(folded_header_is_refused),
    cmocka_unit_test_rig(length_and_chunks_at_once_are_refused),
    cmocka_unit_test_rig(unknown_transfer_coding_is_refused),
    cmocka_unit_test_rig(lying_keep_alive_does_no_harm),
};

TEST_MAIN(tests)
