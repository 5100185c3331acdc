/* SPDX-License-Identifier: Apache-2.0 */
/* Which app boots: the order of candidates, and what otadata says about the one that does. */
#include "core/bootsel/bootsel.h"
#include "core/bootsel/journal.h"
#include "core/bootsel/view.h"

#include <string.h>

#define MAX_SLOTS      16
#define MAX_CANDIDATES (MAX_SLOTS + 2)

typedef struct candidate {
    int slot;
    bootsel_reason_t reason;
} candidate_t;

/* Candidates in the order in which they are tried. */
typedef struct ranking {
    bootsel_set_t eligible; /* Those that exist and are not listed yet. */
    uint32_t count;
    candidate_t candidate[MAX_CANDIDATES];
} ranking_t;

static const char *const reason_texts[] = {
    [BOOTSEL_REASON_NONE] = "nothing left to boot",
    [BOOTSEL_REASON_ACTIVE] = "active otadata record",
    [BOOTSEL_REASON_OTHER] = "other valid otadata record",
    [BOOTSEL_REASON_FACTORY] = "factory app",
    [BOOTSEL_REASON_INITIAL] = "first boot, no otadata yet",
    [BOOTSEL_REASON_REMAINING] = "remaining app that verifies",
    [BOOTSEL_REASON_LAST_RESORT] = "last resort: an aborted app",
};

const char *bootsel_reason_text(bootsel_reason_t reason)
{
    return (size_t)reason < sizeof(reason_texts) / sizeof(reason_texts[0]) ? reason_texts[reason] : "unknown";
}

bootsel_set_t bootsel_set_of(int slot)
{
    if (slot == BOOTSEL_SLOT_FACTORY) {
        return BOOTSEL_SET_FACTORY;
    }
    if (slot == BOOTSEL_SLOT_TEST) {
        return BOOTSEL_SET_TEST;
    }
    return slot >= 0 && slot < MAX_SLOTS ? 1u << slot : 0;
}

static void list(ranking_t *ranking, int slot, bootsel_reason_t reason)
{
    bootsel_set_t bit = bootsel_set_of(slot);
    if ((ranking->eligible & bit) != 0) {
        ranking->eligible &= ~bit;
        ranking->candidate[ranking->count++] = (candidate_t){.slot = slot, .reason = reason};
    }
}

static void list_unrefused(ranking_t *ranking, const bootsel_view_t *view, int slot, bootsel_reason_t reason)
{
    if (!bootsel_view_refused(view, slot)) {
        list(ranking, slot, reason);
    }
}

/* Slots that no valid record names: downwards from the active one, then upwards, as ESP-IDF tries them. */
static void list_remaining(ranking_t *ranking, const bootsel_view_t *view, int active_slot, bootsel_reason_t reason)
{
    for (int slot = active_slot - 1; slot >= 0; slot--) {
        list_unrefused(ranking, view, slot, reason);
    }
    for (int slot = active_slot >= 0 ? active_slot : 0; slot < MAX_SLOTS; slot++) {
        list_unrefused(ranking, view, slot, reason);
    }
    list(ranking, BOOTSEL_SLOT_TEST, BOOTSEL_REASON_REMAINING);
}

/* An app that reset before it confirmed is better than no app. One that was refused as INVALID is not. */
static void list_last_resort(ranking_t *ranking, const bootsel_view_t *view)
{
    int newest = view->record[1].seq > view->record[0].seq ? 1 : 0;
    for (int i = 0; i < OTADATA_SECTORS; i++) {
        int slot = view->slot[i == 0 ? newest : 1 - newest];
        if (bootsel_view_standing(view, slot) == BOOTSEL_STANDING_ABORTED) {
            list(ranking, slot, BOOTSEL_REASON_LAST_RESORT);
        }
    }
}

static bool nothing_recorded(const bootsel_view_t *view)
{
    return !view->record[0].good && !view->record[1].good;
}

static ranking_t rank(const bootsel_input_t *input, const bootsel_view_t *view)
{
    ranking_t ranking = {.eligible = input->present};
    int active = bootsel_view_active(view);
    int active_slot = active >= 0 ? view->slot[active] : BOOTSEL_SLOT_NONE;
    list(&ranking, active_slot, BOOTSEL_REASON_ACTIVE);
    for (int i = 0; i < OTADATA_SECTORS; i++) {
        if (view->standing[i] == BOOTSEL_STANDING_BOOTABLE) {
            list_unrefused(&ranking, view, view->slot[i], BOOTSEL_REASON_OTHER);
        }
    }
    bool initial = input->has_otadata && nothing_recorded(view) && (input->present & BOOTSEL_SET_FACTORY) == 0;
    list(&ranking, BOOTSEL_SLOT_FACTORY, BOOTSEL_REASON_FACTORY);
    list_remaining(&ranking, view, active_slot, initial ? BOOTSEL_REASON_INITIAL : BOOTSEL_REASON_REMAINING);
    list_last_resort(&ranking, view);
    return ranking;
}

static candidate_t first_not_failed(const ranking_t *ranking, bootsel_set_t failed)
{
    for (uint32_t i = 0; i < ranking->count; i++) {
        if ((failed & bootsel_set_of(ranking->candidate[i].slot)) == 0) {
            return ranking->candidate[i];
        }
    }
    return (candidate_t){.slot = BOOTSEL_SLOT_NONE, .reason = BOOTSEL_REASON_NONE};
}

/* What the last boot left undone: an app that started and did not confirm, a new image that does not verify. */
static bool find_verdict(const bootsel_view_t *view, uint32_t index, bootsel_set_t failed, uint32_t *state)
{
    bool has_failed = (failed & bootsel_set_of(view->slot[index])) != 0;
    *state = view->standing[index] == BOOTSEL_STANDING_PENDING ? ESP_OTA_IMG_ABORTED : ESP_OTA_IMG_INVALID;
    return view->standing[index] == BOOTSEL_STANDING_PENDING ||
           (view->standing[index] == BOOTSEL_STANDING_FRESH && has_failed);
}

/* One thing at a time: whoever carries it out asks again. */
static bool plan_first(bootsel_draft_t *draft, const bootsel_view_t *view, bootsel_set_t failed)
{
    if (!draft->now.has_otadata) {
        return false;
    }
    if (journal_settle(draft, 0) || journal_settle(draft, 1) || journal_clean(draft, 0) || journal_clean(draft, 1)) {
        return true;
    }
    for (uint32_t i = 0; i < OTADATA_SECTORS; i++) {
        uint32_t state;
        if (find_verdict(view, i, failed, &state)) {
            journal_write(draft, i, view->record[i].seq, state);
            return true;
        }
    }
    return false;
}

static void plan_commit(bootsel_draft_t *draft, const bootsel_view_t *view, candidate_t chosen)
{
    if (chosen.reason == BOOTSEL_REASON_INITIAL) {
        journal_write(draft, 0, (uint32_t)chosen.slot + 1, ESP_OTA_IMG_VALID);
        return;
    }
    int speaker = bootsel_view_speaker(view, chosen.slot);
    if (speaker >= 0 && view->standing[speaker] == BOOTSEL_STANDING_FRESH) {
        journal_write(draft, (uint32_t)speaker, view->record[speaker].seq, ESP_OTA_IMG_PENDING_VERIFY);
    }
}

void bootsel_boot(const bootsel_input_t *input, bootsel_set_t failed, bootsel_decision_t *decision)
{
    bootsel_draft_t draft;
    bootsel_view_t view = bootsel_view(input);
    memset(decision, 0, sizeof(*decision));
    decision->slot = BOOTSEL_SLOT_NONE;
    journal_begin(&draft, input, &decision->plan);
    decision->first = plan_first(&draft, &view, failed);
    if (decision->first) {
        return;
    }
    ranking_t ranking = rank(input, &view);
    candidate_t chosen = first_not_failed(&ranking, failed);
    decision->slot = chosen.slot;
    decision->reason = chosen.reason;
    plan_commit(&draft, &view, chosen);
}

int bootsel_rollback_target(const bootsel_input_t *input, int running, bootsel_set_t failed)
{
    bootsel_view_t view = bootsel_view(input);
    ranking_t ranking = rank(input, &view);
    candidate_t target = first_not_failed(&ranking, failed | bootsel_set_of(running) | BOOTSEL_SET_TEST);
    return target.reason == BOOTSEL_REASON_LAST_RESORT ? BOOTSEL_SLOT_NONE : target.slot;
}
