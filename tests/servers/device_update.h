/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file device_update.h
 * @brief Whole updates of a device (tests/device/https_ota_bench.h) from a site's servers.
 */
#pragma once

#include "tests/device/https_ota_bench.h"
#include "tests/servers/site.h"

/** A site and a device; the site's www/fw.bin is the bench's image, about 100 kB. */
typedef struct device_site {
    site_t site;
    bench_t *bench;
} device_site_t;

int device_site_setup(void **state);    /**< cmocka setup: *state is a device_site_t. */
int device_site_teardown(void **state); /**< cmocka teardown. */

/** A test with a device and a site. */
#define cmocka_unit_test_servers(name) cmocka_unit_test_setup_teardown(name, device_site_setup, device_site_teardown)

/** The client's configuration for a URL: the site's CA is trusted. @p url outlives it. */
esp_http_client_config_t device_client(const device_site_t *device, const char *url);

/** Writes "scheme://localhost:port/fw.bin". @return @p url */
char *device_url(const char *scheme, uint16_t port, char url[static 128]);

/** One call of esp_https_ota(). */
esp_err_t device_update(const esp_http_client_config_t *client);

/** Called once in an update. */
typedef void (*device_cut_t)(void *arg);

/**
 * An update that something happens to: @p cut is called when @p after_bytes of the image have been read.
 *
 * @return what perform, else finish, said; begin must succeed, and the cut must happen
 */
esp_err_t device_update_cut(const esp_http_client_config_t *client, int after_bytes, device_cut_t cut, void *arg);
