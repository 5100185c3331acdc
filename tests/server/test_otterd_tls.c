/* SPDX-License-Identifier: Apache-2.0 */
/* A real otterd over TLS, by libcurl. */
#include <curl/curl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/server/otterd.h"
#include "tests/support/test.h"

enum { FW_LEN = 3000000, CLIENTS = 16 };

static struct otterd otterd;

/** What one client got; checked while it comes. */
struct download {
    CURL *easy;
    uint64_t first_off; /**< Of the part that was asked for. */
    uint64_t came;
    bool is_wrong;
    void (*on_first_bytes)(void);
};

static int set_up(void **state)
{
    (void)state;
    otterd_prepare(&otterd, true);
    otterd_put_pattern(&otterd, "root/fw.bin", FW_LEN);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    otterd_remove(&otterd);
    return 0;
}

static size_t take_bytes(char *bytes, size_t one, size_t len, void *user)
{
    struct download *download = user;
    (void)one;
    if (download->came == 0 && download->on_first_bytes != NULL) {
        download->on_first_bytes();
    }
    for (size_t i = 0; i < len; i++) {
        uint8_t expected = otterd_byte(download->first_off + download->came + i);
        download->is_wrong = download->is_wrong || (uint8_t)bytes[i] != expected;
    }
    download->came += len;
    return len;
}

static void set_download(struct download *download)
{
    char url[64];
    char ca[128];
    snprintf(url, sizeof(url), "https://localhost:%u/fw.bin", otterd.port);
    download->easy = curl_easy_init();
    assert_non_null(download->easy);
    curl_easy_setopt(download->easy, CURLOPT_URL, url);
    curl_easy_setopt(download->easy, CURLOPT_CAINFO, otterd_path(&otterd, "ca.pem", ca));
    curl_easy_setopt(download->easy, CURLOPT_WRITEFUNCTION, take_bytes);
    curl_easy_setopt(download->easy, CURLOPT_WRITEDATA, download);
    curl_easy_setopt(download->easy, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(download->easy, CURLOPT_TIMEOUT, 30L);
}

/** Performs it. @return the status, or 0 if the transfer failed */
static long perform(struct download *download)
{
    long status = 0;
    CURLcode result = curl_easy_perform(download->easy);
    print_message("%s\n", curl_easy_strerror(result));
    if (result == CURLE_OK) {
        curl_easy_getinfo(download->easy, CURLINFO_RESPONSE_CODE, &status);
    }
    curl_easy_cleanup(download->easy);
    assert_false(download->is_wrong);
    return status;
}

static void a_file_comes_whole_over_tls(void **state)
{
    struct download download = {0};
    (void)state;
    otterd_start(&otterd, NULL);
    assert_non_null(strstr(otterd.err, "over HTTPS"));
    set_download(&download);
    assert_int_equal(perform(&download), 200);
    assert_int_equal(download.came, FW_LEN);
    assert_int_equal(otterd_stop(&otterd), 0);
    char *log = otterd_read(&otterd, "log");
    assert_non_null(strstr(log, "\"GET /fw.bin HTTP/1.1\" 200 3000000 3000000 "));
    free(log);
}

static void a_part_comes_over_tls(void **state)
{
    struct download download = {.first_off = 2999000};
    (void)state;
    otterd_start(&otterd, NULL);
    set_download(&download);
    curl_easy_setopt(download.easy, CURLOPT_RANGE, "2999000-");
    assert_int_equal(perform(&download), 206);
    assert_int_equal(download.came, 1000);
}

static void more_clients_than_threads_are_served_at_once(void **state)
{
    static const char *const args[] = {"--threads", "3", NULL};
    struct download downloads[CLIENTS] = {0};
    CURLM *multi = curl_multi_init();
    int running = 1;
    (void)state;
    otterd_start(&otterd, args);
    for (size_t i = 0; i < CLIENTS; i++) {
        set_download(&downloads[i]);
        assert_int_equal(curl_multi_add_handle(multi, downloads[i].easy), CURLM_OK);
    }
    while (running > 0) {
        assert_int_equal(curl_multi_perform(multi, &running), CURLM_OK);
        assert_int_equal(curl_multi_poll(multi, NULL, 0, 1000, NULL), CURLM_OK);
    }
    for (size_t i = 0; i < CLIENTS; i++) {
        curl_multi_remove_handle(multi, downloads[i].easy);
        curl_easy_cleanup(downloads[i].easy);
        assert_false(downloads[i].is_wrong);
        assert_int_equal(downloads[i].came, FW_LEN);
    }
    curl_multi_cleanup(multi);
    assert_int_equal(otterd_stop(&otterd), 0);
}

static long try_version(long version)
{
    struct download download = {0};
    set_download(&download);
    /* What this library would refuse by itself must not be what the test sees. */
    curl_easy_setopt(download.easy, CURLOPT_SSL_CIPHER_LIST, "ALL:@SECLEVEL=0");
    curl_easy_setopt(download.easy, CURLOPT_SSLVERSION, version);
    return perform(&download);
}

static void only_tls_1_2_and_newer_is_spoken(void **state)
{
    (void)state;
    otterd_start(&otterd, NULL);
    assert_int_equal(try_version(CURL_SSLVERSION_TLSv1_3 | CURL_SSLVERSION_MAX_TLSv1_3), 200);
    assert_int_equal(try_version(CURL_SSLVERSION_TLSv1_2 | CURL_SSLVERSION_MAX_TLSv1_2), 200);
    assert_int_equal(try_version(CURL_SSLVERSION_TLSv1_1 | CURL_SSLVERSION_MAX_TLSv1_1), 0);
    assert_int_equal(try_version(CURL_SSLVERSION_TLSv1_0 | CURL_SSLVERSION_MAX_TLSv1_0), 0);
}

static void plain_http_is_not_served_there(void **state)
{
    (void)state;
    otterd_start(&otterd, NULL);
    char *answer = otterd_get(&otterd, "/fw.bin", "");
    assert_null(strstr(answer, "HTTP/1.1"));
    free(answer);
    struct download download = {0};
    set_download(&download);
    assert_int_equal(perform(&download), 200);
    assert_int_equal(otterd_stop(&otterd), 0);
    print_message("%s", otterd.err);
}

static void a_client_that_never_shakes_hands_is_closed(void **state)
{
    static const char *const args[] = {"--idle-timeout", "1", NULL};
    uint8_t bytes[64];
    (void)state;
    otterd_start(&otterd, args);
    int silent = otterd_connect(&otterd, 0);
    int halfway = otterd_connect(&otterd, 0);
    assert_int_equal(send(halfway, "\x16\x03\x01", 3, MSG_NOSIGNAL), 3);
    /* What it says before it closes is a TLS alert, if anything. */
    assert_true(otterd_drain(silent, bytes, sizeof(bytes)) < sizeof(bytes));
    assert_true(otterd_drain(halfway, bytes, sizeof(bytes)) < sizeof(bytes));
    close(silent);
    close(halfway);
    assert_int_equal(otterd_stop(&otterd), 0);
}

static void send_sigterm(void)
{
    assert_int_equal(kill(otterd.pid, SIGTERM), 0);
}

static void stopping_lets_a_running_transfer_finish(void **state)
{
    struct download download = {.on_first_bytes = send_sigterm};
    (void)state;
    otterd_put_pattern(&otterd, "root/fw.bin", 10 * FW_LEN);
    otterd_start(&otterd, NULL);
    set_download(&download);
    assert_int_equal(perform(&download), 200);
    assert_int_equal(download.came, 10 * FW_LEN);
    assert_int_equal(otterd_wait(&otterd), 0);
}

static void truncate_file(void)
{
    char path[128];
    assert_int_equal(truncate(otterd_path(&otterd, "root/fw.bin", path), 1000), 0);
}

static void a_file_truncated_meanwhile_ends_as_an_error(void **state)
{
    struct download download = {.on_first_bytes = truncate_file};
    (void)state;
    otterd_put_pattern(&otterd, "root/fw.bin", 10 * FW_LEN);
    otterd_start(&otterd, NULL);
    set_download(&download);
    assert_int_equal(perform(&download), 0);
    assert_true(download.came > 0 && download.came < 10 * FW_LEN);
}

static void expect_refusal(const char *cert, const char *key, const char *message)
{
    char root[128];
    char cert_path[128];
    char key_path[128];
    const char *const args[] = {
        "--root", otterd_path(&otterd, "root", root),    "--listen", "127.0.0.1:0",
        "--cert", otterd_path(&otterd, cert, cert_path), "--key",    otterd_path(&otterd, key, key_path),
        NULL,
    };
    assert_int_equal(otterd_run(&otterd, args), 1);
    print_message("%s", otterd.err);
    if (strstr(otterd.err, message) == NULL) {
        fail_msg("'%s' does not say '%s'", otterd.err, message);
    }
}

static void a_certificate_that_does_not_fit_is_refused(void **state)
{
    struct otterd other;
    (void)state;
    otterd_prepare(&other, true);
    char *key = otterd_read(&other, "key.pem");
    otterd_put(&otterd, "other.pem", key, strlen(key));
    free(key);
    otterd_remove(&other);
    otterd_put(&otterd, "garbage.pem", "garbage", 7);
    expect_refusal("cert.pem", "other.pem", "cannot serve with the certificate ");
    expect_refusal("garbage.pem", "key.pem", "cannot serve with the certificate ");
    expect_refusal("cert.pem", "garbage.pem", "cannot serve with the certificate ");
    expect_refusal("cert.pem", "missing.pem", "missing.pem: No such file");
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown(a_file_comes_whole_over_tls, set_up, tear_down),
    cmocka_unit_test_setup_teardown(a_part_comes_over_tls, set_up, tear_down),
    cmocka_unit_test_setup_teardown(more_clients_than_threads_are_served_at_once, set_up, tear_down),
    cmocka_unit_test_setup_teardown(only_tls_1_2_and_newer_is_spoken, set_up, tear_down),
    cmocka_unit_test_setup_teardown(plain_http_is_not_served_there, set_up, tear_down),
    cmocka_unit_test_setup_teardown(a_client_that_never_shakes_hands_is_closed, set_up, tear_down),
    cmocka_unit_test_setup_teardown(stopping_lets_a_running_transfer_finish, set_up, tear_down),
    cmocka_unit_test_setup_teardown(a_file_truncated_meanwhile_ends_as_an_error, set_up, tear_down),
    cmocka_unit_test_setup_teardown(a_certificate_that_does_not_fit_is_refused, set_up, tear_down),
};

TEST_MAIN(tests)
