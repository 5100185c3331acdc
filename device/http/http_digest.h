/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file http_digest.h
 * @brief Digest authentication (RFC 7616): from a challenge to the Authorization headers that answer it.
 *
 * MD5 and SHA-256, each also as -sess; quality of protection "auth" or, as in RFC 2069, none. Not "auth-int", and not
 * SHA-512-256.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "device/http/http_challenge.h"
#include "esp_err.h"

#define HTTP_DIGEST_TEXT_BYTES   256 /**< Longest realm, nonce and opaque accepted, terminator included. */
#define HTTP_DIGEST_CNONCE_BYTES 72  /**< Longest client nonce, terminator included. */

/** Hash of a digest; a greater number is the stronger one. */
typedef enum http_digest_hash {
    HTTP_DIGEST_MD5,
    HTTP_DIGEST_SHA256,
} http_digest_hash_t;

/** A challenge that was taken, and how often it was answered. */
typedef struct http_digest {
    http_digest_hash_t hash;
    bool names_algorithm; /**< The server named it; if not, it may not know the parameter. */
    bool is_session;      /**< -sess. */
    bool has_qop;         /**< Quality of protection "auth"; false: none was offered. */
    bool has_opaque;
    bool hashes_user; /**< The server wants the user name hashed. */
    bool is_stale;    /**< The last answer was refused for the age of its nonce, not for the password. */
    char realm[HTTP_DIGEST_TEXT_BYTES];
    char nonce[HTTP_DIGEST_TEXT_BYTES];
    char opaque[HTTP_DIGEST_TEXT_BYTES];
    char cnonce[HTTP_DIGEST_CNONCE_BYTES]; /**< Ours; empty until http_digest_choose_cnonce(). */
    uint32_t count;                        /**< Answers made. */
} http_digest_t;

/** Whose answer it is, and to what. */
typedef struct http_digest_request {
    const char *username;
    const char *password;
    const char *method; /**< "GET", ... */
    const char *uri;    /**< As in the request line: path and query. */
} http_digest_request_t;

/**
 * Takes a challenge.
 *
 * @param challenge  one whose scheme is Digest
 * @param digest     filled with ESP_OK; without a client nonce, not answered yet
 * @return ESP_OK; ESP_ERR_INVALID_ARG if realm or nonce is missing, or a value is too long; ESP_ERR_NOT_SUPPORTED if
 *         algorithm or quality of protection is none of those above
 */
esp_err_t http_digest_take(const http_challenge_t *challenge, http_digest_t *digest);

/** Makes a new client nonce from 128 random bits. ESP_OK, or ESP_FAIL without entropy. */
esp_err_t http_digest_choose_cnonce(http_digest_t *digest);

/**
 * Answers the challenge once more; each answer has a number of its own.
 *
 * @param answer  gets the value of the Authorization header, to be freed
 * @return ESP_OK; ESP_ERR_NO_MEM; ESP_FAIL if the crypto port fails
 */
esp_err_t http_digest_answer(http_digest_t *digest, const http_digest_request_t *request, char **answer);
