/* SPDX-License-Identifier: Apache-2.0 */
/* Where an image ends up: final partitions, copies, bootloader and partition table. */
#include <stdlib.h>

#include "boot/boot.h"
#include "core/ptable/ptable_spare.h"
#include "tests/device/device_fixture.h"
#include "tests/support/image_fixture.h"
#include "tests/support/test.h"

static const device_spec_t plain = {.running = "factory"};
static const device_spec_t doubled = {.running = "factory", .spare_table = true, .recovery_bootloader = true};

static int open_device(void **state)
{
    *state = device_open(&plain);
    return 0;
}

static int open_doubled(void **state)
{
    *state = device_open(&doubled);
    return 0;
}

static int close_device(void **state)
{
    device_close(*state);
    return 0;
}

static uint8_t *make_app(const char *version, size_t *len)
{
    fixture_image_t spec = FIXTURE_IMAGE("fixture", version);
    return fixture_image(&spec, len);
}

/* Without an app descriptor. */
static uint8_t *make_bootloader(size_t *len)
{
    fixture_image_t spec = FIXTURE_IMAGE("boot", "1");
    spec.no_desc = true;
    return fixture_image(&spec, len);
}

/* Stages bytes for a final partition, and ends. */
static esp_err_t install(const char *staging, const esp_partition_t *final, const void *bytes, size_t len)
{
    esp_ota_handle_t handle = 0;
    assert_err(esp_ota_begin(device_partition(staging), OTA_WITH_SEQUENTIAL_WRITES, &handle), ESP_OK);
    assert_err(esp_ota_set_final_partition(handle, final, true), ESP_OK);
    assert_err(esp_ota_write(handle, bytes, len), ESP_OK);
    return esp_ota_end(handle);
}

/* Asks for a final partition, and gives the operation up. */
static esp_err_t ask(const char *staging, const esp_partition_t *final, bool copy)
{
    esp_ota_handle_t handle = 0;
    assert_err(esp_ota_begin(device_partition(staging), OTA_WITH_SEQUENTIAL_WRITES, &handle), ESP_OK);
    esp_err_t err = esp_ota_set_final_partition(handle, final, copy);
    assert_err(esp_ota_abort(handle), ESP_OK);
    return err;
}

static const esp_partition_t *add_external(uint32_t off, uint32_t len, esp_partition_type_t type,
                                           esp_partition_subtype_t subtype)
{
    const esp_partition_t *added = NULL;
    assert_err(esp_partition_register_external(NULL, off, len, "added", type, subtype, &added), ESP_OK);
    return added;
}

/* Behind all partitions of the table. */
static const esp_partition_t *add_data(const device_t *device, esp_partition_subtype_t subtype)
{
    const ptable_partition_t *last = &device->table.partition[device->table.count - 1];
    return add_external(last->offset + last->size, device->sector, ESP_PARTITION_TYPE_DATA, subtype);
}

static bool was_touched(const device_t *device, uint32_t off, uint32_t len)
{
    for (uint32_t i = 0; i < device->recorder.count; i++) {
        const flash_event_t *event = &device->recorder.event[i];
        if (event->kind != FLASH_SYNC && event->off < off + len && off < event->off + event->len) {
            return true;
        }
    }
    return false;
}

/* ---- Apps ---- */

static void a_verified_image_is_copied_to_its_final_partition(void **state)
{
    device_t *device = *state;
    size_t len = 0;
    uint8_t *image = make_app("6.0", &len);
    const esp_partition_t *final = device_partition("ota_1");
    esp_ota_handle_t handle = 0;
    device_put_record(device, 0, 2, ESP_OTA_IMG_VALID); /* Names ota_1, whose contents will be gone. */
    assert_err(esp_ota_begin(device_partition("ota_0"), 0, &handle), ESP_OK);
    assert_err(esp_ota_set_final_partition(handle, final, true), ESP_OK);
    assert_err(esp_ota_write(handle, image, len), ESP_OK);
    assert_true(device_record(device, 0).good);
    assert_err(esp_ota_end(handle), ESP_OK);
    assert_memory_equal(device->bytes + final->address, image, len);
    assert_true(device_record(device, 0).blank);
    free(image);
}

/* The copy was verified where it lies: choosing it reads no app again. */
static void a_copied_app_can_be_chosen_and_is_not_read_again(void **state)
{
    device_t *device = *state;
    size_t len = 0;
    uint8_t *image = make_app("6.2", &len);
    assert_err(install("ota_0", device_partition("ota_1"), image, len), ESP_OK);
    device_clear_events(device);
    assert_err(esp_ota_set_boot_partition(device_partition("ota_1")), ESP_OK);
    assert_int_equal(device->recorder.read_bytes, 0);
    assert_string_equal(esp_ota_get_boot_partition()->label, "ota_1");
    free(image);
}

static void a_bad_image_is_not_copied(void **state)
{
    device_t *device = *state;
    const esp_partition_t *final = device_partition("ota_1");
    device_put_record(device, 0, 2, ESP_OTA_IMG_VALID);
    assert_err(install("ota_0", final, "\xE9 rubbish", 9), ESP_ERR_OTA_VALIDATE_FAILED);
    assert_false(was_touched(device, final->address, final->size));
    assert_true(device_record(device, 0).good);
}

static void an_app_staged_in_a_data_partition_is_verified_as_an_app(void **state)
{
    device_t *device = *state;
    size_t len = 0;
    uint8_t *image = make_app("6.3", &len);
    const esp_partition_t *final = device_partition("ota_0");
    image[0x150] ^= 1;
    assert_err(install("storage", final, image, len), ESP_ERR_OTA_VALIDATE_FAILED);
    assert_false(was_touched(device, final->address, final->size));
    image[0x150] ^= 1;
    assert_err(install("storage", final, image, len), ESP_OK);
    assert_memory_equal(device->bytes + final->address, image, len);
    free(image);
}

/* The staging partition is larger than the final one, which ESP-IDF copies whole. */
static void an_image_too_large_for_its_final_partition_leaves_that_alone(void **state)
{
    device_t *device = *state;
    size_t size = 4 * device->sector;
    uint8_t *bytes = calloc(1, size);
    assert_non_null(bytes);
    const esp_partition_t *final = device_partition("storage");
    assert_true(final->size < size);
    assert_err(install("ota_0", final, bytes, size), ESP_ERR_INVALID_SIZE);
    assert_false(was_touched(device, final->address, final->size));
    free(bytes);
}

static void a_copy_that_failed_is_completed_from_what_was_staged(void **state)
{
    device_t *device = *state;
    size_t len = 0;
    uint8_t *image = make_app("6.4", &len);
    const esp_partition_t *final = device_partition("ota_1");
    esp_ota_handle_t handle = 0;
    assert_err(esp_ota_begin(device_partition("ota_0"), 0, &handle), ESP_OK);
    assert_err(esp_ota_set_final_partition(handle, final, true), ESP_OK);
    assert_err(esp_ota_write(handle, image, len), ESP_OK);
    device->recorder.fail_program = 1;
    assert_err(esp_ota_end(handle), ESP_ERR_FLASH_OP_FAIL);
    assert_int_equal(device->recorder.failures_done, 1);
    assert_err(esp_ota_resume(device_partition("ota_0"), 0, len, &handle), ESP_OK);
    assert_err(esp_ota_set_final_partition(handle, final, true), ESP_OK);
    assert_err(esp_ota_end(handle), ESP_OK);
    assert_memory_equal(device->bytes + final->address, image, len);
    free(image);
}

/* Flash does not report it. */
static void a_copy_that_flash_did_not_take_is_an_error(void **state)
{
    device_t *device = *state;
    size_t len = 0;
    uint8_t *image = make_app("6.6", &len);
    device->recorder.stuck_off = device_partition("ota_1")->address + 0x180;
    assert_err(install("ota_0", device_partition("ota_1"), image, len), ESP_ERR_OTA_VALIDATE_FAILED);
    assert_int_equal(device->recorder.stuck, 1);
    device->recorder.stuck_off = device_partition("nvs")->address + 4;
    assert_err(install("ota_0", device_partition("nvs"), "nvs bytes", 9), ESP_ERR_FLASH_OP_FAIL);
    assert_int_equal(device->recorder.stuck, 2);
    free(image);
}

static void the_factory_app_can_be_replaced_while_another_one_runs(void **state)
{
    device_t *device = *state;
    size_t len = 0;
    uint8_t *image = make_app("6.5", &len);
    device_run(device, "ota_1");
    device_put_record(device, 1, 2, ESP_OTA_IMG_VALID);
    assert_err(install("ota_0", device_partition("factory"), image, len), ESP_OK);
    assert_memory_equal(device->bytes + device_partition("factory")->address, image, len);
    assert_true(device_record(device, 1).good);
    assert_string_equal(esp_ota_get_boot_partition()->label, "ota_1");
    free(image);
}

/* The way back must not be overwritten, by whatever way. */
static void an_unconfirmed_app_may_not_have_an_app_copied(void **state)
{
    device_t *device = *state;
    device_run(device, "ota_0");
    device_put_record(device, 0, 1, ESP_OTA_IMG_PENDING_VERIFY);
    assert_err(ask("storage", device_partition("ota_1"), true), ESP_ERR_OTA_ROLLBACK_INVALID_STATE);
    assert_err(ask("storage", device_partition("factory"), false), ESP_ERR_OTA_ROLLBACK_INVALID_STATE);
    device_put_record(device, 0, 1, ESP_OTA_IMG_VALID);
    assert_err(ask("storage", device_partition("ota_1"), true), ESP_OK);
}

static void a_final_partition_that_is_the_staging_one_is_not_copied_onto_itself(void **state)
{
    const device_t *device = *state;
    size_t len = 0;
    uint8_t *image = make_app("6.1", &len);
    assert_err(install("ota_0", device_partition("ota_0"), image, len), ESP_OK);
    assert_memory_equal(device->bytes + device_partition("ota_0")->address, image, len);
    free(image);
}

static void a_resumed_operation_may_still_get_a_final_partition(void **state)
{
    (void)state;
    esp_ota_handle_t handle = 0;
    assert_err(esp_ota_resume(device_partition("ota_0"), 0, 4096, &handle), ESP_OK);
    assert_err(esp_ota_set_final_partition(handle, device_partition("ota_1"), true), ESP_OK);
    assert_err(esp_ota_abort(handle), ESP_OK);
}

static void final_partition_errors_are_those_of_esp_idf(void **state)
{
    (void)state;
    esp_ota_handle_t handle = 0;
    esp_ota_handle_t other = 0;
    esp_partition_t moved = *device_partition("ota_1");
    moved.address += moved.erase_size;
    assert_err(esp_ota_begin(device_partition("ota_0"), 0, &handle), ESP_OK);
    assert_err(esp_ota_set_final_partition(handle, NULL, true), ESP_ERR_INVALID_ARG);
    assert_err(esp_ota_set_final_partition(handle + 1, device_partition("ota_1"), true), ESP_ERR_NOT_FOUND);
    assert_err(esp_ota_set_final_partition(handle, &moved, true), ESP_ERR_NOT_FOUND);
    assert_err(esp_ota_set_final_partition(handle, device_partition("factory"), true), ESP_ERR_OTA_PARTITION_CONFLICT);
    assert_err(esp_ota_set_final_partition(handle, device_partition("otadata"), true), ESP_ERR_INVALID_ARG);
    assert_err(esp_ota_set_final_partition(handle, device_partition("locked"), true), ESP_ERR_NOT_ALLOWED);
    assert_err(esp_ota_begin(device_partition("ota_1"), 0, &other), ESP_OK);
    assert_err(esp_ota_set_final_partition(handle, device_partition("ota_1"), true), ESP_ERR_OTA_ALREADY_IN_PROGRESS);
    assert_err(esp_ota_abort(other), ESP_OK);
    assert_err(esp_ota_set_final_partition(handle, device_partition("ota_0"), true), ESP_OK);
    assert_err(esp_ota_write(handle, "\xE9", 1), ESP_OK);
    assert_err(esp_ota_set_final_partition(handle, device_partition("ota_1"), true), ESP_ERR_INVALID_STATE);
    assert_err(esp_ota_abort(handle), ESP_OK);
}

/* ---- Data ---- */

/* What lies behind the new bytes, in the slot and in the final partition, is not theirs. */
static void data_is_staged_in_a_slot_and_copied_without_what_lies_behind_it(void **state)
{
    const device_t *device = *state;
    const esp_partition_t *nvs = device_partition("nvs");
    memset(device->bytes + device_partition("ota_0")->address, 0x5A, device_partition("ota_0")->size);
    memset(device->bytes + nvs->address, 0x77, nvs->size);
    assert_err(install("ota_0", nvs, "nvs bytes", 9), ESP_OK);
    assert_memory_equal(device->bytes + nvs->address, "nvs bytes", 9);
    for (uint32_t i = 9; i < nvs->size; i++) {
        assert_int_equal(device->bytes[nvs->address + i], 0xFF);
    }
}

static void what_only_the_system_writes_is_no_target(void **state)
{
    const device_t *device = *state;
    static const esp_partition_subtype_t subtypes[] = {
        ESP_PARTITION_SUBTYPE_DATA_OTA,
        ESP_PARTITION_SUBTYPE_DATA_EFUSE_EM,
        ESP_PARTITION_SUBTYPE_DATA_NVS_KEYS,
        ESP_PARTITION_SUBTYPE_DATA_TEE_OTA,
    };
    for (size_t i = 0; i < sizeof(subtypes) / sizeof(subtypes[0]); i++) {
        const esp_partition_t *target = add_data(device, subtypes[i]);
        esp_ota_handle_t handle = 0;
        assert_err(esp_ota_begin(target, 0, &handle), ESP_ERR_INVALID_ARG);
        assert_err(ask("ota_0", target, true), ESP_ERR_INVALID_ARG);
        assert_err(ask("ota_0", target, false), ESP_ERR_INVALID_ARG);
        assert_err(esp_partition_deregister_external(target), ESP_OK);
    }
    const esp_partition_t *other = add_data(device, ESP_PARTITION_SUBTYPE_DATA_LITTLEFS);
    assert_err(install("ota_0", other, "any", 3), ESP_OK);
}

/* ---- Bootloader ---- */

static const esp_partition_t *add_primary_bootloader(const device_t *device)
{
    return add_external(ESP_PRIMARY_BOOTLOADER_OFFSET, device->table_offset, ESP_PARTITION_TYPE_BOOTLOADER,
                        ESP_PARTITION_SUBTYPE_BOOTLOADER_PRIMARY);
}

static void the_only_bootloader_is_not_overwritten(void **state)
{
    const device_t *device = *state;
    const esp_partition_t *primary = add_primary_bootloader(device);
    esp_ota_handle_t handle = 0;
    assert_err(esp_ota_begin(primary, 0, &handle), ESP_ERR_NOT_SUPPORTED);
    assert_err(ask("ota_0", primary, true), ESP_ERR_NOT_SUPPORTED);
    assert_err(ask("ota_0", primary, false), ESP_OK); /* Nothing is written there. */
    assert_false(was_touched(device, primary->address, primary->size));
}

/* A recovery partition alone is not enough: it must hold a bootloader. */
static void a_bootloader_is_overwritten_once_the_recovery_one_verifies(void **state)
{
    device_t *device = *state;
    const esp_partition_t *primary = add_primary_bootloader(device);
    const esp_partition_t *recovery = device_partition("boot2");
    size_t len = 0;
    uint8_t *image = make_bootloader(&len);
    esp_ota_handle_t handle = 0;
    assert_err(ask("ota_0", primary, true), ESP_ERR_NOT_SUPPORTED);
    memcpy(device->bytes + recovery->address, image, len);
    device->bytes[recovery->address + 0x150] ^= 1;
    assert_err(ask("ota_0", primary, true), ESP_ERR_NOT_SUPPORTED);
    assert_false(was_touched(device, primary->address, primary->size));
    device->bytes[recovery->address + 0x150] ^= 1;
    assert_err(install("ota_0", primary, image, len), ESP_OK);
    assert_memory_equal(device->bytes + primary->address, image, len);
    assert_err(esp_ota_begin(primary, 0, &handle), ESP_OK);
    assert_err(esp_ota_abort(handle), ESP_OK);
    free(image);
}

static void a_recovery_bootloader_that_is_lost_during_the_download_stops_the_copy(void **state)
{
    device_t *device = *state;
    const esp_partition_t *primary = add_primary_bootloader(device);
    size_t len = 0;
    uint8_t *image = make_bootloader(&len);
    esp_ota_handle_t handle = 0;
    memcpy(device->bytes + device_partition("boot2")->address, image, len);
    assert_err(esp_ota_begin(device_partition("ota_0"), 0, &handle), ESP_OK);
    assert_err(esp_ota_set_final_partition(handle, primary, true), ESP_OK);
    assert_err(esp_ota_write(handle, image, len), ESP_OK);
    device->bytes[device_partition("boot2")->address] = 0;
    assert_err(esp_ota_end(handle), ESP_ERR_NOT_SUPPORTED);
    assert_false(was_touched(device, primary->address, primary->size));
    free(image);
}

static void a_bad_bootloader_is_not_copied(void **state)
{
    device_t *device = *state;
    const esp_partition_t *primary = add_primary_bootloader(device);
    size_t len = 0;
    uint8_t *image = make_bootloader(&len);
    memcpy(device->bytes + device_partition("boot2")->address, image, len);
    image[0x150] ^= 1;
    assert_err(install("ota_0", primary, image, len), ESP_ERR_OTA_VALIDATE_FAILED);
    assert_false(was_touched(device, primary->address, primary->size));
    free(image);
}

/* ---- Partition table ---- */

static const esp_partition_t *add_primary_table(const device_t *device)
{
    return add_external(device->table_offset, ESP_PARTITION_TABLE_SIZE, ESP_PARTITION_TYPE_PARTITION_TABLE,
                        ESP_PARTITION_SUBTYPE_PARTITION_TABLE_PRIMARY);
}

static void a_table_is_not_replaced_without_a_second_place(void **state)
{
    const device_t *device = *state;
    const esp_partition_t *primary = add_primary_table(device);
    esp_ota_handle_t handle = 0;
    assert_err(esp_ota_begin(primary, 0, &handle), ESP_ERR_NOT_SUPPORTED);
    assert_err(ask("ota_0", primary, true), ESP_ERR_NOT_SUPPORTED);
    assert_err(ask("ota_0", primary, false), ESP_OK);
    assert_false(was_touched(device, primary->address, primary->size));
}

static void a_table_is_not_written_as_it_comes_even_with_a_second_place(void **state)
{
    const device_t *device = *state;
    const esp_partition_t *primary = add_primary_table(device);
    esp_ota_handle_t handle = 0;
    assert_err(esp_ota_begin(primary, OTA_WITH_SEQUENTIAL_WRITES, &handle), ESP_ERR_NOT_SUPPORTED);
    assert_false(was_touched(device, primary->address, primary->size));
}

static void what_covers_the_table_and_is_none_is_no_target(void **state)
{
    const device_t *device = *state;
    const esp_partition_t *cover =
        add_external(device->table_offset, device->sector, ESP_PARTITION_TYPE_DATA, ESP_PARTITION_SUBTYPE_DATA_FAT);
    esp_ota_handle_t handle = 0;
    assert_err(esp_ota_begin(cover, 0, &handle), ESP_ERR_INVALID_ARG);
    assert_err(ask("ota_0", cover, true), ESP_ERR_INVALID_ARG);
}

/* The present table with one more partition. */
static ptable_t next_table(const device_t *device)
{
    ptable_t next = device->table;
    const ptable_partition_t *last = &next.partition[next.count - 1];
    next.partition[next.count] = (ptable_partition_t){.type = PART_TYPE_DATA,
                                                      .subtype = ESP_PARTITION_SUBTYPE_DATA_LITTLEFS,
                                                      .offset = last->offset + last->size,
                                                      .size = device->sector,
                                                      .label = "extra"};
    next.count++;
    return next;
}

static esp_err_t replace_table(device_t *device, const ptable_t *next, bool with_md5, const char *staging)
{
    uint8_t bytes[PTABLE_BYTES];
    const esp_partition_t *primary = esp_partition_find_first(ESP_PARTITION_TYPE_PARTITION_TABLE,
                                                              ESP_PARTITION_SUBTYPE_PARTITION_TABLE_PRIMARY, NULL);
    primary = primary != NULL ? primary : add_primary_table(device);
    assert_int_equal(ptable_build(next, with_md5, bytes), PTABLE_OK);
    device_clear_events(device);
    return install(staging, primary, bytes, sizeof(bytes));
}

static void check_replaced_from(device_t *device, const char *staging)
{
    ptable_t next = next_table(device);
    ptable_t read;
    uint8_t bytes[PTABLE_BYTES];
    assert_err(replace_table(device, &next, true, staging), ESP_OK);
    assert_int_equal(ptable_build(&next, true, bytes), PTABLE_OK);
    assert_memory_equal(device->bytes + device->table_offset, bytes, sizeof(bytes));
    assert_int_equal(boot_read_table(device->config.flash, device->table_offset, &read), PTABLE_OK);
    device_run(device, "factory");
    assert_non_null(device_partition("extra"));
    bool settled = true;
    device_clear_events(device);
    assert_err(boot_settle_table(device->config.flash, device->table_offset, &settled), ESP_OK);
    assert_false(settled);
    assert_int_equal(device->recorder.count, 0); /* Nothing was left to do. */
}

static void a_table_staged_in_a_slot_replaces_the_present_one(void **state)
{
    check_replaced_from(*state, "ota_0");
}

static void a_table_staged_in_its_second_place_replaces_the_present_one(void **state)
{
    check_replaced_from(*state, "table2");
}

/* The mark stays: a boot tries again, and finds a table all the same. */
static void a_table_that_flash_did_not_take_is_an_error_and_the_marked_one_counts(void **state)
{
    device_t *device = *state;
    ptable_t next = next_table(device);
    ptable_t read;
    device->recorder.stuck_off = device->table_offset + 40;
    assert_err(replace_table(device, &next, true, "ota_0"), ESP_ERR_FLASH_OP_FAIL);
    assert_int_equal(device->recorder.stuck, 1);
    assert_int_equal(boot_read_table(device->config.flash, device->table_offset, &read), PTABLE_OK);
    assert_int_equal(read.count, next.count);
}

static void what_does_not_begin_like_a_table_is_refused_before_it_costs_a_sector(void **state)
{
    const device_t *device = *state;
    const esp_partition_t *primary = add_primary_table(device);
    esp_ota_handle_t handle = 0;
    assert_err(esp_ota_begin(device_partition("ota_0"), OTA_WITH_SEQUENTIAL_WRITES, &handle), ESP_OK);
    assert_err(esp_ota_set_final_partition(handle, primary, true), ESP_OK);
    assert_err(esp_ota_write(handle, "\xE9\x00", 2), ESP_ERR_OTA_VALIDATE_FAILED);
    assert_int_equal(device->recorder.count, 0);
    assert_err(esp_ota_abort(handle), ESP_OK);
}

static ptable_partition_t *partition_in(ptable_t *table, const char *label)
{
    for (uint32_t i = 0; i < table->count; i++) {
        if (strcmp(table->partition[i].label, label) == 0) {
            return &table->partition[i];
        }
    }
    fail_msg("no partition %s", label);
    return NULL;
}

static void drop(ptable_t *table, const char *label)
{
    ptable_partition_t *gone = partition_in(table, label);
    size_t behind = (size_t)(&table->partition[table->count] - (gone + 1));
    memmove(gone, gone + 1, behind * sizeof(*gone));
    table->count--;
}

static void refuse_table(device_t *device, const ptable_t *next, bool with_md5)
{
    const ptable_partition_t *spare = partition_in(&device->table, "table2");
    assert_err(replace_table(device, next, with_md5, "ota_1"), ESP_ERR_OTA_VALIDATE_FAILED);
    assert_false(was_touched(device, device->table_offset, device->sector));
    assert_false(was_touched(device, spare->offset, spare->size));
}

static void a_damaged_table_is_refused(void **state)
{
    device_t *device = *state;
    uint8_t bytes[PTABLE_BYTES];
    ptable_t next = next_table(device);
    assert_int_equal(ptable_build(&next, true, bytes), PTABLE_OK);
    bytes[12] ^= 1; /* Its MD5 is wrong now. */
    assert_err(install("ota_0", add_primary_table(device), bytes, sizeof(bytes)), ESP_ERR_OTA_VALIDATE_FAILED);
    assert_false(was_touched(device, device->table_offset, device->sector));
    refuse_table(device, &next, false);
}

static void a_table_whose_partitions_overlap_is_refused(void **state)
{
    device_t *device = *state;
    ptable_t next = next_table(device);
    partition_in(&next, "extra")->offset -= device->sector;
    refuse_table(device, &next, true);
}

static void a_table_that_moves_or_drops_what_the_device_boots_from_is_refused(void **state)
{
    device_t *device = *state;
    static const char *const labels[] = {"factory", "otadata", "table2"};
    for (size_t i = 0; i < sizeof(labels) / sizeof(labels[0]); i++) {
        ptable_t next = next_table(device);
        ptable_partition_t *extra = partition_in(&next, "extra");
        uint32_t free_off = (extra->offset + extra->size + 0xFFFF) & ~0xFFFFu;
        partition_in(&next, labels[i])->offset = free_off;
        refuse_table(device, &next, true);
        drop(&next, labels[i]);
        refuse_table(device, &next, true);
    }
}

static void a_table_that_makes_the_running_app_smaller_is_refused(void **state)
{
    device_t *device = *state;
    ptable_t next = next_table(device);
    partition_in(&next, "factory")->size -= 0x1000;
    refuse_table(device, &next, true);
}

/* Record 3 names ota_0 of two slots, and ota_2 of three. */
static void a_table_with_which_otadata_would_name_another_app_is_refused(void **state)
{
    device_t *device = *state;
    ptable_t next = next_table(device);
    ptable_partition_t *test = partition_in(&next, "test");
    test->subtype = PART_SUBTYPE_OTA_FLAG + 2;
    (void)snprintf(test->label, sizeof(test->label), "ota_2");
    device_put_record(device, 0, 3, ESP_OTA_IMG_VALID);
    refuse_table(device, &next, true);
    device_put_record(device, 0, 1, ESP_OTA_IMG_VALID); /* Names ota_0 either way. */
    assert_err(replace_table(device, &next, true, "ota_1"), ESP_OK);
}

static void a_table_that_drops_an_app_that_otadata_names_is_refused(void **state)
{
    device_t *device = *state;
    ptable_t next = next_table(device);
    drop(&next, "ota_1");
    device_put_record(device, 0, 1, ESP_OTA_IMG_VALID);
    device_put_record(device, 1, 2, ESP_OTA_IMG_VALID);
    assert_err(replace_table(device, &next, true, "ota_0"), ESP_ERR_OTA_VALIDATE_FAILED);
    assert_false(was_touched(device, device->table_offset, device->sector));
}

/* Another device's mark, or a table without one, does not count: it would replace a good table. */
static void only_a_mark_made_for_this_table_and_place_counts(void **state)
{
    device_t *device = *state;
    const ptable_partition_t *spare = partition_in(&device->table, "table2");
    uint8_t *at = device->bytes + spare->offset;
    ptable_t next = next_table(device);
    bool settled = false;
    assert_int_equal(ptable_build(&next, true, at), PTABLE_OK);
    for (int wrong = 0; wrong < 4; wrong++) {
        uint32_t spare_off = spare->offset + (wrong == 1 ? device->sector : 0);
        uint32_t table_off = device->table_offset + (wrong == 2 ? device->sector : 0);
        memset(at + PTABLE_MARK_OFF, 0xFF, device->sector - PTABLE_MARK_OFF);
        if (wrong > 0) {
            assert_err(ptable_make_mark(at, spare_off, table_off, at + PTABLE_MARK_OFF), ESP_OK);
        }
        at[PTABLE_MARK_OFF + 30] ^= wrong == 3 ? 1 : 0; /* In its hash. */
        device_clear_events(device);
        assert_err(boot_settle_table(device->config.flash, device->table_offset, &settled), ESP_OK);
        assert_false(settled);
        assert_int_equal(device->recorder.count, 0);
    }
    at[PTABLE_MARK_OFF + 30] ^= 1;
    assert_err(boot_settle_table(device->config.flash, device->table_offset, &settled), ESP_OK);
    assert_true(settled);
    assert_memory_equal(device->bytes + device->table_offset, at, PTABLE_BYTES);
}

static void without_a_table_the_marked_one_is_found_and_used(void **state)
{
    device_t *device = *state;
    const ptable_partition_t *spare = partition_in(&device->table, "table2");
    uint8_t *at = device->bytes + spare->offset;
    ptable_t next = next_table(device);
    ptable_t read;
    bool settled = false;
    assert_int_equal(ptable_build(&next, true, at), PTABLE_OK);
    memset(device->bytes + device->table_offset, 0xFF, device->sector);
    assert_int_equal(boot_read_table(device->config.flash, device->table_offset, &read), PTABLE_FAULT_EMPTY);
    assert_err(ptable_make_mark(at, spare->offset, device->table_offset, at + PTABLE_MARK_OFF), ESP_OK);
    assert_int_equal(boot_read_table(device->config.flash, device->table_offset, &read), PTABLE_OK);
    assert_int_equal(read.count, next.count);
    assert_int_equal(device->recorder.count, 0); /* Looking writes nothing. */
    assert_err(boot_settle_table(device->config.flash, device->table_offset, &settled), ESP_OK);
    assert_true(settled);
    assert_memory_equal(device->bytes + device->table_offset, at, PTABLE_BYTES);
}

/* The table and the intent are whole before a mark is begun. */
static void put_remains(device_t *device)
{
    uint8_t *at = device->bytes + partition_in(&device->table, "table2")->offset;
    ptable_t next = next_table(device);
    assert_int_equal(ptable_build(&next, true, at), PTABLE_OK);
    memset(at + PTABLE_MARK_OFF, 0xFF, device->sector - PTABLE_MARK_OFF);
    memset(at + PTABLE_INTENT_OFF, 0, PTABLE_INTENT_BYTES);
    memset(at + PTABLE_MARK_OFF, 0x11, 7);
}

static void what_is_left_of_a_mark_is_wiped_before_anything_boots(void **state)
{
    device_t *device = *state;
    const ptable_partition_t *spare = partition_in(&device->table, "table2");
    bool settled = true;
    put_remains(device);
    assert_err(boot_settle_table(device->config.flash, device->table_offset, &settled), ESP_OK);
    assert_false(settled);
    uint32_t at = 0;
    assert_event(device, &at, FLASH_PROGRAM, spare->offset + PTABLE_MARK_OFF, PTABLE_MARK_BYTES);
    assert_event(device, &at, FLASH_SYNC, 0, 0);
    assert_int_equal(device->recorder.count, at);
    for (uint32_t i = 0; i < PTABLE_MARK_BYTES; i++) {
        assert_int_equal(device->bytes[spare->offset + PTABLE_MARK_OFF + i], 0);
    }
}

static void what_is_no_remains_of_a_mark_is_left_alone(void **state)
{
    device_t *device = *state;
    uint8_t *at = device->bytes + partition_in(&device->table, "table2")->offset;
    bool settled = true;
    for (int kind = 0; kind < 3; kind++) {
        put_remains(device);
        at[0] ^= kind == 0 ? 0xFF : 0;                                /* No table. */
        at[PTABLE_INTENT_OFF + 5] = kind == 1 ? 0x80 : 0;             /* No intent. */
        memset(at, kind == 2 ? 0x33 : at[0], kind == 2 ? 0x1000 : 1); /* Anything. */
        assert_err(boot_settle_table(device->config.flash, device->table_offset, &settled), ESP_OK);
        assert_false(settled);
        assert_int_equal(device->recorder.count, 0);
    }
}

/* A forged table: what is written there would change an app. */
static void a_second_place_that_lies_over_something_else_is_none(void **state)
{
    device_t *device = *state;
    ptable_t forged = device->table;
    assert_non_null(ptable_spare(&forged, device->table_offset));
    partition_in(&forged, "table2")->offset = partition_in(&forged, "ota_1")->offset;
    assert_null(ptable_spare(&forged, device->table_offset));
    partition_in(&forged, "table2")->offset = device->table_offset;
    assert_null(ptable_spare(&forged, device->table_offset));
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown(a_verified_image_is_copied_to_its_final_partition, open_device, close_device),
    cmocka_unit_test_setup_teardown(a_copied_app_can_be_chosen_and_is_not_read_again, open_device, close_device),
    cmocka_unit_test_setup_teardown(a_bad_image_is_not_copied, open_device, close_device),
    cmocka_unit_test_setup_teardown(an_app_staged_in_a_data_partition_is_verified_as_an_app, open_device, close_device),
    cmocka_unit_test_setup_teardown(an_image_too_large_for_its_final_partition_leaves_that_alone, open_device,
                                    close_device),
    cmocka_unit_test_setup_teardown(a_copy_that_failed_is_completed_from_what_was_staged, open_device, close_device),
    cmocka_unit_test_setup_teardown(a_copy_that_flash_did_not_take_is_an_error, open_device, close_device),
    cmocka_unit_test_setup_teardown(the_factory_app_can_be_replaced_while_another_one_runs, open_device, close_device),
    cmocka_unit_test_setup_teardown(an_unconfirmed_app_may_not_have_an_app_copied, open_device, close_device),
    cmocka_unit_test_setup_teardown(a_final_partition_that_is_the_staging_one_is_not_copied_onto_itself, open_device,
                                    close_device),
    cmocka_unit_test_setup_teardown(a_resumed_operation_may_still_get_a_final_partition, open_device, close_device),
    cmocka_unit_test_setup_teardown(final_partition_errors_are_those_of_esp_idf, open_device, close_device),
    cmocka_unit_test_setup_teardown(data_is_staged_in_a_slot_and_copied_without_what_lies_behind_it, open_device,
                                    close_device),
    cmocka_unit_test_setup_teardown(what_only_the_system_writes_is_no_target, open_device, close_device),
    cmocka_unit_test_setup_teardown(the_only_bootloader_is_not_overwritten, open_device, close_device),
    cmocka_unit_test_setup_teardown(a_bootloader_is_overwritten_once_the_recovery_one_verifies, open_doubled,
                                    close_device),
    cmocka_unit_test_setup_teardown(a_recovery_bootloader_that_is_lost_during_the_download_stops_the_copy, open_doubled,
                                    close_device),
    cmocka_unit_test_setup_teardown(a_bad_bootloader_is_not_copied, open_doubled, close_device),
    cmocka_unit_test_setup_teardown(a_table_is_not_replaced_without_a_second_place, open_device, close_device),
    cmocka_unit_test_setup_teardown(a_table_is_not_written_as_it_comes_even_with_a_second_place, open_doubled,
                                    close_device),
    cmocka_unit_test_setup_teardown(what_covers_the_table_and_is_none_is_no_target, open_doubled, close_device),
    cmocka_unit_test_setup_teardown(a_table_staged_in_a_slot_replaces_the_present_one, open_doubled, close_device),
    cmocka_unit_test_setup_teardown(a_table_staged_in_its_second_place_replaces_the_present_one, open_doubled,
                                    close_device),
    cmocka_unit_test_setup_teardown(a_table_that_flash_did_not_take_is_an_error_and_the_marked_one_counts, open_doubled,
                                    close_device),
    cmocka_unit_test_setup_teardown(what_does_not_begin_like_a_table_is_refused_before_it_costs_a_sector, open_doubled,
                                    close_device),
    cmocka_unit_test_setup_teardown(a_damaged_table_is_refused, open_doubled, close_device),
    cmocka_unit_test_setup_teardown(a_table_whose_partitions_overlap_is_refused, open_doubled, close_device),
    cmocka_unit_test_setup_teardown(a_table_that_moves_or_drops_what_the_device_boots_from_is_refused, open_doubled,
                                    close_device),
    cmocka_unit_test_setup_teardown(a_table_that_makes_the_running_app_smaller_is_refused, open_doubled, close_device),
    cmocka_unit_test_setup_teardown(a_table_with_which_otadata_would_name_another_app_is_refused, open_doubled,
                                    close_device),
    cmocka_unit_test_setup_teardown(a_table_that_drops_an_app_that_otadata_names_is_refused, open_doubled,
                                    close_device),
    cmocka_unit_test_setup_teardown(only_a_mark_made_for_this_table_and_place_counts, open_doubled, close_device),
    cmocka_unit_test_setup_teardown(without_a_table_the_marked_one_is_found_and_used, open_doubled, close_device),
    cmocka_unit_test_setup_teardown(what_is_left_of_a_mark_is_wiped_before_anything_boots, open_doubled, close_device),
    cmocka_unit_test_setup_teardown(what_is_no_remains_of_a_mark_is_left_alone, open_doubled, close_device),
    cmocka_unit_test_setup_teardown(a_second_place_that_lies_over_something_else_is_none, open_doubled, close_device),
};

TEST_MAIN(tests)
