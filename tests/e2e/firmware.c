/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Firmware for the end-to-end tests: says how it was started, proves itself or not as its build tells it, updates
 * once if OTTER_TEST_URL names something. What it says, the tests wait for.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "esp_event.h"
#include "esp_https_ota.h"
#include "esp_log.h"
#include "esp_ota_ops.h"
#include "esp_system.h"
#include "freertos/FreeRTOS.h"
#include "freertos/task.h"
#include "nvs_flash.h"
#include "sdkconfig.h"

static const char *TAG = "test";

static char ca_pem[4096];

static const char *read_ca(void)
{
    FILE *file = fopen(getenv("OTTER_TEST_CA"), "r");
    if (file == NULL) {
        return NULL;
    }
    size_t len = fread(ca_pem, 1, sizeof(ca_pem) - 1, file);
    ca_pem[len] = '\0';
    fclose(file);
    return ca_pem;
}

static void update_task(void *arg)
{
    (void)arg;
    esp_http_client_config_t http = {.url = getenv("OTTER_TEST_URL"), .cert_pem = read_ca(), .timeout_ms = 5000};
    esp_https_ota_config_t config = {.http_config = &http};
    esp_err_t err = esp_https_ota(&config);
    if (err == ESP_OK) {
        ESP_LOGI(TAG, "updated");
        esp_restart();
    }
    ESP_LOGI(TAG, "no update: %s", esp_err_to_name(err));
    vTaskDelete(NULL);
}

static void show_start(void)
{
    const esp_app_desc_t *app = esp_app_get_description();
    const char *secret = getenv("HOST_SECRET");
    ESP_LOGI(TAG, "version %.32s in %s, reset reason %d, secret %s, pid %ld", app->version,
             esp_ota_get_running_partition()->label, (int)esp_reset_reason(), secret != NULL ? secret : "hidden",
             (long)getpid());
}

/* How a build of this firmware comes to grief before it has confirmed itself. */
static void misbehave(void)
{
#if defined(CONFIG_TEST_CRASHES)
    abort();
#elif defined(CONFIG_TEST_EXITS)
    exit(7);
#elif defined(CONFIG_TEST_RESTARTS)
    esp_restart();
#elif defined(CONFIG_TEST_HANGS)
    ESP_LOGI(TAG, "hanging");
    for (;;) {
        vTaskDelay(1000);
    }
#elif defined(CONFIG_TEST_REFUSES)
    esp_ota_mark_app_invalid_rollback_and_reboot();
#endif
}

void app_main(void)
{
    show_start();
    ESP_ERROR_CHECK(nvs_flash_init());
    ESP_ERROR_CHECK(esp_event_loop_create_default());
    misbehave();
    esp_err_t err = esp_ota_mark_app_valid_cancel_rollback();
    ESP_LOGI(TAG, "confirmed: %s", esp_err_to_name(err));
#if defined(CONFIG_TEST_REVOKES)
    err = esp_ota_revoke_secure_boot_public_key(SECURE_BOOT_PUBLIC_KEY_INDEX_0);
    ESP_LOGI(TAG, "revoked: %s", esp_err_to_name(err));
#endif
    if (getenv("OTTER_TEST_URL") != NULL && CONFIG_TEST_UPDATES) {
        xTaskCreate(update_task, "update", 8192, NULL, 5, NULL);
    }
}
