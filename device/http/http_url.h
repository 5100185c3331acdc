/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file http_url.h
 * @brief URLs as RFC 3986 has them: taken apart, and a reference resolved against a base. Pure functions.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** A piece of a text; at is NULL if the piece is not there (which is not the same as empty). */
typedef struct http_span {
    const char *at;
    size_t len;
} http_span_t;

/** The pieces of a URL reference, without their separators. The fragment is dropped. */
typedef struct http_url {
    http_span_t scheme;   /**< "https"; absent in a relative reference. */
    http_span_t userinfo; /**< "name:password", still percent-encoded; absent: none. */
    http_span_t host;     /**< Name, IPv4 address, or IPv6 address with its brackets; absent: no authority. */
    http_span_t port;     /**< Digits; absent: none given. */
    http_span_t path;     /**< Never absent, may be empty. */
    http_span_t query;    /**< Absent: no question mark. */
} http_url_t;

/**
 * Takes a URL or relative reference apart.
 *
 * @param text  NUL-terminated; the pieces point into it
 * @param url   gets the pieces
 * @return false if it is malformed: spaces or control characters, an empty host (but for
 *         a file URL) or one with strange characters, a port that is no number from 1 to 65535, brackets that do not close
 */
bool http_url_split(const char *text, http_url_t *url);

/**
 * Resolves a reference against a base (RFC 3986, 5.2), dot segments removed, fragment dropped.
 *
 * @param base       absolute URL
 * @param reference  absolute URL or relative reference, e.g. a Location header
 * @param dst        gets the absolute URL, NUL-terminated
 * @param size       its size in bytes; strlen(base) + strlen(reference) + 4 is always enough
 * @return false if either is malformed, the base is not absolute, or the result does not fit; @p dst is then undefined
 */
bool http_url_resolve(const char *base, const char *reference, char *dst, size_t size);

/** The port's number; @p otherwise if the URL gives none. */
uint16_t http_url_port(const http_url_t *url, uint16_t otherwise);

/** Says whether a piece is this text, letter case aside. False for an absent piece. */
bool http_span_is(http_span_t span, const char *text);
