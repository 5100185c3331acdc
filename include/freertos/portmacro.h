/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file portmacro.h
 * @brief FreeRTOS's base types, as ESP-IDF has them.
 */
#pragma once

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef uint32_t TickType_t;      /**< A time in ticks. */
typedef int BaseType_t;           /**< A number or truth value. */
typedef unsigned int UBaseType_t; /**< A number that is not negative. */
typedef uint8_t StackType_t;      /**< Unit of stack sizes: bytes. */

#define portMAX_DELAY ((TickType_t)0xffffffffUL) /**< Forever, where a function waits for something. */

#ifdef __cplusplus
}
#endif
