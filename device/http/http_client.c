/* SPDX-License-Identifier: Apache-2.0 */
/* Making and releasing a client. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "device/http/http_internal.h"
#include "device/http/http_shared.h"
#include "esp_log.h"
#include "otter/otter_crypto.h"
#include "otter/otter_device.h"

#define DEFAULT_TIMEOUT_MS     5000
#define DEFAULT_MAX_AUTH_TRIES 10
#define DEFAULT_USER_AGENT     "ESP32 HTTP Client/1.0"
#define DEFAULT_KEEP_ALIVE_S   5
#define DEFAULT_KEEP_ALIVE_NUM 3

bool http_replace_text(char **text, const char *value)
{
    char *fresh = NULL;
    if (value != NULL) {
        size_t size = strlen(value) + 1;
        fresh = malloc(size);
        if (fresh == NULL) {
            return false;
        }
        memcpy(fresh, value, size);
    }
    free(*text);
    *text = fresh;
    return true;
}

static int default_to(int given, int otherwise)
{
    return given > 0 ? given : otherwise;
}

static const char *find_unsupported(const esp_http_client_config_t *config)
{
    if (config->client_key != NULL || config->ds_data != NULL) {
        return "a key in a secure element or signature peripheral is not supported";
    }
    if (config->transport != NULL) {
        return "a custom transport is not supported";
    }
    if (http_method_name(config->method) == NULL) {
        return "unknown method";
    }
    if ((unsigned)config->addr_type > HTTP_ADDR_TYPE_INET6) {
        return "unknown address type";
    }
    if ((unsigned)config->auth_type > HTTP_AUTH_TYPE_DIGEST) {
        return "unknown kind of authentication";
    }
    if (config->port < 0 || config->port > 65535) {
        return "port out of range";
    }
    return NULL;
}

/* ---- TLS ---- */

static int tls_version(esp_http_client_proto_ver_t version)
{
    if (version == ESP_HTTP_CLIENT_TLS_VER_TLS_1_2) {
        return 12;
    }
    return version == ESP_HTTP_CLIENT_TLS_VER_TLS_1_3 ? 13 : 0;
}

/* One of the shared sets of certificates, or while it is not set, the platform's. */
static bool trust_shared(esp_http_client_handle_t client, http_shared_t which, otter_http_tls_t *tls)
{
    size_t len = 0;
    if (http_copy_shared(which, &client->trusted, &len) != ESP_OK) {
        return false;
    }
    tls->use_system_ca = client->trusted == NULL;
    tls->ca_pem = client->trusted;
    tls->ca_len = len;
    return true;
}

/* Whom to trust: the bundle before the store before the certificate given. Nobody, unless policy allows anybody. */
static bool choose_trust(esp_http_client_handle_t client, const esp_http_client_config_t *config, otter_http_tls_t *tls)
{
    if (config->crt_bundle_attach != NULL) {
        return trust_shared(client, HTTP_SHARED_BUNDLE, tls);
    }
    if (config->use_global_ca_store) {
        return trust_shared(client, HTTP_SHARED_CA_STORE, tls);
    }
    tls->ca_pem = config->cert_pem;
    tls->ca_len = config->cert_len;
    tls->insecure = tls->ca_pem == NULL && otter_device_get()->config.allow_http;
    return true;
}

static bool copy_key_password(esp_http_client_handle_t client, const esp_http_client_config_t *config)
{
    if (config->client_key_password == NULL) {
        return true;
    }
    size_t len = config->client_key_password_len;
    len = len == 0 ? strlen(config->client_key_password) : len;
    client->client_key_password = calloc(1, len + 1);
    if (client->client_key_password == NULL) {
        return false;
    }
    memcpy(client->client_key_password, config->client_key_password, len);
    return true;
}

static bool describe_tls(esp_http_client_handle_t client, const esp_http_client_config_t *config, otter_http_tls_t *tls)
{
    *tls = (otter_http_tls_t){
        .skip_common_name_check = config->skip_cert_common_name_check,
        .common_name = client->common_name,
        .client_cert_pem = config->client_cert_pem,
        .client_cert_len = config->client_cert_len,
        .client_key_pem = config->client_key_pem,
        .client_key_len = config->client_key_len,
        .client_key_password = client->client_key_password,
        .alpn_protos = config->alpn_protos,
        .tls_version = tls_version(config->tls_version),
    };
    return choose_trust(client, config, tls);
}

/* struct ifreq starts with the interface's name, on every system that has one. */
static void copy_interface(esp_http_client_handle_t client, const struct ifreq *interface)
{
    if (interface != NULL) {
        snprintf(client->if_name, sizeof(client->if_name), "%.15s", (const char *)(const void *)interface);
    }
}

static int ip_version(esp_http_client_addr_type_t type)
{
    static const int versions[] = {[HTTP_ADDR_TYPE_UNSPEC] = 0, [HTTP_ADDR_TYPE_INET] = 4, [HTTP_ADDR_TYPE_INET6] = 6};
    return versions[type];
}

static bool copy_lent_texts(esp_http_client_handle_t client, const esp_http_client_config_t *config)
{
    copy_interface(client, config->if_name);
    return http_replace_text(&client->common_name, config->common_name) && copy_key_password(client, config) &&
           http_copy_shared(HTTP_SHARED_PROXY, &client->proxy, NULL) == ESP_OK;
}

static bool make_port(esp_http_client_handle_t client, const esp_http_client_config_t *config)
{
    otter_http_tls_t tls;
    if (!copy_lent_texts(client, config) || !describe_tls(client, config, &tls)) {
        return false;
    }
    otter_http_config_t port_config = {
        .tls = tls,
        .tcp_keep_alive = config->keep_alive_enable,
        .tcp_keep_alive_idle_s = default_to(config->keep_alive_idle, DEFAULT_KEEP_ALIVE_S),
        .tcp_keep_alive_interval_s = default_to(config->keep_alive_interval, DEFAULT_KEEP_ALIVE_S),
        .tcp_keep_alive_count = default_to(config->keep_alive_count, DEFAULT_KEEP_ALIVE_NUM),
        .if_name = client->if_name[0] != '\0' ? client->if_name : NULL,
        .ip_version = ip_version(config->addr_type),
        .proxy = client->proxy,
    };
    client->port = otter_http_new(&port_config);
    if (client->port == NULL) {
        ESP_LOGE(HTTP_TAG, "cannot use the certificates or keys given");
        return false;
    }
    if (tls.insecure && client->scheme->is_protected) {
        ESP_LOGW(HTTP_TAG, "no certificate to verify the server with: anybody may be %s", client->host);
    }
    return true;
}

/* ---- URL ---- */

static const char *config_scheme(const esp_http_client_config_t *config)
{
    return config->transport_type == HTTP_TRANSPORT_OVER_SSL ? "https" : "http";
}

static bool write_parts(const esp_http_client_config_t *config, char *url, size_t size)
{
    bool bare_ipv6 = strchr(config->host, ':') != NULL && config->host[0] != '[';
    int len = snprintf(url, size, "%s://%s%s%s%s%s%s%s", config_scheme(config), bare_ipv6 ? "[" : "", config->host,
                       bare_ipv6 ? "]" : "", config->path[0] == '/' ? "" : "/", config->path,
                       config->query == NULL ? "" : "?", config->query == NULL ? "" : config->query);
    return len > 0 && (size_t)len < size;
}

static esp_err_t set_target_from_parts(esp_http_client_handle_t client, const esp_http_client_config_t *config)
{
    /* Not on the stack: tasks have small ones. */
    char *url = malloc(HTTP_MAX_URL_BYTES);
    if (url == NULL) {
        return ESP_ERR_NO_MEM;
    }
    esp_err_t err = ESP_ERR_INVALID_ARG;
    if (write_parts(config, url, HTTP_MAX_URL_BYTES)) {
        err = http_set_target(client, url, (uint16_t)config->port);
    }
    free(url);
    return err;
}

static esp_err_t set_first_target(esp_http_client_handle_t client, const esp_http_client_config_t *config)
{
    if (config->host != NULL && config->path != NULL) {
        return set_target_from_parts(client, config);
    }
    return config->url == NULL ? ESP_ERR_INVALID_ARG : http_set_target(client, config->url, (uint16_t)config->port);
}

/* ---- life ---- */

static uint32_t redirect_limit(const esp_http_client_config_t *config)
{
    return config->max_redirection_count > 0 ? (uint32_t)config->max_redirection_count
                                             : otter_device_get()->config.ota_max_redirects;
}

static void copy_settings(esp_http_client_handle_t client, const esp_http_client_config_t *config)
{
    client->asked_auth = config->auth_type;
    client->auth_type = config->auth_type;
    client->max_auth_tries = config->max_authorization_retries < 0
                                 ? 0
                                 : default_to(config->max_authorization_retries, DEFAULT_MAX_AUTH_TRIES);
    client->event_handler = config->event_handler;
    client->user_data = config->user_data;
    client->timeout_ms = default_to(config->timeout_ms, DEFAULT_TIMEOUT_MS);
    client->buffer_size = (size_t)default_to(config->buffer_size, DEFAULT_HTTP_BUF_SIZE);
    client->buffer_size_tx = (size_t)default_to(config->buffer_size_tx, DEFAULT_HTTP_BUF_SIZE);
    client->is_async = config->is_async;
    client->disable_auto_redirect = config->disable_auto_redirect;
    client->max_redirects = redirect_limit(config);
    client->method = config->method;
    client->response.status = -1;
    client->response.content_length = -1;
    client->state = HTTP_STATE_INIT;
}

static bool copy_user(esp_http_client_handle_t client, const esp_http_client_config_t *config)
{
    if (config->username == NULL) {
        return true;
    }
    return http_replace_text(&client->username, config->username) &&
           http_replace_text(&client->password, config->password);
}

static bool set_up(esp_http_client_handle_t client, const esp_http_client_config_t *config)
{
    const char *agent = config->user_agent == NULL ? DEFAULT_USER_AGENT : config->user_agent;
    copy_settings(client, config);
    if (http_headers_set(&client->request, "User-Agent", agent) != ESP_OK) {
        ESP_LOGE(HTTP_TAG, "malformed user agent");
        return false;
    }
    esp_err_t err = set_first_target(client, config);
    if (err != ESP_OK) {
        ESP_LOGE(HTTP_TAG, "no usable URL: %s", config->url == NULL ? "(none)" : config->url);
        return false;
    }
    return copy_user(client, config) && make_port(client, config);
}

esp_http_client_handle_t esp_http_client_init(const esp_http_client_config_t *config)
{
    const char *unsupported = config == NULL ? "no configuration" : find_unsupported(config);
    if (unsupported != NULL) {
        ESP_LOGE(HTTP_TAG, "%s", unsupported);
        return NULL;
    }
    esp_http_client_handle_t client = calloc(1, sizeof(*client));
    if (client == NULL) {
        return NULL;
    }
    if (!set_up(client, config)) {
        esp_http_client_cleanup(client);
        return NULL;
    }
    return client;
}

void http_wipe_text(char *secret)
{
    if (secret != NULL) {
        otter_wipe(secret, strlen(secret));
    }
}

esp_err_t esp_http_client_cleanup(esp_http_client_handle_t client)
{
    if (client == NULL) {
        return ESP_FAIL;
    }
    if (client->port != NULL) {
        esp_http_client_close(client);
        otter_http_free(client->port);
    }
    http_drop_credentials(client);
    http_wipe_text(client->client_key_password);
    http_headers_clear(&client->request);
    http_headers_clear(&client->response_headers);
    free(client->url);
    free(client->host);
    http_wipe_text(client->proxy);
    free(client->proxy);
    free(client->trusted);
    free(client->common_name);
    free(client->client_key_password);
    http_body_drop(&client->body);
    free(client);
    return ESP_OK;
}
