/* SPDX-License-Identifier: Apache-2.0 */
/* The key store of the contract, in RAM and in a file: what was burned stays. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "otter/otter_key_store_file.h"
#include "otter/otter_key_store_ram.h"
#include "tests/support/test.h"

typedef struct files {
    char folder[64];
    char path[96];
} files_t;

static int make_folder(void **state)
{
    files_t *files = calloc(1, sizeof(*files));
    assert_non_null(files);
    (void)snprintf(files->folder, sizeof(files->folder), "/tmp/otter-efuse-XXXXXX");
    assert_non_null(mkdtemp(files->folder));
    (void)snprintf(files->path, sizeof(files->path), "%s/efuse", files->folder);
    *state = files;
    return 0;
}

static int remove_folder(void **state)
{
    files_t *files = *state;
    (void)unlink(files->path);
    int left = rmdir(files->folder); /* Fails if anything else was left there. */
    free(files);
    return left;
}

static otter_key_store_file_t make_file(const files_t *files)
{
    otter_key_store_file_t file;
    assert_err(otter_key_store_file_create(files->path, false), ESP_OK);
    assert_err(otter_key_store_file_open(&file, files->path, true), ESP_OK);
    return file;
}

static void put_file(const files_t *files, size_t len)
{
    static const uint8_t bytes[2 * OTTER_KEY_STORE_BYTES];
    FILE *out = fopen(files->path, "wb");
    assert_non_null(out);
    assert_int_equal(fwrite(bytes, 1, len, out), len);
    assert_int_equal(fclose(out), 0);
}

static void assert_byte(otter_key_store_t *store, uint32_t off, uint8_t expected)
{
    uint8_t bits[OTTER_KEY_STORE_BYTES];
    assert_err(otter_key_store_read(store, bits), ESP_OK);
    assert_int_equal(bits[off], expected);
}

/* What any key store must do. */
static void check_contract(otter_key_store_t *store)
{
    uint8_t bits[OTTER_KEY_STORE_BYTES];
    static const uint8_t blank[OTTER_KEY_STORE_BYTES];
    assert_err(otter_key_store_read(store, bits), ESP_OK);
    assert_memory_equal(bits, blank, sizeof(bits));
    assert_err(otter_key_store_burn(store, 3, (const uint8_t *)"\x0f\x81", 2), ESP_OK);
    assert_err(otter_key_store_burn(store, 255, (const uint8_t *)"\x80", 1), ESP_OK);
    assert_err(otter_key_store_read(store, bits), ESP_OK);
    assert_int_equal(bits[3], 0x0f);
    assert_int_equal(bits[4], 0x81);
    assert_int_equal(bits[255], 0x80);
    assert_memory_equal(bits, blank, 3);
    assert_memory_equal(bits + 5, blank, 250);
}

/* Every byte value over every other: the result is never less than either. */
static void check_nothing_clears(otter_key_store_t *store)
{
    for (unsigned first = 0; first < 256; first++) {
        uint8_t before[OTTER_KEY_STORE_BYTES];
        uint8_t after[OTTER_KEY_STORE_BYTES];
        uint8_t wanted[OTTER_KEY_STORE_BYTES];
        for (unsigned i = 0; i < OTTER_KEY_STORE_BYTES; i++) {
            wanted[i] = (uint8_t)((first * 37 + i * 11) & (first >= 128 ? 0x5a : 0xa4));
        }
        assert_err(otter_key_store_read(store, before), ESP_OK);
        assert_err(otter_key_store_burn(store, 0, wanted, sizeof(wanted)), ESP_OK);
        assert_err(otter_key_store_read(store, after), ESP_OK);
        for (unsigned i = 0; i < OTTER_KEY_STORE_BYTES; i++) {
            assert_int_equal(after[i], before[i] | wanted[i]);
        }
    }
}

static void a_key_store_in_memory_keeps_what_was_burned(void **state)
{
    (void)state;
    uint8_t bits[OTTER_KEY_STORE_BYTES] = {0};
    otter_key_store_ram_t ram;
    check_contract(otter_key_store_ram_init(&ram, bits));
    check_nothing_clears(&ram.base);
}

static void a_key_store_in_memory_can_lose_power_within_a_burn(void **state)
{
    (void)state;
    uint8_t bits[OTTER_KEY_STORE_BYTES] = {0};
    otter_key_store_ram_t ram;
    otter_key_store_t *store = otter_key_store_ram_init(&ram, bits);
    ram.cut_armed = true;
    ram.cut_after = 3;
    assert_err(otter_key_store_burn(store, 0, (const uint8_t *)"\xff", 1), ESP_FAIL);
    assert_byte(store, 0, 0x07);
    assert_err(otter_key_store_burn(store, 0, (const uint8_t *)"\xff", 1), ESP_FAIL);
    assert_byte(store, 0, 0x07);
    assert_int_equal(ram.burns, 2);
}

static void a_key_store_file_keeps_what_was_burned(void **state)
{
    files_t *files = *state;
    otter_key_store_file_t file = make_file(files);
    check_contract(&file.base);
    otter_key_store_file_close(&file);
    otter_key_store_file_close(&file); /* A closed one is left alone. */
    assert_err(otter_key_store_file_open(&file, files->path, false), ESP_OK);
    assert_byte(&file.base, 4, 0x81);
    otter_key_store_file_close(&file);
}

static void a_burned_bit_never_clears(void **state)
{
    files_t *files = *state;
    otter_key_store_file_t file = make_file(files);
    check_nothing_clears(&file.base);
    otter_key_store_file_close(&file);
}

static void a_burn_outside_the_store_is_refused(void **state)
{
    files_t *files = *state;
    otter_key_store_file_t file = make_file(files);
    uint8_t ones[OTTER_KEY_STORE_BYTES + 1];
    memset(ones, 0xff, sizeof(ones));
    assert_err(otter_key_store_burn(&file.base, 0, ones, sizeof(ones)), ESP_ERR_INVALID_SIZE);
    assert_err(otter_key_store_burn(&file.base, 255, ones, 2), ESP_ERR_INVALID_SIZE);
    assert_err(otter_key_store_burn(&file.base, UINT32_MAX, ones, 2), ESP_ERR_INVALID_SIZE);
    assert_byte(&file.base, 255, 0);
    otter_key_store_file_close(&file);
}

static void a_new_file_does_not_take_the_place_of_another_unless_asked(void **state)
{
    files_t *files = *state;
    otter_key_store_file_t file = make_file(files);
    assert_err(otter_key_store_burn(&file.base, 9, (const uint8_t *)"\x01", 1), ESP_OK);
    otter_key_store_file_close(&file);
    assert_err(otter_key_store_file_create(files->path, false), ESP_ERR_INVALID_STATE);
    assert_err(otter_key_store_file_open(&file, files->path, false), ESP_OK);
    assert_byte(&file.base, 9, 1);
    otter_key_store_file_close(&file);
    assert_err(otter_key_store_file_create(files->path, true), ESP_OK);
    assert_err(otter_key_store_file_open(&file, files->path, false), ESP_OK);
    assert_byte(&file.base, 9, 0);
    otter_key_store_file_close(&file);
}

static void a_file_that_cannot_be_created_says_why(void **state)
{
    (void)state;
    assert_err(otter_key_store_file_create("/nonexistent/efuse", false), ESP_FAIL);
    assert_int_equal(errno, ENOENT);
    char path[5000];
    memset(path, 'x', sizeof(path));
    path[sizeof(path) - 1] = '\0';
    assert_err(otter_key_store_file_create(path, false), ESP_FAIL);
    assert_int_equal(errno, ENAMETOOLONG);
}

static void a_file_that_outgrows_the_disk_leaves_nothing_behind(void **state)
{
    files_t *files = *state;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct rlimit limit = {100, 100};
        (void)signal(SIGXFSZ, SIG_IGN);
        (void)setrlimit(RLIMIT_FSIZE, &limit);
        esp_err_t err = otter_key_store_file_create(files->path, false);
        _exit(err == ESP_FAIL && errno == EFBIG ? 0 : 1);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_int_not_equal(access(files->path, F_OK), 0);
}

static void a_file_of_a_wrong_size_is_refused(void **state)
{
    files_t *files = *state;
    static const size_t sizes[] = {0, OTTER_KEY_STORE_BYTES - 1, OTTER_KEY_STORE_BYTES + 1};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        otter_key_store_file_t file;
        put_file(files, sizes[i]);
        assert_err(otter_key_store_file_open(&file, files->path, true), ESP_ERR_INVALID_SIZE);
        assert_int_equal(file.fd, -1);
        otter_key_store_file_close(&file);
    }
}

static void a_file_that_shrinks_while_it_is_open_cannot_be_read_or_burned(void **state)
{
    files_t *files = *state;
    uint8_t bits[OTTER_KEY_STORE_BYTES];
    otter_key_store_file_t file = make_file(files);
    assert_int_equal(truncate(files->path, 17), 0);
    assert_err(otter_key_store_read(&file.base, bits), ESP_FAIL);
    assert_err(otter_key_store_burn(&file.base, 0, (const uint8_t *)"\x01", 1), ESP_FAIL);
    otter_key_store_file_close(&file);
}

static void what_is_no_file_is_refused(void **state)
{
    files_t *files = *state;
    otter_key_store_file_t file;
    assert_err(otter_key_store_file_open(&file, files->path, true), ESP_ERR_NOT_FOUND);
    assert_err(otter_key_store_file_open(&file, files->folder, false), ESP_ERR_INVALID_SIZE);
    assert_int_equal(mkfifo(files->path, 0600), 0);
    assert_err(otter_key_store_file_open(&file, files->path, false), ESP_ERR_INVALID_SIZE);
    assert_err(otter_key_store_file_adopt(&file, -1), ESP_ERR_INVALID_ARG);
    assert_int_equal(file.fd, -1);
}

static void a_store_that_was_opened_to_be_read_cannot_be_burned(void **state)
{
    files_t *files = *state;
    otter_key_store_file_t file = make_file(files);
    otter_key_store_file_close(&file);
    assert_err(otter_key_store_file_open(&file, files->path, false), ESP_OK);
    assert_err(otter_key_store_burn(&file.base, 0, (const uint8_t *)"\x01", 1), ESP_FAIL);
    assert_byte(&file.base, 0, 0);
    otter_key_store_file_close(&file);
}

static void an_inherited_descriptor_is_adopted(void **state)
{
    files_t *files = *state;
    otter_key_store_file_t file = make_file(files);
    otter_key_store_file_t inherited;
    assert_err(otter_key_store_file_adopt(&inherited, dup(file.fd)), ESP_OK);
    assert_err(otter_key_store_burn(&inherited.base, 7, (const uint8_t *)"\x42", 1), ESP_OK);
    assert_byte(&file.base, 7, 0x42);
    otter_key_store_file_close(&inherited);
    otter_key_store_file_close(&file);
}

/* Burns one bit of every byte, again and again from the front: what races for the same bytes. */
static void burn_lane(otter_key_store_t *store, unsigned lane)
{
    uint8_t bit = (uint8_t)(1u << lane);
    for (uint32_t off = 0; off < OTTER_KEY_STORE_BYTES; off++) {
        assert_err(otter_key_store_burn(store, off, &bit, 1), ESP_OK);
    }
}

static void assert_all_burned(otter_key_store_t *store)
{
    uint8_t bits[OTTER_KEY_STORE_BYTES];
    assert_err(otter_key_store_read(store, bits), ESP_OK);
    for (size_t i = 0; i < sizeof(bits); i++) {
        assert_int_equal(bits[i], 0xff);
    }
}

static void burns_of_several_processes_are_all_kept(void **state)
{
    files_t *files = *state;
    otter_key_store_file_t file = make_file(files);
    pid_t child[8];
    for (unsigned lane = 0; lane < 8; lane++) {
        child[lane] = fork();
        assert_true(child[lane] >= 0);
        if (child[lane] == 0) {
            /* Every second one through the inherited descriptor, as a firmware does. */
            otter_key_store_file_t own = file;
            bool ok = lane % 2 == 0 || otter_key_store_file_open(&own, files->path, true) == ESP_OK;
            if (ok) {
                burn_lane(&own.base, lane);
            }
            _exit(ok ? 0 : 1);
        }
    }
    for (unsigned lane = 0; lane < 8; lane++) {
        int status = 1;
        assert_int_equal(waitpid(child[lane], &status, 0), child[lane]);
        assert_int_equal(status, 0);
    }
    assert_all_burned(&file.base);
    otter_key_store_file_close(&file);
}

typedef struct burner {
    pthread_t thread;
    otter_key_store_file_t *file;
    unsigned lane;
} burner_t;

static void *burn_in_thread(void *arg)
{
    burner_t *burner = arg;
    burn_lane(&burner->file->base, burner->lane);
    return NULL;
}

static void burns_of_several_threads_are_all_kept(void **state)
{
    files_t *files = *state;
    otter_key_store_file_t file = make_file(files);
    burner_t burner[8];
    for (unsigned lane = 0; lane < 8; lane++) {
        burner[lane] = (burner_t){.file = &file, .lane = lane};
        assert_int_equal(pthread_create(&burner[lane].thread, NULL, burn_in_thread, &burner[lane]), 0);
    }
    for (unsigned lane = 0; lane < 8; lane++) {
        assert_int_equal(pthread_join(burner[lane].thread, NULL), 0);
    }
    assert_all_burned(&file.base);
    otter_key_store_file_close(&file);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_key_store_in_memory_keeps_what_was_burned),
    cmocka_unit_test(a_key_store_in_memory_can_lose_power_within_a_burn),
    cmocka_unit_test_setup_teardown(a_key_store_file_keeps_what_was_burned, make_folder, remove_folder),
    cmocka_unit_test_setup_teardown(a_burned_bit_never_clears, make_folder, remove_folder),
    cmocka_unit_test_setup_teardown(a_burn_outside_the_store_is_refused, make_folder, remove_folder),
    cmocka_unit_test_setup_teardown(a_new_file_does_not_take_the_place_of_another_unless_asked, make_folder,
                                    remove_folder),
    cmocka_unit_test(a_file_that_cannot_be_created_says_why),
    cmocka_unit_test_setup_teardown(a_file_that_outgrows_the_disk_leaves_nothing_behind, make_folder, remove_folder),
    cmocka_unit_test_setup_teardown(a_file_of_a_wrong_size_is_refused, make_folder, remove_folder),
    cmocka_unit_test_setup_teardown(a_file_that_shrinks_while_it_is_open_cannot_be_read_or_burned, make_folder,
                                    remove_folder),
    cmocka_unit_test_setup_teardown(what_is_no_file_is_refused, make_folder, remove_folder),
    cmocka_unit_test_setup_teardown(a_store_that_was_opened_to_be_read_cannot_be_burned, make_folder, remove_folder),
    cmocka_unit_test_setup_teardown(an_inherited_descriptor_is_adopted, make_folder, remove_folder),
    cmocka_unit_test_setup_teardown(burns_of_several_processes_are_all_kept, make_folder, remove_folder),
    cmocka_unit_test_setup_teardown(burns_of_several_threads_are_all_kept, make_folder, remove_folder),
};

TEST_MAIN(tests)
