/* SPDX-License-Identifier: Apache-2.0 */
/* The chunked coding of port/http1: what it takes, what it refuses, and that pieces make no difference. */
#include <stdlib.h>

#include "port/http1/chunks.h"
#include "tests/support/test.h"

/* A body as it was decoded. */
typedef struct decoding {
    http1_chunks_t chunks;
    http1_step_t step;
    size_t used;
    char body[256];
    size_t body_len;
} decoding_t;

/* One step over bytes in memory of exactly their size. */
static void step(decoding_t *decoding, const char *bytes, size_t len, size_t most)
{
    size_t used = 0;
    size_t left = len - decoding->used;
    char *copy = malloc(left + (left == 0));
    assert_non_null(copy);
    memcpy(copy, bytes + decoding->used, left);
    decoding->step = http1_chunks_feed(&decoding->chunks, copy, left, &used);
    assert_true(used <= left);
    if (decoding->step == HTTP1_DATA) {
        assert_true(decoding->chunks.left > 0);
        size_t take = left - used < most ? left - used : most;
        take = (int64_t)take < decoding->chunks.left ? take : (size_t)decoding->chunks.left;
        assert_true(take <= sizeof(decoding->body) - decoding->body_len);
        memcpy(decoding->body + decoding->body_len, copy + used, take);
        decoding->body_len += take;
        http1_chunks_take(&decoding->chunks, take);
        used += take;
    }
    decoding->used += used;
    free(copy);
}

/* Decodes what has come until more is needed. */
static void decode(decoding_t *decoding, const char *bytes, size_t len, size_t most)
{
    size_t before = SIZE_MAX;
    while (before != decoding->used) {
        before = decoding->used;
        step(decoding, bytes, len, most);
    }
}

static decoding_t decode_in_pieces(const char *bytes, size_t len, size_t piece, size_t most)
{
    decoding_t decoding = {.step = HTTP1_MORE};
    for (size_t there = piece < len ? piece : len; decoding.step != HTTP1_BAD; there += piece) {
        there = there < len ? there : len;
        decode(&decoding, bytes, there, most);
        if (there == len) {
            break;
        }
    }
    return decoding;
}

static decoding_t decode_whole(const char *text)
{
    return decode_in_pieces(text, strlen(text), strlen(text) + 1, SIZE_MAX);
}

static const char good[] = "5\r\nhello\r\n"
                           "00A;name=value;other=\"quo ted\"\r\n, chunked \r\n"
                           "1  \r\nw\r\n"
                           "4\t;x\r\norld\r\n"
                           "0;last\r\nTrailer: 1\r\nAnother: 2\r\n\r\n";
static const char good_body[] = "hello, chunked world";

static void assert_good(const decoding_t *decoding)
{
    assert_int_equal(decoding->step, HTTP1_DONE);
    assert_int_equal(decoding->used, sizeof(good) - 1);
    assert_int_equal(decoding->body_len, strlen(good_body));
    assert_memory_equal(decoding->body, good_body, strlen(good_body));
}

static void body_is_decoded(void **state)
{
    (void)state;
    decoding_t decoding = decode_whole(good);
    assert_good(&decoding);
}

static void body_is_the_same_however_it_is_cut(void **state)
{
    (void)state;
    for (size_t piece = 1; piece < sizeof(good); piece++) {
        for (size_t most = 1; most < 12; most++) {
            decoding_t decoding = decode_in_pieces(good, sizeof(good) - 1, piece, most);
            assert_good(&decoding);
        }
    }
}

static void truncated_body_is_never_complete(void **state)
{
    (void)state;
    for (size_t len = 0; len < sizeof(good) - 1; len++) {
        decoding_t decoding = decode_in_pieces(good, len, 7, SIZE_MAX);
        assert_true(decoding.step == HTTP1_MORE || decoding.step == HTTP1_DATA);
        assert_true(decoding.body_len <= strlen(good_body));
        assert_memory_equal(decoding.body, good_body, decoding.body_len);
    }
}

static void bytes_behind_the_body_are_left_alone(void **state)
{
    (void)state;
    decoding_t decoding = decode_whole("1\r\nx\r\n0\r\n\r\nHTTP/1.1 200 OK\r\n");
    assert_int_equal(decoding.step, HTTP1_DONE);
    assert_int_equal(decoding.used, 11);
    assert_int_equal(decoding.body_len, 1);
}

static void empty_body_is_complete(void **state)
{
    (void)state;
    decoding_t decoding = decode_whole("0\r\n\r\n");
    assert_int_equal(decoding.step, HTTP1_DONE);
    assert_int_equal(decoding.body_len, 0);
}

static void largest_size_is_understood(void **state)
{
    (void)state;
    decoding_t decoding = {0};
    step(&decoding, "7fffFFFFffffffff\r\n", 18, 0);
    assert_int_equal(decoding.step, HTTP1_DATA);
    assert_int_equal(decoding.chunks.left, INT64_MAX);
}

static void size_may_have_leading_zeros(void **state)
{
    (void)state;
    decoding_t decoding = decode_whole("00000000000000000000000001\r\nx\r\n0000\r\n\r\n");
    assert_int_equal(decoding.step, HTTP1_DONE);
    assert_int_equal(decoding.body_len, 1);
}

static const struct {
    const char *text;
    const char *problem;
} bad[] = {
    {"\r\n", "malformed chunk"},
    {"\n", "malformed chunk"},
    {"x\r\n", "malformed chunk"},
    {"-1\r\n", "malformed chunk"},
    {"+1\r\nx\r\n0\r\n\r\n", "malformed chunk"},
    {"0x1\r\nx\r\n0\r\n\r\n", "malformed chunk"},
    {" 1\r\nx\r\n0\r\n\r\n", "malformed chunk"},
    {";ext\r\n", "malformed chunk"},
    {"1\nx\r\n0\r\n\r\n", "malformed chunk"},
    {"1\rx\r\n", "malformed chunk"},
    {"1;a\nb\r\nx\r\n", "malformed chunk"},
    {"1;a\rb\r\nx\r\n", "malformed chunk"},
    {"1 2\r\nx\r\n", "malformed chunk"},
    {"1\r\nxy\r\n0\r\n\r\n", "malformed chunk"},
    {"1\r\nx0\r\n\r\n", "malformed chunk"},
    {"1\r\nx\n0\r\n\r\n", "malformed chunk"},
    {"1\r\nx\r0\r\n\r\n", "malformed chunk"},
    {"0\r\nTrailer: 1\n\r\n", "malformed chunk"},
    {"0\r\nTrailer: 1\rx\r\n", "malformed chunk"},
    {"0\r\n\rx", "malformed chunk"},
    {"0\r\n\n", "malformed chunk"},
    {"8000000000000000\r\n", "chunk size too large"},
    {"FFFFFFFFFFFFFFFFF\r\n", "chunk size too large"},
    {"10000000000000001\r\nx\r\n0\r\n\r\n", "chunk size too large"},
};

static void hostile_chunks_are_refused_with_a_reason(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        for (size_t piece = 1; piece < 4; piece++) {
            decoding_t decoding = decode_in_pieces(bad[i].text, strlen(bad[i].text), piece, SIZE_MAX);
            if (decoding.step != HTTP1_BAD) {
                fail_msg("taken: %s", bad[i].text);
            }
            assert_string_equal(decoding.chunks.problem, bad[i].problem);
        }
    }
}

static void nothing_is_taken_after_a_refusal(void **state)
{
    (void)state;
    decoding_t decoding = decode_whole("x");
    size_t used = 0;
    assert_int_equal(http1_chunks_feed(&decoding.chunks, "0\r\n\r\n", 5, &used), HTTP1_BAD);
    assert_int_equal(used, 0);
}

static void nul_byte_in_an_extension_is_refused(void **state)
{
    (void)state;
    decoding_t decoding = decode_in_pieces("1;a\0b\r\nx", 8, 8, SIZE_MAX);
    assert_int_equal(decoding.step, HTTP1_BAD);
}

/* How many bytes of a filler are taken before a beginning is refused. */
static size_t taken_before_refusal(const char *beginning, const char *filler, const char *problem)
{
    decoding_t decoding = decode_whole(beginning);
    size_t total = 0;
    while (decoding.step == HTTP1_MORE && total < 100000) {
        size_t used = 0;
        decoding.step = http1_chunks_feed(&decoding.chunks, filler, strlen(filler), &used);
        total += used;
    }
    assert_int_equal(decoding.step, HTTP1_BAD);
    assert_string_equal(decoding.chunks.problem, problem);
    return total;
}

static void endless_size_extension_and_trailer_are_refused_at_their_limits(void **state)
{
    (void)state;
    assert_int_equal(taken_before_refusal("", "0", "chunk line too large"), HTTP1_CHUNK_LINE_MAX_BYTES);
    assert_int_equal(taken_before_refusal("1;", "e", "chunk line too large"), HTTP1_CHUNK_LINE_MAX_BYTES - 2);
    assert_int_equal(taken_before_refusal("0\r\n", "T", "trailer too large"), HTTP1_TRAILER_MAX_BYTES);
    assert_int_equal(taken_before_refusal("0\r\n", "T: 1\r\n", "trailer too large"), HTTP1_TRAILER_MAX_BYTES);
}

/* The limit is of one line: a long body has many. */
static void many_chunks_are_not_a_long_line(void **state)
{
    (void)state;
    decoding_t decoding = {0};
    static const char chunk[] = "1;0123456789\r\nx\r\n";
    for (int i = 0; i < 1000; i++) {
        decoding.used = 0;
        decoding.body_len = 0;
        decode(&decoding, chunk, sizeof(chunk) - 1, SIZE_MAX);
        assert_int_equal(decoding.step, HTTP1_MORE);
        assert_int_equal(decoding.body_len, 1);
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(body_is_decoded),
    cmocka_unit_test(body_is_the_same_however_it_is_cut),
    cmocka_unit_test(truncated_body_is_never_complete),
    cmocka_unit_test(bytes_behind_the_body_are_left_alone),
    cmocka_unit_test(empty_body_is_complete),
    cmocka_unit_test(largest_size_is_understood),
    cmocka_unit_test(size_may_have_leading_zeros),
    cmocka_unit_test(hostile_chunks_are_refused_with_a_reason),
    cmocka_unit_test(nothing_is_taken_after_a_refusal),
    cmocka_unit_test(nul_byte_in_an_extension_is_refused),
    cmocka_unit_test(endless_size_extension_and_trailer_are_refused_at_their_limits),
    cmocka_unit_test(many_chunks_are_not_a_long_line),
};

TEST_MAIN(tests)
