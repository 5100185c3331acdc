/* SPDX-License-Identifier: Apache-2.0 */
/* Replacing the partition table that the device boots from. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "core/bootsel/slots.h"
#include "core/ptable/ptable_spare.h"
#include "device/ota/ota_internal.h"
#include "esp_flash.h"
#include "esp_log.h"
#include "otter/otter_device.h"

#define TAG "ota"

/* A replacement: both tables, and where they lie. */
typedef struct replacement {
    uint32_t table_off;
    uint32_t spare_off;
    uint32_t sector;
    uint8_t bytes[PTABLE_BYTES];
    uint8_t mark[PTABLE_MARK_BYTES];
    ptable_t now;
    ptable_t next;
} replacement_t;

static uint32_t table_offset(void)
{
    return otter_device_get()->config.partition_table_offset;
}

bool ota_is_table_in_place(const esp_partition_t *partition)
{
    return partition_ranges_overlap(partition->address, partition->size, table_offset(), ESP_PARTITION_TABLE_SIZE);
}

/* What flash says, not the list: the two differ once the table was replaced. */
static esp_err_t read_now(uint8_t *bytes, ptable_t *table)
{
    uint32_t flash_bytes = 0;
    esp_err_t err = esp_flash_get_size(NULL, &flash_bytes);
    if (err == ESP_OK) {
        err = partition_flash_read(table_offset(), bytes, PTABLE_BYTES);
    }
    bool good = err == ESP_OK && ptable_parse(table, bytes, PTABLE_BYTES, flash_bytes, NULL) == PTABLE_OK;
    return err == ESP_OK && !good ? ESP_ERR_INVALID_STATE : err;
}

/* Both in sectors of their own. */
static const ptable_partition_t *find_spare(const ptable_t *table)
{
    uint32_t sector = esp_partition_get_main_flash_sector_size();
    const ptable_partition_t *spare = ptable_spare(table, table_offset());
    bool fits = spare != NULL && spare->size >= sector && spare->offset % sector == 0 && table_offset() % sector == 0;
    return fits && (spare->flags & PART_FLAG_READONLY) == 0 ? spare : NULL;
}

bool ota_table_has_spare(void)
{
    replacement_t *scratch = malloc(sizeof(*scratch));
    bool found =
        scratch != NULL && read_now(scratch->bytes, &scratch->now) == ESP_OK && find_spare(&scratch->now) != NULL;
    free(scratch);
    return found;
}

static esp_err_t refuse(const char *why)
{
    ESP_LOGE(TAG, "the device could not boot from the new partition table: %s", why);
    return ESP_ERR_OTA_VALIDATE_FAILED;
}

/* ---- What a new table must keep ---- */

static esp_err_t check_rules(replacement_t *r)
{
    uint32_t flash_bytes = 0;
    uint32_t index = 0;
    esp_err_t err = esp_flash_get_size(NULL, &flash_bytes);
    if (err != ESP_OK) {
        return err;
    }
    ptable_fault_t fault = ptable_parse(&r->next, r->bytes, PTABLE_BYTES, flash_bytes, &index);
    if (fault == PTABLE_OK) {
        fault = ptable_check(&r->next, r->table_off, r->sector, &index);
    }
    if (fault != PTABLE_OK) {
        ESP_LOGE(TAG, "the new partition table, entry %" PRIu32 ": %s", index, ptable_fault_text(fault));
        return ESP_ERR_OTA_VALIDATE_FAILED;
    }
    return r->next.has_md5 ? ESP_OK : refuse("it has no MD5 entry");
}

/* True if the new table has the same partition in the same place, not smaller. */
static bool keeps(const ptable_t *next, const ptable_partition_t *partition)
{
    for (uint32_t i = 0; partition != NULL && i < next->count; i++) {
        const ptable_partition_t *other = &next->partition[i];
        if (other->type == partition->type && other->subtype == partition->subtype) {
            return other->offset == partition->offset && other->size >= partition->size;
        }
    }
    return partition == NULL;
}

/* A record says (seq - 1) modulo the number of slots: with another number it could name another slot. */
static esp_err_t check_records(const replacement_t *r)
{
    bootsel_input_t input;
    bootsel_input_t later;
    esp_err_t err = ota_read_input(&input);
    if (err != ESP_OK) {
        return err;
    }
    bootsel_slots(&r->next, r->sector, &later);
    for (int i = 0; i < OTADATA_SECTORS && input.has_otadata; i++) {
        otadata_record_t record = bootsel_record(&input, i);
        if (!record.good) {
            continue;
        }
        int slot = bootsel_record_slot(&input, &record);
        if (bootsel_record_slot(&later, &record) != slot) {
            return refuse("with its number of slots, otadata would name another app");
        }
        if (!keeps(&r->next, bootsel_slot_partition(&r->now, slot))) {
            return refuse("an app that otadata names lies elsewhere, or is gone");
        }
    }
    return ESP_OK;
}

static esp_err_t check_next(replacement_t *r)
{
    esp_err_t err = check_rules(r);
    if (err != ESP_OK) {
        return err;
    }
    const ptable_partition_t *spare = ptable_spare(&r->next, r->table_off);
    if (spare == NULL || spare->offset != r->spare_off) {
        return refuse("its second place (type partition_table, subtype ota) must be where it is now");
    }
    if (!keeps(&r->next, ptable_find(&r->now, PART_TYPE_DATA, PART_SUBTYPE_DATA_OTA))) {
        return refuse("otadata lies elsewhere, or is gone");
    }
    if (!keeps(&r->next, bootsel_slot_partition(&r->now, ota_running_slot()))) {
        return refuse("the running app lies elsewhere, or is gone");
    }
    return check_records(r);
}

/* ---- Writing it ---- */

static esp_err_t read_back(const replacement_t *r, uint32_t off)
{
    uint8_t piece[256];
    esp_err_t err = ESP_OK;
    for (uint32_t at = 0; at < PTABLE_BYTES && err == ESP_OK; at += sizeof(piece)) {
        err = partition_flash_read(off + at, piece, sizeof(piece));
        if (err == ESP_OK && memcmp(piece, r->bytes + at, sizeof(piece)) != 0) {
            err = ESP_ERR_FLASH_OP_FAIL;
        }
    }
    return err;
}

/* Afresh, also if it was staged there: what a mark is programmed over must be erased for certain. Durable with the intent. */
static esp_err_t fill_spare(const replacement_t *r)
{
    esp_err_t err = partition_flash_erase(r->spare_off, r->sector);
    if (err == ESP_OK) {
        err = partition_flash_program(r->spare_off, r->bytes, PTABLE_BYTES);
    }
    return err == ESP_OK ? read_back(r, r->spare_off) : err;
}

static esp_err_t execute(const replacement_t *r, ptable_step_t step)
{
    static const uint8_t zeros[PTABLE_MARK_BYTES];
    switch (step) {
    case PTABLE_STEP_INTENT:
        return partition_flash_program(r->spare_off + PTABLE_INTENT_OFF, zeros, PTABLE_INTENT_BYTES);
    case PTABLE_STEP_MARK:
        return partition_flash_program(r->spare_off + PTABLE_MARK_OFF, r->mark, sizeof(r->mark));
    case PTABLE_STEP_ERASE:
        return partition_flash_erase(r->table_off, r->sector);
    case PTABLE_STEP_PROGRAM:
        return partition_flash_program(r->table_off, r->bytes, PTABLE_BYTES);
    case PTABLE_STEP_WIPE:
        return partition_flash_program(r->spare_off + PTABLE_MARK_OFF, zeros, sizeof(zeros));
    case PTABLE_STEP_SYNC:
        return partition_flash_sync();
    }
    return ESP_ERR_NOT_SUPPORTED;
}

/* The mark stays where the table cannot be read back: the next boot writes it again. */
static esp_err_t write_table(const replacement_t *r)
{
    esp_err_t err = fill_spare(r);
    for (int i = 0; i < PTABLE_STEPS && err == ESP_OK; i++) {
        if (ptable_steps[i] == PTABLE_STEP_WIPE) {
            err = read_back(r, r->table_off);
        }
        if (err == ESP_OK) {
            err = execute(r, ptable_steps[i]);
        }
    }
    return err;
}

static esp_err_t install(replacement_t *r, const esp_partition_t *staging)
{
    esp_err_t err = read_now(r->bytes, &r->now);
    if (err != ESP_OK) {
        return err;
    }
    const ptable_partition_t *spare = find_spare(&r->now);
    if (spare == NULL) {
        return ESP_ERR_NOT_SUPPORTED;
    }
    r->table_off = table_offset();
    r->spare_off = spare->offset;
    r->sector = esp_partition_get_main_flash_sector_size();
    err = esp_partition_read(staging, 0, r->bytes, sizeof(r->bytes));
    if (err == ESP_OK) {
        err = check_next(r);
    }
    if (err == ESP_OK) {
        err = ptable_make_mark(r->bytes, r->spare_off, r->table_off, r->mark);
    }
    return err == ESP_OK ? write_table(r) : err;
}

esp_err_t ota_install_table(const esp_partition_t *staging)
{
    replacement_t *replacement = malloc(sizeof(*replacement));
    if (replacement == NULL) {
        return ESP_ERR_NO_MEM;
    }
    esp_err_t err = install(replacement, staging);
    free(replacement);
    return err;
}
