/* SPDX-License-Identifier: Apache-2.0 */
/* esp_http_client: redirects, and who gets to see name and password. */
#include "device/http/http_internal.h"
#include "esp_http_client.h"
#include "tests/http/http_fixture.h"

#define BASIC_ME_SECRET "Basic bWU6c2VjcmV0" /* me:secret */

static esp_http_client_handle_t make_client(http_fixture_t *f, bad_server_t *server, const char *path,
                                            esp_http_client_config_t config)
{
    char url[256];
    config.cert_pem = f->ca_pem;
    config.url = bad_server_url(server, path, url, sizeof(url));
    esp_http_client_handle_t client = esp_http_client_init(&config);
    assert_non_null(client);
    return client;
}

static void assert_path(esp_http_client_handle_t client, bad_server_t *server, const char *path)
{
    char url[256];
    char expected[256];
    assert_err(esp_http_client_get_url(client, url, sizeof(url)), ESP_OK);
    assert_string_equal(url, bad_server_url(server, path, expected, sizeof(expected)));
}

static bool request_has(bad_server_t *server, unsigned index, const char *part)
{
    char text[1024];
    assert_true(bad_server_request(server, index, text, sizeof(text)));
    return strstr(text, part) != NULL;
}

/* A reply that leads to a path of another server. */
static bad_reply_t redirect_to(const char *path, bad_server_t *server, const char *there, char *header, size_t size)
{
    char url[200];
    snprintf(header, size, "Location: %s\r\n", bad_server_url(server, there, url, sizeof(url)));
    return (bad_reply_t){.path = path, .status = 302, .headers = header};
}

/* ---- where they lead ---- */

static void chain_of_relative_redirects_is_followed(void **state)
{
    http_fixture_t *f = *state;
    static const bad_reply_t replies[] = {
        {.path = "/a/b", .status = 301, .headers = "Location: c?x=1\r\n", .body = "moved", .body_len = 5},
        {.path = "/a/c?x=1", .status = 302, .headers = "Location: ../d\r\n"},
        {.path = "/d",
         .status = 307,
         .headers = "Location: ?y\r\n",
         .body = "moved",
         .body_len = 5,
         .framing = BAD_CHUNKED},
        {.path = "/d?y", .status = 308, .headers = "Location: /end\r\n"},
        {.path = "/end", .body = "here", .body_len = 4},
    };
    bad_server_t *server = http_fixture_serve(f, replies, 5);
    esp_http_client_handle_t client = make_client(f, server, "/a/b", (esp_http_client_config_t){0});
    assert_err(esp_http_client_perform(client), ESP_OK);
    assert_int_equal(esp_http_client_get_status_code(client), 200);
    assert_path(client, server, "/end");
    assert_int_equal(bad_server_count(server, BAD_COUNT_REQUESTS), 5);
    assert_int_equal(bad_server_count(server, BAD_COUNT_CONNECTIONS), 1);
    esp_http_client_cleanup(client);
}

static void redirect_step_by_step_uses_the_connection_again(void **state)
{
    http_fixture_t *f = *state;
    static const bad_reply_t replies[] = {
        {.path = "/a", .status = 302, .headers = "Location: /b\r\n", .body = "moved", .body_len = 5},
        {.path = "/b", .body = "here", .body_len = 4},
    };
    bad_server_t *server = http_fixture_serve(f, replies, 2);
    esp_http_client_handle_t client = make_client(f, server, "/a", (esp_http_client_config_t){0});
    assert_err(esp_http_client_open(client, 0), ESP_OK);
    assert_int_equal(esp_http_client_fetch_headers(client), 5);
    assert_err(esp_http_client_set_redirection(client), ESP_OK);
    assert_err(esp_http_client_flush_response(client, NULL), ESP_OK);
    assert_err(esp_http_client_open(client, 0), ESP_OK);
    assert_int_equal(esp_http_client_fetch_headers(client), 4);
    assert_int_equal(bad_server_count(server, BAD_COUNT_CONNECTIONS), 1);
    esp_http_client_cleanup(client);
}

static void redirect_loop_ends_at_the_limit(void **state)
{
    http_fixture_t *f = *state;
    static const bad_reply_t replies[] = {{.status = 302, .headers = "Location: /x\r\n"}};
    bad_server_t *server = http_fixture_serve(f, replies, 1);
    esp_http_client_handle_t client = make_client(f, server, "/x", (esp_http_client_config_t){0});
    assert_err(esp_http_client_perform(client), ESP_ERR_HTTP_MAX_REDIRECT);
    assert_int_equal(bad_server_count(server, BAD_COUNT_REQUESTS), 11);
    esp_http_client_cleanup(client);
    client = make_client(f, server, "/x", (esp_http_client_config_t){.max_redirection_count = 3});
    assert_err(esp_http_client_perform(client), ESP_ERR_HTTP_MAX_REDIRECT);
    assert_int_equal(bad_server_count(server, BAD_COUNT_REQUESTS), 11 + 4);
    esp_http_client_cleanup(client);
}

static void limit_holds_step_by_step_too(void **state)
{
    http_fixture_t *f = *state;
    static const bad_reply_t replies[] = {{.status = 302, .headers = "Location: /x\r\n"}};
    bad_server_t *server = http_fixture_serve(f, replies, 1);
    esp_http_client_handle_t client =
        make_client(f, server, "/x", (esp_http_client_config_t){.max_redirection_count = 2});
    for (int i = 0; i < 3; i++) {
        assert_err(esp_http_client_open(client, 0), ESP_OK);
        assert_int_equal(esp_http_client_fetch_headers(client), 0);
        assert_err(esp_http_client_set_redirection(client), i < 2 ? ESP_OK : ESP_ERR_HTTP_MAX_REDIRECT);
    }
    assert_err(esp_http_client_reset_redirect_counter(client), ESP_OK);
    assert_err(esp_http_client_set_redirection(client), ESP_OK);
    esp_http_client_cleanup(client);
}

static void redirects_are_counted_for_each_chain(void **state)
{
    http_fixture_t *f = *state;
    static const bad_reply_t replies[] = {
        {.path = "/x", .status = 302, .headers = "Location: /y\r\n"},
        {.path = "/y"},
    };
    bad_server_t *server = http_fixture_serve(f, replies, 2);
    esp_http_client_handle_t client =
        make_client(f, server, "/x", (esp_http_client_config_t){.max_redirection_count = 1});
    for (int i = 0; i < 3; i++) {
        assert_err(esp_http_client_set_url(client, "/x"), ESP_OK);
        assert_err(esp_http_client_perform(client), ESP_OK);
        assert_path(client, server, "/y");
    }
    esp_http_client_cleanup(client);
}

static void redirect_from_https_to_http_is_refused(void **state)
{
    http_fixture_t *f = *state;
    char header[256];
    bad_server_t *plain = http_fixture_serve_plain(f, NULL, 0);
    bad_reply_t reply = redirect_to("/x", plain, "/stolen", header, sizeof(header));
    bad_server_t *server = http_fixture_serve(f, &reply, 1);
    esp_http_client_handle_t client = make_client(f, server, "/x", (esp_http_client_config_t){0});
    assert_err(esp_http_client_perform(client), ESP_ERR_HTTP_REDIRECT_DOWNGRADE);
    assert_path(client, server, "/x");
    assert_int_equal(bad_server_count(server, BAD_COUNT_REQUESTS), 1);
    assert_int_equal(bad_server_count(plain, BAD_COUNT_CONNECTIONS), 0);
    esp_http_client_cleanup(client);
}

static void redirect_from_http_to_https_changes_the_transport(void **state)
{
    http_fixture_t *f = *state;
    char header[256];
    bad_reply_t good = {.body = "here", .body_len = 4};
    bad_server_t *server = http_fixture_serve(f, &good, 1);
    bad_reply_t reply = redirect_to("/x", server, "/y", header, sizeof(header));
    bad_server_t *plain = http_fixture_serve_plain(f, &reply, 1);
    esp_http_client_handle_t client = make_client(f, plain, "/x", (esp_http_client_config_t){0});
    assert_int_equal(esp_http_client_get_transport_type(client), HTTP_TRANSPORT_OVER_TCP);
    assert_err(esp_http_client_perform(client), ESP_OK);
    assert_int_equal(esp_http_client_get_transport_type(client), HTTP_TRANSPORT_OVER_SSL);
    assert_path(client, server, "/y");
    assert_int_equal(bad_server_count(server, BAD_COUNT_HANDSHAKES), 1);
    esp_http_client_cleanup(client);
}

static void redirect_to_another_server_is_verified_anew(void **state)
{
    http_fixture_t *f = *state;
    char header[256];
    certs_ca_t *other = certs_ca_new("Somebody else");
    certs_leaf_t leaf = certs_leaf_new(other, &(certs_spec_t){0});
    bad_server_t *evil = http_fixture_serve_as(f, &leaf, &(bad_reply_t){0});
    bad_reply_t reply = redirect_to("/x", evil, "/y", header, sizeof(header));
    bad_server_t *server = http_fixture_serve(f, &reply, 1);
    esp_http_client_handle_t client = make_client(f, server, "/x", (esp_http_client_config_t){0});
    assert_err(esp_http_client_perform(client), ESP_ERR_HTTP_CONNECT);
    assert_int_equal(bad_server_await(evil, BAD_COUNT_REFUSED, 1), 1);
    assert_int_equal(bad_server_count(evil, BAD_COUNT_REQUESTS), 0);
    esp_http_client_cleanup(client);
    certs_leaf_free(&leaf);
    certs_ca_free(other);
}

static void malformed_location_changes_nothing(void **state)
{
    static const char *const locations[] = {"Location: http://\r\n", "Location: https://ho st/\r\n",
                                            "Location: https://h:99999/\r\n", "Location: mailto:me@example\r\n",
                                            "X-Other: no Location\r\n"};
    http_fixture_t *f = *state;
    bad_server_t *server = http_fixture_serve(f, NULL, 0);
    esp_http_client_handle_t client = make_client(f, server, "/x", (esp_http_client_config_t){0});
    for (size_t i = 0; i < sizeof(locations) / sizeof(locations[0]); i++) {
        bad_reply_t reply = {.status = 302, .headers = locations[i]};
        bad_server_set_replies(server, &reply, 1);
        assert_err(esp_http_client_open(client, 0), ESP_OK);
        assert_int_equal(esp_http_client_fetch_headers(client), 0);
        assert_err(esp_http_client_set_redirection(client), ESP_ERR_INVALID_ARG);
        assert_path(client, server, "/x");
    }
    esp_http_client_cleanup(client);
}

static esp_err_t count_redirect_event(esp_http_client_event_t *event)
{
    *(unsigned *)event->user_data += event->event_id == HTTP_EVENT_REDIRECT;
    return ESP_OK;
}

static void redirect_is_left_to_the_application_if_it_wants(void **state)
{
    http_fixture_t *f = *state;
    static const bad_reply_t replies[] = {
        {.path = "/x", .status = 302, .headers = "Location: /y\r\n", .body = "moved", .body_len = 5},
        {.path = "/y"},
    };
    unsigned told = 0;
    bad_server_t *server = http_fixture_serve(f, replies, 2);
    esp_http_client_handle_t client =
        make_client(f, server, "/x",
                    (esp_http_client_config_t){
                        .disable_auto_redirect = true, .event_handler = count_redirect_event, .user_data = &told});
    assert_err(esp_http_client_perform(client), ESP_OK);
    assert_int_equal(esp_http_client_get_status_code(client), 302);
    assert_int_equal(told, 1);
    assert_err(esp_http_client_set_redirection(client), ESP_OK);
    assert_err(esp_http_client_perform(client), ESP_OK);
    assert_int_equal(esp_http_client_get_status_code(client), 200);
    esp_http_client_cleanup(client);
}

static void see_other_turns_a_post_into_a_get(void **state)
{
    http_fixture_t *f = *state;
    static const bad_reply_t replies[] = {
        {.path = "/x", .status = 303, .headers = "Location: /y\r\n"},
        {.path = "/y"},
    };
    bad_server_t *server = http_fixture_serve(f, replies, 2);
    esp_http_client_handle_t client =
        make_client(f, server, "/x", (esp_http_client_config_t){.method = HTTP_METHOD_POST});
    assert_err(esp_http_client_set_post_field(client, "a=1", 3), ESP_OK);
    assert_err(esp_http_client_perform(client), ESP_OK);
    assert_true(request_has(server, 0, "POST /x "));
    assert_true(request_has(server, 1, "GET /y "));
    assert_false(request_has(server, 1, "a=1"));
    esp_http_client_cleanup(client);
}

static void temporary_redirect_keeps_method_and_body(void **state)
{
    http_fixture_t *f = *state;
    static const bad_reply_t replies[] = {
        {.path = "/x", .status = 307, .headers = "Location: /y\r\n"},
        {.path = "/y"},
    };
    bad_server_t *server = http_fixture_serve(f, replies, 2);
    esp_http_client_handle_t client =
        make_client(f, server, "/x", (esp_http_client_config_t){.method = HTTP_METHOD_POST});
    assert_err(esp_http_client_set_post_field(client, "a=1", 3), ESP_OK);
    assert_err(esp_http_client_perform(client), ESP_OK);
    assert_true(request_has(server, 1, "POST /y "));
    assert_true(request_has(server, 1, "\r\n\r\na=1"));
    esp_http_client_cleanup(client);
}

/* ---- a new URL ---- */

static void relative_url_is_resolved_and_a_bad_one_changes_nothing(void **state)
{
    char url[128];
    (void)state;
    esp_http_client_handle_t client = esp_http_client_init(&(esp_http_client_config_t){.url = "http://h:81/a/b?c"});
    assert_err(esp_http_client_set_url(client, "../d"), ESP_OK);
    assert_err(esp_http_client_get_url(client, url, sizeof(url)), ESP_OK);
    assert_string_equal(url, "http://h:81/d");
    assert_err(esp_http_client_set_url(client, "http://"), ESP_ERR_INVALID_ARG);
    assert_err(esp_http_client_set_url(client, "gopher://h/"), ESP_ERR_HTTP_INVALID_TRANSPORT);
    assert_err(esp_http_client_set_url(client, NULL), ESP_ERR_INVALID_ARG);
    assert_err(esp_http_client_get_url(client, url, sizeof(url)), ESP_OK);
    assert_string_equal(url, "http://h:81/d");
    esp_http_client_cleanup(client);
}

static void host_header_follows_the_url(void **state)
{
    char *value = NULL;
    (void)state;
    esp_http_client_handle_t client = esp_http_client_init(&(esp_http_client_config_t){.url = "http://one/"});
    assert_err(esp_http_client_set_url(client, "https://two:8443/"), ESP_OK);
    assert_err(esp_http_client_get_header(client, "Host", &value), ESP_OK);
    assert_string_equal(value, "two:8443");
    assert_err(esp_http_client_set_url(client, "https://two/"), ESP_OK);
    assert_err(esp_http_client_get_header(client, "Host", &value), ESP_OK);
    assert_string_equal(value, "two");
    esp_http_client_cleanup(client);
}

static void new_server_closes_the_connection_and_a_new_path_does_not(void **state)
{
    http_fixture_t *f = *state;
    bad_reply_t reply = {0};
    char url[128];
    bad_server_t *server = http_fixture_serve(f, &reply, 1);
    bad_server_t *other = http_fixture_serve(f, &reply, 1);
    esp_http_client_handle_t client = make_client(f, server, "/x", (esp_http_client_config_t){0});
    assert_err(esp_http_client_perform(client), ESP_OK);
    assert_err(esp_http_client_set_url(client, "/y"), ESP_OK);
    assert_int_equal(esp_http_client_get_state(client), HTTP_STATE_CONNECTED);
    assert_err(esp_http_client_set_url(client, bad_server_url(other, "/y", url, sizeof(url))), ESP_OK);
    assert_int_equal(esp_http_client_get_state(client), HTTP_STATE_INIT);
    assert_int_equal(bad_server_await(server, BAD_COUNT_CLOSED, 1), 1);
    esp_http_client_cleanup(client);
}

static void assert_credentials_after(const char *url, bool kept)
{
    char *value = NULL;
    esp_http_client_handle_t client =
        esp_http_client_init(&(esp_http_client_config_t){.url = "http://me:secret@host/"});
    assert_err(esp_http_client_set_header(client, "Authorization", "Bearer token"), ESP_OK);
    assert_err(esp_http_client_set_url(client, url), ESP_OK);
    assert_err(esp_http_client_get_header(client, "Authorization", &value), ESP_OK);
    assert_int_equal(value != NULL, kept);
    assert_err(esp_http_client_get_username(client, &value), ESP_OK);
    assert_int_equal(value != NULL, kept);
    esp_http_client_cleanup(client);
}

static void credentials_stay_with_their_host(void **state)
{
    (void)state;
    assert_credentials_after("http://HOST/other", true);
    assert_credentials_after("/other", true);
    assert_credentials_after("http://other/", false);
    assert_credentials_after("http://host.other/", false);
}

/* ---- authentication ---- */

static const bad_reply_t guarded[] = {{.need_authorization = BASIC_ME_SECRET, .body = "here", .body_len = 4}};

static void basic_authentication_is_sent_unasked_if_configured(void **state)
{
    http_fixture_t *f = *state;
    bad_server_t *server = http_fixture_serve(f, guarded, 1);
    esp_http_client_handle_t client = make_client(
        f, server, "/",
        (esp_http_client_config_t){.username = "me", .password = "secret", .auth_type = HTTP_AUTH_TYPE_BASIC});
    assert_err(esp_http_client_perform(client), ESP_OK);
    assert_int_equal(esp_http_client_get_status_code(client), 200);
    assert_int_equal(bad_server_count(server, BAD_COUNT_REQUESTS), 1);
    esp_http_client_cleanup(client);
}

static void challenge_is_answered(void **state)
{
    http_fixture_t *f = *state;
    bad_server_t *server = http_fixture_serve(f, guarded, 1);
    esp_http_client_handle_t client =
        make_client(f, server, "/", (esp_http_client_config_t){.username = "me", .password = "secret"});
    assert_err(esp_http_client_perform(client), ESP_OK);
    assert_int_equal(esp_http_client_get_status_code(client), 200);
    assert_false(request_has(server, 0, "Authorization"));
    assert_true(request_has(server, 1, "\r\nAuthorization: " BASIC_ME_SECRET "\r\n"));
    assert_int_equal(bad_server_count(server, BAD_COUNT_CONNECTIONS), 1);
    esp_http_client_cleanup(client);
}

static void wrong_password_is_tried_once(void **state)
{
    http_fixture_t *f = *state;
    bad_server_t *server = http_fixture_serve(f, guarded, 1);
    esp_http_client_handle_t client =
        make_client(f, server, "/", (esp_http_client_config_t){.username = "me", .password = "guess"});
    assert_err(esp_http_client_perform(client), ESP_OK);
    assert_int_equal(esp_http_client_get_status_code(client), HttpStatus_Unauthorized);
    assert_int_equal(bad_server_count(server, BAD_COUNT_REQUESTS), 2);
    esp_http_client_cleanup(client);
}

static void new_password_is_tried_after_a_refusal(void **state)
{
    http_fixture_t *f = *state;
    bad_server_t *server = http_fixture_serve(f, guarded, 1);
    esp_http_client_handle_t client =
        make_client(f, server, "/",
                    (esp_http_client_config_t){.username = "me", .password = "guess", .max_authorization_retries = 2});
    for (int i = 0; i < 3; i++) {
        assert_err(esp_http_client_set_password(client, "guess"), ESP_OK);
        assert_err(esp_http_client_perform(client), ESP_OK);
        assert_int_equal(esp_http_client_get_status_code(client), HttpStatus_Unauthorized);
        assert_err(esp_http_client_add_auth(client), ESP_FAIL);
        assert_err(esp_http_client_set_password(client, "secret"), ESP_OK);
        assert_err(esp_http_client_add_auth(client), ESP_OK);
        assert_err(esp_http_client_perform(client), ESP_OK);
        assert_int_equal(esp_http_client_get_status_code(client), 200);
    }
    esp_http_client_cleanup(client);
}

static void challenge_is_not_answered_if_no_retry_is_allowed(void **state)
{
    http_fixture_t *f = *state;
    bad_server_t *server = http_fixture_serve(f, guarded, 1);
    esp_http_client_handle_t client = make_client(
        f, server, "/",
        (esp_http_client_config_t){.username = "me", .password = "secret", .max_authorization_retries = -1});
    assert_err(esp_http_client_perform(client), ESP_OK);
    assert_int_equal(esp_http_client_get_status_code(client), HttpStatus_Unauthorized);
    assert_int_equal(bad_server_count(server, BAD_COUNT_REQUESTS), 1);
    esp_http_client_cleanup(client);
}

static void challenge_without_a_user_name_is_left_unanswered(void **state)
{
    http_fixture_t *f = *state;
    bad_server_t *server = http_fixture_serve(f, guarded, 1);
    esp_http_client_handle_t client = make_client(f, server, "/", (esp_http_client_config_t){0});
    assert_err(esp_http_client_perform(client), ESP_OK);
    assert_int_equal(esp_http_client_get_status_code(client), HttpStatus_Unauthorized);
    assert_err(esp_http_client_add_auth(client), ESP_FAIL);
    assert_int_equal(bad_server_count(server, BAD_COUNT_REQUESTS), 1);
    esp_http_client_cleanup(client);
}

/* Another port of the same host is another server. */
static void redirect_to_another_server_takes_no_credentials_along(void **state)
{
    http_fixture_t *f = *state;
    char header[256];
    bad_reply_t good = {.body = "here", .body_len = 4};
    bad_server_t *other = http_fixture_serve(f, &good, 1);
    bad_reply_t replies[] = {
        {.path = "/first", .status = 302, .headers = "Location: /x\r\n"},
        redirect_to("/x", other, "/y", header, sizeof(header)),
    };
    bad_server_t *server = http_fixture_serve(f, replies, 2);
    esp_http_client_handle_t client = make_client(
        f, server, "/first",
        (esp_http_client_config_t){.username = "me", .password = "secret", .auth_type = HTTP_AUTH_TYPE_BASIC});
    assert_err(esp_http_client_perform(client), ESP_OK);
    assert_true(request_has(server, 0, BASIC_ME_SECRET));
    assert_true(request_has(server, 1, BASIC_ME_SECRET));
    assert_false(request_has(other, 0, "Authorization"));
    esp_http_client_cleanup(client);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_http(chain_of_relative_redirects_is_followed),
    cmocka_unit_test_http(redirect_step_by_step_uses_the_connection_again),
    cmocka_unit_test_http(redirect_loop_ends_at_the_limit),
    cmocka_unit_test_http(limit_holds_step_by_step_too),
    cmocka_unit_test_http(redirects_are_counted_for_each_chain),
    cmocka_unit_test_http(redirect_from_https_to_http_is_refused),
    cmocka_unit_test_http(redirect_from_http_to_https_changes_the_transport),
    cmocka_unit_test_http(redirect_to_another_server_is_verified_anew),
    cmocka_unit_test_http(malformed_location_changes_nothing),
    cmocka_unit_test_http(redirect_is_left_to_the_application_if_it_wants),
    cmocka_unit_test_http(see_other_turns_a_post_into_a_get),
    cmocka_unit_test_http(temporary_redirect_keeps_method_and_body),
    cmocka_unit_test_http(relative_url_is_resolved_and_a_bad_one_changes_nothing),
    cmocka_unit_test_http(host_header_follows_the_url),
    cmocka_unit_test_http(new_server_closes_the_connection_and_a_new_path_does_not),
    cmocka_unit_test_http(credentials_stay_with_their_host),
    cmocka_unit_test_http(basic_authentication_is_sent_unasked_if_configured),
    cmocka_unit_test_http(challenge_is_answered),
    cmocka_unit_test_http(wrong_password_is_tried_once),
    cmocka_unit_test_http(new_password_is_tried_after_a_refusal),
    cmocka_unit_test_http(challenge_is_not_answered_if_no_retry_is_allowed),
    cmocka_unit_test_http(challenge_without_a_user_name_is_left_unanswered),
    cmocka_unit_test_http(redirect_to_another_server_takes_no_credentials_along),
};

TEST_MAIN(tests)
