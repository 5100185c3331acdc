/* SPDX-License-Identifier: Apache-2.0 */
#include "core/ptable/ptable_spare.h"

#include <string.h>

#include "core/util/bytes.h"
#include "otter/otter_crypto.h"

#define MAGIC_BYTES     16u
#define TABLE_OFF_OFF   16u
#define SPARE_OFF_OFF   20u
#define HASH_OFF        24u
#define USED_BYTES      (HASH_OFF + OTTER_SHA256_BYTES)
#define SPARE_BYTES_MIN 0x1000u

static const uint8_t magic[MAGIC_BYTES] = "otter new table";

const ptable_step_t ptable_steps[PTABLE_STEPS] = {
    PTABLE_STEP_INTENT,  PTABLE_STEP_SYNC, PTABLE_STEP_MARK, PTABLE_STEP_SYNC, PTABLE_STEP_ERASE,
    PTABLE_STEP_PROGRAM, PTABLE_STEP_SYNC, PTABLE_STEP_WIPE, PTABLE_STEP_SYNC,
};

static bool overlap(uint64_t a, uint64_t a_len, uint64_t b, uint64_t b_len)
{
    return a < b + b_len && b < a + a_len;
}

/* Nothing else lies there, whatever a forged table says: it is written to without further questions. */
static bool lies_apart(const ptable_t *table, const ptable_partition_t *spare, uint32_t table_off)
{
    bool apart = !overlap(spare->offset, spare->size, table_off, ESP_PARTITION_TABLE_SIZE);
    for (uint32_t i = 0; i < table->count && apart; i++) {
        const ptable_partition_t *other = &table->partition[i];
        apart = other == spare || !overlap(spare->offset, spare->size, other->offset, other->size);
    }
    return apart;
}

const ptable_partition_t *ptable_spare(const ptable_t *table, uint32_t table_off)
{
    const ptable_partition_t *spare = ptable_find(table, PART_TYPE_PARTITION_TABLE, PART_SUBTYPE_PARTITION_TABLE_OTA);
    bool fits = spare != NULL && spare->size >= SPARE_BYTES_MIN;
    return fits && lies_apart(table, spare, table_off) ? spare : NULL;
}

static esp_err_t hash(const uint8_t *bytes, uint8_t digest[OTTER_SHA256_BYTES])
{
    otter_hash_t sha = {0};
    esp_err_t err = otter_hash_begin(&sha, OTTER_HASH_SHA256);
    if (err == ESP_OK) {
        err = otter_hash_update(&sha, bytes, PTABLE_BYTES);
    }
    if (err == ESP_OK) {
        err = otter_hash_finish(&sha, digest);
    }
    otter_hash_free(&sha);
    return err;
}

esp_err_t ptable_make_mark(const uint8_t table[PTABLE_BYTES], uint32_t spare_off, uint32_t table_off,
                           uint8_t mark[PTABLE_MARK_BYTES])
{
    memset(mark, 0xFF, PTABLE_MARK_BYTES);
    memcpy(mark, magic, sizeof(magic));
    bytes_put_u32(mark + TABLE_OFF_OFF, table_off);
    bytes_put_u32(mark + SPARE_OFF_OFF, spare_off);
    return hash(table, mark + HASH_OFF);
}

/* A whole table that names just this place. */
static bool is_at_home(const uint8_t *spare, uint32_t spare_off, uint32_t table_off, uint64_t flash_bytes,
                       ptable_t *table)
{
    if (ptable_parse(table, spare, PTABLE_BYTES, flash_bytes, NULL) != PTABLE_OK || !table->has_md5) {
        return false;
    }
    const ptable_partition_t *named = ptable_spare(table, table_off);
    return named != NULL && named->offset == spare_off;
}

bool ptable_is_marked(const uint8_t spare[PTABLE_SPARE_BYTES], uint32_t spare_off, uint32_t table_off,
                      uint64_t flash_bytes, ptable_t *table)
{
    uint8_t wanted[PTABLE_MARK_BYTES];
    return memcmp(spare + PTABLE_MARK_OFF, magic, sizeof(magic)) == 0 &&
           ptable_make_mark(spare, spare_off, table_off, wanted) == ESP_OK &&
           memcmp(spare + PTABLE_MARK_OFF, wanted, USED_BYTES) == 0 &&
           is_at_home(spare, spare_off, table_off, flash_bytes, table);
}

bool ptable_mark_remains(const uint8_t spare[PTABLE_SPARE_BYTES], uint32_t spare_off, uint32_t table_off,
                         uint64_t flash_bytes, ptable_t *table)
{
    return bytes_all(spare + PTABLE_INTENT_OFF, PTABLE_INTENT_BYTES, 0) &&
           !bytes_all(spare + PTABLE_MARK_OFF, PTABLE_MARK_BYTES, 0) &&
           is_at_home(spare, spare_off, table_off, flash_bytes, table);
}
