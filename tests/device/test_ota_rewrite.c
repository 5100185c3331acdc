/* SPDX-License-Identifier: Apache-2.0 */
/* Writing an image to a flash that erases and programs in one go. */
#include <stdlib.h>

#include "tests/device/device_fixture.h"
#include "tests/support/image_fixture.h"
#include "tests/support/test.h"

/* Over the device's flash: what a rewrite does there is recorded as an erase and a program. */
typedef struct rewriter {
    otter_flash_t base;
    otter_flash_t *inner;
    uint32_t rewrites;
    uint32_t most_bytes; /* Of one. */
    uint32_t fail;       /* Fail this many. */
} rewriter_t;

static rewriter_t *rewriter_of(otter_flash_t *flash)
{
    return (rewriter_t *)flash;
}

static esp_err_t pass_read(otter_flash_t *flash, uint32_t off, void *dst, size_t len)
{
    return otter_flash_read(rewriter_of(flash)->inner, off, dst, len);
}

static esp_err_t pass_program(otter_flash_t *flash, uint32_t off, const void *src, size_t len)
{
    return otter_flash_program(rewriter_of(flash)->inner, off, src, len);
}

static esp_err_t pass_erase(otter_flash_t *flash, uint32_t off, size_t len)
{
    return otter_flash_erase(rewriter_of(flash)->inner, off, len);
}

static esp_err_t pass_sync(otter_flash_t *flash)
{
    return otter_flash_sync(rewriter_of(flash)->inner);
}

static esp_err_t rewrite(otter_flash_t *flash, uint32_t off, const void *src, size_t len)
{
    rewriter_t *rewriter = rewriter_of(flash);
    rewriter->rewrites++;
    rewriter->most_bytes = len > rewriter->most_bytes ? (uint32_t)len : rewriter->most_bytes;
    if (rewriter->fail > 0) {
        rewriter->fail--;
        return ESP_ERR_FLASH_OP_FAIL;
    }
    size_t whole = (len + flash->sector_bytes - 1) / flash->sector_bytes * flash->sector_bytes;
    esp_err_t err = otter_flash_erase(rewriter->inner, off, whole);
    return err == ESP_OK ? otter_flash_program(rewriter->inner, off, src, len) : err;
}

static const otter_flash_ops_t ops = {
    .read = pass_read, .program = pass_program, .erase = pass_erase, .sync = pass_sync, .rewrite = rewrite};

static rewriter_t rewriter;

static int open_with(void **state, uint32_t sector_bytes)
{
    device_t *device = device_open(&(device_spec_t){.running = "factory", .sector_bytes = sector_bytes});
    rewriter = (rewriter_t){.base = *device->config.flash, .inner = device->config.flash};
    rewriter.base.ops = &ops;
    device->config.flash = &rewriter.base;
    device_run(device, "factory");
    *state = device;
    return 0;
}

static int open_4k(void **state)
{
    return open_with(state, 4096);
}

static int open_64k(void **state)
{
    return open_with(state, 64 << 10);
}

static int close_device(void **state)
{
    device_close(*state);
    return 0;
}

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

/* Pieces of any size; what lay in the slot before is gone where they are, up to the end of the last sector. */
static void check_pieces(device_t *device)
{
    const esp_partition_t *ota_0 = device_partition("ota_0");
    uint32_t len = ota_0->size - device->sector - 77;
    uint8_t *noise = make_noise(len);
    esp_ota_handle_t handle = 0;
    uint32_t seed = 9;
    memset(device->bytes + ota_0->address, 0x5A, ota_0->size);
    assert_err(esp_ota_begin(ota_0, OTA_WITH_SEQUENTIAL_WRITES, &handle), ESP_OK);
    for (uint32_t off = 0; off < len;) {
        uint32_t piece = 1 + fixture_random(&seed) % 9000;
        piece = piece < len - off ? piece : len - off;
        assert_err(esp_ota_write(handle, noise + off, piece), ESP_OK);
        off += piece;
    }
    assert_err(esp_ota_abort(handle), ESP_OK);
    assert_memory_equal(device->bytes + ota_0->address, noise, len);
    uint32_t end = (len + device->sector - 1) / device->sector * device->sector;
    for (uint32_t i = len; i < ota_0->size; i++) {
        assert_int_equal(device->bytes[ota_0->address + i], i < end ? 0xFF : 0x5A);
    }
    assert_true(rewriter.rewrites > 0);
    free(noise);
}

static void pieces_of_any_size_end_up_where_they_belong(void **state)
{
    check_pieces(*state);
}

static void pieces_end_up_where_they_belong_in_large_sectors(void **state)
{
    check_pieces(*state);
}

static void each_sector_is_erased_once(void **state)
{
    device_t *device = *state;
    const esp_partition_t *ota_0 = device_partition("ota_0");
    uint8_t *noise = make_noise(3 * 4096);
    esp_ota_handle_t handle = 0;
    assert_err(esp_ota_begin(ota_0, OTA_WITH_SEQUENTIAL_WRITES, &handle), ESP_OK);
    assert_err(esp_ota_write(handle, noise, 1000), ESP_OK);
    assert_err(esp_ota_write(handle, noise + 1000, 7192), ESP_OK);
    assert_err(esp_ota_write(handle, noise + 8192, 4096), ESP_OK);
    uint32_t at = 0;
    assert_event(device, &at, FLASH_ERASE, ota_0->address, 4096);
    assert_event(device, &at, FLASH_PROGRAM, ota_0->address, 1000);
    assert_event(device, &at, FLASH_PROGRAM, ota_0->address + 1000, 3096);
    assert_event(device, &at, FLASH_ERASE, ota_0->address + 4096, 4096);
    assert_event(device, &at, FLASH_PROGRAM, ota_0->address + 4096, 4096);
    assert_event(device, &at, FLASH_ERASE, ota_0->address + 8192, 4096);
    assert_event(device, &at, FLASH_PROGRAM, ota_0->address + 8192, 4096);
    assert_int_equal(device->recorder.count, at);
    assert_err(esp_ota_abort(handle), ESP_OK);
    free(noise);
}

/* Other tasks get at the flash in between. */
static void a_large_write_is_done_in_steps(void **state)
{
    const device_t *device = *state;
    const esp_partition_t *storage = device_partition("ota_1");
    uint8_t *noise = make_noise(storage->size);
    esp_ota_handle_t handle = 0;
    (void)device;
    assert_err(esp_ota_begin(storage, OTA_WITH_SEQUENTIAL_WRITES, &handle), ESP_OK);
    assert_err(esp_ota_write(handle, noise, storage->size), ESP_OK);
    assert_true(rewriter.most_bytes <= 64 << 10);
    assert_err(esp_ota_abort(handle), ESP_OK);
    assert_memory_equal(device->bytes + storage->address, noise, storage->size);
    free(noise);
}

static void what_was_erased_at_begin_is_programmed_only(void **state)
{
    device_t *device = *state;
    uint8_t *noise = make_noise(9000);
    esp_ota_handle_t handle = 0;
    assert_err(esp_ota_begin(device_partition("ota_0"), 9000, &handle), ESP_OK);
    device_clear_events(device);
    assert_err(esp_ota_write(handle, noise, 9000), ESP_OK);
    assert_int_equal(rewriter.rewrites, 0);
    assert_int_equal(device->recorder.count, 1);
    assert_err(esp_ota_abort(handle), ESP_OK);
    free(noise);
}

static void a_rewrite_that_failed_can_be_repeated(void **state)
{
    device_t *device = *state;
    const esp_partition_t *ota_0 = device_partition("ota_0");
    uint8_t *noise = make_noise(6000);
    esp_ota_handle_t handle = 0;
    assert_err(esp_ota_begin(ota_0, OTA_WITH_SEQUENTIAL_WRITES, &handle), ESP_OK);
    assert_err(esp_ota_write(handle, noise, 1000), ESP_OK);
    rewriter.fail = 1;
    assert_err(esp_ota_write(handle, noise + 1000, 5000), ESP_ERR_FLASH_OP_FAIL);
    assert_int_equal(rewriter.fail, 0);
    assert_err(esp_ota_write(handle, noise + 1000, 5000), ESP_OK);
    assert_memory_equal(device->bytes + ota_0->address, noise, 6000);
    assert_err(esp_ota_abort(handle), ESP_OK);
    free(noise);
}

/* The switch must not believe an earlier verification. */
static void a_rewrite_ends_what_was_known_about_the_slot(void **state)
{
    device_t *device = *state;
    const esp_partition_t *ota_0 = device_partition("ota_0");
    fixture_image_t spec = FIXTURE_IMAGE("fixture", "2.0");
    size_t len = 0;
    uint8_t *image = fixture_image(&spec, &len);
    esp_ota_handle_t handle = 0;
    assert_err(esp_ota_begin(ota_0, OTA_WITH_SEQUENTIAL_WRITES, &handle), ESP_OK);
    assert_err(esp_ota_write(handle, image, len), ESP_OK);
    assert_err(esp_ota_end(handle), ESP_OK);
    image[0x150] ^= 1;
    assert_err(esp_ota_begin(ota_0, OTA_WITH_SEQUENTIAL_WRITES, &handle), ESP_OK);
    assert_err(esp_ota_write(handle, image, len), ESP_OK);
    assert_err(esp_ota_abort(handle), ESP_OK);
    assert_err(esp_ota_set_boot_partition(ota_0), ESP_ERR_OTA_VALIDATE_FAILED);
    assert_true(device_record(device, 0).blank);
    free(image);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown(pieces_of_any_size_end_up_where_they_belong, open_4k, close_device),
    cmocka_unit_test_setup_teardown(pieces_end_up_where_they_belong_in_large_sectors, open_64k, close_device),
    cmocka_unit_test_setup_teardown(each_sector_is_erased_once, open_4k, close_device),
    cmocka_unit_test_setup_teardown(a_large_write_is_done_in_steps, open_64k, close_device),
    cmocka_unit_test_setup_teardown(what_was_erased_at_begin_is_programmed_only, open_4k, close_device),
    cmocka_unit_test_setup_teardown(a_rewrite_that_failed_can_be_repeated, open_4k, close_device),
    cmocka_unit_test_setup_teardown(a_rewrite_ends_what_was_known_about_the_slot, open_4k, close_device),
};

TEST_MAIN(tests)
