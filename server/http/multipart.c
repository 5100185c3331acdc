/* SPDX-License-Identifier: Apache-2.0 */
#include "server/http/multipart.h"

#include <inttypes.h>
#include <stdio.h>

/** Writes what stands before a part, or behind the last. @return its length */
static size_t write_text(const struct multipart *multipart, size_t index, char text[MULTIPART_TEXT_SIZE])
{
    if (index == multipart->parts.count) {
        return (size_t)snprintf(text, MULTIPART_TEXT_SIZE, "\r\n--%s--\r\n", multipart->boundary);
    }
    const struct range *part = &multipart->parts.part[index];
    return (size_t)snprintf(text, MULTIPART_TEXT_SIZE,
                            "\r\n--%s\r\nContent-Type: %.63s\r\nContent-Range: bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64
                            "\r\n\r\n",
                            multipart->boundary, multipart->content_type, part->first_off,
                            part->first_off + part->len - 1, multipart->size_bytes);
}

uint64_t multipart_length(const struct multipart *multipart)
{
    char text[MULTIPART_TEXT_SIZE];
    uint64_t length = 0;
    for (size_t i = 0; i < multipart->parts.count; i++) {
        length += write_text(multipart, i, text) + multipart->parts.part[i].len;
    }
    return length + write_text(multipart, multipart->parts.count, text);
}

void multipart_find(const struct multipart *multipart, uint64_t pos, struct multipart_piece *piece)
{
    for (size_t i = 0; i <= multipart->parts.count; i++) {
        size_t text_len = write_text(multipart, i, piece->text);
        piece->is_text = pos < text_len;
        if (piece->is_text) {
            piece->off = pos;
            piece->len = text_len - pos;
            return;
        }
        pos -= text_len;
        if (i < multipart->parts.count && pos < multipart->parts.part[i].len) {
            piece->off = multipart->parts.part[i].first_off + pos;
            piece->len = multipart->parts.part[i].len - pos;
            return;
        }
        pos -= i < multipart->parts.count ? multipart->parts.part[i].len : 0;
    }
    piece->off = 0;
    piece->len = 0;
}
