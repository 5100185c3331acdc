/* SPDX-License-Identifier: Apache-2.0 */
/* Basic authentication (RFC 7617). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "device/http/http_internal.h"

static void encode_group(char out[4], const unsigned char *in, size_t len)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    uint32_t bits = (uint32_t)in[0] << 16 | (len > 1 ? (uint32_t)in[1] << 8 : 0) | (len > 2 ? in[2] : 0);
    for (size_t i = 0; i < 4; i++) {
        out[i] = i <= len ? digits[bits >> (18 - 6 * i) & 63] : '=';
    }
}

/* "Basic " and the base64 of name:password, to be freed. NULL if memory is short. */
static char *make_basic(const char *username, const char *password)
{
    static const char prefix[] = "Basic ";
    size_t plain_size = strlen(username) + strlen(password) + 2;
    char *plain = malloc(plain_size);
    char *value = malloc(sizeof(prefix) + (plain_size / 3 + 1) * 4);
    if (plain == NULL || value == NULL) {
        free(plain);
        free(value);
        return NULL;
    }
    size_t len = (size_t)snprintf(plain, plain_size, "%s:%s", username, password);
    memcpy(value, prefix, sizeof(prefix));
    char *at = value + strlen(prefix);
    for (size_t i = 0; i < len; i += 3, at += 4) {
        encode_group(at, (const unsigned char *)plain + i, len - i < 3 ? len - i : 3);
    }
    *at = '\0';
    free(plain);
    return value;
}

esp_err_t http_apply_auth(esp_http_client_handle_t client)
{
    client->auth_sent = false;
    if (client->auth_type == HTTP_AUTH_TYPE_DIGEST) {
        return http_report_failure(client, ESP_ERR_NOT_SUPPORTED, "Digest authentication is not supported");
    }
    /* Without a challenge an FTP server lets in anybody, but perhaps not to the same files. */
    bool unasked = client->auth_type == HTTP_AUTH_TYPE_BASIC || !client->scheme->is_http;
    if (!unasked || client->username == NULL) {
        return ESP_OK;
    }
    char *value = make_basic(client->username, client->password == NULL ? "" : client->password);
    esp_err_t err = value == NULL ? ESP_ERR_NO_MEM : http_headers_set(&client->request, "Authorization", value);
    free(value);
    client->auth_sent = err == ESP_OK;
    return err;
}

void http_drop_credentials(esp_http_client_handle_t client)
{
    http_headers_remove(&client->request, "Authorization");
    (void)http_replace_text(&client->username, NULL);
    (void)http_replace_text(&client->password, NULL);
    client->auth_sent = false;
}

static bool offers_basic(const http_headers_t *headers)
{
    for (size_t i = 0; i < headers->count; i++) {
        const otter_http_header_t *item = &headers->items[i];
        http_span_t scheme = {item->value, strcspn(item->value, " ,")};
        if (http_span_is((http_span_t){item->name, strlen(item->name)}, "WWW-Authenticate") &&
            http_span_is(scheme, "Basic")) {
            return true;
        }
    }
    return false;
}

esp_err_t esp_http_client_add_auth(esp_http_client_handle_t client)
{
    if (client == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    if (client->response.status != HttpStatus_Unauthorized) {
        return ESP_OK;
    }
    if (!offers_basic(&client->response_headers)) {
        return http_report_failure(client, ESP_ERR_NOT_SUPPORTED,
                                   "the server asks for other than Basic authentication");
    }
    if (client->username == NULL) {
        return http_report_failure(client, ESP_FAIL, "the server asks for a user name and none is set");
    }
    /* The same name and password would be refused again. */
    if (client->auth_sent || client->auth_tries >= client->max_auth_tries) {
        return http_report_failure(client, ESP_FAIL, "the server refuses the user name or password");
    }
    client->auth_tries++;
    client->auth_type = HTTP_AUTH_TYPE_BASIC;
    return ESP_OK;
}

esp_err_t esp_http_client_set_auth_data(esp_http_client_handle_t client, const char *auth_data, int len)
{
    if (client == NULL || auth_data == NULL || len <= 0) {
        return ESP_ERR_INVALID_ARG;
    }
    http_span_t scheme = {auth_data, 0};
    while (scheme.len < (size_t)len && auth_data[scheme.len] != ' ' && auth_data[scheme.len] != '\0') {
        scheme.len++;
    }
    if (!http_span_is(scheme, "Basic")) {
        return ESP_ERR_NOT_SUPPORTED;
    }
    client->auth_type = HTTP_AUTH_TYPE_BASIC;
    return ESP_OK;
}
