/* SPDX-License-Identifier: Apache-2.0 */
/* esp_http_client: what a server's challenge is answered with. Digest's answers are checked with OpenSSL. */
#include <openssl/evp.h>
#include <stdlib.h>

#include "device/http/http_internal.h"
#include "esp_http_client.h"
#include "otter/otter_device.h"
#include "otter/otter_flash_ram.h"
#include "tests/http/http_fixture.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define SHA256(nonce)                                                                                                  \
    "WWW-Authenticate: Digest realm=\"r\", nonce=\"" nonce "\", qop=\"auth\", algorithm=SHA-256, opaque=\"o\"\r\n"
#define MD5(nonce) "WWW-Authenticate: Digest realm=\"r\", nonce=\"" nonce "\", qop=\"auth\"\r\n"
#define BASIC      "WWW-Authenticate: Basic realm=\"r\"\r\n"
#define ASKS(header)                                                                                                   \
    {                                                                                                                  \
        .status = 401, .headers = (header), .times = 1                                                                 \
    }
#define LETS_IN                                                                                                        \
    {                                                                                                                  \
        .body = "here", .body_len = 4                                                                                  \
    }

static const esp_http_client_config_t me = {.username = "me", .password = "secret"};

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

static void assert_perform(esp_http_client_handle_t client, int status)
{
    assert_err(esp_http_client_perform(client), ESP_OK);
    assert_int_equal(esp_http_client_get_status_code(client), status);
}

/* ---- what was sent ---- */

/* The Authorization header of a request; empty: it had none. */
static const char *authorization(bad_server_t *server, unsigned index)
{
    static char text[2048];
    assert_true(bad_server_request(server, index, text, sizeof(text)));
    char *header = strstr(text, "\r\nAuthorization: ");
    if (header == NULL) {
        return "";
    }
    header += strlen("\r\nAuthorization: ");
    header[strcspn(header, "\r")] = '\0';
    return header;
}

static void read_param(const char *header, const char *name, char value[128])
{
    char start[32];
    snprintf(start, sizeof(start), ", %s=", name);
    const char *at = strstr(header, start);
    assert_non_null(at);
    at += strlen(start);
    at += *at == '"' ? 1 : 0;
    snprintf(value, 128, "%.*s", (int)strcspn(at, "\","), at);
}

static void hash(const EVP_MD *kind, const char *text, char hex[65])
{
    unsigned char out[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    assert_int_equal(EVP_Digest(text, strlen(text), out, &len, kind, NULL), 1);
    for (unsigned i = 0; i < len; i++) {
        snprintf(hex + (size_t)2 * i, 3, "%02x", out[i]);
    }
}

/* Checks a request's answer to a challenge with qop "auth". */
static void assert_digest(bad_server_t *server, unsigned index, const EVP_MD *kind, const char *method,
                          const char *nonce, const char *count)
{
    const char *header = authorization(server, index);
    char value[128];
    char uri[128];
    char cnonce[128];
    char user[65];
    char what[65];
    char text[1024];
    char response[65];
    assert_int_equal(strncmp(header, "Digest username=\"me\", realm=\"r\", ", 33), 0);
    read_param(header, "nonce", value);
    assert_string_equal(value, nonce);
    read_param(header, "nc", value);
    assert_string_equal(value, count);
    read_param(header, "uri", uri);
    read_param(header, "cnonce", cnonce);
    hash(kind, "me:r:secret", user);
    snprintf(text, sizeof(text), "%s:%s", method, uri);
    hash(kind, text, what);
    snprintf(text, sizeof(text), "%s:%s:%s:%s:auth:%s", user, nonce, count, cnonce, what);
    hash(kind, text, response);
    read_param(header, "response", value);
    assert_string_equal(value, response);
}

/* ---- Digest ---- */

static void digest_challenge_is_answered(void **state)
{
    http_fixture_t *f = *state;
    static const bad_reply_t replies[] = {ASKS(SHA256("n1")), LETS_IN};
    bad_server_t *server = http_fixture_serve(f, replies, COUNT(replies));
    esp_http_client_handle_t client = make_client(f, server, "/a/b?c=d", me);
    assert_perform(client, 200);
    assert_string_equal(authorization(server, 0), "");
    assert_digest(server, 1, EVP_sha256(), "GET", "n1", "00000001");
    assert_non_null(strstr(authorization(server, 1), ", uri=\"/a/b?c=d\", "));
    assert_non_null(strstr(authorization(server, 1), ", opaque=\"o\""));
    assert_int_equal(bad_server_count(server, BAD_COUNT_CONNECTIONS), 1);
    esp_http_client_cleanup(client);
}

static void digest_of_a_post_covers_its_method_and_sends_the_body_again(void **state)
{
    http_fixture_t *f = *state;
    char request[2048];
    static const bad_reply_t replies[] = {ASKS(MD5("n1")), LETS_IN};
    bad_server_t *server = http_fixture_serve(f, replies, COUNT(replies));
    esp_http_client_handle_t client = make_client(f, server, "/", me);
    assert_err(esp_http_client_set_method(client, HTTP_METHOD_POST), ESP_OK);
    assert_err(esp_http_client_set_post_field(client, "a=b", 3), ESP_OK);
    assert_perform(client, 200);
    assert_digest(server, 1, EVP_md5(), "POST", "n1", "00000001");
    assert_true(bad_server_request(server, 1, request, sizeof(request)));
    assert_non_null(strstr(request, "\r\n\r\na=b"));
    esp_http_client_cleanup(client);
}

static void nonce_is_used_again_with_the_next_number(void **state)
{
    http_fixture_t *f = *state;
    static const bad_reply_t replies[] = {ASKS(SHA256("n1")), LETS_IN};
    bad_server_t *server = http_fixture_serve(f, replies, COUNT(replies));
    esp_http_client_handle_t client = make_client(f, server, "/", me);
    assert_perform(client, 200);
    assert_err(esp_http_client_set_url(client, "/next"), ESP_OK);
    assert_perform(client, 200);
    assert_int_equal(bad_server_count(server, BAD_COUNT_REQUESTS), 3);
    assert_digest(server, 2, EVP_sha256(), "GET", "n1", "00000002");
    assert_non_null(strstr(authorization(server, 2), ", uri=\"/next\", "));
    esp_http_client_cleanup(client);
}

static void stale_nonce_is_replaced(void **state)
{
    http_fixture_t *f = *state;
    static const bad_reply_t replies[] = {
        ASKS(SHA256("n1")),
        ASKS("WWW-Authenticate: Digest realm=\"r\", nonce=\"n2\", qop=\"auth\", algorithm=SHA-256, stale=true\r\n"),
        LETS_IN,
    };
    bad_server_t *server = http_fixture_serve(f, replies, COUNT(replies));
    esp_http_client_handle_t client = make_client(f, server, "/", me);
    assert_perform(client, 200);
    assert_int_equal(bad_server_count(server, BAD_COUNT_REQUESTS), 3);
    assert_digest(server, 1, EVP_sha256(), "GET", "n1", "00000001");
    assert_digest(server, 2, EVP_sha256(), "GET", "n2", "00000001");
    esp_http_client_cleanup(client);
}

static void nonce_that_is_always_stale_ends_at_the_limit(void **state)
{
    http_fixture_t *f = *state;
    static const bad_reply_t replies[] = {
        {.status = 401, .headers = "WWW-Authenticate: Digest realm=\"r\", nonce=\"n\", qop=\"auth\", stale=true\r\n"}};
    bad_server_t *server = http_fixture_serve(f, replies, COUNT(replies));
    esp_http_client_config_t config = me;
    config.max_authorization_retries = 3;
    esp_http_client_handle_t client = make_client(f, server, "/", config);
    assert_perform(client, 401);
    assert_int_equal(bad_server_count(server, BAD_COUNT_REQUESTS), 4);
    esp_http_client_cleanup(client);
}

static void nonce_that_ran_out_is_replaced_even_if_the_server_does_not_say_stale(void **state)
{
    http_fixture_t *f = *state;
    static const bad_reply_t replies[] = {
        ASKS(MD5("n1")),
        {.body = "here", .body_len = 4, .times = 1},
        ASKS(MD5("n2")),
        LETS_IN,
    };
    bad_server_t *server = http_fixture_serve(f, replies, COUNT(replies));
    esp_http_client_handle_t client = make_client(f, server, "/", me);
    assert_perform(client, 200);
    assert_perform(client, 200);
    assert_int_equal(bad_server_count(server, BAD_COUNT_REQUESTS), 4);
    assert_digest(server, 2, EVP_md5(), "GET", "n1", "00000002");
    assert_digest(server, 3, EVP_md5(), "GET", "n2", "00000001");
    esp_http_client_cleanup(client);
}

static void digest_with_a_wrong_password_is_tried_once(void **state)
{
    http_fixture_t *f = *state;
    static const bad_reply_t replies[] = {{.status = 401, .headers = SHA256("n")}};
    bad_server_t *server = http_fixture_serve(f, replies, COUNT(replies));
    esp_http_client_handle_t client = make_client(f, server, "/", me);
    assert_perform(client, 401);
    assert_int_equal(bad_server_count(server, BAD_COUNT_REQUESTS), 2);
    assert_err(esp_http_client_add_auth(client), ESP_FAIL);
    assert_err(esp_http_client_set_password(client, "other"), ESP_OK);
    assert_err(esp_http_client_add_auth(client), ESP_OK);
    esp_http_client_cleanup(client);
}

static void digest_configured_waits_for_the_challenge(void **state)
{
    http_fixture_t *f = *state;
    static const bad_reply_t replies[] = {ASKS(SHA256("n1")), LETS_IN};
    bad_server_t *server = http_fixture_serve(f, replies, COUNT(replies));
    esp_http_client_config_t config = me;
    config.auth_type = HTTP_AUTH_TYPE_DIGEST;
    esp_http_client_handle_t client = make_client(f, server, "/", config);
    assert_perform(client, 200);
    assert_string_equal(authorization(server, 0), "");
    assert_digest(server, 1, EVP_sha256(), "GET", "n1", "00000001");
    esp_http_client_cleanup(client);
}

static void challenge_is_answered_step_by_step(void **state)
{
    http_fixture_t *f = *state;
    char body[8];
    static const bad_reply_t replies[] = {ASKS(SHA256("n1")), LETS_IN};
    bad_server_t *server = http_fixture_serve(f, replies, COUNT(replies));
    esp_http_client_handle_t client = make_client(f, server, "/", me);
    assert_err(esp_http_client_open(client, 0), ESP_OK);
    assert_int_equal(esp_http_client_fetch_headers(client), 0);
    assert_err(esp_http_client_add_auth(client), ESP_OK);
    assert_err(esp_http_client_open(client, 0), ESP_OK);
    assert_int_equal(esp_http_client_fetch_headers(client), 4);
    assert_int_equal(esp_http_client_read(client, body, sizeof(body)), 4);
    assert_digest(server, 1, EVP_sha256(), "GET", "n1", "00000001");
    esp_http_client_cleanup(client);
}

/* ---- which of several ---- */

static void strongest_challenge_is_answered(void **state)
{
    http_fixture_t *f = *state;
    static const struct {
        const char *headers;
        const char *answer;
    } cases[] = {
        {BASIC MD5("n1") SHA256("n2"), ", nonce=\"n2\""},
        {SHA256("n2") MD5("n1") BASIC, ", nonce=\"n2\""},
        {"WWW-Authenticate: Basic realm=\"r\", Digest realm=\"r\", nonce=\"n1\"\r\n", ", nonce=\"n1\""},
        {"WWW-Authenticate: Digest realm=\"r\", nonce=\"n1\", algorithm=SHA-512-256\r\n" MD5("n3"), ", nonce=\"n3\""},
        {"WWW-Authenticate: Digest realm=\"r\", nonce=\"n1\", qop=\"auth-int\", Basic realm=\"r\"\r\n", "Basic "},
        {"WWW-Authenticate: Negotiate, Bearer abc, Basic realm=\"r\"\r\n", "Basic "},
        {"WWW-Authenticate: Digest realm=\"r, nonce=\"n1\"\r\n" BASIC, "Basic "},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        const bad_reply_t replies[] = {ASKS(cases[i].headers), LETS_IN};
        bad_server_t *server = i == 0 ? http_fixture_serve(f, replies, 2) : f->servers[0];
        bad_server_set_replies(server, replies, 2);
        esp_http_client_handle_t client = make_client(f, server, "/", me);
        assert_perform(client, 200);
        assert_non_null(strstr(authorization(server, (unsigned)(2 * i + 1)), cases[i].answer));
        esp_http_client_cleanup(client);
    }
}

static void challenge_nobody_here_can_answer_is_not_answered(void **state)
{
    http_fixture_t *f = *state;
    static const char *const headers[] = {
        "WWW-Authenticate: Negotiate\r\n",
        "WWW-Authenticate: Digest realm=\"r\", nonce=\"n\", qop=\"auth-int\"\r\n",
        "WWW-Authenticate: Digest realm=\"r\", nonce=\"n\", algorithm=SHA-512-256\r\n",
        "WWW-Authenticate: Digest realm=\"r\"\r\n",
        "WWW-Authenticate: Basic realm=\"r\", Basic realm=\"x\r\n",
        "X-Authenticate: Basic\r\n",
    };
    for (size_t i = 0; i < COUNT(headers); i++) {
        const bad_reply_t reply = {.status = 401, .headers = headers[i]};
        bad_server_t *server = i == 0 ? http_fixture_serve(f, &reply, 1) : f->servers[0];
        bad_server_set_replies(server, &reply, 1);
        esp_http_client_handle_t client = make_client(f, server, "/", me);
        assert_perform(client, 401);
        assert_err(esp_http_client_add_auth(client), ESP_ERR_NOT_SUPPORTED);
        assert_int_equal(bad_server_count(server, BAD_COUNT_REQUESTS), i + 1);
        esp_http_client_cleanup(client);
    }
}

/* Whoever sits between could ask for Basic and read the password. */
static void digest_configured_never_becomes_basic(void **state)
{
    http_fixture_t *f = *state;
    static const bad_reply_t replies[] = {{.status = 401, .headers = BASIC}};
    bad_server_t *server = http_fixture_serve(f, replies, COUNT(replies));
    esp_http_client_config_t config = me;
    config.auth_type = HTTP_AUTH_TYPE_DIGEST;
    esp_http_client_handle_t client = make_client(f, server, "/", config);
    assert_perform(client, 401);
    assert_err(esp_http_client_add_auth(client), ESP_ERR_NOT_SUPPORTED);
    assert_int_equal(bad_server_count(server, BAD_COUNT_REQUESTS), 1);
    esp_http_client_cleanup(client);
}

static void digest_is_tried_after_basic_was_refused(void **state)
{
    http_fixture_t *f = *state;
    static const bad_reply_t replies[] = {ASKS(MD5("n1")), LETS_IN};
    bad_server_t *server = http_fixture_serve(f, replies, COUNT(replies));
    esp_http_client_config_t config = me;
    config.auth_type = HTTP_AUTH_TYPE_BASIC;
    esp_http_client_handle_t client = make_client(f, server, "/", config);
    assert_perform(client, 200);
    assert_int_equal(strncmp(authorization(server, 0), "Basic ", 6), 0);
    assert_digest(server, 1, EVP_md5(), "GET", "n1", "00000001");
    esp_http_client_cleanup(client);
}

static void challenge_from_the_application_counts_too(void **state)
{
    http_fixture_t *f = *state;
    static const char given[] = "Digest realm=\"r\", nonce=\"given\", qop=\"auth\"";
    static const bad_reply_t replies[] = {ASKS("X-Auth: mine\r\n"), LETS_IN};
    bad_server_t *server = http_fixture_serve(f, replies, COUNT(replies));
    esp_http_client_handle_t client = make_client(f, server, "/", me);
    assert_perform(client, 401);
    assert_err(esp_http_client_set_auth_data(client, given, (int)strlen(given)), ESP_OK);
    assert_err(esp_http_client_add_auth(client), ESP_OK);
    assert_perform(client, 200);
    assert_digest(server, 1, EVP_md5(), "GET", "given", "00000001");
    assert_err(esp_http_client_set_auth_data(NULL, given, 1), ESP_ERR_INVALID_ARG);
    assert_err(esp_http_client_set_auth_data(client, NULL, 1), ESP_ERR_INVALID_ARG);
    assert_err(esp_http_client_set_auth_data(client, given, 0), ESP_ERR_INVALID_ARG);
    esp_http_client_cleanup(client);
}

/* ---- without protection ---- */

static void allow_http(bool allowed)
{
    otter_device_t device = *otter_device_get();
    device.config.allow_http = allowed;
    assert_err(otter_device_init(&device), ESP_OK);
}

static void password_is_not_sent_unprotected_unless_wanted(void **state)
{
    http_fixture_t *f = *state;
    static const bad_reply_t replies[] = {{.status = 401, .headers = BASIC}};
    bad_server_t *server = http_fixture_serve_plain(f, replies, COUNT(replies));
    esp_http_client_config_t config = me;
    esp_http_client_handle_t client = make_client(f, server, "/", config);
    assert_perform(client, 401);
    assert_err(esp_http_client_add_auth(client), ESP_ERR_NOT_SUPPORTED);
    assert_int_equal(bad_server_count(server, BAD_COUNT_REQUESTS), 1);
    esp_http_client_cleanup(client);
    config.auth_type = HTTP_AUTH_TYPE_BASIC;
    client = make_client(f, server, "/", config);
    assert_perform(client, 401);
    assert_int_equal(strncmp(authorization(server, 1), "Basic ", 6), 0);
    esp_http_client_cleanup(client);
    allow_http(true);
    client = make_client(f, server, "/", me);
    assert_perform(client, 401);
    assert_int_equal(bad_server_count(server, BAD_COUNT_REQUESTS), 4);
    assert_int_equal(strncmp(authorization(server, 3), "Basic ", 6), 0);
    esp_http_client_cleanup(client);
}

static void digest_needs_no_protection(void **state)
{
    http_fixture_t *f = *state;
    static const bad_reply_t replies[] = {ASKS(BASIC MD5("n1")), LETS_IN};
    bad_server_t *server = http_fixture_serve_plain(f, replies, COUNT(replies));
    esp_http_client_handle_t client = make_client(f, server, "/", me);
    assert_perform(client, 200);
    assert_digest(server, 1, EVP_md5(), "GET", "n1", "00000001");
    esp_http_client_cleanup(client);
}

static void basic_that_a_challenge_asked_for_stays_within_tls(void **state)
{
    http_fixture_t *f = *state;
    char url[128];
    static const bad_reply_t replies[] = {ASKS(BASIC), LETS_IN};
    static const bad_reply_t open = LETS_IN;
    bad_server_t *server = http_fixture_serve(f, replies, COUNT(replies));
    bad_server_t *plain = http_fixture_serve_plain(f, &open, 1);
    esp_http_client_handle_t client = make_client(f, server, "/", me);
    assert_perform(client, 200);
    assert_int_equal(strncmp(authorization(server, 1), "Basic ", 6), 0);
    assert_err(esp_http_client_set_url(client, bad_server_url(plain, "/", url, sizeof(url))), ESP_OK);
    assert_perform(client, 200);
    assert_string_equal(authorization(plain, 0), "");
    esp_http_client_cleanup(client);
}

/* ---- whose header it is ---- */

static void header_of_the_application_is_left_alone(void **state)
{
    http_fixture_t *f = *state;
    static const bad_reply_t replies[] = {LETS_IN};
    bad_server_t *server = http_fixture_serve(f, replies, COUNT(replies));
    esp_http_client_config_t config = me;
    config.auth_type = HTTP_AUTH_TYPE_BASIC;
    esp_http_client_handle_t client = make_client(f, server, "/", config);
    assert_perform(client, 200);
    assert_int_equal(strncmp(authorization(server, 0), "Basic ", 6), 0);
    assert_err(esp_http_client_set_username(client, NULL), ESP_OK);
    assert_err(esp_http_client_set_header(client, "authorization", "Bearer token"), ESP_OK);
    assert_perform(client, 200);
    assert_perform(client, 200);
    assert_int_equal(bad_server_count(server, BAD_COUNT_REQUESTS), 3);
    char request[1024];
    assert_true(bad_server_request(server, 2, request, sizeof(request)));
    assert_non_null(strstr(request, "authorization: Bearer token\r\n"));
    esp_http_client_cleanup(client);
}

static void header_of_ours_goes_with_the_user_name(void **state)
{
    http_fixture_t *f = *state;
    static const bad_reply_t replies[] = {LETS_IN};
    bad_server_t *server = http_fixture_serve(f, replies, COUNT(replies));
    esp_http_client_config_t config = me;
    config.auth_type = HTTP_AUTH_TYPE_BASIC;
    esp_http_client_handle_t client = make_client(f, server, "/", config);
    assert_perform(client, 200);
    assert_err(esp_http_client_set_username(client, NULL), ESP_OK);
    assert_perform(client, 200);
    assert_int_equal(strncmp(authorization(server, 0), "Basic ", 6), 0);
    assert_string_equal(authorization(server, 1), "");
    esp_http_client_cleanup(client);
}

static void user_name_with_a_colon_is_not_sent_as_basic(void **state)
{
    http_fixture_t *f = *state;
    static const bad_reply_t replies[] = {LETS_IN};
    bad_server_t *server = http_fixture_serve(f, replies, COUNT(replies));
    esp_http_client_config_t config = {.username = "m:e", .password = "x", .auth_type = HTTP_AUTH_TYPE_BASIC};
    esp_http_client_handle_t client = make_client(f, server, "/", config);
    assert_err(esp_http_client_perform(client), ESP_ERR_INVALID_ARG);
    assert_int_equal(bad_server_count(server, BAD_COUNT_REQUESTS), 0);
    esp_http_client_cleanup(client);
}

static void digest_does_not_follow_to_another_host(void **state)
{
    http_fixture_t *f = *state;
    char url[128];
    static const bad_reply_t replies[] = {ASKS(SHA256("n1")), LETS_IN};
    static const bad_reply_t open = LETS_IN;
    bad_server_t *server = http_fixture_serve(f, replies, COUNT(replies));
    bad_server_t *other = http_fixture_serve(f, &open, 1);
    esp_http_client_config_t config = me;
    config.skip_cert_common_name_check = true;
    esp_http_client_handle_t client = make_client(f, server, "/", config);
    assert_perform(client, 200);
    snprintf(url, sizeof(url), "https://127.0.0.1:%u/", bad_server_port(other));
    assert_err(esp_http_client_set_url(client, url), ESP_OK);
    assert_perform(client, 200);
    assert_string_equal(authorization(other, 0), "");
    esp_http_client_cleanup(client);
}

/* What one server asked for is not sent to another unasked. */
static void another_host_is_waited_for_to_ask(void **state)
{
    http_fixture_t *f = *state;
    char url[128];
    static const bad_reply_t replies[] = {ASKS(BASIC), LETS_IN};
    static const bad_reply_t other_replies[] = {ASKS(SHA256("n1")), LETS_IN};
    bad_server_t *server = http_fixture_serve(f, replies, COUNT(replies));
    bad_server_t *other = http_fixture_serve(f, other_replies, COUNT(other_replies));
    esp_http_client_config_t config = me;
    config.skip_cert_common_name_check = true;
    esp_http_client_handle_t client = make_client(f, server, "/", config);
    assert_perform(client, 200);
    assert_int_equal(strncmp(authorization(server, 1), "Basic ", 6), 0);
    snprintf(url, sizeof(url), "https://me:secret@127.0.0.1:%u/", bad_server_port(other));
    assert_err(esp_http_client_set_url(client, url), ESP_OK);
    assert_perform(client, 200);
    assert_string_equal(authorization(other, 0), "");
    assert_digest(other, 1, EVP_sha256(), "GET", "n1", "00000001");
    esp_http_client_cleanup(client);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_http(digest_challenge_is_answered),
    cmocka_unit_test_http(digest_of_a_post_covers_its_method_and_sends_the_body_again),
    cmocka_unit_test_http(nonce_is_used_again_with_the_next_number),
    cmocka_unit_test_http(stale_nonce_is_replaced),
    cmocka_unit_test_http(nonce_that_is_always_stale_ends_at_the_limit),
    cmocka_unit_test_http(nonce_that_ran_out_is_replaced_even_if_the_server_does_not_say_stale),
    cmocka_unit_test_http(digest_with_a_wrong_password_is_tried_once),
    cmocka_unit_test_http(digest_configured_waits_for_the_challenge),
    cmocka_unit_test_http(challenge_is_answered_step_by_step),
    cmocka_unit_test_http(strongest_challenge_is_answered),
    cmocka_unit_test_http(challenge_nobody_here_can_answer_is_not_answered),
    cmocka_unit_test_http(digest_configured_never_becomes_basic),
    cmocka_unit_test_http(digest_is_tried_after_basic_was_refused),
    cmocka_unit_test_http(challenge_from_the_application_counts_too),
    cmocka_unit_test_http(password_is_not_sent_unprotected_unless_wanted),
    cmocka_unit_test_http(digest_needs_no_protection),
    cmocka_unit_test_http(basic_that_a_challenge_asked_for_stays_within_tls),
    cmocka_unit_test_http(header_of_the_application_is_left_alone),
    cmocka_unit_test_http(header_of_ours_goes_with_the_user_name),
    cmocka_unit_test_http(user_name_with_a_colon_is_not_sent_as_basic),
    cmocka_unit_test_http(digest_does_not_follow_to_another_host),
    cmocka_unit_test_http(another_host_is_waited_for_to_ask),
};

TEST_MAIN(tests)
