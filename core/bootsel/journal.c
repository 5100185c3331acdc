/* SPDX-License-Identifier: Apache-2.0 */
#include "core/bootsel/journal.h"

#include <string.h>

#include "core/util/bytes.h"

/* An entry: magic, seq, state, FF, CRC-32 of all before. */
#define ENTRY_MAGIC     0x314A544Fu /* "OTJ1" */
#define ENTRY_SEQ_OFF   4
#define ENTRY_STATE_OFF 8
#define ENTRY_CRC_OFF   28

/* Places that a new transition must find free: it can be cut and taken up again so many times. */
#define RESERVED_PLACES 8

_Static_assert(JOURNAL_PLACE_BYTES == OTADATA_RECORD_BYTES, "an entry is programmed by one operation");
_Static_assert(JOURNAL_MARKS_OFF + JOURNAL_PLACES * JOURNAL_MARK_BYTES <= JOURNAL_OFF, "every place has its mark");

static uint32_t place_off(uint32_t place)
{
    return JOURNAL_OFF + place * JOURNAL_PLACE_BYTES;
}

/* ---- Entries ---- */

static void encode_entry(uint8_t entry[JOURNAL_PLACE_BYTES], const uint8_t record[OTADATA_RECORD_BYTES])
{
    otadata_record_t decoded = otadata_decode(record);
    memset(entry, 0xFF, JOURNAL_PLACE_BYTES);
    bytes_put_u32(entry, ENTRY_MAGIC);
    bytes_put_u32(entry + ENTRY_SEQ_OFF, decoded.seq);
    bytes_put_u32(entry + ENTRY_STATE_OFF, decoded.state);
    bytes_put_u32(entry + ENTRY_CRC_OFF, bytes_crc32(0, entry, ENTRY_CRC_OFF));
}

static bool is_entry(const uint8_t entry[JOURNAL_PLACE_BYTES])
{
    return bytes_get_u32(entry) == ENTRY_MAGIC &&
           bytes_get_u32(entry + ENTRY_CRC_OFF) == bytes_crc32(0, entry, ENTRY_CRC_OFF);
}

static void decode_entry(const uint8_t entry[JOURNAL_PLACE_BYTES], uint8_t record[OTADATA_RECORD_BYTES])
{
    uint32_t seq = bytes_get_u32(entry + ENTRY_SEQ_OFF);
    if (seq == UINT32_MAX) {
        memset(record, 0xFF, OTADATA_RECORD_BYTES);
    } else {
        otadata_encode(record, seq, bytes_get_u32(entry + ENTRY_STATE_OFF));
    }
}

bool journal_find(const bootsel_input_t *input, uint32_t sector, uint8_t record[OTADATA_RECORD_BYTES])
{
    const uint8_t *area = input->area[1 - sector];
    for (uint32_t place = JOURNAL_PLACES; place > 0; place--) {
        const uint8_t *entry = area + place_off(place - 1);
        if (is_entry(entry)) {
            decode_entry(entry, record);
            return true;
        }
    }
    return false;
}

static bool is_marked(const uint8_t area[BOOTSEL_AREA_BYTES], uint32_t place)
{
    return bytes_all(area + JOURNAL_MARKS_OFF + place * JOURNAL_MARK_BYTES, JOURNAL_MARK_BYTES, 0);
}

/* Places that may hold an entry, or what is left of one: those with a mark, and any that foreign bytes make useless. */
static uint32_t used_places(const uint8_t area[BOOTSEL_AREA_BYTES])
{
    uint32_t place = 0;
    while (place < JOURNAL_PLACES &&
           (is_marked(area, place) || !bytes_all(area + place_off(place), JOURNAL_PLACE_BYTES, 0xFF))) {
        place++;
    }
    return place;
}

/* ---- Operations: added to the plan, and done to the areas in memory ---- */

static void apply(bootsel_input_t *input, const bootsel_op_t *op)
{
    uint8_t *area = input->area[op->sector];
    if (op->kind == BOOTSEL_OP_ERASE) {
        memset(area, 0xFF, BOOTSEL_AREA_BYTES);
    } else if (op->kind == BOOTSEL_OP_PROGRAM) {
        memcpy(area + op->off, op->bytes, op->len);
    } else if (op->kind == BOOTSEL_OP_ZERO) {
        memset(area + op->off, 0, op->len);
    }
}

void bootsel_apply(bootsel_input_t *input, const bootsel_plan_t *plan)
{
    for (uint32_t i = 0; i < plan->count; i++) {
        apply(input, &plan->op[i]);
    }
}

static void add(bootsel_draft_t *draft, const bootsel_op_t *op)
{
    /* No input makes a plan this long (a test tries all sorts); a longer one must not write elsewhere. */
    if (draft->plan->count < BOOTSEL_PLAN_MAX) {
        draft->plan->op[draft->plan->count++] = *op;
    }
    apply(&draft->now, op);
}

static void add_erase(bootsel_draft_t *draft, uint32_t sector)
{
    add(draft, &(bootsel_op_t){.kind = BOOTSEL_OP_ERASE, .sector = sector});
}

static void add_sync(bootsel_draft_t *draft, uint32_t sector)
{
    add(draft, &(bootsel_op_t){.kind = BOOTSEL_OP_SYNC, .sector = sector});
}

static void add_program(bootsel_draft_t *draft, uint32_t sector, uint32_t off,
                        const uint8_t bytes[OTADATA_RECORD_BYTES])
{
    bootsel_op_t op = {.kind = BOOTSEL_OP_PROGRAM, .sector = sector, .off = (uint16_t)off, .len = OTADATA_RECORD_BYTES};
    memcpy(op.bytes, bytes, OTADATA_RECORD_BYTES);
    add(draft, &op);
}

static void add_zero(bootsel_draft_t *draft, uint32_t sector, uint32_t off, uint32_t end)
{
    if (off < end) {
        add(draft, &(bootsel_op_t){
                       .kind = BOOTSEL_OP_ZERO, .sector = sector, .off = (uint16_t)off, .len = (uint16_t)(end - off)});
    }
}

/* ---- Transitions ---- */

/* The record itself, in its sector. What is there in between does not count: the entry does. */
static void add_record(bootsel_draft_t *draft, uint32_t sector, const uint8_t record[OTADATA_RECORD_BYTES])
{
    add_erase(draft, sector);
    if (!bytes_all(record, OTADATA_RECORD_BYTES, 0xFF)) {
        add_program(draft, sector, 0, record);
    }
    add_sync(draft, sector);
}

static bool has_entry_before(const uint8_t area[BOOTSEL_AREA_BYTES], uint32_t place)
{
    while (place > 0 && !is_entry(area + place_off(place - 1))) {
        place--;
    }
    return place > 0;
}

/* Wipes every entry up to @p place, the newest last: an older one must not speak again. Where there is one (an operation
 * failed, and nothing restarted), not even a flash with a cache may have the newest gone before it. */
static void add_wipe(bootsel_draft_t *draft, uint32_t journal, uint32_t place)
{
    bool older = has_entry_before(draft->now.area[journal], place);
    add_zero(draft, journal, JOURNAL_OFF, place_off(place));
    if (older) {
        add_sync(draft, journal);
    }
    add_zero(draft, journal, place_off(place), place_off(place + 1));
    add_sync(draft, journal);
}

/* Wipes what the sector's own journal holds or hides, before an entry elsewhere allows the sector to be erased: once that
 * entry speaks, no older one about the other record may. */
static void add_silence(bootsel_draft_t *draft, uint32_t sector)
{
    add_zero(draft, sector, JOURNAL_OFF, place_off(used_places(draft->now.area[sector])));
}

/* An entry in a place that nothing has touched: half-programmed cells would make it unreliable. All marks are set again,
 * since the last of them may be half programmed itself. */
static void add_entry(bootsel_draft_t *draft, uint32_t journal, uint32_t place,
                      const uint8_t record[OTADATA_RECORD_BYTES])
{
    uint8_t entry[JOURNAL_PLACE_BYTES];
    encode_entry(entry, record);
    add_zero(draft, journal, JOURNAL_MARKS_OFF, JOURNAL_MARKS_OFF + (place + 1) * JOURNAL_MARK_BYTES);
    add_program(draft, journal, place_off(place), entry);
    add_sync(draft, journal);
}

static void change(bootsel_draft_t *draft, uint32_t sector, const uint8_t record[OTADATA_RECORD_BYTES])
{
    uint32_t journal = 1 - sector;
    uint32_t place = used_places(draft->now.area[journal]);
    add_silence(draft, sector);
    if (place < JOURNAL_PLACES) {
        add_entry(draft, journal, place, record);
    } else {
        /* Foreign bytes fill the journal, or this transition was cut so often that its own entries do, and protect it. */
        place = JOURNAL_PLACES - 1;
    }
    add_record(draft, sector, record);
    add_wipe(draft, journal, place);
}

bool journal_settle(bootsel_draft_t *draft, uint32_t sector)
{
    uint8_t record[OTADATA_RECORD_BYTES];
    if (!journal_find(&draft->now, sector, record)) {
        return false;
    }
    /* A fresh entry: the old one may be half programmed, and must not fade while the sector is being erased. */
    change(draft, sector, record);
    return true;
}

bool journal_clean(bootsel_draft_t *draft, uint32_t journal)
{
    const uint8_t *area = draft->now.area[journal];
    uint32_t used = used_places(area);
    if (bytes_all(area + JOURNAL_OFF, (size_t)used * JOURNAL_PLACE_BYTES, 0)) {
        return false;
    }
    add_wipe(draft, journal, used - 1);
    return true;
}

/* Empties the journal of a sector by rewriting the sector: a transition of its own, to the same record. A record that is not
 * good must not become so by being written anew. */
static void make_room(bootsel_draft_t *draft, uint32_t journal)
{
    uint8_t record[OTADATA_RECORD_BYTES];
    memcpy(record, draft->now.area[journal], OTADATA_RECORD_BYTES);
    if (!otadata_decode(record).good) {
        memset(record, 0xFF, OTADATA_RECORD_BYTES);
    }
    change(draft, journal, record);
}

static bool has_room(const uint8_t area[BOOTSEL_AREA_BYTES])
{
    return used_places(area) + RESERVED_PLACES <= JOURNAL_PLACES;
}

/* The sector's journal goes with it when it is erased: what that says about the other record is ended first. */
static void change_alone(bootsel_draft_t *draft, uint32_t sector, const uint8_t record[OTADATA_RECORD_BYTES])
{
    (void)journal_settle(draft, 1 - sector);
    if (!has_room(draft->now.area[1 - sector])) {
        (void)journal_settle(draft, sector);
        if (has_room(draft->now.area[sector])) {
            make_room(draft, 1 - sector);
        }
    }
    change(draft, sector, record);
}

void journal_begin(bootsel_draft_t *draft, const bootsel_input_t *input, bootsel_plan_t *plan)
{
    draft->now = *input;
    draft->plan = plan;
    plan->count = 0;
}

void journal_write(bootsel_draft_t *draft, uint32_t sector, uint32_t seq, uint32_t state)
{
    uint8_t record[OTADATA_RECORD_BYTES];
    otadata_encode(record, seq, state);
    change_alone(draft, sector, record);
}

void journal_forget(bootsel_draft_t *draft, uint32_t sector)
{
    uint8_t record[OTADATA_RECORD_BYTES];
    memset(record, 0xFF, sizeof(record));
    change_alone(draft, sector, record);
}
