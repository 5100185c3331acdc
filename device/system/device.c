/* SPDX-License-Identifier: Apache-2.0 */
#include "device/system/device.h"

#include "device/ota/ota_internal.h"
#include "device/partition/partition_internal.h"
#include "esp_timer.h"
#include "otter/otter_device.h"
#include "otter/otter_os.h"

static struct {
    otter_device_t device;
    int64_t start_us;
} this_device;

/* Handlers go first: they may use what comes after. */
static void forget_earlier_device(void)
{
    event_reset();
    restart_reset();
    nvs_reset();
    policy_reset();
    ota_reset();
    partition_reset();
}

esp_err_t otter_device_init(const otter_device_t *device)
{
    if (device == NULL || device->flash == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    forget_earlier_device();
    this_device.device = *device;
    this_device.start_us = otter_now_us();
    log_reset(device->config.log_level);
    return ESP_OK;
}

const otter_device_t *otter_device_get(void)
{
    return &this_device.device;
}

otter_download_limits_t *device_download_limits(void)
{
    return &this_device.device.config.download;
}

int64_t device_uptime_us(void)
{
    return otter_now_us() - this_device.start_us;
}

int64_t esp_timer_get_time(void)
{
    return device_uptime_us();
}
