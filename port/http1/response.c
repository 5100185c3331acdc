/* SPDX-License-Identifier: Apache-2.0 */
/* Reads a response: the head through the client's buffer, the body past it wherever its framing lets it. */
#include "port/http1/http1.h"

#include <string.h>

#include "esp_http_client.h"

/* Reads more into the buffer, behind what is in it; 0 bytes: the connection ended in good order. */
static esp_err_t fill(otter_http_t *http, size_t *got, int64_t deadline_us)
{
    size_t kept = http->buffer_end - http->buffer_off;
    memmove(http->buffer, http->buffer + http->buffer_off, kept);
    http->buffer_off = 0;
    http->buffer_end = kept;
    esp_err_t err = otter_stream_read(http->stream, http->buffer + kept, sizeof(http->buffer) - kept, got, deadline_us);
    http->buffer_end += *got;
    return err;
}

static esp_err_t explain_no_head(otter_http_t *http, esp_err_t err)
{
    if (err == ESP_ERR_TIMEOUT) {
        http1_set_error(http, "timed out while waiting for the response");
        return ESP_ERR_TIMEOUT;
    }
    if (err == ESP_OK) {
        http1_set_error(http, "the connection ended before the response head did");
    } else {
        http->is_refused = err == ESP_ERR_NOT_ALLOWED;
        http1_set_error(http, "no response: %s", otter_stream_error(http->stream));
    }
    return ESP_ERR_HTTP_FETCH_HEADER;
}

esp_err_t http1_await_head(otter_http_t *http, int64_t deadline_us)
{
    for (;;) {
        size_t used = 0;
        http1_step_t step =
            http1_head_feed(&http->head, http->buffer + http->buffer_off, http->buffer_end - http->buffer_off, &used);
        http->buffer_off += used;
        if (step == HTTP1_DONE) {
            return ESP_OK;
        }
        if (step == HTTP1_BAD) {
            http1_set_error(http, "%s", http->head.problem);
            return ESP_ERR_HTTP_FETCH_HEADER;
        }
        size_t got = 0;
        esp_err_t err = fill(http, &got, deadline_us);
        if (got == 0) {
            return explain_no_head(http, err);
        }
    }
}

void http1_start_body(otter_http_t *http)
{
    http->framing = http1_head_framing(&http->head, http->has_body);
    http->chunks = (http1_chunks_t){0};
    http->left = http->framing == HTTP1_BY_LENGTH ? http->head.content_length : 0;
    http->is_complete = false;
}

/* ---- body ---- */

static esp_err_t break_off(otter_http_t *http, const char *why)
{
    http1_set_error(http, "%s", why);
    return ESP_ERR_HTTP_INCOMPLETE_DATA;
}

/* What it means that the stream gave nothing. */
static esp_err_t explain_no_bytes(otter_http_t *http, esp_err_t err)
{
    if (err == ESP_ERR_TIMEOUT) {
        http1_set_error(http, "timed out while reading the body");
        return ESP_ERR_TIMEOUT;
    }
    if (err != ESP_OK) {
        return break_off(http, otter_stream_error(http->stream));
    }
    if (http->framing == HTTP1_BY_CLOSE) {
        http->is_complete = true;
        return ESP_OK;
    }
    return break_off(http, "the connection ended before the body did");
}

/* Body bytes from the buffer, else straight from the stream. */
static esp_err_t take(otter_http_t *http, void *dst, size_t len, size_t *got, int64_t deadline_us)
{
    size_t there = http->buffer_end - http->buffer_off;
    if (there == 0) {
        esp_err_t err = otter_stream_read(http->stream, dst, len, got, deadline_us);
        return *got > 0 ? ESP_OK : explain_no_bytes(http, err);
    }
    *got = len < there ? len : there;
    memcpy(dst, http->buffer + http->buffer_off, *got);
    http->buffer_off += *got;
    return ESP_OK;
}

static size_t least(size_t len, int64_t left)
{
    return (uint64_t)left < len ? (size_t)left : len;
}

static esp_err_t read_by_length(otter_http_t *http, void *dst, size_t len, size_t *got, int64_t deadline_us)
{
    esp_err_t err = take(http, dst, least(len, http->left), got, deadline_us);
    http->left -= (int64_t)*got;
    return err;
}

/* Goes over what stands between the bytes as far as it is in the buffer. */
static http1_step_t step_over_framing(otter_http_t *http)
{
    size_t used = 0;
    http1_step_t step =
        http1_chunks_feed(&http->chunks, http->buffer + http->buffer_off, http->buffer_end - http->buffer_off, &used);
    http->buffer_off += used;
    http->is_complete = step == HTTP1_DONE;
    return step;
}

static esp_err_t read_by_chunks(otter_http_t *http, void *dst, size_t len, size_t *got, int64_t deadline_us)
{
    http1_step_t step = HTTP1_MORE;
    while ((step = step_over_framing(http)) == HTTP1_MORE) {
        size_t filled = 0;
        esp_err_t err = fill(http, &filled, deadline_us);
        if (filled == 0) {
            return explain_no_bytes(http, err);
        }
    }
    if (step == HTTP1_DONE) {
        return ESP_OK;
    }
    if (step == HTTP1_BAD) {
        return break_off(http, http->chunks.problem);
    }
    esp_err_t err = take(http, dst, least(len, http->chunks.left), got, deadline_us);
    http1_chunks_take(&http->chunks, *got);
    return err;
}

esp_err_t http1_read_body(otter_http_t *http, void *dst, size_t len, size_t *got, int64_t deadline_us)
{
    if (http1_is_body_over(http)) {
        return ESP_OK;
    }
    switch (http->framing) {
    case HTTP1_BY_LENGTH:
        return read_by_length(http, dst, len, got, deadline_us);
    case HTTP1_BY_CHUNKS:
        return read_by_chunks(http, dst, len, got, deadline_us);
    default:
        return take(http, dst, len, got, deadline_us);
    }
}

bool http1_is_body_over(otter_http_t *http)
{
    if (http->framing == HTTP1_NO_BODY || (http->framing == HTTP1_BY_LENGTH && http->left == 0)) {
        http->is_complete = true;
    } else if (http->framing == HTTP1_BY_CHUNKS) {
        step_over_framing(http);
    }
    return http->is_complete;
}
