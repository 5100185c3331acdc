/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "core/ptable/ptable.h"
#include "core/ptable/ptable_rules.h"

#define SUBTYPE_COREDUMP   0x03
#define NVS_WRITABLE_BYTES 0x3000u

uint32_t ptable_sector_bytes(uint32_t sector_bytes)
{
    return sector_bytes > PTABLE_SECTOR_BYTES ? sector_bytes : PTABLE_SECTOR_BYTES;
}

uint32_t ptable_offset_align(uint8_t type, uint32_t sector_bytes)
{
    uint32_t sector = ptable_sector_bytes(sector_bytes);
    return type == PART_TYPE_APP && sector < PTABLE_APP_ALIGN ? PTABLE_APP_ALIGN : sector;
}

bool ptable_is_primary(uint8_t type, uint8_t subtype)
{
    return (type == PART_TYPE_BOOTLOADER && subtype == PART_SUBTYPE_BOOTLOADER_PRIMARY) ||
           (type == PART_TYPE_PARTITION_TABLE && subtype == PART_SUBTYPE_PARTITION_TABLE_PRIMARY);
}

static uint64_t end_of(const ptable_partition_t *p)
{
    return (uint64_t)p->offset + p->size;
}

static bool is_otadata(const ptable_partition_t *p)
{
    return p->type == PART_TYPE_DATA && p->subtype == PART_SUBTYPE_DATA_OTA;
}

static bool is_slot(const ptable_partition_t *p)
{
    return p->type == PART_TYPE_APP && (p->subtype & ~PART_SUBTYPE_OTA_MASK) == PART_SUBTYPE_OTA_FLAG;
}

static ptable_fault_t check_place(const ptable_partition_t *p, uint32_t table_offset, uint32_t sector_bytes)
{
    uint64_t table_end = (uint64_t)table_offset + ptable_sector_bytes(sector_bytes);
    if (!ptable_is_primary(p->type, p->subtype)) {
        return p->offset < table_end ? PTABLE_FAULT_OVERLAP : PTABLE_OK;
    }
    if (p->type == PART_TYPE_BOOTLOADER && p->offset < table_end && end_of(p) > table_offset) {
        return PTABLE_FAULT_OVERLAP;
    }
    return PTABLE_OK;
}

static ptable_fault_t check_rules(const ptable_partition_t *p, uint32_t sector_bytes)
{
    bool readonly = (p->flags & PART_FLAG_READONLY) != 0;
    if (p->type != PART_TYPE_DATA) {
        return PTABLE_OK;
    }
    switch (p->subtype) {
    case PART_SUBTYPE_DATA_OTA:
        return readonly || p->size != 2ull * ptable_sector_bytes(sector_bytes) ? PTABLE_FAULT_OTADATA : PTABLE_OK;
    case PART_SUBTYPE_DATA_WIFI:
        return !readonly && p->size < NVS_WRITABLE_BYTES ? PTABLE_FAULT_RULE : PTABLE_OK;
    case SUBTYPE_COREDUMP:
        return readonly ? PTABLE_FAULT_RULE : PTABLE_OK;
    default:
        return PTABLE_OK;
    }
}

static ptable_fault_t check_partition(const ptable_partition_t *p, uint32_t table_offset, uint32_t sector_bytes)
{
    if (p->offset % ptable_offset_align(p->type, sector_bytes) != 0 ||
        (p->type == PART_TYPE_APP && p->size % ptable_sector_bytes(sector_bytes) != 0)) {
        return PTABLE_FAULT_ALIGN;
    }
    ptable_fault_t fault = check_place(p, table_offset, sector_bytes);
    return fault != PTABLE_OK ? fault : check_rules(p, sector_bytes);
}

static ptable_fault_t check_pair(const ptable_partition_t *a, const ptable_partition_t *b)
{
    bool same_kind = a->type == b->type && a->subtype == b->subtype;
    if (strcmp(a->label, b->label) == 0 || (same_kind && (a->type == PART_TYPE_APP || is_otadata(a)))) {
        return PTABLE_FAULT_DUPLICATE;
    }
    return a->offset < end_of(b) && b->offset < end_of(a) ? PTABLE_FAULT_OVERLAP : PTABLE_OK;
}

static ptable_fault_t check_among(const ptable_t *table, uint32_t index)
{
    for (uint32_t other = 0; other < index; other++) {
        ptable_fault_t fault = check_pair(&table->partition[other], &table->partition[index]);
        if (fault != PTABLE_OK) {
            return fault;
        }
    }
    return PTABLE_OK;
}

/* True if a lower-numbered slot than this one's is missing from the table. */
static bool follows_gap(const ptable_t *table, const ptable_partition_t *p)
{
    return is_slot(p) && p->subtype > PART_SUBTYPE_OTA_FLAG &&
           ptable_find(table, PART_TYPE_APP, (uint8_t)(p->subtype - 1)) == NULL;
}

ptable_fault_t ptable_check(const ptable_t *table, uint32_t table_offset, uint32_t sector_bytes, uint32_t *bad_index)
{
    uint32_t index = 0;
    ptable_fault_t fault = table->count == 0 ? PTABLE_FAULT_EMPTY : PTABLE_OK;
    for (; fault == PTABLE_OK && index < table->count; index++) {
        const ptable_partition_t *p = &table->partition[index];
        fault = check_partition(p, table_offset, sector_bytes);
        if (fault == PTABLE_OK) {
            fault = check_among(table, index);
        }
        if (fault == PTABLE_OK && follows_gap(table, p)) {
            fault = PTABLE_FAULT_SLOT_GAP;
        }
        if (fault != PTABLE_OK) {
            break;
        }
    }
    if (fault != PTABLE_OK && bad_index != NULL) {
        *bad_index = index;
    }
    return fault;
}
