/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The boot tables, row by row: records before, writes, and who boots. Rows that Otter improves on ESP-IDF say so;
 * docs/COMPATIBILITY.md shows both.
 */
#include "tests/core/bootsel_device.h"
#include "tests/support/test.h"

#define NEW       ESP_OTA_IMG_NEW
#define PENDING   ESP_OTA_IMG_PENDING_VERIFY
#define VALID     ESP_OTA_IMG_VALID
#define INVALID   ESP_OTA_IMG_INVALID
#define ABORTED   ESP_OTA_IMG_ABORTED
#define UNDEFINED ESP_OTA_IMG_UNDEFINED

#define OTA(n)  (1u << (n))
#define FACTORY BOOTSEL_SET_FACTORY

typedef struct row {
    uint32_t slots; /* Default 2. */
    bool no_factory;
    bool no_rollback;
    bool no_otadata;
    bootsel_set_t missing; /* Slots that the table does not have. */
    bootsel_set_t extra;
    device_record_t record[2];
    bootsel_set_t corrupt;
    const char *writes; /* Default none. */
    const char *tried;  /* Candidates in order; the last one boots unless boots_nothing. */
    bool boots_nothing;
    bootsel_reason_t reason;
} row_t;

static bootsel_device_t make(const row_t *row)
{
    bootsel_device_t device;
    device_make(&device, row->slots != 0 ? row->slots : 2, !row->no_factory);
    device.input.present = (device.input.present & ~row->missing) | row->extra;
    device.input.rollback = !row->no_rollback;
    device.input.has_otadata = !row->no_otadata;
    device.corrupt = row->corrupt;
    device_set(&device, 0, row->record[0]);
    device_set(&device, 1, row->record[1]);
    return device;
}

static const char *last_word(const char *text)
{
    const char *space = strrchr(text, ' ');
    return space != NULL ? space + 1 : text;
}

static bootsel_device_t check(const row_t *row)
{
    bootsel_device_t device = make(row);
    bootsel_reason_t reason;
    int slot = device_boot(&device, &reason);
    assert_string_equal(device.tried, row->tried);
    assert_string_equal(device.writes, row->writes != NULL ? row->writes : "");
    assert_string_equal(device_slot_name(slot), row->boots_nothing ? "nothing" : last_word(row->tried));
    assert_int_equal(reason, row->reason);
    return device;
}

/* A boot of the device as the last one left it, the app not having confirmed. */
static void check_reboot(bootsel_device_t *device, const char *writes, const char *boots)
{
    device_clear_trace(device);
    assert_string_equal(device_slot_name(device_boot(device, NULL)), boots);
    assert_string_equal(device->writes, writes);
}

#define ROW(name, ...)                                                                                                 \
    static void name(void **state)                                                                                     \
    {                                                                                                                  \
        (void)state;                                                                                                   \
        (void)check(&(row_t){__VA_ARGS__});                                                                            \
    }

ROW(blank_otadata_boots_factory, .tried = "factory", .reason = BOOTSEL_REASON_FACTORY)

ROW(an_undefined_record_boots_its_slot, .record = {{1, UNDEFINED, false}}, .tried = "ota_0",
    .reason = BOOTSEL_REASON_ACTIVE)

static void a_new_app_is_pending_when_it_boots_and_aborted_at_the_next(void **state)
{
    (void)state;
    bootsel_device_t device = check(&(row_t){.record = {{1, NEW, false}},
                                             .writes = "W0 seq1 PENDING_VERIFY",
                                             .tried = "ota_0",
                                             .reason = BOOTSEL_REASON_ACTIVE});
    check_reboot(&device, "W0 seq1 ABORTED", "factory");
    check_reboot(&device, "", "factory");
}

static void an_unconfirmed_update_goes_back_to_the_other_slot(void **state)
{
    (void)state;
    bootsel_device_t device = check(&(row_t){.record = {{1, VALID, false}, {2, NEW, false}},
                                             .writes = "W1 seq2 PENDING_VERIFY",
                                             .tried = "ota_1",
                                             .reason = BOOTSEL_REASON_ACTIVE});
    check_reboot(&device, "W1 seq2 ABORTED", "ota_0");
    check_reboot(&device, "", "ota_0");
}

ROW(a_corrupt_active_app_gives_way_to_the_other, .record = {{1, VALID, false}, {2, VALID, false}}, .corrupt = OTA(1),
    .tried = "ota_1 ota_0", .reason = BOOTSEL_REASON_OTHER)

ROW(both_slots_corrupt_boots_factory, .record = {{1, VALID, false}, {2, VALID, false}}, .corrupt = OTA(0) | OTA(1),
    .tried = "ota_1 ota_0 factory", .reason = BOOTSEL_REASON_FACTORY)

ROW(everything_corrupt_boots_nothing, .record = {{1, VALID, false}, {2, VALID, false}},
    .corrupt = OTA(0) | OTA(1) | FACTORY, .tried = "ota_1 ota_0 factory", .boots_nothing = true,
    .reason = BOOTSEL_REASON_NONE)

/* Improved: ESP-IDF goes to factory and skips the good ota_1. */
ROW(a_corrupt_active_ota_0_gives_way_to_a_valid_ota_1_before_factory, .record = {{3, VALID, false}, {2, VALID, false}},
    .corrupt = OTA(0), .tried = "ota_0 ota_1", .reason = BOOTSEL_REASON_OTHER)

ROW(a_corrupt_active_ota_0_without_factory_gives_way_to_ota_1, .no_factory = true,
    .record = {{3, VALID, false}, {2, VALID, false}}, .corrupt = OTA(0), .tried = "ota_0 ota_1",
    .reason = BOOTSEL_REASON_OTHER)

ROW(a_record_with_a_bad_crc_does_not_count, .record = {{1, VALID, false}, {2, VALID, true}}, .tried = "ota_0",
    .reason = BOOTSEL_REASON_ACTIVE)

ROW(two_bad_crcs_boot_factory, .record = {{1, VALID, true}, {2, VALID, true}}, .tried = "factory",
    .reason = BOOTSEL_REASON_FACTORY)

ROW(both_invalid_boots_factory, .record = {{1, INVALID, false}, {2, INVALID, false}}, .tried = "factory",
    .reason = BOOTSEL_REASON_FACTORY)

ROW(aborted_and_bad_crc_boots_factory, .record = {{1, ABORTED, false}, {2, VALID, true}}, .tried = "factory",
    .reason = BOOTSEL_REASON_FACTORY)

ROW(both_pending_are_both_aborted, .record = {{1, PENDING, false}, {2, PENDING, false}},
    .writes = "W0 seq1 ABORTED, W1 seq2 ABORTED", .tried = "factory", .reason = BOOTSEL_REASON_FACTORY)

/* Improved: ESP-IDF rewrites the record although its CRC is bad. */
ROW(a_pending_record_with_a_bad_crc_is_left_alone, .record = {{1, PENDING, true}, {2, VALID, false}}, .tried = "ota_1",
    .reason = BOOTSEL_REASON_ACTIVE)

ROW(equal_sequence_numbers_choose_record_0, .record = {{3, VALID, false}, {3, VALID, false}}, .tried = "ota_0",
    .reason = BOOTSEL_REASON_ACTIVE)

ROW(sequence_numbers_compare_unsigned, .record = {{5, VALID, false}, {0x80000000, VALID, false}}, .tried = "ota_1",
    .reason = BOOTSEL_REASON_ACTIVE)

/* Improved: ESP-IDF writes PENDING before it verifies, and ABORTED at the next boot. */
static void a_new_app_that_does_not_verify_becomes_invalid_in_one_write(void **state)
{
    (void)state;
    bootsel_device_t device = check(&(row_t){.record = {{1, VALID, false}, {2, NEW, false}},
                                             .corrupt = OTA(1),
                                             .writes = "W1 seq2 INVALID",
                                             .tried = "ota_1 ota_0",
                                             .reason = BOOTSEL_REASON_ACTIVE});
    check_reboot(&device, "", "ota_0");
}

ROW(a_first_boot_without_factory_records_ota_0_as_valid, .no_factory = true, .writes = "W0 seq1 VALID",
    .tried = "ota_0", .reason = BOOTSEL_REASON_INITIAL)

ROW(a_first_boot_with_an_empty_ota_0_records_ota_1, .no_factory = true, .corrupt = OTA(0), .writes = "W0 seq2 VALID",
    .tried = "ota_0 ota_1", .reason = BOOTSEL_REASON_INITIAL)

/* Improved: ESP-IDF boots the aborted ota_0 again. */
ROW(an_aborted_app_without_factory_gives_way_to_another_slot, .no_factory = true, .record = {{1, ABORTED, false}},
    .tried = "ota_1", .reason = BOOTSEL_REASON_REMAINING)

ROW(an_aborted_app_is_the_last_resort, .no_factory = true, .record = {{1, ABORTED, false}}, .corrupt = OTA(1),
    .tried = "ota_1 ota_0", .reason = BOOTSEL_REASON_LAST_RESORT)

ROW(of_two_aborted_apps_the_newer_is_the_last_resort, .no_factory = true,
    .record = {{1, ABORTED, false}, {2, ABORTED, false}}, .tried = "ota_1", .reason = BOOTSEL_REASON_LAST_RESORT)

ROW(of_two_aborted_apps_the_older_follows, .no_factory = true, .record = {{1, ABORTED, false}, {2, ABORTED, false}},
    .corrupt = OTA(1), .tried = "ota_1 ota_0", .reason = BOOTSEL_REASON_LAST_RESORT)

/* Improved: ESP-IDF boots ota_0 although it is INVALID. */
ROW(an_invalid_app_never_boots, .no_factory = true, .record = {{1, INVALID, false}, {2, INVALID, false}}, .tried = "",
    .boots_nothing = true, .reason = BOOTSEL_REASON_NONE)

ROW(an_invalid_app_never_boots_even_beside_an_aborted_one, .no_factory = true,
    .record = {{1, ABORTED, false}, {2, INVALID, false}}, .corrupt = OTA(0), .tried = "ota_0", .boots_nothing = true,
    .reason = BOOTSEL_REASON_NONE)

/* As ESP-IDF: records with a bad CRC are none, so this is a first boot. */
ROW(both_invalid_with_bad_crcs_without_factory_is_a_first_boot, .no_factory = true,
    .record = {{1, INVALID, true}, {2, INVALID, true}}, .writes = "W0 seq1 VALID", .tried = "ota_0",
    .reason = BOOTSEL_REASON_INITIAL)

/* Improved: ESP-IDF tries ota_2, ota_1, ota_0, factory, ota_3. */
ROW(four_slots_fall_back_to_factory_then_down_then_up, .slots = 4, .record = {{3, VALID, false}},
    .corrupt = OTA(2) | FACTORY | OTA(1) | OTA(0), .tried = "ota_2 factory ota_1 ota_0 ota_3",
    .reason = BOOTSEL_REASON_REMAINING)

ROW(four_slots_prefer_the_other_valid_record, .slots = 4, .record = {{3, VALID, false}, {4, VALID, false}},
    .corrupt = OTA(3), .tried = "ota_3 ota_2", .reason = BOOTSEL_REASON_OTHER)

/* ESP-IDF cannot reach ota_2 at all when the numbering has a gap. */
ROW(a_slot_behind_a_gap_is_still_reached, .no_factory = true, .missing = OTA(1), .extra = OTA(2),
    .record = {{2, VALID, false}}, .corrupt = OTA(0), .tried = "ota_0 ota_2", .reason = BOOTSEL_REASON_REMAINING)

ROW(without_otadata_factory_boots, .no_otadata = true, .tried = "factory", .reason = BOOTSEL_REASON_FACTORY)

ROW(without_otadata_and_factory_ota_0_boots_and_nothing_is_written, .no_otadata = true, .no_factory = true,
    .tried = "ota_0", .reason = BOOTSEL_REASON_REMAINING)

ROW(without_any_slot_factory_boots, .slots = 0, .missing = OTA(0) | OTA(1), .record = {{1, VALID, false}},
    .tried = "factory", .reason = BOOTSEL_REASON_FACTORY)

ROW(an_unknown_state_counts_as_pending, .record = {{1, VALID, false}, {2, 7, false}}, .writes = "W1 seq2 ABORTED",
    .tried = "ota_0", .reason = BOOTSEL_REASON_ACTIVE)

ROW(a_test_app_is_tried_after_all_slots, .no_factory = true, .extra = BOOTSEL_SET_TEST, .record = {{1, VALID, false}},
    .corrupt = OTA(0) | OTA(1), .tried = "ota_0 ota_1 test", .reason = BOOTSEL_REASON_REMAINING)

ROW(a_slot_whose_newest_record_is_invalid_does_not_boot_by_an_older_one,
    .record = {{1, VALID, false}, {3, INVALID, false}}, .tried = "factory", .reason = BOOTSEL_REASON_FACTORY)

ROW(an_older_new_record_is_only_a_remaining_slot, .slots = 2, .record = {{1, NEW, false}, {2, VALID, false}},
    .corrupt = OTA(1) | FACTORY, .writes = "W0 seq1 PENDING_VERIFY", .tried = "ota_1 factory ota_0",
    .reason = BOOTSEL_REASON_REMAINING)

/* Improved: sequence number 0 with a matching CRC names slot 0xFFFFFFFF % n in ESP-IDF. */
static void sequence_number_0_is_no_record(void **state)
{
    (void)state;
    bootsel_device_t device;
    device_make(&device, 2, true);
    otadata_encode(device.input.area[0], 0, VALID);
    assert_int_equal(device_boot(&device, NULL), BOOTSEL_SLOT_FACTORY);
    assert_string_equal(device.writes, "");
}

ROW(without_rollback_nothing_is_written_for_a_new_app, .no_rollback = true,
    .record = {{1, VALID, false}, {2, NEW, false}}, .tried = "ota_1", .reason = BOOTSEL_REASON_ACTIVE)

ROW(without_rollback_pending_apps_boot_by_sequence_number, .no_rollback = true,
    .record = {{1, PENDING, false}, {2, PENDING, false}}, .tried = "ota_1", .reason = BOOTSEL_REASON_ACTIVE)

ROW(without_rollback_an_unknown_state_boots, .no_rollback = true, .record = {{1, 7, false}}, .tried = "ota_0",
    .reason = BOOTSEL_REASON_ACTIVE)

ROW(without_rollback_invalid_is_still_avoided, .no_rollback = true, .record = {{1, VALID, false}, {2, INVALID, false}},
    .tried = "ota_0", .reason = BOOTSEL_REASON_ACTIVE)

ROW(without_rollback_aborted_is_still_avoided, .no_rollback = true, .record = {{1, VALID, false}, {2, ABORTED, false}},
    .tried = "ota_0", .reason = BOOTSEL_REASON_ACTIVE)

ROW(without_rollback_a_corrupt_new_app_is_not_written_off, .no_rollback = true,
    .record = {{1, VALID, false}, {2, NEW, false}}, .corrupt = OTA(1), .tried = "ota_1 ota_0",
    .reason = BOOTSEL_REASON_OTHER)

ROW(without_rollback_a_first_boot_is_recorded_too, .no_rollback = true, .no_factory = true, .writes = "W0 seq1 VALID",
    .tried = "ota_0", .reason = BOOTSEL_REASON_INITIAL)

/* Whatever lies in otadata, the decision ends, boots what exists, and writes at most twice. */
static void arbitrary_records_always_end_in_a_boot(void **state)
{
    (void)state;
    uint32_t random = 12345;
    for (int round = 0; round < 20000; round++) {
        bootsel_device_t device;
        device_make(&device, 1 + (random >> 8) % 4, (random & 1) != 0);
        for (uint32_t i = 0; i < 2; i++) {
            random = random * 1664525 + 1013904223;
            uint32_t seq = (random >> 28) < 12 ? (random >> 16) % 8 : random;
            device_set(&device, i, (device_record_t){seq, (random >> 10) % 7, (random >> 5) % 4 == 0});
        }
        device.corrupt = (random >> 12) & device.input.present;
        int slot = device_boot(&device, NULL);
        if (slot != BOOTSEL_SLOT_NONE) {
            assert_true((device.input.present & bootsel_set_of(slot)) != 0);
            assert_true((device.corrupt & bootsel_set_of(slot)) == 0);
            uint32_t recorded;
            assert_true(!bootsel_state(&device.input, slot, &recorded) || recorded != INVALID);
        }
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(blank_otadata_boots_factory),
    cmocka_unit_test(an_undefined_record_boots_its_slot),
    cmocka_unit_test(a_new_app_is_pending_when_it_boots_and_aborted_at_the_next),
    cmocka_unit_test(an_unconfirmed_update_goes_back_to_the_other_slot),
    cmocka_unit_test(a_corrupt_active_app_gives_way_to_the_other),
    cmocka_unit_test(both_slots_corrupt_boots_factory),
    cmocka_unit_test(everything_corrupt_boots_nothing),
    cmocka_unit_test(a_corrupt_active_ota_0_gives_way_to_a_valid_ota_1_before_factory),
    cmocka_unit_test(a_corrupt_active_ota_0_without_factory_gives_way_to_ota_1),
    cmocka_unit_test(a_record_with_a_bad_crc_does_not_count),
    cmocka_unit_test(two_bad_crcs_boot_factory),
    cmocka_unit_test(both_invalid_boots_factory),
    cmocka_unit_test(aborted_and_bad_crc_boots_factory),
    cmocka_unit_test(both_pending_are_both_aborted),
    cmocka_unit_test(a_pending_record_with_a_bad_crc_is_left_alone),
    cmocka_unit_test(equal_sequence_numbers_choose_record_0),
    cmocka_unit_test(sequence_numbers_compare_unsigned),
    cmocka_unit_test(a_new_app_that_does_not_verify_becomes_invalid_in_one_write),
    cmocka_unit_test(a_first_boot_without_factory_records_ota_0_as_valid),
    cmocka_unit_test(a_first_boot_with_an_empty_ota_0_records_ota_1),
    cmocka_unit_test(an_aborted_app_without_factory_gives_way_to_another_slot),
    cmocka_unit_test(an_aborted_app_is_the_last_resort),
    cmocka_unit_test(of_two_aborted_apps_the_newer_is_the_last_resort),
    cmocka_unit_test(of_two_aborted_apps_the_older_follows),
    cmocka_unit_test(an_invalid_app_never_boots),
    cmocka_unit_test(an_invalid_app_never_boots_even_beside_an_aborted_one),
    cmocka_unit_test(both_invalid_with_bad_crcs_without_factory_is_a_first_boot),
    cmocka_unit_test(four_slots_fall_back_to_factory_then_down_then_up),
    cmocka_unit_test(four_slots_prefer_the_other_valid_record),
    cmocka_unit_test(a_slot_behind_a_gap_is_still_reached),
    cmocka_unit_test(without_otadata_factory_boots),
    cmocka_unit_test(without_otadata_and_factory_ota_0_boots_and_nothing_is_written),
    cmocka_unit_test(without_any_slot_factory_boots),
    cmocka_unit_test(an_unknown_state_counts_as_pending),
    cmocka_unit_test(a_test_app_is_tried_after_all_slots),
    cmocka_unit_test(a_slot_whose_newest_record_is_invalid_does_not_boot_by_an_older_one),
    cmocka_unit_test(an_older_new_record_is_only_a_remaining_slot),
    cmocka_unit_test(sequence_number_0_is_no_record),
    cmocka_unit_test(without_rollback_nothing_is_written_for_a_new_app),
    cmocka_unit_test(without_rollback_pending_apps_boot_by_sequence_number),
    cmocka_unit_test(without_rollback_an_unknown_state_boots),
    cmocka_unit_test(without_rollback_invalid_is_still_avoided),
    cmocka_unit_test(without_rollback_aborted_is_still_avoided),
    cmocka_unit_test(without_rollback_a_corrupt_new_app_is_not_written_off),
    cmocka_unit_test(without_rollback_a_first_boot_is_recorded_too),
    cmocka_unit_test(arbitrary_records_always_end_in_a_boot),
};

TEST_MAIN(tests)
