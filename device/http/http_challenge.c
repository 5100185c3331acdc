/* SPDX-License-Identifier: Apache-2.0 */
#include "device/http/http_challenge.h"

#include <string.h>

#define ALNUM      "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define TOKEN      ALNUM "!#$%&'*+-.^_`|~"
#define TOKEN68    ALNUM "-._~+/"
#define WHITESPACE " \t"

static void skip(const char **at, const char *these)
{
    *at += strspn(*at, these);
}

static http_span_t take_span(const char **at, const char *these)
{
    http_span_t span = {*at, strspn(*at, these)};
    *at += span.len;
    return span;
}

/* A quoted text, quotes included; absent if it does not end. */
static http_span_t take_quoted(const char **at)
{
    const char *end = *at + 1;
    while (*end != '"' && *end != '\0') {
        end += *end == '\\' && end[1] != '\0' ? 2 : 1;
    }
    if (*end == '\0') {
        return (http_span_t){NULL, 0};
    }
    http_span_t span = {*at, (size_t)(end + 1 - *at)};
    *at = end + 1;
    return span;
}

static bool take_param(const char **at, http_auth_param_t *param)
{
    param->name = take_span(at, TOKEN);
    skip(at, WHITESPACE);
    if (param->name.len == 0 || **at != '=') {
        return false;
    }
    (*at)++;
    skip(at, WHITESPACE);
    param->value = **at == '"' ? take_quoted(at) : take_span(at, TOKEN);
    return param->value.at != NULL && param->value.len > 0;
}

static bool same_text(http_span_t a, http_span_t b)
{
    if (a.len != b.len) {
        return false;
    }
    for (size_t i = 0; i < a.len; i++) {
        bool letter = ((unsigned char)a.at[i] | 0x20) >= 'a' && ((unsigned char)a.at[i] | 0x20) <= 'z';
        int difference = a.at[i] ^ b.at[i];
        if (difference != 0 && !(letter && difference == 0x20)) {
            return false;
        }
    }
    return true;
}

/* Which of two with the same name would count is anybody's guess. */
static bool add_param(http_challenge_t *challenge, const http_auth_param_t *param)
{
    for (size_t i = 0; i < challenge->param_count; i++) {
        if (same_text(challenge->params[i].name, param->name)) {
            return false;
        }
    }
    if (challenge->param_count == HTTP_CHALLENGE_MAX_PARAMS) {
        return false;
    }
    challenge->params[challenge->param_count++] = *param;
    return true;
}

static bool is_end(const char *at)
{
    skip(&at, WHITESPACE);
    return *at == '\0' || *at == ',';
}

/* Credentials without a name, to their end: "a2b=" is one, "a2b=c" is a parameter. */
static bool take_token68(const char **at, http_challenge_t *challenge)
{
    const char *end = *at + strspn(*at, TOKEN68);
    if (end == *at) {
        return false;
    }
    end += strspn(end, "=");
    if (!is_end(end)) {
        return false;
    }
    challenge->token68 = (http_span_t){*at, (size_t)(end - *at)};
    *at = end;
    return true;
}

/* Behind a comma: a parameter has an equals sign behind its name, a scheme has not. */
static bool param_follows(const char *at)
{
    skip(&at, WHITESPACE ",");
    size_t name_len = strspn(at, TOKEN);
    at += name_len;
    skip(&at, WHITESPACE);
    return name_len > 0 && *at == '=';
}

static bool take_params(const char **at, http_challenge_t *challenge)
{
    do {
        http_auth_param_t param;
        skip(at, WHITESPACE ",");
        if (!take_param(at, &param) || !add_param(challenge, &param) || !is_end(*at)) {
            return false;
        }
        skip(at, WHITESPACE);
    } while (param_follows(*at));
    return true;
}

esp_err_t http_next_challenge(const char **at, http_challenge_t *challenge)
{
    memset(challenge, 0, sizeof(*challenge));
    skip(at, WHITESPACE ",");
    if (**at == '\0') {
        return ESP_ERR_NOT_FOUND;
    }
    challenge->scheme = take_span(at, TOKEN);
    if (challenge->scheme.len == 0) {
        return ESP_ERR_INVALID_ARG;
    }
    if (is_end(*at)) {
        return ESP_OK;
    }
    if (strchr(WHITESPACE, **at) == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    skip(at, WHITESPACE);
    return take_token68(at, challenge) || take_params(at, challenge) ? ESP_OK : ESP_ERR_INVALID_ARG;
}

/* Copies a value without quotes and escapes; false if it does not fit. */
static bool copy_value(http_span_t value, char *dst, size_t size)
{
    bool quoted = value.at[0] == '"';
    size_t end = quoted ? value.len - 1 : value.len;
    size_t len = 0;
    for (size_t i = quoted ? 1 : 0; i < end; i++) {
        i += quoted && value.at[i] == '\\' ? 1 : 0;
        if (len + 1 >= size) {
            return false;
        }
        dst[len++] = value.at[i];
    }
    dst[len] = '\0';
    return true;
}

esp_err_t http_get_challenge_param(const http_challenge_t *challenge, const char *name, char *dst, size_t size)
{
    dst[0] = '\0';
    for (size_t i = 0; i < challenge->param_count; i++) {
        if (!http_span_is(challenge->params[i].name, name)) {
            continue;
        }
        if (copy_value(challenge->params[i].value, dst, size)) {
            return ESP_OK;
        }
        dst[0] = '\0';
        return ESP_ERR_INVALID_SIZE;
    }
    return ESP_ERR_NOT_FOUND;
}
