/* SPDX-License-Identifier: Apache-2.0 */
/* HTTP/2 streams that end in every way they can: complete data is told from incomplete, and nothing hangs. */
#include <signal.h>
#include <stdlib.h>

#include "esp_http_client.h"
#include "otter/otter_http.h"
#include "otter/otter_os.h"
#include "tests/servers/h2_server.h"
#include "tests/support/certs.h"
#include "tests/support/test.h"

enum { BODY_LEN = 60000, SOON_MS = 300, LATER_MS = 10000, INTERNAL_ERROR = 2, REFUSED_STREAM = 7 };

typedef struct world {
    certs_ca_t *ca;
    certs_leaf_t leaf;
    h2_server_t *server;
    otter_http_t *http;
    otter_http_response_t response;
    size_t got; /* Bytes of body read. */
} world_t;

static int set_up(void **state)
{
    world_t *world = calloc(1, sizeof(*world));
    assert_non_null(world);
    signal(SIGPIPE, SIG_IGN);
    world->ca = certs_ca_new("Test CA");
    world->leaf = certs_leaf_new(world->ca, &(certs_spec_t){0});
    world->http = otter_http_new(&(otter_http_config_t){.tls.ca_pem = certs_ca_pem(world->ca), .proxy = ""});
    assert_non_null(world->http);
    *state = world;
    return 0;
}

static int tear_down(void **state)
{
    world_t *world = *state;
    otter_http_free(world->http);
    if (world->server != NULL) {
        h2_server_stop(world->server);
    }
    certs_leaf_free(&world->leaf);
    certs_ca_free(world->ca);
    free(world);
    return 0;
}

static void serve(world_t *world, const h2_reply_t *replies, size_t count)
{
    world->server = h2_server_start(world->leaf.cert_pem, world->leaf.key_pem, replies, count);
}

static int64_t in_ms(int ms)
{
    return otter_now_us() + (int64_t)ms * 1000;
}

static esp_err_t open_get(world_t *world)
{
    char url[64];
    snprintf(url, sizeof(url), "https://localhost:%u/x", h2_server_port(world->server));
    const otter_http_request_t request = {.method = "GET", .url = url};
    world->got = 0;
    return otter_http_open(world->http, &request, NULL, NULL, in_ms(LATER_MS), &world->response);
}

/* Reads to the end, in pieces of an odd size, and checks each byte. */
static esp_err_t read_all(world_t *world, int ms)
{
    uint8_t piece[777];
    size_t count = 0;
    esp_err_t err;
    do {
        err = otter_http_read(world->http, piece, sizeof(piece), &count, in_ms(ms));
        for (size_t i = 0; i < count; i++) {
            assert_int_equal(piece[i], h2_byte(world->got + i));
        }
        world->got += count;
    } while (err == ESP_OK && count > 0);
    return err;
}

static void assert_good_exchange(world_t *world)
{
    assert_err(open_get(world), ESP_OK);
    assert_int_equal(world->response.status, 200);
    assert_err(read_all(world, LATER_MS), ESP_OK);
    assert_int_equal(world->got, BODY_LEN);
    otter_http_close(world->http);
}

#define GOOD                                                                                                           \
    {                                                                                                                  \
        .announced = BODY_LEN, .body_len = BODY_LEN, .end = H2_END_STREAM                                              \
    }

static void streams_share_a_connection(void **state)
{
    static const h2_reply_t replies[] = {GOOD, GOOD, GOOD};
    world_t *world = *state;
    serve(world, replies, 3);
    for (int i = 0; i < 3; i++) {
        assert_good_exchange(world);
        assert_true(world->response.keep_alive);
    }
    assert_int_equal(h2_server_connections(world->server), 1);
}

static void a_body_without_length_ends_with_the_stream(void **state)
{
    static const h2_reply_t replies[] = {{.body_len = BODY_LEN, .end = H2_END_STREAM},
                                         {.body_len = BODY_LEN, .end = H2_TRAILER}};
    world_t *world = *state;
    serve(world, replies, 2);
    assert_good_exchange(world);
    assert_int_equal(world->response.content_length, -1);
    assert_true(world->response.chunked);
    assert_good_exchange(world);
}

/* The first of two replies breaks off after its body_len bytes; the second is good, over a connection that works. */
static void assert_incomplete(world_t *world, h2_reply_t bad)
{
    const h2_reply_t replies[] = {bad, GOOD};
    serve(world, replies, 2);
    assert_err(open_get(world), ESP_OK);
    assert_err(read_all(world, LATER_MS), ESP_ERR_HTTP_INCOMPLETE_DATA);
    assert_true(world->got <= bad.body_len);
    assert_true(strlen(otter_http_error(world->http)) > strlen("localhost:65535: "));
    assert_good_exchange(world);
    assert_int_equal(h2_server_requests(world->server), 2);
}

static void a_stream_that_is_reset_is_incomplete(void **state)
{
    assert_incomplete(*state, (h2_reply_t){BODY_LEN, 20000, H2_RST_STREAM, INTERNAL_ERROR});
}

static void a_stream_without_length_that_is_reset_is_incomplete(void **state)
{
    assert_incomplete(*state, (h2_reply_t){0, 20000, H2_RST_STREAM, INTERNAL_ERROR});
}

static void a_stream_that_is_reset_without_an_error_is_incomplete(void **state)
{
    assert_incomplete(*state, (h2_reply_t){BODY_LEN, 20000, H2_RST_STREAM, 0});
}

static void a_goaway_and_the_end_of_the_connection_are_incomplete(void **state)
{
    assert_incomplete(*state, (h2_reply_t){BODY_LEN, 20000, H2_GOAWAY_CLOSE, 0});
}

static void a_goaway_with_an_error_is_incomplete(void **state)
{
    assert_incomplete(*state, (h2_reply_t){0, 20000, H2_GOAWAY_CLOSE, INTERNAL_ERROR});
}

static void a_connection_that_ends_is_incomplete(void **state)
{
    assert_incomplete(*state, (h2_reply_t){BODY_LEN, 20000, H2_CLOSE, 0});
}

static void a_connection_that_ends_without_length_is_incomplete(void **state)
{
    assert_incomplete(*state, (h2_reply_t){0, 20000, H2_CLOSE, 0});
}

static void a_stream_shorter_than_announced_is_incomplete(void **state)
{
    assert_incomplete(*state, (h2_reply_t){BODY_LEN, 20000, H2_END_STREAM, 0});
}

static void a_frame_that_is_too_large_is_incomplete(void **state)
{
    assert_incomplete(*state, (h2_reply_t){BODY_LEN, 20000, H2_GARBAGE, 0});
}

static void a_goaway_lets_the_stream_finish_and_the_next_takes_another_connection(void **state)
{
    static const h2_reply_t replies[] = {{.announced = BODY_LEN, .body_len = BODY_LEN, .end = H2_GOAWAY_FINISH}, GOOD};
    world_t *world = *state;
    serve(world, replies, 2);
    assert_good_exchange(world);
    assert_good_exchange(world);
    assert_int_equal(h2_server_connections(world->server), 2);
}

static void a_stream_that_stalls_times_out_and_loses_nothing(void **state)
{
    static const h2_reply_t replies[] = {{.announced = BODY_LEN, .body_len = 20000, .end = H2_STALL}, GOOD};
    world_t *world = *state;
    serve(world, replies, 2);
    assert_err(open_get(world), ESP_OK);
    assert_err(read_all(world, SOON_MS), ESP_ERR_TIMEOUT);
    assert_int_equal(world->got, 20000);
    otter_http_disconnect(world->http);
    assert_good_exchange(world);
}

static void a_stream_that_is_given_up_leaves_nothing_behind(void **state)
{
    static const h2_reply_t replies[] = {{.announced = BODY_LEN, .body_len = 20000, .end = H2_STALL}, GOOD};
    world_t *world = *state;
    uint8_t first[1000];
    size_t got = 0;
    serve(world, replies, 2);
    assert_err(open_get(world), ESP_OK);
    assert_err(otter_http_read(world->http, first, sizeof(first), &got, in_ms(LATER_MS)), ESP_OK);
    otter_http_close(world->http);
    assert_good_exchange(world);
}

/* Before a head came nothing can be lost; curl may have asked again by itself. */
static void assert_refused(world_t *world, h2_reply_t bad)
{
    const h2_reply_t replies[] = {bad, GOOD, GOOD};
    serve(world, replies, 3);
    esp_err_t err = open_get(world);
    assert_true(err == ESP_OK || err == ESP_ERR_HTTP_FETCH_HEADER);
    if (err == ESP_OK) {
        assert_err(read_all(world, LATER_MS), ESP_OK);
        assert_int_equal(world->got, BODY_LEN);
    }
    assert_good_exchange(world);
    assert_true(h2_server_requests(world->server) >= 2);
}

static void a_refused_stream_may_be_asked_for_again(void **state)
{
    assert_refused(*state, (h2_reply_t){.end = H2_REFUSE, .code = REFUSED_STREAM});
}

static void a_request_that_a_goaway_came_before_may_be_asked_again(void **state)
{
    assert_refused(*state, (h2_reply_t){.end = H2_GOAWAY_FIRST});
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown(streams_share_a_connection, set_up, tear_down),
    cmocka_unit_test_setup_teardown(a_body_without_length_ends_with_the_stream, set_up, tear_down),
    cmocka_unit_test_setup_teardown(a_stream_that_is_reset_is_incomplete, set_up, tear_down),
    cmocka_unit_test_setup_teardown(a_stream_without_length_that_is_reset_is_incomplete, set_up, tear_down),
    cmocka_unit_test_setup_teardown(a_stream_that_is_reset_without_an_error_is_incomplete, set_up, tear_down),
    cmocka_unit_test_setup_teardown(a_goaway_and_the_end_of_the_connection_are_incomplete, set_up, tear_down),
    cmocka_unit_test_setup_teardown(a_goaway_with_an_error_is_incomplete, set_up, tear_down),
    cmocka_unit_test_setup_teardown(a_connection_that_ends_is_incomplete, set_up, tear_down),
    cmocka_unit_test_setup_teardown(a_connection_that_ends_without_length_is_incomplete, set_up, tear_down),
    cmocka_unit_test_setup_teardown(a_stream_shorter_than_announced_is_incomplete, set_up, tear_down),
    cmocka_unit_test_setup_teardown(a_frame_that_is_too_large_is_incomplete, set_up, tear_down),
    cmocka_unit_test_setup_teardown(a_goaway_lets_the_stream_finish_and_the_next_takes_another_connection, set_up,
                                    tear_down),
    cmocka_unit_test_setup_teardown(a_stream_that_stalls_times_out_and_loses_nothing, set_up, tear_down),
    cmocka_unit_test_setup_teardown(a_stream_that_is_given_up_leaves_nothing_behind, set_up, tear_down),
    cmocka_unit_test_setup_teardown(a_refused_stream_may_be_asked_for_again, set_up, tear_down),
    cmocka_unit_test_setup_teardown(a_request_that_a_goaway_came_before_may_be_asked_again, set_up, tear_down),
};

TEST_MAIN(tests)
