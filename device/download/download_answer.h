/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file download_answer.h
 * @brief Does a server's answer go on with the file that is being downloaded? Pure functions of what the server said.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define DOWNLOAD_ETAG_BYTES 128 /**< Longest strong ETag that is kept, terminator included; a longer one is as none. */
#define DOWNLOAD_DATE_BYTES 64  /**< The same for a Last-Modified. */

/** What is known of a file. */
typedef struct download_file {
    int64_t total;                      /**< Its bytes; -1: not announced. */
    char etag[DOWNLOAD_ETAG_BYTES];     /**< Strong validator, quotes included; empty: none. */
    char modified[DOWNLOAD_DATE_BYTES]; /**< Last-Modified, where that is a strong validator; empty: none. */
    bool unconfirmed; /**< Known from before a restart: an answer that goes on has to name the ETag. */
} download_file_t;

/** What a request asks for. */
typedef struct download_range {
    bool asked;   /**< A range; false: the whole file. */
    int64_t from; /**< First byte; 0 unless asked. */
    int64_t to;   /**< Last byte, included; -1: to the end of the file. */
} download_range_t;

/** A response's head. NULL: there was no such header. */
typedef struct download_answer {
    int status;
    int64_t content_length; /**< -1: not announced. */
    const char *content_range;
    const char *etag;
    const char *last_modified;
    const char *date;
    int64_t wall_us; /**< The time now, for dates with two digits of a year. */
} download_answer_t;

/** What an answer means. */
typedef enum download_meaning {
    DOWNLOAD_GOES_ON,  /**< The body is what was asked for. */
    DOWNLOAD_WHOLE,    /**< The body is a whole file from its start. */
    DOWNLOAD_COMPLETE, /**< There is no body, for there is no more of the file. */
    DOWNLOAD_MISFIT,   /**< Another file, or another part of it. */
} download_meaning_t;

/** A verdict on an answer. */
typedef struct download_verdict {
    download_meaning_t meaning;
    int64_t body_end; /**< Offset in the file at which the body ends; -1: at its certain end. */
    const char *why;  /**< For the log, with DOWNLOAD_MISFIT. */
} download_verdict_t;

/** Judges an answer with a status of success, or 416, to a request for @p range of @p file. */
download_verdict_t download_judge(const download_file_t *file, const download_range_t *range,
                                  const download_answer_t *answer);

/** Fills @p file with what an answer says of the whole file: validators, and its size if the answer tells. */
void download_learn(download_file_t *file, const download_answer_t *answer);

/** What If-Range is to say so that a range is given only of this very file; NULL: nothing identifies it. */
const char *download_validator(const download_file_t *file);
