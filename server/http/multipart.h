/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file multipart.h
 * @brief The body of an answer with several parts of a file (multipart/byteranges; RFC 9110, section 14.6): where what
 *        lies in it. Pure: nothing is read or kept, so that a body of any size is made as it is sent.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "server/http/range.h"

#define MULTIPART_BOUNDARY_SIZE 33  /**< Room for a boundary with its terminator. */
#define MULTIPART_TEXT_SIZE     256 /**< Room for the text before a part or at the end, with its terminator. */

/** Which parts of which file. */
struct multipart {
    struct range_set parts;
    uint64_t size_bytes;                    /**< Of the file. */
    const char *content_type;               /**< Of the file; less than 64 characters. */
    char boundary[MULTIPART_BOUNDARY_SIZE]; /**< A word that is not in the file; letters and digits. */
};

/** What lies at a place of the body: text, or bytes of the file. */
struct multipart_piece {
    char text[MULTIPART_TEXT_SIZE]; /**< With is_text: the text, all of it. */
    bool is_text;
    uint64_t off; /**< Where the place is in the text, or in the file. */
    uint64_t len; /**< Bytes from there to the end of the text, or of the part; 0 at the end of the body. */
};

/** Bytes of the whole body. */
uint64_t multipart_length(const struct multipart *multipart);

/** Says what lies at offset @p pos of the body. */
void multipart_find(const struct multipart *multipart, uint64_t pos, struct multipart_piece *piece);
