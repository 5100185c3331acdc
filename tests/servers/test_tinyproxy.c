/* SPDX-License-Identifier: Apache-2.0 */
/* Updates through tinyproxy: by environment and by configuration, CONNECT and plain, and what goes wrong. */
#include <signal.h>
#include <stdlib.h>

#include "otter/otter_http.h"
#include "otter/otter_http_proxy.h"
#include "otter/otter_os.h"
#include "tests/servers/device_update.h"
#include "tests/servers/nginx.h"
#include "tests/servers/vsftpd.h"
#include "tests/support/test.h"

#define LOG        "tinyproxy.log"
#define NGINX_LOG  "access.log"
#define TLS        "127.0.0.1:@PORT@ ssl http2"
#define NO_TLS     "127.0.0.1:@PORT@"
#define PATIENT_US 10000000

static site_server_t *start_tinyproxy(site_t *site, const char *lines)
{
    static const char frame[] = "Port @PORT@\nListen 127.0.0.1\nTimeout 20\nLogFile \"@HOME@/tinyproxy.log\"\n"
                                "LogLevel Info\nPidFile \"@HOME@/tinyproxy.pid\"\nMaxClients 20\nAllow 127.0.0.1\n%s";
    const char *program = site_need("tinyproxy");
    char text[1024];
    char conf[SITE_PATH_BYTES];
    uint16_t port = site_free_port();
    snprintf(text, sizeof(text), frame, lines);
    site_configure(site, "tinyproxy.conf", text, port);
    const char *const argv[] = {program, "-d", "-c", site_path(site, "tinyproxy.conf", conf), NULL};
    site_server_t *server = site_start(site, "", argv, "tinyproxy", port);
    assert_non_null(server);
    return server;
}

static char *proxy_url(const char *user, uint16_t port, char url[static 128])
{
    snprintf(url, 128, "http://%s127.0.0.1:%u", user, port);
    return url;
}

static void set_environment(const char *name, const char *user, uint16_t port)
{
    char url[128];
    assert_int_equal(setenv(name, proxy_url(user, port, url), 1), 0);
}

static esp_err_t update_from(device_site_t *device, const char *scheme, const site_server_t *server)
{
    char url[128];
    esp_http_client_config_t client = device_client(device, device_url(scheme, server->port, url));
    return device_update(&client);
}

static void do_not_try_again(device_site_t *device, bool allow_http)
{
    otter_config_t config = bench_config();
    config.download.retries = 0;
    config.allow_http = allow_http;
    bench_configure(device->bench, &config);
}

/* ---- whole updates ---- */

static void an_update_goes_through_the_proxy_of_the_environment(void **state)
{
    device_site_t *device = *state;
    site_server_t *server = nginx_start(&device->site, TLS, "", "");
    set_environment("https_proxy", "", start_tinyproxy(&device->site, "")->port);
    assert_err(update_from(device, "https", server), ESP_OK);
    bench_assert_switched(device->bench);
    SITE_EXPECT_LINE(&device->site, LOG, "CONNECT localhost:");
    SITE_EXPECT_LINE(&device->site, NGINX_LOG, "GET /fw.bin HTTP/2.0 200");
}

static void an_update_goes_through_the_configured_proxy(void **state)
{
    device_site_t *device = *state;
    char url[128];
    site_server_t *server = nginx_start(&device->site, TLS, "", "");
    site_server_t *proxy = start_tinyproxy(&device->site, "BasicAuth somebody hush\n");
    set_environment("https_proxy", "", site_free_port());
    assert_err(otter_http_set_proxy(proxy_url("somebody:hush@", proxy->port, url)), ESP_OK);
    assert_err(update_from(device, "https", server), ESP_OK);
    bench_assert_switched(device->bench);
    assert_err(otter_http_set_proxy(NULL), ESP_OK);
    SITE_EXPECT_LINE(&device->site, LOG, "CONNECT localhost:");
    SITE_EXPECT_LINE(&device->site, NGINX_LOG, "GET /fw.bin HTTP/2.0 200");
}

static void a_proxy_for_all_schemes_is_used(void **state)
{
    device_site_t *device = *state;
    site_server_t *server = nginx_start(&device->site, TLS, "", "");
    set_environment("all_proxy", "", start_tinyproxy(&device->site, "")->port);
    assert_err(update_from(device, "https", server), ESP_OK);
    bench_assert_switched(device->bench);
    SITE_EXPECT_LINE(&device->site, LOG, "CONNECT localhost:");
}

static void hosts_of_no_proxy_are_reached_directly(void **state)
{
    device_site_t *device = *state;
    site_server_t *server = nginx_start(&device->site, TLS, "", "");
    set_environment("https_proxy", "", start_tinyproxy(&device->site, "")->port);
    assert_int_equal(setenv("no_proxy", "example.com,localhost", 1), 0);
    assert_err(update_from(device, "https", server), ESP_OK);
    bench_assert_switched(device->bench);
    assert_int_equal(SITE_COUNT_LINES(&device->site, LOG, "CONNECT localhost"), 0);
}

static void plain_http_goes_through_a_proxy(void **state)
{
    device_site_t *device = *state;
    site_server_t *server = nginx_start(&device->site, NO_TLS, "", "");
    do_not_try_again(device, true);
    set_environment("http_proxy", "", start_tinyproxy(&device->site, "")->port);
    assert_err(update_from(device, "http", server), ESP_OK);
    bench_assert_switched(device->bench);
    SITE_EXPECT_LINE(&device->site, LOG, "GET http://localhost:");
    assert_int_equal(SITE_COUNT_LINES(&device->site, LOG, "CONNECT localhost"), 0);
}

/* As through a pipe: asked for a file on an FTP server, tinyproxy would not know how. */
static void ftp_goes_through_a_proxy_end_to_end(void **state)
{
    device_site_t *device = *state;
    site_server_t *server = vsftpd_start(&device->site, "");
    do_not_try_again(device, true);
    set_environment("ftp_proxy", "", start_tinyproxy(&device->site, "")->port);
    assert_err(update_from(device, "ftp", server), ESP_OK);
    bench_assert_switched(device->bench);
    /* The commands, and the data, once or twice. */
    assert_true(SITE_COUNT_LINES(&device->site, LOG, "Request", "CONNECT ") >= 2);
    SITE_EXPECT_LINE(&device->site, "vsftpd.log", "FTP command", "RETR fw.bin");
}

/* A CGI program's environment has what a client put into a Proxy header. */
static void http_proxy_in_capitals_is_nobody_s(void **state)
{
    device_site_t *device = *state;
    site_server_t *server = nginx_start(&device->site, NO_TLS, "", "");
    do_not_try_again(device, true);
    set_environment("HTTP_PROXY", "", start_tinyproxy(&device->site, "")->port);
    assert_err(update_from(device, "http", server), ESP_OK);
    assert_int_equal(unsetenv("HTTP_PROXY"), 0);
    assert_int_equal(SITE_COUNT_LINES(&device->site, LOG, "GET http"), 0);
}

static void a_proxy_that_is_down_switches_nothing(void **state)
{
    device_site_t *device = *state;
    site_server_t *server = nginx_start(&device->site, TLS, "", "");
    do_not_try_again(device, false);
    set_environment("https_proxy", "", site_free_port());
    assert_err(update_from(device, "https", server), ESP_ERR_HTTP_CONNECT);
    bench_assert_nothing_switched(device->bench);
    assert_int_equal(SITE_COUNT_LINES(&device->site, NGINX_LOG, "GET"), 0);
}

static void a_proxy_that_refuses_switches_nothing(void **state)
{
    device_site_t *device = *state;
    site_server_t *server = nginx_start(&device->site, TLS, "", "");
    do_not_try_again(device, false);
    set_environment("https_proxy", "", start_tinyproxy(&device->site, "ConnectPort 1\n")->port);
    assert_err(update_from(device, "https", server), ESP_ERR_HTTP_CONNECT);
    bench_assert_nothing_switched(device->bench);
    SITE_EXPECT_LINE(&device->site, LOG, "CONNECT localhost:");
    assert_int_equal(SITE_COUNT_LINES(&device->site, NGINX_LOG, "GET"), 0);
}

static void a_proxy_gets_its_password(void **state)
{
    device_site_t *device = *state;
    site_server_t *server = nginx_start(&device->site, TLS, "", "");
    site_server_t *proxy = start_tinyproxy(&device->site, "BasicAuth somebody hush\n");
    set_environment("https_proxy", "somebody:hush@", proxy->port);
    assert_err(update_from(device, "https", server), ESP_OK);
    bench_assert_switched(device->bench);
    SITE_EXPECT_LINE(&device->site, LOG, "CONNECT localhost:");
}

/* ---- one exchange: configuration, and what errors say ---- */

/* A GET through a proxy by configuration. @p error gets what is said if it fails. */
static esp_err_t get_by(const device_site_t *device, const char *proxy, const char *scheme, uint16_t port,
                        char error[static 256])
{
    char url[128];
    otter_http_response_t response = {0};
    otter_http_t *http = otter_http_new(&(otter_http_config_t){.tls.ca_pem = device->site.ca_pem, .proxy = proxy});
    assert_non_null(http);
    esp_err_t err =
        otter_http_open(http, &(otter_http_request_t){.method = "HEAD", .url = device_url(scheme, port, url)}, NULL,
                        NULL, otter_now_us() + PATIENT_US, &response);
    snprintf(error, 256, "%s", otter_http_error(http));
    assert_true(err != ESP_OK || response.status == 200);
    otter_http_free(http);
    return err;
}

static void a_configured_proxy_goes_before_the_environment(void **state)
{
    device_site_t *device = *state;
    char url[128];
    char error[256];
    site_server_t *server = nginx_start(&device->site, TLS, "", "");
    site_server_t *proxy = start_tinyproxy(&device->site, "");
    set_environment("https_proxy", "", site_free_port());
    assert_int_equal(setenv("no_proxy", "localhost", 1), 0);
    assert_err(get_by(device, proxy_url("", proxy->port, url), "https", server->port, error), ESP_OK);
    SITE_EXPECT_LINE(&device->site, LOG, "CONNECT localhost:");
}

static void an_empty_proxy_means_none(void **state)
{
    device_site_t *device = *state;
    char error[256];
    site_server_t *server = nginx_start(&device->site, TLS, "", "");
    set_environment("https_proxy", "", site_free_port());
    assert_err(get_by(device, "", "https", server->port, error), ESP_OK);
    assert_err(get_by(device, NULL, "https", server->port, error), ESP_ERR_HTTP_CONNECT);
}

static void errors_of_proxies_say_what_is_wrong_and_no_password(void **state)
{
    device_site_t *device = *state;
    site_server_t *refusing = start_tinyproxy(&device->site, "BasicAuth somebody hush\nConnectPort 1\n");
    const struct {
        const char *user;
        uint16_t port;
        const char *text;
    } cases[] = {
        {"somebody:secret@", refusing->port, "the proxy wants a user name and password, or refuses"},
        {"somebody:hush@", refusing->port, "the proxy refuses to connect to this server (403)"},
        {"somebody:secret@", site_free_port(), "127.0.0.1"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char url[128];
        char error[256];
        proxy_url(cases[i].user, cases[i].port, url);
        assert_err(get_by(device, url, "https", 9, error), ESP_ERR_HTTP_CONNECT);
        print_message("%s\n", error);
        assert_non_null(strstr(error, cases[i].text));
        assert_null(strstr(error, "secret"));
        assert_null(strstr(error, "hush"));
    }
}

static void a_proxy_url_that_cannot_be_used_is_not_quoted(void **state)
{
    static const char *const urls[] = {"gopher://somebody:secret@127.0.0.1:1", "http://somebody:secret@[127.0.0.1:1",
                                       "http://somebody:secret@nowhere.invalid:1", "somebody:secret@:1:1"};
    for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
        char error[256];
        assert_err(get_by(*state, urls[i], "https", 9, error), ESP_ERR_HTTP_CONNECT);
        print_message("%s\n", error);
        assert_null(strstr(error, "secret"));
        assert_true(strlen(error) > strlen("localhost:9: "));
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_servers(an_update_goes_through_the_proxy_of_the_environment),
    cmocka_unit_test_servers(an_update_goes_through_the_configured_proxy),
    cmocka_unit_test_servers(a_proxy_for_all_schemes_is_used),
    cmocka_unit_test_servers(hosts_of_no_proxy_are_reached_directly),
    cmocka_unit_test_servers(plain_http_goes_through_a_proxy),
    cmocka_unit_test_servers(ftp_goes_through_a_proxy_end_to_end),
    cmocka_unit_test_servers(http_proxy_in_capitals_is_nobody_s),
    cmocka_unit_test_servers(a_proxy_that_is_down_switches_nothing),
    cmocka_unit_test_servers(a_proxy_that_refuses_switches_nothing),
    cmocka_unit_test_servers(a_proxy_gets_its_password),
    cmocka_unit_test_servers(a_configured_proxy_goes_before_the_environment),
    cmocka_unit_test_servers(an_empty_proxy_means_none),
    cmocka_unit_test_servers(errors_of_proxies_say_what_is_wrong_and_no_password),
    cmocka_unit_test_servers(a_proxy_url_that_cannot_be_used_is_not_quoted),
};

TEST_MAIN(tests)
