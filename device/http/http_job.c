/* SPDX-License-Identifier: Apache-2.0 */
#include "device/http/http_job.h"

#include <stdlib.h>
#include <string.h>

#include "device/http/http_internal.h"
#include "esp_log.h"
#include "otter/otter_os.h"

/* A TLS handshake needs more than anything else a client does. */
#define STACK_BYTES 16384

struct http_job {
    otter_http_t *port;
    otter_http_request_t request;
    char *url;              /* Of the request. */
    http_headers_t headers; /* Of the request. */
    int64_t deadline_us;

    otter_mutex_t lock;
    otter_signal_t ended;
    bool has_ended; /* What follows is there, and the task will not touch the job again. */
    esp_err_t result;
    http_headers_t response_headers;
    otter_http_response_t response;
};

static void keep_header(void *arg, const char *name, const char *value)
{
    http_headers_t *headers = arg;
    if (http_headers_add(headers, name, value) != ESP_OK) {
        /* Not its name: a stranger's, and perhaps what is wrong. */
        ESP_LOGW(HTTP_TAG, "dropped a response header that is malformed, or for want of memory");
    }
}

esp_err_t http_run_request(otter_http_t *port, const otter_http_request_t *request, int64_t deadline_us,
                           http_headers_t *headers, otter_http_response_t *response)
{
    return otter_http_open(port, request, keep_header, headers, deadline_us, response);
}

static void run(void *arg)
{
    http_job_t *job = arg;
    esp_err_t result =
        http_run_request(job->port, &job->request, job->deadline_us, &job->response_headers, &job->response);
    otter_mutex_lock(&job->lock);
    job->result = result;
    job->has_ended = true;
    otter_signal_raise(&job->ended);
    otter_mutex_unlock(&job->lock);
}

static void drop(http_job_t *job)
{
    http_headers_clear(&job->headers);
    http_headers_clear(&job->response_headers);
    free(job->url);
    free(job);
}

static bool copy_request(http_job_t *job, const otter_http_request_t *request)
{
    for (size_t i = 0; i < request->header_count; i++) {
        if (http_headers_add(&job->headers, request->headers[i].name, request->headers[i].value) != ESP_OK) {
            return false;
        }
    }
    if (!http_replace_text(&job->url, request->url)) {
        return false;
    }
    job->request = *request;
    job->request.url = job->url;
    job->request.headers = job->headers.items;
    return true;
}

http_job_t *http_job_start(otter_http_t *port, const otter_http_request_t *request, int64_t deadline_us)
{
    http_job_t *job = calloc(1, sizeof(*job));
    if (job == NULL) {
        return NULL;
    }
    job->port = port;
    job->deadline_us = deadline_us;
    job->response = (otter_http_response_t){.status = -1, .content_length = -1};
    if (!copy_request(job, request) || otter_task_start(run, job, "http", STACK_BYTES, NULL) != ESP_OK) {
        drop(job);
        return NULL;
    }
    return job;
}

bool http_job_wait(http_job_t *job, int64_t deadline_us)
{
    otter_mutex_lock(&job->lock);
    while (!job->has_ended && otter_signal_wait(&job->ended, &job->lock, deadline_us)) {
    }
    bool has_ended = job->has_ended;
    otter_mutex_unlock(&job->lock);
    return has_ended;
}

esp_err_t http_job_finish(http_job_t *job, http_headers_t *headers, otter_http_response_t *response)
{
    (void)http_job_wait(job, OTTER_FOREVER);
    http_headers_clear(headers);
    *headers = job->response_headers;
    job->response_headers = (http_headers_t){0};
    *response = job->response;
    esp_err_t result = job->result;
    drop(job);
    return result;
}
