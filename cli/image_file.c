/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/image_file.h"
#include "cli/progress.h"
#include "core/image/image_chip.h"
#include "core/util/bytes.h"

#define PIECE_BYTES     (64u << 10)
#define OFF_CHIP        12
#define OFF_LOAD_ADDR   24
#define OFF_DESC        IMAGE_DESC_OFFSET
#define HEAD_BYTES      (OFF_DESC + CLI_BOOTLOADER_DESC_BYTES)
#define BOOT_DESC_MAGIC 0x50

static image_kind_t detect_kind(const uint8_t *head, size_t len)
{
    if (len < HEAD_BYTES || bytes_get_u32(head + OFF_DESC) == ESP_APP_DESC_MAGIC_WORD) {
        return IMAGE_KIND_APP;
    }
    const image_chip_t *chip = image_find_chip(bytes_get_u16(head + OFF_CHIP));
    bool has_mapping = chip != NULL && chip->mapped[0].end != 0;
    if (!has_mapping) {
        return head[OFF_DESC] == BOOT_DESC_MAGIC ? IMAGE_KIND_BOOTLOADER : IMAGE_KIND_APP;
    }
    return image_chip_maps(chip, bytes_get_u32(head + OFF_LOAD_ADDR)) ? IMAGE_KIND_APP : IMAGE_KIND_BOOTLOADER;
}

static void keep_boot_desc(cli_image_t *image, const uint8_t *head, size_t len)
{
    image->has_boot_desc =
        image->kind == IMAGE_KIND_BOOTLOADER && len >= HEAD_BYTES && head[OFF_DESC] == BOOT_DESC_MAGIC;
    if (image->has_boot_desc) {
        memcpy(image->boot_desc, head + OFF_DESC, sizeof(image->boot_desc));
    }
}

static void keep_encrypted(cli_image_t *image, const uint8_t *head, size_t len)
{
    uint8_t padded[ENCRYPTED_HEADER_BYTES] = {0};
    image->is_encrypted = encrypted_is_magic(head, len);
    if (image->is_encrypted) {
        memcpy(padded, head, len < sizeof(padded) ? len : sizeof(padded));
        image->encrypted_fault = encrypted_parse(padded, &image->encrypted);
    }
}

static int begin(cli_image_t *image, const char *path, const image_expect_t *expect, bool bootloader,
                 const uint8_t *head, size_t len)
{
    image_expect_t wanted = *expect;
    image->kind = bootloader ? IMAGE_KIND_BOOTLOADER : detect_kind(head, len);
    wanted.kind = image->kind;
    keep_boot_desc(image, head, len);
    keep_encrypted(image, head, len);
    esp_err_t err = image_begin(&image->walk, &wanted, NULL);
    return err == ESP_OK ? CLI_OK : cli_fail("%s: cannot check it: %s", path, esp_err_to_name(err));
}

static uint64_t stated_len(FILE *file)
{
    struct stat info;
    return fstat(fileno(file), &info) == 0 && S_ISREG(info.st_mode) ? (uint64_t)info.st_size : 0;
}

static int walk_pieces(FILE *file, const char *path, const image_expect_t *expect, bool bootloader, uint8_t *piece,
                       cli_image_t *image)
{
    cli_progress_t progress;
    cli_progress_begin(&progress, "checking", stated_len(file));
    size_t len = fread(piece, 1, PIECE_BYTES, file);
    int status = begin(image, path, expect, bootloader, piece, len);
    while (status == CLI_OK && len > 0) {
        image_feed(&image->walk, piece, len, NULL);
        image->file_len += len;
        cli_progress_update(&progress, image->file_len);
        len = fread(piece, 1, PIECE_BYTES, file);
    }
    cli_progress_end(&progress);
    if (status == CLI_OK && ferror(file)) {
        status = cli_fail("cannot read %s: %s", path, strerror(errno));
    }
    return status;
}

int cli_walk_image(const char *path, const image_expect_t *expect, bool bootloader, cli_image_t *image)
{
    memset(image, 0, sizeof(*image));
    bool standard = strcmp(path, "-") == 0;
    FILE *file = standard ? stdin : fopen(path, "rb");
    if (file == NULL) {
        return cli_fail("cannot open %s: %s", path, strerror(errno));
    }
    uint8_t *piece = malloc(PIECE_BYTES);
    int status = piece == NULL ? cli_fail("out of memory") : walk_pieces(file, path, expect, bootloader, piece, image);
    image_finish(&image->walk);
    image_free(&image->walk);
    free(piece);
    if (!standard) {
        fclose(file);
    }
    return status;
}

int cli_walk_bytes(const char *path, const uint8_t *bytes, size_t len, const image_expect_t *expect, bool bootloader,
                   cli_image_t *image)
{
    memset(image, 0, sizeof(*image));
    int status = begin(image, path, expect, bootloader, bytes, len);
    if (status == CLI_OK) {
        image_feed(&image->walk, bytes, len, NULL);
        image->file_len = len;
    }
    image_finish(&image->walk);
    image_free(&image->walk);
    return status;
}

static const char *chip_text(uint16_t chip_id, char text[16])
{
    const char *name = image_chip_name(chip_id);
    snprintf(text, 16, "0x%04x", chip_id);
    return name != NULL ? name : text;
}

/* What was found where the fault is; "" where the fault says it all. */
static void describe(const image_walk_t *walk, char *text, size_t size)
{
    char is[16];
    char wanted[16];
    text[0] = '\0';
    switch (walk->fault) {
    case IMAGE_FAULT_CHIP:
        snprintf(text, size, ": it is for %s, not %s", chip_text(walk->header.chip_id, is),
                 chip_text(walk->expect.chip_id, wanted));
        break;
    case IMAGE_FAULT_REVISION:
        snprintf(text, size, ": it is for chip revisions %u to %u", walk->header.min_chip_rev_full,
                 walk->header.max_chip_rev_full);
        break;
    case IMAGE_FAULT_TOO_LARGE:
        snprintf(text, size, ": there are %u bytes", walk->expect.max_len);
        break;
    case IMAGE_FAULT_SECURE_VERSION:
        snprintf(text, size, ": it is %u, at least %u is wanted", walk->desc.secure_version,
                 walk->expect.min_secure_version);
        break;
    case IMAGE_FAULT_CHECKSUM:
        snprintf(text, size, ": it is 0x%02x, the data's is 0x%02x", walk->checksum_stored, walk->checksum);
        break;
    default:
        break;
    }
}

int cli_fail_image(const char *path, const cli_image_t *image)
{
    char found[96];
    if (image->is_encrypted) {
        return cli_fail("%s: an encrypted image: otter image decrypt gives what is in it", path);
    }
    describe(&image->walk, found, sizeof(found));
    return cli_fail("%s: %s (at offset 0x%x%s)", path, image_fault_text(image->walk.fault), image->walk.fault_off,
                    found);
}
