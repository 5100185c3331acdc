/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file date.h
 * @brief Dates in HTTP headers (RFC 9110, section 5.6.7), without locale or time zone.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Room for a written date with its terminator. */
#define DATE_SIZE 30

/** Writes a date as HTTP wants it: "Sun, 06 Nov 1994 08:49:37 GMT". Seconds since 1970, years 1970 to 9999. */
void date_format(int64_t seconds, char text[static DATE_SIZE]);

/**
 * Reads a date in any of the three forms that a server has to accept.
 *
 * @param text            the value, need not be terminated, may hold anything
 * @param text_len        its length in bytes
 * @param now_s           the time now; places the two-digit years of the oldest form
 * @param[out] seconds    since 1970
 * @return false if it is no date; the header is then to be ignored
 */
bool date_parse(const char *text, size_t text_len, int64_t now_s, int64_t *seconds);
