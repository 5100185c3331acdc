/* SPDX-License-Identifier: Apache-2.0 */
/* Updates from nginx: HTTP/2, TLS versions, ranges after a cut, client certificates, IPv6. */
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "otter/otter_http.h"
#include "otter/otter_os.h"
#include "tests/servers/device_update.h"
#include "tests/servers/nginx.h"
#include "tests/support/test.h"

#define LOG        "access.log"
#define PATIENT_US 10000000
#define CUT_B      20000 /* A server is cut after so many bytes. */

/* Slow until the cut, so that there is something to cut, and quick after it. */
#define SLOW_START "map $http_range $rate { default 0; '' 40k; }\n"
#define SLOW       "limit_rate $rate;\n"

static site_server_t *start_usual(site_t *site, const char *server_lines)
{
    return nginx_start(site, "127.0.0.1:@PORT@ ssl http2", SLOW_START, server_lines);
}

static esp_err_t update_from(device_site_t *device, const site_server_t *server)
{
    char url[128];
    esp_http_client_config_t client = device_client(device, device_url("https", server->port, url));
    return device_update(&client);
}

/* ---- whole updates ---- */

static void an_update_over_http2_boots(void **state)
{
    device_site_t *device = *state;
    assert_err(update_from(device, start_usual(&device->site, "")), ESP_OK);
    bench_assert_switched(device->bench);
    SITE_EXPECT_LINE(&device->site, LOG, "GET /fw.bin HTTP/2.0 200");
}

static void an_update_over_http_1_1_boots(void **state)
{
    device_site_t *device = *state;
    assert_err(update_from(device, nginx_start(&device->site, "127.0.0.1:@PORT@ ssl", "", "")), ESP_OK);
    bench_assert_switched(device->bench);
    SITE_EXPECT_LINE(&device->site, LOG, "GET /fw.bin HTTP/1.1 200");
}

static void an_update_over_tls_1_3_boots(void **state)
{
    device_site_t *device = *state;
    assert_err(update_from(device, start_usual(&device->site, "ssl_protocols TLSv1.3;")), ESP_OK);
    bench_assert_switched(device->bench);
    SITE_EXPECT_LINE(&device->site, LOG, "GET /fw.bin", " 200 ", "tls=TLSv1.3");
}

static void an_update_over_tls_1_2_boots(void **state)
{
    device_site_t *device = *state;
    assert_err(update_from(device, start_usual(&device->site, "ssl_protocols TLSv1.2;")), ESP_OK);
    bench_assert_switched(device->bench);
    SITE_EXPECT_LINE(&device->site, LOG, "GET /fw.bin", " 200 ", "tls=TLSv1.2");
}

static void older_tls_is_refused(void **state)
{
    device_site_t *device = *state;
    site_server_t *server = start_usual(&device->site, "ssl_protocols TLSv1.1; ssl_ciphers ALL:@SECLEVEL=0;");
    assert_err(update_from(device, server), ESP_ERR_HTTP_CONNECT);
    bench_assert_nothing_switched(device->bench);
    SITE_EXPECT_LINE(&device->site, "error.log", "SSL_do_handshake() failed", "protocol");
}

static void an_update_over_ipv6_boots(void **state)
{
    device_site_t *device = *state;
    char url[128];
    if (access("/proc/net/if_inet6", R_OK) != 0) {
        site_skip("no IPv6 on this machine");
    }
    /* Also on IPv4, where the site looks whether it is up. */
    site_server_t *server =
        nginx_start(&device->site, "127.0.0.1:@PORT@ ssl http2; listen [::1]:@PORT@ ssl http2", "", "");
    snprintf(url, sizeof(url), "https://[::1]:%u/fw.bin", server->port);
    esp_http_client_config_t client = device_client(device, url);
    assert_err(device_update(&client), ESP_OK);
    bench_assert_switched(device->bench);
    SITE_EXPECT_LINE(&device->site, LOG, "GET /fw.bin HTTP/2.0 200", "from=::1");
}

static void a_file_that_is_not_there_switches_nothing(void **state)
{
    device_site_t *device = *state;
    char path[SITE_PATH_BYTES];
    assert_int_equal(unlink(site_path(&device->site, "www/fw.bin", path)), 0);
    assert_err(update_from(device, start_usual(&device->site, "")), ESP_FAIL);
    bench_assert_nothing_switched(device->bench);
    SITE_EXPECT_LINE(&device->site, LOG, "GET /fw.bin HTTP/2.0 404");
}

/* ---- one exchange ---- */

enum { LARGE_LEN = 8 * 1024 * 1024 };

static uint8_t large_byte(size_t off)
{
    return (uint8_t)((off * 2654435761u) >> 11);
}

static void put_large(const site_t *site)
{
    uint8_t *bytes = malloc(LARGE_LEN);
    assert_non_null(bytes);
    for (size_t i = 0; i < LARGE_LEN; i++) {
        bytes[i] = large_byte(i);
    }
    site_put(site, "www/large.bin", bytes, LARGE_LEN);
    free(bytes);
}

/* Reads that take a byte now and a lot then: each time the stream is held up and goes on. */
static void a_reader_of_http2_may_be_as_slow_as_it_likes(void **state)
{
    static const size_t steps[] = {1, 70000, 13, 5000, 262144, 333};
    device_site_t *device = *state;
    char url[128];
    otter_http_response_t response;
    uint8_t *piece = malloc(262144);
    size_t off = 0;
    size_t got = 1;
    assert_non_null(piece);
    put_large(&device->site);
    snprintf(url, sizeof(url), "https://localhost:%u/large.bin", start_usual(&device->site, "")->port);
    otter_http_t *http = otter_http_new(&(otter_http_config_t){.tls.ca_pem = device->site.ca_pem});
    const otter_http_request_t request = {.method = "GET", .url = url};
    assert_err(otter_http_open(http, &request, NULL, NULL, otter_now_us() + PATIENT_US, &response), ESP_OK);
    for (size_t i = 0; got > 0; i++) {
        assert_err(otter_http_read(http, piece, steps[i % 6], &got, otter_now_us() + PATIENT_US), ESP_OK);
        for (size_t k = 0; k < got; k++, off++) {
            assert_true(piece[k] == large_byte(off));
        }
    }
    assert_int_equal(off, LARGE_LEN);
    otter_http_free(http);
    free(piece);
    SITE_EXPECT_LINE(&device->site, LOG, "GET /large.bin HTTP/2.0 200", "sent=8388608");
}

/* ---- cuts ---- */

typedef struct cut {
    device_site_t *device;
    site_server_t *server;
} cut_t;

/* nginx's master starts another worker at once. */
static void kill_worker(void *arg)
{
    const cut_t *cut = arg;
    site_kill_children(cut->server);
}

static esp_err_t update_with_cut(device_site_t *device, site_server_t *server, device_cut_t what)
{
    char url[128];
    esp_http_client_config_t client = device_client(device, device_url("https", server->port, url));
    client.buffer_size = 4096;
    cut_t cut = {device, server};
    return device_update_cut(&client, CUT_B, what, &cut);
}

static void an_http2_download_that_is_cut_goes_on_with_a_range(void **state)
{
    device_site_t *device = *state;
    site_server_t *server = start_usual(&device->site, SLOW);
    assert_err(update_with_cut(device, server, kill_worker), ESP_OK);
    bench_assert_switched(device->bench);
    SITE_EXPECT_LINE(&device->site, LOG, "GET /fw.bin HTTP/2.0 206", "range=<bytes=", "if_range=<\"");
    SITE_EXPECT_LINE(&device->site, "error.log", "worker process", "exited on signal 9");
}

static void an_http_1_1_download_that_is_cut_goes_on_with_a_range(void **state)
{
    device_site_t *device = *state;
    site_server_t *server = nginx_start(&device->site, "127.0.0.1:@PORT@ ssl", SLOW_START, SLOW);
    assert_err(update_with_cut(device, server, kill_worker), ESP_OK);
    bench_assert_switched(device->bench);
    SITE_EXPECT_LINE(&device->site, LOG, "GET /fw.bin HTTP/1.1 206", "range=<bytes=", "if_range=<\"");
    SITE_EXPECT_LINE(&device->site, "error.log", "worker process", "exited on signal 9");
}

/* A reload: GOAWAY, and after the grace the old worker closes what still runs. */
static void reload(void *arg)
{
    const cut_t *cut = arg;
    assert_int_equal(kill(cut->server->pid, SIGHUP), 0);
}

static void a_download_outlives_a_reload_of_the_server(void **state)
{
    device_site_t *device = *state;
    assert_err(update_with_cut(device, start_usual(&device->site, SLOW), reload), ESP_OK);
    bench_assert_switched(device->bench);
    SITE_EXPECT_LINE(&device->site, LOG, "GET /fw.bin HTTP/2.0 206", "range=<bytes=", "if_range=<\"");
    SITE_EXPECT_LINE(&device->site, "error.log", "reconfiguring");
}

/* Another version is published while the old one is fetched, and the connection breaks. */
static void publish_and_kill(void *arg)
{
    const cut_t *cut = arg;
    fixture_image_t spec = FIXTURE_IMAGE("bench", "3.0.0");
    spec.segment_bytes[0] = 50000;
    spec.seed = 3;
    bench_t *bench = cut->device->bench;
    char from[SITE_PATH_BYTES];
    char to[SITE_PATH_BYTES];
    free(bench->image);
    bench->image = fixture_image(&spec, &bench->image_len);
    site_put(&cut->device->site, "www/new", bench->image, bench->image_len);
    assert_int_equal(
        rename(site_path(&cut->device->site, "www/new", from), site_path(&cut->device->site, "www/fw.bin", to)), 0);
    kill_worker(arg);
}

static void a_version_published_in_between_is_fetched_whole(void **state)
{
    device_site_t *device = *state;
    site_server_t *server = start_usual(&device->site, SLOW);
    assert_err(update_with_cut(device, server, publish_and_kill), ESP_OK);
    bench_assert_switched(device->bench);
    SITE_EXPECT_LINE(&device->site, LOG, "GET /fw.bin HTTP/2.0 200", "range=<bytes=", "if_range=<\"");
}

/* ---- parts ---- */

static void parts_come_over_one_connection(void **state)
{
    device_site_t *device = *state;
    char url[128];
    site_server_t *server = start_usual(&device->site, "");
    esp_http_client_config_t client = device_client(device, device_url("https", server->port, url));
    esp_https_ota_config_t config = {
        .http_config = &client, .partial_http_download = true, .max_http_request_size = 16384};
    assert_err(esp_https_ota(&config), ESP_OK);
    bench_assert_switched(device->bench);
    SITE_EXPECT_LINE(&device->site, LOG, "GET /fw.bin HTTP/2.0 206", "range=<bytes=16384-32767>");
    char *log = site_read(&device->site, LOG);
    const char *connection = strstr(log, "connection=");
    assert_non_null(connection);
    char same[32];
    snprintf(same, sizeof(same), "%.*s", (int)strcspn(connection, "\n"), connection);
    assert_int_equal(SITE_COUNT_LINES(&device->site, LOG, "fw.bin", same),
                     SITE_COUNT_LINES(&device->site, LOG, "fw.bin"));
    free(log);
}

/* ---- client certificates ---- */

#define WANTS_CERTIFICATE "ssl_client_certificate @HOME@/ca.pem; ssl_verify_client on;"

static esp_err_t update_as(device_site_t *device, const certs_leaf_t *leaf)
{
    char url[128];
    site_server_t *server = start_usual(&device->site, WANTS_CERTIFICATE);
    esp_http_client_config_t client = device_client(device, device_url("https", server->port, url));
    client.client_cert_pem = leaf != NULL ? leaf->cert_pem : NULL;
    client.client_key_pem = leaf != NULL ? leaf->key_pem : NULL;
    return device_update(&client);
}

static void a_client_certificate_is_accepted(void **state)
{
    device_site_t *device = *state;
    certs_leaf_t leaf = certs_leaf_new(device->site.ca, &(certs_spec_t){.for_client = true});
    assert_err(update_as(device, &leaf), ESP_OK);
    bench_assert_switched(device->bench);
    SITE_EXPECT_LINE(&device->site, LOG, "GET /fw.bin HTTP/2.0 200", "client=SUCCESS");
    certs_leaf_free(&leaf);
}

static void without_a_client_certificate_nothing_comes(void **state)
{
    device_site_t *device = *state;
    assert_int_not_equal(update_as(device, NULL), ESP_OK);
    bench_assert_nothing_switched(device->bench);
    SITE_EXPECT_LINE(&device->site, LOG, "GET /fw.bin HTTP/2.0 400", "client=NONE");
}

static void a_stranger_s_client_certificate_is_refused(void **state)
{
    device_site_t *device = *state;
    certs_ca_t *other = certs_ca_new("Somebody else");
    certs_leaf_t leaf = certs_leaf_new(other, &(certs_spec_t){.for_client = true});
    assert_int_not_equal(update_as(device, &leaf), ESP_OK);
    bench_assert_nothing_switched(device->bench);
    SITE_EXPECT_LINE(&device->site, LOG, "GET /fw.bin HTTP/2.0 400", "client=FAILED");
    certs_leaf_free(&leaf);
    certs_ca_free(other);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_servers(an_update_over_http2_boots),
    cmocka_unit_test_servers(an_update_over_http_1_1_boots),
    cmocka_unit_test_servers(an_update_over_tls_1_3_boots),
    cmocka_unit_test_servers(an_update_over_tls_1_2_boots),
    cmocka_unit_test_servers(older_tls_is_refused),
    cmocka_unit_test_servers(an_update_over_ipv6_boots),
    cmocka_unit_test_servers(a_file_that_is_not_there_switches_nothing),
    cmocka_unit_test_servers(a_reader_of_http2_may_be_as_slow_as_it_likes),
    cmocka_unit_test_servers(an_http2_download_that_is_cut_goes_on_with_a_range),
    cmocka_unit_test_servers(an_http_1_1_download_that_is_cut_goes_on_with_a_range),
    cmocka_unit_test_servers(a_download_outlives_a_reload_of_the_server),
    cmocka_unit_test_servers(a_version_published_in_between_is_fetched_whole),
    cmocka_unit_test_servers(parts_come_over_one_connection),
    cmocka_unit_test_servers(a_client_certificate_is_accepted),
    cmocka_unit_test_servers(without_a_client_certificate_nothing_comes),
    cmocka_unit_test_servers(a_stranger_s_client_certificate_is_refused),
};

TEST_MAIN(tests)
