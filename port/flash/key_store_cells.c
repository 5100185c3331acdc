/* SPDX-License-Identifier: Apache-2.0 */
#include "otter/otter_key_store_cells.h"

#include <string.h>

static otter_key_store_cells_t *self(otter_key_store_t *store)
{
    return (otter_key_store_cells_t *)(void *)store;
}

static esp_err_t cells_read(otter_key_store_t *store, uint8_t bits[OTTER_KEY_STORE_BYTES])
{
    memcpy(bits, self(store)->bits, OTTER_KEY_STORE_BYTES);
    return ESP_OK;
}

/* Bits of a byte that are burned although the power goes. */
static uint8_t lucky(otter_power_t *power, otter_cut_t cut)
{
    switch (cut) {
    case OTTER_CUT_BEFORE:
    case OTTER_CUT_LOST:
        return 0;
    case OTTER_CUT_AFTER:
    case OTTER_CUT_NEWEST:
        return 0xFF;
    default:
        return (uint8_t)otter_power_draw(power);
    }
}

static void burn_part(otter_key_store_cells_t *cells, uint32_t off, const uint8_t *bits, size_t len, otter_cut_t cut)
{
    for (size_t i = 0; i < len; i++) {
        cells->bits[off + i] |= (uint8_t)(bits[i] & lucky(cells->power, cut));
    }
}

static esp_err_t cells_burn(otter_key_store_t *store, uint32_t off, const uint8_t *bits, size_t len)
{
    otter_key_store_cells_t *cells = self(store);
    switch (otter_power_begin(cells->power)) {
    case OTTER_POWER_CUT:
        burn_part(cells, off, bits, len, cells->power->cut);
        otter_power_off(cells->power);
    case OTTER_POWER_FAIL:
        burn_part(cells, off, bits, len, OTTER_CUT_BITS);
        return ESP_FAIL;
    default:
        burn_part(cells, off, bits, len, OTTER_CUT_AFTER);
        return ESP_OK;
    }
}

static const otter_key_store_ops_t cells_ops = {
    .read = cells_read,
    .burn = cells_burn,
};

otter_key_store_t *otter_key_store_cells_init(otter_key_store_cells_t *cells, uint8_t bits[OTTER_KEY_STORE_BYTES],
                                              otter_power_t *power)
{
    *cells = (otter_key_store_cells_t){.base = {.ops = &cells_ops}, .bits = bits, .power = power};
    return &cells->base;
}
