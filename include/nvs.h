/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file nvs.h
 * @brief Error codes of non-volatile storage. Reading and writing keys is not there yet.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "esp_err.h"

#ifdef __cplusplus
extern "C" {
#endif

#define ESP_ERR_NVS_BASE                 0x1100                    /**< First code of NVS. */
#define ESP_ERR_NVS_NOT_INITIALIZED      (ESP_ERR_NVS_BASE + 0x01) /**< nvs_flash_init() was not called. */
#define ESP_ERR_NVS_NOT_FOUND            (ESP_ERR_NVS_BASE + 0x02) /**< No such key or namespace. */
#define ESP_ERR_NVS_TYPE_MISMATCH        (ESP_ERR_NVS_BASE + 0x03) /**< The key has another type. */
#define ESP_ERR_NVS_READ_ONLY            (ESP_ERR_NVS_BASE + 0x04) /**< The handle is read-only. */
#define ESP_ERR_NVS_NOT_ENOUGH_SPACE     (ESP_ERR_NVS_BASE + 0x05) /**< No room. */
#define ESP_ERR_NVS_INVALID_NAME         (ESP_ERR_NVS_BASE + 0x06) /**< Not a valid namespace name. */
#define ESP_ERR_NVS_INVALID_HANDLE       (ESP_ERR_NVS_BASE + 0x07) /**< Not an open handle. */
#define ESP_ERR_NVS_REMOVE_FAILED        (ESP_ERR_NVS_BASE + 0x08) /**< Written, but the old value is still there. */
#define ESP_ERR_NVS_KEY_TOO_LONG         (ESP_ERR_NVS_BASE + 0x09) /**< Over 15 characters. */
#define ESP_ERR_NVS_PAGE_FULL            (ESP_ERR_NVS_BASE + 0x0a) /**< Internal. */
#define ESP_ERR_NVS_INVALID_STATE        (ESP_ERR_NVS_BASE + 0x0b) /**< An earlier write failed. */
#define ESP_ERR_NVS_INVALID_LENGTH       (ESP_ERR_NVS_BASE + 0x0c) /**< The buffer is too small. */
#define ESP_ERR_NVS_NO_FREE_PAGES        (ESP_ERR_NVS_BASE + 0x0d) /**< No empty page: erase and initialise again. */
#define ESP_ERR_NVS_VALUE_TOO_LONG       (ESP_ERR_NVS_BASE + 0x0e) /**< More than an entry can hold. */
#define ESP_ERR_NVS_PART_NOT_FOUND       (ESP_ERR_NVS_BASE + 0x0f) /**< No such partition. */
#define ESP_ERR_NVS_NEW_VERSION_FOUND    (ESP_ERR_NVS_BASE + 0x10) /**< Written by a newer version. */
#define ESP_ERR_NVS_XTS_ENCR_FAILED      (ESP_ERR_NVS_BASE + 0x11) /**< Encryption failed. */
#define ESP_ERR_NVS_XTS_DECR_FAILED      (ESP_ERR_NVS_BASE + 0x12) /**< Decryption failed. */
#define ESP_ERR_NVS_XTS_CFG_FAILED       (ESP_ERR_NVS_BASE + 0x13) /**< Encryption could not be set up. */
#define ESP_ERR_NVS_XTS_CFG_NOT_FOUND    (ESP_ERR_NVS_BASE + 0x14) /**< No encryption set up. */
#define ESP_ERR_NVS_ENCR_NOT_SUPPORTED   (ESP_ERR_NVS_BASE + 0x15) /**< Encryption is not available. */
#define ESP_ERR_NVS_KEYS_NOT_INITIALIZED (ESP_ERR_NVS_BASE + 0x16) /**< The key partition is blank. */
#define ESP_ERR_NVS_CORRUPT_KEY_PART     (ESP_ERR_NVS_BASE + 0x17) /**< The key partition is damaged. */
#define ESP_ERR_NVS_CONTENT_DIFFERS      (ESP_ERR_NVS_BASE + 0x18) /**< Internal. */
#define ESP_ERR_NVS_WRONG_ENCRYPTION     (ESP_ERR_NVS_BASE + 0x19) /**< The partition is marked as encrypted by flash. */

#define NVS_DEFAULT_PART_NAME "nvs" /**< Label of the partition that is used when none is named. */

#ifdef __cplusplus
}
#endif
