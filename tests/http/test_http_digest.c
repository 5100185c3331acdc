/* SPDX-License-Identifier: Apache-2.0 */
/* WWW-Authenticate taken apart, and Digest's answers against the examples of RFC 2617 and RFC 7616. */
#include <stdbool.h>
#include <stdlib.h>

#include "device/http/http_challenge.h"
#include "device/http/http_digest.h"
#include "tests/support/test.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void assert_span(http_span_t span, const char *text)
{
    assert_non_null(span.at);
    assert_int_equal(span.len, strlen(text));
    assert_memory_equal(span.at, text, span.len);
}

static void assert_param(const http_challenge_t *challenge, const char *name, const char *expected)
{
    char value[128];
    assert_err(http_get_challenge_param(challenge, name, value, sizeof(value)), ESP_OK);
    assert_string_equal(value, expected);
}

/* ---- challenges ---- */

static void several_challenges_of_one_header_are_told_apart(void **state)
{
    (void)state;
    const char *at =
        "Newauth realm=\"apps\", type=1,\ttitle=\"Login to \\\"apps\\\"\", Basic realm=\"simple\",, Negotiate, "
        "Bearer a2b/+~._-=== , Last";
    http_challenge_t challenge;
    assert_err(http_next_challenge(&at, &challenge), ESP_OK);
    assert_span(challenge.scheme, "Newauth");
    assert_int_equal(challenge.param_count, 3);
    assert_param(&challenge, "REALM", "apps");
    assert_param(&challenge, "type", "1");
    assert_param(&challenge, "title", "Login to \"apps\"");
    assert_err(http_next_challenge(&at, &challenge), ESP_OK);
    assert_span(challenge.scheme, "Basic");
    assert_int_equal(challenge.param_count, 1);
    assert_param(&challenge, "realm", "simple");
    assert_err(http_next_challenge(&at, &challenge), ESP_OK);
    assert_span(challenge.scheme, "Negotiate");
    assert_int_equal(challenge.param_count, 0);
    assert_null(challenge.token68.at);
    assert_err(http_next_challenge(&at, &challenge), ESP_OK);
    assert_span(challenge.scheme, "Bearer");
    assert_span(challenge.token68, "a2b/+~._-===");
    assert_err(http_next_challenge(&at, &challenge), ESP_OK);
    assert_span(challenge.scheme, "Last");
    assert_err(http_next_challenge(&at, &challenge), ESP_ERR_NOT_FOUND);
    assert_err(http_next_challenge(&at, &challenge), ESP_ERR_NOT_FOUND);
}

static void commas_and_quotes_inside_quotes_end_nothing(void **state)
{
    (void)state;
    const char *at = "Digest realm = \"a, Basic \\\\ \\\" b=c\" , nonce=\"n\"";
    http_challenge_t challenge;
    assert_err(http_next_challenge(&at, &challenge), ESP_OK);
    assert_int_equal(challenge.param_count, 2);
    assert_param(&challenge, "realm", "a, Basic \\ \" b=c");
    assert_param(&challenge, "nonce", "n");
    assert_err(http_next_challenge(&at, &challenge), ESP_ERR_NOT_FOUND);
}

static void empty_header_has_no_challenge(void **state)
{
    (void)state;
    static const char *const empty[] = {"", " ", ",", " , ,\t"};
    for (size_t i = 0; i < COUNT(empty); i++) {
        const char *at = empty[i];
        http_challenge_t challenge;
        assert_err(http_next_challenge(&at, &challenge), ESP_ERR_NOT_FOUND);
    }
}

static void malformed_challenge_is_refused(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "=",
        "\"Basic\"",
        "Basic=x",
        "Basic/x",
        "Basic realm =",
        "Basic realm=\"x",
        "Basic realm=\"x\\\"",
        "Basic realm=\"x\\",
        "Basic realm=\"x\"y",
        "Basic realm=\"x\" nonce=\"y\"",
        "Basic realm=x y",
        "Basic realm=\"x\", realm=\"y\"",
        "Basic realm=\"x\", REALM=\"y\"",
        "Basic (comment)",
        "Basic a=1, b=2, c=3, d=4, e=5, f=6, g=7, h=8, i=9, j=10, k=11, l=12, m=13, n=14, o=15, p=16, q=17",
    };
    for (size_t i = 0; i < COUNT(wrong); i++) {
        const char *at = wrong[i];
        http_challenge_t challenge;
        esp_err_t err = http_next_challenge(&at, &challenge);
        if (err != ESP_ERR_INVALID_ARG) {
            fail_msg("%s: %x", wrong[i], (unsigned)err);
        }
    }
}

static void parameter_that_does_not_fit_is_not_cut(void **state)
{
    (void)state;
    const char *at = "Digest realm=\"12345\"";
    char value[6];
    http_challenge_t challenge;
    assert_err(http_next_challenge(&at, &challenge), ESP_OK);
    assert_err(http_get_challenge_param(&challenge, "realm", value, 6), ESP_OK);
    assert_string_equal(value, "12345");
    assert_err(http_get_challenge_param(&challenge, "realm", value, 5), ESP_ERR_INVALID_SIZE);
    assert_string_equal(value, "");
    assert_err(http_get_challenge_param(&challenge, "nonce", value, 6), ESP_ERR_NOT_FOUND);
}

/* ---- answers ---- */

static http_digest_t take(const char *header)
{
    http_challenge_t challenge;
    http_digest_t digest;
    assert_err(http_next_challenge(&header, &challenge), ESP_OK);
    assert_err(http_digest_take(&challenge, &digest), ESP_OK);
    return digest;
}

static void assert_answer(http_digest_t *digest, const http_digest_request_t *request, const char *expected)
{
    char *answer = NULL;
    assert_err(http_digest_answer(digest, request, &answer), ESP_OK);
    assert_string_equal(answer, expected);
    free(answer);
}

static const http_digest_request_t mufasa = {"Mufasa", "Circle of Life", "GET", "/dir/index.html"};

static void rfc7616_example_is_answered_with_md5(void **state)
{
    (void)state;
    http_digest_t digest = take("Digest realm=\"http-auth@example.org\", qop=\"auth, auth-int\", algorithm=MD5, "
                                "nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", "
                                "opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\"");
    strcpy(digest.cnonce, "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ");
    assert_answer(&digest, &mufasa,
                  "Digest username=\"Mufasa\", realm=\"http-auth@example.org\", "
                  "nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", uri=\"/dir/index.html\", "
                  "response=\"8ca523f5e9506fed4657c9700eebdbec\", algorithm=MD5, "
                  "opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\", qop=auth, nc=00000001, "
                  "cnonce=\"f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ\"");
}

static void rfc7616_example_is_answered_with_sha256(void **state)
{
    (void)state;
    http_digest_t digest = take("digest realm=\"http-auth@example.org\", qop=\"auth, auth-int\", algorithm=sha-256, "
                                "nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", "
                                "opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\"");
    strcpy(digest.cnonce, "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ");
    assert_answer(&digest, &mufasa,
                  "Digest username=\"Mufasa\", realm=\"http-auth@example.org\", "
                  "nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", uri=\"/dir/index.html\", "
                  "response=\"753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1\", algorithm=SHA-256, "
                  "opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\", qop=auth, nc=00000001, "
                  "cnonce=\"f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ\"");
}

static void rfc2617_example_is_answered_without_naming_the_algorithm(void **state)
{
    (void)state;
    http_digest_t digest = take("Digest realm=\"testrealm@host.com\", qop=\"auth,auth-int\", "
                                "nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\", "
                                "opaque=\"5ccc069c403ebaf9f0171e9517f40e41\"");
    strcpy(digest.cnonce, "0a4f113b");
    assert_answer(
        &digest, &(http_digest_request_t){"Mufasa", "Circle Of Life", "GET", "/dir/index.html"},
        "Digest username=\"Mufasa\", realm=\"testrealm@host.com\", "
        "nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\", uri=\"/dir/index.html\", "
        "response=\"6629fae49393a05397450978507c4ef1\", opaque=\"5ccc069c403ebaf9f0171e9517f40e41\", qop=auth, "
        "nc=00000001, cnonce=\"0a4f113b\"");
}

/* The numbers of the next two: coreutils' md5sum and sha256sum. */
static void server_without_quality_of_protection_is_answered_as_in_rfc2069(void **state)
{
    (void)state;
    http_digest_t digest = take("Digest realm=\"r\", nonce=\"n\"");
    strcpy(digest.cnonce, "unused");
    assert_answer(&digest, &(http_digest_request_t){"u", "p", "GET", "/"},
                  "Digest username=\"u\", realm=\"r\", nonce=\"n\", uri=\"/\", "
                  "response=\"f23121ca97143c6b358da620220c83b4\"");
}

static void session_variant_hashes_the_nonces_into_the_key(void **state)
{
    (void)state;
    http_digest_t digest = take("Digest realm=\"r\", nonce=\"n\", qop=auth, algorithm=\"SHA-256-sess\"");
    strcpy(digest.cnonce, "c");
    assert_answer(&digest, &(http_digest_request_t){"u", "p", "GET", "/"},
                  "Digest username=\"u\", realm=\"r\", nonce=\"n\", uri=\"/\", "
                  "response=\"ea348c3992b38a8ab656b8bcd3589ab596820515773c2a4605013c6216e0f070\", "
                  "algorithm=SHA-256-sess, qop=auth, nc=00000001, cnonce=\"c\"");
}

static void user_name_is_hashed_if_the_server_wants_it(void **state)
{
    (void)state;
    http_digest_t digest = take("Digest realm=\"r\", nonce=\"n\", userhash=TRUE");
    char *answer = NULL;
    assert_err(http_digest_answer(&digest, &(http_digest_request_t){"u", "p", "GET", "/"}, &answer), ESP_OK);
    assert_non_null(strstr(answer, "Digest username=\"ba84be203fdfc7d34e054a76d285d0c9\", "));
    assert_non_null(strstr(answer, "response=\"f23121ca97143c6b358da620220c83b4\""));
    assert_non_null(strstr(answer, ", userhash=true"));
    free(answer);
}

static void quotes_in_names_are_hashed_bare_and_sent_escaped(void **state)
{
    (void)state;
    http_digest_t digest = take("Digest realm=\"a \\\"b\\\" \\\\c\", nonce=\"n\"");
    assert_string_equal(digest.realm, "a \"b\" \\c");
    assert_answer(&digest, &(http_digest_request_t){"m\"e", "p", "GET", "/"},
                  "Digest username=\"m\\\"e\", realm=\"a \\\"b\\\" \\\\c\", nonce=\"n\", uri=\"/\", "
                  "response=\"51abdcc361a44524230c06b16926ff53\"");
}

static void each_answer_has_a_number_of_its_own(void **state)
{
    (void)state;
    http_digest_t digest = take("Digest realm=\"r\", nonce=\"n\", qop=auth");
    char *first = NULL;
    char *second = NULL;
    assert_err(http_digest_choose_cnonce(&digest), ESP_OK);
    assert_err(http_digest_answer(&digest, &mufasa, &first), ESP_OK);
    assert_err(http_digest_answer(&digest, &mufasa, &second), ESP_OK);
    assert_non_null(strstr(first, "nc=00000001"));
    assert_non_null(strstr(second, "nc=00000002"));
    assert_int_not_equal(strncmp(strstr(first, "response="), strstr(second, "response="), 40), 0);
    free(first);
    free(second);
}

static void client_nonces_differ(void **state)
{
    (void)state;
    http_digest_t a = take("Digest realm=\"r\", nonce=\"n\", qop=auth");
    http_digest_t b = a;
    assert_err(http_digest_choose_cnonce(&a), ESP_OK);
    assert_err(http_digest_choose_cnonce(&b), ESP_OK);
    assert_int_equal(strlen(a.cnonce), 32);
    assert_string_not_equal(a.cnonce, b.cnonce);
}

static void what_cannot_be_answered_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *header;
        esp_err_t err;
    } cases[] = {
        {"Digest nonce=\"n\"", ESP_ERR_INVALID_ARG},
        {"Digest realm=\"r\"", ESP_ERR_INVALID_ARG},
        {"Digest", ESP_ERR_INVALID_ARG},
        {"Digest abc==", ESP_ERR_INVALID_ARG},
        {"Digest realm=\"r\", nonce=\"n\", algorithm=SHA-512-256", ESP_ERR_NOT_SUPPORTED},
        {"Digest realm=\"r\", nonce=\"n\", algorithm=SHA-1", ESP_ERR_NOT_SUPPORTED},
        {"Digest realm=\"r\", nonce=\"n\", qop=\"auth-int\"", ESP_ERR_NOT_SUPPORTED},
        {"Digest realm=\"r\", nonce=\"n\", qop=\"authority\"", ESP_ERR_NOT_SUPPORTED},
        {"Digest realm=\"r\", nonce=\"n\", qop=\"\"", ESP_ERR_NOT_SUPPORTED},
        {"Digest realm=\"r\", nonce=\"n\", qop=\" , \"", ESP_ERR_NOT_SUPPORTED},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        const char *at = cases[i].header;
        http_challenge_t challenge;
        http_digest_t digest;
        assert_err(http_next_challenge(&at, &challenge), ESP_OK);
        assert_err(http_digest_take(&challenge, &digest), cases[i].err);
    }
}

static void value_that_is_too_long_is_refused(void **state)
{
    (void)state;
    static const char *const names[] = {"realm", "nonce", "opaque"};
    char text[HTTP_DIGEST_TEXT_BYTES + 1];
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    for (size_t i = 0; i < COUNT(names); i++) {
        char header[1024];
        const char *at = header;
        http_challenge_t challenge;
        http_digest_t digest;
        snprintf(header, sizeof(header), "Digest realm=\"%s\", nonce=\"%s\", opaque=\"%s\"", i == 0 ? text : "r",
                 i == 1 ? text : "n", i == 2 ? text : "o");
        assert_err(http_next_challenge(&at, &challenge), ESP_OK);
        assert_err(http_digest_take(&challenge, &digest), ESP_ERR_INVALID_ARG);
    }
}

static void longest_texts_that_need_escapes_fit_the_answer(void **state)
{
    (void)state;
    char user[512];
    http_digest_t digest =
        take("Digest realm=\"r\", nonce=\"n\", opaque=\"o\", qop=auth, algorithm=SHA-256-sess, userhash=true");
    memset(user, '"', sizeof(user) - 1);
    user[sizeof(user) - 1] = '\0';
    memset(digest.realm, '\\', HTTP_DIGEST_TEXT_BYTES - 1);
    memset(digest.nonce, '"', HTTP_DIGEST_TEXT_BYTES - 1);
    memset(digest.opaque, '"', HTTP_DIGEST_TEXT_BYTES - 1);
    char *answer = NULL;
    digest.hashes_user = false;
    assert_err(http_digest_choose_cnonce(&digest), ESP_OK);
    assert_err(http_digest_answer(&digest, &(http_digest_request_t){user, user, "GET", user}, &answer), ESP_OK);
    assert_non_null(strstr(answer, "\", qop=auth, nc=00000001, cnonce=\""));
    assert_int_equal(answer[strlen(answer) - 1], '"');
    free(answer);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(several_challenges_of_one_header_are_told_apart),
    cmocka_unit_test(commas_and_quotes_inside_quotes_end_nothing),
    cmocka_unit_test(empty_header_has_no_challenge),
    cmocka_unit_test(malformed_challenge_is_refused),
    cmocka_unit_test(parameter_that_does_not_fit_is_not_cut),
    cmocka_unit_test(rfc7616_example_is_answered_with_md5),
    cmocka_unit_test(rfc7616_example_is_answered_with_sha256),
    cmocka_unit_test(rfc2617_example_is_answered_without_naming_the_algorithm),
    cmocka_unit_test(server_without_quality_of_protection_is_answered_as_in_rfc2069),
    cmocka_unit_test(session_variant_hashes_the_nonces_into_the_key),
    cmocka_unit_test(user_name_is_hashed_if_the_server_wants_it),
    cmocka_unit_test(quotes_in_names_are_hashed_bare_and_sent_escaped),
    cmocka_unit_test(each_answer_has_a_number_of_its_own),
    cmocka_unit_test(client_nonces_differ),
    cmocka_unit_test(what_cannot_be_answered_is_refused),
    cmocka_unit_test(value_that_is_too_long_is_refused),
    cmocka_unit_test(longest_texts_that_need_escapes_fit_the_answer),
};

TEST_MAIN(tests)
