/* SPDX-License-Identifier: Apache-2.0 */
/* What port/http1 makes of a URL. */
#include "esp_http_client.h"
#include "port/http1/target.h"
#include "tests/support/test.h"

static const struct {
    const char *url;
    bool tls;
    const char *host;
    uint16_t port;
    const char *path;
    const char *header;
} good[] = {
    {"http://example.com", false, "example.com", 80, "", "example.com"},
    {"https://example.com/", true, "example.com", 443, "/", "example.com"},
    {"HTTPS://Example.COM:8443/a/../b//c?d=%41#e", true, "Example.COM", 8443, "/a/../b//c?d=%41", "Example.COM:8443"},
    {"http://h?q", false, "h", 80, "?q", "h"},
    {"http://h#f", false, "h", 80, "", "h"},
    {"http://h:/x", false, "h", 80, "/x", "h"},
    {"http://h:443/", false, "h", 443, "/", "h:443"},
    {"https://h:443/", true, "h", 443, "/", "h"},
    {"https://127.0.0.1:65535/x", true, "127.0.0.1", 65535, "/x", "127.0.0.1:65535"},
    {"https://[::1]:1/x", true, "::1", 1, "/x", "[::1]:1"},
    {"https://[2001:db8::1]", true, "2001:db8::1", 443, "", "[2001:db8::1]"},
    {"http://[fe80::1%25eth0]/", false, "fe80::1%eth0", 80, "/", "[fe80::1]"},
    {"http://h/@b:c", false, "h", 80, "/@b:c", "h"},
    {"http://h/\xC3\xA4", false, "h", 80, "/\xC3\xA4", "h"},
};

static void url_is_taken_apart(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        http1_target_t target;
        char header[HTTP1_ORIGIN_BYTES];
        assert_err(http1_target_parse(good[i].url, &target), ESP_OK);
        assert_int_equal(target.tls, good[i].tls);
        assert_string_equal(target.host, good[i].host);
        assert_int_equal(target.port, good[i].port);
        assert_int_equal(target.path_len, strlen(good[i].path));
        assert_memory_equal(target.path, good[i].path, target.path_len);
        http1_target_host_header(&target, header);
        assert_string_equal(header, good[i].header);
    }
}

static void malformed_urls_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "http://",         "http:///x",       "http://?q",        "http://:80/",    "http://h:0/",
        "http://h:65536/", "http://h:99999/", "http://h:8x/",     "http://h:-1/",   "http://h:1:2/",
        "http://[::1/",    "http://::1/",     "http://[]/",       "http://[::1]x/", "http://[::g x]/",
        "http://u@h/",     "http://u:p@h/",   "http://a b/",      "http://h/a b",   "http://h/a\r\nX: y",
        "http://h/\n",     "http://h/\x7f",   "http://h\x01/",    "http://h/\tx",   "http://h\\x/",
        "http://h\"/",     "http://h<>/",     "http://\xC3\xA4/",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        http1_target_t target;
        if (http1_target_parse(bad[i], &target) != ESP_ERR_HTTP_CONNECT) {
            fail_msg("taken: %s", bad[i]);
        }
    }
}

static void other_schemes_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"",     "h",         "ftp://h/",  "https:/h", "httpss://h/",
                                      "//h/", "file:///x", " http://h/"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        http1_target_t target;
        assert_err(http1_target_parse(bad[i], &target), ESP_ERR_HTTP_INVALID_TRANSPORT);
    }
}

static void longest_host_is_taken_and_a_longer_one_refused(void **state)
{
    (void)state;
    for (size_t more = 0; more < 2; more++) {
        char url[OTTER_STREAM_HOST_BYTES + 32];
        http1_target_t target;
        char origin[HTTP1_ORIGIN_BYTES];
        size_t host_len = OTTER_STREAM_HOST_BYTES - 1 + more;
        memset(url, 'h', sizeof(url));
        memcpy(url, "https://", 8);
        memcpy(url + 8 + host_len, ":65535/", 8);
        assert_err(http1_target_parse(url, &target), more == 0 ? ESP_OK : ESP_ERR_HTTP_CONNECT);
        if (more == 0) {
            http1_target_origin(&target, origin);
            assert_int_equal(strlen(origin), host_len + 6);
        }
    }
}

static void one_connection_serves_one_server(void **state)
{
    (void)state;
    static const struct {
        const char *url;
        bool same;
    } cases[] = {
        {"https://HOST:443/other", true}, {"http://host:443/", false},    {"https://host:444/", false},
        {"https://hos/", false},          {"https://host.other/", false},
    };
    http1_target_t a;
    assert_err(http1_target_parse("https://host/", &a), ESP_OK);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        http1_target_t b;
        assert_err(http1_target_parse(cases[i].url, &b), ESP_OK);
        assert_int_equal(http1_target_same_server(&a, &b), cases[i].same);
        assert_int_equal(http1_target_same_server(&b, &a), cases[i].same);
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(url_is_taken_apart),
    cmocka_unit_test(malformed_urls_are_refused),
    cmocka_unit_test(other_schemes_are_refused),
    cmocka_unit_test(longest_host_is_taken_and_a_longer_one_refused),
    cmocka_unit_test(one_connection_serves_one_server),
};

TEST_MAIN(tests)
