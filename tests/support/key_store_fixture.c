/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/key_store_fixture.h"

#include <stdlib.h>

#include "tests/support/test.h"

otter_key_store_t *fixture_fuses(fixture_fuses_t *fuses)
{
    memset(fuses, 0, sizeof(*fuses));
    return otter_key_store_ram_init(&fuses->ram, fuses->bits);
}

/* Unseen by the count of burns. */
static void burn(fixture_fuses_t *fuses, const trust_plan_t *plan)
{
    uint32_t burns = fuses->ram.burns;
    assert_err(trust_execute(&fuses->ram.base, plan), ESP_OK);
    fuses->ram.burns = burns;
}

void fixture_burn_key(fixture_fuses_t *fuses, uint32_t index, const fixture_key_t *key)
{
    trust_plan_t plan;
    uint8_t digest[OTTER_SHA256_BYTES];
    const signature_key_t *pub = fixture_public_key(key);
    assert_err(signature_key_digest(pub, digest), ESP_OK);
    assert_err(trust_plan_key(fuses->bits, index, pub->scheme, digest, &plan), ESP_OK);
    burn(fuses, &plan);
}

void fixture_burn_secure_boot(fixture_fuses_t *fuses)
{
    trust_plan_t plan;
    assert_err(trust_plan_secure_boot(fuses->bits, &plan), ESP_OK);
    burn(fuses, &plan);
}

void fixture_burn_version(fixture_fuses_t *fuses, uint32_t version)
{
    trust_plan_t plan;
    assert_err(trust_plan_secure_version(fuses->bits, version, &plan), ESP_OK);
    burn(fuses, &plan);
}

void fixture_burn_chip(fixture_fuses_t *fuses, uint16_t chip_id, uint16_t revision)
{
    trust_plan_t plan;
    assert_err(trust_plan_chip(fuses->bits, chip_id, revision, 0, &plan), ESP_OK);
    burn(fuses, &plan);
}

trust_state_t fixture_trust_state(const fixture_fuses_t *fuses)
{
    trust_state_t state;
    trust_decode(fuses->bits, &state);
    return state;
}

uint8_t *fixture_app(uint16_t chip_id, const char *version, uint32_t secure_version, const fixture_key_t *first,
                     const fixture_key_t *second, size_t *len)
{
    fixture_image_t spec = FIXTURE_IMAGE_FOR(chip_id, "trust", version);
    spec.secure_version = secure_version;
    uint8_t *image = fixture_image(&spec, len);
    if (first == NULL) {
        return image;
    }
    const fixture_key_t *signers[] = {first, second};
    uint8_t *signed_image = fixture_sign_image(image, *len, signers, second != NULL ? 2 : 1, len);
    free(image);
    return signed_image;
}
