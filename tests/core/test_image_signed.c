/* SPDX-License-Identifier: Apache-2.0 */
/* The image walk on signed images: what it demands, what it only shows, and that the sizes of the pieces never matter. */
#include <stdlib.h>

#include "core/image/image.h"
#include "core/util/bytes.h"
#include "esp_image_format.h"
#include "tests/support/image_fixture.h"
#include "tests/support/signed_fixture.h"
#include "tests/support/test.h"

#define OFF_CRC    1196
#define OFF_DIGEST 4

static const trust_scheme_t schemes[] = {TRUST_SCHEME_RSA3072, TRUST_SCHEME_P256, TRUST_SCHEME_P384};

#define SCHEMES (sizeof(schemes) / sizeof(schemes[0]))

/* A signed image, and a device that trusts its first key. */
typedef struct signed_app {
    uint8_t *bytes;
    size_t len;       /* Sector included. */
    size_t image_len; /* Without padding. */
    trust_state_t trust;
    image_expect_t expect;
} signed_app_t;

static uint8_t *plain_image(uint32_t seed, size_t *len)
{
    fixture_image_t spec = FIXTURE_IMAGE("blink", "1.2.0");
    spec.seed = seed;
    return fixture_image(&spec, len);
}

static void sign_app(signed_app_t *app, const fixture_key_t *const *keys, size_t count)
{
    uint8_t *image = plain_image(0, &app->image_len);
    app->bytes = fixture_sign_image(image, app->image_len, keys, count, &app->len);
    free(image);
    app->trust = (trust_state_t){.secure_boot = true};
    fixture_trust(&app->trust, 0, keys[0]);
    app->expect = fixture_expect(OTTER_CHIP_ID_LINUX_X86_64);
    app->expect.signatures = IMAGE_SIGNATURES_REQUIRE;
    app->expect.trust = &app->trust;
}

static void sign_app_once(signed_app_t *app, trust_scheme_t scheme)
{
    const fixture_key_t *key = fixture_key(scheme, 0);
    sign_app(app, &key, 1);
}

static uint8_t *sector_of(const signed_app_t *app)
{
    return app->bytes + app->len - SIGNATURE_SECTOR_BYTES;
}

static uint8_t *block_of(const signed_app_t *app, uint32_t index)
{
    return sector_of(app) + (size_t)index * SIGNATURE_BLOCK_BYTES;
}

static void renew_crc(uint8_t *block)
{
    bytes_put_u32(block + OFF_CRC, bytes_crc32(0, block, OFF_CRC));
}

static image_walk_t walk_bytes(const image_expect_t *expect, const uint8_t *bytes, size_t len)
{
    image_walk_t walk;
    assert_err(image_begin(&walk, expect, NULL), ESP_OK);
    image_feed(&walk, bytes, len, NULL);
    image_finish(&walk);
    image_free(&walk);
    return walk;
}

static void assert_fault(const image_walk_t *walk, image_fault_t fault)
{
    assert_string_equal(image_fault_text(walk->fault), image_fault_text(fault));
    assert_int_equal(walk->faults, fault == IMAGE_OK ? 0 : 1u << fault);
}

/* Walks the app's first @p len bytes. */
static image_walk_t assert_part_walks_to(const signed_app_t *app, size_t len, image_fault_t fault)
{
    image_walk_t walk = walk_bytes(&app->expect, app->bytes, len);
    assert_fault(&walk, fault);
    return walk;
}

static image_walk_t assert_walks_to(const signed_app_t *app, image_fault_t fault)
{
    return assert_part_walks_to(app, app->len, fault);
}

/* ---- Accepted ---- */

static void an_app_signed_with_a_trusted_key_is_accepted(void **state)
{
    (void)state;
    for (size_t i = 0; i < SCHEMES; i++) {
        signed_app_t app;
        sign_app_once(&app, schemes[i]);
        image_walk_t walk = assert_walks_to(&app, IMAGE_OK);
        assert_int_equal(walk.step, IMAGE_STEP_DONE);
        assert_int_equal(walk.image_len, app.image_len);
        assert_int_equal(walk.signed_len, app.len);
        assert_int_equal(walk.fed, app.len);
        assert_int_equal(walk.signature_count, 1);
        assert_int_equal(walk.signature[0].verdict, SIGNATURE_GOOD);
        assert_int_equal(walk.signature[0].scheme, schemes[i]);
        assert_memory_equal(walk.signature[0].key_digest, app.trust.key[0].digest, OTTER_SHA256_BYTES);
        assert_int_equal(walk.signature[1].verdict, SIGNATURE_ABSENT);
        assert_memory_equal(walk.hash, walk.hash_stored, sizeof(walk.hash));
        free(app.bytes);
    }
}

static void the_sha384_is_computed_only_for_a_p384_key_that_counts(void **state)
{
    (void)state;
    signed_app_t app;
    sign_app_once(&app, TRUST_SCHEME_P256);
    signature_digests_t digests = fixture_digests(app.bytes, app.len - SIGNATURE_SECTOR_BYTES);
    image_walk_t walk = assert_walks_to(&app, IMAGE_OK);
    assert_false(walk.digests.has_sha384);
    assert_memory_equal(walk.digests.sha256, digests.sha256, sizeof(digests.sha256));

    fixture_trust(&app.trust, 1, fixture_key(TRUST_SCHEME_P384, 0));
    walk = assert_walks_to(&app, IMAGE_OK);
    assert_true(walk.digests.has_sha384);
    assert_memory_equal(walk.digests.sha384, digests.sha384, sizeof(digests.sha384));

    app.trust.key[1].revoked = true;
    walk = assert_walks_to(&app, IMAGE_OK);
    assert_false(walk.digests.has_sha384);
    free(app.bytes);
}

static void any_good_one_of_up_to_three_signatures_is_enough(void **state)
{
    (void)state;
    const fixture_key_t *keys[SIGNATURE_BLOCKS] = {
        fixture_key(TRUST_SCHEME_P256, 0),
        fixture_key(TRUST_SCHEME_P384, 1),
        fixture_key(TRUST_SCHEME_RSA3072, 2),
    };
    for (uint32_t count = 1; count <= SIGNATURE_BLOCKS; count++) {
        for (uint32_t trusted = 0; trusted < count; trusted++) {
            signed_app_t app;
            sign_app(&app, keys, count);
            fixture_trust(&app.trust, 0, keys[trusted]);
            image_walk_t walk = assert_walks_to(&app, IMAGE_OK);
            assert_int_equal(walk.signature_count, count);
            for (uint32_t i = 0; i < SIGNATURE_BLOCKS; i++) {
                signature_verdict_t other = i < count ? SIGNATURE_UNTRUSTED : SIGNATURE_ABSENT;
                assert_int_equal(walk.signature[i].verdict, i == trusted ? SIGNATURE_GOOD : other);
            }
            free(app.bytes);
        }
    }
}

static void a_good_signature_behind_an_empty_or_broken_block_counts(void **state)
{
    (void)state;
    static const uint8_t first_bytes[] = {0xFF, 0xE7};
    for (size_t i = 0; i < sizeof(first_bytes); i++) {
        signed_app_t app;
        sign_app_once(&app, TRUST_SCHEME_P256);
        memcpy(block_of(&app, 2), block_of(&app, 0), SIGNATURE_BLOCK_BYTES);
        memset(block_of(&app, 0), 0xFF, SIGNATURE_BLOCK_BYTES);
        block_of(&app, 0)[0] = first_bytes[i];
        image_walk_t walk = assert_walks_to(&app, IMAGE_OK);
        assert_int_equal(walk.signature[2].verdict, SIGNATURE_GOOD);
        assert_int_equal(walk.signature_count, 1 + i);
        free(app.bytes);
    }
}

static void an_image_that_ends_on_a_sector_has_its_signature_right_behind(void **state)
{
    (void)state;
    fixture_image_t spec = FIXTURE_IMAGE("blink", "1.2.0");
    size_t len;
    free(fixture_image(&spec, &len));
    spec.segment_bytes[1] += (uint32_t)(SIGNATURE_SECTOR_BYTES - len);
    uint8_t *image = fixture_image(&spec, &len);
    assert_int_equal(len, SIGNATURE_SECTOR_BYTES);
    signed_app_t app;
    sign_app_once(&app, TRUST_SCHEME_P256);
    free(app.bytes);
    const fixture_key_t *key = fixture_key(TRUST_SCHEME_P256, 0);
    app.bytes = fixture_sign_image(image, len, &key, 1, &app.len);
    assert_int_equal(app.len, 2 * SIGNATURE_SECTOR_BYTES);
    image_walk_t walk = assert_walks_to(&app, IMAGE_OK);
    assert_int_equal(walk.image_len, len);
    assert_int_equal(walk.signed_len, app.len);
    walk = assert_part_walks_to(&app, len, IMAGE_FAULT_UNSIGNED);
    assert_int_equal(walk.fault_off, len);
    free(app.bytes);
    free(image);
}

static void a_signed_bootloader_is_accepted_with_and_without_appended_digest(void **state)
{
    (void)state;
    for (int no_hash = 0; no_hash < 2; no_hash++) {
        signed_app_t app;
        sign_app_once(&app, TRUST_SCHEME_P256);
        free(app.bytes);
        fixture_image_t spec = FIXTURE_IMAGE("", "");
        spec.no_desc = true;
        spec.no_hash = no_hash != 0;
        size_t len;
        uint8_t *image = fixture_image(&spec, &len);
        const fixture_key_t *key = fixture_key(TRUST_SCHEME_P256, 0);
        app.bytes = fixture_sign_image(image, len, &key, 1, &app.len);
        app.expect.kind = IMAGE_KIND_BOOTLOADER;
        image_walk_t walk = assert_walks_to(&app, IMAGE_OK);
        assert_int_equal(walk.signed_len, app.len);
        app.bytes[len - 1 - 100] ^= 1;
        app.expect.inspect = true;
        assert_true(walk_bytes(&app.expect, app.bytes, app.len).faults & 1u << IMAGE_FAULT_SIGNATURE);
        free(app.bytes);
        free(image);
    }
}

static void bytes_behind_the_sector_are_left_alone(void **state)
{
    (void)state;
    signed_app_t app;
    sign_app_once(&app, TRUST_SCHEME_P256);
    image_walk_t walk;
    assert_err(image_begin(&walk, &app.expect, NULL), ESP_OK);
    assert_int_equal(image_feed(&walk, app.bytes, app.len, NULL), IMAGE_STATUS_DONE);
    size_t used = 1;
    assert_int_equal(image_feed(&walk, app.bytes, app.len, &used), IMAGE_STATUS_DONE);
    assert_int_equal(used, 0);
    assert_int_equal(image_finish(&walk), IMAGE_OK);
    image_free(&walk);
    free(app.bytes);
}

/* ---- Refused ---- */

static void an_app_signed_with_another_key_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < SCHEMES; i++) {
        signed_app_t app;
        sign_app_once(&app, schemes[i]);
        fixture_trust(&app.trust, 0, fixture_key(schemes[i], 1));
        image_walk_t walk = assert_walks_to(&app, IMAGE_FAULT_SIGNATURE_KEY);
        assert_int_equal(walk.fault_off, app.len - SIGNATURE_SECTOR_BYTES);
        assert_int_equal(walk.signature[0].verdict, SIGNATURE_UNTRUSTED);
        free(app.bytes);
    }
}

static void a_device_without_any_key_accepts_nothing(void **state)
{
    (void)state;
    signed_app_t app;
    sign_app_once(&app, TRUST_SCHEME_P256);
    app.trust = (trust_state_t){.secure_boot = true};
    assert_walks_to(&app, IMAGE_FAULT_SIGNATURE_KEY);
    free(app.bytes);
}

static void a_p384_signature_is_refused_where_only_a_p256_key_is_trusted(void **state)
{
    (void)state;
    signed_app_t app;
    sign_app_once(&app, TRUST_SCHEME_P384);
    fixture_trust(&app.trust, 0, fixture_key(TRUST_SCHEME_P256, 0));
    assert_walks_to(&app, IMAGE_FAULT_SIGNATURE_KEY);
    free(app.bytes);
}

static void a_key_trusted_for_another_scheme_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < SCHEMES; i++) {
        signed_app_t app;
        sign_app_once(&app, schemes[i]);
        app.trust.key[0].scheme = schemes[(i + 1) % SCHEMES];
        assert_walks_to(&app, IMAGE_FAULT_SIGNATURE_KEY);
        free(app.bytes);
    }
}

static void an_app_signed_with_a_revoked_key_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < SCHEMES; i++) {
        signed_app_t app;
        sign_app_once(&app, schemes[i]);
        app.trust.key[0].revoked = true;
        fixture_trust(&app.trust, 1, fixture_key(schemes[i], 1));
        assert_walks_to(&app, IMAGE_FAULT_SIGNATURE_REVOKED);
        free(app.bytes);
    }
}

static void an_unsigned_app_is_refused(void **state)
{
    (void)state;
    signed_app_t app;
    sign_app_once(&app, TRUST_SCHEME_P256);
    static const uint8_t fills[] = {0xFF, 0x00, 0xA5};
    for (size_t i = 0; i < sizeof(fills); i++) {
        memset(sector_of(&app), fills[i], SIGNATURE_SECTOR_BYTES);
        image_walk_t walk = assert_walks_to(&app, IMAGE_FAULT_UNSIGNED);
        assert_int_equal(walk.signature_count, 0);
        assert_int_equal(walk.signed_len, 0);
    }
    free(app.bytes);
}

static void an_app_that_ends_before_its_sector_is_unsigned_and_within_it_truncated(void **state)
{
    (void)state;
    signed_app_t app;
    sign_app_once(&app, TRUST_SCHEME_P256);
    size_t sector = app.len - SIGNATURE_SECTOR_BYTES;
    assert_part_walks_to(&app, app.image_len - 1, IMAGE_FAULT_TRUNCATED);
    assert_part_walks_to(&app, app.image_len, IMAGE_FAULT_UNSIGNED);
    assert_part_walks_to(&app, app.image_len + 1, IMAGE_FAULT_UNSIGNED);
    assert_part_walks_to(&app, sector, IMAGE_FAULT_UNSIGNED);
    assert_part_walks_to(&app, sector + 1, IMAGE_FAULT_TRUNCATED);
    assert_part_walks_to(&app, sector + SIGNATURE_BLOCK_BYTES, IMAGE_FAULT_TRUNCATED);
    assert_part_walks_to(&app, sector + 3 * SIGNATURE_BLOCK_BYTES, IMAGE_FAULT_TRUNCATED);
    image_walk_t walk = assert_part_walks_to(&app, app.len - 1, IMAGE_FAULT_TRUNCATED);
    assert_int_equal(walk.fault_off, app.len - 1);
    assert_walks_to(&app, IMAGE_OK);
    free(app.bytes);
}

static void a_block_with_a_wrong_crc_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < SCHEMES; i++) {
        signed_app_t app;
        sign_app_once(&app, schemes[i]);
        block_of(&app, 0)[OFF_CRC + 3] ^= 1;
        image_walk_t walk = assert_walks_to(&app, IMAGE_FAULT_SIGNATURE_FORMAT);
        assert_int_equal(walk.signature_count, 1);
        assert_int_equal(walk.signed_len, 0);
        free(app.bytes);
    }
}

static void a_flipped_byte_of_the_block_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < SCHEMES; i++) {
        signed_app_t app;
        sign_app_once(&app, schemes[i]);
        uint8_t *block = block_of(&app, 0);
        for (uint32_t off = 0; off < OFF_CRC + 4; off += 61) {
            block[off] ^= 0x80;
            assert_walks_to(&app, off == 0 ? IMAGE_FAULT_UNSIGNED : IMAGE_FAULT_SIGNATURE_FORMAT);
            block[off] ^= 0x80;
        }
        free(app.bytes);
    }
}

/* Offsets in digest, key field and signature of every scheme. */
static void a_flipped_byte_with_a_crc_that_fits_is_refused(void **state)
{
    (void)state;
    static const struct {
        uint32_t off[SCHEMES];
        image_fault_t fault;
    } flips[] = {
        {{4, 35, 51}, IMAGE_FAULT_SIGNATURE},         {{36, 37, 53}, IMAGE_FAULT_SIGNATURE_KEY},
        {{811, 100, 148}, IMAGE_FAULT_SIGNATURE_KEY}, {{812, 101, 149}, IMAGE_FAULT_SIGNATURE},
        {{1195, 164, 244}, IMAGE_FAULT_SIGNATURE},
    };
    for (size_t i = 0; i < SCHEMES; i++) {
        signed_app_t app;
        sign_app_once(&app, schemes[i]);
        uint8_t *block = block_of(&app, 0);
        for (size_t f = 0; f < sizeof(flips) / sizeof(flips[0]); f++) {
            block[flips[f].off[i]] ^= 0x80;
            renew_crc(block);
            assert_walks_to(&app, flips[f].fault);
            block[flips[f].off[i]] ^= 0x80;
        }
        renew_crc(block);
        assert_walks_to(&app, IMAGE_OK);
        free(app.bytes);
    }
}

/* Another good image with the signature of the first, as it is and with the right digest put in. */
static void the_signature_of_another_image_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < SCHEMES; i++) {
        signed_app_t app;
        sign_app_once(&app, schemes[i]);
        size_t len;
        uint8_t *other = plain_image(99, &len);
        assert_int_equal(len, app.image_len);
        memcpy(app.bytes, other, len);
        image_walk_t walk = assert_walks_to(&app, IMAGE_FAULT_SIGNATURE);
        assert_int_equal(walk.signature[0].verdict, SIGNATURE_OTHER);

        signature_digests_t digests = fixture_digests(app.bytes, app.len - SIGNATURE_SECTOR_BYTES);
        uint8_t *block = block_of(&app, 0);
        memcpy(block + OFF_DIGEST, digests.sha256, sizeof(digests.sha256));
        if (schemes[i] == TRUST_SCHEME_P384) {
            memcpy(block + OFF_DIGEST, digests.sha384, sizeof(digests.sha384));
        }
        renew_crc(block);
        walk = assert_walks_to(&app, IMAGE_FAULT_SIGNATURE);
        assert_int_equal(walk.signature[0].verdict, SIGNATURE_BAD);
        free(other);
        free(app.bytes);
    }
}

static void a_signature_over_the_unpadded_image_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < SCHEMES; i++) {
        signed_app_t app;
        sign_app_once(&app, schemes[i]);
        signature_digests_t digests = fixture_digests(app.bytes, app.image_len);
        fixture_sign(fixture_key(schemes[i], 0), &digests, block_of(&app, 0));
        assert_walks_to(&app, IMAGE_FAULT_SIGNATURE);
        free(app.bytes);
    }
}

static void changed_padding_is_refused(void **state)
{
    (void)state;
    signed_app_t app;
    sign_app_once(&app, TRUST_SCHEME_P256);
    size_t last = app.len - SIGNATURE_SECTOR_BYTES - 1;
    for (size_t off = app.image_len; off <= last; off += 113) {
        app.bytes[off] = 0x00;
        assert_walks_to(&app, IMAGE_FAULT_SIGNATURE);
        app.bytes[off] = 0xFF;
    }
    app.bytes[last] = 0x7F;
    assert_walks_to(&app, IMAGE_FAULT_SIGNATURE);
    free(app.bytes);
}

static void of_several_bad_signatures_the_most_telling_is_reported(void **state)
{
    (void)state;
    const fixture_key_t *keys[SIGNATURE_BLOCKS] = {
        fixture_key(TRUST_SCHEME_P256, 0),
        fixture_key(TRUST_SCHEME_P256, 1),
        fixture_key(TRUST_SCHEME_P256, 2),
    };
    signed_app_t app;
    sign_app(&app, keys, SIGNATURE_BLOCKS);
    block_of(&app, 0)[OFF_CRC] ^= 1;
    fixture_trust(&app.trust, 0, fixture_key(TRUST_SCHEME_P256, 3));
    assert_walks_to(&app, IMAGE_FAULT_SIGNATURE_KEY);
    fixture_trust(&app.trust, 1, keys[1]);
    app.trust.key[1].revoked = true;
    assert_walks_to(&app, IMAGE_FAULT_SIGNATURE_REVOKED);
    fixture_trust(&app.trust, 2, keys[2]);
    block_of(&app, 2)[101] ^= 1;
    renew_crc(block_of(&app, 2));
    image_walk_t walk = assert_walks_to(&app, IMAGE_FAULT_SIGNATURE);
    assert_int_equal(walk.signature_count, 3);
    free(app.bytes);
}

static void other_faults_come_first(void **state)
{
    (void)state;
    signed_app_t app;
    sign_app_once(&app, TRUST_SCHEME_P256);
    app.expect.min_secure_version = 1;
    assert_walks_to(&app, IMAGE_FAULT_SECURE_VERSION);
    app.expect.min_secure_version = 0;
    app.bytes[400] ^= 1;
    assert_walks_to(&app, IMAGE_FAULT_CHECKSUM);
    free(app.bytes);
}

static void an_app_without_room_for_its_sector_is_refused(void **state)
{
    (void)state;
    signed_app_t app;
    sign_app_once(&app, TRUST_SCHEME_P256);
    app.expect.max_len = (uint32_t)app.len;
    assert_walks_to(&app, IMAGE_OK);
    app.expect.max_len = (uint32_t)app.len - 1;
    assert_walks_to(&app, IMAGE_FAULT_TOO_LARGE);
    app.expect.signatures = IMAGE_SIGNATURES_IGNORE;
    app.expect.max_len = (uint32_t)app.image_len;
    assert_walks_to(&app, IMAGE_OK);
    free(app.bytes);
}

static void signatures_cannot_be_required_of_nobody(void **state)
{
    (void)state;
    signed_app_t app;
    sign_app_once(&app, TRUST_SCHEME_P256);
    app.expect.trust = NULL;
    image_walk_t walk;
    assert_err(image_begin(&walk, &app.expect, NULL), ESP_ERR_INVALID_ARG);
    assert_int_equal(image_feed(&walk, app.bytes, app.len, NULL), IMAGE_STATUS_ERROR);
    assert_int_equal(image_finish(&walk), IMAGE_FAULT_SIGNATURE_KEY);
    image_free(&walk);
    free(app.bytes);
}

static void an_inspection_notes_a_wrong_signature_and_ends_with_an_error(void **state)
{
    (void)state;
    signed_app_t app;
    sign_app_once(&app, TRUST_SCHEME_P256);
    app.expect.inspect = true;
    app.bytes[400] ^= 1;
    image_walk_t walk = walk_bytes(&app.expect, app.bytes, app.len);
    uint32_t faults = 1u << IMAGE_FAULT_CHECKSUM | 1u << IMAGE_FAULT_HASH | 1u << IMAGE_FAULT_SIGNATURE;
    assert_int_equal(walk.faults, faults);
    assert_int_equal(walk.step, IMAGE_STEP_DONE);
    assert_int_equal(walk.image_len, app.image_len);
    free(app.bytes);
}

static void signature_faults_have_texts_and_codes(void **state)
{
    (void)state;
    static const image_fault_t faults[] = {IMAGE_FAULT_UNSIGNED, IMAGE_FAULT_SIGNATURE_FORMAT,
                                           IMAGE_FAULT_SIGNATURE_KEY, IMAGE_FAULT_SIGNATURE_REVOKED,
                                           IMAGE_FAULT_SIGNATURE};
    for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
        assert_non_null(strstr(image_fault_text(faults[i]), "sign"));
        assert_err(image_fault_err(faults[i]), ESP_ERR_IMAGE_INVALID);
        for (size_t j = 0; j < i; j++) {
            assert_string_not_equal(image_fault_text(faults[i]), image_fault_text(faults[j]));
        }
    }
    image_fault_t unknown = (image_fault_t)(IMAGE_FAULT_SIGNATURE + 1);
    assert_string_equal(image_fault_text(unknown), image_fault_text(IMAGE_FAULT_CRYPTO));
    assert_err(image_fault_err(unknown), ESP_ERR_IMAGE_INVALID);
}

/* ---- Ignored and shown ---- */

static void ignored_signatures_are_not_even_read(void **state)
{
    (void)state;
    signed_app_t app;
    sign_app_once(&app, TRUST_SCHEME_P256);
    app.expect.signatures = IMAGE_SIGNATURES_IGNORE;
    image_walk_t walk = assert_walks_to(&app, IMAGE_OK);
    assert_int_equal(walk.fed, app.image_len);
    assert_int_equal(walk.signature_count, 0);
    assert_int_equal(walk.signed_len, 0);
    free(app.bytes);
}

static void shown_signatures_are_checked_against_any_key_or_the_trusted_ones(void **state)
{
    (void)state;
    const fixture_key_t *keys[SIGNATURE_BLOCKS] = {
        fixture_key(TRUST_SCHEME_P256, 0),
        fixture_key(TRUST_SCHEME_RSA3072, 0),
        fixture_key(TRUST_SCHEME_P384, 0),
    };
    signed_app_t app;
    sign_app(&app, keys, SIGNATURE_BLOCKS);
    app.expect.signatures = IMAGE_SIGNATURES_SHOW;
    image_walk_t walk = assert_walks_to(&app, IMAGE_OK);
    assert_int_equal(walk.signature[0].verdict, SIGNATURE_GOOD);
    assert_int_equal(walk.signature[1].verdict, SIGNATURE_UNTRUSTED);
    app.expect.trust = NULL;
    walk = assert_walks_to(&app, IMAGE_OK);
    assert_int_equal(walk.signature_count, 3);
    assert_int_equal(walk.signed_len, app.len);
    for (uint32_t i = 0; i < SIGNATURE_BLOCKS; i++) {
        assert_int_equal(walk.signature[i].verdict, SIGNATURE_GOOD);
        assert_int_equal(walk.signature[i].scheme, fixture_public_key(keys[i])->scheme);
    }
    free(app.bytes);
}

static void what_is_wrong_with_shown_signatures_is_no_fault(void **state)
{
    (void)state;
    signed_app_t app;
    sign_app_once(&app, TRUST_SCHEME_P384);
    app.expect.signatures = IMAGE_SIGNATURES_SHOW;
    app.expect.trust = NULL;
    app.bytes[app.image_len] = 0x00;
    image_walk_t walk = assert_walks_to(&app, IMAGE_OK);
    assert_int_equal(walk.signature[0].verdict, SIGNATURE_OTHER);
    block_of(&app, 0)[9] ^= 1;
    walk = assert_walks_to(&app, IMAGE_OK);
    assert_int_equal(walk.signature[0].verdict, SIGNATURE_MALFORMED);
    assert_int_equal(walk.signed_len, 0);
    free(app.bytes);
}

static void when_shown_a_sector_that_is_cut_short_is_none(void **state)
{
    (void)state;
    signed_app_t app;
    sign_app_once(&app, TRUST_SCHEME_P256);
    app.expect.signatures = IMAGE_SIGNATURES_SHOW;
    for (size_t len = app.image_len; len < app.len; len += 101) {
        image_walk_t walk = assert_part_walks_to(&app, len, IMAGE_OK);
        assert_int_equal(walk.step, IMAGE_STEP_DONE);
        assert_int_equal(walk.image_len, app.image_len);
        assert_int_equal(walk.signature_count, 0);
        assert_int_equal(walk.signed_len, 0);
        assert_int_equal(walk.signature[0].verdict, SIGNATURE_ABSENT);
    }
    assert_part_walks_to(&app, app.image_len - 1, IMAGE_FAULT_TRUNCATED);
    free(app.bytes);
}

static void trailing_garbage_is_neither_signature_nor_fault(void **state)
{
    (void)state;
    signed_app_t app;
    sign_app_once(&app, TRUST_SCHEME_P256);
    app.expect.signatures = IMAGE_SIGNATURES_SHOW;
    uint32_t malformed = 0;
    for (uint32_t seed = 0; seed < 300; seed++) {
        uint32_t random = seed;
        for (size_t off = app.image_len; off < app.len; off++) {
            app.bytes[off] = (uint8_t)fixture_random(&random);
        }
        image_walk_t walk = assert_walks_to(&app, IMAGE_OK);
        assert_int_equal(walk.signed_len, 0);
        for (uint32_t i = 0; i < SIGNATURE_BLOCKS; i++) {
            assert_true(walk.signature[i].verdict <= SIGNATURE_MALFORMED);
            malformed += walk.signature[i].verdict == SIGNATURE_MALFORMED;
        }
    }
    assert_true(malformed > 0); /* Some of it looked like a block. */
    free(app.bytes);
}

/* ---- Pieces ---- */

static void assert_same_findings(const image_walk_t *a, const image_walk_t *b)
{
    assert_int_equal(a->fault, b->fault);
    assert_int_equal(a->fault_off, b->fault_off);
    assert_int_equal(a->faults, b->faults);
    assert_int_equal(a->fed, b->fed);
    assert_int_equal(a->image_len, b->image_len);
    assert_int_equal(a->signed_len, b->signed_len);
    assert_int_equal(a->signature_count, b->signature_count);
    assert_memory_equal(&a->digests, &b->digests, sizeof(a->digests));
    for (uint32_t i = 0; i < SIGNATURE_BLOCKS; i++) {
        assert_int_equal(a->signature[i].verdict, b->signature[i].verdict);
        assert_int_equal(a->signature[i].scheme, b->signature[i].scheme);
        assert_memory_equal(a->signature[i].key_digest, b->signature[i].key_digest, OTTER_SHA256_BYTES);
    }
}

/* Pieces of random size up to @p max bytes. */
static image_walk_t walk_in_pieces(const signed_app_t *app, size_t len, uint32_t max, uint32_t seed)
{
    image_walk_t walk;
    assert_err(image_begin(&walk, &app->expect, NULL), ESP_OK);
    image_status_t status = IMAGE_STATUS_MORE;
    for (size_t off = 0; off < len && status == IMAGE_STATUS_MORE;) {
        size_t piece = 1 + fixture_random(&seed) % max;
        size_t used;
        status = image_feed(&walk, app->bytes + off, piece < len - off ? piece : len - off, &used);
        off += used;
        assert_int_equal(off, walk.fed);
    }
    image_finish(&walk);
    image_free(&walk);
    return walk;
}

static void assert_pieces_do_not_matter(const signed_app_t *app, size_t len)
{
    static const uint32_t sizes[] = {1, 97, 1500, 5000};
    image_walk_t whole = walk_bytes(&app->expect, app->bytes, len);
    for (uint32_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        image_walk_t pieces = walk_in_pieces(app, len, sizes[i], i);
        assert_same_findings(&whole, &pieces);
    }
}

static void the_sizes_of_the_pieces_do_not_matter(void **state)
{
    (void)state;
    const fixture_key_t *keys[] = {fixture_key(TRUST_SCHEME_P256, 1), fixture_key(TRUST_SCHEME_P384, 0)};
    static const image_signatures_t modes[] = {IMAGE_SIGNATURES_IGNORE, IMAGE_SIGNATURES_SHOW,
                                               IMAGE_SIGNATURES_REQUIRE};
    for (size_t m = 0; m < sizeof(modes) / sizeof(modes[0]); m++) {
        signed_app_t app;
        sign_app(&app, keys, 2);
        app.expect.signatures = modes[m];
        fixture_trust(&app.trust, 0, keys[1]);
        assert_pieces_do_not_matter(&app, app.len);
        assert_pieces_do_not_matter(&app, app.len - 1);
        assert_pieces_do_not_matter(&app, app.len - SIGNATURE_SECTOR_BYTES);
        assert_pieces_do_not_matter(&app, app.image_len);
        block_of(&app, 1)[149] ^= 1;
        renew_crc(block_of(&app, 1));
        assert_pieces_do_not_matter(&app, app.len);
        free(app.bytes);
    }
}

/* ---- Crypto: the linker sends core's calls here (--wrap). ---- */

static int calls_until_failure = -1; /* -1: never */
static uint32_t verifications;

static bool fails(void)
{
    return calls_until_failure >= 0 && calls_until_failure-- == 0;
}

esp_err_t __real_otter_hash_begin(otter_hash_t *hash, otter_hash_kind_t kind);
esp_err_t __real_otter_hash_update(otter_hash_t *hash, const void *bytes, size_t len);
esp_err_t __real_otter_hash_peek(const otter_hash_t *hash, uint8_t *digest);
esp_err_t __real_otter_hash_finish(otter_hash_t *hash, uint8_t *digest);
esp_err_t __real_otter_verify_ecdsa(otter_curve_t curve, const uint8_t *point, const uint8_t *digest, size_t digest_len,
                                    const uint8_t *signature);
esp_err_t __wrap_otter_hash_begin(otter_hash_t *hash, otter_hash_kind_t kind);
esp_err_t __wrap_otter_hash_update(otter_hash_t *hash, const void *bytes, size_t len);
esp_err_t __wrap_otter_hash_peek(const otter_hash_t *hash, uint8_t *digest);
esp_err_t __wrap_otter_hash_finish(otter_hash_t *hash, uint8_t *digest);
esp_err_t __wrap_otter_verify_ecdsa(otter_curve_t curve, const uint8_t *point, const uint8_t *digest, size_t digest_len,
                                    const uint8_t *signature);

esp_err_t __wrap_otter_hash_begin(otter_hash_t *hash, otter_hash_kind_t kind)
{
    return fails() ? ESP_ERR_NO_MEM : __real_otter_hash_begin(hash, kind);
}

esp_err_t __wrap_otter_hash_update(otter_hash_t *hash, const void *bytes, size_t len)
{
    return fails() ? ESP_FAIL : __real_otter_hash_update(hash, bytes, len);
}

esp_err_t __wrap_otter_hash_peek(const otter_hash_t *hash, uint8_t *digest)
{
    return fails() ? ESP_FAIL : __real_otter_hash_peek(hash, digest);
}

esp_err_t __wrap_otter_hash_finish(otter_hash_t *hash, uint8_t *digest)
{
    return fails() ? ESP_FAIL : __real_otter_hash_finish(hash, digest);
}

esp_err_t __wrap_otter_verify_ecdsa(otter_curve_t curve, const uint8_t *point, const uint8_t *digest, size_t digest_len,
                                    const uint8_t *signature)
{
    verifications++;
    return fails() ? ESP_FAIL : __real_otter_verify_ecdsa(curve, point, digest, digest_len, signature);
}

static void no_signature_of_an_untrusted_key_is_computed(void **state)
{
    (void)state;
    signed_app_t app;
    sign_app_once(&app, TRUST_SCHEME_P256);
    verifications = 0;
    assert_walks_to(&app, IMAGE_OK);
    assert_int_equal(verifications, 1);
    app.trust.key[0].revoked = true;
    assert_walks_to(&app, IMAGE_FAULT_SIGNATURE_REVOKED);
    app.trust.key[0].revoked = false;
    fixture_trust(&app.trust, 0, fixture_key(TRUST_SCHEME_P256, 1));
    assert_walks_to(&app, IMAGE_FAULT_SIGNATURE_KEY);
    assert_int_equal(verifications, 1);
    free(app.bytes);
}

/* Fails each call into the crypto library in turn: whichever it is, the image is not accepted. */
static void a_failing_crypto_library_lets_nothing_pass(void **state)
{
    (void)state;
    signed_app_t app;
    sign_app_once(&app, TRUST_SCHEME_P384);
    uint32_t crypto_faults = 0;
    int call = 0;
    for (;; call++) {
        calls_until_failure = call;
        image_walk_t walk;
        esp_err_t err = image_begin(&walk, &app.expect, NULL);
        image_status_t status = image_feed(&walk, app.bytes, app.len, NULL);
        image_finish(&walk);
        image_free(&walk);
        if (calls_until_failure >= 0) {
            assert_int_equal(status, IMAGE_STATUS_DONE);
            break;
        }
        assert_int_equal(status, IMAGE_STATUS_ERROR);
        assert_int_equal(walk.step, IMAGE_STEP_FAILED);
        assert_err(err, call < 2 ? ESP_ERR_NO_MEM : ESP_OK);
        crypto_faults += walk.fault == IMAGE_FAULT_CRYPTO;
    }
    calls_until_failure = -1;
    assert_true(crypto_faults >= 15);
    assert_int_equal((uint32_t)call - crypto_faults, 4); /* Key digest: begin, update, finish; and the signature. */
    free(app.bytes);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(an_app_signed_with_a_trusted_key_is_accepted),
    cmocka_unit_test(the_sha384_is_computed_only_for_a_p384_key_that_counts),
    cmocka_unit_test(any_good_one_of_up_to_three_signatures_is_enough),
    cmocka_unit_test(a_good_signature_behind_an_empty_or_broken_block_counts),
    cmocka_unit_test(an_image_that_ends_on_a_sector_has_its_signature_right_behind),
    cmocka_unit_test(a_signed_bootloader_is_accepted_with_and_without_appended_digest),
    cmocka_unit_test(bytes_behind_the_sector_are_left_alone),
    cmocka_unit_test(an_app_signed_with_another_key_is_refused),
    cmocka_unit_test(a_device_without_any_key_accepts_nothing),
    cmocka_unit_test(a_p384_signature_is_refused_where_only_a_p256_key_is_trusted),
    cmocka_unit_test(a_key_trusted_for_another_scheme_is_refused),
    cmocka_unit_test(an_app_signed_with_a_revoked_key_is_refused),
    cmocka_unit_test(an_unsigned_app_is_refused),
    cmocka_unit_test(an_app_that_ends_before_its_sector_is_unsigned_and_within_it_truncated),
    cmocka_unit_test(a_block_with_a_wrong_crc_is_refused),
    cmocka_unit_test(a_flipped_byte_of_the_block_is_refused),
    cmocka_unit_test(a_flipped_byte_with_a_crc_that_fits_is_refused),
    cmocka_unit_test(the_signature_of_another_image_is_refused),
    cmocka_unit_test(a_signature_over_the_unpadded_image_is_refused),
    cmocka_unit_test(changed_padding_is_refused),
    cmocka_unit_test(of_several_bad_signatures_the_most_telling_is_reported),
    cmocka_unit_test(other_faults_come_first),
    cmocka_unit_test(an_app_without_room_for_its_sector_is_refused),
    cmocka_unit_test(signatures_cannot_be_required_of_nobody),
    cmocka_unit_test(an_inspection_notes_a_wrong_signature_and_ends_with_an_error),
    cmocka_unit_test(signature_faults_have_texts_and_codes),
    cmocka_unit_test(ignored_signatures_are_not_even_read),
    cmocka_unit_test(shown_signatures_are_checked_against_any_key_or_the_trusted_ones),
    cmocka_unit_test(what_is_wrong_with_shown_signatures_is_no_fault),
    cmocka_unit_test(when_shown_a_sector_that_is_cut_short_is_none),
    cmocka_unit_test(trailing_garbage_is_neither_signature_nor_fault),
    cmocka_unit_test(the_sizes_of_the_pieces_do_not_matter),
    cmocka_unit_test(no_signature_of_an_untrusted_key_is_computed),
    cmocka_unit_test(a_failing_crypto_library_lets_nothing_pass),
};

TEST_MAIN(tests)
