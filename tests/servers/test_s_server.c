/* SPDX-License-Identifier: Apache-2.0 */
/* Updates from "openssl s_server -WWW": HTTP/1.0, no length, the end is where the connection ends. */
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/servers/device_update.h"
#include "tests/support/test.h"

static site_server_t *start_s_server(site_t *site, const char *const *more)
{
    char address[32];
    uint16_t port = site_free_port();
    const char *argv[16] = {site_need("openssl"), "s_server", "-WWW",      "-accept", address, "-cert",
                            "../cert.pem",        "-key",     "../key.pem"};
    size_t count = 9;
    snprintf(address, sizeof(address), "127.0.0.1:%u", port);
    for (; more != NULL && *more != NULL; more++) {
        argv[count++] = *more;
    }
    /* It serves the folder that it is started in. */
    site_server_t *server = site_start(site, "www", argv, "s_server", port);
    if (server == NULL) {
        site_skip("openssl s_server does not run here");
    }
    return server;
}

static esp_err_t update_from(device_site_t *device, const site_server_t *server)
{
    char url[128];
    esp_http_client_config_t client = device_client(device, device_url("https", server->port, url));
    return device_update(&client);
}

static void an_old_style_server_updates_the_device(void **state)
{
    device_site_t *device = *state;
    assert_err(update_from(device, start_s_server(&device->site, NULL)), ESP_OK);
    bench_assert_switched(device->bench);
    SITE_EXPECT_LINE(&device->site, "s_server.out", "FILE:fw.bin");
}

static void an_old_style_server_of_tls_1_2_updates_the_device(void **state)
{
    static const char *const more[] = {"-tls1_2", NULL};
    device_site_t *device = *state;
    assert_err(update_from(device, start_s_server(&device->site, more)), ESP_OK);
    bench_assert_switched(device->bench);
}

/* ---- files that end too early ---- */

/* Replaces the file by a FIFO into which a process writes half the image, and then does @p then to the server. */
static pid_t feed_half(const device_site_t *device, const site_server_t *server, int then)
{
    char path[SITE_PATH_BYTES];
    site_path(&device->site, "www/fw.bin", path);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkfifo(path, 0644), 0);
    pid_t feeder = fork();
    assert_true(feeder >= 0);
    if (feeder == 0) {
        FILE *file = fopen(path, "w");
        bool fed = file != NULL && fwrite(device->bench->image, 1, device->bench->image_len / 2, file) > 0 &&
                   fflush(file) == 0;
        /* The server has it in memory or in the pipe: what is lost of it now does not matter. */
        if (fed && then != 0) {
            kill(server->pid, then);
        }
        _exit(fed ? 0 : 1);
    }
    return feeder;
}

static void assert_fed(pid_t feeder)
{
    int status = 0;
    assert_int_equal(waitpid(feeder, &status, 0), feeder);
    assert_int_equal(status, 0);
}

static void do_not_try_again(device_site_t *device)
{
    otter_config_t config = bench_config();
    config.download.retries = 0;
    bench_configure(device->bench, &config);
}

static void a_server_that_dies_before_the_end_switches_nothing(void **state)
{
    device_site_t *device = *state;
    site_server_t *server = start_s_server(&device->site, NULL);
    do_not_try_again(device);
    pid_t feeder = feed_half(device, server, SIGKILL);
    assert_int_not_equal(update_from(device, server), ESP_OK);
    assert_fed(feeder);
    bench_assert_nothing_switched(device->bench);
    SITE_EXPECT_LINE(&device->site, "s_server.out", "FILE:fw.bin");
}

static void a_file_that_ends_in_the_middle_switches_nothing(void **state)
{
    device_site_t *device = *state;
    site_server_t *server = start_s_server(&device->site, NULL);
    do_not_try_again(device);
    pid_t feeder = feed_half(device, server, 0);
    assert_int_not_equal(update_from(device, server), ESP_OK);
    assert_fed(feeder);
    bench_assert_nothing_switched(device->bench);
    SITE_EXPECT_LINE(&device->site, "s_server.out", "FILE:fw.bin");
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_servers(an_old_style_server_updates_the_device),
    cmocka_unit_test_servers(an_old_style_server_of_tls_1_2_updates_the_device),
    cmocka_unit_test_servers(a_server_that_dies_before_the_end_switches_nothing),
    cmocka_unit_test_servers(a_file_that_ends_in_the_middle_switches_nothing),
};

TEST_MAIN(tests)
