/* SPDX-License-Identifier: Apache-2.0 */
#include "freertos/event_groups.h"

#include <stdlib.h>

#include "device/system/device.h"
#include "otter/otter_os.h"

#define USABLE_BITS ((EventBits_t)0x00FFFFFF)

/* A task that waits; lives on its stack, and in its group's list until it is let go. */
typedef struct waiter {
    struct waiter *next;
    EventBits_t bits;
    bool all;
    bool clear;
    bool let_go;
    EventBits_t result; /* Once let go. */
} waiter_t;

struct EventGroupDef_t {
    EventBits_t bits;
    waiter_t *waiters;
};

/* One lock for all groups: a group may be deleted while tasks wait for it. */
static struct {
    otter_mutex_t mutex;
    otter_signal_t let_go;
} groups;

/* Everything static below is called with the lock held. */

static bool is_satisfied(const waiter_t *waiter, EventBits_t bits)
{
    EventBits_t there = bits & waiter->bits;
    return waiter->all ? there == waiter->bits : there != 0;
}

static void unlink_waiter(waiter_t **link, EventBits_t result)
{
    waiter_t *waiter = *link;
    *link = waiter->next;
    waiter->let_go = true;
    waiter->result = result;
    otter_signal_raise(&groups.let_go);
}

/* All waiters see the bits as they are now; what they want cleared goes only afterwards. */
static void let_go_satisfied(EventGroupHandle_t group)
{
    EventBits_t clear = 0;
    for (waiter_t **link = &group->waiters; *link != NULL;) {
        waiter_t *waiter = *link;
        if (is_satisfied(waiter, group->bits)) {
            clear |= waiter->clear ? waiter->bits : 0;
            unlink_waiter(link, group->bits);
        } else {
            link = &waiter->next;
        }
    }
    group->bits &= ~clear;
}

/* Not let go: the group exists, and the waiter is in its list. */
static void give_up(EventGroupHandle_t group, waiter_t *waiter)
{
    waiter_t **link = &group->waiters;
    while (*link != waiter) {
        link = &(*link)->next;
    }
    unlink_waiter(link, group->bits);
}

static void wait_for_bits(EventGroupHandle_t group, waiter_t *waiter, TickType_t ticks)
{
    int64_t deadline_us = task_deadline_us(ticks);
    bool in_time = ticks > 0;
    waiter->next = group->waiters;
    group->waiters = waiter;
    let_go_satisfied(group);
    while (!waiter->let_go && in_time) {
        in_time = otter_signal_wait(&groups.let_go, &groups.mutex, deadline_us);
    }
    if (!waiter->let_go) {
        give_up(group, waiter);
    }
}

EventGroupHandle_t xEventGroupCreate(void)
{
    return calloc(1, sizeof(struct EventGroupDef_t));
}

void vEventGroupDelete(EventGroupHandle_t group)
{
    if (group == NULL) {
        return;
    }
    otter_mutex_lock(&groups.mutex);
    while (group->waiters != NULL) {
        unlink_waiter(&group->waiters, 0);
    }
    otter_mutex_unlock(&groups.mutex);
    free(group);
}

uint32_t event_group_count_waiters(EventGroupHandle_t group)
{
    uint32_t count = 0;
    otter_mutex_lock(&groups.mutex);
    for (const waiter_t *waiter = group->waiters; waiter != NULL; waiter = waiter->next) {
        count++;
    }
    otter_mutex_unlock(&groups.mutex);
    return count;
}

EventBits_t xEventGroupSetBits(EventGroupHandle_t group, EventBits_t bits)
{
    otter_mutex_lock(&groups.mutex);
    group->bits |= bits & USABLE_BITS;
    let_go_satisfied(group);
    EventBits_t after = group->bits;
    otter_mutex_unlock(&groups.mutex);
    return after;
}

EventBits_t xEventGroupClearBits(EventGroupHandle_t group, EventBits_t bits)
{
    otter_mutex_lock(&groups.mutex);
    EventBits_t before = group->bits;
    group->bits &= ~bits;
    otter_mutex_unlock(&groups.mutex);
    return before;
}

EventBits_t xEventGroupGetBits(EventGroupHandle_t group)
{
    return xEventGroupClearBits(group, 0);
}

EventBits_t xEventGroupWaitBits(EventGroupHandle_t group, EventBits_t bits, BaseType_t clear_on_exit,
                                BaseType_t wait_for_all, TickType_t ticks)
{
    waiter_t waiter = {.bits = bits & USABLE_BITS, .all = wait_for_all != pdFALSE, .clear = clear_on_exit != pdFALSE};
    otter_mutex_lock(&groups.mutex);
    wait_for_bits(group, &waiter, ticks);
    otter_mutex_unlock(&groups.mutex);
    return waiter.result;
}
