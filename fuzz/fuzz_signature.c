/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signature blocks. GOOD only under a key that the device trusts for that scheme, not revoked, with its CRC right and this
 * image's digest in it; a good block with any bit changed is good no longer.
 *
 * Input: flags (see below), which byte to change, both digests of the image, block.
 */
#include "fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "core/trust/signature.h"
#include "core/util/bytes.h"
#include "fuzz/sign.h"

#define CRC_OFF    1196
#define DIGEST_OFF 4

enum { FIX_CRC = 1, FIX_DIGEST = 2, NO_SHA384 = 4, TRUST_IT = 8, REVOKED = 16, SIGN = 32, OTHER_SCHEME = 64 };

static void fix(uint8_t *block, const signature_digests_t *digests, uint8_t flags)
{
    if ((flags & SIGN) != 0) {
        fuzz_sign(0, digests, block);
    }
    if ((flags & FIX_DIGEST) != 0) {
        bool sha384 = block[2] == 1;
        memcpy(block + DIGEST_OFF, sha384 ? digests->sha384 : digests->sha256, sha384 ? 48 : 32);
    }
    if ((flags & FIX_CRC) != 0) {
        bytes_put_u32(block + CRC_OFF, bytes_crc32(0, block, CRC_OFF));
    }
}

static void check_sound(const signature_t *found, const uint8_t *block, const signature_digests_t *digests)
{
    FUZZ_CHECK(block[0] == 0xE7 && bytes_crc32(0, block, CRC_OFF) == bytes_get_u32(block + CRC_OFF));
    FUZZ_CHECK(trust_scheme_name(found->scheme) != NULL);
    if (found->verdict != SIGNATURE_GOOD) {
        return;
    }
    bool sha384 = found->scheme == TRUST_SCHEME_P384;
    FUZZ_CHECK(!sha384 || digests->has_sha384);
    FUZZ_CHECK(memcmp(block + DIGEST_OFF, sha384 ? digests->sha384 : digests->sha256, sha384 ? 48 : 32) == 0);
}

/* A device that trusts just the key of this block, if the flags say so. */
static trust_state_t trust_of(const signature_t *found, uint8_t flags)
{
    trust_state_t trust = {.secure_boot = true};
    trust_key_t *key = &trust.key[1];
    if ((flags & TRUST_IT) != 0 && found->scheme != TRUST_SCHEME_NONE) {
        key->provisioned = true;
        key->scheme = (flags & OTHER_SCHEME) != 0 ? (trust_scheme_t)(found->scheme ^ 7) : found->scheme;
        key->revoked = (flags & REVOKED) != 0;
        memcpy(key->digest, found->key_digest, sizeof(key->digest));
    }
    return trust;
}

static signature_verdict_t wanted(const signature_t *anyone, uint8_t flags)
{
    if (anyone->verdict == SIGNATURE_ABSENT || anyone->verdict == SIGNATURE_MALFORMED) {
        return anyone->verdict;
    }
    if ((flags & TRUST_IT) == 0 || (flags & OTHER_SCHEME) != 0) {
        return SIGNATURE_UNTRUSTED;
    }
    return (flags & REVOKED) != 0 ? SIGNATURE_REVOKED : anyone->verdict;
}

/* The 16 bytes behind the CRC are not part of anything. */
static void check_changed(uint8_t *block, uint16_t where, const signature_digests_t *digests)
{
    block[where % (CRC_OFF + 4)] ^= (uint8_t)(1u << (where >> 13));
    FUZZ_CHECK(signature_check(block, digests, NULL).verdict != SIGNATURE_GOOD);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_input_t input = {data, size};
    uint8_t flags = fuzz_take_u8(&input);
    uint16_t where = fuzz_take_u16(&input);
    signature_digests_t digests = {.has_sha384 = (flags & NO_SHA384) == 0};
    uint8_t *block = calloc(1, SIGNATURE_BLOCK_BYTES);
    FUZZ_CHECK(block != NULL);
    fuzz_take_bytes(&input, digests.sha256, sizeof(digests.sha256));
    fuzz_take_bytes(&input, digests.sha384, sizeof(digests.sha384));
    fuzz_take_bytes(&input, block, SIGNATURE_BLOCK_BYTES);
    fix(block, &digests, flags);

    signature_t anyone = signature_check(block, &digests, NULL);
    trust_state_t trust = trust_of(&anyone, flags);
    signature_t judged = signature_check(block, &digests, &trust);
    FUZZ_CHECK(judged.verdict == wanted(&anyone, flags));
    FUZZ_CHECK(judged.scheme == anyone.scheme && signature_verdict_text(judged.verdict)[0] != '\0');
    if (anyone.verdict > SIGNATURE_MALFORMED) {
        check_sound(&anyone, block, &digests);
    }
    if (anyone.verdict == SIGNATURE_GOOD) {
        check_changed(block, where, &digests);
    }
    free(block);
    return 0;
}
