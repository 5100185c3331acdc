/* SPDX-License-Identifier: Apache-2.0 */
#include "server/options.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

enum kind { TEXT, NUMBER, SWITCH };

/** One option. */
struct option {
    const char *name;
    const char *argument; /**< Its name in the help. */
    enum kind kind;
    bool flag_only; /**< Makes no sense in a file. */
    size_t offset;  /**< Of its field in struct options. */
    unsigned min;   /**< For a NUMBER. */
    unsigned max;
    const char *default_value; /**< NULL for none. */
    const char *help;
};

#define FIELD(name) offsetof(struct options, name)

static const struct option table[] = {
    {"config", "FILE", TEXT, true, FIELD(config), 0, 0, NULL, "read options from FILE, one 'name = value' a line"},
    {"listen", "ADDR:PORT", TEXT, false, FIELD(listen), 0, 0, "0.0.0.0:8443",
     "listen there; [ADDR]:PORT for IPv6, port 0 for a free one"},
    {"cert", "FILE", TEXT, false, FIELD(cert), 0, 0, NULL, "certificate with its chain, PEM"},
    {"key", "FILE", TEXT, false, FIELD(key), 0, 0, NULL, "private key of the certificate, PEM"},
    {"root", "DIR", TEXT, false, FIELD(root), 0, 0, NULL, "serve the files below DIR"},
    {"plain-http", NULL, SWITCH, false, FIELD(plain_http), 0, 0, NULL,
     "serve without TLS: anyone on the way can read and change what is sent"},
    {"threads", "N", NUMBER, false, FIELD(threads), 1, 1024, NULL, "threads that serve (default: one a processor)"},
    {"connections", "N", NUMBER, false, FIELD(connections), 1, 1000000, "1000", "connections at the same time"},
    {"idle-timeout", "SECONDS", NUMBER, false, FIELD(idle_timeout_s), 1, 3600, "30",
     "close a connection without progress after so long"},
    {"stop-timeout", "SECONDS", NUMBER, false, FIELD(stop_timeout_s), 0, 3600, "5",
     "let running transfers finish for so long when stopping"},
    {"access-log", "FILE", TEXT, false, FIELD(access_log), 0, 0, "-",
     "one line a request; - for standard output, off for none"},
    {"port-file", "FILE", TEXT, false, FIELD(port_file), 0, 0, NULL, "write the port there once listening"},
    {"help", NULL, SWITCH, true, FIELD(help), 0, 0, NULL, "print this and exit"},
    {"version", NULL, SWITCH, true, FIELD(version), 0, 0, NULL, "print the version and exit"},
};

enum { OPTION_COUNT = sizeof(table) / sizeof(table[0]) };
_Static_assert(OPTION_COUNT <= OPTIONS_MAX, "OPTIONS_MAX is too small");

static const struct option *find(const char *name, size_t name_len)
{
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        if (strlen(table[i].name) == name_len && memcmp(table[i].name, name, name_len) == 0) {
            return &table[i];
        }
    }
    return NULL;
}

static void *field_of(struct options *options, const struct option *option)
{
    return (char *)options + option->offset;
}

static enum options_result set_text(char **field, const char *value)
{
    char *copy = strdup(value);
    if (copy == NULL) {
        return OPTIONS_UNREADABLE;
    }
    free(*field);
    *field = copy;
    return OPTIONS_OK;
}

static bool parse_number(const char *text, unsigned min, unsigned max, unsigned *number)
{
    char *end;
    errno = 0;
    unsigned long value = strtoul(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end != '\0' || errno != 0 || value < min || value > max) {
        return false;
    }
    *number = (unsigned)value;
    return true;
}

/** Sets one option from text. The error, if any, is about the value alone. */
static enum options_result set(struct options *options, const struct option *option, const char *value,
                               enum options_source source, char *error)
{
    enum options_source *set_by = &options->source[option - table];
    if (*set_by > source) {
        return OPTIONS_OK;
    }
    *set_by = source;
    switch (option->kind) {
    case TEXT:
        if (*value == '\0') {
            snprintf(error, OPTIONS_ERROR_SIZE, "%s needs a value", option->name);
            return OPTIONS_WRONG;
        }
        snprintf(error, OPTIONS_ERROR_SIZE, "out of memory");
        return set_text(field_of(options, option), value);
    case NUMBER:
        if (parse_number(value, option->min, option->max, field_of(options, option))) {
            return OPTIONS_OK;
        }
        snprintf(error, OPTIONS_ERROR_SIZE, "%s takes a number from %u to %u, not '%s'", option->name, option->min,
                 option->max, value);
        return OPTIONS_WRONG;
    case SWITCH:
        *(bool *)field_of(options, option) = strcmp(value, "yes") == 0;
        if (strcmp(value, "yes") == 0 || strcmp(value, "no") == 0) {
            return OPTIONS_OK;
        }
        snprintf(error, OPTIONS_ERROR_SIZE, "%s takes yes or no, not '%s'", option->name, value);
        return OPTIONS_WRONG;
    }
    return OPTIONS_WRONG;
}

/** Reads one option of the command line, and moves on behind it. */
static enum options_result read_flag(struct options *options, char *const **argv, char *error)
{
    const char *word = *(*argv)++;
    if (strncmp(word, "--", 2) != 0 || word[2] == '\0') {
        snprintf(error, OPTIONS_ERROR_SIZE, "unexpected argument '%s'; try otterd --help", word);
        return OPTIONS_WRONG;
    }
    const char *name = word + 2;
    size_t name_len = strcspn(name, "=");
    bool has_value = name[name_len] == '=';
    const struct option *option = find(name, name_len);
    if (option == NULL) {
        snprintf(error, OPTIONS_ERROR_SIZE, "unknown option '%s'; try otterd --help", word);
        return OPTIONS_WRONG;
    }
    if (has_value) {
        return set(options, option, name + name_len + 1, OPTIONS_FLAG, error);
    }
    if (option->kind == SWITCH) {
        return set(options, option, "yes", OPTIONS_FLAG, error);
    }
    if (**argv == NULL) {
        snprintf(error, OPTIONS_ERROR_SIZE, "--%s needs a value: --%s %s", option->name, option->name,
                 option->argument);
        return OPTIONS_WRONG;
    }
    return set(options, option, *(*argv)++, OPTIONS_FLAG, error);
}

static char *trim(char *text)
{
    text += strspn(text, " \t");
    size_t len = strlen(text);
    while (len > 0 && strchr(" \t\r\n", text[len - 1]) != NULL) {
        len--;
    }
    text[len] = '\0';
    return text;
}

/** Reads one line of the file: nothing, a comment, or name = value. */
static enum options_result read_line(struct options *options, char *line, char *error)
{
    line = trim(line);
    if (*line == '\0' || *line == '#') {
        return OPTIONS_OK;
    }
    char *equals = strchr(line, '=');
    if (equals == NULL) {
        snprintf(error, OPTIONS_ERROR_SIZE, "not of the form name = value: '%s'", line);
        return OPTIONS_WRONG;
    }
    *equals = '\0';
    const char *name = trim(line);
    const struct option *option = find(name, strlen(name));
    if (option == NULL || option->flag_only) {
        snprintf(error, OPTIONS_ERROR_SIZE, "unknown name '%s'", name);
        return OPTIONS_WRONG;
    }
    if (options->source[option - table] == OPTIONS_FILE) {
        snprintf(error, OPTIONS_ERROR_SIZE, "%s is given twice", name);
        return OPTIONS_WRONG;
    }
    return set(options, option, trim(equals + 1), OPTIONS_FILE, error);
}

/** Puts the file and line in front of an error. */
static void locate(const char *path, unsigned line_number, char *error)
{
    char what[OPTIONS_ERROR_SIZE];
    snprintf(what, sizeof(what), "%s", error);
    snprintf(error, OPTIONS_ERROR_SIZE, "%s:%u: %.*s", path, line_number, OPTIONS_ERROR_SIZE / 2, what);
}

static enum options_result read_file(struct options *options, const char *path, char *error)
{
    enum options_result result = OPTIONS_OK;
    char *line = NULL;
    size_t line_size = 0;
    ssize_t len = 0;
    unsigned number = 0;
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        snprintf(error, OPTIONS_ERROR_SIZE, "cannot read the configuration %s: %s", path, strerror(errno));
        return OPTIONS_UNREADABLE;
    }
    while (result == OPTIONS_OK && (len = getline(&line, &line_size, file)) >= 0) {
        number++;
        if (strlen(line) != (size_t)len) {
            snprintf(error, OPTIONS_ERROR_SIZE, "a zero byte: not a text file");
            result = OPTIONS_WRONG;
        } else {
            result = read_line(options, line, error);
        }
        if (result != OPTIONS_OK) {
            locate(path, number, error);
        }
    }
    if (result == OPTIONS_OK && ferror(file)) {
        snprintf(error, OPTIONS_ERROR_SIZE, "cannot read the configuration %s: %s", path, strerror(errno));
        result = OPTIONS_UNREADABLE;
    }
    free(line);
    fclose(file);
    return result;
}

static enum options_result fill_defaults(struct options *options, char *error)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    options->threads = processors < 1 ? 1 : processors > 64 ? 64 : (unsigned)processors;
    for (const struct option *option = table; option < table + OPTION_COUNT; option++) {
        if (option->default_value == NULL) {
            continue;
        }
        enum options_result result = set(options, option, option->default_value, OPTIONS_DEFAULT, error);
        if (result != OPTIONS_OK) {
            return result;
        }
    }
    return OPTIONS_OK;
}

/** What is wrong with the options together; NULL if nothing is. */
static const char *find_conflict(const struct options *options)
{
    bool has_tls = options->cert != NULL || options->key != NULL;
    if (options->root == NULL) {
        return "nothing to serve: give --root DIR";
    }
    if (has_tls && options->plain_http) {
        return "--plain-http contradicts --cert and --key: give one or the other";
    }
    if (!has_tls && !options->plain_http) {
        return "no certificate: give --cert FILE and --key FILE, or --plain-http to serve without TLS";
    }
    if (has_tls && options->key == NULL) {
        return "--cert needs --key FILE";
    }
    if (has_tls && options->cert == NULL) {
        return "--key needs --cert FILE";
    }
    if (options->connections < options->threads) {
        return "--connections must not be less than --threads";
    }
    return NULL;
}

enum options_result options_read(struct options *options, int argc, char *const *argv,
                                 char error[static OPTIONS_ERROR_SIZE])
{
    memset(options, 0, sizeof(*options));
    char *const *at = argc > 0 ? argv + 1 : argv;
    enum options_result result = fill_defaults(options, error);
    while (result == OPTIONS_OK && *at != NULL) {
        result = read_flag(options, &at, error);
    }
    if (result != OPTIONS_OK || options->help || options->version) {
        return result;
    }
    if (options->config != NULL) {
        result = read_file(options, options->config, error);
    }
    if (result != OPTIONS_OK) {
        return result;
    }
    const char *conflict = find_conflict(options);
    if (conflict != NULL) {
        snprintf(error, OPTIONS_ERROR_SIZE, "%s", conflict);
        return OPTIONS_WRONG;
    }
    return OPTIONS_OK;
}

void options_print_help(FILE *out)
{
    fprintf(out, "usage: otterd --root DIR --cert FILE --key FILE [option...]\n\n"
                 "Serves a directory of firmware over HTTPS.\n\n");
    for (const struct option *option = table; option < table + OPTION_COUNT; option++) {
        char flag[40];
        snprintf(flag, sizeof(flag), "--%s %s", option->name, option->argument != NULL ? option->argument : "");
        fprintf(out, "  %-24s %s", flag, option->help);
        fprintf(out, option->default_value != NULL ? " (default: %s)\n" : "\n", option->default_value);
    }
    fprintf(out, "\nSIGTERM and SIGINT stop it, SIGHUP opens the access log again. See otterd(1).\n");
}

void options_free(struct options *options)
{
    for (const struct option *option = table; option < table + OPTION_COUNT; option++) {
        if (option->kind == TEXT) {
            char **text = field_of(options, option);
            free(*text);
            *text = NULL;
        }
    }
}
