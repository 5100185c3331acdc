/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file event_groups.h
 * @brief FreeRTOS event groups: 24 bits that tasks set, clear and wait for.
 */
#pragma once

#include "freertos/FreeRTOS.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef TickType_t EventBits_t;                     /**< Bits; the upper 8 are not to be used. */
typedef struct EventGroupDef_t *EventGroupHandle_t; /**< A group. */

/** Makes a group with no bit set; NULL if there is no memory. To be given back by vEventGroupDelete(). */
EventGroupHandle_t xEventGroupCreate(void);

/** Frees a group; NULL is allowed. Tasks that wait for it return with no bits. */
void vEventGroupDelete(EventGroupHandle_t group);

/**
 * Sets bits, and lets every task go that has waited for what is set now.
 *
 * @return the group's bits afterwards; those that a task let go wanted cleared are cleared
 */
EventBits_t xEventGroupSetBits(EventGroupHandle_t group, EventBits_t bits);

/** Clears bits. Returns the group's bits before. */
EventBits_t xEventGroupClearBits(EventGroupHandle_t group, EventBits_t bits);

/** The group's bits. */
EventBits_t xEventGroupGetBits(EventGroupHandle_t group);

/**
 * Waits for bits.
 *
 * @param bits           which, at least one
 * @param clear_on_exit  pdTRUE: clears them, unless the time passed
 * @param wait_for_all   pdTRUE: all of them must be set; pdFALSE: one is enough
 * @param ticks          how long to wait; portMAX_DELAY: forever
 * @return the group's bits when the wait ended, before anything was cleared: the caller looks whether they are what it
 *         waited for
 */
EventBits_t xEventGroupWaitBits(EventGroupHandle_t group, EventBits_t bits, BaseType_t clear_on_exit,
                                BaseType_t wait_for_all, TickType_t ticks);

#ifdef __cplusplus
}
#endif
