/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file https_ota_stage.h
 * @brief What turns the bytes of the downloaded file into the bytes of the image: decryption, later decompression.
 *
 * A stage is fed the file in order, in pieces of any size, and hands image bytes on. Without one, the file is the image.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "esp_err.h"
#include "esp_partition.h"

/** Takes the next bytes of the image. Anything but ESP_OK ends the feeding with that code. */
typedef esp_err_t (*https_ota_sink_t)(void *arg, const uint8_t *bytes, size_t len);

/** What a kind of stage does. @p self is the stage's own struct. */
typedef struct https_ota_stage_ops {
    /** Bytes at the start of the file that resume() must be given; 0: none. */
    uint32_t head_bytes;

    /** Takes the next @p len bytes of the file; calls @p sink any number of times, also never. */
    esp_err_t (*feed)(void *self, const uint8_t *bytes, size_t len, https_ota_sink_t sink, void *arg);

    /** The file is at its end. ESP_OK only if it was whole and, as far as the stage can tell, genuine. Called before the slot
     * can be chosen. */
    esp_err_t (*finish)(void *self);

    /** Forgets all that was fed: the file comes again from its start. ESP_ERR_NOT_SUPPORTED if that cannot be done. */
    esp_err_t (*restart)(void *self);

    /**
     * Goes on with an image whose beginning lies in a partition already.
     *
     * @param head          the file's first head_bytes bytes
     * @param partition     where the image lies
     * @param image_off     its bytes that are there
     * @param file_off      gets the offset in the file of the next byte to feed
     * @return ESP_OK; ESP_ERR_NOT_SUPPORTED: only from the start
     */
    esp_err_t (*resume)(void *self, const uint8_t *head, const esp_partition_t *partition, uint32_t image_off,
                        uint32_t *file_off);

    /** Releases and wipes what the stage holds. */
    void (*close)(void *self);
} https_ota_stage_ops_t;

/** A stage of an update; ops NULL: none. */
typedef struct https_ota_stage {
    const https_ota_stage_ops_t *ops;
    void *self;
} https_ota_stage_t;
