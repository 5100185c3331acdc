/* SPDX-License-Identifier: Apache-2.0 */
/* Going on with what an earlier start left in the slot: by itself, and where the application says. */
#include <stdlib.h>

#include "core/bootsel/otadata.h"
#include "otter/otter_device.h"
#include "otter/otter_download.h"
#include "tests/device/https_ota_fake.h"

#define SECTOR_BYTES 4096
#define BUFFER_BYTES 1024

static void restart_device(bench_t *bench)
{
    otter_config_t config = bench_config();
    bench_configure(bench, &config);
}

/* Downloads until so many bytes are written, then the power goes; value: bytes that came over the network. */
static size_t download_until(bench_t *bench, const http_fake_exchange_t *answer, size_t len)
{
    fake_answer(answer);
    esp_https_ota_handle_t handle = fake_begun();
    while (esp_https_ota_get_image_len_read(handle) < (int)len) {
        assert_err(esp_https_ota_perform(handle), ESP_ERR_HTTPS_OTA_IN_PROGRESS);
    }
    assert_err(esp_https_ota_abort(handle), ESP_OK);
    restart_device(bench);
    return http_fake_seen()->body_bytes;
}

static size_t asked_from(void)
{
    unsigned long from = 0;
    const char *range = strstr(http_fake_seen()->request[0].headers, "Range: bytes=");
    return range != NULL && sscanf(range, "Range: bytes=%lu-", &from) == 1 ? (size_t)from : 0;
}

static void assert_starts_at_0(bench_t *bench, const http_fake_exchange_t *answer)
{
    fake_answer(answer);
    assert_err(fake_update(), ESP_OK);
    fake_assert_header(0, "Range", NULL);
    assert_int_equal(http_fake_seen()->request_count, 1);
    assert_int_equal(http_fake_seen()->body_bytes, answer->body_len);
    bench_assert_switched(bench);
}

/* ---- by itself ---- */

static void update_goes_on_after_a_power_cut(void **state)
{
    bench_t *bench = *state;
    http_fake_exchange_t answer = fake_ranged(bench);
    download_until(bench, &answer, 19000);
    fake_answer(&answer);
    esp_https_ota_handle_t handle = fake_begun();
    size_t from = asked_from();
    assert_int_equal(from, 16384);
    fake_assert_header(0, "If-Range", FAKE_ETAG);
    assert_int_equal(esp_https_ota_get_status_code(handle), 206);
    assert_int_equal(esp_https_ota_get_image_len_read(handle), from);
    assert_int_equal(esp_https_ota_get_image_size(handle), bench->image_len);
    esp_app_desc_t desc;
    assert_err(esp_https_ota_get_img_desc(handle, &desc), ESP_OK);
    assert_string_equal(desc.version, "2.0.0");
    assert_err(fake_download(handle), ESP_OK);
    otter_download_progress_t progress;
    assert_err(otter_download_get_progress(handle, &progress), ESP_OK);
    assert_int_equal(progress.resumed_from, from);
    assert_int_equal(progress.bytes, bench->image_len);
    assert_int_equal(http_fake_seen()->body_bytes, bench->image_len - from);
    assert_err(esp_https_ota_finish(handle), ESP_OK);
    bench_assert_switched(bench);
}

static void power_cut_anywhere_costs_a_sector_and_a_buffer_at_most(void **state)
{
    bench_t *bench = *state;
    http_fake_exchange_t answer = fake_ranged(bench);
    size_t worst = 0;
    for (size_t len = 1024; len <= bench->image_len; len += 1024) {
        memset(bench->bytes + BENCH_OTA_1, 0xff, BENCH_SLOT_BYTES);
        restart_device(bench);
        size_t first = download_until(bench, &answer, len);
        fake_answer(&answer);
        assert_err(fake_update(), ESP_OK);
        bench_assert_switched(bench);
        size_t twice = first + http_fake_seen()->body_bytes - bench->image_len;
        worst = twice > worst ? twice : worst;
    }
    assert_in_range(worst, 1, SECTOR_BYTES + BUFFER_BYTES);
}

static void many_power_cuts_still_end_in_the_image(void **state)
{
    bench_t *bench = *state;
    http_fake_exchange_t answer = fake_ranged(bench);
    size_t fetched = 0;
    size_t cuts = 0;
    for (size_t len = 5000; len < bench->image_len; len += 5000, cuts++) {
        fetched += download_until(bench, &answer, len);
    }
    fake_answer(&answer);
    assert_err(fake_update(), ESP_OK);
    bench_assert_switched(bench);
    fetched += http_fake_seen()->body_bytes;
    assert_true(cuts >= 5);
    assert_true(fetched <= bench->image_len + cuts * (SECTOR_BYTES + BUFFER_BYTES));
}

static void update_that_may_not_resume_starts_at_0(void **state)
{
    bench_t *bench = *state;
    http_fake_exchange_t answer = fake_ranged(bench);
    download_until(bench, &answer, 19000);
    otter_download_limits_t limits;
    otter_download_get_limits(&limits);
    limits.resume = false;
    assert_err(otter_download_set_limits(&limits), ESP_OK);
    assert_starts_at_0(bench, &answer);
}

static void another_url_starts_at_0(void **state)
{
    bench_t *bench = *state;
    http_fake_exchange_t answer = fake_ranged(bench);
    download_until(bench, &answer, 19000);
    fake_answer(&answer);
    esp_http_client_config_t client = fake_client();
    client.url = FAKE_URL "?channel=beta";
    esp_https_ota_config_t config = {.http_config = &client};
    assert_err(esp_https_ota(&config), ESP_OK);
    fake_assert_header(0, "Range", NULL);
    bench_assert_switched(bench);
}

static void server_without_a_strong_etag_starts_at_0_and_costs_no_erase(void **state)
{
    bench_t *bench = *state;
    const char *const etags[] = {NULL, "W/\"v2\""};
    for (size_t i = 0; i < 2; i++) {
        http_fake_exchange_t answer = fake_ranged(bench);
        answer.etag = etags[i];
        memset(bench->bytes + BENCH_OTA_1 + BENCH_SLOT_BYTES - SECTOR_BYTES, 0x55, SECTOR_BYTES);
        download_until(bench, &answer, 19000);
        assert_int_equal(bench->bytes[BENCH_OTA_1 + BENCH_SLOT_BYTES - SECTOR_BYTES], 0x55);
        assert_starts_at_0(bench, &answer);
    }
}

static void another_file_at_the_url_is_taken_from_its_start_without_asking_twice(void **state)
{
    bench_t *bench = *state;
    uint8_t *old = malloc(bench->image_len);
    memcpy(old, bench->image, bench->image_len);
    old[10000] ^= 1;
    http_fake_exchange_t before = fake_ranged(bench);
    before.body = old;
    before.etag = "\"v1\"";
    download_until(bench, &before, 19000);
    http_fake_exchange_t now = fake_ranged(bench);
    fake_answer(&now);
    assert_err(fake_update(), ESP_OK);
    fake_assert_header(0, "If-Range", "\"v1\"");
    assert_int_equal(http_fake_seen()->request_count, 1);
    assert_int_equal(http_fake_seen()->body_bytes, bench->image_len);
    bench_assert_switched(bench);
    free(old);
}

static void server_that_gives_no_ranges_any_more_is_read_from_the_start(void **state)
{
    bench_t *bench = *state;
    http_fake_exchange_t answer = fake_ranged(bench);
    download_until(bench, &answer, 19000);
    answer.ranges = false;
    fake_answer(&answer);
    assert_err(fake_update(), ESP_OK);
    assert_int_equal(asked_from(), 16384);
    assert_int_equal(http_fake_seen()->body_bytes, bench->image_len);
    bench_assert_switched(bench);
}

static void server_whose_range_does_not_fit_is_asked_for_all(void **state)
{
    bench_t *bench = *state;
    http_fake_exchange_t answer = fake_ranged(bench);
    download_until(bench, &answer, 19000);
    http_fake_exchange_t answers[] = {
        {.status = 206, .headers = "Content-Range: bytes 0-99/100\n", .body = bench->image, .body_len = 100}, answer};
    http_fake_script(answers, 2);
    assert_err(fake_update(), ESP_OK);
    fake_assert_header(1, "Range", NULL);
    bench_assert_switched(bench);
}

static void server_that_does_not_confirm_the_etag_is_asked_for_all(void **state)
{
    bench_t *bench = *state;
    char headers[96];
    http_fake_exchange_t answer = fake_ranged(bench);
    download_until(bench, &answer, 19000);
    snprintf(headers, sizeof(headers), "Content-Range: bytes 16384-%zu/%zu\n", bench->image_len - 1, bench->image_len);
    http_fake_exchange_t answers[] = {
        {.status = 206, .headers = headers, .body = bench->image + 16384, .body_len = bench->image_len - 16384},
        answer};
    http_fake_script(answers, 2);
    assert_err(fake_update(), ESP_OK);
    fake_assert_header(1, "Range", NULL);
    assert_int_equal(http_fake_seen()->body_bytes, bench->image_len);
    bench_assert_switched(bench);
}

static void slot_that_was_changed_meanwhile_is_not_believed(void **state)
{
    bench_t *bench = *state;
    http_fake_exchange_t answer = fake_ranged(bench);
    const size_t places[] = {0, 100, 5000, 12000};
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        download_until(bench, &answer, 19000);
        bench->bytes[BENCH_OTA_1 + places[i]] ^= 0x11;
        fake_answer(&answer);
        assert_err(fake_update(), ESP_OK);
        assert_true(asked_from() <= places[i]);
        bench_assert_switched(bench);
    }
}

static void failure_of_the_network_keeps_what_is_there(void **state)
{
    bench_t *bench = *state;
    http_fake_exchange_t answer = fake_ranged(bench);
    http_fake_exchange_t down = {.open_error = ESP_ERR_HTTP_CONNECT};
    http_fake_exchange_t gone = {.status = 404};
    download_until(bench, &answer, 19000);
    fake_answer(&down);
    assert_err(fake_update(), ESP_ERR_HTTP_CONNECT);
    fake_answer(&gone);
    assert_err(fake_update(), ESP_FAIL);
    fake_answer(&answer);
    assert_err(fake_update(), ESP_OK);
    assert_int_equal(asked_from(), 16384);
    bench_assert_switched(bench);
}

static void broken_connection_is_gone_on_with_by_the_next_update(void **state)
{
    bench_t *bench = *state;
    http_fake_exchange_t dropped = fake_dropped(bench, 20000);
    fake_answer(&dropped);
    assert_err(fake_update(), ESP_FAIL);
    http_fake_exchange_t answer = fake_ranged(bench);
    fake_answer(&answer);
    assert_err(fake_update(), ESP_OK);
    assert_int_equal(asked_from(), 16384);
    bench_assert_switched(bench);
}

static void image_that_did_not_verify_is_not_gone_on_with(void **state)
{
    bench_t *bench = *state;
    bench->image[10000] ^= 1;
    http_fake_exchange_t corrupt = fake_ranged(bench);
    fake_answer(&corrupt);
    assert_err(fake_update(), ESP_ERR_OTA_VALIDATE_FAILED);
    bench->image[10000] ^= 1;
    restart_device(bench);
    http_fake_exchange_t answer = fake_ranged(bench);
    assert_starts_at_0(bench, &answer);
}

static void resumed_update_goes_on_after_a_dropped_connection(void **state)
{
    bench_t *bench = *state;
    http_fake_exchange_t answer = fake_ranged(bench);
    download_until(bench, &answer, 11000);
    otter_download_limits_t limits;
    otter_download_get_limits(&limits);
    limits.retries = 2;
    assert_err(otter_download_set_limits(&limits), ESP_OK);
    http_fake_exchange_t answers[] = {fake_dropped(bench, 5000), answer};
    http_fake_script(answers, 2);
    assert_err(fake_update(), ESP_OK);
    assert_int_equal(asked_from(), 8192);
    fake_assert_header(1, "Range", "bytes=13192-");
    bench_assert_switched(bench);
}

static void resumed_update_of_a_file_that_changes_then_starts_over(void **state)
{
    bench_t *bench = *state;
    http_fake_exchange_t answer = fake_ranged(bench);
    download_until(bench, &answer, 11000);
    otter_download_limits_t limits;
    otter_download_get_limits(&limits);
    limits.retries = 2;
    assert_err(otter_download_set_limits(&limits), ESP_OK);
    http_fake_exchange_t answers[] = {fake_dropped(bench, 5000), answer};
    answers[1].etag = "\"v3\"";
    http_fake_script(answers, 2);
    assert_err(fake_update(), ESP_OK);
    assert_int_equal(http_fake_seen()->body_bytes, 5000 + bench->image_len);
    bench_assert_switched(bench);
}

static void unconfirmed_app_may_not_resume_either(void **state)
{
    bench_t *bench = *state;
    http_fake_exchange_t answer = fake_ranged(bench);
    download_until(bench, &answer, 19000);
    memset(bench->bytes + BENCH_OTADATA, 0xff, SECTOR_BYTES);
    otadata_encode(bench->bytes + BENCH_OTADATA, 1, ESP_OTA_IMG_PENDING_VERIFY);
    fake_answer(&answer);
    assert_err(fake_update(), ESP_ERR_OTA_ROLLBACK_INVALID_STATE);
    assert_int_equal(asked_from(), 16384);
}

/* ---- where the application says ---- */

static esp_err_t begin_at(size_t written, esp_https_ota_handle_t *handle)
{
    esp_http_client_config_t client = fake_client();
    esp_https_ota_config_t config = {
        .http_config = &client, .ota_resumption = true, .ota_image_bytes_written = written};
    return esp_https_ota_begin(&config, handle);
}

/* The slot as an application's download left it: without a record. */
static void leave_in_slot(bench_t *bench, size_t len)
{
    memset(bench->bytes + BENCH_OTA_1, 0xff, BENCH_SLOT_BYTES);
    memcpy(bench->bytes + BENCH_OTA_1, bench->image, len);
    restart_device(bench);
}

static void assert_ends_in_the_image(bench_t *bench, esp_https_ota_handle_t handle)
{
    assert_err(fake_download(handle), ESP_OK);
    assert_true(esp_https_ota_is_complete_data_received(handle));
    assert_int_equal(esp_https_ota_get_image_len_read(handle), bench->image_len);
    assert_err(esp_https_ota_finish(handle), ESP_OK);
    bench_assert_switched(bench);
}

static void application_goes_on_where_it_says(void **state)
{
    bench_t *bench = *state;
    const size_t offsets[] = {1024, 5000, 8192, 28000};
    http_fake_exchange_t answer = fake_ranged(bench);
    for (size_t i = 0; i < sizeof(offsets) / sizeof(offsets[0]); i++) {
        leave_in_slot(bench, offsets[i]);
        fake_answer(&answer);
        esp_https_ota_handle_t handle = NULL;
        assert_err(begin_at(offsets[i], &handle), ESP_OK);
        assert_int_equal(asked_from(), offsets[i]);
        fake_assert_header(0, "If-Range", NULL);
        assert_int_equal(esp_https_ota_get_image_len_read(handle), offsets[i]);
        assert_int_equal(esp_https_ota_get_image_size(handle), bench->image_len);
        assert_ends_in_the_image(bench, handle);
        assert_int_equal(http_fake_seen()->body_bytes, bench->image_len - offsets[i]);
    }
}

static void application_with_too_little_probes_for_ranges_from_0(void **state)
{
    bench_t *bench = *state;
    http_fake_exchange_t answer = fake_ranged(bench);
    const size_t offsets[] = {0, 1023};
    for (size_t i = 0; i < 2; i++) {
        fake_answer(&answer);
        esp_https_ota_handle_t handle = NULL;
        assert_err(begin_at(offsets[i], &handle), ESP_OK);
        fake_assert_header(0, "Range", "bytes=0-");
        assert_int_equal(esp_https_ota_get_image_len_read(handle), -1);
        assert_ends_in_the_image(bench, handle);
    }
}

static void application_is_served_from_the_start_where_there_are_no_ranges(void **state)
{
    bench_t *bench = *state;
    http_fake_exchange_t answer = fake_good(bench);
    leave_in_slot(bench, 8192);
    fake_answer(&answer);
    esp_https_ota_handle_t handle = NULL;
    assert_err(begin_at(8192, &handle), ESP_OK);
    assert_int_equal(asked_from(), 8192);
    assert_int_equal(esp_https_ota_get_image_len_read(handle), -1);
    assert_ends_in_the_image(bench, handle);
    assert_int_equal(http_fake_seen()->request_count, 1);
}

static void application_whose_range_is_refused_starts_at_0(void **state)
{
    bench_t *bench = *state;
    const http_fake_exchange_t refusals[] = {
        {.status = 416},
        {.status = 416, .headers = "Content-Range: bytes */100\n"},
        {.status = 206, .headers = "Content-Range: bytes 0-99/100\n", .body = bench->image, .body_len = 100},
        {.status = 206, .body = bench->image, .body_len = 100},
    };
    for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
        leave_in_slot(bench, 8192);
        http_fake_exchange_t answers[] = {refusals[i], fake_good(bench)};
        http_fake_script(answers, 2);
        esp_https_ota_handle_t handle = NULL;
        assert_err(begin_at(8192, &handle), ESP_OK);
        fake_assert_header(1, "Range", NULL);
        assert_ends_in_the_image(bench, handle);
    }
}

static void application_that_has_all_goes_straight_to_verification(void **state)
{
    bench_t *bench = *state;
    http_fake_exchange_t answer = fake_ranged(bench);
    leave_in_slot(bench, bench->image_len);
    fake_answer(&answer);
    esp_https_ota_handle_t handle = NULL;
    assert_err(begin_at(bench->image_len, &handle), ESP_OK);
    assert_int_equal(esp_https_ota_get_status_code(handle), 416);
    assert_ends_in_the_image(bench, handle);
    assert_int_equal(http_fake_seen()->request_count, 1);
    assert_int_equal(http_fake_seen()->body_bytes, 0);
    assert_int_equal(bench->slot_programs, 0);
}

static void foreign_bytes_in_the_slot_are_not_gone_on_with(void **state)
{
    bench_t *bench = *state;
    fixture_image_t spec = FIXTURE_IMAGE_FOR(ESP_CHIP_ID_ESP32, "bench", "2.0.0");
    size_t len;
    uint8_t *foreign = fixture_image(&spec, &len);
    http_fake_exchange_t answer = fake_ranged(bench);
    for (int kind = 0; kind < 2; kind++) {
        memset(bench->bytes + BENCH_OTA_1, 0x3c, BENCH_SLOT_BYTES);
        memcpy(bench->bytes + BENCH_OTA_1, foreign, kind == 0 ? 1024 : 0);
        restart_device(bench);
        fake_answer(&answer);
        esp_https_ota_handle_t handle = NULL;
        assert_err(begin_at(8192, &handle), ESP_OK);
        fake_assert_header(0, "Range", "bytes=0-");
        assert_ends_in_the_image(bench, handle);
    }
    free(foreign);
}

static void offset_behind_the_slot_is_not_gone_on_with(void **state)
{
    bench_t *bench = *state;
    http_fake_exchange_t answer = fake_ranged(bench);
    leave_in_slot(bench, 8192);
    fake_answer(&answer);
    esp_https_ota_handle_t handle = NULL;
    assert_err(begin_at(BENCH_SLOT_BYTES + 1, &handle), ESP_OK);
    fake_assert_header(0, "Range", "bytes=0-");
    assert_ends_in_the_image(bench, handle);
}

static void application_that_counts_itself_gets_no_record(void **state)
{
    bench_t *bench = *state;
    http_fake_exchange_t answer = fake_ranged(bench);
    memset(bench->bytes + BENCH_OTA_1, 0x55, BENCH_SLOT_BYTES);
    restart_device(bench);
    fake_answer(&answer);
    esp_https_ota_handle_t handle = NULL;
    assert_err(begin_at(0, &handle), ESP_OK);
    assert_ends_in_the_image(bench, handle);
    assert_int_equal(bench->bytes[BENCH_OTA_1 + BENCH_SLOT_BYTES - SECTOR_BYTES], 0x55);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown(update_goes_on_after_a_power_cut, bench_setup, fake_teardown),
    cmocka_unit_test_setup_teardown(power_cut_anywhere_costs_a_sector_and_a_buffer_at_most, bench_setup, fake_teardown),
    cmocka_unit_test_setup_teardown(many_power_cuts_still_end_in_the_image, bench_setup, fake_teardown),
    cmocka_unit_test_setup_teardown(update_that_may_not_resume_starts_at_0, bench_setup, fake_teardown),
    cmocka_unit_test_setup_teardown(another_url_starts_at_0, bench_setup, fake_teardown),
    cmocka_unit_test_setup_teardown(server_without_a_strong_etag_starts_at_0_and_costs_no_erase, bench_setup,
                                    fake_teardown),
    cmocka_unit_test_setup_teardown(another_file_at_the_url_is_taken_from_its_start_without_asking_twice, bench_setup,
                                    fake_teardown),
    cmocka_unit_test_setup_teardown(server_that_gives_no_ranges_any_more_is_read_from_the_start, bench_setup,
                                    fake_teardown),
    cmocka_unit_test_setup_teardown(server_whose_range_does_not_fit_is_asked_for_all, bench_setup, fake_teardown),
    cmocka_unit_test_setup_teardown(server_that_does_not_confirm_the_etag_is_asked_for_all, bench_setup, fake_teardown),
    cmocka_unit_test_setup_teardown(slot_that_was_changed_meanwhile_is_not_believed, bench_setup, fake_teardown),
    cmocka_unit_test_setup_teardown(failure_of_the_network_keeps_what_is_there, bench_setup, fake_teardown),
    cmocka_unit_test_setup_teardown(broken_connection_is_gone_on_with_by_the_next_update, bench_setup, fake_teardown),
    cmocka_unit_test_setup_teardown(image_that_did_not_verify_is_not_gone_on_with, bench_setup, fake_teardown),
    cmocka_unit_test_setup_teardown(resumed_update_goes_on_after_a_dropped_connection, bench_setup, fake_teardown),
    cmocka_unit_test_setup_teardown(resumed_update_of_a_file_that_changes_then_starts_over, bench_setup, fake_teardown),
    cmocka_unit_test_setup_teardown(unconfirmed_app_may_not_resume_either, bench_setup, fake_teardown),
    cmocka_unit_test_setup_teardown(application_goes_on_where_it_says, bench_setup, fake_teardown),
    cmocka_unit_test_setup_teardown(application_with_too_little_probes_for_ranges_from_0, bench_setup, fake_teardown),
    cmocka_unit_test_setup_teardown(application_is_served_from_the_start_where_there_are_no_ranges, bench_setup,
                                    fake_teardown),
    cmocka_unit_test_setup_teardown(application_whose_range_is_refused_starts_at_0, bench_setup, fake_teardown),
    cmocka_unit_test_setup_teardown(application_that_has_all_goes_straight_to_verification, bench_setup, fake_teardown),
    cmocka_unit_test_setup_teardown(foreign_bytes_in_the_slot_are_not_gone_on_with, bench_setup, fake_teardown),
    cmocka_unit_test_setup_teardown(offset_behind_the_slot_is_not_gone_on_with, bench_setup, fake_teardown),
    cmocka_unit_test_setup_teardown(application_that_counts_itself_gets_no_record, bench_setup, fake_teardown),
};

TEST_MAIN(tests)
