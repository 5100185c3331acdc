/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "tests/support/bad_server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/err.h>

#include "tests/support/bad_server_internal.h"

void bad_check(bool ok, const char *what)
{
    if (!ok) {
        fprintf(stderr, "bad_server: cannot %s\n", what);
        ERR_print_errors_fp(stderr);
        abort();
    }
}

void bad_add_count(bad_server_t *server, bad_count_t what)
{
    pthread_mutex_lock(&server->lock);
    server->counts[what]++;
    pthread_mutex_unlock(&server->lock);
}

void bad_note_fault(connection_t *c)
{
    pthread_mutex_lock(&c->server->lock);
    c->server->counts[BAD_COUNT_FAULTS]++;
    if (c->fired != NULL) {
        (*c->fired)++;
    }
    pthread_mutex_unlock(&c->server->lock);
}

/* ---- connections ---- */

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

static void answer_requests(connection_t *c)
{
    request_t *request = malloc(sizeof(*request));
    bad_check(request != NULL, "allocate a request");
    bool more = true;
    while (more && bad_receive_request(c, request)) {
        more = bad_answer_request(c, request);
    }
    if (c->ssl != NULL && !more && !c->rude) {
        SSL_shutdown(c->ssl);
    }
    free(request);
}

static void *serve(void *arg)
{
    connection_t *c = arg;
    block_sigpipe();
    if (bad_greet(c)) {
        answer_requests(c);
    }
    SSL_free(c->ssl);
    SSL_CTX_free(c->tls);
    ERR_clear_error();
    close_connection(c);
    return NULL;
}

/* Says what the connection is like; with the lock held. */
static void choose_manner(connection_t *c)
{
    bad_server_t *server = c->server;
    for (size_t i = 0; i < server->greeting_count; i++) {
        greeting_t *greeting = &server->greetings[i];
        if (greeting->manner.times == 0 || greeting->used < greeting->manner.times) {
            greeting->used++;
            c->manner = greeting->manner;
            c->tls = greeting->tls != NULL ? greeting->tls : c->tls;
            server->counts[BAD_COUNT_FAULTS]++;
            return;
        }
    }
}

static void start_connection(bad_server_t *server, int fd)
{
    pthread_mutex_lock(&server->lock);
    bad_check(server->connection_count < BAD_MAX_CONNECTIONS, "take more connections");
    if (server->stopping) {
        close(fd);
    } else {
        connection_t *c = &server->connections[server->connection_count++];
        *c = (connection_t){.server = server, .fd = fd};
        server->counts[BAD_COUNT_CONNECTIONS]++;
        c->tls = server->tls;
        choose_manner(c);
        if (c->tls != NULL) {
            SSL_CTX_up_ref(c->tls);
        }
        bad_check(pthread_create(&c->thread, NULL, serve, c) == 0, "start a thread");
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

/* ---- the port ---- */

static struct sockaddr_in address_of(const bad_server_t *server)
{
    return (struct sockaddr_in){
        .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons(server->port)};
}

/* Opens the port, the first time any that is free. */
static void open_port(bad_server_t *server)
{
    struct sockaddr_in address = address_of(server);
    socklen_t len = sizeof(address);
    int on = 1;
    server->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bad_check(server->listener >= 0 && setsockopt(server->listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0 &&
                  bind(server->listener, (struct sockaddr *)&address, len) == 0 && listen(server->listener, 64) == 0 &&
                  getsockname(server->listener, (struct sockaddr *)&address, &len) == 0,
              "listen");
    if (server->port == 0) {
        server->port = ntohs(address.sin_port);
    }
    bad_check(pthread_create(&server->acceptor, NULL, accept_all, server) == 0, "start a thread");
}

static void close_port(bad_server_t *server)
{
    shutdown(server->listener, SHUT_RDWR);
    pthread_join(server->acceptor, NULL);
    close(server->listener);
    server->listener = -1;
}

static bool is_refused(const bad_server_t *server)
{
    struct sockaddr_in address = address_of(server);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool refused = connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0 && errno == ECONNREFUSED;
    close(fd);
    return refused;
}

typedef struct pause {
    bad_server_t *server;
    unsigned ms;
} pause_t;

static void *open_later(void *arg)
{
    pause_t *pause = arg;
    bad_sleep_ms(pause->ms);
    open_port(pause->server);
    free(pause);
    return NULL;
}

static void await_opener(bad_server_t *server)
{
    if (server->has_opener) {
        pthread_join(server->opener, NULL);
        server->has_opener = false;
    }
}

void bad_server_go_down(bad_server_t *server, unsigned pause_ms)
{
    await_opener(server);
    close_port(server);
    bad_check(is_refused(server), "refuse a connection");
    pause_t *pause = malloc(sizeof(*pause));
    bad_check(pause != NULL, "allocate a pause");
    *pause = (pause_t){.server = server, .ms = pause_ms};
    bad_check(pthread_create(&server->opener, NULL, open_later, pause) == 0, "start a thread");
    server->has_opener = true;
    bad_add_count(server, BAD_COUNT_FAULTS);
}

/* ---- life ---- */

bad_server_t *bad_server_start(const bad_server_config_t *config)
{
    bad_server_t *server = calloc(1, sizeof(*server));
    bad_check(server != NULL, "allocate a server");
    pthread_mutex_init(&server->lock, NULL);
    server->config = *config;
    server->tls = bad_make_tls(config);
    bad_server_set_replies(server, config->replies, config->reply_count);
    open_port(server);
    return server;
}

void bad_server_set_replies(bad_server_t *server, const bad_reply_t *replies, size_t count)
{
    bad_check(count <= BAD_MAX_REPLIES, "take so many replies");
    pthread_mutex_lock(&server->lock);
    if (count > 0) {
        memcpy(server->replies, replies, count * sizeof(*replies));
    }
    memset(server->used, 0, sizeof(server->used));
    memset(server->fired, 0, sizeof(server->fired));
    server->reply_count = count;
    pthread_mutex_unlock(&server->lock);
}

static SSL_CTX *make_tls_for(const bad_server_t *server, const bad_connection_t *manner)
{
    if (manner->cert_pem == NULL) {
        return NULL;
    }
    bad_server_config_t config = server->config;
    config.cert_pem = manner->cert_pem;
    config.key_pem = manner->key_pem;
    return bad_make_tls(&config);
}

void bad_server_set_connections(bad_server_t *server, const bad_connection_t *connections, size_t count)
{
    bad_check(count <= BAD_MAX_GREETINGS, "take so many manners");
    pthread_mutex_lock(&server->lock);
    for (size_t i = 0; i < server->greeting_count; i++) {
        SSL_CTX_free(server->greetings[i].tls); /* A session that still uses it has its own hold on it. */
    }
    for (size_t i = 0; i < count; i++) {
        server->greetings[i] = (greeting_t){.manner = connections[i], .tls = make_tls_for(server, &connections[i])};
    }
    server->greeting_count = count;
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
        bad_sleep_ms(5);
    }
    return bad_server_count(server, what);
}

/* Whether a request is there and kept; with the lock held. */
static bool is_kept(const bad_server_t *server, unsigned index)
{
    unsigned count = server->counts[BAD_COUNT_REQUESTS];
    return index < count && count - index <= BAD_MAX_REQUESTS;
}

bool bad_server_request(bad_server_t *server, unsigned index, char *text, size_t size)
{
    pthread_mutex_lock(&server->lock);
    bool there = is_kept(server, index);
    snprintf(text, size, "%s", there ? server->requests[index % BAD_MAX_REQUESTS] : "");
    pthread_mutex_unlock(&server->lock);
    return there;
}

bool bad_server_answer(bad_server_t *server, unsigned index, bad_answer_t *answer)
{
    pthread_mutex_lock(&server->lock);
    bool there = is_kept(server, index);
    *answer = there ? server->answers[index % BAD_MAX_REQUESTS] : (bad_answer_t){0};
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
    await_opener(server);
    close_port(server);
    hang_up(server);
    for (size_t i = 0; i < server->connection_count; i++) {
        pthread_join(server->connections[i].thread, NULL);
    }
    for (size_t i = 0; i < BAD_MAX_REQUESTS; i++) {
        free(server->requests[i]);
    }
    bad_server_set_connections(server, NULL, 0);
    SSL_CTX_free(server->tls);
    pthread_mutex_destroy(&server->lock);
    free(server);
}
