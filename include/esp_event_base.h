/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file esp_event_base.h
 * @brief Types of the event loop, and how a component names its events.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Declares an event base, in a header. */
#define ESP_EVENT_DECLARE_BASE(id) extern esp_event_base_t const id
/** Defines an event base, in one source file. */
#define ESP_EVENT_DEFINE_BASE(id)  esp_event_base_t const id = #id

#define ESP_EVENT_ANY_BASE NULL /**< Any base; only together with ESP_EVENT_ANY_ID. */
#define ESP_EVENT_ANY_ID   -1   /**< Any event of a base. */

/** Names a family of events. Two are the same if the pointers are. */
typedef const char *esp_event_base_t;

/** A loop. Only the default one exists here. */
typedef void *esp_event_loop_handle_t;

/**
 * Handles an event, on the loop's task.
 *
 * @param event_handler_arg  as registered
 * @param event_base         base of the event
 * @param event_id           its number
 * @param event_data         the loop's copy of what was posted, valid until the handler returns; NULL if nothing was
 */
typedef void (*esp_event_handler_t)(void *event_handler_arg, esp_event_base_t event_base, int32_t event_id,
                                    void *event_data);

/** A registration. */
typedef void *esp_event_handler_instance_t;

#ifdef __cplusplus
}
#endif
