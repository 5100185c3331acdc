/* SPDX-License-Identifier: Apache-2.0 */
#include "device/download/download_internal.h"
#include "device/http/http_fields.h"
#include "device/http/http_internal.h"
#include "esp_log.h"
#include "otter/otter_os.h"

static const char *const TAG = DOWNLOAD_TAG;

/* Bytes read of a response that is not the file; what has more is not worth keeping its connection for. */
#define DRAIN_BYTES 256

/* What a status means; the first line that contains it counts, and a status in none is the file. */
static const struct rule {
    int from;
    int to;
    esp_err_t (*follow)(esp_http_client_handle_t client); /* Prepares the next request; NULL: no more requests. */
    esp_err_t error;                                      /* Without follow. */
    bool again;                                           /* The server may be well again soon. */
    const char *text;                                     /* For the log; NULL: not an error worth one. */
} rules[] = {
    {.from = -1, .to = 99, .error = ESP_FAIL, .text = "no HTTP status"},
    {.from = 301, .to = 303, .follow = esp_http_client_set_redirection},
    {.from = 307, .to = 308, .follow = esp_http_client_set_redirection},
    {.from = 304, .to = 304, .error = ESP_ERR_HTTP_NOT_MODIFIED},
    {.from = 401, .to = 401, .follow = esp_http_client_add_auth},
    {.from = 403, .to = 404, .error = ESP_FAIL, .text = "File not found"},
    {.from = 408, .to = 408, .error = ESP_FAIL, .again = true, .text = "The server timed out"},
    {.from = 416, .to = 416, .error = ESP_OK},
    {.from = 429, .to = 429, .error = ESP_FAIL, .again = true, .text = "Too many requests"},
    {.from = 400, .to = 499, .error = ESP_FAIL, .text = "Client error"},
    {.from = 500, .to = 500, .error = ESP_FAIL, .again = true, .text = "Server error"},
    {.from = 502, .to = 504, .error = ESP_FAIL, .again = true, .text = "Server error"},
    {.from = 500, .to = 999, .error = ESP_FAIL, .text = "Server error"},
};

static const struct rule *find_rule(int status)
{
    for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
        if (status >= rules[i].from && status <= rules[i].to) {
            return &rules[i];
        }
    }
    return NULL;
}

static download_outcome_t fine(void)
{
    return (download_outcome_t){.error = ESP_OK};
}

/* A request that did not reach the server may be sent again; one to a server that is not the right one is not. */
static download_outcome_t judge_unsent(esp_http_client_handle_t client, esp_err_t err)
{
    bool lost = err == ESP_ERR_HTTP_CONNECT || err == ESP_ERR_HTTP_WRITE_DATA;
    return (download_outcome_t){
        .error = err, .again = lost && !client->response.refused, .why = "Failed to open HTTP connection"};
}

static download_outcome_t receive_head(esp_http_client_handle_t client)
{
    int64_t len = esp_http_client_fetch_headers(client);
    if (len == -(int64_t)ESP_ERR_HTTP_EAGAIN) {
        return (download_outcome_t){
            .error = ESP_ERR_TIMEOUT, .again = true, .why = "the server did not answer in time"};
    }
    if (len < 0) {
        return (download_outcome_t){.error = ESP_FAIL, .again = true, .why = "no usable answer"};
    }
    return fine();
}

static download_outcome_t exchange(esp_http_client_handle_t client)
{
    char *body = NULL;
    int body_len = esp_http_client_get_post_field(client, &body);
    esp_err_t err = esp_http_client_open(client, body_len);
    if (err == ESP_OK && body_len > 0 && esp_http_client_write(client, body, body_len) != body_len) {
        /* The write that completes the body sends the request. */
        err = client->head_result != ESP_OK ? client->head_result : ESP_FAIL;
    }
    return err == ESP_OK ? receive_head(client) : judge_unsent(client, err);
}

void download_drop_body(esp_http_client_handle_t client)
{
    char rest[DRAIN_BYTES];
    (void)esp_http_client_read(client, rest, sizeof(rest));
}

static download_outcome_t follow(esp_http_client_handle_t client, const struct rule *rule, int status)
{
    esp_err_t err = rule->follow(client);
    if (err != ESP_OK) {
        ESP_LOGE(TAG, "status %d could not be followed: %s", status, esp_err_to_name(err));
        return (download_outcome_t){.error = err};
    }
    download_drop_body(client);
    return fine();
}

static download_outcome_t refuse(esp_http_client_handle_t client, const struct rule *rule, int status)
{
    download_outcome_t outcome = {.error = rule->error, .again = rule->again, .status = status, .why = rule->text};
    if (rule->again) {
        (void)http_parse_retry_after(http_get_response_header(client, "Retry-After"), otter_wall_us(),
                                     &outcome.delay_ms);
    }
    return outcome;
}

download_outcome_t download_request(esp_http_client_handle_t client)
{
    for (;;) {
        download_outcome_t outcome = exchange(client);
        if (outcome.error != ESP_OK) {
            return outcome;
        }
        int status = esp_http_client_get_status_code(client);
        const struct rule *rule = find_rule(status);
        if (rule == NULL || (rule->follow == NULL && rule->error == ESP_OK)) {
            return fine();
        }
        outcome = rule->follow != NULL ? follow(client, rule, status) : refuse(client, rule, status);
        if (outcome.error != ESP_OK) {
            return outcome;
        }
    }
}

download_answer_t download_answer_of(esp_http_client_handle_t client)
{
    return (download_answer_t){
        .status = esp_http_client_get_status_code(client),
        .content_length = esp_http_client_get_content_length(client),
        .content_range = http_get_response_header(client, "Content-Range"),
        .etag = http_get_response_header(client, "ETag"),
        .last_modified = http_get_response_header(client, "Last-Modified"),
        .date = http_get_response_header(client, "Date"),
        .wall_us = otter_wall_us(),
    };
}
