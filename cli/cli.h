/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file cli.h
 * @brief The command line: a table of commands, each with its table of options.
 *
 * A command is one const struct in one file, listed in commands.c. Help, parsing and the complaints about
 * wrong usage come from its tables; run() sees only usage that is right in form.
 *
 * Exit status: 0 ok, 1 the operation failed, 2 wrong usage.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CLI_OK     0 /**< Exit status: done. */
#define CLI_FAILED 1 /**< Exit status: the operation failed; why is on stderr. */
#define CLI_USAGE  2 /**< Exit status: the command line makes no sense; why is on stderr. */

/** An option of a command. */
typedef struct cli_option {
    const char *name;  /**< Long name, without the dashes. */
    char letter;       /**< Short name, or 0. */
    const char *value; /**< What its value is called in the help ("FILE"); NULL: the option takes none. */
    const char *help;  /**< One sentence, lower case, no full stop. */
    const char *alias; /**< Another long name that is accepted, or NULL. */
    bool repeated;     /**< May be given more than once; otherwise that is wrong usage. */
} cli_option_t;

/** Ends a table of options. */
#define CLI_OPTIONS_END                                                                                                \
    {                                                                                                                  \
        .name = NULL                                                                                                   \
    }

/** Options that several commands have, for their tables. */
#define CLI_OPTION_JSON                                                                                                \
    {                                                                                                                  \
        .name = "json", .help = "print JSON for programs"                                                              \
    }
#define CLI_OPTION_OUTPUT(txt)                                                                                         \
    {                                                                                                                  \
        .name = "output", .letter = 'o', .value = "FILE", .help = txt                                                  \
    }
#define CLI_OPTION_FORCE(txt)                                                                                          \
    {                                                                                                                  \
        .name = "force", .letter = 'f', .help = txt                                                                    \
    }
#define CLI_OPTION_CHIP                                                                                                \
    {                                                                                                                  \
        .name = "chip", .value = "NAME", .help = "chip that images must be for, or any (default: this machine)"        \
    }
#define CLI_OPTION_SECTOR                                                                                              \
    {                                                                                                                  \
        .name = "sector-size", .value = "SIZE", .help = "erase unit of the flash (default: 4096)"                      \
    }
#define CLI_OPTION_TABLE_AT                                                                                            \
    {                                                                                                                  \
        .name = "table-offset", .value = "OFFSET", .help = "where the partition table lies (default: 0x8000)",         \
        .alias = "offset"                                                                                              \
    }

#define CLI_OPTION_DEVICE                                                                                              \
    {                                                                                                                  \
        .name = "chip", .value = "NAME", .help = "chip of the device (default: what its apps are for)"                 \
    }

typedef struct cli_command cli_command_t;

/** An option as it was given. */
typedef struct cli_given {
    const cli_option_t *option;
    const char *value; /**< NULL if the option takes none. */
} cli_given_t;

/** A parsed command line. Strings are those of main(). */
typedef struct cli_args {
    const cli_command_t *command;
    size_t count;            /**< Positional arguments, between min_args and max_args of the command. */
    const char **positional; /**< They. */
    size_t given_count;      /**< Options given. */
    cli_given_t *given;      /**< They, in order. */
} cli_args_t;

/** A command. */
struct cli_command {
    const char *group;           /**< First word: "flash". */
    const char *name;            /**< Second word: "create"; NULL: the group is the command ("boot"). */
    const char *summary;         /**< One line for lists of commands: lower case, no full stop. */
    const char *arguments;       /**< Positional arguments as the help shows them: "FLASH [LABEL]"; "" if none. */
    size_t min_args;             /**< Fewest positional arguments. */
    size_t max_args;             /**< Most. */
    const cli_option_t *options; /**< Table that CLI_OPTIONS_END ends. --help is added to every one. */
    const char *details; /**< Paragraphs for the help, lines under 80 characters, "\n" at each end; NULL: none. */
    /** Does it. @return the exit status; an error was reported already. */
    int (*run)(const cli_args_t *args);
};

/** Every command, in the order of the help; NULL ends it. */
extern const cli_command_t *const cli_commands[];

/** True if an option was given. */
bool cli_has(const cli_args_t *args, const char *option);

/** Value of an option, or NULL if it was not given. */
const char *cli_value(const cli_args_t *args, const char *option);

/**
 * Next value of an option that may be repeated.
 *
 * @param cursor  0 to begin; moved on
 * @return the value, or NULL at the end
 */
const char *cli_next_value(const cli_args_t *args, const char *option, size_t *cursor);

/**
 * Reads a number: decimal, 0x..., 0o..., 0b... or 0..., with an optional suffix K, M or G (1024 each; "KB", "KiB" and
 * lower case likewise).
 *
 * @param value  set on success only
 * @return false if the text is no such number or it exceeds @p max
 */
bool cli_parse_size(const char *text, uint64_t max, uint64_t *value);

/**
 * Value of an option as a number, with cli_parse_size().
 *
 * @param value  left as it is (the default) if the option was not given
 * @return CLI_OK; CLI_USAGE, reported, if it is no number that fits 32 bits
 */
int cli_size_option(const cli_args_t *args, const char *option, uint32_t *value);

/** Checks the value of --sector-size. @return CLI_OK; CLI_USAGE, reported */
int cli_check_sector(const cli_args_t *args, uint32_t sector_bytes);

/**
 * Chip that --chip names; this machine's if it was not given.
 *
 * @param chip_id  gets it
 * @param any      gets true for "any"
 * @return CLI_OK; CLI_USAGE, reported with the names there are
 */
int cli_chip_option(const cli_args_t *args, uint16_t *chip_id, bool *any);

/** Reports on stderr why the operation failed: one line, "otter: ...". @return CLI_FAILED */
int cli_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

/** Reports wrong usage on stderr, and where the help is. @return CLI_USAGE */
int cli_misuse(const cli_args_t *args, const char *format, ...) __attribute__((format(printf, 2, 3)));

/** Says something on stderr that is no failure: one line, "otter: ...". */
void cli_note(const char *format, ...) __attribute__((format(printf, 1, 2)));

/**
 * Parses the words after the command's name. Wrong usage is reported.
 *
 * @param args  filled; to be freed with cli_args_free() whatever happens
 * @return CLI_OK or CLI_USAGE; CLI_FAILED without memory
 */
int cli_parse(cli_args_t *args, const cli_command_t *command, int argc, char **argv);

/** Frees what parsing allocated. */
void cli_args_free(cli_args_t *args);

/** Prints the list of all groups and commands, or of @p group alone. @return false if there is no such group */
bool cli_print_overview(const char *group);

/** Prints one command's help, made from its tables. */
void cli_print_help(const cli_command_t *command);

/** Option of a command by its long name or alias, or NULL. */
const cli_option_t *cli_find_option(const cli_command_t *command, const char *name, size_t name_len);

/**
 * The word that a mistyped one was perhaps meant to be.
 *
 * @param best      best candidate so far, or NULL
 * @param distance  its distance; begin with SIZE_MAX
 * @return @p best or @p candidate; NULL while nothing is near
 */
const char *cli_nearer(const char *typed, const char *candidate, const char *best, size_t *distance);
