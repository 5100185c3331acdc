/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file request.h
 * @brief One request from its first line to its line in the log. Internal to the HTTP server.
 *
 * The functions are libmicrohttpd's callbacks, in the order in which it calls them; @p cls is the server. Those of one
 * request come from one thread.
 */
#pragma once

#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>

#include "server/http/server.h"

/** A running server, as its requests see it. */
struct http_server {
    struct http_config config;
    struct MHD_Daemon *daemon;
    pthread_mutex_t lock;
    pthread_cond_t idle;     /**< Signalled when no request runs. */
    unsigned running;        /**< Requests being answered; under the lock. */
    atomic_bool stopping;    /**< Answers end their connections. */
    atomic_bool log_failing; /**< A lost log line was reported already. */
};

/** The request line has arrived: begins a request. @return it, NULL if there is no memory for it */
void *request_begin(void *cls, const char *target, struct MHD_Connection *connection);

/** Headers, then pieces of a body, then the end of it have arrived: answers. */
enum MHD_Result request_handle(void *cls, struct MHD_Connection *connection, const char *url, const char *method,
                               const char *version, const char *upload_data, size_t *upload_data_size, void **handle);

/** The answer has gone out, or never will: logs and frees the request. */
void request_end(void *cls, struct MHD_Connection *connection, void **handle, enum MHD_RequestTerminationCode how);
