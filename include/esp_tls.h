/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file esp_tls.h
 * @brief Of ESP-TLS, the CA store that several clients share (esp_http_client_config_t.use_global_ca_store), and errors.
 */
#pragma once

#include "esp_err.h"
#include "esp_tls_errors.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Says why a connection did not come about, and forgets it.
 *
 * @param h                   data of an event HTTP_EVENT_ERROR or HTTP_EVENT_DISCONNECTED, during the event
 * @param esp_tls_code        gets esp_tls_last_error_t.esp_tls_error_code; may be NULL
 * @param esp_tls_flags       gets esp_tls_last_error_t.esp_tls_flags; may be NULL
 * @return esp_tls_last_error_t.last_error; ESP_ERR_INVALID_STATE if @p h is NULL
 */
esp_err_t esp_tls_get_and_clear_last_error(esp_tls_error_handle_t h, int *esp_tls_code, int *esp_tls_flags);

/** Does nothing: a store needs no preparation here. ESP_OK. */
esp_err_t esp_tls_init_global_ca_store(void);

/**
 * Fills the store; what was in it before is replaced. Clients made from now on use it. As long as nothing was set, they
 * trust the platform's CA store instead.
 *
 * @param cacert_pem_buf    one or several certificates in PEM, or one in DER; copied
 * @param cacert_pem_bytes  its bytes; a terminating NUL may be counted
 * @return ESP_OK; ESP_ERR_INVALID_ARG for NULL or 0 bytes; ESP_ERR_MBEDTLS_X509_CRT_PARSE_FAILED for what is no
 *         certificate: the store stays as it was; ESP_ERR_NO_MEM
 */
esp_err_t esp_tls_set_global_ca_store(const unsigned char *cacert_pem_buf, const unsigned int cacert_pem_bytes);

/** Empties the store. Clients that were made with it keep what they have. */
void esp_tls_free_global_ca_store(void);

#ifdef __cplusplus
}
#endif
