/* SPDX-License-Identifier: Apache-2.0 */
#include "device/system/device.h"
#include "esp_partition.h"
#include "nvs_flash.h"
#include "otter/otter_os.h"

static struct {
    otter_mutex_t mutex;
    bool started;
} nvs;

static const esp_partition_t *find_partition(void)
{
    return esp_partition_find_first(ESP_PARTITION_TYPE_DATA, ESP_PARTITION_SUBTYPE_DATA_NVS, NVS_DEFAULT_PART_NAME);
}

static bool set_started(bool started)
{
    otter_mutex_lock(&nvs.mutex);
    bool before = nvs.started;
    nvs.started = started;
    otter_mutex_unlock(&nvs.mutex);
    return before;
}

void nvs_reset(void)
{
    (void)set_started(false);
}

esp_err_t nvs_flash_init(void)
{
    const esp_partition_t *partition = find_partition();
    if (partition == NULL) {
        return ESP_ERR_NOT_FOUND;
    }
    if (partition->encrypted) {
        return ESP_ERR_NVS_WRONG_ENCRYPTION;
    }
    (void)set_started(true);
    return ESP_OK;
}

esp_err_t nvs_flash_deinit(void)
{
    return set_started(false) ? ESP_OK : ESP_ERR_NVS_NOT_INITIALIZED;
}

esp_err_t nvs_flash_erase(void)
{
    (void)set_started(false);
    const esp_partition_t *partition = find_partition();
    if (partition == NULL) {
        return ESP_ERR_NOT_FOUND;
    }
    return esp_partition_erase_range(partition, 0, partition->size);
}
