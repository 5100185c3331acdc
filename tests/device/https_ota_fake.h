/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file https_ota_fake.h
 * @brief What the update tests over the fake HTTP share.
 */
#pragma once

#include "esp_crt_bundle.h"
#include "port/fake/http_fake.h"
#include "tests/device/https_ota_bench.h"
#include "tests/support/test.h"

#define FAKE_URL     "https://updates.example/fw.bin"
#define FAKE_WAIT_MS 5 /**< The client's timeout: stalls in the fake last so long. */

/** A client configuration with a small buffer and a short timeout. */
static inline esp_http_client_config_t fake_client(void)
{
    return (esp_http_client_config_t){
        .url = FAKE_URL, .crt_bundle_attach = esp_crt_bundle_attach, .timeout_ms = FAKE_WAIT_MS, .buffer_size = 1024};
}

/** The answer of a good server: the bench's image. */
static inline http_fake_exchange_t fake_good(const bench_t *bench)
{
    return (http_fake_exchange_t){.body = bench->image, .body_len = bench->image_len};
}

#define FAKE_ETAG "\"v2\"" /**< Strong. */

/** The answer of a server that gives ranges and a strong ETag. */
static inline http_fake_exchange_t fake_ranged(const bench_t *bench)
{
    return (http_fake_exchange_t){
        .body = bench->image, .body_len = bench->image_len, .ranges = true, .etag = FAKE_ETAG};
}

/** The same, whose connection drops after so many bytes of the answer. */
static inline http_fake_exchange_t fake_dropped(const bench_t *bench, size_t after)
{
    http_fake_exchange_t dropped = fake_ranged(bench);
    dropped.break_at = after;
    dropped.break_error = ESP_ERR_HTTP_INCOMPLETE_DATA;
    return dropped;
}

/** Fails the test unless the request has this header, or, with value NULL, has it not. */
static inline void fake_assert_header(size_t request, const char *name, const char *value)
{
    char line[256];
    const char *headers = http_fake_seen()->request[request].headers;
    snprintf(line, sizeof(line), "%s: %s%s", name, value != NULL ? value : "", value != NULL ? "\n" : "");
    if ((strstr(headers, line) != NULL) != (value != NULL)) {
        fail_msg("request %u: %s is not %s in:\n%s", (unsigned)request, name, value != NULL ? value : "missing",
                 headers);
    }
}

/** Scripts one answer. */
static inline void fake_answer(const http_fake_exchange_t *exchange)
{
    http_fake_script(exchange, 1);
}

/** Begins an update with fake_client(). */
static inline esp_err_t fake_begin(esp_https_ota_handle_t *handle)
{
    esp_http_client_config_t client = fake_client();
    esp_https_ota_config_t config = {.http_config = &client};
    return esp_https_ota_begin(&config, handle);
}

/** Begins an update that must begin. */
static inline esp_https_ota_handle_t fake_begun(void)
{
    esp_https_ota_handle_t handle = NULL;
    assert_err(fake_begin(&handle), ESP_OK);
    assert_non_null(handle);
    return handle;
}

/** Performs until it is something else than IN_PROGRESS. */
static inline esp_err_t fake_download(esp_https_ota_handle_t handle)
{
    esp_err_t err;
    do {
        err = esp_https_ota_perform(handle);
    } while (err == ESP_ERR_HTTPS_OTA_IN_PROGRESS);
    return err;
}

/** The whole update in one call, with fake_client(). */
static inline esp_err_t fake_update(void)
{
    esp_http_client_config_t client = fake_client();
    esp_https_ota_config_t config = {.http_config = &client};
    return esp_https_ota(&config);
}

/** An update from a good server works, after whatever was before. */
static inline void fake_assert_update_works(bench_t *bench)
{
    http_fake_exchange_t good = fake_good(bench);
    fake_answer(&good);
    assert_err(fake_update(), ESP_OK);
    bench_assert_switched(bench);
}

/** cmocka teardown: no client of the fake may be left. */
static inline int fake_teardown(void **state)
{
    assert_int_equal(http_fake_seen()->clients, 0);
    assert_int_equal(http_fake_seen()->unscripted, 0);
    return bench_teardown(state);
}
