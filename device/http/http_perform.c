/* SPDX-License-Identifier: Apache-2.0 */
/* A whole request in one call: redirects and challenges followed, the body handed to the event handler. */
#include <stdlib.h>

#include "device/http/http_internal.h"
#include "otter/otter_os.h"

/* Most bytes of a redirect's or challenge's body that are read to keep the connection. */
#define MAX_DRAIN_BYTES 65536

/* Other servers than ours may need a moment between two polls. */
#define POLL_US 1000

/* ---- sending ---- */

static esp_err_t send(esp_http_client_handle_t client)
{
    client->step = HTTP_PERFORM_AWAIT;
    client->heard_us = otter_now_us();
    esp_err_t err = esp_http_client_open(client, client->post_len);
    if (err == ESP_ERR_HTTP_EAGAIN && client->job != NULL) {
        return ESP_OK;
    }
    if (err != ESP_OK || client->post_len == 0) {
        return err;
    }
    /* The write that completes the body sends the request. */
    int written = esp_http_client_write(client, client->post_data, client->post_len);
    return written == client->post_len ? ESP_OK : client->head_result;
}

/* ---- the response's head ---- */

static esp_err_t receive_head(esp_http_client_handle_t client)
{
    int64_t len = esp_http_client_fetch_headers(client);
    if (len == -ESP_ERR_HTTP_EAGAIN) {
        return ESP_ERR_HTTP_READ_TIMEOUT;
    }
    return len < 0 ? ESP_ERR_HTTP_FETCH_HEADER : ESP_OK;
}

static void send_again(esp_http_client_handle_t client)
{
    http_drain_body(client, MAX_DRAIN_BYTES);
    client->step = HTTP_PERFORM_SEND;
}

static esp_err_t follow_redirect(esp_http_client_handle_t client)
{
    int status = client->response.status;
    if (client->disable_auto_redirect || http_get_response_header(client, "Location") == NULL) {
        client->goes_on = false;
        http_post_redirect(client, status, false);
        /* The handler may have followed it. */
        if (client->goes_on) {
            send_again(client);
        }
        return ESP_OK;
    }
    esp_err_t err = esp_http_client_set_redirection(client);
    send_again(client);
    if (err == ESP_OK) {
        http_post_redirect(client, status, true);
    }
    return err;
}

/* Goes back to sending if the response calls for another request. */
static esp_err_t follow(esp_http_client_handle_t client)
{
    int status = client->response.status;
    if (http_is_redirect(status)) {
        return follow_redirect(client);
    }
    if (status == HttpStatus_Unauthorized && client->username != NULL && esp_http_client_add_auth(client) == ESP_OK) {
        send_again(client);
    }
    return ESP_OK;
}

static esp_err_t await_head(esp_http_client_handle_t client)
{
    esp_err_t err = client->job == NULL ? ESP_OK : http_await_job(client, 0);
    if (err == ESP_OK) {
        err = receive_head(client);
    }
    if (err != ESP_OK) {
        return err;
    }
    client->step = HTTP_PERFORM_BODY;
    client->heard_us = otter_now_us();
    return follow(client);
}

/* ---- the body ---- */

static esp_err_t judge_body(esp_http_client_handle_t client, int last_read)
{
    if (last_read == -ESP_ERR_HTTP_EAGAIN) {
        bool may_come = client->is_async && otter_now_us() < client->heard_us + (int64_t)client->timeout_ms * 1000;
        return may_come ? ESP_ERR_HTTP_EAGAIN : ESP_ERR_HTTP_READ_TIMEOUT;
    }
    if (last_read < 0) {
        return ESP_ERR_HTTP_CONNECTION_CLOSED;
    }
    client->step = HTTP_PERFORM_DONE;
    return esp_http_client_is_complete_data_received(client) ? ESP_OK : ESP_ERR_HTTP_INCOMPLETE_DATA;
}

static esp_err_t receive_body(esp_http_client_handle_t client)
{
    char *buffer = malloc(client->buffer_size);
    if (buffer == NULL) {
        return ESP_ERR_NO_MEM;
    }
    int got = 0;
    do {
        int64_t deadline_us = client->is_async ? otter_now_us() + POLL_US : http_deadline_us(client);
        got = http_read_body(client, buffer, client->buffer_size, deadline_us);
        client->heard_us = got > 0 ? otter_now_us() : client->heard_us;
    } while (got > 0);
    free(buffer);
    return judge_body(client, got);
}

/* ---- all of it ---- */

static void finish(esp_http_client_handle_t client)
{
    http_post_event(client, HTTP_EVENT_ON_FINISH);
    if (client->response.keep_alive) {
        http_end_exchange(client);
    } else {
        esp_http_client_close(client);
    }
}

esp_err_t esp_http_client_perform(esp_http_client_handle_t client)
{
    static esp_err_t (*const steps[HTTP_PERFORM_DONE])(esp_http_client_handle_t) = {
        [HTTP_PERFORM_SEND] = send,
        [HTTP_PERFORM_AWAIT] = await_head,
        [HTTP_PERFORM_BODY] = receive_body,
    };
    if (client == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    esp_err_t err = ESP_OK;
    while (err == ESP_OK && client->step != HTTP_PERFORM_DONE) {
        err = steps[client->step](client);
    }
    if (err == ESP_ERR_HTTP_EAGAIN && client->is_async) {
        return err;
    }
    client->step = HTTP_PERFORM_SEND;
    if (err != ESP_OK) {
        esp_http_client_close(client);
        return err;
    }
    finish(client);
    return ESP_OK;
}
