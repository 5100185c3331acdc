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

static esp_err_t nor_program(otter_flash_t *flash, uint32_t off, const void *src, size_t len)
{
    otter_flash_nor_t *nor = self(flash);
    esp_err_t err = check_program(nor, off, src, len);
    return err == ESP_OK ? nor->inner->ops->program(nor->inner, off, src, len) : err;
}

static esp_err_t nor_erase(otter_flash_t *flash, uint32_t off, size_t len)
{
    if (off % flash->sector_bytes != 0 || len % flash->sector_bytes != 0) {
        return ESP_ERR_FLASH_OP_FAIL;
    }
    otter_flash_t *inner = self(flash)->inner;
    return inner->ops->erase(inner, off, len);
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

otter_flash_t *otter_flash_nor_init(otter_flash_nor_t *nor, otter_flash_t *inner)
{
    *nor = (otter_flash_nor_t){.base = *inner, .inner = inner};
    nor->base.ops = &nor_ops;
    return &nor->base;
}
