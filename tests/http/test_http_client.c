/* SPDX-License-Identifier: Apache-2.0 */
/* esp_http_client: one request and its response, step by step and in one call. */
#define _DEFAULT_SOURCE
#include <unistd.h>

#include "device/http/http_internal.h"
#include "esp_event.h"
#include "esp_http_client.h"
#include "esp_tls_errors.h"
#include "otter/otter_device.h"
#include "otter/otter_os.h"
#include "tests/http/http_fixture.h"

#define SOON_MS 500 /* timeout_ms where a server is silent. */

/* What an event handler saw. */
typedef struct witness {
    unsigned count[HTTP_EVENT_REDIRECT + 1];
    char order[32]; /* One letter an event, in order; repeated ones once. */
    unsigned char body[4096];
    size_t body_len;
    char header[64];                /* Value of X-Test. */
    esp_tls_last_error_t tls_error; /* What the last HTTP_EVENT_ERROR said. */
} witness_t;

static esp_err_t watch(esp_http_client_event_t *event)
{
    static const char letters[] = "ECSHhcDFXR";
    witness_t *w = event->user_data;
    size_t len = strlen(w->order);
    char letter = letters[event->event_id];
    w->count[event->event_id]++;
    if (len + 1 < sizeof(w->order) && (len == 0 || w->order[len - 1] != letter)) {
        w->order[len] = letter;
    }
    if (event->event_id == HTTP_EVENT_ON_HEADER && strcmp(event->header_key, "X-Test") == 0) {
        snprintf(w->header, sizeof(w->header), "%s", event->header_value);
    }
    if (event->event_id == HTTP_EVENT_ON_DATA && w->body_len + (size_t)event->data_len <= sizeof(w->body)) {
        memcpy(w->body + w->body_len, event->data, (size_t)event->data_len);
        w->body_len += (size_t)event->data_len;
    }
    if (event->event_id == HTTP_EVENT_ERROR) {
        w->tls_error = *(esp_tls_error_handle_t)event->data;
    }
    return ESP_FAIL; /* ignored */
}

static esp_http_client_handle_t make_client(http_fixture_t *f, bad_server_t *server, esp_http_client_config_t config)
{
    char url[256];
    config.cert_pem = f->ca_pem;
    if (config.url == NULL) {
        config.url = bad_server_url(server, "/x", url, sizeof(url));
    }
    esp_http_client_handle_t client = esp_http_client_init(&config);
    assert_non_null(client);
    return client;
}

static void assert_requests(bad_server_t *server, unsigned count)
{
    assert_int_equal(bad_server_count(server, BAD_COUNT_REQUESTS), count);
}

/* ---- making a client ---- */

static void client_needs_a_usable_url(void **state)
{
    static const char *const bad[] = {NULL,        "",        "no url",         "gopher://host/x",
                                      "file:///x", "http://", "http://host:0/", "http://ho st/"};
    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_null(esp_http_client_init(&(esp_http_client_config_t){.url = bad[i]}));
    }
    assert_null(esp_http_client_init(NULL));
    assert_null(esp_http_client_init(&(esp_http_client_config_t){.host = "host"}));
    assert_err(esp_http_client_cleanup(NULL), ESP_FAIL);
}

static void assert_url(const esp_http_client_config_t *config, const char *expected)
{
    char url[256];
    esp_http_client_handle_t client = esp_http_client_init(config);
    assert_non_null(client);
    assert_err(esp_http_client_get_url(client, url, sizeof(url)), ESP_OK);
    assert_string_equal(url, expected);
    assert_err(esp_http_client_get_url(client, url, (int)strlen(expected)), ESP_FAIL);
    assert_err(esp_http_client_cleanup(client), ESP_OK);
}

static void url_comes_from_its_parts_or_from_its_text(void **state)
{
    (void)state;
    assert_url(&(esp_http_client_config_t){.url = "HTTP://Host"}, "http://Host/");
    assert_url(&(esp_http_client_config_t){.url = "https://h:443/a?b=c#d"}, "https://h/a?b=c");
    assert_url(&(esp_http_client_config_t){.url = "https://h/a", .port = 8443}, "https://h:8443/a");
    assert_url(&(esp_http_client_config_t){.url = "https://h:1/a", .port = 8443}, "https://h:1/a");
    assert_url(&(esp_http_client_config_t){.host = "h", .path = "/p", .query = "q=1", .url = "http://ignored/"},
               "http://h/p?q=1");
    assert_url(
        &(esp_http_client_config_t){
            .host = "::1", .path = "/p", .port = 8443, .transport_type = HTTP_TRANSPORT_OVER_SSL},
        "https://[::1]:8443/p");
    assert_url(&(esp_http_client_config_t){.url = "http://me:pw@h/"}, "http://h/");
}

static void credentials_of_the_url_are_decoded(void **state)
{
    char *value = NULL;
    (void)state;
    esp_http_client_handle_t client =
        esp_http_client_init(&(esp_http_client_config_t){.url = "http://me%40x:p%3Aw@h/"});
    assert_non_null(client);
    assert_err(esp_http_client_get_username(client, &value), ESP_OK);
    assert_string_equal(value, "me@x");
    assert_err(esp_http_client_get_password(client, &value), ESP_OK);
    assert_string_equal(value, "p:w");
    esp_http_client_cleanup(client);
}

static void what_is_not_supported_is_refused(void **state)
{
    int something = 0;
    (void)state;
    assert_null(esp_http_client_init(&(esp_http_client_config_t){.url = "http://h/", .ds_data = &something}));
    assert_null(esp_http_client_init(
        &(esp_http_client_config_t){.url = "http://h/", .transport = (esp_transport_handle_t)(void *)&something}));
    assert_null(esp_http_client_init(&(esp_http_client_config_t){.url = "http://h/", .method = HTTP_METHOD_MAX}));
    assert_null(esp_http_client_init(&(esp_http_client_config_t){.url = "http://h/", .cert_pem = "no certificate"}));
}

static void request_headers_are_set_replaced_and_removed(void **state)
{
    char *value = NULL;
    (void)state;
    esp_http_client_handle_t client = esp_http_client_init(&(esp_http_client_config_t){.url = "http://h:81/"});
    assert_err(esp_http_client_get_header(client, "host", &value), ESP_OK);
    assert_string_equal(value, "h:81");
    assert_err(esp_http_client_get_header(client, "User-Agent", &value), ESP_OK);
    assert_string_equal(value, "ESP32 HTTP Client/1.0");
    assert_err(esp_http_client_set_header(client, "X-A", "1"), ESP_OK);
    assert_err(esp_http_client_set_header(client, "x-a", "2"), ESP_OK);
    assert_err(esp_http_client_get_header(client, "X-A", &value), ESP_OK);
    assert_string_equal(value, "2");
    assert_err(esp_http_client_set_header(client, "X-A", "a\r\nb"), ESP_ERR_INVALID_ARG);
    assert_err(esp_http_client_set_header(client, "X-A", NULL), ESP_OK);
    assert_err(esp_http_client_get_header(client, "X-A", &value), ESP_OK);
    assert_null(value);
    assert_err(esp_http_client_set_header(client, NULL, "1"), ESP_ERR_INVALID_ARG);
    esp_http_client_cleanup(client);
}

/* ---- step by step ---- */

static void body_is_read_step_by_step(void **state)
{
    http_fixture_t *f = *state;
    bad_reply_t reply = {.body = f->pattern, .body_len = 5000};
    bad_server_t *server = http_fixture_serve(f, &reply, 1);
    esp_http_client_handle_t client = make_client(f, server, (esp_http_client_config_t){0});
    static char bytes[8000];
    assert_int_equal(esp_http_client_read(client, bytes, 10), -1);
    assert_int_equal(esp_http_client_fetch_headers(client), ESP_FAIL);
    assert_err(esp_http_client_open(client, 0), ESP_OK);
    assert_int_equal(esp_http_client_fetch_headers(client), 5000);
    assert_int_equal(esp_http_client_get_status_code(client), 200);
    assert_int_equal(esp_http_client_get_content_length(client), 5000);
    assert_false(esp_http_client_is_chunked_response(client));
    assert_int_equal(esp_http_client_read(client, bytes, 4096), 4096);
    assert_false(esp_http_client_is_complete_data_received(client));
    assert_int_equal(esp_http_client_read(client, bytes + 4096, 4096 - 192), 904);
    assert_true(esp_http_client_is_complete_data_received(client));
    assert_memory_equal(bytes, f->pattern, 5000);
    assert_int_equal(esp_http_client_read(client, bytes, 10), 0);
    assert_err(esp_http_client_close(client), ESP_OK);
    assert_int_equal(esp_http_client_get_status_code(client), 200);
    assert_err(esp_http_client_cleanup(client), ESP_OK);
}

static void chunked_body_is_complete_at_its_last_chunk(void **state)
{
    http_fixture_t *f = *state;
    bad_reply_t reply = {.body = f->pattern, .body_len = 5000, .framing = BAD_CHUNKED};
    bad_server_t *server = http_fixture_serve(f, &reply, 1);
    esp_http_client_handle_t client = make_client(f, server, (esp_http_client_config_t){0});
    static char bytes[8000];
    assert_err(esp_http_client_open(client, 0), ESP_OK);
    assert_int_equal(esp_http_client_fetch_headers(client), 0);
    assert_true(esp_http_client_is_chunked_response(client));
    assert_int_equal(esp_http_client_get_content_length(client), -1);
    assert_int_equal(esp_http_client_read(client, bytes, sizeof(bytes)), 5000);
    assert_true(esp_http_client_is_complete_data_received(client));
    assert_memory_equal(bytes, f->pattern, 5000);
    esp_http_client_cleanup(client);
}

static void request_body_is_written_before_the_answer(void **state)
{
    http_fixture_t *f = *state;
    bad_reply_t reply = {.status = 201};
    bad_server_t *server = http_fixture_serve(f, &reply, 1);
    esp_http_client_handle_t client = make_client(f, server, (esp_http_client_config_t){.method = HTTP_METHOD_PUT});
    char text[1024];
    assert_err(esp_http_client_open(client, 11), ESP_OK);
    assert_int_equal(esp_http_client_write(client, "hello ", 6), 6);
    assert_int_equal(esp_http_client_write(client, "much too long", 13), -1);
    assert_int_equal(esp_http_client_write(client, "world", 5), 5);
    assert_int_equal(esp_http_client_fetch_headers(client), 0);
    assert_int_equal(esp_http_client_get_status_code(client), 201);
    assert_true(bad_server_request(server, 0, text, sizeof(text)));
    assert_memory_equal(text, "PUT /x HTTP/1.1\r\n", 17);
    assert_non_null(strstr(text, "\r\nContent-Length: 11\r\n"));
    assert_non_null(strstr(text, "\r\n\r\nhello world"));
    esp_http_client_cleanup(client);
}

static void short_request_body_is_not_sent(void **state)
{
    http_fixture_t *f = *state;
    bad_server_t *server = http_fixture_serve(f, NULL, 0);
    esp_http_client_handle_t client = make_client(f, server, (esp_http_client_config_t){.method = HTTP_METHOD_POST});
    assert_err(esp_http_client_open(client, 11), ESP_OK);
    assert_int_equal(esp_http_client_write(client, "hello", 5), 5);
    assert_int_equal(esp_http_client_fetch_headers(client), ESP_FAIL);
    assert_requests(server, 0);
    esp_http_client_cleanup(client);
}

static void default_headers_are_sent(void **state)
{
    http_fixture_t *f = *state;
    bad_reply_t reply = {0};
    bad_server_t *server = http_fixture_serve(f, &reply, 1);
    esp_http_client_handle_t client = make_client(f, server, (esp_http_client_config_t){.user_agent = "tester/2"});
    char text[1024];
    char expected[256];
    assert_err(esp_http_client_perform(client), ESP_OK);
    assert_true(bad_server_request(server, 0, text, sizeof(text)));
    snprintf(expected, sizeof(expected), "\r\nHost: localhost:%u\r\n", bad_server_port(server));
    assert_memory_equal(text, "GET /x HTTP/1.1\r\n", 17);
    assert_non_null(strstr(text, expected));
    assert_non_null(strstr(text, "\r\nUser-Agent: tester/2\r\n"));
    esp_http_client_cleanup(client);
}

static void header_that_does_not_fit_is_refused_before_anything_is_sent(void **state)
{
    http_fixture_t *f = *state;
    bad_reply_t reply = {0};
    bad_server_t *server = http_fixture_serve(f, &reply, 1);
    esp_http_client_handle_t client = make_client(f, server, (esp_http_client_config_t){0});
    char value[600];
    memset(value, 'v', sizeof(value));
    value[520] = '\0';
    assert_err(esp_http_client_set_header(client, "X-Long", value), ESP_OK);
    assert_err(esp_http_client_open(client, 0), ESP_ERR_HTTP_HEADER_TOO_LONG);
    assert_int_equal(bad_server_count(server, BAD_COUNT_CONNECTIONS), 0);
    value[480] = '\0';
    assert_err(esp_http_client_set_header(client, "X-Long", value), ESP_OK);
    assert_err(esp_http_client_open(client, 0), ESP_OK);
    esp_http_client_cleanup(client);
}

static void url_that_does_not_fit_is_refused(void **state)
{
    http_fixture_t *f = *state;
    bad_reply_t reply = {0};
    bad_server_t *server = http_fixture_serve(f, &reply, 1);
    char path[700] = "/";
    char url[800];
    memset(path + 1, 'p', 600);
    bad_server_url(server, path, url, sizeof(url));
    esp_http_client_handle_t client = make_client(f, server, (esp_http_client_config_t){.url = url});
    assert_err(esp_http_client_open(client, 0), ESP_FAIL);
    assert_requests(server, 0);
    esp_http_client_cleanup(client);
    client = make_client(f, server, (esp_http_client_config_t){.url = url, .buffer_size_tx = 1024});
    assert_err(esp_http_client_open(client, 0), ESP_OK);
    assert_requests(server, 1);
    esp_http_client_cleanup(client);
}

/* ---- ranges ---- */

static void total_size_comes_from_content_range(void **state)
{
    http_fixture_t *f = *state;
    bad_reply_t reply = {.body = f->pattern, .body_len = 5000, .ranges = true};
    bad_server_t *server = http_fixture_serve(f, &reply, 1);
    esp_http_client_handle_t client = make_client(f, server, (esp_http_client_config_t){0});
    char bytes[200];
    assert_err(esp_http_client_set_header(client, "Range", "bytes=1000-1099"), ESP_OK);
    assert_err(esp_http_client_open(client, 0), ESP_OK);
    assert_int_equal(esp_http_client_fetch_headers(client), 100);
    assert_int_equal(esp_http_client_get_status_code(client), HttpStatus_PartialContent);
    assert_int_equal(esp_http_client_get_content_range(client), 5000);
    assert_string_equal(http_get_response_header(client, "content-range"), "bytes 1000-1099/5000");
    assert_int_equal(esp_http_client_read(client, bytes, sizeof(bytes)), 100);
    assert_memory_equal(bytes, f->pattern + 1000, 100);
    assert_err(esp_http_client_set_header(client, "Range", "bytes=5000-"), ESP_OK);
    assert_err(esp_http_client_perform(client), ESP_OK);
    assert_int_equal(esp_http_client_get_status_code(client), HttpStatus_RangeNotSatisfiable);
    esp_http_client_cleanup(client);
}

static void ignored_range_is_seen_by_its_status(void **state)
{
    http_fixture_t *f = *state;
    bad_reply_t reply = {.body = f->pattern, .body_len = 5000, .ranges = true, .fault = BAD_IGNORE_RANGE};
    bad_server_t *server = http_fixture_serve(f, &reply, 1);
    esp_http_client_handle_t client = make_client(f, server, (esp_http_client_config_t){0});
    assert_err(esp_http_client_set_header(client, "Range", "bytes=1000-1099"), ESP_OK);
    assert_err(esp_http_client_open(client, 0), ESP_OK);
    assert_int_equal(esp_http_client_fetch_headers(client), 5000);
    assert_int_equal(esp_http_client_get_status_code(client), 200);
    assert_int_equal(esp_http_client_get_content_range(client), -1);
    assert_int_equal(bad_server_count(server, BAD_COUNT_FAULTS), 1);
    esp_http_client_cleanup(client);
}

static void malformed_content_range_has_no_total(void **state)
{
    static const char *const headers[] = {"Content-Range: bytes 0-1/*\r\n", "Content-Range: bytes 0-1\r\n",
                                          "Content-Range: bytes 0-1/12x\r\n",
                                          "Content-Range: bytes 0-1/99999999999999999999\r\n"};
    http_fixture_t *f = *state;
    bad_reply_t replies[4];
    for (size_t i = 0; i < 4; i++) {
        replies[i] = (bad_reply_t){.headers = headers[i], .times = 1};
    }
    esp_http_client_handle_t client = make_client(f, http_fixture_serve(f, replies, 4), (esp_http_client_config_t){0});
    for (size_t i = 0; i < 4; i++) {
        assert_err(esp_http_client_perform(client), ESP_OK);
        assert_int_equal(esp_http_client_get_content_range(client), -1);
    }
    esp_http_client_cleanup(client);
}

/* ---- perform and events ---- */

static void perform_tells_the_whole_story(void **state)
{
    http_fixture_t *f = *state;
    bad_reply_t reply = {.body = f->pattern, .body_len = 1300, .headers = "X-Test: value\r\n"};
    bad_server_t *server = http_fixture_serve(f, &reply, 1);
    witness_t w = {0};
    esp_http_client_handle_t client =
        make_client(f, server, (esp_http_client_config_t){.event_handler = watch, .user_data = &w});
    assert_err(esp_http_client_perform(client), ESP_OK);
    assert_string_equal(w.order, "CScHhDF");
    assert_int_equal(w.count[HTTP_EVENT_ON_DATA], 3);
    assert_int_equal(w.body_len, 1300);
    assert_memory_equal(w.body, f->pattern, 1300);
    assert_string_equal(w.header, "value");
    assert_err(esp_http_client_cleanup(client), ESP_OK);
    assert_string_equal(w.order, "CScHhDFX");
}

static void disconnection_is_told_once(void **state)
{
    http_fixture_t *f = *state;
    bad_reply_t reply = {0};
    bad_server_t *server = http_fixture_serve(f, &reply, 1);
    witness_t w = {0};
    esp_http_client_handle_t client =
        make_client(f, server, (esp_http_client_config_t){.event_handler = watch, .user_data = &w});
    assert_err(esp_http_client_close(client), ESP_OK);
    assert_int_equal(w.count[HTTP_EVENT_DISCONNECTED], 0);
    assert_err(esp_http_client_perform(client), ESP_OK);
    assert_err(esp_http_client_close(client), ESP_OK);
    assert_err(esp_http_client_close(client), ESP_OK);
    assert_err(esp_http_client_cleanup(client), ESP_OK);
    assert_int_equal(w.count[HTTP_EVENT_ON_CONNECTED], 1);
    assert_int_equal(w.count[HTTP_EVENT_DISCONNECTED], 1);
}

static void note_loop_event(void *arg, esp_event_base_t base, int32_t id, void *data)
{
    (void)base;
    if (id == HTTP_EVENT_ON_DATA) {
        int64_t progress = ((esp_http_client_on_data_t *)data)->data_process;
        __atomic_store_n((int64_t *)arg, progress, __ATOMIC_RELAXED);
    }
}

static void default_loop_hears_of_the_data(void **state)
{
    http_fixture_t *f = *state;
    bad_reply_t reply = {.body = f->pattern, .body_len = 1300};
    int64_t progress = 0;
    esp_http_client_handle_t client = make_client(f, http_fixture_serve(f, &reply, 1), (esp_http_client_config_t){0});
    assert_err(esp_event_loop_create_default(), ESP_OK);
    assert_err(esp_event_handler_register(ESP_HTTP_CLIENT_EVENT, ESP_EVENT_ANY_ID, note_loop_event, &progress), ESP_OK);
    assert_err(esp_http_client_perform(client), ESP_OK);
    esp_http_client_cleanup(client);
    /* Deleting the loop waits for what is under way only. */
    for (int i = 0; i < 200 && __atomic_load_n(&progress, __ATOMIC_RELAXED) < 1300; i++) {
        usleep(5000);
    }
    assert_err(esp_event_loop_delete_default(), ESP_OK);
    assert_int_equal(progress, 1300);
}

static void perform_sends_the_post_field(void **state)
{
    http_fixture_t *f = *state;
    bad_reply_t reply = {0};
    bad_server_t *server = http_fixture_serve(f, &reply, 1);
    esp_http_client_handle_t client = make_client(f, server, (esp_http_client_config_t){.method = HTTP_METHOD_POST});
    char text[1024];
    char *field = NULL;
    assert_err(esp_http_client_set_post_field(client, "a=1&b=2", 7), ESP_OK);
    assert_int_equal(esp_http_client_get_post_field(client, &field), 7);
    assert_string_equal(field, "a=1&b=2");
    assert_err(esp_http_client_perform(client), ESP_OK);
    assert_true(bad_server_request(server, 0, text, sizeof(text)));
    assert_memory_equal(text, "POST /x HTTP/1.1\r\n", 18);
    assert_non_null(strstr(text, "\r\nContent-Type: application/x-www-form-urlencoded\r\n"));
    assert_non_null(strstr(text, "\r\n\r\na=1&b=2"));
    esp_http_client_cleanup(client);
}

static void several_performs_share_a_connection(void **state)
{
    http_fixture_t *f = *state;
    bad_reply_t reply = {.body = f->pattern, .body_len = 3000, .framing = BAD_CHUNKED};
    bad_server_t *server = http_fixture_serve(f, &reply, 1);
    esp_http_client_handle_t client = make_client(f, server, (esp_http_client_config_t){0});
    for (int i = 0; i < 3; i++) {
        assert_err(esp_http_client_perform(client), ESP_OK);
        assert_true(esp_http_client_is_persistent_connection(client));
    }
    assert_requests(server, 3);
    assert_int_equal(bad_server_count(server, BAD_COUNT_CONNECTIONS), 1);
    assert_err(esp_http_client_close(client), ESP_OK);
    assert_err(esp_http_client_perform(client), ESP_OK);
    assert_int_equal(bad_server_count(server, BAD_COUNT_CONNECTIONS), 2);
    esp_http_client_cleanup(client);
}

static void cancelled_request_can_be_made_again(void **state)
{
    http_fixture_t *f = *state;
    bad_reply_t reply = {.body = f->pattern, .body_len = 5000};
    bad_server_t *server = http_fixture_serve(f, &reply, 1);
    esp_http_client_handle_t client = make_client(f, server, (esp_http_client_config_t){0});
    assert_err(esp_http_client_cancel_request(client), ESP_ERR_INVALID_STATE);
    assert_err(esp_http_client_open(client, 0), ESP_OK);
    assert_err(esp_http_client_cancel_request(client), ESP_OK);
    assert_int_equal(esp_http_client_get_state(client), HTTP_STATE_INIT);
    assert_err(esp_http_client_perform(client), ESP_OK);
    assert_true(esp_http_client_is_complete_data_received(client));
    esp_http_client_cleanup(client);
}

static void rest_of_a_body_is_flushed(void **state)
{
    http_fixture_t *f = *state;
    bad_reply_t reply = {.body = f->pattern, .body_len = 5000};
    esp_http_client_handle_t client = make_client(f, http_fixture_serve(f, &reply, 1), (esp_http_client_config_t){0});
    char bytes[1000];
    int dropped = 0;
    assert_err(esp_http_client_open(client, 0), ESP_OK);
    assert_int_equal(esp_http_client_fetch_headers(client), 5000);
    assert_int_equal(esp_http_client_read_response(client, bytes, sizeof(bytes)), 1000);
    assert_err(esp_http_client_flush_response(client, &dropped), ESP_OK);
    assert_int_equal(dropped, 4000);
    assert_true(esp_http_client_is_complete_data_received(client));
    esp_http_client_cleanup(client);
}

/* ---- faults ---- */

static void silent_server_makes_fetch_headers_time_out(void **state)
{
    http_fixture_t *f = *state;
    bad_reply_t reply = {.fault = BAD_STALL_BEFORE_HEAD};
    bad_server_t *server = http_fixture_serve(f, &reply, 1);
    esp_http_client_handle_t client = make_client(f, server, (esp_http_client_config_t){.timeout_ms = SOON_MS});
    assert_err(esp_http_client_open(client, 0), ESP_OK);
    assert_int_equal(esp_http_client_fetch_headers(client), -ESP_ERR_HTTP_EAGAIN);
    assert_int_equal(esp_http_client_get_status_code(client), -1);
    assert_int_equal(esp_http_client_fetch_headers(client), ESP_FAIL);
    assert_int_equal(bad_server_count(server, BAD_COUNT_FAULTS), 1);
    esp_http_client_cleanup(client);
}

static void stalled_body_gives_what_came_and_then_eagain(void **state)
{
    http_fixture_t *f = *state;
    bad_reply_t reply = {.body = f->pattern, .body_len = 5000, .fault = BAD_STALL_IN_BODY, .fault_at = 700};
    bad_server_t *server = http_fixture_serve(f, &reply, 1);
    esp_http_client_handle_t client = make_client(f, server, (esp_http_client_config_t){.timeout_ms = SOON_MS});
    char bytes[1000];
    assert_err(esp_http_client_open(client, 0), ESP_OK);
    assert_int_equal(esp_http_client_fetch_headers(client), 5000);
    int64_t start_us = otter_now_us();
    assert_int_equal(esp_http_client_read(client, bytes, sizeof(bytes)), 700);
    assert_int_equal(esp_http_client_read(client, bytes, sizeof(bytes)), -ESP_ERR_HTTP_EAGAIN);
    int64_t took_ms = (otter_now_us() - start_us) / 1000;
    assert_true(took_ms >= 2 * SOON_MS && took_ms < 2 * SOON_MS + 3000);
    assert_non_null(strstr(http_get_error(client), "timed out"));
    assert_int_equal(bad_server_count(server, BAD_COUNT_FAULTS), 1);
    esp_http_client_cleanup(client);
}

/* A byte now and then does not hold a read longer than its timeout. */
static void trickling_server_does_not_hold_a_read(void **state)
{
    http_fixture_t *f = *state;
    bad_reply_t reply = {.body = f->pattern, .body_len = 500, .fault = BAD_TRICKLE, .fault_at = 1, .trickle_ms = 10};
    bad_server_t *server = http_fixture_serve(f, &reply, 1);
    esp_http_client_handle_t client = make_client(f, server, (esp_http_client_config_t){.timeout_ms = SOON_MS});
    char bytes[500];
    assert_err(esp_http_client_open(client, 0), ESP_OK);
    assert_int_equal(esp_http_client_fetch_headers(client), 500);
    int64_t start_us = otter_now_us();
    int got = esp_http_client_read(client, bytes, sizeof(bytes));
    assert_true(otter_now_us() - start_us < (SOON_MS + 3000) * 1000);
    assert_true(got > 0 && got < 500);
    assert_memory_equal(bytes, f->pattern, (size_t)got);
    assert_int_equal(bad_server_count(server, BAD_COUNT_FAULTS), 1);
    esp_http_client_cleanup(client);
}

static void assert_cut_body(void **state, bad_fault_t fault, bad_framing_t framing)
{
    http_fixture_t *f = *state;
    bad_reply_t reply = {.body = f->pattern, .body_len = 5000, .fault = fault, .fault_at = 700, .framing = framing};
    bad_server_t *server = http_fixture_serve(f, &reply, 1);
    witness_t w = {0};
    esp_http_client_handle_t client =
        make_client(f, server, (esp_http_client_config_t){.event_handler = watch, .user_data = &w});
    char bytes[1000];
    assert_err(esp_http_client_open(client, 0), ESP_OK);
    assert_true(esp_http_client_fetch_headers(client) >= 0);
    assert_int_equal(esp_http_client_read(client, bytes, sizeof(bytes)), 700);
    assert_int_equal(esp_http_client_read(client, bytes, sizeof(bytes)), 0);
    assert_false(esp_http_client_is_complete_data_received(client));
    assert_int_equal(w.count[HTTP_EVENT_ERROR], 1);
    assert_int_equal(bad_server_count(server, BAD_COUNT_FAULTS), 1);
    esp_http_client_cleanup(client);
}

static void truncated_body_is_not_complete(void **state)
{
    assert_cut_body(state, BAD_TRUNCATE, BAD_LENGTH);
}

static void truncated_chunked_body_is_not_complete(void **state)
{
    assert_cut_body(state, BAD_TRUNCATE, BAD_CHUNKED);
}

static void reset_body_is_not_complete(void **state)
{
    assert_cut_body(state, BAD_RESET, BAD_LENGTH);
}

static void perform_names_what_went_wrong(void **state)
{
    static const struct {
        bad_fault_t fault;
        esp_err_t err;
    } cases[] = {
        {BAD_STALL_BEFORE_HEAD, ESP_ERR_HTTP_READ_TIMEOUT}, {BAD_STALL_IN_BODY, ESP_ERR_HTTP_READ_TIMEOUT},
        {BAD_TRUNCATE, ESP_ERR_HTTP_INCOMPLETE_DATA},       {BAD_GARBAGE, ESP_ERR_HTTP_FETCH_HEADER},
        {BAD_CLOSE_BEFORE_HEAD, ESP_ERR_HTTP_FETCH_HEADER}, {BAD_HUGE_HEAD, ESP_ERR_HTTP_FETCH_HEADER},
    };
    http_fixture_t *f = *state;
    bad_server_t *server = http_fixture_serve(f, NULL, 0);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        bad_reply_t reply = {
            .body = f->pattern, .body_len = 5000, .fault = cases[i].fault, .fault_at = i == 5 ? 100000 : 700};
        witness_t w = {0};
        bad_server_set_replies(server, &reply, 1);
        esp_http_client_handle_t client = make_client(
            f, server, (esp_http_client_config_t){.event_handler = watch, .user_data = &w, .timeout_ms = SOON_MS});
        assert_err(esp_http_client_perform(client), cases[i].err);
        assert_int_equal(w.count[HTTP_EVENT_ON_FINISH], 0);
        assert_int_equal(bad_server_count(server, BAD_COUNT_FAULTS), i + 1);
        esp_http_client_cleanup(client);
    }
}

static void refused_certificate_fails_open_with_the_reason(void **state)
{
    http_fixture_t *f = *state;
    certs_leaf_t leaf = certs_leaf_new(f->ca, &(certs_spec_t){.not_after_hours = -1});
    bad_server_t *server = http_fixture_serve_as(f, &leaf, &(bad_reply_t){0});
    witness_t w = {0};
    esp_http_client_handle_t client =
        make_client(f, server, (esp_http_client_config_t){.event_handler = watch, .user_data = &w});
    assert_err(esp_http_client_open(client, 0), ESP_ERR_HTTP_CONNECT);
    assert_non_null(strstr(http_get_error(client), "certificate has expired"));
    assert_string_equal(w.order, "E");
    int code = 0;
    int flags = 0;
    assert_err(w.tls_error.last_error, ESP_ERR_MBEDTLS_SSL_HANDSHAKE_FAILED);
    assert_int_equal(w.tls_error.esp_tls_flags, 0x0100);
    assert_err(esp_http_client_get_and_clear_last_tls_error(client, &code, &flags),
               ESP_ERR_MBEDTLS_SSL_HANDSHAKE_FAILED);
    assert_int_equal(code, 0x2700);
    assert_int_equal(flags, 0x0100);
    assert_err(esp_http_client_get_and_clear_last_tls_error(client, &code, &flags), ESP_OK);
    assert_int_equal(code, 0);
    assert_int_equal(flags, 0);
    assert_err(esp_http_client_perform(client), ESP_ERR_HTTP_CONNECT);
    esp_http_client_cleanup(client);
    certs_leaf_free(&leaf);
    assert_requests(server, 0);
}

static void https_without_any_trust_connects_to_nobody(void **state)
{
    http_fixture_t *f = *state;
    bad_server_t *server = http_fixture_serve(f, NULL, 0);
    char url[128];
    esp_http_client_config_t config = {.url = bad_server_url(server, "/", url, sizeof(url))};
    esp_http_client_handle_t client = esp_http_client_init(&config);
    assert_err(esp_http_client_perform(client), ESP_ERR_HTTP_CONNECT);
    assert_int_equal(bad_server_count(server, BAD_COUNT_CONNECTIONS), 0);
    esp_http_client_cleanup(client);
}

/* ESP-IDF's precedence: bundle, then global store, then the certificate given. */
static void global_store_comes_before_the_certificate_given(void **state)
{
    http_fixture_t *f = *state;
    bad_server_t *server = http_fixture_serve(f, NULL, 0);
    esp_http_client_handle_t client = make_client(f, server, (esp_http_client_config_t){.use_global_ca_store = true});
    assert_err(esp_http_client_perform(client), ESP_ERR_HTTP_CONNECT);
    assert_int_equal(bad_server_await(server, BAD_COUNT_REFUSED, 1), 1);
    esp_http_client_cleanup(client);
}

static void unverified_server_is_talked_to_where_the_device_allows_it(void **state)
{
    http_fixture_t *f = *state;
    bad_reply_t reply = {0};
    bad_server_t *server = http_fixture_serve(f, &reply, 1);
    char url[128];
    otter_device_t device = *otter_device_get();
    device.config.allow_http = true;
    assert_err(otter_device_init(&device), ESP_OK);
    esp_http_client_config_t config = {.url = bad_server_url(server, "/", url, sizeof(url))};
    esp_http_client_handle_t client = esp_http_client_init(&config);
    assert_err(esp_http_client_perform(client), ESP_OK);
    esp_http_client_cleanup(client);
    certs_ca_t *other = certs_ca_new("Somebody else");
    config.cert_pem = certs_ca_pem(other);
    client = esp_http_client_init(&config);
    assert_err(esp_http_client_perform(client), ESP_ERR_HTTP_CONNECT);
    esp_http_client_cleanup(client);
    certs_ca_free(other);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_http(client_needs_a_usable_url),
    cmocka_unit_test_http(url_comes_from_its_parts_or_from_its_text),
    cmocka_unit_test_http(credentials_of_the_url_are_decoded),
    cmocka_unit_test_http(what_is_not_supported_is_refused),
    cmocka_unit_test_http(request_headers_are_set_replaced_and_removed),
    cmocka_unit_test_http(body_is_read_step_by_step),
    cmocka_unit_test_http(chunked_body_is_complete_at_its_last_chunk),
    cmocka_unit_test_http(request_body_is_written_before_the_answer),
    cmocka_unit_test_http(short_request_body_is_not_sent),
    cmocka_unit_test_http(default_headers_are_sent),
    cmocka_unit_test_http(header_that_does_not_fit_is_refused_before_anything_is_sent),
    cmocka_unit_test_http(url_that_does_not_fit_is_refused),
    cmocka_unit_test_http(total_size_comes_from_content_range),
    cmocka_unit_test_http(ignored_range_is_seen_by_its_status),
    cmocka_unit_test_http(malformed_content_range_has_no_total),
    cmocka_unit_test_http(perform_tells_the_whole_story),
    cmocka_unit_test_http(disconnection_is_told_once),
    cmocka_unit_test_http(default_loop_hears_of_the_data),
    cmocka_unit_test_http(perform_sends_the_post_field),
    cmocka_unit_test_http(several_performs_share_a_connection),
    cmocka_unit_test_http(cancelled_request_can_be_made_again),
    cmocka_unit_test_http(rest_of_a_body_is_flushed),
    cmocka_unit_test_http(silent_server_makes_fetch_headers_time_out),
    cmocka_unit_test_http(stalled_body_gives_what_came_and_then_eagain),
    cmocka_unit_test_http(trickling_server_does_not_hold_a_read),
    cmocka_unit_test_http(truncated_body_is_not_complete),
    cmocka_unit_test_http(truncated_chunked_body_is_not_complete),
    cmocka_unit_test_http(reset_body_is_not_complete),
    cmocka_unit_test_http(perform_names_what_went_wrong),
    cmocka_unit_test_http(refused_certificate_fails_open_with_the_reason),
    cmocka_unit_test_http(https_without_any_trust_connects_to_nobody),
    cmocka_unit_test_http(global_store_comes_before_the_certificate_given),
    cmocka_unit_test_http(unverified_server_is_talked_to_where_the_device_allows_it),
};

TEST_MAIN(tests)
