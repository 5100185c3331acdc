/* SPDX-License-Identifier: Apache-2.0 */
/* When to try again, and when no more. */
#include <stdio.h>

#include "device/download/download_internal.h"
#include "device/http/http_internal.h"
#include "esp_log.h"
#include "otter/otter_os.h"

static const char *const TAG = DOWNLOAD_TAG;

#define US_PER_MS 1000

download_step_t download_fail(download_t *download, esp_err_t error)
{
    download->failure = error;
    return DOWNLOAD_FAILED;
}

/* Doubled with each try; half of it is random, so that a fleet does not come back all at once. */
static uint32_t backoff_ms(const otter_download_limits_t *limits, uint32_t tries)
{
    uint64_t full = limits->backoff_first_ms;
    for (uint32_t i = 1; i < tries && full < limits->backoff_most_ms; i++) {
        full *= 2;
    }
    full = full < limits->backoff_most_ms ? full : limits->backoff_most_ms;
    uint32_t random = 0;
    /* Without entropy the pause is the full one. */
    if (otter_entropy(&random, sizeof(random)) != ESP_OK) {
        return (uint32_t)full;
    }
    return (uint32_t)(full / 2 + random % (full - full / 2 + 1));
}

static uint32_t delay_ms(const otter_download_limits_t *limits, uint32_t tries, uint32_t asked_ms)
{
    uint32_t asked = asked_ms < limits->backoff_most_ms ? asked_ms : limits->backoff_most_ms;
    uint32_t own = backoff_ms(limits, tries);
    return asked > own ? asked : own;
}

static void disconnect(download_t *download)
{
    esp_http_client_close(download->client);
    download->connected = false;
    download->idle_us = 0;
    download_pace_renew(&download->pace);
}

#define FAULT_BYTES 96 /* Room for what went wrong. */

static void describe(const download_outcome_t *outcome, char text[static FAULT_BYTES])
{
    if (outcome->status != 0) {
        snprintf(text, FAULT_BYTES, "%s (%d)", outcome->why, outcome->status);
    } else {
        snprintf(text, FAULT_BYTES, "%s", outcome->why);
    }
}

static download_step_t give_up(download_t *download, const download_outcome_t *outcome)
{
    char fault[FAULT_BYTES];
    if (outcome->why != NULL) {
        describe(outcome, fault);
        ESP_LOGE(TAG, "%s; giving up at byte %lld, %u tries after the last that got further", fault,
                 (long long)download->offset, (unsigned)download->tries);
    }
    return download_fail(download, outcome->error);
}

static void plan_try(download_t *download, const download_outcome_t *outcome)
{
    char fault[FAULT_BYTES];
    const otter_download_limits_t *limits = &download->limits;
    download->tries++;
    download->reconnects++;
    uint32_t pause_ms = delay_ms(limits, download->tries, outcome->delay_ms);
    download->retry_at_us = otter_now_us() + (int64_t)pause_ms * US_PER_MS;
    describe(outcome, fault);
    ESP_LOGW(TAG, "%s at byte %lld; try %u of %u in %u ms", fault, (long long)download->offset,
             (unsigned)download->tries, (unsigned)limits->retries, (unsigned)pause_ms);
}

download_step_t download_try_later(download_t *download, download_outcome_t outcome)
{
    disconnect(download);
    if (!outcome.again || download->tries >= download->limits.retries) {
        return give_up(download, &outcome);
    }
    plan_try(download, &outcome);
    return DOWNLOAD_WAITING;
}

bool download_sleep(const download_t *download, int64_t time_us)
{
    int64_t most_us = otter_now_us() + (int64_t)download->client->timeout_ms * US_PER_MS;
    otter_sleep_until(time_us < most_us ? time_us : most_us);
    return time_us <= most_us;
}

bool download_await_try(download_t *download)
{
    return otter_now_us() >= download->retry_at_us || download_sleep(download, download->retry_at_us);
}

esp_err_t download_count_waiting(download_t *download, int64_t since_us)
{
    int64_t spent_us = otter_now_us() - since_us;
    download->waited_us += spent_us;
    download->idle_us += download->connected ? spent_us : 0;
    uint32_t limit_ms = download->limits.stall_ms;
    if (limit_ms == 0 || download->waited_us < (int64_t)limit_ms * US_PER_MS) {
        return ESP_OK;
    }
    ESP_LOGE(TAG, "no byte from the server for %lld ms: giving up at byte %lld",
             (long long)(download->waited_us / US_PER_MS), (long long)download->offset);
    return ESP_ERR_TIMEOUT;
}

esp_err_t download_check_budget(const download_t *download)
{
    uint32_t limit_ms = download->limits.total_ms;
    if (limit_ms == 0 || otter_now_us() - download->begun_us < (int64_t)limit_ms * US_PER_MS) {
        return ESP_OK;
    }
    ESP_LOGE(TAG, "not done within %u ms: giving up at byte %lld", (unsigned)limit_ms, (long long)download->offset);
    return ESP_ERR_TIMEOUT;
}

static int64_t left_ms(uint32_t limit_ms, int64_t spent_us)
{
    return limit_ms == 0 ? INT64_MAX : (int64_t)limit_ms - spent_us / US_PER_MS;
}

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

int download_cap_timeout(download_t *download)
{
    const otter_download_limits_t *limits = &download->limits;
    int before_ms = download->client->timeout_ms;
    int64_t most_ms = smaller(left_ms(limits->stall_ms, download->waited_us),
                              left_ms(limits->total_ms, otter_now_us() - download->begun_us));
    if (download->connected) {
        most_ms = smaller(most_ms, left_ms(limits->idle_ms, download->idle_us));
    }
    most_ms = smaller(most_ms, before_ms);
    download->client->timeout_ms = most_ms > 0 ? (int)most_ms : 1;
    return before_ms;
}

void download_count_bytes(download_t *download, size_t bytes)
{
    download->offset += (int64_t)bytes;
    download->waited_us = 0;
    download->idle_us = 0;
    if (download->offset > download->furthest) {
        download->furthest = download->offset;
        download->tries = 0;
    }
}
