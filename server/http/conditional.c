/* SPDX-License-Identifier: Apache-2.0 */
#include "server/http/conditional.h"

#include <string.h>

#include "core/util/date.h"
#include "server/http/etag.h"

/** Whether the file is no newer than @p date; @p if_no_date when that is no date. */
static bool is_unchanged_since(const char *date, const struct conditional_file *file, int64_t now_s, bool if_no_date)
{
    int64_t seconds;
    if (!date_parse(date, strlen(date), now_s, &seconds)) {
        return if_no_date;
    }
    return file->modified_s <= seconds;
}

static bool is_wanted_state(const struct conditional_headers *headers, const struct conditional_file *file,
                            int64_t now_s)
{
    if (headers->if_match != NULL) {
        return etag_in_list(headers->if_match, strlen(headers->if_match), file->etag, ETAG_STRONG);
    }
    if (headers->if_unmodified_since != NULL) {
        return is_unchanged_since(headers->if_unmodified_since, file, now_s, true);
    }
    return true;
}

static bool is_known_to_client(const struct conditional_headers *headers, const struct conditional_file *file,
                               int64_t now_s)
{
    if (headers->if_none_match != NULL) {
        return etag_in_list(headers->if_none_match, strlen(headers->if_none_match), file->etag, ETAG_WEAK);
    }
    if (headers->if_modified_since != NULL) {
        return is_unchanged_since(headers->if_modified_since, file, now_s, false);
    }
    return false;
}

/** Whether the client has parts of this content. Within its second, a date could name two contents. */
static bool is_same_content(const char *if_range, const struct conditional_file *file, int64_t now_s)
{
    int64_t seconds;
    size_t len = strlen(if_range);
    if (etag_is(if_range, len, file->etag)) {
        return true;
    }
    return date_parse(if_range, len, now_s, &seconds) && seconds == file->modified_s && seconds < now_s;
}

static enum range_kind find_range(const struct conditional_headers *headers, const struct conditional_file *file,
                                  int64_t now_s, struct range_set *parts)
{
    if (headers->range == NULL) {
        return RANGE_WHOLE;
    }
    if (headers->if_range != NULL && !is_same_content(headers->if_range, file, now_s)) {
        return RANGE_WHOLE;
    }
    return range_parse(headers->range, strlen(headers->range), file->size_bytes, parts);
}

struct conditional_answer conditional_decide(const struct conditional_headers *headers,
                                             const struct conditional_file *file, bool is_get, int64_t now_s)
{
    struct conditional_answer answer = {.status = 200, .parts = {1, {{0, file->size_bytes}}}};
    struct range_set parts;
    if (!is_wanted_state(headers, file, now_s)) {
        answer.status = 412;
        return answer;
    }
    if (is_known_to_client(headers, file, now_s)) {
        answer.status = 304;
        return answer;
    }
    if (!is_get) {
        return answer;
    }
    switch (find_range(headers, file, now_s, &parts)) {
    case RANGE_PARTS:
        answer.status = 206;
        answer.parts = parts;
        break;
    case RANGE_UNSATISFIABLE:
        answer.status = 416;
        break;
    case RANGE_WHOLE:
        break;
    }
    return answer;
}
