/* SPDX-License-Identifier: Apache-2.0 */
/* Life of a stream, and the plain bytes. */
#define _DEFAULT_SOURCE
#include "port/stream_openssl/stream.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

void stream_set_error(otter_stream_t *stream, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(stream->error, sizeof(stream->error), format, args);
    va_end(args);
}

void stream_set_os_error(otter_stream_t *stream, const char *what, int code)
{
    char text[128];
    if (strerror_r(code, text, sizeof(text)) != 0) {
        snprintf(text, sizeof(text), "error %d", code);
    }
    stream_set_error(stream, "%s: %s", what, text);
}

const char *otter_stream_error(const otter_stream_t *stream)
{
    return stream->error;
}

/* ---- open ---- */

static esp_err_t connect_all(otter_stream_t *stream, const char *host, uint16_t port, bool tls, int64_t deadline_us)
{
    /* First what can be wrong without a connection. */
    esp_err_t err = tls ? stream_prepare_tls(stream) : ESP_OK;
    if (err == ESP_OK) {
        err = stream_connect(stream, host, port, deadline_us);
    }
    if (err == ESP_OK && tls) {
        err = stream_start_tls(stream, host, port, deadline_us);
    }
    return err;
}

esp_err_t otter_stream_open(otter_stream_t *stream, const char *host, uint16_t port, bool tls, int64_t deadline_us)
{
    otter_stream_close(stream);
    stream->error[0] = '\0';
    if (strlen(host) >= OTTER_STREAM_HOST_BYTES) {
        stream_set_error(stream, "the host name is too long");
        return ESP_FAIL;
    }
    esp_err_t err = connect_all(stream, host, port, tls, deadline_us);
    if (err == ESP_OK) {
        stream->error[0] = '\0'; /* An address before the one that answered may have left a word. */
        return ESP_OK;
    }
    if (err == ESP_ERR_TIMEOUT) {
        stream_set_error(stream, "timed out");
    } else if (err == ESP_ERR_NO_MEM) {
        stream_set_error(stream, "out of memory");
    }
    otter_stream_close(stream);
    return err;
}

/* ---- bytes ---- */

static bool would_block(int code)
{
    return code == EAGAIN || code == EWOULDBLOCK || code == EINTR;
}

static esp_err_t give_up(otter_stream_t *stream, const char *what, int code)
{
    stream->dead = true;
    stream_set_os_error(stream, what, code);
    return ESP_FAIL;
}

static esp_err_t report_timeout(otter_stream_t *stream)
{
    stream_set_error(stream, "timed out");
    return ESP_ERR_TIMEOUT;
}

static esp_err_t write_plain(otter_stream_t *stream, const void *src, size_t len, int64_t deadline_us)
{
    const char *at = src;
    while (len > 0) {
        ssize_t sent = send(stream->fd, at, len, MSG_NOSIGNAL);
        if (sent >= 0) {
            at += sent;
            len -= (size_t)sent;
        } else if (!would_block(errno)) {
            return give_up(stream, "the connection broke while sending", errno);
        } else if (!stream_wait(stream, POLLOUT, deadline_us)) {
            return report_timeout(stream);
        }
    }
    return ESP_OK;
}

static esp_err_t read_plain(otter_stream_t *stream, void *dst, size_t len, size_t *got, int64_t deadline_us)
{
    for (;;) {
        ssize_t count = recv(stream->fd, dst, len, 0);
        if (count >= 0) {
            *got = (size_t)count;
            return ESP_OK;
        }
        if (!would_block(errno)) {
            return give_up(stream, "the connection broke", errno);
        }
        if (!stream_wait(stream, POLLIN, deadline_us)) {
            return report_timeout(stream);
        }
    }
}

static bool is_usable(otter_stream_t *stream)
{
    if (stream->fd < 0) {
        stream_set_error(stream, "not connected");
    } else if (!stream->dead) {
        stream->error[0] = '\0';
    }
    return stream->fd >= 0 && !stream->dead;
}

esp_err_t otter_stream_write(otter_stream_t *stream, const void *src, size_t len, int64_t deadline_us)
{
    if (!is_usable(stream)) {
        return ESP_FAIL;
    }
    return stream->ssl != NULL ? stream_write_tls(stream, src, len, deadline_us)
                               : write_plain(stream, src, len, deadline_us);
}

esp_err_t otter_stream_read(otter_stream_t *stream, void *dst, size_t len, size_t *got, int64_t deadline_us)
{
    *got = 0;
    if (!is_usable(stream)) {
        return ESP_FAIL;
    }
    return stream->ssl != NULL ? stream_read_tls(stream, dst, len, got, deadline_us)
                               : read_plain(stream, dst, len, got, deadline_us);
}

bool otter_stream_is_idle(otter_stream_t *stream)
{
    char unasked = 0;
    if (stream->fd < 0 || stream->dead) {
        return false;
    }
    if (stream->ssl != NULL) {
        return stream_is_tls_idle(stream);
    }
    return recv(stream->fd, &unasked, 1, MSG_PEEK) < 0 && would_block(errno);
}

/* ---- life ---- */

void otter_stream_close(otter_stream_t *stream)
{
    if (stream->ssl != NULL && !stream->dead) {
        (void)SSL_shutdown(stream->ssl);
    }
    SSL_free(stream->ssl);
    stream->ssl = NULL;
    if (stream->fd >= 0) {
        close(stream->fd);
    }
    stream->fd = -1;
    stream->dead = false;
}

/* OpenSSL writes to sockets with write(): a server that hangs up must not end the process. */
static void ignore_sigpipe(void)
{
    struct sigaction old;
    if (sigaction(SIGPIPE, NULL, &old) == 0 && (old.sa_flags & SA_SIGINFO) == 0 && old.sa_handler == SIG_DFL) {
        signal(SIGPIPE, SIG_IGN);
    }
}

otter_stream_t *otter_stream_new(const otter_stream_config_t *config)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    (void)pthread_once(&once, ignore_sigpipe);
    if (!stream_is_ca_readable(&config->tls)) {
        return NULL;
    }
    otter_stream_t *stream = calloc(1, sizeof(*stream));
    if (stream != NULL) {
        stream->config = *config;
        stream->fd = -1;
    }
    return stream;
}

void otter_stream_free(otter_stream_t *stream)
{
    if (stream == NULL) {
        return;
    }
    otter_stream_close(stream);
    SSL_SESSION_free(stream->session);
    SSL_CTX_free(stream->context);
    free(stream);
}
