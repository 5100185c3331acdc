/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file text.h
 * @brief Characters and words of HTTP, without a locale.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/** '0' to '9'. */
bool http1_is_digit(char c);

/** A character of a token: header name, method (RFC 9110, 5.6.2). */
bool http1_is_token_char(char c);

/** Says whether the first @p len characters are a token: at least one character, and only such. */
bool http1_is_token(const char *text, size_t len);

/** Says whether @p len characters are the word, letter case aside. */
bool http1_is_word(const char *text, size_t len, const char *word);

/** The value of a hexadecimal digit; -1 if it is none. */
int http1_hex_value(char c);
