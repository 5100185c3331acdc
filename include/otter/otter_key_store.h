/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file otter_key_store.h
 * @brief Porting contract: the key store, bits that can be burned and never cleared ("eFuse").
 *
 * An array of bits, all 0 when new. Burning sets bits to 1; nothing sets them back. What they mean is decided in
 * core/trust; a port only keeps them. Layout: docs/FORMATS.md.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "esp_err.h"

#ifdef __cplusplus
extern "C" {
#endif

#define OTTER_KEY_STORE_BYTES 256 /**< Size of a key store. */

typedef struct otter_key_store otter_key_store_t;

/** What a port implements. */
typedef struct otter_key_store_ops {
    /** Reads all bits. ESP_OK or ESP_FAIL. */
    esp_err_t (*read)(otter_key_store_t *store, uint8_t bits[OTTER_KEY_STORE_BYTES]);
    /**
     * Sets the bits that are 1 in @p bits; the others stay. Durable when it returns. A power cut burns any subset.
     * ESP_OK or ESP_FAIL.
     */
    esp_err_t (*burn)(otter_key_store_t *store, uint32_t off, const uint8_t *bits, size_t len);
} otter_key_store_ops_t;

/** A key store; a concrete one embeds this as its first member. */
struct otter_key_store {
    const otter_key_store_ops_t *ops;
};

/** Reads all bits. */
static inline esp_err_t otter_key_store_read(otter_key_store_t *store, uint8_t bits[OTTER_KEY_STORE_BYTES])
{
    return store->ops->read(store, bits);
}

/** Burns bits; ESP_ERR_INVALID_SIZE if the range is not inside the store. Power cut: see otter_key_store_ops.burn. */
static inline esp_err_t otter_key_store_burn(otter_key_store_t *store, uint32_t off, const uint8_t *bits, size_t len)
{
    if (off > OTTER_KEY_STORE_BYTES || len > OTTER_KEY_STORE_BYTES - off) {
        return ESP_ERR_INVALID_SIZE;
    }
    return store->ops->burn(store, off, bits, len);
}

#ifdef __cplusplus
}
#endif
