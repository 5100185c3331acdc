/* SPDX-License-Identifier: Apache-2.0 */
#include "core/bootsel/view.h"

#include "core/bootsel/journal.h"

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

otadata_record_t bootsel_record(const bootsel_input_t *input, int index)
{
    uint8_t announced[OTADATA_RECORD_BYTES];
    bool interrupted = journal_find(input, (uint32_t)index, announced);
    return otadata_decode(interrupted ? announced : input->area[index]);
}

static bool same_record(const otadata_record_t *a, const otadata_record_t *b)
{
    return a->good == b->good && (!a->good || (a->seq == b->seq && a->state == b->state));
}

bool bootsel_same_records(const bootsel_input_t *a, const bootsel_input_t *b)
{
    bool same = true;
    for (int i = 0; i < OTADATA_SECTORS; i++) {
        otadata_record_t first = bootsel_record(a, i);
        otadata_record_t second = bootsel_record(b, i);
        same = same && same_record(&first, &second);
    }
    return same;
}

bootsel_view_t bootsel_view(const bootsel_input_t *input)
{
    bootsel_view_t view = {.slot = {BOOTSEL_SLOT_NONE, BOOTSEL_SLOT_NONE}};
    for (int i = 0; input->has_otadata && i < OTADATA_SECTORS; i++) {
        view.record[i] = bootsel_record(input, i);
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
