/* SPDX-License-Identifier: Apache-2.0 */
/* Finds the command and runs it. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"

static bool is_help(const char *word)
{
    return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0 || strcmp(word, "help") == 0;
}

/** The command that argv begins with, or NULL. @p words gets how many words its name has. */
static const cli_command_t *find(int argc, char **argv, int *words)
{
    for (const cli_command_t *const *command = cli_commands; *command != NULL; command++) {
        if (strcmp((*command)->group, argv[0]) != 0) {
            continue;
        }
        if ((*command)->name == NULL) {
            *words = 1;
            return *command;
        }
        if (argc > 1 && strcmp((*command)->name, argv[1]) == 0) {
            *words = 2;
            return *command;
        }
    }
    return NULL;
}

static bool is_group(const char *word)
{
    for (const cli_command_t *const *command = cli_commands; *command != NULL; command++) {
        if (strcmp((*command)->group, word) == 0) {
            return true;
        }
    }
    return false;
}

static int complain_group(const char *word)
{
    const char *best = NULL;
    size_t distance = SIZE_MAX;
    for (const cli_command_t *const *command = cli_commands; *command != NULL; command++) {
        best = cli_nearer(word, (*command)->group, best, &distance);
    }
    if (best != NULL) {
        fprintf(stderr, "otter: unknown command %s; did you mean %s?\n", word, best);
    } else {
        fprintf(stderr, "otter: unknown command %s; see: otter help\n", word);
    }
    return CLI_USAGE;
}

static int complain_command(const char *group, const char *word)
{
    const char *best = NULL;
    size_t distance = SIZE_MAX;
    for (const cli_command_t *const *command = cli_commands; *command != NULL; command++) {
        if (strcmp((*command)->group, group) == 0) {
            best = cli_nearer(word, (*command)->name, best, &distance);
        }
    }
    if (best != NULL) {
        fprintf(stderr, "otter: unknown command %s %s; did you mean %s %s?\n", group, word, group, best);
    } else {
        fprintf(stderr, "otter: unknown command %s %s; see: otter help %s\n", group, word, group);
    }
    return CLI_USAGE;
}

/** otter help [GROUP [NAME]] */
static int help(int argc, char **argv)
{
    if (argc == 0) {
        cli_print_overview(NULL);
        return CLI_OK;
    }
    int words = 0;
    const cli_command_t *command = find(argc, argv, &words);
    if (command != NULL) {
        cli_print_help(command);
        return CLI_OK;
    }
    if (!is_group(argv[0])) {
        return complain_group(argv[0]);
    }
    if (argc > 1) {
        return complain_command(argv[0], argv[1]);
    }
    cli_print_overview(argv[0]);
    return CLI_OK;
}

/** No command begins with these words: help, or a complaint. */
static int no_command(int argc, char **argv)
{
    if (!is_group(argv[0])) {
        return complain_group(argv[0]);
    }
    if (argc > 1 && is_help(argv[1])) {
        cli_print_overview(argv[0]);
        return CLI_OK;
    }
    if (argc > 1) {
        return complain_command(argv[0], argv[1]);
    }
    fprintf(stderr, "otter: %s needs a command after it; see: otter help %s\n", argv[0], argv[0]);
    return CLI_USAGE;
}

static int run(const cli_command_t *command, int argc, char **argv)
{
    for (int i = 0; i < argc && strcmp(argv[i], "--") != 0; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            cli_print_help(command);
            return CLI_OK;
        }
    }
    cli_args_t args;
    int status = cli_parse(&args, command, argc, argv);
    if (status == CLI_OK) {
        status = command->run(&args);
    }
    cli_args_free(&args);
    return status;
}

static int dispatch(int argc, char **argv)
{
    if (argc == 0) {
        fprintf(stderr, "otter: which command? see: otter help\n");
        return CLI_USAGE;
    }
    if (is_help(argv[0])) {
        return help(argc - 1, argv + 1);
    }
    if (strcmp(argv[0], "--version") == 0) {
        printf("otter %s\n", OTTER_VERSION);
        return CLI_OK;
    }
    int words = 0;
    const cli_command_t *command = find(argc, argv, &words);
    if (command == NULL) {
        return no_command(argc, argv);
    }
    return run(command, argc - words, argv + words);
}

int main(int argc, char **argv)
{
    int status = dispatch(argc - 1, argv + 1);
    /* Facts that never reached their reader are a failure, e.g. on a full disk. */
    if (fflush(stdout) != 0 || ferror(stdout)) {
        fprintf(stderr, "otter: cannot write to standard output: %s\n", strerror(errno));
        return status == CLI_OK ? CLI_FAILED : status;
    }
    return status;
}
