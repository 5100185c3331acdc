/* SPDX-License-Identifier: Apache-2.0 */
/* Digests of what partitions hold. */
#include <stdlib.h>
#include <string.h>

#include "device/partition/partition_state.h"
#include "esp_image_format.h"

/* Offers what lies in a range to a consumer, in large pieces, until it has enough. */
typedef esp_err_t (*consume_t)(void *arg, const uint8_t *bytes, size_t len, bool *enough);

static esp_err_t read_through(uint32_t address, uint32_t size, consume_t consume, void *arg)
{
    size_t buffer_len = 0;
    uint8_t *buffer = partition_alloc_buffer(&buffer_len);
    if (buffer == NULL) {
        return ESP_ERR_NO_MEM;
    }
    esp_err_t err = ESP_OK;
    bool enough = false;
    for (uint64_t off = 0; off < size && err == ESP_OK && !enough; off += buffer_len) {
        size_t part = size - off < buffer_len ? (size_t)(size - off) : buffer_len;
        err = partition_flash_read(address + (uint32_t)off, buffer, part);
        if (err == ESP_OK) {
            err = consume(arg, buffer, part, &enough);
        }
    }
    free(buffer);
    return err;
}

static esp_err_t check_inside(uint32_t address, uint32_t size)
{
    uint32_t flash_bytes = 0;
    esp_err_t err = esp_flash_get_size(NULL, &flash_bytes);
    if (err != ESP_OK) {
        return err;
    }
    return address <= flash_bytes && size <= flash_bytes - address ? ESP_OK : ESP_ERR_INVALID_SIZE;
}

/* Whether the image is good is asked at the end; here only whether it goes on. */
static esp_err_t feed(void *arg, const uint8_t *bytes, size_t len, bool *enough)
{
    *enough = image_feed(arg, bytes, len, NULL) != IMAGE_STATUS_MORE;
    return ESP_OK;
}

esp_err_t partition_walk_image(uint32_t address, uint32_t size, const image_expect_t *expect, image_walk_t *walk)
{
    memset(walk, 0, sizeof(*walk));
    esp_err_t err = check_inside(address, size);
    if (err != ESP_OK) {
        return err;
    }
    err = image_begin(walk, expect, NULL);
    if (err == ESP_OK) {
        err = read_through(address, size, feed, walk);
    }
    if (err == ESP_OK) {
        (void)image_finish(walk);
        bool structured = expect->inspect && walk->step == IMAGE_STEP_DONE;
        err = structured ? ESP_OK : image_fault_err(walk->fault);
    }
    image_free(walk);
    return err;
}

static esp_err_t digest_image(const esp_partition_t *partition, uint8_t *sha_256)
{
    image_expect_t expect = {
        .kind = partition->type == ESP_PARTITION_TYPE_APP ? IMAGE_KIND_APP : IMAGE_KIND_BOOTLOADER,
        .max_len = partition->size,
        .any_chip = true,
        .inspect = true,
    };
    image_walk_t walk;
    esp_err_t err = partition_walk_image(partition->address, partition->size, &expect, &walk);
    if (err != ESP_OK) {
        return err;
    }
    if ((walk.faults & (1u << IMAGE_FAULT_HASH)) != 0) {
        return ESP_ERR_IMAGE_INVALID;
    }
    memcpy(sha_256, walk.hash, sizeof(walk.hash));
    return ESP_OK;
}

static esp_err_t add_to_digest(void *arg, const uint8_t *bytes, size_t len, bool *enough)
{
    (void)enough;
    return otter_hash_update(arg, bytes, len);
}

static esp_err_t digest_range(uint32_t address, uint32_t size, uint8_t *sha_256)
{
    esp_err_t err = check_inside(address, size);
    if (err != ESP_OK) {
        return err;
    }
    otter_hash_t sha = {0};
    err = otter_hash_begin(&sha, OTTER_HASH_SHA256);
    if (err == ESP_OK) {
        err = read_through(address, size, add_to_digest, &sha);
    }
    if (err == ESP_OK) {
        err = otter_hash_finish(&sha, sha_256);
    }
    otter_hash_free(&sha);
    return err;
}

esp_err_t esp_partition_get_sha256(const esp_partition_t *partition, uint8_t *sha_256)
{
    if (partition == NULL || sha_256 == NULL || partition->size == 0) {
        return ESP_ERR_INVALID_ARG;
    }
    if (partition->type == ESP_PARTITION_TYPE_APP || partition->type == ESP_PARTITION_TYPE_BOOTLOADER) {
        return digest_image(partition, sha_256);
    }
    return digest_range(partition->address, partition->size, sha_256);
}

bool esp_partition_check_identity(const esp_partition_t *partition_1, const esp_partition_t *partition_2)
{
    uint8_t digest_1[OTTER_SHA256_BYTES];
    uint8_t digest_2[OTTER_SHA256_BYTES];
    return esp_partition_get_sha256(partition_1, digest_1) == ESP_OK &&
           esp_partition_get_sha256(partition_2, digest_2) == ESP_OK &&
           memcmp(digest_1, digest_2, sizeof(digest_1)) == 0;
}
