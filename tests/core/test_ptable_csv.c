/* SPDX-License-Identifier: Apache-2.0 */
#include "core/ptable/ptable_csv.h"

#include <stdlib.h>

#include "otter/otter_crypto.h"
#include "tests/support/test.h"

static const char two_ota[] = "# Name,   Type, SubType, Offset,   Size, Flags\n"
                              "nvs,      data, nvs,     ,        0x4000,\n"
                              "otadata,  data, ota,     ,        0x2000,\n"
                              "phy_init, data, phy,     ,        0x1000,\n"
                              "factory,  app,  factory, ,        1M,\n"
                              "ota_0,    app,  ota_0,   ,        1M,\n"
                              "ota_1,    app,  ota_1,   ,        1M,\n";

static ptable_t table;
static ptable_csv_error_t error;

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

static const ptable_partition_t *only(const char *text)
{
    if (parse(text) != ESP_OK) {
        print_error("line %u: %s\n", (unsigned)error.line, error.text);
        fail();
    }
    assert_int_equal(table.count, 1);
    return &table.partition[0];
}

/* A text must be refused, in that line, with a message that contains that piece. */
static void assert_refused(const char *text, uint32_t line, const char *piece)
{
    assert_err(parse(text), ESP_ERR_INVALID_ARG);
    assert_int_equal(table.count, 0);
    assert_true(memchr(error.text, '\0', sizeof error.text) != NULL);
    if (error.line != line || strstr(error.text, piece) == NULL) {
        print_error("line %u: %s\n", (unsigned)error.line, error.text);
    }
    assert_int_equal(error.line, line);
    assert_non_null(strstr(error.text, piece));
}

static void the_two_ota_table_equals_that_of_the_genuine_tool(void **state)
{
    (void)state;
    static const uint8_t expected[] = {0xd1, 0xc0, 0xe9, 0xd0, 0x2f, 0xa9, 0xd2, 0x6c, 0xd2, 0xe1, 0x98,
                                       0x4e, 0x7b, 0x5d, 0xd2, 0x01, 0x57, 0x20, 0x4f, 0x50, 0x1d, 0xdc,
                                       0x83, 0xce, 0x82, 0x22, 0x9e, 0x5f, 0x31, 0x75, 0xee, 0x8b};
    uint8_t bytes[PTABLE_BYTES];
    uint8_t digest[OTTER_SHA256_BYTES];
    otter_hash_t sha = {{0}};
    assert_err(parse(two_ota), ESP_OK);
    assert_int_equal(ptable_build(&table, true, bytes), PTABLE_OK);
    assert_err(otter_hash_begin(&sha, OTTER_HASH_SHA256), ESP_OK);
    assert_err(otter_hash_update(&sha, bytes, sizeof bytes), ESP_OK);
    assert_err(otter_hash_finish(&sha, digest), ESP_OK);
    otter_hash_free(&sha);
    assert_memory_equal(digest, expected, sizeof expected);
}

static void blank_lines_comments_and_extra_columns_mean_nothing(void **state)
{
    (void)state;
    const ptable_partition_t *p = only("\n   \n# a comment, with, commas\n  # another\n"
                                       "a, data, fat, 0x9000, 4K, readonly, more, and more\n\n");
    assert_string_equal(p->label, "a");
    assert_int_equal(p->flags, PART_FLAG_READONLY);
}

static void a_comment_behind_an_entry_is_refused(void **state)
{
    (void)state;
    assert_refused("a,data,fat,,4K # comment\n", 1, "4K # comment");
}

static void lines_end_in_lf_crlf_or_cr(void **state)
{
    (void)state;
    static const char *const texts[] = {"a,data,fat,,4K\nb,data,fat,,4K", "a,data,fat,,4K\r\nb,data,fat,,4K\r\n",
                                        "a,data,fat,,4K\rb,data,fat,,4K\r"};
    for (size_t i = 0; i < 3; i++) {
        assert_err(parse(texts[i]), ESP_OK);
        assert_int_equal(table.count, 2);
        assert_string_equal(table.partition[1].label, "b");
    }
    assert_refused("\r\n\r\nx,y", 3, "type 'y'");
}

static void a_utf8_mark_is_skipped(void **state)
{
    (void)state;
    assert_string_equal(only("\xEF\xBB\xBF"
                             "a,data,fat,,4K")
                            ->label,
                        "a");
}

static void other_encodings_are_refused_by_name(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *name;
    } cases[] = {{"\xFF\xFE"
                  "a\0,\0",
                  "UTF-16"},
                 {"\xFE\xFF\0a\0,", "UTF-16"},
                 {"\xFF\xFE\0\0a\0", "UTF-32"},
                 {"\0\0\xFE\xFF\0a", "UTF-32"}};
    const ptable_csv_options_t options = {.table_offset = 0x8000};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_err(ptable_csv_parse(&table, cases[i].text, 6, &options, &error), ESP_ERR_INVALID_ARG);
        assert_int_equal(error.line, 0);
        assert_non_null(strstr(error.text, cases[i].name));
    }
}

static void a_nul_byte_is_refused(void **state)
{
    (void)state;
    const ptable_csv_options_t options = {.table_offset = 0x8000};
    static const char text[] = "a,data\0,fat,,4K";
    assert_err(ptable_csv_parse(&table, text, sizeof text - 1, &options, &error), ESP_ERR_INVALID_ARG);
    assert_int_equal(error.line, 1);
    assert_non_null(strstr(error.text, "NUL"));
}

static void types_are_keywords_in_any_case_or_numbers(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint8_t type;
    } cases[] = {{"a,app,0,0x10000,4K", 0},
                 {"a,APP,0,,4K", 0},
                 {"a,Data,fat,,4K", 1},
                 {"a,bootloader,ota,,4K", 2},
                 {"a,0x40,1,,4K", 0x40},
                 {"a,254,1,,4K", 254},
                 {"a,partition_table,ota,,4K", 3},
                 {"a,0o100,1,,4K", 0x40},
                 {"a,0b1000000,1,,4K", 0x40},
                 {"a,0xFF,1,,4K", 255},
                 {"a,0X1f,1,,4K", 0x1f},
                 {"a,0,ota_0,,4K", 0}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(only(cases[i].text)->type, cases[i].type);
    }
    assert_refused("a,256,1,,4K", 1, "256");
    assert_refused("a,-1,1,,4K", 1, "-1");
    assert_refused("a,program,1,,4K", 1, "type 'program'");
    assert_refused("a,,1,,4K", 1, "type ''");
}

static void subtypes_are_keywords_of_their_type_or_numbers(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint8_t subtype;
    } cases[] = {{"a,app,factory,,4K", 0},
                 {"a,app,OTA_0,,4K", 0x10},
                 {"a,app,test,,4K", 0x20},
                 {"a,app,tee_0,,4K", 0x30},
                 {"a,app,0x31,,4K", 0x31},
                 {"a,data,ota,,8K", 0},
                 {"a,data,phy,,4K", 1},
                 {"a,data,nvs,,12K", 2},
                 {"a,data,coredump,,4K", 3},
                 {"a,data,nvs_keys,,4K", 4},
                 {"a,data,efuse,,4K", 5},
                 {"a,data,undefined,,4K", 6},
                 {"a,data,esphttpd,,4K", 0x80},
                 {"a,data,fat,,4K", 0x81},
                 {"a,data,spiffs,,4K", 0x82},
                 {"a,data,littlefs,,4K", 0x83},
                 {"a,data,tee_ota,,4K", 0x90},
                 {"a,bootloader,recovery,,4K", 2},
                 {"a,bootloader,primary,0,4K", 0},
                 {"a,partition_table,ota,,4K", 1}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(only(cases[i].text)->subtype, cases[i].subtype);
    }
    assert_refused("a,data,ota_0,,4K", 1, "subtype 'ota_0'");
    assert_refused("a,0x40,nvs,,4K", 1, "subtype 'nvs'");
    assert_refused("a,data,256,,4K", 1, "256");
}

static void all_sixteen_slots_have_keywords(void **state)
{
    (void)state;
    char text[1024] = "";
    for (unsigned i = 0; i < PTABLE_MAX_SLOTS; i++) {
        char line[48];
        snprintf(line, sizeof line, "s%u,app,ota_%u,,64K\n", i, i);
        strcat(text, line);
    }
    assert_err(parse(text), ESP_OK);
    assert_int_equal(ptable_slot_count(&table), 16);
    assert_int_equal(table.partition[15].subtype, 0x1F);
    assert_string_equal(ptable_subtype_name(0, 0x1F), "ota_15");
    assert_refused("a,app,ota_16,,64K", 1, "ota_16");
}

static void an_empty_subtype_is_undefined_except_for_apps(void **state)
{
    (void)state;
    assert_int_equal(only("a,data,,,4K")->subtype, 6);
    assert_int_equal(only("a,0x40,,,4K")->subtype, 6);
    assert_refused("a,app,,,4K", 1, "subtype");
}

static void numbers_have_bases_and_suffixes(void **state)
{
    (void)state;
    static const struct {
        const char *size;
        uint32_t expected;
    } cases[] = {{"4096", 4096},  {"0x1000", 4096}, {"0o10000", 4096},
                 {"4k", 4096},    {"4K", 4096},     {"1m", 1048576},
                 {"1M", 1048576}, {"0x10K", 16384}, {"0b1000000000000", 4096},
                 {"100", 100},    {"+100", 100},    {"0xabcDEF", 0xabcdef}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[64];
        snprintf(text, sizeof text, "a,data,fat,,%s", cases[i].size);
        assert_int_equal(only(text)->size, cases[i].expected);
    }
}

static void what_is_no_whole_number_is_refused(void **state)
{
    (void)state;
    static const char *const sizes[] = {
        "1.5M", "4G", "0x", "K", "-", "4 K", "4KB", "010", "0xg", "0b2", "9999999999999999999999"};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        char text[64];
        snprintf(text, sizeof text, "\na,data,fat,,%s", sizes[i]);
        assert_refused(text, 2, sizes[i]);
    }
    assert_refused("a,data,fat,,", 1, "size is missing");
    assert_refused("a,data,fat,zero,4K", 1, "offset 'zero'");
    assert_refused("a,data,fat,-4K,4K", 1, "offset '-4K'");
    assert_refused("a,data,fat,0x9000,4096M", 1, "size '4096M'");
    assert_refused("a,data,fat,4096M,4K", 1, "offset '4096M'");
    assert_refused("a,data,fat,0x101000,4095M", 1, "behind the end of the flash");
}

static void an_empty_offset_is_the_next_free_one_aligned_up(void **state)
{
    (void)state;
    assert_err(parse("a,data,fat,,100\nb,data,fat,,4K\nc,app,ota_0,,64K\nd,data,fat,,4K\n"), ESP_OK);
    assert_int_equal(table.partition[0].offset, 0x9000);
    assert_int_equal(table.partition[0].size, 100);
    assert_int_equal(table.partition[1].offset, 0xA000);
    assert_int_equal(table.partition[2].offset, 0x10000);
    assert_int_equal(table.partition[3].offset, 0x20000);
}

static void automatic_offsets_follow_table_and_sector_size(void **state)
{
    (void)state;
    ptable_csv_options_t options = {.table_offset = 0x10000};
    assert_err(parse_with("a,data,fat,,4K\n", &options), ESP_OK);
    assert_int_equal(table.partition[0].offset, 0x11000);
    options.sector_bytes = 0x40000;
    options.table_offset = 0x40000;
    assert_err(parse_with("a,data,ota,,512K\nb,app,ota_0,,1M\n", &options), ESP_OK);
    assert_int_equal(table.partition[0].offset, 0x80000);
    assert_int_equal(table.partition[1].offset, 0x100000);
}

static void a_negative_size_is_the_end(void **state)
{
    (void)state;
    const ptable_partition_t *p = only("a,data,fat,0x10000,-0x30000");
    assert_int_equal(p->offset, 0x10000);
    assert_int_equal(p->size, 0x20000);
    assert_int_equal(only("a,data,fat,,-1M")->size, 0x100000 - 0x9000);
    assert_refused("a,data,fat,0x10000,-0x8000", 1, "before the offset");
    assert_refused("a,data,fat,0x10000,-1", 1, "before the offset");
}

static void offsets_and_app_sizes_must_be_aligned(void **state)
{
    (void)state;
    assert_refused("a,app,ota_0,0x11000,64K", 1, "aligned");
    assert_refused("a,app,ota_0,0x10000,0x10800", 1, "aligned");
    assert_refused("a,data,fat,0x9800,4K", 1, "aligned");
    assert_int_equal(only("a,app,ota_0,0x10000,0x11000")->size, 0x11000);
}

static void names_are_cut_to_sixteen_bytes_and_unique(void **state)
{
    (void)state;
    assert_string_equal(only("a_name_longer_than_16_bytes,data,fat,,4K")->label, "a_name_longer_th");
    assert_refused("a,data,fat,,4K\n#\na,data,spiffs,,4K", 3, "'a'");
    assert_refused("a_name_longer_than_16,data,fat,,4K\na_name_longer_than_17,data,fat,,4K", 2, "same name");
}

static void otadata_is_one_writable_partition_of_two_sectors(void **state)
{
    (void)state;
    assert_int_equal(only("o,data,ota,,8K,encrypted")->flags, PART_FLAG_ENCRYPTED);
    assert_refused("o,data,ota,,4K", 1, "otadata");
    assert_refused("o,data,ota,,12K", 1, "otadata");
    assert_refused("o,data,ota,,8K,readonly", 1, "otadata");
    assert_refused("o,data,ota,,8K\np,data,ota,,8K", 2, "otadata");
}

static void small_nvs_must_be_and_coredump_may_not_be_readonly(void **state)
{
    (void)state;
    assert_refused("n,data,nvs,,8K", 1, "NVS");
    assert_int_equal(only("n,data,nvs,,8K,readonly")->size, 0x2000);
    assert_int_equal(only("n,data,nvs,,12K")->size, 0x3000);
    assert_refused("c,data,coredump,,64K,readonly", 1, "coredump");
}

static void flags_are_joined_by_colons(void **state)
{
    (void)state;
    assert_int_equal(only("a,data,fat,,4K,encrypted:readonly")->flags, 3);
    assert_int_equal(only("a,data,fat,,4K,readonly")->flags, 2);
    assert_int_equal(only("a,data,fat,,4K,")->flags, 0);
    assert_refused("a,data,fat,,4K,secret", 1, "unknown flag 'secret'");
    assert_refused("a,data,fat,,4K,encrypted;readonly", 1, "unknown flag");
}

static void entries_stand_in_ascending_order_without_overlap(void **state)
{
    (void)state;
    assert_refused("a,data,fat,0xA000,4K\nb,data,fat,0x9000,4K", 2, "0xb000");
    assert_refused("a,data,fat,0x9000,8K\nb,data,fat,0xA000,4K", 2, "0xb000");
    assert_refused("a,data,fat,0x8000,4K", 1, "0x9000");
    assert_refused("a,data,fat,0x0,4K", 1, "overlaps");
    assert_err(parse("a,data,fat,0x9000,4K\nb,data,fat,0xF000,4K"), ESP_OK);
}

static void the_flash_size_bounds_partitions(void **state)
{
    (void)state;
    const ptable_csv_options_t options = {.table_offset = 0x8000, .flash_bytes = 0x20000};
    assert_err(parse_with("a,app,ota_0,0x10000,64K", &options), ESP_OK);
    assert_err(parse_with("\n\na,app,ota_0,0x10000,68K", &options), ESP_ERR_INVALID_ARG);
    assert_int_equal(error.line, 3);
    assert_non_null(strstr(error.text, "0x21000"));
}

static void offset_and_size_of_bootloader_and_table_may_be_left_to_the_options(void **state)
{
    (void)state;
    static const char text[] = "bl,bootloader,primary,N/A,N/A\n"
                               "pt,partition_table,primary,n/a,N/A\n"
                               "nvs,data,nvs,,0x4000\n"
                               "blo,bootloader,ota,,N/A\n"
                               "pto,partition_table,ota,,N/A\n"
                               "blr,bootloader,recovery,N/A,N/A\n";
    ptable_csv_options_t options = {.table_offset = 0x8000,
                                    .has_bootloader_offset = true,
                                    .bootloader_offset = 0x1000,
                                    .has_recovery_offset = true,
                                    .recovery_offset = 0x100000};
    assert_err(parse_with(text, &options), ESP_OK);
    static const struct {
        uint32_t offset;
        uint32_t size;
    } expected[] = {{0x1000, 0x7000}, {0x8000, 0x1000},  {0x9000, 0x4000},
                    {0xd000, 0x7000}, {0x14000, 0x1000}, {0x100000, 0x7000}};
    for (size_t i = 0; i < 6; i++) {
        assert_int_equal(table.partition[i].offset, expected[i].offset);
        assert_int_equal(table.partition[i].size, expected[i].size);
    }

    options.has_recovery_offset = false;
    assert_err(parse_with(text, &options), ESP_ERR_INVALID_ARG);
    assert_int_equal(error.line, 6);
    assert_non_null(strstr(error.text, "recovery"));
    options.has_bootloader_offset = false;
    assert_err(parse_with(text, &options), ESP_ERR_INVALID_ARG);
    assert_int_equal(error.line, 1);
    assert_non_null(strstr(error.text, "primary bootloader"));
    options =
        (ptable_csv_options_t){.table_offset = 0x8000, .has_bootloader_offset = true, .bootloader_offset = 0x9000};
    assert_err(parse_with(text, &options), ESP_ERR_INVALID_ARG);
    assert_int_equal(error.line, 1);
    assert_non_null(strstr(error.text, "before the partition table"));
    assert_refused("a,bootloader,ota,,N/A", 1, "size N/A needs");
}

static void not_applicable_is_refused_for_other_partitions(void **state)
{
    (void)state;
    assert_refused("a,data,fat,N/A,4K", 1, "offset N/A");
    assert_refused("a,data,fat,,N/A", 1, "size N/A");
    assert_refused("a,bootloader,ota,N/A,4K", 1, "offset N/A");
}

static void gaps_in_slot_numbers_and_slots_named_twice_are_refused(void **state)
{
    (void)state;
    assert_refused("a,app,ota_0,,64K\nb,app,ota_2,,64K", 2, "gap");
    assert_refused("a,app,ota_1,,64K", 1, "gap");
    assert_refused("a,app,ota_0,,64K\nb,app,ota_0,,64K", 2, "same app slot");
}

static const char *variable(void *arg, const char *name)
{
    assert_string_equal(arg, "env");
    if (strcmp(name, "SIZE_1") == 0) {
        return "0x2000";
    }
    return strcmp(name, "ROW") == 0 ? "data,fat" : NULL;
}

static void variables_are_put_in(void **state)
{
    (void)state;
    char env[] = "env";
    const ptable_csv_options_t options = {.table_offset = 0x8000, .variable = variable, .variable_arg = env};
    assert_err(parse_with("# $UNKNOWN in a comment\na,$ROW,,$SIZE_1\nb$,${ROW},,0x${SIZE_1\n", &options),
               ESP_ERR_INVALID_ARG);
    assert_int_equal(error.line, 3);
    assert_err(parse_with("a,$ROW,,$SIZE_1\nb$,${ROW},,${SIZE_1}\n", &options), ESP_OK);
    assert_int_equal(table.partition[0].size, 0x2000);
    assert_int_equal(table.partition[0].subtype, 0x81);
    assert_string_equal(table.partition[1].label, "b$");
    assert_int_equal(table.partition[1].size, 0x2000);
    assert_err(parse_with("\na,data,fat,,$NO_SUCH", &options), ESP_ERR_INVALID_ARG);
    assert_int_equal(error.line, 2);
    assert_non_null(strstr(error.text, "unknown variable 'NO_SUCH'"));
    assert_refused("a,data,fat,,$SIZE_1", 1, "unknown variable 'SIZE_1'");
    assert_string_equal(only("$1$,data,fat,,4K")->label, "$1$");
}

static void lines_and_variable_names_have_a_ceiling(void **state)
{
    (void)state;
    char line[1025] = "a,data,fat,,4K,,";
    memset(line + strlen(line), 'x', 1023 - strlen(line));
    assert_string_equal(only(line)->label, "a");
    strcat(line, "x");
    assert_refused(line, 1, "line is too long");

    char name[66] = "$";
    memset(name + 1, 'n', 63);
    assert_refused(name, 1, "unknown variable 'nnn");
    strcat(name, "n");
    assert_refused(name, 1, "name of a variable is too long");

    static char text[3000];
    memset(text, 'x', sizeof text - 1);
    assert_refused(text, 1, "line is too long");
    text[0] = '$';
    assert_refused(text, 1, "name of a variable is too long");
    text[0] = '#';
    memcpy(text + 2000, "\na,data,fat,,4K\n", 17);
    assert_err(parse(text), ESP_OK);
}

static void the_ninety_sixth_partition_is_refused(void **state)
{
    (void)state;
    static char text[4096];
    text[0] = '\0';
    for (unsigned i = 1; i <= 95; i++) {
        char line[32];
        snprintf(line, sizeof line, "p%u,data,fat,,4K\n", i);
        strcat(text, line);
    }
    assert_err(parse(text), ESP_OK);
    assert_int_equal(table.count, 95);
    strcat(text, "last,data,fat,,4K\n");
    assert_refused(text, 96, "more partitions");
}

static void a_text_without_partitions_is_refused(void **state)
{
    (void)state;
    assert_refused("", 0, "no partitions");
    assert_refused("# nothing\n", 0, "no partitions");
}

static void a_message_shows_control_characters_as_question_marks(void **state)
{
    (void)state;
    assert_refused("a,\x1b[31mred,x,,4K", 1, "'?[31mred'");
}

static void a_text_cut_short_anywhere_is_read_within_its_bounds(void **state)
{
    (void)state;
    const ptable_csv_options_t options = {.table_offset = 0x8000, .flash_bytes = 0x400000};
    uint32_t most = 0;
    for (size_t len = 0; len < sizeof two_ota; len++) {
        char *text = malloc(len + 1); /* On the heap, so that a read behind the end is seen. */
        assert_non_null(text);
        memcpy(text + 1, two_ota, len);
        esp_err_t err = ptable_csv_parse(&table, text + 1, len, &options, &error);
        free(text);
        assert_true(err == ESP_OK || (err == ESP_ERR_INVALID_ARG && table.count == 0));
        assert_true(err == ESP_OK || (error.text[0] != '\0' && memchr(error.text, '\0', sizeof error.text) != NULL));
        assert_true(table.count == 0 || table.count >= most);
        most = table.count > most ? table.count : most;
    }
    assert_int_equal(most, 6);
}

static uint32_t next_random(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 8;
}

static void random_text_is_read_within_its_bounds(void **state)
{
    (void)state;
    static const char alphabet[] = ",,,,\n\r#$:{}-+0x1KM/N dataopf_\"\xff";
    const ptable_csv_options_t options = {.table_offset = 0x8000, .flash_bytes = 0x400000};
    uint32_t seed = 4711;
    unsigned accepted = 0;
    for (unsigned round = 0; round < 20000; round++) {
        char text[sizeof two_ota];
        memcpy(text, two_ota, sizeof text);
        for (uint32_t n = next_random(&seed) % 3 + 1; n > 0; n--) {
            text[next_random(&seed) % (sizeof text - 1)] = alphabet[next_random(&seed) % (sizeof alphabet - 1)];
        }
        if (ptable_csv_parse(&table, text, sizeof text - 1, &options, &error) != ESP_OK) {
            assert_int_equal(table.count, 0);
            continue;
        }
        accepted++;
        assert_int_equal(ptable_check(&table, 0x8000, 4096, NULL), PTABLE_OK);
        for (uint32_t i = 0; i < table.count; i++) {
            assert_true((uint64_t)table.partition[i].offset + table.partition[i].size <= 0x400000);
        }
    }
    assert_true(accepted > 100 && accepted < 19900);
}

static char written[8192];

static void collect(void *arg, const char *text, size_t len)
{
    size_t *used = arg;
    assert_true(*used + len < sizeof written);
    memcpy(written + *used, text, len);
    *used += len;
    written[*used] = '\0';
}

static const char *write_csv(const ptable_t *t)
{
    size_t used = 0;
    ptable_csv_write(t, collect, &used);
    return written;
}

static void a_table_is_written_as_the_genuine_tool_prints_it(void **state)
{
    (void)state;
    assert_err(parse(two_ota), ESP_OK);
    table.partition[2].flags = PART_FLAG_ENCRYPTED | PART_FLAG_READONLY;
    assert_string_equal(write_csv(&table), "# ESP-IDF Partition Table\n"
                                           "# Name, Type, SubType, Offset, Size, Flags\n"
                                           "nvs,data,nvs,0x9000,16K,\n"
                                           "otadata,data,ota,0xd000,8K,\n"
                                           "phy_init,data,phy,0xf000,4K,encrypted:readonly\n"
                                           "factory,app,factory,0x10000,1M,\n"
                                           "ota_0,app,ota_0,0x110000,1M,\n"
                                           "ota_1,app,ota_1,0x210000,1M,\n");
}

static void a_written_table_reads_back_the_same(void **state)
{
    (void)state;
    assert_err(parse("a,0x40,7,,100\nb,data,0x70,,4K,readonly\nc,app,tee_0,,0x11000\n"), ESP_OK);
    const ptable_t before = table;
    char text[sizeof written];
    strcpy(text, write_csv(&table));
    assert_non_null(strstr(text, "a,64,7,0x9000,0x64,"));
    assert_err(parse(text), ESP_OK);
    assert_memory_equal(&table, &before, sizeof table);
}

static void a_label_cannot_change_the_lines_meaning(void **state)
{
    (void)state;
    const ptable_t odd = {.count = 3,
                          .partition = {{1, 6, 0x9000, 0x1000, 0, "#a,b"},
                                        {1, 6, 0xa000, 0x1000, 0, "x\ny$Z"},
                                        {1, 6, 0xb000, 0x1000, 0, "0123456789#bcdef"}}};
    write_csv(&odd);
    assert_non_null(strstr(written, "\n_a_b,data,"));
    assert_non_null(strstr(written, "\nx_y_Z,data,"));
    assert_non_null(strstr(written, "\n0123456789#bcdef,data,"));
    assert_err(parse(written), ESP_OK);
    assert_int_equal(table.count, 3);
}

static void names_that_do_not_exist_are_null(void **state)
{
    (void)state;
    assert_string_equal(ptable_type_name(3), "partition_table");
    assert_null(ptable_type_name(0x40));
    assert_string_equal(ptable_subtype_name(2, 2), "recovery");
    assert_null(ptable_subtype_name(0x40, 0));
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(the_two_ota_table_equals_that_of_the_genuine_tool),
    cmocka_unit_test(blank_lines_comments_and_extra_columns_mean_nothing),
    cmocka_unit_test(a_comment_behind_an_entry_is_refused),
    cmocka_unit_test(lines_end_in_lf_crlf_or_cr),
    cmocka_unit_test(a_utf8_mark_is_skipped),
    cmocka_unit_test(other_encodings_are_refused_by_name),
    cmocka_unit_test(a_nul_byte_is_refused),
    cmocka_unit_test(types_are_keywords_in_any_case_or_numbers),
    cmocka_unit_test(subtypes_are_keywords_of_their_type_or_numbers),
    cmocka_unit_test(all_sixteen_slots_have_keywords),
    cmocka_unit_test(an_empty_subtype_is_undefined_except_for_apps),
    cmocka_unit_test(numbers_have_bases_and_suffixes),
    cmocka_unit_test(what_is_no_whole_number_is_refused),
    cmocka_unit_test(an_empty_offset_is_the_next_free_one_aligned_up),
    cmocka_unit_test(automatic_offsets_follow_table_and_sector_size),
    cmocka_unit_test(a_negative_size_is_the_end),
    cmocka_unit_test(offsets_and_app_sizes_must_be_aligned),
    cmocka_unit_test(names_are_cut_to_sixteen_bytes_and_unique),
    cmocka_unit_test(otadata_is_one_writable_partition_of_two_sectors),
    cmocka_unit_test(small_nvs_must_be_and_coredump_may_not_be_readonly),
    cmocka_unit_test(flags_are_joined_by_colons),
    cmocka_unit_test(entries_stand_in_ascending_order_without_overlap),
    cmocka_unit_test(the_flash_size_bounds_partitions),
    cmocka_unit_test(offset_and_size_of_bootloader_and_table_may_be_left_to_the_options),
    cmocka_unit_test(not_applicable_is_refused_for_other_partitions),
    cmocka_unit_test(gaps_in_slot_numbers_and_slots_named_twice_are_refused),
    cmocka_unit_test(variables_are_put_in),
    cmocka_unit_test(lines_and_variable_names_have_a_ceiling),
    cmocka_unit_test(the_ninety_sixth_partition_is_refused),
    cmocka_unit_test(a_text_without_partitions_is_refused),
    cmocka_unit_test(a_message_shows_control_characters_as_question_marks),
    cmocka_unit_test(a_text_cut_short_anywhere_is_read_within_its_bounds),
    cmocka_unit_test(random_text_is_read_within_its_bounds),
    cmocka_unit_test(a_table_is_written_as_the_genuine_tool_prints_it),
    cmocka_unit_test(a_written_table_reads_back_the_same),
    cmocka_unit_test(a_label_cannot_change_the_lines_meaning),
    cmocka_unit_test(names_that_do_not_exist_are_null),
};

TEST_MAIN(tests)
