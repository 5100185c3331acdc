/* SPDX-License-Identifier: Apache-2.0 */
/* esp_http_client: a client that does not wait (is_async). */
#define _DEFAULT_SOURCE
#include <dirent.h>
#include <stdlib.h>
#include <unistd.h>

#include "device/http/http_internal.h"
#include "esp_http_client.h"
#include "otter/otter_os.h"
#include "tests/http/http_fixture.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define SOON_MS      1000    /* timeout_ms where a server is silent until then. */
#define LATE_MS      60000   /* timeout_ms where a call that waited would be noticed. */
#define MOMENT_US    5000000 /* Longer than a few calls take that do not wait, however busy the machine. */

/* What an event handler saw. */
typedef struct witness {
    unsigned count[HTTP_EVENT_REDIRECT + 1];
    unsigned char body[8192];
    size_t body_len;
    otter_task_t *task; /* In which it was called; NULL: in several. */
} witness_t;

static esp_err_t watch(esp_http_client_event_t *event)
{
    witness_t *w = event->user_data;
    w->count[event->event_id]++;
    w->task = w->task == otter_task_current() ? w->task : NULL;
    if (event->event_id == HTTP_EVENT_ON_DATA && w->body_len + (size_t)event->data_len <= sizeof(w->body)) {
        memcpy(w->body + w->body_len, event->data, (size_t)event->data_len);
        w->body_len += (size_t)event->data_len;
    }
    return ESP_OK;
}

static esp_http_client_handle_t make_client(http_fixture_t *f, bad_server_t *server, esp_http_client_config_t config)
{
    char url[256];
    config.cert_pem = f->ca_pem;
    config.url = bad_server_url(server, "/x", url, sizeof(url));
    config.is_async = true;
    esp_http_client_handle_t client = esp_http_client_init(&config);
    assert_non_null(client);
    return client;
}

/* Calls perform until it is done; value: its result. */
static esp_err_t perform(esp_http_client_handle_t client, unsigned *calls)
{
    esp_err_t err = ESP_ERR_HTTP_EAGAIN;
    *calls = 0;
    while (err == ESP_ERR_HTTP_EAGAIN) {
        err = esp_http_client_perform(client);
        ++*calls;
        usleep(500);
    }
    return err;
}

static unsigned count_threads(void)
{
    unsigned count = 0;
    DIR *folder = opendir("/proc/self/task");
    assert_non_null(folder);
    for (const struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder)) {
        count += entry->d_name[0] != '.';
    }
    closedir(folder);
    return count;
}

static unsigned threads_before; /* The test began. */

static int set_up(void **state)
{
    threads_before = count_threads();
    return http_fixture_setup(state);
}

/* A task that has done its work still has to end, and what is its own is freed only then. */
static int tear_down(void **state)
{
    int rc = http_fixture_teardown(state);
    for (int i = 0; i < 1000 && count_threads() > threads_before; i++) {
        usleep(5000);
    }
    return rc;
}

static void perform_answers_eagain_until_it_is_done(void **state)
{
    http_fixture_t *f = *state;
    bad_reply_t reply = {
        .body = f->pattern, .body_len = 5000, .fault = BAD_TRICKLE, .fault_at = 1000, .trickle_ms = 20};
    bad_server_t *server = http_fixture_serve(f, &reply, 1);
    witness_t w = {.task = otter_task_current()};
    unsigned calls = 0;
    esp_http_client_handle_t client =
        make_client(f, server, (esp_http_client_config_t){.event_handler = watch, .user_data = &w});
    assert_err(esp_http_client_perform(client), ESP_ERR_HTTP_EAGAIN);
    assert_err(perform(client, &calls), ESP_OK);
    assert_true(calls > 3);
    assert_int_equal(bad_server_count(server, BAD_COUNT_FAULTS), 1);
    assert_int_equal(esp_http_client_get_status_code(client), 200);
    assert_int_equal(w.body_len, 5000);
    assert_memory_equal(w.body, f->pattern, 5000);
    assert_int_equal(w.count[HTTP_EVENT_ON_FINISH], 1);
    assert_int_equal(w.count[HTTP_EVENT_ERROR], 0);
    assert_ptr_equal(w.task, otter_task_current());
    esp_http_client_cleanup(client);
}

static void one_client_makes_several_requests_over_one_connection(void **state)
{
    http_fixture_t *f = *state;
    bad_reply_t reply = {.body = f->pattern, .body_len = 3000, .framing = BAD_CHUNKED};
    bad_server_t *server = http_fixture_serve(f, &reply, 1);
    unsigned calls = 0;
    esp_http_client_handle_t client = make_client(f, server, (esp_http_client_config_t){0});
    for (int i = 0; i < 3; i++) {
        assert_err(perform(client, &calls), ESP_OK);
        assert_true(esp_http_client_is_complete_data_received(client));
    }
    assert_int_equal(bad_server_count(server, BAD_COUNT_REQUESTS), 3);
    assert_int_equal(bad_server_count(server, BAD_COUNT_CONNECTIONS), 1);
    esp_http_client_cleanup(client);
}

static void plain_http_does_not_wait_either(void **state)
{
    http_fixture_t *f = *state;
    bad_reply_t reply = {.body = "here", .body_len = 4};
    bad_server_t *server = http_fixture_serve_plain(f, &reply, 1);
    unsigned calls = 0;
    esp_http_client_handle_t client = make_client(f, server, (esp_http_client_config_t){0});
    assert_err(perform(client, &calls), ESP_OK);
    assert_int_equal(esp_http_client_get_status_code(client), 200);
    esp_http_client_cleanup(client);
}

static void body_is_sent_redirects_followed_and_challenges_answered(void **state)
{
    http_fixture_t *f = *state;
    static const bad_reply_t replies[] = {
        {.path = "/x", .status = 307, .headers = "Location: /y\r\n", .body = "moved", .body_len = 5},
        {.path = "/y", .status = 401, .headers = "WWW-Authenticate: Basic realm=\"r\"\r\n", .times = 1},
        {.path = "/y", .body = "here", .body_len = 4},
    };
    bad_server_t *server = http_fixture_serve(f, replies, COUNT(replies));
    char text[1024];
    unsigned calls = 0;
    esp_http_client_handle_t client = make_client(
        f, server, (esp_http_client_config_t){.method = HTTP_METHOD_POST, .username = "me", .password = "secret"});
    assert_err(esp_http_client_set_post_field(client, "a=b", 3), ESP_OK);
    assert_err(perform(client, &calls), ESP_OK);
    assert_int_equal(esp_http_client_get_status_code(client), 200);
    assert_int_equal(bad_server_count(server, BAD_COUNT_REQUESTS), 3);
    assert_true(bad_server_request(server, 2, text, sizeof(text)));
    assert_int_equal(strncmp(text, "POST /y ", 8), 0);
    assert_non_null(strstr(text, "\r\nAuthorization: Basic bWU6c2VjcmV0\r\n"));
    assert_non_null(strstr(text, "\r\n\r\na=b"));
    esp_http_client_cleanup(client);
}

static void no_call_waits_for_a_silent_server(void **state)
{
    http_fixture_t *f = *state;
    bad_reply_t reply = {.fault = BAD_STALL_BEFORE_HEAD};
    bad_server_t *server = http_fixture_serve(f, &reply, 1);
    esp_http_client_handle_t client = make_client(f, server, (esp_http_client_config_t){.timeout_ms = LATE_MS});
    int64_t before_us = otter_now_us();
    for (int i = 0; i < 5; i++) {
        assert_err(esp_http_client_perform(client), ESP_ERR_HTTP_EAGAIN);
    }
    assert_int_equal(bad_server_await(server, BAD_COUNT_FAULTS, 1), 1);
    assert_err(esp_http_client_perform(client), ESP_ERR_HTTP_EAGAIN);
    assert_true(otter_now_us() - before_us < MOMENT_US);
    /* Or the other task would go on waiting for it. */
    bad_server_stop(server);
    f->server_count = 0;
    esp_http_client_cleanup(client);
}

static void no_call_waits_for_a_body_that_stalls(void **state)
{
    http_fixture_t *f = *state;
    bad_reply_t reply = {.body = f->pattern, .body_len = 5000, .fault = BAD_STALL_IN_BODY, .fault_at = 1000};
    bad_server_t *server = http_fixture_serve(f, &reply, 1);
    witness_t w = {0};
    esp_http_client_handle_t client = make_client(
        f, server, (esp_http_client_config_t){.timeout_ms = LATE_MS, .event_handler = watch, .user_data = &w});
    int64_t before_us = otter_now_us();
    while (w.body_len < 1000) {
        assert_err(esp_http_client_perform(client), ESP_ERR_HTTP_EAGAIN);
        usleep(500);
    }
    for (int i = 0; i < 5; i++) {
        assert_err(esp_http_client_perform(client), ESP_ERR_HTTP_EAGAIN);
    }
    assert_true(otter_now_us() - before_us < 2 * MOMENT_US);
    assert_int_equal(bad_server_count(server, BAD_COUNT_FAULTS), 1);
    esp_http_client_cleanup(client);
}

static void silent_server_ends_at_the_timeout(void **state)
{
    http_fixture_t *f = *state;
    bad_reply_t reply = {.fault = BAD_STALL_BEFORE_HEAD};
    bad_server_t *server = http_fixture_serve(f, &reply, 1);
    unsigned calls = 0;
    esp_http_client_handle_t client = make_client(f, server, (esp_http_client_config_t){.timeout_ms = SOON_MS});
    int64_t before_us = otter_now_us();
    assert_err(perform(client, &calls), ESP_ERR_HTTP_READ_TIMEOUT);
    assert_true(otter_now_us() - before_us >= SOON_MS * 1000);
    assert_int_equal(bad_server_count(server, BAD_COUNT_FAULTS), 1);
    esp_http_client_cleanup(client);
}

static void body_that_stalls_ends_at_the_timeout(void **state)
{
    http_fixture_t *f = *state;
    bad_reply_t reply = {.body = f->pattern, .body_len = 5000, .fault = BAD_STALL_IN_BODY, .fault_at = 1000};
    bad_server_t *server = http_fixture_serve(f, &reply, 1);
    unsigned calls = 0;
    witness_t w = {0};
    esp_http_client_handle_t client = make_client(
        f, server, (esp_http_client_config_t){.timeout_ms = SOON_MS, .event_handler = watch, .user_data = &w});
    assert_err(perform(client, &calls), ESP_ERR_HTTP_READ_TIMEOUT);
    assert_int_equal(w.body_len, 1000);
    assert_int_equal(bad_server_count(server, BAD_COUNT_FAULTS), 1);
    esp_http_client_cleanup(client);
}

static void body_that_takes_longer_than_the_timeout_arrives(void **state)
{
    http_fixture_t *f = *state;
    bad_reply_t reply = {.body = f->pattern, .body_len = 400, .fault = BAD_TRICKLE, .fault_at = 100, .trickle_ms = 400};
    bad_server_t *server = http_fixture_serve(f, &reply, 1);
    unsigned calls = 0;
    witness_t w = {0};
    esp_http_client_handle_t client = make_client(
        f, server, (esp_http_client_config_t){.timeout_ms = SOON_MS, .event_handler = watch, .user_data = &w});
    int64_t before_us = otter_now_us();
    assert_err(perform(client, &calls), ESP_OK);
    assert_true(otter_now_us() - before_us > SOON_MS * 1000);
    assert_int_equal(w.body_len, 400);
    assert_int_equal(bad_server_count(server, BAD_COUNT_FAULTS), 1);
    esp_http_client_cleanup(client);
}

static void failures_are_those_of_a_client_that_waits(void **state)
{
    http_fixture_t *f = *state;
    const struct {
        bad_reply_t reply;
        esp_err_t err;
    } cases[] = {
        {{.fault = BAD_GARBAGE, .body = "no HTTP\r\n\r\n", .body_len = 11}, ESP_ERR_HTTP_FETCH_HEADER},
        {{.body = f->pattern, .body_len = 5000, .fault = BAD_TRUNCATE, .fault_at = 1000}, ESP_ERR_HTTP_INCOMPLETE_DATA},
        {{.status = 302, .headers = "Location: http://localhost/\r\n", .fault = BAD_CONTENT},
         ESP_ERR_HTTP_REDIRECT_DOWNGRADE},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        bad_server_t *server = i == 0 ? http_fixture_serve(f, &cases[i].reply, 1) : f->servers[0];
        bad_server_set_replies(server, &cases[i].reply, 1);
        unsigned calls = 0;
        esp_http_client_handle_t client = make_client(f, server, (esp_http_client_config_t){0});
        assert_err(perform(client, &calls), cases[i].err);
        assert_int_equal(bad_server_count(server, BAD_COUNT_FAULTS), i + 1);
        esp_http_client_cleanup(client);
    }
}

static void refused_certificate_is_told(void **state)
{
    http_fixture_t *f = *state;
    bad_reply_t reply = {0};
    certs_leaf_t leaf = certs_leaf_new(f->ca, &(certs_spec_t){.not_after_hours = -1});
    bad_server_t *server = http_fixture_serve_as(f, &leaf, &reply);
    int flags = 0;
    unsigned calls = 0;
    esp_http_client_handle_t client = make_client(f, server, (esp_http_client_config_t){0});
    assert_err(perform(client, &calls), ESP_ERR_HTTP_CONNECT);
    assert_non_null(strstr(http_get_error(client), "certificate has expired"));
    (void)esp_http_client_get_and_clear_last_tls_error(client, NULL, &flags);
    assert_int_not_equal(flags, 0);
    assert_int_equal(bad_server_count(server, BAD_COUNT_REQUESTS), 0);
    esp_http_client_cleanup(client);
    certs_leaf_free(&leaf);
}

static void open_answers_eagain_until_the_request_is_sent(void **state)
{
    http_fixture_t *f = *state;
    bad_reply_t reply = {.body = "here", .body_len = 4};
    bad_server_t *server = http_fixture_serve(f, &reply, 1);
    char body[8];
    esp_http_client_handle_t client = make_client(f, server, (esp_http_client_config_t){0});
    assert_err(esp_http_client_open(client, 0), ESP_ERR_HTTP_EAGAIN);
    assert_int_equal(esp_http_client_get_state(client), HTTP_STATE_CONNECTING);
    esp_err_t err = ESP_ERR_HTTP_EAGAIN;
    while (err == ESP_ERR_HTTP_EAGAIN) {
        usleep(500);
        err = esp_http_client_open(client, 0);
    }
    assert_err(err, ESP_OK);
    assert_int_equal(esp_http_client_fetch_headers(client), 4);
    assert_int_equal(esp_http_client_read(client, body, sizeof(body)), 4);
    assert_int_equal(bad_server_count(server, BAD_COUNT_REQUESTS), 1);
    esp_http_client_cleanup(client);
}

static void fetch_headers_waits_for_a_written_request(void **state)
{
    http_fixture_t *f = *state;
    bad_reply_t reply = {.body = "here", .body_len = 4};
    bad_server_t *server = http_fixture_serve(f, &reply, 1);
    esp_http_client_handle_t client = make_client(f, server, (esp_http_client_config_t){.method = HTTP_METHOD_POST});
    assert_err(esp_http_client_open(client, 3), ESP_OK);
    assert_int_equal(esp_http_client_write(client, "a=b", 3), 3);
    assert_int_equal(esp_http_client_fetch_headers(client), 4);
    assert_int_equal(bad_server_count(server, BAD_COUNT_REQUESTS), 1);
    esp_http_client_cleanup(client);
}

/* The URL and headers of a request on its way are the other task's. */
static void client_may_be_changed_while_a_request_is_on_its_way(void **state)
{
    http_fixture_t *f = *state;
    bad_reply_t reply = {.fault = BAD_STALL_BEFORE_HEAD};
    bad_server_t *server = http_fixture_serve(f, &reply, 1);
    char text[1024];
    esp_http_client_handle_t client = make_client(f, server, (esp_http_client_config_t){.timeout_ms = SOON_MS});
    assert_err(esp_http_client_set_header(client, "X-Test", "before"), ESP_OK);
    assert_err(esp_http_client_perform(client), ESP_ERR_HTTP_EAGAIN);
    assert_err(esp_http_client_set_header(client, "X-Test", "after"), ESP_OK);
    assert_err(esp_http_client_set_url(client, "/other"), ESP_OK);
    assert_int_equal(bad_server_await(server, BAD_COUNT_REQUESTS, 1), 1);
    assert_true(bad_server_request(server, 0, text, sizeof(text)));
    assert_int_equal(strncmp(text, "GET /x ", 7), 0);
    assert_non_null(strstr(text, "X-Test: before"));
    esp_http_client_cleanup(client);
}

static void request_on_its_way_can_be_cancelled(void **state)
{
    http_fixture_t *f = *state;
    static const bad_reply_t replies[] = {{.fault = BAD_STALL_BEFORE_HEAD, .times = 1},
                                          {.body = "here", .body_len = 4}};
    bad_server_t *server = http_fixture_serve(f, replies, COUNT(replies));
    unsigned calls = 0;
    esp_http_client_handle_t client = make_client(f, server, (esp_http_client_config_t){.timeout_ms = SOON_MS});
    assert_err(esp_http_client_cancel_request(client), ESP_ERR_INVALID_STATE);
    assert_err(esp_http_client_perform(client), ESP_ERR_HTTP_EAGAIN);
    assert_int_equal(bad_server_await(server, BAD_COUNT_REQUESTS, 1), 1);
    assert_err(esp_http_client_cancel_request(client), ESP_OK);
    assert_int_equal(esp_http_client_get_status_code(client), -1);
    assert_err(perform(client, &calls), ESP_OK);
    assert_int_equal(esp_http_client_get_status_code(client), 200);
    assert_int_equal(bad_server_count(server, BAD_COUNT_FAULTS), 1);
    esp_http_client_cleanup(client);
}

static void client_with_a_request_on_its_way_can_be_released(void **state)
{
    http_fixture_t *f = *state;
    bad_reply_t reply = {.fault = BAD_STALL_BEFORE_HEAD};
    bad_server_t *server = http_fixture_serve(f, &reply, 1);
    esp_http_client_handle_t client = make_client(f, server, (esp_http_client_config_t){.timeout_ms = SOON_MS});
    assert_err(esp_http_client_perform(client), ESP_ERR_HTTP_EAGAIN);
    assert_err(esp_http_client_cleanup(client), ESP_OK);
    assert_int_equal(bad_server_count(server, BAD_COUNT_FAULTS), 1);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown(perform_answers_eagain_until_it_is_done, set_up, tear_down),
    cmocka_unit_test_setup_teardown(one_client_makes_several_requests_over_one_connection, http_fixture_setup,
                                    tear_down),
    cmocka_unit_test_setup_teardown(plain_http_does_not_wait_either, set_up, tear_down),
    cmocka_unit_test_setup_teardown(body_is_sent_redirects_followed_and_challenges_answered, http_fixture_setup,
                                    tear_down),
    cmocka_unit_test_setup_teardown(no_call_waits_for_a_silent_server, set_up, tear_down),
    cmocka_unit_test_setup_teardown(no_call_waits_for_a_body_that_stalls, set_up, tear_down),
    cmocka_unit_test_setup_teardown(silent_server_ends_at_the_timeout, set_up, tear_down),
    cmocka_unit_test_setup_teardown(body_that_stalls_ends_at_the_timeout, set_up, tear_down),
    cmocka_unit_test_setup_teardown(body_that_takes_longer_than_the_timeout_arrives, set_up, tear_down),
    cmocka_unit_test_setup_teardown(failures_are_those_of_a_client_that_waits, set_up, tear_down),
    cmocka_unit_test_setup_teardown(refused_certificate_is_told, set_up, tear_down),
    cmocka_unit_test_setup_teardown(open_answers_eagain_until_the_request_is_sent, set_up, tear_down),
    cmocka_unit_test_setup_teardown(fetch_headers_waits_for_a_written_request, set_up, tear_down),
    cmocka_unit_test_setup_teardown(client_may_be_changed_while_a_request_is_on_its_way, set_up, tear_down),
    cmocka_unit_test_setup_teardown(request_on_its_way_can_be_cancelled, set_up, tear_down),
    cmocka_unit_test_setup_teardown(client_with_a_request_on_its_way_can_be_released, set_up, tear_down),
};

TEST_MAIN(tests)
