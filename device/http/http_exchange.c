/* SPDX-License-Identifier: Apache-2.0 */
/* The response of a request: fetch_headers, read, close. Sending it is in http_send.c. */
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "device/http/http_internal.h"
#include "esp_log.h"

void http_end_exchange(esp_http_client_handle_t client)
{
    http_abandon_job(client);
    otter_http_close(client->port);
    http_body_drop(&client->body);
    client->state = client->connected ? HTTP_STATE_CONNECTED : HTTP_STATE_INIT;
}

/* ---- the response's head ---- */

static void report_head(esp_http_client_handle_t client)
{
    http_post_status(client);
    for (size_t i = 0; i < client->response_headers.count; i++) {
        http_post_header(client, &client->response_headers.items[i]);
    }
    client->state = HTTP_STATE_RES_COMPLETE_HEADER;
    http_post_event(client, HTTP_EVENT_ON_HEADERS_COMPLETE);
    client->state = HTTP_STATE_RES_ON_DATA_START;
}

/* A chain of redirects or challenges ends with an answer that is none. */
static void count_chains(esp_http_client_handle_t client)
{
    if (!http_is_redirect(client->response.status)) {
        client->redirects = 0;
    }
    if (client->response.status != HttpStatus_Unauthorized) {
        client->auth_tries = 0;
    }
}

static int64_t give_up_head(esp_http_client_handle_t client, const char *why)
{
    esp_err_t err = client->head_result;
    esp_http_client_close(client);
    http_report_failure(client, err, why);
    return err == ESP_ERR_TIMEOUT ? -ESP_ERR_HTTP_EAGAIN : ESP_FAIL;
}

int64_t esp_http_client_fetch_headers(esp_http_client_handle_t client)
{
    if (client == NULL) {
        return ESP_FAIL;
    }
    if (client->state == HTTP_STATE_REQ_COMPLETE_HEADER) {
        client->head_result = ESP_ERR_HTTP_WRITE_DATA;
        return give_up_head(client, client->body.is_chunked ? "the last chunk of the request body is missing"
                                                            : "less request body was written than announced");
    }
    if (client->job != NULL) {
        esp_err_t err = http_await_job(client, http_deadline_us(client));
        if (err != ESP_OK) {
            return err == ESP_ERR_HTTP_EAGAIN ? -ESP_ERR_HTTP_EAGAIN : ESP_FAIL;
        }
    }
    if (client->state != HTTP_STATE_REQ_COMPLETE_DATA) {
        return ESP_FAIL;
    }
    if (client->head_result != ESP_OK) {
        return give_up_head(client, otter_http_error(client->port));
    }
    count_chains(client);
    report_head(client);
    return client->response.content_length > 0 ? client->response.content_length : 0;
}

/* ---- the response's body ---- */

static bool is_whole(esp_http_client_handle_t client)
{
    return client->complete ||
           (client->response.content_length >= 0 && client->received == client->response.content_length);
}

/* Fills the buffer as far as body and time go; value: bytes. What stopped it is in body_result. */
static size_t fill(esp_http_client_handle_t client, char *buffer, size_t len, int64_t deadline_us)
{
    size_t filled = 0;
    while (filled < len) {
        size_t got = 0;
        client->body_result = otter_http_read(client->port, buffer + filled, len - filled, &got, deadline_us);
        filled += got;
        client->received += (int64_t)got;
        if (client->body_result != ESP_OK) {
            break;
        }
        client->complete = got == 0;
        if (is_whole(client)) {
            client->state = HTTP_STATE_RES_COMPLETE_DATA;
            break;
        }
    }
    return filled;
}

/* What read answers when no byte came. */
static int judge_empty_read(esp_http_client_handle_t client)
{
    if (client->body_result == ESP_OK) {
        return 0;
    }
    if (client->body_result == ESP_ERR_TIMEOUT) {
        snprintf(client->error, sizeof(client->error), "%s", otter_http_error(client->port));
        return -ESP_ERR_HTTP_EAGAIN;
    }
    http_report_failure(client, client->body_result, otter_http_error(client->port));
    return client->body_result == ESP_ERR_HTTP_INCOMPLETE_DATA ? 0 : -1;
}

static bool has_body_to_read(esp_http_client_handle_t client)
{
    return client->state == HTTP_STATE_RES_ON_DATA_START || client->state == HTTP_STATE_RES_COMPLETE_DATA;
}

/* Reads without event. */
static int read_quietly(esp_http_client_handle_t client, char *buffer, size_t len, int64_t deadline_us)
{
    if (is_whole(client)) {
        return 0;
    }
    size_t filled = fill(client, buffer, len, deadline_us);
    return filled > 0 ? (int)filled : judge_empty_read(client);
}

int http_read_body(esp_http_client_handle_t client, char *buffer, size_t len, int64_t deadline_us)
{
    if (!has_body_to_read(client)) {
        return -1;
    }
    int got = read_quietly(client, buffer, len, deadline_us);
    if (got > 0) {
        http_post_data(client, buffer, got);
    }
    return got;
}

int esp_http_client_read(esp_http_client_handle_t client, char *buffer, int len)
{
    if (client == NULL || buffer == NULL || len <= 0) {
        return -1;
    }
    int got = http_read_body(client, buffer, (size_t)len, http_deadline_us(client));
    if (got == -ESP_ERR_HTTP_EAGAIN) {
        ESP_LOGW(HTTP_TAG, "%s", client->error);
    }
    return got;
}

int esp_http_client_read_response(esp_http_client_handle_t client, char *buffer, int len)
{
    int total = 0;
    while (total < len) {
        int got = esp_http_client_read(client, buffer + total, len - total);
        if (got <= 0) {
            return total > 0 || got == 0 ? total : -1;
        }
        total += got;
    }
    return total;
}

int64_t http_drain_body(esp_http_client_handle_t client, int64_t max)
{
    char dropped[1024];
    int64_t total = 0;
    int got = 1;
    while (got > 0 && total < max && has_body_to_read(client)) {
        got = read_quietly(client, dropped, sizeof(dropped), http_deadline_us(client));
        total += got > 0 ? got : 0;
    }
    return total;
}

esp_err_t esp_http_client_flush_response(esp_http_client_handle_t client, int *len)
{
    if (client == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    int64_t total = http_drain_body(client, INT64_MAX);
    if (len != NULL) {
        *len = total > INT_MAX ? INT_MAX : (int)total;
    }
    return is_whole(client) ? ESP_OK : ESP_FAIL;
}

bool esp_http_client_is_complete_data_received(esp_http_client_handle_t client)
{
    return client != NULL && is_whole(client);
}

/* ---- the end ---- */

esp_err_t esp_http_client_close(esp_http_client_handle_t client)
{
    if (client == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    if (client->port != NULL) {
        http_end_exchange(client);
        otter_http_disconnect(client->port);
    }
    client->state = HTTP_STATE_INIT;
    client->step = HTTP_PERFORM_SEND;
    if (client->connected) {
        client->connected = false;
        http_post_event(client, HTTP_EVENT_DISCONNECTED);
    }
    return ESP_OK;
}

esp_err_t esp_http_client_cancel_request(esp_http_client_handle_t client)
{
    if (client == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    if (client->state < HTTP_STATE_CONNECTED && client->job == NULL) {
        return ESP_ERR_INVALID_STATE;
    }
    return esp_http_client_close(client);
}
