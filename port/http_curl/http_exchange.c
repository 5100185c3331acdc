/* SPDX-License-Identifier: Apache-2.0 */
/* One HTTP exchange in pull mode over curl. */
#include "port/http_curl/http_curl.h"

#include "esp_http_client.h"

static bool has_head(const otter_http_t *http)
{
    return http->head.complete || http->head.problem != NULL;
}

/* Codes of a failed open that do not follow from how far the exchange was. */
static const struct {
    CURLcode from;
    esp_err_t to;
} open_errors[] = {
    {CURLE_OUT_OF_MEMORY, ESP_ERR_NO_MEM},
    {CURLE_SEND_ERROR, ESP_ERR_HTTP_WRITE_DATA},
    {CURLE_READ_ERROR, ESP_ERR_HTTP_WRITE_DATA},
};

static esp_err_t judge_failure(otter_http_t *http, otter_http_response_t *response)
{
    if (http->head.problem != NULL) {
        http_curl_set_error(http, "%s", http->head.problem);
        return ESP_ERR_HTTP_FETCH_HEADER;
    }
    http_curl_explain(http);
    http_curl_judge_connect(http, response);
    for (size_t i = 0; i < sizeof(open_errors) / sizeof(open_errors[0]); i++) {
        if (http->result == open_errors[i].from) {
            return open_errors[i].to;
        }
    }
    if (!http->connected) {
        return ESP_ERR_HTTP_CONNECT;
    }
    if (http->result == CURLE_OK) {
        http_curl_set_error(http, "the connection ended before the response head did");
    }
    return ESP_ERR_HTTP_FETCH_HEADER;
}

static esp_err_t judge_timeout(otter_http_t *http)
{
    if (!http->connected) {
        http_curl_set_error(http, "timed out while connecting");
        return ESP_ERR_HTTP_CONNECT;
    }
    http_curl_set_error(http, "timed out while waiting for the response");
    return ESP_ERR_TIMEOUT;
}

esp_err_t http_curl_http_open(otter_http_t *http, const otter_http_request_t *request, int64_t deadline_us,
                              otter_http_response_t *response)
{
    esp_err_t err = http_curl_set_options(http, request);
    if (err == ESP_OK) {
        err = http_curl_attach(http, http_curl_take_head_line);
    }
    if (err != ESP_OK) {
        return err;
    }
    if (!http_curl_run_until(http, has_head, deadline_us)) {
        return judge_timeout(http);
    }
    if (!http->head.complete || http->head.problem != NULL) {
        return judge_failure(http, response);
    }
    *response = response_head_summary(&http->head, http->has_body);
    return ESP_OK;
}

static esp_err_t judge_end(otter_http_t *http)
{
    if (http->result == CURLE_OK) {
        return ESP_OK;
    }
    http_curl_explain(http);
    return http_curl_ended_early(http->result) ? ESP_ERR_HTTP_INCOMPLETE_DATA : ESP_FAIL;
}

esp_err_t http_curl_http_read(otter_http_t *http, void *dst, size_t len, size_t *got, int64_t deadline_us)
{
    if (!http_curl_pull(http, dst, len, got, deadline_us)) {
        http_curl_set_error(http, "timed out while reading the body");
        return ESP_ERR_TIMEOUT;
    }
    return *got > 0 ? ESP_OK : judge_end(http);
}
