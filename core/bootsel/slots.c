/* SPDX-License-Identifier: Apache-2.0 */
#include "core/bootsel/slots.h"

#include <string.h>

int bootsel_slot_of_subtype(uint8_t subtype)
{
    if (subtype == PART_SUBTYPE_FACTORY) {
        return BOOTSEL_SLOT_FACTORY;
    }
    if (subtype == PART_SUBTYPE_TEST) {
        return BOOTSEL_SLOT_TEST;
    }
    bool is_ota = (subtype & ~PART_SUBTYPE_OTA_MASK) == PART_SUBTYPE_OTA_FLAG;
    return is_ota ? subtype & PART_SUBTYPE_OTA_MASK : BOOTSEL_SLOT_NONE;
}

void bootsel_slots(const ptable_t *table, uint32_t sector_bytes, bootsel_input_t *input)
{
    memset(input, 0, sizeof(*input));
    input->slot_count = ptable_slot_count(table);
    for (uint32_t i = 0; i < table->count; i++) {
        const ptable_partition_t *partition = &table->partition[i];
        if (partition->type == PART_TYPE_APP && partition->size > 0) {
            input->present |= bootsel_set_of(bootsel_slot_of_subtype(partition->subtype));
        }
    }
    const ptable_partition_t *otadata = ptable_find(table, PART_TYPE_DATA, PART_SUBTYPE_DATA_OTA);
    input->has_otadata = otadata != NULL && otadata->size / OTADATA_SECTORS >= sector_bytes;
}

const ptable_partition_t *bootsel_slot_partition(const ptable_t *table, int slot)
{
    for (uint32_t i = 0; i < table->count; i++) {
        const ptable_partition_t *partition = &table->partition[i];
        if (partition->type == PART_TYPE_APP && slot != BOOTSEL_SLOT_NONE &&
            bootsel_slot_of_subtype(partition->subtype) == slot) {
            return partition;
        }
    }
    return NULL;
}
