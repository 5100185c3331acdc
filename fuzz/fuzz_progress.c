/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The record of a download in the tail of a slot, whose last sector and whose contents may be anything. What is found of it
 * hashes to what the record says, byte by byte; a download that goes on from there breaks no rule of NOR, writes nothing
 * outside of its places, and is found again.
 *
 * Input: u8 flags; u8 program unit; u32 length of the file; u16 of its head; u16 bytes that are downloaded first; u8 largest
 * piece; text, the ETag, up to NUL; then changes of the slot: u16 offset (from its end), u8 length, so many bytes.
 */
#include "fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "core/util/bytes.h"
#include "device/https_ota/https_ota_progress.h"
#include "esp_log.h"
#include "otter/otter_device.h"
#include "otter/otter_flash_nor.h"
#include "otter/otter_flash_ram.h"

#define URL         "https://updates.example/fw.bin"
#define SECTOR      4096u
#define SLOT_BYTES  (8 * SECTOR)
#define RECORD_OFF  (SLOT_BYTES - SECTOR)
#define CHANGES_MAX 64

enum flags {
    SEAL = 1,       /* The header's checksum is made right. */
    REAL_SIZE = 2,  /* The length of the file is taken modulo the slot. */
    CHANGE_URL = 4, /* The header's URL is not made right. */
};

typedef struct rig {
    uint8_t bytes[SLOT_BYTES];
    uint8_t image[SLOT_BYTES];
    otter_flash_ram_t ram;
    otter_flash_nor_t nor;
    esp_partition_t slot;
    https_ota_progress_t progress;
    uint32_t file_len;
    uint32_t head_len;
    uint32_t piece;
} rig_t;

static void make_rig(rig_t *rig, uint32_t program_bytes)
{
    memset(rig->bytes, 0xFF, sizeof(rig->bytes));
    for (uint32_t i = 0; i < SLOT_BYTES; i++) {
        rig->image[i] = (uint8_t)(i * 7 + i / 251);
    }
    otter_flash_t *ram = otter_flash_ram_init(&rig->ram, rig->bytes, SLOT_BYTES, SECTOR);
    ram->program_bytes = program_bytes;
    otter_device_t device = {.flash = otter_flash_nor_init(&rig->nor, ram), .running_address = OTTER_NOT_RUNNING};
    otter_config_default(&device.config);
    device.config.log_level = ESP_LOG_NONE;
    FUZZ_CHECK(otter_device_init(&device) == ESP_OK);
    rig->slot =
        (esp_partition_t){.type = ESP_PARTITION_TYPE_APP, .size = SLOT_BYTES, .erase_size = SECTOR, .label = "ota_1"};
}

/* Downloads from an offset up to another one. */
static void download(rig_t *rig, uint32_t from, uint32_t to)
{
    for (uint32_t at = from, len = 0; at < to; at += len) {
        len = to - at < rig->piece ? to - at : rig->piece;
        for (uint32_t i = at; i < at + len; i++) {
            if (i % SECTOR == 0) {
                FUZZ_CHECK(esp_partition_erase_range(&rig->slot, i, SECTOR) == ESP_OK);
            }
        }
        FUZZ_CHECK(esp_partition_write(&rig->slot, at, rig->image + at, len) == ESP_OK);
        https_ota_progress_note(&rig->progress, rig->image + at, len);
    }
}

static uint64_t step(uint64_t hash, uint64_t word)
{
    hash = (hash ^ word) * 0x9E3779B97F4A7C15u;
    return hash ^ hash >> 32;
}

static void mix(uint64_t hash[4], const uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i < len; i += 8) {
        uint64_t word = bytes_get_u32(bytes + i) | (uint64_t)bytes_get_u32(bytes + i + 4) << 32;
        hash[i / 8 % 4] = step(hash[i / 8 % 4], word);
    }
}

/* The check value of each block that was found lies in the record. */
static void check_proved(const rig_t *rig, uint32_t image_len)
{
    const uint8_t *record = rig->bytes + RECORD_OFF;
    uint32_t block = bytes_get_u32(record + 20);
    uint32_t place_bytes = record[5];
    uint64_t hash[4] = {0};
    mix(hash, record, PROGRESS_HEADER_BYTES);
    FUZZ_CHECK(block >= SECTOR && image_len % block == 0);
    for (uint32_t i = 0; i < image_len / block; i++) {
        const uint8_t *place = record + PROGRESS_HEADER_BYTES + (size_t)i * place_bytes;
        FUZZ_CHECK(place + place_bytes <= record + SECTOR);
        mix(hash, rig->bytes + (size_t)i * block, block);
        uint8_t value = (uint8_t)step(step(step(hash[0], hash[1]), hash[2]), hash[3]);
        FUZZ_CHECK(place[0] == value || value == 0xFF);
    }
}

static void check_found(const rig_t *rig, const https_ota_found_t *found)
{
    FUZZ_CHECK(found->image_len > 0 && found->image_len % SECTOR == 0);
    FUZZ_CHECK(found->file_len > found->head_len && found->file_len - found->head_len <= RECORD_OFF);
    FUZZ_CHECK(found->image_len < found->file_len - found->head_len);
    FUZZ_CHECK(memchr(found->etag, '\0', sizeof(found->etag)) != NULL && progress_is_strong(found->etag));
    FUZZ_CHECK(strpbrk(found->etag, "\r\n") == NULL);
    check_proved(rig, found->image_len);
}

static void take_changes(rig_t *rig, fuzz_input_t *input)
{
    for (int i = 0; i < CHANGES_MAX && input->left > 0; i++) {
        uint32_t off = SLOT_BYTES - 1 - fuzz_take_u16(input) % SLOT_BYTES;
        size_t len = fuzz_take_u8(input);
        fuzz_take_bytes(input, rig->bytes + off, len < SLOT_BYTES - off ? len : SLOT_BYTES - off);
    }
}

static void seal(rig_t *rig, const uint8_t url_hash[OTTER_SHA256_BYTES], uint8_t flags)
{
    uint8_t *record = rig->bytes + RECORD_OFF;
    if ((flags & CHANGE_URL) == 0) {
        memcpy(record + 24, url_hash, OTTER_SHA256_BYTES);
    }
    if ((flags & SEAL) != 0) {
        bytes_put_u32(record + 188, bytes_crc32(0, record, 188));
    }
}

/* From what was found to the end of the image: all of it is found then, unless a place was used up. */
static void go_on(rig_t *rig, const https_ota_found_t *found)
{
    https_ota_found_t again;
    uint32_t image_len = (uint32_t)found->file_len - found->head_len;
    https_ota_progress_resume(&rig->progress);
    FUZZ_CHECK(rig->progress.noting);
    download(rig, found->image_len, image_len);
    bool noted = rig->progress.noting;
    FUZZ_CHECK(https_ota_progress_find(&rig->progress, &rig->slot, URL, &again));
    check_found(rig, &again);
    uint32_t block = rig->progress.walk.block_bytes;
    FUZZ_CHECK(again.image_len >= found->image_len);
    FUZZ_CHECK(!noted || again.image_len == (image_len - 1) / block * block);
    https_ota_progress_drop(&rig->progress);
    FUZZ_CHECK(!https_ota_progress_find(&rig->progress, &rig->slot, URL, &again));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static rig_t rig;
    fuzz_input_t input = {data, size};
    uint8_t flags = fuzz_take_u8(&input);
    memset(&rig.progress, 0, sizeof(rig.progress));
    make_rig(&rig, 1u << fuzz_take_u8(&input) % 7);
    rig.file_len = fuzz_take_u32(&input);
    rig.head_len = fuzz_take_u16(&input);
    rig.file_len = (flags & REAL_SIZE) != 0 ? rig.file_len % SLOT_BYTES + rig.head_len : rig.file_len;
    uint32_t first = fuzz_take_u16(&input) % RECORD_OFF;
    rig.piece = 1u + 64u * fuzz_take_u8(&input);
    char *etag = fuzz_take_text(&input, '\0');
    https_ota_progress_start(&rig.progress, &rig.slot, &(https_ota_identity_t){URL, etag, rig.file_len, rig.head_len});
    free(etag);
    download(&rig, 0, first);
    uint8_t url_hash[OTTER_SHA256_BYTES];
    fuzz_sha256((const uint8_t *)URL, strlen(URL), url_hash);
    take_changes(&rig, &input);
    seal(&rig, url_hash, flags);
    https_ota_found_t found;
    if (https_ota_progress_find(&rig.progress, &rig.slot, URL, &found)) {
        check_found(&rig, &found);
        go_on(&rig, &found);
    }
    FUZZ_CHECK(rig.nor.violations == 0);
    return 0;
}
