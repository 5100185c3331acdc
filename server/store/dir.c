/* SPDX-License-Identifier: Apache-2.0 */
#include "server/store/dir.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
    FILE_FLAGS = O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, /* Opening a pipe must not wait for its writer. */
    STEP_FLAGS = O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC,
    RACES_MAX = 16,
};

bool dir_open(struct dir *dir, const char *path)
{
    dir->fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return dir->fd >= 0;
}

void dir_close(struct dir *dir)
{
    if (dir->fd >= 0) {
        close(dir->fd);
    }
    dir->fd = -1;
}

static int open_beneath(int root, const char *name)
{
    struct open_how how = {.flags = FILE_FLAGS, .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS};
    long fd = -1;
    errno = EAGAIN;
    /* The kernel answers EAGAIN when something was renamed while it looked. */
    for (int i = 0; i < RACES_MAX && fd < 0 && errno == EAGAIN; i++) {
        fd = syscall(SYS_openat2, root, name, &how, sizeof(how));
    }
    return (int)fd;
}

/** Closes without losing the errno of what went before. */
static void close_quietly(int fd)
{
    int failure = errno;
    close(fd);
    errno = failure;
}

/** Copies the part of a name up to its next slash. @return false with errno set if it is none to go through */
static bool take_part(const char **name, char part[static NAME_MAX + 1])
{
    size_t len = strcspn(*name, "/");
    if (len > NAME_MAX) {
        errno = ENAMETOOLONG;
        return false;
    }
    memcpy(part, *name, len);
    part[len] = '\0';
    *name += len;
    errno = ENOENT;
    return strcmp(part, "") != 0 && strcmp(part, ".") != 0 && strcmp(part, "..") != 0;
}

/** Goes down one directory for each slash, following no link. */
static int open_stepwise(int root, const char *name)
{
    char part[NAME_MAX + 1];
    int at = root;
    int fd = -1;
    while (take_part(&name, part)) {
        bool is_last = *name == '\0';
        fd = openat(at, part, is_last ? FILE_FLAGS | O_NOFOLLOW : STEP_FLAGS);
        if (is_last || fd < 0) {
            break;
        }
        if (at != root) {
            close(at);
        }
        at = fd;
        fd = -1;
        name++;
    }
    if (at != root) {
        close_quietly(at);
    }
    return fd;
}

static enum dir_result result_of(int failure)
{
    switch (failure) {
    case EMFILE:
    case ENFILE:
    case ENOMEM:
    case EAGAIN:
        return DIR_BUSY;
    default:
        return DIR_NOT_FOUND;
    }
}

static void make_tag(const struct stat *stat, char tag[static DIR_TAG_SIZE])
{
    snprintf(tag, DIR_TAG_SIZE, "%" PRIxMAX "-%" PRIxMAX "-%" PRIxMAX ".%lx-%" PRIxMAX ".%lx", (uintmax_t)stat->st_ino,
             (uintmax_t)stat->st_size, (uintmax_t)stat->st_mtim.tv_sec, (unsigned long)stat->st_mtim.tv_nsec,
             (uintmax_t)stat->st_ctim.tv_sec, (unsigned long)stat->st_ctim.tv_nsec);
}

/** Takes over the descriptor, if it is one of a regular file. */
static enum dir_result adopt(int fd, struct dir_file *file)
{
    struct stat stat;
    file->fd = -1;
    if (fd < 0) {
        return result_of(errno);
    }
    if (fstat(fd, &stat) != 0 || !S_ISREG(stat.st_mode)) {
        close(fd);
        return DIR_NOT_FOUND;
    }
    file->fd = fd;
    file->size_bytes = (uint64_t)stat.st_size;
    file->modified = stat.st_mtim;
    make_tag(&stat, file->tag);
    return DIR_OK;
}

enum dir_result dir_open_file_stepwise(const struct dir *dir, const char *name, struct dir_file *file)
{
    return adopt(open_stepwise(dir->fd, name), file);
}

enum dir_result dir_open_file(const struct dir *dir, const char *name, struct dir_file *file)
{
    int fd = open_beneath(dir->fd, name);
    /* A container's filter may answer EPERM for calls it does not know. */
    if (fd < 0 && (errno == ENOSYS || errno == EPERM)) {
        return dir_open_file_stepwise(dir, name, file);
    }
    return adopt(fd, file);
}

static bool is_unchanged(const struct dir_file *file)
{
    struct stat stat;
    return fstat(file->fd, &stat) == 0 && (uint64_t)stat.st_size == file->size_bytes &&
           stat.st_mtim.tv_sec == file->modified.tv_sec && stat.st_mtim.tv_nsec == file->modified.tv_nsec;
}

ssize_t dir_read(const struct dir_file *file, uint64_t off, void *buffer, size_t size)
{
    size_t got = 0;
    while (got < size) {
        ssize_t n = pread(file->fd, (char *)buffer + got, size - got, (off_t)(off + got));
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return -1;
        }
        if (n == 0) {
            break;
        }
        got += (size_t)n;
    }
    /* Asked after reading: what was read before a change is still the old content. */
    if (!is_unchanged(file)) {
        errno = ESTALE;
        return -1;
    }
    return (ssize_t)got;
}

void dir_close_file(struct dir_file *file)
{
    if (file->fd >= 0) {
        close(file->fd);
    }
    file->fd = -1;
}
