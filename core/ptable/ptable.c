/* SPDX-License-Identifier: Apache-2.0 */
#include "core/ptable/ptable.h"

#include <string.h>

#include "core/util/bytes.h"
#include "otter/otter_crypto.h"

#define ENTRY_BYTES       32u
#define LABEL_OFF         12u
#define LABEL_FIELD_BYTES 16u
#define FLAGS_OFF         28u
#define MD5_OFF           16u
#define MAGIC_END         0xFFFFu

const char *ptable_fault_text(ptable_fault_t fault)
{
    static const char *const texts[] = {
        [PTABLE_OK] = "no fault",
        [PTABLE_FAULT_MAGIC] = "an entry has no valid magic",
        [PTABLE_FAULT_BOUNDS] = "the partition lies outside the flash",
        [PTABLE_FAULT_MD5] = "the MD5 entry does not match, or there are two",
        [PTABLE_FAULT_END] = "the table has no end marker",
        [PTABLE_FAULT_EMPTY] = "there are no partitions",
        [PTABLE_FAULT_OVERLAP] = "it overlaps another partition or the partition table",
        [PTABLE_FAULT_ALIGN] = "offset not aligned (app 64 KiB, other 4 KiB), or app size no multiple of 4 KiB",
        [PTABLE_FAULT_DUPLICATE] = "another partition has the same name, or is the same app slot or otadata",
        [PTABLE_FAULT_SLOT_GAP] = "OTA slot numbers must count from ota_0 without a gap",
        [PTABLE_FAULT_OTADATA] = "otadata must be two sectors and not read-only",
        [PTABLE_FAULT_RULE] = "NVS under 12 KiB must be readonly, coredump must not be readonly",
        [PTABLE_FAULT_FULL] = "more partitions than fit",
    };
    if ((unsigned)fault >= sizeof(texts) / sizeof(texts[0])) {
        return "unknown fault";
    }
    return texts[fault];
}

static ptable_fault_t parse_partition(ptable_t *table, const uint8_t *entry, uint64_t flash_bytes)
{
    if (table->count >= PTABLE_MAX_PARTITIONS) {
        return PTABLE_FAULT_END;
    }
    ptable_partition_t *p = &table->partition[table->count];
    p->type = entry[2];
    p->subtype = entry[3];
    p->offset = bytes_get_u32(entry + 4);
    p->size = bytes_get_u32(entry + 8);
    p->flags = bytes_get_u32(entry + FLAGS_OFF);
    bytes_get_text(p->label, entry + LABEL_OFF, LABEL_FIELD_BYTES);
    if (p->offset > flash_bytes || p->size > flash_bytes - p->offset) {
        return PTABLE_FAULT_BOUNDS;
    }
    table->count++;
    return PTABLE_OK;
}

static ptable_fault_t parse_md5(ptable_t *table, const uint8_t *bytes, size_t entry_off)
{
    uint8_t digest[OTTER_MD5_BYTES];
    if (table->has_md5 || otter_md5(bytes, entry_off, digest) != ESP_OK ||
        memcmp(digest, bytes + entry_off + MD5_OFF, sizeof digest) != 0) {
        return PTABLE_FAULT_MD5;
    }
    table->has_md5 = true;
    return PTABLE_OK;
}

/* A blank first entry is no table: it is what erased flash looks like. */
static ptable_fault_t parse_end(const uint8_t *entry, uint32_t index)
{
    if (entry[2] != PART_TYPE_END || entry[3] != PART_SUBTYPE_END) {
        return PTABLE_FAULT_MAGIC;
    }
    return index > 0 ? PTABLE_OK : PTABLE_FAULT_EMPTY;
}

static ptable_fault_t parse_entries(ptable_t *table, const uint8_t *bytes, size_t len, uint64_t flash_bytes,
                                    uint32_t *index)
{
    for (*index = 0; len - *index * ENTRY_BYTES >= ENTRY_BYTES; (*index)++) {
        size_t off = *index * ENTRY_BYTES;
        ptable_fault_t fault = PTABLE_FAULT_MAGIC;
        switch (bytes_get_u16(bytes + off)) {
        case ESP_PARTITION_MAGIC:
            fault = parse_partition(table, bytes + off, flash_bytes);
            break;
        case ESP_PARTITION_MAGIC_MD5:
            fault = parse_md5(table, bytes, off);
            break;
        case MAGIC_END:
            return parse_end(bytes + off, *index);
        default:
            break;
        }
        if (fault != PTABLE_OK) {
            return fault;
        }
    }
    return PTABLE_FAULT_END;
}

ptable_fault_t ptable_parse(ptable_t *table, const uint8_t *bytes, size_t len, uint64_t flash_bytes,
                            uint32_t *bad_index)
{
    uint32_t index;
    memset(table, 0, sizeof *table);
    ptable_fault_t fault = parse_entries(table, bytes, len < PTABLE_BYTES ? len : PTABLE_BYTES, flash_bytes, &index);
    if (fault != PTABLE_OK) {
        memset(table, 0, sizeof *table);
        if (bad_index != NULL) {
            *bad_index = index;
        }
    }
    return fault;
}

static void put_partition(uint8_t *entry, const ptable_partition_t *p)
{
    bytes_put_u16(entry, ESP_PARTITION_MAGIC);
    entry[2] = p->type;
    entry[3] = p->subtype;
    bytes_put_u32(entry + 4, p->offset);
    bytes_put_u32(entry + 8, p->size);
    memset(entry + LABEL_OFF, 0, LABEL_FIELD_BYTES);
    const char *end = memchr(p->label, '\0', LABEL_FIELD_BYTES);
    memcpy(entry + LABEL_OFF, p->label, end != NULL ? (size_t)(end - p->label) : LABEL_FIELD_BYTES);
    bytes_put_u32(entry + FLAGS_OFF, p->flags);
}

ptable_fault_t ptable_build(const ptable_t *table, bool with_md5, uint8_t bytes[PTABLE_BYTES])
{
    if (table->count > PTABLE_MAX_PARTITIONS - (with_md5 ? 1u : 0u)) {
        return PTABLE_FAULT_FULL;
    }
    memset(bytes, 0xFF, PTABLE_BYTES);
    for (uint32_t i = 0; i < table->count; i++) {
        put_partition(bytes + i * ENTRY_BYTES, &table->partition[i]);
    }
    if (!with_md5) {
        return PTABLE_OK;
    }
    uint8_t *entry = bytes + table->count * ENTRY_BYTES;
    bytes_put_u16(entry, ESP_PARTITION_MAGIC_MD5);
    return otter_md5(bytes, table->count * ENTRY_BYTES, entry + MD5_OFF) == ESP_OK ? PTABLE_OK : PTABLE_FAULT_MD5;
}

const ptable_partition_t *ptable_find(const ptable_t *table, uint8_t type, uint8_t subtype)
{
    for (uint32_t i = 0; i < table->count; i++) {
        const ptable_partition_t *p = &table->partition[i];
        if (p->type == type && p->subtype == subtype) {
            return p;
        }
    }
    return NULL;
}

const ptable_partition_t *ptable_find_label(const ptable_t *table, const char *label)
{
    for (uint32_t i = 0; i < table->count; i++) {
        if (strcmp(table->partition[i].label, label) == 0) {
            return &table->partition[i];
        }
    }
    return NULL;
}

uint32_t ptable_slot_count(const ptable_t *table)
{
    uint32_t count = 0;
    for (uint32_t slot = 0; slot < PTABLE_MAX_SLOTS; slot++) {
        count += ptable_find(table, PART_TYPE_APP, (uint8_t)(PART_SUBTYPE_OTA_FLAG + slot)) != NULL;
    }
    return count;
}
