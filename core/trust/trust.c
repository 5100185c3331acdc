/* SPDX-License-Identifier: Apache-2.0 */
#include "core/trust/trust.h"

#include <string.h>

#include "core/util/bytes.h"

/* Layout of the key store: docs/FORMATS.md. */
#define OFF_MARKS          0
#define OFF_COMPLETE       1 /* Bit i: all of key i is there. */
#define OFF_REVOKED        2 /* Bit i: key i is revoked. */
#define OFF_SECURE_VERSION 4
#define OFF_SCHEME         8
#define OFF_CHIP           16
#define OFF_DIGEST         32

#define MARK_SECURE_BOOT 0x01
#define MARK_CHIP        0x02

#define CHIP_BYTES 6

static uint32_t digest_off(uint32_t index)
{
    return OFF_DIGEST + index * OTTER_SHA256_BYTES;
}

static bool has_bit(uint8_t byte, uint32_t index)
{
    return ((uint32_t)byte >> index & 1u) != 0;
}

static const struct {
    trust_scheme_t scheme;
    const char *name;
} schemes[] = {
    {TRUST_SCHEME_RSA3072, "rsa3072"},
    {TRUST_SCHEME_P256, "p256"},
    {TRUST_SCHEME_P384, "p384"},
};

const char *trust_scheme_name(trust_scheme_t scheme)
{
    for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
        if (schemes[i].scheme == scheme) {
            return schemes[i].name;
        }
    }
    return NULL;
}

/* ---- Reading ---- */

static uint32_t count_bits(uint32_t word)
{
    uint32_t count = 0;
    for (; word != 0; word &= word - 1) {
        count++;
    }
    return count;
}

static void decode_key(const uint8_t *bits, uint32_t index, trust_key_t *key)
{
    trust_scheme_t scheme = (trust_scheme_t)bits[OFF_SCHEME + index];
    bool known = trust_scheme_name(scheme) != NULL;
    key->scheme = known ? scheme : TRUST_SCHEME_NONE;
    key->provisioned = known && has_bit(bits[OFF_COMPLETE], index);
    key->revoked = has_bit(bits[OFF_REVOKED], index);
    memcpy(key->digest, bits + digest_off(index), OTTER_SHA256_BYTES);
}

/* A key that stands in two places is revoked in both: else the revocation of one would mean nothing. */
static void spread_revocations(trust_state_t *state)
{
    for (uint32_t i = 0; i < TRUST_KEYS; i++) {
        trust_key_t *key = &state->key[i];
        for (uint32_t j = 0; j < TRUST_KEYS; j++) {
            bool same = otter_equal_ct(key->digest, state->key[j].digest, OTTER_SHA256_BYTES);
            key->revoked = key->revoked || (key->provisioned && same && state->key[j].revoked);
        }
    }
}

static void decode_chip(const uint8_t *chip, trust_state_t *state)
{
    state->chip_id = bytes_get_u16(chip);
    state->chip_revision = bytes_get_u16(chip + 2);
    state->efuse_blk_revision = bytes_get_u16(chip + 4);
}

void trust_decode(const uint8_t bits[OTTER_KEY_STORE_BYTES], trust_state_t *state)
{
    memset(state, 0, sizeof(*state));
    state->secure_boot = (bits[OFF_MARKS] & MARK_SECURE_BOOT) != 0;
    state->secure_version = count_bits(bytes_get_u32(bits + OFF_SECURE_VERSION));
    state->chip_fixed = (bits[OFF_MARKS] & MARK_CHIP) != 0;
    if (state->chip_fixed) {
        decode_chip(bits + OFF_CHIP, state);
    }
    for (uint32_t i = 0; i < TRUST_KEYS; i++) {
        decode_key(bits, i, &state->key[i]);
    }
    spread_revocations(state);
}

esp_err_t trust_read(otter_key_store_t *store, trust_state_t *state)
{
    uint8_t bits[OTTER_KEY_STORE_BYTES] = {0};
    if (store != NULL && otter_key_store_read(store, bits) != ESP_OK) {
        *state = (trust_state_t){.secure_boot = true, .secure_version = UINT32_MAX};
        return ESP_FAIL;
    }
    trust_decode(bits, state);
    return ESP_OK;
}

uint32_t trust_schemes(const trust_state_t *state)
{
    uint32_t set = 0;
    for (uint32_t i = 0; i < TRUST_KEYS; i++) {
        const trust_key_t *key = &state->key[i];
        set |= key->provisioned && !key->revoked ? (uint32_t)key->scheme : 0;
    }
    return set;
}

int trust_find_key(const trust_state_t *state, const uint8_t digest[OTTER_SHA256_BYTES])
{
    int found = -1;
    for (int i = TRUST_KEYS - 1; i >= 0; i--) {
        bool same = otter_equal_ct(state->key[i].digest, digest, OTTER_SHA256_BYTES);
        found = same && state->key[i].provisioned ? i : found;
    }
    return found;
}

/* ---- Planning ---- */

static void add(trust_plan_t *plan, uint32_t off, const uint8_t *bits, uint32_t len)
{
    trust_burn_t *burn = &plan->burn[plan->count++];
    burn->off = off;
    burn->len = len;
    memcpy(burn->bits, bits, len);
}

static void add_bits(trust_plan_t *plan, uint32_t off, uint32_t bits)
{
    uint8_t byte = (uint8_t)bits;
    add(plan, off, &byte, 1);
}

/* What the key store will say once the plan is carried out. */
static void foresee(const uint8_t *bits, const trust_plan_t *plan, trust_state_t *state)
{
    uint8_t after[OTTER_KEY_STORE_BYTES];
    memcpy(after, bits, sizeof(after));
    for (uint32_t i = 0; i < plan->count; i++) {
        const trust_burn_t *burn = &plan->burn[i];
        for (uint32_t b = 0; b < burn->len; b++) {
            after[burn->off + b] |= burn->bits[b];
        }
    }
    trust_decode(after, state);
}

/* True if burning turns what is there into exactly what is wanted. */
static bool can_become(const uint8_t *there, const uint8_t *wanted, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if ((there[i] & ~wanted[i]) != 0) {
            return false;
        }
    }
    return true;
}

static esp_err_t refuse(trust_plan_t *plan, esp_err_t err)
{
    plan->count = 0;
    return err;
}

static bool is_key(const trust_key_t *key, trust_scheme_t scheme, const uint8_t *digest)
{
    return key->provisioned && !key->revoked && key->scheme == scheme &&
           memcmp(key->digest, digest, OTTER_SHA256_BYTES) == 0;
}

static bool has_room_for_key(const uint8_t *bits, uint32_t index, uint8_t scheme, const uint8_t *digest)
{
    return !has_bit(bits[OFF_COMPLETE], index) && can_become(bits + OFF_SCHEME + index, &scheme, 1) &&
           can_become(bits + digest_off(index), digest, OTTER_SHA256_BYTES);
}

esp_err_t trust_plan_key(const uint8_t bits[OTTER_KEY_STORE_BYTES], uint32_t index, trust_scheme_t scheme,
                         const uint8_t digest[OTTER_SHA256_BYTES], trust_plan_t *plan)
{
    plan->count = 0;
    if (index >= TRUST_KEYS || trust_scheme_name(scheme) == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    trust_state_t state;
    trust_decode(bits, &state);
    if (is_key(&state.key[index], scheme, digest)) {
        return ESP_OK;
    }
    if (state.secure_boot) {
        return ESP_ERR_NOT_ALLOWED;
    }
    if (!has_room_for_key(bits, index, (uint8_t)scheme, digest)) {
        return ESP_ERR_INVALID_STATE;
    }
    add(plan, digest_off(index), digest, OTTER_SHA256_BYTES);
    add_bits(plan, OFF_SCHEME + index, scheme);
    add_bits(plan, OFF_COMPLETE, 1u << index);
    foresee(bits, plan, &state);
    return state.key[index].revoked ? refuse(plan, ESP_ERR_INVALID_STATE) : ESP_OK;
}

esp_err_t trust_plan_secure_boot(const uint8_t bits[OTTER_KEY_STORE_BYTES], trust_plan_t *plan)
{
    plan->count = 0;
    trust_state_t state;
    trust_decode(bits, &state);
    if (state.secure_boot) {
        return ESP_OK;
    }
    if (trust_schemes(&state) == 0) {
        return ESP_ERR_INVALID_STATE;
    }
    add_bits(plan, OFF_MARKS, MARK_SECURE_BOOT);
    return ESP_OK;
}

esp_err_t trust_plan_revoke(const uint8_t bits[OTTER_KEY_STORE_BYTES], uint32_t index, trust_plan_t *plan)
{
    plan->count = 0;
    if (index >= TRUST_KEYS) {
        return ESP_ERR_INVALID_ARG;
    }
    if (has_bit(bits[OFF_REVOKED], index)) {
        return ESP_OK;
    }
    add_bits(plan, OFF_REVOKED, 1u << index);
    trust_state_t after;
    foresee(bits, plan, &after);
    bool locks_out = after.secure_boot && trust_schemes(&after) == 0;
    return locks_out ? refuse(plan, ESP_ERR_NOT_ALLOWED) : ESP_OK;
}

/* The lowest clear bits, @p count of them: a burn that was cut short may have left gaps. */
static uint32_t pick_clear_bits(uint32_t word, uint32_t count)
{
    uint32_t picked = 0;
    for (uint32_t bit = 0; count > 0; bit++) {
        if ((word >> bit & 1u) == 0) {
            picked |= 1u << bit;
            count--;
        }
    }
    return picked;
}

esp_err_t trust_plan_secure_version(const uint8_t bits[OTTER_KEY_STORE_BYTES], uint32_t version, trust_plan_t *plan)
{
    plan->count = 0;
    uint32_t word = bytes_get_u32(bits + OFF_SECURE_VERSION);
    uint32_t present = count_bits(word);
    if (version > TRUST_SECURE_VERSION_MAX) {
        return ESP_ERR_INVALID_ARG;
    }
    if (version <= present) {
        return version == present ? ESP_OK : ESP_FAIL;
    }
    uint8_t burn[4];
    bytes_put_u32(burn, pick_clear_bits(word, version - present));
    add(plan, OFF_SECURE_VERSION, burn, sizeof(burn));
    return ESP_OK;
}

esp_err_t trust_plan_chip(const uint8_t bits[OTTER_KEY_STORE_BYTES], uint16_t chip_id, uint16_t chip_revision,
                          uint16_t efuse_blk_revision, trust_plan_t *plan)
{
    plan->count = 0;
    uint8_t chip[CHIP_BYTES];
    bytes_put_u16(chip, chip_id);
    bytes_put_u16(chip + 2, chip_revision);
    bytes_put_u16(chip + 4, efuse_blk_revision);
    if ((bits[OFF_MARKS] & MARK_CHIP) != 0) {
        return memcmp(bits + OFF_CHIP, chip, CHIP_BYTES) == 0 ? ESP_OK : ESP_ERR_NOT_ALLOWED;
    }
    if (!can_become(bits + OFF_CHIP, chip, CHIP_BYTES)) {
        return ESP_ERR_INVALID_STATE;
    }
    add(plan, OFF_CHIP, chip, CHIP_BYTES);
    add_bits(plan, OFF_MARKS, MARK_CHIP);
    return ESP_OK;
}

/* ---- Carrying out ---- */

esp_err_t trust_execute(otter_key_store_t *store, const trust_plan_t *plan)
{
    for (uint32_t i = 0; i < plan->count; i++) {
        const trust_burn_t *burn = &plan->burn[i];
        esp_err_t err = otter_key_store_burn(store, burn->off, burn->bits, burn->len);
        if (err != ESP_OK) {
            return err;
        }
    }
    return ESP_OK;
}
