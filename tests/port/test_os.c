/* SPDX-License-Identifier: Apache-2.0 */
/* Tasks, locks, clocks, and a firmware as a process, on Linux. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "otter/otter_os.h"
#include "otter/otter_process.h"
#include "tests/support/test.h"

typedef struct shared {
    otter_mutex_t mutex;
    otter_signal_t signal;
    int started;
    int counted;
    otter_task_t *current;
} shared_t;

static void count_up(void *arg)
{
    shared_t *shared = arg;
    for (int i = 0; i < 1000; i++) {
        otter_mutex_lock(&shared->mutex);
        shared->counted++;
        otter_mutex_unlock(&shared->mutex);
    }
    otter_mutex_lock(&shared->mutex);
    shared->current = otter_task_current();
    shared->started++;
    otter_signal_raise(&shared->signal);
    otter_mutex_unlock(&shared->mutex);
    otter_task_exit();
}

static void tasks_share_a_lock_and_signal_their_end(void **state)
{
    (void)state;
    shared_t shared = {.started = 0};
    otter_task_t *task = NULL;
    for (int i = 0; i < 4; i++) {
        assert_err(otter_task_start(count_up, &shared, "a name that is too long for the kernel", 4096, &task), ESP_OK);
        assert_non_null(task);
    }
    otter_mutex_lock(&shared.mutex);
    while (shared.started < 4) {
        assert_true(otter_signal_wait(&shared.signal, &shared.mutex, otter_now_us() + 10000000));
    }
    assert_int_equal(shared.counted, 4000);
    assert_ptr_not_equal(shared.current, otter_task_current());
    otter_mutex_unlock(&shared.mutex);
}

static void waiting_ends_at_the_deadline(void **state)
{
    (void)state;
    shared_t shared = {.started = 0};
    int64_t deadline_us = otter_now_us() + 20000;
    otter_mutex_lock(&shared.mutex);
    while (otter_signal_wait(&shared.signal, &shared.mutex, deadline_us)) {
    }
    otter_mutex_unlock(&shared.mutex);
    assert_true(otter_now_us() >= deadline_us);
    otter_sleep_until(deadline_us);
    otter_sleep_until(otter_now_us() + 1000);
}

static void the_wall_clock_shows_this_century(void **state)
{
    (void)state;
    assert_true(otter_wall_us() / 1000000 > 1700000000);
}

static void entropy_differs_from_call_to_call(void **state)
{
    (void)state;
    uint8_t a[32] = {0};
    uint8_t b[32] = {0};
    assert_err(otter_entropy(a, sizeof(a)), ESP_OK);
    assert_err(otter_entropy(b, sizeof(b)), ESP_OK);
    assert_memory_not_equal(a, b, sizeof(a));
}

static void a_restart_ends_the_process_with_its_own_status(void **state)
{
    (void)state;
    pid_t child = fork();
    if (child == 0) {
        otter_restart();
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), OTTER_EXIT_RESTART);
}

/* Copies a program of this machine into a process. */
static void collect(otter_process_t *process, const char *path)
{
    uint8_t bytes[65536];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    otter_process_init(process);
    assert_err(otter_process_collect(process), ESP_OK);
    uint64_t off = 0;
    ssize_t got;
    while ((got = read(fd, bytes, sizeof(bytes))) > 0) {
        assert_err(otter_process_write(process, off, bytes, (size_t)got), ESP_OK);
        off += (uint64_t)got;
    }
    (void)close(fd);
}

static otter_handover_t no_flash(void)
{
    return (otter_handover_t){.flash_handle = -1, .key_store_handle = -1};
}

static void a_collected_program_runs_and_its_status_is_seen(void **state)
{
    (void)state;
    otter_process_t process;
    otter_handover_t handover = no_flash();
    int detail = 0;
    collect(&process, "/bin/false");
    assert_err(otter_process_start(&process, &handover, "false"), ESP_OK);
    assert_int_equal(otter_process_wait(&process, OTTER_FOREVER, -1, &detail), OTTER_PROCESS_EXITED);
    assert_int_equal(detail, 1);
    assert_int_equal(process.pid, 0);
    otter_process_close(&process);
}

static void a_program_cannot_be_changed_once_it_ran(void **state)
{
    (void)state;
    otter_process_t process;
    otter_handover_t handover = no_flash();
    collect(&process, "/bin/true");
    assert_err(otter_process_start(&process, &handover, "true"), ESP_OK);
    assert_err(otter_process_write(&process, 0, "x", 1), ESP_ERR_INVALID_STATE);
    assert_true(pwrite(process.image_fd, "x", 1, 0) < 0);
    assert_err(otter_process_start(&process, &handover, "true"), ESP_ERR_INVALID_STATE);
    otter_process_close(&process);
    otter_process_close(&process);
}

static void something_that_is_no_program_does_not_start(void **state)
{
    (void)state;
    otter_process_t process;
    otter_handover_t handover = no_flash();
    otter_process_init(&process);
    assert_err(otter_process_start(&process, &handover, "nothing"), ESP_ERR_INVALID_STATE);
    assert_err(otter_process_collect(&process), ESP_OK);
    assert_err(otter_process_write(&process, 0, "no ELF", 6), ESP_OK);
    assert_err(otter_process_start(&process, &handover, "text"), ESP_FAIL);
    assert_int_equal(process.pid, 0);
    otter_process_close(&process);
}

static void a_process_that_does_not_end_is_killed(void **state)
{
    (void)state;
    otter_process_t process;
    otter_handover_t handover = no_flash();
    collect(&process, "/bin/cat"); /* Reads a terminal or pipe that says nothing. */
    int silent[2];
    assert_int_equal(pipe(silent), 0);
    int stdin_copy = dup(STDIN_FILENO);
    assert_int_equal(dup2(silent[0], STDIN_FILENO), STDIN_FILENO);
    assert_err(otter_process_start(&process, &handover, "cat"), ESP_OK);
    assert_int_equal(otter_process_wait(&process, otter_now_us() + 50000, -1, NULL), OTTER_PROCESS_RUNNING);
    pid_t pid = process.pid;
    otter_process_close(&process);
    assert_int_equal(kill(pid, 0), -1);
    (void)dup2(stdin_copy, STDIN_FILENO);
    (void)close(stdin_copy);
    (void)close(silent[0]);
    (void)close(silent[1]);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(tasks_share_a_lock_and_signal_their_end),
    cmocka_unit_test(waiting_ends_at_the_deadline),
    cmocka_unit_test(the_wall_clock_shows_this_century),
    cmocka_unit_test(entropy_differs_from_call_to_call),
    cmocka_unit_test(a_restart_ends_the_process_with_its_own_status),
    cmocka_unit_test(a_collected_program_runs_and_its_status_is_seen),
    cmocka_unit_test(a_program_cannot_be_changed_once_it_ran),
    cmocka_unit_test(something_that_is_no_program_does_not_start),
    cmocka_unit_test(a_process_that_does_not_end_is_killed),
};

TEST_MAIN(tests)
