/* SPDX-License-Identifier: Apache-2.0 */
/*
 * WWW-Authenticate: the list is taken apart inside its text and to an end; what a Digest challenge is answered with says
 * again what the challenge said, whatever had to be escaped.
 *
 * Input: user name, password, URI, a line each; then the header's value.
 */
#include "fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "device/http/http_challenge.h"
#include "device/http/http_digest.h"

#define CNONCE "0123456789abcdef"

static void check_span(http_span_t span, const char *from, const char *to)
{
    FUZZ_CHECK(span.at == NULL || (span.at >= from && span.at + span.len <= to));
}

static void check_params(const http_challenge_t *challenge, const char *from, const char *to)
{
    FUZZ_CHECK(challenge->param_count <= HTTP_CHALLENGE_MAX_PARAMS);
    for (size_t i = 0; i < challenge->param_count; i++) {
        const http_auth_param_t *param = &challenge->params[i];
        check_span(param->name, from, to);
        check_span(param->value, from, to);
        char *name = calloc(1, param->name.len + 1);
        char *value = malloc(param->value.len + 1);
        FUZZ_CHECK(name != NULL && value != NULL);
        memcpy(name, param->name.at, param->name.len);
        FUZZ_CHECK(http_get_challenge_param(challenge, name, value, param->value.len + 1) == ESP_OK);
        FUZZ_CHECK(strlen(value) <= param->value.len);
        size_t fits = strlen(value) + 1;
        FUZZ_CHECK(http_get_challenge_param(challenge, name, value, fits) == ESP_OK);
        FUZZ_CHECK(fits == 1 || http_get_challenge_param(challenge, name, value, fits - 1) == ESP_ERR_INVALID_SIZE);
        free(name);
        free(value);
    }
}

static void check_said_again(const http_challenge_t *answer, const char *name, const char *expected)
{
    size_t size = strlen(expected) + 2;
    char *value = malloc(size);
    FUZZ_CHECK(value != NULL);
    FUZZ_CHECK(http_get_challenge_param(answer, name, value, size) == ESP_OK && strcmp(value, expected) == 0);
    free(value);
}

static void check_response(const http_challenge_t *answer, http_digest_hash_t hash)
{
    char value[80];
    FUZZ_CHECK(http_get_challenge_param(answer, "response", value, sizeof(value)) == ESP_OK);
    FUZZ_CHECK(strlen(value) == (hash == HTTP_DIGEST_MD5 ? 32 : 64));
    FUZZ_CHECK(value[strspn(value, "0123456789abcdef")] == '\0');
}

static void check_digest(const http_challenge_t *challenge, const http_digest_request_t *request)
{
    http_digest_t digest;
    http_challenge_t said;
    char *answer = NULL;
    if (http_digest_take(challenge, &digest) != ESP_OK) {
        return;
    }
    strcpy(digest.cnonce, CNONCE);
    FUZZ_CHECK(http_digest_answer(&digest, request, &answer) == ESP_OK);
    const char *at = answer;
    FUZZ_CHECK(http_next_challenge(&at, &said) == ESP_OK && *at == '\0');
    FUZZ_CHECK(http_span_is(said.scheme, "Digest"));
    check_said_again(&said, "realm", digest.realm);
    check_said_again(&said, "nonce", digest.nonce);
    check_said_again(&said, "uri", request->uri);
    if (!digest.hashes_user) {
        check_said_again(&said, "username", request->username);
    }
    if (digest.has_opaque) {
        check_said_again(&said, "opaque", digest.opaque);
    }
    check_response(&said, digest.hash);
    free(answer);
}

static void check_header(const char *header, const http_digest_request_t *request)
{
    http_challenge_t challenge;
    const char *end = header + strlen(header);
    const char *at = header;
    esp_err_t err = ESP_OK;
    while (err == ESP_OK) {
        const char *before = at;
        err = http_next_challenge(&at, &challenge);
        FUZZ_CHECK(at >= before && at <= end);
        if (err == ESP_OK) {
            FUZZ_CHECK(at > before);
            check_span(challenge.scheme, before, at);
            check_span(challenge.token68, before, at);
            check_params(&challenge, before, at);
            check_digest(&challenge, request);
        }
    }
    FUZZ_CHECK(err != ESP_ERR_NOT_FOUND || at == end);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_input_t input = {data, size};
    char *username = fuzz_take_text(&input, '\n');
    char *password = fuzz_take_text(&input, '\n');
    char *uri = fuzz_take_text(&input, '\n');
    char *header = fuzz_take_text(&input, '\n');
    check_header(header, &(http_digest_request_t){username, password, "GET", uri});
    free(username);
    free(password);
    free(uri);
    free(header);
    return 0;
}
