/* SPDX-License-Identifier: Apache-2.0 */
/* Turns TLS settings into an OpenSSL context. */
#define _GNU_SOURCE
#include "port/stream_openssl/stream.h"

#include <limits.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/pem.h>

/* Several records are drained with one call. */
#define READ_AHEAD_BYTES 65536

/* ---- material ---- */

static size_t text_len(const char *text, size_t len)
{
    return len == 0 ? strlen(text) : strnlen(text, len);
}

static bool is_der(const char *data, size_t len)
{
    return len > 4 && (unsigned char)data[0] == 0x30;
}

bool stream_is_ca_readable(const otter_http_tls_t *tls)
{
    return tls->ca_pem == NULL || is_der(tls->ca_pem, tls->ca_len) ||
           memmem(tls->ca_pem, text_len(tls->ca_pem, tls->ca_len), "-----BEGIN ", 11) != NULL;
}

static BIO *borrow(const char *data, size_t len)
{
    size_t bytes = is_der(data, len) ? len : text_len(data, len);
    return bytes <= INT_MAX ? BIO_new_mem_buf(data, (int)bytes) : NULL;
}

/* The next certificate; NULL: no more, or a damaged one. */
static X509 *read_cert(BIO *bio, bool der)
{
    return der ? d2i_X509_bio(bio, NULL) : PEM_read_bio_X509(bio, NULL, NULL, NULL);
}

/* Reading stopped because nothing more was there, not because of something that is no certificate. */
static bool is_at_end(bool der)
{
    unsigned long last = ERR_peek_last_error();
    return der || (ERR_GET_LIB(last) == ERR_LIB_PEM && ERR_GET_REASON(last) == PEM_R_NO_START_LINE);
}

/* Hands each certificate of a text to a function, of DER the only one; false: damaged, or none, or refused. */
static bool for_each_cert(SSL_CTX *context, const char *data, size_t len,
                          bool (*use)(SSL_CTX *context, X509 *cert, size_t index))
{
    bool der = is_der(data, len);
    BIO *bio = borrow(data, len);
    size_t count = 0;
    bool ok = bio != NULL;
    X509 *cert = NULL;
    while (ok && (count == 0 || !der) && (cert = read_cert(bio, der)) != NULL) {
        ok = use(context, cert, count++);
        X509_free(cert);
    }
    ok = ok && count > 0 && is_at_end(der);
    BIO_free(bio);
    ERR_clear_error();
    return ok;
}

/* ---- who is trusted ---- */

static bool trust_one(SSL_CTX *context, X509 *cert, size_t index)
{
    (void)index;
    return X509_STORE_add_cert(SSL_CTX_get_cert_store(context), cert) == 1;
}

static const char *trust(SSL_CTX *context, const otter_http_tls_t *tls)
{
    /* What the caller gives is the anchor, be it a root or not. */
    X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(context), X509_V_FLAG_PARTIAL_CHAIN);
    SSL_CTX_set_verify(context, tls->insecure ? SSL_VERIFY_NONE : SSL_VERIFY_PEER, NULL);
    if (tls->ca_pem != NULL) {
        return for_each_cert(context, tls->ca_pem, tls->ca_len, trust_one) ? NULL : "the CA certificate is damaged";
    }
    if (tls->use_system_ca) {
        return SSL_CTX_set_default_verify_paths(context) == 1 ? NULL : "the system's CA certificates cannot be used";
    }
    return tls->insecure ? NULL : "no CA certificate is configured, so the server cannot be verified";
}

/* ---- who we are ---- */

static bool present_one(SSL_CTX *context, X509 *cert, size_t index)
{
    return (index == 0 ? SSL_CTX_use_certificate(context, cert) : (int)SSL_CTX_add1_chain_cert(context, cert)) == 1;
}

/* Asks nobody: without a password an encrypted key is one that cannot be used. */
static int give_password(char *buffer, int size, int writing, void *arg)
{
    const char *password = arg;
    size_t len = password == NULL ? 0 : strlen(password);
    (void)writing;
    if (password == NULL || len > (size_t)size) {
        return -1;
    }
    memcpy(buffer, password, len);
    return (int)len;
}

static bool use_key(SSL_CTX *context, const char *data, size_t len, const char *password)
{
    bool der = is_der(data, len);
    BIO *bio = borrow(data, len);
    /* The cast drops const for a C API that only hands it on. */
    void *arg = (void *)(uintptr_t)password;
    EVP_PKEY *key = NULL;
    if (bio != NULL) {
        key = der ? d2i_PrivateKey_bio(bio, NULL) : PEM_read_bio_PrivateKey(bio, NULL, give_password, arg);
    }
    bool ok = key != NULL && SSL_CTX_use_PrivateKey(context, key) == 1;
    EVP_PKEY_free(key);
    BIO_free(bio);
    ERR_clear_error();
    return ok;
}

static const char *identify(SSL_CTX *context, const otter_http_tls_t *tls)
{
    if (tls->client_cert_pem == NULL) {
        return NULL;
    }
    if (!for_each_cert(context, tls->client_cert_pem, tls->client_cert_len, present_one)) {
        return "the client certificate is damaged";
    }
    bool own_key = tls->client_key_pem != NULL;
    const char *key = own_key ? tls->client_key_pem : tls->client_cert_pem;
    size_t key_len = own_key ? tls->client_key_len : tls->client_cert_len;
    return use_key(context, key, key_len, tls->client_key_password)
               ? NULL
               : "the client key cannot be used: damaged, of another certificate, or encrypted with another password";
}

/* ---- how it is spoken ---- */

static const char *limit_versions(SSL_CTX *context, int tls_version)
{
    int least = tls_version == 13 ? TLS1_3_VERSION : TLS1_2_VERSION;
    int most = tls_version == 12 ? TLS1_2_VERSION : 0;
    bool ok = SSL_CTX_set_min_proto_version(context, least) == 1 && SSL_CTX_set_max_proto_version(context, most) == 1;
    return ok ? NULL : "this TLS version is not available";
}

/* As ALPN has it on the wire: each name behind its length. */
static const char *offer_protocols(SSL_CTX *context, const char *const *protos)
{
    unsigned char wire[256];
    size_t len = 0;
    for (; protos != NULL && *protos != NULL; protos++) {
        size_t name_len = strlen(*protos);
        if (name_len == 0 || name_len > 255 || name_len + 1 > sizeof(wire) - len) {
            return "the ALPN protocols are too long";
        }
        wire[len++] = (unsigned char)name_len;
        memcpy(wire + len, *protos, name_len);
        len += name_len;
    }
    return len == 0 || SSL_CTX_set_alpn_protos(context, wire, (unsigned)len) == 0 ? NULL : "out of memory";
}

static int keep_session(SSL *ssl, SSL_SESSION *session)
{
    otter_stream_t *stream = SSL_get_app_data(ssl);
    SSL_SESSION_free(stream->session);
    stream->session = session;
    return 1;
}

static void set_habits(SSL_CTX *context)
{
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(context, keep_session);
    SSL_CTX_set_read_ahead(context, 1);
    SSL_CTX_set_default_read_buffer_len(context, READ_AHEAD_BYTES);
}

static const char *configure(SSL_CTX *context, const otter_http_tls_t *tls)
{
    set_habits(context);
    const char *problem = trust(context, tls);
    if (problem == NULL) {
        problem = identify(context, tls);
    }
    if (problem == NULL) {
        problem = limit_versions(context, tls->tls_version);
    }
    return problem != NULL ? problem : offer_protocols(context, tls->alpn_protos);
}

esp_err_t stream_prepare_tls(otter_stream_t *stream)
{
    if (stream->context != NULL) {
        return ESP_OK;
    }
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    if (context == NULL) {
        return ESP_ERR_NO_MEM;
    }
    const char *problem = configure(context, &stream->config.tls);
    if (problem != NULL) {
        stream_set_error(stream, "%s", problem);
        SSL_CTX_free(context);
        return ESP_ERR_NOT_ALLOWED;
    }
    stream->context = context;
    return ESP_OK;
}
