/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "otter/otter_flash_file.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

/* Erase and create write FF in pieces of this size. */
#define BLANK_BYTES  (256u * 1024u)
/* So much needs no memory of its own. */
#define LITTLE_BYTES 4096u

static otter_flash_file_t *self(otter_flash_t *flash)
{
    return (otter_flash_file_t *)(void *)flash;
}

static bool write_all(int fd, off_t off, const void *bytes, size_t len)
{
    const uint8_t *at = bytes;
    while (len > 0) {
        ssize_t done = pwrite(fd, at, len, off);
        if (done < 0 && errno != EINTR) {
            return false;
        }
        if (done > 0) {
            at += done;
            off += done;
            len -= (size_t)done;
        }
    }
    return true;
}

static bool write_blank(int fd, off_t off, size_t len)
{
    uint8_t little[LITTLE_BYTES];
    size_t piece_max = len < BLANK_BYTES ? len : BLANK_BYTES;
    uint8_t *blank = piece_max <= sizeof(little) ? little : malloc(piece_max);
    if (blank == NULL) {
        return false;
    }
    memset(blank, 0xFF, piece_max);
    bool ok = true;
    while (ok && len > 0) {
        size_t piece = len < piece_max ? len : piece_max;
        ok = write_all(fd, off, blank, piece);
        off += (off_t)piece;
        len -= piece;
    }
    if (blank != little) {
        free(blank);
    }
    return ok;
}

static esp_err_t file_read(otter_flash_t *flash, uint32_t off, void *dst, size_t len)
{
    uint8_t *at = dst;
    while (len > 0) {
        ssize_t got = pread(self(flash)->fd, at, len, (off_t)off);
        if (got == 0 || (got < 0 && errno != EINTR)) {
            return ESP_ERR_FLASH_OP_FAIL;
        }
        if (got > 0) {
            at += got;
            off += (uint32_t)got;
            len -= (size_t)got;
        }
    }
    return ESP_OK;
}

static esp_err_t file_program(otter_flash_t *flash, uint32_t off, const void *src, size_t len)
{
    return write_all(self(flash)->fd, (off_t)off, src, len) ? ESP_OK : ESP_ERR_FLASH_OP_FAIL;
}

static esp_err_t file_erase(otter_flash_t *flash, uint32_t off, size_t len)
{
    return write_blank(self(flash)->fd, (off_t)off, len) ? ESP_OK : ESP_ERR_FLASH_OP_FAIL;
}

/* What is about to be programmed need not be FF first. */
static esp_err_t file_rewrite(otter_flash_t *flash, uint32_t off, const void *src, size_t len)
{
    int fd = self(flash)->fd;
    size_t partly = len % flash->sector_bytes;
    size_t blank = partly != 0 ? flash->sector_bytes - partly : 0;
    bool ok = write_all(fd, (off_t)off, src, len) && (blank == 0 || write_blank(fd, (off_t)off + (off_t)len, blank));
    return ok ? ESP_OK : ESP_ERR_FLASH_OP_FAIL;
}

static esp_err_t file_sync(otter_flash_t *flash)
{
    return fdatasync(self(flash)->fd) == 0 ? ESP_OK : ESP_ERR_FLASH_OP_FAIL;
}

static const otter_flash_ops_t file_ops = {
    .read = file_read,
    .program = file_program,
    .erase = file_erase,
    .sync = file_sync,
    .rewrite = file_rewrite,
};

/* Opens the directory of a path, so that what was created in it can be made durable. */
static int open_directory_of(const char *path)
{
    char copy[PATH_MAX];
    size_t len = strlen(path);
    if (len >= sizeof(copy)) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy(copy, path, len + 1);
    return open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static bool sync_directory_of(const char *path)
{
    int fd = open_directory_of(path);
    if (fd < 0) {
        return false;
    }
    bool ok = fsync(fd) == 0;
    (void)close(fd);
    return ok;
}

/* An existing file may be replaced only if nobody runs on it. */
static esp_err_t check_replaceable(const char *path, bool replace)
{
    int fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0) {
        return errno == ENOENT ? ESP_OK : ESP_FAIL;
    }
    esp_err_t err = ESP_OK;
    if (!replace) {
        err = ESP_ERR_INVALID_STATE;
    } else if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        err = ESP_ERR_NOT_ALLOWED;
    }
    (void)close(fd);
    return err;
}

static esp_err_t write_new(const char *temporary, const char *path, uint32_t size_bytes)
{
    int fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0) {
        return ESP_FAIL;
    }
    bool ok = write_blank(fd, 0, size_bytes) && fsync(fd) == 0;
    int why = errno;
    ok = close(fd) == 0 && ok;
    if (ok && rename(temporary, path) == 0) {
        return sync_directory_of(path) ? ESP_OK : ESP_FAIL;
    }
    why = ok ? errno : why;
    (void)unlink(temporary);
    errno = why;
    return ESP_FAIL;
}

esp_err_t otter_flash_file_create(const char *path, uint32_t size_bytes, bool replace)
{
    if (size_bytes == 0 || size_bytes % 4096 != 0) {
        return ESP_ERR_INVALID_SIZE;
    }
    esp_err_t err = check_replaceable(path, replace);
    if (err != ESP_OK) {
        return err;
    }
    char temporary[PATH_MAX];
    int len = snprintf(temporary, sizeof(temporary), "%s.%ld.tmp", path, (long)getpid());
    if (len < 0 || (size_t)len >= sizeof(temporary)) {
        errno = ENAMETOOLONG;
        return ESP_FAIL;
    }
    return write_new(temporary, path, size_bytes);
}

static bool power_of_two(uint32_t value)
{
    return value != 0 && (value & (value - 1)) == 0;
}

esp_err_t otter_flash_file_adopt(otter_flash_file_t *file, int fd, uint32_t sector_bytes)
{
    *file = (otter_flash_file_t){.fd = -1};
    struct stat stat;
    if (fstat(fd, &stat) != 0 || !S_ISREG(stat.st_mode)) {
        return ESP_ERR_INVALID_ARG;
    }
    if (!power_of_two(sector_bytes) || stat.st_size == 0 || stat.st_size > UINT32_MAX ||
        stat.st_size % sector_bytes != 0) {
        return ESP_ERR_INVALID_SIZE;
    }
    file->fd = fd;
    file->base = (otter_flash_t){
        .ops = &file_ops, .size_bytes = (uint32_t)stat.st_size, .sector_bytes = sector_bytes, .program_bytes = 1};
    return ESP_OK;
}

static esp_err_t lock(int fd, otter_flash_file_mode_t mode)
{
    if (mode == OTTER_FLASH_FILE_READ) {
        return ESP_OK;
    }
    int wait = mode == OTTER_FLASH_FILE_WRITE_WAIT ? 0 : LOCK_NB;
    while (flock(fd, LOCK_EX | wait) != 0) {
        if (errno != EINTR) {
            return errno == EWOULDBLOCK ? ESP_ERR_NOT_ALLOWED : ESP_FAIL;
        }
    }
    return ESP_OK;
}

/* A file can be replaced while we wait for its lock; what we hold must still be what the path names. */
static bool still_named(int fd, const char *path)
{
    struct stat held;
    struct stat named;
    return fstat(fd, &held) == 0 && stat(path, &named) == 0 && held.st_dev == named.st_dev &&
           held.st_ino == named.st_ino;
}

static esp_err_t open_locked(const char *path, otter_flash_file_mode_t mode, int *fd)
{
    do {
        *fd = open(path, (mode == OTTER_FLASH_FILE_READ ? O_RDONLY : O_RDWR) | O_CLOEXEC);
        if (*fd < 0) {
            return errno == ENOENT ? ESP_ERR_NOT_FOUND : ESP_FAIL;
        }
        esp_err_t err = lock(*fd, mode);
        if (err == ESP_OK && still_named(*fd, path)) {
            return ESP_OK;
        }
        int why = errno;
        (void)close(*fd);
        errno = why;
        if (err != ESP_OK) {
            return err;
        }
    } while (true);
}

esp_err_t otter_flash_file_open(otter_flash_file_t *file, const char *path, uint32_t sector_bytes,
                                otter_flash_file_mode_t mode)
{
    *file = (otter_flash_file_t){.fd = -1};
    int fd = -1;
    esp_err_t err = open_locked(path, mode, &fd);
    if (err != ESP_OK) {
        return err;
    }
    err = otter_flash_file_adopt(file, fd, sector_bytes);
    if (err != ESP_OK) {
        (void)close(fd);
    }
    return err;
}

/* A line of /proc/locks: "1: FLOCK  ADVISORY  WRITE 4711 fe:00:1234 0 EOF". */
static pid_t holder_in_line(const char *line, const struct stat *file)
{
    long pid;
    unsigned major_number;
    unsigned minor_number;
    unsigned long inode;
    if (sscanf(line, "%*[^:]: FLOCK ADVISORY WRITE %ld %x:%x:%lu", &pid, &major_number, &minor_number, &inode) != 4) {
        return 0;
    }
    bool same = inode == file->st_ino && major_number == major(file->st_dev) && minor_number == minor(file->st_dev);
    return same ? (pid_t)pid : 0;
}

pid_t otter_flash_file_holder(const char *path)
{
    struct stat file;
    FILE *locks = fopen("/proc/locks", "re");
    pid_t holder = 0;
    if (locks == NULL) {
        return 0;
    }
    if (stat(path, &file) == 0) {
        char line[256];
        while (holder == 0 && fgets(line, sizeof(line), locks) != NULL) {
            holder = holder_in_line(line, &file);
        }
    }
    (void)fclose(locks);
    return holder;
}

void otter_flash_file_close(otter_flash_file_t *file)
{
    if (file->fd >= 0) {
        (void)close(file->fd);
        file->fd = -1;
    }
}
