/* SPDX-License-Identifier: Apache-2.0 */
/* Who we say we are: Basic (RFC 7617) and Digest authentication, and what a server's challenge makes of them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "device/http/http_internal.h"
#include "esp_log.h"
#include "otter/otter_crypto.h"
#include "otter/otter_device.h"

/* ---- Basic ---- */

static void encode_group(char out[4], const unsigned char *in, size_t len)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    uint32_t bits = (uint32_t)in[0] << 16 | (len > 1 ? (uint32_t)in[1] << 8 : 0) | (len > 2 ? in[2] : 0);
    for (size_t i = 0; i < 4; i++) {
        out[i] = i <= len ? digits[bits >> (18 - 6 * i) & 63] : '=';
    }
}

/* "Basic " and the base64 of name:password, to be freed. NULL if memory is short. */
static char *make_basic(const char *username, const char *password)
{
    static const char prefix[] = "Basic ";
    size_t plain_size = strlen(username) + strlen(password) + 2;
    char *plain = malloc(plain_size);
    char *value = malloc(sizeof(prefix) + (plain_size / 3 + 1) * 4);
    if (plain == NULL || value == NULL) {
        free(plain);
        free(value);
        return NULL;
    }
    size_t len = (size_t)snprintf(plain, plain_size, "%s:%s", username, password);
    memcpy(value, prefix, sizeof(prefix));
    char *at = value + strlen(prefix);
    for (size_t i = 0; i < len; i += 3, at += 4) {
        encode_group(at, (const unsigned char *)plain + i, len - i < 3 ? len - i : 3);
    }
    *at = '\0';
    otter_wipe(plain, plain_size);
    free(plain);
    return value;
}

static esp_err_t answer_basic(esp_http_client_handle_t client, char **value)
{
    /* The first colon ends the name. */
    if (strchr(client->username, ':') != NULL) {
        return http_report_failure(client, ESP_ERR_INVALID_ARG, "a user name with a colon cannot be sent");
    }
    *value = make_basic(client->username, client->password == NULL ? "" : client->password);
    return *value == NULL ? ESP_ERR_NO_MEM : ESP_OK;
}

/* Whoever listens reads the password: not without the application's word, or the device's. */
static bool may_send_basic(esp_http_client_handle_t client)
{
    return client->scheme->is_protected || client->asked_auth == HTTP_AUTH_TYPE_BASIC ||
           otter_device_get()->config.allow_http;
}

/* ---- Digest ---- */

/* Path and query, as the request line has them. */
static const char *request_target(esp_http_client_handle_t client)
{
    return strchr(strstr(client->url, "://") + strlen("://"), '/');
}

static esp_err_t answer_digest(esp_http_client_handle_t client, char **value)
{
    http_digest_request_t request = {
        .username = client->username,
        .password = client->password == NULL ? "" : client->password,
        .method = http_method_name(client->method),
        .uri = request_target(client),
    };
    return http_digest_answer(client->digest, &request, value);
}

static void drop_digest(esp_http_client_handle_t client)
{
    free(client->digest);
    client->digest = NULL;
}

/* ---- the next request ---- */

typedef esp_err_t (*answer_fn_t)(esp_http_client_handle_t client, char **value);

static answer_fn_t choose_answer(esp_http_client_handle_t client)
{
    if (client->username == NULL) {
        return NULL;
    }
    /* Without a challenge an FTP server lets in anybody, but perhaps not to the same files. */
    if (!client->scheme->is_http) {
        return answer_basic;
    }
    if (client->auth_type == HTTP_AUTH_TYPE_BASIC && may_send_basic(client)) {
        return answer_basic;
    }
    return client->auth_type == HTTP_AUTH_TYPE_DIGEST && client->digest != NULL ? answer_digest : NULL;
}

esp_err_t http_apply_auth(esp_http_client_handle_t client)
{
    char *value = NULL;
    client->auth_sent = false;
    /* One that the application set itself is none of our business. */
    if (client->auth_is_ours) {
        http_headers_remove(&client->request, HTTP_AUTHORIZATION);
        client->auth_is_ours = false;
    }
    answer_fn_t answer = choose_answer(client);
    if (answer == NULL) {
        return ESP_OK;
    }
    esp_err_t err = answer(client, &value);
    if (err == ESP_OK) {
        err = http_headers_set(&client->request, HTTP_AUTHORIZATION, value);
    }
    free(value);
    client->auth_sent = err == ESP_OK;
    client->auth_is_ours = client->auth_sent;
    return err;
}

void http_drop_credentials(esp_http_client_handle_t client)
{
    http_headers_remove(&client->request, HTTP_AUTHORIZATION);
    client->auth_is_ours = false;
    client->auth_sent = false;
    client->auth_type = client->asked_auth;
    drop_digest(client);
    http_wipe_text(client->password);
    (void)http_replace_text(&client->username, NULL);
    (void)http_replace_text(&client->password, NULL);
    (void)http_replace_text(&client->challenge, NULL);
}

/* ---- a challenge ---- */

/* What a 401 lets us answer with. */
typedef struct offer {
    bool basic;
    http_digest_t *digest; /* The strongest one offered, owned; NULL: none. */
} offer_t;

static void consider_digest(const http_challenge_t *challenge, offer_t *offer)
{
    http_digest_t *digest = malloc(sizeof(*digest));
    if (digest == NULL) {
        return;
    }
    bool usable = http_digest_take(challenge, digest) == ESP_OK;
    if (!usable || (offer->digest != NULL && offer->digest->hash >= digest->hash)) {
        free(digest);
        return;
    }
    free(offer->digest);
    offer->digest = digest;
}

static bool is_well_formed(const char *value)
{
    http_challenge_t challenge;
    esp_err_t err = ESP_OK;
    while (err == ESP_OK) {
        err = http_next_challenge(&value, &challenge);
    }
    return err == ESP_ERR_NOT_FOUND;
}

static void consider_value(const char *value, offer_t *offer)
{
    http_challenge_t challenge;
    if (!is_well_formed(value)) {
        ESP_LOGW(HTTP_TAG, "malformed WWW-Authenticate header");
        return;
    }
    while (http_next_challenge(&value, &challenge) == ESP_OK) {
        if (http_span_is(challenge.scheme, "Digest")) {
            consider_digest(&challenge, offer);
        } else if (http_span_is(challenge.scheme, "Basic")) {
            offer->basic = true;
        }
    }
}

static void collect_offers(esp_http_client_handle_t client, offer_t *offer)
{
    const http_headers_t *headers = &client->response_headers;
    for (size_t i = 0; i < headers->count; i++) {
        const otter_http_header_t *item = &headers->items[i];
        if (http_span_is((http_span_t){item->name, strlen(item->name)}, "WWW-Authenticate")) {
            consider_value(item->value, offer);
        }
    }
    if (client->challenge != NULL) {
        consider_value(client->challenge, offer);
    }
}

/* NULL if something is left to answer with, or why not. */
static const char *judge_offer(esp_http_client_handle_t client, const offer_t *offer)
{
    if (offer->digest != NULL) {
        return NULL;
    }
    if (!offer->basic) {
        return "the server asks for other than Basic or Digest authentication";
    }
    /* Somebody between us and the server could have asked for the password itself. */
    if (client->asked_auth == HTTP_AUTH_TYPE_DIGEST) {
        return "the server does not ask for Digest authentication, and no other is wanted";
    }
    return may_send_basic(client) ? NULL : "the password is not sent unprotected: set auth_type to Basic if it may be";
}

/* The same name and password would be refused again. */
static bool was_refused(esp_http_client_handle_t client, const offer_t *offer)
{
    if (!client->auth_sent) {
        return false;
    }
    if (offer->digest == NULL || client->digest == NULL) {
        return offer->digest == NULL;
    }
    /* A nonce that was good before may have been used for too long, whether the server says so or not. */
    return !offer->digest->is_stale && client->digest->count <= 1;
}

static esp_err_t accept(esp_http_client_handle_t client, offer_t *offer)
{
    if (offer->digest == NULL) {
        client->auth_type = HTTP_AUTH_TYPE_BASIC;
        return ESP_OK;
    }
    if (http_digest_choose_cnonce(offer->digest) != ESP_OK) {
        return http_report_failure(client, ESP_FAIL, "no random bytes for Digest authentication");
    }
    drop_digest(client);
    client->digest = offer->digest;
    offer->digest = NULL;
    client->auth_type = HTTP_AUTH_TYPE_DIGEST;
    return ESP_OK;
}

static esp_err_t answer_offer(esp_http_client_handle_t client, offer_t *offer)
{
    const char *why_not = judge_offer(client, offer);
    if (why_not != NULL) {
        return http_report_failure(client, ESP_ERR_NOT_SUPPORTED, why_not);
    }
    if (client->username == NULL) {
        return http_report_failure(client, ESP_FAIL, "the server asks for a user name and none is set");
    }
    if (was_refused(client, offer) || client->auth_tries >= client->max_auth_tries) {
        return http_report_failure(client, ESP_FAIL, "the server refuses the user name or password");
    }
    client->auth_tries++;
    return accept(client, offer);
}

esp_err_t esp_http_client_add_auth(esp_http_client_handle_t client)
{
    offer_t offer = {0};
    if (client == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    if (client->response.status != HttpStatus_Unauthorized) {
        return ESP_OK;
    }
    collect_offers(client, &offer);
    esp_err_t err = answer_offer(client, &offer);
    free(offer.digest);
    return err;
}

esp_err_t esp_http_client_set_auth_data(esp_http_client_handle_t client, const char *auth_data, int len)
{
    if (client == NULL || auth_data == NULL || len <= 0) {
        return ESP_ERR_INVALID_ARG;
    }
    char *text = calloc(1, (size_t)len + 1);
    if (text == NULL) {
        return ESP_ERR_NO_MEM;
    }
    memcpy(text, auth_data, (size_t)len);
    free(client->challenge);
    client->challenge = text;
    return ESP_OK;
}
