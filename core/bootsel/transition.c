/* SPDX-License-Identifier: Apache-2.0 */
/* What otadata becomes when an app is chosen, confirmed, refused or about to be overwritten. */
#include "core/bootsel/bootsel.h"
#include "core/bootsel/journal.h"
#include "core/bootsel/view.h"

#define NO_SEQ 0u

/* Smallest seq above @p floor that names @p slot, or NO_SEQ if the numbers are used up. */
static uint32_t next_seq(uint32_t floor, int slot, uint32_t slot_count)
{
    uint64_t seq = (uint64_t)slot + 1;
    if (seq <= floor) {
        seq += ((floor - seq) / slot_count + 1) * slot_count;
    }
    return seq < UINT32_MAX ? (uint32_t)seq : NO_SEQ;
}

static bool is_slot(const bootsel_input_t *input, int slot)
{
    return slot >= 0 && (uint32_t)slot < input->slot_count && (input->present & bootsel_set_of(slot)) != 0;
}

/*
 * The numbers are used up (only forged records get there). Renumber from the bottom: first the record to keep moves
 * to the other sector with a low number, then the new one takes its place. After each step the kept record,
 * in one sector or the other, is what boots.
 */
static void plan_renumbered(bootsel_draft_t *draft, const bootsel_view_t *view, int keep, int slot, uint32_t state)
{
    uint32_t floor = 0;
    uint32_t sector = 0;
    if (keep >= 0) {
        floor = (uint32_t)view->slot[keep] + 1;
        sector = (uint32_t)keep;
        journal_write(draft, 1 - sector, floor, view->record[keep].state);
    } else {
        journal_forget(draft, 1 - sector);
    }
    journal_write(draft, sector, next_seq(floor, slot, draft->now.slot_count), state);
}

/* A record for @p slot, newer than all others, in the sector that does not hold the record to keep. */
static void plan_new_record(bootsel_draft_t *draft, const bootsel_view_t *view, int keep, int slot, uint32_t state)
{
    uint32_t seq = next_seq(bootsel_view_max_seq(view), slot, draft->now.slot_count);
    if (seq == NO_SEQ) {
        plan_renumbered(draft, view, keep, slot, state);
        return;
    }
    /* Nothing to keep: rather lose a record that says nothing than the memory of a refused app. */
    int free_sector = view->record[0].good && !view->record[1].good ? 1 : 0;
    journal_write(draft, (uint32_t)(keep >= 0 ? 1 - keep : free_sector), seq, state);
}

/* The record that must survive a switch: the running app's, or else the active one. */
static int record_to_keep(const bootsel_view_t *view, int running)
{
    int speaker = bootsel_view_speaker(view, running);
    return speaker >= 0 ? speaker : bootsel_view_active(view);
}

static void set_state(bootsel_draft_t *draft, const bootsel_view_t *view, int index, uint32_t state)
{
    if (view->record[index].state != state) {
        journal_write(draft, (uint32_t)index, view->record[index].seq, state);
    }
}

static void switch_to_factory(bootsel_draft_t *draft, const bootsel_view_t *view)
{
    /* The active record goes last: until then it is what boots, and not a third app. */
    uint32_t last = bootsel_view_active(view) == 0 ? 0 : 1;
    const uint32_t order[OTADATA_SECTORS] = {1 - last, last};
    for (int i = 0; i < OTADATA_SECTORS; i++) {
        if (!view->record[order[i]].blank) {
            journal_forget(draft, order[i]);
        }
    }
}

/* Back to the app that runs, after another one was chosen but not booted: its record is still there and stays as it
 * is, confirmed or not; the newer choice is forgotten. */
static void choose_running_again(bootsel_draft_t *draft, const bootsel_view_t *view, int running)
{
    int speaker = bootsel_view_speaker(view, running);
    if (bootsel_view_active(view) != speaker) {
        journal_forget(draft, (uint32_t)(1 - speaker));
    }
}

static void switch_to_slot(bootsel_draft_t *draft, const bootsel_view_t *view, int running, int slot)
{
    uint32_t state = draft->now.rollback ? ESP_OTA_IMG_NEW : ESP_OTA_IMG_UNDEFINED;
    int active = bootsel_view_active(view);
    if (slot == running && bootsel_view_speaker(view, running) >= 0 && !bootsel_view_refused(view, running)) {
        choose_running_again(draft, view, running);
    } else if (active >= 0 && view->slot[active] == slot) {
        set_state(draft, view, active, state);
    } else {
        plan_new_record(draft, view, record_to_keep(view, running), slot, state);
    }
}

esp_err_t bootsel_switch(const bootsel_input_t *input, int running, int slot, bootsel_plan_t *plan)
{
    bootsel_draft_t draft;
    journal_begin(&draft, input, plan);
    if (!input->has_otadata) {
        return ESP_ERR_NOT_FOUND;
    }
    bootsel_view_t view = bootsel_view(input);
    if (slot == BOOTSEL_SLOT_FACTORY && (input->present & BOOTSEL_SET_FACTORY) != 0) {
        switch_to_factory(&draft, &view);
        return ESP_OK;
    }
    if (!is_slot(input, slot)) {
        return ESP_ERR_INVALID_ARG;
    }
    switch_to_slot(&draft, &view, running, slot);
    return ESP_OK;
}

/* The running app's record gets this state; one that has none (it was booted as a fallback) gets a record. */
static esp_err_t judge_running(const bootsel_input_t *input, int running, uint32_t state, bootsel_plan_t *plan)
{
    bootsel_draft_t draft;
    journal_begin(&draft, input, plan);
    if (!input->has_otadata) {
        return ESP_ERR_NOT_FOUND;
    }
    if (!is_slot(input, running)) {
        return ESP_FAIL;
    }
    bootsel_view_t view = bootsel_view(input);
    int speaker = bootsel_view_speaker(&view, running);
    if (speaker >= 0) {
        set_state(&draft, &view, speaker, state);
    } else {
        plan_new_record(&draft, &view, bootsel_view_active(&view), running, state);
    }
    return ESP_OK;
}

esp_err_t bootsel_confirm(const bootsel_input_t *input, int running, bootsel_plan_t *plan)
{
    return judge_running(input, running, ESP_OTA_IMG_VALID, plan);
}

esp_err_t bootsel_invalidate(const bootsel_input_t *input, int running, bootsel_plan_t *plan)
{
    return judge_running(input, running, ESP_OTA_IMG_INVALID, plan);
}

esp_err_t bootsel_begin(const bootsel_input_t *input, int slot, bootsel_plan_t *plan)
{
    bootsel_draft_t draft;
    journal_begin(&draft, input, plan);
    if (!is_slot(input, slot)) {
        return ESP_ERR_INVALID_ARG;
    }
    bootsel_view_t view = bootsel_view(input);
    for (uint32_t i = 0; i < OTADATA_SECTORS; i++) {
        if (view.slot[i] == slot) {
            journal_forget(&draft, i);
        }
    }
    return ESP_OK;
}
