/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "cli/app_image.h"
#include "core/trust/policy.h"
#include "core/util/bytes.h"

#define PIECE_BYTES 16384

const char *cli_format_chip(char *dst, size_t len, uint16_t chip_id)
{
    const char *name = image_chip_name(chip_id);
    if (name != NULL) {
        snprintf(dst, len, "%s", name);
    } else {
        snprintf(dst, len, "0x%04x", chip_id);
    }
    return dst;
}

static int explain(const char *name, const char *where, uint32_t max_len, const cli_chip_t *chip,
                   const image_walk_t *walk)
{
    char found[24];
    char wanted[24];
    if (walk->fault == IMAGE_FAULT_CHIP) {
        cli_format_chip(found, sizeof(found), walk->header.chip_id);
        cli_format_chip(wanted, sizeof(wanted), chip->id);
        return cli_fail("%s: made for chip %s, not for %s; if that is intended, give --chip %s", name, found, wanted,
                        found);
    }
    if (walk->fault == IMAGE_FAULT_TOO_LARGE) {
        return cli_fail("%s: does not fit partition %s of %u bytes", name, where, (unsigned)max_len);
    }
    return cli_fail("%s: no valid app image: %s (at offset 0x%x)", name, image_fault_text(walk->fault),
                    (unsigned)walk->fault_off);
}

int cli_check_app(const char *name, const uint8_t *bytes, size_t len, uint32_t max_len, const char *where,
                  const cli_chip_t *chip, const trust_state_t *trust)
{
    image_walk_t walk = {0};
    const esp_image_header_t *header = (const esp_image_header_t *)bytes;
    /* Nothing is known about the revision of the chip that the image will meet. */
    uint16_t revision = len >= sizeof(*header) ? header->min_chip_rev_full : 0;
    image_expect_t expect = trust_expect(trust, IMAGE_KIND_APP, max_len, chip->id, revision);
    expect.any_chip = chip->any && !trust->chip_fixed;
    if (len > max_len) {
        return cli_fail("%s: %zu bytes do not fit partition %s of %u bytes", name, len, where, (unsigned)max_len);
    }
    if (image_begin(&walk, &expect, NULL) != ESP_OK) {
        return cli_fail("out of memory");
    }
    (void)image_feed(&walk, bytes, len, NULL);
    int status = CLI_OK;
    if (image_finish(&walk) != IMAGE_OK) {
        status = explain(name, where, max_len, chip, &walk);
    }
    image_free(&walk);
    return status;
}

static esp_err_t feed(otter_flash_t *flash, const ptable_partition_t *partition, image_walk_t *walk)
{
    uint8_t piece[PIECE_BYTES];
    image_status_t state = IMAGE_STATUS_MORE;
    for (uint32_t off = 0; off < partition->size && state == IMAGE_STATUS_MORE; off += PIECE_BYTES) {
        uint32_t len = partition->size - off < PIECE_BYTES ? partition->size - off : PIECE_BYTES;
        if (otter_flash_read(flash, partition->offset + off, piece, len) != ESP_OK) {
            return ESP_ERR_FLASH_OP_FAIL;
        }
        state = image_feed(walk, piece, len, NULL);
    }
    return ESP_OK;
}

/** What the device demands; where it demands no signature, those of any key are shown. */
static image_expect_t inspection(uint32_t max_len, const otter_config_t *config, const trust_state_t *trust)
{
    image_expect_t expect = trust_expect(trust, IMAGE_KIND_APP, max_len, config->chip_id, config->chip_revision);
    expect.inspect = true;
    if (expect.signatures == IMAGE_SIGNATURES_IGNORE) {
        expect.signatures = IMAGE_SIGNATURES_SHOW;
        expect.trust = NULL;
    }
    return expect;
}

esp_err_t cli_inspect_app(otter_flash_t *flash, const ptable_partition_t *partition, const otter_config_t *config,
                          const trust_state_t *trust, cli_app_t *app)
{
    uint8_t head[IMAGE_HEADER_BYTES] = {0};
    const image_expect_t expect = inspection(partition->size, config, trust);
    memset(app, 0, sizeof(*app));
    if (otter_flash_read(flash, partition->offset, head, sizeof(head)) != ESP_OK) {
        return ESP_ERR_FLASH_OP_FAIL;
    }
    app->blank = bytes_all(head, sizeof(head), 0xff);
    esp_err_t err = image_begin(&app->walk, &expect, NULL);
    if (err == ESP_OK) {
        err = feed(flash, partition, &app->walk);
    }
    app->fault = image_finish(&app->walk);
    app->valid = err == ESP_OK && app->fault == IMAGE_OK;
    image_free(&app->walk);
    return err;
}

/** Header of the image in an app partition. @return false if there is none */
static bool read_header(otter_flash_t *flash, const ptable_partition_t *partition, esp_image_header_t *header)
{
    return partition->type == PART_TYPE_APP && partition->size >= sizeof(*header) &&
           otter_flash_read(flash, partition->offset, header, sizeof(*header)) == ESP_OK &&
           header->magic == ESP_IMAGE_HEADER_MAGIC;
}

/** Chip of the apps in a flash: @p chip_id if any is for it or there is none, else that of the first. */
static uint16_t guess_chip(otter_flash_t *flash, const ptable_t *table, uint16_t chip_id)
{
    uint16_t first = chip_id;
    bool found = false;
    for (uint32_t i = 0; i < table->count; i++) {
        esp_image_header_t header;
        if (!read_header(flash, &table->partition[i], &header)) {
            continue;
        }
        if (header.chip_id == chip_id) {
            return chip_id;
        }
        first = found ? first : header.chip_id;
        found = true;
    }
    return first;
}

static uint16_t guess_revision(otter_flash_t *flash, const ptable_t *table, uint16_t chip_id)
{
    uint16_t revision = 0;
    for (uint32_t i = 0; i < table->count; i++) {
        esp_image_header_t header;
        if (read_header(flash, &table->partition[i], &header) && header.chip_id == chip_id &&
            header.min_chip_rev_full > revision) {
            revision = header.min_chip_rev_full;
        }
    }
    return revision;
}

int cli_device_config(const cli_args_t *args, otter_flash_t *flash, const ptable_t *table, otter_config_t *config)
{
    bool any = false;
    uint16_t chip_id = 0;
    otter_config_default(config);
    int status = cli_chip_option(args, &chip_id, &any);
    if (status != CLI_OK) {
        return status;
    }
    config->chip_id = chip_id;
    if (any || !cli_has(args, "chip")) {
        config->chip_id = guess_chip(flash, table, chip_id);
    }
    config->chip_revision = guess_revision(flash, table, config->chip_id);
    return CLI_OK;
}
