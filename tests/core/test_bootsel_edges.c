/* SPDX-License-Identifier: Apache-2.0 */
/* Corners of boot selection that only a deliberate defect in it brings to light: see tools/mutants. */
#include "core/bootsel/journal.h"
#include "core/bootsel/slots.h"
#include "tests/core/bootsel_device.h"
#include "tests/support/test.h"

#define PENDING ESP_OTA_IMG_PENDING_VERIFY
#define VALID   ESP_OTA_IMG_VALID
#define INVALID ESP_OTA_IMG_INVALID

static bootsel_device_t device_with(uint32_t slots, bool factory, device_record_t first, device_record_t second)
{
    bootsel_device_t device;
    device_make(&device, slots, factory);
    device_set(&device, 0, first);
    device_set(&device, 1, second);
    return device;
}

static void a_record_means_nothing_where_there_are_no_slots(void **state)
{
    (void)state;
    bootsel_device_t device = device_with(0, true, (device_record_t){1, VALID, false}, (device_record_t){0});
    assert_int_equal(device_boot(&device, NULL), BOOTSEL_SLOT_FACTORY);
    assert_int_equal(bootsel_active(&device.input), -1);
}

static void records_mean_nothing_without_an_otadata_partition(void **state)
{
    (void)state;
    bootsel_device_t device = device_with(2, true, (device_record_t){2, VALID, false}, (device_record_t){0});
    assert_int_equal(device_boot(&device, NULL), 1);
    device.input.has_otadata = false;
    assert_int_equal(device_boot(&device, NULL), BOOTSEL_SLOT_FACTORY);
    assert_int_equal(bootsel_active(&device.input), -1);
}

static void of_two_equal_records_the_first_is_active(void **state)
{
    (void)state;
    bootsel_device_t device =
        device_with(2, true, (device_record_t){3, VALID, false}, (device_record_t){3, VALID, false});
    assert_int_equal(bootsel_active(&device.input), 0);
    device = device_with(2, true, (device_record_t){3, VALID, false}, (device_record_t){3, INVALID, false});
    assert_int_equal(device_boot(&device, NULL), 0);
}

static void all_sixteen_slots_factory_and_test_are_tried_once(void **state)
{
    (void)state;
    bootsel_device_t device =
        device_with(16, true, (device_record_t){1, VALID, false}, (device_record_t){2, VALID, false});
    device.input.present |= BOOTSEL_SET_TEST;
    device.corrupt = device.input.present;
    assert_int_equal(device_boot(&device, NULL), BOOTSEL_SLOT_NONE);
    assert_string_equal(device.tried, "ota_1 ota_0 factory ota_2 ota_3 ota_4 ota_5 ota_6 ota_7 ota_8 ota_9 ota_10 "
                                      "ota_11 ota_12 ota_13 ota_14 ota_15 test");
}

static void the_last_of_sixteen_slots_boots(void **state)
{
    (void)state;
    bootsel_device_t device = device_with(16, false, (device_record_t){0}, (device_record_t){0});
    device.corrupt = device.input.present & ~(1u << 15);
    assert_int_equal(device_boot(&device, NULL), 15);
}

static void a_slot_that_stands_in_for_a_broken_factory_app_is_not_recorded(void **state)
{
    (void)state;
    bootsel_device_t device = device_with(2, true, (device_record_t){0}, (device_record_t){0});
    device.corrupt = BOOTSEL_SET_FACTORY;
    bootsel_reason_t reason;
    assert_int_equal(device_boot(&device, &reason), 0);
    assert_int_equal(reason, BOOTSEL_REASON_REMAINING);
    assert_string_equal(device.writes, "");
}

static void no_candidate_is_named_while_there_is_something_to_write_before(void **state)
{
    (void)state;
    bootsel_device_t device = device_with(2, true, (device_record_t){1, PENDING, false}, (device_record_t){0});
    bootsel_decision_t decision;
    bootsel_boot(&device.input, 0, &decision);
    assert_true(decision.first);
    assert_true(decision.plan.count > 0);
    assert_int_equal(decision.slot, BOOTSEL_SLOT_NONE);
}

static void the_test_app_is_no_rollback_target(void **state)
{
    (void)state;
    bootsel_device_t device = device_with(1, false, (device_record_t){1, PENDING, false}, (device_record_t){0});
    device.input.present |= BOOTSEL_SET_TEST;
    assert_int_equal(bootsel_rollback_target(&device.input, 0, 0), BOOTSEL_SLOT_NONE);
}

static void a_slot_that_no_sequence_number_can_name_is_refused(void **state)
{
    (void)state;
    bootsel_device_t device = device_with(2, true, (device_record_t){0}, (device_record_t){0});
    device.input.present |= 1u << 5;
    bootsel_plan_t plan;
    assert_err(bootsel_switch(&device.input, BOOTSEL_SLOT_FACTORY, 5, &plan), ESP_ERR_INVALID_ARG);
    assert_int_equal(plan.count, 0);
}

static void switching_to_factory_erases_a_torn_record_too(void **state)
{
    (void)state;
    bootsel_device_t device =
        device_with(2, true, (device_record_t){1, VALID, false}, (device_record_t){2, VALID, true});
    bootsel_plan_t plan;
    assert_err(bootsel_switch(&device.input, 0, BOOTSEL_SLOT_FACTORY, &plan), ESP_OK);
    device_execute(&device, &plan);
    assert_string_equal(device.writes, "E1, E0");
}

static void beginning_forgets_a_refused_app_of_that_slot(void **state)
{
    (void)state;
    bootsel_device_t device =
        device_with(2, true, (device_record_t){1, VALID, false}, (device_record_t){2, INVALID, false});
    bootsel_plan_t plan;
    assert_err(bootsel_begin(&device.input, 1, &plan), ESP_OK);
    device_execute(&device, &plan);
    assert_string_equal(device.writes, "E1");
}

/* data/ota has the subtype number of app/factory, data/phy that of nothing, and a data partition may have any. */
static void a_data_partition_is_no_candidate(void **state)
{
    (void)state;
    ptable_t table = {
        .count = 3,
        .partition =
            {
                {.type = PART_TYPE_DATA, .subtype = PART_SUBTYPE_DATA_OTA, .offset = 0xd000, .size = 0x2000},
                {.type = PART_TYPE_DATA, .subtype = 0x10, .offset = 0xf000, .size = 0x1000},
                {.type = PART_TYPE_APP, .subtype = 0x10, .offset = 0x10000, .size = 0x100000},
            },
    };
    bootsel_input_t input;
    bootsel_slots(&table, 4096, &input);
    assert_int_equal(input.present, bootsel_set_of(0));
    assert_true(input.has_otadata);
    assert_ptr_equal(bootsel_slot_partition(&table, 0), &table.partition[2]);
    assert_null(bootsel_slot_partition(&table, BOOTSEL_SLOT_FACTORY));
}

static void otadata_smaller_than_two_sectors_does_not_count(void **state)
{
    (void)state;
    ptable_t table = {
        .count = 1,
        .partition = {{.type = PART_TYPE_DATA, .subtype = PART_SUBTYPE_DATA_OTA, .offset = 0xd000, .size = 0x2000}},
    };
    bootsel_input_t input;
    bootsel_slots(&table, 4096, &input);
    assert_true(input.has_otadata);
    bootsel_slots(&table, 8192, &input);
    assert_false(input.has_otadata);
}

/* A partition table with one partition, an app of this subtype and size. */
static ptable_t table_with_app(uint8_t subtype, uint32_t size)
{
    return (ptable_t){
        .count = 1,
        .partition = {{.type = PART_TYPE_APP, .subtype = subtype, .offset = 0x10000, .size = size}},
    };
}

static void apps_are_candidates_by_their_subtype(void **state)
{
    (void)state;
    static const struct {
        uint8_t subtype;
        int slot;
    } cases[] = {{PART_SUBTYPE_FACTORY, BOOTSEL_SLOT_FACTORY},
                 {PART_SUBTYPE_TEST, BOOTSEL_SLOT_TEST},
                 {0x10, 0},
                 {0x1F, 15},
                 {0x01, BOOTSEL_SLOT_NONE},
                 {0x30, BOOTSEL_SLOT_NONE}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        ptable_t table = table_with_app(cases[i].subtype, 0x100000);
        bootsel_input_t input;
        bootsel_slots(&table, 4096, &input);
        bool candidate = cases[i].slot != BOOTSEL_SLOT_NONE;
        assert_int_equal(bootsel_slot_of_subtype(cases[i].subtype), cases[i].slot);
        assert_int_equal(input.present, bootsel_set_of(cases[i].slot));
        assert_int_equal(input.present != 0, candidate);
        assert_ptr_equal(bootsel_slot_partition(&table, cases[i].slot), candidate ? &table.partition[0] : NULL);
        assert_false(input.has_otadata);
    }
}

static void an_app_partition_without_bytes_is_no_candidate(void **state)
{
    (void)state;
    ptable_t table = table_with_app(PART_SUBTYPE_FACTORY, 0);
    bootsel_input_t input;
    bootsel_slots(&table, 4096, &input);
    assert_int_equal(input.present, 0);
    table.partition[0].size = 1;
    bootsel_slots(&table, 4096, &input);
    assert_int_equal(input.present, BOOTSEL_SET_FACTORY);
}

static void a_number_beyond_the_slots_is_no_candidate(void **state)
{
    (void)state;
    assert_int_equal(bootsel_set_of(15), 1u << 15);
    assert_int_equal(bootsel_set_of(16), 0);
    assert_int_equal(bootsel_set_of(BOOTSEL_SLOT_NONE), 0);
}

static void a_slot_that_a_number_names_but_no_partition_has_is_refused(void **state)
{
    (void)state;
    bootsel_device_t device = device_with(3, true, (device_record_t){1, VALID, false}, (device_record_t){0});
    device.input.present &= ~bootsel_set_of(1);
    bootsel_plan_t plan;
    assert_err(bootsel_switch(&device.input, 0, 1, &plan), ESP_ERR_INVALID_ARG);
    assert_int_equal(plan.count, 0);
    assert_err(bootsel_switch(&device.input, 0, 2, &plan), ESP_OK);
}

static void every_reason_has_its_own_text(void **state)
{
    (void)state;
    for (int a = BOOTSEL_REASON_NONE; a <= BOOTSEL_REASON_LAST_RESORT; a++) {
        assert_string_not_equal(bootsel_reason_text((bootsel_reason_t)a), "unknown");
        for (int b = BOOTSEL_REASON_NONE; b < a; b++) {
            assert_string_not_equal(bootsel_reason_text((bootsel_reason_t)a), bootsel_reason_text((bootsel_reason_t)b));
        }
    }
    assert_string_equal(bootsel_reason_text((bootsel_reason_t)(BOOTSEL_REASON_LAST_RESORT + 1)), "unknown");
}

/* Foreign bytes in both sectors leave no place for an entry in either: the change is made all the same. */
static void with_both_journals_full_a_record_still_changes(void **state)
{
    (void)state;
    bootsel_device_t device =
        device_with(2, true, (device_record_t){1, VALID, false}, (device_record_t){2, PENDING, false});
    for (int sector = 0; sector < OTADATA_SECTORS; sector++) {
        memset(device.input.area[sector] + JOURNAL_OFF, 0x5A, JOURNAL_PLACES * JOURNAL_PLACE_BYTES);
    }
    bootsel_plan_t plan;
    assert_err(bootsel_confirm(&device.input, 1, &plan), ESP_OK);
    device_execute(&device, &plan);
    assert_string_equal(device.writes, "W1 seq2 VALID");
    otadata_record_t kept = bootsel_record(&device.input, 0);
    assert_true(kept.good);
    assert_int_equal(kept.seq, 1);
    assert_int_equal(kept.state, VALID);
    assert_int_equal(device_boot(&device, NULL), 1);
}

/* No input makes a plan that long; whoever asks for one must not have it written beyond its end. */
static void a_plan_that_is_full_takes_no_more(void **state)
{
    (void)state;
    bootsel_device_t device = device_with(2, true, (device_record_t){0}, (device_record_t){0});
    struct {
        bootsel_plan_t plan;
        uint8_t behind[64];
    } place;
    memset(&place, 0xA5, sizeof(place));
    bootsel_draft_t draft;
    journal_begin(&draft, &device.input, &place.plan);
    for (uint32_t seq = 1; seq <= BOOTSEL_PLAN_MAX; seq++) {
        journal_write(&draft, 0, seq, VALID);
    }
    assert_int_equal(place.plan.count, BOOTSEL_PLAN_MAX);
    for (size_t i = 0; i < sizeof(place.behind); i++) {
        assert_int_equal(place.behind[i], 0xA5);
    }
}

static bool says_the_same(device_record_t a, device_record_t b)
{
    const device_record_t other = {2, VALID, false};
    bootsel_device_t first = device_with(2, true, a, other);
    bootsel_device_t second = device_with(2, true, b, other);
    return bootsel_same_records(&first.input, &second.input);
}

static void records_are_compared_by_what_they_say(void **state)
{
    (void)state;
    const device_record_t valid = {1, VALID, false};
    const device_record_t bad = {1, VALID, true};
    const device_record_t blank = {0};
    assert_true(says_the_same(valid, valid));
    assert_true(says_the_same(bad, blank));
    assert_false(says_the_same(valid, bad));
    assert_false(says_the_same(blank, valid));
    assert_false(says_the_same(valid, (device_record_t){3, VALID, false}));
    assert_false(says_the_same(valid, (device_record_t){1, PENDING, false}));
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(records_are_compared_by_what_they_say),
    cmocka_unit_test(a_record_means_nothing_where_there_are_no_slots),
    cmocka_unit_test(records_mean_nothing_without_an_otadata_partition),
    cmocka_unit_test(of_two_equal_records_the_first_is_active),
    cmocka_unit_test(all_sixteen_slots_factory_and_test_are_tried_once),
    cmocka_unit_test(the_last_of_sixteen_slots_boots),
    cmocka_unit_test(a_slot_that_stands_in_for_a_broken_factory_app_is_not_recorded),
    cmocka_unit_test(no_candidate_is_named_while_there_is_something_to_write_before),
    cmocka_unit_test(the_test_app_is_no_rollback_target),
    cmocka_unit_test(a_slot_that_no_sequence_number_can_name_is_refused),
    cmocka_unit_test(switching_to_factory_erases_a_torn_record_too),
    cmocka_unit_test(beginning_forgets_a_refused_app_of_that_slot),
    cmocka_unit_test(a_data_partition_is_no_candidate),
    cmocka_unit_test(otadata_smaller_than_two_sectors_does_not_count),
    cmocka_unit_test(apps_are_candidates_by_their_subtype),
    cmocka_unit_test(an_app_partition_without_bytes_is_no_candidate),
    cmocka_unit_test(a_number_beyond_the_slots_is_no_candidate),
    cmocka_unit_test(a_slot_that_a_number_names_but_no_partition_has_is_refused),
    cmocka_unit_test(every_reason_has_its_own_text),
    cmocka_unit_test(with_both_journals_full_a_record_still_changes),
    cmocka_unit_test(a_plan_that_is_full_takes_no_more),
};

TEST_MAIN(tests)
