/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file main.c
 * @brief otterd: options, and what is put together from them.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "server/http/listener.h"
#include "server/http/server.h"
#include "server/options.h"
#include "server/store/dir.h"

enum { EXIT_USAGE = 2, PEM_BYTES_MAX = 1024 * 1024 };

/** Everything that runs, and in which order it is taken down. */
struct service {
    struct options options;
    struct dir dir;
    struct accesslog log;
    char *cert_pem;
    char *key_pem;
    int listen_fd;
    uint16_t port;
    struct http_server *http;
};

static void report(const char *message)
{
    fprintf(stderr, "otterd: %s\n", message);
}

static void report_errno(const char *what, const char *name)
{
    fprintf(stderr, "otterd: %s %s: %s\n", what, name, strerror(errno));
}

/* The directory as a source of files for the HTTP server. */

static enum http_found open_file(void *ctx, const char *name, struct http_file *file)
{
    struct dir_file *opened = malloc(sizeof(*opened));
    if (opened == NULL) {
        return HTTP_BUSY;
    }
    enum dir_result result = dir_open_file(ctx, name, opened);
    if (result != DIR_OK) {
        free(opened);
        return result == DIR_BUSY ? HTTP_BUSY : HTTP_NOT_FOUND;
    }
    file->size_bytes = opened->size_bytes;
    file->modified_s = opened->modified.tv_sec;
    snprintf(file->etag, sizeof(file->etag), "\"%s\"", opened->tag);
    file->handle = opened;
    return HTTP_FOUND;
}

static ssize_t read_file(void *handle, uint64_t off, void *buffer, size_t size)
{
    return dir_read(handle, off, buffer, size);
}

static void close_file(void *handle)
{
    dir_close_file(handle);
    free(handle);
}

/** Reads a whole text file, the caller's to free. @return NULL after reporting */
static char *read_pem(const char *path)
{
    char *text = malloc(PEM_BYTES_MAX + 1);
    FILE *file = fopen(path, "re");
    if (text == NULL || file == NULL) {
        report_errno("cannot read", path);
        goto failed;
    }
    size_t len = fread(text, 1, PEM_BYTES_MAX, file);
    if (ferror(file)) {
        report_errno("cannot read", path);
        goto failed;
    }
    text[len] = '\0';
    fclose(file);
    return text;
failed:
    free(text);
    if (file != NULL) {
        fclose(file);
    }
    return NULL;
}

static void free_secret(char *text)
{
    if (text != NULL) {
        explicit_bzero(text, strlen(text));
        free(text);
    }
}

/** Each connection takes a descriptor, and another for its file. */
static void raise_descriptor_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

/** Writes the port under a name that appears only when it is complete. */
static bool write_port_file(const char *path, uint16_t port)
{
    char part[PATH_MAX];
    if (snprintf(part, sizeof(part), "%s.part", path) >= (int)sizeof(part)) {
        errno = ENAMETOOLONG;
        return false;
    }
    FILE *file = fopen(part, "we");
    if (file == NULL) {
        return false;
    }
    fprintf(file, "%u\n", (unsigned)port);
    if (fclose(file) != 0 || rename(part, path) != 0) {
        int failure = errno;
        unlink(part);
        errno = failure;
        return false;
    }
    return true;
}

static bool open_inputs(struct service *service)
{
    const struct options *options = &service->options;
    if (!dir_open(&service->dir, options->root)) {
        report_errno("cannot open the directory", options->root);
        return false;
    }
    if (!accesslog_open(&service->log, options->access_log)) {
        report_errno("cannot open the access log", options->access_log);
        return false;
    }
    if (options->plain_http) {
        return true;
    }
    service->cert_pem = read_pem(options->cert);
    service->key_pem = service->cert_pem != NULL ? read_pem(options->key) : NULL;
    return service->key_pem != NULL;
}

static bool listen_there(struct service *service)
{
    const char *why;
    service->listen_fd = listener_open(service->options.listen, &service->port, &why);
    if (service->listen_fd < 0) {
        fprintf(stderr, "otterd: cannot listen on %s: %s\n", service->options.listen, why);
    }
    return service->listen_fd >= 0;
}

static bool start_http(struct service *service)
{
    const struct options *options = &service->options;
    const struct http_config config = {
        .listen_fd = service->listen_fd,
        .cert_pem = service->cert_pem,
        .key_pem = service->key_pem,
        .threads = options->threads,
        .connections_max = options->connections,
        .idle_timeout_s = options->idle_timeout_s,
        .log = &service->log,
        .files = {&service->dir, open_file, read_file, close_file},
        .report = report,
    };
    service->http = http_server_start(&config);
    if (service->http == NULL && service->cert_pem != NULL) {
        fprintf(stderr, "otterd: cannot serve with the certificate %s and the key %s\n", options->cert, options->key);
    }
    if (service->http == NULL) {
        return false;
    }
    service->listen_fd = -1; /* The server closes it now. */
    return true;
}

static bool announce(const struct service *service)
{
    const char *path = service->options.port_file;
    if (path != NULL && !write_port_file(path, service->port)) {
        report_errno("cannot write the port to", path);
        return false;
    }
    fprintf(stderr, "otterd: serving %s on port %u over %s\n", service->options.root, (unsigned)service->port,
            service->cert_pem != NULL ? "HTTPS" : "plain HTTP");
    return true;
}

static void stop_http(struct service *service)
{
    unsigned broken_off = http_server_stop(service->http, service->options.stop_timeout_s * 1000);
    if (broken_off > 0) {
        fprintf(stderr, "otterd: broke off %u transfers that had not finished after %u s\n", broken_off,
                service->options.stop_timeout_s);
    }
    service->http = NULL;
}

/** Serves until told to stop. A second signal while stopping ends the process at once. */
static void serve(struct service *service, const sigset_t *signals)
{
    for (;;) {
        int caught = 0;
        sigwait(signals, &caught);
        if (caught != SIGHUP) {
            break;
        }
        if (!accesslog_reopen(&service->log)) {
            report_errno("cannot reopen the access log", service->log.path);
        }
    }
    pthread_sigmask(SIG_UNBLOCK, signals, NULL);
    stop_http(service);
}

static void take_down(struct service *service)
{
    if (service->http != NULL) {
        stop_http(service);
    }
    if (service->listen_fd >= 0) {
        close(service->listen_fd);
    }
    free_secret(service->key_pem);
    free(service->cert_pem);
    accesslog_close(&service->log);
    dir_close(&service->dir);
}

static int run(struct service *service)
{
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGHUP);
    /* Before any thread starts, so that only serve() hears them. */
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    signal(SIGPIPE, SIG_IGN);
    raise_descriptor_limit();
    bool started = open_inputs(service) && listen_there(service) && start_http(service) && announce(service);
    if (started) {
        serve(service, &signals);
    }
    take_down(service);
    return started ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int argc, char **argv)
{
    struct service service = {.dir = {-1}, .log = {NULL, -1}, .listen_fd = -1};
    char error[OPTIONS_ERROR_SIZE];
    int status = EXIT_SUCCESS;
    enum options_result result = options_read(&service.options, argc, argv, error);
    if (result != OPTIONS_OK) {
        report(error);
        status = result == OPTIONS_WRONG ? EXIT_USAGE : EXIT_FAILURE;
    } else if (service.options.help) {
        options_print_help(stdout);
    } else if (service.options.version) {
        printf("otterd " OTTER_VERSION "\n");
    } else {
        status = run(&service);
    }
    options_free(&service.options);
    return status;
}
