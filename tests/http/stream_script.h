/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file stream_script.h
 * @brief A byte stream (otter/otter_stream.h) that plays a script, for tests of port/http1 without a network.
 *
 * Link otter_http1_client and stream_script.c. Each connection that is opened takes the next one of the script. One
 * thread; nothing waits: a stream that stalls answers ESP_ERR_TIMEOUT at once.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "otter/otter_stream.h"

#define STREAM_SCRIPT_ANSWERS 4 /**< Most answers of a connection. */

/** What comes when a connection has nothing more to say. */
typedef enum stream_end {
    STREAM_ENDS = 0, /**< The end, in good order. */
    STREAM_BREAKS,   /**< ESP_FAIL. */
    STREAM_STALLS,   /**< ESP_ERR_TIMEOUT. */
} stream_end_t;

/** Bytes that are sent when a request has come. */
typedef struct stream_answer {
    const char *bytes;
    size_t len; /**< 0: bytes is a string; NULL: nothing. */
} stream_answer_t;

/** One connection. */
typedef struct stream_connection {
    esp_err_t open_err;                             /**< Other than ESP_OK: no connection. */
    esp_err_t write_err;                            /**< Other than ESP_OK: what a write answers ... */
    unsigned write_err_from;                        /**< ... from this request on; 0 is the first. */
    stream_answer_t answers[STREAM_SCRIPT_ANSWERS]; /**< To its requests, in order. */
    size_t piece;                                   /**< Most bytes of one read; 0: as many as asked for. */
    stream_end_t end;                               /**< After the last answer that is there. */
    bool looks_dead;                                /**< otter_stream_is_idle() says so. */
} stream_connection_t;

/** What was done to the stream. */
typedef struct stream_seen {
    unsigned opens;  /**< Connections asked for. */
    unsigned closes; /**< Connections closed. */
    char host[OTTER_STREAM_HOST_BYTES];
    uint16_t port;
    bool tls;
    unsigned writes;
    char sent[65536]; /**< All bytes written, a string. */
    size_t sent_len;
    otter_stream_config_t config;
} stream_seen_t;

/** Begins a script. @p connections stay the caller's. */
void stream_script(const stream_connection_t *connections, size_t count);

/** What was done since. */
const stream_seen_t *stream_seen(void);
