/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "esp_check.h"
#include "esp_err.h"
#include "esp_http_client.h"
#include "esp_https_ota.h"
#include "esp_image_format.h"
#include "esp_ota_ops.h"
#include "nvs.h"
#include "otter/otter_os.h"

#define UNKNOWN_TEXT "UNKNOWN ERROR"
#define REPORT_BYTES 512

/* clang-format off */
#define NAME(code) {code, #code}
/* clang-format on */

static const struct {
    esp_err_t code;
    const char *name;
} names[] = {
    NAME(ESP_OK),
    NAME(ESP_FAIL),
    NAME(ESP_ERR_NO_MEM),
    NAME(ESP_ERR_INVALID_ARG),
    NAME(ESP_ERR_INVALID_STATE),
    NAME(ESP_ERR_INVALID_SIZE),
    NAME(ESP_ERR_NOT_FOUND),
    NAME(ESP_ERR_NOT_SUPPORTED),
    NAME(ESP_ERR_TIMEOUT),
    NAME(ESP_ERR_INVALID_RESPONSE),
    NAME(ESP_ERR_INVALID_CRC),
    NAME(ESP_ERR_INVALID_VERSION),
    NAME(ESP_ERR_INVALID_MAC),
    NAME(ESP_ERR_NOT_FINISHED),
    NAME(ESP_ERR_NOT_ALLOWED),
    NAME(ESP_ERR_NVS_BASE),
    NAME(ESP_ERR_NVS_NOT_INITIALIZED),
    NAME(ESP_ERR_NVS_NOT_FOUND),
    NAME(ESP_ERR_NVS_TYPE_MISMATCH),
    NAME(ESP_ERR_NVS_READ_ONLY),
    NAME(ESP_ERR_NVS_NOT_ENOUGH_SPACE),
    NAME(ESP_ERR_NVS_INVALID_NAME),
    NAME(ESP_ERR_NVS_INVALID_HANDLE),
    NAME(ESP_ERR_NVS_REMOVE_FAILED),
    NAME(ESP_ERR_NVS_KEY_TOO_LONG),
    NAME(ESP_ERR_NVS_PAGE_FULL),
    NAME(ESP_ERR_NVS_INVALID_STATE),
    NAME(ESP_ERR_NVS_INVALID_LENGTH),
    NAME(ESP_ERR_NVS_NO_FREE_PAGES),
    NAME(ESP_ERR_NVS_VALUE_TOO_LONG),
    NAME(ESP_ERR_NVS_PART_NOT_FOUND),
    NAME(ESP_ERR_NVS_NEW_VERSION_FOUND),
    NAME(ESP_ERR_NVS_XTS_ENCR_FAILED),
    NAME(ESP_ERR_NVS_XTS_DECR_FAILED),
    NAME(ESP_ERR_NVS_XTS_CFG_FAILED),
    NAME(ESP_ERR_NVS_XTS_CFG_NOT_FOUND),
    NAME(ESP_ERR_NVS_ENCR_NOT_SUPPORTED),
    NAME(ESP_ERR_NVS_KEYS_NOT_INITIALIZED),
    NAME(ESP_ERR_NVS_CORRUPT_KEY_PART),
    NAME(ESP_ERR_NVS_CONTENT_DIFFERS),
    NAME(ESP_ERR_NVS_WRONG_ENCRYPTION),
    NAME(ESP_ERR_OTA_BASE),
    NAME(ESP_ERR_OTA_PARTITION_CONFLICT),
    NAME(ESP_ERR_OTA_SELECT_INFO_INVALID),
    NAME(ESP_ERR_OTA_VALIDATE_FAILED),
    NAME(ESP_ERR_OTA_SMALL_SEC_VER),
    NAME(ESP_ERR_OTA_ROLLBACK_FAILED),
    NAME(ESP_ERR_OTA_ROLLBACK_INVALID_STATE),
    NAME(ESP_ERR_OTA_ALREADY_IN_PROGRESS),
    NAME(ESP_ERR_OTA_SPI_MODE_MISMATCH),
    NAME(ESP_ERR_IMAGE_BASE),
    NAME(ESP_ERR_IMAGE_FLASH_FAIL),
    NAME(ESP_ERR_IMAGE_INVALID),
    NAME(ESP_ERR_WIFI_BASE),
    NAME(ESP_ERR_MESH_BASE),
    NAME(ESP_ERR_FLASH_BASE),
    NAME(ESP_ERR_FLASH_OP_FAIL),
    NAME(ESP_ERR_FLASH_OP_TIMEOUT),
    NAME(ESP_ERR_HTTP_BASE),
    NAME(ESP_ERR_HTTP_MAX_REDIRECT),
    NAME(ESP_ERR_HTTP_CONNECT),
    NAME(ESP_ERR_HTTP_WRITE_DATA),
    NAME(ESP_ERR_HTTP_FETCH_HEADER),
    NAME(ESP_ERR_HTTP_INVALID_TRANSPORT),
    NAME(ESP_ERR_HTTP_CONNECTING),
    NAME(ESP_ERR_HTTP_EAGAIN),
    NAME(ESP_ERR_HTTP_CONNECTION_CLOSED),
    NAME(ESP_ERR_HTTP_NOT_MODIFIED),
    NAME(ESP_ERR_HTTP_RANGE_NOT_SATISFIABLE),
    NAME(ESP_ERR_HTTP_READ_TIMEOUT),
    NAME(ESP_ERR_HTTP_INCOMPLETE_DATA),
    NAME(ESP_ERR_HTTP_REDIRECT_DOWNGRADE),
    NAME(ESP_ERR_HTTP_HEADER_TOO_LONG),
    NAME(ESP_ERR_HTTPS_OTA_BASE),
    NAME(ESP_ERR_HTTPS_OTA_IN_PROGRESS),
    NAME(ESP_ERR_HW_CRYPTO_BASE),
    NAME(ESP_ERR_MEMPROT_BASE),
};

static const char *find_name(esp_err_t code)
{
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (names[i].code == code) {
            return names[i].name;
        }
    }
    return NULL;
}

const char *esp_err_to_name(esp_err_t code)
{
    const char *name = find_name(code);
    return name != NULL ? name : UNKNOWN_TEXT;
}

const char *esp_err_to_name_r(esp_err_t code, char *buf, size_t buflen)
{
    const char *name = find_name(code);
    if (name != NULL) {
        (void)snprintf(buf, buflen, "%s", name);
    } else {
        (void)snprintf(buf, buflen, UNKNOWN_TEXT " 0x%x(%d)", (unsigned)code, code);
    }
    return buf;
}

/* Past the log levels: this is the last thing that a device says. */
static void report(const char *check, esp_err_t rc, const char *file, int line, const char *function,
                   const char *expression)
{
    char text[REPORT_BYTES];
    int len =
        snprintf(text, sizeof text, "%s failed: esp_err_t 0x%x (%s)\nfile: \"%s\" line %d\nfunc: %s\nexpression: %s\n",
                 check, (unsigned)rc, esp_err_to_name(rc), file, line, function, expression);
    if (len > 0) {
        otter_log_write(text, (size_t)len < sizeof text ? (size_t)len : sizeof text - 1);
    }
}

void _esp_error_check_failed(esp_err_t rc, const char *file, int line, const char *function, const char *expression)
{
    report("ESP_ERROR_CHECK", rc, file, line, function, expression);
    abort();
}

void _esp_error_check_failed_without_abort(esp_err_t rc, const char *file, int line, const char *function,
                                           const char *expression)
{
    report("ESP_ERROR_CHECK_WITHOUT_ABORT", rc, file, line, function, expression);
}

void esp_check_report_(const char *tag, const char *function, int line, const char *format, ...)
{
    char text[REPORT_BYTES];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    ESP_LOGE(tag, "%s(%d): %s", function, line, text);
}
