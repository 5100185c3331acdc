/* SPDX-License-Identifier: Apache-2.0 */
/* Parses a command's words by its tables, and prints its help from them. */
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/output.h"
#include "core/image/image.h"
#include "core/util/bytes.h"
#include "otter/otter_config.h"

#define WORD_MAX 32 /* Longest word that is compared for likeness. */
#define NEAR     3  /* Most edits between a typing error and what was meant, plus one. */

/** "otter flash write", for messages. */
static void print_name(FILE *out, const cli_command_t *command)
{
    fprintf(out, "otter %s%s%s", command->group, command->name != NULL ? " " : "",
            command->name != NULL ? command->name : "");
}

/** Prints a message on stderr. Names in it may come from untrusted bytes: nothing reaches the terminal as a command. */
static void print_message(const char *format, va_list list)
{
    char line[1024];
    vsnprintf(line, sizeof(line), format, list);
    bytes_make_printable(line);
    fprintf(stderr, "otter: %s", line);
}

int cli_fail(const char *format, ...)
{
    va_list list;
    va_start(list, format);
    print_message(format, list);
    va_end(list);
    fputc('\n', stderr);
    return CLI_FAILED;
}

void cli_note(const char *format, ...)
{
    va_list list;
    va_start(list, format);
    print_message(format, list);
    va_end(list);
    fputc('\n', stderr);
}

int cli_misuse(const cli_args_t *args, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    print_message(format, list);
    va_end(list);
    fputs("; see: ", stderr);
    print_name(stderr, args->command);
    fputs(" --help\n", stderr);
    return CLI_USAGE;
}

static size_t min3(size_t a, size_t b, size_t c)
{
    size_t least = a < b ? a : b;
    return least < c ? least : c;
}

/** Edits that turn one word into the other; NEAR or more if they are long or far apart. */
static size_t distance_of(const char *a, const char *b)
{
    size_t a_len = strlen(a);
    size_t b_len = strlen(b);
    if (a_len >= WORD_MAX || b_len >= WORD_MAX) {
        return NEAR;
    }
    size_t row[WORD_MAX];
    for (size_t j = 0; j <= b_len; j++) {
        row[j] = j;
    }
    for (size_t i = 1; i <= a_len; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= b_len; j++) {
            size_t above = row[j];
            row[j] = min3(above + 1, row[j - 1] + 1, diagonal + (a[i - 1] != b[j - 1]));
            diagonal = above;
        }
    }
    return row[b_len];
}

/** A beginning, or a longer word than the one meant, is near as well: --out for --output. */
static bool begins(const char *a, const char *b)
{
    size_t len = strlen(a) < strlen(b) ? strlen(a) : strlen(b);
    return len >= 3 && strncmp(a, b, len) == 0;
}

const char *cli_nearer(const char *typed, const char *candidate, const char *best, size_t *distance)
{
    if (candidate == NULL) {
        return best;
    }
    size_t now = distance_of(typed, candidate);
    if (now >= NEAR || now >= strlen(candidate)) {
        now = begins(typed, candidate) ? NEAR : SIZE_MAX;
    }
    if (now >= *distance) {
        return best;
    }
    *distance = now;
    return candidate;
}

static bool is_name(const char *name, const char *word, size_t len)
{
    return name != NULL && strlen(name) == len && strncmp(name, word, len) == 0;
}

const cli_option_t *cli_find_option(const cli_command_t *command, const char *name, size_t name_len)
{
    for (const cli_option_t *option = command->options; option->name != NULL; option++) {
        if (is_name(option->name, name, name_len) || is_name(option->alias, name, name_len)) {
            return option;
        }
    }
    return NULL;
}

static const cli_option_t *find_letter(const cli_command_t *command, char letter)
{
    for (const cli_option_t *option = command->options; option->name != NULL; option++) {
        if (option->letter != 0 && option->letter == letter) {
            return option;
        }
    }
    return NULL;
}

static int complain_option(const cli_args_t *args, const char *word, size_t len)
{
    char typed[WORD_MAX * 2];
    snprintf(typed, sizeof(typed), "%.*s", (int)len, word);
    const char *best = NULL;
    size_t distance = SIZE_MAX;
    for (const cli_option_t *option = args->command->options; option->name != NULL; option++) {
        best = cli_nearer(typed + strspn(typed, "-"), option->name, best, &distance);
    }
    if (best != NULL) {
        return cli_misuse(args, "unknown option %s; did you mean --%s?", typed, best);
    }
    return cli_misuse(args, "unknown option %s", typed);
}

bool cli_has(const cli_args_t *args, const char *option)
{
    for (size_t i = 0; i < args->given_count; i++) {
        if (strcmp(args->given[i].option->name, option) == 0) {
            return true;
        }
    }
    return false;
}

const char *cli_next_value(const cli_args_t *args, const char *option, size_t *cursor)
{
    while (*cursor < args->given_count) {
        const cli_given_t *given = &args->given[(*cursor)++];
        if (strcmp(given->option->name, option) == 0) {
            return given->value;
        }
    }
    return NULL;
}

const char *cli_value(const cli_args_t *args, const char *option)
{
    size_t cursor = 0;
    return cli_next_value(args, option, &cursor);
}

/** Notes an option; @p value is what stands with it in its word, or NULL. Moves @p index on if it takes the next word. */
static int take_option(cli_args_t *args, const cli_option_t *option, const char *value, int argc, char **argv,
                       int *index)
{
    if (option->value == NULL && value != NULL) {
        return cli_misuse(args, "--%s takes no value", option->name);
    }
    if (option->value != NULL && value == NULL) {
        if (*index + 1 >= argc) {
            return cli_misuse(args, "--%s needs a value: --%s %s", option->name, option->name, option->value);
        }
        value = argv[++*index];
    }
    if (!option->repeated && cli_has(args, option->name)) {
        return cli_misuse(args, "--%s is given twice", option->name);
    }
    args->given[args->given_count++] = (cli_given_t){.option = option, .value = value};
    return CLI_OK;
}

/** --name, --name=value, --name value */
static int take_long(cli_args_t *args, int argc, char **argv, int *index)
{
    const char *word = argv[*index] + 2;
    size_t len = strcspn(word, "=");
    const cli_option_t *option = cli_find_option(args->command, word, len);
    if (option == NULL) {
        return complain_option(args, word - 2, len + 2);
    }
    return take_option(args, option, word[len] == '=' ? word + len + 1 : NULL, argc, argv, index);
}

/** -o value, -ovalue, -f */
static int take_short(cli_args_t *args, int argc, char **argv, int *index)
{
    const char *word = argv[*index];
    const cli_option_t *option = find_letter(args->command, word[1]);
    if (option == NULL || (option->value == NULL && word[2] != '\0')) {
        return complain_option(args, word, strlen(word));
    }
    return take_option(args, option, word[2] != '\0' ? word + 2 : NULL, argc, argv, index);
}

static int take_word(cli_args_t *args, int argc, char **argv, int *index, bool *only_positional)
{
    const char *word = argv[*index];
    if (*only_positional || word[0] != '-' || word[1] == '\0') {
        args->positional[args->count++] = word;
        return CLI_OK;
    }
    if (strcmp(word, "--") == 0) {
        *only_positional = true;
        return CLI_OK;
    }
    return word[1] == '-' ? take_long(args, argc, argv, index) : take_short(args, argc, argv, index);
}

static int check_count(const cli_args_t *args)
{
    const cli_command_t *command = args->command;
    if (args->count > command->max_args) {
        return cli_misuse(args, "unexpected argument %s", args->positional[command->max_args]);
    }
    if (args->count < command->min_args) {
        return cli_misuse(args, "not enough arguments, expected %s", command->arguments);
    }
    return CLI_OK;
}

int cli_parse(cli_args_t *args, const cli_command_t *command, int argc, char **argv)
{
    *args = (cli_args_t){.command = command};
    args->positional = calloc((size_t)argc + 1, sizeof(*args->positional));
    args->given = calloc((size_t)argc + 1, sizeof(*args->given));
    if (args->positional == NULL || args->given == NULL) {
        return cli_fail("out of memory");
    }
    bool only_positional = false;
    for (int i = 0; i < argc; i++) {
        int status = take_word(args, argc, argv, &i, &only_positional);
        if (status != CLI_OK) {
            return status;
        }
    }
    return check_count(args);
}

void cli_args_free(cli_args_t *args)
{
    free(args->positional);
    free(args->given);
    *args = (cli_args_t){0};
}

/** Base of a number by its prefix, which is skipped: 0x, 0o, 0b, 0. */
static unsigned take_base(const char **text)
{
    const char *p = *text;
    if (p[0] != '0' || p[1] == '\0') {
        return 10;
    }
    int kind = tolower((unsigned char)p[1]);
    if (kind == 'x' || kind == 'o' || kind == 'b') {
        *text += 2;
        return kind == 'x' ? 16 : kind == 'o' ? 8 : 2;
    }
    return isdigit((unsigned char)p[1]) ? 8 : 10;
}

static unsigned digit_of(char c)
{
    if (isdigit((unsigned char)c)) {
        return (unsigned)(c - '0');
    }
    int lower = tolower((unsigned char)c);
    return lower >= 'a' && lower <= 'f' ? (unsigned)(lower - 'a' + 10) : 99;
}

/** Bits that a suffix shifts by; -1 if it is none. */
static int shift_of(const char *suffix)
{
    static const struct {
        char letter;
        int shift;
    } units[] = {{'K', 10}, {'M', 20}, {'G', 30}};
    if (suffix[0] == '\0') {
        return 0;
    }
    const char *rest = suffix + 1;
    if (strcmp(rest, "") != 0 && strcmp(rest, "B") != 0 && strcmp(rest, "iB") != 0) {
        return -1;
    }
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (toupper((unsigned char)suffix[0]) == units[i].letter) {
            return units[i].shift;
        }
    }
    return -1;
}

bool cli_parse_size(const char *text, uint64_t max, uint64_t *value)
{
    unsigned base = take_base(&text);
    uint64_t number = 0;
    const char *p = text;
    for (; digit_of(*p) < base; p++) {
        if (number > (UINT64_MAX >> 5)) {
            return false;
        }
        number = number * base + digit_of(*p);
    }
    int shift = shift_of(p);
    if (p == text || shift < 0 || number > max >> shift) {
        return false;
    }
    *value = number << shift;
    return true;
}

int cli_size_option(const cli_args_t *args, const char *option, uint32_t *value)
{
    const char *text = cli_value(args, option);
    if (text == NULL) {
        return CLI_OK;
    }
    uint64_t number = 0;
    if (!cli_parse_size(text, UINT32_MAX, &number)) {
        return cli_misuse(args, "--%s %s is no size below 4G (examples: 4096, 0x1000, 64K, 4M)", option, text);
    }
    *value = (uint32_t)number;
    return CLI_OK;
}

int cli_check_sector(const cli_args_t *args, uint32_t sector_bytes)
{
    bool power_of_two = (sector_bytes & (sector_bytes - 1)) == 0;
    if (!power_of_two || sector_bytes < 4096 || sector_bytes > (256u << 10)) {
        return cli_misuse(args, "--sector-size is a power of two from 4K to 256K");
    }
    return CLI_OK;
}

int cli_chip_option(const cli_args_t *args, uint16_t *chip_id, bool *any)
{
    const char *text = cli_value(args, "chip");
    *any = text != NULL && strcmp(text, "any") == 0;
    if (text == NULL || *any) {
        otter_config_t config;
        otter_config_default(&config);
        *chip_id = config.chip_id;
        return CLI_OK;
    }
    uint64_t number = 0;
    *chip_id = image_chip_by_name(text);
    if (*chip_id == ESP_CHIP_ID_INVALID && cli_parse_size(text, ESP_CHIP_ID_INVALID - 1, &number)) {
        *chip_id = (uint16_t)number;
    }
    if (*chip_id == ESP_CHIP_ID_INVALID) {
        return cli_misuse(args, "unknown chip %s (examples: esp32, esp32c3, linux-x86_64, 0x0005, any)", text);
    }
    return CLI_OK;
}

static void print_option(const cli_option_t *option)
{
    char left[64];
    char letter[8] = "    ";
    if (option->letter != 0) {
        snprintf(letter, sizeof(letter), "-%c, ", option->letter);
    }
    snprintf(left, sizeof(left), "%s--%s%s%s", letter, option->name, option->value != NULL ? " " : "",
             option->value != NULL ? option->value : "");
    printf("  %-28s  %s", left, option->help);
    if (option->alias != NULL) {
        printf(" (also --%s)", option->alias);
    }
    putchar('\n');
}

void cli_print_help(const cli_command_t *command)
{
    static const cli_option_t help = {.name = "help", .letter = 'h', .help = "show this help"};
    printf("Usage: ");
    print_name(stdout, command);
    printf(" [OPTION]... %s\n\n%c%s.\n", command->arguments, toupper((unsigned char)command->summary[0]),
           command->summary + 1);
    if (command->details != NULL) {
        printf("\n%s", command->details);
    }
    printf("\nOptions:\n");
    for (const cli_option_t *option = command->options; option->name != NULL; option++) {
        print_option(option);
    }
    print_option(&help);
}

bool cli_print_overview(const char *group)
{
    bool found = false;
    printf("Usage: otter COMMAND [OPTION]... [ARGUMENT]...\n\nCommands:\n");
    for (const cli_command_t *const *at = cli_commands; *at != NULL; at++) {
        if (group != NULL && strcmp(group, (*at)->group) != 0) {
            continue;
        }
        char name[40];
        snprintf(name, sizeof(name), "%s%s%s", (*at)->group, (*at)->name != NULL ? " " : "",
                 (*at)->name != NULL ? (*at)->name : "");
        printf("  %-16s  %s\n", name, (*at)->summary);
        found = true;
    }
    printf("\nSee otter COMMAND --help for a command's options, and otter --version.\n"
           "Exit status: 0 ok, 1 the operation failed, 2 wrong usage.\n");
    return found;
}
