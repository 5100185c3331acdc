/* SPDX-License-Identifier: Apache-2.0 */
/* port/stream_openssl, and port/http1 over it, where the contract of the HTTP ports leaves more than one answer. */
#define _DEFAULT_SOURCE
#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/pem.h>

#include "esp_http_client.h"
#include "otter/otter_http.h"
#include "otter/otter_os.h"
#include "port/stream_openssl/stream.h"
#include "tests/http/http_fixture.h"

#define SOON_MS  300   /* The deadline where nobody answers. */
#define LATER_MS 10000 /* The deadline that is not meant to pass. */

static int64_t in_ms(int ms)
{
    return otter_now_us() + (int64_t)ms * 1000;
}

/* ---- names ---- */

/* What a name that only these tests know resolves to, in this order. */
static const char *const *_Atomic pretended;
/* The resolver answers when this is posted; NULL: at once. */
static sem_t *_Atomic resolver_waits;

int __real_getaddrinfo(const char *host, const char *port, const struct addrinfo *hints, struct addrinfo **found);
int __wrap_getaddrinfo(const char *host, const char *port, const struct addrinfo *hints, struct addrinfo **found);

int __wrap_getaddrinfo(const char *host, const char *port, const struct addrinfo *hints, struct addrinfo **found)
{
    const char *const *addresses = pretended;
    if (addresses == NULL || strcmp(host, "pretended.example") != 0 || (hints->ai_flags & AI_NUMERICHOST) != 0) {
        return __real_getaddrinfo(host, port, hints, found);
    }
    if (resolver_waits != NULL) {
        sem_wait(resolver_waits);
    }
    int code = EAI_NONAME;
    struct addrinfo **end = found;
    for (const char *const *address = addresses; *address != NULL; address++) {
        code = __real_getaddrinfo(*address, port, hints, end);
        assert_int_equal(code, 0);
        end = &(*end)->ai_next;
    }
    return code;
}

static otter_stream_t *make_stream(const otter_http_tls_t *tls)
{
    otter_stream_t *stream = otter_stream_new(&(otter_stream_config_t){.tls = *tls});
    assert_non_null(stream);
    return stream;
}

static otter_stream_t *make_plain(void)
{
    return make_stream(&(otter_http_tls_t){0});
}

static esp_err_t open_pretended(otter_stream_t *stream, const char *const *addresses, uint16_t port, int ms)
{
    pretended = addresses;
    esp_err_t err = otter_stream_open(stream, "pretended.example", port, false, in_ms(ms));
    pretended = NULL;
    return err;
}

static void address_that_refuses_is_followed_by_the_next(void **state)
{
    static const char *const addresses[] = {"127.0.0.2", "127.0.0.1", NULL};
    bad_server_t *server = http_fixture_serve_plain(*state, NULL, 0);
    otter_stream_t *stream = make_plain();
    assert_err(open_pretended(stream, addresses, bad_server_port(server), LATER_MS), ESP_OK);
    assert_string_equal(otter_stream_error(stream), "");
    otter_stream_free(stream);
}

/* A listener whose queue is full: the kernel drops what comes. */
typedef struct black_hole {
    int listener;
    int fillers[4];
} black_hole_t;

static black_hole_t dig_hole(const char *address, uint16_t port)
{
    black_hole_t hole = {.listener = socket(AF_INET, SOCK_STREAM, 0)};
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(port)};
    int on = 1;
    assert_int_equal(inet_aton(address, &at.sin_addr), 1);
    assert_int_equal(setsockopt(hole.listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)), 0);
    assert_int_equal(bind(hole.listener, (struct sockaddr *)&at, sizeof(at)), 0);
    assert_int_equal(listen(hole.listener, 0), 0);
    for (size_t i = 0; i < 4; i++) {
        hole.fillers[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        (void)connect(hole.fillers[i], (struct sockaddr *)&at, sizeof(at));
    }
    return hole;
}

static void fill_hole(const black_hole_t *hole)
{
    for (size_t i = 0; i < 4; i++) {
        close(hole->fillers[i]);
    }
    close(hole->listener);
}

static void address_that_says_nothing_leaves_time_for_the_next(void **state)
{
    static const char *const alone[] = {"127.0.0.3", NULL};
    static const char *const addresses[] = {"127.0.0.3", "127.0.0.1", NULL};
    bad_server_t *server = http_fixture_serve_plain(*state, NULL, 0);
    black_hole_t hole = dig_hole("127.0.0.3", bad_server_port(server));
    otter_stream_t *stream = make_plain();
    assert_err(open_pretended(stream, alone, bad_server_port(server), SOON_MS), ESP_ERR_TIMEOUT);
    int64_t start_us = otter_now_us();
    assert_err(open_pretended(stream, addresses, bad_server_port(server), 2000), ESP_OK);
    assert_in_range(otter_now_us() - start_us, 900000, 1900000);
    otter_stream_free(stream);
    fill_hole(&hole);
}

static void *fill_hole_soon(void *arg)
{
    usleep(100000);
    fill_hole(arg);
    return NULL;
}

/* The refusal comes while the connection is being made: the next SYN finds nobody any more. */
static void refusal_that_comes_late_is_one(void **state)
{
    static const char *const addresses[] = {"127.0.0.3", NULL};
    bad_server_t *server = http_fixture_serve_plain(*state, NULL, 0);
    black_hole_t hole = dig_hole("127.0.0.3", bad_server_port(server));
    pthread_t filler;
    otter_stream_t *stream = make_plain();
    assert_int_equal(pthread_create(&filler, NULL, fill_hole_soon, &hole), 0);
    assert_err(open_pretended(stream, addresses, bad_server_port(server), LATER_MS), ESP_FAIL);
    assert_non_null(strstr(otter_stream_error(stream), "cannot connect: Connection refused"));
    pthread_join(filler, NULL);
    otter_stream_free(stream);
}

static void unknown_name_is_said_to_be_unknown(void **state)
{
    static const char *const none[] = {NULL};
    (void)state;
    otter_stream_t *stream = make_plain();
    assert_err(open_pretended(stream, none, 80, LATER_MS), ESP_FAIL);
    assert_non_null(strstr(otter_stream_error(stream), "cannot look up the host name"));
    otter_stream_free(stream);
}

/* The resolver has no deadline; whoever asked does, and is gone when it answers. */
static void resolver_that_hangs_does_not_hold_the_caller(void **state)
{
    static const char *const addresses[] = {"127.0.0.1", NULL};
    static sem_t go_on;
    (void)state;
    assert_int_equal(sem_init(&go_on, 0, 0), 0);
    otter_stream_t *stream = make_plain();
    resolver_waits = &go_on;
    int64_t start_us = otter_now_us();
    /* Not taken back before the resolver has seen it, however late that is. */
    pretended = addresses;
    assert_err(otter_stream_open(stream, "pretended.example", 80, false, in_ms(SOON_MS)), ESP_ERR_TIMEOUT);
    assert_true(otter_now_us() - start_us < (SOON_MS + 3000) * 1000);
    otter_stream_free(stream);
    sem_post(&go_on);
    /* The late answer is given back by the task that got it: the leak checker sees to that. */
    int left = 1;
    while (left != 0) {
        assert_int_equal(sem_getvalue(&go_on, &left), 0);
        usleep(1000);
    }
    resolver_waits = NULL;
    pretended = NULL;
}

/* ---- sockets ---- */

static int listen_on_ipv6(uint16_t *port)
{
    struct sockaddr_in6 at = {.sin6_family = AF_INET6, .sin6_addr = in6addr_loopback};
    socklen_t len = sizeof(at);
    int fd = socket(AF_INET6, SOCK_STREAM, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&at, len) != 0) {
        close(fd);
        return -1;
    }
    assert_int_equal(listen(fd, 1), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &len), 0);
    *port = ntohs(at.sin6_port);
    return fd;
}

static void ipv6_server_is_reached(void **state)
{
    uint16_t port = 0;
    char bytes[8];
    size_t got = 0;
    (void)state;
    int listener = listen_on_ipv6(&port);
    if (listener < 0) {
        fprintf(stderr, "SKIPPED: this machine has no IPv6 loopback\n");
        exit(TEST_SKIPPED);
    }
    otter_stream_t *stream = make_plain();
    assert_err(otter_stream_open(stream, "::1", port, false, in_ms(LATER_MS)), ESP_OK);
    int peer = accept(listener, NULL, NULL);
    assert_true(otter_stream_is_idle(stream));
    assert_int_equal(send(peer, "hello", 5, 0), 5);
    assert_err(otter_stream_read(stream, bytes, sizeof(bytes), &got, in_ms(LATER_MS)), ESP_OK);
    assert_int_equal(got, 5);
    close(peer);
    assert_err(otter_stream_read(stream, bytes, sizeof(bytes), &got, in_ms(LATER_MS)), ESP_OK);
    assert_int_equal(got, 0);
    assert_false(otter_stream_is_idle(stream));
    otter_stream_free(stream);
    close(listener);
}

static int option(const otter_stream_t *stream, int level, int name)
{
    int value = -1;
    socklen_t len = sizeof(value);
    assert_int_equal(getsockopt(stream->fd, level, name, &value, &len), 0);
    return value;
}

static void keep_alive_probes_are_as_configured(void **state)
{
    bad_server_t *server = http_fixture_serve_plain(*state, NULL, 0);
    otter_stream_t *stream = otter_stream_new(&(otter_stream_config_t){.tcp_keep_alive = true,
                                                                       .tcp_keep_alive_idle_s = 11,
                                                                       .tcp_keep_alive_interval_s = 12,
                                                                       .tcp_keep_alive_count = 7});
    assert_err(otter_stream_open(stream, "127.0.0.1", bad_server_port(server), false, in_ms(LATER_MS)), ESP_OK);
    assert_int_equal(option(stream, SOL_SOCKET, SO_KEEPALIVE), 1);
    assert_int_equal(option(stream, IPPROTO_TCP, TCP_KEEPIDLE), 11);
    assert_int_equal(option(stream, IPPROTO_TCP, TCP_KEEPINTVL), 12);
    assert_int_equal(option(stream, IPPROTO_TCP, TCP_KEEPCNT), 7);
    otter_stream_free(stream);
    stream = make_plain();
    assert_err(otter_stream_open(stream, "127.0.0.1", bad_server_port(server), false, in_ms(LATER_MS)), ESP_OK);
    assert_int_equal(option(stream, SOL_SOCKET, SO_KEEPALIVE), 0);
    otter_stream_free(stream);
}

static esp_err_t try_interface(bad_server_t *server, const char *if_name, char *why, size_t size)
{
    otter_stream_t *stream = otter_stream_new(&(otter_stream_config_t){.if_name = if_name});
    esp_err_t err = otter_stream_open(stream, "127.0.0.1", bad_server_port(server), false, in_ms(LATER_MS));
    snprintf(why, size, "%s", otter_stream_error(stream));
    otter_stream_free(stream);
    return err;
}

static void interface_is_kept_to(void **state)
{
    char why[128];
    bad_server_t *server = http_fixture_serve_plain(*state, NULL, 0);
    assert_err(try_interface(server, "nosuch0", why, sizeof(why)), ESP_FAIL);
    assert_non_null(strstr(why, "cannot use the network interface"));
    assert_int_equal(bad_server_count(server, BAD_COUNT_CONNECTIONS), 0);
    assert_err(try_interface(server, "lo", why, sizeof(why)), ESP_OK);
}

static void closed_stream_answers_nothing(void **state)
{
    char byte = 0;
    size_t got = 1;
    (void)state;
    otter_stream_t *stream = make_plain();
    assert_err(otter_stream_read(stream, &byte, 1, &got, in_ms(LATER_MS)), ESP_FAIL);
    assert_int_equal(got, 0);
    assert_err(otter_stream_write(stream, &byte, 1, in_ms(LATER_MS)), ESP_FAIL);
    assert_string_equal(otter_stream_error(stream), "not connected");
    assert_false(otter_stream_is_idle(stream));
    otter_stream_close(stream);
    otter_stream_free(stream);
    otter_stream_free(NULL);
}

/* ---- exchanges over TLS ---- */

/* One GET of /x by a client that is given back still connected. */
typedef struct get {
    otter_http_t *http;
    otter_http_response_t response;
    esp_err_t open_err;
    esp_err_t read_err;
    size_t body_len;
} get_t;

static void run(get_t *get, bad_server_t *server)
{
    static unsigned char body[65536];
    char url[128];
    size_t got = 0;
    otter_http_request_t request = {.method = "GET", .url = bad_server_url(server, "/x", url, sizeof(url))};
    get->body_len = 0;
    get->open_err = otter_http_open(get->http, &request, NULL, NULL, in_ms(LATER_MS), &get->response);
    while (get->open_err == ESP_OK) {
        get->read_err = otter_http_read(get->http, body, sizeof(body), &got, in_ms(LATER_MS));
        get->body_len += got;
        if (got == 0) {
            break;
        }
    }
}

static get_t get_with(bad_server_t *server, const otter_http_tls_t *tls)
{
    get_t get = {.http = otter_http_new(&(otter_http_config_t){.tls = *tls})};
    assert_non_null(get.http);
    run(&get, server);
    return get;
}

static bad_reply_t cut_reply(const http_fixture_t *f, bad_fault_t fault)
{
    return (bad_reply_t){
        .body = f->pattern, .body_len = PATTERN_BYTES, .framing = BAD_UNTIL_CLOSE, .fault = fault, .fault_at = 50000};
}

/* Anybody on the way can end a TCP connection; only the server can say farewell. */
static void body_that_a_close_ends_needs_the_servers_farewell(void **state)
{
    http_fixture_t *f = *state;
    bad_reply_t reply = cut_reply(f, BAD_CUT);
    bad_server_t *server = http_fixture_serve(f, &reply, 1);
    get_t get = get_with(server, &(otter_http_tls_t){.ca_pem = f->ca_pem});
    assert_err(get.open_err, ESP_OK);
    assert_err(get.read_err, ESP_ERR_HTTP_INCOMPLETE_DATA);
    assert_int_equal(get.body_len, 50000);
    assert_non_null(strstr(otter_http_error(get.http), "the server closed the connection"));
    assert_int_equal(bad_server_await(server, BAD_COUNT_FAULTS, 1), 1);
    reply = cut_reply(f, BAD_TRUNCATE);
    bad_server_set_replies(server, &reply, 1);
    run(&get, server);
    assert_err(get.read_err, ESP_OK);
    assert_int_equal(get.body_len, 50000);
    otter_http_free(get.http);
}

static void plain_body_that_a_close_ends_needs_none(void **state)
{
    http_fixture_t *f = *state;
    bad_reply_t reply = cut_reply(f, BAD_TRUNCATE);
    bad_server_t *server = http_fixture_serve_plain(f, &reply, 1);
    get_t get = get_with(server, &(otter_http_tls_t){0});
    assert_err(get.read_err, ESP_OK);
    assert_int_equal(get.body_len, 50000);
    reply = cut_reply(f, BAD_RESET);
    bad_server_set_replies(server, &reply, 1);
    run(&get, server);
    assert_err(get.read_err, ESP_ERR_HTTP_INCOMPLETE_DATA);
    otter_http_free(get.http);
}

static bad_server_t *serve_version(http_fixture_t *f, int version)
{
    static const bad_reply_t reply = {.body = "hello", .body_len = 5};
    return http_fixture_start(f, &(bad_server_config_t){.cert_pem = f->leaf.cert_pem,
                                                        .key_pem = f->leaf.key_pem,
                                                        .tls_version = version,
                                                        .replies = &reply,
                                                        .reply_count = 1});
}

static bool await_idle(otter_stream_t *stream, bool expected)
{
    for (int tries = 0; tries < 1000 && otter_stream_is_idle(stream) != expected; tries++) {
        usleep(5000);
    }
    return otter_stream_is_idle(stream);
}

static void send_get(otter_stream_t *stream)
{
    static const char request[] = "GET /x HTTP/1.1\r\nHost: h\r\n\r\n";
    assert_err(otter_stream_write(stream, request, strlen(request), in_ms(LATER_MS)), ESP_OK);
}

static void tls_stream_is_idle_until_something_comes_or_it_ends(void **state)
{
    http_fixture_t *f = *state;
    for (int version = 12; version <= 13; version++) {
        char bytes[1024] = "";
        size_t got = 0;
        bad_server_t *server = serve_version(f, version);
        otter_stream_t *stream = make_stream(&(otter_http_tls_t){.ca_pem = f->ca_pem});
        assert_err(otter_stream_open(stream, "localhost", bad_server_port(server), true, in_ms(LATER_MS)), ESP_OK);
        assert_true(await_idle(stream, true));
        send_get(stream);
        assert_false(await_idle(stream, false));
        for (size_t filled = 0; strstr(bytes, "hello") == NULL; filled += got) {
            assert_err(otter_stream_read(stream, bytes + filled, sizeof(bytes) - 1 - filled, &got, in_ms(LATER_MS)),
                       ESP_OK);
            assert_true(got > 0);
        }
        assert_true(await_idle(stream, true));
        bad_server_stop(f->servers[--f->server_count]);
        assert_false(await_idle(stream, false));
        otter_stream_free(stream);
    }
}

static void session_is_resumed_with_the_same_server_only(void **state)
{
    http_fixture_t *f = *state;
    for (int version = 12; version <= 13; version++) {
        bad_server_t *server = serve_version(f, version);
        get_t get = get_with(server, &(otter_http_tls_t){.ca_pem = f->ca_pem});
        for (unsigned i = 1; i <= 3; i++) {
            otter_http_disconnect(get.http);
            run(&get, server);
            assert_int_equal(get.body_len, 5);
            assert_int_equal(bad_server_count(server, BAD_COUNT_RESUMED), i);
        }
        bad_server_t *other = serve_version(f, version);
        run(&get, other);
        assert_int_equal(get.body_len, 5);
        assert_int_equal(bad_server_count(other, BAD_COUNT_RESUMED), 0);
        otter_http_free(get.http);
    }
}

/* ---- who is refused ---- */

static void assert_outcome(bad_server_t *server, const otter_http_tls_t *tls, bool works, bool refused)
{
    get_t get = get_with(server, tls);
    if ((get.open_err == ESP_OK) != works || get.response.refused != refused) {
        fail_msg("%d, refused %d: %s", get.open_err, get.response.refused, otter_http_error(get.http));
    }
    otter_http_free(get.http);
}

static void refusal_of_the_server_is_final(void **state)
{
    http_fixture_t *f = *state;
    certs_ca_t *other = certs_ca_new("Somebody else");
    bad_server_t *server = serve_version(f, 0);
    assert_outcome(server, &(otter_http_tls_t){.ca_pem = f->ca_pem}, true, false);
    assert_outcome(server, &(otter_http_tls_t){.ca_pem = certs_ca_pem(other)}, false, true);
    assert_outcome(server, &(otter_http_tls_t){.ca_pem = f->ca_pem, .common_name = "other.example"}, false, true);
    assert_outcome(server, &(otter_http_tls_t){.ca_pem = NULL}, false, true);
    bad_server_t *old = serve_version(f, 12);
    assert_outcome(old, &(otter_http_tls_t){.ca_pem = f->ca_pem, .tls_version = 13}, false, false);
    certs_ca_free(other);
}

static void refusal_by_the_server_is_final(void **state)
{
    http_fixture_t *f = *state;
    certs_ca_t *other = certs_ca_new("Somebody else");
    certs_leaf_t strange = certs_leaf_new(other, &(certs_spec_t){.for_client = true});
    bad_server_t *server = http_fixture_start(f, &(bad_server_config_t){.cert_pem = f->leaf.cert_pem,
                                                                        .key_pem = f->leaf.key_pem,
                                                                        .client_ca_pem = f->ca_pem,
                                                                        .tls_version = 13});
    otter_http_tls_t tls = {.ca_pem = f->ca_pem};
    assert_outcome(server, &tls, false, true);
    tls.client_cert_pem = strange.cert_pem;
    tls.client_key_pem = strange.key_pem;
    assert_outcome(server, &tls, false, true);
    assert_int_equal(bad_server_await(server, BAD_COUNT_REFUSED, 2), 2);
    certs_leaf_free(&strange);
    certs_ca_free(other);
}

/* ---- material ---- */

static char *join(const char *a, const char *b)
{
    char *both = malloc(strlen(a) + strlen(b) + 1);
    assert_non_null(both);
    memcpy(both, a, strlen(a));
    memcpy(both + strlen(a), b, strlen(b) + 1);
    return both;
}

static void any_ca_of_a_bundle_is_trusted_and_a_damaged_one_spoils_it(void **state)
{
    http_fixture_t *f = *state;
    certs_ca_t *other = certs_ca_new("Somebody else");
    bad_server_t *server = serve_version(f, 0);
    char *bundle = join(certs_ca_pem(other), f->ca_pem);
    assert_outcome(server, &(otter_http_tls_t){.ca_pem = bundle}, true, false);
    char *damaged = join(f->ca_pem, certs_ca_pem(other));
    memcpy(strchr(damaged + strlen(f->ca_pem), '\n') + 1, "AAAAAAAA", 8);
    assert_outcome(server, &(otter_http_tls_t){.ca_pem = damaged}, false, true);
    free(damaged);
    free(bundle);
    certs_ca_free(other);
}

static unsigned char *key_to_der(const char *pem, size_t *len)
{
    BIO *bio = BIO_new_mem_buf(pem, -1);
    EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
    unsigned char *der = NULL;
    int bytes = i2d_PrivateKey(key, &der);
    assert_true(bytes > 0);
    *len = (size_t)bytes;
    EVP_PKEY_free(key);
    BIO_free(bio);
    return der;
}

static bad_server_t *serve_clients_of_ca(http_fixture_t *f)
{
    static const bad_reply_t reply = {.body = "hello", .body_len = 5};
    return http_fixture_start(f, &(bad_server_config_t){.cert_pem = f->leaf.cert_pem,
                                                        .key_pem = f->leaf.key_pem,
                                                        .client_ca_pem = f->ca_pem,
                                                        .replies = &reply,
                                                        .reply_count = 1});
}

static void client_certificate_and_key_may_be_der_or_one_text(void **state)
{
    http_fixture_t *f = *state;
    certs_leaf_t mine = certs_leaf_new(f->ca, &(certs_spec_t){.for_client = true});
    bad_server_t *server = serve_clients_of_ca(f);
    otter_http_tls_t tls = {.ca_pem = f->ca_pem};
    unsigned char *cert = certs_to_der(mine.cert_pem, &tls.client_cert_len);
    unsigned char *key = key_to_der(mine.key_pem, &tls.client_key_len);
    tls.client_cert_pem = (const char *)cert;
    tls.client_key_pem = (const char *)key;
    assert_outcome(server, &tls, true, false);
    char *both = join(mine.cert_pem, mine.key_pem);
    assert_outcome(server, &(otter_http_tls_t){.ca_pem = f->ca_pem, .client_cert_pem = both}, true, false);
    free(both);
    free(cert);
    OPENSSL_free(key);
    certs_leaf_free(&mine);
}

static void client_key_that_cannot_be_used_is_said_so_before_connecting(void **state)
{
    http_fixture_t *f = *state;
    certs_leaf_t mine = certs_leaf_new(f->ca, &(certs_spec_t){.for_client = true});
    certs_leaf_t other = certs_leaf_new(f->ca, &(certs_spec_t){.for_client = true});
    char *locked = certs_encrypt_key(mine.key_pem, "open sesame");
    const char *const keys[] = {locked, other.key_pem, "no key at all"};
    bad_server_t *server = serve_clients_of_ca(f);
    for (size_t i = 0; i < 3; i++) {
        get_t get = get_with(
            server,
            &(otter_http_tls_t){.ca_pem = f->ca_pem, .client_cert_pem = mine.cert_pem, .client_key_pem = keys[i]});
        assert_err(get.open_err, ESP_ERR_HTTP_CONNECT);
        assert_true(get.response.refused);
        assert_non_null(strstr(otter_http_error(get.http), "the client key cannot be used"));
        otter_http_free(get.http);
    }
    assert_int_equal(bad_server_count(server, BAD_COUNT_CONNECTIONS), 0);
    free(locked);
    certs_leaf_free(&other);
    certs_leaf_free(&mine);
}

static void settings_that_cannot_be_used_are_said_so_before_connecting(void **state)
{
    http_fixture_t *f = *state;
    char name[257];
    memset(name, 'x', sizeof(name) - 1);
    name[256] = '\0';
    const char *const protos[] = {name, NULL};
    const struct {
        otter_stream_config_t config;
        const char *host;
        const char *why;
    } cases[] = {
        {{.tls = {.insecure = true, .alpn_protos = protos}}, "localhost", "ALPN protocols are too long"},
        {{.tls = {.insecure = true, .client_cert_pem = "no certificate"}},
         "localhost",
         "client certificate is damaged"},
        {{.tls = {.insecure = true}}, name, "host name is too long"},
    };
    bad_server_t *server = serve_version(f, 0);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        otter_stream_t *stream = otter_stream_new(&cases[i].config);
        assert_int_not_equal(otter_stream_open(stream, cases[i].host, bad_server_port(server), true, in_ms(LATER_MS)),
                             ESP_OK);
        assert_non_null(strstr(otter_stream_error(stream), cases[i].why));
        otter_stream_free(stream);
    }
    assert_int_equal(bad_server_count(server, BAD_COUNT_CONNECTIONS), 0);
}

static void dot_at_the_end_of_a_name_is_not_part_of_it(void **state)
{
    http_fixture_t *f = *state;
    bad_server_t *server = serve_version(f, 0);
    assert_outcome(server, &(otter_http_tls_t){.ca_pem = f->ca_pem, .common_name = "localhost."}, true, false);
    assert_outcome(server, &(otter_http_tls_t){.ca_pem = f->ca_pem, .common_name = "localhost.."}, false, true);
}

/* ---- requests nobody reads ---- */

/* The server is busy with an answer that takes for ever. */
static void tls_stream_that_nobody_reads_times_out(void **state)
{
    enum { BIG = 32 * 1024 * 1024 };
    http_fixture_t *f = *state;
    bad_reply_t reply = {.body = f->pattern, .body_len = 1000, .fault = BAD_TRICKLE, .fault_at = 1, .trickle_ms = 100};
    bad_server_t *server = http_fixture_serve(f, &reply, 1);
    otter_stream_t *stream = make_stream(&(otter_http_tls_t){.ca_pem = f->ca_pem});
    char *big = calloc(1, BIG);
    assert_err(otter_stream_open(stream, "localhost", bad_server_port(server), true, in_ms(LATER_MS)), ESP_OK);
    send_get(stream);
    assert_int_equal(bad_server_await(server, BAD_COUNT_FAULTS, 1), 1);
    assert_err(otter_stream_write(stream, big, BIG, in_ms(SOON_MS)), ESP_ERR_TIMEOUT);
    otter_stream_free(stream);
    free(big);
}

static void request_that_nobody_reads_times_out(void **state)
{
    enum { BIG = 32 * 1024 * 1024 };
    uint16_t port = 0;
    char url[64];
    (void)state;
    int listener = listen_on_ipv6(&port);
    if (listener < 0) {
        fprintf(stderr, "SKIPPED: this machine has no IPv6 loopback\n");
        exit(TEST_SKIPPED);
    }
    char *big = calloc(1, BIG);
    otter_http_response_t response;
    otter_http_t *http = otter_http_new(&(otter_http_config_t){.tcp_keep_alive = false});
    snprintf(url, sizeof(url), "http://[::1]:%u/", port);
    otter_http_request_t request = {.method = "PUT", .url = url, .body = big, .body_len = BIG};
    assert_err(otter_http_open(http, &request, NULL, NULL, in_ms(SOON_MS), &response), ESP_ERR_TIMEOUT);
    assert_non_null(strstr(otter_http_error(http), "timed out while sending the request"));
    otter_http_free(http);
    free(big);
    close(listener);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_http(address_that_refuses_is_followed_by_the_next),
    cmocka_unit_test_http(address_that_says_nothing_leaves_time_for_the_next),
    cmocka_unit_test_http(refusal_that_comes_late_is_one),
    cmocka_unit_test_http(unknown_name_is_said_to_be_unknown),
    cmocka_unit_test_http(resolver_that_hangs_does_not_hold_the_caller),
    cmocka_unit_test_http(ipv6_server_is_reached),
    cmocka_unit_test_http(keep_alive_probes_are_as_configured),
    cmocka_unit_test_http(interface_is_kept_to),
    cmocka_unit_test_http(closed_stream_answers_nothing),
    cmocka_unit_test_http(body_that_a_close_ends_needs_the_servers_farewell),
    cmocka_unit_test_http(plain_body_that_a_close_ends_needs_none),
    cmocka_unit_test_http(tls_stream_is_idle_until_something_comes_or_it_ends),
    cmocka_unit_test_http(session_is_resumed_with_the_same_server_only),
    cmocka_unit_test_http(refusal_of_the_server_is_final),
    cmocka_unit_test_http(refusal_by_the_server_is_final),
    cmocka_unit_test_http(any_ca_of_a_bundle_is_trusted_and_a_damaged_one_spoils_it),
    cmocka_unit_test_http(client_certificate_and_key_may_be_der_or_one_text),
    cmocka_unit_test_http(client_key_that_cannot_be_used_is_said_so_before_connecting),
    cmocka_unit_test_http(settings_that_cannot_be_used_are_said_so_before_connecting),
    cmocka_unit_test_http(dot_at_the_end_of_a_name_is_not_part_of_it),
    cmocka_unit_test_http(tls_stream_that_nobody_reads_times_out),
    cmocka_unit_test_http(request_that_nobody_reads_times_out),
};

TEST_MAIN(tests)
