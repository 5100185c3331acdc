/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/torture/records.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "boot/boot.h"

#define READS 3 /* Times that a world is read after a cut. */

static const char *const names[] = {"none", "UNDEFINED", "NEW", "PENDING", "VALID", "INVALID", "ABORTED", "unknown"};

void facts_fail(facts_t *facts, verdict_t verdict, const char *format, ...)
{
    if (facts->verdict != VERDICT_GOOD) {
        return;
    }
    va_list list;
    va_start(list, format);
    facts->verdict = verdict;
    (void)vsnprintf(facts->message, sizeof(facts->message), format, list);
    va_end(list);
}

uint8_t record_bit(const bootsel_input_t *input, int slot)
{
    static const uint8_t bits[] = {
        [ESP_OTA_IMG_NEW] = RECORD_NEW,         [ESP_OTA_IMG_PENDING_VERIFY] = RECORD_PENDING,
        [ESP_OTA_IMG_VALID] = RECORD_VALID,     [ESP_OTA_IMG_INVALID] = RECORD_INVALID,
        [ESP_OTA_IMG_ABORTED] = RECORD_ABORTED,
    };
    uint32_t state;
    if (!bootsel_state(input, slot, &state)) {
        return RECORD_NONE;
    }
    if (state == ESP_OTA_IMG_UNDEFINED) {
        return RECORD_UNDEFINED;
    }
    return state < sizeof(bits) ? bits[state] : RECORD_UNKNOWN;
}

const char *record_text(uint8_t bits)
{
    static char text[96];
    text[0] = '\0';
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if ((bits & 1u << i) != 0) {
            size_t len = strlen(text);
            (void)snprintf(text + len, sizeof(text) - len, "%s%s", len > 0 ? " or " : "", names[i]);
        }
    }
    return text;
}

void records_may_become(world_t *world, int slot, uint8_t bits)
{
    if (slot >= 0) {
        world->facts.allowed[slot] |= bits;
    }
}

void records_may_all_become(world_t *world, const layout_t *layout, int except, uint8_t bits)
{
    for (int slot = 0; slot < (int)layout->slots; slot++) {
        records_may_become(world, slot, slot == except ? 0 : bits);
    }
}

bool records_pin(world_t *world, const layout_t *layout, const bootsel_input_t *input)
{
    for (int slot = 0; slot < (int)layout->slots; slot++) {
        uint8_t now = record_bit(input, slot);
        if ((now & world->facts.allowed[slot]) == 0) {
            char is[16];
            (void)snprintf(is, sizeof(is), "%s", record_text(now));
            facts_fail(&world->facts, VERDICT_LOST, "the record of ota_%d is %s, not %s", slot, is,
                       record_text(world->facts.allowed[slot]));
            return false;
        }
        world->facts.allowed[slot] = now;
    }
    return true;
}

void records_put(world_t *world, const layout_t *layout, uint32_t sector, uint32_t seq, uint32_t state)
{
    otadata_encode(world->cells.bytes + layout->otadata_off + sector * layout->sector_bytes, seq, state);
}

bool records_read(world_t *world, const layout_t *layout, bool rollback, bootsel_input_t *input)
{
    otter_flash_cells_t cells;
    uint32_t otadata_off;
    otter_flash_t geometry = {
        .size_bytes = layout->flash_bytes, .sector_bytes = layout->sector_bytes, .program_bytes = 1};
    otter_flash_t *flash = otter_flash_cells_init(&cells, &world->cells, &geometry, &world->power);
    memset(input, 0, sizeof(*input));
    return boot_read_input(flash, &layout->table, rollback, input, &otadata_off) == ESP_OK;
}

/* ---- Inspection of a world without power ---- */

static void check_states(world_t *world, const layout_t *layout, const bootsel_input_t *input)
{
    uint8_t allowed[WORLD_SLOTS];
    memcpy(allowed, world->facts.allowed, sizeof(allowed));
    (void)records_pin(world, layout, input);
    memcpy(world->facts.allowed, allowed, sizeof(allowed));
}

/* Whatever a record names and could boot is whole. */
static void check_named_slots(world_t *world, const layout_t *layout, const catalogue_t *catalogue,
                              const bootsel_input_t *input)
{
    for (int i = 0; i < OTADATA_SECTORS; i++) {
        otadata_record_t record = bootsel_record(input, i);
        int slot = bootsel_record_slot(input, &record);
        bool refused = record.state == ESP_OTA_IMG_INVALID || record.state == ESP_OTA_IMG_ABORTED;
        if (slot < 0 || refused || (world->facts.damaged & 1u << slot) != 0) {
            continue;
        }
        if (catalogue_find_on_flash(catalogue, world, layout->slot_off[slot]) == WORLD_NO_APP) {
            facts_fail(&world->facts, VERDICT_UNVERIFIED, "record %d names ota_%d, which is not whole", i, slot);
        }
    }
}

static void check_confirmed(world_t *world, const layout_t *layout, const catalogue_t *catalogue)
{
    int slot = world->facts.confirmed_slot;
    if (slot < 0 || (world->facts.damaged & 1u << slot) != 0) {
        return;
    }
    if (catalogue_find_on_flash(catalogue, world, layout->slot_off[slot]) != world->facts.confirmed_app) {
        facts_fail(&world->facts, VERDICT_LOST, "the confirmed app in ota_%d is no longer whole", slot);
    }
}

void records_inspect(world_t *world, const layout_t *layout, const catalogue_t *catalogue, bool rollback)
{
    bootsel_input_t input;
    check_confirmed(world, layout, catalogue);
    for (int i = 0; i < READS; i++) {
        must(records_read(world, layout, rollback, &input), "otadata cannot be read");
        check_states(world, layout, &input);
        check_named_slots(world, layout, catalogue, &input);
    }
}
