/* SPDX-License-Identifier: Apache-2.0 */
#include "port/http1/head.h"

#include <string.h>

#include "port/http1/text.h"

/* A piece of a line. */
typedef struct span {
    char *at;
    size_t len;
} span_t;

static bool fail(http1_head_t *head, const char *problem)
{
    head->problem = problem;
    return false;
}

static void restart(http1_head_t *head)
{
    head->status = 0;
    head->content_length = -1;
    head->chunked = false;
    head->says_close = false;
    head->says_keep_alive = false;
}

void http1_head_init(http1_head_t *head, otter_http_header_cb_t on_header, void *arg)
{
    *head = (http1_head_t){.on_header = on_header, .arg = arg};
    restart(head);
}

/* "HTTP/1.1 200 OK"; the reason may be missing, with its space or without. */
static bool take_status_line(http1_head_t *head, span_t line)
{
    static const char pattern[] = "HTTP/1.d ddd";
    size_t pattern_len = sizeof(pattern) - 1;
    if (line.len < pattern_len || (line.len > pattern_len && line.at[pattern_len] != ' ')) {
        return fail(head, "malformed status line");
    }
    for (size_t i = 0; i < pattern_len; i++) {
        if (pattern[i] == 'd' ? !http1_is_digit(line.at[i]) : line.at[i] != pattern[i]) {
            return fail(head, "malformed status line");
        }
    }
    const char *digits = line.at + pattern_len - 3;
    head->minor = line.at[7] - '0';
    head->status = (digits[0] - '0') * 100 + (digits[1] - '0') * 10 + (digits[2] - '0');
    if (head->status < 100 || head->status == 101) {
        return fail(head, "unusable status");
    }
    return true;
}

static bool take_length(http1_head_t *head, span_t value)
{
    int64_t length = 0;
    for (size_t i = 0; i < value.len; i++) {
        if (!http1_is_digit(value.at[i]) || length > (INT64_MAX - 9) / 10) {
            return fail(head, "malformed Content-Length");
        }
        length = length * 10 + (value.at[i] - '0');
    }
    if (value.len == 0) {
        return fail(head, "malformed Content-Length");
    }
    if (head->content_length >= 0 && head->content_length != length) {
        return fail(head, "two Content-Length headers that differ");
    }
    head->content_length = length;
    return true;
}

/* A body in a coding that is not undone must not be taken for the body. */
static bool take_coding(http1_head_t *head, span_t value)
{
    if (head->chunked || !http1_is_word(value.at, value.len, "chunked")) {
        return fail(head, "unknown transfer coding");
    }
    head->chunked = true;
    return true;
}

static bool has_word(span_t list, const char *word)
{
    size_t i = 0;
    while (i < list.len) {
        size_t start = i;
        while (i < list.len && http1_is_token_char(list.at[i])) {
            i++;
        }
        if (http1_is_word(list.at + start, i - start, word)) {
            return true;
        }
        i += i == start;
    }
    return false;
}

static bool take_connection(http1_head_t *head, span_t value)
{
    head->says_close |= has_word(value, "close");
    head->says_keep_alive |= has_word(value, "keep-alive");
    return true;
}

static const struct {
    const char *name;
    bool (*take)(http1_head_t *head, span_t value);
} known_headers[] = {
    {"Content-Length", take_length},
    {"Transfer-Encoding", take_coding},
    {"Connection", take_connection},
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static span_t trim(span_t text)
{
    while (text.len > 0 && is_blank(text.at[0])) {
        text.at++;
        text.len--;
    }
    while (text.len > 0 && is_blank(text.at[text.len - 1])) {
        text.len--;
    }
    return text;
}

static bool take_header(http1_head_t *head, span_t line)
{
    char *colon = memchr(line.at, ':', line.len);
    if (colon == NULL || !http1_is_token(line.at, (size_t)(colon - line.at))) {
        return fail(head, "malformed header line");
    }
    size_t name_len = (size_t)(colon - line.at);
    span_t value = trim((span_t){colon + 1, line.len - name_len - 1});
    for (size_t i = 0; i < sizeof(known_headers) / sizeof(known_headers[0]); i++) {
        if (http1_is_word(line.at, name_len, known_headers[i].name) && !known_headers[i].take(head, value)) {
            return false;
        }
    }
    if (head->status >= 200 && head->on_header != NULL) {
        /* Behind the name is the colon, behind the value a blank or the end of the line: all seen, all ours. */
        *colon = '\0';
        value.at[value.len] = '\0';
        head->on_header(head->arg, line.at, value.at);
    }
    return true;
}

/* An empty line: of the final head, or of an interim one. */
static bool take_end(http1_head_t *head)
{
    if (head->status >= 200) {
        return true;
    }
    if (++head->interim > HTTP1_MAX_INTERIM) {
        return fail(head, "too many interim responses");
    }
    restart(head);
    return true;
}

static bool take_line(http1_head_t *head, span_t line)
{
    if (memchr(line.at, '\0', line.len) != NULL) {
        return fail(head, "NUL byte in the response head");
    }
    if (memchr(line.at, '\r', line.len) != NULL) {
        return fail(head, "bare CR in the response head");
    }
    if (head->status == 0) {
        return take_status_line(head, line);
    }
    return line.len == 0 ? take_end(head) : take_header(head, line);
}

/* The line up to its LF, which is not part of it, nor is a CR before it. */
static span_t line_of(char *bytes, const char *end)
{
    span_t line = {bytes, (size_t)(end - bytes)};
    if (line.len > 0 && end[-1] == '\r') {
        line.len--;
    }
    return line;
}

static bool fits(const http1_head_t *head, size_t line_bytes)
{
    return line_bytes < HTTP1_BUFFER_BYTES && line_bytes <= HTTP1_HEAD_MAX_BYTES - head->bytes;
}

http1_step_t http1_head_feed(http1_head_t *head, char *bytes, size_t len, size_t *used)
{
    *used = 0;
    while (head->problem == NULL) {
        char *at = bytes + *used;
        const char *end = memchr(at, '\n', len - *used);
        size_t line_bytes = end != NULL ? (size_t)(end - at) + 1 : len - *used;
        if (!fits(head, line_bytes)) {
            fail(head, "response head too large");
            break;
        }
        if (end == NULL) {
            return HTTP1_MORE;
        }
        span_t line = line_of(at, end);
        bool last = line.len == 0 && head->status >= 200;
        *used += line_bytes;
        head->bytes += line_bytes;
        if (take_line(head, line) && last) {
            return HTTP1_DONE;
        }
    }
    return HTTP1_BAD;
}

http1_framing_t http1_head_framing(const http1_head_t *head, bool has_body)
{
    if (!has_body || head->status == 204 || head->status == 304) {
        return HTTP1_NO_BODY;
    }
    if (head->chunked) {
        return HTTP1_BY_CHUNKS;
    }
    return head->content_length >= 0 ? HTTP1_BY_LENGTH : HTTP1_BY_CLOSE;
}

otter_http_response_t http1_head_response(const http1_head_t *head, bool has_body)
{
    bool end_known = http1_head_framing(head, has_body) != HTTP1_BY_CLOSE;
    bool persistent = !head->says_close && (head->minor >= 1 || head->says_keep_alive);
    /* Somebody on the way may have gone by the length (RFC 9112, 6.3): the body is as chunked as it says, but what
     * follows it may not be what the server sent. */
    bool doubtful = head->chunked && (head->content_length >= 0 || head->minor == 0);
    return (otter_http_response_t){
        .status = head->status,
        .content_length = head->chunked ? -1 : head->content_length,
        .chunked = head->chunked,
        .keep_alive = persistent && end_known && !doubtful,
    };
}
