/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/server/otterd.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/certs.h"
#include "tests/support/test.h"

enum { CLIENT_TIMEOUT_S = 20 };

uint8_t otterd_byte(uint64_t off)
{
    return (uint8_t)((off * 2654435761U) >> 13);
}

char *otterd_path(const struct otterd *otterd, const char *name, char path[static 128])
{
    snprintf(path, 128, "%s/%s", otterd->home, name);
    return path;
}

void otterd_put(const struct otterd *otterd, const char *path, const void *bytes, size_t len)
{
    char full[128];
    FILE *file = fopen(otterd_path(otterd, path, full), "w");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, len, file), len);
    assert_int_equal(fclose(file), 0);
}

void otterd_put_pattern(const struct otterd *otterd, const char *path, size_t len)
{
    uint8_t *bytes = malloc(len > 0 ? len : 1);
    assert_non_null(bytes);
    for (size_t i = 0; i < len; i++) {
        bytes[i] = otterd_byte(i);
    }
    otterd_put(otterd, path, bytes, len);
    free(bytes);
}

static void make_certificates(const struct otterd *otterd)
{
    certs_ca_t *ca = certs_ca_new("Test CA");
    certs_leaf_t leaf = certs_leaf_new(ca, &(certs_spec_t){0});
    otterd_put(otterd, "ca.pem", certs_ca_pem(ca), strlen(certs_ca_pem(ca)));
    otterd_put(otterd, "cert.pem", leaf.cert_pem, strlen(leaf.cert_pem));
    otterd_put(otterd, "key.pem", leaf.key_pem, strlen(leaf.key_pem));
    certs_leaf_free(&leaf);
    certs_ca_free(ca);
}

void otterd_prepare(struct otterd *otterd, bool is_secure)
{
    char path[128];
    memset(otterd, 0, sizeof(*otterd));
    otterd->err_fd = -1;
    otterd->is_secure = is_secure;
    strcpy(otterd->home, "/tmp/otterd-XXXXXX");
    assert_non_null(mkdtemp(otterd->home));
    assert_int_equal(mkdir(otterd_path(otterd, "root", path), 0700), 0);
    if (is_secure) {
        make_certificates(otterd);
    }
}

/** Forks and executes it with its standard error on a pipe. */
static void spawn(struct otterd *otterd, const char *const *args)
{
    char *argv[OTTERD_ARGS_MAX + 2] = {(char *)(uintptr_t)OTTERD_PROGRAM};
    int ends[2];
    for (size_t i = 0; args[i] != NULL; i++) {
        assert_true(i < OTTERD_ARGS_MAX);
        argv[i + 1] = (char *)(uintptr_t)args[i];
    }
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    otterd->pid = fork();
    assert_true(otterd->pid >= 0);
    if (otterd->pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL); /* A test that fails leaves no server behind. */
        dup2(ends[1], STDERR_FILENO);
        execv(OTTERD_PROGRAM, argv);
        _exit(127);
    }
    close(ends[1]);
    otterd->err_fd = ends[0];
    otterd->err[0] = '\0';
}

/** Reads what it reports until that contains a text, or until it has ended. */
static bool await_report(struct otterd *otterd, const char *text)
{
    size_t len = strlen(otterd->err);
    while (text == NULL || strstr(otterd->err, text) == NULL) {
        ssize_t got = read(otterd->err_fd, otterd->err + len, sizeof(otterd->err) - 1 - len);
        if (got <= 0) {
            return false;
        }
        len += (size_t)got;
        otterd->err[len] = '\0';
    }
    return true;
}

void otterd_start(struct otterd *otterd, const char *const *args)
{
    char root[128], log[128], port[128], cert[128], key[128];
    const char *secure[] = {"--cert", otterd_path(otterd, "cert.pem", cert), "--key",
                            otterd_path(otterd, "key.pem", key)};
    const char *all[OTTERD_ARGS_MAX + 1] = {
        "--root",       otterd_path(otterd, "root", root),
        "--access-log", otterd_path(otterd, "log", log),
        "--listen",     "127.0.0.1:0",
        "--port-file",  otterd_path(otterd, "port", port),
    };
    size_t count = 8;
    if (otterd->is_secure) {
        memcpy(all + count, secure, sizeof(secure));
        count += 4;
    } else {
        all[count++] = "--plain-http";
    }
    for (; args != NULL && *args != NULL; args++) {
        assert_true(count < OTTERD_ARGS_MAX);
        all[count++] = *args;
    }
    spawn(otterd, all);
    if (!await_report(otterd, "serving ")) {
        fail_msg("otterd did not start: %s", otterd->err);
    }
    char *text = otterd_read(otterd, "port");
    otterd->port = (uint16_t)atoi(text);
    free(text);
    assert_true(otterd->port > 0);
}

int otterd_wait(struct otterd *otterd)
{
    int status = 0;
    await_report(otterd, NULL);
    close(otterd->err_fd);
    otterd->err_fd = -1;
    assert_int_equal(waitpid(otterd->pid, &status, 0), otterd->pid);
    otterd->pid = 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int otterd_run(struct otterd *otterd, const char *const *args)
{
    spawn(otterd, args);
    return otterd_wait(otterd);
}

int otterd_stop(struct otterd *otterd)
{
    assert_int_equal(kill(otterd->pid, SIGTERM), 0);
    return otterd_wait(otterd);
}

void otterd_remove(struct otterd *otterd)
{
    char command[64];
    if (otterd->pid > 0) {
        kill(otterd->pid, SIGKILL);
        otterd_wait(otterd);
    }
    snprintf(command, sizeof(command), "rm -rf '%s'", otterd->home);
    assert_int_equal(system(command), 0);
}

char *otterd_read(const struct otterd *otterd, const char *name)
{
    char path[128];
    struct stat stat;
    FILE *file = fopen(otterd_path(otterd, name, path), "r");
    if (file == NULL) {
        fail_msg("%s: %s", path, strerror(errno));
    }
    assert_int_equal(fstat(fileno(file), &stat), 0);
    char *text = calloc(1, (size_t)stat.st_size + 1);
    assert_non_null(text);
    assert_int_equal(fread(text, 1, (size_t)stat.st_size, file), stat.st_size);
    fclose(file);
    return text;
}

int otterd_connect(const struct otterd *otterd, int receive_bytes)
{
    const struct timeval timeout = {.tv_sec = CLIENT_TIMEOUT_S};
    const struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_port = htons(otterd->port),
        .sin_addr = {htonl(INADDR_LOOPBACK)},
    };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
    if (receive_bytes > 0) {
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receive_bytes, sizeof(receive_bytes));
    }
    if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

size_t otterd_drain(int fd, uint8_t *bytes, size_t size)
{
    size_t len = 0;
    while (len < size) {
        ssize_t got = recv(fd, bytes + len, size - len, 0);
        if (got < 0 && errno == EAGAIN) {
            fail_msg("nothing came for %d s", CLIENT_TIMEOUT_S);
        }
        if (got <= 0) {
            break;
        }
        len += (size_t)got;
    }
    return len;
}

char *otterd_exchange_len(const struct otterd *otterd, const void *bytes, size_t len, size_t *answer_len)
{
    const size_t size = 256 * 1024;
    char *answer = malloc(size + 1);
    int fd = otterd_connect(otterd, 0);
    assert_non_null(answer);
    assert_true(fd >= 0);
    /* It may close before it has read everything: what counts is its answer. */
    (void)!send(fd, bytes, len, MSG_NOSIGNAL);
    *answer_len = otterd_drain(fd, (uint8_t *)answer, size);
    answer[*answer_len] = '\0';
    close(fd);
    return answer;
}

char *otterd_exchange(const struct otterd *otterd, const void *bytes, size_t len)
{
    size_t answer_len;
    return otterd_exchange_len(otterd, bytes, len, &answer_len);
}

char *otterd_get(const struct otterd *otterd, const char *target, const char *headers)
{
    const size_t size = strlen(target) + strlen(headers) + 100;
    char *request = malloc(size);
    assert_non_null(request);
    int len =
        snprintf(request, size, "GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n%s\r\n", target, headers);
    char *answer = otterd_exchange(otterd, request, (size_t)len);
    free(request);
    return answer;
}

int otterd_status(const char *answer)
{
    int status = 0;
    if (sscanf(answer, "HTTP/1.1 %3d ", &status) != 1) {
        fail_msg("no answer: '%.100s'", answer);
    }
    return status;
}
