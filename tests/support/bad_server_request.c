/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "tests/support/bad_server_internal.h"

const char *bad_find_header(const request_t *request, const char *name, char *value, size_t size)
{
    size_t name_len = strlen(name);
    const char *line = strstr(request->text, "\r\n");
    while (line != NULL && line[2] != '\r') {
        line += 2;
        if (strncasecmp(line, name, name_len) == 0 && line[name_len] == ':') {
            line += name_len + 1;
            line += strspn(line, " ");
            snprintf(value, size, "%.*s", (int)strcspn(line, "\r"), line);
            return value;
        }
        line = strstr(line, "\r\n");
    }
    return NULL;
}

static size_t wanted_len(const request_t *request)
{
    const char *end = strstr(request->text, "\r\n\r\n");
    if (end == NULL) {
        return SIZE_MAX;
    }
    char value[32];
    const char *length = bad_find_header(request, "Content-Length", value, sizeof(value));
    return (size_t)(end - request->text) + 4 + (length == NULL ? 0 : (size_t)strtoul(length, NULL, 10));
}

static void keep_request(bad_server_t *server, request_t *request)
{
    pthread_mutex_lock(&server->lock);
    request->index = server->counts[BAD_COUNT_REQUESTS]++;
    unsigned place = request->index % BAD_MAX_REQUESTS;
    free(server->requests[place]);
    server->requests[place] = strdup(request->text);
    server->answers[place] = (bad_answer_t){0};
    pthread_mutex_unlock(&server->lock);
}

bool bad_receive_request(connection_t *c, request_t *request)
{
    request->len = 0;
    request->text[0] = '\0';
    while (request->len < wanted_len(request)) {
        int got = bad_receive_bytes(c, request->text + request->len, sizeof(request->text) - 1 - request->len);
        if (got <= 0) {
            return false;
        }
        request->len += (size_t)got;
        request->text[request->len] = '\0';
    }
    if (sscanf(request->text, "%15s %4095s", request->method, request->path) != 2) {
        return false;
    }
    keep_request(c->server, request);
    return true;
}
