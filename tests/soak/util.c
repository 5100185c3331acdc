/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "tests/soak/util.h"

#include <errno.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define EXIT_TROUBLE 2

void must(bool ok, const char *what)
{
    if (!ok) {
        fprintf(stderr, "soak: cannot %s%s%s\n", what, errno != 0 ? ": " : "", errno != 0 ? strerror(errno) : "");
        exit(EXIT_TROUBLE);
    }
}

int64_t now_us(void)
{
    struct timespec now;
    must(clock_gettime(CLOCK_MONOTONIC, &now) == 0, "read the clock");
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* SplitMix64: every state is a good one, so a case number can be mixed in by addition. */
uint64_t random_next(uint64_t *state)
{
    uint64_t mixed = *state += 0x9E3779B97F4A7C15u;
    mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9u;
    mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EBu;
    return mixed ^ (mixed >> 31);
}

uint32_t random_below(uint64_t *state, uint32_t limit)
{
    return (uint32_t)(random_next(state) % limit);
}

static void redirect(posix_spawn_file_actions_t *actions, int from, int to)
{
    must(from < 0 || posix_spawn_file_actions_adddup2(actions, from, to) == 0, "start a program");
}

pid_t spawn_program(const char *const argv[], int output_fd, int error_fd)
{
    posix_spawn_file_actions_t actions;
    must(posix_spawn_file_actions_init(&actions) == 0, "start a program");
    redirect(&actions, output_fd, STDOUT_FILENO);
    redirect(&actions, error_fd, STDERR_FILENO);
    pid_t pid = 0;
    errno = posix_spawn(&pid, argv[0], &actions, NULL, (char *const *)(uintptr_t)argv, environ);
    must(errno == 0, argv[0]);
    (void)posix_spawn_file_actions_destroy(&actions);
    return pid;
}

int await_program(pid_t pid)
{
    int status = 0;
    while (waitpid(pid, &status, 0) < 0) {
        must(errno == EINTR, "wait for a program");
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
