/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file range.h
 * @brief The Range header of a request (RFC 9110, section 14), as a pure function of untrusted text.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/** Most parts that one answer has. */
#define RANGE_PARTS_MAX 16

/** What a Range header asks of a file of a given size. */
enum range_kind {
    RANGE_WHOLE,         /**< Ignore the header: malformed, another unit, or more asked for than is given. */
    RANGE_PARTS,         /**< One part of the file, or several. */
    RANGE_UNSATISFIABLE, /**< Well-formed, but nothing it names is in the file: status 416. */
};

/** A part of a file; never empty, never past the end of it. */
struct range {
    uint64_t first_off; /**< Offset of its first byte. */
    uint64_t len;       /**< Bytes. */
};

/** Parts of a file, in the order in which they were asked for. They may overlap. */
struct range_set {
    size_t count;
    struct range part[RANGE_PARTS_MAX];
};

/**
 * Reads the value of a Range header.
 *
 * Ranges that lie past the end do not count. More than RANGE_PARTS_MAX that lie in the file, or parts that together are
 * larger than the file, are answered with the whole file: nobody gets more than the file by asking for it in pieces.
 * Numbers too large for 64 bits mean "past the end of any file".
 *
 * @param text        the value, need not be terminated, may hold anything
 * @param text_len    its length in bytes
 * @param size_bytes  size of the file
 * @param[out] parts  the parts, at least one; meaningful for RANGE_PARTS only
 */
enum range_kind range_parse(const char *text, size_t text_len, uint64_t size_bytes, struct range_set *parts);
