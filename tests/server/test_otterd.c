/* SPDX-License-Identifier: Apache-2.0 */
/* A real otterd over plain HTTP, by a client that sends exactly what it is told to. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "tests/server/otterd.h"
#include "tests/support/test.h"

enum { FW_LEN = 100000, BIG_LEN = 48 * 1024 * 1024, SMALL_WINDOW = 4096, TAKEN_LEN = 16 * 1024 * 1024 };

static struct otterd otterd;

static int set_up(void **state)
{
    char path[128];
    (void)state;
    otterd_prepare(&otterd, false);
    otterd_put_pattern(&otterd, "root/fw.bin", FW_LEN);
    otterd_put(&otterd, "root/empty", "", 0);
    otterd_put(&otterd, "root/.hidden", "secret", 6);
    otterd_put(&otterd, "secret", "secret", 6);
    return mkdir(otterd_path(&otterd, "root/sub", path), 0700);
}

static int tear_down(void **state)
{
    (void)state;
    otterd_remove(&otterd);
    return 0;
}

/** One request and what must come back. */
static void expect_answer(const char *target, const char *headers, int status, const char *line)
{
    char *answer = otterd_get(&otterd, target, headers);
    print_message("%s %s", target, headers);
    assert_int_equal(otterd_status(answer), status);
    if (strstr(answer, line) == NULL) {
        fail_msg("no '%s' in: %.600s", line, answer);
    }
    free(answer);
}

static const uint8_t *body_of(const char *answer)
{
    const char *blank = strstr(answer, "\r\n\r\n");
    assert_non_null(blank);
    return (const uint8_t *)blank + 4;
}

static bool is_pattern(const uint8_t *bytes, size_t len, uint64_t off)
{
    for (size_t i = 0; i < len; i++) {
        if (bytes[i] != otterd_byte(off + i)) {
            return false;
        }
    }
    return true;
}

/** Copies the value of a header. */
static void get_header(const char *answer, const char *name, char *value, size_t value_size)
{
    const char *at = strstr(answer, name);
    assert_non_null(at);
    at += strlen(name) + 2;
    snprintf(value, value_size, "%.*s", (int)strcspn(at, "\r"), at);
}

static void a_file_comes_whole_with_all_that_describes_it(void **state)
{
    static const char *const lines[] = {"\r\nContent-Length: 100000\r\n",
                                        "\r\nAccept-Ranges: bytes\r\n",
                                        "\r\nContent-Type: application/octet-stream\r\n",
                                        "\r\nETag: \"",
                                        "\r\nLast-Modified: ",
                                        "\r\nDate: ",
                                        "\r\nCache-Control: no-cache\r\n"};
    (void)state;
    otterd_start(&otterd, NULL);
    char *answer = otterd_get(&otterd, "/fw.bin", "");
    assert_int_equal(otterd_status(answer), 200);
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        assert_non_null(strstr(answer, lines[i]));
    }
    assert_true(is_pattern(body_of(answer), FW_LEN, 0));
    free(answer);
    expect_answer("/empty", "", 200, "\r\nContent-Length: 0\r\n");
    assert_int_equal(otterd_stop(&otterd), 0);
}

static void ranges_come_as_parts(void **state)
{
    (void)state;
    otterd_start(&otterd, NULL);
    char *answer = otterd_get(&otterd, "/fw.bin", "Range: bytes=70000-70999\r\n");
    assert_int_equal(otterd_status(answer), 206);
    assert_non_null(strstr(answer, "\r\nContent-Range: bytes 70000-70999/100000\r\n"));
    assert_non_null(strstr(answer, "\r\nContent-Length: 1000\r\n"));
    assert_true(is_pattern(body_of(answer), 1000, 70000));
    free(answer);
    expect_answer("/fw.bin", "Range: bytes=99999-\r\n", 206, "Content-Range: bytes 99999-99999/100000\r\n");
    expect_answer("/fw.bin", "Range: bytes=-5\r\n", 206, "Content-Range: bytes 99995-99999/100000\r\n");
    expect_answer("/fw.bin", "Range: bytes=0-\r\n", 206, "Content-Range: bytes 0-99999/100000\r\n");
    expect_answer("/fw.bin", "Range: bytes=5-4\r\n", 200, "Content-Length: 100000\r\n");
    expect_answer("/fw.bin", "Range: bytes=0-,5-6\r\n", 200, "Content-Length: 100000\r\n");
    expect_answer("/fw.bin", "Range: bytes=100000-\r\n", 416, "Content-Range: bytes */100000\r\n");
    expect_answer("/empty", "Range: bytes=0-\r\n", 416, "Content-Range: bytes */0\r\n");
    expect_answer("/empty", "Range: bytes=-1\r\n", 416, "Content-Range: bytes */0\r\n");
}

/** The place behind what must stand there. */
static const char *expect_text(const char *at, const char *text)
{
    if (strncmp(at, text, strlen(text)) != 0) {
        fail_msg("'%.200s' instead of '%s'", at, text);
    }
    return at + strlen(text);
}

static void several_ranges_come_as_parts_of_one_body(void **state)
{
    char boundary[64];
    char line[128];
    (void)state;
    otterd_start(&otterd, NULL);
    char *answer = otterd_get(&otterd, "/fw.bin", "Range: bytes=99990-,0-69999\r\n");
    assert_int_equal(otterd_status(answer), 206);
    get_header(answer, "Content-Type", line, sizeof(line));
    assert_int_equal(sscanf(line, "multipart/byteranges; boundary=%60s", boundary), 1);
    assert_null(strstr(answer, "\r\nContent-Range: bytes 99990-99999/100000\r\nContent-Length"));
    const char *body = (const char *)body_of(answer);
    get_header(answer, "Content-Length", line, sizeof(line));
    size_t announced = (size_t)atol(line);
    snprintf(line, sizeof(line), "\r\n--%s\r\n", boundary);
    const char *at = expect_text(body, line);
    at = expect_text(at, "Content-Type: application/octet-stream\r\nContent-Range: bytes 99990-99999/100000\r\n\r\n");
    assert_true(is_pattern((const uint8_t *)at, 10, 99990));
    at = expect_text(at + 10, line);
    at = expect_text(at, "Content-Type: application/octet-stream\r\nContent-Range: bytes 0-69999/100000\r\n\r\n");
    assert_true(is_pattern((const uint8_t *)at, 70000, 0));
    snprintf(line, sizeof(line), "\r\n--%s--\r\n", boundary);
    at = expect_text(at + 70000, line);
    assert_int_equal(at - body, announced);
    assert_int_equal(*at, '\0');
    free(answer);
}

static void conditions_are_checked_against_the_tag(void **state)
{
    char etag[128];
    char modified[64];
    char headers[256];
    (void)state;
    otterd_start(&otterd, NULL);
    char *answer = otterd_get(&otterd, "/fw.bin", "");
    get_header(answer, "ETag", etag, sizeof(etag));
    get_header(answer, "Last-Modified", modified, sizeof(modified));
    free(answer);
    snprintf(headers, sizeof(headers), "If-None-Match: \"x\", W/%s\r\n", etag);
    expect_answer("/fw.bin", headers, 304, etag);
    snprintf(headers, sizeof(headers), "If-Modified-Since: %s\r\n", modified);
    expect_answer("/fw.bin", headers, 304, etag);
    snprintf(headers, sizeof(headers), "If-Match: %s\r\nRange: bytes=0-0\r\n", etag);
    expect_answer("/fw.bin", headers, 206, etag);
    snprintf(headers, sizeof(headers), "If-Range: %s\r\nRange: bytes=1-1\r\n", etag);
    expect_answer("/fw.bin", headers, 206, "bytes 1-1/100000");
    expect_answer("/fw.bin", "If-Match: \"x\"\r\n", 412, "Content-Length: ");
    expect_answer("/fw.bin", "If-None-Match: \"x\"\r\n", 200, etag);
    expect_answer("/fw.bin", "If-Range: \"x\"\r\nRange: bytes=1-1\r\n", 200, "Content-Length: 100000\r\n");
}

static void a_304_has_no_body(void **state)
{
    static const char requests[] = "GET /fw.bin HTTP/1.1\r\nHost: h\r\nIf-None-Match: *\r\n\r\n"
                                   "GET /missing HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";
    (void)state;
    otterd_start(&otterd, NULL);
    char *answer = otterd_exchange(&otterd, requests, strlen(requests));
    assert_int_equal(otterd_status(answer), 304);
    assert_null(strstr(answer, "Content-Length: 0\r\n"));
    assert_int_equal(otterd_status((const char *)body_of(answer)), 404);
    free(answer);
}

static void head_has_the_headers_of_get_and_no_body(void **state)
{
    static const char request[] = "HEAD /fw.bin HTTP/1.1\r\nHost: h\r\nConnection: close\r\nRange: bytes=0-1\r\n\r\n";
    (void)state;
    otterd_start(&otterd, NULL);
    char *get = otterd_get(&otterd, "/fw.bin", "");
    char *head = otterd_exchange(&otterd, request, strlen(request));
    *(char *)(uintptr_t)body_of(get) = '\0';
    char *date = strstr(get, "\r\nDate: ");
    assert_non_null(date);
    memcpy(strstr(head, "\r\nDate: "), date, 8 + 29);
    assert_string_equal(head, get);
    free(get);
    free(head);
}

static void other_methods_are_refused(void **state)
{
    static const char *const methods[] = {"POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH", "get", "BREW"};
    (void)state;
    otterd_start(&otterd, NULL);
    for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
        char request[128];
        int len = snprintf(request, sizeof(request),
                           "%s /fw.bin HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello",
                           methods[i]);
        char *answer = otterd_exchange(&otterd, request, (size_t)len);
        assert_int_equal(otterd_status(answer), 405);
        assert_non_null(strstr(answer, "\r\nAllow: GET, HEAD\r\n"));
        free(answer);
    }
}

static void an_upload_is_not_waited_for(void **state)
{
    static const char request[] = "PUT /fw.bin HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000000\r\n\r\n";
    (void)state;
    otterd_start(&otterd, NULL);
    char *answer = otterd_exchange(&otterd, request, strlen(request));
    assert_int_equal(otterd_status(answer), 405);
    free(answer);
}

static void no_target_leads_out_of_the_root(void **state)
{
    static const char *const targets[] = {
        "/../secret",
        "/sub/../../secret",
        "/%2e%2e/secret",
        "/..%2fsecret",
        "/%2e%2e%2fsecret",
        "/.%2e/secret",
        "//../secret",
        "/./../secret",
        "/sub/..",
        "/.hidden",
        "/%2ehidden",
        "/out",
        "/outdir/secret",
        "/etc",
        "//etc/passwd",
        "/%2fetc/passwd",
        "/..\\secret",
        "/root",
        "/%252e%252e/secret",
        "/..;/secret",
        "/%c0%ae%c0%ae/secret",
        "/..%00/secret",
        "/%00../secret",
        "../secret",
        "secret",
        "http://h/../secret",
        "/sub/",
        "/sub",
        "/",
        "/fw.bin/",
        "/fw.bin%00",
        "/fw.bin/../../secret",
        "/?/../secret",
        "/\x2e\x2e/secret",
        "/pipe",
    };
    char to[128];
    char at[128];
    (void)state;
    assert_int_equal(symlink(otterd_path(&otterd, "secret", to), otterd_path(&otterd, "root/out", at)), 0);
    assert_int_equal(symlink("..", otterd_path(&otterd, "root/outdir", at)), 0);
    assert_int_equal(mkfifo(otterd_path(&otterd, "root/pipe", at), 0600), 0);
    assert_int_equal(symlink("fw.bin", otterd_path(&otterd, "root/latest", at)), 0);
    otterd_start(&otterd, NULL);
    for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
        char *answer = otterd_get(&otterd, targets[i], "");
        int status = otterd_status(answer);
        print_message("%s: %d\n", targets[i], status);
        assert_true(status == 404 || status == 400);
        assert_null(strstr((const char *)body_of(answer), "secret"));
        free(answer);
    }
    expect_answer("/latest", "", 200, "Content-Length: 100000\r\n");
    expect_answer("/%66w.bin?x", "", 200, "Content-Length: 100000\r\n");
    expect_answer("http://localhost/fw.bin", "", 200, "Content-Length: 100000\r\n");
}

static void garbage_is_answered_or_closed_and_does_not_hurt(void **state)
{
    static const char *const requests[] = {
        "\r\n\r\n",
        "GET\r\n\r\n",
        "GET /fw.bin\r\n\r\n",
        "GET  HTTP/1.1\r\n\r\n",
        "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        "GET /fw.bin HTTP/1.1\r\n\r\n",
        "GET /fw.bin HTTP/9.9\r\nHost: h\r\n\r\n",
        "GET /fw.bin HTTP/1.1\r\nHost h\r\n\r\n",
        "GET /fw.bin HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
    };
    (void)state;
    otterd_start(&otterd, NULL);
    for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
        int fd = otterd_connect(&otterd, 0);
        assert_true(fd >= 0);
        assert_int_equal(send(fd, requests[i], strlen(requests[i]), MSG_NOSIGNAL), strlen(requests[i]));
        close(fd);
    }
    expect_answer("/fw.bin", "", 200, "Content-Length: 100000\r\n");
    assert_int_equal(otterd_stop(&otterd), 0);
}

static void headers_have_a_ceiling(void **state)
{
    const size_t len = 64 * 1024;
    char *target = malloc(len + 1);
    (void)state;
    assert_non_null(target);
    memset(target, 'a', len);
    target[0] = '/';
    target[len] = '\0';
    otterd_start(&otterd, NULL);
    char *answer = otterd_get(&otterd, target, "");
    assert_true(answer[0] == '\0' || otterd_status(answer) >= 400);
    free(answer);
    target[5000] = '\0'; /* Fits into the headers but not into a name. */
    answer = otterd_get(&otterd, target, "");
    assert_int_equal(otterd_status(answer), 414);
    free(answer);
    free(target);
    expect_answer("/fw.bin", "", 200, "Content-Length: 100000\r\n");
}

static void an_idle_connection_is_closed(void **state)
{
    static const char *const args[] = {"--idle-timeout", "1", NULL};
    static const char begun[] = "GET /fw.bin HTTP/1.1\r\nHo";
    uint8_t rest[1024];
    (void)state;
    otterd_start(&otterd, args);
    int silent = otterd_connect(&otterd, 0);
    int halfway = otterd_connect(&otterd, 0);
    assert_int_equal(send(halfway, begun, strlen(begun), MSG_NOSIGNAL), strlen(begun));
    assert_int_equal(otterd_drain(silent, rest, sizeof(rest)), 0);
    otterd_drain(halfway, rest, sizeof(rest));
    close(silent);
    close(halfway);
    assert_int_equal(otterd_stop(&otterd), 0);
}

/** Asks for the big file and takes no more of it than its headers and little else. */
static int begin_download(void)
{
    static const char request[] = "GET /big.bin HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";
    char first[12];
    int fd = otterd_connect(&otterd, SMALL_WINDOW);
    assert_true(fd >= 0);
    assert_int_equal(send(fd, request, strlen(request), MSG_NOSIGNAL), strlen(request));
    assert_int_equal(recv(fd, first, sizeof(first), MSG_WAITALL), sizeof(first));
    assert_memory_equal(first, "HTTP/1.1 200", 12);
    return fd;
}

/** Takes the rest. @return bytes of the body that came, all of them checked to be the file's */
static size_t finish_download(int fd)
{
    const size_t size = BIG_LEN + 4096;
    uint8_t *bytes = malloc(size + 1);
    assert_non_null(bytes);
    size_t len = otterd_drain(fd, bytes, size);
    close(fd);
    bytes[len] = '\0';
    const uint8_t *body = body_of((const char *)bytes);
    len -= (size_t)(body - bytes);
    assert_true(is_pattern(body, len, 0));
    free(bytes);
    return len;
}

static void downloads_that_stall_do_not_hold_up_others(void **state)
{
    static const char *const args[] = {"--threads", "2", NULL};
    int stalled[8];
    (void)state;
    otterd_put_pattern(&otterd, "root/big.bin", BIG_LEN);
    otterd_start(&otterd, args);
    for (size_t i = 0; i < 8; i++) {
        stalled[i] = begin_download();
    }
    for (size_t i = 0; i < 8; i++) {
        expect_answer("/fw.bin", "", 200, "Content-Length: 100000\r\n");
    }
    assert_int_equal(finish_download(stalled[7]), BIG_LEN);
    for (size_t i = 0; i < 7; i++) {
        close(stalled[i]);
    }
    assert_int_equal(otterd_stop(&otterd), 0);
}

static void a_file_replaced_meanwhile_is_sent_to_its_old_end(void **state)
{
    char from[128];
    char to[128];
    (void)state;
    otterd_put_pattern(&otterd, "root/big.bin", BIG_LEN);
    otterd_put(&otterd, "root/new", "new", 3);
    otterd_start(&otterd, NULL);
    int fd = begin_download();
    assert_int_equal(rename(otterd_path(&otterd, "root/new", from), otterd_path(&otterd, "root/big.bin", to)), 0);
    assert_int_equal(finish_download(fd), BIG_LEN);
    expect_answer("/big.bin", "", 200, "Content-Length: 3\r\n");
}

static void a_file_truncated_meanwhile_is_never_padded(void **state)
{
    char path[128];
    (void)state;
    otterd_put_pattern(&otterd, "root/big.bin", BIG_LEN);
    otterd_start(&otterd, NULL);
    int fd = begin_download();
    assert_int_equal(truncate(otterd_path(&otterd, "root/big.bin", path), BIG_LEN - 1), 0);
    size_t came = finish_download(fd);
    assert_true(came < BIG_LEN);
    assert_int_equal(otterd_stop(&otterd), 0);
}

static void a_file_changed_meanwhile_is_sent_no_further(void **state)
{
    char path[128];
    (void)state;
    otterd_put_pattern(&otterd, "root/big.bin", BIG_LEN);
    otterd_start(&otterd, NULL);
    int fd = begin_download();
    int file = open(otterd_path(&otterd, "root/big.bin", path), O_WRONLY | O_CLOEXEC);
    assert_int_equal(pwrite(file, "X", 1, BIG_LEN - 1), 1);
    close(file);
    size_t came = finish_download(fd);
    assert_true(came < BIG_LEN);
}

/** Waits until it refuses connections: then it is stopping. */
static void await_refusal(void)
{
    const struct timespec pause = {.tv_nsec = 1000000};
    for (int i = 0; i < 5000; i++) {
        int fd = otterd_connect(&otterd, 0);
        if (fd < 0 && errno == ECONNREFUSED) {
            return;
        }
        close(fd);
        nanosleep(&pause, NULL);
    }
    fail_msg("it still accepts connections");
}

static void stopping_lets_a_running_transfer_finish(void **state)
{
    (void)state;
    otterd_put_pattern(&otterd, "root/big.bin", BIG_LEN);
    otterd_start(&otterd, NULL);
    int idle = otterd_connect(&otterd, 0);
    int fd = begin_download();
    assert_int_equal(kill(otterd.pid, SIGTERM), 0);
    await_refusal();
    assert_int_equal(finish_download(fd), BIG_LEN);
    assert_int_equal(otterd_wait(&otterd), 0);
    assert_null(strstr(otterd.err, "broke off"));
    close(idle);
}

static void stopping_does_not_wait_for_ever(void **state)
{
    static const char *const args[] = {"--stop-timeout", "0", NULL};
    (void)state;
    otterd_put_pattern(&otterd, "root/big.bin", BIG_LEN);
    otterd_start(&otterd, args);
    int fd = begin_download();
    assert_int_equal(kill(otterd.pid, SIGINT), 0);
    assert_int_equal(otterd_wait(&otterd), 0);
    assert_non_null(strstr(otterd.err, "broke off 1 transfers"));
    assert_true(finish_download(fd) < BIG_LEN);
    unsigned long sent = 0;
    unsigned long length = 0;
    char *log = otterd_read(&otterd, "log");
    assert_non_null(strstr(log, "\"GET /big.bin HTTP/1.1\" 200 "));
    assert_int_equal(sscanf(strstr(log, "\" 200 "), "\" 200 %lu %lu ", &sent, &length), 2);
    free(log);
    assert_int_equal(length, BIG_LEN);
    assert_true(sent < length);
}

static void a_second_signal_ends_it_at_once(void **state)
{
    static const char *const args[] = {"--stop-timeout", "3600", NULL};
    (void)state;
    otterd_put_pattern(&otterd, "root/big.bin", BIG_LEN);
    otterd_start(&otterd, args);
    int fd = begin_download();
    assert_int_equal(kill(otterd.pid, SIGTERM), 0);
    await_refusal();
    assert_int_equal(otterd_stop(&otterd), 128 + SIGTERM);
    close(fd);
}

static void every_request_has_its_line_in_the_log(void **state)
{
    static const char *const lines[] = {
        "127.0.0.1 - - [",
        " +0000] \"GET /fw.bin HTTP/1.1\" 200 100000 100000 0.",
        "\"GET /fw.bin HTTP/1.1\" 206 10 10 ",
        "\"GET /fw.bin HTTP/1.1\" 304 0 0 ",
        "\"GET /fw.bin HTTP/1.1\" 416 26 26 ",
        "\"GET /..%2f HTTP/1.1\" 404 14 14 ",
        "\"GET /%zz HTTP/1.1\" 400 16 16 ",
        "\"GET /a\\x22b?q HTTP/1.1\" 404 ",
        "\"HEAD /fw.bin HTTP/1.1\" 200 0 0 ",
        "\"POST /fw.bin HTTP/1.1\" 405 ",
    };
    static const char *const requests[] = {
        "GET /fw.bin HTTP/1.1\r\nHost: h\r\nRange: bytes=0-9\r\n\r\n",
        "GET /fw.bin HTTP/1.1\r\nHost: h\r\nIf-None-Match: *\r\n\r\n",
        "GET /fw.bin HTTP/1.1\r\nHost: h\r\nRange: bytes=100000-\r\n\r\n",
        "GET /..%2f HTTP/1.1\r\nHost: h\r\n\r\n",
        "GET /%zz HTTP/1.1\r\nHost: h\r\n\r\n",
        "GET /a\"b?q HTTP/1.1\r\nHost: h\r\n\r\n",
        "HEAD /fw.bin HTTP/1.1\r\nHost: h\r\n\r\n",
        "GET /fw.bin HTTP/1.1\r\nHost: h\r\n\r\n",
        "POST /fw.bin HTTP/1.1\r\nHost: h\r\n\r\n",
    };
    char all[1024] = "";
    size_t count = 0;
    (void)state;
    otterd_start(&otterd, NULL);
    for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
        strcat(all, requests[i]);
    }
    free(otterd_exchange(&otterd, all, strlen(all)));
    assert_int_equal(otterd_stop(&otterd), 0);
    char *log = otterd_read(&otterd, "log");
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        if (strstr(log, lines[i]) == NULL) {
            fail_msg("no '%s' in:\n%s", lines[i], log);
        }
    }
    for (const char *at = log; (at = strchr(at, '\n')) != NULL; at++) {
        count++;
    }
    free(log);
    assert_int_equal(count, sizeof(requests) / sizeof(requests[0]));
}

static void a_client_that_leaves_is_logged_too(void **state)
{
    static const char begun[] = "GET /half HTTP/1.1\r\nHost: h\r\n";
    unsigned long sent = 0;
    unsigned long length = 0;
    (void)state;
    otterd_put_pattern(&otterd, "root/big.bin", BIG_LEN);
    otterd_start(&otterd, NULL);
    uint8_t *some = malloc(TAKEN_LEN);
    assert_non_null(some);
    int fd = begin_download();
    assert_int_equal(otterd_drain(fd, some, TAKEN_LEN), TAKEN_LEN);
    free(some);
    close(fd);
    fd = otterd_connect(&otterd, 0);
    assert_int_equal(send(fd, begun, strlen(begun), MSG_NOSIGNAL), strlen(begun));
    close(fd);
    assert_int_equal(otterd_stop(&otterd), 0);
    char *log = otterd_read(&otterd, "log");
    const char *line = strstr(log, "\"GET /big.bin HTTP/1.1\" 200 ");
    assert_non_null(line);
    assert_int_equal(sscanf(strstr(line, "\" 200 "), "\" 200 %lu %lu ", &sent, &length), 2);
    free(log);
    assert_int_equal(length, BIG_LEN);
    /* At least what was taken, but for the last piece; at most what the sockets hold beyond it. */
    assert_in_range(sent, TAKEN_LEN - 64 * 1024, BIG_LEN - 1);
}

static void hangup_opens_the_log_again(void **state)
{
    const struct timespec pause = {.tv_nsec = 1000000};
    char from[128];
    char to[128];
    (void)state;
    otterd_start(&otterd, NULL);
    expect_answer("/fw.bin?before", "", 200, "");
    assert_int_equal(rename(otterd_path(&otterd, "log", from), otterd_path(&otterd, "log.1", to)), 0);
    assert_int_equal(kill(otterd.pid, SIGHUP), 0);
    for (int i = 0; i < 5000 && access(from, F_OK) != 0; i++) {
        nanosleep(&pause, NULL);
    }
    expect_answer("/fw.bin?after", "", 200, "");
    assert_int_equal(otterd_stop(&otterd), 0);
    char *before = otterd_read(&otterd, "log.1");
    char *after = otterd_read(&otterd, "log");
    assert_non_null(strstr(before, "?before"));
    assert_non_null(strstr(after, "?after"));
    free(before);
    free(after);
}

static void expect_end(const char *const *args, int status, const char *message)
{
    assert_int_equal(otterd_run(&otterd, args), status);
    if (strstr(otterd.err, message) == NULL) {
        fail_msg("'%s' does not say '%s'", otterd.err, message);
    }
}

static void wrong_usage_ends_with_2(void **state)
{
    (void)state;
    expect_end((const char *const[]){NULL}, 2, "otterd: nothing to serve: give --root DIR");
    expect_end((const char *const[]){"--root", otterd.home, NULL}, 2, "or --plain-http");
    expect_end((const char *const[]){"--bogus", NULL}, 2, "unknown option '--bogus'");
}

static void what_cannot_run_ends_with_1(void **state)
{
    const char *home = otterd.home;
    char secret[128];
    char taken[32];
    (void)state;
    otterd_path(&otterd, "secret", secret);
    expect_end((const char *const[]){"--root", "/nonexistent", "--plain-http", NULL}, 1, "/nonexistent: No such file");
    expect_end((const char *const[]){"--root", secret, "--plain-http", NULL}, 1, "Not a directory");
    expect_end((const char *const[]){"--root", home, "--plain-http", "--listen", "nowhere", NULL}, 1, "ADDR:PORT");
    expect_end((const char *const[]){"--root", home, "--plain-http", "--listen", "localhost:0", NULL}, 1, "numeric");
    expect_end((const char *const[]){"--root", home, "--plain-http", "--listen", "::1:0", NULL}, 1, "[ADDR]:PORT");
    expect_end((const char *const[]){"--root", home, "--cert", "/nonexistent", "--key", secret, NULL}, 1,
               "/nonexistent: No");
    expect_end((const char *const[]){"--root", home, "--plain-http", "--access-log", "/nonexistent/log", NULL}, 1,
               "access log /nonexistent/log");
    expect_end((const char *const[]){"--root", home, "--plain-http", "--listen", "127.0.0.1:0", "--port-file",
                                     "/nonexistent/port", NULL},
               1, "/nonexistent/port");
    expect_end((const char *const[]){"--config", "/nonexistent/conf", NULL}, 1, "/nonexistent/conf");
    struct otterd first = otterd;
    otterd_start(&first, NULL);
    snprintf(taken, sizeof(taken), "127.0.0.1:%u", first.port);
    expect_end((const char *const[]){"--root", home, "--plain-http", "--listen", taken, NULL}, 1,
               "Address already in use");
    assert_int_equal(otterd_stop(&first), 0);
}

static void a_configuration_file_is_enough(void **state)
{
    static const char text[] = "threads = 3\nidle-timeout = 7\n";
    char path[128];
    (void)state;
    otterd_put(&otterd, "otterd.conf", text, strlen(text));
    otterd_start(&otterd, (const char *const[]){"--config", otterd_path(&otterd, "otterd.conf", path), NULL});
    expect_answer("/fw.bin", "", 200, "Content-Length: 100000\r\n");
    assert_int_equal(otterd_stop(&otterd), 0);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown(a_file_comes_whole_with_all_that_describes_it, set_up, tear_down),
    cmocka_unit_test_setup_teardown(ranges_come_as_parts, set_up, tear_down),
    cmocka_unit_test_setup_teardown(several_ranges_come_as_parts_of_one_body, set_up, tear_down),
    cmocka_unit_test_setup_teardown(conditions_are_checked_against_the_tag, set_up, tear_down),
    cmocka_unit_test_setup_teardown(a_304_has_no_body, set_up, tear_down),
    cmocka_unit_test_setup_teardown(head_has_the_headers_of_get_and_no_body, set_up, tear_down),
    cmocka_unit_test_setup_teardown(other_methods_are_refused, set_up, tear_down),
    cmocka_unit_test_setup_teardown(an_upload_is_not_waited_for, set_up, tear_down),
    cmocka_unit_test_setup_teardown(no_target_leads_out_of_the_root, set_up, tear_down),
    cmocka_unit_test_setup_teardown(garbage_is_answered_or_closed_and_does_not_hurt, set_up, tear_down),
    cmocka_unit_test_setup_teardown(headers_have_a_ceiling, set_up, tear_down),
    cmocka_unit_test_setup_teardown(an_idle_connection_is_closed, set_up, tear_down),
    cmocka_unit_test_setup_teardown(downloads_that_stall_do_not_hold_up_others, set_up, tear_down),
    cmocka_unit_test_setup_teardown(a_file_replaced_meanwhile_is_sent_to_its_old_end, set_up, tear_down),
    cmocka_unit_test_setup_teardown(a_file_truncated_meanwhile_is_never_padded, set_up, tear_down),
    cmocka_unit_test_setup_teardown(a_file_changed_meanwhile_is_sent_no_further, set_up, tear_down),
    cmocka_unit_test_setup_teardown(stopping_lets_a_running_transfer_finish, set_up, tear_down),
    cmocka_unit_test_setup_teardown(stopping_does_not_wait_for_ever, set_up, tear_down),
    cmocka_unit_test_setup_teardown(a_second_signal_ends_it_at_once, set_up, tear_down),
    cmocka_unit_test_setup_teardown(every_request_has_its_line_in_the_log, set_up, tear_down),
    cmocka_unit_test_setup_teardown(a_client_that_leaves_is_logged_too, set_up, tear_down),
    cmocka_unit_test_setup_teardown(hangup_opens_the_log_again, set_up, tear_down),
    cmocka_unit_test_setup_teardown(wrong_usage_ends_with_2, set_up, tear_down),
    cmocka_unit_test_setup_teardown(what_cannot_run_ends_with_1, set_up, tear_down),
    cmocka_unit_test_setup_teardown(a_configuration_file_is_enough, set_up, tear_down),
};

TEST_MAIN(tests)
