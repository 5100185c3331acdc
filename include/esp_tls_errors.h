/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file esp_tls_errors.h
 * @brief The numbers of ESP-TLS, as esp_http_client_get_and_clear_last_tls_error() gives them. Otter uses two of them.
 */
#pragma once

#include "esp_err.h"

#ifdef __cplusplus
extern "C" {
#endif

#define ESP_ERR_ESP_TLS_BASE 0x8000 /**< First code of ESP-TLS. */

#define ESP_ERR_ESP_TLS_CANNOT_RESOLVE_HOSTNAME     (ESP_ERR_ESP_TLS_BASE + 0x01) /**< Not used. */
#define ESP_ERR_ESP_TLS_CANNOT_CREATE_SOCKET        (ESP_ERR_ESP_TLS_BASE + 0x02) /**< Not used. */
#define ESP_ERR_ESP_TLS_UNSUPPORTED_PROTOCOL_FAMILY (ESP_ERR_ESP_TLS_BASE + 0x03) /**< Not used. */
#define ESP_ERR_ESP_TLS_FAILED_CONNECT_TO_HOST      (ESP_ERR_ESP_TLS_BASE + 0x04) /**< No connection or TLS session. */
#define ESP_ERR_ESP_TLS_SOCKET_SETOPT_FAILED        (ESP_ERR_ESP_TLS_BASE + 0x05) /**< Not used. */
#define ESP_ERR_ESP_TLS_CONNECTION_TIMEOUT          (ESP_ERR_ESP_TLS_BASE + 0x06) /**< Not used. */
#define ESP_ERR_ESP_TLS_SE_FAILED                   (ESP_ERR_ESP_TLS_BASE + 0x07) /**< Not used. */
#define ESP_ERR_ESP_TLS_TCP_CLOSED_FIN              (ESP_ERR_ESP_TLS_BASE + 0x08) /**< Not used. */
#define ESP_ERR_ESP_TLS_SERVER_HANDSHAKE_TIMEOUT    (ESP_ERR_ESP_TLS_BASE + 0x09) /**< Not used. */
#define ESP_ERR_MBEDTLS_X509_CRT_PARSE_FAILED       (ESP_ERR_ESP_TLS_BASE + 0x15) /**< No certificate in what was given. */
#define ESP_ERR_MBEDTLS_SSL_HANDSHAKE_FAILED        (ESP_ERR_ESP_TLS_BASE + 0x1A) /**< A certificate was refused. */

/** Why a connection did not come about. */
typedef struct esp_tls_last_error {
    esp_err_t last_error;   /**< One of the codes above; ESP_OK: nothing went wrong. */
    int esp_tls_error_code; /**< Number of mbedTLS: 0x2700 if a certificate was refused, else 0. */
    int esp_tls_flags;      /**< Flags of mbedTLS: 0x0100 if a certificate was refused, else 0. */
} esp_tls_last_error_t;

/** As event handlers get it: data of HTTP_EVENT_ERROR and HTTP_EVENT_DISCONNECTED. */
typedef struct esp_tls_last_error *esp_tls_error_handle_t;

#ifdef __cplusplus
}
#endif
