/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "boot/boot.h"
#include "cli/flash_open.h"

static int explain_open(const cli_flash_t *flash, esp_err_t err, uint32_t sector_bytes)
{
    long holder = 0;
    switch (err) {
    case ESP_ERR_NOT_ALLOWED:
        holder = (long)otter_flash_file_holder(flash->path);
        if (holder != 0) {
            return cli_fail("%s is in use by pid %ld", flash->path, holder);
        }
        return cli_fail("%s is in use by another process", flash->path);
    case ESP_ERR_NOT_FOUND:
        return cli_fail("%s does not exist; make it with: otter flash create", flash->path);
    case ESP_ERR_INVALID_SIZE:
        return cli_fail("%s is no flash file: its size must be a multiple of %u, not 0, and below 4 GiB", flash->path,
                        (unsigned)sector_bytes);
    default:
        return cli_fail("cannot open %s: %s", flash->path, strerror(errno));
    }
}

static int take_options(cli_flash_t *flash, const cli_args_t *args, uint32_t *sector_bytes)
{
    *sector_bytes = 4096;
    flash->table_offset = ESP_PARTITION_TABLE_OFFSET;
    int status = cli_size_option(args, "table-offset", &flash->table_offset);
    if (status == CLI_OK) {
        status = cli_size_option(args, "sector-size", sector_bytes);
    }
    return status == CLI_OK ? cli_check_sector(args, *sector_bytes) : status;
}

/* Says what it waits for, and waits. */
static esp_err_t wait_for_lock(cli_flash_t *flash, uint32_t sector_bytes)
{
    cli_note("%s is in use by pid %ld; waiting", flash->path, (long)otter_flash_file_holder(flash->path));
    return otter_flash_file_open(&flash->file, flash->path, sector_bytes, OTTER_FLASH_FILE_WRITE_WAIT);
}

int cli_flash_open(cli_flash_t *flash, const cli_args_t *args, cli_flash_mode_t mode)
{
    uint32_t sector_bytes = 0;
    *flash = (cli_flash_t){.path = args->positional[0], .file = {.fd = -1}};
    int status = take_options(flash, args, &sector_bytes);
    if (status != CLI_OK) {
        return status;
    }
    bool write = mode != CLI_FLASH_READ;
    flash->write = write;
    esp_err_t err = otter_flash_file_open(&flash->file, flash->path, sector_bytes,
                                          write ? OTTER_FLASH_FILE_WRITE : OTTER_FLASH_FILE_READ);
    if (err == ESP_ERR_NOT_ALLOWED && mode == CLI_FLASH_WAIT) {
        err = wait_for_lock(flash, sector_bytes);
    }
    if (err != ESP_OK) {
        return explain_open(flash, err, sector_bytes);
    }
    flash->flash = write ? otter_flash_nor_init(&flash->nor, &flash->file.base) : &flash->file.base;
    long holder = write ? 0 : (long)otter_flash_file_holder(flash->path);
    if (holder != 0) {
        cli_note("%s is in use by pid %ld and may change meanwhile", flash->path, holder);
    }
    return CLI_OK;
}

int cli_flash_keys(cli_flash_t *flash, const cli_args_t *args)
{
    return cli_key_store_open(&flash->key_store, args, flash->path, flash->write);
}

int cli_flash_table(cli_flash_t *flash)
{
    ptable_fault_t fault = boot_read_table(flash->flash, flash->table_offset, &flash->table);
    if (fault != PTABLE_OK) {
        return cli_fail("%s: no usable partition table at 0x%x: %s", flash->path, (unsigned)flash->table_offset,
                        ptable_fault_text(fault));
    }
    return CLI_OK;
}

static int complain_label(const cli_flash_t *flash, const char *argument)
{
    char labels[256] = "";
    size_t used = 0;
    for (uint32_t i = 0; i < flash->table.count && used < sizeof(labels); i++) {
        int added =
            snprintf(labels + used, sizeof(labels) - used, "%s%s", i > 0 ? ", " : "", flash->table.partition[i].label);
        used += added > 0 ? (size_t)added : 0;
    }
    return cli_fail("%s has no partition %s; there are: %s", flash->path, argument, labels);
}

/** Partition that holds the byte at @p off, or NULL. */
static const ptable_partition_t *partition_at(const ptable_t *table, uint32_t off)
{
    for (uint32_t i = 0; i < table->count; i++) {
        const ptable_partition_t *partition = &table->partition[i];
        if (off >= partition->offset && off - partition->offset < partition->size) {
            return partition;
        }
    }
    return NULL;
}

/** Bytes from @p off, which lies in no partition, to the next one or the end of the flash. */
static uint32_t gap_at(const cli_flash_t *flash, uint32_t off)
{
    uint32_t end = flash->flash->size_bytes;
    for (uint32_t i = 0; i < flash->table.count; i++) {
        uint32_t start = flash->table.partition[i].offset;
        end = start > off && start < end ? start : end;
    }
    return end - off;
}

static void set_place(cli_place_t *place, const ptable_partition_t *partition, uint32_t off)
{
    *place = (cli_place_t){
        .off = off,
        .room = partition->offset + partition->size - off,
        .label = partition->label,
        .readonly = (partition->flags & PART_FLAG_READONLY) != 0,
        .whole_partition = off == partition->offset,
    };
}

int cli_flash_place(cli_flash_t *flash, const char *argument, cli_place_t *place)
{
    uint64_t off = 0;
    bool is_number = cli_parse_size(argument, UINT32_MAX, &off);
    ptable_fault_t fault = boot_read_table(flash->flash, flash->table_offset, &flash->table);
    if (fault != PTABLE_OK && !is_number) {
        return cli_flash_table(flash);
    }
    const ptable_partition_t *named = ptable_find_label(&flash->table, argument);
    if (named != NULL) {
        set_place(place, named, named->offset);
        return CLI_OK;
    }
    if (!is_number) {
        return complain_label(flash, argument);
    }
    if (off >= flash->flash->size_bytes) {
        return cli_fail("%s ends at 0x%x, before offset %s", flash->path, (unsigned)flash->flash->size_bytes, argument);
    }
    const ptable_partition_t *around = partition_at(&flash->table, (uint32_t)off);
    if (around != NULL) {
        set_place(place, around, (uint32_t)off);
        return CLI_OK;
    }
    *place = (cli_place_t){.off = (uint32_t)off, .room = gap_at(flash, (uint32_t)off)};
    return CLI_OK;
}

int cli_flash_fail(const cli_flash_t *flash, const char *what, uint32_t off)
{
    if (flash->nor.violations > 0) {
        return cli_fail("%s: cannot %s at 0x%x: a bit at 0x%x would have to become 1 without an erase", flash->path,
                        what, (unsigned)off, (unsigned)flash->nor.violation_off);
    }
    return cli_fail("%s: cannot %s at 0x%x: %s", flash->path, what, (unsigned)off,
                    errno != 0 ? strerror(errno) : "flash operation failed");
}

int cli_flash_sync(cli_flash_t *flash)
{
    if (otter_flash_sync(flash->flash) != ESP_OK) {
        return cli_fail("%s: cannot make the writes durable: %s", flash->path, strerror(errno));
    }
    return CLI_OK;
}

void cli_flash_close(cli_flash_t *flash)
{
    cli_key_store_close(&flash->key_store);
    otter_flash_file_close(&flash->file);
    flash->flash = NULL;
}
