/* SPDX-License-Identifier: Apache-2.0 */
/* The flash of the contract: in RAM, in a file, and under NOR rules. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "otter/otter_flash_file.h"
#include "otter/otter_flash_nor.h"
#include "otter/otter_flash_ram.h"
#include "tests/support/test.h"

#define SIZE   0x8000u
#define SECTOR 0x1000u

typedef struct files {
    char folder[64];
    char path[96];
} files_t;

static files_t make_folder(void)
{
    files_t files = {.folder = "/tmp/otter-flash-XXXXXX"};
    assert_non_null(mkdtemp(files.folder));
    (void)snprintf(files.path, sizeof(files.path), "%s/flash.bin", files.folder);
    return files;
}

static void remove_folder(files_t *files)
{
    (void)unlink(files->path);
    assert_int_equal(rmdir(files->folder), 0); /* Fails if anything else was left there. */
}

static otter_flash_file_t open_file(const files_t *files, otter_flash_file_mode_t mode)
{
    otter_flash_file_t file;
    assert_err(otter_flash_file_open(&file, files->path, SECTOR, mode), ESP_OK);
    return file;
}

/* What any flash must do. */
static void check_contract(otter_flash_t *flash)
{
    uint8_t bytes[64];
    assert_err(otter_flash_erase(flash, 0x1000, 0x2000), ESP_OK);
    assert_err(otter_flash_program(flash, 0x1ffe, "abcd", 4), ESP_OK);
    assert_err(otter_flash_sync(flash), ESP_OK);
    assert_err(otter_flash_read(flash, 0x1ffd, bytes, 6), ESP_OK);
    assert_memory_equal(bytes,
                        "\xFF"
                        "abcd\xFF",
                        6);
    assert_err(otter_flash_erase(flash, 0x1000, 0x1000), ESP_OK);
    assert_err(otter_flash_read(flash, 0x1ffd, bytes, 6), ESP_OK);
    assert_memory_equal(bytes,
                        "\xFF\xFF\xFF"
                        "cd\xFF",
                        6);
    assert_err(otter_flash_read(flash, SIZE - 4, bytes, 5), ESP_ERR_INVALID_SIZE);
    assert_err(otter_flash_read(flash, SIZE + 1, bytes, 0), ESP_ERR_INVALID_SIZE);
    assert_err(otter_flash_program(flash, UINT32_MAX, bytes, 2), ESP_ERR_INVALID_SIZE);
    assert_err(otter_flash_erase(flash, 0, SIZE + SECTOR), ESP_ERR_INVALID_SIZE);
    assert_err(otter_flash_erase(flash, 1, SECTOR), ESP_ERR_INVALID_ARG);
    assert_err(otter_flash_erase(flash, 0, SECTOR - 1), ESP_ERR_INVALID_ARG);
    assert_err(otter_flash_read(flash, SIZE - 4, bytes, 4), ESP_OK);
}

static void a_ram_flash_keeps_the_contract(void **state)
{
    (void)state;
    static uint8_t bytes[SIZE];
    otter_flash_ram_t ram;
    check_contract(otter_flash_ram_init(&ram, bytes, SIZE, SECTOR));
}

static void a_nor_flash_keeps_the_contract(void **state)
{
    (void)state;
    static uint8_t bytes[SIZE];
    otter_flash_ram_t ram;
    otter_flash_nor_t nor;
    memset(bytes, 0xFF, sizeof(bytes));
    check_contract(otter_flash_nor_init(&nor, otter_flash_ram_init(&ram, bytes, SIZE, SECTOR)));
    assert_int_equal(nor.violations, 0);
}

static void a_file_flash_keeps_the_contract(void **state)
{
    (void)state;
    files_t files = make_folder();
    assert_err(otter_flash_file_create(files.path, SIZE, false), ESP_OK);
    otter_flash_file_t file = open_file(&files, OTTER_FLASH_FILE_WRITE);
    check_contract(&file.base);
    otter_flash_file_close(&file);
    otter_flash_file_close(&file);
    remove_folder(&files);
}

static void nor_lets_bits_go_down_and_not_up(void **state)
{
    (void)state;
    static uint8_t bytes[SIZE];
    otter_flash_ram_t ram;
    otter_flash_nor_t nor;
    memset(bytes, 0xFF, sizeof(bytes));
    otter_flash_t *flash = otter_flash_nor_init(&nor, otter_flash_ram_init(&ram, bytes, SIZE, SECTOR));
    assert_err(otter_flash_program(flash, 10, "\xF0", 1), ESP_OK);
    assert_err(otter_flash_program(flash, 10, "\x30", 1), ESP_OK);
    assert_err(otter_flash_program(flash, 10, "\x30", 1), ESP_OK);
    assert_int_equal(nor.violations, 0);
    assert_err(otter_flash_program(flash, 10, "\x31", 1), ESP_ERR_FLASH_OP_FAIL);
    assert_int_equal(bytes[10], 0x30);
    assert_int_equal(nor.violations, 1);
    assert_int_equal(nor.violation_off, 10);
}

/* Also when the bit in question lies far behind the start. */
static void a_refused_program_changes_nothing(void **state)
{
    (void)state;
    static uint8_t bytes[SIZE];
    static uint8_t before[SIZE];
    static uint8_t wanted[0x3000];
    otter_flash_ram_t ram;
    otter_flash_nor_t nor;
    memset(bytes, 0xFF, sizeof(bytes));
    memset(wanted, 0x55, sizeof(wanted));
    bytes[0x10 + 0x2fff] = 0x54;
    memcpy(before, bytes, sizeof(before));
    otter_flash_t *flash = otter_flash_nor_init(&nor, otter_flash_ram_init(&ram, bytes, SIZE, SECTOR));
    assert_err(otter_flash_program(flash, 0x10, wanted, sizeof(wanted)), ESP_ERR_FLASH_OP_FAIL);
    assert_memory_equal(bytes, before, sizeof(before));
    assert_int_equal(nor.violation_off, 0x10 + 0x2fff);
}

static void a_new_flash_file_is_erased(void **state)
{
    (void)state;
    files_t files = make_folder();
    static uint8_t bytes[SIZE];
    assert_err(otter_flash_file_create(files.path, SIZE, false), ESP_OK);
    otter_flash_file_t file = open_file(&files, OTTER_FLASH_FILE_READ);
    assert_int_equal(file.base.size_bytes, SIZE);
    assert_err(otter_flash_read(&file.base, 0, bytes, SIZE), ESP_OK);
    for (size_t i = 0; i < SIZE; i++) {
        assert_int_equal(bytes[i], 0xFF);
    }
    otter_flash_file_close(&file);
    remove_folder(&files);
}

static void an_existing_flash_file_is_replaced_only_on_request(void **state)
{
    (void)state;
    files_t files = make_folder();
    assert_err(otter_flash_file_create(files.path, SIZE, false), ESP_OK);
    assert_err(otter_flash_file_create(files.path, 2 * SIZE, false), ESP_ERR_INVALID_STATE);
    otter_flash_file_t file = open_file(&files, OTTER_FLASH_FILE_WRITE);
    assert_int_equal(file.base.size_bytes, SIZE);
    assert_err(otter_flash_file_create(files.path, 2 * SIZE, true), ESP_ERR_NOT_ALLOWED);
    otter_flash_file_close(&file);
    assert_err(otter_flash_file_create(files.path, 2 * SIZE, true), ESP_OK);
    file = open_file(&files, OTTER_FLASH_FILE_WRITE);
    assert_int_equal(file.base.size_bytes, 2 * SIZE);
    otter_flash_file_close(&file);
    remove_folder(&files);
}

static void a_flash_file_of_an_odd_size_is_refused(void **state)
{
    (void)state;
    files_t files = make_folder();
    otter_flash_file_t file;
    assert_err(otter_flash_file_create(files.path, 0, false), ESP_ERR_INVALID_SIZE);
    assert_err(otter_flash_file_create(files.path, 5000, false), ESP_ERR_INVALID_SIZE);
    assert_err(otter_flash_file_open(&file, files.path, SECTOR, OTTER_FLASH_FILE_READ), ESP_ERR_NOT_FOUND);
    assert_err(otter_flash_file_create(files.path, SIZE, false), ESP_OK);
    assert_err(otter_flash_file_open(&file, files.path, 2 * SIZE, OTTER_FLASH_FILE_READ), ESP_ERR_INVALID_SIZE);
    assert_err(otter_flash_file_open(&file, files.path, 3000, OTTER_FLASH_FILE_READ), ESP_ERR_INVALID_SIZE);
    assert_int_equal(file.fd, -1);
    otter_flash_file_close(&file);
    remove_folder(&files);
}

static void a_reader_cannot_write(void **state)
{
    (void)state;
    files_t files = make_folder();
    assert_err(otter_flash_file_create(files.path, SIZE, false), ESP_OK);
    otter_flash_file_t file = open_file(&files, OTTER_FLASH_FILE_READ);
    assert_err(otter_flash_program(&file.base, 0, "x", 1), ESP_ERR_FLASH_OP_FAIL);
    assert_err(otter_flash_erase(&file.base, 0, SECTOR), ESP_ERR_FLASH_OP_FAIL);
    otter_flash_file_close(&file);
    remove_folder(&files);
}

static void a_second_writer_is_told_who_holds_the_lock(void **state)
{
    (void)state;
    files_t files = make_folder();
    assert_err(otter_flash_file_create(files.path, SIZE, false), ESP_OK);
    assert_int_equal(otter_flash_file_holder(files.path), 0);
    otter_flash_file_t file = open_file(&files, OTTER_FLASH_FILE_WRITE);
    otter_flash_file_t second;
    assert_err(otter_flash_file_open(&second, files.path, SECTOR, OTTER_FLASH_FILE_WRITE), ESP_ERR_NOT_ALLOWED);
    assert_int_equal(otter_flash_file_holder(files.path), getpid());
    otter_flash_file_t reader = open_file(&files, OTTER_FLASH_FILE_READ);
    otter_flash_file_close(&reader);
    otter_flash_file_close(&file);
    assert_int_equal(otter_flash_file_holder(files.path), 0);
    file = open_file(&files, OTTER_FLASH_FILE_WRITE);
    otter_flash_file_close(&file);
    remove_folder(&files);
}

static void a_waiting_writer_gets_the_file_that_the_path_names_then(void **state)
{
    (void)state;
    files_t files = make_folder();
    int ready[2];
    assert_int_equal(pipe(ready), 0);
    assert_err(otter_flash_file_create(files.path, SIZE, false), ESP_OK);
    otter_flash_file_t file = open_file(&files, OTTER_FLASH_FILE_WRITE);
    pid_t child = fork();
    if (child == 0) {
        otter_flash_file_close(&file); /* A copy of the descriptor: the parent's lock stays. */
        (void)!write(ready[1], "r", 1);
        otter_flash_file_t waited;
        bool ok = otter_flash_file_open(&waited, files.path, SECTOR, OTTER_FLASH_FILE_WRITE_WAIT) == ESP_OK &&
                  waited.base.size_bytes == 2 * SIZE;
        _exit(ok ? 0 : 1);
    }
    char byte;
    assert_int_equal(read(ready[0], &byte, 1), 1);
    (void)usleep(50000); /* Let the child reach the lock; without it the test is weaker, not wrong. */
    char other[128];
    (void)snprintf(other, sizeof(other), "%s.new", files.path);
    assert_err(otter_flash_file_create(other, 2 * SIZE, false), ESP_OK);
    assert_int_equal(rename(other, files.path), 0);
    otter_flash_file_close(&file);
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    (void)close(ready[0]);
    (void)close(ready[1]);
    remove_folder(&files);
}

static void what_was_programmed_survives_a_crash_of_the_process(void **state)
{
    (void)state;
    files_t files = make_folder();
    assert_err(otter_flash_file_create(files.path, SIZE, false), ESP_OK);
    pid_t child = fork();
    if (child == 0) {
        otter_flash_file_t writer;
        if (otter_flash_file_open(&writer, files.path, SECTOR, OTTER_FLASH_FILE_WRITE) == ESP_OK &&
            otter_flash_program(&writer.base, 123, "kept", 4) == ESP_OK) {
            (void)kill(getpid(), SIGKILL);
        }
        _exit(1);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    char bytes[4];
    otter_flash_file_t file = open_file(&files, OTTER_FLASH_FILE_WRITE);
    assert_err(otter_flash_read(&file.base, 123, bytes, 4), ESP_OK);
    assert_memory_equal(bytes, "kept", 4);
    otter_flash_file_close(&file);
    remove_folder(&files);
}

static void a_full_disk_is_an_error_and_leaves_no_file(void **state)
{
    (void)state;
    files_t files = make_folder();
    pid_t child = fork();
    if (child == 0) {
        /* A limit on the size of files stands for the full disk. */
        (void)signal(SIGXFSZ, SIG_IGN);
        struct rlimit limit = {SIZE / 2, SIZE / 2};
        bool ok = setrlimit(RLIMIT_FSIZE, &limit) == 0 &&
                  otter_flash_file_create(files.path, SIZE, false) == ESP_FAIL && errno == EFBIG;
        _exit(ok ? 0 : 1);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    remove_folder(&files);
}

static void adopting_something_else_than_a_file_is_refused(void **state)
{
    (void)state;
    otter_flash_file_t file;
    assert_err(otter_flash_file_adopt(&file, -1, SECTOR), ESP_ERR_INVALID_ARG);
    int fds[2];
    assert_int_equal(pipe(fds), 0);
    assert_err(otter_flash_file_adopt(&file, fds[0], SECTOR), ESP_ERR_INVALID_ARG);
    (void)close(fds[0]);
    (void)close(fds[1]);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_ram_flash_keeps_the_contract),
    cmocka_unit_test(a_nor_flash_keeps_the_contract),
    cmocka_unit_test(a_file_flash_keeps_the_contract),
    cmocka_unit_test(nor_lets_bits_go_down_and_not_up),
    cmocka_unit_test(a_refused_program_changes_nothing),
    cmocka_unit_test(a_new_flash_file_is_erased),
    cmocka_unit_test(an_existing_flash_file_is_replaced_only_on_request),
    cmocka_unit_test(a_flash_file_of_an_odd_size_is_refused),
    cmocka_unit_test(a_reader_cannot_write),
    cmocka_unit_test(a_second_writer_is_told_who_holds_the_lock),
    cmocka_unit_test(a_waiting_writer_gets_the_file_that_the_path_names_then),
    cmocka_unit_test(what_was_programmed_survives_a_crash_of_the_process),
    cmocka_unit_test(a_full_disk_is_an_error_and_leaves_no_file),
    cmocka_unit_test(adopting_something_else_than_a_file_is_refused),
};

TEST_MAIN(tests)
