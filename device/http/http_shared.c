/* SPDX-License-Identifier: Apache-2.0 */
/* What the clients of a process share. */
#include "device/http/http_shared.h"

#include <stdlib.h>
#include <string.h>

#include "device/http/http_internal.h"
#include "esp_crt_bundle.h"
#include "esp_log.h"
#include "esp_tls.h"
#include "otter/otter_crypto.h"
#include "otter/otter_http_proxy.h"
#include "otter/otter_os.h"

typedef struct shared_text {
    char *bytes; /* With a terminator behind; NULL: not set. */
    size_t len;
} shared_text_t;

static struct {
    otter_mutex_t lock;
    shared_text_t text[HTTP_SHARED_MAX];
} shared;

static bool copy_text(shared_text_t *copy, const void *bytes, size_t len)
{
    char *fresh = malloc(len + 1);
    if (fresh == NULL) {
        return false;
    }
    memcpy(fresh, bytes, len);
    fresh[len] = '\0';
    *copy = (shared_text_t){.bytes = fresh, .len = len};
    return true;
}

/* NULL: not set any more. */
static esp_err_t set(http_shared_t which, const void *bytes, size_t len)
{
    shared_text_t fresh = {0};
    if (bytes != NULL && !copy_text(&fresh, bytes, len)) {
        return ESP_ERR_NO_MEM;
    }
    otter_mutex_lock(&shared.lock);
    shared_text_t old = shared.text[which];
    shared.text[which] = fresh;
    otter_mutex_unlock(&shared.lock);
    /* A proxy's password may be in it. */
    http_wipe_text(old.bytes);
    free(old.bytes);
    return ESP_OK;
}

esp_err_t http_copy_shared(http_shared_t which, char **copy, size_t *len)
{
    shared_text_t fresh = {0};
    otter_mutex_lock(&shared.lock);
    const shared_text_t *text = &shared.text[which];
    bool ok = text->bytes == NULL || copy_text(&fresh, text->bytes, text->len);
    otter_mutex_unlock(&shared.lock);
    *copy = fresh.bytes;
    if (len != NULL) {
        *len = fresh.len;
    }
    return ok ? ESP_OK : ESP_ERR_NO_MEM;
}

/* ---- certificates ---- */

static bool has_text(const unsigned char *bytes, size_t len, const char *text)
{
    size_t text_len = strlen(text);
    for (size_t at = 0; at + text_len <= len; at++) {
        if (memcmp(bytes + at, text, text_len) == 0) {
            return true;
        }
    }
    return false;
}

static bool is_pem(const unsigned char *bytes, size_t len)
{
    return memchr(bytes, '\0', len) == NULL && has_text(bytes, len, "-----BEGIN CERTIFICATE-----");
}

/* A sequence whose length takes two bytes, and is all there is. */
static bool is_der(const unsigned char *bytes, size_t len)
{
    return len > 4 && bytes[0] == 0x30 && bytes[1] == 0x82 && (size_t)(bytes[2] << 8 | bytes[3]) + 4 == len;
}

static size_t without_terminator(const unsigned char *bytes, size_t len)
{
    bool is_text = len > 0 && bytes[0] != 0x30;
    return is_text && bytes[len - 1] == '\0' ? len - 1 : len;
}

esp_err_t esp_tls_init_global_ca_store(void)
{
    return ESP_OK;
}

esp_err_t esp_tls_set_global_ca_store(const unsigned char *cacert_pem_buf, const unsigned int cacert_pem_bytes)
{
    if (cacert_pem_buf == NULL || cacert_pem_bytes == 0) {
        return ESP_ERR_INVALID_ARG;
    }
    size_t len = without_terminator(cacert_pem_buf, cacert_pem_bytes);
    if (!is_pem(cacert_pem_buf, len) && !is_der(cacert_pem_buf, len)) {
        ESP_LOGE(HTTP_TAG, "CA store: neither PEM nor DER");
        return ESP_ERR_MBEDTLS_X509_CRT_PARSE_FAILED;
    }
    return set(HTTP_SHARED_CA_STORE, cacert_pem_buf, len);
}

void esp_tls_free_global_ca_store(void)
{
    (void)set(HTTP_SHARED_CA_STORE, NULL, 0);
}

esp_err_t esp_crt_bundle_attach(void *conf)
{
    (void)conf;
    return ESP_OK;
}

void esp_crt_bundle_detach(void *conf)
{
    (void)conf;
}

esp_err_t esp_crt_bundle_set(const uint8_t *x509_bundle, size_t bundle_size)
{
    if (x509_bundle == NULL) {
        return set(HTTP_SHARED_BUNDLE, NULL, 0);
    }
    size_t len = without_terminator(x509_bundle, bundle_size);
    if (!is_pem(x509_bundle, len)) {
        ESP_LOGE(HTTP_TAG, "certificate bundle: not PEM; names and keys without certificates are not supported");
        return ESP_ERR_INVALID_ARG;
    }
    return set(HTTP_SHARED_BUNDLE, x509_bundle, len);
}

/* ---- proxy ---- */

static bool is_proxy(const char *text)
{
    http_url_t url;
    return http_url_split(text, &url) && http_span_is(url.scheme, "http") && url.host.at != NULL &&
           url.port.at != NULL && (url.path.len == 0 || (url.path.len == 1 && url.path.at[0] == '/')) &&
           url.query.at == NULL;
}

esp_err_t otter_http_set_proxy(const char *url)
{
    if (url != NULL && url[0] != '\0' && !is_proxy(url)) {
        ESP_LOGE(HTTP_TAG, "a proxy has to be http://host:port");
        return ESP_ERR_INVALID_ARG;
    }
    return set(HTTP_SHARED_PROXY, url, url == NULL ? 0 : strlen(url));
}
