/* SPDX-License-Identifier: Apache-2.0 */
/* esp_http_client: what event handler and event loop are told and when, and what stays of a response afterwards. */
#define _DEFAULT_SOURCE
#include <stdlib.h>
#include <unistd.h>

#include "device/http/http_internal.h"
#include "esp_event.h"
#include "esp_http_client.h"
#include "esp_tls.h"
#include "tests/http/http_fixture.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define MOST_EVENTS  32

/* What happened, in order, and how far the request was then. */
typedef struct witness {
    esp_http_client_event_id_t id[MOST_EVENTS];
    esp_http_state_t state[MOST_EVENTS];
    size_t count;
    int status; /* As ON_STATUS_CODE said. */
} witness_t;

static esp_err_t watch(esp_http_client_event_t *event)
{
    witness_t *w = event->user_data;
    if (w->count < MOST_EVENTS) {
        w->id[w->count] = event->event_id;
        w->state[w->count++] = esp_http_client_get_state(event->client);
    }
    if (event->event_id == HTTP_EVENT_ON_STATUS_CODE && event->data_len == sizeof(int)) {
        memcpy(&w->status, event->data, sizeof(int));
    }
    return ESP_OK;
}

static esp_http_client_handle_t make_client(http_fixture_t *f, bad_server_t *server, esp_http_client_config_t config)
{
    char url[256];
    config.cert_pem = f->ca_pem;
    config.url = bad_server_url(server, "/x", url, sizeof(url));
    esp_http_client_handle_t client = esp_http_client_init(&config);
    assert_non_null(client);
    return client;
}

static unsigned count_events(const witness_t *w, esp_http_client_event_id_t id)
{
    unsigned count = 0;
    for (size_t i = 0; i < w->count; i++) {
        count += w->id[i] == id;
    }
    return count;
}

/* ---- order and state ---- */

static void events_come_in_order_each_in_its_state(void **state)
{
    http_fixture_t *f = *state;
    static const struct {
        esp_http_client_event_id_t id;
        esp_http_state_t state;
    } expected[] = {
        {HTTP_EVENT_ON_CONNECTED, HTTP_STATE_CONNECTED},
        {HTTP_EVENT_HEADERS_SENT, HTTP_STATE_REQ_COMPLETE_HEADER},
        {HTTP_EVENT_ON_STATUS_CODE, HTTP_STATE_REQ_COMPLETE_DATA},
        {HTTP_EVENT_ON_HEADER, HTTP_STATE_REQ_COMPLETE_DATA},
        {HTTP_EVENT_ON_HEADERS_COMPLETE, HTTP_STATE_RES_COMPLETE_HEADER},
    };
    bad_reply_t reply = {.body = "here", .body_len = 4};
    witness_t w = {0};
    esp_http_client_handle_t client = make_client(f, http_fixture_serve(f, &reply, 1),
                                                  (esp_http_client_config_t){.event_handler = watch, .user_data = &w});
    assert_int_equal(esp_http_client_get_state(client), HTTP_STATE_INIT);
    assert_err(esp_http_client_perform(client), ESP_OK);
    size_t at = 0;
    for (size_t i = 0; i < COUNT(expected); i++) {
        assert_int_equal(w.id[at], expected[i].id);
        assert_int_equal(w.state[at], expected[i].state);
        /* There may be more headers than the one that the test knows of. */
        do {
            at++;
        } while (w.id[at] == HTTP_EVENT_ON_HEADER && expected[i].id == HTTP_EVENT_ON_HEADER);
    }
    assert_int_equal(w.id[at], HTTP_EVENT_ON_DATA);
    assert_int_equal(w.id[at + 1], HTTP_EVENT_ON_FINISH);
    assert_int_equal(w.count, at + 2);
    assert_int_equal(w.status, 200);
    assert_int_equal(esp_http_client_get_state(client), HTTP_STATE_CONNECTED);
    esp_http_client_cleanup(client);
}

static void connection_that_the_server_closes_is_told_as_closed(void **state)
{
    http_fixture_t *f = *state;
    bad_reply_t reply = {.body = "here", .body_len = 4, .close = true};
    bad_server_t *server = http_fixture_serve(f, &reply, 1);
    witness_t w = {0};
    esp_http_client_handle_t client =
        make_client(f, server, (esp_http_client_config_t){.event_handler = watch, .user_data = &w});
    for (unsigned i = 1; i <= 2; i++) {
        assert_err(esp_http_client_perform(client), ESP_OK);
        assert_false(esp_http_client_is_persistent_connection(client));
        assert_int_equal(esp_http_client_get_state(client), HTTP_STATE_INIT);
        assert_int_equal(count_events(&w, HTTP_EVENT_ON_CONNECTED), i);
        assert_int_equal(count_events(&w, HTTP_EVENT_DISCONNECTED), i);
        assert_int_equal(bad_server_count(server, BAD_COUNT_CONNECTIONS), i);
    }
    esp_http_client_cleanup(client);
    assert_int_equal(count_events(&w, HTTP_EVENT_DISCONNECTED), 2);
}

static void handler_can_be_replaced(void **state)
{
    http_fixture_t *f = *state;
    bad_reply_t reply = {0};
    witness_t w = {0};
    esp_http_client_handle_t client =
        make_client(f, http_fixture_serve(f, &reply, 1), (esp_http_client_config_t){.user_data = &w});
    assert_err(esp_http_client_perform(client), ESP_OK);
    assert_int_equal(w.count, 0);
    assert_err(esp_http_client_set_event_handler(client, watch), ESP_OK);
    assert_err(esp_http_client_perform(client), ESP_OK);
    assert_int_equal(count_events(&w, HTTP_EVENT_ON_FINISH), 1);
    assert_err(esp_http_client_set_event_handler(client, NULL), ESP_OK);
    assert_err(esp_http_client_perform(client), ESP_OK);
    assert_int_equal(count_events(&w, HTTP_EVENT_ON_FINISH), 1);
    assert_err(esp_http_client_set_event_handler(NULL, watch), ESP_ERR_INVALID_ARG);
    esp_http_client_cleanup(client);
}

/* What programs do that began with ESP-IDF's example. */
static esp_err_t read_error(esp_http_client_event_t *event)
{
    esp_err_t *seen = event->user_data;
    if (event->event_id == HTTP_EVENT_DISCONNECTED || event->event_id == HTTP_EVENT_ERROR) {
        int code = -1;
        seen[event->event_id == HTTP_EVENT_ERROR] =
            esp_tls_get_and_clear_last_error((esp_tls_error_handle_t)event->data, &code, NULL);
        assert_int_equal(code, 0);
    }
    return ESP_OK;
}

static void error_is_read_from_the_event(void **state)
{
    http_fixture_t *f = *state;
    bad_reply_t reply = {0};
    esp_err_t seen[2] = {1, 1};
    bad_server_t *server = http_fixture_serve(f, &reply, 1);
    esp_http_client_handle_t client =
        make_client(f, server, (esp_http_client_config_t){.event_handler = read_error, .user_data = seen});
    assert_err(esp_http_client_perform(client), ESP_OK);
    assert_err(esp_http_client_close(client), ESP_OK);
    assert_err(seen[0], ESP_OK);
    bad_server_stop(server);
    f->server_count = 0;
    assert_err(esp_http_client_perform(client), ESP_ERR_HTTP_CONNECT);
    assert_err(seen[1], ESP_ERR_ESP_TLS_FAILED_CONNECT_TO_HOST);
    assert_err(esp_http_client_get_and_clear_last_tls_error(client, NULL, NULL), ESP_OK);
    assert_err(esp_tls_get_and_clear_last_error(NULL, NULL, NULL), ESP_ERR_INVALID_STATE);
    esp_http_client_cleanup(client);
}

/* ---- redirects ---- */

/* Statuses of the redirects that the loop told of, a digit each (302 is 2), as a number. */
static void note_redirect(void *arg, esp_event_base_t base, int32_t id, void *data)
{
    (void)base;
    (void)id;
    const esp_http_client_redirect_event_data_t *redirect = data;
    int *seen = arg;
    __atomic_store_n(seen, *seen * 10 + redirect->status_code % 10, __ATOMIC_RELEASE);
}

static int await_redirects(int *seen, int expected)
{
    for (int i = 0; i < 1000 && __atomic_load_n(seen, __ATOMIC_ACQUIRE) != expected; i++) {
        usleep(5000);
    }
    return __atomic_load_n(seen, __ATOMIC_ACQUIRE);
}

static void loop_hears_of_every_redirect_and_the_handler_of_those_left_to_it(void **state)
{
    http_fixture_t *f = *state;
    static const bad_reply_t replies[] = {
        {.path = "/x", .status = 302, .headers = "Location: /y\r\n"},
        {.path = "/y", .status = 307, .headers = "Location: /z\r\n"},
        {.path = "/z", .body = "here", .body_len = 4},
    };
    bad_server_t *server = http_fixture_serve(f, replies, COUNT(replies));
    int seen = 0;
    witness_t w = {0};
    assert_err(esp_event_loop_create_default(), ESP_OK);
    assert_err(esp_event_handler_register(ESP_HTTP_CLIENT_EVENT, HTTP_EVENT_REDIRECT, note_redirect, &seen), ESP_OK);
    esp_http_client_config_t config = {.event_handler = watch, .user_data = &w};
    esp_http_client_handle_t client = make_client(f, server, config);
    assert_err(esp_http_client_perform(client), ESP_OK);
    assert_int_equal(await_redirects(&seen, 27), 27);
    assert_int_equal(count_events(&w, HTTP_EVENT_REDIRECT), 0);
    esp_http_client_cleanup(client);
    config.disable_auto_redirect = true;
    client = make_client(f, server, config);
    assert_err(esp_http_client_perform(client), ESP_OK);
    assert_int_equal(esp_http_client_get_status_code(client), 302);
    assert_int_equal(await_redirects(&seen, 272), 272);
    assert_int_equal(count_events(&w, HTTP_EVENT_REDIRECT), 1);
    esp_http_client_cleanup(client);
    assert_err(esp_event_loop_delete_default(), ESP_OK);
}

static esp_err_t follow(esp_http_client_event_t *event)
{
    unsigned *followed = event->user_data;
    if (event->event_id == HTTP_EVENT_REDIRECT) {
        ++*followed;
        assert_err(esp_http_client_set_header(event->client, "X-Followed", "yes"), ESP_OK);
        assert_err(esp_http_client_set_redirection(event->client), ESP_OK);
    }
    return ESP_OK;
}

static void handler_may_follow_the_redirect_that_is_left_to_it(void **state)
{
    http_fixture_t *f = *state;
    char header[128];
    char url[64];
    char text[1024];
    unsigned followed = 0;
    static const bad_reply_t reply = {.body = "here", .body_len = 4};
    bad_server_t *other = http_fixture_serve(f, &reply, 1);
    snprintf(header, sizeof(header), "Location: %s\r\n", bad_server_url(other, "/z", url, sizeof(url)));
    const bad_reply_t replies[] = {
        {.path = "/x", .status = 302, .headers = "Location: /y\r\n", .body = "moved", .body_len = 5},
        {.path = "/y", .status = 301, .headers = header, .body = "moved", .body_len = 5},
    };
    bad_server_t *server = http_fixture_serve(f, replies, COUNT(replies));
    esp_http_client_handle_t client = make_client(
        f, server,
        (esp_http_client_config_t){.event_handler = follow, .user_data = &followed, .disable_auto_redirect = true});
    assert_err(esp_http_client_perform(client), ESP_OK);
    assert_int_equal(esp_http_client_get_status_code(client), 200);
    assert_int_equal(followed, 2);
    assert_int_equal(bad_server_count(server, BAD_COUNT_CONNECTIONS), 1);
    assert_true(bad_server_request(other, 0, text, sizeof(text)));
    assert_non_null(strstr(text, "\r\nX-Followed: yes\r\n"));
    esp_http_client_cleanup(client);
}

static esp_err_t follow_while_allowed(esp_http_client_event_t *event)
{
    unsigned *followed = event->user_data;
    if (event->event_id == HTTP_EVENT_REDIRECT) {
        *followed += esp_http_client_set_redirection(event->client) == ESP_OK;
    }
    return ESP_OK;
}

static void handler_that_follows_for_ever_is_stopped(void **state)
{
    http_fixture_t *f = *state;
    unsigned followed = 0;
    static const bad_reply_t reply = {.status = 302, .headers = "Location: /x\r\n"};
    bad_server_t *server = http_fixture_serve(f, &reply, 1);
    esp_http_client_handle_t client = make_client(f, server,
                                                  (esp_http_client_config_t){.event_handler = follow_while_allowed,
                                                                             .user_data = &followed,
                                                                             .max_redirection_count = 3,
                                                                             .disable_auto_redirect = true});
    assert_err(esp_http_client_perform(client), ESP_OK);
    assert_int_equal(esp_http_client_get_status_code(client), 302);
    assert_int_equal(followed, 3);
    assert_int_equal(bad_server_count(server, BAD_COUNT_REQUESTS), 4);
    esp_http_client_cleanup(client);
}

/* Signed addresses are long, and the server that sends them knows nothing of our buffer. */
static void redirect_to_a_long_url_is_followed(void **state)
{
    http_fixture_t *f = *state;
    char path[1500];
    char header[1600];
    snprintf(path, sizeof(path), "/signed?%01400d", 7);
    snprintf(header, sizeof(header), "Location: %s\r\n", path);
    const bad_reply_t replies[] = {
        {.path = "/x", .status = 302, .headers = header},
        {.path = path, .body = "here", .body_len = 4},
    };
    bad_server_t *server = http_fixture_serve(f, replies, COUNT(replies));
    esp_http_client_handle_t client = make_client(f, server, (esp_http_client_config_t){0});
    assert_err(esp_http_client_perform(client), ESP_OK);
    assert_int_equal(esp_http_client_get_status_code(client), 200);
    /* The application's own has to fit. */
    assert_err(esp_http_client_set_url(client, path), ESP_OK);
    assert_err(esp_http_client_perform(client), ESP_FAIL);
    assert_int_equal(bad_server_count(server, BAD_COUNT_REQUESTS), 2);
    esp_http_client_cleanup(client);
}

/* ---- headers ---- */

static void response_headers_can_be_asked_for(void **state)
{
    http_fixture_t *f = *state;
    static const bad_reply_t replies[] = {
        {.headers = "ETag: \"1\"\r\nX-Two: first\r\nX-Two: second\r\nX-Empty:\r\n", .times = 1}, {.status = 204}};
    char *value = NULL;
    esp_http_client_handle_t client =
        make_client(f, http_fixture_serve(f, replies, COUNT(replies)), (esp_http_client_config_t){0});
    assert_err(esp_http_client_get_response_header(client, "ETag", &value), ESP_ERR_NOT_FOUND);
    assert_null(value);
    assert_err(esp_http_client_perform(client), ESP_OK);
    assert_err(esp_http_client_get_response_header(client, "etag", &value), ESP_OK);
    assert_string_equal(value, "\"1\"");
    assert_err(esp_http_client_get_response_header(client, "X-Two", &value), ESP_OK);
    assert_string_equal(value, "first");
    assert_err(esp_http_client_get_response_header(client, "X-Empty", &value), ESP_OK);
    assert_string_equal(value, "");
    assert_err(esp_http_client_perform(client), ESP_OK);
    assert_err(esp_http_client_get_response_header(client, "ETag", &value), ESP_ERR_NOT_FOUND);
    assert_err(esp_http_client_get_response_header(client, NULL, &value), ESP_ERR_INVALID_ARG);
    assert_err(esp_http_client_get_response_header(client, "ETag", NULL), ESP_ERR_INVALID_ARG);
    assert_err(esp_http_client_get_response_header(NULL, "ETag", &value), ESP_ERR_INVALID_ARG);
    esp_http_client_cleanup(client);
}

static void all_request_headers_can_be_removed(void **state)
{
    http_fixture_t *f = *state;
    bad_reply_t reply = {0};
    bad_server_t *server = http_fixture_serve(f, &reply, 1);
    char text[1024];
    char *value = NULL;
    esp_http_client_handle_t client = make_client(f, server, (esp_http_client_config_t){0});
    assert_err(esp_http_client_set_header(client, "X-Test", "1"), ESP_OK);
    assert_err(esp_http_client_delete_all_headers(client), ESP_OK);
    assert_err(esp_http_client_get_header(client, "User-Agent", &value), ESP_OK);
    assert_null(value);
    assert_err(esp_http_client_perform(client), ESP_OK);
    assert_true(bad_server_request(server, 0, text, sizeof(text)));
    assert_null(strstr(text, "X-Test"));
    assert_null(strstr(text, "User-Agent"));
    assert_non_null(strstr(text, "\r\nHost: localhost:"));
    assert_err(esp_http_client_delete_all_headers(NULL), ESP_ERR_INVALID_ARG);
    esp_http_client_cleanup(client);
}

static void cookies_are_neither_kept_nor_sent(void **state)
{
    http_fixture_t *f = *state;
    static const bad_reply_t replies[] = {
        {.path = "/x", .status = 302, .headers = "Location: /y\r\nSet-Cookie: id=1; Path=/\r\n"},
        {.headers = "Set-Cookie: id=2; Path=/\r\nSet-Cookie: other=3\r\n"},
    };
    bad_server_t *server = http_fixture_serve(f, replies, COUNT(replies));
    char text[1024];
    char *value = NULL;
    esp_http_client_handle_t client = make_client(f, server, (esp_http_client_config_t){0});
    for (unsigned i = 0; i < 3; i++) {
        assert_err(esp_http_client_perform(client), ESP_OK);
    }
    assert_err(esp_http_client_get_response_header(client, "Set-Cookie", &value), ESP_OK);
    assert_string_equal(value, "id=2; Path=/");
    assert_int_equal(bad_server_count(server, BAD_COUNT_REQUESTS), 4);
    for (unsigned i = 0; i < 4; i++) {
        assert_true(bad_server_request(server, i, text, sizeof(text)));
        assert_null(strstr(text, "Cookie"));
    }
    assert_err(esp_http_client_set_header(client, "Cookie", "mine=1"), ESP_OK);
    assert_err(esp_http_client_perform(client), ESP_OK);
    assert_true(bad_server_request(server, 4, text, sizeof(text)));
    assert_non_null(strstr(text, "\r\nCookie: mine=1\r\n"));
    esp_http_client_cleanup(client);
}

/* ---- one connection, several requests ---- */

static void prepared_client_sends_over_the_open_connection(void **state)
{
    http_fixture_t *f = *state;
    bad_reply_t reply = {.body = f->pattern, .body_len = 1000, .ranges = true};
    bad_server_t *server = http_fixture_serve(f, &reply, 1);
    char part[100];
    esp_http_client_handle_t client = make_client(f, server, (esp_http_client_config_t){0});
    assert_err(esp_http_client_set_header(client, "Range", "bytes=0-99"), ESP_OK);
    assert_err(esp_http_client_open(client, 0), ESP_OK);
    assert_int_equal(esp_http_client_fetch_headers(client), 100);
    assert_int_equal(esp_http_client_read(client, part, sizeof(part)), 100);
    assert_true(esp_http_client_is_persistent_connection(client));
    assert_err(esp_http_client_set_header(client, "Range", "bytes=100-199"), ESP_OK);
    assert_err(esp_http_client_prepare(client), ESP_OK);
    assert_int_equal(esp_http_client_get_state(client), HTTP_STATE_CONNECTED);
    assert_err(esp_http_client_request_send(client, 0), ESP_OK);
    assert_int_equal(esp_http_client_fetch_headers(client), 100);
    assert_int_equal(esp_http_client_read(client, part, sizeof(part)), 100);
    assert_memory_equal(part, f->pattern + 100, 100);
    assert_true(esp_http_client_get_content_range(client) == 1000);
    assert_int_equal(bad_server_count(server, BAD_COUNT_CONNECTIONS), 1);
    assert_int_equal(bad_server_count(server, BAD_COUNT_REQUESTS), 2);
    esp_http_client_cleanup(client);
}

static void response_that_is_not_read_does_not_get_into_the_next_one(void **state)
{
    http_fixture_t *f = *state;
    static const bad_reply_t replies[] = {{.path = "/x", .body = "first", .body_len = 5},
                                          {.path = "/y", .body = "second", .body_len = 6}};
    bad_server_t *server = http_fixture_serve(f, replies, COUNT(replies));
    char body[16] = "";
    esp_http_client_handle_t client = make_client(f, server, (esp_http_client_config_t){0});
    assert_err(esp_http_client_open(client, 0), ESP_OK);
    assert_int_equal(esp_http_client_fetch_headers(client), 5);
    assert_err(esp_http_client_clear_response_buffer(client), ESP_OK);
    assert_err(esp_http_client_set_url(client, "/y"), ESP_OK);
    assert_err(esp_http_client_open(client, 0), ESP_OK);
    assert_int_equal(esp_http_client_fetch_headers(client), 6);
    assert_int_equal(esp_http_client_read_response(client, body, sizeof(body)), 6);
    assert_string_equal(body, "second");
    esp_http_client_cleanup(client);
}

/* ---- what is asked for afterwards ---- */

static void length_and_kind_of_a_response_are_told(void **state)
{
    http_fixture_t *f = *state;
    static const struct {
        bad_framing_t framing;
        int64_t length;
        bool chunked;
        bool persistent;
    } cases[] = {
        {BAD_LENGTH, 4, false, true},
        {BAD_CHUNKED, -1, true, true},
        {BAD_UNTIL_CLOSE, -1, true, false},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        bad_reply_t reply = {.body = "here", .body_len = 4, .framing = cases[i].framing};
        int chunk = -1;
        esp_http_client_handle_t client =
            make_client(f, http_fixture_serve_plain(f, &reply, 1), (esp_http_client_config_t){0});
        assert_err(esp_http_client_perform(client), ESP_OK);
        assert_true(esp_http_client_get_content_length(client) == cases[i].length);
        assert_int_equal(esp_http_client_is_chunked_response(client), cases[i].chunked);
        assert_int_equal(esp_http_client_is_persistent_connection(client), cases[i].persistent);
        assert_err(esp_http_client_get_chunk_length(client, &chunk), cases[i].chunked ? ESP_OK : ESP_FAIL);
        assert_true(esp_http_client_is_complete_data_received(client));
        assert_int_equal(esp_http_client_get_errno(client), 0);
        assert_int_equal(esp_http_client_get_socket(client), -1);
        esp_http_client_cleanup(client);
    }
}

static void no_client_is_answered_not_followed(void **state)
{
    (void)state;
    int number = 0;
    char text[8];
    assert_int_equal(esp_http_client_get_errno(NULL), -1);
    assert_int_equal(esp_http_client_get_socket(NULL), -1);
    assert_int_equal(esp_http_client_get_status_code(NULL), -1);
    assert_true(esp_http_client_get_content_length(NULL) == -1);
    assert_true(esp_http_client_get_content_range(NULL) == -1);
    assert_true(esp_http_client_fetch_headers(NULL) == ESP_FAIL);
    assert_int_equal(esp_http_client_get_state(NULL), HTTP_STATE_UNINIT);
    assert_int_equal(esp_http_client_get_transport_type(NULL), HTTP_TRANSPORT_UNKNOWN);
    assert_false(esp_http_client_is_chunked_response(NULL));
    assert_false(esp_http_client_is_persistent_connection(NULL));
    assert_false(esp_http_client_is_complete_data_received(NULL));
    assert_int_equal(esp_http_client_read(NULL, text, sizeof(text)), -1);
    assert_int_equal(esp_http_client_write(NULL, "x", 1), -1);
    assert_err(esp_http_client_open(NULL, 0), ESP_ERR_INVALID_ARG);
    assert_err(esp_http_client_perform(NULL), ESP_ERR_INVALID_ARG);
    assert_err(esp_http_client_prepare(NULL), ESP_ERR_INVALID_ARG);
    assert_err(esp_http_client_close(NULL), ESP_ERR_INVALID_ARG);
    assert_err(esp_http_client_cancel_request(NULL), ESP_ERR_INVALID_ARG);
    assert_err(esp_http_client_set_redirection(NULL), ESP_ERR_INVALID_ARG);
    assert_err(esp_http_client_reset_redirect_counter(NULL), ESP_ERR_INVALID_ARG);
    assert_err(esp_http_client_add_auth(NULL), ESP_ERR_INVALID_ARG);
    assert_err(esp_http_client_set_authtype(NULL, HTTP_AUTH_TYPE_NONE), ESP_ERR_INVALID_ARG);
    assert_err(esp_http_client_clear_response_buffer(NULL), ESP_ERR_INVALID_ARG);
    assert_err(esp_http_client_flush_response(NULL, &number), ESP_ERR_INVALID_ARG);
    assert_err(esp_http_client_get_chunk_length(NULL, &number), ESP_ERR_INVALID_ARG);
    assert_err(esp_http_client_get_and_clear_last_tls_error(NULL, &number, &number), ESP_ERR_INVALID_ARG);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_http(events_come_in_order_each_in_its_state),
    cmocka_unit_test_http(connection_that_the_server_closes_is_told_as_closed),
    cmocka_unit_test_http(handler_can_be_replaced),
    cmocka_unit_test_http(error_is_read_from_the_event),
    cmocka_unit_test_http(loop_hears_of_every_redirect_and_the_handler_of_those_left_to_it),
    cmocka_unit_test_http(handler_may_follow_the_redirect_that_is_left_to_it),
    cmocka_unit_test_http(handler_that_follows_for_ever_is_stopped),
    cmocka_unit_test_http(redirect_to_a_long_url_is_followed),
    cmocka_unit_test_http(response_headers_can_be_asked_for),
    cmocka_unit_test_http(all_request_headers_can_be_removed),
    cmocka_unit_test_http(cookies_are_neither_kept_nor_sent),
    cmocka_unit_test_http(prepared_client_sends_over_the_open_connection),
    cmocka_unit_test_http(response_that_is_not_read_does_not_get_into_the_next_one),
    cmocka_unit_test_http(length_and_kind_of_a_response_are_told),
    cmocka_unit_test_http(no_client_is_answered_not_followed),
};

TEST_MAIN(tests)
