/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/bad_server_internal.h"

/* What is being answered. */
typedef struct answer {
    connection_t *c;
    const request_t *request;
    bad_reply_t reply;
    part_t part;
    head_t head;
} answer_t;

static bool fits(const bad_reply_t *reply, const request_t *request)
{
    return (reply->path == NULL || strcmp(reply->path, request->path) == 0) &&
           (reply->method == NULL || strcmp(reply->method, request->method) == 0);
}

static bool is_left(const bad_server_t *server, size_t i)
{
    const bad_reply_t *reply = &server->replies[i];
    return (reply->times == 0 || server->used[i] < reply->times) &&
           (reply->until == 0 || server->fired[i] < reply->until);
}

static void pick_reply(connection_t *c, const request_t *request, bad_reply_t *reply)
{
    bad_server_t *server = c->server;
    *reply = (bad_reply_t){.status = 404};
    pthread_mutex_lock(&server->lock);
    c->fired = NULL;
    for (size_t i = 0; i < server->reply_count && c->fired == NULL; i++) {
        if (is_left(server, i) && fits(&server->replies[i], request)) {
            server->used[i]++;
            c->fired = &server->fired[i];
            *reply = server->replies[i];
        }
    }
    pthread_mutex_unlock(&server->lock);
}

static void note_answer(const answer_t *a, size_t sent)
{
    bad_server_t *server = a->c->server;
    pthread_mutex_lock(&server->lock);
    bad_answer_t *answer = &server->answers[a->request->index % BAD_MAX_REQUESTS];
    answer->status = a->part.status;
    answer->first = a->part.first;
    answer->sent += sent;
    pthread_mutex_unlock(&server->lock);
}

/* ---- heads ---- */

static bool send_huge_head(connection_t *c, size_t bytes)
{
    char line[1024];
    memset(line, 'x', sizeof(line));
    memcpy(line, "X-Huge: ", 8);
    memcpy(line + sizeof(line) - 2, "\r\n", 2);
    bool more = bad_send_text(c, "HTTP/1.1 200 OK\r\n");
    for (size_t sent = 0; more && sent < bytes; sent += sizeof(line)) {
        more = bad_send_bytes(c, line, sizeof(line));
    }
    return more && bad_send_text(c, "Content-Length: 0\r\n\r\n");
}

/* Faults that replace the answer. False: none of them. */
static bool replace_answer(answer_t *a)
{
    connection_t *c = a->c;
    switch (a->reply.fault) {
    case BAD_CLOSE_BEFORE_HEAD:
        break;
    case BAD_CUT_IN_HEAD:
        bad_check(a->reply.fault_at < a->head.len, "cut in the head");
        bad_send_bytes(c, a->head.text, a->reply.fault_at);
        break;
    case BAD_STALL_IN_HEAD:
        bad_send_bytes(c, a->head.text, a->head.len / 2);
        break;
    case BAD_STALL_BEFORE_HEAD:
        break;
    case BAD_GARBAGE:
        bad_send_bytes(c, a->reply.body, a->reply.body_len);
        break;
    case BAD_HUGE_HEAD:
        send_huge_head(c, a->reply.fault_at);
        break;
    default:
        return false;
    }
    bad_note_fault(c);
    if (a->reply.fault == BAD_STALL_IN_HEAD || a->reply.fault == BAD_STALL_BEFORE_HEAD) {
        bad_stall(c);
    }
    return true;
}

static bool send_interim(answer_t *a)
{
    if (a->reply.interim != NULL) {
        return bad_send_text(a->c, a->reply.interim);
    }
    if (a->reply.fault != BAD_INTERIM_FLOOD) {
        return true;
    }
    bad_note_fault(a->c);
    for (size_t i = 0; i < a->reply.fault_at; i++) {
        if (!bad_send_text(a->c, "HTTP/1.1 102 Processing\r\n\r\n")) {
            return false;
        }
    }
    return true;
}

/* Faults that the head alone carries. */
static bool spoils_head(bad_fault_t fault)
{
    static const bool spoils[BAD_FAULTS] = {
        [BAD_CONTENT] = true,     [BAD_MANY_HEADERS] = true, [BAD_STATUS_LINE] = true,
        [BAD_LENGTH_TEXT] = true, [BAD_TWO_LENGTHS] = true,  [BAD_LYING_KEEP_ALIVE] = true,
    };
    return spoils[fault];
}

/* ---- bodies ---- */

static bool send_piece(answer_t *a, const uint8_t *data, size_t len)
{
    if (a->reply.framing != BAD_CHUNKED) {
        return bad_send_bytes(a->c, data, len);
    }
    char size[24];
    snprintf(size, sizeof(size), "%zx\r\n", len);
    const char *end = "\r\n";
    if (a->reply.fault == BAD_CHUNK_END && data == a->part.data) {
        bad_note_fault(a->c);
        end = a->reply.text;
    }
    return bad_send_text(a->c, size) && bad_send_bytes(a->c, data, len) && bad_send_text(a->c, end);
}

static bool send_pieces(answer_t *a, size_t len)
{
    bool trickles = a->reply.fault == BAD_TRICKLE;
    size_t step = trickles ? a->reply.fault_at : BAD_PIECE;
    for (size_t sent = 0; sent < len; sent += step) {
        size_t piece = len - sent < step ? len - sent : step;
        note_answer(a, piece); /* Before it is sent: what the other side has seen is counted. */
        if (!send_piece(a, a->part.data + sent, piece)) {
            return false;
        }
        if (trickles && sent == 0) {
            bad_note_fault(a->c);
        }
        if (trickles) {
            bad_sleep_ms(a->reply.trickle_ms);
        }
    }
    return true;
}

static bool breaks_off(bad_fault_t fault)
{
    static const bool breaks[BAD_FAULTS] = {
        [BAD_STALL_IN_BODY] = true, [BAD_TRUNCATE] = true,    [BAD_CUT] = true,
        [BAD_RESET] = true,         [BAD_HALF_CLOSE] = true,  [BAD_DOWN] = true,
        [BAD_ALERT] = true,         [BAD_TLS_GARBAGE] = true, [BAD_CHUNK_LINE] = true,
    };
    return breaks[fault];
}

static void send_chunk_line(answer_t *a)
{
    (void)(bad_send_text(a->c, a->reply.text) &&
           bad_send_bytes(a->c, a->part.data + a->reply.fault_at, a->part.len - a->reply.fault_at));
}

/* Ends a body early as told. */
static void break_off(answer_t *a)
{
    connection_t *c = a->c;
    if (a->reply.fault == BAD_DOWN) {
        bad_server_go_down(c->server, a->reply.pause_ms);
    }
    bad_note_fault(c);
    switch (a->reply.fault) {
    case BAD_STALL_IN_BODY:
        bad_stall(c);
        break;
    case BAD_CUT:
        c->rude = true;
        break;
    case BAD_RESET:
    case BAD_DOWN:
        bad_reset(c);
        break;
    case BAD_HALF_CLOSE:
        bad_half_close(c);
        break;
    case BAD_ALERT:
        bad_send_alert(c);
        break;
    case BAD_TLS_GARBAGE:
        bad_send_tls_garbage(c);
        break;
    case BAD_CHUNK_LINE:
        send_chunk_line(a);
        break;
    default: /* BAD_TRUNCATE */
        break;
    }
}

/* What follows the last byte of a body. False: the connection is to be closed. */
static bool end_body(answer_t *a)
{
    static const uint8_t more[BAD_PIECE];
    bool chunked = a->reply.framing == BAD_CHUNKED;
    switch (a->reply.fault) {
    case BAD_LONG_BODY:
        bad_note_fault(a->c);
        (void)bad_send_bytes(a->c, more, a->reply.fault_at);
        return false;
    case BAD_STALL_AFTER_BODY:
        bad_note_fault(a->c);
        bad_stall(a->c);
        return false;
    case BAD_SHORT_BODY:
    case BAD_NO_LAST_CHUNK:
        bad_note_fault(a->c);
        return false;
    default:
        return !chunked ||
               (bad_send_text(a->c, "0\r\n") && bad_send_text(a->c, a->reply.trailer == NULL ? "" : a->reply.trailer) &&
                bad_send_text(a->c, "\r\n"));
    }
}

static bool send_multipart(answer_t *a)
{
    char part_head[256];
    snprintf(part_head, sizeof(part_head), "--%s\r\nContent-Range: bytes %zu-%zu/%zu\r\n\r\n", BAD_BOUNDARY,
             a->part.first, a->part.first + a->part.len - 1, a->reply.body_len);
    (void)(bad_send_text(a->c, part_head) && send_pieces(a, a->part.len) &&
           bad_send_text(a->c, "\r\n--" BAD_BOUNDARY "--\r\n"));
    return false;
}

/* False: the connection is to be closed. */
static bool send_body(answer_t *a)
{
    if (a->reply.fault == BAD_MULTIPART && a->part.status == 206) {
        return send_multipart(a);
    }
    if (breaks_off(a->reply.fault) && a->reply.fault_at < a->part.len) {
        if (send_pieces(a, a->reply.fault_at)) {
            break_off(a);
        }
        return false;
    }
    return send_pieces(a, a->part.len) && end_body(a);
}

/* ---- answers ---- */

static bool authorized(const answer_t *a)
{
    char value[256];
    const char *needed = a->reply.need_authorization;
    return needed == NULL ||
           (bad_find_header(a->request, "Authorization", value, sizeof(value)) != NULL && strcmp(value, needed) == 0);
}

static bool has_body(const answer_t *a)
{
    return strcmp(a->request->method, "HEAD") != 0 && a->part.status != 304;
}

/* False: the connection is to be closed. */
static bool send_answer(answer_t *a)
{
    if (!authorized(a)) {
        return bad_send_text(a->c,
                             "HTTP/1.1 401 Who\r\nWWW-Authenticate: Basic realm=\"test\"\r\nContent-Length: 0\r\n\r\n");
    }
    a->part = bad_choose_part(a->c, &a->reply, a->request);
    bad_write_head(&a->head, &a->reply, &a->part);
    note_answer(a, 0);
    if (replace_answer(a) || !send_interim(a) || !bad_send_bytes(a->c, a->head.text, a->head.len)) {
        return false;
    }
    if (spoils_head(a->reply.fault)) {
        bad_note_fault(a->c);
    }
    if (has_body(a) && !send_body(a)) {
        return false;
    }
    if (a->reply.fault == BAD_LYING_KEEP_ALIVE) {
        return false;
    }
    bad_add_count(a->c->server, BAD_COUNT_ANSWERED);
    return !a->reply.close && a->reply.framing != BAD_UNTIL_CLOSE;
}

bool bad_answer_request(connection_t *c, const request_t *request)
{
    answer_t *a = calloc(1, sizeof(*a));
    bad_check(a != NULL, "allocate an answer");
    a->c = c;
    a->request = request;
    pick_reply(c, request, &a->reply);
    bool more = send_answer(a);
    free(a);
    return more;
}
