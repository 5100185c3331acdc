/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file path.h
 * @brief From the target of a request to the name of a file below a directory, as a pure function of untrusted text.
 */
#pragma once

#include <stddef.h>

/** What a request target is. */
enum path_result {
    PATH_OK,
    PATH_MALFORMED, /**< No path, a broken percent escape or an escaped NUL: status 400. */
    PATH_NO_FILE,   /**< Names nothing that is ever served: status 404. */
    PATH_TOO_LONG,  /**< Does not fit: status 414. */
};

/**
 * Decodes the target of a request into a relative file name.
 *
 * What comes out with PATH_OK is not empty, does not begin or end with '/', and has no empty part and none that
 * begins with a dot; so neither "." nor ".." nor a hidden file can be named, however it was written. Escaped slashes
 * separate like plain ones. A scheme and authority in front, as proxies send them, are passed over; the query is
 * dropped.
 *
 * @param target      the target as it stood in the request line, need not be terminated, may hold anything
 * @param target_len  its length in bytes
 * @param[out] name   the file name, terminated; undefined unless PATH_OK
 * @param name_size   room there, with the terminator; at least 1
 */
enum path_result path_decode(const char *target, size_t target_len, char *name, size_t name_size);
