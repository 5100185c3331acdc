/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file FreeRTOS.h
 * @brief The part of FreeRTOS that OTA code uses, over Otter's own tasks. A tick is a millisecond.
 */
#pragma once

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __has_include
#if __has_include("sdkconfig.h")
#include "sdkconfig.h"
#endif
#endif

#include "freertos/portmacro.h"

#define pdFALSE ((BaseType_t)0)
#define pdTRUE  ((BaseType_t)1)
#define pdFAIL  pdFALSE
#define pdPASS  pdTRUE

#define errCOULD_NOT_ALLOCATE_REQUIRED_MEMORY (-1) /**< A task could not be made: no memory. */

#define configTICK_RATE_HZ       1000 /**< Ticks a second. */
#define configMAX_PRIORITIES     25   /**< Priorities are accepted and mean nothing. */
#define configMINIMAL_STACK_SIZE 1536 /**< Bytes. */
#define configMAX_TASK_NAME_LEN  16   /**< Bytes of a task's name, terminator included. */

#define portTICK_PERIOD_MS ((TickType_t)1000 / configTICK_RATE_HZ) /**< Milliseconds of a tick. */

/** Ticks of a time in milliseconds. */
#define pdMS_TO_TICKS(ms)    ((TickType_t)(((uint64_t)(ms)*configTICK_RATE_HZ) / 1000))
/** Milliseconds of a time in ticks. */
#define pdTICKS_TO_MS(ticks) ((TickType_t)(((uint64_t)(ticks)*1000) / configTICK_RATE_HZ))

#define configASSERT(condition) assert(condition) /**< Aborts unless the condition holds. */
