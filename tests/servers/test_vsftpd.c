/* SPDX-License-Identifier: Apache-2.0 */
/* Updates from vsftpd: FTP, FTPS implicit and explicit, REST after a cut; and what policy says to it. */
#include <signal.h>
#include <stdlib.h>

#include "tests/servers/device_update.h"
#include "tests/servers/vsftpd.h"
#include "tests/support/test.h"

#define LOG   "vsftpd.log"
#define CUT_B 20000 /* A server is cut after so many bytes. */

#define PLAIN ""
#define EXPLICIT                                                                                                       \
    "ssl_enable=YES\nallow_anon_ssl=YES\nforce_anon_logins_ssl=YES\nforce_anon_data_ssl=YES\n"                         \
    "rsa_cert_file=@HOME@/cert.pem\nrsa_private_key_file=@HOME@/key.pem\nssl_ciphers=HIGH\ndebug_ssl=YES\n"            \
    "require_ssl_reuse=YES\n"
#define IMPLICIT EXPLICIT "implicit_ssl=YES\n"
#define SLOW     "anon_max_rate=100000\nuse_sendfile=NO\ntrans_chunk_size=8192\n"

static void allow_unprotected(device_site_t *device)
{
    otter_config_t config = bench_config();
    config.allow_http = true;
    config.download.retries = 5;
    config.download.backoff_first_ms = 20;
    config.download.backoff_most_ms = 500;
    bench_configure(device->bench, &config);
}

static esp_err_t update_from(device_site_t *device, const char *scheme, const site_server_t *server)
{
    char url[128];
    esp_http_client_config_t client = device_client(device, device_url(scheme, server->port, url));
    return device_update(&client);
}

static void ftp_is_refused_by_policy(void **state)
{
    device_site_t *device = *state;
    site_server_t *server = vsftpd_start(&device->site, PLAIN);
    assert_int_not_equal(update_from(device, "ftp", server), ESP_OK);
    bench_assert_nothing_switched(device->bench);
    assert_int_equal(SITE_COUNT_LINES(&device->site, LOG, "FTP command", "USER"), 0);
}

static void ftp_updates_where_it_is_allowed(void **state)
{
    device_site_t *device = *state;
    allow_unprotected(device);
    assert_err(update_from(device, "ftp", vsftpd_start(&device->site, PLAIN)), ESP_OK);
    bench_assert_switched(device->bench);
    SITE_EXPECT_LINE(&device->site, LOG, "FTP command", "RETR fw.bin");
    SITE_EXPECT_LINE(&device->site, LOG, "OK DOWNLOAD", "/fw.bin");
}

static void parts_come_by_restart(void **state)
{
    device_site_t *device = *state;
    char url[128];
    site_server_t *server = vsftpd_start(&device->site, IMPLICIT);
    esp_http_client_config_t client = device_client(device, device_url("ftps", server->port, url));
    esp_https_ota_config_t config = {
        .http_config = &client, .partial_http_download = true, .max_http_request_size = 32768};
    assert_err(esp_https_ota(&config), ESP_OK);
    bench_assert_switched(device->bench);
    SITE_EXPECT_LINE(&device->site, LOG, "FTP command", "REST 32768");
    SITE_EXPECT_LINE(&device->site, LOG, "FTP command", "REST 65536");
    /* To stop in the middle, FTP only knows to hang up. */
    assert_in_range(SITE_COUNT_LINES(&device->site, LOG, "FTP command", "USER"), 1, 4);
}

static void implicit_ftps_updates(void **state)
{
    device_site_t *device = *state;
    assert_err(update_from(device, "ftps", vsftpd_start(&device->site, IMPLICIT)), ESP_OK);
    bench_assert_switched(device->bench);
    SITE_EXPECT_LINE(&device->site, LOG, "FTP command", "PROT P");
    SITE_EXPECT_LINE(&device->site, LOG, "FTP command", "RETR fw.bin");
    assert_int_equal(SITE_COUNT_LINES(&device->site, LOG, "FTP command", "AUTH"), 0);
}

static void explicit_ftps_updates(void **state)
{
    device_site_t *device = *state;
    assert_err(update_from(device, "ftpes", vsftpd_start(&device->site, EXPLICIT)), ESP_OK);
    bench_assert_switched(device->bench);
    SITE_EXPECT_LINE(&device->site, LOG, "FTP command", "AUTH TLS");
    SITE_EXPECT_LINE(&device->site, LOG, "FTP command", "PROT P");
    SITE_EXPECT_LINE(&device->site, LOG, "FTP command", "RETR fw.bin");
}

static void explicit_ftps_never_logs_in_without_tls(void **state)
{
    device_site_t *device = *state;
    site_server_t *server = vsftpd_start(&device->site, PLAIN);
    assert_err(update_from(device, "ftpes", server), ESP_ERR_HTTP_CONNECT);
    bench_assert_nothing_switched(device->bench);
    SITE_EXPECT_LINE(&device->site, LOG, "FTP command", "AUTH TLS");
    /* Trying again would change nothing. */
    assert_int_equal(SITE_COUNT_LINES(&device->site, LOG, "FTP command", "AUTH TLS"), 1);
    assert_int_equal(SITE_COUNT_LINES(&device->site, LOG, "FTP command", "USER"), 0);
}

static void assert_wrong_ca_is_refused(device_site_t *device, const char *scheme, const site_server_t *server)
{
    char url[128];
    certs_ca_t *other = certs_ca_new("Somebody else");
    esp_http_client_config_t client = device_client(device, device_url(scheme, server->port, url));
    client.cert_pem = certs_ca_pem(other);
    assert_err(device_update(&client), ESP_ERR_HTTP_CONNECT);
    bench_assert_nothing_switched(device->bench);
    SITE_EXPECT_LINE(&device->site, LOG, "SSL_accept failed", "unknown ca");
    assert_int_equal(SITE_COUNT_LINES(&device->site, LOG, "FTP command", "USER"), 0);
    certs_ca_free(other);
}

static void implicit_ftps_of_another_ca_is_refused(void **state)
{
    device_site_t *device = *state;
    assert_wrong_ca_is_refused(device, "ftps", vsftpd_start(&device->site, IMPLICIT));
}

static void explicit_ftps_of_another_ca_is_refused(void **state)
{
    device_site_t *device = *state;
    assert_wrong_ca_is_refused(device, "ftpes", vsftpd_start(&device->site, EXPLICIT));
}

/* ---- cuts ---- */

/* Ends all that serve; who listens goes on. */
static void kill_sessions(void *arg)
{
    site_kill_children(arg);
}

static void a_download_that_is_cut_goes_on_with_rest(void **state)
{
    device_site_t *device = *state;
    char url[128];
    allow_unprotected(device);
    site_server_t *server = vsftpd_start(&device->site, PLAIN SLOW);
    esp_http_client_config_t client = device_client(device, device_url("ftp", server->port, url));
    client.buffer_size = 4096;
    assert_err(device_update_cut(&client, CUT_B, kill_sessions, server), ESP_OK);
    bench_assert_switched(device->bench);
    assert_true(SITE_COUNT_LINES(&device->site, LOG, "FTP command", "RETR fw.bin") >= 2);
    char *log = site_read(&device->site, LOG);
    const char *rest = strstr(log, "\"REST ");
    while (rest != NULL && atoi(rest + 6) == 0) {
        rest = strstr(rest + 6, "\"REST ");
    }
    /* Curl asks with REST 0 whether the server knows it. */
    assert_non_null(rest);
    assert_in_range(atoi(rest + 6), 4096, device->bench->image_len - 1);
    free(log);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_servers(ftp_is_refused_by_policy),
    cmocka_unit_test_servers(ftp_updates_where_it_is_allowed),
    cmocka_unit_test_servers(implicit_ftps_updates),
    cmocka_unit_test_servers(parts_come_by_restart),
    cmocka_unit_test_servers(explicit_ftps_updates),
    cmocka_unit_test_servers(explicit_ftps_never_logs_in_without_tls),
    cmocka_unit_test_servers(implicit_ftps_of_another_ca_is_refused),
    cmocka_unit_test_servers(explicit_ftps_of_another_ca_is_refused),
    cmocka_unit_test_servers(a_download_that_is_cut_goes_on_with_rest),
};

TEST_MAIN(tests)
