/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file bootsel_device.h
 * @brief A device reduced to what bootsel sees: two otadata records and a set of images that verify or not.
 */
#pragma once

#include "core/bootsel/bootsel.h"

/** The device, and a trace of what was done to it. */
typedef struct bootsel_device {
    bootsel_input_t input;
    bootsel_set_t corrupt; /**< Apps whose image does not verify. */
    char writes[256];      /**< Writes so far: "W1 seq2 PENDING_VERIFY", "E0"; joined by ", ". */
    char tried[256];       /**< Candidates in the order they were verified in the last boot: "ota_1 ota_0". */
} bootsel_device_t;

/** A record for device_set(): blank if seq is 0 and crc is not broken. */
typedef struct device_record {
    uint32_t seq;
    uint32_t state;
    bool bad_crc;
} device_record_t;

/** A device with these slots, blank otadata and rollback on. */
void device_make(bootsel_device_t *device, uint32_t slots, bool factory);

/** Writes a record as it is. */
void device_set(bootsel_device_t *device, uint32_t sector, device_record_t record);

/** Carries a plan out and traces it. Fails the test if a program meets a sector that is not erased, or a plan ends unsynced. */
void device_execute(bootsel_device_t *device, const bootsel_plan_t *plan);

/** Boots as the bootloader does; returns the slot that runs. */
int device_boot(bootsel_device_t *device, bootsel_reason_t *reason);

/** "factory", "ota_3", "test", "nothing". */
const char *device_slot_name(int slot);

/** Forgets the trace. */
void device_clear_trace(bootsel_device_t *device);
