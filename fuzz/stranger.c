/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz/stranger.h"

#include <stdlib.h>
#include <string.h>

#include "core/bootsel/bootsel.h"
#include "core/ptable/ptable.h"
#include "fuzz/fix.h"
#include "fuzz/sign.h"

#define CHANGES_MAX 256
#define APP_PLACES  3
#define APP_BYTES   0x10000u

static void take_at(stranger_t *stranger, fuzz_input_t *input, uint32_t off, size_t len)
{
    off %= STRANGER_BYTES;
    size_t room = STRANGER_BYTES - off;
    fuzz_take_bytes(input, stranger->bytes + off, len < room ? len : room);
}

static uint8_t *app_at(const stranger_t *stranger, fuzz_input_t *input)
{
    return stranger->bytes + STRANGER_APP + fuzz_take_u8(input) % APP_PLACES * APP_BYTES;
}

static uint32_t record_off(fuzz_input_t *input)
{
    return STRANGER_OTADATA + (fuzz_take_u8(input) & 1u) * STRANGER_SECTOR;
}

static void put_record(const stranger_t *stranger, fuzz_input_t *input)
{
    uint32_t off = record_off(input);
    uint32_t seq = fuzz_take_u32(input);
    uint8_t state = fuzz_take_u8(input);
    otadata_encode(stranger->bytes + off, seq, state == 0xFF ? UINT32_MAX : state);
}

/* What a switch leaves in the usual otadata if the power goes after some operations. */
static void switch_cut(const stranger_t *stranger, fuzz_input_t *input)
{
    uint8_t *otadata = stranger->bytes + STRANGER_OTADATA;
    bootsel_input_t now = {.has_otadata = true, .slot_count = 2, .present = 3 | BOOTSEL_SET_FACTORY, .rollback = true};
    bootsel_plan_t plan;
    int running = fuzz_take_u8(input) % 5 - 3;
    int target = fuzz_take_u8(input) % 5 - 3;
    for (uint32_t i = 0; i < OTADATA_SECTORS; i++) {
        memcpy(now.area[i], otadata + i * STRANGER_SECTOR, BOOTSEL_AREA_BYTES);
    }
    (void)bootsel_switch(&now, running, target, &plan);
    uint32_t done = fuzz_take_u8(input);
    plan.count = done < plan.count ? done : plan.count;
    bootsel_apply(&now, &plan);
    for (uint32_t i = 0; i < OTADATA_SECTORS; i++) {
        memcpy(otadata + i * STRANGER_SECTOR, now.area[i], BOOTSEL_AREA_BYTES);
    }
}

static void change_app(const stranger_t *stranger, fuzz_input_t *input)
{
    uint8_t *app = app_at(stranger, input);
    uint32_t off = fuzz_take_u16(input);
    size_t len = fuzz_take_u8(input);
    fuzz_take_bytes(input, app + off, len < APP_BYTES - off ? len : APP_BYTES - off);
}

static void put_good_app(const stranger_t *stranger, fuzz_input_t *input, uint16_t chip_id)
{
    uint8_t app[FUZZ_APP_MAX];
    uint8_t *dst = app_at(stranger, input);
    size_t len = fuzz_make_app(app, chip_id, fuzz_take_u8(input));
    memcpy(dst, app, len);
}

static void put_signed_app(const stranger_t *stranger, fuzz_input_t *input, uint16_t chip_id)
{
    uint8_t *dst = app_at(stranger, input);
    uint8_t version = fuzz_take_u8(input);
    memcpy(dst, fuzz_signed_app(chip_id, version, fuzz_take_u8(input) % FUZZ_KEYS), FUZZ_SIGNED_MAX);
}

static void change(stranger_t *stranger, fuzz_input_t *input, uint16_t chip_id)
{
    uint8_t *table = stranger->bytes + STRANGER_TABLE;
    uint32_t off = 0;
    switch (fuzz_take_u8(input) % STRANGER_CHANGES) {
    case STRANGER_RAW:
        off = fuzz_take_u32(input);
        take_at(stranger, input, off, fuzz_take_u8(input));
        break;
    case STRANGER_ENTRY:
        fuzz_take_bytes(input, table + fuzz_take_u8(input) % PTABLE_MAX_PARTITIONS * 32u, 32);
        break;
    case STRANGER_FIX_TABLE:
        fuzz_fix_table(table, PTABLE_BYTES);
        break;
    case STRANGER_RECORD:
        put_record(stranger, input);
        break;
    case STRANGER_TORN:
        take_at(stranger, input, record_off(input), OTADATA_RECORD_BYTES);
        break;
    case STRANGER_APP_GOOD:
        put_good_app(stranger, input, chip_id);
        break;
    case STRANGER_APP_BYTES:
        change_app(stranger, input);
        break;
    case STRANGER_APP_SIGNED:
        put_signed_app(stranger, input, chip_id);
        break;
    case STRANGER_SWITCH:
        switch_cut(stranger, input);
        break;
    default:
        (void)fuzz_fix_image(app_at(stranger, input), APP_BYTES);
        break;
    }
}

static void put_usual_table(const stranger_t *stranger)
{
    static const ptable_t usual = {
        .count = 5,
        .partition = {{1, 2, 0x9000, 0x4000, 0, "nvs"},
                      {1, 0, STRANGER_OTADATA, 2 * STRANGER_SECTOR, 0, "otadata"},
                      {0, 0, STRANGER_APP, APP_BYTES, 0, "factory"},
                      {0, 0x10, STRANGER_APP + APP_BYTES, APP_BYTES, 0, "ota_0"},
                      {0, 0x11, STRANGER_APP + 2 * APP_BYTES, APP_BYTES, 0, "ota_1"}},
    };
    FUZZ_CHECK(ptable_build(&usual, true, stranger->bytes + STRANGER_TABLE) == PTABLE_OK);
}

void stranger_make(stranger_t *stranger, fuzz_input_t *input, uint16_t chip_id)
{
    stranger->bytes = malloc(STRANGER_BYTES);
    FUZZ_CHECK(stranger->bytes != NULL);
    memset(stranger->bytes, 0xFF, STRANGER_BYTES);
    put_usual_table(stranger);
    for (int i = 0; i < CHANGES_MAX && input->left > 0; i++) {
        change(stranger, input, chip_id);
    }
    otter_flash_t *ram = otter_flash_ram_init(&stranger->ram, stranger->bytes, STRANGER_BYTES, STRANGER_SECTOR);
    stranger->flash = otter_flash_nor_init(&stranger->nor, ram);
}

void stranger_free(stranger_t *stranger)
{
    FUZZ_CHECK(stranger->nor.violations == 0);
    free(stranger->bytes);
}
