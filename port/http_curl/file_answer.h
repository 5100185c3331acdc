/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file file_answer.h
 * @brief What an HTTP server would answer when asked for a file: for transports that know no ranges and no status.
 *
 * Pure: no curl, no files in here.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "otter/otter_http.h"

#define FILE_ANSWER_DATE_BYTES 30 /**< Room for "Sun, 06 Nov 1994 08:49:37 GMT" and its end. */
#define FILE_ANSWER_TAG_BYTES  96 /**< Room for an entity tag with its quotes and its end. */

/** What is known of a file. */
typedef struct file_facts {
    int64_t size_bytes;                         /**< -1: not known. */
    bool ranges;                                /**< Parts of it can be sent. */
    char date[FILE_ANSWER_DATE_BYTES];          /**< The time now, as in HTTP; "": not known. */
    char last_modified[FILE_ANSWER_DATE_BYTES]; /**< Likewise; "": not known. */
    char etag[FILE_ANSWER_TAG_BYTES];           /**< Strong, with its quotes; "": none. */
} file_facts_t;

/** The answer. */
typedef struct file_answer {
    int status;         /**< 200, 206, 405 or 416; or what the transport puts here. */
    int64_t first_off;  /**< With 200 and 206: offset of the first byte to send. */
    int64_t body_bytes; /**< Bytes to send; -1: to the end, wherever that is. 0 for HEAD. */
} file_answer_t;

/** Writes a time as HTTP does; "" for one before 1970 or after the year 9999. */
void file_answer_date(time_t seconds, char text[FILE_ANSWER_DATE_BYTES]);

/**
 * Decides the answer by method, Range and If-Range. Other conditions are not looked at, as HTTP allows.
 *
 * A Range that is malformed, of another unit or of several parts is ignored; so is one under an If-Range that is
 * neither the tag nor the date, to the letter.
 */
file_answer_t file_answer_decide(const otter_http_request_t *request, const file_facts_t *facts);

/** An answer without a file: a status. */
file_answer_t file_answer_status(int status);

/**
 * Tells the headers of an answer.
 *
 * @param on_header  gets them; NULL: nobody
 * @return what otter_http_open() says of it
 */
otter_http_response_t file_answer_tell(const file_answer_t *answer, const otter_http_request_t *request,
                                       const file_facts_t *facts, otter_http_header_cb_t on_header, void *arg);

/** The value of a request's header; NULL: it has none. */
const char *file_answer_header(const otter_http_request_t *request, const char *name);
