/* SPDX-License-Identifier: Apache-2.0 */
/* Writing an image. */
#include "device/ota/ota_internal.h"

#define TABLE_MAGIC_0 (ESP_PARTITION_MAGIC & 0xFF)
#define TABLE_MAGIC_1 (ESP_PARTITION_MAGIC >> 8)

/* True if the first bytes may begin what the final partition is for. */
static bool begins_well(const ota_op_t *op, const uint8_t *data, size_t size)
{
    switch (op->final.type) {
    case ESP_PARTITION_TYPE_APP:
    case ESP_PARTITION_TYPE_BOOTLOADER:
        return data[0] == ESP_IMAGE_HEADER_MAGIC;
    case ESP_PARTITION_TYPE_PARTITION_TABLE:
        return size < 2 || (data[0] == TABLE_MAGIC_0 && data[1] == TABLE_MAGIC_1);
    default:
        return true;
    }
}

/* Erases the sectors up to @p end that were not erased yet: a repeated write erases nothing twice, and one behind the
 * announced size does not land in old bytes. */
static esp_err_t erase_up_to(ota_op_t *op, uint32_t end)
{
    uint64_t target = ota_round_up(end, op->staging.erase_size);
    if (target <= op->erased) {
        return ESP_OK;
    }
    esp_err_t err = esp_partition_erase_range(&op->staging, op->erased, (size_t)(target - op->erased));
    if (err == ESP_OK) {
        op->erased = (uint32_t)target;
    }
    return err;
}

/* Erases what is reached first, then writes. */
static esp_err_t write_bytes(ota_op_t *op, const uint8_t *data, uint32_t size)
{
    esp_err_t err = erase_up_to(op, op->written + size);
    return err == ESP_OK ? esp_partition_write(&op->staging, op->written, data, size) : err;
}

/* The same for a flash that erases and programs in one go: the sectors that are reached with these bytes are. */
static esp_err_t rewrite_bytes(ota_op_t *op, const uint8_t *data, uint32_t size)
{
    uint32_t room = op->erased > op->written ? op->erased - op->written : 0;
    uint32_t first = size < room ? size : room;
    uint32_t rest = size - first;
    esp_err_t err = esp_partition_write(&op->staging, op->written, data, first);
    if (err == ESP_OK && rest > 0) {
        err = partition_flash_rewrite(op->staging.address + op->erased, data + first, rest);
    }
    if (err == ESP_OK && rest > 0) {
        op->erased = (uint32_t)ota_round_up(op->erased + rest, op->staging.erase_size);
    }
    return err;
}

/* Whole sectors, inside the partition. */
static bool can_rewrite(const ota_op_t *op)
{
    return partition_flash_can_rewrite() && op->staging.size % op->staging.erase_size == 0;
}

esp_err_t esp_ota_write(esp_ota_handle_t handle, const void *data, size_t size)
{
    if (data == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    if (size == 0) {
        return ESP_OK;
    }
    ota_op_t *op = ota_find_op(handle);
    if (op == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    if (size > op->staging.size - op->written) {
        return ESP_ERR_INVALID_SIZE;
    }
    if (op->written == 0 && !begins_well(op, data, size)) {
        return ESP_ERR_OTA_VALIDATE_FAILED;
    }
    esp_err_t err = can_rewrite(op) ? rewrite_bytes(op, data, (uint32_t)size) : write_bytes(op, data, (uint32_t)size);
    if (err == ESP_OK) {
        op->written += (uint32_t)size;
    }
    return err;
}

esp_err_t esp_ota_write_with_offset(esp_ota_handle_t handle, const void *data, size_t size, uint32_t offset)
{
    if (data == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    ota_op_t *op = ota_find_op(handle);
    if (op == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    if (op->sequential) {
        return ESP_ERR_INVALID_STATE;
    }
    esp_err_t err = esp_partition_write(&op->staging, offset, data, size);
    if (err == ESP_OK && size > 0 && offset + size > op->written) {
        op->written = offset + (uint32_t)size;
    }
    return err;
}

esp_err_t esp_ota_end(esp_ota_handle_t handle)
{
    ota_op_t *op = ota_find_op(handle);
    if (op == NULL) {
        return ESP_ERR_NOT_FOUND;
    }
    esp_err_t err = ota_finish_op(op);
    ota_remove_op(op);
    return err;
}
