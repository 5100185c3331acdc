/* SPDX-License-Identifier: Apache-2.0 */
/* otter key new, key digest. */
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/cli/cli_bench.h"
#include "tests/support/signed_fixture.h"

static const char *const kinds[] = {"rsa3072", "p256", "p384"};
static const trust_scheme_t schemes[] = {TRUST_SCHEME_RSA3072, TRUST_SCHEME_P256, TRUST_SCHEME_P384};

static unsigned mode_of(const char *name)
{
    struct stat info;
    assert_int_equal(lstat(name, &info), 0);
    return info.st_mode & 07777;
}

/** Writes the fixture's key as key.pem and key.pub. */
static void write_key(trust_scheme_t scheme)
{
    char *pem = fixture_key_pem(fixture_key(scheme, 0));
    bench_write_text("key.pem", pem);
    free(pem);
    pem = fixture_public_key_pem(fixture_key(scheme, 0));
    bench_write_text("key.pub", pem);
    free(pem);
}

/** Fails unless the file still holds this text. */
static void assert_untouched(const char *name, const char *text)
{
    size_t len = 0;
    uint8_t *now = bench_read(name, &len);
    assert_int_equal(len, strlen(text));
    assert_memory_equal(now, text, len);
    free(now);
}

static void a_new_key_is_for_its_owner_only_and_its_public_half_for_all(void **state)
{
    (void)state;
    umask(022);
    for (size_t i = 0; i < 3; i++) {
        assert_otter(0, "key new %s -o key.pem --public key.pub", kinds[i]);
        assert_int_equal(said.out_len + said.err_len, 0);
        assert_int_equal(mode_of("key.pem"), 0600);
        assert_int_equal(mode_of("key.pub"), 0644);
        assert_int_equal(bench_count(), 2);
        assert_otter(0, "key digest key.pem --json");
        json_t *of_private = said_json();
        assert_string_equal(json_text(of_private, "scheme"), kinds[i]);
        assert_otter(0, "key digest key.pub --json");
        json_t *of_public = said_json();
        assert_true(json_equal(of_private, of_public));
        json_decref(of_private);
        json_decref(of_public);
        remove("key.pem");
        remove("key.pub");
    }
}

static void a_key_that_exists_is_not_overwritten(void **state)
{
    (void)state;
    bench_write_text("key.pem", "precious");
    assert_otter(1, "key new p256 -o key.pem --public key.pub");
    assert_says(said.err, "key.pem exists");
    assert_says(said.err, "--force");
    assert_untouched("key.pem", "precious");
    assert_false(bench_exists("key.pub"));
}

static void a_public_key_that_exists_is_not_overwritten(void **state)
{
    (void)state;
    bench_write_text("key.pub", "precious");
    assert_otter(1, "key new p256 -o key.pem --public key.pub");
    assert_says(said.err, "key.pub exists");
    assert_untouched("key.pub", "precious");
    assert_false(bench_exists("key.pem"));
}

static void a_link_to_nowhere_is_not_written_through(void **state)
{
    (void)state;
    assert_int_equal(symlink("elsewhere", "key.pem"), 0);
    assert_otter(1, "key new p256 -o key.pem");
    assert_says(said.err, "key.pem exists");
    assert_false(bench_exists("elsewhere"));
}

static void force_replaces_a_key_and_closes_it_to_others(void **state)
{
    (void)state;
    bench_write_text("key.pem", "old");
    assert_int_equal(chmod("key.pem", 0666), 0);
    assert_otter(0, "key new p256 -o key.pem --force");
    assert_int_equal(mode_of("key.pem"), 0600);
    assert_otter(0, "key digest key.pem");
}

static void private_and_public_key_need_two_files(void **state)
{
    (void)state;
    assert_otter(2, "key new p256 -o key.pem --public key.pem");
    assert_says(said.err, "same file");
    assert_int_equal(bench_count(), 0);
}

static void the_public_key_never_replaces_the_private_one_by_another_name(void **state)
{
    (void)state;
    assert_int_equal(symlink("key.pem", "key.pub"), 0);
    assert_otter(1, "key new p256 -o key.pem --public key.pub --force");
    assert_says(said.err, "left as it is");
    size_t len = 0;
    char *pem = (char *)bench_read("key.pem", &len);
    pem[len] = '\0';
    assert_says(pem, "BEGIN PRIVATE KEY");
    free(pem);
}

static void a_kind_of_key_that_there_is_not_is_wrong_usage(void **state)
{
    (void)state;
    assert_otter(2, "key new rsa2048 -o key.pem");
    assert_says(said.err, "rsa3072, p256 or p384");
    assert_otter(2, "key new -o key.pem");
    assert_otter(2, "key new p256");
    assert_says(said.err, "-o FILE");
    assert_int_equal(bench_count(), 0);
}

static void a_full_disk_leaves_no_half_of_a_key(void **state)
{
    (void)state;
    assert_int_equal(otter_on_full_disk(0, "key new p256 -o key.pem"), 1);
    assert_says(said.err, "cannot write key.pem");
    assert_int_equal(bench_count(), 0);
}

static void the_digest_is_the_one_of_the_signature_block(void **state)
{
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        uint8_t digest[OTTER_SHA256_BYTES];
        char expected[2 * sizeof(digest) + 2] = "";
        write_key(schemes[i]);
        assert_err(signature_key_digest(fixture_public_key(fixture_key(schemes[i], 0)), digest), ESP_OK);
        for (size_t byte = 0; byte < sizeof(digest); byte++) {
            snprintf(expected + 2 * byte, 4, "%02x\n", digest[byte]);
        }
        assert_otter(0, "key digest key.pem");
        assert_string_equal(said.out, expected);
        assert_otter(0, "key digest key.pub");
        assert_string_equal(said.out, expected);
    }
}

static void a_key_is_read_from_standard_input(void **state)
{
    (void)state;
    char *pem = fixture_public_key_pem(fixture_key(TRUST_SCHEME_P256, 0));
    const run_options_t options = {.input = pem};
    assert_int_equal(otter_with(&options, "key digest - --json"), 0);
    json_t *json = said_json();
    assert_string_equal(json_text(json, "scheme"), "p256");
    json_decref(json);
    free(pem);
}

static void what_is_no_key_is_refused_with_its_name(void **state)
{
    (void)state;
    bench_write_text("notes.txt", "buy milk\n");
    assert_otter(1, "key digest notes.txt");
    assert_says(said.err, "notes.txt: no PEM file with a key");
    assert_otter(1, "key digest missing.pem");
    assert_says(said.err, "cannot open missing.pem");
    bench_write_text("empty.pem", "");
    assert_otter(1, "key digest empty.pem");
    assert_says(said.err, "empty.pem: no PEM file with a key");
}

static void an_endless_key_file_is_refused(void **state)
{
    (void)state;
    assert_otter(1, "key digest /dev/zero");
    assert_says(said.err, "/dev/zero is larger than");
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown(a_new_key_is_for_its_owner_only_and_its_public_half_for_all, bench_enter,
                                    bench_leave),
    cmocka_unit_test_setup_teardown(a_key_that_exists_is_not_overwritten, bench_enter, bench_leave),
    cmocka_unit_test_setup_teardown(a_public_key_that_exists_is_not_overwritten, bench_enter, bench_leave),
    cmocka_unit_test_setup_teardown(a_link_to_nowhere_is_not_written_through, bench_enter, bench_leave),
    cmocka_unit_test_setup_teardown(force_replaces_a_key_and_closes_it_to_others, bench_enter, bench_leave),
    cmocka_unit_test_setup_teardown(private_and_public_key_need_two_files, bench_enter, bench_leave),
    cmocka_unit_test_setup_teardown(the_public_key_never_replaces_the_private_one_by_another_name, bench_enter,
                                    bench_leave),
    cmocka_unit_test_setup_teardown(a_kind_of_key_that_there_is_not_is_wrong_usage, bench_enter, bench_leave),
    cmocka_unit_test_setup_teardown(a_full_disk_leaves_no_half_of_a_key, bench_enter, bench_leave),
    cmocka_unit_test_setup_teardown(the_digest_is_the_one_of_the_signature_block, bench_enter, bench_leave),
    cmocka_unit_test_setup_teardown(a_key_is_read_from_standard_input, bench_enter, bench_leave),
    cmocka_unit_test_setup_teardown(what_is_no_key_is_refused_with_its_name, bench_enter, bench_leave),
    cmocka_unit_test_setup_teardown(an_endless_key_file_is_refused, bench_enter, bench_leave),
};

TEST_MAIN(tests)
