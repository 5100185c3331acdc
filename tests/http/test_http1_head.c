/* SPDX-License-Identifier: Apache-2.0 */
/* The response head of port/http1: what it takes, what it refuses, and that pieces make no difference. */
#include <stdlib.h>

#include "port/http1/head.h"
#include "tests/support/test.h"

/* A head as it was read. */
typedef struct reading {
    http1_head_t head;
    http1_step_t step;
    size_t used;
    char headers[512]; /* "name=value;" for each */
} reading_t;

static void note(void *arg, const char *name, const char *value)
{
    reading_t *reading = arg;
    size_t len = strlen(reading->headers);
    snprintf(reading->headers + len, sizeof(reading->headers) - len, "%s=%s;", name, value);
}

/* Feeds all but what was taken, in memory of exactly its size. */
static void feed(reading_t *reading, const char *bytes, size_t len)
{
    size_t used = 0;
    size_t left = len - reading->used;
    char *copy = malloc(left + (left == 0));
    assert_non_null(copy);
    memcpy(copy, bytes + reading->used, left);
    reading->step = http1_head_feed(&reading->head, copy, left, &used);
    assert_true(used <= left);
    reading->used += used;
    free(copy);
}

static reading_t read_in_pieces(const char *bytes, size_t len, size_t first, size_t step)
{
    reading_t reading = {.step = HTTP1_MORE};
    http1_head_init(&reading.head, note, NULL);
    reading.head.arg = &reading;
    for (size_t there = first; reading.step == HTTP1_MORE; there += step) {
        feed(&reading, bytes, there < len ? there : len);
        if (there >= len) {
            break;
        }
    }
    reading.head.arg = NULL;
    return reading;
}

static reading_t read_whole(const char *text)
{
    return read_in_pieces(text, strlen(text), strlen(text), 1);
}

static const char full[] = "HTTP/1.1 103 Early Hints\r\nX-Early: 1\r\nContent-Length: 9\r\n\r\n"
                           "HTTP/1.1 206 Partial Content\r\nContent-Length:  10 \r\nX-Empty:\r\nETag: \"a b\"\t\r\n"
                           "Connection: Foo, Close\r\n\r\n";
static const char full_headers[] = "Content-Length=10;X-Empty=;ETag=\"a b\";Connection=Foo, Close;";

static void assert_full(const reading_t *reading)
{
    assert_int_equal(reading->step, HTTP1_DONE);
    assert_int_equal(reading->used, sizeof(full) - 1);
    assert_int_equal(reading->head.status, 206);
    assert_int_equal(reading->head.content_length, 10);
    assert_int_equal(reading->head.interim, 1);
    assert_true(reading->head.says_close);
    assert_string_equal(reading->headers, full_headers);
}

static void head_is_read_whole(void **state)
{
    (void)state;
    reading_t reading = read_whole(full);
    assert_full(&reading);
}

static void head_is_the_same_however_it_is_cut(void **state)
{
    (void)state;
    for (size_t first = 0; first < sizeof(full); first++) {
        for (size_t step = 1; step < 5; step++) {
            reading_t reading = read_in_pieces(full, sizeof(full) - 1, first, step);
            assert_full(&reading);
        }
        reading_t two_pieces = read_in_pieces(full, sizeof(full) - 1, first, sizeof(full));
        assert_full(&two_pieces);
    }
}

static void truncated_head_is_never_complete(void **state)
{
    (void)state;
    for (size_t len = 0; len < sizeof(full) - 1; len++) {
        reading_t reading = read_in_pieces(full, len, len, 1);
        assert_int_equal(reading.step, HTTP1_MORE);
        assert_true(reading.used <= len);
    }
}

static void bytes_behind_the_head_are_left_alone(void **state)
{
    (void)state;
    reading_t reading = read_whole("HTTP/1.1 200 OK\r\n\r\n\r\nHTTP/1.1 404 no\r\n\r\n");
    assert_int_equal(reading.step, HTTP1_DONE);
    assert_int_equal(reading.used, 19);
    assert_int_equal(reading.head.status, 200);
}

static void line_may_end_in_a_bare_line_feed(void **state)
{
    (void)state;
    reading_t reading = read_whole("HTTP/1.0 200\nA: b\n\n");
    assert_int_equal(reading.step, HTTP1_DONE);
    assert_int_equal(reading.head.minor, 0);
    assert_string_equal(reading.headers, "A=b;");
}

#define OK "HTTP/1.1 200 OK\r\n"

static const struct {
    const char *text;
    const char *problem;
} bad[] = {
    {"\r\n" OK "\r\n", "malformed status line"},
    {"HTTP/1.1 20 OK\r\n\r\n", "malformed status line"},
    {"HTTP/1.1 2000 OK\r\n\r\n", "malformed status line"},
    {"HTTP/1.1 200OK\r\n\r\n", "malformed status line"},
    {"HTTP/1.1  200 OK\r\n\r\n", "malformed status line"},
    {"HTTP/2 200\r\n\r\n", "malformed status line"},
    {"HTTP/2.0 200 OK\r\n\r\n", "malformed status line"},
    {"HTTP/1.1\r\n\r\n", "malformed status line"},
    {"http/1.1 200 OK\r\n\r\n", "malformed status line"},
    {"ICY 200 OK\r\n\r\n", "malformed status line"},
    {"SSH-2.0-OpenSSH\r\n\r\n", "malformed status line"},
    {"HTTP/1.1 099 Low\r\n\r\n", "unusable status"},
    {"HTTP/1.1 101 Switching\r\n\r\n", "unusable status"},
    {OK "no colon\r\n\r\n", "malformed header line"},
    {OK ": no name\r\n\r\n", "malformed header line"},
    {OK "Name : blank\r\n\r\n", "malformed header line"},
    {OK "Na me: blank\r\n\r\n", "malformed header line"},
    {OK " Leading: blank\r\n\r\n", "malformed header line"},
    {OK "A: b\r\n folded\r\n\r\n", "malformed header line"},
    {OK "A: b\r\n\tfolded: twice\r\n\r\n", "malformed header line"},
    {OK OK "\r\n", "malformed header line"},
    {OK "A: b\rB: c\r\n\r\n", "bare CR in the response head"},
    {OK "A: b\r\r\n\r\n", "bare CR in the response head"},
    {OK "Content-Length: \r\n\r\n", "malformed Content-Length"},
    {OK "Content-Length: -1\r\n\r\n", "malformed Content-Length"},
    {OK "Content-Length: +1\r\n\r\n", "malformed Content-Length"},
    {OK "Content-Length: 0x10\r\n\r\n", "malformed Content-Length"},
    {OK "Content-Length: 1 2\r\n\r\n", "malformed Content-Length"},
    {OK "Content-Length: 5, 5\r\n\r\n", "malformed Content-Length"},
    {OK "Content-Length: 9223372036854775808\r\n\r\n", "malformed Content-Length"},
    {OK "Content-Length: 18446744073709551617\r\n\r\n", "malformed Content-Length"},
    {OK "Content-Length: 1\r\ncontent-length: 2\r\n\r\n", "two Content-Length headers that differ"},
    {OK "Transfer-Encoding: gzip, chunked\r\n\r\n", "unknown transfer coding"},
    {OK "Transfer-Encoding: identity\r\n\r\n", "unknown transfer coding"},
    {OK "Transfer-Encoding: chunked, identity\r\n\r\n", "unknown transfer coding"},
    {OK "Transfer-Encoding: xchunked\r\n\r\n", "unknown transfer coding"},
    {OK "Transfer-Encoding: \r\n\r\n", "unknown transfer coding"},
    {OK "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", "unknown transfer coding"},
};

static void hostile_heads_are_refused_with_a_reason(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        reading_t reading = read_whole(bad[i].text);
        if (reading.step != HTTP1_BAD) {
            fail_msg("taken: %s", bad[i].text);
        }
        assert_string_equal(reading.head.problem, bad[i].problem);
        size_t used = 0;
        char more[] = OK "\r\n";
        assert_int_equal(http1_head_feed(&reading.head, more, sizeof(more) - 1, &used), HTTP1_BAD);
        assert_int_equal(used, 0);
    }
}

static void hostile_heads_are_refused_in_pieces_too(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        reading_t reading = read_in_pieces(bad[i].text, strlen(bad[i].text), 0, 1);
        assert_int_equal(reading.step, HTTP1_BAD);
        assert_string_equal(reading.head.problem, bad[i].problem);
    }
}

static void nul_byte_is_refused(void **state)
{
    (void)state;
    static const char text[] = OK "A: b\0c\r\n\r\n";
    reading_t reading = read_in_pieces(text, sizeof(text) - 1, sizeof(text) - 1, 1);
    assert_int_equal(reading.step, HTTP1_BAD);
    assert_string_equal(reading.head.problem, "NUL byte in the response head");
}

/* A head with a header line of this many bytes, its end included. */
static char *head_with_line(size_t line_bytes, size_t *len)
{
    *len = strlen(OK) + line_bytes + 2;
    char *text = malloc(*len + 1);
    assert_non_null(text);
    memcpy(text, OK, strlen(OK));
    char *line = text + strlen(OK);
    memset(line, 'x', line_bytes);
    memcpy(line, "X: ", 3);
    memcpy(line + line_bytes - 2, "\r\n\r\n", 5);
    return text;
}

static void longest_line_is_taken_and_a_longer_one_refused(void **state)
{
    (void)state;
    for (size_t more = 0; more < 2; more++) {
        size_t len = 0;
        char *text = head_with_line(HTTP1_BUFFER_BYTES - 1 + more, &len);
        http1_head_t head;
        size_t used = 0;
        http1_head_init(&head, NULL, NULL);
        assert_int_equal(http1_head_feed(&head, text, len, &used), more == 0 ? HTTP1_DONE : HTTP1_BAD);
        assert_int_equal(head.problem != NULL, more == 1);
        free(text);
    }
}

/* Else a reader with a full buffer would wait for ever. */
static void line_that_fills_the_buffer_is_refused_before_its_end(void **state)
{
    (void)state;
    static char bytes[HTTP1_BUFFER_BYTES];
    http1_head_t head;
    size_t used = 0;
    memset(bytes, 'H', sizeof(bytes));
    http1_head_init(&head, NULL, NULL);
    assert_int_equal(http1_head_feed(&head, bytes, sizeof(bytes) - 1, &used), HTTP1_MORE);
    assert_int_equal(http1_head_feed(&head, bytes, sizeof(bytes), &used), HTTP1_BAD);
    assert_string_equal(head.problem, "response head too large");
}

static void endless_head_is_refused_at_its_limit(void **state)
{
    (void)state;
    http1_head_t head;
    http1_head_init(&head, NULL, NULL);
    http1_step_t step = HTTP1_MORE;
    size_t used = 0;
    char status[] = OK;
    assert_int_equal(http1_head_feed(&head, status, strlen(status), &used), HTTP1_MORE);
    size_t total = used;
    while (step == HTTP1_MORE && total < 2 * HTTP1_HEAD_MAX_BYTES) {
        char line[] = "X-Endless: 0123456789\r\n";
        step = http1_head_feed(&head, line, strlen(line), &used);
        total += used;
    }
    assert_int_equal(step, HTTP1_BAD);
    assert_in_range(total, HTTP1_HEAD_MAX_BYTES - 32, HTTP1_HEAD_MAX_BYTES);
}

static void interim_responses_are_bounded(void **state)
{
    (void)state;
    http1_head_t head;
    size_t used = 0;
    http1_head_init(&head, NULL, NULL);
    for (unsigned i = 0; i < HTTP1_MAX_INTERIM; i++) {
        char interim[] = "HTTP/1.1 100 Continue\r\n\r\n";
        assert_int_equal(http1_head_feed(&head, interim, strlen(interim), &used), HTTP1_MORE);
    }
    char one_more[] = "HTTP/1.1 100 Continue\r\n\r\n";
    assert_int_equal(http1_head_feed(&head, one_more, strlen(one_more), &used), HTTP1_BAD);
    assert_string_equal(head.problem, "too many interim responses");
}

static const struct {
    const char *text;
    bool has_body;
    http1_framing_t framing;
    int64_t content_length;
    bool chunked;
    bool keep_alive;
} framings[] = {
    {OK "Content-Length: 5\r\n\r\n", true, HTTP1_BY_LENGTH, 5, false, true},
    {OK "Content-Length: 5\r\nContent-Length: 05\r\n\r\n", true, HTTP1_BY_LENGTH, 5, false, true},
    {OK "Content-Length: 9223372036854775799\r\n\r\n", true, HTTP1_BY_LENGTH, 9223372036854775799, false, true},
    {OK "content-LENGTH: 5\r\nconnection: close\r\n\r\n", true, HTTP1_BY_LENGTH, 5, false, false},
    {OK "\r\n", true, HTTP1_BY_CLOSE, -1, false, false},
    {OK "Connection: keep-alive\r\n\r\n", true, HTTP1_BY_CLOSE, -1, false, false},
    {OK "Transfer-Encoding: Chunked\r\n\r\n", true, HTTP1_BY_CHUNKS, -1, true, true},
    /* The chunks count; the connection is not trusted further. */
    {OK "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", true, HTTP1_BY_CHUNKS, -1, true, false},
    {OK "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n", true, HTTP1_BY_CHUNKS, -1, true, false},
    {"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n", true, HTTP1_BY_CHUNKS, -1, true,
     false},
    {"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\n", true, HTTP1_BY_LENGTH, 5, false, false},
    {"HTTP/1.0 200 OK\r\nContent-Length: 5\r\nConnection: Keep-Alive\r\n\r\n", true, HTTP1_BY_LENGTH, 5, false, true},
    {OK "Content-Length: 5\r\n\r\n", false, HTTP1_NO_BODY, 5, false, true},
    {OK "\r\n", false, HTTP1_NO_BODY, -1, false, true},
    {"HTTP/1.1 204 No\r\nContent-Length: 5\r\n\r\n", true, HTTP1_NO_BODY, 5, false, true},
    {"HTTP/1.1 304 No\r\nTransfer-Encoding: chunked\r\n\r\n", true, HTTP1_NO_BODY, -1, true, true},
};

static void framing_follows_from_the_head(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(framings) / sizeof(framings[0]); i++) {
        reading_t reading = read_whole(framings[i].text);
        assert_int_equal(reading.step, HTTP1_DONE);
        otter_http_response_t response = http1_head_response(&reading.head, framings[i].has_body);
        assert_int_equal(http1_head_framing(&reading.head, framings[i].has_body), framings[i].framing);
        assert_int_equal(response.content_length, framings[i].content_length);
        assert_int_equal(response.chunked, framings[i].chunked);
        assert_int_equal(response.keep_alive, framings[i].keep_alive);
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(head_is_read_whole),
    cmocka_unit_test(head_is_the_same_however_it_is_cut),
    cmocka_unit_test(truncated_head_is_never_complete),
    cmocka_unit_test(bytes_behind_the_head_are_left_alone),
    cmocka_unit_test(line_may_end_in_a_bare_line_feed),
    cmocka_unit_test(hostile_heads_are_refused_with_a_reason),
    cmocka_unit_test(hostile_heads_are_refused_in_pieces_too),
    cmocka_unit_test(nul_byte_is_refused),
    cmocka_unit_test(longest_line_is_taken_and_a_longer_one_refused),
    cmocka_unit_test(line_that_fills_the_buffer_is_refused_before_its_end),
    cmocka_unit_test(endless_head_is_refused_at_its_limit),
    cmocka_unit_test(interim_responses_are_bounded),
    cmocka_unit_test(framing_follows_from_the_head),
};

TEST_MAIN(tests)
