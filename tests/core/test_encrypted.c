/* SPDX-License-Identifier: Apache-2.0 */
/* The header of encrypted images: what is taken, what is refused, and padding that nobody is told about. */
#include "core/encrypted/encrypted.h"

#include "tests/support/test.h"

#define KEY_OFF (ENCRYPTED_WRAPPED_BYTES - ENCRYPTED_KEY_BYTES)

static encrypted_header_t some_header(encrypted_scheme_t scheme)
{
    encrypted_header_t header = {.scheme = scheme, .image_len = 0x01020304};
    if (scheme == ENCRYPTED_RSA3072) {
        memset(header.wrapped, 0x11, sizeof(header.wrapped));
    } else {
        memset(header.point, 0x22, sizeof(header.point));
        memset(header.salt, 0x33, sizeof(header.salt));
    }
    memset(header.iv, 0x44, sizeof(header.iv));
    memset(header.tag, 0x55, sizeof(header.tag));
    return header;
}

static void assert_range(const uint8_t *bytes, size_t from, size_t to, uint8_t value)
{
    for (size_t i = from; i < to; i++) {
        if (bytes[i] != value) {
            fail_msg("byte %zu is %02x, wanted %02x", i, bytes[i], value);
        }
    }
}

static void fields_lie_where_the_format_has_them(void **state)
{
    (void)state;
    static const uint8_t magic[] = {0xCF, 0xB6, 0x88, 0x07};
    static const uint8_t len[] = {4, 3, 2, 1};
    uint8_t bytes[ENCRYPTED_HEADER_BYTES];
    encrypted_header_t header = some_header(ENCRYPTED_RSA3072);
    encrypted_build(&header, bytes);
    assert_memory_equal(bytes, magic, sizeof(magic));
    assert_range(bytes, 4, 388, 0x11);
    assert_range(bytes, 388, 404, 0x44);
    assert_memory_equal(bytes + 404, len, sizeof(len));
    assert_range(bytes, 408, 424, 0x55);
    assert_range(bytes, 424, 512, 0);
    header = some_header(ENCRYPTED_P256);
    encrypted_build(&header, bytes);
    assert_range(bytes, 4, 68, 0x22);
    assert_range(bytes, 68, 100, 0x33);
    assert_range(bytes, 100, 388, 0);
    assert_range(bytes, 388, 404, 0x44);
}

static void what_is_built_is_parsed(void **state)
{
    (void)state;
    static const encrypted_scheme_t schemes[] = {ENCRYPTED_RSA3072, ENCRYPTED_P256};
    for (size_t i = 0; i < 2; i++) {
        uint8_t bytes[ENCRYPTED_HEADER_BYTES];
        encrypted_header_t header = some_header(schemes[i]);
        encrypted_header_t parsed;
        encrypted_build(&header, bytes);
        assert_int_equal(encrypted_parse(bytes, &parsed), ENCRYPTED_OK);
        assert_int_equal(parsed.scheme, schemes[i]);
        assert_int_equal(parsed.image_len, header.image_len);
        assert_memory_equal(parsed.wrapped, header.wrapped, sizeof(header.wrapped));
        assert_memory_equal(parsed.point, header.point, sizeof(header.point));
        assert_memory_equal(parsed.salt, header.salt, sizeof(header.salt));
        assert_memory_equal(parsed.iv, header.iv, sizeof(header.iv));
        assert_memory_equal(parsed.tag, header.tag, sizeof(header.tag));
    }
}

static encrypted_fault_t parse_with(size_t off, uint8_t value)
{
    uint8_t bytes[ENCRYPTED_HEADER_BYTES];
    encrypted_header_t header = some_header(ENCRYPTED_RSA3072);
    encrypted_build(&header, bytes);
    bytes[off] = value;
    return encrypted_parse(bytes, &header);
}

static void a_wrong_magic_byte_makes_it_no_encrypted_image(void **state)
{
    (void)state;
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(parse_with(i, 0xE9), ENCRYPTED_FAULT_MAGIC);
    }
    const uint8_t magic[] = {0xCF, 0xB6, 0x88, 0x07};
    assert_true(encrypted_is_magic(magic, 4));
    assert_false(encrypted_is_magic(magic, 3));
}

static void a_reserved_byte_that_is_set_is_refused(void **state)
{
    (void)state;
    for (size_t i = 424; i < 512; i++) {
        assert_int_equal(parse_with(i, 1), ENCRYPTED_FAULT_RESERVED);
    }
}

static void an_image_of_no_bytes_is_refused(void **state)
{
    (void)state;
    uint8_t bytes[ENCRYPTED_HEADER_BYTES];
    encrypted_header_t header = some_header(ENCRYPTED_P256);
    header.image_len = 0;
    encrypted_build(&header, bytes);
    assert_int_equal(encrypted_parse(bytes, &header), ENCRYPTED_FAULT_EMPTY);
    header.image_len = UINT32_MAX;
    encrypted_build(&header, bytes);
    assert_int_equal(encrypted_parse(bytes, &header), ENCRYPTED_OK);
    assert_int_equal(header.image_len, UINT32_MAX);
}

/** One byte among the 288 that P-256 leaves zero makes it an encrypted key. */
static void the_scheme_shows_in_the_rest_of_the_key_field(void **state)
{
    (void)state;
    for (size_t i = 100; i < 388; i++) {
        uint8_t bytes[ENCRYPTED_HEADER_BYTES];
        encrypted_header_t header = some_header(ENCRYPTED_P256);
        encrypted_build(&header, bytes);
        bytes[i] = 1;
        assert_int_equal(encrypted_parse(bytes, &header), ENCRYPTED_OK);
        assert_int_equal(header.scheme, ENCRYPTED_RSA3072);
    }
}

static void every_fault_and_scheme_has_a_text(void **state)
{
    (void)state;
    for (int fault = ENCRYPTED_OK; fault <= ENCRYPTED_FAULT_RESERVED; fault++) {
        assert_true(strlen(encrypted_fault_text((encrypted_fault_t)fault)) > 8);
    }
    assert_string_equal(encrypted_scheme_name(ENCRYPTED_RSA3072), "rsa3072");
    assert_string_equal(encrypted_scheme_name(ENCRYPTED_P256), "p256");
}

/* ---- Padding ---- */

/** 00 02, padding, 00, key. */
static void pad(uint8_t padded[ENCRYPTED_WRAPPED_BYTES])
{
    memset(padded, 0xA5, ENCRYPTED_WRAPPED_BYTES);
    padded[0] = 0;
    padded[1] = 2;
    padded[KEY_OFF - 1] = 0;
    memset(padded + KEY_OFF, 0x77, ENCRYPTED_KEY_BYTES);
}

static void assert_unpads_to(const uint8_t padded[ENCRYPTED_WRAPPED_BYTES], uint8_t value)
{
    uint8_t instead[ENCRYPTED_KEY_BYTES];
    uint8_t key[ENCRYPTED_KEY_BYTES];
    memset(instead, 0x99, sizeof(instead));
    encrypted_unpad_key(padded, instead, key);
    assert_range(key, 0, sizeof(key), value);
}

static void the_key_comes_out_of_good_padding(void **state)
{
    (void)state;
    uint8_t padded[ENCRYPTED_WRAPPED_BYTES];
    pad(padded);
    assert_unpads_to(padded, 0x77);
    memset(padded + 2, 0xFF, KEY_OFF - 3);
    assert_unpads_to(padded, 0x77);
    memset(padded + 2, 0x01, KEY_OFF - 3);
    assert_unpads_to(padded, 0x77);
}

static void any_wrong_byte_of_the_padding_gives_the_other_key(void **state)
{
    (void)state;
    for (size_t i = 0; i < KEY_OFF; i++) {
        bool filler = i >= 2 && i < KEY_OFF - 1;
        for (unsigned value = 0; value < 256; value++) {
            uint8_t padded[ENCRYPTED_WRAPPED_BYTES];
            pad(padded);
            bool good = filler ? value != 0 : value == padded[i];
            padded[i] = (uint8_t)value;
            assert_unpads_to(padded, good ? 0x77 : 0x99);
        }
    }
}

static void a_key_of_another_length_gives_the_other_key(void **state)
{
    (void)state;
    uint8_t padded[ENCRYPTED_WRAPPED_BYTES];
    pad(padded);
    padded[KEY_OFF - 1] = 0xA5;
    padded[KEY_OFF] = 0; /* A key of 31 bytes, in good padding. */
    assert_unpads_to(padded, 0x99);
    pad(padded);
    padded[KEY_OFF - 2] = 0; /* One of 33. */
    assert_unpads_to(padded, 0x99);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(fields_lie_where_the_format_has_them),
    cmocka_unit_test(what_is_built_is_parsed),
    cmocka_unit_test(a_wrong_magic_byte_makes_it_no_encrypted_image),
    cmocka_unit_test(a_reserved_byte_that_is_set_is_refused),
    cmocka_unit_test(an_image_of_no_bytes_is_refused),
    cmocka_unit_test(the_scheme_shows_in_the_rest_of_the_key_field),
    cmocka_unit_test(every_fault_and_scheme_has_a_text),
    cmocka_unit_test(the_key_comes_out_of_good_padding),
    cmocka_unit_test(any_wrong_byte_of_the_padding_gives_the_other_key),
    cmocka_unit_test(a_key_of_another_length_gives_the_other_key),
};

TEST_MAIN(tests)
