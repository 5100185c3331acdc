/* SPDX-License-Identifier: Apache-2.0 */
/* otter image info */
#include <inttypes.h>
#include <stdio.h>

#include "cli/encrypted_file.h"
#include "cli/image_file.h"
#include "cli/output.h"
#include "cli/signature_facts.h"
#include "core/util/bytes.h"

/* Fields of a bootloader descriptor. */
#define BOOT_DESC_SECURE_VERSION 3
#define BOOT_DESC_VERSION        4
#define BOOT_DESC_IDF_VERSION    8
#define BOOT_DESC_IDF_BYTES      32
#define BOOT_DESC_DATE           40
#define BOOT_DESC_DATE_BYTES     24

/* ---- Facts ---- */

static json_t *segments_json(const image_walk_t *walk)
{
    json_t *segments = json_array();
    for (uint32_t i = 0; i < walk->segment_count; i++) {
        const image_segment_t *segment = &walk->segment[i];
        json_array_append_new(
            segments, json_pack("{s:i, s:I, s:I, s:I}", "index", (int)i, "load_addr", (json_int_t)segment->load_addr,
                                "offset", (json_int_t)segment->data_off, "length", (json_int_t)segment->data_len));
    }
    return segments;
}

static json_t *faults_json(const image_walk_t *walk)
{
    json_t *faults = json_array();
    for (int fault = IMAGE_OK + 1; fault <= IMAGE_FAULT_CRYPTO; fault++) {
        if ((walk->faults & 1u << fault) != 0) {
            json_array_append_new(faults, json_string(image_fault_text((image_fault_t)fault)));
        }
    }
    return faults;
}

static json_t *header_json(const cli_image_t *image)
{
    const esp_image_header_t *header = &image->walk.header;
    const char *chip = image_chip_name(header->chip_id);
    return json_pack("{s:s, s:o, s:i, s:i, s:i, s:I, s:o, s:i, s:i, s:i}", "kind",
                     image->kind == IMAGE_KIND_APP ? "app" : "bootloader", "chip",
                     chip != NULL ? json_string(chip) : json_null(), "chip_id", header->chip_id, "min_chip_revision",
                     header->min_chip_rev_full, "max_chip_revision", header->max_chip_rev_full, "entry",
                     (json_int_t)header->entry_addr, "segments", segments_json(&image->walk), "spi_mode",
                     header->spi_mode, "spi_speed", header->spi_speed, "spi_size", header->spi_size);
}

static json_t *app_json(const esp_app_desc_t *desc)
{
    return json_pack(
        "{s:o, s:o, s:I, s:o, s:o, s:o, s:o, s:i, s:i, s:i}", "project",
        cli_json_text(desc->project_name, sizeof(desc->project_name)), "version",
        cli_json_text(desc->version, sizeof(desc->version)), "secure_version", (json_int_t)desc->secure_version,
        "idf_version", cli_json_text(desc->idf_ver, sizeof(desc->idf_ver)), "compile_date",
        cli_json_text(desc->date, sizeof(desc->date)), "compile_time", cli_json_text(desc->time, sizeof(desc->time)),
        "elf_sha256", cli_json_hex(desc->app_elf_sha256, sizeof(desc->app_elf_sha256)), "min_efuse_block_revision",
        desc->min_efuse_blk_rev_full, "max_efuse_block_revision", desc->max_efuse_blk_rev_full, "mmu_page_size_log2",
        desc->mmu_page_size);
}

static json_t *bootloader_json(const uint8_t *desc)
{
    char version[16];
    snprintf(version, sizeof(version), "%" PRIu32, bytes_get_u32(desc + BOOT_DESC_VERSION));
    return json_pack("{s:n, s:s, s:i, s:o, s:o}", "project", "version", version, "secure_version",
                     desc[BOOT_DESC_SECURE_VERSION], "idf_version",
                     cli_json_text((const char *)desc + BOOT_DESC_IDF_VERSION, BOOT_DESC_IDF_BYTES), "compile_date",
                     cli_json_text((const char *)desc + BOOT_DESC_DATE, BOOT_DESC_DATE_BYTES));
}

static json_t *desc_json(const cli_image_t *image)
{
    if (image->walk.desc_known) {
        return app_json(&image->walk.desc);
    }
    if (image->has_boot_desc) {
        return bootloader_json(image->boot_desc);
    }
    return json_pack("{s:n, s:n, s:n, s:n}", "project", "version", "secure_version", "idf_version");
}

static json_t *digest_json(const uint8_t *hash, bool known)
{
    return known ? cli_json_hex(hash, OTTER_SHA256_BYTES) : json_null();
}

/* Null: there is none to be right or wrong. */
static json_t *sha256_ok_json(const image_walk_t *walk)
{
    bool compared = walk->image_len != 0 && walk->header.hash_appended != 0;
    return compared ? json_boolean((walk->faults & 1u << IMAGE_FAULT_HASH) == 0) : json_null();
}

static json_t *proof_json(const cli_image_t *image)
{
    const image_walk_t *walk = &image->walk;
    bool whole = walk->image_len != 0;
    bool hash_appended = walk->header.hash_appended != 0;
    return json_pack(
        "{s:o, s:I, s:b, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "image_len",
        whole ? json_integer(walk->image_len) : json_null(), "file_len", (json_int_t)image->file_len, "hash_appended",
        (int)hash_appended, "checksum", whole ? json_integer(walk->checksum_stored) : json_null(), "checksum_ok",
        whole ? json_boolean(walk->checksum == walk->checksum_stored) : json_null(), "sha256",
        digest_json(walk->hash, whole), "sha256_stored", digest_json(walk->hash_stored, whole && hash_appended),
        "sha256_ok", sha256_ok_json(walk), "signatures", cli_signatures_json(walk), "faults", faults_json(walk));
}

static json_t *facts(const cli_image_t *image)
{
    json_t *all = header_json(image);
    json_t *desc = desc_json(image);
    json_t *proof = proof_json(image);
    if (json_object_update(all, desc) != 0 || json_object_update(all, proof) != 0) {
        json_decref(all);
        all = NULL;
    }
    json_decref(desc);
    json_decref(proof);
    return all;
}

/* ---- For people ---- */

static const struct {
    const char *key;
    const char *title;
    cli_style_t style;
} lines[] = {
    {"kind", "Kind", CLI_STYLE_TEXT},
    {"scheme", "For a key", CLI_STYLE_TEXT},
    {"chip", "Chip", CLI_STYLE_TEXT},
    {"min_chip_revision", "From revision", CLI_STYLE_TEXT},
    {"entry", "Entry", CLI_STYLE_HEX},
    {"project", "Project", CLI_STYLE_TEXT},
    {"version", "Version", CLI_STYLE_TEXT},
    {"secure_version", "Secure version", CLI_STYLE_TEXT},
    {"idf_version", "Built with", CLI_STYLE_TEXT},
    {"compile_date", "Date", CLI_STYLE_TEXT},
    {"compile_time", "Time", CLI_STYLE_TEXT},
    {"elf_sha256", "ELF SHA-256", CLI_STYLE_TEXT},
    {"image_len", "Image bytes", CLI_STYLE_TEXT},
    {"file_len", "File bytes", CLI_STYLE_TEXT},
    {"iv", "IV", CLI_STYLE_TEXT},
    {"tag", "Tag", CLI_STYLE_TEXT},
    {"sha256", "SHA-256", CLI_STYLE_TEXT},
    {"sha256_ok", "SHA-256 check", CLI_STYLE_CHECK},
    {"checksum_ok", "Checksum check", CLI_STYLE_CHECK},
};

static void print_value(const json_t *value, cli_style_t style)
{
    if (json_is_boolean(value)) {
        printf("%s\n", json_is_true(value) ? "ok" : "BAD");
    } else if (json_is_integer(value) && style == CLI_STYLE_HEX) {
        printf("0x%" PRIx64 "\n", (uint64_t)json_integer_value(value));
    } else if (json_is_integer(value)) {
        printf("%" JSON_INTEGER_FORMAT "\n", json_integer_value(value));
    } else {
        printf("%s\n", json_is_string(value) ? json_string_value(value) : "-");
    }
}

static void print_lines(const json_t *all)
{
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        const json_t *value = json_object_get(all, lines[i].key);
        if (value != NULL) {
            printf("%-15s ", lines[i].title);
            print_value(value, lines[i].style);
        }
    }
}

static void print_faults(const json_t *faults)
{
    size_t i;
    json_t *fault;
    json_array_foreach(faults, i, fault)
    {
        printf("%-15s %s\n", "Fault", json_string_value(fault));
    }
}

static int print_people(const json_t *all)
{
    static const cli_column_t columns[] = {
        {"index", "Segment", CLI_STYLE_TEXT}, {"load_addr", "Address", CLI_STYLE_HEX},
        {"offset", "Offset", CLI_STYLE_HEX},  {"length", "Bytes", CLI_STYLE_TEXT},
        {NULL, NULL, CLI_STYLE_TEXT},
    };
    print_lines(all);
    print_faults(json_object_get(all, "faults"));
    printf("\n");
    cli_print_table(json_object_get(all, "segments"), columns);
    const json_t *signatures = json_object_get(all, "signatures");
    printf("%s", json_array_size(signatures) != 0 ? "\n" : "");
    cli_print_signatures(signatures);
    return CLI_OK;
}

static int print(const cli_args_t *args, const cli_image_t *image)
{
    json_t *all = facts(image);
    if (cli_has(args, "json") || all == NULL) {
        return cli_print_json(all);
    }
    int status = print_people(all);
    json_decref(all);
    return status;
}

static int check_encrypted(const char *path, const cli_image_t *image)
{
    uint64_t wanted = (uint64_t)ENCRYPTED_HEADER_BYTES + image->encrypted.image_len;
    if (image->file_len == wanted) {
        return CLI_OK;
    }
    return cli_fail("%s: an encrypted image of %" PRIu64 " bytes; its header says %" PRIu64, path, image->file_len,
                    wanted);
}

/* Nobody without the key can say more than the header does. */
static int print_encrypted(const cli_args_t *args, const char *path, const cli_image_t *image)
{
    if (image->file_len < ENCRYPTED_HEADER_BYTES) {
        return cli_fail("%s: an encrypted image that breaks off in its header", path);
    }
    if (image->encrypted_fault != ENCRYPTED_OK) {
        return cli_fail("%s: %s", path, encrypted_fault_text(image->encrypted_fault));
    }
    json_t *all = cli_encrypted_json(&image->encrypted, image->file_len);
    int status = CLI_OK;
    if (cli_has(args, "json") || all == NULL) {
        status = cli_print_json(all);
    } else {
        print_lines(all);
        json_decref(all);
    }
    return status == CLI_OK ? check_encrypted(path, image) : status;
}

static int run(const cli_args_t *args)
{
    const image_expect_t expect = {
        .max_len = UINT32_MAX, .any_chip = true, .inspect = true, .signatures = IMAGE_SIGNATURES_SHOW};
    const char *path = args->positional[0];
    cli_image_t image;
    int status = cli_walk_image(path, &expect, cli_has(args, "bootloader"), &image);
    if (status != CLI_OK) {
        return status;
    }
    if (image.is_encrypted) {
        return print_encrypted(args, path, &image);
    }
    if (!image.walk.header_known || image.walk.fault == IMAGE_FAULT_MAGIC) {
        return cli_fail_image(path, &image);
    }
    status = print(args, &image);
    return status == CLI_OK && image.walk.image_len == 0 ? cli_fail_image(path, &image) : status;
}

static const cli_option_t options[] = {
    CLI_OPTION_JSON,
    CLI_OPTION_BOOTLOADER,
    CLI_OPTIONS_END,
};

const cli_command_t cmd_image_info = {
    .group = "image",
    .name = "info",
    .summary = "print what an image says about itself, and whether it is intact",
    .arguments = "FILE",
    .min_args = 1,
    .max_args = 1,
    .options = options,
    .details = "Faults in the contents (checksum, digest, descriptor) are listed, not fatal: otter\n"
               "image verify fails on them. An image that breaks off, or is none, fails here too.\n"
               "Of signatures it is said whose they are and whether they are good, not whether\n"
               "that key is to be trusted. Of an encrypted image the header is shown.\n"
               "- reads standard input.\n",
    .run = run,
};
