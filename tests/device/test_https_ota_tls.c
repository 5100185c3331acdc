/* SPDX-License-Identifier: Apache-2.0 */
/* Updates over real TLS from a server that misbehaves: nothing is switched, and a good server mends it. */
#include <stdlib.h>

#include "tests/device/https_ota_bench.h"
#include "tests/support/bad_server.h"
#include "tests/support/certs.h"
#include "tests/support/test.h"

#define PATH    "/fw.bin"
#define WAIT_MS 500 /* The client's timeout where a server is silent. */

static struct {
    certs_ca_t *ca;
    certs_leaf_t leaf; /* For localhost. */
} world;

static int tls_setup(void **state)
{
    world.ca = certs_ca_new("Otter test CA");
    world.leaf = certs_leaf_new(world.ca, &(certs_spec_t){0});
    return bench_setup(state);
}

static int tls_teardown(void **state)
{
    certs_leaf_free(&world.leaf);
    certs_ca_free(world.ca);
    return bench_teardown(state);
}

static bad_server_t *serve(const certs_leaf_t *leaf, const bad_reply_t *replies, size_t count)
{
    return bad_server_start(&(bad_server_config_t){.cert_pem = leaf != NULL ? leaf->cert_pem : NULL,
                                                   .key_pem = leaf != NULL ? leaf->key_pem : NULL,
                                                   .replies = replies,
                                                   .reply_count = count});
}

static esp_err_t update_from(bad_server_t *server, const char *ca_pem, int timeout_ms)
{
    char url[128];
    esp_http_client_config_t client = {
        .url = bad_server_url(server, PATH, url, sizeof(url)), .cert_pem = ca_pem, .timeout_ms = timeout_ms};
    esp_https_ota_config_t config = {.http_config = &client};
    return esp_https_ota(&config);
}

static bad_reply_t good_reply(const bench_t *bench)
{
    return (bad_reply_t){.path = PATH, .body = bench->image, .body_len = bench->image_len};
}

/* What a user does after a failure: tries again, and the server is well. */
static void assert_good_server_mends_it(bench_t *bench, bad_server_t *server)
{
    bench_assert_nothing_switched(bench);
    bad_reply_t good = good_reply(bench);
    bad_server_set_replies(server, &good, 1);
    assert_err(update_from(server, certs_ca_pem(world.ca), 5000), ESP_OK);
    bench_assert_switched(bench);
}

/* A reply that must fail the update with @p expected. Its fault, if it has one, must have happened. */
static void assert_reply_fails(bench_t *bench, const bad_reply_t *bad, int timeout_ms, esp_err_t expected)
{
    bad_server_t *server = serve(&world.leaf, bad, 1);
    assert_err(update_from(server, certs_ca_pem(world.ca), timeout_ms), expected);
    if (bad->fault != BAD_NONE) {
        assert_true(bad_server_await(server, BAD_COUNT_FAULTS, 1) >= 1);
    }
    assert_good_server_mends_it(bench, server);
    bad_server_stop(server);
}

static void good_server_updates_the_device(void **state)
{
    bench_t *bench = *state;
    bad_reply_t good = good_reply(bench);
    bad_server_t *server = serve(&world.leaf, &good, 1);
    assert_err(update_from(server, certs_ca_pem(world.ca), 5000), ESP_OK);
    assert_int_equal(bad_server_count(server, BAD_COUNT_HANDSHAKES), 1);
    bench_assert_switched(bench);
    bad_server_stop(server);
}

static void each_framing_of_the_body_updates_the_device(void **state)
{
    bench_t *bench = *state;
    const bad_framing_t framings[] = {BAD_LENGTH, BAD_CHUNKED, BAD_UNTIL_CLOSE};
    for (size_t i = 0; i < 3; i++) {
        bad_reply_t reply = good_reply(bench);
        reply.framing = framings[i];
        bad_server_t *server = serve(&world.leaf, &reply, 1);
        assert_err(update_from(server, certs_ca_pem(world.ca), 5000), ESP_OK);
        bench_assert_switched(bench);
        bad_server_stop(server);
    }
}

static void truncated_body_switches_nothing(void **state)
{
    bench_t *bench = *state;
    const bad_fault_t faults[] = {BAD_TRUNCATE, BAD_CUT, BAD_RESET};
    for (size_t i = 0; i < 3; i++) {
        bad_reply_t bad = good_reply(bench);
        bad.fault = faults[i];
        bad.fault_at = 9000;
        bad_server_t *server = serve(&world.leaf, &bad, 1);
        assert_err(update_from(server, certs_ca_pem(world.ca), 5000), ESP_FAIL);
        assert_true(bad_server_await(server, BAD_COUNT_FAULTS, 1) >= 1);
        bench_assert_nothing_switched(bench);
        bad_server_stop(server);
    }
    bad_reply_t bad = good_reply(bench);
    bad.fault = BAD_TRUNCATE;
    bad.fault_at = 500;
    assert_reply_fails(bench, &bad, 5000, ESP_FAIL);
}

static void chunked_body_without_last_chunk_switches_nothing(void **state)
{
    bench_t *bench = *state;
    bad_reply_t bad = good_reply(bench);
    bad.framing = BAD_CHUNKED;
    bad.fault = BAD_NO_LAST_CHUNK;
    assert_reply_fails(bench, &bad, 5000, ESP_FAIL);
}

static void body_cut_short_where_only_the_close_ends_it_switches_nothing(void **state)
{
    bench_t *bench = *state;
    bad_reply_t bad = good_reply(bench);
    bad.framing = BAD_UNTIL_CLOSE;
    bad.body_len = 9000;
    assert_reply_fails(bench, &bad, 5000, ESP_ERR_OTA_VALIDATE_FAILED);
}

static void stalled_body_ends_with_a_timeout(void **state)
{
    bench_t *bench = *state;
    bench_limit_stalls(bench, WAIT_MS);
    bad_reply_t bad = good_reply(bench);
    bad.fault = BAD_STALL_IN_BODY;
    bad.fault_at = 9000;
    assert_reply_fails(bench, &bad, WAIT_MS, ESP_ERR_TIMEOUT);
}

static void silent_server_ends_with_a_timeout(void **state)
{
    bench_t *bench = *state;
    bad_reply_t bad = good_reply(bench);
    bad.fault = BAD_STALL_BEFORE_HEAD;
    assert_reply_fails(bench, &bad, WAIT_MS, ESP_ERR_TIMEOUT);
}

static void garbage_instead_of_http_switches_nothing(void **state)
{
    bench_t *bench = *state;
    bad_reply_t bad = good_reply(bench);
    bad.fault = BAD_GARBAGE;
    assert_reply_fails(bench, &bad, 5000, ESP_FAIL);
}

static void web_page_instead_of_an_image_switches_nothing(void **state)
{
    bench_t *bench = *state;
    static char page[4096] = "<html>please log in to the hotel network";
    memset(page + strlen(page), ' ', sizeof(page) - strlen(page) - 1);
    bad_reply_t bad = {.path = PATH, .headers = "Content-Type: text/html\r\n", .body = page, .body_len = sizeof(page)};
    assert_reply_fails(bench, &bad, 5000, ESP_ERR_OTA_VALIDATE_FAILED);
}

static void image_for_another_chip_switches_nothing(void **state)
{
    bench_t *bench = *state;
    fixture_image_t spec = FIXTURE_IMAGE_FOR(ESP_CHIP_ID_ESP32S3, "bench", "2.0.0");
    size_t len;
    uint8_t *image = fixture_image(&spec, &len);
    bad_reply_t bad = {.path = PATH, .body = image, .body_len = len};
    assert_reply_fails(bench, &bad, 5000, ESP_ERR_INVALID_VERSION);
    free(image);
}

static void image_too_large_for_the_slot_erases_nothing(void **state)
{
    bench_t *bench = *state;
    uint8_t *large = calloc(1, BENCH_SLOT_BYTES + 1);
    memcpy(large, bench->image, bench->image_len);
    bad_reply_t bad = {.path = PATH, .body = large, .body_len = BENCH_SLOT_BYTES + 1};
    bad_server_t *server = serve(&world.leaf, &bad, 1);
    assert_err(update_from(server, certs_ca_pem(world.ca), 5000), ESP_ERR_INVALID_SIZE);
    assert_int_equal(bench->slot_erases + bench->otadata_changes, 0);
    bad.framing = BAD_CHUNKED;
    bad_server_set_replies(server, &bad, 1);
    assert_err(update_from(server, certs_ca_pem(world.ca), 5000), ESP_ERR_INVALID_SIZE);
    assert_good_server_mends_it(bench, server);
    bad_server_stop(server);
    free(large);
}

static void corrupted_image_switches_nothing(void **state)
{
    bench_t *bench = *state;
    uint8_t *corrupt = malloc(bench->image_len);
    memcpy(corrupt, bench->image, bench->image_len);
    corrupt[12345] ^= 4;
    bad_reply_t bad = {.path = PATH, .body = corrupt, .body_len = bench->image_len};
    assert_reply_fails(bench, &bad, 5000, ESP_ERR_OTA_VALIDATE_FAILED);
    free(corrupt);
}

static void missing_file_and_broken_server_switch_nothing(void **state)
{
    bench_t *bench = *state;
    const int statuses[] = {404, 500};
    for (size_t i = 0; i < 2; i++) {
        bad_reply_t bad = {.path = PATH, .status = statuses[i], .body = "no", .body_len = 2};
        bad_server_t *server = serve(&world.leaf, &bad, 1);
        assert_err(update_from(server, certs_ca_pem(world.ca), 5000), ESP_FAIL);
        assert_int_equal(bad_server_count(server, BAD_COUNT_REQUESTS), 1);
        bench_assert_nothing_switched(bench);
        bad_server_stop(server);
    }
}

/* --- who the server is --- */

/* A server that the client must refuse before it sends anything. */
static void assert_server_refused(bench_t *bench, const certs_leaf_t *leaf, const char *ca_pem)
{
    bad_reply_t good = good_reply(bench);
    bad_server_t *server = serve(leaf, &good, 1);
    assert_err(update_from(server, ca_pem, 5000), ESP_ERR_HTTP_CONNECT);
    assert_int_equal(bad_server_count(server, BAD_COUNT_REQUESTS), 0);
    bench_assert_nothing_switched(bench);
    assert_int_equal(bench->slot_erases + bench->slot_programs + bench->otadata_changes, 0);
    bad_server_stop(server);
}

static void server_of_another_ca_is_refused(void **state)
{
    certs_ca_t *other = certs_ca_new("Somebody else");
    assert_server_refused(*state, &world.leaf, certs_ca_pem(other));
    certs_ca_free(other);
}

static void certificate_for_another_host_is_refused(void **state)
{
    certs_leaf_t leaf = certs_leaf_new(world.ca, &(certs_spec_t){.dns_name = "updates.example"});
    assert_server_refused(*state, &leaf, certs_ca_pem(world.ca));
    certs_leaf_free(&leaf);
}

static void expired_certificate_is_refused(void **state)
{
    certs_leaf_t leaf = certs_leaf_new(world.ca, &(certs_spec_t){.not_before_hours = -48, .not_after_hours = -1});
    assert_server_refused(*state, &leaf, certs_ca_pem(world.ca));
    certs_leaf_free(&leaf);
}

static void server_without_tls_is_never_asked(void **state)
{
    bench_t *bench = *state;
    bad_reply_t good = good_reply(bench);
    bad_server_t *server = serve(NULL, &good, 1);
    assert_err(update_from(server, certs_ca_pem(world.ca), 5000), ESP_ERR_INVALID_ARG);
    assert_int_equal(bad_server_count(server, BAD_COUNT_CONNECTIONS), 0);
    bench_assert_nothing_switched(bench);
    bad_server_stop(server);
}

/* --- redirects --- */

static void chain_of_redirects_leads_to_the_image(void **state)
{
    bench_t *bench = *state;
    const bad_reply_t replies[] = {
        {.path = PATH, .status = 301, .headers = "Location: /a\r\n", .body = "moved", .body_len = 5},
        {.path = "/a", .status = 302, .headers = "Location: b/c\r\n"},
        {.path = "/b/c", .status = 307, .headers = "Location: ../d?x=1\r\n"},
        {.path = "/d?x=1", .body = bench->image, .body_len = bench->image_len},
    };
    bad_server_t *server = serve(&world.leaf, replies, 4);
    assert_err(update_from(server, certs_ca_pem(world.ca), 5000), ESP_OK);
    assert_int_equal(bad_server_count(server, BAD_COUNT_REQUESTS), 4);
    bench_assert_switched(bench);
    bad_server_stop(server);
}

static void redirect_loop_switches_nothing(void **state)
{
    bench_t *bench = *state;
    bad_reply_t loop = {.path = PATH, .status = 302, .headers = "Location: " PATH "\r\n"};
    bad_server_t *server = serve(&world.leaf, &loop, 1);
    assert_err(update_from(server, certs_ca_pem(world.ca), 5000), ESP_ERR_HTTP_MAX_REDIRECT);
    assert_int_equal(bad_server_count(server, BAD_COUNT_REQUESTS), 11);
    assert_good_server_mends_it(bench, server);
    bad_server_stop(server);
}

static void redirect_to_plain_http_is_not_followed(void **state)
{
    bench_t *bench = *state;
    bad_reply_t good = good_reply(bench);
    bad_server_t *plain = serve(NULL, &good, 1);
    char location[160];
    char url[128];
    snprintf(location, sizeof(location), "Location: %s\r\n", bad_server_url(plain, PATH, url, sizeof(url)));
    bad_reply_t down = {.path = PATH, .status = 302, .headers = location};
    assert_reply_fails(bench, &down, 5000, ESP_ERR_HTTP_REDIRECT_DOWNGRADE);
    assert_int_equal(bad_server_count(plain, BAD_COUNT_CONNECTIONS), 0);
    bad_server_stop(plain);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown(good_server_updates_the_device, tls_setup, tls_teardown),
    cmocka_unit_test_setup_teardown(each_framing_of_the_body_updates_the_device, tls_setup, tls_teardown),
    cmocka_unit_test_setup_teardown(truncated_body_switches_nothing, tls_setup, tls_teardown),
    cmocka_unit_test_setup_teardown(chunked_body_without_last_chunk_switches_nothing, tls_setup, tls_teardown),
    cmocka_unit_test_setup_teardown(body_cut_short_where_only_the_close_ends_it_switches_nothing, tls_setup,
                                    tls_teardown),
    cmocka_unit_test_setup_teardown(stalled_body_ends_with_a_timeout, tls_setup, tls_teardown),
    cmocka_unit_test_setup_teardown(silent_server_ends_with_a_timeout, tls_setup, tls_teardown),
    cmocka_unit_test_setup_teardown(garbage_instead_of_http_switches_nothing, tls_setup, tls_teardown),
    cmocka_unit_test_setup_teardown(web_page_instead_of_an_image_switches_nothing, tls_setup, tls_teardown),
    cmocka_unit_test_setup_teardown(image_for_another_chip_switches_nothing, tls_setup, tls_teardown),
    cmocka_unit_test_setup_teardown(image_too_large_for_the_slot_erases_nothing, tls_setup, tls_teardown),
    cmocka_unit_test_setup_teardown(corrupted_image_switches_nothing, tls_setup, tls_teardown),
    cmocka_unit_test_setup_teardown(missing_file_and_broken_server_switch_nothing, tls_setup, tls_teardown),
    cmocka_unit_test_setup_teardown(server_of_another_ca_is_refused, tls_setup, tls_teardown),
    cmocka_unit_test_setup_teardown(certificate_for_another_host_is_refused, tls_setup, tls_teardown),
    cmocka_unit_test_setup_teardown(expired_certificate_is_refused, tls_setup, tls_teardown),
    cmocka_unit_test_setup_teardown(server_without_tls_is_never_asked, tls_setup, tls_teardown),
    cmocka_unit_test_setup_teardown(chain_of_redirects_leads_to_the_image, tls_setup, tls_teardown),
    cmocka_unit_test_setup_teardown(redirect_loop_switches_nothing, tls_setup, tls_teardown),
    cmocka_unit_test_setup_teardown(redirect_to_plain_http_is_not_followed, tls_setup, tls_teardown),
};

TEST_MAIN(tests)
