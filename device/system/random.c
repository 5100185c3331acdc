/* SPDX-License-Identifier: Apache-2.0 */
#include "esp_random.h"

#include "esp_system.h"
#include "otter/otter_os.h"

void esp_fill_random(void *buf, size_t len)
{
    if (otter_entropy(buf, len) != ESP_OK) {
        esp_system_abort("no random numbers");
    }
}

uint32_t esp_random(void)
{
    uint32_t value;
    esp_fill_random(&value, sizeof value);
    return value;
}
