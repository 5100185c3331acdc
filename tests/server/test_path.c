/* SPDX-License-Identifier: Apache-2.0 */
#include "server/http/path.h"

#include <stdlib.h>

#include "tests/support/test.h"

static enum path_result decode(const char *target, size_t target_len, char *name, size_t name_size)
{
    char *copy = malloc(target_len > 0 ? target_len : 1);
    char *exact = malloc(name_size);
    assert_non_null(copy);
    assert_non_null(exact);
    memcpy(copy, target, target_len);
    enum path_result result = path_decode(copy, target_len, exact, name_size);
    if (result == PATH_OK) {
        memcpy(name, exact, strlen(exact) + 1);
    }
    free(exact);
    free(copy);
    return result;
}

static void expect_name(const char *target, const char *expected)
{
    char name[64] = "";
    print_message("%s\n", target);
    assert_int_equal(decode(target, strlen(target), name, sizeof(name)), PATH_OK);
    assert_string_equal(name, expected);
}

static void expect_result(const char *target, enum path_result expected)
{
    char name[64];
    print_message("%s\n", target);
    assert_int_equal(decode(target, strlen(target), name, sizeof(name)), expected);
}

static void plain_and_escaped_names_are_decoded(void **state)
{
    (void)state;
    expect_name("/fw.bin", "fw.bin");
    expect_name("/a/b/c", "a/b/c");
    expect_name("/%66w%2Ebin", "fw.bin");
    expect_name("/a%2Fb", "a/b");
    expect_name("/a../b..c", "a../b..c");
    expect_name("/with%20blank+plus", "with blank+plus");
    expect_name("/%ff%01", "\xff\x01");
}

static void hidden_and_climbing_names_are_no_files(void **state)
{
    static const char *const targets[] = {
        "/",         "//",      "/a/",         "//a",      "/a//b",    "/.",         "/..",
        "/../a",     "/a/..",   "/a/../b",     "/./a",     "/.hidden", "/a/.hidden", "/%2e%2e/a",
        "/.%2e/a",   "/%2E./a", "/a%2f..",     "/..%2fa",  "/%2fetc",  "/a/%2e",     "/...",
        "/a%2F%2Fb", "/..a",    "/?x=/fw.bin", "/../../x", "/#fw",     "http://h/",  "https://h/../a",
    };
    (void)state;
    for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
        expect_result(targets[i], PATH_NO_FILE);
    }
}

static void broken_escapes_and_zero_bytes_are_malformed(void **state)
{
    static const char *const targets[] = {"",        "fw.bin",      "*",         "/%",     "/a%4",
                                          "/a%zz",   "/a%4g",       "/%00",      "/a%00b", "/fw.bin%00.txt",
                                          "http://", "http://host", "ftp://h/a", "a:443"};
    (void)state;
    for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
        expect_result(targets[i], PATH_MALFORMED);
    }
    char name[64];
    assert_int_equal(decode("/a\0b", 4, name, sizeof(name)), PATH_MALFORMED);
}

static void query_and_authority_are_passed_over(void **state)
{
    (void)state;
    expect_name("/fw.bin?version=../1", "fw.bin");
    expect_name("/fw.bin?%00", "fw.bin");
    expect_name("https://example.com:8443/a/fw.bin", "a/fw.bin");
    expect_name("http://h/a?b", "a");
    expect_name("/a%3Fb", "a?b");
}

static void a_name_fills_its_buffer_but_no_more(void **state)
{
    char name[8];
    (void)state;
    assert_int_equal(decode("/1234567", 8, name, 8), PATH_OK);
    assert_string_equal(name, "1234567");
    assert_int_equal(decode("/12345678", 9, name, 8), PATH_TOO_LONG);
    assert_int_equal(decode("/%31%32%33%34%35%36%37", 22, name, 8), PATH_OK);
    assert_int_equal(decode("/1", 2, name, 1), PATH_TOO_LONG);
}

static void every_truncation_is_read_within_its_bounds(void **state)
{
    static const char target[] = "https://host/a%20b/c%2Fd?e";
    size_t served = 0;
    (void)state;
    for (size_t len = 0; len < sizeof(target); len++) {
        char name[64];
        served += decode(target, len, name, sizeof(name)) == PATH_OK;
    }
    assert_true(served > 5);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(plain_and_escaped_names_are_decoded),
    cmocka_unit_test(hidden_and_climbing_names_are_no_files),
    cmocka_unit_test(broken_escapes_and_zero_bytes_are_malformed),
    cmocka_unit_test(query_and_authority_are_passed_over),
    cmocka_unit_test(a_name_fills_its_buffer_but_no_more),
    cmocka_unit_test(every_truncation_is_read_within_its_bounds),
};

TEST_MAIN(tests)
