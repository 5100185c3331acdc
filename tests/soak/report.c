/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/soak/report.h"

#include <stdio.h>

static const char *const row_names[REPORT_ROWS] = {
    [MOMENT_DATA] = "during data writes",
    [MOMENT_OTADATA] = "during otadata writes",
    [MOMENT_OTHER] = "during other writes",
    [MOMENT_BOOT_WRITE] = "during boot: otadata writes",
    [MOMENT_BOOT_READ] = "during boot: reads, verification",
    [MOMENT_HANDOVER] = "during boot: start of the app",
    [REPORT_TIME_BOOT] = "by time, during boot",
    [REPORT_TIME_ELSEWHERE] = "by time, elsewhere",
};

void report_add(report_t *report, const plan_t plans[], const trial_t *trial)
{
    const plan_t *plan = &plans[0];
    int row = (int)plan->kind;
    if (plan->kind == MOMENT_NONE) {
        row = trial->during_boot ? REPORT_TIME_BOOT : REPORT_TIME_ELSEWHERE;
    }
    report->victims[row][plan->victim]++;
    report->after[row] += plan->after;
    report->most_starts = trial->starts > report->most_starts ? trial->starts : report->most_starts;
    for (uint32_t i = 1; i < trial->hits; i++) {
        report->again[plans[i].kind]++;
    }
}

static uint32_t count(const report_t *report, int row)
{
    uint32_t sum = 0;
    for (int victim = 0; victim < VICTIMS; victim++) {
        sum += report->victims[row][victim];
    }
    return sum;
}

static void print_row(const char *name, const uint32_t victims[VICTIMS], uint32_t sum)
{
    printf("%-34s %5u", name, (unsigned)sum);
    for (int victim = 0; victim < VICTIMS; victim++) {
        printf(" %11u", (unsigned)victims[victim]);
    }
}

static void print_again(const uint32_t again[MOMENT_KINDS])
{
    const char *separator = "killed again while they recovered:";
    for (int kind = 0; kind < MOMENT_KINDS; kind++) {
        if (again[kind] > 0) {
            printf("%s %s %u", separator, plan_kind_name((moment_kind_t)kind), (unsigned)again[kind]);
            separator = ",";
        }
    }
    putchar('\n');
}

void report_print(const report_t *report)
{
    uint32_t sum = 0;
    uint32_t victims[VICTIMS] = {0};
    printf("%-34s %5s", "kills", "all");
    for (int victim = 0; victim < VICTIMS; victim++) {
        printf(" %11s", plan_victim_name((victim_t)victim));
    }
    printf("   before/after the operation\n");
    for (int row = 0; row < REPORT_ROWS; row++) {
        uint32_t hits = count(report, row);
        print_row(row_names[row], report->victims[row], hits);
        if (row < MOMENT_KINDS && row != MOMENT_HANDOVER) {
            printf("   %u/%u", (unsigned)(hits - report->after[row]), (unsigned)report->after[row]);
        }
        putchar('\n');
        sum += hits;
        for (int victim = 0; victim < VICTIMS; victim++) {
            victims[victim] += report->victims[row][victim];
        }
    }
    print_row("all", victims, sum);
    putchar('\n');
    print_again(report->again);
    printf("starts until version 2 was confirmed: at most %u; moments that did not come and were drawn again: %u\n",
           (unsigned)report->most_starts, (unsigned)report->missed);
}

static bool was_hit(uint32_t hits, const char *what)
{
    if (hits == 0) {
        printf("soak: FAILED: no kill hit %s\n", what);
    }
    return hits > 0;
}

bool report_is_complete(const report_t *report)
{
    uint32_t boot = count(report, MOMENT_BOOT_WRITE) + count(report, MOMENT_BOOT_READ) +
                    count(report, MOMENT_HANDOVER) + count(report, REPORT_TIME_BOOT);
    bool data_hit = was_hit(count(report, MOMENT_DATA), "a data write");
    bool otadata_hit = was_hit(count(report, MOMENT_OTADATA), "an otadata write");
    bool boot_hit = was_hit(boot, "the bootloader");
    return data_hit && otadata_hit && boot_hit;
}
