/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/device/https_ota_bench.h"

#include <stdlib.h>

#include "boot/boot.h"
#include "core/ptable/ptable.h"
#include "esp_event.h"
#include "otter/otter_device.h"
#include "otter/otter_os.h"
#include "tests/support/test.h"

#define AWAIT_US 5000000

static struct {
    otter_mutex_t mutex;
    otter_signal_t signal;
    size_t count;
    bench_event_t event[BENCH_EVENTS];
} events;

static bench_t *bench_of(otter_flash_t *watch)
{
    return (bench_t *)(void *)((uint8_t *)watch - offsetof(bench_t, watch));
}

static bool in(uint32_t off, uint32_t start, uint32_t size)
{
    return off >= start && off - start < size;
}

/* Takes one of the failures that are still due. */
static bool due(bench_t *bench, uint32_t *left)
{
    if (*left == 0) {
        return false;
    }
    (*left)--;
    bench->failed++;
    return true;
}

static esp_err_t watch_read(otter_flash_t *flash, uint32_t off, void *dst, size_t len)
{
    bench_t *bench = bench_of(flash);
    bench->middle_reads += off <= BENCH_MIDDLE && BENCH_MIDDLE - off < len;
    return otter_flash_read(&bench->nor.base, off, dst, len);
}

static esp_err_t watch_program(otter_flash_t *flash, uint32_t off, const void *src, size_t len)
{
    bench_t *bench = bench_of(flash);
    bool slot = in(off, BENCH_OTA_1, BENCH_SLOT_BYTES);
    bench->slot_programs += slot;
    bench->otadata_changes += in(off, BENCH_OTADATA, 0x2000);
    bench->running_changes += in(off, BENCH_OTA_0, BENCH_SLOT_BYTES);
    if (slot && due(bench, &bench->fail_programs)) {
        return ESP_ERR_FLASH_OP_FAIL;
    }
    return otter_flash_program(&bench->nor.base, off, src, len);
}

static esp_err_t watch_erase(otter_flash_t *flash, uint32_t off, size_t len)
{
    bench_t *bench = bench_of(flash);
    bool slot = in(off, BENCH_OTA_1, BENCH_SLOT_BYTES);
    bench->slot_erases += slot;
    bench->otadata_changes += in(off, BENCH_OTADATA, 0x2000);
    bench->running_changes += in(off, BENCH_OTA_0, BENCH_SLOT_BYTES);
    if (slot && due(bench, &bench->fail_erases)) {
        return ESP_ERR_FLASH_OP_FAIL;
    }
    return otter_flash_erase(&bench->nor.base, off, len);
}

static esp_err_t watch_sync(otter_flash_t *flash)
{
    return otter_flash_sync(&bench_of(flash)->nor.base);
}

static const otter_flash_ops_t watch_ops = {
    .read = watch_read, .program = watch_program, .erase = watch_erase, .sync = watch_sync};

static void note_event(void *arg, esp_event_base_t base, int32_t id, void *data)
{
    /* Bytes of data that each event carries. */
    static const size_t lens[] = {[ESP_HTTPS_OTA_VERIFY_CHIP_ID] = 2,
                                  [ESP_HTTPS_OTA_VERIFY_CHIP_REVISION] = 2,
                                  [ESP_HTTPS_OTA_WRITE_FLASH] = 4,
                                  [ESP_HTTPS_OTA_UPDATE_BOOT_PARTITION] = 4,
                                  [ESP_HTTPS_OTA_ABORT] = 0};
    (void)arg;
    (void)base;
    otter_mutex_lock(&events.mutex);
    if (events.count < BENCH_EVENTS) {
        bench_event_t *event = &events.event[events.count++];
        *event = (bench_event_t){.id = id, .len = data != NULL ? lens[id] : 0};
        if (data != NULL) {
            memcpy(&event->number, data, event->len);
        }
    }
    otter_signal_raise(&events.signal);
    otter_mutex_unlock(&events.mutex);
}

static bool seen(esp_https_ota_event_t id)
{
    for (size_t i = 0; i < events.count; i++) {
        if (events.event[i].id == (int32_t)id) {
            return true;
        }
    }
    return false;
}

size_t bench_await(esp_https_ota_event_t id)
{
    int64_t deadline_us = otter_now_us() + AWAIT_US;
    otter_mutex_lock(&events.mutex);
    bool in_time = true;
    while (in_time && !seen(id)) {
        in_time = otter_signal_wait(&events.signal, &events.mutex, deadline_us);
    }
    bool found = seen(id);
    size_t count = events.count;
    otter_mutex_unlock(&events.mutex);
    if (!found) {
        fail_msg("event %d did not come", (int)id);
    }
    return count;
}

bench_event_t bench_event(size_t index)
{
    otter_mutex_lock(&events.mutex);
    bench_event_t event = events.event[index];
    otter_mutex_unlock(&events.mutex);
    return event;
}

void bench_forget_events(void)
{
    otter_mutex_lock(&events.mutex);
    events.count = 0;
    otter_mutex_unlock(&events.mutex);
}

static void write_table(bench_t *bench)
{
    static const ptable_t table = {
        .count = 4,
        .partition = {{.type = 1, .subtype = 2, .offset = 0x9000, .size = 0x4000, .label = "nvs"},
                      {.type = 1, .subtype = 0, .offset = BENCH_OTADATA, .size = 0x2000, .label = "otadata"},
                      {.type = 0, .subtype = 0x10, .offset = BENCH_OTA_0, .size = BENCH_SLOT_BYTES, .label = "ota_0"},
                      {.type = 0, .subtype = 0x11, .offset = BENCH_OTA_1, .size = BENCH_SLOT_BYTES, .label = "ota_1"}},
    };
    assert_int_equal(ptable_build(&table, true, bench->bytes + 0x8000), PTABLE_OK);
}

static void write_running(bench_t *bench)
{
    fixture_image_t spec = FIXTURE_IMAGE("bench", "1.0.0");
    size_t len;
    uint8_t *image = fixture_image(&spec, &len);
    memcpy(bench->bytes + BENCH_OTA_0, image, len);
    free(image);
    otadata_encode(bench->bytes + BENCH_OTADATA, 1, ESP_OTA_IMG_VALID);
}

otter_config_t bench_config(void)
{
    otter_config_t config;
    otter_config_default(&config);
    config.chip_id = OTTER_CHIP_ID_LINUX_X86_64;
    config.download.retries = 0;
    config.download.backoff_first_ms = 1;
    return config;
}

void bench_configure(bench_t *bench, const otter_config_t *config)
{
    otter_device_t device = {
        .flash = &bench->watch, .key_store = bench->key_store, .config = *config, .running_address = BENCH_OTA_0};
    memcpy(&device.app_desc, bench->bytes + BENCH_OTA_0 + IMAGE_DESC_OFFSET, sizeof(device.app_desc));
    assert_err(otter_device_init(&device), ESP_OK);
    bench_forget_events();
    assert_err(esp_event_loop_create_default(), ESP_OK);
    assert_err(esp_event_handler_register(ESP_HTTPS_OTA_EVENT, ESP_EVENT_ANY_ID, note_event, NULL), ESP_OK);
}

void bench_limit_stalls(bench_t *bench, uint32_t limit_ms)
{
    otter_config_t config = bench_config();
    config.download.stall_ms = limit_ms;
    bench_configure(bench, &config);
}

int bench_setup(void **state)
{
    bench_t *bench = calloc(1, sizeof(*bench));
    assert_non_null(bench);
    memset(bench->bytes, 0xff, sizeof(bench->bytes));
    write_table(bench);
    write_running(bench);
    otter_flash_ram_init(&bench->ram, bench->bytes, sizeof(bench->bytes), 4096);
    otter_flash_nor_init(&bench->nor, &bench->ram.base);
    bench->watch = bench->nor.base;
    bench->watch.ops = &watch_ops;
    fixture_image_t spec = FIXTURE_IMAGE("bench", "2.0.0");
    spec.segment_bytes[0] = 20000;
    spec.segment_bytes[1] = 8000;
    spec.seed = 2;
    bench->image = fixture_image(&spec, &bench->image_len);
    otter_config_t config = bench_config();
    bench_configure(bench, &config);
    *state = bench;
    return 0;
}

int bench_teardown(void **state)
{
    bench_t *bench = *state;
    assert_err(esp_event_loop_delete_default(), ESP_OK);
    assert_int_equal(bench->running_changes, 0);
    assert_int_equal(bench->nor.violations, 0);
    free(bench->image);
    free(bench);
    return 0;
}

int bench_boots(bench_t *bench)
{
    otter_config_t config = bench_config();
    boot_env_t env = {.flash = &bench->watch, .key_store = bench->key_store, .config = &config, .dry_run = true};
    boot_result_t result;
    assert_err(boot_choose(&env, &result), ESP_OK);
    return result.slot;
}

void bench_assert_nothing_switched(bench_t *bench)
{
    assert_int_equal(bench_boots(bench), 0);
    assert_int_equal(esp_ota_get_boot_partition()->address, BENCH_OTA_0);
    assert_int_equal(bench->running_changes, 0);
}

void bench_assert_switched(bench_t *bench)
{
    assert_int_equal(bench_boots(bench), 1);
    assert_int_equal(esp_ota_get_boot_partition()->address, BENCH_OTA_1);
    assert_memory_equal(bench->bytes + BENCH_OTA_1, bench->image, bench->image_len);
}
