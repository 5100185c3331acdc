/* SPDX-License-Identifier: Apache-2.0 */
/* A device with secure boot, end to end: what its owner did not sign, or what is too old, gets nowhere. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <unistd.h>

#include "core/bootsel/otadata.h"
#include "core/image/image.h"
#include "tests/e2e/rig.h"
#include "tests/support/test.h"

typedef struct owned {
    rig_t rig;
    char owner[128];  /* Key files. */
    char second[128]; /* Trusted, too. */
    char stranger[128];
} owned_t;

static void run(const char *const arguments[], int status)
{
    char output[4096];
    if (rig_otter(output, sizeof(output), arguments) != status) {
        fail_msg("otter %s %s: %s", arguments[0], arguments[1], output);
    }
}

static void name_file(const owned_t *owned, const char *name, char path[128])
{
    int len = snprintf(path, 128, "%s/%s", owned->rig.folder, name);
    assert_true(len > 0 && len < 128);
}

static void make_key(const owned_t *owned, const char *name, char path[128])
{
    name_file(owned, name, path);
    const char *const arguments[] = {"key", "new", "p256", "-o", path, NULL};
    run(arguments, 0);
}

static int set_up(void **state)
{
    owned_t *owned = calloc(1, sizeof(*owned));
    assert_non_null(owned);
    rig_setup(&owned->rig);
    make_key(owned, "owner.pem", owned->owner);
    make_key(owned, "second.pem", owned->second);
    make_key(owned, "stranger.pem", owned->stranger);
    *state = owned;
    return 0;
}

static int tear_down(void **state)
{
    owned_t *owned = *state;
    rig_teardown(&owned->rig);
    free(owned);
    return 0;
}

/* A firmware signed by one key or two; its path, valid until the next call. */
static const char *sign(const owned_t *owned, const char *firmware, const char *key, const char *other)
{
    static char path[128];
    static int number;
    char name[32];
    (void)snprintf(name, sizeof(name), "signed-%d.bin", number++);
    name_file(owned, name, path);
    char image[512];
    (void)snprintf(image, sizeof(image), "%s", rig_firmware(firmware));
    const char *const arguments[] = {"image", "sign", "-o", path, image, "--key", key, other != NULL ? "--key" : NULL,
                                     other,   NULL};
    run(arguments, 0);
    return path;
}

/* A device that trusts owner and second, with this app in its first slot. */
static void make_device(owned_t *owned, const char *image)
{
    const char *const arguments[] = {"flash", "create", owned->rig.flash, "--size", "16M",         "--app",
                                     image,   "--key",  owned->owner,     "--key",  owned->second, NULL};
    run(arguments, 0);
}

static void write_partition(owned_t *owned, const char *label, const char *file)
{
    const char *const arguments[] = {"flash", "write", owned->rig.flash, label, file, NULL};
    run(arguments, 0);
}

/* Otadata that claims ota_1 to be the newest confirmed app, ota_0 the one before. */
static void forge_otadata(owned_t *owned)
{
    uint8_t bytes[0x2000];
    char path[128];
    memset(bytes, 0xFF, sizeof(bytes));
    otadata_encode(bytes, 5, ESP_OTA_IMG_VALID);
    otadata_encode(bytes + 0x1000, 6, ESP_OTA_IMG_VALID);
    name_file(owned, "otadata", path);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, sizeof(bytes), file), sizeof(bytes));
    assert_int_equal(fclose(file), 0);
    write_partition(owned, "otadata", path);
}

static void a_device_with_secure_boot_updates_itself_to_a_signed_image(void **state)
{
    owned_t *owned = *state;
    rig_t *rig = &owned->rig;
    make_device(owned, sign(owned, "v1", owned->owner, NULL));
    rig_serve(rig, sign(owned, "secure2", owned->second, NULL));
    rig_power_on(rig, "");
    rig_await(rig, "version 1.0.0 in ota_0");
    rig_await(rig, "updated");
    rig_await(rig, "version 2.0.0 in ota_1");
    rig_await(rig, "confirmed: ESP_OK");
    assert_int_equal(rig_power_off(rig), 0);
    rig_assert_boots(rig, "ota_1", "2.0.0");
    json_t *facts = rig_facts(rig);
    json_t *key_store = json_object_get(facts, "key_store");
    assert_true(json_is_true(json_object_get(key_store, "secure_boot")));
    assert_int_equal(json_integer_value(json_object_get(key_store, "secure_version")), 2); /* Burned by the app. */
    json_decref(facts);
}

static void expect_no_update(owned_t *owned, const char *image, const char *error)
{
    rig_t *rig = &owned->rig;
    rig_serve(rig, image);
    rig_power_on(rig, "");
    rig_await(rig, "no update: ");
    rig_await(rig, error);
    assert_int_equal(rig_power_off(rig), 0);
    assert_false(rig_said(rig, "in ota_1"));
}

static void an_unsigned_v2_is_refused_before_the_switch(void **state)
{
    owned_t *owned = *state;
    make_device(owned, sign(owned, "v1", owned->owner, NULL));
    expect_no_update(owned, "v2", "ESP_ERR_OTA_VALIDATE_FAILED");
    rig_assert_boots(&owned->rig, "ota_0", "1.0.0");
}

static void a_v2_signed_by_a_stranger_is_refused_before_the_switch(void **state)
{
    owned_t *owned = *state;
    make_device(owned, sign(owned, "v1", owned->owner, NULL));
    expect_no_update(owned, sign(owned, "v2", owned->stranger, NULL), "ESP_ERR_OTA_VALIDATE_FAILED");
    rig_assert_boots(&owned->rig, "ota_0", "1.0.0");
}

/* What was put into the slot by hand does not boot: not by a switch, not by forged otadata, not alone. */
static void expect_no_boot(owned_t *owned, const char *image, const char *old, const char *why)
{
    rig_t *rig = &owned->rig;
    write_partition(owned, "ota_1", image);
    const char *const change[] = {"ota", "switch", rig->flash, "ota_1", NULL};
    run(change, 1);
    forge_otadata(owned);
    rig_power_on(rig, "");
    rig_await(rig, "ota_1 does not boot: ");
    rig_await(rig, why);
    rig_await(rig, old);
    rig_await(rig, "confirmed: ESP_OK");
    assert_int_equal(rig_power_off(rig), 0);
    const char *const erase[] = {"flash", "erase", rig->flash, "ota_0", NULL};
    run(erase, 0);
    rig_power_on(rig, "");
    assert_int_equal(rig_await_end(rig), 1);
    assert_true(rig_said(rig, "nothing boots"));
    assert_true(rig_said(rig, why));
}

static void an_unsigned_v2_put_into_the_slot_by_hand_does_not_boot(void **state)
{
    owned_t *owned = *state;
    make_device(owned, sign(owned, "v1", owned->owner, NULL));
    expect_no_boot(owned, rig_firmware("v2"), "version 1.0.0 in ota_0", "not signed");
}

static void a_v2_signed_by_a_stranger_put_into_the_slot_by_hand_does_not_boot(void **state)
{
    owned_t *owned = *state;
    make_device(owned, sign(owned, "v1", owned->owner, NULL));
    expect_no_boot(owned, sign(owned, "v2", owned->stranger, NULL), "version 1.0.0 in ota_0",
                   image_fault_text(IMAGE_FAULT_SIGNATURE_KEY));
}

/* Version 2 runs and has raised the floor. */
static void make_device_with_floor(owned_t *owned)
{
    rig_t *rig = &owned->rig;
    make_device(owned, sign(owned, "secure2", owned->owner, NULL));
    rig_power_on(rig, "");
    rig_await(rig, "confirmed: ESP_OK");
    assert_int_equal(rig_power_off(rig), 0);
}

static void a_downgrade_offered_by_the_server_is_refused(void **state)
{
    owned_t *owned = *state;
    make_device_with_floor(owned);
    expect_no_update(owned, sign(owned, "v1", owned->owner, NULL), "ESP_ERR_OTA_SMALL_SEC_VER");
    rig_assert_boots(&owned->rig, "ota_0", "2.0.0");
}

static void a_downgrade_put_into_the_slot_by_hand_or_chosen_by_forged_otadata_does_not_boot(void **state)
{
    owned_t *owned = *state;
    make_device_with_floor(owned);
    expect_no_boot(owned, sign(owned, "v1", owned->owner, NULL), "version 2.0.0 in ota_0",
                   image_fault_text(IMAGE_FAULT_SECURE_VERSION));
}

static void an_image_signed_by_a_revoked_key_is_refused(void **state)
{
    owned_t *owned = *state;
    rig_t *rig = &owned->rig;
    make_device(owned, sign(owned, "revoke", owned->owner, owned->second));
    rig_serve(rig, sign(owned, "v2", owned->owner, NULL));
    rig_power_on(rig, "");
    rig_await(rig, "revoked: ESP_OK");
    rig_await(rig, "no update: ESP_ERR_OTA_VALIDATE_FAILED");
    assert_int_equal(rig_power_off(rig), 0);
    rig_assert_boots(rig, "ota_0", "1.0.0");
    rig_publish(rig, sign(owned, "v2", owned->second, NULL));
    rig_power_on(rig, "");
    rig_await(rig, "version 2.0.0 in ota_1");
    assert_int_equal(rig_power_off(rig), 0);
}

static void the_only_key_of_the_running_app_is_not_revoked(void **state)
{
    owned_t *owned = *state;
    rig_t *rig = &owned->rig;
    make_device(owned, sign(owned, "revoke", owned->owner, NULL));
    rig_power_on(rig, "");
    rig_await(rig, "revoked: ESP_FAIL");
    assert_int_equal(rig_power_off(rig), 0);
    rig_assert_boots(rig, "ota_0", "1.0.0");
}

static void with_a_damaged_key_store_nothing_boots(void **state)
{
    owned_t *owned = *state;
    rig_t *rig = &owned->rig;
    char path[128];
    make_device(owned, sign(owned, "v1", owned->owner, NULL));
    name_file(owned, "flash.bin.efuse", path);
    assert_int_equal(truncate(path, 100), 0);
    rig_power_on(rig, "");
    assert_int_equal(rig_await_end(rig), 1);
    assert_true(rig_said(rig, "is damaged"));
    assert_false(rig_said(rig, "version"));
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown(a_device_with_secure_boot_updates_itself_to_a_signed_image, set_up, tear_down),
    cmocka_unit_test_setup_teardown(an_unsigned_v2_is_refused_before_the_switch, set_up, tear_down),
    cmocka_unit_test_setup_teardown(a_v2_signed_by_a_stranger_is_refused_before_the_switch, set_up, tear_down),
    cmocka_unit_test_setup_teardown(an_unsigned_v2_put_into_the_slot_by_hand_does_not_boot, set_up, tear_down),
    cmocka_unit_test_setup_teardown(a_v2_signed_by_a_stranger_put_into_the_slot_by_hand_does_not_boot, set_up,
                                    tear_down),
    cmocka_unit_test_setup_teardown(a_downgrade_offered_by_the_server_is_refused, set_up, tear_down),
    cmocka_unit_test_setup_teardown(a_downgrade_put_into_the_slot_by_hand_or_chosen_by_forged_otadata_does_not_boot,
                                    set_up, tear_down),
    cmocka_unit_test_setup_teardown(an_image_signed_by_a_revoked_key_is_refused, set_up, tear_down),
    cmocka_unit_test_setup_teardown(the_only_key_of_the_running_app_is_not_revoked, set_up, tear_down),
    cmocka_unit_test_setup_teardown(with_a_damaged_key_store_nothing_boots, set_up, tear_down),
};

TEST_MAIN(tests)
