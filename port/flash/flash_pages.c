/* SPDX-License-Identifier: Apache-2.0 */
#include "otter/otter_flash_pages.h"

#include <stdbool.h>
#include <string.h>

#define PAGE OTTER_FLASH_PAGE_BYTES

static otter_flash_pages_t *self(otter_flash_t *flash)
{
    return (otter_flash_pages_t *)(void *)flash;
}

static void copy_page(uint8_t *to, const uint8_t *from, uint32_t page)
{
    memcpy(to + (size_t)page * PAGE, from + (size_t)page * PAGE, PAGE);
}

static bool last_changed(const otter_flash_pages_t *pages, uint32_t page)
{
    return pages->last_len > 0 && page >= pages->last_off / PAGE &&
           page <= (pages->last_off + pages->last_len - 1) / PAGE;
}

/* What a page is after the cut. */
static const uint8_t *survivor(otter_flash_pages_t *pages, uint32_t page)
{
    const otter_flash_pages_memory_t *memory = &pages->memory;
    switch (pages->power->cut) {
    case OTTER_CUT_LOST:
        return memory->synced;
    case OTTER_CUT_NEWEST:
        return last_changed(pages, page) ? memory->bytes : memory->synced;
    case OTTER_CUT_OLDER:
        return last_changed(pages, page) ? memory->synced : memory->bytes;
    case OTTER_CUT_ANY:
        /* One of the versions since, or the one before them: all alike likely. */
        return otter_power_draw(pages->power) % (memory->changes[page] + 1) == 0 ? memory->synced : memory->version;
    default:
        return memory->bytes;
    }
}

static void lose_pages(otter_flash_pages_t *pages)
{
    for (uint32_t page = 0; page < pages->base.size_bytes / PAGE; page++) {
        if (pages->memory.changes[page] > 0) {
            const uint8_t *left = survivor(pages, page);
            if (left != pages->memory.bytes) {
                copy_page(pages->memory.bytes, left, page);
            }
        }
    }
}

/* Every version is kept with the same chance, without keeping them all: the n-th replaces the one kept with a chance of 1/n. */
static void note_change(otter_flash_pages_t *pages, uint32_t off, uint32_t len)
{
    pages->last_off = off;
    pages->last_len = len;
    for (uint32_t page = off / PAGE; len > 0 && page <= (off + len - 1) / PAGE; page++) {
        uint32_t count = ++pages->memory.changes[page];
        if (otter_power_draw(pages->power) % count == 0) {
            copy_page(pages->memory.version, pages->memory.bytes, page);
        }
    }
}

static void cut(otter_flash_pages_t *pages)
{
    lose_pages(pages);
    otter_power_off(pages->power);
}

static esp_err_t pages_read(otter_flash_t *flash, uint32_t off, void *dst, size_t len)
{
    memcpy(dst, self(flash)->memory.bytes + off, len);
    return ESP_OK;
}

/* Bytes, or FF. */
static esp_err_t change(otter_flash_pages_t *pages, uint32_t off, const uint8_t *src, uint32_t len)
{
    otter_power_verdict_t verdict = otter_power_begin(pages->power);
    if (verdict == OTTER_POWER_FAIL) {
        return ESP_ERR_FLASH_OP_FAIL;
    }
    if (src != NULL) {
        memcpy(pages->memory.bytes + off, src, len);
    } else {
        memset(pages->memory.bytes + off, 0xFF, len);
    }
    note_change(pages, off, len);
    if (verdict == OTTER_POWER_CUT) {
        cut(pages);
    }
    return ESP_OK;
}

static esp_err_t pages_program(otter_flash_t *flash, uint32_t off, const void *src, size_t len)
{
    return change(self(flash), off, src, (uint32_t)len);
}

static esp_err_t pages_erase(otter_flash_t *flash, uint32_t off, size_t len)
{
    esp_err_t err = ESP_OK;
    for (uint32_t at = off; at < off + len && err == ESP_OK; at += flash->sector_bytes) {
        self(flash)->memory.erases[at / flash->sector_bytes]++;
        err = change(self(flash), at, NULL, flash->sector_bytes);
    }
    return err;
}

static bool is_dropped(const otter_flash_pages_t *pages)
{
    return pages->last_off >= pages->drop.from && pages->last_off < pages->drop.to;
}

static esp_err_t pages_sync(otter_flash_t *flash)
{
    otter_flash_pages_t *pages = self(flash);
    otter_power_verdict_t verdict = otter_power_begin(pages->power);
    if (verdict == OTTER_POWER_CUT) {
        cut(pages);
    }
    if (verdict == OTTER_POWER_FAIL) {
        return ESP_ERR_FLASH_OP_FAIL;
    }
    if (is_dropped(pages)) {
        pages->dropped++;
        return ESP_OK;
    }
    for (uint32_t page = 0; page < flash->size_bytes / PAGE; page++) {
        if (pages->memory.changes[page] > 0) {
            copy_page(pages->memory.synced, pages->memory.bytes, page);
            pages->memory.changes[page] = 0;
        }
    }
    return ESP_OK;
}

static const otter_flash_ops_t pages_ops = {
    .read = pages_read,
    .program = pages_program,
    .erase = pages_erase,
    .sync = pages_sync,
};

otter_flash_t *otter_flash_pages_init(otter_flash_pages_t *pages, const otter_flash_pages_memory_t *memory,
                                      const otter_flash_t *geometry, otter_power_t *power)
{
    *pages = (otter_flash_pages_t){.base = *geometry, .memory = *memory, .power = power};
    pages->base.ops = &pages_ops;
    memcpy(memory->synced, memory->bytes, geometry->size_bytes);
    memset(memory->changes, 0, geometry->size_bytes / PAGE * sizeof(memory->changes[0]));
    return &pages->base;
}
