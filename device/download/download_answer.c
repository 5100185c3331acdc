/* SPDX-License-Identifier: Apache-2.0 */
#include "device/download/download_answer.h"

#include <string.h>

#include "device/http/http_fields.h"
#include "esp_http_client.h"

static bool differs(const char *known, const char *said)
{
    return known[0] != '\0' && said != NULL && strcmp(known, said) != 0;
}

/* What keeps a part from being the part asked for; NULL: nothing does. */
static const char *find_misfit(const download_file_t *file, const download_range_t *range,
                               const download_answer_t *answer, const http_content_range_t *part)
{
    if (part->start != range->from) {
        return "the range begins elsewhere";
    }
    if (file->total >= 0 && part->total != file->total) {
        return "the file has another size now";
    }
    if (answer->content_length >= 0 && answer->content_length != part->end - part->start + 1) {
        return "the range is as long as neither of its headers says";
    }
    if (file->unconfirmed && answer->etag == NULL) {
        return "the server does not say that the file is still the same";
    }
    if (differs(file->etag, answer->etag)) {
        return "the file has another ETag now";
    }
    /* With an ETag, the date says nothing that counts. */
    if (file->etag[0] == '\0' && differs(file->modified, answer->last_modified)) {
        return "the file has another date now";
    }
    return NULL;
}

static download_verdict_t misfit(const char *why)
{
    return (download_verdict_t){.meaning = DOWNLOAD_MISFIT, .body_end = -1, .why = why};
}

static download_verdict_t judge_part(const download_file_t *file, const download_range_t *range,
                                     const download_answer_t *answer)
{
    http_content_range_t part;
    bool says = http_parse_content_range(answer->content_range, &part) && part.start >= 0;
    if (!range->asked && answer->content_range == NULL) {
        return (download_verdict_t){.meaning = DOWNLOAD_WHOLE, .body_end = answer->content_length};
    }
    if (!says) {
        return misfit("it does not say which range it is");
    }
    const char *why = find_misfit(file, range, answer, &part);
    return why != NULL ? misfit(why) : (download_verdict_t){.meaning = DOWNLOAD_GOES_ON, .body_end = part.end + 1};
}

/* Nothing lies behind the offset: right if that is the end of the file. */
static download_verdict_t judge_no_range(const download_file_t *file, const download_range_t *range,
                                         const download_answer_t *answer)
{
    http_content_range_t part;
    bool says = http_parse_content_range(answer->content_range, &part) && part.start < 0;
    bool at_end = says && part.total == range->from && (file->total < 0 || file->total == part.total);
    if (!range->asked || !at_end || differs(file->etag, answer->etag)) {
        return misfit("the file has no such range");
    }
    return (download_verdict_t){.meaning = DOWNLOAD_COMPLETE, .body_end = range->from};
}

download_verdict_t download_judge(const download_file_t *file, const download_range_t *range,
                                  const download_answer_t *answer)
{
    if (answer->status == HttpStatus_RangeNotSatisfiable) {
        return judge_no_range(file, range, answer);
    }
    if (answer->status == HttpStatus_PartialContent) {
        return judge_part(file, range, answer);
    }
    return (download_verdict_t){.meaning = DOWNLOAD_WHOLE, .body_end = answer->content_length};
}

/* Copies a text that fits; one that does not is as none. */
static void keep(char *dst, size_t size, const char *text)
{
    size_t len = text != NULL ? strlen(text) : size;
    dst[0] = '\0';
    if (len < size) {
        memcpy(dst, text, len + 1);
    }
}

/* A date identifies a file only if that cannot have been changed again within the same second (RFC 9110, 8.8.2.2), and
 * counts only where there is no entity tag at all (13.1.5). */
static bool is_strong_date(const download_answer_t *answer)
{
    int64_t modified_s;
    int64_t date_s;
    return answer->etag == NULL && http_parse_date(answer->last_modified, answer->wall_us, &modified_s) &&
           http_parse_date(answer->date, answer->wall_us, &date_s) && modified_s < date_s;
}

static int64_t size_of(const download_answer_t *answer)
{
    http_content_range_t part;
    if (answer->status == HttpStatus_PartialContent && answer->content_range != NULL) {
        return http_parse_content_range(answer->content_range, &part) ? part.total : -1;
    }
    return answer->content_length;
}

void download_learn(download_file_t *file, const download_answer_t *answer)
{
    file->total = size_of(answer);
    file->unconfirmed = false;
    keep(file->etag, sizeof(file->etag), http_judge_etag(answer->etag) == HTTP_ETAG_STRONG ? answer->etag : NULL);
    keep(file->modified, sizeof(file->modified), is_strong_date(answer) ? answer->last_modified : NULL);
}

const char *download_validator(const download_file_t *file)
{
    if (file->etag[0] != '\0') {
        return file->etag;
    }
    return file->modified[0] != '\0' ? file->modified : NULL;
}
