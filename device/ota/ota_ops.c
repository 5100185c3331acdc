/* SPDX-License-Identifier: Apache-2.0 */
/* Operations: the list of open ones, what may be written, begin and abort. */
#include <stdlib.h>

#include "device/ota/ota_internal.h"
#include "esp_log.h"

#define TAG "ota"

ota_state_t ota_state;

/* ---- The list of open operations. ---- */

void ota_reset(void)
{
    otter_mutex_lock(&ota_state.lock);
    while (ota_state.ops != NULL) {
        ota_op_t *op = ota_state.ops;
        ota_state.ops = op->next;
        free(op);
    }
    ota_state.verified = (ota_verified_t){0};
    otter_mutex_unlock(&ota_state.lock);
}

ota_op_t *ota_find_op(esp_ota_handle_t handle)
{
    otter_mutex_lock(&ota_state.lock);
    ota_op_t *op = ota_state.ops;
    while (op != NULL && op->handle != handle) {
        op = op->next;
    }
    otter_mutex_unlock(&ota_state.lock);
    return op;
}

void ota_remove_op(ota_op_t *op)
{
    otter_mutex_lock(&ota_state.lock);
    ota_op_t **link = &ota_state.ops;
    while (*link != NULL && *link != op) {
        link = &(*link)->next;
    }
    if (*link == op) {
        *link = op->next;
    }
    otter_mutex_unlock(&ota_state.lock);
    free(op);
}

static bool overlap(const esp_partition_t *a, const esp_partition_t *b)
{
    return partition_ranges_overlap(a->address, a->size, b->address, b->size);
}

/* True if an operation other than @p self writes to the partition. The lock is held. */
static bool is_in_use(const esp_partition_t *partition, const ota_op_t *self)
{
    for (const ota_op_t *op = ota_state.ops; op != NULL; op = op->next) {
        if (op != self && (overlap(partition, &op->staging) || overlap(partition, &op->final))) {
            return true;
        }
    }
    return false;
}

/* ---- What may be written. ---- */

static bool is_slot(const esp_partition_t *partition)
{
    return ota_slot_of(partition) >= 0;
}

/* What only one part of the system writes: bootsel's plans otadata, the eFuse emulation its own partition. Keys of NVS are not
 * firmware: with other keys all that NVS holds is lost. */
static bool is_reserved(const esp_partition_t *partition)
{
    static const esp_partition_subtype_t subtypes[] = {
        ESP_PARTITION_SUBTYPE_DATA_OTA,
        ESP_PARTITION_SUBTYPE_DATA_EFUSE_EM,
        ESP_PARTITION_SUBTYPE_DATA_NVS_KEYS,
        ESP_PARTITION_SUBTYPE_DATA_TEE_OTA,
    };
    bool reserved = false;
    for (size_t i = 0; i < sizeof(subtypes) / sizeof(subtypes[0]); i++) {
        reserved = reserved || partition->subtype == subtypes[i];
    }
    return reserved && partition->type == ESP_PARTITION_TYPE_DATA;
}

static bool is_running(const esp_partition_t *partition)
{
    const esp_partition_t *running = esp_ota_get_running_partition();
    return running != NULL && overlap(running, partition);
}

/* What holds for every partition that is written, however the bytes get there. */
static esp_err_t check_target(const esp_partition_t *partition)
{
    if (is_reserved(partition)) {
        return ESP_ERR_INVALID_ARG;
    }
    if (is_running(partition)) {
        return ESP_ERR_OTA_PARTITION_CONFLICT;
    }
    if (partition->type == ESP_PARTITION_TYPE_APP && ota_running_is_unconfirmed()) {
        return ESP_ERR_OTA_ROLLBACK_INVALID_STATE;
    }
    return partition->readonly ? ESP_ERR_NOT_ALLOWED : ESP_OK;
}

static esp_err_t check_staging(const esp_partition_t *partition)
{
    if (partition->type == ESP_PARTITION_TYPE_APP && !is_slot(partition)) {
        return ESP_ERR_INVALID_ARG;
    }
    esp_err_t err = check_target(partition);
    return err == ESP_OK ? ota_check_only_copy(partition, false) : err;
}

/* Says what ESP-IDF leaves to the error code. */
static esp_err_t refuse(const esp_partition_t *partition, esp_err_t err)
{
    if (err != ESP_OK) {
        ESP_LOGE(TAG, "%s cannot be written: %s", partition->label, esp_err_to_name(err));
    }
    return err;
}

/* Without a copy nothing is written there: what the caller makes of it is his. */
static esp_err_t check_final(const ota_op_t *op, const esp_partition_t *partition, bool copy)
{
    bool same = partition->address == op->staging.address && partition->size == op->staging.size;
    if (overlap(partition, &op->staging) && !same) {
        return ESP_ERR_INVALID_ARG;
    }
    esp_err_t err = check_target(partition);
    return err == ESP_OK && copy && !same ? ota_check_only_copy(partition, true) : err;
}

/* ---- Begin. ---- */

/* Registers an operation, which reserves the partition. */
static esp_err_t register_op(const esp_partition_t *partition, ota_op_t **out)
{
    ota_op_t *op = calloc(1, sizeof(*op));
    if (op == NULL) {
        return ESP_ERR_NO_MEM;
    }
    op->staging = *partition;
    op->final = *partition;
    otter_mutex_lock(&ota_state.lock);
    bool in_use = is_in_use(partition, NULL);
    if (!in_use) {
        op->handle = ++ota_state.last_handle;
        op->next = ota_state.ops;
        ota_state.ops = op;
    }
    otter_mutex_unlock(&ota_state.lock);
    if (in_use) {
        free(op);
        return ESP_ERR_OTA_ALREADY_IN_PROGRESS;
    }
    *out = op;
    return ESP_OK;
}

/* Checks, then reserves. */
static esp_err_t open_op(const esp_partition_t *partition, ota_op_t **out)
{
    esp_err_t err = check_staging(partition);
    if (err == ESP_OK) {
        err = register_op(partition, out);
    }
    return refuse(partition, err);
}

/* Bytes to erase at begin. Error if the image does not fit. */
static esp_err_t plan_erase(const esp_partition_t *partition, size_t image_size, uint32_t *len)
{
    *len = 0;
    if (image_size == OTA_WITH_SEQUENTIAL_WRITES) {
        return ESP_OK;
    }
    bool whole = image_size == 0 || image_size == OTA_SIZE_UNKNOWN;
    uint64_t rounded = whole ? partition->size : ota_round_up(image_size, partition->erase_size);
    if (rounded > partition->size) {
        ESP_LOGE(TAG, "%zu bytes do not fit into %s", image_size, partition->label);
        return ESP_ERR_INVALID_SIZE;
    }
    *len = (uint32_t)rounded;
    return ESP_OK;
}

esp_err_t ota_forget_records(const esp_partition_t *partition)
{
    int slot = ota_slot_of(partition_verify_listed(partition));
    return slot >= 0 ? ota_apply(bootsel_begin, slot) : ESP_OK;
}

/* Records first: none of them may name a slot whose contents are gone. */
static esp_err_t prepare(ota_op_t *op, size_t image_size)
{
    op->sequential = image_size == OTA_WITH_SEQUENTIAL_WRITES;
    esp_err_t err = plan_erase(&op->staging, image_size, &op->erased);
    if (err == ESP_OK) {
        err = ota_forget_records(&op->staging);
    }
    return err == ESP_OK ? esp_partition_erase_range(&op->staging, 0, op->erased) : err;
}

esp_err_t esp_ota_begin(const esp_partition_t *partition, size_t image_size, esp_ota_handle_t *out_handle)
{
    if (partition == NULL || out_handle == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    const esp_partition_t *listed = esp_partition_verify(partition);
    if (listed == NULL) {
        return ESP_ERR_NOT_FOUND;
    }
    ota_op_t *op = NULL;
    esp_err_t err = open_op(listed, &op);
    if (err != ESP_OK) {
        return err;
    }
    err = prepare(op, image_size);
    if (err != ESP_OK) {
        ota_remove_op(op);
        return err;
    }
    *out_handle = op->handle;
    return ESP_OK;
}

esp_err_t esp_ota_resume(const esp_partition_t *partition, const size_t erase_size, const size_t image_offset,
                         esp_ota_handle_t *out_handle)
{
    if (partition == NULL || out_handle == NULL || image_offset > partition->size) {
        return ESP_ERR_INVALID_ARG;
    }
    const esp_partition_t *listed = esp_partition_verify(partition);
    if (listed == NULL) {
        return ESP_ERR_NOT_FOUND;
    }
    ota_op_t *op = NULL;
    esp_err_t err = open_op(listed, &op);
    if (err != ESP_OK) {
        return err;
    }
    /* It is half written: no record may name it. */
    err = ota_forget_records(listed);
    if (err != ESP_OK) {
        ota_remove_op(op);
        return err;
    }
    op->resumed = true;
    op->sequential = erase_size == OTA_WITH_SEQUENTIAL_WRITES;
    op->written = (uint32_t)image_offset;
    op->erased = op->sequential ? (uint32_t)ota_round_up(image_offset, listed->erase_size) : listed->size;
    *out_handle = op->handle;
    return ESP_OK;
}

static esp_err_t reserve_final(ota_op_t *op, const esp_partition_t *final, bool copy)
{
    otter_mutex_lock(&ota_state.lock);
    bool in_use = is_in_use(final, op);
    if (!in_use) {
        op->final = *final;
        op->copy = copy && !overlap(final, &op->staging);
    }
    otter_mutex_unlock(&ota_state.lock);
    return in_use ? ESP_ERR_OTA_ALREADY_IN_PROGRESS : ESP_OK;
}

esp_err_t esp_ota_set_final_partition(esp_ota_handle_t handle, const esp_partition_t *final, bool finalize_with_copy)
{
    if (final == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    ota_op_t *op = ota_find_op(handle);
    if (op == NULL) {
        return ESP_ERR_NOT_FOUND;
    }
    if (!op->resumed && op->written != 0) {
        return ESP_ERR_INVALID_STATE;
    }
    const esp_partition_t *listed = esp_partition_verify(final);
    if (listed == NULL) {
        return ESP_ERR_NOT_FOUND;
    }
    esp_err_t err = check_final(op, listed, finalize_with_copy);
    if (err == ESP_OK) {
        err = reserve_final(op, listed, finalize_with_copy);
    }
    return refuse(listed, err);
}

esp_err_t esp_ota_abort(esp_ota_handle_t handle)
{
    ota_op_t *op = ota_find_op(handle);
    if (op == NULL) {
        return ESP_ERR_NOT_FOUND;
    }
    ota_remove_op(op);
    return ESP_OK;
}
