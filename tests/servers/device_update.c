/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/servers/device_update.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

#include "tests/support/test.h"

/* Larger than what lies in the buffers between server and client, so that a cut server leaves something to fetch. */
static void enlarge_image(bench_t *bench)
{
    fixture_image_t spec = FIXTURE_IMAGE("bench", "2.0.0");
    spec.segment_bytes[0] = 60000;
    spec.segment_bytes[1] = 40000;
    spec.seed = 2;
    free(bench->image);
    bench->image = fixture_image(&spec, &bench->image_len);
    assert_true(bench->image_len < BENCH_SLOT_BYTES);
}

/* What the machine that runs the tests is set to must not matter. */
static void clean_environment(void)
{
    static const char *const names[] = {"http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY",
                                        "ftp_proxy",  "FTP_PROXY",   "no_proxy",    "NO_PROXY"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        unsetenv(names[i]);
    }
}

/* Impatient, so that tests are quick; patient with machines that are slow. */
static void configure(bench_t *bench)
{
    otter_config_t config = bench_config();
    config.download.retries = 5;
    config.download.backoff_first_ms = 20;
    config.download.backoff_most_ms = 500;
    bench_configure(bench, &config);
}

/* An hour ago: what was changed this second may change again without a trace. */
static void publish(device_site_t *device)
{
    char path[SITE_PATH_BYTES];
    const time_t then_s = time(NULL) - 3600;
    const struct timespec times[2] = {{.tv_sec = then_s}, {.tv_sec = then_s}};
    site_put(&device->site, "www/fw.bin", device->bench->image, device->bench->image_len);
    assert_int_equal(utimensat(AT_FDCWD, site_path(&device->site, "www/fw.bin", path), times, 0), 0);
}

int device_site_setup(void **state)
{
    device_site_t *device = calloc(1, sizeof(*device));
    assert_non_null(device);
    clean_environment();
    site_begin(&device->site);
    void *bench = NULL;
    bench_setup(&bench);
    device->bench = bench;
    enlarge_image(device->bench);
    configure(device->bench);
    publish(device);
    *state = device;
    return 0;
}

int device_site_teardown(void **state)
{
    device_site_t *device = *state;
    void *bench = device->bench;
    site_end(&device->site);
    bench_teardown(&bench);
    free(device);
    return 0;
}

char *device_url(const char *scheme, uint16_t port, char url[static 128])
{
    snprintf(url, 128, "%s://localhost:%u/fw.bin", scheme, port);
    return url;
}

esp_http_client_config_t device_client(const device_site_t *device, const char *url)
{
    return (esp_http_client_config_t){
        .url = url, .cert_pem = device->site.ca_pem, .timeout_ms = 10000, .keep_alive_enable = true};
}

esp_err_t device_update(const esp_http_client_config_t *client)
{
    esp_https_ota_config_t config = {.http_config = client};
    return esp_https_ota(&config);
}

esp_err_t device_update_cut(const esp_http_client_config_t *client, int after_bytes, device_cut_t cut, void *arg)
{
    esp_https_ota_config_t config = {.http_config = client};
    esp_https_ota_handle_t ota = NULL;
    esp_err_t err = ESP_ERR_HTTPS_OTA_IN_PROGRESS;
    bool happened = false;
    assert_err(esp_https_ota_begin(&config, &ota), ESP_OK);
    while (err == ESP_ERR_HTTPS_OTA_IN_PROGRESS) {
        err = esp_https_ota_perform(ota);
        if (!happened && esp_https_ota_get_image_len_read(ota) >= after_bytes) {
            happened = true;
            cut(arg);
        }
    }
    assert_true(happened);
    if (err != ESP_OK) {
        (void)esp_https_ota_abort(ota);
        return err;
    }
    return esp_https_ota_finish(ota);
}
