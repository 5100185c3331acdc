/* SPDX-License-Identifier: Apache-2.0 */
#include "port/http1/text.h"

#include <string.h>

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

bool http1_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

bool http1_is_token_char(char c)
{
    bool letter = lower(c) >= 'a' && lower(c) <= 'z';
    return letter || http1_is_digit(c) || (c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL);
}

bool http1_is_token(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (!http1_is_token_char(text[i])) {
            return false;
        }
    }
    return len > 0;
}

bool http1_is_word(const char *text, size_t len, const char *word)
{
    for (size_t i = 0; i < len; i++) {
        if (word[i] == '\0' || lower(text[i]) != lower(word[i])) {
            return false;
        }
    }
    return word[len] == '\0';
}

int http1_hex_value(char c)
{
    if (http1_is_digit(c)) {
        return c - '0';
    }
    char small = lower(c);
    return small >= 'a' && small <= 'f' ? small - 'a' + 10 : -1;
}
