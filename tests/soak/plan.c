/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/soak/plan.h"

#include <stdio.h>

#include "tests/soak/util.h"

/* Kills take turns in this order, so that a short soak hits every kind too. MOMENT_NONE: by time. */
static const moment_kind_t turns[] = {
    MOMENT_DATA, MOMENT_NONE,    MOMENT_OTADATA,   MOMENT_BOOT_WRITE, MOMENT_DATA,
    MOMENT_NONE, MOMENT_OTADATA, MOMENT_BOOT_READ, MOMENT_NONE,       MOMENT_HANDOVER,
};

/* What second kills hit, in turn: while the bootloader rolls back, above all. */
static const moment_kind_t turns_again[] = {MOMENT_BOOT_WRITE, MOMENT_HANDOVER,   MOMENT_BOOT_WRITE,
                                            MOMENT_OTADATA,    MOMENT_BOOT_WRITE, MOMENT_DATA};

#define TURNS       (sizeof(turns) / sizeof(turns[0]))
#define TURNS_AGAIN (sizeof(turns_again) / sizeof(turns_again[0]))

static const char *const kind_names[] = {
    [MOMENT_DATA] = "data write",
    [MOMENT_OTADATA] = "otadata write",
    [MOMENT_OTHER] = "other write",
    [MOMENT_BOOT_WRITE] = "write at boot",
    [MOMENT_BOOT_READ] = "read at boot",
    [MOMENT_HANDOVER] = "hand-over at boot",
    [MOMENT_NONE] = "time",
};

static const char *const victim_names[] = {[VICTIM_APP] = "app", [VICTIM_BOOT] = "otter boot", [VICTIM_BOTH] = "both"};

/* How often the kind of this kill has come in kills before it. */
static uint32_t count_earlier(uint32_t number)
{
    uint32_t earlier = 0;
    for (uint32_t i = 0; i < number; i++) {
        earlier += turns[i % TURNS] == turns[number % TURNS];
    }
    return earlier;
}

/* While the bootloader reads and writes there is no app to kill. */
static victim_t victim_of(moment_kind_t kind, uint32_t earlier)
{
    bool alone = kind == MOMENT_BOOT_WRITE || kind == MOMENT_BOOT_READ;
    return alone ? VICTIM_BOOT : (victim_t)(earlier % VICTIMS);
}

plan_t plan_choose(const course_t *course, uint64_t seed, uint32_t number, uint32_t attempt)
{
    uint64_t chance = seed ^ ((uint64_t)number << 40) ^ ((uint64_t)attempt << 32);
    uint32_t earlier = count_earlier(number);
    plan_t plan = {.kind = turns[number % TURNS]};
    plan.victim = victim_of(plan.kind, earlier);
    if (plan.kind == MOMENT_NONE) {
        plan.delay_us = random_below(&chance, (uint32_t)course->duration_us);
        return plan;
    }
    plan.after = plan.kind != MOMENT_HANDOVER && earlier % 2 == 1;
    plan.ordinal = 1 + random_below(&chance, course->moments[plan.kind]);
    return plan;
}

bool plan_choose_again(const course_t *course, uint64_t seed, uint32_t number, plan_t *plan)
{
    uint64_t chance = ~seed ^ ((uint64_t)number << 40);
    uint32_t turn = number / 2;
    *plan = (plan_t){.kind = turns_again[turn % TURNS_AGAIN]};
    plan->victim = victim_of(plan->kind, random_below(&chance, VICTIMS));
    plan->after = plan->kind != MOMENT_HANDOVER && random_below(&chance, 2) == 1;
    plan->ordinal = 1 + random_below(&chance, course->moments[plan->kind]);
    return number % 2 == 1;
}

moment_kind_t plan_missing_kind(const course_t *course)
{
    for (size_t i = 0; i < TURNS; i++) {
        if (turns[i] != MOMENT_NONE && course->moments[turns[i]] == 0) {
            return turns[i];
        }
    }
    return MOMENT_NONE;
}

const char *plan_kind_name(moment_kind_t kind)
{
    return kind_names[kind];
}

const char *plan_victim_name(victim_t victim)
{
    return victim_names[victim];
}

void plan_describe(const plan_t *plan, char *text, size_t size)
{
    if (plan->kind == MOMENT_NONE) {
        (void)snprintf(text, size, "%s %.3f ms after power on", victim_names[plan->victim],
                       (double)plan->delay_us / 1000);
        return;
    }
    (void)snprintf(text, size, "%s %s %s %u", victim_names[plan->victim], plan->after ? "after" : "before",
                   kind_names[plan->kind], (unsigned)plan->ordinal);
}
