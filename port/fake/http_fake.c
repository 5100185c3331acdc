/* SPDX-License-Identifier: Apache-2.0 */
#include "http_fake.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "otter/otter_os.h"

/* Only esp_http_client.h names these; a port knows the numbers from the contract in otter_http.h. */
#define ERR_HTTP_CONNECT         0x7002
#define ERR_HTTP_INCOMPLETE_DATA 0x700C

struct otter_http {
    const http_fake_exchange_t *now; /* The open exchange, or NULL. */
    http_fake_request_t *request;    /* Its record. */
    size_t given;                    /* Bytes of its body read so far. */
    size_t stall_at;                 /* Where it stalls next. */
    uint32_t stalls_left;
    const char *error;
};

static struct {
    const http_fake_exchange_t *exchange;
    size_t count;
    http_fake_seen_t seen;
    http_fake_request_t overflow; /* Record of a request that is not kept. */
} fake;

void http_fake_script(const http_fake_exchange_t *exchange, size_t count)
{
    size_t clients = fake.seen.clients;
    memset(&fake, 0, sizeof(fake));
    fake.exchange = exchange;
    fake.count = count;
    fake.seen.clients = clients;
}

const http_fake_seen_t *http_fake_seen(void)
{
    return &fake.seen;
}

otter_http_t *otter_http_new(const otter_http_config_t *config)
{
    otter_http_t *http = calloc(1, sizeof(*http));
    if (http == NULL) {
        return NULL;
    }
    http->error = "no error";
    fake.seen.clients++;
    fake.seen.use_system_ca = config->tls.use_system_ca;
    fake.seen.has_ca = config->tls.ca_pem != NULL;
    fake.seen.insecure = config->tls.insecure;
    return http;
}

void otter_http_free(otter_http_t *http)
{
    if (http == NULL) {
        return;
    }
    fake.seen.clients--;
    free(http);
}

static void append(char *text, size_t size, const char *more)
{
    size_t len = strlen(text);
    size_t room = size - 1 - len;
    size_t take = strlen(more) < room ? strlen(more) : room;
    memcpy(text + len, more, take);
    text[len + take] = '\0';
}

static http_fake_request_t *record(const otter_http_request_t *request)
{
    size_t index = fake.seen.request_count++;
    http_fake_request_t *kept = index < HTTP_FAKE_REQUESTS ? &fake.seen.request[index] : &fake.overflow;
    memset(kept, 0, sizeof(*kept));
    append(kept->method, sizeof(kept->method), request->method);
    append(kept->url, sizeof(kept->url), request->url);
    for (size_t i = 0; i < request->header_count; i++) {
        append(kept->headers, sizeof(kept->headers), request->headers[i].name);
        append(kept->headers, sizeof(kept->headers), ": ");
        append(kept->headers, sizeof(kept->headers), request->headers[i].value);
        append(kept->headers, sizeof(kept->headers), "\n");
    }
    kept->body_len = request->body_len;
    if (request->body != NULL) {
        size_t take = request->body_len < sizeof(kept->body) - 1 ? request->body_len : sizeof(kept->body) - 1;
        memcpy(kept->body, request->body, take);
    }
    return kept;
}

static esp_err_t wait_in_vain(otter_http_t *http, int64_t deadline_us)
{
    fake.seen.stalls++;
    http->error = "the server is silent";
    otter_sleep_until(deadline_us);
    return ESP_ERR_TIMEOUT;
}

static int64_t length_of(const http_fake_exchange_t *now)
{
    if (now->no_length || now->chunked || now->endless) {
        return -1;
    }
    return now->announced_len != 0 ? now->announced_len : (int64_t)now->body_len;
}

static void say_header(otter_http_header_cb_t on_header, void *arg, const char *line, size_t len)
{
    char name[1024] = "";
    const char *colon = memchr(line, ':', len);
    if (on_header == NULL || colon == NULL || len >= sizeof(name)) {
        return;
    }
    memcpy(name, line, len);
    char *value = name + (colon - line);
    *value++ = '\0';
    value += strspn(value, " ");
    on_header(arg, name, value);
}

static void say_headers(const http_fake_exchange_t *now, otter_http_header_cb_t on_header, void *arg)
{
    const char *line = now->headers != NULL ? now->headers : "";
    while (*line != '\0') {
        size_t len = strcspn(line, "\n");
        say_header(on_header, arg, line, len);
        line += len + (line[len] == '\n');
    }
    char text[64];
    if (length_of(now) >= 0) {
        int len = snprintf(text, sizeof(text), "Content-Length: %lld", (long long)length_of(now));
        say_header(on_header, arg, text, (size_t)len);
    } else if (now->chunked) {
        static const char chunked[] = "Transfer-Encoding: chunked";
        say_header(on_header, arg, chunked, sizeof(chunked) - 1);
    }
}

esp_err_t otter_http_open(otter_http_t *http, const otter_http_request_t *request, otter_http_header_cb_t on_header,
                          void *arg, int64_t deadline_us, otter_http_response_t *response)
{
    http_fake_request_t *kept = record(request);
    size_t index = fake.seen.request_count - 1;
    if (index >= fake.count) {
        fake.seen.unscripted++;
        http->error = "nothing scripted";
        return ERR_HTTP_CONNECT;
    }
    const http_fake_exchange_t *now = &fake.exchange[index];
    if (now->open_error != ESP_OK) {
        http->error = "scripted failure";
        return now->open_error;
    }
    if (now->head_stalls) {
        return wait_in_vain(http, deadline_us);
    }
    http->now = now;
    http->request = kept;
    http->given = 0;
    http->stall_at = now->stall_at;
    http->stalls_left = now->stall_reads;
    say_headers(now, on_header, arg);
    response->status = now->status != 0 ? now->status : 200;
    response->content_length = length_of(now);
    response->chunked = now->chunked;
    response->keep_alive = !now->no_length;
    return ESP_OK;
}

static size_t min_size(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Bytes that may be given before something else happens. */
static size_t room_of(const otter_http_t *http)
{
    const http_fake_exchange_t *now = http->now;
    size_t room = now->endless ? now->body_len - http->given % now->body_len : now->body_len - http->given;
    if (length_of(now) >= 0) {
        room = min_size(room, (size_t)length_of(now) - http->given);
    }
    if (http->stalls_left != 0 && http->stall_at > http->given) {
        room = min_size(room, http->stall_at - http->given);
    }
    if (now->break_error != ESP_OK && now->break_at > http->given) {
        room = min_size(room, now->break_at - http->given);
    }
    return now->piece_len != 0 ? min_size(room, now->piece_len) : room;
}

static void count_stall(otter_http_t *http)
{
    http->stalls_left -= http->stalls_left != HTTP_FAKE_FOREVER;
    if (http->stalls_left == 0 && http->now->stall_again) {
        http->stall_at += http->now->stall_at;
        http->stalls_left = http->now->stall_reads;
    }
}

static esp_err_t break_off(otter_http_t *http, esp_err_t error)
{
    fake.seen.breaks++;
    http->error = "the connection broke";
    return error;
}

esp_err_t otter_http_read(otter_http_t *http, void *dst, size_t len, size_t *got, int64_t deadline_us)
{
    *got = 0;
    const http_fake_exchange_t *now = http->now;
    if (now == NULL) {
        return ESP_FAIL;
    }
    if (http->stalls_left != 0 && http->given == http->stall_at) {
        count_stall(http);
        return wait_in_vain(http, deadline_us);
    }
    if (now->break_error != ESP_OK && http->given == now->break_at) {
        return break_off(http, now->break_error);
    }
    size_t take = min_size(len, room_of(http));
    if (take == 0) {
        bool whole = length_of(now) < 0 || http->given == (size_t)length_of(now);
        return whole ? ESP_OK : break_off(http, ERR_HTTP_INCOMPLETE_DATA);
    }
    size_t from = now->endless ? http->given % now->body_len : http->given;
    memcpy(dst, (const uint8_t *)now->body + from, take);
    http->given += take;
    http->request->sent_bytes += take;
    *got = take;
    return ESP_OK;
}

void otter_http_close(otter_http_t *http)
{
    if (http->now == NULL) {
        return;
    }
    http->request->closed = true;
    http->now = NULL;
}

void otter_http_disconnect(otter_http_t *http)
{
    otter_http_close(http);
    fake.seen.disconnect_count++;
}

const char *otter_http_error(const otter_http_t *http)
{
    return http->error;
}
