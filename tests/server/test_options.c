/* SPDX-License-Identifier: Apache-2.0 */
#include "server/options.h"

#include <stdlib.h>
#include <unistd.h>

#include "tests/support/test.h"

static char config_path[] = "/tmp/otterd-options-XXXXXX";

static int make_config(void **state)
{
    (void)state;
    strcpy(config_path + strlen(config_path) - 6, "XXXXXX");
    int fd = mkstemp(config_path);
    return fd < 0 ? -1 : close(fd);
}

static int remove_config(void **state)
{
    (void)state;
    return unlink(config_path);
}

static void write_config(const char *text, size_t len)
{
    FILE *file = fopen(config_path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, len, file), len);
    assert_int_equal(fclose(file), 0);
}

/** Reads a command line, separated by blanks; "@" stands for the configuration file. */
static enum options_result read_line(struct options *options, const char *line, char *error)
{
    char words[512];
    char *argv[32] = {NULL};
    char name[] = "otterd";
    int argc = 0;
    argv[argc++] = name;
    snprintf(words, sizeof(words), "%s", line);
    for (char *word = strtok(words, " "); word != NULL && argc < 31; word = strtok(NULL, " ")) {
        argv[argc++] = strcmp(word, "@") == 0 ? config_path : word;
    }
    error[0] = '\0';
    return options_read(options, argc, argv, error);
}

static void expect_wrong(const char *line, const char *message)
{
    struct options options;
    char error[OPTIONS_ERROR_SIZE];
    print_message("otterd %s\n", line);
    assert_int_equal(read_line(&options, line, error), OPTIONS_WRONG);
    options_free(&options);
    if (strstr(error, message) == NULL) {
        fail_msg("'%s' does not say '%s'", error, message);
    }
}

static void defaults_are_filled_in(void **state)
{
    struct options options;
    char error[OPTIONS_ERROR_SIZE];
    (void)state;
    assert_int_equal(read_line(&options, "--root /srv --plain-http", error), OPTIONS_OK);
    assert_string_equal(options.root, "/srv");
    assert_string_equal(options.listen, "0.0.0.0:8443");
    assert_string_equal(options.access_log, "-");
    assert_true(options.plain_http);
    assert_true(options.threads >= 1);
    assert_int_equal(options.connections, 1000);
    assert_int_equal(options.idle_timeout_s, 30);
    assert_int_equal(options.stop_timeout_s, 5);
    assert_null(options.port_file);
    options_free(&options);
}

static void flags_are_read_in_both_spellings_and_the_last_wins(void **state)
{
    struct options options;
    char error[OPTIONS_ERROR_SIZE];
    (void)state;
    assert_int_equal(
        read_line(&options, "--root=/a --cert c.pem --key=k=1.pem --threads 2 --threads=3 --root /b", error),
        OPTIONS_OK);
    assert_string_equal(options.root, "/b");
    assert_string_equal(options.cert, "c.pem");
    assert_string_equal(options.key, "k=1.pem");
    assert_int_equal(options.threads, 3);
    assert_false(options.plain_http);
    options_free(&options);
}

static void wrong_usage_is_explained(void **state)
{
    static const char *const cases[][2] = {
        {"", "give --root DIR"},
        {"--root /a", "give --cert FILE and --key FILE, or --plain-http"},
        {"--root /a --cert c", "--cert needs --key"},
        {"--root /a --key k", "--key needs --cert"},
        {"--root /a --cert c --key k --plain-http", "contradicts"},
        {"--root", "--root needs a value: --root DIR"},
        {"--root= --plain-http", "root needs a value"},
        {"--rooot /a", "unknown option '--rooot'"},
        {"/srv", "unexpected argument '/srv'"},
        {"-h", "unexpected argument '-h'"},
        {"--", "unexpected argument '--'"},
        {"--threads 0 --root /a", "threads takes a number from 1 to 1024, not '0'"},
        {"--threads 1025 --root /a", "not '1025'"},
        {"--threads -1 --root /a", "not '-1'"},
        {"--threads 4x --root /a", "not '4x'"},
        {"--threads 99999999999999999999 --root /a", "not '99999999999999999999'"},
        {"--plain-http=maybe --root /a", "plain-http takes yes or no, not 'maybe'"},
        {"--root /a --plain-http --threads 8 --connections 4", "--connections must not be less than --threads"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        expect_wrong(cases[i][0], cases[i][1]);
    }
}

static void a_file_has_the_same_names(void **state)
{
    static const char text[] = "# a comment\n\n  root = /srv/fw \r\nplain-http=yes\n\tthreads\t=\t7\naccess-log = off";
    struct options options;
    char error[OPTIONS_ERROR_SIZE];
    (void)state;
    write_config(text, strlen(text));
    assert_int_equal(read_line(&options, "--config @", error), OPTIONS_OK);
    assert_string_equal(options.root, "/srv/fw");
    assert_string_equal(options.access_log, "off");
    assert_int_equal(options.threads, 7);
    assert_true(options.plain_http);
    options_free(&options);
}

static void the_command_line_wins_over_the_file(void **state)
{
    static const char text[] = "root = /file\nthreads = 7\nplain-http = yes\nidle-timeout = 9\n";
    struct options options;
    char error[OPTIONS_ERROR_SIZE];
    (void)state;
    write_config(text, strlen(text));
    assert_int_equal(read_line(&options, "--root /flag --config @ --threads 2", error), OPTIONS_OK);
    assert_string_equal(options.root, "/flag");
    assert_int_equal(options.threads, 2);
    assert_int_equal(options.idle_timeout_s, 9);
    options_free(&options);
    expect_wrong("--config @ --plain-http=no", "no certificate");
}

static void a_wrong_line_is_named_by_its_number(void **state)
{
    static const struct {
        const char *text;
        const char *message;
    } cases[] = {
        {"root = /a\n\nroots = /b\n", ":3: unknown name 'roots'"},
        {"config = x\n", ":1: unknown name 'config'"},
        {"root = /a\nroot = /b\n", ":2: root is given twice"},
        {"root /a\n", ":1: not of the form name = value: 'root /a'"},
        {"root =\n", ":1: root needs a value"},
        {"# c\nthreads = many\n", ":2: threads takes a number"},
        {"plain-http = 1\n", ":1: plain-http takes yes or no"},
        {"= x\n", ":1: unknown name ''"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        write_config(cases[i].text, strlen(cases[i].text));
        expect_wrong("--config @", cases[i].message);
        expect_wrong("--config @", config_path);
    }
    write_config("root = /a\0b\n", 12);
    expect_wrong("--config @", ":1: a zero byte");
}

static void a_missing_file_is_no_usage_error(void **state)
{
    struct options options;
    char error[OPTIONS_ERROR_SIZE];
    (void)state;
    assert_int_equal(read_line(&options, "--config /nonexistent/otterd.conf", error), OPTIONS_UNREADABLE);
    assert_non_null(strstr(error, "/nonexistent/otterd.conf: No such file"));
    options_free(&options);
}

static void help_and_version_ask_for_nothing_else(void **state)
{
    struct options options;
    char error[OPTIONS_ERROR_SIZE];
    (void)state;
    assert_int_equal(read_line(&options, "--help --config /nonexistent", error), OPTIONS_OK);
    assert_true(options.help);
    options_free(&options);
    assert_int_equal(read_line(&options, "--version", error), OPTIONS_OK);
    assert_true(options.version);
    options_free(&options);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(defaults_are_filled_in),
    cmocka_unit_test(flags_are_read_in_both_spellings_and_the_last_wins),
    cmocka_unit_test(wrong_usage_is_explained),
    cmocka_unit_test_setup_teardown(a_file_has_the_same_names, make_config, remove_config),
    cmocka_unit_test_setup_teardown(the_command_line_wins_over_the_file, make_config, remove_config),
    cmocka_unit_test_setup_teardown(a_wrong_line_is_named_by_its_number, make_config, remove_config),
    cmocka_unit_test(a_missing_file_is_no_usage_error),
    cmocka_unit_test(help_and_version_ask_for_nothing_else),
};

TEST_MAIN(tests)
