/* SPDX-License-Identifier: Apache-2.0 */
/* A file of this machine, as if a server had it. Not by curl, which reads a file to its end whoever waits. */
#define _GNU_SOURCE
#include "port/http_curl/http_curl.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "esp_http_client.h"
#include "otter/otter_os.h"
#include "port/http_curl/file_answer.h"

/* The path in a URL, decoded; to be given to curl_free(). NULL: it names nothing on this machine. */
static char *take_path(const char *url)
{
    const char *path = url + strlen("file://");
    if (strncasecmp(path, "localhost/", 10) == 0) {
        path += strlen("localhost");
    }
    if (path[0] != '/') {
        return NULL;
    }
    int len = 0;
    char *decoded = curl_easy_unescape(NULL, path, (int)strcspn(path, "?#"), &len);
    if (decoded != NULL && strlen(decoded) != (size_t)len) {
        curl_free(decoded);
        return NULL;
    }
    return decoded;
}

static bool is_same(const struct stat *a, const struct stat *b)
{
    return a->st_size == b->st_size && a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
           a->st_mtim.tv_nsec == b->st_mtim.tv_nsec && a->st_ctim.tv_sec == b->st_ctim.tv_sec &&
           a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

static int status_of_errno(int error)
{
    return error == ENOENT || error == ENOTDIR || error == ELOOP || error == ENAMETOOLONG ? 404 : 403;
}

/* Opens a regular file and nothing else: not waiting for a FIFO's other end, nor touching a device. Value: a status. */
static int open_regular(otter_http_t *http, const char *path)
{
    struct stat before;
    if (stat(path, &before) != 0) {
        return status_of_errno(errno);
    }
    if (!S_ISREG(before.st_mode)) {
        return 403;
    }
    http->file = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (http->file < 0) {
        return status_of_errno(errno);
    }
    /* It may have been replaced in between. */
    return fstat(http->file, &http->file_stat) == 0 && S_ISREG(http->file_stat.st_mode) ? 200 : 403;
}

/* Whoever changes a file also changes its times, in nanoseconds: strong. */
static void describe(const struct stat *stat, file_facts_t *facts)
{
    facts->size_bytes = stat->st_size;
    facts->ranges = true;
    file_answer_date((time_t)(otter_wall_us() / 1000000), facts->date);
    file_answer_date(stat->st_mtim.tv_sec, facts->last_modified);
    snprintf(facts->etag, sizeof(facts->etag), "\"%jx-%jx-%jx.%lx-%jx.%lx\"", (uintmax_t)stat->st_ino,
             (uintmax_t)stat->st_size, (uintmax_t)stat->st_mtim.tv_sec, (unsigned long)stat->st_mtim.tv_nsec,
             (uintmax_t)stat->st_ctim.tv_sec, (unsigned long)stat->st_ctim.tv_nsec);
}

esp_err_t http_curl_file_open(otter_http_t *http, const otter_http_request_t *request, int64_t deadline_us,
                              otter_http_response_t *response)
{
    file_facts_t facts = {.size_bytes = -1};
    (void)deadline_us;
    char *path = take_path(request->url);
    if (path == NULL) {
        http_curl_set_error(http, "malformed URL");
        return ESP_ERR_HTTP_CONNECT;
    }
    int status = open_regular(http, path);
    curl_free(path);
    file_answer_t answer = file_answer_status(status);
    if (status == 200) {
        describe(&http->file_stat, &facts);
        answer = file_answer_decide(request, &facts);
    }
    http->file_off = answer.first_off;
    http->file_left = answer.body_bytes;
    *response = file_answer_tell(&answer, request, &facts, http->head.on_header, http->head.arg);
    return ESP_OK;
}

esp_err_t http_curl_file_read(otter_http_t *http, void *dst, size_t len, size_t *got, int64_t deadline_us)
{
    struct stat now;
    (void)deadline_us;
    if (http->file_left == 0) {
        return ESP_OK;
    }
    size_t wanted = (uint64_t)http->file_left < len ? (size_t)http->file_left : len;
    ssize_t count = pread(http->file, dst, wanted, http->file_off);
    if (count < 0 && errno != EINTR) {
        http_curl_set_error(http, "cannot be read: %s", strerror(errno));
        return ESP_FAIL;
    }
    if (count <= 0 || fstat(http->file, &now) != 0 || !is_same(&http->file_stat, &now)) {
        http_curl_set_error(http, "the file changed while it was read");
        return ESP_ERR_HTTP_INCOMPLETE_DATA;
    }
    *got = (size_t)count;
    http->file_off += count;
    http->file_left -= count;
    return ESP_OK;
}

void http_curl_file_close(otter_http_t *http)
{
    if (http->file >= 0) {
        close(http->file);
        http->file = -1;
    }
}
