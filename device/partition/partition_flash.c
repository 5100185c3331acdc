/* SPDX-License-Identifier: Apache-2.0 */
/* Locked access to the device's flash, and the watch over it. */
#include <stdlib.h>
#include <string.h>

#include "device/partition/partition_state.h"
#include "otter/otter_device.h"

#define ERASE_STEP_BYTES  (64u << 10)
#define BUFFER_BYTES_MAX  (64u << 10)
#define BUFFER_BYTES_MIN  (1u << 10)
#define PROGRAM_BYTES_MAX 64

struct esp_flash_t {
    uint8_t unused;
};

static esp_flash_t default_chip;
esp_flash_t *esp_flash_default_chip = &default_chip;

static otter_flash_t *device_flash(void)
{
    const otter_device_t *device = otter_device_get();
    return device != NULL ? device->flash : NULL;
}

esp_err_t esp_flash_get_size(esp_flash_t *chip, uint32_t *out_size)
{
    if (out_size == NULL || (chip != NULL && chip != &default_chip)) {
        return ESP_ERR_INVALID_ARG;
    }
    const otter_flash_t *flash = device_flash();
    if (flash == NULL) {
        return ESP_ERR_INVALID_STATE;
    }
    *out_size = flash->size_bytes;
    return ESP_OK;
}

uint32_t esp_partition_get_main_flash_sector_size(void)
{
    const otter_flash_t *flash = device_flash();
    return flash != NULL ? flash->sector_bytes : 0;
}

static void notice_change(uint32_t off, size_t len)
{
    if (partition_ranges_overlap(off, len, partition_state.watch_address, partition_state.watch_size)) {
        partition_state.watch_holds = false;
    }
}

esp_err_t partition_flash_read(uint32_t off, void *dst, size_t len)
{
    otter_flash_t *flash = device_flash();
    if (flash == NULL) {
        return ESP_ERR_INVALID_STATE;
    }
    otter_mutex_lock(&partition_state.flash_lock);
    esp_err_t err = otter_flash_read(flash, off, dst, len);
    otter_mutex_unlock(&partition_state.flash_lock);
    return err;
}

/* Programs a piece of one program unit: the rest of the unit is programmed as it is, which changes nothing. */
static esp_err_t program_part(otter_flash_t *flash, uint32_t off, const uint8_t *src, size_t len)
{
    uint8_t unit[PROGRAM_BYTES_MAX];
    uint32_t within = off % flash->program_bytes;
    esp_err_t err = otter_flash_read(flash, off - within, unit, flash->program_bytes);
    if (err != ESP_OK) {
        return err;
    }
    memcpy(unit + within, src, len);
    return otter_flash_program(flash, off - within, unit, flash->program_bytes);
}

/* Bytes from @p off on that can be programmed in one go. */
static size_t program_step(const otter_flash_t *flash, uint32_t off, size_t len)
{
    size_t within = off % flash->program_bytes;
    if (within == 0 && len >= flash->program_bytes) {
        return len - len % flash->program_bytes;
    }
    size_t left = flash->program_bytes - within;
    return len < left ? len : left;
}

static esp_err_t program_all(otter_flash_t *flash, uint32_t off, const uint8_t *src, size_t len)
{
    if (flash->program_bytes <= 1) {
        return otter_flash_program(flash, off, src, len);
    }
    if (flash->program_bytes > PROGRAM_BYTES_MAX) {
        return ESP_ERR_NOT_SUPPORTED;
    }
    esp_err_t err = ESP_OK;
    while (len > 0 && err == ESP_OK) {
        size_t step = program_step(flash, off, len);
        bool whole = step % flash->program_bytes == 0;
        err = whole ? otter_flash_program(flash, off, src, step) : program_part(flash, off, src, step);
        off += (uint32_t)step;
        src += step;
        len -= step;
    }
    return err;
}

esp_err_t partition_flash_program(uint32_t off, const void *src, size_t len)
{
    otter_flash_t *flash = device_flash();
    if (flash == NULL) {
        return ESP_ERR_INVALID_STATE;
    }
    if (!otter_flash_contains(flash, off, len)) {
        return ESP_ERR_INVALID_SIZE;
    }
    otter_mutex_lock(&partition_state.flash_lock);
    notice_change(off, len);
    esp_err_t err = program_all(flash, off, src, len);
    otter_mutex_unlock(&partition_state.flash_lock);
    return err;
}

esp_err_t partition_flash_erase(uint32_t off, size_t len)
{
    otter_flash_t *flash = device_flash();
    if (flash == NULL) {
        return ESP_ERR_INVALID_STATE;
    }
    if (!otter_flash_contains(flash, off, len)) {
        return ESP_ERR_INVALID_SIZE;
    }
    size_t step = flash->sector_bytes > ERASE_STEP_BYTES ? flash->sector_bytes : ERASE_STEP_BYTES;
    esp_err_t err = ESP_OK;
    while (len > 0 && err == ESP_OK) {
        size_t part = len < step ? len : step;
        otter_mutex_lock(&partition_state.flash_lock);
        notice_change(off, part);
        err = otter_flash_erase(flash, off, part);
        otter_mutex_unlock(&partition_state.flash_lock);
        off += (uint32_t)part;
        len -= part;
    }
    return err;
}

bool partition_flash_can_rewrite(void)
{
    const otter_flash_t *flash = device_flash();
    return flash != NULL && flash->ops->rewrite != NULL;
}

static esp_err_t rewrite_step(otter_flash_t *flash, uint32_t off, const uint8_t *src, size_t len)
{
    size_t sectors = (len + flash->sector_bytes - 1) / flash->sector_bytes;
    otter_mutex_lock(&partition_state.flash_lock);
    notice_change(off, sectors * flash->sector_bytes);
    esp_err_t err = flash->ops->rewrite(flash, off, src, len);
    otter_mutex_unlock(&partition_state.flash_lock);
    return err;
}

esp_err_t partition_flash_rewrite(uint32_t off, const void *src, size_t len)
{
    otter_flash_t *flash = device_flash();
    if (!partition_flash_can_rewrite()) {
        return ESP_ERR_NOT_SUPPORTED;
    }
    if (!otter_flash_contains(flash, off, len)) {
        return ESP_ERR_INVALID_SIZE;
    }
    if (off % flash->sector_bytes != 0) {
        return ESP_ERR_INVALID_ARG;
    }
    size_t step = flash->sector_bytes > ERASE_STEP_BYTES ? flash->sector_bytes : ERASE_STEP_BYTES;
    const uint8_t *at = src;
    esp_err_t err = ESP_OK;
    while (len > 0 && err == ESP_OK) {
        size_t part = len < step ? len : step;
        err = rewrite_step(flash, off, at, part);
        at += part;
        off += (uint32_t)part;
        len -= part;
    }
    return err;
}

esp_err_t partition_flash_sync(void)
{
    otter_flash_t *flash = device_flash();
    if (flash == NULL) {
        return ESP_ERR_INVALID_STATE;
    }
    otter_mutex_lock(&partition_state.flash_lock);
    esp_err_t err = otter_flash_sync(flash);
    otter_mutex_unlock(&partition_state.flash_lock);
    return err;
}

partition_watch_t partition_watch(uint32_t address, uint32_t size)
{
    otter_mutex_lock(&partition_state.flash_lock);
    partition_watch_t watch = ++partition_state.watch;
    partition_state.watch_holds = true;
    partition_state.watch_address = address;
    partition_state.watch_size = size;
    otter_mutex_unlock(&partition_state.flash_lock);
    return watch;
}

bool partition_watch_holds(partition_watch_t watch)
{
    otter_mutex_lock(&partition_state.flash_lock);
    bool holds = watch != 0 && watch == partition_state.watch && partition_state.watch_holds;
    otter_mutex_unlock(&partition_state.flash_lock);
    return holds;
}

uint8_t *partition_alloc_buffer(size_t *len)
{
    for (*len = BUFFER_BYTES_MAX; *len >= BUFFER_BYTES_MIN; *len /= 2) {
        uint8_t *buffer = malloc(*len);
        if (buffer != NULL) {
            return buffer;
        }
    }
    return NULL;
}
