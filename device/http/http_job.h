/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file http_job.h
 * @brief A request on its way: sent here and now, or by another task while this one does something else.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "device/http/http_headers.h"
#include "esp_err.h"
#include "otter/otter_http.h"

typedef struct http_job http_job_t; /**< A request that another task sends. */

/**
 * Sends a request and waits for the response's head: otter_http_open(), the headers kept.
 *
 * @param headers   gets the response's headers; one that is malformed, or finds no memory, is as if it was not there
 * @param response  see otter_http_open()
 * @return the codes of otter_http_open()
 */
esp_err_t http_run_request(otter_http_t *port, const otter_http_request_t *request, int64_t deadline_us,
                           http_headers_t *headers, otter_http_response_t *response);

/**
 * Has another task do that. Until http_job_finish() nobody else may use the port.
 *
 * @param request  copied, but for the body, which has to last until http_job_finish()
 * @return the job; NULL if memory is short or no task can be started
 */
http_job_t *http_job_start(otter_http_t *port, const otter_http_request_t *request, int64_t deadline_us);

/** Waits until the request was sent and its head is there, or until @p deadline_us; says whether it is. */
bool http_job_wait(http_job_t *job, int64_t deadline_us);

/** Waits for the end, and releases the job; the rest as http_run_request(). */
esp_err_t http_job_finish(http_job_t *job, http_headers_t *headers, otter_http_response_t *response);
