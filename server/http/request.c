/* SPDX-License-Identifier: Apache-2.0 */
#include "server/http/request.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>

#include "core/util/date.h"
#include "server/http/conditional.h"
#include "server/http/multipart.h"
#include "server/http/path.h"

enum {
    TARGET_KEPT_MAX = 4096, /* More does not fit into a log line. */
    READ_BLOCK = 32 * 1024, /* Two TLS records. Each running transfer holds one. */
};

#define FILE_TYPE "application/octet-stream"

struct request {
    struct http_server *server;
    struct timespec began; /**< Monotonic. */
    time_t began_s;        /**< Wall clock. */
    char *target;
    char method[16];
    char version[16];
    bool is_running; /**< Counted in the server. */
    bool has_body;   /**< The answer's body goes out: not for HEAD. */
    unsigned status; /**< 0 while there is no answer. */
    uint64_t sent_bytes;
    uint64_t length_bytes;      /**< Of the body, whether it goes out or not. */
    struct multipart multipart; /**< What is sent of the file; a body of several parts if there are several. */
    struct http_file file;
    bool is_open; /**< The file is. */
};

static void count_running(struct http_server *server, bool more)
{
    pthread_mutex_lock(&server->lock);
    server->running += more ? 1U : -1U;
    if (server->running == 0) {
        pthread_cond_broadcast(&server->idle);
    }
    pthread_mutex_unlock(&server->lock);
}

void *request_begin(void *cls, const char *target, struct MHD_Connection *connection)
{
    (void)connection;
    struct request *request = calloc(1, sizeof(*request));
    if (request == NULL) {
        return NULL;
    }
    request->server = cls;
    request->target = strndup(target, TARGET_KEPT_MAX);
    clock_gettime(CLOCK_MONOTONIC, &request->began);
    request->began_s = time(NULL);
    return request;
}

static ssize_t read_file(struct request *request, uint64_t off, uint64_t left, char *buffer, size_t size)
{
    size_t wanted = left < size ? (size_t)left : size;
    ssize_t got = request->server->config.files.read(request->file.handle, off, buffer, wanted);
    return got > 0 ? got : MHD_CONTENT_READER_END_WITH_ERROR;
}

/** Piece of the body for the client; @p pos bytes of it have left already. */
static ssize_t read_body(void *cls, uint64_t pos, char *buffer, size_t size)
{
    struct request *request = cls;
    request->sent_bytes = pos;
    return read_file(request, request->multipart.parts.part[0].first_off + pos, request->length_bytes - pos, buffer,
                     size);
}

/** The same of a body of several parts. */
static ssize_t read_multipart(void *cls, uint64_t pos, char *buffer, size_t size)
{
    struct request *request = cls;
    struct multipart_piece piece;
    request->sent_bytes = pos;
    multipart_find(&request->multipart, pos, &piece);
    if (!piece.is_text) {
        return read_file(request, piece.off, piece.len, buffer, size);
    }
    size_t count = piece.len < size ? (size_t)piece.len : size;
    memcpy(buffer, piece.text + piece.off, count);
    return (ssize_t)count;
}

static const char *get_header(struct MHD_Connection *connection, const char *name)
{
    return MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);
}

static bool add_header(struct MHD_Response *response, const char *name, const char *value)
{
    return MHD_add_response_header(response, name, value) == MHD_YES;
}

/** Hands the answer over. Takes the response, which may be NULL. */
static enum MHD_Result queue(struct request *request, struct MHD_Connection *connection, unsigned status,
                             struct MHD_Response *response)
{
    if (response == NULL) {
        return MHD_NO;
    }
    enum MHD_Result queued = MHD_NO;
    if (!atomic_load(&request->server->stopping) || add_header(response, MHD_HTTP_HEADER_CONNECTION, "close")) {
        request->status = status;
        queued = MHD_queue_response(connection, status, response);
    }
    MHD_destroy_response(response);
    return queued;
}

static struct MHD_Response *make_text(struct request *request, const char *text)
{
    request->length_bytes = strlen(text);
    /* The library copies it, so that the cast harms nothing. */
    struct MHD_Response *response =
        MHD_create_response_from_buffer(strlen(text), (void *)(uintptr_t)text, MHD_RESPMEM_MUST_COPY);
    if (response != NULL && *text != '\0' && !add_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, "text/plain")) {
        MHD_destroy_response(response);
        return NULL;
    }
    return response;
}

/** An answer without a file: a status, what it means, and one header more or none. */
static enum MHD_Result refuse(struct request *request, struct MHD_Connection *connection, unsigned status,
                              const char *header, const char *value)
{
    char text[64];
    snprintf(text, sizeof(text), "%u %s\n", status, MHD_get_reason_phrase_for(status));
    struct MHD_Response *response = make_text(request, text);
    if (response != NULL && header != NULL && !add_header(response, header, value)) {
        MHD_destroy_response(response);
        response = NULL;
    }
    return queue(request, connection, status, response);
}

/** The headers that 200, 206, 304 and HEAD have in common. */
static bool describe_file(struct MHD_Response *response, const struct http_file *file, time_t now_s)
{
    char modified[DATE_SIZE];
    /* A date in the future is not one that a client could ask with. */
    date_format(file->modified_s < now_s ? file->modified_s : now_s, modified);
    return add_header(response, MHD_HTTP_HEADER_ETAG, file->etag) &&
           add_header(response, MHD_HTTP_HEADER_LAST_MODIFIED, modified) &&
           add_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-cache") &&
           add_header(response, MHD_HTTP_HEADER_ACCEPT_RANGES, "bytes");
}

static bool describe_part(struct MHD_Response *response, const struct range *part, uint64_t size_bytes)
{
    char text[80];
    snprintf(text, sizeof(text), "bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64, part->first_off,
             part->first_off + part->len - 1, size_bytes);
    return add_header(response, MHD_HTTP_HEADER_CONTENT_RANGE, text) &&
           add_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, FILE_TYPE);
}

/** A word that nobody can have put into a file. */
static bool make_boundary(char boundary[MULTIPART_BOUNDARY_SIZE])
{
    uint64_t random[2];
    if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random)) {
        return false;
    }
    snprintf(boundary, MULTIPART_BOUNDARY_SIZE, "%016" PRIx64 "%016" PRIx64, random[0], random[1]);
    return true;
}

static bool describe_parts(struct MHD_Response *response, const char *boundary)
{
    char text[80];
    snprintf(text, sizeof(text), "multipart/byteranges; boundary=%s", boundary);
    return add_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, text);
}

static bool describe_body(struct request *request, struct MHD_Response *response, unsigned status)
{
    const struct multipart *multipart = &request->multipart;
    if (status != MHD_HTTP_PARTIAL_CONTENT) {
        return add_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, FILE_TYPE);
    }
    return multipart->parts.count > 1 ? describe_parts(response, multipart->boundary)
                                      : describe_part(response, &multipart->parts.part[0], multipart->size_bytes);
}

static enum MHD_Result send_file(struct request *request, struct MHD_Connection *connection, unsigned status,
                                 const struct range_set *parts)
{
    struct multipart *multipart = &request->multipart;
    *multipart = (struct multipart){*parts, request->file.size_bytes, FILE_TYPE, ""};
    bool is_single = parts->count == 1;
    if (!is_single && !make_boundary(multipart->boundary)) {
        return MHD_NO;
    }
    request->length_bytes = is_single ? parts->part[0].len : multipart_length(multipart);
    struct MHD_Response *response = MHD_create_response_from_callback(
        request->length_bytes, READ_BLOCK, is_single ? read_body : read_multipart, request, NULL);
    if (response == NULL) {
        return MHD_NO;
    }
    if (!describe_file(response, &request->file, request->began_s) || !describe_body(request, response, status)) {
        MHD_destroy_response(response);
        return MHD_NO;
    }
    return queue(request, connection, status, response);
}

/** The length in a 304 is that of the file, or absent; the library sends no body with it. */
static enum MHD_Result send_not_modified(struct request *request, struct MHD_Connection *connection)
{
    struct MHD_Response *response =
        MHD_create_response_from_callback(request->file.size_bytes, READ_BLOCK, read_body, request, NULL);
    if (response != NULL && !describe_file(response, &request->file, request->began_s)) {
        MHD_destroy_response(response);
        return MHD_NO;
    }
    return queue(request, connection, MHD_HTTP_NOT_MODIFIED, response);
}

static enum MHD_Result refuse_range(struct request *request, struct MHD_Connection *connection)
{
    char text[48];
    snprintf(text, sizeof(text), "bytes */%" PRIu64, request->file.size_bytes);
    return refuse(request, connection, MHD_HTTP_RANGE_NOT_SATISFIABLE, MHD_HTTP_HEADER_CONTENT_RANGE, text);
}

static enum MHD_Result answer_with_file(struct request *request, struct MHD_Connection *connection)
{
    const struct conditional_headers headers = {
        .if_match = get_header(connection, MHD_HTTP_HEADER_IF_MATCH),
        .if_none_match = get_header(connection, MHD_HTTP_HEADER_IF_NONE_MATCH),
        .if_modified_since = get_header(connection, MHD_HTTP_HEADER_IF_MODIFIED_SINCE),
        .if_unmodified_since = get_header(connection, MHD_HTTP_HEADER_IF_UNMODIFIED_SINCE),
        .if_range = get_header(connection, MHD_HTTP_HEADER_IF_RANGE),
        .range = get_header(connection, MHD_HTTP_HEADER_RANGE),
    };
    const struct conditional_file file = {
        .size_bytes = request->file.size_bytes,
        .modified_s = request->file.modified_s,
        .etag = request->file.etag,
    };
    struct conditional_answer answer = conditional_decide(&headers, &file, request->has_body, request->began_s);
    switch (answer.status) {
    case MHD_HTTP_OK:
    case MHD_HTTP_PARTIAL_CONTENT:
        return send_file(request, connection, answer.status, &answer.parts);
    case MHD_HTTP_NOT_MODIFIED:
        return send_not_modified(request, connection);
    case MHD_HTTP_RANGE_NOT_SATISFIABLE:
        return refuse_range(request, connection);
    default:
        return refuse(request, connection, answer.status, NULL, NULL);
    }
}

static enum MHD_Result answer(struct request *request, struct MHD_Connection *connection, const char *url)
{
    const struct http_files *files = &request->server->config.files;
    char name[PATH_MAX];
    switch (path_decode(url, strlen(url), name, sizeof(name))) {
    case PATH_MALFORMED:
        return refuse(request, connection, MHD_HTTP_BAD_REQUEST, NULL, NULL);
    case PATH_NO_FILE:
        return refuse(request, connection, MHD_HTTP_NOT_FOUND, NULL, NULL);
    case PATH_TOO_LONG:
        return refuse(request, connection, MHD_HTTP_URI_TOO_LONG, NULL, NULL);
    case PATH_OK:
        break;
    }
    switch (files->open(files->ctx, name, &request->file)) {
    case HTTP_FOUND:
        request->is_open = true;
        return answer_with_file(request, connection);
    case HTTP_BUSY:
        return refuse(request, connection, MHD_HTTP_SERVICE_UNAVAILABLE, MHD_HTTP_HEADER_RETRY_AFTER, "1");
    case HTTP_NOT_FOUND:
        break;
    }
    return refuse(request, connection, MHD_HTTP_NOT_FOUND, NULL, NULL);
}

static void note_line(struct request *request, const char *method, const char *version)
{
    snprintf(request->method, sizeof(request->method), "%.*s", (int)sizeof(request->method) - 1, method);
    snprintf(request->version, sizeof(request->version), "%.*s", (int)sizeof(request->version) - 1, version);
    request->has_body = strcmp(method, MHD_HTTP_METHOD_HEAD) != 0;
    request->is_running = true;
    count_running(request->server, true);
}

enum MHD_Result request_handle(void *cls, struct MHD_Connection *connection, const char *url, const char *method,
                               const char *version, const char *upload_data, size_t *upload_data_size, void **handle)
{
    (void)cls;
    (void)upload_data;
    struct request *request = *handle;
    if (request == NULL) {
        return MHD_NO;
    }
    if (!request->is_running) {
        note_line(request, method, version);
        bool is_known = strcmp(method, MHD_HTTP_METHOD_GET) == 0 || strcmp(method, MHD_HTTP_METHOD_HEAD) == 0;
        /* An answer given before the body was read ends the connection, so an upload is never waited for. */
        return is_known ? MHD_YES
                        : refuse(request, connection, MHD_HTTP_METHOD_NOT_ALLOWED, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
    }
    if (*upload_data_size > 0) {
        *upload_data_size = 0;
        return MHD_YES;
    }
    return answer(request, connection, url);
}

static const char *get_client(struct MHD_Connection *connection, char *text, size_t text_size)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    if (info == NULL || info->client_addr == NULL) {
        return NULL;
    }
    bool is_v6 = info->client_addr->sa_family == AF_INET6;
    socklen_t len = is_v6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
    bool known = getnameinfo(info->client_addr, len, text, (socklen_t)text_size, NULL, 0, NI_NUMERICHOST) == 0;
    return known ? text : NULL;
}

static uint64_t get_age_us(const struct timespec *since)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)((now.tv_sec - since->tv_sec) * 1000000 + (now.tv_nsec - since->tv_nsec) / 1000);
}

static void log_request(struct request *request, struct MHD_Connection *connection)
{
    struct http_server *server = request->server;
    char client[NI_MAXHOST];
    const struct accesslog_entry entry = {
        .client = get_client(connection, client, sizeof(client)),
        .method = request->method[0] != '\0' ? request->method : NULL,
        .target = request->target,
        .version = request->version[0] != '\0' ? request->version : NULL,
        .status = request->status,
        .time_s = request->began_s,
        .sent_bytes = request->sent_bytes,
        .length_bytes = request->has_body ? request->length_bytes : 0,
        .duration_us = get_age_us(&request->began),
    };
    if (accesslog_write(server->config.log, &entry)) {
        atomic_store(&server->log_failing, false);
    } else if (!atomic_exchange(&server->log_failing, true)) {
        char message[128];
        snprintf(message, sizeof(message), "access log: %s; lines are being lost", strerror(errno));
        server->config.report(message);
    }
}

void request_end(void *cls, struct MHD_Connection *connection, void **handle, enum MHD_RequestTerminationCode how)
{
    (void)cls;
    struct request *request = *handle;
    if (request == NULL) {
        return;
    }
    *handle = NULL;
    if (how == MHD_REQUEST_TERMINATED_COMPLETED_OK && request->has_body) {
        request->sent_bytes = request->length_bytes;
    }
    log_request(request, connection);
    if (request->is_open) {
        request->server->config.files.close(request->file.handle);
    }
    if (request->is_running) {
        count_running(request->server, false);
    }
    free(request->target);
    free(request);
}
