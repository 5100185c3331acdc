/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file fuzz.h
 * @brief What the fuzz harnesses share. A harness is one file, fuzz_<what>.c, that defines LLVMFuzzerTestOneInput().
 *
 * libFuzzer calls it with inputs that it makes up (make fuzz), replay.c with those that are kept (make test). It is
 * deterministic, touches no file and no network, leaves nothing behind, and asserts what must hold for any input.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** One input. Returns 0: it may join the corpus. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/** Something that must hold for any input; a finding if it does not. */
#define FUZZ_CHECK(condition) ((condition) ? (void)0 : fuzz_fail(#condition, __FILE__, __LINE__))

/** Reports a finding and aborts. */
_Noreturn void fuzz_fail(const char *what, const char *file, int line);

/** What is left of an input. */
typedef struct fuzz_input {
    const uint8_t *at;
    size_t left; /**< Bytes. */
} fuzz_input_t;

/** Takes a number from the front, little-endian; missing bytes are 0. */
uint8_t fuzz_take_u8(fuzz_input_t *input);
uint16_t fuzz_take_u16(fuzz_input_t *input);
uint32_t fuzz_take_u32(fuzz_input_t *input);

/** Takes up to @p len bytes into @p dst; missing ones stay as they are there. */
void fuzz_take_bytes(fuzz_input_t *input, void *dst, size_t len);

/**
 * The rest of the input in memory of exactly its size, so that a sanitizer sees the first byte read behind it.
 *
 * @param len  gets the length
 * @return to be freed with free(); never NULL
 */
uint8_t *fuzz_take_rest(fuzz_input_t *input, size_t *len);

/**
 * The input up to @p end (which is taken too) or its end as a string, in memory of exactly its size. A NUL byte becomes
 * '?': the string is as long as the piece of input.
 *
 * @return to be freed with free(); never NULL
 */
char *fuzz_take_text(fuzz_input_t *input, char end);

/** A copy in memory of exactly that size; to be freed with free(). */
void *fuzz_copy(const void *bytes, size_t len);

/** SHA-256 by the crypto port, which must not fail. */
void fuzz_sha256(const uint8_t *bytes, size_t len, uint8_t *digest);
