/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file download.h
 * @brief One file as one stream of bytes, whatever the network does to the connections that it comes over.
 *
 * Reading gives the file's bytes in order. A connection that drops, stalls or is too slow is made anew within limits, and the
 * file goes on where it was, if the server proves that it is still the same file; else it starts over, and says so.
 *
 *     download.c          begin, read, end
 *     download_connect.c  one try: what to ask for, what the answer means for the file
 *     download_answer.c   does this answer go on with that file? (pure)
 *     download_request.c  requests until the server answers with a file; what each status means
 *     download_origin.c   back to the first URL after redirects
 *     download_retry.c    when to try again, and when no more
 *     download_pace.c     how fast, at most and at least (pure)
 *     download_limits.c   the limits of this device
 *
 * Memory: this struct, and what the HTTP client holds. Flash is not touched.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "device/download/download_answer.h"
#include "device/download/download_pace.h"
#include "esp_err.h"
#include "esp_http_client.h"
#include "otter/otter_download.h"

#define DOWNLOAD_TAG "download" /**< Log tag. */

/** What to download. */
typedef struct download_config {
    esp_http_client_handle_t client; /**< Set up, not opened; stays the caller's and outlives the download. */
    uint32_t request_len;            /**< Most bytes asked for in one request; 0: the whole file in one. */
    int64_t offset;                  /**< Where to begin in the file; 0: its start. */
    int64_t total;                   /**< Bytes that the file must have to begin elsewhere; -1: any. */
    const char *etag; /**< Strong validator that it must have to begin elsewhere; NULL: none is known, any will do. */
    bool probe;       /**< Ask for a range from offset 0, too, as ESP-IDF does for a resumption. */
} download_config_t;

/** What a read brought. */
typedef enum download_step {
    DOWNLOAD_BYTES,   /**< Bytes of the file, the next in order. */
    DOWNLOAD_WAITING, /**< Nothing yet: read again. */
    DOWNLOAD_RESTARTED, /**< The file starts over, it may be another: forget all that came; the next bytes are its first. */
    DOWNLOAD_END,       /**< All of the file was read. */
    DOWNLOAD_FAILED, /**< For good; failure says why, and so does the log. */
} download_step_t;

/** Where redirects began, and the credentials that are for there. Texts are owned. */
typedef struct download_origin {
    char *url;
    char *username;
    char *password;
    char *authorization; /**< Header set by the application. */
    esp_http_client_auth_type_t auth_type;
} download_origin_t;

/** A download. All zero: none. */
typedef struct download {
    esp_http_client_handle_t client;
    otter_download_limits_t limits;
    download_origin_t origin;
    download_file_t file; /**< The file being read. */
    uint32_t request_len; /**< See download_config_t. */
    bool probe;           /**< The same; of the first request. */
    bool repeatable;      /**< A GET: may be sent again, and for a range. */

    int64_t offset;    /**< In the file, of the byte to be read next. */
    int64_t furthest;  /**< Largest offset ever. */
    bool begun;        /**< download_begin() was through. */
    bool known;        /**< The file's size was asked for, where requests need it. */
    bool whole_next;   /**< What the server has does not go on with the file: ask for all of it. */
    bool connected;    /**< A body is being read. */
    int64_t body_off;  /**< Offset at which it began. */
    int64_t body_end;  /**< Offset at which it ends; -1: at its certain end. */
    bool ended;        /**< All was read. */
    esp_err_t failure; /**< Why it failed for good; ESP_OK: it did not. */

    int64_t begun_us;    /**< Time of download_begin(). */
    int64_t retry_at_us; /**< Time of the next try. */
    int64_t waited_us;   /**< Spent waiting since the last byte. */
    int64_t idle_us;     /**< The same, on this connection. */
    uint32_t tries;      /**< In a row that got no further. */
    uint32_t reconnects;
    uint32_t restarts;
    int64_t resumed_from; /**< Offset that it began with. */
    download_pace_t pace;
} download_t;

/**
 * Connects until the server answers with the file, retries included; blocks. Afterwards the file's size is in
 * download.file.total (-1: not announced), and download.offset says where it begins: at config.offset, or at 0 if the
 * server has no such file or gives no ranges.
 *
 * @param download  all zero; to be ended, also after an error
 * @param config    read during the call
 * @return ESP_OK; ESP_ERR_NO_MEM; the code of the last try: see esp_https_ota_begin()
 */
esp_err_t download_begin(download_t *download, const download_config_t *config);

/**
 * Reads the next bytes. Waits at most about the client's timeout_ms, also while it is between two tries.
 *
 * @param dst  destination
 * @param len  its size in bytes, at least 1
 * @param got  gets how many bytes; 0 unless DOWNLOAD_BYTES
 */
download_step_t download_read(download_t *download, uint8_t *dst, size_t len, size_t *got);

/** How far it is. */
void download_describe(const download_t *download, otter_download_progress_t *progress);

/** Releases what the download owns; the client stays, and points again to where it did at first. */
void download_end(download_t *download);
