/* SPDX-License-Identifier: Apache-2.0 */
/* Under construction: every exchange fails. */
#include <stdlib.h>

#include "otter/otter_http.h"

struct otter_http {
    int nothing;
};

otter_http_t *otter_http_new(const otter_http_config_t *config)
{
    (void)config;
    return calloc(1, sizeof(otter_http_t));
}

esp_err_t otter_http_open(otter_http_t *http, const otter_http_request_t *request, otter_http_header_cb_t on_header,
                          void *arg, int64_t deadline_us, otter_http_response_t *response)
{
    (void)http;
    (void)request;
    (void)on_header;
    (void)arg;
    (void)deadline_us;
    (void)response;
    return ESP_ERR_NOT_SUPPORTED;
}

esp_err_t otter_http_read(otter_http_t *http, void *dst, size_t len, size_t *got, int64_t deadline_us)
{
    (void)http;
    (void)dst;
    (void)len;
    (void)deadline_us;
    *got = 0;
    return ESP_FAIL;
}

void otter_http_close(otter_http_t *http)
{
    (void)http;
}

void otter_http_disconnect(otter_http_t *http)
{
    (void)http;
}

const char *otter_http_error(const otter_http_t *http)
{
    (void)http;
    return "http1 is not there yet";
}

void otter_http_free(otter_http_t *http)
{
    free(http);
}
