/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Partition table: parse, check, build. What is accepted lies inside the flash and survives being built and parsed
 * again; what is checked as well has no overlap and no gap.
 *
 * Input: flags (1: put the right MD5 into each MD5 entry; 2: large sectors; high half: log2 of flash size / 64 KiB), table.
 */
#include "fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "core/ptable/ptable.h"
#include "core/util/bytes.h"
#include "fuzz/fix.h"

#define ENTRY_BYTES  32
#define TABLE_OFFSET 0x8000

static bool same_partition(const ptable_partition_t *a, const ptable_partition_t *b)
{
    return a->type == b->type && a->subtype == b->subtype && a->offset == b->offset && a->size == b->size &&
           a->flags == b->flags && strcmp(a->label, b->label) == 0;
}

static void check_same(const ptable_t *a, const ptable_t *b)
{
    FUZZ_CHECK(a->count == b->count && a->has_md5 == b->has_md5);
    for (uint32_t i = 0; i < a->count; i++) {
        FUZZ_CHECK(same_partition(&a->partition[i], &b->partition[i]));
    }
}

static void check_parsed(const ptable_t *table, uint64_t flash_bytes)
{
    FUZZ_CHECK(table->count <= PTABLE_MAX_PARTITIONS);
    FUZZ_CHECK(ptable_slot_count(table) <= PTABLE_MAX_SLOTS);
    for (uint32_t i = 0; i < table->count; i++) {
        const ptable_partition_t *p = &table->partition[i];
        FUZZ_CHECK((uint64_t)p->offset + p->size <= flash_bytes);
        FUZZ_CHECK(memchr(p->label, '\0', sizeof(p->label)) != NULL);
        FUZZ_CHECK(ptable_find(table, p->type, p->subtype) <= p);
        FUZZ_CHECK(ptable_find_label(table, p->label) <= p);
    }
}

static void check_refused(const ptable_t *table, ptable_fault_t fault, uint32_t bad_index)
{
    FUZZ_CHECK(fault == PTABLE_FAULT_MAGIC || fault == PTABLE_FAULT_BOUNDS || fault == PTABLE_FAULT_MD5 ||
               fault == PTABLE_FAULT_END || fault == PTABLE_FAULT_EMPTY);
    FUZZ_CHECK(bad_index <= PTABLE_BYTES / ENTRY_BYTES);
    FUZZ_CHECK(bytes_all((const uint8_t *)table, sizeof(*table), 0));
}

static void check_round_trip(const ptable_t *table, uint64_t flash_bytes)
{
    uint8_t bytes[PTABLE_BYTES];
    ptable_t again;
    if (table->count == 0 && !table->has_md5) {
        return;
    }
    FUZZ_CHECK(ptable_build(table, table->has_md5, bytes) == PTABLE_OK);
    FUZZ_CHECK(ptable_parse(&again, bytes, sizeof(bytes), flash_bytes, NULL) == PTABLE_OK);
    check_same(table, &again);
}

/* ptable_check() said yes: look again, in another way. */
static void check_sound(const ptable_t *table, uint32_t sector_bytes)
{
    uint32_t slots = 0;
    for (uint32_t i = 0; i < table->count; i++) {
        const ptable_partition_t *a = &table->partition[i];
        FUZZ_CHECK(a->offset % (sector_bytes < 4096 ? 4096 : sector_bytes) == 0);
        if (a->type == PART_TYPE_APP && (a->subtype & 0xF0) == PART_SUBTYPE_OTA_FLAG) {
            slots |= 1u << (a->subtype & 0x0F);
        }
        for (uint32_t j = 0; j < i; j++) {
            const ptable_partition_t *b = &table->partition[j];
            uint64_t start = a->offset > b->offset ? a->offset : b->offset;
            uint64_t a_end = (uint64_t)a->offset + a->size;
            uint64_t b_end = (uint64_t)b->offset + b->size;
            FUZZ_CHECK((a_end < b_end ? a_end : b_end) <= start);
            FUZZ_CHECK(strcmp(a->label, b->label) != 0);
        }
    }
    FUZZ_CHECK((slots & (slots + 1)) == 0);
    FUZZ_CHECK(slots + 1 == 1u << ptable_slot_count(table));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_input_t input = {data, size};
    uint8_t flags = fuzz_take_u8(&input);
    uint32_t sector_bytes = (flags & 2) != 0 ? 0x10000 : 0x1000;
    uint64_t flash_bytes = 0x10000ull << (flags >> 4);
    size_t len = 0;
    uint8_t *bytes = fuzz_take_rest(&input, &len);
    if ((flags & 1) != 0) {
        fuzz_fix_table(bytes, len);
    }
    ptable_t table;
    uint32_t bad_index = UINT32_MAX;
    ptable_fault_t fault = ptable_parse(&table, bytes, len, flash_bytes, &bad_index);
    if (fault != PTABLE_OK) {
        check_refused(&table, fault, bad_index);
    } else {
        check_parsed(&table, flash_bytes);
        check_round_trip(&table, flash_bytes);
        bad_index = UINT32_MAX;
        fault = ptable_check(&table, TABLE_OFFSET, sector_bytes, &bad_index);
        if (fault == PTABLE_OK) {
            check_sound(&table, sector_bytes);
        } else {
            FUZZ_CHECK(bad_index < table.count || (fault == PTABLE_FAULT_EMPTY && bad_index == 0));
        }
    }
    FUZZ_CHECK(ptable_fault_text(fault)[0] != '\0');
    free(bytes);
    return 0;
}
