/* SPDX-License-Identifier: Apache-2.0 */
/* A request on its way: open, write, and the task that does it for a client that does not wait. */
#include <stdio.h>
#include <string.h>

#include "device/http/http_internal.h"
#include "otter/otter_os.h"

/* What mbedTLS would say of a certificate. */
#define X509_CERT_VERIFY_FAILED 0x2700
#define X509_BADCERT_OTHER      0x0100

int64_t http_deadline_us(esp_http_client_handle_t client)
{
    return otter_now_us() + (int64_t)client->timeout_ms * 1000;
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
    client->tls_error = (esp_tls_last_error_t){.last_error = ESP_OK};
    client->error[0] = '\0';
}

/* ---- before it ---- */

/* What a device with so small a send buffer could not send must not seem to work here. A server that redirects knows
 * nothing of it: its URL may be longer. */
static esp_err_t check_line_fits(esp_http_client_handle_t client)
{
    size_t line = strlen(http_method_name(client->method)) + strlen(client->url) + strlen(" HTTP/1.1\r\n");
    if (client->was_redirected || line <= client->buffer_size_tx + strlen("https://") + strlen(client->host)) {
        return ESP_OK;
    }
    return http_report_failure(client, ESP_FAIL, "the URL does not fit: raise buffer_size_tx");
}

static esp_err_t check_head_fits(esp_http_client_handle_t client)
{
    for (size_t i = 0; i < client->request.count; i++) {
        const otter_http_header_t *item = &client->request.items[i];
        if (strlen(item->name) + strlen(item->value) + strlen(": \r\n") > client->buffer_size_tx) {
            return http_report_failure(client, ESP_ERR_HTTP_HEADER_TOO_LONG,
                                       "a request header does not fit: raise buffer_size_tx");
        }
    }
    return check_line_fits(client);
}

static esp_err_t begin_request(esp_http_client_handle_t client)
{
    http_end_exchange(client);
    forget_response(client);
    /* The port says how long the body is. Whoever else did would make of one request two. */
    http_headers_remove(&client->request, "Content-Length");
    http_headers_remove(&client->request, "Transfer-Encoding");
    esp_err_t err = http_apply_auth(client);
    return err == ESP_OK ? check_head_fits(client) : err;
}

/* ---- the request ---- */

/* A server may wait for a body whose length it was not told. */
static bool says_length(esp_http_client_method_t method)
{
    return method != HTTP_METHOD_GET && method != HTTP_METHOD_HEAD && method != HTTP_METHOD_DELETE;
}

static otter_http_request_t describe_request(esp_http_client_handle_t client)
{
    const void *body = client->body.bytes;
    if (client->body.len == 0) {
        body = says_length(client->method) ? "" : NULL;
    }
    return (otter_http_request_t){
        .method = http_method_name(client->method),
        .url = client->url,
        .headers = client->request.items,
        .header_count = client->request.count,
        .body = body,
        .body_len = client->body.len,
    };
}

static bool was_sent(esp_err_t err)
{
    return err == ESP_OK || err == ESP_ERR_TIMEOUT || err == ESP_ERR_HTTP_FETCH_HEADER;
}

static void note_sent(esp_http_client_handle_t client)
{
    if (!client->connected) {
        client->connected = true;
        client->state = HTTP_STATE_CONNECTED;
        http_post_event(client, HTTP_EVENT_ON_CONNECTED);
    }
    client->state = HTTP_STATE_REQ_COMPLETE_HEADER;
    http_post_event(client, HTTP_EVENT_HEADERS_SENT);
    client->state = HTTP_STATE_REQ_COMPLETE_DATA;
}

static esp_tls_last_error_t explain_connection(bool refused)
{
    if (!refused) {
        return (esp_tls_last_error_t){.last_error = ESP_ERR_ESP_TLS_FAILED_CONNECT_TO_HOST};
    }
    return (esp_tls_last_error_t){.last_error = ESP_ERR_MBEDTLS_SSL_HANDSHAKE_FAILED,
                                  .esp_tls_error_code = X509_CERT_VERIFY_FAILED,
                                  .esp_tls_flags = X509_BADCERT_OTHER};
}

/* The port sends and receives in one go; a response that failed is kept for fetch_headers, as ESP-IDF's callers
 * expect it there. */
static esp_err_t note_result(esp_http_client_handle_t client, esp_err_t err)
{
    http_body_drop(&client->body);
    client->head_result = err;
    if (was_sent(err)) {
        note_sent(client);
        return ESP_OK;
    }
    bool refused = client->response.refused;
    client->response = (otter_http_response_t){.status = -1, .content_length = -1, .refused = refused};
    if (err == ESP_ERR_HTTP_CONNECT) {
        client->tls_error = explain_connection(refused);
    }
    esp_http_client_close(client);
    return http_report_failure(client, err, otter_http_error(client->port));
}

static esp_err_t send_request(esp_http_client_handle_t client)
{
    otter_http_request_t request = describe_request(client);
    client->state = HTTP_STATE_CONNECTING;
    if (!client->is_async) {
        return note_result(client, http_run_request(client->port, &request, http_deadline_us(client),
                                                    &client->response_headers, &client->response));
    }
    client->job = http_job_start(client->port, &request, http_deadline_us(client));
    return client->job != NULL ? ESP_OK : http_report_failure(client, ESP_ERR_NO_MEM, "no memory for another task");
}

/* ---- the other task ---- */

esp_err_t http_await_job(esp_http_client_handle_t client, int64_t deadline_us)
{
    if (!http_job_wait(client->job, deadline_us)) {
        return ESP_ERR_HTTP_EAGAIN;
    }
    http_job_t *job = client->job;
    client->job = NULL;
    return note_result(client, http_job_finish(job, &client->response_headers, &client->response));
}

void http_abandon_job(esp_http_client_handle_t client)
{
    http_job_t *job = client->job;
    client->job = NULL;
    if (job != NULL) {
        (void)http_job_finish(job, &client->response_headers, &client->response);
        forget_response(client);
    }
}

/* ---- open and write ---- */

static esp_err_t expect_body(esp_http_client_handle_t client, int write_len)
{
    esp_err_t err = http_body_expect(&client->body, write_len);
    if (err == ESP_OK) {
        client->state = HTTP_STATE_REQ_COMPLETE_HEADER;
    }
    return err;
}

esp_err_t esp_http_client_open(esp_http_client_handle_t client, int write_len)
{
    if (client == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    if (client->job != NULL) {
        return http_await_job(client, 0);
    }
    esp_err_t err = begin_request(client);
    if (err != ESP_OK) {
        return err;
    }
    if (write_len != 0) {
        return expect_body(client, write_len);
    }
    err = send_request(client);
    return err == ESP_OK && client->job != NULL ? ESP_ERR_HTTP_EAGAIN : err;
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

static const char *explain_write(esp_http_client_handle_t client, esp_err_t err)
{
    if (err == ESP_ERR_INVALID_ARG) {
        return "the request body is not in chunks, as it was announced";
    }
    if (err == ESP_ERR_NO_MEM) {
        return "no memory for the request body";
    }
    return client->body.is_chunked ? "the chunks of the request body are too many"
                                   : "more request body than was announced";
}

/* Takes a piece of the body; the one that completes it sends the request. */
static esp_err_t take_body(esp_http_client_handle_t client, const char *bytes, size_t len)
{
    esp_err_t err = http_body_take(&client->body, bytes, len);
    if (err != ESP_OK) {
        return http_report_failure(client, err, explain_write(client, err));
    }
    return http_body_is_complete(&client->body) ? send_request(client) : ESP_OK;
}

int esp_http_client_write(esp_http_client_handle_t client, const char *buffer, int len)
{
    if (client == NULL || len < 0 || (buffer == NULL && len > 0) || client->state != HTTP_STATE_REQ_COMPLETE_HEADER) {
        return -1;
    }
    return len == 0 || take_body(client, buffer, (size_t)len) == ESP_OK ? len : -1;
}

static bool takes_chunks(esp_http_client_handle_t client)
{
    return client != NULL && client->state == HTTP_STATE_REQ_COMPLETE_HEADER && client->body.is_chunked;
}

int esp_http_client_chunk_write_begin(esp_http_client_handle_t client, const int len)
{
    char line[16];
    if (!takes_chunks(client) || len <= 0) {
        return -1;
    }
    int line_len = snprintf(line, sizeof(line), "%x\r\n", (unsigned)len);
    return take_body(client, line, (size_t)line_len) == ESP_OK ? 0 : -1;
}

int esp_http_client_chunk_write_end(esp_http_client_handle_t client, bool last_chunk)
{
    const char *end = last_chunk ? "\r\n0\r\n\r\n" : "\r\n";
    return takes_chunks(client) && take_body(client, end, strlen(end)) == ESP_OK ? 0 : -1;
}
