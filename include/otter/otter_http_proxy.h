/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file otter_http_proxy.h
 * @brief The proxy that this process's HTTP clients use.
 */
#pragma once

#include "esp_err.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Sets the proxy of every client that is made from now on. https goes through it end to end (CONNECT): it sees host names
 * and no more. Name and password are for the proxy only, and on no log.
 *
 * @param url  "http://[name:password@]host:port", copied; "": no proxy, whatever the environment says; NULL, as at the
 *             start: what the environment says (http_proxy, https_proxy, all_proxy, no_proxy), where there is one
 * @return ESP_OK; ESP_ERR_INVALID_ARG for a URL of another form: the proxy stays as it was; ESP_ERR_NO_MEM
 */
esp_err_t otter_http_set_proxy(const char *url);

#ifdef __cplusplus
}
#endif
