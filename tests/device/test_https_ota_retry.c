/* SPDX-License-Identifier: Apache-2.0 */
/* Connections that fail on the way: the download goes on, or starts over, or ends; and each within its limits. */
#include <stdlib.h>

#include "otter/otter_device.h"
#include "otter/otter_download.h"
#include "otter/otter_os.h"
#include "tests/device/https_ota_fake.h"

#define RETRIES 3

static otter_download_limits_t patient(void)
{
    otter_download_limits_t limits;
    otter_download_get_limits(&limits);
    limits.retries = RETRIES;
    limits.backoff_first_ms = 1;
    limits.backoff_most_ms = 4;
    limits.resume = false; /* Each update for itself. */
    return limits;
}

static int set_up(void **state)
{
    assert_int_equal(bench_setup(state), 0);
    otter_download_limits_t limits = patient();
    assert_err(otter_download_set_limits(&limits), ESP_OK);
    return 0;
}

/* An update through these answers, each used once, works. */
static void assert_updates(bench_t *bench, const http_fake_exchange_t *answers, size_t count)
{
    http_fake_script(answers, count);
    assert_err(fake_update(), ESP_OK);
    assert_int_equal(http_fake_seen()->request_count, count);
    bench_assert_switched(bench);
}

/* ---- going on ---- */

static void dropped_connection_goes_on_where_it_was(void **state)
{
    bench_t *bench = *state;
    http_fake_exchange_t answers[] = {fake_dropped(bench, 10000), fake_ranged(bench)};
    assert_updates(bench, answers, 2);
    fake_assert_header(0, "Range", NULL);
    fake_assert_header(1, "Range", "bytes=10000-");
    fake_assert_header(1, "If-Range", FAKE_ETAG);
    assert_true(http_fake_seen()->breaks > 0);
    assert_int_equal(http_fake_seen()->body_bytes, bench->image_len);
}

static void drops_that_got_further_are_not_counted(void **state)
{
    bench_t *bench = *state;
    http_fake_exchange_t drops = fake_dropped(bench, 700);
    drops.again = true;
    fake_answer(&drops);
    assert_err(fake_update(), ESP_OK);
    bench_assert_switched(bench);
    assert_true(http_fake_seen()->breaks > 10 * RETRIES);
    assert_int_equal(http_fake_seen()->body_bytes, bench->image_len);
}

static void drop_at_any_offset_costs_no_byte_twice(void **state)
{
    bench_t *bench = *state;
    for (size_t at = 0; at <= bench->image_len; at += 511) {
        http_fake_exchange_t answers[] = {fake_dropped(bench, at), fake_ranged(bench)};
        answers[0].break_error = at % 2 == 0 ? ESP_FAIL : ESP_ERR_HTTP_INCOMPLETE_DATA;
        http_fake_script(answers, 2);
        assert_err(fake_update(), ESP_OK);
        assert_true(http_fake_seen()->breaks > 0);
        assert_int_equal(http_fake_seen()->body_bytes, bench->image_len);
        bench_assert_switched(bench);
    }
}

static void descriptor_query_goes_on_after_a_drop(void **state)
{
    bench_t *bench = *state;
    http_fake_exchange_t answers[] = {fake_dropped(bench, 500), fake_ranged(bench)};
    http_fake_script(answers, 2);
    esp_https_ota_handle_t handle = fake_begun();
    esp_app_desc_t desc;
    assert_err(esp_https_ota_get_img_desc(handle, &desc), ESP_OK);
    assert_string_equal(desc.version, "2.0.0");
    assert_true(http_fake_seen()->breaks > 0);
    assert_err(fake_download(handle), ESP_OK);
    assert_err(esp_https_ota_finish(handle), ESP_OK);
    bench_assert_switched(bench);
}

static void chunked_body_goes_on_too(void **state)
{
    bench_t *bench = *state;
    http_fake_exchange_t answers[] = {fake_dropped(bench, 10000), fake_ranged(bench)};
    answers[0].chunked = true;
    answers[1].chunked = true;
    assert_updates(bench, answers, 2);
    fake_assert_header(1, "Range", "bytes=10000-");
}

static void drop_behind_the_last_byte_of_unknown_length_is_settled_by_416(void **state)
{
    bench_t *bench = *state;
    http_fake_exchange_t answers[] = {fake_dropped(bench, bench->image_len), fake_ranged(bench)};
    answers[0].chunked = true;
    assert_updates(bench, answers, 2);
    assert_true(http_fake_seen()->breaks > 0);
    assert_int_equal(http_fake_seen()->body_bytes, bench->image_len);
}

/* A part of the image, as a server that was not asked for less might send it. */
static http_fake_exchange_t part_of(const bench_t *bench, const char *headers, size_t from, size_t len)
{
    return (http_fake_exchange_t){.status = 206, .headers = headers, .body = bench->image + from, .body_len = len};
}

static const char *say_range(char text[96], size_t from, size_t to, size_t total)
{
    snprintf(text, 96, "Content-Range: bytes %zu-%zu/%zu\n", from, to, total);
    return text;
}

static void part_shorter_than_asked_is_taken_and_the_rest_asked_for(void **state)
{
    bench_t *bench = *state;
    char range[96];
    say_range(range, 5000, 9999, bench->image_len);
    http_fake_exchange_t answers[] = {fake_dropped(bench, 5000), part_of(bench, range, 5000, 5000), fake_ranged(bench)};
    assert_updates(bench, answers, 3);
    fake_assert_header(2, "Range", "bytes=10000-");
}

static void part_longer_than_it_says_is_read_to_where_it_says(void **state)
{
    bench_t *bench = *state;
    char range[96];
    say_range(range, 5000, 9999, bench->image_len);
    http_fake_exchange_t answers[] = {fake_dropped(bench, 5000), part_of(bench, range, 5000, 9000), fake_ranged(bench)};
    answers[1].chunked = true;
    assert_updates(bench, answers, 3);
    fake_assert_header(2, "Range", "bytes=10000-");
}

static void empty_parts_are_not_asked_for_for_ever(void **state)
{
    bench_t *bench = *state;
    char range[96];
    say_range(range, 5000, 9999, bench->image_len);
    http_fake_exchange_t answers[] = {fake_dropped(bench, 5000), part_of(bench, range, 5000, 0)};
    answers[1].chunked = true;
    answers[1].again = true;
    http_fake_script(answers, 2);
    assert_err(fake_update(), ESP_FAIL);
    assert_int_equal(http_fake_seen()->request_count, 1 + RETRIES);
    bench_assert_nothing_switched(bench);
}

/* ---- validators ---- */

static void without_a_validator_the_file_starts_over(void **state)
{
    bench_t *bench = *state;
    http_fake_exchange_t answers[] = {fake_dropped(bench, 10000), fake_ranged(bench)};
    answers[0].etag = NULL;
    answers[1].etag = NULL;
    assert_updates(bench, answers, 2);
    fake_assert_header(1, "Range", NULL);
    assert_int_equal(http_fake_seen()->body_bytes, 10000 + bench->image_len);
}

#define MODIFIED "Tue, 24 Nov 2026 10:00:00 GMT"

static void old_last_modified_is_a_validator(void **state)
{
    bench_t *bench = *state;
    char range[96];
    say_range(range, 10000, bench->image_len - 1, bench->image_len);
    http_fake_exchange_t answers[] = {fake_dropped(bench, 10000),
                                      part_of(bench, range, 10000, bench->image_len - 10000)};
    answers[0].etag = NULL;
    answers[0].headers = "Last-Modified: " MODIFIED "\nDate: Wed, 25 Nov 2026 10:00:00 GMT\n";
    assert_updates(bench, answers, 2);
    fake_assert_header(1, "Range", "bytes=10000-");
    fake_assert_header(1, "If-Range", MODIFIED);
}

static void what_does_not_identify_the_file_is_no_validator(void **state)
{
    bench_t *bench = *state;
    const struct {
        const char *etag;
        const char *headers;
    } table[] = {
        {"W/\"v2\"", NULL},
        {"v2", NULL},
        {NULL, "Last-Modified: " MODIFIED "\n"},
        {NULL, "Last-Modified: " MODIFIED "\nDate: " MODIFIED "\n"},
        {NULL, "Last-Modified: yesterday\nDate: Wed, 25 Nov 2026 10:00:00 GMT\n"},
        {"W/\"v2\"", "Last-Modified: " MODIFIED "\nDate: Wed, 25 Nov 2026 10:00:00 GMT\n"},
    };
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        http_fake_exchange_t answers[] = {fake_dropped(bench, 10000), fake_ranged(bench)};
        answers[0].etag = table[i].etag;
        answers[0].headers = table[i].headers;
        assert_updates(bench, answers, 2);
        fake_assert_header(1, "Range", NULL);
        fake_assert_header(1, "If-Range", NULL);
    }
}

/* ---- starting over ---- */

static void drop_in_the_head_leaves_nothing_of_it_behind(void **state)
{
    bench_t *bench = *state;
    http_fake_exchange_t answers[] = {fake_dropped(bench, 500), fake_ranged(bench)};
    answers[0].etag = NULL;
    http_fake_script(answers, 2);
    esp_https_ota_handle_t handle = fake_begun();
    while (esp_https_ota_get_image_len_read(handle) <= 0) {
        assert_err(esp_https_ota_perform(handle), ESP_ERR_HTTPS_OTA_IN_PROGRESS);
    }
    assert_int_equal(esp_https_ota_get_image_len_read(handle), 1024);
    assert_err(fake_download(handle), ESP_OK);
    assert_err(esp_https_ota_finish(handle), ESP_OK);
    bench_assert_switched(bench);
}

static void drops_before_the_first_byte_start_nothing_over(void **state)
{
    bench_t *bench = *state;
    http_fake_exchange_t answers[] = {fake_dropped(bench, 0), fake_dropped(bench, 0), fake_dropped(bench, 0),
                                      fake_good(bench)};
    http_fake_script(answers, 4);
    esp_https_ota_handle_t handle = fake_begun();
    assert_err(fake_download(handle), ESP_OK);
    otter_download_progress_t progress;
    assert_err(otter_download_get_progress(handle, &progress), ESP_OK);
    assert_int_equal(progress.restarts, 0);
    assert_int_equal(progress.reconnects, 3);
    assert_err(esp_https_ota_finish(handle), ESP_OK);
    bench_assert_switched(bench);
}

static void changed_file_starts_over_with_the_answer_that_says_so(void **state)
{
    bench_t *bench = *state;
    uint8_t *old = malloc(bench->image_len);
    memcpy(old, bench->image, bench->image_len);
    old[20000] ^= 1;
    http_fake_exchange_t answers[] = {fake_dropped(bench, 10000), fake_ranged(bench)};
    answers[0].body = old;
    answers[0].etag = "\"v1\"";
    assert_updates(bench, answers, 2);
    fake_assert_header(1, "If-Range", "\"v1\"");
    assert_int_equal(http_fake_seen()->body_bytes, 10000 + bench->image_len);
    free(old);
}

static void progress_starts_over_with_the_file(void **state)
{
    bench_t *bench = *state;
    http_fake_exchange_t answers[] = {fake_dropped(bench, 10000), fake_ranged(bench)};
    answers[1].etag = "\"v3\"";
    http_fake_script(answers, 2);
    esp_https_ota_handle_t handle = fake_begun();
    otter_download_progress_t progress;
    int len = 0;
    int falls = 0;
    while (esp_https_ota_perform(handle) == ESP_ERR_HTTPS_OTA_IN_PROGRESS) {
        int now = esp_https_ota_get_image_len_read(handle);
        assert_true(now >= 0);
        falls += now < len;
        len = now;
    }
    assert_int_equal(falls, 1);
    assert_int_equal(len, bench->image_len);
    assert_err(otter_download_get_progress(handle, &progress), ESP_OK);
    assert_int_equal(progress.restarts, 1);
    assert_int_equal(progress.reconnects, 1);
    assert_int_equal(progress.bytes, bench->image_len);
    assert_int_equal(progress.total, bench->image_len);
    assert_err(esp_https_ota_finish(handle), ESP_OK);
    bench_assert_switched(bench);
}

static void ranges_that_do_not_fit_start_the_file_over(void **state)
{
    bench_t *bench = *state;
    size_t len = bench->image_len;
    char texts[5][160];
    snprintf(texts[0], 160, "Content-Range: bytes 9999-%zu/%zu\n", len - 1, len);
    snprintf(texts[1], 160, "Content-Range: bytes 10000-%zu/%zu\n", len - 1, len + 1);
    snprintf(texts[2], 160, "Content-Range: bytes 10000-%zu/%zu\n", len - 2, len);
    snprintf(texts[3], 160, "Content-Range: bytes 10000-%zu/%zu\nETag: \"v3\"\n", len - 1, len);
    snprintf(texts[4], 160, "Content-Range: bytes 10000-%zu/*\n", len - 1);
    const char *headers[] = {texts[0],
                             texts[1],
                             texts[2],
                             texts[3],
                             texts[4],
                             "Content-Type: multipart/byteranges; boundary=x\n",
                             "Content-Range: pages 1-2/3\n",
                             "Content-Range: bytes 10000-\n"};
    for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
        http_fake_exchange_t answers[] = {fake_dropped(bench, 10000), part_of(bench, headers[i], 10000, len - 10000),
                                          fake_ranged(bench)};
        assert_updates(bench, answers, 3);
        fake_assert_header(1, "Range", "bytes=10000-");
        fake_assert_header(2, "Range", NULL);
        assert_int_equal(http_fake_seen()->request[1].sent_bytes, 0);
    }
}

static void unsatisfied_range_starts_the_file_over(void **state)
{
    bench_t *bench = *state;
    http_fake_exchange_t answers[] = {
        fake_dropped(bench, 10000), {.status = 416, .headers = "Content-Range: bytes */9000\n"}, fake_ranged(bench)};
    assert_updates(bench, answers, 3);
    fake_assert_header(2, "Range", NULL);
}

static void server_whose_ranges_never_fit_is_given_up(void **state)
{
    bench_t *bench = *state;
    http_fake_exchange_t answers[] = {fake_dropped(bench, 10000),
                                      part_of(bench, "Content-Range: bytes 1-20000/30000\n", 1, 20000)};
    answers[1].again = true;
    http_fake_script(answers, 2);
    assert_err(fake_update(), ESP_ERR_INVALID_RESPONSE);
    /* Each try but the first asks twice: for the rest, then for all. */
    assert_in_range(http_fake_seen()->request_count, 1 + RETRIES, 1 + 2 * (RETRIES + 1));
    bench_assert_nothing_switched(bench);
}

static void server_that_always_breaks_off_at_the_same_place_is_given_up(void **state)
{
    bench_t *bench = *state;
    http_fake_exchange_t breaks = fake_dropped(bench, 10000);
    breaks.etag = NULL;
    breaks.again = true;
    fake_answer(&breaks);
    assert_err(fake_update(), ESP_FAIL);
    assert_int_equal(http_fake_seen()->request_count, 1 + RETRIES);
    assert_true(http_fake_seen()->breaks > RETRIES);
    bench_assert_nothing_switched(bench);
}

static void file_is_not_started_over_for_ever_while_it_gets_further(void **state)
{
    bench_t *bench = *state;
    http_fake_exchange_t answers[16];
    for (size_t i = 0; i < 16; i++) {
        answers[i] = fake_dropped(bench, 5000 + 1000 * i);
        answers[i].etag = NULL;
    }
    http_fake_script(answers, 16);
    assert_err(fake_update(), ESP_FAIL);
    assert_int_equal(http_fake_seen()->request_count, 2 + RETRIES);
    bench_assert_nothing_switched(bench);
}

static void file_that_grew_too_large_is_refused(void **state)
{
    bench_t *bench = *state;
    http_fake_exchange_t answers[] = {fake_dropped(bench, 10000), fake_good(bench)};
    answers[1].announced_len = BENCH_SLOT_BYTES + 1;
    http_fake_script(answers, 2);
    assert_err(fake_update(), ESP_ERR_INVALID_SIZE);
    assert_int_equal(http_fake_seen()->request_count, 2);
    bench_assert_nothing_switched(bench);
}

static void file_that_started_over_is_checked_from_its_head(void **state)
{
    bench_t *bench = *state;
    fixture_image_t spec = FIXTURE_IMAGE_FOR(ESP_CHIP_ID_ESP32C3, "bench", "3.0.0");
    size_t len;
    uint8_t *image = fixture_image(&spec, &len);
    http_fake_exchange_t answers[] = {fake_dropped(bench, 10000), {.body = image, .body_len = len}};
    http_fake_script(answers, 2);
    assert_err(fake_update(), ESP_ERR_INVALID_VERSION);
    assert_int_equal(http_fake_seen()->request_count, 2);
    bench_assert_nothing_switched(bench);
    free(image);
}

/* ---- what is tried again ---- */

static void server_that_is_not_well_is_asked_again(void **state)
{
    bench_t *bench = *state;
    const int statuses[] = {408, 429, 500, 502, 503, 504};
    for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
        http_fake_exchange_t ill = {.status = statuses[i], .body = "no", .body_len = 2};
        http_fake_exchange_t first[] = {ill, ill, fake_ranged(bench)};
        assert_updates(bench, first, 3);
        http_fake_exchange_t later[] = {fake_dropped(bench, 10000), ill, fake_ranged(bench)};
        assert_updates(bench, later, 3);
        fake_assert_header(2, "Range", "bytes=10000-");
    }
}

static void server_that_says_no_is_not_asked_again(void **state)
{
    bench_t *bench = *state;
    const int statuses[] = {400, 401, 403, 404, 410, 416, 501, 505};
    for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
        http_fake_exchange_t no = {.status = statuses[i], .body = "no", .body_len = 2};
        fake_answer(&no);
        assert_true(fake_update() != ESP_OK);
        assert_int_equal(http_fake_seen()->request_count, 1);
    }
    bench_assert_nothing_switched(bench);
}

static void file_that_is_gone_when_it_is_to_go_on_ends_the_download(void **state)
{
    bench_t *bench = *state;
    http_fake_exchange_t answers[] = {fake_dropped(bench, 10000), {.status = 404}};
    http_fake_script(answers, 2);
    assert_err(fake_update(), ESP_FAIL);
    assert_int_equal(http_fake_seen()->request_count, 2);
    bench_assert_nothing_switched(bench);
}

static void tries_without_a_byte_are_limited_and_the_last_code_is_answered(void **state)
{
    bench_t *bench = *state;
    const struct {
        http_fake_exchange_t answer;
        esp_err_t expected;
    } table[] = {
        {{.open_error = ESP_ERR_HTTP_CONNECT}, ESP_ERR_HTTP_CONNECT},
        {{.open_error = ESP_ERR_HTTP_WRITE_DATA}, ESP_ERR_HTTP_WRITE_DATA},
        {{.open_error = ESP_ERR_HTTP_FETCH_HEADER}, ESP_FAIL},
        {{.head_stalls = true}, ESP_ERR_TIMEOUT},
        {{.status = 503}, ESP_FAIL},
    };
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        http_fake_exchange_t answer = table[i].answer;
        answer.again = true;
        esp_https_ota_handle_t handle = NULL;
        fake_answer(&answer);
        assert_err(fake_begin(&handle), table[i].expected);
        assert_null(handle);
        assert_int_equal(http_fake_seen()->request_count, 1 + RETRIES);
        http_fake_exchange_t answers[] = {fake_dropped(bench, 10000), answer};
        http_fake_script(answers, 2);
        assert_err(fake_update(), table[i].expected);
        assert_int_equal(http_fake_seen()->request_count, 1 + RETRIES);
    }
    bench_assert_nothing_switched(bench);
}

static void connection_that_fails_at_first_is_tried_again(void **state)
{
    bench_t *bench = *state;
    http_fake_exchange_t answers[] = {{.open_error = ESP_ERR_HTTP_CONNECT}, {.head_stalls = true}, fake_good(bench)};
    assert_updates(bench, answers, 3);
    assert_int_equal(http_fake_seen()->stalls, 1);
}

static void certificate_that_is_refused_is_not_tried_again(void **state)
{
    bench_t *bench = *state;
    http_fake_exchange_t refused = {.open_error = ESP_ERR_HTTP_CONNECT, .refused = true};
    fake_answer(&refused);
    assert_err(fake_update(), ESP_ERR_HTTP_CONNECT);
    assert_int_equal(http_fake_seen()->request_count, 1);
    http_fake_exchange_t answers[] = {fake_dropped(bench, 10000), refused};
    http_fake_script(answers, 2);
    assert_err(fake_update(), ESP_ERR_HTTP_CONNECT);
    assert_int_equal(http_fake_seen()->request_count, 2);
    bench_assert_nothing_switched(bench);
}

static esp_err_t post_a_question(esp_http_client_handle_t client)
{
    esp_http_client_set_method(client, HTTP_METHOD_POST);
    return esp_http_client_set_post_field(client, "device=42", 9);
}

static esp_err_t update_by_post(void)
{
    esp_http_client_config_t client = fake_client();
    esp_https_ota_config_t config = {.http_config = &client, .http_client_init_cb = post_a_question};
    return esp_https_ota(&config);
}

static void post_is_repeated_only_if_it_was_not_sent(void **state)
{
    bench_t *bench = *state;
    http_fake_exchange_t unsent[] = {{.open_error = ESP_ERR_HTTP_CONNECT}, fake_ranged(bench)};
    http_fake_script(unsent, 2);
    assert_err(update_by_post(), ESP_OK);
    assert_string_equal(http_fake_seen()->request[1].body, "device=42");
    http_fake_exchange_t sent = fake_dropped(bench, 10000);
    fake_answer(&sent);
    assert_err(update_by_post(), ESP_FAIL);
    assert_int_equal(http_fake_seen()->request_count, 1);
    assert_true(http_fake_seen()->breaks > 0);
    http_fake_exchange_t unanswered = {.open_error = ESP_ERR_HTTP_FETCH_HEADER};
    fake_answer(&unanswered);
    assert_err(update_by_post(), ESP_FAIL);
    assert_int_equal(http_fake_seen()->request_count, 1);
}

static esp_err_t set_token(esp_http_client_handle_t client)
{
    return esp_http_client_set_header(client, "Authorization", "Bearer river");
}

static void redirected_download_goes_on_from_its_first_url(void **state)
{
    bench_t *bench = *state;
    http_fake_exchange_t answers[] = {
        {.status = 302, .headers = "Location: https://cdn.example/a?signature=1\n"},
        fake_dropped(bench, 10000),
        {.status = 302, .headers = "Location: https://cdn.example/a?signature=2\n"},
        fake_ranged(bench),
    };
    http_fake_script(answers, 4);
    esp_http_client_config_t client = fake_client();
    esp_https_ota_config_t config = {.http_config = &client, .http_client_init_cb = set_token};
    assert_err(esp_https_ota(&config), ESP_OK);
    bench_assert_switched(bench);
    assert_string_equal(http_fake_seen()->request[2].url, FAKE_URL);
    assert_string_equal(http_fake_seen()->request[3].url, "https://cdn.example/a?signature=2");
    fake_assert_header(3, "Range", "bytes=10000-");
    fake_assert_header(0, "Authorization", "Bearer river");
    fake_assert_header(1, "Authorization", NULL);
    fake_assert_header(2, "Authorization", "Bearer river");
    fake_assert_header(3, "Authorization", NULL);
}

static void redirected_download_answers_the_challenge_of_its_first_server_again(void **state)
{
    bench_t *bench = *state;
    const char basic[] = "Basic b3R0ZXI6cml2ZXI=";
    const http_fake_exchange_t who = {.status = 401, .headers = "WWW-Authenticate: Basic realm=\"fw\"\n"};
    const http_fake_exchange_t moved = {.status = 302, .headers = "Location: https://cdn.example/a\n"};
    http_fake_exchange_t answers[] = {who, moved, fake_dropped(bench, 10000), who, moved, fake_ranged(bench)};
    http_fake_script(answers, 6);
    esp_http_client_config_t client = fake_client();
    client.username = "otter";
    client.password = "river";
    esp_https_ota_config_t config = {.http_config = &client};
    assert_err(esp_https_ota(&config), ESP_OK);
    bench_assert_switched(bench);
    for (size_t i = 0; i < 6; i++) {
        bool first_server = i % 3 < 2;
        assert_string_equal(http_fake_seen()->request[i].url, first_server ? FAKE_URL : "https://cdn.example/a");
        fake_assert_header(i, "Authorization", i % 3 == 1 ? basic : NULL);
    }
    fake_assert_header(5, "Range", "bytes=10000-");
}

/* ---- codings ---- */

static void compressed_file_is_refused_before_anything_is_written(void **state)
{
    bench_t *bench = *state;
    http_fake_exchange_t gzip = fake_good(bench);
    gzip.headers = "Content-Encoding: gzip\n";
    fake_answer(&gzip);
    assert_err(fake_update(), ESP_ERR_NOT_SUPPORTED);
    fake_assert_header(0, "Accept-Encoding", "identity");
    assert_int_equal(http_fake_seen()->request_count, 1);
    assert_int_equal(http_fake_seen()->body_bytes, 0);
    assert_int_equal(bench->slot_erases + bench->slot_programs + bench->otadata_changes, 0);
    http_fake_exchange_t answers[] = {fake_dropped(bench, 10000), gzip};
    http_fake_script(answers, 2);
    assert_err(fake_update(), ESP_ERR_NOT_SUPPORTED);
    bench_assert_nothing_switched(bench);
}

static void coding_that_is_none_is_accepted(void **state)
{
    bench_t *bench = *state;
    http_fake_exchange_t plain = fake_good(bench);
    plain.headers = "Content-Encoding: Identity\n";
    assert_updates(bench, &plain, 1);
}

static esp_err_t ask_for_gzip(esp_http_client_handle_t client)
{
    return esp_http_client_set_header(client, "Accept-Encoding", "identity;q=1, gzip;q=0");
}

static void coding_that_the_application_asks_for_is_asked_for(void **state)
{
    bench_t *bench = *state;
    http_fake_exchange_t good = fake_good(bench);
    fake_answer(&good);
    esp_http_client_config_t client = fake_client();
    esp_https_ota_config_t config = {.http_config = &client, .http_client_init_cb = ask_for_gzip};
    assert_err(esp_https_ota(&config), ESP_OK);
    fake_assert_header(0, "Accept-Encoding", "identity;q=1, gzip;q=0");
    bench_assert_switched(bench);
}

/* ---- limits ---- */

static void limit(void (*change)(otter_download_limits_t *limits))
{
    otter_download_limits_t limits = patient();
    change(&limits);
    assert_err(otter_download_set_limits(&limits), ESP_OK);
}

static void idle_soon(otter_download_limits_t *limits)
{
    limits->idle_ms = 3 * FAKE_WAIT_MS;
}

static void silent_connection_is_made_anew(void **state)
{
    bench_t *bench = *state;
    limit(idle_soon);
    http_fake_exchange_t answers[] = {fake_ranged(bench), fake_ranged(bench)};
    answers[0].stall_at = 10000;
    answers[0].stall_reads = HTTP_FAKE_FOREVER;
    assert_updates(bench, answers, 2);
    fake_assert_header(1, "Range", "bytes=10000-");
    assert_in_range(http_fake_seen()->stalls, 1, 5); /* Fewer where the machine is busy. */
}

static void idle_for_ever(otter_download_limits_t *limits)
{
    limits->idle_ms = 0;
}

static void silence_without_a_limit_is_waited_out(void **state)
{
    bench_t *bench = *state;
    limit(idle_for_ever);
    http_fake_exchange_t slow = fake_ranged(bench);
    slow.stall_at = 10000;
    slow.stall_reads = 4;
    assert_updates(bench, &slow, 1);
    assert_int_equal(http_fake_seen()->stalls, 4);
}

static void want_speed(otter_download_limits_t *limits)
{
    limits->min_bytes_per_s = 1000000;
    limits->min_speed_ms = 4 * FAKE_WAIT_MS;
}

static void slow_connection_is_made_anew(void **state)
{
    bench_t *bench = *state;
    limit(want_speed);
    http_fake_exchange_t answers[] = {fake_ranged(bench), fake_ranged(bench)};
    answers[0].stall_at = 100;
    answers[0].stall_reads = 1;
    answers[0].stall_again = true;
    assert_updates(bench, answers, 2);
    assert_true(http_fake_seen()->stalls > 0);
    assert_true(http_fake_seen()->request[0].sent_bytes < 5000);
    assert_int_equal(http_fake_seen()->body_bytes, bench->image_len);
}

static void fast_enough_is_left_alone(void **state)
{
    bench_t *bench = *state;
    limit(want_speed);
    http_fake_exchange_t fast = fake_ranged(bench);
    assert_updates(bench, &fast, 1);
}

static void stall_soon(otter_download_limits_t *limits)
{
    limits->stall_ms = 60;
    limits->retries = 1000;
    limits->idle_ms = FAKE_WAIT_MS;
}

static void silence_is_limited_over_all_tries(void **state)
{
    bench_t *bench = *state;
    limit(stall_soon);
    http_fake_exchange_t silent = {.head_stalls = true, .again = true};
    http_fake_exchange_t answers[] = {fake_dropped(bench, 10000), silent};
    for (size_t skip = 0; skip < 2; skip++) {
        http_fake_script(answers + skip, 2 - skip);
        int64_t start_us = otter_now_us();
        assert_err(fake_update(), ESP_ERR_TIMEOUT);
        assert_true(otter_now_us() - start_us >= 60000);
        assert_true(http_fake_seen()->stalls > 0);
    }
    bench_assert_nothing_switched(bench);
}

static void hurry(otter_download_limits_t *limits)
{
    limits->total_ms = 60;
}

static void total_time_is_limited(void **state)
{
    bench_t *bench = *state;
    limit(hurry);
    http_fake_exchange_t trickle = fake_ranged(bench);
    trickle.stall_at = 100;
    trickle.stall_reads = 1;
    trickle.stall_again = true;
    fake_answer(&trickle);
    int64_t start_us = otter_now_us();
    esp_https_ota_handle_t handle = fake_begun();
    assert_err(fake_download(handle), ESP_ERR_TIMEOUT);
    assert_true(otter_now_us() - start_us >= 60000);
    assert_true(esp_https_ota_get_image_len_read(handle) < (int)bench->image_len);
    assert_err(esp_https_ota_abort(handle), ESP_OK);
    bench_assert_nothing_switched(bench);
}

static void pause_long(otter_download_limits_t *limits)
{
    limits->backoff_first_ms = 20;
    limits->backoff_most_ms = 40;
}

static void pauses_grow_up_to_their_limit(void **state)
{
    (void)state;
    limit(pause_long);
    http_fake_exchange_t down = {.open_error = ESP_ERR_HTTP_CONNECT, .again = true};
    fake_answer(&down);
    int64_t start_us = otter_now_us();
    assert_err(fake_update(), ESP_ERR_HTTP_CONNECT);
    /* 20, 40, 40 ms, of which half is random. */
    assert_true(otter_now_us() - start_us >= (10 + 20 + 20) * 1000);
    assert_int_equal(http_fake_seen()->request_count, 1 + RETRIES);
}

static void retry_often(otter_download_limits_t *limits)
{
    limits->retries = 14;
    limits->backoff_first_ms = 1;
    limits->backoff_most_ms = 2;
}

static void pauses_do_not_grow_beyond_their_limit(void **state)
{
    (void)state;
    limit(retry_often);
    http_fake_exchange_t down = {.open_error = ESP_ERR_HTTP_CONNECT, .again = true};
    fake_answer(&down);
    int64_t start_us = otter_now_us();
    assert_err(fake_update(), ESP_ERR_HTTP_CONNECT);
    assert_int_equal(http_fake_seen()->request_count, 15);
    /* 28 ms at most, where doubling would have made 8 to 16 s of it. */
    assert_true(otter_now_us() - start_us < 5000000);
}

static void retry_after_is_honoured_up_to_the_limit(void **state)
{
    bench_t *bench = *state;
    otter_download_limits_t limits = patient();
    limits.backoff_most_ms = 50;
    assert_err(otter_download_set_limits(&limits), ESP_OK);
    http_fake_exchange_t answers[] = {{.status = 503, .headers = "Retry-After: 3600\n"}, fake_good(bench)};
    int64_t start_us = otter_now_us();
    assert_updates(bench, answers, 2);
    int64_t spent_us = otter_now_us() - start_us;
    assert_true(spent_us >= 50000 && spent_us < 5000000);
}

static void perform_answers_while_it_waits_to_try_again(void **state)
{
    bench_t *bench = *state;
    limit(pause_long);
    http_fake_exchange_t answers[] = {fake_dropped(bench, 10000), fake_ranged(bench)};
    http_fake_script(answers, 2);
    esp_https_ota_handle_t handle = fake_begun();
    int empty_handed = 0;
    int len = 0;
    while (esp_https_ota_perform(handle) == ESP_ERR_HTTPS_OTA_IN_PROGRESS) {
        int now = esp_https_ota_get_image_len_read(handle);
        empty_handed += now == len;
        len = now;
    }
    assert_true(empty_handed > 0);
    assert_err(esp_https_ota_finish(handle), ESP_OK);
    bench_assert_switched(bench);
}

static void read_slowly(otter_download_limits_t *limits)
{
    limits->max_bytes_per_s = 200000;
}

static void bandwidth_is_limited(void **state)
{
    bench_t *bench = *state;
    limit(read_slowly);
    http_fake_exchange_t good = fake_good(bench);
    int64_t start_us = otter_now_us();
    assert_updates(bench, &good, 1);
    int64_t least_us = ((int64_t)bench->image_len - 20000) * 1000000 / 200000;
    assert_true(otter_now_us() - start_us >= least_us);
}

static void limits_that_make_no_sense_are_refused(void **state)
{
    (void)state;
    otter_download_limits_t limits = patient();
    assert_err(otter_download_set_limits(NULL), ESP_ERR_INVALID_ARG);
    limits.backoff_first_ms = limits.backoff_most_ms + 1;
    assert_err(otter_download_set_limits(&limits), ESP_ERR_INVALID_ARG);
    limits = patient();
    limits.min_bytes_per_s = 1;
    limits.min_speed_ms = 0;
    assert_err(otter_download_set_limits(&limits), ESP_ERR_INVALID_ARG);
    otter_download_get_limits(&limits);
    assert_int_equal(limits.retries, RETRIES);
    assert_int_equal(limits.min_bytes_per_s, 0);
}

static void limits_are_those_of_the_device_until_they_are_set(void **state)
{
    bench_t *bench = *state;
    otter_config_t config = bench_config();
    config.download.retries = 77;
    bench_configure(bench, &config);
    otter_download_limits_t limits;
    otter_download_get_limits(&limits);
    assert_int_equal(limits.retries, 77);
    limits.retries = 78;
    assert_err(otter_download_set_limits(&limits), ESP_OK);
    otter_download_get_limits(&limits);
    assert_int_equal(limits.retries, 78);
}

static void progress_of_nothing_is_refused(void **state)
{
    bench_t *bench = *state;
    otter_download_progress_t progress;
    assert_err(otter_download_get_progress(NULL, &progress), ESP_ERR_INVALID_ARG);
    http_fake_exchange_t good = fake_good(bench);
    fake_answer(&good);
    esp_https_ota_handle_t handle = fake_begun();
    assert_err(otter_download_get_progress(handle, NULL), ESP_ERR_INVALID_ARG);
    assert_err(otter_download_get_progress(handle, &progress), ESP_OK);
    assert_int_equal(progress.bytes, 0);
    assert_int_equal(progress.total, bench->image_len);
    assert_err(esp_https_ota_abort(handle), ESP_OK);
}

static void connected_is_told_once_however_often_it_connects(void **state)
{
    bench_t *bench = *state;
    http_fake_exchange_t drops = fake_dropped(bench, 5000);
    drops.again = true;
    fake_answer(&drops);
    assert_err(fake_update(), ESP_OK);
    assert_true(http_fake_seen()->request_count > 3);
    size_t count = bench_await(ESP_HTTPS_OTA_FINISH);
    int connected = 0;
    for (size_t i = 0; i < count; i++) {
        connected += bench_event(i).id == ESP_HTTPS_OTA_CONNECTED;
    }
    assert_int_equal(connected, 1);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown(dropped_connection_goes_on_where_it_was, set_up, fake_teardown),
    cmocka_unit_test_setup_teardown(drops_that_got_further_are_not_counted, set_up, fake_teardown),
    cmocka_unit_test_setup_teardown(drop_at_any_offset_costs_no_byte_twice, set_up, fake_teardown),
    cmocka_unit_test_setup_teardown(descriptor_query_goes_on_after_a_drop, set_up, fake_teardown),
    cmocka_unit_test_setup_teardown(chunked_body_goes_on_too, set_up, fake_teardown),
    cmocka_unit_test_setup_teardown(drop_behind_the_last_byte_of_unknown_length_is_settled_by_416, set_up,
                                    fake_teardown),
    cmocka_unit_test_setup_teardown(part_shorter_than_asked_is_taken_and_the_rest_asked_for, set_up, fake_teardown),
    cmocka_unit_test_setup_teardown(part_longer_than_it_says_is_read_to_where_it_says, set_up, fake_teardown),
    cmocka_unit_test_setup_teardown(empty_parts_are_not_asked_for_for_ever, set_up, fake_teardown),
    cmocka_unit_test_setup_teardown(without_a_validator_the_file_starts_over, set_up, fake_teardown),
    cmocka_unit_test_setup_teardown(old_last_modified_is_a_validator, set_up, fake_teardown),
    cmocka_unit_test_setup_teardown(what_does_not_identify_the_file_is_no_validator, set_up, fake_teardown),
    cmocka_unit_test_setup_teardown(drop_in_the_head_leaves_nothing_of_it_behind, set_up, fake_teardown),
    cmocka_unit_test_setup_teardown(drops_before_the_first_byte_start_nothing_over, set_up, fake_teardown),
    cmocka_unit_test_setup_teardown(changed_file_starts_over_with_the_answer_that_says_so, set_up, fake_teardown),
    cmocka_unit_test_setup_teardown(progress_starts_over_with_the_file, set_up, fake_teardown),
    cmocka_unit_test_setup_teardown(ranges_that_do_not_fit_start_the_file_over, set_up, fake_teardown),
    cmocka_unit_test_setup_teardown(unsatisfied_range_starts_the_file_over, set_up, fake_teardown),
    cmocka_unit_test_setup_teardown(server_whose_ranges_never_fit_is_given_up, set_up, fake_teardown),
    cmocka_unit_test_setup_teardown(server_that_always_breaks_off_at_the_same_place_is_given_up, set_up, fake_teardown),
    cmocka_unit_test_setup_teardown(file_is_not_started_over_for_ever_while_it_gets_further, set_up, fake_teardown),
    cmocka_unit_test_setup_teardown(file_that_grew_too_large_is_refused, set_up, fake_teardown),
    cmocka_unit_test_setup_teardown(file_that_started_over_is_checked_from_its_head, set_up, fake_teardown),
    cmocka_unit_test_setup_teardown(server_that_is_not_well_is_asked_again, set_up, fake_teardown),
    cmocka_unit_test_setup_teardown(server_that_says_no_is_not_asked_again, set_up, fake_teardown),
    cmocka_unit_test_setup_teardown(file_that_is_gone_when_it_is_to_go_on_ends_the_download, set_up, fake_teardown),
    cmocka_unit_test_setup_teardown(tries_without_a_byte_are_limited_and_the_last_code_is_answered, set_up,
                                    fake_teardown),
    cmocka_unit_test_setup_teardown(connection_that_fails_at_first_is_tried_again, set_up, fake_teardown),
    cmocka_unit_test_setup_teardown(certificate_that_is_refused_is_not_tried_again, set_up, fake_teardown),
    cmocka_unit_test_setup_teardown(post_is_repeated_only_if_it_was_not_sent, set_up, fake_teardown),
    cmocka_unit_test_setup_teardown(redirected_download_goes_on_from_its_first_url, set_up, fake_teardown),
    cmocka_unit_test_setup_teardown(redirected_download_answers_the_challenge_of_its_first_server_again, set_up,
                                    fake_teardown),
    cmocka_unit_test_setup_teardown(compressed_file_is_refused_before_anything_is_written, set_up, fake_teardown),
    cmocka_unit_test_setup_teardown(coding_that_is_none_is_accepted, set_up, fake_teardown),
    cmocka_unit_test_setup_teardown(coding_that_the_application_asks_for_is_asked_for, set_up, fake_teardown),
    cmocka_unit_test_setup_teardown(silent_connection_is_made_anew, set_up, fake_teardown),
    cmocka_unit_test_setup_teardown(silence_without_a_limit_is_waited_out, set_up, fake_teardown),
    cmocka_unit_test_setup_teardown(slow_connection_is_made_anew, set_up, fake_teardown),
    cmocka_unit_test_setup_teardown(fast_enough_is_left_alone, set_up, fake_teardown),
    cmocka_unit_test_setup_teardown(silence_is_limited_over_all_tries, set_up, fake_teardown),
    cmocka_unit_test_setup_teardown(total_time_is_limited, set_up, fake_teardown),
    cmocka_unit_test_setup_teardown(pauses_grow_up_to_their_limit, set_up, fake_teardown),
    cmocka_unit_test_setup_teardown(pauses_do_not_grow_beyond_their_limit, set_up, fake_teardown),
    cmocka_unit_test_setup_teardown(retry_after_is_honoured_up_to_the_limit, set_up, fake_teardown),
    cmocka_unit_test_setup_teardown(perform_answers_while_it_waits_to_try_again, set_up, fake_teardown),
    cmocka_unit_test_setup_teardown(bandwidth_is_limited, set_up, fake_teardown),
    cmocka_unit_test_setup_teardown(limits_that_make_no_sense_are_refused, set_up, fake_teardown),
    cmocka_unit_test_setup_teardown(limits_are_those_of_the_device_until_they_are_set, set_up, fake_teardown),
    cmocka_unit_test_setup_teardown(progress_of_nothing_is_refused, set_up, fake_teardown),
    cmocka_unit_test_setup_teardown(connected_is_told_once_however_often_it_connects, set_up, fake_teardown),
};

TEST_MAIN(tests)
