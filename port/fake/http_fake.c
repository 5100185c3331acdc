/* SPDX-License-Identifier: Apache-2.0 */
#include "http_fake.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "otter/otter_os.h"

/* Only esp_http_client.h names these; a port knows the numbers from the contract in otter_http.h. */
#define ERR_HTTP_CONNECT         0x7002
#define ERR_HTTP_INCOMPLETE_DATA 0x700C

/* What of an exchange's body a response sends. */
typedef struct fake_part {
    int status;
    size_t from;
    size_t len;
    bool ranged; /* A Content-Range says so. */
} fake_part_t;

struct otter_http {
    const http_fake_exchange_t *now; /* The open exchange, or NULL. */
    http_fake_request_t *request;    /* Its record. */
    fake_part_t part;                /* What it sends. */
    size_t given;                    /* Bytes of it read so far. */
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

static int64_t length_of(const http_fake_exchange_t *now, const fake_part_t *part)
{
    if (now->no_length || now->chunked || now->endless) {
        return -1;
    }
    return now->announced_len != 0 && !part->ranged ? now->announced_len : (int64_t)part->len;
}

/* ---- ranges ---- */

/* Value of a request's header as it was recorded; NULL: it has none. */
static const char *find_header(const http_fake_request_t *request, const char *name)
{
    size_t len = strlen(name);
    const char *line = request->headers;
    while (line != NULL && *line != '\0') {
        if (strncmp(line, name, len) == 0 && line[len] == ':') {
            return line + len + 2;
        }
        line = strchr(line, '\n');
        line += line != NULL;
    }
    return NULL;
}

static bool is_wanted(const http_fake_exchange_t *now, const http_fake_request_t *request)
{
    const char *condition = find_header(request, "If-Range");
    if (condition == NULL) {
        return true;
    }
    size_t len = strcspn(condition, "\n");
    return now->etag != NULL && strlen(now->etag) == len && memcmp(now->etag, condition, len) == 0;
}

static fake_part_t choose_part(const http_fake_exchange_t *now, const http_fake_request_t *request)
{
    fake_part_t part = {.status = now->status != 0 ? now->status : 200, .len = now->body_len};
    const char *range = find_header(request, "Range");
    unsigned long long from = 0;
    unsigned long long to = 0;
    int bounds = range != NULL ? sscanf(range, "bytes=%llu-%llu", &from, &to) : 0;
    if (!now->ranges || bounds < 1 || !is_wanted(now, request)) {
        return part;
    }
    size_t end = bounds == 2 && to < now->body_len ? (size_t)to + 1 : now->body_len;
    if (from >= end) {
        return (fake_part_t){.status = 416, .ranged = true};
    }
    return (fake_part_t){.status = 206, .from = (size_t)from, .len = end - (size_t)from, .ranged = true};
}

static void say_part(const http_fake_exchange_t *now, const fake_part_t *part, char text[static 96])
{
    if (part->status == 416) {
        snprintf(text, 96, "Content-Range: bytes */%zu", now->body_len);
    } else {
        snprintf(text, 96, "Content-Range: bytes %zu-%zu/%zu", part->from, part->from + part->len - 1, now->body_len);
    }
}

/* ---- headers ---- */

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

static void say_text(otter_http_header_cb_t on_header, void *arg, const char *text)
{
    say_header(on_header, arg, text, strlen(text));
}

static void say_headers(const http_fake_exchange_t *now, const fake_part_t *part, otter_http_header_cb_t on_header,
                        void *arg)
{
    const char *line = now->headers != NULL ? now->headers : "";
    while (*line != '\0') {
        size_t len = strcspn(line, "\n");
        say_header(on_header, arg, line, len);
        line += len + (line[len] == '\n');
    }
    char text[256];
    if (now->etag != NULL) {
        snprintf(text, sizeof(text), "ETag: %s", now->etag);
        say_text(on_header, arg, text);
    }
    if (part->ranged) {
        say_part(now, part, text);
        say_text(on_header, arg, text);
    }
    if (length_of(now, part) >= 0) {
        snprintf(text, sizeof(text), "Content-Length: %lld", (long long)length_of(now, part));
        say_text(on_header, arg, text);
    } else if (now->chunked) {
        say_text(on_header, arg, "Transfer-Encoding: chunked");
    }
}

/* What the next request is answered; NULL: nothing is scripted for it. */
static const http_fake_exchange_t *next_exchange(void)
{
    size_t index = fake.seen.request_count - 1;
    if (index >= fake.count && fake.count > 0 && fake.exchange[fake.count - 1].again) {
        index = fake.count - 1;
    }
    return index < fake.count ? &fake.exchange[index] : NULL;
}

static void begin_exchange(otter_http_t *http, const http_fake_exchange_t *now, http_fake_request_t *request)
{
    http->now = now;
    http->request = request;
    http->part = choose_part(now, request);
    http->given = 0;
    http->stall_at = now->stall_at;
    http->stalls_left = now->stall_reads;
}

esp_err_t otter_http_open(otter_http_t *http, const otter_http_request_t *request, otter_http_header_cb_t on_header,
                          void *arg, int64_t deadline_us, otter_http_response_t *response)
{
    http_fake_request_t *kept = record(request);
    const http_fake_exchange_t *now = next_exchange();
    if (now == NULL) {
        fake.seen.unscripted++;
        http->error = "nothing scripted";
        return ERR_HTTP_CONNECT;
    }
    if (now->open_error != ESP_OK) {
        http->error = "scripted failure";
        response->refused = now->refused;
        return now->open_error;
    }
    if (now->head_stalls) {
        return wait_in_vain(http, deadline_us);
    }
    begin_exchange(http, now, kept);
    say_headers(now, &http->part, on_header, arg);
    response->status = http->part.status;
    response->content_length = length_of(now, &http->part);
    response->chunked = now->chunked;
    response->keep_alive = !now->no_length;
    if (strcmp(request->method, "HEAD") == 0) {
        http->part.len = 0;
    }
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
    size_t room = now->endless ? now->body_len - http->given % now->body_len : http->part.len - http->given;
    if (length_of(now, &http->part) >= 0) {
        room = min_size(room, (size_t)length_of(now, &http->part) - http->given);
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
        int64_t due = length_of(now, &http->part);
        bool whole = due < 0 || http->given == (size_t)due;
        return whole ? ESP_OK : break_off(http, ERR_HTTP_INCOMPLETE_DATA);
    }
    size_t from = now->endless ? http->given % now->body_len : http->part.from + http->given;
    memcpy(dst, (const uint8_t *)now->body + from, take);
    http->given += take;
    http->request->sent_bytes += take;
    fake.seen.body_bytes += take;
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
