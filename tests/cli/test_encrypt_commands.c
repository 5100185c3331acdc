/* SPDX-License-Identifier: Apache-2.0 */
/* otter image encrypt and decrypt, what image info says of encrypted images, and updates from them. */
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/cli/cli_bench.h"
#include "tests/support/signed_fixture.h"

#define HEADER 512

static const trust_scheme_t schemes[] = {TRUST_SCHEME_RSA3072, TRUST_SCHEME_P256};
static const char *const names[] = {"rsa3072", "p256"};

static void write_keys(const char *name, trust_scheme_t scheme, uint32_t number)
{
    char file[32];
    char *pem = fixture_key_pem(fixture_key(scheme, number));
    snprintf(file, sizeof(file), "%s.pem", name);
    bench_write_text(file, pem);
    free(pem);
    pem = fixture_public_key_pem(fixture_key(scheme, number));
    snprintf(file, sizeof(file), "%s.pub", name);
    bench_write_text(file, pem);
    free(pem);
}

/** app.bin, p256.pem and p256.pub, and app.enc made of them. @return its bytes, for free() */
static uint8_t *make_encrypted(size_t *len)
{
    bench_app("app.bin", "1.0.0");
    write_keys("p256", TRUST_SCHEME_P256, 0);
    assert_otter(0, "image encrypt app.bin --key p256.pub -o app.enc");
    return bench_read("app.enc", len);
}

static void assert_same_files(const char *one, const char *other)
{
    size_t one_len;
    size_t other_len;
    uint8_t *one_bytes = bench_read(one, &one_len);
    uint8_t *other_bytes = bench_read(other, &other_len);
    assert_int_equal(one_len, other_len);
    assert_memory_equal(one_bytes, other_bytes, one_len);
    free(one_bytes);
    free(other_bytes);
}

/** Decrypting app.enc fails, says this, and leaves no file. */
static void assert_refused(const char *key, const char *piece)
{
    unsigned files = bench_count();
    assert_otter(1, "image decrypt app.enc --key %s -o out.bin", key);
    assert_says(said.err, piece);
    assert_false(bench_exists("out.bin"));
    assert_int_equal(bench_count(), files);
}

/* ---- Both ways ---- */

static void what_is_encrypted_is_decrypted_again(void **state)
{
    (void)state;
    bench_app("app.bin", "1.0.0");
    for (size_t i = 0; i < 2; i++) {
        write_keys("key", schemes[i], 0);
        assert_otter(0, "image encrypt app.bin --key key.pub -o app.enc");
        assert_string_equal(said.out, "");
        assert_otter(0, "image decrypt app.enc --key key.pem -o out.bin");
        assert_string_equal(said.out, "");
        assert_same_files("app.bin", "out.bin");
        assert_otter(0, "image encrypt app.bin --key key.pem -o app.enc");
        assert_otter(0, "image decrypt app.enc --key key.pem -o out.bin");
        assert_same_files("app.bin", "out.bin");
    }
}

static void the_facts_are_told_as_json(void **state)
{
    (void)state;
    static const char *const keys[] = {"kind", "scheme", "image_len", "file_len", "complete", "iv", "tag"};
    bench_app("app.bin", "1.0.0");
    size_t len;
    free(bench_read("app.bin", &len));
    for (size_t i = 0; i < 2; i++) {
        write_keys("key", schemes[i], 0);
        assert_otter(0, "image encrypt app.bin --key key.pub -o app.enc --json");
        json_t *made = said_json();
        assert_string_equal(json_text(made, "kind"), "encrypted");
        assert_string_equal(json_text(made, "scheme"), names[i]);
        assert_int_equal(json_integer_value(json_object_get(made, "image_len")), len);
        assert_int_equal(json_integer_value(json_object_get(made, "file_len")), len + HEADER);
        assert_true(json_is_true(json_object_get(made, "complete")));
        assert_int_equal(json_object_size(made), sizeof(keys) / sizeof(keys[0]));
        assert_otter(0, "image info app.enc --json");
        json_t *info = said_json();
        assert_true(json_equal(made, info));
        assert_otter(0, "image decrypt app.enc --key key.pem -o out.bin --json");
        json_t *opened = said_json();
        assert_true(json_equal(made, opened));
        json_decref(made);
        json_decref(info);
        json_decref(opened);
    }
}

static void no_two_encryptions_are_alike(void **state)
{
    (void)state;
    size_t len;
    uint8_t *one = make_encrypted(&len);
    uint8_t *two = make_encrypted(&len);
    for (size_t off = 4; off + 16 <= len; off += 16) {
        bool constant = (off >= 100 && off < 404) || (off >= 420 && off < HEADER);
        if (!constant || off == 388) {
            assert_memory_not_equal(one + off, two + off, 16);
        }
    }
    free(one);
    free(two);
}

static void standard_input_and_output_will_do(void **state)
{
    (void)state;
    size_t len;
    free(make_encrypted(&len));
    assert_otter(0, "image decrypt app.enc --key p256.pem -o -");
    size_t plain_len;
    uint8_t *plain = bench_read("app.bin", &plain_len);
    assert_int_equal(said.out_len, plain_len);
    assert_memory_equal(said.out, plain, plain_len);
    free(plain);
    run_options_t options = {.input = "some text"};
    assert_int_equal(otter_with(&options, "image encrypt - --key p256.pub -o text.enc"), 0);
    assert_otter(0, "image decrypt text.enc --key p256.pem -o -");
    assert_string_equal(said.out, "some text");
}

static void nothing_reaches_standard_output_of_a_changed_image(void **state)
{
    (void)state;
    size_t len;
    uint8_t *bytes = make_encrypted(&len);
    bytes[len - 1] ^= 1;
    bench_write("app.enc", bytes, len);
    assert_otter(1, "image decrypt app.enc --key p256.pem -o -");
    assert_int_equal(said.out_len, 0);
    free(bytes);
}

static void an_hmac_key_of_another_device_writes_nothing(void **state)
{
    (void)state;
    uint8_t key[33] = {1};
    write_keys("p256", TRUST_SCHEME_P256, 0);
    bench_app("app.bin", "1.0.0");
    bench_write("hmac.bin", key, 32);
    bench_write("long.bin", key, 33);
    assert_otter(0, "image encrypt app.bin --key p256.pub -o app.enc");
    assert_otter(1, "image decrypt app.enc --hmac-key hmac.bin -o out.bin");
    assert_says(said.err, "app.enc: the authentication tag does not fit");
    assert_otter(1, "image decrypt app.enc --hmac-key long.bin -o out.bin");
    assert_says(said.err, "long.bin has 33 bytes; an HMAC key has 32");
    assert_false(bench_exists("out.bin"));
}

/* ---- Refusals ---- */

static void a_wrong_key_writes_nothing(void **state)
{
    (void)state;
    size_t len;
    free(make_encrypted(&len));
    write_keys("other", TRUST_SCHEME_P256, 1);
    write_keys("rsa", TRUST_SCHEME_RSA3072, 0);
    write_keys("p384", TRUST_SCHEME_P384, 0);
    bench_write_text("text.pem", "no key\n");
    assert_refused("other.pem", "app.enc: the authentication tag does not fit: encrypted for another key, or changed");
    assert_refused("rsa.pem", "app.enc: encrypted for a P-256 key, and the key here is RSA-3072");
    assert_refused("p384.pem", "p384.pem: a key of type EC with 384 bits; RSA-3072 or P-256 is needed");
    assert_refused("p256.pub", "p256.pub: only the public half of a key: it cannot decrypt");
    assert_refused("text.pem", "text.pem: no PEM file with a key");
    assert_refused("missing.pem", "cannot open missing.pem");
}

static void a_wrong_rsa_key_writes_nothing(void **state)
{
    (void)state;
    bench_app("app.bin", "1.0.0");
    write_keys("key", TRUST_SCHEME_RSA3072, 0);
    write_keys("other", TRUST_SCHEME_RSA3072, 1);
    assert_otter(0, "image encrypt app.bin --key key.pub -o app.enc");
    assert_otter(1, "image decrypt app.enc --key other.pem -o out.bin");
    assert_says(said.err, "otter: app.enc: ");
    assert_false(bench_exists("out.bin"));
}

static void a_damaged_file_writes_nothing(void **state)
{
    (void)state;
    size_t len;
    uint8_t *bytes = make_encrypted(&len);
    static const size_t places[] = {4, 70, 388, 408, HEADER, HEADER + 1000};
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        bytes[places[i]] ^= 4;
        bench_write("app.enc", bytes, len);
        bytes[places[i]] ^= 4;
        assert_refused("p256.pem", "otter: app.enc: ");
    }
    bytes[430] = 1;
    bench_write("app.enc", bytes, len);
    assert_refused("p256.pem", "reserved header bytes are not zero");
    free(bytes);
}

static void a_file_of_the_wrong_length_writes_nothing(void **state)
{
    (void)state;
    size_t len;
    uint8_t *bytes = make_encrypted(&len);
    static const size_t lens[] = {0, 1, 4, 511, 512, 513};
    for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
        bench_write("app.enc", bytes, lens[i]);
        assert_refused("p256.pem", "app.enc: an encrypted image that breaks off");
    }
    bench_write("app.enc", bytes, len - 1);
    assert_refused("p256.pem", "app.enc: an encrypted image that breaks off");
    uint8_t *longer = calloc(1, len + 1);
    memcpy(longer, bytes, len);
    bench_write("app.enc", longer, len + 1);
    assert_refused("p256.pem", "app.enc: an encrypted image that is longer than its header says");
    free(longer);
    free(bytes);
}

static void what_is_not_encrypted_is_not_decrypted(void **state)
{
    (void)state;
    write_keys("p256", TRUST_SCHEME_P256, 0);
    bench_app("app.enc", "1.0.0");
    assert_refused("p256.pem", "app.enc: not an encrypted image");
}

static void what_is_encrypted_is_not_encrypted_again(void **state)
{
    (void)state;
    size_t len;
    free(make_encrypted(&len));
    assert_otter(1, "image encrypt app.enc --key p256.pub -o again.enc");
    assert_says(said.err, "app.enc is encrypted already");
    assert_false(bench_exists("again.enc"));
    bench_write("empty", "", 0);
    assert_otter(1, "image encrypt empty --key p256.pub -o again.enc");
    assert_says(said.err, "empty is empty");
    assert_false(bench_exists("again.enc"));
}

static void a_file_that_is_read_is_never_the_output(void **state)
{
    (void)state;
    size_t len;
    free(make_encrypted(&len));
    struct stat before[3];
    struct stat after;
    static const char *const files[] = {"app.bin", "app.enc", "p256.pem"};
    assert_int_equal(symlink("app.bin", "link"), 0);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(stat(files[i], &before[i]), 0);
    }
    assert_otter(2, "image encrypt app.bin --key p256.pub -o app.bin");
    assert_says(said.err, "app.bin is read: it cannot be the output as well");
    assert_otter(2, "image encrypt app.bin --key p256.pub -o ./link");
    assert_otter(2, "image encrypt app.bin --key p256.pem -o p256.pem");
    assert_otter(2, "image decrypt app.enc --key p256.pem -o app.enc");
    assert_otter(2, "image decrypt app.enc --key p256.pem -o p256.pem");
    assert_otter(2, "image decrypt app.enc --hmac-key p256.pem -o p256.pem");
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(stat(files[i], &after), 0);
        assert_int_equal(after.st_ino, before[i].st_ino);
        assert_int_equal(after.st_size, before[i].st_size);
    }
}

static void usage_that_makes_no_sense_is_refused(void **state)
{
    (void)state;
    size_t len;
    free(make_encrypted(&len));
    assert_otter(2, "image encrypt app.bin --key p256.pub");
    assert_says(said.err, "where to? give -o FILE");
    assert_otter(2, "image encrypt app.bin -o x");
    assert_says(said.err, "with which key? give --key FILE");
    assert_otter(2, "image decrypt app.enc -o x");
    assert_says(said.err, "with which key? give --key FILE");
    assert_otter(2, "image decrypt app.enc -o x --key p256.pem --hmac-key p256.pem");
    assert_says(said.err, "one key is enough");
    assert_otter(2, "image encrypt app.bin --key p256.pub -o - --json");
    assert_says(said.err, "standard output cannot take both");
    assert_otter(2, "image encrypt --key p256.pub -o x");
    assert_false(bench_exists("x"));
}

static void a_full_disk_leaves_no_half_a_file(void **state)
{
    (void)state;
    size_t len;
    free(make_encrypted(&len));
    unsigned files = bench_count();
    assert_int_equal(otter_on_full_disk(1024, "image encrypt app.bin --key p256.pub -o again.enc"), 1);
    assert_int_equal(otter_on_full_disk(1024, "image decrypt app.enc --key p256.pem -o out.bin"), 1);
    assert_int_equal(bench_count(), files);
}

/* ---- What others say of it ---- */

static void image_info_shows_the_header(void **state)
{
    (void)state;
    size_t len;
    uint8_t *bytes = make_encrypted(&len);
    assert_otter(0, "image info app.enc");
    assert_says(said.out, "Kind            encrypted\nFor a key       p256\n");
    bench_write("short.enc", bytes, len - 1);
    assert_otter(1, "image info short.enc");
    assert_says(said.out, "Kind            encrypted");
    assert_says(said.err, "short.enc: an encrypted image of ");
    assert_otter(1, "image info short.enc --json");
    json_t *facts = said_json();
    assert_true(json_is_false(json_object_get(facts, "complete")));
    json_decref(facts);
    bench_write("short.enc", bytes, 511);
    assert_otter(1, "image info short.enc");
    assert_says(said.err, "short.enc: an encrypted image that breaks off in its header");
    bytes[500] = 1;
    bench_write("short.enc", bytes, len);
    assert_otter(1, "image info short.enc");
    assert_says(said.err, "reserved header bytes are not zero");
    free(bytes);
}

static void commands_for_images_say_that_it_is_encrypted(void **state)
{
    (void)state;
    size_t len;
    free(make_encrypted(&len));
    assert_otter(1, "image verify app.enc");
    assert_says(said.err, "app.enc: an encrypted image: otter image decrypt gives what is in it");
    assert_otter(1, "image sign app.enc --key p256.pem -o x");
    assert_says(said.err, "an encrypted image");
}

/* ---- Updates ---- */

/** A device that runs app 1.0.0, app.enc with app 2.0.0, and its key p256.pem. */
static void make_device(void)
{
    bench_app("old.bin", "1.0.0");
    bench_app("app.bin", "2.0.0");
    write_keys("p256", TRUST_SCHEME_P256, 0);
    assert_otter(0, "flash create flash.bin --size 4M --app old.bin");
    assert_otter(0, "image encrypt app.bin --key p256.pub -o app.enc");
}

/** Updates the device from a file of the folder. */
static int update(const char *file, const char *more)
{
    char folder[PATH_MAX];
    assert_non_null(getcwd(folder, sizeof(folder)));
    return otter("ota update flash.bin file://%s/%s%s", folder, file, more);
}

static void assert_boots(const char *label)
{
    assert_otter(0, "flash info flash.bin --json");
    json_t *facts = said_json();
    assert_string_equal(json_string_value(json_at(facts, "boot", "partition")), label);
    json_decref(facts);
}

static void a_flash_file_is_updated_from_an_encrypted_image(void **state)
{
    (void)state;
    make_device();
    if (update("app.enc", " --decrypt-key p256.pem") != 0) {
        fail_msg("%s", said.err);
    }
    assert_says(said.err, "ota_1 holds blink 2.0.0 and boots next");
    assert_boots("ota_1");
}

static void an_update_with_a_wrong_key_says_so_and_changes_nothing(void **state)
{
    (void)state;
    make_device();
    write_keys("other", TRUST_SCHEME_P256, 1);
    write_keys("rsa", TRUST_SCHEME_RSA3072, 0);
    assert_int_equal(update("app.enc", " --decrypt-key other.pem"), 1);
    assert_says(said.err, "encrypted for another key");
    assert_int_equal(update("app.enc", " --decrypt-key rsa.pem"), 1);
    assert_says(said.err, "encrypted for a P-256 key, and the key here is RSA-3072");
    assert_int_equal(update("app.enc", " --decrypt-key p256.pub"), 1);
    assert_says(said.err, "p256.pub: only the public half of a key: it cannot decrypt");
    assert_int_equal(update("app.enc", ""), 1);
    assert_says(said.err, "an encrypted image");
    assert_int_equal(update("app.bin", " --decrypt-key p256.pem"), 1);
    assert_says(said.err, "not an encrypted image");
    assert_boots("ota_0");
}

static void an_update_with_a_wrong_tag_changes_nothing(void **state)
{
    (void)state;
    size_t len;
    make_device();
    uint8_t *bytes = bench_read("app.enc", &len);
    bytes[408] ^= 1;
    bench_write("app.enc", bytes, len);
    assert_int_equal(update("app.enc", " --decrypt-key p256.pem"), 1);
    assert_says(said.err, "the authentication tag does not fit");
    assert_boots("ota_0");
    free(bytes);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown(what_is_encrypted_is_decrypted_again, bench_enter, bench_leave),
    cmocka_unit_test_setup_teardown(the_facts_are_told_as_json, bench_enter, bench_leave),
    cmocka_unit_test_setup_teardown(no_two_encryptions_are_alike, bench_enter, bench_leave),
    cmocka_unit_test_setup_teardown(standard_input_and_output_will_do, bench_enter, bench_leave),
    cmocka_unit_test_setup_teardown(nothing_reaches_standard_output_of_a_changed_image, bench_enter, bench_leave),
    cmocka_unit_test_setup_teardown(an_hmac_key_of_another_device_writes_nothing, bench_enter, bench_leave),
    cmocka_unit_test_setup_teardown(a_wrong_key_writes_nothing, bench_enter, bench_leave),
    cmocka_unit_test_setup_teardown(a_wrong_rsa_key_writes_nothing, bench_enter, bench_leave),
    cmocka_unit_test_setup_teardown(a_damaged_file_writes_nothing, bench_enter, bench_leave),
    cmocka_unit_test_setup_teardown(a_file_of_the_wrong_length_writes_nothing, bench_enter, bench_leave),
    cmocka_unit_test_setup_teardown(what_is_not_encrypted_is_not_decrypted, bench_enter, bench_leave),
    cmocka_unit_test_setup_teardown(what_is_encrypted_is_not_encrypted_again, bench_enter, bench_leave),
    cmocka_unit_test_setup_teardown(a_file_that_is_read_is_never_the_output, bench_enter, bench_leave),
    cmocka_unit_test_setup_teardown(usage_that_makes_no_sense_is_refused, bench_enter, bench_leave),
    cmocka_unit_test_setup_teardown(a_full_disk_leaves_no_half_a_file, bench_enter, bench_leave),
    cmocka_unit_test_setup_teardown(image_info_shows_the_header, bench_enter, bench_leave),
    cmocka_unit_test_setup_teardown(commands_for_images_say_that_it_is_encrypted, bench_enter, bench_leave),
    cmocka_unit_test_setup_teardown(a_flash_file_is_updated_from_an_encrypted_image, bench_enter, bench_leave),
    cmocka_unit_test_setup_teardown(an_update_with_a_wrong_key_says_so_and_changes_nothing, bench_enter, bench_leave),
    cmocka_unit_test_setup_teardown(an_update_with_a_wrong_tag_changes_nothing, bench_enter, bench_leave),
};

TEST_MAIN(tests)
