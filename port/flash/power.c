/* SPDX-License-Identifier: Apache-2.0 */
#include "otter/otter_power.h"

#include <stdlib.h>

static const char *const cut_texts[OTTER_CUT_KINDS] = {
    [OTTER_CUT_BEFORE] = "before", [OTTER_CUT_PREFIX] = "prefix", [OTTER_CUT_BITS] = "bits",
    [OTTER_CUT_WORD] = "word",     [OTTER_CUT_WEAK] = "weak",     [OTTER_CUT_AFTER] = "after",
    [OTTER_CUT_LOST] = "lost",     [OTTER_CUT_NEWEST] = "newest", [OTTER_CUT_OLDER] = "older",
    [OTTER_CUT_ANY] = "any",
};

const char *otter_cut_text(otter_cut_t cut)
{
    return (unsigned)cut < OTTER_CUT_KINDS ? cut_texts[cut] : "unknown";
}

otter_power_verdict_t otter_power_begin(otter_power_t *power)
{
    uint32_t op = ++power->ops;
    if (op == power->cut_at) {
        power->random = power->cut_random != 0 ? power->cut_random : power->random;
        return OTTER_POWER_CUT;
    }
    if (power->fail_at != 0 && op >= power->fail_at && op - power->fail_at < power->fails) {
        power->failed++;
        return OTTER_POWER_FAIL;
    }
    return OTTER_POWER_DO;
}

void otter_power_off(otter_power_t *power)
{
    power->is_off = true;
    if (power->off != NULL) {
        power->off(power->arg);
    }
    abort(); /* Nobody runs without power. */
}

uint32_t otter_power_draw(otter_power_t *power)
{
    uint32_t x = power->random;
    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    power->random = x;
    return x * 2654435761u;
}
