/* SPDX-License-Identifier: Apache-2.0 */
/* esp_http_client: whom it trusts, and as whom it comes. */
#define _DEFAULT_SOURCE
#include <net/if.h>
#include <stdlib.h>

#include "device/http/http_internal.h"
#include "esp_crt_bundle.h"
#include "esp_http_client.h"
#include "esp_tls.h"
#include "tests/http/http_fixture.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const bad_reply_t here = {.body = "here", .body_len = 4};

static int set_up(void **state)
{
    esp_tls_free_global_ca_store();
    assert_err(esp_crt_bundle_set(NULL, 0), ESP_OK);
    return http_fixture_setup(state);
}

static int tear_down(void **state)
{
    esp_tls_free_global_ca_store();
    (void)esp_crt_bundle_set(NULL, 0);
    return http_fixture_teardown(state);
}

static esp_err_t fetch(bad_server_t *server, esp_http_client_config_t config)
{
    char url[256];
    config.url = bad_server_url(server, "/", url, sizeof(url));
    esp_http_client_handle_t client = esp_http_client_init(&config);
    assert_non_null(client);
    esp_err_t err = esp_http_client_perform(client);
    if (err == ESP_OK) {
        assert_int_equal(esp_http_client_get_status_code(client), 200);
    }
    assert_err(esp_http_client_cleanup(client), ESP_OK);
    return err;
}

/* ---- trust ---- */

static void certificate_to_trust_may_be_der(void **state)
{
    http_fixture_t *f = *state;
    size_t len = 0;
    unsigned char *der = certs_to_der(f->ca_pem, &len);
    bad_server_t *server = http_fixture_serve(f, &here, 1);
    assert_err(fetch(server, (esp_http_client_config_t){.cert_der = (const char *)der, .cert_len = len}), ESP_OK);
    free(der);
}

static void store_is_trusted_by_every_client_that_asks_for_it(void **state)
{
    http_fixture_t *f = *state;
    certs_ca_t *other = certs_ca_new("Somebody else");
    bad_server_t *server = http_fixture_serve(f, &here, 1);
    /* With its terminator, as ESP-IDF wants it, and without. */
    for (unsigned terminator = 0; terminator < 2; terminator++) {
        assert_err(esp_tls_init_global_ca_store(), ESP_OK);
        assert_err(
            esp_tls_set_global_ca_store((const unsigned char *)f->ca_pem, (unsigned)strlen(f->ca_pem) + terminator),
            ESP_OK);
        assert_err(fetch(server, (esp_http_client_config_t){.use_global_ca_store = true}), ESP_OK);
    }
    assert_err(fetch(server, (esp_http_client_config_t){.use_global_ca_store = true, .cert_pem = certs_ca_pem(other)}),
               ESP_OK);
    assert_err(fetch(server, (esp_http_client_config_t){.cert_pem = certs_ca_pem(other)}), ESP_ERR_HTTP_CONNECT);
    certs_ca_free(other);
}

static void store_may_be_der(void **state)
{
    http_fixture_t *f = *state;
    size_t len = 0;
    unsigned char *der = certs_to_der(f->ca_pem, &len);
    bad_server_t *server = http_fixture_serve(f, &here, 1);
    assert_err(esp_tls_set_global_ca_store(der, (unsigned)len), ESP_OK);
    assert_err(fetch(server, (esp_http_client_config_t){.use_global_ca_store = true}), ESP_OK);
    free(der);
}

static void store_that_is_replaced_or_emptied_is_forgotten(void **state)
{
    http_fixture_t *f = *state;
    certs_ca_t *other = certs_ca_new("Somebody else");
    const char *pem = certs_ca_pem(other);
    const esp_http_client_config_t config = {.use_global_ca_store = true};
    bad_server_t *server = http_fixture_serve(f, &here, 1);
    assert_err(esp_tls_set_global_ca_store((const unsigned char *)f->ca_pem, (unsigned)strlen(f->ca_pem)), ESP_OK);
    assert_err(fetch(server, config), ESP_OK);
    assert_err(esp_tls_set_global_ca_store((const unsigned char *)pem, (unsigned)strlen(pem)), ESP_OK);
    assert_err(fetch(server, config), ESP_ERR_HTTP_CONNECT);
    assert_err(esp_tls_set_global_ca_store((const unsigned char *)f->ca_pem, (unsigned)strlen(f->ca_pem)), ESP_OK);
    esp_tls_free_global_ca_store();
    /* What the platform trusts does not know this test's CA. */
    assert_err(fetch(server, config), ESP_ERR_HTTP_CONNECT);
    certs_ca_free(other);
}

static void client_keeps_the_store_it_was_made_with(void **state)
{
    http_fixture_t *f = *state;
    char url[256];
    bad_server_t *server = http_fixture_serve(f, &here, 1);
    assert_err(esp_tls_set_global_ca_store((const unsigned char *)f->ca_pem, (unsigned)strlen(f->ca_pem)), ESP_OK);
    esp_http_client_handle_t client = esp_http_client_init(
        &(esp_http_client_config_t){.url = bad_server_url(server, "/", url, sizeof(url)), .use_global_ca_store = true});
    assert_non_null(client);
    esp_tls_free_global_ca_store();
    assert_err(esp_http_client_perform(client), ESP_OK);
    assert_err(esp_http_client_cleanup(client), ESP_OK);
}

static void what_is_no_certificate_does_not_get_into_the_store(void **state)
{
    http_fixture_t *f = *state;
    static const char key[] = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
    static const unsigned char garbage[] = {0x30, 0x82, 0x01, 0x00, 0x00};
    bad_server_t *server = http_fixture_serve(f, &here, 1);
    assert_err(esp_tls_set_global_ca_store((const unsigned char *)f->ca_pem, (unsigned)strlen(f->ca_pem)), ESP_OK);
    assert_err(esp_tls_set_global_ca_store(NULL, 5), ESP_ERR_INVALID_ARG);
    assert_err(esp_tls_set_global_ca_store(garbage, 0), ESP_ERR_INVALID_ARG);
    assert_err(esp_tls_set_global_ca_store(garbage, sizeof(garbage)), ESP_ERR_MBEDTLS_X509_CRT_PARSE_FAILED);
    assert_err(esp_tls_set_global_ca_store((const unsigned char *)key, sizeof(key)),
               ESP_ERR_MBEDTLS_X509_CRT_PARSE_FAILED);
    char cut[64] = "-----BEGIN CERTIFICATE-----";
    assert_err(esp_tls_set_global_ca_store((const unsigned char *)cut, sizeof(cut)),
               ESP_ERR_MBEDTLS_X509_CRT_PARSE_FAILED);
    assert_err(fetch(server, (esp_http_client_config_t){.use_global_ca_store = true}), ESP_OK);
}

static void bundle_that_was_set_comes_first(void **state)
{
    http_fixture_t *f = *state;
    certs_ca_t *other = certs_ca_new("Somebody else");
    const char *pem = certs_ca_pem(other);
    const esp_http_client_config_t config = {.crt_bundle_attach = esp_crt_bundle_attach, .use_global_ca_store = true};
    bad_server_t *server = http_fixture_serve(f, &here, 1);
    assert_err(esp_tls_set_global_ca_store((const unsigned char *)pem, (unsigned)strlen(pem)), ESP_OK);
    assert_err(esp_crt_bundle_set((const uint8_t *)f->ca_pem, strlen(f->ca_pem) + 1), ESP_OK);
    assert_err(fetch(server, config), ESP_OK);
    assert_err(esp_crt_bundle_set((const uint8_t *)pem, strlen(pem)), ESP_OK);
    assert_err(fetch(server, config), ESP_ERR_HTTP_CONNECT);
    assert_err(esp_crt_bundle_set(NULL, 0), ESP_OK);
    assert_err(fetch(server, config), ESP_ERR_HTTP_CONNECT);
    assert_err(esp_crt_bundle_attach(NULL), ESP_OK);
    esp_crt_bundle_detach(NULL);
    certs_ca_free(other);
}

static void bundle_of_names_and_keys_is_refused(void **state)
{
    http_fixture_t *f = *state;
    static const uint8_t esp_format[] = {0x00, 0x01, 0x00, 0x03, 0x00, 0x02, 'a', 'b', 'c', 0x30, 0x00};
    bad_server_t *server = http_fixture_serve(f, &here, 1);
    assert_err(esp_crt_bundle_set((const uint8_t *)f->ca_pem, strlen(f->ca_pem)), ESP_OK);
    assert_err(esp_crt_bundle_set(esp_format, sizeof(esp_format)), ESP_ERR_INVALID_ARG);
    assert_err(esp_crt_bundle_set(esp_format, 0), ESP_ERR_INVALID_ARG);
    assert_err(fetch(server, (esp_http_client_config_t){.crt_bundle_attach = esp_crt_bundle_attach}), ESP_OK);
}

static void name_is_checked_unless_told_otherwise(void **state)
{
    http_fixture_t *f = *state;
    certs_leaf_t leaf = certs_leaf_new(f->ca, &(certs_spec_t){.dns_name = "fleet.example"});
    bad_server_t *server = http_fixture_serve_as(f, &leaf, &here);
    esp_http_client_config_t config = {.cert_pem = f->ca_pem};
    assert_err(fetch(server, config), ESP_ERR_HTTP_CONNECT);
    config.common_name = "other.example";
    assert_err(fetch(server, config), ESP_ERR_HTTP_CONNECT);
    config.common_name = "fleet.example";
    assert_err(fetch(server, config), ESP_OK);
    config.common_name = NULL;
    config.skip_cert_common_name_check = true;
    assert_err(fetch(server, config), ESP_OK);
    certs_leaf_free(&leaf);
}

static void tls_version_asked_for_is_the_only_one(void **state)
{
    http_fixture_t *f = *state;
    static const struct {
        int server;
        esp_http_client_proto_ver_t client;
        esp_err_t err;
    } cases[] = {
        {12, ESP_HTTP_CLIENT_TLS_VER_ANY, ESP_OK},
        {13, ESP_HTTP_CLIENT_TLS_VER_ANY, ESP_OK},
        {12, ESP_HTTP_CLIENT_TLS_VER_TLS_1_2, ESP_OK},
        {13, ESP_HTTP_CLIENT_TLS_VER_TLS_1_3, ESP_OK},
        {12, ESP_HTTP_CLIENT_TLS_VER_TLS_1_3, ESP_ERR_HTTP_CONNECT},
        {13, ESP_HTTP_CLIENT_TLS_VER_TLS_1_2, ESP_ERR_HTTP_CONNECT},
    };
    bad_server_t *servers[2];
    for (size_t i = 0; i < 2; i++) {
        servers[i] = http_fixture_start(f, &(bad_server_config_t){.cert_pem = f->leaf.cert_pem,
                                                                  .key_pem = f->leaf.key_pem,
                                                                  .tls_version = 12 + (int)i,
                                                                  .replies = &here,
                                                                  .reply_count = 1});
    }
    for (size_t i = 0; i < COUNT(cases); i++) {
        esp_http_client_config_t config = {.cert_pem = f->ca_pem, .tls_version = cases[i].client};
        assert_err(fetch(servers[cases[i].server - 12], config), cases[i].err);
    }
}

/* ---- the client's own certificate ---- */

static bad_server_t *serve_friends(http_fixture_t *f, certs_ca_t *friends)
{
    return http_fixture_start(f, &(bad_server_config_t){.cert_pem = f->leaf.cert_pem,
                                                        .key_pem = f->leaf.key_pem,
                                                        .client_ca_pem = certs_ca_pem(friends),
                                                        .replies = &here,
                                                        .reply_count = 1});
}

static void client_certificate_may_be_pem_or_der(void **state)
{
    http_fixture_t *f = *state;
    certs_ca_t *friends = certs_ca_new("Friends");
    certs_leaf_t mine = certs_leaf_new(friends, &(certs_spec_t){.dns_name = "me", .for_client = true});
    size_t len = 0;
    unsigned char *der = certs_to_der(mine.cert_pem, &len);
    bad_server_t *server = serve_friends(f, friends);
    esp_http_client_config_t config = {
        .cert_pem = f->ca_pem, .client_cert_pem = mine.cert_pem, .client_key_pem = mine.key_pem};
    assert_err(fetch(server, config), ESP_OK);
    config.client_cert_len = strlen(mine.cert_pem) + 1;
    config.client_key_len = strlen(mine.key_pem) + 1;
    assert_err(fetch(server, config), ESP_OK);
    config.client_cert_der = (const char *)der;
    config.client_cert_len = len;
    assert_err(fetch(server, config), ESP_OK);
    assert_int_equal(bad_server_count(server, BAD_COUNT_REQUESTS), 3);
    free(der);
    certs_leaf_free(&mine);
    certs_ca_free(friends);
}

static void encrypted_key_is_opened_by_its_password(void **state)
{
    http_fixture_t *f = *state;
    certs_ca_t *friends = certs_ca_new("Friends");
    certs_leaf_t mine = certs_leaf_new(friends, &(certs_spec_t){.dns_name = "me", .for_client = true});
    char *key = certs_encrypt_key(mine.key_pem, "opensesame");
    bad_server_t *server = serve_friends(f, friends);
    esp_http_client_config_t config = {.cert_pem = f->ca_pem,
                                       .client_cert_pem = mine.cert_pem,
                                       .client_key_pem = key,
                                       .client_key_password = "opensesame"};
    assert_err(fetch(server, config), ESP_OK);
    config.client_key_password = "opensesame, and more";
    config.client_key_password_len = 10;
    assert_err(fetch(server, config), ESP_OK);
    config.client_key_password_len = 0;
    assert_err(fetch(server, config), ESP_ERR_HTTP_CONNECT);
    assert_int_equal(bad_server_count(server, BAD_COUNT_REQUESTS), 2);
    free(key);
    certs_leaf_free(&mine);
    certs_ca_free(friends);
}

static void stranger_is_not_let_in(void **state)
{
    http_fixture_t *f = *state;
    certs_ca_t *friends = certs_ca_new("Friends");
    certs_leaf_t mine = certs_leaf_new(f->ca, &(certs_spec_t){.dns_name = "me", .for_client = true});
    bad_server_t *server = serve_friends(f, friends);
    esp_http_client_config_t config = {.cert_pem = f->ca_pem};
    assert_int_not_equal(fetch(server, config), ESP_OK);
    config.client_cert_pem = mine.cert_pem;
    config.client_key_pem = mine.key_pem;
    assert_int_not_equal(fetch(server, config), ESP_OK);
    assert_int_equal(bad_server_await(server, BAD_COUNT_REFUSED, 2), 2);
    assert_int_equal(bad_server_count(server, BAD_COUNT_REQUESTS), 0);
    certs_leaf_free(&mine);
    certs_ca_free(friends);
}

/* ---- addresses ---- */

static void address_type_is_the_only_one(void **state)
{
    http_fixture_t *f = *state;
    char url[64];
    bad_server_t *server = http_fixture_serve(f, &here, 1);
    esp_http_client_config_t config = {.cert_pem = f->ca_pem, .addr_type = HTTP_ADDR_TYPE_INET};
    assert_err(fetch(server, config), ESP_OK);
    config.addr_type = HTTP_ADDR_TYPE_INET6;
    assert_err(fetch(server, config), ESP_ERR_HTTP_CONNECT);
    assert_int_equal(bad_server_count(server, BAD_COUNT_CONNECTIONS), 1);
    config.url = bad_server_url(server, "/", url, sizeof(url));
    config.addr_type = (esp_http_client_addr_type_t)3;
    assert_null(esp_http_client_init(&config));
}

static void interface_asked_for_is_the_only_one(void **state)
{
    http_fixture_t *f = *state;
    struct ifreq interface;
    memset(&interface, 0, sizeof(interface));
    bad_server_t *server = http_fixture_serve(f, &here, 1);
    esp_http_client_config_t config = {.cert_pem = f->ca_pem, .if_name = &interface};
    snprintf(interface.ifr_name, sizeof(interface.ifr_name), "no-such-if");
    assert_err(fetch(server, config), ESP_ERR_HTTP_CONNECT);
    assert_int_equal(bad_server_count(server, BAD_COUNT_CONNECTIONS), 0);
    snprintf(interface.ifr_name, sizeof(interface.ifr_name), "lo");
    assert_err(fetch(server, config), ESP_OK);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown(certificate_to_trust_may_be_der, set_up, tear_down),
    cmocka_unit_test_setup_teardown(store_is_trusted_by_every_client_that_asks_for_it, set_up, tear_down),
    cmocka_unit_test_setup_teardown(store_may_be_der, set_up, tear_down),
    cmocka_unit_test_setup_teardown(store_that_is_replaced_or_emptied_is_forgotten, set_up, tear_down),
    cmocka_unit_test_setup_teardown(client_keeps_the_store_it_was_made_with, set_up, tear_down),
    cmocka_unit_test_setup_teardown(what_is_no_certificate_does_not_get_into_the_store, set_up, tear_down),
    cmocka_unit_test_setup_teardown(bundle_that_was_set_comes_first, set_up, tear_down),
    cmocka_unit_test_setup_teardown(bundle_of_names_and_keys_is_refused, set_up, tear_down),
    cmocka_unit_test_setup_teardown(name_is_checked_unless_told_otherwise, set_up, tear_down),
    cmocka_unit_test_setup_teardown(tls_version_asked_for_is_the_only_one, set_up, tear_down),
    cmocka_unit_test_setup_teardown(client_certificate_may_be_pem_or_der, set_up, tear_down),
    cmocka_unit_test_setup_teardown(encrypted_key_is_opened_by_its_password, set_up, tear_down),
    cmocka_unit_test_setup_teardown(stranger_is_not_let_in, set_up, tear_down),
    cmocka_unit_test_setup_teardown(address_type_is_the_only_one, set_up, tear_down),
    cmocka_unit_test_setup_teardown(interface_asked_for_is_the_only_one, set_up, tear_down),
};

TEST_MAIN(tests)
