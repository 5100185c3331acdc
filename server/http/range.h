/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file range.h
 * @brief The Range header of a request (RFC 9110, section 14), as a pure function of untrusted text.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/** What a Range header asks of a file of a given size. */
enum range_kind {
    RANGE_WHOLE,         /**< Ignore the header: malformed, another unit, or more than one range. */
    RANGE_PART,          /**< One part of the file. */
    RANGE_UNSATISFIABLE, /**< Well-formed, but nothing it names is in the file: status 416. */
};

/** A part of a file; never empty, never past the end of it. */
struct range {
    uint64_t first_off; /**< Offset of its first byte. */
    uint64_t len;       /**< Bytes. */
};

/**
 * Reads the value of a Range header.
 *
 * Several ranges are well-formed and answered with the whole file, which the RFC leaves to the server; ranges among
 * them that lie past the end do not count. Numbers too large for 64 bits mean "past the end of any file".
 *
 * @param text        the value, need not be terminated, may hold anything
 * @param text_len    its length in bytes
 * @param size_bytes  size of the file
 * @param[out] part   the part; set for RANGE_PART only
 */
enum range_kind range_parse(const char *text, size_t text_len, uint64_t size_bytes, struct range *part);
