/* SPDX-License-Identifier: Apache-2.0 */
/* Updates that are written to one partition and end up in another. */
#include <stdlib.h>

#include "tests/device/https_ota_fake.h"

#define STAGE_OFF   0x10000u /* What no partition of the bench covers. */
#define STAGE_BYTES 0xc000u
#define SMALL_OFF   0x1c000u
#define SMALL_BYTES 0x4000u

static const esp_partition_t *add(uint32_t off, uint32_t len, esp_partition_type_t type,
                                  esp_partition_subtype_t subtype)
{
    const esp_partition_t *added = NULL;
    assert_err(esp_partition_register_external(NULL, off, len, "added", type, subtype, &added), ESP_OK);
    return added;
}

static const esp_partition_t *add_stage(void)
{
    return add(STAGE_OFF, STAGE_BYTES, ESP_PARTITION_TYPE_DATA, ESP_PARTITION_SUBTYPE_DATA_UNDEFINED);
}

static const esp_partition_t *add_data(void)
{
    return add(SMALL_OFF, SMALL_BYTES, ESP_PARTITION_TYPE_DATA, ESP_PARTITION_SUBTYPE_DATA_SPIFFS);
}

static const esp_partition_t *slot(esp_partition_subtype_t subtype)
{
    const esp_partition_t *found = esp_partition_find_first(ESP_PARTITION_TYPE_APP, subtype, NULL);
    assert_non_null(found);
    return found;
}

static esp_err_t update_through(const esp_partition_t *staging, const esp_partition_t *final, bool copy)
{
    esp_http_client_config_t client = fake_client();
    esp_https_ota_config_t config = {
        .http_config = &client,
        .partition = {.staging = staging, .final = final, .finalize_with_copy = copy},
    };
    return esp_https_ota(&config);
}

/* 12000 bytes that are no image. */
static http_fake_exchange_t answer_data(uint8_t bytes[12000])
{
    uint32_t seed = 3;
    for (size_t i = 0; i < 12000; i++) {
        bytes[i] = (uint8_t)fixture_random(&seed);
    }
    return (http_fake_exchange_t){.body = bytes, .body_len = 12000};
}

/* ---- Apps ---- */

static void an_app_staged_in_a_data_partition_is_copied_to_its_slot_and_boots(void **state)
{
    bench_t *bench = *state;
    http_fake_exchange_t good = fake_good(bench);
    fake_answer(&good);
    assert_err(update_through(add_stage(), slot(ESP_PARTITION_SUBTYPE_APP_OTA_1), true), ESP_OK);
    bench_assert_switched(bench);
    size_t last = bench_await(ESP_HTTPS_OTA_FINISH) - 1;
    assert_int_equal(bench_event(last - 1).id, ESP_HTTPS_OTA_UPDATE_BOOT_PARTITION);
    assert_int_equal(bench_event(last - 1).number, ESP_PARTITION_SUBTYPE_APP_OTA_1);
}

/* It is verified where it was copied to, and believed when it is chosen. */
static void the_copy_is_read_once_and_not_again_for_the_switch(void **state)
{
    bench_t *bench = *state;
    http_fake_exchange_t good = fake_good(bench);
    fake_answer(&good);
    bench->middle_reads = 0;
    assert_err(update_through(add_stage(), slot(ESP_PARTITION_SUBTYPE_APP_OTA_1), true), ESP_OK);
    assert_int_equal(bench->middle_reads, 1);
}

static void a_copy_that_fails_switches_nothing_and_can_be_tried_again(void **state)
{
    bench_t *bench = *state;
    const esp_partition_t *stage = add_stage();
    http_fake_exchange_t good = fake_good(bench);
    fake_answer(&good);
    bench->fail_programs = 1;
    assert_err(update_through(stage, slot(ESP_PARTITION_SUBTYPE_APP_OTA_1), true), ESP_ERR_FLASH_OP_FAIL);
    assert_int_equal(bench->failed, 1);
    bench_assert_nothing_switched(bench);
    assert_memory_equal(bench->bytes + STAGE_OFF, bench->image, bench->image_len);
    fake_answer(&good);
    assert_err(update_through(stage, slot(ESP_PARTITION_SUBTYPE_APP_OTA_1), true), ESP_OK);
    bench_assert_switched(bench);
}

static void a_damaged_app_is_not_copied(void **state)
{
    bench_t *bench = *state;
    http_fake_exchange_t good = fake_good(bench);
    bench->image[14000] ^= 1;
    fake_answer(&good);
    assert_err(update_through(add_stage(), slot(ESP_PARTITION_SUBTYPE_APP_OTA_1), true), ESP_ERR_OTA_VALIDATE_FAILED);
    assert_int_equal(bench->slot_erases + bench->slot_programs, 0);
    bench_assert_nothing_switched(bench);
}

/* ESP-IDF would switch to a partition that is no slot. */
static void an_app_that_is_not_copied_from_a_data_partition_does_not_boot(void **state)
{
    bench_t *bench = *state;
    http_fake_exchange_t good = fake_good(bench);
    fake_answer(&good);
    assert_err(update_through(add_stage(), slot(ESP_PARTITION_SUBTYPE_APP_OTA_1), false), ESP_ERR_INVALID_ARG);
    assert_int_equal(bench->slot_erases + bench->slot_programs, 0);
    bench_assert_nothing_switched(bench);
}

static void an_app_larger_than_its_final_partition_is_refused_before_anything_is_erased(void **state)
{
    bench_t *bench = *state;
    const esp_partition_t *small =
        add(SMALL_OFF, SMALL_BYTES, ESP_PARTITION_TYPE_APP, ESP_PARTITION_SUBTYPE_APP_FACTORY);
    http_fake_exchange_t good = fake_good(bench);
    fake_answer(&good);
    assert_err(update_through(NULL, small, true), ESP_ERR_INVALID_SIZE);
    assert_int_equal(bench->slot_erases + bench->otadata_changes, 0);
}

static void a_factory_app_is_replaced_and_nothing_is_switched(void **state)
{
    bench_t *bench = *state;
    const esp_partition_t *factory =
        add(STAGE_OFF, STAGE_BYTES, ESP_PARTITION_TYPE_APP, ESP_PARTITION_SUBTYPE_APP_FACTORY);
    http_fake_exchange_t good = fake_good(bench);
    fake_answer(&good);
    assert_err(update_through(NULL, factory, true), ESP_OK);
    assert_memory_equal(bench->bytes + STAGE_OFF, bench->image, bench->image_len);
    bench_assert_nothing_switched(bench);
    size_t last = bench_await(ESP_HTTPS_OTA_FINISH) - 1;
    assert_int_equal(bench_event(last - 1).id, ESP_HTTPS_OTA_UPDATE_BOOT_PARTITION);
    assert_int_equal(bench_event(last - 1).number, ESP_PARTITION_SUBTYPE_APP_FACTORY);
}

static void the_running_app_is_no_final_partition(void **state)
{
    bench_t *bench = *state;
    http_fake_exchange_t good = fake_good(bench);
    fake_answer(&good);
    assert_err(update_through(NULL, slot(ESP_PARTITION_SUBTYPE_APP_OTA_0), true), ESP_ERR_OTA_PARTITION_CONFLICT);
    assert_int_equal(bench->slot_erases, 0);
    bench_assert_nothing_switched(bench);
}

/* ---- Data ---- */

static void data_is_staged_in_the_passive_slot_and_copied(void **state)
{
    bench_t *bench = *state;
    uint8_t bytes[12000];
    http_fake_exchange_t answer = answer_data(bytes);
    fake_answer(&answer);
    memset(bench->bytes + SMALL_OFF, 0x33, SMALL_BYTES);
    assert_err(update_through(NULL, add_data(), true), ESP_OK);
    assert_memory_equal(bench->bytes + SMALL_OFF, bytes, sizeof(bytes));
    for (uint32_t i = sizeof(bytes); i < SMALL_BYTES; i++) {
        assert_int_equal(bench->bytes[SMALL_OFF + i], 0xFF);
    }
    bench_assert_nothing_switched(bench);
}

static void data_is_written_to_its_partition_itself(void **state)
{
    bench_t *bench = *state;
    const esp_partition_t *data = add_data();
    uint8_t bytes[12000];
    http_fake_exchange_t answer = answer_data(bytes);
    fake_answer(&answer);
    assert_err(update_through(data, data, true), ESP_OK);
    assert_memory_equal(bench->bytes + SMALL_OFF, bytes, sizeof(bytes));
    assert_int_equal(bench->slot_erases + bench->otadata_changes, 0);
}

/* Nothing else than its length says whether data are whole. */
static void data_that_do_not_come_to_their_end_are_not_copied(void **state)
{
    bench_t *bench = *state;
    uint8_t bytes[12000];
    http_fake_exchange_t answer = answer_data(bytes);
    answer.break_at = 9000;
    answer.break_error = ESP_ERR_HTTP_INCOMPLETE_DATA;
    esp_http_client_config_t client = fake_client();
    esp_https_ota_config_t config = {.http_config = &client,
                                     .partition = {.final = add_data(), .finalize_with_copy = true}};
    esp_https_ota_handle_t handle = NULL;
    fake_answer(&answer);
    memcpy(bench->bytes + SMALL_OFF, "old data", 8);
    assert_err(esp_https_ota_begin(&config, &handle), ESP_OK);
    assert_int_not_equal(fake_download(handle), ESP_OK);
    assert_true(http_fake_seen()->breaks > 0);
    assert_int_not_equal(esp_https_ota_finish(handle), ESP_OK);
    assert_memory_equal(bench->bytes + SMALL_OFF, "old data", 8);
}

/* ---- What the device starts from ---- */

static void a_table_without_a_second_place_is_refused_and_stays(void **state)
{
    bench_t *bench = *state;
    const esp_partition_t *table = add(0x8000, ESP_PARTITION_TABLE_SIZE, ESP_PARTITION_TYPE_PARTITION_TABLE,
                                       ESP_PARTITION_SUBTYPE_PARTITION_TABLE_PRIMARY);
    uint8_t before[ESP_PARTITION_TABLE_SIZE];
    http_fake_exchange_t answer = {.body = before, .body_len = ESP_PARTITION_TABLE_MAX_LEN};
    memcpy(before, bench->bytes + 0x8000, sizeof(before));
    fake_answer(&answer);
    assert_err(update_through(NULL, table, true), ESP_ERR_NOT_SUPPORTED);
    fake_answer(&answer);
    assert_err(update_through(table, NULL, false), ESP_ERR_NOT_SUPPORTED);
    assert_memory_equal(before, bench->bytes + 0x8000, sizeof(before));
    assert_int_equal(bench->slot_erases, 0);
}

static void a_bootloader_without_a_recovery_one_is_refused_and_stays(void **state)
{
    bench_t *bench = *state;
    const esp_partition_t *boot =
        add(0, 0x8000, ESP_PARTITION_TYPE_BOOTLOADER, ESP_PARTITION_SUBTYPE_BOOTLOADER_PRIMARY);
    http_fake_exchange_t good = fake_good(bench);
    memcpy(bench->bytes, "boots", 5);
    fake_answer(&good);
    assert_err(update_through(NULL, boot, true), ESP_ERR_NOT_SUPPORTED);
    fake_answer(&good);
    assert_err(update_through(boot, NULL, false), ESP_ERR_NOT_SUPPORTED);
    assert_memory_equal(bench->bytes, "boots", 5);
    assert_int_equal(bench->slot_erases, 0);
}

static void otadata_is_no_final_partition(void **state)
{
    bench_t *bench = *state;
    const esp_partition_t *otadata =
        esp_partition_find_first(ESP_PARTITION_TYPE_DATA, ESP_PARTITION_SUBTYPE_DATA_OTA, NULL);
    uint8_t bytes[12000];
    http_fake_exchange_t answer = answer_data(bytes);
    answer.body_len = 64;
    fake_answer(&answer);
    assert_err(update_through(NULL, otadata, true), ESP_ERR_INVALID_ARG);
    assert_int_equal(bench->otadata_changes, 0);
    bench_assert_nothing_switched(bench);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown(an_app_staged_in_a_data_partition_is_copied_to_its_slot_and_boots, bench_setup,
                                    fake_teardown),
    cmocka_unit_test_setup_teardown(the_copy_is_read_once_and_not_again_for_the_switch, bench_setup, fake_teardown),
    cmocka_unit_test_setup_teardown(a_copy_that_fails_switches_nothing_and_can_be_tried_again, bench_setup,
                                    fake_teardown),
    cmocka_unit_test_setup_teardown(a_damaged_app_is_not_copied, bench_setup, fake_teardown),
    cmocka_unit_test_setup_teardown(an_app_that_is_not_copied_from_a_data_partition_does_not_boot, bench_setup,
                                    fake_teardown),
    cmocka_unit_test_setup_teardown(an_app_larger_than_its_final_partition_is_refused_before_anything_is_erased,
                                    bench_setup, fake_teardown),
    cmocka_unit_test_setup_teardown(a_factory_app_is_replaced_and_nothing_is_switched, bench_setup, fake_teardown),
    cmocka_unit_test_setup_teardown(the_running_app_is_no_final_partition, bench_setup, fake_teardown),
    cmocka_unit_test_setup_teardown(data_is_staged_in_the_passive_slot_and_copied, bench_setup, fake_teardown),
    cmocka_unit_test_setup_teardown(data_is_written_to_its_partition_itself, bench_setup, fake_teardown),
    cmocka_unit_test_setup_teardown(data_that_do_not_come_to_their_end_are_not_copied, bench_setup, fake_teardown),
    cmocka_unit_test_setup_teardown(a_table_without_a_second_place_is_refused_and_stays, bench_setup, fake_teardown),
    cmocka_unit_test_setup_teardown(a_bootloader_without_a_recovery_one_is_refused_and_stays, bench_setup,
                                    fake_teardown),
    cmocka_unit_test_setup_teardown(otadata_is_no_final_partition, bench_setup, fake_teardown),
};

TEST_MAIN(tests)
