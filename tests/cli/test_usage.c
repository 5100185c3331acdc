/* SPDX-License-Identifier: Apache-2.0 */
/* How the command line itself behaves, whatever the command. */
#include <stdlib.h>

#include "tests/cli/cli_bench.h"

/** Calls @p check for every command of "otter help": "flash create", "boot". */
static unsigned each_command(void (*check)(const char *command))
{
    char names[64][40];
    unsigned count = 0;
    assert_otter(0, "help");
    for (char *row = strstr(said.out, "Commands:\n") + 10; row[0] == ' ' && count < 64; row = strchr(row, '\n') + 1) {
        size_t len = strcspn(row + 2, "\n");
        char *gap = strstr(row + 2, "  ");
        len = gap != NULL && (size_t)(gap - row - 2) < len ? (size_t)(gap - row - 2) : len;
        snprintf(names[count], sizeof(names[count]), "%.*s", (int)len, row + 2);
        for (size_t end = strlen(names[count]); end > 0 && names[count][end - 1] == ' '; end--) {
            names[count][end - 1] = '\0';
        }
        count++;
    }
    for (unsigned i = 0; i < count; i++) {
        check(names[i]);
    }
    return count;
}

static void no_command_is_wrong_usage(void **state)
{
    (void)state;
    const char *const words[] = {OTTER_CLI, NULL};
    run_result_t result = run_program(words, NULL);
    assert_int_equal(result.status, 2);
    assert_int_equal(result.out_len, 0);
    assert_says(result.err, "otter help");
    run_free(&result);
}

static void a_mistyped_command_is_told_the_right_one(void **state)
{
    (void)state;
    assert_otter(2, "flahs info x");
    assert_says(said.err, "did you mean flash?");
    assert_otter(2, "flash inof x");
    assert_says(said.err, "did you mean flash info?");
    assert_otter(2, "flash");
    assert_says(said.err, "otter help flash");
    assert_otter(2, "help flahs");
    assert_says(said.err, "did you mean flash?");
}

static void a_word_like_no_command_gets_no_guess(void **state)
{
    (void)state;
    assert_otter(2, "xyzzyplugh");
    assert_says(said.err, "unknown command xyzzyplugh");
    assert_null(strstr(said.err, "did you mean"));
}

static void a_mistyped_option_is_told_the_right_one(void **state)
{
    (void)state;
    assert_otter(2, "flash create f.bin --size 1M --forze");
    assert_says(said.err, "unknown option --forze; did you mean --force?");
    assert_otter(2, "ptable build x.csv --out y");
    assert_says(said.err, "did you mean --output?");
    assert_false(bench_exists("f.bin"));
}

static void check_help(const char *command)
{
    assert_otter(0, "%s --help", command);
    assert_says(said.out, "Usage: otter ");
    assert_says(said.out, command);
    assert_says(said.out, "Options:");
    assert_says(said.out, "--help");
    assert_int_equal(said.err_len, 0);
    char *page = strdup(said.out);
    assert_non_null(page);
    assert_otter(0, "help %s", command);
    assert_string_equal(said.out, page);
    free(page);
}

static void every_command_has_help(void **state)
{
    (void)state;
    assert_true(each_command(check_help) >= 13);
}

static void check_unknown_option(const char *command)
{
    assert_otter(2, "%s --no-such-option-here", command);
    assert_says(said.err, "unknown option --no-such-option-here");
    assert_says(said.err, command);
    assert_int_equal(said.out_len, 0);
}

static void every_command_refuses_an_unknown_option(void **state)
{
    (void)state;
    assert_true(each_command(check_unknown_option) >= 13);
}

/* All but the one that works on nothing but its own memory. */
static void check_no_arguments(const char *command)
{
    if (strcmp(command, "torture") == 0) {
        return;
    }
    assert_otter(2, "%s", command);
    assert_says(said.err, "--help");
}

static void every_command_refuses_to_work_on_nothing(void **state)
{
    (void)state;
    assert_true(each_command(check_no_arguments) >= 13);
}

static void check_many_arguments(const char *command)
{
    assert_otter(2, "%s a b c d e f g h", command);
    assert_says(said.err, "unexpected argument");
}

static void every_command_refuses_too_many_arguments(void **state)
{
    (void)state;
    assert_true(each_command(check_many_arguments) >= 13);
    assert_int_equal(bench_count(), 0);
}

static void options_are_checked_for_their_form(void **state)
{
    (void)state;
    assert_otter(2, "flash create f.bin --size");
    assert_says(said.err, "--size needs a value");
    assert_otter(2, "flash create f.bin --size 1M --size 2M");
    assert_says(said.err, "--size is given twice");
    assert_otter(2, "flash info f.bin --json=yes");
    assert_says(said.err, "--json takes no value");
    assert_otter(2, "flash create f.bin -x");
    assert_says(said.err, "unknown option -x");
    assert_int_equal(bench_count(), 0);
}

static void sizes_may_be_hexadecimal_or_have_a_suffix(void **state)
{
    static const char *const same[] = {"1048576", "0x100000", "1024K", "1M", "1MB", "1MiB", "1m", "0b1M", "0o4000000"};
    (void)state;
    for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++) {
        size_t len = 0;
        assert_otter(0, "flash create f.bin --force --size %s", same[i]);
        free(bench_read("f.bin", &len));
        assert_int_equal(len, 1 << 20);
    }
}

static void numbers_that_are_none_are_refused(void **state)
{
    static const char *const bad[] = {"", "M", "1.5M", "-1", "0x", "4G", "99999999999999999999", "1MX", "08", "1 M"};
    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        char option[64];
        snprintf(option, sizeof(option), "--size=%s", bad[i]);
        const char *const words[] = {OTTER_CLI, "flash", "create", "f.bin", option, NULL};
        run_result_t result = run_program(words, NULL);
        if (result.status != 2) {
            fail_msg("--size=%s: exit status %d", bad[i], result.status);
        }
        run_free(&result);
    }
    assert_false(bench_exists("f.bin"));
}

static void words_behind_two_dashes_are_no_options(void **state)
{
    (void)state;
    assert_otter(0, "flash create --size 1M -- --size");
    assert_true(bench_exists("--size"));
}

static void the_version_is_told(void **state)
{
    (void)state;
    assert_otter(0, "--version");
    assert_int_equal(strncmp(said.out, "otter ", 6), 0);
    assert_true(said.out[6] >= '0' && said.out[6] <= '9');
}

static void output_that_cannot_be_written_is_a_failure(void **state)
{
    const run_options_t full = {.stdout_path = "/dev/full"};
    (void)state;
    assert_otter(0, "flash create f.bin --size 1M");
    assert_int_equal(otter_with(&full, "flash info f.bin"), 1);
    assert_says(said.err, "cannot write to standard output");
    assert_int_equal(otter_with(&full, "flash info f.bin --json"), 1);
    assert_says(said.err, "standard output");
    assert_int_equal(otter_with(&full, "help"), 1);
}

static void colours_are_for_terminals_only(void **state)
{
    const run_options_t terminal = {.terminal = true};
    (void)state;
    assert_otter(0, "flash create f.bin --size 1M");
    assert_otter(0, "flash info f.bin");
    assert_null(strchr(said.out, '\033'));
    assert_int_equal(otter_with(&terminal, "flash info f.bin"), 0);
    assert_says(said.out, "\033[31mno");
    assert_int_equal(setenv("NO_COLOR", "1", 1), 0);
    assert_int_equal(otter_with(&terminal, "flash info f.bin"), 0);
    assert_int_equal(unsetenv("NO_COLOR"), 0);
    assert_null(strchr(said.out, '\033'));
    assert_says(said.out, "VALID");
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown(no_command_is_wrong_usage, bench_enter, bench_leave),
    cmocka_unit_test_setup_teardown(a_mistyped_command_is_told_the_right_one, bench_enter, bench_leave),
    cmocka_unit_test_setup_teardown(a_word_like_no_command_gets_no_guess, bench_enter, bench_leave),
    cmocka_unit_test_setup_teardown(a_mistyped_option_is_told_the_right_one, bench_enter, bench_leave),
    cmocka_unit_test_setup_teardown(every_command_has_help, bench_enter, bench_leave),
    cmocka_unit_test_setup_teardown(every_command_refuses_an_unknown_option, bench_enter, bench_leave),
    cmocka_unit_test_setup_teardown(every_command_refuses_to_work_on_nothing, bench_enter, bench_leave),
    cmocka_unit_test_setup_teardown(every_command_refuses_too_many_arguments, bench_enter, bench_leave),
    cmocka_unit_test_setup_teardown(options_are_checked_for_their_form, bench_enter, bench_leave),
    cmocka_unit_test_setup_teardown(sizes_may_be_hexadecimal_or_have_a_suffix, bench_enter, bench_leave),
    cmocka_unit_test_setup_teardown(numbers_that_are_none_are_refused, bench_enter, bench_leave),
    cmocka_unit_test_setup_teardown(words_behind_two_dashes_are_no_options, bench_enter, bench_leave),
    cmocka_unit_test_setup_teardown(the_version_is_told, bench_enter, bench_leave),
    cmocka_unit_test_setup_teardown(output_that_cannot_be_written_is_a_failure, bench_enter, bench_leave),
    cmocka_unit_test_setup_teardown(colours_are_for_terminals_only, bench_enter, bench_leave),
};

TEST_MAIN(tests)
