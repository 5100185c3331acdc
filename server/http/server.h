/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file server.h
 * @brief The HTTP server: GET and HEAD of files, over TLS or plain, by a pool of threads.
 *
 * Where the files come from is not known here; whoever starts the server passes operations for it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "server/http/accesslog.h"

/** Room for an entity tag with its quotes and terminator. */
#define HTTP_ETAG_SIZE 96

/** How looking for a file ends. */
enum http_found {
    HTTP_FOUND,
    HTTP_NOT_FOUND, /**< Status 404. */
    HTTP_BUSY,      /**< Not now: status 503. */
};

/** An open file. */
struct http_file {
    uint64_t size_bytes;
    int64_t modified_s;        /**< Since 1970. */
    char etag[HTTP_ETAG_SIZE]; /**< Strong, with its quotes. */
    void *handle;              /**< The source's own. */
};

/** Where files come from. Called from many threads at once, one file by one thread at a time. */
struct http_files {
    void *ctx; /**< Passed to open(). */

    /**
     * Opens a file by its decoded name (see path.h for what a name can be).
     *
     * @param[out] file  filled in for HTTP_FOUND; then close() is called on its handle once
     */
    enum http_found (*open)(void *ctx, const char *name, struct http_file *file);

    /** Reads up to @p size bytes at an offset. @return bytes read; 0 or less ends the transfer as failed */
    ssize_t (*read)(void *handle, uint64_t off, void *buffer, size_t size);

    void (*close)(void *handle);
};

/** How to serve. Everything pointed to must outlive the server. */
struct http_config {
    int listen_fd;               /**< From listener_open(); closed when the server stops. */
    const char *cert_pem;        /**< The certificate with its chain; NULL for plain HTTP. */
    const char *key_pem;         /**< Its private key. */
    unsigned threads;            /**< 1 to 1024. */
    unsigned connections_max;    /**< All at once, at least one a thread; more wait to be accepted. */
    unsigned idle_timeout_s;     /**< A connection without progress for so long is closed; TLS handshakes included. */
    const struct accesslog *log; /**< One line a request goes there. */
    struct http_files files;

    /** Told about trouble that no client hears of, one line of text without newline; from any thread. */
    void (*report)(const char *message);
};

/** A running server. */
struct http_server;

/**
 * Starts to serve.
 *
 * TLS is 1.2 or newer.
 *
 * @return the server, to be stopped by http_server_stop(); NULL after the reason was reported. The socket is then
 *         still the caller's
 */
struct http_server *http_server_start(const struct http_config *config);

/**
 * Stops: accepts nothing new, lets running transfers finish, then breaks off those that have not.
 *
 * @param timeout_ms  how long transfers may take to finish
 * @return the number of transfers that were broken off
 */
unsigned http_server_stop(struct http_server *server, unsigned timeout_ms);
