/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "cli/files.h"
#include "cli/image_file.h"
#include "cli/key_file.h"
#include "cli/signed_image.h"
#include "core/util/bytes.h"

#define ERASED         0xFF
#define FILE_MAX_BYTES ((256u << 20) + 2 * SIGNATURE_SECTOR_BYTES) /* The largest image of any chip, signed. */

/* ---- What there is ---- */

static int prove(cli_signed_t *image, size_t len, bool bootloader)
{
    const image_expect_t expect = {.max_len = UINT32_MAX, .any_chip = true};
    cli_image_t walked;
    int status = cli_walk_bytes(image->path, image->bytes, len, &expect, bootloader, &walked);
    if (status == CLI_OK && walked.walk.fault != IMAGE_OK) {
        status = cli_fail_image(image->path, &walked);
    }
    image->image_len = walked.walk.image_len;
    image->chip_id = walked.walk.header.chip_id;
    image->bootloader = walked.kind == IMAGE_KIND_BOOTLOADER;
    return status;
}

static bool begins_with_block(const uint8_t *sector, size_t len)
{
    static const signature_digests_t none = {0};
    return len >= SIGNATURE_SECTOR_BYTES && signature_check(sector, &none, NULL).verdict != SIGNATURE_ABSENT;
}

/* Pads, and makes sure that the sector is there, erased if it was not. */
static int pad(cli_signed_t *image, size_t len)
{
    size_t padded = (image->image_len + SIGNATURE_SECTOR_BYTES - 1) / SIGNATURE_SECTOR_BYTES * SIGNATURE_SECTOR_BYTES;
    size_t whole = padded + SIGNATURE_SECTOR_BYTES;
    bool has_sector = len > padded && begins_with_block(image->bytes + padded, len - padded);
    size_t end = has_sector ? whole : image->image_len;
    if (!bytes_all(image->bytes + end, len - end, ERASED)) {
        return cli_fail("%s: behind the image lies what is neither padding nor a signature sector (from offset 0x%zx)",
                        image->path, end);
    }
    uint8_t *larger = realloc(image->bytes, whole);
    if (larger == NULL) {
        return cli_fail("%s: out of memory", image->path);
    }
    memset(larger + end, ERASED, whole - end);
    image->bytes = larger;
    image->image_len = padded;
    return CLI_OK;
}

static int digest(const cli_signed_t *image, otter_hash_kind_t kind, uint8_t *result)
{
    otter_hash_t hash = {0};
    esp_err_t err = otter_hash_begin(&hash, kind);
    if (err == ESP_OK) {
        err = otter_hash_update(&hash, image->bytes, image->image_len);
    }
    if (err == ESP_OK) {
        err = otter_hash_finish(&hash, result);
    }
    otter_hash_free(&hash);
    return err == ESP_OK ? CLI_OK : cli_fail("%s: cannot compute its digest", image->path);
}

static uint8_t *block_at(const cli_signed_t *image, uint32_t index)
{
    return image->bytes + image->image_len + index * SIGNATURE_BLOCK_BYTES;
}

/* Whatever is not a sound block would be lost or handed on: neither goes unsaid. */
static int take_signatures(cli_signed_t *image)
{
    for (uint32_t i = 0; i < SIGNATURE_BLOCKS; i++) {
        signature_t found = signature_check(block_at(image, i), &image->digests, NULL);
        if (found.verdict == SIGNATURE_ABSENT) {
            continue;
        }
        if (found.verdict != SIGNATURE_GOOD) {
            return cli_fail("%s: signature block %u: %s; sign the image as it was built", image->path, i,
                            signature_verdict_text(found.verdict));
        }
        if (i != image->count) {
            return cli_fail("%s: there is a signature block %u, but no block %u before it", image->path, i,
                            image->count);
        }
        image->signature[image->count++] = found;
    }
    return CLI_OK;
}

int cli_signed_load(const char *path, bool bootloader, cli_signed_t *image)
{
    size_t len;
    *image = (cli_signed_t){.path = path, .digests.has_sha384 = true};
    int status = cli_read_file(path, FILE_MAX_BYTES, &image->bytes, &len);
    if (status == CLI_OK) {
        status = prove(image, len, bootloader);
    }
    if (status == CLI_OK) {
        status = pad(image, len);
    }
    if (status == CLI_OK) {
        status = digest(image, OTTER_HASH_SHA256, image->digests.sha256);
    }
    if (status == CLI_OK) {
        status = digest(image, OTTER_HASH_SHA384, image->digests.sha384);
    }
    return status == CLI_OK ? take_signatures(image) : status;
}

void cli_signed_free(cli_signed_t *image)
{
    free(image->bytes);
    *image = (cli_signed_t){0};
}

/* ---- Adding ---- */

int cli_signed_check_new(const cli_signed_t *image, const char *who, const signature_key_t *key)
{
    uint8_t key_digest[OTTER_SHA256_BYTES];
    int status = cli_key_digest(who, key, key_digest);
    for (uint32_t i = 0; i < image->count && status == CLI_OK; i++) {
        if (memcmp(image->signature[i].key_digest, key_digest, sizeof(key_digest)) == 0) {
            status = cli_fail("%s: this key has signed the image already", who);
        }
    }
    return status;
}

int cli_signed_add(cli_signed_t *image, const char *who, const signature_key_t *key, const uint8_t *signature)
{
    if (image->count == SIGNATURE_BLOCKS) {
        return cli_fail("%s: an image has %d signatures at most", who, SIGNATURE_BLOCKS);
    }
    uint8_t *block = block_at(image, image->count);
    if (signature_build(key, &image->digests, signature, block) != ESP_OK) {
        return cli_fail("%s: no signature block can be made", who);
    }
    signature_t made = signature_check(block, &image->digests, NULL);
    if (made.verdict != SIGNATURE_GOOD) {
        return cli_fail("%s: %s: it was not made with the private half of this key, or not over this digest", who,
                        signature_verdict_text(made.verdict));
    }
    image->signature[image->count++] = made;
    return CLI_OK;
}

/* ---- Writing ---- */

static bool all_good(const image_walk_t *walk, uint32_t count)
{
    bool good = walk->fault == IMAGE_OK && walk->signature_count == count;
    for (uint32_t i = 0; i < count; i++) {
        good = good && walk->signature[i].verdict == SIGNATURE_GOOD;
    }
    return good;
}

/* Nothing that a device would refuse gets the file's name. */
static int prove_signed(const cli_signed_t *image, size_t len)
{
    const image_expect_t expect = {
        .max_len = image_max_len(image->chip_id),
        .any_chip = true,
        .signatures = IMAGE_SIGNATURES_SHOW,
    };
    cli_image_t walked;
    int status = cli_walk_bytes(image->path, image->bytes, len, &expect, image->bootloader, &walked);
    if (status == CLI_OK && walked.walk.fault != IMAGE_OK) {
        return cli_fail_image(image->path, &walked);
    }
    if (status == CLI_OK && !all_good(&walked.walk, image->count)) {
        return cli_fail("%s: no device would accept the signatures that were made", image->path);
    }
    return status;
}

int cli_signed_write(const cli_signed_t *image, const char *path)
{
    size_t len = image->image_len + SIGNATURE_SECTOR_BYTES;
    uint8_t *end = block_at(image, image->count);
    memset(end, ERASED, (size_t)(image->bytes + len - end));
    int status = prove_signed(image, len);
    return status == CLI_OK ? cli_write_file(path, 0666, image->bytes, len) : status;
}
