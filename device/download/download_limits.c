/* SPDX-License-Identifier: Apache-2.0 */
#include "device/system/device.h"
#include "otter/otter_download.h"
#include "otter/otter_os.h"

static otter_mutex_t lock;

static bool are_usable(const otter_download_limits_t *limits)
{
    return limits->backoff_first_ms <= limits->backoff_most_ms &&
           (limits->min_bytes_per_s == 0 || limits->min_speed_ms != 0);
}

esp_err_t otter_download_set_limits(const otter_download_limits_t *limits)
{
    if (limits == NULL || !are_usable(limits)) {
        return ESP_ERR_INVALID_ARG;
    }
    otter_mutex_lock(&lock);
    *device_download_limits() = *limits;
    otter_mutex_unlock(&lock);
    return ESP_OK;
}

void otter_download_get_limits(otter_download_limits_t *limits)
{
    otter_mutex_lock(&lock);
    *limits = *device_download_limits();
    otter_mutex_unlock(&lock);
}
