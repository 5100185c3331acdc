/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/sign_command.h"

#define PATH_BYTES 4096

/* ---- The file with the digest ---- */

static int write_digest(char path[PATH_BYTES], const uint8_t *digest, size_t len)
{
    const char *folder = getenv("TMPDIR");
    int chars =
        snprintf(path, PATH_BYTES, "%s/otter-digest-XXXXXX", folder != NULL && *folder != '\0' ? folder : "/tmp");
    if (chars < 0 || chars >= PATH_BYTES) {
        path[0] = '\0';
        return cli_fail("the path in TMPDIR is too long");
    }
    int fd = mkstemp(path);
    if (fd < 0) {
        int status = cli_fail("cannot make a file for the digest in %s: %s", path, strerror(errno));
        path[0] = '\0';
        return status;
    }
    bool written = write(fd, digest, len) == (ssize_t)len;
    int why = errno;
    close(fd);
    return written ? CLI_OK : cli_fail("cannot write %s: %s", path, strerror(why));
}

/* ---- The command ---- */

/* While it runs, an interruption is the command's: this program then sees it fail, and tidies up. */
typedef struct interruptions {
    struct sigaction on_int;
    struct sigaction on_quit;
} interruptions_t;

static void leave_interruptions(interruptions_t *before)
{
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    sigaction(SIGINT, &ignore, &before->on_int);
    sigaction(SIGQUIT, &ignore, &before->on_quit);
}

static void take_interruptions(const interruptions_t *before)
{
    sigaction(SIGINT, &before->on_int, NULL);
    sigaction(SIGQUIT, &before->on_quit, NULL);
}

static void become(const char *command, const char *path, const char *scheme, int out, const interruptions_t *before)
{
    take_interruptions(before);
    if (dup2(out, STDOUT_FILENO) < 0 || setenv(SIGN_COMMAND_DIGEST, path, 1) != 0 ||
        setenv(SIGN_COMMAND_SCHEME, scheme, 1) != 0) {
        _exit(127);
    }
    execl("/bin/sh", "sh", "-c", command, (char *)NULL);
    _exit(127);
}

/* Reads to the end, so that the command never meets a closed pipe; keeps what fits, and one byte count more if it does not. */
static size_t drain(int fd, uint8_t *bytes, size_t room)
{
    uint8_t piece[256];
    size_t len = 0;
    for (;;) {
        ssize_t got = read(fd, piece, sizeof(piece));
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            return len;
        }
        if (len <= room && (size_t)got <= room - len) {
            memcpy(bytes + len, piece, (size_t)got);
            len += (size_t)got;
        } else {
            len = room + 1;
        }
    }
}

static int wait_for(pid_t pid)
{
    int state = 0;
    while (waitpid(pid, &state, 0) < 0) {
        if (errno != EINTR) {
            return cli_fail("the signing command got lost: %s", strerror(errno));
        }
    }
    if (WIFSIGNALED(state)) {
        return cli_fail("the signing command was ended by signal %d", WTERMSIG(state));
    }
    return WEXITSTATUS(state) == 0 ? CLI_OK : cli_fail("the signing command failed with status %d", WEXITSTATUS(state));
}

static int run(const char *command, const char *path, const char *scheme, uint8_t *signature, size_t *len)
{
    int ends[2];
    interruptions_t before;
    if (pipe(ends) != 0) {
        return cli_fail("cannot run the signing command: %s", strerror(errno));
    }
    fcntl(ends[0], F_SETFD, FD_CLOEXEC);
    fcntl(ends[1], F_SETFD, FD_CLOEXEC);
    leave_interruptions(&before);
    pid_t pid = fork();
    if (pid == 0) {
        become(command, path, scheme, ends[1], &before);
    }
    int status = pid > 0 ? CLI_OK : cli_fail("cannot run the signing command: %s", strerror(errno));
    close(ends[1]);
    if (pid > 0) {
        *len = drain(ends[0], signature, OTTER_SIGNATURE_INPUT_BYTES);
        status = wait_for(pid);
    }
    take_interruptions(&before);
    close(ends[0]);
    return status;
}

int cli_run_sign_command(const char *command, trust_scheme_t scheme, const uint8_t *digest, size_t digest_len,
                         uint8_t signature[OTTER_SIGNATURE_INPUT_BYTES], size_t *len)
{
    char path[PATH_BYTES];
    *len = 0;
    int status = write_digest(path, digest, digest_len);
    if (status == CLI_OK) {
        status = run(command, path, trust_scheme_name(scheme), signature, len);
    }
    if (path[0] != '\0') {
        unlink(path);
    }
    if (status == CLI_OK && *len == 0) {
        return cli_fail("the signing command wrote no signature to standard output");
    }
    if (status == CLI_OK && *len > OTTER_SIGNATURE_INPUT_BYTES) {
        return cli_fail("the signing command wrote more than %d bytes: no signature is that long",
                        OTTER_SIGNATURE_INPUT_BYTES);
    }
    return status;
}
