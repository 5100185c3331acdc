/* SPDX-License-Identifier: Apache-2.0 */
#include "port/http1/chunks.h"

#include "port/http1/text.h"

/* Which character comes next. */
typedef enum place {
    FIRST_DIGIT = 0, /* of a size: there must be one */
    DIGIT,
    PADDING,   /* blanks between size and extension: some servers fill a fixed width */
    EXTENSION, /* read over */
    SIZE_LF,
    DATA_CR, /* after the bytes of a chunk */
    DATA_LF,
    TRAILER_START, /* of a line: an empty one is the end */
    TRAILER,
    TRAILER_LF,
    END_LF,
    END,
} place_t;

static const char malformed[] = "malformed chunk";

static const char *go(http1_chunks_t *chunks, place_t place)
{
    chunks->place = (int)place;
    return NULL;
}

static const char *expect(http1_chunks_t *chunks, char c, char expected, place_t next)
{
    return c == expected ? go(chunks, next) : malformed;
}

static const char *take_digit(http1_chunks_t *chunks, char c)
{
    if (chunks->left > INT64_MAX >> 4) {
        return "chunk size too large";
    }
    chunks->left = chunks->left << 4 | http1_hex_value(c);
    return go(chunks, DIGIT);
}

/* What may follow the size. */
static const char *take_size_end(http1_chunks_t *chunks, char c)
{
    switch (c) {
    case '\r':
        return go(chunks, SIZE_LF);
    case ';':
        return go(chunks, EXTENSION);
    case ' ':
    case '\t':
        return go(chunks, PADDING);
    default:
        return malformed;
    }
}

/* A line that is read over, up to its CR. */
static const char *skip(http1_chunks_t *chunks, char c, place_t same, place_t next)
{
    if (c == '\n' || c == '\0') {
        return malformed;
    }
    return go(chunks, c == '\r' ? next : same);
}

static const char *end_size_line(http1_chunks_t *chunks, char c)
{
    chunks->line_bytes = 0;
    return expect(chunks, c, '\n', chunks->left > 0 ? DATA_CR : TRAILER_START);
}

static const char *take_char(http1_chunks_t *chunks, char c)
{
    switch ((place_t)chunks->place) {
    case FIRST_DIGIT:
        return http1_hex_value(c) >= 0 ? take_digit(chunks, c) : malformed;
    case DIGIT:
        return http1_hex_value(c) >= 0 ? take_digit(chunks, c) : take_size_end(chunks, c);
    case PADDING:
        return take_size_end(chunks, c);
    case EXTENSION:
        return skip(chunks, c, EXTENSION, SIZE_LF);
    case SIZE_LF:
        return end_size_line(chunks, c);
    case DATA_CR:
        return expect(chunks, c, '\r', DATA_LF);
    case DATA_LF:
        return expect(chunks, c, '\n', FIRST_DIGIT);
    case TRAILER_START:
        return skip(chunks, c, TRAILER, END_LF);
    case TRAILER:
        return skip(chunks, c, TRAILER, TRAILER_LF);
    case TRAILER_LF:
        return expect(chunks, c, '\n', TRAILER_START);
    case END_LF:
        return expect(chunks, c, '\n', END);
    case END:
        break;
    }
    return malformed;
}

static const char *bound(const http1_chunks_t *chunks)
{
    bool trailer = chunks->place >= (int)TRAILER_START;
    unsigned most = trailer ? HTTP1_TRAILER_MAX_BYTES : HTTP1_CHUNK_LINE_MAX_BYTES;
    if (chunks->line_bytes < most) {
        return NULL;
    }
    return trailer ? "trailer too large" : "chunk line too large";
}

static bool is_at_data(const http1_chunks_t *chunks)
{
    return chunks->place == (int)DATA_CR && chunks->left > 0;
}

http1_step_t http1_chunks_feed(http1_chunks_t *chunks, const char *bytes, size_t len, size_t *used)
{
    *used = 0;
    while (chunks->problem == NULL && !is_at_data(chunks) && chunks->place != (int)END) {
        if (*used == len) {
            return HTTP1_MORE;
        }
        chunks->problem = bound(chunks);
        if (chunks->problem == NULL) {
            chunks->line_bytes++;
            chunks->problem = take_char(chunks, bytes[(*used)++]);
        }
    }
    if (chunks->problem != NULL) {
        return HTTP1_BAD;
    }
    return is_at_data(chunks) ? HTTP1_DATA : HTTP1_DONE;
}

void http1_chunks_take(http1_chunks_t *chunks, size_t count)
{
    chunks->left -= (int64_t)count;
}
