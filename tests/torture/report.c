/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/torture/report.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const fault_names[FAULT_KINDS] = {
    [FAULT_NONE] = "none",   [FAULT_ERROR] = "error", [FAULT_WORN] = "worn",
    [FAULT_STUCK] = "stuck", [FAULT_FLIP] = "flip",
};

static uint32_t larger(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

void report_merge(tally_t *sum, const tally_t *part)
{
    sum->ops = larger(sum->ops, part->ops);
    sum->most_boots = larger(sum->most_boots, part->most_boots);
    sum->most_erases = larger(sum->most_erases, part->most_erases);
    for (int i = 0; i < OTTER_CUT_KINDS; i++) {
        sum->cuts[i] += part->cuts[i];
    }
    for (int i = 0; i < PATH_CUTS; i++) {
        sum->depth[i] += part->depth[i];
    }
    for (int i = 0; i < VERDICTS; i++) {
        sum->verdicts[i] += part->verdicts[i];
    }
    for (int i = 0; i < FAULT_KINDS; i++) {
        sum->faults[i] += part->faults[i];
    }
    sum->hidden += part->hidden;
    sum->recoveries += part->recoveries;
    sum->known += part->known;
    sum->kept += part->kept;
    sum->moved += part->moved;
    sum->missed += part->missed;
    sum->idf_same += part->idf_same;
    sum->idf_interrupted += part->idf_interrupted;
    sum->dropped += part->dropped;
    sum->needed += part->needed;
    sum->fetched += part->fetched;
    sum->most_permille = larger(sum->most_permille, part->most_permille);
    sum->most_twice = larger(sum->most_twice, part->most_twice);
}

static uint64_t count_cuts(const tally_t *tally)
{
    uint64_t sum = 0;
    for (int i = 0; i < OTTER_CUT_KINDS; i++) {
        sum += tally->cuts[i];
    }
    return sum;
}

static uint64_t count_failures(const tally_t *tally)
{
    return tally->verdicts[VERDICT_BRICK] + tally->verdicts[VERDICT_LOST] + tally->verdicts[VERDICT_UNVERIFIED] +
           tally->verdicts[VERDICT_OTHER];
}

/* ---- Ids ---- */

void report_write_id(char id[REPORT_ID_BYTES], const char *scenario, const geometry_t *geometry, const path_t *path)
{
    int len =
        snprintf(id, REPORT_ID_BYTES, "%s/%s,%u,%u,%u", scenario, geometry->pages ? "pages" : "cells",
                 (unsigned)geometry->sector_bytes, (unsigned)geometry->program_bytes, (unsigned)geometry->image_bytes);
    if (path->fault.kind != FAULT_NONE) {
        len += snprintf(id + len, REPORT_ID_BYTES - (size_t)len, "/%s.%u.%u.%u", fault_names[path->fault.kind],
                        (unsigned)path->fault.at, (unsigned)path->fault.count, (unsigned)path->fault.bit);
    }
    for (uint32_t i = 0; i < path->count; i++) {
        const path_cut_t *cut = &path->cut[i];
        len += snprintf(id + len, REPORT_ID_BYTES - (size_t)len, "/%u.%s.%u", (unsigned)cut->op,
                        otter_cut_text(cut->kind), (unsigned)cut->seed);
    }
}

static bool read_kind(const char *text, otter_cut_t *kind)
{
    for (*kind = 0; *kind < OTTER_CUT_KINDS; (*kind)++) {
        if (strcmp(text, otter_cut_text(*kind)) == 0) {
            return true;
        }
    }
    return false;
}

static bool read_fault(const char *text, fault_t *fault)
{
    char kind[16];
    if (sscanf(text, "/%15[a-z].%" SCNu32 ".%" SCNu32 ".%" SCNu32, kind, &fault->at, &fault->count, &fault->bit) != 4) {
        return false;
    }
    fault->kind = FAULT_ERROR;
    while (fault->kind < FAULT_KINDS && strcmp(kind, fault_names[fault->kind]) != 0) {
        fault->kind++;
    }
    return fault->kind < FAULT_KINDS && fault->bit < 8;
}

static bool read_cut(const char *text, path_cut_t *cut)
{
    char kind[16];
    return sscanf(text, "/%" SCNu32 ".%15[a-z].%" SCNu32, &cut->op, kind, &cut->seed) == 3 &&
           read_kind(kind, &cut->kind);
}

bool report_read_id(const char *id, char scenario[32], geometry_t *geometry, path_t *path)
{
    char model[16];
    if (sscanf(id, "%31[^/]/%15[a-z],%" SCNu32 ",%" SCNu32 ",%" SCNu32, scenario, model, &geometry->sector_bytes,
               &geometry->program_bytes, &geometry->image_bytes) != 5) {
        return false;
    }
    geometry->pages = strcmp(model, "pages") == 0;
    *path = (path_t){.count = 0};
    const char *at = strchr(id, '/');
    at = at != NULL ? strchr(at + 1, '/') : NULL;
    if (at != NULL && read_fault(at, &path->fault)) {
        at = strchr(at + 1, '/');
    } else {
        path->fault.kind = FAULT_NONE;
    }
    while (at != NULL) {
        if (path->count == PATH_CUTS || !read_cut(at, &path->cut[path->count])) {
            return false;
        }
        path->count++;
        at = strchr(at + 1, '/');
    }
    return true;
}

/* ---- For people ---- */

static void print_head(void)
{
    printf("%-14s %5s %8s %8s %8s %8s %7s %7s %5s %5s %9s %9s %5s\n", "scenario", "ops", "cuts", "second", "further",
           "distinct", "kept", "moved", "boots", "erase", "idf same", "under way", "bad");
}

static void print_row(const char *name, const tally_t *tally)
{
    uint64_t further = 0;
    for (int i = 2; i < PATH_CUTS; i++) {
        further += tally->depth[i];
    }
    printf("%-14s %5" PRIu32 " %8" PRIu64 " %8" PRIu64 " %8" PRIu64 " %8" PRIu64 " %7" PRIu64 " %7" PRIu64 " %5" PRIu32
           " %5" PRIu32 " %9" PRIu64 " %9" PRIu64 " %5" PRIu64 "\n",
           name, tally->ops, tally->depth[0], tally->depth[1], further, tally->recoveries, tally->kept, tally->moved,
           tally->most_boots, tally->most_erases, tally->idf_same, tally->idf_interrupted, count_failures(tally));
}

static void print_kinds(const tally_t *sum)
{
    const char *separator = "cuts by kind:";
    for (otter_cut_t kind = 0; kind < OTTER_CUT_KINDS; kind++) {
        if (sum->cuts[kind] > 0) {
            printf("%s %s %" PRIu64, separator, otter_cut_text(kind), sum->cuts[kind]);
            separator = ",";
        }
    }
    putchar('\n');
}

static void print_faults(const tally_t *sum)
{
    const char *separator = "faults by kind:";
    for (fault_kind_t kind = FAULT_ERROR; kind < FAULT_KINDS; kind++) {
        if (sum->faults[kind] > 0) {
            printf("%s %s %" PRIu64, separator, fault_names[kind], sum->faults[kind]);
            separator = ",";
        }
    }
    if (sum->hidden > 0) {
        printf("; never showed: %" PRIu64, sum->hidden);
    }
    if (separator[0] == ',') {
        putchar('\n');
    }
}

static void print_cost(const report_row_t *row)
{
    const tally_t *tally = &row->tally;
    if (tally->needed > 0) {
        printf("%-14s downloaded %.3f times the image on average, %.3f at most; for one cut %" PRIu32
               " bytes twice at most\n",
               row->scenario->name, (double)tally->fetched / (double)tally->needed, tally->most_permille / 1000.0,
               tally->most_twice);
    }
}

static tally_t add_up(const report_row_t *row, size_t count, unsigned *scenarios_run)
{
    tally_t sum = {.ops = 0};
    *scenarios_run = 0;
    for (size_t i = 0; i < count; i++) {
        report_merge(&sum, &row[i].tally);
        *scenarios_run += !row[i].skipped;
    }
    return sum;
}

/* A run that broke nothing shows nothing. */
static bool is_good(const tally_t *sum)
{
    return count_failures(sum) == 0 && count_cuts(sum) + sum->faults[FAULT_ERROR] > 0;
}

bool report_print(const report_row_t *row, size_t count)
{
    unsigned ran;
    tally_t sum = add_up(row, count, &ran);
    print_head();
    for (size_t i = 0; i < count; i++) {
        if (row[i].skipped) {
            printf("%-14s skipped: the partition table does not suit it\n", row[i].scenario->name);
        } else {
            print_row(row[i].scenario->name, &row[i].tally);
        }
    }
    print_kinds(&sum);
    print_faults(&sum);
    for (size_t i = 0; i < count; i++) {
        print_cost(&row[i]);
    }
    if (sum.dropped > 0) {
        printf("syncs left out on purpose: %" PRIu64 "\n", sum.dropped);
    }
    if (sum.verdicts[VERDICT_OTHER] > 0) {
        printf("other promises broken: %" PRIu64 "\n", sum.verdicts[VERDICT_OTHER]);
    }
    printf("torture: %u scenarios, %" PRIu64 " cuts, %" PRIu64 " bricks, %" PRIu64 " lost records, %" PRIu64
           " unverified boots\n",
           ran, count_cuts(&sum), sum.verdicts[VERDICT_BRICK], sum.verdicts[VERDICT_LOST],
           sum.verdicts[VERDICT_UNVERIFIED]);
    return is_good(&sum);
}

/* ---- For programs: names here need no quoting ---- */

static void print_tally_json(const tally_t *tally)
{
    printf("\"operations\":%" PRIu32 ",\"cuts\":{", tally->ops);
    const char *separator = "";
    for (otter_cut_t kind = 0; kind < OTTER_CUT_KINDS; kind++) {
        printf("%s\"%s\":%" PRIu64, separator, otter_cut_text(kind), tally->cuts[kind]);
        separator = ",";
    }
    printf("},\"cuts_by_depth\":[");
    for (int i = 0; i < PATH_CUTS; i++) {
        printf("%s%" PRIu64, i > 0 ? "," : "", tally->depth[i]);
    }
    printf("],\"recoveries\":%" PRIu64 ",\"kept\":%" PRIu64 ",\"moved\":%" PRIu64 ",\"most_boots\":%" PRIu32
           ",\"most_otadata_erases\":%" PRIu32 ",\"idf_same\":%" PRIu64 ",\"idf_under_way\":%" PRIu64
           ",\"needed_bytes\":%" PRIu64 ",\"fetched_bytes\":%" PRIu64 ",\"most_bytes_twice\":%" PRIu32
           ",\"bricks\":%" PRIu64 ",\"lost_records\":%" PRIu64 ",\"unverified_boots\":%" PRIu64 ",\"other\":%" PRIu64,
           tally->recoveries, tally->kept, tally->moved, tally->most_boots, tally->most_erases, tally->idf_same,
           tally->idf_interrupted, tally->needed, tally->fetched, tally->most_twice, tally->verdicts[VERDICT_BRICK],
           tally->verdicts[VERDICT_LOST], tally->verdicts[VERDICT_UNVERIFIED], tally->verdicts[VERDICT_OTHER]);
}

bool report_print_json(const report_row_t *row, size_t count, const geometry_t *geometry)
{
    unsigned ran;
    tally_t sum = add_up(row, count, &ran);
    printf("{\"model\":\"%s\",\"sector_bytes\":%u,\"program_bytes\":%u,\"image_bytes\":%u,\"scenarios\":[",
           geometry->pages ? "pages" : "cells", (unsigned)geometry->sector_bytes, (unsigned)geometry->program_bytes,
           (unsigned)geometry->image_bytes);
    const char *separator = "";
    for (size_t i = 0; i < count; i++) {
        if (!row[i].skipped) {
            printf("%s\n {\"name\":\"%s\",", separator, row[i].scenario->name);
            print_tally_json(&row[i].tally);
            printf("}");
            separator = ",";
        }
    }
    printf("],\n \"total\":{");
    print_tally_json(&sum);
    printf("}}\n");
    return is_good(&sum);
}
