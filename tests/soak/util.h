/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file util.h
 * @brief What every part of the soak needs: to give up, the time, chance.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/** Ends the soak with status 2, "soak: cannot WHAT" and errno, unless @p ok. For its own troubles, not the device's. */
void must(bool ok, const char *what);

/** Microseconds of a clock that only goes forward. */
int64_t now_us(void);

/** The next number of a sequence that depends on nothing but @p state. */
uint64_t random_next(uint64_t *state);

/** A number below @p limit, which is at least 1. */
uint32_t random_below(uint64_t *state, uint32_t limit);

/** Starts a program: argv[0] with a path, NULL ends its words. Its output goes to these descriptors; -1: to ours. */
pid_t spawn_program(const char *const argv[], int output_fd, int error_fd);

/** Waits for a program's end. @return its exit status, 128 + the signal that ended it */
int await_program(pid_t pid);
