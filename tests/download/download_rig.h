/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file download_rig.h
 * @brief A device, an application that updates it as applications do, and a server that misbehaves.
 *
 * App 1.0.0 runs from ota_0; app 2.0.0, about 28 kB, is what the server has. Every test says how its update ends: with one
 * of rig_assert_...(). A refused update leaves the old app in place, and teardown then shows that a good server mends it.
 * One rig a process at a time.
 */
#pragma once

#include "tests/device/https_ota_bench.h"
#include "tests/support/bad_server.h"
#include "tests/support/certs.h"
#include "tests/support/test.h"

#define RIG_PATH    "/fw.bin"
#define RIG_ETAG    "\"v2\""
#define RIG_IDLE_MS 300 /**< Silence after which the rig's device makes a connection anew. */
#define RIG_RETRIES 5   /**< Tries without progress that it makes after the first. */

/** What a test has. */
typedef struct rig {
    bench_t *bench;                /**< The device; bench->image is app 2.0.0. */
    certs_ca_t *ca;                /**< The one that the device trusts. */
    certs_leaf_t leaf;             /**< For localhost, good. */
    bad_server_t *server;          /**< The one that the device asks; NULL: none yet. */
    otter_config_t config;         /**< The device's; rig_configure() makes changes count. */
    esp_http_client_config_t http; /**< The application's; url and cert_pem are filled in if NULL. */
    esp_https_ota_config_t ota;    /**< The application's; http_config is filled in. */
    bool refused;                  /**< The last update was. */
    void *kept[4];                 /**< What the server may be sending: see rig_keep(). */
    size_t kept_count;
} rig_t;

int rig_setup(void **state);    /**< Test setup; the state is the rig. */
int rig_teardown(void **state); /**< Test teardown: a good server mends what was refused; stops the server. */

/** A test with this rig: cmocka_unit_test_rig(a_name). */
#define cmocka_unit_test_rig(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)

/** Frees something from malloc() once no server sends it any more; a device that gave up leaves one in the middle. */
void rig_keep(rig_t *rig, void *bytes);

/** Makes the device anew with rig->config. */
void rig_configure(rig_t *rig);

/** For servers that fall silent: a device that waits for RIG_IDLE_MS and no longer. */
void rig_be_impatient(rig_t *rig);

/** Serves app 2.0.0 well: ranges, a strong ETag. */
bad_reply_t rig_good(const rig_t *rig);

/** The same with a fault. */
bad_reply_t rig_bad(const rig_t *rig, bad_fault_t fault, size_t fault_at);

/** The same, once. */
bad_reply_t rig_bad_once(const rig_t *rig, bad_fault_t fault, size_t fault_at);

/** Starts the server, over TLS with the good certificate. */
void rig_serve(rig_t *rig, const bad_reply_t *replies, size_t count);

/** Starts the server with this reply once, and rig_good() for everything after. */
void rig_serve_then_good(rig_t *rig, const bad_reply_t *first);

/** Starts it with this reply for everything. */
void rig_serve_only(rig_t *rig, const bad_reply_t *reply);

/** Starts it with another certificate. */
void rig_serve_as(rig_t *rig, const certs_leaf_t *leaf, const bad_reply_t *replies, size_t count);

/** Starts it without TLS, and makes the device accept that. */
void rig_serve_plain(rig_t *rig, const bad_reply_t *replies, size_t count);

/** Updates the device as an application does: begin, perform until done, finish or abort. The first error. */
esp_err_t rig_update(rig_t *rig);

/** Updates, and fails the test unless the device then boots app 2.0.0. */
void rig_assert_updates(rig_t *rig);

/** Updates, and fails the test unless that ends with @p expected and the device is as before any update. */
void rig_assert_refuses(rig_t *rig, esp_err_t expected);

/** The same, and neither slot nor otadata were written or erased. */
void rig_assert_refuses_untouched(rig_t *rig, esp_err_t expected);

/** Fails the test unless the server's faults happened at least so often. */
void rig_assert_faults(rig_t *rig, unsigned least);

/** Fails the test unless the request number @p index, from 0, has this text in it. */
void rig_assert_asked(rig_t *rig, unsigned index, const char *text);

/** Fails the test if it has. */
void rig_assert_not_asked(rig_t *rig, unsigned index, const char *text);

/** Bytes of body that the server sent more than once. */
size_t rig_bytes_twice(rig_t *rig);
