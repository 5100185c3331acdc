/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ESP-IDF's boot selection, from the bytes of the flash: two entries, the valid one with the higher number counts, its slot
 * is tried first, then the slots below, then those above, then the factory app. Shares no code with core/bootsel.
 */
#include <string.h>

#include "tests/torture/records.h"

#define ENTRY_SEQ     0
#define ENTRY_STATE   24
#define ENTRY_CRC     28
#define NO_ENTRY      0u
#define CHOSE_FACTORY (-1)
#define CHOSE_NOTHING (-2)

static uint32_t word_at(const uint8_t *entry, size_t off)
{
    return (uint32_t)entry[off] + ((uint32_t)entry[off + 1] << 8) + ((uint32_t)entry[off + 2] << 16) +
           ((uint32_t)entry[off + 3] << 24);
}

static uint32_t crc_of(const uint8_t bytes[4])
{
    uint32_t crc = 0;
    for (int i = 0; i < 4; i++) {
        crc ^= bytes[i];
        for (int bit = 0; bit < 8; bit++) {
            crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0xEDB88320u : 0);
        }
    }
    return ~crc;
}

/* The number of an entry that counts, or NO_ENTRY. */
static uint32_t valid_seq(const uint8_t *entry, bool rollback)
{
    uint32_t seq = word_at(entry, ENTRY_SEQ);
    uint32_t state = word_at(entry, ENTRY_STATE);
    /* Invalid, aborted; pending: it started and did not confirm, so that it becomes aborted. */
    bool refused = state == 3 || state == 4 || (rollback && state == 1);
    bool counts = seq != UINT32_MAX && seq != 0 && !refused;
    return counts && word_at(entry, ENTRY_CRC) == crc_of(entry) ? seq : NO_ENTRY;
}

static bool is_whole(const world_t *world, const layout_t *layout, const catalogue_t *catalogue, int slot)
{
    return catalogue_find_on_flash(catalogue, world, layout->slot_off[slot]) != WORLD_NO_APP;
}

static int first_whole(const world_t *world, const layout_t *layout, const catalogue_t *catalogue, int from)
{
    for (int slot = from; slot >= 0; slot--) {
        if (is_whole(world, layout, catalogue, slot)) {
            return slot;
        }
    }
    for (int slot = from + 1; slot < (int)layout->slots; slot++) {
        if (is_whole(world, layout, catalogue, slot)) {
            return slot;
        }
    }
    return CHOSE_NOTHING;
}

int idf_choose(const world_t *world, const layout_t *layout, const catalogue_t *catalogue, bool rollback)
{
    const uint8_t *first = world->cells.bytes + layout->otadata_off;
    uint32_t a = valid_seq(first, rollback);
    uint32_t b = valid_seq(first + layout->sector_bytes, rollback);
    uint32_t seq = a >= b ? a : b;
    if (seq == NO_ENTRY && layout->factory_off != 0) {
        return CHOSE_FACTORY;
    }
    int slot = seq == NO_ENTRY ? 0 : (int)((seq - 1) % layout->slots);
    int found = first_whole(world, layout, catalogue, slot);
    return found == CHOSE_NOTHING && layout->factory_off != 0 ? CHOSE_FACTORY : found;
}
