/* SPDX-License-Identifier: Apache-2.0 */
/* Life of a client, and one exchange in pull mode over curl's multi interface. */
#define _GNU_SOURCE
#include "port/http_curl/http_curl.h"

#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "esp_http_client.h"
#include "otter/otter_os.h"

/* ---- what curl calls ---- */

static size_t take_head_line(char *line, size_t one, size_t len, void *arg)
{
    otter_http_t *http = arg;
    (void)one;
    return response_head_feed(&http->head, line, len) ? len : 0;
}

static bool keep_rest(otter_http_t *http, const char *data, size_t len)
{
    if (len > http->spill_size) {
        uint8_t *larger = realloc(http->spill, len);
        if (larger == NULL) {
            return false;
        }
        http->spill = larger;
        http->spill_size = len;
    }
    memcpy(http->spill, data, len);
    http->spill_off = 0;
    http->spill_len = len;
    return true;
}

static size_t take_body(char *data, size_t one, size_t len, void *arg)
{
    otter_http_t *http = arg;
    (void)one;
    if (http->room == 0) {
        http->paused = true;
        return CURL_WRITEFUNC_PAUSE;
    }
    size_t fits = len < http->room ? len : http->room;
    memcpy(http->dst + http->filled, data, fits);
    http->filled += fits;
    http->room -= fits;
    if (fits < len && !keep_rest(http, data + fits, len - fits)) {
        return CURL_WRITEFUNC_ERROR;
    }
    return len;
}

/* ---- driving curl ---- */

static void collect_result(otter_http_t *http)
{
    int left = 0;
    CURLMsg *message = NULL;
    while ((message = curl_multi_info_read(http->multi, &left)) != NULL) {
        if (message->msg == CURLMSG_DONE) {
            http->done = true;
            http->result = message->data.result;
        }
    }
}

static void perform(otter_http_t *http)
{
    int running = 0;
    CURLMcode code = curl_multi_perform(http->multi, &running);
    collect_result(http);
    if (code != CURLM_OK && !http->done) {
        http->done = true;
        http->result = code == CURLM_OUT_OF_MEMORY ? CURLE_OUT_OF_MEMORY : CURLE_RECV_ERROR;
    }
}

static int wait_ms(int64_t left_us)
{
    return left_us >= 1000000 ? 1000 : (int)((left_us + 999) / 1000);
}

/* Runs the exchange until what is awaited is there or curl is done; false if the deadline passed first. */
static bool run_until(otter_http_t *http, bool (*is_there)(const otter_http_t *http), int64_t deadline_us)
{
    for (;;) {
        perform(http);
        if (http->done || is_there(http)) {
            return true;
        }
        int64_t left_us = deadline_us - otter_now_us();
        if (left_us <= 0) {
            return false;
        }
        curl_multi_poll(http->multi, NULL, 0, wait_ms(left_us), NULL);
    }
}

static bool has_head(const otter_http_t *http)
{
    return http->head.complete || http->head.problem != NULL;
}

static bool has_bytes(const otter_http_t *http)
{
    return http->filled > 0;
}

/* ---- errors ---- */

void http_curl_set_error(otter_http_t *http, const char *format, ...)
{
    char text[CURL_ERROR_SIZE + 80];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    snprintf(http->error, sizeof(http->error), "%s: %s", http->origin, text);
}

static void explain_result(otter_http_t *http)
{
    http_curl_set_error(http, "%s", http->curl_error[0] != '\0' ? http->curl_error : curl_easy_strerror(http->result));
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

static esp_err_t judge_open_failure(otter_http_t *http)
{
    if (http->head.problem != NULL) {
        http_curl_set_error(http, "%s", http->head.problem);
        return ESP_ERR_HTTP_FETCH_HEADER;
    }
    explain_result(http);
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

/* Who is refused now will be refused again. */
static bool is_refusal(CURLcode code)
{
    return code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CERTPROBLEM ||
           code == CURLE_SSL_CACERT_BADFILE || code == CURLE_SSL_ISSUER_ERROR || code == CURLE_SSL_PINNEDPUBKEYNOTMATCH;
}

static esp_err_t judge_open_timeout(otter_http_t *http)
{
    if (!http->connected) {
        http_curl_set_error(http, "timed out while connecting");
        return ESP_ERR_HTTP_CONNECT;
    }
    http_curl_set_error(http, "timed out while waiting for the response");
    return ESP_ERR_TIMEOUT;
}

static bool ended_early(CURLcode code)
{
    return code == CURLE_PARTIAL_FILE || code == CURLE_RECV_ERROR || code == CURLE_HTTP2 ||
           code == CURLE_HTTP2_STREAM || code == CURLE_GOT_NOTHING;
}

static esp_err_t judge_body_end(otter_http_t *http)
{
    if (http->result == CURLE_OK) {
        return ESP_OK;
    }
    explain_result(http);
    return ended_early(http->result) ? ESP_ERR_HTTP_INCOMPLETE_DATA : ESP_FAIL;
}

/* ---- exchange ---- */

static void clear_exchange(otter_http_t *http)
{
    http->connected = false;
    http->done = false;
    http->paused = false;
    http->result = CURLE_OK;
    http->dst = NULL;
    http->room = 0;
    http->filled = 0;
    http->spill_len = 0;
    http->curl_error[0] = '\0';
    http->error[0] = '\0';
}

static void set_callbacks(otter_http_t *http)
{
    curl_easy_setopt(http->easy, CURLOPT_HEADERFUNCTION, take_head_line);
    curl_easy_setopt(http->easy, CURLOPT_HEADERDATA, http);
    curl_easy_setopt(http->easy, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(http->easy, CURLOPT_WRITEDATA, http);
    curl_easy_setopt(http->easy, CURLOPT_ERRORBUFFER, http->curl_error);
}

static esp_err_t start(otter_http_t *http, const otter_http_request_t *request)
{
    esp_err_t err = http_curl_set_options(http, request);
    if (err != ESP_OK) {
        return err;
    }
    set_callbacks(http);
    if (curl_multi_add_handle(http->multi, http->easy) != CURLM_OK) {
        http_curl_set_error(http, "out of memory");
        return ESP_ERR_NO_MEM;
    }
    http->open = true;
    return ESP_OK;
}

static esp_err_t await_head(otter_http_t *http, int64_t deadline_us)
{
    if (!run_until(http, has_head, deadline_us)) {
        return judge_open_timeout(http);
    }
    return http->head.complete && http->head.problem == NULL ? ESP_OK : judge_open_failure(http);
}

esp_err_t otter_http_open(otter_http_t *http, const otter_http_request_t *request, otter_http_header_cb_t on_header,
                          void *arg, int64_t deadline_us, otter_http_response_t *response)
{
    otter_http_close(http);
    clear_exchange(http);
    response_head_init(&http->head, on_header, arg);
    esp_err_t err = start(http, request);
    if (err == ESP_OK) {
        err = await_head(http, deadline_us);
    }
    if (err != ESP_OK) {
        response->refused = is_refusal(http->result);
        otter_http_close(http);
        http_curl_drop_options(http);
        return err;
    }
    /* The caller's callback data need not outlive this call. */
    http->head.on_header = NULL;
    *response = response_head_summary(&http->head, http->has_body);
    return ESP_OK;
}

static size_t take_spill(otter_http_t *http, void *dst, size_t len)
{
    size_t count = len < http->spill_len ? len : http->spill_len;
    memcpy(dst, http->spill + http->spill_off, count);
    http->spill_off += count;
    http->spill_len -= count;
    return count;
}

static void resume(otter_http_t *http)
{
    if (http->paused) {
        http->paused = false;
        curl_easy_pause(http->easy, CURLPAUSE_CONT);
    }
}

/* Lets curl write straight into the caller's buffer. False: the deadline passed. */
static bool fill(otter_http_t *http, void *dst, size_t len, int64_t deadline_us)
{
    http->dst = dst;
    http->room = len;
    http->filled = 0;
    resume(http);
    bool in_time = run_until(http, has_bytes, deadline_us);
    http->dst = NULL;
    http->room = 0;
    return in_time;
}

esp_err_t otter_http_read(otter_http_t *http, void *dst, size_t len, size_t *got, int64_t deadline_us)
{
    *got = 0;
    if (!http->open) {
        http_curl_set_error(http, "no exchange is open");
        return ESP_FAIL;
    }
    if (http->spill_len > 0) {
        *got = take_spill(http, dst, len);
        return ESP_OK;
    }
    if (http->done) {
        return judge_body_end(http);
    }
    bool in_time = fill(http, dst, len, deadline_us);
    *got = http->filled;
    if (*got > 0) {
        return ESP_OK;
    }
    if (!in_time) {
        http_curl_set_error(http, "timed out while reading the body");
        return ESP_ERR_TIMEOUT;
    }
    return judge_body_end(http);
}

void otter_http_close(otter_http_t *http)
{
    if (!http->open) {
        return;
    }
    curl_multi_remove_handle(http->multi, http->easy);
    http->open = false;
    http_curl_drop_options(http);
}

static CURLM *make_multi(void)
{
    CURLM *multi = curl_multi_init();
    if (multi != NULL) {
        curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, 1L);
    }
    return multi;
}

void otter_http_disconnect(otter_http_t *http)
{
    otter_http_close(http);
    /* Connections live in the multi handle; the TLS sessions, in the easy one, stay for resumption. */
    CURLM *fresh = make_multi();
    if (fresh != NULL) {
        curl_multi_cleanup(http->multi);
        http->multi = fresh;
    }
}

const char *otter_http_error(const otter_http_t *http)
{
    return http->error;
}

/* ---- life ---- */

static void init_curl(void)
{
    curl_global_init(CURL_GLOBAL_DEFAULT);
    /* OpenSSL writes to sockets with write(): a server that hangs up must not end the process. */
    struct sigaction old;
    if (sigaction(SIGPIPE, NULL, &old) == 0 && (old.sa_flags & SA_SIGINFO) == 0 && old.sa_handler == SIG_DFL) {
        signal(SIGPIPE, SIG_IGN);
    }
}

otter_http_t *otter_http_new(const otter_http_config_t *config)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, init_curl);
    otter_http_t *http = calloc(1, sizeof(*http));
    if (http == NULL) {
        return NULL;
    }
    http->config = *config;
    http->multi = make_multi();
    http->easy = curl_easy_init();
    if (http->multi == NULL || http->easy == NULL || !http_curl_prepare_tls(http)) {
        otter_http_free(http);
        return NULL;
    }
    return http;
}

void otter_http_free(otter_http_t *http)
{
    if (http == NULL) {
        return;
    }
    otter_http_close(http);
    curl_multi_cleanup(http->multi);
    curl_easy_cleanup(http->easy);
    http_curl_drop_options(http);
    free(http->ca_pem);
    free(http->spill);
    free(http);
}
