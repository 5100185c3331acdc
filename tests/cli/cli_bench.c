/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <stdlib.h>
#include <unistd.h>

#include "otter/otter_config.h"
#include "tests/cli/cli_bench.h"

#define WORDS_MAX  40
#define LINE_BYTES 2048

run_result_t said;

static char folder[] = "/tmp/otter-cli-XXXXXX";
static char line[LINE_BYTES];

int bench_enter(void **state)
{
    (void)state;
    snprintf(folder, sizeof(folder), "/tmp/otter-cli-XXXXXX");
    return mkdtemp(folder) != NULL && chdir(folder) == 0 ? 0 : -1;
}

/** Calls @p visit for each entry of the current folder. */
static unsigned each_entry(int (*visit)(const char *name))
{
    unsigned count = 0;
    DIR *dir = opendir(".");
    assert_non_null(dir);
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
            count++;
            (void)visit(entry->d_name);
        }
    }
    closedir(dir);
    return count;
}

int bench_leave(void **state)
{
    (void)state;
    run_free(&said);
    each_entry(remove);
    return chdir("/") == 0 && rmdir(folder) == 0 ? 0 : -1;
}

/** Splits @ref line at its spaces and adds the words behind those that are there. */
static void add_words(const char *words[WORDS_MAX], size_t count)
{
    for (char *word = strtok(line, " "); word != NULL; word = strtok(NULL, " ")) {
        assert_true(count < WORDS_MAX - 1);
        words[count++] = word;
    }
    words[count] = NULL;
}

static int run(const char *words[WORDS_MAX], size_t count, const run_options_t *options)
{
    add_words(words, count);
    run_free(&said);
    said = run_program(words, options);
    return said.status;
}

int otter(const char *format, ...)
{
    const char *words[WORDS_MAX] = {OTTER_CLI};
    va_list list;
    va_start(list, format);
    vsnprintf(line, sizeof(line), format, list);
    va_end(list);
    return run(words, 1, NULL);
}

int otter_with(const run_options_t *options, const char *format, ...)
{
    const char *words[WORDS_MAX] = {OTTER_CLI};
    va_list list;
    va_start(list, format);
    vsnprintf(line, sizeof(line), format, list);
    va_end(list);
    return run(words, 1, options);
}

int otter_on_full_disk(unsigned bytes, const char *format, ...)
{
    char script[128];
    const char *words[WORDS_MAX] = {"sh", "-c", script, OTTER_CLI};
    /* With the signal ignored, a write beyond the limit fails as one on a full disk does. */
    snprintf(script, sizeof(script), "trap '' XFSZ; ulimit -f %u; exec \"$0\" \"$@\"", bytes / 512);
    va_list list;
    va_start(list, format);
    vsnprintf(line, sizeof(line), format, list);
    va_end(list);
    return run(words, 4, NULL);
}

json_t *said_json(void)
{
    json_error_t error;
    json_t *json = json_loads(said.out, 0, &error);
    if (json == NULL) {
        fail_msg("no JSON: %s\n%s%s", error.text, said.out, said.err);
    }
    return json;
}

json_t *json_at(json_t *json, const char *key, const char *inner)
{
    json_t *found = json_object_get(json_object_get(json, key), inner);
    if (found == NULL) {
        fail_msg("no %s.%s in the JSON", key, inner);
    }
    return found;
}

const char *json_text(json_t *json, const char *key)
{
    const char *text = json_string_value(json_object_get(json, key));
    if (text == NULL) {
        fail_msg("%s is no string in the JSON", key);
    }
    return text;
}

json_t *json_row(json_t *json, const char *key, const char *name, const char *value)
{
    size_t i;
    json_t *row;
    json_array_foreach(json_object_get(json, key), i, row)
    {
        const char *text = json_string_value(json_object_get(row, name));
        if (text != NULL && strcmp(text, value) == 0) {
            return row;
        }
    }
    fail_msg("no %s whose %s is %s", key, name, value);
    return NULL;
}

void bench_write(const char *name, const void *bytes, size_t len)
{
    FILE *file = fopen(name, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, len, file), len);
    assert_int_equal(fclose(file), 0);
}

void bench_write_text(const char *name, const char *text)
{
    bench_write(name, text, strlen(text));
}

uint8_t *bench_read(const char *name, size_t *len)
{
    FILE *file = fopen(name, "rb");
    if (file == NULL) {
        fail_msg("cannot read %s", name);
    }
    assert_int_equal(fseek(file, 0, SEEK_END), 0);
    *len = (size_t)ftell(file);
    rewind(file);
    uint8_t *bytes = malloc(*len + 1);
    assert_non_null(bytes);
    assert_int_equal(fread(bytes, 1, *len, file), *len);
    fclose(file);
    return bytes;
}

bool bench_exists(const char *name)
{
    return access(name, F_OK) == 0;
}

static int leave_alone(const char *name)
{
    (void)name;
    return 0;
}

unsigned bench_count(void)
{
    return each_entry(leave_alone);
}

uint16_t bench_chip(void)
{
    otter_config_t config;
    otter_config_default(&config);
    return config.chip_id;
}

void bench_image(const char *name, const fixture_image_t *spec)
{
    size_t len = 0;
    uint8_t *image = fixture_image(spec, &len);
    bench_write(name, image, len);
    free(image);
}

void bench_app(const char *name, const char *version)
{
    fixture_image_t spec = FIXTURE_IMAGE_FOR(bench_chip(), "blink", version);
    bench_image(name, &spec);
}
