/* SPDX-License-Identifier: Apache-2.0 */
#define _POSIX_C_SOURCE 200809L
#include "port/http_curl/response_head.h"

#include <string.h>
#include <strings.h>

/* Longest header line taken. Longer ones are refused, not cut. */
#define MAX_LINE_BYTES 16384

static bool fail(response_head_t *head, const char *problem)
{
    head->problem = problem;
    return false;
}

static void restart(response_head_t *head)
{
    head->status = 0;
    head->content_length = -1;
    head->chunked = false;
    head->says_close = false;
    head->says_keep_alive = false;
}

void response_head_init(response_head_t *head, otter_http_header_cb_t on_header, void *arg)
{
    *head = (response_head_t){.on_header = on_header, .arg = arg};
    restart(head);
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* "HTTP/1.1 200 OK" or "HTTP/2 200". */
static bool take_status_line(response_head_t *head, const char *line)
{
    const char *at = line + strlen("HTTP/");
    restart(head);
    if (!is_digit(at[0])) {
        return fail(head, "malformed status line");
    }
    head->http_major = at[0] - '0';
    head->http_minor = 0;
    at++;
    if (at[0] == '.' && is_digit(at[1])) {
        head->http_minor = at[1] - '0';
        at += 2;
    }
    if (at[0] != ' ' || !is_digit(at[1]) || !is_digit(at[2]) || !is_digit(at[3]) || is_digit(at[4])) {
        return fail(head, "malformed status line");
    }
    head->status = (at[1] - '0') * 100 + (at[2] - '0') * 10 + (at[3] - '0');
    if (head->status < 100 || head->status == 101) {
        return fail(head, "unusable status");
    }
    return true;
}

static bool take_length(response_head_t *head, const char *value)
{
    int64_t length = 0;
    if (!is_digit(value[0])) {
        return fail(head, "malformed Content-Length");
    }
    for (; is_digit(*value); value++) {
        if (length > (INT64_MAX - 9) / 10) {
            return fail(head, "malformed Content-Length");
        }
        length = length * 10 + (*value - '0');
    }
    if (*value != '\0') {
        return fail(head, "malformed Content-Length");
    }
    if (head->content_length >= 0 && head->content_length != length) {
        return fail(head, "two Content-Length headers that differ");
    }
    head->content_length = length;
    return true;
}

static bool has_token(const char *list, const char *token)
{
    size_t len = strlen(token);
    while (*list != '\0') {
        list += strspn(list, " \t,");
        size_t item = strcspn(list, " \t,;");
        if (item == len && strncasecmp(list, token, len) == 0) {
            return true;
        }
        list += strcspn(list, ",");
    }
    return false;
}

static bool take_encoding(response_head_t *head, const char *value)
{
    head->chunked = has_token(value, "chunked");
    return true;
}

static bool take_connection(response_head_t *head, const char *value)
{
    head->says_close |= has_token(value, "close");
    head->says_keep_alive |= has_token(value, "keep-alive");
    return true;
}

static const struct {
    const char *name;
    bool (*take)(response_head_t *head, const char *value);
} known_headers[] = {
    {"Content-Length", take_length},
    {"Transfer-Encoding", take_encoding},
    {"Connection", take_connection},
};

static bool take_header(response_head_t *head, char *line)
{
    char *colon = strchr(line, ':');
    if (colon == NULL || colon == line || line[0] == ' ' || line[0] == '\t' || colon[-1] == ' ') {
        return fail(head, "malformed header line");
    }
    *colon = '\0';
    char *value = colon + 1 + strspn(colon + 1, " \t");
    for (size_t i = 0; i < sizeof(known_headers) / sizeof(known_headers[0]); i++) {
        if (strcasecmp(line, known_headers[i].name) == 0 && !known_headers[i].take(head, value)) {
            return false;
        }
    }
    if (head->status >= 200 && head->on_header != NULL) {
        head->on_header(head->arg, line, value);
    }
    return true;
}

static size_t trimmed(const char *line, size_t len)
{
    while (len > 0 && strchr("\r\n \t", line[len - 1]) != NULL) {
        len--;
    }
    return len;
}

bool response_head_feed(response_head_t *head, const char *line, size_t len)
{
    char text[MAX_LINE_BYTES];
    head->bytes += len;
    if (head->bytes > RESPONSE_HEAD_MAX_BYTES || len >= sizeof(text)) {
        return fail(head, "response head too large");
    }
    if (head->complete) {
        return true;
    }
    if (memchr(line, '\0', len) != NULL) {
        return fail(head, "NUL byte in the response head");
    }
    len = trimmed(line, len);
    /* To some a line end, to others not: they would see other headers. */
    if (memchr(line, '\r', len) != NULL) {
        return fail(head, "bare CR in the response head");
    }
    memcpy(text, line, len);
    text[len] = '\0';
    if (strncmp(text, "HTTP/", 5) == 0) {
        return take_status_line(head, text);
    }
    if (head->status == 0) {
        return fail(head, "header before the status line");
    }
    if (len == 0) {
        head->complete = head->status >= 200;
        return true;
    }
    return take_header(head, text);
}

otter_http_response_t response_head_summary(const response_head_t *head, bool has_body)
{
    bool body = has_body && head->status != 204 && head->status != 304;
    bool framed = head->http_major >= 2;
    bool end_known = framed || head->chunked || head->content_length >= 0 || !body;
    bool persistent = !head->says_close && (head->http_minor >= 1 || head->says_keep_alive);
    return (otter_http_response_t){
        .status = head->status,
        .content_length = head->chunked ? -1 : head->content_length,
        .chunked = head->chunked || (framed && head->content_length < 0),
        .keep_alive = framed || (persistent && end_known),
    };
}
