/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Simple OTA: the one-shot call. The device takes whatever the server offers, once, and restarts into it.
 */
#include <stdlib.h>

#include "esp_event.h"
#include "esp_http_client.h"
#include "esp_https_ota.h"
#include "esp_log.h"
#include "esp_ota_ops.h"
#include "esp_system.h"
#include "freertos/FreeRTOS.h"
#include "freertos/task.h"
#include "nvs_flash.h"
#include "sdkconfig.h"

static const char *TAG = "simple_ota";

/* The CA that signed the server's certificate, embedded by the build. */
extern const char server_cert_pem_start[] asm("_binary_ca_cert_pem_start");

static void update_task(void *arg)
{
    (void)arg;
    esp_http_client_config_t http = {
        .url = CONFIG_EXAMPLE_FIRMWARE_UPGRADE_URL,
        .cert_pem = server_cert_pem_start,
        .timeout_ms = CONFIG_EXAMPLE_OTA_RECV_TIMEOUT,
        .keep_alive_enable = true,
    };
    esp_https_ota_config_t config = {.http_config = &http};
    ESP_LOGI(TAG, "updating from %s", http.url);
    esp_err_t err = esp_https_ota(&config);
    if (err == ESP_OK) {
        ESP_LOGI(TAG, "update in place, restarting");
        esp_restart();
    }
    ESP_LOGE(TAG, "no update: %s", esp_err_to_name(err));
    vTaskDelete(NULL);
}

static void confirm(void)
{
#ifdef CONFIG_EXAMPLE_SELF_TEST_CRASHES
    ESP_LOGE(TAG, "self-test: this version is broken and crashes now");
    abort();
#endif
    /* The factory app has no record to confirm: that is no fault. */
    if (esp_ota_mark_app_valid_cancel_rollback() == ESP_OK) {
        ESP_LOGI(TAG, "version confirmed");
    }
}

void app_main(void)
{
    const esp_app_desc_t *app = esp_app_get_description();
    ESP_LOGI(TAG, "%.32s %.32s runs from %s", app->project_name, app->version, esp_ota_get_running_partition()->label);

    ESP_ERROR_CHECK(nvs_flash_init());
    ESP_ERROR_CHECK(esp_event_loop_create_default());
    confirm();
#ifdef CONFIG_EXAMPLE_UPDATE_ONCE
    if (xTaskCreate(update_task, "update", 8192, NULL, 5, NULL) != pdPASS) {
        ESP_LOGE(TAG, "no memory for the update task");
    }
#else
    (void)update_task;
    ESP_LOGI(TAG, "up to date");
#endif
}
