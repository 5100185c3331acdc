/* SPDX-License-Identifier: Apache-2.0 */
/* What apps do, through ESP-IDF's API, and what an observer then expects of otadata. */
#include <stdlib.h>
#include <string.h>

#include "esp_crt_bundle.h"
#include "esp_http_client.h"
#include "esp_https_ota.h"
#include "esp_ota_ops.h"
#include "otter/otter_encrypted.h"
#include "port/fake/http_fake.h"
#include "tests/torture/life.h"

#define URL "https://updates.example/app.bin"

static const char *const tags[APPS] = {"\"0\"", "\"1\"", "\"2\"", "\"3\"", "\"4\"", "\"5\""};

int life_running_slot(const life_t *life)
{
    return life->boot.slot >= 0 ? life->boot.slot : -1;
}

uint8_t life_record(life_t *life, int slot)
{
    bootsel_input_t input;
    must(records_read(life->world, &life->layout, life->config.rollback, &input), "otadata cannot be read");
    return record_bit(&input, slot);
}

bool life_is_faulty(const life_t *life)
{
    return life->world->fault.kind != FAULT_NONE;
}

/* Otadata is now what it was allowed to become; the slot's record is exactly this. */
static void expect_record(life_t *life, int slot, uint8_t bits, const char *after)
{
    bootsel_input_t input;
    must(records_read(life->world, &life->layout, life->config.rollback, &input), "otadata cannot be read");
    if (life_is_faulty(life)) {
        return;
    }
    if (!records_pin(life->world, &life->layout, &input)) {
        life_fail(life, VERDICT_LOST, "records");
    }
    if (slot >= 0 && (record_bit(&input, slot) & bits) == 0) {
        life_fail(life, VERDICT_LOST, "after %s the record of ota_%d is %s", after, slot,
                  record_text(record_bit(&input, slot)));
    }
}

static const esp_partition_t *partition_of(int slot)
{
    return slot < 0 ? esp_partition_find_first(ESP_PARTITION_TYPE_APP, ESP_PARTITION_SUBTYPE_APP_FACTORY, NULL)
                    : esp_partition_find_first(ESP_PARTITION_TYPE_APP, ESP_PARTITION_SUBTYPE_OTA(slot), NULL);
}

/* ---- Updates ---- */

static int next_slot(void)
{
    const esp_partition_t *next = esp_ota_get_next_update_partition(NULL);
    return next != NULL ? (int)next->subtype - ESP_PARTITION_SUBTYPE_APP_OTA_MIN : -1;
}

/* The slot's own record is forgotten, then becomes new. The switch may sacrifice any other but the running app's. */
static int begin_update(life_t *life)
{
    facts_t *facts = &life->world->facts;
    int slot = next_slot();
    uint8_t switched = life->config.rollback ? RECORD_NEW : RECORD_UNDEFINED;
    if (slot < 0) {
        life_fail(life, VERDICT_OTHER, "there is no slot for an update");
    }
    records_may_all_become(life->world, &life->layout, life_running_slot(life), RECORD_NONE);
    records_may_become(life->world, slot, switched);
    facts->writable = slot;
    facts->attempts[slot]++;
    if (facts->confirmed_slot == slot) {
        /* Only where the running app is a fallback: what was confirmed last is overwritten, since it does not boot. */
        facts->confirmed_slot = -1;
    }
    return slot;
}

/* One that was cut goes on; of one that was accepted, and is wanted again, all but the last sector is there. */
static void expect_download(life_t *life, int app)
{
    facts_t *facts = &life->world->facts;
    uint32_t sector = life->layout.sector_bytes;
    const app_t *wanted = &life->catalogue->app[app];
    uint32_t len = (uint32_t)(wanted->file != NULL ? wanted->file_len : wanted->len);
    if (facts->downloading == app) {
        return;
    }
    if (facts->downloaded == app) {
        len = sector;
    } else {
        facts->downloads++;
    }
    facts->downloading = app;
    facts->downloaded = WORLD_NO_APP;
    facts->reached = 0;
    facts->needed_bytes += len;
    facts->needed_sectors += (len + sector - 1) / sector;
}

static const char *tag_of(const life_t *life, int app)
{
    return tags[life->scenario->same_tag ? 0 : app];
}

/* Where in the file the answer to a request begins: where it asks for, if that is still the same file. */
static uint32_t start_of(const life_t *life, const http_fake_request_t *request)
{
    const char *range = strstr(request->headers, "Range: bytes=");
    const char *tag = tag_of(life, life->world->facts.downloading);
    bool is_same = range != NULL && strstr(request->headers, tag) != NULL;
    return is_same ? (uint32_t)strtoul(range + strlen("Range: bytes="), NULL, 10) : 0;
}

/* The header of an encrypted file alone, to go on behind it. */
static bool asks_for_head(const http_fake_request_t *request)
{
    return strstr(request->headers, "Range: bytes=0-") != NULL;
}

/* What lies between the start of an answer and what was reached before is fetched again. */
static void note_fetched(life_t *life, const http_fake_request_t *request)
{
    facts_t *facts = &life->world->facts;
    facts->fetched_bytes += (uint32_t)request->sent_bytes;
    if (!asks_for_head(request)) {
        uint32_t from = start_of(life, request);
        uint32_t twice = facts->reached > from ? facts->reached - from : 0;
        facts->most_twice = twice > facts->most_twice ? twice : facts->most_twice;
        facts->reached = from + (uint32_t)request->sent_bytes;
    }
}

void life_count_fetched(life_t *life)
{
    const http_fake_seen_t *seen = http_fake_seen();
    for (size_t i = 0; life->scenario->resumes && i < seen->request_count; i++) {
        note_fetched(life, &seen->request[i]);
    }
    http_fake_script(NULL, 0);
}

static void end_download(life_t *life, bool accepted)
{
    facts_t *facts = &life->world->facts;
    life_count_fetched(life);
    facts->downloaded = accepted ? facts->downloading : WORLD_NO_APP;
    facts->downloading = WORLD_NO_APP;
}

static http_fake_exchange_t serve(life_t *life, int app)
{
    const app_t *served = &life->catalogue->app[app];
    http_fake_exchange_t exchange = {.body = served->bytes, .body_len = served->len};
    if (life->scenario->resumes) {
        exchange.ranges = true;
        exchange.again = true;
        exchange.etag = tag_of(life, app);
    }
    if (served->file != NULL) {
        exchange.body = served->file;
        exchange.body_len = served->file_len;
    }
    return exchange;
}

static esp_https_ota_handle_t open_download(life_t *life, int app, http_fake_exchange_t *exchange)
{
    static const otter_decrypt_config_t decrypt = {.hmac_key = apps_hmac_key};
    *exchange = serve(life, app);
    if (life->scenario->resumes) {
        expect_download(life, app);
    }
    http_fake_script(exchange, 1);
    esp_http_client_config_t client = {
        .url = URL, .crt_bundle_attach = esp_crt_bundle_attach, .timeout_ms = 1000, .buffer_size = LIFE_BUFFER_BYTES};
    esp_https_ota_config_t config = {.http_config = &client};
    if (life->scenario->encrypted) {
        config.decrypt_cb = otter_decrypt_image;
        config.decrypt_user_ctx = (void *)(uintptr_t)&decrypt;
    }
    esp_https_ota_handle_t handle = NULL;
    return esp_https_ota_begin(&config, &handle) == ESP_OK ? handle : NULL;
}

static esp_err_t download(esp_https_ota_handle_t handle, uint32_t most_steps)
{
    esp_err_t err = ESP_ERR_HTTPS_OTA_IN_PROGRESS;
    for (uint32_t i = 0; err == ESP_ERR_HTTPS_OTA_IN_PROGRESS && i < most_steps; i++) {
        err = esp_https_ota_perform(handle);
    }
    return err;
}

bool life_update(life_t *life, int app)
{
    http_fake_exchange_t exchange;
    int slot = begin_update(life);
    esp_https_ota_handle_t handle = open_download(life, app, &exchange);
    bool ok = handle != NULL && download(handle, UINT32_MAX) == ESP_OK;
    if (ok) {
        ok = esp_https_ota_finish(handle) == ESP_OK;
    } else if (handle != NULL) {
        (void)esp_https_ota_abort(handle);
    }
    end_download(life, ok);
    life->world->facts.writable = -1;
    life->world->facts.starts[app] = 0;
    uint8_t switched = life->config.rollback ? RECORD_NEW : RECORD_UNDEFINED;
    if (ok) {
        life->world->facts.damaged &= ~(1u << slot);
        expect_record(life, slot, switched, "an update");
    } else {
        expect_record(life, slot, (uint8_t)~switched, "a refused update");
    }
    return ok;
}

void life_abort_update(life_t *life, int app)
{
    http_fake_exchange_t exchange;
    int slot = begin_update(life);
    esp_https_ota_handle_t handle = open_download(life, app, &exchange);
    if (handle == NULL || download(handle, 3) != ESP_ERR_HTTPS_OTA_IN_PROGRESS ||
        esp_https_ota_abort(handle) != ESP_OK) {
        life_fail(life, VERDICT_OTHER, "an update cannot be given up");
    }
    life->world->facts.writable = -1;
    expect_record(life, slot, RECORD_NONE, "an update that was given up");
}

/* ---- Verdicts on itself ---- */

bool life_confirm(life_t *life)
{
    facts_t *facts = &life->world->facts;
    int slot = life_running_slot(life);
    uint32_t version = life->catalogue->app[life->app].secure_version;
    bool has_record = slot >= 0 && life_record(life, slot) != RECORD_NONE;
    if (!has_record) {
        records_may_all_become(life->world, &life->layout, slot, RECORD_NONE);
        facts->extra_changes++;
    }
    records_may_become(life->world, slot, RECORD_VALID);
    facts->floor = version > facts->floor ? version : facts->floor;
    if (esp_ota_mark_app_valid_cancel_rollback() != ESP_OK) {
        if (life_is_faulty(life)) {
            return false;
        }
        life_fail(life, VERDICT_OTHER, "an app cannot confirm itself");
    }
    expect_record(life, slot, RECORD_VALID, "a confirmation");
    facts->confirmed_slot = slot;
    facts->confirmed_app = life->app;
    return true;
}

void life_refuse(life_t *life)
{
    int slot = life_running_slot(life);
    records_may_become(life->world, slot, RECORD_INVALID);
    if (esp_ota_mark_app_invalid_rollback() != ESP_OK) {
        life_fail(life, VERDICT_OTHER, "an app cannot refuse itself");
    }
    expect_record(life, slot, RECORD_INVALID, "a refusal");
}

/* ---- Choices ---- */

void life_choose(life_t *life, int slot)
{
    int running = life_running_slot(life);
    uint8_t switched = life->config.rollback ? RECORD_NEW : RECORD_UNDEFINED;
    life->world->facts.extra_changes += 2;
    records_may_all_become(life->world, &life->layout, slot < 0 ? -1 : running, RECORD_NONE);
    if (slot != running) {
        records_may_become(life->world, slot, switched);
    }
    if (esp_ota_set_boot_partition(partition_of(slot)) != ESP_OK) {
        life_fail(life, VERDICT_OTHER, "ota_%d cannot be chosen", slot);
    }
    expect_record(life, slot, slot == running ? (uint8_t)~switched : switched, "a choice");
    if (slot < 0) {
        life->world->facts.confirmed_slot = -1;
    } else if (slot != running) {
        life->world->facts.starts[catalogue_find_on_flash(life->catalogue, life->world, life->layout.slot_off[slot])] =
            0;
    }
}

void life_erase_other(life_t *life)
{
    facts_t *facts = &life->world->facts;
    int slot = next_slot();
    records_may_become(life->world, slot, RECORD_NONE);
    facts->writable = slot;
    facts->attempts[slot]++;
    facts->extra_changes++;
    esp_err_t err = esp_ota_erase_last_boot_app_partition();
    facts->writable = -1;
    /* After a cut there may be nothing left to forget. */
    if (err != ESP_OK && life_record(life, slot) != RECORD_NONE) {
        life_fail(life, VERDICT_OTHER, "the other app cannot be erased");
    }
    expect_record(life, slot, RECORD_NONE, "erasing an app");
}

void life_revoke(life_t *life, uint32_t key)
{
    if (esp_ota_revoke_secure_boot_public_key((esp_ota_secure_boot_public_key_index_t)key) != ESP_OK) {
        life_fail(life, VERDICT_OTHER, "key %u cannot be revoked", (unsigned)key);
    }
}

void life_damage(life_t *life, int slot, uint32_t phase)
{
    facts_t *facts = &life->world->facts;
    if (facts->phase < phase) {
        catalogue_damage(life->world->cells.bytes + life->layout.slot_off[slot] + 1000);
        facts->damaged |= 1u << slot;
        facts->phase = phase;
    }
}
