/* SPDX-License-Identifier: Apache-2.0 */
/* otter ota status, update, switch, confirm, invalidate. */
#include <stdlib.h>
#include <unistd.h>

#include "tests/cli/cli_bench.h"
#include "tests/support/bad_server.h"
#include "tests/support/certs.h"

/** Makes f.bin with 1.0.0 in ota_0 and 2.0.0 in ota_1; ota_0 boots. */
static void make_flash(void)
{
    bench_app("one.bin", "1.0.0");
    bench_app("two.bin", "2.0.0");
    assert_otter(0, "flash create f.bin --size 1M --app one.bin --write ota_1=two.bin");
}

static void assert_flash_is(uint8_t *before, size_t before_len)
{
    size_t len = 0;
    uint8_t *now = bench_read("f.bin", &len);
    assert_int_equal(len, before_len);
    assert_memory_equal(now, before, len);
    free(now);
    free(before);
}

static json_t *status(void)
{
    assert_otter(0, "ota status f.bin --json");
    return said_json();
}

/** Fails unless that app boots next; NULL: none does. */
static void assert_boots(const char *label)
{
    json_t *json = status();
    json_t *partition = json_at(json, "boot", "partition");
    if (label == NULL) {
        assert_true(json_is_null(partition));
    } else {
        assert_string_equal(json_string_value(partition), label);
    }
    json_decref(json);
}

/** Fails unless otadata has that state for an app; NULL: none. */
static void assert_state(const char *label, const char *expected)
{
    json_t *json = status();
    json_t *state = json_object_get(json_row(json, "apps", "partition", label), "state");
    if (expected == NULL) {
        assert_true(json_is_null(state));
    } else {
        assert_non_null(json_string_value(state));
        assert_string_equal(json_string_value(state), expected);
    }
    json_decref(json);
}

static void status_of_a_new_flash_has_no_states(void **state)
{
    (void)state;
    make_flash();
    assert_boots("ota_0");
    assert_state("ota_0", NULL);
    assert_state("ota_1", NULL);
    assert_otter(0, "ota status f.bin");
    assert_says(said.out, "Boots: ota_0");
    assert_says(said.out, "2.0.0");
}

static void a_switch_makes_the_other_slot_boot_unconfirmed(void **state)
{
    (void)state;
    make_flash();
    assert_otter(0, "ota switch f.bin ota_1");
    assert_boots("ota_1");
    assert_state("ota_1", "NEW");
}

static void a_switch_to_a_slot_that_does_not_verify_changes_nothing(void **state)
{
    size_t len = 0;
    (void)state;
    make_flash();
    assert_otter(0, "flash erase f.bin ota_1");
    uint8_t *before = bench_read("f.bin", &len);
    assert_otter(1, "ota switch f.bin ota_1");
    assert_says(said.err, "f.bin: ota_1: the image is not valid");
    assert_flash_is(before, len);
}

static void a_switch_to_what_is_no_app_is_refused(void **state)
{
    size_t len = 0;
    (void)state;
    make_flash();
    uint8_t *before = bench_read("f.bin", &len);
    assert_otter(1, "ota switch f.bin nvs");
    assert_says(said.err, "no app partition nvs");
    assert_otter(1, "ota switch f.bin ota_7");
    assert_says(said.err, "no app partition ota_7");
    assert_flash_is(before, len);
}

static void a_confirmed_app_is_valid(void **state)
{
    (void)state;
    make_flash();
    assert_otter(0, "ota switch f.bin ota_1");
    assert_otter(0, "ota confirm f.bin");
    assert_says(said.err, "ota_1 is confirmed");
    assert_state("ota_1", "VALID");
    assert_boots("ota_1");
}

static void a_refused_app_gives_way_to_the_one_before(void **state)
{
    (void)state;
    make_flash();
    assert_otter(0, "ota confirm f.bin");
    assert_otter(0, "ota switch f.bin ota_1");
    json_t *json = status();
    assert_string_equal(json_text(json, "rollback_target"), "ota_0");
    json_decref(json);
    assert_otter(0, "ota invalidate f.bin");
    assert_state("ota_1", "INVALID");
    assert_boots("ota_0");
}

static void the_only_valid_app_cannot_be_refused(void **state)
{
    size_t len = 0;
    (void)state;
    make_flash();
    assert_otter(0, "flash erase f.bin ota_1");
    assert_otter(0, "ota confirm f.bin");
    json_t *json = status();
    assert_true(json_is_null(json_object_get(json, "rollback_target")));
    json_decref(json);
    uint8_t *before = bench_read("f.bin", &len);
    assert_otter(1, "ota invalidate f.bin");
    assert_says(said.err, "no other valid app");
    assert_flash_is(before, len);
}

static void a_flash_without_a_bootable_app_has_nothing_to_confirm(void **state)
{
    (void)state;
    assert_otter(0, "flash create f.bin --size 1M");
    assert_boots(NULL);
    assert_otter(1, "ota confirm f.bin");
    assert_says(said.err, "no app would boot");
    assert_otter(1, "ota invalidate f.bin");
    assert_says(said.err, "no app would boot");
}

static void a_factory_app_needs_no_confirmation(void **state)
{
    (void)state;
    bench_app("one.bin", "1.0.0");
    bench_write_text("t.csv", "otadata,data,ota,,0x2000\nfactory,app,factory,,128K\nota_0,app,ota_0,,128K\n");
    assert_otter(0, "flash create f.bin --size 1M --ptable t.csv --app one.bin");
    assert_otter(1, "ota confirm f.bin");
    assert_says(said.err, "needs no confirmation");
    assert_otter(1, "ota invalidate f.bin");
}

static void a_flash_without_otadata_cannot_be_switched(void **state)
{
    (void)state;
    bench_app("one.bin", "1.0.0");
    bench_write_text("t.csv", "factory,app,factory,,128K\nota_0,app,ota_0,,128K\n");
    assert_otter(0, "flash create f.bin --size 1M --ptable t.csv --app one.bin --write ota_0=one.bin");
    assert_otter(1, "ota switch f.bin ota_0");
    assert_says(said.err, "no otadata partition");
}

static void a_damaged_app_is_passed_over_in_status(void **state)
{
    (void)state;
    make_flash();
    assert_otter(0, "ota switch f.bin ota_1");
    assert_otter(0, "flash erase f.bin ota_1");
    json_t *json = status();
    assert_string_equal(json_string_value(json_at(json, "boot", "partition")), "ota_0");
    json_t *failed = json_at(json, "boot", "failed");
    assert_string_equal(json_text(json_array_get(failed, 0), "partition"), "ota_1");
    json_decref(json);
}

/** A server with one file, and the CA that it is to be trusted by, in ca.pem. */
typedef struct site {
    certs_ca_t *ca;
    certs_leaf_t leaf;
    bad_server_t *server;
    uint8_t *image;
    size_t image_len;
    char url[128];
} site_t;

/** Serves a file as /fw.bin; @p plain without TLS. */
static void open_site(site_t *site, const char *name, bad_reply_t reply, bool plain)
{
    memset(site, 0, sizeof(*site));
    site->image = bench_read(name, &site->image_len);
    reply.body_len = site->image_len;
    reply.path = "/fw.bin";
    reply.body = site->image;
    site->ca = certs_ca_new("Otter test");
    site->leaf = certs_leaf_new(site->ca, &(certs_spec_t){0});
    bench_write_text("ca.pem", certs_ca_pem(site->ca));
    site->server = bad_server_start(&(bad_server_config_t){
        .cert_pem = plain ? NULL : site->leaf.cert_pem,
        .key_pem = plain ? NULL : site->leaf.key_pem,
        .replies = &reply,
        .reply_count = 1,
    });
    bad_server_url(site->server, "/fw.bin", site->url, sizeof(site->url));
}

/** Answers differently from now on. */
static void change_site(site_t *site, bad_reply_t reply)
{
    reply.path = "/fw.bin";
    reply.body = site->image;
    reply.body_len = site->image_len;
    bad_server_set_replies(site->server, &reply, 1);
}

static void close_site(site_t *site)
{
    bad_server_stop(site->server);
    certs_leaf_free(&site->leaf);
    certs_ca_free(site->ca);
    free(site->image);
}

static void an_update_writes_the_next_slot_and_boots_it(void **state)
{
    site_t site;
    (void)state;
    make_flash();
    assert_otter(0, "ota confirm f.bin");
    bench_app("new.bin", "3.0.0");
    open_site(&site, "new.bin", (bad_reply_t){0}, false);
    assert_otter(0, "ota update f.bin %s --ca ca.pem", site.url);
    close_site(&site);
    assert_says(said.err, "ota_1 holds blink 3.0.0 and boots next");
    assert_boots("ota_1");
    json_t *json = status();
    assert_string_equal(json_text(json_row(json, "apps", "partition", "ota_1"), "version"), "3.0.0");
    assert_string_equal(json_text(json, "rollback_target"), "ota_0");
    json_decref(json);
}

static void a_server_that_is_not_trusted_is_refused(void **state)
{
    site_t site;
    size_t len = 0;
    (void)state;
    make_flash();
    uint8_t *before = bench_read("f.bin", &len);
    open_site(&site, "two.bin", (bad_reply_t){0}, false);
    assert_otter(1, "ota update f.bin %s", site.url);
    assert_true(bad_server_await(site.server, BAD_COUNT_REFUSED, 1) >= 1);
    assert_int_equal(bad_server_count(site.server, BAD_COUNT_REQUESTS), 0);
    close_site(&site);
    assert_says(said.err, "certificate was refused");
    assert_flash_is(before, len);
}

static void plain_http_must_be_allowed(void **state)
{
    site_t site;
    (void)state;
    make_flash();
    assert_otter(0, "ota confirm f.bin");
    open_site(&site, "two.bin", (bad_reply_t){0}, true);
    assert_otter(1, "ota update f.bin %s", site.url);
    assert_says(said.err, "--allow-http");
    assert_int_equal(bad_server_count(site.server, BAD_COUNT_CONNECTIONS), 0);
    assert_otter(0, "ota update f.bin %s --allow-http", site.url);
    close_site(&site);
    assert_boots("ota_1");
}

static void a_download_that_breaks_off_changes_nothing_that_boots(void **state)
{
    site_t site;
    (void)state;
    make_flash();
    assert_otter(0, "ota confirm f.bin");
    open_site(&site, "two.bin", (bad_reply_t){.fault = BAD_TRUNCATE, .fault_at = 1000}, false);
    assert_otter(1, "ota update f.bin %s --ca ca.pem --retries 1", site.url);
    assert_true(bad_server_count(site.server, BAD_COUNT_FAULTS) >= 1);
    close_site(&site);
    assert_boots("ota_0");
    assert_state("ota_0", "VALID");
}

static void progress_is_shown_on_a_terminal_only(void **state)
{
    const bad_reply_t slow = {.fault = BAD_TRICKLE, .fault_at = 400, .trickle_ms = 60};
    const run_options_t terminal = {.terminal_err = true};
    site_t site;
    (void)state;
    make_flash();
    assert_otter(0, "ota confirm f.bin");
    open_site(&site, "two.bin", slow, false);
    assert_int_equal(otter_with(&terminal, "ota update f.bin %s --ca ca.pem", site.url), 0);
    assert_says(said.err, "\rdownload [");
    assert_says(said.err, "KiB/s");
    assert_otter(0, "ota confirm f.bin");
    assert_otter(0, "ota update f.bin %s --ca ca.pem", site.url);
    assert_true(bad_server_count(site.server, BAD_COUNT_FAULTS) >= 2);
    close_site(&site);
    assert_null(strchr(said.err, '\r'));
}

static void an_image_for_another_chip_is_refused(void **state)
{
    fixture_image_t spec = FIXTURE_IMAGE_FOR(ESP_CHIP_ID_ESP32C3, "blink", "3.0.0");
    site_t site;
    (void)state;
    make_flash();
    assert_otter(0, "ota confirm f.bin");
    bench_image("c3.bin", &spec);
    open_site(&site, "c3.bin", (bad_reply_t){0}, false);
    assert_otter(1, "ota update f.bin %s --ca ca.pem", site.url);
    close_site(&site);
    assert_says(said.err, "another chip");
    assert_boots("ota_0");
}

static void a_page_that_is_no_image_is_refused(void **state)
{
    site_t site;
    (void)state;
    make_flash();
    assert_otter(0, "ota confirm f.bin");
    bench_write_text("page.html", "<html>no firmware here, but some more text than a header has</html>");
    open_site(&site, "page.html", (bad_reply_t){0}, false);
    assert_otter(1, "ota update f.bin %s --ca ca.pem", site.url);
    assert_true(bad_server_count(site.server, BAD_COUNT_REQUESTS) >= 1);
    close_site(&site);
    assert_boots("ota_0");
}

static void an_update_before_confirmation_is_refused_like_on_the_device(void **state)
{
    site_t site;
    size_t len = 0;
    (void)state;
    make_flash();
    assert_otter(0, "ota confirm f.bin");
    assert_otter(0, "ota switch f.bin ota_1");
    uint8_t *before = bench_read("f.bin", &len);
    open_site(&site, "two.bin", (bad_reply_t){0}, false);
    assert_otter(1, "ota update f.bin %s --ca ca.pem", site.url);
    assert_int_equal(bad_server_count(site.server, BAD_COUNT_CONNECTIONS), 0);
    close_site(&site);
    assert_says(said.err, "ota_1: the app that would boot is not confirmed yet");
    assert_flash_is(before, len);
}

static void an_app_that_was_booted_once_and_not_confirmed_counts_as_rolled_back(void **state)
{
    uint8_t record[32];
    (void)state;
    make_flash();
    /* seq 1, PENDING_VERIFY; CRC-32 of 01 00 00 00 from FFFFFFFF. */
    memset(record, 0xff, sizeof(record));
    memcpy(record, "\x01\0\0\0", 4);
    memcpy(record + 24, "\x01\0\0\0\x9a\x98\x43\x47", 8);
    bench_write("record.bin", record, sizeof(record));
    assert_otter(0, "flash write f.bin otadata record.bin");
    assert_state("ota_0", "PENDING_VERIFY");
    assert_boots("ota_1");
}

#define LARGE_BYTES 60000u /* Of code in an image that takes many sectors. */

static void make_large_app(void)
{
    fixture_image_t spec = FIXTURE_IMAGE_FOR(bench_chip(), "blink", "4.0.0");
    spec.segment_bytes[0] = LARGE_BYTES;
    bench_image("large.bin", &spec);
}

static void an_update_that_was_interrupted_goes_on_in_the_next(void **state)
{
    const bad_reply_t cut = {.etag = "\"v4\"", .ranges = true, .fault = BAD_TRUNCATE, .fault_at = LARGE_BYTES / 2};
    const bad_reply_t good = {.etag = "\"v4\"", .ranges = true};
    site_t site;
    (void)state;
    make_flash();
    assert_otter(0, "ota confirm f.bin");
    make_large_app();
    open_site(&site, "large.bin", cut, false);
    assert_otter(1, "ota update f.bin %s --ca ca.pem --retries 0", site.url);
    assert_true(bad_server_await(site.server, BAD_COUNT_FAULTS, 1) >= 1);
    assert_boots("ota_0");
    change_site(&site, good);
    assert_otter(0, "ota update f.bin %s --ca ca.pem --verbose", site.url);
    close_site(&site);
    assert_says(said.err, "bytes of an earlier download");
    assert_boots("ota_1");
}

static void an_update_that_may_not_resume_fetches_all(void **state)
{
    const bad_reply_t cut = {.etag = "\"v4\"", .ranges = true, .fault = BAD_TRUNCATE, .fault_at = LARGE_BYTES / 2};
    const bad_reply_t good = {.etag = "\"v4\"", .ranges = true};
    site_t site;
    (void)state;
    make_flash();
    assert_otter(0, "ota confirm f.bin");
    make_large_app();
    open_site(&site, "large.bin", cut, false);
    assert_otter(1, "ota update f.bin %s --ca ca.pem --retries 0", site.url);
    assert_true(bad_server_await(site.server, BAD_COUNT_FAULTS, 1) >= 1);
    change_site(&site, good);
    assert_otter(0, "ota update f.bin %s --ca ca.pem --verbose --no-resume", site.url);
    close_site(&site);
    assert_null(strstr(said.err, "earlier download"));
    assert_boots("ota_1");
}

static void an_update_in_parts_needs_one_connection(void **state)
{
    site_t site;
    (void)state;
    make_flash();
    assert_otter(0, "ota confirm f.bin");
    make_large_app();
    open_site(&site, "large.bin", (bad_reply_t){.etag = "\"v4\"", .ranges = true}, false);
    assert_otter(0, "ota update f.bin %s --ca ca.pem --partial 16K --limit-rate 2M --max-time 60", site.url);
    assert_int_equal(bad_server_count(site.server, BAD_COUNT_HANDSHAKES), 1);
    assert_int_equal(bad_server_count(site.server, BAD_COUNT_REQUESTS), 1 + (site.image_len + 16383) / 16384);
    close_site(&site);
    assert_boots("ota_1");
}

static void a_file_of_this_machine_updates(void **state)
{
    char folder[512];
    (void)state;
    make_flash();
    assert_otter(0, "ota confirm f.bin");
    make_large_app();
    assert_non_null(getcwd(folder, sizeof(folder)));
    assert_otter(0, "ota update f.bin file://%s/large.bin", folder);
    assert_boots("ota_1");
    assert_otter(1, "ota update f.bin file://%s/missing.bin", folder);
}

static void wrong_options_of_update_are_refused(void **state)
{
    (void)state;
    make_flash();
    assert_otter(2, "ota update f.bin https://localhost/ --timeout 0");
    assert_otter(2, "ota update f.bin https://localhost/ --timeout long");
    assert_otter(2, "ota update f.bin gopher://localhost/fw.bin");
    assert_says(said.err, "https");
    assert_otter(1, "ota update f.bin ftp://localhost/fw.bin");
    assert_says(said.err, "--allow-http");
    assert_otter(2, "ota update f.bin https://localhost/ --retries many");
    assert_otter(2, "ota update f.bin https://localhost/ --max-time 0");
    assert_otter(2, "ota update f.bin https://localhost/ --limit-rate fast");
    assert_otter(2, "ota update f.bin https://localhost/ --min-speed 5G");
    assert_otter(2, "ota update f.bin https://localhost/ --partial 100");
    assert_otter(1, "ota update f.bin https://localhost/ --ca missing.pem");
    assert_says(said.err, "missing.pem");
    assert_otter(1, "ota update nowhere.bin https://localhost/");
    assert_says(said.err, "nowhere.bin does not exist");
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown(status_of_a_new_flash_has_no_states, bench_enter, bench_leave),
    cmocka_unit_test_setup_teardown(a_switch_makes_the_other_slot_boot_unconfirmed, bench_enter, bench_leave),
    cmocka_unit_test_setup_teardown(a_switch_to_a_slot_that_does_not_verify_changes_nothing, bench_enter, bench_leave),
    cmocka_unit_test_setup_teardown(a_switch_to_what_is_no_app_is_refused, bench_enter, bench_leave),
    cmocka_unit_test_setup_teardown(a_confirmed_app_is_valid, bench_enter, bench_leave),
    cmocka_unit_test_setup_teardown(a_refused_app_gives_way_to_the_one_before, bench_enter, bench_leave),
    cmocka_unit_test_setup_teardown(the_only_valid_app_cannot_be_refused, bench_enter, bench_leave),
    cmocka_unit_test_setup_teardown(a_flash_without_a_bootable_app_has_nothing_to_confirm, bench_enter, bench_leave),
    cmocka_unit_test_setup_teardown(a_factory_app_needs_no_confirmation, bench_enter, bench_leave),
    cmocka_unit_test_setup_teardown(a_flash_without_otadata_cannot_be_switched, bench_enter, bench_leave),
    cmocka_unit_test_setup_teardown(a_damaged_app_is_passed_over_in_status, bench_enter, bench_leave),
    cmocka_unit_test_setup_teardown(an_update_writes_the_next_slot_and_boots_it, bench_enter, bench_leave),
    cmocka_unit_test_setup_teardown(a_server_that_is_not_trusted_is_refused, bench_enter, bench_leave),
    cmocka_unit_test_setup_teardown(plain_http_must_be_allowed, bench_enter, bench_leave),
    cmocka_unit_test_setup_teardown(a_download_that_breaks_off_changes_nothing_that_boots, bench_enter, bench_leave),
    cmocka_unit_test_setup_teardown(progress_is_shown_on_a_terminal_only, bench_enter, bench_leave),
    cmocka_unit_test_setup_teardown(an_image_for_another_chip_is_refused, bench_enter, bench_leave),
    cmocka_unit_test_setup_teardown(a_page_that_is_no_image_is_refused, bench_enter, bench_leave),
    cmocka_unit_test_setup_teardown(an_update_before_confirmation_is_refused_like_on_the_device, bench_enter,
                                    bench_leave),
    cmocka_unit_test_setup_teardown(an_app_that_was_booted_once_and_not_confirmed_counts_as_rolled_back, bench_enter,
                                    bench_leave),
    cmocka_unit_test_setup_teardown(an_update_that_was_interrupted_goes_on_in_the_next, bench_enter, bench_leave),
    cmocka_unit_test_setup_teardown(an_update_that_may_not_resume_fetches_all, bench_enter, bench_leave),
    cmocka_unit_test_setup_teardown(an_update_in_parts_needs_one_connection, bench_enter, bench_leave),
    cmocka_unit_test_setup_teardown(a_file_of_this_machine_updates, bench_enter, bench_leave),
    cmocka_unit_test_setup_teardown(wrong_options_of_update_are_refused, bench_enter, bench_leave),
};

TEST_MAIN(tests)
