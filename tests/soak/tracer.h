/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file tracer.h
 * @brief Runs a program and all that it starts under ptrace, and stops it where it touches a file.
 *
 * A seccomp filter picks the system calls that can move data between a flash file and memory; everything else runs
 * at full speed, and the program knows nothing of it. If the tracer dies, so does everything it traces.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/** Why a thread stands still. */
typedef enum tracer_kind {
    TRACER_CALLS,    /**< It is about to do a pread64, pwrite64, fsync or fdatasync. */
    TRACER_CALLED,   /**< The system call that tracer_finish_call() let it do is done; nothing after it is. */
    TRACER_FORKED,   /**< It has made a process. */
    TRACER_EXECUTED, /**< The process runs another program, whose first instruction is not done yet. */
    TRACER_ENDED,    /**< It is gone, and reaped. */
} tracer_kind_t;

/** A thread that stands still, until tracer_resume() unless it ended. */
typedef struct tracer_stop {
    tracer_kind_t kind;
    pid_t tid;            /**< The thread; of a process with one thread, the process. */
    pid_t child;          /**< FORKED: the new process. */
    int status;           /**< ENDED: as waitpid() gives it. */
    uint64_t call;        /**< CALLS: the number of the system call. */
    uint64_t argument[6]; /**< CALLS: its arguments. */
} tracer_stop_t;

/**
 * Prepares this process for tracing; once, before any thread is made.
 *
 * @return a descriptor that is readable when tracer_next() may have something
 */
int tracer_open(void);

/**
 * Starts a program, traced.
 *
 * Ends this process with status 77, and says why, where tracing is not permitted.
 *
 * @param argv       its words, argv[0] with a path; NULL ends them
 * @param output_fd  becomes its standard output and standard error
 * @return its process
 */
pid_t tracer_start(const char *const argv[], int output_fd);

/** The next thread that stands still, if there is one. Does not wait. */
bool tracer_next(tracer_stop_t *stop);

/** Lets a thread go on. One that was killed meanwhile is left alone. */
void tracer_resume(pid_t tid);

/** After TRACER_CALLS: lets a thread do the system call and nothing more; TRACER_CALLED comes next. */
void tracer_finish_call(pid_t tid);
