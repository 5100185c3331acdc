/* SPDX-License-Identifier: Apache-2.0 */
#include "otter/otter_flash_nor.h"

#include <string.h>

/* Contents are compared in pieces of this size. */
#define PIECE_BYTES 4096u

static otter_flash_nor_t *self(otter_flash_t *flash)
{
    return (otter_flash_nor_t *)(void *)flash;
}

static bool is_erased(const uint8_t *now, size_t len)
{
    return now[0] == 0xFF && memcmp(now, now + 1, len - 1) == 0;
}

/* Index of the first byte in which a bit would change from 0 to 1, or len. */
static size_t first_set_bit(const uint8_t *now, const uint8_t *wanted, size_t len)
{
    if (is_erased(now, len)) {
        return len;
    }
    size_t i = 0;
    while (i < len && (now[i] & wanted[i]) == wanted[i]) {
        i++;
    }
    return i;
}

/* Checks the whole range before any of it is written, so that a refused program changes nothing. */
static esp_err_t check_program(otter_flash_nor_t *nor, uint32_t off, const uint8_t *wanted, size_t len)
{
    uint8_t now[PIECE_BYTES];
    for (size_t done = 0; done < len;) {
        size_t piece = len - done < sizeof(now) ? len - done : sizeof(now);
        esp_err_t err = nor->inner->ops->read(nor->inner, off + (uint32_t)done, now, piece);
        if (err != ESP_OK) {
            return err;
        }
        size_t bad = first_set_bit(now, wanted + done, piece);
        if (bad < piece) {
            nor->violations++;
            nor->violation_off = off + (uint32_t)(done + bad);
            return ESP_ERR_FLASH_OP_FAIL;
        }
        done += piece;
    }
    return ESP_OK;
}

static esp_err_t nor_read(otter_flash_t *flash, uint32_t off, void *dst, size_t len)
{
    otter_flash_t *inner = self(flash)->inner;
    return inner->ops->read(inner, off, dst, len);
}

/* True if all of the range was erased last. Then there is nothing to look at: every other program or erase came through here. */
static bool is_known_blank(const otter_flash_nor_t *nor, uint32_t off, size_t len)
{
    return off >= nor->blank_off && off - nor->blank_off <= nor->blank_len &&
           len <= nor->blank_len - (off - nor->blank_off);
}

/* What lies before the range is forgotten, too: writes go upwards. */
static void forget_blank(otter_flash_nor_t *nor, uint32_t off, size_t len)
{
    uint64_t end = (uint64_t)off + len;
    uint64_t blank_end = (uint64_t)nor->blank_off + nor->blank_len;
    if (off >= blank_end || end <= nor->blank_off) {
        return;
    }
    nor->blank_len = end < blank_end ? (uint32_t)(blank_end - end) : 0;
    nor->blank_off = (uint32_t)end;
}

static esp_err_t nor_program(otter_flash_t *flash, uint32_t off, const void *src, size_t len)
{
    otter_flash_nor_t *nor = self(flash);
    esp_err_t err = is_known_blank(nor, off, len) ? ESP_OK : check_program(nor, off, src, len);
    if (err != ESP_OK) {
        return err;
    }
    forget_blank(nor, off, len);
    return nor->inner->ops->program(nor->inner, off, src, len);
}

static esp_err_t nor_erase(otter_flash_t *flash, uint32_t off, size_t len)
{
    if (off % flash->sector_bytes != 0 || len % flash->sector_bytes != 0) {
        return ESP_ERR_FLASH_OP_FAIL;
    }
    otter_flash_nor_t *nor = self(flash);
    esp_err_t err = nor->inner->ops->erase(nor->inner, off, len);
    bool goes_on = (uint64_t)nor->blank_off + nor->blank_len == off && nor->blank_len > 0;
    nor->blank_off = goes_on ? nor->blank_off : off;
    nor->blank_len = goes_on ? nor->blank_len + (uint32_t)len : (uint32_t)len;
    if (err != ESP_OK) {
        nor->blank_len = 0;
    }
    return err;
}

/* What is erased first breaks no rule. */
static esp_err_t nor_rewrite(otter_flash_t *flash, uint32_t off, const void *src, size_t len)
{
    otter_flash_nor_t *nor = self(flash);
    size_t partly = len % flash->sector_bytes;
    esp_err_t err = nor->inner->ops->rewrite(nor->inner, off, src, len);
    nor->blank_off = off + (uint32_t)len;
    nor->blank_len = err == ESP_OK && partly != 0 ? flash->sector_bytes - (uint32_t)partly : 0;
    return err;
}

static esp_err_t nor_sync(otter_flash_t *flash)
{
    otter_flash_t *inner = self(flash)->inner;
    return inner->ops->sync(inner);
}

static const otter_flash_ops_t nor_ops = {
    .read = nor_read,
    .program = nor_program,
    .erase = nor_erase,
    .sync = nor_sync,
};

static const otter_flash_ops_t rewriting_ops = {
    .read = nor_read,
    .program = nor_program,
    .erase = nor_erase,
    .sync = nor_sync,
    .rewrite = nor_rewrite,
};

otter_flash_t *otter_flash_nor_init(otter_flash_nor_t *nor, otter_flash_t *inner)
{
    *nor = (otter_flash_nor_t){.base = *inner, .inner = inner};
    nor->base.ops = inner->ops->rewrite != NULL ? &rewriting_ops : &nor_ops;
    return &nor->base;
}
