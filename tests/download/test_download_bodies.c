/* SPDX-License-Identifier: Apache-2.0 */
/* Bodies that are not what was announced, or not an image for this device. */
#include <stdlib.h>

#include "otter/otter_os.h"
#include "tests/download/download_rig.h"

/* A server that sends only this. */
static void assert_refused(rig_t *rig, bad_reply_t bad, esp_err_t expected)
{
    bad.fault = bad.fault == BAD_NONE ? BAD_CONTENT : bad.fault;
    rig_serve_only(rig, &bad);
    rig_assert_refuses(rig, expected);
    rig_assert_faults(rig, 1);
}

static void assert_refused_untouched(rig_t *rig, bad_reply_t bad, esp_err_t expected)
{
    bad.fault = bad.fault == BAD_NONE ? BAD_CONTENT : bad.fault;
    rig_serve_only(rig, &bad);
    rig_assert_refuses_untouched(rig, expected);
    rig_assert_faults(rig, 1);
}

/* A server that sends this once, and is well after that. */
static void assert_got_past(rig_t *rig, const bad_reply_t *bad)
{
    rig_serve_then_good(rig, bad);
    rig_assert_updates(rig);
    rig_assert_faults(rig, 1);
}

/* --- lengths --- */

static void body_shorter_than_announced_is_refused(void **state)
{
    assert_refused(*state, rig_bad(*state, BAD_SHORT_BODY, 100), ESP_FAIL);
}

static void body_once_shorter_than_announced_is_fetched_again(void **state)
{
    bad_reply_t bad = rig_bad(*state, BAD_SHORT_BODY, 100);
    assert_got_past(*state, &bad);
}

static void what_follows_a_body_is_not_taken(void **state)
{
    rig_t *rig = *state;
    bad_reply_t bad = rig_bad(rig, BAD_LONG_BODY, 1000);
    rig_serve_only(rig, &bad);
    rig_assert_updates(rig);
    rig_assert_faults(rig, 1);
}

static void assert_length_refused(rig_t *rig, const char *length)
{
    bad_reply_t bad = rig_bad(rig, BAD_LENGTH_TEXT, 0);
    bad.text = length;
    assert_refused_untouched(rig, bad, ESP_FAIL);
}

static void length_that_is_no_number_is_refused(void **state)
{
    assert_length_refused(*state, "many");
}

static void negative_length_is_refused(void **state)
{
    assert_length_refused(*state, "-28000");
}

static void length_beyond_64_bits_is_refused(void **state)
{
    assert_length_refused(*state, "99999999999999999999999999");
}

static void length_with_something_behind_it_is_refused(void **state)
{
    assert_length_refused(*state, "28000x");
}

static void two_lengths_that_differ_are_refused(void **state)
{
    assert_refused_untouched(*state, rig_bad(*state, BAD_TWO_LENGTHS, 0), ESP_FAIL);
}

static void length_beyond_the_slot_is_refused_before_anything_is_erased(void **state)
{
    rig_t *rig = *state;
    bad_reply_t bad = rig_bad(rig, BAD_LENGTH_TEXT, 0);
    bad.text = "131073";
    assert_refused_untouched(rig, bad, ESP_ERR_INVALID_SIZE);
}

/* --- chunks --- */

static bad_reply_t chunk_line(rig_t *rig, const char *text)
{
    bad_reply_t bad = rig_bad(rig, BAD_CHUNK_LINE, 9000);
    bad.framing = BAD_CHUNKED;
    bad.text = text;
    return bad;
}

static void assert_chunk_got_past(rig_t *rig, const char *text)
{
    bad_reply_t bad = chunk_line(rig, text);
    assert_got_past(rig, &bad);
}

static void chunk_size_that_is_no_number_is_got_past(void **state)
{
    assert_chunk_got_past(*state, "zz\r\n");
}

static void negative_chunk_size_is_got_past(void **state)
{
    assert_chunk_got_past(*state, "-10\r\n");
}

static void chunk_size_beyond_64_bits_is_got_past(void **state)
{
    assert_chunk_got_past(*state, "fffffffffffffffff\r\n");
}

static void endless_chunk_size_line_is_got_past(void **state)
{
    rig_t *rig = *state;
    char *line = malloc(70001);
    memset(line, '0', 70000);
    line[70000] = '\0';
    bad_reply_t bad = chunk_line(rig, line);
    assert_got_past(rig, &bad);
    rig_keep(rig, line);
}

/* More is announced than the slot holds; what comes is not more than the image. */
static void huge_chunk_that_never_comes_is_got_past(void **state)
{
    assert_chunk_got_past(*state, "7fffffff\r\n");
}

static void chunk_without_its_end_is_got_past(void **state)
{
    rig_t *rig = *state;
    bad_reply_t bad = rig_bad(rig, BAD_CHUNK_END, 0);
    bad.framing = BAD_CHUNKED;
    bad.text = "no";
    assert_got_past(rig, &bad);
}

static void chunks_that_are_always_broken_are_given_up(void **state)
{
    rig_t *rig = *state;
    bad_reply_t bad = chunk_line(rig, "zz\r\n");
    bad.ranges = false;
    assert_refused(rig, bad, ESP_FAIL);
    rig_assert_faults(rig, RIG_RETRIES);
}

static void trailers_and_extensions_of_chunks_do_no_harm(void **state)
{
    rig_t *rig = *state;
    bad_reply_t reply = rig_bad(rig, BAD_CONTENT, 0);
    reply.framing = BAD_CHUNKED;
    reply.trailer = "X-Digest: abc\r\nContent-Length: 7\r\n";
    rig_serve_only(rig, &reply);
    rig_assert_updates(rig);
    rig_assert_faults(rig, 1);
    assert_int_equal(bad_server_count(rig->server, BAD_COUNT_REQUESTS), 1);
}

static void chunked_body_too_large_for_the_slot_is_refused(void **state)
{
    rig_t *rig = *state;
    uint8_t *large = calloc(1, BENCH_SLOT_BYTES + 1);
    memcpy(large, rig->bench->image, rig->bench->image_len);
    bad_reply_t bad = rig_bad(rig, BAD_CONTENT, 0);
    bad.body = large;
    bad.body_len = BENCH_SLOT_BYTES + 1;
    bad.framing = BAD_CHUNKED;
    assert_refused(rig, bad, ESP_ERR_INVALID_SIZE);
    rig_keep(rig, large);
}

/* --- what is no image for this device --- */

static bad_reply_t with_body(rig_t *rig, const void *body, size_t len)
{
    bad_reply_t bad = rig_bad(rig, BAD_CONTENT, 0);
    bad.body = body;
    bad.body_len = len;
    return bad;
}

static void empty_body_is_refused(void **state)
{
    assert_refused_untouched(*state, with_body(*state, NULL, 0), ESP_FAIL);
}

static void body_shorter_than_an_images_head_is_refused(void **state)
{
    rig_t *rig = *state;
    assert_refused_untouched(rig, with_body(rig, rig->bench->image, 1023), ESP_FAIL);
}

static void answer_without_content_is_refused(void **state)
{
    bad_reply_t bad = with_body(*state, NULL, 0);
    bad.status = 204;
    assert_refused_untouched(*state, bad, ESP_FAIL);
}

static void web_page_is_refused(void **state)
{
    static char page[4096] = "<!DOCTYPE html><html>please log in to the hotel network";
    memset(page + strlen(page), ' ', sizeof(page) - strlen(page) - 1);
    bad_reply_t bad = with_body(*state, page, sizeof(page));
    bad.headers = "Content-Type: text/html\r\n";
    assert_refused_untouched(*state, bad, ESP_ERR_OTA_VALIDATE_FAILED);
}

static void image_for_another_chip_is_refused(void **state)
{
    fixture_image_t spec = FIXTURE_IMAGE_FOR(ESP_CHIP_ID_ESP32S3, "bench", "2.0.0");
    size_t len;
    uint8_t *image = fixture_image(&spec, &len);
    assert_refused_untouched(*state, with_body(*state, image, len), ESP_ERR_INVALID_VERSION);
    rig_keep(*state, image);
}

static void corrupted_image_is_refused(void **state)
{
    rig_t *rig = *state;
    uint8_t *image = malloc(rig->bench->image_len);
    memcpy(image, rig->bench->image, rig->bench->image_len);
    image[12345] ^= 4;
    assert_refused(rig, with_body(rig, image, rig->bench->image_len), ESP_ERR_OTA_VALIDATE_FAILED);
    rig_keep(rig, image);
}

static void image_without_its_end_is_refused(void **state)
{
    rig_t *rig = *state;
    assert_refused(rig, with_body(rig, rig->bench->image, 20000), ESP_ERR_OTA_VALIDATE_FAILED);
}

static void assert_coding_refused(rig_t *rig, const char *header)
{
    bad_reply_t bad = rig_bad(rig, BAD_CONTENT, 0);
    bad.headers = header;
    assert_refused_untouched(rig, bad, ESP_ERR_NOT_SUPPORTED);
    assert_int_equal(bad_server_count(rig->server, BAD_COUNT_REQUESTS), 1);
}

static void content_encoding_is_never_written_to_flash(void **state)
{
    assert_coding_refused(*state, "Content-Encoding: gzip\r\n");
}

static void unknown_content_encoding_is_refused(void **state)
{
    assert_coding_refused(*state, "Content-Encoding: made-up\r\n");
}

static void encoding_identity_is_no_encoding(void **state)
{
    rig_t *rig = *state;
    bad_reply_t reply = rig_bad(rig, BAD_CONTENT, 0);
    reply.headers = "Content-Encoding: identity\r\n";
    rig_serve_only(rig, &reply);
    rig_assert_updates(rig);
    rig_assert_faults(rig, 1);
}

static void random_bytes_behind_the_image_do_no_harm(void **state)
{
    rig_t *rig = *state;
    size_t len = rig->bench->image_len + 1234;
    uint8_t *padded = malloc(len);
    memset(padded, 0xa5, len);
    memcpy(padded, rig->bench->image, rig->bench->image_len);
    bad_reply_t reply = with_body(rig, padded, len);
    rig_serve_only(rig, &reply);
    rig_assert_updates(rig);
    rig_assert_faults(rig, 1);
    rig_keep(rig, padded);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_rig(body_shorter_than_announced_is_refused),
    cmocka_unit_test_rig(body_once_shorter_than_announced_is_fetched_again),
    cmocka_unit_test_rig(what_follows_a_body_is_not_taken),
    cmocka_unit_test_rig(length_that_is_no_number_is_refused),
    cmocka_unit_test_rig(negative_length_is_refused),
    cmocka_unit_test_rig(length_beyond_64_bits_is_refused),
    cmocka_unit_test_rig(length_with_something_behind_it_is_refused),
    cmocka_unit_test_rig(two_lengths_that_differ_are_refused),
    cmocka_unit_test_rig(length_beyond_the_slot_is_refused_before_anything_is_erased),
    cmocka_unit_test_rig(chunk_size_that_is_no_number_is_got_past),
    cmocka_unit_test_rig(negative_chunk_size_is_got_past),
    cmocka_unit_test_rig(chunk_size_beyond_64_bits_is_got_past),
    cmocka_unit_test_rig(endless_chunk_size_line_is_got_past),
    cmocka_unit_test_rig(huge_chunk_that_never_comes_is_got_past),
    cmocka_unit_test_rig(chunk_without_its_end_is_got_past),
    cmocka_unit_test_rig(chunks_that_are_always_broken_are_given_up),
    cmocka_unit_test_rig(trailers_and_extensions_of_chunks_do_no_harm),
    cmocka_unit_test_rig(chunked_body_too_large_for_the_slot_is_refused),
    cmocka_unit_test_rig(empty_body_is_refused),
    cmocka_unit_test_rig(body_shorter_than_an_images_head_is_refused),
    cmocka_unit_test_rig(answer_without_content_is_refused),
    cmocka_unit_test_rig(web_page_is_refused),
    cmocka_unit_test_rig(image_for_another_chip_is_refused),
    cmocka_unit_test_rig(corrupted_image_is_refused),
    cmocka_unit_test_rig(image_without_its_end_is_refused),
    cmocka_unit_test_rig(content_encoding_is_never_written_to_flash),
    cmocka_unit_test_rig(unknown_content_encoding_is_refused),
    cmocka_unit_test_rig(encoding_identity_is_no_encoding),
    cmocka_unit_test_rig(random_bytes_behind_the_image_do_no_harm),
};

TEST_MAIN(tests)
