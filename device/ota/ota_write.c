/* SPDX-License-Identifier: Apache-2.0 */
/* Writing an image, and ending: what flash holds is verified. */
#include <stdlib.h>

#include "device/ota/ota_internal.h"
#include "esp_log.h"

#define TAG "ota"

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
    esp_err_t err = erase_up_to(op, op->written + (uint32_t)size);
    if (err == ESP_OK) {
        err = esp_partition_write(&op->staging, op->written, data, size);
    }
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

static esp_err_t verify_table(const esp_partition_t *staging)
{
    esp_partition_info_t *table = malloc(ESP_PARTITION_TABLE_MAX_LEN);
    if (table == NULL) {
        return ESP_ERR_NO_MEM;
    }
    int count = 0;
    esp_err_t err = esp_partition_read(staging, 0, table, ESP_PARTITION_TABLE_MAX_LEN);
    if (err == ESP_OK && esp_partition_table_verify(table, true, &count) != ESP_OK) {
        err = ESP_ERR_OTA_VALIDATE_FAILED;
    }
    free(table);
    return err;
}

/* An image is verified where it lies, as what it is to become. */
static esp_err_t verify_image(const ota_op_t *op)
{
    esp_partition_t staged = op->staging;
    staged.type = op->final.type;
    return ota_verify(&staged) == ESP_OK ? ESP_OK : ESP_ERR_OTA_VALIDATE_FAILED;
}

static esp_err_t verify_op(const ota_op_t *op)
{
    switch (op->final.type) {
    case ESP_PARTITION_TYPE_APP:
    case ESP_PARTITION_TYPE_BOOTLOADER:
        return verify_image(op);
    case ESP_PARTITION_TYPE_PARTITION_TABLE:
        return verify_table(&op->staging);
    default:
        return ESP_OK;
    }
}

static esp_err_t copy_to_final(const ota_op_t *op)
{
    esp_err_t err = ota_forget_records(&op->final);
    return err == ESP_OK ? esp_partition_copy(&op->final, 0, &op->staging, 0, op->final.size) : err;
}

static esp_err_t finish_op(const ota_op_t *op)
{
    if (op->written == 0) {
        return ESP_ERR_INVALID_ARG;
    }
    esp_err_t err = partition_flash_sync();
    if (err != ESP_OK) {
        ESP_LOGE(TAG, "what was written to %s may not be durable: %s", op->staging.label, esp_err_to_name(err));
        return err;
    }
    err = verify_op(op);
    return err == ESP_OK && op->copy ? copy_to_final(op) : err;
}

esp_err_t esp_ota_end(esp_ota_handle_t handle)
{
    ota_op_t *op = ota_find_op(handle);
    if (op == NULL) {
        return ESP_ERR_NOT_FOUND;
    }
    esp_err_t err = finish_op(op);
    ota_remove_op(op);
    return err;
}
