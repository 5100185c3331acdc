/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/http/stream_script.h"

#include <stdlib.h>
#include <string.h>

#include "tests/support/test.h"

struct otter_stream {
    const stream_connection_t *connection; /* NULL: closed */
    unsigned requests;
    bool was_read; /* since the last write: the next one begins another request */
    size_t answer; /* being sent */
    size_t answer_off;
};

static const stream_connection_t *script;
static size_t script_len;
static stream_seen_t seen;

void stream_script(const stream_connection_t *connections, size_t count)
{
    script = connections;
    script_len = count;
    memset(&seen, 0, sizeof(seen));
}

const stream_seen_t *stream_seen(void)
{
    return &seen;
}

otter_stream_t *otter_stream_new(const otter_stream_config_t *config)
{
    otter_stream_t *stream = calloc(1, sizeof(*stream));
    assert_non_null(stream);
    seen.config = *config;
    return stream;
}

esp_err_t otter_stream_open(otter_stream_t *stream, const char *host, uint16_t port, bool tls, int64_t deadline_us)
{
    (void)deadline_us;
    otter_stream_close(stream);
    assert_true(seen.opens < script_len);
    const stream_connection_t *connection = &script[seen.opens++];
    snprintf(seen.host, sizeof(seen.host), "%s", host);
    seen.port = port;
    seen.tls = tls;
    if (connection->open_err == ESP_OK) {
        *stream = (otter_stream_t){.connection = connection};
    }
    return connection->open_err;
}

static void note_sent(const void *src, size_t len)
{
    assert_true(len < sizeof(seen.sent) - seen.sent_len);
    memcpy(seen.sent + seen.sent_len, src, len);
    seen.sent_len += len;
    seen.writes++;
}

esp_err_t otter_stream_write(otter_stream_t *stream, const void *src, size_t len, int64_t deadline_us)
{
    (void)deadline_us;
    assert_non_null(stream->connection);
    if (stream->was_read || stream->requests == 0) {
        stream->requests++;
        stream->was_read = false;
    }
    if (stream->connection->write_err != ESP_OK && stream->requests > stream->connection->write_err_from) {
        return stream->connection->write_err;
    }
    note_sent(src, len);
    return ESP_OK;
}

static size_t length_of(const stream_answer_t *answer)
{
    return answer->len == 0 && answer->bytes != NULL ? strlen(answer->bytes) : answer->len;
}

/* What is left of the answers to the requests so far. */
static const char *next_bytes(otter_stream_t *stream, size_t *len)
{
    while (stream->answer < STREAM_SCRIPT_ANSWERS && stream->answer < stream->requests) {
        const stream_answer_t *answer = &stream->connection->answers[stream->answer];
        *len = length_of(answer) - stream->answer_off;
        if (*len > 0) {
            return answer->bytes + stream->answer_off;
        }
        stream->answer++;
        stream->answer_off = 0;
    }
    return NULL;
}

static esp_err_t end_of(const stream_connection_t *connection)
{
    static const esp_err_t ends[] = {
        [STREAM_ENDS] = ESP_OK, [STREAM_BREAKS] = ESP_FAIL, [STREAM_STALLS] = ESP_ERR_TIMEOUT};
    return ends[connection->end];
}

esp_err_t otter_stream_read(otter_stream_t *stream, void *dst, size_t len, size_t *got, int64_t deadline_us)
{
    size_t there = 0;
    (void)deadline_us;
    *got = 0;
    assert_non_null(stream->connection);
    assert_true(len > 0);
    stream->was_read = true;
    const char *bytes = next_bytes(stream, &there);
    if (bytes == NULL) {
        return end_of(stream->connection);
    }
    size_t most = stream->connection->piece == 0 ? len : stream->connection->piece;
    *got = there < len ? there : len;
    *got = *got < most ? *got : most;
    memcpy(dst, bytes, *got);
    stream->answer_off += *got;
    return ESP_OK;
}

bool otter_stream_is_idle(otter_stream_t *stream)
{
    size_t unasked = 0;
    return stream->connection != NULL && !stream->connection->looks_dead && next_bytes(stream, &unasked) == NULL;
}

void otter_stream_close(otter_stream_t *stream)
{
    seen.closes += stream->connection != NULL;
    stream->connection = NULL;
}

const char *otter_stream_error(const otter_stream_t *stream)
{
    (void)stream;
    return "as the script says";
}

void otter_stream_free(otter_stream_t *stream)
{
    if (stream != NULL) {
        otter_stream_close(stream);
        free(stream);
    }
}
