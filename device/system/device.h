/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file device.h
 * @brief What the modules of device/ share: the device's clock, and how each forgets an earlier device.
 */
#pragma once

#include <stdint.h>

#include "freertos/event_groups.h"
#include "otter/otter_download.h"

/** Microseconds since otter_device_init(); since an arbitrary start before it. */
int64_t device_uptime_us(void);

/** The device's limits of downloads, which the application may change; its caller locks. Those of otter_config_t at first. */
otter_download_limits_t *device_download_limits(void);

/** Deadline, on the clock of otter_now_us(), of a wait that begins now; OTTER_FOREVER for portMAX_DELAY. */
int64_t task_deadline_us(TickType_t ticks);

/** Deletes the default event loop if there is one. Waits for a handler that is running. */
void event_reset(void);

/** Forgets the levels of single tags. @p level is the new one of all others, an esp_log_level_t. */
void log_reset(uint32_t level);

/** Forgets that NVS was started. */
void nvs_reset(void);

/** Forgets which firmware the application wants. */
void policy_reset(void);

/** Forgets all shutdown handlers. */
void restart_reset(void);

/** How many tasks wait for bits of a group. */
uint32_t event_group_count_waiters(EventGroupHandle_t group);
