/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "tests/soak/device.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tests/soak/util.h"

void device_setup(device_t *device, const site_t *site)
{
    *device = (device_t){.site = site, .wake_fd = tracer_open(), .log_fd = -1};
}

void device_power_on(device_t *device)
{
    const char *const argv[] = {SOAK_OTTER, "boot", device->site->flash, NULL};
    int pipe_fds[2];
    must(pipe2(pipe_fds, O_CLOEXEC) == 0, "make a pipe");
    must(fcntl(pipe_fds[0], F_SETFL, O_NONBLOCK) == 0, "set up a pipe");
    device->boot = tracer_start(argv, pipe_fds[1]);
    (void)close(pipe_fds[1]);
    device->log_fd = pipe_fds[0];
    device->app = 0;
    device->app_runs = false;
    device->writing = MOMENT_NONE;
}

void device_reset_log(device_t *device)
{
    device->log_len = 0;
    device->log[0] = '\0';
}

bool device_listen(device_t *device)
{
    while (device->log_fd >= 0) {
        size_t room = sizeof(device->log) - 1 - device->log_len;
        errno = ENOBUFS;
        must(room > 0, "keep all that the device says");
        ssize_t got = read(device->log_fd, device->log + device->log_len, room);
        if (got < 0) {
            must(errno == EAGAIN, "hear the device");
            return true;
        }
        device->log_len += (size_t)got;
        device->log[device->log_len] = '\0';
        if (got == 0) {
            (void)close(device->log_fd);
            device->log_fd = -1;
        }
    }
    return false;
}

/* True if the descriptor of a traced thread is the flash. */
static bool is_flash(const device_t *device, pid_t tid, uint64_t fd)
{
    char path[48];
    struct stat flash;
    struct stat opened;
    (void)snprintf(path, sizeof(path), "/proc/%ld/fd/%d", (long)tid, (int)fd);
    must(stat(device->site->flash, &flash) == 0, device->site->flash);
    return stat(path, &opened) == 0 && opened.st_dev == flash.st_dev && opened.st_ino == flash.st_ino;
}

static bool lies_in(uint64_t off, const site_region_t *region)
{
    return off >= region->off && off - region->off < region->len;
}

static moment_kind_t kind_at(const site_t *site, uint64_t off)
{
    if (lies_in(off, &site->otadata)) {
        return MOMENT_OTADATA;
    }
    for (uint32_t i = 0; i < site->slot_count; i++) {
        if (lies_in(off, &site->slot[i])) {
            return MOMENT_DATA;
        }
    }
    return MOMENT_OTHER;
}

/* What the bootloader does while an app runs is not boot: it looks whether the app has confirmed itself. */
static moment_kind_t classify_boot_call(const device_t *device, const tracer_stop_t *stop)
{
    if (device->app_runs) {
        return MOMENT_NONE;
    }
    return stop->call == __NR_pread64 ? MOMENT_BOOT_READ : MOMENT_BOOT_WRITE;
}

static moment_kind_t classify_app_call(device_t *device, const tracer_stop_t *stop)
{
    switch (stop->call) {
    case __NR_pread64:
        return MOMENT_NONE;
    case __NR_pwrite64:
        device->writing = kind_at(device->site, stop->argument[3]);
        return device->writing;
    default: /* fsync and fdatasync belong to the writes before them. */
        return device->writing;
    }
}

static moment_kind_t classify_call(device_t *device, const tracer_stop_t *stop)
{
    if (!is_flash(device, stop->tid, stop->argument[0])) {
        return MOMENT_NONE;
    }
    return stop->tid == device->boot ? classify_boot_call(device, stop) : classify_app_call(device, stop);
}

static moment_kind_t follow_exec(device_t *device, pid_t pid)
{
    if (pid == device->boot) {
        return MOMENT_NONE;
    }
    device->app = pid;
    device->app_runs = true;
    device->writing = MOMENT_NONE;
    return MOMENT_HANDOVER;
}

static moment_kind_t follow_fork(device_t *device, const tracer_stop_t *stop)
{
    if (stop->tid != device->boot) {
        return MOMENT_NONE;
    }
    device->app = stop->child;
    return MOMENT_HANDOVER;
}

/* True if it was a process, and not just a thread of one. */
static bool follow_end(device_t *device, const tracer_stop_t *stop)
{
    if (stop->tid == device->boot) {
        device->boot = 0;
        device->boot_status = stop->status;
        return true;
    }
    if (stop->tid == device->app) {
        device->app = 0;
        device->app_runs = false;
        device->app_status = stop->status;
        return true;
    }
    errno = ECHILD;
    must(stop->tid != device->site->server, "go on without otterd, which has ended");
    return false;
}

static moment_t moment_of(device_t *device, const tracer_stop_t *stop)
{
    moment_t moment = {.kind = MOMENT_NONE, .tid = stop->tid};
    switch (stop->kind) {
    case TRACER_CALLS:
        moment.kind = classify_call(device, stop);
        break;
    case TRACER_CALLED:
        moment.kind = device->calling;
        moment.after = true;
        break;
    case TRACER_FORKED:
        moment.kind = follow_fork(device, stop);
        break;
    case TRACER_EXECUTED:
        moment.kind = follow_exec(device, stop->tid);
        break;
    case TRACER_ENDED:
        break;
    }
    return moment;
}

/* Sleeps until something may have happened. False if nothing has, and it is late. */
static bool sleep_until(const device_t *device, int64_t deadline_us)
{
    int64_t left_us = deadline_us - now_us();
    if (left_us <= 0) {
        return false;
    }
    struct timespec timeout = {.tv_sec = left_us / 1000000, .tv_nsec = left_us % 1000000 * 1000};
    struct pollfd fds[2] = {{.fd = device->wake_fd, .events = POLLIN}, {.fd = device->log_fd, .events = POLLIN}};
    int ready = ppoll(fds, 2, &timeout, NULL);
    must(ready >= 0, "wait for the device");
    return ready > 0;
}

device_event_t device_wait(device_t *device, int64_t deadline_us, moment_t *moment)
{
    for (;;) {
        tracer_stop_t stop;
        while (tracer_next(&stop)) {
            if (stop.kind == TRACER_ENDED) {
                if (follow_end(device, &stop)) {
                    return DEVICE_ENDED;
                }
                continue;
            }
            *moment = moment_of(device, &stop);
            if (moment->kind != MOMENT_NONE) {
                return DEVICE_MOMENT;
            }
            tracer_resume(stop.tid);
        }
        size_t heard = device->log_len;
        (void)device_listen(device);
        if (device->log_len > heard) {
            return DEVICE_SAID;
        }
        if (!sleep_until(device, deadline_us)) {
            return DEVICE_TIMEOUT;
        }
    }
}

void device_go_on(device_t *device, const moment_t *moment)
{
    (void)device;
    tracer_resume(moment->tid);
}

void device_finish(device_t *device, const moment_t *moment)
{
    device->calling = moment->kind;
    tracer_finish_call(moment->tid);
}

bool device_lives(const device_t *device)
{
    return device->boot != 0 || device->app != 0;
}

void device_destroy(device_t *device)
{
    moment_t moment;
    while (device_lives(device)) {
        if (device->boot != 0) {
            (void)kill(device->boot, SIGKILL);
        }
        if (device->app != 0) {
            (void)kill(device->app, SIGKILL);
        }
        (void)device_wait(device, now_us() + 100000, &moment);
    }
    while (device_listen(device)) {
        (void)device_wait(device, now_us() + 100000, &moment);
    }
}
