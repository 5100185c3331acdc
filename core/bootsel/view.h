/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file view.h
 * @brief The otadata records as bootsel sees them: decoded, and judged under the policy. Private to bootsel.
 */
#pragma once

#include "core/bootsel/bootsel.h"

/** What a record says about its slot, under the policy in force. */
typedef enum bootsel_standing {
    BOOTSEL_STANDING_NONE,     /**< No good record. */
    BOOTSEL_STANDING_BOOTABLE, /**< VALID or UNDEFINED; without rollback anything that is not refused. */
    BOOTSEL_STANDING_FRESH,    /**< NEW, and rollback is on. */
    BOOTSEL_STANDING_PENDING,  /**< PENDING_VERIFY or an unknown state, and rollback is on. */
    BOOTSEL_STANDING_ABORTED,  /**< ABORTED. */
    BOOTSEL_STANDING_INVALID,  /**< INVALID. */
} bootsel_standing_t;

/** Both records. */
typedef struct bootsel_view {
    otadata_record_t record[OTADATA_SECTORS];
    bootsel_standing_t standing[OTADATA_SECTORS];
    int slot[OTADATA_SECTORS]; /**< Slot that the record names, or BOOTSEL_SLOT_NONE. */
} bootsel_view_t;

/** Decodes and judges the records; without otadata there is none. */
bootsel_view_t bootsel_view(const bootsel_input_t *input);

/** Index of the newest good record whose slot is not refused (a tie goes to 0), or -1. */
int bootsel_view_active(const bootsel_view_t *view);

/** Index of the newest good record that names @p slot (a tie goes to 0), or -1. It speaks for the slot. */
int bootsel_view_speaker(const bootsel_view_t *view, int slot);

/** Standing of a slot: its speaker's, or BOOTSEL_STANDING_NONE. */
bootsel_standing_t bootsel_view_standing(const bootsel_view_t *view, int slot);

/** True if the record that speaks for the slot says ABORTED or INVALID. */
bool bootsel_view_refused(const bootsel_view_t *view, int slot);

/** Highest seq of the good records, or 0. */
uint32_t bootsel_view_max_seq(const bootsel_view_t *view);
