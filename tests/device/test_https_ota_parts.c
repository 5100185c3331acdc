/* SPDX-License-Identifier: Apache-2.0 */
/* partial_http_download: many requests for parts instead of one for all. */
#include <stdlib.h>

#include "otter/otter_device.h"
#include "otter/otter_download.h"
#include "tests/device/https_ota_fake.h"

#define PART 8192

static esp_err_t update_in_parts(int request_size)
{
    esp_http_client_config_t client = fake_client();
    esp_https_ota_config_t config = {
        .http_config = &client, .partial_http_download = true, .max_http_request_size = request_size};
    return esp_https_ota(&config);
}

static void try_again(uint32_t retries)
{
    otter_download_limits_t limits;
    otter_download_get_limits(&limits);
    limits.retries = retries;
    assert_err(otter_download_set_limits(&limits), ESP_OK);
}

static http_fake_exchange_t always(http_fake_exchange_t answer)
{
    answer.again = true;
    return answer;
}

static void image_is_asked_for_in_parts(void **state)
{
    bench_t *bench = *state;
    http_fake_exchange_t answer = always(fake_ranged(bench));
    fake_answer(&answer);
    assert_err(update_in_parts(PART), ESP_OK);
    bench_assert_switched(bench);
    const http_fake_seen_t *seen = http_fake_seen();
    assert_in_range(bench->image_len, 3 * PART + 1, 4 * PART);
    assert_int_equal(seen->request_count, 5);
    assert_string_equal(seen->request[0].method, "HEAD");
    fake_assert_header(0, "Range", NULL);
    fake_assert_header(1, "Range", "bytes=0-8191");
    fake_assert_header(2, "Range", "bytes=8192-16383");
    fake_assert_header(3, "Range", "bytes=16384-24575");
    fake_assert_header(4, "Range", "bytes=24576-");
    for (size_t i = 1; i < 5; i++) {
        assert_string_equal(seen->request[i].method, "GET");
        fake_assert_header(i, "If-Range", FAKE_ETAG);
    }
    assert_int_equal(seen->body_bytes, bench->image_len);
    assert_int_equal(seen->disconnect_count, 1); /* At the end. */
}

static void getters_speak_of_the_whole_image(void **state)
{
    bench_t *bench = *state;
    http_fake_exchange_t answer = always(fake_ranged(bench));
    fake_answer(&answer);
    esp_http_client_config_t client = fake_client();
    esp_https_ota_config_t config = {
        .http_config = &client, .partial_http_download = true, .max_http_request_size = PART};
    esp_https_ota_handle_t handle = NULL;
    assert_err(esp_https_ota_begin(&config, &handle), ESP_OK);
    assert_int_equal(esp_https_ota_get_image_size(handle), bench->image_len);
    assert_int_equal(esp_https_ota_get_status_code(handle), 206);
    assert_false(esp_https_ota_is_complete_data_received(handle));
    assert_err(fake_download(handle), ESP_OK);
    assert_true(esp_https_ota_is_complete_data_received(handle));
    assert_int_equal(esp_https_ota_get_image_len_read(handle), bench->image_len);
    assert_err(esp_https_ota_finish(handle), ESP_OK);
    bench_assert_switched(bench);
}

static void image_that_fits_one_request_is_asked_for_whole(void **state)
{
    bench_t *bench = *state;
    const int sizes[] = {0, -1, (int)bench->image_len, (int)bench->image_len + 1};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        memset(bench->bytes + BENCH_OTA_1, 0xff, BENCH_SLOT_BYTES);
        http_fake_exchange_t answer = always(fake_ranged(bench));
        fake_answer(&answer);
        assert_err(update_in_parts(sizes[i]), ESP_OK);
        assert_int_equal(http_fake_seen()->request_count, 2);
        fake_assert_header(1, "Range", NULL);
        bench_assert_switched(bench);
    }
}

static void last_part_is_asked_for_to_the_end_even_if_it_is_a_full_one(void **state)
{
    bench_t *bench = *state;
    char half[32];
    http_fake_exchange_t answer = always(fake_ranged(bench));
    fake_answer(&answer);
    assert_int_equal(bench->image_len % 2, 0);
    assert_err(update_in_parts((int)(bench->image_len / 2)), ESP_OK);
    snprintf(half, sizeof(half), "bytes=%zu-", bench->image_len / 2);
    fake_assert_header(2, "Range", half);
    assert_int_equal(http_fake_seen()->request_count, 3);
    bench_assert_switched(bench);
}

static void server_that_does_not_do_head_is_asked_for_one_byte(void **state)
{
    bench_t *bench = *state;
    const http_fake_exchange_t noes[] = {
        {.status = 405}, {.status = 404}, {.status = 501}, {.status = 204}, {.chunked = true}};
    for (size_t i = 0; i < sizeof(noes) / sizeof(noes[0]); i++) {
        memset(bench->bytes + BENCH_OTA_1, 0xff, BENCH_SLOT_BYTES);
        http_fake_exchange_t answers[] = {noes[i], always(fake_ranged(bench))};
        http_fake_script(answers, 2);
        assert_err(update_in_parts(PART), ESP_OK);
        fake_assert_header(1, "Range", "bytes=0-0");
        fake_assert_header(2, "Range", "bytes=0-8191");
        assert_int_equal(http_fake_seen()->body_bytes, 1 + bench->image_len);
        bench_assert_switched(bench);
    }
}

static void server_that_knows_no_ranges_at_all_serves_the_image_at_once(void **state)
{
    bench_t *bench = *state;
    http_fake_exchange_t answer = always(fake_good(bench));
    fake_answer(&answer);
    assert_err(update_in_parts(PART), ESP_OK);
    assert_int_equal(http_fake_seen()->request_count, 2);
    assert_int_equal(http_fake_seen()->body_bytes, bench->image_len);
    bench_assert_switched(bench);
}

static void server_that_does_not_tell_the_size_is_refused(void **state)
{
    bench_t *bench = *state;
    http_fake_exchange_t answer = always(fake_good(bench));
    answer.chunked = true;
    fake_answer(&answer);
    assert_err(update_in_parts(PART), ESP_FAIL);
    assert_int_equal(http_fake_seen()->request_count, 2);
    bench_assert_nothing_switched(bench);
}

static void statuses_have_their_codes(void **state)
{
    bench_t *bench = *state;
    http_fake_exchange_t unmodified = {.status = 304};
    fake_answer(&unmodified);
    assert_err(update_in_parts(PART), ESP_ERR_HTTP_NOT_MODIFIED);
    http_fake_exchange_t missing = {.status = 404, .again = true};
    fake_answer(&missing);
    assert_err(update_in_parts(PART), ESP_FAIL);
    assert_int_equal(http_fake_seen()->request_count, 2);
    bench_assert_nothing_switched(bench);
}

static void image_larger_than_the_slot_is_refused_after_its_size_is_known(void **state)
{
    bench_t *bench = *state;
    uint8_t *large = calloc(1, BENCH_SLOT_BYTES + 1);
    http_fake_exchange_t answer = {.body = large, .body_len = BENCH_SLOT_BYTES + 1, .ranges = true, .again = true};
    fake_answer(&answer);
    assert_err(update_in_parts(PART), ESP_ERR_INVALID_SIZE);
    assert_int_equal(bench->slot_erases + bench->slot_programs + bench->otadata_changes, 0);
    free(large);
}

static void whole_file_instead_of_a_later_part_starts_over(void **state)
{
    bench_t *bench = *state;
    try_again(1);
    http_fake_exchange_t ranged = fake_ranged(bench);
    http_fake_exchange_t answers[] = {ranged, ranged, ranged, fake_good(bench)};
    http_fake_script(answers, 4);
    assert_err(update_in_parts(PART), ESP_OK);
    assert_int_equal(http_fake_seen()->body_bytes, 2 * PART + bench->image_len);
    bench_assert_switched(bench);
}

static void file_that_changes_between_parts_starts_over(void **state)
{
    bench_t *bench = *state;
    try_again(1);
    uint8_t *old = malloc(bench->image_len);
    memcpy(old, bench->image, bench->image_len);
    old[100] ^= 1;
    http_fake_exchange_t before = {.body = old, .body_len = bench->image_len, .ranges = true, .etag = "\"v1\""};
    http_fake_exchange_t answers[] = {before, before, before, fake_ranged(bench)};
    http_fake_script(answers, 4);
    assert_err(update_in_parts(PART), ESP_OK);
    fake_assert_header(3, "If-Range", "\"v1\"");
    assert_int_equal(http_fake_seen()->body_bytes, 2 * PART + bench->image_len);
    bench_assert_switched(bench);
    free(old);
}

static void file_of_another_size_is_noticed_without_any_validator(void **state)
{
    bench_t *bench = *state;
    try_again(1);
    uint8_t *longer = calloc(1, bench->image_len + 100);
    memcpy(longer, bench->image, bench->image_len);
    http_fake_exchange_t before = {.body = longer, .body_len = bench->image_len + 100, .ranges = true};
    http_fake_exchange_t now = always(fake_ranged(bench));
    now.etag = NULL;
    http_fake_exchange_t answers[] = {before, before, before, now};
    http_fake_script(answers, 4);
    assert_err(update_in_parts(PART), ESP_OK);
    fake_assert_header(3, "Range", "bytes=16384-24575");
    assert_int_equal(http_fake_seen()->request[3].sent_bytes, 0);
    assert_string_equal(http_fake_seen()->request[4].method, "HEAD");
    fake_assert_header(5, "Range", "bytes=0-8191");
    bench_assert_switched(bench);
    free(longer);
}

static void parts_need_no_validator(void **state)
{
    bench_t *bench = *state;
    try_again(1);
    http_fake_exchange_t answer = always(fake_dropped(bench, 5000));
    answer.etag = NULL;
    fake_answer(&answer);
    assert_err(update_in_parts(PART), ESP_OK);
    assert_true(http_fake_seen()->breaks > 3);
    assert_int_equal(http_fake_seen()->body_bytes, bench->image_len);
    bench_assert_switched(bench);
}

static void part_that_breaks_off_is_gone_on_with(void **state)
{
    bench_t *bench = *state;
    try_again(1);
    http_fake_exchange_t ranged = fake_ranged(bench);
    http_fake_exchange_t answers[] = {ranged, ranged, fake_dropped(bench, 3000), always(ranged)};
    http_fake_script(answers, 4);
    assert_err(update_in_parts(PART), ESP_OK);
    fake_assert_header(3, "Range", "bytes=11192-19383");
    assert_int_equal(http_fake_seen()->body_bytes, bench->image_len);
    bench_assert_switched(bench);
}

static void head_that_fails_is_tried_again(void **state)
{
    bench_t *bench = *state;
    try_again(2);
    http_fake_exchange_t answers[] = {
        {.open_error = ESP_ERR_HTTP_CONNECT}, {.status = 503}, always(fake_ranged(bench))};
    http_fake_script(answers, 3);
    assert_err(update_in_parts(PART), ESP_OK);
    assert_string_equal(http_fake_seen()->request[2].method, "HEAD");
    assert_string_equal(http_fake_seen()->request[3].method, "GET");
    bench_assert_switched(bench);
}

static void parts_follow_a_redirect_once(void **state)
{
    bench_t *bench = *state;
    http_fake_exchange_t answers[] = {{.status = 302, .headers = "Location: https://cdn.example/v2.bin\n"},
                                      always(fake_ranged(bench))};
    http_fake_script(answers, 2);
    assert_err(update_in_parts(PART), ESP_OK);
    assert_int_equal(http_fake_seen()->request_count, 6);
    assert_string_equal(http_fake_seen()->request[5].url, "https://cdn.example/v2.bin");
    bench_assert_switched(bench);
}

static void parts_go_on_where_the_application_says(void **state)
{
    bench_t *bench = *state;
    memcpy(bench->bytes + BENCH_OTA_1, bench->image, 10000);
    http_fake_exchange_t answer = always(fake_ranged(bench));
    fake_answer(&answer);
    esp_http_client_config_t client = fake_client();
    esp_https_ota_config_t config = {.http_config = &client,
                                     .partial_http_download = true,
                                     .max_http_request_size = PART,
                                     .ota_resumption = true,
                                     .ota_image_bytes_written = 10000};
    esp_https_ota_handle_t handle = NULL;
    assert_err(esp_https_ota_begin(&config, &handle), ESP_OK);
    assert_int_equal(esp_https_ota_get_image_size(handle), bench->image_len);
    assert_err(fake_download(handle), ESP_OK);
    fake_assert_header(1, "Range", "bytes=10000-18191");
    fake_assert_header(2, "Range", "bytes=18192-26383");
    assert_int_equal(http_fake_seen()->body_bytes, bench->image_len - 10000);
    assert_err(esp_https_ota_finish(handle), ESP_OK);
    bench_assert_switched(bench);
}

static void application_that_has_all_parts_goes_straight_to_verification(void **state)
{
    bench_t *bench = *state;
    memcpy(bench->bytes + BENCH_OTA_1, bench->image, bench->image_len);
    http_fake_exchange_t answer = always(fake_ranged(bench));
    fake_answer(&answer);
    esp_http_client_config_t client = fake_client();
    esp_https_ota_config_t config = {.http_config = &client,
                                     .partial_http_download = true,
                                     .max_http_request_size = PART,
                                     .ota_resumption = true,
                                     .ota_image_bytes_written = bench->image_len};
    esp_https_ota_handle_t handle = NULL;
    assert_err(esp_https_ota_begin(&config, &handle), ESP_OK);
    assert_err(fake_download(handle), ESP_OK);
    assert_int_equal(bench->slot_programs, 0);
    assert_err(esp_https_ota_finish(handle), ESP_OK);
    bench_assert_switched(bench);
}

static void parts_go_on_by_themselves_after_a_power_cut(void **state)
{
    bench_t *bench = *state;
    http_fake_exchange_t ranged = fake_ranged(bench);
    http_fake_exchange_t answers[] = {ranged, ranged, ranged, fake_dropped(bench, 1000)};
    http_fake_script(answers, 4);
    assert_err(update_in_parts(PART), ESP_FAIL);
    http_fake_exchange_t answer = always(ranged);
    fake_answer(&answer);
    assert_err(update_in_parts(PART), ESP_OK);
    fake_assert_header(0, "Range", "bytes=16384-24575");
    fake_assert_header(1, "Range", "bytes=24576-");
    assert_int_equal(http_fake_seen()->request_count, 2);
    bench_assert_switched(bench);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown(image_is_asked_for_in_parts, bench_setup, fake_teardown),
    cmocka_unit_test_setup_teardown(getters_speak_of_the_whole_image, bench_setup, fake_teardown),
    cmocka_unit_test_setup_teardown(image_that_fits_one_request_is_asked_for_whole, bench_setup, fake_teardown),
    cmocka_unit_test_setup_teardown(last_part_is_asked_for_to_the_end_even_if_it_is_a_full_one, bench_setup,
                                    fake_teardown),
    cmocka_unit_test_setup_teardown(server_that_does_not_do_head_is_asked_for_one_byte, bench_setup, fake_teardown),
    cmocka_unit_test_setup_teardown(server_that_knows_no_ranges_at_all_serves_the_image_at_once, bench_setup,
                                    fake_teardown),
    cmocka_unit_test_setup_teardown(server_that_does_not_tell_the_size_is_refused, bench_setup, fake_teardown),
    cmocka_unit_test_setup_teardown(statuses_have_their_codes, bench_setup, fake_teardown),
    cmocka_unit_test_setup_teardown(image_larger_than_the_slot_is_refused_after_its_size_is_known, bench_setup,
                                    fake_teardown),
    cmocka_unit_test_setup_teardown(whole_file_instead_of_a_later_part_starts_over, bench_setup, fake_teardown),
    cmocka_unit_test_setup_teardown(file_that_changes_between_parts_starts_over, bench_setup, fake_teardown),
    cmocka_unit_test_setup_teardown(file_of_another_size_is_noticed_without_any_validator, bench_setup, fake_teardown),
    cmocka_unit_test_setup_teardown(parts_need_no_validator, bench_setup, fake_teardown),
    cmocka_unit_test_setup_teardown(part_that_breaks_off_is_gone_on_with, bench_setup, fake_teardown),
    cmocka_unit_test_setup_teardown(head_that_fails_is_tried_again, bench_setup, fake_teardown),
    cmocka_unit_test_setup_teardown(parts_follow_a_redirect_once, bench_setup, fake_teardown),
    cmocka_unit_test_setup_teardown(parts_go_on_where_the_application_says, bench_setup, fake_teardown),
    cmocka_unit_test_setup_teardown(application_that_has_all_parts_goes_straight_to_verification, bench_setup,
                                    fake_teardown),
    cmocka_unit_test_setup_teardown(parts_go_on_by_themselves_after_a_power_cut, bench_setup, fake_teardown),
};

TEST_MAIN(tests)
