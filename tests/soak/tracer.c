/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "tests/soak/tracer.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/soak/util.h"

#define EXIT_SKIPPED 77

#define CALL_STOP (SIGTRAP | 0x80) /* What PTRACE_O_TRACESYSGOOD makes of a stop at a system call. */

static int wake_fd = -1;

int tracer_open(void)
{
    sigset_t signals;
    (void)sigemptyset(&signals);
    (void)sigaddset(&signals, SIGCHLD);
    must(sigprocmask(SIG_BLOCK, &signals, NULL) == 0, "block SIGCHLD");
    wake_fd = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
    must(wake_fd >= 0, "make a signalfd");
    return wake_fd;
}

static bool install_filter(void)
{
    struct sock_filter program[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_pread64, 4, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_pwrite64, 3, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_fdatasync, 2, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_fsync, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE),
    };
    struct sock_fprog filter = {.len = sizeof(program) / sizeof(program[0]), .filter = program};
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

/* In the child: waits for the tracer, becomes the program. Never returns. */
static void become(const char *const argv[], int output_fd, int gate_fd)
{
    char open;
    sigset_t none;
    (void)sigemptyset(&none);
    bool ready = read(gate_fd, &open, 1) == 1 && sigprocmask(SIG_SETMASK, &none, NULL) == 0 &&
                 dup2(output_fd, STDOUT_FILENO) >= 0 && dup2(output_fd, STDERR_FILENO) >= 0;
    if (ready && install_filter()) {
        (void)execv(argv[0], (char *const *)(uintptr_t)argv);
    }
    _exit(127);
}

static void seize(pid_t pid)
{
    uintptr_t options = PTRACE_O_EXITKILL | PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACESECCOMP | PTRACE_O_TRACEFORK |
                        PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC;
    if (ptrace(PTRACE_SEIZE, pid, NULL, (void *)options) == 0) {
        return;
    }
    int why = errno;
    (void)kill(pid, SIGKILL);
    (void)waitpid(pid, NULL, 0);
    fprintf(stderr, "soak: SKIPPED: this place does not permit ptrace(): %s\n", strerror(why));
    exit(EXIT_SKIPPED);
}

pid_t tracer_start(const char *const argv[], int output_fd)
{
    int gate[2];
    must(pipe(gate) == 0, "make a pipe");
    pid_t pid = fork();
    must(pid >= 0, "fork");
    if (pid == 0) {
        (void)close(gate[1]);
        become(argv, output_fd, gate[0]);
    }
    (void)close(gate[0]);
    seize(pid);
    must(write(gate[1], "", 1) == 1, "start the program");
    (void)close(gate[1]);
    return pid;
}

static bool read_call(tracer_stop_t *stop)
{
    struct __ptrace_syscall_info info;
    memset(&info, 0, sizeof(info));
    if (ptrace(PTRACE_GET_SYSCALL_INFO, stop->tid, sizeof(info), &info) <= 0) {
        must(errno == ESRCH, "read a system call: it takes Linux 5.3"); /* Else it was killed meanwhile. */
        return false;
    }
    must(info.op == PTRACE_SYSCALL_INFO_SECCOMP, "make sense of a system call");
    stop->kind = TRACER_CALLS;
    stop->call = info.seccomp.nr;
    memcpy(stop->argument, info.seccomp.args, sizeof(stop->argument));
    return true;
}

static bool read_child(tracer_stop_t *stop)
{
    unsigned long message = 0;
    if (ptrace(PTRACE_GETEVENTMSG, stop->tid, NULL, &message) != 0) {
        return false;
    }
    stop->kind = TRACER_FORKED;
    stop->child = (pid_t)message;
    return true;
}

/* False if the stop is nobody's business. */
static bool read_stop(tracer_stop_t *stop, int status)
{
    if (!WIFSTOPPED(status)) {
        stop->kind = TRACER_ENDED;
        stop->status = status;
        return true;
    }
    switch (status >> 16) {
    case PTRACE_EVENT_SECCOMP:
        return read_call(stop);
    case PTRACE_EVENT_FORK:
    case PTRACE_EVENT_VFORK:
        return read_child(stop);
    case PTRACE_EVENT_EXEC:
        stop->kind = TRACER_EXECUTED;
        return true;
    default:
        stop->kind = TRACER_CALLED;
        return WSTOPSIG(status) == CALL_STOP;
    }
}

/* A signal on its way to the program arrives; other stops are of the tracer's own making. */
static void pass(pid_t tid, int status)
{
    uintptr_t signal = status >> 16 == 0 ? (uintptr_t)WSTOPSIG(status) : 0;
    (void)ptrace(PTRACE_CONT, tid, NULL, (void *)signal);
}

bool tracer_next(tracer_stop_t *stop)
{
    struct signalfd_siginfo info;
    while (read(wake_fd, &info, sizeof(info)) > 0) {
    }
    for (;;) {
        int status = 0;
        *stop = (tracer_stop_t){.tid = waitpid(-1, &status, WNOHANG | __WALL)};
        if (stop->tid <= 0) {
            return false;
        }
        if (read_stop(stop, status)) {
            return true;
        }
        pass(stop->tid, status);
    }
}

void tracer_resume(pid_t tid)
{
    must(ptrace(PTRACE_CONT, tid, NULL, NULL) == 0 || errno == ESRCH, "resume a thread");
}

void tracer_finish_call(pid_t tid)
{
    must(ptrace(PTRACE_SYSCALL, tid, NULL, NULL) == 0 || errno == ESRCH, "resume a thread");
}
