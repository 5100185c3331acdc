/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file cli_bench.h
 * @brief The real otter in a fresh folder: runs it, keeps what it said, makes and compares files.
 */
#pragma once

#include <jansson.h>

#include "tests/support/image_fixture.h"
#include "tests/support/run_program.h"
#include "tests/support/test.h"

/** What the last otter() said; freed by the next one. */
extern run_result_t said;

/** Setup of a test: makes an empty folder the current one. */
int bench_enter(void **state);

/** Teardown of a test: removes the folder with everything in it. */
int bench_leave(void **state);

/**
 * Runs otter.
 *
 * @param format  its arguments, separated by single spaces, printf-like
 * @return its exit status; what it said is in @ref said
 */
int otter(const char *format, ...) __attribute__((format(printf, 1, 2)));

/** As otter(), with options. */
int otter_with(const run_options_t *options, const char *format, ...) __attribute__((format(printf, 2, 3)));

/** As otter(), unable to write files longer than @p bytes (a multiple of 512): what a full disk is like. */
int otter_on_full_disk(unsigned bytes, const char *format, ...) __attribute__((format(printf, 2, 3)));

/** Fails unless otter exits with @p status for these arguments; shows what it said. */
#define assert_otter(expected, ...)                                                                                    \
    do {                                                                                                               \
        int status_ = otter(__VA_ARGS__);                                                                              \
        if (status_ != (expected)) {                                                                                   \
            print_error("otter said:\n%s%s", said.out, said.err);                                                      \
        }                                                                                                              \
        assert_int_equal(status_, expected);                                                                           \
    } while (0)

/** Fails unless @p text holds @p piece; shows the text. */
#define assert_says(text, piece)                                                                                       \
    do {                                                                                                               \
        if (strstr(text, piece) == NULL) {                                                                             \
            fail_msg("\"%s\" is not in:\n%s", piece, text);                                                            \
        }                                                                                                              \
    } while (0)

/** Standard output of the last run as JSON; fails the test if it is none. To be given to json_decref(). */
json_t *said_json(void);

/** Member of a member: json_at(facts, "boot", "partition"). Fails the test if there is none. */
json_t *json_at(json_t *json, const char *key, const char *inner);

/** Element of the array @p key whose member @p name is @p value; fails the test if there is none. */
json_t *json_row(json_t *json, const char *key, const char *name, const char *value);

/** Text of a member; fails the test if it is no string. */
const char *json_text(json_t *json, const char *key);

/** Writes a file. */
void bench_write(const char *name, const void *bytes, size_t len);

/** Writes a text file. */
void bench_write_text(const char *name, const char *text);

/** Reads a file; fails the test if it cannot. @return for free() */
uint8_t *bench_read(const char *name, size_t *len);

/** True if a file of that name exists. */
bool bench_exists(const char *name);

/** Number of files in the folder, hidden ones included. */
unsigned bench_count(void);

/** Makes an app image for this machine and writes it as @p name. */
void bench_app(const char *name, const char *version);

/** As bench_app(), from a specification. */
void bench_image(const char *name, const fixture_image_t *spec);

/** Chip id of this machine. */
uint16_t bench_chip(void);
