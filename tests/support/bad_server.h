/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file bad_server.h
 * @brief An HTTP(S) server on 127.0.0.1 that misbehaves as told, and counts that it did.
 *
 * It runs in threads of the test program. A test gives it replies; each request takes the first reply whose
 * path fits and that is not used up; without one the answer is 404. A fault test asserts
 * bad_server_count(server, BAD_COUNT_FAULTS): the number of times that a fault really happened.
 * Link with the target otter_bad_server.
 *
 *     static const bad_reply_t replies[] = {
 *         {.path = "/fw.bin", .body = image, .body_len = sizeof(image), .fault = BAD_TRUNCATE, .fault_at = 5000, .times = 1},
 *         {.path = "/fw.bin", .body = image, .body_len = sizeof(image), .ranges = true},
 *     };
 *     bad_server_t *server = bad_server_start(&(bad_server_config_t){
 *         .cert_pem = leaf.cert_pem, .key_pem = leaf.key_pem, .replies = replies, .reply_count = 2});
 *     bad_server_url(server, "/fw.bin", url, sizeof(url));
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** How the end of a body is told. */
typedef enum bad_framing {
    BAD_LENGTH = 0,  /**< Content-Length. */
    BAD_CHUNKED,     /**< Transfer-Encoding: chunked. */
    BAD_UNTIL_CLOSE, /**< The connection closes. */
} bad_framing_t;

/** What goes wrong. Those of a body count its bytes from the first that is sent for this request. */
typedef enum bad_fault {
    BAD_NONE = 0,
    BAD_CONTENT,           /**< What the reply says is the fault itself: status, headers or body. */
    BAD_CLOSE_BEFORE_HEAD, /**< Closes instead of answering. */
    BAD_CUT_IN_HEAD,       /**< Sends fault_at bytes of the head, then closes. */
    BAD_STALL_BEFORE_HEAD, /**< Says nothing, keeps the connection. */
    BAD_STALL_IN_HEAD,     /**< Stops after the first half of the head. */
    BAD_STALL_IN_BODY,     /**< Stops after fault_at bytes of body. */
    BAD_STALL_AFTER_BODY,  /**< Sends the whole body and then nothing: no last chunk, no close. */
    BAD_TRUNCATE,          /**< Closes in good order after fault_at bytes of body. */
    BAD_CUT,               /**< Like BAD_TRUNCATE, without TLS's farewell. */
    BAD_RESET,             /**< TCP reset after fault_at bytes of body. */
    BAD_HALF_CLOSE,        /**< After fault_at bytes of body closes its sending half, and goes on listening. */
    BAD_DOWN,              /**< TCP reset after fault_at bytes of body; connections are refused for pause_ms. */
    BAD_ALERT,             /**< A fatal TLS alert after fault_at bytes of body. */
    BAD_TLS_GARBAGE,       /**< After fault_at bytes of body something that is not TLS. */
    BAD_NO_LAST_CHUNK,     /**< Chunked: the whole body, then closes without the last chunk. */
    BAD_CHUNK_LINE,        /**< Chunked: after fault_at bytes of body, text stands where a chunk's size belongs. */
    BAD_CHUNK_END,         /**< Chunked: text stands where the CR LF behind the first chunk belongs. */
    BAD_GARBAGE,           /**< Sends the body bytes bare, instead of HTTP, and closes. */
    BAD_HUGE_HEAD,         /**< Sends fault_at bytes of headers. */
    BAD_MANY_HEADERS,      /**< Sends fault_at headers before the others. */
    BAD_INTERIM_FLOOD,     /**< Sends fault_at interim responses before the answer. */
    BAD_STATUS_LINE,       /**< text is the status line, without its CR LF. */
    BAD_LENGTH_TEXT,       /**< text is the Content-Length. */
    BAD_TWO_LENGTHS,       /**< Two Content-Length headers that differ. */
    BAD_SHORT_BODY,        /**< Announces fault_at bytes more than there are, and closes after the body. */
    BAD_LONG_BODY,         /**< Sends fault_at bytes more than announced. */
    BAD_TRICKLE,           /**< Sends the body fault_at bytes at a time, trickle_ms apart. */
    BAD_IGNORE_RANGE,      /**< Answers 200 and the whole body to a request with Range. */
    BAD_IGNORE_IF_RANGE,   /**< Answers 206 although If-Range names another version. */
    BAD_WRONG_RANGE,       /**< Answers a Range with 206 and bytes that start fault_at later than asked, and says so. */
    BAD_OTHER_BYTES,       /**< Answers a Range with 206 and the body's first bytes instead, and does not say so. */
    BAD_RANGE_TEXT,        /**< A 206 has text as its Content-Range; NULL: none. */
    BAD_UNASKED_RANGE,     /**< Answers 206 to a request without Range. */
    BAD_MULTIPART,         /**< Answers a Range with a multipart/byteranges of one part. */
    BAD_LYING_KEEP_ALIVE,  /**< Announces keep-alive, then closes after the answer. */
    BAD_FAULTS,            /**< Number of them. */
} bad_fault_t;

/** One reply. All zero answers 200 with no body, always. */
typedef struct bad_reply {
    const char *path;    /**< Path and query it is for; NULL: every one. */
    const char *method;  /**< Method it is for; NULL: every one. */
    unsigned times;      /**< Used so often; 0: without end. */
    unsigned until;      /**< Used until its fault happened so often; 0: without end. */
    int status;          /**< 0: 200, or 206 for a range. */
    const char *headers; /**< More header lines, each with its CR LF; NULL: none. */
    size_t headers_len;  /**< Bytes of headers; 0: it ends with a NUL. */
    const char *etag;    /**< ETag, quotes included. A Range whose If-Range is another gets the whole; NULL: none. */
    const char *last_modified; /**< Last-Modified, likewise; NULL: none. */
    const char *interim;       /**< Whole interim response sent first, e.g. "HTTP/1.1 103 Early Hints\r\n\r\n"; NULL. */
    const char *trailer;       /**< Chunked: trailer lines, each with its CR LF; NULL: none. */
    const void *body;          /**< Body; outlives the server. */
    size_t body_len;           /**< Its bytes. */
    bad_framing_t framing;     /**< How its end is told. */
    bool ranges;               /**< Answers a single "bytes=a-b" or "bytes=a-" with 206 (or 416). */
    bool close;                /**< Says "Connection: close" and does. */
    const char *need_authorization; /**< Without exactly this Authorization value: 401, asking for Basic; NULL: none. */
    bad_fault_t fault;              /**< What goes wrong. */
    size_t fault_at;                /**< See bad_fault_t. */
    const char *text;               /**< See bad_fault_t. */
    unsigned trickle_ms;            /**< See BAD_TRICKLE. */
    unsigned pause_ms;              /**< See BAD_DOWN. */
} bad_reply_t;

/** How a connection begins. */
typedef enum bad_greeting {
    BAD_GREET_WELL = 0, /**< As it should: the fault, if there is one, is the certificate. */
    BAD_GREET_CLOSE,    /**< Is closed as soon as it is there. */
    BAD_GREET_RESET,    /**< Is reset as soon as it is there. */
    BAD_GREET_SILENCE,  /**< Gets no answer to whatever is said. */
    BAD_GREET_SLOWLY,   /**< The TLS handshake begins delay_ms late. */
    BAD_GREET_PLAIN,    /**< Gets an HTTP answer without TLS. */
    BAD_GREET_ALERT,    /**< The TLS handshake is refused. */
    BAD_GREET_CUT,      /**< The TLS handshake breaks off after some bytes. */
    BAD_GREETINGS,      /**< Number of them. */
} bad_greeting_t;

/** What some connections are like; each that is used counts as a fault. */
typedef struct bad_connection {
    bad_greeting_t greeting; /**< How it begins. */
    unsigned times;          /**< So many connections; 0: all that follow. */
    unsigned delay_ms;       /**< See BAD_GREET_SLOWLY. */
    const char *cert_pem;    /**< Another certificate than the server's; NULL: the server's. */
    const char *key_pem;     /**< Its key. */
} bad_connection_t;

/** What a server is made with. */
typedef struct bad_server_config {
    const char *cert_pem;       /**< Certificate; NULL: plain HTTP. */
    const char *key_pem;        /**< Its key. */
    const char *client_ca_pem;  /**< Demands a client certificate of this CA; NULL: does not. */
    int tls_version;            /**< 12 or 13: only that one; 0: both. */
    const bad_reply_t *replies; /**< Copied; what they point to is not. */
    size_t reply_count;         /**< At most 32. */
} bad_server_config_t;

/** What is counted. */
typedef enum bad_count {
    BAD_COUNT_CONNECTIONS = 0, /**< TCP connections accepted. */
    BAD_COUNT_HANDSHAKES,      /**< TLS handshakes completed. */
    BAD_COUNT_RESUMED,         /**< Of these, resumed sessions. */
    BAD_COUNT_REFUSED,         /**< TLS handshakes that failed (the client refused us, or said nothing). */
    BAD_COUNT_REQUESTS,        /**< Requests received whole. */
    BAD_COUNT_FAULTS,          /**< Times that a fault really happened. */
    BAD_COUNT_CLOSED,          /**< Connections ended, by either side. */
    BAD_COUNT_ANSWERED,        /**< Answers sent to their last byte. */
    BAD_COUNT_MAX,
} bad_count_t;

/** What an answer was. */
typedef struct bad_answer {
    int status;   /**< Its status. */
    size_t first; /**< Offset in the body of the first byte sent. */
    size_t sent;  /**< Bytes of body handed to the network; not all need have arrived. */
} bad_answer_t;

typedef struct bad_server bad_server_t; /**< A running server. */

/** Starts a server on a free port of 127.0.0.1; ends the program with a message if it cannot. */
bad_server_t *bad_server_start(const bad_server_config_t *config);

/** Replaces the replies; for requests that arrive from now on. */
void bad_server_set_replies(bad_server_t *server, const bad_reply_t *replies, size_t count);

/**
 * Says what connections are like, from now on; the first that is not used up counts, and after the last all is well.
 *
 * @param connections  copied; what they point to is not
 * @param count        at most 8
 */
void bad_server_set_connections(bad_server_t *server, const bad_connection_t *connections, size_t count);

/**
 * Refuses connections for some time, as a server that restarts does; those that are open stay. Returns at once: the port is
 * closed by then, which counts as a fault.
 */
void bad_server_go_down(bad_server_t *server, unsigned pause_ms);

/** The port it listens on. */
uint16_t bad_server_port(const bad_server_t *server);

/** Writes "https://localhost:PORT" (or http://) and @p path into @p url; value: @p url. */
char *bad_server_url(const bad_server_t *server, const char *path, char *url, size_t size);

/** A counter's present value. */
unsigned bad_server_count(bad_server_t *server, bad_count_t what);

/** Waits up to 5 seconds until a counter is at least @p least (a client can know of a refusal before the server
 * does); value: the counter. */
unsigned bad_server_await(bad_server_t *server, bad_count_t what, unsigned least);

/**
 * Copies a request's head and body as received.
 *
 * @param index  0 is the first request
 * @return false if there was no such request (the last 64 are kept)
 */
bool bad_server_request(bad_server_t *server, unsigned index, char *text, size_t size);

/** What the answer to a request was. @param index  as for bad_server_request() @return false if there was none */
bool bad_server_answer(bad_server_t *server, unsigned index, bad_answer_t *answer);

/** Closes all connections, ends all threads, releases the server; NULL is left alone. */
void bad_server_stop(bad_server_t *server);
