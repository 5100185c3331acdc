/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file esp_event.h
 * @brief The default event loop: events are posted by any task and handled, one after the other, on the loop's own.
 *
 * Handlers of an event run in the order of their registration. No lock is held while one runs: it may register,
 * unregister and post. One that is registered while an event is being handled sees the next event first.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "esp_err.h"
#include "esp_event_base.h"
#include "freertos/FreeRTOS.h"
#include "freertos/task.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Creates the default loop and its task. ESP_OK; ESP_ERR_INVALID_STATE if it exists; ESP_ERR_NO_MEM. */
esp_err_t esp_event_loop_create_default(void);

/**
 * Deletes the default loop: waits for a handler that is running, drops the events that wait, forgets all handlers.
 *
 * @return ESP_OK; ESP_ERR_INVALID_STATE if there is none, or if called by a handler
 */
esp_err_t esp_event_loop_delete_default(void);

/**
 * Registers a handler. A second registration of the same function for the same events replaces the argument of the
 * first.
 *
 * @param event_base         base, or ESP_EVENT_ANY_BASE
 * @param event_id           number, or ESP_EVENT_ANY_ID
 * @param event_handler      the function
 * @param event_handler_arg  handed to it
 * @return ESP_OK; ESP_ERR_INVALID_ARG without a function, or for one event of any base; ESP_ERR_INVALID_STATE without a
 *         loop; ESP_ERR_NO_MEM
 */
esp_err_t esp_event_handler_register(esp_event_base_t event_base, int32_t event_id, esp_event_handler_t event_handler,
                                     void *event_handler_arg);

/**
 * Takes a registration back. When it returns the handler is not running and will not run again, unless it is the
 * handler itself that called.
 *
 * @return ESP_OK, also if there was no such registration; ESP_ERR_INVALID_ARG as for registering; ESP_ERR_INVALID_STATE
 *         without a loop
 */
esp_err_t esp_event_handler_unregister(esp_event_base_t event_base, int32_t event_id,
                                       esp_event_handler_t event_handler);

/**
 * Registers a handler; the same function may be registered for the same events several times.
 *
 * @param instance  gets the registration; NULL: as esp_event_handler_register()
 * @return as esp_event_handler_register()
 */
esp_err_t esp_event_handler_instance_register(esp_event_base_t event_base, int32_t event_id,
                                              esp_event_handler_t event_handler, void *event_handler_arg,
                                              esp_event_handler_instance_t *instance);

/**
 * Takes one registration back; see esp_event_handler_unregister().
 *
 * @param instance  from esp_event_handler_instance_register()
 * @return as esp_event_handler_unregister(); ESP_ERR_INVALID_ARG also if @p instance is NULL
 */
esp_err_t esp_event_handler_instance_unregister(esp_event_base_t event_base, int32_t event_id,
                                                esp_event_handler_instance_t instance);

/**
 * Posts an event. 32 can wait.
 *
 * @param event_base       base, not ESP_EVENT_ANY_BASE
 * @param event_id         number, not ESP_EVENT_ANY_ID
 * @param event_data       copied; may be NULL
 * @param event_data_size  its length in bytes
 * @param ticks_to_wait    how long to wait for room; portMAX_DELAY: forever. A handler does not wait: only its own return
 *                         makes room
 * @return ESP_OK; ESP_ERR_INVALID_ARG for any base or any id; ESP_ERR_INVALID_STATE without a loop, or if it was deleted
 *         meanwhile; ESP_ERR_TIMEOUT if there was no room in time; ESP_ERR_NO_MEM
 */
esp_err_t esp_event_post(esp_event_base_t event_base, int32_t event_id, const void *event_data, size_t event_data_size,
                         TickType_t ticks_to_wait);

#ifdef __cplusplus
}
#endif
