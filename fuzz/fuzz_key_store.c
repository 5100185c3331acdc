/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The key store: any bits, and any sequence of changes. Each change only tightens: nothing that was demanded is demanded no
 * longer, at any point where the power may go.
 *
 * Input: 128 bytes of the key store, then changes (u8 kind, and what it needs).
 */
#include "fuzz/fuzz.h"

#include <string.h>

#include "core/trust/policy.h"
#include "core/trust/trust.h"
#include "otter/otter_key_store_ram.h"

#define FILLED_BYTES 128
#define CHANGES_MAX  16

static uint32_t counting_keys(const trust_state_t *state)
{
    uint32_t set = 0;
    for (uint32_t i = 0; i < TRUST_KEYS; i++) {
        set |= state->key[i].provisioned && !state->key[i].revoked ? 1u << i : 0;
    }
    return set;
}

static void check_sane(const trust_state_t *state)
{
    FUZZ_CHECK(state->secure_version <= TRUST_SECURE_VERSION_MAX);
    FUZZ_CHECK((trust_schemes(state) != 0) == (counting_keys(state) != 0));
    for (uint32_t i = 0; i < TRUST_KEYS; i++) {
        const trust_key_t *key = &state->key[i];
        FUZZ_CHECK(!key->provisioned || trust_scheme_name(key->scheme) != NULL);
        int found = trust_find_key(state, key->digest);
        FUZZ_CHECK(!key->provisioned || (found >= 0 && found <= (int)i));
        FUZZ_CHECK(!key->provisioned || state->key[found].revoked == key->revoked);
    }
}

static void check_tighter(const trust_state_t *was, const trust_state_t *is)
{
    FUZZ_CHECK(is->secure_boot || !was->secure_boot);
    FUZZ_CHECK(is->secure_version >= was->secure_version);
    FUZZ_CHECK(is->chip_fixed || !was->chip_fixed);
    if (was->chip_fixed) {
        FUZZ_CHECK(is->chip_id == was->chip_id && is->chip_revision == was->chip_revision);
        FUZZ_CHECK(is->efuse_blk_revision == was->efuse_blk_revision);
    }
    /* With secure boot on there is no new key, and a last one. */
    if (was->secure_boot) {
        FUZZ_CHECK((counting_keys(is) & ~counting_keys(was)) == 0);
        FUZZ_CHECK(counting_keys(is) != 0 || counting_keys(was) == 0);
    }
    for (uint32_t i = 0; i < TRUST_KEYS; i++) {
        FUZZ_CHECK(is->key[i].revoked || !was->key[i].revoked);
        if (was->key[i].provisioned) {
            FUZZ_CHECK(is->key[i].provisioned && is->key[i].scheme == was->key[i].scheme);
            FUZZ_CHECK(memcmp(is->key[i].digest, was->key[i].digest, sizeof(was->key[i].digest)) == 0);
        }
    }
}

/* Carries a plan out bit by bit in an order of its own, as a power cut might leave it; each step only tightens. */
static void burn_slowly(uint8_t bits[OTTER_KEY_STORE_BYTES], const trust_plan_t *plan)
{
    FUZZ_CHECK(plan->count <= TRUST_PLAN_MAX);
    for (uint32_t i = 0; i < plan->count; i++) {
        const trust_burn_t *burn = &plan->burn[i];
        FUZZ_CHECK(burn->len <= sizeof(burn->bits) && burn->off <= OTTER_KEY_STORE_BYTES - burn->len);
        for (uint32_t b = burn->len; b > 0; b--) {
            trust_state_t was;
            trust_state_t is;
            trust_decode(bits, &was);
            bits[burn->off + b - 1] |= burn->bits[b - 1];
            trust_decode(bits, &is);
            check_sane(&is);
            check_tighter(&was, &is);
        }
    }
}

static void check_key(const trust_state_t *is, uint32_t index, trust_scheme_t scheme, const uint8_t *digest)
{
    const trust_key_t *key = &is->key[index];
    FUZZ_CHECK(key->provisioned && !key->revoked && key->scheme == scheme);
    FUZZ_CHECK(memcmp(key->digest, digest, sizeof(key->digest)) == 0);
}

static void add_key(uint8_t bits[OTTER_KEY_STORE_BYTES], fuzz_input_t *input)
{
    trust_plan_t plan;
    trust_state_t is;
    uint8_t digest[OTTER_SHA256_BYTES] = {0};
    uint32_t index = fuzz_take_u8(input) % (TRUST_KEYS + 1);
    trust_scheme_t scheme = (trust_scheme_t)(fuzz_take_u8(input) % 9);
    memset(digest, fuzz_take_u8(input), sizeof(digest)); /* Few different ones: they meet again. */
    if (trust_plan_key(bits, index, scheme, digest, &plan) == ESP_OK) {
        burn_slowly(bits, &plan);
        trust_decode(bits, &is);
        check_key(&is, index, scheme, digest);
    } else {
        FUZZ_CHECK(plan.count == 0);
    }
}

static void revoke(uint8_t bits[OTTER_KEY_STORE_BYTES], fuzz_input_t *input)
{
    trust_plan_t plan;
    trust_state_t is;
    uint32_t index = fuzz_take_u8(input) % (TRUST_KEYS + 1);
    if (trust_plan_revoke(bits, index, &plan) == ESP_OK) {
        burn_slowly(bits, &plan);
        trust_decode(bits, &is);
        FUZZ_CHECK(is.key[index].revoked);
    } else {
        FUZZ_CHECK(plan.count == 0);
    }
}

static void turn_on(uint8_t bits[OTTER_KEY_STORE_BYTES])
{
    trust_plan_t plan;
    trust_state_t is;
    esp_err_t err = trust_plan_secure_boot(bits, &plan);
    burn_slowly(bits, &plan);
    trust_decode(bits, &is);
    FUZZ_CHECK(err == ESP_OK ? is.secure_boot : !is.secure_boot && counting_keys(&is) == 0);
}

static void raise_floor(uint8_t bits[OTTER_KEY_STORE_BYTES], fuzz_input_t *input)
{
    trust_plan_t plan;
    trust_state_t was;
    trust_state_t is;
    uint32_t version = fuzz_take_u8(input) % 40;
    bool confirmed = version % 2 == 0;
    trust_decode(bits, &was);
    esp_err_t err = ESP_OK;
    if (confirmed) {
        trust_plan_confirmed(bits, version, &plan);
    } else {
        err = trust_plan_secure_version(bits, version, &plan);
    }
    burn_slowly(bits, &plan);
    trust_decode(bits, &is);
    uint32_t floor = version < TRUST_SECURE_VERSION_MAX ? version : TRUST_SECURE_VERSION_MAX;
    bool refused = err != ESP_OK;
    FUZZ_CHECK(is.secure_version == (refused || floor < was.secure_version ? was.secure_version : floor));
}

static void fix_chip(uint8_t bits[OTTER_KEY_STORE_BYTES], fuzz_input_t *input)
{
    trust_plan_t plan;
    trust_state_t is;
    uint16_t chip_id = fuzz_take_u8(input);
    uint16_t revision = fuzz_take_u8(input);
    if (trust_plan_chip(bits, chip_id, revision, 0, &plan) == ESP_OK) {
        burn_slowly(bits, &plan);
        trust_decode(bits, &is);
        FUZZ_CHECK(is.chip_fixed && is.chip_id == chip_id && is.chip_revision == revision);
    } else {
        FUZZ_CHECK(plan.count == 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_input_t input = {data, size};
    uint8_t bits[OTTER_KEY_STORE_BYTES] = {0};
    trust_state_t state;
    fuzz_take_bytes(&input, bits, FILLED_BYTES);
    trust_decode(bits, &state);
    check_sane(&state);
    for (int i = 0; i < CHANGES_MAX && input.left > 0; i++) {
        switch (fuzz_take_u8(&input) % 5) {
        case 0:
            add_key(bits, &input);
            break;
        case 1:
            revoke(bits, &input);
            break;
        case 2:
            turn_on(bits);
            break;
        case 3:
            raise_floor(bits, &input);
            break;
        default:
            fix_chip(bits, &input);
            break;
        }
    }
    return 0;
}
