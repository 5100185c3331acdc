/* SPDX-License-Identifier: Apache-2.0 */
/* Updates of a device with a key store: what its owner did not sign, or what is older than its floor, is not installed. */
#include <stdlib.h>

#include "tests/device/https_ota_fake.h"
#include "tests/support/key_store_fixture.h"

static fixture_fuses_t fuses;

static const fixture_key_t *owner(void)
{
    return fixture_key(TRUST_SCHEME_P256, 0);
}

/* The running app, signed, as secure version 2. */
static void sign_running(bench_t *bench)
{
    size_t len;
    uint8_t *app = fixture_app(bench_config().chip_id, "1.0.0", 2, owner(), NULL, &len);
    memset(bench->bytes + BENCH_OTA_0, 0xff, BENCH_SLOT_BYTES);
    memcpy(bench->bytes + BENCH_OTA_0, app, len);
    free(app);
}

static void remake(bench_t *bench)
{
    otter_config_t config = bench_config();
    assert_err(esp_event_loop_delete_default(), ESP_OK);
    bench_configure(bench, &config);
}

/* Secure boot on, floor 2. */
static int set_up(void **state)
{
    assert_int_equal(bench_setup(state), 0);
    bench_t *bench = *state;
    bench->key_store = fixture_fuses(&fuses);
    fixture_burn_key(&fuses, 0, owner());
    fixture_burn_secure_boot(&fuses);
    fixture_burn_version(&fuses, 2);
    sign_running(bench);
    remake(bench);
    return 0;
}

static esp_err_t update_to(uint32_t secure_version, const fixture_key_t *signer)
{
    size_t len;
    uint8_t *app = fixture_app(bench_config().chip_id, "2.0.0", secure_version, signer, NULL, &len);
    http_fake_exchange_t answer = {.body = app, .body_len = len};
    fake_answer(&answer);
    esp_err_t err = fake_update();
    free(app);
    return err;
}

static void a_signed_image_is_installed(void **state)
{
    bench_t *bench = *state;
    assert_err(update_to(2, owner()), ESP_OK);
    assert_int_equal(bench_boots(bench), 1);
}

static void an_unsigned_image_is_not_switched_to(void **state)
{
    bench_t *bench = *state;
    assert_err(update_to(2, NULL), ESP_ERR_OTA_VALIDATE_FAILED);
    assert_int_equal(bench_boots(bench), 0);
}

static void an_image_of_a_stranger_is_not_switched_to(void **state)
{
    bench_t *bench = *state;
    assert_err(update_to(2, fixture_key(TRUST_SCHEME_P256, 1)), ESP_ERR_OTA_VALIDATE_FAILED);
    assert_int_equal(bench_boots(bench), 0);
}

static void a_downgrade_offered_by_the_server_is_refused_unwritten(void **state)
{
    bench_t *bench = *state;
    assert_err(update_to(1, owner()), ESP_ERR_OTA_SMALL_SEC_VER);
    assert_int_equal(bench->slot_erases + bench->slot_programs + bench->otadata_changes, 0);
    assert_int_equal(bench_boots(bench), 0);
    assert_err(update_to(3, owner()), ESP_OK);
}

static void an_update_does_not_raise_the_floor(void **state)
{
    (void)state;
    assert_err(update_to(9, owner()), ESP_OK);
    assert_int_equal(fuses.ram.burns, 0);
}

static void a_truncated_signature_sector_is_not_switched_to(void **state)
{
    bench_t *bench = *state;
    size_t len;
    uint8_t *app = fixture_app(bench_config().chip_id, "2.0.0", 2, owner(), NULL, &len);
    http_fake_exchange_t answer = {.body = app, .body_len = len - SIGNATURE_SECTOR_BYTES + 1000};
    fake_answer(&answer);
    assert_err(fake_update(), ESP_ERR_OTA_VALIDATE_FAILED);
    assert_int_equal(bench_boots(bench), 0);
    free(app);
}

static void nothing_is_written_while_the_key_store_cannot_be_read(void **state)
{
    bench_t *bench = *state;
    fuses.ram.fail_read = true;
    assert_err(update_to(9, owner()), ESP_ERR_OTA_SMALL_SEC_VER);
    assert_int_equal(bench->slot_erases + bench->slot_programs + bench->otadata_changes, 0);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown(a_signed_image_is_installed, set_up, fake_teardown),
    cmocka_unit_test_setup_teardown(an_unsigned_image_is_not_switched_to, set_up, fake_teardown),
    cmocka_unit_test_setup_teardown(an_image_of_a_stranger_is_not_switched_to, set_up, fake_teardown),
    cmocka_unit_test_setup_teardown(a_downgrade_offered_by_the_server_is_refused_unwritten, set_up, fake_teardown),
    cmocka_unit_test_setup_teardown(an_update_does_not_raise_the_floor, set_up, fake_teardown),
    cmocka_unit_test_setup_teardown(a_truncated_signature_sector_is_not_switched_to, set_up, fake_teardown),
    cmocka_unit_test_setup_teardown(nothing_is_written_while_the_key_store_cannot_be_read, set_up, fake_teardown),
};

TEST_MAIN(tests)
