/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/download/download_rig.h"

#include <stdlib.h>

#define TIMEOUT_MS     10000
#define STALL_MS       30000
#define BACKOFF_MS     1
#define BACKOFF_MS_MAX 10

/* --- life --- */

void rig_configure(rig_t *rig)
{
    bench_configure(rig->bench, &rig->config);
}

static void limit(otter_download_limits_t *limits)
{
    limits->idle_ms = TIMEOUT_MS;
    limits->stall_ms = STALL_MS;
    limits->retries = RIG_RETRIES;
    limits->backoff_first_ms = BACKOFF_MS;
    limits->backoff_most_ms = BACKOFF_MS_MAX;
}

int rig_setup(void **state)
{
    rig_t *rig = calloc(1, sizeof(*rig));
    assert_non_null(rig);
    rig->ca = certs_ca_new("Otter test CA");
    rig->leaf = certs_leaf_new(rig->ca, &(certs_spec_t){0});
    void *bench = NULL;
    assert_int_equal(bench_setup(&bench), 0);
    rig->bench = bench;
    rig->config = bench_config();
    limit(&rig->config.download);
    rig_configure(rig);
    rig->http.timeout_ms = TIMEOUT_MS;
    *state = rig;
    return 0;
}

/* What a user does after a refusal: tries again, and the server is well. */
static void assert_mended(rig_t *rig)
{
    bad_server_stop(rig->server);
    rig->config = bench_config();
    rig_configure(rig);
    rig->http = (esp_http_client_config_t){.timeout_ms = 5000};
    rig->ota = (esp_https_ota_config_t){0};
    bad_reply_t good = rig_good(rig);
    rig_serve_only(rig, &good);
    rig_assert_updates(rig);
}

void rig_keep(rig_t *rig, void *bytes)
{
    assert_true(rig->kept_count < sizeof(rig->kept) / sizeof(rig->kept[0]));
    rig->kept[rig->kept_count++] = bytes;
}

int rig_teardown(void **state)
{
    rig_t *rig = *state;
    if (rig->refused) {
        assert_mended(rig);
    }
    bad_server_stop(rig->server);
    for (size_t i = 0; i < rig->kept_count; i++) {
        free(rig->kept[i]);
    }
    certs_leaf_free(&rig->leaf);
    certs_ca_free(rig->ca);
    void *bench = rig->bench;
    free(rig);
    return bench_teardown(&bench);
}

void rig_be_impatient(rig_t *rig)
{
    rig->http.timeout_ms = RIG_IDLE_MS;
    rig->config.download.idle_ms = RIG_IDLE_MS;
    rig_configure(rig);
}

/* --- the server --- */

bad_reply_t rig_good(const rig_t *rig)
{
    return (bad_reply_t){.path = RIG_PATH,
                         .body = rig->bench->image,
                         .body_len = rig->bench->image_len,
                         .ranges = true,
                         .etag = RIG_ETAG};
}

bad_reply_t rig_bad(const rig_t *rig, bad_fault_t fault, size_t fault_at)
{
    bad_reply_t reply = rig_good(rig);
    reply.fault = fault;
    reply.fault_at = fault_at;
    return reply;
}

bad_reply_t rig_bad_once(const rig_t *rig, bad_fault_t fault, size_t fault_at)
{
    bad_reply_t reply = rig_bad(rig, fault, fault_at);
    reply.until = 1;
    return reply;
}

void rig_serve_as(rig_t *rig, const certs_leaf_t *leaf, const bad_reply_t *replies, size_t count)
{
    rig->server = bad_server_start(&(bad_server_config_t){
        .cert_pem = leaf->cert_pem, .key_pem = leaf->key_pem, .replies = replies, .reply_count = count});
}

void rig_serve(rig_t *rig, const bad_reply_t *replies, size_t count)
{
    rig_serve_as(rig, &rig->leaf, replies, count);
}

void rig_serve_only(rig_t *rig, const bad_reply_t *reply)
{
    rig_serve(rig, reply, 1);
}

void rig_serve_then_good(rig_t *rig, const bad_reply_t *first)
{
    bad_reply_t replies[] = {*first, rig_good(rig)};
    replies[0].until = 1;
    rig_serve(rig, replies, 2);
}

void rig_serve_plain(rig_t *rig, const bad_reply_t *replies, size_t count)
{
    rig->config.allow_http = true;
    rig_configure(rig);
    rig->server = bad_server_start(&(bad_server_config_t){.replies = replies, .reply_count = count});
}

/* --- the application --- */

static esp_err_t download(const esp_https_ota_config_t *config)
{
    esp_https_ota_handle_t handle = NULL;
    esp_err_t err = esp_https_ota_begin(config, &handle);
    if (err != ESP_OK) {
        assert_null(handle);
        return err;
    }
    do {
        err = esp_https_ota_perform(handle);
    } while (err == ESP_ERR_HTTPS_OTA_IN_PROGRESS);
    if (err != ESP_OK) {
        assert_err(esp_https_ota_abort(handle), ESP_OK);
        return err;
    }
    assert_true(esp_https_ota_is_complete_data_received(handle));
    return esp_https_ota_finish(handle);
}

esp_err_t rig_update(rig_t *rig)
{
    char url[128];
    esp_http_client_config_t http = rig->http;
    if (http.url == NULL) {
        http.url = bad_server_url(rig->server, RIG_PATH, url, sizeof(url));
    }
    if (http.cert_pem == NULL) {
        http.cert_pem = certs_ca_pem(rig->ca);
    }
    esp_https_ota_config_t config = rig->ota;
    config.http_config = &http;
    return download(&config);
}

/* --- how it ends --- */

void rig_assert_updates(rig_t *rig)
{
    assert_err(rig_update(rig), ESP_OK);
    bench_assert_switched(rig->bench);
    rig->refused = false;
}

void rig_assert_refuses(rig_t *rig, esp_err_t expected)
{
    assert_err(rig_update(rig), expected);
    bench_assert_nothing_switched(rig->bench);
    rig->refused = true;
}

void rig_assert_refuses_untouched(rig_t *rig, esp_err_t expected)
{
    rig_assert_refuses(rig, expected);
    assert_int_equal(rig->bench->slot_erases, 0);
    assert_int_equal(rig->bench->slot_programs, 0);
    assert_int_equal(rig->bench->otadata_changes, 0);
}

void rig_assert_faults(rig_t *rig, unsigned least)
{
    unsigned count = bad_server_await(rig->server, BAD_COUNT_FAULTS, least);
    if (count < least) {
        fail_msg("the fault happened %u times, not %u", count, least);
    }
}

static bool is_asked(rig_t *rig, unsigned index, const char *text)
{
    char request[2048];
    if (!bad_server_request(rig->server, index, request, sizeof(request))) {
        fail_msg("there was no request %u", index);
    }
    return strstr(request, text) != NULL;
}

void rig_assert_asked(rig_t *rig, unsigned index, const char *text)
{
    if (!is_asked(rig, index, text)) {
        fail_msg("request %u has no \"%s\"", index, text);
    }
}

void rig_assert_not_asked(rig_t *rig, unsigned index, const char *text)
{
    if (is_asked(rig, index, text)) {
        fail_msg("request %u has \"%s\"", index, text);
    }
}

size_t rig_bytes_twice(rig_t *rig)
{
    uint8_t *times = calloc(1, BENCH_SLOT_BYTES);
    assert_non_null(times);
    size_t twice = 0;
    bad_answer_t answer;
    for (unsigned i = 0; bad_server_answer(rig->server, i, &answer); i++) {
        bool of_file = answer.status == 200 || answer.status == 206;
        for (size_t at = answer.first; of_file && at < answer.first + answer.sent; at++) {
            twice += times[at]++ > 0;
        }
    }
    free(times);
    return twice;
}
