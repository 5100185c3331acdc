/* SPDX-License-Identifier: Apache-2.0 */
/* Power cuts while an image is copied to where it belongs. */
#include <stdlib.h>

#include "core/ptable/ptable_spare.h"
#include "tests/device/ota_cut_bench.h"
#include "tests/support/image_fixture.h"
#include "tests/support/test.h"

static int open_cells(void **state)
{
    *state = ota_cut_open(false);
    return 0;
}

static int open_pages(void **state)
{
    *state = ota_cut_open(true);
    return 0;
}

static int close_bench(void **state)
{
    ota_cut_close(*state);
    return 0;
}

/* The cuts hit, and left both what was before and what comes after. */
static void check_tally(ota_cut_tally_t tally)
{
    assert_true(tally.cuts > 50);
    assert_true(tally.before > 0);
    assert_true(tally.after > 0);
}

/* True if a partition begins with these bytes. */
static bool begins_with(ota_cut_bench_t *bench, const esp_partition_t *partition, const uint8_t *bytes, size_t len)
{
    uint8_t *found = malloc(len);
    ota_cut_expect(bench, found != NULL && esp_partition_read(partition, 0, found, len) == ESP_OK, "cannot read");
    bool same = memcmp(found, bytes, len) == 0;
    free(found);
    return same;
}

/* Takes up what lies in a staging partition, and lets it be copied. */
static void copy_staged(ota_cut_bench_t *bench, const char *staging, const esp_partition_t *final, size_t len)
{
    esp_ota_handle_t handle = 0;
    ota_cut_expect(bench, esp_ota_resume(ota_cut_find(bench, staging), 0, len, &handle) == ESP_OK, "resume");
    ota_cut_expect(bench, esp_ota_set_final_partition(handle, final, true) == ESP_OK, "set final");
    ota_cut_expect(bench, esp_ota_end(handle) == ESP_OK, "what was staged is not whole any more");
}

/* ---- An app ---- */

static uint8_t *app_2_0;
static size_t app_2_0_len;

static ota_cut_next_t copy_app(ota_cut_bench_t *bench, bool *changed)
{
    *changed = strcmp(bench->boot.desc.version, "2.0") == 0;
    if (*changed) {
        ota_cut_expect(bench, esp_ota_mark_app_valid_cancel_rollback() == ESP_OK, "confirm");
        return OTA_CUT_DONE;
    }
    ota_cut_expect(bench, strcmp(bench->boot.desc.version, "1.0") == 0, "a version runs that was not chosen");
    ota_cut_expect(bench, begins_with(bench, ota_cut_find(bench, "stage"), app_2_0, app_2_0_len), "staging changed");
    copy_staged(bench, "stage", ota_cut_find(bench, "ota_1"), app_2_0_len);
    ota_cut_expect(bench, esp_ota_set_boot_partition(ota_cut_find(bench, "ota_1")) == ESP_OK, "switch");
    return OTA_CUT_RESTART;
}

/* Version 2.0, once it starts, is unconfirmed: a cut before it confirms goes back to 1.0, which copies again. */
static void check_app_copy(ota_cut_bench_t *bench)
{
    fixture_image_t spec = FIXTURE_IMAGE("fixture", "2.0");
    app_2_0 = fixture_image(&spec, &app_2_0_len);
    ota_cut_put(bench, "stage", app_2_0, app_2_0_len);
    check_tally(ota_cut_everywhere(bench, copy_app));
    free(app_2_0);
}

static void an_app_copy_that_is_cut_is_completed_from_staging(void **state)
{
    check_app_copy(*state);
}

static void an_app_copy_that_is_cut_in_the_page_cache_is_completed_from_staging(void **state)
{
    check_app_copy(*state);
}

/* ---- Data ---- */

static uint8_t data[6000];

static ota_cut_next_t copy_data(ota_cut_bench_t *bench, bool *changed)
{
    const esp_partition_t *final = ota_cut_find(bench, "data");
    ota_cut_expect(bench, begins_with(bench, ota_cut_find(bench, "stage"), data, sizeof(data)), "staging changed");
    *changed = begins_with(bench, final, data, sizeof(data));
    copy_staged(bench, "stage", final, sizeof(data));
    ota_cut_expect(bench, begins_with(bench, final, data, sizeof(data)), "the copy is not what was staged");
    return OTA_CUT_DONE;
}

static void a_data_copy_that_is_cut_is_completed_from_staging(void **state)
{
    uint32_t seed = 5;
    for (size_t i = 0; i < sizeof(data); i++) {
        data[i] = (uint8_t)fixture_random(&seed);
    }
    ota_cut_put(*state, "stage", data, sizeof(data));
    ota_cut_put(*state, "data", "old", 3);
    check_tally(ota_cut_everywhere(*state, copy_data));
}

/* ---- Bootloader ---- */

static uint8_t *bootloader;
static size_t bootloader_len;

static bool verifies(const esp_partition_t *partition)
{
    esp_image_metadata_t found;
    esp_partition_pos_t pos = {.offset = partition->address, .size = partition->size};
    return esp_image_verify(ESP_IMAGE_VERIFY_SILENT, &pos, &found) == ESP_OK;
}

static ota_cut_next_t copy_bootloader(ota_cut_bench_t *bench, bool *changed)
{
    const esp_partition_t *primary = NULL;
    esp_err_t err = esp_partition_register_external(NULL, 0, 0x2000, "boot", ESP_PARTITION_TYPE_BOOTLOADER,
                                                    ESP_PARTITION_SUBTYPE_BOOTLOADER_PRIMARY, &primary);
    ota_cut_expect(bench, err == ESP_OK, "register");
    ota_cut_expect(bench, verifies(primary) || verifies(ota_cut_find(bench, "boot2")), "no bootloader is left");
    *changed = begins_with(bench, primary, bootloader, bootloader_len);
    copy_staged(bench, "stage", primary, bootloader_len);
    ota_cut_expect(bench, begins_with(bench, primary, bootloader, bootloader_len), "the copy is not what was staged");
    return OTA_CUT_DONE;
}

static void a_bootloader_copy_that_is_cut_leaves_one_that_starts(void **state)
{
    ota_cut_bench_t *bench = *state;
    fixture_image_t spec = FIXTURE_IMAGE("boot", "1");
    spec.no_desc = true;
    bootloader = fixture_image(&spec, &bootloader_len);
    ota_cut_put(bench, "boot2", bootloader, bootloader_len);
    memcpy(bench->bytes, bootloader, bootloader_len);
    free(bootloader);
    spec.seed = 9;
    bootloader = fixture_image(&spec, &bootloader_len);
    ota_cut_put(bench, "stage", bootloader, bootloader_len);
    check_tally(ota_cut_everywhere(bench, copy_bootloader));
    free(bootloader);
}

/* ---- Partition table ---- */

static uint8_t old_table[PTABLE_BYTES];
static uint8_t new_table[PTABLE_BYTES];
static const char *table_staging;

/* The table that the device works with is the old or the new one, and its place says the same, however often it is read. */
static void check_table(ota_cut_bench_t *bench, bool *changed)
{
    uint8_t used[PTABLE_BYTES];
    uint8_t found[PTABLE_BYTES];
    ota_cut_expect(bench, ptable_build(&bench->boot.table, true, used) == PTABLE_OK, "build");
    *changed = memcmp(used, new_table, sizeof(used)) == 0;
    ota_cut_expect(bench, *changed || memcmp(used, old_table, sizeof(used)) == 0, "neither the old nor the new table");
    for (int read = 0; read < 4; read++) {
        ota_cut_expect(bench, otter_flash_read(bench->flash, OTA_CUT_TABLE_OFF, found, sizeof(found)) == ESP_OK,
                       "read");
        ota_cut_expect(bench, memcmp(found, used, sizeof(used)) == 0, "the table's place says something else");
    }
}

/* What reads as a mark, now or later, is one of the table in use: no later start replaces that by another. */
static void check_spare(ota_cut_bench_t *bench, bool changed)
{
    uint8_t spare[PTABLE_SPARE_BYTES];
    ptable_t marked;
    const esp_partition_t *place = ota_cut_find(bench, "table2");
    for (int read = 0; read < 8; read++) {
        ota_cut_expect(bench, esp_partition_read(place, 0, spare, sizeof(spare)) == ESP_OK, "read");
        bool counts = ptable_is_marked(spare, place->address, OTA_CUT_TABLE_OFF, OTA_CUT_BYTES, &marked);
        ota_cut_expect(bench, !counts || changed, "a table that is not in use has a mark");
    }
}

static ota_cut_next_t replace_table(ota_cut_bench_t *bench, bool *changed)
{
    check_table(bench, changed);
    check_spare(bench, *changed);
    if (*changed) {
        return OTA_CUT_DONE;
    }
    const esp_partition_t *primary = NULL;
    esp_err_t err = esp_partition_register_external(NULL, OTA_CUT_TABLE_OFF, ESP_PARTITION_TABLE_SIZE, "table",
                                                    ESP_PARTITION_TYPE_PARTITION_TABLE,
                                                    ESP_PARTITION_SUBTYPE_PARTITION_TABLE_PRIMARY, &primary);
    ota_cut_expect(bench, err == ESP_OK, "register");
    esp_ota_handle_t handle = 0;
    err = esp_ota_begin(ota_cut_find(bench, table_staging), OTA_WITH_SEQUENTIAL_WRITES, &handle);
    ota_cut_expect(bench, err == ESP_OK, "begin");
    ota_cut_expect(bench, esp_ota_set_final_partition(handle, primary, true) == ESP_OK, "set final");
    ota_cut_expect(bench, esp_ota_write(handle, new_table, sizeof(new_table)) == ESP_OK, "write");
    ota_cut_expect(bench, esp_ota_end(handle) == ESP_OK, "end");
    return OTA_CUT_RESTART;
}

static void check_replacement(ota_cut_bench_t *bench, const char *staging)
{
    ptable_t next = bench->table;
    next.partition[next.count++] = (ptable_partition_t){
        .type = PART_TYPE_DATA, .subtype = 0x83, .offset = 0x24000, .size = 0x1000, .label = "extra"};
    assert_int_equal(ptable_build(&next, true, new_table), PTABLE_OK);
    memcpy(old_table, bench->bytes + OTA_CUT_TABLE_OFF, sizeof(old_table));
    table_staging = staging;
    check_tally(ota_cut_everywhere(bench, replace_table));
}

static void a_table_replacement_that_is_cut_leaves_the_old_or_the_new_table(void **state)
{
    check_replacement(*state, "stage");
}

static void a_table_replacement_from_its_second_place_leaves_the_old_or_the_new_table(void **state)
{
    check_replacement(*state, "table2");
}

static void a_table_replacement_that_is_cut_in_the_page_cache_leaves_the_old_or_the_new_table(void **state)
{
    check_replacement(*state, "stage");
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown(an_app_copy_that_is_cut_is_completed_from_staging, open_cells, close_bench),
    cmocka_unit_test_setup_teardown(an_app_copy_that_is_cut_in_the_page_cache_is_completed_from_staging, open_pages,
                                    close_bench),
    cmocka_unit_test_setup_teardown(a_data_copy_that_is_cut_is_completed_from_staging, open_cells, close_bench),
    cmocka_unit_test_setup_teardown(a_bootloader_copy_that_is_cut_leaves_one_that_starts, open_cells, close_bench),
    cmocka_unit_test_setup_teardown(a_table_replacement_that_is_cut_leaves_the_old_or_the_new_table, open_cells,
                                    close_bench),
    cmocka_unit_test_setup_teardown(a_table_replacement_from_its_second_place_leaves_the_old_or_the_new_table,
                                    open_cells, close_bench),
    cmocka_unit_test_setup_teardown(a_table_replacement_that_is_cut_in_the_page_cache_leaves_the_old_or_the_new_table,
                                    open_pages, close_bench),
};

TEST_MAIN(tests)
