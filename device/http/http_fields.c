/* SPDX-License-Identifier: Apache-2.0 */
#include "device/http/http_fields.h"

#include <string.h>

#include "core/util/date.h"

#define US_PER_S 1000000

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Takes digits; false if there are none, or their number does not fit. */
static bool take_number(const char **at, int64_t *number)
{
    int64_t value = 0;
    if (!is_digit(**at)) {
        return false;
    }
    for (; is_digit(**at); (*at)++) {
        int digit = **at - '0';
        if (value > (INT64_MAX - digit) / 10) {
            return false;
        }
        value = value * 10 + digit;
    }
    *number = value;
    return true;
}

static bool take_char(const char **at, char c)
{
    if (**at != c) {
        return false;
    }
    (*at)++;
    return true;
}

/* The unit is a token, which ignores letter case. */
static bool take_unit(const char **at)
{
    static const char unit[] = "bytes";
    for (size_t i = 0; unit[i] != '\0'; i++) {
        if (((*at)[i] | 0x20) != unit[i]) {
            return false;
        }
    }
    *at += strlen(unit);
    return take_char(at, ' ');
}

static bool take_bounds(const char **at, http_content_range_t *range)
{
    if (take_char(at, '*')) {
        return true;
    }
    return take_number(at, &range->start) && take_char(at, '-') && take_number(at, &range->end) &&
           range->start <= range->end;
}

static bool take_total(const char **at, http_content_range_t *range)
{
    if (take_char(at, '*')) {
        /* Neither range nor total: nobody means that. */
        return range->start >= 0;
    }
    return take_number(at, &range->total) && range->end < range->total;
}

bool http_parse_content_range(const char *value, http_content_range_t *range)
{
    http_content_range_t found = {.start = -1, .end = -1, .total = -1};
    if (value == NULL || !take_unit(&value) || !take_bounds(&value, &found) || !take_char(&value, '/')) {
        return false;
    }
    /* An unsatisfied range of an empty file has end -1 and total 0: that fits too. */
    if (!take_total(&value, &found) || *value != '\0') {
        return false;
    }
    *range = found;
    return true;
}

static uint32_t ms_from_seconds(int64_t seconds)
{
    if (seconds <= 0) {
        return 0;
    }
    return seconds > UINT32_MAX / 1000 ? UINT32_MAX : (uint32_t)seconds * 1000;
}

static bool take_seconds(const char *value, int64_t *seconds)
{
    if (value[0] == '\0' || value[strspn(value, "0123456789")] != '\0') {
        return false;
    }
    /* A number that does not fit is as good as for ever. */
    if (!take_number(&value, seconds)) {
        *seconds = INT64_MAX;
    }
    return true;
}

bool http_parse_retry_after(const char *value, int64_t wall_us, uint32_t *delay_ms)
{
    int64_t seconds = 0;
    if (value == NULL) {
        return false;
    }
    if (take_seconds(value, &seconds)) {
        *delay_ms = ms_from_seconds(seconds);
        return true;
    }
    if (!http_parse_date(value, wall_us, &seconds)) {
        return false;
    }
    *delay_ms = ms_from_seconds(seconds - wall_us / US_PER_S);
    return true;
}

bool http_parse_date(const char *value, int64_t wall_us, int64_t *seconds)
{
    return value != NULL && date_parse(value, strlen(value), wall_us / US_PER_S, seconds);
}

/* Anything visible but the quote; also bytes above ASCII. */
static bool is_etag_char(char c)
{
    unsigned char byte = (unsigned char)c;
    return byte > 0x20 && byte != '"' && byte != 0x7f;
}

http_etag_kind_t http_judge_etag(const char *value)
{
    if (value == NULL) {
        return HTTP_ETAG_NONE;
    }
    bool weak = value[0] == 'W' && value[1] == '/';
    const char *at = weak ? value + 2 : value;
    if (!take_char(&at, '"')) {
        return HTTP_ETAG_NONE;
    }
    while (is_etag_char(*at)) {
        at++;
    }
    if (!take_char(&at, '"') || *at != '\0') {
        return HTTP_ETAG_NONE;
    }
    return weak ? HTTP_ETAG_WEAK : HTTP_ETAG_STRONG;
}
