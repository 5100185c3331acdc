/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ESP-IDF's rule instead of core/bootsel/journal.c: a record is rewritten where it lies, by an erase and a program. Linked
 * into a torture of its own, which must find that this loses records.
 */
#include <string.h>

#include "core/bootsel/journal.h"

static void apply(bootsel_input_t *input, const bootsel_op_t *op)
{
    if (op->kind == BOOTSEL_OP_ERASE) {
        memset(input->area[op->sector], 0xFF, BOOTSEL_AREA_BYTES);
    } else if (op->kind == BOOTSEL_OP_PROGRAM) {
        memcpy(input->area[op->sector] + op->off, op->bytes, op->len);
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
    if (draft->plan->count < BOOTSEL_PLAN_MAX) {
        draft->plan->op[draft->plan->count++] = *op;
    }
    apply(&draft->now, op);
}

static void rewrite(bootsel_draft_t *draft, uint32_t sector, const uint8_t *record)
{
    add(draft, &(bootsel_op_t){.kind = BOOTSEL_OP_ERASE, .sector = sector});
    if (record != NULL) {
        bootsel_op_t op = {.kind = BOOTSEL_OP_PROGRAM, .sector = sector, .len = OTADATA_RECORD_BYTES};
        memcpy(op.bytes, record, OTADATA_RECORD_BYTES);
        add(draft, &op);
    }
    add(draft, &(bootsel_op_t){.kind = BOOTSEL_OP_SYNC, .sector = sector});
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
    rewrite(draft, sector, record);
}

void journal_forget(bootsel_draft_t *draft, uint32_t sector)
{
    rewrite(draft, sector, NULL);
}

bool journal_find(const bootsel_input_t *input, uint32_t sector, uint8_t record[OTADATA_RECORD_BYTES])
{
    (void)input;
    (void)sector;
    (void)record;
    return false;
}

bool journal_settle(bootsel_draft_t *draft, uint32_t sector)
{
    (void)draft;
    (void)sector;
    return false;
}

bool journal_clean(bootsel_draft_t *draft, uint32_t journal)
{
    (void)draft;
    (void)journal;
    return false;
}
