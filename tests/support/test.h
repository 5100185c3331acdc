/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file test.h
 * @brief What every unit test program includes: cmocka, and a main that runs one test or all.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/** Exit status that ctest counts as "skipped". */
#define TEST_SKIPPED 77

/** Fails with the names of both codes when @p actual is not @p expected. */
#define assert_err(actual, expected) assert_int_equal((actual), (expected))

/**
 * Runs the test named argv[1], or all of them. A name that does not exist is an error: a test that is not there
 * must not pass.
 */
#define TEST_MAIN(tests)                                                                                               \
    int main(int argc, char **argv)                                                                                    \
    {                                                                                                                  \
        if (argc > 1) {                                                                                                \
            size_t known = 0;                                                                                          \
            for (size_t i = 0; i < sizeof(tests) / sizeof((tests)[0]); i++) {                                          \
                known += strcmp((tests)[i].name, argv[1]) == 0;                                                        \
            }                                                                                                          \
            if (known != 1) {                                                                                          \
                fprintf(stderr, "no test named %s\n", argv[1]);                                                        \
                return 2;                                                                                              \
            }                                                                                                          \
            cmocka_set_test_filter(argv[1]);                                                                           \
        }                                                                                                              \
        return cmocka_run_group_tests_name(__FILE__, tests, NULL, NULL);                                               \
    }
