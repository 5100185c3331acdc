/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file slots.h
 * @brief Between the partition table and bootsel: which candidates exist, and where they lie.
 */
#pragma once

#include "core/bootsel/bootsel.h"
#include "core/ptable/ptable.h"

/** Fills what a table says of @ref bootsel_input (slot_count, present, has_otadata); the rest is zero. */
void bootsel_slots(const ptable_t *table, uint32_t sector_bytes, bootsel_input_t *input);

/** Partition of a candidate, or NULL. */
const ptable_partition_t *bootsel_slot_partition(const ptable_t *table, int slot);

/** Candidate of an app partition's subtype: factory, test, or the number of the OTA slot; else BOOTSEL_SLOT_NONE. */
int bootsel_slot_of_subtype(uint8_t subtype);
