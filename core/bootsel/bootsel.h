/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file bootsel.h
 * @brief Boot selection: which app runs, and what otadata says afterwards. Pure functions.
 *
 * In: the two otadata records as they lie on flash, the slots, the policy. Out: a candidate, and
 * plans: ordered lists of flash operations on otadata. Callers (bootloader, esp_ota_*, command line,
 * tests) carry a plan out in order and decide nothing. Rules and their reasons: docs/DESIGN.md.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/bootsel/otadata.h"
#include "esp_err.h"

#define BOOTSEL_SLOT_FACTORY (-1) /**< Candidate: the factory app. Numbers from 0 are OTA slots. */
#define BOOTSEL_SLOT_TEST    (-2) /**< Candidate: the test app. */
#define BOOTSEL_SLOT_NONE    (-3) /**< No candidate, or: no app is running. */

/** A set of candidates: bit n for ota_n, plus the two below. */
typedef uint32_t bootsel_set_t;
#define BOOTSEL_SET_FACTORY (1u << 16)
#define BOOTSEL_SET_TEST    (1u << 17)

/** The set with just this candidate; empty for BOOTSEL_SLOT_NONE. */
bootsel_set_t bootsel_set_of(int slot);

/** Bytes at the start of each otadata sector that bootsel reads and writes: the record and the journal. */
#define BOOTSEL_AREA_BYTES 1024

/** What a decision rests on. */
typedef struct bootsel_input {
    bool has_otadata;                                  /**< There is an otadata partition of two sectors. */
    uint8_t area[OTADATA_SECTORS][BOOTSEL_AREA_BYTES]; /**< Start of each sector as read; any bytes. */
    uint32_t slot_count;                               /**< OTA slots, n of (seq - 1) % n: ptable_slot_count(). */
    bootsel_set_t present;                             /**< App partitions that exist. */
    bool rollback;                                     /**< Policy: apps must confirm themselves. */
} bootsel_input_t;

/** Kind of a flash operation. */
typedef enum bootsel_op_kind {
    BOOTSEL_OP_ERASE,   /**< Erase otadata sector @ref bootsel_op.sector. */
    BOOTSEL_OP_PROGRAM, /**< Program @ref bootsel_op.bytes, @ref bootsel_op.len of them, at @ref bootsel_op.off in it. */
    BOOTSEL_OP_ZERO,    /**< Program @ref bootsel_op.len bytes of 0 at @ref bootsel_op.off in it. */
    BOOTSEL_OP_SYNC,    /**< Everything before is durable before anything after. */
} bootsel_op_kind_t;

/** One flash operation on otadata. */
typedef struct bootsel_op {
    bootsel_op_kind_t kind;
    uint32_t sector; /**< 0 or 1. */
    uint16_t off;    /**< Where in the sector. */
    uint16_t len;    /**< Bytes. */
    uint8_t bytes[OTADATA_RECORD_BYTES];
} bootsel_op_t;

#define BOOTSEL_PLAN_MAX 80 /**< Operations in the longest plan. */

/**
 * An ordered list of flash operations. Each ends with a sync if it is not empty.
 *
 * A plan changes one record at a time, each atomically: cut before, within or after any operation, the record is the
 * old one or the new one. docs/DESIGN.md gives the argument step by step.
 */
typedef struct bootsel_plan {
    uint32_t count;
    bootsel_op_t op[BOOTSEL_PLAN_MAX];
} bootsel_plan_t;

/** Carries a plan out on the areas in memory, as the flash would. For dry runs and tests. */
void bootsel_apply(bootsel_input_t *input, const bootsel_plan_t *plan);

/** Why a candidate was chosen. */
typedef enum bootsel_reason {
    BOOTSEL_REASON_NONE,        /**< No candidate is left. */
    BOOTSEL_REASON_ACTIVE,      /**< The active record names it. */
    BOOTSEL_REASON_OTHER,       /**< The other valid record names it. */
    BOOTSEL_REASON_FACTORY,     /**< Factory app: nothing valid is recorded, or what is failed. */
    BOOTSEL_REASON_INITIAL,     /**< Nothing was ever recorded and there is no factory app: slots in order. */
    BOOTSEL_REASON_REMAINING,   /**< A slot (or the test app) that no valid record names, since all others failed. */
    BOOTSEL_REASON_LAST_RESORT, /**< An ABORTED app, since nothing else verifies. */
} bootsel_reason_t;

/** Text for a reason, lower case, no full stop. */
const char *bootsel_reason_text(bootsel_reason_t reason);

/** What the bootloader does next. */
typedef struct bootsel_decision {
    bool first;              /**< Carry out @ref plan first, read otadata again, and ask again. */
    int slot;                /**< Else: candidate to verify, or BOOTSEL_SLOT_NONE: nothing boots. */
    bootsel_reason_t reason; /**< Why this one. */
    bootsel_plan_t plan;     /**< Carry out once the candidate verified, before it runs. */
} bootsel_decision_t;

/**
 * Chooses the next candidate.
 *
 * The bootloader asks with an empty @p failed. If the answer is `first`, it carries out the plan and asks again. Else it
 * verifies the candidate; on failure it adds it to @p failed and asks again; on success it carries out the plan and runs it.
 *
 * @param input     see there
 * @param failed    candidates that did not verify during this boot
 * @param decision  filled
 */
void bootsel_boot(const bootsel_input_t *input, bootsel_set_t failed, bootsel_decision_t *decision);

/**
 * Plans the switch to another slot (esp_ota_set_boot_partition).
 *
 * @param input    see there
 * @param running  candidate that runs now, or BOOTSEL_SLOT_NONE; its record, the way back, is kept
 * @param slot     OTA slot to boot next, whose image was verified, or BOOTSEL_SLOT_FACTORY
 * @param plan     filled; empty if nothing needs to change
 * @return ESP_OK; ESP_ERR_NOT_FOUND without otadata; ESP_ERR_INVALID_ARG if @p slot does not exist
 */
esp_err_t bootsel_switch(const bootsel_input_t *input, int running, int slot, bootsel_plan_t *plan);

/**
 * Plans the confirmation of the running app: its record becomes VALID.
 *
 * @return ESP_OK, with an empty plan if it is VALID already; ESP_ERR_NOT_FOUND without otadata; ESP_FAIL if @p running is
 *         no OTA slot (the factory app needs no confirmation)
 */
esp_err_t bootsel_confirm(const bootsel_input_t *input, int running, bootsel_plan_t *plan);

/**
 * Plans the refusal of the running app: its record becomes INVALID. The caller has made sure that another app
 * boots instead (bootsel_rollback_target()).
 *
 * @return as bootsel_confirm()
 */
esp_err_t bootsel_invalidate(const bootsel_input_t *input, int running, bootsel_plan_t *plan);

/**
 * Plans what must be forgotten before a slot is overwritten: every record that names it.
 *
 * @return ESP_OK, with an empty plan if no record names it (or without otadata); ESP_ERR_INVALID_ARG if @p slot is no OTA slot
 */
esp_err_t bootsel_begin(const bootsel_input_t *input, int slot, bootsel_plan_t *plan);

/**
 * The app that would boot if the running one were refused; never an ABORTED or INVALID one.
 *
 * @param input    see there
 * @param running  candidate that runs now
 * @param failed   candidates known not to verify
 * @return the next candidate to verify, or BOOTSEL_SLOT_NONE
 */
int bootsel_rollback_target(const bootsel_input_t *input, int running, bootsel_set_t failed);

/**
 * State that otadata records for a slot.
 *
 * @param state  gets the raw state of the newest good record that names @p slot
 * @return true if there is one
 */
bool bootsel_state(const bootsel_input_t *input, int slot, uint32_t *state);

/** Index (0, 1) of the active record, or -1: the good one with the highest seq that is neither INVALID nor ABORTED. */
int bootsel_active(const bootsel_input_t *input);

/** The record of a sector, 0 or 1: what the flash says once every interrupted transition counts as done. */
otadata_record_t bootsel_record(const bootsel_input_t *input, int index);

/** True if flash says the same in both: a plan that was carried out says what it should, or it was not carried out. */
bool bootsel_same_records(const bootsel_input_t *a, const bootsel_input_t *b);

/** Slot that a good record names: (seq - 1) % slot_count; BOOTSEL_SLOT_NONE if there is none. */
int bootsel_record_slot(const bootsel_input_t *input, const otadata_record_t *record);
