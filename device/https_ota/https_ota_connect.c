/* SPDX-License-Identifier: Apache-2.0 */
#include "device/https_ota/https_ota.h"
#include "esp_log.h"

static const char *const TAG = HTTPS_OTA_TAG;

/* Bytes read of a response that is not the image; what has more is not worth keeping its connection for. */
#define DRAIN_BYTES 256

/* What a status means; the first range that contains it counts, and a status in none is an image. */
static const struct answer {
    int from;
    int to;
    esp_err_t (*retry)(esp_http_client_handle_t client); /* Prepares the next request; NULL: no more requests. */
    esp_err_t error;                                     /* Without retry. */
    const char *text;                                    /* For the log; NULL: not an error worth one. */
} answers[] = {
    {.from = -1, .to = 99, .error = ESP_FAIL, .text = "no HTTP status"},
    {.from = 301, .to = 303, .retry = esp_http_client_set_redirection},
    {.from = 307, .to = 308, .retry = esp_http_client_set_redirection},
    {.from = 304, .to = 304, .error = ESP_ERR_HTTP_NOT_MODIFIED},
    {.from = 401, .to = 401, .retry = esp_http_client_add_auth},
    {.from = 403, .to = 404, .error = ESP_FAIL, .text = "File not found"},
    {.from = 416, .to = 416, .error = ESP_ERR_HTTP_RANGE_NOT_SATISFIABLE, .text = "Range not satisfiable"},
    {.from = 400, .to = 499, .error = ESP_FAIL, .text = "Client error"},
    {.from = 500, .to = 999, .error = ESP_FAIL, .text = "Server error"},
};

static const struct answer *find_answer(int status)
{
    for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
        if (status >= answers[i].from && status <= answers[i].to) {
            return &answers[i];
        }
    }
    return NULL;
}

static esp_err_t send_request(esp_http_client_handle_t client)
{
    char *body = NULL;
    int body_len = esp_http_client_get_post_field(client, &body);
    esp_err_t err = esp_http_client_open(client, body_len);
    if (err != ESP_OK) {
        ESP_LOGE(TAG, "Failed to open HTTP connection: %s", esp_err_to_name(err));
        return err;
    }
    if (body_len > 0 && esp_http_client_write(client, body, body_len) != body_len) {
        ESP_LOGE(TAG, "the request's body could not be sent");
        return ESP_FAIL;
    }
    int64_t len = esp_http_client_fetch_headers(client);
    if (len == -(int64_t)ESP_ERR_HTTP_EAGAIN) {
        ESP_LOGE(TAG, "the server did not answer in time");
        return ESP_ERR_TIMEOUT;
    }
    return len >= 0 ? ESP_OK : ESP_FAIL;
}

static void drain(esp_http_client_handle_t client)
{
    char rest[DRAIN_BYTES];
    (void)esp_http_client_read(client, rest, sizeof(rest));
}

esp_err_t https_ota_connect(https_ota_t *ota)
{
    for (;;) {
        esp_err_t err = send_request(ota->client);
        if (err != ESP_OK) {
            return err;
        }
        int status = esp_http_client_get_status_code(ota->client);
        const struct answer *answer = find_answer(status);
        if (answer == NULL) {
            return ESP_OK;
        }
        if (answer->text != NULL) {
            ESP_LOGE(TAG, "%s (%d)", answer->text, status);
        }
        if (answer->retry == NULL) {
            return answer->error;
        }
        err = answer->retry(ota->client);
        if (err != ESP_OK) {
            ESP_LOGE(TAG, "status %d could not be followed: %s", status, esp_err_to_name(err));
            return err;
        }
        drain(ota->client);
    }
}
