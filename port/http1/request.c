/* SPDX-License-Identifier: Apache-2.0 */
/* Writes a request. Nothing that the caller hands over can end a line. */
#include "port/http1/http1.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "esp_http_client.h"
#include "port/http1/text.h"

static bool is_value(const char *text)
{
    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;
        if ((c < ' ' && c != '\t') || c == 0x7f) {
            return false;
        }
    }
    return true;
}

esp_err_t http1_check_request(otter_http_t *http, const otter_http_request_t *request)
{
    if (!http1_is_token(request->method, strlen(request->method))) {
        http1_set_error(http, "the method cannot be sent: it is no word");
        return ESP_ERR_HTTP_WRITE_DATA;
    }
    for (size_t i = 0; i < request->header_count; i++) {
        const otter_http_header_t *header = &request->headers[i];
        if (!http1_is_token(header->name, strlen(header->name))) {
            http1_set_error(http, "header %u cannot be sent: its name is no word", (unsigned)i);
            return ESP_ERR_HTTP_WRITE_DATA;
        }
        if (!is_value(header->value)) {
            http1_set_error(http, "header %.64s cannot be sent: its value has control characters", header->name);
            return ESP_ERR_HTTP_WRITE_DATA;
        }
    }
    return ESP_OK;
}

/* A request on its way through the buffer; after an error nothing more is written. */
typedef struct writer {
    otter_http_t *http;
    int64_t deadline_us;
    esp_err_t err;
} writer_t;

static void send_bytes(writer_t *writer, const void *bytes, size_t len)
{
    if (writer->err == ESP_OK) {
        writer->err = otter_stream_write(writer->http->stream, bytes, len, writer->deadline_us);
    }
}

static void flush(writer_t *writer)
{
    send_bytes(writer, writer->http->buffer, writer->http->buffer_end);
    writer->http->buffer_end = 0;
}

static void put(writer_t *writer, const void *bytes, size_t len)
{
    otter_http_t *http = writer->http;
    if (len > sizeof(http->buffer) - http->buffer_end) {
        flush(writer);
    }
    if (len > sizeof(http->buffer)) {
        send_bytes(writer, bytes, len);
        return;
    }
    memcpy(http->buffer + http->buffer_end, bytes, len);
    http->buffer_end += len;
}

static void put_text(writer_t *writer, const char *text)
{
    put(writer, text, strlen(text));
}

static void put_header(writer_t *writer, const char *name, const char *value)
{
    put_text(writer, name);
    put_text(writer, value[0] == '\0' ? ":" : ": ");
    put_text(writer, value);
    put_text(writer, "\r\n");
}

static void put_request_line(writer_t *writer, const char *method, const http1_target_t *target)
{
    put_text(writer, method);
    put_text(writer, target->path_len > 0 && target->path[0] == '/' ? " " : " /");
    put(writer, target->path, target->path_len);
    put_text(writer, " HTTP/1.1\r\n");
}

static bool has_header(const otter_http_request_t *request, const char *name)
{
    for (size_t i = 0; i < request->header_count; i++) {
        if (http1_is_word(request->headers[i].name, strlen(request->headers[i].name), name)) {
            return true;
        }
    }
    return false;
}

/* A method that is expected to bring a body says so even when it is empty (RFC 9110, 8.6). */
static bool announces_length(const otter_http_request_t *request)
{
    static const char *const with_body[] = {"POST", "PUT", "PATCH"};
    for (size_t i = 0; i < sizeof(with_body) / sizeof(with_body[0]); i++) {
        if (strcmp(request->method, with_body[i]) == 0) {
            return true;
        }
    }
    return request->body != NULL;
}

static void put_head(writer_t *writer, const otter_http_request_t *request, const http1_target_t *target)
{
    char text[HTTP1_ORIGIN_BYTES];
    put_request_line(writer, request->method, target);
    if (!has_header(request, "Host")) {
        http1_target_host_header(target, text);
        put_header(writer, "Host", text);
    }
    for (size_t i = 0; i < request->header_count; i++) {
        put_header(writer, request->headers[i].name, request->headers[i].value);
    }
    if (announces_length(request) && !has_header(request, "Content-Length")) {
        snprintf(text, sizeof(text), "%" PRIu64, (uint64_t)(request->body == NULL ? 0 : request->body_len));
        put_header(writer, "Content-Length", text);
    }
    put_text(writer, "\r\n");
}

esp_err_t http1_send_request(otter_http_t *http, const otter_http_request_t *request, const http1_target_t *target,
                             int64_t deadline_us)
{
    writer_t writer = {.http = http, .deadline_us = deadline_us, .err = ESP_OK};
    http->buffer_off = 0;
    http->buffer_end = 0;
    put_head(&writer, request, target);
    if (request->body != NULL) {
        put(&writer, request->body, request->body_len);
    }
    flush(&writer);
    if (writer.err == ESP_OK) {
        return ESP_OK;
    }
    if (writer.err == ESP_ERR_TIMEOUT) {
        http1_set_error(http, "timed out while sending the request");
        return ESP_ERR_TIMEOUT;
    }
    http->is_refused = writer.err == ESP_ERR_NOT_ALLOWED;
    http1_set_error(http, "the request could not be sent: %s", otter_stream_error(http->stream));
    return ESP_ERR_HTTP_WRITE_DATA;
}
