/* SPDX-License-Identifier: Apache-2.0 */
/* What otter_add_firmware() gives a program: its sdkconfig.h and its embedded files. */
#include "tests/support/test.h"

extern const char text_start[] __asm__("_binary_embedded_text_txt_start");
extern const char text_end[] __asm__("_binary_embedded_text_txt_end");
extern const uint8_t _binary_embedded_data_bin_start[];
extern const uint8_t _binary_embedded_data_bin_end[];
extern const uint32_t embedded_data_bin_length;

static void embedded_text_is_ended_by_a_nul_byte(void **state)
{
    (void)state;
    assert_string_equal(text_start, "-----BEGIN-----\n\"quoted\"\n");
    assert_int_equal(text_end - text_start, strlen(text_start) + 1);
}

static void embedded_data_is_as_it_was(void **state)
{
    (void)state;
    size_t len = (size_t)(_binary_embedded_data_bin_end - _binary_embedded_data_bin_start);
    assert_int_equal(len, 7);
    assert_int_equal(embedded_data_bin_length, len);
    assert_memory_equal(_binary_embedded_data_bin_start, "\"data\"\n", len);
}

static void definitions_keep_their_quotes(void **state)
{
    (void)state;
    assert_string_equal(CONFIG_TEST_URL, "https://host:8070/fw.bin?a=1&b=$2#c");
    assert_int_equal(CONFIG_TEST_NUMBER, 42);
    assert_int_equal(CONFIG_TEST_FLAG, 1);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(embedded_text_is_ended_by_a_nul_byte),
    cmocka_unit_test(embedded_data_is_as_it_was),
    cmocka_unit_test(definitions_keep_their_quotes),
};

TEST_MAIN(tests)
