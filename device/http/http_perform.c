/* SPDX-License-Identifier: Apache-2.0 */
/* A whole request in one call: redirects and challenges followed, the body handed to the event handler. */
#include <stdlib.h>

#include "device/http/http_internal.h"

/* Most bytes of a redirect's or challenge's body that are read to keep the connection. */
#define MAX_DRAIN_BYTES 65536

static esp_err_t send(esp_http_client_handle_t client)
{
    esp_err_t err = esp_http_client_open(client, client->post_len);
    if (err != ESP_OK || client->post_len == 0) {
        return err;
    }
    /* The write that completes the body sends the request. */
    int written = esp_http_client_write(client, client->post_data, client->post_len);
    return written == client->post_len ? ESP_OK : client->head_result;
}

static esp_err_t receive_head(esp_http_client_handle_t client)
{
    int64_t len = esp_http_client_fetch_headers(client);
    if (len == -ESP_ERR_HTTP_EAGAIN) {
        return ESP_ERR_HTTP_READ_TIMEOUT;
    }
    return len < 0 ? ESP_ERR_HTTP_FETCH_HEADER : ESP_OK;
}

static esp_err_t judge_body(esp_http_client_handle_t client, int last_read)
{
    if (last_read == -ESP_ERR_HTTP_EAGAIN) {
        return ESP_ERR_HTTP_READ_TIMEOUT;
    }
    if (last_read < 0) {
        return ESP_ERR_HTTP_CONNECTION_CLOSED;
    }
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
        got = esp_http_client_read(client, buffer, (int)client->buffer_size);
    } while (got > 0);
    free(buffer);
    return judge_body(client, got);
}

/* Prepares the next request if the response calls for one. */
static esp_err_t follow(esp_http_client_handle_t client, bool *again)
{
    int status = client->response.status;
    *again = false;
    if (http_is_redirect(status)) {
        if (client->disable_auto_redirect || http_get_response_header(client, "Location") == NULL) {
            http_post_event(client, HTTP_EVENT_REDIRECT);
            return ESP_OK;
        }
        http_drain_body(client, MAX_DRAIN_BYTES);
        *again = true;
        return esp_http_client_set_redirection(client);
    }
    if (status == HttpStatus_Unauthorized && client->username != NULL && esp_http_client_add_auth(client) == ESP_OK) {
        http_drain_body(client, MAX_DRAIN_BYTES);
        *again = true;
    }
    return ESP_OK;
}

esp_err_t esp_http_client_perform(esp_http_client_handle_t client)
{
    if (client == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    bool again = true;
    esp_err_t err = ESP_OK;
    while (again && err == ESP_OK) {
        err = send(client);
        if (err == ESP_OK) {
            err = receive_head(client);
        }
        if (err == ESP_OK) {
            err = follow(client, &again);
        }
    }
    if (err == ESP_OK) {
        err = receive_body(client);
    }
    if (err != ESP_OK) {
        esp_http_client_close(client);
        return err;
    }
    http_post_event(client, HTTP_EVENT_ON_FINISH);
    http_end_exchange(client);
    return ESP_OK;
}
