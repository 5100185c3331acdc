/* SPDX-License-Identifier: Apache-2.0 */
/* otter flash create, info, read, write, erase. */
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "otter/otter_flash_file.h"
#include "tests/cli/cli_bench.h"

#define OTA_0 0x10000u
#define SLOT  0x70000u /* Size of a slot of the default layout in 1 MiB. */
#define OTA_1 (OTA_0 + SLOT)

/** Makes f.bin, 1 MiB with the default layout and an app in ota_0. */
static void make_flash(void)
{
    bench_app("app.bin", "1.0.0");
    assert_otter(0, "flash create f.bin --size 1M --app app.bin");
}

/** Fails unless f.bin is byte for byte what it was; frees what it was. */
static void assert_flash_is(uint8_t *before, size_t before_len)
{
    size_t len = 0;
    uint8_t *now = bench_read("f.bin", &len);
    assert_int_equal(len, before_len);
    assert_memory_equal(now, before, len);
    free(now);
    free(before);
}

static bool all_ff(const uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (bytes[i] != 0xff) {
            return false;
        }
    }
    return true;
}

static json_t *info(void)
{
    assert_otter(0, "flash info f.bin --json");
    return said_json();
}

static json_int_t number(json_t *json, const char *key)
{
    assert_true(json_is_integer(json_object_get(json, key)));
    return json_integer_value(json_object_get(json, key));
}

static void a_new_flash_has_two_slots_and_boots_the_first(void **state)
{
    (void)state;
    make_flash();
    assert_int_equal(said.out_len + said.err_len, 0);
    json_t *json = info();
    assert_int_equal(number(json, "size"), 1 << 20);
    json_t *nvs = json_row(json, "partitions", "label", "nvs");
    assert_int_equal(number(nvs, "offset"), 0x9000);
    assert_int_equal(number(nvs, "size"), 0x5000);
    json_t *otadata = json_row(json, "partitions", "label", "otadata");
    assert_string_equal(json_text(otadata, "subtype"), "ota");
    assert_int_equal(number(otadata, "size"), 0x2000);
    json_t *slot = json_row(json, "partitions", "label", "ota_1");
    assert_string_equal(json_text(slot, "type"), "app");
    assert_string_equal(json_text(slot, "subtype"), "ota_1");
    assert_int_equal(number(slot, "offset"), OTA_1);
    assert_int_equal(number(slot, "size"), SLOT);
    assert_string_equal(json_string_value(json_at(json, "boot", "partition")), "ota_0");
    json_decref(json);
}

static void a_new_flash_is_erased_but_for_table_and_app(void **state)
{
    size_t len = 0;
    size_t app_len = 0;
    (void)state;
    make_flash();
    uint8_t *bytes = bench_read("f.bin", &len);
    uint8_t *app = bench_read("app.bin", &app_len);
    assert_int_equal(len, 1 << 20);
    assert_true(all_ff(bytes, 0x8000));
    assert_true(all_ff(bytes + 0x9000, OTA_0 - 0x9000));
    assert_memory_equal(bytes + OTA_0, app, app_len);
    assert_true(all_ff(bytes + OTA_0 + app_len, len - OTA_0 - app_len));
    free(app);
    free(bytes);
}

static void a_file_name_that_is_not_utf_8_is_shown_with_question_marks(void **state)
{
    (void)state;
    make_flash();
    assert_int_equal(rename("f.bin", "f\xFF.bin"), 0);
    assert_otter(0, "flash info f\xFF.bin --json");
    json_t *json = said_json();
    assert_string_equal(json_text(json, "file"), "f?.bin");
    json_decref(json);
    assert_otter(0, "ota status f\xFF.bin --json");
}

static void info_has_the_facts_of_each_app(void **state)
{
    (void)state;
    make_flash();
    json_t *json = info();
    json_t *app = json_row(json, "apps", "partition", "ota_0");
    assert_string_equal(json_text(app, "project"), "blink");
    assert_string_equal(json_text(app, "version"), "1.0.0");
    assert_int_equal(number(app, "secure_version"), 0);
    assert_int_equal(strlen(json_text(app, "sha256")), 64);
    assert_true(json_is_true(json_object_get(app, "valid")));
    assert_true(json_is_array(json_object_get(app, "signed_by")));
    json_t *empty = json_row(json, "apps", "partition", "ota_1");
    assert_true(json_is_false(json_object_get(empty, "valid")));
    assert_string_equal(json_text(empty, "problem"), "empty");
    assert_true(json_is_string(json_at(json, "boot", "reason")));
    json_decref(json);
}

static void info_has_both_otadata_records(void **state)
{
    /* seq 1, VALID; CRC-32 of 01 00 00 00 from FFFFFFFF. */
    uint8_t record[32];
    (void)state;
    memset(record, 0xff, sizeof(record));
    memcpy(record, "\x01\0\0\0", 4);
    memcpy(record + 24, "\x02\0\0\0\x9a\x98\x43\x47", 8);
    bench_write("record.bin", record, sizeof(record));
    make_flash();
    assert_otter(0, "flash write f.bin 0xe000 record.bin");
    json_t *json = info();
    json_t *records = json_object_get(json, "otadata");
    assert_int_equal(json_array_size(records), 2);
    json_t *first = json_array_get(records, 0);
    assert_int_equal(number(first, "index"), 0);
    assert_int_equal(number(first, "seq"), 1);
    assert_string_equal(json_text(first, "state"), "VALID");
    assert_true(json_is_true(json_object_get(first, "crc_ok")));
    json_t *second = json_array_get(records, 1);
    assert_int_equal(number(second, "index"), 1);
    assert_true(json_is_null(json_object_get(second, "seq")));
    assert_true(json_is_null(json_object_get(second, "crc_ok")));
    json_decref(json);
}

static void info_shows_otadata_as_it_is_not_as_a_boot_would_leave_it(void **state)
{
    (void)state;
    make_flash();
    json_t *json = info();
    json_t *first = json_array_get(json_object_get(json, "otadata"), 0);
    assert_int_equal(number(first, "index"), 0);
    assert_true(json_is_null(json_object_get(first, "seq")));
    json_decref(json);
}

static void a_record_with_a_wrong_crc_is_told(void **state)
{
    (void)state;
    make_flash();
    bench_write("record.bin", "\x01\0\0\0", 4);
    assert_otter(0, "flash write f.bin otadata record.bin");
    json_t *json = info();
    json_t *first = json_array_get(json_object_get(json, "otadata"), 0);
    assert_int_equal(number(first, "seq"), 1);
    assert_true(json_is_false(json_object_get(first, "crc_ok")));
    json_decref(json);
}

static void people_get_tables_and_what_boots(void **state)
{
    (void)state;
    make_flash();
    assert_otter(0, "flash info f.bin");
    assert_says(said.out, "1M");
    assert_says(said.out, "blink");
    assert_says(said.out, "Boots: ota_0");
}

static void info_says_when_nothing_boots(void **state)
{
    (void)state;
    assert_otter(0, "flash create f.bin --size 1M");
    json_t *json = info();
    assert_true(json_is_null(json_at(json, "boot", "partition")));
    assert_true(json_array_size(json_at(json, "boot", "failed")) >= 1);
    json_decref(json);
    assert_otter(0, "flash info f.bin");
    assert_says(said.out, "Boots: nothing");
}

static void the_app_goes_to_the_factory_partition_if_there_is_one(void **state)
{
    (void)state;
    bench_app("app.bin", "1.0.0");
    bench_write_text("t.csv", "otadata,data,ota,,0x2000\nota_0,app,ota_0,,128K\nfactory,app,factory,,128K\n");
    assert_otter(0, "flash create f.bin --size 1M --ptable t.csv --app app.bin");
    json_t *json = info();
    assert_string_equal(json_string_value(json_at(json, "boot", "partition")), "factory");
    json_decref(json);
}

static void files_go_to_partitions_and_offsets(void **state)
{
    size_t len = 0;
    (void)state;
    bench_app("app.bin", "1.0.0");
    bench_app("new.bin", "2.0.0");
    bench_write_text("note.txt", "hello");
    assert_otter(0, "flash create f.bin --size 1M --app app.bin --write ota_1=new.bin --write 0x1000=note.txt");
    json_t *json = info();
    assert_string_equal(json_text(json_row(json, "apps", "partition", "ota_1"), "version"), "2.0.0");
    json_decref(json);
    uint8_t *bytes = bench_read("f.bin", &len);
    assert_memory_equal(bytes + 0x1000, "hello\xff", 6);
    free(bytes);
}

static void files_that_overlap_are_refused(void **state)
{
    (void)state;
    bench_write_text("note.txt", "hello");
    assert_otter(1, "flash create f.bin --size 1M --write 0x9000=note.txt --write nvs=note.txt");
    assert_says(said.err, "overlaps");
    assert_otter(1, "flash create f.bin --size 1M --write 0x8004=note.txt");
    assert_says(said.err, "partition table");
    assert_otter(1, "flash create f.bin --size 1M --write 0xffffe=note.txt");
    assert_says(said.err, "do not fit");
    assert_false(bench_exists("f.bin"));
}

static void a_write_that_makes_no_sense_is_refused(void **state)
{
    (void)state;
    assert_otter(2, "flash create f.bin --size 1M --write nvs");
    assert_says(said.err, "LABEL=FILE");
    assert_otter(2, "flash create f.bin --size 1M --write =x");
    assert_otter(1, "flash create f.bin --size 1M --write nowhere=x");
    assert_says(said.err, "no partition is called nowhere");
    assert_otter(1, "flash create f.bin --size 1M --write nvs=missing.bin");
    assert_says(said.err, "missing.bin");
    assert_int_equal(bench_count(), 0);
}

static void an_app_for_another_chip_is_refused(void **state)
{
    fixture_image_t spec = FIXTURE_IMAGE_FOR(ESP_CHIP_ID_ESP32C3, "blink", "1.0.0");
    (void)state;
    bench_image("c3.bin", &spec);
    assert_otter(1, "flash create f.bin --size 1M --app c3.bin");
    assert_says(said.err, "c3.bin: made for chip esp32c3");
    assert_says(said.err, "--chip esp32c3");
    assert_otter(1, "flash create f.bin --size 1M --write ota_1=c3.bin");
    assert_int_equal(bench_count(), 1);
    assert_otter(0, "flash create f.bin --size 1M --app c3.bin --chip esp32c3");
    json_t *json = info();
    assert_string_equal(json_text(json, "chip"), "esp32c3");
    assert_string_equal(json_string_value(json_at(json, "boot", "partition")), "ota_0");
    json_decref(json);
    assert_otter(0, "flash create g.bin --size 1M --app c3.bin --chip any");
    assert_otter(2, "flash create h.bin --size 1M --app c3.bin --chip esp99");
    assert_says(said.err, "unknown chip esp99");
}

static void an_app_that_is_broken_is_refused(void **state)
{
    size_t len = 0;
    (void)state;
    bench_app("app.bin", "1.0.0");
    uint8_t *bytes = bench_read("app.bin", &len);
    bytes[len / 2] ^= 1;
    bench_write("broken.bin", bytes, len);
    bytes[len / 2] ^= 1;
    bench_write("cut.bin", bytes, len - 40);
    free(bytes);
    assert_otter(1, "flash create f.bin --size 1M --app broken.bin");
    assert_says(said.err, "broken.bin: no valid app image");
    assert_otter(1, "flash create f.bin --size 1M --app cut.bin");
    assert_says(said.err, "cut.bin");
    assert_false(bench_exists("f.bin"));
}

static void an_app_larger_than_its_slot_is_refused(void **state)
{
    fixture_image_t spec = FIXTURE_IMAGE_FOR(bench_chip(), "blink", "1.0.0");
    spec.segment_bytes[1] = SLOT;
    (void)state;
    bench_image("large.bin", &spec);
    assert_otter(1, "flash create f.bin --size 1M --app large.bin");
    assert_says(said.err, "large.bin");
    assert_says(said.err, "ota_0");
    assert_false(bench_exists("f.bin"));
}

static void an_existing_file_is_replaced_only_by_force(void **state)
{
    size_t len = 0;
    (void)state;
    bench_write_text("f.bin", "precious");
    assert_otter(1, "flash create f.bin --size 1M");
    assert_says(said.err, "--force");
    uint8_t *bytes = bench_read("f.bin", &len);
    assert_int_equal(len, 8);
    free(bytes);
    assert_otter(0, "flash create f.bin --size 1M --force");
    free(bench_read("f.bin", &len));
    assert_int_equal(len, 1 << 20);
}

static void a_failed_replacement_leaves_the_old_flash(void **state)
{
    size_t len = 0;
    (void)state;
    make_flash();
    uint8_t *before = bench_read("f.bin", &len);
    assert_otter(1, "flash create f.bin --size 1M --force --app missing.bin");
    assert_int_equal(otter_on_full_disk(512 * 1024, "flash create f.bin --size 1M --force"), 1);
    assert_says(said.err, "cannot write f.bin");
    assert_flash_is(before, len);
    assert_int_equal(bench_count(), 2);
}

static void an_interrupted_creation_leaves_nothing(void **state)
{
    static const char script[] = "\"$0\" flash create f.bin --size 2G & "
                                 "until ls .otter-* >/dev/null 2>&1; do kill -0 $! || exit 1; done; "
                                 "kill -TERM $!; wait $!";
    const char *const words[] = {"sh", "-c", script, OTTER_CLI, NULL};
    (void)state;
    run_result_t result = run_program(words, NULL);
    int status = result.status;
    run_free(&result);
    assert_int_equal(status, 128 + SIGTERM);
    assert_int_equal(bench_count(), 0);
}

static void sizes_that_cannot_be_are_refused(void **state)
{
    (void)state;
    assert_otter(2, "flash create f.bin");
    assert_says(said.err, "--size");
    assert_otter(2, "flash create f.bin --size 1000000");
    assert_otter(2, "flash create f.bin --size 16K");
    assert_otter(1, "flash create f.bin --size 128K");
    assert_says(said.err, "too small");
    assert_otter(2, "flash create f.bin --size 1M --sector-size 5000");
    assert_otter(2, "flash create f.bin --size 1M --sector-size 512K");
    assert_int_equal(bench_count(), 0);
}

static void larger_sectors_get_a_layout_that_suits_them(void **state)
{
    static const char *const sectors[] = {"64K", "256K"};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        bench_app("app.bin", "1.0.0");
        assert_otter(0, "flash create f.bin --size 4M --force --app app.bin --sector-size %s", sectors[i]);
        assert_otter(0, "flash info f.bin --json --sector-size %s", sectors[i]);
        json_t *json = said_json();
        json_int_t sector = number(json, "sector_size");
        json_t *otadata = json_row(json, "partitions", "label", "otadata");
        assert_int_equal(number(otadata, "size"), 2 * sector);
        assert_int_equal(number(otadata, "offset") % sector, 0);
        assert_string_equal(json_string_value(json_at(json, "boot", "partition")), "ota_0");
        json_decref(json);
    }
    assert_otter(1, "flash info f.bin");
    assert_says(said.err, "--sector-size");
}

static void what_is_written_is_read_back(void **state)
{
    size_t len = 0;
    (void)state;
    make_flash();
    bench_app("new.bin", "2.0.0");
    uint8_t *wrote = bench_read("new.bin", &len);
    assert_otter(0, "flash write f.bin ota_1 new.bin");
    assert_otter(0, "flash read f.bin ota_1 --length %zu -o back.bin", len);
    size_t back_len = 0;
    uint8_t *back = bench_read("back.bin", &back_len);
    assert_int_equal(back_len, len);
    assert_memory_equal(back, wrote, len);
    free(back);
    free(wrote);
    json_t *json = info();
    assert_string_equal(json_text(json_row(json, "apps", "partition", "ota_1"), "version"), "2.0.0");
    assert_string_equal(json_string_value(json_at(json, "boot", "partition")), "ota_0");
    json_decref(json);
}

static void reading_without_a_length_reads_to_the_end_of_the_partition(void **state)
{
    size_t len = 0;
    (void)state;
    make_flash();
    assert_otter(0, "flash read f.bin nvs -o nvs.bin");
    uint8_t *bytes = bench_read("nvs.bin", &len);
    assert_int_equal(len, 0x5000);
    assert_true(all_ff(bytes, len));
    free(bytes);
    assert_otter(0, "flash read f.bin 0x8000 --length 2 -o -");
    assert_int_equal(said.out_len, 2);
    assert_memory_equal(said.out, "\xaa\x50", 2);
}

static void reading_over_the_end_is_refused(void **state)
{
    (void)state;
    make_flash();
    assert_otter(1, "flash read f.bin nvs --length 0x5001 -o out.bin");
    assert_says(said.err, "nvs");
    assert_otter(1, "flash read f.bin 1M -o out.bin");
    assert_otter(1, "flash read f.bin no_such -o out.bin");
    assert_says(said.err, "there are: nvs, otadata, ota_0, ota_1");
    assert_otter(2, "flash read f.bin nvs");
    assert_false(bench_exists("out.bin"));
}

static void reading_to_a_full_disk_leaves_the_old_file(void **state)
{
    size_t len = 0;
    (void)state;
    make_flash();
    bench_write_text("out.bin", "precious");
    assert_int_equal(otter_on_full_disk(4096, "flash read f.bin nvs -o out.bin"), 1);
    assert_says(said.err, "cannot write out.bin");
    uint8_t *bytes = bench_read("out.bin", &len);
    assert_int_equal(len, 8);
    free(bytes);
    assert_int_equal(bench_count(), 3);
    assert_otter(1, "flash read f.bin nvs -o /dev/full");
}

static void writing_erases_the_sectors_it_reaches_and_no_others(void **state)
{
    uint8_t zeros[0x5000] = {0};
    size_t len = 0;
    (void)state;
    make_flash();
    bench_write("zeros.bin", zeros, sizeof(zeros));
    assert_otter(0, "flash write f.bin nvs zeros.bin");
    memset(zeros, 0xa5, sizeof(zeros));
    bench_write("part.bin", zeros, 0x1001);
    assert_otter(0, "flash write f.bin 0xa000 part.bin");
    uint8_t *bytes = bench_read("f.bin", &len);
    assert_int_equal(bytes[0x9fff], 0);
    assert_memory_equal(bytes + 0xa000, zeros, 0x1001);
    assert_true(all_ff(bytes + 0xb001, 0xfff));
    assert_int_equal(bytes[0xc000], 0);
    free(bytes);
}

static void writing_over_the_end_of_a_partition_changes_nothing(void **state)
{
    static uint8_t many[0x5001];
    size_t len = 0;
    (void)state;
    make_flash();
    bench_write("many.bin", many, sizeof(many));
    uint8_t *before = bench_read("f.bin", &len);
    assert_otter(1, "flash write f.bin nvs many.bin");
    assert_says(said.err, "many.bin");
    assert_says(said.err, "nvs");
    assert_otter(1, "flash write f.bin 0xa000 many.bin");
    assert_otter(1, "flash write f.bin 0x7000 many.bin");
    assert_flash_is(before, len);
}

static void writing_off_a_sector_boundary_changes_nothing(void **state)
{
    size_t len = 0;
    (void)state;
    make_flash();
    bench_write_text("note.txt", "hello");
    uint8_t *before = bench_read("f.bin", &len);
    assert_otter(1, "flash write f.bin 0x9004 note.txt");
    assert_says(said.err, "sector size");
    assert_otter(1, "flash write f.bin nvs missing.txt");
    assert_otter(1, "flash write f.bin no_such note.txt");
    assert_flash_is(before, len);
}

static void erasing_a_partition_leaves_its_neighbours(void **state)
{
    size_t len = 0;
    (void)state;
    make_flash();
    bench_write_text("note.txt", "hello");
    assert_otter(0, "flash write f.bin nvs note.txt");
    assert_otter(0, "flash erase f.bin ota_0");
    uint8_t *bytes = bench_read("f.bin", &len);
    assert_true(all_ff(bytes + OTA_0, SLOT));
    assert_memory_equal(bytes + 0x9000, "hello", 5);
    assert_memory_equal(bytes + 0x8000, "\xaa\x50", 2);
    free(bytes);
}

static void erasing_all_leaves_nothing(void **state)
{
    size_t len = 0;
    (void)state;
    make_flash();
    assert_otter(0, "flash erase f.bin --all");
    uint8_t *bytes = bench_read("f.bin", &len);
    assert_int_equal(len, 1 << 20);
    assert_true(all_ff(bytes, len));
    free(bytes);
    assert_otter(1, "flash info f.bin");
    assert_says(said.err, "no usable partition table at 0x8000");
}

static void erasing_needs_exactly_one_target(void **state)
{
    (void)state;
    make_flash();
    assert_otter(2, "flash erase f.bin");
    assert_otter(2, "flash erase f.bin nvs --all");
    assert_otter(1, "flash erase f.bin 0x9004");
}

static void a_readonly_partition_needs_force(void **state)
{
    (void)state;
    bench_write_text("t.csv", "keys,data,0x80,,4K,readonly\nota_0,app,ota_0,,64K\n");
    bench_write_text("note.txt", "hello");
    assert_otter(0, "flash create f.bin --size 1M --ptable t.csv");
    assert_otter(1, "flash write f.bin keys note.txt");
    assert_says(said.err, "readonly");
    assert_otter(0, "flash write f.bin keys note.txt --force");
    assert_otter(1, "flash erase f.bin keys");
    assert_says(said.err, "readonly");
    assert_otter(0, "flash erase f.bin keys --force");
}

static void a_corrupted_partition_table_is_reported(void **state)
{
    (void)state;
    make_flash();
    bench_write_text("note.txt", "\xaa\x50 rubbish");
    assert_otter(0, "flash write f.bin 0x8000 note.txt");
    assert_otter(1, "flash info f.bin --json");
    assert_says(said.err, "f.bin: no usable partition table at 0x8000");
    assert_int_equal(said.out_len, 0);
    assert_otter(1, "flash write f.bin nvs note.txt");
    assert_says(said.err, "partition table");
}

static void names_on_flash_cannot_command_a_terminal(void **state)
{
    size_t len = 0;
    (void)state;
    make_flash();
    bench_write_text("t.csv", "evil_label,data,0x80,0x9000,4K\nota_0,app,ota_0,0x10000,64K\n");
    assert_otter(0, "ptable build t.csv -o t.bin --no-md5");
    uint8_t *table = bench_read("t.bin", &len);
    memcpy(table + 12, "\033[2Jx", 5);
    bench_write("t.bin", table, len);
    free(table);
    assert_otter(0, "flash write f.bin 0x8000 t.bin");
    assert_otter(0, "flash info f.bin");
    assert_null(strchr(said.out, '\033'));
    assert_says(said.out, "?[2Jx");
    assert_otter(1, "flash read f.bin nowhere -o -");
    assert_null(strchr(said.err, '\033'));
    assert_says(said.err, "?[2Jx");
}

static void what_is_no_flash_file_is_reported(void **state)
{
    (void)state;
    bench_write_text("short.bin", "hello");
    assert_otter(1, "flash info nowhere.bin");
    assert_says(said.err, "nowhere.bin does not exist");
    assert_otter(1, "flash info short.bin");
    assert_says(said.err, "short.bin is no flash file");
    assert_otter(1, "flash erase nowhere.bin --all");
    assert_false(bench_exists("nowhere.bin"));
}

static void a_writer_is_refused_while_the_flash_is_in_use(void **state)
{
    otter_flash_file_t holder;
    char in_use[64];
    size_t len = 0;
    (void)state;
    make_flash();
    uint8_t *before = bench_read("f.bin", &len);
    snprintf(in_use, sizeof(in_use), "f.bin is in use by pid %ld", (long)getpid());
    assert_err(otter_flash_file_open(&holder, "f.bin", 4096, OTTER_FLASH_FILE_WRITE), ESP_OK);
    assert_otter(1, "flash write f.bin nvs app.bin");
    assert_says(said.err, in_use);
    assert_otter(1, "flash erase f.bin --all");
    assert_says(said.err, in_use);
    assert_otter(1, "flash create f.bin --size 1M --force");
    assert_says(said.err, in_use);
    assert_otter(1, "ota switch f.bin ota_0");
    assert_says(said.err, in_use);
    otter_flash_file_close(&holder);
    assert_flash_is(before, len);
}

static void a_reader_is_told_that_the_flash_is_in_use(void **state)
{
    otter_flash_file_t holder;
    char in_use[64];
    (void)state;
    make_flash();
    snprintf(in_use, sizeof(in_use), "f.bin is in use by pid %ld", (long)getpid());
    assert_err(otter_flash_file_open(&holder, "f.bin", 4096, OTTER_FLASH_FILE_WRITE), ESP_OK);
    json_t *json = info();
    assert_says(said.err, in_use);
    json_decref(json);
    assert_otter(0, "flash read f.bin nvs -o nvs.bin");
    assert_says(said.err, in_use);
    otter_flash_file_close(&holder);
    json_decref(info());
    assert_int_equal(said.err_len, 0);
}

static void reading_changes_nothing(void **state)
{
    struct stat before;
    struct stat after;
    (void)state;
    make_flash();
    assert_int_equal(chmod("f.bin", 0444), 0);
    assert_int_equal(stat("f.bin", &before), 0);
    json_decref(info());
    assert_otter(0, "ota status f.bin");
    assert_int_equal(stat("f.bin", &after), 0);
    assert_int_equal(before.st_mtim.tv_sec, after.st_mtim.tv_sec);
    assert_int_equal(before.st_mtim.tv_nsec, after.st_mtim.tv_nsec);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown(a_new_flash_has_two_slots_and_boots_the_first, bench_enter, bench_leave),
    cmocka_unit_test_setup_teardown(a_new_flash_is_erased_but_for_table_and_app, bench_enter, bench_leave),
    cmocka_unit_test_setup_teardown(a_file_name_that_is_not_utf_8_is_shown_with_question_marks, bench_enter,
                                    bench_leave),
    cmocka_unit_test_setup_teardown(info_has_the_facts_of_each_app, bench_enter, bench_leave),
    cmocka_unit_test_setup_teardown(info_has_both_otadata_records, bench_enter, bench_leave),
    cmocka_unit_test_setup_teardown(info_shows_otadata_as_it_is_not_as_a_boot_would_leave_it, bench_enter, bench_leave),
    cmocka_unit_test_setup_teardown(a_record_with_a_wrong_crc_is_told, bench_enter, bench_leave),
    cmocka_unit_test_setup_teardown(people_get_tables_and_what_boots, bench_enter, bench_leave),
    cmocka_unit_test_setup_teardown(info_says_when_nothing_boots, bench_enter, bench_leave),
    cmocka_unit_test_setup_teardown(the_app_goes_to_the_factory_partition_if_there_is_one, bench_enter, bench_leave),
    cmocka_unit_test_setup_teardown(files_go_to_partitions_and_offsets, bench_enter, bench_leave),
    cmocka_unit_test_setup_teardown(files_that_overlap_are_refused, bench_enter, bench_leave),
    cmocka_unit_test_setup_teardown(a_write_that_makes_no_sense_is_refused, bench_enter, bench_leave),
    cmocka_unit_test_setup_teardown(an_app_for_another_chip_is_refused, bench_enter, bench_leave),
    cmocka_unit_test_setup_teardown(an_app_that_is_broken_is_refused, bench_enter, bench_leave),
    cmocka_unit_test_setup_teardown(an_app_larger_than_its_slot_is_refused, bench_enter, bench_leave),
    cmocka_unit_test_setup_teardown(an_existing_file_is_replaced_only_by_force, bench_enter, bench_leave),
    cmocka_unit_test_setup_teardown(a_failed_replacement_leaves_the_old_flash, bench_enter, bench_leave),
    cmocka_unit_test_setup_teardown(an_interrupted_creation_leaves_nothing, bench_enter, bench_leave),
    cmocka_unit_test_setup_teardown(sizes_that_cannot_be_are_refused, bench_enter, bench_leave),
    cmocka_unit_test_setup_teardown(larger_sectors_get_a_layout_that_suits_them, bench_enter, bench_leave),
    cmocka_unit_test_setup_teardown(what_is_written_is_read_back, bench_enter, bench_leave),
    cmocka_unit_test_setup_teardown(reading_without_a_length_reads_to_the_end_of_the_partition, bench_enter,
                                    bench_leave),
    cmocka_unit_test_setup_teardown(reading_over_the_end_is_refused, bench_enter, bench_leave),
    cmocka_unit_test_setup_teardown(reading_to_a_full_disk_leaves_the_old_file, bench_enter, bench_leave),
    cmocka_unit_test_setup_teardown(writing_erases_the_sectors_it_reaches_and_no_others, bench_enter, bench_leave),
    cmocka_unit_test_setup_teardown(writing_over_the_end_of_a_partition_changes_nothing, bench_enter, bench_leave),
    cmocka_unit_test_setup_teardown(writing_off_a_sector_boundary_changes_nothing, bench_enter, bench_leave),
    cmocka_unit_test_setup_teardown(erasing_a_partition_leaves_its_neighbours, bench_enter, bench_leave),
    cmocka_unit_test_setup_teardown(erasing_all_leaves_nothing, bench_enter, bench_leave),
    cmocka_unit_test_setup_teardown(erasing_needs_exactly_one_target, bench_enter, bench_leave),
    cmocka_unit_test_setup_teardown(a_readonly_partition_needs_force, bench_enter, bench_leave),
    cmocka_unit_test_setup_teardown(a_corrupted_partition_table_is_reported, bench_enter, bench_leave),
    cmocka_unit_test_setup_teardown(names_on_flash_cannot_command_a_terminal, bench_enter, bench_leave),
    cmocka_unit_test_setup_teardown(what_is_no_flash_file_is_reported, bench_enter, bench_leave),
    cmocka_unit_test_setup_teardown(a_writer_is_refused_while_the_flash_is_in_use, bench_enter, bench_leave),
    cmocka_unit_test_setup_teardown(a_reader_is_told_that_the_flash_is_in_use, bench_enter, bench_leave),
    cmocka_unit_test_setup_teardown(reading_changes_nothing, bench_enter, bench_leave),
};

TEST_MAIN(tests)
