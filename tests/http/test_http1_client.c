/* SPDX-License-Identifier: Apache-2.0 */
/* port/http1 over a stream that plays a script: every cut, every split, and what it does to a kept connection. */
#include <stdlib.h>

#include "esp_http_client.h"
#include "otter/otter_http.h"
#include "port/http1/http1.h"
#include "tests/http/stream_script.h"
#include "tests/support/test.h"

#define SOME_TIME 0 /* A deadline: the script does not look at it. */

/* An exchange and what came of it. */
typedef struct exchange {
    otter_http_t *http;
    otter_http_response_t response;
    esp_err_t open_err;
    esp_err_t read_err;
    unsigned headers;
    char body[256];
    size_t body_len;
} exchange_t;

static void count_header(void *arg, const char *name, const char *value)
{
    exchange_t *x = arg;
    assert_true(strlen(name) > 0 && value != NULL);
    x->headers++;
}

static void read_body(exchange_t *x, size_t step)
{
    size_t got = 0;
    do {
        assert_true(step <= sizeof(x->body) - x->body_len);
        x->read_err = otter_http_read(x->http, x->body + x->body_len, step, &got, SOME_TIME);
        assert_true(got <= step && (got == 0 || x->read_err == ESP_OK));
        x->body_len += got;
    } while (got > 0);
}

static void run(exchange_t *x, const otter_http_request_t *request)
{
    x->body_len = 0;
    x->headers = 0;
    x->open_err = otter_http_open(x->http, request, count_header, x, SOME_TIME, &x->response);
    if (x->open_err == ESP_OK) {
        read_body(x, 7);
    }
}

static void run_method(exchange_t *x, const char *method)
{
    run(x, &(otter_http_request_t){.method = method, .url = "https://host/x"});
}

static exchange_t start(const stream_connection_t *connections, size_t count)
{
    stream_script(connections, count);
    exchange_t x = {.http = otter_http_new(&(otter_http_config_t){.tcp_keep_alive = false})};
    assert_non_null(x.http);
    return x;
}

static void finish(exchange_t *x)
{
    otter_http_free(x->http);
    assert_int_equal(stream_seen()->closes, stream_seen()->opens);
}

static void assert_body(const exchange_t *x, const char *body)
{
    assert_err(x->open_err, ESP_OK);
    assert_err(x->read_err, ESP_OK);
    assert_int_equal(x->body_len, strlen(body));
    assert_memory_equal(x->body, body, x->body_len);
}

/* ---- every cut, every split ---- */

#define BODY "hello, wide world"

static const struct {
    const char *method;
    const char *text;
    const char *body;
    bool until_close;
} responses[] = {
    {"GET", "HTTP/1.1 200 OK\r\nContent-Length: 17\r\n\r\n" BODY, BODY, false},
    {"GET", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 206 Part\r\nA: b\r\nContent-Length: 17\r\n\r\n" BODY, BODY, false},
    {"GET",
     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;x=y\r\nhello\r\nC\r\n, wide world\r\n0\r\nT: 1\r\n\r\n",
     BODY, false},
    {"GET", "HTTP/1.0 200 OK\r\nServer: old\r\n\r\n" BODY, BODY, true},
    {"GET", "HTTP/1.1 204 No Content\r\nServer: x\r\n\r\n", "", false},
    {"HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 17\r\n\r\n", "", false},
};

#define RESPONSES (sizeof(responses) / sizeof(responses[0]))

static void response_is_the_same_however_it_arrives(void **state)
{
    (void)state;
    for (size_t i = 0; i < RESPONSES; i++) {
        for (size_t piece = 1; piece <= strlen(responses[i].text); piece++) {
            const stream_connection_t connection = {.answers = {{.bytes = responses[i].text}}, .piece = piece};
            exchange_t x = start(&connection, 1);
            run_method(&x, responses[i].method);
            assert_body(&x, responses[i].body);
            assert_string_equal(otter_http_error(x.http), "");
            finish(&x);
        }
    }
}

static const struct {
    stream_end_t end;
    esp_err_t open_err;
    esp_err_t read_err;
} ends[] = {
    {STREAM_ENDS, ESP_ERR_HTTP_FETCH_HEADER, ESP_ERR_HTTP_INCOMPLETE_DATA},
    {STREAM_BREAKS, ESP_ERR_HTTP_FETCH_HEADER, ESP_ERR_HTTP_INCOMPLETE_DATA},
    {STREAM_STALLS, ESP_ERR_TIMEOUT, ESP_ERR_TIMEOUT},
};

static size_t head_len(const char *text)
{
    const char *last = NULL;
    for (const char *at = strstr(text, "\r\n\r\n"); at != NULL && (last == NULL || strncmp(last + 4, "HTTP/", 5) == 0);
         at = strstr(at + 4, "\r\n\r\n")) {
        last = at;
    }
    assert_non_null(last);
    return (size_t)(last - text) + 4;
}

static void assert_cut(size_t i, size_t len, size_t end)
{
    const stream_connection_t connection = {.answers = {{.bytes = responses[i].text, .len = len}},
                                            .end = ends[end].end};
    exchange_t x = start(&connection, 1);
    run_method(&x, responses[i].method);
    if (len < head_len(responses[i].text)) {
        assert_err(x.open_err, ends[end].open_err);
    } else if (responses[i].until_close && ends[end].end == STREAM_ENDS) {
        assert_err(x.read_err, ESP_OK); /* Nothing tells it from the whole body. */
    } else {
        assert_err(x.open_err, ESP_OK);
        assert_err(x.read_err, ends[end].read_err);
        assert_int_equal(memcmp(x.body, responses[i].body, x.body_len), 0);
        assert_true(strlen(otter_http_error(x.http)) > strlen("host:443: "));
    }
    finish(&x);
}

static void response_cut_anywhere_is_never_complete(void **state)
{
    (void)state;
    for (size_t i = 0; i < RESPONSES; i++) {
        for (size_t len = 1; len < strlen(responses[i].text); len++) {
            for (size_t end = 0; end < sizeof(ends) / sizeof(ends[0]); end++) {
                assert_cut(i, len, end);
            }
        }
    }
}

static void broken_body_stays_broken(void **state)
{
    (void)state;
    const stream_connection_t connection = {
        .answers = {{.bytes = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhix0\r\n\r\n"}}};
    exchange_t x = start(&connection, 1);
    run_method(&x, "GET");
    assert_int_equal(x.body_len, 2);
    for (int i = 0; i < 2; i++) {
        assert_err(x.read_err, ESP_ERR_HTTP_INCOMPLETE_DATA);
        assert_string_equal(otter_http_error(x.http), "host:443: malformed chunk");
        read_body(&x, 7);
    }
    finish(&x);
}

static void read_without_an_exchange_is_a_fault(void **state)
{
    (void)state;
    exchange_t x = start(NULL, 0);
    read_body(&x, 7);
    assert_err(x.read_err, ESP_FAIL);
    assert_non_null(strstr(otter_http_error(x.http), "no exchange is open"));
    finish(&x);
    otter_http_free(NULL);
}

/* ---- requests ---- */

#define EMPTY "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"

static const stream_connection_t patient = {
    .answers = {{.bytes = EMPTY}, {.bytes = EMPTY}, {.bytes = EMPTY}, {.bytes = EMPTY}}};

static void what_could_end_a_line_is_not_sent(void **state)
{
    (void)state;
    static const otter_http_header_t headers[] = {
        {"X", "a\r\nInjected: 1"}, {"X", "a\nInjected: 1"}, {"X", "a\rb"}, {"X", "\x01"}, {"X", "\x7f"},
        {"X\r\nInjected", "1"},    {"X: 1\nY", "1"},        {"", "1"},     {"X Y", "1"},  {"X:", "1"},
    };
    exchange_t x = start(&patient, 1);
    for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
        run(&x,
            &(otter_http_request_t){.method = "GET", .url = "http://h/", .headers = &headers[i], .header_count = 1});
        assert_err(x.open_err, ESP_ERR_HTTP_WRITE_DATA);
        assert_non_null(strstr(otter_http_error(x.http), "cannot be sent"));
    }
    static const char *const methods[] = {"", "GET /", "GET\r\n", "G\x01T"};
    for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
        run(&x, &(otter_http_request_t){.method = methods[i], .url = "http://h/"});
        assert_err(x.open_err, ESP_ERR_HTTP_WRITE_DATA);
    }
    run(&x, &(otter_http_request_t){.method = "GET", .url = "http://h/\r\nInjected: 1"});
    assert_err(x.open_err, ESP_ERR_HTTP_CONNECT);
    assert_int_equal(stream_seen()->opens, 0);
    finish(&x);
}

static void tab_and_other_bytes_of_a_value_are_sent(void **state)
{
    (void)state;
    static const otter_http_header_t header = {"X", "a\tb \xC3\xA4"};
    exchange_t x = start(&patient, 1);
    run(&x,
        &(otter_http_request_t){.method = "GET", .url = "http://[::1]:8080?q", .headers = &header, .header_count = 1});
    assert_err(x.open_err, ESP_OK);
    assert_string_equal(stream_seen()->sent, "GET /?q HTTP/1.1\r\nHost: [::1]:8080\r\nX: a\tb \xC3\xA4\r\n\r\n");
    assert_string_equal(stream_seen()->host, "::1");
    assert_int_equal(stream_seen()->port, 8080);
    assert_false(stream_seen()->tls);
    finish(&x);
}

static void small_body_goes_out_with_its_head(void **state)
{
    (void)state;
    exchange_t x = start(&patient, 1);
    run(&x, &(otter_http_request_t){.method = "POST", .url = "https://h/", .body = "payload", .body_len = 7});
    assert_err(x.open_err, ESP_OK);
    assert_string_equal(stream_seen()->sent, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 7\r\n\r\npayload");
    assert_int_equal(stream_seen()->writes, 1);
    finish(&x);
}

static void methods_that_bring_a_body_announce_an_empty_one(void **state)
{
    (void)state;
    static const char *const methods[] = {"POST", "PUT", "PATCH", "DELETE"};
    exchange_t x = start(&patient, 1);
    for (size_t i = 0; i < 4; i++) {
        size_t before = stream_seen()->sent_len;
        run_method(&x, methods[i]);
        assert_err(x.open_err, ESP_OK);
        bool announced = strstr(stream_seen()->sent + before, "\r\nContent-Length: 0\r\n") != NULL;
        assert_int_equal(announced, i < 3);
    }
    finish(&x);
}

static void given_length_is_not_sent_twice(void **state)
{
    (void)state;
    static const otter_http_header_t header = {"content-length", "7"};
    exchange_t x = start(&patient, 1);
    run(&x, &(otter_http_request_t){.method = "POST",
                                    .url = "http://h/",
                                    .body = "payload",
                                    .body_len = 7,
                                    .headers = &header,
                                    .header_count = 1});
    assert_string_equal(stream_seen()->sent, "POST / HTTP/1.1\r\nHost: h\r\ncontent-length: 7\r\n\r\npayload");
    finish(&x);
}

/* Neither head nor body has to fit the buffer. */
static void large_request_arrives_whole(void **state)
{
    (void)state;
    enum { VALUE = HTTP1_BUFFER_BYTES - 40, BODY_BYTES = HTTP1_BUFFER_BYTES + 1000 };
    char *value = calloc(1, VALUE + 1);
    char *body = malloc(BODY_BYTES);
    assert_true(value != NULL && body != NULL);
    memset(value, 'v', VALUE);
    memset(body, 'b', BODY_BYTES);
    const otter_http_header_t headers[] = {{"A", value}, {"B", value}};
    exchange_t x = start(&patient, 1);
    run(&x, &(otter_http_request_t){.method = "PUT",
                                    .url = "http://h/",
                                    .headers = headers,
                                    .header_count = 2,
                                    .body = body,
                                    .body_len = BODY_BYTES});
    assert_err(x.open_err, ESP_OK);
    const char *sent = stream_seen()->sent;
    const char *second = strstr(sent, "\r\nB: v");
    const char *end = strstr(sent, "\r\n\r\nb");
    assert_non_null(second);
    assert_non_null(end);
    assert_int_equal(strspn(strstr(sent, "A: ") + 3, "v"), VALUE);
    assert_int_equal(strspn(second + 5, "v"), VALUE);
    assert_int_equal(strspn(end + 4, "b"), BODY_BYTES);
    assert_int_equal(end + 4 + BODY_BYTES - sent, stream_seen()->sent_len);
    free(value);
    free(body);
    finish(&x);
}

static void request_that_cannot_be_written_is_reported(void **state)
{
    (void)state;
    static const stream_connection_t connections[] = {{.write_err = ESP_FAIL}, {.write_err = ESP_ERR_TIMEOUT}};
    static const esp_err_t expected[] = {ESP_ERR_HTTP_WRITE_DATA, ESP_ERR_TIMEOUT};
    exchange_t x = start(connections, 2);
    for (size_t i = 0; i < 2; i++) {
        run_method(&x, "GET");
        assert_err(x.open_err, expected[i]);
        assert_int_equal(stream_seen()->closes, i + 1);
    }
    finish(&x);
}

/* ---- kept connections ---- */

#define HELLO "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
#define AGAIN "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nagain"

/* Two requests over a script; the second one's outcome is in the value. */
static exchange_t run_twice(const stream_connection_t *connections, size_t count, const char *second_method)
{
    exchange_t x = start(connections, count);
    run_method(&x, "GET");
    assert_body(&x, "hello");
    otter_http_close(x.http);
    run_method(&x, second_method);
    return x;
}

static void stale_connection_is_replaced_once(void **state)
{
    (void)state;
    static const stream_end_t found_out[] = {STREAM_ENDS, STREAM_BREAKS};
    static const char *const methods[] = {"GET", "PUT", "DELETE", "OPTIONS"};
    for (size_t i = 0; i < 2; i++) {
        for (size_t method = 0; method < 4; method++) {
            const stream_connection_t connections[] = {{.answers = {{.bytes = HELLO}}, .end = found_out[i]},
                                                       {.answers = {{.bytes = AGAIN}}}};
            exchange_t x = run_twice(connections, 2, methods[method]);
            assert_body(&x, "again");
            assert_int_equal(stream_seen()->opens, 2);
            finish(&x);
        }
    }
}

static void stale_connection_that_cannot_be_written_to_is_replaced(void **state)
{
    (void)state;
    static const stream_connection_t connections[] = {
        {.answers = {{.bytes = HELLO}}, .write_err = ESP_FAIL, .write_err_from = 1}, {.answers = {{.bytes = AGAIN}}}};
    exchange_t x = run_twice(connections, 2, "GET");
    assert_body(&x, "again");
    assert_int_equal(stream_seen()->opens, 2);
    finish(&x);
}

/* The server may have done it before it went. */
static void post_is_not_repeated(void **state)
{
    (void)state;
    static const stream_connection_t connections[] = {{.answers = {{.bytes = HELLO}}}, {.answers = {{.bytes = AGAIN}}}};
    exchange_t x = run_twice(connections, 2, "POST");
    assert_err(x.open_err, ESP_ERR_HTTP_FETCH_HEADER);
    assert_int_equal(stream_seen()->opens, 1);
    finish(&x);
}

static void new_connection_that_dies_is_not_replaced(void **state)
{
    (void)state;
    static const stream_connection_t connections[] = {{.answers = {{.bytes = HELLO}}}, {.end = STREAM_ENDS}};
    exchange_t x = run_twice(connections, 2, "GET");
    assert_err(x.open_err, ESP_ERR_HTTP_FETCH_HEADER);
    assert_int_equal(stream_seen()->opens, 2);
    finish(&x);
}

static void connection_that_began_to_answer_is_not_replaced(void **state)
{
    (void)state;
    static const stream_connection_t connections[] = {{.answers = {{.bytes = HELLO}, {.bytes = "H"}}}};
    exchange_t x = run_twice(connections, 1, "GET");
    assert_err(x.open_err, ESP_ERR_HTTP_FETCH_HEADER);
    assert_int_equal(stream_seen()->opens, 1);
    finish(&x);
}

static void silence_is_no_reason_to_ask_again(void **state)
{
    (void)state;
    static const stream_connection_t connections[] = {{.answers = {{.bytes = HELLO}}, .end = STREAM_STALLS}};
    exchange_t x = run_twice(connections, 1, "GET");
    assert_err(x.open_err, ESP_ERR_TIMEOUT);
    assert_int_equal(stream_seen()->opens, 1);
    finish(&x);
}

static void connection_known_to_be_dead_is_not_tried(void **state)
{
    (void)state;
    static const stream_connection_t connections[] = {{.answers = {{.bytes = HELLO}}, .looks_dead = true},
                                                      {.answers = {{.bytes = AGAIN}}}};
    exchange_t x = run_twice(connections, 2, "POST");
    assert_body(&x, "again");
    assert_int_equal(stream_seen()->opens, 2);
    finish(&x);
}

/* What follows a response unasked must not be taken for the answer to the next request. */
static void bytes_nobody_asked_for_end_the_connection(void **state)
{
    (void)state;
    static const char *const evil[] = {HELLO AGAIN, HELLO "x", HELLO "\r\n"};
    for (size_t i = 0; i < sizeof(evil) / sizeof(evil[0]); i++) {
        for (size_t piece = 1; piece < 60; piece++) {
            const stream_connection_t connections[] = {
                {.answers = {{.bytes = evil[i]}, {.bytes = AGAIN}}, .piece = piece}, {.answers = {{.bytes = EMPTY}}}};
            exchange_t x = run_twice(connections, 2, "GET");
            assert_body(&x, "");
            assert_int_equal(stream_seen()->opens, 2);
            finish(&x);
        }
    }
}

static void connection_that_is_to_close_is_not_used_again(void **state)
{
    (void)state;
    static const char *const closing[] = {
        "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello",
        "HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    };
    for (size_t i = 0; i < 3; i++) {
        const stream_connection_t connections[] = {{.answers = {{.bytes = closing[i]}, {.bytes = AGAIN}}},
                                                   {.answers = {{.bytes = EMPTY}}}};
        exchange_t x = run_twice(connections, 2, "GET");
        assert_body(&x, "");
        assert_int_equal(stream_seen()->opens, 2);
        finish(&x);
    }
}

static void other_server_gets_another_connection(void **state)
{
    (void)state;
    static const char *const urls[] = {"https://host:444/", "http://host/", "https://other/"};
    for (size_t i = 0; i < 3; i++) {
        const stream_connection_t connections[] = {{.answers = {{.bytes = HELLO}}}, {.answers = {{.bytes = EMPTY}}}};
        exchange_t x = start(connections, 2);
        run_method(&x, "GET");
        run(&x, &(otter_http_request_t){.method = "GET", .url = urls[i]});
        assert_body(&x, "");
        assert_int_equal(stream_seen()->opens, 2);
        finish(&x);
    }
}

/* Whoever knows the length does not ask for the end: the last chunk may still be unread then. */
static void end_of_chunks_that_has_come_is_read_at_close(void **state)
{
    (void)state;
    static const char chunked[] = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n";
    const stream_connection_t connections[] = {{.answers = {{.bytes = chunked}, {.bytes = EMPTY}}}};
    exchange_t x = start(connections, 1);
    size_t got = 0;
    otter_http_request_t get = {.method = "GET", .url = "https://host/x"};
    assert_err(otter_http_open(x.http, &get, NULL, NULL, SOME_TIME, &x.response), ESP_OK);
    assert_err(otter_http_read(x.http, x.body, 5, &got, SOME_TIME), ESP_OK);
    assert_int_equal(got, 5);
    run_method(&x, "GET");
    assert_body(&x, "");
    assert_int_equal(stream_seen()->opens, 1);
    finish(&x);
}

static void unread_body_ends_the_connection(void **state)
{
    (void)state;
    const stream_connection_t connections[] = {{.answers = {{.bytes = HELLO}}}, {.answers = {{.bytes = EMPTY}}}};
    exchange_t x = start(connections, 2);
    size_t got = 0;
    otter_http_request_t get = {.method = "GET", .url = "https://host/x"};
    assert_err(otter_http_open(x.http, &get, NULL, NULL, SOME_TIME, &x.response), ESP_OK);
    assert_err(otter_http_read(x.http, x.body, 4, &got, SOME_TIME), ESP_OK);
    run_method(&x, "GET");
    assert_body(&x, "");
    assert_int_equal(stream_seen()->opens, 2);
    finish(&x);
}

/* ---- what else open answers ---- */

static void refusal_is_told_from_failure(void **state)
{
    (void)state;
    static const struct {
        stream_connection_t connection;
        esp_err_t err;
        bool refused;
    } cases[] = {
        {{.open_err = ESP_ERR_NOT_ALLOWED}, ESP_ERR_HTTP_CONNECT, true},
        {{.answers = {{.bytes = "garbage\r\n\r\n"}}}, ESP_ERR_HTTP_FETCH_HEADER, false},
        {{.write_err = ESP_ERR_NOT_ALLOWED}, ESP_ERR_HTTP_WRITE_DATA, true},
        {{.open_err = ESP_FAIL}, ESP_ERR_HTTP_CONNECT, false},
        {{.open_err = ESP_ERR_TIMEOUT}, ESP_ERR_HTTP_CONNECT, false},
        {{.open_err = ESP_ERR_NO_MEM}, ESP_ERR_NO_MEM, false},
    };
    stream_connection_t connections[sizeof(cases) / sizeof(cases[0])];
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        connections[i] = cases[i].connection;
    }
    stream_script(connections, sizeof(cases) / sizeof(cases[0]));
    exchange_t x = {.http = otter_http_new(&(otter_http_config_t){.tcp_keep_alive = false})};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        run_method(&x, "GET");
        assert_err(x.open_err, cases[i].err);
        assert_int_equal(x.response.refused, cases[i].refused);
    }
    otter_http_free(x.http);
}

static void proxy_is_refused_rather_than_ignored(void **state)
{
    (void)state;
    stream_script(&patient, 1);
    exchange_t x = {.http = otter_http_new(&(otter_http_config_t){.proxy = "http://proxy:3128"})};
    run_method(&x, "GET");
    assert_err(x.open_err, ESP_ERR_HTTP_CONNECT);
    assert_non_null(strstr(otter_http_error(x.http), "proxy"));
    assert_int_equal(stream_seen()->opens, 0);
    otter_http_free(x.http);
    x.http = otter_http_new(&(otter_http_config_t){.proxy = ""});
    run_method(&x, "GET");
    assert_body(&x, "");
    otter_http_free(x.http);
}

/* HTTP/2 is not spoken here, so it is not offered. */
static void only_what_is_spoken_is_offered(void **state)
{
    (void)state;
    static const char *const both[] = {"h2", "http/1.1", NULL};
    static const char *const others[] = {"h2", "x", "http/1.0", NULL};
    static const char *const two[] = {"h2", NULL};
    static const char *const *const offers[] = {NULL, both, two, others};
    static const char *const expected[] = {"http/1.1", "http/1.1", "http/1.1", "x"};
    for (size_t i = 0; i < 4; i++) {
        stream_script(NULL, 0);
        otter_http_t *http = otter_http_new(&(otter_http_config_t){.tls.alpn_protos = offers[i]});
        const char *const *protos = stream_seen()->config.tls.alpn_protos;
        assert_string_equal(protos[0], expected[i]);
        assert_int_equal(protos[1] == NULL, i < 3);
        otter_http_free(http);
    }
}

static void keep_alive_defaults_are_those_of_the_contract(void **state)
{
    (void)state;
    stream_script(NULL, 0);
    otter_http_free(otter_http_new(&(otter_http_config_t){.tcp_keep_alive = true}));
    const otter_stream_config_t *config = &stream_seen()->config;
    assert_true(config->tcp_keep_alive);
    assert_int_equal(config->tcp_keep_alive_idle_s, 5);
    assert_int_equal(config->tcp_keep_alive_interval_s, 5);
    assert_int_equal(config->tcp_keep_alive_count, 3);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(response_is_the_same_however_it_arrives),
    cmocka_unit_test(response_cut_anywhere_is_never_complete),
    cmocka_unit_test(broken_body_stays_broken),
    cmocka_unit_test(read_without_an_exchange_is_a_fault),
    cmocka_unit_test(what_could_end_a_line_is_not_sent),
    cmocka_unit_test(tab_and_other_bytes_of_a_value_are_sent),
    cmocka_unit_test(small_body_goes_out_with_its_head),
    cmocka_unit_test(methods_that_bring_a_body_announce_an_empty_one),
    cmocka_unit_test(given_length_is_not_sent_twice),
    cmocka_unit_test(large_request_arrives_whole),
    cmocka_unit_test(request_that_cannot_be_written_is_reported),
    cmocka_unit_test(stale_connection_is_replaced_once),
    cmocka_unit_test(stale_connection_that_cannot_be_written_to_is_replaced),
    cmocka_unit_test(post_is_not_repeated),
    cmocka_unit_test(new_connection_that_dies_is_not_replaced),
    cmocka_unit_test(connection_that_began_to_answer_is_not_replaced),
    cmocka_unit_test(silence_is_no_reason_to_ask_again),
    cmocka_unit_test(connection_known_to_be_dead_is_not_tried),
    cmocka_unit_test(bytes_nobody_asked_for_end_the_connection),
    cmocka_unit_test(connection_that_is_to_close_is_not_used_again),
    cmocka_unit_test(other_server_gets_another_connection),
    cmocka_unit_test(end_of_chunks_that_has_come_is_read_at_close),
    cmocka_unit_test(unread_body_ends_the_connection),
    cmocka_unit_test(refusal_is_told_from_failure),
    cmocka_unit_test(proxy_is_refused_rather_than_ignored),
    cmocka_unit_test(only_what_is_spoken_is_offered),
    cmocka_unit_test(keep_alive_defaults_are_those_of_the_contract),
};

TEST_MAIN(tests)
