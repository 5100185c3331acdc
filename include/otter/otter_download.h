/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file otter_download.h
 * @brief What a download may cost, and how hard it tries.
 *
 * Part of otter_config_t, so that a device has defaults of its own; an application changes them with
 * otter_download_set_limits() before esp_https_ota_begin().
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "esp_err.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Limits of a download. otter_config_default() gives every field its default. */
typedef struct otter_download_limits {
    /** Milliseconds without a byte after which a connection counts as dropped, and is made anew; 0: no limit. Default
     * 20000. */
    uint32_t idle_ms;
    /** Milliseconds of waiting without a byte, over all tries, after which the download fails; 0: no limit. Pauses that the
     * application makes between two calls do not count. Default 120000. */
    uint32_t stall_ms;
    /** Bytes a second below which a connection counts as dropped, measured over min_speed_ms of waiting; 0: any speed will
     * do. Default 0. */
    uint32_t min_bytes_per_s;
    /** Milliseconds over which the speed is measured. Default 30000. */
    uint32_t min_speed_ms;
    /** Milliseconds for the whole download from its begin, pauses and retries included; 0: no limit. Default 0. */
    uint32_t total_ms;
    /** Most bytes a second that are read; 0: no limit. Default 0. */
    uint32_t max_bytes_per_s;
    /** Tries in a row that got no further in the file, after which the download fails; 0: the first failure is the last. A
     * start over from the beginning counts as one. Default 10. */
    uint32_t retries;
    /** Milliseconds before the first retry, doubled each time. Half of it is random. Default 500. */
    uint32_t backoff_first_ms;
    /** Most milliseconds between two tries; a longer Retry-After of the server is not waited for. Default 30000. */
    uint32_t backoff_most_ms;
    /** Go on from what an earlier start left in the slot, if it can be proved to be the same image. Default true. */
    bool resume;
} otter_download_limits_t;

/** How far a download is. */
typedef struct otter_download_progress {
    int64_t bytes; /**< Of the file, from its start, that are here. After a resume it begins with what was kept. */
    int64_t total; /**< Bytes of the whole file; -1: the server did not say. */
    int64_t resumed_from; /**< Bytes that an earlier start had left; 0: none. */
    uint32_t bytes_per_s; /**< Over the last seconds. */
    uint32_t tries;       /**< Tries in a row that got no further; 0: all is well. */
    uint32_t reconnects;  /**< Times that the connection had to be made anew. */
    uint32_t restarts;    /**< Times that the file had to be started over. */
} otter_download_progress_t;

/**
 * Sets this device's limits, for updates that begin from now on.
 *
 * @param limits  copied
 * @return ESP_OK; ESP_ERR_INVALID_ARG: NULL, or backoff_first_ms above backoff_most_ms, or min_speed_ms 0 with a minimum speed
 */
esp_err_t otter_download_set_limits(const otter_download_limits_t *limits);

/** This device's limits. @param limits  filled */
void otter_download_get_limits(otter_download_limits_t *limits);

/**
 * How far an update's download is. Never waits. Of the task that the update belongs to.
 *
 * @param https_ota_handle  an esp_https_ota_handle_t, from esp_https_ota_begin()
 * @param progress          filled
 * @return ESP_OK; ESP_ERR_INVALID_ARG: a NULL argument
 */
esp_err_t otter_download_get_progress(void *https_ota_handle, otter_download_progress_t *progress);

#ifdef __cplusplus
}
#endif
