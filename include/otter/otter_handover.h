/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file otter_handover.h
 * @brief Porting contract: what the bootloader tells the firmware.
 *
 * One fixed struct. On Linux the firmware inherits it in a memory file whose descriptor number is in
 * the environment variable OTTER_HANDOVER; on a board it lies in reserved RAM. The firmware
 * refuses one with another magic, version or size.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "otter/otter_config.h"

#ifdef __cplusplus
extern "C" {
#endif

#define OTTER_HANDOVER_MAGIC   0x5254544Fu /**< "OTTR" as bytes. */
#define OTTER_HANDOVER_VERSION 2u          /**< Changes whenever the struct does. */

/** What the bootloader tells the firmware. */
typedef struct otter_handover {
    uint32_t magic;           /**< OTTER_HANDOVER_MAGIC. */
    uint16_t version;         /**< OTTER_HANDOVER_VERSION. */
    uint16_t size;            /**< Bytes of this struct. */
    uint32_t running_address; /**< Flash offset of the partition that was booted. */
    uint32_t reset_reason;    /**< Why this start happened, an esp_reset_reason_t. */
    uint32_t sector_bytes;    /**< Sector size of the flash. */
    int32_t flash_handle;     /**< Linux: inherited descriptor of the flash file, with its lock. Boards: 0. */
    int32_t key_store_handle; /**< Linux: inherited descriptor of the key store; -1: none. Boards: 0. */
    uint8_t app_desc[256];    /**< The running app's descriptor, as it was read and verified. */
    otter_config_t config;    /**< Device configuration. */
} otter_handover_t;

/**
 * Says whether a handover can be used.
 *
 * @param handover  the bytes found
 * @param len       how many
 * @return true if magic, version and size are this build's
 */
static inline bool otter_handover_ok(const otter_handover_t *handover, size_t len)
{
    return len >= sizeof(*handover) && handover->magic == OTTER_HANDOVER_MAGIC &&
           handover->version == OTTER_HANDOVER_VERSION && handover->size == sizeof(*handover);
}

#ifdef __cplusplus
}
#endif
