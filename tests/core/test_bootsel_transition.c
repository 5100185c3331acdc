/* SPDX-License-Identifier: Apache-2.0 */
/* Switch, confirm, refuse, begin: what otadata becomes, and what is bootable after each step on the way. */
#include "core/util/bytes.h"
#include "tests/core/bootsel_device.h"
#include "tests/support/test.h"

#define NEW       ESP_OTA_IMG_NEW
#define PENDING   ESP_OTA_IMG_PENDING_VERIFY
#define VALID     ESP_OTA_IMG_VALID
#define INVALID   ESP_OTA_IMG_INVALID
#define ABORTED   ESP_OTA_IMG_ABORTED
#define UNDEFINED ESP_OTA_IMG_UNDEFINED

static bootsel_device_t device_with(uint32_t slots, device_record_t first, device_record_t second)
{
    bootsel_device_t device;
    device_make(&device, slots, true);
    device_set(&device, 0, first);
    device_set(&device, 1, second);
    return device;
}

static void expect_switch(bootsel_device_t *device, int running, int slot, const char *writes)
{
    bootsel_plan_t plan;
    device_clear_trace(device);
    assert_err(bootsel_switch(&device->input, running, slot, &plan), ESP_OK);
    device_execute(device, &plan);
    assert_string_equal(device->writes, writes);
}

static void switching_gives_the_sequence_that_esp_idf_writes(void **state)
{
    (void)state;
    bootsel_device_t device;
    device_make(&device, 2, true);
    expect_switch(&device, BOOTSEL_SLOT_FACTORY, 0, "W0 seq1 NEW");
    expect_switch(&device, BOOTSEL_SLOT_FACTORY, 1, "W1 seq2 NEW");
    expect_switch(&device, BOOTSEL_SLOT_FACTORY, 0, "W0 seq3 NEW");
    expect_switch(&device, BOOTSEL_SLOT_FACTORY, BOOTSEL_SLOT_FACTORY, "E1, E0");
    assert_int_equal(device_boot(&device, NULL), BOOTSEL_SLOT_FACTORY);
}

static void choosing_the_same_slot_again_writes_nothing(void **state)
{
    (void)state;
    bootsel_device_t device;
    device_make(&device, 2, true);
    expect_switch(&device, BOOTSEL_SLOT_FACTORY, 0, "W0 seq1 NEW");
    expect_switch(&device, BOOTSEL_SLOT_FACTORY, 0, "");
}

static void a_slot_that_is_active_but_not_running_becomes_new_in_place(void **state)
{
    (void)state;
    bootsel_device_t device = device_with(2, (device_record_t){1, VALID, false}, (device_record_t){2, VALID, false});
    expect_switch(&device, 0, 1, "W1 seq2 NEW");
}

static void without_rollback_a_switch_records_undefined(void **state)
{
    (void)state;
    bootsel_device_t device;
    device_make(&device, 2, true);
    device.input.rollback = false;
    expect_switch(&device, BOOTSEL_SLOT_FACTORY, 1, "W0 seq2 UNDEFINED");
}

/* ESP-IDF would overwrite the running app's record: its victim is whatever is not active. */
static void switching_keeps_the_running_record_with_three_slots(void **state)
{
    (void)state;
    bootsel_device_t device = device_with(3, (device_record_t){5, VALID, false}, (device_record_t){3, VALID, false});
    device.corrupt = 1u << 1;
    assert_int_equal(device_boot(&device, NULL), 2);
    expect_switch(&device, 2, 0, "W0 seq7 NEW");
    device.corrupt |= 1u << 0;
    assert_int_equal(device_boot(&device, NULL), 2);
}

static void switching_back_to_the_running_app_forgets_the_newer_choice(void **state)
{
    (void)state;
    bootsel_device_t device = device_with(2, (device_record_t){1, VALID, false}, (device_record_t){2, NEW, false});
    expect_switch(&device, 0, 0, "E1");
    uint32_t recorded;
    assert_true(bootsel_state(&device.input, 0, &recorded));
    assert_int_equal(recorded, VALID);
    expect_switch(&device, 0, 0, "");
}

static void an_aborted_app_that_runs_as_last_resort_can_be_chosen_again(void **state)
{
    (void)state;
    bootsel_device_t device = device_with(2, (device_record_t){1, ABORTED, false}, (device_record_t){0});
    expect_switch(&device, 0, 0, "W1 seq3 NEW");
}

static void switching_remembers_an_aborted_app_where_it_can(void **state)
{
    (void)state;
    bootsel_device_t device = device_with(2, (device_record_t){1, ABORTED, false}, (device_record_t){0});
    expect_switch(&device, BOOTSEL_SLOT_FACTORY, 1, "W1 seq2 NEW");
    uint32_t recorded;
    assert_true(bootsel_state(&device.input, 0, &recorded));
    assert_int_equal(recorded, ABORTED);
}

static void switching_to_a_slot_that_does_not_exist_is_refused(void **state)
{
    (void)state;
    bootsel_device_t device;
    bootsel_plan_t plan;
    device_make(&device, 2, false);
    assert_err(bootsel_switch(&device.input, 0, 2, &plan), ESP_ERR_INVALID_ARG);
    assert_err(bootsel_switch(&device.input, 0, BOOTSEL_SLOT_FACTORY, &plan), ESP_ERR_INVALID_ARG);
    assert_err(bootsel_switch(&device.input, 0, BOOTSEL_SLOT_TEST, &plan), ESP_ERR_INVALID_ARG);
    assert_err(bootsel_switch(&device.input, 0, BOOTSEL_SLOT_NONE, &plan), ESP_ERR_INVALID_ARG);
    device.input.has_otadata = false;
    assert_err(bootsel_switch(&device.input, 0, 1, &plan), ESP_ERR_NOT_FOUND);
    assert_int_equal(plan.count, 0);
}

/* Who boots with the first @p count operations of a plan carried out. */
static int boot_after(const bootsel_device_t *before, const bootsel_plan_t *plan, uint32_t count)
{
    bootsel_device_t device = *before;
    bootsel_plan_t cut = *plan;
    cut.count = count;
    bootsel_apply(&device.input, &cut);
    return device_boot(&device, NULL);
}

static void cutting_a_switch_anywhere_boots_the_old_app_or_the_new_one(void **state)
{
    (void)state;
    bootsel_device_t device = device_with(3, (device_record_t){4, VALID, false}, (device_record_t){5, VALID, false});
    bootsel_plan_t plan;
    assert_err(bootsel_switch(&device.input, 1, 2, &plan), ESP_OK);
    assert_true(plan.count > 2);
    for (uint32_t count = 0; count <= plan.count; count++) {
        int slot = boot_after(&device, &plan, count);
        assert_true(slot == 1 || slot == 2);
    }
    assert_int_equal(boot_after(&device, &plan, plan.count), 2);
}

static void used_up_sequence_numbers_start_again_without_losing_the_running_app(void **state)
{
    (void)state;
    bootsel_device_t device =
        device_with(2, (device_record_t){0xFFFFFFFE, VALID, false}, (device_record_t){0xFFFFFFFD, VALID, false});
    assert_int_equal(device_boot(&device, NULL), 1);
    bootsel_plan_t plan;
    assert_err(bootsel_switch(&device.input, 1, 0, &plan), ESP_OK);
    for (uint32_t count = 0; count < plan.count; count++) {
        int slot = boot_after(&device, &plan, count);
        assert_true(slot == 1 || slot == 0);
    }
    device_execute(&device, &plan);
    assert_string_equal(device.writes, "W1 seq2 VALID, W0 seq3 NEW");
    assert_int_equal(device_boot(&device, NULL), 0);
}

static void used_up_sequence_numbers_of_refused_apps_start_again_too(void **state)
{
    (void)state;
    bootsel_device_t device = device_with(2, (device_record_t){0xFFFFFFFE, INVALID, false}, (device_record_t){0});
    expect_switch(&device, BOOTSEL_SLOT_FACTORY, 1, "E1, W0 seq2 NEW");
}

static void expect_confirm(bootsel_device_t *device, int running, const char *writes)
{
    bootsel_plan_t plan;
    device_clear_trace(device);
    assert_err(bootsel_confirm(&device->input, running, &plan), ESP_OK);
    device_execute(device, &plan);
    assert_string_equal(device->writes, writes);
}

static void confirming_makes_the_running_record_valid_once(void **state)
{
    (void)state;
    bootsel_device_t device = device_with(2, (device_record_t){1, VALID, false}, (device_record_t){2, PENDING, false});
    expect_confirm(&device, 1, "W1 seq2 VALID");
    expect_confirm(&device, 1, "");
}

/* ESP-IDF would confirm the active record, which here is the corrupt app's. */
static void confirming_acts_on_the_running_app_not_on_the_active_record(void **state)
{
    (void)state;
    bootsel_device_t device = device_with(2, (device_record_t){1, ABORTED, false}, (device_record_t){2, VALID, false});
    device.corrupt = (1u << 1) | BOOTSEL_SET_FACTORY;
    assert_int_equal(device_boot(&device, NULL), 0);
    expect_confirm(&device, 0, "W0 seq1 VALID");
    uint32_t recorded;
    assert_true(bootsel_state(&device.input, 1, &recorded));
    assert_int_equal(recorded, VALID);
}

static void confirming_an_app_without_a_record_gives_it_one(void **state)
{
    (void)state;
    bootsel_device_t device = device_with(3, (device_record_t){1, VALID, false}, (device_record_t){0});
    device.corrupt = 1u << 0 | BOOTSEL_SET_FACTORY;
    assert_int_equal(device_boot(&device, NULL), 1);
    expect_confirm(&device, 1, "W1 seq2 VALID");
    assert_int_equal(device_boot(&device, NULL), 1);
}

static void the_factory_app_has_nothing_to_confirm(void **state)
{
    (void)state;
    bootsel_device_t device = device_with(2, (device_record_t){1, NEW, false}, (device_record_t){0});
    bootsel_plan_t plan;
    assert_err(bootsel_confirm(&device.input, BOOTSEL_SLOT_FACTORY, &plan), ESP_FAIL);
    assert_err(bootsel_confirm(&device.input, BOOTSEL_SLOT_NONE, &plan), ESP_FAIL);
    assert_int_equal(plan.count, 0);
    device.input.has_otadata = false;
    assert_err(bootsel_confirm(&device.input, 0, &plan), ESP_ERR_NOT_FOUND);
}

static void refusing_makes_the_running_record_invalid(void **state)
{
    (void)state;
    bootsel_device_t device = device_with(2, (device_record_t){1, VALID, false}, (device_record_t){2, PENDING, false});
    bootsel_plan_t plan;
    assert_err(bootsel_invalidate(&device.input, 1, &plan), ESP_OK);
    device_execute(&device, &plan);
    assert_string_equal(device.writes, "W1 seq2 INVALID");
    assert_int_equal(device_boot(&device, NULL), 0);
}

static void refusing_an_app_without_a_record_keeps_it_from_booting(void **state)
{
    (void)state;
    bootsel_device_t device = device_with(3, (device_record_t){1, VALID, false}, (device_record_t){0});
    bootsel_plan_t plan;
    assert_err(bootsel_invalidate(&device.input, 1, &plan), ESP_OK);
    device_execute(&device, &plan);
    assert_string_equal(device.writes, "W1 seq2 INVALID");
    device.corrupt = 1u << 0 | BOOTSEL_SET_FACTORY;
    assert_int_equal(device_boot(&device, NULL), 2);
}

static void expect_begin(bootsel_device_t *device, int slot, const char *writes)
{
    bootsel_plan_t plan;
    device_clear_trace(device);
    assert_err(bootsel_begin(&device->input, slot, &plan), ESP_OK);
    device_execute(device, &plan);
    assert_string_equal(device->writes, writes);
}

static void beginning_an_update_forgets_the_record_of_its_slot(void **state)
{
    (void)state;
    bootsel_device_t device = device_with(2, (device_record_t){1, VALID, false}, (device_record_t){2, VALID, false});
    uint32_t recorded;
    expect_begin(&device, 0, "E0");
    assert_false(bootsel_state(&device.input, 0, &recorded));
    assert_true(bootsel_state(&device.input, 1, &recorded));
}

/* ESP-IDF would erase the inactive record, whichever slot it names. */
static void beginning_an_update_leaves_the_records_of_other_slots(void **state)
{
    (void)state;
    bootsel_device_t device = device_with(3, (device_record_t){1, VALID, false}, (device_record_t){2, VALID, false});
    expect_begin(&device, 2, "");
}

static void beginning_an_update_forgets_both_records_if_both_name_the_slot(void **state)
{
    (void)state;
    bootsel_device_t device = device_with(2, (device_record_t){1, VALID, false}, (device_record_t){3, VALID, false});
    expect_begin(&device, 0, "E0, E1");
}

static void beginning_on_something_else_than_a_slot_is_refused(void **state)
{
    (void)state;
    bootsel_device_t device;
    bootsel_plan_t plan;
    device_make(&device, 2, true);
    assert_err(bootsel_begin(&device.input, BOOTSEL_SLOT_FACTORY, &plan), ESP_ERR_INVALID_ARG);
    assert_err(bootsel_begin(&device.input, 2, &plan), ESP_ERR_INVALID_ARG);
}

static void the_rollback_target_is_the_app_that_would_boot_instead(void **state)
{
    (void)state;
    bootsel_device_t device = device_with(2, (device_record_t){1, VALID, false}, (device_record_t){2, PENDING, false});
    assert_int_equal(bootsel_rollback_target(&device.input, 1, 0), 0);
    assert_int_equal(bootsel_rollback_target(&device.input, 1, 1u << 0), BOOTSEL_SLOT_FACTORY);
    assert_int_equal(bootsel_rollback_target(&device.input, 1, 1u << 0 | BOOTSEL_SET_FACTORY), BOOTSEL_SLOT_NONE);
}

static void an_aborted_or_invalid_app_is_no_rollback_target(void **state)
{
    (void)state;
    bootsel_device_t device =
        device_with(2, (device_record_t){1, ABORTED, false}, (device_record_t){2, PENDING, false});
    device.input.present &= ~BOOTSEL_SET_FACTORY;
    assert_int_equal(bootsel_rollback_target(&device.input, 1, 0), BOOTSEL_SLOT_NONE);
    device_set(&device, 0, (device_record_t){1, INVALID, false});
    assert_int_equal(bootsel_rollback_target(&device.input, 1, 0), BOOTSEL_SLOT_NONE);
}

static void the_active_record_is_the_newest_that_is_not_refused(void **state)
{
    (void)state;
    bootsel_device_t device = device_with(2, (device_record_t){1, VALID, false}, (device_record_t){2, NEW, false});
    assert_int_equal(bootsel_active(&device.input), 1);
    device_set(&device, 1, (device_record_t){2, ABORTED, false});
    assert_int_equal(bootsel_active(&device.input), 0);
    device_set(&device, 0, (device_record_t){1, INVALID, false});
    assert_int_equal(bootsel_active(&device.input), -1);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(switching_gives_the_sequence_that_esp_idf_writes),
    cmocka_unit_test(choosing_the_same_slot_again_writes_nothing),
    cmocka_unit_test(a_slot_that_is_active_but_not_running_becomes_new_in_place),
    cmocka_unit_test(without_rollback_a_switch_records_undefined),
    cmocka_unit_test(switching_keeps_the_running_record_with_three_slots),
    cmocka_unit_test(switching_back_to_the_running_app_forgets_the_newer_choice),
    cmocka_unit_test(an_aborted_app_that_runs_as_last_resort_can_be_chosen_again),
    cmocka_unit_test(switching_remembers_an_aborted_app_where_it_can),
    cmocka_unit_test(switching_to_a_slot_that_does_not_exist_is_refused),
    cmocka_unit_test(cutting_a_switch_anywhere_boots_the_old_app_or_the_new_one),
    cmocka_unit_test(used_up_sequence_numbers_start_again_without_losing_the_running_app),
    cmocka_unit_test(used_up_sequence_numbers_of_refused_apps_start_again_too),
    cmocka_unit_test(confirming_makes_the_running_record_valid_once),
    cmocka_unit_test(confirming_acts_on_the_running_app_not_on_the_active_record),
    cmocka_unit_test(confirming_an_app_without_a_record_gives_it_one),
    cmocka_unit_test(the_factory_app_has_nothing_to_confirm),
    cmocka_unit_test(refusing_makes_the_running_record_invalid),
    cmocka_unit_test(refusing_an_app_without_a_record_keeps_it_from_booting),
    cmocka_unit_test(beginning_an_update_forgets_the_record_of_its_slot),
    cmocka_unit_test(beginning_an_update_leaves_the_records_of_other_slots),
    cmocka_unit_test(beginning_an_update_forgets_both_records_if_both_name_the_slot),
    cmocka_unit_test(beginning_on_something_else_than_a_slot_is_refused),
    cmocka_unit_test(the_rollback_target_is_the_app_that_would_boot_instead),
    cmocka_unit_test(an_aborted_or_invalid_app_is_no_rollback_target),
    cmocka_unit_test(the_active_record_is_the_newest_that_is_not_refused),
};

TEST_MAIN(tests)
