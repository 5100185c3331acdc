/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file conditional.h
 * @brief What a conditional or ranged request for a file is answered with (RFC 9110, sections 13 and 14): pure.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "server/http/range.h"

/** The headers that matter; NULL where the request has none. */
struct conditional_headers {
    const char *if_match;
    const char *if_none_match;
    const char *if_modified_since;
    const char *if_unmodified_since;
    const char *if_range;
    const char *range;
};

/** The file as it is now. */
struct conditional_file {
    uint64_t size_bytes;
    int64_t modified_s; /**< Since 1970. */
    const char *etag;   /**< Strong, with its quotes. */
};

/** The answer. */
struct conditional_answer {
    unsigned status;        /**< 200, 206, 304, 412 or 416. */
    struct range_set parts; /**< The bytes to send: all of the file with 200, one part or several with 206. */
};

/**
 * Decides the answer, in the RFC's order of precedence: If-Match or If-Unmodified-Since, If-None-Match or
 * If-Modified-Since, then Range under If-Range.
 *
 * An If-Range holds if it is the tag, or to the second the date of the file; a date only when that second is over.
 *
 * @param is_get  false for HEAD, for which ranges do not exist
 * @param now_s   the time now, since 1970
 */
struct conditional_answer conditional_decide(const struct conditional_headers *headers,
                                             const struct conditional_file *file, bool is_get, int64_t now_s);
