/* SPDX-License-Identifier: Apache-2.0 */
/* Who boots: choosing, confirming, going back. */
#include <stdlib.h>

#include "boot/boot.h"
#include "tests/device/device_fixture.h"
#include "tests/support/image_fixture.h"
#include "tests/support/test.h"

static int open_device(void **state)
{
    device_t *device = device_open(&(device_spec_t){.running = "factory"});
    device_put_app(device, "factory", "1.0");
    device_put_app(device, "ota_0", "2.0");
    device_put_app(device, "ota_1", "3.0");
    *state = device;
    return 0;
}

static int open_no_factory(void **state)
{
    device_t *device = device_open(&(device_spec_t){.running = "ota_0", .no_factory = true});
    device_put_app(device, "ota_0", "2.0");
    device_put_app(device, "ota_1", "3.0");
    *state = device;
    return 0;
}

static int open_no_otadata(void **state)
{
    device_t *device = device_open(&(device_spec_t){.running = "factory", .no_otadata = true});
    device_put_app(device, "ota_0", "2.0");
    *state = device;
    return 0;
}

static int open_three_slots(void **state)
{
    device_t *device = device_open(&(device_spec_t){.running = "factory", .slots = 3});
    for (int i = 0; i < 3; i++) {
        char label[8];
        snprintf(label, sizeof(label), "ota_%d", i);
        device_put_app(device, label, "2.0");
    }
    *state = device;
    return 0;
}

static int close_device(void **state)
{
    device_close(*state);
    return 0;
}

static void corrupt(device_t *device, const char *label)
{
    device->bytes[device_partition(label)->address + 0x150] ^= 1;
}

static void assert_record(const device_t *device, uint32_t sector, uint32_t seq, uint32_t expected_state)
{
    otadata_record_t record = device_record(device, sector);
    assert_true(record.good);
    assert_int_equal(record.seq, seq);
    assert_int_equal(record.state, expected_state);
}

static esp_ota_img_states_t state_of(const char *label)
{
    esp_ota_img_states_t found = ESP_OTA_IMG_NEW;
    assert_err(esp_ota_get_state_partition(device_partition(label), &found), ESP_OK);
    return found;
}

/* ---- Where am I? ---- */

static void the_running_partition_is_the_one_the_device_says(void **state)
{
    device_t *device = *state;
    assert_ptr_equal(esp_ota_get_running_partition(), device_partition("factory"));
    device_run(device, "ota_1");
    assert_ptr_equal(esp_ota_get_running_partition(), device_partition("ota_1"));
    device_run(device, NULL);
    assert_null(esp_ota_get_running_partition());
}

static void the_next_update_goes_round_the_slots(void **state)
{
    device_t *device = *state;
    const esp_partition_t *ota_0 = device_partition("ota_0");
    const esp_partition_t *ota_1 = device_partition("ota_1");
    assert_ptr_equal(esp_ota_get_next_update_partition(NULL), ota_0);
    assert_ptr_equal(esp_ota_get_next_update_partition(device_partition("factory")), ota_0);
    assert_ptr_equal(esp_ota_get_next_update_partition(ota_0), ota_1);
    assert_ptr_equal(esp_ota_get_next_update_partition(ota_1), ota_0);
    device_run(device, "ota_0");
    assert_ptr_equal(esp_ota_get_next_update_partition(NULL), device_partition("ota_1"));
}

static void a_start_that_is_not_listed_has_no_next(void **state)
{
    (void)state;
    esp_partition_t moved = *device_partition("ota_0");
    moved.address += moved.erase_size;
    assert_null(esp_ota_get_next_update_partition(&moved));
}

static void when_nothing_runs_the_next_update_spares_what_would_boot(void **state)
{
    device_t *device = *state;
    device_put_record(device, 0, 1, ESP_OTA_IMG_VALID);
    device_run(device, NULL);
    assert_ptr_equal(esp_ota_get_next_update_partition(NULL), device_partition("ota_1"));
}

static void slots_are_counted_as_the_bootloader_counts_them(void **state)
{
    (void)state;
    assert_int_equal(esp_ota_get_app_partition_count(), 3);
}

/* ---- Choosing ---- */

static void switching_writes_the_records_that_esp_idf_writes(void **state)
{
    device_t *device = *state;
    assert_err(esp_ota_set_boot_partition(device_partition("ota_0")), ESP_OK);
    assert_record(device, 0, 1, ESP_OTA_IMG_NEW);
    device_put_record(device, 0, 1, ESP_OTA_IMG_VALID);
    device_run(device, "ota_0");
    assert_err(esp_ota_set_boot_partition(device_partition("ota_1")), ESP_OK);
    assert_record(device, 0, 1, ESP_OTA_IMG_VALID);
    assert_record(device, 1, 2, ESP_OTA_IMG_NEW);
    assert_ptr_equal(esp_ota_get_boot_partition(), device_partition("ota_1"));
    device_put_record(device, 1, 2, ESP_OTA_IMG_VALID);
    device_run(device, "ota_1");
    assert_err(esp_ota_set_boot_partition(device_partition("ota_0")), ESP_OK);
    assert_record(device, 0, 3, ESP_OTA_IMG_NEW);
    assert_record(device, 1, 2, ESP_OTA_IMG_VALID);
}

static void without_rollback_a_switch_records_no_state(void **state)
{
    device_t *device = *state;
    device->config.config.rollback = false;
    device_run(device, "factory");
    assert_err(esp_ota_set_boot_partition(device_partition("ota_1")), ESP_OK);
    assert_record(device, 0, 2, ESP_OTA_IMG_UNDEFINED);
}

static void switching_to_factory_clears_otadata(void **state)
{
    device_t *device = *state;
    device_put_record(device, 0, 1, ESP_OTA_IMG_VALID);
    device_put_record(device, 1, 2, ESP_OTA_IMG_VALID);
    device_run(device, "ota_1");
    assert_err(esp_ota_set_boot_partition(device_partition("factory")), ESP_OK);
    assert_true(device_record(device, 0).blank);
    assert_true(device_record(device, 1).blank);
    assert_ptr_equal(esp_ota_get_boot_partition(), device_partition("factory"));
}

static void a_switch_ends_with_a_sync(void **state)
{
    device_t *device = *state;
    device_clear_events(device);
    assert_err(esp_ota_set_boot_partition(device_partition("ota_0")), ESP_OK);
    assert_true(device->recorder.count >= 2);
    assert_int_equal(device->recorder.event[device->recorder.count - 1].kind, FLASH_SYNC);
}

static void what_does_not_verify_is_not_chosen(void **state)
{
    device_t *device = *state;
    corrupt(device, "ota_0");
    assert_err(esp_ota_set_boot_partition(device_partition("ota_0")), ESP_ERR_OTA_VALIDATE_FAILED);
    assert_err(esp_ota_set_boot_partition(device_partition("storage")), ESP_ERR_OTA_VALIDATE_FAILED);
    assert_err(esp_ota_set_boot_partition(NULL), ESP_ERR_INVALID_ARG);
    assert_int_equal(device->recorder.count, 0);
}

static void the_test_app_is_not_chosen_by_otadata(void **state)
{
    device_t *device = *state;
    device_put_app(device, "test", "9.0");
    assert_err(esp_ota_set_boot_partition(device_partition("test")), ESP_ERR_INVALID_ARG);
    assert_err(esp_ota_set_boot_partition_skip_validate(device_partition("storage")), ESP_ERR_INVALID_ARG);
    assert_int_equal(device->recorder.count, 0);
}

static void without_otadata_nothing_is_chosen(void **state)
{
    (void)state;
    esp_ota_img_states_t found = ESP_OTA_IMG_NEW;
    assert_err(esp_ota_set_boot_partition(device_partition("ota_0")), ESP_ERR_NOT_FOUND);
    assert_null(esp_ota_get_boot_partition());
    assert_err(esp_ota_mark_app_valid_cancel_rollback(), ESP_ERR_NOT_FOUND);
    assert_err(esp_ota_mark_app_invalid_rollback(), ESP_ERR_NOT_FOUND);
    assert_err(esp_ota_get_state_partition(device_partition("ota_0"), &found), ESP_ERR_NOT_FOUND);
    assert_false(esp_ota_check_rollback_is_possible());
    assert_err(esp_ota_erase_last_boot_app_partition(), ESP_FAIL);
}

static void a_failed_write_of_otadata_is_reported(void **state)
{
    device_t *device = *state;
    device->recorder.fail_program = 1;
    assert_err(esp_ota_set_boot_partition(device_partition("ota_0")), ESP_ERR_FLASH_OP_FAIL);
    assert_int_equal(device->recorder.failures_done, 1);
}

static void with_three_slots_the_running_apps_record_survives_a_switch(void **state)
{
    device_t *device = *state;
    device_put_record(device, 0, 5, ESP_OTA_IMG_VALID); /* ota_1, which did not boot. */
    device_put_record(device, 1, 3, ESP_OTA_IMG_VALID); /* ota_2, which runs. */
    corrupt(device, "ota_1");
    device_run(device, "ota_2");
    assert_err(esp_ota_set_boot_partition(device_partition("ota_0")), ESP_OK);
    assert_int_equal(state_of("ota_2"), ESP_OTA_IMG_VALID);
    assert_record(device, 0, 7, ESP_OTA_IMG_NEW);
}

static void without_a_choice_factory_then_the_lowest_slot_boots(void **state)
{
    (void)state;
    assert_ptr_equal(esp_ota_get_boot_partition(), device_partition("ota_0"));
}

/* ---- One verification ---- */

static void install(const char *label)
{
    fixture_image_t spec = FIXTURE_IMAGE("fixture", "8.0");
    size_t len = 0;
    uint8_t *image = fixture_image(&spec, &len);
    esp_ota_handle_t handle = 0;
    assert_err(esp_ota_begin(device_partition(label), 0, &handle), ESP_OK);
    assert_err(esp_ota_write(handle, image, len), ESP_OK);
    assert_err(esp_ota_end(handle), ESP_OK);
    free(image);
}

static void a_second_update_before_the_restart_keeps_the_way_back(void **state)
{
    device_t *device = *state;
    device_put_record(device, 0, 1, ESP_OTA_IMG_VALID);
    device_run(device, "ota_0");
    for (int i = 0; i < 2; i++) {
        install("ota_1");
        assert_err(esp_ota_set_boot_partition(device_partition("ota_1")), ESP_OK);
        assert_record(device, 0, 1, ESP_OTA_IMG_VALID);
        assert_record(device, 1, 2, ESP_OTA_IMG_NEW);
    }
}

/* ---- Flash that stops working ---- */

/* Slot that the bootloader would start now. */
static int slot_that_boots(device_t *device)
{
    boot_env_t env = {.flash = device->config.flash, .config = &device->config.config, .dry_run = true};
    boot_result_t *result = calloc(1, sizeof(*result));
    assert_non_null(result);
    assert_err(boot_choose(&env, result), ESP_OK);
    int slot = result->slot;
    free(result);
    return slot;
}

/* A whole update of ota_1; stops at the first error. */
static esp_err_t try_update(const uint8_t *image, size_t len)
{
    esp_ota_handle_t handle = 0;
    esp_err_t err = esp_ota_begin(device_partition("ota_1"), OTA_WITH_SEQUENTIAL_WRITES, &handle);
    if (err != ESP_OK) {
        return err;
    }
    err = esp_ota_write(handle, image, len);
    if (err != ESP_OK) {
        assert_err(esp_ota_abort(handle), ESP_OK);
        return err;
    }
    err = esp_ota_end(handle);
    return err == ESP_OK ? esp_ota_set_boot_partition(device_partition("ota_1")) : err;
}

/* The flash fails for good at one operation after the other: what fails is reported, and a valid app boots. */
static void whatever_operation_fails_a_valid_app_boots(void **state)
{
    device_t *device = *state;
    fixture_image_t spec = FIXTURE_IMAGE("fixture", "8.0");
    size_t len = 0;
    uint8_t *image = fixture_image(&spec, &len);
    uint32_t failed_runs = 0;
    esp_err_t err = ESP_FAIL;
    for (uint32_t after = 0; err != ESP_OK; after++) {
        device_put_record(device, 0, 1, ESP_OTA_IMG_VALID);
        device_put_record(device, 1, 2, ESP_OTA_IMG_INVALID); /* An earlier ota_1, to be forgotten. */
        device_run(device, "ota_0");
        device->recorder.cut_armed = true;
        device->recorder.cut_after = after;
        device->recorder.failures_done = 0;
        err = try_update(image, len);
        device->recorder.cut_armed = false;
        bool cut = device->recorder.failures_done > 0;
        assert_int_equal(err != ESP_OK, cut);
        failed_runs += cut ? 1 : 0;
        int slot = slot_that_boots(device);
        assert_true(slot == 0 || slot == 1);
        assert_true(err != ESP_OK || slot == 1);
    }
    /* Forget (erase, sync), erase, write, sync, switch (erase, program, sync). */
    assert_true(failed_runs >= 7);
    free(image);
}

static uint64_t switch_and_count_reads(device_t *device, const char *label, esp_err_t expected)
{
    uint64_t before = device->recorder.read_bytes;
    assert_err(esp_ota_set_boot_partition(device_partition(label)), expected);
    return device->recorder.read_bytes - before;
}

static void an_image_just_verified_is_not_read_again_to_be_chosen(void **state)
{
    device_t *device = *state;
    install("ota_0");
    assert_true(switch_and_count_reads(device, "ota_0", ESP_OK) < 256);
    assert_true(switch_and_count_reads(device, "ota_1", ESP_OK) > 1024);
}

static void a_write_after_verification_makes_it_be_verified_again(void **state)
{
    device_t *device = *state;
    const esp_partition_t *ota_0 = device_partition("ota_0");
    install("ota_0");
    assert_err(esp_partition_write(ota_0, 0x150, "\0\0\0\0", 4), ESP_OK);
    assert_true(switch_and_count_reads(device, "ota_0", ESP_ERR_OTA_VALIDATE_FAILED) > 256);
}

static void a_verification_of_another_app_in_between_does_not_hide_a_write(void **state)
{
    device_t *device = *state;
    corrupt(device, "ota_1");
    install("ota_0");
    assert_err(esp_ota_set_boot_partition(device_partition("ota_1")), ESP_ERR_OTA_VALIDATE_FAILED);
    assert_err(esp_partition_write(device_partition("ota_0"), 0x150, "\0\0\0\0", 4), ESP_OK);
    assert_err(esp_ota_set_boot_partition(device_partition("ota_0")), ESP_ERR_OTA_VALIDATE_FAILED);
}

static void an_erase_after_verification_makes_it_be_verified_again(void **state)
{
    device_t *device = *state;
    const esp_partition_t *ota_0 = device_partition("ota_0");
    install("ota_0");
    assert_err(esp_partition_erase_range(ota_0, 0, ota_0->erase_size), ESP_OK);
    assert_err(esp_ota_set_boot_partition(ota_0), ESP_ERR_OTA_VALIDATE_FAILED);
    (void)device;
}

static void a_write_elsewhere_keeps_the_verification(void **state)
{
    device_t *device = *state;
    install("ota_0");
    assert_err(esp_partition_write(device_partition("storage"), 0, "x", 1), ESP_OK);
    assert_true(switch_and_count_reads(device, "ota_0", ESP_OK) < 256);
}

static void a_restart_forgets_the_verification(void **state)
{
    device_t *device = *state;
    install("ota_0");
    device_run(device, "factory");
    assert_true(switch_and_count_reads(device, "ota_0", ESP_OK) > 1024);
}

/* ---- Confirming ---- */

static void confirming_makes_the_running_record_valid_once(void **state)
{
    device_t *device = *state;
    device_put_record(device, 0, 1, ESP_OTA_IMG_PENDING_VERIFY);
    device_run(device, "ota_0");
    assert_err(esp_ota_mark_app_valid_cancel_rollback(), ESP_OK);
    assert_int_equal(state_of("ota_0"), ESP_OTA_IMG_VALID);
    device_clear_events(device);
    assert_err(esp_ota_mark_app_valid_cancel_rollback(), ESP_OK);
    assert_int_equal(device->recorder.count, 0);
}

static void confirming_acts_on_the_running_slot_not_on_the_active_record(void **state)
{
    device_t *device = *state;
    device_put_record(device, 0, 1, ESP_OTA_IMG_PENDING_VERIFY); /* ota_0 runs. */
    device_put_record(device, 1, 2, ESP_OTA_IMG_NEW);            /* ota_1 is chosen next. */
    device_run(device, "ota_0");
    assert_err(esp_ota_mark_app_valid_cancel_rollback(), ESP_OK);
    assert_int_equal(state_of("ota_0"), ESP_OTA_IMG_VALID);
    assert_int_equal(state_of("ota_1"), ESP_OTA_IMG_NEW);
}

static void the_factory_app_has_nothing_to_confirm(void **state)
{
    device_t *device = *state;
    assert_err(esp_ota_mark_app_valid_cancel_rollback(), ESP_FAIL);
    assert_err(esp_ota_mark_app_invalid_rollback(), ESP_FAIL);
    assert_int_equal(device->recorder.count, 0);
}

/* ---- Going back ---- */

static void a_refused_app_becomes_invalid_and_is_the_last_invalid_one(void **state)
{
    device_t *device = *state;
    device_put_record(device, 0, 1, ESP_OTA_IMG_PENDING_VERIFY);
    device_run(device, "ota_0");
    assert_true(esp_ota_check_rollback_is_possible());
    assert_err(esp_ota_mark_app_invalid_rollback(), ESP_OK);
    assert_int_equal(state_of("ota_0"), ESP_OTA_IMG_INVALID);
    assert_ptr_equal(esp_ota_get_boot_partition(), device_partition("factory"));
    device_run(device, "factory");
    assert_ptr_equal(esp_ota_get_last_invalid_partition(), device_partition("ota_0"));
    assert_ptr_equal(esp_ota_get_next_update_partition(NULL), device_partition("ota_0"));
}

static void refusing_acts_on_the_running_slot(void **state)
{
    device_t *device = *state;
    device_put_record(device, 0, 3, ESP_OTA_IMG_VALID); /* ota_0 did not verify at boot. */
    device_put_record(device, 1, 2, ESP_OTA_IMG_VALID); /* ota_1 runs. */
    corrupt(device, "ota_0");
    device_run(device, "ota_1");
    assert_err(esp_ota_mark_app_invalid_rollback(), ESP_OK);
    assert_int_equal(state_of("ota_1"), ESP_OTA_IMG_INVALID);
    assert_int_equal(state_of("ota_0"), ESP_OTA_IMG_VALID);
}

static void factory_is_tried_when_the_other_app_does_not_verify(void **state)
{
    device_t *device = *state;
    device_put_record(device, 0, 1, ESP_OTA_IMG_VALID);
    device_put_record(device, 1, 2, ESP_OTA_IMG_PENDING_VERIFY);
    corrupt(device, "ota_0");
    device_run(device, "ota_1");
    assert_true(esp_ota_check_rollback_is_possible());
    corrupt(device, "factory");
    assert_false(esp_ota_check_rollback_is_possible());
}

static void an_app_without_a_way_back_cannot_refuse_itself(void **state)
{
    device_t *device = *state;
    device_put_record(device, 0, 1, ESP_OTA_IMG_PENDING_VERIFY);
    device_put_record(device, 1, 2, ESP_OTA_IMG_INVALID);
    corrupt(device, "ota_1");
    device_run(device, "ota_0");
    assert_err(esp_ota_mark_app_invalid_rollback(), ESP_ERR_OTA_ROLLBACK_FAILED);
    assert_err(esp_ota_mark_app_invalid_rollback_and_reboot(), ESP_ERR_OTA_ROLLBACK_FAILED);
    assert_int_equal(state_of("ota_0"), ESP_OTA_IMG_PENDING_VERIFY);
    assert_int_equal(device->recorder.count, 0);
}

static void of_two_refused_apps_the_older_record_is_the_last_invalid_one(void **state)
{
    device_t *device = *state;
    device_put_record(device, 0, 3, ESP_OTA_IMG_INVALID);
    device_put_record(device, 1, 2, ESP_OTA_IMG_ABORTED);
    assert_ptr_equal(esp_ota_get_last_invalid_partition(), device_partition("ota_1"));
    corrupt(device, "ota_1");
    assert_null(esp_ota_get_last_invalid_partition());
}

static void state_errors_are_those_of_esp_idf(void **state)
{
    device_t *device = *state;
    esp_ota_img_states_t found = ESP_OTA_IMG_NEW;
    assert_err(esp_ota_get_state_partition(NULL, &found), ESP_ERR_INVALID_ARG);
    assert_err(esp_ota_get_state_partition(device_partition("ota_0"), NULL), ESP_ERR_INVALID_ARG);
    assert_err(esp_ota_get_state_partition(device_partition("factory"), &found), ESP_ERR_NOT_SUPPORTED);
    assert_err(esp_ota_get_state_partition(device_partition("storage"), &found), ESP_ERR_NOT_SUPPORTED);
    assert_err(esp_ota_get_state_partition(device_partition("ota_0"), &found), ESP_ERR_NOT_FOUND);
    (void)device;
}

/* ---- Forgetting the other app ---- */

static void the_last_booted_app_is_erased_with_its_record(void **state)
{
    device_t *device = *state;
    const esp_partition_t *ota_0 = device_partition("ota_0");
    uint32_t address = ota_0->address;
    device_put_record(device, 0, 1, ESP_OTA_IMG_VALID);
    device_put_record(device, 1, 2, ESP_OTA_IMG_VALID);
    device_run(device, "ota_1");
    assert_err(esp_ota_erase_last_boot_app_partition(), ESP_OK);
    assert_int_equal(device->bytes[address], 0xFF);
    assert_true(device_record(device, 0).blank);
    assert_record(device, 1, 2, ESP_OTA_IMG_VALID);
    assert_err(esp_ota_erase_last_boot_app_partition(), ESP_FAIL);
}

static void only_the_record_is_forgotten_when_that_is_asked_for(void **state)
{
    device_t *device = *state;
    uint32_t address = device_partition("ota_0")->address;
    device_put_record(device, 0, 1, ESP_OTA_IMG_VALID);
    device_put_record(device, 1, 2, ESP_OTA_IMG_VALID);
    device_run(device, "ota_1");
    assert_err(esp_ota_invalidate_inactive_ota_data_slot(), ESP_OK);
    assert_int_equal(device->bytes[address], ESP_IMAGE_HEADER_MAGIC);
    assert_true(device_record(device, 0).blank);
    assert_err(esp_ota_invalidate_inactive_ota_data_slot(), ESP_FAIL);
}

static void neither_the_running_app_nor_the_next_one_is_erased(void **state)
{
    device_t *device = *state;
    device_put_record(device, 0, 1, ESP_OTA_IMG_VALID);
    device_put_record(device, 1, 2, ESP_OTA_IMG_NEW);
    device_run(device, "ota_0"); /* ota_1 is chosen, not booted yet. */
    assert_err(esp_ota_erase_last_boot_app_partition(), ESP_FAIL);
    device_put_record(device, 1, 3, ESP_OTA_IMG_VALID); /* Both records name ota_0. */
    device_run(device, "factory");
    assert_err(esp_ota_erase_last_boot_app_partition(), ESP_FAIL);
    assert_int_equal(device->recorder.count, 0);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown(the_running_partition_is_the_one_the_device_says, open_device, close_device),
    cmocka_unit_test_setup_teardown(the_next_update_goes_round_the_slots, open_device, close_device),
    cmocka_unit_test_setup_teardown(a_start_that_is_not_listed_has_no_next, open_device, close_device),
    cmocka_unit_test_setup_teardown(when_nothing_runs_the_next_update_spares_what_would_boot, open_device,
                                    close_device),
    cmocka_unit_test_setup_teardown(slots_are_counted_as_the_bootloader_counts_them, open_three_slots, close_device),
    cmocka_unit_test_setup_teardown(switching_writes_the_records_that_esp_idf_writes, open_device, close_device),
    cmocka_unit_test_setup_teardown(without_rollback_a_switch_records_no_state, open_device, close_device),
    cmocka_unit_test_setup_teardown(switching_to_factory_clears_otadata, open_device, close_device),
    cmocka_unit_test_setup_teardown(a_switch_ends_with_a_sync, open_device, close_device),
    cmocka_unit_test_setup_teardown(what_does_not_verify_is_not_chosen, open_device, close_device),
    cmocka_unit_test_setup_teardown(the_test_app_is_not_chosen_by_otadata, open_device, close_device),
    cmocka_unit_test_setup_teardown(without_otadata_nothing_is_chosen, open_no_otadata, close_device),
    cmocka_unit_test_setup_teardown(a_failed_write_of_otadata_is_reported, open_device, close_device),
    cmocka_unit_test_setup_teardown(with_three_slots_the_running_apps_record_survives_a_switch, open_three_slots,
                                    close_device),
    cmocka_unit_test_setup_teardown(without_a_choice_factory_then_the_lowest_slot_boots, open_no_factory, close_device),
    cmocka_unit_test_setup_teardown(a_second_update_before_the_restart_keeps_the_way_back, open_device, close_device),
    cmocka_unit_test_setup_teardown(whatever_operation_fails_a_valid_app_boots, open_device, close_device),
    cmocka_unit_test_setup_teardown(an_image_just_verified_is_not_read_again_to_be_chosen, open_device, close_device),
    cmocka_unit_test_setup_teardown(a_write_after_verification_makes_it_be_verified_again, open_device, close_device),
    cmocka_unit_test_setup_teardown(a_verification_of_another_app_in_between_does_not_hide_a_write, open_device,
                                    close_device),
    cmocka_unit_test_setup_teardown(an_erase_after_verification_makes_it_be_verified_again, open_device, close_device),
    cmocka_unit_test_setup_teardown(a_write_elsewhere_keeps_the_verification, open_device, close_device),
    cmocka_unit_test_setup_teardown(a_restart_forgets_the_verification, open_device, close_device),
    cmocka_unit_test_setup_teardown(confirming_makes_the_running_record_valid_once, open_device, close_device),
    cmocka_unit_test_setup_teardown(confirming_acts_on_the_running_slot_not_on_the_active_record, open_device,
                                    close_device),
    cmocka_unit_test_setup_teardown(the_factory_app_has_nothing_to_confirm, open_device, close_device),
    cmocka_unit_test_setup_teardown(a_refused_app_becomes_invalid_and_is_the_last_invalid_one, open_device,
                                    close_device),
    cmocka_unit_test_setup_teardown(refusing_acts_on_the_running_slot, open_device, close_device),
    cmocka_unit_test_setup_teardown(factory_is_tried_when_the_other_app_does_not_verify, open_device, close_device),
    cmocka_unit_test_setup_teardown(an_app_without_a_way_back_cannot_refuse_itself, open_no_factory, close_device),
    cmocka_unit_test_setup_teardown(of_two_refused_apps_the_older_record_is_the_last_invalid_one, open_device,
                                    close_device),
    cmocka_unit_test_setup_teardown(state_errors_are_those_of_esp_idf, open_device, close_device),
    cmocka_unit_test_setup_teardown(the_last_booted_app_is_erased_with_its_record, open_device, close_device),
    cmocka_unit_test_setup_teardown(only_the_record_is_forgotten_when_that_is_asked_for, open_device, close_device),
    cmocka_unit_test_setup_teardown(neither_the_running_app_nor_the_next_one_is_erased, open_device, close_device),
};

TEST_MAIN(tests)
