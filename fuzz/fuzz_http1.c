/* SPDX-License-Identifier: Apache-2.0 */
/*
 * port/http1 over a stream that says what the input says: what comes of a response does not depend on how it is cut into
 * reads, a body is as long as was announced or incomplete, nothing reported has a line break in it, and what follows a
 * response is not taken for the next one.
 *
 * Input: a byte of flags (1: HEAD; 2: the stream breaks at its end instead of ending), one for the size of the pieces and
 * one for the size of the reads, then the bytes of the server.
 */
#include "fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "esp_http_client.h"
#include "otter/otter_http.h"
#include "otter/otter_stream.h"
#include "port/http1/head.h"

/* ---- the stream ---- */

/* What the server says, in what pieces, and how it ends. The first connection says it; others say nothing. */
typedef struct server {
    const uint8_t *bytes;
    size_t len;
    size_t piece;
    esp_err_t end;
    unsigned opens;
    size_t off;
} server_t;

static server_t *server;

struct otter_stream {
    bool open;
};

otter_stream_t *otter_stream_new(const otter_stream_config_t *config)
{
    (void)config;
    return calloc(1, sizeof(otter_stream_t));
}

esp_err_t otter_stream_open(otter_stream_t *stream, const char *host, uint16_t port, bool tls, int64_t deadline_us)
{
    (void)deadline_us;
    FUZZ_CHECK(!stream->open && port == 443 && tls && strcmp(host, "h") == 0);
    stream->open = true;
    server->opens++;
    return ESP_OK;
}

esp_err_t otter_stream_write(otter_stream_t *stream, const void *src, size_t len, int64_t deadline_us)
{
    (void)src;
    (void)len;
    (void)deadline_us;
    FUZZ_CHECK(stream->open);
    return ESP_OK;
}

esp_err_t otter_stream_read(otter_stream_t *stream, void *dst, size_t len, size_t *got, int64_t deadline_us)
{
    (void)deadline_us;
    FUZZ_CHECK(stream->open && len > 0);
    *got = server->opens == 1 ? server->len - server->off : 0;
    if (*got == 0) {
        return server->end;
    }
    *got = *got < len ? *got : len;
    *got = *got < server->piece ? *got : server->piece;
    memcpy(dst, server->bytes + server->off, *got);
    server->off += *got;
    return ESP_OK;
}

bool otter_stream_is_idle(otter_stream_t *stream)
{
    return stream->open && server->off == server->len;
}

void otter_stream_close(otter_stream_t *stream)
{
    stream->open = false;
}

const char *otter_stream_error(const otter_stream_t *stream)
{
    (void)stream;
    return "as the input says";
}

void otter_stream_free(otter_stream_t *stream)
{
    free(stream);
}

/* ---- an exchange ---- */

typedef struct outcome {
    esp_err_t open_err;
    esp_err_t read_err;
    otter_http_response_t response;
    unsigned headers;
    size_t header_bytes;
    uint8_t *body;
    size_t body_len;
} outcome_t;

static void note(void *arg, const char *name, const char *value)
{
    outcome_t *outcome = arg;
    FUZZ_CHECK(name[0] != '\0' && strpbrk(name, ": \t\r\n") == NULL);
    FUZZ_CHECK(strpbrk(value, "\r\n") == NULL);
    outcome->headers++;
    outcome->header_bytes += strlen(name) + strlen(value);
}

static void read_body(otter_http_t *http, outcome_t *outcome, size_t room, size_t step)
{
    size_t got = 0;
    do {
        uint8_t *dst = malloc(step);
        FUZZ_CHECK(dst != NULL);
        outcome->read_err = otter_http_read(http, dst, step, &got, 0);
        FUZZ_CHECK(got <= step && got <= room - outcome->body_len);
        FUZZ_CHECK(outcome->read_err == ESP_OK || (got == 0 && outcome->read_err == ESP_ERR_HTTP_INCOMPLETE_DATA));
        memcpy(outcome->body + outcome->body_len, dst, got);
        outcome->body_len += got;
        free(dst);
    } while (got > 0);
    /* An end stays an end, and a fault a fault. */
    uint8_t more = 0;
    FUZZ_CHECK(otter_http_read(http, &more, 1, &got, 0) == outcome->read_err && got == 0);
}

static outcome_t converse(server_t *with, bool head, size_t step)
{
    outcome_t outcome = {.body = malloc(with->len + 1)};
    otter_http_request_t request = {.method = head ? "HEAD" : "GET", .url = "https://h/"};
    otter_http_response_t ignored;
    server = with;
    otter_http_t *http = otter_http_new(&(otter_http_config_t){.if_name = NULL});
    FUZZ_CHECK(http != NULL && outcome.body != NULL);
    outcome.open_err = otter_http_open(http, &request, note, &outcome, 0, &outcome.response);
    FUZZ_CHECK(outcome.open_err == ESP_OK || outcome.open_err == ESP_ERR_HTTP_FETCH_HEADER);
    FUZZ_CHECK((outcome.open_err == ESP_OK) == (otter_http_error(http)[0] == '\0'));
    if (outcome.open_err == ESP_OK) {
        read_body(http, &outcome, with->len, step);
        /* There is no second answer: whatever is taken for one was sent before it was asked for. */
        FUZZ_CHECK(otter_http_open(http, &request, NULL, NULL, 0, &ignored) == ESP_ERR_HTTP_FETCH_HEADER);
    }
    otter_http_free(http);
    return outcome;
}

/* ---- what must hold ---- */

static void check_alone(const outcome_t *outcome, bool head)
{
    const otter_http_response_t *response = &outcome->response;
    if (outcome->open_err != ESP_OK) {
        return;
    }
    FUZZ_CHECK(response->status >= 200 && response->status <= 999 && response->content_length >= -1);
    FUZZ_CHECK(!response->chunked || response->content_length == -1);
    bool has_body = !head && response->status != 204 && response->status != 304;
    if (!has_body) {
        FUZZ_CHECK(outcome->body_len == 0 && outcome->read_err == ESP_OK);
    } else if (response->content_length >= 0) {
        bool whole = outcome->body_len == (uint64_t)response->content_length;
        FUZZ_CHECK(whole == (outcome->read_err == ESP_OK));
        FUZZ_CHECK(outcome->body_len <= (uint64_t)response->content_length);
    } else if (!response->chunked) {
        FUZZ_CHECK(!response->keep_alive);
    }
}

static void check_same(const outcome_t *a, const outcome_t *b)
{
    FUZZ_CHECK(a->open_err == b->open_err && a->read_err == b->read_err);
    FUZZ_CHECK(a->headers == b->headers && a->header_bytes == b->header_bytes);
    FUZZ_CHECK(a->response.status == b->response.status && a->response.keep_alive == b->response.keep_alive);
    FUZZ_CHECK(a->body_len == b->body_len && memcmp(a->body, b->body, a->body_len) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_input_t input = {data, size};
    uint8_t flags = fuzz_take_u8(&input);
    size_t piece = (size_t)fuzz_take_u8(&input) + 1;
    size_t step = (size_t)fuzz_take_u8(&input) + 1;
    esp_err_t end = (flags & 2) != 0 ? ESP_FAIL : ESP_OK;
    bool head = (flags & 1) != 0;
    server_t whole = {.bytes = input.at, .len = input.left, .piece = SIZE_MAX, .end = end};
    server_t pieces = {.bytes = input.at, .len = input.left, .piece = piece, .end = end};
    outcome_t a = converse(&whole, head, 4096);
    outcome_t b = converse(&pieces, head, step);
    check_alone(&a, head);
    check_same(&a, &b);
    free(a.body);
    free(b.body);
    return 0;
}
