/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/servers/h2_server.h"

#include <arpa/inet.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/support/test.h"

enum { DATA = 0, HEADERS = 1, RST_STREAM = 3, SETTINGS = 4, PING = 6, GOAWAY = 7 };
enum { END_STREAM = 1, ACK = 1, END_HEADERS = 4, FRAME_MAX = 16384, HEAD_LEN = 9 };

struct h2_server {
    SSL_CTX *ctx;
    int listener;
    uint16_t port;
    pthread_t thread;
    const h2_reply_t *replies;
    size_t reply_count;
    atomic_uint connections;
    atomic_uint requests;
    atomic_int open_fd; /* Of the connection that is served; -1: none. */
};

uint8_t h2_byte(size_t off)
{
    return (uint8_t)((off * 2654435761u) >> 11);
}

/* ---- frames ---- */

static bool send_frame(SSL *ssl, uint8_t type, uint8_t flags, uint32_t stream, const void *payload, size_t len)
{
    uint8_t frame[HEAD_LEN + FRAME_MAX + 1] = {
        (uint8_t)(len >> 16),    (uint8_t)(len >> 8),     (uint8_t)len,           type,           flags,
        (uint8_t)(stream >> 24), (uint8_t)(stream >> 16), (uint8_t)(stream >> 8), (uint8_t)stream};
    if (len > 0) {
        memcpy(frame + HEAD_LEN, payload, len);
    }
    return SSL_write(ssl, frame, (int)(HEAD_LEN + len)) > 0;
}

static bool send_code(SSL *ssl, uint8_t type, uint32_t stream, uint32_t first, uint32_t code)
{
    const uint8_t both[8] = {(uint8_t)(first >> 24), (uint8_t)(first >> 16), (uint8_t)(first >> 8), (uint8_t)first,
                             (uint8_t)(code >> 24),  (uint8_t)(code >> 16),  (uint8_t)(code >> 8),  (uint8_t)code};
    return type == GOAWAY ? send_frame(ssl, GOAWAY, 0, 0, both, 8) : send_frame(ssl, type, 0, stream, both + 4, 4);
}

/* ":status: 200" from the static table, and Content-Length as a literal. */
static bool send_head(SSL *ssl, uint32_t stream, size_t announced)
{
    uint8_t block[40] = {0x88};
    size_t len = 1;
    if (announced > 0) {
        char digits[24];
        int count = snprintf(digits, sizeof(digits), "%zu", announced);
        block[len++] = 0x0f;
        block[len++] = 0x0d;
        block[len++] = (uint8_t)count;
        memcpy(block + len, digits, (size_t)count);
        len += (size_t)count;
    }
    return send_frame(ssl, HEADERS, END_HEADERS, stream, block, len);
}

static bool send_body(SSL *ssl, uint32_t stream, size_t from, size_t to)
{
    static uint8_t bytes[FRAME_MAX];
    while (from < to) {
        size_t len = to - from < FRAME_MAX ? to - from : FRAME_MAX;
        for (size_t i = 0; i < len; i++) {
            bytes[i] = h2_byte(from + i);
        }
        if (!send_frame(ssl, DATA, 0, stream, bytes, len)) {
            return false;
        }
        from += len;
    }
    return true;
}

/* ---- answers ---- */

static bool send_trailer(SSL *ssl, uint32_t stream)
{
    static const char block[] = "\x00\x01x\x01y";
    return send_frame(ssl, HEADERS, END_HEADERS | END_STREAM, stream, block, sizeof(block) - 1);
}

/* @return whether the connection goes on */
static bool end_answer(SSL *ssl, uint32_t stream, const h2_reply_t *reply)
{
    static const uint8_t too_much[FRAME_MAX + 1];
    switch (reply->end) {
    case H2_END_STREAM:
    case H2_GOAWAY_FINISH:
        return send_frame(ssl, DATA, END_STREAM, stream, NULL, 0);
    case H2_TRAILER:
        return send_trailer(ssl, stream);
    case H2_RST_STREAM:
    case H2_REFUSE:
        return send_code(ssl, RST_STREAM, stream, 0, reply->code);
    case H2_GOAWAY_CLOSE:
        return send_code(ssl, GOAWAY, 0, stream, reply->code) && false;
    case H2_GOAWAY_FIRST:
        return send_code(ssl, GOAWAY, 0, 0, reply->code) && false;
    case H2_GARBAGE:
        return send_frame(ssl, DATA, 0, stream, too_much, sizeof(too_much));
    case H2_STALL:
        return true;
    default:
        return false;
    }
}

static bool answer(SSL *ssl, uint32_t stream, const h2_reply_t *reply)
{
    size_t half = reply->body_len / 2;
    bool unanswered = reply->end == H2_REFUSE || reply->end == H2_GOAWAY_FIRST;
    if (unanswered) {
        return end_answer(ssl, stream, reply);
    }
    return send_head(ssl, stream, reply->announced) && send_body(ssl, stream, 0, half) &&
           (reply->end != H2_GOAWAY_FINISH || send_code(ssl, GOAWAY, 0, stream, 0)) &&
           send_body(ssl, stream, half, reply->body_len) && end_answer(ssl, stream, reply);
}

/* ---- connections ---- */

static bool receive(SSL *ssl, uint8_t *bytes, size_t len)
{
    for (size_t got = 0; got < len;) {
        int count = SSL_read(ssl, bytes + got, (int)(len - got));
        if (count <= 0) {
            return false;
        }
        got += (size_t)count;
    }
    return true;
}

static bool take_frame(h2_server_t *server, SSL *ssl)
{
    uint8_t head[HEAD_LEN];
    uint8_t payload[FRAME_MAX];
    if (!receive(ssl, head, sizeof(head))) {
        return false;
    }
    size_t len = (size_t)head[0] << 16 | (size_t)head[1] << 8 | head[2];
    uint32_t stream = (uint32_t)head[5] << 24 | (uint32_t)head[6] << 16 | (uint32_t)head[7] << 8 | head[8];
    if (len > sizeof(payload) || !receive(ssl, payload, len)) {
        return false;
    }
    if (head[3] == SETTINGS && head[4] == 0) {
        return send_frame(ssl, SETTINGS, ACK, 0, NULL, 0);
    }
    if (head[3] != HEADERS) {
        return true;
    }
    unsigned index = atomic_fetch_add(&server->requests, 1);
    return index < server->reply_count && answer(ssl, stream, &server->replies[index]);
}

static void serve(h2_server_t *server, SSL *ssl)
{
    uint8_t preface[24];
    if (SSL_accept(ssl) != 1 || !receive(ssl, preface, sizeof(preface)) || memcmp(preface, "PRI * HTTP/2.0", 14) != 0) {
        return;
    }
    atomic_fetch_add(&server->connections, 1);
    bool goes_on = send_frame(ssl, SETTINGS, 0, 0, NULL, 0);
    while (goes_on) {
        goes_on = take_frame(server, ssl);
    }
    SSL_shutdown(ssl);
}

static void *run(void *arg)
{
    h2_server_t *server = arg;
    for (;;) {
        int fd = accept(server->listener, NULL, NULL);
        if (fd < 0) {
            return NULL;
        }
        atomic_store(&server->open_fd, fd);
        SSL *ssl = SSL_new(server->ctx);
        SSL_set_fd(ssl, fd);
        serve(server, ssl);
        atomic_store(&server->open_fd, -1);
        SSL_free(ssl);
        /* Not a reset: what was sent is to arrive. */
        shutdown(fd, SHUT_WR);
        char rest[256];
        while (read(fd, rest, sizeof(rest)) > 0) {
        }
        close(fd);
    }
}

static int choose_h2(SSL *ssl, const unsigned char **out, unsigned char *out_len, const unsigned char *in,
                     unsigned in_len, void *arg)
{
    (void)ssl;
    (void)arg;
    static const unsigned char ours[] = "\x02h2";
    return SSL_select_next_proto((unsigned char **)(uintptr_t)out, out_len, ours, 3, in, in_len) ==
                   OPENSSL_NPN_NEGOTIATED
               ? SSL_TLSEXT_ERR_OK
               : SSL_TLSEXT_ERR_ALERT_FATAL;
}

static void use_certificate(SSL_CTX *ctx, const char *cert_pem, const char *key_pem)
{
    BIO *cert_bio = BIO_new_mem_buf(cert_pem, -1);
    BIO *key_bio = BIO_new_mem_buf(key_pem, -1);
    X509 *cert = PEM_read_bio_X509(cert_bio, NULL, NULL, NULL);
    EVP_PKEY *key = PEM_read_bio_PrivateKey(key_bio, NULL, NULL, NULL);
    assert_int_equal(SSL_CTX_use_certificate(ctx, cert), 1);
    assert_int_equal(SSL_CTX_use_PrivateKey(ctx, key), 1);
    X509_free(cert);
    EVP_PKEY_free(key);
    BIO_free(cert_bio);
    BIO_free(key_bio);
}

static void open_listener(h2_server_t *server)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(address);
    server->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(server->listener, (struct sockaddr *)&address, len), 0);
    assert_int_equal(listen(server->listener, 8), 0);
    assert_int_equal(getsockname(server->listener, (struct sockaddr *)&address, &len), 0);
    server->port = ntohs(address.sin_port);
}

h2_server_t *h2_server_start(const char *cert_pem, const char *key_pem, const h2_reply_t *replies, size_t count)
{
    h2_server_t *server = calloc(1, sizeof(*server));
    assert_non_null(server);
    server->replies = replies;
    server->reply_count = count;
    atomic_store(&server->open_fd, -1);
    server->ctx = SSL_CTX_new(TLS_server_method());
    use_certificate(server->ctx, cert_pem, key_pem);
    SSL_CTX_set_alpn_select_cb(server->ctx, choose_h2, NULL);
    open_listener(server);
    assert_int_equal(pthread_create(&server->thread, NULL, run, server), 0);
    return server;
}

uint16_t h2_server_port(const h2_server_t *server)
{
    return server->port;
}

unsigned h2_server_connections(const h2_server_t *server)
{
    return atomic_load(&server->connections);
}

unsigned h2_server_requests(const h2_server_t *server)
{
    return atomic_load(&server->requests);
}

void h2_server_stop(h2_server_t *server)
{
    shutdown(server->listener, SHUT_RDWR);
    int fd = atomic_load(&server->open_fd);
    if (fd >= 0) {
        shutdown(fd, SHUT_RDWR);
    }
    pthread_join(server->thread, NULL);
    close(server->listener);
    SSL_CTX_free(server->ctx);
    free(server);
}
