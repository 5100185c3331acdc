/* SPDX-License-Identifier: Apache-2.0 */
/* Updates that go wrong: nothing is switched, the error sticks, and the next update works. */
#include <stdlib.h>

#include "core/bootsel/otadata.h"
#include "device/https_ota/https_ota.h"
#include "otter/otter_device.h"
#include "otter/otter_os.h"
#include "tests/device/https_ota_fake.h"

#define LIMIT_MS 60 /* Of silence, where it is to be reached. */

/* One update that must fail with @p expected and leave no trace but the slot's contents; then one that works. */
static void assert_fails_and_recovers(bench_t *bench, const http_fake_exchange_t *bad, esp_err_t expected)
{
    fake_answer(bad);
    assert_err(fake_update(), expected);
    assert_int_equal(http_fake_seen()->clients, 0);
    bench_assert_nothing_switched(bench);
    fake_assert_update_works(bench);
}

/* --- the connection --- */

static void body_that_breaks_off_is_refused_wherever_it_breaks(void **state)
{
    bench_t *bench = *state;
    const size_t places[] = {0, 1, 23, 500, 1023, 1024, 1025, 4096, 20000, bench->image_len - 1};
    const esp_err_t errors[] = {ESP_ERR_HTTP_INCOMPLETE_DATA, ESP_FAIL};
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        http_fake_exchange_t bad = fake_good(bench);
        bad.break_at = places[i];
        bad.break_error = errors[i % 2];
        fake_answer(&bad);
        assert_err(fake_update(), ESP_FAIL);
        assert_true(http_fake_seen()->breaks > 0);
        bench_assert_nothing_switched(bench);
    }
    fake_assert_update_works(bench);
}

static void chunked_body_without_its_end_is_refused(void **state)
{
    bench_t *bench = *state;
    http_fake_exchange_t bad = fake_good(bench);
    bad.chunked = true;
    bad.break_at = bench->image_len;
    bad.break_error = ESP_ERR_HTTP_INCOMPLETE_DATA;
    fake_answer(&bad);
    esp_https_ota_handle_t handle = fake_begun();
    assert_err(fake_download(handle), ESP_FAIL);
    assert_false(esp_https_ota_is_complete_data_received(handle));
    assert_err(esp_https_ota_finish(handle), ESP_FAIL);
    bench_assert_nothing_switched(bench);
    fake_assert_update_works(bench);
}

static void truncated_file_is_refused_by_verification(void **state)
{
    bench_t *bench = *state;
    http_fake_exchange_t bad = fake_good(bench);
    bad.body_len = bench->image_len - 1;
    assert_fails_and_recovers(bench, &bad, ESP_ERR_OTA_VALIDATE_FAILED);
}

static void body_shorter_than_a_header_is_refused_unwritten(void **state)
{
    bench_t *bench = *state;
    http_fake_exchange_t bad = fake_good(bench);
    const size_t lens[] = {0, 1, 1023};
    for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
        bad.body_len = lens[i];
        fake_answer(&bad);
        assert_err(fake_update(), ESP_FAIL);
        assert_int_equal(bench->slot_erases + bench->slot_programs + bench->otadata_changes, 0);
    }
    fake_assert_update_works(bench);
}

static void pause_of_the_server_is_waited_out(void **state)
{
    bench_t *bench = *state;
    const size_t places[] = {0, 100, 1024, 5000};
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        http_fake_exchange_t slow = fake_good(bench);
        slow.stall_at = places[i];
        slow.stall_reads = 2;
        fake_answer(&slow);
        assert_err(fake_update(), ESP_OK);
        assert_int_equal(http_fake_seen()->stalls, 2);
        bench_assert_switched(bench);
    }
}

static void many_short_pauses_are_no_stall(void **state)
{
    bench_t *bench = *state;
    bench_limit_stalls(bench, 2 * LIMIT_MS);
    http_fake_exchange_t slow = fake_good(bench);
    slow.stall_at = 1000;
    slow.stall_reads = 2;
    slow.stall_again = true;
    fake_answer(&slow);
    esp_https_ota_handle_t handle = fake_begun();
    int empty_handed = 0;
    int len = 0;
    while (esp_https_ota_perform(handle) == ESP_ERR_HTTPS_OTA_IN_PROGRESS) {
        empty_handed += esp_https_ota_get_image_len_read(handle) == len;
        len = esp_https_ota_get_image_len_read(handle);
    }
    assert_true(empty_handed * FAKE_WAIT_MS > 2 * LIMIT_MS);
    assert_err(esp_https_ota_finish(handle), ESP_OK);
    bench_assert_switched(bench);
}

static void stall_answers_in_progress_until_the_limit_and_then_timeout(void **state)
{
    bench_t *bench = *state;
    bench_limit_stalls(bench, LIMIT_MS);
    http_fake_exchange_t stalls = fake_good(bench);
    stalls.stall_at = 2048;
    stalls.stall_reads = HTTP_FAKE_FOREVER;
    fake_answer(&stalls);
    esp_https_ota_handle_t handle = fake_begun();
    assert_err(esp_https_ota_perform(handle), ESP_ERR_HTTPS_OTA_IN_PROGRESS);
    assert_err(esp_https_ota_perform(handle), ESP_ERR_HTTPS_OTA_IN_PROGRESS);
    int64_t start_us = otter_now_us();
    int calls = 1;
    esp_err_t err;
    while ((err = esp_https_ota_perform(handle)) == ESP_ERR_HTTPS_OTA_IN_PROGRESS) {
        calls++;
    }
    assert_err(err, ESP_ERR_TIMEOUT);
    assert_true(calls > 1);
    assert_true(otter_now_us() - start_us >= LIMIT_MS * 1000);
    assert_int_equal(http_fake_seen()->stalls, calls);
    assert_int_equal(esp_https_ota_get_image_len_read(handle), 2048);
    assert_err(esp_https_ota_abort(handle), ESP_OK);
    bench_assert_nothing_switched(bench);
}

static void one_call_ends_when_the_server_stalls(void **state)
{
    bench_t *bench = *state;
    bench_limit_stalls(bench, LIMIT_MS);
    const size_t places[] = {0, 100, 1024, 9000};
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        http_fake_exchange_t stalls = fake_good(bench);
        stalls.stall_at = places[i];
        stalls.stall_reads = HTTP_FAKE_FOREVER;
        fake_answer(&stalls);
        assert_err(fake_update(), ESP_ERR_TIMEOUT);
        assert_true(http_fake_seen()->stalls > 1);
        bench_assert_nothing_switched(bench);
    }
    fake_assert_update_works(bench);
}

static void descriptor_query_ends_when_the_server_stalls(void **state)
{
    bench_t *bench = *state;
    bench_limit_stalls(bench, LIMIT_MS);
    http_fake_exchange_t stalls = fake_good(bench);
    stalls.stall_at = 700;
    stalls.stall_reads = HTTP_FAKE_FOREVER;
    fake_answer(&stalls);
    esp_https_ota_handle_t handle = fake_begun();
    esp_app_desc_t desc;
    assert_err(esp_https_ota_get_img_desc(handle, &desc), ESP_ERR_TIMEOUT);
    uint32_t waits = http_fake_seen()->stalls;
    assert_true(waits > 1);
    assert_err(esp_https_ota_get_img_desc(handle, &desc), ESP_ERR_TIMEOUT);
    assert_err(esp_https_ota_perform(handle), ESP_ERR_TIMEOUT);
    assert_int_equal(http_fake_seen()->stalls, waits);
    assert_err(esp_https_ota_finish(handle), ESP_ERR_TIMEOUT);
    bench_assert_nothing_switched(bench);
}

static void pause_of_the_application_is_no_stall(void **state)
{
    bench_t *bench = *state;
    bench_limit_stalls(bench, 4 * LIMIT_MS);
    http_fake_exchange_t slow = fake_good(bench);
    slow.stall_at = 1024;
    slow.stall_reads = 1;
    fake_answer(&slow);
    esp_https_ota_handle_t handle = fake_begun();
    assert_err(esp_https_ota_perform(handle), ESP_ERR_HTTPS_OTA_IN_PROGRESS);
    otter_sleep_until(otter_now_us() + 5 * LIMIT_MS * 1000);
    assert_err(fake_download(handle), ESP_OK);
    assert_int_equal(http_fake_seen()->stalls, 1);
    assert_err(esp_https_ota_finish(handle), ESP_OK);
    bench_assert_switched(bench);
}

/* --- what is sent --- */

static void body_that_is_no_image_is_refused_unwritten(void **state)
{
    bench_t *bench = *state;
    uint8_t page[2048];
    memset(page, ' ', sizeof(page));
    memcpy(page, "<!DOCTYPE html><html>", 21);
    http_fake_exchange_t html = {.body = page, .body_len = sizeof(page)};
    fake_answer(&html);
    esp_https_ota_handle_t handle = fake_begun();
    esp_app_desc_t desc;
    assert_err(esp_https_ota_get_img_desc(handle, &desc), ESP_FAIL);
    assert_err(esp_https_ota_perform(handle), ESP_ERR_OTA_VALIDATE_FAILED);
    assert_int_equal(bench->slot_erases + bench->slot_programs + bench->otadata_changes, 0);
    assert_err(esp_https_ota_abort(handle), ESP_OK);
    fake_assert_update_works(bench);
}

static void what_was_sent_instead_of_an_image_is_named(void **state)
{
    (void)state;
    const struct {
        const char *start;
        const char *name;
    } table[] = {
        {"<!DOCTYPE html>", "an HTML or XML page"},
        {"{\"error\":404}", "JSON"},
        {"Not found, sorry", "text"},
        {"PK\x03\x04\x14\x01\x01\x01", "a ZIP archive"},
        {"\x7f"
         "ELF\x02\x01\x01\x01",
         "an ELF file: serve the app image made from it"},
        {"\x1f\x8b\x08\x08\x01\x01\x01\x01", "gzip data: serve the image uncompressed"},
        {"\xcf\xb6\x88\x07\x01\x01\x01\x01", "an encrypted image (esp_encrypted_img)"},
        {"\x01\x02\x03\x04\x05\x06\x07\x08", "unknown data"},
    };
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        assert_string_equal(https_ota_sniff((const uint8_t *)table[i].start, strlen(table[i].start)), table[i].name);
    }
}

static void image_for_another_chip_is_refused_unwritten(void **state)
{
    bench_t *bench = *state;
    fixture_image_t spec = FIXTURE_IMAGE_FOR(ESP_CHIP_ID_ESP32C3, "bench", "2.0.0");
    size_t len;
    uint8_t *image = fixture_image(&spec, &len);
    http_fake_exchange_t other = {.body = image, .body_len = len};
    for (int bulk = 0; bulk < 2; bulk++) {
        fake_answer(&other);
        esp_http_client_config_t client = fake_client();
        esp_https_ota_config_t config = {.http_config = &client, .bulk_flash_erase = bulk == 1};
        assert_err(esp_https_ota(&config), ESP_ERR_INVALID_VERSION);
        assert_int_equal(bench->slot_erases + bench->slot_programs + bench->otadata_changes, 0);
    }
    free(image);
    bench_await(ESP_HTTPS_OTA_VERIFY_CHIP_REVISION);
    fake_assert_update_works(bench);
}

static void need_revision_3(esp_image_header_t *header, esp_app_desc_t *desc)
{
    (void)desc;
    header->min_chip_rev_full = 300;
}

static void image_for_a_newer_revision_is_refused_unwritten(void **state)
{
    bench_t *bench = *state;
    fixture_image_t spec = FIXTURE_IMAGE("bench", "2.0.0");
    spec.edit = need_revision_3;
    size_t len;
    uint8_t *image = fixture_image(&spec, &len);
    http_fake_exchange_t other = {.body = image, .body_len = len};
    fake_answer(&other);
    assert_err(fake_update(), ESP_ERR_INVALID_VERSION);
    free(image);
    size_t count = bench_await(ESP_HTTPS_OTA_ABORT);
    assert_int_equal(bench_event(count - 2).id, ESP_HTTPS_OTA_VERIFY_CHIP_REVISION);
    assert_int_equal(bench_event(count - 2).number, 300);
    assert_int_equal(bench->slot_erases + bench->slot_programs + bench->otadata_changes, 0);
    fake_assert_update_works(bench);
}

static void image_without_app_descriptor_is_refused_unwritten(void **state)
{
    bench_t *bench = *state;
    fixture_image_t spec = FIXTURE_IMAGE("bench", "2.0.0");
    spec.no_desc = true;
    size_t len;
    uint8_t *image = fixture_image(&spec, &len);
    http_fake_exchange_t bootloader = {.body = image, .body_len = len};
    fake_answer(&bootloader);
    assert_err(fake_update(), ESP_ERR_OTA_VALIDATE_FAILED);
    free(image);
    assert_int_equal(bench->slot_erases + bench->slot_programs + bench->otadata_changes, 0);
    fake_assert_update_works(bench);
}

static void one_flipped_bit_anywhere_is_refused(void **state)
{
    bench_t *bench = *state;
    const size_t places[] = {1, 28, 300, 1500, 20100, bench->image_len - 33, bench->image_len - 1};
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        bench->image[places[i]] ^= 0x10;
        http_fake_exchange_t corrupt = fake_good(bench);
        fake_answer(&corrupt);
        assert_err(fake_update(), ESP_ERR_OTA_VALIDATE_FAILED);
        bench->image[places[i]] ^= 0x10;
        bench_assert_nothing_switched(bench);
    }
    fake_assert_update_works(bench);
}

static void endless_body_stops_at_the_end_of_the_slot(void **state)
{
    bench_t *bench = *state;
    http_fake_exchange_t endless = fake_good(bench);
    endless.endless = true;
    fake_answer(&endless);
    esp_https_ota_handle_t handle = fake_begun();
    assert_err(fake_download(handle), ESP_ERR_INVALID_SIZE);
    assert_int_equal(esp_https_ota_get_image_len_read(handle), BENCH_SLOT_BYTES);
    assert_err(esp_https_ota_abort(handle), ESP_OK);
    bench_assert_nothing_switched(bench);
    fake_assert_update_works(bench);
}

/* --- the device --- */

static void failed_erase_releases_the_slot(void **state)
{
    bench_t *bench = *state;
    memset(bench->bytes + BENCH_OTA_1, 0, BENCH_SLOT_BYTES);
    http_fake_exchange_t good = fake_good(bench);
    for (int bulk = 0; bulk < 2; bulk++) {
        fake_answer(&good);
        bench->failed = 0;
        bench->fail_erases = 1;
        esp_http_client_config_t client = fake_client();
        esp_https_ota_config_t config = {.http_config = &client, .bulk_flash_erase = bulk == 1};
        assert_err(esp_https_ota(&config), ESP_ERR_FLASH_OP_FAIL);
        assert_int_equal(bench->failed, 1);
        bench_assert_nothing_switched(bench);
    }
    fake_assert_update_works(bench);
}

static void failed_write_is_reported_and_sticks(void **state)
{
    bench_t *bench = *state;
    http_fake_exchange_t good = fake_good(bench);
    fake_answer(&good);
    esp_https_ota_handle_t handle = fake_begun();
    bench->fail_programs = 1;
    assert_err(fake_download(handle), ESP_ERR_FLASH_OP_FAIL);
    assert_int_equal(bench->failed, 1);
    uint32_t programs = bench->slot_programs;
    assert_err(esp_https_ota_perform(handle), ESP_ERR_FLASH_OP_FAIL);
    assert_int_equal(bench->slot_programs, programs);
    assert_err(esp_https_ota_abort(handle), ESP_OK);
    bench_assert_nothing_switched(bench);
    fake_assert_update_works(bench);
}

static void second_update_of_the_same_slot_is_refused_while_one_is_open(void **state)
{
    bench_t *bench = *state;
    http_fake_exchange_t script[] = {fake_good(bench), fake_good(bench)};
    http_fake_script(script, 2);
    esp_https_ota_handle_t first = fake_begun();
    assert_err(esp_https_ota_perform(first), ESP_ERR_HTTPS_OTA_IN_PROGRESS);
    esp_https_ota_handle_t second = fake_begun();
    assert_err(esp_https_ota_perform(second), ESP_ERR_OTA_ALREADY_IN_PROGRESS);
    assert_err(esp_https_ota_abort(second), ESP_OK);
    assert_err(fake_download(first), ESP_OK);
    assert_err(esp_https_ota_finish(first), ESP_OK);
    bench_assert_switched(bench);
}

static void unconfirmed_app_may_not_update(void **state)
{
    bench_t *bench = *state;
    memset(bench->bytes + BENCH_OTADATA, 0xff, 4096);
    otadata_encode(bench->bytes + BENCH_OTADATA, 1, ESP_OTA_IMG_PENDING_VERIFY);
    http_fake_exchange_t good = fake_good(bench);
    fake_answer(&good);
    assert_err(fake_update(), ESP_ERR_OTA_ROLLBACK_INVALID_STATE);
    assert_int_equal(bench->slot_erases + bench->slot_programs + bench->otadata_changes, 0);
    assert_err(esp_ota_mark_app_valid_cancel_rollback(), ESP_OK);
    fake_assert_update_works(bench);
}

/* --- after an error --- */

static void error_sticks_and_body_bytes_are_not_taken_for_an_image(void **state)
{
    bench_t *bench = *state;
    fixture_image_t spec = FIXTURE_IMAGE_FOR(ESP_CHIP_ID_ESP32, "bench", "2.0.0");
    size_t len;
    uint8_t *wrong = fixture_image(&spec, &len);
    assert_true(len > 1024);
    uint8_t *body = malloc(1024 + bench->image_len);
    memcpy(body, wrong, 1024);
    memcpy(body + 1024, bench->image, bench->image_len);
    free(wrong);
    http_fake_exchange_t exchange = {.body = body, .body_len = 1024 + bench->image_len};
    fake_answer(&exchange);
    esp_https_ota_handle_t handle = fake_begun();
    assert_err(esp_https_ota_perform(handle), ESP_ERR_INVALID_VERSION);
    assert_err(esp_https_ota_perform(handle), ESP_ERR_INVALID_VERSION);
    assert_int_equal(http_fake_seen()->request[0].sent_bytes, 1024);
    assert_err(esp_https_ota_finish(handle), ESP_ERR_INVALID_VERSION);
    free(body);
    assert_int_equal(bench->slot_erases + bench->slot_programs + bench->otadata_changes, 0);
    bench_assert_nothing_switched(bench);
}

static void finish_after_a_broken_connection_does_not_switch(void **state)
{
    bench_t *bench = *state;
    http_fake_exchange_t bad = fake_good(bench);
    bad.break_at = 10000;
    bad.break_error = ESP_FAIL;
    fake_answer(&bad);
    esp_https_ota_handle_t handle = fake_begun();
    assert_err(fake_download(handle), ESP_FAIL);
    assert_err(esp_https_ota_finish(handle), ESP_ERR_OTA_VALIDATE_FAILED);
    bench_assert_nothing_switched(bench);
    fake_assert_update_works(bench);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown(body_that_breaks_off_is_refused_wherever_it_breaks, bench_setup, fake_teardown),
    cmocka_unit_test_setup_teardown(chunked_body_without_its_end_is_refused, bench_setup, fake_teardown),
    cmocka_unit_test_setup_teardown(truncated_file_is_refused_by_verification, bench_setup, fake_teardown),
    cmocka_unit_test_setup_teardown(body_shorter_than_a_header_is_refused_unwritten, bench_setup, fake_teardown),
    cmocka_unit_test_setup_teardown(pause_of_the_server_is_waited_out, bench_setup, fake_teardown),
    cmocka_unit_test_setup_teardown(many_short_pauses_are_no_stall, bench_setup, fake_teardown),
    cmocka_unit_test_setup_teardown(stall_answers_in_progress_until_the_limit_and_then_timeout, bench_setup,
                                    fake_teardown),
    cmocka_unit_test_setup_teardown(one_call_ends_when_the_server_stalls, bench_setup, fake_teardown),
    cmocka_unit_test_setup_teardown(descriptor_query_ends_when_the_server_stalls, bench_setup, fake_teardown),
    cmocka_unit_test_setup_teardown(pause_of_the_application_is_no_stall, bench_setup, fake_teardown),
    cmocka_unit_test_setup_teardown(body_that_is_no_image_is_refused_unwritten, bench_setup, fake_teardown),
    cmocka_unit_test_setup_teardown(what_was_sent_instead_of_an_image_is_named, bench_setup, fake_teardown),
    cmocka_unit_test_setup_teardown(image_for_another_chip_is_refused_unwritten, bench_setup, fake_teardown),
    cmocka_unit_test_setup_teardown(image_for_a_newer_revision_is_refused_unwritten, bench_setup, fake_teardown),
    cmocka_unit_test_setup_teardown(image_without_app_descriptor_is_refused_unwritten, bench_setup, fake_teardown),
    cmocka_unit_test_setup_teardown(one_flipped_bit_anywhere_is_refused, bench_setup, fake_teardown),
    cmocka_unit_test_setup_teardown(endless_body_stops_at_the_end_of_the_slot, bench_setup, fake_teardown),
    cmocka_unit_test_setup_teardown(failed_erase_releases_the_slot, bench_setup, fake_teardown),
    cmocka_unit_test_setup_teardown(failed_write_is_reported_and_sticks, bench_setup, fake_teardown),
    cmocka_unit_test_setup_teardown(second_update_of_the_same_slot_is_refused_while_one_is_open, bench_setup,
                                    fake_teardown),
    cmocka_unit_test_setup_teardown(unconfirmed_app_may_not_update, bench_setup, fake_teardown),
    cmocka_unit_test_setup_teardown(error_sticks_and_body_bytes_are_not_taken_for_an_image, bench_setup, fake_teardown),
    cmocka_unit_test_setup_teardown(finish_after_a_broken_connection_does_not_switch, bench_setup, fake_teardown),
};

TEST_MAIN(tests)
