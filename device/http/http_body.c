/* SPDX-License-Identifier: Apache-2.0 */
#include "device/http/http_body.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_CHUNKED_BYTES 512
#define MAX_SIZE_DIGITS     8

esp_err_t http_body_expect(http_body_t *body, int write_len)
{
    http_body_drop(body);
    body->is_chunked = write_len < 0;
    body->size = body->is_chunked ? FIRST_CHUNKED_BYTES : (size_t)write_len;
    body->bytes = malloc(body->size);
    return body->bytes == NULL ? ESP_ERR_NO_MEM : ESP_OK;
}

void http_body_drop(http_body_t *body)
{
    free(body->bytes);
    *body = (http_body_t){0};
}

bool http_body_is_complete(const http_body_t *body)
{
    return body->is_chunked ? body->place == HTTP_CHUNK_END : body->len == body->size;
}

/* ---- so many bytes ---- */

static esp_err_t take_announced(http_body_t *body, const char *bytes, size_t len)
{
    if (len > body->size - body->len) {
        return ESP_ERR_INVALID_SIZE;
    }
    memcpy(body->bytes + body->len, bytes, len);
    body->len += len;
    return ESP_OK;
}

/* ---- chunks ---- */

static esp_err_t make_room(http_body_t *body, size_t len)
{
    if (len > HTTP_MAX_CHUNKED_BODY_BYTES - body->len) {
        return ESP_ERR_INVALID_SIZE;
    }
    size_t size = body->size;
    while (size < body->len + len) {
        size *= 2;
    }
    if (size == body->size) {
        return ESP_OK;
    }
    uint8_t *larger = realloc(body->bytes, size);
    if (larger == NULL) {
        return ESP_ERR_NO_MEM;
    }
    body->bytes = larger;
    body->size = size;
    return ESP_OK;
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    char letter = (char)(c | 0x20);
    return letter >= 'a' && letter <= 'f' ? letter - 'a' + 10 : -1;
}

static bool take_size(http_body_t *body, char c)
{
    if (c == '\r' && body->chunk_digits > 0) {
        body->place = HTTP_CHUNK_SIZE_LF;
        return true;
    }
    if (hex_value(c) < 0 || body->chunk_digits == MAX_SIZE_DIGITS) {
        return false;
    }
    body->chunk_digits++;
    body->chunk_left = body->chunk_left * 16 + (size_t)hex_value(c);
    return true;
}

/* What has to stand between the pieces, and what follows it. */
static bool take_line_end(http_body_t *body, char c)
{
    static const struct {
        char expected;
        http_chunk_place_t next;
    } ends[HTTP_CHUNK_END] = {
        [HTTP_CHUNK_SIZE_LF] = {'\n', HTTP_CHUNK_DATA}, [HTTP_CHUNK_DATA_CR] = {'\r', HTTP_CHUNK_DATA_LF},
        [HTTP_CHUNK_DATA_LF] = {'\n', HTTP_CHUNK_SIZE}, [HTTP_CHUNK_LAST_CR] = {'\r', HTTP_CHUNK_LAST_LF},
        [HTTP_CHUNK_LAST_LF] = {'\n', HTTP_CHUNK_END},
    };
    if (c != ends[body->place].expected) {
        return false;
    }
    bool is_last = body->place == HTTP_CHUNK_SIZE_LF && body->chunk_left == 0;
    body->place = is_last ? HTTP_CHUNK_LAST_CR : ends[body->place].next;
    if (body->place == HTTP_CHUNK_SIZE) {
        body->chunk_digits = 0;
    }
    return true;
}

/* Takes a piece of the present chunk's data; value: its bytes, 0 for an error. */
static size_t take_data(http_body_t *body, const char *bytes, size_t len, esp_err_t *err)
{
    size_t count = len < body->chunk_left ? len : body->chunk_left;
    *err = make_room(body, count);
    if (*err != ESP_OK) {
        return 0;
    }
    memcpy(body->bytes + body->len, bytes, count);
    body->len += count;
    body->chunk_left -= count;
    if (body->chunk_left == 0) {
        body->place = HTTP_CHUNK_DATA_CR;
    }
    return count;
}

static esp_err_t take_framing(http_body_t *body, char c)
{
    if (body->place >= HTTP_CHUNK_END) {
        return body->place == HTTP_CHUNK_END ? ESP_ERR_INVALID_SIZE : ESP_ERR_INVALID_ARG;
    }
    bool ok = body->place == HTTP_CHUNK_SIZE ? take_size(body, c) : take_line_end(body, c);
    return ok ? ESP_OK : ESP_ERR_INVALID_ARG;
}

static esp_err_t take_chunked(http_body_t *body, const char *bytes, size_t len)
{
    esp_err_t err = ESP_OK;
    size_t at = 0;
    while (at < len && err == ESP_OK) {
        if (body->place == HTTP_CHUNK_DATA) {
            at += take_data(body, bytes + at, len - at, &err);
        } else {
            err = take_framing(body, bytes[at++]);
        }
    }
    if (err != ESP_OK) {
        body->place = HTTP_CHUNK_BAD;
    }
    return err;
}

esp_err_t http_body_take(http_body_t *body, const char *bytes, size_t len)
{
    return body->is_chunked ? take_chunked(body, bytes, len) : take_announced(body, bytes, len);
}
