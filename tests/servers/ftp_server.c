/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/servers/ftp_server.h"

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "tests/support/test.h"

struct ftp_server {
    ftp_script_t script;
    int listener;
    uint16_t port;
    int passive; /* Listens for a data connection; -1: none does. */
    int control; /* -1: none. */
    size_t rest;
    pthread_t thread;
    pthread_mutex_t mutex;
    bool stopping;
    unsigned connections;
    char commands[8192]; /* All of them, each with its line end. */
};

static int listen_anywhere(uint16_t *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(fd, (struct sockaddr *)&address, len) != 0 || listen(fd, 8) != 0 ||
        getsockname(fd, (struct sockaddr *)&address, &len) != 0) {
        abort();
    }
    *port = ntohs(address.sin_port);
    return fd;
}

static void reply(const ftp_server_t *server, const char *usual, const char *scripted)
{
    char line[256];
    int len = snprintf(line, sizeof(line), "%s\r\n", scripted != NULL ? scripted : usual);
    (void)!send(server->control, line, (size_t)len, MSG_NOSIGNAL);
}

/* ---- data ---- */

static void open_passive(ftp_server_t *server, bool extended)
{
    char text[96];
    uint16_t port = 1;
    const char *host = server->script.passive_host;
    if (extended && host != NULL) {
        reply(server, "500 what?", NULL);
        return;
    }
    if (server->passive >= 0) {
        close(server->passive);
    }
    server->passive = server->script.dead_passive ? -1 : listen_anywhere(&port);
    if (extended) {
        snprintf(text, sizeof(text), "229 Entering Extended Passive Mode (|||%u|)", port);
    } else {
        snprintf(text, sizeof(text), "227 Entering Passive Mode (%s,%u,%u)", host != NULL ? host : "127,0,0,1",
                 port >> 8, port & 255u);
    }
    reply(server, text, NULL);
}

static bool is_stopping(ftp_server_t *server)
{
    pthread_mutex_lock(&server->mutex);
    bool stopping = server->stopping;
    pthread_mutex_unlock(&server->mutex);
    return stopping;
}

static void stall(ftp_server_t *server, unsigned ms)
{
    for (unsigned waited_ms = 0; waited_ms < ms && !is_stopping(server); waited_ms += 10) {
        nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
    }
}

static bool send_all(int fd, const uint8_t *bytes, size_t len)
{
    while (len > 0) {
        ssize_t sent = send(fd, bytes, len, MSG_NOSIGNAL);
        if (sent <= 0) {
            return false;
        }
        bytes += sent;
        len -= (size_t)sent;
    }
    return true;
}

static void send_data(ftp_server_t *server, int fd)
{
    const ftp_script_t *script = &server->script;
    size_t end = script->cut_at > 0 && script->cut_at < script->len ? script->cut_at : script->len;
    size_t pause = script->stall_at > server->rest && script->stall_at < end ? script->stall_at : server->rest;
    bool goes_on = send_all(fd, script->bytes + server->rest, pause - server->rest);
    if (pause > server->rest) {
        stall(server, script->stall_ms);
    }
    if (goes_on && pause < end) {
        (void)send_all(fd, script->bytes + pause, end - pause);
    }
}

static void retrieve(ftp_server_t *server)
{
    if (server->script.retr_reply != NULL) {
        reply(server, NULL, server->script.retr_reply);
        return;
    }
    reply(server, "150 here it comes", NULL);
    int fd = accept(server->passive, NULL, NULL);
    if (fd >= 0 && server->rest <= server->script.len) {
        send_data(server, fd);
        shutdown(fd, SHUT_WR);
        close(fd);
    }
    server->rest = 0;
    const char *end_reply = server->script.end_reply;
    if (end_reply == NULL || end_reply[0] != '\0') {
        reply(server, "226 done", end_reply);
    }
}

/* ---- control ---- */

static void tell_size(ftp_server_t *server)
{
    char text[32];
    snprintf(text, sizeof(text), "213 %zu", server->script.len);
    reply(server, text, server->script.size_reply);
    if (server->script.next_size_reply != NULL) {
        server->script.size_reply = server->script.next_size_reply;
    }
}

static void take_rest(ftp_server_t *server, const char *argument)
{
    bool known = server->script.rest_reply == NULL;
    server->rest = known ? (size_t)strtoul(argument, NULL, 10) : 0;
    reply(server, "350 from there", server->script.rest_reply);
}

static bool is(const char *line, const char *command)
{
    return strncmp(line, command, strlen(command)) == 0;
}

/* @return false: the connection ends */
static bool obey(ftp_server_t *server, const char *line)
{
    const ftp_script_t *script = &server->script;
    if (is(line, "QUIT")) {
        if (!script->silent_quit) {
            reply(server, "221 bye", NULL);
        }
        return script->silent_quit;
    }
    if (is(line, "EPSV") || is(line, "PASV")) {
        open_passive(server, line[0] == 'E');
    } else if (is(line, "RETR ")) {
        retrieve(server);
    } else if (is(line, "SIZE ")) {
        tell_size(server);
    } else if (is(line, "REST ")) {
        take_rest(server, line + 5);
    } else {
        static const char *const usual[][2] = {{"USER ", "331 and the password?"}, {"PASS ", "230 welcome"},
                                               {"PWD", "257 \"/\" is here"},       {"CWD dir", "250 in it"},
                                               {"TYPE I", "200 binary"},           {"MDTM ", "213 20200102030405"}};
        const char *text = "550 there is no such thing";
        for (size_t i = 0; i < sizeof(usual) / sizeof(usual[0]); i++) {
            text = is(line, usual[i][0]) ? usual[i][1] : text;
        }
        const char *scripted = is(line, "PASS ") ? script->pass_reply : is(line, "MDTM ") ? script->mdtm_reply : NULL;
        reply(server, text, scripted);
    }
    return true;
}

static void note(ftp_server_t *server, const char *line)
{
    pthread_mutex_lock(&server->mutex);
    size_t len = strlen(server->commands);
    snprintf(server->commands + len, sizeof(server->commands) - len, "%s\n", line);
    pthread_mutex_unlock(&server->mutex);
}

/* Reads a line without its end. @return false if the connection ended */
static bool take_line(int fd, char *line, size_t size)
{
    size_t len = 0;
    while (len + 1 < size && recv(fd, line + len, 1, 0) == 1) {
        if (line[len] == '\n') {
            line[len - (len > 0 && line[len - 1] == '\r')] = '\0';
            return true;
        }
        len++;
    }
    return false;
}

static void serve(ftp_server_t *server)
{
    char line[512];
    reply(server, "220 hello", server->script.greeting);
    while (take_line(server->control, line, sizeof(line))) {
        note(server, line);
        if (!obey(server, line)) {
            return;
        }
    }
}

static void *run(void *arg)
{
    ftp_server_t *server = arg;
    for (;;) {
        int fd = accept(server->listener, NULL, NULL);
        if (fd < 0) {
            return NULL;
        }
        pthread_mutex_lock(&server->mutex);
        server->control = fd;
        server->connections++;
        pthread_mutex_unlock(&server->mutex);
        serve(server);
        pthread_mutex_lock(&server->mutex);
        server->control = -1;
        pthread_mutex_unlock(&server->mutex);
        close(fd);
    }
}

ftp_server_t *ftp_server_start(const ftp_script_t *script)
{
    ftp_server_t *server = calloc(1, sizeof(*server));
    assert_non_null(server);
    server->script = *script;
    server->passive = -1;
    server->control = -1;
    server->listener = listen_anywhere(&server->port);
    pthread_mutex_init(&server->mutex, NULL);
    assert_int_equal(pthread_create(&server->thread, NULL, run, server), 0);
    return server;
}

uint16_t ftp_server_port(const ftp_server_t *server)
{
    return server->port;
}

unsigned ftp_server_connections(ftp_server_t *server)
{
    pthread_mutex_lock(&server->mutex);
    unsigned count = server->connections;
    pthread_mutex_unlock(&server->mutex);
    return count;
}

unsigned ftp_server_count(ftp_server_t *server, const char *command)
{
    unsigned count = 0;
    pthread_mutex_lock(&server->mutex);
    for (const char *line = server->commands; *line != '\0'; line += strcspn(line, "\n") + 1) {
        count += is(line, command);
    }
    pthread_mutex_unlock(&server->mutex);
    return count;
}

void ftp_server_stop(ftp_server_t *server)
{
    pthread_mutex_lock(&server->mutex);
    server->stopping = true;
    shutdown(server->listener, SHUT_RDWR);
    if (server->control >= 0) {
        shutdown(server->control, SHUT_RDWR);
    }
    pthread_mutex_unlock(&server->mutex);
    pthread_join(server->thread, NULL);
    if (server->passive >= 0) {
        close(server->passive);
    }
    close(server->listener);
    pthread_mutex_destroy(&server->mutex);
    free(server);
}
