/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "otter/otter_os.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "otter/otter_process.h"

/* glibc's unlocked mutex and ready condition are all zero, which the contract asks for. */
_Static_assert(sizeof(pthread_mutex_t) <= sizeof(otter_mutex_t), "otter_mutex_t is too small");
_Static_assert(sizeof(pthread_cond_t) <= sizeof(otter_signal_t), "otter_signal_t is too small");

struct otter_task {
    void (*entry)(void *arg);
    void *arg;
    char name[16];
};

/* Threads that otter_task_start() did not make (main, a library's) share this record. */
static otter_task_t foreign_task = {.name = "main"};

static pthread_key_t task_key;
static pthread_once_t task_key_once = PTHREAD_ONCE_INIT;

static void make_task_key(void)
{
    (void)pthread_key_create(&task_key, free);
}

static void *run_task(void *arg)
{
    otter_task_t *task = arg;
    (void)pthread_setspecific(task_key, task);
    (void)pthread_setname_np(pthread_self(), task->name);
    task->entry(task->arg);
    return NULL;
}

static size_t stack_size_for(size_t wanted)
{
    /* Host libraries (TLS, name resolution) need far more stack than a chip's; wanted is a floor. */
    const size_t floor = (size_t)512 * 1024;
    return wanted > floor ? (wanted + 4095) & ~(size_t)4095 : floor;
}

esp_err_t otter_task_start(void (*entry)(void *arg), void *arg, const char *name, size_t stack_bytes,
                           otter_task_t **out)
{
    (void)pthread_once(&task_key_once, make_task_key);
    otter_task_t *task = calloc(1, sizeof(*task));
    if (task == NULL) {
        return ESP_ERR_NO_MEM;
    }
    task->entry = entry;
    task->arg = arg;
    strncpy(task->name, name != NULL ? name : "", sizeof(task->name) - 1);

    pthread_attr_t attr;
    pthread_t thread;
    int rc = pthread_attr_init(&attr);
    if (rc == 0) {
        (void)pthread_attr_setstacksize(&attr, stack_size_for(stack_bytes));
        (void)pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
        if (out != NULL) {
            *out = task;
        }
        rc = pthread_create(&thread, &attr, run_task, task);
        (void)pthread_attr_destroy(&attr);
    }
    if (rc != 0) {
        free(task);
        return ESP_ERR_NO_MEM;
    }
    return ESP_OK;
}

otter_task_t *otter_task_current(void)
{
    (void)pthread_once(&task_key_once, make_task_key);
    otter_task_t *task = pthread_getspecific(task_key);
    return task != NULL ? task : &foreign_task;
}

void otter_task_exit(void)
{
    pthread_exit(NULL);
}

void otter_mutex_lock(otter_mutex_t *mutex)
{
    if (pthread_mutex_lock((pthread_mutex_t *)(void *)mutex->opaque) != 0) {
        abort();
    }
}

void otter_mutex_unlock(otter_mutex_t *mutex)
{
    if (pthread_mutex_unlock((pthread_mutex_t *)(void *)mutex->opaque) != 0) {
        abort();
    }
}

static struct timespec timespec_of(int64_t us)
{
    return (struct timespec){.tv_sec = us / 1000000, .tv_nsec = (us % 1000000) * 1000};
}

bool otter_signal_wait(otter_signal_t *signal, otter_mutex_t *mutex, int64_t deadline_us)
{
    pthread_cond_t *cond = (pthread_cond_t *)(void *)signal->opaque;
    pthread_mutex_t *lock = (pthread_mutex_t *)(void *)mutex->opaque;
    if (deadline_us == OTTER_FOREVER) {
        return pthread_cond_wait(cond, lock) == 0;
    }
    struct timespec until = timespec_of(deadline_us > 0 ? deadline_us : 0);
    return pthread_cond_clockwait(cond, lock, CLOCK_MONOTONIC, &until) != ETIMEDOUT;
}

void otter_signal_raise(otter_signal_t *signal)
{
    (void)pthread_cond_broadcast((pthread_cond_t *)(void *)signal->opaque);
}

static int64_t read_clock_us(clockid_t clock)
{
    struct timespec now;
    (void)clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t otter_now_us(void)
{
    return read_clock_us(CLOCK_MONOTONIC);
}

int64_t otter_wall_us(void)
{
    return read_clock_us(CLOCK_REALTIME);
}

void otter_sleep_until(int64_t deadline_us)
{
    struct timespec until = timespec_of(deadline_us > 0 ? deadline_us : 0);
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == EINTR) {
    }
}

esp_err_t otter_entropy(void *bytes, size_t len)
{
    uint8_t *at = bytes;
    while (len > 0) {
        ssize_t got = getrandom(at, len, 0);
        if (got < 0 && errno != EINTR) {
            return ESP_FAIL;
        }
        if (got > 0) {
            at += got;
            len -= (size_t)got;
        }
    }
    return ESP_OK;
}

void otter_log_write(const char *text, size_t len)
{
    while (len > 0) {
        ssize_t done = write(STDOUT_FILENO, text, len);
        if (done < 0 && errno != EINTR) {
            return;
        }
        if (done > 0) {
            text += done;
            len -= (size_t)done;
        }
    }
}

void otter_restart(void)
{
    /* Not exit(): other tasks still run, and atexit handlers of libraries they use must not run under them. */
    _exit(OTTER_EXIT_RESTART);
}
