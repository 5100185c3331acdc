/* SPDX-License-Identifier: Apache-2.0 */
/* The man page says what --help says: every command, every option, and none that is not there. */
#include <ctype.h>
#include <stdlib.h>

#include "tests/cli/cli_bench.h"

#define PAGE OTTER_SOURCE_DIR "/docs/man/otter.1"

/** The man page, terminated; for free(). */
static char *read_page(void)
{
    size_t len = 0;
    char *page = (char *)bench_read(PAGE, &len);
    page[len] = '\0';
    return page;
}

/** What the page says about a command: the text of its subsection; for free(). Fails the test if it has none. */
static char *section_of(const char *page, const char *command)
{
    char heading[64];
    snprintf(heading, sizeof(heading), "\n.Ss otter %s\n", command);
    const char *start = strstr(page, heading);
    if (start == NULL) {
        fail_msg("docs/man/otter.1 has no subsection \"otter %s\"", command);
    }
    start += strlen(heading);
    const char *end = strstr(start, "\n.S");
    assert_non_null(end);
    return strndup(start, (size_t)(end - start));
}

/** Calls @p visit for each word of @p text that follows @p mark: letters, digits and dashes. */
static unsigned each_name(const char *text, const char *mark, void (*visit)(const char *name, const void *arg),
                          const void *arg)
{
    unsigned count = 0;
    for (const char *at = strstr(text, mark); at != NULL; at = strstr(at, mark)) {
        char name[40];
        size_t len = 0;
        at += strlen(mark);
        while (isalnum((unsigned char)at[len]) || at[len] == '-') {
            len++;
        }
        assert_true(len > 0 && len < sizeof(name));
        snprintf(name, sizeof(name), "%.*s", (int)len, at);
        visit(name, arg);
        count++;
    }
    return count;
}

/** Fails unless @p text holds @p before and the name as a whole word. */
static void assert_named(const char *text, const char *before, const char *name)
{
    char wanted[64];
    snprintf(wanted, sizeof(wanted), "%s%s", before, name);
    for (const char *at = strstr(text, wanted); at != NULL; at = strstr(at + 1, wanted)) {
        char next = at[strlen(wanted)];
        if (!isalnum((unsigned char)next) && next != '-') {
            return;
        }
    }
    fail_msg("--%s is not in:\n%s", name, text);
}

static void find_in_page(const char *name, const void *section)
{
    if (strcmp(name, "help") != 0) {
        assert_named(section, "Fl -", name);
    }
}

static void find_in_help(const char *name, const void *help)
{
    assert_named(help, "--", name);
}

/** Checks one command both ways. */
static void compare(const char *page, const char *command)
{
    char *section = section_of(page, command);
    assert_otter(0, "%s --help", command);
    const char *options = strstr(said.out, "\nOptions:\n");
    assert_non_null(options);
    assert_true(each_name(options, " --", find_in_page, section) >= 2);
    assert_true(each_name(strstr(section, ".Bl"), "Fl -", find_in_help, options) >= 1);
    free(section);
}

/** Copies the next command's name out of the list in "otter help". @return the next row, or NULL at the end */
static const char *next_command(const char *row, char name[40])
{
    if (strncmp(row, "  ", 2) != 0) {
        return NULL;
    }
    const char *gap = strstr(row + 2, "  ");
    assert_non_null(gap);
    snprintf(name, 40, "%.*s", (int)(gap - row - 2), row + 2);
    return strchr(row, '\n') + 1;
}

static void the_page_has_every_command_and_exactly_its_options(void **state)
{
    char name[40];
    unsigned count = 0;
    (void)state;
    char *page = read_page();
    assert_otter(0, "help");
    char *list = strdup(strstr(said.out, "Commands:\n") + 10);
    for (const char *row = next_command(list, name); row != NULL; row = next_command(row, name)) {
        compare(page, name);
        count++;
    }
    assert_true(count >= 17);
    free(list);
    free(page);
}

static void the_page_has_no_command_that_is_not_there(void **state)
{
    unsigned count = 0;
    (void)state;
    char *page = read_page();
    for (const char *at = strstr(page, "\n.Ss otter "); at != NULL; at = strstr(at, "\n.Ss otter ")) {
        at += strlen("\n.Ss otter ");
        assert_otter(0, "%.*s --help", (int)strcspn(at, "\n"), at);
        count++;
    }
    assert_true(count >= 17);
    free(page);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown(the_page_has_every_command_and_exactly_its_options, bench_enter, bench_leave),
    cmocka_unit_test_setup_teardown(the_page_has_no_command_that_is_not_there, bench_enter, bench_leave),
};

TEST_MAIN(tests)
