/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a request target to a file name: what comes out stays below the directory, whatever went in.
 *
 * Input: room for the name, target.
 */
#include "fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "server/http/path.h"

#define ROOM 4096

static void check_name(const char *name, size_t room)
{
    FUZZ_CHECK(memchr(name, '\0', room) != NULL);
    FUZZ_CHECK(name[0] != '\0' && name[0] != '/' && name[0] != '.');
    FUZZ_CHECK(name[strlen(name) - 1] != '/');
    FUZZ_CHECK(strstr(name, "//") == NULL && strstr(name, "/.") == NULL);
}

/* The name, every character escaped: it must come out again. */
static void check_escaped(const char *name)
{
    static const char digits[] = "0123456789aBcDeF";
    size_t len = strlen(name);
    char *target = malloc(3 * len + 3);
    char again[ROOM];
    FUZZ_CHECK(target != NULL);
    target[0] = '/';
    for (size_t i = 0; i < len; i++) {
        target[1 + 3 * i] = '%';
        target[2 + 3 * i] = digits[(unsigned char)name[i] >> 4];
        target[3 + 3 * i] = digits[(unsigned char)name[i] & 15];
    }
    target[1 + 3 * len] = '?';
    FUZZ_CHECK(path_decode(target, 3 * len + 2, again, sizeof(again)) == PATH_OK);
    FUZZ_CHECK(strcmp(name, again) == 0);
    free(target);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_input_t input = {data, size};
    size_t small = 1u + fuzz_take_u8(&input);
    size_t len = 0;
    uint8_t *target = fuzz_take_rest(&input, &len);
    char *name = malloc(small);
    char roomy[ROOM];
    FUZZ_CHECK(name != NULL);
    enum path_result result = path_decode((const char *)target, len, name, small);
    enum path_result with_room = path_decode((const char *)target, len, roomy, sizeof(roomy));
    if (with_room == PATH_OK) {
        check_name(roomy, sizeof(roomy));
        check_escaped(roomy);
        FUZZ_CHECK(result == (strlen(roomy) < small ? PATH_OK : PATH_TOO_LONG));
    }
    if (result == PATH_OK) {
        check_name(name, small);
        FUZZ_CHECK(with_room == PATH_OK && strcmp(name, roomy) == 0);
    }
    free(name);
    free(target);
    return 0;
}
