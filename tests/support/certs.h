/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file certs.h
 * @brief Certificates for tests, made when the test runs: P-256 keys, valid for a day unless asked otherwise.
 *
 * Nothing here fails: what cannot be made ends the test program with a message.
 * Link with the target otter_bad_server.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

typedef struct certs_ca certs_ca_t; /**< A certification authority: certificate and key. */

/** A certificate that a CA signed, and its key. */
typedef struct certs_leaf {
    char *cert_pem; /**< PEM, NUL-terminated. */
    char *key_pem;  /**< PEM, NUL-terminated, not encrypted. */
} certs_leaf_t;

/** What a certificate says. All zero: for localhost and 127.0.0.1, good since yesterday, until tomorrow. */
typedef struct certs_spec {
    const char *dns_name; /**< DNS name; NULL: "localhost". */
    const char *ip;       /**< IP address; NULL: "127.0.0.1" if dns_name is NULL too, else none. */
    int not_before_hours; /**< Start, hours from now; 0: -24. */
    int not_after_hours;  /**< End, hours from now; 0: +24. -1: expired an hour ago. */
    bool for_client;      /**< A client's certificate instead of a server's. */
} certs_spec_t;

/** Makes a CA whose certificate carries @p name. To be given to certs_ca_free(). */
certs_ca_t *certs_ca_new(const char *name);

/** The CA's certificate, PEM, NUL-terminated; lasts as long as the CA. */
const char *certs_ca_pem(const certs_ca_t *ca);

/** Makes a certificate signed by @p ca. To be given to certs_leaf_free(). */
certs_leaf_t certs_leaf_new(const certs_ca_t *ca, const certs_spec_t *spec);

/** The same key, encrypted with a password. To be given to free(). */
char *certs_encrypt_key(const char *key_pem, const char *password);

/** The DER form of the first certificate in @p pem. @p len gets its bytes; to be given to free(). */
unsigned char *certs_to_der(const char *pem, size_t *len);

void certs_leaf_free(certs_leaf_t *leaf); /**< Releases a certificate and its key. */
void certs_ca_free(certs_ca_t *ca);       /**< Releases a CA; NULL is left alone. */
