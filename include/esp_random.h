/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file esp_random.h
 * @brief Random numbers fit for keys. Should the source fail, the device aborts rather than hand out guessable ones.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A random number, every value equally likely. */
uint32_t esp_random(void);

/** Fills @p len bytes at @p buf with random ones. */
void esp_fill_random(void *buf, size_t len);

#ifdef __cplusplus
}
#endif
