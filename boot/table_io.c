/* SPDX-License-Identifier: Apache-2.0 */
/* The partition table on flash, and the end of an interrupted replacement. */
#include <string.h>

#include "boot/boot.h"
#include "core/ptable/ptable_spare.h"

/* What is kept for the table. */
typedef enum spare_state {
    SPARE_IDLE,    /* Nothing is under way, or there is no spare. */
    SPARE_MARKED,  /* A table that counts. */
    SPARE_REMAINS, /* Of a mark. */
} spare_state_t;

/* Where, and what it says. */
typedef struct spare {
    spare_state_t state;
    uint32_t off;
    ptable_t table; /* If it is marked. */
    uint8_t bytes[PTABLE_SPARE_BYTES];
} spare_t;

static void read_spare(otter_flash_t *flash, uint32_t table_off, uint32_t off, spare_t *spare)
{
    spare->off = off;
    spare->state = SPARE_IDLE;
    if (otter_flash_read(flash, off, spare->bytes, sizeof(spare->bytes)) != ESP_OK) {
        return;
    }
    if (ptable_is_marked(spare->bytes, off, table_off, flash->size_bytes, &spare->table)) {
        spare->state = SPARE_MARKED;
    } else if (ptable_mark_remains(spare->bytes, off, table_off, flash->size_bytes, &spare->table)) {
        spare->state = SPARE_REMAINS;
    }
}

/* Without a table that says where the spare lies: the marked table knows its own place. */
static void search(otter_flash_t *flash, uint32_t table_off, spare_t *spare)
{
    uint8_t magic[2];
    for (uint32_t off = 0; off < flash->size_bytes && spare->state != SPARE_MARKED; off += flash->sector_bytes) {
        if (off != table_off && otter_flash_read(flash, off, magic, sizeof(magic)) == ESP_OK &&
            (magic[0] | magic[1] << 8) == ESP_PARTITION_MAGIC) {
            read_spare(flash, table_off, off, spare);
        }
    }
    spare->state = spare->state == SPARE_MARKED ? SPARE_MARKED : SPARE_IDLE; /* Remains may be anything here. */
}

static ptable_fault_t read_primary(otter_flash_t *flash, uint32_t table_off, ptable_t *table)
{
    uint8_t bytes[PTABLE_BYTES];
    memset(table, 0, sizeof(*table));
    if (otter_flash_read(flash, table_off, bytes, sizeof(bytes)) != ESP_OK) {
        return PTABLE_FAULT_END;
    }
    return ptable_parse(table, bytes, sizeof(bytes), flash->size_bytes, NULL);
}

/* The table at its own place into @p table; what is kept for it into @p spare. */
static ptable_fault_t look(otter_flash_t *flash, uint32_t table_off, ptable_t *table, spare_t *spare)
{
    ptable_fault_t fault = read_primary(flash, table_off, table);
    spare->state = SPARE_IDLE;
    if (fault != PTABLE_OK) {
        search(flash, table_off, spare);
        return fault;
    }
    const ptable_partition_t *place = ptable_spare(table, table_off);
    if (place != NULL) {
        read_spare(flash, table_off, place->offset, spare);
    }
    return fault;
}

ptable_fault_t boot_read_table(otter_flash_t *flash, uint32_t table_offset, ptable_t *table)
{
    spare_t spare;
    ptable_fault_t fault = look(flash, table_offset, table, &spare);
    if (spare.state != SPARE_MARKED) {
        return fault;
    }
    *table = spare.table;
    return PTABLE_OK;
}

static esp_err_t execute(otter_flash_t *flash, uint32_t table_off, const spare_t *spare, ptable_step_t step)
{
    static const uint8_t zeros[PTABLE_MARK_BYTES];
    const uint8_t *mark = spare->bytes + PTABLE_MARK_OFF;
    switch (step) {
    case PTABLE_STEP_INTENT:
        return otter_flash_program(flash, spare->off + PTABLE_INTENT_OFF, zeros, PTABLE_INTENT_BYTES);
    case PTABLE_STEP_MARK:
        return otter_flash_program(flash, spare->off + PTABLE_MARK_OFF, mark, PTABLE_MARK_BYTES);
    case PTABLE_STEP_ERASE:
        return otter_flash_erase(flash, table_off, flash->sector_bytes);
    case PTABLE_STEP_PROGRAM:
        return otter_flash_program(flash, table_off, spare->bytes, PTABLE_BYTES);
    case PTABLE_STEP_WIPE:
        return otter_flash_program(flash, spare->off + PTABLE_MARK_OFF, zeros, sizeof(zeros));
    case PTABLE_STEP_SYNC:
        return otter_flash_sync(flash);
    }
    return ESP_ERR_INVALID_ARG;
}

static esp_err_t wipe_remains(otter_flash_t *flash, uint32_t table_off, const spare_t *spare)
{
    esp_err_t err = execute(flash, table_off, spare, PTABLE_STEP_WIPE);
    return err == ESP_OK ? execute(flash, table_off, spare, PTABLE_STEP_SYNC) : err;
}

esp_err_t boot_settle_table(otter_flash_t *flash, uint32_t table_offset, bool *settled)
{
    ptable_t table;
    spare_t spare;
    (void)look(flash, table_offset, &table, &spare);
    *settled = false;
    if (spare.state == SPARE_REMAINS) {
        return wipe_remains(flash, table_offset, &spare);
    }
    esp_err_t err = ESP_OK;
    bool marked = spare.state == SPARE_MARKED;
    for (int i = 0; marked && i < PTABLE_STEPS && err == ESP_OK; i++) {
        err = execute(flash, table_offset, &spare, ptable_steps[i]);
    }
    *settled = marked && err == ESP_OK;
    return err;
}
