/* SPDX-License-Identifier: Apache-2.0 */
/* Life of a client and of its exchanges. */
#include "port/http1/http1.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "esp_http_client.h"

void http1_set_error(otter_http_t *http, const char *format, ...)
{
    char text[256];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    snprintf(http->error, sizeof(http->error), "%s: %s", http->origin, text);
}

/* ---- connection ---- */

static void disconnect(otter_http_t *http)
{
    otter_stream_close(http->stream);
    http->is_connected = false;
}

/* Bytes that nobody asked for, in the buffer or not yet read: whose answer would they be taken for? */
static bool can_be_used_again(otter_http_t *http, const http1_target_t *target)
{
    return http->is_connected && http1_target_same_server(&http->peer, target) &&
           http->buffer_off == http->buffer_end && otter_stream_is_idle(http->stream);
}

static esp_err_t explain_no_connection(otter_http_t *http, esp_err_t err)
{
    if (err == ESP_ERR_NO_MEM) {
        http1_set_error(http, "out of memory");
        return ESP_ERR_NO_MEM;
    }
    http->is_refused = err == ESP_ERR_NOT_ALLOWED;
    http1_set_error(http, "%s",
                    err == ESP_ERR_TIMEOUT ? "timed out while connecting" : otter_stream_error(http->stream));
    return ESP_ERR_HTTP_CONNECT;
}

static esp_err_t reconnect(otter_http_t *http, const http1_target_t *target, int64_t deadline_us)
{
    disconnect(http);
    esp_err_t err = otter_stream_open(http->stream, target->host, target->port, target->tls, deadline_us);
    if (err != ESP_OK) {
        return explain_no_connection(http, err);
    }
    http->peer = *target;
    http->is_connected = true;
    return ESP_OK;
}

/* ---- open ---- */

static esp_err_t aim(otter_http_t *http, const otter_http_request_t *request, http1_target_t *target)
{
    snprintf(http->origin, sizeof(http->origin), "%s", request->url);
    esp_err_t err = http1_target_parse(request->url, target);
    if (err != ESP_OK) {
        http1_set_error(http, err == ESP_ERR_HTTP_CONNECT ? "malformed URL" : "neither http nor https");
        return err;
    }
    http1_target_origin(target, http->origin);
    if (http->has_proxy) {
        http1_set_error(http, "a proxy is configured, but there is no way here to use one");
        return ESP_ERR_HTTP_CONNECT;
    }
    return http1_check_request(http, request);
}

static esp_err_t converse(otter_http_t *http, const otter_http_request_t *request, const http1_target_t *target,
                          int64_t deadline_us)
{
    esp_err_t err = http1_send_request(http, request, target, deadline_us);
    return err == ESP_OK ? http1_await_head(http, deadline_us) : err;
}

/* Methods that do the same when done twice (RFC 9110, 9.2.2). */
static bool is_idempotent(const char *method)
{
    static const char *const methods[] = {"GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE"};
    for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
        if (strcmp(method, methods[i]) == 0) {
            return true;
        }
    }
    return false;
}

/* The server closed a kept connection just when we used it: not a byte of an answer, and no harm in asking again. */
static bool was_stale(const otter_http_t *http, esp_err_t err, const char *method)
{
    bool broke = err == ESP_ERR_HTTP_WRITE_DATA || err == ESP_ERR_HTTP_FETCH_HEADER;
    return broke && !http->is_refused && http->head.bytes == 0 && http->buffer_end == 0 && is_idempotent(method);
}

static esp_err_t exchange(otter_http_t *http, const otter_http_request_t *request, const http1_target_t *target,
                          int64_t deadline_us)
{
    if (can_be_used_again(http, target)) {
        esp_err_t err = converse(http, request, target, deadline_us);
        if (!was_stale(http, err, request->method)) {
            return err;
        }
    }
    esp_err_t err = reconnect(http, target, deadline_us);
    return err == ESP_OK ? converse(http, request, target, deadline_us) : err;
}

esp_err_t otter_http_open(otter_http_t *http, const otter_http_request_t *request, otter_http_header_cb_t on_header,
                          void *arg, int64_t deadline_us, otter_http_response_t *response)
{
    http1_target_t target;
    otter_http_close(http);
    http->error[0] = '\0';
    http->is_refused = false;
    response->refused = false;
    http->has_body = strcmp(request->method, "HEAD") != 0;
    http1_head_init(&http->head, on_header, arg);
    esp_err_t err = aim(http, request, &target);
    if (err != ESP_OK) {
        return err;
    }
    err = exchange(http, request, &target, deadline_us);
    /* The caller's callback data need not outlive this call. */
    http->head.on_header = NULL;
    if (err != ESP_OK) {
        disconnect(http);
        response->refused = http->is_refused;
        return err;
    }
    http->error[0] = '\0';
    http->is_open = true;
    http1_start_body(http);
    *response = http1_head_response(&http->head, http->has_body);
    http->keeps_alive = response->keep_alive;
    return ESP_OK;
}

/* ---- the rest of an exchange ---- */

esp_err_t otter_http_read(otter_http_t *http, void *dst, size_t len, size_t *got, int64_t deadline_us)
{
    *got = 0;
    if (!http->is_open) {
        http1_set_error(http, "no exchange is open");
        return ESP_FAIL;
    }
    return http1_read_body(http, dst, len, got, deadline_us);
}

void otter_http_close(otter_http_t *http)
{
    if (!http->is_open) {
        return;
    }
    http->is_open = false;
    if (!http->keeps_alive || !http1_is_body_over(http)) {
        disconnect(http);
    }
}

void otter_http_disconnect(otter_http_t *http)
{
    otter_http_close(http);
    disconnect(http);
}

const char *otter_http_error(const otter_http_t *http)
{
    return http->error;
}

/* ---- life ---- */

/* What the caller wants to be offered, but for what is not spoken here. */
static void choose_alpn(otter_http_t *http, const char *const *wanted)
{
    size_t count = 0;
    for (; wanted != NULL && *wanted != NULL && count < HTTP1_ALPN_MAX; wanted++) {
        if (strcmp(*wanted, "h2") != 0) {
            http->alpn[count++] = *wanted;
        }
    }
    if (count == 0) {
        http->alpn[count++] = "http/1.1";
    }
    http->alpn[count] = NULL;
}

static int positive(int given, int otherwise)
{
    return given > 0 ? given : otherwise;
}

otter_http_t *otter_http_new(const otter_http_config_t *config)
{
    otter_http_t *http = calloc(1, sizeof(*http));
    if (http == NULL) {
        return NULL;
    }
    otter_stream_config_t stream = {
        .tls = config->tls,
        .tcp_keep_alive = config->tcp_keep_alive,
        .tcp_keep_alive_idle_s = positive(config->tcp_keep_alive_idle_s, 5),
        .tcp_keep_alive_interval_s = positive(config->tcp_keep_alive_interval_s, 5),
        .tcp_keep_alive_count = positive(config->tcp_keep_alive_count, 3),
        .if_name = config->if_name,
        .ip_version = config->ip_version,
    };
    http->has_proxy = config->proxy != NULL && config->proxy[0] != '\0';
    choose_alpn(http, config->tls.alpn_protos);
    stream.tls.alpn_protos = http->alpn;
    http->stream = otter_stream_new(&stream);
    if (http->stream == NULL) {
        free(http);
        return NULL;
    }
    return http;
}

void otter_http_free(otter_http_t *http)
{
    if (http == NULL) {
        return;
    }
    otter_http_disconnect(http);
    otter_stream_free(http->stream);
    free(http);
}
