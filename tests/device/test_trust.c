/* SPDX-License-Identifier: Apache-2.0 */
/* A device with a key store: secure boot, anti-rollback, revocation. Policy only tightens. */
#include <stdlib.h>

#include "boot/boot.h"
#include "esp_efuse.h"
#include "esp_image_format.h"
#include "esp_secure_boot.h"
#include "tests/device/device_fixture.h"
#include "tests/support/key_store_fixture.h"
#include "tests/support/test.h"

#define CHIP OTTER_CHIP_ID_LINUX_X86_64

static fixture_fuses_t fuses;

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

static void put_signed(device_t *device, const char *label, uint32_t secure_version, const fixture_key_t *first,
                       const fixture_key_t *second)
{
    size_t len;
    uint8_t *app = fixture_app(CHIP, "1.0", secure_version, first, second, &len);
    const ptable_partition_t *partition = ptable_find_label(&device->table, label);
    assert_non_null(partition);
    assert_true(len <= partition->size);
    memset(device->bytes + partition->offset, 0xFF, partition->size);
    memcpy(device->bytes + partition->offset, app, len);
    free(app);
}

/* Restarts into an app of that secure version, as the bootloader would have handed it over. */
static void run_version(device_t *device, const char *label, uint32_t secure_version)
{
    device->config.app_desc.secure_version = secure_version;
    device_run(device, label);
}

/* ota_0 runs, confirmed; nothing is burned. */
static int open_plain(void **state)
{
    device_t *device = device_open(&(device_spec_t){.running = "ota_0"});
    device->config.key_store = fixture_fuses(&fuses);
    device_put_record(device, 0, 1, ESP_OTA_IMG_VALID);
    put_signed(device, "ota_0", 0, owner(), second_owner());
    device_run(device, "ota_0");
    *state = device;
    return 0;
}

/* The same with secure boot on and two keys. */
static int open_secure(void **state)
{
    (void)open_plain(state);
    fixture_burn_key(&fuses, 0, owner());
    fixture_burn_key(&fuses, 1, second_owner());
    fixture_burn_secure_boot(&fuses);
    return 0;
}

static int open_without_key_store(void **state)
{
    *state = device_open(&(device_spec_t){.running = "ota_0"});
    return 0;
}

static int close_device(void **state)
{
    device_close(*state);
    return 0;
}

/* Writes an app to ota_1 as an update does. Returns what esp_ota_end() does. */
static esp_err_t update(uint32_t secure_version, const fixture_key_t *first, const fixture_key_t *second)
{
    size_t len;
    esp_ota_handle_t handle;
    uint8_t *app = fixture_app(CHIP, "2.0", secure_version, first, second, &len);
    assert_err(esp_ota_begin(device_partition("ota_1"), OTA_WITH_SEQUENTIAL_WRITES, &handle), ESP_OK);
    assert_err(esp_ota_write(handle, app, len), ESP_OK);
    free(app);
    return esp_ota_end(handle);
}

static int boot_slot(device_t *device)
{
    boot_result_t result;
    boot_env_t env = {
        .flash = device->config.flash, .key_store = device->config.key_store, .config = &device->config.config};
    return boot_choose(&env, &result) == ESP_OK ? result.slot : BOOTSEL_SLOT_NONE;
}

/* ---- Without key store ---- */

static void without_a_key_store_nothing_is_demanded_and_nothing_can_be_burned(void **state)
{
    device_t *device = *state;
    assert_false(esp_secure_boot_enabled());
    assert_int_equal(esp_efuse_read_secure_version(), 0);
    assert_true(esp_efuse_check_secure_version(0));
    assert_false(esp_efuse_get_digest_revoke(0));
    assert_err(esp_efuse_update_secure_version(1), ESP_ERR_NOT_SUPPORTED);
    assert_err(esp_efuse_set_digest_revoke(0), ESP_ERR_NOT_SUPPORTED);
    assert_err(esp_ota_revoke_secure_boot_public_key(SECURE_BOOT_PUBLIC_KEY_INDEX_0), ESP_FAIL);
    device_put_record(device, 0, 1, ESP_OTA_IMG_PENDING_VERIFY);
    run_version(device, "ota_0", 3);
    assert_err(esp_ota_mark_app_valid_cancel_rollback(), ESP_OK);
    assert_err(update(0, NULL, NULL), ESP_OK);
    assert_err(esp_ota_set_boot_partition(device_partition("ota_1")), ESP_OK);
}

/* ---- Secure boot ---- */

static void a_signed_image_is_installed_and_chosen(void **state)
{
    device_t *device = *state;
    assert_true(esp_secure_boot_enabled());
    assert_err(update(0, owner(), NULL), ESP_OK);
    uint64_t read_bytes = device->recorder.read_bytes;
    assert_err(esp_ota_set_boot_partition(device_partition("ota_1")), ESP_OK);
    assert_true(device->recorder.read_bytes - read_bytes < 1000); /* Verified once. */
    assert_int_equal(boot_slot(device), 1);
}

static void an_unsigned_image_is_refused_at_its_end(void **state)
{
    device_t *device = *state;
    assert_err(update(0, NULL, NULL), ESP_ERR_OTA_VALIDATE_FAILED);
    assert_int_equal(boot_slot(device), 0);
}

static void an_image_signed_by_a_stranger_is_refused_at_its_end(void **state)
{
    device_t *device = *state;
    assert_err(update(0, stranger(), NULL), ESP_ERR_OTA_VALIDATE_FAILED);
    assert_err(update(0, stranger(), second_owner()), ESP_OK);
    assert_int_equal(boot_slot(device), 0);
}

static void an_unsigned_app_put_into_the_slot_by_hand_cannot_be_chosen(void **state)
{
    device_t *device = *state;
    const esp_partition_t *ota_1 = device_partition("ota_1");
    device_put_app(device, "ota_1", "2.0");
    assert_err(esp_ota_set_boot_partition(ota_1), ESP_ERR_OTA_VALIDATE_FAILED);
    assert_err(esp_ota_set_boot_partition_skip_validate(ota_1), ESP_ERR_OTA_VALIDATE_FAILED);
    assert_int_equal(device->recorder.count, 0);
    put_signed(device, "ota_1", 0, owner(), NULL);
    assert_err(esp_ota_set_boot_partition_skip_validate(ota_1), ESP_OK);
    assert_int_equal(boot_slot(device), 1);
}

static void an_unsigned_factory_app_cannot_be_chosen(void **state)
{
    device_t *device = *state;
    device_put_app(device, "factory", "0.9");
    assert_err(esp_ota_set_boot_partition(device_partition("factory")), ESP_ERR_OTA_VALIDATE_FAILED);
    put_signed(device, "factory", 0, owner(), NULL);
    assert_err(esp_ota_set_boot_partition(device_partition("factory")), ESP_OK);
}

static void an_unsigned_app_is_no_way_back(void **state)
{
    device_t *device = *state;
    device_put_app(device, "ota_1", "2.0");
    device_put_record(device, 1, 2, ESP_OTA_IMG_VALID);
    assert_false(esp_ota_check_rollback_is_possible());
    assert_err(esp_ota_mark_app_invalid_rollback(), ESP_ERR_OTA_ROLLBACK_FAILED);
    put_signed(device, "ota_1", 0, owner(), NULL);
    assert_true(esp_ota_check_rollback_is_possible());
}

static void an_image_is_verified_with_its_signature_wherever_it_lies(void **state)
{
    device_t *device = *state;
    const esp_partition_t *ota_1 = device_partition("ota_1");
    esp_partition_pos_t pos = {.offset = ota_1->address, .size = ota_1->size};
    esp_image_metadata_t data;
    put_signed(device, "ota_1", 4, owner(), NULL);
    assert_err(esp_image_verify(ESP_IMAGE_VERIFY, &pos, &data), ESP_OK);
    assert_int_equal(data.secure_version, 4);
    device_put_app(device, "ota_1", "2.0");
    assert_err(esp_image_verify(ESP_IMAGE_VERIFY_SILENT, &pos, &data), ESP_ERR_IMAGE_INVALID);
    assert_err(esp_image_get_metadata(&pos, &data), ESP_OK); /* Judges nothing. */
    assert_true(data.image_len > 0);
}

static void a_revocation_after_the_verification_counts(void **state)
{
    device_t *device = *state;
    assert_err(update(0, second_owner(), NULL), ESP_OK);
    assert_err(esp_ota_revoke_secure_boot_public_key(SECURE_BOOT_PUBLIC_KEY_INDEX_1), ESP_OK);
    assert_err(esp_ota_set_boot_partition(device_partition("ota_1")), ESP_ERR_OTA_VALIDATE_FAILED);
    assert_int_equal(boot_slot(device), 0);
}

static void secure_boot_that_is_turned_on_after_the_verification_counts(void **state)
{
    (void)state;
    assert_err(update(0, NULL, NULL), ESP_OK);
    fixture_burn_key(&fuses, 0, owner());
    fixture_burn_secure_boot(&fuses);
    assert_err(esp_ota_set_boot_partition(device_partition("ota_1")), ESP_ERR_OTA_VALIDATE_FAILED);
}

/* ---- Policy only tightens ---- */

static void no_configuration_turns_secure_boot_off(void **state)
{
    device_t *device = *state;
    for (unsigned i = 0; i < 8; i++) {
        otter_config_t *config = &device->config.config;
        config->rollback = (i & 1) != 0;
        config->allow_http = (i & 2) != 0;
        config->chip_revision = (i & 4) != 0 ? 65535 : 0;
        config->watchdog_ms = i * 1000;
        config->log_level = i % 6;
        device_run(device, "ota_0");
        assert_true(esp_secure_boot_enabled());
        assert_err(update(0, NULL, NULL), ESP_ERR_OTA_VALIDATE_FAILED);
        assert_int_equal(boot_slot(device), 0);
    }
}

static void no_configuration_lowers_the_floor(void **state)
{
    device_t *device = *state;
    fixture_burn_version(&fuses, 5);
    for (unsigned i = 0; i < 4; i++) {
        device->config.config.rollback = (i & 1) != 0;
        device->config.config.allow_http = (i & 2) != 0;
        run_version(device, "ota_0", 1);
        assert_int_equal(esp_efuse_read_secure_version(), 5);
        assert_err(update(4, NULL, NULL), ESP_ERR_OTA_VALIDATE_FAILED);
        assert_err(esp_ota_mark_app_valid_cancel_rollback(), ESP_OK); /* An older app confirms: the floor stays. */
        assert_int_equal(esp_efuse_read_secure_version(), 5);
    }
}

static void the_floor_rises_and_never_falls(void **state)
{
    (void)state;
    assert_int_equal(esp_efuse_read_secure_version(), 0);
    assert_err(esp_efuse_update_secure_version(4), ESP_OK);
    assert_int_equal(esp_efuse_read_secure_version(), 4);
    assert_true(esp_efuse_check_secure_version(4));
    assert_true(esp_efuse_check_secure_version(5));
    assert_false(esp_efuse_check_secure_version(3));
    assert_int_equal(fuses.ram.burns, 1);
    assert_err(esp_efuse_update_secure_version(4), ESP_OK);
    assert_int_equal(fuses.ram.burns, 1);
    assert_err(esp_efuse_update_secure_version(3), ESP_FAIL);
    assert_err(esp_efuse_update_secure_version(0), ESP_FAIL);
    assert_err(esp_efuse_update_secure_version(33), ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_efuse_read_secure_version(), 4);
    assert_err(esp_efuse_update_secure_version(32), ESP_OK);
    assert_int_equal(esp_efuse_read_secure_version(), 32);
}

static void a_revoked_key_stays_revoked(void **state)
{
    (void)state;
    assert_false(esp_efuse_get_digest_revoke(1));
    assert_err(esp_efuse_set_digest_revoke(1), ESP_OK);
    assert_true(esp_efuse_get_digest_revoke(1));
    assert_err(esp_efuse_set_digest_revoke(1), ESP_OK);
    assert_int_equal(fuses.ram.burns, 1);
    assert_true(esp_efuse_get_digest_revoke(1));
    assert_false(esp_efuse_get_digest_revoke(0));
    assert_err(esp_efuse_set_digest_revoke(3), ESP_ERR_INVALID_ARG);
    assert_true(esp_efuse_get_digest_revoke(3));
}

static void the_last_key_cannot_be_revoked(void **state)
{
    (void)state;
    assert_err(esp_efuse_set_digest_revoke(1), ESP_OK);
    assert_err(esp_efuse_set_digest_revoke(0), ESP_ERR_NOT_ALLOWED);
    assert_false(esp_efuse_get_digest_revoke(0));
}

static void an_unreadable_key_store_trusts_nothing(void **state)
{
    device_t *device = *state;
    put_signed(device, "ota_1", 9, owner(), NULL);
    const esp_partition_t *ota_1 = device_partition("ota_1");
    esp_partition_pos_t pos = {.offset = ota_1->address, .size = ota_1->size};
    esp_image_metadata_t data;
    fuses.ram.fail_read = true;
    assert_true(esp_secure_boot_enabled());
    assert_int_equal(esp_efuse_read_secure_version(), UINT32_MAX);
    assert_false(esp_efuse_check_secure_version(UINT32_MAX));
    assert_true(esp_efuse_get_digest_revoke(0));
    assert_err(esp_image_verify(ESP_IMAGE_VERIFY, &pos, &data), ESP_FAIL);
    assert_err(esp_ota_set_boot_partition(ota_1), ESP_ERR_OTA_VALIDATE_FAILED);
    assert_err(esp_ota_set_boot_partition_skip_validate(ota_1), ESP_ERR_OTA_VALIDATE_FAILED);
    assert_err(update(9, owner(), NULL), ESP_ERR_OTA_VALIDATE_FAILED);
    assert_false(esp_ota_check_rollback_is_possible());
    assert_err(esp_ota_revoke_secure_boot_public_key(SECURE_BOOT_PUBLIC_KEY_INDEX_0), ESP_FAIL);
    assert_err(esp_efuse_update_secure_version(1), ESP_FAIL);
    assert_err(esp_efuse_set_digest_revoke(0), ESP_FAIL);
    assert_int_equal(fuses.ram.burns, 0);
}

static void a_chip_fixed_in_the_key_store_overrides_the_configuration(void **state)
{
    device_t *device = *state;
    esp_image_header_t header = {.magic = ESP_IMAGE_HEADER_MAGIC, .chip_id = (esp_chip_id_t)CHIP};
    fixture_burn_chip(&fuses, CHIP, 7);
    device->config.config.chip_id = ESP_CHIP_ID_ESP32C3;
    device->config.config.chip_revision = 65535;
    device_run(device, "ota_0");
    assert_err(update(0, NULL, NULL), ESP_OK);
    assert_err(esp_ota_check_image_validity(ESP_PARTITION_TYPE_APP, &header, NULL), ESP_OK);
    header.min_chip_rev_full = 8;
    assert_err(esp_ota_check_image_validity(ESP_PARTITION_TYPE_APP, &header, NULL), ESP_ERR_INVALID_VERSION);
    header.min_chip_rev_full = 0;
    header.chip_id = ESP_CHIP_ID_ESP32C3;
    assert_err(esp_ota_check_image_validity(ESP_PARTITION_TYPE_APP, &header, NULL), ESP_ERR_INVALID_VERSION);
}

/* ---- Anti-rollback ---- */

static void a_downgrade_is_refused_at_its_end(void **state)
{
    (void)state;
    fixture_burn_version(&fuses, 2);
    assert_err(update(1, NULL, NULL), ESP_ERR_OTA_VALIDATE_FAILED);
    assert_err(update(2, NULL, NULL), ESP_OK);
}

static void a_downgrade_put_into_the_slot_by_hand_cannot_be_chosen_and_stays_there(void **state)
{
    device_t *device = *state;
    const esp_partition_t *ota_1 = device_partition("ota_1");
    fixture_burn_version(&fuses, 2);
    put_signed(device, "ota_1", 1, NULL, NULL);
    assert_err(esp_ota_set_boot_partition(ota_1), ESP_ERR_OTA_SMALL_SEC_VER);
    assert_err(esp_ota_set_boot_partition_skip_validate(ota_1), ESP_ERR_OTA_SMALL_SEC_VER);
    assert_int_equal(device->recorder.count, 0); /* ESP-IDF erases the partition. */
    put_signed(device, "ota_1", 2, NULL, NULL);
    assert_err(esp_ota_set_boot_partition_skip_validate(ota_1), ESP_OK);
}

static void a_downgrade_is_no_way_back(void **state)
{
    device_t *device = *state;
    fixture_burn_version(&fuses, 2);
    put_signed(device, "ota_1", 1, NULL, NULL);
    device_put_record(device, 1, 2, ESP_OTA_IMG_VALID);
    put_signed(device, "factory", 1, NULL, NULL);
    assert_false(esp_ota_check_rollback_is_possible());
    put_signed(device, "factory", 2, NULL, NULL);
    assert_true(esp_ota_check_rollback_is_possible());
}

static void a_floor_that_rises_after_the_verification_counts(void **state)
{
    (void)state;
    assert_err(update(1, NULL, NULL), ESP_OK);
    assert_err(esp_efuse_update_secure_version(2), ESP_OK);
    assert_err(esp_ota_set_boot_partition(device_partition("ota_1")), ESP_ERR_OTA_SMALL_SEC_VER);
}

/* ota_1 runs as version 3, unconfirmed; the way back is ota_0 of version 1, the floor. */
static void run_unconfirmed(device_t *device)
{
    fixture_fuses(&fuses);
    fixture_burn_version(&fuses, 1);
    put_signed(device, "ota_0", 1, NULL, NULL);
    put_signed(device, "ota_1", 3, NULL, NULL);
    device_put_record(device, 0, 1, ESP_OTA_IMG_VALID);
    device_put_record(device, 1, 2, ESP_OTA_IMG_PENDING_VERIFY);
    device_clear_events(device);
    run_version(device, "ota_1", 3);
}

static void a_confirmation_raises_the_floor_to_the_running_apps_version(void **state)
{
    device_t *device = *state;
    run_unconfirmed(device);
    assert_int_equal(esp_efuse_read_secure_version(), 1);
    assert_err(esp_ota_mark_app_valid_cancel_rollback(), ESP_OK);
    assert_int_equal(esp_efuse_read_secure_version(), 3);
    assert_int_equal(fuses.ram.burns, 1);
    assert_err(esp_ota_mark_app_valid_cancel_rollback(), ESP_OK);
    assert_int_equal(fuses.ram.burns, 1);
}

static void a_confirmation_that_fails_burns_nothing(void **state)
{
    device_t *device = *state;
    run_unconfirmed(device);
    device->recorder.fail_erase = 1;
    assert_err(esp_ota_mark_app_valid_cancel_rollback(), ESP_ERR_FLASH_OP_FAIL);
    assert_int_equal(device->recorder.failures_done, 1);
    assert_int_equal(fuses.ram.burns, 0);
}

static void an_app_that_refuses_itself_burns_nothing(void **state)
{
    device_t *device = *state;
    run_unconfirmed(device);
    assert_err(esp_ota_mark_app_invalid_rollback(), ESP_OK);
    assert_int_equal(fuses.ram.burns, 0);
    assert_int_equal(boot_slot(device), 0);
}

static void a_factory_app_burns_nothing(void **state)
{
    device_t *device = *state;
    run_version(device, "factory", 3);
    assert_err(esp_ota_mark_app_valid_cancel_rollback(), ESP_FAIL);
    assert_int_equal(fuses.ram.burns, 0);
}

static void a_confirmed_app_whose_floor_cannot_be_burned_says_so_and_the_bootloader_burns_it(void **state)
{
    device_t *device = *state;
    run_unconfirmed(device);
    fuses.ram.cut_armed = true;
    assert_err(esp_ota_mark_app_valid_cancel_rollback(), ESP_FAIL);
    assert_int_equal(fuses.ram.burns, 1);
    assert_int_equal(device_record(device, 1).state, ESP_OTA_IMG_VALID);
    fuses.ram.cut_armed = false;
    assert_int_equal(boot_slot(device), 1);
    assert_int_equal(esp_efuse_read_secure_version(), 3);
}

/* The device must boot, and once it has confirmed, it must not be able to go back. */
static void check_after_cut(device_t *device)
{
    device->recorder.cut_armed = false;
    fuses.ram.cut_armed = false;
    int slot = boot_slot(device);
    assert_true(slot == 0 || slot == 1);
    assert_int_equal(esp_efuse_read_secure_version(), slot == 1 ? 3 : 1);
}

static void a_power_cut_anywhere_in_a_confirmation_leaves_a_device_that_boots(void **state)
{
    device_t *device = *state;
    uint32_t cuts = 0;
    bool cut = true;
    for (uint32_t after = 0; cut; after++) {
        run_unconfirmed(device);
        uint32_t failures = device->recorder.failures_done;
        device->recorder.cut_armed = true;
        device->recorder.cut_after = after;
        cut = esp_ota_mark_app_valid_cancel_rollback() != ESP_OK;
        assert_int_equal(cut, device->recorder.failures_done > failures);
        cuts += cut ? 1 : 0;
        check_after_cut(device);
    }
    assert_true(cuts >= 3); /* Erase, program, sync. */
    for (uint32_t after = 0; after < 2; after++) {
        run_unconfirmed(device);
        fuses.ram.cut_armed = true;
        fuses.ram.cut_after = after;
        assert_err(esp_ota_mark_app_valid_cancel_rollback(), ESP_FAIL);
        assert_int_equal(esp_efuse_read_secure_version(), 1 + after);
        check_after_cut(device);
    }
}

/* ---- Revocation ---- */

static esp_err_t revoke(int index)
{
    return esp_ota_revoke_secure_boot_public_key((esp_ota_secure_boot_public_key_index_t)index);
}

static void a_key_that_the_running_app_does_not_need_is_revoked(void **state)
{
    device_t *device = *state;
    assert_err(revoke(0), ESP_OK);
    assert_true(esp_efuse_get_digest_revoke(0));
    assert_int_equal(boot_slot(device), 0);
    assert_err(update(0, owner(), NULL), ESP_ERR_OTA_VALIDATE_FAILED);
    assert_err(update(0, second_owner(), NULL), ESP_OK);
}

static void a_key_that_is_revoked_already_costs_no_burn(void **state)
{
    (void)state;
    assert_err(revoke(0), ESP_OK);
    assert_int_equal(fuses.ram.burns, 1);
    assert_err(revoke(0), ESP_OK);
    assert_int_equal(fuses.ram.burns, 1);
}

static void expect_no_revocation(int index, esp_err_t err)
{
    assert_err(revoke(index), err);
    assert_int_equal(fuses.ram.burns, 0);
}

static void the_only_key_of_the_running_app_is_not_revoked(void **state)
{
    device_t *device = *state;
    put_signed(device, "ota_0", 0, owner(), NULL);
    expect_no_revocation(0, ESP_FAIL);
    put_signed(device, "ota_0", 0, owner(), stranger());
    expect_no_revocation(0, ESP_FAIL);
    assert_err(revoke(1), ESP_OK);
}

static void without_secure_boot_no_key_is_revoked(void **state)
{
    (void)state;
    fixture_burn_key(&fuses, 0, owner());
    expect_no_revocation(0, ESP_FAIL);
}

static void a_key_with_no_such_number_is_not_revoked(void **state)
{
    (void)state;
    expect_no_revocation(3, ESP_ERR_INVALID_ARG);
    expect_no_revocation(-1, ESP_ERR_INVALID_ARG);
}

static void an_unconfirmed_app_revokes_no_key(void **state)
{
    device_t *device = *state;
    static const uint32_t states[] = {ESP_OTA_IMG_NEW, ESP_OTA_IMG_PENDING_VERIFY, ESP_OTA_IMG_UNDEFINED};
    for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
        device_put_record(device, 0, 1, states[i]);
        expect_no_revocation(0, ESP_FAIL);
    }
    put_signed(device, "factory", 0, owner(), second_owner());
    device_run(device, "factory");
    expect_no_revocation(0, ESP_FAIL);
    device_run(device, NULL);
    expect_no_revocation(0, ESP_FAIL);
}

static void without_rollback_any_running_app_may_revoke(void **state)
{
    device_t *device = *state;
    device->config.config.rollback = false;
    device_put_record(device, 0, 1, ESP_OTA_IMG_UNDEFINED);
    device_run(device, "ota_0");
    assert_err(revoke(0), ESP_OK);
}

static void a_revocation_that_cannot_be_burned_says_so(void **state)
{
    (void)state;
    fuses.ram.cut_armed = true;
    assert_err(revoke(0), ESP_FAIL);
    assert_int_equal(fuses.ram.burns, 1);
    assert_false(esp_efuse_get_digest_revoke(0));
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown(without_a_key_store_nothing_is_demanded_and_nothing_can_be_burned,
                                    open_without_key_store, close_device),
    cmocka_unit_test_setup_teardown(a_signed_image_is_installed_and_chosen, open_secure, close_device),
    cmocka_unit_test_setup_teardown(an_unsigned_image_is_refused_at_its_end, open_secure, close_device),
    cmocka_unit_test_setup_teardown(an_image_signed_by_a_stranger_is_refused_at_its_end, open_secure, close_device),
    cmocka_unit_test_setup_teardown(an_unsigned_app_put_into_the_slot_by_hand_cannot_be_chosen, open_secure,
                                    close_device),
    cmocka_unit_test_setup_teardown(an_unsigned_factory_app_cannot_be_chosen, open_secure, close_device),
    cmocka_unit_test_setup_teardown(an_unsigned_app_is_no_way_back, open_secure, close_device),
    cmocka_unit_test_setup_teardown(an_image_is_verified_with_its_signature_wherever_it_lies, open_secure,
                                    close_device),
    cmocka_unit_test_setup_teardown(a_revocation_after_the_verification_counts, open_secure, close_device),
    cmocka_unit_test_setup_teardown(secure_boot_that_is_turned_on_after_the_verification_counts, open_plain,
                                    close_device),
    cmocka_unit_test_setup_teardown(no_configuration_turns_secure_boot_off, open_secure, close_device),
    cmocka_unit_test_setup_teardown(no_configuration_lowers_the_floor, open_plain, close_device),
    cmocka_unit_test_setup_teardown(the_floor_rises_and_never_falls, open_plain, close_device),
    cmocka_unit_test_setup_teardown(a_revoked_key_stays_revoked, open_secure, close_device),
    cmocka_unit_test_setup_teardown(the_last_key_cannot_be_revoked, open_secure, close_device),
    cmocka_unit_test_setup_teardown(an_unreadable_key_store_trusts_nothing, open_secure, close_device),
    cmocka_unit_test_setup_teardown(a_chip_fixed_in_the_key_store_overrides_the_configuration, open_plain,
                                    close_device),
    cmocka_unit_test_setup_teardown(a_downgrade_is_refused_at_its_end, open_plain, close_device),
    cmocka_unit_test_setup_teardown(a_downgrade_put_into_the_slot_by_hand_cannot_be_chosen_and_stays_there, open_plain,
                                    close_device),
    cmocka_unit_test_setup_teardown(a_downgrade_is_no_way_back, open_plain, close_device),
    cmocka_unit_test_setup_teardown(a_floor_that_rises_after_the_verification_counts, open_plain, close_device),
    cmocka_unit_test_setup_teardown(a_confirmation_raises_the_floor_to_the_running_apps_version, open_plain,
                                    close_device),
    cmocka_unit_test_setup_teardown(a_confirmation_that_fails_burns_nothing, open_plain, close_device),
    cmocka_unit_test_setup_teardown(an_app_that_refuses_itself_burns_nothing, open_plain, close_device),
    cmocka_unit_test_setup_teardown(a_factory_app_burns_nothing, open_plain, close_device),
    cmocka_unit_test_setup_teardown(a_confirmed_app_whose_floor_cannot_be_burned_says_so_and_the_bootloader_burns_it,
                                    open_plain, close_device),
    cmocka_unit_test_setup_teardown(a_power_cut_anywhere_in_a_confirmation_leaves_a_device_that_boots, open_plain,
                                    close_device),
    cmocka_unit_test_setup_teardown(a_key_that_the_running_app_does_not_need_is_revoked, open_secure, close_device),
    cmocka_unit_test_setup_teardown(a_key_that_is_revoked_already_costs_no_burn, open_secure, close_device),
    cmocka_unit_test_setup_teardown(the_only_key_of_the_running_app_is_not_revoked, open_secure, close_device),
    cmocka_unit_test_setup_teardown(without_secure_boot_no_key_is_revoked, open_plain, close_device),
    cmocka_unit_test_setup_teardown(a_key_with_no_such_number_is_not_revoked, open_secure, close_device),
    cmocka_unit_test_setup_teardown(an_unconfirmed_app_revokes_no_key, open_secure, close_device),
    cmocka_unit_test_setup_teardown(without_rollback_any_running_app_may_revoke, open_secure, close_device),
    cmocka_unit_test_setup_teardown(a_revocation_that_cannot_be_burned_says_so, open_secure, close_device),
};

TEST_MAIN(tests)
