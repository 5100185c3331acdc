/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/servers/exchange.h"

#include <stdlib.h>

#include "otter/otter_os.h"
#include "tests/support/test.h"

enum { BODY_MAX = 4 * 1024 * 1024, STEP = 1777 };

static int64_t in_ms(int ms)
{
    return otter_now_us() + (int64_t)ms * 1000;
}

void exchange_begin(exchange_t *x)
{
    *x = (exchange_t){.http = otter_http_new(&(otter_http_config_t){.proxy = ""})};
    assert_non_null(x->http);
    x->body = malloc(BODY_MAX);
    assert_non_null(x->body);
}

static void note_header(void *arg, const char *name, const char *value)
{
    exchange_t *x = arg;
    size_t len = strlen(x->headers);
    snprintf(x->headers + len, sizeof(x->headers) - len, "%s: %s\n", name, value);
}

esp_err_t exchange_open(exchange_t *x, const char *url, int ms)
{
    otter_http_header_t headers[3];
    size_t count = 0;
    const otter_http_header_t all[] = {
        {"range", x->range}, {"If-Range", x->if_range}, {"Authorization", x->authorization}};
    for (size_t i = 0; i < 3; i++) {
        if (all[i].value != NULL) {
            headers[count++] = all[i];
        }
    }
    const otter_http_request_t request = {
        .method = x->method != NULL ? x->method : "GET", .url = url, .headers = headers, .header_count = count};
    x->headers[0] = '\0';
    x->body_len = 0;
    return otter_http_open(x->http, &request, note_header, x, in_ms(ms), &x->response);
}

esp_err_t exchange_read(exchange_t *x, int ms)
{
    size_t got = 0;
    esp_err_t err;
    do {
        assert_true(x->body_len + STEP <= BODY_MAX);
        err = otter_http_read(x->http, x->body + x->body_len, STEP, &got, in_ms(ms));
        x->body_len += got;
    } while (err == ESP_OK && got > 0);
    return err;
}

void exchange_get(exchange_t *x, const char *url)
{
    esp_err_t err = exchange_open(x, url, EXCHANGE_LATER_MS);
    if (err != ESP_OK) {
        fail_msg("open: %s", otter_http_error(x->http));
    }
    err = exchange_read(x, EXCHANGE_LATER_MS);
    if (err != ESP_OK) {
        fail_msg("read: %s", otter_http_error(x->http));
    }
    otter_http_close(x->http);
}

void exchange_expect(const exchange_t *x, int status, const char *header)
{
    assert_int_equal(x->response.status, status);
    if (header != NULL && strstr(x->headers, header) == NULL) {
        fail_msg("no '%s' in: %s", header, x->headers);
    }
}

void exchange_expect_body(const exchange_t *x, const void *bytes, size_t len)
{
    assert_int_equal(x->body_len, len);
    assert_memory_equal(x->body, bytes, len);
}

void exchange_end(exchange_t *x)
{
    otter_http_free(x->http);
    free(x->body);
    *x = (exchange_t){0};
}
