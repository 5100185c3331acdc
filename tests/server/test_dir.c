/* SPDX-License-Identifier: Apache-2.0 */
#include "server/store/dir.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/test.h"

typedef enum dir_result (*open_way)(const struct dir *, const char *, struct dir_file *);

static char home[] = "/tmp/otterd-dir-XXXXXX";
static struct dir root = {-1};

static void put(const char *name, const char *text)
{
    FILE *file = fopen(name, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

/** home/secret is outside; home/root is the directory that is served. */
static int make_tree(void **state)
{
    (void)state;
    strcpy(home + strlen(home) - 6, "XXXXXX");
    if (mkdtemp(home) == NULL || chdir(home) != 0 || mkdir("root", 0700) != 0 || mkdir("root/sub", 0700) != 0) {
        return -1;
    }
    put("secret", "secret");
    put("root/fw", "firmware");
    put("root/sub/fw", "inner");
    bool linked = symlink("fw", "root/inside") == 0 && symlink("sub", "root/insidedir") == 0 &&
                  symlink("../fw", "root/sub/up") == 0 && symlink("../secret", "root/outside") == 0 &&
                  symlink("..", "root/outsidedir") == 0 && symlink("/etc/passwd", "root/absolute") == 0 &&
                  symlink("/proc/self/fd/0", "root/magic") == 0 && symlink("loop", "root/loop") == 0 &&
                  mkfifo("root/pipe", 0600) == 0;
    return linked && dir_open(&root, "root") ? 0 : -1;
}

static int remove_tree(void **state)
{
    (void)state;
    dir_close(&root);
    char command[64];
    snprintf(command, sizeof(command), "rm -rf %s", home);
    return chdir("/") == 0 ? system(command) : -1;
}

static enum dir_result try_open(open_way way, const char *name)
{
    struct dir_file file;
    enum dir_result result = way(&root, name, &file);
    assert_true((result == DIR_OK) == (file.fd >= 0));
    dir_close_file(&file);
    return result;
}

static void expect_content(open_way way, const char *name, const char *text)
{
    struct dir_file file;
    char content[64] = "";
    print_message("%s\n", name);
    assert_int_equal(way(&root, name, &file), DIR_OK);
    assert_int_equal(file.size_bytes, strlen(text));
    assert_int_equal(dir_read(&file, 0, content, sizeof(content) - 1), strlen(text));
    assert_string_equal(content, text);
    dir_close_file(&file);
}

static void files_below_are_found_either_way(void **state)
{
    static const open_way ways[] = {dir_open_file, dir_open_file_stepwise};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        expect_content(ways[i], "fw", "firmware");
        expect_content(ways[i], "sub/fw", "inner");
    }
}

static void links_within_are_followed(void **state)
{
    (void)state;
    expect_content(dir_open_file, "inside", "firmware");
    expect_content(dir_open_file, "insidedir/fw", "inner");
    expect_content(dir_open_file, "sub/up", "firmware");
}

static void old_kernels_follow_no_links(void **state)
{
    (void)state;
    assert_int_equal(try_open(dir_open_file_stepwise, "fw"), DIR_OK);
    assert_int_equal(try_open(dir_open_file_stepwise, "inside"), DIR_NOT_FOUND);
    assert_int_equal(try_open(dir_open_file_stepwise, "insidedir/fw"), DIR_NOT_FOUND);
}

static void no_name_leads_out(void **state)
{
    static const char *const names[] = {
        "../secret",
        "sub/../../secret",
        "/etc/passwd",
        "outside",
        "outsidedir/secret",
        "absolute",
        "magic",
        "loop",
        "..",
        "outsidedir",
        "outsidedir/root/fw",
        "../root/fw",
        "sub/up/../../../secret",
    };
    (void)state;
    assert_int_equal(access("root/outside", R_OK), 0); /* The link does work for whoever follows it. */
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        print_message("%s\n", names[i]);
        assert_int_equal(try_open(dir_open_file, names[i]), DIR_NOT_FOUND);
        assert_int_equal(try_open(dir_open_file_stepwise, names[i]), DIR_NOT_FOUND);
    }
}

static void only_regular_files_are_opened(void **state)
{
    char long_name[NAME_MAX + 2];
    (void)state;
    memset(long_name, 'a', sizeof(long_name) - 1);
    long_name[sizeof(long_name) - 1] = '\0';
    const char *const names[] = {"",        ".",   "sub",  "sub/",    "sub/.",  "pipe",
                                 "missing", "fw/", "fw/x", "sub//fw", long_name};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        print_message("%s\n", names[i]);
        bool kernel_is_lenient = strcmp(names[i], "sub//fw") == 0;
        assert_int_equal(try_open(dir_open_file, names[i]), kernel_is_lenient ? DIR_OK : DIR_NOT_FOUND);
        assert_int_equal(try_open(dir_open_file_stepwise, names[i]), DIR_NOT_FOUND);
    }
}

static void the_tag_changes_with_the_file(void **state)
{
    struct dir_file first;
    struct dir_file again;
    struct dir_file replaced;
    struct dir_file other;
    (void)state;
    assert_int_equal(dir_open_file(&root, "fw", &first), DIR_OK);
    assert_int_equal(dir_open_file(&root, "inside", &again), DIR_OK);
    put("new", "firmware");
    assert_int_equal(rename("new", "root/fw"), 0);
    assert_int_equal(dir_open_file(&root, "fw", &replaced), DIR_OK);
    assert_int_equal(dir_open_file(&root, "sub/fw", &other), DIR_OK);
    assert_string_equal(first.tag, again.tag);
    assert_string_not_equal(first.tag, replaced.tag);
    assert_string_not_equal(replaced.tag, other.tag);
    dir_close_file(&first);
    dir_close_file(&again);
    dir_close_file(&replaced);
    dir_close_file(&other);
}

static void a_copy_with_the_old_date_has_another_tag(void **state)
{
    struct dir_file before;
    struct dir_file after;
    (void)state;
    assert_int_equal(dir_open_file(&root, "fw", &before), DIR_OK);
    const struct timespec times[2] = {before.modified, before.modified};
    FILE *file = fopen("root/fw", "r+");
    assert_non_null(file);
    fputs("FIRMWARE", file);
    fclose(file);
    do { /* Until the clock that stamps files has moved on. */
        assert_int_equal(utimensat(AT_FDCWD, "root/fw", times, 0), 0);
        dir_open_file(&root, "fw", &after);
        dir_close_file(&after);
    } while (strcmp(before.tag, after.tag) == 0);
    assert_int_equal(after.size_bytes, before.size_bytes);
    assert_int_equal(after.modified.tv_nsec, before.modified.tv_nsec);
    dir_close_file(&before);
}

static void a_replaced_file_is_read_to_its_end(void **state)
{
    struct dir_file file;
    char content[16] = "";
    (void)state;
    assert_int_equal(dir_open_file(&root, "fw", &file), DIR_OK);
    assert_int_equal(dir_read(&file, 0, content, 4), 4);
    put("new", "something else");
    assert_int_equal(rename("new", "root/fw"), 0);
    assert_int_equal(dir_read(&file, 4, content + 4, 12), 4);
    assert_string_equal(content, "firmware");
    dir_close_file(&file);
}

static void a_file_changed_in_place_is_read_no_further(void **state)
{
    struct dir_file file;
    char content[16];
    (void)state;
    const struct timespec old[2] = {{1000, 0}, {1000, 0}};
    assert_int_equal(utimensat(AT_FDCWD, "root/fw", old, 0), 0);
    assert_int_equal(dir_open_file(&root, "fw", &file), DIR_OK);
    assert_int_equal(dir_read(&file, 0, content, 4), 4);
    FILE *writer = fopen("root/fw", "r+");
    assert_non_null(writer);
    fputs("F", writer);
    fclose(writer);
    assert_int_equal(dir_read(&file, 4, content, 4), -1);
    assert_int_equal(errno, ESTALE);
    dir_close_file(&file);
}

static void a_truncated_file_is_read_no_further(void **state)
{
    struct dir_file file;
    char content[16];
    (void)state;
    assert_int_equal(dir_open_file(&root, "fw", &file), DIR_OK);
    assert_int_equal(truncate("root/fw", 6), 0);
    assert_int_equal(dir_read(&file, 4, content, 4), -1);
    assert_int_equal(errno, ESTALE);
    dir_close_file(&file);
}

static void running_out_of_descriptors_is_told_apart(void **state)
{
    struct rlimit limit;
    (void)state;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    const struct rlimit none_left = {.rlim_cur = (rlim_t)root.fd + 1, .rlim_max = limit.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none_left), 0);
    enum dir_result result = try_open(dir_open_file, "fw");
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    assert_int_equal(result, DIR_BUSY);
    assert_int_equal(try_open(dir_open_file, "fw"), DIR_OK);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown(files_below_are_found_either_way, make_tree, remove_tree),
    cmocka_unit_test_setup_teardown(links_within_are_followed, make_tree, remove_tree),
    cmocka_unit_test_setup_teardown(old_kernels_follow_no_links, make_tree, remove_tree),
    cmocka_unit_test_setup_teardown(no_name_leads_out, make_tree, remove_tree),
    cmocka_unit_test_setup_teardown(only_regular_files_are_opened, make_tree, remove_tree),
    cmocka_unit_test_setup_teardown(the_tag_changes_with_the_file, make_tree, remove_tree),
    cmocka_unit_test_setup_teardown(a_copy_with_the_old_date_has_another_tag, make_tree, remove_tree),
    cmocka_unit_test_setup_teardown(a_replaced_file_is_read_to_its_end, make_tree, remove_tree),
    cmocka_unit_test_setup_teardown(a_file_changed_in_place_is_read_no_further, make_tree, remove_tree),
    cmocka_unit_test_setup_teardown(a_truncated_file_is_read_no_further, make_tree, remove_tree),
    cmocka_unit_test_setup_teardown(running_out_of_descriptors_is_told_apart, make_tree, remove_tree),
};

TEST_MAIN(tests)
