/* SPDX-License-Identifier: Apache-2.0 */
/* Updates from vsftpd: FTP, FTPS implicit and explicit, REST after a cut; and what policy says to it. */
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/servers/device_update.h"
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

/* Whom anonymous users are: somebody with a home. */
static const char *const *frame_for(bool is_root)
{
    static const char *const frames[] = {"run_as_launching_user=YES\nftp_username=@USER@\n", "ftp_username=daemon\n"};
    return &frames[is_root];
}

static site_server_t *start_vsftpd(site_t *site, const char *lines)
{
    static const char frame[] =
        "listen=YES\nlisten_address=127.0.0.1\nlisten_port=@PORT@\nbackground=NO\nanonymous_enable=YES\n"
        "anon_root=@HOME@/www\nno_anon_password=YES\nlocal_enable=NO\nwrite_enable=NO\n"
        "secure_chroot_dir=@HOME@/tmp\nseccomp_sandbox=NO\nisolate=NO\nisolate_network=NO\nconnect_from_port_20=NO\n"
        "xferlog_enable=YES\nxferlog_std_format=NO\nlog_ftp_protocol=YES\nvsftpd_log_file=@HOME@/vsftpd.log\n%s%s";
    const char *program = site_need("vsftpd");
    char text[2048];
    char conf[SITE_PATH_BYTES];
    uint16_t port = site_free_port();
    snprintf(text, sizeof(text), frame, *frame_for(geteuid() == 0), lines);
    site_configure(site, "vsftpd.conf", text, port);
    const char *const argv[] = {program, site_path(site, "vsftpd.conf", conf), NULL};
    site_server_t *server = site_start(site, "", argv, "vsftpd", port);
    if (server == NULL) {
        site_skip("vsftpd does not run here");
    }
    return server;
}

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
    site_server_t *server = start_vsftpd(&device->site, PLAIN);
    assert_int_not_equal(update_from(device, "ftp", server), ESP_OK);
    bench_assert_nothing_switched(device->bench);
    assert_int_equal(SITE_COUNT_LINES(&device->site, LOG, "FTP command", "USER"), 0);
}

static void ftp_updates_where_it_is_allowed(void **state)
{
    device_site_t *device = *state;
    allow_unprotected(device);
    assert_err(update_from(device, "ftp", start_vsftpd(&device->site, PLAIN)), ESP_OK);
    bench_assert_switched(device->bench);
    SITE_EXPECT_LINE(&device->site, LOG, "FTP command", "RETR fw.bin");
    SITE_EXPECT_LINE(&device->site, LOG, "OK DOWNLOAD", "/fw.bin");
}

static void implicit_ftps_updates(void **state)
{
    device_site_t *device = *state;
    assert_err(update_from(device, "ftps", start_vsftpd(&device->site, IMPLICIT)), ESP_OK);
    bench_assert_switched(device->bench);
    SITE_EXPECT_LINE(&device->site, LOG, "FTP command", "PROT P");
    SITE_EXPECT_LINE(&device->site, LOG, "FTP command", "RETR fw.bin");
    assert_int_equal(SITE_COUNT_LINES(&device->site, LOG, "FTP command", "AUTH"), 0);
}

static void explicit_ftps_updates(void **state)
{
    device_site_t *device = *state;
    assert_err(update_from(device, "ftpes", start_vsftpd(&device->site, EXPLICIT)), ESP_OK);
    bench_assert_switched(device->bench);
    SITE_EXPECT_LINE(&device->site, LOG, "FTP command", "AUTH TLS");
    SITE_EXPECT_LINE(&device->site, LOG, "FTP command", "PROT P");
    SITE_EXPECT_LINE(&device->site, LOG, "FTP command", "RETR fw.bin");
}

static void explicit_ftps_never_logs_in_without_tls(void **state)
{
    device_site_t *device = *state;
    site_server_t *server = start_vsftpd(&device->site, PLAIN);
    assert_err(update_from(device, "ftpes", server), ESP_ERR_HTTP_CONNECT);
    bench_assert_nothing_switched(device->bench);
    SITE_EXPECT_LINE(&device->site, LOG, "FTP command", "AUTH TLS");
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
    assert_wrong_ca_is_refused(device, "ftps", start_vsftpd(&device->site, IMPLICIT));
}

static void explicit_ftps_of_another_ca_is_refused(void **state)
{
    device_site_t *device = *state;
    assert_wrong_ca_is_refused(device, "ftpes", start_vsftpd(&device->site, EXPLICIT));
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
    site_server_t *server = start_vsftpd(&device->site, PLAIN SLOW);
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
    cmocka_unit_test_servers(explicit_ftps_updates),
    cmocka_unit_test_servers(explicit_ftps_never_logs_in_without_tls),
    cmocka_unit_test_servers(implicit_ftps_of_another_ca_is_refused),
    cmocka_unit_test_servers(explicit_ftps_of_another_ca_is_refused),
    cmocka_unit_test_servers(a_download_that_is_cut_goes_on_with_rest),
};

TEST_MAIN(tests)
