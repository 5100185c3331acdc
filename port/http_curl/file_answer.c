/* SPDX-License-Identifier: Apache-2.0 */
#define _POSIX_C_SOURCE 200809L
#include "port/http_curl/file_answer.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

void file_answer_date(time_t seconds, char text[FILE_ANSWER_DATE_BYTES])
{
    /* Not by strftime(): it speaks the user's language. */
    static const char days[] = "SunMonTueWedThuFriSat";
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    struct tm tm;
    text[0] = '\0';
    if (seconds < 0 || gmtime_r(&seconds, &tm) == NULL || tm.tm_year > 9999 - 1900) {
        return;
    }
    snprintf(text, FILE_ANSWER_DATE_BYTES, "%.3s, %02u %.3s %04u %02u:%02u:%02u GMT", days + 3 * (tm.tm_wday % 7),
             (unsigned)tm.tm_mday % 100, months + 3 * (tm.tm_mon % 12), (unsigned)(tm.tm_year + 1900) % 10000,
             (unsigned)tm.tm_hour % 100, (unsigned)tm.tm_min % 100, (unsigned)tm.tm_sec % 100);
}

const char *file_answer_header(const otter_http_request_t *request, const char *name)
{
    for (size_t i = 0; i < request->header_count; i++) {
        if (strcasecmp(request->headers[i].name, name) == 0) {
            return request->headers[i].value;
        }
    }
    return NULL;
}

/* ---- Range ---- */

/* Digits, or nothing: -1. A number past any file becomes the largest there is. */
static int64_t take_number(const char **at)
{
    int64_t number = **at >= '0' && **at <= '9' ? 0 : -1;
    for (; **at >= '0' && **at <= '9'; (*at)++) {
        number = number > (INT64_MAX - 9) / 10 ? INT64_MAX : number * 10 + (**at - '0');
    }
    return number;
}

/* "bytes=first-last", "bytes=first-", "bytes=-count"; what is not given is -1. */
static bool parse_range(const char *text, int64_t *first, int64_t *last)
{
    if (strncasecmp(text, "bytes=", 6) != 0) {
        return false;
    }
    text += 6;
    *first = take_number(&text);
    if (*text++ != '-') {
        return false;
    }
    *last = take_number(&text);
    if (*text != '\0' || (*first < 0 && *last < 0)) {
        return false;
    }
    return *first < 0 || *last < 0 || *first <= *last;
}

static bool same_file(const char *if_range, const file_facts_t *facts)
{
    if (if_range == NULL) {
        return true;
    }
    bool by_tag = facts->etag[0] != '\0' && strcmp(if_range, facts->etag) == 0;
    bool by_date = facts->last_modified[0] != '\0' && strcmp(if_range, facts->last_modified) == 0;
    return by_tag || by_date;
}

static file_answer_t answer_part(int64_t first, int64_t last, int64_t size_bytes)
{
    if (first < 0) {
        first = last < size_bytes ? size_bytes - last : 0;
        last = -1;
    }
    if (first >= size_bytes) {
        return file_answer_status(416);
    }
    if (last < 0 || last >= size_bytes) {
        last = size_bytes - 1;
    }
    return (file_answer_t){.status = 206, .first_off = first, .body_bytes = last - first + 1};
}

/* ---- the answer ---- */

file_answer_t file_answer_status(int status)
{
    return (file_answer_t){.status = status};
}

file_answer_t file_answer_decide(const otter_http_request_t *request, const file_facts_t *facts)
{
    int64_t first = -1;
    int64_t last = -1;
    if (strcmp(request->method, "HEAD") == 0) {
        return file_answer_status(200);
    }
    if (strcmp(request->method, "GET") != 0) {
        return file_answer_status(405);
    }
    const char *range = file_answer_header(request, "Range");
    bool partial = range != NULL && facts->ranges && facts->size_bytes >= 0 &&
                   same_file(file_answer_header(request, "If-Range"), facts) && parse_range(range, &first, &last);
    return partial ? answer_part(first, last, facts->size_bytes)
                   : (file_answer_t){.status = 200, .body_bytes = facts->size_bytes};
}

/* ---- telling it ---- */

typedef struct listener {
    otter_http_header_cb_t on_header;
    void *arg;
} listener_t;

static void tell(const listener_t *listener, const char *name, const char *value)
{
    if (listener->on_header != NULL && value[0] != '\0') {
        listener->on_header(listener->arg, name, value);
    }
}

static void tell_number(const listener_t *listener, const char *name, int64_t number)
{
    char text[24];
    snprintf(text, sizeof(text), "%" PRId64, number);
    tell(listener, name, text);
}

static void tell_part(const listener_t *listener, const file_answer_t *answer, const file_facts_t *facts)
{
    char text[80];
    int64_t last = answer->first_off + answer->body_bytes - 1;
    if (answer->status == 206) {
        snprintf(text, sizeof(text), "bytes %" PRId64 "-%" PRId64 "/%" PRId64, answer->first_off, last,
                 facts->size_bytes);
        tell(listener, "Content-Range", text);
    } else if (answer->status == 416) {
        snprintf(text, sizeof(text), "bytes */%" PRId64, facts->size_bytes);
        tell(listener, "Content-Range", text);
    }
}

static void tell_file(const listener_t *listener, const file_answer_t *answer, const file_facts_t *facts)
{
    tell(listener, "Content-Type", "application/octet-stream");
    tell(listener, "Accept-Ranges", facts->ranges ? "bytes" : "none");
    tell(listener, "Date", facts->date);
    tell(listener, "Last-Modified", facts->last_modified);
    tell(listener, "ETag", facts->etag);
    tell_part(listener, answer, facts);
}

/* Headers that belong to a status and not to a file. */
static const struct {
    int status;
    const char *name;
    const char *value;
} status_headers[] = {
    {401, "WWW-Authenticate", "Basic realm=\"files\""},
    {405, "Allow", "GET, HEAD"},
};

otter_http_response_t file_answer_tell(const file_answer_t *answer, const otter_http_request_t *request,
                                       const file_facts_t *facts, otter_http_header_cb_t on_header, void *arg)
{
    const listener_t listener = {on_header, arg};
    bool is_file = answer->status == 200 || answer->status == 206;
    bool is_head = strcmp(request->method, "HEAD") == 0;
    int64_t length = is_file && is_head ? facts->size_bytes : answer->body_bytes;
    if (length >= 0) {
        tell_number(&listener, "Content-Length", length);
    }
    if (is_file || answer->status == 416) {
        tell_file(&listener, answer, facts);
    }
    for (size_t i = 0; i < sizeof(status_headers) / sizeof(status_headers[0]); i++) {
        if (status_headers[i].status == answer->status) {
            tell(&listener, status_headers[i].name, status_headers[i].value);
        }
    }
    return (otter_http_response_t){.status = answer->status, .content_length = length, .keep_alive = true};
}
