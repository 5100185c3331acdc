/* SPDX-License-Identifier: Apache-2.0 */
#include "boot/text.h"

#include "core/util/bytes.h"

void boot_text_add(boot_text_t *text, const char *more)
{
    size_t start = text->len;
    while (*more != '\0' && text->len + 1 < sizeof(text->chars)) {
        text->chars[text->len++] = *more++;
    }
    text->chars[text->len] = '\0';
    bytes_make_printable(text->chars + start);
}

void boot_text_add_number(boot_text_t *text, uint32_t number)
{
    char digits[11];
    size_t at = sizeof(digits) - 1;
    digits[at] = '\0';
    do {
        digits[--at] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    boot_text_add(text, digits + at);
}
