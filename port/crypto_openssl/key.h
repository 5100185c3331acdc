/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file key.h
 * @brief Keys as OpenSSL has them: from PEM text, from numbers.
 */
#pragma once

#include <openssl/evp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "esp_err.h"
#include "otter/otter_crypto.h"

#define CRYPTO_REASON_BYTES 128 /**< Enough for any reason why a key is refused. */

/** Gives the reason, and returns @p err. */
esp_err_t crypto_refuse_key(char reason[CRYPTO_REASON_BYTES], esp_err_t err, const char *text);

/**
 * Reads the first key in PEM text, whatever kind it is.
 *
 * @param pkey        gets it, to be freed; NULL on error
 * @param is_private  gets whether both halves are there
 * @param reason      gets, on error, what the text is instead
 * @return ESP_OK; ESP_ERR_INVALID_ARG: no key; ESP_ERR_NOT_SUPPORTED: a key with a password, a certificate
 */
esp_err_t crypto_read_key(const void *pem, size_t len, EVP_PKEY **pkey, bool *is_private,
                          char reason[CRYPTO_REASON_BYTES]);

/** Refuses a key whose public half makes no sense: a point off its curve, a modulus that is none. ESP_OK or ESP_ERR_INVALID_ARG */
esp_err_t crypto_check_key(EVP_PKEY *pkey, char reason[CRYPTO_REASON_BYTES]);

/** A key of parameters; @p selection is EVP_PKEY_PUBLIC_KEY or EVP_PKEY_KEYPAIR. NULL: they make no key. */
EVP_PKEY *crypto_make_key(const char *type, int selection, OSSL_PARAM *params);

/** Bytes of a coordinate: 32 or 48. */
size_t crypto_coordinate_bytes(otter_curve_t curve);

/** A public key of its point, x then y, a stranger's bytes. NULL: not on the curve. */
EVP_PKEY *crypto_make_point_key(otter_curve_t curve, const uint8_t *point);
