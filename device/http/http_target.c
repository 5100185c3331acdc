/* SPDX-License-Identifier: Apache-2.0 */
/* Where a client points to: URL, redirects, and what a change of them means for connection and credentials. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "device/http/http_internal.h"
#include "esp_log.h"
#include "otter/otter_device.h"

/* A URL, taken apart and checked, before it replaces the client's. */
typedef struct target {
    char url[HTTP_MAX_URL_BYTES];
    char host[256];
    char username[256];
    char password[256];
    bool has_user;
    const http_scheme_t *scheme;
    uint16_t port_no;
} target_t;

static int hex_value(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Undoes percent encoding; false if it does not fit or is malformed. */
static bool decode(const char *text, size_t len, char *dst, size_t size)
{
    size_t out = 0;
    for (size_t i = 0; i < len; i++) {
        char c = text[i];
        if (c == '%') {
            if (len - i < 3 || hex_value(text[i + 1]) < 0 || hex_value(text[i + 2]) < 0) {
                return false;
            }
            c = (char)(hex_value(text[i + 1]) * 16 + hex_value(text[i + 2]));
            i += 2;
        }
        if (c == '\0' || out + 1 >= size) {
            return false;
        }
        dst[out++] = c;
    }
    dst[out] = '\0';
    return true;
}

static bool take_userinfo(target_t *target, http_span_t userinfo)
{
    target->has_user = userinfo.at != NULL;
    if (!target->has_user) {
        return true;
    }
    const char *colon = memchr(userinfo.at, ':', userinfo.len);
    size_t name_len = colon == NULL ? userinfo.len : (size_t)(colon - userinfo.at);
    size_t skip = colon == NULL ? name_len : name_len + 1;
    return decode(userinfo.at, name_len, target->username, sizeof(target->username)) &&
           decode(userinfo.at + skip, userinfo.len - skip, target->password, sizeof(target->password));
}

static bool write_url(target_t *target, const http_url_t *url)
{
    char port[8] = "";
    if (target->port_no != target->scheme->default_port) {
        snprintf(port, sizeof(port), ":%u", target->port_no);
    }
    const char *path = url->path.len == 0 ? "/" : url->path.at;
    int path_len = url->path.len == 0 ? 1 : (int)url->path.len;
    int len = snprintf(target->url, sizeof(target->url), "%s://%s%s%.*s%s%.*s", target->scheme->name, target->host,
                       port, path_len, path, url->query.at == NULL ? "" : "?", (int)url->query.len,
                       url->query.at == NULL ? "" : url->query.at);
    return len > 0 && (size_t)len < sizeof(target->url);
}

/* Files of this machine have no server, and whoever names one means something else. */
static bool take_no_server(const http_url_t *url, target_t *target)
{
    bool here = url->host.len == 0 || http_span_is(url->host, "localhost");
    target->host[0] = '\0';
    target->port_no = 0;
    return here && url->port.at == NULL && url->userinfo.at == NULL;
}

static bool take_server(const http_url_t *url, uint16_t default_port, target_t *target)
{
    if (url->host.len >= sizeof(target->host)) {
        return false;
    }
    snprintf(target->host, sizeof(target->host), "%.*s", (int)url->host.len, url->host.at);
    target->port_no = http_url_port(url, default_port != 0 ? default_port : target->scheme->default_port);
    return take_userinfo(target, url->userinfo);
}

static esp_err_t parse(const char *text, uint16_t default_port, target_t *target)
{
    http_url_t url;
    if (strlen(text) >= HTTP_MAX_URL_BYTES || !http_url_split(text, &url) || url.scheme.at == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    target->scheme = http_find_scheme(url.scheme);
    if (target->scheme == NULL) {
        return ESP_ERR_HTTP_INVALID_TRANSPORT;
    }
    if (url.host.at == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    bool is_file = http_is_file_scheme(target->scheme);
    if (is_file && !otter_device_get()->config.allow_file) {
        ESP_LOGE(HTTP_TAG, "file URLs are not allowed on this device");
        return ESP_ERR_HTTP_INVALID_TRANSPORT;
    }
    bool ok = is_file ? take_no_server(&url, target) : take_server(&url, default_port, target);
    return ok && write_url(target, &url) ? ESP_OK : ESP_ERR_INVALID_ARG;
}

static bool same_host(esp_http_client_handle_t client, const target_t *target)
{
    return client->host != NULL && http_span_is((http_span_t){client->host, strlen(client->host)}, target->host);
}

static bool same_server(esp_http_client_handle_t client, const target_t *target)
{
    return same_host(client, target) && client->port_no == target->port_no && client->scheme == target->scheme;
}

static esp_err_t set_host_header(esp_http_client_handle_t client)
{
    char value[264];
    if (!client->scheme->is_http) {
        http_headers_remove(&client->request, "Host");
        return ESP_OK;
    }
    bool usual = client->port_no == client->scheme->default_port;
    snprintf(value, sizeof(value), usual ? "%s" : "%s:%u", client->host, client->port_no);
    return http_headers_set(&client->request, "Host", value);
}

/* Takes over a target; false if memory is short, with nothing changed. */
static bool adopt(esp_http_client_handle_t client, const target_t *target)
{
    char *url = NULL;
    char *host = NULL;
    if (!http_replace_text(&url, target->url) || !http_replace_text(&host, target->host)) {
        free(url);
        return false;
    }
    free(client->url);
    free(client->host);
    client->url = url;
    client->host = host;
    client->port_no = target->port_no;
    client->scheme = target->scheme;
    return true;
}

static esp_err_t adopt_user(esp_http_client_handle_t client, const target_t *target)
{
    if (!target->has_user) {
        return ESP_OK;
    }
    bool ok = http_replace_text(&client->username, target->username) &&
              http_replace_text(&client->password, target->password);
    return ok ? ESP_OK : ESP_ERR_NO_MEM;
}

static esp_err_t apply(esp_http_client_handle_t client, const target_t *target)
{
    bool stays = same_server(client, target);
    bool other_host = !same_host(client, target);
    if (!adopt(client, target)) {
        return ESP_ERR_NO_MEM;
    }
    if (!stays) {
        esp_http_client_close(client);
    }
    if (other_host) {
        http_drop_credentials(client);
    }
    esp_err_t err = stays ? ESP_OK : set_host_header(client);
    return err == ESP_OK ? adopt_user(client, target) : err;
}

esp_err_t http_set_target(esp_http_client_handle_t client, const char *url, uint16_t default_port)
{
    target_t *target = calloc(1, sizeof(*target));
    if (target == NULL) {
        return ESP_ERR_NO_MEM;
    }
    esp_err_t err = parse(url, default_port, target);
    if (err == ESP_OK) {
        err = apply(client, target);
    }
    free(target);
    return err;
}

/* The absolute form of a URL, to be freed. NULL, with the reason in @p err, if there is none. */
static char *make_absolute(esp_http_client_handle_t client, const char *url, esp_err_t *err)
{
    size_t size = strlen(client->url) + strlen(url) + 4;
    char *absolute = malloc(size);
    *err = absolute == NULL ? ESP_ERR_NO_MEM : ESP_OK;
    if (absolute != NULL && !http_url_resolve(client->url, url, absolute, size)) {
        free(absolute);
        *err = ESP_ERR_INVALID_ARG;
        return NULL;
    }
    return absolute;
}

esp_err_t esp_http_client_set_url(esp_http_client_handle_t client, const char *url)
{
    if (client == NULL || url == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    esp_err_t err = ESP_OK;
    char *absolute = make_absolute(client, url, &err);
    if (absolute != NULL) {
        err = http_set_target(client, absolute, 0);
        client->was_redirected = client->was_redirected && err != ESP_OK;
        free(absolute);
    }
    if (err != ESP_OK) {
        ESP_LOGE(HTTP_TAG, "cannot use this URL: %s", url);
    }
    return err;
}

bool http_is_redirect(int status)
{
    return (status >= 301 && status <= 303) || status == 307 || status == 308;
}

static const http_scheme_t *scheme_of(const char *absolute)
{
    http_url_t url;
    return http_url_split(absolute, &url) ? http_find_scheme(url.scheme) : NULL;
}

/* Points to where a redirect leads. Another scheme or port is another server: credentials are not for it. */
static esp_err_t follow(esp_http_client_handle_t client, const char *absolute)
{
    const http_scheme_t *old_scheme = client->scheme;
    uint16_t old_port = client->port_no;
    esp_err_t err = http_judge_redirect(old_scheme, scheme_of(absolute));
    if (err != ESP_OK) {
        return http_report_failure(client, err,
                                   err == ESP_ERR_HTTP_REDIRECT_DOWNGRADE
                                       ? "refused a redirect from a protected to an unprotected URL"
                                       : "refused a redirect to a URL that is not HTTP");
    }
    err = http_set_target(client, absolute, 0);
    if (err == ESP_OK && (client->scheme != old_scheme || client->port_no != old_port)) {
        http_drop_credentials(client);
    }
    return err;
}

static void count_redirect(esp_http_client_handle_t client)
{
    client->redirects++;
    client->goes_on = true;
    client->was_redirected = true;
    /* "See other": whatever was asked, the answer is fetched from there. */
    if (client->response.status == HttpStatus_SeeOther && client->method != HTTP_METHOD_HEAD) {
        client->method = HTTP_METHOD_GET;
        client->post_data = NULL;
        client->post_len = 0;
    }
}

esp_err_t esp_http_client_set_redirection(esp_http_client_handle_t client)
{
    const char *location = client == NULL ? NULL : http_headers_get(&client->response_headers, "Location");
    if (location == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    if (client->redirects >= client->max_redirects) {
        return http_report_failure(client, ESP_ERR_HTTP_MAX_REDIRECT, "too many redirects");
    }
    esp_err_t err = ESP_OK;
    char *absolute = make_absolute(client, location, &err);
    if (absolute == NULL) {
        return http_report_failure(client, err, "the redirect's Location is malformed");
    }
    err = follow(client, absolute);
    free(absolute);
    if (err == ESP_OK) {
        count_redirect(client);
        ESP_LOGI(HTTP_TAG, "redirected to %s", client->url);
    }
    return err;
}

esp_err_t esp_http_client_reset_redirect_counter(esp_http_client_handle_t client)
{
    if (client == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    client->redirects = 0;
    return ESP_OK;
}

esp_err_t esp_http_client_get_url(esp_http_client_handle_t client, char *url, const int len)
{
    if (client == NULL || url == NULL || len <= 0) {
        return ESP_ERR_INVALID_ARG;
    }
    size_t size = strlen(client->url) + 1;
    if (size > (size_t)len) {
        return ESP_FAIL;
    }
    memcpy(url, client->url, size);
    return ESP_OK;
}

const http_scheme_t *http_get_scheme(esp_http_client_handle_t client)
{
    return client->scheme;
}

esp_http_client_transport_t esp_http_client_get_transport_type(esp_http_client_handle_t client)
{
    if (client == NULL) {
        return HTTP_TRANSPORT_UNKNOWN;
    }
    return client->scheme->is_protected ? HTTP_TRANSPORT_OVER_SSL : HTTP_TRANSPORT_OVER_TCP;
}
