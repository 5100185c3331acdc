/* SPDX-License-Identifier: Apache-2.0 */
/* Events, failures and their texts. */
#include <stdio.h>

#include "device/http/http_internal.h"
#include "esp_log.h"
#include "freertos/FreeRTOS.h"
#include "otter/otter_device.h"

ESP_EVENT_DEFINE_BASE(ESP_HTTP_CLIENT_EVENT);

static void tell_handler(esp_http_client_handle_t client, esp_http_client_event_t event)
{
    if (client->event_handler == NULL) {
        return;
    }
    event.client = client;
    event.user_data = client->user_data;
    /* The handler cannot stop a request by its result: ESP-IDF's OTA path ignores it, and so must this one. */
    (void)client->event_handler(&event);
}

static void tell_loop(esp_http_client_event_id_t id, const void *data, size_t size)
{
    int32_t limit_ms = otter_device_get()->config.event_post_timeout_ms;
    TickType_t ticks = limit_ms < 0 ? portMAX_DELAY : pdMS_TO_TICKS((uint32_t)limit_ms);
    /* An application without a default loop does not listen. */
    (void)esp_event_post(ESP_HTTP_CLIENT_EVENT, (int32_t)id, data, size, ticks);
}

void http_post_event(esp_http_client_handle_t client, esp_http_client_event_id_t id)
{
    bool is_failure = id == HTTP_EVENT_ERROR || id == HTTP_EVENT_DISCONNECTED;
    tell_handler(client, (esp_http_client_event_t){.event_id = id, .data = is_failure ? &client->tls_error : NULL});
    tell_loop(id, &client, sizeof(client));
}

void http_post_redirect(esp_http_client_handle_t client, int status, bool is_followed)
{
    esp_http_client_redirect_event_data_t data = {.client = client, .status_code = status};
    if (!is_followed) {
        tell_handler(client, (esp_http_client_event_t){.event_id = HTTP_EVENT_REDIRECT});
    }
    tell_loop(HTTP_EVENT_REDIRECT, &data, sizeof(data));
}

void http_post_status(esp_http_client_handle_t client)
{
    tell_handler(client, (esp_http_client_event_t){.event_id = HTTP_EVENT_ON_STATUS_CODE,
                                                   .data = &client->response.status,
                                                   .data_len = sizeof(client->response.status)});
    tell_loop(HTTP_EVENT_ON_STATUS_CODE, &client, sizeof(client));
}

void http_post_data(esp_http_client_handle_t client, void *data, int len)
{
    esp_http_client_on_data_t progress = {.client = client, .data_process = client->received};
    tell_handler(client, (esp_http_client_event_t){.event_id = HTTP_EVENT_ON_DATA, .data = data, .data_len = len});
    tell_loop(HTTP_EVENT_ON_DATA, &progress, sizeof(progress));
}

void http_post_header(esp_http_client_handle_t client, const otter_http_header_t *header)
{
    /* ESP-IDF's event has no const; a handler does not write there. */
    tell_handler(client, (esp_http_client_event_t){.event_id = HTTP_EVENT_ON_HEADER,
                                                   .header_key = (char *)(uintptr_t)header->name,
                                                   .header_value = (char *)(uintptr_t)header->value});
    tell_loop(HTTP_EVENT_ON_HEADER, &client, sizeof(client));
}

esp_err_t http_report_failure(esp_http_client_handle_t client, esp_err_t err, const char *why)
{
    snprintf(client->error, sizeof(client->error), "%s", why);
    ESP_LOGE(HTTP_TAG, "%s", client->error);
    http_post_event(client, HTTP_EVENT_ERROR);
    return err;
}

const char *http_get_error(esp_http_client_handle_t client)
{
    return client->error;
}
