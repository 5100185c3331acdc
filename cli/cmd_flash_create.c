/* SPDX-License-Identifier: Apache-2.0 */
/* otter flash create */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/app_image.h"
#include "cli/files.h"
#include "cli/flash_open.h"
#include "cli/progress.h"
#include "cli/provision.h"
#include "cli/ptable_file.h"
#include "cli/table_default.h"

#define PIECE_BYTES 65536

/** Bytes and where they go. */
typedef struct region {
    const char *name; /**< File they come from, or "partition table". */
    uint32_t off;
    size_t len;
    uint8_t *bytes; /**< Owned. */
} region_t;

/** A flash image being put together. */
typedef struct layout {
    const cli_args_t *args;
    cli_table_options_t options;
    cli_chip_t chip;
    uint32_t size_bytes;
    ptable_t table;
    region_t *region; /**< Owned. */
    size_t count;
    cli_provision_t provision;
} layout_t;

static int take_options(layout_t *layout, const cli_args_t *args)
{
    if (!cli_has(args, "size")) {
        return cli_misuse(args, "how large? give --size, e.g. --size 4M");
    }
    int status = cli_size_option(args, "size", &layout->size_bytes);
    if (status == CLI_OK) {
        status = cli_table_options(args, &layout->options);
    }
    if (status == CLI_OK) {
        status = cli_chip_option(args, &layout->chip.id, &layout->chip.any);
    }
    if (status != CLI_OK) {
        return status;
    }
    uint32_t sector = layout->options.sector_bytes;
    uint32_t table_end = layout->options.table_offset + ESP_PARTITION_TABLE_SIZE;
    if (layout->size_bytes % sector != 0 || layout->size_bytes < table_end || table_end < ESP_PARTITION_TABLE_SIZE) {
        return cli_misuse(args, "--size is a multiple of the sector size, %u, and holds the partition table",
                          (unsigned)sector);
    }
    layout->options.flash_bytes = layout->size_bytes;
    return CLI_OK;
}

static int take_table(layout_t *layout)
{
    const char *path = cli_value(layout->args, "ptable");
    if (path == NULL) {
        if (!cli_default_table(&layout->table, layout->size_bytes, &layout->options)) {
            return cli_fail("%u bytes are too small for two apps; give a larger --size, or --ptable FILE",
                            (unsigned)layout->size_bytes);
        }
        return CLI_OK;
    }
    int status = cli_read_table(path, &layout->options, &layout->table, NULL);
    if (status == CLI_OK) {
        status = cli_check_table(path, &layout->table, layout->options.table_offset, layout->options.sector_bytes);
    }
    return status;
}

static int add_table(layout_t *layout)
{
    uint8_t *bytes = malloc(PTABLE_BYTES);
    if (bytes == NULL) {
        return cli_fail("out of memory");
    }
    layout->region[layout->count++] =
        (region_t){.name = "partition table", .off = layout->options.table_offset, .len = PTABLE_BYTES, .bytes = bytes};
    ptable_fault_t fault = ptable_build(&layout->table, true, bytes);
    if (fault != PTABLE_OK) {
        return cli_fail("partition table: %s", ptable_fault_text(fault));
    }
    return CLI_OK;
}

/** Adds a file to a partition, or at an offset in none (@p partition NULL). Apps are verified. */
static int add_file(layout_t *layout, const ptable_partition_t *partition, uint32_t off, const char *path)
{
    region_t region = {.name = path, .off = off};
    uint32_t room = partition != NULL ? partition->size : layout->size_bytes - off;
    int status = cli_read_file(path, layout->size_bytes, &region.bytes, &region.len);
    if (status != CLI_OK) {
        return status;
    }
    layout->region[layout->count++] = region;
    if (partition != NULL && partition->type == PART_TYPE_APP) {
        return cli_check_app(path, region.bytes, region.len, room, partition->label, &layout->chip,
                             &layout->provision.trust);
    }
    if (region.len > room) {
        return cli_fail("%s: %zu bytes do not fit %s of %u bytes", path, region.len,
                        partition != NULL ? partition->label : "the flash", (unsigned)room);
    }
    return CLI_OK;
}

/** First app partition: factory, else ota_0. */
static const ptable_partition_t *first_app(const ptable_t *table)
{
    const ptable_partition_t *factory = ptable_find(table, PART_TYPE_APP, PART_SUBTYPE_FACTORY);
    return factory != NULL ? factory : ptable_find(table, PART_TYPE_APP, PART_SUBTYPE_OTA_FLAG);
}

static int add_app(layout_t *layout)
{
    const char *path = cli_value(layout->args, "app");
    const ptable_partition_t *partition = first_app(&layout->table);
    if (path == NULL) {
        return CLI_OK;
    }
    if (partition == NULL) {
        return cli_fail("the partition table has neither a factory nor an ota_0 partition for --app %s", path);
    }
    return add_file(layout, partition, partition->offset, path);
}

/** --write LABEL=FILE or OFFSET=FILE */
static int add_write(layout_t *layout, const char *value)
{
    char name[64];
    uint64_t off = 0;
    const char *equals = strchr(value, '=');
    if (equals == NULL || equals == value || equals[1] == '\0' || (size_t)(equals - value) >= sizeof(name)) {
        return cli_misuse(layout->args, "--write takes LABEL=FILE or OFFSET=FILE, not %s", value);
    }
    snprintf(name, sizeof(name), "%.*s", (int)(equals - value), value);
    const ptable_partition_t *partition = ptable_find_label(&layout->table, name);
    if (partition != NULL) {
        return add_file(layout, partition, partition->offset, equals + 1);
    }
    if (!cli_parse_size(name, layout->size_bytes - 1, &off)) {
        return cli_fail("--write %s: no partition is called %s, and it is no offset inside the flash", value, name);
    }
    return add_file(layout, NULL, (uint32_t)off, equals + 1);
}

static int compare(const void *a, const void *b)
{
    const region_t *left = a;
    const region_t *right = b;
    return left->off < right->off ? -1 : left->off > right->off;
}

static int check_overlap(layout_t *layout)
{
    qsort(layout->region, layout->count, sizeof(*layout->region), compare);
    for (size_t i = 1; i < layout->count; i++) {
        const region_t *before = &layout->region[i - 1];
        const region_t *region = &layout->region[i];
        if (region->off - before->off < before->len) {
            return cli_fail("%s at 0x%x overlaps %s at 0x%x", region->name, (unsigned)region->off, before->name,
                            (unsigned)before->off);
        }
    }
    return CLI_OK;
}

static int gather(layout_t *layout)
{
    size_t cursor = 0;
    int status = cli_provision_plan(&layout->provision, layout->args, layout->args->positional[0]);
    if (status == CLI_OK) {
        status = take_table(layout);
    }
    if (status == CLI_OK) {
        status = add_table(layout);
    }
    if (status == CLI_OK) {
        status = add_app(layout);
    }
    for (const char *value; status == CLI_OK && (value = cli_next_value(layout->args, "write", &cursor)) != NULL;) {
        status = add_write(layout, value);
    }
    return status == CLI_OK ? check_overlap(layout) : status;
}

/** Fills with FF up to @p end. */
static int fill(cli_file_out_t *out, uint32_t *at, uint32_t end, cli_progress_t *progress)
{
    static uint8_t blank[PIECE_BYTES];
    memset(blank, 0xff, sizeof(blank));
    while (*at < end) {
        uint32_t len = end - *at < PIECE_BYTES ? end - *at : PIECE_BYTES;
        int status = cli_file_write(out, blank, len);
        if (status != CLI_OK) {
            return status;
        }
        *at += len;
        cli_progress_update(progress, *at);
    }
    return CLI_OK;
}

static int write_regions(const layout_t *layout, cli_file_out_t *out, cli_progress_t *progress)
{
    uint32_t at = 0;
    for (size_t i = 0; i < layout->count; i++) {
        const region_t *region = &layout->region[i];
        int status = fill(out, &at, region->off, progress);
        if (status == CLI_OK) {
            status = cli_file_write(out, region->bytes, region->len);
        }
        if (status != CLI_OK) {
            return status;
        }
        at += (uint32_t)region->len;
    }
    return fill(out, &at, layout->size_bytes, progress);
}

/**
 * Writes the flash file; an old one is replaced only once the new one is complete. Keys are burned before: interrupted in
 * between, a device demands too much, not too little.
 */
static int write_flash(layout_t *layout, const char *path)
{
    cli_file_out_t out;
    cli_progress_t progress;
    int status = cli_file_begin(&out, path, 0666);
    if (status != CLI_OK) {
        return status;
    }
    cli_progress_begin(&progress, path, layout->size_bytes);
    status = write_regions(layout, &out, &progress);
    cli_progress_end(&progress);
    if (status == CLI_OK) {
        status = cli_provision_burn(&layout->provision);
    }
    if (status == CLI_OK) {
        status = cli_file_commit(&out);
    }
    cli_file_discard(&out);
    return status;
}

/** Takes the lock of an old file, so that nobody uses it while it is replaced. */
static int lock_old(const cli_args_t *args, otter_flash_file_t *old)
{
    const char *path = args->positional[0];
    if (access(path, F_OK) != 0) {
        return CLI_OK;
    }
    if (!cli_has(args, "force")) {
        return cli_fail("%s exists; --force replaces it", path);
    }
    if (otter_flash_file_open(old, path, 4096, OTTER_FLASH_FILE_WRITE) == ESP_ERR_NOT_ALLOWED) {
        return cli_fail("%s is in use by pid %ld", path, (long)otter_flash_file_holder(path));
    }
    return CLI_OK;
}

static int run(const cli_args_t *args)
{
    otter_flash_file_t old = {.fd = -1};
    layout_t layout = {.args = args};
    int status = take_options(&layout, args);
    if (status != CLI_OK) {
        return status;
    }
    status = lock_old(args, &old);
    /* The table, the app, and at most one more for each option. */
    layout.region = calloc(args->given_count + 2, sizeof(*layout.region));
    if (status == CLI_OK && layout.region == NULL) {
        status = cli_fail("out of memory");
    }
    if (status == CLI_OK) {
        status = gather(&layout);
    }
    if (status == CLI_OK) {
        status = write_flash(&layout, args->positional[0]);
    }
    for (size_t i = 0; i < layout.count; i++) {
        free(layout.region[i].bytes);
    }
    free(layout.region);
    cli_provision_close(&layout.provision);
    otter_flash_file_close(&old);
    return status;
}

static const cli_option_t options[] = {
    {.name = "size", .value = "SIZE", .help = "size of the flash, e.g. 4M (required)"},
    {.name = "ptable", .value = "FILE", .help = "partition table, CSV or binary (default: see above)"},
    {.name = "app", .value = "FILE", .help = "app image for the first app partition: factory, else ota_0"},
    {.name = "write",
     .value = "LABEL=FILE",
     .help = "bytes for a partition or OFFSET; may be repeated; apps are verified",
     .repeated = true},
    CLI_OPTION_PROVISION,
    CLI_OPTION_KEY_STORE,
    CLI_OPTION_CHIP,
    CLI_OPTIONS_FLASH,
    CLI_OPTION_FORCE("replace an existing file"),
    CLI_OPTIONS_END,
};

const cli_command_t cmd_flash_create = {
    .group = "flash",
    .name = "create",
    .summary = "make a flash file with a partition table and apps",
    .arguments = "FLASH",
    .min_args = 1,
    .max_args = 1,
    .options = options,
    .details = "What is given no contents is FF, erased; so is otadata, which boots the factory\n"
               "app or else the first slot. Everything is checked before anything is written.\n"
               "\n"
               "Without --ptable the flash gets two OTA slots and no factory app: nvs behind the\n"
               "partition table (20K), otadata (8K), then ota_0 and ota_1, which share the rest in\n"
               "halves that are multiples of 64K, at most 256M each.\n"
               "\n"
               "With --key the device boots and installs only apps that one of the keys signed. The\n"
               "keys are burned into its key store, FLASH.efuse, which is made if it is not there.\n"
               "What is burned stays, whatever is written to FLASH: --force does not replace a key\n"
               "store. A device without one trusts every app.\n",
    .run = run,
};
