/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz/sign.h"

#include <string.h>

#include "fuzz/fix.h"
#include "fuzz/fuzz.h"
#include "otter/otter_signing.h"

#define VERSIONS 8

static struct {
    otter_signing_key_t *key[FUZZ_KEYS];
    bool has_app[FUZZ_KEYS][VERSIONS];
    uint16_t chip_id; /* That the apps are for. */
    uint8_t app[FUZZ_KEYS][VERSIONS][FUZZ_SIGNED_MAX];
} signer;

static const otter_signing_key_t *key_of(uint32_t number)
{
    FUZZ_CHECK(number < FUZZ_KEYS);
    if (signer.key[number] == NULL) {
        FUZZ_CHECK(otter_signing_generate(OTTER_SIGNING_P256, &signer.key[number]) == ESP_OK);
    }
    return signer.key[number];
}

static signature_key_t public_of(uint32_t number)
{
    otter_public_key_t pub;
    signature_key_t key = {.scheme = TRUST_SCHEME_P256};
    FUZZ_CHECK(otter_signing_public(key_of(number), &pub) == ESP_OK);
    memcpy(key.point, pub.point, sizeof(pub.point));
    return key;
}

static void digest_of(uint32_t number, uint8_t digest[OTTER_SHA256_BYTES])
{
    signature_key_t key = public_of(number);
    FUZZ_CHECK(signature_key_digest(&key, digest) == ESP_OK);
}

void fuzz_trust(trust_state_t *trust, uint32_t index, uint32_t number)
{
    trust->key[index].provisioned = true;
    trust->key[index].scheme = TRUST_SCHEME_P256;
    digest_of(number, trust->key[index].digest);
}

void fuzz_burn(uint8_t bits[OTTER_KEY_STORE_BYTES], const trust_plan_t *plan)
{
    FUZZ_CHECK(plan->count <= TRUST_PLAN_MAX);
    for (uint32_t i = 0; i < plan->count; i++) {
        const trust_burn_t *burn = &plan->burn[i];
        FUZZ_CHECK(burn->off < OTTER_KEY_STORE_BYTES && burn->len <= OTTER_KEY_STORE_BYTES - burn->off);
        FUZZ_CHECK(burn->len > 0 && burn->len <= sizeof(burn->bits));
        for (uint32_t b = 0; b < burn->len; b++) {
            bits[burn->off + b] |= burn->bits[b];
        }
    }
}

void fuzz_burn_key(uint8_t bits[OTTER_KEY_STORE_BYTES], uint32_t index, uint32_t number)
{
    trust_plan_t plan;
    uint8_t digest[OTTER_SHA256_BYTES];
    digest_of(number, digest);
    FUZZ_CHECK(trust_plan_key(bits, index, TRUST_SCHEME_P256, digest, &plan) == ESP_OK);
    fuzz_burn(bits, &plan);
}

void fuzz_sign(uint32_t number, const signature_digests_t *digests, uint8_t block[SIGNATURE_BLOCK_BYTES])
{
    uint8_t signature[OTTER_SIGNATURE_MAX_BYTES];
    signature_key_t key = public_of(number);
    FUZZ_CHECK(otter_signing_sign(key_of(number), digests->sha256, signature) == ESP_OK);
    FUZZ_CHECK(signature_build(&key, digests, signature, block) == ESP_OK);
}

static void sign_app(uint8_t app[FUZZ_SIGNED_MAX], uint32_t secure_version, uint32_t number)
{
    signature_digests_t digests = {.has_sha384 = false};
    uint8_t plain[FUZZ_APP_MAX];
    size_t len = fuzz_make_app(plain, signer.chip_id, secure_version);
    memset(app, 0xFF, FUZZ_SIGNED_MAX);
    memcpy(app, plain, len);
    fuzz_sha256(app, SIGNATURE_SECTOR_BYTES, digests.sha256);
    fuzz_sign(number, &digests, app + SIGNATURE_SECTOR_BYTES);
}

const uint8_t *fuzz_signed_app(uint16_t chip_id, uint32_t secure_version, uint32_t number)
{
    uint32_t version = secure_version % VERSIONS;
    FUZZ_CHECK(signer.chip_id == 0 || signer.chip_id == chip_id);
    signer.chip_id = chip_id;
    if (!signer.has_app[number][version]) {
        sign_app(signer.app[number][version], version, number);
        signer.has_app[number][version] = true;
    }
    return signer.app[number][version];
}
