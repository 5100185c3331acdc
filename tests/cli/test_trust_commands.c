/* SPDX-License-Identifier: Apache-2.0 */
/* Devices with a key store: made by flash create --key, shown by flash info, heeded by ota. */
#include <stdlib.h>
#include <unistd.h>

#include "otter/otter_key_store_file.h"
#include "tests/cli/cli_bench.h"

/* Keys "owner.pem", "other.pem", apps "app.bin", "signed.bin" (by the owner) and "both.bin". */
static int enter(void **state)
{
    int status = bench_enter(state);
    bench_app("app.bin", "1.0");
    assert_otter(0, "key new p256 -o owner.pem");
    assert_otter(0, "key new p384 -o other.pem");
    assert_otter(0, "image sign app.bin -o signed.bin --key owner.pem");
    assert_otter(0, "image sign app.bin -o both.bin --key owner.pem --key other.pem");
    return status;
}

/* Digest of a key; valid until the next call. */
static const char *digest_of(const char *key)
{
    static char digest[65];
    assert_otter(0, "key digest %s", key);
    snprintf(digest, sizeof(digest), "%.64s", said.out);
    return digest;
}

static void burn_version(uint32_t bits)
{
    otter_key_store_file_t file;
    uint8_t bytes[4] = {(uint8_t)bits, (uint8_t)(bits >> 8), 0, 0};
    assert_err(otter_key_store_file_open(&file, "f.bin.efuse", true), ESP_OK);
    assert_err(otter_key_store_burn(&file.base, 4, bytes, sizeof(bytes)), ESP_OK);
    otter_key_store_file_close(&file);
}

static void create_with_a_key_turns_secure_boot_on(void **state)
{
    (void)state;
    assert_otter(0, "flash create f.bin --size 1M --key owner.pem --app signed.bin");
    assert_otter(0, "flash info f.bin --json");
    json_t *facts = said_json();
    assert_true(json_is_true(json_at(facts, "key_store", "secure_boot")));
    assert_int_equal(json_integer_value(json_at(facts, "key_store", "secure_version")), 0);
    json_t *key = json_array_get(json_at(facts, "key_store", "keys"), 0);
    assert_string_equal(json_text(key, "scheme"), "p256");
    json_t *app = json_row(facts, "apps", "partition", "ota_0");
    assert_true(json_is_true(json_object_get(app, "valid")));
    assert_int_equal(json_array_size(json_object_get(app, "signed_by")), 1);
    const char *digest = digest_of("owner.pem");
    assert_string_equal(json_text(key, "key_digest"), digest);
    assert_string_equal(json_string_value(json_array_get(json_object_get(app, "signed_by"), 0)), digest);
    assert_otter(0, "flash info f.bin");
    assert_says(said.out, "Secure boot: on, anti-rollback floor 0 (f.bin.efuse)");
    json_decref(facts);
}

static void create_takes_the_public_half_of_up_to_three_keys(void **state)
{
    (void)state;
    assert_otter(0, "key new p256 -o third-private.pem --public third.pem");
    assert_otter(0, "key new p256 -o fourth.pem");
    assert_otter(2, "flash create f.bin --size 1M --key owner.pem --key other.pem --key third.pem --key fourth.pem");
    assert_says(said.err, "at most 3 keys");
    assert_false(bench_exists("f.bin"));
    assert_false(bench_exists("f.bin.efuse"));
    assert_otter(0, "flash create f.bin --size 1M --key owner.pem --key other.pem --key third.pem --app both.bin");
    assert_otter(0, "flash info f.bin --json");
    json_t *facts = said_json();
    assert_int_equal(json_array_size(json_at(facts, "key_store", "keys")), 3);
    json_t *app = json_row(facts, "apps", "partition", "ota_0");
    assert_int_equal(json_array_size(json_object_get(app, "signed_by")), 2);
    json_decref(facts);
}

static void create_refuses_an_app_that_the_device_would_not_boot(void **state)
{
    (void)state;
    assert_otter(1, "flash create f.bin --size 1M --key owner.pem --app app.bin");
    assert_says(said.err, "app.bin: no valid app image: not signed");
    assert_otter(1, "flash create f.bin --size 1M --key other.pem --app signed.bin");
    assert_false(bench_exists("f.bin"));
    assert_false(bench_exists("f.bin.efuse"));
}

static void create_refuses_what_is_no_key(void **state)
{
    (void)state;
    assert_otter(1, "flash create f.bin --size 1M --key app.bin");
    assert_says(said.err, "app.bin: ");
    assert_otter(1, "flash create f.bin --size 1M --key owner.pem --key owner.pem");
    assert_says(said.err, "the same key was given before");
    assert_false(bench_exists("f.bin.efuse"));
}

static void a_key_store_outlives_the_contents_of_the_flash(void **state)
{
    (void)state;
    assert_otter(0, "flash create f.bin --size 1M --key owner.pem --app signed.bin");
    burn_version(0x7);
    assert_otter(1, "flash create f.bin --size 1M --force --app app.bin");
    assert_otter(0, "flash create f.bin --size 1M --force");
    assert_says(said.err, "f.bin.efuse stays: secure boot is on");
    assert_otter(1, "flash create f.bin --size 1M --force --key other.pem");
    assert_says(said.err, "f.bin.efuse trusts other keys already");
    assert_otter(0, "flash create f.bin --size 1M --force --key owner.pem");
    assert_otter(0, "flash info f.bin");
    assert_says(said.out, "Secure boot: on, anti-rollback floor 3 (f.bin.efuse)");
}

static void a_flash_file_without_key_store_has_secure_boot_off(void **state)
{
    (void)state;
    assert_otter(0, "flash create f.bin --size 1M --app signed.bin");
    assert_false(bench_exists("f.bin.efuse"));
    assert_otter(0, "flash info f.bin");
    assert_says(said.out, "Secure boot: off (no key store)");
    assert_says(said.out, "  yes    -        "); /* Whoever signed it is shown all the same. */
    assert_otter(0, "flash info f.bin --json");
    json_t *facts = said_json();
    assert_true(json_is_null(json_object_get(facts, "key_store")));
    json_t *app = json_row(facts, "apps", "partition", "ota_0");
    assert_int_equal(json_array_size(json_object_get(app, "signed_by")), 1);
    json_decref(facts);
}

static void another_name_for_the_flash_does_not_hide_its_key_store(void **state)
{
    (void)state;
    assert_otter(0, "flash create f.bin --size 1M --key owner.pem");
    assert_int_equal(symlink("f.bin", "link.bin"), 0);
    assert_otter(0, "flash info link.bin");
    assert_says(said.out, "Secure boot: on");
}

static void a_key_store_can_lie_elsewhere(void **state)
{
    (void)state;
    assert_otter(0, "flash create f.bin --size 1M --key owner.pem --key-store fuses");
    assert_true(bench_exists("fuses"));
    assert_false(bench_exists("f.bin.efuse"));
    assert_otter(0, "flash info f.bin --key-store fuses");
    assert_says(said.out, "Secure boot: on");
    assert_otter(1, "flash info f.bin --key-store missing");
    assert_says(said.err, "there is no key store missing");
    assert_otter(2, "flash create g.bin --size 1M --key-store missing");
}

static void a_damaged_key_store_is_an_error_everywhere(void **state)
{
    (void)state;
    static const char *const commands[] = {
        "flash info f.bin",
        "ota status f.bin",
        "ota switch f.bin ota_0",
        "ota confirm f.bin",
        "boot f.bin --once",
        "ota invalidate f.bin",
        "flash create f.bin --force --size 1M",
    };
    assert_otter(0, "flash create f.bin --size 1M --key owner.pem --app signed.bin");
    assert_int_equal(truncate("f.bin.efuse", 255), 0);
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        assert_otter(1, "%s", commands[i]);
        assert_says(said.err, "f.bin.efuse is damaged");
    }
}

static void an_unsigned_app_written_by_hand_is_shown_and_not_switched_to(void **state)
{
    (void)state;
    assert_otter(0, "flash create f.bin --size 1M --key owner.pem --app signed.bin");
    assert_otter(0, "flash write f.bin ota_1 app.bin");
    assert_otter(0, "flash info f.bin --json");
    json_t *facts = said_json();
    json_t *app = json_row(facts, "apps", "partition", "ota_1");
    assert_true(json_is_false(json_object_get(app, "valid")));
    assert_string_equal(json_text(app, "problem"), "not signed");
    json_decref(facts);
    assert_otter(1, "ota switch f.bin ota_1");
    assert_says(said.err, "not signed as this device demands");
    assert_otter(0, "flash write f.bin ota_1 both.bin");
    assert_otter(0, "ota switch f.bin ota_1");
}

static void a_downgrade_is_shown_and_not_switched_to(void **state)
{
    (void)state;
    assert_otter(0, "flash create f.bin --size 1M --key owner.pem --app signed.bin");
    burn_version(0x1);
    assert_otter(1, "ota switch f.bin ota_0");
    assert_says(said.err, "secure version is below the device's floor");
    assert_otter(0, "ota status f.bin");
    assert_says(said.out, "Boots: nothing");
}

static void confirming_raises_the_floor(void **state)
{
    (void)state;
    fixture_image_t spec = FIXTURE_IMAGE_FOR(bench_chip(), "trust", "2.0");
    spec.secure_version = 3;
    bench_image("new.bin", &spec);
    assert_otter(0, "image sign new.bin -o new-signed.bin --key owner.pem");
    assert_otter(0, "flash create f.bin --size 1M --key owner.pem --app new-signed.bin");
    assert_otter(0, "ota switch f.bin ota_0");
    assert_otter(0, "flash info f.bin");
    assert_says(said.out, "anti-rollback floor 0");
    assert_otter(0, "ota confirm f.bin");
    assert_otter(0, "flash info f.bin");
    assert_says(said.out, "anti-rollback floor 3");
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown(confirming_raises_the_floor, enter, bench_leave),
    cmocka_unit_test_setup_teardown(create_with_a_key_turns_secure_boot_on, enter, bench_leave),
    cmocka_unit_test_setup_teardown(create_takes_the_public_half_of_up_to_three_keys, enter, bench_leave),
    cmocka_unit_test_setup_teardown(create_refuses_an_app_that_the_device_would_not_boot, enter, bench_leave),
    cmocka_unit_test_setup_teardown(create_refuses_what_is_no_key, enter, bench_leave),
    cmocka_unit_test_setup_teardown(a_key_store_outlives_the_contents_of_the_flash, enter, bench_leave),
    cmocka_unit_test_setup_teardown(a_flash_file_without_key_store_has_secure_boot_off, enter, bench_leave),
    cmocka_unit_test_setup_teardown(another_name_for_the_flash_does_not_hide_its_key_store, enter, bench_leave),
    cmocka_unit_test_setup_teardown(a_key_store_can_lie_elsewhere, enter, bench_leave),
    cmocka_unit_test_setup_teardown(a_damaged_key_store_is_an_error_everywhere, enter, bench_leave),
    cmocka_unit_test_setup_teardown(an_unsigned_app_written_by_hand_is_shown_and_not_switched_to, enter, bench_leave),
    cmocka_unit_test_setup_teardown(a_downgrade_is_shown_and_not_switched_to, enter, bench_leave),
};

TEST_MAIN(tests)
