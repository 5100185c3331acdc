/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/files.h"

#define READ_STEP (64u << 10) /* First size of a buffer for a file whose length is not known. */

/* The temporary file that an interruption must remove; one at a time. */
static char doomed[4096];

static void remove_doomed(int number)
{
    unlink(doomed);
    signal(number, SIG_DFL);
    raise(number);
}

static const int interruptions[] = {SIGINT, SIGTERM, SIGHUP};
#define INTERRUPTIONS (sizeof(interruptions) / sizeof(interruptions[0]))

static void arm(const char *temp)
{
    size_t len = strlen(temp);
    if (len >= sizeof(doomed)) {
        return;
    }
    memcpy(doomed, temp, len + 1);
    for (size_t i = 0; i < INTERRUPTIONS; i++) {
        struct sigaction action = {.sa_handler = remove_doomed};
        sigaction(interruptions[i], &action, NULL);
    }
}

static void disarm(void)
{
    for (size_t i = 0; i < INTERRUPTIONS; i++) {
        signal(interruptions[i], SIG_DFL);
    }
}

/** Makes the temporary file; an interruption comes before it exists or finds it armed. */
static int make_temp(char *temp)
{
    sigset_t held;
    sigset_t old;
    sigemptyset(&held);
    for (size_t i = 0; i < INTERRUPTIONS; i++) {
        sigaddset(&held, interruptions[i]);
    }
    sigprocmask(SIG_BLOCK, &held, &old);
    int fd = mkstemp(temp);
    if (fd >= 0) {
        arm(temp);
    }
    int why = errno;
    sigprocmask(SIG_SETMASK, &old, NULL);
    errno = why;
    return fd;
}

/** Makes room for at least one more byte. */
static bool grow(uint8_t **bytes, size_t *room, size_t len, size_t max_bytes)
{
    if (len < *room) {
        return true;
    }
    size_t more = *room == 0 ? READ_STEP : *room * 2;
    /* One byte above the limit: enough to notice that the file is too long. */
    more = more > max_bytes ? max_bytes + 1 : more;
    uint8_t *larger = realloc(*bytes, more);
    if (larger == NULL) {
        return false;
    }
    *bytes = larger;
    *room = more;
    return true;
}

static int read_all(int fd, const char *path, size_t max_bytes, uint8_t **bytes, size_t *len)
{
    size_t room = 0;
    for (;;) {
        if (!grow(bytes, &room, *len, max_bytes)) {
            return cli_fail("%s: out of memory", path);
        }
        ssize_t got = read(fd, *bytes + *len, room - *len);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return cli_fail("cannot read %s: %s", path, strerror(errno));
        }
        if (got == 0) {
            return CLI_OK;
        }
        *len += (size_t)got;
        if (*len > max_bytes) {
            return cli_fail("%s is larger than the %zu bytes that are possible here", path, max_bytes);
        }
    }
}

int cli_read_file(const char *path, size_t max_bytes, uint8_t **bytes, size_t *len)
{
    bool standard = strcmp(path, "-") == 0;
    *bytes = NULL;
    *len = 0;
    int fd = standard ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return cli_fail("cannot open %s: %s", path, strerror(errno));
    }
    int status = read_all(fd, standard ? "standard input" : path, max_bytes, bytes, len);
    if (!standard) {
        close(fd);
    }
    if (status != CLI_OK) {
        free(*bytes);
        *bytes = NULL;
        *len = 0;
    }
    return status;
}

bool cli_is_same_file(const char *path, const char *other)
{
    struct stat one;
    struct stat two;
    return stat(path, &one) == 0 && stat(other, &two) == 0 && S_ISREG(one.st_mode) && one.st_dev == two.st_dev &&
           one.st_ino == two.st_ino;
}

static int begin_in_place(cli_file_out_t *out, int fd)
{
    if (fd < 0) {
        return cli_fail("cannot write %s: %s", out->path, strerror(errno));
    }
    out->fd = fd;
    out->open = true;
    return CLI_OK;
}

/** Name of a temporary file beside @p target, for mkstemp(); NULL without memory. */
static char *temp_name(const char *target)
{
    char *copy = strdup(target);
    if (copy == NULL) {
        return NULL;
    }
    const char *folder = dirname(copy);
    size_t len = strlen(folder) + sizeof("/.otter-XXXXXX");
    char *temp = malloc(len);
    if (temp != NULL) {
        snprintf(temp, len, "%s/.otter-XXXXXX", folder);
    }
    free(copy);
    return temp;
}

static mode_t current_umask(void)
{
    mode_t mask = umask(0);
    umask(mask);
    return mask;
}

int cli_file_begin(cli_file_out_t *out, const char *path, unsigned mode)
{
    struct stat old;
    *out = (cli_file_out_t){.path = path, .fd = -1};
    if (strcmp(path, "-") == 0) {
        return begin_in_place(out, dup(STDOUT_FILENO));
    }
    bool exists = stat(path, &old) == 0;
    if (exists && !S_ISREG(old.st_mode)) {
        return begin_in_place(out, open(path, O_WRONLY | O_CLOEXEC));
    }
    /* A symbolic link stays one: what it points to is replaced. */
    out->target = exists ? realpath(path, NULL) : strdup(path);
    out->temp = out->target != NULL ? temp_name(out->target) : NULL;
    out->fd = out->temp != NULL ? make_temp(out->temp) : -1;
    if (out->fd < 0) {
        int status = cli_fail("cannot write %s: %s", path, strerror(errno));
        cli_file_discard(out);
        return status;
    }
    out->open = true;
    fchmod(out->fd, (mode_t)mode & ~current_umask());
    return CLI_OK;
}

int cli_file_write(cli_file_out_t *out, const void *bytes, size_t len)
{
    const uint8_t *at = bytes;
    while (len > 0) {
        ssize_t put = write(out->fd, at, len);
        if (put < 0 && errno == EINTR) {
            continue;
        }
        if (put < 0) {
            return cli_fail("cannot write %s: %s", out->path, strerror(errno));
        }
        at += put;
        len -= (size_t)put;
    }
    return CLI_OK;
}

/** Makes the directory entry durable. A file system that cannot is no reason to fail. */
static void sync_folder(const char *target)
{
    char *copy = strdup(target);
    int fd = copy != NULL ? open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    if (fd >= 0) {
        (void)fsync(fd);
        close(fd);
    }
    free(copy);
}

int cli_file_commit(cli_file_out_t *out)
{
    int status = CLI_OK;
    if (out->temp == NULL) {
        /* In place: what was written is all there is to it. */
        out->open = false;
        if (close(out->fd) != 0) {
            status = cli_fail("cannot write %s: %s", out->path, strerror(errno));
        }
        return status;
    }
    if (fsync(out->fd) != 0 || rename(out->temp, out->target) != 0) {
        status = cli_fail("cannot write %s: %s", out->path, strerror(errno));
    } else {
        sync_folder(out->target);
        free(out->temp);
        out->temp = NULL;
    }
    cli_file_discard(out);
    return status;
}

void cli_file_discard(cli_file_out_t *out)
{
    if (out->open) {
        close(out->fd);
        if (out->temp != NULL) {
            unlink(out->temp);
        }
        disarm();
    }
    free(out->temp);
    free(out->target);
    *out = (cli_file_out_t){.fd = -1};
}

int cli_write_file(const char *path, unsigned mode, const void *bytes, size_t len)
{
    cli_file_out_t out;
    int status = cli_file_begin(&out, path, mode);
    if (status == CLI_OK) {
        status = cli_file_write(&out, bytes, len);
    }
    if (status == CLI_OK) {
        status = cli_file_commit(&out);
    }
    cli_file_discard(&out);
    return status;
}
