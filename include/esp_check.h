/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file esp_check.h
 * @brief Checks that log and leave the function. Each takes a tag, a printf format and its arguments last.
 */
#pragma once

#include "esp_err.h"
#include "esp_log.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Writes "function(line): text" as an error. Implementation of the macros. */
void esp_check_report_(const char *tag, const char *function, int line, const char *format, ...)
    ESP_LOG_PRINTF_ATTR_(4, 5);

/** Unless @p x is ESP_OK: logs and returns the error. (x, tag, format, ...) */
#define ESP_RETURN_ON_ERROR(x, tag, ...)                                                                               \
    do {                                                                                                               \
        esp_err_t err_rc_ = (x);                                                                                       \
        if (err_rc_ != ESP_OK) {                                                                                       \
            esp_check_report_(tag, __func__, __LINE__, __VA_ARGS__);                                                   \
            return err_rc_;                                                                                            \
        }                                                                                                              \
    } while (0)

/** Unless @p x is ESP_OK: logs and returns. (x, tag, format, ...) */
#define ESP_RETURN_VOID_ON_ERROR(x, tag, ...)                                                                          \
    do {                                                                                                               \
        esp_err_t err_rc_ = (x);                                                                                       \
        if (err_rc_ != ESP_OK) {                                                                                       \
            esp_check_report_(tag, __func__, __LINE__, __VA_ARGS__);                                                   \
            return;                                                                                                    \
        }                                                                                                              \
    } while (0)

/** Unless @p x is ESP_OK: logs, puts the error into the local variable ret and goes to the label. (x, label, tag, format, ...) */
#define ESP_GOTO_ON_ERROR(x, goto_tag, tag, ...)                                                                       \
    do {                                                                                                               \
        esp_err_t err_rc_ = (x);                                                                                       \
        if (err_rc_ != ESP_OK) {                                                                                       \
            esp_check_report_(tag, __func__, __LINE__, __VA_ARGS__);                                                   \
            ret = err_rc_;                                                                                             \
            goto goto_tag;                                                                                             \
        }                                                                                                              \
    } while (0)

/** Unless @p a holds: logs and returns @p err_code. (a, err_code, tag, format, ...) */
#define ESP_RETURN_ON_FALSE(a, err_code, tag, ...)                                                                     \
    do {                                                                                                               \
        if (!(a)) {                                                                                                    \
            esp_check_report_(tag, __func__, __LINE__, __VA_ARGS__);                                                   \
            return err_code;                                                                                           \
        }                                                                                                              \
    } while (0)

/** Unless @p a holds: logs and returns. (a, tag, format, ...) */
#define ESP_RETURN_VOID_ON_FALSE(a, tag, ...)                                                                          \
    do {                                                                                                               \
        if (!(a)) {                                                                                                    \
            esp_check_report_(tag, __func__, __LINE__, __VA_ARGS__);                                                   \
            return;                                                                                                    \
        }                                                                                                              \
    } while (0)

/** Unless @p a holds: logs, puts @p err_code into the local variable ret and goes to the label. (a, err_code, label, tag, format, ...) */
#define ESP_GOTO_ON_FALSE(a, err_code, goto_tag, tag, ...)                                                             \
    do {                                                                                                               \
        if (!(a)) {                                                                                                    \
            esp_check_report_(tag, __func__, __LINE__, __VA_ARGS__);                                                   \
            ret = err_code;                                                                                            \
            goto goto_tag;                                                                                             \
        }                                                                                                              \
    } while (0)

/* There are no interrupts here. */
#define ESP_RETURN_ON_ERROR_ISR      ESP_RETURN_ON_ERROR
#define ESP_RETURN_VOID_ON_ERROR_ISR ESP_RETURN_VOID_ON_ERROR
#define ESP_GOTO_ON_ERROR_ISR        ESP_GOTO_ON_ERROR
#define ESP_RETURN_ON_FALSE_ISR      ESP_RETURN_ON_FALSE
#define ESP_RETURN_VOID_ON_FALSE_ISR ESP_RETURN_VOID_ON_FALSE
#define ESP_GOTO_ON_FALSE_ISR        ESP_GOTO_ON_FALSE

#ifdef __cplusplus
}
#endif
