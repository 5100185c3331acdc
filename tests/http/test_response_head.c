/* SPDX-License-Identifier: Apache-2.0 */
/* The head parser of the libcurl port, line by line. */
#include "port/http_curl/response_head.h"
#include "tests/support/test.h"

typedef struct seen {
    unsigned count;
    char last_name[64];
    char last_value[64];
} seen_t;

static void note(void *arg, const char *name, const char *value)
{
    seen_t *seen = arg;
    seen->count++;
    snprintf(seen->last_name, sizeof(seen->last_name), "%s", name);
    snprintf(seen->last_value, sizeof(seen->last_value), "%s", value);
}

/* Feeds lines until one is refused or they are over; value: whether all were taken. */
static bool feed(response_head_t *head, seen_t *seen, const char *const *lines)
{
    *seen = (seen_t){0};
    response_head_init(head, note, seen);
    for (; *lines != NULL; lines++) {
        if (!response_head_feed(head, *lines, strlen(*lines))) {
            return false;
        }
    }
    return true;
}

#define LINES(...) ((const char *const[]){__VA_ARGS__, NULL})

static void plain_head_is_read(void **state)
{
    response_head_t head;
    seen_t seen;
    (void)state;
    assert_true(feed(&head, &seen, LINES("HTTP/1.1 200 OK\r\n", "Content-Length: 42 \r\n", "X-A:b\r\n", "\r\n")));
    assert_true(head.complete);
    otter_http_response_t response = response_head_summary(&head, true);
    assert_int_equal(response.status, 200);
    assert_int_equal(response.content_length, 42);
    assert_false(response.chunked);
    assert_true(response.keep_alive);
    assert_int_equal(seen.count, 2);
    assert_string_equal(seen.last_name, "X-A");
    assert_string_equal(seen.last_value, "b");
}

static void interim_responses_are_skipped(void **state)
{
    response_head_t head;
    seen_t seen;
    (void)state;
    assert_true(feed(&head, &seen,
                     LINES("HTTP/1.1 100 Continue\r\n", "X-Interim: 1\r\n", "Content-Length: 7\r\n", "\r\n",
                           "HTTP/1.1 206 Partial\r\n", "X-Final: 1\r\n", "\r\n")));
    assert_true(head.complete);
    assert_int_equal(head.status, 206);
    assert_int_equal(head.content_length, -1);
    assert_int_equal(seen.count, 1);
    assert_string_equal(seen.last_name, "X-Final");
}

static void trailers_are_not_reported(void **state)
{
    response_head_t head;
    seen_t seen;
    (void)state;
    assert_true(feed(&head, &seen,
                     LINES("HTTP/1.1 200 OK\r\n", "Transfer-Encoding: chunked\r\n", "\r\n", "X-Trailer: 1\r\n",
                           "Content-Length: nonsense\r\n")));
    assert_int_equal(seen.count, 1);
    assert_true(response_head_summary(&head, true).chunked);
    assert_int_equal(response_head_summary(&head, true).content_length, -1);
}

static void unusable_heads_are_refused(void **state)
{
    static const char *const bad[][4] = {
        {"HTTP/1.1 20 OK\r\n"},
        {"HTTP/1.1 2000 OK\r\n"},
        {"HTTP/x 200 OK\r\n"},
        {"HTTP/1.1200 OK\r\n"},
        {"HTTP/1.1 101 Switching\r\n"},
        {"HTTP/1.1 099 Low\r\n"},
        {"Content-Length: 1\r\n"},
        {"HTTP/1.1 200 OK\r\n", "no colon\r\n"},
        {"HTTP/1.1 200 OK\r\n", ": no name\r\n"},
        {"HTTP/1.1 200 OK\r\n", "X-A: b\r\n", " folded\r\n"},
        {"HTTP/1.1 200 OK\r\n", "Content-Length : 1\r\n"},
        {"HTTP/1.1 200 OK\r\n", "Content-Length: -1\r\n"},
        {"HTTP/1.1 200 OK\r\n", "Content-Length: 1x\r\n"},
        {"HTTP/1.1 200 OK\r\n", "Content-Length: \r\n"},
        {"HTTP/1.1 200 OK\r\n", "Content-Length: 99999999999999999999\r\n"},
        {"HTTP/1.1 200 OK\r\n", "Content-Length: 1\r\n", "Content-Length: 2\r\n"},
        {"HTTP/1.1 200 OK\r\n", "X-A: b\rX-B: c\r\n"},
    };
    response_head_t head;
    seen_t seen;
    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        if (feed(&head, &seen, bad[i])) {
            fail_msg("head %zu is accepted", i);
        }
        assert_non_null(head.problem);
    }
}

static void nul_byte_is_refused(void **state)
{
    static const char line[] = "X-A: b\0c\r\n";
    response_head_t head;
    seen_t seen;
    (void)state;
    assert_true(feed(&head, &seen, LINES("HTTP/1.1 200 OK\r\n")));
    assert_false(response_head_feed(&head, line, sizeof(line) - 1));
}

static void same_length_twice_is_accepted(void **state)
{
    response_head_t head;
    seen_t seen;
    (void)state;
    assert_true(
        feed(&head, &seen, LINES("HTTP/1.1 200 OK\r\n", "content-length: 5\r\n", "Content-Length: 5\r\n", "\r\n")));
    assert_int_equal(head.content_length, 5);
}

static void head_that_never_ends_is_refused(void **state)
{
    response_head_t head;
    seen_t seen;
    size_t fed = 0;
    (void)state;
    assert_true(feed(&head, &seen, LINES("HTTP/1.1 200 OK\r\n")));
    while (response_head_feed(&head, "X-Some: header\r\n", 16)) {
        fed += 16;
        assert_true(fed <= RESPONSE_HEAD_MAX_BYTES);
    }
    assert_string_equal(head.problem, "response head too large");
    assert_true(fed > RESPONSE_HEAD_MAX_BYTES - 64);
}

static bool keeps_alive(const char *const *lines, bool has_body)
{
    response_head_t head;
    seen_t seen;
    assert_true(feed(&head, &seen, lines));
    return response_head_summary(&head, has_body).keep_alive;
}

static void connection_is_kept_only_if_it_can_be(void **state)
{
    (void)state;
    assert_true(keeps_alive(LINES("HTTP/1.1 200 OK\r\n", "Content-Length: 1\r\n", "\r\n"), true));
    assert_false(keeps_alive(LINES("HTTP/1.1 200 OK\r\n", "\r\n"), true));
    assert_true(keeps_alive(LINES("HTTP/1.1 200 OK\r\n", "\r\n"), false));
    assert_true(keeps_alive(LINES("HTTP/1.1 304 No\r\n", "\r\n"), true));
    assert_false(
        keeps_alive(LINES("HTTP/1.1 200 OK\r\n", "Content-Length: 1\r\n", "Connection: x, Close\r\n", "\r\n"), true));
    assert_false(keeps_alive(LINES("HTTP/1.0 200 OK\r\n", "Content-Length: 1\r\n", "\r\n"), true));
    assert_true(
        keeps_alive(LINES("HTTP/1.0 200 OK\r\n", "Content-Length: 1\r\n", "Connection: keep-alive\r\n", "\r\n"), true));
    assert_true(keeps_alive(LINES("HTTP/2 200\r\n", "\r\n"), true));
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(plain_head_is_read),
    cmocka_unit_test(interim_responses_are_skipped),
    cmocka_unit_test(trailers_are_not_reported),
    cmocka_unit_test(unusable_heads_are_refused),
    cmocka_unit_test(nul_byte_is_refused),
    cmocka_unit_test(same_length_twice_is_accepted),
    cmocka_unit_test(head_that_never_ends_is_refused),
    cmocka_unit_test(connection_is_kept_only_if_it_can_be),
};

TEST_MAIN(tests)
