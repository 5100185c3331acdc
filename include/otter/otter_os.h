/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file otter_os.h
 * @brief Porting contract: tasks, locks, clocks, entropy, reset.
 *
 * One implementation a binary, chosen by the build. Bare metal implements it with cooperative
 * tasks: every function that waits is a place where another task may run.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "esp_err.h"

#ifdef __cplusplus
extern "C" {
#endif

#define OTTER_FOREVER INT64_MAX /**< A deadline that never comes. */

typedef struct otter_task otter_task_t; /**< A task. */

/**
 * Starts a task.
 *
 * @param entry        runs in the new task; returning from it ends the task
 * @param arg          handed to it
 * @param name         for people, copied, cut to 15 characters
 * @param stack_bytes  at least this much stack; a port may give more
 * @param out          gets the task; may be NULL
 * @return ESP_OK, or ESP_ERR_NO_MEM
 */
esp_err_t otter_task_start(void (*entry)(void *arg), void *arg, const char *name, size_t stack_bytes,
                           otter_task_t **out);

/** The calling task. */
otter_task_t *otter_task_current(void);

/** Ends the calling task; its stack and record are released by the port. */
void otter_task_exit(void) __attribute__((noreturn));

/** A lock. All zero is an unlocked one. Not recursive. */
typedef struct otter_mutex {
    uint64_t opaque[8];
} otter_mutex_t;

void otter_mutex_lock(otter_mutex_t *mutex);   /**< Waits for the lock and takes it. */
void otter_mutex_unlock(otter_mutex_t *mutex); /**< Gives back a lock that the caller holds. */

/** A condition to wait for together with a mutex. All zero is a ready one. */
typedef struct otter_signal {
    uint64_t opaque[8];
} otter_signal_t;

/**
 * Gives the mutex back, waits until the signal is raised or the deadline passes, and takes the mutex again.
 * May return early: the caller checks what it waits for.
 *
 * @param deadline_us  on the clock of otter_now_us(), or OTTER_FOREVER
 * @return false if the deadline passed
 */
bool otter_signal_wait(otter_signal_t *signal, otter_mutex_t *mutex, int64_t deadline_us);

/** Wakes every task that waits for the signal. */
void otter_signal_raise(otter_signal_t *signal);

/** Microseconds since an arbitrary start; never goes back. */
int64_t otter_now_us(void);

/** Microseconds since 1970, UTC; may jump. */
int64_t otter_wall_us(void);

/** Waits until otter_now_us() reaches @p deadline_us. */
void otter_sleep_until(int64_t deadline_us);

/** Fills a buffer with random bytes fit for keys. ESP_OK or ESP_FAIL. */
esp_err_t otter_entropy(void *bytes, size_t len);

/** Writes text to the log output, whole or not at all where the port can. */
void otter_log_write(const char *text, size_t len);

/** Resets the device, as a software restart; flushes the log first. Callable from any task. */
void otter_restart(void) __attribute__((noreturn));

#ifdef __cplusplus
}
#endif
