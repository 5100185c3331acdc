/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "device/partition/partition_internal.h"
#include "device/system/device.h"
#include "esp_log.h"
#include "esp_system.h"
#include "otter/otter_device.h"
#include "otter/otter_os.h"

#define TAG              "system"
#define MAX_HANDLERS     5u
#define HANDLER_NOT_HERE MAX_HANDLERS

static struct {
    otter_mutex_t mutex;
    otter_task_t *restarting; /* The task that resets the device, once one does. */
    size_t count;
    shutdown_handler_t handlers[MAX_HANDLERS];
} restart;

static size_t find_handler(shutdown_handler_t handler)
{
    for (size_t i = 0; i < restart.count; i++) {
        if (restart.handlers[i] == handler) {
            return i;
        }
    }
    return HANDLER_NOT_HERE;
}

void restart_reset(void)
{
    otter_mutex_lock(&restart.mutex);
    restart.count = 0;
    otter_mutex_unlock(&restart.mutex);
}

static esp_err_t add_handler(shutdown_handler_t handler)
{
    if (find_handler(handler) != HANDLER_NOT_HERE) {
        return ESP_ERR_INVALID_STATE;
    }
    if (restart.count == MAX_HANDLERS) {
        return ESP_ERR_NO_MEM;
    }
    restart.handlers[restart.count++] = handler;
    return ESP_OK;
}

esp_err_t esp_register_shutdown_handler(shutdown_handler_t handler)
{
    if (handler == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    otter_mutex_lock(&restart.mutex);
    esp_err_t err = add_handler(handler);
    otter_mutex_unlock(&restart.mutex);
    return err;
}

esp_err_t esp_unregister_shutdown_handler(shutdown_handler_t handler)
{
    otter_mutex_lock(&restart.mutex);
    size_t index = find_handler(handler);
    bool found = index != HANDLER_NOT_HERE;
    if (found) {
        restart.count--;
        memmove(&restart.handlers[index], &restart.handlers[index + 1],
                (restart.count - index) * sizeof restart.handlers[0]);
    }
    otter_mutex_unlock(&restart.mutex);
    return found ? ESP_OK : ESP_ERR_INVALID_STATE;
}

/* The handler to be called next, taken off the list, so that each runs once. */
static shutdown_handler_t take_handler(void)
{
    otter_mutex_lock(&restart.mutex);
    shutdown_handler_t handler = restart.count > 0 ? restart.handlers[--restart.count] : NULL;
    otter_mutex_unlock(&restart.mutex);
    return handler;
}

/* The task that resets: the caller, or one that was earlier. */
static otter_task_t *claim_restart(bool *first)
{
    otter_mutex_lock(&restart.mutex);
    *first = restart.restarting == NULL;
    if (*first) {
        restart.restarting = otter_task_current();
    }
    otter_task_t *task = restart.restarting;
    otter_mutex_unlock(&restart.mutex);
    return task;
}

void esp_restart(void)
{
    bool first;
    if (claim_restart(&first) != otter_task_current()) {
        for (;;) {
            otter_sleep_until(OTTER_FOREVER);
        }
    }
    if (first) {
        shutdown_handler_t handler;
        while ((handler = take_handler()) != NULL) {
            handler();
        }
        esp_err_t err = otter_device_get()->flash != NULL ? partition_flash_sync() : ESP_OK;
        if (err != ESP_OK) {
            ESP_LOGE(TAG, "flash may not be durable: %s", esp_err_to_name(err));
        }
    }
    (void)fflush(stdout);
    otter_restart();
}

esp_reset_reason_t esp_reset_reason(void)
{
    return (esp_reset_reason_t)otter_device_get()->reset_reason;
}

void esp_system_abort(const char *details)
{
    ESP_LOGE(TAG, "abort: %s", details != NULL ? details : "");
    abort();
}
