/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file text.h
 * @brief A line of text put together without heap or stdio; what does not fit is cut.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/** A line; start with .len = 0. */
typedef struct boot_text {
    size_t len;      /**< Characters so far, terminator not counted. */
    char chars[160]; /**< Terminated once something was added. */
} boot_text_t;

/** Appends text; control characters in it become '?': labels come from flash, and the line goes to a terminal. */
void boot_text_add(boot_text_t *text, const char *more);

/** Appends a decimal number. */
void boot_text_add_number(boot_text_t *text, uint32_t number);
