/* SPDX-License-Identifier: Apache-2.0 */
#include "otter/otter_flash_ram.h"

#include <string.h>

static otter_flash_ram_t *self(otter_flash_t *flash)
{
    return (otter_flash_ram_t *)(void *)flash;
}

static esp_err_t ram_read(otter_flash_t *flash, uint32_t off, void *dst, size_t len)
{
    memcpy(dst, self(flash)->bytes + off, len);
    return ESP_OK;
}

static esp_err_t ram_program(otter_flash_t *flash, uint32_t off, const void *src, size_t len)
{
    memcpy(self(flash)->bytes + off, src, len);
    return ESP_OK;
}

static esp_err_t ram_erase(otter_flash_t *flash, uint32_t off, size_t len)
{
    memset(self(flash)->bytes + off, 0xFF, len);
    return ESP_OK;
}

static esp_err_t ram_sync(otter_flash_t *flash)
{
    (void)flash;
    return ESP_OK;
}

static const otter_flash_ops_t ram_ops = {
    .read = ram_read,
    .program = ram_program,
    .erase = ram_erase,
    .sync = ram_sync,
};

otter_flash_t *otter_flash_ram_init(otter_flash_ram_t *ram, uint8_t *bytes, uint32_t size_bytes, uint32_t sector_bytes)
{
    *ram = (otter_flash_ram_t){
        .base = {.ops = &ram_ops, .size_bytes = size_bytes, .sector_bytes = sector_bytes, .program_bytes = 1},
        .bytes = bytes,
    };
    return &ram->base;
}
