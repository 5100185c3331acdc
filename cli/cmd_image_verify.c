/* SPDX-License-Identifier: Apache-2.0 */
/* otter image verify */
#include <stdio.h>

#include "cli/image_file.h"
#include "cli/key_file.h"
#include "cli/output.h"
#include "cli/signature_facts.h"

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

static int trust_key(const char *path, trust_key_t *trusted)
{
    signature_key_t key;
    int status = cli_load_public_key(path, &key);
    *trusted = (trust_key_t){.provisioned = true, .scheme = key.scheme};
    return status == CLI_OK ? cli_key_digest(path, &key, trusted->digest) : status;
}

/* Keys that count. Without any, signatures are shown and nobody is trusted. */
static int take_keys(const cli_args_t *args, trust_state_t *trust, image_expect_t *expect)
{
    size_t cursor = 0;
    size_t count = 0;
    int status = CLI_OK;
    const char *path;
    expect->signatures = IMAGE_SIGNATURES_SHOW;
    while (status == CLI_OK && (path = cli_next_value(args, "key", &cursor)) != NULL) {
        if (count == TRUST_KEYS) {
            return cli_misuse(args, "a device trusts %d keys at most", TRUST_KEYS);
        }
        expect->signatures = IMAGE_SIGNATURES_REQUIRE;
        expect->trust = trust;
        status = trust_key(path, &trust->key[count++]);
    }
    return status;
}

static int take_options(const cli_args_t *args, trust_state_t *trust, image_expect_t *expect)
{
    int status = take_chip(args, expect);
    if (status == CLI_OK) {
        status = take_numbers(args, expect);
    }
    return status == CLI_OK ? take_keys(args, trust, expect) : status;
}

static json_t *facts(const cli_image_t *image)
{
    const image_walk_t *walk = &image->walk;
    bool ok = walk->fault == IMAGE_OK;
    return json_pack("{s:b, s:s, s:o, s:o, s:o, s:o, s:o}", "ok", (int)ok, "kind",
                     image->kind == IMAGE_KIND_APP ? "app" : "bootloader", "image_len",
                     walk->image_len != 0 ? json_integer(walk->image_len) : json_null(), "sha256",
                     ok ? cli_json_hex(walk->hash, sizeof(walk->hash)) : json_null(), "signatures",
                     cli_signatures_json(walk), "fault", ok ? json_null() : json_string(image_fault_text(walk->fault)),
                     "fault_offset", ok ? json_null() : json_integer(walk->fault_off));
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
    if (walk->signature_count != 0 && walk->expect.signatures != IMAGE_SIGNATURES_REQUIRE) {
        printf("Whether who signed it is trusted was not checked: --key does that.\n");
    }
    json_t *signatures = cli_signatures_json(walk);
    cli_print_signatures(signatures);
    json_decref(signatures);
}

static int print(const cli_args_t *args, const char *path, const cli_image_t *image)
{
    if (cli_has(args, "json")) {
        return cli_print_json(facts(image));
    }
    if (image->walk.fault == IMAGE_OK) {
        print_good(path, image);
    }
    return CLI_OK;
}

static int run(const cli_args_t *args)
{
    image_expect_t expect = {0};
    trust_state_t trust = {.secure_boot = true};
    cli_image_t image;
    const char *path = args->positional[0];
    int status = take_options(args, &trust, &expect);
    if (status == CLI_OK) {
        status = cli_walk_image(path, &expect, cli_has(args, "bootloader"), &image);
    }
    if (status == CLI_OK) {
        status = print(args, path, &image);
    }
    if (status != CLI_OK || image.walk.fault == IMAGE_OK) {
        return status;
    }
    status = cli_fail_image(path, &image);
    cli_note_signatures(&image.walk);
    return status;
}

static const cli_option_t options[] = {
    CLI_OPTION_JSON,
    {.name = "chip", .value = "NAME", .help = "chip that it must be for (default: any)"},
    {.name = "revision", .value = "N", .help = "revision of that chip, major * 100 + minor (default: 0)"},
    {.name = "key", .value = "FILE", .help = "key that must have signed it, or one of up to 3", .repeated = true},
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
               "after the image do not matter, but for its signatures. With --key (private or\n"
               "public) one of these keys must have signed it; without, it is only said who did.\n"
               "- reads standard input.\n",
    .run = run,
};
