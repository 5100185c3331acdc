/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file bad_server_internal.h
 * @brief Inside of the misbehaving server.
 *
 *     bad_server.c          its life: replies, counters, threads, connections
 *     bad_server_wire.c     bytes to and from a connection
 *     bad_server_tls.c      certificates, how a connection begins, what breaks TLS
 *     bad_server_request.c  requests
 *     bad_server_reply.c    which part of a body, and the head that announces it
 *     bad_server_answer.c   sending it, with what goes wrong
 */
#pragma once

#include <pthread.h>

#include <openssl/ssl.h>

#include "tests/support/bad_server.h"

#define BAD_MAX_REPLIES     32
#define BAD_MAX_GREETINGS   8
#define BAD_MAX_CONNECTIONS 2048
#define BAD_MAX_REQUESTS    64
#define BAD_MAX_REQUEST     8192
#define BAD_MAX_HEAD        16384
#define BAD_BOUNDARY        "bad-boundary"
#define BAD_PIECE           16384 /**< Bytes of body sent in one go. */

/** A connection, and the thread that serves it. */
typedef struct connection {
    bad_server_t *server;
    pthread_t thread;
    int fd;                  /**< -1: closed. */
    bad_connection_t manner; /**< What it is like. */
    SSL_CTX *tls;            /**< NULL: plain. */
    SSL *ssl;                /**< NULL: plain, or not yet. */
    bool rude;               /**< Goes without TLS's farewell. */
    unsigned *fired;         /**< Faults of the reply in use; NULL: none is. */
} connection_t;

/** What connections are like. */
typedef struct greeting {
    bad_connection_t manner;
    SSL_CTX *tls; /**< Owned; NULL: the server's. */
    unsigned used;
} greeting_t;

struct bad_server {
    bad_server_config_t config;
    SSL_CTX *tls; /**< NULL: plain. */
    int listener;
    uint16_t port;
    pthread_t acceptor;
    pthread_t opener; /**< Opens the port again. */
    bool has_opener;
    pthread_mutex_t lock; /**< Guards everything below. */
    bool stopping;
    bad_reply_t replies[BAD_MAX_REPLIES];
    unsigned used[BAD_MAX_REPLIES];
    unsigned fired[BAD_MAX_REPLIES];
    size_t reply_count;
    greeting_t greetings[BAD_MAX_GREETINGS];
    size_t greeting_count;
    unsigned counts[BAD_COUNT_MAX];
    char *requests[BAD_MAX_REQUESTS];
    bad_answer_t answers[BAD_MAX_REQUESTS];
    connection_t connections[BAD_MAX_CONNECTIONS];
    size_t connection_count;
};

/** A request as it was received, and what is read off it. */
typedef struct request {
    char text[BAD_MAX_REQUEST];
    size_t len;
    unsigned index; /**< Its number, from 0. */
    char method[16];
    char path[4096];
} request_t;

/** Which part of a reply's body is sent. */
typedef struct part {
    int status;
    const uint8_t *data;
    size_t len;
    size_t first; /**< Offset in the body that Content-Range names. */
} part_t;

/** The head of a response: may hold NULs. */
typedef struct head {
    char text[BAD_MAX_HEAD];
    size_t len;
} head_t;

/** Ends the program with a message unless @p ok. */
void bad_check(bool ok, const char *what);

/** Waits. */
void bad_sleep_ms(unsigned ms);

/** Counts something. */
void bad_add_count(bad_server_t *server, bad_count_t what);

/** Counts a fault of this connection. */
void bad_note_fault(connection_t *c);

/** Sends bytes; false: the connection is gone. */
bool bad_send_bytes(connection_t *c, const void *data, size_t len);

/** Sends text; false: the connection is gone. */
bool bad_send_text(connection_t *c, const char *text);

/** Receives at most @p len bytes; 0 or less: the connection is gone. */
int bad_receive_bytes(connection_t *c, void *data, size_t len);

/** Keeps the connection, says nothing, until the other side or the test ends it. */
void bad_stall(connection_t *c);

/** Makes closing the connection a TCP reset. Gives what was sent before time to arrive: a reset overtakes it. */
void bad_reset(connection_t *c);

/** Closes the sending half, without TLS's farewell. */
void bad_half_close(connection_t *c);

/** A TLS context; NULL for a server without a certificate. */
SSL_CTX *bad_make_tls(const bad_server_config_t *config);

/** Begins a connection as its manner says. True: requests may come. */
bool bad_greet(connection_t *c);

/** Sends a fatal TLS alert, the one for a record that cannot be decrypted. */
void bad_send_alert(connection_t *c);

/** Sends something that is no TLS record. */
void bad_send_tls_garbage(connection_t *c);

/** Waits for a whole request. False: the connection is gone. */
bool bad_receive_request(connection_t *c, request_t *request);

/** A header's value, copied to @p value; NULL: it has none. */
const char *bad_find_header(const request_t *request, const char *name, char *value, size_t size);

/** The part of the body that the request asks for, as far as the fault lets it. */
part_t bad_choose_part(connection_t *c, const bad_reply_t *reply, const request_t *request);

/** Writes the head of a response. */
void bad_write_head(head_t *head, const bad_reply_t *reply, const part_t *part);

/** Answers a request. False: the connection is to be closed. */
bool bad_answer_request(connection_t *c, const request_t *request);
