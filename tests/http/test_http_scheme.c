/* SPDX-License-Identifier: Apache-2.0 */
/* esp_http_client: which schemes it takes, and where a redirect may lead. The port is a fake. */
#include <stdlib.h>

#include "device/http/http_internal.h"
#include "esp_http_client.h"
#include "otter/otter_device.h"
#include "otter/otter_flash_ram.h"
#include "port/fake/http_fake.h"
#include "tests/support/test.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void start_device(bool allow_file)
{
    static otter_flash_ram_t ram;
    static uint8_t bytes[65536];
    otter_device_t device = {.flash = otter_flash_ram_init(&ram, bytes, sizeof(bytes), 4096),
                             .running_address = OTTER_NOT_RUNNING};
    otter_config_default(&device.config);
    device.config.allow_file = allow_file;
    assert_err(otter_device_init(&device), ESP_OK);
}

static const http_scheme_t *find(const char *name)
{
    return http_find_scheme((http_span_t){name, strlen(name)});
}

static esp_http_client_handle_t make_client(const char *url)
{
    esp_http_client_handle_t client = esp_http_client_init(&(esp_http_client_config_t){.url = url});
    assert_non_null(client);
    return client;
}

/* ---- the table ---- */

static void schemes_say_what_they_mean_for_trust(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        uint16_t port;
        bool is_protected;
        bool is_http;
    } cases[] = {
        {"https", 443, true, true}, {"HTTP", 80, false, true}, {"ftps", 990, true, false},
        {"ftpes", 21, true, false}, {"ftp", 21, false, false}, {"File", 0, false, false},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        const http_scheme_t *scheme = find(cases[i].name);
        assert_non_null(scheme);
        assert_int_equal(scheme->default_port, cases[i].port);
        assert_int_equal(scheme->is_protected, cases[i].is_protected);
        assert_int_equal(scheme->is_http, cases[i].is_http);
        assert_int_equal(http_is_file_scheme(scheme), cases[i].port == 0);
    }
    assert_null(find("gopher"));
    assert_null(find("http "));
    assert_null(find(""));
    assert_null(http_find_scheme((http_span_t){NULL, 0}));
}

static void redirects_lead_to_http_only_and_never_out_of_protection(void **state)
{
    (void)state;
    static const struct {
        const char *from;
        const char *to;
        esp_err_t judgement;
    } cases[] = {
        {"http", "http", ESP_OK},
        {"http", "https", ESP_OK},
        {"https", "https", ESP_OK},
        {"https", "http", ESP_ERR_HTTP_REDIRECT_DOWNGRADE},
        {"https", "ftp", ESP_ERR_HTTP_REDIRECT_DOWNGRADE},
        {"https", "file", ESP_ERR_HTTP_REDIRECT_DOWNGRADE},
        {"https", "ftps", ESP_ERR_HTTP_INVALID_TRANSPORT},
        {"https", "ftpes", ESP_ERR_HTTP_INVALID_TRANSPORT},
        {"http", "ftp", ESP_ERR_HTTP_INVALID_TRANSPORT},
        {"http", "ftps", ESP_ERR_HTTP_INVALID_TRANSPORT},
        {"http", "file", ESP_ERR_HTTP_INVALID_TRANSPORT},
        {"ftps", "http", ESP_ERR_HTTP_REDIRECT_DOWNGRADE},
        {"ftp", "file", ESP_ERR_HTTP_INVALID_TRANSPORT},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        assert_err(http_judge_redirect(find(cases[i].from), find(cases[i].to)), cases[i].judgement);
    }
    assert_err(http_judge_redirect(find("https"), NULL), ESP_ERR_HTTP_INVALID_TRANSPORT);
}

/* ---- the client ---- */

static void ftp_urls_reach_the_port_without_what_is_http(void **state)
{
    (void)state;
    static const struct {
        const char *url;
        const char *asked;
        esp_http_client_transport_t transport;
    } cases[] = {
        {"ftp://h/a", "ftp://h/a", HTTP_TRANSPORT_OVER_TCP},
        {"ftp://h:21/a", "ftp://h/a", HTTP_TRANSPORT_OVER_TCP},
        {"FTPS://h/a/../b", "ftps://h/a/../b", HTTP_TRANSPORT_OVER_SSL},
        {"ftpes://me:secret@h:2121/", "ftpes://h:2121/", HTTP_TRANSPORT_OVER_SSL},
    };
    static const http_fake_exchange_t answer = {.body = "here", .body_len = 4};
    start_device(false);
    for (size_t i = 0; i < COUNT(cases); i++) {
        http_fake_script(&answer, 1);
        esp_http_client_handle_t client = make_client(cases[i].url);
        assert_int_equal(esp_http_client_get_transport_type(client), cases[i].transport);
        assert_err(esp_http_client_perform(client), ESP_OK);
        assert_string_equal(http_fake_seen()->request[0].url, cases[i].asked);
        assert_null(strstr(http_fake_seen()->request[0].headers, "Host:"));
        assert_err(esp_http_client_cleanup(client), ESP_OK);
    }
}

static void ftp_login_is_sent_unasked(void **state)
{
    (void)state;
    static const http_fake_exchange_t answer = {.body = "here", .body_len = 4};
    start_device(false);
    http_fake_script(&answer, 1);
    esp_http_client_handle_t client = make_client("ftps://me:secret@h/a");
    assert_err(esp_http_client_perform(client), ESP_OK);
    assert_non_null(strstr(http_fake_seen()->request[0].headers, "Authorization: Basic bWU6c2VjcmV0\n"));
    assert_err(esp_http_client_cleanup(client), ESP_OK);
}

static void file_urls_need_the_devices_permission(void **state)
{
    (void)state;
    static const http_fake_exchange_t answer = {.body = "here", .body_len = 4};
    start_device(false);
    assert_null(esp_http_client_init(&(esp_http_client_config_t){.url = "file:///usb/fw.bin"}));
    esp_http_client_handle_t client = make_client("https://h/");
    assert_err(esp_http_client_set_url(client, "file:///usb/fw.bin"), ESP_ERR_HTTP_INVALID_TRANSPORT);
    assert_err(esp_http_client_cleanup(client), ESP_OK);
    start_device(true);
    http_fake_script(&answer, 1);
    client = make_client("file://localhost/usb/fw.bin");
    assert_err(esp_http_client_perform(client), ESP_OK);
    assert_string_equal(http_fake_seen()->request[0].url, "file:///usb/fw.bin");
    assert_err(esp_http_client_cleanup(client), ESP_OK);
}

static void file_url_names_no_server_port_or_user(void **state)
{
    (void)state;
    static const char *const wrong[] = {"file://host/x",
                                        "file://me@/x",
                                        "file://me@localhost/x",
                                        "file://:80/x",
                                        "file://localhost:80/x",
                                        "file:/x",
                                        "file:x",
                                        "http:///x",
                                        "ftp:///x"};
    start_device(true);
    for (size_t i = 0; i < COUNT(wrong); i++) {
        if (esp_http_client_init(&(esp_http_client_config_t){.url = wrong[i]}) != NULL) {
            fail_msg("accepted: %s", wrong[i]);
        }
    }
}

static void relative_url_stays_in_its_scheme(void **state)
{
    (void)state;
    char url[64];
    start_device(true);
    esp_http_client_handle_t client = make_client("file:///usb/a/fw.bin");
    assert_err(esp_http_client_set_url(client, "../b/fw.bin"), ESP_OK);
    assert_err(esp_http_client_get_url(client, url, sizeof(url)), ESP_OK);
    assert_string_equal(url, "file:///usb/b/fw.bin");
    assert_err(esp_http_client_set_url(client, "//host/fw.bin"), ESP_ERR_INVALID_ARG);
    assert_err(esp_http_client_cleanup(client), ESP_OK);
}

static void credentials_do_not_follow_to_another_scheme(void **state)
{
    (void)state;
    char *name = NULL;
    start_device(true);
    esp_http_client_handle_t client = make_client("ftps://me:secret@h/a");
    assert_err(esp_http_client_set_url(client, "file:///x"), ESP_OK);
    assert_err(esp_http_client_get_username(client, &name), ESP_OK);
    assert_null(name);
    assert_err(esp_http_client_cleanup(client), ESP_OK);
}

static void redirect_to(const char *from, const char *location, esp_err_t expected)
{
    char header[128];
    snprintf(header, sizeof(header), "Location: %s\n", location);
    const http_fake_exchange_t answer = {.status = 302, .headers = header};
    http_fake_script(&answer, 1);
    esp_http_client_handle_t client = make_client(from);
    assert_err(esp_http_client_perform(client), expected);
    assert_int_equal(http_fake_seen()->request_count, 1);
    assert_err(esp_http_client_cleanup(client), ESP_OK);
}

static void redirect_out_of_http_is_not_followed_even_where_files_are_allowed(void **state)
{
    (void)state;
    start_device(true);
    redirect_to("http://h/", "file:///etc/passwd", ESP_ERR_HTTP_INVALID_TRANSPORT);
    redirect_to("http://h/", "ftp://other/", ESP_ERR_HTTP_INVALID_TRANSPORT);
    redirect_to("http://h/", "ftps://other/", ESP_ERR_HTTP_INVALID_TRANSPORT);
    redirect_to("http://h/", "gopher://other/", ESP_ERR_HTTP_INVALID_TRANSPORT);
    redirect_to("https://h/", "file:///etc/passwd", ESP_ERR_HTTP_REDIRECT_DOWNGRADE);
    redirect_to("https://h/", "ftps://h/", ESP_ERR_HTTP_INVALID_TRANSPORT);
    redirect_to("https://h/", "HTTP://h/", ESP_ERR_HTTP_REDIRECT_DOWNGRADE);
}

static void scheme_of_a_redirect_ignores_letter_case(void **state)
{
    (void)state;
    static const http_fake_exchange_t answers[] = {
        {.status = 302, .headers = "Location: HTTPS://h/b\n"},
        {.body = "here", .body_len = 4},
    };
    start_device(false);
    http_fake_script(answers, 2);
    esp_http_client_handle_t client = make_client("https://h/a");
    assert_err(esp_http_client_perform(client), ESP_OK);
    assert_string_equal(http_fake_seen()->request[1].url, "https://h/b");
    assert_err(esp_http_client_cleanup(client), ESP_OK);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(schemes_say_what_they_mean_for_trust),
    cmocka_unit_test(redirects_lead_to_http_only_and_never_out_of_protection),
    cmocka_unit_test(ftp_urls_reach_the_port_without_what_is_http),
    cmocka_unit_test(ftp_login_is_sent_unasked),
    cmocka_unit_test(file_urls_need_the_devices_permission),
    cmocka_unit_test(file_url_names_no_server_port_or_user),
    cmocka_unit_test(relative_url_stays_in_its_scheme),
    cmocka_unit_test(credentials_do_not_follow_to_another_scheme),
    cmocka_unit_test(redirect_out_of_http_is_not_followed_even_where_files_are_allowed),
    cmocka_unit_test(scheme_of_a_redirect_ignores_letter_case),
};

TEST_MAIN(tests)
