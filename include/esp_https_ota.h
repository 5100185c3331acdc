/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file esp_https_ota.h
 * @brief Updates the device's firmware from a URL: download, write to the passive slot, verify, switch.
 *
 * Either one call, esp_https_ota(), or step by step:
 *
 *     esp_https_ota_begin()  connects; nothing is written yet
 *     esp_https_ota_get_img_desc()  optional: look at the new firmware before taking it
 *     esp_https_ota_perform()  again and again while it answers ESP_ERR_HTTPS_OTA_IN_PROGRESS
 *     esp_https_ota_is_complete_data_received()
 *     esp_https_ota_finish()  verifies and switches; or esp_https_ota_abort(). Either one frees the handle.
 *
 * Whatever fails, and wherever the power goes, the device boots something valid: the running app's slot is never
 * written, and the boot choice changes only in esp_https_ota_finish(), after the whole image was verified.
 *
 * A handle belongs to one task. Differences from ESP-IDF: docs/COMPATIBILITY.md.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bootloader_common.h"
#include "esp_app_desc.h"
#include "esp_bootloader_desc.h"
#include "esp_err.h"
#include "esp_event.h"
#include "esp_http_client.h"
#include "esp_partition.h"

#ifdef __cplusplus
extern "C" {
#endif

#define ESP_ERR_HTTPS_OTA_BASE        0x9000                       /**< First code of this component. */
#define ESP_ERR_HTTPS_OTA_IN_PROGRESS (ESP_ERR_HTTPS_OTA_BASE + 1) /**< Call esp_https_ota_perform() again. */

/** Events of an update, posted to the default event loop. A failed post is logged and changes nothing else. */
ESP_EVENT_DECLARE_BASE(ESP_HTTPS_OTA_EVENT);

/** Ids of ESP_HTTPS_OTA_EVENT. */
typedef enum {
    ESP_HTTPS_OTA_START,                 /**< esp_https_ota_begin() was called. No data. */
    ESP_HTTPS_OTA_CONNECTED,             /**< The server answered with an image. No data. */
    ESP_HTTPS_OTA_GET_IMG_DESC,          /**< A descriptor was asked for. No data. */
    ESP_HTTPS_OTA_VERIFY_CHIP_ID,        /**< About to check the chip id. Data: the image's esp_chip_id_t. */
    ESP_HTTPS_OTA_VERIFY_CHIP_REVISION,  /**< About to check the revision. Data: min_chip_rev_full, uint16_t. */
    ESP_HTTPS_OTA_DECRYPT_CB,            /**< The decrypt callback is about to be called. No data. */
    ESP_HTTPS_OTA_WRITE_FLASH,           /**< A write was tried. Data: bytes written so far, int. */
    ESP_HTTPS_OTA_UPDATE_BOOT_PARTITION, /**< The next boot runs the new app. Data: its esp_partition_subtype_t. */
    ESP_HTTPS_OTA_FINISH,                /**< esp_https_ota_finish() ends, well or not. No data. */
    ESP_HTTPS_OTA_ABORT,                 /**< esp_https_ota_abort() was called. No data. */
} esp_https_ota_event_t;

/** An update in progress. */
typedef void *esp_https_ota_handle_t;

/**
 * Called once, after the HTTP client exists and before anything is sent: the place for
 * esp_http_client_set_header() and the like. Anything but ESP_OK ends esp_https_ota_begin() with that code.
 */
typedef esp_err_t (*http_client_init_cb_t)(esp_http_client_handle_t client);

/** A piece of an encrypted image for the decrypt callback. */
typedef struct {
    const char *data_in; /**< Encrypted bytes. */
    size_t data_in_len;  /**< How many. */
    char *data_out;      /**< Set by the callback: decrypted bytes, from malloc(); freed by the library after ESP_OK. */
    size_t data_out_len; /**< Set by the callback: how many. */
} decrypt_cb_arg_t;

/** Decrypts one piece; may give nothing until more comes. ESP_OK, or an error that ends the update. */
typedef esp_err_t (*decrypt_cb_t)(decrypt_cb_arg_t *args, void *user_ctx);

/** What to update from, and how. Zero fields are defaults. */
typedef struct {
    /** Where and how to download; required. Only read during esp_https_ota_begin(), except certificates (see there). */
    const esp_http_client_config_t *http_config;
    http_client_init_cb_t http_client_init_cb; /**< May be NULL. */
    /** false: erase one sector at a time, just ahead of the writes. true: erase all that is needed before the first write. */
    bool bulk_flash_erase;
    bool
        partial_http_download; /**< Many requests for parts instead of one, over a connection that is kept. Not with POST. */
    int max_http_request_size; /**< Most bytes of one of them; 0: 65536. */
    uint32_t buffer_caps;      /**< Kind of memory for the transfer buffer; there is one kind only, so not used. */
    /** Go on where the application says, and ask for ranges even at 0; not with POST, nor with decrypt_cb. An update that does
     * not set it goes on by itself with what an earlier one left in the slot: see otter_download_limits_t.resume. */
    bool ota_resumption;
    size_t ota_image_bytes_written; /**< Bytes of the image that are in the slot; below 1024: start anew. */
    /** Decrypts the image as it arrives; otter_decrypt_image (otter/otter_encrypted.h): the library does. NULL: image is plain. */
    decrypt_cb_t decrypt_cb;
    void *decrypt_user_ctx;       /**< Handed to it. */
    uint16_t enc_img_header_size; /**< Bytes of the file that are not of the image. */
    struct {
        /** Written to: an OTA app slot, or whatever else esp_ota_begin() takes; NULL:
         * esp_ota_get_next_update_partition(NULL). */
        const esp_partition_t *staging;
        /** Where it belongs; NULL: the staging partition. Its type says what the image must be. See
         * esp_ota_set_final_partition(). */
        const esp_partition_t *final;
        /** Copy staging to final once all is there and verified; of no effect while both are the same. */
        bool finalize_with_copy;
    } partition;
} esp_https_ota_config_t;

/**
 * Updates the firmware in one call: everything from esp_https_ota_begin() to esp_https_ota_finish(). The caller
 * restarts the device afterwards.
 *
 * @param ota_config  see esp_https_ota_config_t
 * @return ESP_OK: the next boot runs the new app. ESP_ERR_INVALID_ARG: NULL. Otherwise the code of the step that
 *         failed; nothing was switched, and nothing stays open. It ends within the limits of a download
 *         (otter/otter_download.h). ESP_ERR_NOT_SUPPORTED: ota_resumption, which is for step by step updates.
 *
 * Power cut: the running app boots again, until the switch at the very end is complete.
 */
esp_err_t esp_https_ota(const esp_https_ota_config_t *ota_config);

/**
 * Connects to the server and takes its answer, redirects, authentication and retries included. Blocks. Flash is not
 * written.
 *
 * If an earlier update from the same URL left part of the image in the slot, the server is asked to go on behind it; only if it
 * confirms that the file is the same is that part kept. esp_https_ota_get_image_len_read() then counts from there.
 *
 * Memory: the transfer buffer; 1 KiB, or what the decryption makes of it, until the slot is open; about 2 KiB of state; and
 * what the HTTP client and the TLS library hold.
 *
 * The transfer buffer, and so the most that one esp_https_ota_perform() writes, is http_config->buffer_size, at least
 * 1024 bytes; 4096 if it is 0.
 *
 * @param ota_config  see esp_https_ota_config_t
 * @param handle      gets the handle, or NULL on any error
 * @return ESP_OK;
 *         ESP_ERR_INVALID_ARG: a NULL argument, no way to verify the server (cert_pem, use_global_ca_store or
 *         crt_bundle_attach), or a URL that is not https, the last two unless otter_config.allow_http;
 *         ESP_ERR_NOT_SUPPORTED: ota_resumption with decrypt_cb, parts of the answer to a POST, or the server sends the
 *         file compressed (Content-Encoding);
 *         ESP_ERR_NO_MEM;
 *         ESP_ERR_INVALID_SIZE: the image announced is larger than where it goes;
 *         ESP_ERR_INVALID_RESPONSE: the server sent other parts of the file than were asked for, again and again;
 *         ESP_ERR_HTTP_CONNECT: no connection, or the server's certificate was refused, which is not tried again;
 *         ESP_ERR_HTTP_NOT_MODIFIED: 304; ESP_ERR_HTTP_RANGE_NOT_SATISFIABLE: 416;
 *         ESP_ERR_HTTP_MAX_REDIRECT: more than otter_config.ota_max_redirects;
 *         ESP_ERR_HTTP_REDIRECT_DOWNGRADE: redirected from https to http;
 *         ESP_ERR_TIMEOUT: the server did not answer in time, or the limits of a download are reached;
 *         ESP_FAIL: any other 4xx or 5xx, a bad HTTP configuration, or no slot to write to;
 *         any other code of esp_http_client, or of http_client_init_cb
 */
esp_err_t esp_https_ota_begin(const esp_https_ota_config_t *ota_config, esp_https_ota_handle_t *handle);

/**
 * Downloads and writes the next piece. The first call reads the image's header and checks that it is an image, for
 * this chip and this slot, not below the anti-rollback floor, and wanted (otter/otter_ota_policy.h), before anything is erased
 * or written.
 *
 * A connection that drops, falls silent or is too slow is made anew, with pauses that grow, and the download goes on where it
 * was, if the server gives ranges and proves that the file is the same; otherwise the file starts over, which
 * esp_https_ota_get_image_len_read() shows. It waits at most about the client's timeout_ms at a time.
 *
 * @param https_ota_handle  from esp_https_ota_begin()
 * @return ESP_ERR_HTTPS_OTA_IN_PROGRESS: call again (also when nothing came within the client's timeout);
 *         ESP_OK: everything was received and written;
 *         ESP_ERR_INVALID_ARG: NULL;
 *         ESP_ERR_TIMEOUT: the limits of a download are reached;
 *         ESP_ERR_NOT_SUPPORTED: the file would have to start over, and decrypt_cb cannot, or it comes compressed now;
 *         ESP_ERR_INVALID_VERSION: for another chip or chip revision;
 *         ESP_ERR_OTA_VALIDATE_FAILED: not an app image;
 *         ESP_ERR_OTA_SMALL_SEC_VER: its secure version is below the device's floor;
 *         ESP_ERR_INVALID_SIZE: the body does not fit in the slot;
 *         ESP_ERR_FLASH_OP_FAIL and the codes of esp_ota_begin() and esp_ota_write();
 *         ESP_FAIL: the connection broke too often, or all was received already;
 *         the codes of esp_https_ota_begin() for what the server answers now; those of decrypt_cb and of the policy.
 *         After an error every further call returns the same code.
 *
 * Power cut: the slot holds part of the new image, and its boot record is gone: it is not booted. The running app is. The
 * next update from the same URL goes on with that part.
 */
esp_err_t esp_https_ota_perform(esp_https_ota_handle_t https_ota_handle);

/**
 * Tells whether the whole body arrived: as many bytes as announced, or its certain end.
 *
 * @param https_ota_handle  from esp_https_ota_begin(); NULL: false
 */
bool esp_https_ota_is_complete_data_received(esp_https_ota_handle_t https_ota_handle);

/**
 * Ends the update and frees the handle, whatever it returns: do not abort afterwards. After a complete download it
 * verifies the image, copies it if that was asked for, and makes it the next one to boot if it is an app; after an incomplete
 * one nothing is copied or switched.
 *
 * @param https_ota_handle  from esp_https_ota_begin()
 * @return ESP_OK: switched, or esp_https_ota_perform() was never called;
 *         ESP_ERR_INVALID_ARG: NULL; ESP_FAIL: not a begun update;
 *         ESP_ERR_OTA_VALIDATE_FAILED: the image is not valid, or not signed as policy demands;
 *         ESP_ERR_OTA_SMALL_SEC_VER: its secure version is below the device's floor;
 *         the code that esp_https_ota_perform() failed with, if it did; the codes of esp_ota_end() and
 *         esp_ota_set_boot_partition()
 *
 * Power cut: the old app boots until the new boot record is complete, the new one from then on.
 */
esp_err_t esp_https_ota_finish(esp_https_ota_handle_t https_ota_handle);

/**
 * Gives up an update and frees the handle. What was written stays in the slot; it is not booted.
 *
 * @param https_ota_handle  from esp_https_ota_begin()
 * @return ESP_OK; ESP_ERR_INVALID_ARG: NULL; ESP_FAIL: not a begun update
 */
esp_err_t esp_https_ota_abort(esp_https_ota_handle_t https_ota_handle);

/**
 * Descriptor of the app being downloaded: its version, project, secure version. May be called any number of times, before
 * and after esp_https_ota_perform(); the first call may have to wait for the image's first 1024 bytes.
 *
 * @param https_ota_handle  from esp_https_ota_begin()
 * @param new_app_info      gets the descriptor; untouched on error
 * @return ESP_OK; ESP_ERR_INVALID_ARG: a NULL argument; ESP_ERR_INVALID_STATE: not a begun update;
 *         ESP_ERR_TIMEOUT: the limits of a download are reached;
 *         ESP_FAIL: the connection broke too often before, or there is no app descriptor; a code of decrypt_cb
 */
esp_err_t esp_https_ota_get_img_desc(esp_https_ota_handle_t https_ota_handle, esp_app_desc_t *new_app_info);

/** Like esp_https_ota_get_img_desc(), for a bootloader image; the same codes. */
esp_err_t esp_https_ota_get_bootloader_img_desc(esp_https_ota_handle_t https_ota_handle,
                                                esp_bootloader_desc_t *new_img_info);

/** Bytes of the image in the slot, counted from its start; -1 before any are, or for NULL. */
int esp_https_ota_get_image_len_read(esp_https_ota_handle_t https_ota_handle);

/** Last HTTP status of the server; -1 for NULL. */
int esp_https_ota_get_status_code(esp_https_ota_handle_t https_ota_handle);

/** Bytes of the whole image as announced by the server, whatever was asked of it; -1 if it did not say, or for NULL. */
int esp_https_ota_get_image_size(esp_https_ota_handle_t https_ota_handle);

#ifdef __cplusplus
}
#endif
