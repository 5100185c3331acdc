/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/certs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

struct certs_ca {
    EVP_PKEY *key;
    X509 *cert;
    char *pem;
};

static void *must(void *made, const char *what)
{
    if (made == NULL) {
        fprintf(stderr, "certs: cannot make %s\n", what);
        abort();
    }
    return made;
}

static void check(bool ok, const char *what)
{
    if (!ok) {
        fprintf(stderr, "certs: cannot %s\n", what);
        abort();
    }
}

static char *take_text(BIO *bio)
{
    char *data = NULL;
    size_t len = (size_t)BIO_get_mem_data(bio, &data);
    char *text = must(malloc(len + 1), "PEM text");
    memcpy(text, data, len);
    text[len] = '\0';
    BIO_free(bio);
    return text;
}

static char *print_cert(X509 *cert)
{
    BIO *bio = must(BIO_new(BIO_s_mem()), "a buffer");
    check(PEM_write_bio_X509(bio, cert) == 1, "print a certificate");
    return take_text(bio);
}

static char *print_key(EVP_PKEY *key)
{
    BIO *bio = must(BIO_new(BIO_s_mem()), "a buffer");
    check(PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) == 1, "print a key");
    return take_text(bio);
}

static void add_extension(X509 *cert, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, issuer, cert, NULL, NULL, 0);
    X509_EXTENSION *extension = must(X509V3_EXT_conf_nid(NULL, &context, nid, value), value);
    check(X509_add_ext(cert, extension, -1) == 1, "add an extension");
    X509_EXTENSION_free(extension);
}

static X509 *begin_cert(EVP_PKEY *key, const char *name, int from_hours, int to_hours)
{
    X509 *cert = must(X509_new(), "a certificate");
    unsigned char serial[8];
    check(RAND_bytes(serial, sizeof(serial)) == 1, "get random bytes");
    serial[0] &= 0x7f;
    BIGNUM *number = must(BN_bin2bn(serial, sizeof(serial), NULL), "a serial number");
    check(BN_to_ASN1_INTEGER(number, X509_get_serialNumber(cert)) != NULL, "set a serial number");
    BN_free(number);
    check(X509_set_version(cert, 2) == 1 && X509_set_pubkey(cert, key) == 1, "fill a certificate");
    X509_gmtime_adj(X509_getm_notBefore(cert), from_hours * 3600L);
    X509_gmtime_adj(X509_getm_notAfter(cert), to_hours * 3600L);
    check(X509_NAME_add_entry_by_txt(X509_get_subject_name(cert), "CN", MBSTRING_ASC, (const unsigned char *)name, -1,
                                     -1, 0) == 1,
          "set a name");
    return cert;
}

certs_ca_t *certs_ca_new(const char *name)
{
    certs_ca_t *ca = must(calloc(1, sizeof(*ca)), "a CA");
    ca->key = must(EVP_EC_gen("P-256"), "a key");
    ca->cert = begin_cert(ca->key, name, -48, 48);
    check(X509_set_issuer_name(ca->cert, X509_get_subject_name(ca->cert)) == 1, "set an issuer");
    add_extension(ca->cert, ca->cert, NID_basic_constraints, "critical,CA:TRUE");
    add_extension(ca->cert, ca->cert, NID_key_usage, "critical,keyCertSign,cRLSign");
    add_extension(ca->cert, ca->cert, NID_subject_key_identifier, "hash");
    check(X509_sign(ca->cert, ca->key, EVP_sha256()) > 0, "sign a CA");
    ca->pem = print_cert(ca->cert);
    return ca;
}

const char *certs_ca_pem(const certs_ca_t *ca)
{
    return ca->pem;
}

static void add_names(X509 *cert, X509 *issuer, const certs_spec_t *spec)
{
    const char *name = spec->dns_name == NULL ? "localhost" : spec->dns_name;
    const char *ip = spec->ip == NULL && spec->dns_name == NULL ? "127.0.0.1" : spec->ip;
    char names[300];
    snprintf(names, sizeof(names), "DNS:%s%s%s", name, ip == NULL ? "" : ",IP:", ip == NULL ? "" : ip);
    add_extension(cert, issuer, NID_subject_alt_name, names);
}

certs_leaf_t certs_leaf_new(const certs_ca_t *ca, const certs_spec_t *spec)
{
    EVP_PKEY *key = must(EVP_EC_gen("P-256"), "a key");
    X509 *cert = begin_cert(key, spec->for_client ? "test client" : "test server",
                            spec->not_before_hours == 0 ? -24 : spec->not_before_hours,
                            spec->not_after_hours == 0 ? 24 : spec->not_after_hours);
    check(X509_set_issuer_name(cert, X509_get_subject_name(ca->cert)) == 1, "set an issuer");
    add_extension(cert, ca->cert, NID_basic_constraints, "critical,CA:FALSE");
    add_extension(cert, ca->cert, NID_ext_key_usage, spec->for_client ? "clientAuth" : "serverAuth");
    add_extension(cert, ca->cert, NID_authority_key_identifier, "keyid");
    add_names(cert, ca->cert, spec);
    check(X509_sign(cert, ca->key, EVP_sha256()) > 0, "sign a certificate");
    certs_leaf_t leaf = {.cert_pem = print_cert(cert), .key_pem = print_key(key)};
    X509_free(cert);
    EVP_PKEY_free(key);
    return leaf;
}

char *certs_encrypt_key(const char *key_pem, const char *password)
{
    BIO *in = must(BIO_new_mem_buf(key_pem, -1), "a buffer");
    BIO *out = must(BIO_new(BIO_s_mem()), "a buffer");
    EVP_PKEY *key = must(PEM_read_bio_PrivateKey(in, NULL, NULL, NULL), "a key from PEM");
    check(PEM_write_bio_PKCS8PrivateKey(out, key, EVP_aes_256_cbc(), password, (int)strlen(password), NULL, NULL) == 1,
          "encrypt a key");
    EVP_PKEY_free(key);
    BIO_free(in);
    return take_text(out);
}

unsigned char *certs_to_der(const char *pem, size_t *len)
{
    BIO *bio = must(BIO_new_mem_buf(pem, -1), "a buffer");
    X509 *cert = must(PEM_read_bio_X509(bio, NULL, NULL, NULL), "a certificate from PEM");
    unsigned char *der = NULL;
    int size = i2d_X509(cert, &der);
    check(size > 0, "print DER");
    unsigned char *copy = must(malloc((size_t)size), "DER");
    memcpy(copy, der, (size_t)size);
    *len = (size_t)size;
    OPENSSL_free(der);
    X509_free(cert);
    BIO_free(bio);
    return copy;
}

void certs_leaf_free(certs_leaf_t *leaf)
{
    free(leaf->cert_pem);
    free(leaf->key_pem);
    *leaf = (certs_leaf_t){0};
}

void certs_ca_free(certs_ca_t *ca)
{
    if (ca == NULL) {
        return;
    }
    X509_free(ca->cert);
    EVP_PKEY_free(ca->key);
    free(ca->pem);
    free(ca);
}
