/* SPDX-License-Identifier: Apache-2.0 */
/* otter torture: hands over to otter-torture, which has an HTTP port of its own and so is a program of its own. */
#define _GNU_SOURCE
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"

#define PROGRAM    "otter-torture"
#define MAX_WORDS  64
#define WORD_BYTES 32

/* Options whose value is a number that may have a suffix. */
static const char *const sizes[] = {"sector-size", "program-size", "image-size", "table-offset", "depth",
                                    "random",      "seed",         "slice",      "jobs"};

static bool is_size(const char *name)
{
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        if (strcmp(name, sizes[i]) == 0) {
            return true;
        }
    }
    return false;
}

typedef struct words {
    size_t count;
    const char *word[MAX_WORDS + 3]; /* The program, options and values, NULL. */
    char name[MAX_WORDS][WORD_BYTES];
    char number[MAX_WORDS][WORD_BYTES];
} words_t;

static int add_option(const cli_args_t *args, const cli_given_t *given, words_t *words)
{
    char *name = words->name[words->count / 2];
    char *number = words->number[words->count / 2];
    (void)snprintf(name, WORD_BYTES, "--%s", given->option->name);
    words->word[words->count++] = name;
    if (given->value == NULL || !is_size(given->option->name)) {
        words->word[words->count++] = given->value;
        words->count -= given->value == NULL;
        return CLI_OK;
    }
    uint32_t value = 0;
    int status = cli_size_option(args, given->option->name, &value);
    (void)snprintf(number, WORD_BYTES, "%u", (unsigned)value);
    words->word[words->count++] = number;
    return status;
}

/* It is installed and built beside this program. */
static bool find_program(char path[PATH_MAX])
{
    ssize_t len = readlink("/proc/self/exe", path, PATH_MAX - sizeof(PROGRAM));
    if (len <= 0) {
        return false;
    }
    path[len] = '\0';
    char *slash = strrchr(path, '/');
    if (slash == NULL) {
        return false;
    }
    memcpy(slash + 1, PROGRAM, sizeof(PROGRAM));
    return true;
}

static int run(const cli_args_t *args)
{
    static words_t words;
    char path[PATH_MAX];
    int status = CLI_OK;
    words.word[words.count++] = PROGRAM;
    for (size_t i = 0; status == CLI_OK && i < args->given_count && words.count < MAX_WORDS; i++) {
        status = add_option(args, &args->given[i], &words);
    }
    if (status != CLI_OK) {
        return status;
    }
    if (!find_program(path)) {
        return cli_fail("%s is not beside this program", PROGRAM);
    }
    (void)execv(path, (char **)words.word);
    return cli_fail("%s: %s", path, strerror(errno));
}

static const cli_option_t options[] = {
    {.name = "scenario", .value = "NAME", .help = "only this one"},
    {.name = "list", .help = "print the scenarios"},
    {.name = "model", .value = "MODEL", .help = "cells: NOR flash (default); pages: a flash file behind a page cache"},
    {.name = "table", .value = "FILE", .help = "partition table as CSV; what it does not suit is skipped"},
    {.name = "table-offset", .value = "OFFSET", .help = "where it lies (default: 0x8000)"},
    {.name = "sector-size", .value = "SIZE", .help = "erase unit, 4K to 256K (default: 4K)"},
    {.name = "program-size", .value = "SIZE", .help = "program unit, 1 to 4 (default: 1)"},
    {.name = "image-size", .value = "SIZE", .help = "size of each app (default: 6000)"},
    {.name = "depth", .value = "N", .help = "1: one cut; 2: another one everywhere in the recovery (default: 2)"},
    {.name = "random", .value = "N", .help = "devices with three and more cuts at random (default: 500)"},
    {.name = "seed", .value = "N", .help = "of these (default: 1)"},
    {.name = "slice", .value = "N", .help = "only every N-th cut (default: 1)"},
    {.name = "jobs", .value = "N", .help = "processes (default: one a processor)"},
    {.name = "first", .help = "end at the first failure"},
    {.name = "replay", .value = "ID", .help = "one failure again, with the device's log"},
    CLI_OPTION_JSON,
    CLI_OPTIONS_END,
};

const cli_command_t cmd_torture = {
    .group = "torture",
    .name = NULL,
    .summary = "cut the power everywhere in whole updates, and report",
    .arguments = "",
    .min_args = 0,
    .max_args = 0,
    .options = options,
    .details = "Updates, rollbacks and fallbacks run once on a flash in memory to count their\n"
               "operations, then again for each of them with the power cut before, in and after it,\n"
               "and cut again in what recovers from that. Something valid must boot, no record may be\n"
               "lost, and the update must be completed. Each failure prints an id for --replay.\n",
    .run = run,
};
