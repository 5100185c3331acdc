/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file image_build.h
 * @brief Writes an image: header, segments, padding, checksum, appended SHA-256. Format: docs/FORMATS.md.
 *
 * Streams: the caller pushes the segments' data, the builder hands finished bytes to a sink.
 */
#pragma once

#include "core/image/image.h"

/** Receives finished bytes, in order. An error ends the build. */
typedef esp_err_t (*image_build_emit_t)(void *arg, const uint8_t *bytes, size_t len);

/** A build. Storage belongs to the caller; private to image_build.c. */
typedef struct image_build {
    image_build_emit_t emit;
    void *arg;
    esp_err_t error;         /**< First error; sticks. */
    uint32_t len;            /**< Bytes emitted. */
    uint32_t segments_left;  /**< Segments announced in the header and not begun. */
    uint32_t data_left;      /**< Bytes that the present segment still needs. */
    uint32_t checksum_lanes; /**< XOR of data words. */
    bool hash_appended;
    otter_hash_t sha;
} image_build_t;

/**
 * Begins: emits the header.
 *
 * @param build   initialised here; must be freed with image_build_free() whatever happens
 * @param header  written as it is; segment_count segments must follow
 * @return ESP_OK; ESP_ERR_INVALID_ARG for a wrong magic or segment count; ESP_ERR_NO_MEM; the sink's error
 */
esp_err_t image_build_begin(image_build_t *build, const esp_image_header_t *header, image_build_emit_t sink, void *arg);

/** Begins a segment: emits its header. ESP_ERR_INVALID_SIZE if data_len is no multiple of 4 or too large; ESP_ERR_INVALID_STATE out of turn. */
esp_err_t image_build_segment(image_build_t *build, uint32_t load_addr, uint32_t data_len);

/** Adds data to the present segment. ESP_ERR_INVALID_SIZE if it is more than announced. */
esp_err_t image_build_data(image_build_t *build, const uint8_t *bytes, size_t len);

/** Ends: emits padding, checksum and, if the header says so, SHA-256. ESP_ERR_INVALID_STATE if data is missing. */
esp_err_t image_build_finish(image_build_t *build);

/** Frees what the build holds. Allowed on an all-zero build. */
void image_build_free(image_build_t *build);
