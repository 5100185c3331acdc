/* SPDX-License-Identifier: Apache-2.0 */
/* Firmware of somebody else's: it knows Otter only as installed. */
#include <stdio.h>

#include "esp_app_desc.h"
#include "esp_log.h"
#include "esp_ota_ops.h"
#include "esp_system.h"

void app_main(void)
{
    const esp_app_desc_t *app = esp_app_get_description();
    ESP_LOGI("third_party", "%s %s says hello from %s", app->project_name, app->version,
             esp_ota_get_running_partition()->label);
    esp_restart();
}
