/* SPDX-License-Identifier: Apache-2.0 */
#include "server/http/accesslog.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/support/test.h"

static const struct accesslog_entry usual = {
    .client = "192.0.2.1",
    .method = "GET",
    .target = "/fw.bin",
    .version = "HTTP/1.1",
    .status = 206,
    .time_s = 971211336,
    .sent_bytes = 100,
    .length_bytes = 2326,
    .duration_us = 1000250,
};

static void a_line_is_in_the_common_log_format_and_more(void **state)
{
    char line[ACCESSLOG_LINE_SIZE];
    (void)state;
    size_t len = accesslog_format(&usual, line);
    assert_string_equal(line,
                        "192.0.2.1 - - [10/Oct/2000:20:55:36 +0000] \"GET /fw.bin HTTP/1.1\" 206 100 2326 1.000250\n");
    assert_int_equal(len, strlen(line));
}

static void what_is_unknown_is_a_dash(void **state)
{
    const struct accesslog_entry entry = {.target = "/x"};
    char line[ACCESSLOG_LINE_SIZE];
    (void)state;
    accesslog_format(&entry, line);
    assert_string_equal(line, "- - - [01/Jan/1970:00:00:00 +0000] \"- /x -\" - 0 0 0.000000\n");
}

static void a_request_cannot_forge_a_line(void **state)
{
    struct accesslog_entry entry = usual;
    char line[ACCESSLOG_LINE_SIZE];
    (void)state;
    entry.target = "/a\" 200\n1.2.3.4\\\x1b\xff\r\t";
    accesslog_format(&entry, line);
    assert_non_null(strstr(line, " /a\\x22 200\\x0A1.2.3.4\\x5C\\x1B\\xFF\\x0D\\x09 HTTP/1.1\" 206 "));
    assert_ptr_equal(strchr(line, '\n'), line + strlen(line) - 1);
}

static void a_long_line_is_cut_and_still_ends(void **state)
{
    struct accesslog_entry entry = usual;
    char line[ACCESSLOG_LINE_SIZE];
    char *longest = malloc(10001);
    (void)state;
    assert_non_null(longest);
    memset(longest, '"', 10000);
    longest[10000] = '\0';
    entry.client = entry.method = entry.target = entry.version = longest;
    entry.sent_bytes = entry.length_bytes = entry.duration_us = UINT64_MAX;
    entry.time_s = INT64_MAX;
    entry.status = UINT32_MAX;
    size_t len = accesslog_format(&entry, line);
    free(longest);
    assert_true(len < ACCESSLOG_LINE_SIZE);
    assert_int_equal(len, strlen(line));
    assert_string_equal(line + len - 8, ".551615\n");
}

static void *write_many(void *arg)
{
    for (int i = 0; i < 500; i++) {
        if (!accesslog_write(arg, &usual)) {
            return arg;
        }
    }
    return NULL;
}

static void lines_of_many_threads_stay_whole(void **state)
{
    char path[] = "/tmp/otterd-log-XXXXXX";
    struct accesslog log;
    pthread_t threads[4];
    char expected[ACCESSLOG_LINE_SIZE];
    char line[ACCESSLOG_LINE_SIZE];
    size_t lines = 0;
    (void)state;
    close(mkstemp(path));
    assert_true(accesslog_open(&log, path));
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, write_many, &log), 0);
    }
    for (size_t i = 0; i < 4; i++) {
        void *failed = NULL;
        pthread_join(threads[i], &failed);
        assert_null(failed);
    }
    accesslog_close(&log);
    accesslog_format(&usual, expected);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    for (; fgets(line, sizeof(line), file) != NULL; lines++) {
        assert_string_equal(line, expected);
    }
    fclose(file);
    unlink(path);
    assert_int_equal(lines, 2000);
}

static void a_full_disk_is_told(void **state)
{
    struct accesslog log;
    (void)state;
    assert_true(accesslog_open(&log, "/dev/full"));
    assert_false(accesslog_write(&log, &usual));
    assert_int_equal(errno, ENOSPC);
    accesslog_close(&log);
}

static void a_log_that_is_off_takes_everything(void **state)
{
    struct accesslog log;
    (void)state;
    assert_true(accesslog_open(&log, "off"));
    assert_true(accesslog_write(&log, &usual));
    assert_true(accesslog_reopen(&log));
    accesslog_close(&log);
    assert_int_not_equal(access("off", F_OK), 0);
}

static void a_log_that_cannot_be_opened_again_stays_open(void **state)
{
    char dir[] = "/tmp/otterd-log-XXXXXX";
    char path[80];
    char moved[64];
    struct accesslog log;
    (void)state;
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof(path), "%s/log", dir);
    snprintf(moved, sizeof(moved), "%s.moved", dir);
    assert_true(accesslog_open(&log, path));
    assert_int_equal(rename(dir, moved), 0);
    assert_false(accesslog_reopen(&log));
    assert_int_equal(errno, ENOENT);
    assert_true(accesslog_write(&log, &usual));
    accesslog_close(&log);
    snprintf(path, sizeof(path), "%.60s/log", moved);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    assert_int_equal(fseek(file, 0, SEEK_END), 0);
    assert_true(ftell(file) > 0);
    fclose(file);
    unlink(path);
    rmdir(moved);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_line_is_in_the_common_log_format_and_more),
    cmocka_unit_test(what_is_unknown_is_a_dash),
    cmocka_unit_test(a_request_cannot_forge_a_line),
    cmocka_unit_test(a_long_line_is_cut_and_still_ends),
    cmocka_unit_test(lines_of_many_threads_stay_whole),
    cmocka_unit_test(a_full_disk_is_told),
    cmocka_unit_test(a_log_that_is_off_takes_everything),
    cmocka_unit_test(a_log_that_cannot_be_opened_again_stays_open),
};

TEST_MAIN(tests)
