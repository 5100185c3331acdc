/* SPDX-License-Identifier: Apache-2.0 */
/* The TCP connection: sockets that do not block, and poll(). */
#define _DEFAULT_SOURCE
#include "port/stream_openssl/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "otter/otter_os.h"

/* One wait is no longer: a deadline far away must not overflow poll's milliseconds. */
#define LONGEST_WAIT_US (60 * INT64_C(1000000))

static int wait_ms(int64_t left_us)
{
    return (int)(((left_us < LONGEST_WAIT_US ? left_us : LONGEST_WAIT_US) + 999) / 1000);
}

bool stream_wait(const otter_stream_t *stream, short events, int64_t deadline_us)
{
    struct pollfd socket = {.fd = stream->fd, .events = events};
    for (;;) {
        int64_t left_us = deadline_us - otter_now_us();
        int count = poll(&socket, 1, left_us > 0 ? wait_ms(left_us) : 0);
        if (count > 0) {
            return true;
        }
        if (left_us <= 0) {
            return false;
        }
        if (count < 0 && errno != EINTR) {
            return true; /* What is wrong, the next use of the socket says. */
        }
    }
}

static void set_option(int fd, int level, int option, int value)
{
    /* A transport without it works without. */
    (void)setsockopt(fd, level, option, &value, sizeof(value));
}

static bool prepare(otter_stream_t *stream)
{
    const otter_stream_config_t *config = &stream->config;
    int fd = stream->fd;
    set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    if (config->tcp_keep_alive) {
        set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
        set_option(fd, IPPROTO_TCP, TCP_KEEPIDLE, config->tcp_keep_alive_idle_s);
        set_option(fd, IPPROTO_TCP, TCP_KEEPINTVL, config->tcp_keep_alive_interval_s);
        set_option(fd, IPPROTO_TCP, TCP_KEEPCNT, config->tcp_keep_alive_count);
    }
    /* Bytes that go out by the wrong interface are worse than none. */
    if (config->if_name != NULL &&
        setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, config->if_name, (socklen_t)strlen(config->if_name)) != 0) {
        stream_set_os_error(stream, "cannot use the network interface", errno);
        return false;
    }
    return true;
}

static int pending_error(int fd)
{
    int code = 0;
    socklen_t len = sizeof(code);
    return getsockopt(fd, SOL_SOCKET, SO_ERROR, &code, &len) == 0 ? code : errno;
}

static esp_err_t connect_socket(otter_stream_t *stream, const struct addrinfo *address, int64_t deadline_us)
{
    if (connect(stream->fd, address->ai_addr, address->ai_addrlen) != 0 && errno != EINPROGRESS && errno != EINTR) {
        stream_set_os_error(stream, "cannot connect", errno);
        return ESP_FAIL;
    }
    if (!stream_wait(stream, POLLOUT, deadline_us)) {
        return ESP_ERR_TIMEOUT;
    }
    int code = pending_error(stream->fd);
    if (code != 0) {
        stream_set_os_error(stream, "cannot connect", code);
        return ESP_FAIL;
    }
    return ESP_OK;
}

static bool is_wanted(const otter_stream_t *stream, const struct addrinfo *address)
{
    int version = stream->config.ip_version;
    return version == 0 || address->ai_family == (version == 4 ? AF_INET : AF_INET6);
}

static esp_err_t try_address(otter_stream_t *stream, const struct addrinfo *address, int64_t deadline_us)
{
    stream->fd = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, address->ai_protocol);
    if (stream->fd < 0) {
        stream_set_os_error(stream, "cannot make a socket", errno);
        return ESP_FAIL;
    }
    esp_err_t err = prepare(stream) ? connect_socket(stream, address, deadline_us) : ESP_FAIL;
    if (err != ESP_OK) {
        close(stream->fd);
        stream->fd = -1;
    }
    return err;
}

static int count_wanted(const otter_stream_t *stream, const struct addrinfo *address)
{
    int count = 0;
    for (; address != NULL; address = address->ai_next) {
        count += is_wanted(stream, address);
    }
    return count;
}

/* An address that says nothing may not use up the time of those behind it. */
static int64_t share_of(int64_t deadline_us, int addresses_left)
{
    int64_t now_us = otter_now_us();
    return deadline_us > now_us ? now_us + (deadline_us - now_us) / addresses_left : deadline_us;
}

esp_err_t stream_connect(otter_stream_t *stream, const char *host, uint16_t port, int64_t deadline_us)
{
    struct addrinfo *found = NULL;
    esp_err_t err = stream_look_up(stream, host, port, deadline_us, &found);
    if (err != ESP_OK) {
        return err;
    }
    err = ESP_FAIL;
    stream_set_error(stream, "no address of the IP version wanted");
    for (const struct addrinfo *at = found; at != NULL && err != ESP_OK; at = at->ai_next) {
        if (is_wanted(stream, at)) {
            err = try_address(stream, at, share_of(deadline_us, count_wanted(stream, at)));
        }
    }
    freeaddrinfo(found);
    return err;
}
