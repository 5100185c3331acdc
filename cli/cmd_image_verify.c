/* SPDX-License-Identifier: Apache-2.0 */
/* otter image verify */
#include <stdio.h>

#include "cli/image_file.h"
#include "cli/output.h"

/* Chip to check against; without --chip the one that the image states. */
static int take_chip(const cli_args_t *args, image_expect_t *expect)
{
    int status = cli_chip_option(args, &expect->chip_id, &expect->any_chip);
    expect->any_chip = expect->any_chip || !cli_has(args, "chip");
    return status;
}

static int take_numbers(const cli_args_t *args, image_expect_t *expect)
{
    uint32_t revision = 0;
    uint32_t most = expect->any_chip ? UINT32_MAX : image_max_len(expect->chip_id);
    expect->max_len = most;
    int status = cli_size_option(args, "max-size", &expect->max_len);
    if (status == CLI_OK) {
        status = cli_size_option(args, "revision", &revision);
    }
    if (status == CLI_OK) {
        status = cli_size_option(args, "secure-version", &expect->min_secure_version);
    }
    if (status == CLI_OK && revision > UINT16_MAX) {
        return cli_misuse(args, "--revision is major * 100 + minor, 65535 at most");
    }
    if (status == CLI_OK && expect->max_len > most) {
        return cli_misuse(args, "--max-size: images for this chip have %u bytes at most", most);
    }
    expect->chip_revision = (uint16_t)revision;
    return status;
}

static json_t *facts(const cli_image_t *image)
{
    const image_walk_t *walk = &image->walk;
    bool ok = walk->fault == IMAGE_OK;
    return json_pack("{s:b, s:s, s:o, s:o, s:o, s:o}", "ok", (int)ok, "kind",
                     image->kind == IMAGE_KIND_APP ? "app" : "bootloader", "image_len",
                     walk->image_len != 0 ? json_integer(walk->image_len) : json_null(), "sha256",
                     ok ? cli_json_hex(walk->hash, sizeof(walk->hash)) : json_null(), "fault",
                     ok ? json_null() : json_string(image_fault_text(walk->fault)), "fault_offset",
                     ok ? json_null() : json_integer(walk->fault_off));
}

static void print_good(const char *path, const cli_image_t *image)
{
    const image_walk_t *walk = &image->walk;
    const char *chip = image_chip_name(walk->header.chip_id);
    printf("%s: good %s image for %s, %u bytes\n", path, image->kind == IMAGE_KIND_APP ? "app" : "bootloader",
           chip != NULL ? chip : "an unknown chip", walk->image_len);
    if (walk->header.hash_appended == 0) {
        printf("It has no SHA-256: only its checksum was checked.\n");
    }
}

static int run(const cli_args_t *args)
{
    image_expect_t expect = {0};
    cli_image_t image;
    const char *path = args->positional[0];
    int status = take_chip(args, &expect);
    if (status == CLI_OK) {
        status = take_numbers(args, &expect);
    }
    if (status == CLI_OK) {
        status = cli_walk_image(path, &expect, cli_has(args, "bootloader"), &image);
    }
    if (status == CLI_OK && cli_has(args, "json")) {
        status = cli_print_json(facts(&image));
    } else if (status == CLI_OK && image.walk.fault == IMAGE_OK) {
        print_good(path, &image);
    }
    return status == CLI_OK && image.walk.fault != IMAGE_OK ? cli_fail_image(path, &image) : status;
}

static const cli_option_t options[] = {
    CLI_OPTION_JSON,
    {.name = "chip", .value = "NAME", .help = "chip that it must be for (default: any)"},
    {.name = "revision", .value = "N", .help = "revision of that chip, major * 100 + minor (default: 0)"},
    {.name = "max-size", .value = "SIZE", .help = "size of the slot that it must fit"},
    {.name = "secure-version", .value = "N", .help = "lowest secure version that is acceptable (default: 0)"},
    CLI_OPTION_BOOTLOADER,
    CLI_OPTIONS_END,
};

const cli_command_t cmd_image_verify = {
    .group = "image",
    .name = "verify",
    .summary = "check an image as a device does before it boots it",
    .arguments = "FILE",
    .min_args = 1,
    .max_args = 1,
    .options = options,
    .details = "The first check that fails is named, with the offset in the image. An app needs a\n"
               "descriptor and an appended SHA-256; a bootloader has no app descriptor. Bytes\n"
               "after the image do not matter. - reads standard input.\n",
    .run = run,
};
