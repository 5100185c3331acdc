/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "cli/table_default.h"

#define NVS_BYTES      0x5000u      /* Five pages; ends where otadata usually lies. */
#define APP_ALIGN      0x10000u     /* What ESP-IDF's bootloader can map. */
#define SLOT_BYTES_MAX (256u << 20) /* Longest image of Otter's own chips. */

static uint64_t align_up(uint64_t value, uint32_t unit)
{
    return (value + unit - 1) / unit * unit;
}

static void add(ptable_t *table, const char *label, uint8_t type, uint8_t subtype, uint64_t off, uint64_t size)
{
    ptable_partition_t *partition = &table->partition[table->count++];
    *partition =
        (ptable_partition_t){.type = type, .subtype = subtype, .offset = (uint32_t)off, .size = (uint32_t)size};
    snprintf(partition->label, sizeof(partition->label), "%s", label);
}

bool cli_default_table(ptable_t *table, uint32_t size_bytes, const cli_table_options_t *options)
{
    uint32_t sector = options->sector_bytes;
    uint32_t app_align = sector > APP_ALIGN ? sector : APP_ALIGN;
    uint64_t nvs = align_up((uint64_t)options->table_offset + ESP_PARTITION_TABLE_SIZE, sector);
    uint64_t otadata = align_up(nvs + NVS_BYTES, sector);
    uint64_t slots = align_up(otadata + 2 * (uint64_t)sector, app_align);
    memset(table, 0, sizeof(*table));
    if (slots + 2 * (uint64_t)app_align > size_bytes) {
        return false;
    }
    uint64_t slot = (size_bytes - slots) / 2 / app_align * app_align;
    slot = slot > SLOT_BYTES_MAX ? SLOT_BYTES_MAX : slot;
    add(table, "nvs", PART_TYPE_DATA, PART_SUBTYPE_DATA_WIFI, nvs, otadata - nvs);
    add(table, "otadata", PART_TYPE_DATA, PART_SUBTYPE_DATA_OTA, otadata, 2 * (uint64_t)sector);
    add(table, "ota_0", PART_TYPE_APP, PART_SUBTYPE_OTA_FLAG, slots, slot);
    add(table, "ota_1", PART_TYPE_APP, PART_SUBTYPE_OTA_FLAG + 1, slots + slot, slot);
    return true;
}
