/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file otter_process.h
 * @brief A firmware as a Linux process: where the bootloader's loader puts it, and the power supply.
 *
 * A program is collected in a memory file, sealed against any further change, and executed from there:
 * what was verified is what runs. The process dies with whoever started it.
 */
#pragma once

#include <signal.h>
#include <sys/types.h>

#include "esp_err.h"
#include "otter/otter_handover.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Exit status by which a firmware asks for a restart (esp_restart()). Any other end is a crash. */
#define OTTER_EXIT_RESTART 85

/** Environment variable with the number of the descriptor that holds the handover. */
#define OTTER_HANDOVER_VARIABLE "OTTER_HANDOVER"

/** A program being collected or run; storage belongs to the caller. */
typedef struct otter_process {
    int image_fd; /**< Memory file; -1: none. Owned. */
    bool sealed;  /**< The memory file can no longer change. */
    pid_t pid;    /**< Running process; 0: none. */
    int pid_fd;   /**< Its descriptor; -1: none. Owned. */
} otter_process_t;

/** How a process ended. */
typedef enum otter_process_end {
    OTTER_PROCESS_RUNNING,   /**< It did not: the deadline passed, or the caller's wake descriptor became readable. */
    OTTER_PROCESS_RESTARTED, /**< It asked for a restart. */
    OTTER_PROCESS_EXITED,    /**< It exited with another status. */
    OTTER_PROCESS_KILLED,    /**< A signal ended it. */
} otter_process_end_t;

/** A closed process: to be called before anything else. */
void otter_process_init(otter_process_t *process);

/** Begins to collect a program; one collected before is forgotten. ESP_OK, or ESP_ERR_NO_MEM. */
esp_err_t otter_process_collect(otter_process_t *process);

/**
 * Adds bytes of the program.
 *
 * @param off  where in the program they belong
 * @return ESP_OK; ESP_ERR_INVALID_STATE if it is sealed or nothing was begun; ESP_ERR_NO_MEM
 */
esp_err_t otter_process_write(otter_process_t *process, uint64_t off, const void *bytes, size_t len);

/**
 * Seals the program and runs it. It gets standard input, output and error, the flash, the key store (if any) and
 * the handover; of the environment only an allow-list (docs/DESIGN.md); and SIGKILL when the calling thread ends.
 *
 * @param handover  what it shall be told; flash_handle and key_store_handle are descriptors of the caller's, which the
 *                  child inherits under the same numbers
 * @param argv0     its name in process lists
 * @return ESP_OK; ESP_ERR_INVALID_STATE if nothing was collected or it runs already; ESP_ERR_NO_MEM; ESP_FAIL
 *         with errno set if it cannot be executed
 */
esp_err_t otter_process_start(otter_process_t *process, const otter_handover_t *handover, const char *argv0);

/**
 * Waits until the process ends.
 *
 * @param deadline_us  on the clock of otter_now_us(), or OTTER_FOREVER
 * @param wake_fd      a descriptor that ends the wait when it becomes readable; -1: none
 * @param detail       gets the exit status or the signal; may be NULL
 * @return how it ended, or OTTER_PROCESS_RUNNING
 */
otter_process_end_t otter_process_wait(otter_process_t *process, int64_t deadline_us, int wake_fd, int *detail);

/** Kills a running process and waits for its end; no process is left alone. */
void otter_process_kill(otter_process_t *process);

/** Kills what runs and forgets what was collected. */
void otter_process_close(otter_process_t *process);

#ifdef __cplusplus
}
#endif
