/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Descriptors and metadata of images on flash, through ESP-IDF's API: what is reported are the bytes that lie there, and an
 * image that verifies has all of it.
 *
 * Input: changes of the flash (stranger.h).
 */
#include "fuzz/fuzz.h"

#include <string.h>

#include "core/image/image.h"
#include "esp_image_format.h"
#include "esp_log.h"
#include "esp_ota_ops.h"
#include "esp_partition.h"
#include "fuzz/stranger.h"
#include "otter/otter_device.h"

static void start_device(const stranger_t *stranger)
{
    otter_device_t device = {.flash = stranger->flash, .running_address = OTTER_NOT_RUNNING};
    otter_config_default(&device.config);
    device.config.chip_id = OTTER_CHIP_ID_LINUX_X86_64;
    device.config.log_level = ESP_LOG_NONE;
    FUZZ_CHECK(otter_device_init(&device) == ESP_OK);
}

static void check_bootloader(const stranger_t *stranger)
{
    esp_bootloader_desc_t desc;
    if (esp_ota_get_bootloader_description(NULL, &desc) == ESP_OK) {
        FUZZ_CHECK(desc.magic_byte == ESP_BOOTLOADER_DESC_MAGIC_BYTE);
        FUZZ_CHECK(memcmp(&desc, stranger->bytes + IMAGE_DESC_OFFSET, sizeof(desc)) == 0);
    }
}

static void check_metadata(const esp_partition_pos_t *pos, const esp_image_metadata_t *data)
{
    FUZZ_CHECK(data->start_addr == pos->offset && data->image_len <= pos->size);
    FUZZ_CHECK(data->image.segment_count >= 1 && data->image.segment_count <= ESP_IMAGE_MAX_SEGMENTS);
    for (uint8_t i = 0; i < data->image.segment_count; i++) {
        FUZZ_CHECK(data->segment_data[i] >= pos->offset);
        FUZZ_CHECK(data->segment_data[i] - pos->offset + data->segments[i].data_len <= data->image_len);
    }
}

static void check_app(const stranger_t *stranger, const esp_partition_t *partition)
{
    esp_partition_pos_t pos = {.offset = partition->address, .size = partition->size};
    esp_app_desc_t desc;
    esp_image_metadata_t verified;
    esp_image_metadata_t found;
    bool described = esp_ota_get_partition_description(partition, &desc) == ESP_OK;
    if (described) {
        FUZZ_CHECK(desc.magic_word == ESP_APP_DESC_MAGIC_WORD);
        FUZZ_CHECK(memcmp(&desc, stranger->bytes + partition->address + IMAGE_DESC_OFFSET, sizeof(desc)) == 0);
    }
    bool whole = esp_image_get_metadata(&pos, &found) == ESP_OK;
    if (whole) {
        check_metadata(&pos, &found);
    }
    if (esp_image_verify(ESP_IMAGE_VERIFY_SILENT, &pos, &verified) == ESP_OK) {
        FUZZ_CHECK(described && whole);
        FUZZ_CHECK(verified.secure_version == desc.secure_version);
        FUZZ_CHECK(verified.image_len == found.image_len);
        FUZZ_CHECK(memcmp(verified.image_digest, found.image_digest, sizeof(found.image_digest)) == 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_input_t input = {data, size};
    stranger_t stranger;
    stranger_make(&stranger, &input, OTTER_CHIP_ID_LINUX_X86_64);
    start_device(&stranger);
    check_bootloader(&stranger);
    esp_partition_iterator_t it = esp_partition_find(ESP_PARTITION_TYPE_APP, ESP_PARTITION_SUBTYPE_ANY, NULL);
    for (; it != NULL; it = esp_partition_next(it)) {
        check_app(&stranger, esp_partition_get(it));
    }
    esp_partition_unload_all();
    stranger_free(&stranger);
    return 0;
}
