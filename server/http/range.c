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

/** Adds a part. @return false if that is more than is given */
static bool add(struct range_set *parts, const struct range *part, uint64_t *room_bytes)
{
    if (parts->count == RANGE_PARTS_MAX || part->len > *room_bytes) {
        return false;
    }
    parts->part[parts->count++] = *part;
    *room_bytes -= part->len;
    return true;
}

/** Reads an element of the list and the blanks behind it; an element may be missing. @return false if malformed */
static bool take_element(struct scan *scan, struct spec *spec, bool *is_there)
{
    skip_blanks(scan);
    *is_there = scan->at != scan->end && *scan->at != ',';
    if (*is_there && !take_spec(scan, spec)) {
        return false;
    }
    skip_blanks(scan);
    return scan->at == scan->end || take(scan, ',');
}

enum range_kind range_parse(const char *text, size_t text_len, uint64_t size_bytes, struct range_set *parts)
{
    struct scan scan = {text, text + text_len};
    uint64_t room_bytes = size_bytes;
    bool is_any = false;
    bool is_too_much = false;
    parts->count = 0;
    if (!take_unit(&scan) || (scan.at != scan.end && (*scan.at == ' ' || *scan.at == '\t'))) {
        return RANGE_WHOLE;
    }
    while (scan.at != scan.end) {
        struct spec spec;
        struct range part;
        bool is_there;
        if (!take_element(&scan, &spec, &is_there)) {
            return RANGE_WHOLE;
        }
        is_any = is_any || is_there;
        if (is_there && fit(&spec, size_bytes, &part)) {
            is_too_much = is_too_much || !add(parts, &part, &room_bytes);
        }
    }
    if (!is_any || is_too_much) {
        return RANGE_WHOLE;
    }
    return parts->count > 0 ? RANGE_PARTS : RANGE_UNSATISFIABLE;
}
