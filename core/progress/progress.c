/* SPDX-License-Identifier: Apache-2.0 */
#include "core/progress/progress.h"

#include <string.h>

#include "core/util/bytes.h"

#define MAGIC   0x4C44544Fu /* "OTDL" */
#define VERSION 1

/* The header. */
#define VERSION_OFF  4
#define PLACE_OFF    5
#define FILE_LEN_OFF 8
#define HEAD_LEN_OFF 12
#define SECTOR_OFF   16
#define BLOCK_OFF    20
#define URL_HASH_OFF 24
#define ETAG_OFF     56
#define CRC_OFF      188

#define WORD_BYTES   8
#define STRIDE_BYTES (WORD_BYTES * PROGRESS_LANES)

/* ---- The hash ---- */

static uint64_t get_word(const uint8_t *bytes)
{
    return bytes_get_u32(bytes) | (uint64_t)bytes_get_u32(bytes + 4) << 32;
}

static uint64_t mix(uint64_t hash, uint64_t word)
{
    hash = (hash ^ word) * 0x9E3779B97F4A7C15u;
    return hash ^ hash >> 32;
}

/* Of whole strides. The lanes do not wait for each other. */
static void mix_strides(uint64_t lane[PROGRESS_LANES], const uint8_t *bytes, size_t len)
{
    uint64_t hash[PROGRESS_LANES];
    memcpy(hash, lane, sizeof(hash));
    for (size_t i = 0; i < len; i += STRIDE_BYTES) {
        hash[0] = mix(hash[0], get_word(bytes + i));
        hash[1] = mix(hash[1], get_word(bytes + i + WORD_BYTES));
        hash[2] = mix(hash[2], get_word(bytes + i + 2 * WORD_BYTES));
        hash[3] = mix(hash[3], get_word(bytes + i + 3 * WORD_BYTES));
    }
    memcpy(lane, hash, sizeof(hash));
}

static uint64_t join(const uint64_t lane[PROGRESS_LANES])
{
    uint64_t hash = lane[0];
    for (int i = 1; i < PROGRESS_LANES; i++) {
        hash = mix(hash, lane[i]);
    }
    return hash;
}

static void hash_bytes(progress_walk_t *walk, const uint8_t *bytes, size_t len)
{
    for (; len > 0 && walk->at % STRIDE_BYTES != 0; len--, walk->at++) {
        walk->rest[walk->at % STRIDE_BYTES] = *bytes++;
        if (walk->at % STRIDE_BYTES == STRIDE_BYTES - 1) {
            mix_strides(walk->lane, walk->rest, STRIDE_BYTES);
        }
    }
    size_t whole = len - len % STRIDE_BYTES;
    mix_strides(walk->lane, bytes, whole);
    memcpy(walk->rest, bytes + whole, len - whole);
    walk->at += (uint32_t)len;
}

/* ---- The header ---- */

/* What RFC 9110 lets stand between the quotes. */
static bool is_etag_char(unsigned char c)
{
    return c > ' ' && c != '"' && c != 0x7F;
}

bool progress_is_strong(const char *etag)
{
    size_t len = strlen(etag);
    if (len < 2 || len >= PROGRESS_ETAG_BYTES || etag[0] != '"' || etag[len - 1] != '"') {
        return false;
    }
    for (size_t i = 1; i < len - 1; i++) {
        if (!is_etag_char((unsigned char)etag[i])) {
            return false;
        }
    }
    return true;
}

static bool is_unit(uint32_t program_bytes)
{
    return program_bytes != 0 && program_bytes <= PROGRESS_PLACE_BYTES && (program_bytes & (program_bytes - 1)) == 0;
}

/* Bytes of image that leave the slot's last sector free; 0: any would be too many. */
static uint32_t room_for_image(const progress_slot_t *slot)
{
    return slot->size_bytes > slot->sector_bytes ? slot->size_bytes - slot->sector_bytes : 0;
}

/* Bytes that the places of all blocks but the last take. */
static uint32_t places_len(const progress_record_t *record)
{
    uint32_t image_len = record->file_len - record->head_len;
    return (image_len - 1) / record->block_bytes * record->place_bytes;
}

bool progress_plan(progress_record_t *record, const progress_slot_t *slot)
{
    if (record->head_len >= record->file_len || record->file_len - record->head_len > room_for_image(slot) ||
        slot->sector_bytes <= PROGRESS_HEADER_BYTES || !is_unit(slot->program_bytes)) {
        return false;
    }
    uint32_t room = slot->sector_bytes - PROGRESS_HEADER_BYTES;
    record->sector_bytes = slot->sector_bytes;
    record->block_bytes = slot->sector_bytes;
    record->place_bytes = (uint8_t)(slot->program_bytes > WORD_BYTES ? slot->program_bytes : WORD_BYTES);
    while (places_len(record) > room && record->place_bytes > slot->program_bytes) {
        record->place_bytes /= 2;
    }
    while (places_len(record) > room) {
        record->block_bytes *= 2;
    }
    return true;
}

void progress_encode(const progress_record_t *record, uint8_t header[PROGRESS_HEADER_BYTES])
{
    memset(header, 0, PROGRESS_HEADER_BYTES);
    bytes_put_u32(header, MAGIC);
    header[VERSION_OFF] = VERSION;
    header[PLACE_OFF] = record->place_bytes;
    bytes_put_u32(header + FILE_LEN_OFF, record->file_len);
    bytes_put_u32(header + HEAD_LEN_OFF, record->head_len);
    bytes_put_u32(header + SECTOR_OFF, record->sector_bytes);
    bytes_put_u32(header + BLOCK_OFF, record->block_bytes);
    memcpy(header + URL_HASH_OFF, record->url_hash, sizeof(record->url_hash));
    memcpy(header + ETAG_OFF, record->etag, strlen(record->etag));
    bytes_put_u32(header + CRC_OFF, bytes_crc32(0, header, CRC_OFF));
}

bool progress_decode(progress_record_t *record, const uint8_t header[PROGRESS_HEADER_BYTES],
                     const progress_slot_t *slot)
{
    if (memchr(header + ETAG_OFF, '\0', PROGRESS_ETAG_BYTES) == NULL) {
        return false;
    }
    memset(record, 0, sizeof(*record));
    memcpy(record->etag, header + ETAG_OFF, PROGRESS_ETAG_BYTES);
    memcpy(record->url_hash, header + URL_HASH_OFF, sizeof(record->url_hash));
    record->file_len = bytes_get_u32(header + FILE_LEN_OFF);
    record->head_len = bytes_get_u32(header + HEAD_LEN_OFF);
    if (!progress_is_strong(record->etag) || !progress_plan(record, slot)) {
        return false;
    }
    /* All the rest, its checksum and its layout included, follows from these fields and the slot. */
    uint8_t expected[PROGRESS_HEADER_BYTES];
    progress_encode(record, expected);
    return memcmp(header, expected, sizeof(expected)) == 0;
}

/* ---- The check values ---- */

void progress_begin(progress_walk_t *walk, const progress_record_t *record, const uint8_t header[PROGRESS_HEADER_BYTES])
{
    *walk = (progress_walk_t){
        .image_len = record->file_len - record->head_len,
        .block_bytes = record->block_bytes,
        .place_bytes = record->place_bytes,
    };
    mix_strides(walk->lane, header, PROGRESS_HEADER_BYTES);
}

bool progress_take(progress_walk_t *walk, const uint8_t *bytes, size_t len, size_t *took)
{
    uint32_t image_left = walk->image_len - walk->at;
    if (image_left == 0) {
        *took = len;
        return false;
    }
    uint32_t left = walk->block_bytes - walk->at % walk->block_bytes;
    left = left < image_left ? left : image_left;
    *took = len < left ? len : left;
    hash_bytes(walk, bytes, *took);
    return walk->at % walk->block_bytes == 0 && walk->at < walk->image_len;
}

uint32_t progress_place(const progress_walk_t *walk, uint8_t place[PROGRESS_PLACE_BYTES])
{
    uint64_t hash = join(walk->lane);
    memset(place, 0xFF, walk->place_bytes);
    for (uint32_t i = 0; i < walk->place_bytes && i < WORD_BYTES; i++) {
        place[i] = (uint8_t)(hash >> 8 * i);
    }
    /* All FF is what was never written. */
    if (bytes_all(place, walk->place_bytes, 0xFF)) {
        place[0] = 0xFE;
    }
    return PROGRESS_HEADER_BYTES + (walk->at / walk->block_bytes - 1) * walk->place_bytes;
}

bool progress_can_program(const uint8_t *old, const uint8_t *wanted, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if ((wanted[i] & ~old[i]) != 0) {
            return false;
        }
    }
    return true;
}
