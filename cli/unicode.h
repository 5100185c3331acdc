/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file unicode.h
 * @brief Text that a spreadsheet saved: UTF-16 and UTF-32, told by their byte order mark, become UTF-8.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * Converts text to UTF-8 if its byte order mark says that it is UTF-16 or UTF-32; other text stays as it is.
 *
 * @param bytes  from malloc(); replaced by the converted text, also from malloc()
 * @param len    its length in bytes; replaced likewise
 * @return false if the text breaks off or holds no valid characters, or without memory; @p bytes is still to be freed
 */
bool cli_text_to_utf8(uint8_t **bytes, size_t *len);
