/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "tests/support/bad_server.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#define MAX_REPLIES     32
#define MAX_CONNECTIONS 256
#define MAX_REQUESTS    64
#define MAX_REQUEST     8192
#define MAX_HEAD        4096
#define PIECE           16384

typedef struct connection {
    bad_server_t *server;
    pthread_t thread;
    int fd;
    SSL *ssl;  /* NULL: plain */
    bool rude; /* goes without TLS's farewell */
} connection_t;

struct bad_server {
    SSL_CTX *tls; /* NULL: plain */
    int listener;
    uint16_t port;
    pthread_t acceptor;
    pthread_mutex_t lock; /* guards everything below */
    bool stopping;
    bad_reply_t replies[MAX_REPLIES];
    unsigned used[MAX_REPLIES];
    size_t reply_count;
    unsigned counts[BAD_COUNT_MAX];
    char *requests[MAX_REQUESTS];
    connection_t connections[MAX_CONNECTIONS];
    size_t connection_count;
};

/* A request as it was received, and what is read off it. */
typedef struct request {
    char text[MAX_REQUEST];
    size_t len;
    char method[16];
    char path[1024];
} request_t;

/* Which part of a reply's body is sent. */
typedef struct part {
    int status;
    const uint8_t *data;
    size_t len;
    size_t first; /* offset in the body that Content-Range names */
} part_t;

static void check(bool ok, const char *what)
{
    if (!ok) {
        fprintf(stderr, "bad_server: cannot %s\n", what);
        ERR_print_errors_fp(stderr);
        abort();
    }
}

static void add_count(bad_server_t *server, bad_count_t what)
{
    pthread_mutex_lock(&server->lock);
    server->counts[what]++;
    pthread_mutex_unlock(&server->lock);
}

static bool send_bytes(connection_t *c, const void *data, size_t len)
{
    const uint8_t *at = data;
    while (len > 0) {
        int piece = len > PIECE ? PIECE : (int)len;
        int sent = c->ssl != NULL ? SSL_write(c->ssl, at, piece) : (int)send(c->fd, at, (size_t)piece, 0);
        if (sent <= 0) {
            return false;
        }
        at += sent;
        len -= (size_t)sent;
    }
    return true;
}

static bool send_text(connection_t *c, const char *text)
{
    return send_bytes(c, text, strlen(text));
}

static int receive_bytes(connection_t *c, void *data, size_t len)
{
    return c->ssl != NULL ? SSL_read(c->ssl, data, (int)len) : (int)recv(c->fd, data, len, 0);
}

/* Keeps the connection, says nothing; until the other side or the test ends it. */
static void stall(connection_t *c)
{
    char dropped[256];
    while (receive_bytes(c, dropped, sizeof(dropped)) > 0) {
    }
}

static void reset(connection_t *c)
{
    struct linger linger = {.l_onoff = 1, .l_linger = 0};
    setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
}

/* ---- requests ---- */

static const char *find_header(const request_t *request, const char *name, char *value, size_t size)
{
    size_t name_len = strlen(name);
    const char *line = strstr(request->text, "\r\n");
    while (line != NULL && line[2] != '\r') {
        line += 2;
        if (strncasecmp(line, name, name_len) == 0 && line[name_len] == ':') {
            line += name_len + 1;
            line += strspn(line, " ");
            snprintf(value, size, "%.*s", (int)strcspn(line, "\r"), line);
            return value;
        }
        line = strstr(line, "\r\n");
    }
    return NULL;
}

static size_t wanted_len(const request_t *request)
{
    const char *end = strstr(request->text, "\r\n\r\n");
    if (end == NULL) {
        return SIZE_MAX;
    }
    char value[32];
    const char *length = find_header(request, "Content-Length", value, sizeof(value));
    return (size_t)(end - request->text) + 4 + (length == NULL ? 0 : (size_t)strtoul(length, NULL, 10));
}

static void keep_request(bad_server_t *server, const request_t *request)
{
    pthread_mutex_lock(&server->lock);
    unsigned index = server->counts[BAD_COUNT_REQUESTS]++ % MAX_REQUESTS;
    free(server->requests[index]);
    server->requests[index] = strdup(request->text);
    pthread_mutex_unlock(&server->lock);
}

static bool receive_request(connection_t *c, request_t *request)
{
    request->len = 0;
    request->text[0] = '\0';
    while (request->len < wanted_len(request)) {
        int got = receive_bytes(c, request->text + request->len, sizeof(request->text) - 1 - request->len);
        if (got <= 0) {
            return false;
        }
        request->len += (size_t)got;
        request->text[request->len] = '\0';
    }
    if (sscanf(request->text, "%15s %1023s", request->method, request->path) != 2) {
        return false;
    }
    keep_request(c->server, request);
    return true;
}

/* ---- replies ---- */

static bool pick_reply(bad_server_t *server, const char *path, bad_reply_t *reply)
{
    bool found = false;
    pthread_mutex_lock(&server->lock);
    for (size_t i = 0; i < server->reply_count && !found; i++) {
        const bad_reply_t *candidate = &server->replies[i];
        bool left = candidate->times == 0 || server->used[i] < candidate->times;
        if (left && (candidate->path == NULL || strcmp(candidate->path, path) == 0)) {
            server->used[i]++;
            *reply = *candidate;
            found = true;
        }
    }
    pthread_mutex_unlock(&server->lock);
    return found;
}

static void fire(connection_t *c)
{
    add_count(c->server, BAD_COUNT_FAULTS);
}

/* The part of the body that the request's Range asks for; all of it without one. */
static part_t choose_part(connection_t *c, const bad_reply_t *reply, const request_t *request)
{
    part_t part = {.status = reply->status == 0 ? 200 : reply->status, .data = reply->body, .len = reply->body_len};
    char value[64];
    unsigned long first = 0;
    unsigned long last = 0;
    if (find_header(request, "Range", value, sizeof(value)) == NULL) {
        return part;
    }
    if (reply->fault == BAD_IGNORE_RANGE) {
        fire(c);
        return part;
    }
    int fields = sscanf(value, "bytes=%lu-%lu", &first, &last);
    if (!reply->ranges || fields < 1) {
        return part;
    }
    if (reply->fault == BAD_WRONG_RANGE) {
        fire(c);
        first += reply->fault_at;
    }
    if (first >= reply->body_len) {
        return (part_t){.status = 416};
    }
    size_t end = fields == 1 || last >= reply->body_len ? reply->body_len : last + 1;
    return (part_t){.status = 206, .data = part.data + first, .len = end - first, .first = first};
}

__attribute__((format(printf, 2, 3))) static void append(char *text, const char *format, ...)
{
    size_t len = strlen(text);
    va_list args;
    va_start(args, format);
    vsnprintf(text + len, MAX_HEAD - len, format, args);
    va_end(args);
}

static void write_head(char *head, const bad_reply_t *reply, const part_t *part)
{
    head[0] = '\0';
    append(head, "HTTP/1.1 %d Reply\r\n", part->status);
    if (part->status == 206) {
        append(head, "Content-Range: bytes %zu-%zu/%zu\r\n", part->first, part->first + part->len - 1, reply->body_len);
    } else if (part->status == 416) {
        append(head, "Content-Range: bytes */%zu\r\n", reply->body_len);
    }
    if (reply->framing == BAD_CHUNKED) {
        append(head, "Transfer-Encoding: chunked\r\n");
    } else if (reply->framing == BAD_LENGTH) {
        append(head, "Content-Length: %zu\r\n", part->len);
    }
    if (reply->fault == BAD_TWO_LENGTHS) {
        append(head, "Content-Length: %zu\r\n", part->len + 1);
    }
    if (reply->close || reply->framing == BAD_UNTIL_CLOSE) {
        append(head, "Connection: close\r\n");
    }
    append(head, "%s\r\n", reply->headers == NULL ? "" : reply->headers);
}

static bool send_huge_head(connection_t *c, size_t bytes)
{
    char line[1024];
    memset(line, 'x', sizeof(line));
    memcpy(line, "X-Huge: ", 8);
    memcpy(line + sizeof(line) - 2, "\r\n", 2);
    fire(c);
    if (!send_text(c, "HTTP/1.1 200 OK\r\n")) {
        return false;
    }
    for (size_t sent = 0; sent < bytes; sent += sizeof(line)) {
        if (!send_bytes(c, line, sizeof(line))) {
            return false;
        }
    }
    return send_text(c, "Content-Length: 0\r\n\r\n");
}

/* Faults that replace the answer. False: none of them. */
static bool spoil_head(connection_t *c, const bad_reply_t *reply, const char *head)
{
    switch (reply->fault) {
    case BAD_CLOSE_BEFORE_HEAD:
        fire(c);
        return true;
    case BAD_STALL_IN_HEAD:
        send_bytes(c, head, strlen(head) / 2);
        /* fall through */
    case BAD_STALL_BEFORE_HEAD:
        fire(c);
        stall(c);
        return true;
    case BAD_GARBAGE:
        fire(c);
        send_bytes(c, reply->body, reply->body_len);
        return true;
    case BAD_HUGE_HEAD:
        send_huge_head(c, reply->fault_at);
        return true;
    default:
        return false;
    }
}

static bool send_piece(connection_t *c, const bad_reply_t *reply, const uint8_t *data, size_t len)
{
    if (reply->framing != BAD_CHUNKED) {
        return send_bytes(c, data, len);
    }
    char size[24];
    snprintf(size, sizeof(size), "%zx\r\n", len);
    return send_text(c, size) && send_bytes(c, data, len) && send_text(c, "\r\n");
}

static void sleep_ms(unsigned ms)
{
    struct timespec time = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000L};
    nanosleep(&time, NULL);
}

static bool send_pieces(connection_t *c, const bad_reply_t *reply, const uint8_t *data, size_t len)
{
    size_t step = reply->fault == BAD_TRICKLE ? reply->fault_at : PIECE;
    for (size_t sent = 0; sent < len; sent += step) {
        size_t piece = len - sent < step ? len - sent : step;
        if (!send_piece(c, reply, data + sent, piece)) {
            return false;
        }
        if (reply->fault == BAD_TRICKLE) {
            if (sent == 0) {
                fire(c);
            }
            sleep_ms(reply->trickle_ms);
        }
    }
    return true;
}

/* Ends a body early as told. */
static void break_off(connection_t *c, bad_fault_t fault)
{
    fire(c);
    if (fault == BAD_STALL_IN_BODY) {
        stall(c);
    } else if (fault != BAD_TRUNCATE) {
        c->rude = true;
    }
    if (fault == BAD_RESET) {
        /* Lets what was sent arrive first: a reset overtakes it. */
        sleep_ms(50);
        reset(c);
    }
}

static bool breaks_off(bad_fault_t fault)
{
    return fault == BAD_STALL_IN_BODY || fault == BAD_TRUNCATE || fault == BAD_CUT || fault == BAD_RESET;
}

/* False: the connection is to be closed. */
static bool send_body(connection_t *c, const bad_reply_t *reply, const part_t *part)
{
    if (breaks_off(reply->fault) && reply->fault_at < part->len) {
        if (send_pieces(c, reply, part->data, reply->fault_at)) {
            break_off(c, reply->fault);
        }
        return false;
    }
    if (!send_pieces(c, reply, part->data, part->len)) {
        return false;
    }
    if (reply->fault == BAD_LONG_BODY) {
        static const uint8_t more[PIECE];
        fire(c);
        return send_bytes(c, more, reply->fault_at) && false;
    }
    if (reply->framing == BAD_CHUNKED) {
        if (reply->fault == BAD_NO_LAST_CHUNK) {
            fire(c);
            return false;
        }
        return send_text(c, "0\r\n") && send_text(c, reply->trailer == NULL ? "" : reply->trailer) &&
               send_text(c, "\r\n");
    }
    return true;
}

static bool authorized(const bad_reply_t *reply, const request_t *request)
{
    char value[256];
    return reply->need_authorization == NULL || (find_header(request, "Authorization", value, sizeof(value)) != NULL &&
                                                 strcmp(value, reply->need_authorization) == 0);
}

/* False: the connection is to be closed. */
static bool answer(connection_t *c, const request_t *request)
{
    bad_reply_t reply = {.status = 404};
    pick_reply(c->server, request->path, &reply);
    if (!authorized(&reply, request)) {
        return send_text(c, "HTTP/1.1 401 Who\r\nWWW-Authenticate: Basic realm=\"test\"\r\nContent-Length: 0\r\n\r\n");
    }
    if (reply.interim != NULL && !send_text(c, reply.interim)) {
        return false;
    }
    part_t part = choose_part(c, &reply, request);
    char head[MAX_HEAD];
    write_head(head, &reply, &part);
    if (spoil_head(c, &reply, head) || !send_text(c, head)) {
        return false;
    }
    if (reply.fault == BAD_TWO_LENGTHS) {
        fire(c);
    }
    bool whole = strcmp(request->method, "HEAD") == 0 || part.status == 304 || send_body(c, &reply, &part);
    if (reply.fault == BAD_LYING_KEEP_ALIVE) {
        fire(c);
        return false;
    }
    if (whole) {
        add_count(c->server, BAD_COUNT_ANSWERED);
    }
    return whole && !reply.close && reply.framing != BAD_UNTIL_CLOSE;
}

/* ---- connections ---- */

static bool shake_hands(connection_t *c)
{
    if (c->server->tls == NULL) {
        return true;
    }
    c->ssl = SSL_new(c->server->tls);
    check(c->ssl != NULL && SSL_set_fd(c->ssl, c->fd) == 1, "make a TLS session");
    if (SSL_accept(c->ssl) != 1) {
        add_count(c->server, BAD_COUNT_REFUSED);
        return false;
    }
    add_count(c->server, BAD_COUNT_HANDSHAKES);
    if (SSL_session_reused(c->ssl)) {
        add_count(c->server, BAD_COUNT_RESUMED);
    }
    return true;
}

static void block_sigpipe(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
}

static void close_connection(connection_t *c)
{
    pthread_mutex_lock(&c->server->lock);
    close(c->fd);
    c->fd = -1;
    c->server->counts[BAD_COUNT_CLOSED]++;
    pthread_mutex_unlock(&c->server->lock);
}

static void *serve(void *arg)
{
    connection_t *c = arg;
    block_sigpipe();
    request_t *request = malloc(sizeof(*request));
    check(request != NULL, "allocate a request");
    if (shake_hands(c)) {
        bool more = true;
        while (more && receive_request(c, request)) {
            more = answer(c, request);
        }
        if (c->ssl != NULL && !more && !c->rude) {
            SSL_shutdown(c->ssl);
        }
    }
    SSL_free(c->ssl);
    ERR_clear_error();
    free(request);
    close_connection(c);
    return NULL;
}

static void start_connection(bad_server_t *server, int fd)
{
    pthread_mutex_lock(&server->lock);
    check(server->connection_count < MAX_CONNECTIONS, "take more connections");
    if (server->stopping) {
        close(fd);
    } else {
        connection_t *c = &server->connections[server->connection_count++];
        *c = (connection_t){.server = server, .fd = fd};
        server->counts[BAD_COUNT_CONNECTIONS]++;
        check(pthread_create(&c->thread, NULL, serve, c) == 0, "start a thread");
    }
    pthread_mutex_unlock(&server->lock);
}

static void *accept_all(void *arg)
{
    bad_server_t *server = arg;
    block_sigpipe();
    int fd = 0;
    while ((fd = accept(server->listener, NULL, NULL)) >= 0) {
        /* Head and body go out in separate writes: each at once, not after an acknowledgement. */
        int on = 1;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
        start_connection(server, fd);
    }
    return NULL;
}

/* ---- life ---- */

static X509 *read_cert(const char *pem)
{
    BIO *bio = BIO_new_mem_buf(pem, -1);
    X509 *cert = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    BIO_free(bio);
    check(cert != NULL, "read a certificate");
    return cert;
}

static void use_key(SSL_CTX *tls, const char *pem)
{
    BIO *bio = BIO_new_mem_buf(pem, -1);
    EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
    check(key != NULL && SSL_CTX_use_PrivateKey(tls, key) == 1, "use a key");
    EVP_PKEY_free(key);
    BIO_free(bio);
}

static SSL_CTX *make_tls(const bad_server_config_t *config)
{
    if (config->cert_pem == NULL) {
        return NULL;
    }
    SSL_CTX *tls = SSL_CTX_new(TLS_server_method());
    check(tls != NULL, "make a TLS context");
    X509 *cert = read_cert(config->cert_pem);
    check(SSL_CTX_use_certificate(tls, cert) == 1, "use a certificate");
    X509_free(cert);
    use_key(tls, config->key_pem);
    if (config->tls_version != 0) {
        int version = config->tls_version == 12 ? TLS1_2_VERSION : TLS1_3_VERSION;
        SSL_CTX_set_min_proto_version(tls, version);
        SSL_CTX_set_max_proto_version(tls, version);
    }
    SSL_CTX_set_session_id_context(tls, (const unsigned char *)"bad", 3);
    if (config->client_ca_pem != NULL) {
        X509 *ca = read_cert(config->client_ca_pem);
        check(X509_STORE_add_cert(SSL_CTX_get_cert_store(tls), ca) == 1, "trust a client CA");
        X509_free(ca);
        SSL_CTX_set_verify(tls, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    }
    return tls;
}

static void listen_anywhere(bad_server_t *server)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(address);
    server->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    check(server->listener >= 0 && bind(server->listener, (struct sockaddr *)&address, len) == 0 &&
              listen(server->listener, 64) == 0 &&
              getsockname(server->listener, (struct sockaddr *)&address, &len) == 0,
          "listen");
    server->port = ntohs(address.sin_port);
}

bad_server_t *bad_server_start(const bad_server_config_t *config)
{
    bad_server_t *server = calloc(1, sizeof(*server));
    check(server != NULL, "allocate a server");
    pthread_mutex_init(&server->lock, NULL);
    server->tls = make_tls(config);
    bad_server_set_replies(server, config->replies, config->reply_count);
    listen_anywhere(server);
    check(pthread_create(&server->acceptor, NULL, accept_all, server) == 0, "start a thread");
    return server;
}

void bad_server_set_replies(bad_server_t *server, const bad_reply_t *replies, size_t count)
{
    check(count <= MAX_REPLIES, "take so many replies");
    pthread_mutex_lock(&server->lock);
    if (count > 0) {
        memcpy(server->replies, replies, count * sizeof(*replies));
    }
    memset(server->used, 0, sizeof(server->used));
    server->reply_count = count;
    pthread_mutex_unlock(&server->lock);
}

uint16_t bad_server_port(const bad_server_t *server)
{
    return server->port;
}

char *bad_server_url(const bad_server_t *server, const char *path, char *url, size_t size)
{
    snprintf(url, size, "%s://localhost:%u%s", server->tls == NULL ? "http" : "https", server->port, path);
    return url;
}

unsigned bad_server_count(bad_server_t *server, bad_count_t what)
{
    pthread_mutex_lock(&server->lock);
    unsigned count = server->counts[what];
    pthread_mutex_unlock(&server->lock);
    return count;
}

unsigned bad_server_await(bad_server_t *server, bad_count_t what, unsigned least)
{
    for (int tries = 0; tries < 1000 && bad_server_count(server, what) < least; tries++) {
        sleep_ms(5);
    }
    return bad_server_count(server, what);
}

bool bad_server_request(bad_server_t *server, unsigned index, char *text, size_t size)
{
    pthread_mutex_lock(&server->lock);
    unsigned count = server->counts[BAD_COUNT_REQUESTS];
    bool there = index < count && count - index <= MAX_REQUESTS;
    snprintf(text, size, "%s", there ? server->requests[index % MAX_REQUESTS] : "");
    pthread_mutex_unlock(&server->lock);
    return there;
}

static void hang_up(bad_server_t *server)
{
    pthread_mutex_lock(&server->lock);
    server->stopping = true;
    for (size_t i = 0; i < server->connection_count; i++) {
        if (server->connections[i].fd >= 0) {
            shutdown(server->connections[i].fd, SHUT_RDWR);
        }
    }
    pthread_mutex_unlock(&server->lock);
}

void bad_server_stop(bad_server_t *server)
{
    if (server == NULL) {
        return;
    }
    shutdown(server->listener, SHUT_RDWR);
    pthread_join(server->acceptor, NULL);
    close(server->listener);
    hang_up(server);
    for (size_t i = 0; i < server->connection_count; i++) {
        pthread_join(server->connections[i].thread, NULL);
    }
    for (size_t i = 0; i < MAX_REQUESTS; i++) {
        free(server->requests[i]);
    }
    SSL_CTX_free(server->tls);
    pthread_mutex_destroy(&server->lock);
    free(server);
}
