/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A whole update from a hostile server, over the scripted stand-in for HTTP: redirects, headers, Content-Range, bodies. It
 * ends; it switches only to an image that verifies, or not at all; the running app is never touched.
 *
 * Input: flags (1: the body breaks off, 2: chunked, 4: no length, 8: the body is an image to be made right, 16: secure boot is
 * on, 32: the body is a signed app instead, by the key that its first byte names, 64: the last answer gives ranges, and breaks
 * off after a third, again and again, 128: the image is asked for in parts), then up to four answers.
 * Each: u16 status, u16 length of its headers, these (lines "Name: value\n"); the last one's body is the rest of the input.
 */
#include "fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "boot/boot.h"
#include "esp_crt_bundle.h"
#include "esp_https_ota.h"
#include "esp_log.h"
#include "esp_ota_ops.h"
#include "fuzz/fix.h"
#include "fuzz/sign.h"
#include "fuzz/stranger.h"
#include "otter/otter_device.h"
#include "otter/otter_key_store_ram.h"
#include "port/fake/http_fake.h"

#define CHIP        OTTER_CHIP_ID_LINUX_X86_64
#define ANSWERS_MAX 4
#define SLOT_BYTES  0x10000u
#define OTA_0       (STRANGER_APP + SLOT_BYTES)
#define OTA_1       (STRANGER_APP + 2 * SLOT_BYTES)
#define PART_BYTES  5000

/* The server's credentials, and what becomes of them in a request. */
#define USERNAME      "user"
#define PASSWORD      "secret"
#define AUTHORIZATION "Authorization: Basic dXNlcjpzZWNyZXQ=\n"

enum { BREAKS = 1, CHUNKED = 2, NO_LENGTH = 4, FIX = 8, SECURE_BOOT = 16, SIGNED = 32, RANGES = 64, PARTS = 128 };

typedef struct script {
    http_fake_exchange_t answer[ANSWERS_MAX];
    char *headers[ANSWERS_MAX];
    size_t count;
    uint8_t *body;
} script_t;

/* The device, and its key store, which trusts key 0. */
typedef struct rig {
    stranger_t stranger;
    uint8_t bits[OTTER_KEY_STORE_BYTES];
    otter_key_store_ram_t store;
} rig_t;

static char *take_headers(fuzz_input_t *input)
{
    uint16_t len = fuzz_take_u16(input);
    fuzz_input_t piece = {input->at, len < input->left ? len : input->left};
    input->at += piece.left;
    input->left -= piece.left;
    return fuzz_take_text(&piece, '\0');
}

static void take_script(fuzz_input_t *input, uint8_t flags, script_t *script)
{
    script->count = 1u + fuzz_take_u8(input) % ANSWERS_MAX;
    for (size_t i = 0; i < script->count; i++) {
        script->answer[i].status = fuzz_take_u16(input);
        script->headers[i] = take_headers(input);
        script->answer[i].headers = script->headers[i];
    }
    http_fake_exchange_t *last = &script->answer[script->count - 1];
    script->body = fuzz_take_rest(input, &last->body_len);
    if ((flags & FIX) != 0) {
        (void)fuzz_fix_image(script->body, last->body_len);
    }
    if ((flags & SIGNED) != 0) {
        uint32_t key = last->body_len > 0 ? script->body[0] % FUZZ_KEYS : 0;
        free(script->body);
        last->body_len = FUZZ_SIGNED_MAX;
        script->body = fuzz_copy(fuzz_signed_app(CHIP, 0, key), last->body_len);
    }
    last->body = script->body;
    last->chunked = (flags & CHUNKED) != 0;
    last->no_length = (flags & NO_LENGTH) != 0;
    last->piece_len = 1u + flags;
    if ((flags & BREAKS) != 0) {
        last->announced_len = (int64_t)last->body_len + 100;
    }
    if ((flags & RANGES) != 0) {
        last->ranges = true;
        last->etag = "\"e\"";
        last->again = true;
        last->break_at = last->body_len / 3;
        last->break_error = ESP_ERR_HTTP_INCOMPLETE_DATA;
    }
}

static void free_script(const script_t *script)
{
    for (size_t i = 0; i < script->count; i++) {
        free(script->headers[i]);
    }
    free(script->body);
}

/* ota_0 runs, confirmed, signed. */
static void make_device(rig_t *rig, bool secure_boot)
{
    static const uint8_t changes[] = {STRANGER_APP_SIGNED, 1, 0, 0, STRANGER_RECORD, 0, 1, 0, 0, 0, ESP_OTA_IMG_VALID};
    fuzz_input_t input = {changes, sizeof(changes)};
    trust_plan_t plan;
    memset(rig, 0, sizeof(*rig));
    stranger_make(&rig->stranger, &input, CHIP);
    fuzz_burn_key(rig->bits, 0, 0);
    if (secure_boot) {
        FUZZ_CHECK(trust_plan_secure_boot(rig->bits, &plan) == ESP_OK);
        fuzz_burn(rig->bits, &plan);
    }
    otter_device_t device = {
        .flash = rig->stranger.flash,
        .key_store = otter_key_store_ram_init(&rig->store, rig->bits),
        .running_address = OTA_0,
    };
    otter_config_default(&device.config);
    device.config.chip_id = CHIP;
    device.config.log_level = ESP_LOG_NONE;
    device.config.download.retries = 3;
    device.config.download.backoff_first_ms = 0;
    device.config.download.backoff_most_ms = 0;
    FUZZ_CHECK(otter_device_init(&device) == ESP_OK);
}

static esp_err_t update(bool in_parts)
{
    esp_http_client_config_t client = {
        .url = "https://updates.example/fw.bin",
        .username = USERNAME,
        .password = PASSWORD,
        .auth_type = HTTP_AUTH_TYPE_BASIC,
        .crt_bundle_attach = esp_crt_bundle_attach,
        .timeout_ms = 1,
        .buffer_size = 512,
    };
    esp_https_ota_config_t config = {
        .http_config = &client, .partial_http_download = in_parts, .max_http_request_size = PART_BYTES};
    return esp_https_ota(&config);
}

/* A server that knows the password may well give it away. */
static bool gives_password_away(const script_t *script)
{
    for (size_t i = 0; i < script->count; i++) {
        if (strstr(script->headers[i], PASSWORD) != NULL) {
            return true;
        }
    }
    return false;
}

/* Credentials go to the server they were given for, and to no other. */
static void check_requests(const script_t *script)
{
    const http_fake_seen_t *seen = http_fake_seen();
    FUZZ_CHECK(seen->clients == 0);
    for (size_t i = 0; i < seen->request_count && i < HTTP_FAKE_REQUESTS; i++) {
        const http_fake_request_t *request = &seen->request[i];
        FUZZ_CHECK(strncmp(request->url, "https://", 8) == 0 && strpbrk(request->url, " \r\n") == NULL);
        size_t host_len = strcspn(request->url + 8, "/");
        bool own = host_len == strlen("updates.example") && strncmp(request->url + 8, "updates.example", host_len) == 0;
        FUZZ_CHECK(own || strstr(request->headers, AUTHORIZATION) == NULL || gives_password_away(script));
    }
}

static void check_outcome(rig_t *rig, esp_err_t err)
{
    otter_config_t config;
    otter_config_default(&config);
    config.chip_id = CHIP;
    boot_env_t env = {.flash = rig->stranger.flash, .key_store = &rig->store.base, .config = &config, .dry_run = true};
    boot_result_t result;
    FUZZ_CHECK(boot_choose(&env, &result) == ESP_OK);
    FUZZ_CHECK(result.slot == (err == ESP_OK ? 1 : 0));
    const esp_partition_t *next = esp_ota_get_boot_partition();
    FUZZ_CHECK(next != NULL && next->address == (err == ESP_OK ? OTA_1 : OTA_0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_input_t input = {data, size};
    uint8_t flags = fuzz_take_u8(&input);
    script_t script = {.count = 0};
    rig_t rig;
    make_device(&rig, (flags & SECURE_BOOT) != 0);
    uint8_t *running = fuzz_copy(rig.stranger.bytes + OTA_0, SLOT_BYTES);
    take_script(&input, flags, &script);
    http_fake_script(script.answer, script.count);

    esp_err_t err = update((flags & PARTS) != 0);
    check_requests(&script);
    check_outcome(&rig, err);
    FUZZ_CHECK(memcmp(running, rig.stranger.bytes + OTA_0, SLOT_BYTES) == 0);

    esp_partition_unload_all();
    http_fake_script(NULL, 0);
    free(running);
    free_script(&script);
    stranger_free(&rig.stranger);
    return 0;
}
