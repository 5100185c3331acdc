/* SPDX-License-Identifier: Apache-2.0 */
/* esp_http_client: bodies of requests, written in pieces of known length or in chunks. */
#include <stdlib.h>

#include "device/http/http_body.h"
#include "device/http/http_internal.h"
#include "esp_http_client.h"
#include "tests/http/http_fixture.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* ---- taking chunks apart ---- */

static esp_err_t take(http_body_t *body, const char *text)
{
    return http_body_take(body, text, strlen(text));
}

static http_body_t chunked_body(void)
{
    http_body_t body = {0};
    assert_err(http_body_expect(&body, -1), ESP_OK);
    assert_false(http_body_is_complete(&body));
    return body;
}

static void assert_body(http_body_t *body, const char *expected)
{
    assert_true(http_body_is_complete(body));
    assert_int_equal(body->len, strlen(expected));
    assert_memory_equal(body->bytes, expected, body->len);
    http_body_drop(body);
    assert_null(body->bytes);
}

static void chunks_add_up_to_the_body(void **state)
{
    (void)state;
    http_body_t body = chunked_body();
    assert_err(take(&body, "5\r\nhello\r\n00000007\r\n, world\r\n"), ESP_OK);
    assert_false(http_body_is_complete(&body));
    assert_err(take(&body, "0\r\n\r\n"), ESP_OK);
    assert_body(&body, "hello, world");
}

static void chunks_may_be_written_a_byte_at_a_time(void **state)
{
    (void)state;
    static const char text[] = "A\r\n0123456789\r\nb\r\nabcdefghijk\r\n0\r\n\r\n";
    http_body_t body = chunked_body();
    for (size_t i = 0; i < strlen(text); i++) {
        assert_false(http_body_is_complete(&body));
        assert_err(http_body_take(&body, &text[i], 1), ESP_OK);
    }
    assert_body(&body, "0123456789abcdefghijk");
}

static void body_of_no_chunks_is_empty(void **state)
{
    (void)state;
    http_body_t body = chunked_body();
    assert_err(take(&body, "0\r\n\r\n"), ESP_OK);
    assert_body(&body, "");
}

static void what_is_no_chunk_is_refused_for_good(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "hello",         "\r\n",     "5 \r\nhello",   "5;a=b\r\n",   "-5\r\n",       "+5\r\n",
        "0x5\r\n",       "5\nhello", "5\r\rhello",    "5\r\nhello5", "5\r\nhello\n", "5\r\nhello\r\r",
        "000000005\r\n", "g\r\n",    "0\r\nX: y\r\n", "0\r\n\n",     "0\r\n\r\r",
    };
    for (size_t i = 0; i < COUNT(wrong); i++) {
        http_body_t body = chunked_body();
        if (take(&body, wrong[i]) != ESP_ERR_INVALID_ARG) {
            fail_msg("accepted: %s", wrong[i]);
        }
        assert_err(take(&body, "0\r\n\r\n"), ESP_ERR_INVALID_ARG);
        assert_false(http_body_is_complete(&body));
        http_body_drop(&body);
    }
}

static void nothing_may_follow_the_last_chunk(void **state)
{
    (void)state;
    http_body_t body = chunked_body();
    assert_err(take(&body, "1\r\nx\r\n0\r\n\r\n"), ESP_OK);
    assert_err(take(&body, "x"), ESP_ERR_INVALID_SIZE);
    assert_false(http_body_is_complete(&body));
    http_body_drop(&body);
}

static void chunks_are_held_up_to_the_limit(void **state)
{
    (void)state;
    const size_t half = HTTP_MAX_CHUNKED_BODY_BYTES / 2;
    char *bytes = calloc(1, half);
    char line[32];
    http_body_t body = chunked_body();
    assert_non_null(bytes);
    snprintf(line, sizeof(line), "%zx\r\n", half);
    for (int i = 0; i < 2; i++) {
        assert_err(take(&body, line), ESP_OK);
        assert_err(http_body_take(&body, bytes, half), ESP_OK);
        assert_err(take(&body, "\r\n"), ESP_OK);
    }
    assert_int_equal(body.len, HTTP_MAX_CHUNKED_BODY_BYTES);
    assert_err(take(&body, "1\r\nx"), ESP_ERR_INVALID_SIZE);
    http_body_drop(&body);
    free(bytes);
}

static void announced_body_takes_no_more_than_was_announced(void **state)
{
    (void)state;
    http_body_t body = {0};
    assert_err(http_body_expect(&body, 3), ESP_OK);
    assert_err(take(&body, "ab"), ESP_OK);
    assert_err(take(&body, "cd"), ESP_ERR_INVALID_SIZE);
    assert_err(take(&body, "c"), ESP_OK);
    assert_body(&body, "abc");
}

/* ---- sending them ---- */

static esp_http_client_handle_t make_client(http_fixture_t *f, bad_server_t *server, esp_http_client_method_t method)
{
    char url[256];
    esp_http_client_handle_t client = esp_http_client_init(&(esp_http_client_config_t){
        .url = bad_server_url(server, "/x", url, sizeof(url)), .cert_pem = f->ca_pem, .method = method});
    assert_non_null(client);
    return client;
}

static bad_server_t *serve(http_fixture_t *f)
{
    static const bad_reply_t reply = {.body = "thanks", .body_len = 6};
    return http_fixture_serve(f, &reply, 1);
}

static void assert_sent(bad_server_t *server, unsigned index, const char *body)
{
    char text[8192];
    char header[64];
    assert_true(bad_server_request(server, index, text, sizeof(text)));
    snprintf(header, sizeof(header), "\r\nContent-Length: %zu\r\n", strlen(body));
    assert_non_null(strstr(text, header));
    assert_null(strstr(text, "Transfer-Encoding"));
    char *end = strstr(text, "\r\n\r\n");
    assert_non_null(end);
    assert_string_equal(end + 4, body);
}

static void write_text(esp_http_client_handle_t client, const char *text)
{
    assert_int_equal(esp_http_client_write(client, text, (int)strlen(text)), strlen(text));
}

static void chunked_request_arrives_whole(void **state)
{
    http_fixture_t *f = *state;
    bad_server_t *server = serve(f);
    esp_http_client_handle_t client = make_client(f, server, HTTP_METHOD_POST);
    assert_err(esp_http_client_open(client, -1), ESP_OK);
    assert_int_equal(esp_http_client_get_state(client), HTTP_STATE_REQ_COMPLETE_HEADER);
    write_text(client, "5");
    write_text(client, "\r\n");
    write_text(client, "Hello");
    write_text(client, "\r\n");
    write_text(client, "1\r\n!\r\n");
    assert_int_equal(bad_server_count(server, BAD_COUNT_REQUESTS), 0);
    write_text(client, "0\r\n\r\n");
    assert_int_equal(esp_http_client_fetch_headers(client), 6);
    assert_int_equal(esp_http_client_get_status_code(client), 200);
    assert_sent(server, 0, "Hello!");
    assert_int_equal(esp_http_client_write(client, "1", 1), -1);
    esp_http_client_cleanup(client);
}

static void chunks_can_be_framed_by_the_client(void **state)
{
    http_fixture_t *f = *state;
    bad_server_t *server = serve(f);
    esp_http_client_handle_t client = make_client(f, server, HTTP_METHOD_PUT);
    assert_err(esp_http_client_open(client, -1), ESP_OK);
    assert_int_equal(esp_http_client_chunk_write_begin(client, 11), 0);
    write_text(client, "Hello");
    write_text(client, ", you!");
    assert_int_equal(esp_http_client_chunk_write_end(client, false), 0);
    assert_int_equal(esp_http_client_chunk_write_begin(client, 1), 0);
    write_text(client, "!");
    assert_int_equal(esp_http_client_chunk_write_end(client, true), 0);
    assert_int_equal(esp_http_client_fetch_headers(client), 6);
    assert_sent(server, 0, "Hello, you!!");
    esp_http_client_cleanup(client);
}

static void chunk_that_is_not_what_it_said_is_refused(void **state)
{
    http_fixture_t *f = *state;
    bad_server_t *server = serve(f);
    esp_http_client_handle_t client = make_client(f, server, HTTP_METHOD_POST);
    assert_err(esp_http_client_open(client, -1), ESP_OK);
    assert_int_equal(esp_http_client_chunk_write_begin(client, 0), -1);
    assert_int_equal(esp_http_client_chunk_write_begin(client, 3), 0);
    write_text(client, "ab");
    assert_int_equal(esp_http_client_chunk_write_end(client, true), -1);
    assert_int_equal(esp_http_client_fetch_headers(client), ESP_FAIL);
    assert_err(esp_http_client_open(client, -1), ESP_OK);
    assert_int_equal(esp_http_client_write(client, "bare bytes", 10), -1);
    assert_err(esp_http_client_open(client, 3), ESP_OK);
    assert_int_equal(esp_http_client_chunk_write_begin(client, 3), -1);
    assert_int_equal(esp_http_client_chunk_write_end(client, true), -1);
    assert_int_equal(esp_http_client_chunk_write_begin(NULL, 3), -1);
    assert_int_equal(esp_http_client_chunk_write_end(NULL, true), -1);
    assert_int_equal(bad_server_count(server, BAD_COUNT_REQUESTS), 0);
    esp_http_client_cleanup(client);
}

static void chunked_request_without_its_last_chunk_is_not_sent(void **state)
{
    http_fixture_t *f = *state;
    bad_server_t *server = serve(f);
    esp_http_client_handle_t client = make_client(f, server, HTTP_METHOD_POST);
    assert_err(esp_http_client_open(client, -1), ESP_OK);
    write_text(client, "1\r\nx\r\n");
    assert_int_equal(esp_http_client_fetch_headers(client), ESP_FAIL);
    assert_non_null(strstr(http_get_error(client), "last chunk"));
    assert_int_equal(bad_server_count(server, BAD_COUNT_REQUESTS), 0);
    esp_http_client_cleanup(client);
}

static void many_chunks_arrive_as_one_body(void **state)
{
    http_fixture_t *f = *state;
    bad_server_t *server = serve(f);
    char expected[4001];
    memset(expected, 0, sizeof(expected));
    esp_http_client_handle_t client = make_client(f, server, HTTP_METHOD_POST);
    assert_err(esp_http_client_open(client, -1), ESP_OK);
    for (size_t at = 0; at < 4000; at += 40) {
        memset(expected + at, 'a' + (int)(at / 40 % 26), 40);
        assert_int_equal(esp_http_client_chunk_write_begin(client, 40), 0);
        assert_int_equal(esp_http_client_write(client, expected + at, 40), 40);
        assert_int_equal(esp_http_client_chunk_write_end(client, at == 3960), 0);
    }
    assert_int_equal(esp_http_client_fetch_headers(client), 6);
    assert_sent(server, 0, expected);
    esp_http_client_cleanup(client);
}

/* Of two lengths a server may believe the other one, and take the body's end for a request. */
static void application_cannot_say_another_length(void **state)
{
    http_fixture_t *f = *state;
    bad_server_t *server = serve(f);
    esp_http_client_handle_t client = make_client(f, server, HTTP_METHOD_POST);
    assert_err(esp_http_client_set_header(client, "content-length", "3"), ESP_OK);
    assert_err(esp_http_client_set_header(client, "Transfer-Encoding", "chunked"), ESP_OK);
    assert_err(esp_http_client_set_post_field(client, "hello", 5), ESP_OK);
    assert_err(esp_http_client_perform(client), ESP_OK);
    assert_sent(server, 0, "hello");
    esp_http_client_cleanup(client);
}

static void method_that_may_have_a_body_says_that_it_has_none(void **state)
{
    http_fixture_t *f = *state;
    static const struct {
        esp_http_client_method_t method;
        bool says;
    } cases[] = {
        {HTTP_METHOD_POST, true}, {HTTP_METHOD_PUT, true},   {HTTP_METHOD_PATCH, true},   {HTTP_METHOD_REPORT, true},
        {HTTP_METHOD_GET, false}, {HTTP_METHOD_HEAD, false}, {HTTP_METHOD_DELETE, false},
    };
    bad_server_t *server = serve(f);
    for (unsigned i = 0; i < COUNT(cases); i++) {
        char text[1024];
        esp_http_client_handle_t client = make_client(f, server, cases[i].method);
        assert_err(esp_http_client_perform(client), ESP_OK);
        assert_true(bad_server_request(server, i, text, sizeof(text)));
        assert_int_equal(strstr(text, "\r\nContent-Length: 0\r\n") != NULL, cases[i].says);
        esp_http_client_cleanup(client);
    }
}

static void body_goes_with_every_method(void **state)
{
    http_fixture_t *f = *state;
    bad_server_t *server = serve(f);
    static const esp_http_client_method_t methods[] = {HTTP_METHOD_PUT, HTTP_METHOD_PATCH, HTTP_METHOD_DELETE,
                                                       HTTP_METHOD_PROPFIND, HTTP_METHOD_GET};
    for (unsigned i = 0; i < COUNT(methods); i++) {
        char text[1024];
        esp_http_client_handle_t client = make_client(f, server, methods[i]);
        assert_err(esp_http_client_set_post_field(client, "body", 4), ESP_OK);
        assert_err(esp_http_client_perform(client), ESP_OK);
        assert_true(bad_server_request(server, i, text, sizeof(text)));
        assert_int_equal(strncmp(text, http_method_name(methods[i]), strlen(http_method_name(methods[i]))), 0);
        assert_non_null(strstr(text, "\r\nContent-Type: application/x-www-form-urlencoded\r\n"));
        assert_sent(server, i, "body");
        esp_http_client_cleanup(client);
    }
}

static void post_field_that_is_taken_away_takes_its_type_along(void **state)
{
    http_fixture_t *f = *state;
    bad_server_t *server = serve(f);
    char *value = NULL;
    char *field = NULL;
    esp_http_client_handle_t client = make_client(f, server, HTTP_METHOD_POST);
    assert_err(esp_http_client_set_header(client, "Content-Type", "application/json"), ESP_OK);
    assert_err(esp_http_client_set_post_field(client, "{}", 2), ESP_OK);
    assert_err(esp_http_client_get_header(client, "Content-Type", &value), ESP_OK);
    assert_string_equal(value, "application/json");
    assert_err(esp_http_client_set_post_field(client, NULL, 0), ESP_OK);
    assert_err(esp_http_client_get_header(client, "Content-Type", &value), ESP_OK);
    assert_null(value);
    assert_int_equal(esp_http_client_get_post_field(client, &field), 0);
    assert_err(esp_http_client_perform(client), ESP_OK);
    assert_sent(server, 0, "");
    esp_http_client_cleanup(client);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(chunks_add_up_to_the_body),
    cmocka_unit_test(chunks_may_be_written_a_byte_at_a_time),
    cmocka_unit_test(body_of_no_chunks_is_empty),
    cmocka_unit_test(what_is_no_chunk_is_refused_for_good),
    cmocka_unit_test(nothing_may_follow_the_last_chunk),
    cmocka_unit_test(chunks_are_held_up_to_the_limit),
    cmocka_unit_test(announced_body_takes_no_more_than_was_announced),
    cmocka_unit_test_http(chunked_request_arrives_whole),
    cmocka_unit_test_http(chunks_can_be_framed_by_the_client),
    cmocka_unit_test_http(chunk_that_is_not_what_it_said_is_refused),
    cmocka_unit_test_http(chunked_request_without_its_last_chunk_is_not_sent),
    cmocka_unit_test_http(many_chunks_arrive_as_one_body),
    cmocka_unit_test_http(application_cannot_say_another_length),
    cmocka_unit_test_http(method_that_may_have_a_body_says_that_it_has_none),
    cmocka_unit_test_http(body_goes_with_every_method),
    cmocka_unit_test_http(post_field_that_is_taken_away_takes_its_type_along),
};

TEST_MAIN(tests)
