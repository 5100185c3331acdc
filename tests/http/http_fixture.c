/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/http/http_fixture.h"

#include <stdlib.h>

#include "otter/otter_device.h"
#include "otter/otter_flash_ram.h"

static void start_device(void)
{
    static otter_flash_ram_t ram;
    static uint8_t bytes[65536];
    otter_device_t device = {.flash = otter_flash_ram_init(&ram, bytes, sizeof(bytes), 4096),
                             .running_address = OTTER_NOT_RUNNING};
    otter_config_default(&device.config);
    assert_int_equal(otter_device_init(&device), ESP_OK);
}

static const unsigned char *make_pattern(void)
{
    static uint32_t words[PATTERN_BYTES / 4];
    for (uint32_t i = 0; i < PATTERN_BYTES / 4; i++) {
        words[i] = i * 2654435761u;
    }
    return (const unsigned char *)words;
}

int http_fixture_setup(void **state)
{
    http_fixture_t *fixture = calloc(1, sizeof(*fixture));
    assert_non_null(fixture);
    fixture->ca = certs_ca_new("Otter test CA");
    fixture->ca_pem = certs_ca_pem(fixture->ca);
    fixture->leaf = certs_leaf_new(fixture->ca, &(certs_spec_t){0});
    fixture->pattern = make_pattern();
    start_device();
    *state = fixture;
    return 0;
}

int http_fixture_teardown(void **state)
{
    http_fixture_t *fixture = *state;
    for (size_t i = 0; i < fixture->server_count; i++) {
        bad_server_stop(fixture->servers[i]);
    }
    certs_leaf_free(&fixture->leaf);
    certs_ca_free(fixture->ca);
    free(fixture);
    return 0;
}

bad_server_t *http_fixture_start(http_fixture_t *fixture, const bad_server_config_t *config)
{
    assert_true(fixture->server_count < sizeof(fixture->servers) / sizeof(fixture->servers[0]));
    bad_server_t *server = bad_server_start(config);
    fixture->servers[fixture->server_count++] = server;
    return server;
}

bad_server_t *http_fixture_serve(http_fixture_t *fixture, const bad_reply_t *replies, size_t count)
{
    return http_fixture_start(fixture, &(bad_server_config_t){.cert_pem = fixture->leaf.cert_pem,
                                                              .key_pem = fixture->leaf.key_pem,
                                                              .replies = replies,
                                                              .reply_count = count});
}

bad_server_t *http_fixture_serve_plain(http_fixture_t *fixture, const bad_reply_t *replies, size_t count)
{
    return http_fixture_start(fixture, &(bad_server_config_t){.replies = replies, .reply_count = count});
}

bad_server_t *http_fixture_serve_as(http_fixture_t *fixture, const certs_leaf_t *leaf, const bad_reply_t *reply)
{
    return http_fixture_start(
        fixture, &(bad_server_config_t){
                     .cert_pem = leaf->cert_pem, .key_pem = leaf->key_pem, .replies = reply, .reply_count = 1});
}
