/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file task.h
 * @brief FreeRTOS tasks.
 */
#pragma once

#include "freertos/FreeRTOS.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct tskTaskControlBlock *TaskHandle_t; /**< A task. Not to be used once the task has ended. */
typedef void (*TaskFunction_t)(void *arg);        /**< What a task runs. Returning from it ends the task. */

#define tskIDLE_PRIORITY ((UBaseType_t)0)
#define tskNO_AFFINITY   ((BaseType_t)0x7FFFFFFF) /**< Any core. */

/**
 * Starts a task.
 *
 * @param function     what it runs
 * @param name         for people; copied, cut to 15 characters
 * @param stack_bytes  at least this much stack
 * @param arg          handed to the function
 * @param priority     accepted, means nothing
 * @param created      gets the task; may be NULL
 * @param core         accepted, means nothing
 * @return pdPASS, or errCOULD_NOT_ALLOCATE_REQUIRED_MEMORY
 */
BaseType_t xTaskCreatePinnedToCore(TaskFunction_t function, const char *name, uint32_t stack_bytes, void *arg,
                                   UBaseType_t priority, TaskHandle_t *created, BaseType_t core);

/** As xTaskCreatePinnedToCore(), on any core. */
static inline BaseType_t xTaskCreate(TaskFunction_t function, const char *name, uint32_t stack_bytes, void *arg,
                                     UBaseType_t priority, TaskHandle_t *created)
{
    return xTaskCreatePinnedToCore(function, name, stack_bytes, arg, priority, created, tskNO_AFFINITY);
}

/**
 * Ends the calling task (NULL, or its own handle); does not return then. Another task cannot be ended from outside: what
 * it holds would stay held. That is logged as an error, and nothing happens.
 */
void vTaskDelete(TaskHandle_t task);

/** Waits that many ticks. */
void vTaskDelay(TickType_t ticks);

/** Ticks since the device started; wraps after 49 days. */
TickType_t xTaskGetTickCount(void);

/** The calling task. */
TaskHandle_t xTaskGetCurrentTaskHandle(void);

#ifdef __cplusplus
}
#endif
