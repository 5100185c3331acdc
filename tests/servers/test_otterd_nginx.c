/* SPDX-License-Identifier: Apache-2.0 */
/*
 * otterd beside nginx: the same file, the same requests, the same answers; where nginx is not what RFC 9110 asks for,
 * both answers are written down here.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/server/otterd.h"
#include "tests/servers/nginx.h"
#include "tests/servers/site.h"
#include "tests/support/test.h"

enum { FW_LEN = 100000, MODIFIED_S = 1000000000, PARTS_MAX = 20 };

#define MODIFIED "Sun, 09 Sep 2001 01:46:40 GMT"
#define BEFORE   "Sun, 09 Sep 2001 01:46:39 GMT"
#define AFTER    "Sun, 09 Sep 2001 01:46:41 GMT"

/* Both serve the same file; as many parts as otterd gives. */
typedef struct pair {
    site_t site;
    struct otterd otterd;
    struct otterd nginx; /* As far as otterd_exchange() looks: a port. */
    char otterd_tag[128];
    char nginx_tag[128];
} pair_t;

/* ---- answers, taken apart ---- */

typedef struct part {
    char type[64];
    char range[64];
    const char *bytes;
    size_t len;
} part_t;

typedef struct answer {
    char *text;
    size_t len;
    int status;
    char type[128];
    char range[64];
    char length[32];
    char tag[128];
    char modified[64];
    const char *body;
    size_t body_len;
    part_t parts[PARTS_MAX];
    size_t part_count; /* 0: the body is none of several parts. */
} answer_t;

static void take_header(const char *head, size_t head_len, const char *name, char *value, size_t size)
{
    char line[80];
    snprintf(line, sizeof(line), "\r\n%s: ", name);
    const char *at = strcasestr(head, line);
    value[0] = '\0';
    if (at != NULL && at < head + head_len) {
        at += strlen(line);
        snprintf(value, size, "%.*s", (int)strcspn(at, "\r\n"), at);
    }
}

/* A part, whose head begins at @p at; it ends where its Content-Range says. */
static const char *take_part(const char *at, const char *end, part_t *part)
{
    unsigned long long first = 0;
    unsigned long long last = 0;
    const char *blank = memmem(at, (size_t)(end - at), "\r\n\r\n", 4);
    assert_non_null(blank);
    take_header(at, (size_t)(blank - at), "Content-Type", part->type, sizeof(part->type));
    take_header(at, (size_t)(blank - at), "Content-Range", part->range, sizeof(part->range));
    assert_int_equal(sscanf(part->range, "bytes %llu-%llu/", &first, &last), 2);
    part->bytes = blank + 4;
    part->len = (size_t)(last - first + 1);
    assert_true(part->len <= (size_t)(end - part->bytes));
    return part->bytes + part->len;
}

static void take_parts(answer_t *answer)
{
    char word[80];
    const char *at = answer->body;
    const char *end = answer->body + answer->body_len;
    const char *boundary = strstr(answer->type, "boundary=");
    assert_non_null(boundary);
    snprintf(word, sizeof(word), "\r\n--%s", boundary + strlen("boundary="));
    for (;;) {
        assert_true((size_t)(end - at) >= strlen(word) + 4);
        assert_memory_equal(at, word, strlen(word));
        at += strlen(word);
        if (memcmp(at, "--", 2) == 0) {
            break;
        }
        assert_true(answer->part_count < PARTS_MAX);
        at = take_part(at, end, &answer->parts[answer->part_count++]);
    }
    assert_int_equal(end - at, 4);
    assert_memory_equal(at, "--\r\n", 4);
}

static void take_apart(answer_t *answer)
{
    const char *blank = strstr(answer->text, "\r\n\r\n");
    assert_non_null(blank);
    size_t head_len = (size_t)(blank - answer->text);
    answer->status = otterd_status(answer->text);
    take_header(answer->text, head_len, "Content-Type", answer->type, sizeof(answer->type));
    take_header(answer->text, head_len, "Content-Range", answer->range, sizeof(answer->range));
    take_header(answer->text, head_len, "Content-Length", answer->length, sizeof(answer->length));
    take_header(answer->text, head_len, "ETag", answer->tag, sizeof(answer->tag));
    take_header(answer->text, head_len, "Last-Modified", answer->modified, sizeof(answer->modified));
    answer->body = blank + 4;
    answer->body_len = answer->len - head_len - 4;
    if (strncmp(answer->type, "multipart/byteranges", 20) == 0) {
        take_parts(answer);
    }
}

/* Sends a request; in @p headers, @TAG@ becomes the server's own entity tag. */
static answer_t ask(const struct otterd *server, const char *tag, const char *method, const char *headers)
{
    char request[2048];
    size_t len =
        (size_t)snprintf(request, sizeof(request), "%s /fw.bin HTTP/1.1\r\nHost: h\r\nConnection: close\r\n", method);
    while (*headers != '\0') {
        bool is_tag = strncmp(headers, "@TAG@", 5) == 0;
        len += (size_t)snprintf(request + len, sizeof(request) - len, "%.*s", is_tag ? (int)strlen(tag) : 1,
                                is_tag ? tag : headers);
        headers += is_tag ? 5 : 1;
    }
    len += (size_t)snprintf(request + len, sizeof(request) - len, "\r\n");
    assert_true(len < sizeof(request));
    answer_t answer = {0};
    answer.text = otterd_exchange_len(server, request, len, &answer.len);
    take_apart(&answer);
    return answer;
}

/* ---- the two ---- */

static int set_up(void **state)
{
    static pair_t pair;
    char path[128];
    char server[256];
    pair = (pair_t){0};
    site_need("nginx");
    site_begin(&pair.site);
    otterd_prepare(&pair.otterd, false);
    otterd_put_pattern(&pair.otterd, "root/fw.bin", FW_LEN);
    const struct timespec times[2] = {{.tv_sec = MODIFIED_S}, {.tv_sec = MODIFIED_S}};
    assert_int_equal(utimensat(AT_FDCWD, otterd_path(&pair.otterd, "root/fw.bin", path), times, 0), 0);
    assert_int_equal(chmod(pair.otterd.home, 0755), 0);
    assert_int_equal(chmod(otterd_path(&pair.otterd, "root", path), 0755), 0);
    otterd_start(&pair.otterd, NULL);
    snprintf(server, sizeof(server), "max_ranges 16; location = /fw.bin { alias %s/root/fw.bin; }", pair.otterd.home);
    pair.nginx.port = nginx_start(&pair.site, "127.0.0.1:@PORT@", "", server)->port;
    answer_t by_otterd = ask(&pair.otterd, "", "GET", "");
    answer_t by_nginx = ask(&pair.nginx, "", "GET", "");
    strcpy(pair.otterd_tag, by_otterd.tag);
    strcpy(pair.nginx_tag, by_nginx.tag);
    free(by_otterd.text);
    free(by_nginx.text);
    *state = &pair;
    return 0;
}

static int tear_down(void **state)
{
    pair_t *pair = *state;
    otterd_remove(&pair->otterd);
    site_end(&pair->site);
    return 0;
}

static void expect_same_parts(const answer_t *a, const answer_t *b)
{
    assert_int_equal(a->part_count, b->part_count);
    for (size_t i = 0; i < a->part_count; i++) {
        assert_string_equal(a->parts[i].type, b->parts[i].type);
        assert_string_equal(a->parts[i].range, b->parts[i].range);
        assert_int_equal(a->parts[i].len, b->parts[i].len);
        assert_memory_equal(a->parts[i].bytes, b->parts[i].bytes, a->parts[i].len);
    }
}

/* Tags are of each server's own making; that there is one, and that it is strong, is not. */
static void expect_same_validators(const answer_t *a, const answer_t *b)
{
    assert_string_equal(a->modified, b->modified);
    assert_int_equal(a->tag[0], b->tag[0]);
    assert_true(a->tag[0] == '\0' || a->tag[0] == '"');
}

static void expect_same(const answer_t *a, const answer_t *b)
{
    bool has_file = a->status == 200 || a->status == 206;
    assert_int_equal(a->status, b->status);
    assert_string_equal(a->range, b->range);
    if (a->part_count > 0 || b->part_count > 0) {
        expect_same_parts(a, b);
    } else if (has_file) {
        assert_string_equal(a->type, b->type);
        assert_string_equal(a->length, b->length);
        assert_int_equal(a->body_len, b->body_len);
        assert_memory_equal(a->body, b->body, a->body_len);
    }
    if (has_file || a->status == 304) {
        expect_same_validators(a, b);
    }
}

static void compare(const pair_t *pair, const char *method, const char *headers, int status, size_t parts)
{
    print_message("%s %s", method, headers);
    answer_t by_otterd = ask(&pair->otterd, pair->otterd_tag, method, headers);
    answer_t by_nginx = ask(&pair->nginx, pair->nginx_tag, method, headers);
    assert_int_equal(by_otterd.status, status);
    assert_int_equal(by_otterd.part_count, parts);
    expect_same(&by_otterd, &by_nginx);
    free(by_otterd.text);
    free(by_nginx.text);
}

/* ---- the same ---- */

static void single_ranges_are_answered_alike(void **state)
{
    static const struct {
        const char *range;
        int status;
    } cases[] = {
        {"bytes=0-0", 206},           {"bytes=0-99999", 206},   {"bytes=500-999", 206},
        {"bytes=99999-", 206},        {"bytes=0-", 206},        {"bytes=-1", 206},
        {"bytes=-100000", 206},       {"bytes=-200000", 206},   {"bytes=99990-200000", 206},
        {"BYTES=1-2", 206},           {"bytes=0000-0009", 206}, {"bytes=100000-", 416},
        {"bytes=200000-300000", 416}, {"bytes=-0", 416},        {"items=0-1", 200},
        {"bytes 0-1", 200},           {"bytes", 200},           {"bytes=", 200},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char headers[128];
        snprintf(headers, sizeof(headers), "Range: %s\r\n", cases[i].range);
        compare(*state, "GET", headers, cases[i].status, 0);
    }
}

static void several_ranges_are_answered_alike(void **state)
{
    static const struct {
        const char *range;
        int status;
        size_t parts;
    } cases[] = {
        {"bytes=0-0,2-3", 206, 2},
        {"bytes=0-0, -1", 206, 2},
        {"bytes=90000-,0-9", 206, 2},
        {"bytes=100-199,150-249", 206, 2},
        {"bytes=5-5,5-5,5-5", 206, 3},
        {"bytes=0-9,10-19", 206, 2},
        {"bytes=0-1 , 4-5 ,8-9", 206, 3},
        {"bytes=200000-,0-9", 206, 0}, /* One is left. */
        {"bytes=0-9,200000-", 206, 0},
        {"bytes=200000-,300000-", 416, 0},
        {"bytes=0-,0-", 200, 0}, /* More than the file. */
        {"bytes=0-60000,40000-99999", 200, 0},
        {"bytes=0-49999,50000-99999", 206, 2},
        {"bytes=0-0,1-1,2-2,3-3,4-4,5-5,6-6,7-7,8-8,9-9,10-10,11-11,12-12,13-13,14-14,15-15", 206, 16},
        {"bytes=0-0,1-1,2-2,3-3,4-4,5-5,6-6,7-7,8-8,9-9,10-10,11-11,12-12,13-13,14-14,15-15,16-16", 200, 0},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char headers[192];
        snprintf(headers, sizeof(headers), "Range: %s\r\n", cases[i].range);
        compare(*state, "GET", headers, cases[i].status, cases[i].parts);
    }
}

static void if_range_is_answered_alike(void **state)
{
    static const struct {
        const char *value;
        int status;
    } cases[] = {
        {"@TAG@", 206}, {"\"other\"", 200}, {"W/@TAG@", 200},  {MODIFIED, 206},
        {BEFORE, 200},  {AFTER, 200},       {"nonsense", 200}, {"\"\"", 200},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char headers[192];
        snprintf(headers, sizeof(headers), "Range: bytes=10-19\r\nIf-Range: %s\r\n", cases[i].value);
        compare(*state, "GET", headers, cases[i].status, 0);
        snprintf(headers, sizeof(headers), "Range: bytes=10-19,30-39\r\nIf-Range: %s\r\n", cases[i].value);
        compare(*state, "GET", headers, cases[i].status, cases[i].status == 206 ? 2 : 0);
        snprintf(headers, sizeof(headers), "If-Range: %s\r\n", cases[i].value);
        compare(*state, "GET", headers, 200, 0);
    }
    compare(*state, "GET", "Range: bytes=200000-\r\nIf-Range: @TAG@\r\n", 416, 0);
    compare(*state, "GET", "Range: bytes=200000-\r\nIf-Range: \"other\"\r\n", 200, 0);
}

static void other_conditions_are_answered_alike(void **state)
{
    static const struct {
        const char *headers;
        int status;
    } cases[] = {
        {"If-None-Match: @TAG@\r\n", 304},
        {"If-None-Match: W/@TAG@\r\n", 304},
        {"If-None-Match: \"x\", @TAG@\r\n", 304},
        {"If-None-Match: *\r\n", 304},
        {"If-None-Match: \"x\"\r\n", 200},
        {"If-None-Match: @TAG@\r\nRange: bytes=0-1\r\n", 304},
        {"If-None-Match: \"x\"\r\nRange: bytes=0-1\r\n", 206},
        {"If-Match: @TAG@\r\nRange: bytes=0-1\r\n", 206},
        {"If-Match: \"x\"\r\nRange: bytes=0-1\r\n", 412},
        {"If-Match: *\r\n", 200},
        {"If-Modified-Since: " MODIFIED "\r\n", 304},
        {"If-Modified-Since: " BEFORE "\r\n", 200},
        {"If-Unmodified-Since: " BEFORE "\r\n", 412},
        {"If-Unmodified-Since: " MODIFIED "\r\nRange: bytes=0-1\r\n", 206},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        compare(*state, "GET", cases[i].headers, cases[i].status, 0);
    }
}

static void head_is_answered_alike(void **state)
{
    compare(*state, "HEAD", "", 200, 0);
    compare(*state, "HEAD", "If-None-Match: @TAG@\r\n", 304, 0);
    compare(*state, "HEAD", "If-Match: \"x\"\r\n", 412, 0);
}

/* ---- not the same ---- */

static void where_nginx_is_not_what_the_rfc_asks_for_otterd_is(void **state)
{
    static const struct {
        const char *why;
        const char *method;
        const char *headers;
        int otterd;
        int nginx;
    } cases[] = {
        {"Range is for GET alone (14.2)", "HEAD", "Range: bytes=0-1\r\n", 200, 206},
        {"Range is for GET alone (14.2)", "HEAD", "Range: bytes=200000-\r\n", 200, 416},
        {"empty elements of a list are to be accepted (5.6.1.2)", "GET", "Range: bytes=0-1,,4-5\r\n", 206, 416},
        {"an invalid Range may be ignored (14.2): rather the file than no update", "GET", "Range: bytes=5-4\r\n", 200,
         416},
        {"the same", "GET", "Range: bytes=a-b\r\n", 200, 416},
        {"the same, in a list", "GET", "Range: bytes=0-1,x\r\n", 200, 416},
        {"no blanks before the first (14.1.1)", "GET", "Range: bytes= 0-1\r\n", 200, 206},
        {"nor around the hyphen", "GET", "Range: bytes=0 - 1\r\n", 200, 206},
        {"a number too large lies behind the end (14.1.2)", "GET", "Range: bytes=0-99999999999999999999\r\n", 206, 416},
    };
    const pair_t *pair = *state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        print_message("%s: %s %s", cases[i].why, cases[i].method, cases[i].headers);
        answer_t by_otterd = ask(&pair->otterd, pair->otterd_tag, cases[i].method, cases[i].headers);
        answer_t by_nginx = ask(&pair->nginx, pair->nginx_tag, cases[i].method, cases[i].headers);
        assert_int_equal(by_otterd.status, cases[i].otterd);
        assert_int_equal(by_nginx.status, cases[i].nginx);
        free(by_otterd.text);
        free(by_nginx.text);
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown(single_ranges_are_answered_alike, set_up, tear_down),
    cmocka_unit_test_setup_teardown(several_ranges_are_answered_alike, set_up, tear_down),
    cmocka_unit_test_setup_teardown(if_range_is_answered_alike, set_up, tear_down),
    cmocka_unit_test_setup_teardown(other_conditions_are_answered_alike, set_up, tear_down),
    cmocka_unit_test_setup_teardown(head_is_answered_alike, set_up, tear_down),
    cmocka_unit_test_setup_teardown(where_nginx_is_not_what_the_rfc_asks_for_otterd_is, set_up, tear_down),
};

TEST_MAIN(tests)
