/* SPDX-License-Identifier: Apache-2.0 */
/* ftp:// behind the HTTP contract, from a server that does what good ones do not. */
#include <stdlib.h>

#include "otter/otter_os.h"
#include "tests/servers/exchange.h"
#include "tests/servers/ftp_server.h"
#include "tests/support/test.h"

enum { FILE_LEN = 50000, SOON_MS = 300, QUICK_US = 5000000 };

#define MODIFIED "Thu, 02 Jan 2020 03:04:05 GMT"

typedef struct world {
    exchange_t x;
    ftp_server_t *server;
    uint8_t bytes[FILE_LEN];
    char url[128];
    int64_t began_us;
} world_t;

static int set_up(void **state)
{
    world_t *world = calloc(1, sizeof(*world));
    assert_non_null(world);
    for (size_t i = 0; i < FILE_LEN; i++) {
        world->bytes[i] = (uint8_t)((i * 2654435761u) >> 11);
    }
    exchange_begin(&world->x);
    world->began_us = otter_now_us();
    *state = world;
    return 0;
}

/* Whatever the server did, nothing waits for it at the end. */
static int tear_down(void **state)
{
    world_t *world = *state;
    exchange_end(&world->x);
    bool quick = otter_now_us() - world->began_us < QUICK_US;
    if (world->server != NULL) {
        ftp_server_stop(world->server);
    }
    free(world);
    assert_true(quick);
    return 0;
}

#define cmocka_unit_test_ftp(NAME) cmocka_unit_test_setup_teardown(NAME, set_up, tear_down)

static const char *at(world_t *world, const char *rest)
{
    snprintf(world->url, sizeof(world->url), "ftp://localhost:%u/%s", ftp_server_port(world->server), rest);
    return world->url;
}

/* Starts a server for world->bytes. @return the file's URL */
static const char *serve(world_t *world, ftp_script_t script)
{
    script.bytes = world->bytes;
    script.len = FILE_LEN;
    world->server = ftp_server_start(&script);
    return at(world, "dir/fw.bin");
}

/* ---- good servers ---- */

static void a_file_comes_as_an_http_server_would_send_it(void **state)
{
    world_t *world = *state;
    exchange_get(&world->x, serve(world, (ftp_script_t){0}));
    exchange_expect(&world->x, 200, "Content-Length: 50000\n");
    exchange_expect(&world->x, 200, "Last-Modified: " MODIFIED "\n");
    exchange_expect(&world->x, 200, "Accept-Ranges: bytes\n");
    assert_int_equal(world->x.response.content_length, FILE_LEN);
    exchange_expect_body(&world->x, world->bytes, FILE_LEN);
}

static void a_part_is_the_protocol_s_restart(void **state)
{
    world_t *world = *state;
    const char *url = serve(world, (ftp_script_t){0});
    world->x.range = "bytes=20000-";
    exchange_get(&world->x, url);
    exchange_expect(&world->x, 206, "Content-Range: bytes 20000-49999/50000\n");
    assert_int_equal(world->x.response.content_length, 30000);
    exchange_expect_body(&world->x, world->bytes + 20000, 30000);
    assert_int_equal(ftp_server_count(world->server, "REST 20000"), 1);
}

static void a_part_from_the_middle_comes(void **state)
{
    world_t *world = *state;
    const char *url = serve(world, (ftp_script_t){0});
    const struct {
        const char *range;
        size_t first;
        size_t len;
    } cases[] = {{"bytes=100-299", 100, 200}, {"bytes=0-0", 0, 1}, {"bytes=-7", FILE_LEN - 7, 7}};
    for (size_t i = 0; i < 3; i++) {
        world->x.range = cases[i].range;
        exchange_get(&world->x, url);
        exchange_expect(&world->x, 206, "Content-Range: bytes ");
        exchange_expect_body(&world->x, world->bytes + cases[i].first, cases[i].len);
    }
}

static void a_part_behind_the_end_is_not_satisfiable(void **state)
{
    world_t *world = *state;
    const char *url = serve(world, (ftp_script_t){0});
    world->x.range = "bytes=50000-";
    exchange_get(&world->x, url);
    exchange_expect(&world->x, 416, "Content-Range: bytes */50000\n");
    assert_int_equal(ftp_server_count(world->server, "RETR"), 0);
}

static void a_part_is_of_the_version_that_is_meant(void **state)
{
    world_t *world = *state;
    const char *url = serve(world, (ftp_script_t){0});
    world->x.range = "bytes=20000-";
    world->x.if_range = MODIFIED;
    exchange_get(&world->x, url);
    exchange_expect(&world->x, 206, NULL);
    world->x.if_range = "Thu, 02 Jan 2020 03:04:06 GMT";
    exchange_get(&world->x, url);
    exchange_expect(&world->x, 200, NULL);
    exchange_expect_body(&world->x, world->bytes, FILE_LEN);
}

static void head_asks_and_fetches_nothing(void **state)
{
    world_t *world = *state;
    const char *url = serve(world, (ftp_script_t){0});
    world->x.method = "HEAD";
    exchange_get(&world->x, url);
    exchange_expect(&world->x, 200, "Content-Length: 50000\n");
    assert_int_equal(world->x.body_len, 0);
    assert_int_equal(ftp_server_count(world->server, "RETR"), 0);
}

static void other_methods_are_not_allowed(void **state)
{
    world_t *world = *state;
    const char *url = serve(world, (ftp_script_t){0});
    world->x.method = "POST";
    exchange_get(&world->x, url);
    exchange_expect(&world->x, 405, "Allow: GET, HEAD\n");
    assert_int_equal(ftp_server_connections(world->server), 0);
}

static void exchanges_share_a_login(void **state)
{
    world_t *world = *state;
    const char *url = serve(world, (ftp_script_t){0});
    for (int i = 0; i < 3; i++) {
        exchange_get(&world->x, url);
        exchange_expect_body(&world->x, world->bytes, FILE_LEN);
    }
    assert_int_equal(ftp_server_connections(world->server), 1);
    assert_int_equal(ftp_server_count(world->server, "USER"), 1);
    otter_http_disconnect(world->x.http);
    exchange_get(&world->x, url);
    assert_int_equal(ftp_server_connections(world->server), 2);
}

/* ---- names ---- */

static void a_name_and_password_come_from_the_authorization_header(void **state)
{
    world_t *world = *state;
    const char *url = serve(world, (ftp_script_t){0});
    world->x.authorization = "Basic c29tZWJvZHk6YTpiIGM="; /* somebody:a:b c */
    exchange_get(&world->x, url);
    assert_int_equal(ftp_server_count(world->server, "USER somebody"), 1);
    assert_int_equal(ftp_server_count(world->server, "PASS a:b c"), 1);
}

static void a_password_is_no_command(void **state)
{
    world_t *world = *state;
    const char *url = serve(world, (ftp_script_t){0});
    world->x.authorization = "Basic YTpiDQpERUxFIHg="; /* a:b CR LF DELE x */
    assert_err(exchange_open(&world->x, url, EXCHANGE_LATER_MS), ESP_ERR_HTTP_CONNECT);
    world->x.authorization = "Basic !";
    assert_err(exchange_open(&world->x, url, EXCHANGE_LATER_MS), ESP_ERR_HTTP_CONNECT);
    assert_int_equal(ftp_server_connections(world->server), 0);
}

static void a_path_is_no_command(void **state)
{
    world_t *world = *state;
    serve(world, (ftp_script_t){0});
    assert_int_not_equal(exchange_open(&world->x, at(world, "dir/fw.bin%0d%0aDELE%20x"), EXCHANGE_LATER_MS), ESP_OK);
    assert_int_equal(ftp_server_count(world->server, "DELE"), 0);
}

static void folders_and_translations_are_no_files(void **state)
{
    static const char *const names[] = {"dir/", "", "dir/fw.bin;type=a", "dir/fw.bin;TYPE=D"};
    world_t *world = *state;
    serve(world, (ftp_script_t){0});
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        exchange_get(&world->x, at(world, names[i]));
        exchange_expect(&world->x, 404, NULL);
    }
    assert_int_equal(ftp_server_connections(world->server), 0);
}

/* ---- servers that refuse ---- */

static void refusals_are_statuses(void **state)
{
    static const struct {
        ftp_script_t script;
        int status;
    } cases[] = {
        {{.size_reply = "550 no such file"}, 404},
        {{.retr_reply = "550 permission denied"}, 404},
        {{.retr_reply = "450 busy"}, 503},
        {{.retr_reply = "425 no data connection"}, 503},
        {{.pass_reply = "530 not with that password"}, 401},
        {{.pass_reply = "421 later"}, 503},
        {{.greeting = "421 too many connections"}, 503},
    };
    world_t *world = *state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        print_message("case %zu\n", i);
        exchange_get(&world->x, serve(world, cases[i].script));
        exchange_expect(&world->x, cases[i].status, cases[i].status == 401 ? "WWW-Authenticate: Basic " : NULL);
        assert_int_equal(world->x.body_len, 0);
        otter_http_disconnect(world->x.http);
        ftp_server_stop(world->server);
        world->server = NULL;
    }
}

static void a_folder_that_is_not_there_is_404(void **state)
{
    world_t *world = *state;
    serve(world, (ftp_script_t){0});
    exchange_get(&world->x, at(world, "elsewhere/fw.bin"));
    exchange_expect(&world->x, 404, NULL);
}

static void what_is_no_ftp_is_an_error(void **state)
{
    world_t *world = *state;
    const char *url = serve(world, (ftp_script_t){.greeting = "HTTP/1.1 400 Bad Request"});
    assert_int_not_equal(exchange_open(&world->x, url, SOON_MS), ESP_OK);
    assert_true(strlen(otter_http_error(world->x.http)) > strlen("localhost:65535: "));
}

static void a_server_that_is_not_there_is_a_connection_error(void **state)
{
    world_t *world = *state;
    assert_err(exchange_open(&world->x, "ftp://127.0.0.1:1/x", EXCHANGE_LATER_MS), ESP_ERR_HTTP_CONNECT);
}

/* ---- servers that lack something ---- */

static void without_a_size_the_whole_file_comes(void **state)
{
    world_t *world = *state;
    const char *url = serve(world, (ftp_script_t){.size_reply = "500 what?"});
    world->x.range = "bytes=20000-";
    exchange_get(&world->x, url);
    exchange_expect(&world->x, 200, NULL);
    assert_int_equal(world->x.response.content_length, -1);
    exchange_expect_body(&world->x, world->bytes, FILE_LEN);
}

static void without_restart_the_whole_file_comes(void **state)
{
    world_t *world = *state;
    const char *url = serve(world, (ftp_script_t){.rest_reply = "502 not here"});
    world->x.range = "bytes=20000-";
    exchange_get(&world->x, url);
    exchange_expect(&world->x, 200, "Accept-Ranges: none\n");
    exchange_expect_body(&world->x, world->bytes, FILE_LEN);
}

static void what_one_server_can_do_is_not_asked_of_the_next(void **state)
{
    world_t *world = *state;
    exchange_get(&world->x, serve(world, (ftp_script_t){0}));
    exchange_expect(&world->x, 200, "Accept-Ranges: bytes\n");
    ftp_server_stop(world->server);
    const char *url = serve(world, (ftp_script_t){.rest_reply = "502 not here"});
    world->x.range = "bytes=20000-";
    exchange_get(&world->x, url);
    exchange_expect(&world->x, 200, "Accept-Ranges: none\n");
    exchange_expect_body(&world->x, world->bytes, FILE_LEN);
}

static void a_file_that_changes_before_it_comes_is_an_error(void **state)
{
    world_t *world = *state;
    const char *url = serve(world, (ftp_script_t){.next_size_reply = "213 40000"});
    assert_err(exchange_open(&world->x, url, EXCHANGE_LATER_MS), ESP_ERR_HTTP_FETCH_HEADER);
    assert_non_null(strstr(otter_http_error(world->x.http), "changed"));
}

static void data_that_cannot_be_reached_is_a_connection_error(void **state)
{
    world_t *world = *state;
    const char *url = serve(world, (ftp_script_t){.dead_passive = true});
    assert_err(exchange_open(&world->x, url, EXCHANGE_LATER_MS), ESP_ERR_HTTP_CONNECT);
    assert_true(ftp_server_count(world->server, "EPSV") >= 1);
}

static void without_a_date_the_file_comes(void **state)
{
    world_t *world = *state;
    exchange_get(&world->x, serve(world, (ftp_script_t){.mdtm_reply = "500 what?"}));
    exchange_expect(&world->x, 200, NULL);
    assert_null(strstr(world->x.headers, "Last-Modified"));
    exchange_expect_body(&world->x, world->bytes, FILE_LEN);
}

static void data_never_comes_from_another_host(void **state)
{
    world_t *world = *state;
    exchange_get(&world->x, serve(world, (ftp_script_t){.passive_host = "10,255,255,1"}));
    exchange_expect_body(&world->x, world->bytes, FILE_LEN);
    assert_true(ftp_server_count(world->server, "PASV") >= 1);
}

/* ---- data that ends or waits ---- */

static void expect_incomplete(world_t *world, ftp_script_t script)
{
    assert_err(exchange_open(&world->x, serve(world, script), EXCHANGE_LATER_MS), ESP_OK);
    assert_err(exchange_read(&world->x, EXCHANGE_LATER_MS), ESP_ERR_HTTP_INCOMPLETE_DATA);
    assert_true(world->x.body_len <= script.cut_at);
    assert_memory_equal(world->x.body, world->bytes, world->x.body_len);
}

static void data_that_ends_early_is_incomplete(void **state)
{
    expect_incomplete(*state, (ftp_script_t){.cut_at = 30000});
}

static void data_that_ends_early_with_an_error_is_incomplete(void **state)
{
    expect_incomplete(*state, (ftp_script_t){.cut_at = 30000, .end_reply = "426 cut"});
}

static void data_without_a_size_that_ends_with_an_error_is_incomplete(void **state)
{
    expect_incomplete(*state, (ftp_script_t){.cut_at = 30000, .end_reply = "426 cut", .size_reply = "500 what?"});
}

static void data_that_waits_times_out_and_loses_nothing(void **state)
{
    world_t *world = *state;
    const char *url = serve(world, (ftp_script_t){.stall_at = 30000, .stall_ms = 1000});
    assert_err(exchange_open(&world->x, url, EXCHANGE_LATER_MS), ESP_OK);
    assert_err(exchange_read(&world->x, SOON_MS), ESP_ERR_TIMEOUT);
    assert_int_equal(world->x.body_len, 30000);
    assert_err(exchange_read(&world->x, EXCHANGE_LATER_MS), ESP_OK);
    exchange_expect_body(&world->x, world->bytes, FILE_LEN);
}

static void all_bytes_are_all_though_the_last_reply_never_comes(void **state)
{
    world_t *world = *state;
    const char *url = serve(world, (ftp_script_t){.end_reply = ""});
    assert_err(exchange_open(&world->x, url, EXCHANGE_LATER_MS), ESP_OK);
    assert_err(exchange_read(&world->x, SOON_MS), ESP_OK);
    exchange_expect_body(&world->x, world->bytes, FILE_LEN);
}

static void a_close_in_the_middle_does_not_wait(void **state)
{
    world_t *world = *state;
    const char *url = serve(world, (ftp_script_t){.stall_at = 30000, .stall_ms = 60000, .silent_quit = true});
    uint8_t first[100];
    size_t got = 0;
    assert_err(exchange_open(&world->x, url, EXCHANGE_LATER_MS), ESP_OK);
    assert_err(otter_http_read(world->x.http, first, sizeof(first), &got, otter_now_us() + 1000000), ESP_OK);
    otter_http_close(world->x.http);
    assert_true(otter_now_us() - world->began_us < QUICK_US);
}

static void a_goodbye_is_not_waited_for(void **state)
{
    world_t *world = *state;
    exchange_get(&world->x, serve(world, (ftp_script_t){.silent_quit = true}));
    otter_http_disconnect(world->x.http);
    assert_true(otter_now_us() - world->began_us < QUICK_US);
    assert_int_equal(ftp_server_connections(world->server), 1);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_ftp(a_file_comes_as_an_http_server_would_send_it),
    cmocka_unit_test_ftp(a_part_is_the_protocol_s_restart),
    cmocka_unit_test_ftp(a_part_from_the_middle_comes),
    cmocka_unit_test_ftp(a_part_behind_the_end_is_not_satisfiable),
    cmocka_unit_test_ftp(a_part_is_of_the_version_that_is_meant),
    cmocka_unit_test_ftp(head_asks_and_fetches_nothing),
    cmocka_unit_test_ftp(other_methods_are_not_allowed),
    cmocka_unit_test_ftp(exchanges_share_a_login),
    cmocka_unit_test_ftp(a_name_and_password_come_from_the_authorization_header),
    cmocka_unit_test_ftp(a_password_is_no_command),
    cmocka_unit_test_ftp(a_path_is_no_command),
    cmocka_unit_test_ftp(folders_and_translations_are_no_files),
    cmocka_unit_test_ftp(refusals_are_statuses),
    cmocka_unit_test_ftp(a_folder_that_is_not_there_is_404),
    cmocka_unit_test_ftp(what_is_no_ftp_is_an_error),
    cmocka_unit_test_ftp(a_server_that_is_not_there_is_a_connection_error),
    cmocka_unit_test_ftp(without_a_size_the_whole_file_comes),
    cmocka_unit_test_ftp(without_restart_the_whole_file_comes),
    cmocka_unit_test_ftp(what_one_server_can_do_is_not_asked_of_the_next),
    cmocka_unit_test_ftp(a_file_that_changes_before_it_comes_is_an_error),
    cmocka_unit_test_ftp(data_that_cannot_be_reached_is_a_connection_error),
    cmocka_unit_test_ftp(without_a_date_the_file_comes),
    cmocka_unit_test_ftp(data_never_comes_from_another_host),
    cmocka_unit_test_ftp(data_that_ends_early_is_incomplete),
    cmocka_unit_test_ftp(data_that_ends_early_with_an_error_is_incomplete),
    cmocka_unit_test_ftp(data_without_a_size_that_ends_with_an_error_is_incomplete),
    cmocka_unit_test_ftp(data_that_waits_times_out_and_loses_nothing),
    cmocka_unit_test_ftp(all_bytes_are_all_though_the_last_reply_never_comes),
    cmocka_unit_test_ftp(a_close_in_the_middle_does_not_wait),
    cmocka_unit_test_ftp(a_goodbye_is_not_waited_for),
};

TEST_MAIN(tests)
