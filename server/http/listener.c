/* SPDX-License-Identifier: Apache-2.0 */
#include "server/http/listener.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/** Splits "ADDR:PORT" at its last colon and takes off the brackets of an IPv6 address. */
static bool split(const char *address, char *host, size_t host_size, const char **port)
{
    const char *colon = strrchr(address, ':');
    if (colon == NULL || colon[1] == '\0') {
        return false;
    }
    size_t len = (size_t)(colon - address);
    bool bracketed = len >= 2 && address[0] == '[' && colon[-1] == ']';
    if (memchr(address, ':', len) != NULL && !bracketed) {
        return false;
    }
    address += bracketed ? 1 : 0;
    len -= bracketed ? 2 : 0;
    snprintf(host, host_size, "%.*s", (int)len, len > 0 ? address : "0.0.0.0");
    *port = colon + 1;
    return len < host_size;
}

static int open_socket(const struct addrinfo *info)
{
    const int on = 1;
    int fd = socket(info->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) {
        return -1;
    }
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0 &&
        bind(fd, info->ai_addr, info->ai_addrlen) == 0 && listen(fd, SOMAXCONN) == 0) {
        return fd;
    }
    int failure = errno;
    close(fd);
    errno = failure;
    return -1;
}

static bool get_port(int fd, uint16_t *port)
{
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } bound;
    socklen_t len = sizeof(bound);
    if (getsockname(fd, &bound.any, &len) != 0) {
        return false;
    }
    *port = ntohs(bound.any.sa_family == AF_INET6 ? bound.v6.sin6_port : bound.v4.sin_port);
    return true;
}

int listener_open(const char *address, uint16_t *port, const char **why)
{
    const struct addrinfo hints = {
        .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE,
        .ai_socktype = SOCK_STREAM,
    };
    char host[INET6_ADDRSTRLEN + 16]; /* With room for a scope, as in fe80::1%eth0. */
    const char *service;
    struct addrinfo *info = NULL;
    if (!split(address, host, sizeof(host), &service)) {
        *why = "not of the form ADDR:PORT or [ADDR]:PORT";
        return -1;
    }
    int error = getaddrinfo(host, service, &hints, &info);
    if (error != 0) {
        *why = error == EAI_NONAME ? "not a numeric address and port" : gai_strerror(error);
        return -1;
    }
    int fd = open_socket(info);
    if (fd < 0 || !get_port(fd, port)) {
        *why = strerror(errno);
    }
    freeaddrinfo(info);
    return fd;
}
