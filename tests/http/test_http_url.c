/* SPDX-License-Identifier: Apache-2.0 */
/* URLs taken apart and resolved: pure functions. */
#include "device/http/http_headers.h"
#include "device/http/http_url.h"
#include "tests/support/test.h"

static void assert_resolves(const char *base, const char *reference, const char *expected)
{
    char url[256];
    if (!http_url_resolve(base, reference, url, sizeof(url))) {
        fail_msg("%s is refused", reference);
    }
    assert_string_equal(url, expected);
}

/* The table of RFC 3986, 5.4, fragments dropped. */
static void references_resolve_as_the_rfc_says(void **state)
{
    static const struct {
        const char *reference;
        const char *expected;
    } cases[] = {
        {"g", "http://a/b/c/g"},
        {"./g", "http://a/b/c/g"},
        {"g/", "http://a/b/c/g/"},
        {"/g", "http://a/g"},
        {"//g", "http://g/"},
        {"?y", "http://a/b/c/d;p?y"},
        {"g?y", "http://a/b/c/g?y"},
        {"#s", "http://a/b/c/d;p?q"},
        {"g#s", "http://a/b/c/g"},
        {"g?y#s", "http://a/b/c/g?y"},
        {";x", "http://a/b/c/;x"},
        {"g;x", "http://a/b/c/g;x"},
        {"", "http://a/b/c/d;p?q"},
        {".", "http://a/b/c/"},
        {"./", "http://a/b/c/"},
        {"..", "http://a/b/"},
        {"../", "http://a/b/"},
        {"../g", "http://a/b/g"},
        {"../..", "http://a/"},
        {"../../", "http://a/"},
        {"../../g", "http://a/g"},
        {"../../../g", "http://a/g"},
        {"../../../../g", "http://a/g"},
        {"/./g", "http://a/g"},
        {"/../g", "http://a/g"},
        {"g.", "http://a/b/c/g."},
        {".g", "http://a/b/c/.g"},
        {"g..", "http://a/b/c/g.."},
        {"..g", "http://a/b/c/..g"},
        {"./../g", "http://a/b/g"},
        {"./g/.", "http://a/b/c/g/"},
        {"g/./h", "http://a/b/c/g/h"},
        {"g/../h", "http://a/b/c/h"},
        {"g;x=1/./y", "http://a/b/c/g;x=1/y"},
        {"g;x=1/../y", "http://a/b/c/y"},
        {"g?y/../x", "http://a/b/c/g?y/../x"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_resolves("http://a/b/c/d;p?q", cases[i].reference, cases[i].expected);
    }
}

static void absolute_reference_replaces_everything(void **state)
{
    (void)state;
    assert_resolves("https://old/x?y", "https://new:8443/a/../b?c=d", "https://new:8443/b?c=d");
    assert_resolves("http://a", "b", "http://a/b");
    assert_resolves("https://a:1/x", "/y", "https://a:1/y");
    assert_resolves("https://[::1]:8443/x/y", "z", "https://[::1]:8443/x/z");
    assert_resolves("http://a/x", "//user:pw@b:81/y", "http://user:pw@b:81/y");
}

static void malformed_references_are_refused(void **state)
{
    static const char *const bad[] = {"http://",      "http:///path",      "http://a:0/",           "http://a:65536/",
                                      "http://a:x/",  "http://a b/",       "http://a/\r\nX",        "http://[::1/",
                                      "http://a\\b/", "https:x",           "http://a:80:90",        "http://[]/",
                                      "//",           "http://a/<script>", "mailto:me@example.com", "http://a:99999",
                                      "/x y",         "http://a\x7f/x",    "http://a:000080000/"};
    char url[256];
    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        if (http_url_resolve("http://base/", bad[i], url, sizeof(url))) {
            fail_msg("%s is accepted as %s", bad[i], url);
        }
    }
    assert_false(http_url_resolve("not/absolute", "x", url, sizeof(url)));
}

static void result_that_does_not_fit_is_refused(void **state)
{
    char url[32];
    (void)state;
    for (size_t size = 0; size < strlen("http://host/path/name") + 1; size++) {
        assert_false(http_url_resolve("http://host/path/x", "name", url, size));
    }
    assert_true(http_url_resolve("http://host/path/x", "name", url, strlen("http://host/path/name") + 1));
    assert_string_equal(url, "http://host/path/name");
}

static void url_is_taken_apart(void **state)
{
    http_url_t url;
    (void)state;
    assert_true(http_url_split("HTTPS://me:secret@[fe80::1]:8443/a/b?c=d#e", &url));
    assert_true(http_span_is(url.scheme, "https"));
    assert_true(http_span_is(url.userinfo, "me:secret"));
    assert_true(http_span_is(url.host, "[fe80::1]"));
    assert_int_equal(http_url_port(&url, 443), 8443);
    assert_true(http_span_is(url.path, "/a/b"));
    assert_true(http_span_is(url.query, "c=d"));
}

static void absent_pieces_are_told_from_empty_ones(void **state)
{
    http_url_t url;
    (void)state;
    assert_true(http_url_split("http://host:?", &url));
    assert_null(url.userinfo.at);
    assert_null(url.port.at);
    assert_int_equal(http_url_port(&url, 80), 80);
    assert_non_null(url.query.at);
    assert_int_equal(url.query.len, 0);
    assert_int_equal(url.path.len, 0);
}

static void user_name_with_an_at_sign_does_not_move_the_host(void **state)
{
    http_url_t url;
    (void)state;
    assert_true(http_url_split("https://good.example@evil.example/", &url));
    assert_true(http_span_is(url.host, "evil.example"));
    assert_true(http_url_split("https://a@b@evil.example/", &url));
    assert_true(http_span_is(url.host, "evil.example"));
}

static void header_names_ignore_letter_case_and_the_last_value_wins(void **state)
{
    http_headers_t headers = {0};
    (void)state;
    assert_err(http_headers_set(&headers, "X-One", "1"), ESP_OK);
    assert_err(http_headers_set(&headers, "x-one", "2"), ESP_OK);
    assert_int_equal(headers.count, 1);
    assert_string_equal(http_headers_get(&headers, "X-ONE"), "2");
    http_headers_remove(&headers, "X-oNe");
    assert_null(http_headers_get(&headers, "X-One"));
    http_headers_clear(&headers);
}

static void header_with_a_line_break_is_refused(void **state)
{
    http_headers_t headers = {0};
    (void)state;
    assert_err(http_headers_set(&headers, "X-One", "1\r\nX-Two: 2"), ESP_ERR_INVALID_ARG);
    assert_err(http_headers_set(&headers, "X-One:", "1"), ESP_ERR_INVALID_ARG);
    assert_err(http_headers_set(&headers, "X One", "1"), ESP_ERR_INVALID_ARG);
    assert_err(http_headers_set(&headers, "", "1"), ESP_ERR_INVALID_ARG);
    assert_int_equal(headers.count, 0);
    http_headers_clear(&headers);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(references_resolve_as_the_rfc_says),
    cmocka_unit_test(absolute_reference_replaces_everything),
    cmocka_unit_test(malformed_references_are_refused),
    cmocka_unit_test(result_that_does_not_fit_is_refused),
    cmocka_unit_test(url_is_taken_apart),
    cmocka_unit_test(absent_pieces_are_told_from_empty_ones),
    cmocka_unit_test(user_name_with_an_at_sign_does_not_move_the_host),
    cmocka_unit_test(header_names_ignore_letter_case_and_the_last_value_wins),
    cmocka_unit_test(header_with_a_line_break_is_refused),
};

TEST_MAIN(tests)
