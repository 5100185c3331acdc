/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "tests/support/bad_server_internal.h"

/* ---- which part of the body ---- */

static bool same(const char *validator, const char *value)
{
    return validator != NULL && strcmp(validator, value) == 0;
}

/* Whether If-Range lets a part be sent: no weak validator ever does. */
static bool if_range_fits(const bad_reply_t *reply, const request_t *request)
{
    char value[256];
    bool versioned = reply->etag != NULL || reply->last_modified != NULL;
    if (!versioned || bad_find_header(request, "If-Range", value, sizeof(value)) == NULL) {
        return true;
    }
    return value[0] != 'W' && (same(reply->etag, value) || same(reply->last_modified, value));
}

/* Whether the request's Range is to be ignored. */
static bool wants_whole(connection_t *c, const bad_reply_t *reply, const request_t *request)
{
    if (reply->fault == BAD_IGNORE_RANGE) {
        bad_note_fault(c);
        return true;
    }
    if (!reply->ranges) {
        return true;
    }
    if (if_range_fits(reply, request)) {
        return false;
    }
    if (reply->fault == BAD_IGNORE_IF_RANGE) {
        bad_note_fault(c);
        return false;
    }
    return true;
}

static part_t choose_whole(connection_t *c, const bad_reply_t *reply)
{
    part_t part = {.status = reply->status == 0 ? 200 : reply->status, .data = reply->body, .len = reply->body_len};
    if (reply->fault == BAD_UNASKED_RANGE) {
        bad_note_fault(c);
        part.status = 206;
    }
    return part;
}

static bool spoils_range(bad_fault_t fault)
{
    return fault == BAD_WRONG_RANGE || fault == BAD_OTHER_BYTES || fault == BAD_RANGE_TEXT || fault == BAD_MULTIPART;
}

part_t bad_choose_part(connection_t *c, const bad_reply_t *reply, const request_t *request)
{
    char value[64];
    unsigned long first = 0;
    unsigned long last = 0;
    if (bad_find_header(request, "Range", value, sizeof(value)) == NULL) {
        return choose_whole(c, reply);
    }
    int fields = sscanf(value, "bytes=%lu-%lu", &first, &last);
    if (fields < 1 || wants_whole(c, reply, request)) {
        return (part_t){
            .status = reply->status == 0 ? 200 : reply->status, .data = reply->body, .len = reply->body_len};
    }
    if (spoils_range(reply->fault)) {
        bad_note_fault(c);
    }
    first += reply->fault == BAD_WRONG_RANGE ? reply->fault_at : 0;
    if (first >= reply->body_len) {
        return (part_t){.status = 416};
    }
    size_t end = fields == 1 || last >= reply->body_len ? reply->body_len : last + 1;
    const uint8_t *body = reply->body;
    return (part_t){.status = 206,
                    .data = reply->fault == BAD_OTHER_BYTES ? body : body + first,
                    .len = end - first,
                    .first = first};
}

/* ---- the head ---- */

__attribute__((format(printf, 2, 3))) static void append(head_t *head, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int len = vsnprintf(head->text + head->len, sizeof(head->text) - head->len, format, args);
    va_end(args);
    head->len += (size_t)len;
    bad_check(head->len < sizeof(head->text), "hold a head");
}

static void append_range(head_t *head, const bad_reply_t *reply, const part_t *part)
{
    if (part->status == 416) {
        append(head, "Content-Range: bytes */%zu\r\n", reply->body_len);
        return;
    }
    if (part->status != 206 || reply->fault == BAD_MULTIPART) {
        return;
    }
    if (reply->fault != BAD_RANGE_TEXT) {
        append(head, "Content-Range: bytes %zu-%zu/%zu\r\n", part->first, part->first + part->len - 1, reply->body_len);
    } else if (reply->text != NULL) {
        append(head, "Content-Range: %s\r\n", reply->text);
    }
}

static void append_length(head_t *head, const bad_reply_t *reply, const part_t *part)
{
    if (reply->fault == BAD_MULTIPART && part->status == 206) {
        append(head, "Content-Type: multipart/byteranges; boundary=" BAD_BOUNDARY "\r\nConnection: close\r\n");
        return;
    }
    if (reply->framing == BAD_CHUNKED) {
        append(head, "Transfer-Encoding: chunked\r\n");
    } else if (reply->fault == BAD_LENGTH_TEXT) {
        append(head, "Content-Length: %s\r\n", reply->text);
    } else if (reply->framing == BAD_LENGTH) {
        append(head, "Content-Length: %zu\r\n", part->len + (reply->fault == BAD_SHORT_BODY ? reply->fault_at : 0));
    }
    if (reply->fault == BAD_TWO_LENGTHS) {
        append(head, "Content-Length: %zu\r\n", part->len + 1);
    }
}

static void append_validators(head_t *head, const bad_reply_t *reply)
{
    if (reply->etag != NULL) {
        append(head, "ETag: %s\r\n", reply->etag);
    }
    if (reply->last_modified != NULL) {
        append(head, "Last-Modified: %s\r\n", reply->last_modified);
    }
}

/* Headers may hold NULs: a fault, not a string. */
static void append_headers(head_t *head, const bad_reply_t *reply)
{
    if (reply->headers == NULL) {
        return;
    }
    size_t len = reply->headers_len == 0 ? strlen(reply->headers) : reply->headers_len;
    bad_check(head->len + len < sizeof(head->text), "hold headers");
    memcpy(head->text + head->len, reply->headers, len);
    head->len += len;
}

void bad_write_head(head_t *head, const bad_reply_t *reply, const part_t *part)
{
    head->len = 0;
    if (reply->fault == BAD_STATUS_LINE) {
        append(head, "%s\r\n", reply->text);
    } else {
        append(head, "HTTP/1.1 %d Reply\r\n", part->status);
    }
    for (size_t i = 0; reply->fault == BAD_MANY_HEADERS && i < reply->fault_at; i++) {
        append(head, "X-%zu: %zu\r\n", i, i);
    }
    append_range(head, reply, part);
    append_length(head, reply, part);
    append_validators(head, reply);
    if (reply->close || reply->framing == BAD_UNTIL_CLOSE) {
        append(head, "Connection: close\r\n");
    }
    append_headers(head, reply);
    append(head, "\r\n");
}
