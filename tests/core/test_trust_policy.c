/* SPDX-License-Identifier: Apache-2.0 */
/* What a key store demands of images, and what the confirmation of an app burns. */
#include "core/trust/policy.h"
#include "tests/support/test.h"

static void without_a_key_store_the_configuration_counts(void **state)
{
    (void)state;
    const trust_state_t trust = {.secure_boot = false};
    image_expect_t expect = trust_expect(&trust, IMAGE_KIND_APP, 0x1000, 5, 101);
    assert_int_equal(expect.kind, IMAGE_KIND_APP);
    assert_int_equal(expect.max_len, 0x1000);
    assert_int_equal(expect.chip_id, 5);
    assert_int_equal(expect.chip_revision, 101);
    assert_int_equal(expect.min_secure_version, 0);
    assert_int_equal(expect.signatures, IMAGE_SIGNATURES_IGNORE);
}

static void the_chip_that_is_burned_counts_more_than_the_configured_one(void **state)
{
    (void)state;
    const trust_state_t trust = {.chip_fixed = true, .chip_id = 13, .chip_revision = 3, .efuse_blk_revision = 102};
    image_expect_t expect = trust_expect(&trust, IMAGE_KIND_APP, 0x1000, 5, 101);
    assert_int_equal(expect.chip_id, 13);
    assert_int_equal(expect.chip_revision, 3);
    assert_int_equal(expect.efuse_blk_revision, 102);
}

static void secure_boot_demands_signatures_and_the_floor(void **state)
{
    (void)state;
    const trust_state_t trust = {.secure_boot = true, .secure_version = 7};
    image_expect_t expect = trust_expect(&trust, IMAGE_KIND_BOOTLOADER, 0x1000, 5, 0);
    assert_int_equal(expect.kind, IMAGE_KIND_BOOTLOADER);
    assert_int_equal(expect.signatures, IMAGE_SIGNATURES_REQUIRE);
    assert_int_equal(expect.min_secure_version, 7);
    assert_ptr_equal(expect.trust, &trust);
}

/* The floor that a key store says once the plan is carried out. */
static uint32_t floor_after(uint8_t bits[OTTER_KEY_STORE_BYTES], const trust_plan_t *plan)
{
    for (uint32_t i = 0; i < plan->count; i++) {
        for (uint32_t byte = 0; byte < plan->burn[i].len; byte++) {
            bits[plan->burn[i].off + byte] |= plan->burn[i].bits[byte];
        }
    }
    trust_state_t trust;
    trust_decode(bits, &trust);
    return trust.secure_version;
}

static void a_confirmed_app_raises_the_floor_to_its_version(void **state)
{
    (void)state;
    uint8_t bits[OTTER_KEY_STORE_BYTES] = {0};
    trust_plan_t plan;
    trust_plan_confirmed(bits, 5, &plan);
    assert_int_equal(floor_after(bits, &plan), 5);
    trust_plan_confirmed(bits, 5, &plan);
    assert_int_equal(plan.count, 0);
}

static void an_older_app_leaves_the_floor_as_it_is(void **state)
{
    (void)state;
    uint8_t bits[OTTER_KEY_STORE_BYTES] = {0};
    trust_plan_t plan;
    trust_plan_confirmed(bits, 5, &plan);
    assert_int_equal(floor_after(bits, &plan), 5);
    trust_plan_confirmed(bits, 4, &plan);
    assert_int_equal(plan.count, 0);
}

static void a_version_above_the_highest_floor_raises_it_to_that(void **state)
{
    (void)state;
    static const uint32_t versions[] = {TRUST_SECURE_VERSION_MAX, TRUST_SECURE_VERSION_MAX + 1, UINT32_MAX};
    for (size_t i = 0; i < sizeof(versions) / sizeof(versions[0]); i++) {
        uint8_t bits[OTTER_KEY_STORE_BYTES] = {0};
        trust_plan_t plan;
        trust_plan_confirmed(bits, versions[i], &plan);
        assert_int_equal(floor_after(bits, &plan), TRUST_SECURE_VERSION_MAX);
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(without_a_key_store_the_configuration_counts),
    cmocka_unit_test(the_chip_that_is_burned_counts_more_than_the_configured_one),
    cmocka_unit_test(secure_boot_demands_signatures_and_the_floor),
    cmocka_unit_test(a_confirmed_app_raises_the_floor_to_its_version),
    cmocka_unit_test(an_older_app_leaves_the_floor_as_it_is),
    cmocka_unit_test(a_version_above_the_highest_floor_raises_it_to_that),
};

TEST_MAIN(tests)
