/* SPDX-License-Identifier: Apache-2.0 */
/* The list of partitions: read from the table once, and what the rest of device/ asks it. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "core/ptable/ptable.h"
#include "device/partition/partition_state.h"
#include "esp_log.h"
#include "otter/otter_device.h"

#define TAG "partition"

partition_state_t partition_state;

/* What ESP-IDF's loader answers for a table that it does not take. */
static esp_err_t fault_err(ptable_fault_t fault)
{
    switch (fault) {
    case PTABLE_OK:
        return ESP_OK;
    case PTABLE_FAULT_BOUNDS:
        return ESP_ERR_INVALID_SIZE;
    case PTABLE_FAULT_MD5:
        return ESP_ERR_INVALID_STATE;
    default:
        return ESP_ERR_NOT_FOUND;
    }
}

static esp_err_t read_table(ptable_t *table)
{
    uint32_t flash_bytes = 0;
    esp_err_t err = esp_flash_get_size(NULL, &flash_bytes);
    if (err != ESP_OK) {
        return err;
    }
    uint8_t *bytes = malloc(PTABLE_BYTES);
    if (bytes == NULL) {
        return ESP_ERR_NO_MEM;
    }
    err = partition_flash_read(otter_device_get()->config.partition_table_offset, bytes, PTABLE_BYTES);
    if (err == ESP_OK) {
        err = fault_err(ptable_parse(table, bytes, PTABLE_BYTES, flash_bytes, NULL));
    }
    if (err == ESP_OK && !table->has_md5) {
        err = ESP_ERR_NOT_FOUND;
    }
    free(bytes);
    return err;
}

partition_node_t *partition_append_node(void)
{
    partition_node_t *node = calloc(1, sizeof(*node));
    if (node == NULL) {
        return NULL;
    }
    node->position = ++partition_state.next_position;
    node->info.flash_chip = esp_flash_default_chip;
    node->info.erase_size = esp_partition_get_main_flash_sector_size();
    partition_node_t **link = partition_state.last != NULL ? &partition_state.last->next : &partition_state.first;
    *link = node;
    partition_state.last = node;
    return node;
}

static esp_err_t append_listed(const ptable_partition_t *partition)
{
    partition_node_t *node = partition_append_node();
    if (node == NULL) {
        return ESP_ERR_NO_MEM;
    }
    node->info.type = (esp_partition_type_t)partition->type;
    node->info.subtype = (esp_partition_subtype_t)partition->subtype;
    node->info.address = partition->offset;
    node->info.size = partition->size;
    node->info.encrypted = (partition->flags & PART_FLAG_ENCRYPTED) != 0;
    node->info.readonly = (partition->flags & PART_FLAG_READONLY) != 0;
    memcpy(node->info.label, partition->label, sizeof(node->info.label));
    return ESP_OK;
}

void partition_free_list(void)
{
    partition_node_t *node = partition_state.first;
    while (node != NULL) {
        partition_node_t *next = node->next;
        free(node);
        node = next;
    }
    partition_state.first = NULL;
    partition_state.last = NULL;
    partition_state.next_position = 0;
    partition_state.slot_count = 0;
    partition_state.loaded = false;
}

static esp_err_t append_table(const ptable_t *table)
{
    for (uint32_t i = 0; i < table->count; i++) {
        esp_err_t err = append_listed(&table->partition[i]);
        if (err != ESP_OK) {
            partition_free_list();
            return err;
        }
    }
    partition_state.slot_count = ptable_slot_count(table);
    partition_state.loaded = true;
    return ESP_OK;
}

/* list_lock is held. */
static esp_err_t load(void)
{
    if (partition_state.loaded) {
        return ESP_OK;
    }
    ptable_t *table = malloc(sizeof(*table));
    if (table == NULL) {
        return ESP_ERR_NO_MEM;
    }
    esp_err_t err = read_table(table);
    if (err == ESP_OK) {
        err = append_table(table);
    }
    free(table);
    return err;
}

esp_err_t partition_lock_list(void)
{
    otter_mutex_lock(&partition_state.list_lock);
    esp_err_t err = load();
    if (err != ESP_OK) {
        otter_mutex_unlock(&partition_state.list_lock);
        ESP_LOGE(TAG, "no usable partition table: %s", esp_err_to_name(err));
    }
    return err;
}

void partition_unlock_list(void)
{
    otter_mutex_unlock(&partition_state.list_lock);
}

void partition_reset(void)
{
    otter_mutex_lock(&partition_state.list_lock);
    partition_free_list();
    partition_free_mappings();
    otter_mutex_unlock(&partition_state.list_lock);
    (void)partition_watch(0, 0);
}

void esp_partition_unload_all(void)
{
    otter_mutex_lock(&partition_state.list_lock);
    partition_free_list();
    otter_mutex_unlock(&partition_state.list_lock);
}

static bool same(const esp_partition_t *partition, const esp_partition_t *listed)
{
    return partition->type == listed->type && partition->subtype == listed->subtype &&
           (partition->label[0] == '\0' || strncmp(partition->label, listed->label, sizeof(listed->label)) == 0) &&
           partition->flash_chip == listed->flash_chip && partition->address == listed->address &&
           partition->size == listed->size && partition->encrypted == listed->encrypted;
}

const partition_node_t *partition_find_node(const esp_partition_t *partition)
{
    const partition_node_t *node = partition_state.first;
    while (node != NULL && !same(partition, &node->info)) {
        node = node->next;
    }
    return node;
}

const esp_partition_t *partition_verify_listed(const esp_partition_t *partition)
{
    if (partition == NULL || partition_lock_list() != ESP_OK) {
        return NULL;
    }
    const partition_node_t *node = partition_find_node(partition);
    const esp_partition_t *listed = node != NULL && !node->external ? &node->info : NULL;
    partition_unlock_list();
    return listed;
}

const esp_partition_t *partition_find_listed(esp_partition_type_t type, esp_partition_subtype_t subtype)
{
    /* External partitions stand behind those of the table. */
    return partition_verify_listed(esp_partition_find_first(type, subtype, NULL));
}

static bool holds_app_at(const partition_node_t *node, uint32_t address)
{
    return !node->external && node->info.type == ESP_PARTITION_TYPE_APP &&
           partition_ranges_overlap(node->info.address, node->info.size, address, 1);
}

const esp_partition_t *partition_find_running(void)
{
    if (partition_lock_list() != ESP_OK) {
        return NULL;
    }
    uint32_t address = otter_device_get()->running_address;
    const partition_node_t *node = address != OTTER_NOT_RUNNING ? partition_state.first : NULL;
    while (node != NULL && !holds_app_at(node, address)) {
        node = node->next;
    }
    partition_unlock_list();
    return node != NULL ? &node->info : NULL;
}

uint32_t partition_count_slots(void)
{
    if (partition_lock_list() != ESP_OK) {
        return 0;
    }
    uint32_t count = partition_state.slot_count;
    partition_unlock_list();
    return count;
}

esp_err_t esp_partition_table_verify(const esp_partition_info_t *partition_table, bool log_errors, int *num_partitions)
{
    if (partition_table == NULL || num_partitions == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    uint32_t flash_bytes = 0;
    esp_err_t err = esp_flash_get_size(NULL, &flash_bytes);
    if (err != ESP_OK) {
        return err;
    }
    ptable_t *table = malloc(sizeof(*table));
    if (table == NULL) {
        return ESP_ERR_NO_MEM;
    }
    uint32_t bad_index = 0;
    const uint8_t *bytes = (const uint8_t *)partition_table;
    ptable_fault_t fault = ptable_parse(table, bytes, PTABLE_BYTES, flash_bytes, &bad_index);
    if (fault != PTABLE_OK && log_errors) {
        ESP_LOGE(TAG, "partition table, entry %" PRIu32 ": %s", bad_index, ptable_fault_text(fault));
    }
    *num_partitions = (int)table->count;
    free(table);
    if (fault == PTABLE_FAULT_BOUNDS) {
        return ESP_ERR_INVALID_SIZE;
    }
    return fault == PTABLE_OK ? ESP_OK : ESP_ERR_INVALID_STATE;
}
