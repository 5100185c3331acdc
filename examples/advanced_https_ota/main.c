/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Advanced HTTPS OTA: a device that looks for new firmware by itself, takes what it wants, proves itself after
 * an update, and is rolled back when it cannot.
 *
 * Only ESP-IDF's API is used: the same file is firmware for Linux, for a RISC-V board and for an ESP32.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

#define BAR_WIDTH 32

static const char *TAG = "example";

/* The CA that signed the server's certificate, embedded by the build. */
extern const char server_cert_pem_start[] asm("_binary_ca_cert_pem_start");

/* True if the image in this slot is the offered version. */
static bool holds_version(const esp_partition_t *slot, const esp_app_desc_t *offered)
{
    esp_app_desc_t desc;
    return slot != NULL && esp_ota_get_partition_description(slot, &desc) == ESP_OK &&
           memcmp(desc.version, offered->version, sizeof(desc.version)) == 0;
}

/* Not the version that runs, and not the one that was rolled back: it would only fail again. */
static esp_err_t check_offer(const esp_app_desc_t *offered)
{
    ESP_LOGI(TAG, "the server offers %.32s %.32s", offered->project_name, offered->version);
    if (holds_version(esp_ota_get_running_partition(), offered)) {
        ESP_LOGI(TAG, "this version runs already: nothing to do");
        return ESP_ERR_NOT_FOUND;
    }
    if (holds_version(esp_ota_get_last_invalid_partition(), offered)) {
        ESP_LOGW(TAG, "version %.32s was rolled back: not fetched again", offered->version);
        return ESP_ERR_NOT_FOUND;
    }
    return ESP_OK;
}

static void show_progress(esp_https_ota_handle_t ota)
{
    int size = esp_https_ota_get_image_size(ota);
    int done = esp_https_ota_get_image_len_read(ota);
    if (size <= 0 || done < 0) {
        return;
    }
    static int shown;
    int filled = (int)((int64_t)done * BAR_WIDTH / size);
    if (filled != shown) {
        shown = filled;
        char bar[BAR_WIDTH + 1];
        memset(bar, '.', BAR_WIDTH);
        memset(bar, '#', (size_t)filled);
        bar[BAR_WIDTH] = '\0';
        printf("\r  [%s] %3d %%%s", bar, (int)((int64_t)done * 100 / size), filled == BAR_WIDTH ? "\n" : "");
        fflush(stdout);
    }
}

static esp_err_t receive(esp_https_ota_handle_t ota)
{
    esp_app_desc_t offered;
    esp_err_t err = esp_https_ota_get_img_desc(ota, &offered);
    if (err != ESP_OK) {
        ESP_LOGE(TAG, "the server's answer is no firmware: %s", esp_err_to_name(err));
        return err;
    }
    err = check_offer(&offered);
    if (err != ESP_OK) {
        return err;
    }
    do {
        err = esp_https_ota_perform(ota);
        show_progress(ota);
    } while (err == ESP_ERR_HTTPS_OTA_IN_PROGRESS);
    if (err == ESP_OK && !esp_https_ota_is_complete_data_received(ota)) {
        ESP_LOGE(TAG, "the image is incomplete");
        return ESP_FAIL;
    }
    return err;
}

/* One look at the server. ESP_OK: new firmware is in place and boots next. ESP_ERR_NOT_FOUND: there is nothing new. */
static esp_err_t update(void)
{
    esp_http_client_config_t http = {
        .url = CONFIG_EXAMPLE_FIRMWARE_UPGRADE_URL,
        .cert_pem = server_cert_pem_start,
        .timeout_ms = CONFIG_EXAMPLE_OTA_RECV_TIMEOUT,
        .keep_alive_enable = true,
    };
    esp_https_ota_config_t config = {.http_config = &http};
    esp_https_ota_handle_t ota = NULL;

    esp_err_t err = esp_https_ota_begin(&config, &ota);
    if (err != ESP_OK) {
        ESP_LOGE(TAG, "cannot begin the update: %s", esp_err_to_name(err));
        return err;
    }
    err = receive(ota);
    if (err != ESP_OK) {
        esp_https_ota_abort(ota);
        return err;
    }
    err = esp_https_ota_finish(ota);
    if (err != ESP_OK) {
        ESP_LOGE(TAG, "the new firmware was refused: %s", esp_err_to_name(err));
    }
    return err;
}

/* An update that fails costs a download and an erase: the more often, the longer until the next try. */
static uint32_t next_delay_ms(esp_err_t err, uint32_t delay_ms)
{
    const uint32_t least_ms = CONFIG_EXAMPLE_POLL_INTERVAL_MS;
    const uint32_t most_ms = least_ms * 64;
    if (err == ESP_ERR_NOT_FOUND) {
        return least_ms;
    }
    return delay_ms < most_ms ? delay_ms * 2 : most_ms;
}

static void update_task(void *arg)
{
    (void)arg;
    uint32_t delay_ms = CONFIG_EXAMPLE_POLL_INTERVAL_MS;
    for (;;) {
        esp_err_t err = update();
        if (err == ESP_OK) {
            ESP_LOGI(TAG, "update in place, restarting");
            vTaskDelay(pdMS_TO_TICKS(100));
            esp_restart();
        }
        delay_ms = next_delay_ms(err, delay_ms);
        vTaskDelay(pdMS_TO_TICKS(delay_ms));
    }
}

/* Whatever the product cannot do without. Here: the log works, and nothing asks for a crash. */
static bool self_test(void)
{
#ifdef CONFIG_EXAMPLE_SELF_TEST_CRASHES
    ESP_LOGE(TAG, "self-test: this version is broken and crashes now");
    abort();
#endif
    return true;
}

static void prove_or_roll_back(void)
{
    esp_ota_img_states_t state;
    const esp_partition_t *running = esp_ota_get_running_partition();
    if (esp_ota_get_state_partition(running, &state) != ESP_OK || state != ESP_OTA_IMG_PENDING_VERIFY) {
        return;
    }
    if (!self_test()) {
        ESP_LOGE(TAG, "self-test failed: back to the version before");
        esp_ota_mark_app_invalid_rollback_and_reboot();
        return;
    }
    ESP_ERROR_CHECK(esp_ota_mark_app_valid_cancel_rollback());
    ESP_LOGI(TAG, "self-test passed: version confirmed");
}

static void on_event(void *arg, esp_event_base_t base, int32_t id, void *data)
{
    (void)arg;
    (void)base;
    (void)data;
    if (id == ESP_HTTPS_OTA_UPDATE_BOOT_PARTITION) {
        ESP_LOGI(TAG, "boot partition switched");
    }
}

void app_main(void)
{
    const esp_app_desc_t *app = esp_app_get_description();
    ESP_LOGI(TAG, "%.32s %.32s runs from %s", app->project_name, app->version, esp_ota_get_running_partition()->label);

    ESP_ERROR_CHECK(nvs_flash_init());
    ESP_ERROR_CHECK(esp_event_loop_create_default());
    ESP_ERROR_CHECK(esp_event_handler_register(ESP_HTTPS_OTA_EVENT, ESP_EVENT_ANY_ID, on_event, NULL));
    prove_or_roll_back();
    if (xTaskCreate(update_task, "update", 8192, NULL, 5, NULL) != pdPASS) {
        ESP_LOGE(TAG, "no memory for the update task");
    }
}
