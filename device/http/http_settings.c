/* SPDX-License-Identifier: Apache-2.0 */
/* What an application sets before a request and asks after it. */
#include <stdlib.h>
#include <string.h>

#include "device/http/http_fields.h"
#include "device/http/http_internal.h"
#include "esp_tls.h"

static const char *const method_names[HTTP_METHOD_MAX] = {
    [HTTP_METHOD_GET] = "GET",
    [HTTP_METHOD_POST] = "POST",
    [HTTP_METHOD_PUT] = "PUT",
    [HTTP_METHOD_PATCH] = "PATCH",
    [HTTP_METHOD_DELETE] = "DELETE",
    [HTTP_METHOD_HEAD] = "HEAD",
    [HTTP_METHOD_NOTIFY] = "NOTIFY",
    [HTTP_METHOD_SUBSCRIBE] = "SUBSCRIBE",
    [HTTP_METHOD_UNSUBSCRIBE] = "UNSUBSCRIBE",
    [HTTP_METHOD_OPTIONS] = "OPTIONS",
    [HTTP_METHOD_COPY] = "COPY",
    [HTTP_METHOD_MOVE] = "MOVE",
    [HTTP_METHOD_LOCK] = "LOCK",
    [HTTP_METHOD_UNLOCK] = "UNLOCK",
    [HTTP_METHOD_PROPFIND] = "PROPFIND",
    [HTTP_METHOD_PROPPATCH] = "PROPPATCH",
    [HTTP_METHOD_MKCOL] = "MKCOL",
    [HTTP_METHOD_REPORT] = "REPORT",
};

const char *http_method_name(esp_http_client_method_t method)
{
    return (unsigned)method < HTTP_METHOD_MAX ? method_names[method] : NULL;
}

esp_err_t esp_http_client_set_method(esp_http_client_handle_t client, esp_http_client_method_t method)
{
    if (client == NULL || http_method_name(method) == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    client->method = method;
    return ESP_OK;
}

esp_err_t esp_http_client_set_timeout_ms(esp_http_client_handle_t client, int timeout_ms)
{
    if (client == NULL || timeout_ms < 1) {
        return ESP_ERR_INVALID_ARG;
    }
    client->timeout_ms = timeout_ms;
    return ESP_OK;
}

/* ---- request headers and body ---- */

esp_err_t esp_http_client_set_header(esp_http_client_handle_t client, const char *key, const char *value)
{
    if (client == NULL || key == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    if (http_span_is((http_span_t){key, strlen(key)}, HTTP_AUTHORIZATION)) {
        client->auth_is_ours = false;
    }
    if (value == NULL) {
        http_headers_remove(&client->request, key);
        return ESP_OK;
    }
    return http_headers_set(&client->request, key, value);
}

esp_err_t esp_http_client_get_header(esp_http_client_handle_t client, const char *key, char **value)
{
    if (client == NULL || key == NULL || value == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    *value = (char *)(uintptr_t)http_headers_get(&client->request, key);
    return ESP_OK;
}

esp_err_t esp_http_client_delete_header(esp_http_client_handle_t client, const char *key)
{
    return esp_http_client_set_header(client, key, NULL);
}

esp_err_t esp_http_client_delete_all_headers(esp_http_client_handle_t client)
{
    if (client == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    http_headers_clear(&client->request);
    client->auth_is_ours = false;
    return ESP_OK;
}

esp_err_t esp_http_client_set_post_field(esp_http_client_handle_t client, const char *data, int len)
{
    if (client == NULL || len < 0 || (data == NULL && len > 0)) {
        return ESP_ERR_INVALID_ARG;
    }
    client->post_data = data;
    client->post_len = data == NULL ? 0 : len;
    if (data == NULL) {
        http_headers_remove(&client->request, "Content-Type");
        return ESP_OK;
    }
    if (http_headers_get(&client->request, "Content-Type") != NULL) {
        return ESP_OK;
    }
    return http_headers_set(&client->request, "Content-Type", "application/x-www-form-urlencoded");
}

int esp_http_client_get_post_field(esp_http_client_handle_t client, char **data)
{
    if (client == NULL || data == NULL) {
        return 0;
    }
    *data = (char *)(uintptr_t)client->post_data;
    return client->post_len;
}

/* ---- credentials and user data ---- */

esp_err_t esp_http_client_get_username(esp_http_client_handle_t client, char **value)
{
    if (client == NULL || value == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    *value = client->username;
    return ESP_OK;
}

esp_err_t esp_http_client_set_username(esp_http_client_handle_t client, const char *username)
{
    if (client == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    client->auth_sent = false;
    return http_replace_text(&client->username, username) ? ESP_OK : ESP_ERR_NO_MEM;
}

esp_err_t esp_http_client_get_password(esp_http_client_handle_t client, char **value)
{
    if (client == NULL || value == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    *value = client->password;
    return ESP_OK;
}

esp_err_t esp_http_client_set_password(esp_http_client_handle_t client, const char *password)
{
    if (client == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    char *fresh = NULL;
    if (!http_replace_text(&fresh, password)) {
        return ESP_ERR_NO_MEM;
    }
    http_wipe_text(client->password);
    free(client->password);
    client->password = fresh;
    client->auth_sent = false;
    return ESP_OK;
}

esp_err_t esp_http_client_set_authtype(esp_http_client_handle_t client, esp_http_client_auth_type_t auth_type)
{
    if (client == NULL || (unsigned)auth_type > HTTP_AUTH_TYPE_DIGEST) {
        return ESP_ERR_INVALID_ARG;
    }
    client->asked_auth = auth_type;
    client->auth_type = auth_type;
    return ESP_OK;
}

esp_err_t esp_http_client_get_user_data(esp_http_client_handle_t client, void **data)
{
    if (client == NULL || data == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    *data = client->user_data;
    return ESP_OK;
}

esp_err_t esp_http_client_set_user_data(esp_http_client_handle_t client, void *data)
{
    if (client == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    client->user_data = data;
    return ESP_OK;
}

esp_err_t esp_http_client_set_event_handler(esp_http_client_handle_t client, http_event_handle_cb event_handler)
{
    if (client == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    client->event_handler = event_handler;
    return ESP_OK;
}

/* ---- after a request ---- */

int esp_http_client_get_status_code(esp_http_client_handle_t client)
{
    return client == NULL ? -1 : client->response.status;
}

int64_t esp_http_client_get_content_length(esp_http_client_handle_t client)
{
    return client == NULL ? -1 : client->response.content_length;
}

esp_err_t esp_http_client_get_response_header(esp_http_client_handle_t client, const char *key, char **value)
{
    if (client == NULL || key == NULL || value == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    *value = (char *)(uintptr_t)http_headers_get(&client->response_headers, key);
    return *value != NULL ? ESP_OK : ESP_ERR_NOT_FOUND;
}

const char *http_get_response_header(esp_http_client_handle_t client, const char *name)
{
    return http_headers_get(&client->response_headers, name);
}

int64_t esp_http_client_get_content_range(esp_http_client_handle_t client)
{
    http_content_range_t range;
    const char *value = client == NULL ? NULL : http_get_response_header(client, "Content-Range");
    return http_parse_content_range(value, &range) ? range.total : -1;
}

bool esp_http_client_is_chunked_response(esp_http_client_handle_t client)
{
    return client != NULL && client->response.status >= 0 && client->response.content_length < 0;
}

esp_err_t esp_http_client_get_chunk_length(esp_http_client_handle_t client, int *len)
{
    if (client == NULL || len == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    if (!esp_http_client_is_chunked_response(client)) {
        return ESP_FAIL;
    }
    *len = 0;
    return ESP_OK;
}

esp_err_t esp_http_client_clear_response_buffer(esp_http_client_handle_t client)
{
    return client == NULL ? ESP_ERR_INVALID_ARG : ESP_OK;
}

bool esp_http_client_is_persistent_connection(esp_http_client_handle_t client)
{
    return client != NULL && client->response.keep_alive;
}

esp_http_state_t esp_http_client_get_state(esp_http_client_handle_t client)
{
    return client == NULL ? HTTP_STATE_UNINIT : client->state;
}

int esp_http_client_get_socket(esp_http_client_handle_t client)
{
    (void)client;
    return -1;
}

int esp_http_client_get_errno(esp_http_client_handle_t client)
{
    return client == NULL ? -1 : 0;
}

esp_err_t esp_http_client_get_and_clear_last_tls_error(esp_http_client_handle_t client, int *esp_tls_error_code,
                                                       int *esp_tls_flags)
{
    if (client == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    return esp_tls_get_and_clear_last_error(&client->tls_error, esp_tls_error_code, esp_tls_flags);
}

esp_err_t esp_tls_get_and_clear_last_error(esp_tls_error_handle_t h, int *esp_tls_code, int *esp_tls_flags)
{
    if (h == NULL) {
        return ESP_ERR_INVALID_STATE;
    }
    esp_tls_last_error_t error = *h;
    *h = (esp_tls_last_error_t){.last_error = ESP_OK};
    if (esp_tls_code != NULL) {
        *esp_tls_code = error.esp_tls_error_code;
    }
    if (esp_tls_flags != NULL) {
        *esp_tls_flags = error.esp_tls_flags;
    }
    return error.last_error;
}
