/* SPDX-License-Identifier: Apache-2.0 */
/* Who boots: reads otadata, lets core/bootsel decide, carries plans out. */
#include <string.h>

#include "device/ota/ota_internal.h"
#include "device/system/efuse.h"
#include "esp_efuse.h"
#include "esp_log.h"
#include "esp_secure_boot.h"
#include "esp_system.h"
#include "otter/otter_device.h"

#define TAG "ota"

/* ---- Slots ---- */

int ota_slot_of(const esp_partition_t *partition)
{
    if (partition == NULL || partition->type != ESP_PARTITION_TYPE_APP) {
        return BOOTSEL_SLOT_NONE;
    }
    if (partition->subtype == ESP_PARTITION_SUBTYPE_APP_FACTORY) {
        return BOOTSEL_SLOT_FACTORY;
    }
    if (partition->subtype == ESP_PARTITION_SUBTYPE_APP_TEST) {
        return BOOTSEL_SLOT_TEST;
    }
    bool is_ota = partition->subtype >= ESP_PARTITION_SUBTYPE_APP_OTA_MIN &&
                  partition->subtype < ESP_PARTITION_SUBTYPE_APP_OTA_MAX;
    return is_ota ? (int)(partition->subtype - ESP_PARTITION_SUBTYPE_APP_OTA_MIN) : BOOTSEL_SLOT_NONE;
}

const esp_partition_t *ota_partition_of(int slot)
{
    if (slot >= 0) {
        return partition_find_listed(ESP_PARTITION_TYPE_APP, ESP_PARTITION_SUBTYPE_OTA(slot));
    }
    if (slot == BOOTSEL_SLOT_FACTORY) {
        return partition_find_listed(ESP_PARTITION_TYPE_APP, ESP_PARTITION_SUBTYPE_APP_FACTORY);
    }
    if (slot == BOOTSEL_SLOT_TEST) {
        return partition_find_listed(ESP_PARTITION_TYPE_APP, ESP_PARTITION_SUBTYPE_APP_TEST);
    }
    return NULL;
}

int ota_running_slot(void)
{
    return ota_slot_of(partition_find_running());
}

/* ---- otadata ---- */

static const esp_partition_t *find_otadata(void)
{
    const esp_partition_t *otadata = partition_find_listed(ESP_PARTITION_TYPE_DATA, ESP_PARTITION_SUBTYPE_DATA_OTA);
    bool usable = otadata != NULL && otadata->size / OTADATA_SECTORS >= otadata->erase_size;
    return usable ? otadata : NULL;
}

static bootsel_set_t find_present(void)
{
    bootsel_set_t present = 0;
    for (int slot = BOOTSEL_SLOT_TEST; slot <= (int)PART_SUBTYPE_OTA_MASK; slot++) {
        present |= ota_partition_of(slot) != NULL ? bootsel_set_of(slot) : 0;
    }
    return present;
}

esp_err_t ota_read_input(bootsel_input_t *input)
{
    memset(input, 0, sizeof(*input));
    input->slot_count = partition_count_slots();
    input->present = find_present();
    input->rollback = otter_device_get()->config.rollback;
    const esp_partition_t *otadata = find_otadata();
    input->has_otadata = otadata != NULL;
    esp_err_t err = ESP_OK;
    for (uint32_t i = 0; otadata != NULL && i < OTADATA_SECTORS && err == ESP_OK; i++) {
        err = esp_partition_read(otadata, i * otadata->erase_size, input->area[i], BOOTSEL_AREA_BYTES);
    }
    return err;
}

static const uint8_t zeros[BOOTSEL_AREA_BYTES];

static esp_err_t execute_op(const esp_partition_t *otadata, const bootsel_op_t *op)
{
    size_t off = (size_t)op->sector * otadata->erase_size;
    switch (op->kind) {
    case BOOTSEL_OP_ERASE:
        return esp_partition_erase_range(otadata, off, otadata->erase_size);
    case BOOTSEL_OP_PROGRAM:
        return esp_partition_write(otadata, off + op->off, op->bytes, op->len);
    case BOOTSEL_OP_ZERO:
        return esp_partition_write(otadata, off + op->off, zeros, op->len);
    case BOOTSEL_OP_SYNC:
        return partition_flash_sync();
    }
    return ESP_ERR_NOT_SUPPORTED;
}

static esp_err_t execute(const bootsel_plan_t *plan)
{
    const esp_partition_t *otadata = find_otadata();
    if (otadata == NULL) {
        return plan->count == 0 ? ESP_OK : ESP_ERR_NOT_FOUND;
    }
    esp_err_t err = ESP_OK;
    for (uint32_t i = 0; i < plan->count && err == ESP_OK; i++) {
        err = execute_op(otadata, &plan->op[i]);
    }
    return err;
}

static esp_err_t decide(ota_decide_t make_plan, int slot, bootsel_input_t *input, bootsel_plan_t *plan)
{
    esp_err_t err = ota_read_input(input);
    return err == ESP_OK ? make_plan(input, slot, plan) : err;
}

/* A bit that is stuck is not reported by the flash: only what it says afterwards counts. */
static esp_err_t execute_checked(const bootsel_input_t *before, const bootsel_plan_t *plan)
{
    bootsel_input_t wanted = *before;
    bootsel_input_t now;
    bootsel_apply(&wanted, plan);
    esp_err_t err = plan->count > 0 ? execute(plan) : ESP_OK;
    if (err == ESP_OK && plan->count > 0) {
        err = ota_read_input(&now);
        err = err == ESP_OK && !bootsel_same_records(&wanted, &now) ? ESP_ERR_FLASH_OP_FAIL : err;
    }
    if (err != ESP_OK) {
        ESP_LOGE(TAG, "otadata cannot be written: %s", esp_err_to_name(err));
    }
    return err;
}

esp_err_t ota_apply(ota_decide_t make_plan, int slot)
{
    bootsel_input_t input;
    bootsel_plan_t plan;
    otter_mutex_lock(&ota_state.otadata_lock);
    esp_err_t err = decide(make_plan, slot, &input, &plan);
    if (err == ESP_OK) {
        err = execute_checked(&input, &plan);
    }
    otter_mutex_unlock(&ota_state.otadata_lock);
    return err;
}

/* ---- Choosing ---- */

static esp_err_t plan_switch(const bootsel_input_t *input, int slot, bootsel_plan_t *plan)
{
    return bootsel_switch(input, ota_running_slot(), slot, plan);
}

/* What nobody may skip: under secure boot the whole verification, else the anti-rollback floor. */
static esp_err_t check_demands(const esp_partition_t *partition)
{
    if (esp_secure_boot_enabled()) {
        return ota_verify_once(partition);
    }
    esp_app_desc_t desc;
    if (esp_efuse_read_secure_version() == 0 || esp_ota_get_partition_description(partition, &desc) != ESP_OK) {
        return ESP_OK; /* The bootloader refuses what has no descriptor. */
    }
    return esp_efuse_check_secure_version(desc.secure_version) ? ESP_OK : ESP_ERR_OTA_SMALL_SEC_VER;
}

/* The floor's refusal keeps its code; any other one is a matter of the image. */
static esp_err_t validation_error(esp_err_t err)
{
    return err == ESP_OK || err == ESP_ERR_OTA_SMALL_SEC_VER ? err : ESP_ERR_OTA_VALIDATE_FAILED;
}

esp_err_t esp_ota_set_boot_partition_skip_validate(const esp_partition_t *partition)
{
    if (partition == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    int slot = ota_slot_of(partition_verify_listed(partition));
    if (slot < 0 && slot != BOOTSEL_SLOT_FACTORY) {
        return ESP_ERR_INVALID_ARG;
    }
    esp_err_t err = validation_error(check_demands(partition));
    return err == ESP_OK ? ota_apply(plan_switch, slot) : err;
}

esp_err_t esp_ota_set_boot_partition(const esp_partition_t *partition)
{
    if (partition == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    esp_err_t err = validation_error(ota_verify_once(partition));
    return err == ESP_OK ? esp_ota_set_boot_partition_skip_validate(partition) : err;
}

/* What boots while otadata names nothing. */
static const esp_partition_t *find_default(void)
{
    const esp_partition_t *found = ota_partition_of(BOOTSEL_SLOT_FACTORY);
    for (int slot = 0; found == NULL && slot <= (int)PART_SUBTYPE_OTA_MASK; slot++) {
        found = ota_partition_of(slot);
    }
    return found != NULL ? found : ota_partition_of(BOOTSEL_SLOT_TEST);
}

static int recorded_slot(const bootsel_input_t *input, int index)
{
    if (index < 0) {
        return BOOTSEL_SLOT_NONE;
    }
    otadata_record_t record = bootsel_record(input, index);
    return bootsel_record_slot(input, &record);
}

const esp_partition_t *esp_ota_get_boot_partition(void)
{
    bootsel_input_t input;
    if (ota_read_input(&input) != ESP_OK || !input.has_otadata) {
        return NULL;
    }
    int slot = recorded_slot(&input, bootsel_active(&input));
    return slot != BOOTSEL_SLOT_NONE ? ota_partition_of(slot) : find_default();
}

const esp_partition_t *esp_ota_get_running_partition(void)
{
    return partition_find_running();
}

const esp_partition_t *esp_ota_get_next_update_partition(const esp_partition_t *start_from)
{
    const esp_partition_t *start = NULL;
    if (start_from != NULL) {
        start = esp_partition_verify(start_from);
        if (start == NULL) {
            return NULL;
        }
    } else {
        start = esp_ota_get_running_partition();
        start = start != NULL ? start : esp_ota_get_boot_partition();
    }
    int first = ota_slot_of(start) >= 0 ? ota_slot_of(start) + 1 : 0;
    for (int i = 0; i <= (int)PART_SUBTYPE_OTA_MASK; i++) {
        const esp_partition_t *found = ota_partition_of((first + i) % (PART_SUBTYPE_OTA_MASK + 1));
        if (found != NULL) {
            return found;
        }
    }
    return NULL;
}

uint8_t esp_ota_get_app_partition_count(void)
{
    return (uint8_t)partition_count_slots();
}

/* ---- Confirming and going back ---- */

bool ota_running_is_unconfirmed(void)
{
    bootsel_input_t input;
    uint32_t state = 0;
    int running = ota_running_slot();
    if (running < 0 || ota_read_input(&input) != ESP_OK || !input.rollback || !bootsel_state(&input, running, &state)) {
        return false;
    }
    /* A state that nobody knows must be confirmed, too: the bootloader treats it so. */
    return state == ESP_OTA_IMG_PENDING_VERIFY || otadata_state_name(state) == NULL;
}

/*
 * The record first, then the floor. If the power goes between the two, the app is VALID and the floor old: it boots, and the
 * bootloader burns what is missing. The other way round the app would be unconfirmed and hence rolled back, to an app that
 * the new floor refuses: a brick.
 */
esp_err_t esp_ota_mark_app_valid_cancel_rollback(void)
{
    esp_err_t err = ota_apply(bootsel_confirm, ota_running_slot());
    return err == ESP_OK ? efuse_burn_confirmed(esp_app_get_description()->secure_version) : err;
}

bool esp_ota_check_rollback_is_possible(void)
{
    bootsel_input_t input;
    if (ota_read_input(&input) != ESP_OK || !input.has_otadata) {
        return false;
    }
    int running = ota_running_slot();
    bootsel_set_t failed = 0;
    int target = bootsel_rollback_target(&input, running, failed);
    while (target != BOOTSEL_SLOT_NONE) {
        const esp_partition_t *partition = ota_partition_of(target);
        if (partition != NULL && ota_verify(partition) == ESP_OK) {
            return true;
        }
        failed |= bootsel_set_of(target);
        target = bootsel_rollback_target(&input, running, failed);
    }
    return false;
}

esp_err_t esp_ota_mark_app_invalid_rollback(void)
{
    int running = ota_running_slot();
    bootsel_input_t input;
    bootsel_plan_t plan;
    esp_err_t err = decide(bootsel_invalidate, running, &input, &plan);
    if (err != ESP_OK) {
        return err;
    }
    if (!esp_ota_check_rollback_is_possible()) {
        return ESP_ERR_OTA_ROLLBACK_FAILED;
    }
    return ota_apply(bootsel_invalidate, running);
}

esp_err_t esp_ota_mark_app_invalid_rollback_and_reboot(void)
{
    esp_err_t err = esp_ota_mark_app_invalid_rollback();
    if (err == ESP_OK) {
        esp_restart();
    }
    return err;
}

esp_err_t esp_ota_get_state_partition(const esp_partition_t *partition, esp_ota_img_states_t *ota_state_out)
{
    if (partition == NULL || ota_state_out == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    int slot = ota_slot_of(partition);
    if (slot < 0) {
        return ESP_ERR_NOT_SUPPORTED;
    }
    bootsel_input_t input;
    esp_err_t err = ota_read_input(&input);
    if (err != ESP_OK) {
        return err;
    }
    uint32_t state = 0;
    if (!input.has_otadata || !bootsel_state(&input, slot, &state)) {
        return ESP_ERR_NOT_FOUND;
    }
    *ota_state_out = (esp_ota_img_states_t)state;
    return ESP_OK;
}

static bool is_refused(const otadata_record_t *record)
{
    return record->good && (record->state == ESP_OTA_IMG_INVALID || record->state == ESP_OTA_IMG_ABORTED);
}

const esp_partition_t *esp_ota_get_last_invalid_partition(void)
{
    bootsel_input_t input;
    if (ota_read_input(&input) != ESP_OK || !input.has_otadata) {
        return NULL;
    }
    otadata_record_t first = bootsel_record(&input, 0);
    otadata_record_t second = bootsel_record(&input, 1);
    /* ESP-IDF's rule: of two the lower one. */
    bool take_second = is_refused(&second) && (!is_refused(&first) || second.seq < first.seq);
    const otadata_record_t *record = take_second ? &second : &first;
    if (!is_refused(record)) {
        return NULL;
    }
    const esp_partition_t *partition = ota_partition_of(bootsel_record_slot(&input, record));
    return partition != NULL && ota_verify(partition) == ESP_OK ? partition : NULL;
}

/* ---- Forgetting the other app ---- */

/* Slot that only the inactive record names, that exists and does not run; or BOOTSEL_SLOT_NONE. */
static int find_last_boot_slot(void)
{
    bootsel_input_t input;
    if (ota_read_input(&input) != ESP_OK || !input.has_otadata) {
        return BOOTSEL_SLOT_NONE;
    }
    int active = bootsel_active(&input);
    if (active < 0) {
        return BOOTSEL_SLOT_NONE;
    }
    int slot = recorded_slot(&input, 1 - active);
    bool is_free = slot != recorded_slot(&input, active) && slot != ota_running_slot();
    return is_free && ota_partition_of(slot) != NULL ? slot : BOOTSEL_SLOT_NONE;
}

esp_err_t esp_ota_invalidate_inactive_ota_data_slot(void)
{
    int slot = find_last_boot_slot();
    return slot != BOOTSEL_SLOT_NONE ? ota_apply(bootsel_begin, slot) : ESP_FAIL;
}

esp_err_t esp_ota_erase_last_boot_app_partition(void)
{
    int slot = find_last_boot_slot();
    if (slot == BOOTSEL_SLOT_NONE) {
        return ESP_FAIL;
    }
    esp_err_t err = ota_apply(bootsel_begin, slot);
    if (err != ESP_OK) {
        return err;
    }
    const esp_partition_t *partition = ota_partition_of(slot);
    return partition != NULL ? esp_partition_erase_range(partition, 0, partition->size) : ESP_FAIL;
}
