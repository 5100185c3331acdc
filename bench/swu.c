/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file swu.c
 * @brief Packs files into a cpio archive with checksums, which is what a .swu is: no cpio program is needed.
 *
 * usage: swu FILE...       the archive goes to standard output, names as given
 */
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define ALIGN 4

static void pad(uint64_t written)
{
    while (written++ % ALIGN != 0) {
        putchar(0);
    }
}

/* Header and name of an entry. */
static void put_header(unsigned inode, const char *name, uint64_t size, uint32_t sum)
{
    int len =
        printf("070702%08X%08X%08X%08X%08X%08X%08" PRIX64 "%08X%08X%08X%08X%08X%08" PRIX32 "%s", inode,
               inode == 0 ? 0u : 0100644u, 0u, 0u, 1u, 0u, size, 0u, 0u, 0u, 0u, (unsigned)strlen(name) + 1, sum, name);
    putchar(0);
    pad((uint64_t)len + 1);
}

/* The format's checksum is the sum of all bytes. Copies them, too, if told to. */
static uint32_t walk(FILE *file, int copy)
{
    static unsigned char piece[65536];
    uint32_t sum = 0;
    size_t got;
    rewind(file);
    while ((got = fread(piece, 1, sizeof(piece), file)) > 0) {
        for (size_t i = 0; i < got; i++) {
            sum += piece[i];
        }
        if (copy) {
            fwrite(piece, 1, got, stdout);
        }
    }
    return sum;
}

static int put_file(unsigned inode, const char *name)
{
    struct stat stat;
    FILE *file = fopen(name, "rb");
    if (file == NULL || fstat(fileno(file), &stat) != 0) {
        perror(name);
        return 0;
    }
    put_header(inode, name, (uint64_t)stat.st_size, walk(file, 0));
    walk(file, 1);
    pad((uint64_t)stat.st_size);
    int ok = !ferror(file);
    fclose(file);
    return ok;
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (!put_file((unsigned)i, argv[i])) {
            return 1;
        }
    }
    put_header(0, "TRAILER!!!", 0, 0);
    return fflush(stdout) == 0 ? 0 : 1;
}
