/* SPDX-License-Identifier: Apache-2.0 */
#include "core/bootsel/otadata.h"

#include <string.h>

#include "core/util/bytes.h"

/* Offsets in the record. */
#define SEQ_OFF   0
#define STATE_OFF 24
#define CRC_OFF   28

static const char *const state_names[] = {"NEW", "PENDING_VERIFY", "VALID", "INVALID", "ABORTED"};

uint32_t otadata_crc(uint32_t seq)
{
    uint8_t bytes[4];
    bytes_put_u32(bytes, seq);
    return bytes_crc32(0xFFFFFFFF, bytes, sizeof(bytes));
}

otadata_record_t otadata_decode(const uint8_t bytes[OTADATA_RECORD_BYTES])
{
    uint32_t seq = bytes_get_u32(bytes + SEQ_OFF);
    bool in_range = seq != 0 && seq != UINT32_MAX;
    return (otadata_record_t){
        .seq = seq,
        .state = bytes_get_u32(bytes + STATE_OFF),
        .blank = bytes_all(bytes, OTADATA_RECORD_BYTES, 0xFF),
        .good = in_range && bytes_get_u32(bytes + CRC_OFF) == otadata_crc(seq),
    };
}

void otadata_encode(uint8_t bytes[OTADATA_RECORD_BYTES], uint32_t seq, uint32_t state)
{
    memset(bytes, 0xFF, OTADATA_RECORD_BYTES);
    bytes_put_u32(bytes + SEQ_OFF, seq);
    bytes_put_u32(bytes + STATE_OFF, state);
    bytes_put_u32(bytes + CRC_OFF, otadata_crc(seq));
}

const char *otadata_state_name(uint32_t state)
{
    if (state == ESP_OTA_IMG_UNDEFINED) {
        return "UNDEFINED";
    }
    return state < sizeof(state_names) / sizeof(state_names[0]) ? state_names[state] : NULL;
}
