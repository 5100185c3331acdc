/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include <sys/socket.h>

#include <openssl/pem.h>

#include "tests/support/bad_server_internal.h"

static X509 *read_cert(const char *pem)
{
    BIO *bio = BIO_new_mem_buf(pem, -1);
    X509 *cert = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    BIO_free(bio);
    bad_check(cert != NULL, "read a certificate");
    return cert;
}

static void use_cert(SSL_CTX *tls, const char *pem)
{
    X509 *cert = read_cert(pem);
    bad_check(SSL_CTX_use_certificate(tls, cert) == 1, "use a certificate");
    X509_free(cert);
}

static void use_key(SSL_CTX *tls, const char *pem)
{
    BIO *bio = BIO_new_mem_buf(pem, -1);
    EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
    bad_check(key != NULL && SSL_CTX_use_PrivateKey(tls, key) == 1, "use a key");
    EVP_PKEY_free(key);
    BIO_free(bio);
}

static void demand_client_cert(SSL_CTX *tls, const char *ca_pem)
{
    X509 *ca = read_cert(ca_pem);
    bad_check(X509_STORE_add_cert(SSL_CTX_get_cert_store(tls), ca) == 1, "trust a client CA");
    X509_free(ca);
    SSL_CTX_set_verify(tls, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
}

SSL_CTX *bad_make_tls(const bad_server_config_t *config)
{
    if (config->cert_pem == NULL) {
        return NULL;
    }
    SSL_CTX *tls = SSL_CTX_new(TLS_server_method());
    bad_check(tls != NULL, "make a TLS context");
    use_cert(tls, config->cert_pem);
    use_key(tls, config->key_pem);
    if (config->tls_version != 0) {
        int version = config->tls_version == 12 ? TLS1_2_VERSION : TLS1_3_VERSION;
        SSL_CTX_set_min_proto_version(tls, version);
        SSL_CTX_set_max_proto_version(tls, version);
    }
    SSL_CTX_set_session_id_context(tls, (const unsigned char *)"bad", 3);
    if (config->client_ca_pem != NULL) {
        demand_client_cert(tls, config->client_ca_pem);
    }
    return tls;
}

static bool shake_hands(connection_t *c, SSL_CTX *tls)
{
    c->ssl = SSL_new(tls);
    bad_check(c->ssl != NULL && SSL_set_fd(c->ssl, c->fd) == 1, "make a TLS session");
    if (SSL_accept(c->ssl) != 1) {
        bad_add_count(c->server, BAD_COUNT_REFUSED);
        return false;
    }
    bad_add_count(c->server, BAD_COUNT_HANDSHAKES);
    if (SSL_session_reused(c->ssl)) {
        bad_add_count(c->server, BAD_COUNT_RESUMED);
    }
    return true;
}

/* ---- how a connection begins ---- */

static bool greet_well(connection_t *c)
{
    return c->tls == NULL || shake_hands(c, c->tls);
}

static bool greet_and_close(connection_t *c)
{
    (void)c;
    return false;
}

static bool greet_and_reset(connection_t *c)
{
    bad_reset(c);
    return false;
}

static bool greet_silently(connection_t *c)
{
    bad_stall(c);
    return false;
}

static bool greet_slowly(connection_t *c)
{
    bad_sleep_ms(c->manner.delay_ms);
    return greet_well(c);
}

static bool greet_plainly(connection_t *c)
{
    char hello[4096];
    if (bad_receive_bytes(c, hello, sizeof(hello)) > 0) {
        bad_send_text(c, "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    }
    return false;
}

/* A server without a certificate has no cipher to agree on: it refuses with an alert. */
static bool greet_with_alert(connection_t *c)
{
    SSL_CTX *tls = SSL_CTX_new(TLS_server_method());
    bad_check(tls != NULL, "make a TLS context");
    bool shaken = shake_hands(c, tls);
    SSL_CTX_free(tls);
    return shaken;
}

static bool greet_and_cut(connection_t *c)
{
    static const uint8_t server_hello[] = {0x16, 3, 3, 0, 0x7a, 2, 0, 0, 0x76, 3, 3};
    char hello[4096];
    if (bad_receive_bytes(c, hello, sizeof(hello)) > 0) {
        bad_send_bytes(c, server_hello, sizeof(server_hello));
    }
    return false;
}

bool bad_greet(connection_t *c)
{
    static bool (*const greetings[BAD_GREETINGS])(connection_t *) = {
        [BAD_GREET_WELL] = greet_well,        [BAD_GREET_CLOSE] = greet_and_close, [BAD_GREET_RESET] = greet_and_reset,
        [BAD_GREET_SILENCE] = greet_silently, [BAD_GREET_SLOWLY] = greet_slowly,   [BAD_GREET_PLAIN] = greet_plainly,
        [BAD_GREET_ALERT] = greet_with_alert, [BAD_GREET_CUT] = greet_and_cut,
    };
    return greetings[c->manner.greeting](c);
}

/* ---- what breaks TLS ---- */

/* OpenSSL sends the alert by itself, having been shown a record that nobody could decrypt. */
void bad_send_alert(connection_t *c)
{
    static const uint8_t record[5 + 48] = {0x17, 3, 3, 0, 48};
    char nothing[16];
    bad_check(c->ssl != NULL, "send an alert without TLS");
    SSL_set0_rbio(c->ssl, BIO_new_mem_buf(record, sizeof(record)));
    bad_check(SSL_read(c->ssl, nothing, sizeof(nothing)) <= 0, "fail to decrypt");
    c->rude = true;
}

void bad_send_tls_garbage(connection_t *c)
{
    static const char garbage[] = "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n";
    (void)send(c->fd, garbage, sizeof(garbage) - 1, 0);
    c->rude = true;
}
