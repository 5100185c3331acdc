/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "otter/otter_key_store_file.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Serialises the threads of this process; a record lock on the file serialises processes. flock() would not do: a
 * firmware inherits the bootloader's open file, and with it the lock. */
static pthread_mutex_t burn_mutex = PTHREAD_MUTEX_INITIALIZER;

static otter_key_store_file_t *self(otter_key_store_t *store)
{
    return (otter_key_store_file_t *)(void *)store;
}

static bool read_all(int fd, uint8_t bits[OTTER_KEY_STORE_BYTES])
{
    size_t done = 0;
    while (done < OTTER_KEY_STORE_BYTES) {
        ssize_t got = pread(fd, bits + done, OTTER_KEY_STORE_BYTES - done, (off_t)done);
        if (got == 0 || (got < 0 && errno != EINTR)) {
            return false;
        }
        done += got > 0 ? (size_t)got : 0;
    }
    return true;
}

static bool write_all(int fd, uint32_t off, const uint8_t *bytes, size_t len)
{
    while (len > 0) {
        ssize_t done = pwrite(fd, bytes, len, (off_t)off);
        if (done < 0 && errno != EINTR) {
            return false;
        }
        if (done > 0) {
            bytes += done;
            off += (uint32_t)done;
            len -= (size_t)done;
        }
    }
    return true;
}

static esp_err_t file_read(otter_key_store_t *store, uint8_t bits[OTTER_KEY_STORE_BYTES])
{
    return read_all(self(store)->fd, bits) ? ESP_OK : ESP_FAIL;
}

static bool set_lock(int fd, short type)
{
    struct flock lock = {.l_type = type, .l_whence = SEEK_SET, .l_len = OTTER_KEY_STORE_BYTES};
    while (fcntl(fd, F_SETLKW, &lock) != 0) {
        if (errno != EINTR) {
            return false;
        }
    }
    return true;
}

/* Writes only bytes that gain a bit: a byte that is not written cannot be damaged. */
static bool burn(int fd, uint32_t off, const uint8_t *bits, size_t len)
{
    uint8_t old[OTTER_KEY_STORE_BYTES];
    if (!read_all(fd, old)) {
        return false;
    }
    for (size_t i = 0; i < len; i++) {
        uint8_t wanted = (uint8_t)(old[off + i] | bits[i]);
        if (wanted != old[off + i] && !write_all(fd, off + (uint32_t)i, &wanted, 1)) {
            return false;
        }
    }
    /* Also if nothing changed: an earlier burn may have been cut off before it was durable. */
    return fdatasync(fd) == 0;
}

static esp_err_t file_burn(otter_key_store_t *store, uint32_t off, const uint8_t *bits, size_t len)
{
    int fd = self(store)->fd;
    (void)pthread_mutex_lock(&burn_mutex);
    bool ok = set_lock(fd, F_WRLCK);
    if (ok) {
        ok = burn(fd, off, bits, len);
        (void)set_lock(fd, F_UNLCK);
    }
    (void)pthread_mutex_unlock(&burn_mutex);
    return ok ? ESP_OK : ESP_FAIL;
}

static const otter_key_store_ops_t file_ops = {
    .read = file_read,
    .burn = file_burn,
};

static bool sync_directory_of(const char *path)
{
    char copy[PATH_MAX];
    (void)snprintf(copy, sizeof(copy), "%s", path);
    int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        return false;
    }
    bool ok = fsync(fd) == 0;
    (void)close(fd);
    return ok;
}

static bool write_new(const char *path)
{
    static const uint8_t blank[OTTER_KEY_STORE_BYTES];
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0) {
        return false;
    }
    bool ok = write_all(fd, 0, blank, sizeof(blank)) && fsync(fd) == 0;
    int why = errno;
    ok = close(fd) == 0 && ok;
    errno = why;
    return ok;
}

/* Gives the complete file its name. link() refuses an existing one, whenever it came. */
static esp_err_t publish(const char *temporary, const char *path, bool replace)
{
    if (replace ? rename(temporary, path) == 0 : link(temporary, path) == 0) {
        return sync_directory_of(path) ? ESP_OK : ESP_FAIL;
    }
    return errno == EEXIST ? ESP_ERR_INVALID_STATE : ESP_FAIL;
}

esp_err_t otter_key_store_file_create(const char *path, bool replace)
{
    char temporary[PATH_MAX];
    int len = snprintf(temporary, sizeof(temporary), "%s.%ld.tmp", path, (long)getpid());
    if (len < 0 || (size_t)len >= sizeof(temporary)) {
        errno = ENAMETOOLONG;
        return ESP_FAIL;
    }
    esp_err_t err = write_new(temporary) ? publish(temporary, path, replace) : ESP_FAIL;
    int why = errno;
    (void)unlink(temporary);
    errno = why;
    return err;
}

esp_err_t otter_key_store_file_adopt(otter_key_store_file_t *file, int fd)
{
    *file = (otter_key_store_file_t){.base = {.ops = &file_ops}, .fd = -1};
    struct stat stat;
    if (fstat(fd, &stat) != 0) {
        return ESP_ERR_INVALID_ARG;
    }
    if (!S_ISREG(stat.st_mode) || stat.st_size != OTTER_KEY_STORE_BYTES) {
        return ESP_ERR_INVALID_SIZE;
    }
    file->fd = fd;
    return ESP_OK;
}

esp_err_t otter_key_store_file_open(otter_key_store_file_t *file, const char *path, bool write)
{
    *file = (otter_key_store_file_t){.base = {.ops = &file_ops}, .fd = -1};
    /* Without O_NONBLOCK a pipe of that name would be waited for. */
    int fd = open(path, (write ? O_RDWR : O_RDONLY) | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) {
        return errno == ENOENT ? ESP_ERR_NOT_FOUND : ESP_FAIL;
    }
    esp_err_t err = otter_key_store_file_adopt(file, fd);
    if (err != ESP_OK) {
        (void)close(fd);
    }
    return err;
}

void otter_key_store_file_close(otter_key_store_file_t *file)
{
    if (file->fd < 0) {
        return;
    }
    /* Closing any descriptor of the file drops this process's lock: not while a burn holds it. */
    (void)pthread_mutex_lock(&burn_mutex);
    (void)close(file->fd);
    (void)pthread_mutex_unlock(&burn_mutex);
    file->fd = -1;
}
