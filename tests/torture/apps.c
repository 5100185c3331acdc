/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/torture/apps.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/image/image_build.h"
#include "core/util/bytes.h"
#include "otter/otter_signing.h"

#define LOAD_ADDR   0x10000000u
#define BUFFER_ROOM 512u

static const app_t kinds[APPS] = {
    [APP_FACTORY] = {.version = "0.1.0", .secure_version = 1, .signers = 3},
    [APP_A] = {.version = "1.0.0", .secure_version = 1, .signers = 3},
    [APP_B] = {.version = "2.0.0", .secure_version = 3, .signers = 2},
    [APP_C] = {.version = "3.0.0", .secure_version = 3, .signers = 2},
    [APP_OLD] = {.version = "0.0.1", .secure_version = 0, .signers = 3},
    [APP_BAD] = {.version = "2.0.0", .secure_version = 3, .signers = 2},
};

static esp_err_t append(void *arg, const uint8_t *bytes, size_t len)
{
    app_t *app = arg;
    memcpy(app->bytes + app->len, bytes, len);
    app->len += len;
    return ESP_OK;
}

static uint32_t payload_word(uint32_t seed, uint32_t index)
{
    uint32_t x = (seed * 7919u + index + 1) * 0x9E3779B9u;
    x = (x ^ (x >> 16)) * 0x85EBCA6Bu;
    return x ^ (x >> 13);
}

static esp_app_desc_t make_desc(const app_t *app, uint32_t seed)
{
    esp_app_desc_t desc = {.magic_word = ESP_APP_DESC_MAGIC_WORD, .secure_version = app->secure_version};
    (void)snprintf(desc.version, sizeof(desc.version), "%s", app->version);
    (void)snprintf(desc.project_name, sizeof(desc.project_name), "torture");
    desc.app_elf_sha256[0] = (uint8_t)seed;
    return desc;
}

static void add_payload(image_build_t *build, uint32_t len, uint32_t seed)
{
    for (uint32_t i = 0; i < len / 4; i++) {
        uint8_t bytes[4];
        bytes_put_u32(bytes, payload_word(seed, i));
        must(image_build_data(build, bytes, sizeof(bytes)) == ESP_OK, "an image cannot be built");
    }
}

static void build_app(app_t *app, uint32_t image_bytes, uint32_t seed)
{
    uint32_t payload = image_bytes > BUFFER_ROOM ? (image_bytes - BUFFER_ROOM) / 4 * 4 : 4;
    uint32_t segment = IMAGE_APP_DESC_BYTES + payload;
    esp_image_header_t header = {.magic = ESP_IMAGE_HEADER_MAGIC,
                                 .segment_count = 1,
                                 .entry_addr = LOAD_ADDR,
                                 .wp_pin = 0xEE,
                                 .chip_id = (esp_chip_id_t)OTTER_CHIP_ID_LINUX_X86_64,
                                 .hash_appended = 1};
    esp_app_desc_t desc = make_desc(app, seed);
    image_build_t build;
    app->bytes = malloc((size_t)segment + BUFFER_ROOM);
    must(app->bytes != NULL, "malloc");
    bool ok = image_build_begin(&build, &header, append, app) == ESP_OK &&
              image_build_segment(&build, LOAD_ADDR, segment) == ESP_OK &&
              image_build_data(&build, (const uint8_t *)&desc, sizeof(desc)) == ESP_OK;
    must(ok, "an image cannot be built");
    add_payload(&build, payload, seed);
    must(image_build_finish(&build) == ESP_OK, "an image cannot be built");
    image_build_free(&build);
    memcpy(app->hash, app->bytes + app->len - OTTER_SHA256_BYTES, OTTER_SHA256_BYTES);
}

/* ---- Signing ---- */

static signature_key_t public_key(const otter_signing_key_t *key)
{
    otter_public_key_t pub;
    must(otter_signing_public(key, &pub) == ESP_OK, "a key cannot be read");
    signature_key_t out = {.scheme = TRUST_SCHEME_P256};
    memcpy(out.point, pub.point, sizeof(out.point));
    return out;
}

static signature_digests_t digests_of(const uint8_t *bytes, size_t len)
{
    signature_digests_t digests = {.has_sha384 = false};
    otter_hash_t hash;
    bool ok = otter_hash_begin(&hash, OTTER_HASH_SHA256) == ESP_OK && otter_hash_update(&hash, bytes, len) == ESP_OK &&
              otter_hash_finish(&hash, digests.sha256) == ESP_OK;
    must(ok, "SHA-256");
    otter_hash_free(&hash);
    return digests;
}

static void sign_app(app_t *app, otter_signing_key_t *const key[APPS_KEYS])
{
    size_t padded = (app->len + SIGNATURE_SECTOR_BYTES - 1) / SIGNATURE_SECTOR_BYTES * SIGNATURE_SECTOR_BYTES;
    app->bytes = realloc(app->bytes, padded + SIGNATURE_SECTOR_BYTES);
    must(app->bytes != NULL, "realloc");
    memset(app->bytes + app->len, 0xFF, padded + SIGNATURE_SECTOR_BYTES - app->len);
    signature_digests_t digests = digests_of(app->bytes, padded);
    uint8_t *block = app->bytes + padded;
    for (uint32_t i = 0; i < APPS_KEYS; i++) {
        uint8_t signature[OTTER_SIGNATURE_MAX_BYTES];
        if ((app->signers & 1u << i) != 0) {
            signature_key_t pub = public_key(key[i]);
            bool ok = otter_signing_sign(key[i], digests.sha256, signature) == ESP_OK &&
                      signature_build(&pub, &digests, signature, block) == ESP_OK;
            must(ok, "an image cannot be signed");
            block += SIGNATURE_BLOCK_BYTES;
        }
    }
    app->len = padded + SIGNATURE_SECTOR_BYTES;
}

static void sign_all(catalogue_t *catalogue)
{
    otter_signing_key_t *key[APPS_KEYS] = {NULL};
    for (uint32_t i = 0; i < APPS_KEYS; i++) {
        must(otter_signing_generate(OTTER_SIGNING_P256, &key[i]) == ESP_OK, "a key cannot be made");
        signature_key_t pub = public_key(key[i]);
        must(signature_key_digest(&pub, catalogue->key_digest[i]) == ESP_OK, "a key cannot be hashed");
    }
    for (int app = 0; app < APPS; app++) {
        sign_app(&catalogue->app[app], key);
    }
    for (uint32_t i = 0; i < APPS_KEYS; i++) {
        otter_signing_free(key[i]);
    }
}

catalogue_t *catalogue_new(uint32_t image_bytes, bool is_signed)
{
    catalogue_t *catalogue = calloc(1, sizeof(*catalogue));
    must(catalogue != NULL, "calloc");
    /* A signed app is padded to a sector and gets another. */
    uint32_t payload =
        is_signed && image_bytes > 2 * SIGNATURE_SECTOR_BYTES ? image_bytes - 2 * SIGNATURE_SECTOR_BYTES : image_bytes;
    for (uint32_t app = 0; app < APPS; app++) {
        catalogue->app[app] = kinds[app];
        build_app(&catalogue->app[app], payload, app == APP_BAD ? APP_B : app);
    }
    catalogue->is_signed = is_signed;
    if (is_signed) {
        sign_all(catalogue);
    }
    app_t *bad = &catalogue->app[APP_BAD];
    catalogue_damage(bad->bytes + bad->len / 2);
    memset(bad->hash, 0, sizeof(bad->hash));
    return catalogue;
}

void catalogue_free(catalogue_t *catalogue)
{
    for (int app = 0; app < APPS; app++) {
        free(catalogue->app[app].bytes);
        free(catalogue->app[app].file);
    }
    free(catalogue);
}

void catalogue_damage(uint8_t *bytes)
{
    bytes[0] ^= 0x10;
    bytes[4] ^= 0x10;
}

int catalogue_find(const catalogue_t *catalogue, const uint8_t hash[OTTER_SHA256_BYTES])
{
    for (int app = 0; app < APP_BAD; app++) {
        if (memcmp(catalogue->app[app].hash, hash, OTTER_SHA256_BYTES) == 0) {
            return app;
        }
    }
    return WORLD_NO_APP;
}

int catalogue_find_on_flash(const catalogue_t *catalogue, const world_t *world, uint32_t off)
{
    for (int app = 0; app < APP_BAD; app++) {
        const app_t *candidate = &catalogue->app[app];
        if (memcmp(world->cells.bytes + off, candidate->bytes, candidate->len) == 0) {
            return bytes_all(world->cells.unstable + off, candidate->len, 0) ? app : WORLD_NO_APP;
        }
    }
    return WORLD_NO_APP;
}

void catalogue_put(const catalogue_t *catalogue, world_t *world, uint32_t off, int app)
{
    memcpy(world->cells.bytes + off, catalogue->app[app].bytes, catalogue->app[app].len);
}
