/* SPDX-License-Identifier: Apache-2.0 */
#include "port/crypto_openssl/key.h"

#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <string.h>

#define POINT_MAX_BYTES (1 + 2 * 48)

esp_err_t crypto_refuse_key(char reason[CRYPTO_REASON_BYTES], esp_err_t err, const char *text)
{
    snprintf(reason, CRYPTO_REASON_BYTES, "%s", text);
    return err;
}

/* ---- PEM ---- */

/* Nobody is asked for a password; that one was wanted is remembered. */
static int refuse_password(char *password, int size, int writing, void *wanted)
{
    (void)writing;
    if (size > 0) {
        password[0] = '\0';
    }
    *(bool *)wanted = true;
    return -1;
}

static EVP_PKEY *read_private(const void *pem, int len, bool *password_wanted)
{
    BIO *bio = BIO_new_mem_buf(pem, len);
    EVP_PKEY *pkey = bio != NULL ? PEM_read_bio_PrivateKey(bio, NULL, refuse_password, password_wanted) : NULL;
    BIO_free(bio);
    return pkey;
}

static EVP_PKEY *read_public(const void *pem, int len)
{
    bool password_wanted = false;
    BIO *bio = BIO_new_mem_buf(pem, len);
    EVP_PKEY *pkey = bio != NULL ? PEM_read_bio_PUBKEY(bio, NULL, refuse_password, &password_wanted) : NULL;
    BIO_free(bio);
    return pkey;
}

/* Says what the text is, if no key. */
static esp_err_t explain(const void *pem, int len, char *reason)
{
    char *name = NULL;
    char *header = NULL;
    unsigned char *data = NULL;
    long data_len = 0;
    BIO *bio = BIO_new_mem_buf(pem, len);
    bool is_pem = bio != NULL && PEM_read_bio(bio, &name, &header, &data, &data_len) == 1;
    BIO_free(bio);
    esp_err_t err;
    if (!is_pem) {
        err = crypto_refuse_key(reason, ESP_ERR_INVALID_ARG, "no PEM file with a key");
    } else if (strcmp(name, PEM_STRING_X509) == 0) {
        err = crypto_refuse_key(reason, ESP_ERR_NOT_SUPPORTED, "a certificate; a private or public key is needed");
    } else {
        snprintf(reason, CRYPTO_REASON_BYTES, "no key that can be read (%.40s)", name);
        err = ESP_ERR_INVALID_ARG;
    }
    OPENSSL_free(name);
    OPENSSL_free(header);
    OPENSSL_clear_free(data, data_len > 0 ? (size_t)data_len : 0);
    return err;
}

static EVP_PKEY *read_either(const void *pem, int len, bool *is_private, bool *password_wanted)
{
    EVP_PKEY *pkey = read_private(pem, len, password_wanted);
    *is_private = pkey != NULL;
    return pkey != NULL || *password_wanted ? pkey : read_public(pem, len);
}

esp_err_t crypto_read_key(const void *pem, size_t len, EVP_PKEY **pkey, bool *is_private,
                          char reason[CRYPTO_REASON_BYTES])
{
    bool password_wanted = false;
    *pkey = NULL;
    if (len > INT32_MAX) {
        return crypto_refuse_key(reason, ESP_ERR_INVALID_ARG, "no PEM file with a key: it is too large");
    }
    *pkey = read_either(pem, (int)len, is_private, &password_wanted);
    if (password_wanted) {
        EVP_PKEY_free(*pkey);
        *pkey = NULL;
        return crypto_refuse_key(reason, ESP_ERR_NOT_SUPPORTED,
                                 "a key with a password; remove it first (openssl pkey -in KEY -out NEW)");
    }
    return *pkey != NULL ? ESP_OK : explain(pem, (int)len, reason);
}

esp_err_t crypto_check_key(EVP_PKEY *pkey, char reason[CRYPTO_REASON_BYTES])
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL);
    bool sound = ctx != NULL && EVP_PKEY_public_check_quick(ctx) == 1;
    EVP_PKEY_CTX_free(ctx);
    return sound ? ESP_OK
                 : crypto_refuse_key(reason, ESP_ERR_INVALID_ARG, "a damaged key: its public half makes no sense");
}

/* ---- Numbers ---- */

EVP_PKEY *crypto_make_key(const char *type, int selection, OSSL_PARAM *params)
{
    EVP_PKEY *key = NULL;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
    if (ctx == NULL || params == NULL || EVP_PKEY_fromdata_init(ctx) != 1 ||
        EVP_PKEY_fromdata(ctx, &key, selection, params) != 1) {
        key = NULL;
    }
    EVP_PKEY_CTX_free(ctx);
    return key;
}

size_t crypto_coordinate_bytes(otter_curve_t curve)
{
    return curve == OTTER_CURVE_P384 ? 48 : 32;
}

EVP_PKEY *crypto_make_point_key(otter_curve_t curve, const uint8_t *point)
{
    uint8_t encoded[POINT_MAX_BYTES] = {POINT_CONVERSION_UNCOMPRESSED};
    size_t len = 2 * crypto_coordinate_bytes(curve);
    char p256[] = "P-256";
    char p384[] = "P-384";
    memcpy(encoded + 1, point, len);
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, curve == OTTER_CURVE_P384 ? p384 : p256, 0),
        OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, encoded, len + 1),
        OSSL_PARAM_construct_end(),
    };
    return crypto_make_key("EC", EVP_PKEY_PUBLIC_KEY, params);
}
