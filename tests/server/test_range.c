/* SPDX-License-Identifier: Apache-2.0 */
#include "server/http/range.h"

#include <stdlib.h>

#include "tests/support/test.h"

/** Parses from a block of exactly that length, so that reading past it is caught. */
static enum range_kind parse_exact(const char *text, size_t text_len, uint64_t size_bytes, struct range *part)
{
    char *copy = malloc(text_len > 0 ? text_len : 1);
    assert_non_null(copy);
    memcpy(copy, text, text_len);
    enum range_kind kind = range_parse(copy, text_len, size_bytes, part);
    free(copy);
    return kind;
}

static void expect_part(const char *text, uint64_t size_bytes, uint64_t first_off, uint64_t len)
{
    struct range part = {77, 77};
    print_message("%s of %llu\n", text, (unsigned long long)size_bytes);
    assert_int_equal(parse_exact(text, strlen(text), size_bytes, &part), RANGE_PART);
    assert_int_equal(part.first_off, first_off);
    assert_int_equal(part.len, len);
}

static void expect_kind(const char *text, uint64_t size_bytes, enum range_kind kind)
{
    struct range part;
    print_message("%s of %llu\n", text, (unsigned long long)size_bytes);
    assert_int_equal(parse_exact(text, strlen(text), size_bytes, &part), kind);
}

static void a_closed_range_is_a_part(void **state)
{
    (void)state;
    expect_part("bytes=0-0", 10, 0, 1);
    expect_part("bytes=0-9", 10, 0, 10);
    expect_part("bytes=3-7", 10, 3, 5);
    expect_part("bytes=9-9", 10, 9, 1);
    expect_part("BYTES=0003-0007", 10, 3, 5);
}

static void a_range_past_the_end_is_cut_to_the_file(void **state)
{
    (void)state;
    expect_part("bytes=8-10", 10, 8, 2);
    expect_part("bytes=0-18446744073709551615", 10, 0, 10);
    expect_part("bytes=1-99999999999999999999999999", 10, 1, 9);
}

static void an_open_range_runs_to_the_end(void **state)
{
    (void)state;
    expect_part("bytes=0-", 10, 0, 10);
    expect_part("bytes=9-", 10, 9, 1);
    expect_part("bytes=9223372036854775807-", UINT64_MAX, 9223372036854775807U, 9223372036854775808U);
}

static void a_suffix_range_counts_from_the_end(void **state)
{
    (void)state;
    expect_part("bytes=-1", 10, 9, 1);
    expect_part("bytes=-10", 10, 0, 10);
    expect_part("bytes=-11", 10, 0, 10);
    expect_part("bytes=-99999999999999999999999999", 10, 0, 10);
}

static void a_range_outside_the_file_is_unsatisfiable(void **state)
{
    (void)state;
    expect_kind("bytes=10-", 10, RANGE_UNSATISFIABLE);
    expect_kind("bytes=10-10", 10, RANGE_UNSATISFIABLE);
    expect_kind("bytes=18446744073709551616-", 10, RANGE_UNSATISFIABLE);
    expect_kind("bytes=-0", 10, RANGE_UNSATISFIABLE);
    expect_kind("bytes=0-", 0, RANGE_UNSATISFIABLE);
    expect_kind("bytes=0-0", 0, RANGE_UNSATISFIABLE);
    expect_kind("bytes=10-,11-12,-0", 10, RANGE_UNSATISFIABLE);
}

static void malformed_ranges_are_ignored(void **state)
{
    static const char *const malformed[] = {
        "",           "bytes",       "bytes=",        "bytes=-",     "bytes=,",     "bytes= ",    "bytes=1",
        "bytes=a-b",  "bytes=1-2x",  "bytes=1--2",    "bytes=--1",   "bytes=5-4",   "bytes=1 -2", "bytes=1- 2",
        "byte=0-1",   "bytess=0-1",  "bytes 0-1",     " bytes=0-1",  "bytes=+1-2",  "bytes=0x1-", "items=0-1",
        "bytes=0-1;", "bytes=0-1,x", "bytes=0-1 2-3", "bytes=1-2-3", "bytes=0-1,-", "bytes==0-1",
    };
    (void)state;
    for (size_t i = 0; i < sizeof(malformed) / sizeof(malformed[0]); i++) {
        expect_kind(malformed[i], 10, RANGE_WHOLE);
    }
}

static void several_ranges_are_answered_with_the_whole_file(void **state)
{
    (void)state;
    expect_kind("bytes=0-1,4-5", 10, RANGE_WHOLE);
    expect_kind("bytes=0-0 , -1", 10, RANGE_WHOLE);
    expect_kind("bytes=0-,0-,0-,0-,0-,0-", 10, RANGE_WHOLE);
}

static void the_only_range_of_several_that_exists_is_a_part(void **state)
{
    (void)state;
    expect_part("bytes=100-,2-3", 10, 2, 2);
    expect_part("bytes=,2-3,", 10, 2, 2);
    expect_part("bytes=2-3 ,\t, 50-60", 10, 2, 2);
}

static void every_truncation_is_read_within_its_bounds(void **state)
{
    static const char text[] = "bytes=12-34 , 56-, -78";
    (void)state;
    for (size_t len = 0; len < sizeof(text); len++) {
        struct range part = {0, 0};
        enum range_kind kind = parse_exact(text, len, 1000, &part);
        assert_true(kind != RANGE_PART || (part.first_off == 12 && part.len >= 1));
    }
}

static void a_part_never_leaves_the_file_whatever_the_text(void **state)
{
    static const char letters[] = "bytes=0123456789-, \t";
    uint32_t random = 1;
    size_t parts = 0;
    (void)state;
    for (int round = 0; round < 100000; round++) {
        char text[24] = "bytes=";
        size_t len = 6;
        for (size_t extra = (size_t)round % 14; extra > 0; extra--) {
            random = random * 1664525U + 1013904223U;
            text[len++] = letters[(random >> 16) % (sizeof(letters) - 1)];
        }
        uint64_t size_bytes = random >> 24;
        struct range part;
        if (range_parse(text, len, size_bytes, &part) == RANGE_PART) {
            assert_true(part.len > 0 && part.first_off < size_bytes && part.len <= size_bytes - part.first_off);
            parts++;
        }
    }
    assert_true(parts > 100);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_closed_range_is_a_part),
    cmocka_unit_test(a_range_past_the_end_is_cut_to_the_file),
    cmocka_unit_test(an_open_range_runs_to_the_end),
    cmocka_unit_test(a_suffix_range_counts_from_the_end),
    cmocka_unit_test(a_range_outside_the_file_is_unsatisfiable),
    cmocka_unit_test(malformed_ranges_are_ignored),
    cmocka_unit_test(several_ranges_are_answered_with_the_whole_file),
    cmocka_unit_test(the_only_range_of_several_that_exists_is_a_part),
    cmocka_unit_test(every_truncation_is_read_within_its_bounds),
    cmocka_unit_test(a_part_never_leaves_the_file_whatever_the_text),
};

TEST_MAIN(tests)
