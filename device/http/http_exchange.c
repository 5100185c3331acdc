/* SPDX-License-Identifier: Apache-2.0 */
/* One request and its response: open, write, fetch_headers, read, close. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "device/http/http_internal.h"
#include "esp_log.h"
#include "otter/otter_os.h"

static int64_t deadline_us(esp_http_client_handle_t client)
{
    return otter_now_us() + (int64_t)client->timeout_ms * 1000;
}

static void drop_body(esp_http_client_handle_t client)
{
    free(client->body);
    client->body = NULL;
    client->body_len = 0;
    client->body_size = 0;
}

void http_end_exchange(esp_http_client_handle_t client)
{
    otter_http_close(client->port);
    drop_body(client);
    client->state = client->connected ? HTTP_STATE_CONNECTED : HTTP_STATE_INIT;
}

static void forget_response(esp_http_client_handle_t client)
{
    http_headers_clear(&client->response_headers);
    (void)http_replace_text(&client->challenge, NULL);
    client->response = (otter_http_response_t){.status = -1, .content_length = -1};
    client->head_result = ESP_OK;
    client->body_result = ESP_OK;
    client->received = 0;
    client->complete = false;
    client->tls_failed = false;
    client->error[0] = '\0';
}

/* ---- sending ---- */

/* What a device with so small a send buffer could not send must not seem to work here. */
static esp_err_t check_head_fits(esp_http_client_handle_t client)
{
    size_t line = strlen(http_method_name(client->method)) + strlen(client->url) + strlen(" HTTP/1.1\r\n");
    if (line > client->buffer_size_tx + strlen("https://") + strlen(client->host)) {
        return http_report_failure(client, ESP_FAIL, "the URL does not fit: raise buffer_size_tx");
    }
    for (size_t i = 0; i < client->request.count; i++) {
        const otter_http_header_t *item = &client->request.items[i];
        if (strlen(item->name) + strlen(item->value) + strlen(": \r\n") > client->buffer_size_tx) {
            return http_report_failure(client, ESP_ERR_HTTP_HEADER_TOO_LONG,
                                       "a request header does not fit: raise buffer_size_tx");
        }
    }
    return ESP_OK;
}

static void keep_header(void *arg, const char *name, const char *value)
{
    esp_http_client_handle_t client = arg;
    /* One that cannot be kept is as if the server had not sent it; whoever needs it finds it missing. */
    if (http_headers_add(&client->response_headers, name, value) != ESP_OK) {
        /* Not its name: a stranger's, and perhaps what is wrong. */
        ESP_LOGW(HTTP_TAG, "dropped a response header that is malformed, or for want of memory");
    }
}

static bool was_sent(esp_err_t err)
{
    return err == ESP_OK || err == ESP_ERR_TIMEOUT || err == ESP_ERR_HTTP_FETCH_HEADER;
}

static void note_sent(esp_http_client_handle_t client)
{
    if (!client->connected) {
        client->connected = true;
        http_post_event(client, HTTP_EVENT_ON_CONNECTED);
    }
    client->state = HTTP_STATE_REQ_COMPLETE_DATA;
    http_post_event(client, HTTP_EVENT_HEADERS_SENT);
}

/* The port sends and receives in one go; a response that failed is kept for fetch_headers, as ESP-IDF's callers
 * expect it there. */
static esp_err_t send_request(esp_http_client_handle_t client)
{
    otter_http_request_t request = {
        .method = http_method_name(client->method),
        .url = client->url,
        .headers = client->request.items,
        .header_count = client->request.count,
        .body = client->body,
        .body_len = client->body_len,
    };
    client->state = HTTP_STATE_CONNECTING;
    esp_err_t err =
        otter_http_open(client->port, &request, keep_header, client, deadline_us(client), &client->response);
    drop_body(client);
    client->head_result = err;
    if (!was_sent(err)) {
        esp_http_client_close(client);
        client->tls_failed = err == ESP_ERR_HTTP_CONNECT;
        return http_report_failure(client, err, otter_http_error(client->port));
    }
    note_sent(client);
    return ESP_OK;
}

static esp_err_t begin_request(esp_http_client_handle_t client)
{
    http_end_exchange(client);
    forget_response(client);
    esp_err_t err = http_apply_auth(client);
    return err == ESP_OK ? check_head_fits(client) : err;
}

static esp_err_t expect_body(esp_http_client_handle_t client, size_t len)
{
    client->body = malloc(len);
    if (client->body == NULL) {
        return ESP_ERR_NO_MEM;
    }
    client->body_size = len;
    client->state = HTTP_STATE_REQ_COMPLETE_HEADER;
    return ESP_OK;
}

esp_err_t esp_http_client_open(esp_http_client_handle_t client, int write_len)
{
    if (client == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    if (write_len < 0) {
        return http_report_failure(client, ESP_ERR_NOT_SUPPORTED, "a chunked request body is not supported");
    }
    esp_err_t err = begin_request(client);
    if (err != ESP_OK) {
        return err;
    }
    return write_len == 0 ? send_request(client) : expect_body(client, (size_t)write_len);
}

esp_err_t esp_http_client_prepare(esp_http_client_handle_t client)
{
    if (client == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    http_end_exchange(client);
    return ESP_OK;
}

esp_err_t esp_http_client_request_send(esp_http_client_handle_t client, int write_len)
{
    return esp_http_client_open(client, write_len);
}

int esp_http_client_write(esp_http_client_handle_t client, const char *buffer, int len)
{
    if (client == NULL || buffer == NULL || len < 0 || client->state != HTTP_STATE_REQ_COMPLETE_HEADER) {
        return -1;
    }
    if ((size_t)len > client->body_size - client->body_len) {
        http_report_failure(client, ESP_FAIL, "more request body than was announced");
        return -1;
    }
    memcpy(client->body + client->body_len, buffer, (size_t)len);
    client->body_len += (size_t)len;
    if (client->body_len == client->body_size && send_request(client) != ESP_OK) {
        return -1;
    }
    return len;
}

/* ---- the response's head ---- */

static void report_head(esp_http_client_handle_t client)
{
    for (size_t i = 0; i < client->response_headers.count; i++) {
        http_post_header(client, &client->response_headers.items[i]);
    }
    client->state = HTTP_STATE_RES_COMPLETE_HEADER;
    http_post_event(client, HTTP_EVENT_ON_STATUS_CODE);
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
        return give_up_head(client, "less request body was written than announced");
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
static size_t fill(esp_http_client_handle_t client, char *buffer, size_t len)
{
    int64_t deadline = deadline_us(client);
    size_t filled = 0;
    while (filled < len) {
        size_t got = 0;
        client->body_result = otter_http_read(client->port, buffer + filled, len - filled, &got, deadline);
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
        ESP_LOGW(HTTP_TAG, "%s", client->error);
        return -ESP_ERR_HTTP_EAGAIN;
    }
    http_report_failure(client, client->body_result, otter_http_error(client->port));
    return client->body_result == ESP_ERR_HTTP_INCOMPLETE_DATA ? 0 : -1;
}

static bool has_body_to_read(esp_http_client_handle_t client)
{
    return client->state == HTTP_STATE_RES_ON_DATA_START || client->state == HTTP_STATE_RES_COMPLETE_DATA;
}

/* esp_http_client_read() without the event. */
static int read_body(esp_http_client_handle_t client, char *buffer, int len)
{
    if (is_whole(client)) {
        return 0;
    }
    size_t filled = fill(client, buffer, (size_t)len);
    return filled > 0 ? (int)filled : judge_empty_read(client);
}

int esp_http_client_read(esp_http_client_handle_t client, char *buffer, int len)
{
    if (client == NULL || buffer == NULL || len <= 0 || !has_body_to_read(client)) {
        return -1;
    }
    int got = read_body(client, buffer, len);
    if (got > 0) {
        http_post_data(client, buffer, got);
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
        got = read_body(client, dropped, sizeof(dropped));
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
    if (client->state <= HTTP_STATE_CONNECTED) {
        return ESP_ERR_INVALID_STATE;
    }
    return esp_http_client_close(client);
}
