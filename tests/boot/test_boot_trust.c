/* SPDX-License-Identifier: Apache-2.0 */
/* The bootloader with a key store: only what the owner signed boots, nothing older than the floor, and what it burns. */
#include <stdlib.h>

#include "boot/boot.h"
#include "otter/otter_flash_nor.h"
#include "otter/otter_flash_ram.h"
#include "tests/support/key_store_fixture.h"
#include "tests/support/test.h"

#define FLASH_BYTES    0x40000u
#define TABLE_OFFSET   0x8000u
#define OTADATA_OFFSET 0xd000u
#define SLOT_BYTES     0x10000u
#define FACTORY        0x10000u
#define SLOT_0         0x20000u
#define SLOT_1         0x30000u

typedef struct bench {
    uint8_t bytes[FLASH_BYTES];
    otter_flash_ram_t ram;
    otter_flash_nor_t nor;
    otter_flash_t *flash;
    fixture_fuses_t fuses;
    otter_key_store_t *key_store;
    otter_config_t config;
    boot_result_t result;
    size_t loaded_len;
    char log[4096];
    bool dry_run;
} bench_t;

static const fixture_key_t *owner(void)
{
    return fixture_key(TRUST_SCHEME_P256, 0);
}

static const fixture_key_t *second_owner(void)
{
    return fixture_key(TRUST_SCHEME_P384, 0);
}

static const fixture_key_t *stranger(void)
{
    return fixture_key(TRUST_SCHEME_P256, 1);
}

static void put_table(bench_t *bench, bool factory)
{
    ptable_t table = {
        .count = 3,
        .partition = {{PART_TYPE_DATA, PART_SUBTYPE_DATA_OTA, OTADATA_OFFSET, 0x2000, 0, "otadata"},
                      {PART_TYPE_APP, 0x10, SLOT_0, SLOT_BYTES, 0, "ota_0"},
                      {PART_TYPE_APP, 0x11, SLOT_1, SLOT_BYTES, 0, "ota_1"}},
    };
    if (factory) {
        table.partition[table.count++] =
            (ptable_partition_t){PART_TYPE_APP, PART_SUBTYPE_FACTORY, FACTORY, SLOT_BYTES, 0, "factory"};
    }
    assert_int_equal(ptable_build(&table, true, bench->bytes + TABLE_OFFSET), PTABLE_OK);
}

static void put_app(bench_t *bench, uint32_t offset, uint32_t secure_version, const fixture_key_t *signer)
{
    size_t len;
    uint8_t *app = fixture_app(ESP_CHIP_ID_ESP32C3, "1.0.0", secure_version, signer, NULL, &len);
    memset(bench->bytes + offset, 0xFF, SLOT_BYTES);
    memcpy(bench->bytes + offset, app, len);
    free(app);
}

static void put_record(bench_t *bench, uint32_t sector, uint32_t seq, uint32_t state)
{
    memset(bench->bytes + OTADATA_OFFSET + sector * 0x1000, 0xFF, 0x1000);
    otadata_encode(bench->bytes + OTADATA_OFFSET + sector * 0x1000, seq, state);
}

static otadata_record_t record(const bench_t *bench, uint32_t sector)
{
    return otadata_decode(bench->bytes + OTADATA_OFFSET + sector * 0x1000);
}

/* A device without a factory app, with a key store in which nothing is burned. */
static int make(void **state)
{
    bench_t *bench = calloc(1, sizeof(*bench));
    assert_non_null(bench);
    memset(bench->bytes, 0xFF, sizeof(bench->bytes));
    bench->flash =
        otter_flash_nor_init(&bench->nor, otter_flash_ram_init(&bench->ram, bench->bytes, FLASH_BYTES, 0x1000));
    bench->key_store = fixture_fuses(&bench->fuses);
    otter_config_default(&bench->config);
    bench->config.chip_id = ESP_CHIP_ID_ESP32C3;
    put_table(bench, false);
    *state = bench;
    return 0;
}

/* The same with secure boot on and two keys. */
static int make_secure(void **state)
{
    (void)make(state);
    bench_t *bench = *state;
    fixture_burn_key(&bench->fuses, 0, owner());
    fixture_burn_key(&bench->fuses, 1, second_owner());
    fixture_burn_secure_boot(&bench->fuses);
    return 0;
}

static int discard(void **state)
{
    bench_t *bench = *state;
    assert_int_equal(bench->nor.violations, 0);
    free(bench);
    return 0;
}

static esp_err_t keep_reset(void *arg)
{
    ((bench_t *)arg)->loaded_len = 0;
    return ESP_OK;
}

static esp_err_t keep_data(void *arg, uint32_t index, uint32_t off, const uint8_t *bytes, size_t len)
{
    (void)index;
    (void)off;
    (void)bytes;
    ((bench_t *)arg)->loaded_len += len;
    return ESP_OK;
}

static void keep_line(void *arg, boot_log_level_t level, const char *line)
{
    bench_t *bench = arg;
    size_t used = strlen(bench->log);
    (void)snprintf(bench->log + used, sizeof(bench->log) - used, "%d %s\n", (int)level, line);
}

static esp_err_t boot(bench_t *bench)
{
    boot_loader_t loader = {.reset = keep_reset, .data = keep_data, .arg = bench};
    boot_env_t env = {.flash = bench->flash,
                      .key_store = bench->key_store,
                      .config = &bench->config,
                      .loader = &loader,
                      .dry_run = bench->dry_run,
                      .log = keep_line,
                      .log_arg = bench};
    bench->log[0] = '\0';
    return boot_choose(&env, &bench->result);
}

static uint32_t floor_of(const bench_t *bench)
{
    return fixture_trust_state(&bench->fuses).secure_version;
}

/* ---- Signatures ---- */

static void a_signed_app_boots(void **state)
{
    bench_t *bench = *state;
    put_app(bench, SLOT_0, 0, owner());
    assert_err(boot(bench), ESP_OK);
    assert_int_equal(bench->result.slot, 0);
    assert_int_equal(bench->loaded_len, 1280 + 512); /* The padding and the signature are not loaded. */
    assert_true(bench->result.trust.secure_boot);
}

static void an_app_signed_by_either_key_boots(void **state)
{
    bench_t *bench = *state;
    put_app(bench, SLOT_0, 0, second_owner());
    assert_err(boot(bench), ESP_OK);
    assert_int_equal(bench->result.slot, 0);
}

static void expect_refusal(bench_t *bench, image_fault_t fault)
{
    assert_err(boot(bench), ESP_ERR_NOT_FOUND);
    assert_int_equal(bench->result.slot, BOOTSEL_SLOT_NONE);
    assert_true(bench->result.failure_count > 0);
    assert_int_equal(bench->result.failure[0].fault, fault);
    assert_non_null(strstr(bench->log, image_fault_text(fault)));
}

static void an_unsigned_app_does_not_boot(void **state)
{
    bench_t *bench = *state;
    put_app(bench, SLOT_0, 0, NULL);
    put_record(bench, 0, 1, ESP_OTA_IMG_VALID);
    expect_refusal(bench, IMAGE_FAULT_UNSIGNED);
}

static void an_app_signed_by_a_stranger_does_not_boot(void **state)
{
    bench_t *bench = *state;
    put_app(bench, SLOT_0, 0, stranger());
    put_record(bench, 0, 1, ESP_OTA_IMG_VALID);
    expect_refusal(bench, IMAGE_FAULT_SIGNATURE_KEY);
}

static void an_app_signed_by_a_revoked_key_does_not_boot(void **state)
{
    bench_t *bench = *state;
    trust_plan_t plan;
    put_app(bench, SLOT_0, 0, owner());
    assert_err(trust_plan_revoke(bench->fuses.bits, 0, &plan), ESP_OK);
    assert_err(trust_execute(bench->key_store, &plan), ESP_OK);
    expect_refusal(bench, IMAGE_FAULT_SIGNATURE_REVOKED);
}

static void an_app_that_changed_after_it_was_signed_does_not_boot(void **state)
{
    bench_t *bench = *state;
    /* Another app with a hash of its own, and the signature sector of the first one. */
    put_app(bench, SLOT_1, 1, owner());
    put_app(bench, SLOT_0, 0, NULL);
    memcpy(bench->bytes + SLOT_0 + 0x1000, bench->bytes + SLOT_1 + 0x1000, 0x1000);
    memset(bench->bytes + SLOT_1, 0xFF, SLOT_BYTES);
    expect_refusal(bench, IMAGE_FAULT_SIGNATURE);
}

static void an_unsigned_app_gives_way_to_a_signed_one(void **state)
{
    bench_t *bench = *state;
    put_app(bench, SLOT_0, 0, owner());
    put_app(bench, SLOT_1, 0, NULL);
    put_record(bench, 0, 1, ESP_OTA_IMG_VALID);
    put_record(bench, 1, 2, ESP_OTA_IMG_NEW);
    assert_err(boot(bench), ESP_OK);
    assert_int_equal(bench->result.slot, 0);
    assert_int_equal(record(bench, 1).state, ESP_OTA_IMG_INVALID);
}

static void even_as_a_last_resort_an_unsigned_app_does_not_boot(void **state)
{
    bench_t *bench = *state;
    put_app(bench, SLOT_0, 0, NULL);
    put_record(bench, 0, 1, ESP_OTA_IMG_ABORTED);
    assert_err(boot(bench), ESP_ERR_NOT_FOUND);
    assert_int_equal(bench->result.failure_count, 2);
    assert_int_equal(bench->result.failure[1].slot, 0);
    assert_int_equal(bench->result.failure[1].reason, BOOTSEL_REASON_LAST_RESORT);
    assert_int_equal(bench->result.failure[1].fault, IMAGE_FAULT_UNSIGNED);
    put_app(bench, SLOT_0, 0, owner());
    assert_err(boot(bench), ESP_OK);
    assert_int_equal(bench->result.reason, BOOTSEL_REASON_LAST_RESORT);
}

static void an_unsigned_factory_app_does_not_boot(void **state)
{
    bench_t *bench = *state;
    put_table(bench, true);
    put_app(bench, FACTORY, 0, NULL);
    put_app(bench, SLOT_0, 0, owner());
    assert_err(boot(bench), ESP_OK);
    assert_int_equal(bench->result.slot, 0);
    assert_int_equal(bench->result.failure[0].slot, BOOTSEL_SLOT_FACTORY);
    assert_int_equal(bench->result.failure[0].fault, IMAGE_FAULT_UNSIGNED);
}

static void no_configuration_lets_an_unsigned_app_boot(void **state)
{
    bench_t *bench = *state;
    put_app(bench, SLOT_0, 0, NULL);
    bench->config.rollback = false;
    bench->config.allow_http = true;
    bench->config.watchdog_ms = 0;
    bench->config.chip_revision = 65535;
    bench->config.log_level = 0;
    expect_refusal(bench, IMAGE_FAULT_UNSIGNED);
}

static void without_secure_boot_a_signature_is_not_asked_for(void **state)
{
    bench_t *bench = *state;
    fixture_burn_key(&bench->fuses, 0, owner());
    put_app(bench, SLOT_0, 0, NULL);
    assert_err(boot(bench), ESP_OK);
    bench->key_store = NULL;
    assert_err(boot(bench), ESP_OK);
    assert_int_equal(bench->result.slot, 0);
}

static void with_an_unreadable_key_store_nothing_boots(void **state)
{
    bench_t *bench = *state;
    put_app(bench, SLOT_0, 0, owner());
    put_record(bench, 0, 1, ESP_OTA_IMG_VALID);
    bench->fuses.ram.fail_read = true;
    assert_err(boot(bench), ESP_FAIL);
    assert_true(bench->result.key_store_failed);
    assert_int_equal(bench->result.slot, BOOTSEL_SLOT_NONE);
    assert_int_equal(bench->loaded_len, 0);
    assert_non_null(strstr(bench->log, "0 key store: "));
}

static void a_chip_fixed_in_the_key_store_overrides_the_configuration(void **state)
{
    bench_t *bench = *state;
    fixture_burn_chip(&bench->fuses, ESP_CHIP_ID_ESP32C3, 3);
    put_app(bench, SLOT_0, 0, NULL);
    bench->config.chip_id = ESP_CHIP_ID_ESP32S3;
    assert_err(boot(bench), ESP_OK);
    memset(&bench->fuses.bits, 0, sizeof(bench->fuses.bits));
    fixture_burn_chip(&bench->fuses, ESP_CHIP_ID_ESP32S3, 3);
    bench->config.chip_id = ESP_CHIP_ID_ESP32C3;
    expect_refusal(bench, IMAGE_FAULT_CHIP);
}

/* ---- Anti-rollback: what boots ---- */

static void a_downgrade_put_into_the_slot_by_hand_does_not_boot(void **state)
{
    bench_t *bench = *state;
    fixture_burn_version(&bench->fuses, 2);
    put_app(bench, SLOT_0, 1, NULL);
    put_record(bench, 0, 1, ESP_OTA_IMG_VALID);
    expect_refusal(bench, IMAGE_FAULT_SECURE_VERSION);
    put_app(bench, SLOT_0, 2, NULL);
    assert_err(boot(bench), ESP_OK);
}

static void a_downgrade_chosen_by_forged_otadata_falls_through(void **state)
{
    bench_t *bench = *state;
    fixture_burn_version(&bench->fuses, 2);
    put_app(bench, SLOT_0, 1, NULL);
    put_app(bench, SLOT_1, 2, NULL);
    put_record(bench, 0, 5, ESP_OTA_IMG_VALID); /* (5 - 1) % 2 = 0: the old app, as the newest choice. */
    put_record(bench, 1, 2, ESP_OTA_IMG_VALID);
    assert_err(boot(bench), ESP_OK);
    assert_int_equal(bench->result.slot, 1);
    assert_int_equal(bench->result.reason, BOOTSEL_REASON_OTHER);
    assert_int_equal(bench->result.failure[0].fault, IMAGE_FAULT_SECURE_VERSION);
    assert_int_equal(floor_of(bench), 2);
}

static void a_new_app_below_the_floor_becomes_invalid(void **state)
{
    bench_t *bench = *state;
    fixture_burn_version(&bench->fuses, 2);
    put_app(bench, SLOT_0, 2, NULL);
    put_app(bench, SLOT_1, 1, NULL);
    put_record(bench, 0, 1, ESP_OTA_IMG_VALID);
    put_record(bench, 1, 2, ESP_OTA_IMG_NEW);
    assert_err(boot(bench), ESP_OK);
    assert_int_equal(bench->result.slot, 0);
    assert_int_equal(record(bench, 1).state, ESP_OTA_IMG_INVALID);
}

static void even_as_a_last_resort_an_app_below_the_floor_does_not_boot(void **state)
{
    bench_t *bench = *state;
    fixture_burn_version(&bench->fuses, 2);
    put_app(bench, SLOT_0, 1, NULL);
    put_record(bench, 0, 1, ESP_OTA_IMG_ABORTED);
    assert_err(boot(bench), ESP_ERR_NOT_FOUND);
    assert_int_equal(bench->result.failure[1].reason, BOOTSEL_REASON_LAST_RESORT);
    assert_int_equal(bench->result.failure[1].fault, IMAGE_FAULT_SECURE_VERSION);
}

static void with_both_apps_below_the_floor_nothing_boots(void **state)
{
    bench_t *bench = *state;
    fixture_burn_version(&bench->fuses, 2);
    put_app(bench, SLOT_0, 1, NULL);
    put_app(bench, SLOT_1, 0, NULL);
    put_record(bench, 0, 1, ESP_OTA_IMG_VALID);
    put_record(bench, 1, 2, ESP_OTA_IMG_VALID);
    expect_refusal(bench, IMAGE_FAULT_SECURE_VERSION);
    assert_int_equal(bench->result.failure_count, 2);
    assert_int_equal(bench->result.failure[1].fault, IMAGE_FAULT_SECURE_VERSION);
    assert_int_equal(record(bench, 1).state, ESP_OTA_IMG_VALID);
}

static void a_factory_app_below_the_floor_gives_way_to_a_slot_that_is_not_recorded(void **state)
{
    bench_t *bench = *state;
    put_table(bench, true);
    fixture_burn_version(&bench->fuses, 2);
    put_app(bench, FACTORY, 1, NULL);
    put_app(bench, SLOT_0, 3, NULL);
    assert_err(boot(bench), ESP_OK);
    assert_int_equal(bench->result.slot, 0);
    assert_int_equal(bench->result.failure[0].slot, BOOTSEL_SLOT_FACTORY);
    assert_int_equal(bench->result.failure[0].fault, IMAGE_FAULT_SECURE_VERSION);
    assert_true(record(bench, 0).blank);
    assert_int_equal(floor_of(bench), 2);
}

/* ---- Anti-rollback: what is burned ---- */

static void a_valid_app_raises_the_floor(void **state)
{
    bench_t *bench = *state;
    put_app(bench, SLOT_0, 3, NULL);
    put_record(bench, 0, 1, ESP_OTA_IMG_VALID);
    assert_err(boot(bench), ESP_OK);
    assert_int_equal(floor_of(bench), 3);
    assert_int_equal(bench->fuses.ram.burns, 1);
    assert_err(boot(bench), ESP_OK);
    assert_int_equal(bench->fuses.ram.burns, 1); /* Nothing is burned twice. */
}

static void the_first_app_raises_the_floor(void **state)
{
    bench_t *bench = *state;
    put_app(bench, SLOT_0, 3, NULL);
    assert_err(boot(bench), ESP_OK);
    assert_int_equal(bench->result.reason, BOOTSEL_REASON_INITIAL);
    assert_int_equal(record(bench, 0).state, ESP_OTA_IMG_VALID);
    assert_int_equal(floor_of(bench), 3);
}

static void a_valid_app_that_is_fallen_back_to_raises_the_floor(void **state)
{
    bench_t *bench = *state;
    put_app(bench, SLOT_0, 1, NULL);
    put_record(bench, 0, 1, ESP_OTA_IMG_VALID);
    put_record(bench, 1, 2, ESP_OTA_IMG_VALID); /* Its slot is empty. */
    assert_err(boot(bench), ESP_OK);
    assert_int_equal(bench->result.reason, BOOTSEL_REASON_OTHER);
    assert_int_equal(floor_of(bench), 1);
}

static void expect_no_burn(bench_t *bench)
{
    assert_err(boot(bench), ESP_OK);
    assert_int_equal(bench->result.desc.secure_version, 3);
    assert_int_equal(bench->fuses.ram.burns, 0);
    assert_int_equal(floor_of(bench), 0);
}

static void an_unconfirmed_app_does_not_raise_the_floor(void **state)
{
    bench_t *bench = *state;
    put_app(bench, SLOT_0, 3, NULL);
    put_record(bench, 0, 1, ESP_OTA_IMG_NEW);
    expect_no_burn(bench);
    assert_int_equal(record(bench, 0).state, ESP_OTA_IMG_PENDING_VERIFY);
    expect_no_burn(bench); /* Aborted by now, and the last resort. */
    assert_int_equal(bench->result.reason, BOOTSEL_REASON_LAST_RESORT);
}

static void an_app_of_undefined_state_does_not_raise_the_floor(void **state)
{
    bench_t *bench = *state;
    bench->config.rollback = false;
    put_app(bench, SLOT_0, 3, NULL);
    put_record(bench, 0, 1, ESP_OTA_IMG_UNDEFINED);
    expect_no_burn(bench);
}

static void a_factory_app_does_not_raise_the_floor(void **state)
{
    bench_t *bench = *state;
    put_table(bench, true);
    put_app(bench, FACTORY, 3, NULL);
    expect_no_burn(bench);
    assert_int_equal(bench->result.slot, BOOTSEL_SLOT_FACTORY);
}

static void an_app_that_no_record_names_does_not_raise_the_floor(void **state)
{
    bench_t *bench = *state;
    put_app(bench, SLOT_1, 3, NULL);
    put_record(bench, 0, 1, ESP_OTA_IMG_VALID); /* Its slot is empty. */
    expect_no_burn(bench);
    assert_int_equal(bench->result.reason, BOOTSEL_REASON_REMAINING);
}

static void a_dry_run_burns_nothing(void **state)
{
    bench_t *bench = *state;
    put_app(bench, SLOT_0, 3, NULL);
    put_record(bench, 0, 1, ESP_OTA_IMG_VALID);
    bench->dry_run = true;
    expect_no_burn(bench);
}

static void a_version_above_what_a_floor_can_be_raises_it_to_the_end(void **state)
{
    bench_t *bench = *state;
    put_app(bench, SLOT_0, 1000, NULL);
    put_record(bench, 0, 1, ESP_OTA_IMG_VALID);
    assert_err(boot(bench), ESP_OK);
    assert_int_equal(floor_of(bench), TRUST_SECURE_VERSION_MAX);
    assert_err(boot(bench), ESP_OK);
}

static void a_power_cut_at_any_bit_of_the_burn_leaves_a_device_that_boots(void **state)
{
    bench_t *bench = *state;
    put_app(bench, SLOT_0, 7, NULL);
    put_app(bench, SLOT_1, 1, NULL);
    put_record(bench, 0, 3, ESP_OTA_IMG_VALID);
    put_record(bench, 1, 2, ESP_OTA_IMG_VALID);
    for (uint32_t cut = 0; cut < 7; cut++) {
        (void)fixture_fuses(&bench->fuses);
        bench->fuses.ram.cut_armed = true;
        bench->fuses.ram.cut_after = cut;
        assert_err(boot(bench), ESP_OK);
        assert_int_equal(floor_of(bench), cut);
        assert_non_null(strstr(bench->log, "1 the anti-rollback floor cannot be raised"));
        bench->fuses.ram.cut_armed = false;
        assert_err(boot(bench), ESP_OK);
        assert_int_equal(bench->result.slot, 0);
        assert_int_equal(floor_of(bench), 7);
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown(a_signed_app_boots, make_secure, discard),
    cmocka_unit_test_setup_teardown(an_app_signed_by_either_key_boots, make_secure, discard),
    cmocka_unit_test_setup_teardown(an_unsigned_app_does_not_boot, make_secure, discard),
    cmocka_unit_test_setup_teardown(an_app_signed_by_a_stranger_does_not_boot, make_secure, discard),
    cmocka_unit_test_setup_teardown(an_app_signed_by_a_revoked_key_does_not_boot, make_secure, discard),
    cmocka_unit_test_setup_teardown(an_app_that_changed_after_it_was_signed_does_not_boot, make_secure, discard),
    cmocka_unit_test_setup_teardown(an_unsigned_app_gives_way_to_a_signed_one, make_secure, discard),
    cmocka_unit_test_setup_teardown(even_as_a_last_resort_an_unsigned_app_does_not_boot, make_secure, discard),
    cmocka_unit_test_setup_teardown(an_unsigned_factory_app_does_not_boot, make_secure, discard),
    cmocka_unit_test_setup_teardown(no_configuration_lets_an_unsigned_app_boot, make_secure, discard),
    cmocka_unit_test_setup_teardown(without_secure_boot_a_signature_is_not_asked_for, make, discard),
    cmocka_unit_test_setup_teardown(with_an_unreadable_key_store_nothing_boots, make_secure, discard),
    cmocka_unit_test_setup_teardown(a_chip_fixed_in_the_key_store_overrides_the_configuration, make, discard),
    cmocka_unit_test_setup_teardown(a_downgrade_put_into_the_slot_by_hand_does_not_boot, make, discard),
    cmocka_unit_test_setup_teardown(a_downgrade_chosen_by_forged_otadata_falls_through, make, discard),
    cmocka_unit_test_setup_teardown(a_new_app_below_the_floor_becomes_invalid, make, discard),
    cmocka_unit_test_setup_teardown(even_as_a_last_resort_an_app_below_the_floor_does_not_boot, make, discard),
    cmocka_unit_test_setup_teardown(with_both_apps_below_the_floor_nothing_boots, make, discard),
    cmocka_unit_test_setup_teardown(a_factory_app_below_the_floor_gives_way_to_a_slot_that_is_not_recorded, make,
                                    discard),
    cmocka_unit_test_setup_teardown(a_valid_app_raises_the_floor, make, discard),
    cmocka_unit_test_setup_teardown(the_first_app_raises_the_floor, make, discard),
    cmocka_unit_test_setup_teardown(a_valid_app_that_is_fallen_back_to_raises_the_floor, make, discard),
    cmocka_unit_test_setup_teardown(an_unconfirmed_app_does_not_raise_the_floor, make, discard),
    cmocka_unit_test_setup_teardown(an_app_of_undefined_state_does_not_raise_the_floor, make, discard),
    cmocka_unit_test_setup_teardown(a_factory_app_does_not_raise_the_floor, make, discard),
    cmocka_unit_test_setup_teardown(an_app_that_no_record_names_does_not_raise_the_floor, make, discard),
    cmocka_unit_test_setup_teardown(a_dry_run_burns_nothing, make, discard),
    cmocka_unit_test_setup_teardown(a_version_above_what_a_floor_can_be_raises_it_to_the_end, make, discard),
    cmocka_unit_test_setup_teardown(a_power_cut_at_any_bit_of_the_burn_leaves_a_device_that_boots, make, discard),
};

TEST_MAIN(tests)
