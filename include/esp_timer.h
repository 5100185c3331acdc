/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file esp_timer.h
 * @brief The device's clock. Timers are not there yet.
 */
#pragma once

#include <stdint.h>

#include "esp_err.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Microseconds since the device started; never goes back. */
int64_t esp_timer_get_time(void);

#ifdef __cplusplus
}
#endif
