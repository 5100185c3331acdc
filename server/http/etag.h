/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file etag.h
 * @brief Entity tags in request headers (RFC 9110, sections 8.8.3 and 13.1), as pure functions of untrusted text.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/** How two tags are compared. */
enum etag_comparison {
    ETAG_STRONG, /**< Both must be strong: for ranges and for If-Match. */
    ETAG_WEAK,   /**< W/ does not count: for If-None-Match. */
};

/**
 * Whether the value of an If-Match or If-None-Match header names a file: by its tag in the list, or by "*".
 *
 * A list that is malformed anywhere matches nothing, so the caller falls on the safe side: the whole file for
 * If-None-Match, a refusal for If-Match.
 *
 * @param list      the value, need not be terminated, may hold anything
 * @param list_len  its length in bytes
 * @param etag      the file's own tag, strong, with its quotes; terminated
 */
bool etag_in_list(const char *list, size_t list_len, const char *etag, enum etag_comparison comparison);

/**
 * Whether the value of an If-Range header is this tag; strong comparison. A date is never the tag.
 *
 * @param text      the value, need not be terminated, may hold anything
 * @param text_len  its length in bytes
 * @param etag      as in etag_in_list()
 */
bool etag_is(const char *text, size_t text_len, const char *etag);
