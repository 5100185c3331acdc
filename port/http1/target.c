/* SPDX-License-Identifier: Apache-2.0 */
#include "port/http1/target.h"

#include <stdio.h>
#include <string.h>

#include "esp_http_client.h"
#include "port/http1/text.h"

static const struct {
    const char *prefix;
    bool tls;
    uint16_t port;
} schemes[] = {
    {"http://", false, 80},
    {"https://", true, 443},
};

/* What follows the scheme; NULL: another one. */
static const char *take_scheme(const char *url, http1_target_t *target)
{
    for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
        size_t len = strlen(schemes[i].prefix);
        if (strlen(url) >= len && http1_is_word(url, len, schemes[i].prefix)) {
            target->tls = schemes[i].tls;
            target->port = schemes[i].port;
            return url + len;
        }
    }
    return NULL;
}

/* Neither blanks nor control characters: they would end the request line. */
static bool is_clean(const char *text)
{
    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;
        if (c <= ' ' || c == 0x7f) {
            return false;
        }
    }
    return true;
}

static bool is_name_char(char c)
{
    return c == '.' || c == '_' || c == '~' || (http1_is_token_char(c) && strchr("!#$%&'*+^`|", c) == NULL);
}

/* An IPv6 address, perhaps with a zone. */
static bool is_address_char(char c)
{
    return c == ':' || c == '%' || is_name_char(c);
}

static bool take_host(http1_target_t *target, const char *at, size_t len, bool (*is_allowed)(char c))
{
    if (len == 0 || len >= sizeof(target->host)) {
        return false;
    }
    for (size_t i = 0; i < len; i++) {
        if (!is_allowed(at[i])) {
            return false;
        }
    }
    memcpy(target->host, at, len);
    target->host[len] = '\0';
    return true;
}

/* "%25" before a zone (RFC 6874) is a plain percent sign to everybody else. */
static void unescape_zone(char *host)
{
    char *zone = strstr(host, "%25");
    if (zone != NULL) {
        memmove(zone + 1, zone + 3, strlen(zone + 3) + 1);
    }
}

/* What follows the host: nothing, a colon, or a colon and digits; without digits it is the scheme's port. */
static bool take_port(http1_target_t *target, const char *at, const char *end)
{
    uint32_t port = 0;
    if (at == end) {
        return true;
    }
    if (*at++ != ':') {
        return false;
    }
    if (at == end) {
        return true;
    }
    for (; at < end; at++) {
        if (!http1_is_digit(*at) || port > 6553) {
            return false;
        }
        port = port * 10 + (uint32_t)(*at - '0');
    }
    target->port = (uint16_t)port;
    return port >= 1 && port <= 65535;
}

/* "host", "host:port", "[address]:port". */
static bool take_authority(http1_target_t *target, const char *at, const char *end)
{
    if (at < end && *at == '[') {
        const char *close = memchr(at, ']', (size_t)(end - at));
        if (close == NULL || !take_host(target, at + 1, (size_t)(close - at) - 1, is_address_char)) {
            return false;
        }
        unescape_zone(target->host);
        return take_port(target, close + 1, end);
    }
    const char *colon = memchr(at, ':', (size_t)(end - at));
    const char *host_end = colon != NULL ? colon : end;
    return take_host(target, at, (size_t)(host_end - at), is_name_char) && take_port(target, host_end, end);
}

esp_err_t http1_target_parse(const char *url, http1_target_t *target)
{
    const char *authority = take_scheme(url, target);
    if (authority == NULL) {
        return ESP_ERR_HTTP_INVALID_TRANSPORT;
    }
    const char *path = authority + strcspn(authority, "/?#");
    if (!is_clean(url) || !take_authority(target, authority, path)) {
        return ESP_ERR_HTTP_CONNECT;
    }
    target->path = path;
    target->path_len = strcspn(path, "#");
    return ESP_OK;
}

bool http1_target_same_server(const http1_target_t *a, const http1_target_t *b)
{
    return a->tls == b->tls && a->port == b->port && http1_is_word(a->host, strlen(a->host), b->host);
}

static bool is_ipv6(const http1_target_t *target)
{
    return strchr(target->host, ':') != NULL;
}

void http1_target_origin(const http1_target_t *target, char *text)
{
    const char *format = is_ipv6(target) ? "[%s]:%u" : "%s:%u";
    snprintf(text, HTTP1_ORIGIN_BYTES, format, target->host, (unsigned)target->port);
}

void http1_target_host_header(const http1_target_t *target, char *text)
{
    bool brackets = is_ipv6(target);
    /* A zone means something on this machine only. */
    int len = (int)(brackets ? strcspn(target->host, "%") : strlen(target->host));
    int end =
        snprintf(text, HTTP1_ORIGIN_BYTES, "%s%.*s%s", brackets ? "[" : "", len, target->host, brackets ? "]" : "");
    if (target->port != (target->tls ? 443 : 80)) {
        snprintf(text + end, HTTP1_ORIGIN_BYTES - (size_t)end, ":%u", (unsigned)target->port);
    }
}
