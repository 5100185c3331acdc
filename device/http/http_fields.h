/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file http_fields.h
 * @brief Values of response headers that a download depends on (RFC 9110). Pure functions of untrusted text.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** What a Content-Range says. */
typedef struct http_content_range {
    int64_t start; /**< First byte; -1: none, the range asked for lies outside (status 416). */
    int64_t end;   /**< Last byte, included; -1 with start -1. */
    int64_t total; /**< Bytes of the whole; -1: unknown. */
} http_content_range_t;

/**
 * Reads a Content-Range: "bytes 0-99/1000", an asterisk instead of the total, or, with status 416, of the range.
 *
 * @param value  of the header; NULL: there was none
 * @param range  filled on success
 * @return false if it is missing, not in bytes, malformed, above INT64_MAX, ends before it starts or at or behind its
 *         total, or says nothing at all
 */
bool http_parse_content_range(const char *value, http_content_range_t *range);

/**
 * Reads a Retry-After.
 *
 * @param value     seconds or a date; NULL: there was none
 * @param wall_us   the time now, microseconds since 1970 (otter_wall_us()); used if it is a date
 * @param delay_ms  gets the milliseconds from now; 0 for a date that has passed; UINT32_MAX for more than fits
 * @return false if it is missing or malformed
 */
bool http_parse_retry_after(const char *value, int64_t wall_us, uint32_t *delay_ms);

/**
 * Reads a date, e.g. of Last-Modified or Date, in any of the three forms of RFC 9110.
 *
 * @param value      the header's value; NULL: there was none
 * @param wall_us    as in http_parse_retry_after(); places two-digit years
 * @param seconds    gets the seconds since 1970
 * @return false if it is missing or no date
 */
bool http_parse_date(const char *value, int64_t wall_us, int64_t *seconds);

/** What an ETag is worth. */
typedef enum http_etag_kind {
    HTTP_ETAG_NONE,   /**< Missing or malformed: as if there was none. */
    HTTP_ETAG_WEAK,   /**< W/"...": two files with it mean the same, their bytes may differ. */
    HTTP_ETAG_STRONG, /**< "...": two files with it are the same, byte for byte. */
} http_etag_kind_t;

/** Judges the value of an ETag; NULL: there was none. */
http_etag_kind_t http_judge_etag(const char *value);
