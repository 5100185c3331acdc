/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file decrypt.h
 * @brief What an otter_decrypt_key_t holds.
 */
#pragma once

#include <openssl/evp.h>
#include <stdbool.h>

#include "otter/otter_decrypt.h"

/** The inside of a key. All zero: there is none. */
typedef struct crypto_decrypt_key {
    EVP_PKEY *pkey; /**< Owned. */
    otter_decrypt_kind_t kind;
    bool is_private;
} crypto_decrypt_key_t;

_Static_assert(sizeof(crypto_decrypt_key_t) <= sizeof(otter_decrypt_key_t), "a key has room in the caller's struct");

/** The inside of a key. */
static inline crypto_decrypt_key_t *crypto_inside(otter_decrypt_key_t *key)
{
    return (crypto_decrypt_key_t *)(void *)key->opaque;
}

/** The inside of a key, only to be read. */
static inline const crypto_decrypt_key_t *crypto_look_inside(const otter_decrypt_key_t *key)
{
    return (const crypto_decrypt_key_t *)(const void *)key->opaque;
}

/** Bytes of an uncompressed point of P-256 in OpenSSL's form: a 4, x, y. */
#define CRYPTO_P256_ENCODED_BYTES (1 + OTTER_P256_POINT_BYTES)
