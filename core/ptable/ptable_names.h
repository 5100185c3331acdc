/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file ptable_names.h
 * @brief Keywords of the CSV form: types, subtypes, flags.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "core/ptable/ptable.h"

/** Number of a type keyword ("app", "data", ...), in any case. False if there is no such type. */
bool ptable_find_type(const char *name, uint8_t *type);

/** Number of a subtype keyword ("ota_0", "nvs", ...) of that type, in any case. False if it has no such subtype. */
bool ptable_find_subtype(uint8_t type, const char *name, uint8_t *subtype);

/** Bit of a flag keyword ("encrypted", "readonly"), in lower case. 0 if there is no such flag. */
uint32_t ptable_find_flag(const char *name);

/** Keyword of the flag number @p index, counted from 0, and its bit; NULL after the last. */
const char *ptable_flag_name(uint32_t index, uint32_t *bit);
