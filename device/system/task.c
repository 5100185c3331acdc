/* SPDX-License-Identifier: Apache-2.0 */
#include "freertos/task.h"

#include "device/system/device.h"
#include "esp_log.h"
#include "otter/otter_os.h"

#define TICK_US (1000000 / configTICK_RATE_HZ)

BaseType_t xTaskCreatePinnedToCore(TaskFunction_t function, const char *name, uint32_t stack_bytes, void *arg,
                                   UBaseType_t priority, TaskHandle_t *created, BaseType_t core)
{
    (void)priority;
    (void)core;
    otter_task_t *task;
    if (otter_task_start(function, arg, name, stack_bytes, created != NULL ? &task : NULL) != ESP_OK) {
        return errCOULD_NOT_ALLOCATE_REQUIRED_MEMORY;
    }
    if (created != NULL) {
        *created = (TaskHandle_t)task;
    }
    return pdPASS;
}

void vTaskDelete(TaskHandle_t task)
{
    if (task == NULL || task == xTaskGetCurrentTaskHandle()) {
        otter_task_exit();
    }
    ESP_LOGE("task", "vTaskDelete: only the calling task can be ended, nothing was done");
}

int64_t task_deadline_us(TickType_t ticks)
{
    return ticks == portMAX_DELAY ? OTTER_FOREVER : otter_now_us() + (int64_t)ticks * TICK_US;
}

void vTaskDelay(TickType_t ticks)
{
    otter_sleep_until(task_deadline_us(ticks));
}

TickType_t xTaskGetTickCount(void)
{
    return (TickType_t)(device_uptime_us() / TICK_US);
}

TaskHandle_t xTaskGetCurrentTaskHandle(void)
{
    return (TaskHandle_t)otter_task_current();
}
