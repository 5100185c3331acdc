/* SPDX-License-Identifier: Apache-2.0 */
#include "server/http/range.h"

#include <stdbool.h>
#include <string.h>

/** The text that is still to be read. */
struct scan {
    const char *at;
    const char *end;
};

/** One element of the list: "first-last", "first-" or "-suffix". */
struct spec {
    bool has_first;
    bool has_last;
    uint64_t first;
    uint64_t last; /**< The suffix length when there is no first. */
};

static bool take(struct scan *scan, char wanted)
{
    if (scan->at == scan->end || *scan->at != wanted) {
        return false;
    }
    scan->at++;
    return true;
}

static void skip_blanks(struct scan *scan)
{
    while (take(scan, ' ') || take(scan, '\t')) {
    }
}

/** The unit's name is compared as the RFC says: without regard to case. */
static bool take_unit(struct scan *scan)
{
    for (const char *wanted = "bytes"; *wanted != '\0'; wanted++) {
        if (!take(scan, *wanted) && !take(scan, (char)(*wanted - 'a' + 'A'))) {
            return false;
        }
    }
    return take(scan, '=');
}

/** Digits, or nothing. A number that does not fit becomes the largest there is. */
static bool take_number(struct scan *scan, uint64_t *number)
{
    const char *begin = scan->at;
    uint64_t value = 0;
    while (scan->at != scan->end && *scan->at >= '0' && *scan->at <= '9') {
        uint64_t digit = (uint64_t)(*scan->at++ - '0');
        value = value > (UINT64_MAX - digit) / 10 ? UINT64_MAX : value * 10 + digit;
    }
    *number = value;
    return scan->at != begin;
}

static bool take_spec(struct scan *scan, struct spec *spec)
{
    spec->has_first = take_number(scan, &spec->first);
    if (!take(scan, '-')) {
        return false;
    }
    spec->has_last = take_number(scan, &spec->last);
    if (!spec->has_first) {
        return spec->has_last;
    }
    return !spec->has_last || spec->last >= spec->first;
}

/** Fits a well-formed element into the file. @return false if nothing of it lies there */
static bool fit(const struct spec *spec, uint64_t size_bytes, struct range *part)
{
    if (!spec->has_first) {
        part->len = spec->last < size_bytes ? spec->last : size_bytes;
        part->first_off = size_bytes - part->len;
        return part->len > 0;
    }
    if (spec->first >= size_bytes) {
        return false;
    }
    uint64_t last = spec->has_last && spec->last < size_bytes ? spec->last : size_bytes - 1;
    part->first_off = spec->first;
    part->len = last - spec->first + 1;
    return true;
}

enum range_kind range_parse(const char *text, size_t text_len, uint64_t size_bytes, struct range *part)
{
    struct scan scan = {text, text + text_len};
    if (!take_unit(&scan)) {
        return RANGE_WHOLE;
    }
    size_t elements = 0;
    size_t satisfiable = 0;
    struct range found = {0, 0};
    while (scan.at != scan.end) {
        struct spec spec;
        struct range fitted;
        if (take(&scan, ',')) {
            skip_blanks(&scan);
            continue;
        }
        if (!take_spec(&scan, &spec)) {
            return RANGE_WHOLE;
        }
        skip_blanks(&scan);
        if (scan.at != scan.end && *scan.at != ',') {
            return RANGE_WHOLE;
        }
        elements++;
        if (fit(&spec, size_bytes, &fitted)) {
            satisfiable++;
            found = fitted;
        }
    }
    if (elements == 0 || satisfiable > 1) {
        return RANGE_WHOLE;
    }
    if (satisfiable == 0) {
        return RANGE_UNSATISFIABLE;
    }
    *part = found;
    return RANGE_PART;
}
