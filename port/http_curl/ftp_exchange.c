/* SPDX-License-Identifier: Apache-2.0 */
/* A file on an FTP server, as if an HTTP server had it: first asked about (size, time), then fetched, from where the
 * Range header says. */
#define _GNU_SOURCE
#include "port/http_curl/http_curl.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "esp_http_client.h"
#include "otter/otter_os.h"
#include "port/http_curl/file_answer.h"

#define MAX_CREDENTIALS_BYTES 512
#define LATE_US               2000000 /* Curl waits for some replies by itself; no longer after the deadline. */

/* ---- login ---- */

static int base64_value(char c)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *at = c == '\0' ? NULL : strchr(digits, c);
    return at == NULL ? -1 : (int)(at - digits);
}

/* Text of printable characters; false for anything else, so that nothing becomes a command of its own. */
static bool decode_base64(const char *text, char *dst, size_t size)
{
    uint32_t bits = 0;
    unsigned held = 0;
    size_t len = 0;
    for (; base64_value(*text) >= 0; text++) {
        bits = (bits << 6 | (uint32_t)base64_value(*text)) & 0xffffff;
        held += 6;
        if (held < 8) {
            continue;
        }
        held -= 8;
        unsigned char byte = bits >> held & 0xff;
        if (len + 1 >= size || byte < 0x20 || byte == 0x7f) {
            return false;
        }
        dst[len++] = (char)byte;
    }
    dst[len] = '\0';
    return text[strspn(text, "=")] == '\0';
}

/* False: there are credentials that cannot be used. */
static bool set_login(otter_http_t *http, const otter_http_request_t *request)
{
    char both[MAX_CREDENTIALS_BYTES];
    const char *value = file_answer_header(request, "Authorization");
    if (value == NULL || strncasecmp(value, "Basic ", 6) != 0) {
        return true;
    }
    char *colon = decode_base64(value + 6, both, sizeof(both)) ? strchr(both, ':') : NULL;
    bool good = colon != NULL;
    if (good) {
        *colon = '\0';
        good = curl_easy_setopt(http->easy, CURLOPT_USERNAME, both) == CURLE_OK &&
               curl_easy_setopt(http->easy, CURLOPT_PASSWORD, colon + 1) == CURLE_OK;
    }
    explicit_bzero(both, sizeof(both));
    return good;
}

/* ---- options ---- */

/* Where curl waits for a reply without returning to us, this is what it asks. */
static int end_if_late(void *arg, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
    const otter_http_t *http = arg;
    (void)a, (void)b, (void)c, (void)d;
    return otter_now_us() > http->deadline_us + LATE_US;
}

static int close_socket(void *arg, curl_socket_t fd)
{
    otter_http_t *http = arg;
    if (fd == http->ftp_control) {
        http->ftp_control = CURL_SOCKET_BAD;
    }
    return close(fd);
}

static esp_err_t set_options(otter_http_t *http, const otter_http_request_t *request)
{
    esp_err_t err = http_curl_set_options(http, request);
    if (err != ESP_OK) {
        return err;
    }
    if (!set_login(http, request)) {
        http_curl_set_error(http, "malformed user name or password");
        return ESP_ERR_HTTP_CONNECT;
    }
    CURL *easy = http->easy;
    /* Through a proxy as through a pipe: asked for an ftp:// URL in HTTP, it would be the client. */
    curl_easy_setopt(easy, CURLOPT_HTTPPROXYTUNNEL, 1L);
    curl_easy_setopt(easy, CURLOPT_USE_SSL, http->transport->tls ? (long)CURLUSESSL_ALL : (long)CURLUSESSL_NONE);
    curl_easy_setopt(easy, CURLOPT_FTPSSLAUTH, (long)CURLFTPAUTH_TLS);
    curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, end_if_late);
    curl_easy_setopt(easy, CURLOPT_XFERINFODATA, http);
    curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, close_socket);
    curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, http);
    return ESP_OK;
}

/* ---- failures ---- */

/* Statuses of what FTP servers refuse, if the reply's number does not ask to come back later. */
static const struct {
    CURLcode from;
    int status;
} refusals[] = {
    {CURLE_LOGIN_DENIED, 401},          {CURLE_REMOTE_FILE_NOT_FOUND, 404}, {CURLE_REMOTE_ACCESS_DENIED, 404},
    {CURLE_FTP_COULDNT_RETR_FILE, 404}, {CURLE_FTP_WEIRD_SERVER_REPLY, -1}, {CURLE_FTP_WEIRD_PASV_REPLY, -1},
    {CURLE_OPERATION_TIMEDOUT, -1}, /* What curl makes of any 421. */
};

/* The status that tells a failure as HTTP would; -1: none does, it is one of the connection. */
static int status_of_failure(otter_http_t *http)
{
    long reply = 0;
    curl_easy_getinfo(http->easy, CURLINFO_RESPONSE_CODE, &reply);
    for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
        if (http->result == refusals[i].from) {
            return reply >= 400 && reply < 500 ? 503 : refusals[i].status;
        }
    }
    return -1;
}

/* Codes of a failed open that do not follow from how far the exchange was. */
static const struct {
    CURLcode from;
    esp_err_t to;
} open_errors[] = {
    {CURLE_OUT_OF_MEMORY, ESP_ERR_NO_MEM},
    {CURLE_COULDNT_CONNECT, ESP_ERR_HTTP_CONNECT},
    {CURLE_USE_SSL_FAILED, ESP_ERR_HTTP_CONNECT},
    {CURLE_SSL_CONNECT_ERROR, ESP_ERR_HTTP_CONNECT},
    {CURLE_PEER_FAILED_VERIFICATION, ESP_ERR_HTTP_CONNECT},
    {CURLE_ABORTED_BY_CALLBACK, ESP_ERR_TIMEOUT},
    {CURLE_SEND_ERROR, ESP_ERR_HTTP_WRITE_DATA},
};

static esp_err_t judge_failure(otter_http_t *http, otter_http_response_t *response)
{
    http_curl_explain(http);
    http_curl_judge_connect(http, response);
    for (size_t i = 0; i < sizeof(open_errors) / sizeof(open_errors[0]); i++) {
        if (http->result == open_errors[i].from) {
            return open_errors[i].to;
        }
    }
    return http->connected ? ESP_ERR_HTTP_FETCH_HEADER : ESP_ERR_HTTP_CONNECT;
}

static esp_err_t judge_timeout(otter_http_t *http)
{
    http_curl_set_error(http, http->connected ? "timed out while waiting for the server's reply"
                                              : "timed out while connecting");
    return http->connected ? ESP_ERR_TIMEOUT : ESP_ERR_HTTP_CONNECT;
}

/* ---- first: what is it ---- */

static size_t note_probe_line(char *line, size_t one, size_t len, void *arg)
{
    static const char ranges[] = "Accept-ranges: bytes";
    otter_http_t *http = arg;
    (void)one;
    http->ftp_ranges |= len >= sizeof(ranges) - 1 && strncasecmp(line, ranges, sizeof(ranges) - 1) == 0;
    return len;
}

static size_t drop_body(char *data, size_t one, size_t len, void *arg)
{
    (void)data, (void)one, (void)arg;
    return len;
}

static bool never(const otter_http_t *http)
{
    (void)http;
    return false;
}

static void collect_facts(otter_http_t *http, file_facts_t *facts)
{
    curl_off_t size = -1;
    curl_off_t modified = -1;
    curl_easy_getinfo(http->easy, CURLINFO_ACTIVESOCKET, &http->ftp_control);
    curl_easy_getinfo(http->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &size);
    curl_easy_getinfo(http->easy, CURLINFO_FILETIME_T, &modified);
    *facts = (file_facts_t){.size_bytes = size, .ranges = http->ftp_ranges};
    /* The server's clock is not told; ours, if it is right, says as well whether the file is fresh. */
    file_answer_date((time_t)(otter_wall_us() / 1000000), facts->date);
    file_answer_date(modified, facts->last_modified);
}

/* Logs in and asks for size and time. ESP_OK with an answer: that is it. */
static esp_err_t probe(otter_http_t *http, const otter_http_request_t *request, int64_t deadline_us,
                       file_facts_t *facts, file_answer_t *answer, otter_http_response_t *response)
{
    esp_err_t err = set_options(http, request);
    if (err != ESP_OK) {
        return err;
    }
    curl_easy_setopt(http->easy, CURLOPT_NOBODY, 1L);
    curl_easy_setopt(http->easy, CURLOPT_FILETIME, 1L);
    err = http_curl_attach(http, note_probe_line);
    if (err != ESP_OK) {
        return err;
    }
    curl_easy_setopt(http->easy, CURLOPT_WRITEFUNCTION, drop_body);
    if (!http_curl_run_until(http, never, deadline_us)) {
        return judge_timeout(http);
    }
    if (http->result == CURLE_OK) {
        collect_facts(http, facts);
        *answer = file_answer_decide(request, facts);
        return ESP_OK;
    }
    *answer = file_answer_status(status_of_failure(http));
    return answer->status > 0 ? ESP_OK : judge_failure(http, response);
}

/* ---- then: fetch it ---- */

static bool has_begun(const otter_http_t *http)
{
    return http->paused;
}

static void set_part(otter_http_t *http, const file_answer_t *answer, const file_facts_t *facts)
{
    char text[48];
    bool to_the_end = answer->first_off + answer->body_bytes == facts->size_bytes;
    if (answer->status == 206 && to_the_end) {
        curl_easy_setopt(http->easy, CURLOPT_RESUME_FROM_LARGE, (curl_off_t)answer->first_off);
    } else if (answer->status == 206) {
        snprintf(text, sizeof(text), "%lld-%lld", (long long)answer->first_off,
                 (long long)(answer->first_off + answer->body_bytes - 1));
        curl_easy_setopt(http->easy, CURLOPT_RANGE, text);
    }
}

/* A server that tells no size beforehand may tell it now; one that tells another has another file now. */
static esp_err_t check_size(otter_http_t *http, file_answer_t *answer, file_facts_t *facts)
{
    curl_off_t size = -1;
    curl_easy_getinfo(http->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &size);
    if (facts->size_bytes < 0) {
        facts->size_bytes = size;
        answer->body_bytes = size;
    }
    if (size >= 0 && size != answer->body_bytes) {
        http_curl_set_error(http, "the file changed while it was asked for");
        return ESP_ERR_HTTP_FETCH_HEADER;
    }
    return ESP_OK;
}

/* Asks for the bytes, until the first are there. */
static esp_err_t fetch(otter_http_t *http, const otter_http_request_t *request, int64_t deadline_us,
                       file_facts_t *facts, file_answer_t *answer, otter_http_response_t *response)
{
    http_curl_detach(http);
    http_curl_drop_options(http);
    esp_err_t err = set_options(http, request);
    if (err != ESP_OK) {
        return err;
    }
    set_part(http, answer, facts);
    err = http_curl_attach(http, drop_body);
    if (err != ESP_OK) {
        return err;
    }
    if (!http_curl_run_until(http, has_begun, deadline_us)) {
        return judge_timeout(http);
    }
    if (!http->done || http->result == CURLE_OK) {
        return check_size(http, answer, facts);
    }
    *answer = file_answer_status(status_of_failure(http));
    return answer->status > 0 ? ESP_OK : judge_failure(http, response);
}

/* ---- exchange ---- */

/* Curl would list a folder, or translate line ends. */
static bool names_a_file(const char *url)
{
    size_t len = strlen(url);
    return url[len - 1] != '/' && strcasestr(url, ";type=") == NULL;
}

static bool has_body(const file_answer_t *answer)
{
    return (answer->status == 200 || answer->status == 206) && answer->body_bytes != 0;
}

esp_err_t http_curl_ftp_open(otter_http_t *http, const otter_http_request_t *request, int64_t deadline_us,
                             otter_http_response_t *response)
{
    file_facts_t facts = {.size_bytes = -1};
    file_answer_t answer = file_answer_decide(request, &facts);
    esp_err_t err = ESP_OK;
    http->ftp_ranges = false;
    if (answer.status == 200 && !names_a_file(request->url)) {
        answer = file_answer_status(404);
    }
    if (answer.status == 200) {
        err = probe(http, request, deadline_us, &facts, &answer, response);
    }
    if (err == ESP_OK && has_body(&answer)) {
        err = fetch(http, request, deadline_us, &facts, &answer, response);
    }
    if (err != ESP_OK) {
        return err;
    }
    if (!has_body(&answer)) {
        http_curl_detach(http);
        http->done = true;
        http->result = CURLE_OK;
        answer.body_bytes = 0;
    }
    http->ftp_left = answer.body_bytes;
    *response = file_answer_tell(&answer, request, &facts, http->head.on_header, http->head.arg);
    return ESP_OK;
}

/* All the bytes that the server announced are all, whatever becomes of its last reply. */
static esp_err_t judge_end(otter_http_t *http)
{
    if (http->ftp_left == 0 || (http->ftp_left < 0 && http->result == CURLE_OK)) {
        return ESP_OK;
    }
    if (http->result == CURLE_OK) {
        http_curl_set_error(http, "the server sent less than it announced");
        return ESP_ERR_HTTP_INCOMPLETE_DATA;
    }
    http_curl_explain(http);
    return http_curl_ended_early(http->result) ? ESP_ERR_HTTP_INCOMPLETE_DATA : ESP_FAIL;
}

esp_err_t http_curl_ftp_read(otter_http_t *http, void *dst, size_t len, size_t *got, int64_t deadline_us)
{
    if (!http_curl_pull(http, dst, len, got, deadline_us)) {
        http_curl_set_error(http, "timed out while reading the file");
        return ESP_ERR_TIMEOUT;
    }
    if (http->ftp_left >= 0) {
        http->ftp_left -= (uint64_t)http->ftp_left < *got ? http->ftp_left : (int64_t)*got;
    }
    return *got > 0 ? ESP_OK : judge_end(http);
}

void http_curl_ftp_hang_up(otter_http_t *http)
{
    if (http->ftp_control != CURL_SOCKET_BAD) {
        /* Curl says QUIT and waits for the answer, minutes if the network is gone. This way it sees the end at once. */
        (void)shutdown(http->ftp_control, SHUT_RD);
    }
}
