/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/encrypted_fixture.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/kdf.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <stdbool.h>
#include <stdlib.h>

#include "tests/support/test.h"

static EVP_PKEY *read_key(const char *pem)
{
    BIO *bio = BIO_new_mem_buf(pem, -1);
    EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
    if (key == NULL) {
        BIO_reset(bio);
        key = PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL);
    }
    BIO_free(bio);
    assert_non_null(key);
    return key;
}

static void encrypt_rsa(EVP_PKEY *key, int padding, const uint8_t *in, size_t len, uint8_t out[384])
{
    size_t out_len = 384;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key, NULL);
    assert_int_equal(EVP_PKEY_encrypt_init(ctx), 1);
    assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(ctx, padding), 1);
    assert_int_equal(EVP_PKEY_encrypt(ctx, out, &out_len, in, len), 1);
    assert_int_equal(out_len, 384);
    EVP_PKEY_CTX_free(ctx);
}

/* HKDF by the book, for 32 bytes. */
static void hkdf(const uint8_t salt[32], const uint8_t secret[32], uint8_t key[32])
{
    uint8_t extracted[32];
    const uint8_t info[] = "_esp_enc_img_ecc\x01";
    unsigned len = 32;
    assert_non_null(HMAC(EVP_sha256(), salt, 32, secret, 32, extracted, &len));
    assert_non_null(HMAC(EVP_sha256(), extracted, 32, info, sizeof(info) - 1, key, &len));
}

static void agree(EVP_PKEY *device, uint8_t *header, uint8_t key[32])
{
    uint8_t secret[32];
    uint8_t point[65];
    size_t len = sizeof(secret);
    size_t point_len;
    EVP_PKEY *sender = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(sender, NULL);
    assert_int_equal(EVP_PKEY_derive_init(ctx), 1);
    assert_int_equal(EVP_PKEY_derive_set_peer(ctx, device), 1);
    assert_int_equal(EVP_PKEY_derive(ctx, secret, &len), 1);
    assert_int_equal(
        EVP_PKEY_get_octet_string_param(sender, OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY, point, sizeof(point), &point_len),
        1);
    assert_int_equal(point_len, sizeof(point));
    memcpy(header + FIXTURE_ENCRYPTED_KEY, point + 1, 64);
    assert_int_equal(RAND_bytes(header + FIXTURE_ENCRYPTED_SALT, 32), 1);
    hkdf(header + FIXTURE_ENCRYPTED_SALT, secret, key);
    EVP_PKEY_CTX_free(ctx);
    EVP_PKEY_free(sender);
}

static void encrypt_image(uint8_t *file, const uint8_t key[32], const uint8_t *image, size_t len)
{
    int done;
    uint8_t none[16];
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    assert_int_equal(RAND_bytes(file + FIXTURE_ENCRYPTED_IV, 16), 1);
    assert_int_equal(EVP_EncryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, NULL, NULL), 1);
    assert_int_equal(EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_IVLEN, 16, NULL), 1);
    assert_int_equal(EVP_EncryptInit_ex(ctx, NULL, NULL, key, file + FIXTURE_ENCRYPTED_IV), 1);
    assert_int_equal(EVP_EncryptUpdate(ctx, file + FIXTURE_ENCRYPTED_HEADER, &done, image, (int)len), 1);
    assert_int_equal(EVP_EncryptFinal_ex(ctx, none, &done), 1);
    assert_int_equal(EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, 16, file + FIXTURE_ENCRYPTED_TAG), 1);
    EVP_CIPHER_CTX_free(ctx);
}

static uint8_t *begin_file(size_t len, size_t *file_len)
{
    const uint8_t magic[] = {0xCF, 0xB6, 0x88, 0x07};
    *file_len = FIXTURE_ENCRYPTED_HEADER + len;
    uint8_t *file = calloc(1, *file_len);
    assert_non_null(file);
    memcpy(file, magic, sizeof(magic));
    for (unsigned i = 0; i < 4; i++) {
        file[FIXTURE_ENCRYPTED_LEN + i] = (uint8_t)(len >> 8 * i);
    }
    return file;
}

uint8_t *fixture_encrypt(const char *key_pem, const uint8_t *image, size_t len, size_t *file_len)
{
    uint8_t key[32];
    EVP_PKEY *device = read_key(key_pem);
    uint8_t *file = begin_file(len, file_len);
    if (EVP_PKEY_is_a(device, "RSA")) {
        assert_int_equal(RAND_bytes(key, sizeof(key)), 1);
        encrypt_rsa(device, RSA_PKCS1_PADDING, key, sizeof(key), file + FIXTURE_ENCRYPTED_KEY);
    } else {
        agree(device, file, key);
    }
    encrypt_image(file, key, image, len);
    EVP_PKEY_free(device);
    return file;
}

uint8_t *fixture_encrypt_padded(const char *key_pem, const uint8_t padded[384], const uint8_t key[32],
                                const uint8_t *image, size_t len, size_t *file_len)
{
    EVP_PKEY *device = read_key(key_pem);
    uint8_t *file = begin_file(len, file_len);
    encrypt_rsa(device, RSA_NO_PADDING, padded, 384, file + FIXTURE_ENCRYPTED_KEY);
    encrypt_image(file, key, image, len);
    EVP_PKEY_free(device);
    return file;
}

char *fixture_pem_of_der(const uint8_t *der, size_t len)
{
    const unsigned char *at = der;
    EVP_PKEY *key = d2i_PUBKEY(NULL, &at, (long)len);
    BIO *bio = BIO_new(BIO_s_mem());
    char *text;
    assert_non_null(key);
    assert_int_equal(PEM_write_bio_PUBKEY(bio, key), 1);
    long text_len = BIO_get_mem_data(bio, &text);
    char *pem = calloc(1, (size_t)text_len + 1);
    assert_non_null(pem);
    memcpy(pem, text, (size_t)text_len);
    BIO_free(bio);
    EVP_PKEY_free(key);
    return pem;
}
