/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file esp_system.h
 * @brief Restart, and why the device started.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "esp_err.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Why the device started. */
typedef enum {
    ESP_RST_UNKNOWN,    /**< Not known. */
    ESP_RST_POWERON,    /**< Power was applied. */
    ESP_RST_EXT,        /**< Reset pin. */
    ESP_RST_SW,         /**< esp_restart(). */
    ESP_RST_PANIC,      /**< Crash or abort. */
    ESP_RST_INT_WDT,    /**< Interrupt watchdog. */
    ESP_RST_TASK_WDT,   /**< Task watchdog. */
    ESP_RST_WDT,        /**< Another watchdog. */
    ESP_RST_DEEPSLEEP,  /**< Woke from deep sleep. */
    ESP_RST_BROWNOUT,   /**< The supply voltage dropped. */
    ESP_RST_SDIO,       /**< SDIO. */
    ESP_RST_USB,        /**< USB peripheral. */
    ESP_RST_JTAG,       /**< JTAG. */
    ESP_RST_EFUSE,      /**< eFuse error. */
    ESP_RST_PWR_GLITCH, /**< Power glitch. */
    ESP_RST_CPU_LOCKUP, /**< Double exception. */
} esp_reset_reason_t;

/** Called before a restart. */
typedef void (*shutdown_handler_t)(void);

/**
 * Registers a function that esp_restart() calls. There is room for 5; they run in the reverse order of registration.
 *
 * @return ESP_OK; ESP_ERR_INVALID_ARG for NULL; ESP_ERR_INVALID_STATE if it is registered already; ESP_ERR_NO_MEM if
 *         there is no room
 */
esp_err_t esp_register_shutdown_handler(shutdown_handler_t handler);

/** Takes a handler back. ESP_OK; ESP_ERR_INVALID_STATE if it is not registered. */
esp_err_t esp_unregister_shutdown_handler(shutdown_handler_t handler);

/**
 * Restarts the device; does not return. May be called from any task: the first caller runs the shutdown handlers, makes
 * flash durable, flushes standard output and resets; later ones wait for that. A shutdown handler that calls it resets at once.
 */
void esp_restart(void) __attribute__((noreturn));

/** Why the device started. */
esp_reset_reason_t esp_reset_reason(void);

/** Reports on the log and aborts; the next start's reason is ESP_RST_PANIC. */
void esp_system_abort(const char *details) __attribute__((noreturn));

#ifdef __cplusplus
}
#endif
