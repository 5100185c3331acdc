/* SPDX-License-Identifier: Apache-2.0 */
/* otter image sign, and what image verify and image info say about signatures. */
#include <stdlib.h>
#include <unistd.h>

#include "tests/cli/cli_bench.h"
#include "tests/support/signed_fixture.h"

#define SECTOR SIGNATURE_SECTOR_BYTES

static const trust_scheme_t schemes[] = {TRUST_SCHEME_RSA3072, TRUST_SCHEME_P256, TRUST_SCHEME_P384};

static void write_key(const char *name, trust_scheme_t scheme, uint32_t number)
{
    char *pem = fixture_key_pem(fixture_key(scheme, number));
    bench_write_text(name, pem);
    free(pem);
}

static void write_public_key(const char *name, trust_scheme_t scheme, uint32_t number)
{
    char *pem = fixture_public_key_pem(fixture_key(scheme, number));
    bench_write_text(name, pem);
    free(pem);
}

/** Makes app.bin and the P-256 keys 0.pem to 3.pem. */
static void make_app_and_keys(void)
{
    bench_app("app.bin", "1.0.0");
    for (uint32_t i = 0; i < FIXTURE_KEYS; i++) {
        char name[16];
        snprintf(name, sizeof(name), "%u.pem", (unsigned)i);
        write_key(name, TRUST_SCHEME_P256, i);
    }
}

/** Makes signed.bin of app.bin, signed by 0.pem. @return its bytes, for free() */
static uint8_t *make_signed(size_t *len)
{
    make_app_and_keys();
    assert_otter(0, "image sign app.bin --key 0.pem -o signed.bin");
    return bench_read("signed.bin", len);
}

/** Verdicts of the signatures in a file, one letter each: "ggb". */
static const char *verdicts(const char *name)
{
    static char letters[SIGNATURE_BLOCKS + 1];
    size_t i;
    json_t *row;
    assert_otter(0, "image info --json %s", name);
    json_t *facts = said_json();
    json_t *rows = json_object_get(facts, "signatures");
    assert_true(json_is_array(rows) && json_array_size(rows) <= SIGNATURE_BLOCKS);
    memset(letters, 0, sizeof(letters));
    json_array_foreach(rows, i, row)
    {
        letters[i] = json_text(row, "verdict")[0];
    }
    json_decref(facts);
    return letters;
}

/** Fails unless signing is refused with a message, and no file called out.bin is left. */
#define assert_not_signed(expected, piece, ...)                                                                        \
    do {                                                                                                               \
        assert_otter(expected, __VA_ARGS__);                                                                           \
        assert_says(said.err, piece);                                                                                  \
        assert_false(bench_exists("out.bin"));                                                                         \
    } while (0)

/* ---- Signing ---- */

static void a_signed_image_is_padded_and_verifies_with_its_key(void **state)
{
    (void)state;
    bench_app("app.bin", "1.0.0");
    size_t app_len = 0;
    uint8_t *app = bench_read("app.bin", &app_len);
    size_t padded = (app_len + SECTOR - 1) / SECTOR * SECTOR;
    for (size_t i = 0; i < 3; i++) {
        size_t len = 0;
        write_key("key.pem", schemes[i], 0);
        write_public_key("key.pub", schemes[i], 0);
        assert_otter(0, "image sign app.bin --key key.pem -o signed.bin");
        assert_int_equal(said.out_len + said.err_len, 0);
        uint8_t *signed_app = bench_read("signed.bin", &len);
        assert_int_equal(len, padded + SECTOR);
        assert_memory_equal(signed_app, app, app_len);
        assert_int_equal(signed_app[app_len], 0xff);
        assert_int_equal(signed_app[padded - 1], 0xff);
        assert_int_equal(signed_app[padded], 0xe7);
        assert_int_equal(signed_app[padded + SIGNATURE_BLOCK_BYTES], 0xff);
        assert_int_equal(signed_app[len - 1], 0xff);
        assert_otter(0, "image verify signed.bin --key key.pem");
        assert_otter(0, "image verify signed.bin --key key.pub");
        free(signed_app);
    }
    free(app);
}

static void info_says_who_signed(void **state)
{
    (void)state;
    bench_app("app.bin", "1.0.0");
    write_key("a.pem", TRUST_SCHEME_P384, 0);
    write_key("b.pem", TRUST_SCHEME_RSA3072, 0);
    assert_otter(0, "image sign app.bin --key a.pem --key b.pem -o signed.bin");
    assert_otter(0, "key digest a.pem --json");
    json_t *key = said_json();
    assert_otter(0, "image info signed.bin --json");
    json_t *facts = said_json();
    json_t *row = json_row(facts, "signatures", "key_digest", json_text(key, "key_digest"));
    assert_string_equal(json_text(row, "scheme"), "p384");
    assert_string_equal(json_text(row, "verdict"), "good");
    assert_int_equal(json_integer_value(json_object_get(row, "block")), 0);
    assert_string_equal(json_text(json_row(facts, "signatures", "scheme", "rsa3072"), "verdict"), "good");
    assert_int_equal(json_array_size(json_object_get(facts, "signatures")), 2);
    json_decref(facts);
    assert_otter(0, "image info signed.bin");
    assert_says(said.out, json_text(key, "key_digest"));
    json_decref(key);
}

static void an_unsigned_image_has_no_signatures(void **state)
{
    (void)state;
    bench_app("app.bin", "1.0.0");
    assert_string_equal(verdicts("app.bin"), "");
    assert_otter(0, "image info app.bin");
    assert_null(strstr(said.out, "Signature"));
}

static void append_adds_up_to_three_signatures_and_keeps_the_others(void **state)
{
    (void)state;
    make_app_and_keys();
    assert_otter(0, "image sign app.bin --key 0.pem -o one.bin");
    assert_otter(0, "image sign one.bin --append --key 1.pem -o two.bin");
    assert_otter(0, "image sign two.bin --append --key 2.pem -o three.bin");
    assert_string_equal(verdicts("three.bin"), "ggg");
    size_t len = 0;
    size_t len_before = 0;
    uint8_t *before = bench_read("two.bin", &len_before);
    uint8_t *after = bench_read("three.bin", &len);
    assert_int_equal(len, len_before);
    assert_memory_equal(after, before, len - SECTOR + 2 * SIGNATURE_BLOCK_BYTES);
    free(before);
    free(after);
    assert_not_signed(1, "has 3 signatures", "image sign three.bin --append --key 3.pem -o out.bin");
    assert_not_signed(1, "2 more are too many", "image sign two.bin --append --key 2.pem --key 3.pem -o out.bin");
}

static void append_to_an_unsigned_image_is_the_first_signature(void **state)
{
    (void)state;
    make_app_and_keys();
    assert_otter(0, "image sign app.bin --append --key 0.pem -o signed.bin");
    assert_string_equal(verdicts("signed.bin"), "g");
}

static void a_signed_image_is_not_signed_again_without_append(void **state)
{
    (void)state;
    free(make_signed(&(size_t){0}));
    assert_not_signed(1, "--append", "image sign signed.bin --key 1.pem -o out.bin");
}

static void one_key_signs_once(void **state)
{
    (void)state;
    free(make_signed(&(size_t){0}));
    assert_not_signed(1, "has signed the image already", "image sign signed.bin --append --key 0.pem -o out.bin");
    assert_not_signed(1, "has signed the image already", "image sign app.bin --key 1.pem --key 1.pem -o out.bin");
}

static void an_image_may_be_signed_in_place(void **state)
{
    (void)state;
    make_app_and_keys();
    assert_otter(0, "image sign app.bin --key 0.pem -o app.bin");
    assert_otter(0, "image verify app.bin --key 0.pem");
    assert_otter(0, "image sign app.bin --append --key 1.pem -o app.bin");
    assert_otter(0, "image verify app.bin --key 1.pem");
    assert_otter(0, "image verify app.bin --key 0.pem");
}

static void erased_flash_behind_an_image_is_no_part_of_it(void **state)
{
    (void)state;
    size_t len = 0;
    uint8_t *expected = make_signed(&len);
    uint8_t *dump = malloc(4 * len);
    assert_non_null(dump);
    memset(dump, 0xff, 4 * len);
    memcpy(dump, expected, len);
    bench_write("dump.bin", dump, 4 * len);
    assert_otter(0, "image sign dump.bin --append --key 1.pem -o two.bin");
    assert_string_equal(verdicts("two.bin"), "gg");
    memset(dump + len - SECTOR, 0xff, SECTOR);
    bench_write("dump.bin", dump, 4 * len);
    assert_otter(0, "image sign dump.bin --key 0.pem -o again.bin");
    size_t again_len = 0;
    uint8_t *again = bench_read("again.bin", &again_len);
    assert_int_equal(again_len, len);
    assert_memory_equal(again, expected, len - SECTOR);
    free(again);
    free(dump);
    free(expected);
}

/* ---- What is not signed ---- */

static void an_image_that_does_not_verify_is_not_signed(void **state)
{
    (void)state;
    make_app_and_keys();
    size_t len = 0;
    uint8_t *app = bench_read("app.bin", &len);
    app[len - 40] ^= 1;
    bench_write("bad.bin", app, len);
    assert_not_signed(1, "bad.bin: ", "image sign bad.bin --key 0.pem -o out.bin");
    bench_write("bad.bin", app, len - 1);
    assert_not_signed(1, "ends before the image does", "image sign bad.bin --key 0.pem -o out.bin");
    bench_write("bad.bin", app, 0);
    assert_not_signed(1, "ends before the image does", "image sign bad.bin --key 0.pem -o out.bin");
    free(app);
}

static void bytes_behind_the_image_that_no_device_would_hash_are_refused(void **state)
{
    (void)state;
    make_app_and_keys();
    size_t len = 0;
    uint8_t *app = bench_read("app.bin", &len);
    app = realloc(app, len + 1);
    assert_non_null(app);
    app[len] = 0;
    bench_write("more.bin", app, len + 1);
    assert_not_signed(1, "neither padding nor a signature sector", "image sign more.bin --key 0.pem -o out.bin");
    free(app);
}

static void unsound_signatures_are_neither_kept_nor_lost(void **state)
{
    (void)state;
    size_t len = 0;
    uint8_t *image = make_signed(&len);
    image[len - SECTOR + 110] ^= 1;
    bench_write("bad.bin", image, len);
    assert_not_signed(1, "damaged signature block", "image sign bad.bin --append --key 1.pem -o out.bin");
    assert_not_signed(1, "damaged signature block", "image sign bad.bin --key 1.pem -o out.bin");
    image[len - SECTOR + 110] ^= 1;
    image[len - SECTOR - 1] ^= 1;
    bench_write("bad.bin", image, len);
    assert_not_signed(1, "signature of another image", "image sign bad.bin --append --key 1.pem -o out.bin");
    image[len - SECTOR - 1] ^= 1;
    bench_write("bad.bin", image, len - 1);
    assert_not_signed(1, "neither padding nor", "image sign bad.bin --append --key 1.pem -o out.bin");
    free(image);
}

static void a_gap_between_signatures_is_refused(void **state)
{
    (void)state;
    make_app_and_keys();
    assert_otter(0, "image sign app.bin --key 0.pem --key 1.pem --key 2.pem -o signed.bin");
    size_t len = 0;
    uint8_t *image = bench_read("signed.bin", &len);
    memset(image + len - SECTOR + SIGNATURE_BLOCK_BYTES, 0xff, SIGNATURE_BLOCK_BYTES);
    bench_write("gap.bin", image, len);
    assert_not_signed(1, "no block 1 before it", "image sign gap.bin --append --key 3.pem -o out.bin");
    free(image);
}

static void keys_that_cannot_sign_are_refused_before_anything_is_read(void **state)
{
    (void)state;
    make_app_and_keys();
    write_public_key("0.pub", TRUST_SCHEME_P256, 0);
    bench_write_text("junk.pem", "junk");
    assert_not_signed(1, "only the public half", "image sign app.bin --key 0.pub -o out.bin");
    assert_not_signed(1, "junk.pem: no PEM file", "image sign app.bin --key 0.pem --key junk.pem -o out.bin");
    assert_not_signed(1, "cannot open none.pem", "image sign nothing.bin --key none.pem -o out.bin");
}

static void signing_needs_a_key_and_an_output(void **state)
{
    (void)state;
    make_app_and_keys();
    assert_not_signed(2, "who signs?", "image sign app.bin -o out.bin");
    assert_not_signed(2, "-o FILE", "image sign app.bin --key 0.pem");
    assert_not_signed(2, "belong together", "image sign app.bin --public-key 0.pem -o out.bin");
    assert_not_signed(2, "belong together", "image sign app.bin --key 0.pem --sign-command x -o out.bin");
    assert_not_signed(2, "3 signatures at most",
                      "image sign app.bin --key 0.pem --key 1.pem --key 2.pem --key 3.pem -o out.bin");
    assert_otter(2, "image sign --key 0.pem -o out.bin");
}

static void an_existing_output_survives_an_error(void **state)
{
    (void)state;
    free(make_signed(&(size_t){0}));
    bench_write_text("kept.bin", "kept");
    unsigned count = bench_count();
    assert_otter(1, "image sign signed.bin --key 1.pem -o kept.bin");
    assert_int_equal(otter_on_full_disk(4096, "image sign app.bin --key 1.pem -o kept.bin"), 1);
    assert_says(said.err, "cannot write kept.bin");
    size_t len = 0;
    uint8_t *kept = bench_read("kept.bin", &len);
    assert_int_equal(len, 4);
    assert_memory_equal(kept, "kept", 4);
    assert_int_equal(bench_count(), count);
    free(kept);
}

/* ---- Keys held elsewhere ---- */

/** Signs the digest of app.bin, padded, with a fixture key; the raw signature becomes a file. */
static void write_signature(const char *name, trust_scheme_t scheme)
{
    size_t len = 0;
    uint8_t *app = bench_read("app.bin", &len);
    size_t padded = (len + SECTOR - 1) / SECTOR * SECTOR;
    app = realloc(app, padded);
    assert_non_null(app);
    memset(app + len, 0xff, padded - len);
    uint8_t block[SIGNATURE_BLOCK_BYTES];
    uint8_t raw[OTTER_RSA3072_BYTES];
    signature_digests_t digests = fixture_digests(app, padded);
    fixture_sign(fixture_key(scheme, 0), &digests, block);
    size_t off = scheme == TRUST_SCHEME_RSA3072 ? 812 : scheme == TRUST_SCHEME_P256 ? 101 : 149;
    size_t number = scheme == TRUST_SCHEME_RSA3072 ? sizeof(raw) : scheme == TRUST_SCHEME_P256 ? 32 : 48;
    size_t total = scheme == TRUST_SCHEME_RSA3072 ? number : 2 * number;
    for (size_t i = 0; i < total; i++) { /* A block holds each number little-endian. */
        raw[i] = block[off + i / number * number + number - 1 - i % number];
    }
    bench_write(name, raw, total);
    free(app);
}

/** Makes a script that is an external signer. */
static void write_signer(const char *commands)
{
    bench_write_text("signer", commands);
}

static void a_command_signs_with_a_key_that_is_not_here(void **state)
{
    (void)state;
    static const char *const names[] = {"rsa3072", "p256", "p384"};
    bench_app("app.bin", "1.0.0");
    write_signer(". ./expected; test \"$OTTER_SCHEME\" = $scheme && test $(wc -c <\"$OTTER_DIGEST\") = $bytes &&"
                 "cp \"$OTTER_DIGEST\" digest && echo $OTTER_DIGEST >path && cat raw");
    for (size_t i = 0; i < 3; i++) {
        char text[64];
        snprintf(text, sizeof(text), "scheme=%s bytes=%d\n", names[i], schemes[i] == TRUST_SCHEME_P384 ? 48 : 32);
        bench_write_text("expected", text);
        write_public_key("key.pub", schemes[i], 0);
        write_signature("raw", schemes[i]);
        assert_otter(0, "image sign app.bin --public-key key.pub --sign-command .\t./signer -o signed.bin");
        assert_otter(0, "image verify signed.bin --key key.pub");
        size_t len = 0;
        char *path = (char *)bench_read("path", &len);
        path[len - 1] = '\0';
        assert_int_not_equal(access(path, F_OK), 0);
        free(path);
    }
}

static void a_command_signs_beside_a_key(void **state)
{
    (void)state;
    make_app_and_keys();
    write_public_key("key.pub", TRUST_SCHEME_RSA3072, 0);
    write_signature("raw", TRUST_SCHEME_RSA3072);
    assert_otter(0, "image sign app.bin --key 1.pem --public-key key.pub --sign-command cat\traw -o signed.bin");
    assert_string_equal(verdicts("signed.bin"), "gg");
    assert_otter(0, "image verify signed.bin --key key.pub");
}

static void a_command_that_fails_signs_nothing(void **state)
{
    (void)state;
    bench_app("app.bin", "1.0.0");
    write_public_key("key.pub", TRUST_SCHEME_P256, 0);
    write_signature("raw", TRUST_SCHEME_P256);
#define SIGN_BY(commands) "image sign app.bin --public-key key.pub --sign-command " commands " -o out.bin"
    assert_not_signed(1, "failed with status 3", SIGN_BY("cat\traw;exit\t3"));
    assert_not_signed(1, "failed with status 127", SIGN_BY("no-such-signer"));
    assert_not_signed(1, "ended by signal 9", SIGN_BY("kill\t-9\t$$"));
    assert_not_signed(1, "no signature", SIGN_BY("true"));
    assert_not_signed(1, "more than 512 bytes", SIGN_BY("head\t-c\t513\t/dev/zero"));
    assert_not_signed(1, "more than 512 bytes", SIGN_BY("head\t-c\t300000\t/dev/zero"));
    assert_not_signed(1, "no p256 signature", SIGN_BY("head\t-c\t512\t/dev/zero"));
    assert_not_signed(1, "no p256 signature", SIGN_BY("echo\thello"));
    assert_otter(0, SIGN_BY("cat\traw"));
}

static void a_command_that_lies_signs_nothing(void **state)
{
    (void)state;
    bench_app("app.bin", "1.0.0");
    write_public_key("key.pub", TRUST_SCHEME_P256, 0);
    write_public_key("other.pub", TRUST_SCHEME_P256, 1);
    write_signature("raw", TRUST_SCHEME_P256);
    assert_not_signed(1, "does not verify",
                      "image sign app.bin --public-key other.pub --sign-command cat\traw -o out.bin");
    assert_not_signed(1, "does not verify", SIGN_BY("head\t-c\t64\t/dev/zero"));
    bench_app("app.bin", "2.0.0");
    assert_not_signed(1, "does not verify", SIGN_BY("cat\traw"));
}

static void the_digest_needs_a_folder_to_lie_in(void **state)
{
    (void)state;
    bench_app("app.bin", "1.0.0");
    write_public_key("key.pub", TRUST_SCHEME_P256, 0);
    assert_int_equal(setenv("TMPDIR", "/no/such/folder", 1), 0);
    int status = otter(SIGN_BY("cat\traw"));
    assert_int_equal(unsetenv("TMPDIR"), 0);
    assert_int_equal(status, 1);
    assert_says(said.err, "/no/such/folder");
    assert_false(bench_exists("out.bin"));
}

/* ---- Verifying ---- */

static void verify_wants_one_of_the_keys(void **state)
{
    (void)state;
    free(make_signed(&(size_t){0}));
    assert_otter(0, "image verify signed.bin --key 1.pem --key 2.pem --key 0.pem");
    assert_otter(1, "image verify signed.bin --key 1.pem --key 2.pem");
    assert_says(said.err, "not signed with a trusted key");
    assert_says(said.err, "signature block 0, p256 key ");
    assert_otter(1, "image verify app.bin --key 0.pem");
    assert_says(said.err, "not signed");
    assert_otter(2, "image verify signed.bin --key 0.pem --key 1.pem --key 2.pem --key 3.pem");
    assert_says(said.err, "3 keys at most");
    assert_otter(1, "image verify signed.bin --key app.bin");
    assert_says(said.err, "app.bin: no PEM file");
}

static void a_key_of_another_scheme_does_not_count(void **state)
{
    (void)state;
    free(make_signed(&(size_t){0}));
    write_key("rsa.pem", TRUST_SCHEME_RSA3072, 0);
    assert_otter(1, "image verify signed.bin --key rsa.pem");
    assert_says(said.err, "not signed with a trusted key");
}

static void verify_without_a_key_trusts_nobody_and_says_so(void **state)
{
    (void)state;
    free(make_signed(&(size_t){0}));
    assert_otter(0, "image verify signed.bin");
    assert_says(said.out, "was not checked");
    assert_otter(0, "image verify signed.bin --json");
    json_t *facts = said_json();
    assert_string_equal(json_text(json_row(facts, "signatures", "scheme", "p256"), "verdict"), "good");
    json_decref(facts);
    assert_otter(0, "image verify app.bin");
    assert_null(strstr(said.out, "was not checked"));
}

static void verify_tells_programs_why_a_signature_does_not_count(void **state)
{
    (void)state;
    free(make_signed(&(size_t){0}));
    assert_otter(1, "image verify signed.bin --key 1.pem --json");
    json_t *facts = said_json();
    assert_true(json_is_false(json_object_get(facts, "ok")));
    assert_string_equal(json_text(facts, "fault"), "not signed with a trusted key");
    assert_string_equal(json_text(json_row(facts, "signatures", "scheme", "p256"), "verdict"), "untrusted");
    json_decref(facts);
}

static void a_rotten_signature_is_shown_as_such(void **state)
{
    (void)state;
    size_t len = 0;
    uint8_t *image = make_signed(&len);
    uint8_t *block = image + len - SECTOR;
    block[110] ^= 1;
    bench_write("bad.bin", image, len);
    assert_string_equal(verdicts("bad.bin"), "m");
    block[110] ^= 1;
    image[len - SECTOR - 1] = 0;
    bench_write("bad.bin", image, len);
    assert_string_equal(verdicts("bad.bin"), "o");
    assert_otter(1, "image verify bad.bin --key 0.pem");
    assert_says(said.err, "signature does not match");
    free(image);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown(a_signed_image_is_padded_and_verifies_with_its_key, bench_enter, bench_leave),
    cmocka_unit_test_setup_teardown(info_says_who_signed, bench_enter, bench_leave),
    cmocka_unit_test_setup_teardown(an_unsigned_image_has_no_signatures, bench_enter, bench_leave),
    cmocka_unit_test_setup_teardown(append_adds_up_to_three_signatures_and_keeps_the_others, bench_enter, bench_leave),
    cmocka_unit_test_setup_teardown(append_to_an_unsigned_image_is_the_first_signature, bench_enter, bench_leave),
    cmocka_unit_test_setup_teardown(a_signed_image_is_not_signed_again_without_append, bench_enter, bench_leave),
    cmocka_unit_test_setup_teardown(one_key_signs_once, bench_enter, bench_leave),
    cmocka_unit_test_setup_teardown(an_image_may_be_signed_in_place, bench_enter, bench_leave),
    cmocka_unit_test_setup_teardown(erased_flash_behind_an_image_is_no_part_of_it, bench_enter, bench_leave),
    cmocka_unit_test_setup_teardown(an_image_that_does_not_verify_is_not_signed, bench_enter, bench_leave),
    cmocka_unit_test_setup_teardown(bytes_behind_the_image_that_no_device_would_hash_are_refused, bench_enter,
                                    bench_leave),
    cmocka_unit_test_setup_teardown(unsound_signatures_are_neither_kept_nor_lost, bench_enter, bench_leave),
    cmocka_unit_test_setup_teardown(a_gap_between_signatures_is_refused, bench_enter, bench_leave),
    cmocka_unit_test_setup_teardown(keys_that_cannot_sign_are_refused_before_anything_is_read, bench_enter,
                                    bench_leave),
    cmocka_unit_test_setup_teardown(signing_needs_a_key_and_an_output, bench_enter, bench_leave),
    cmocka_unit_test_setup_teardown(an_existing_output_survives_an_error, bench_enter, bench_leave),
    cmocka_unit_test_setup_teardown(a_command_signs_with_a_key_that_is_not_here, bench_enter, bench_leave),
    cmocka_unit_test_setup_teardown(a_command_signs_beside_a_key, bench_enter, bench_leave),
    cmocka_unit_test_setup_teardown(a_command_that_fails_signs_nothing, bench_enter, bench_leave),
    cmocka_unit_test_setup_teardown(a_command_that_lies_signs_nothing, bench_enter, bench_leave),
    cmocka_unit_test_setup_teardown(the_digest_needs_a_folder_to_lie_in, bench_enter, bench_leave),
    cmocka_unit_test_setup_teardown(verify_wants_one_of_the_keys, bench_enter, bench_leave),
    cmocka_unit_test_setup_teardown(a_key_of_another_scheme_does_not_count, bench_enter, bench_leave),
    cmocka_unit_test_setup_teardown(verify_without_a_key_trusts_nobody_and_says_so, bench_enter, bench_leave),
    cmocka_unit_test_setup_teardown(verify_tells_programs_why_a_signature_does_not_count, bench_enter, bench_leave),
    cmocka_unit_test_setup_teardown(a_rotten_signature_is_shown_as_such, bench_enter, bench_leave),
};

TEST_MAIN(tests)
