/* SPDX-License-Identifier: Apache-2.0 */
/* Turns a request and the client's configuration into curl options. */
#define _GNU_SOURCE
#include "port/http_curl/http_curl.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "esp_http_client.h"

/* Large enough that a few TLS records are drained at once. */
#define RECEIVE_BUFFER_BYTES (256L * 1024)

/* ---- TLS ---- */

static size_t text_len(const char *text, size_t len)
{
    return len == 0 ? strlen(text) : strnlen(text, len);
}

static bool is_der(const char *data, size_t len)
{
    return len > 4 && (unsigned char)data[0] == 0x30;
}

static void encode_group(char out[4], const uint8_t *in, size_t len)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    uint32_t bits = (uint32_t)in[0] << 16 | (len > 1 ? (uint32_t)in[1] << 8 : 0) | (len > 2 ? in[2] : 0);
    for (size_t i = 0; i < 4; i++) {
        out[i] = i <= len ? digits[bits >> (18 - 6 * i) & 63] : '=';
    }
}

/* curl takes trusted certificates as PEM only. */
static char *pem_from_der(const uint8_t *der, size_t len)
{
    static const char begin[] = "-----BEGIN CERTIFICATE-----\n";
    static const char end[] = "-----END CERTIFICATE-----\n";
    char *pem = malloc(sizeof(begin) + sizeof(end) + len / 3 * 4 + 4 + len / 48 + 2);
    if (pem == NULL) {
        return NULL;
    }
    memcpy(pem, begin, sizeof(begin) - 1);
    char *at = pem + sizeof(begin) - 1;
    for (size_t i = 0; i < len; i += 3) {
        encode_group(at, der + i, len - i < 3 ? len - i : 3);
        at += 4;
        if (i % 48 == 45) {
            *at++ = '\n';
        }
    }
    if (at[-1] != '\n') {
        *at++ = '\n';
    }
    memcpy(at, end, sizeof(end));
    return pem;
}

bool http_curl_prepare_tls(otter_http_t *http)
{
    const otter_http_tls_t *tls = &http->config.tls;
    if (tls->ca_pem == NULL) {
        return true;
    }
    if (is_der(tls->ca_pem, tls->ca_len)) {
        http->ca_pem = pem_from_der((const uint8_t *)tls->ca_pem, tls->ca_len);
        return http->ca_pem != NULL;
    }
    return memmem(tls->ca_pem, text_len(tls->ca_pem, tls->ca_len), "-----BEGIN ", 11) != NULL;
}

static struct curl_blob borrow(const char *data, size_t len)
{
    /* The cast drops const for a C API that only reads. */
    return (struct curl_blob){.data = (void *)(uintptr_t)data, .len = len, .flags = CURL_BLOB_NOCOPY};
}

static void trust(otter_http_t *http)
{
    const otter_http_tls_t *tls = &http->config.tls;
    if (tls->ca_pem == NULL && tls->use_system_ca) {
        return;
    }
    curl_easy_setopt(http->easy, CURLOPT_CAINFO, NULL);
    curl_easy_setopt(http->easy, CURLOPT_CAPATH, NULL);
    if (tls->ca_pem != NULL) {
        const char *pem = http->ca_pem != NULL ? http->ca_pem : tls->ca_pem;
        struct curl_blob blob = borrow(pem, text_len(pem, http->ca_pem != NULL ? 0 : tls->ca_len));
        curl_easy_setopt(http->easy, CURLOPT_CAINFO_BLOB, &blob);
    }
}

static void identify(otter_http_t *http)
{
    const otter_http_tls_t *tls = &http->config.tls;
    if (tls->client_cert_pem == NULL) {
        return;
    }
    bool cert_der = is_der(tls->client_cert_pem, tls->client_cert_len);
    struct curl_blob cert = borrow(
        tls->client_cert_pem, cert_der ? tls->client_cert_len : text_len(tls->client_cert_pem, tls->client_cert_len));
    curl_easy_setopt(http->easy, CURLOPT_SSLCERT_BLOB, &cert);
    curl_easy_setopt(http->easy, CURLOPT_SSLCERTTYPE, cert_der ? "DER" : "PEM");
    if (tls->client_key_pem != NULL) {
        bool key_der = is_der(tls->client_key_pem, tls->client_key_len);
        struct curl_blob key = borrow(
            tls->client_key_pem, key_der ? tls->client_key_len : text_len(tls->client_key_pem, tls->client_key_len));
        curl_easy_setopt(http->easy, CURLOPT_SSLKEY_BLOB, &key);
        curl_easy_setopt(http->easy, CURLOPT_SSLKEYTYPE, key_der ? "DER" : "PEM");
    }
    curl_easy_setopt(http->easy, CURLOPT_KEYPASSWD, tls->client_key_password);
}

static long version_option(int tls_version)
{
    if (tls_version == 12) {
        return (long)CURL_SSLVERSION_TLSv1_2 | (long)CURL_SSLVERSION_MAX_TLSv1_2;
    }
    return tls_version == 13 ? (long)CURL_SSLVERSION_TLSv1_3 : (long)CURL_SSLVERSION_TLSv1_2;
}

static bool offers(const char *const *protos, const char *name)
{
    for (; protos != NULL && *protos != NULL; protos++) {
        if (strcmp(*protos, name) == 0) {
            return true;
        }
    }
    return false;
}

static void set_tls(otter_http_t *http)
{
    const otter_http_tls_t *tls = &http->config.tls;
    bool http2 = tls->alpn_protos == NULL || offers(tls->alpn_protos, "h2");
    curl_easy_setopt(http->easy, CURLOPT_SSL_VERIFYPEER, tls->insecure ? 0L : 1L);
    curl_easy_setopt(http->easy, CURLOPT_SSL_VERIFYHOST, tls->insecure || tls->skip_common_name_check ? 0L : 2L);
    curl_easy_setopt(http->easy, CURLOPT_SSLVERSION, version_option(tls->tls_version));
    curl_easy_setopt(http->easy, CURLOPT_HTTP_VERSION,
                     http2 ? (long)CURL_HTTP_VERSION_2TLS : (long)CURL_HTTP_VERSION_1_1);
    trust(http);
    identify(http);
}

/* ---- connection ---- */

static int default_int(int given, int otherwise)
{
    return given == 0 ? otherwise : given;
}

/* Probe count: older libcurl has no option for it. */
static int tune_socket(void *arg, curl_socket_t fd, curlsocktype purpose)
{
    const otter_http_config_t *config = arg;
    int count = default_int(config->tcp_keep_alive_count, 3);
    (void)purpose;
    /* A transport without keep-alive works without. */
    (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof(count));
    return CURL_SOCKOPT_OK;
}

static int note_connected(void *arg, char *local_ip, char *remote_ip, int local_port, int remote_port)
{
    (void)local_ip;
    (void)remote_ip;
    (void)local_port;
    (void)remote_port;
    ((otter_http_t *)arg)->connected = true;
    return CURL_PREREQFUNC_OK;
}

static long resolve_option(int ip_version)
{
    if (ip_version == 0) {
        return CURL_IPRESOLVE_WHATEVER;
    }
    return ip_version == 4 ? CURL_IPRESOLVE_V4 : CURL_IPRESOLVE_V6;
}

static void set_connection(otter_http_t *http)
{
    const otter_http_config_t *config = &http->config;
    CURL *easy = http->easy;
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    /* A name look-up that outlasts the deadline must not hold the caller. */
    curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, http->transport->curl_name);
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, RECEIVE_BUFFER_BYTES);
    curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, note_connected);
    curl_easy_setopt(easy, CURLOPT_PREREQDATA, http);
    curl_easy_setopt(easy, CURLOPT_INTERFACE, config->if_name);
    curl_easy_setopt(easy, CURLOPT_IPRESOLVE, resolve_option(config->ip_version));
    if (config->proxy != NULL) {
        curl_easy_setopt(easy, CURLOPT_PROXY, config->proxy);
        curl_easy_setopt(easy, CURLOPT_NOPROXY, "");
    }
    if (config->tcp_keep_alive) {
        curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
        curl_easy_setopt(easy, CURLOPT_TCP_KEEPIDLE, (long)default_int(config->tcp_keep_alive_idle_s, 5));
        curl_easy_setopt(easy, CURLOPT_TCP_KEEPINTVL, (long)default_int(config->tcp_keep_alive_interval_s, 5));
        curl_easy_setopt(easy, CURLOPT_SOCKOPTFUNCTION, tune_socket);
        curl_easy_setopt(easy, CURLOPT_SOCKOPTDATA, config);
    }
}

/* ---- request ---- */

static bool add_line(struct curl_slist **list, const char *line)
{
    struct curl_slist *longer = curl_slist_append(*list, line);
    if (longer == NULL) {
        return false;
    }
    *list = longer;
    return true;
}

static bool add_header(otter_http_t *http, const char *name, const char *value)
{
    char *line = NULL;
    /* curl's spelling of a header with an empty value is a semicolon. */
    if (asprintf(&line, value[0] == '\0' ? "%s;" : "%s: %s", name, value) < 0) {
        return false;
    }
    bool added = add_line(&http->headers, line);
    free(line);
    return added;
}

static bool has_header(const otter_http_request_t *request, const char *name)
{
    for (size_t i = 0; i < request->header_count; i++) {
        if (strcasecmp(request->headers[i].name, name) == 0) {
            return true;
        }
    }
    return false;
}

/* The request's headers, and a "no, thank you" for each that curl would add on its own. */
static bool set_headers(otter_http_t *http, const otter_http_request_t *request)
{
    static const char *const curls_own[] = {"Accept", "Expect", "Content-Type"};
    for (size_t i = 0; i < request->header_count; i++) {
        if (!add_header(http, request->headers[i].name, request->headers[i].value)) {
            return false;
        }
    }
    for (size_t i = 0; i < sizeof(curls_own) / sizeof(curls_own[0]); i++) {
        char line[32];
        snprintf(line, sizeof(line), "%s:", curls_own[i]);
        if (!has_header(request, curls_own[i]) && !add_line(&http->headers, line)) {
            return false;
        }
    }
    curl_easy_setopt(http->easy, CURLOPT_HTTPHEADER, http->headers);
    return true;
}

static void set_method(otter_http_t *http, const otter_http_request_t *request)
{
    http->has_body = strcmp(request->method, "HEAD") != 0;
    if (!http->has_body) {
        curl_easy_setopt(http->easy, CURLOPT_NOBODY, 1L);
        return;
    }
    bool sends_body = request->body != NULL || strcmp(request->method, "POST") == 0;
    if (sends_body) {
        curl_easy_setopt(http->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body_len);
        curl_easy_setopt(http->easy, CURLOPT_POSTFIELDS, request->body == NULL ? "" : request->body);
    }
    curl_easy_setopt(http->easy, CURLOPT_CUSTOMREQUEST, request->method);
}

/* Connects to the URL's host, but asks for, and verifies, another name. */
static bool rename_server(otter_http_t *http, CURLU *url, const char *host, const char *port)
{
    char *target = NULL;
    bool ok = asprintf(&target, "::%s:%s", host, port) >= 0 && add_line(&http->connect_to, target);
    free(target);
    if (!ok || curl_url_set(url, CURLUPART_HOST, http->config.tls.common_name, 0) != CURLUE_OK) {
        return false;
    }
    curl_easy_setopt(http->easy, CURLOPT_CONNECT_TO, http->connect_to);
    return true;
}

static bool is_http(const otter_http_t *http)
{
    return strncmp(http->transport->curl_name, "http", 4) == 0;
}

/* Takes the URL apart, with the scheme that curl knows. */
static bool split_url(otter_http_t *http, CURLU *url, const char *text, char **host, char **port)
{
    unsigned flags = CURLU_PATH_AS_IS | CURLU_NON_SUPPORT_SCHEME;
    return curl_url_set(url, CURLUPART_URL, text, flags) == CURLUE_OK &&
           curl_url_set(url, CURLUPART_SCHEME, http->transport->curl_name, 0) == CURLUE_OK &&
           curl_url_get(url, CURLUPART_HOST, host, 0) == CURLUE_OK &&
           curl_url_get(url, CURLUPART_PORT, port, CURLU_DEFAULT_PORT) == CURLUE_OK;
}

static esp_err_t use_url(otter_http_t *http, CURLU *url, const otter_http_request_t *request)
{
    char *host = NULL;
    char *port = NULL;
    char *text = NULL;
    esp_err_t err = ESP_ERR_HTTP_CONNECT;
    if (!split_url(http, url, request->url, &host, &port)) {
        http_curl_set_error(http, "malformed URL");
        goto finish;
    }
    snprintf(http->origin, sizeof(http->origin), "%s:%s", host, port);
    bool renamed = http->config.tls.common_name != NULL && http->transport->tls;
    err = ESP_ERR_NO_MEM;
    if (renamed && !rename_server(http, url, host, port)) {
        goto finish;
    }
    if (renamed && is_http(http) && !has_header(request, "Host") && !add_header(http, "Host", http->origin)) {
        goto finish;
    }
    if (curl_url_get(url, CURLUPART_URL, &text, 0) == CURLUE_OK &&
        curl_easy_setopt(http->easy, CURLOPT_URL, text) == CURLE_OK) {
        err = ESP_OK;
    }
finish:
    curl_free(host);
    curl_free(port);
    curl_free(text);
    return err;
}

static esp_err_t set_url(otter_http_t *http, const otter_http_request_t *request)
{
    CURLU *url = curl_url();
    if (url == NULL) {
        return ESP_ERR_NO_MEM;
    }
    esp_err_t err = use_url(http, url, request);
    curl_url_cleanup(url);
    return err;
}

static bool trusts_something(const otter_http_tls_t *tls)
{
    return tls->ca_pem != NULL || tls->use_system_ca || tls->insecure;
}

/* Options that only HTTP has. */
static esp_err_t set_request(otter_http_t *http, const otter_http_request_t *request)
{
    set_method(http, request);
    return set_headers(http, request) ? ESP_OK : ESP_ERR_NO_MEM;
}

esp_err_t http_curl_set_options(otter_http_t *http, const otter_http_request_t *request)
{
    curl_easy_reset(http->easy);
    set_connection(http);
    set_tls(http);
    esp_err_t err = set_url(http, request);
    if (err == ESP_OK && http->transport->tls && !trusts_something(&http->config.tls)) {
        http_curl_set_error(http, "no CA certificate is configured, so the server cannot be verified");
        return ESP_ERR_HTTP_CONNECT;
    }
    if (err == ESP_OK && is_http(http)) {
        err = set_request(http, request);
    }
    if (err == ESP_ERR_NO_MEM) {
        http_curl_set_error(http, "out of memory");
    }
    return err;
}

void http_curl_drop_options(otter_http_t *http)
{
    curl_slist_free_all(http->headers);
    curl_slist_free_all(http->connect_to);
    http->headers = NULL;
    http->connect_to = NULL;
}
