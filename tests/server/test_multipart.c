/* SPDX-License-Identifier: Apache-2.0 */
#include "server/http/multipart.h"

#include <stdlib.h>

#include "tests/support/test.h"

enum { FILE_LEN = 26, BODY_MAX = 2000 };

static const char file[] = "abcdefghijklmnopqrstuvwxyz";

static const struct multipart two = {
    .parts = {2, {{2, 3}, {20, 6}}}, .size_bytes = FILE_LEN, .content_type = "text/x", .boundary = "B0B"};

static const char two_body[] = "\r\n--B0B\r\nContent-Type: text/x\r\nContent-Range: bytes 2-4/26\r\n\r\ncde"
                               "\r\n--B0B\r\nContent-Type: text/x\r\nContent-Range: bytes 20-25/26\r\n\r\nuvwxyz"
                               "\r\n--B0B--\r\n";

/** Makes the body, at most @p step bytes at a time. @return its length */
static size_t make_body(const struct multipart *multipart, size_t step, char body[static BODY_MAX])
{
    size_t len = 0;
    for (;;) {
        struct multipart_piece piece;
        multipart_find(multipart, len, &piece);
        if (piece.len == 0) {
            return len;
        }
        size_t count = piece.len < step ? (size_t)piece.len : step;
        assert_true(len + count <= BODY_MAX);
        assert_true(piece.is_text || piece.off + piece.len <= multipart->size_bytes);
        memcpy(body + len, (piece.is_text ? piece.text : file) + piece.off, count);
        len += count;
    }
}

static void a_body_is_what_the_rfc_says(void **state)
{
    char body[BODY_MAX];
    (void)state;
    assert_int_equal(multipart_length(&two), strlen(two_body));
    assert_int_equal(make_body(&two, BODY_MAX, body), strlen(two_body));
    assert_memory_equal(body, two_body, strlen(two_body));
}

static void a_body_is_the_same_in_pieces_of_any_size(void **state)
{
    char body[BODY_MAX];
    (void)state;
    for (size_t step = 1; step < 100; step++) {
        assert_int_equal(make_body(&two, step, body), strlen(two_body));
        assert_memory_equal(body, two_body, strlen(two_body));
    }
}

static void behind_the_end_is_nothing(void **state)
{
    struct multipart_piece piece;
    (void)state;
    multipart_find(&two, strlen(two_body) - 1, &piece);
    assert_int_equal(piece.len, 1);
    multipart_find(&two, strlen(two_body), &piece);
    assert_int_equal(piece.len, 0);
    multipart_find(&two, UINT64_MAX, &piece);
    assert_int_equal(piece.len, 0);
}

static void the_largest_numbers_fit(void **state)
{
    struct multipart large = {.parts = {RANGE_PARTS_MAX, {{0, 0}}},
                              .size_bytes = UINT64_MAX,
                              .content_type = "application/octet-stream",
                              .boundary = "0123456789abcdef0123456789abcdef"};
    struct multipart_piece piece;
    (void)state;
    for (size_t i = 0; i < RANGE_PARTS_MAX; i++) {
        large.parts.part[i] = (struct range){UINT64_MAX - 1, 1};
    }
    multipart_find(&large, 0, &piece);
    assert_non_null(strstr(piece.text, "bytes 18446744073709551614-18446744073709551614/18446744073709551615\r\n\r\n"));
    assert_int_equal(multipart_length(&large),
                     RANGE_PARTS_MAX * (piece.len + 1) + strlen("\r\n----\r\n") + strlen(large.boundary));
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_body_is_what_the_rfc_says),
    cmocka_unit_test(a_body_is_the_same_in_pieces_of_any_size),
    cmocka_unit_test(behind_the_end_is_nothing),
    cmocka_unit_test(the_largest_numbers_fit),
};

TEST_MAIN(tests)
