/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How much of an image is downloaded again after an interruption.
 *
 *     report_resume [--full] [--seed N]
 *
 * Downloads an image of 256 KiB over TLS again and again: with the connection cut at each of 500 offsets in the file, with the
 * power cut at each of 200 of the device's flash operations, and 100 times with both again and again. Without --full a
 * twentieth of each. Every run must end with the new image running; prints what that cost, and fails if an interruption cost
 * more than the promise.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/download/resume_device.h"
#include "tests/download/resume_server.h"
#include "tests/support/certs.h"

#define CUTS       500
#define POWER_CUTS 200
#define STORMS     100
#define STORM_CUTS 4 /* Power cuts in each. */
#define SLICE      20
#define LIVES_MAX  (STORM_CUTS + 3)
#define ETAG       "\"v2\""
#define MOST_TWICE (RESUME_SECTOR_BYTES + RESUME_BUFFER_BYTES)

/* What all runs share. */
typedef struct report {
    resume_device_t *device;
    certs_ca_t *ca;
    certs_leaf_t leaf;
    uint32_t random;
    bool full;
} report_t;

/* Power cuts of a run. */
typedef struct plan {
    unsigned cuts;       /* So many happened. */
    size_t worst_twice;  /* Most bytes fetched twice in one life. */
    unsigned cuts_left;  /* So many follow after the first ... */
    uint32_t cut_within; /* ... each within so many flash operations. */
} plan_t;

/* What the runs of one kind cost. */
typedef struct costs {
    unsigned runs;
    unsigned ended;    /* Runs that ended on the new image. */
    unsigned happened; /* Runs whose interruption happened. */
    unsigned resumed;  /* Lives that did not begin at the start of the file. */
    double fetched;    /* Sum of bytes fetched. */
    double twice;      /* Sum of bytes fetched twice. */
    double sent;       /* Sum of bytes sent by the server. */
    unsigned cuts;     /* Interruptions that these are for. */
    size_t worst_fetched;
    size_t worst_twice;
    size_t worst_sent;
} costs_t;

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

/* ---- runs ---- */

static bad_reply_t good_reply(const report_t *report)
{
    return (bad_reply_t){.path = RESUME_PATH,
                         .body = resume_device_image(report->device),
                         .body_len = RESUME_IMAGE_BYTES,
                         .ranges = true,
                         .etag = ETAG};
}

static uint32_t draw(report_t *report)
{
    uint32_t x = report->random;
    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    report->random = x;
    return x;
}

/* After a power cut the next one, if there is to be one. */
static void plan_cut(report_t *report, plan_t *plan)
{
    otter_power_t *power = &resume_device_facts(report->device)->power;
    power->cut_at = 0;
    if (plan->cuts_left > 0) {
        plan->cuts_left--;
        power->cut_at = power->ops + 1 + draw(report) % plan->cut_within;
    }
}

/* Lives until the new app runs. False: it never does. */
static bool live_on(report_t *report, const char *url, plan_t *plan)
{
    const resume_facts_t *facts = resume_device_facts(report->device);
    for (unsigned life = 0; life < LIVES_MAX; life++) {
        size_t twice = facts->twice;
        resume_end_t end = resume_device_live(report->device, url, certs_ca_pem(report->ca));
        plan->worst_twice = larger(plan->worst_twice, facts->twice - twice);
        if (end == RESUME_RUNS) {
            return true;
        }
        if (end == RESUME_FAILED) {
            return false;
        }
        if (end == RESUME_CUT) {
            plan->cuts++;
            plan_cut(report, plan);
        }
    }
    return false;
}

static void add(costs_t *costs, const resume_facts_t *facts, const plan_t *plan, const resume_served_t *served)
{
    costs->resumed += facts->resumed;
    costs->fetched += (double)facts->fetched;
    costs->twice += (double)facts->twice;
    costs->sent += (double)served->sent;
    costs->cuts += plan->cuts > 0 ? plan->cuts : 1;
    costs->worst_fetched = larger(costs->worst_fetched, facts->fetched);
    costs->worst_twice = larger(costs->worst_twice, plan->worst_twice);
    costs->worst_sent = larger(costs->worst_sent, served->sent);
}

/* One update, with whatever the device's power supply and these replies hold in store. */
static bool run(report_t *report, const bad_reply_t *replies, size_t count, plan_t *plan, resume_served_t *served)
{
    resume_server_t server;
    resume_server_start(&server, &(bad_server_config_t){.cert_pem = report->leaf.cert_pem,
                                                        .key_pem = report->leaf.key_pem,
                                                        .replies = replies,
                                                        .reply_count = count});
    bool ended = live_on(report, server.url, plan);
    resume_server_stop(&server, served);
    return ended;
}

static void run_cut_connection(report_t *report, const bad_reply_t *bad, costs_t *costs)
{
    const bad_reply_t replies[] = {*bad, good_reply(report)};
    resume_facts_t *facts = resume_device_facts(report->device);
    resume_served_t served;
    plan_t plan = {0};
    resume_device_renew(report->device);
    bool ended = run(report, replies, 2, &plan, &served);
    costs->runs++;
    costs->ended += ended;
    costs->happened += served.faults > 0;
    add(costs, facts, &plan, &served);
    if (!ended || served.faults == 0 || facts->twice > 0) {
        printf("  connection cut at byte %zu (fault %d): %s, error 0x%x, %zu bytes fetched twice\n", bad->fault_at,
               (int)bad->fault, ended ? "ended" : "did not end", (unsigned)facts->error, facts->twice);
    }
}

static void run_cut_power(report_t *report, uint32_t op, otter_cut_t kind, uint32_t random, costs_t *costs)
{
    const bad_reply_t good = good_reply(report);
    resume_facts_t *facts = resume_device_facts(report->device);
    resume_served_t served;
    plan_t plan = {0};
    resume_device_renew(report->device);
    facts->power.cut_at = op;
    facts->power.cut = kind;
    facts->power.cut_random = random;
    bool ended = run(report, &good, 1, &plan, &served);
    costs->runs++;
    costs->ended += ended;
    costs->happened += plan.cuts > 0;
    add(costs, facts, &plan, &served);
    if (!ended || plan.cuts == 0 || facts->twice > MOST_TWICE) {
        printf("  power cut at operation %u (%s): %s, error 0x%x, %zu bytes fetched twice\n", (unsigned)op,
               otter_cut_text(kind), ended ? "ended" : "did not end", (unsigned)facts->error, facts->twice);
    }
}

/* Connections that are cut again and again, and a power supply likewise. */
static void run_storm(report_t *report, uint32_t ops, costs_t *costs)
{
    bad_reply_t bad = good_reply(report);
    resume_facts_t *facts = resume_device_facts(report->device);
    resume_served_t served;
    plan_t plan = {.cuts_left = STORM_CUTS - 1, .cut_within = ops / STORM_CUTS};
    bad.fault = BAD_CUT;
    bad.fault_at = 8000 + draw(report) % 60000;
    resume_device_renew(report->device);
    facts->power.cut = OTTER_CUT_BITS;
    facts->power.cut_at = 1 + draw(report) % plan.cut_within;
    bool ended = run(report, &bad, 1, &plan, &served);
    costs->runs++;
    costs->ended += ended;
    costs->happened += served.faults > 0 && plan.cuts == STORM_CUTS;
    add(costs, facts, &plan, &served);
    if (!ended) {
        printf("  storm (connections cut after %zu bytes): did not end, error 0x%x\n", bad.fault_at,
               (unsigned)facts->error);
    }
}

/* Flash operations of an update that nothing interrupts. */
static uint32_t count_operations(report_t *report)
{
    const bad_reply_t good = good_reply(report);
    resume_facts_t *facts = resume_device_facts(report->device);
    resume_served_t served;
    plan_t plan = {0};
    resume_device_renew(report->device);
    if (!run(report, &good, 1, &plan, &served) || facts->fetched != RESUME_IMAGE_BYTES || facts->twice != 0) {
        fprintf(stderr, "an update that nothing interrupts fails (0x%x) or fetches %zu bytes\n", (unsigned)facts->error,
                facts->fetched);
        exit(1);
    }
    return facts->power.ops;
}

/* ---- where ---- */

/* The list of offsets: first those that matter, in the order of their kind, then random ones. */
typedef struct offsets {
    size_t at[CUTS];
    size_t count;
} offsets_t;

static void add_offset(offsets_t *offsets, size_t at)
{
    if (offsets->count < CUTS && at < RESUME_IMAGE_BYTES) {
        offsets->at[offsets->count++] = at;
    }
}

static void add_around(offsets_t *offsets, size_t first, size_t step)
{
    for (size_t at = first; at <= RESUME_IMAGE_BYTES; at += step) {
        add_offset(offsets, at - 1);
        add_offset(offsets, at);
        add_offset(offsets, at + 1);
    }
}

static void choose_offsets(report_t *report, offsets_t *offsets)
{
    offsets->count = 0;
    add_offset(offsets, 0);
    add_offset(offsets, 1);
    add_offset(offsets, 31);
    add_offset(offsets, 288);
    add_offset(offsets, RESUME_IMAGE_BYTES - 2);
    add_around(offsets, 1024, RESUME_IMAGE_BYTES);
    add_around(offsets, RESUME_SECTOR_BYTES, RESUME_SECTOR_BYTES);
    add_around(offsets, 1024 + RESUME_BUFFER_BYTES, RESUME_BUFFER_BYTES);
    while (offsets->count < CUTS) {
        add_offset(offsets, draw(report) % RESUME_IMAGE_BYTES);
    }
}

/* ---- the report ---- */

static void print_costs(const costs_t *costs)
{
    double size = RESUME_IMAGE_BYTES;
    double runs = costs->runs;
    printf("  %u runs, %u interrupted, %u ended on the new image\n", costs->runs, costs->happened, costs->ended);
    printf("  fetched / image size: mean %.4f, worst %.4f\n", costs->fetched / runs / size,
           (double)costs->worst_fetched / size);
    printf("  fetched twice for each interruption: mean %.0f bytes, worst %zu bytes\n", costs->twice / costs->cuts,
           costs->worst_twice);
    printf("  sent by the server / image size: mean %.4f, worst %.4f\n", costs->sent / runs / size,
           (double)costs->worst_sent / size);
}

static bool is_kept(const costs_t *costs, size_t most_twice)
{
    return costs->ended == costs->runs && costs->happened == costs->runs && costs->worst_twice <= most_twice;
}

static bool report_connections(report_t *report)
{
    static const bad_fault_t faults[] = {BAD_CUT, BAD_TRUNCATE, BAD_CUT, BAD_TRUNCATE, BAD_RESET};
    costs_t costs = {0};
    offsets_t offsets;
    choose_offsets(report, &offsets);
    bad_reply_t bad = good_reply(report);
    bad.times = 1;
    bad.fault = BAD_CLOSE_BEFORE_HEAD;
    run_cut_connection(report, &bad, &costs);
    bad.fault = BAD_CUT_IN_HEAD;
    bad.fault_at = 20;
    run_cut_connection(report, &bad, &costs);
    size_t step = report->full ? 1 : SLICE;
    for (size_t i = costs.runs; i < CUTS; i += step) {
        bad.fault = faults[i % (sizeof(faults) / sizeof(faults[0]))];
        bad.fault_at = offsets.at[i - 2];
        run_cut_connection(report, &bad, &costs);
    }
    printf("connection cut at %u offsets:\n", costs.runs);
    print_costs(&costs);
    return is_kept(&costs, 0);
}

static bool report_power(report_t *report, uint32_t ops)
{
    static const otter_cut_t kinds[] = {OTTER_CUT_BEFORE, OTTER_CUT_PREFIX, OTTER_CUT_BITS,
                                        OTTER_CUT_WORD,   OTTER_CUT_WEAK,   OTTER_CUT_AFTER};
    costs_t costs = {0};
    uint32_t step = report->full ? 1 : SLICE;
    for (uint32_t i = 0; i < POWER_CUTS; i += step) {
        uint32_t first = (uint32_t)((uint64_t)ops * i / POWER_CUTS);
        uint32_t last = (uint32_t)((uint64_t)ops * (i + step) / POWER_CUTS);
        uint32_t op = i == 0 ? 1 : 1 + first + draw(report) % (last > first ? last - first : 1);
        otter_cut_t kind = kinds[draw(report) % (sizeof(kinds) / sizeof(kinds[0]))];
        run_cut_power(report, op > ops ? ops : op, kind, draw(report) | 1, &costs);
    }
    printf("power cut at %u of %u flash operations:\n", costs.runs, (unsigned)ops);
    print_costs(&costs);
    printf("  starts that went on behind the start of the file: %u\n", costs.resumed);
    return is_kept(&costs, MOST_TWICE) && costs.resumed > costs.runs / 2;
}

static bool report_storms(report_t *report, uint32_t ops)
{
    costs_t costs = {0};
    for (unsigned i = 0; i < (report->full ? STORMS : STORMS / SLICE); i++) {
        run_storm(report, ops, &costs);
    }
    printf("%u power cuts in each download, and all connections cut:\n", STORM_CUTS);
    print_costs(&costs);
    return is_kept(&costs, MOST_TWICE);
}

static bool read_arguments(report_t *report, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--full") == 0) {
            report->full = true;
        } else if (strcmp(argv[i], "--seed") == 0 && i + 1 < argc) {
            report->random = (uint32_t)strtoul(argv[++i], NULL, 10) | 1;
        } else {
            return false;
        }
    }
    return true;
}

static void print_head(const report_t *report)
{
    printf("resume report, port %s: image %u bytes, flash sector %u, transfer buffer %u, strong ETag, seed %u\n"
           "Fetched are the bytes of the file that the HTTP client handed to the update (HTTP_EVENT_ON_DATA), each "
           "counted at its\n"
           "offset in the file; twice, those whose offset had come before. Bytes that the server had sent and that "
           "were lost with\n"
           "the connection are in the server's line only: buffers of the network, as large as they are.\n",
           OTTER_TEST_PORT, RESUME_IMAGE_BYTES, RESUME_SECTOR_BYTES, RESUME_BUFFER_BYTES, (unsigned)report->random);
}

int main(int argc, char **argv)
{
    report_t report = {.random = 1};
    if (!read_arguments(&report, argc, argv)) {
        fprintf(stderr, "usage: %s [--full] [--seed N]\n", argv[0]);
        return 2;
    }
    report.device = resume_device_new();
    report.ca = certs_ca_new("Otter test CA");
    report.leaf = certs_leaf_new(report.ca, &(certs_spec_t){0});
    print_head(&report);
    bool connections = report_connections(&report);
    uint32_t ops = count_operations(&report);
    bool power = report_power(&report, ops);
    bool storms = report_storms(&report, ops);
    bool kept = connections && power && storms;
    printf("promised: nothing twice after a cut connection, at most %u bytes (one sector + one buffer) after a power "
           "cut: %s\n",
           MOST_TWICE, kept ? "kept" : "BROKEN");
    certs_leaf_free(&report.leaf);
    certs_ca_free(report.ca);
    resume_device_free(report.device);
    return kept ? 0 : 1;
}
