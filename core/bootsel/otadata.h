/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file otadata.h
 * @brief Codec of the otadata record. Format: docs/FORMATS.md.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "esp_flash_partitions.h"

#define OTADATA_RECORD_BYTES 32 /**< A record at the start of each of the two sectors. */
#define OTADATA_SECTORS      2  /**< Sectors of the otadata partition. */

/** A decoded record. */
typedef struct otadata_record {
    uint32_t seq;
    uint32_t state; /**< esp_ota_img_states_t, or anything: it is not covered by the CRC. */
    bool blank;     /**< All FF: erased. */
    bool good;      /**< CRC matches and seq is neither 0 nor FFFFFFFF. Only then do seq and state mean anything. */
} otadata_record_t;

/** Decodes a record; any 32 bytes are allowed. */
otadata_record_t otadata_decode(const uint8_t bytes[OTADATA_RECORD_BYTES]);

/** Encodes a record as ESP-IDF writes it: seq_label FF, CRC over seq. */
void otadata_encode(uint8_t bytes[OTADATA_RECORD_BYTES], uint32_t seq, uint32_t state);

/** CRC that a record with this seq carries. */
uint32_t otadata_crc(uint32_t seq);

/** Name of a state: "NEW", "PENDING_VERIFY", "VALID", "INVALID", "ABORTED", "UNDEFINED"; NULL for another value. */
const char *otadata_state_name(uint32_t state);
