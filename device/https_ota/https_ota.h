/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file https_ota.h
 * @brief Inside of an HTTPS update: the handle, and what its files do for each other.
 *
 *     https_ota.c          the public calls, and the table of states
 *     https_ota_begin.c    checks of the configuration; client, slot, buffer
 *     https_ota_connect.c  requests until the server answers with an image
 *     https_ota_read.c     body bytes, the image's first bytes, stall limit
 *     https_ota_write.c    checks before the first write, writes
 *     https_ota_sniff.c    names what is not an image
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "esp_http_client.h"
#include "esp_https_ota.h"
#include "esp_ota_ops.h"
#include "esp_partition.h"

#define HTTPS_OTA_TAG            "esp_https_ota" /**< Log tag. */
#define HTTPS_OTA_PREFETCH_BYTES 1024            /**< Read and checked before anything is written. */
#define HTTPS_OTA_BUFFER_BYTES   4096            /**< Transfer buffer if the caller does not say: one sector. */
#define HTTPS_OTA_DESC_OFF       32              /**< Image offset of the app or bootloader descriptor. */
#define HTTPS_OTA_HEAD_BYTES     (HTTPS_OTA_DESC_OFF + 256) /**< Image and segment header, app descriptor. */

/** Where an update stands. The numbers are ESP-IDF's. */
typedef enum https_ota_state {
    HTTPS_OTA_INIT,        /**< Not connected: no caller has such a handle. */
    HTTPS_OTA_BEGIN,       /**< Connected; slot not touched. */
    HTTPS_OTA_IN_PROGRESS, /**< Slot opened. */
    HTTPS_OTA_SUCCESS,     /**< Everything received and written. */
    HTTPS_OTA_RESUME,      /**< Connected to go on from an offset. Kept for resumption. */
    HTTPS_OTA_STATES,
} https_ota_state_t;

/** An update. All zero: INIT, owning nothing. */
typedef struct https_ota {
    https_ota_state_t state;
    esp_err_t failure;               /**< First error of a download; every later step answers it again. */
    esp_http_client_handle_t client; /**< Owned. */
    const esp_partition_t *staging;  /**< Slot to write. */
    bool bulk_erase;
    int64_t image_len;                  /**< Bytes announced; -1: not announced. */
    uint32_t written;                   /**< Bytes in the slot. */
    int64_t waited_us;                  /**< Time spent in reads since the last byte. */
    uint8_t *buffer;                    /**< Owned. */
    size_t buffer_len;                  /**< Its size in bytes, at least HTTPS_OTA_PREFETCH_BYTES. */
    size_t prefetched;                  /**< Bytes in it that are read and not yet written. */
    bool head_known;                    /**< head is filled. */
    uint8_t head[HTTPS_OTA_HEAD_BYTES]; /**< First bytes of the image, kept for descriptor queries. */
    bool slot_open;                     /**< slot is an open operation. */
    esp_ota_handle_t slot;              /**< Owned. */
} https_ota_t;

/** Posts an event with a copy of @p len bytes of @p data; a failure is logged, unless there is no event loop. */
void https_ota_post(esp_https_ota_event_t id, const void *data, size_t len);

/** Makes the failure stick, and returns it. */
esp_err_t https_ota_fail(https_ota_t *ota, esp_err_t error);

/** Checks a configuration. ESP_OK, ESP_ERR_INVALID_ARG or ESP_ERR_NOT_SUPPORTED, as esp_https_ota_begin(). */
esp_err_t https_ota_check_config(const esp_https_ota_config_t *config);

/**
 * Everything of esp_https_ota_begin() after its argument checks; flash is not touched.
 *
 * @param ota  all zero; gets what the update owns, on errors too: release it. BEGIN on success.
 */
esp_err_t https_ota_set_up(https_ota_t *ota, const esp_https_ota_config_t *config);

/** Requests until the server answers with an image. Codes: the connection's of esp_https_ota_begin(). */
esp_err_t https_ota_connect(https_ota_t *ota);

/**
 * Reads some of the body.
 *
 * @param got  gets how many bytes, at most @p len; 0 with ESP_OK: the body is complete
 * @return ESP_OK; ESP_ERR_HTTPS_OTA_IN_PROGRESS: nothing came in time, nothing is lost; ESP_ERR_TIMEOUT: nothing for the
 *         stall limit; ESP_FAIL: the connection broke
 */
esp_err_t https_ota_read(https_ota_t *ota, uint8_t *dst, size_t len, size_t *got);

/**
 * Makes head known, reading the image's first HTTPS_OTA_PREFETCH_BYTES into the buffer if need be. Waits, up to the
 * stall limit. An error sticks.
 *
 * @return ESP_OK; ESP_ERR_TIMEOUT; ESP_FAIL: the connection broke or ended before
 */
esp_err_t https_ota_prefetch(https_ota_t *ota);

/**
 * First step: checks the image's head, opens the slot, writes what was read. BEGIN to IN_PROGRESS.
 * Nothing is erased or written unless the head is good. Codes: esp_https_ota_perform().
 */
esp_err_t https_ota_write_first(https_ota_t *ota);

/** Reads and writes one buffer. At the end of the body IN_PROGRESS to SUCCESS. Codes: esp_https_ota_perform(). */
esp_err_t https_ota_write_next(https_ota_t *ota);

/**
 * Says what some bytes are that are no image: "an HTML or XML page", "text", ...
 *
 * @param bytes  the first bytes received
 * @param len    how many, at least 8
 * @return static text, never NULL
 */
const char *https_ota_sniff(const uint8_t *bytes, size_t len);
