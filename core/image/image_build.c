/* SPDX-License-Identifier: Apache-2.0 */
#include "core/image/image_build.h"

#include <string.h>

#include "core/image/image_checksum.h"
#include "core/util/bytes.h"

#define ALIGN_BYTES 16

/* Hashes before it hands on: the digest covers all that the sink has seen. */
static esp_err_t emit(image_build_t *build, const uint8_t *bytes, size_t len)
{
    esp_err_t err = otter_hash_update(&build->sha, bytes, len);
    if (err == ESP_OK) {
        err = build->emit(build->arg, bytes, len);
    }
    build->len += (uint32_t)len;
    build->error = err;
    return err;
}

esp_err_t image_build_begin(image_build_t *build, const esp_image_header_t *header, image_build_emit_t sink, void *arg)
{
    memset(build, 0, sizeof(*build));
    bool fits = header->segment_count >= 1 && header->segment_count <= IMAGE_MAX_SEGMENTS;
    if (header->magic != ESP_IMAGE_HEADER_MAGIC || !fits) {
        build->error = ESP_ERR_INVALID_ARG;
        return build->error;
    }
    build->emit = sink;
    build->arg = arg;
    build->segments_left = header->segment_count;
    build->checksum_lanes = IMAGE_CHECKSUM_SEED;
    build->hash_appended = header->hash_appended != 0;
    build->error = otter_hash_begin(&build->sha, OTTER_HASH_SHA256);
    if (build->error != ESP_OK) {
        return build->error;
    }
    uint8_t bytes[IMAGE_HEADER_BYTES];
    memcpy(bytes, header, sizeof(bytes));
    return emit(build, bytes, sizeof(bytes));
}

esp_err_t image_build_segment(image_build_t *build, uint32_t load_addr, uint32_t data_len)
{
    if (build->error != ESP_OK) {
        return build->error;
    }
    if (build->segments_left == 0 || build->data_left != 0) {
        return ESP_ERR_INVALID_STATE;
    }
    if (data_len % 4 != 0 || data_len >= IMAGE_SEGMENT_LIMIT) {
        return ESP_ERR_INVALID_SIZE;
    }
    build->segments_left--;
    build->data_left = data_len;
    uint8_t bytes[IMAGE_SEGMENT_HEADER_BYTES];
    bytes_put_u32(bytes, load_addr);
    bytes_put_u32(bytes + 4, data_len);
    return emit(build, bytes, sizeof(bytes));
}

esp_err_t image_build_data(image_build_t *build, const uint8_t *bytes, size_t len)
{
    if (build->error != ESP_OK) {
        return build->error;
    }
    if (len > build->data_left) {
        return ESP_ERR_INVALID_SIZE;
    }
    build->data_left -= (uint32_t)len;
    build->checksum_lanes = image_add_checksum(build->checksum_lanes, bytes, len);
    return emit(build, bytes, len);
}

static esp_err_t emit_padding(image_build_t *build)
{
    uint8_t bytes[ALIGN_BYTES] = {0};
    size_t len = ALIGN_BYTES - build->len % ALIGN_BYTES;
    bytes[len - 1] = image_fold_checksum(build->checksum_lanes);
    return emit(build, bytes, len);
}

static esp_err_t emit_hash(image_build_t *build)
{
    uint8_t hash[OTTER_SHA256_BYTES];
    esp_err_t err = otter_hash_finish(&build->sha, hash);
    if (err == ESP_OK) {
        err = build->emit(build->arg, hash, sizeof(hash));
    }
    build->len += (uint32_t)sizeof(hash);
    build->error = err;
    return err;
}

esp_err_t image_build_finish(image_build_t *build)
{
    if (build->error != ESP_OK) {
        return build->error;
    }
    if (build->segments_left != 0 || build->data_left != 0) {
        return ESP_ERR_INVALID_STATE;
    }
    esp_err_t err = emit_padding(build);
    return err == ESP_OK && build->hash_appended ? emit_hash(build) : err;
}

void image_build_free(image_build_t *build)
{
    otter_hash_free(&build->sha);
}
