/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file http_fixture.h
 * @brief What the tests of this folder share: a CA, certificates, a device, servers that end with the test.
 */
#pragma once

#include "tests/support/bad_server.h"
#include "tests/support/certs.h"
#include "tests/support/test.h"

#define PATTERN_BYTES (1024u * 1024u) /**< Bytes of pattern. */

/** What a test has. */
typedef struct http_fixture {
    certs_ca_t *ca;
    const char *ca_pem;
    certs_leaf_t leaf;            /**< For localhost, good. */
    const unsigned char *pattern; /**< Every four bytes tell their place. */
    bad_server_t *servers[4];
    size_t server_count;
} http_fixture_t;

int http_fixture_setup(void **state);    /**< Test setup; the state is the fixture. */
int http_fixture_teardown(void **state); /**< Test teardown: stops the servers. */

/** Starts a server that teardown stops. */
bad_server_t *http_fixture_start(http_fixture_t *fixture, const bad_server_config_t *config);

/** The same, good certificate. */
bad_server_t *http_fixture_serve(http_fixture_t *fixture, const bad_reply_t *replies, size_t count);

/** The same, without TLS. */
bad_server_t *http_fixture_serve_plain(http_fixture_t *fixture, const bad_reply_t *replies, size_t count);

/** The same, with a certificate of its own. */
bad_server_t *http_fixture_serve_as(http_fixture_t *fixture, const certs_leaf_t *leaf, const bad_reply_t *reply);

/** A test with this fixture: cmocka_unit_test_http(a_name). */
#define cmocka_unit_test_http(name) cmocka_unit_test_setup_teardown(name, http_fixture_setup, http_fixture_teardown)
