/* SPDX-License-Identifier: Apache-2.0 */
/* esp_http_client: the proxy by configuration. The proxy is a server that notes what it is asked. */
#define _DEFAULT_SOURCE
#include <stdlib.h>

#include "device/http/http_internal.h"
#include "esp_http_client.h"
#include "otter/otter_http_proxy.h"
#include "tests/http/http_fixture.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const bad_reply_t here = {.body = "here", .body_len = 4};

static int set_up(void **state)
{
    static const char *const names[] = {"http_proxy", "https_proxy", "HTTPS_PROXY",
                                        "all_proxy",  "ALL_PROXY",   "no_proxy"};
    for (size_t i = 0; i < COUNT(names); i++) {
        unsetenv(names[i]);
    }
    return http_fixture_setup(state);
}

static int tear_down(void **state)
{
    assert_err(otter_http_set_proxy(NULL), ESP_OK);
    return http_fixture_teardown(state);
}

static void use_proxy(bad_server_t *proxy, const char *credentials)
{
    char url[128];
    snprintf(url, sizeof(url), "http://%s127.0.0.1:%u", credentials, bad_server_port(proxy));
    assert_err(otter_http_set_proxy(url), ESP_OK);
}

static esp_http_client_handle_t make_client(http_fixture_t *f, const char *url)
{
    esp_http_client_handle_t client =
        esp_http_client_init(&(esp_http_client_config_t){.url = url, .cert_pem = f->ca_pem});
    assert_non_null(client);
    return client;
}

static void http_is_asked_of_the_proxy(void **state)
{
    http_fixture_t *f = *state;
    char text[1024];
    bad_server_t *proxy = http_fixture_serve_plain(f, &here, 1);
    use_proxy(proxy, "me:secret@");
    esp_http_client_handle_t client = make_client(f, "http://firmware.invalid/fw.bin");
    assert_err(esp_http_client_perform(client), ESP_OK);
    assert_int_equal(esp_http_client_get_status_code(client), 200);
    assert_true(bad_server_request(proxy, 0, text, sizeof(text)));
    assert_int_equal(strncmp(text, "GET http://firmware.invalid/fw.bin HTTP/1.1\r\n", 45), 0);
    assert_non_null(strstr(text, "\r\nProxy-Authorization: Basic bWU6c2VjcmV0\r\n"));
    assert_null(strstr(text, "\r\nAuthorization:"));
    esp_http_client_cleanup(client);
}

static void https_goes_through_a_tunnel_or_not_at_all(void **state)
{
    http_fixture_t *f = *state;
    char text[1024];
    static const bad_reply_t refuses = {.status = 403};
    bad_server_t *proxy = http_fixture_serve_plain(f, &refuses, 1);
    use_proxy(proxy, "me:secret@");
    esp_http_client_handle_t client = make_client(f, "https://firmware.invalid/fw.bin");
    assert_err(esp_http_client_perform(client), ESP_ERR_HTTP_CONNECT);
    assert_null(strstr(http_get_error(client), "secret"));
    assert_true(bad_server_request(proxy, 0, text, sizeof(text)));
    assert_int_equal(strncmp(text, "CONNECT firmware.invalid:443 HTTP/1.1\r\n", 39), 0);
    assert_null(strstr(text, "fw.bin"));
    esp_http_client_cleanup(client);
}

static void client_keeps_the_proxy_it_was_made_with(void **state)
{
    http_fixture_t *f = *state;
    bad_server_t *proxy = http_fixture_serve_plain(f, &here, 1);
    use_proxy(proxy, "");
    esp_http_client_handle_t client = make_client(f, "http://firmware.invalid/");
    assert_err(otter_http_set_proxy(NULL), ESP_OK);
    assert_err(esp_http_client_perform(client), ESP_OK);
    assert_int_equal(bad_server_count(proxy, BAD_COUNT_REQUESTS), 1);
    esp_http_client_cleanup(client);
}

static void configuration_comes_before_the_environment(void **state)
{
    http_fixture_t *f = *state;
    char url[128];
    bad_server_t *server = http_fixture_serve_plain(f, &here, 1);
    bad_server_t *proxy = http_fixture_serve_plain(f, &here, 1);
    char target[128];
    bad_server_url(server, "/", target, sizeof(target));
    snprintf(url, sizeof(url), "http://127.0.0.1:%u", bad_server_port(proxy));
    setenv("http_proxy", url, 1);
    esp_http_client_handle_t client = make_client(f, target);
    assert_err(esp_http_client_perform(client), ESP_OK);
    esp_http_client_cleanup(client);
    assert_int_equal(bad_server_count(proxy, BAD_COUNT_REQUESTS), 1);
    assert_err(otter_http_set_proxy(""), ESP_OK);
    client = make_client(f, target);
    assert_err(esp_http_client_perform(client), ESP_OK);
    esp_http_client_cleanup(client);
    assert_int_equal(bad_server_count(proxy, BAD_COUNT_REQUESTS), 1);
    assert_int_equal(bad_server_count(server, BAD_COUNT_REQUESTS), 1);
    unsetenv("http_proxy");
}

static void what_is_no_proxy_is_refused_and_changes_nothing(void **state)
{
    http_fixture_t *f = *state;
    static const char *const wrong[] = {"proxy:3128",          "https://proxy:3128",  "socks5://proxy:1080",
                                        "http://proxy",        "http://:3128",        "http://proxy:0",
                                        "http://proxy:3128/x", "http://proxy:3128?x", "http://pro xy:3128"};
    bad_server_t *proxy = http_fixture_serve_plain(f, &here, 1);
    use_proxy(proxy, "");
    for (size_t i = 0; i < COUNT(wrong); i++) {
        if (otter_http_set_proxy(wrong[i]) != ESP_ERR_INVALID_ARG) {
            fail_msg("accepted: %s", wrong[i]);
        }
    }
    esp_http_client_handle_t client = make_client(f, "http://firmware.invalid/");
    assert_err(esp_http_client_perform(client), ESP_OK);
    assert_int_equal(bad_server_count(proxy, BAD_COUNT_REQUESTS), 1);
    esp_http_client_cleanup(client);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown(http_is_asked_of_the_proxy, set_up, tear_down),
    cmocka_unit_test_setup_teardown(https_goes_through_a_tunnel_or_not_at_all, set_up, tear_down),
    cmocka_unit_test_setup_teardown(client_keeps_the_proxy_it_was_made_with, set_up, tear_down),
    cmocka_unit_test_setup_teardown(configuration_comes_before_the_environment, set_up, tear_down),
    cmocka_unit_test_setup_teardown(what_is_no_proxy_is_refused_and_changes_nothing, set_up, tear_down),
};

TEST_MAIN(tests)
