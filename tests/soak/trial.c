/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "tests/soak/trial.h"

#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#include "otter/otter_process.h"
#include "tests/soak/util.h"

#define PATIENCE_US 30000000

/* Version 1, which updates; then version 2. */
#define MAX_STARTS 2

/* What a firmware says first, and when it has confirmed itself. */
static const char version_text[] = "test: version ";
static const char confirmed_text[] = "test: confirmed: ESP_OK";

/* What the last firmware said since it started; NULL: nothing. */
static const char *last_start(const char *log)
{
    const char *last = NULL;
    for (const char *at = log; (at = strstr(at, version_text)) != NULL;) {
        at += strlen(version_text);
        last = at;
    }
    return last;
}

static uint32_t count_starts(const char *log)
{
    uint32_t count = 0;
    for (const char *at = log; (at = strstr(at, version_text)) != NULL; count++) {
        at += strlen(version_text);
    }
    return count;
}

static bool has_confirmed_version_2(const char *log)
{
    const char *start = last_start(log);
    return start != NULL && strncmp(start, "2.0.0 ", 6) == 0 && strstr(start, confirmed_text) != NULL;
}

static bool was_killed(int status)
{
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
}

/* Way of a device to version 2, or to its kill. */
typedef struct walk {
    const plan_t *plan; /* NULL: it is not killed. */
    int64_t deadline_us;
    uint32_t starts; /* Of a firmware. */
    uint32_t moments[MOMENT_KINDS];
    const char *complaint;
} walk_t;

static bool is_by_time(const walk_t *walk)
{
    return walk->plan != NULL && walk->plan->kind == MOMENT_NONE;
}

static walk_t walk_to(const plan_t *plan)
{
    walk_t walk = {.plan = plan};
    walk.deadline_us = now_us() + (is_by_time(&walk) ? plan->delay_us : PATIENCE_US);
    return walk;
}

/* On the way nobody kills: otter boot must go on, and a firmware ends only to be restarted. */
static const char *judge_end(const device_t *device)
{
    if (device->boot == 0) {
        return "otter boot ended by itself";
    }
    bool restarts = WIFEXITED(device->app_status) && WEXITSTATUS(device->app_status) == OTTER_EXIT_RESTART;
    return restarts ? NULL : "a firmware crashed";
}

/* True if the device shall stand still where it is; else it goes on. */
static bool meet(device_t *device, walk_t *walk, const moment_t *moment)
{
    const plan_t *plan = walk->plan;
    if (moment->after) {
        return true;
    }
    uint32_t ordinal = ++walk->moments[moment->kind];
    walk->starts += moment->kind == MOMENT_HANDOVER && device->app_runs;
    bool is_chosen = plan != NULL && plan->kind == moment->kind && plan->ordinal == ordinal;
    if (is_chosen && plan->after) {
        device_finish(device, moment);
    } else if (!is_chosen) {
        device_go_on(device, moment);
    }
    return is_chosen && !plan->after;
}

/* Lets the device go on. True: its kill is due, and a thread stands still unless it is due by time. False: it has
 * ended on version 2, or there is a complaint. */
static bool walk_on(device_t *device, walk_t *walk, moment_t *moment)
{
    while (walk->complaint == NULL && (is_by_time(walk) || !has_confirmed_version_2(device->log))) {
        if (now_us() >= walk->deadline_us) {
            *moment = (moment_t){.kind = MOMENT_NONE};
            walk->complaint = is_by_time(walk) ? NULL : "version 2 did not confirm itself in time";
            return is_by_time(walk);
        }
        device_event_t event = device_wait(device, walk->deadline_us, moment);
        if (event == DEVICE_MOMENT && meet(device, walk, moment)) {
            return true;
        }
        if (event == DEVICE_ENDED) {
            walk->complaint = judge_end(device);
        }
    }
    return false;
}

/* Waits until no process of the device is left, and nothing that it held. */
static const char *await_silence(device_t *device)
{
    int64_t deadline_us = now_us() + PATIENCE_US;
    moment_t moment;
    while (device_lives(device) || device_listen(device)) {
        switch (device_wait(device, deadline_us, &moment)) {
        case DEVICE_MOMENT:
            device_go_on(device, &moment);
            break;
        case DEVICE_TIMEOUT:
            return device_lives(device) ? "a process outlived otter boot" : "somebody still holds the device's output";
        case DEVICE_ENDED:
        case DEVICE_SAID:
            break;
        }
    }
    return site_flash_is_free(device->site) ? NULL : "somebody still holds the flash";
}

static const char *power_off(device_t *device)
{
    (void)kill(device->boot, SIGTERM);
    const char *complaint = await_silence(device);
    if (complaint == NULL && !(WIFEXITED(device->boot_status) && WEXITSTATUS(device->boot_status) == 0)) {
        complaint = "otter boot did not exit with 0 at power off";
    }
    return complaint != NULL ? complaint : site_judge_flash(device->site);
}

static void start_new(device_t *device)
{
    site_renew_flash(device->site);
    device_reset_log(device);
    device_power_on(device);
}

const char *trial_observe(device_t *device, course_t *course)
{
    moment_t moment;
    int64_t began_us = now_us();
    start_new(device);
    walk_t walk = walk_to(NULL);
    (void)walk_on(device, &walk, &moment);
    course->duration_us = now_us() - began_us;
    memcpy(course->moments, walk.moments, sizeof(course->moments));
    return walk.complaint != NULL ? walk.complaint : power_off(device);
}

static const char *await_app_end(device_t *device)
{
    int64_t deadline_us = now_us() + PATIENCE_US;
    pid_t app = device->app;
    moment_t moment;
    while (device->app == app) {
        device_event_t event = device_wait(device, deadline_us, &moment);
        if (event == DEVICE_TIMEOUT) {
            return "the app did not die of SIGKILL";
        }
        if (event == DEVICE_MOMENT) {
            device_go_on(device, &moment);
        }
    }
    return NULL;
}

/* Kills, and waits for the end of all that has to end. A thread that stands still and was not killed goes on if otter
 * boot lives; else it has to die where it is. */
static const char *strike(device_t *device, victim_t victim, const moment_t *moment)
{
    pid_t boot = device->boot;
    pid_t app = device->app;
    if (victim != VICTIM_APP) {
        must(kill(boot, SIGKILL) == 0, "kill otter boot");
    }
    if (victim != VICTIM_BOOT) {
        must(kill(app, SIGKILL) == 0, "kill the app");
    }
    if (victim == VICTIM_APP && moment->tid == boot) {
        device_go_on(device, moment);
    }
    const char *complaint = victim == VICTIM_APP ? await_app_end(device) : await_silence(device);
    (void)device_listen(device);
    return complaint;
}

static bool has_victim(const device_t *device, victim_t victim)
{
    return device->boot != 0 && (victim == VICTIM_BOOT || device->app != 0);
}

/* True if the victims died of the kill and of nothing else. */
static bool has_struck(const device_t *device, victim_t victim)
{
    return (victim == VICTIM_BOOT || was_killed(device->app_status)) &&
           (victim == VICTIM_APP || was_killed(device->boot_status));
}

/* Kills where the device stands. False if there was nobody to be killed. */
static bool hit(device_t *device, const plan_t *plan, const moment_t *moment, trial_t *trial)
{
    bool during_boot = !device->app_runs || moment->kind == MOMENT_HANDOVER;
    if (!has_victim(device, plan->victim)) {
        return false;
    }
    trial->complaint = strike(device, plan->victim, moment);
    if (trial->complaint == NULL && !has_struck(device, plan->victim)) {
        return false;
    }
    if (trial->hits++ == 0) {
        trial->during_boot = during_boot;
    }
    return true;
}

/* The device has confirmed version 2: it must not have come to that in strange ways, and last. */
static const char *judge_walk(device_t *device, const walk_t *walk)
{
    if (walk->starts != count_starts(device->log)) {
        return "a firmware started and did not say its version";
    }
    if (walk->starts > MAX_STARTS) {
        return "it took too many starts";
    }
    return power_off(device);
}

/* From one kill to the next, and to the end. False if a kill found nobody. */
static bool live(device_t *device, const plan_t plans[], uint32_t count, trial_t *trial)
{
    for (uint32_t i = 0; trial->complaint == NULL; i++) {
        moment_t moment;
        const plan_t *plan = i < count ? &plans[i] : NULL;
        walk_t walk = walk_to(plan);
        bool is_due = walk_on(device, &walk, &moment);
        trial->complaint = walk.complaint;
        trial->starts = walk.starts;
        if (!is_due) {
            trial->complaint = walk.complaint != NULL ? walk.complaint : judge_walk(device, &walk);
            return true;
        }
        if (!hit(device, plan, &moment, trial)) {
            return false;
        }
        device_reset_log(device);
        if (trial->complaint == NULL && device->boot == 0) {
            device_power_on(device);
        }
    }
    return true;
}

trial_result_t trial_run(device_t *device, const plan_t plans[], uint32_t count, trial_t *trial)
{
    *trial = (trial_t){.starts = 0};
    start_new(device);
    bool is_proof = live(device, plans, count, trial);
    device_destroy(device);
    if (trial->complaint != NULL) {
        return TRIAL_FAILED;
    }
    return is_proof && trial->hits > 0 ? TRIAL_PASSED : TRIAL_MISSED;
}
