/* SPDX-License-Identifier: Apache-2.0 */
#include "core/trust/policy.h"

image_expect_t trust_expect(const trust_state_t *trust, image_kind_t kind, uint32_t max_len, uint16_t chip_id,
                            uint16_t chip_revision)
{
    return (image_expect_t){
        .kind = kind,
        .max_len = max_len,
        .chip_id = trust->chip_fixed ? trust->chip_id : chip_id,
        .chip_revision = trust->chip_fixed ? trust->chip_revision : chip_revision,
        .efuse_blk_revision = trust->efuse_blk_revision,
        /* Bootloaders have no secure version of this kind; the walk does not look for one. */
        .min_secure_version = trust->secure_version,
        .signatures = trust->secure_boot ? IMAGE_SIGNATURES_REQUIRE : IMAGE_SIGNATURES_IGNORE,
        .trust = trust,
    };
}

void trust_plan_confirmed(const uint8_t bits[OTTER_KEY_STORE_BYTES], uint32_t secure_version, trust_plan_t *plan)
{
    uint32_t floor = secure_version < TRUST_SECURE_VERSION_MAX ? secure_version : TRUST_SECURE_VERSION_MAX;
    /* The only error left says that the floor is higher already: nothing to do, as the empty plan says. */
    (void)trust_plan_secure_version(bits, floor, plan);
}
