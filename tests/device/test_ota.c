/* SPDX-License-Identifier: Apache-2.0 */
/* Writing an image: begin, write, end. */
#include <stdlib.h>

#include "otter/otter_os.h"
#include "tests/device/device_fixture.h"
#include "tests/support/image_fixture.h"
#include "tests/support/test.h"

static const device_spec_t plain = {.running = "factory"};
static const device_spec_t large_sectors = {.running = "factory", .sector_bytes = 64 << 10};
static const device_spec_t huge_sectors = {.running = "factory", .sector_bytes = 256 << 10};

static int open_device(void **state)
{
    *state = device_open(&plain);
    return 0;
}

static int open_sector_64k(void **state)
{
    *state = device_open(&large_sectors);
    return 0;
}

static int open_sector_256k(void **state)
{
    *state = device_open(&huge_sectors);
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

/* Bytes that begin like an image; nothing else about them is right. */
static uint8_t *make_noise(size_t len)
{
    uint8_t *noise = malloc(len);
    assert_non_null(noise);
    uint32_t seed = 1;
    for (size_t i = 0; i < len; i++) {
        noise[i] = (uint8_t)fixture_random(&seed);
    }
    noise[0] = ESP_IMAGE_HEADER_MAGIC;
    return noise;
}

/* Writes an app to a slot as an application would. */
static esp_err_t install(const char *label, const char *version, size_t image_size)
{
    size_t len = 0;
    uint8_t *image = make_app(version, &len);
    esp_ota_handle_t handle = 0;
    assert_err(esp_ota_begin(device_partition(label), image_size, &handle), ESP_OK);
    assert_err(esp_ota_write(handle, image, 100), ESP_OK);
    assert_err(esp_ota_write(handle, image + 100, len - 100), ESP_OK);
    free(image);
    return esp_ota_end(handle);
}

/* ---- Begin ---- */

static void an_image_is_written_verified_and_readable(void **state)
{
    (void)state;
    esp_app_desc_t desc;
    assert_err(install("ota_0", "2.1", OTA_SIZE_UNKNOWN), ESP_OK);
    assert_err(esp_ota_get_partition_description(device_partition("ota_0"), &desc), ESP_OK);
    assert_string_equal(desc.version, "2.1");
}

static void begin_checks_its_arguments_and_leaves_the_handle_alone(void **state)
{
    const device_t *device = *state;
    esp_ota_handle_t handle = 77;
    esp_partition_t moved = *device_partition("ota_0");
    moved.address -= 1;
    assert_err(esp_ota_begin(NULL, 0, &handle), ESP_ERR_INVALID_ARG);
    assert_err(esp_ota_begin(device_partition("ota_0"), 0, NULL), ESP_ERR_INVALID_ARG);
    assert_err(esp_ota_begin(&moved, 0, &handle), ESP_ERR_NOT_FOUND);
    assert_err(esp_ota_begin(device_partition("factory"), 0, &handle), ESP_ERR_INVALID_ARG);
    assert_err(esp_ota_begin(device_partition("test"), 0, &handle), ESP_ERR_INVALID_ARG);
    assert_err(esp_ota_begin(device_partition("locked"), 0, &handle), ESP_ERR_NOT_ALLOWED);
    assert_err(esp_ota_begin(device_partition("locked"), OTA_WITH_SEQUENTIAL_WRITES, &handle), ESP_ERR_NOT_ALLOWED);
    assert_int_equal(handle, 77);
    assert_int_equal(device->recorder.count, 0);
}

static void the_running_slot_is_not_overwritten(void **state)
{
    device_t *device = *state;
    esp_ota_handle_t handle = 0;
    device_run(device, "ota_0");
    assert_err(esp_ota_begin(device_partition("ota_0"), 0, &handle), ESP_ERR_OTA_PARTITION_CONFLICT);
    assert_err(esp_ota_resume(device_partition("ota_0"), 0, 0, &handle), ESP_ERR_OTA_PARTITION_CONFLICT);
    assert_int_equal(handle, 0);
    assert_int_equal(device->recorder.count, 0);
}

static void otadata_is_no_target_but_other_data_is(void **state)
{
    const device_t *device = *state;
    esp_ota_handle_t handle = 0;
    assert_err(esp_ota_begin(device_partition("otadata"), 0, &handle), ESP_ERR_INVALID_ARG);
    assert_int_equal(device->recorder.count, 0);
    assert_err(esp_ota_begin(device_partition("storage"), 0, &handle), ESP_OK);
    assert_err(esp_ota_write(handle, "any bytes", 9), ESP_OK);
    assert_err(esp_ota_end(handle), ESP_OK);
    assert_memory_equal(device->bytes + device_partition("storage")->address, "any bytes", 9);
}

static void an_unconfirmed_app_may_not_update(void **state)
{
    device_t *device = *state;
    esp_ota_handle_t handle = 0;
    device_run(device, "ota_0");
    device_put_record(device, 0, 1, ESP_OTA_IMG_PENDING_VERIFY);
    assert_err(esp_ota_begin(device_partition("ota_1"), 0, &handle), ESP_ERR_OTA_ROLLBACK_INVALID_STATE);
    assert_err(esp_ota_resume(device_partition("ota_1"), 0, 0, &handle), ESP_ERR_OTA_ROLLBACK_INVALID_STATE);
    device_put_record(device, 0, 1, 7); /* Nobody knows this state. */
    assert_err(esp_ota_begin(device_partition("ota_1"), 0, &handle), ESP_ERR_OTA_ROLLBACK_INVALID_STATE);
    assert_int_equal(device->recorder.count, 0);
    device_put_record(device, 0, 1, ESP_OTA_IMG_VALID);
    assert_err(esp_ota_begin(device_partition("ota_1"), 0, &handle), ESP_OK);
    assert_err(esp_ota_abort(handle), ESP_OK);
}

static void without_rollback_an_unconfirmed_app_may_update(void **state)
{
    device_t *device = *state;
    esp_ota_handle_t handle = 0;
    device->config.config.rollback = false;
    device_run(device, "ota_0");
    device_put_record(device, 0, 1, ESP_OTA_IMG_PENDING_VERIFY);
    assert_err(esp_ota_begin(device_partition("ota_1"), 0, &handle), ESP_OK);
    assert_err(esp_ota_abort(handle), ESP_OK);
}

static void a_slot_has_one_operation_at_a_time(void **state)
{
    (void)state;
    esp_ota_handle_t first = 0;
    esp_ota_handle_t second = 0;
    assert_err(esp_ota_begin(device_partition("ota_0"), 0, &first), ESP_OK);
    assert_err(esp_ota_begin(device_partition("ota_0"), 0, &second), ESP_ERR_OTA_ALREADY_IN_PROGRESS);
    assert_err(esp_ota_resume(device_partition("ota_0"), 0, 0, &second), ESP_ERR_OTA_ALREADY_IN_PROGRESS);
    assert_err(esp_ota_begin(device_partition("ota_1"), 0, &second), ESP_OK);
    assert_int_not_equal(first, second);
    assert_err(esp_ota_abort(first), ESP_OK);
    assert_err(esp_ota_begin(device_partition("ota_0"), 0, &first), ESP_OK);
    assert_err(esp_ota_abort(first), ESP_OK);
    assert_err(esp_ota_abort(second), ESP_OK);
}

static void a_begin_that_failed_leaves_the_slot_free(void **state)
{
    device_t *device = *state;
    esp_ota_handle_t handle = 0;
    device->recorder.fail_erase = 1;
    assert_err(esp_ota_begin(device_partition("ota_0"), 0, &handle), ESP_ERR_FLASH_OP_FAIL);
    assert_int_equal(device->recorder.failures_done, 1);
    assert_int_equal(handle, 0);
    assert_err(install("ota_0", "1.0", 0), ESP_OK);
}

static void an_image_too_large_for_the_slot_erases_nothing(void **state)
{
    device_t *device = *state;
    const esp_partition_t *ota_0 = device_partition("ota_0");
    esp_ota_handle_t handle = 0;
    device_put_record(device, 0, 1, ESP_OTA_IMG_VALID);
    assert_err(esp_ota_begin(ota_0, ota_0->size + 1, &handle), ESP_ERR_INVALID_SIZE);
    assert_int_equal(device->recorder.count, 0);
    assert_true(device_record(device, 0).good);
    assert_err(esp_ota_begin(ota_0, ota_0->size, &handle), ESP_OK);
    assert_err(esp_ota_abort(handle), ESP_OK);
}

static void begin_erases_as_many_sectors_as_the_image_needs(void **state)
{
    const device_t *device = *state;
    const esp_partition_t *ota_0 = device_partition("ota_0");
    esp_ota_handle_t handle = 0;
    assert_err(esp_ota_begin(ota_0, device->sector + 1, &handle), ESP_OK);
    uint32_t at = 0;
    assert_event(device, &at, FLASH_ERASE, ota_0->address, 2 * device->sector);
    assert_int_equal(device->recorder.count, at);
    assert_err(esp_ota_abort(handle), ESP_OK);
}

/* Index of the first event behind @p index that is not about otadata. One erase there belongs to the change of one record, of
 * sector 0; a sync ends it. */
static uint32_t skip_otadata_events(const device_t *device, uint32_t index)
{
    const esp_partition_t *otadata = device_partition("otadata");
    uint32_t erases = 0;
    for (; index < device->recorder.count; index++) {
        const flash_event_t *event = &device->recorder.event[index];
        bool inside = event->off >= otadata->address && event->off < otadata->address + otadata->size;
        if (event->kind != FLASH_SYNC && !inside) {
            break;
        }
        if (event->kind == FLASH_ERASE) {
            assert_int_equal(event->off, otadata->address);
            erases++;
        }
    }
    assert_int_equal(erases, 1);
    assert_int_equal(device->recorder.event[index - 1].kind, FLASH_SYNC);
    return index;
}

static void begin_forgets_the_records_of_the_slot_and_no_other(void **state)
{
    device_t *device = *state;
    esp_ota_handle_t handle = 0;
    esp_ota_img_states_t found = ESP_OTA_IMG_NEW;
    device_run(device, "ota_1");
    device_put_record(device, 0, 1, ESP_OTA_IMG_VALID);
    device_put_record(device, 1, 2, ESP_OTA_IMG_VALID);
    assert_err(esp_ota_begin(device_partition("ota_0"), OTA_WITH_SEQUENTIAL_WRITES, &handle), ESP_OK);
    assert_int_equal(skip_otadata_events(device, 0), device->recorder.count);
    assert_err(esp_ota_get_state_partition(device_partition("ota_0"), &found), ESP_ERR_NOT_FOUND);
    assert_err(esp_ota_get_state_partition(device_partition("ota_1"), &found), ESP_OK);
    assert_int_equal(found, ESP_OTA_IMG_VALID);
    assert_null(esp_ota_get_last_invalid_partition());
    assert_err(esp_ota_abort(handle), ESP_OK);
}

static void begin_keeps_the_inactive_record_of_another_slot(void **state)
{
    device_t *device = device_open(&(device_spec_t){.slots = 3, .running = "ota_1"});
    esp_ota_handle_t handle = 0;
    (void)state;
    device_put_record(device, 0, 1, ESP_OTA_IMG_VALID); /* ota_0: the way back. */
    device_put_record(device, 1, 2, ESP_OTA_IMG_VALID); /* ota_1. */
    assert_err(esp_ota_begin(device_partition("ota_2"), OTA_WITH_SEQUENTIAL_WRITES, &handle), ESP_OK);
    assert_int_equal(device->recorder.count, 0);
    assert_true(device_record(device, 0).good);
    assert_err(esp_ota_abort(handle), ESP_OK);
    device_close(device);
}

static void records_are_forgotten_before_the_slot_is_erased(void **state)
{
    device_t *device = *state;
    esp_ota_handle_t handle = 0;
    const esp_partition_t *ota_0 = device_partition("ota_0");
    device_put_record(device, 0, 1, ESP_OTA_IMG_VALID);
    assert_err(esp_ota_begin(ota_0, device->sector, &handle), ESP_OK);
    uint32_t at = skip_otadata_events(device, 0);
    assert_event(device, &at, FLASH_ERASE, ota_0->address, device->sector);
    assert_err(esp_ota_abort(handle), ESP_OK);
}

/* ---- Write ---- */

/* The trace of ESP-IDF: 1000-byte writes erase a sector when they enter it, before they program. */
static void sequential_writes_erase_each_sector_when_they_reach_it(void **state)
{
    const device_t *device = *state;
    const esp_partition_t *ota_0 = device_partition("ota_0");
    uint8_t *noise = make_noise(20000);
    esp_ota_handle_t handle = 0;
    assert_err(esp_ota_begin(ota_0, OTA_WITH_SEQUENTIAL_WRITES, &handle), ESP_OK);
    uint32_t at = 0;
    for (uint32_t off = 0; off < 6000; off += 1000) {
        assert_err(esp_ota_write(handle, noise + off, 1000), ESP_OK);
        if (off == 0 || off == 4000) {
            assert_event(device, &at, FLASH_ERASE, ota_0->address + off / 4096 * 4096 + (off == 4000 ? 4096 : 0), 4096);
        }
        assert_event(device, &at, FLASH_PROGRAM, ota_0->address + off, 1000);
    }
    assert_err(esp_ota_write(handle, noise + 6000, 8192), ESP_OK);
    assert_event(device, &at, FLASH_ERASE, ota_0->address + 0x2000, 0x2000);
    assert_event(device, &at, FLASH_PROGRAM, ota_0->address + 6000, 8192);
    assert_int_equal(device->recorder.count, at);
    assert_err(esp_ota_abort(handle), ESP_OK);
    free(noise);
}

/* Two writes: one that ends inside sector 0, one that crosses into sector 1. */
static void check_sequential_erase(const device_t *device)
{
    const esp_partition_t *ota_0 = device_partition("ota_0");
    uint32_t sector = device->sector;
    uint8_t *noise = make_noise(sector + 8);
    esp_ota_handle_t handle = 0;
    assert_err(esp_ota_begin(ota_0, OTA_WITH_SEQUENTIAL_WRITES, &handle), ESP_OK);
    assert_err(esp_ota_write(handle, noise, sector - 4), ESP_OK);
    assert_err(esp_ota_write(handle, noise + sector - 4, 8), ESP_OK);
    uint32_t at = 0;
    assert_event(device, &at, FLASH_ERASE, ota_0->address, sector);
    assert_event(device, &at, FLASH_PROGRAM, ota_0->address, sector - 4);
    assert_event(device, &at, FLASH_ERASE, ota_0->address + sector, sector);
    assert_event(device, &at, FLASH_PROGRAM, ota_0->address + sector - 4, 8);
    assert_int_equal(device->recorder.count, at);
    assert_err(esp_ota_abort(handle), ESP_OK);
    free(noise);
}

static void sequential_writes_follow_sectors_of_4_kib(void **state)
{
    check_sequential_erase(*state);
}

static void sequential_writes_follow_sectors_of_64_kib(void **state)
{
    check_sequential_erase(*state);
}

static void sequential_writes_follow_sectors_of_256_kib(void **state)
{
    check_sequential_erase(*state);
}

static void a_write_repeated_after_an_error_erases_nothing_twice(void **state)
{
    device_t *device = *state;
    const esp_partition_t *ota_0 = device_partition("ota_0");
    uint8_t *noise = make_noise(100);
    esp_ota_handle_t handle = 0;
    assert_err(esp_ota_begin(ota_0, OTA_WITH_SEQUENTIAL_WRITES, &handle), ESP_OK);
    device->recorder.fail_program = 1;
    assert_err(esp_ota_write(handle, noise, 100), ESP_ERR_FLASH_OP_FAIL);
    assert_int_equal(device->recorder.failures_done, 1);
    assert_err(esp_ota_write(handle, noise, 100), ESP_OK);
    uint32_t at = 0;
    assert_event(device, &at, FLASH_ERASE, ota_0->address, device->sector);
    assert_event(device, &at, FLASH_PROGRAM, ota_0->address, 100);
    assert_int_equal(device->recorder.count, at);
    assert_err(esp_ota_abort(handle), ESP_OK);
    free(noise);
}

static void a_write_behind_the_announced_size_does_not_land_in_old_bytes(void **state)
{
    device_t *device = *state;
    const esp_partition_t *ota_0 = device_partition("ota_0");
    uint8_t *noise = make_noise(5000);
    esp_ota_handle_t handle = 0;
    memset(device->bytes + ota_0->address, 0, ota_0->size);
    assert_err(esp_ota_begin(ota_0, 100, &handle), ESP_OK);
    assert_err(esp_ota_write(handle, noise, 5000), ESP_OK);
    assert_memory_equal(device->bytes + ota_0->address, noise, 5000);
    assert_err(esp_ota_abort(handle), ESP_OK);
    free(noise);
}

static void write_checks_its_arguments(void **state)
{
    (void)state;
    esp_ota_handle_t handle = 0;
    assert_err(esp_ota_write(99, NULL, 1), ESP_ERR_INVALID_ARG);
    assert_err(esp_ota_write(99, "x", 0), ESP_OK);
    assert_err(esp_ota_write(99, "x", 1), ESP_ERR_INVALID_ARG);
    assert_err(esp_ota_write_with_offset(99, NULL, 1, 0), ESP_ERR_INVALID_ARG);
    assert_err(esp_ota_write_with_offset(99, "x", 1, 0), ESP_ERR_INVALID_ARG);
    assert_err(esp_ota_begin(device_partition("ota_0"), 0, &handle), ESP_OK);
    assert_err(esp_ota_write(handle, NULL, 0), ESP_ERR_INVALID_ARG);
    assert_err(esp_ota_abort(handle), ESP_OK);
}

static void what_does_not_begin_like_an_image_is_refused_before_it_costs_a_sector(void **state)
{
    const device_t *device = *state;
    esp_ota_handle_t handle = 0;
    assert_err(esp_ota_begin(device_partition("ota_0"), OTA_WITH_SEQUENTIAL_WRITES, &handle), ESP_OK);
    assert_err(esp_ota_write(handle, "<html>", 6), ESP_ERR_OTA_VALIDATE_FAILED);
    assert_int_equal(device->recorder.count, 0);
    assert_err(esp_ota_abort(handle), ESP_OK);
}

static void a_write_behind_the_end_changes_nothing(void **state)
{
    const device_t *device = *state;
    const esp_partition_t *ota_0 = device_partition("ota_0");
    uint8_t *noise = make_noise(ota_0->size + 1);
    esp_ota_handle_t handle = 0;
    assert_err(esp_ota_begin(ota_0, OTA_WITH_SEQUENTIAL_WRITES, &handle), ESP_OK);
    assert_err(esp_ota_write(handle, noise, ota_0->size + 1), ESP_ERR_INVALID_SIZE);
    assert_int_equal(device->recorder.count, 0);
    assert_err(esp_ota_write(handle, noise, ota_0->size), ESP_OK);
    assert_err(esp_ota_write(handle, noise, 1), ESP_ERR_INVALID_SIZE);
    assert_err(esp_ota_abort(handle), ESP_OK);
    free(noise);
}

static void writes_with_an_offset_come_in_any_order_and_others_follow_the_furthest(void **state)
{
    (void)state;
    size_t len = 0;
    uint8_t *image = make_app("3.0", &len);
    esp_ota_handle_t handle = 0;
    assert_err(esp_ota_begin(device_partition("ota_0"), 0, &handle), ESP_OK);
    assert_err(esp_ota_write_with_offset(handle, image + 512, len - 612, 512), ESP_OK);
    assert_err(esp_ota_write_with_offset(handle, image, 512, 0), ESP_OK);
    assert_err(esp_ota_write(handle, image + len - 100, 100), ESP_OK);
    assert_err(esp_ota_end(handle), ESP_OK);
    free(image);
}

static void a_write_with_an_offset_is_an_error_while_writes_erase(void **state)
{
    const device_t *device = *state;
    esp_ota_handle_t handle = 0;
    assert_err(esp_ota_begin(device_partition("ota_0"), OTA_WITH_SEQUENTIAL_WRITES, &handle), ESP_OK);
    assert_err(esp_ota_write_with_offset(handle, "\xE9", 1, 0), ESP_ERR_INVALID_STATE);
    assert_int_equal(device->recorder.count, 0);
    assert_err(esp_ota_abort(handle), ESP_OK);
}

/* ---- Resume ---- */

static void a_resumed_operation_goes_on_where_the_bytes_end(void **state)
{
    device_t *device = *state;
    const esp_partition_t *ota_0 = device_partition("ota_0");
    size_t len = 0;
    uint8_t *image = make_app("4.0", &len);
    esp_ota_handle_t handle = 0;
    memcpy(device->bytes + ota_0->address, image, 1000);
    assert_err(esp_ota_resume(ota_0, OTA_WITH_SEQUENTIAL_WRITES, 1000, &handle), ESP_OK);
    assert_int_equal(device->recorder.count, 0);
    assert_err(esp_ota_write(handle, image + 1000, len - 1000), ESP_OK);
    assert_err(esp_ota_end(handle), ESP_OK);
    uint32_t at = 0;
    assert_event(device, &at, FLASH_PROGRAM, ota_0->address + 1000, (uint32_t)len - 1000);
    free(image);
}

static void a_resumed_operation_erases_from_the_next_sector_on(void **state)
{
    const device_t *device = *state;
    const esp_partition_t *ota_0 = device_partition("ota_0");
    uint8_t *noise = make_noise(4096);
    esp_ota_handle_t handle = 0;
    assert_err(esp_ota_resume(ota_0, OTA_WITH_SEQUENTIAL_WRITES, 6000, &handle), ESP_OK);
    assert_err(esp_ota_write(handle, noise, 1000), ESP_OK);
    assert_err(esp_ota_write(handle, noise, 4096), ESP_OK);
    uint32_t at = 0;
    assert_event(device, &at, FLASH_PROGRAM, ota_0->address + 6000, 1000);
    assert_event(device, &at, FLASH_ERASE, ota_0->address + 8192, 4096);
    assert_event(device, &at, FLASH_PROGRAM, ota_0->address + 7000, 4096);
    assert_err(esp_ota_abort(handle), ESP_OK);
    free(noise);
}

static void resume_forgets_the_records_of_the_slot_and_no_other(void **state)
{
    device_t *device = *state;
    esp_ota_handle_t handle = 0;
    device_run(device, "ota_1");
    device_put_record(device, 0, 1, ESP_OTA_IMG_VALID); /* ota_0, which is half written. */
    device_put_record(device, 1, 2, ESP_OTA_IMG_VALID);
    assert_err(esp_ota_resume(device_partition("ota_0"), OTA_WITH_SEQUENTIAL_WRITES, 4096, &handle), ESP_OK);
    assert_int_equal(skip_otadata_events(device, 0), device->recorder.count);
    assert_false(device_record(device, 0).good);
    assert_true(device_record(device, 1).good);
    assert_err(esp_ota_abort(handle), ESP_OK);
}

static void a_resume_that_cannot_forget_the_records_leaves_the_slot_free(void **state)
{
    device_t *device = *state;
    esp_ota_handle_t handle = 0;
    device_run(device, "ota_1");
    device_put_record(device, 0, 1, ESP_OTA_IMG_VALID);
    device_put_record(device, 1, 2, ESP_OTA_IMG_VALID);
    device->recorder.fail_erase = 1;
    assert_err(esp_ota_resume(device_partition("ota_0"), 0, 4096, &handle), ESP_ERR_FLASH_OP_FAIL);
    assert_int_equal(device->recorder.failures_done, 1);
    assert_int_equal(handle, 0);
    assert_err(esp_ota_resume(device_partition("ota_0"), 0, 4096, &handle), ESP_OK);
    assert_err(esp_ota_abort(handle), ESP_OK);
}

static void resume_checks_its_arguments(void **state)
{
    (void)state;
    const esp_partition_t *ota_0 = device_partition("ota_0");
    esp_ota_handle_t handle = 0;
    assert_err(esp_ota_resume(NULL, 0, 0, &handle), ESP_ERR_INVALID_ARG);
    assert_err(esp_ota_resume(ota_0, 0, 0, NULL), ESP_ERR_INVALID_ARG);
    assert_err(esp_ota_resume(ota_0, 0, ota_0->size + 1, &handle), ESP_ERR_INVALID_ARG);
    assert_err(esp_ota_resume(device_partition("test"), 0, 0, &handle), ESP_ERR_INVALID_ARG);
    assert_err(esp_ota_resume(device_partition("locked"), 0, 0, &handle), ESP_ERR_NOT_ALLOWED);
    assert_int_equal(handle, 0);
    assert_err(esp_ota_resume(ota_0, 0, ota_0->size, &handle), ESP_OK);
    assert_err(esp_ota_abort(handle), ESP_OK);
}

/* ---- End ---- */

static void end_refuses_a_truncated_image_and_the_handle_is_gone(void **state)
{
    (void)state;
    size_t len = 0;
    uint8_t *image = make_app("5.0", &len);
    esp_ota_handle_t handle = 0;
    assert_err(esp_ota_begin(device_partition("ota_0"), 0, &handle), ESP_OK);
    assert_err(esp_ota_write(handle, image, len - 1), ESP_OK);
    assert_err(esp_ota_end(handle), ESP_ERR_OTA_VALIDATE_FAILED);
    assert_err(esp_ota_end(handle), ESP_ERR_NOT_FOUND);
    assert_err(esp_ota_abort(handle), ESP_ERR_NOT_FOUND);
    free(image);
}

static void end_without_a_byte_written_is_an_error_and_the_handle_is_gone(void **state)
{
    (void)state;
    esp_ota_handle_t handle = 0;
    assert_err(esp_ota_begin(device_partition("ota_0"), OTA_WITH_SEQUENTIAL_WRITES, &handle), ESP_OK);
    assert_err(esp_ota_end(handle), ESP_ERR_INVALID_ARG);
    assert_err(esp_ota_end(handle), ESP_ERR_NOT_FOUND);
}

static void end_verifies_what_flash_holds_not_what_was_sent(void **state)
{
    device_t *device = *state;
    const esp_partition_t *ota_0 = device_partition("ota_0");
    size_t len = 0;
    uint8_t *image = make_app("5.1", &len);
    esp_ota_handle_t handle = 0;
    assert_err(esp_ota_begin(ota_0, 0, &handle), ESP_OK);
    assert_err(esp_ota_write(handle, image, len), ESP_OK);
    device->bytes[ota_0->address + 0x180] ^= 0x10;
    assert_err(esp_ota_end(handle), ESP_ERR_OTA_VALIDATE_FAILED);
    free(image);
}

static void an_image_for_another_chip_is_refused(void **state)
{
    (void)state;
    fixture_image_t spec = FIXTURE_IMAGE_FOR(OTTER_CHIP_ID_QEMU_RISCV32, "fixture", "1.0");
    size_t len = 0;
    uint8_t *image = fixture_image(&spec, &len);
    esp_ota_handle_t handle = 0;
    assert_err(esp_ota_begin(device_partition("ota_0"), 0, &handle), ESP_OK);
    assert_err(esp_ota_write(handle, image, len), ESP_OK);
    assert_err(esp_ota_end(handle), ESP_ERR_OTA_VALIDATE_FAILED);
    free(image);
}

static void end_syncs_before_it_verifies(void **state)
{
    const device_t *device = *state;
    assert_err(install("ota_0", "1.0", OTA_WITH_SEQUENTIAL_WRITES), ESP_OK);
    assert_int_equal(device->recorder.event[device->recorder.count - 1].kind, FLASH_SYNC);
}

static void abort_leaves_flash_as_it_is(void **state)
{
    const device_t *device = *state;
    esp_ota_handle_t handle = 0;
    assert_err(esp_ota_begin(device_partition("ota_0"), OTA_WITH_SEQUENTIAL_WRITES, &handle), ESP_OK);
    assert_err(esp_ota_write(handle, "\xE9", 1), ESP_OK);
    uint32_t before = device->recorder.count;
    assert_err(esp_ota_abort(handle), ESP_OK);
    assert_err(esp_ota_abort(handle), ESP_ERR_NOT_FOUND);
    assert_int_equal(device->recorder.count, before);
}

/* ---- Several tasks ---- */

typedef struct updater {
    const char *label;
    esp_err_t result;
    otter_mutex_t *lock;
    otter_signal_t *done;
    int *running;
} updater_t;

static void update_task(void *arg)
{
    updater_t *updater = arg;
    for (int i = 0; i < 10 && updater->result == ESP_OK; i++) {
        updater->result = install(updater->label, "7.0", OTA_WITH_SEQUENTIAL_WRITES);
    }
    otter_mutex_lock(updater->lock);
    *updater->running -= 1;
    otter_signal_raise(updater->done);
    otter_mutex_unlock(updater->lock);
}

static void two_tasks_update_two_slots_at_once(void **state)
{
    (void)state;
    otter_mutex_t lock = {{0}};
    otter_signal_t done = {{0}};
    int running = 2;
    updater_t updaters[2] = {
        {.label = "ota_0", .lock = &lock, .done = &done, .running = &running},
        {.label = "ota_1", .lock = &lock, .done = &done, .running = &running},
    };
    for (int i = 0; i < 2; i++) {
        assert_err(otter_task_start(update_task, &updaters[i], "updater", 64 << 10, NULL), ESP_OK);
    }
    otter_mutex_lock(&lock);
    int64_t deadline = otter_now_us() + 20 * 1000000;
    while (running > 0 && otter_signal_wait(&done, &lock, deadline)) {
    }
    otter_mutex_unlock(&lock);
    assert_int_equal(running, 0);
    assert_err(updaters[0].result, ESP_OK);
    assert_err(updaters[1].result, ESP_OK);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown(an_image_is_written_verified_and_readable, open_device, close_device),
    cmocka_unit_test_setup_teardown(begin_checks_its_arguments_and_leaves_the_handle_alone, open_device, close_device),
    cmocka_unit_test_setup_teardown(the_running_slot_is_not_overwritten, open_device, close_device),
    cmocka_unit_test_setup_teardown(otadata_is_no_target_but_other_data_is, open_device, close_device),
    cmocka_unit_test_setup_teardown(an_unconfirmed_app_may_not_update, open_device, close_device),
    cmocka_unit_test_setup_teardown(without_rollback_an_unconfirmed_app_may_update, open_device, close_device),
    cmocka_unit_test_setup_teardown(a_slot_has_one_operation_at_a_time, open_device, close_device),
    cmocka_unit_test_setup_teardown(a_begin_that_failed_leaves_the_slot_free, open_device, close_device),
    cmocka_unit_test_setup_teardown(an_image_too_large_for_the_slot_erases_nothing, open_device, close_device),
    cmocka_unit_test_setup_teardown(begin_erases_as_many_sectors_as_the_image_needs, open_device, close_device),
    cmocka_unit_test_setup_teardown(begin_forgets_the_records_of_the_slot_and_no_other, open_device, close_device),
    cmocka_unit_test(begin_keeps_the_inactive_record_of_another_slot),
    cmocka_unit_test_setup_teardown(records_are_forgotten_before_the_slot_is_erased, open_device, close_device),
    cmocka_unit_test_setup_teardown(sequential_writes_erase_each_sector_when_they_reach_it, open_device, close_device),
    cmocka_unit_test_setup_teardown(sequential_writes_follow_sectors_of_4_kib, open_device, close_device),
    cmocka_unit_test_setup_teardown(sequential_writes_follow_sectors_of_64_kib, open_sector_64k, close_device),
    cmocka_unit_test_setup_teardown(sequential_writes_follow_sectors_of_256_kib, open_sector_256k, close_device),
    cmocka_unit_test_setup_teardown(a_write_repeated_after_an_error_erases_nothing_twice, open_device, close_device),
    cmocka_unit_test_setup_teardown(a_write_behind_the_announced_size_does_not_land_in_old_bytes, open_device,
                                    close_device),
    cmocka_unit_test_setup_teardown(write_checks_its_arguments, open_device, close_device),
    cmocka_unit_test_setup_teardown(what_does_not_begin_like_an_image_is_refused_before_it_costs_a_sector, open_device,
                                    close_device),
    cmocka_unit_test_setup_teardown(a_write_behind_the_end_changes_nothing, open_device, close_device),
    cmocka_unit_test_setup_teardown(writes_with_an_offset_come_in_any_order_and_others_follow_the_furthest, open_device,
                                    close_device),
    cmocka_unit_test_setup_teardown(a_write_with_an_offset_is_an_error_while_writes_erase, open_device, close_device),
    cmocka_unit_test_setup_teardown(a_resumed_operation_goes_on_where_the_bytes_end, open_device, close_device),
    cmocka_unit_test_setup_teardown(a_resumed_operation_erases_from_the_next_sector_on, open_device, close_device),
    cmocka_unit_test_setup_teardown(resume_forgets_the_records_of_the_slot_and_no_other, open_device, close_device),
    cmocka_unit_test_setup_teardown(a_resume_that_cannot_forget_the_records_leaves_the_slot_free, open_device,
                                    close_device),
    cmocka_unit_test_setup_teardown(resume_checks_its_arguments, open_device, close_device),
    cmocka_unit_test_setup_teardown(end_refuses_a_truncated_image_and_the_handle_is_gone, open_device, close_device),
    cmocka_unit_test_setup_teardown(end_without_a_byte_written_is_an_error_and_the_handle_is_gone, open_device,
                                    close_device),
    cmocka_unit_test_setup_teardown(end_verifies_what_flash_holds_not_what_was_sent, open_device, close_device),
    cmocka_unit_test_setup_teardown(an_image_for_another_chip_is_refused, open_device, close_device),
    cmocka_unit_test_setup_teardown(end_syncs_before_it_verifies, open_device, close_device),
    cmocka_unit_test_setup_teardown(abort_leaves_flash_as_it_is, open_device, close_device),
    cmocka_unit_test_setup_teardown(two_tasks_update_two_slots_at_once, open_device, close_device),
};

TEST_MAIN(tests)
