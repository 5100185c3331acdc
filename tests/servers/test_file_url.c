/* SPDX-License-Identifier: Apache-2.0 */
/* file:// behind the HTTP contract, and an update from a stick. */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/servers/device_update.h"
#include "tests/servers/exchange.h"
#include "tests/support/test.h"

static const char text[] = "0123456789abcdefghijklmnopqrstuvwxyz";

enum { TEXT_LEN = sizeof(text) - 1 };

typedef struct world {
    site_t site;
    exchange_t x;
    char url[256];
} world_t;

static int set_up(void **state)
{
    world_t *world = calloc(1, sizeof(*world));
    assert_non_null(world);
    site_begin(&world->site);
    site_put(&world->site, "www/a file", text, TEXT_LEN);
    exchange_begin(&world->x);
    *state = world;
    return 0;
}

static int tear_down(void **state)
{
    world_t *world = *state;
    exchange_end(&world->x);
    site_end(&world->site);
    free(world);
    return 0;
}

#define cmocka_unit_test_file(NAME) cmocka_unit_test_setup_teardown(NAME, set_up, tear_down)

static const char *at(world_t *world, const char *host, const char *name)
{
    snprintf(world->url, sizeof(world->url), "file://%s%s/www/%s", host, world->site.home, name);
    return world->url;
}

static void a_file_comes_as_an_http_server_would_send_it(void **state)
{
    world_t *world = *state;
    exchange_get(&world->x, at(world, "", "a%20file"));
    exchange_expect(&world->x, 200, "Content-Length: 36\n");
    exchange_expect(&world->x, 200, "Accept-Ranges: bytes\n");
    exchange_expect(&world->x, 200, "Last-Modified: ");
    exchange_expect(&world->x, 200, "ETag: \"");
    exchange_expect_body(&world->x, text, TEXT_LEN);
    exchange_get(&world->x, at(world, "localhost", "a%20file?query#fragment"));
    exchange_expect_body(&world->x, text, TEXT_LEN);
}

static void parts_come(void **state)
{
    static const struct {
        const char *range;
        int status;
        const char *header;
        size_t first;
        size_t len;
    } cases[] = {
        {"bytes=10-", 206, "Content-Range: bytes 10-35/36\n", 10, 26},
        {"bytes=10-19", 206, "Content-Range: bytes 10-19/36\n", 10, 10},
        {"bytes=10-35", 206, "Content-Range: bytes 10-35/36\n", 10, 26},
        {"bytes=10-36", 206, "Content-Range: bytes 10-35/36\n", 10, 26},
        {"BYTES=10-999", 206, "Content-Range: bytes 10-35/36\n", 10, 26},
        {"bytes=-6", 206, "Content-Range: bytes 30-35/36\n", 30, 6},
        {"bytes=-99", 206, "Content-Range: bytes 0-35/36\n", 0, 36},
        {"bytes=0-99999999999999999999", 206, "Content-Range: bytes 0-35/36\n", 0, 36},
        {"bytes=36-", 416, "Content-Range: bytes */36\n", 0, 0},
        {"bytes=-0", 416, "Content-Range: bytes */36\n", 0, 0},
        {"bytes=99999999999999999999-", 416, "Content-Range: bytes */36\n", 0, 0},
        {"bytes=5-4", 200, "Content-Length: 36\n", 0, 36},
        {"bytes=0-1,5-6", 200, "Content-Length: 36\n", 0, 36},
        {"bytes=-", 200, "Content-Length: 36\n", 0, 36},
        {"bytes=x", 200, "Content-Length: 36\n", 0, 36},
        {"bytes=1-2x", 200, "Content-Length: 36\n", 0, 36},
        {"items=1-2", 200, "Content-Length: 36\n", 0, 36},
    };
    world_t *world = *state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        print_message("%s\n", cases[i].range);
        world->x.range = cases[i].range;
        exchange_get(&world->x, at(world, "", "a%20file"));
        exchange_expect(&world->x, cases[i].status, cases[i].header);
        exchange_expect_body(&world->x, text + cases[i].first, cases[i].len);
        assert_int_equal(world->x.response.content_length, cases[i].len);
    }
}

static void a_part_is_of_the_version_that_is_meant(void **state)
{
    world_t *world = *state;
    char tag[128];
    const char *url = at(world, "", "a%20file");
    exchange_get(&world->x, url);
    assert_int_equal(sscanf(strstr(world->x.headers, "ETag: "), "ETag: %127s", tag), 1);
    world->x.range = "bytes=10-";
    world->x.if_range = tag;
    exchange_get(&world->x, url);
    exchange_expect(&world->x, 206, NULL);
    site_put(&world->site, "www/a file", text, TEXT_LEN);
    exchange_get(&world->x, url);
    exchange_expect(&world->x, 200, NULL);
    exchange_expect_body(&world->x, text, TEXT_LEN);
}

static void head_has_a_length_and_no_body(void **state)
{
    world_t *world = *state;
    world->x.method = "HEAD";
    exchange_get(&world->x, at(world, "", "a%20file"));
    exchange_expect(&world->x, 200, "Content-Length: 36\n");
    assert_int_equal(world->x.body_len, 0);
    world->x.method = "DELETE";
    exchange_get(&world->x, at(world, "", "a%20file"));
    exchange_expect(&world->x, 405, "Allow: GET, HEAD\n");
    exchange_expect_body(&world->x, "", 0);
}

static void an_empty_file_is_a_file(void **state)
{
    world_t *world = *state;
    site_put(&world->site, "www/empty", "", 0);
    exchange_get(&world->x, at(world, "", "empty"));
    exchange_expect(&world->x, 200, "Content-Length: 0\n");
    assert_int_equal(world->x.body_len, 0);
}

static void a_file_that_is_not_there_is_404(void **state)
{
    static const char *const names[] = {"nothing", "a%20file/x", "../../../../../../../../nowhere"};
    world_t *world = *state;
    for (size_t i = 0; i < 3; i++) {
        exchange_get(&world->x, at(world, "", names[i]));
        exchange_expect(&world->x, 404, NULL);
        assert_int_equal(world->x.body_len, 0);
    }
}

/* A FIFO would wait for its other end, a device do whatever reading does to it. */
static void only_regular_files_are_read(void **state)
{
    world_t *world = *state;
    char path[SITE_PATH_BYTES];
    assert_int_equal(mkfifo(site_path(&world->site, "www/fifo", path), 0644), 0);
    assert_int_equal(symlink("/dev/zero", site_path(&world->site, "www/link", path)), 0);
    const char *const names[] = {"fifo", "link", "", "."};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        exchange_get(&world->x, at(world, "", names[i]));
        exchange_expect(&world->x, 403, NULL);
        assert_int_equal(world->x.body_len, 0);
    }
    exchange_get(&world->x, "file:///dev/null");
    exchange_expect(&world->x, 403, NULL);
}

static void urls_that_name_no_file_here_are_refused(void **state)
{
    static const char *const urls[] = {"file://elsewhere/etc/hostname", "file://", "file://localhost",
                                       "file:///etc/hostname%00.bin", "file://localhost:80/etc/hostname"};
    world_t *world = *state;
    for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
        print_message("%s\n", urls[i]);
        assert_err(exchange_open(&world->x, urls[i], EXCHANGE_LATER_MS), ESP_ERR_HTTP_CONNECT);
    }
}

static void a_file_that_changes_meanwhile_is_incomplete(void **state)
{
    world_t *world = *state;
    uint8_t first[4];
    size_t got = 0;
    assert_err(exchange_open(&world->x, at(world, "", "a%20file"), EXCHANGE_LATER_MS), ESP_OK);
    assert_err(otter_http_read(world->x.http, first, sizeof(first), &got, 0), ESP_OK);
    assert_int_equal(got, sizeof(first));
    char path[SITE_PATH_BYTES];
    assert_int_equal(truncate(site_path(&world->site, "www/a file", path), 20), 0);
    assert_err(exchange_read(&world->x, EXCHANGE_LATER_MS), ESP_ERR_HTTP_INCOMPLETE_DATA);
    assert_non_null(strstr(otter_http_error(world->x.http), "changed"));
}

static esp_err_t update_from_stick(device_site_t *device)
{
    char url[256];
    snprintf(url, sizeof(url), "file://%s/www/fw.bin", device->site.home);
    esp_http_client_config_t client = {.url = url, .timeout_ms = 5000};
    return device_update(&client);
}

static void a_stick_is_refused_by_policy(void **state)
{
    device_site_t *device = *state;
    assert_int_not_equal(update_from_stick(device), ESP_OK);
    bench_assert_nothing_switched(device->bench);
}

static void a_stick_updates_where_it_is_allowed(void **state)
{
    device_site_t *device = *state;
    otter_config_t config = bench_config();
    config.allow_file = true;
    bench_configure(device->bench, &config);
    assert_err(update_from_stick(device), ESP_OK);
    bench_assert_switched(device->bench);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_file(a_file_comes_as_an_http_server_would_send_it),
    cmocka_unit_test_file(parts_come),
    cmocka_unit_test_file(a_part_is_of_the_version_that_is_meant),
    cmocka_unit_test_file(head_has_a_length_and_no_body),
    cmocka_unit_test_file(an_empty_file_is_a_file),
    cmocka_unit_test_file(a_file_that_is_not_there_is_404),
    cmocka_unit_test_file(only_regular_files_are_read),
    cmocka_unit_test_file(urls_that_name_no_file_here_are_refused),
    cmocka_unit_test_file(a_file_that_changes_meanwhile_is_incomplete),
    cmocka_unit_test_servers(a_stick_is_refused_by_policy),
    cmocka_unit_test_servers(a_stick_updates_where_it_is_allowed),
};

TEST_MAIN(tests)
