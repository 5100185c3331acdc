/* SPDX-License-Identifier: Apache-2.0 */
/* The end of an operation: what flash holds is verified, and copied to where it belongs. */
#include <stdlib.h>
#include <string.h>

#include "device/ota/ota_internal.h"
#include "esp_log.h"

#define TAG "ota"

/* ---- What the device starts from ---- */

static bool is_primary_bootloader(const esp_partition_t *partition)
{
    bool named = partition->type == ESP_PARTITION_TYPE_BOOTLOADER &&
                 partition->subtype == ESP_PARTITION_SUBTYPE_BOOTLOADER_PRIMARY;
    return named || partition_ranges_overlap(partition->address, partition->size, ESP_PRIMARY_BOOTLOADER_OFFSET, 1);
}

/* A second bootloader that the device can start from while the first one is being written. */
static esp_err_t check_recovery(void)
{
    const esp_partition_t *recovery =
        esp_partition_find_first(ESP_PARTITION_TYPE_BOOTLOADER, ESP_PARTITION_SUBTYPE_BOOTLOADER_RECOVERY, NULL);
    if (recovery != NULL && ota_verify(recovery) == ESP_OK) {
        return ESP_OK;
    }
    ESP_LOGE(TAG, "a power cut while the bootloader is written would leave none: %s",
             recovery == NULL ? "there is no recovery bootloader partition"
                              : "the recovery partition holds no bootloader that verifies, copy the present one there");
    return ESP_ERR_NOT_SUPPORTED;
}

static esp_err_t check_table_target(const esp_partition_t *partition, bool copied)
{
    if (partition->type != ESP_PARTITION_TYPE_PARTITION_TABLE) {
        return ESP_ERR_INVALID_ARG;
    }
    if (copied && ota_table_has_spare()) {
        return ESP_OK;
    }
    ESP_LOGE(TAG, "a power cut while the partition table is written would leave none: %s",
             copied ? "the present table names no second place (type partition_table, subtype ota)"
                    : "stage the new one in another partition and let it be copied");
    return ESP_ERR_NOT_SUPPORTED;
}

esp_err_t ota_check_only_copy(const esp_partition_t *partition, bool copied)
{
    if (ota_is_table_in_place(partition)) {
        return check_table_target(partition, copied);
    }
    return is_primary_bootloader(partition) ? check_recovery() : ESP_OK;
}

/* ---- Verifying ---- */

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

/* An image is verified where it lies, as what it is to become. It may be longer than what was written: a resumed one. */
static esp_err_t verify_image(const ota_op_t *op, uint32_t *len)
{
    uint32_t image_len = 0;
    esp_partition_t staged = op->staging;
    staged.type = op->final.type;
    if (ota_verify_image(&staged, &image_len) != ESP_OK) {
        return ESP_ERR_OTA_VALIDATE_FAILED;
    }
    *len = image_len > *len ? image_len : *len;
    return ESP_OK;
}

/* @p len: gets how much of the partition is what was asked to be there. */
static esp_err_t verify_op(const ota_op_t *op, uint32_t *len)
{
    *len = op->written;
    switch (op->final.type) {
    case ESP_PARTITION_TYPE_APP:
    case ESP_PARTITION_TYPE_BOOTLOADER:
        return verify_image(op, len);
    case ESP_PARTITION_TYPE_PARTITION_TABLE:
        *len = ESP_PARTITION_TABLE_MAX_LEN;
        return verify_table(&op->staging);
    default:
        return ESP_OK;
    }
}

/* ---- Copying ---- */

static esp_err_t compare_piece(const esp_partition_t *a, const esp_partition_t *b, uint32_t off, uint8_t *buffer,
                               size_t len)
{
    esp_err_t err = esp_partition_read(a, off, buffer, len);
    if (err == ESP_OK) {
        err = esp_partition_read(b, off, buffer + len, len);
    }
    return err == ESP_OK && memcmp(buffer, buffer + len, len) != 0 ? ESP_ERR_FLASH_OP_FAIL : err;
}

/* A bit that is stuck is not reported by the flash. */
static esp_err_t compare(const esp_partition_t *a, const esp_partition_t *b, uint32_t len)
{
    size_t buffer_len = 0;
    uint8_t *buffer = partition_alloc_buffer(&buffer_len);
    if (buffer == NULL) {
        return ESP_ERR_NO_MEM;
    }
    esp_err_t err = ESP_OK;
    size_t most = buffer_len / 2;
    for (uint32_t off = 0; off < len && err == ESP_OK; off += (uint32_t)most) {
        err = compare_piece(a, b, off, buffer, len - off < most ? len - off : most);
    }
    free(buffer);
    return err;
}

/* Data means all of its partition: nothing of what was there before stays behind the new bytes. */
static esp_err_t erase_rest(const esp_partition_t *final, uint32_t len)
{
    uint64_t from = ota_round_up(len, final->erase_size);
    uint32_t to = final->size - final->size % final->erase_size;
    return from < to ? esp_partition_erase_range(final, (size_t)from, (size_t)(to - from)) : ESP_OK;
}

/* What was copied must be what was verified; an app or bootloader is verified again, where it will run from. */
static esp_err_t check_copy(const ota_op_t *op, uint32_t len)
{
    if (op->final.type == ESP_PARTITION_TYPE_APP || op->final.type == ESP_PARTITION_TYPE_BOOTLOADER) {
        return ota_verify(&op->final) == ESP_OK ? ESP_OK : ESP_ERR_OTA_VALIDATE_FAILED;
    }
    return compare(&op->final, &op->staging, len);
}

static esp_err_t copy_bytes(const ota_op_t *op, uint32_t len)
{
    bool is_data = op->final.type != ESP_PARTITION_TYPE_APP && op->final.type != ESP_PARTITION_TYPE_BOOTLOADER;
    esp_err_t err = ota_forget_records(&op->final);
    if (err == ESP_OK && is_data) {
        err = erase_rest(&op->final, len);
    }
    if (err == ESP_OK) {
        err = esp_partition_copy(&op->final, 0, &op->staging, 0, len);
    }
    return err == ESP_OK ? check_copy(op, len) : err;
}

static esp_err_t copy_to_final(const ota_op_t *op, uint32_t len)
{
    if (len > op->final.size) {
        ESP_LOGE(TAG, "%u bytes do not fit into %s", (unsigned)len, op->final.label);
        return ESP_ERR_INVALID_SIZE;
    }
    if (ota_is_table_in_place(&op->final)) {
        return ota_install_table(&op->staging);
    }
    esp_err_t err = ota_check_only_copy(&op->final, true); /* Again: it may have changed during the download. */
    return err == ESP_OK ? copy_bytes(op, len) : err;
}

esp_err_t ota_finish_op(const ota_op_t *op)
{
    if (op->written == 0) {
        return ESP_ERR_INVALID_ARG;
    }
    esp_err_t err = partition_flash_sync();
    if (err != ESP_OK) {
        ESP_LOGE(TAG, "what was written to %s may not be durable: %s", op->staging.label, esp_err_to_name(err));
        return err;
    }
    uint32_t len = 0;
    err = verify_op(op, &len);
    return err == ESP_OK && op->copy ? copy_to_final(op, len) : err;
}
