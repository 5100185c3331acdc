/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file otter_config.h
 * @brief Device configuration: what ESP-IDF decides by Kconfig, decided at run time.
 *
 * One struct, plain data, handed from the bootloader to the firmware. Policy only tightens: what
 * the key store demands holds whatever this says.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "otter/otter_download.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Device configuration. otter_config_default() gives every field its default. */
typedef struct otter_config {
    /** Partition table, bytes from the start of flash. Default 0x8000 (CONFIG_PARTITION_TABLE_OFFSET). */
    uint32_t partition_table_offset;
    /** Chip that images must be made for, an esp_chip_id_t, unless the key store fixes it. Default: this platform's own. */
    uint16_t chip_id;
    /** Revision of the chip, major * 100 + minor, unless the key store fixes it. Default 0. */
    uint16_t chip_revision;
    /** An app must confirm itself or is rolled back. Default true (CONFIG_BOOTLOADER_APP_ROLLBACK_ENABLE). */
    bool rollback;
    /** OTA without server verification (plain HTTP) is allowed. Default false (CONFIG_ESP_HTTPS_OTA_ALLOW_HTTP). */
    bool allow_http;
    /** Milliseconds from start until an unconfirmed app must have confirmed; 0: no limit. Default 30000. */
    uint32_t watchdog_ms;
    /** Milliseconds to wait to post an event; negative: forever. Default 2000 (CONFIG_ESP_HTTPS_OTA_EVENT_POST_TIMEOUT). */
    int32_t event_post_timeout_ms;
    /** file:// URLs are accepted: tests, USB sticks. Default false. */
    bool allow_file;
    /** What a download may cost, and how hard it tries. */
    otter_download_limits_t download;
    /** Most redirects that one request follows. Default 10. */
    uint32_t ota_max_redirects;
    /** Most verbose log level that is printed, an esp_log_level_t. Default 3 (info). */
    uint32_t log_level;
} otter_config_t;

/** Gives every field its default. */
void otter_config_default(otter_config_t *config);

#ifdef __cplusplus
}
#endif
