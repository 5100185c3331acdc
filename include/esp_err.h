/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file esp_err.h
 * @brief Error codes shared by every Otter component, with ESP-IDF's names and numbers.
 *
 * A function that can fail returns an esp_err_t. Each header says which codes its functions
 * return and why; this one only fixes the numbers that belong to no component.
 */
#pragma once

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Result of an operation: ESP_OK or an error code. */
typedef int esp_err_t;

#define ESP_OK   0    /**< Success. */
#define ESP_FAIL (-1) /**< Failure that no other code describes. */

#define ESP_ERR_NO_MEM           0x101 /**< Out of memory. */
#define ESP_ERR_INVALID_ARG      0x102 /**< An argument is NULL, out of range or contradictory. */
#define ESP_ERR_INVALID_STATE    0x103 /**< The call is not allowed in the present state. */
#define ESP_ERR_INVALID_SIZE     0x104 /**< A size is out of range. */
#define ESP_ERR_NOT_FOUND        0x105 /**< The thing asked for does not exist. */
#define ESP_ERR_NOT_SUPPORTED    0x106 /**< Not available here. */
#define ESP_ERR_TIMEOUT          0x107 /**< The deadline passed. */
#define ESP_ERR_INVALID_RESPONSE 0x108 /**< The other side answered something unusable. */
#define ESP_ERR_INVALID_CRC      0x109 /**< A CRC or checksum does not match. */
#define ESP_ERR_INVALID_VERSION  0x10A /**< A version, chip id or chip revision does not fit. */
#define ESP_ERR_INVALID_MAC      0x10B /**< A MAC address is invalid. */
#define ESP_ERR_NOT_FINISHED     0x10C /**< More calls are needed. */
#define ESP_ERR_NOT_ALLOWED      0x10D /**< Refused by policy, e.g. a write to a read-only partition. */

#define ESP_ERR_WIFI_BASE      0x3000 /**< First code of Wi-Fi. */
#define ESP_ERR_MESH_BASE      0x4000 /**< First code of ESP-MESH. */
#define ESP_ERR_FLASH_BASE     0x6000 /**< First code of the flash driver. */
#define ESP_ERR_HW_CRYPTO_BASE 0xc000 /**< First code of the crypto peripherals. */
#define ESP_ERR_MEMPROT_BASE   0xd000 /**< First code of memory protection. */

#define ESP_ERR_FLASH_OP_FAIL    (ESP_ERR_FLASH_BASE + 1) /**< A flash operation failed. */
#define ESP_ERR_FLASH_OP_TIMEOUT (ESP_ERR_FLASH_BASE + 2) /**< A flash operation took too long. */

/**
 * Name of an error code.
 *
 * @param code  any value
 * @return the macro's name as a static string, "ESP_OK" for 0, "UNKNOWN ERROR" if no component defines it
 */
const char *esp_err_to_name(esp_err_t code);

/**
 * Name of an error code, written into the caller's buffer; unknown codes show their number.
 *
 * @param code    any value
 * @param buf     destination, always terminated when @p buflen is at least 1
 * @param buflen  its size in bytes
 * @return @p buf
 */
const char *esp_err_to_name_r(esp_err_t code, char *buf, size_t buflen);

/** Reports a failed ESP_ERROR_CHECK on the log and aborts the device. Not for direct use. */
void _esp_error_check_failed(esp_err_t rc, const char *file, int line, const char *function, const char *expression)
    __attribute__((noreturn));

/** Reports a failed ESP_ERROR_CHECK_WITHOUT_ABORT on the log and returns. Not for direct use. */
void _esp_error_check_failed_without_abort(esp_err_t rc, const char *file, int line, const char *function,
                                           const char *expression);

/** Evaluates @p x; anything but ESP_OK is reported and aborts the device (which resets it). */
#define ESP_ERROR_CHECK(x)                                                                                             \
    do {                                                                                                               \
        esp_err_t err_rc_ = (x);                                                                                       \
        if (err_rc_ != ESP_OK) {                                                                                       \
            _esp_error_check_failed(err_rc_, __FILE__, __LINE__, __func__, #x);                                        \
        }                                                                                                              \
    } while (0)

#ifndef __cplusplus
/** Evaluates @p x; anything but ESP_OK is reported. Value: the error code. */
#define ESP_ERROR_CHECK_WITHOUT_ABORT(x) esp_error_check_report_((x), __FILE__, __LINE__, __func__, #x)
#endif

/** Implementation of ESP_ERROR_CHECK_WITHOUT_ABORT. */
static inline esp_err_t esp_error_check_report_(esp_err_t rc, const char *file, int line, const char *function,
                                                const char *expression)
{
    if (rc != ESP_OK) {
        _esp_error_check_failed_without_abort(rc, file, line, function, expression);
    }
    return rc;
}

#ifdef __cplusplus
}
#endif
