/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz/fix.h"

#include <string.h>

#include "core/image/image.h"
#include "core/util/bytes.h"
#include "esp_app_desc.h"
#include "esp_flash_partitions.h"
#include "fuzz/fuzz.h"

#define ENTRY_BYTES 32

/* Image offset behind the last segment; 0 if the bytes do not reach so far. */
static size_t segments_end(const uint8_t *bytes, size_t len, uint8_t *checksum)
{
    size_t off = IMAGE_HEADER_BYTES;
    *checksum = 0xEF;
    for (uint8_t i = 0; i < bytes[1]; i++) {
        if (len < off + IMAGE_SEGMENT_HEADER_BYTES) {
            return 0;
        }
        uint32_t data_len = bytes_get_u32(bytes + off + 4);
        off += IMAGE_SEGMENT_HEADER_BYTES;
        if (data_len > len - off) {
            return 0;
        }
        for (uint32_t at = 0; at < data_len; at++) {
            *checksum ^= bytes[off + at];
        }
        off += data_len;
    }
    return off;
}

size_t fuzz_fix_image(uint8_t *bytes, size_t len)
{
    uint8_t checksum = 0;
    if (len < IMAGE_HEADER_BYTES || bytes[0] != ESP_IMAGE_HEADER_MAGIC) {
        return 0;
    }
    size_t end = segments_end(bytes, len, &checksum);
    size_t padded = end + 16 - end % 16;
    if (end == 0 || padded > len) {
        return 0;
    }
    bytes[padded - 1] = checksum;
    if (bytes[23] == 0) {
        return padded;
    }
    if (len - padded < OTTER_SHA256_BYTES) {
        return 0;
    }
    fuzz_sha256(bytes, padded, bytes + padded);
    return padded + OTTER_SHA256_BYTES;
}

size_t fuzz_make_app(uint8_t app[FUZZ_APP_MAX], uint16_t chip_id, uint32_t secure_version)
{
    esp_image_header_t header = {
        .magic = ESP_IMAGE_HEADER_MAGIC,
        .segment_count = 1,
        .chip_id = (esp_chip_id_t)chip_id,
        .hash_appended = 1,
        .entry_addr = IMAGE_LOAD_ADDR_MIN,
    };
    esp_app_desc_t desc = {
        .magic_word = ESP_APP_DESC_MAGIC_WORD,
        .secure_version = secure_version,
        .project_name = "fuzz",
        .version = "1.0.0",
    };
    memset(app, 0, FUZZ_APP_MAX);
    memcpy(app, &header, sizeof(header));
    bytes_put_u32(app + IMAGE_HEADER_BYTES, IMAGE_LOAD_ADDR_MIN);
    bytes_put_u32(app + IMAGE_HEADER_BYTES + 4, IMAGE_APP_DESC_BYTES);
    memcpy(app + IMAGE_DESC_OFFSET, &desc, sizeof(desc));
    return fuzz_fix_image(app, FUZZ_APP_MAX);
}

void fuzz_fix_table(uint8_t *bytes, size_t len)
{
    for (size_t off = 0; off + ENTRY_BYTES <= len; off += ENTRY_BYTES) {
        if (bytes_get_u16(bytes + off) == ESP_PARTITION_MAGIC_MD5) {
            FUZZ_CHECK(otter_md5(bytes, off, bytes + off + 16) == ESP_OK);
        }
    }
}
