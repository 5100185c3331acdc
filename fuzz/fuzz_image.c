/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The image walk. Whatever pieces the bytes come in, the findings are the same; what it calls whole has a right checksum and
 * SHA-256, and if signatures are required one of a trusted key; inspection finds first what the strict walk stops at.
 *
 * Input: flags (see below), seed of the pieces, floor, chip id, image.
 */
#include "fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "core/image/image.h"
#include "core/util/bytes.h"
#include "fuzz/fix.h"
#include "fuzz/sign.h"

enum { FIX = 1, BOOTLOADER = 2, ANY_CHIP = 4, HAS_FLOOR = 8, TIGHT = 16, SIGN = 32, SHOW = 64, REQUIRE = 128 };

/* What a sink was given. */
typedef struct sunk {
    const uint8_t *image;
    size_t len;
    uint32_t segments;
    uint32_t data_off; /* Of the present segment. */
    uint32_t data_len;
    uint32_t next_off; /* In it. */
    uint64_t bytes;
} sunk_t;

static esp_err_t sink_segment(void *arg, uint32_t index, const esp_image_segment_header_t *header, uint32_t data_off)
{
    sunk_t *sunk = arg;
    FUZZ_CHECK(index == sunk->segments && sunk->next_off == sunk->data_len);
    FUZZ_CHECK(data_off <= sunk->len && memcmp(header, sunk->image + data_off - sizeof(*header), sizeof(*header)) == 0);
    sunk->segments++;
    sunk->data_off = data_off;
    sunk->data_len = header->data_len;
    sunk->next_off = 0;
    return ESP_OK;
}

static esp_err_t sink_data(void *arg, uint32_t index, uint32_t off, const uint8_t *bytes, size_t len)
{
    sunk_t *sunk = arg;
    FUZZ_CHECK(index + 1 == sunk->segments && off == sunk->next_off);
    FUZZ_CHECK(len > 0 && len <= sunk->data_len - off);
    FUZZ_CHECK(memcmp(bytes, sunk->image + sunk->data_off + off, len) == 0);
    sunk->next_off += (uint32_t)len;
    sunk->bytes += len;
    return ESP_OK;
}

static size_t piece_len(uint32_t *seed, size_t left)
{
    *seed = *seed * 1664525u + 1013904223u;
    size_t len = (*seed >> 8) % ((*seed >> 30) == 0 ? 4096 : 40);
    return len < left ? len : left;
}

/* @p seed 0: in one piece. */
static void walk_image(image_walk_t *walk, const image_expect_t *expect, const uint8_t *image, size_t len,
                       uint32_t seed)
{
    sunk_t sunk = {.image = image, .len = len};
    const image_sink_t sink = {sink_segment, sink_data, &sunk};
    image_status_t status = IMAGE_STATUS_MORE;
    size_t fed = 0;
    FUZZ_CHECK(image_begin(walk, expect, &sink) == ESP_OK);
    while (status == IMAGE_STATUS_MORE && fed < len) {
        size_t used = SIZE_MAX;
        size_t now = seed != 0 ? piece_len(&seed, len - fed) : len;
        uint8_t *piece = fuzz_copy(image + fed, now);
        status = image_feed(walk, piece, now, &used);
        free(piece);
        FUZZ_CHECK(status == IMAGE_STATUS_MORE ? used == now : used <= now);
        fed += used;
    }
    FUZZ_CHECK(walk->fed == fed && sunk.segments == walk->segment_count);
    image_fault_t fault = image_finish(walk);
    /* While signatures are only shown, the bytes may end with the image. */
    bool shown = expect->signatures == IMAGE_SIGNATURES_SHOW && status == IMAGE_STATUS_MORE;
    FUZZ_CHECK((fault == IMAGE_OK) == (status == IMAGE_STATUS_DONE) || (shown && walk->image_len != 0));
    FUZZ_CHECK(fault == walk->fault && (fault == IMAGE_OK) == (walk->faults == 0));
    FUZZ_CHECK(image_feed(walk, image, 0, NULL) == (fault == IMAGE_OK ? IMAGE_STATUS_DONE : IMAGE_STATUS_ERROR));
    image_free(walk);
}

static void check_findings(const image_walk_t *walk, const image_expect_t *expect, size_t len)
{
    FUZZ_CHECK(walk->segment_count <= IMAGE_MAX_SEGMENTS && walk->fed <= len);
    FUZZ_CHECK(walk->image_len <= len && walk->image_len <= expect->max_len);
    FUZZ_CHECK(walk->image_len == 0 || walk->image_len == walk->fed || expect->signatures != IMAGE_SIGNATURES_IGNORE);
    FUZZ_CHECK(walk->signature_count <= SIGNATURE_BLOCKS && walk->signed_len <= walk->fed);
    FUZZ_CHECK(walk->signed_len == 0 || (walk->signed_len % SIGNATURE_SECTOR_BYTES == 0 && walk->signature_count > 0));
    FUZZ_CHECK(walk->faults == 0 || (walk->faults & 1u << walk->fault) != 0);
    FUZZ_CHECK(walk->fault_off <= len);
    uint32_t end = IMAGE_HEADER_BYTES;
    for (uint32_t i = 0; i < walk->segment_count; i++) {
        const image_segment_t *segment = &walk->segment[i];
        FUZZ_CHECK(segment->data_off == end + IMAGE_SEGMENT_HEADER_BYTES);
        end = segment->data_off + segment->data_len;
        FUZZ_CHECK(end <= expect->max_len && segment->data_len < IMAGE_SEGMENT_LIMIT);
    }
}

static void check_same(const image_walk_t *a, const image_walk_t *b)
{
    FUZZ_CHECK(a->fault == b->fault && a->faults == b->faults && a->fault_off == b->fault_off && a->fed == b->fed);
    FUZZ_CHECK(a->header_known == b->header_known && memcmp(&a->header, &b->header, sizeof(a->header)) == 0);
    FUZZ_CHECK(a->segment_count == b->segment_count && memcmp(a->segment, b->segment, sizeof(a->segment)) == 0);
    FUZZ_CHECK(a->desc_known == b->desc_known && a->checksum == b->checksum && a->image_len == b->image_len);
    FUZZ_CHECK(!a->desc_known || memcmp(&a->desc, &b->desc, sizeof(a->desc)) == 0);
    FUZZ_CHECK(memcmp(a->hash, b->hash, sizeof(a->hash)) == 0);
    FUZZ_CHECK(memcmp(a->hash_stored, b->hash_stored, sizeof(a->hash)) == 0);
    FUZZ_CHECK(a->signature_count == b->signature_count && a->signed_len == b->signed_len);
    for (int i = 0; i < SIGNATURE_BLOCKS; i++) {
        FUZZ_CHECK(a->signature[i].verdict == b->signature[i].verdict);
        FUZZ_CHECK(memcmp(a->signature[i].key_digest, b->signature[i].key_digest, OTTER_SHA256_BYTES) == 0);
    }
}

/* What the walk says of signatures: the same as the blocks do by themselves, over the padded image hashed anew. */
static void check_signed(const image_walk_t *walk, const image_expect_t *expect, const uint8_t *image)
{
    signature_digests_t digests = {.has_sha384 = false};
    bool good = false;
    uint32_t padded = walk->signed_len - SIGNATURE_SECTOR_BYTES;
    FUZZ_CHECK(walk->signed_len > walk->image_len && padded - walk->image_len < SIGNATURE_SECTOR_BYTES);
    fuzz_sha256(image, padded, digests.sha256);
    for (int i = 0; i < SIGNATURE_BLOCKS; i++) {
        const uint8_t *block = image + padded + (size_t)i * SIGNATURE_BLOCK_BYTES;
        signature_t alone = signature_check(block, &digests, expect->trust);
        FUZZ_CHECK(walk->signature[i].verdict == alone.verdict || alone.scheme == TRUST_SCHEME_P384);
        good = good || walk->signature[i].verdict == SIGNATURE_GOOD;
    }
    FUZZ_CHECK(good || walk->fault != IMAGE_OK || expect->signatures != IMAGE_SIGNATURES_REQUIRE);
}

/* The walk said that the image is good: fixing it in another way must change nothing. */
static void check_good(const image_walk_t *walk, const image_expect_t *expect, const uint8_t *image, size_t len)
{
    uint8_t *fixed = fuzz_copy(image, len);
    FUZZ_CHECK(fuzz_fix_image(fixed, len) == walk->image_len);
    FUZZ_CHECK(memcmp(fixed, image, len) == 0);
    free(fixed);
    FUZZ_CHECK(expect->any_chip || walk->header.chip_id == expect->chip_id);
    if (expect->kind == IMAGE_KIND_APP) {
        FUZZ_CHECK(walk->desc_known && walk->desc.secure_version >= expect->min_secure_version);
        FUZZ_CHECK(memcmp(&walk->desc, image + IMAGE_DESC_OFFSET, sizeof(walk->desc)) == 0);
        FUZZ_CHECK(walk->header.hash_appended != 0);
    }
}

static void check_bit(uint8_t *image, size_t len, const image_expect_t *expect, size_t off, uint32_t bit)
{
    image_walk_t walk;
    image[off] ^= (uint8_t)(1u << bit);
    walk_image(&walk, expect, image, len, 0);
    FUZZ_CHECK(walk.fault != IMAGE_OK);
    image[off] ^= (uint8_t)(1u << bit);
}

/* An app with any bit changed is good no longer, the last one of its digest included. */
static void check_tampered(uint8_t *image, size_t len, const image_expect_t *expect, uint32_t image_len, uint32_t seed)
{
    check_bit(image, len, expect, (seed * 40503u >> 3) % image_len, seed % 8);
    check_bit(image, len, expect, image_len - 1, seed % 8);
}

static image_signatures_t signatures_of(uint8_t flags)
{
    if ((flags & REQUIRE) != 0) {
        return IMAGE_SIGNATURES_REQUIRE;
    }
    return (flags & SHOW) != 0 ? IMAGE_SIGNATURES_SHOW : IMAGE_SIGNATURES_IGNORE;
}

/* The device trusts key 0; key 1 is revoked. */
static trust_state_t make_trust(void)
{
    trust_state_t trust = {.secure_boot = true};
    fuzz_trust(&trust, 0, 0);
    fuzz_trust(&trust, 1, 1);
    trust.key[1].revoked = true;
    return trust;
}

/* Signs what lies there, if there is room; with which key, the first byte of the sector says. */
static void sign(uint8_t *image, size_t len)
{
    signature_digests_t digests = {.has_sha384 = false};
    size_t image_len = fuzz_fix_image(image, len);
    size_t padded = (image_len + SIGNATURE_SECTOR_BYTES - 1) / SIGNATURE_SECTOR_BYTES * SIGNATURE_SECTOR_BYTES;
    if (image_len == 0 || len < padded + SIGNATURE_SECTOR_BYTES) {
        return;
    }
    fuzz_sha256(image, padded, digests.sha256);
    for (size_t off = padded; off + SIGNATURE_BLOCK_BYTES <= padded + SIGNATURE_SECTOR_BYTES;
         off += SIGNATURE_BLOCK_BYTES) {
        if (image[off] < FUZZ_KEYS) {
            fuzz_sign(image[off], &digests, image + off);
        }
    }
}

static image_expect_t expect_of(uint8_t flags, uint8_t floor, uint16_t chip_id, size_t len, const trust_state_t *trust)
{
    return (image_expect_t){
        .kind = (flags & BOOTLOADER) != 0 ? IMAGE_KIND_BOOTLOADER : IMAGE_KIND_APP,
        .max_len = (flags & TIGHT) != 0 ? (uint32_t)(len > floor ? len - floor : 0) : 1u << 20,
        .any_chip = (flags & ANY_CHIP) != 0,
        .chip_id = chip_id,
        .min_secure_version = (flags & HAS_FLOOR) != 0 ? floor : 0,
        .signatures = signatures_of(flags),
        .trust = trust,
    };
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_input_t input = {data, size};
    uint8_t flags = fuzz_take_u8(&input);
    uint32_t seed = fuzz_take_u16(&input) + 1u;
    uint8_t floor = fuzz_take_u8(&input);
    uint16_t chip_id = fuzz_take_u16(&input);
    size_t len = 0;
    uint8_t *image = fuzz_take_rest(&input, &len);
    if ((flags & FIX) != 0) {
        (void)fuzz_fix_image(image, len);
    }
    if ((flags & SIGN) != 0) {
        sign(image, len);
    }
    trust_state_t trust = make_trust();
    image_expect_t expect = expect_of(flags, floor, chip_id, len, (flags & (REQUIRE | HAS_FLOOR)) != 0 ? &trust : NULL);
    image_walk_t whole;
    image_walk_t pieces;
    image_walk_t inspected;
    walk_image(&whole, &expect, image, len, 0);
    walk_image(&pieces, &expect, image, len, seed);
    check_findings(&whole, &expect, len);
    check_same(&whole, &pieces);
    expect.inspect = true;
    walk_image(&inspected, &expect, image, len, 0);
    walk_image(&pieces, &expect, image, len, seed);
    check_findings(&inspected, &expect, len);
    check_same(&inspected, &pieces);
    FUZZ_CHECK(inspected.fault == whole.fault && inspected.fault_off == whole.fault_off);
    if (inspected.signed_len != 0) {
        check_signed(&inspected, &expect, image);
    }
    if (whole.fault == IMAGE_OK) {
        FUZZ_CHECK(expect.signatures != IMAGE_SIGNATURES_REQUIRE || whole.signed_len != 0);
        check_good(&whole, &expect, image, len);
        if (expect.kind == IMAGE_KIND_APP) {
            expect.inspect = false;
            check_tampered(image, len, &expect, whole.image_len, seed);
        }
    }
    FUZZ_CHECK(image_fault_text(whole.fault)[0] != '\0');
    FUZZ_CHECK((image_fault_err(whole.fault) == ESP_OK) == (whole.fault == IMAGE_OK));
    free(image);
    return 0;
}
