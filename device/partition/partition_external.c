/* SPDX-License-Identifier: Apache-2.0 */
/* Partitions that the application adds, and questions about ranges of flash. */
#include <stdlib.h>
#include <string.h>

#include "core/ptable/ptable.h"
#include "device/partition/partition_state.h"
#include "otter/otter_device.h"

static bool overlaps_listed(uint32_t address, uint32_t size)
{
    for (const partition_node_t *node = partition_state.first; node != NULL; node = node->next) {
        if (partition_ranges_overlap(address, size, node->info.address, node->info.size)) {
            return true;
        }
    }
    return false;
}

/* list_lock is held; the range lies inside the flash. */
static esp_err_t append_external(uint32_t address, uint32_t size, const char *label, esp_partition_type_t type,
                                 esp_partition_subtype_t subtype, const esp_partition_t **out)
{
    if (overlaps_listed(address, size)) {
        return ESP_ERR_INVALID_ARG;
    }
    partition_node_t *node = partition_append_node();
    if (node == NULL) {
        return ESP_ERR_NO_MEM;
    }
    node->external = true;
    node->info.type = type;
    node->info.subtype = subtype;
    node->info.address = address;
    node->info.size = size;
    strncpy(node->info.label, label, sizeof(node->info.label) - 1);
    *out = &node->info;
    return ESP_OK;
}

static esp_err_t check_external(const esp_flash_t *chip, size_t offset, size_t size, const char *label)
{
    if (label == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    if (chip != NULL && chip != esp_flash_default_chip) {
        return ESP_ERR_NOT_SUPPORTED;
    }
    uint32_t flash_bytes = 0;
    esp_err_t err = esp_flash_get_size(NULL, &flash_bytes);
    if (err != ESP_OK) {
        return err;
    }
    return offset <= flash_bytes && size <= flash_bytes - offset ? ESP_OK : ESP_ERR_INVALID_SIZE;
}

esp_err_t esp_partition_register_external(esp_flash_t *flash_chip, size_t offset, size_t size, const char *label,
                                          esp_partition_type_t type, esp_partition_subtype_t subtype,
                                          const esp_partition_t **out_partition)
{
    const esp_partition_t *unused = NULL;
    const esp_partition_t **out = out_partition != NULL ? out_partition : &unused;
    *out = NULL;
    esp_err_t err = check_external(flash_chip, offset, size, label);
    if (err != ESP_OK) {
        return err;
    }
    err = partition_lock_list();
    if (err != ESP_OK) {
        return err;
    }
    err = append_external((uint32_t)offset, (uint32_t)size, label, type, subtype, out);
    partition_unlock_list();
    return err;
}

/* list_lock is held. */
static esp_err_t remove_external(const esp_partition_t *partition)
{
    partition_node_t *before = NULL;
    partition_node_t *node = partition_state.first;
    while (node != NULL && &node->info != partition) {
        before = node;
        node = node->next;
    }
    if (node == NULL) {
        return ESP_ERR_NOT_FOUND;
    }
    if (!node->external) {
        return ESP_ERR_INVALID_ARG;
    }
    partition_node_t **link = before != NULL ? &before->next : &partition_state.first;
    *link = node->next;
    if (partition_state.last == node) {
        partition_state.last = before;
    }
    free(node);
    return ESP_OK;
}

esp_err_t esp_partition_deregister_external(const esp_partition_t *partition)
{
    esp_err_t err = partition_lock_list();
    if (err != ESP_OK) {
        return err;
    }
    err = remove_external(partition);
    partition_unlock_list();
    return err;
}

/* True if a read-only partition overlaps the range. list_lock is held. */
static bool overlaps_readonly(size_t addr, size_t size)
{
    for (const partition_node_t *node = partition_state.first; node != NULL; node = node->next) {
        if (node->info.readonly && partition_ranges_overlap(addr, size, node->info.address, node->info.size)) {
            return true;
        }
    }
    return false;
}

bool esp_partition_is_flash_region_writable(size_t addr, size_t size)
{
    if (partition_lock_list() != ESP_OK) {
        return false;
    }
    bool writable = !overlaps_readonly(addr, size);
    partition_unlock_list();
    return writable;
}

bool esp_partition_main_flash_region_safe(size_t addr, size_t size)
{
    if (addr <= (size_t)otter_device_get()->config.partition_table_offset + PTABLE_BYTES) {
        return false;
    }
    const esp_partition_t *running = partition_find_running();
    return running == NULL || !partition_ranges_overlap(addr, size, running->address, running->size);
}
