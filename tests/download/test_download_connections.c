/* SPDX-License-Identifier: Apache-2.0 */
/* Connections that do not come about, and servers that are not who they should be. */
#include "tests/download/download_rig.h"

/* The first connection begins like this, the others well. */
static void assert_got_past(rig_t *rig, bad_greeting_t greeting)
{
    bad_reply_t good = rig_good(rig);
    rig_serve_only(rig, &good);
    bad_server_set_connections(rig->server, &(bad_connection_t){.greeting = greeting, .times = 1}, 1);
    rig_assert_updates(rig);
    rig_assert_faults(rig, 1);
    assert_int_equal(bad_server_count(rig->server, BAD_COUNT_REQUESTS), 1);
}

/* All connections do. */
static void assert_given_up(rig_t *rig, bad_greeting_t greeting)
{
    bad_reply_t good = rig_good(rig);
    rig_serve_only(rig, &good);
    bad_server_set_connections(rig->server, &(bad_connection_t){.greeting = greeting}, 1);
    rig_assert_refuses_untouched(rig, ESP_ERR_HTTP_CONNECT);
    rig_assert_faults(rig, 1 + RIG_RETRIES);
    assert_int_equal(bad_server_count(rig->server, BAD_COUNT_REQUESTS), 0);
}

static void connection_closed_at_once_is_got_past(void **state)
{
    assert_got_past(*state, BAD_GREET_CLOSE);
}

static void connection_reset_at_once_is_got_past(void **state)
{
    assert_got_past(*state, BAD_GREET_RESET);
}

static void handshake_cut_off_is_got_past(void **state)
{
    assert_got_past(*state, BAD_GREET_CUT);
}

static void handshake_refused_once_is_got_past(void **state)
{
    assert_got_past(*state, BAD_GREET_ALERT);
}

static void connections_always_closed_are_given_up(void **state)
{
    assert_given_up(*state, BAD_GREET_CLOSE);
}

static void connections_always_reset_are_given_up(void **state)
{
    assert_given_up(*state, BAD_GREET_RESET);
}

static void handshakes_always_refused_are_given_up(void **state)
{
    assert_given_up(*state, BAD_GREET_ALERT);
}

static void plain_http_on_the_port_of_tls_is_given_up(void **state)
{
    assert_given_up(*state, BAD_GREET_PLAIN);
}

static void closed_port_is_waited_for(void **state)
{
    rig_t *rig = *state;
    rig->config.download.backoff_first_ms = 100;
    rig->config.download.backoff_most_ms = 100;
    rig->config.download.retries = 50;
    rig_configure(rig);
    bad_reply_t good = rig_good(rig);
    rig_serve_only(rig, &good);
    bad_server_go_down(rig->server, 300);
    rig_assert_updates(rig);
    rig_assert_faults(rig, 1);
    assert_int_equal(bad_server_count(rig->server, BAD_COUNT_CONNECTIONS), 1);
}

static void port_that_stays_closed_is_given_up(void **state)
{
    rig_t *rig = *state;
    bad_reply_t good = rig_good(rig);
    rig_serve_only(rig, &good);
    bad_server_go_down(rig->server, 1000);
    rig_assert_refuses_untouched(rig, ESP_ERR_HTTP_CONNECT);
    rig_assert_faults(rig, 1);
    assert_int_equal(bad_server_count(rig->server, BAD_COUNT_CONNECTIONS), 0);
}

static void host_that_does_not_exist_is_given_up(void **state)
{
    rig_t *rig = *state;
    rig->http.url = "https://otter-test.invalid/fw.bin";
    rig_assert_refuses_untouched(rig, ESP_ERR_HTTP_CONNECT);
}

/* --- who the server is --- */

/* A server that the device must refuse before it says anything, and not ask again. */
static void assert_identity_refused(rig_t *rig, const certs_leaf_t *leaf)
{
    bad_reply_t good = rig_good(rig);
    rig_serve_as(rig, leaf, &good, 1);
    rig_assert_refuses_untouched(rig, ESP_ERR_HTTP_CONNECT);
    assert_int_equal(bad_server_await(rig->server, BAD_COUNT_CLOSED, 1), 1);
    assert_int_equal(bad_server_count(rig->server, BAD_COUNT_REQUESTS), 0);
    assert_int_equal(bad_server_count(rig->server, BAD_COUNT_CONNECTIONS), 1);
}

static void certificate_of_another_ca_is_refused(void **state)
{
    rig_t *rig = *state;
    certs_ca_t *other = certs_ca_new("Somebody else");
    certs_leaf_t leaf = certs_leaf_new(other, &(certs_spec_t){0});
    assert_identity_refused(rig, &leaf);
    certs_leaf_free(&leaf);
    certs_ca_free(other);
}

static void certificate_for_another_host_is_refused(void **state)
{
    rig_t *rig = *state;
    certs_leaf_t leaf = certs_leaf_new(rig->ca, &(certs_spec_t){.dns_name = "updates.example"});
    assert_identity_refused(rig, &leaf);
    certs_leaf_free(&leaf);
}

static void expired_certificate_is_refused(void **state)
{
    rig_t *rig = *state;
    certs_leaf_t leaf = certs_leaf_new(rig->ca, &(certs_spec_t){.not_before_hours = -48, .not_after_hours = -1});
    assert_identity_refused(rig, &leaf);
    certs_leaf_free(&leaf);
}

static void certificate_of_tomorrow_is_refused(void **state)
{
    rig_t *rig = *state;
    certs_leaf_t leaf = certs_leaf_new(rig->ca, &(certs_spec_t){.not_before_hours = 12, .not_after_hours = 24});
    assert_identity_refused(rig, &leaf);
    certs_leaf_free(&leaf);
}

static void client_certificate_as_the_servers_is_refused(void **state)
{
    rig_t *rig = *state;
    certs_leaf_t leaf = certs_leaf_new(rig->ca, &(certs_spec_t){.for_client = true});
    assert_identity_refused(rig, &leaf);
    certs_leaf_free(&leaf);
}

/* The first connection is cut, the second has another certificate. */
static void serve_then_change(rig_t *rig, const certs_leaf_t *leaf)
{
    const bad_reply_t replies[] = {rig_bad_once(rig, BAD_CUT, 9000), rig_good(rig)};
    rig_serve(rig, replies, 2);
    const bad_connection_t connections[] = {
        {.greeting = BAD_GREET_WELL, .times = 1},
        {.greeting = BAD_GREET_WELL, .cert_pem = leaf->cert_pem, .key_pem = leaf->key_pem}};
    bad_server_set_connections(rig->server, connections, 2);
}

static void renewed_certificate_does_not_stop_a_download(void **state)
{
    rig_t *rig = *state;
    certs_leaf_t leaf = certs_leaf_new(rig->ca, &(certs_spec_t){0});
    serve_then_change(rig, &leaf);
    rig_assert_updates(rig);
    rig_assert_faults(rig, 3);
    assert_int_equal(rig_bytes_twice(rig), 0);
    rig_assert_asked(rig, 1, "Range: bytes=9000-");
    certs_leaf_free(&leaf);
}

/* Somebody else answers for the rest of the file. */
static void certificate_that_changes_to_another_ca_ends_the_download(void **state)
{
    rig_t *rig = *state;
    certs_ca_t *other = certs_ca_new("Somebody else");
    certs_leaf_t leaf = certs_leaf_new(other, &(certs_spec_t){0});
    serve_then_change(rig, &leaf);
    rig_assert_refuses(rig, ESP_ERR_HTTP_CONNECT);
    rig_assert_faults(rig, 3);
    assert_int_equal(bad_server_count(rig->server, BAD_COUNT_REQUESTS), 1);
    certs_leaf_free(&leaf);
    certs_ca_free(other);
}

static void serve_to_known_clients(rig_t *rig, int tls_version)
{
    bad_reply_t good = rig_good(rig);
    rig->server = bad_server_start(&(bad_server_config_t){.cert_pem = rig->leaf.cert_pem,
                                                          .key_pem = rig->leaf.key_pem,
                                                          .client_ca_pem = certs_ca_pem(rig->ca),
                                                          .tls_version = tls_version,
                                                          .replies = &good,
                                                          .reply_count = 1});
}

static void client_certificate_that_is_missing_is_refused(void **state)
{
    rig_t *rig = *state;
    serve_to_known_clients(rig, 12);
    rig_assert_refuses_untouched(rig, ESP_ERR_HTTP_CONNECT);
    assert_true(bad_server_await(rig->server, BAD_COUNT_REFUSED, 1) >= 1);
    assert_int_equal(bad_server_count(rig->server, BAD_COUNT_REQUESTS), 0);
}

/* With TLS 1.3 the client hears of it only after it has sent its request, or while it does. */
static void late_refusal_of_the_client_is_no_connection(void **state)
{
    rig_t *rig = *state;
    serve_to_known_clients(rig, 13);
    esp_err_t err = rig_update(rig);
    assert_true(err == ESP_FAIL || err == ESP_ERR_HTTP_WRITE_DATA || err == ESP_ERR_HTTP_CONNECT);
    bench_assert_nothing_switched(rig->bench);
    rig->refused = true;
    assert_true(bad_server_await(rig->server, BAD_COUNT_REFUSED, 1) >= 1);
    assert_int_equal(bad_server_count(rig->server, BAD_COUNT_REQUESTS), 0);
}

static void client_certificate_is_shown_again_on_each_connection(void **state)
{
    rig_t *rig = *state;
    certs_leaf_t client = certs_leaf_new(rig->ca, &(certs_spec_t){.for_client = true});
    serve_to_known_clients(rig, 0);
    const bad_reply_t replies[] = {rig_bad_once(rig, BAD_CUT, 9000), rig_good(rig)};
    bad_server_set_replies(rig->server, replies, 2);
    rig->http.client_cert_pem = client.cert_pem;
    rig->http.client_key_pem = client.key_pem;
    rig_assert_updates(rig);
    rig_assert_faults(rig, 1);
    rig_assert_asked(rig, 1, "Range: bytes=9000-");
    certs_leaf_free(&client);
}

static void server_without_tls_is_never_asked(void **state)
{
    rig_t *rig = *state;
    bad_reply_t good = rig_good(rig);
    rig->server = bad_server_start(&(bad_server_config_t){.replies = &good, .reply_count = 1});
    rig_assert_refuses_untouched(rig, ESP_ERR_INVALID_ARG);
    assert_int_equal(bad_server_count(rig->server, BAD_COUNT_CONNECTIONS), 0);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_rig(connection_closed_at_once_is_got_past),
    cmocka_unit_test_rig(connection_reset_at_once_is_got_past),
    cmocka_unit_test_rig(handshake_cut_off_is_got_past),
    cmocka_unit_test_rig(handshake_refused_once_is_got_past),
    cmocka_unit_test_rig(connections_always_closed_are_given_up),
    cmocka_unit_test_rig(connections_always_reset_are_given_up),
    cmocka_unit_test_rig(handshakes_always_refused_are_given_up),
    cmocka_unit_test_rig(plain_http_on_the_port_of_tls_is_given_up),
    cmocka_unit_test_rig(closed_port_is_waited_for),
    cmocka_unit_test_rig(port_that_stays_closed_is_given_up),
    cmocka_unit_test_rig(host_that_does_not_exist_is_given_up),
    cmocka_unit_test_rig(certificate_of_another_ca_is_refused),
    cmocka_unit_test_rig(certificate_for_another_host_is_refused),
    cmocka_unit_test_rig(expired_certificate_is_refused),
    cmocka_unit_test_rig(certificate_of_tomorrow_is_refused),
    cmocka_unit_test_rig(client_certificate_as_the_servers_is_refused),
    cmocka_unit_test_rig(renewed_certificate_does_not_stop_a_download),
    cmocka_unit_test_rig(certificate_that_changes_to_another_ca_ends_the_download),
    cmocka_unit_test_rig(client_certificate_that_is_missing_is_refused),
    cmocka_unit_test_rig(late_refusal_of_the_client_is_no_connection),
    cmocka_unit_test_rig(client_certificate_is_shown_again_on_each_connection),
    cmocka_unit_test_rig(server_without_tls_is_never_asked),
};

TEST_MAIN(tests)
