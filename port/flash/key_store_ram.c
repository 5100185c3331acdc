/* SPDX-License-Identifier: Apache-2.0 */
#include "otter/otter_key_store_ram.h"

#include <string.h>

static otter_key_store_ram_t *self(otter_key_store_t *store)
{
    return (otter_key_store_ram_t *)(void *)store;
}

static esp_err_t ram_read(otter_key_store_t *store, uint8_t bits[OTTER_KEY_STORE_BYTES])
{
    if (self(store)->fail_read) {
        return ESP_FAIL;
    }
    memcpy(bits, self(store)->bits, OTTER_KEY_STORE_BYTES);
    return ESP_OK;
}

static bool has_power(otter_key_store_ram_t *ram)
{
    if (!ram->cut_armed) {
        return true;
    }
    if (ram->cut_after == 0) {
        return false;
    }
    ram->cut_after--;
    return true;
}

/* Burns the bits of a byte that are not burned yet, one after the other. False once the power is off. */
static bool burn_byte(otter_key_store_ram_t *ram, uint8_t *at, uint8_t bits)
{
    for (unsigned mask = 1; mask <= 0x80; mask <<= 1) {
        if ((bits & ~*at & mask) != 0) {
            if (!has_power(ram)) {
                return false;
            }
            *at = (uint8_t)(*at | mask);
        }
    }
    return true;
}

static esp_err_t ram_burn(otter_key_store_t *store, uint32_t off, const uint8_t *bits, size_t len)
{
    otter_key_store_ram_t *ram = self(store);
    ram->burns++;
    for (size_t i = 0; i < len; i++) {
        if (!burn_byte(ram, ram->bits + off + i, bits[i])) {
            return ESP_FAIL;
        }
    }
    return ESP_OK;
}

static const otter_key_store_ops_t ram_ops = {
    .read = ram_read,
    .burn = ram_burn,
};

otter_key_store_t *otter_key_store_ram_init(otter_key_store_ram_t *ram, uint8_t bits[OTTER_KEY_STORE_BYTES])
{
    *ram = (otter_key_store_ram_t){.base = {.ops = &ram_ops}, .bits = bits};
    return &ram->base;
}
