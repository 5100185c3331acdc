/* SPDX-License-Identifier: Apache-2.0 */
#include "core/image/image_signature.h"

bool image_signature_wanted(const image_expect_t *expect)
{
    return expect->signatures != IMAGE_SIGNATURES_IGNORE;
}

bool image_signature_required(const image_expect_t *expect)
{
    return expect->signatures == IMAGE_SIGNATURES_REQUIRE;
}

bool image_signature_needs_sha384(const image_expect_t *expect)
{
    if (!image_signature_required(expect)) {
        return image_signature_wanted(expect);
    }
    return (trust_schemes(expect->trust) & TRUST_SCHEME_P384) != 0;
}

uint32_t image_signature_padding(uint32_t image_len)
{
    return (SIGNATURE_SECTOR_BYTES - image_len % SIGNATURE_SECTOR_BYTES) % SIGNATURE_SECTOR_BYTES;
}

esp_err_t image_signature_take_digests(image_walk_t *walk)
{
    signature_digests_t *digests = &walk->digests;
    digests->has_sha384 = image_signature_needs_sha384(&walk->expect);
    esp_err_t err = otter_hash_finish(&walk->sha, digests->sha256);
    if (err == ESP_OK && digests->has_sha384) {
        err = otter_hash_finish(&walk->sha384, digests->sha384);
    }
    return err;
}

void image_signature_check_block(image_walk_t *walk)
{
    walk->signature[walk->blocks_checked++] = signature_check(walk->gather, &walk->digests, walk->expect.trust);
}

/* The verdict that says most: they are ordered by how far a block got. */
static signature_verdict_t best_verdict(const image_walk_t *walk)
{
    signature_verdict_t best = SIGNATURE_ABSENT;
    for (uint32_t i = 0; i < SIGNATURE_BLOCKS; i++) {
        best = walk->signature[i].verdict > best ? walk->signature[i].verdict : best;
    }
    return best;
}

static uint32_t count_blocks(const image_walk_t *walk)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < SIGNATURE_BLOCKS; i++) {
        count += walk->signature[i].verdict != SIGNATURE_ABSENT;
    }
    return count;
}

image_fault_t image_signature_judge(image_walk_t *walk)
{
    static const image_fault_t faults[] = {
        [SIGNATURE_ABSENT] = IMAGE_FAULT_UNSIGNED,
        [SIGNATURE_MALFORMED] = IMAGE_FAULT_SIGNATURE_FORMAT,
        [SIGNATURE_UNTRUSTED] = IMAGE_FAULT_SIGNATURE_KEY,
        [SIGNATURE_REVOKED] = IMAGE_FAULT_SIGNATURE_REVOKED,
        [SIGNATURE_OTHER] = IMAGE_FAULT_SIGNATURE,
        [SIGNATURE_BAD] = IMAGE_FAULT_SIGNATURE,
        [SIGNATURE_GOOD] = IMAGE_OK,
    };
    signature_verdict_t best = best_verdict(walk);
    walk->signature_count = count_blocks(walk);
    walk->signed_len = best > SIGNATURE_MALFORMED ? walk->fed : 0;
    return faults[best];
}
