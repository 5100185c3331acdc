/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "tests/support/bad_server_internal.h"

#define ARRIVAL_MS 50

void bad_sleep_ms(unsigned ms)
{
    struct timespec time = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000L};
    nanosleep(&time, NULL);
}

bool bad_send_bytes(connection_t *c, const void *data, size_t len)
{
    const uint8_t *at = data;
    while (len > 0) {
        int piece = len > BAD_PIECE ? BAD_PIECE : (int)len;
        int sent = c->ssl != NULL ? SSL_write(c->ssl, at, piece) : (int)send(c->fd, at, (size_t)piece, 0);
        if (sent <= 0) {
            return false;
        }
        at += sent;
        len -= (size_t)sent;
    }
    return true;
}

bool bad_send_text(connection_t *c, const char *text)
{
    return bad_send_bytes(c, text, strlen(text));
}

int bad_receive_bytes(connection_t *c, void *data, size_t len)
{
    return c->ssl != NULL ? SSL_read(c->ssl, data, (int)len) : (int)recv(c->fd, data, len, 0);
}

void bad_stall(connection_t *c)
{
    char dropped[256];
    while (recv(c->fd, dropped, sizeof(dropped), 0) > 0) {
    }
    c->rude = true;
}

void bad_reset(connection_t *c)
{
    bad_sleep_ms(ARRIVAL_MS);
    struct linger linger = {.l_onoff = 1, .l_linger = 0};
    setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
    c->rude = true;
}

void bad_half_close(connection_t *c)
{
    shutdown(c->fd, SHUT_WR);
    bad_stall(c);
}
