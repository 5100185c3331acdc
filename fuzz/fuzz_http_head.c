/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP response head, line by line, and the list that keeps its headers: a head that is complete has a final status, what
 * is reported of it has no line break in it, and trailers are not taken for headers.
 *
 * Input: the head; a line ends at its newline.
 */
#include "fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "device/http/http_headers.h"
#include "port/http_curl/response_head.h"

typedef struct seen {
    http_headers_t headers;
    unsigned count;
    bool complete;
} seen_t;

static void note(void *arg, const char *name, const char *value)
{
    seen_t *seen = arg;
    FUZZ_CHECK(!seen->complete);
    FUZZ_CHECK(name[0] != '\0' && strpbrk(name, ":\r\n") == NULL);
    FUZZ_CHECK(strchr(value, '\n') == NULL);
    seen->count++;
    size_t before = seen->headers.count;
    if (http_headers_add(&seen->headers, name, value) == ESP_OK) {
        FUZZ_CHECK(seen->headers.count == before + 1);
        FUZZ_CHECK(strpbrk(value, "\r\n") == NULL && strpbrk(name, " \t") == NULL);
        FUZZ_CHECK(http_headers_get(&seen->headers, name) != NULL);
        FUZZ_CHECK(strcmp(seen->headers.items[before].value, value) == 0);
    } else {
        FUZZ_CHECK(seen->headers.count == before);
    }
}

static size_t line_len(const fuzz_input_t *input)
{
    const uint8_t *end = memchr(input->at, '\n', input->left);
    return end != NULL ? (size_t)(end - input->at) + 1 : input->left;
}

static bool feed_line(response_head_t *head, fuzz_input_t *input)
{
    size_t len = line_len(input);
    char *line = fuzz_copy(input->at, len);
    bool taken = response_head_feed(head, line, len);
    free(line);
    input->at += len;
    input->left -= len;
    return taken;
}

static void check_summary(const response_head_t *head, bool has_body)
{
    otter_http_response_t response = response_head_summary(head, has_body);
    FUZZ_CHECK(response.status >= 200 && response.status <= 999);
    FUZZ_CHECK(response.content_length >= -1);
    FUZZ_CHECK(!response.chunked || response.content_length == -1);
    /* A body whose end only the close of the connection shows cannot leave the connection usable. */
    bool body = has_body && response.status != 204 && response.status != 304;
    if (body && head->http_major < 2 && !response.chunked && response.content_length < 0) {
        FUZZ_CHECK(!response.keep_alive);
    }
}

static void check_list(http_headers_t *headers)
{
    while (headers->count > 0) {
        size_t before = headers->count;
        char *name = fuzz_copy(headers->items[0].name, strlen(headers->items[0].name) + 1);
        FUZZ_CHECK(http_headers_set(headers, name, "x") == ESP_OK);
        FUZZ_CHECK(headers->count <= before && strcmp(http_headers_get(headers, name), "x") == 0);
        http_headers_remove(headers, name);
        FUZZ_CHECK(http_headers_get(headers, name) == NULL && headers->count < before);
        free(name);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_input_t input = {data, size};
    seen_t seen = {.count = 0};
    response_head_t head;
    response_head_init(&head, note, &seen);
    bool taken = true;
    while (taken && input.left > 0) {
        taken = feed_line(&head, &input);
        seen.complete = head.complete;
    }
    FUZZ_CHECK(taken == (head.problem == NULL));
    FUZZ_CHECK(taken || head.problem[0] != '\0');
    FUZZ_CHECK(head.bytes <= size && (!taken || head.bytes <= RESPONSE_HEAD_MAX_BYTES));
    if (head.complete) {
        check_summary(&head, true);
        check_summary(&head, false);
    }
    check_list(&seen.headers);
    http_headers_clear(&seen.headers);
    return 0;
}
