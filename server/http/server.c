/* SPDX-License-Identifier: Apache-2.0 */
#include "server/http/server.h"

#include <microhttpd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "server/http/request.h"

/** What a request line with its headers may take. */
#define HEADER_BYTES_MAX ((size_t)16 * 1024)

/** GnuTLS's words for: its own defaults, but nothing older than TLS 1.2, and the server's choice of cipher. */
#define TLS_PRIORITIES "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:%SERVER_PRECEDENCE"

/** Targets are decoded in path.c, where a NUL or a broken escape does not get lost. */
static size_t leave_escaped(void *cls, struct MHD_Connection *connection, char *text)
{
    (void)cls;
    (void)connection;
    return strlen(text);
}

static void report_library(void *cls, const char *format, va_list args)
{
    const struct http_server *server = cls;
    char message[512];
    vsnprintf(message, sizeof(message), format, args);
    message[strcspn(message, "\r\n")] = '\0';
    server->config.report(message);
}

/** The condition's clock must be one that nobody sets. */
static bool init_waiting(struct http_server *server)
{
    pthread_condattr_t attributes;
    if (pthread_condattr_init(&attributes) != 0) {
        return false;
    }
    bool ready = pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) == 0 &&
                 pthread_cond_init(&server->idle, &attributes) == 0;
    pthread_condattr_destroy(&attributes);
    return ready && pthread_mutex_init(&server->lock, NULL) == 0;
}

static struct MHD_Daemon *start_daemon(struct http_server *server)
{
    const struct http_config *config = &server->config;
    unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_ITC | MHD_USE_ERROR_LOG;
    struct MHD_OptionItem tls[] = {
        {MHD_OPTION_HTTPS_MEM_CERT, 0, (void *)(uintptr_t)config->cert_pem},
        {MHD_OPTION_HTTPS_MEM_KEY, 0, (void *)(uintptr_t)config->key_pem},
        {MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)(uintptr_t)TLS_PRIORITIES},
        {MHD_OPTION_END, 0, NULL},
    };
    struct MHD_OptionItem pool[] = {
        {MHD_OPTION_THREAD_POOL_SIZE, (intptr_t)config->threads, NULL},
        {MHD_OPTION_END, 0, NULL},
    };
    const struct MHD_OptionItem none[] = {{MHD_OPTION_END, 0, NULL}};
    bool is_secure = config->cert_pem != NULL;
    if (is_secure) {
        flags |= MHD_USE_TLS;
    }
    return MHD_start_daemon(flags, 0, NULL, NULL, request_handle, server, MHD_OPTION_EXTERNAL_LOGGER, report_library,
                            server, MHD_OPTION_LISTEN_SOCKET, config->listen_fd, MHD_OPTION_CONNECTION_LIMIT,
                            config->connections_max, MHD_OPTION_CONNECTION_TIMEOUT, config->idle_timeout_s,
                            MHD_OPTION_CONNECTION_MEMORY_LIMIT, HEADER_BYTES_MAX, MHD_OPTION_UNESCAPE_CALLBACK,
                            leave_escaped, NULL, MHD_OPTION_URI_LOG_CALLBACK, request_begin, server,
                            MHD_OPTION_NOTIFY_COMPLETED, request_end, server, MHD_OPTION_ARRAY, is_secure ? tls : none,
                            MHD_OPTION_ARRAY, config->threads > 1 ? pool : none, MHD_OPTION_END);
}

struct http_server *http_server_start(const struct http_config *config)
{
    struct http_server *server = calloc(1, sizeof(*server));
    if (server == NULL) {
        config->report("out of memory");
        return NULL;
    }
    server->config = *config;
    if (!init_waiting(server)) {
        config->report("cannot create a lock");
        goto failed;
    }
    server->daemon = start_daemon(server);
    if (server->daemon == NULL) {
        /* The library has reported why. */
        goto failed;
    }
    return server;
failed:
    free(server);
    return NULL;
}

static struct timespec get_deadline(unsigned timeout_ms)
{
    struct timespec deadline;
    clock_gettime(CLOCK_MONOTONIC, &deadline);
    deadline.tv_sec += (time_t)(timeout_ms / 1000);
    deadline.tv_nsec += (long)(timeout_ms % 1000) * 1000000;
    if (deadline.tv_nsec >= 1000000000) {
        deadline.tv_sec++;
        deadline.tv_nsec -= 1000000000;
    }
    return deadline;
}

/** Waits for requests to end. @return how many have not */
static unsigned wait_idle(struct http_server *server, unsigned timeout_ms)
{
    const struct timespec deadline = get_deadline(timeout_ms);
    int result = 0;
    pthread_mutex_lock(&server->lock);
    while (server->running > 0 && result == 0) {
        result = pthread_cond_timedwait(&server->idle, &server->lock, &deadline);
    }
    unsigned running = server->running;
    pthread_mutex_unlock(&server->lock);
    return running;
}

unsigned http_server_stop(struct http_server *server, unsigned timeout_ms)
{
    atomic_store(&server->stopping, true);
    MHD_quiesce_daemon(server->daemon);
    /* Only this refuses new connections at once; otherwise the kernel would let them wait for nothing. */
    shutdown(server->config.listen_fd, SHUT_RDWR);
    unsigned broken_off = wait_idle(server, timeout_ms);
    MHD_stop_daemon(server->daemon);
    close(server->config.listen_fd);
    pthread_cond_destroy(&server->idle);
    pthread_mutex_destroy(&server->lock);
    free(server);
    return broken_off;
}
