/* SPDX-License-Identifier: Apache-2.0 */
#include "device/http/http_digest.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "otter/otter_crypto.h"
#include "otter/otter_os.h"

#define HEX_SIZE     (2 * OTTER_SHA256_BYTES + 1)
#define CNONCE_BYTES 16

/* ---- the challenge ---- */

static const struct {
    const char *name;
    http_digest_hash_t hash;
    bool is_session;
} algorithms[] = {
    {"MD5", HTTP_DIGEST_MD5, false},
    {"MD5-sess", HTTP_DIGEST_MD5, true},
    {"SHA-256", HTTP_DIGEST_SHA256, false},
    {"SHA-256-sess", HTTP_DIGEST_SHA256, true},
};

/* What a text that was too long makes of the result: one without its end would only be refused. */
static esp_err_t required(esp_err_t err)
{
    return err == ESP_OK ? ESP_OK : ESP_ERR_INVALID_ARG;
}

static esp_err_t optional(esp_err_t err)
{
    return err == ESP_ERR_NOT_FOUND ? ESP_OK : required(err);
}

static esp_err_t take_algorithm(const http_challenge_t *challenge, http_digest_t *digest)
{
    char name[32];
    esp_err_t err = http_get_challenge_param(challenge, "algorithm", name, sizeof(name));
    if (err == ESP_ERR_NOT_FOUND) {
        return ESP_OK;
    }
    digest->names_algorithm = true;
    for (size_t i = 0; i < sizeof(algorithms) / sizeof(algorithms[0]); i++) {
        if (http_span_is((http_span_t){name, strlen(name)}, algorithms[i].name)) {
            digest->hash = algorithms[i].hash;
            digest->is_session = algorithms[i].is_session;
            return ESP_OK;
        }
    }
    return ESP_ERR_NOT_SUPPORTED;
}

/* A list: "auth,auth-int". */
static esp_err_t take_qop(const http_challenge_t *challenge, http_digest_t *digest)
{
    char list[64];
    esp_err_t err = http_get_challenge_param(challenge, "qop", list, sizeof(list));
    if (err != ESP_OK) {
        return optional(err);
    }
    for (const char *at = list; *at != '\0'; at += strspn(at, ", \t")) {
        http_span_t item = {at, strcspn(at, ", \t")};
        if (http_span_is(item, "auth")) {
            digest->has_qop = true;
            return ESP_OK;
        }
        at += item.len;
    }
    return ESP_ERR_NOT_SUPPORTED;
}

static bool says_true(const http_challenge_t *challenge, const char *name)
{
    char value[8];
    return http_get_challenge_param(challenge, name, value, sizeof(value)) == ESP_OK &&
           http_span_is((http_span_t){value, strlen(value)}, "true");
}

static esp_err_t take_texts(const http_challenge_t *challenge, http_digest_t *digest)
{
    esp_err_t err = required(http_get_challenge_param(challenge, "realm", digest->realm, sizeof(digest->realm)));
    if (err == ESP_OK) {
        err = required(http_get_challenge_param(challenge, "nonce", digest->nonce, sizeof(digest->nonce)));
    }
    if (err != ESP_OK) {
        return err;
    }
    err = http_get_challenge_param(challenge, "opaque", digest->opaque, sizeof(digest->opaque));
    digest->has_opaque = err == ESP_OK;
    return optional(err);
}

esp_err_t http_digest_take(const http_challenge_t *challenge, http_digest_t *digest)
{
    http_digest_t taken = {.hash = HTTP_DIGEST_MD5};
    esp_err_t err = take_texts(challenge, &taken);
    if (err == ESP_OK) {
        err = take_algorithm(challenge, &taken);
    }
    if (err == ESP_OK) {
        err = take_qop(challenge, &taken);
    }
    if (err == ESP_OK) {
        taken.is_stale = says_true(challenge, "stale");
        taken.hashes_user = says_true(challenge, "userhash");
        *digest = taken;
    }
    return err;
}

/* ---- hashing ---- */

static void write_hex(const uint8_t *bytes, size_t len, char *hex)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < len; i++) {
        hex[2 * i] = digits[bytes[i] >> 4];
        hex[2 * i + 1] = digits[bytes[i] & 15];
    }
    hex[2 * len] = '\0';
}

static esp_err_t sha256(const void *bytes, size_t len, uint8_t *out)
{
    otter_hash_t hash = {0};
    esp_err_t err = otter_hash_begin(&hash, OTTER_HASH_SHA256);
    if (err == ESP_OK) {
        err = otter_hash_update(&hash, bytes, len);
    }
    if (err == ESP_OK) {
        err = otter_hash_finish(&hash, out);
    }
    otter_hash_free(&hash);
    return err;
}

static size_t joined_size(const char *const *parts)
{
    size_t size = 1;
    for (; *parts != NULL; parts++) {
        size += strlen(*parts) + 1;
    }
    return size;
}

/* Hash of the texts with colons between them; the list ends with NULL and is not empty. */
static esp_err_t hash_joined(http_digest_hash_t kind, const char *const *parts, char hex[HEX_SIZE])
{
    uint8_t out[OTTER_SHA256_BYTES] = {0};
    size_t size = joined_size(parts);
    char *text = malloc(size);
    if (text == NULL) {
        return ESP_ERR_NO_MEM;
    }
    size_t len = 0;
    for (size_t i = 0; parts[i] != NULL; i++) {
        len += (size_t)snprintf(text + len, size - len, i == 0 ? "%s" : ":%s", parts[i]);
    }
    bool is_md5 = kind == HTTP_DIGEST_MD5;
    esp_err_t err = is_md5 ? otter_md5(text, len, out) : sha256(text, len, out);
    /* A password may be in it. */
    otter_wipe(text, len);
    free(text);
    write_hex(out, is_md5 ? OTTER_MD5_BYTES : OTTER_SHA256_BYTES, hex);
    return err;
}

static esp_err_t hash_user(const http_digest_t *digest, const http_digest_request_t *request, char hex[HEX_SIZE])
{
    esp_err_t err = hash_joined(digest->hash,
                                (const char *const[]){request->username, digest->realm, request->password, NULL}, hex);
    if (err != ESP_OK || !digest->is_session) {
        return err;
    }
    char once[HEX_SIZE];
    memcpy(once, hex, HEX_SIZE);
    err = hash_joined(digest->hash, (const char *const[]){once, digest->nonce, digest->cnonce, NULL}, hex);
    otter_wipe(once, sizeof(once));
    return err;
}

static void write_count(uint32_t count, char text[9])
{
    snprintf(text, 9, "%08lx", (unsigned long)count);
}

static esp_err_t hash_response(const http_digest_t *digest, const http_digest_request_t *request, char hex[HEX_SIZE])
{
    char user[HEX_SIZE];
    char what[HEX_SIZE];
    char count[9];
    write_count(digest->count, count);
    esp_err_t err = hash_user(digest, request, user);
    if (err == ESP_OK) {
        err = hash_joined(digest->hash, (const char *const[]){request->method, request->uri, NULL}, what);
    }
    if (err == ESP_OK && digest->has_qop) {
        err = hash_joined(digest->hash,
                          (const char *const[]){user, digest->nonce, count, digest->cnonce, "auth", what, NULL}, hex);
    } else if (err == ESP_OK) {
        err = hash_joined(digest->hash, (const char *const[]){user, digest->nonce, what, NULL}, hex);
    }
    otter_wipe(user, sizeof(user));
    return err;
}

/* ---- the answer ---- */

esp_err_t http_digest_choose_cnonce(http_digest_t *digest)
{
    uint8_t random[CNONCE_BYTES];
    if (otter_entropy(random, sizeof(random)) != ESP_OK) {
        return ESP_FAIL;
    }
    write_hex(random, sizeof(random), digest->cnonce);
    return ESP_OK;
}

/* A header's value that grows in a buffer that is large enough. */
typedef struct answer {
    char *text;
    size_t size;
    size_t len;
} answer_t;

static void put(answer_t *answer, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void put(answer_t *answer, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int len = vsnprintf(answer->text + answer->len, answer->size - answer->len, format, args);
    va_end(args);
    answer->len += len > 0 ? (size_t)len : 0;
}

static void put_quoted(answer_t *answer, const char *name, const char *value)
{
    put(answer, "%s%s=\"", answer->text[answer->len - 1] == ' ' ? "" : ", ", name);
    for (; *value != '\0'; value++) {
        put(answer, *value == '"' || *value == '\\' ? "\\%c" : "%c", *value);
    }
    put(answer, "\"");
}

static const char *algorithm_name(const http_digest_t *digest)
{
    size_t i = 0;
    while (algorithms[i].hash != digest->hash || algorithms[i].is_session != digest->is_session) {
        i++;
    }
    return algorithms[i].name;
}

/* Enough for every text with each of its characters escaped, and for what stands between them. */
static size_t answer_size(const http_digest_t *digest, const http_digest_request_t *request)
{
    size_t texts = strlen(request->username) + strlen(request->uri) + strlen(digest->realm) + strlen(digest->nonce) +
                   strlen(digest->opaque) + strlen(digest->cnonce);
    return 2 * texts + 2 * HEX_SIZE + 256;
}

static void write_answer(const http_digest_t *digest, const http_digest_request_t *request, const char *username,
                         const char *response, answer_t *answer)
{
    put(answer, "Digest ");
    put_quoted(answer, "username", username);
    put_quoted(answer, "realm", digest->realm);
    put_quoted(answer, "nonce", digest->nonce);
    put_quoted(answer, "uri", request->uri);
    put_quoted(answer, "response", response);
    if (digest->names_algorithm) {
        put(answer, ", algorithm=%s", algorithm_name(digest));
    }
    if (digest->has_opaque) {
        put_quoted(answer, "opaque", digest->opaque);
    }
    if (digest->has_qop) {
        put(answer, ", qop=auth, nc=%08lx", (unsigned long)digest->count);
    }
    if (digest->has_qop || digest->is_session) {
        put_quoted(answer, "cnonce", digest->cnonce);
    }
    if (digest->hashes_user) {
        put(answer, ", userhash=true");
    }
}

esp_err_t http_digest_answer(http_digest_t *digest, const http_digest_request_t *request, char **answer)
{
    char response[HEX_SIZE];
    char hidden[HEX_SIZE];
    digest->count++;
    esp_err_t err = hash_response(digest, request, response);
    if (err == ESP_OK && digest->hashes_user) {
        err = hash_joined(digest->hash, (const char *const[]){request->username, digest->realm, NULL}, hidden);
    }
    if (err != ESP_OK) {
        return err;
    }
    answer_t written = {.size = answer_size(digest, request)};
    written.text = malloc(written.size);
    if (written.text == NULL) {
        return ESP_ERR_NO_MEM;
    }
    write_answer(digest, request, digest->hashes_user ? hidden : request->username, response, &written);
    *answer = written.text;
    return ESP_OK;
}
