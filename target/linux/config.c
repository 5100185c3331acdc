/* SPDX-License-Identifier: Apache-2.0 */
#include "esp_app_format.h"
#include "esp_flash_partitions.h"
#include "otter/otter_config.h"

#if defined(__x86_64__)
#define PLATFORM_CHIP_ID OTTER_CHIP_ID_LINUX_X86_64
#elif defined(__aarch64__)
#define PLATFORM_CHIP_ID OTTER_CHIP_ID_LINUX_ARM64
#elif defined(__riscv) && __riscv_xlen == 64
#define PLATFORM_CHIP_ID OTTER_CHIP_ID_LINUX_RISCV64
#elif defined(__arm__)
#define PLATFORM_CHIP_ID OTTER_CHIP_ID_LINUX_ARM
#else
#error "no chip id for this architecture: add one to esp_app_format.h"
#endif

void otter_config_default(otter_config_t *config)
{
    *config = (otter_config_t){
        .partition_table_offset = CONFIG_PARTITION_TABLE_OFFSET,
        .chip_id = PLATFORM_CHIP_ID,
        .rollback = true,
        .watchdog_ms = 30000,
        .event_post_timeout_ms = 2000,
        .download =
            {
                .idle_ms = 20000,
                .stall_ms = 120000,
                .min_speed_ms = 30000,
                .retries = 10,
                .backoff_first_ms = 500,
                .backoff_most_ms = 30000,
                .resume = true,
            },
        .ota_max_redirects = 10,
        .log_level = 3,
    };
}
