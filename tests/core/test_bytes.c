/* SPDX-License-Identifier: Apache-2.0 */
/* Text from a stranger, made fit to be printed. */
#include "core/util/bytes.h"
#include "tests/support/test.h"

static void assert_printable(const char *text, const char *expected)
{
    char copy[64];
    assert_true(strlen(text) < sizeof(copy));
    memcpy(copy, text, strlen(text) + 1);
    bytes_make_printable(copy);
    assert_string_equal(copy, expected);
}

static void printable_text_stays(void **state)
{
    (void)state;
    assert_printable("", "");
    assert_printable("ota_0 ~", "ota_0 ~");
    assert_printable("\xC3\xA4\xC2\xA0\xE2\x82\xAC", "\xC3\xA4\xC2\xA0\xE2\x82\xAC");
}

static void control_characters_become_question_marks(void **state)
{
    (void)state;
    assert_printable("\x1B[2J\r\n\t\x7F\x1Fx", "?[2J?????x");
}

/* U+009B begins a command as ESC [ does. */
static void control_characters_of_two_bytes_too(void **state)
{
    (void)state;
    assert_printable("\xC2\x9B\x33\x31m", "??31m");
    assert_printable("a\xC2\x80\xC2\x9F\xC2", "a????\xC2");
    assert_printable("\x9B", "\x9B");
    assert_printable("\xC2z\xC2\x1B", "\xC2z\xC2?");
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(printable_text_stays),
    cmocka_unit_test(control_characters_become_question_marks),
    cmocka_unit_test(control_characters_of_two_bytes_too),
};

TEST_MAIN(tests)
