/* SPDX-License-Identifier: Apache-2.0 */
/* One TLS connection: handshake, verification, bytes. */
#define _DEFAULT_SOURCE
#include "port/stream_openssl/stream.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/x509v3.h>

/* ---- what went wrong ---- */

static bool is_wrong_name(long result)
{
    return result == X509_V_ERR_HOSTNAME_MISMATCH || result == X509_V_ERR_IP_ADDRESS_MISMATCH;
}

static const char *name_to_expect(const otter_stream_t *stream, const char *host)
{
    return stream->config.tls.common_name != NULL ? stream->config.tls.common_name : host;
}

/* Alerts by which a server says that our certificate, or its absence, is the trouble. */
static bool is_about_our_certificate(int reason)
{
    static const int reasons[] = {
        SSL_R_SSLV3_ALERT_BAD_CERTIFICATE,     SSL_R_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE,
        SSL_R_SSLV3_ALERT_CERTIFICATE_REVOKED, SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED,
        SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN, SSL_R_TLSV1_ALERT_UNKNOWN_CA,
        SSL_R_TLSV1_ALERT_ACCESS_DENIED,       SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED,
    };
    for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
        if (reason == reasons[i]) {
            return true;
        }
    }
    return false;
}

/* Puts OpenSSL's errors into words, or the operating system's; @p code as from SSL_get_error(). Value: what to answer. */
static esp_err_t explain(otter_stream_t *stream, const char *what, int code, int os_code)
{
    unsigned long first = ERR_peek_error();
    int reason = ERR_GET_LIB(first) == ERR_LIB_SSL ? ERR_GET_REASON(first) : 0;
    stream->dead = true;
    if (code == SSL_ERROR_ZERO_RETURN || (first == 0 && os_code == 0) || reason == SSL_R_UNEXPECTED_EOF_WHILE_READING) {
        stream_set_error(stream, "%s: the server closed the connection", what);
        return ESP_FAIL;
    }
    if (first == 0) {
        stream_set_os_error(stream, what, os_code);
        return ESP_FAIL;
    }
    const char *text = ERR_reason_error_string(first);
    stream_set_error(stream, "%s: %s", what, text != NULL ? text : "unknown error");
    return is_about_our_certificate(reason) ? ESP_ERR_NOT_ALLOWED : ESP_FAIL;
}

static esp_err_t explain_handshake(otter_stream_t *stream, const char *host, int code, int os_code)
{
    long result = SSL_get_verify_result(stream->ssl);
    esp_err_t err = explain(stream, "TLS handshake", code, os_code);
    if (stream->config.tls.insecure || result == X509_V_OK) {
        return err;
    }
    if (is_wrong_name(result)) {
        stream_set_error(stream, "no name in the server's certificate matches target host '%s'",
                         name_to_expect(stream, host));
    } else {
        stream_set_error(stream, "the server's certificate is refused: %s", X509_verify_cert_error_string(result));
    }
    return ESP_ERR_NOT_ALLOWED;
}

/* ---- handshake ---- */

static bool is_address(const char *name)
{
    unsigned char bytes[sizeof(struct in6_addr)];
    return inet_pton(AF_INET, name, bytes) == 1 || inet_pton(AF_INET6, name, bytes) == 1;
}

/* The name as it is in certificates: no dot at its end, no zone behind an address. */
static void bare_name(const char *name, char bare[OTTER_STREAM_HOST_BYTES])
{
    snprintf(bare, OTTER_STREAM_HOST_BYTES, "%s", name);
    bare[strcspn(bare, "%")] = '\0';
    size_t len = strlen(bare);
    if (len > 1 && bare[len - 1] == '.') {
        bare[len - 1] = '\0';
    }
}

/* Whom we ask for, and whose certificate it has to be. */
static bool expect_name(otter_stream_t *stream, const char *name)
{
    const otter_http_tls_t *tls = &stream->config.tls;
    X509_VERIFY_PARAM *param = SSL_get0_param(stream->ssl);
    if (is_address(name)) {
        return tls->skip_common_name_check || X509_VERIFY_PARAM_set1_ip_asc(param, name) == 1;
    }
    X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    return SSL_set_tlsext_host_name(stream->ssl, name) == 1 &&
           (tls->skip_common_name_check || X509_VERIFY_PARAM_set1_host(param, name, 0) == 1);
}

static void drop_session(otter_stream_t *stream)
{
    SSL_SESSION_free(stream->session);
    stream->session = NULL;
}

static void offer_session(otter_stream_t *stream, const char *host, uint16_t port)
{
    bool same = stream->session_port == port && strcmp(stream->session_host, host) == 0;
    if (stream->session != NULL && same) {
        (void)SSL_set_session(stream->ssl, stream->session);
    }
    /* A ticket of TLS 1.3 is for one connection, and each brings new ones; TLS 1.2 goes on with the same. */
    if (stream->session != NULL && (!same || SSL_SESSION_get_protocol_version(stream->session) >= TLS1_3_VERSION)) {
        drop_session(stream);
    }
    snprintf(stream->session_host, sizeof(stream->session_host), "%s", host);
    stream->session_port = port;
}

static esp_err_t make_ssl(otter_stream_t *stream, const char *host, uint16_t port)
{
    char name[OTTER_STREAM_HOST_BYTES];
    bare_name(name_to_expect(stream, host), name);
    stream->ssl = SSL_new(stream->context);
    if (stream->ssl == NULL || SSL_set_fd(stream->ssl, stream->fd) != 1 || !expect_name(stream, name)) {
        return ESP_ERR_NO_MEM;
    }
    SSL_set_app_data(stream->ssl, stream);
    offer_session(stream, host, port);
    return ESP_OK;
}

/* What an operation that did not finish has to wait for; 0: nothing, it failed. */
static short awaited_events(int code)
{
    if (code == SSL_ERROR_WANT_READ) {
        return POLLIN;
    }
    return code == SSL_ERROR_WANT_WRITE ? POLLOUT : 0;
}

static void clear_errors(void)
{
    ERR_clear_error();
    errno = 0;
}

esp_err_t stream_start_tls(otter_stream_t *stream, const char *host, uint16_t port, int64_t deadline_us)
{
    clear_errors();
    esp_err_t err = make_ssl(stream, host, port);
    while (err == ESP_OK) {
        clear_errors();
        int result = SSL_connect(stream->ssl);
        int os_code = errno;
        if (result == 1) {
            return ESP_OK;
        }
        int code = SSL_get_error(stream->ssl, result);
        short events = awaited_events(code);
        if (events == 0) {
            err = explain_handshake(stream, host, code, os_code);
        } else if (!stream_wait(stream, events, deadline_us)) {
            err = ESP_ERR_TIMEOUT;
        }
    }
    stream->dead = true;
    drop_session(stream);
    return err;
}

/* ---- bytes ---- */

static esp_err_t await_events(otter_stream_t *stream, short events, int64_t deadline_us)
{
    if (stream_wait(stream, events, deadline_us)) {
        return ESP_OK;
    }
    stream_set_error(stream, "timed out");
    return ESP_ERR_TIMEOUT;
}

/* A server that sends an alert and closes: the write fails, and what the alert says has not been read yet. */
static esp_err_t explain_write(otter_stream_t *stream, int code, int os_code)
{
    static const char what[] = "the connection broke while sending";
    char unread = 0;
    size_t got = 0;
    if (code == SSL_ERROR_SYSCALL) {
        clear_errors();
        if (SSL_peek_ex(stream->ssl, &unread, 1, &got) != 1 && ERR_peek_error() != 0) {
            return explain(stream, what, SSL_ERROR_SSL, 0);
        }
        clear_errors();
    }
    return explain(stream, what, code, os_code);
}

esp_err_t stream_write_tls(otter_stream_t *stream, const void *src, size_t len, int64_t deadline_us)
{
    esp_err_t err = ESP_OK;
    while (len > 0 && err == ESP_OK) {
        size_t sent = 0;
        clear_errors();
        int result = SSL_write_ex(stream->ssl, src, len, &sent);
        int os_code = errno;
        if (result == 1) {
            return ESP_OK;
        }
        int code = SSL_get_error(stream->ssl, result);
        short events = awaited_events(code);
        if (events == 0) {
            return explain_write(stream, code, os_code);
        }
        err = await_events(stream, events, deadline_us);
    }
    return err;
}

esp_err_t stream_read_tls(otter_stream_t *stream, void *dst, size_t len, size_t *got, int64_t deadline_us)
{
    esp_err_t err = ESP_OK;
    while (err == ESP_OK) {
        clear_errors();
        int result = SSL_read_ex(stream->ssl, dst, len, got);
        int os_code = errno;
        if (result == 1) {
            return ESP_OK;
        }
        *got = 0;
        int code = SSL_get_error(stream->ssl, result);
        if (code == SSL_ERROR_ZERO_RETURN) {
            return ESP_OK;
        }
        short events = awaited_events(code);
        if (events == 0) {
            return explain(stream, "the connection broke", code, os_code);
        }
        err = await_events(stream, events, deadline_us);
    }
    return err;
}

bool stream_is_tls_idle(otter_stream_t *stream)
{
    char unasked = 0;
    size_t got = 0;
    clear_errors();
    int result = SSL_peek_ex(stream->ssl, &unasked, 1, &got);
    bool nothing = result != 1 && SSL_get_error(stream->ssl, result) == SSL_ERROR_WANT_READ;
    stream->dead = result != 1 && !nothing;
    return nothing;
}
