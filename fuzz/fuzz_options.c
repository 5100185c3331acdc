/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What otterd is told: command line and configuration file. What is accepted makes sense together and keeps to its limits; what
 * is refused is refused with a reason, one line long if the words were.
 *
 * Input: number of words, the words, a line each, then the file.
 */
#define _GNU_SOURCE
#include "fuzz/fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "server/options.h"

#define WORDS_MAX 6

/* A file in memory with these bytes, under a name that can be opened. */
static int make_file(const fuzz_input_t *input, char *path, size_t size)
{
    int fd = memfd_create("otterd.conf", MFD_CLOEXEC);
    FUZZ_CHECK(fd >= 0);
    FUZZ_CHECK(write(fd, input->at, input->left) == (ssize_t)input->left);
    (void)snprintf(path, size, "/proc/self/fd/%d", fd);
    return fd;
}

static void check_accepted(const struct options *options)
{
    if (options->help || options->version) {
        return;
    }
    FUZZ_CHECK(options->root != NULL && options->root[0] != '\0');
    FUZZ_CHECK(options->listen != NULL && options->listen[0] != '\0');
    FUZZ_CHECK((options->cert != NULL) == (options->key != NULL));
    FUZZ_CHECK((options->cert != NULL) != options->plain_http);
    FUZZ_CHECK(options->threads >= 1 && options->threads <= 1024);
    FUZZ_CHECK(options->connections >= options->threads && options->connections <= 1000000);
    FUZZ_CHECK(options->idle_timeout_s >= 1 && options->idle_timeout_s <= 3600);
    FUZZ_CHECK(options->stop_timeout_s <= 3600);
}

static void check_refused(const char *error)
{
    size_t len = strnlen(error, OPTIONS_ERROR_SIZE);
    FUZZ_CHECK(len > 0 && len < OPTIONS_ERROR_SIZE);
    FUZZ_CHECK(strchr(error, '\n') == NULL);
}

/* A word that names another file would open it. */
static bool names_file(const char *word)
{
    return strncmp(word, "--config", strlen("--config")) == 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_input_t input = {data, size};
    char program[] = "otterd";
    char config[] = "--config";
    char path[32];
    char *words[WORDS_MAX];
    char *argv[WORDS_MAX + 4] = {program};
    int argc = 1;
    uint8_t count = fuzz_take_u8(&input) % (WORDS_MAX + 1);
    for (uint8_t i = 0; i < count; i++) {
        words[i] = fuzz_take_text(&input, '\n');
        if (!names_file(words[i])) {
            argv[argc++] = words[i];
        }
    }
    int fd = make_file(&input, path, sizeof(path));
    argv[argc++] = config;
    argv[argc++] = path;

    struct options options;
    char error[OPTIONS_ERROR_SIZE];
    memset(error, 'x', sizeof(error));
    if (options_read(&options, argc, argv, error) == OPTIONS_OK) {
        check_accepted(&options);
    } else {
        check_refused(error);
    }
    options_free(&options);
    close(fd);
    for (uint8_t i = 0; i < count; i++) {
        free(words[i]);
    }
    return 0;
}
