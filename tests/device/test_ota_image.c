/* SPDX-License-Identifier: Apache-2.0 */
/* Images on flash: descriptors, verification, fitness for this device. */
#include <stdlib.h>

#include "tests/device/device_fixture.h"
#include "tests/support/image_fixture.h"
#include "tests/support/test.h"

static int open_device(void **state)
{
    device_t *device = device_open(&(device_spec_t){.running = "factory"});
    device_put_app(device, "ota_0", "2.0");
    *state = device;
    return 0;
}

static int close_device(void **state)
{
    device_close(*state);
    return 0;
}

static esp_partition_pos_t position(const char *label)
{
    const esp_partition_t *partition = device_partition(label);
    return (esp_partition_pos_t){.offset = partition->address, .size = partition->size};
}

static void the_description_of_an_app_is_read_from_its_partition(void **state)
{
    (void)state;
    esp_app_desc_t desc;
    assert_err(esp_ota_get_partition_description(device_partition("ota_0"), &desc), ESP_OK);
    assert_string_equal(desc.version, "2.0");
    assert_string_equal(desc.project_name, "fixture");
    assert_err(esp_ota_get_partition_description(device_partition("ota_1"), &desc), ESP_ERR_NOT_FOUND);
    assert_err(esp_ota_get_partition_description(device_partition("storage"), &desc), ESP_ERR_NOT_SUPPORTED);
    assert_err(esp_ota_get_partition_description(NULL, &desc), ESP_ERR_INVALID_ARG);
    assert_err(esp_ota_get_partition_description(device_partition("ota_0"), NULL), ESP_ERR_INVALID_ARG);
}

static void the_description_of_a_bootloader_is_found_by_its_magic(void **state)
{
    device_t *device = *state;
    esp_bootloader_desc_t desc;
    assert_err(esp_ota_get_bootloader_description(NULL, NULL), ESP_ERR_INVALID_ARG);
    assert_err(esp_ota_get_bootloader_description(device_partition("otadata"), &desc), ESP_ERR_NOT_FOUND);
    assert_err(esp_ota_get_bootloader_description(NULL, &desc), ESP_ERR_NOT_FOUND);
    uint8_t *primary = device->bytes + ESP_PRIMARY_BOOTLOADER_OFFSET + IMAGE_DESC_OFFSET;
    primary[0] = ESP_BOOTLOADER_DESC_MAGIC_BYTE;
    primary[4] = 9;
    memset(primary + 5, 0, 3);
    assert_err(esp_ota_get_bootloader_description(NULL, &desc), ESP_OK);
    assert_int_equal(desc.version, 9);
}

static void verification_reports_what_it_found(void **state)
{
    (void)state;
    esp_partition_pos_t pos = position("ota_0");
    esp_image_metadata_t data;
    uint8_t digest[32];
    assert_err(esp_image_verify(ESP_IMAGE_VERIFY, &pos, &data), ESP_OK);
    assert_int_equal(data.start_addr, pos.offset);
    assert_int_equal(data.image.segment_count, 2);
    assert_int_equal(data.segments[0].data_len, 1280);
    assert_int_equal(data.segment_data[0], pos.offset + IMAGE_DESC_OFFSET);
    assert_int_equal(data.image_len % 16, 0);
    assert_err(esp_partition_get_sha256(device_partition("ota_0"), digest), ESP_OK);
    assert_memory_equal(data.image_digest, digest, 32);
}

static void verification_answers_with_the_codes_of_esp_idf(void **state)
{
    device_t *device = *state;
    esp_partition_pos_t pos = position("ota_0");
    esp_image_metadata_t data;
    assert_err(esp_image_verify(ESP_IMAGE_VERIFY_SILENT, NULL, &data), ESP_ERR_INVALID_ARG);
    assert_err(esp_image_verify(ESP_IMAGE_VERIFY_SILENT, &pos, NULL), ESP_ERR_INVALID_ARG);
    device->bytes[pos.offset + 12] ^= 1; /* Chip id. */
    assert_err(esp_image_verify(ESP_IMAGE_VERIFY_SILENT, &pos, &data), ESP_FAIL);
    assert_int_equal(data.image_len, 0);
    device->bytes[pos.offset + 12] ^= 1;
    device->bytes[pos.offset + 0x150] ^= 1;
    assert_err(esp_image_verify(ESP_IMAGE_VERIFY_SILENT, &pos, &data), ESP_ERR_IMAGE_INVALID);
    pos = position("ota_1"); /* Erased. */
    assert_err(esp_image_verify(ESP_IMAGE_VERIFY_SILENT, &pos, &data), ESP_ERR_IMAGE_INVALID);
}

static void a_partition_larger_than_an_image_may_be_is_refused(void **state)
{
    device_t *device = *state;
    esp_partition_pos_t pos = {.offset = 0, .size = (16 << 20) + 4096};
    esp_image_metadata_t data;
    device->config.config.chip_id = ESP_CHIP_ID_ESP32C3;
    device_run(device, "factory");
    assert_int_not_equal(esp_image_verify(ESP_IMAGE_VERIFY_SILENT, &pos, &data), ESP_OK);
}

static void metadata_is_given_for_an_image_of_any_chip(void **state)
{
    device_t *device = *state;
    esp_partition_pos_t pos = position("ota_0");
    esp_image_metadata_t data;
    device->bytes[pos.offset + 12] ^= 1;
    device->bytes[pos.offset + 0x150] ^= 1;
    assert_err(esp_image_get_metadata(&pos, &data), ESP_OK);
    assert_true(data.image_len > 1280);
    device->bytes[pos.offset] = 0;
    assert_err(esp_image_get_metadata(&pos, &data), ESP_ERR_IMAGE_INVALID);
}

static void an_image_is_not_read_behind_its_partition(void **state)
{
    device_t *device = *state;
    esp_partition_pos_t pos = position("ota_0");
    esp_image_metadata_t data;
    pos.size = 256;
    device_clear_events(device);
    assert_err(esp_image_verify(ESP_IMAGE_VERIFY_SILENT, &pos, &data), ESP_ERR_IMAGE_INVALID);
    assert_int_equal(device->recorder.read_bytes, 256);
}

static void an_image_that_fills_its_partition_exactly_is_accepted(void **state)
{
    (void)state;
    esp_partition_pos_t pos = position("ota_0");
    esp_image_metadata_t data;
    assert_err(esp_image_verify(ESP_IMAGE_VERIFY, &pos, &data), ESP_OK);
    pos.size = data.image_len;
    assert_err(esp_image_verify(ESP_IMAGE_VERIFY, &pos, &data), ESP_OK);
    pos.size--;
    assert_err(esp_image_verify(ESP_IMAGE_VERIFY_SILENT, &pos, &data), ESP_ERR_IMAGE_INVALID);
}

static void an_image_header_tells_whether_it_fits_this_device(void **state)
{
    device_t *device = *state;
    esp_image_header_t header = {.magic = ESP_IMAGE_HEADER_MAGIC, .chip_id = OTTER_CHIP_ID_LINUX_X86_64};
    device->config.config.chip_revision = 101;
    device_run(device, "factory");
    assert_err(esp_ota_check_image_validity(ESP_PARTITION_TYPE_APP, &header, NULL), ESP_OK);
    assert_err(esp_ota_check_image_validity(ESP_PARTITION_TYPE_APP, NULL, NULL), ESP_ERR_INVALID_ARG);
    assert_err(esp_ota_check_image_validity(ESP_PARTITION_TYPE_DATA, &header, NULL), ESP_ERR_INVALID_ARG);
    header.min_chip_rev_full = 102;
    assert_err(esp_ota_check_image_validity(ESP_PARTITION_TYPE_APP, &header, NULL), ESP_ERR_INVALID_VERSION);
    header.min_chip_rev_full = 0;
    header.max_chip_rev_full = 100;
    assert_err(esp_ota_check_image_validity(ESP_PARTITION_TYPE_APP, &header, NULL), ESP_ERR_INVALID_VERSION);
    assert_err(esp_ota_check_image_validity(ESP_PARTITION_TYPE_BOOTLOADER, &header, NULL), ESP_OK);
    header.max_chip_rev_full = 65535;
    assert_err(esp_ota_check_image_validity(ESP_PARTITION_TYPE_APP, &header, NULL), ESP_OK);
    header.chip_id = ESP_CHIP_ID_ESP32C3;
    assert_err(esp_ota_check_image_validity(ESP_PARTITION_TYPE_APP, &header, NULL), ESP_ERR_INVALID_VERSION);
}

static void an_app_for_another_flash_mode_is_refused(void **state)
{
    device_t *device = *state;
    esp_image_header_t header = {.magic = ESP_IMAGE_HEADER_MAGIC, .chip_id = OTTER_CHIP_ID_LINUX_X86_64};
    esp_app_desc_t desc = {.spi_flash_mode = 2};
    assert_err(esp_ota_check_image_validity(ESP_PARTITION_TYPE_APP, &header, &desc), ESP_OK);
    device->config.app_desc.spi_flash_mode = 1;
    device_run(device, "factory");
    assert_err(esp_ota_check_image_validity(ESP_PARTITION_TYPE_APP, &header, &desc), ESP_ERR_OTA_SPI_MODE_MISMATCH);
    desc.spi_flash_mode = 0;
    assert_err(esp_ota_check_image_validity(ESP_PARTITION_TYPE_APP, &header, &desc), ESP_OK);
}

static void the_running_apps_elf_digest_is_given_as_text(void **state)
{
    device_t *device = *state;
    char text[65];
    for (uint8_t i = 0; i < 32; i++) {
        device->config.app_desc.app_elf_sha256[i] = (uint8_t)(0xA0 + i);
    }
    device_run(device, "factory");
    assert_int_equal(esp_app_get_elf_sha256(text, sizeof(text)), 65);
    assert_string_equal(text, "a0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebf");
    assert_int_equal(esp_ota_get_app_elf_sha256(text, 6), 6);
    assert_string_equal(text, "a0a1a");
    assert_int_equal(esp_app_get_elf_sha256(text, 0), 0);
    assert_string_equal(esp_app_get_elf_sha256_str(), "a0a1a2a3a");
    assert_ptr_equal(esp_ota_get_app_description(), esp_app_get_description());
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown(the_description_of_an_app_is_read_from_its_partition, open_device, close_device),
    cmocka_unit_test_setup_teardown(the_description_of_a_bootloader_is_found_by_its_magic, open_device, close_device),
    cmocka_unit_test_setup_teardown(verification_reports_what_it_found, open_device, close_device),
    cmocka_unit_test_setup_teardown(verification_answers_with_the_codes_of_esp_idf, open_device, close_device),
    cmocka_unit_test_setup_teardown(a_partition_larger_than_an_image_may_be_is_refused, open_device, close_device),
    cmocka_unit_test_setup_teardown(metadata_is_given_for_an_image_of_any_chip, open_device, close_device),
    cmocka_unit_test_setup_teardown(an_image_is_not_read_behind_its_partition, open_device, close_device),
    cmocka_unit_test_setup_teardown(an_image_that_fills_its_partition_exactly_is_accepted, open_device, close_device),
    cmocka_unit_test_setup_teardown(an_image_header_tells_whether_it_fits_this_device, open_device, close_device),
    cmocka_unit_test_setup_teardown(an_app_for_another_flash_mode_is_refused, open_device, close_device),
    cmocka_unit_test_setup_teardown(the_running_apps_elf_digest_is_given_as_text, open_device, close_device),
};

TEST_MAIN(tests)
