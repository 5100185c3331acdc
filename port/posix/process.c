/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "otter/otter_process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "otter/otter_os.h"

/* Since Linux 6.3; older kernels refuse the flag and make every memory file executable. */
static const unsigned memory_file_executable = 0x0010u;

#define MAX_ENVIRONMENT 64

/* Variables that a firmware may see; an entry that ends in '_' allows the prefix. LD_PRELOAD and its like stay out:
 * what was verified is what runs. */
static const char *const allowed_variables[] = {
    "HOME",          "LANG",         "LC_",          "PATH",         "TERM",          "TZ",
    "http_proxy",    "https_proxy",  "HTTPS_PROXY",  "ftp_proxy",    "FTP_PROXY",     "ftps_proxy",
    "FTPS_PROXY",    "no_proxy",     "NO_PROXY",     "all_proxy",    "ALL_PROXY",     "SSL_CERT_DIR",
    "SSL_CERT_FILE", "ASAN_OPTIONS", "LSAN_OPTIONS", "TSAN_OPTIONS", "UBSAN_OPTIONS", "OTTER_",
};

void otter_process_init(otter_process_t *process)
{
    *process = (otter_process_t){.image_fd = -1, .pid_fd = -1};
}

static void close_fd(int *fd)
{
    if (*fd >= 0) {
        (void)close(*fd);
        *fd = -1;
    }
}

static int make_memory_file(const char *name)
{
    int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING | memory_file_executable);
    return fd >= 0 ? fd : memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
}

static bool seal(int fd)
{
    return fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) == 0;
}

static bool write_all(int fd, uint64_t off, const void *bytes, size_t len)
{
    const uint8_t *at = bytes;
    while (len > 0) {
        ssize_t done = pwrite(fd, at, len, (off_t)off);
        if (done < 0 && errno != EINTR) {
            return false;
        }
        if (done > 0) {
            at += done;
            off += (uint64_t)done;
            len -= (size_t)done;
        }
    }
    return true;
}

esp_err_t otter_process_collect(otter_process_t *process)
{
    close_fd(&process->image_fd);
    process->sealed = false;
    process->image_fd = make_memory_file("otter-firmware");
    return process->image_fd >= 0 ? ESP_OK : ESP_ERR_NO_MEM;
}

esp_err_t otter_process_write(otter_process_t *process, uint64_t off, const void *bytes, size_t len)
{
    if (process->image_fd < 0 || process->sealed) {
        return ESP_ERR_INVALID_STATE;
    }
    return write_all(process->image_fd, off, bytes, len) ? ESP_OK : ESP_ERR_NO_MEM;
}

static bool is_allowed(const char *variable)
{
    for (size_t i = 0; i < sizeof(allowed_variables) / sizeof(allowed_variables[0]); i++) {
        const char *name = allowed_variables[i];
        size_t len = strlen(name);
        if (strncmp(variable, name, len) == 0 && (variable[len] == '=' || name[len - 1] == '_')) {
            return true;
        }
    }
    return false;
}

/* The allowed part of the environment, and the handover's descriptor. */
static void make_environment(char *out[MAX_ENVIRONMENT + 2], char *handover_variable)
{
    size_t count = 0;
    for (char **variable = environ; *variable != NULL && count < MAX_ENVIRONMENT; variable++) {
        if (is_allowed(*variable) &&
            strncmp(*variable, OTTER_HANDOVER_VARIABLE "=", sizeof(OTTER_HANDOVER_VARIABLE)) != 0) {
            out[count++] = *variable;
        }
    }
    out[count++] = handover_variable;
    out[count] = NULL;
}

static bool keep_across_exec(int fd)
{
    return fd < 0 || fcntl(fd, F_SETFD, 0) == 0;
}

static void reset_signals(void)
{
    sigset_t none;
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    (void)signal(SIGPIPE, SIG_DFL);
    (void)signal(SIGINT, SIG_IGN); /* Ctrl-C is for the power supply, which ends the firmware itself. */
}

/* In the child: never returns. @p report gets errno if the program cannot be executed. */
static void become_firmware(const otter_process_t *process, const otter_handover_t *handover, int handover_fd,
                            const char *argv0, pid_t parent, int report)
{
    char variable[sizeof(OTTER_HANDOVER_VARIABLE) + 16];
    (void)snprintf(variable, sizeof(variable), "%s=%d", OTTER_HANDOVER_VARIABLE, handover_fd);
    char *environment[MAX_ENVIRONMENT + 2];
    make_environment(environment, variable);
    char name[64];
    (void)snprintf(name, sizeof(name), "%s", argv0);
    char *const argv[] = {name, NULL};

    reset_signals();
    bool ready = prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && getppid() == parent &&
                 keep_across_exec(handover->flash_handle) && keep_across_exec(handover->key_store_handle) &&
                 keep_across_exec(handover_fd);
    if (ready) {
        (void)fexecve(process->image_fd, argv, environment);
    }
    int why = errno;
    (void)!write(report, &why, sizeof(why));
    _exit(127);
}

static int make_handover(const otter_handover_t *handover)
{
    int fd = make_memory_file("otter-handover");
    if (fd >= 0 && (!write_all(fd, 0, handover, sizeof(*handover)) || !seal(fd))) {
        close_fd(&fd);
    }
    return fd;
}

/* Waits until the child has executed the program (the pipe closes) or says why it could not. */
static esp_err_t await_exec(otter_process_t *process, int report)
{
    int why = 0;
    ssize_t got;
    do {
        got = read(report, &why, sizeof(why));
    } while (got < 0 && errno == EINTR);
    if (got == 0) {
        return ESP_OK;
    }
    otter_process_kill(process);
    errno = why;
    return ESP_FAIL;
}

static esp_err_t spawn(otter_process_t *process, const otter_handover_t *handover, int handover_fd, const char *argv0)
{
    int report[2];
    if (pipe2(report, O_CLOEXEC) != 0) {
        return ESP_ERR_NO_MEM;
    }
    pid_t parent = getpid();
    pid_t child = fork();
    if (child == 0) {
        become_firmware(process, handover, handover_fd, argv0, parent, report[1]);
    }
    close_fd(&report[1]);
    esp_err_t err = ESP_ERR_NO_MEM;
    if (child > 0) {
        process->pid = child;
        process->pid_fd = pidfd_open(child, 0);
        err = await_exec(process, report[0]);
    }
    close_fd(&report[0]);
    return err;
}

esp_err_t otter_process_start(otter_process_t *process, const otter_handover_t *handover, const char *argv0)
{
    if (process->image_fd < 0 || process->pid != 0) {
        return ESP_ERR_INVALID_STATE;
    }
    if (!process->sealed && !seal(process->image_fd)) {
        return ESP_FAIL;
    }
    process->sealed = true;
    int handover_fd = make_handover(handover);
    if (handover_fd < 0) {
        return ESP_ERR_NO_MEM;
    }
    esp_err_t err = spawn(process, handover, handover_fd, argv0);
    int why = errno;
    close_fd(&handover_fd);
    errno = why;
    return err;
}

static otter_process_end_t reap(otter_process_t *process, int *detail)
{
    int status = 0;
    while (waitpid(process->pid, &status, 0) < 0 && errno == EINTR) {
    }
    process->pid = 0;
    close_fd(&process->pid_fd);
    bool exited = WIFEXITED(status);
    int value = exited ? WEXITSTATUS(status) : WTERMSIG(status);
    if (detail != NULL) {
        *detail = value;
    }
    if (!exited) {
        return OTTER_PROCESS_KILLED;
    }
    return value == OTTER_EXIT_RESTART ? OTTER_PROCESS_RESTARTED : OTTER_PROCESS_EXITED;
}

/* Milliseconds from now to the deadline, for poll(): rounded up, -1 for ever. */
static int poll_timeout_ms(int64_t deadline_us)
{
    if (deadline_us == OTTER_FOREVER) {
        return -1;
    }
    int64_t left_ms = (deadline_us - otter_now_us() + 999) / 1000;
    if (left_ms < 0) {
        return 0;
    }
    return left_ms > 3600000 ? 3600000 : (int)left_ms;
}

otter_process_end_t otter_process_wait(otter_process_t *process, int64_t deadline_us, int wake_fd, int *detail)
{
    struct pollfd fds[2] = {{.fd = process->pid_fd, .events = POLLIN}, {.fd = wake_fd, .events = POLLIN}};
    for (;;) {
        int ready = poll(fds, 2, poll_timeout_ms(deadline_us));
        if (ready > 0 && fds[0].revents != 0) {
            return reap(process, detail);
        }
        if (ready > 0 && fds[1].revents != 0) {
            return OTTER_PROCESS_RUNNING;
        }
        if (ready == 0 && deadline_us != OTTER_FOREVER && otter_now_us() >= deadline_us) {
            return OTTER_PROCESS_RUNNING;
        }
    }
}

void otter_process_kill(otter_process_t *process)
{
    if (process->pid == 0) {
        return;
    }
    (void)kill(process->pid, SIGKILL);
    (void)reap(process, NULL);
}

void otter_process_close(otter_process_t *process)
{
    otter_process_kill(process);
    close_fd(&process->image_fd);
    process->sealed = false;
}
