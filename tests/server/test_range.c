/* SPDX-License-Identifier: Apache-2.0 */
#include "server/http/range.h"

#include <stdlib.h>

#include "tests/support/test.h"

/** Parses from a block of exactly that length, so that reading past it is caught. */
static enum range_kind parse_exact(const char *text, size_t text_len, uint64_t size_bytes, struct range_set *parts)
{
    char *copy = malloc(text_len > 0 ? text_len : 1);
    assert_non_null(copy);
    memcpy(copy, text, text_len);
    enum range_kind kind = range_parse(copy, text_len, size_bytes, parts);
    free(copy);
    return kind;
}

static void expect_parts(const char *text, uint64_t size_bytes, const struct range *expected, size_t count)
{
    struct range_set parts = {77, {{77, 77}}};
    print_message("%s of %llu\n", text, (unsigned long long)size_bytes);
    assert_int_equal(parse_exact(text, strlen(text), size_bytes, &parts), RANGE_PARTS);
    assert_int_equal(parts.count, count);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(parts.part[i].first_off, expected[i].first_off);
        assert_int_equal(parts.part[i].len, expected[i].len);
    }
}

static void expect_part(const char *text, uint64_t size_bytes, uint64_t first_off, uint64_t len)
{
    expect_parts(text, size_bytes, &(struct range){first_off, len}, 1);
}

static void expect_kind(const char *text, uint64_t size_bytes, enum range_kind kind)
{
    struct range_set parts;
    print_message("%s of %llu\n", text, (unsigned long long)size_bytes);
    assert_int_equal(parse_exact(text, strlen(text), size_bytes, &parts), kind);
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
        "",           "bytes",      "bytes=",      "bytes=-",       "bytes=,",     "bytes= ",     "bytes=1",
        "bytes=a-b",  "bytes=1-2x", "bytes=1--2",  "bytes=--1",     "bytes=5-4",   "bytes=1 -2",  "bytes=1- 2",
        "bytes= 0-1", "byte=0-1",   "bytess=0-1",  "bytes 0-1",     " bytes=0-1",  "bytes=+1-2",  "bytes=0x1-",
        "items=0-1",  "bytes=0-1;", "bytes=0-1,x", "bytes=0-1 2-3", "bytes=1-2-3", "bytes=0-1,-", "bytes==0-1",
    };
    (void)state;
    for (size_t i = 0; i < sizeof(malformed) / sizeof(malformed[0]); i++) {
        expect_kind(malformed[i], 10, RANGE_WHOLE);
    }
}

static void several_ranges_are_parts_in_the_order_asked_for(void **state)
{
    (void)state;
    expect_parts("bytes=0-1,4-5", 10, (const struct range[]){{0, 2}, {4, 2}}, 2);
    expect_parts("bytes=-1 , 0-0", 10, (const struct range[]){{9, 1}, {0, 1}}, 2);
    expect_parts("bytes=0-1,50-60,4-", 10, (const struct range[]){{0, 2}, {4, 6}}, 2);
    expect_parts("bytes=2-5,4-7", 10, (const struct range[]){{2, 4}, {4, 4}}, 2);
    expect_parts("bytes=0-0,,9-9", 10, (const struct range[]){{0, 1}, {9, 1}}, 2);
}

static void parts_that_are_more_than_the_file_are_the_whole_file(void **state)
{
    (void)state;
    expect_kind("bytes=0-,0-", 10, RANGE_WHOLE);
    expect_kind("bytes=0-5,4-9", 10, RANGE_WHOLE);
    expect_kind("bytes=0-8,0-1", 10, RANGE_WHOLE);
    expect_parts("bytes=0-8,0-0", 10, (const struct range[]){{0, 9}, {0, 1}}, 2);
}

/** "bytes=0-0,1-1,..." */
static const char *count_up(size_t count, char text[static 512])
{
    size_t len = 6;
    strcpy(text, "bytes=");
    for (size_t i = 0; i < count; i++) {
        len += (size_t)snprintf(text + len, 512 - len, "%zu-%zu,", i, i);
    }
    return text;
}

static void more_parts_than_an_answer_has_are_the_whole_file(void **state)
{
    char text[512];
    struct range_set parts;
    (void)state;
    count_up(RANGE_PARTS_MAX, text);
    assert_int_equal(parse_exact(text, strlen(text), 1000, &parts), RANGE_PARTS);
    assert_int_equal(parts.count, RANGE_PARTS_MAX);
    assert_int_equal(parts.part[RANGE_PARTS_MAX - 1].first_off, RANGE_PARTS_MAX - 1);
    expect_kind(count_up(RANGE_PARTS_MAX + 1, text), 1000, RANGE_WHOLE);
    /* A mistake behind them counts, too. */
    strcat(text, "x");
    expect_kind(text, 1000, RANGE_WHOLE);
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
        struct range_set parts;
        enum range_kind kind = parse_exact(text, len, 1000, &parts);
        assert_true(kind != RANGE_PARTS || (parts.part[0].first_off == 12 && parts.part[0].len >= 1));
    }
}

static void parts_never_leave_the_file_whatever_the_text(void **state)
{
    static const char letters[] = "013-,-,3 \t";
    uint32_t random = 1;
    size_t several = 0;
    (void)state;
    for (int round = 0; round < 400000; round++) {
        char text[24] = "bytes=";
        size_t len = 6;
        for (size_t extra = (size_t)round % 18; extra > 0; extra--) {
            random = random * 1664525U + 1013904223U;
            text[len++] = letters[(random >> 16) % (sizeof(letters) - 1)];
        }
        uint64_t size_bytes = random >> 24;
        struct range_set parts;
        if (range_parse(text, len, size_bytes, &parts) == RANGE_PARTS) {
            assert_in_range(parts.count, 1, RANGE_PARTS_MAX);
            several += parts.count > 1;
            for (size_t i = 0; i < parts.count; i++) {
                const struct range *part = &parts.part[i];
                assert_true(part->len > 0 && part->first_off < size_bytes && part->len <= size_bytes - part->first_off);
            }
        }
    }
    assert_true(several > 100);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_closed_range_is_a_part),
    cmocka_unit_test(a_range_past_the_end_is_cut_to_the_file),
    cmocka_unit_test(an_open_range_runs_to_the_end),
    cmocka_unit_test(a_suffix_range_counts_from_the_end),
    cmocka_unit_test(a_range_outside_the_file_is_unsatisfiable),
    cmocka_unit_test(malformed_ranges_are_ignored),
    cmocka_unit_test(several_ranges_are_parts_in_the_order_asked_for),
    cmocka_unit_test(parts_that_are_more_than_the_file_are_the_whole_file),
    cmocka_unit_test(more_parts_than_an_answer_has_are_the_whole_file),
    cmocka_unit_test(the_only_range_of_several_that_exists_is_a_part),
    cmocka_unit_test(every_truncation_is_read_within_its_bounds),
    cmocka_unit_test(parts_never_leave_the_file_whatever_the_text),
};

TEST_MAIN(tests)
