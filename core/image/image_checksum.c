/* SPDX-License-Identifier: Apache-2.0 */
#include "core/image/image_checksum.h"

#include <string.h>

#define LANES       8
#define BLOCK_BYTES (LANES * sizeof(uint32_t))

/* Independent lanes let the compiler use vector registers: this must not slow SHA-256 down. */
static uint32_t add_blocks(const uint8_t *bytes, size_t blocks)
{
    uint32_t lane[LANES] = {0};
    for (size_t b = 0; b < blocks; b++) {
        uint32_t word[LANES];
        memcpy(word, bytes + b * BLOCK_BYTES, BLOCK_BYTES);
        for (size_t i = 0; i < LANES; i++) {
            lane[i] ^= word[i];
        }
    }
    uint32_t sum = 0;
    for (size_t i = 0; i < LANES; i++) {
        sum ^= lane[i];
    }
    return sum;
}

uint32_t image_add_checksum(uint32_t word, const uint8_t *bytes, size_t len)
{
    size_t blocks = len / BLOCK_BYTES;
    word ^= add_blocks(bytes, blocks);
    for (size_t i = blocks * BLOCK_BYTES; i < len; i++) {
        word ^= bytes[i];
    }
    return word;
}

uint8_t image_fold_checksum(uint32_t word)
{
    word ^= word >> 16;
    word ^= word >> 8;
    return (uint8_t)word;
}
