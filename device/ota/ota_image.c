/* SPDX-License-Identifier: Apache-2.0 */
/* Images on flash: verification, metadata, descriptors. */
#include <inttypes.h>
#include <string.h>

#include "core/trust/policy.h"
#include "device/ota/ota_internal.h"
#include "device/system/efuse.h"
#include "esp_log.h"
#include "otter/otter_device.h"

#define TAG            "ota"
#define REVISION_UNSET 0xFFFF /* max_chip_rev_full: no limit. 0 says the same. */

static image_expect_t expect_for(const trust_state_t *trust, image_kind_t kind, uint32_t max_len)
{
    const otter_config_t *config = &otter_device_get()->config;
    return trust_expect(trust, kind, max_len, config->chip_id, config->chip_revision);
}

static image_kind_t kind_of(esp_partition_type_t type)
{
    return type == ESP_PARTITION_TYPE_BOOTLOADER ? IMAGE_KIND_BOOTLOADER : IMAGE_KIND_APP;
}

static void log_fault(uint32_t address, const image_walk_t *walk, esp_err_t err)
{
    if (walk->faults != 0) {
        ESP_LOGE(TAG, "image at 0x%" PRIx32 " is not valid: %s (image offset %" PRIu32 ")", address,
                 image_fault_text(walk->fault), walk->fault_off);
    } else {
        ESP_LOGE(TAG, "image at 0x%" PRIx32 " could not be verified: %s", address, esp_err_to_name(err));
    }
}

static void remember(const esp_partition_t *partition, partition_watch_t watch, const uint8_t *bits)
{
    otter_mutex_lock(&ota_state.lock);
    ota_verified_t *verified = &ota_state.verified;
    *verified = (ota_verified_t){.address = partition->address, .size = partition->size, .watch = watch};
    memcpy(verified->key_store, bits, sizeof(verified->key_store));
    otter_mutex_unlock(&ota_state.lock);
}

esp_err_t ota_walk(const esp_partition_t *partition, const trust_state_t *trust, image_walk_t *walk)
{
    image_expect_t expect = expect_for(trust, kind_of(partition->type), partition->size);
    esp_err_t err = partition_walk_image(partition->address, partition->size, &expect, walk);
    if (err != ESP_OK) {
        log_fault(partition->address, walk, err);
    }
    return err != ESP_OK && walk->fault == IMAGE_FAULT_SECURE_VERSION ? ESP_ERR_OTA_SMALL_SEC_VER : err;
}

/* Where an image ends, its signature sector included. */
static uint32_t end_of(const image_walk_t *walk)
{
    if (walk->signature_count == 0) {
        return walk->image_len;
    }
    return (uint32_t)ota_round_up(walk->image_len, SIGNATURE_SECTOR_BYTES) + SIGNATURE_SECTOR_BYTES;
}

/* Verifies under what these bits of the key store demand. */
static esp_err_t verify(const esp_partition_t *partition, const uint8_t *bits, uint32_t *len)
{
    trust_state_t trust;
    image_walk_t walk;
    trust_decode(bits, &trust);
    /* Watched from before the first byte is read: a write during the walk counts as one after it. */
    partition_watch_t watch = partition_watch(partition->address, partition->size);
    esp_err_t err = ota_walk(partition, &trust, &walk);
    if (err == ESP_OK && partition->type == ESP_PARTITION_TYPE_APP) {
        remember(partition, watch, bits);
    }
    if (err == ESP_OK) {
        *len = end_of(&walk);
    }
    return err;
}

/* Reads the key store; if that fails, nothing is trusted. */
static esp_err_t read_key_store(uint8_t *bits)
{
    esp_err_t err = efuse_read(bits);
    if (err != ESP_OK) {
        ESP_LOGE(TAG, "the key store cannot be read, so no image can be trusted");
    }
    return err;
}

esp_err_t ota_verify_image(const esp_partition_t *partition, uint32_t *len)
{
    uint8_t bits[OTTER_KEY_STORE_BYTES];
    esp_err_t err = read_key_store(bits);
    return err == ESP_OK ? verify(partition, bits, len) : err;
}

esp_err_t ota_verify(const esp_partition_t *partition)
{
    uint32_t len = 0;
    return ota_verify_image(partition, &len);
}

/* What was found out counts for the same bytes under the same demands: a burn since then calls for another look. */
static bool is_remembered(const esp_partition_t *partition, const uint8_t *bits)
{
    otter_mutex_lock(&ota_state.lock);
    ota_verified_t verified = ota_state.verified;
    otter_mutex_unlock(&ota_state.lock);
    return partition->type == ESP_PARTITION_TYPE_APP && verified.address == partition->address &&
           verified.size == partition->size && memcmp(verified.key_store, bits, sizeof(verified.key_store)) == 0 &&
           partition_watch_holds(verified.watch);
}

esp_err_t ota_verify_once(const esp_partition_t *partition)
{
    uint8_t bits[OTTER_KEY_STORE_BYTES];
    esp_err_t err = read_key_store(bits);
    if (err != ESP_OK || is_remembered(partition, bits)) {
        return err;
    }
    uint32_t len = 0;
    return verify(partition, bits, &len);
}

/* ---- esp_image_format.h ---- */

static bool lies_at(esp_partition_type_t type, uint32_t offset)
{
    bool found = false;
    esp_partition_iterator_t it = esp_partition_find(type, ESP_PARTITION_SUBTYPE_ANY, NULL);
    for (; it != NULL; it = esp_partition_next(it)) {
        found = found || esp_partition_get(it)->address == offset;
    }
    return found;
}

/* Where a forged table puts an app and a bootloader at one place, it is held to what an app is: that is stricter. */
static image_kind_t kind_at(uint32_t offset)
{
    bool is_bootloader = offset == ESP_PRIMARY_BOOTLOADER_OFFSET || lies_at(ESP_PARTITION_TYPE_BOOTLOADER, offset);
    return is_bootloader && !lies_at(ESP_PARTITION_TYPE_APP, offset) ? IMAGE_KIND_BOOTLOADER : IMAGE_KIND_APP;
}

static void fill_metadata(esp_image_metadata_t *data, uint32_t start, const image_walk_t *walk)
{
    data->start_addr = start;
    data->image = walk->header;
    for (uint32_t i = 0; i < walk->segment_count; i++) {
        data->segments[i].load_addr = walk->segment[i].load_addr;
        data->segments[i].data_len = walk->segment[i].data_len;
        data->segment_data[i] = start + walk->segment[i].data_off;
    }
    data->image_len = walk->image_len;
    memcpy(data->image_digest, walk->hash, sizeof(data->image_digest));
    if (walk->desc_known) {
        data->secure_version = walk->desc.secure_version;
        data->mmu_page_size = walk->desc.mmu_page_size != 0 ? 1u << (walk->desc.mmu_page_size % 32) : 0;
    }
}

static esp_err_t walk_part(const esp_partition_pos_t *part, bool inspect, bool silent, esp_image_metadata_t *data)
{
    if (part == NULL || data == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    memset(data, 0, sizeof(*data));
    uint8_t bits[OTTER_KEY_STORE_BYTES];
    trust_state_t trust;
    image_walk_t walk;
    esp_err_t err = read_key_store(bits);
    if (err != ESP_OK) {
        return err;
    }
    trust_decode(bits, &trust);
    image_expect_t expect = expect_for(&trust, kind_at(part->offset), part->size);
    expect.any_chip = inspect;
    expect.inspect = inspect;
    err = partition_walk_image(part->offset, part->size, &expect, &walk);
    if (err == ESP_OK) {
        fill_metadata(data, part->offset, &walk);
    } else if (!silent) {
        log_fault(part->offset, &walk, err);
    }
    return err == ESP_ERR_FLASH_OP_FAIL ? ESP_ERR_IMAGE_FLASH_FAIL : err;
}

esp_err_t esp_image_verify(esp_image_load_mode_t mode, const esp_partition_pos_t *part, esp_image_metadata_t *data)
{
    return walk_part(part, false, mode == ESP_IMAGE_VERIFY_SILENT, data);
}

esp_err_t esp_image_get_metadata(const esp_partition_pos_t *part, esp_image_metadata_t *metadata)
{
    return walk_part(part, true, true, metadata);
}

/* ---- Descriptors ---- */

esp_err_t esp_ota_get_partition_description(const esp_partition_t *partition, esp_app_desc_t *app_desc)
{
    if (partition == NULL || app_desc == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    if (partition->type != ESP_PARTITION_TYPE_APP) {
        return ESP_ERR_NOT_SUPPORTED;
    }
    esp_err_t err = esp_partition_read(partition, IMAGE_DESC_OFFSET, app_desc, sizeof(*app_desc));
    if (err != ESP_OK) {
        return err;
    }
    return app_desc->magic_word == ESP_APP_DESC_MAGIC_WORD ? ESP_OK : ESP_ERR_NOT_FOUND;
}

static esp_err_t read_bootloader_desc(const esp_partition_t *partition, esp_bootloader_desc_t *desc)
{
    if (partition != NULL) {
        return esp_partition_read(partition, IMAGE_DESC_OFFSET, desc, sizeof(*desc));
    }
    return partition_flash_read(ESP_PRIMARY_BOOTLOADER_OFFSET + IMAGE_DESC_OFFSET, desc, sizeof(*desc));
}

esp_err_t esp_ota_get_bootloader_description(const esp_partition_t *bootloader_partition, esp_bootloader_desc_t *desc)
{
    if (desc == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    esp_err_t err = read_bootloader_desc(bootloader_partition, desc);
    if (err != ESP_OK) {
        return err;
    }
    return desc->magic_byte == ESP_BOOTLOADER_DESC_MAGIC_BYTE ? ESP_OK : ESP_ERR_NOT_FOUND;
}

/* ESP-IDF's rule: a bootloader's upper limit is not checked. */
static bool fits_chip(esp_partition_type_t type, const esp_image_header_t *header)
{
    trust_state_t trust;
    (void)trust_read(otter_device_get()->key_store, &trust);
    image_expect_t device = expect_for(&trust, kind_of(type), 0);
    uint16_t max = header->max_chip_rev_full;
    bool limited = type == ESP_PARTITION_TYPE_APP && max != 0 && max != REVISION_UNSET;
    return header->chip_id == device.chip_id && device.chip_revision >= header->min_chip_rev_full &&
           (!limited || device.chip_revision <= max);
}

esp_err_t esp_ota_check_image_validity(esp_partition_type_t type, const esp_image_header_t *img_hdr,
                                       const esp_app_desc_t *app_desc)
{
    if (img_hdr == NULL || (type != ESP_PARTITION_TYPE_APP && type != ESP_PARTITION_TYPE_BOOTLOADER)) {
        return ESP_ERR_INVALID_ARG;
    }
    if (!fits_chip(type, img_hdr)) {
        return ESP_ERR_INVALID_VERSION;
    }
    uint8_t mode = type == ESP_PARTITION_TYPE_APP && app_desc != NULL ? app_desc->spi_flash_mode : 0;
    uint8_t running_mode = esp_app_get_description()->spi_flash_mode;
    return mode != 0 && running_mode != 0 && mode != running_mode ? ESP_ERR_OTA_SPI_MODE_MISMATCH : ESP_OK;
}

/* ---- The running app ---- */

const esp_app_desc_t *esp_app_get_description(void)
{
    return &otter_device_get()->app_desc;
}

int esp_app_get_elf_sha256(char *dst, size_t size)
{
    static const char digits[] = "0123456789abcdef";
    if (dst == NULL || size == 0) {
        return 0;
    }
    const uint8_t *hash = esp_app_get_description()->app_elf_sha256;
    size_t len = 0;
    for (; len + 1 < size && len < 2 * OTTER_SHA256_BYTES; len++) {
        dst[len] = digits[(len % 2 == 0 ? hash[len / 2] >> 4 : hash[len / 2]) & 0xF];
    }
    dst[len] = '\0';
    return (int)len + 1;
}

char *esp_app_get_elf_sha256_str(void)
{
    otter_mutex_lock(&ota_state.lock);
    (void)esp_app_get_elf_sha256(ota_state.short_hash, sizeof(ota_state.short_hash));
    otter_mutex_unlock(&ota_state.lock);
    return ota_state.short_hash;
}

const esp_app_desc_t *esp_ota_get_app_description(void)
{
    return esp_app_get_description();
}

int esp_ota_get_app_elf_sha256(char *dst, size_t size)
{
    return esp_app_get_elf_sha256(dst, size);
}
