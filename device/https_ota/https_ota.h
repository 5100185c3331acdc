/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file https_ota.h
 * @brief Inside of an HTTPS update: the handle, and what its files do for each other.
 *
 *     https_ota.c          the public calls, and the table of states
 *     https_ota_begin.c    checks of the configuration; client, partitions, buffer, download
 *     https_ota_resume.c   where in the image it begins
 *     https_ota_pump.c     bytes of the file, through the stage, to bytes of the image
 *     https_ota_head.c     what the image's first bytes must say before anything is written
 *     https_ota_write.c    opening the slot, writing, starting over
 *     https_ota_decrypt.c  the stage around an application's decrypt_cb
 *     https_ota_policy.c   which firmware the device wants
 *     https_ota_sniff.c    names what is not an image
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "device/download/download.h"
#include "device/https_ota/https_ota_progress.h"
#include "device/https_ota/https_ota_stage.h"
#include "esp_http_client.h"
#include "esp_https_ota.h"
#include "esp_ota_ops.h"
#include "esp_partition.h"

#define HTTPS_OTA_TAG            "esp_https_ota" /**< Log tag. */
#define HTTPS_OTA_PREFETCH_BYTES 1024            /**< Of the file, read and checked before anything is written. */
#define HTTPS_OTA_BUFFER_BYTES   4096            /**< Transfer buffer if the caller does not say: one sector. */
#define HTTPS_OTA_REQUEST_BYTES  65536 /**< Of one request of a download in parts, if the caller does not say. */
#define HTTPS_OTA_DESC_OFF       32    /**< Image offset of the app or bootloader descriptor. */
#define HTTPS_OTA_HEAD_BYTES     (HTTPS_OTA_DESC_OFF + 256) /**< Image and segment header, app descriptor. */
#define HTTPS_OTA_HELD_BYTES_MAX 65536 /**< Most image bytes that a stage may give before the slot is open. */
#define HTTPS_OTA_FILE_HEAD_BYTES_MAX                                                                                  \
    512 /**< Most bytes of a file's start that a stage needs to go on in its middle. */

/** Where an update stands. The numbers are ESP-IDF's. */
typedef enum https_ota_state {
    HTTPS_OTA_INIT,        /**< Not connected: no caller has such a handle. */
    HTTPS_OTA_BEGIN,       /**< Connected; slot not open. */
    HTTPS_OTA_IN_PROGRESS, /**< Slot opened. */
    HTTPS_OTA_SUCCESS,     /**< Everything received and written. */
    HTTPS_OTA_RESUME,      /**< Connected to go on behind what is in the slot; slot not open. */
    HTTPS_OTA_STATES,
} https_ota_state_t;

/** An update. All zero: INIT, owning nothing. */
typedef struct https_ota {
    https_ota_state_t state;
    esp_err_t failure;               /**< First error of a download; every later step answers it again. */
    esp_http_client_handle_t client; /**< Owned. */
    download_t download;             /**< Owned. */
    https_ota_stage_t stage;         /**< Owned; ops NULL: the file is the image. */
    uint32_t head_len;               /**< Bytes of the file that are not image. */

    const esp_partition_t *staging; /**< What is written. */
    const esp_partition_t *final;   /**< Where it belongs; its type says what the image must be. */
    bool copy;                      /**< Copied from staging to final in the end. */
    bool bulk_erase;
    int64_t image_len;             /**< Bytes announced; -1: not announced. */
    uint32_t written;              /**< Bytes of the image in the slot. */
    bool keeps_record;             /**< progress is used. */
    https_ota_progress_t progress; /**< Record of how far it is, for after a power cut. */
    https_ota_found_t found;       /**< What an earlier start left. */

    uint8_t *buffer;   /**< Owned: bytes of the file. */
    size_t buffer_len; /**< Its size in bytes, at least HTTPS_OTA_PREFETCH_BYTES. */
    int64_t fed;       /**< Bytes of the file that the stage was given since it began. */

    uint8_t *held;                      /**< Owned: bytes of the image that came before the slot was open. */
    size_t held_len;                    /**< How many. */
    size_t held_size;                   /**< Its size in bytes. */
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
 * @param ota  all zero; gets what the update owns, on errors too: release it. BEGIN or RESUME on success.
 */
esp_err_t https_ota_set_up(https_ota_t *ota, const esp_https_ota_config_t *config);

/** Refuses an image that is announced larger than its place. Also sets image_len. ESP_OK or ESP_ERR_INVALID_SIZE. */
esp_err_t https_ota_check_size(https_ota_t *ota);

/**
 * Where the update begins: fills download's offset, and what the file must be to begin there; written, head. Without anything
 * to go on from they stay 0. May ask the server for the file's first bytes.
 */
void https_ota_find_start(https_ota_t *ota, const esp_https_ota_config_t *config, download_config_t *download);

/** The slot is open, and written from its start: begins a record of how far it is, where one is kept. */
void https_ota_record_start(https_ota_t *ota);

/** The slot is open, and written behind what is there: goes on with the record, where one is kept. */
void https_ota_record_resume(https_ota_t *ota);

/**
 * Reads up to @p most bytes of the file, and gives them to the stage; what comes out of it is held or written.
 *
 * @return ESP_ERR_HTTPS_OTA_IN_PROGRESS: go on, also if nothing came; ESP_OK: all of the file was read, and the stage found
 *         it whole; any other code: as esp_https_ota_perform()
 */
esp_err_t https_ota_pull(https_ota_t *ota, size_t most);

/** Takes the next bytes of the image: holds them until the slot is open, then writes. A https_ota_sink_t; @p arg: the update. */
esp_err_t https_ota_take(void *arg, const uint8_t *bytes, size_t len);

/** Drops what is held. */
void https_ota_drop_held(https_ota_t *ota);

/**
 * Makes head known, if need be by reading. Waits, up to the limits of a download. An error sticks.
 *
 * @return ESP_OK; ESP_ERR_TIMEOUT; ESP_FAIL: the connection broke or ended before; a code of the stage
 */
esp_err_t https_ota_prefetch(https_ota_t *ota);

/**
 * One read towards it.
 *
 * @return ESP_ERR_HTTPS_OTA_IN_PROGRESS: not there yet; else as https_ota_prefetch(), but nothing sticks
 */
esp_err_t https_ota_prefetch_some(https_ota_t *ota);

/** True if the final partition is for images, whose head is checked. */
bool https_ota_is_image(const https_ota_t *ota);

/** Says what the server sent instead of an image, head being known. Static text, never NULL. */
const char *https_ota_name_head(const https_ota_t *ota);

/** Everything that the head alone tells. Codes: esp_https_ota_perform(). */
esp_err_t https_ota_check_head(const https_ota_t *ota);

/** Asks the device's policy about an app. ESP_OK or its code. */
esp_err_t https_ota_ask_policy(const esp_app_desc_t *offered);

/**
 * First step: checks the image's head, opens the slot, writes what was read. BEGIN to IN_PROGRESS.
 * Nothing is erased or written unless the head is good. Codes: esp_https_ota_perform().
 */
esp_err_t https_ota_write_first(https_ota_t *ota);

/** First step behind what is in the slot: opens it there. RESUME to IN_PROGRESS. Codes: esp_https_ota_perform(). */
esp_err_t https_ota_write_on(https_ota_t *ota);

/** Reads and writes one buffer. At the end of the file IN_PROGRESS to SUCCESS. Codes: esp_https_ota_perform(). */
esp_err_t https_ota_write_next(https_ota_t *ota);

/** Writes the next bytes of the image. ESP_OK, or as esp_https_ota_perform(). */
esp_err_t https_ota_write(https_ota_t *ota, const uint8_t *bytes, size_t len);

/**
 * The file comes again from its start: forgets all of the image that came, and goes back to BEGIN.
 *
 * Power cut: what was written stays in the slot; it is not booted.
 *
 * @return ESP_OK; ESP_ERR_NOT_SUPPORTED: the stage cannot; ESP_ERR_INVALID_SIZE: the file is too large now
 */
esp_err_t https_ota_start_over(https_ota_t *ota);

/**
 * The stage around an application's callback. It cannot start over once it was fed, nor resume.
 *
 * @param stage  gets it, to be closed; all zero on error
 * @return ESP_OK or ESP_ERR_NO_MEM
 */
esp_err_t https_ota_open_decrypt_cb(decrypt_cb_t decrypt, void *user_ctx, https_ota_stage_t *stage);

/**
 * Says what some bytes are that are no image: "an HTML or XML page", "text", ...
 *
 * @param bytes  the first bytes received
 * @param len    how many, at least 8
 * @return static text, never NULL
 */
const char *https_ota_sniff(const uint8_t *bytes, size_t len);
