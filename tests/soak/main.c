/* SPDX-License-Identifier: Apache-2.0 */
/* Kills a device that updates itself, again and again, each time at another moment; see tests/soak/run. */
#define _GNU_SOURCE
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/soak/device.h"
#include "tests/soak/plan.h"
#include "tests/soak/report.h"
#include "tests/soak/site.h"
#include "tests/soak/trial.h"
#include "tests/soak/util.h"

#define EXIT_USAGE 2

/* How often a kill may be drawn again because its moment did not come. */
#define MAX_ATTEMPTS 10

typedef struct options {
    uint64_t seed;
    uint32_t first; /* Number of the first kill. */
    uint32_t end;   /* One more than that of the last. */
    bool is_single; /* One case, to be seen again: not every kind can be hit. */
} options_t;

static site_t site;
static device_t device;

static void clean_up(void)
{
    site_teardown(&site);
}

static const char *program_name = "soak";

/* The kills of a device, in words. */
static void print_plans(const plan_t plans[], uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        char words[96];
        plan_describe(&plans[i], words, sizeof(words));
        printf("%s%s", i > 0 ? ", then " : "", words);
    }
}

static void print_failure(const options_t *options, uint32_t number, const plan_t plans[], const trial_t *trial)
{
    printf("soak: FAILED: case %u: kill ", (unsigned)number);
    print_plans(plans, trial->hits > 0 ? trial->hits : 1);
    printf(": %s\n", trial->complaint);
    printf("soak: again: %s --seed %llu --case %u\n", program_name, (unsigned long long)options->seed,
           (unsigned)number);
    printf("---- what the device said after the kill ----\n%s----\n", device.log);
}

static bool run_case(const options_t *options, const course_t *course, uint32_t number, report_t *report)
{
    plan_t plans[2];
    trial_t trial;
    uint32_t count = plan_choose_again(course, options->seed, number, &plans[1]) ? 2 : 1;
    for (uint32_t attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
        plans[0] = plan_choose(course, options->seed, number, attempt);
        trial_result_t result = trial_run(&device, plans, count, &trial);
        if (result != TRIAL_MISSED) {
            report_add(report, plans, &trial);
        }
        if (result == TRIAL_PASSED) {
            return true;
        }
        if (result == TRIAL_FAILED) {
            print_failure(options, number, plans, &trial);
            return false;
        }
        report->missed++;
    }
    trial.complaint = "its moment never came";
    print_failure(options, number, plans, &trial);
    return false;
}

static void show_progress(uint32_t done, uint32_t all)
{
    if (isatty(STDERR_FILENO)) {
        fprintf(stderr, "\rsoak: %u of %u%s", (unsigned)done, (unsigned)all, done == all ? "\n" : "");
    }
}

static bool observe(course_t *course)
{
    const char *complaint = trial_observe(&device, course);
    moment_kind_t missing = complaint == NULL ? plan_missing_kind(course) : MOMENT_NONE;
    if (complaint != NULL) {
        printf("soak: FAILED: an update without a kill: %s\n%s\n", complaint, device.log);
    } else if (missing != MOMENT_NONE) {
        printf("soak: FAILED: an update without a kill has no %s\n", plan_kind_name(missing));
    }
    if (complaint != NULL || missing != MOMENT_NONE) {
        device_destroy(&device);
        return false;
    }
    printf("soak: an update takes %.0f ms and has", (double)course->duration_us / 1000);
    for (int kind = 0; kind < MOMENT_KINDS; kind++) {
        printf("%s %s: %u", kind > 0 ? "," : "", plan_kind_name((moment_kind_t)kind), (unsigned)course->moments[kind]);
    }
    putchar('\n');
    return true;
}

static bool soak(const options_t *options)
{
    course_t course;
    report_t report = {.missed = 0};
    int64_t began_us = now_us();
    printf("soak: seed %llu\n", (unsigned long long)options->seed);
    if (!observe(&course)) {
        return false;
    }
    (void)fflush(stdout);
    for (uint32_t number = options->first; number < options->end; number++) {
        report.failed += !run_case(options, &course, number, &report);
        show_progress(number + 1 - options->first, options->end - options->first);
        (void)fflush(stdout);
    }
    report_print(&report);
    bool complete = options->is_single || report_is_complete(&report);
    printf("soak: %u kills in %.0f s, %u failed\n", (unsigned)(options->end - options->first),
           (double)(now_us() - began_us) / 1000000, (unsigned)report.failed);
    return complete && report.failed == 0;
}

static int usage(void)
{
    fprintf(stderr, "usage: %s [--kills N] [--seed N] [--case N]\n", program_name);
    return EXIT_USAGE;
}

/* False if the text is no number. */
static bool take_number(const char *text, uint64_t *number)
{
    char *end;
    *number = strtoull(text, &end, 10);
    return *text >= '0' && *text <= '9' && *end == '\0';
}

static bool take_options(int argc, char **argv, options_t *options)
{
    static const struct option known[] = {
        {"kills", required_argument, NULL, 'k'},
        {"seed", required_argument, NULL, 's'},
        {"case", required_argument, NULL, 'c'},
        {NULL, 0, NULL, 0},
    };
    uint64_t number;
    int letter;
    while ((letter = getopt_long(argc, argv, "", known, NULL)) != -1) {
        if (letter == '?' || !take_number(optarg, &number)) {
            return false;
        }
        if (letter == 's') {
            options->seed = number;
        } else {
            options->is_single = letter == 'c';
            options->first = options->is_single ? (uint32_t)number : 0;
            options->end = options->is_single ? (uint32_t)number + 1 : (uint32_t)number;
        }
    }
    return optind == argc && options->end > options->first;
}

int main(int argc, char **argv)
{
    uint64_t chance = (uint64_t)now_us() ^ (uint64_t)getpid() << 48;
    options_t options = {.seed = random_next(&chance) % 1000000000, .end = 200};
    program_name = argv[0];
    if (!take_options(argc, argv, &options)) {
        return usage();
    }
    must(atexit(clean_up) == 0, "prepare the end");
    site_setup(&site);
    device_setup(&device, &site);
    return soak(&options) ? EXIT_SUCCESS : EXIT_FAILURE;
}
