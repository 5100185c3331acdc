/* SPDX-License-Identifier: Apache-2.0 */
/* Between bootsel's plans and flash. */
#include <string.h>

#include "boot/boot.h"
#include "core/bootsel/slots.h"

static esp_err_t read_records(otter_flash_t *flash, uint32_t otadata_offset, bootsel_input_t *input)
{
    for (uint32_t i = 0; i < OTADATA_SECTORS; i++) {
        uint32_t off = otadata_offset + i * flash->sector_bytes;
        if (otter_flash_read(flash, off, input->area[i], BOOTSEL_AREA_BYTES) != ESP_OK) {
            return ESP_ERR_FLASH_OP_FAIL;
        }
    }
    return ESP_OK;
}

esp_err_t boot_read_input(otter_flash_t *flash, const ptable_t *table, bool rollback, bootsel_input_t *input,
                          uint32_t *otadata_offset)
{
    bootsel_slots(table, flash->sector_bytes, input);
    input->rollback = rollback;
    const ptable_partition_t *otadata = ptable_find(table, PART_TYPE_DATA, PART_SUBTYPE_DATA_OTA);
    if (otadata == NULL) {
        return ESP_OK;
    }
    if (!input->has_otadata) {
        return ESP_ERR_INVALID_STATE;
    }
    *otadata_offset = otadata->offset;
    return read_records(flash, otadata->offset, input);
}

static esp_err_t program_zeros(otter_flash_t *flash, uint32_t off, uint32_t len)
{
    static const uint8_t zeros[BOOTSEL_AREA_BYTES];
    return otter_flash_program(flash, off, zeros, len);
}

static esp_err_t execute(otter_flash_t *flash, uint32_t otadata_offset, const bootsel_op_t *op)
{
    uint32_t off = otadata_offset + op->sector * flash->sector_bytes;
    switch (op->kind) {
    case BOOTSEL_OP_ERASE:
        return otter_flash_erase(flash, off, flash->sector_bytes);
    case BOOTSEL_OP_PROGRAM:
        return otter_flash_program(flash, off + op->off, op->bytes, op->len);
    case BOOTSEL_OP_ZERO:
        return program_zeros(flash, off + op->off, op->len);
    case BOOTSEL_OP_SYNC:
        return otter_flash_sync(flash);
    }
    return ESP_ERR_INVALID_ARG;
}

esp_err_t boot_execute(otter_flash_t *flash, uint32_t otadata_offset, const bootsel_plan_t *plan)
{
    for (uint32_t i = 0; i < plan->count; i++) {
        esp_err_t err = execute(flash, otadata_offset, &plan->op[i]);
        if (err != ESP_OK) {
            return err;
        }
    }
    return ESP_OK;
}
