/* SPDX-License-Identifier: Apache-2.0 */
/* curl in pull mode: its multi interface is run until the caller has what it waits for, and no further. */
#include "port/http_curl/http_curl.h"

#include <stdlib.h>
#include <string.h>
#include <sys/select.h>

#include "otter/otter_os.h"

/* ---- what curl calls ---- */

size_t http_curl_take_head_line(char *line, size_t one, size_t len, void *arg)
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

/* ---- running ---- */

esp_err_t http_curl_attach(otter_http_t *http, curl_write_callback on_head_line)
{
    curl_easy_setopt(http->easy, CURLOPT_HEADERFUNCTION, on_head_line);
    curl_easy_setopt(http->easy, CURLOPT_HEADERDATA, http);
    curl_easy_setopt(http->easy, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(http->easy, CURLOPT_WRITEDATA, http);
    curl_easy_setopt(http->easy, CURLOPT_ERRORBUFFER, http->curl_error);
    http->curl_error[0] = '\0';
    http->done = false;
    http->paused = false;
    http->result = CURLE_OK;
    if (curl_multi_add_handle(http->multi, http->easy) != CURLM_OK) {
        http_curl_set_error(http, "out of memory");
        return ESP_ERR_NO_MEM;
    }
    http->attached = true;
    return ESP_OK;
}

void http_curl_detach(otter_http_t *http)
{
    if (http->attached) {
        curl_multi_remove_handle(http->multi, http->easy);
        http->attached = false;
    }
}

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

/* Some libcurls forget, between two steps of FTP, what they wait for: then no event would come. */
static bool waits_for_nothing(otter_http_t *http)
{
    fd_set reads;
    fd_set writes;
    fd_set errors;
    int largest = -1;
    FD_ZERO(&reads);
    FD_ZERO(&writes);
    FD_ZERO(&errors);
    return curl_multi_fdset(http->multi, &reads, &writes, &errors, &largest) == CURLM_OK && largest < 0;
}

static int wait_ms(otter_http_t *http, int64_t left_us)
{
    int64_t most_us = waits_for_nothing(http) ? 5000 : 1000000;
    return (int)(((left_us < most_us ? left_us : most_us) + 999) / 1000);
}

bool http_curl_run_until(otter_http_t *http, bool (*is_there)(const otter_http_t *http), int64_t deadline_us)
{
    http->deadline_us = deadline_us;
    for (;;) {
        perform(http);
        if (http->done || is_there(http)) {
            return true;
        }
        int64_t left_us = deadline_us - otter_now_us();
        if (left_us <= 0) {
            return false;
        }
        curl_multi_poll(http->multi, NULL, 0, wait_ms(http, left_us), NULL);
    }
}

/* ---- reading ---- */

static bool has_bytes(const otter_http_t *http)
{
    return http->filled > 0;
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
    bool in_time = http_curl_run_until(http, has_bytes, deadline_us);
    http->dst = NULL;
    http->room = 0;
    return in_time;
}

bool http_curl_pull(otter_http_t *http, void *dst, size_t len, size_t *got, int64_t deadline_us)
{
    if (http->spill_len > 0) {
        *got = take_spill(http, dst, len);
        return true;
    }
    if (http->done) {
        return true;
    }
    bool in_time = fill(http, dst, len, deadline_us);
    *got = http->filled;
    return in_time || *got > 0;
}

/* ---- errors ---- */

void http_curl_explain(otter_http_t *http)
{
    const char *text = http->curl_error;
    /* It quotes URLs that it cannot use, with the password. */
    if (text[0] == '\0' || strchr(text, '@') != NULL) {
        text = curl_easy_strerror(http->result);
    }
    http_curl_set_error(http, "%s", text);
}

/* Who is refused now will be refused again. */
static bool is_refusal(CURLcode code)
{
    return code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_USE_SSL_FAILED || code == CURLE_SSL_CERTPROBLEM ||
           code == CURLE_SSL_CACERT_BADFILE || code == CURLE_SSL_ISSUER_ERROR || code == CURLE_SSL_PINNEDPUBKEYNOTMATCH;
}

void http_curl_judge_connect(otter_http_t *http, otter_http_response_t *response)
{
    long status = 0;
    response->refused = is_refusal(http->result);
    if (http->connected || curl_easy_getinfo(http->easy, CURLINFO_HTTP_CONNECTCODE, &status) != CURLE_OK ||
        status < 300) {
        return;
    }
    if (status == 407 || status == 401) {
        http_curl_set_error(http, "the proxy wants a user name and password, or refuses those it got (%ld)", status);
    } else {
        http_curl_set_error(http, "the proxy refuses to connect to this server (%ld)", status);
    }
}

bool http_curl_ended_early(CURLcode code)
{
    return code == CURLE_PARTIAL_FILE || code == CURLE_RECV_ERROR || code == CURLE_HTTP2 ||
           code == CURLE_HTTP2_STREAM || code == CURLE_GOT_NOTHING;
}
