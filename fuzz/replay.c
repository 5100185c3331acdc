/* SPDX-License-Identifier: Apache-2.0 */
/* Runs a harness over kept inputs, without libFuzzer: every file in the folders named. A folder that does not exist is
 * passed over (no crash was kept yet), but an input there must be: a test of nothing must not pass. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz/fuzz.h"

#define INPUT_MAX (4u << 20)

static int run_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    uint8_t *bytes = malloc(INPUT_MAX);
    if (file == NULL || bytes == NULL) {
        fprintf(stderr, "cannot read %s: %s\n", path, strerror(errno));
        free(bytes);
        return 1;
    }
    size_t len = fread(bytes, 1, INPUT_MAX, file);
    fclose(file);
    uint8_t *exact = fuzz_copy(bytes, len);
    free(bytes);
    LLVMFuzzerTestOneInput(exact, len);
    free(exact);
    return 0;
}

static int run_folder(const char *folder, unsigned *count)
{
    DIR *dir = opendir(folder);
    if (dir == NULL) {
        return errno == ENOENT ? 0 : 1;
    }
    int failed = 0;
    const struct dirent *entry;
    while (failed == 0 && (entry = readdir(dir)) != NULL) {
        char path[4096];
        if (entry->d_name[0] == '.') {
            continue;
        }
        (void)snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
        /* Said before it runs: the last line names the input that failed. */
        printf("%s\n", path);
        fflush(stdout);
        failed = run_file(path);
        (*count)++;
    }
    closedir(dir);
    return failed;
}

int main(int argc, char **argv)
{
    unsigned count = 0;
    for (int i = 1; i < argc; i++) {
        if (run_folder(argv[i], &count) != 0) {
            fprintf(stderr, "cannot run the inputs in %s\n", argv[i]);
            return 1;
        }
    }
    if (count == 0) {
        fprintf(stderr, "no inputs\n");
        return 1;
    }
    printf("%u inputs\n", count);
    return 0;
}
