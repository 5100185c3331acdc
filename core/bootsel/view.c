/* SPDX-License-Identifier: Apache-2.0 */
#include "core/bootsel/view.h"

static bootsel_standing_t judge(const otadata_record_t *record, bool rollback)
{
    if (!record->good) {
        return BOOTSEL_STANDING_NONE;
    }
    switch (record->state) {
    case ESP_OTA_IMG_INVALID:
        return BOOTSEL_STANDING_INVALID;
    case ESP_OTA_IMG_ABORTED:
        return BOOTSEL_STANDING_ABORTED;
    case ESP_OTA_IMG_VALID:
    case ESP_OTA_IMG_UNDEFINED:
        return BOOTSEL_STANDING_BOOTABLE;
    case ESP_OTA_IMG_NEW:
        return rollback ? BOOTSEL_STANDING_FRESH : BOOTSEL_STANDING_BOOTABLE;
    default: /* PENDING_VERIFY. The CRC does not cover the state: a torn one must not count as confirmed. */
        return rollback ? BOOTSEL_STANDING_PENDING : BOOTSEL_STANDING_BOOTABLE;
    }
}

int bootsel_record_slot(const bootsel_input_t *input, const otadata_record_t *record)
{
    if (!record->good || input->slot_count == 0) {
        return BOOTSEL_SLOT_NONE;
    }
    return (int)((record->seq - 1) % input->slot_count);
}

bootsel_view_t bootsel_view(const bootsel_input_t *input)
{
    bootsel_view_t view = {.slot = {BOOTSEL_SLOT_NONE, BOOTSEL_SLOT_NONE}};
    for (int i = 0; input->has_otadata && i < OTADATA_SECTORS; i++) {
        view.record[i] = otadata_decode(input->record[i]);
        view.standing[i] = judge(&view.record[i], input->rollback);
        view.slot[i] = bootsel_record_slot(input, &view.record[i]);
    }
    return view;
}

/* The newer of the records for which @p first and @p second say yes; a tie goes to record 0. */
static int newer(const bootsel_view_t *view, bool first, bool second)
{
    if (first && second) {
        return view->record[1].seq > view->record[0].seq ? 1 : 0;
    }
    if (first) {
        return 0;
    }
    return second ? 1 : -1;
}

int bootsel_view_speaker(const bootsel_view_t *view, int slot)
{
    bool named = slot != BOOTSEL_SLOT_NONE;
    return newer(view, named && view->slot[0] == slot, named && view->slot[1] == slot);
}

bootsel_standing_t bootsel_view_standing(const bootsel_view_t *view, int slot)
{
    int speaker = bootsel_view_speaker(view, slot);
    return speaker >= 0 ? view->standing[speaker] : BOOTSEL_STANDING_NONE;
}

bool bootsel_view_refused(const bootsel_view_t *view, int slot)
{
    bootsel_standing_t standing = bootsel_view_standing(view, slot);
    return standing == BOOTSEL_STANDING_ABORTED || standing == BOOTSEL_STANDING_INVALID;
}

/* An older record does not bring back a slot that a newer one refuses. */
static bool may_be_active(const bootsel_view_t *view, int index)
{
    return view->slot[index] != BOOTSEL_SLOT_NONE && view->standing[index] != BOOTSEL_STANDING_ABORTED &&
           view->standing[index] != BOOTSEL_STANDING_INVALID && !bootsel_view_refused(view, view->slot[index]);
}

int bootsel_view_active(const bootsel_view_t *view)
{
    return newer(view, may_be_active(view, 0), may_be_active(view, 1));
}

uint32_t bootsel_view_max_seq(const bootsel_view_t *view)
{
    int newest = newer(view, view->record[0].good, view->record[1].good);
    return newest >= 0 ? view->record[newest].seq : 0;
}

static bootsel_op_t *append(bootsel_plan_t *plan, bootsel_op_kind_t kind, uint32_t sector)
{
    bootsel_op_t *op = &plan->op[plan->count++];
    *op = (bootsel_op_t){.kind = kind, .sector = sector};
    return op;
}

void bootsel_plan_erase(bootsel_plan_t *plan, uint32_t sector)
{
    append(plan, BOOTSEL_OP_ERASE, sector);
    append(plan, BOOTSEL_OP_SYNC, sector);
}

void bootsel_plan_record(bootsel_plan_t *plan, uint32_t sector, uint32_t seq, uint32_t state)
{
    bootsel_plan_erase(plan, sector);
    otadata_encode(append(plan, BOOTSEL_OP_PROGRAM, sector)->bytes, seq, state);
    append(plan, BOOTSEL_OP_SYNC, sector);
}

int bootsel_active(const bootsel_input_t *input)
{
    bootsel_view_t view = bootsel_view(input);
    return bootsel_view_active(&view);
}

bool bootsel_state(const bootsel_input_t *input, int slot, uint32_t *state)
{
    bootsel_view_t view = bootsel_view(input);
    int speaker = bootsel_view_speaker(&view, slot);
    if (speaker < 0) {
        return false;
    }
    *state = view.record[speaker].state;
    return true;
}
