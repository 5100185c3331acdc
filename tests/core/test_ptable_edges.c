/* SPDX-License-Identifier: Apache-2.0 */
/* Corners of the partition table: a digest that fails, custom types, and what a text holds where little fits. */
#include "core/ptable/ptable_csv.h"
#include "otter/otter_crypto.h"
#include "tests/support/test.h"

#define FLASH_BYTES (4u * 1024 * 1024)

static ptable_t table;
static ptable_csv_error_t error;

/* ---- A crypto port whose MD5 can fail ---- */

static bool md5_fails;
static uint32_t md5_calls;

esp_err_t __real_otter_md5(const void *bytes, size_t len, uint8_t digest[OTTER_MD5_BYTES]);
esp_err_t __wrap_otter_md5(const void *bytes, size_t len, uint8_t digest[OTTER_MD5_BYTES]);

esp_err_t __wrap_otter_md5(const void *bytes, size_t len, uint8_t digest[OTTER_MD5_BYTES])
{
    md5_calls++;
    esp_err_t err = __real_otter_md5(bytes, len, digest);
    return md5_fails ? ESP_FAIL : err;
}

static void break_md5(bool broken)
{
    md5_fails = broken;
    md5_calls = 0;
}

static void a_table_is_refused_if_its_digest_cannot_be_computed(void **state)
{
    (void)state;
    const ptable_t one = {.count = 1, .partition = {{1, 2, 0x9000, 0x4000, 0, "nvs"}}};
    uint8_t bytes[PTABLE_BYTES];
    uint32_t index = 99;
    break_md5(false);
    assert_int_equal(ptable_build(&one, true, bytes), PTABLE_OK);
    assert_int_equal(ptable_parse(&table, bytes, sizeof bytes, FLASH_BYTES, &index), PTABLE_OK);
    break_md5(true);
    assert_int_equal(ptable_parse(&table, bytes, sizeof bytes, FLASH_BYTES, &index), PTABLE_FAULT_MD5);
    assert_int_equal(md5_calls, 1);
    assert_int_equal(index, 1);
    assert_int_equal(table.count, 0);
}

static void a_table_is_not_built_if_its_digest_cannot_be_computed(void **state)
{
    (void)state;
    const ptable_t one = {.count = 1, .partition = {{1, 2, 0x9000, 0x4000, 0, "nvs"}}};
    uint8_t bytes[PTABLE_BYTES];
    break_md5(true);
    assert_int_equal(ptable_build(&one, true, bytes), PTABLE_FAULT_MD5);
    assert_int_equal(md5_calls, 1);
    assert_int_equal(ptable_build(&one, false, bytes), PTABLE_OK);
}

/* ---- The rules ---- */

static void a_number_that_is_no_fault_has_a_text_too(void **state)
{
    (void)state;
    assert_string_equal(ptable_fault_text((ptable_fault_t)(PTABLE_FAULT_FULL + 1)), "unknown fault");
    assert_string_equal(ptable_fault_text((ptable_fault_t)-1), "unknown fault");
}

static void partitions_of_a_custom_type_may_share_a_subtype(void **state)
{
    (void)state;
    const ptable_t custom = {.count = 2,
                             .partition = {{0x40, 0, 0x9000, 0x1000, 0, "a"}, {0x40, 0, 0xa000, 0x1000, 0, "b"}}};
    assert_int_equal(ptable_check(&custom, 0x8000, 4096, NULL), PTABLE_OK);
}

static void the_primary_bootloader_lies_before_or_behind_the_table(void **state)
{
    (void)state;
    static const struct {
        uint32_t offset;
        ptable_fault_t fault;
    } cases[] = {{0x7000, PTABLE_OK}, {0x8000, PTABLE_FAULT_OVERLAP}, {0x9000, PTABLE_OK}, {0x20000, PTABLE_OK}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const ptable_t t = {.count = 1, .partition = {{2, 0, cases[i].offset, 0x1000, 0, "boot"}}};
        assert_int_equal(ptable_check(&t, 0x8000, 4096, NULL), cases[i].fault);
    }
}

/* ---- The text ---- */

static esp_err_t parse_with(const char *text, const ptable_csv_options_t *options)
{
    memset(&error, 0x55, sizeof error);
    return ptable_csv_parse(&table, text, strlen(text), options, &error);
}

static esp_err_t parse(const char *text)
{
    const ptable_csv_options_t options = {.table_offset = 0x8000};
    return parse_with(text, &options);
}

static void assert_refused(const char *text, const char *piece)
{
    assert_err(parse(text), ESP_ERR_INVALID_ARG);
    assert_int_equal(error.line, 1);
    assert_non_null(strstr(error.text, piece));
}

static char written[256];

static void collect(void *arg, const char *text, size_t len)
{
    size_t *used = arg;
    assert_true(*used + len < sizeof written);
    memcpy(written + *used, text, len);
    *used += len;
    written[*used] = '\0';
}

static const char *write_table(void)
{
    size_t used = 0;
    ptable_csv_write(&table, collect, &used);
    return written;
}

static void a_long_message_is_cut_where_its_room_ends(void **state)
{
    (void)state;
    char line[400] = "a,";
    memset(line + 2, 'y', 300);
    strcpy(line + 302, ",fat,,4K");
    assert_err(parse(line), ESP_ERR_INVALID_ARG);
    assert_int_equal(strlen(error.text), sizeof error.text - 1);
    assert_memory_equal(error.text, "type 'yyy", 9);
    assert_int_equal(error.text[sizeof error.text - 2], 'y');
}

static void delete_is_a_control_character_in_messages_and_labels(void **state)
{
    (void)state;
    assert_refused("a,re\x7F"
                   "d,x,,4K",
                   "'re?d'");
    assert_err(parse("d\x7Fl,data,fat,,4K"), ESP_OK);
    assert_non_null(strstr(write_table(), "\nd_l,data,fat,"));
}

static void every_kind_of_blank_is_cut_off(void **state)
{
    (void)state;
    assert_err(parse("\t a\v,\tdata\f, fat \t,\t,\t4K\t"), ESP_OK);
    assert_int_equal(table.count, 1);
    assert_string_equal(table.partition[0].label, "a");
    assert_int_equal(table.partition[0].subtype, 0x81);
    assert_int_equal(table.partition[0].size, 0x1000);
}

static void only_the_whole_of_n_a_means_not_applicable(void **state)
{
    (void)state;
    static const char *const others[] = {"N", "NA", "N/", "N/x", "N/AA", "n/a/"};
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        char line[64];
        char piece[32];
        (void)snprintf(line, sizeof line, "pt,partition_table,primary,%s,N/A", others[i]);
        (void)snprintf(piece, sizeof piece, "offset '%s' is not a number", others[i]);
        assert_refused(line, piece);
    }
    assert_err(parse("pt,partition_table,primary,N/A,N/A"), ESP_OK);
    assert_int_equal(table.partition[0].offset, 0x8000);
}

static const char *value_of(void *arg, const char *name)
{
    (void)name;
    return arg;
}

static void a_variable_cannot_make_a_line_longer_than_a_line_may_be(void **state)
{
    (void)state;
    char value[1100];
    ptable_csv_options_t options = {.table_offset = 0x8000, .variable = value_of, .variable_arg = value};
    /* With the 16 characters around it, 1007 make the longest line. */
    memset(value, 'v', sizeof value);
    value[1007] = '\0';
    assert_err(parse_with("a,data,fat,,4K,,${V}", &options), ESP_OK);
    value[1007] = 'v';
    value[1008] = '\0';
    assert_err(parse_with("a,data,fat,,4K,,${V}", &options), ESP_ERR_INVALID_ARG);
    assert_non_null(strstr(error.text, "line is too long"));
}

static void a_brace_that_does_not_close_begins_no_variable(void **state)
{
    (void)state;
    ptable_csv_options_t options = {.table_offset = 0x8000, .variable = value_of, .variable_arg = "value"};
    assert_err(parse_with("${A-B},data,fat,,4K", &options), ESP_OK);
    assert_string_equal(table.partition[0].label, "${A-B}");
    assert_err(parse_with("${A},data,fat,,4K", &options), ESP_OK);
    assert_string_equal(table.partition[0].label, "value");
    assert_err(parse_with("a,data,fat,,4K,,${A", &options), ESP_OK);
    assert_string_equal(table.partition[0].label, "a");
}

static void a_label_that_fills_its_field_is_written_whole(void **state)
{
    (void)state;
    assert_err(parse("0123456789abcdef,data,fat,,4K"), ESP_OK);
    assert_non_null(strstr(write_table(), "\n0123456789abcdef,data,fat,"));
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_table_is_refused_if_its_digest_cannot_be_computed),
    cmocka_unit_test(a_table_is_not_built_if_its_digest_cannot_be_computed),
    cmocka_unit_test(a_number_that_is_no_fault_has_a_text_too),
    cmocka_unit_test(partitions_of_a_custom_type_may_share_a_subtype),
    cmocka_unit_test(the_primary_bootloader_lies_before_or_behind_the_table),
    cmocka_unit_test(a_long_message_is_cut_where_its_room_ends),
    cmocka_unit_test(delete_is_a_control_character_in_messages_and_labels),
    cmocka_unit_test(every_kind_of_blank_is_cut_off),
    cmocka_unit_test(only_the_whole_of_n_a_means_not_applicable),
    cmocka_unit_test(a_variable_cannot_make_a_line_longer_than_a_line_may_be),
    cmocka_unit_test(a_brace_that_does_not_close_begins_no_variable),
    cmocka_unit_test(a_label_that_fills_its_field_is_written_whole),
};

TEST_MAIN(tests)
