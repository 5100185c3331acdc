/* SPDX-License-Identifier: Apache-2.0 */
/* otter-torture: options, workers, progress. */
#define _GNU_SOURCE
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/ptable/ptable_csv.h"
#include "tests/torture/report.h"
#include "tests/torture/scenarios.h"

#define MAX_WORKERS   64
#define MAX_SCENARIOS 32
#define MAX_LINES     20 /* Failures that are printed in full. */
#define TABLE_BYTES   (256u << 10)

typedef struct options {
    geometry_t geometry;
    effort_t effort;
    const char *only;
    const char *replay;
    const char *table_path;
    ptable_t table;
    bool json;
    bool list;
    bool expect_failure;
    bool first;
} options_t;

/* What the workers share. */
typedef struct board {
    uint32_t printed;
    uint32_t done;
    tally_t tally[MAX_WORKERS][MAX_SCENARIOS];
} board_t;

static const char usage[] =
    "usage: otter-torture [OPTIONS]\n"
    "\n"
    "Cuts the power before, in and after every flash operation of whole updates, and of what recovers from that.\n"
    "\n"
    "  --scenario NAME       only this one (--list names them)\n"
    "  --model cells|pages   NOR flash down to its cells (default), or a flash file behind a page cache\n"
    "  --sector-size BYTES   4096 (default) to 262144\n"
    "  --program-size BYTES  1 (default) to 4\n"
    "  --image-size BYTES    of each app, default 6000\n"
    "  --table FILE          partition table, CSV; scenarios that it does not suit are skipped\n"
    "  --table-offset BYTES  where it lies, default 0x8000\n"
    "  --depth N             1: one cut; 2: a second one everywhere in the recovery (default 2)\n"
    "  --random N            devices with three and more cuts at random, default 500 a scenario\n"
    "  --seed N              of these, default 1\n"
    "  --slice N             only every N-th cut\n"
    "  --jobs N              processes, default one a processor\n"
    "  --drop-sync otadata|image  with --model pages: leave these syncs out, and see that it matters\n"
    "  --expect-failure      exit status 0 if a promise is broken, 1 if none is\n"
    "  --first               end at the first failure\n"
    "  --replay ID           one failure again, with the device's log\n"
    "  --json                facts for programs\n"
    "  --list                scenarios\n"
    "\n"
    "exit status: 0 every promise was kept, 1 not, 2 wrong usage\n";

static board_t *board;

static void print_failure(void *arg, const life_t *life, const path_t *path)
{
    (void)arg;
    static const char *const names[VERDICTS] = {"good", "BRICK", "LOST RECORD", "UNVERIFIED BOOT", "BROKEN PROMISE"};
    char id[REPORT_ID_BYTES];
    char line[REPORT_ID_BYTES + WORLD_MESSAGE + 64];
    if (__atomic_fetch_add(&board->printed, 1, __ATOMIC_RELAXED) >= MAX_LINES) {
        return;
    }
    report_write_id(id, life->scenario->name, life->geometry, path);
    int len = snprintf(line, sizeof(line), "%s: %s: --replay %s\n", names[life->world->facts.verdict],
                       life->world->facts.message, id);
    must(write(STDERR_FILENO, line, (size_t)len) == len, "write");
}

/* ---- Work ---- */

static bool is_wanted(const options_t *options, const scenario_t *scenario)
{
    return options->only == NULL || strcmp(options->only, scenario->name) == 0;
}

static void work(const options_t *options, uint32_t worker)
{
    effort_t effort = options->effort;
    effort.worker = worker;
    effort.stop = options->first ? &board->printed : NULL;
    for (uint32_t i = 0; scenarios[i].name != NULL; i++) {
        life_t life;
        if (is_wanted(options, &scenarios[i]) && life_open(&life, &scenarios[i], &options->geometry)) {
            (void)explore(&life, &effort, &board->tally[worker][i], print_failure, NULL);
            life_close(&life);
        }
        __atomic_fetch_add(&board->done, 1, __ATOMIC_RELAXED);
    }
}

static void show_progress(uint32_t total)
{
    if (isatty(STDERR_FILENO) == 0) {
        return;
    }
    uint32_t done = __atomic_load_n(&board->done, __ATOMIC_RELAXED);
    uint64_t cuts = 0;
    for (int worker = 0; worker < MAX_WORKERS; worker++) {
        for (int i = 0; i < MAX_SCENARIOS; i++) {
            cuts += board->tally[worker][i].depth[0] + board->tally[worker][i].depth[1];
        }
    }
    char bar[31];
    memset(bar, '.', sizeof(bar) - 1);
    bar[sizeof(bar) - 1] = '\0';
    memset(bar, '#', total > 0 ? done * (sizeof(bar) - 1) / total : 0);
    fprintf(stderr, "\r[%s] %llu cuts%s", bar, (unsigned long long)cuts, done == total ? "\r\033[K" : "");
}

/* A worker that dies leaves its share undone: that is no success. */
static void await_workers(uint32_t workers, uint32_t total)
{
    for (uint32_t left = workers; left > 0;) {
        int status = 0;
        pid_t child = waitpid(-1, &status, WNOHANG);
        if (child == 0) {
            show_progress(total);
            (void)usleep(50000);
        } else {
            must(child > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0, "otter-torture: a worker failed");
            left--;
        }
    }
    show_progress(total);
}

static uint32_t count_scenarios(void)
{
    uint32_t count = 0;
    while (scenarios[count].name != NULL) {
        count++;
    }
    must(count <= MAX_SCENARIOS, "too many scenarios");
    return count;
}

static void run_workers(const options_t *options)
{
    uint32_t workers = options->effort.workers;
    (void)fflush(stdout);
    for (uint32_t worker = 0; worker < workers; worker++) {
        pid_t child = fork();
        must(child >= 0, "fork");
        if (child == 0) {
            (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
            work(options, worker);
            _exit(0);
        }
    }
    await_workers(workers, workers * count_scenarios());
}

static int run_all(const options_t *options)
{
    report_row_t row[MAX_SCENARIOS];
    size_t rows = 0;
    run_workers(options);
    for (uint32_t i = 0; scenarios[i].name != NULL; i++) {
        if (is_wanted(options, &scenarios[i])) {
            row[rows] = (report_row_t){.scenario = &scenarios[i]};
            for (uint32_t worker = 0; worker < options->effort.workers; worker++) {
                report_merge(&row[rows].tally, &board->tally[worker][i]);
            }
            row[rows].skipped = row[rows].tally.ops == 0;
            rows++;
        }
    }
    bool good = options->json ? report_print_json(row, rows, &options->geometry) : report_print(row, rows);
    return good != options->expect_failure ? 0 : 1;
}

static int replay(options_t *options)
{
    char name[32];
    path_t path;
    if (!report_read_id(options->replay, name, &options->geometry, &path) || scenario_find(name) == NULL) {
        fprintf(stderr, "otter-torture: this is no id: %s\n", options->replay);
        return 2;
    }
    life_t life;
    tally_t tally = {.ops = 0};
    if (!life_open(&life, scenario_find(name), &options->geometry)) {
        fprintf(stderr, "otter-torture: the partition table does not suit %s\n", name);
        return 2;
    }
    life.loud = true;
    bool good = explore_replay(&life, &path, &tally, print_failure, NULL);
    printf("%s\n", good ? "every promise was kept" : "a promise was broken");
    life_close(&life);
    return good != options->expect_failure ? 0 : 1;
}

static int list(void)
{
    for (const scenario_t *scenario = scenarios; scenario->name != NULL; scenario++) {
        printf("%-14s %s\n", scenario->name, scenario->what);
    }
    return 0;
}

/* ---- Options ---- */

static bool read_number(const char *text, uint32_t least, uint32_t most, uint32_t *number)
{
    char *end;
    unsigned long value = strtoul(text, &end, 0);
    if (*text < '0' || *text > '9' || *end != '\0' || value < least || value > most) {
        return false;
    }
    *number = (uint32_t)value;
    return true;
}

static bool read_model(options_t *options, const char *text)
{
    options->geometry.pages = strcmp(text, "pages") == 0;
    return options->geometry.pages || strcmp(text, "cells") == 0;
}

static bool read_drop(options_t *options, const char *text)
{
    options->geometry.drop_otadata = strcmp(text, "otadata") == 0;
    options->geometry.drop_image = strcmp(text, "image") == 0;
    return options->geometry.drop_otadata || options->geometry.drop_image;
}

static bool read_scenario(options_t *options, const char *text)
{
    options->only = text;
    return scenario_find(text) != NULL;
}

/* Values of getopt_long() that are no characters. */
enum {
    OPT_SCENARIO = 256,
    OPT_MODEL,
    OPT_SECTOR,
    OPT_PROGRAM,
    OPT_IMAGE,
    OPT_TABLE,
    OPT_TABLE_OFFSET,
    OPT_DEPTH,
    OPT_RANDOM,
    OPT_SEED,
    OPT_SLICE,
    OPT_JOBS,
    OPT_DROP,
    OPT_EXPECT,
    OPT_FIRST,
    OPT_REPLAY,
    OPT_JSON,
    OPT_LIST,
    OPT_HELP,
};

static const struct option long_options[] = {
    {"scenario", required_argument, NULL, OPT_SCENARIO},
    {"model", required_argument, NULL, OPT_MODEL},
    {"sector-size", required_argument, NULL, OPT_SECTOR},
    {"program-size", required_argument, NULL, OPT_PROGRAM},
    {"image-size", required_argument, NULL, OPT_IMAGE},
    {"table", required_argument, NULL, OPT_TABLE},
    {"table-offset", required_argument, NULL, OPT_TABLE_OFFSET},
    {"depth", required_argument, NULL, OPT_DEPTH},
    {"random", required_argument, NULL, OPT_RANDOM},
    {"seed", required_argument, NULL, OPT_SEED},
    {"slice", required_argument, NULL, OPT_SLICE},
    {"jobs", required_argument, NULL, OPT_JOBS},
    {"drop-sync", required_argument, NULL, OPT_DROP},
    {"expect-failure", no_argument, NULL, OPT_EXPECT},
    {"first", no_argument, NULL, OPT_FIRST},
    {"replay", required_argument, NULL, OPT_REPLAY},
    {"json", no_argument, NULL, OPT_JSON},
    {"list", no_argument, NULL, OPT_LIST},
    {"help", no_argument, NULL, OPT_HELP},
    {NULL, 0, NULL, 0},
};

static bool is_power_of_two(uint32_t value)
{
    return (value & (value - 1)) == 0;
}

static bool take_option(options_t *options, int option, const char *value)
{
    geometry_t *geometry = &options->geometry;
    effort_t *effort = &options->effort;
    switch (option) {
    case OPT_SCENARIO:
        return read_scenario(options, value);
    case OPT_MODEL:
        return read_model(options, value);
    case OPT_SECTOR:
        return read_number(value, 4096, 262144, &geometry->sector_bytes) && is_power_of_two(geometry->sector_bytes);
    case OPT_PROGRAM:
        return read_number(value, 1, 4, &geometry->program_bytes) && is_power_of_two(geometry->program_bytes);
    case OPT_IMAGE:
        return read_number(value, 1500, 4u << 20, &geometry->image_bytes);
    case OPT_TABLE:
        options->table_path = value;
        return true;
    case OPT_TABLE_OFFSET:
        return read_number(value, 0x1000, 0x1000000, &geometry->table_off);
    case OPT_DEPTH:
        return read_number(value, 1, PATH_CUTS, &effort->depth);
    case OPT_RANDOM:
        return read_number(value, 0, 10000000, &effort->random);
    case OPT_SEED:
        return read_number(value, 0, UINT32_MAX, &effort->seed);
    case OPT_SLICE:
        return read_number(value, 1, 100000, &effort->slice);
    case OPT_JOBS:
        return read_number(value, 1, MAX_WORKERS, &effort->workers);
    case OPT_DROP:
        return read_drop(options, value);
    case OPT_EXPECT:
        return options->expect_failure = true;
    case OPT_FIRST:
        return options->first = true;
    case OPT_REPLAY:
        options->replay = value;
        return true;
    case OPT_JSON:
        return options->json = true;
    case OPT_LIST:
        return options->list = true;
    default:
        return false;
    }
}

/* The user's partition table. */
static bool load_table(options_t *options)
{
    static char text[TABLE_BYTES];
    ptable_csv_options_t how = {.table_offset = options->geometry.table_off,
                                .sector_bytes = options->geometry.sector_bytes};
    ptable_csv_error_t error;
    FILE *file = fopen(options->table_path, "re");
    if (file == NULL) {
        perror(options->table_path);
        return false;
    }
    size_t len = fread(text, 1, sizeof(text), file);
    (void)fclose(file);
    if (ptable_csv_parse(&options->table, text, len, &how, &error) != ESP_OK) {
        fprintf(stderr, "otter-torture: %s: line %u: %s\n", options->table_path, (unsigned)error.line, error.text);
        return false;
    }
    options->geometry.table = &options->table;
    return true;
}

static int processors(void)
{
    long count = sysconf(_SC_NPROCESSORS_ONLN);
    return count < 1 ? 1 : count > MAX_WORKERS ? MAX_WORKERS : (int)count;
}

int main(int argc, char **argv)
{
    options_t options = {
        .geometry = {.sector_bytes = 4096, .program_bytes = 1, .image_bytes = 6000, .table_off = 0x8000},
        .effort = {.depth = 2, .random = 500, .seed = 1, .slice = 1}};
    options.effort.workers = (uint32_t)processors();
    int option;
    while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
        if (option == OPT_HELP) {
            fputs(usage, stdout);
            return 0;
        }
        if (!take_option(&options, option, optarg)) {
            fputs(usage, stderr);
            return 2;
        }
    }
    if (optind < argc) {
        fputs(usage, stderr);
        return 2;
    }
    if (options.table_path != NULL && !load_table(&options)) {
        return 2;
    }
    board = mmap(NULL, sizeof(*board), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    must(board != MAP_FAILED, "mmap");
    if (options.list) {
        return list();
    }
    return options.replay != NULL ? replay(&options) : run_all(&options);
}
