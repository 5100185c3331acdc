/* SPDX-License-Identifier: Apache-2.0 */
/* Servers that send the device elsewhere. */
#include "tests/download/download_rig.h"

/* A redirect from RIG_PATH. */
static bad_reply_t redirect(int status, const char *header)
{
    return (bad_reply_t){.path = RIG_PATH, .status = status, .headers = header, .fault = BAD_CONTENT};
}

/* The file, at another path. */
static bad_reply_t good_at(const rig_t *rig, const char *path)
{
    bad_reply_t reply = rig_good(rig);
    reply.path = path;
    return reply;
}

static void chain_of_redirects_leads_to_the_image(void **state)
{
    rig_t *rig = *state;
    bad_reply_t second = redirect(302, "Location: b/c\r\n");
    bad_reply_t third = redirect(307, "Location: ../d?x=1\r\n");
    second.path = "/a";
    third.path = "/b/c";
    const bad_reply_t replies[] = {redirect(301, "Location: /a\r\n"), second, third, good_at(rig, "/d?x=1")};
    rig_serve(rig, replies, 4);
    rig_assert_updates(rig);
    rig_assert_faults(rig, 3);
    assert_int_equal(bad_server_count(rig->server, BAD_COUNT_REQUESTS), 4);
}

static void redirect_without_a_scheme_is_followed(void **state)
{
    rig_t *rig = *state;
    char header[96];
    bad_reply_t to = good_at(rig, "/elsewhere");
    rig_serve_only(rig, &to);
    snprintf(header, sizeof(header), "Location: //localhost:%u/elsewhere\r\n", bad_server_port(rig->server));
    const bad_reply_t replies[] = {redirect(308, header), to};
    bad_server_set_replies(rig->server, replies, 2);
    rig_assert_updates(rig);
    rig_assert_faults(rig, 1);
}

static void redirect_loop_is_left(void **state)
{
    rig_t *rig = *state;
    bad_reply_t loop = redirect(302, "Location: " RIG_PATH "\r\n");
    rig_serve_only(rig, &loop);
    rig_assert_refuses_untouched(rig, ESP_ERR_HTTP_MAX_REDIRECT);
    rig_assert_faults(rig, 11);
    assert_int_equal(bad_server_count(rig->server, BAD_COUNT_REQUESTS), 11);
}

static void redirects_in_a_circle_are_left(void **state)
{
    rig_t *rig = *state;
    bad_reply_t back = redirect(303, "Location: " RIG_PATH "\r\n");
    back.path = "/b";
    const bad_reply_t replies[] = {redirect(301, "Location: /b\r\n"), back};
    rig_serve(rig, replies, 2);
    rig_assert_refuses_untouched(rig, ESP_ERR_HTTP_MAX_REDIRECT);
    rig_assert_faults(rig, 11);
}

/* A redirect once in each request is no loop, however often the connection is cut. Where it leads may be good for a short
 * time only: each try begins at the first address. */
static void each_try_begins_at_the_first_address(void **state)
{
    rig_t *rig = *state;
    bad_reply_t cut = rig_bad(rig, BAD_CUT, 1000);
    cut.path = "/b";
    const bad_reply_t replies[] = {redirect(302, "Location: /b\r\n"), cut};
    rig_serve(rig, replies, 2);
    rig_assert_updates(rig);
    rig_assert_faults(rig, 20);
    rig_assert_asked(rig, 2, "GET " RIG_PATH " ");
    assert_int_equal(rig_bytes_twice(rig), 0);
}

/* localhost and 127.0.0.1 are two hosts: no password goes from one to the other. */
static void other_host_does_not_get_the_password(void **state)
{
    rig_t *rig = *state;
    rig->http.username = "otter";
    rig->http.password = "secret";
    rig->http.auth_type = HTTP_AUTH_TYPE_BASIC;
    char header[96];
    bad_reply_t to = good_at(rig, "/other");
    rig_serve_only(rig, &to);
    snprintf(header, sizeof(header), "Location: https://127.0.0.1:%u/other\r\n", bad_server_port(rig->server));
    const bad_reply_t replies[] = {redirect(302, header), to};
    bad_server_set_replies(rig->server, replies, 2);
    rig_assert_updates(rig);
    rig_assert_faults(rig, 1);
    rig_assert_asked(rig, 0, "Authorization: Basic");
    rig_assert_not_asked(rig, 1, "Authorization");
    rig_assert_asked(rig, 1, "Host: 127.0.0.1");
}

static void redirect_to_plain_http_is_not_followed(void **state)
{
    rig_t *rig = *state;
    bad_reply_t good = rig_good(rig);
    bad_server_t *plain = bad_server_start(&(bad_server_config_t){.replies = &good, .reply_count = 1});
    char url[128];
    char header[160];
    snprintf(header, sizeof(header), "Location: %s\r\n", bad_server_url(plain, RIG_PATH, url, sizeof(url)));
    bad_reply_t down = redirect(302, header);
    rig_serve_only(rig, &down);
    rig_assert_refuses_untouched(rig, ESP_ERR_HTTP_REDIRECT_DOWNGRADE);
    rig_assert_faults(rig, 1);
    assert_int_equal(bad_server_count(plain, BAD_COUNT_CONNECTIONS), 0);
    bad_server_stop(plain);
}

/* Only the request for the rest is sent to a plain server. */
static void later_redirect_to_plain_http_is_not_followed(void **state)
{
    rig_t *rig = *state;
    bad_reply_t good = rig_good(rig);
    bad_server_t *plain = bad_server_start(&(bad_server_config_t){.replies = &good, .reply_count = 1});
    char url[128];
    char header[160];
    snprintf(header, sizeof(header), "Location: %s\r\n", bad_server_url(plain, RIG_PATH, url, sizeof(url)));
    const bad_reply_t replies[] = {rig_bad_once(rig, BAD_CUT, 9000), redirect(302, header)};
    rig_serve(rig, replies, 2);
    rig_assert_refuses(rig, ESP_ERR_HTTP_REDIRECT_DOWNGRADE);
    rig_assert_faults(rig, 2);
    assert_int_equal(bad_server_count(plain, BAD_COUNT_CONNECTIONS), 0);
    bad_server_stop(plain);
}

static void plain_server_may_send_the_device_to_tls(void **state)
{
    rig_t *rig = *state;
    bad_reply_t good = rig_good(rig);
    bad_server_t *secure = bad_server_start(&(bad_server_config_t){
        .cert_pem = rig->leaf.cert_pem, .key_pem = rig->leaf.key_pem, .replies = &good, .reply_count = 1});
    char url[128];
    char header[160];
    snprintf(header, sizeof(header), "Location: %s\r\n", bad_server_url(secure, RIG_PATH, url, sizeof(url)));
    bad_reply_t up = redirect(301, header);
    rig_serve_plain(rig, &up, 1);
    rig_assert_updates(rig);
    rig_assert_faults(rig, 1);
    assert_int_equal(bad_server_count(secure, BAD_COUNT_HANDSHAKES), 1);
    bad_server_stop(secure);
}

static void assert_leads_nowhere(rig_t *rig, const char *header, esp_err_t expected)
{
    bad_reply_t bad = redirect(302, header);
    rig_serve_only(rig, &bad);
    rig_assert_refuses_untouched(rig, expected);
    rig_assert_faults(rig, 1);
}

static void redirect_without_location_leads_nowhere(void **state)
{
    assert_leads_nowhere(*state, NULL, ESP_ERR_INVALID_ARG);
}

static void redirect_to_an_empty_host_leads_nowhere(void **state)
{
    assert_leads_nowhere(*state, "Location: https:///fw.bin\r\n", ESP_ERR_INVALID_ARG);
}

static void redirect_to_an_impossible_port_leads_nowhere(void **state)
{
    assert_leads_nowhere(*state, "Location: https://localhost:99999/fw.bin\r\n", ESP_ERR_INVALID_ARG);
}

static void redirect_to_a_file_of_the_device_leads_nowhere(void **state)
{
    assert_leads_nowhere(*state, "Location: file:///etc/hostname\r\n", ESP_ERR_HTTP_REDIRECT_DOWNGRADE);
}

static void redirect_to_ftp_leads_nowhere(void **state)
{
    assert_leads_nowhere(*state, "Location: ftp://127.0.0.1/fw.bin\r\n", ESP_ERR_HTTP_REDIRECT_DOWNGRADE);
}

static void redirect_with_a_space_in_it_leads_nowhere(void **state)
{
    assert_leads_nowhere(*state, "Location: https://local host/fw.bin\r\n", ESP_ERR_INVALID_ARG);
}

static void redirect_to_a_closed_port_is_given_up(void **state)
{
    assert_leads_nowhere(*state, "Location: https://127.0.0.1:1/fw.bin\r\n", ESP_ERR_HTTP_CONNECT);
}

/* Signed addresses of file stores are long. */
static void redirect_of_3000_characters_is_followed(void **state)
{
    rig_t *rig = *state;
    static char header[3100] = "Location: /";
    memset(header + 11, 'a', 3000);
    memcpy(header + 3011, "\r\n", 3);
    char path[3002] = "/";
    memset(path + 1, 'a', 3000);
    path[3001] = '\0';
    const bad_reply_t replies[] = {redirect(302, header), good_at(rig, path)};
    rig_serve(rig, replies, 2);
    rig_assert_updates(rig);
    rig_assert_faults(rig, 1);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_rig(chain_of_redirects_leads_to_the_image),
    cmocka_unit_test_rig(redirect_without_a_scheme_is_followed),
    cmocka_unit_test_rig(redirect_loop_is_left),
    cmocka_unit_test_rig(redirects_in_a_circle_are_left),
    cmocka_unit_test_rig(each_try_begins_at_the_first_address),
    cmocka_unit_test_rig(other_host_does_not_get_the_password),
    cmocka_unit_test_rig(redirect_to_plain_http_is_not_followed),
    cmocka_unit_test_rig(later_redirect_to_plain_http_is_not_followed),
    cmocka_unit_test_rig(plain_server_may_send_the_device_to_tls),
    cmocka_unit_test_rig(redirect_without_location_leads_nowhere),
    cmocka_unit_test_rig(redirect_to_an_empty_host_leads_nowhere),
    cmocka_unit_test_rig(redirect_to_an_impossible_port_leads_nowhere),
    cmocka_unit_test_rig(redirect_to_a_file_of_the_device_leads_nowhere),
    cmocka_unit_test_rig(redirect_to_ftp_leads_nowhere),
    cmocka_unit_test_rig(redirect_with_a_space_in_it_leads_nowhere),
    cmocka_unit_test_rig(redirect_to_a_closed_port_is_given_up),
    cmocka_unit_test_rig(redirect_of_3000_characters_is_followed),
};

TEST_MAIN(tests)
