/* SPDX-License-Identifier: Apache-2.0 */
#include "device/download/download.h"

#include <string.h>

#include "device/download/download_internal.h"
#include "device/http/http_internal.h"
#include "esp_log.h"
#include "otter/otter_os.h"

static const char *const TAG = DOWNLOAD_TAG;

/* ---- the connection ---- */

/* Time that is over, or waiting that was too much, ends the download; otherwise @p step stands. */
static download_step_t allow(download_t *download, download_step_t step, int64_t since_us)
{
    bool progress = step == DOWNLOAD_BYTES || step == DOWNLOAD_END || step == DOWNLOAD_FAILED;
    esp_err_t err = progress ? ESP_OK : download_count_waiting(download, since_us);
    return err == ESP_OK ? step : download_fail(download, err);
}

static download_step_t connect_now(download_t *download)
{
    download_step_t step = DOWNLOAD_WAITING;
    download_outcome_t outcome = download_connect(download, &step);
    if (outcome.error != ESP_OK) {
        return download_try_later(download, outcome);
    }
    return download->ended ? DOWNLOAD_END : step;
}

static download_step_t reconnect(download_t *download)
{
    int64_t since_us = otter_now_us();
    if (!download_await_try(download)) {
        return allow(download, DOWNLOAD_WAITING, since_us);
    }
    int timeout_ms = download_cap_timeout(download);
    download_step_t step = connect_now(download);
    download->client->timeout_ms = timeout_ms;
    return allow(download, step, since_us);
}

/* ---- the body ---- */

static download_step_t drop(download_t *download, esp_err_t error, const char *why)
{
    return download_try_later(download,
                              (download_outcome_t){.error = error, .again = download->repeatable, .why = why});
}

/* The body is at its end; the file may not be. */
static download_step_t end_body(download_t *download)
{
    download_file_t *file = &download->file;
    if (file->total < 0) {
        file->total = download->offset;
    }
    if (download->offset >= file->total) {
        download->ended = true;
        return DOWNLOAD_END;
    }
    if (download->offset == download->body_off) {
        return drop(download, ESP_FAIL, "The server sent an empty part");
    }
    download->connected = false; /* The next part follows at once, over the same connection if it can be kept. */
    download->retry_at_us = 0;
    return DOWNLOAD_WAITING;
}

static download_step_t note_silence(download_t *download, int64_t since_us)
{
    esp_err_t err = download_count_waiting(download, since_us);
    if (err != ESP_OK) {
        return download_fail(download, err);
    }
    uint32_t limit_ms = download->limits.idle_ms;
    if (limit_ms != 0 && download->idle_us >= (int64_t)limit_ms * 1000) {
        return drop(download, ESP_ERR_TIMEOUT, "The server is silent");
    }
    return DOWNLOAD_WAITING;
}

static download_step_t note_bytes(download_t *download, size_t bytes, int64_t since_us)
{
    const otter_download_limits_t *limits = &download->limits;
    int64_t now_us = otter_now_us();
    download_count_bytes(download, bytes);
    download_pace_count(&download->pace, bytes, limits->max_bytes_per_s, since_us, now_us);
    return DOWNLOAD_BYTES;
}

/* Says whether a read of that many bytes was the last one of a time in which too little came. */
static bool was_too_slow(download_t *download, int got, int64_t since_us)
{
    const otter_download_limits_t *limits = &download->limits;
    return download_pace_is_slow(&download->pace, got > 0 ? (size_t)got : 0, otter_now_us() - since_us,
                                 limits->min_bytes_per_s, limits->min_speed_ms);
}

static download_step_t judge_read(download_t *download, int got, int64_t since_us)
{
    if (got == -ESP_ERR_HTTP_EAGAIN) {
        return note_silence(download, since_us);
    }
    if (got < 0 || !esp_http_client_is_complete_data_received(download->client)) {
        return drop(download, ESP_FAIL, "Connection closed before complete data was received");
    }
    return end_body(download);
}

/* Most that may be read: not behind the end of a part, whatever the server sends. */
static size_t room_in_body(const download_t *download, size_t len)
{
    int64_t left = download->body_end < 0 ? INT64_MAX : download->body_end - download->offset;
    return (int64_t)len < left ? len : (size_t)left;
}

/* All of a part was read: what it still takes to know that the response ended there, too. */
static download_step_t close_part(download_t *download)
{
    uint8_t more;
    if (!esp_http_client_is_complete_data_received(download->client) &&
        esp_http_client_read(download->client, (char *)&more, 1) != 0) {
        esp_http_client_close(download->client);
    }
    return end_body(download);
}

/* What was read still counts. */
static download_step_t drop_slow(download_t *download, download_step_t step)
{
    bool all_here = download->offset == download->file.total;
    if (!download->connected || all_here || (step != DOWNLOAD_BYTES && step != DOWNLOAD_WAITING)) {
        return step;
    }
    download_step_t dropped = drop(download, ESP_ERR_TIMEOUT, "The server is too slow");
    return step == DOWNLOAD_BYTES ? step : dropped;
}

static int read_some(download_t *download, uint8_t *dst, size_t len)
{
    int timeout_ms = download_cap_timeout(download);
    int n = esp_http_client_read(download->client, (char *)dst, (int)len);
    download->client->timeout_ms = timeout_ms;
    return n;
}

static download_step_t read_body(download_t *download, uint8_t *dst, size_t len, size_t *got)
{
    const otter_download_limits_t *limits = &download->limits;
    size_t room = room_in_body(download, len);
    if (room == 0) {
        return close_part(download);
    }
    room = download_pace_room(&download->pace, room, limits->max_bytes_per_s, otter_now_us());
    if (room == 0) {
        download_sleep(download, download->pace.free_us);
        return DOWNLOAD_WAITING;
    }
    int64_t since_us = otter_now_us();
    int n = read_some(download, dst, room);
    bool slow = was_too_slow(download, n, since_us);
    *got = n > 0 ? (size_t)n : 0;
    download_step_t step = n > 0 ? note_bytes(download, *got, since_us) : judge_read(download, n, since_us);
    return slow ? drop_slow(download, step) : step;
}

download_step_t download_read(download_t *download, uint8_t *dst, size_t len, size_t *got)
{
    *got = 0;
    if (download->failure != ESP_OK) {
        return DOWNLOAD_FAILED;
    }
    if (download->ended) {
        return DOWNLOAD_END;
    }
    esp_err_t err = download_check_budget(download);
    if (err != ESP_OK) {
        return download_fail(download, err);
    }
    return download->connected ? read_body(download, dst, len, got) : reconnect(download);
}

/* ---- begin and end ---- */

/* What is known of the file to go on with. */
static void expect(download_t *download, const download_config_t *config)
{
    download->file.total = config->total;
    if (config->etag != NULL) {
        strncpy(download->file.etag, config->etag, sizeof(download->file.etag) - 1);
        download->file.unconfirmed = true;
    }
    download->offset = config->offset;
    download->known = config->total >= 0;
}

/* The file is wanted byte for byte: no coding, unless the application knows better. */
static esp_err_t ask_for_plain_bytes(esp_http_client_handle_t client)
{
    char *chosen = NULL;
    esp_err_t err = esp_http_client_get_header(client, "Accept-Encoding", &chosen);
    return err == ESP_OK && chosen == NULL ? esp_http_client_set_header(client, "Accept-Encoding", "identity") : err;
}

static esp_err_t set_up(download_t *download, const download_config_t *config)
{
    download->client = config->client;
    download->request_len = config->request_len;
    download->probe = config->probe;
    download->repeatable = config->client->method == HTTP_METHOD_GET && config->client->post_len == 0;
    otter_download_get_limits(&download->limits);
    expect(download, config);
    download->begun_us = otter_now_us();
    download->pace.shown_since_us = download->begun_us;
    esp_err_t err = download_remember_origin(download);
    return err == ESP_OK ? ask_for_plain_bytes(config->client) : err;
}

static esp_err_t connect_first(download_t *download)
{
    esp_err_t err = ESP_OK;
    while (err == ESP_OK && !download->connected && !download->ended) {
        err = download_check_budget(download);
        if (err == ESP_OK && reconnect(download) == DOWNLOAD_FAILED) {
            err = download->failure;
        }
    }
    return err;
}

esp_err_t download_begin(download_t *download, const download_config_t *config)
{
    esp_err_t err = set_up(download, config);
    if (err == ESP_OK) {
        err = connect_first(download);
    }
    if (err != ESP_OK) {
        return err;
    }
    if (config->offset > 0 && download->offset == 0) {
        ESP_LOGW(TAG, "the server does not go on at byte %lld: downloading from the start", (long long)config->offset);
    }
    download->begun = true;
    download->furthest = download->offset;
    download->resumed_from = download->offset;
    download->pace.shown_since_us = otter_now_us();
    return ESP_OK;
}

void download_describe(const download_t *download, otter_download_progress_t *progress)
{
    *progress = (otter_download_progress_t){
        .bytes = download->offset,
        .total = download->file.total,
        .resumed_from = download->resumed_from,
        .bytes_per_s = download_pace_rate(&download->pace, otter_now_us()),
        .tries = download->tries,
        .reconnects = download->reconnects,
        .restarts = download->restarts,
    };
}

void download_end(download_t *download)
{
    if (download->origin.url != NULL) {
        (void)download_return_to_origin(download);
    }
    download_forget_origin(download);
    *download = (download_t){0};
}
