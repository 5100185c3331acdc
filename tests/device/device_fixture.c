/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/device/device_fixture.h"

#include <stdlib.h>

#include "tests/support/image_fixture.h"
#include "tests/support/test.h"

#define APP_ALIGN 0x10000u

/* ---- The recorder ---- */

static flash_recorder_t *recorder_of(otter_flash_t *flash)
{
    return (flash_recorder_t *)flash;
}

static void note(flash_recorder_t *recorder, flash_event_kind_t kind, uint32_t off, size_t len)
{
    assert_true(recorder->count < FLASH_EVENTS_MAX);
    flash_event_t *event = &recorder->event[recorder->count++];
    event->kind = kind;
    event->off = off;
    event->len = (uint32_t)len;
}

/* @p left: how many operations of this kind are to fail. */
static bool must_fail(flash_recorder_t *recorder, uint32_t *left)
{
    bool cut = recorder->cut_armed && recorder->cut_after == 0;
    if (recorder->cut_armed && !cut) {
        recorder->cut_after--;
    }
    if (!cut && *left == 0) {
        return false;
    }
    *left -= *left > 0 ? 1 : 0;
    recorder->failures_done++;
    return true;
}

static esp_err_t recorder_read(otter_flash_t *flash, uint32_t off, void *dst, size_t len)
{
    flash_recorder_t *recorder = recorder_of(flash);
    recorder->read_bytes += off >= recorder->apps_off ? len : 0;
    return otter_flash_read(recorder->inner, off, dst, len);
}

static esp_err_t program_around(flash_recorder_t *recorder, uint32_t off, const uint8_t *src, size_t len)
{
    size_t before = recorder->stuck_off - off;
    recorder->stuck++;
    esp_err_t err = otter_flash_program(recorder->inner, off, src, before);
    if (err != ESP_OK || before + 1 == len) {
        return err;
    }
    return otter_flash_program(recorder->inner, recorder->stuck_off + 1, src + before + 1, len - before - 1);
}

static esp_err_t recorder_program(otter_flash_t *flash, uint32_t off, const void *src, size_t len)
{
    flash_recorder_t *recorder = recorder_of(flash);
    if (must_fail(recorder, &recorder->fail_program)) {
        return ESP_ERR_FLASH_OP_FAIL;
    }
    note(recorder, FLASH_PROGRAM, off, len);
    if (recorder->stuck_off >= off && recorder->stuck_off < off + len && recorder->stuck_off != 0) {
        return program_around(recorder, off, src, len);
    }
    return otter_flash_program(recorder->inner, off, src, len);
}

static esp_err_t recorder_erase(otter_flash_t *flash, uint32_t off, size_t len)
{
    flash_recorder_t *recorder = recorder_of(flash);
    if (must_fail(recorder, &recorder->fail_erase)) {
        return ESP_ERR_FLASH_OP_FAIL;
    }
    note(recorder, FLASH_ERASE, off, len);
    return otter_flash_erase(recorder->inner, off, len);
}

static esp_err_t recorder_sync(otter_flash_t *flash)
{
    flash_recorder_t *recorder = recorder_of(flash);
    uint32_t none = 0;
    if (must_fail(recorder, &none)) {
        return ESP_ERR_FLASH_OP_FAIL;
    }
    note(recorder, FLASH_SYNC, 0, 0);
    return otter_flash_sync(recorder->inner);
}

static const otter_flash_ops_t recorder_ops = {
    .read = recorder_read, .program = recorder_program, .erase = recorder_erase, .sync = recorder_sync};

static otter_flash_t *recorder_init(flash_recorder_t *recorder, otter_flash_t *inner)
{
    recorder->base = *inner;
    recorder->base.ops = &recorder_ops;
    recorder->inner = inner;
    return &recorder->base;
}

/* ---- The layout ---- */

static uint32_t align(uint32_t value, uint32_t unit)
{
    return (value + unit - 1) / unit * unit;
}

/* Adds a partition behind those that are there. Returns where the next one may begin. */
static uint32_t add(ptable_t *table, uint32_t at, const char *label, uint8_t type, uint8_t subtype, uint32_t size)
{
    ptable_partition_t *partition = &table->partition[table->count++];
    partition->type = type;
    partition->subtype = subtype;
    partition->offset = type == PART_TYPE_APP ? align(at, APP_ALIGN) : at;
    partition->size = size;
    snprintf(partition->label, sizeof(partition->label), "%s", label);
    return partition->offset + size;
}

static uint32_t lay_out(device_t *device, const device_spec_t *spec)
{
    ptable_t *table = &device->table;
    uint32_t sector = device->sector;
    uint32_t app = align(4 * sector, APP_ALIGN);
    uint32_t at = device->table_offset + align(ESP_PARTITION_TABLE_SIZE, sector);
    at = add(table, at, "nvs", PART_TYPE_DATA, ESP_PARTITION_SUBTYPE_DATA_NVS, 4 * sector);
    if (!spec->no_otadata) {
        at = add(table, at, "otadata", PART_TYPE_DATA, ESP_PARTITION_SUBTYPE_DATA_OTA, 2 * sector);
    }
    if (!spec->no_factory) {
        at = add(table, at, "factory", PART_TYPE_APP, ESP_PARTITION_SUBTYPE_APP_FACTORY, app);
    }
    for (uint32_t i = 0; i < (spec->slots != 0 ? spec->slots : 2); i++) {
        char label[16];
        snprintf(label, sizeof(label), "ota_%u", (unsigned)i);
        at = add(table, at, label, PART_TYPE_APP, (uint8_t)(PART_SUBTYPE_OTA_FLAG + i), app);
    }
    at = add(table, at, "storage", PART_TYPE_DATA, ESP_PARTITION_SUBTYPE_DATA_SPIFFS, 2 * sector);
    at = add(table, at, "locked", PART_TYPE_DATA, ESP_PARTITION_SUBTYPE_DATA_FAT, sector);
    table->partition[table->count - 1].flags = PART_FLAG_READONLY;
    at = add(table, at, "test", PART_TYPE_APP, PART_SUBTYPE_TEST, app);
    if (spec->spare_table) {
        at = add(table, at, "table2", PART_TYPE_PARTITION_TABLE, PART_SUBTYPE_PARTITION_TABLE_OTA, sector);
    }
    if (spec->recovery_bootloader) {
        at = add(table, at, "boot2", PART_TYPE_BOOTLOADER, PART_SUBTYPE_BOOTLOADER_RECOVERY, align(0x8000, sector));
    }
    return at + 2 * app; /* Room that no partition covers. */
}

static uint32_t first_app(const ptable_t *table)
{
    uint32_t first = UINT32_MAX;
    for (uint32_t i = 0; i < table->count; i++) {
        const ptable_partition_t *partition = &table->partition[i];
        first = partition->type == PART_TYPE_APP && partition->offset < first ? partition->offset : first;
    }
    return first;
}

device_t *device_open(const device_spec_t *spec)
{
    device_t *device = calloc(1, sizeof(*device));
    assert_non_null(device);
    device->sector = spec->sector_bytes != 0 ? spec->sector_bytes : 4096;
    device->table_offset = align(0x8000, device->sector);
    uint32_t size = lay_out(device, spec);
    device->bytes = malloc(size);
    assert_non_null(device->bytes);
    memset(device->bytes, 0xFF, size);
    assert_int_equal(ptable_build(&device->table, true, device->bytes + device->table_offset), PTABLE_OK);
    otter_flash_t *ram = otter_flash_ram_init(&device->ram, device->bytes, size, device->sector);
    otter_flash_t *nor = otter_flash_nor_init(&device->nor, ram);
    device->config.flash = recorder_init(&device->recorder, nor);
    device->recorder.apps_off = first_app(&device->table);
    otter_config_default(&device->config.config);
    device->config.config.chip_id = OTTER_CHIP_ID_LINUX_X86_64;
    device->config.config.partition_table_offset = device->table_offset;
    device->config.config.rollback = !spec->no_rollback;
    device_run(device, spec->running);
    return device;
}

void device_close(device_t *device)
{
    assert_int_equal(device->nor.violations, 0);
    esp_partition_unload_all();
    free(device->bytes);
    free(device);
}

void device_run(device_t *device, const char *label)
{
    device->config.running_address = OTTER_NOT_RUNNING;
    if (label != NULL) {
        const ptable_partition_t *partition = ptable_find_label(&device->table, label);
        assert_non_null(partition);
        device->config.running_address = partition->offset;
    }
    assert_err(otter_device_init(&device->config), ESP_OK);
}

const esp_partition_t *device_partition(const char *label)
{
    const esp_partition_t *partition =
        esp_partition_find_first(ESP_PARTITION_TYPE_ANY, ESP_PARTITION_SUBTYPE_ANY, label);
    assert_non_null(partition);
    return partition;
}

size_t device_put_app(device_t *device, const char *label, const char *version)
{
    fixture_image_t spec = FIXTURE_IMAGE("fixture", version);
    size_t len = 0;
    uint8_t *image = fixture_image(&spec, &len);
    const ptable_partition_t *partition = ptable_find_label(&device->table, label);
    assert_non_null(partition);
    memset(device->bytes + partition->offset, 0xFF, partition->size);
    memcpy(device->bytes + partition->offset, image, len);
    free(image);
    return len;
}

static uint8_t *record_bytes(const device_t *device, uint32_t sector)
{
    const ptable_partition_t *otadata = ptable_find_label(&device->table, "otadata");
    assert_non_null(otadata);
    return device->bytes + otadata->offset + sector * device->sector;
}

void device_put_record(device_t *device, uint32_t sector, uint32_t seq, uint32_t state)
{
    memset(record_bytes(device, sector), 0xFF, device->sector);
    otadata_encode(record_bytes(device, sector), seq, state);
}

otadata_record_t device_record(const device_t *device, uint32_t sector)
{
    return otadata_decode(record_bytes(device, sector));
}

void device_clear_events(device_t *device)
{
    device->recorder.count = 0;
    device->recorder.read_bytes = 0;
}

void assert_event(const device_t *device, uint32_t *index, flash_event_kind_t kind, uint32_t off, uint32_t len)
{
    assert_true(*index < device->recorder.count);
    const flash_event_t *event = &device->recorder.event[(*index)++];
    assert_int_equal(event->kind, kind);
    assert_int_equal(event->off, off);
    assert_int_equal(event->len, len);
}
