/* SPDX-License-Identifier: Apache-2.0 */
/* The key store: what its bits mean, what may be burned, and that nothing that is burned, or burned in part, loosens it. */
#include "core/trust/trust.h"

#include "tests/support/image_fixture.h"
#include "tests/support/test.h"

/* Layout, written out once more. */
#define OFF_MARKS    0
#define OFF_COMPLETE 1
#define OFF_REVOKED  2
#define OFF_VERSION  4
#define OFF_SCHEME   8
#define OFF_CHIP     16
#define OFF_DIGEST   32

/* ---- A key store in memory ---- */

typedef struct ram_store {
    otter_key_store_t base;
    uint8_t bits[OTTER_KEY_STORE_BYTES];
    bool unreadable;
    uint32_t burns;
    uint32_t cut_at; /* This burn (from 1) sets only some of its bits, then fails; 0: none. */
    uint32_t random;
} ram_store_t;

static esp_err_t read_bits(otter_key_store_t *store, uint8_t bits[OTTER_KEY_STORE_BYTES])
{
    ram_store_t *ram = (ram_store_t *)store;
    memcpy(bits, ram->bits, sizeof(ram->bits));
    return ram->unreadable ? ESP_FAIL : ESP_OK;
}

static esp_err_t burn_bits(otter_key_store_t *store, uint32_t off, const uint8_t *bits, size_t len)
{
    ram_store_t *ram = (ram_store_t *)store;
    bool cut = ++ram->burns == ram->cut_at;
    for (size_t i = 0; i < len; i++) {
        ram->bits[off + i] |= cut ? (uint8_t)(bits[i] & fixture_random(&ram->random)) : bits[i];
    }
    return cut ? ESP_FAIL : ESP_OK;
}

static const otter_key_store_ops_t ram_ops = {.read = read_bits, .burn = burn_bits};

static ram_store_t new_store(void)
{
    ram_store_t store = {.base = {.ops = &ram_ops}};
    return store;
}

static trust_state_t state_of(ram_store_t *store)
{
    trust_state_t state;
    assert_err(trust_read(&store->base, &state), ESP_OK);
    return state;
}

static void fill_digest(uint8_t digest[OTTER_SHA256_BYTES], uint32_t seed)
{
    for (size_t i = 0; i < OTTER_SHA256_BYTES; i++) {
        digest[i] = (uint8_t)fixture_random(&seed);
    }
}

static void execute(ram_store_t *store, const trust_plan_t *plan)
{
    assert_err(trust_execute(&store->base, plan), ESP_OK);
}

/* Trusts key number @p seed in this place. */
static void add_key(ram_store_t *store, uint32_t index, trust_scheme_t scheme, uint32_t seed)
{
    uint8_t digest[OTTER_SHA256_BYTES];
    fill_digest(digest, seed);
    trust_plan_t plan;
    assert_err(trust_plan_key(store->bits, index, scheme, digest, &plan), ESP_OK);
    execute(store, &plan);
}

static esp_err_t plan_key(const ram_store_t *store, uint32_t index, trust_scheme_t scheme, uint32_t seed,
                          trust_plan_t *plan)
{
    uint8_t digest[OTTER_SHA256_BYTES];
    fill_digest(digest, seed);
    return trust_plan_key(store->bits, index, scheme, digest, plan);
}

static void turn_secure_boot_on(ram_store_t *store)
{
    trust_plan_t plan;
    assert_err(trust_plan_secure_boot(store->bits, &plan), ESP_OK);
    assert_int_equal(plan.count, 1);
    execute(store, &plan);
    assert_true(state_of(store).secure_boot);
}

static void revoke(ram_store_t *store, uint32_t index)
{
    trust_plan_t plan;
    assert_err(trust_plan_revoke(store->bits, index, &plan), ESP_OK);
    assert_int_equal(plan.count, 1);
    execute(store, &plan);
    assert_true(state_of(store).key[index].revoked);
}

static void assert_refused(esp_err_t err, esp_err_t expected, const trust_plan_t *plan)
{
    assert_err(err, expected);
    assert_int_equal(plan->count, 0);
}

static void assert_nothing_to_do(esp_err_t err, const trust_plan_t *plan)
{
    assert_refused(err, ESP_OK, plan);
}

/* A device with keys 1 and 2 in places 0 and 1, and secure boot on. */
static ram_store_t secured_store(void)
{
    ram_store_t store = new_store();
    add_key(&store, 0, TRUST_SCHEME_RSA3072, 1);
    add_key(&store, 1, TRUST_SCHEME_P256, 2);
    turn_secure_boot_on(&store);
    return store;
}

/* ---- Reading ---- */

static void a_new_key_store_trusts_everything(void **state)
{
    (void)state;
    ram_store_t store = new_store();
    trust_state_t found = state_of(&store);
    assert_false(found.secure_boot);
    assert_int_equal(found.secure_version, 0);
    assert_false(found.chip_fixed);
    assert_int_equal(trust_schemes(&found), 0);
    for (uint32_t i = 0; i < TRUST_KEYS; i++) {
        assert_false(found.key[i].provisioned);
        assert_false(found.key[i].revoked);
    }
}

static void a_device_without_key_store_trusts_everything(void **state)
{
    (void)state;
    trust_state_t found = {.secure_boot = true, .secure_version = 9};
    assert_err(trust_read(NULL, &found), ESP_OK);
    assert_false(found.secure_boot);
    assert_int_equal(found.secure_version, 0);
}

static void a_key_store_that_cannot_be_read_trusts_nothing(void **state)
{
    (void)state;
    ram_store_t store = new_store();
    add_key(&store, 0, TRUST_SCHEME_P256, 1);
    store.unreadable = true;
    trust_state_t found = {.secure_boot = false};
    assert_err(trust_read(&store.base, &found), ESP_FAIL);
    assert_true(found.secure_boot);
    assert_int_equal(trust_schemes(&found), 0);
    assert_int_equal(found.secure_version, UINT32_MAX);
}

static void the_bits_are_where_the_format_says(void **state)
{
    (void)state;
    ram_store_t store = new_store();
    uint8_t digest[OTTER_SHA256_BYTES];
    add_key(&store, 2, TRUST_SCHEME_P384, 5);
    fill_digest(digest, 5);
    turn_secure_boot_on(&store);
    revoke(&store, 1);
    trust_plan_t plan;
    assert_err(trust_plan_chip(store.bits, 0x1234, 101, 202, &plan), ESP_OK);
    execute(&store, &plan);
    assert_err(trust_plan_secure_version(store.bits, 10, &plan), ESP_OK);
    execute(&store, &plan);

    uint8_t expected[OTTER_KEY_STORE_BYTES] = {
        [OFF_MARKS] = 0x03,   [OFF_COMPLETE] = 0x04, [OFF_REVOKED] = 0x02,  [OFF_VERSION] = 0xFF, [5] = 0x03,
        [OFF_SCHEME + 2] = 4, [OFF_CHIP] = 0x34,     [OFF_CHIP + 1] = 0x12, [OFF_CHIP + 2] = 101, [OFF_CHIP + 4] = 202,
    };
    memcpy(expected + OFF_DIGEST + 2 * 32, digest, sizeof(digest));
    assert_memory_equal(store.bits, expected, sizeof(expected));
}

static void the_version_is_the_number_of_bits_wherever_they_are(void **state)
{
    (void)state;
    uint8_t bits[OTTER_KEY_STORE_BYTES] = {[OFF_VERSION] = 0x81, [5] = 0x10, [7] = 0x80};
    trust_state_t found;
    trust_decode(bits, &found);
    assert_int_equal(found.secure_version, 4);
    memset(bits + OFF_VERSION, 0xFF, 4);
    trust_decode(bits, &found);
    assert_int_equal(found.secure_version, TRUST_SECURE_VERSION_MAX);
}

static void a_key_of_an_unknown_scheme_does_not_count_and_secure_boot_stays_on(void **state)
{
    (void)state;
    for (uint32_t scheme = 0; scheme < 256; scheme++) {
        ram_store_t store = secured_store();
        store.bits[OFF_SCHEME] = (uint8_t)scheme;
        trust_state_t found = state_of(&store);
        bool known = scheme == 1 || scheme == 2 || scheme == 4;
        assert_true(found.secure_boot);
        assert_int_equal(found.key[0].provisioned, known);
        assert_int_equal(found.key[0].scheme, known ? scheme : 0);
        assert_int_equal(trust_schemes(&found), TRUST_SCHEME_P256 | (known ? scheme : 0));
        assert_int_equal(trust_find_key(&found, found.key[0].digest), known ? 0 : -1);
    }
}

static void the_chip_is_told_only_if_it_is_fixed(void **state)
{
    (void)state;
    ram_store_t store = new_store();
    store.bits[OFF_CHIP] = 5;
    assert_int_equal(state_of(&store).chip_id, 0);
    store.bits[OFF_MARKS] = 2;
    trust_state_t found = state_of(&store);
    assert_true(found.chip_fixed);
    assert_int_equal(found.chip_id, 5);
}

static void keys_are_found_by_their_digest(void **state)
{
    (void)state;
    ram_store_t store = secured_store();
    revoke(&store, 0);
    trust_state_t found = state_of(&store);
    uint8_t digest[OTTER_SHA256_BYTES];
    fill_digest(digest, 1);
    assert_int_equal(trust_find_key(&found, digest), 0);
    fill_digest(digest, 2);
    assert_int_equal(trust_find_key(&found, digest), 1);
    digest[31] ^= 1;
    assert_int_equal(trust_find_key(&found, digest), -1);
    assert_int_equal(trust_schemes(&found), TRUST_SCHEME_P256);
}

static void an_empty_place_is_not_found_by_its_zeros(void **state)
{
    (void)state;
    ram_store_t store = secured_store();
    trust_state_t found = state_of(&store);
    static const uint8_t zeros[OTTER_SHA256_BYTES];
    assert_int_equal(trust_find_key(&found, zeros), -1);
}

static void schemes_have_names(void **state)
{
    (void)state;
    assert_string_equal(trust_scheme_name(TRUST_SCHEME_RSA3072), "rsa3072");
    assert_string_equal(trust_scheme_name(TRUST_SCHEME_P256), "p256");
    assert_string_equal(trust_scheme_name(TRUST_SCHEME_P384), "p384");
    assert_null(trust_scheme_name(TRUST_SCHEME_NONE));
    assert_null(trust_scheme_name((trust_scheme_t)3));
}

/* ---- Keys ---- */

static void a_key_is_trusted_once_it_is_complete(void **state)
{
    (void)state;
    ram_store_t store = new_store();
    trust_plan_t plan;
    assert_err(plan_key(&store, 1, TRUST_SCHEME_P256, 7, &plan), ESP_OK);
    assert_int_equal(plan.count, 3);
    for (uint32_t i = 0; i < plan.count; i++) {
        trust_state_t before = state_of(&store);
        assert_false(before.key[1].provisioned);
        trust_plan_t one = {.count = 1, .burn = {plan.burn[i]}};
        execute(&store, &one);
    }
    trust_state_t found = state_of(&store);
    uint8_t digest[OTTER_SHA256_BYTES];
    fill_digest(digest, 7);
    assert_true(found.key[1].provisioned);
    assert_int_equal(found.key[1].scheme, TRUST_SCHEME_P256);
    assert_memory_equal(found.key[1].digest, digest, sizeof(digest));
    assert_nothing_to_do(plan_key(&store, 1, TRUST_SCHEME_P256, 7, &plan), &plan);
}

static void a_place_that_holds_a_key_takes_no_other(void **state)
{
    (void)state;
    ram_store_t store = new_store();
    add_key(&store, 0, TRUST_SCHEME_P256, 1);
    trust_plan_t plan;
    assert_refused(plan_key(&store, 0, TRUST_SCHEME_P256, 2, &plan), ESP_ERR_INVALID_STATE, &plan);
    assert_refused(plan_key(&store, 0, TRUST_SCHEME_RSA3072, 1, &plan), ESP_ERR_INVALID_STATE, &plan);

    /* Not even one whose bits include those of the first. */
    uint8_t all_ones[OTTER_SHA256_BYTES];
    memset(all_ones, 0xFF, sizeof(all_ones));
    assert_refused(trust_plan_key(store.bits, 0, TRUST_SCHEME_P256, all_ones, &plan), ESP_ERR_INVALID_STATE, &plan);
}

static void wrong_places_and_schemes_are_refused(void **state)
{
    (void)state;
    ram_store_t store = new_store();
    trust_plan_t plan;
    assert_refused(plan_key(&store, TRUST_KEYS, TRUST_SCHEME_P256, 1, &plan), ESP_ERR_INVALID_ARG, &plan);
    assert_refused(plan_key(&store, 0, TRUST_SCHEME_NONE, 1, &plan), ESP_ERR_INVALID_ARG, &plan);
    assert_refused(plan_key(&store, 0, (trust_scheme_t)3, 1, &plan), ESP_ERR_INVALID_ARG, &plan);
    assert_refused(trust_plan_revoke(store.bits, TRUST_KEYS, &plan), ESP_ERR_INVALID_ARG, &plan);
}

static void a_burn_that_was_cut_short_can_be_done_again(void **state)
{
    (void)state;
    for (uint32_t cut_at = 1; cut_at <= 3; cut_at++) {
        for (uint32_t seed = 0; seed < 20; seed++) {
            ram_store_t store = new_store();
            store.cut_at = cut_at;
            store.random = seed;
            trust_plan_t plan;
            assert_err(plan_key(&store, 0, TRUST_SCHEME_P384, 1, &plan), ESP_OK);
            assert_err(trust_execute(&store.base, &plan), ESP_FAIL);
            assert_int_equal(store.burns, cut_at);
            add_key(&store, 0, TRUST_SCHEME_P384, 1);
            trust_state_t found = state_of(&store);
            uint8_t digest[OTTER_SHA256_BYTES];
            fill_digest(digest, 1);
            assert_int_equal(trust_find_key(&found, digest), 0);
        }
    }
}

static void remains_of_a_burn_take_no_key_that_lacks_their_bits(void **state)
{
    (void)state;
    ram_store_t store = new_store();
    trust_plan_t plan;
    store.bits[OFF_DIGEST] = 0x80;
    uint8_t digest[OTTER_SHA256_BYTES] = {0x7F};
    assert_refused(trust_plan_key(store.bits, 0, TRUST_SCHEME_P256, digest, &plan), ESP_ERR_INVALID_STATE, &plan);
    digest[0] = 0xFF;
    assert_err(trust_plan_key(store.bits, 0, TRUST_SCHEME_P256, digest, &plan), ESP_OK);
    store.bits[OFF_SCHEME] = TRUST_SCHEME_RSA3072;
    assert_refused(trust_plan_key(store.bits, 0, TRUST_SCHEME_P256, digest, &plan), ESP_ERR_INVALID_STATE, &plan);
    assert_err(trust_plan_key(store.bits, 0, TRUST_SCHEME_RSA3072, digest, &plan), ESP_OK);
}

/* ---- Secure boot ---- */

static void secure_boot_needs_a_key_that_counts(void **state)
{
    (void)state;
    ram_store_t store = new_store();
    trust_plan_t plan;
    assert_refused(trust_plan_secure_boot(store.bits, &plan), ESP_ERR_INVALID_STATE, &plan);
    add_key(&store, 0, TRUST_SCHEME_P256, 1);
    revoke(&store, 0);
    assert_refused(trust_plan_secure_boot(store.bits, &plan), ESP_ERR_INVALID_STATE, &plan);
    add_key(&store, 1, TRUST_SCHEME_P256, 2);
    turn_secure_boot_on(&store);
    assert_nothing_to_do(trust_plan_secure_boot(store.bits, &plan), &plan);
}

/* ---- Every loosening that must not work ---- */

static void no_key_is_added_once_secure_boot_is_on(void **state)
{
    (void)state;
    ram_store_t store = secured_store();
    trust_plan_t plan;
    assert_refused(plan_key(&store, 2, TRUST_SCHEME_P256, 3, &plan), ESP_ERR_NOT_ALLOWED, &plan);
    assert_refused(plan_key(&store, 0, TRUST_SCHEME_P256, 3, &plan), ESP_ERR_NOT_ALLOWED, &plan);
    assert_nothing_to_do(plan_key(&store, 0, TRUST_SCHEME_RSA3072, 1, &plan), &plan);
}

static void a_half_burned_key_is_not_completed_once_secure_boot_is_on(void **state)
{
    (void)state;
    ram_store_t store = new_store();
    add_key(&store, 0, TRUST_SCHEME_P256, 1);
    trust_plan_t plan;
    assert_err(plan_key(&store, 1, TRUST_SCHEME_P256, 2, &plan), ESP_OK);
    plan.count = 2;
    execute(&store, &plan);
    turn_secure_boot_on(&store);
    assert_refused(plan_key(&store, 1, TRUST_SCHEME_P256, 2, &plan), ESP_ERR_NOT_ALLOWED, &plan);
}

static void the_last_key_is_not_revoked_while_secure_boot_is_on(void **state)
{
    (void)state;
    ram_store_t store = secured_store();
    revoke(&store, 1);
    trust_plan_t plan;
    assert_refused(trust_plan_revoke(store.bits, 0, &plan), ESP_ERR_NOT_ALLOWED, &plan);
    assert_nothing_to_do(trust_plan_revoke(store.bits, 1, &plan), &plan);
}

static void without_secure_boot_the_last_key_may_be_revoked(void **state)
{
    (void)state;
    ram_store_t store = new_store();
    add_key(&store, 0, TRUST_SCHEME_P256, 1);
    revoke(&store, 0);
    trust_state_t found = state_of(&store);
    assert_int_equal(trust_schemes(&found), 0);
}

static void an_empty_place_can_be_closed_for_good(void **state)
{
    (void)state;
    ram_store_t store = new_store();
    add_key(&store, 0, TRUST_SCHEME_P256, 1);
    revoke(&store, 2);
    assert_false(state_of(&store).key[1].revoked);
    trust_plan_t plan;
    assert_refused(plan_key(&store, 2, TRUST_SCHEME_P256, 3, &plan), ESP_ERR_INVALID_STATE, &plan);
    ram_store_t secured = secured_store();
    revoke(&secured, 2);
}

static void a_revoked_key_does_not_come_back(void **state)
{
    (void)state;
    ram_store_t store = new_store();
    add_key(&store, 0, TRUST_SCHEME_P256, 1);
    revoke(&store, 0);
    trust_plan_t plan;
    assert_refused(plan_key(&store, 0, TRUST_SCHEME_P256, 1, &plan), ESP_ERR_INVALID_STATE, &plan);
    assert_refused(plan_key(&store, 1, TRUST_SCHEME_P256, 1, &plan), ESP_ERR_INVALID_STATE, &plan);
}

static void a_key_in_two_places_is_revoked_in_both(void **state)
{
    (void)state;
    ram_store_t store = new_store();
    add_key(&store, 0, TRUST_SCHEME_P256, 1);
    add_key(&store, 1, TRUST_SCHEME_P256, 1);
    turn_secure_boot_on(&store);
    trust_plan_t plan;
    assert_refused(trust_plan_revoke(store.bits, 0, &plan), ESP_ERR_NOT_ALLOWED, &plan);
    assert_refused(trust_plan_revoke(store.bits, 1, &plan), ESP_ERR_NOT_ALLOWED, &plan);
    store.bits[OFF_REVOKED] = 2;
    trust_state_t found = state_of(&store);
    assert_true(found.key[0].revoked);
    assert_true(found.key[1].revoked);
    assert_false(found.key[2].revoked);
    assert_int_equal(trust_schemes(&found), 0);
}

static void the_floor_only_rises(void **state)
{
    (void)state;
    ram_store_t store = new_store();
    trust_plan_t plan;
    for (uint32_t version = 0; version <= TRUST_SECURE_VERSION_MAX; version++) {
        assert_err(trust_plan_secure_version(store.bits, version, &plan), ESP_OK);
        assert_int_equal(plan.count, version > 0);
        execute(&store, &plan);
        assert_int_equal(state_of(&store).secure_version, version);
        assert_nothing_to_do(trust_plan_secure_version(store.bits, version, &plan), &plan);
        for (uint32_t lower = 0; lower < version; lower++) {
            assert_refused(trust_plan_secure_version(store.bits, lower, &plan), ESP_FAIL, &plan);
        }
    }
}

static void a_floor_above_the_highest_is_refused(void **state)
{
    (void)state;
    ram_store_t store = new_store();
    trust_plan_t plan;
    assert_refused(trust_plan_secure_version(store.bits, TRUST_SECURE_VERSION_MAX + 1, &plan), ESP_ERR_INVALID_ARG,
                   &plan);
    assert_refused(trust_plan_secure_version(store.bits, UINT32_MAX, &plan), ESP_ERR_INVALID_ARG, &plan);
    assert_err(trust_plan_secure_version(store.bits, TRUST_SECURE_VERSION_MAX, &plan), ESP_OK);
}

/* The bits of a floor burned in part have gaps: the next burn must not overshoot. */
static void a_floor_burned_in_part_is_raised_to_exactly_what_was_asked(void **state)
{
    (void)state;
    for (uint32_t seed = 0; seed < 100; seed++) {
        ram_store_t store = new_store();
        store.cut_at = 1;
        store.random = seed;
        trust_plan_t plan;
        assert_err(trust_plan_secure_version(store.bits, 20, &plan), ESP_OK);
        assert_err(trust_execute(&store.base, &plan), ESP_FAIL);
        uint32_t reached = state_of(&store).secure_version;
        assert_in_range(reached, 0, 20);
        assert_err(trust_plan_secure_version(store.bits, reached + 1, &plan), ESP_OK);
        execute(&store, &plan);
        assert_int_equal(state_of(&store).secure_version, reached + 1);
    }
}

static void the_chip_is_fixed_once(void **state)
{
    (void)state;
    ram_store_t store = new_store();
    trust_plan_t plan;
    assert_err(trust_plan_chip(store.bits, 5, 101, 3, &plan), ESP_OK);
    execute(&store, &plan);
    trust_state_t found = state_of(&store);
    assert_true(found.chip_fixed);
    assert_int_equal(found.chip_id, 5);
    assert_int_equal(found.chip_revision, 101);
    assert_int_equal(found.efuse_blk_revision, 3);
    assert_nothing_to_do(trust_plan_chip(store.bits, 5, 101, 3, &plan), &plan);
    assert_refused(trust_plan_chip(store.bits, 9, 101, 3, &plan), ESP_ERR_NOT_ALLOWED, &plan);
    assert_refused(trust_plan_chip(store.bits, 5, 103, 3, &plan), ESP_ERR_NOT_ALLOWED, &plan);
    assert_refused(trust_plan_chip(store.bits, 5, 101, 7, &plan), ESP_ERR_NOT_ALLOWED, &plan);
}

static void remains_of_another_chip_are_not_fixed(void **state)
{
    (void)state;
    ram_store_t store = new_store();
    store.bits[OFF_CHIP] = 0x04;
    trust_plan_t plan;
    assert_refused(trust_plan_chip(store.bits, 0x0B, 0, 0, &plan), ESP_ERR_INVALID_STATE, &plan);
    assert_err(trust_plan_chip(store.bits, 0x05, 0, 0, &plan), ESP_OK);
}

/* ---- Whatever is planned, and wherever it is cut ---- */

static esp_err_t plan_something(const uint8_t *bits, uint32_t *random, trust_plan_t *plan)
{
    static const trust_scheme_t schemes[] = {TRUST_SCHEME_RSA3072, TRUST_SCHEME_P256, TRUST_SCHEME_P384};
    uint8_t digest[OTTER_SHA256_BYTES];
    uint32_t index = fixture_random(random) % TRUST_KEYS;
    switch (fixture_random(random) % 5) {
    case 0:
        fill_digest(digest, fixture_random(random) % 4);
        return trust_plan_key(bits, index, schemes[fixture_random(random) % 3], digest, plan);
    case 1:
        return trust_plan_secure_boot(bits, plan);
    case 2:
        return trust_plan_revoke(bits, index, plan);
    case 3:
        return trust_plan_secure_version(bits, fixture_random(random) % 34, plan);
    default:
        return trust_plan_chip(bits, (uint16_t)(fixture_random(random) % 3), 0, 0, plan);
    }
}

static bool counts(const trust_key_t *key)
{
    return key->provisioned && !key->revoked;
}

static void assert_as_strict(const trust_state_t *before, const trust_state_t *after)
{
    assert_true(after->secure_boot || !before->secure_boot);
    assert_true(after->secure_version >= before->secure_version);
    if (before->chip_fixed) {
        assert_true(after->chip_fixed);
        assert_int_equal(after->chip_id, before->chip_id);
    }
    for (uint32_t i = 0; i < TRUST_KEYS; i++) {
        assert_true(after->key[i].revoked || !before->key[i].revoked);
        if (before->secure_boot && counts(&after->key[i])) {
            assert_true(counts(&before->key[i]));
            assert_int_equal(after->key[i].scheme, before->key[i].scheme);
            assert_memory_equal(after->key[i].digest, before->key[i].digest, OTTER_SHA256_BYTES);
        }
    }
    assert_true(!after->secure_boot || trust_schemes(after) != 0);
}

static void nothing_that_is_burned_loosens_anything_even_if_cut(void **state)
{
    (void)state;
    uint32_t random = 1;
    uint32_t planned = 0;
    uint32_t cut = 0;
    uint32_t secured = 0;
    for (uint32_t device = 0; device < 500; device++) {
        ram_store_t store = new_store();
        store.random = device;
        for (uint32_t step = 0; step < 20; step++) {
            trust_state_t before = state_of(&store);
            trust_plan_t plan;
            planned += plan_something(store.bits, &random, &plan) == ESP_OK && plan.count > 0;
            store.cut_at = store.burns + fixture_random(&random) % 6;
            cut += trust_execute(&store.base, &plan) != ESP_OK;
            trust_state_t after = state_of(&store);
            assert_as_strict(&before, &after);
            secured += after.secure_boot;
        }
    }
    assert_true(planned > 1000);
    assert_true(cut > 200);
    assert_true(secured > 1000);
}

static void a_plan_that_fails_is_not_carried_on(void **state)
{
    (void)state;
    ram_store_t store = new_store();
    trust_plan_t plan;
    assert_err(plan_key(&store, 0, TRUST_SCHEME_P256, 1, &plan), ESP_OK);
    store.cut_at = 2;
    assert_err(trust_execute(&store.base, &plan), ESP_FAIL);
    assert_int_equal(store.burns, 2);
    assert_int_equal(store.bits[OFF_COMPLETE], 0);
}

static void a_burn_outside_the_store_is_refused(void **state)
{
    (void)state;
    ram_store_t store = new_store();
    trust_plan_t plan = {.count = 1, .burn = {{.off = OTTER_KEY_STORE_BYTES - 1, .len = 2}}};
    assert_err(trust_execute(&store.base, &plan), ESP_ERR_INVALID_SIZE);
    plan.burn[0].off = UINT32_MAX;
    assert_err(trust_execute(&store.base, &plan), ESP_ERR_INVALID_SIZE);
    assert_int_equal(store.burns, 0);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_new_key_store_trusts_everything),
    cmocka_unit_test(a_device_without_key_store_trusts_everything),
    cmocka_unit_test(a_key_store_that_cannot_be_read_trusts_nothing),
    cmocka_unit_test(the_bits_are_where_the_format_says),
    cmocka_unit_test(the_version_is_the_number_of_bits_wherever_they_are),
    cmocka_unit_test(a_key_of_an_unknown_scheme_does_not_count_and_secure_boot_stays_on),
    cmocka_unit_test(the_chip_is_told_only_if_it_is_fixed),
    cmocka_unit_test(keys_are_found_by_their_digest),
    cmocka_unit_test(an_empty_place_is_not_found_by_its_zeros),
    cmocka_unit_test(schemes_have_names),
    cmocka_unit_test(a_key_is_trusted_once_it_is_complete),
    cmocka_unit_test(a_place_that_holds_a_key_takes_no_other),
    cmocka_unit_test(wrong_places_and_schemes_are_refused),
    cmocka_unit_test(a_burn_that_was_cut_short_can_be_done_again),
    cmocka_unit_test(remains_of_a_burn_take_no_key_that_lacks_their_bits),
    cmocka_unit_test(secure_boot_needs_a_key_that_counts),
    cmocka_unit_test(no_key_is_added_once_secure_boot_is_on),
    cmocka_unit_test(a_half_burned_key_is_not_completed_once_secure_boot_is_on),
    cmocka_unit_test(the_last_key_is_not_revoked_while_secure_boot_is_on),
    cmocka_unit_test(without_secure_boot_the_last_key_may_be_revoked),
    cmocka_unit_test(an_empty_place_can_be_closed_for_good),
    cmocka_unit_test(a_revoked_key_does_not_come_back),
    cmocka_unit_test(a_key_in_two_places_is_revoked_in_both),
    cmocka_unit_test(the_floor_only_rises),
    cmocka_unit_test(a_floor_above_the_highest_is_refused),
    cmocka_unit_test(a_floor_burned_in_part_is_raised_to_exactly_what_was_asked),
    cmocka_unit_test(the_chip_is_fixed_once),
    cmocka_unit_test(remains_of_another_chip_are_not_fixed),
    cmocka_unit_test(nothing_that_is_burned_loosens_anything_even_if_cut),
    cmocka_unit_test(a_plan_that_fails_is_not_carried_on),
    cmocka_unit_test(a_burn_outside_the_store_is_refused),
};

TEST_MAIN(tests)
