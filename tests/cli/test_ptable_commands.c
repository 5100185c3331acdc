/* SPDX-License-Identifier: Apache-2.0 */
/* otter ptable build, show, check. */
#include <stdlib.h>

#include "otter/otter_crypto.h"
#include "tests/cli/cli_bench.h"

#define TABLE_BYTES 3072

static const char two_slots[] = "# Name, Type, SubType, Offset, Size, Flags\n"
                                "nvs,      data, nvs,     ,        0x4000,\n"
                                "otadata,  data, ota,     ,        0x2000,\n"
                                "phy_init, data, phy,     ,        0x1000,\n"
                                "factory,  app,  factory, ,        1M,\n"
                                "ota_0,    app,  ota_0,   ,        1M,\n"
                                "ota_1,    app,  ota_1,   ,        1M,\n";

/* SHA-256 of what gen_esp32part makes of the same lines. */
static const uint8_t two_slots_sha[OTTER_SHA256_BYTES] = {
    0xd1, 0xc0, 0xe9, 0xd0, 0x2f, 0xa9, 0xd2, 0x6c, 0xd2, 0xe1, 0x98, 0x4e, 0x7b, 0x5d, 0xd2, 0x01,
    0x57, 0x20, 0x4f, 0x50, 0x1d, 0xdc, 0x83, 0xce, 0x82, 0x22, 0x9e, 0x5f, 0x31, 0x75, 0xee, 0x8b};

static void assert_is_two_slots(const char *name)
{
    size_t len = 0;
    uint8_t digest[OTTER_SHA256_BYTES];
    otter_hash_t sha = {0};
    uint8_t *bytes = bench_read(name, &len);
    assert_int_equal(len, TABLE_BYTES);
    assert_err(otter_hash_begin(&sha, OTTER_HASH_SHA256), ESP_OK);
    assert_err(otter_hash_update(&sha, bytes, len), ESP_OK);
    assert_err(otter_hash_finish(&sha, digest), ESP_OK);
    otter_hash_free(&sha);
    assert_memory_equal(digest, two_slots_sha, sizeof(digest));
    free(bytes);
}

static void a_csv_becomes_the_table_that_esp_idf_makes(void **state)
{
    (void)state;
    bench_write_text("t.csv", two_slots);
    assert_otter(0, "ptable build t.csv -o t.bin");
    assert_is_two_slots("t.bin");
    assert_int_equal(said.out_len + said.err_len, 0);
}

static void a_table_shown_as_csv_builds_the_same_table(void **state)
{
    (void)state;
    bench_write_text("t.csv", two_slots);
    assert_otter(0, "ptable build t.csv --output=t.bin");
    assert_otter(0, "ptable show t.bin --csv");
    bench_write("again.csv", said.out, said.out_len);
    assert_otter(0, "ptable build again.csv -o again.bin");
    assert_is_two_slots("again.bin");
}

static void standard_input_and_output_will_do(void **state)
{
    const run_options_t piped = {.input = two_slots};
    (void)state;
    assert_int_equal(otter_with(&piped, "ptable build - -o -"), 0);
    bench_write("t.bin", said.out, said.out_len);
    assert_is_two_slots("t.bin");
}

static void a_csv_in_utf_16_is_read(void **state)
{
    uint8_t wide[2 * sizeof(two_slots)] = {0xff, 0xfe};
    (void)state;
    for (size_t i = 0; i + 1 < sizeof(two_slots); i++) {
        wide[2 + 2 * i] = (uint8_t)two_slots[i];
    }
    bench_write("t.csv", wide, 2 * sizeof(two_slots));
    assert_otter(0, "ptable build t.csv -o t.bin");
    assert_is_two_slots("t.bin");
    bench_write("t.csv", wide, 101);
    assert_otter(1, "ptable build t.csv -o u.bin");
    assert_says(said.err, "t.csv");
    assert_false(bench_exists("u.bin"));
}

static void a_csv_in_utf_32_is_read(void **state)
{
    uint8_t wide[4 * sizeof(two_slots)] = {0, 0, 0xfe, 0xff};
    (void)state;
    for (size_t i = 0; i + 1 < sizeof(two_slots); i++) {
        wide[4 + 4 * i + 3] = (uint8_t)two_slots[i];
    }
    bench_write("t.csv", wide, sizeof(wide));
    assert_otter(0, "ptable build t.csv -o t.bin");
    assert_is_two_slots("t.bin");
}

static void the_md5_entry_can_be_left_out(void **state)
{
    (void)state;
    bench_write_text("t.csv", two_slots);
    assert_otter(0, "ptable build t.csv -o t.bin --disable-md5sum");
    assert_otter(0, "ptable show t.bin --json");
    json_t *json = said_json();
    assert_true(json_is_false(json_object_get(json, "md5")));
    json_decref(json);
    assert_otter(0, "ptable check t.bin");
    assert_says(said.err, "no MD5");
}

static void json_has_names_and_numbers(void **state)
{
    (void)state;
    bench_write_text("t.csv", "nvs,data,nvs,0x9000,24K,readonly:encrypted\nmine,0x40,0x7,0x10000,0x1234,\n");
    assert_otter(0, "ptable show t.csv --json");
    json_t *json = said_json();
    json_t *nvs = json_row(json, "partitions", "label", "nvs");
    assert_string_equal(json_text(nvs, "type"), "data");
    assert_string_equal(json_text(nvs, "subtype"), "nvs");
    assert_int_equal(json_integer_value(json_object_get(nvs, "offset")), 0x9000);
    assert_int_equal(json_integer_value(json_object_get(nvs, "size")), 0x6000);
    assert_int_equal(json_array_size(json_object_get(nvs, "flags")), 2);
    json_t *mine = json_row(json, "partitions", "label", "mine");
    assert_string_equal(json_text(mine, "type"), "0x40");
    assert_int_equal(json_integer_value(json_object_get(mine, "type_id")), 0x40);
    assert_int_equal(json_integer_value(json_object_get(mine, "subtype_id")), 7);
    json_decref(json);
}

static void people_get_a_table(void **state)
{
    (void)state;
    bench_write_text("t.csv", two_slots);
    assert_otter(0, "ptable show t.csv");
    assert_says(said.out, "LABEL");
    assert_says(said.out, "ota_1");
    assert_says(said.out, "0x210000");
    assert_otter(0, "ptable check t.csv");
    assert_says(said.out, "6 partitions, 2 OTA slots");
}

static void json_and_csv_exclude_each_other(void **state)
{
    (void)state;
    bench_write_text("t.csv", two_slots);
    assert_otter(2, "ptable show t.csv --csv --json");
}

static void a_faulty_line_is_named(void **state)
{
    (void)state;
    bench_write_text("t.csv", "nvs,data,nvs,0x9000,24K\nota_0,app,ota_0,0x10000,lots\n");
    assert_otter(1, "ptable check t.csv");
    assert_says(said.err, "t.csv:2:");
    assert_otter(1, "ptable build t.csv -o t.bin");
    assert_says(said.err, "t.csv:2:");
    assert_false(bench_exists("t.bin"));
}

static void overlapping_partitions_are_refused(void **state)
{
    (void)state;
    bench_write_text("t.csv", "nvs,data,nvs,0x9000,24K\nmore,data,0x80,0xa000,4K\n");
    assert_otter(1, "ptable check t.csv");
    assert_says(said.err, "overlap");
}

static void partitions_behind_the_flash_are_refused(void **state)
{
    (void)state;
    bench_write_text("t.csv", two_slots);
    assert_otter(1, "ptable check t.csv --flash-size 2MB");
    assert_otter(0, "ptable check t.csv --flash-size 4MB");
    assert_otter(0, "ptable build t.csv -o t.bin");
    assert_otter(1, "ptable show t.bin --flash-size 2MB");
    assert_says(said.err, "t.bin");
}

static void a_corrupted_table_is_refused(void **state)
{
    size_t len = 0;
    (void)state;
    bench_write_text("t.csv", two_slots);
    assert_otter(0, "ptable build t.csv -o t.bin");
    uint8_t *bytes = bench_read("t.bin", &len);
    bytes[5] ^= 1;
    bench_write("bad.bin", bytes, len);
    free(bytes);
    assert_otter(1, "ptable show bad.bin");
    assert_says(said.err, "bad.bin");
    assert_says(said.err, "MD5");
    assert_int_equal(said.out_len, 0);
    assert_otter(1, "ptable check bad.bin");
}

static void the_table_may_lie_elsewhere(void **state)
{
    (void)state;
    bench_write_text("t.csv", "nvs,data,nvs,,24K\n");
    assert_otter(0, "ptable show t.csv --offset 0x10000 --json");
    json_t *json = said_json();
    json_t *nvs = json_row(json, "partitions", "label", "nvs");
    assert_int_equal(json_integer_value(json_object_get(nvs, "offset")), 0x11000);
    json_decref(json);
}

static void building_needs_to_know_where_to(void **state)
{
    (void)state;
    bench_write_text("t.csv", two_slots);
    assert_otter(2, "ptable build t.csv");
    assert_says(said.err, "-o FILE");
}

static void a_missing_input_is_named(void **state)
{
    (void)state;
    assert_otter(1, "ptable build nowhere.csv -o t.bin");
    assert_says(said.err, "nowhere.csv");
    assert_false(bench_exists("t.bin"));
}

static void a_full_disk_leaves_the_old_output_and_no_remains(void **state)
{
    size_t len = 0;
    (void)state;
    bench_write_text("t.csv", two_slots);
    bench_write_text("t.bin", "precious");
    assert_int_equal(otter_on_full_disk(512, "ptable build t.csv -o t.bin"), 1);
    assert_says(said.err, "cannot write t.bin");
    uint8_t *bytes = bench_read("t.bin", &len);
    assert_int_equal(len, 8);
    assert_memory_equal(bytes, "precious", 8);
    free(bytes);
    assert_int_equal(bench_count(), 2);
}

static void a_folder_that_takes_no_files_is_reported(void **state)
{
    (void)state;
    bench_write_text("t.csv", two_slots);
    assert_otter(1, "ptable build t.csv -o nowhere/t.bin");
    assert_says(said.err, "cannot write nowhere/t.bin");
    assert_otter(1, "ptable build t.csv -o /proc/t.bin");
    assert_says(said.err, "cannot write /proc/t.bin");
    assert_otter(1, "ptable build t.csv -o /dev/full");
    assert_says(said.err, "cannot write /dev/full");
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown(a_csv_becomes_the_table_that_esp_idf_makes, bench_enter, bench_leave),
    cmocka_unit_test_setup_teardown(a_table_shown_as_csv_builds_the_same_table, bench_enter, bench_leave),
    cmocka_unit_test_setup_teardown(standard_input_and_output_will_do, bench_enter, bench_leave),
    cmocka_unit_test_setup_teardown(a_csv_in_utf_16_is_read, bench_enter, bench_leave),
    cmocka_unit_test_setup_teardown(a_csv_in_utf_32_is_read, bench_enter, bench_leave),
    cmocka_unit_test_setup_teardown(the_md5_entry_can_be_left_out, bench_enter, bench_leave),
    cmocka_unit_test_setup_teardown(json_has_names_and_numbers, bench_enter, bench_leave),
    cmocka_unit_test_setup_teardown(people_get_a_table, bench_enter, bench_leave),
    cmocka_unit_test_setup_teardown(json_and_csv_exclude_each_other, bench_enter, bench_leave),
    cmocka_unit_test_setup_teardown(a_faulty_line_is_named, bench_enter, bench_leave),
    cmocka_unit_test_setup_teardown(overlapping_partitions_are_refused, bench_enter, bench_leave),
    cmocka_unit_test_setup_teardown(partitions_behind_the_flash_are_refused, bench_enter, bench_leave),
    cmocka_unit_test_setup_teardown(a_corrupted_table_is_refused, bench_enter, bench_leave),
    cmocka_unit_test_setup_teardown(the_table_may_lie_elsewhere, bench_enter, bench_leave),
    cmocka_unit_test_setup_teardown(building_needs_to_know_where_to, bench_enter, bench_leave),
    cmocka_unit_test_setup_teardown(a_missing_input_is_named, bench_enter, bench_leave),
    cmocka_unit_test_setup_teardown(a_full_disk_leaves_the_old_output_and_no_remains, bench_enter, bench_leave),
    cmocka_unit_test_setup_teardown(a_folder_that_takes_no_files_is_reported, bench_enter, bench_leave),
};

TEST_MAIN(tests)
