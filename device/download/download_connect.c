/* SPDX-License-Identifier: Apache-2.0 */
/* One try: what to ask for, and what the answer means for the file. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "device/download/download_internal.h"
#include "device/http/http_internal.h"
#include "esp_log.h"

static const char *const TAG = DOWNLOAD_TAG;

#define RANGE_BYTES 64 /* Room for "bytes=" and two numbers. */

static download_outcome_t fine(void)
{
    return (download_outcome_t){.error = ESP_OK};
}

static download_outcome_t failed(esp_err_t error)
{
    return (download_outcome_t){.error = error};
}

/* ---- what to ask for ---- */

/* From here to the end of the file, or of what one request may get. */
static download_range_t part_from(const download_t *download, int64_t from)
{
    download_range_t range = {.asked = true, .from = from, .to = -1};
    int64_t left = download->file.total - from;
    if (download->request_len != 0 && left > (int64_t)download->request_len) {
        range.to = from + download->request_len - 1;
    }
    return range;
}

/* Whether the server can be asked to go on where the file is. A file in parts could not be read at all where nothing
 * identifies it, so it goes on without. */
static bool can_go_on(const download_t *download)
{
    bool identified = download_validator(&download->file) != NULL || download->request_len != 0 || !download->begun;
    return identified && !download->whole_next;
}

static download_range_t choose_range(const download_t *download)
{
    const download_range_t whole = {.asked = false, .from = 0, .to = -1};
    if (download->offset > 0 && can_go_on(download)) {
        bool all_here = download->file.total >= 0 && download->offset >= download->file.total;
        /* All is here: its last byte, so that the server still says whether it is this file. */
        return part_from(download, all_here ? download->file.total - 1 : download->offset);
    }
    bool in_parts = download->request_len != 0 && download->file.total > (int64_t)download->request_len;
    bool probes = download->probe && !download->begun && !download->whole_next;
    return in_parts || probes ? part_from(download, 0) : whole;
}

static esp_err_t set_range(esp_http_client_handle_t client, const download_range_t *range, const char *validator)
{
    char text[RANGE_BYTES];
    int len = snprintf(text, sizeof(text), "bytes=%" PRId64 "-", range->from);
    if (range->to >= 0) {
        snprintf(text + len, sizeof(text) - (size_t)len, "%" PRId64, range->to);
    }
    esp_err_t err = esp_http_client_set_header(client, "Range", range->asked ? text : NULL);
    return err == ESP_OK ? esp_http_client_set_header(client, "If-Range", range->asked ? validator : NULL) : err;
}

/* ---- what the answer means ---- */

static bool is_encoded(esp_http_client_handle_t client)
{
    const char *encoding = http_get_response_header(client, "Content-Encoding");
    if (encoding == NULL || encoding[0] == '\0' ||
        http_span_is((http_span_t){encoding, strlen(encoding)}, "identity")) {
        return false;
    }
    ESP_LOGE(TAG, "the server sends the file compressed (%s): serve it as it is", encoding);
    return true;
}

/* The file comes from its start, and what came before is to be forgotten. Its number is limited: a server whose answers
 * never fit must not keep a device busy for ever. */
static download_outcome_t start_over(download_t *download, download_step_t *step)
{
    if (!download->begun) {
        return fine();
    }
    *step = DOWNLOAD_RESTARTED;
    if (download->furthest == 0) {
        return fine();
    }
    if (download->restarts >= download->limits.retries) {
        ESP_LOGE(TAG, "giving up: the file was started over %u times", (unsigned)download->restarts);
        return failed(ESP_FAIL);
    }
    download->restarts++;
    ESP_LOGW(TAG, "starting over from the beginning of the file");
    return fine();
}

/* What comes late is as good as what comes early. */
static void learn_more(download_file_t *file, const download_answer_t *answer)
{
    download_file_t said;
    download_learn(&said, answer);
    if (file->total >= 0) {
        said.total = file->total;
    }
    if (download_validator(file) != NULL) {
        memcpy(said.etag, file->etag, sizeof(said.etag));
        memcpy(said.modified, file->modified, sizeof(said.modified));
    }
    *file = said;
}

static void read_from(download_t *download, int64_t from, int64_t end)
{
    download->connected = true;
    download->offset = from;
    download->body_off = from;
    download->body_end = end;
    download->whole_next = false;
    download->idle_us = 0;
}

static download_outcome_t take_whole(download_t *download, const download_answer_t *answer, int64_t end,
                                     download_step_t *step)
{
    download_learn(&download->file, answer);
    read_from(download, 0, end);
    return start_over(download, step);
}

static download_outcome_t take_part(download_t *download, const download_range_t *range,
                                    const download_answer_t *answer, int64_t end, download_step_t *step)
{
    learn_more(&download->file, answer);
    if (range->from == 0) {
        read_from(download, 0, end);
        return start_over(download, step);
    }
    if (range->from < download->offset) { /* The last byte, to be sure that all is here. */
        download->ended = true;
        return fine();
    }
    read_from(download, range->from, end);
    return fine();
}

/* An answer that does not fit a request for a whole file is the server's fault, and may be better the next time. */
static download_outcome_t refuse_misfit(int status, const char *why)
{
    if (status == HttpStatus_RangeNotSatisfiable) {
        return (download_outcome_t){.error = ESP_ERR_HTTP_RANGE_NOT_SATISFIABLE, .why = "Range not satisfiable"};
    }
    return (download_outcome_t){.error = ESP_ERR_INVALID_RESPONSE, .again = true, .why = why};
}

/* One request, and what its answer means. @p misfit: gets whether it was not about this file. */
static download_outcome_t ask(download_t *download, const download_range_t *range, download_step_t *step, bool *misfit)
{
    esp_err_t err = set_range(download->client, range, download_validator(&download->file));
    if (err != ESP_OK) {
        return failed(err);
    }
    download_outcome_t outcome = download_request(download->client);
    if (outcome.error != ESP_OK) {
        return outcome;
    }
    download_answer_t answer = download_answer_of(download->client);
    download_verdict_t verdict = download_judge(&download->file, range, &answer);
    if (verdict.meaning != DOWNLOAD_COMPLETE && is_encoded(download->client)) {
        return failed(ESP_ERR_NOT_SUPPORTED);
    }
    switch (verdict.meaning) {
    case DOWNLOAD_WHOLE:
        return take_whole(download, &answer, verdict.body_end, step);
    case DOWNLOAD_GOES_ON:
        return take_part(download, range, &answer, verdict.body_end, step);
    case DOWNLOAD_COMPLETE:
        download->file.total = range->from;
        download->ended = true;
        return fine();
    case DOWNLOAD_MISFIT:
    default:
        *misfit = true;
        return refuse_misfit(answer.status, verdict.why);
    }
}

/* ---- the size, where requests for parts need it beforehand ---- */

static download_outcome_t request_head(esp_http_client_handle_t client)
{
    esp_http_client_set_method(client, HTTP_METHOD_HEAD);
    download_outcome_t outcome = download_request(client);
    esp_http_client_set_method(client, HTTP_METHOD_GET);
    return outcome;
}

/* Servers that do not do HEAD are asked for the first byte. */
static download_outcome_t request_first_byte(esp_http_client_handle_t client)
{
    const download_range_t first = {.asked = true, .from = 0, .to = 0};
    esp_err_t err = set_range(client, &first, NULL);
    return err == ESP_OK ? download_request(client) : failed(err);
}

static bool is_no_to_head(const download_outcome_t *outcome)
{
    return outcome->error == ESP_FAIL && !outcome->again && outcome->status != 0;
}

static download_outcome_t ask_size(download_t *download)
{
    const download_range_t none = {.asked = false};
    esp_err_t err = set_range(download->client, &none, NULL);
    download_outcome_t outcome = err == ESP_OK ? request_head(download->client) : failed(err);
    bool told = outcome.error == ESP_OK && esp_http_client_get_status_code(download->client) == HttpStatus_Ok &&
                esp_http_client_get_content_length(download->client) >= 0;
    if (!told && (outcome.error == ESP_OK || is_no_to_head(&outcome))) {
        outcome = request_first_byte(download->client);
    }
    if (outcome.error != ESP_OK) {
        return outcome;
    }
    download_answer_t answer = download_answer_of(download->client);
    download_learn(&download->file, &answer);
    download_drop_body(download->client);
    if (download->file.total < 0) {
        return (download_outcome_t){.error = ESP_FAIL, .why = "the server does not tell the size of the file"};
    }
    download->known = true;
    return fine();
}

/* ---- one try ---- */

static void forget_file(download_t *download)
{
    download->file = (download_file_t){.total = -1};
    download->known = false;
    download->whole_next = true;
}

static download_outcome_t try_once(download_t *download, download_step_t *step, bool *misfit)
{
    if (download->request_len != 0 && !download->known) {
        download_outcome_t outcome = ask_size(download);
        if (outcome.error != ESP_OK) {
            return outcome;
        }
    }
    const download_range_t range = choose_range(download);
    download_outcome_t outcome = ask(download, &range, step, misfit);
    *misfit = *misfit && range.asked;
    return outcome;
}

download_outcome_t download_connect(download_t *download, download_step_t *step)
{
    esp_err_t err = download->tries > 0 ? download_return_to_origin(download) : ESP_OK;
    if (err != ESP_OK) {
        return failed(err);
    }
    bool misfit = false;
    download_outcome_t outcome = try_once(download, step, &misfit);
    if (misfit) {
        ESP_LOGW(TAG, "the server does not go on with the file at byte %lld: %s", (long long)download->offset,
                 outcome.why);
        forget_file(download);
        outcome = try_once(download, step, &misfit);
    }
    outcome.again =
        outcome.again && (download->repeatable || outcome.status != 0 || outcome.error == ESP_ERR_HTTP_CONNECT);
    return outcome;
}
