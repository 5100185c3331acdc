/* SPDX-License-Identifier: Apache-2.0 */
/* Reading, writing, erasing and copying inside partitions. */
#include <stdlib.h>

#include "device/partition/partition_state.h"

/* ESP-IDF's order: first the offset, then the length. */
static esp_err_t check_range(const esp_partition_t *partition, size_t off, size_t len)
{
    if (off > partition->size) {
        return ESP_ERR_INVALID_ARG;
    }
    if (len > partition->size - off || (uint64_t)partition->address + partition->size > UINT32_MAX) {
        return ESP_ERR_INVALID_SIZE;
    }
    return ESP_OK;
}

esp_err_t esp_partition_read(const esp_partition_t *partition, size_t src_offset, void *dst, size_t size)
{
    if (partition == NULL || (dst == NULL && size != 0)) {
        return ESP_ERR_INVALID_ARG;
    }
    esp_err_t err = check_range(partition, src_offset, size);
    if (err != ESP_OK || size == 0) {
        return err;
    }
    return partition_flash_read(partition->address + (uint32_t)src_offset, dst, size);
}

esp_err_t esp_partition_read_raw(const esp_partition_t *partition, size_t src_offset, void *dst, size_t size)
{
    return esp_partition_read(partition, src_offset, dst, size);
}

esp_err_t esp_partition_write(const esp_partition_t *partition, size_t dst_offset, const void *src, size_t size)
{
    if (partition == NULL || (src == NULL && size != 0)) {
        return ESP_ERR_INVALID_ARG;
    }
    if (partition->readonly) {
        return ESP_ERR_NOT_ALLOWED;
    }
    esp_err_t err = check_range(partition, dst_offset, size);
    if (err != ESP_OK || size == 0) {
        return err;
    }
    return partition_flash_program(partition->address + (uint32_t)dst_offset, src, size);
}

esp_err_t esp_partition_write_raw(const esp_partition_t *partition, size_t dst_offset, const void *src, size_t size)
{
    return esp_partition_write(partition, dst_offset, src, size);
}

esp_err_t esp_partition_erase_range(const esp_partition_t *partition, size_t offset, size_t size)
{
    if (partition == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    if (partition->readonly) {
        return ESP_ERR_NOT_ALLOWED;
    }
    esp_err_t err = check_range(partition, offset, size);
    if (err != ESP_OK) {
        return err;
    }
    uint32_t sector = esp_partition_get_main_flash_sector_size();
    if (sector == 0) {
        return ESP_ERR_INVALID_STATE;
    }
    if (size % sector != 0) {
        return ESP_ERR_INVALID_SIZE;
    }
    if (offset % sector != 0) {
        return ESP_ERR_INVALID_ARG;
    }
    return partition_flash_erase(partition->address + (uint32_t)offset, size);
}

/* What a copy covers. */
typedef struct copy_range {
    size_t copy;  /* Bytes to copy. */
    size_t erase; /* Bytes of the destination to erase before. */
} copy_range_t;

static esp_err_t plan_copy(const esp_partition_t *dest, uint32_t dest_off, const esp_partition_t *src, uint32_t src_off,
                           size_t size, copy_range_t *range)
{
    if (dest_off > dest->size || src_off > src->size) {
        return ESP_ERR_INVALID_SIZE;
    }
    bool all = size == SIZE_MAX;
    size_t room = dest->size - dest_off;
    range->copy = all ? src->size - src_off : size;
    if (range->copy > room || range->copy > src->size - src_off) {
        return ESP_ERR_INVALID_SIZE;
    }
    size_t sector = esp_partition_get_main_flash_sector_size();
    if (sector == 0) {
        return ESP_ERR_INVALID_STATE;
    }
    range->erase = all ? room : (range->copy + sector - 1) / sector * sector;
    return ESP_OK;
}

static esp_err_t copy_bytes(const esp_partition_t *dest, uint32_t dest_off, const esp_partition_t *src,
                            uint32_t src_off, size_t len)
{
    size_t buffer_len = 0;
    uint8_t *buffer = partition_alloc_buffer(&buffer_len);
    if (buffer == NULL) {
        return ESP_ERR_NO_MEM;
    }
    esp_err_t err = ESP_OK;
    for (size_t off = 0; off < len && err == ESP_OK; off += buffer_len) {
        size_t part = len - off < buffer_len ? len - off : buffer_len;
        err = esp_partition_read(src, src_off + off, buffer, part);
        if (err == ESP_OK) {
            err = esp_partition_write(dest, dest_off + off, buffer, part);
        }
    }
    free(buffer);
    return err;
}

esp_err_t esp_partition_copy(const esp_partition_t *dest_part, uint32_t dest_offset, const esp_partition_t *src_part,
                             uint32_t src_offset, size_t size)
{
    if (dest_part == NULL || src_part == NULL || dest_part == src_part) {
        return ESP_ERR_INVALID_ARG;
    }
    copy_range_t range;
    esp_err_t err = plan_copy(dest_part, dest_offset, src_part, src_offset, size, &range);
    if (err != ESP_OK) {
        return err;
    }
    err = esp_partition_erase_range(dest_part, dest_offset, range.erase);
    if (err != ESP_OK) {
        return err;
    }
    err = copy_bytes(dest_part, dest_offset, src_part, src_offset, range.copy);
    return err == ESP_OK ? partition_flash_sync() : err;
}

static void add_mapping(partition_mapping_t *mapping)
{
    otter_mutex_lock(&partition_state.list_lock);
    mapping->handle = ++partition_state.last_mapping;
    mapping->next = partition_state.mappings;
    partition_state.mappings = mapping;
    otter_mutex_unlock(&partition_state.list_lock);
}

esp_err_t esp_partition_mmap(const esp_partition_t *partition, size_t offset, size_t size,
                             esp_partition_mmap_memory_t memory, const void **out_ptr,
                             esp_partition_mmap_handle_t *out_handle)
{
    if (partition == NULL || out_ptr == NULL || out_handle == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    esp_err_t err = check_range(partition, offset, size);
    if (err != ESP_OK) {
        return err;
    }
    if (size == 0) {
        return ESP_ERR_INVALID_ARG;
    }
    if ((memory & ESP_PARTITION_MMAP_INST) != 0) {
        return ESP_ERR_NOT_SUPPORTED;
    }
    partition_mapping_t *mapping = malloc(sizeof(*mapping) + size);
    if (mapping == NULL) {
        return ESP_ERR_NO_MEM;
    }
    err = esp_partition_read(partition, offset, mapping->bytes, size);
    if (err != ESP_OK) {
        free(mapping);
        return err;
    }
    add_mapping(mapping);
    *out_ptr = mapping->bytes;
    *out_handle = mapping->handle;
    return ESP_OK;
}

void esp_partition_munmap(esp_partition_mmap_handle_t handle)
{
    otter_mutex_lock(&partition_state.list_lock);
    partition_mapping_t **link = &partition_state.mappings;
    while (*link != NULL && (*link)->handle != handle) {
        link = &(*link)->next;
    }
    partition_mapping_t *mapping = *link;
    if (mapping != NULL) {
        *link = mapping->next;
    }
    otter_mutex_unlock(&partition_state.list_lock);
    free(mapping);
}

void partition_free_mappings(void)
{
    while (partition_state.mappings != NULL) {
        partition_mapping_t *mapping = partition_state.mappings;
        partition_state.mappings = mapping->next;
        free(mapping);
    }
}
