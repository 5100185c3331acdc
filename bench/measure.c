/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file measure.c
 * @brief Runs commands one after the other and prints what they cost together.
 *
 * usage: measure COMMAND [ARG...] [::: COMMAND [ARG...]]...
 *
 * Prints one line: microseconds of wall clock, microseconds of CPU (user and system), and the highest peak of resident
 * memory in KiB, of one process. Processes that a command leaves behind are waited for, and counted. What the commands print to
 * standard output is dropped. Ends with 1 as soon as one of them fails, and with 2 if it was called wrongly.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/** What commands have cost so far. */
struct cost {
    int64_t wall_us;
    int64_t cpu_us;
    long peak_kib;
};

static int64_t now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static int64_t to_us(struct timeval time)
{
    return (int64_t)time.tv_sec * 1000000 + time.tv_usec;
}

static void execute(char **argv)
{
    int nothing = open("/dev/null", O_WRONLY | O_CLOEXEC);
    dup2(nothing, STDOUT_FILENO);
    execvp(argv[0], argv);
    perror(argv[0]);
    _exit(127);
}

static void add(struct cost *cost, const struct rusage *usage)
{
    cost->cpu_us += to_us(usage->ru_utime) + to_us(usage->ru_stime);
    cost->peak_kib = usage->ru_maxrss > cost->peak_kib ? usage->ru_maxrss : cost->peak_kib;
}

/** Waits for a process and all that becomes ours when their parents end. @return the wait status of the first */
static int collect(pid_t pid, struct cost *cost)
{
    struct rusage usage;
    int status = -1;
    int one = 0;
    pid_t ended;
    while ((ended = wait4(-1, &one, 0, &usage)) > 0) {
        status = ended == pid ? one : status;
        add(cost, &usage);
    }
    return status;
}

/** Runs one command and adds its cost. @return false if it failed */
static int run(char **argv, struct cost *cost)
{
    int64_t began_us = now_us();
    pid_t pid = fork();
    if (pid == 0) {
        execute(argv);
    }
    if (pid < 0) {
        perror("measure");
        return 0;
    }
    int status = collect(pid, cost);
    cost->wall_us += now_us() - began_us;
    if (status != 0) {
        fprintf(stderr, "measure: %s failed (status %#x)\n", argv[0], (unsigned)status);
    }
    return status == 0;
}

/** Ends a command at its separator. @return where the next one begins, NULL if there is none */
static char **split(char **argv)
{
    for (; *argv != NULL; argv++) {
        if (strcmp(*argv, ":::") == 0) {
            *argv = NULL;
            return argv + 1;
        }
    }
    return NULL;
}

int main(int argc, char **argv)
{
    struct cost cost = {0, 0, 0};
    char **command = argc > 0 ? argv + 1 : argv;
    if (prctl(PR_SET_CHILD_SUBREAPER, 1) != 0) {
        perror("measure");
        return 2;
    }
    while (command != NULL) {
        char **next = split(command);
        if (*command == NULL) {
            fprintf(stderr, "usage: measure COMMAND [ARG...] [::: COMMAND [ARG...]]...\n");
            return 2;
        }
        if (!run(command, &cost)) {
            return 1;
        }
        command = next;
    }
    printf("%lld %lld %ld\n", (long long)cost.wall_us, (long long)cost.cpu_us, cost.peak_kib);
    return 0;
}
