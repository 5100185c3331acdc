/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file otter_flash.h
 * @brief Porting contract: a flash chip.
 *
 * A flash is an ops table and a geometry. A concrete flash embeds otter_flash_t as its first
 * member. NOR rules, statistics, wear and fault injection are decorators: flashes over a flash.
 *
 * Offsets and lengths are bytes from the start of the chip. A caller stays inside the geometry;
 * the checked functions below (otter_flash_read() and friends) refuse what does not fit before
 * an op sees it.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "esp_err.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct otter_flash otter_flash_t;

/** What a port implements; @ref otter_flash_ops.rewrite may be NULL. Each op returns ESP_OK or ESP_ERR_FLASH_OP_FAIL. */
typedef struct otter_flash_ops {
    /** Copies @p len bytes at @p off into @p dst. */
    esp_err_t (*read)(otter_flash_t *flash, uint32_t off, void *dst, size_t len);
    /**
     * Programs @p len bytes at @p off; on NOR this clears bits and never sets one.
     * A power cut leaves any mixture of old and new bits in the range; nothing outside it changes.
     */
    esp_err_t (*program)(otter_flash_t *flash, uint32_t off, const void *src, size_t len);
    /**
     * Sets whole sectors to FF. @p off and @p len are multiples of the sector size.
     * A power cut leaves any bits in the range; nothing outside it changes.
     */
    esp_err_t (*erase)(otter_flash_t *flash, uint32_t off, size_t len);
    /**
     * Everything programmed or erased before is durable before anything after it.
     * A no-op on raw NOR. Until it returns, a power cut may undo or reorder earlier operations.
     */
    esp_err_t (*sync)(otter_flash_t *flash);
    /**
     * Erases each sector that [off, off + len) touches, and programs the bytes. For a flash that does both in one go at less
     * cost; NULL: it does not, and is asked for one after the other. @p off is a multiple of the sector size, the sectors lie
     * inside the chip. A power cut leaves any bits in these sectors; nothing outside them changes.
     */
    esp_err_t (*rewrite)(otter_flash_t *flash, uint32_t off, const void *src, size_t len);
} otter_flash_ops_t;

/** A flash chip: ops and geometry, constant for its life. */
struct otter_flash {
    const otter_flash_ops_t *ops;
    uint32_t size_bytes;    /**< Size of the chip, a multiple of sector_bytes. */
    uint32_t sector_bytes;  /**< Smallest unit of erase: a power of two, 4096 to 262144. */
    uint32_t program_bytes; /**< Unit of program that @ref otter_flash_ops.program may assume: 1, 4, ... */
};

/** True if [off, off+len) lies inside the chip. */
static inline bool otter_flash_contains(const otter_flash_t *flash, uint32_t off, size_t len)
{
    return off <= flash->size_bytes && len <= flash->size_bytes - off;
}

/** Reads; ESP_ERR_INVALID_SIZE if the range is not inside the chip. */
static inline esp_err_t otter_flash_read(otter_flash_t *flash, uint32_t off, void *dst, size_t len)
{
    if (!otter_flash_contains(flash, off, len)) {
        return ESP_ERR_INVALID_SIZE;
    }
    return flash->ops->read(flash, off, dst, len);
}

/** Programs; ESP_ERR_INVALID_SIZE if the range is not inside the chip. Power cut: see otter_flash_ops.program. */
static inline esp_err_t otter_flash_program(otter_flash_t *flash, uint32_t off, const void *src, size_t len)
{
    if (!otter_flash_contains(flash, off, len)) {
        return ESP_ERR_INVALID_SIZE;
    }
    return flash->ops->program(flash, off, src, len);
}

/**
 * Erases; ESP_ERR_INVALID_SIZE if the range is not inside the chip, ESP_ERR_INVALID_ARG if it is not whole sectors.
 * Power cut: see otter_flash_ops.erase.
 */
static inline esp_err_t otter_flash_erase(otter_flash_t *flash, uint32_t off, size_t len)
{
    if (!otter_flash_contains(flash, off, len)) {
        return ESP_ERR_INVALID_SIZE;
    }
    if (off % flash->sector_bytes != 0 || len % flash->sector_bytes != 0) {
        return ESP_ERR_INVALID_ARG;
    }
    return flash->ops->erase(flash, off, len);
}

/** Makes everything before durable before anything after. */
static inline esp_err_t otter_flash_sync(otter_flash_t *flash)
{
    return flash->ops->sync(flash);
}

#ifdef __cplusplus
}
#endif
